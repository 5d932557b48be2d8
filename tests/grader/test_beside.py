"""Files beside the notebook: the instructor's, and what students may hand in besides."""

import json
import sys
from unittest import mock

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.gradebook.submitted import write_submitted
from grader.intake.beside import files_of
from grader.intake.collect import Unreadable, collect
from grader.intake.rebuild import load_skeleton
from grader.judging import job
from grader.judging.policy import Limits
from grader.sandbox.bwrap import NoSandbox, check_means
from tests.grader.attacks.trial import POLICY, light_server

pytestmark = [pytest.mark.sandbox]
try:
    check_means()
except NoSandbox as error:
    pytestmark.append(pytest.mark.skip(reason=str(error)))

NAME = "08-plain"
SETUP = "import given\nrows = [int(n) for n in open('table.csv').read().split(',')]"
ANSWER = "import mine\n\ndef total():\n    return mine.double(sum(rows)) + given.one"
TEST = "# With the helper and the table.\nassert total() == 2 * sum(rows) + given.one"


@pytest.fixture
def root(tmp_path):
    """A course with an assignment that needs files, and one student's folder."""
    cells = []
    for kind, grade_id, source in (
        ("setup", "setup", SETUP),
        ("solution", "total", ANSWER),
        ("test", "total_value", TEST),
    ):
        cells.append(new_code_cell(source, id=grade_id))
        cells[-1].metadata["nbgrader"] = {
            "grade": kind == "test",
            "grade_id": grade_id,
            "locked": kind != "solution",
            "points": 4,
            "schema_version": 3,
            "solution": kind == "solution",
            "task": False,
        }
    made = new_notebook(cells=cells, metadata={"course": {"files": ["mine.py", "given.py"]}})
    handed_in = tmp_path / "batch" / "ann"
    for folder in (tmp_path / "solutions" / NAME, tmp_path / "assignments" / NAME, handed_in):
        folder.mkdir(parents=True)
        nbformat.write(made, folder / f"{NAME}.ipynb")
        if folder != handed_in:
            (folder / "given.py").write_text("one = 1")
            (folder / "table.csv").write_text("3,4")
    (handed_in / "mine.py").write_text("def double(x):\n    return 2 * x")
    # What the assignment has is never taken from a student, and never run by the grader.
    (handed_in / "given.py").write_text("one = 100")
    (handed_in / "json.py").write_text("raise SystemExit")
    return tmp_path


@pytest.fixture(scope="module")
def server():
    made = light_server()
    yield made
    made.close()


def graded(root, server, patterns=None):
    """The result of the one submission, and its notes."""
    skeleton = load_skeleton(NAME, root)
    (submission,) = collect(root / "batch", NAME).submissions
    files, beside = files_of(NAME, root)
    patterns = skeleton.files if patterns is None else patterns
    reading = submission.read(NAME, skeleton.known, Limits(), patterns, {*files, *beside})
    cells, notes = skeleton.rebuild(reading.notebook)
    data = {
        "assignment": NAME,
        "cells": [cell.for_job() for cell in cells],
        "policy": POLICY.to_dict(),
        "class_seed": "one",
        "seed": "trial",
        "files": files,
        "beside": beside,
        "handed_in": reading.files,
    }
    with mock.patch.object(job, "server", return_value=server):
        return json.loads(job.execute(json.dumps(data))), reading.notes + notes


def test_the_helper_and_the_table_are_there(root, server):
    before = list(sys.path)
    result, notes = graded(root, server)
    assert result["tests"]["total_value"]["score"] == 4
    assert notes == [
        "handed in beside the notebook, and not there when it runs: json.py",
        "nothing is answered in it: is it the right file?",
    ]
    assert sys.path == before


def test_what_lies_beside_the_notebook_can_only_be_read(root, server):
    path = root / "batch" / "ann" / f"{NAME}.ipynb"
    made = nbformat.read(path, as_version=4)
    tries = [f"open({name!r}, 'a').write('5')" for name in ("table.csv", "mine.py")]
    for code in tries:
        made.cells.insert(1, new_code_cell(code))
    nbformat.write(made, path)
    result, _ = graded(root, server)
    assert json.dumps(result["outputs"]).count("PermissionError: ") == len(tries)
    assert result["tests"]["total_value"]["score"] == 4


def test_a_helper_that_is_not_asked_for_is_not_there(root, server):
    result, notes = graded(root, server, patterns=[])
    assert "failure" in result["tests"]["total_value"]
    assert "mine.py" in notes[0]


def test_nbgrader_is_given_the_helper_too(root):
    skeleton = load_skeleton(NAME, root)
    submitted = root / "grading" / "submitted"
    found = collect(root / "batch", NAME).submissions
    write_submitted(found, NAME, submitted, skeleton, lambda line: None)
    folder = submitted / "ann" / NAME
    assert (folder / "mine.py").read_text() == (root / "batch/ann/mine.py").read_text()
    assert not (folder / "json.py").exists()


def test_files_of_an_assignment_have_a_limit(root, monkeypatch):
    monkeypatch.setattr(Limits, "beside_bytes", 3)
    with pytest.raises(Unreadable, match="larger than"):
        files_of(NAME, root)
