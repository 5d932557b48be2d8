"""A submission becomes the same job, whoever grades it."""

import inspect
import json

import pytest

from grader.batch import coordinator
from grader.cells import Cell
from grader.gradebook import nbgrader_execute
from grader.intake.jobs import make_job
from grader.judging.policy import Policy

CELLS = [Cell("solution", "code", "def f():\n    return 1", "f")]
GIVEN = {
    "assignment": "one",
    "cells": CELLS,
    "policy": Policy(),
    "class_seed": "one",
    "files": {},
    "beside": {},
    "handed_in": {},
    "language": "en",
}


def test_the_same_work_draws_the_same_numbers():
    job = make_job(**GIVEN)
    assert job == make_job(**GIVEN)
    assert json.loads(json.dumps(job))["cells"][0]["source"] == CELLS[0].source


@pytest.mark.parametrize("change", GIVEN)
def test_other_work_draws_others(change):
    other = {
        "assignment": "two",
        "cells": [Cell("solution", "code", "def f():\n    return 2", "f")],
        "policy": Policy(cell_seconds=7),
        "class_seed": "two",
        "files": {"checks.json": "{}"},
        "beside": {"data.csv": "MQ=="},
        "handed_in": {"mine.py": "MQ=="},
        "language": "ko",
    }
    seed = make_job(**GIVEN)["seed"]
    assert len(seed) == 40
    assert make_job(**{**GIVEN, change: other[change]})["seed"] != seed


@pytest.mark.parametrize("module", [coordinator, nbgrader_execute])
def test_both_ways_make_it_here(module):
    assert module.make_job is make_job
    assert "for_job" not in inspect.getsource(module)
