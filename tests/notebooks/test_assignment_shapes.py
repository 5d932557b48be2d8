"""The shapes in a task's table are those that its solution takes and gives."""

import inspect
import itertools
import math
import re

import numpy as np
import pytest

from grader.authoring.examine import Workbench
from tests.support.assignment_files import NAMES, source

# What the letters of the tables stand for here: all different, and no stride that fits.
SIZES = {"N": 2, "C": 3, "F": 4, "H": 11, "W": 10, "K": 5, "L": 4, "kh": 3, "kw": 2}
SIZES |= {"P": 1, "S": 2, "out_h": 9, "out_w": 9}  # of kh and kw, with stride 1
ROW = re.compile(r"^\| (`\w+`|result) \| [^|(`]*(\(.+\))", re.MULTILINE)


def shape(text, sizes):
    """The first shape of a text, as "(⌊(H + 2P − K) / S⌋ + 1, W)", in numbers."""
    text = text.translate(str.maketrans("−·⌊⌋", "-*()"))
    depths = itertools.accumulate({"(": 1, ")": -1}.get(sign, 0) for sign in text)
    code = re.sub(r"(\d)([A-Z])", r"\1 * \2", text[: list(depths).index(0) + 1])
    return tuple(map(math.floor, eval(code, {"__builtins__": {}}, sizes)))


def tables():
    """The tasks whose tables work out a shape: (assignment, exercise, {name: shape})."""
    for name in NAMES:
        for cell in source(name).cells:
            rows = {key.strip("`"): text for key, text in ROW.findall(cell.source)}
            if cell.id.endswith("_task") and re.search("[+−]|out_", rows.get("result", "")):
                yield name, cell.id.removesuffix("_task"), rows


TABLES = list(tables())


def call(function, rows):
    """The shape that comes back for arrays of the shapes in the table."""
    numbers = {"kernel_size": "K", "stride": "S", "padding": "P"}
    given = {}
    for name in inspect.signature(function).parameters:
        if name in rows and name not in numbers:
            given[name] = np.ones(shape(rows[name], SIZES))
        elif name in rows and name == "kernel_size":
            given[name] = shape(rows[name], SIZES)
        elif name not in numbers:
            given[name] = 1
        elif numbers[name] in rows["result"]:
            given[name] = SIZES[numbers[name]]
    return np.shape(function(**given))


@pytest.mark.parametrize(("name", "exercise", "rows"), TABLES, ids=[row[1] for row in TABLES])
def test_the_table_gives_the_shape_of_the_result(name, exercise, rows):
    assert call(Workbench(name).space[exercise], rows) == shape(rows["result"], SIZES)


def test_tables_are_found():
    assert len(TABLES) > 6


def test_shapes_are_read():
    assert shape("(C, ⌊(H + 2P − K) / S⌋ + 1), floats (and so on)", SIZES) == (3, 5)
    assert shape("(F,)", SIZES) == (4,)
    assert shape("(H − L + 1, W − K + 1)", SIZES) != shape("(H − K + 1, W − L + 1)", SIZES)
