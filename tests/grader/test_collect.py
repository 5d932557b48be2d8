"""Taking in submissions: every layout is read, nothing is followed, nothing ends the batch."""

import base64
import dataclasses
import datetime
import glob
import io
import json
import os
import tracemalloc
import unicodedata
import urllib.parse
import zipfile
from pathlib import Path

import hypothesis
import nbformat
import pytest
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.gradebook.submitted import write_submitted
from grader.intake.collect import Unreadable, collect
from grader.intake.files import Found, file_reader, in_folder, in_zip, open_zips
from grader.intake.names import clean_name, distinct_names
from grader.intake.parse import ids_of, parse, python_note
from grader.intake.rebuild import Skeleton
from grader.judging.policy import Limits

NAME = "01-trial"
IDS = ("f", "f_test")


def notebook(answer="1", ids=IDS):
    cells = [new_markdown_cell("# Title", id="title"), new_code_cell(answer, id="free")]
    for grade_id in ids:
        cells.append(new_code_cell(f"# {grade_id}", id=grade_id))
        cells[-1].metadata["nbgrader"] = {"grade_id": grade_id, "solution": grade_id == "f"}
    return new_notebook(cells=cells)


def data(answer="1", **rest):
    return nbformat.writes(notebook(answer, **rest)).encode()


def answers(path):
    """What was collected: the second cell's text by student, or the reason."""
    found = {}
    for submission in collect(path, NAME).submissions:
        try:
            found[submission.student] = submission.read(NAME, IDS).notebook.cells[1].source
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
        (data()[:-20], "cut off: it ends in line"),
        (b"\0" * 5000, "nothing but zero bytes"),
        (b"\x89PNG\r\n", "not a notebook, but a picture"),
        (b"PK\x03\x04 docx", "not a notebook, but a zip file"),
        (b"\n<!DOCTYPE html><html>", "not a notebook, but a web page"),
        (b"import numpy as np\n", "not a notebook, but some other text"),
        (data().replace(b'"cells"', b'"cells" 5'), "not JSON from line 2 on"),
        (b"[1, 2]", "not a notebook"),
        (b"{}", "no nbformat"),
        (b'{"nbformat": 4, "cells": 5}', "damaged"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "spell"}], "metadata": {}}', "damaged"),
        (b'{"nbformat": 99, "cells": [], "metadata": {}}', "damaged"),
        (b"[" * 100_000, "not a notebook"),
        (data("x" * 3 * 2**20), "more than 2 MiB of code"),
        (data().replace(b"# Title", b"x" * 49 * 2**20), "larger than 48 MiB without its outputs"),
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


UTF = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("encoding", UTF)
def test_encodings_of_other_editors(encoding):
    text = nbformat.writes(notebook("ä 한 😀"), ensure_ascii=False)
    read, notes = parse(text.encode(encoding))
    assert read["cells"][1]["source"] == "ä 한 😀"
    assert notes == []


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp949", "# 합성곱을 손으로 계산하기"),
        ("cp932", "# 畳み込みを手で計算する表"),  # its last byte is a backslash
        ("gbk", "# 用手计算卷积"),
        ("latin-1", "# déjà vu: 20 °C, für ½ Stück, à côté"),
        ("cp1252", "# “quoted” – 5 €"),
    ],
)
def test_encodings_of_windows_are_told(encoding, text):
    content = nbformat.writes(notebook(text), ensure_ascii=False)
    read, notes = parse(content.encode(encoding))
    assert read["cells"][1]["source"] == text
    assert len(notes) == 1
    assert "not in UTF-8" in notes[0]


def test_one_wrong_letter_costs_nothing_else():
    content = nbformat.writes(notebook("# caf\u00e9 한 😀"), ensure_ascii=False).encode()
    content = content.replace("\u00e9".encode(), b"\xe9")
    read, notes = parse(content)
    assert read["cells"][1]["source"] == "# caf\u00e9 한 😀"
    assert "letters with accents may be wrong" in notes[0]


CONFLICT = """<<<<<<< HEAD
   "x = 1"
=======
   "x = 2"
>>>>>>> 3b88a75
"""


@pytest.mark.parametrize("line", [0, 5, 20])
def test_what_git_could_not_merge_is_told(line):
    lines = data("x = 1\ny = 2").decode().splitlines(keepends=True)
    lines.insert(line, CONFLICT)
    with pytest.raises(Unreadable, match=f"conflict markers are in the file .line {line + 1}."):
        parse("".join(lines).encode())
    # Merged by another program, they may stand in a cell.
    _, notes = parse(data("<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> 3b88a75"))
    assert notes == ["git's conflict markers stand in its code"]


def hostile(cells="", more="", nbformat_=4):
    return f'{{"cells": [{cells}], "metadata": {{}}, {more} "nbformat": {nbformat_}}}'.encode()


CODE = '{"cell_type": "code", "metadata": {}, "source": ""}'
SHOWN = '{"cell_type": "code", "metadata": {}, "source": "x = 1", "outputs": [%s]}'
MARKED = '{"cell_type": "code", "metadata": {"nbgrader": [%s]}, "source": ""}'
OLD = '{"cell_type": "code", "input": ""}'
MANY = 10**5
SMALL = Limits(cells=200, parts=5_000, brackets=20_000)
COSTLY = {
    "cells that are none": (hostile("{}," * MANY + "{}"), "more than 200 cells"),
    "cells": (hostile(f"{CODE}," * 3000 + CODE), "more than 200 cells"),
    "cells of format 3": (
        f'{{"nbformat": 3, "worksheets": [{{"cells": [{f"{OLD}," * 3000}{OLD}]}}]}}'.encode(),
        "more than 200 cells",
    ),
    "metadata that is used": (hostile(MARKED % ("{}," * MANY + "{}")), "more than 5,000 parts"),
    "members": (hostile(more='"":0,' * MANY), "more than 5,000 parts"),
    "lines": (
        hostile('{"cell_type": "code", "source": [' + '"",' * MANY + '""]}'),
        "more than 5,000 parts",
    ),
    "nested texts": (
        hostile('{"cell_type": "code", "source": ' + "[" * 9999 + "]" * 9999 + "}"),
        "nested more than 20 deep",
    ),
    "lists in what is not used": (
        hostile(SHOWN % ("[]," * MANY + "[]")),
        "more than 20,000 brackets in its outputs",
    ),
    "never ended": (b'{"cells": ["' + b"[" * MANY, "cut off"),
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_would_cost_minutes_is_refused_before_anything_is_built(name, monkeypatch):
    content, reason = COSTLY[name]

    def never(text, **options):
        assert len(text) < 100, "it was built"
        return load(text, **options)

    load = json.loads
    monkeypatch.setattr(json, "loads", never)
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match=reason):
            parse(content, SMALL)
        assert tracemalloc.get_traced_memory()[1] < len(content) + 2**20
    finally:
        tracemalloc.stop()


def test_limits_hold_by_default():
    for content, reason in (
        (hostile(f"{CODE}," * MANY + CODE), "cells"),
        (hostile(MARKED % ("{}," * 10 * MANY + "{}")), "parts"),
        (hostile(SHOWN % ("[]," * 30 * MANY + "[]")), "brackets in its outputs"),
    ):
        with pytest.raises(Unreadable, match=rf"more than [\d,]+ {reason}"):
            parse(content)


PICTURE = json.dumps({"output_type": "display_data", "data": {"image/png": "A" * 61 * 2**20}})
LINES = json.dumps({"output_type": "stream", "text": ["123\n"] * 300_000})
NESTED = "[" * 5_000 + "]" * 5_000


@pytest.mark.parametrize("shown", [PICTURE, LINES, NESTED], ids=["picture", "lines", "nested"])
def test_outputs_of_any_size_count_for_nothing(shown):
    tracemalloc.start()
    content = hostile(SHOWN % shown)
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    read, notes = parse(content)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert (read["cells"][0]["source"], read["cells"][0]["outputs"], notes) == ("x = 1", [], [])
    assert peak < 4 * 2**20


def test_three_pasted_photographs_are_taken():
    pasted = {f"{n}.jpg": {"image/jpeg": "A" * 8 * 2**20} for n in range(3)}
    cell = new_markdown_cell("![](attachment:0.jpg)", attachments=pasted)
    read, _ = parse(json.dumps(new_notebook(cells=[cell])).encode())
    assert read["cells"][0]["attachments"] == pasted


def test_only_what_is_used_is_kept():
    content = json.loads(data())
    content["metadata"] = {"widgets": {"x": [1]}, "language_info": {"version": "3.12.1", "x": 1}}
    content["cells"][2]["metadata"] |= {"tags": ["a"], "x": 5}
    content["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "5"}]
    content["cells"][2]["execution_count"] = 5
    read, _ = parse(json.dumps(content).encode())
    assert read["metadata"] == {"language_info": {"name": "python", "version": "3.12.1"}}
    assert list(read["cells"][2]["metadata"]) == ["nbgrader"]
    assert (read["cells"][2]["outputs"], read["cells"][2]["execution_count"]) == ([], None)
    nbformat.validate(nbformat.from_dict(read))


@pytest.mark.parametrize(
    ("version", "source", "is_told"),
    [
        ("3.99.1", "f'{x!}'\n", True),
        ("3.99.1", "%matplotlib inline\n!ls\nx = 1", False),
        ("3.99.1", "%%time\nx = = 1", False),
        ("3.8.1", "x = = 1", False),
        ("x", "x = = 1", False),
        (None, "x = = 1", False),
    ],
)
def test_syntax_of_a_newer_python_is_told(version, source, is_told):
    made = notebook(source)
    if version:
        made["metadata"]["language_info"] = {"name": "python", "version": version}
    _, notes = parse(nbformat.writes(made).encode())
    assert bool(notes) is is_told
    assert not is_told or "`f'{x!}'` is not Python 3." in notes[0]
    assert not is_told or "Python 3.99: newer syntax may be the reason" in notes[0]


def test_syntax_that_both_pythons_have_is_no_reason():
    made, _ = parse(data("x = = 1"))
    made["metadata"]["language_info"] = {"version": "3.12.1"}
    assert python_note(made, (3, 12)) is None
    assert python_note(made, (3, 11)) is not None


@pytest.mark.parametrize("packed", [False, True])
def test_files_beside_the_notebook_are_there_if_they_are_asked_for(tmp_path, packed):
    files = {
        f"ann/{NAME}.ipynb": data("a"),
        "ann/mine.py": b"x = 1",
        "ann/notes.txt": b"n",
        "ann/given.csv": b"forged",
        "ann/.DS_Store": b"x",
        "ann/timestamp.txt": b"x",
        "bob.ipynb": data("b"),
    }
    make = as_zip(tmp_path / "b.zip", files) if packed else write(tmp_path / "b", **files)
    (ann, bob) = collect(make, NAME).submissions
    reading = ann.read(NAME, IDS, patterns=["*.py", "*.csv"], own=["given.csv"])
    assert reading.files == {"mine.py": base64.b64encode(b"x = 1").decode()}
    assert reading.notes == ["handed in beside the notebook, and not there when it runs: notes.txt"]
    assert bob.read(NAME, IDS).files == {}
    none = ann.read(NAME, IDS)
    assert none.files == {}
    assert "given.csv, mine.py, notes.txt" in none.notes[0]
    few = dataclasses.replace(Limits(), beside_bytes=3)
    large = ann.read(NAME, IDS, few, patterns=["*.py"])
    assert large.files == {}
    assert "mine.py" in large.notes[0]


def test_links_beside_the_notebook_are_not_followed(tmp_path):
    root = write(tmp_path / "b", **{f"ann/{NAME}.ipynb": data("a")})
    (tmp_path / "secret.py").write_text("secret")
    (root / "ann" / "mine.py").symlink_to(tmp_path / "secret.py")
    (root / "ann" / "more").symlink_to(tmp_path)
    ((ann,),) = [collect(root, NAME).submissions]
    reading = ann.read(NAME, IDS, patterns=["*"])
    assert reading.files == {}
    assert sum("links are not followed" in note for note in reading.notes) == 2


def test_several_notebooks_of_one_student_are_noted(tmp_path):
    files = {f"ann/{NAME}.ipynb": data("a"), f"ann/{NAME}-final.ipynb": data("f")}
    (ann,) = collect(write(tmp_path / "b", **files), NAME).submissions
    (note,) = ann.read(NAME, IDS).notes
    assert note == f"ann/{NAME}.ipynb counts, of several: ann/{NAME}-final.ipynb"
    many = {f"eve/{n}.ipynb": data("a") for n in range(Limits.candidates + 1)}
    (eve,) = collect(write(tmp_path / "c", **many), NAME).submissions
    with pytest.raises(Unreadable, match=f"more than {Limits.candidates} notebooks"):
        eve.read(NAME, IDS)


def test_the_other_assignments_of_a_student_are_left_out(tmp_path):
    files = {
        f"ann/{NAME}/{NAME}.ipynb": data("a"),
        "ann/02-other/02-other.ipynb": data("o"),
        "bob/02-other/02-other.ipynb": data("o"),
    }
    root = write(tmp_path / "b", **files)
    assert [s.student for s in collect(root, NAME, ["02-other"]).submissions] == ["ann"]
    assert [s.student for s in collect(root, NAME).submissions] == ["ann", "bob"]


@pytest.mark.parametrize("minor", range(6))
def test_notebook_formats(minor):
    content = json.loads(data("a", ids=IDS))
    content["nbformat_minor"] = minor
    if minor < 5:
        for cell in content["cells"]:
            del cell["id"]
    read, _ = parse(json.dumps(content).encode())
    assert ids_of(read) == list(IDS)
    nbformat.validate(nbformat.from_dict(read))


def test_format_three_and_repeated_cell_ids():
    old = nbformat.writes(nbformat.convert(notebook("old"), 3), version=3)
    assert parse(old.encode())[0]["cells"][1]["source"] == "old"
    content = json.loads(data())
    for cell in content["cells"]:
        cell["id"] = "same"
    read, _ = parse(json.dumps(content).encode())
    assert len({cell["id"] for cell in read["cells"]}) == len(read["cells"])
    nbformat.validate(nbformat.from_dict(read))


def test_limits_can_be_set(tmp_path):
    (submission,) = collect(write(tmp_path, **{"ann.ipynb": data()}), NAME).submissions
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
    assert "larger than 128 MiB" in found["bomb"]


def test_damaged_and_missing_batches(tmp_path):
    with pytest.raises(Unreadable, match="there is nothing at"):
        collect(tmp_path / "nowhere", NAME)
    text = tmp_path / "batch.tar"
    text.write_text("no zip")
    with pytest.raises(Unreadable, match="neither a folder, nor a zip"):
        collect(text, NAME)
    (tmp_path / "empty").mkdir()
    assert collect(tmp_path / "empty", NAME).submissions == []


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
    found = collect(batch, NAME).submissions
    names = [submission.student for submission in found]
    assert len(set(names)) == 3
    assert "kim_" in names  # whose name needs no change keeps it
    texts = [cell.source for submission in found for cell in submission.read(NAME).notebook.cells]
    assert {"a", "b", "c"} <= set(texts)


def test_two_spellings_of_one_name_are_two_rows_and_a_note(tmp_path):
    """One student who sent two, or two students: a person has to look, and nothing is lost."""
    one = write(tmp_path / "one", **{"e\u0301/x.ipynb": data("a"), "\u00e9/x.ipynb": data("b")})
    plain, other = sorted(collect(one, NAME).submissions, key=lambda s: len(s.student))
    assert plain.student == "\u00e9"
    assert other.student.startswith("\u00e9-")
    for submission, text in ((plain, "b"), (other, "a")):
        reading = submission.read(NAME, IDS)
        assert reading.notebook.cells[1].source == text
        assert "another name in the batch looks the same" in reading.notes[0]
    assert "'e\\u0301'" in other.notes[0]
    alone = write(tmp_path / "alone", **{"e\u0301/x.ipynb": data("a")})
    assert [(s.student, s.notes) for s in collect(alone, NAME).submissions] == [("\u00e9", ())]


def test_a_name_that_is_another_ones_ending_is_not_taken_twice():
    first = distinct_names(["a:b", "a_b"])["a:b"][0]
    names = distinct_names(["a:b", "a_b", first])
    assert len({name for name, _ in names.values()}) == 3
    assert names["a_b"][0] == "a_b"
    assert names[first] == (first, [])
    assert names["a:b"][1]


@pytest.mark.parametrize(
    "name", ["हिन्दी", "ภาษาไทย", "Nguyễn Thị Hương", "Müller, Änne", "مينا‌کار", "0123-kim.min@su+1"]
)
def test_letters_and_marks_of_every_script_are_kept(name):
    assert clean_name(name) == name


@hypothesis.given(st.text(st.characters(), max_size=300))
@hypothesis.example("a#b?c;d%41[e]*f/g")
def test_every_name_can_be_a_folder_a_pattern_and_a_part_of_an_address(tmp_path_factory, raw):
    name = clean_name(raw)
    assert clean_name(name) == name == unicodedata.normalize("NFC", name)
    # formgrader puts names into addresses as they are, and nbgrader into patterns for `glob`.
    address = urllib.parse.urlsplit(f"http://host/formgrader/manage_students/{name}")
    assert address.path == f"/formgrader/manage_students/{name}"
    assert urllib.parse.unquote(address.path) == address.path
    assert glob.escape(name) == name
    folder = tmp_path_factory.getbasetemp() / "names" / name
    folder.mkdir(parents=True, exist_ok=True)
    assert folder.is_dir()


def test_written_where_nbgrader_looks(tmp_path):
    released = notebook("1")
    skeleton = Skeleton(released, released)
    other = notebook(ids=("g", "g_test"))
    del other.cells[1]  # which would stand where the answer stands here
    batch = write(
        tmp_path / "b",
        **{
            "ann.ipynb": data("a"),
            "bob.ipynb": b"{",
            "cem.ipynb": nbformat.writes(other).encode(),
        },
    )
    said = []
    found = collect(batch, NAME).submissions
    refused, entries = write_submitted(found, NAME, tmp_path / "s", skeleton, said.append)
    assert list(refused) == ["bob", "cem"]
    assert [entry.is_taken for entry in entries] == [True, False, False]
    assert any("cem: NOT READ: a notebook of another assignment" in line for line in said)
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
        cell = parse(changed(**parts))[0]["cells"][1]
        assert cell["metadata"] == {}
        assert cell["source"] == "".join(parts.get("source", "a"))


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


OTHERS = ("02-other", "03-more")


@pytest.mark.parametrize("packed", [False, True])
def test_what_belongs_to_other_assignments_is_left_out_and_named(tmp_path, packed):
    files = {
        f"ann/{NAME}/{NAME}.ipynb": data("a"),
        "ann/02-other/02-other.ipynb": data("x"),
        "ann/02-other/helper.py": b"x = 1",
        "bob/02-other/my work.ipynb": data("y"),
        f"cem/{NAME}.ipynb": data("c"),
        "cem/02-other.ipynb": data("z"),
        "dia/03-more.ipynb": data("w"),
        "eve/notes on 02-other.ipynb": data("e"),
    }
    path = as_zip(tmp_path / "b.zip", files) if packed else write(tmp_path / "b", **files)
    handed_in = collect(path, NAME, OTHERS)
    found = {one.student: one.read(NAME, IDS) for one in handed_in.submissions}
    assert {student: one.notebook.cells[1].source for student, one in found.items()} == {
        "ann": "a",
        "cem": "c",
        "eve": "e",
    }
    assert not any(one.beside for one in handed_in.submissions)
    assert handed_in.words() == [
        "not taken, belongs to another assignment: ann/02-other/02-other.ipynb, "
        "ann/02-other/helper.py, bob/02-other/my work.ipynb, and 2 more"
    ]


def test_nothing_is_said_where_nothing_is_left_out(tmp_path):
    files = {f"ann/{NAME}.ipynb": data("a"), "ann/.DS_Store": b"x"}
    assert collect(write(tmp_path, **files), NAME, OTHERS).words() == []


# --- files in folders and zips -------------------------------------------------------------------


def seen(files):
    """Of each file its path, and what it holds or why not."""
    found = {}
    for file in files:
        try:
            held = file.read(100)
        except Unreadable as error:
            held = f"Unreadable: {error}"
        found[file.path] = (held, file.problem)
    return found


EMPTY, LEFT = "an empty folder", "left behind by a program"
LINK = "a link: links are not followed"


def refused(reason):
    return f"Unreadable: {reason}", reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")
def test_a_folder_is_listed_in_order_with_what_cannot_be_read(tmp_path):
    root = write(tmp_path / "b", **dict.fromkeys(("b.ipynb", "a/y.py", "a/x.py", ".z"), b"1"))
    for name in ("c/d", "e/__MACOSX/deep", "f/.git"):
        (root / name).mkdir(parents=True)
    (root / "c" / "link").symlink_to(root / "a")
    (root / "g").mkdir()
    (root / "g" / "file").symlink_to(root / "b.ipynb")
    os.mkfifo(root / "pipe")
    files = in_folder(root)
    expected = {
        ".z": (b"1", LEFT),
        "b.ipynb": (b"1", ""),
        "pipe": ("Unreadable: not an ordinary file", ""),
        "a/x.py": (b"1", ""),
        "a/y.py": (b"1", ""),
        "c/link": ("Unreadable: a link to a folder: links are not followed", ""),
        "c/d": refused(EMPTY),
        "e/__MACOSX": refused(LEFT),
        "f/.git": refused(LEFT),
        "g/file": (f"Unreadable: {LINK}", ""),
    }
    assert list(seen(files).items()) == list(expected.items())
    assert [file.path for file in files if file.is_link] == ["c/link"]
    assert in_folder(root / "c" / "d") == []  # the top alone is no student's folder


def test_a_file_is_read_to_its_limit_and_one_byte_more(tmp_path):
    root = write(tmp_path, **{"x": b"12345"})
    archive = as_zip(tmp_path / "b.zip", {"x": b"12345"})
    for file in (in_folder(root)[1], in_zip(archive)[0]):
        assert [file.read(limit) for limit in (0, 3, 4, 5)] == [b"1", b"1234", b"12345", b"12345"]
    with pytest.raises(Unreadable, match="cannot be opened: No such file"):
        file_reader(tmp_path / "gone")(1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")
def test_what_takes_a_file_s_place_at_the_last_moment_is_not_read(tmp_path, monkeypatch):
    """Between a look and the opening somebody may put a link or a pipe there."""
    ordinary, opened_with = os.lstat(write(tmp_path, **{"x": b"1"}) / "x"), []
    (tmp_path / "link").symlink_to(tmp_path / "x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    really = os.open

    def note(path, flags):
        opened_with.append(flags)
        return really(path, flags | os.O_NONBLOCK)  # so that a mistake ends this test

    monkeypatch.setattr(Path, "is_symlink", lambda path: False)
    monkeypatch.setattr("grader.intake.files.os.lstat", lambda path: ordinary)
    monkeypatch.setattr("grader.intake.files.os.open", note)
    for name, reason in (
        ("link", "cannot be opened: Too many levels of symbolic links"),
        ("pipe", "not an ordinary file"),
        ("folder", "cannot be opened|not an ordinary file"),
    ):
        with pytest.raises(Unreadable, match=reason):
            file_reader(tmp_path / name)(1)
    assert all(flags & os.O_NONBLOCK for flags in opened_with)  # nobody waits for a pipe's writer


def zipped(*names, content=b"1", dates=None, compress=zipfile.ZIP_STORED):
    """A zip in memory; a name that ends in "/" is a folder."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            date = (dates or {}).get(name, (2026, 11, 28, 10, 0, 0))
            archive.writestr(
                zipfile.ZipInfo(name, date), b"" if name[-1] == "/" else content, compress
            )
    return made.getvalue()


def listed(tmp_path, *names, **more):
    path = tmp_path / "made.zip"
    path.write_bytes(zipped(*names, **more))
    return in_zip(path)


def leaves(name):
    return f"Unreadable: a path that leaves the zip: {name!r}", ""


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["b/x.ipynb", "a.py"], {"b/x.ipynb": (b"1", ""), "a.py": (b"1", "")}),
        (["a\\b.py"], {"a/b.py": (b"1", "")}),  # as some programs of Windows write it
        (["./", "./x"], {"x": (b"1", "")}),
        # Folders are named that are empty, and no others.
        (["a/", "a/b/", "c/", "c/x"], {"c/x": (b"1", ""), "a/b": refused(EMPTY)}),
        (["a/", "a/.git/", "a/.git/x"], {"a/.git": refused(LEFT)}),
        # What is left behind is one line, down to its folder.
        (
            ["__MACOSX/._x", "__MACOSX/d/._y", "d/.z", "d/.git/deep/x"],
            {"__MACOSX": (b"1", LEFT), "d/.z": (b"1", LEFT), "d/.git": (b"1", LEFT)},
        ),
        # What would lie elsewhere keeps its name alone.
        (["/etc/x"], {"x": leaves("/etc/x")}),
        (["../x"], {"x": leaves("../x")}),
        (["a/../x"], {"x": leaves("a/../x")}),
        (["C:/x"], {"x": leaves("C:/x")}),
        (["d:x"], {"d:x": leaves("d:x")}),
        (["ab:x"], {"ab:x": (b"1", "")}),
        (["a/c:x"], {"a/c:x": (b"1", "")}),
    ],
)
def test_the_paths_in_a_zip(tmp_path, names, found):
    assert seen(listed(tmp_path, *names)) == found


def test_the_dates_in_a_zip_are_kept_unless_they_are_none(tmp_path):
    dates = {"a": (1981, 1, 1, 0, 0, 0), "b": (1980, 12, 31, 0, 0, 0), "c": (2026, 0, 0, 0, 0, 0)}
    names = (*"abcd", "e/", ".f", "../g")
    when = {file.path: file.when for file in listed(tmp_path, *names, dates=dates)}
    usual = datetime.datetime(2026, 11, 28, 10)
    assert when == {
        "a": datetime.datetime(1981, 1, 1),
        **{"b": None, "c": None},
        **{"d": usual, "e": usual, ".f": usual, "g": usual},
    }


def opened(*files, **limits):
    """What is found in zips that were handed in, given as (name, content)."""
    made = [Found((name,), lambda limit, data=data: data[: limit + 1]) for name, data in files]
    return seen(open_zips(made, Limits(**limits)))


def test_zips_are_opened_in_their_places_and_stay_where_they_cannot_be():
    when = datetime.datetime(2026, 1, 2)
    found = open_zips(
        [
            Found(("a",), lambda limit: b"0"),
            Found(("b.ZIP",), lambda n: zipped("x", "y/z"), when=when),
        ],
        Limits(),
    )
    assert list(seen(found)) == ["a", "b.ZIP/x", "b.ZIP/y/z"]
    # A student's own zip does not say when it was handed in.
    assert [file.when for file in found] == [None, when, when]
    damaged = "a damaged zip: File is not a zip file"
    assert opened(("a.zip", b"no zip"), ("b.zip", zipped()), ("c.zipx", b"0"))["a.zip"] == (
        refused(damaged)
    )
    assert opened(("b.zip", zipped()), ("c.zipx", b"0")) == {
        "b.zip": (zipped(), "an empty zip"),
        "c.zipx": (b"0", ""),
    }
    # What has a problem already is left as it is.
    one = Found(("a.zip",), lambda limit: zipped("x"), problem=LEFT)
    assert open_zips([one], Limits()) == [one]
    hidden = zipped("__MACOSX/b.zip", ".c.zip", content=zipped("x"))
    assert opened(("a.zip", hidden)) == {
        "a.zip/__MACOSX": (zipped("x"), LEFT),
        "a.zip/.c.zip": (zipped("x"), LEFT),
    }


def test_how_deep_zips_may_lie():
    inner = zipped("x")
    middle = zipped("inner.zip", content=inner)
    given = ("outer.zip", zipped("middle.zip", content=middle))
    path = "outer.zip/middle.zip/inner.zip"
    assert opened(given, zip_depth=3) == {f"{path}/x": (b"1", "")}
    assert opened(given, zip_depth=2)[path][1] == "a zip that lies more than 2 zips deep"


def test_how_many_files_and_bytes_one_zip_may_lead_to():
    inner = zipped("x", "y")
    # Compressed: of what is only stored the names can be read, and are counted, without opening it.
    given = zipped("a.zip", "b.zip", content=inner, compress=zipfile.ZIP_DEFLATED)
    assert len(opened(("m.zip", given), inner_files=6)) == 4
    few = opened(("m.zip", given), inner_files=5)
    assert few["m.zip/b.zip"] == refused("a zip of more than 5 files")
    assert len(few) == 3
    # Each file of the batch has limits of its own.
    assert len(opened(("m.zip", given), ("n.zip", given), inner_files=6)) == 8
    size = len(given) + 2 * len(inner)
    assert len(opened(("m.zip", given), inner_bytes=size)) == 4
    few = opened(("m.zip", given), inner_bytes=size - 1)
    assert few["m.zip/b.zip"][1].startswith("a zip that is larger than ")
    assert few["m.zip/b.zip"][1].endswith(" MiB, or leads to zips that are")
    one = opened(("m.zip", b"0" * 2**20), inner_bytes=2**19)
    assert one["m.zip"] == refused("a zip that is larger than 0.5 MiB, or leads to zips that are")


def test_a_zip_that_is_damaged_is_told_as_a_whole(tmp_path):
    path = tmp_path / "b.zip"
    path.write_bytes(b"PK")
    with pytest.raises(Unreadable, match=r"^b\.zip is a damaged zip: File is not a zip file$"):
        in_zip(path)
    (file,) = listed(tmp_path, "x", content=b"12345")
    whole = (tmp_path / "made.zip").read_bytes()
    (tmp_path / "made.zip").write_bytes(whole.replace(b"12345", b"12346"))
    (file,) = in_zip(tmp_path / "made.zip")
    with pytest.raises(Unreadable, match=r"^damaged in the zip: Bad CRC-32 for file 'x'$"):
        file.read(100)


def test_a_zip_may_hold_so_many_files_and_any_number_of_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(Limits, "zip_files", 2)
    assert len(listed(tmp_path, "a", "b", "c/", "d/")) == 4
    with pytest.raises(Unreadable, match=r"^made\.zip holds more than 2 files$"):
        listed(tmp_path, "a", "b", "c")
