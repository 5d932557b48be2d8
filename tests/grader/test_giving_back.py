"""What goes out to a class: no mark by hand is lost, and a table is that of the assignment."""

import contextlib
import csv
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbgrader.plugins import LateSubmissionPlugin
from traitlets.config import Config

from grader.batch import statistics as class_statistics
from grader.batch import to_do
from grader.batch.likeness import LONGEST, form_of
from grader.command import export, feedback, new_seed, statistics
from grader.gradebook import master
from grader.gradebook import page as page_form
from grader.gradebook.feedback import Pages
from grader.gradebook.students import given_and_family
from grader.intake.entries import COUNTS
from grader.intake.roster import Student, roster_path, write_roster
from tests.support.small_class import AUTOMATIC, DIAGNOSIS, NAME, OTHER, WHOLE, SmallClass, source

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="grading runs on Linux only")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    root = tmp_path_factory.mktemp("graded") / "course"
    with pytest.MonkeyPatch.context() as patch:
        made = SmallClass(root, patch)
        made.hand_in("ann", double="RIGHT = 1", triple="RIGHT = 2", why="So.")
        made.hand_in("bob", double="n * n  # SQUARED", triple="RIGHT = 2", why="Because.")
        made.hand_in("eve")
        assert made.grade() == 0
    return root


@pytest.fixture
def klass(graded, tmp_path, monkeypatch):
    """Three students are graded: all right, half right, and nothing done."""
    shutil.copytree(graded, tmp_path / "course")
    return SmallClass(tmp_path / "course", monkeypatch)


def tell(klass, *more):
    return feedback.main([NAME, "--root", str(klass.root), *more])


def words(page):
    return " ".join(BeautifulSoup(page, "html.parser").get_text(" ").split())


def by_formgrader_s_command(klass):
    nbgrader = Path(sys.executable).with_name("nbgrader")
    done = subprocess.run(
        [nbgrader, "generate_feedback", NAME], cwd=klass.root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "not recognized" not in done.stderr  # an option of the configuration


@pytest.mark.parametrize("again", [tell, SmallClass.grade, by_formgrader_s_command])
def test_a_mark_and_a_comment_by_hand_reach_the_page(klass, again):
    klass.give("ann", "why", 2.5, "Say *why* it holds.")
    klass.give("bob", "double_two", 1, extra=0.5)
    again(klass)
    page = words(klass.page("ann"))
    assert "Say why it holds." in page
    assert f"{AUTOMATIC + 2.5:g} of {WHOLE:g} points" in page
    assert f"5.5 of {WHOLE:g} points" in words(klass.page("bob"))


@pytest.mark.parametrize("again", [tell, SmallClass.grade], ids=["feedback", "grade"])
def test_the_table_holds_what_a_person_gave(klass, again):
    before = klass.table()
    assert before["ann"]["open"] == "1"
    klass.give("ann", "why", 2.5, extra=1)
    klass.give("bob", "double_two", 1)
    klass.give("bob", "triple_one", 3)
    with klass.gradebook() as book:
        book.find_assignment(NAME).duedate = datetime(2026, 3, 1)
        for student in ("ann", "bob"):
            book.find_submission(NAME, student).timestamp = datetime(2026, 3, 3, 12)
        book.find_submission(NAME, "ann").extension = timedelta(days=1)
        book.db.commit()
    again(klass)
    rows = klass.table()
    names = ("by_hand", "extra_credit", "late_penalty", "total", "late_days", "open")
    given = {student: tuple(row[name] for name in names) for student, row in rows.items()}
    assert given["ann"] == ("2.5", "1", "0", "10.5", "1.5", "0")
    assert given["bob"] == ("0", "0", "0", "4", "2.5", "1")
    # What scripts read is what it was.
    for student, row in before.items():
        kept = {name: value for name, value in rows[student].items() if name not in names}
        assert kept == {name: value for name, value in row.items() if name not in names}
        assert row["total"] == row["score"]


def test_a_late_penalty_follows_what_a_person_gives(klass):
    with (klass.root / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write('c.LateSubmissionPlugin.penalty_method = "zero"\n')
    klass.give("ann", "why", 2.5)
    with klass.gradebook() as book:
        book.find_assignment(NAME).duedate = datetime(2026, 3, 1)
        book.find_submission(NAME, "ann").timestamp = datetime(2026, 3, 2)
        book.db.commit()
    tell(klass)
    row = klass.table()["ann"]
    assert (row["by_hand"], row["late_penalty"], row["total"]) == ("2.5", "9.5", "0")
    assert f"0 of {WHOLE:g} points" in words(klass.page("ann"))


def test_a_penalty_never_takes_more_than_there_is(klass):
    with klass.gradebook() as book:
        book.find_submission_notebook(NAME, NAME, "eve").late_submission_penalty = 2
        book.db.commit()
    tell(klass)
    row = klass.table()["eve"]
    assert (row["late_penalty"], row["total"]) == ("2", "0")
    page = words(klass.page("eve"))
    assert f"0 of {WHOLE:g} points 2 points are taken off" in page
    assert "-2" not in page


def test_grading_one_again_keeps_the_rows_of_the_others(klass, tmp_path):
    before = klass.table()
    late = tmp_path / "late"
    late.mkdir()
    shutil.move(klass.hand_in("bob", double="RIGHT = 3", triple="RIGHT = 2"), late)
    shutil.move(klass.hand_in("zoe", triple="RIGHT"), late)
    assert klass.grade(batch=late) == 0
    after = klass.table()
    assert list(after) == ["ann", "bob", "eve", "zoe"]
    assert after["bob"]["score"] == f"{AUTOMATIC:g}"
    assert {name: after[name] for name in ("ann", "eve")} == {
        name: before[name] for name in ("ann", "eve")
    }


def test_who_is_taken_out_of_the_gradebook_is_not_in_the_table(klass):
    with klass.gradebook() as book:
        book.remove_student("eve")
    tell(klass)
    assert list(klass.table()) == ["ann", "bob"]


@contextlib.contextmanager
def locked(klass):
    with contextlib.closing(sqlite3.connect(klass.root / "grading" / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.rollback()


@pytest.mark.parametrize("again", [tell, SmallClass.grade], ids=["feedback", "grade"])
def test_a_locked_gradebook_is_told_in_a_sentence(klass, again, monkeypatch, capsys):
    monkeypatch.setattr(master, "SECONDS_TO_WAIT", 0)
    before = klass.table()
    with locked(klass):
        assert again(klass) == 2
    said = capsys.readouterr().err
    assert "another program has been writing" in said
    assert "Traceback" not in said
    assert klass.table() == before


@pytest.mark.parametrize("call", ["recording", "asking for a page", "noting an unreadable one"])
def test_locked_in_the_middle_it_ends_and_goes_on_when_called_again(
    klass, monkeypatch, capsys, call
):
    """One who holds the gradebook for good must not cost a minute for each student."""
    monkeypatch.setattr(master, "SECONDS_TO_WAIT", 0)
    if call == "recording":
        klass.hand_in("bob", double="RIGHT = 4")
    elif call == "noting an unreadable one":
        (klass.batch / "bob.ipynb").write_text("{")
    from grader.batch.coordinator import Batch

    run = Batch.run

    def run_locked(batch):
        with locked(klass):
            return run(batch)

    batch = klass.batch / "bob.ipynb"
    with monkeypatch.context() as patch:
        patch.setattr(Batch, "run", run_locked)
        assert klass.grade(batch=batch) == 2
    said = capsys.readouterr().err
    assert said.count("another program has been writing") == 1
    number = len(klass.jobs)
    assert klass.grade(batch=batch) == 0
    assert len(klass.jobs) == number  # what had come back was kept
    if call != "asking for a page":
        assert klass.table()["bob"]["score"] == ("3" if call == "recording" else "0")


def test_a_test_that_is_dropped_takes_no_mark_by_hand_with_it(klass, capsys):
    """What was said before led to all marks of the assignment being deleted."""
    klass.give("bob", "double_zero", 1)
    klass.give("ann", "why", 3)
    notebook = source()
    notebook.cells = [one for one in notebook.cells if one.id != "double_zero"]
    klass.write_source(notebook)
    assert klass.grade() == 2
    said = capsys.readouterr().err
    assert "a person has graded it (of bob)" in said
    assert "db assignment remove" not in said
    with klass.gradebook() as book:
        book.find_grade("double_zero", NAME, NAME, "bob").manual_score = None
        book.db.commit()
    assert klass.grade() == 0
    row = klass.table()["ann"]
    assert "double_zero" not in row
    assert (row["max_score"], row["by_hand"]) == (f"{WHOLE - 1:g}", "3")


def test_a_page_needs_no_network_and_runs_nothing(klass):
    page = BeautifulSoup(klass.page("ann"), "html.parser")
    assert not page(["script", "link", "iframe", "object", "embed"])
    assert not [tag for tag in page.find_all(src=True) if not tag["src"].startswith("data:")]
    assert not re.search(r"@import|url\(", "".join(style.text for style in page("style")))
    (policy,) = page.find_all("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert "default-src 'none'" in policy["content"]
    assert len(page.find_all("math")) == 2
    assert "$" not in page.get_text()


def test_a_page_says_who_and_what_and_only_that(klass):
    write_roster(roster_path(klass.root), [Student("ann", "Änne 김 <b>")])
    tell(klass)
    page = BeautifulSoup(klass.page("ann"), "html.parser")
    assert page.h1.text == "01 Double, 2n, and triple"
    assert page.find(class_="who").text == "Änne 김 <b>"
    rows = [row.get_text(" ", strip=True) for row in page.find(class_="parts").tbody("tr")]
    assert rows == ["Task 1: double 3 of 3", "Task 2: triple 4 of 7"]
    tests = [one.get_text(" ", strip=True) for one in page.find_all("summary")]
    assert "Passed Two is doubled. 2 of 2" in tests
    assert "Checker" not in page.get_text()  # the assignment's own set-up
    assert "bob" in BeautifulSoup(klass.page("bob"), "html.parser").find(class_="who").text
    tests = words(klass.page("bob"))
    assert "Not passed Two is doubled. 0 of 2" in tests
    assert "It gives something else." in tests


def test_formgrader_shows_the_names_of_the_class_list(klass):
    """nbgrader has them in rows of its own, and its export, too."""
    with klass.gradebook() as book:
        book.update_or_create_student("bob", email="bob@elsewhere.org")
    students = [Student("ann", "Müller, Änne", "a@example.org"), Student("bob", "Bob van Dam")]
    write_roster(roster_path(klass.root), [*students, Student("zoe", "Zoë")])
    tell(klass)
    with klass.gradebook() as book:
        found = {s.id: (s.first_name, s.last_name, s.email) for s in book.students}
    assert found == {
        "ann": ("Änne", "Müller", "a@example.org"),
        "bob": ("Bob van", "Dam", "bob@elsewhere.org"),
        "eve": (None, None, None),
    }


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("김민수", ("민수", "김")),
        ("Kim Minsu", ("Kim", "Minsu")),
        ("Sting", ("", "Sting")),
        ("García Márquez, Gabriel", ("Gabriel", "García Márquez")),
    ],
)
def test_a_name_in_two_parts(name, parts):
    assert given_and_family(name) == parts


def test_what_could_not_be_graded_has_a_page_with_the_assignments_title(klass):
    """A notebook that is cut off, and no notebook at all."""
    write_roster(roster_path(klass.root), [Student("song", "Song")])
    (klass.batch / "cut.ipynb").write_text("{")
    (klass.batch / "song").mkdir()
    (klass.batch / "song" / "report.pdf").write_bytes(b"%PDF")
    assert klass.grade() == 0
    for student in ("cut", "song"):
        page = BeautifulSoup(klass.page(student), "html.parser")
        assert page.h1.text == "01 Double, 2n, and triple"
        assert "no notebook that could be graded" in words(str(page))
        # nbgrader's own command and formgrader's button write the same.
        graded = klass.root / "grading" / "autograded" / student / NAME / f"{NAME}.ipynb"
        marks = {"score": 0, "max_score": WHOLE, "late_penalty": 0}
        place = {"nbgrader": {"student": student, "notebook": NAME, **marks}}
        config = Config({"CourseDirectory": {"root": str(klass.root)}})
        made, _ = Pages(config=config).from_notebook_node(nbformat.read(graded, 4), place)
        assert words(made) == words(str(page))
    assert "report.pdf (a PDF)" in words(klass.page("song"))


def test_a_page_in_an_older_form_is_written_again(klass, monkeypatch):
    before = klass.page("ann")
    monkeypatch.setattr(page_form, "form_digest", lambda: "another")
    tell(klass)
    assert klass.page("ann") != before


PLACES = {
    "moodle": "Änne Kim_{}_assignsubmission_file_/01-small",
    "canvas": "kimanne_{}_778_01-small-2",
    "blackboard": "Assignment 1_kim{}_attempt_2026-03-01-10-11-12_01-small",
    "gradescope": "submission_{}/01-small",
}
TOLD = {
    "moodle": [
        "Identifier,Full name,Email address,Grade,Maximum grade,Last modified (grade)",
        'Participant 4711,"Kim, Änne",anne@example.org,10,10,',
        "Participant 4712,bob,bob@example.org,4.5,10,",
    ],
    "canvas": [
        "Student,ID,SIS User ID,SIS Login ID,Section,Exercise 1 (99)",
        "Points Possible,,,,,10",
        '"Kim, Änne",4711,,,,10',
        "bob,4712,,,,4.5",
    ],
    "blackboard": ["Username,Exercise 1 (99)", "u4711,10", "u4712,4.5"],
    "gradescope": [
        "Name,SID,Email,Total Score,Max Points",
        '"Kim, Änne",u4711,anne@example.org,10,10',
        "bob,u4712,bob@example.org,4.5,10",
    ],
}


SUBMITTERS = """
submission_4711:
  :submitters: [{":email": anne@example.org}]
submission_4712:
  :submitters: [{":email": bob@example.org}]
"""


@pytest.mark.parametrize("to", PLACES)
def test_marks_and_pages_go_back_where_the_notebooks_came_from(tmp_path, monkeypatch, capsys, to):
    klass = SmallClass(tmp_path / "course", monkeypatch)
    # The roster's name for the platform is not that of the files, and neither is the id.
    roster = [
        Student("ann", "Kim, Änne", "anne@example.org", "u4711", ("4711", "kim4711")),
        Student("bob", "bob", "bob@example.org", "u4712", ("4712", "kim4712")),
        Student("eve", "Eve", "eve@example.org", "u4713"),
    ]
    write_roster(roster_path(klass.root), roster)
    ann, bob = (PLACES[to].format(number) for number in (4711, 4712))
    klass.hand_in(ann, double="RIGHT = 1", triple="RIGHT = 2", why="So.")
    work = klass.hand_in(bob, triple="RIGHT = 2")
    with zipfile.ZipFile(work.with_suffix(".zip"), "w") as packed:  # its page lies beside the zip
        packed.write(work, "work/final.ipynb")
    work.unlink()
    (klass.batch / "submission_metadata.yml").write_text(SUBMITTERS, encoding="utf-8")
    assert klass.grade() == 0
    assert list(klass.table()) == ["ann", "bob"]
    klass.give("ann", "why", 3)
    klass.give("bob", "triple_one", 4, extra=0.5)
    root = ["--root", str(klass.root)]
    capsys.readouterr()
    assert export.main([NAME, "--for", to, "--column", "Exercise 1 (99)", *root]) == 0
    written = (klass.root / "grading" / NAME / f"{to}.csv").read_text(encoding="utf-8")
    assert written.splitlines() == TOLD[to]
    assert tell(klass, "--for", to) == 0
    with zipfile.ZipFile(klass.root / "grading" / NAME / f"{to}-feedback.zip") as archive:
        names = archive.namelist()
        assert names[:2] == [f"{ann}.html", f"{bob}.html"]
        assert archive.read(names[1]).decode() == klass.page("bob")
        if len(names) == 3:
            index = archive.read("index.csv").decode("utf-8-sig").splitlines()
            assert index[2] == f"{bob}.html,bob,bob,bob@example.org,u4712"
    assert len(names) == (2 if to in ("moodle", "canvas") else 3)


def test_whom_a_platform_does_not_know_is_named(klass, capsys):
    assert tell(klass, "--for", "moodle") == 0
    said = capsys.readouterr().err
    assert "did not come from a download of moodle" in said
    assert "ann, bob, eve" in said


def test_one_table_of_all_assignments_for_a_spreadsheet(tmp_path, monkeypatch, capsys):
    klass = SmallClass(tmp_path / "course", monkeypatch, (NAME, OTHER))
    roster = [Student("zoe", "Zoë, 민수", "zoe@example.org"), Student("ann", "=Ann")]
    write_roster(roster_path(klass.root), roster)
    klass.hand_in("ann", double="RIGHT = 1", why="So.")
    klass.hand_in("guest", double="RIGHT = 1", triple="RIGHT = 1", why="So.")
    assert klass.grade() == 0
    assert klass.grade(name=OTHER, batch=klass.hand_in("ann", OTHER, triple="RIGHT = 1")) == 0
    klass.give("ann", "why", 2.5, extra=1)
    assert export.main(["--root", str(klass.root)]) == 0
    assert "still to be marked by hand" in capsys.readouterr().err
    path = klass.root / "grading" / "marks.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # without it Excel shows rubbish
    rows = klass.table("marks.csv")
    assert list(rows) == ["zoe", "ann", "guest"]
    assert rows["zoe"]["name"] == "Zoë, 민수"
    assert not rows["ann"]["name"].startswith("=")
    assert set(list(rows["zoe"].values())[3:]) == {""}
    names = (NAME, OTHER, f"{NAME} by hand", f"{NAME} late", f"{NAME} open", f"{OTHER} open")
    assert [rows["ann"][name] for name in names] == ["6.5", "4", "3.5", "0", "0", "0"]
    assert [rows["guest"][name] for name in names[:2]] == ["7", ""]


def test_feedback_names_what_is_not_graded(klass, capsys):
    with pytest.raises(SystemExit):
        feedback.main(["07", "--root", str(klass.root)])
    assert "there is no 07" in capsys.readouterr().err
    shutil.rmtree(klass.root / "grading")
    with pytest.raises(SystemExit):
        feedback.main(["--root", str(klass.root)])
    assert "nothing is graded yet" in capsys.readouterr().err


def hand_in_two(klass, **answers):
    for student in ("ann", "bob"):
        klass.hand_in(student, **answers, why=f"So says {student}.")


def test_one_student_is_graded_again_and_nothing_else_changes(klass, capsys):
    before = klass.table()
    hand_in_two(klass, double="# neither")
    number = len(klass.jobs)
    assert klass.grade("--only", "ann") == 0
    assert len(klass.jobs) == number + 1
    after = klass.table()
    assert after["ann"]["score"] == "0"
    assert {name: after[name] for name in ("bob", "eve")} == {
        name: before[name] for name in ("bob", "eve")
    }
    assert klass.grade("--only", "An") == 2
    assert "nothing is handed in here by An. There are: ann, bob, eve" in capsys.readouterr().err


def lines_of(klass):
    path = klass.root / "grading" / NAME / "handed-in.csv"
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {(row["student"], row["entry"]): row["reason"] for row in csv.DictReader(file)}


def test_an_appeal_keeps_the_mark_by_hand_and_changes_nothing_else(klass, capsys):
    """Of the student alone the lines are new; who waits to be graded has handed something in."""
    roster = [Student(name, name) for name in ("ann", "bob", "zoe", "yan")]
    write_roster(roster_path(klass.root), [*roster, Student("wim", "wim")])
    (klass.root / "grading" / NAME / "handed-in.csv").unlink()  # of a folder elsewhere
    assert klass.grade() == 0
    klass.give("bob", "why", 2, "Nearly.")
    klass.give("bob", "triple_one", 3)
    tell(klass)
    before, lines = klass.table(), lines_of(klass)
    assert lines["zoe", ""] == lines["yan", ""]
    (klass.batch / "bob.ipynb").unlink()
    klass.hand_in("bob/meant", double="RIGHT = 5", triple="RIGHT = 2", why="Because.")
    klass.hand_in("zoe_4711_assignsubmission_file_/late", triple="RIGHT = 8")
    klass.hand_in("yan", triple="RIGHT = 9")
    capsys.readouterr()
    assert klass.grade("--only", "bob", "--only", "zoe") == 0
    assert "nothing was handed in by: wim\n" in capsys.readouterr().out
    after = klass.table()
    row = after.pop("bob")
    assert (row["score"], row["by_hand"], row["total"]) == ("7", "1", "8")
    assert (row["open"], after.pop("zoe")["score"]) == ("2", "4")  # to be looked at again
    del before["bob"]
    assert after == before
    assert "Nearly." in words(klass.page("bob"))
    changed = {
        ("bob", "bob/meant.ipynb"): COUNTS,
        ("zoe", "zoe_4711_assignsubmission_file_/late.ipynb"): COUNTS,
    }
    gone = (("bob", "bob.ipynb"), ("zoe", ""))
    assert lines_of(klass) == {key: lines[key] for key in lines if key not in gone} | changed
    # So the mark finds its way back to the platform that the notebook came from.
    assert export.main([NAME, "--for", "moodle", "--root", str(klass.root)]) == 0
    assert klass.table(f"{NAME}/moodle.csv")["Participant 4711"]["Grade"] == "4"


def test_after_a_new_seed_all_is_graded_again_and_marks_by_hand_stay(klass, capsys):
    klass.give("ann", "why", 2.5, "Good.")
    tell(klass)
    before, number = klass.table(), len(klass.jobs)
    capsys.readouterr()
    assert new_seed.main(["--root", str(klass.root)]) == 0
    assert f"There are marks of {NAME}, by tests with other numbers." in capsys.readouterr().out
    tell(klass)
    assert klass.table() == before  # it changes no mark by itself
    assert klass.grade() == 0
    assert len(klass.jobs) == number + 3
    assert klass.table() == before


class PointADay(LateSubmissionPlugin):
    """As nbgrader's guide has it: a policy of the instructor's own."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late // 86_400


def test_two_days_late_by_the_time_stamp_cost_what_the_policy_says(klass):
    with (klass.root / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(f"c.AssignLatePenalties.plugin_class = {f'{__name__}.PointADay'!r}\n")
    with klass.gradebook() as book:
        book.update_or_create_assignment(NAME, duedate="2026-12-01 23:59:00 UTC")
    for student, day in (("zoe", 3), ("yan", 1), ("xin", 31)):
        place = klass.hand_in(f"{student}/{NAME}/{NAME}", double="RIGHT = 1", triple="RIGHT = 2")
        place.with_name("timestamp.txt").write_text(f"2026-12-{day:02} 23:59:00 UTC\n")
    assert klass.grade() == 0
    names = ("late_days", "late_penalty", "total")
    rows = {name: tuple(row[one] for one in names) for name, row in klass.table().items()}
    assert rows["zoe"] == ("2", "2", f"{AUTOMATIC - 2:g}")
    assert rows["yan"] == rows["ann"] == ("0", "0", f"{AUTOMATIC:g}")
    assert rows["xin"] == ("30", f"{AUTOMATIC:g}", "0")  # more than there is cannot be taken off
    assert "2 points are taken off because this was handed in late" in words(klass.page("zoe"))
    with klass.gradebook() as book:
        book.grant_extension(NAME, "zoe", days=1)
    assert klass.grade() == 0
    assert tuple(klass.table()["zoe"][one] for one in names) == ("1", "1", f"{AUTOMATIC - 1:g}")


def test_one_test_is_graded_again_and_all_else_stays(klass, capsys):
    before = klass.table()
    klass.give("ann", "why", 2)
    # Every answer is another one: but only one test is asked for.
    hand_in_two(klass, double="RIGHT = 9", triple="# not")
    assert klass.grade("--test", "double_two") == 0
    after = klass.table()
    assert after["bob"]["double_two"] == "2"
    same = [name for name in before["bob"] if name not in ("double_two", "score", "total")]
    assert [after["bob"][name] for name in same] == [before["bob"][name] for name in same]
    assert after["ann"]["triple_one"] == "4"
    assert (after["ann"]["score"], after["ann"]["by_hand"]) == (before["ann"]["score"], "2")
    assert klass.grade("--test", "triple_one") == 0
    assert klass.table()["ann"]["triple_one"] == "0"
    assert klass.table()["bob"]["double_zero"] == "0"  # still as it was at first
    assert klass.grade() == 0
    assert klass.table()["bob"]["double_zero"] == "1"
    assert klass.grade("--test", "triple") == 2
    assert "There are: double_two, double_zero, triple_one" in capsys.readouterr().err


def content(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(klass, capsys):
    klass.hand_in("bob", double="RIGHT = 5")
    klass.hand_in("zoe", double="RIGHT = 1", triple="RIGHT = 2", why="So.")  # as ann has it
    (klass.batch / "cut.ipynb").write_text("{")
    before, number = content(klass.root), len(klass.jobs)
    capsys.readouterr()
    assert klass.grade("--dry-run") == 0
    said = capsys.readouterr().out
    for line in (
        "ann: is graded, and has not changed",
        "bob: would be run",
        "zoe: would be recorded with a result that is known",
        "cut: cannot be read: ",
    ):
        assert line in said
    assert (content(klass.root), len(klass.jobs)) == (before, number)
    shutil.rmtree(klass.root / "grading")
    assert klass.grade("--dry-run") == 0
    assert not (klass.root / "grading" / NAME).exists()


LOOP = """
def {name}({image}):
    {doc}
    height, width = {image}.shape
    {total} = 0.0
    for {i} in range(height):
        for {j} in range(width):
            {total} = {total} + {image}[{i}, {j}] * ({i} + 2 * {j})  {comment}
    return {total}
"""
NAMES = {"name": "double", "image": "image", "total": "total", "i": "i", "j": "j"}
OTHERS = {"name": "double", "image": "bild", "total": "summe", "i": "zeile", "j": "spalte"}


def csv_rows(klass):
    with (klass.root / "grading" / NAME / "open.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_what_is_open_is_listed_with_the_way_to_it(tmp_path, monkeypatch, capsys):
    klass = SmallClass(tmp_path / "course", monkeypatch)
    students = ("ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal")
    write_roster(roster_path(klass.root), [Student(name, name.title()) for name in students])
    klass.hand_in("ann", double=LOOP.format(**NAMES, doc='"""Mine."""', comment="# RIGHT"))
    klass.hand_in("bob", double=LOOP.format(**OTHERS, doc="'''Meins'''", comment="# genau"))
    other = LOOP.format(**NAMES, doc='"""Mine."""', comment="").replace("+ 2 *", "- 2 *")
    klass.hand_in("cat", double=other)
    # What is the same to the letter is long enough to be alike, too, and is not named twice.
    same = LOOP.format(**NAMES, doc='"""Mine."""', comment="# RIGHT").replace("+ 2 *", "+ 3 *")
    klass.hand_in("dan", double=same, why="So.")
    klass.hand_in("eve", double=same, why="So.")
    klass.hand_in("fay", double="CHEAT = 1")
    klass.hand_in("gus")
    klass.hand_in("hal/first", triple="RIGHT = 3")
    klass.hand_in(f"hal/{NAME}", triple="RIGHT = 3")
    klass.hand_in("stranger", triple="RIGHT = 9")
    (klass.batch / "fay2.ipynb").write_text("{")
    assert klass.grade() == 0
    said = capsys.readouterr().out
    found = {}
    for row in csv_rows(klass):
        found.setdefault(row["what"], {})[row["student"]] = row
        assert (klass.root / row["graded"]).exists()
    for what in found:
        assert f"  {what}: " in said
    assert {what: list(students) for what, students in found.items()} == {
        to_do.BY_HAND: ["dan", "eve"],
        to_do.FLAGGED: ["fay"],
        to_do.NOT_GRADED: ["fay2"],
        to_do.UNTOUCHED: ["gus"],
        to_do.STRANGER: ["fay2", "stranger"],
        to_do.SEVERAL: ["hal"],
        to_do.IDENTICAL: ["dan", "eve"],
        to_do.ALIKE: ["ann", "bob"],
    }
    assert found[to_do.BY_HAND]["dan"]["more"] == "why"
    assert found[to_do.BY_HAND]["dan"]["handed_in"] == "dan.ipynb"
    assert found[to_do.IDENTICAL]["dan"]["more"] == "with eve"
    assert found[to_do.ALIKE]["bob"]["more"] == "with ann: double"
    before = klass.table()
    klass.give("dan", "why", 3)
    tell(klass)
    # What is open is no penalty: no mark follows from it.
    assert {row["student"] for row in csv_rows(klass) if row["what"] == to_do.BY_HAND} == {"eve"}
    assert klass.table()["ann"] == before["ann"]


@pytest.mark.parametrize("source", ["x = (", "'", "x" * (LONGEST + 1), "\tif:\n  \n x", "\0"])
def test_what_cannot_be_taken_apart_has_no_form(source):
    assert form_of(source) == ("", 0)


def test_the_form_of_code_is_what_it_does():
    def form(code):
        return form_of(code)[0]

    assert form("def f(a):\n    return a + 1  # x") == form("def g(b):\n\n  return b+1")
    assert form("a.sum()") != form("a.mean()")
    assert form("max(a, b)") != form("min(a, b)")
    assert form("a - b") != form("a - a")
    assert form("a = 1") != form("a = 2")
    assert form("a(b)\na(c)") == form("x(y)\nx(z)") != form("a(b)\na(b)")
    assert form("if a:\n  b()\n  c()") == form("if x:\n\n    'why'\n    y()\n    z()")
    assert form("if a:\n  b()\n  c()") != form("if a:\n  b()\nc()")
    assert form("f(\n  a,  # first\n  b)\n'text'\n") == form("g(x, y)\n")
    assert form("a = 'x'") != form("a = 'y'")
    assert form("return_ = a") != form("return a")
    assert form("max(a)") != form("a(max)")
    assert form("a.b") == form("x.b") != form("a.c")
    assert [form_of(code)[1] for code in ("a = 1", "# x\na = 1\n", "f(b)\n'x'")] == [4, 4, 5]
    assert form_of("x" * LONGEST) == (form("y"), 2)


def test_statistics_of_a_class(klass, capsys):
    for number in range(4):
        klass.hand_in(f"x{number}", double="RIGHT = 1" if number < 2 else "SQUARED", why="So.")
    (klass.batch / "cut.ipynb").write_text("{")
    assert klass.grade() == 0
    assert statistics.main([NAME, "--root", str(klass.root)]) == 0
    tests, mistakes = klass.table(f"{NAME}/tests.csv"), klass.table(f"{NAME}/mistakes.csv")
    row = tests["double_two"]
    # ann, x0 and x1 of ann, bob, eve and the four; the one that cannot be read does not count.
    assert (row["claim"], row["points"]) == ("Two is doubled.", "2")
    assert (row["students"], row["passed"], row["share"]) == ("7", "3", str(round(3 / 7, 4)))
    passed = [1, 0, 0, 1, 1, 0, 0]
    others = [5, 4, 0, 1, 1, 0, 0]  # the points of the other two tests
    wanted = np.corrcoef(passed, others)[0, 1]
    assert float(row["discrimination"]) == pytest.approx(wanted, abs=5e-4)
    assert {name: one["students"] for name, one in mistakes.items()} == {DIAGNOSIS: "3"}
    page = (klass.root / "grading" / NAME / "statistics.html").read_text(encoding="utf-8")
    tree = BeautifulSoup(page, "html.parser")
    assert not tree(["script", "link"])
    assert len(tree("img")) == 2
    assert all(one["src"].startswith("data:image/svg+xml") and one["alt"] for one in tree("img"))
    text = tree.get_text(" ", strip=True)
    assert f"{DIAGNOSIS} 3" in text
    assert "8 students. The tests are about 7 of them" in text
    assert "<table" not in klass.page("cut")  # there is no task to list
    assert "<table" in klass.page("x0")


def test_the_pictures_of_a_class_show_everybody(monkeypatch):
    monkeypatch.setattr(class_statistics, "_svg", lambda figure: figure.axes[0])
    # Nothing, just under a tenth, two halves, all; and more than all, by extra credit.
    axes = class_statistics._totals([0.0, 0.099, 0.5, 0.5, 1.0, 1.25])
    assert [bar.get_height() for bar in axes.patches] == [2, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert [round(bar.get_x(), 6) for bar in axes.patches] == [10 * n for n in range(10)]
    tests = [
        class_statistics.OneTest(name, "", 2.0, 8, passed, 0.9, None)
        for name, passed in (("first", 2), ("second", 8))
    ]
    axes = class_statistics._shares(tests)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second"]
    assert [bar.get_width() for bar in axes.patches] == [25, 100]
    assert axes.yaxis_inverted()  # the first test is at the top
    assert axes.get_xlim() == (0, 100)


def test_where_all_are_alike_a_test_tells_nobody_apart(tmp_path, monkeypatch):
    klass = SmallClass(tmp_path / "course", monkeypatch)
    klass.hand_in("ann", double="RIGHT = 1", triple="RIGHT = 1")
    assert klass.grade() == 0
    assert statistics.main([NAME, "--root", str(klass.root)]) == 0
    assert {row["discrimination"] for row in klass.table(f"{NAME}/tests.csv").values()} == {""}
    assert klass.table(f"{NAME}/mistakes.csv") == {}
