"""The coordinator: nothing is lost, nothing runs twice, and stopping it costs nothing."""

import concurrent.futures
import csv
import json
import os
import re
import shutil
import sys
import zipfile

import nbformat
import pytest
from sqlalchemy.exc import OperationalError

from grader.batch import coordinator, recorder, report
from grader.batch.coordinator import Batch
from grader.batch.options import Options
from grader.batch.store import Store
from grader.gradebook.marks import Marks
from grader.intake.rebuild import load_skeleton
from grader.intake.roster import Student, roster_path, write_roster
from grader.judging.policy import Policy
from grader.judging.seed import make_seed, seed_path
from tests.support.assignment_files import release
from tests.support.lessons import ROOT

NAME = "01-convolution-by-hand"


class FakeBook:
    """A gradebook that only remembers."""

    def __init__(self):
        self.recorded, self.unreadable = [], []

    def record(self, student, result, notebook, notes, *when):
        nbformat.validate(notebook)
        self.recorded.append((student, sum(t["score"] for t in result["tests"].values())))

    @staticmethod
    def remember(student, book, result, notebook, notes, *when):
        book.recorded.append((student, sum(t["score"] for t in result["tests"].values())))

    def record_unreadable(self, student, reason, *when):
        self.unreadable.append((student, reason))

    def keep_time(self, student, timestamp, is_late):
        pass


class Bench:
    """A course folder, a batch in it, and workers that can be told to fail."""

    def __init__(self, root):
        self.root = root
        for folder in ("solutions", "assignments"):
            shutil.copytree(ROOT / folder / NAME, root / folder / NAME)
        self.handed_in = root / "batch"
        self.handed_in.mkdir()
        self.runs = []
        self.fail = lambda text: None
        self.released = release(NAME)

    def hand_in(self, student, answer):
        """A notebook whose first task is answered by this text."""
        for cell in self.released.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "correlate2d":
                cell.source = answer
        nbformat.write(self.released, self.handed_in / f"{student}.ipynb")

    def execute(self, text):
        data = json.loads(text)
        self.runs.append(data)
        self.fail(data)
        tests = {
            cell["grade_id"]: {"score": cell["points"], "max_score": cell["points"]}
            for cell in data["cells"]
            if cell["kind"] == "test"
        }
        return json.dumps(
            {
                "outcome": "graded",
                "outputs": [[[], None] for _ in data["cells"]],
                "tests": tests,
                "flags": [],
                "seconds": 0.5,
                "cpu": 0.4,
            }
        )

    def grade(self, path=None, **options):
        self.book, self.shown = FakeBook(), []
        batch = Batch(
            NAME,
            path or self.handed_in,
            self.root,
            Options(feedback=False, **options),
            self.book,
            lambda: concurrent.futures.ThreadPoolExecutor(2),
            self.shown.append,
        )
        self.lost = batch.run()
        return batch


@pytest.fixture
def bench(tmp_path, monkeypatch):
    made = Bench(tmp_path)
    monkeypatch.setattr(coordinator.job, "execute", made.execute)
    return made


def test_every_submission_is_recorded_once(bench):
    for number in range(7):
        bench.hand_in(f"s{number}", f"# {number}")
    (bench.handed_in / "broken.ipynb").write_text("{")
    batch = bench.grade()
    assert sorted(s for s, _ in bench.book.recorded) == [f"s{n}" for n in range(7)]
    assert [s for s, _ in bench.book.unreadable] == ["broken"]
    assert bench.lost == []
    outcomes = {r["student"]: r["outcome"] for r in batch.store.records()}
    assert outcomes == {**{f"s{n}": "graded" for n in range(7)}, "broken": "unreadable"}


def test_identical_submissions_run_once(bench):
    for number in range(5):
        bench.hand_in(f"s{number}", "# the same")
    bench.grade()
    assert len(bench.runs) == 1
    assert len(bench.book.recorded) == 5


def test_a_second_call_runs_nothing_and_a_third_with_force_everything(bench):
    for number in range(3):
        bench.hand_in(f"s{number}", f"# {number}")
    bench.grade()
    bench.grade()
    assert len(bench.runs) == 3
    assert bench.book.recorded == []
    bench.grade(force=True)
    assert len(bench.runs) == 6
    assert len(bench.book.recorded) == 3


@pytest.mark.parametrize("change", ["submission", "source", "sheet", "class seed", "policy"])
def test_what_changed_is_graded_again(bench, change):
    bench.hand_in("ann", "# a")
    bench.hand_in("bob", "# b")
    bench.grade()
    options = {}
    if change == "submission":
        bench.hand_in("bob", "# better")
    elif change == "source":
        path = bench.root / "solutions" / NAME / f"{NAME}.ipynb"
        path.write_text(path.read_text().replace("stays as it was", "is not changed"))
        source = nbformat.read(path, as_version=4)
        next(c for c in source.cells if c.id == "setup").source += "\n# changed"
        nbformat.write(source, path)
    elif change == "sheet":
        path = bench.root / "assignments" / NAME / "checks.json"
        path.write_text(path.read_text() + " ")
    elif change == "class seed":
        seed_path(bench.root).parent.mkdir(exist_ok=True)
        seed_path(bench.root).write_text(make_seed())
    else:
        options["policy"] = Policy(cell_seconds=7)
    bench.grade(**options)
    again = {"submission": 1}.get(change, 2)
    assert len(bench.runs) == 2 + again
    assert len(bench.book.recorded) == again


def test_stopped_in_the_middle_it_goes_on(bench):
    for number in range(6):
        bench.hand_in(f"s{number}", f"# {number}")

    def stop(data):
        if len(bench.runs) == 4:
            raise KeyboardInterrupt

    bench.fail = stop
    with pytest.raises(KeyboardInterrupt):
        bench.grade()
    before = len(list(bench.grade_store().records()))
    assert 0 < before < 6
    bench.fail = lambda data: None
    batch = bench.grade()
    assert len(list(batch.store.records())) == 6
    assert len(bench.runs) <= 6 + 3  # at most those that were under way ran again


Bench.grade_store = lambda self: Store(self.root / "grading" / NAME)


def test_killed_between_result_and_record_nothing_runs_twice(bench):
    bench.hand_in("ann", "# a")
    batch = bench.grade()
    batch.store.records_path.unlink()
    bench.grade()
    assert len(bench.runs) == 1
    assert bench.book.recorded[0][0] == "ann"


def test_half_written_files_are_not_trusted(bench):
    bench.hand_in("ann", "# a")
    batch = bench.grade()
    records = batch.store.records_path
    records.write_bytes(records.read_bytes()[:-20])
    (result,) = batch.store.results.glob("*.json")
    result.write_text(result.read_text()[:50])
    batch = bench.grade()
    assert len(bench.runs) == 2
    assert [r["student"] for r in batch.store.records()] == ["ann"]


def test_a_lost_worker_is_no_students_fault(bench):
    for number in range(4):
        bench.hand_in(f"s{number}", f"# {number}")
    failures = []

    def fail(data):
        if len(failures) < 3:
            failures.append(1)
            raise OSError("a worker is out of reach")

    bench.fail = fail
    bench.grade()
    assert len(bench.book.recorded) == 4
    assert bench.lost == []


def test_a_submission_that_ends_every_worker_is_its_own_outcome(bench):
    for student in ("ann", "bob", "eve"):
        bench.hand_in(student, f"# {student}")

    def fail(data):
        if any(cell["source"] == "# ann" for cell in data["cells"]):
            raise concurrent.futures.BrokenExecutor("its process ended")

    bench.fail = fail
    batch = bench.grade()
    assert outcomes(batch) == {"ann": "not judged", "bob": "graded", "eve": "graded"}
    ((student, reason),) = bench.book.unreadable
    assert student == "ann"
    assert "a person has to look at it" in reason
    assert bench.lost == []
    bench.fail = lambda data: None  # called again, it gets another chance
    assert outcomes(bench.grade())["ann"] == "graded"


def test_points_lost_on_a_busy_machine_are_asked_for_again_alone(bench):
    bench.hand_in("ann", "# ann")
    bench.hand_in("bob", "# bob")
    execute, runs = bench.execute, []

    def busy(text):
        result = json.loads(execute(text))
        is_ann = "# ann" in text
        runs.append("ann" if is_ann else "bob")
        result["contended"] = True
        if is_ann and runs.count("ann") == 1:
            test = next(iter(result["tests"].values()))
            test |= {"score": 0.0, "failure": {"kind": "too long", "message": "", "hidden": False}}
        return json.dumps(result)

    coordinator.job.execute = busy
    full = load_skeleton(NAME, bench.root).max_score
    bench.grade()
    assert sorted(bench.book.recorded) == [("ann", full), ("bob", full)]
    assert runs[-1] == "ann"
    assert sorted(runs) == ["ann", "ann", "bob"]  # bob lost nothing


def test_a_submission_that_loses_every_worker_is_named_and_not_marked(bench):
    bench.hand_in("ann", "# a")
    bench.hand_in("bob", "# b")

    def fail(data):
        if any(cell["source"] == "# a" for cell in data["cells"]):
            raise OSError("no memory on this machine")

    bench.fail = fail
    batch = bench.grade()
    assert bench.lost == ["ann"]
    assert [s for s, _ in bench.book.recorded] == ["bob"]
    assert [r["student"] for r in batch.store.records()] == ["bob"]
    assert any("NOT GRADED" in report.line(r) for r in bench.shown if r)
    bench.fail = lambda data: None
    bench.grade()
    assert [s for s, _ in bench.book.recorded] == ["ann"]


# --- whatever one submission leads to, the others are graded ------------------------------------


def outcomes(batch):
    return {record["student"]: record["outcome"] for record in batch.store.records()}


@pytest.mark.parametrize("metadata", ["a text", [1], 7, None])
def test_metadata_of_the_wrong_kind_in_an_old_format_end_nothing(bench, metadata):
    bench.hand_in("bob", "# b")
    cell = {"cell_type": "code", "language": "python", "input": "x = 1", "outputs": []}
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"metadata": {}, "cells": [{**cell, "metadata": metadata}]}],
    }
    (bench.handed_in / "ann.ipynb").write_text(json.dumps(old))
    batch = bench.grade()
    assert outcomes(batch) == {"ann": "graded", "bob": "graded"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_no_text_end_nothing(bench):
    """Two notebooks in the folder of one student, from a zip of a Korean Windows (CP949)."""
    folder = bench.handed_in / "ann"
    folder.mkdir()
    for name in ("첫째.ipynb", "둘째.ipynb"):
        bench.hand_in("bob", f"# {name}")
        path = os.path.join(os.fsencode(folder), name.encode("cp949"))
        shutil.copyfile(bench.handed_in / "bob.ipynb", path)
    batch = bench.grade()
    assert outcomes(batch) == {"ann": "unreadable", "bob": "graded"}
    ((_, reason),) = bench.book.unreadable
    assert "several notebooks" in reason
    reason.encode()


def fails_for(name, error, real):
    """A function that fails for the student with this name, or whose answer names it."""

    def function(*arguments, **rest):
        if name in str(arguments[0]):
            raise error
        return real(*arguments, **rest)

    return function


def test_an_unforeseen_error_while_preparing_is_that_submissions_outcome(bench, monkeypatch):
    for student in ("ann", "bob"):
        bench.hand_in(student, f"# {student}")
    rebuild = coordinator.load_skeleton(NAME, bench.root).rebuild
    monkeypatch.setattr(
        "grader.intake.rebuild.Skeleton.rebuild",
        lambda self, notebook: fails_for("# ann", KeyError("what?"), rebuild)(notebook),
    )
    batch = bench.grade()
    assert outcomes(batch) == {"ann": "unreadable", "bob": "graded"}
    assert bench.book.unreadable == [
        ("ann", "the grader could not work with it: KeyError: 'what?'")
    ]
    assert bench.lost == []
    batch = bench.grade()  # it is not tried again as long as nothing changes
    assert bench.book.unreadable == []


def test_an_unforeseen_error_while_recording_is_that_submissions_outcome(bench, monkeypatch):
    for student in ("ann", "bob"):
        bench.hand_in(student, f"# {student}")
    write_one = recorder.write_one
    monkeypatch.setattr(
        recorder,
        "write_one",
        lambda cells, *rest: fails_for("# ann", TypeError("odd"), write_one)(cells, *rest),
    )
    batch = bench.grade()
    assert outcomes(batch) == {"ann": "not recorded", "bob": "graded"}
    (record,) = [record for record in batch.store.records() if record["student"] == "ann"]
    assert "TypeError: odd" in record["flagged"]
    assert record["score"] == 0


@pytest.mark.parametrize(
    "error", [OSError("no room"), OperationalError("insert", {}, Exception("locked"))]
)
def test_a_gradebook_that_cannot_be_written_takes_no_points(bench, monkeypatch, error):
    """It is the machine's fault and not the student's: named, not marked, and tried again."""
    for student in ("ann", "bob"):
        bench.hand_in(student, f"# {student}")
    with monkeypatch.context() as patch:
        patch.setattr(
            FakeBook,
            "record",
            lambda self, student, *rest: fails_for("ann", error, FakeBook.remember)(
                student, self, *rest
            ),
        )
        batch = bench.grade()
    assert outcomes(batch) == {"bob": "graded"}
    assert bench.lost == ["ann"]
    assert outcomes(bench.grade()) == {"ann": "graded", "bob": "graded"}


def test_a_zip_gives_the_same_as_a_folder(bench):
    bench.hand_in("ann", "# a")
    archive = bench.root / "batch.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(bench.handed_in / "ann.ipynb", "ann.ipynb")
    bench.grade(archive)
    assert [s for s, _ in bench.book.recorded] == ["ann"]


def test_what_is_no_notebook_takes_no_mark_away(bench):
    """A late batch with a PDF of somebody whose notebook has been graded."""
    write_roster(roster_path(bench.root), [Student("ann", "Ann"), Student("bob", "Bob")])
    bench.hand_in("ann", "# a")
    bench.grade()
    later = bench.root / "later"
    later.mkdir()
    for student in ("ann", "bob"):
        (later / f"{student}.pdf").write_bytes(b"%PDF")
    batch = bench.grade(later)
    assert {r["student"]: r["outcome"] for r in batch.store.records()} == {
        "ann": "graded",
        "bob": "unreadable",
    }
    assert [student for student, _ in bench.book.unreadable] == ["bob"]
    assert [(entry.path, entry.is_taken) for entry in batch.entries] == [
        ("ann.pdf", False),
        ("bob.pdf", False),
    ]
    assert batch.missing() == []


def test_the_line_of_a_submission_and_how_many_notes_it_leaves_out():
    record = {
        "student": "ann",
        "score": 1,
        "max_score": 2,
        "seconds": 0,
        "outcome": "graded",
        "flagged": "",
    }
    shown = report.line({**record, "notes": [f"note {n}" for n in range(9)]})
    count = sum(f"note {n}" in shown for n in range(9))
    assert shown.endswith(f"; and {9 - count} more")
    assert report.line({**record, "notes": ["one", "two"]}) == (
        "ann: 1 of 2, 0.0 s, graded; one; two"
    )


def test_table_and_summary(bench):
    bench.hand_in("=ann", "# a")
    bench.hand_in("bob", "# b")
    (bench.handed_in / "eve.ipynb").write_text("{")
    batch = bench.grade()
    skeleton = load_skeleton(NAME, bench.root)
    path = bench.root / "grades.csv"
    marks = {
        record["student"]: Marks(
            skeleton.max_score, sum(record["tests"].values()), tests=record["tests"]
        )
        for record in batch.store.records()
    }
    marks["=zoe"] = Marks(skeleton.max_score, 1.0, 2.5, 1.0, 0.5, 1.25, open=["why", "picture"])
    report.write_table(marks, batch.store.records(), skeleton.test_ids, path)
    with open(path, newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert list(next(iter(rows.values())))[:6] == list(report.COLUMNS)
    assert rows["bob"]["score"] == rows["bob"]["max_score"] == f"{skeleton.max_score:g}"
    assert rows["bob"][skeleton.test_ids[0]] == "1"
    assert rows["eve"]["outcome"] == "unreadable"
    assert rows["eve"]["score"] == "0"
    assert not any(name.startswith("=") for name in rows)
    # Only `nbgrader autograde` has graded her: there is no record.
    (zoe,) = (row for name, row in rows.items() if name.endswith("zoe"))
    assert [zoe[name] for name in ("outcome", *report.FROM_A_PERSON)] == [
        *("", "2.5", "1", "0.5", "4", "1.25", "2")
    ]
    text = report.summary_text(batch.summary())
    labels = re.findall(r"(\d+)–(\d+) %|(100) %", text)
    assert labels[:2] == [("0", "9", ""), ("10", "19", "")]
    assert labels[9:] == [("90", "99", ""), ("", "", "100")]
    assert "unreadable" in text
