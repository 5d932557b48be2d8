"""In which order the workers of xdist are given the tests: what takes longest comes first.

xdist gives out whole files, by itself those with the most tests first. Then a notebook of a minute
comes last, and all workers but one wait for it. The order hardly matters for what takes seconds:
there it stays.
"""

import re
from collections import Counter

import pytest

# What takes half a minute or more, the longest first in each verb; --cpu shows the seconds.
FIRST = (
    "tests/notebooks/test_full_mnist.py",
    "tests/grader/test_bank.py",
    "notebooks/",
    "tests/grader/test_nbgrader_round_trip.py",
    "tests/helpers/command/test_course_for_real.py",
    "tests/grader/test_attacks.py",
    "tests/grader/test_class.py",
    "tests/grader/test_semester.py",
    "tests/grader/test_killed.py",
    "tests/grader/test_load.py",
    "tests/e2e/test_site_browser.py",
    "tests/e2e/test_lab.py",  # beside the building of the site, which the first one begins with
    "tests/e2e/test_site_content.py",
)
# A file of a third of all tests, which may go to several workers: what its tests share belongs to
# one assignment.
SPLIT = "tests/grader/test_bank.py"
ASSIGNMENT = re.compile(r"\b\d\d-")


def place(nodeid):
    """Where in the order a test stands."""
    return next((i for i, name in enumerate(FIRST) if nodeid.startswith(name)), len(FIRST))


def unit(nodeid):
    """The name of what one worker runs as a whole, and this test with it."""
    file, _, test = nodeid.partition("::")
    assignment = ASSIGNMENT.search(test) if file == SPLIT else None
    return file + (assignment[0] if assignment else "")


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        sizes = Counter(unit(item.nodeid) for item in items)
        items.sort(key=lambda item: (place(item.nodeid), -sizes[unit(item.nodeid)]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class LongFirst(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return unit(nodeid)

    config.option.loadscopereorder = False  # in the order of the items
    return LongFirst(config, log)
