"""The coordinator: nothing is lost, nothing runs twice, and stopping it costs nothing."""

import concurrent.futures
import csv
import functools
import json
import os
import re
import shutil
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from sqlalchemy.exc import OperationalError

from grader.batch import coordinator, recorder, report
from grader.batch.coordinator import Batch
from grader.batch.options import Options
from grader.batch.recorder import Lost
from grader.batch.store import Store
from grader.gradebook.marks import Marks
from grader.gradebook.master import BookError, Locked
from grader.intake.rebuild import load_skeleton
from grader.intake.roster import Student, roster_path, write_roster
from grader.judging.policy import Limits, Policy
from grader.judging.seed import make_seed, seed_path
from helpers.assignment.notebook_file import Unreadable
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
            Options(**{"feedback": False, **options}),
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


# --- what is recorded, and what would be ---------------------------------------------------------


@pytest.fixture
def noted(monkeypatch):
    """What the gradebook is given: (what, student, all else)."""
    kept = []

    def noting(what):
        return lambda self, student, *rest: kept.append((what, student, rest))

    for what in ("record", "record_unreadable", "keep_time"):
        monkeypatch.setattr(FakeBook, what, noting(what))
    return kept


def records_of(batch):
    return {record["student"]: record for record in batch.store.records()}


def with_results(bench, monkeypatch, **parts):
    """Let each result have these parts; of ``tests`` those that are not as they were."""
    execute = bench.execute

    def changed(text):
        result = json.loads(execute(text))
        tests = {name: {**result["tests"][name], **one} for name, one in parts["tests"].items()}
        return json.dumps({**result, **parts, "tests": {**result["tests"], **tests}})

    monkeypatch.setattr(coordinator.job, "execute", changed)


AT_TEN = b"2026-11-28 10:00:00 UTC"


def hand_in_at_ten(bench, student, answer):
    """A notebook in a folder of nbgrader's exchange, which says when it came."""
    folder = bench.handed_in / student / NAME
    folder.mkdir(parents=True, exist_ok=True)
    bench.hand_in(f"{student}/{NAME}/{NAME}", answer)
    (folder / "timestamp.txt").write_bytes(AT_TEN)


def test_the_record_of_a_submission_holds_all_that_is_known_of_it(bench, noted, monkeypatch):
    skeleton = load_skeleton(NAME, bench.root)
    first, second, third = skeleton.test_ids[:3]
    failed = {"kind": "values", "message": "", "hidden": False}
    with_results(
        bench,
        monkeypatch,
        flags=["it lied", "it was slow"],
        seconds=1.23456,
        outcome="cell timeout",
        tests={
            first: {"score": 0.0, "failure": {**failed, "diagnosis": "z"}},
            second: {"score": 0.25, "failure": {**failed, "diagnosis": "a"}},
            third: {"score": 0.0, "failure": {**failed, "diagnosis": ""}},
        },
    )
    hand_in_at_ten(bench, "ann", "def correlate2d(image, kernel):\n    return image")
    (bench.handed_in / "ann" / NAME / "own.txt").write_text("x")
    record = records_of(bench.grade())["ann"]
    points = {name: skeleton.known[name].metadata.nbgrader["points"] for name in skeleton.test_ids}
    tests = {**points, first: 0.0, second: 0.25, third: 0.0}
    answers = record.pop("answers")
    assert record.pop("key") in {path.stem for path in bench.grade_store().results.iterdir()}
    notes = ["handed in beside the notebook, and not there when it runs: own.txt"]
    assert record == {
        "student": "ann",
        "score": sum(tests.values()),
        "max_score": skeleton.max_score,
        "outcome": "cell timeout",
        "flagged": "it lied; it was slow",
        "seconds": 1.23,
        "tests": tests,
        "diagnoses": ["a", "z"],
        "notes": notes,
    }
    assert list(answers) == ["correlate2d"]
    (shown,) = bench.shown
    assert {**shown, "key": "", "answers": {}} == {**record, "key": "", "answers": {}}
    ((what, student, (result, notebook, told, when, is_late)),) = noted
    assert (what, student, told, is_late) == ("record", "ann", notes, False)
    assert when == datetime(2026, 11, 28, 10)
    assert result["tests"][second]["score"] == 0.25
    assert notebook["cells"][0]["id"] == "title"
    stamp = bench.root / "grading" / "{}" / "ann" / NAME / "timestamp.txt"
    assert Path(str(stamp).format("submitted")).read_bytes() == AT_TEN


def test_the_record_of_what_cannot_be_read_gives_no_points_and_the_reason(bench, noted):
    (bench.handed_in / "ann.ipynb").write_text("{")
    batch = bench.grade()
    record = records_of(batch)["ann"]
    (reason,) = record["notes"]
    assert record.pop("key").startswith("unreadable-")
    assert record == {
        "student": "ann",
        "score": 0.0,
        "max_score": load_skeleton(NAME, bench.root).max_score,
        "outcome": "unreadable",
        "flagged": "",
        "seconds": 0.0,
        "tests": {},
        "diagnoses": [],
        "notes": [reason],
        "answers": {},
    }
    assert [one["student"] for one in bench.shown] == ["ann"]
    assert noted == [("record_unreadable", "ann", (reason, None, False))]
    assert [(one.path, one.is_taken, one.reason) for one in batch.entries] == [
        ("ann.ipynb", False, reason)
    ]
    # For the same reason it is not recorded again, for another one it is.
    noted.clear()
    bench.grade()
    assert (noted, bench.shown) == ([("keep_time", "ann", (None, False))], [None])
    noted.clear()
    bench.grade(limits=Limits(notebook_bytes=0))
    assert [what for what, *_ in noted] == ["record_unreadable"]


def test_what_could_not_be_recorded_is_flagged_with_the_reason(bench, monkeypatch):
    bench.hand_in("ann", "# a")

    def fail(*given):
        raise TypeError("odd " * 60)

    monkeypatch.setattr(recorder, "write_one", fail)
    record = records_of(bench.grade())["ann"]
    reason = "the grader could not work with it: TypeError: " + ("odd " * 30)
    assert (record["outcome"], record["flagged"]) == ("not recorded", reason)
    assert record["notes"] == [reason]
    assert record["key"].startswith("not-recorded-")


@pytest.mark.parametrize("error", [BookError("locked"), OSError("no room")])
def test_what_cannot_be_recorded_as_unreadable_is_named(bench, monkeypatch, error):
    (bench.handed_in / "ann.ipynb").write_text("{")
    bench.hand_in("bob", "# b")

    def fail(*given):
        raise error

    monkeypatch.setattr(FakeBook, "record_unreadable", fail)
    batch = bench.grade()
    assert (bench.lost, list(records_of(batch))) == (["ann"], ["bob"])
    assert Lost("ann", repr(error)) in bench.shown


@pytest.mark.parametrize("what", ["a notebook", "what is none"])
def test_a_gradebook_that_is_locked_ends_the_command(bench, monkeypatch, what):
    """Each further student would wait as long."""
    bench.hand_in("ann", "# a")
    if what == "what is none":
        (bench.handed_in / "ann.ipynb").write_text("{")

    def fail(*given):
        raise Locked("another program holds it")

    monkeypatch.setattr(FakeBook, "record", fail)
    monkeypatch.setattr(FakeBook, "record_unreadable", fail)
    with pytest.raises(Locked):
        bench.grade()


@pytest.mark.parametrize("error", [BookError("none"), OSError("no notebook")])
def test_whose_marks_are_gone_is_recorded_anew_without_running(bench, monkeypatch, error):
    bench.hand_in("ann", "# a")
    bench.grade()

    def fail(*given):
        raise error

    monkeypatch.setattr(FakeBook, "keep_time", fail)
    bench.grade()
    assert (len(bench.runs), len(bench.book.recorded)) == (1, 1)


def test_who_has_a_record_already_keeps_the_time_and_has_a_page_of_it(bench, noted, monkeypatch):
    pages = []
    monkeypatch.setattr(recorder, "update_feedback", lambda book, name: pages.append(name))
    monkeypatch.setattr(recorder, "write_feedback", lambda book, name: pages.append(name))
    hand_in_at_ten(bench, "ann", "# a")
    grade = functools.partial(bench.grade, feedback=True)
    grade()
    assert pages == ["ann"]
    later = b"2026-11-28 11:00:00 UTC"
    (bench.handed_in / "ann" / NAME / "timestamp.txt").write_bytes(later)
    noted.clear()
    grade()
    assert noted == [("keep_time", "ann", (datetime(2026, 11, 28, 11), False))]
    assert pages == ["ann"] * 2
    assert bench.shown == [None]
    for kind in ("submitted", "autograded", "feedback"):
        folder = bench.root / "grading" / kind / "ann" / NAME
        assert not folder.exists() or (folder / "timestamp.txt").read_bytes() == later
    assert (bench.root / "grading/submitted/ann" / NAME / "timestamp.txt").exists()
    bench.grade()
    assert pages == ["ann"] * 2  # where none are asked for, none are written


def test_forced_the_same_notebook_of_several_runs_once(bench):
    for number in range(3):
        bench.hand_in(f"s{number}", "# the same")
    bench.grade()
    bench.grade(force=True, workers=1)
    assert len(bench.runs) == 2
    assert len(bench.book.recorded) == 3


def test_one_test_is_graded_again_and_all_else_stays(bench, noted, monkeypatch):
    skeleton = load_skeleton(NAME, bench.root)
    test, other = skeleton.test_ids[1], skeleton.test_ids[0]
    bench.hand_in("ann", "# a")
    before = records_of(bench.grade())["ann"]
    failed = {"score": 0.0, "failure": {"kind": "values", "message": "", "diagnosis": "d"}}
    outputs = [[[], number] for number in range(len(bench.runs[0]["cells"]))]
    with_results(bench, monkeypatch, tests={test: failed, other: failed}, outputs=outputs, cpu=9)
    bench.hand_in("bob", "# b")  # of whom nothing is known that could stay
    noted.clear()
    after = records_of(bench.grade(test=test, force=True))
    assert after["ann"]["tests"] == {**before["tests"], test: 0.0}
    assert after["ann"]["key"] != before["key"]
    assert after["bob"]["tests"] == {**before["tests"], test: 0.0, other: 0.0}
    (result,) = (rest[0] for _, student, rest in noted if student == "ann")
    place = [cell["grade_id"] for cell in bench.runs[0]["cells"]].index(test)
    assert [one[1] for one in result["outputs"]] == [
        place if number == place else None for number in range(len(outputs))
    ]
    assert result["cpu"] == 0.4  # of the run that all else is of
    # The next grading of all tests records what it comes to.
    assert records_of(bench.grade())["ann"]["tests"] == {**before["tests"], test: 0.0, other: 0.0}


def test_of_another_number_of_cells_all_outputs_are_the_new_ones(bench, noted, monkeypatch):
    bench.hand_in("ann", "# a")
    bench.grade()
    bench.released.cells.append(nbformat.v4.new_code_cell("x = 1"))
    bench.hand_in("ann", "# a")
    test = load_skeleton(NAME, bench.root).test_ids[0]
    number = len(bench.runs[0]["cells"])
    with_results(bench, monkeypatch, tests={test: {"score": 0.0}}, outputs=[[[], 7]] * (number + 1))
    noted.clear()
    bench.grade(test=test)
    ((_, _, (result, *_)),) = noted
    assert result["outputs"] == [[[], 7]] * (number + 1)
    assert result["tests"][test]["score"] == 0.0


def test_what_is_asked_for_and_not_there_is_told_with_what_there_is(bench):
    for student in ("bob", "ann"):
        bench.hand_in(student, f"# {student}")
    with pytest.raises(Unreadable) as told:
        bench.grade(only=["zoe", "ann", "yan"])
    assert str(told.value) == "nothing is handed in here by yan, zoe. There are: ann, bob"
    with pytest.raises(Unreadable) as told:
        bench.grade(test="one")
    listed = ", ".join(load_skeleton(NAME, bench.root).test_ids)
    assert str(told.value) == f"there is no test one. There are: {listed}"
    bench.grade(only=["bob"])
    assert [student for student, _ in bench.book.recorded] == ["bob"]


def test_what_would_be_done_is_told_for_each_student(bench):
    def plan(**options):
        given = (NAME, bench.handed_in, bench.root, Options(**options))
        return dict(Batch(*given, None, None, lambda record: None).plan())

    bench.hand_in("ann", "# a")
    bench.hand_in("bob", "# b")
    bench.grade()
    bench.hand_in("bob", "# a")  # whose result is ann's
    bench.hand_in("cat", "# c")
    (bench.handed_in / "dan.ipynb").write_text("{")
    made = plan()
    assert made.pop("dan").startswith("cannot be read: ")
    known = "would be recorded with a result that is known"
    assert made == {"ann": "is graded, and has not changed", "bob": known, "cat": "would be run"}
    forced = plan(force=True, only=["ann", "bob"])
    assert forced == {"ann": "would be run", "bob": "would be run"}


def test_who_has_handed_in_nothing_is_named_in_the_order_of_the_roster(bench):
    names = ("zoe", "ann", "yan", "bob")
    write_roster(roster_path(bench.root), [Student(name, name) for name in names])
    bench.hand_in("bob", "# b")
    assert [one.id for one in bench.grade().missing()] == ["zoe", "ann", "yan"]
    (bench.handed_in / "bob.ipynb").unlink()
    bench.hand_in("ann", "# a")
    batch = bench.grade()
    assert [one.id for one in batch.missing()] == ["zoe", "yan"]  # bob handed in before
    # The summary is that of this batch alone.
    assert batch.summary().outcomes == {"graded": 1}


def test_a_plan_has_no_gradebook_to_write_into(bench):
    given = (NAME, bench.handed_in, bench.root, Options(), None, None, lambda record: None)
    with pytest.raises(BookError, match="there is no gradebook to write into"):
        Batch(*given).recorder.book  # noqa: B018
