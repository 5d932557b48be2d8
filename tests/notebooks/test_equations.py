"""Every equation of numbers in the course's texts is worked out, also in the words of its code."""

import ast
import io
import re
import tokenize

import pytest

from tests.support.assignment_files import NAMES, source
from tests.support.equations import equations
from tests.support.lessons import LEFT_OUT, LESSONS, ROOT, read
from tests.support.prose import texts

TRUE = [
    "3·0 + 4·1 + 6·2 + 7·3 = **37**",
    "(7 − 3)/2 + 1 = 3",
    "there are 6/2 = 3 places, (10 − 3)/2 + 1 = 4.5 before rounding",
    "28 · 28 · (256 · 64 + 64 · 3 · 3 · 64 + 64 · 256) = 54,591,488, 13 · 13 · 256 = 43,264",
    "−log(1/2) = log 2 ≈ 0.69",
    "1/4¹⁰ = 1/1,048,576",
    "√(2/576) = 1/√288 ≈ 0.0589",
    r"$\sqrt{2 / (1/3)} = \sqrt 6 ≈ 2.449$, $2^{-0.75} \approx 0.595$",
    r"$\left\lfloor \frac{7 - 3}{3} \right\rfloor + 1 = 2$",
    "(30 − 10)/1000 = 2 points",
    "27 % of it: 1.5 · 2 = 3 places",
    "with $N = 7$ and $F = 3$ the last one starts at $N - F = 4$",
    "0.01 · x + 0.99 · x = 1 · x",
    "| top | 0·0 + 1·1 + 3·2 | **7** |",
]
FALSE = [
    "3·0 + 4·1 + 6·2 + 7·3 = **36**",
    "(7 − 3)/2 + 1 = 2",
    "28 · 28 = 785 pixels",
    "log 2 ≈ 0.68",
    "5/3 ≈ 1.66",
    "√(2/576) = 1/√388",
    r"$\frac{7 - 3}{2} \cdot 2 = 5$",
    "(30 − 10)/1000 = 3 points",
    "12 · 12 = 145 = 145",
    "with $N = 7$ and $F = 3$ the last one starts at $N - F = 5$",
    "0.01 · x + 0.98 · x = 1 · x",
    "| top | 0·0 + 1·1 + 3·2 | **8** |",
]
# Of words and signs that look like equations.
NONE = ["a 3 = b", "`2 · 2 = 5`", "F = 3", "one of 2 3 = two", "x = 5 · y", "[a](4 = 5)", "W = 2P"]


@pytest.mark.parametrize("text", TRUE)
def test_true_equations_are_found(text):
    found = [one for one in equations(text) if one.is_known]
    assert found
    assert all(one.is_true for one in found)


@pytest.mark.parametrize("text", FALSE)
def test_false_equations_are_found(text):
    assert not all(one.is_true for one in equations(text) if one.is_known)


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_equation_of_numbers(text):
    assert not [one for one in equations(text) if one.is_known]


def test_equations_in_the_course_are_true():
    known = [(str(text), one) for text in texts() for one in equations(text.markdown)]
    known = [(place, one) for place, one in known if one.is_known]
    assert LEFT_OUT or len(known) > 300
    assert [(place, str(one)) for place, one in known if not one.is_true] == []


def words_of(code):
    """The comments of a program and the lines of its texts."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.string.removeprefix("#")
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from node.value.splitlines()


def programs():
    """The code of the lessons and of the assignments, and their banks."""
    notebooks = [(path.name, read(path)) for path in LESSONS]
    for name, notebook in notebooks + [(name, source(name)) for name in NAMES]:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                yield f"{name}, {cell.id}", cell.source
    for path in sorted((ROOT / "solutions").glob("*/bank/*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def false_in(code):
    lines = [line for line in words_of(code) if re.search("[=≈]", line)]
    found = [one for line in lines for one in equations(line) if one.is_known]
    return [str(one) for one in found if not one.is_true], len(found)


def test_equations_in_the_words_of_the_code_are_true():
    found = [(place, *false_in(code)) for place, code in programs()]
    assert [(place, wrong) for place, wrong, _ in found if wrong] == []
    assert LEFT_OUT or sum(count for *_, count in found) > 5


def test_a_false_equation_in_the_words_of_the_code_is_noticed():
    assert false_in('f(1)  # 28 · 28 = 784 pixels\nprint("6/2 = 3 places")') == ([], 2)
    assert len(false_in('f(1)  # 28 · 28 = 785 pixels\nprint("6/2 = 4 places")')[0]) == 2
