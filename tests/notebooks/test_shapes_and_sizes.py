"""Shapes and units in words: the code around them has them, too.

A shape such as 16 × 8 × 8 is made of numbers that stand everywhere, so `test_numbers` lets it pass;
and of a number with a unit that test asks for the number alone.
"""

import functools
import re

import nbformat.v4 as nbf
import pytest

from tests.support.lessons import LESSONS, read
from tests.support.numbers import output_texts, told

NUMBER = r"\d+(?:[,_]\d{3})*"
# Three numbers or more; no factors of a sum or of a fraction.
SHAPE = re.compile(rf"(?<![\w.,])(?<![·×+−=/] ){NUMBER}(?: × {NUMBER}){{2,}}(?! ?[·×/]|[.,]?\d)")
JOINED = re.compile(rf"{NUMBER}(?:(?:, | \* | · | × ){NUMBER}){{2,}}")
FILTERS = re.compile(r"Conv2d\((\d+), \d+, (?:kernel_size=)?(\d+)")
UNITS = [("KB", "MB", "GB", "KiB", "MiB", "GiB", "bytes"), ("ms", "s", "seconds", "minutes")]
UNITS += [("%", "points")]
FAMILY = {unit: family for family in UNITS for unit in family}
QUANTITY = re.compile(
    r"(?<![\w.,])(\d[\d,]*(?:\.\d+)?)[ \u00a0]?"
    rf"({'|'.join(sorted(FAMILY, key=len, reverse=True))})(?!\w)"
)


def three(text):
    """All runs of three numbers in a tuple, a list or a product."""
    for match in JOINED.finditer(text):
        numbers = [one.replace(",", "") for one in re.findall(NUMBER, match[0].replace("_", ""))]
        yield from zip(numbers, numbers[1:], numbers[2:], strict=False)


def shapes(text):
    """What is written, also with the channels last, as in books; and the shapes of filters."""
    for a, b, c in three(text):
        yield from ((a, b, c), (b, c, a))
    for depth, size in FILTERS.findall(text):
        yield from ((depth, size, size), (size, size, depth))


class Around:
    """What the code, the outputs and the products in the prose of a lesson know."""

    def __init__(self, notebook):
        self.shapes, self.units = set(), {}
        for cell in notebook.cells:
            texts = [cell.source, *output_texts(cell)] if cell.cell_type == "code" else []
            for text in texts:
                self.shapes.update(shapes(text))
                for number, unit in QUANTITY.findall(text):
                    self.units.setdefault((number, FAMILY[unit]), set()).add(unit)
            if not texts:
                for product in re.findall(rf"{NUMBER}(?: · {NUMBER}){{2,}}", cell.source):
                    self.shapes.update(shapes(product))

    def unknown(self, text):
        """The shapes of a text that nothing knows, and the quantities with another unit."""
        for match in SHAPE.finditer(text):
            if not set(three(match[0])) <= self.shapes:
                yield match[0]
        for match in QUANTITY.finditer(text):
            units = self.units.get((match[1], FAMILY[match[2]]))
            if len(match[1]) > 1 and units and match[2] not in units:
                yield match[0]


@functools.cache
def around(path):
    return Around(read(path))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_shapes_and_units_are_those_of_the_code(path):
    found = [
        (cell.id, one) for cell in read(path).cells for one in around(path).unknown(told(cell))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("maps of 16 × 8 × 8, or 8 × 8 × 16", []),
        ("maps of 16 × 10 × 10", ["16 × 10 × 10"]),
        ("maps of 8 × 16 × 8", ["8 × 16 × 8"]),
        ("filters of 32 × 3 × 3, or 3 × 3 × 32", []),
        ("filters of 64 × 3 × 3", ["64 × 3 × 3"]),
        ("with 2 · 16 · 3 weights: 16 × 3 × 2", []),
        ("it takes 232.6 MiB, and 5 MB", []),
        ("it takes 232.6 MB", ["232.6 MB"]),
        ("it takes 232.6 s", []),
    ],
)
def test_a_wrong_shape_or_unit_is_noticed(text, wrong):
    output = nbf.new_output("stream", text="memory 232.6 MiB")
    cells = [
        nbf.new_code_cell("nn.Conv2d(32, 64, 3)(x).shape == (32, 16, 8, 8)", outputs=[output]),
        nbf.new_markdown_cell(text),
    ]
    notebook = nbf.new_notebook(cells=cells)
    assert list(Around(notebook).unknown(text)) == wrong
