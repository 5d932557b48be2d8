"""`course new`: what it makes is in form, with or without a bank, with or without a lesson."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from grader.authoring import new
from grader.authoring.release import LEFT_OUT, make_students_copy
from grader.authoring.source import assignments
from helpers.assignment.overview import overview
from helpers.command.files import lessons
from tests.support.lessons import ROOT

FREE = [one.stem for one in lessons(ROOT) if one.stem[:2].isdecimal() and one.stem[:2] != "00"]
FREE = [name for name in FREE if name not in assignments()]
# The one has a lesson's name, and no bank; the other one a bank, and no lesson of its number.
NAMES = (FREE[-1], "77-negative")
FORM = ("tests/notebooks/test_assignments.py", "tests/grader/test_bank.py")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course with two new assignments in it, and what was said."""
    root, said = tmp_path_factory.mktemp("new") / "course", []
    ignore = shutil.ignore_patterns(*LEFT_OUT, ".*", "build", "grading")
    shutil.copytree(ROOT, root, ignore=ignore)
    new.begin(NAMES[0], root, show=said.append)
    new.begin(NAMES[1], root, title="Make negatives", bank=True, show=said.append)
    return root, "\n".join(said)


def test_they_are_in_form(course):
    """By the tests of the form and of the banks, in the copy."""
    chosen = [*NAMES, f"{NAMES[0][:2]}-invert", "77-invert", "rules", "promised", "means_one"]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *FORM),
            # That the release is what nbgrader makes is so by how it was made just now.
            *("-k", f"({' or '.join(chosen)}) and not what_nbgrader_makes"),
        ],
        cwd=course[0],
        env={**os.environ, "PYTHONPATH": str(course[0])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split(" passed")[0].split()[-1]) > 40


def test_the_lesson_and_the_list_lead_to_them(course):
    root, said = course
    text = (root / "assignments" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.split("\n") if line.startswith("| ") and line[2:4].isdecimal()]
    assert rows == sorted(rows)
    assert f"| {NAMES[0][:2]} |" in next(row for row in rows if NAMES[0] in row)
    assert rows[-1] == "| 77 [Make negatives](77-negative/77-negative.ipynb) | – |"
    path = root / "notebooks" / f"{NAMES[0]}.ipynb"
    before = nbformat.read(ROOT / "notebooks" / path.name, as_version=4)
    after = nbformat.read(path, as_version=4)
    link = f"../assignments/{NAMES[0]}/{NAMES[0]}.ipynb"
    parts = after.cells[-1].source.split("\n\n")
    (place,) = [n for n, part in enumerate(parts) if link in part]
    assert "**Back:**" in parts[place + 1]
    assert "\n\n".join(parts[:place] + parts[place + 1 :]) == before.cells[-1].source
    assert after.cells[:-1] == before.cells[:-1]
    assert "course assignments 77" in said
    assert "CONTRIBUTING.md" in said


def test_students_can_begin_them(course, tmp_path):
    given = make_students_copy(tmp_path / "given", course[0])
    lines = []
    assert overview(lines.append, given / "assignments")
    text = "\n".join(lines)
    assert "  77  Make negatives " in text
    assert text.count("not begun") == len(assignments()) + 2
    files = {path.name for path in (given / "assignments" / NAMES[1]).iterdir()}
    assert files == {f"{NAMES[1]}.ipynb", "checks.json"}


@pytest.mark.parametrize(
    ("name", "more", "why"),
    [
        ("9-topic", {}, "begins with a number of two digits"),
        ("09 topic", {}, "begins with a number of two digits"),
        ("78-Topic", {}, "small letters"),
        ("../78-topic", {}, "begins with a number"),
        ("78", {}, "for instance 09-topic"),
        ("", {}, "for instance 09-topic"),
        ("01-other", {}, "has the number 01 already"),
        ("01-convolution-by-hand", {}, "There is a solutions/01-convolution-by-hand already"),
        ("78-topic", {"lesson": True}, "There is no lesson 78"),
    ],
)
def test_what_cannot_be_begun_is_refused_and_nothing_is_written(name, more, why):
    before = sorted(path.name for path in (ROOT / "solutions").iterdir())
    listed = (ROOT / "assignments" / "README.md").read_bytes()
    with pytest.raises(SystemExit, match=why):
        new.begin(name, ROOT, **more)
    assert sorted(path.name for path in (ROOT / "solutions").iterdir()) == before
    assert (ROOT / "assignments" / "README.md").read_bytes() == listed


def test_the_command_line(monkeypatch):
    asked = []
    monkeypatch.setattr(new, "begin", lambda name, **how: asked.append((name, how)))
    monkeypatch.setattr("sys.argv", ["new", "78-topic", "--bank", "--title", "A title"])
    new.main()
    assert asked == [("78-topic", {"title": "A title", "bank": True, "lesson": False})]
