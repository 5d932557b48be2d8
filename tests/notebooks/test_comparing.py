"""conftest.py: how texts, numbers and pictures are compared, number by number.

test_notebook_rules.py runs whole notebooks.
"""

import base64
import io
from decimal import Decimal
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_output
from PIL import Image

import conftest


@pytest.mark.parametrize(
    ("new", "old", "tolerance", "expected"),
    [
        ("loss 0.505", "loss 0.51", 0.01, True),
        ("loss 0.50", "loss 0.52", 0.01, False),
        ("loss 100.0", "loss 101.0", 0.01, True),
        ("loss 100.0", "loss 103.0", 0.01, False),
        ("[1.0,  2.0]", "[1.0, 2.0]", 0.0, True),
        ("loss 1,000", "loss 1000", 0.0, True),
        ("loss −2", "loss -2", 0.0, True),
        ("lost 0.5", "loss 0.5", 1.0, False),
        ("1 2", "1", 1.0, False),
        ("1e-3", "0.001", 0.0, True),
        (".5", "0.5", 0.0, True),
    ],
)
def test_numbers_agree_within_a_tolerance_and_words_exactly(new, old, tolerance, expected):
    assert conftest.agrees(new, old, tolerance) is expected


def test_a_number_more_or_less_is_no_other_column():
    assert conftest.words("a  12.5,\n b 1,234") == conftest.words("a 7, b 8") == "a #, b #"


@pytest.mark.parametrize(
    ("new", "old", "factor", "percent", "expected"),
    [
        # two units of the last digit, of the finer of the two
        *(("0.52", "0.50", 3, False, True), ("12", "10", 1, False, True)),
        *(("13", "10", 1, False, False), ("0.5", "0.48", 1, False, True)),
        # a factor, either way
        *(("300", "100", 3, False, True), ("100", "300", 3, False, True)),
        *(("301", "100", 3, False, False), ("100", "301", 3, False, False)),
        # and the sign
        *(("-100", "100", 3, False, False), ("-100", "-50", 3, False, True)),
        *(("100", "0", 3, False, False), ("1", "0", 3, False, True)),
        # of a percentage also the rest to 100
        *(("90.00", "97.50", 3, True, False), ("92.50", "97.50", 3, True, True)),
        *(("90.00", "97.50", 3, False, True), ("150", "80", 3, True, True)),
        *(("0.10", "5.00", 3, True, False), ("100.0", "99.0", 3, True, True)),
    ],
)
def test_how_near_a_number_has_to_be(new, old, factor, percent, expected):
    assert conftest.is_near(Decimal(new), Decimal(old), factor, percent) is expected


@pytest.mark.parametrize(
    ("new", "old", "problem"),
    [
        ("loss 1.00", "loss 2.00", ""),
        ("loss 1.00", "loss 9.00", "1.00, saved 9.00, in 'loss 1.00'"),
        ("a 5\nb 1.00 c", "a 5\nb 9.00 c", "1.00, saved 9.00, in 'b 1.00 c'"),
        ("took 1 s", "took 900 s", ""),
        ("took 2 minutes", "took 900 minutes", ""),
        ("took 1 seconds", "took 900 seconds", "1, saved 900, in 'took 1 seconds'"),
        ("right: 90.00%", "right: 97.50%", "90.00, saved 97.50, in 'right: 90.00%'"),
        ("right: 90.00 %", "right: 97.50 %", "90.00, saved 97.50, in 'right: 90.00 %'"),
        ("right: 90.00", "right: 97.50", ""),
        ("left 1", "right 1", "'left 1', saved 'right 1'"),
        ("a\nb", "a", "'b', saved 'no more lines'"),
    ],
)
def test_the_first_number_of_another_size_is_told_with_its_line(new, old, problem):
    assert conftest.other_form(new, old, 3.0) == problem


def test_what_counts_once():
    text = "epoch 1: [0.5, 0.25, 3]\nepoch 2: [1, 2]\n(7,)\nend 5\nend 6 of [a, a, b]"
    assert conftest.unrepeated(text).split("\n") == [
        *("epoch #: [#]", "(#)", "end #", "end # of [a, a, b]"),
    ]


@pytest.mark.parametrize(
    ("new", "old", "traded"),
    [
        ("a 0.10 b 0.90", "a 0.90 b 0.10", True),
        ("a 0.50 b 0.90", "a 0.90 b 0.50", True),
        ("a 0.70 b 0.90", "a 0.90 b 0.70", False),  # neither was clearly larger
        ("a 0.10 b 0.90", "a 0.20 b 0.80", False),
        ("a 1 b 9", "a 9 b 1", False),  # whole numbers may be labels
        ("a 90% b 99%", "a 99% b 90%", True),
        ("a 98% b 99%", "a 99% b 98%", True),  # by what is left to 100
        ("a 0.10 s b 0.90", "a 0.90 s b 0.10", False),
        ("a [0.10, 0.90]", "a [0.90, 0.10]", False),
        ("a 0.10\nb 0.90", "a 0.90\nb 0.10", False),  # of one line
        ("a 0.10 b 0.50 c 0.10", "a 0.10 b 0.50 c 0.90", True),
        ("a -0.10 b 0.90", "a 0.90 b -0.10", False),
    ],
)
def test_two_numbers_that_trade_places_are_told(new, old, traded):
    said = f"two numbers have traded places, in {new!r}, saved {old!r}" if traded else ""
    assert conftest.other_order(new, old) == said


@pytest.mark.parametrize(
    ("a", "b", "percent", "expected"),
    [
        *((1.51, 1, False, 1), (1, 1.51, False, -1), (1.5, 1, False, 0), (1, 1.5, False, 0)),
        *((0, 1, False, 0), (1, 0, False, 0), (-1, 1, False, 0)),
        *((99, 98, False, 0), (99, 98, True, 1), (98, 99, True, -1), (100, 98, True, 0)),
    ],
)
def test_which_of_two_is_clearly_larger(a, b, percent, expected):
    assert conftest.order(a, b, percent) == expected


# --- outputs -----------------------------------------------------------------------------------


def picture(array):
    file = io.BytesIO()
    Image.fromarray(np.asarray(array, np.uint8)).save(file, "PNG")
    return file.getvalue()


def output(png):
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": "<Figure>"}
    return new_output("display_data", data)


GRADIENT = np.repeat(np.arange(0, 240, 3)[:, None], 120, axis=1)  # 80 × 120, dark above


def test_text_and_pictures_are_told_apart():
    outputs = [
        new_output("stream", name="stdout", text="a\n"),
        new_output("stream", name="stdout", text="b\r\x1b[Kc\n"),
        output(picture(GRADIENT)),
        new_output("execute_result", {"text/plain": "7"}),
        new_output("display_data", {"text/html": "<b>"}),
    ]
    text = conftest.text_in(outputs)
    assert text.startswith("a\n")
    assert text.endswith("c\n\n7")
    assert "Figure" not in text
    assert conftest.pictures_in(outputs) == [picture(GRADIENT)]


def test_numbers_of_outputs_are_taken_from_the_saved_where_they_agree():
    old = new_output("stream", name="stdout", text="loss 0.500")
    near, far = (new_output("stream", name="stdout", text=f"loss 0.{n}") for n in (501, 700))
    assert conftest.adopt_numbers(near, old, 0.01).text == "loss 0.500"
    assert near.text == "loss 0.501"
    assert conftest.adopt_numbers(far, old, 0.01).text == "loss 0.700"
    saved = nbformat.from_dict({"data": {"text/plain": "1.00", "image/png": "A", "x": 3}})
    new = nbformat.from_dict({"data": {"text/plain": "1.001", "image/png": "B", "x": 4, "y": "5"}})
    assert conftest.adopt_numbers(new, saved, 0.01).data == {
        **{"text/plain": "1.00", "image/png": "B", "x": 4, "y": "5"}
    }
    assert conftest.adopt_numbers(near, saved, 0.01) == near
    assert conftest.zip_outputs([1, 2], [3]) == [(1, 3), (2, 2)]


# --- pictures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (GRADIENT, ""),
        (GRADIENT[:, :112], ""),
        (GRADIENT[:, :111], "111 pixels wide, not 120"),
        (GRADIENT[::-1], "upside down"),
        (239 - GRADIENT, "upside down"),
        (np.vstack([GRADIENT] * 2), ""),  # a row for each way of computing that a machine has
        (GRADIENT // 2 + 40, ""),
    ],
)
def test_a_picture_that_varies_has_its_form(new, problem):
    assert conftest.other_form_of_picture(picture(GRADIENT), picture(new)) == problem


def test_colours_turned_round_are_told():
    light = np.full((80, 120), 250)
    light[20:60, 20:100] = 200
    light[30:35] = 0
    assert conftest.other_form_of_picture(picture(light), picture(light)) == ""
    said = conftest.other_form_of_picture(picture(light), picture(255 - light))
    assert said == "in colours turned round"


@pytest.mark.parametrize("is_pinned", [True, False])
def test_the_tile_that_differs_most_counts_with_the_pinned_versions(monkeypatch, is_pinned):
    line = f"matplotlib=={conftest.version('matplotlib')}"
    monkeypatch.setattr(conftest, "pinned", lambda: {line} if is_pinned else {"matplotlib==1"})
    changed = GRADIENT.copy()
    changed[:20, :20] += 15
    assert conftest.difference(picture(GRADIENT), picture(GRADIENT)) == ""
    said = conftest.difference(picture(GRADIENT), picture(changed))
    assert said == ("it differs by 7.50 of 255, more than 2.0" if is_pinned else "")
    wider = conftest.difference(picture(GRADIENT), picture(GRADIENT[:, 1:]))
    assert wider == ("119 × 80 pixels, saved 120 × 80" if is_pinned else wider)
    said = conftest.difference(picture(GRADIENT), picture(GRADIENT[:71]))
    assert said == "120 × 71 pixels, saved 120 × 80"
    assert "more than" in conftest.difference(picture(GRADIENT), picture(GRADIENT[::-1]))


def test_what_differs_lies_side_by_side(tmp_path):
    new = GRADIENT[:70, :100].copy()
    new[0, 0] = 30
    path = conftest.side_by_side(picture(GRADIENT), picture(new), tmp_path / "a/b.png")
    assert path == tmp_path / "a/b.png"
    saved, came, difference = np.split(np.asarray(Image.open(path))[..., 0], 3, axis=1)
    assert (saved == GRADIENT).all()
    assert (came[:70, :100] == new).all()
    assert (came[70:] == 255).all()
    assert difference[0, 0] == 225
    assert (difference[1:70, :100] == 255).all()


# --- which notebooks ---------------------------------------------------------------------------


class Reporter:
    def __init__(self):
        self.lines = []

    def section(self, title):
        self.lines.append(f"= {title}")

    def line(self, text):
        self.lines.append(text)


def test_notebooks_that_a_reader_works_in_are_left_out_and_named(monkeypatch):
    own = {"notebooks/05-a.ipynb": "changed", "notebooks/07-b.ipynb": "deleted"}
    monkeypatch.setattr(conftest, "readers_own", lambda: own)
    root = conftest.ROOT
    assert conftest.pytest_ignore_collect(root / "notebooks/05-a.ipynb") is True
    assert conftest.pytest_ignore_collect(root / "notebooks/06-c.ipynb") is None
    assert conftest.pytest_ignore_collect(root / "notebooks/05-a.py") is None
    assert conftest.pytest_ignore_collect(Path("/elsewhere/notebooks/05-a.ipynb")) is None
    assert conftest.pytest_ignore_collect(Path("/elsewhere/x (mine, 2026).py")) is True

    def said(*arguments):
        reporter, config = Reporter(), type("Config", (), {"args": arguments})
        conftest.pytest_terminal_summary(reporter, config)
        return reporter.lines

    lines = said(str(root / "tests"))
    assert lines[:4] == [
        "= notebooks left out",
        "These differ from the released ones, and were left out:",
        "  notebooks/05-a.ipynb (changed)",
        "  notebooks/07-b.ipynb (deleted)",
    ]
    assert lines[4].startswith("`course reset` lists how to give each back as it came")
    named = said(str(root / "notebooks/05-a.ipynb::Cell 3"))
    assert "  notebooks/05-a.ipynb (changed)" not in named
    assert "  notebooks/07-b.ipynb (deleted)" in named
    assert said(*(str(root / name) for name in own)) == []
