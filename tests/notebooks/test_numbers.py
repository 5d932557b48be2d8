"""Numbers in words: each stands in the code, an output or a true equation around it.

A number that nothing there can work out, such as one of a paper, is named in its cell's metadata,
with the reason: ``"numbers": {"15.3": "top-5 error of seven networks, in the paper"}``.
"""

import ast
import contextlib
import functools
import io
import itertools
import re

import nbformat.v4 as nbf
import pytest

from grader.authoring.examine import Workbench
from tests.support.assignment_files import NAMES, source
from tests.support.lessons import LESSONS, need, number_of, read
from tests.support.numbers import (
    NO_QUANTITIES,
    NUMBER,
    Book,
    Known,
    Number,
    in_code,
    in_equations,
    in_text,
    numbers,
)

HINT = (
    "work it out in a cell or an equation, or say in the cell's metadata why it stands there "
    '("numbers": {number: reason})'
)
# Numbers in the assignments' texts that no cell gives, {cell: {number: reason}}.
ASSIGNMENTS = {
    "learning_rate_task": {
        "6.83": "8 · (1 + cos(π/4)) / 2, which the try cell draws",
        "1.17": "8 · (1 + cos(3π/4)) / 2, which the try cell draws",
    },
    "explain_blocks": {
        "1.68": "2 to the power of 0.75, rounded down",
        "54,534,144": "parameters of fc6 and fc7 together",
    },
}
# What "You should see" says beside the numbers that are put out.
BESIDE = {
    "correlate_channels_expect": {"10", "22"},  # of the input, which np.arange makes
    "filter_bank_expect": {"2"},  # the size of the maps
    "leftover_expect": {"6"},  # a position in the picture
    "rrelu_expect": {"2"},  # between −4 and −2, by the slopes
    "train_step_expect": {"2"},  # log 2
    "he_start_expect": {"0.1", "10", "100"},  # the limits of the picture, and the units
    "conv_cost_expect": {"54", "3", "4"},  # the parts of the 57, and the places
    "separable_cost_expect": {"1", "9", "14", "64"},  # of the call, and the parts of the fraction
    "separable_conv2d_expect": {"0", "6", "12"},  # on the way: k · (k + 1) for channel k
    "train_head_expect": {"2"},  # log 2
}


@functools.cache
def books():
    return {number_of(path): Book(read(path)) for path in LESSONS}


# --- lessons -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_numbers_of_a_lesson_are_worked_out(path):
    need()  # lessons tell numbers of each other
    found = unknown(books()[number_of(path)], books())
    named = {
        (cell.id, number)
        for cell in read(path).cells
        for number in cell.metadata.get("numbers", {})
    }
    assert found - named == set(), HINT
    assert named - found == set(), "these need no reason: take them out of the metadata"


def unknown(book, others):
    return {(cell.id, number.text) for cell, number in book.unknown(others)}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_number_that_is_not_worked_out_has_a_reason(path):
    for cell in read(path).cells:
        for number, reason in cell.metadata.get("numbers", {}).items():
            assert len(reason.split()) > 2, f"{cell.id}: {number}"


def test_numbers_are_found():
    told = [number for book in books().values() for number in book.written]
    assert len(told) > 30 * len(LESSONS)


# --- the check itself --------------------------------------------------------------------------


def book_of(*cells):
    """A notebook of texts and of pairs (code, output)."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(nbf.new_markdown_cell(cell))
        else:
            output = nbf.new_output("stream", text=cell[1])
            made.append(nbf.new_code_cell(cell[0], outputs=[output]))
    return Book(nbf.new_notebook(cells=made))


END = ("## Avoid common mistakes", "## Recap")
RUN = ("f(60000)\n# of 3025 places\nx[300:1000]", "61,706 parameters\n0.9693 right\n2.3 s")


@pytest.mark.parametrize(
    "text",
    [
        "60,000 images, or 60000",
        "It has 61,706 parameters, about 61,700, 61.7 thousand.",
        "The share is 0.969, or 96.93 %, about 97 %.",
        "All 3025 places, and 28 · 28 = 784 pixels. The 784 are in a row.",
        "It takes 2300 ms.",
        "With 700 digits.",
        "In 1998, and in 2012. Turned by 180°, with Python 3.11. See [it](paper.html?17335).",
        "```\ncard 3060\n```\nThe card is a 3060.",
        "Small numbers, such as 5 or 3, are everywhere.",
    ],
)
def test_numbers_that_are_worked_out(text):
    assert unknown(book_of(text, RUN), {}) == set()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("60,300 images", "60,300"),
        ("It has 61,760 parameters", "61,760"),
        ("It has 61,700 parameters", "61,700"),
        ("About 61,800 parameters", "61,800"),
        ("The share is 0.968", "0.968"),
        ("96.9 points, 96.39 %", "96.39"),
        ("All 3052 places", "3052"),
        ("28 · 28 = 785 pixels", "785"),
        ("The 785 are in a row.", "785"),
        ("2400 ms", "2400"),
        ("With 2,012 pixels", "2,012"),
        ("1024 · 3 = 2022", "2022"),
        ("| pixels | 2040 · 3 |", "2040"),
        ("Turned by 190°", "190"),
    ],
)
def test_numbers_that_are_not_worked_out(text, wrong):
    found = {number for _, number in unknown(book_of(text, RUN), {})}
    assert wrong in found


def test_another_section_gives_its_numbers_but_no_roundings():
    assert unknown(book_of(RUN, "## Next\n\nThe 0.9693 of above"), {}) == set()
    assert unknown(book_of(RUN, "## Next\n\nThe 0.97 of above"), {}) != set()
    assert unknown(book_of(RUN, "It is 0.97.", "## Next\n\nThe 0.97 of above"), {}) == set()


@pytest.mark.parametrize(("number", "is_known"), [("3072", False), ("30,725", True)])
def test_a_short_number_of_a_section_far_away_is_chance(number, is_known):
    far = book_of(
        "## One", ("f(3072)\nf(30725)", ""), "## Two", "## Three", f"The {number} of it", *END
    )
    assert (unknown(far, {}) == set()) == is_known


def test_another_lesson_gives_its_numbers_where_it_is_named():
    others = {"05": book_of(RUN)}
    assert unknown(book_of("Lesson 05 has 61,706 parameters."), others) == set()
    assert unknown(book_of("[It](05-mnist-net.ipynb) has 61,706 parameters."), others) == set()
    assert unknown(book_of("It has 61,706 parameters."), others) != set()
    assert unknown(book_of("Lesson 04 has 61,706 parameters."), others) != set()
    assert unknown(book_of("Lesson 05 has 61,760 parameters."), others) != set()


def test_alternative_texts_are_read_too():
    cell = nbf.new_code_cell("f(61706)", metadata={"alt": "a bar of 61,760 parameters"})
    assert Book(nbf.new_notebook(cells=[cell])).left
    cell.metadata.alt = "a bar of 61,706 parameters"
    assert not Book(nbf.new_notebook(cells=[cell])).left


# --- assignments -------------------------------------------------------------------------------


class Drawn:
    """Instead of `helpers.plots`: what is drawn is put out as text."""

    def __getattr__(self, name):
        return lambda *shown, **options: print(*shown)


@functools.cache
def tried(name):
    """{cell: what the cell of trying out before it puts out, with the solutions}, as text."""
    bench, found = Workbench(name), {}
    cells = source(name).cells
    for code, text in itertools.pairwise(cells):
        # The training takes long, and its text gives no numbers that it puts out.
        gives_numbers = code.id != "train_try" and NUMBER.search(text.source)
        if text.id.endswith("_expect") and gives_numbers:
            space = bench.space | {"plots": Drawn(), "number_grid": Drawn().number_grid}
            tree = ast.parse(code.source)
            last = tree.body[-1]
            if isinstance(last, ast.Expr):
                last.value = ast.Call(ast.Name("print", ast.Load()), [last.value], [])
            program = compile(ast.fix_missing_locations(tree), f"<{code.id}>", "exec")
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(program, space)
            found[text.id] = (text.source, output.getvalue(), code.source)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_students_should_see_is_what_a_solution_shows(name):
    assert tried(name)
    for cell, (text, output, code) in tried(name).items():
        assert not_seen(text, output, code) - BESIDE.get(cell, set()) == set(), cell


def not_seen(text, output, code):
    """The numbers of a text, small ones too, that no output shows.

    Where it does not say "You should see", they may be of the code.
    """
    found = set()
    for sentence in re.split(r"(?<=[.:])\s+(?=[A-Z`])", NO_QUANTITIES.sub(" ", text)):
        here = Known(in_text(output) | in_equations(sentence))
        everywhere = Known(in_text(output) | in_equations(sentence) | in_code(code))
        given = here if "ou should see" in sentence else everywhere
        told = [Number(match[0]) for match in NUMBER.finditer(sentence)]
        found |= {number.text for number in told if not given.rounds_to(number)}
    return found


def test_a_wrong_number_that_students_should_see_is_noticed():
    (name,) = [name for name in NAMES if name.startswith("02")]
    text, output, code = tried(name)["output_size_expect"]
    assert "5, 3 and 2" in text
    assert not_seen(text.replace("5, 3 and 2", "5, 4 and 2"), output, code) == {"4"}


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_an_assignment_are_worked_out(name):
    """By its own cells, by what they put out, or by the lesson of its number."""
    need()
    book = Book(source(name))
    seen = Known(set().union(*(in_text(output) for _, output, _ in tried(name).values())))
    lesson = books()[name[:2]]
    for cell, number in book.unknown(books()):
        is_lessons = lesson.tells(number) or (number.is_about and lesson.known.rounds_to(number))
        is_known = seen.rounds_to(number) or is_lessons
        # The points in the title are added up in test_assignments.
        reason = ASSIGNMENTS.get(cell.id, {}).get(number.text) or cell.id == "title"
        assert is_known or reason, f"{cell.id}: {number.text}. {HINT}"


def test_no_reason_is_left_over_in_the_assignments():
    told = {
        cell.id: {number.text for number in numbers(cell.source)}
        for name in NAMES
        for cell in source(name).cells
    }
    assert all(set(reasons) <= told.get(cell, set()) for cell, reasons in ASSIGNMENTS.items())
