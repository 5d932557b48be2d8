"""What some tests need of the machine: where it is missing they are skipped, and say what to do."""

import shutil

import pytest

node = pytest.mark.skipif(
    shutil.which("node") is None, reason="needs Node.js: sudo apt install nodejs"
)
git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git: sudo apt install git")
make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make: sudo apt install make")


def sandbox():
    """Skip the test if students' code cannot be locked in here, with what to install."""
    from grader.sandbox.bwrap import NoSandbox, check_means

    try:
        check_means()
    except NoSandbox as missing:
        pytest.skip(str(missing))
