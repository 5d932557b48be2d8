"""`course reset`: the lesson as it came, and the reader's own copy beside it."""

import os
import sys
from datetime import datetime

import nbformat
import pytest

from helpers.command import files, reset
from helpers.command.files import is_own_copy, keep_own_copy
from helpers.command.manifest import ORIGINALS
from tests.support import needs
from tests.support.lessons import ROOT
from tests.support.small_course import (
    ASSIGNMENT,
    LESSON,
    OTHER,
    author,  # noqa: F401
    clone,  # noqa: F401
    everything,
    make_course,
    run_only,
    type_in,
    unzipped,  # noqa: F401
)


@pytest.fixture(params=["unzipped", pytest.param("clone", marks=needs.git)])
def root(request):
    return request.getfixturevalue(request.param)


def copies(root):
    return sorted(path for path in root.rglob("*") if is_own_copy(path))


def test_the_lesson_is_as_it_came_and_mine_is_beside_it(root, capsys):
    original = (root / LESSON).read_bytes()
    type_in(root / LESSON)
    mine = (root / LESSON).read_bytes()
    assert reset.main(["05"], root) == 0
    assert (root / LESSON).read_bytes() == original
    (copy,) = copies(root)
    assert copy.parent == (root / LESSON).parent
    assert copy.read_bytes() == mine
    assert capsys.readouterr().out == (
        f"{LESSON} is as it came again. Yours is kept beside it: {copy.name}\n"
        "If it is open in JupyterLab: close its tab, or choose File, Reload Notebook from Disk. "
        "Otherwise JupyterLab may save the old text over it.\n"
    )
    assert not list(root.rglob("*.part"))


def test_the_copys_name_says_what_it_is_and_when_and_every_system_takes_it(tmp_path):
    path = tmp_path / "05-mnist-net.ipynb"
    path.write_bytes(b"mine")
    now = datetime(2026, 11, 28, 14, 5)
    names = [keep_own_copy(path, now).name for _ in range(3)]
    assert names == [
        "05-mnist-net (mine, 2026-11-28 14.05).ipynb",
        "05-mnist-net (mine, 2026-11-28 14.05, 2).ipynb",
        "05-mnist-net (mine, 2026-11-28 14.05, 3).ipynb",
    ]
    assert all(is_own_copy(name) for name in names)
    assert not is_own_copy(path)
    assert not any(set(name) & set('<>:"/\\|?*') for name in names)


def test_an_earlier_copy_is_never_written_over(root):
    texts = []
    for text in ("first", "second"):
        type_in(root / LESSON, text)
        texts.append((root / LESSON).read_bytes())
        assert reset.main(["5"], root) == 0
    assert sorted(path.read_bytes() for path in copies(root)) == sorted(texts)


def test_an_unchanged_lesson_is_left_alone(root, capsys):
    before = everything(root)
    assert reset.main(["05", "assignment", "05"], root) == 0
    assert everything(root) == before
    said = "{} is as it came: nothing to do.\n"
    assert capsys.readouterr().out == said.format(LESSON) + said.format(ASSIGNMENT)


def test_a_lesson_that_was_only_run_can_be_reset_too(root):
    run_only(root / LESSON)
    assert reset.main(["05"], root) == 0
    assert nbformat.read(root / LESSON, as_version=4).cells[1].outputs[0].text == "1\n"
    assert len(copies(root)) == 1


@pytest.mark.parametrize("broken", [b"", b'{"cells": [', b"\xff\xfe", None])
def test_a_broken_or_missing_file_is_given_back(root, capsys, broken):
    original = (root / LESSON).read_bytes()
    if broken is None:
        (root / LESSON).unlink()
    else:
        (root / LESSON).write_bytes(broken)
    assert reset.main(["05"], root) == 0
    assert (root / LESSON).read_bytes() == original
    assert [path.read_bytes() for path in copies(root)] == ([] if broken is None else [broken])
    if broken is None:
        said = f"{LESSON} was gone, and is there again as it came.\n"
        assert capsys.readouterr().out == said


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["05"], [LESSON]),
        (["5"], [LESSON]),
        (["lesson", "5"], [LESSON]),
        (["05-mnist-net"], [LESSON]),
        (["05-mnist-net.ipynb", "7"], [LESSON, OTHER]),
        (["notebooks/05"], [LESSON]),
        (["./notebooks/05-mnist-net.ipynb", "05"], [LESSON]),
        (["notebooks\\05-mnist-net.ipynb"], [LESSON]),
        (["assignment", "05"], [ASSIGNMENT]),
        (["assignments/05"], [ASSIGNMENT]),
        (["assignments/05-mnist-net/"], [ASSIGNMENT]),
        ([ASSIGNMENT], [ASSIGNMENT]),
        (["07", "assignment", "5", "lesson", "5"], [OTHER, ASSIGNMENT, LESSON]),
    ],
)
def test_words_that_mean_a_notebook(unzipped, words, names):  # noqa: F811
    assert reset.chosen(words, [ASSIGNMENT, LESSON, OTHER], unzipped) == names


def test_a_path_is_understood_from_where_the_reader_is(unzipped, monkeypatch):  # noqa: F811
    monkeypatch.chdir((unzipped / ASSIGNMENT).parent)
    names = [ASSIGNMENT, LESSON, OTHER]
    for word in ("05-mnist-net.ipynb", str(unzipped / ASSIGNMENT)):
        assert reset.chosen([word], names, unzipped) == [ASSIGNMENT]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["9"], "There is no notebook '9'."),
        (["assignment", "7"], "There is no notebook '7'."),
        (["0"], "There is no notebook '0'."),
        (["notebooks/0"], "There is no notebook 'notebooks/0'."),
        (["0-"], "There is no notebook '0-'."),
        (["notebooks"], "Say which notebook."),
        (["05", "assignments"], "Say which assignment."),
        (["lessons"], "Say which lesson."),
    ],
)
def test_a_word_that_means_none_is_named_with_what_there_is(unzipped, words, problem):  # noqa: F811
    with pytest.raises(files.Problem) as told:
        reset.chosen(words, [ASSIGNMENT, LESSON, OTHER], unzipped)
    assert str(told.value).splitlines() == [
        problem,
        "These can be given back:",
        f"  course reset assignment 05   {ASSIGNMENT}",
        f"  course reset 05              {LESSON}",
        f"  course reset 07              {OTHER}",
    ]


def test_a_word_that_means_several_lists_them_alone(unzipped):  # noqa: F811
    names = ["notebooks/05-a.ipynb", "notebooks/05-b.ipynb", "notebooks/07-c.ipynb"]
    with pytest.raises(files.Problem) as told:
        reset.chosen(["05"], names, unzipped)
    assert str(told.value).splitlines() == [
        "More than one notebook fits '05'.",
        "These can be given back:",
        *(f"  course reset 05   {name}" for name in names[:2]),
    ]


@pytest.mark.parametrize("words", [["9"], ["0"], ["assignment"], ["lesson"], ["notebooks/"], ["x"]])
def test_an_unknown_word_changes_nothing_and_lists_what_there_is(root, words, capsys):
    type_in(root / LESSON)
    before = everything(root)
    assert reset.main(["05", *words], root) == 2
    assert everything(root) == before
    said = capsys.readouterr().err
    assert f"course reset 05              {LESSON}" in said
    assert f"course reset assignment 05   {ASSIGNMENT}" in said


def test_the_words_that_are_listed_are_understood(root, capsys):
    assert reset.main([], root) == 0
    assert "No lesson and no assignment differs" in capsys.readouterr().out
    type_in(root / LESSON)
    type_in(root / ASSIGNMENT)
    (root / OTHER).unlink()
    assert reset.main([], root) == 0
    begin, *lines, end = capsys.readouterr().out.splitlines()
    assert begin == "These differ from what you were given:"
    assert end == "`course reset` gives one back as it came, and keeps yours beside it."
    assert lines == [
        f"  {ASSIGNMENT}    course reset assignment 05",
        f"  {LESSON:{len(ASSIGNMENT)}}    course reset 05",
        f"  {OTHER + '  (deleted)':{len(ASSIGNMENT)}}    course reset 07",
    ]
    for line in lines:
        assert reset.main(line.partition("course reset ")[2].split(), root) == 0
    capsys.readouterr()
    assert reset.main([], root) == 0
    assert "No lesson and no assignment differs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "language", "folder", "rest"),
    [
        (["05", "ko/notebooks/05"], "", "ko", ["05", "notebooks/05"]),
        (["./ko/notebooks/05"], "", "ko", ["notebooks/05"]),
        (["ko\\notebooks\\05"], "", "ko", ["notebooks\\05"]),
        (["05"], "ko", "ko", ["05"]),
        (["05"], "en", "", ["05"]),
        (["05"], "", "", ["05"]),
        (["kore/05"], "", "", ["kore/05"]),
        (["ja/notebooks/05"], "ja", "", ["ja/notebooks/05"]),  # a catalogue, and no edition yet
    ],
)
def test_the_edition_is_the_one_that_is_named_or_chosen(
    tmp_path, monkeypatch, words, language, folder, rest
):
    for name in ("translations/ko", "translations/ja", "ko/notebooks"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    assert reset.edition_of(words, tmp_path) == (tmp_path / folder, rest)


def test_without_a_release_it_says_so(tmp_path, capsys):
    make_course(tmp_path)
    assert reset.main(["05"], tmp_path) == 2
    assert "neither a git clone nor unzipped" in capsys.readouterr().err


@pytest.mark.parametrize("fails", [1, 2])
def test_a_failure_at_any_point_loses_nothing(root, monkeypatch, capsys, fails):
    """A full disk while the copy is written, or while the original takes its place."""
    type_in(root / LESSON)
    mine, calls, real = (root / LESSON).read_bytes(), [], os.replace

    def replace(*arguments):
        calls.append(arguments)
        if len(calls) == fails:
            raise OSError("no room on the disk")
        real(*arguments)

    monkeypatch.setattr(files.os, "replace", replace)
    assert reset.main(["05"], root) == 1
    assert (root / LESSON).read_bytes() == mine
    assert len(copies(root)) == fails - 1
    assert not list(root.rglob("*.part"))
    assert capsys.readouterr().err == f"{LESSON} was not given back: no room on the disk\n"


def test_a_damaged_original_leaves_the_readers_own(unzipped, capsys):  # noqa: F811
    type_in(unzipped / LESSON)
    before = everything(unzipped)
    (unzipped / ORIGINALS).write_bytes(b"")
    assert reset.main(["05"], unzipped) == 1
    assert everything(unzipped) == before | {ORIGINALS: b""}
    assert "originals.zip is missing or damaged" in capsys.readouterr().err


def test_set_up_reset_and_update_speak_without_any_package():
    """They make and repair the environment, and are told the language by a variable."""
    import subprocess

    code = "from helpers.command import main, reset, update; print(main.unknown('labb'))"
    command = [sys.executable, "-S", "-c", code]
    environ = {**os.environ, "COURSE_LANGUAGE": "ko", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=environ, check=True)
    said = done.stdout.decode("utf-8").strip()
    assert said == "course labb 명령은 없습니다. course lab 명령을 쓰려고 했나요?"
