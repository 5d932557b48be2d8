"""From an answer to the page: nothing of a hidden test is on it, and parts of points are."""

import json
import re
from html import unescape

import nbformat
import pytest
from nbgrader.utils import determine_grade

from grader.cells import without_hidden
from grader.gradebook.feedback import make_page
from grader.gradebook.graded import executed_notebook, finish
from grader.gradebook.master import known_cells, master_notebook
from grader.intake.rebuild import Skeleton
from grader.judging import job
from grader.judging.policy import Policy
from tests.grader.test_gradebook import SETUP, cell
from tests.support import needs

pytestmark = pytest.mark.sandbox

NUMBER = 135914  # of the hidden tests alone
ANSWER = "def double(number):\n    return 2 * number"
CHECKED = f"""
# Two is doubled.
check("double", 2).gives(4)
### BEGIN HIDDEN TESTS
check.hidden("double", {NUMBER}).gives({2 * NUMBER})
### END HIDDEN TESTS
"""
PLAIN = f"""
# Two is doubled.
assert double(2) == 4
### BEGIN HIDDEN TESTS
assert double({NUMBER}) == {2 * NUMBER}
### END HIDDEN TESTS
"""
PARTS = """
# A point for each that is right.
score = 0
for number in (1, 2):
    score += double(number) == 2 * number
score
"""


def source(test, points=2):
    """An assignment with one task and one test."""
    cells = [
        cell("code", SETUP, "setup"),
        cell("code", ANSWER, "double", solution=True, locked=False),
        cell("code", test, "double_test", points, grade=True),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


class Graded:
    """What becomes of an answer: ``result``, ``notebook`` and ``page``."""

    def __init__(self, test, answer, extra=""):
        needs.sandbox()
        whole, released = source(test), source(without_hidden(test.strip()))
        submitted = nbformat.from_dict(released)
        submitted.cells[1].source = answer
        if extra:
            submitted.cells.append(nbformat.v4.new_code_cell(extra))
        skeleton = Skeleton(whole, released)
        cells, notes = skeleton.rebuild(submitted)
        data = {
            "assignment": "parts",
            "cells": [one.for_job() for one in cells],
            "policy": Policy().to_dict(),
            "class_seed": "one",
            "files": {},
            "seed": "seed",
        }
        self.result = json.loads(job.execute(json.dumps(data)))
        made = executed_notebook(cells, skeleton, self.result["outputs"])
        known = known_cells(master_notebook(whole))
        self.notebook = finish(made, known, self.result, notes)
        score = self.result["tests"]["double_test"]["score"]
        marks = {"score": score, "max_score": 2, "late_penalty": 0, "comments": {}}
        marks["cells"] = {"double_test": (score, 2)}
        self.page = make_page(self.notebook, marks, "ann", "x")
        self.words = " ".join(re.sub(r"<[^>]*>", "", unescape(self.page)).split())


STOPS = """
def double(number):
    if number == 2:
        return 4
    {}
"""
WAYS_TO_TELL = {
    "the name of an error": "raise type(f'N{number}', (ValueError,), {})",
    "what an error says": "raise ValueError(f'it was {number}')",
    "the name of one that ends Python": "raise type(f'N{number}', (SystemExit,), {})",
    "the name of a function": "exec(f'def N{number}(): raise NotImplementedError', globals()); "
    "globals()[f'N{number}']()",
    "the file of a function": "exec(compile('1/0', f'N{number}.py', 'exec'))",
    "the name of the result's class": "return type(f'N{number}', (), {})()",
    "the result": "return f'{number}'",
    "what it prints": "print(number); import sys; print(number, file=sys.stderr)",
    "a warning": "import warnings; warnings.warn(f'{number}')",
}


@pytest.mark.parametrize("test", [CHECKED, PLAIN], ids=["checked", "plain"])
@pytest.mark.parametrize("way", WAYS_TO_TELL)
def test_a_function_cannot_tell_what_a_hidden_test_gave_it(way, test):
    graded = Graded(test, STOPS.format(WAYS_TO_TELL[way]))
    failure = graded.result["tests"]["double_test"]["failure"]
    assert "hidden test fails" in failure["message"] or "hidden test" in graded.words
    kept = json.dumps(graded.notebook["cells"]).replace(json.dumps(PLAIN.strip())[1:-1], "")
    kept = kept.replace(json.dumps(CHECKED.strip())[1:-1], "")
    assert str(NUMBER) not in kept
    assert str(NUMBER) not in graded.page


@pytest.mark.parametrize("test", [CHECKED, PLAIN], ids=["checked", "plain"])
def test_an_honest_error_is_told_where_the_visible_test_meets_it(test):
    graded = Graded(test, "def double(number):\n    raise ValueError('I forgot')")
    assert "I forgot" in graded.words
    assert "ValueError" in graded.words


@pytest.mark.parametrize(
    ("answer", "score"),
    [(ANSWER, 2), ("def double(n):\n    return 2", 1), ("def double(n):\n    return 3", 0)],
)
def test_a_number_at_the_end_is_the_score(answer, score):
    graded = Graded(PARTS, answer)
    test = graded.result["tests"]["double_test"]
    assert (test["score"], test["max_score"]) == (score, 2)
    made = nbformat.from_dict(graded.notebook)
    nbformat.validate(made)
    (tested,) = (one for one in made.cells if one.id == "double_test")
    assert determine_grade(tested) == (score, 2)
    assert f"{score} of 2 points" in graded.words
    noted = "".join(one.source for one in made.cells if one.id == "grading-notes")
    assert ("of 2 points" in noted) == (score < 2)


@pytest.mark.parametrize(
    ("last", "score"),
    [("7", 2), ("-1", 0), ("True", 2), ("float('nan')", 2), ("'1'", 2), ("np.float64(0.5)", 0.5)],
)
def test_only_a_number_within_the_points_is_a_score(last, score):
    test = f"import numpy as np\nassert double(1) == 2\n{last}"
    assert Graded(test, ANSWER).result["tests"]["double_test"]["score"] == score


def test_a_test_beside_the_student_s_code_gives_parts_too():
    graded = Graded(
        f"import inspect\ninspect.isfunction(double)\n{PARTS}", "def double(n):\n    return 2"
    )
    assert graded.result["tests"]["double_test"]["score"] == 1


def test_a_failed_test_gives_nothing_whatever_its_number():
    graded = Graded("assert double(1) == 3\n1", ANSWER)
    assert graded.result["tests"]["double_test"]["score"] == 0
