"""A result's digest holds what the result depends on, and nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader import imports
from grader.batch.digest import ALWAYS, key_of
from grader.imports import code_digest, files_of, imported_by, modules_in
from tests.support.lessons import ROOT


@pytest.fixture
def course(tmp_path):
    for name in ("grader", "helpers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def digest_of(course, named=("helpers.ops", "helpers.data")):
    imports.forget()
    return code_digest(ALWAYS | frozenset(named), course)


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("grader/judging/judge.py", True),
        ("grader/judging/policy.py", True),
        ("grader/sandbox/inside/child.py", True),
        ("grader/sandbox/bwrap.py", True),
        ("grader/cells.py", True),
        ("helpers/assignment/checker.py", True),
        ("helpers/checks.py", True),
        ("helpers/ops/convolution.py", True),
        ("grader/gradebook/feedback.py", False),
        ("grader/batch/report.py", False),
        ("grader/intake/rebuild.py", False),  # what it makes stands in the job
        ("grader/authoring/release.py", False),
        ("helpers/plots/charts.py", False),
        ("helpers/command/doctor.py", False),
    ],
)
def test_a_change_matters_if_a_result_depends_on_it(course, name, matters):
    before = digest_of(course)
    assert digest_of(course) == before
    path = course / name
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert (digest_of(course) != before) is matters


def test_what_the_cells_import_matters(course):
    named = modules_in("from helpers.plots import charts")
    before = digest_of(course, named)
    path = course / "helpers/plots/charts.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert digest_of(course, named) != before


def test_data_beside_the_code_matters(course):
    named = modules_in("from helpers.pieces.draw_digit import DrawDigit")
    before = digest_of(course, named)
    path = course / "helpers/pieces/draw_digit/digit_net.json"
    path.write_bytes(path.read_bytes() + b"\n")
    assert digest_of(course, named) != before


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("import numpy as np", set()),
        ("import helpers.ops as ops", {"helpers.ops"}),
        ("from helpers import ops, plots", {"helpers", "helpers.ops", "helpers.plots"}),
        ("from helpers.data import load_mnist", {"helpers.data", "helpers.data.load_mnist"}),
        ("import helpers\nhelpers.plots.show(x)", {"helpers", "helpers.plots.show"}),
        ("def f(:\nfrom helpers.ops import (\n  relu,\n)", {"helpers.ops", "helpers.ops.relu"}),
        ("from helpers import ops as o", {"helpers", "helpers.ops"}),
        ("from grader.judging import pairs", {"grader.judging", "grader.judging.pairs"}),
    ],
)
def test_the_modules_that_a_text_names(code, named):
    assert modules_in(code) - {"helpers.ops.", "helpers."} == named


@pytest.mark.parametrize(
    ("code", "file"),
    [
        ("from helpers import (\n    data,  # pictures\n    plots,\n)", "helpers/plots/charts.py"),
        ("import helpers\nhelpers.plots.show()", "helpers/plots/charts.py"),
        ("import helpers as h\nh.plots.show()", "helpers/plots/charts.py"),
        ("from helpers import *", "helpers/plots/charts.py"),
        ("import importlib\nimportlib.import_module('helpers.plots')", "helpers/plots/charts.py"),
        ("from helpers.data import photos", "helpers/data/samples/cat.jpg"),
    ],
)
def test_what_a_trusted_text_can_reach(code, file):
    assert ROOT / file in files_of(imported_by(code), ROOT)
    assert ROOT / file not in files_of(imported_by("from helpers import checks"), ROOT)


def test_every_module_that_judging_loads_is_in_the_digest():
    """The imports are read from the text: what a module loads in another way would be missed."""
    imports.forget()
    code = (
        "import sys, grader.judging.job, grader.sandbox.inside.server\n"
        "print(*(m.__file__ for name, m in sys.modules.items() if m and "
        "name.split('.')[0] in ('grader', 'helpers') and getattr(m, '__file__', None)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    loaded = {Path(name) for name in done.stdout.decode().split()}
    inside = set((ROOT / "grader/sandbox/inside").glob("*.py"))
    assert ROOT / "grader/judging/run.py" in loaded
    assert loaded | inside <= files_of(ALWAYS, ROOT)


def test_the_key_depends_on_the_job_and_on_the_code():
    cell = {"cell_type": "code", "source": "x = 1"}
    job = {"assignment": "a", "cells": [cell], "policy": {}, "files": {}}
    assert key_of(job) == key_of(dict(job))
    assert key_of({**job, "files": {"a": "b"}}) != key_of(job)
    other = {**job, "cells": [{**cell, "source": "import helpers.plots"}]}
    assert key_of(other) != key_of(job)
