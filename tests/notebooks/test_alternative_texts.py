"""Alternative texts say of framed windows where they are and how large: as the code frames them."""

import ast
import re

import pytest

from tests.support.lessons import LEFT_OUT, LESSONS, read

FRAMED = re.compile(
    r"(?P<row>top|upper|bottom|lower) (?P<column>left|middle|right)"
    r"(?: (?P<height>\d+) by (?P<width>\d+))? (?:window|number)"
)


def frames(code):
    """The windows (row, column, height, width) that are written down in a cell."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Tuple) and len(node.elts) == 4:
            numbers = [one.value for one in node.elts if isinstance(one, ast.Constant)]
            if len(numbers) == 4 and all(isinstance(one, int) for one in numbers):
                yield numbers


def is_framed(phrase, row, column, height, width):
    return (
        (row == 0) == (phrase["row"] in ("top", "upper"))
        and (column == 0) == (phrase["column"] == "left")
        and (
            phrase["height"] is None
            or [int(phrase["height"]), int(phrase["width"])] == [height, width]
        )
    )


def wrong(alt, code):
    """What an alternative text says of frames that the cell does not draw."""
    known = list(frames(code))
    phrases = FRAMED.finditer(alt) if known and "framed" in alt else ()
    return [one[0] for one in phrases if not any(is_framed(one, *frame) for frame in known)]


def cells():
    for path in LESSONS:
        for cell in read(path).cells:
            if cell.cell_type == "code" and cell.metadata.get("alt"):
                yield f"{path.name}, {cell.id}", cell.metadata.alt, cell.source


def test_frames_are_where_the_alternative_text_says():
    assert [(place, wrong(alt, code)) for place, alt, code in cells() if wrong(alt, code)] == []


def test_some_texts_speak_of_frames():
    told = [alt for _, alt, code in cells() if list(frames(code)) and FRAMED.search(alt)]
    assert LEFT_OUT or len(told) > 5


@pytest.mark.parametrize(
    ("alt", "is_wrong"),
    [
        ("its top right 2 by 3 window framed", False),
        ("its top left 2 by 3 window framed", True),
        ("its bottom right 2 by 3 window framed", True),
        ("its top right 3 by 2 window framed", True),
        ("the top middle number framed", False),
    ],
)
def test_another_frame_is_noticed(alt, is_wrong):
    assert bool(wrong(alt, "plots.number_grid(x, None, [(0, 4, 2, 3)])")) == is_wrong
