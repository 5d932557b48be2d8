"""helpers/assignment/notebook_file.py and notebook_scan.py: what is read, and why something is not.

Whole submissions are read in tests/grader/.
"""

import json
from dataclasses import replace

import pytest

from helpers.assignment.notebook_file import Unreadable, read
from helpers.assignment.notebook_scan import WHOLE, Damaged, Limits, TooLarge, shorten

CODE = {"cell_type": "code", "id": "a", "source": "1", "metadata": {}, "outputs": []}
AGAIN = "Open it in JupyterLab and save it again, or get the file anew."
SMALLER = "Take out what is large: pictures in its texts, or data in its code."


def notebook(*cells, **members):
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | members
    return json.dumps(content, ensure_ascii=False).encode()


def refusal(data, **limits):
    """(why, what to do) of a file that is not read."""
    with pytest.raises(Unreadable) as refused:
        read(data, replace(Limits(), **limits))
    return str(refused.value), refused.value.advice


# --- what is read ------------------------------------------------------------------------------


def test_of_a_cell_its_type_text_id_pictures_and_what_nbgrader_wrote_are_kept():
    about = {"grade": True, "grade_id": "x"}
    pictures = {"a.png": {"image/png": "A"}}
    code = {
        **CODE,
        "source": ["1\n", "2"],
        "metadata": {"nbgrader": about, "other": 1},
        "outputs": [{"x": [1]}],
        "execution_count": 3,
        "attachments": pictures,
    }
    text = {"cell_type": "markdown", "id": "b", "source": "é", "attachments": pictures}
    raw = {"cell_type": "raw", "id": "c", "metadata": {"nbgrader": 3}}
    found, notes = read(notebook(code, text, raw))
    assert notes == []
    assert (found["nbformat"], found["nbformat_minor"], found["metadata"]) == (4, 5, {})
    assert found["cells"] == [
        {
            "cell_type": "code",
            "id": "a",
            "metadata": {"nbgrader": about},
            "source": "1\n2",
            "execution_count": None,
            "outputs": [],
        },
        {
            "cell_type": "markdown",
            "id": "b",
            "metadata": {},
            "source": "é",
            "attachments": pictures,
        },
        {"cell_type": "raw", "id": "c", "metadata": {}, "source": ""},
    ]


def test_each_cell_gets_an_id_of_its_own():
    ids = ["a", "a", None, "not an id", "x" * 64, "x" * 65, "cell-1", 3, "é"]
    found, _ = read(notebook(*({**CODE, "id": name} for name in ids)))
    assert [cell["id"] for cell in found["cells"]] == [
        *("a", "cell-0", "cell-2", "cell-3", "x" * 64, "cell-4", "cell-1", "cell-5", "cell-6")
    ]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (
            {"language_info": {"version": "3.11.7", "name": "x"}},
            {"language_info": {"name": "python", "version": "3.11.7"}},
        ),
        (
            {"language_info": {"version": "3.12" + "x" * 40}},
            {"language_info": {"name": "python", "version": "3.12" + "x" * 16}},
        ),
        ({"language_info": {"version": "three"}}, {}),
        ({"language_info": {"version": 3.11}}, {}),
        ({"course": {"language": "ko", "more": 1}}, {"course": {"language": "ko"}}),
        ({"course": {"language": "pt_BR"}}, {"course": {"language": "pt_BR"}}),
        ({"course": {"language": "k"}}, {}),
        ({"course": {"language": "../../etc"}}, {}),
        ({"course": "ko"}, {}),
        ([], {}),
    ],
)
def test_of_the_notebook_python_and_the_language_are_kept(metadata, expected):
    assert read(notebook(CODE, metadata=metadata))[0]["metadata"] == expected


def test_lone_surrogates_become_question_marks():
    data = notebook(CODE).replace(b'"1"', b'"\\ud800x"')
    assert read(data)[0]["cells"][0]["source"] == "?x"


@pytest.mark.parametrize("minor", [2, 3])
def test_old_formats_are_read_too(minor):
    cells = [
        {"cell_type": "code", "language": "python", "input": ["a\n", "b"], "outputs": [{"x": 1}]},
        {"cell_type": "markdown", "source": ["c\n", "d"]},
    ]
    old = {"nbformat": minor, "nbformat_minor": 0, "metadata": {"name": ""}}
    found, _ = read(json.dumps(old | {"worksheets": [{"cells": cells}]}).encode())
    assert [(c["cell_type"], c["source"]) for c in found["cells"]] == [
        ("code", "a\nb"),
        ("markdown", "c\nd"),
    ]


# --- encodings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding", "note"),
    [
        ("é 한", "utf-8", None),
        ("é 한", "utf-8-sig", None),
        ("é 한", "utf-16", None),
        ("é 한", "utf-16-be", None),
        ("é 한", "utf-32", None),
        ("안녕하세요", "cp949", "it was read as cp949"),
        ("こんにちは、世界", "cp932", "it was read as cp932"),
        ("畳み込みの答えを計算する", "cp932", "it was read as cp932"),
        ("你好，世界和平", "gbk", "it was read as gbk"),
        ("é ü", "cp1252", "letters with accents may be wrong"),
        ("한국", "cp949", None),
    ],
)
def test_texts_of_other_programs_are_read_with_a_note(text, encoding, note):
    data = notebook({**CODE, "source": text}).decode().encode(encoding)
    found, notes = read(data)
    if text == "한국":  # too few letters to tell
        assert "Windows-1252" in notes[0]
        return
    assert found["cells"][0]["source"] == text
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


def test_what_is_broken_in_utf_16_is_noted():
    data = notebook({**CODE, "source": "한"}).decode().encode("utf-16")
    found, notes = read(data.replace("한".encode("utf-16-le"), b"\x00\xd8"))
    assert notes == ["parts of the file are not in UTF-16"]
    assert "\ufffd" in found["cells"][0]["source"]


def test_letters_behind_the_first_mebibyte_count_too():
    data = notebook({**CODE, "source": "x" * 2**20 + "é"})
    assert read(data)[1] == []
    assert read(data.replace("é".encode(), b"\xe9"))[1][0].startswith("some letters in the file")


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (bytes(9), "nothing but zero bytes: it was never saved to the end"),
        (b"PK\x03\x04x", "not a notebook, but a zip file or an Office document"),
        (b"%PDF-1", "not a notebook, but a PDF"),
        (b"\x89PNG", "not a notebook, but a picture"),
        (b"\xff\xd8\xffx", "not a notebook, but a picture"),
        (b"\x1f\x8bx", "not a notebook, but a compressed file"),
        (
            b" <html>",
            "not a notebook, but a web page (HTML); File > Download in JupyterLab saves the "
            "notebook itself",
        ),
        (b"print (1)", "not a notebook, but some other text"),
        (b'{\n"cells": [\n', "cut off: it ends in line 3, in the middle of the notebook"),
        (b'{\n"cells": "ab', "cut off: it ends in line 2, in the middle of the notebook"),
        (b'{"a": 1,\n2: 3}', "a damaged notebook: not JSON from line 2 on"),
        (b'{"a": 1\n"b": 2}', "cut off: it ends in line 2, in the middle of the notebook"),
        (notebook(CODE) + b"x", "a damaged notebook: not JSON from line 1 on"),
        (b"{}", "not a notebook: it has no nbformat"),
        (b"[]", "not a notebook: it has no nbformat"),
        (notebook(nbformat=5), "a damaged notebook: its format 5 is not known"),
        (notebook(nbformat="x" * 30), f"a damaged notebook: its format {'x' * 20} is not known"),
        (notebook(cells=3), "a damaged notebook: it has no list of cells"),
        (notebook(CODE, 3), "a damaged notebook: cell 2 is a cell of type 'None'"),
        (
            notebook(CODE, {**CODE, "cell_type": "heading"}),
            "a damaged notebook: cell 2 is a cell of type 'heading'",
        ),
        (
            notebook({**CODE, "source": 3}),
            "a damaged notebook: cell 1 has a source that is no text",
        ),
        (
            notebook({**CODE, "source": ["a", 3]}),
            "a damaged notebook: cell 1 has a source that is no text",
        ),
        (notebook(CODE).replace(b'"1"', b"nul"), "a damaged notebook: Expecting value: line 1"),
        (b'{"nbformat": 3, "worksheets": [{"cells": [3]}]}', "a damaged notebook: "),
    ],
)
def test_why_a_file_is_not_read(data, why):
    said, advice = refusal(data)
    assert said == why or (why.endswith((": ", "line 1")) and said.startswith(why))
    assert advice == AGAIN


@pytest.mark.parametrize("before", [b"", b"{\n\n"])
def test_what_git_could_not_merge_is_told_with_its_line(before):
    said, advice = refusal(before + b'<<<<<<< HEAD\n"a": 1\n')
    line = 1 + before.count(b"\n")
    assert said == (
        f"git's conflict markers are in the file (line {line}): two versions of the notebook were "
        "merged, and somebody has to choose between them"
    )
    assert advice == (
        "In a text editor, keep one of the two versions between each <<<<<<< and >>>>>>>, and "
        "delete the lines with these marks; or take another copy of the file."
    )
    marked = {**CODE, "source": "<<<<<<< HEAD\n"}
    assert read(notebook(marked))[0]["cells"][0]["source"] == "<<<<<<< HEAD\n"


# --- limits ------------------------------------------------------------------------------------


def test_a_file_may_be_as_large_as_its_limit():
    data = notebook(CODE)
    read(data, Limits(file_bytes=len(data)))
    assert refusal(data, file_bytes=len(data) - 1) == (
        f"larger than {(len(data) - 1) / 2**20:g} MiB",
        "Clear its outputs, and save it again.",
    )
    assert refusal(bytes(2**21 + 1), file_bytes=2**21)[0] == "larger than 2 MiB"


def test_outputs_do_not_count_against_the_size_of_a_notebook():
    data = notebook({**CODE, "outputs": ["x" * 10_000]})
    kept = len(shorten(data, Limits()))
    read(data, Limits(notebook_bytes=kept))
    said = f"larger than {(kept - 1) / 2**20:g} MiB without its outputs"
    assert refusal(data, notebook_bytes=kept - 1) == (said, SMALLER)


def test_a_text_that_has_to_be_turned_into_utf_8_counts_whole():
    data = notebook({**CODE, "source": "é"}).decode().encode("cp1252")
    read(data, Limits(notebook_bytes=len(data)))
    assert refusal(data, notebook_bytes=len(data) - 1)[0] == (
        f"larger than {(len(data) - 1) / 2**20:g} MiB, and not in UTF-8, as notebooks are"
    )


def test_code_has_a_limit_of_its_own():
    text = {**CODE, "cell_type": "markdown", "source": "x" * 99}
    data = notebook({**CODE, "source": "xxx"}, {**CODE, "source": "xx"}, text)
    read(data, Limits(code_bytes=5))
    assert refusal(data, code_bytes=4) == (f"more than {4 / 2**20:g} MiB of code", SMALLER)


def test_cells_parts_brackets_and_depth_have_limits():
    data = notebook(*[CODE] * 3)
    read(data, Limits(cells=3))
    assert refusal(data, cells=2) == ("more than 2 cells", SMALLER)
    deep = notebook({**CODE, "source": [[[1]]]}, CODE)
    assert refusal(deep, depth=2) == ("nested more than 2 deep", SMALLER)
    assert refusal(deep, depth=3)[0].endswith("has a source that is no text")
    assert refusal(data, parts=20) == (
        "more than 20 parts (texts, numbers and brackets)",
        SMALLER,
    )
    outputs = notebook({**CODE, "outputs": [[], []]})
    read(outputs, Limits(brackets=5))
    assert refusal(outputs, brackets=4) == ("more than 4 brackets in its outputs", SMALLER)


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ('{"a": 1, "b": [2, {"c": 3}], "d": "}"}', {"b": WHOLE}, '{"b":[2, {"c": 3}]}'),
        ('{"a": {"x": 1, "y": 2}, "b": 3}', {"a": {"y": WHOLE}, "b": WHOLE}, '{"a":{"y":2},"b":3}'),
        ('[{"a": 1}, 5, {"b": 2}]', [{"a": WHOLE}], '[{"a":1},null,{}]'),
        ("[ 1 , 2 ]", [WHOLE], "[1,2]"),
        ('{"a": [1], "b": 2}', {"a": {"x": WHOLE}, "b": [WHOLE]}, '{"a":null,"b":null}'),
        ('"a"', {"x": WHOLE}, "null"),
        ('{"\\u0061": 1}', {"a": WHOLE}, '{"\\u0061":1}'),
        ('{"b": "\\"}", "a": 1}', {"a": WHOLE}, '{"a":1}'),
        ("{}", {"a": WHOLE}, "{}"),
        ("[]", [WHOLE], "[]"),
    ],
)
def test_what_is_wanted_is_kept(text, wanted, expected):
    assert shorten(text.encode(), Limits(), wanted).decode() == expected


@pytest.mark.parametrize(
    ("text", "line", "is_cut"),
    [
        ('{"a"', 1, True),
        ('{"a" 1}', 1, False),
        ('{"a": 1\n]', 2, False),
        ("[1\n}", 2, False),
        ('{"b": [\n1', 2, True),
        ('{"b": "x', 1, True),
        ("{1: 2}", 1, False),
        ("{} {}", 1, False),
    ],
)
def test_where_it_is_no_json_is_told(text, line, is_cut):
    with pytest.raises(Damaged) as found:
        shorten(text.encode(), Limits(), {"a": WHOLE} if text[0] == "{" else [WHOLE])
    assert (found.value.line, found.value.is_cut) == (line, is_cut)


def test_a_limit_is_told_in_thousands():
    with pytest.raises(TooLarge, match="more than 1,000 parts"):
        shorten(b"[" + b"1," * 999 + b"1]", Limits(parts=1000), [WHOLE])
