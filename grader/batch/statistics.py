"""What a class has understood: each test with the share that passes, and the known mistakes."""

from __future__ import annotations

import base64
import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grader.batch.report import number
from grader.batch.store import Store
from grader.files import write_whole
from grader.gradebook.book import Book
from grader.gradebook.marks import Marks, marks_of_class
from grader.gradebook.page import FORM
from grader.records import Record
from grader.text import for_table

OF_TESTS = (
    "test",
    "claim",
    "points",
    "students",
    "passed",
    "share",
    "mean_share",
    "discrimination",
)
BINS = 10
BLUE = "#005a9c"


class OneTest(NamedTuple):
    """What a class made of one test.

    Attributes
    ----------
    test : str
    claim : str
        What it checks.
    points : float
    students : int
    passed : int
        Who have all of its points.
    mean_share : float
        Of the points, from 0 to 1, over the class.
    discrimination : float or None
        The correlation of its points with those of all other tests: near 0 or below, the test
        does not tell who has understood. None where one of both is the same for everybody.
    """

    test: str
    claim: str
    points: float
    students: int
    passed: int
    mean_share: float
    discrimination: float | None

    @property
    def share(self) -> float:
        """The share of the class that passes."""
        return self.passed / self.students if self.students else 0.0


class Mistake(NamedTuple):
    """A known mistake, as students read it, and how many have made it."""

    sentence: str
    students: int


def statistics_of(
    book: Book, marks: Mapping[str, Marks], records: Sequence[Record]
) -> tuple[list[OneTest], list[Mistake]]:
    """The tests in the order of the notebook, and the mistakes, the most frequent first.

    Notebooks that could not be graded are not counted.
    """
    graded = [one for one in records if one["student"] in marks and one["tests"]]
    tests = book.skeleton.test_ids
    points = np.array([float(book.known[test].metadata.nbgrader["points"]) for test in tests])
    scores = np.array([[marks[one["student"]].tests.get(t, 0.0) for t in tests] for one in graded])
    scores = scores.reshape(len(graded), len(tests))
    rest = scores.sum(axis=1, keepdims=True) - scores
    found = []
    for place, test in enumerate(tests):
        mine = scores[:, place]
        claim = book.known[test].source.strip().partition("\n")[0].lstrip("# ").strip()
        share = float(mine.mean() / points[place]) if len(mine) and points[place] else 0.0
        passed = int((mine >= points[place]).sum())
        discrimination = _correlation(mine, rest[:, place])
        found.append(
            OneTest(test, claim, float(points[place]), len(mine), passed, share, discrimination)
        )
    counts = Counter(sentence for one in graded for sentence in one["diagnoses"])
    return found, [Mistake(*pair) for pair in counts.most_common()]


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    if len(one) < 2 or not one.std() or not other.std():
        return None
    return float(np.corrcoef(one, other)[0, 1])


def write_statistics(book: Book) -> list[Path]:
    """Write tests.csv, mistakes.csv and statistics.html into grading/ASSIGNMENT.

    Raises
    ------
    BookError
        If the gradebook is locked.
    """
    folder = book.root / "grading" / book.assignment
    marks = marks_of_class(book)
    tests, mistakes = statistics_of(book, marks, list(Store(folder).records()))
    students = tests[0].students if tests else 0
    rows: list[list[Any]] = [
        [
            *(one.test, one.claim, number(one.points), one.students, one.passed),
            *(round(one.share, 4), round(one.mean_share, 4)),
            "" if one.discrimination is None else round(one.discrimination, 3),
        ]
        for one in tests
    ]
    _write_table(folder / "tests.csv", OF_TESTS, rows)
    told = [[one.sentence, one.students, round(one.students / students, 4)] for one in mistakes]
    _write_table(folder / "mistakes.csv", ("mistake", "students", "share"), told)
    totals = [mark.total / mark.max_score for mark in marks.values() if mark.max_score]
    page = folder / "statistics.html"
    write_whole(page, make_page(book.assignment, tests, mistakes, totals))
    return [folder / "tests.csv", folder / "mistakes.csv", page]


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(map(for_table, row) for row in rows)
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def make_page(
    assignment: str,
    tests: Sequence[OneTest],
    mistakes: Sequence[Mistake],
    totals: Sequence[float],
) -> str:
    """The page's text; the totals are shares of all points, one for each student."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FORM), autoescape=True, undefined=jinja2.StrictUndefined
    )
    with matplotlib.rc_context({"svg.hashsalt": assignment, "font.family": "sans-serif"}):
        pictures = {"shares": _shares(tests), "totals": _totals(totals)}
    return environment.get_template("statistics.html.j2").render(
        assignment=assignment,
        css=Markup((FORM / "page.css").read_text(encoding="utf-8")),
        tests=tests,
        mistakes=mistakes,
        students=len(totals),
        graded=tests[0].students if tests else 0,
        **pictures,
    )


def _shares(tests: Sequence[OneTest]) -> str:
    """A bar for each test: the share of the class that passes."""
    figure = Figure(figsize=(8, 0.6 + 0.26 * len(tests)), layout="constrained")
    axes = figure.subplots()
    axes.barh([one.test for one in tests], [100 * one.share for one in tests], color=BLUE)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.margins(y=0.01)
    axes.set_xlabel("% of the class that passes")
    return _svg(figure)


def _totals(totals: Sequence[float]) -> str:
    """How many students have which share of all points."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    # Extra credit can go beyond all points.
    shares = [100 * min(1.0, total) for total in totals]
    axes.hist(shares, bins=BINS, range=(0, 100), color=BLUE, edgecolor="white")
    axes.set_xlabel("% of all points, marks by hand included")
    axes.set_ylabel("students")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return _svg(figure)


def _svg(figure: Figure) -> str:
    """The figure as an address that holds it."""
    made = io.BytesIO()
    figure.savefig(made, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(made.getvalue()).decode()
