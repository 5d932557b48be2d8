"""Files are written whole or not at all, and texts so that they can be written."""

import pytest

from grader.files import Part, write_whole
from grader.text import writable


def test_a_file_is_written_whole_or_not(tmp_path, monkeypatch):
    path = tmp_path / "folder/x.json"
    write_whole(path, "old")
    monkeypatch.setattr("os.replace", lambda *names: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_part_that_is_not_put_in_its_place_leaves_nothing(tmp_path):
    path = tmp_path / "x"
    with Part(path, b"new", tmp_path, 0o444):
        pass
    assert list(tmp_path.iterdir()) == []
    with Part(path, b"new", tmp_path, 0o444) as part:
        part.put()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o444


def test_what_a_killed_process_left_is_written_over(tmp_path):
    path = tmp_path / "x"
    Part(path, b"half")  # as if killed here
    write_whole(path, "whole")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["whole"]


def test_lone_surrogates_become_question_marks():
    assert writable("a\ud800b") == "a?b"
    assert writable("한글 é 🎓") == "한글 é 🎓"
