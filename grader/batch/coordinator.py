"""From a folder of submissions to a gradebook: one process that alone writes, and workers.

The workers execute `job.execute`, JSON in and JSON out, in any `concurrent.futures.Executor`. A
worker that is lost costs nothing: its job is given out again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from grader.authoring.source import assignments
from grader.batch.digest import key_of
from grader.batch.likeness import forms_of
from grader.batch.reader import Reader
from grader.batch.store import Store
from grader.cells import Cell
from grader.gradebook.book import Book
from grader.gradebook.feedback import update_feedback, write_feedback
from grader.gradebook.graded import executed_notebook
from grader.gradebook.master import BookError, Locked
from grader.gradebook.submitted import write_one, write_times
from grader.intake.beside import files_of
from grader.intake.collect import Which, collect
from grader.intake.jobs import make_job
from grader.intake.rebuild import load_skeleton
from grader.intake.roster import Student, load_roster
from grader.intake.submission import Reading, Submission
from grader.judging import job
from grader.judging.dispatch import Dispatch, JobLost
from grader.judging.policy import Limits, Policy
from grader.judging.seed import class_seed
from grader.outcomes import Outcome
from grader.records import Job, Record, Result
from grader.text import shortened, writable
from helpers.assignment.notebook_file import Unreadable

MOST_NAMES = 50


def unforeseen(error: Exception) -> str:
    """The reason to give for an error that nobody thought of."""
    return f"the grader could not work with it: {type(error).__name__}: {str(error)[:120]}"


class Lost(NamedTuple):
    """A student of whom nothing could be recorded, and why."""

    student: str
    problem: str


class Pending(NamedTuple):
    """A submission that waits for the result of its job."""

    submission: Submission
    cells: list[Cell]
    notes: list[str]
    files: dict[str, str]

    @property
    def student(self) -> str:
        return self.submission.student


@dataclasses.dataclass
class Options:
    """How a batch is graded.

    Attributes
    ----------
    workers : int
    policy : Policy
    limits : Limits
    force : bool
        Run every submission again, also those that are done.
    feedback : bool
        Write the pages for the students.
    which : str
        Which attempt of a student counts, "last" or "first"; only with a roster.
    only : collection of str
        The students to grade; all if it is empty.
    test : str
        The one test to grade again: all else stays as it was recorded. Empty for all.
    """

    workers: int = 1
    policy: Policy = dataclasses.field(default_factory=Policy)
    limits: Limits = dataclasses.field(default_factory=Limits)
    force: bool = False
    feedback: bool = True
    which: Which = "last"
    only: Collection[str] = ()
    test: str = ""


@dataclasses.dataclass
class Summary:
    """Counts over a batch.

    Attributes
    ----------
    shares : list of int
        How many have 0 to 9 % of the points that tests give, 10 to 19 % and so on, at last 100 %.
    outcomes, failed, diagnoses : Counter
        How often each outcome, each failed test and each known mistake occurred.
    flagged : list of str
        Students whose notebooks a person has to look at.
    """

    shares: list[int] = dataclasses.field(default_factory=lambda: [0] * 11)
    outcomes: Counter[str] = dataclasses.field(default_factory=Counter)
    failed: Counter[str] = dataclasses.field(default_factory=Counter)
    diagnoses: Counter[str] = dataclasses.field(default_factory=Counter)
    flagged: list[str] = dataclasses.field(default_factory=list)


class Batch:
    """All submissions of one assignment.

    Parameters
    ----------
    assignment : str
    path : path
        A folder or a zip.
    root : path
        The course's folder.
    options : Options
    book : Book or None
        The gradebook; see `grader.gradebook.book`. None for a `plan`.
    make_executor : callable
        Gives an executor; called again when one is broken.
    show : callable
        Called with each finished record, with a `Lost` where nothing could be recorded, and with
        None where nothing was left to do.
    show_waiting : callable, optional
        Called with the students whose notebooks run, when nothing has come for a while.

    Attributes
    ----------
    handed_in : HandedIn
    entries : list of Entry
        What became of each file that was handed in; complete after `run`.
    """

    def __init__(
        self,
        assignment: str,
        path: str | Path,
        root: str | Path,
        options: Options,
        book: Book | None,
        make_executor: Callable[[], Executor],
        show: Callable[[Record | Lost | None], object],
        show_waiting: Callable[[list[str]], object] = lambda students: None,
    ) -> None:
        self.assignment, self.root, self.options = assignment, Path(root), options
        self._book, self.make_executor = book, make_executor
        self.show, self.show_waiting = show, show_waiting
        self.skeleton = load_skeleton(assignment, root)
        others = [name for name in assignments(self.root / "solutions") if name != assignment]
        self.roster = load_roster(root)
        self.handed_in = collect(
            path, assignment, others, self.roster, options.which, options.limits
        )
        self.submissions = self.handed_in.submissions
        if options.only:
            known = [one.student for one in self.submissions]
            if unknown := sorted(set(options.only) - set(known)):
                raise Unreadable(
                    f"nothing is handed in here by {', '.join(unknown)}. There are: "
                    f"{', '.join(shortened(known, MOST_NAMES))}"
                )
            self.submissions = [one for one in self.submissions if one.student in options.only]
        self.entries = list(self.handed_in.entries)
        if options.test and options.test not in self.skeleton.test_ids:
            raise Unreadable(
                f"there is no test {options.test}. There are: {', '.join(self.skeleton.test_ids)}"
            )
        self.store = Store(self.root / "grading" / assignment)
        self.class_seed = class_seed(root)
        self.files, self.beside = files_of(assignment, self.root)
        self.recorded = self.store.keys_recorded()
        self.done = {} if options.force or options.test else self.recorded
        self.reader = Reader()
        self.lost: list[str] = []
        self.pending: dict[str, list[Pending]] = {}  # by key, what waits for its result
        self.fresh: set[str] = set()  # results made in this call, which --force need not make again

    @property
    def book(self) -> Book:
        """The gradebook, which a plan does without."""
        if self._book is None:
            raise BookError("there is no gradebook to write into")
        return self._book

    def run(self) -> list[str]:
        """Grade everything that is not graded yet.

        Returns
        -------
        list of str
            The students of whom nothing could be recorded, because workers were lost again and
            again, or the gradebook or the disk could not be written.

        Raises
        ------
        Locked
            If another program holds the gradebook. What came back is kept: the next call goes on.
        """
        dispatch = Dispatch(
            job.execute,
            self.make_executor,
            2 * self.options.workers + 1,
            is_to_repeat=job.was_hindered,
            show_waiting=self.tell_who_runs,
        )
        with self.reader:
            for key, text in dispatch.run(self.jobs()):
                pending = self.pending.pop(key)
                if isinstance(text, JobLost):
                    for item in pending:
                        self.give_up(item, text)
                    continue
                result = json.loads(text)
                self.store.put(key, result)
                if self.options.force:
                    self.fresh.add(key)
                for item in pending:
                    self.record(key, result, item)
        return self.lost

    def jobs(self) -> Iterator[tuple[str, str]]:
        """The jobs that have to run, each once; what is known already is recorded on the way."""
        for submission in self.submissions:
            item = self.prepare(submission)
            if item is None:
                continue
            key, text, pending = item
            if key in self.pending:
                self.pending[key].append(pending)  # identical to one that is running
                continue
            if not self.options.force or key in self.fresh:
                result = self.store.get(key)
                if result is not None:
                    self.record(key, result, pending)
                    continue
            self.pending[key] = [pending]
            yield key, text

    def tell_who_runs(self, keys: list[str]) -> None:
        """Show whose notebooks are taking long."""
        self.show_waiting([item.student for key in keys for item in self.pending.get(key, ())])

    def give_up(self, item: Pending, lost: JobLost) -> None:
        """Record, or name, a submission of which no result came back."""
        if lost.is_culprit:
            reason = (
                "the process that judged it ended each time, the last time with nothing else "
                f"running ({lost}): a person has to look at it"
            )
            self.refuse(item.submission, "not judged", reason)
        else:
            self.lose(item.student, lost)

    def prepare(self, submission: Submission) -> tuple[str, str, Pending] | None:
        """(key, job, what to record with the result), or None if there is nothing to run.

        Whatever one submission leads to is its own outcome: the others are graded.
        """
        try:
            reading, cells, notes, data, key = self.examine(submission)
            self.entries += reading.entries
        except Unreadable as error:
            self.refuse_to_read(submission, str(error))
            return None
        except Exception as error:
            self.refuse_to_read(submission, unforeseen(error))
            return None
        if self.is_done(submission, key):
            return None
        pending = Pending(submission, cells, reading.notes + notes, reading.files)
        return key, json.dumps(data), pending

    def examine(self, submission: Submission) -> tuple[Reading, list[Cell], list[str], Job, str]:
        """What was read, the rebuilt cells, notes on these, the job, and its key.

        Raises
        ------
        Unreadable
            And whatever else a submission leads to.
        """
        reading = submission.read(
            self.assignment,
            self.skeleton.known,
            self.options.limits,
            self.skeleton.files,
            {*self.files, *self.beside},
            self.reader.parse,
        )
        cells, notes = self.skeleton.rebuild(reading.notebook)
        data = make_job(
            self.assignment,
            cells,
            self.options.policy,
            self.class_seed,
            self.files,
            self.beside,
            reading.files,
        )
        return reading, cells, notes, data, key_of(data)

    def plan(self) -> Iterator[tuple[str, str]]:
        """What would be done with each student's notebook, in words; nothing is written."""
        with self.reader:
            for submission in self.submissions:
                try:
                    key = self.examine(submission)[-1]
                except Unreadable as error:
                    yield submission.student, f"cannot be read: {error}"
                    continue
                except Exception as error:
                    yield submission.student, f"cannot be read: {unforeseen(error)}"
                    continue
                if self.done.get(submission.student) == key:
                    yield submission.student, "is graded, and has not changed"
                elif not self.options.force and self.store.get(key) is not None:
                    yield submission.student, "would be recorded with a result that is known"
                else:
                    yield submission.student, "would be run"

    def refuse_to_read(self, submission: Submission, reason: str) -> None:
        """Record that a submission cannot be read, and say so of each of its files."""
        self.entries += submission.refused(reason)
        earlier = self.recorded.get(submission.student, "unreadable")
        if submission.problem and not earlier.startswith("unreadable"):
            self.show(None)  # something else than a notebook takes no mark away
        else:
            self.refuse(submission, "unreadable", reason)

    def is_done(self, submission: Submission, key: str) -> bool:
        """Whether this has been recorded.

        The page follows the marks given by hand since, and the late penalty the dates.
        """
        student = submission.student
        if self.done.get(student) != key:
            return False
        try:
            self.book.keep_time(student, submission.time, submission.is_late)
            self.write_times(submission)
            if self.options.feedback:
                update_feedback(self.book, student)
        except (BookError, OSError):  # the gradebook or the notebook is gone: recorded anew
            return False
        self.show(None)
        return True

    def lose(self, student: str, error: Exception) -> None:
        """Name a student of whom nothing could be recorded: the command can be called again."""
        self.lost.append(student)
        self.show(Lost(student, repr(error)))

    def record(self, key: str, result: Result, pending: Pending) -> None:
        """Write a result into the gradebook, the feedback and the records.

        If that fails for this submission alone, that is its outcome, for a person to look at.
        """
        try:
            self.write(key, result, pending)
        except Locked:  # each further one would wait as long: the command ends, and says why
            raise
        except (BookError, OSError, SQLAlchemyError) as error:  # the machine's, not the student's
            self.lose(pending.student, error)
        except Exception as error:
            self.refuse(pending.submission, "not recorded", unforeseen(error))

    def write(self, key: str, result: Result, pending: Pending) -> None:
        """What `record` does when nothing goes wrong."""
        submission, cells, notes, files = pending
        student = submission.student
        if self.options.test:
            key, result = self.with_one_test(key, result, student, cells)
        notebook = executed_notebook(cells, self.skeleton, result["outputs"])
        self.book.record(student, result, notebook, notes, submission.time, submission.is_late)
        # So that nbgrader and formgrader can grade it again.
        write_one(cells, self.skeleton, self.folder("submitted", student), files)
        self.write_times(submission)
        if self.options.feedback:
            write_feedback(self.book, student)
        tests = result["tests"]
        failures = [test["failure"] for test in tests.values() if "failure" in test]
        record: Record = {
            "student": student,
            "key": key,
            "score": sum(test["score"] for test in tests.values()),
            "max_score": self.skeleton.max_score,
            "outcome": result["outcome"],
            "flagged": "; ".join(result["flags"]),
            "seconds": round(result["seconds"], 2),
            "tests": {grade_id: test["score"] for grade_id, test in tests.items()},
            "diagnoses": sorted({f["diagnosis"] for f in failures if f["diagnosis"]}),
            "notes": notes,
            "answers": forms_of(cells),
        }
        self.store.record(record)
        self.show(record)

    def with_one_test(
        self, key: str, result: Result, student: str, cells: list[Cell]
    ) -> tuple[str, Result]:
        """The result that is recorded of a student, with one test of a new one; and its key.

        The next grading of all tests finds another key, and records what it comes to.
        """
        old = self.store.get(self.recorded.get(student, ""))
        if old is None:
            return key, result  # nothing that could stay as it was
        test = self.options.test
        kept = {name: old["tests"].get(name, new) for name, new in result["tests"].items()}
        tests = {**kept, test: result["tests"][test]}
        outputs = result["outputs"]
        if len(old["outputs"]) == len(outputs):  # of the same cells, as far as one can tell
            place = next(number for number, cell in enumerate(cells) if cell.grade_id == test)
            outputs = [*old["outputs"][:place], outputs[place], *old["outputs"][place + 1 :]]
        made: Result = {**old, "tests": tests, "outputs": outputs}
        digest = hashlib.sha256(f"{self.recorded[student]} {key} {test}".encode()).hexdigest()[:40]
        self.store.put(digest, made)
        return digest, made

    def folder(self, kind: str, student: str) -> Path:
        """One of nbgrader's folders of a student."""
        return self.root / "grading" / kind / student / self.assignment

    def write_times(self, submission: Submission) -> None:
        """Write when it was handed in where nbgrader looks for it."""
        for kind in ("submitted", "autograded", "feedback"):
            write_times(self.folder(kind, submission.student), submission.exchange_files())

    def refuse(self, submission: Submission, outcome: Outcome, reason: str) -> None:
        """Record what could not be graded: no points, with the reason."""
        reason, student = writable(reason), submission.student
        key = f"{outcome}-{hashlib.sha256(reason.encode()).hexdigest()[:24]}".replace(" ", "-")
        if self.is_done(submission, key):
            return
        try:
            self.book.record_unreadable(student, reason, submission.time, submission.is_late)
            if self.options.feedback:
                write_feedback(self.book, student)
        except Locked:
            raise
        except Exception as error:
            self.lose(student, error)
            return
        record: Record = {
            "student": student,
            "key": key,
            "score": 0.0,
            "max_score": self.skeleton.max_score,
            "outcome": outcome,
            "flagged": "" if outcome == "unreadable" else reason,
            "seconds": 0.0,
            "tests": {},
            "diagnoses": [],
            "notes": [reason],
            "answers": {},
        }
        self.store.record(record)
        self.show(record)

    def missing(self) -> list[Student]:
        """The students of the roster of whom nothing is recorded, in this call or before."""
        known = {submission.student for submission in self.submissions}
        known |= set(self.store.keys_recorded())
        return [student for student in self.roster if student.id not in known]

    def summary(self) -> Summary:
        """Counts over the whole batch, from the records on disk."""
        students = {submission.student for submission in self.submissions}
        found = Summary()
        for record in self.store.records():
            if record["student"] not in students:
                continue
            share = record["score"] / self.skeleton.auto_max if self.skeleton.auto_max else 0.0
            found.shares[min(10, int(10 * share))] += 1
            found.outcomes[record["outcome"]] += 1
            found.diagnoses.update(record["diagnoses"])
            found.failed.update(test for test, score in record["tests"].items() if not score)
            if record["flagged"]:
                found.flagged.append(record["student"])
        return found
