"""Full runs of nbgrader: what is given out, handed in with every kind of mistake, and graded."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.validator import Validator

from grader.authoring.release import generate
from grader.gradebook.submitted import write_submitted
from grader.intake.collect import collect
from grader.intake.rebuild import load_skeleton
from tests.support import needs
from tests.support.assignment_files import cells, graded_tests, release, released, source
from tests.support.lessons import ROOT

NAME = "01-convolution-by-hand"
TASKS = ("correlate2d", "correlate_channels", "filter_bank", "edge_strength")
# The programs of nbgrader, and alembic, which it calls.
BIN = Path(sys.executable).parent
SECONDS = 8  # what a cell may take here, so that the endless ones do not hold up the tests


def nbgrader(*arguments, cwd):
    """Run nbgrader as an instructor does; the process, with its output."""
    return subprocess.run(
        [BIN / "nbgrader", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
    )


def solved(name, **answers):
    """The student version with the reference solution, or with these answers, filled in."""
    notebook = release(name)
    reference = {cell.grade_id: cell.source for cell in cells(name) if cell.kind == "solution"}
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in reference:
            text = answers.get(grade_id, reference[grade_id])
            cell.source = "\n".join(line for line in text.split("\n") if "### " not in line)
    return notebook


def returns(task, value):
    """An answer that returns this, whatever it is given."""
    return f"import numpy as np\n\n\ndef {task}(*args, **kwargs):\n    return {value}"


def points(task):
    return sum(cell.points for cell in graded_tests(NAME) if f'"{task}"' in cell.source)


def without_first_test(notebook):
    """The notebook of a student who edited one test and deleted the others of the first task."""
    kept = []
    first = [cell.grade_id for cell in graded_tests(NAME) if f'"{TASKS[0]}"' in cell.source]
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id == first[0]:
            cell.source = "pass"
        if grade_id not in first[1:]:
            kept.append(cell)
    notebook.cells = kept
    return notebook


def from_an_older_release(notebook):
    """A notebook in which a test has an id and a text that today's release does not know."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == graded_tests(NAME)[0].grade_id:
            cell.metadata["nbgrader"]["grade_id"] = "a_test_of_last_year"
            cell.source = 'raise AssertionError("last year")'
    return notebook


def with_a_copied_cell(notebook):
    place = next(i for i, cell in enumerate(notebook.cells) if cell.id == TASKS[0])
    notebook.cells.insert(place + 1, nbformat.from_dict(dict(notebook.cells[place])))
    return notebook


FULL = dict.fromkeys(TASKS, 1)
# What each student hands in, and the share of the points of each task that it should get.
SUBMISSIONS = {
    "solved": (lambda: solved(NAME), FULL),
    "unsolved": (lambda: release(NAME), dict.fromkeys(TASKS, 0)),
    "none_list_nan_error": (
        lambda: solved(
            NAME,
            correlate2d=returns("correlate2d", "None"),
            correlate_channels=returns("correlate_channels", "[[1, 2], [3, 4]]"),
            filter_bank=returns("filter_bank", "np.full((2, 3, 3), np.nan)"),
            edge_strength=returns("edge_strength", "1 / 0"),
        ),
        dict.fromkeys(TASKS, 0),
    ),
    "missing_text_endless": (
        lambda: solved(
            NAME,
            correlate2d="# I did not know",
            correlate_channels=returns("correlate_channels", "'the answer'"),
            filter_bank="while True:\n    pass",
        ),
        {**dict.fromkeys(TASKS, 0), "edge_strength": 1},
    ),
    "syntax_error": (
        lambda: solved(NAME, correlate2d="def correlate2d(image, kernel)\n    return image"),
        {**FULL, "correlate2d": 0},
    ),
    "tests_changed_and_deleted": (
        lambda: without_first_test(solved(NAME, correlate2d=returns("correlate2d", "None"))),
        {**FULL, "correlate2d": 0},
    ),
    "in_disorder": (lambda: with_a_copied_cell(from_an_older_release(solved(NAME))), FULL),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder in which a batch was collected, graded, given feedback and exported."""
    needs.sandbox()
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "solutions", root / "solutions")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    generate([NAME], root)
    batch = root / "batch"
    for student, (make, _) in SUBMISSIONS.items():
        path = batch / (
            f"{student}/my work (2).ipynb" if student == "in_disorder" else f"{student}.ipynb"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(make(), path)
    (batch / "cut_off.ipynb").write_text('{"cells": [')
    write_submitted(
        collect(batch, NAME).submissions,
        NAME,
        root / "grading/submitted",
        load_skeleton(NAME, root),
        lambda text: None,
    )
    done = nbgrader("autograde", NAME, f"--Execute.timeout={SECONDS}", cwd=root)
    assert done.returncode == 0, done.stderr[-3000:]
    done = nbgrader("generate_feedback", NAME, cwd=root)
    assert done.returncode == 0, done.stderr[-3000:]
    done = nbgrader("export", "--to", "grading/grades.csv", cwd=root)
    assert done.returncode == 0, done.stderr[-3000:]
    return root


@pytest.mark.parametrize("student", SUBMISSIONS)
def test_marks_are_zero_for_the_wrong_part_only(course, student):
    with open(course / "grading/grades.csv", encoding="utf-8", newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    expected = sum(share * points(task) for task, share in SUBMISSIONS[student][1].items())
    assert scores[student] == expected
    assert set(scores) == set(SUBMISSIONS)  # the one that was cut off was reported, not graded


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("unsolved", "correlate2d: it is not written yet"),
        ("none_list_nan_error", "the result is None. Does the function end with `return`?"),
        ("none_list_nan_error", "is a list, not an array"),
        ("none_list_nan_error", "values are NaN"),
        ("none_list_nan_error", "ZeroDivisionError"),
        ("missing_text_endless", "There is no `correlate2d` in this notebook"),
        ("missing_text_endless", "is a str, not an array"),
        ("missing_text_endless", "CellTimeoutError"),
        ("syntax_error", "SyntaxError"),
    ],
)
def test_feedback_says_why(course, student, says):
    from html import unescape

    page = (course / f"grading/feedback/{student}/{NAME}/{NAME}.html").read_text(encoding="utf-8")
    assert " ".join(says.split()) in " ".join(unescape(page).split())


def test_the_bank_is_not_put_beside_what_students_wrote(course):
    names = {path.name for path in (course / "grading/autograded").rglob("*")}
    assert f"{NAME}.ipynb" in names
    assert not {name for name in names if name.endswith(".py") or name == "bank"}


# One with tests alone, one with a task that is marked by hand. That the others' tests pass, in the
# notebook as it stands, is known from tests/grader/test_bank.py, without a kernel for each.
@pytest.mark.parametrize("name", [NAME, "07-alexnet"])
def test_nbgrader_finds_nothing_wrong_in_the_source(name, tmp_path):
    assert validated(source(name), name, tmp_path) == {}


def test_nbgrader_names_the_tests_that_a_release_fails(tmp_path):
    failed = validated(release(NAME), NAME, tmp_path)["failed"]
    assert len(failed) == len(graded_tests(NAME))


def validated(notebook, name, folder):
    """What the button *Validate* finds: it runs the notebook in a kernel, as it stands."""
    shutil.copytree(released(name).parent, folder / name)
    path = folder / name / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return Validator().validate(str(path))
