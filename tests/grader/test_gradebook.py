"""The gradebook, the graded notebooks and the feedback are what nbgrader itself would write."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import determine_grade
from sqlalchemy import text

from grader.authoring.release import generate, make_assignments
from grader.authoring.table import Part
from grader.gradebook import master
from grader.gradebook.book import Book
from grader.gradebook.feedback import MOST_ON_A_PAGE, TOO_LONG, update_feedback, write_feedback
from grader.gradebook.graded import EVIDENCE_ID, NOTES_ID, executed_notebook, finish
from grader.gradebook.hidden import hide
from grader.gradebook.master import BookError, load_config
from grader.intake.rebuild import load_skeleton
from grader.judging import job
from grader.judging.policy import Policy
from grader.outputs import clean_outputs
from tests.support import needs
from tests.support.lessons import ROOT

pytestmark = pytest.mark.sandbox

PARTS, REAL = "parts", "01-convolution-by-hand"
BIN = Path(sys.executable).parent
SECRET = "a number that nobody knows: 271828"

SETUP = """
from helpers.assignment import Checker

check = Checker("parts")
"""
SOLUTION = """
def double(number):
    ### BEGIN SOLUTION
    return 2 * number
    ### END SOLUTION
"""
TEST = """
# Two is doubled.
check("double", 2).gives(4)
### BEGIN HIDDEN TESTS
hidden_input = 135914.0
check.hidden("double", hidden_input).gives(hidden_input + hidden_input)
### END HIDDEN TESTS
"""
PLAIN_TEST = """
# Zero stays.
assert double(0) == 0
### BEGIN HIDDEN TESTS
assert double(-3141592) == -6283184, "expected -6283184"
### END HIDDEN TESTS
"""
TASK = f"""
Draw a picture.

=== BEGIN MARK SCHEME ===

{SECRET}

=== END MARK SCHEME ===
"""


def cell(kind, text, grade_id, points=None, **flags):
    meta = {
        "grade_id": grade_id,
        "schema_version": 3,
        "grade": False,
        "solution": False,
        "locked": True,
        "task": False,
        **flags,
    }
    if points is not None:
        meta["points"] = points
    made = getattr(nbformat.v4, f"new_{kind}_cell")(text.strip(), metadata={"nbgrader": meta})
    made.id = grade_id
    return made


def parts():
    """An assignment with a cell of every kind that nbgrader grades."""
    cells = [
        cell("markdown", "# Parts\n\n<details><summary>More</summary>none</details>", "title"),
        cell("code", SETUP, "setup"),
        cell("code", SOLUTION, "double", solution=True, locked=False),
        cell("code", TEST, "double_two", 2, grade=True),
        cell("code", PLAIN_TEST, "double_zero", 1, grade=True),
        cell("markdown", "Why?", "why", 3, grade=True, solution=True, locked=False),
        cell("code", "# A loop\n", "loop", 4, grade=True, solution=True, locked=False),
        cell("markdown", TASK, "picture", 5, task=True),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def answered(notebook, extra="", **answers):
    """A student's notebook with these answers, and a cell of the student's own."""
    for one in notebook.cells:
        grade_id = one.metadata.get("nbgrader", {}).get("grade_id")
        one.source = answers.get(grade_id, one.source)
    if extra:
        notebook.cells.insert(3, nbformat.v4.new_code_cell(extra))
    return notebook


def without_solution_marks(text):
    return "\n".join(line for line in text.split("\n") if "### " not in line)


def handed_in(root):
    """What students hand in, by assignment and student."""
    path = root / "assignments" / PARTS / f"{PARTS}.ipynb"
    real = root / "assignments" / REAL / f"{REAL}.ipynb"
    right = without_solution_marks(SOLUTION).strip()
    reference = {
        c.metadata.nbgrader.grade_id: without_solution_marks(c.source)
        for c in nbformat.read(ROOT / "solutions" / REAL / f"{REAL}.ipynb", 4).cells
        if c.metadata.get("nbgrader", {}).get("solution")
    }
    return {
        PARTS: {
            "all": answered(
                nbformat.read(path, 4), 'print("mine")', double=right, why="So.", loop="pass"
            ),
            "nothing": nbformat.read(path, 4),
            "some": answered(
                nbformat.read(path, 4), double="def double(n):\n    return n * n", why="Perhaps"
            ),
        },
        REAL: {
            "all": answered(nbformat.read(real, 4), **reference),
            "nothing": nbformat.read(real, 4),
            "some": answered(nbformat.read(real, 4), correlate2d=reference["correlate2d"]),
        },
    }


def nbgrader(*arguments, cwd, path=None, **environment):
    path = path or f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [BIN / "nbgrader", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", **environment},
    )


def lay_out(root, submissions=None):
    """Write what was handed in where nbgrader looks for it."""
    for assignment, notebooks in (submissions or handed_in(root)).items():
        for student, notebook in notebooks.items():
            folder = root / "grading" / "submitted" / student / assignment
            folder.mkdir(parents=True)
            nbformat.write(notebook, folder / f"{assignment}.ipynb")


def copy_course(course, root):
    """The same course, with a gradebook of its own."""
    root.mkdir()
    for name in ("solutions", "assignments"):
        shutil.copytree(course / name, root / name)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    return root


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with two assignments, entered into the gradebook by nbgrader itself."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "solutions" / REAL, root / "solutions" / REAL)
    (root / "solutions" / PARTS).mkdir()
    nbformat.write(parts(), root / "solutions" / PARTS / f"{PARTS}.ipynb")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    generate([PARTS, REAL], root)
    return root


@pytest.fixture(scope="module")
def results(course):
    """What the jobs say about what was handed in: by assignment and student, with the cells."""
    needs.sandbox()
    found = {}
    for assignment, notebooks in handed_in(course).items():
        skeleton = load_skeleton(assignment, course)
        for student, notebook in notebooks.items():
            cells, _ = skeleton.rebuild(notebook)
            data = {
                "assignment": assignment,
                "cells": [vars(one) for one in cells],
                "policy": Policy().to_dict(),
                "class_seed": "one",
                "files": {},
                "seed": "seed",
            }
            result = json.loads(job.execute(json.dumps(data)))
            assert result["outcome"] == "graded"
            found.setdefault(assignment, {})[student] = (skeleton, cells, result)
    return found


def record(book, results, assignment=PARTS, students=("all", "nothing", "some"), **options):
    """Record the results in a book."""
    for student in students:
        skeleton, cells, result = results[assignment][student]
        notebook = executed_notebook(cells, skeleton, result["outputs"])
        book.record(student, {**result, **options}, notebook)


@pytest.fixture(scope="module")
def recorded(course, results, tmp_path_factory):
    root = copy_course(course, tmp_path_factory.mktemp("recorded") / "course")
    with Book(root, PARTS) as book:
        record(book, results)
    return root


@pytest.fixture
def written(recorded, tmp_path):
    """A course folder of its own, in which the three submissions of `parts` are recorded."""
    return shutil.copytree(recorded, tmp_path / "written")


MARKS = """
    SELECT assignment.name, submitted_assignment.student_id, base_cell.name, base_cell.type,
           auto_score, manual_score, extra_credit, needs_manual_grade
    FROM grade JOIN base_cell ON base_cell.id = cell_id
    JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
    JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
    JOIN assignment ON assignment.id = submitted_assignment.assignment_id
"""
COMMENTS = """
    SELECT assignment.name, submitted_assignment.student_id, base_cell.name, base_cell.type,
           auto_comment, manual_comment
    FROM comment JOIN base_cell ON base_cell.id = cell_id
    JOIN submitted_notebook ON submitted_notebook.id = comment.notebook_id
    JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
    JOIN assignment ON assignment.id = submitted_assignment.assignment_id
"""
SUBMISSIONS = """
    SELECT assignment.name, submitted_assignment.student_id, timestamp, extension, notebook.name,
           flagged, late_submission_penalty
    FROM submitted_notebook
    JOIN notebook ON notebook.id = submitted_notebook.notebook_id
    JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
    JOIN assignment ON assignment.id = submitted_assignment.assignment_id
    JOIN student ON student.id = submitted_assignment.student_id
"""
CELLS = """
    SELECT assignment.name, assignment.course_id, notebook.name, kernelspec, base_cell.name, type,
           grade_cells.max_score, grade_cells.cell_type, task_cells.max_score, task_cells.cell_type
    FROM base_cell JOIN notebook ON notebook.id = base_cell.notebook_id
    JOIN assignment ON assignment.id = notebook.assignment_id
    LEFT JOIN grade_cells ON grade_cells.id = base_cell.id
    LEFT JOIN task_cells ON task_cells.id = base_cell.id
"""
SOURCES = """
    SELECT assignment.name, source_cell.name, cell_type, locked, source, checksum
    FROM source_cell JOIN notebook ON notebook.id = source_cell.notebook_id
    JOIN assignment ON assignment.id = notebook.assignment_id
"""


def rows(root, *queries):
    """Everything that these questions find in a course's gradebook, in order."""
    database = sqlite3.connect(root / "grading" / "gradebook.db")
    found = [sorted(database.execute(query), key=repr) for query in queries]
    database.close()
    assert all(found)
    return found


def everything(root):
    """All rows of all tables, and the graded notebooks."""
    database = sqlite3.connect(root / "grading" / "gradebook.db")
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master")]
    tables = [name for name in tables if not name.startswith("sqlite_")]
    found = {name: sorted(database.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}
    database.close()
    files = sorted((root / "grading" / "autograded").rglob("*.ipynb"))
    return found, {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def auto_scores(root, student):
    found = rows(root, MARKS)[0]
    return {row[2]: row[4] for row in found if row[1] == student}


@pytest.fixture(scope="module")
def stock(course):
    """The course graded by nbgrader's own autograde, without anything of ours."""
    lay_out(course)
    config = course / "nbgrader_config.py"
    ours = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    config.write_text(ours + "\ndel c.Autograde\n", encoding="utf-8")
    for assignment in (PARTS, REAL):
        done = nbgrader("autograde", assignment, cwd=course)
        assert done.returncode == 0, done.stderr[-3000:]
    return course


def test_the_rows_are_those_of_nbgrader(stock, results, tmp_path):
    root = copy_course(stock, tmp_path / "ours")
    for assignment in (PARTS, REAL):
        with Book(root, assignment) as book:
            record(book, results, assignment)
    for query in (CELLS, SOURCES, SUBMISSIONS, MARKS, COMMENTS):
        assert rows(root, query) == rows(stock, query)
    # So that the comparison is not one of nothing with nothing.
    assert auto_scores(root, "some")["double_two"] == 0
    assert {row[4] for row in rows(root, COMMENTS)[0]} == {None, "No response."}


def test_the_graded_notebook_is_that_of_nbgrader(stock, recorded):
    def known(root, student):
        path = root / "grading" / "autograded" / student / PARTS / f"{PARTS}.ipynb"
        notebook = nbformat.read(path, 4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        return [
            (c.metadata.nbgrader, c.cell_type, c.source)
            for c in notebook.cells
            if "nbgrader" in c.metadata
        ]

    for student in ("all", "nothing", "some"):
        assert known(recorded, student) == known(stock, student)
        assert len(known(recorded, student)) == 8


def test_entering_does_what_generating_does(course, tmp_path):
    root = copy_course(course, tmp_path / "fresh")
    for assignment in (PARTS, REAL):
        with Book(root, assignment):
            pass
    for query in (CELLS, SOURCES):
        assert rows(root, query) == rows(course, query)


def test_recording_the_same_again_changes_nothing(written, results):
    before = everything(written)
    with Book(written, PARTS) as book:
        record(book, results)
    assert everything(written) == before


def grade_by_hand(root, student, name, score, comment=None):
    """What formgrader does when an instructor gives a mark."""
    with Gradebook(f"sqlite:///{root}/grading/gradebook.db") as book:
        grade = book.find_grade(name, PARTS, PARTS, student)
        grade.manual_score, grade.needs_manual_grade = score, False
        if comment:
            book.find_comment(name, PARTS, PARTS, student).manual_comment = comment
        book.db.commit()


def mark(root, student, name):
    (row,) = (r for r in rows(root, MARKS)[0] if r[1] == student and r[2] == name and r[3] != "So")
    return dict(zip(("auto", "manual", "extra", "open"), row[4:], strict=True))


def test_what_a_person_gave_stays_and_is_asked_for_again_only_after_a_change(written, results):
    for name, score in (("why", 2.5), ("picture", 4), ("double_two", 1)):
        grade_by_hand(written, "all", name, score, "good" if name != "double_two" else None)
    skeleton, cells, result = results[PARTS]["all"]
    with Book(written, PARTS) as book:
        before = everything(written)
        record(book, results, students=["all"])
        assert everything(written) == before
        # An output that is another at each run is no reason to look again.
        outputs = json.loads(json.dumps(result["outputs"]))
        outputs[cells.index(next(c for c in cells if c.kind == "extra"))][0][0]["text"] = "else"
        book.record("all", result, executed_notebook(cells, skeleton, outputs))
        assert everything(written)[0] == before[0]
        changed = executed_notebook(cells, skeleton, outputs)
        next(c for c in changed["cells"] if c["id"] == "why")["source"] = "So, because."
        book.record("all", result, changed)
        assert book.marks("all")["cells"]["why"] == (2.5, 3.0)
        assert book.marks("all")["comments"]["picture"] == "good"
    for name, score in (("why", 2.5), ("picture", 4), ("double_two", 1)):
        assert mark(written, "all", name)["manual"] == score
        assert mark(written, "all", name)["open"] == 1
    assert mark(written, "all", "double_zero")["open"] == 0


def test_a_changed_automatic_mark_asks_for_the_person_again(written, results):
    grade_by_hand(written, "all", "double_two", 1)
    skeleton, cells, result = results[PARTS]["all"]
    tests = {**result["tests"], "double_two": results[PARTS]["some"][2]["tests"]["double_two"]}
    with Book(written, PARTS) as book:
        notebook = executed_notebook(cells, skeleton, result["outputs"])
        book.record("all", {**result, "tests": tests}, notebook)
    assert mark(written, "all", "double_two") == {"auto": 0, "manual": 1, "extra": None, "open": 1}


KILLED = """
import json, os, sys
from grader.gradebook.book import Book

root, assignment, point, path = sys.argv[1:]
student, result, notebook = json.load(open(path))
with Book(root, assignment) as book:
    if point == "before":
        book.gradebook.db.commit = lambda: os._exit(9)
    else:
        os.replace = lambda *paths: os._exit(9)
    book.record(student, result, notebook)
"""


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_kill_leaves_the_old_or_the_new_marks(written, results, tmp_path, point):
    skeleton, cells, result = results[PARTS]["all"]
    notebook = executed_notebook(cells, skeleton, result["outputs"])
    (tmp_path / "job.json").write_text(json.dumps(["nothing", result, notebook]))
    old = everything(written)
    arguments = [written, PARTS, point, tmp_path / "job.json"]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True)
    assert done.returncode == 9, done.stderr
    left = everything(written)
    assert left[1] == old[1]
    if point == "before":
        assert left[0] == old[0]
    else:
        assert auto_scores(written, "nothing") == auto_scores(written, "all")
    with Book(written, PARTS) as book:
        book.record("nothing", result, notebook)
        assert book.path("nothing").read_bytes() == book.path("all").read_bytes()
    assert auto_scores(written, "nothing") == auto_scores(written, "all")
    folder = written / "grading" / "autograded"
    assert sorted(os.listdir(folder)) == ["all", "nothing", "some"]
    assert auto_scores(written, "nothing")["double_two"] == 2


def test_an_unreadable_submission_has_no_points_and_says_why(written):
    with Book(written, PARTS) as book:
        book.record_unreadable("broken", "cut off at <b>byte</b> 7")
        book.record_unreadable("all", "cut off")
        marks = book.marks("broken")
        page = write_feedback(book, "broken").read_text(encoding="utf-8")
        assert nbformat.read(book.path("broken"), 4).cells[0].id == NOTES_ID
    assert marks["score"] == 0
    assert marks["max_score"] == 15
    assert "cut off at <b>byte</b> 7" in words(page)
    for student in ("broken", "all"):
        assert set(auto_scores(written, student).values()) == {0}
    assert not any(row[7] for row in rows(written, MARKS)[0] if row[1] == "broken")


def test_suspicion_is_for_the_grader_alone(written, results):
    with Book(written, PARTS) as book:
        record(book, results, students=["all"], flags=["equality answered `wrongly`"])
        notebook = nbformat.read(book.path("all"), 4)
        page = write_feedback(book, "all").read_text(encoding="utf-8")
        flagged = {row[1]: row[5] for row in rows(written, SUBMISSIONS)[0]}
        assert flagged == {"all": 1, "nothing": 0, "some": 0}
        with Gradebook(f"sqlite:///{written}/grading/gradebook.db") as gradebook:
            gradebook.find_submission_notebook(PARTS, PARTS, "all").flagged = False
            gradebook.db.commit()
        # Whoever has looked at it is not asked again for the same.
        record(book, results, students=["all"], flags=["equality answered `wrongly`"])
    assert not any(row[5] for row in rows(written, SUBMISSIONS)[0])
    assert notebook.cells[0].id == EVIDENCE_ID
    assert "wrongly" in notebook.cells[0].source
    assert "wrongly" not in page
    assert "students are not shown this" not in page


def test_cells_that_come_and_go(written, results):
    path = written / "solutions" / PARTS / f"{PARTS}.ipynb"
    source = parts()
    new = cell("code", '# New\ncheck("double", 3).gives(6)', "double_three", 1, grade=True)
    source.cells = [c for c in source.cells if c.id != "double_zero"] + [new]
    nbformat.write(source, path)
    with Book(written, PARTS) as book:
        assert book.marks("some")["cells"]["double_three"] == (0, 1)
        assert book.marks("some")["max_score"] == 15
        assert "double_zero" not in book.marks("some")["cells"]
    assert mark(written, "all", "double_three")["open"] == 1
    grade_by_hand(written, "all", "double_three", 1)
    nbformat.write(parts(), path)
    before = everything(written)
    with (
        pytest.raises(BookError, match=r"double_three .* a person has graded it"),
        Book(written, PARTS),
    ):
        pass
    assert everything(written) == before


def test_making_assignments_beside_submissions_says_what_happens(written, monkeypatch):
    part = Part(PARTS, (), f"| {PARTS} | 0 |", "It has no bank.")
    monkeypatch.setattr("grader.authoring.release.grade_bank", lambda name, root: part)
    path = written / "solutions" / PARTS / f"{PARTS}.ipynb"
    source = parts()
    source.cells = [c for c in source.cells if c.id != "double_zero"]
    nbformat.write(source, path)
    grade_by_hand(written, "all", "why", 2)
    lines = []
    make_assignments([PARTS], written, lines.append)
    (line,) = (line for line in lines if "holds submissions" in line)
    assert f"course grade {PARTS}" in line
    assert "remove" not in " ".join(lines)
    released = nbformat.read(written / "assignments" / PARTS / f"{PARTS}.ipynb", 4)
    assert "double_zero" not in {c.id for c in released.cells}
    with Book(written, PARTS) as book:  # what is promised
        assert "double_zero" not in book.marks("all")["cells"]
        assert book.marks("all")["cells"]["why"] == (2, 3)


def test_a_name_is_no_path(written):
    with Book(written, PARTS) as book:
        for student in ("..", ".", "", "a/b", "a\0"):
            with pytest.raises(ValueError, match="name"):
                book.record_unreadable(student, "reason")


def test_the_time_of_handing_in_is_kept(written):
    with Book(written, PARTS) as book:
        book.record("all", {"outcome": "unreadable"}, None, [], "2030-01-02 03:04:05 UTC")
        book.record_unreadable("all", "cut off")
    (row,) = (row for row in rows(written, SUBMISSIONS)[0] if row[1] == "all")
    assert row[2].startswith("2030-01-02 03:04:05")


DUE = datetime(2030, 1, 2, 12)
LATE = {
    "no due date": (None, timedelta(days=1), {}, 0),
    "in time": (DUE, timedelta(), {}, 0),
    "a second late": (DUE, timedelta(seconds=1), {}, 1),
    "extended": (DUE, timedelta(hours=5), {"hours": 5}, 0),
    "later than that": (DUE, timedelta(hours=6), {"hours": 5}, 1),
}


@pytest.mark.parametrize("case", LATE)
def test_late_penalties_are_those_of_nbgrader(written, case):
    """Also those that a due date, an extension or a mark by hand asks for after the first call."""
    duedate, delay, extension, is_late = LATE[case]
    with open(written / "nbgrader_config.py", "a", encoding="utf-8") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    url = f"sqlite:///{written / 'grading/gradebook.db'}"
    with Book(written, PARTS) as book, Gradebook(url) as gradebook:

        def penalty():
            gradebook.db.expire_all()
            return gradebook.find_submission(PARTS, "all").late_submission_penalty

        def keep():
            book.keep_time("all", DUE + delay)
            return penalty()

        assert keep() == 0
        gradebook.update_or_create_assignment(PARTS, duedate=duedate)
        if extension:
            gradebook.grant_extension(PARTS, "all", **extension)
        for manual in (None, 1.5):
            grade = gradebook.find_submission(PARTS, "all").notebooks[0].grades[-1]
            grade.manual_score = manual
            gradebook.db.commit()
            mine = keep()
            stock = AssignLatePenalties(config=load_config(written))
            names = {"notebook": PARTS, "assignment": PARTS, "student": "all", "db_url": url}
            stock.preprocess(nbformat.v4.new_notebook(), {"nbgrader": names})
            assert mine == penalty()
            assert mine == is_late * gradebook.find_submission(PARTS, "all").score
        gradebook.update_or_create_assignment(PARTS, duedate=DUE + timedelta(days=9))
        assert keep() == 0


def test_what_a_platform_calls_late_is_late_by_the_least(written, results):
    url = f"sqlite:///{written / 'grading/gradebook.db'}"
    with Book(written, PARTS) as book, Gradebook(url) as gradebook:
        book.keep_time("all", None, is_late=True)
        assert gradebook.find_submission(PARTS, "all").timestamp is None  # later than when?
        gradebook.update_or_create_assignment(PARTS, duedate=DUE)
        book.record_unreadable("all", "cut off", None, is_late=True)
        gradebook.db.expire_all()
        assert 0 < gradebook.find_submission(PARTS, "all").total_seconds_late < 60
        with pytest.raises(BookError, match="nobody has no submission"):
            book.keep_time("nobody", DUE)


def test_it_waits_for_others_who_are_writing(written):
    with Book(written, PARTS) as book:
        assert book.gradebook.db.execute(text("PRAGMA busy_timeout")).scalar() >= 30_000


def test_a_locked_gradebook_is_told_in_a_sentence(written, monkeypatch):
    monkeypatch.setattr(master, "SECONDS_TO_WAIT", 0)
    with contextlib.closing(sqlite3.connect(written / "grading" / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with (
            pytest.raises(BookError, match="another program has been writing"),
            Book(written, PARTS),
        ):
            pass
        other.rollback()
    with Book(written, PARTS) as book:
        assert book.marks("all")["max_score"] == 15


def test_the_page_follows_the_marks_given_by_hand(written, results):
    with Book(written, PARTS) as book:
        assert update_feedback(book, "all")
        assert not update_feedback(book, "all")
        grade_by_hand(written, "all", "why", 2, "Say *more*.")
        assert update_feedback(book, "all")
        assert "Say <em>more</em>." in page_of(written, "all")
        assert not update_feedback(book, "all")
        record(book, results, students=["all"], flags=["wrong"])
        assert update_feedback(book, "all")
        (written / "grading" / "feedback" / "all" / PARTS / f"{PARTS}.html").unlink()
        assert update_feedback(book, "all")
        with pytest.raises((BookError, OSError)):
            update_feedback(book, "nobody")


WIDGET = "application/vnd.jupyter.widget-view+json"
STREAM = {"output_type": "stream", "name": "stdout", "text": "hello\n"}
WARNING = {"output_type": "stream", "name": "stderr", "text": "UserWarning: slow\n"}
CREDIT = {
    "output_type": "execute_result",
    "data": {"text/plain": "198"},
    "metadata": {},
    "execution_count": 3,
}
ERROR = {"output_type": "error", "ename": "E", "evalue": "no", "traceback": ["no"]}
FAILURE = {"kind": "values", "message": "It is wrong.", "hidden": False, "diagnosis": None}
FAILED = {"score": 0.0, "max_score": 2.0, "failure": FAILURE}
PASSED, PART = {"score": 2.0, "max_score": 2.0}, {"score": 0.5, "max_score": 2.0}


@pytest.mark.parametrize(
    ("outputs", "test", "score"),
    [
        ([STREAM], PASSED, 2),
        ([], PASSED, 2),
        ([WARNING], PASSED, 2),
        ([CREDIT], PASSED, 2),
        ([CREDIT, WARNING], PASSED, 2),
        ([], PART, 0.5),
        ([CREDIT, WARNING], PART, 0.5),
        ([], {**PART, "score": 0.0}, 0),
        ([], FAILED, 0),
        ([CREDIT], FAILED, 0),
        ([CREDIT, ERROR], FAILED, 0),
    ],
)
def test_nbgrader_reads_the_job_s_score_from_the_outputs(outputs, test, score):
    one = cell("code", TEST, "double_two", 2, grade=True)
    one.outputs = [nbformat.from_dict(output) for output in outputs]
    notebook = nbformat.v4.new_notebook(cells=[one])
    result = {"outcome": "graded", "tests": {"double_two": test}}
    made = nbformat.from_dict(finish(notebook, {"double_two": one}, result))
    nbformat.validate(made)
    assert determine_grade(made.cells[-1]) == (score, 2)
    if "failure" in test:
        assert [o.output_type for o in made.cells[-1].outputs].count("error") == 1


def test_outputs_made_to_damage_the_file(written, results):
    skeleton, cells, result = results[PARTS]["all"]
    bad = clean_outputs(
        [
            {"output_type": "stream", "name": "stdout", "text": "half of a character: \ud800"},
            {"output_type": "execute_result", "data": {}, "execution_count": True},
            {"output_type": "display_data", "data": {WIDGET: "x", "text/html": "<b>" * 200_000}},
            {"output_type": "display_data", "data": {"text/html": "<div>" * 19_000}},
            {"output_type": "error", "ename": "\udfff", "evalue": "", "traceback": ["x"] * 500},
            {"output_type": "stream", "name": "stdout", "text": "line\n" * 5000},
        ]
    )
    outputs = [
        [bad, 1] if c.kind == "extra" else o for c, o in zip(cells, result["outputs"], strict=True)
    ]
    with Book(written, PARTS) as book:
        book.record("all", result, executed_notebook(cells, skeleton, outputs))
        notebook = nbformat.read(book.path("all"), 4)
        page = write_feedback(book, "all").read_text(encoding="utf-8")
    nbformat.validate(notebook)
    assert "half of a character: ?" in page
    assert page.count("line\n") < 1100


def test_it_takes_little_time(written, results):
    skeleton, cells, result = results[REAL]["some"]
    with Book(written, REAL) as book:
        start = time.process_time()
        for number in range(50):
            notebook = executed_notebook(cells, skeleton, result["outputs"])
            book.record(f"student {number}", result, notebook, ["a note"])
        recorded = time.process_time() - start
        write_feedback(book, "student 0")
        start = time.process_time()
        for number in range(50):
            write_feedback(book, f"student {number}")
        told = time.process_time() - start
    assert recorded / 50 < 0.05
    assert told / 50 < 0.1


def page_of(root, student, assignment=PARTS):
    path = root / "grading" / "feedback" / student / assignment / f"{assignment}.html"
    return path.read_text(encoding="utf-8")


def words(page):
    """The text of a page, without what is no text."""
    soup = BeautifulSoup(page, "html.parser")
    for tag in soup(["style", "script"]):
        tag.decompose()
    return " ".join(soup.get_text().split())


def test_the_feedback_is_nbgrader_s_without_its_secrets(stock, results, tmp_path):
    """Our pages, and those of `nbgrader generate_feedback` with the course's configuration."""
    root = copy_course(stock, tmp_path / "told")
    with Book(root, PARTS) as book:
        record(book, results)
        pages = {}
        for student in results[PARTS]:
            grade_by_hand(root, student, "why", 2, "Say *more*.")
            write_feedback(book, student)
            pages[student] = page_of(root, student)
    done = nbgrader("generate_feedback", PARTS, "--force", cwd=root)
    assert done.returncode == 0, done.stderr[-3000:]
    for student, page in pages.items():
        assert words(page) == words(page_of(root, student))
        assert "135914" not in page
        assert "3141592" not in page
        assert "6283184" not in page
        assert SECRET not in page
        assert page.count("Hidden tests stand here") == 2
        assert "Say <em>more</em>." in page
    assert "5 of 15 points" in words(pages["all"])
    assert "check.hidden" not in pages["all"]
    # The test that only a hidden check fails is named, and says what is wrong.
    assert "Not passed Two is doubled. 0 of 2" in words(pages["some"])
    message = results[PARTS]["some"][2]["tests"]["double_two"]["failure"]["message"]
    assert " ".join(message.split()) in words(pages["some"])


TRACE = "\x1b[31mAssertionError\x1b[0m Traceback\n      2 \x1b[32massert\x1b[0m double(0) == 0\n"
HIDDEN_TRACE = TRACE + "----> 4 assert double(-3141592) == -6283184, 'x'\nAssertionError: -6283184"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ({**ERROR, "traceback": [HIDDEN_TRACE]}, "A hidden test failed here (E)."),
        (
            {**ERROR, "traceback": [TRACE + "      4 assert double(-3141592) == -6283184, 'x'"]},
            "Traceback",
        ),
        ({**STREAM, "text": "my In[-1]:\n  assert double(-3141592) == -6283184, 'x'"}, "my In"),
        (
            {**STREAM, "text": repr("my\nassert double(-3141592) == -6283184, 'x'")},
            "my",
        ),
        (
            {
                "output_type": "display_data",
                "data": {
                    "text/html": "<p>mine</p>assert double(-3141592) == -6283184, &#x27;x&#x27;"
                },
            },
            "mine",
        ),
    ],
)
def test_outputs_show_no_line_of_a_hidden_test(output, shown):
    test = PLAIN_TEST.replace('"expected -6283184"', "'x'")
    notebook = nbformat.v4.new_notebook(cells=[cell("code", test, "zero", 1, grade=True)])
    own = nbformat.v4.new_code_cell("double(1)")
    notebook.cells.append(own)
    for one in notebook.cells:
        one.outputs = [output]
    made = json.dumps(hide(notebook)["cells"])
    assert "3141592" not in made
    assert "6283184" not in made
    assert made.count(shown) == 2
    assert "assert double(0) == 0" in made


def test_a_student_s_own_text_is_no_hidden_test():
    own = nbformat.v4.new_code_cell("### BEGIN HIDDEN TESTS\nprint(1)\n=== BEGIN MARK SCHEME ===")
    answer = cell("code", own.source, "double", solution=True, locked=False)
    notebook = nbformat.v4.new_notebook(cells=[own, answer])
    assert [c["source"] for c in hide(notebook)["cells"]] == [own.source, own.source]


def test_texts_made_to_hold_up_whoever_reads_them(written, results):
    skeleton, cells, result = results[PARTS]["all"]
    notebook = executed_notebook(cells, skeleton, result["outputs"])
    place = next(i for i, one in enumerate(notebook["cells"]) if one["id"] == "why")
    long = {**notebook["cells"][place], "metadata": {}}
    sources = ["<div>" * 100_000, "[" * 19_000, "a." * 100_000, *["word " * 3999] * 20]
    notebook["cells"][place:place] = [
        {**long, "source": text, "id": f"long-{n}"} for n, text in enumerate(sources)
    ]
    with Book(written, PARTS) as book:
        book.record("all", result, notebook)
        page = write_feedback(book, "all").read_text(encoding="utf-8")
    assert TOO_LONG in page
    assert len(page) < 2 * MOST_ON_A_PAGE
    # The marks of what is left out are there.
    assert "3 of 15 points" in words(page)
    assert "Passed Two is doubled. 2 of 2" in words(page)


def test_formgrader_s_page_runs_no_script(written, results):
    """The exporter as formgrader makes it, with the course's configuration."""
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions.formgrader import handlers
    from traitlets.config import PyFileConfigLoader

    skeleton, cells, result = results[PARTS]["all"]
    evil = "<script>alert('evil')</script>"
    shown = {"output_type": "display_data", "metadata": {}}
    outputs = [{**shown, "data": {"text/html": evil, "text/plain": "x"}}]
    outputs.append({**shown, "data": {"application/javascript": "alert('evil')"}})
    notebook = executed_notebook(cells, skeleton, result["outputs"])
    for one in notebook["cells"]:
        if one["cell_type"] == "code":
            one["outputs"] = outputs
        elif one["id"] == "why":
            one["source"] = evil
    with Book(written, PARTS) as book:
        book.record("all", result, notebook)
        config = PyFileConfigLoader("nbgrader_config.py", path=str(written)).load_config()
        config.HTMLExporter.template_name = "formgrade"
        config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
        names = ("assignment_id", "notebook_id", "submission_id", "student", "base_url")
        resources = {**dict.fromkeys(names, "x"), "index": 0, "total": 1, "notebook_path": "x"}
        resources |= {"last_name": None, "first_name": None}
        page, _ = HTMLExporter(config=config).from_filename(str(book.path("all")), resources)
    assert "evil" not in page
    assert "<details>" in page
    assert "double_two" in page


@pytest.fixture(scope="module")
def sandboxed(stock, tmp_path_factory):
    """The same submissions and some hostile ones, graded by `nbgrader autograde` as configured."""
    needs.sandbox()
    root = copy_course(stock, tmp_path_factory.mktemp("sandboxed") / "course")
    with Book(root, PARTS):
        pass
    notebooks = handed_in(root)[PARTS]
    cheat = nbformat.from_dict(notebooks["nothing"])
    for one in cheat.cells:
        if one.metadata.get("nbgrader", {}).get("grade"):
            one.metadata["tags"] = ["skip-execution", "raises-exception"]
    cheat.cells.insert(2, nbformat.v4.new_code_cell("get_ipython().run_cell = print"))
    cheat.cells.insert(2, nbformat.v4.new_code_cell("open('/tmp/left', 'w').write('x')"))
    notebooks["cheat"] = cheat
    lay_out(root, {PARTS: notebooks})
    copied = nbformat.from_dict(notebooks["all"])
    for one in list(copied.cells):
        one.metadata.get("nbgrader", {})["points"] = 198
        copied.cells.append(nbformat.from_dict(one))
    folder = root / "grading" / "submitted" / "copied" / PARTS
    folder.mkdir(parents=True)
    (folder / f"{PARTS}.ipynb").write_text(json.dumps(copied))
    done = nbgrader("autograde", PARTS, cwd=root)
    assert done.returncode == 0, done.stderr[-3000:]
    return root


def test_nbgrader_autograde_uses_the_sandbox_and_gives_the_same_marks(stock, sandboxed):
    for query in (MARKS, COMMENTS, SUBMISSIONS):
        ours = [row for row in rows(sandboxed, query)[0] if row[1] not in ("cheat", "copied")]
        assert ours == [row for row in rows(stock, query)[0] if row[0] == PARTS]
    notebook = nbformat.read(sandboxed / f"grading/autograded/all/{PARTS}/{PARTS}.ipynb", 4)
    assert any(
        c.source == 'print("mine")' and c.outputs[0].text == "mine\n" for c in notebook.cells
    )


def test_nbgrader_autograde_is_not_fooled(sandboxed):
    scores = auto_scores(sandboxed, "cheat")
    assert scores == auto_scores(sandboxed, "nothing")
    assert scores["double_two"] == scores["double_zero"] == 0
    assert not Path("/tmp/left").exists()
    assert auto_scores(sandboxed, "copied") == auto_scores(sandboxed, "all")
    done = nbgrader("autograde", PARTS, "--force", "--no-execute", cwd=sandboxed)
    assert done.returncode != 0
    assert "--no-execute would read the marks" in done.stderr
    assert auto_scores(sandboxed, "cheat") == scores


def test_formgrader_s_list_and_button(written):
    """What formgrader asks for, and what its button does."""
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    lay_out(written)
    config = load_config(written)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    assert api.get_autograded_students(PARTS) == {"all", "nothing", "some"}
    listed = {row["student"]: row for row in api.get_notebook_submissions(PARTS, PARTS)}
    scores = {name: row["score"] for name, row in listed.items()}
    assert scores == {"all": 3, "nothing": 0, "some": 0}
    assert listed["all"]["max_score"] == 15
    assert listed["all"]["needs_manual_grade"]
    assert listed["some"]["failed_tests"]
    before = rows(written, MARKS, COMMENTS, SUBMISSIONS)
    answer = api.autograde(PARTS, "all")
    assert answer["success"], answer
    assert rows(written, MARKS, COMMENTS, SUBMISSIONS) == before
    answer = api.generate_feedback(PARTS, "all")
    assert answer["success"], answer
    assert "3141592" not in page_of(written, "all")


def without_bwrap(tmp_path):
    """A PATH on which there is what nbgrader needs, but no bwrap."""
    (tmp_path / "bin").mkdir()
    for name in ("env", "sh", "bash"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    return f"{BIN}{os.pathsep}{tmp_path / 'bin'}"


def one_submission(course, tmp_path):
    root = copy_course(course, tmp_path / "one")
    with Book(root, PARTS):
        pass
    lay_out(root, {PARTS: {"all": handed_in(root)[PARTS]["all"]}})
    return root


def test_without_the_means_nbgrader_autograde_refuses(course, tmp_path):
    root = one_submission(course, tmp_path)
    done = nbgrader("autograde", PARTS, cwd=root, path=without_bwrap(tmp_path))
    assert done.returncode != 0
    assert "sudo apt install bubblewrap" in done.stderr
    assert "COURSE_UNSAFE_NO_SANDBOX" in done.stderr
    assert not list((root / "grading" / "autograded").rglob("*.ipynb"))


def test_who_asks_for_it_runs_without_a_sandbox_and_is_warned(course, tmp_path):
    root = one_submission(course, tmp_path)
    path = without_bwrap(tmp_path)
    done = nbgrader("autograde", PARTS, cwd=root, path=path, COURSE_UNSAFE_NO_SANDBOX="1")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "WITHOUT A SANDBOX" in done.stderr
    assert auto_scores(root, "all")["double_two"] == 2
    assert auto_scores(root, "all")["why"] is None
