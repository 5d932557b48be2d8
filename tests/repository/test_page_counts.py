"""What pages say of how many there are, and of which assignments something holds."""

import re

from tests.support.assignment_files import NAMES, graded_tests
from tests.support.lessons import ROOT

COUNTED = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def test_the_start_page_says_how_many_assignments_there_are():
    page = (ROOT / "site" / "index.md").read_text("utf-8")
    (word,) = re.findall(r"(\w+) of the lessons have an \[assignment\]", page)
    assert COUNTED.index(word.lower()) == len(NAMES)


def test_the_readme_says_which_lessons_have_an_assignment():
    for page in ("README.md", "notebooks/README.md"):
        text = (ROOT / page).read_text("utf-8")
        ends = re.findall(r"[Ll]essons (\d\d) to (\d\d) have an \[assignment\]", text)
        assert ends == [(NAMES[0][:2], NAMES[-1][:2])], page


def share_with_a_seed(name):
    """Of the tests of an assignment those whose hidden numbers come from the class's seed."""
    tests = graded_tests(name)
    return sum("check.hidden.rng(" in cell.source for cell in tests) / len(tests)


def test_the_guide_says_which_assignments_draw_their_hidden_numbers():
    page = (ROOT / "solutions" / "grading.md").read_text("utf-8")
    ((every, some),) = re.findall(
        r"All hidden tests of assignments ([\d, and]+) do this, "
        r"and most of those of ([\d, and]+);",
        page,
    )
    shares = {name[:2]: share_with_a_seed(name) for name in NAMES}
    assert set(re.findall(r"\d\d", every)) == {one for one in shares if shares[one] == 1}
    assert set(re.findall(r"\d\d", some)) == {one for one in shares if 0.5 <= shares[one] < 1}
