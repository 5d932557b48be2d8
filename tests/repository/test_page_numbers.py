"""Numbers in the pages: of three digits or with a fraction, each stands in what the page is about.

That is code, or a lesson, or a true equation of the page.
"""

import ast
import functools
import inspect
import re

import pytest

from grader.batch import reader
from grader.intake import parse
from grader.judging.notebook import IMPATIENCE
from grader.judging.policy import Limits, Policy
from helpers import _downloads, pretrained
from helpers.assignment import Checker
from helpers.assignment.notebook_scan import MEBIBYTE
from helpers.data import _mnist
from tests.support.equations import value
from tests.support.lessons import LESSONS, ROOT, need, read
from tests.support.numbers import Book, Known, in_equations, in_text, numbers
from tests.support.prose import PAGES

# {page: the files whose numbers it tells}; every page may tell numbers of the lessons.
SUBJECTS = {
    "README.md": ["pyproject.toml", "helpers/pretrained.py", "helpers/data/*.py"],
    "CONTRIBUTING.md": [
        "tests/notebooks/test_piece_sizes.py",
        "tests/helpers/test_draw_digit.py",
        "tests/notebooks/test_lessons.py",
    ],
    "solutions/README.md": ["grader/**/*.py"],
    "solutions/grading.md": ["grader/**/*.py", "helpers/assignment/*.py"],
    "grader/README.md": ["grader/**/*.py", "helpers/assignment/*.py"],
    "helpers/data/samples/README.md": ["tests/helpers/test_*.py", "helpers/data/*.py"],
    "site/draw-a-digit.md": ["helpers/pieces/draw_digit/*.py", "tests/helpers/test_draw_digit.py"],
}
# What was measured on one machine, {page: the heading of the section}.
MEASURED = {"solutions/grading.md": "## How fast"}
# {page: {number: reason}}
REASONS = {
    "README.md": {"70,000": "60,000 to learn from and 10,000 to test with"},
    "CONTRIBUTING.md": {"97.2": "an example", "0.9718": "an example", "15.3": "an example"},
    "solutions/grading.md": {"5.4": "the version of podman"},
    "site/licences.md": {"4.0": "the version of a licence"},
    "helpers/data/samples/README.md": {
        "1,906": "1,520 and 386 together",
        "0.26": "the version of scikit-image",
    },
}
READ = [*PAGES, ROOT / "helpers/data/samples/README.md"]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@functools.cache
def lessons():
    """The numbers that they tell, each with the word behind it."""
    return set().union(*(Book(read(path)).phrases for path in LESSONS))


@functools.cache
def subject(page):
    paths = [path for pattern in SUBJECTS.get(page, []) for path in ROOT.glob(pattern)]
    assert paths or page not in SUBJECTS
    return set().union(*(in_text(path.read_text("utf-8")) for path in paths))


def unknown(page, text):
    if page in MEASURED:
        assert MEASURED[page] in text
        text = re.sub(rf"^{MEASURED[page]}$.*?(?=^## |\Z)", "", text, flags=re.M | re.S)
    given = Known(subject(page) | in_equations(text))
    for number in numbers(text):
        is_given = given.rounds_to(number) or (number.text, number.unit) in lessons()
        if not number.is_short and not is_given:
            yield number.text


@pytest.mark.parametrize("path", READ, ids=name_of)
def test_numbers_of_a_page_are_those_of_its_subject(path):
    need()
    page = name_of(path)
    assert set(unknown(page, path.read_text("utf-8"))) == set(REASONS.get(page, {})), (
        "take the number from the code, or name it among REASONS"
    )


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [
        ("README.md", "244 MB", "424 MB"),
        ("README.md", "all 70,000 images", "all 7,000 images"),
        ("grader/README.md", "200,000 characters", "210,000 characters"),
        ("grader/README.md", "2,000,000 brackets", "2,600,000 brackets"),
        ("solutions/grading.md", "up to 128 MiB", "up to 182 MiB"),
        ("helpers/data/samples/README.md", "1,520 and 386", "1,520 and 368"),
    ],
)
def test_a_wrong_number_is_noticed(page, right, wrong):
    need()
    text = (ROOT / page).read_text("utf-8")
    assert right in text
    assert set(unknown(page, text.replace(right, wrong))) - set(unknown(page, text))


# --- limits ------------------------------------------------------------------------------------

LIMIT = re.compile(r"\b(\d[\d,.]*|[a-z]+) (seconds?|minutes?|MiB)\b")
WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "thirty": 30}
SIZES = {"second": 1, "minute": 60, "MiB": MEBIBYTE}
NAMES = {"second": "second|timeout", "minute": "second|timeout", "MiB": "byte|mib"}
# Where the guides' limits stand besides.
FURTHER = {
    "README.md": ["helpers/_downloads.py"],
    "solutions/README.md": ["nbgrader_config.py", "helpers/assignment/*.py"],
}
# {page: what was measured, or is no limit}
NO_LIMITS = {
    "README.md": {"ten minutes"},  # of a lesson, which test_references holds
    "grader/README.md": {"1.3 seconds", "40 MiB"},  # measured
}


def limits(page, text):
    """What a page says of times and sizes: (the words, the kind of unit, the size)."""
    if page in MEASURED:
        text = re.sub(rf"^{MEASURED[page]}$.*?(?=^## |\Z)", "", text, flags=re.M | re.S)
    for match in LIMIT.finditer(text):
        number = WORDS.get(match[1]) or (match[1][0].isdigit() and float(match[1].replace(",", "")))
        if number:
            unit = match[2].removesuffix("s")
            yield match[0], unit, number * SIZES[unit]


@functools.cache
def constants(page):
    """The values of all names in the programs that a page is about: {name: values}."""
    paths = SUBJECTS[page] + FURTHER.get(page, [])
    found = set()
    for path in {path for pattern in paths for path in ROOT.glob(pattern) if path.suffix == ".py"}:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for name, given in given_values(node):
                code = ast.unparse(given).replace("MEBIBYTE", str(MEBIBYTE))
                found.add((name.lower(), value(ast.parse(code, mode="eval").body)))
    return found


def given_values(node):
    """Names with what a statement or a definition gives them."""
    if isinstance(node, ast.Assign):
        yield from ((ast.unparse(target), node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value:
        yield ast.unparse(node.target), node.value
    elif isinstance(node, ast.arguments):
        last = node.args[len(node.args) - len(node.defaults) :]
        yield from ((one.arg, given) for one, given in zip(last, node.defaults, strict=True))


def unknown_limits(page, text):
    for words, unit, size in limits(page, text):
        if not any(
            number == size and re.search(NAMES[unit], name) for name, number in constants(page)
        ):
            yield words


GUIDES = ["README.md", "solutions/README.md", "solutions/grading.md", "grader/README.md"]


@pytest.mark.parametrize("page", GUIDES)
def test_limits_of_a_page_are_those_of_its_programs(page):
    """A time or size that a guide names is the value of something that is called so."""
    text = (ROOT / page).read_text("utf-8")
    assert set(unknown_limits(page, text)) == NO_LIMITS.get(page, set())


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [
        ("README.md", "longer than 5 minutes", "longer than 50 minutes"),
        ("solutions/README.md", "after 20 seconds", "after 10 seconds"),
        ("solutions/README.md", "after two minutes", "after three minutes"),
        ("solutions/grading.md", "48 MiB", "64 MiB"),
        ("grader/README.md", "30 seconds", "90 seconds"),
    ],
)
def test_a_wrong_limit_is_noticed(page, right, wrong):
    text = (ROOT / page).read_text("utf-8")
    assert right in text
    assert set(unknown_limits(page, text.replace(right, wrong))) - set(unknown_limits(page, text))


def in_mebibytes(size):
    return f"{size / MEBIBYTE:g} MiB"


def in_minutes(seconds):
    """As the pages write it: small numbers in words."""
    words = {number: word for word, number in WORDS.items()}
    return f"{words[seconds / 60]} minutes"


SECONDS = inspect.signature(Checker).parameters["seconds"].default
DEEP = {number: word for word, number in WORDS.items()}[Limits.zip_depth]
# {page: what it says of limits, with the values of the very constants that it is about}
SAID = {
    "README.md": [
        f"when it takes longer than {_mnist.DOWNLOAD_SECONDS // 60} minutes, or when the server is "
        f"silent for {_downloads.SILENCE_SECONDS} seconds",
        f"That download is given up after {pretrained.DOWNLOAD_SECONDS // 60} minutes, or "
        f"{_downloads.SILENCE_SECONDS} seconds of silence",
    ],
    "solutions/README.md": [
        f"each call is stopped after {SECONDS:g} seconds, and sooner once that has happened twice; "
        f"a cell that never ends is stopped after {in_minutes(Policy.cell_seconds)}",
    ],
    "solutions/grading.md": [
        f"up to {in_mebibytes(Limits.file_bytes)} of the file; the rest may have "
        f"{in_mebibytes(Limits.notebook_bytes)} (`--notebook-mib`), with "
        f"{in_mebibytes(Limits.code_bytes)} of code in {Limits.cells:,} cells",
        f"also a zip in a zip: up to {DEEP} deep, with {Limits.inner_files:,} files and "
        f"{in_mebibytes(Limits.inner_bytes)} for each file of the batch",
        f"can take up to {in_minutes(Policy.total_seconds)} of a processor (`--total-seconds`)",
    ],
    "grader/README.md": [
        f"| bytes of the file | {in_mebibytes(Limits.file_bytes)} |",
        f"| {Limits.brackets:,} brackets |",
        f"pasted pictures | {in_mebibytes(Limits.notebook_bytes)} |",
        f"| {Limits.parts:,}, nested {Limits.depth} deep |",
        f"| cells, code | {Limits.cells:,}, {in_mebibytes(Limits.code_bytes)} |",
        f"| {parse.MOST_PARSED:,} characters |",
        f"| notebooks of one student that are looked at | {Limits.candidates} |",
        f"| files beside the notebook | {in_mebibytes(Limits.beside_bytes)} |",
        f"with {reader.CPU_SECONDS} seconds of processor time for a file and "
        f"{reader.MEMORY_BYTES // 2**30} GiB of memory",
    ],
}
# Figures of what was measured, beside those of NO_LIMITS.
MEASURED_ON_THE_WAY = {"grader/README.md": {"3 seconds"}}


@pytest.mark.parametrize("page", GUIDES)
def test_each_limit_of_a_page_is_that_of_what_the_sentence_is_about(page):
    """Not only of something: 128 MiB is a limit, too, but not that of a zip."""
    text = (ROOT / page).read_text("utf-8")
    for said in SAID[page]:
        assert said in text
        text = text.replace(said, "")
    known = NO_LIMITS.get(page, set()) | MEASURED_ON_THE_WAY.get(page, set())
    assert {words for words, *_ in limits(page, text)} <= known, "name it in SAID"


def test_other_figures_of_the_guides_are_those_of_the_grader():
    text = (ROOT / "solutions/grading.md").read_text("utf-8")
    assert IMPATIENCE == 0.1
    assert "not come to an end is given a tenth of its time from then on" in text
    assert Policy.wall_factor == 10
    assert "Wall time is a far backstop, ten times as long" in text
    assert "wall time ten times as long" in (ROOT / "grader/README.md").read_text("utf-8")
