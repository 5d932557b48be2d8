"""Units in code and letters for axes in words: each is what the number or the axis beside it is."""

import ast
import re

import pytest

from tests.support.equations import value
from tests.support.lessons import LESSONS, ROOT, read
from tests.support.prose import texts

SIZES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "KB": 10**3, "kB": 10**3, "MB": 10**6}
SIZES |= {"GB": 10**9}
NAMED = {"KIB": 2**10, "MIB": 2**20, "MEBIBYTE": 2**20, "GIB": 2**30}


def programs():
    """All code of the course: (where it stands, the code)."""
    for path in LESSONS:
        for cell in read(path).cells:
            if cell.cell_type == "code":
                yield f"{path.name}, {cell.id}", cell.source
    for folder in ("helpers", "grader", "tools", "site"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def wrong_units(code):
    """Quotients in texts whose divisor is another size than the unit behind them."""
    for node in ast.walk(ast.parse(code)):
        for part, after in zip(parts(node), parts(node)[1:], strict=False):
            unit = re.match(r" ?([KkMG]i?B)\b", str(getattr(after, "value", "")))
            if unit and isinstance(part, ast.FormattedValue):
                divisor = last_divisor(part.value)
                # What comes in the next smaller unit is divided by 1000 or 1024.
                if divisor and divisor not in (SIZES[unit[1]], 1024 if "i" in unit[1] else 1000):
                    yield ast.unparse(node)
        if isinstance(node, ast.Assign):
            size = NAMED.get(ast.unparse(node.targets[0]))
            if size and value(node.value) != size:
                yield ast.unparse(node)


def parts(node):
    return node.values if isinstance(node, ast.JoinedStr) else []


def last_divisor(node):
    """The power by which a number is divided, or None."""
    sizes = [
        NAMED.get(ast.unparse(one.right), value(one.right))
        for one in ast.walk(node)
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div | ast.FloorDiv)
    ]
    return next((size for size in sizes if size in SIZES.values()), None)


def test_units_of_sizes_are_those_that_they_are_divided_by():
    assert [(place, found) for place, code in programs() for found in wrong_units(code)] == []


@pytest.mark.parametrize(
    "code",
    [
        'f"{count / 10**6:.0f} MiB"',
        'f"{count / MEBIBYTE} MB"',
        'f"{4 * count // 2**30:,} MiB"',
        "MIB = 10**6",
    ],
)
def test_a_wrong_unit_is_noticed(code):
    assert list(wrong_units(code))


# Height, rows and H are the first of the two axes of an image, width, columns and W the second.
SWAPPED = re.compile(
    r"\bH\b\W{0,4}(?:columns?|width|wide)\b|\bW\b\W{0,4}(?:rows?|height|high)\b|\bW, H\b|\bw, h\b"
    r"|\bwidth \$?H\b|\bheight \$?W\b"
)


def test_letters_are_those_of_their_axes():
    wrong = [(str(text), match[0]) for text in texts() for match in SWAPPED.finditer(text.markdown)]
    for path in sorted((ROOT / "helpers").rglob("*.py")):
        wrong += [(path.name, match[0]) for match in SWAPPED.finditer(path.read_text("utf-8"))]
    assert wrong == []


@pytest.mark.parametrize("text", ["**H** columns", "W rows", "(N, C, W, H)", "the height $W$"])
def test_swapped_letters_are_noticed(text):
    assert SWAPPED.search(text)
