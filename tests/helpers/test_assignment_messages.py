"""helpers/assignment/messages.py: how a call, values, a window and a place are written."""

import traceback

import numpy as np
import pytest
import torch

from helpers.assignment import messages
from helpers.assignment.messages import (
    WIDTH,
    call_text,
    error_lines,
    error_text,
    expected_line,
    inputs_lines,
    place_of,
    plain,
    received_line,
    retold,
    says,
    student_frames,
    values_lines,
    window_lines,
    wrap,
)

IMAGE = np.arange(30).reshape(5, 6)


def relu(x):
    return x


class Thing:
    """Has no words of its own, so that Python shows where it lies in memory."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.ones((2, 3)), "2×3 array"),
        (torch.ones(1, 2, 3), "1×2×3 tensor"),
        (np.int64(3), "3"),
        (torch.tensor(2.5), "2.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        ("text", "'text'"),
        (relu, "relu"),
        (Thing, "Thing"),
        (Thing(), "a Thing"),
        (lambda x: x, "a function"),
        (list(range(12)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]"),
        ("x" * 38, repr("x" * 38)),
        ("x" * 39, "str of length 39"),
        (list(range(100)), "list of length 100"),
        (10**45, "1" + 36 * "0" + "..."),
    ],
)
def test_a_call_is_told_as_it_is_written_with_long_values_in_short(value, text):
    assert call_text("f", [value], {}) == f"f({text})"
    assert call_text("f", [1, value], {"stride": 2, "pad": value}) == (
        f"f(1, {text}, stride=2, pad={text})"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.1), "0.10000000149011612"),
        (0.5, "0.5"),
        (1e20, "1e+20"),
        (123456.0, "123456"),
        (1234567.0, "1234567.0"),
        (np.array(7), "7"),
        (np.array([1 / 3, 2.0]), "[0.333333, 2]"),
        (torch.tensor([[1, 2]]), "[[1, 2]]"),
        (True, "True"),
        (np.bool_(True), "True"),
        (None, "None"),
        ((), "()"),
        ((1,), "(1,)"),
        ((1, 2.0), "(1, 2)"),
        ([1, (2, 0.25)], "[1, (2, 0.25)]"),
        ({"a": np.int64(1), 2: [np.float64(0.5)]}, "{'a': 1, 2: [0.5]}"),
        ([np.array([1 / 3])], "[[0.333333]]"),
        ("a", "'a'"),
    ],
)
def test_values_are_written_as_a_student_writes_them(value, text):
    assert plain(value) == text


def test_inputs_are_told_by_their_names_and_scalars_are_left_out():
    names = ["image", "stride", "flat", "one", "nan", "large", "flags"]
    large = np.arange(80.0).reshape(8, 2, 5)
    values = [
        *(np.array([[1, 2], [3, 4]]), 2, np.full((2, 3), 7.0), np.array([5])),
        *(np.array([np.nan, np.nan]), large, np.array([True, True])),
    ]
    assert [" ".join(block.split()) for block in inputs_lines(names, values)] == [
        "input image = array of shape 2×2, int64 [[1 2] [3 4]]",
        "input flat = 2×3 numbers, all 7",
        "input one = [5]",
        "input nan = [nan nan]",
        "input large = 8×2×5 numbers, from 0 to 79",
        "input flags = [ True True]",
    ]


def test_long_values_are_cut_and_short_ones_are_not():
    short, long = "x" * 397, "x" * 398
    assert "".join(expected_line(short).split()) == f"expected'{short}'"
    assert "".join(expected_line(long).split()) == f"expected'{long}'..."
    assert received_line(None) == "  received  None"
    assert received_line(1 / 3) == "  received  0.333333"
    assert received_line([1, 2]) == "  received  [1, 2]"


def test_what_was_expected_is_shown_without_its_type():
    expected, received = np.array([1, 2]), np.array([1.5, 2], dtype=np.float32)
    assert values_lines(expected, received) == ["  expected  [1. 2.]", "  received  [1.5 2. ]"]
    assert values_lines(expected[:, None], received[:, None]) == [
        "  expected  array of shape 2×1\n              [[1.]\n               [2.]]",
        "  received  array of shape 2×1, float32\n              [[1.5]\n               [2. ]]",
    ]
    assert values_lines(expected, np.array([1, 3]))[0].endswith("[1 2]")
    assert values_lines(expected > 1, received)[0].endswith("[False  True]")
    assert values_lines(np.array([0.5, 1]), np.array([1, 3]))[0].endswith("[0.5 1. ]")


def test_of_many_maps_the_one_with_the_first_wrong_number_is_shown():
    expected = np.arange(64).reshape(4, 4, 4)
    received = expected.copy()
    received[2, 1, 3] = 0
    head, shown, came = values_lines(expected, received, (2, 1, 3))
    assert head == "  map       number [2], the first that is not right:"
    assert "array of shape 4×4\n              [[32 33 34 35]" in shown
    assert "[36 37 38  0]" in came
    small = np.arange(8).reshape(2, 2, 2)
    assert len(values_lines(small, small, (1, 0, 0))) == 2
    assert len(values_lines(expected.reshape(16, 4), received.reshape(16, 4), (9, 3))) == 2
    deep = expected.reshape(2, 2, 4, 4)
    assert values_lines(deep, deep, (1, 0, 1, 3))[0].startswith("  map       number [1, 0], ")


@pytest.mark.parametrize(
    ("place", "arguments", "where", "numbers"),
    [
        ((1, 2), {"kernel_size": 2}, "rows 1 to 2 and columns 2 to 3", "[[ 8  9]\n [14 15]]"),
        (
            (1, 2),
            {"kernel_size": (1, 2), "stride": (3, 2)},
            "rows 3 to 3 and columns 4 to 5",
            "[[22 23]]",
        ),
        (
            (0, 3),
            {"kernel_size": 3, "padding": (1, 0)},
            "rows 0 to 1 and columns 3 to 5",
            "[[ 3  4  5]\n [ 9 10 11]]",
        ),
        (
            (0, 0),
            {"kernel_size": 2, "dilation": (2, 1)},
            "rows [0, 2] and columns 0 to 1",
            "[[ 0  1]\n [12 13]]",
        ),
        (
            (0, 1),
            {"kernel_size": 2, "dilation": (1, 3)},
            "rows 0 to 1 and columns [1, 4]",
            "[[ 1  4]\n [ 7 10]]",
        ),
        ((4, 5), {"kernel_size": 3}, "rows 4 to 4 and columns 5 to 5", "[[29]]"),
    ],
)
def test_the_window_of_a_place_is_shown(place, arguments, where, numbers):
    head, shown = window_lines(IMAGE, place, **arguments)
    said = f"window of this position, {where} of the input:"
    assert " ".join(head.split()) == said
    assert shown == "\n".join(" " * 14 + line for line in numbers.split("\n"))


def test_a_window_in_the_padding_and_what_has_none():
    assert window_lines(IMAGE, (0, 0), 1, padding=1) == ["  window    lies wholly in the padding"]
    assert window_lines(IMAGE, (5, 0), 1)[0].endswith("lies wholly in the padding")
    assert window_lines(IMAGE[0], (0, 0), 1) == []
    assert window_lines(IMAGE, (0,), 1) == []


def test_the_window_is_that_of_the_image_in_the_batch():
    batch = np.arange(24).reshape(2, 3, 2, 2)
    assert window_lines(batch, (1, 2, 0, 1), 1)[1].strip() == "[[21]]"  # as in pooling
    assert window_lines(batch[:, :1], (1, 2, 0, 1), 1)[1].strip() == "[[13]]"  # filters
    shown = window_lines(batch[0], (0, 1), 1)[1]  # all channels
    assert [line.strip(" []") for line in shown.split("\n") if line.strip()] == ["1", "5", "9"]


def test_an_error_is_told_as_pythons_last_line_has_it():
    assert error_text(ValueError("a\nb")) == "ValueError: a"
    assert error_text(AssertionError("a\nb")) == "AssertionError: a\nb"
    assert error_text(ValueError()) == "ValueError"
    assert error_text(ValueError(" ")) == "ValueError"
    assert error_text(ValueError("x" * 387)) == "ValueError: " + "x" * 387
    assert error_text(ValueError("x" * 388)) == "ValueError: " + "x" * 388 + " ..."


def test_a_sentence_is_known_with_its_values_in_lines_or_not():
    found = says("There\n  is no `f_1` here.", "There is no `{name}` here.")
    assert found["name"] == "f_1"
    assert says("(a) b", "(a) b")
    assert says("There is a `f` here.", "There is no `{name}` here.") is None


def test_what_a_test_says_is_told_in_the_readers_language(monkeypatch):
    known = {
        ("", "two"): "둘",
        ("", "A is {0} of {n}."): "{n} 중 {0}.",
        ("", "no braces"): "없음",
    }
    monkeypatch.setattr(messages, "catalogue", lambda language, name: known)
    assert retold("two") == "둘"
    assert retold("A is two of 3.") == "3 중 둘."
    assert retold("A is B.") == "A is B."


def test_text_is_as_wide_as_a_page_of_nbgraders():
    text = "word " * 40 + "a/path/" * 20
    lines = wrap(text, 4).split("\n")
    assert WIDTH == 80
    assert {line[:4] for line in lines} == {"    "}
    assert max(map(len, lines[:-1])) <= 80
    assert lines[-1] == "    " + "a/path/" * 20


def summary(name="student", line="return x", filename="/home/me/file.py"):
    return traceback.FrameSummary(filename, 7, name, line=line)


def test_the_place_of_an_error_is_the_line_and_its_function(monkeypatch):
    assert place_of(summary()) == ["  in        student, line 7:", " " * 14 + "return x"]
    assert place_of(summary("<module>"), "stopped") == [
        "  stopped   line 7:",
        " " * 14 + "return x",
    ]
    assert place_of(summary(line="x" * 90))[1] == " " * 14 + "x" * 66
    assert place_of(None) == []
    assert place_of(summary(line="")) == []
    monkeypatch.setattr(messages, "cell_number", lambda filename: "4")
    assert place_of(summary())[0] == "  in        student, line 7 of cell [4]:"


def test_only_the_students_own_lines_count(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import textwrap\n\n\ndef f(x):\n    return textwrap.fill(x)\n")
    space = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    with pytest.raises(Exception) as caught:  # noqa: PT011
        space["f"](3)
    assert [frame.lineno for frame in student_frames(caught.value) if "mine" in frame.filename] == [
        5
    ]
    frames = student_frames(caught.value)
    assert frames[0].name == "f"  # the innermost first, and nothing of Python's own below it
    assert frames[-1].name != "f"
    assert error_lines(caught.value)[:2] == [
        "  in        f, line 5:",
        "              return textwrap.fill(x)",
    ]


# --- how much is shown ---------------------------------------------------------------------------


def test_an_array_of_12_lines_is_shown_and_of_a_longer_one_the_shape():
    (block,) = inputs_lines(["x"], [np.arange(24).reshape(12, 2)])
    assert block.count("\n") == 12
    (block,) = inputs_lines(["x"], [np.arange(26).reshape(13, 2)])
    assert " ".join(block.split()) == "input x = 13×2 numbers, from 0 to 25"


@pytest.mark.parametrize(("rows", "is_whole"), [(12, True), (13, False)])
def test_of_maps_that_take_more_than_12_lines_the_one_with_the_place_is_shown(rows, is_whole):
    numbers = np.arange(2.0 * rows).reshape(1, rows, 2)
    lines = values_lines(numbers, numbers + 1, (0, 3, 1))
    assert len(lines) == (2 if is_whole else 3)
    assert is_whole or "number [0], the first that is not right" in " ".join(lines[0].split())


def test_of_a_function_that_calls_itself_the_innermost_200_lines_are_looked_at():
    def deep(number):
        return 1 / number if number == 0 else deep(number - 1)

    with pytest.raises(ZeroDivisionError) as raised:
        deep(300)
    assert len(student_frames(raised.value)) == 200
