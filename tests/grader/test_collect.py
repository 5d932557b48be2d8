"""Taking in submissions: every layout is read, nothing is followed, nothing ends the batch."""

import json
import os
import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.gradebook.submitted import write_submitted
from grader.intake.collect import (
    Limits,
    Unreadable,
    clean_name,
    collect,
    ids_of,
    parse,
)
from grader.intake.rebuild import Skeleton

NAME = "01-trial"
IDS = ("f", "f_test")


def notebook(answer="1", ids=IDS):
    cells = [new_markdown_cell("# Title", id="title"), new_code_cell(answer, id="free")]
    for grade_id in ids:
        cells.append(new_code_cell(f"# {grade_id}", id=grade_id))
        cells[-1].metadata["nbgrader"] = {"grade_id": grade_id, "grade": False}
    return new_notebook(cells=cells)


def data(answer="1", **rest):
    return nbformat.writes(notebook(answer, **rest)).encode()


def answers(path):
    """What was collected: the second cell's text by student, or the reason."""
    found = {}
    for submission in collect(path, NAME):
        try:
            found[submission.student] = submission.read(NAME, IDS).cells[1].source
        except Unreadable as error:
            found[submission.student] = f"Unreadable: {error}"
    return found


def write(root, **files):
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return root


def as_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


LAYOUTS = {
    "plain files": {"ann.ipynb": "a", "bob.ipynb": "b"},
    "nbgrader's": {f"ann/{NAME}/{NAME}.ipynb": "a", f"bob/{NAME}/{NAME}.ipynb": "b"},
    "renamed": {f"ann/{NAME}/my work (1).ipynb": "a", "bob/final FINAL.ipynb": "b"},
    "mixed": {"ann.ipynb": "a", f"bob/{NAME}/{NAME}.ipynb": "b"},
    "with noise": {
        "ann.ipynb": "a",
        "bob.ipynb": "b",
        ".ipynb_checkpoints/ann-checkpoint.ipynb": "x",
        "__MACOSX/._ann.ipynb": "x",
        "notes.txt": "x",
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True, "in a folder"])
def test_layouts(tmp_path, layout, packed):
    files = {name: data(answer) for name, answer in LAYOUTS[layout].items()}
    if packed:
        inside = "batch/" if packed == "in a folder" else ""
        path = as_zip(tmp_path / "b.zip", {inside + name: files[name] for name in files})
    else:
        path = write(tmp_path / "b", **files)
    assert answers(path) == {"ann": "a", "bob": "b"}


def test_one_file_and_one_students_folder(tmp_path):
    write(tmp_path, **{"ann.ipynb": data("a"), f"b/eve/{NAME}/{NAME}.ipynb": data("e")})
    assert answers(tmp_path / "ann.ipynb") == {"ann": "a"}
    assert answers(tmp_path / "b") == {"eve": "e"}
    archive = as_zip(tmp_path / "c.zip", {f"eve/{NAME}.ipynb": data("e")})
    assert answers(archive) == {"eve": "e"}


def test_among_several_notebooks_the_named_one_or_the_most_alike_counts(tmp_path):
    other = data("other", ids=())
    write(tmp_path / "a", **{f"ann/{NAME}.ipynb": data("a"), "ann/draft.ipynb": data("d")})
    assert answers(tmp_path / "a") == {"ann": "a"}
    write(tmp_path / "b", **{"ann/x.ipynb": other, "ann/y.ipynb": data("y"), "ann/z.ipynb": b"{"})
    assert answers(tmp_path / "b") == {"ann": "y"}
    write(tmp_path / "c", **{"ann/x.ipynb": data("x"), "ann/y.ipynb": data("y")})
    assert "no telling which is meant" in answers(tmp_path / "c")["ann"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (data()[:200], "cut off"),
        (b"\x89PNG\r\n", "not a text in UTF-8"),
        (data("é").decode().encode("latin-1"), "not a text in UTF-8"),
        (b"[1, 2]", "not a notebook"),
        (b"{}", "no nbformat"),
        (b'{"nbformat": 4, "cells": 5}', "damaged"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "spell"}], "metadata": {}}', "damaged"),
        (b'{"nbformat": 99, "cells": [], "metadata": {}}', "damaged"),
        (b"[" * 100_000, "not a notebook"),
        (data("x" * 21 * 2**20), "larger than 20 MiB"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_unreadable_notebooks_are_told_with_the_reason_and_stop_nothing(
    tmp_path, content, reason, packed
):
    files = {"ann.ipynb": content, "bob.ipynb": data("b")}
    make = as_zip(tmp_path / "b.zip", files) if packed else write(tmp_path / "b", **files)
    found = answers(make)
    assert found["bob"] == "b"
    assert found["ann"].startswith("Unreadable: ")
    assert reason in found["ann"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_other_editors(encoding):
    text = data("ä").decode()
    assert parse(text.encode(encoding)).cells[1].source == "ä"


@pytest.mark.parametrize("minor", range(6))
def test_notebook_formats(minor):
    content = json.loads(data("a", ids=IDS))
    content["nbformat_minor"] = minor
    if minor < 5:
        for cell in content["cells"]:
            del cell["id"]
    read = parse(json.dumps(content).encode())
    assert ids_of(read) == list(IDS)
    nbformat.validate(read)


def test_format_three_and_repeated_cell_ids():
    old = nbformat.writes(nbformat.convert(notebook("old"), 3), version=3)
    assert parse(old.encode()).cells[1].source == "old"
    content = json.loads(data())
    for cell in content["cells"]:
        cell["id"] = "same"
    read = parse(json.dumps(content).encode())
    assert len({cell.id for cell in read.cells}) == len(read.cells)
    nbformat.validate(read)


def test_limits_can_be_set(tmp_path):
    (submission,) = collect(write(tmp_path, **{"ann.ipynb": data()}), NAME)
    with pytest.raises(Unreadable, match="more than 2 cells"):
        submission.read(NAME, limits=Limits(cells=2))
    with pytest.raises(Unreadable, match="larger than"):
        submission.read(NAME, limits=Limits(notebook_bytes=10))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")
def test_links_pipes_and_devices_are_not_followed(tmp_path):
    secret = write(tmp_path / "elsewhere", **{"key.ipynb": data("secret")})
    root = write(tmp_path / "b", **{"bob.ipynb": data("b")})
    (root / "link.ipynb").symlink_to(secret / "key.ipynb")
    (root / "folder").symlink_to(secret)
    (root / "loop.ipynb").symlink_to(root / "loop.ipynb")
    os.mkfifo(root / "pipe.ipynb")
    (root / "device.ipynb").symlink_to("/dev/zero")
    (root / "dir.ipynb").mkdir()
    found = answers(root)
    assert found["bob"] == "b"
    assert "not ordinary" in found["pipe"] or "not an ordinary file" in found["pipe"]
    for student in ("link", "folder", "loop", "device"):
        assert "links are not followed" in found[student]
    assert "secret" not in str(found)


def test_hostile_zips(tmp_path):
    archive = tmp_path / "b.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("../../escape.ipynb", data("e"))
        file.writestr("/abs.ipynb", data("e"))
        link = zipfile.ZipInfo("link.ipynb")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("bomb.ipynb", b"0" * 300 * 2**20)
        file.writestr("bob.ipynb", data("b"))
    found = answers(archive)
    assert found["bob"] == "b"
    assert "leaves the zip" in found["escape"]
    assert "leaves the zip" in found["abs"]
    assert "links are not followed" in found["link"]
    assert "larger than 20 MiB" in found["bomb"]


def test_damaged_and_missing_batches(tmp_path):
    with pytest.raises(Unreadable, match="there is nothing at"):
        collect(tmp_path / "nowhere", NAME)
    text = tmp_path / "batch.tar"
    text.write_text("no zip")
    with pytest.raises(Unreadable, match="neither a folder, nor a zip"):
        collect(text, NAME)
    (tmp_path / "empty").mkdir()
    assert collect(tmp_path / "empty", NAME) == []


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("ann", "ann"),
        ("김민수", "김민수"),
        ("a/b\\c", "a_b_c"),
        ("..", "_"),
        (" x ", "x"),
        ("a\x00b", "a_b"),
        ("o'neil", "o_neil"),
    ],
)
def test_names_are_safe(given, clean):
    assert clean_name(given) == clean


@pytest.mark.parametrize("sign", ["x", "민", "😀", "é"])
def test_long_names_fit_into_a_file_system_and_stay_apart(tmp_path, sign):
    one, two = clean_name(sign * 500), clean_name(sign * 499 + "!")
    assert one != two
    for name in (one, two):
        assert len(name.encode()) <= 160
        assert name.startswith(sign * 20) or not sign.isalnum()
        (tmp_path / name).mkdir()


def test_students_whose_names_look_alike_on_disk_stay_two(tmp_path):
    batch = write(tmp_path / "b", **{"kim!.ipynb": data("a"), "kim#.ipynb": data("b")})
    write(batch, **{"kim_.ipynb": data("c")})
    found = collect(batch, NAME)
    names = [submission.student for submission in found]
    assert len(set(names)) == 3
    assert "kim_" in names  # whose name needs no change keeps it
    texts = [cell.source for submission in found for cell in submission.read(NAME).cells]
    assert {"a", "b", "c"} <= set(texts)
    # The same name in two spellings of one letter is one student.
    one = write(tmp_path / "one", **{"e\u0301/x.ipynb": data("a"), "\u00e9/x.ipynb": data("a")})
    assert [s.student for s in collect(one, NAME)] == ["\u00e9"]


def test_written_where_nbgrader_looks(tmp_path):
    released = notebook("1")
    skeleton = Skeleton(released, released)
    batch = write(tmp_path / "b", **{"ann.ipynb": data("a"), "bob.ipynb": b"{"})
    said = []
    refused = write_submitted(collect(batch, NAME), NAME, tmp_path / "s", skeleton, said.append)
    assert list(refused) == ["bob"]
    saved = nbformat.read(tmp_path / "s" / "ann" / NAME / f"{NAME}.ipynb", as_version=4)
    assert "a" in [cell.source for cell in saved.cells]
    assert ids_of(saved) == list(IDS)
    assert any("bob: NOT READ" in line for line in said)
    assert any("nothing is answered in it: is it the right file?" in line for line in said)


def changed(**parts):
    """A notebook whose second cell has these parts; None takes one away."""
    content = json.loads(data("a"))
    for name, value in parts.items():
        if value is None:
            del content["cells"][1][name]
        else:
            content["cells"][1][name] = value
    return json.dumps(content).encode()


def test_cells_that_are_none_are_told_and_missing_parts_are_mended():
    for parts, reason in (
        ({"cell_type": "spell"}, "a cell of type 'spell'"),
        ({"source": 5}, "no text"),
    ):
        with pytest.raises(Unreadable, match=reason):
            parse(changed(**parts))
    for parts in (
        {"source": ["a\n", "b"]},
        {"metadata": None},
        {"metadata": [1]},
        {"outputs": None},
        {"execution_count": "three"},
    ):
        cell = parse(changed(**parts)).cells[1]
        assert cell.metadata == {}
        assert cell.source == "".join(parts.get("source", "a"))


def test_a_zip_of_too_many_files_is_refused_as_a_whole(tmp_path, monkeypatch):
    archive = as_zip(tmp_path / "b.zip", {f"{n}.ipynb": data() for n in range(4)})
    monkeypatch.setattr(Limits, "zip_files", 3)
    with pytest.raises(Unreadable, match="more than 3 files"):
        collect(archive, NAME)


def test_a_locked_zip_is_told(tmp_path):
    archive = as_zip(tmp_path / "b.zip", {"ann.ipynb": data()})
    content = bytearray(archive.read_bytes())
    # The bit "encrypted" in the zip's directory, where readers look first.
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    assert answers(archive) == {"ann": "Unreadable: locked with a password"}


def test_students_are_found_below_other_folders(tmp_path):
    deep = {f"course/term/{who}/{NAME}/x.ipynb": data(who) for who in ("ann", "bob")}
    assert answers(write(tmp_path / "b", **deep)) == {"ann": "ann", "bob": "bob"}
    # A zip of one student's folder keeps that folder's name.
    one = {"eve/draft.ipynb": data("d", ids=()), f"eve/{NAME}.ipynb": data("e")}
    assert answers(as_zip(tmp_path / "one.zip", one)) == {"eve": "e"}
