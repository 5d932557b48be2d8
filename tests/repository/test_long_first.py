"""The order in which workers are given the tests."""

import os
import re
import subprocess
import sys

from tests.support.lessons import ROOT
from tests.support.long_first import FIRST, SPLIT, unit

BANK = """
import pytest
names = pytest.mark.parametrize("name", ["01-a", "02-b"])
@names
def test_right(name): pass
@names
def test_wrong(name): pass
"""


def test_the_longest_files_come_first_and_the_bank_in_parts(tmp_path):
    texts = {
        "tests/test_few.py": "def test_it(): pass",
        "tests/test_many.py": "def test_it(): pass\ndef test_that(): pass",
        FIRST[0]: "def test_it(): pass",
        SPLIT: BANK,
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    plugins = ("-p", "xdist", "-p", "tests.support.long_first")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-v", "-n", "1", "--dist", "loadfile"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert re.findall(r"PASSED (\S+)", done.stdout) == [
        f"{FIRST[0]}::test_it",
        f"{SPLIT}::test_right[01-a]",
        f"{SPLIT}::test_wrong[01-a]",
        f"{SPLIT}::test_right[02-b]",
        f"{SPLIT}::test_wrong[02-b]",
        "tests/test_many.py::test_it",
        "tests/test_many.py::test_that",
        "tests/test_few.py::test_it",
    ]


def test_the_files_that_are_named_exist():
    assert [name for name in (*FIRST, SPLIT) if not (ROOT / name).exists()] == []


def test_tests_of_an_assignment_stay_together():
    """Whether their names begin with it or with another value."""
    names = ("[03-max_pool2d-x]", "[None-03-activations-and-pooling-max_pool2d]")
    assert len({unit(f"{SPLIT}::test{name}") for name in names}) == 1
    assert unit(f"{SPLIT}::test[04-conv2d-x]") != unit(f"{SPLIT}::test{names[0]}")
    assert unit("tests/grader/test_pairs.py::test[04-a]") == "tests/grader/test_pairs.py"
