"""What is written of each submission: gradebook, notebooks, the student's page, and a record.

Whatever that leads to is this submission's own outcome; what the machine is at fault for, such as a
full disk, is no outcome: the student is named, and the next call tries again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from grader.batch.likeness import forms_of
from grader.batch.options import Options
from grader.batch.store import Store
from grader.cells import Cell
from grader.gradebook.book import Book
from grader.gradebook.feedback import update_feedback, write_feedback
from grader.gradebook.graded import executed_notebook
from grader.gradebook.master import BookError, Locked
from grader.gradebook.submitted import write_one, write_times
from grader.intake.rebuild import Skeleton
from grader.intake.submission import Submission
from grader.outcomes import Outcome
from grader.records import Record, Result
from grader.text import writable


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
    language: str

    @property
    def student(self) -> str:
        return self.submission.student


class Recorder:
    """Writes what became of the submissions of one assignment.

    Parameters
    ----------
    assignment : str
    root : path
        The course's folder.
    options : Options
    skeleton : Skeleton
    store : Store
    book : Book or None
        None for a plan, which writes nothing.
    show : callable
        See `grader.batch.coordinator.Batch`.

    Attributes
    ----------
    known : dict of str to str
        The key of what was recorded of each student before.
    done : dict of str to str
        Those of them that need not be recorded again.
    lost : list of str
        Students of whom nothing could be recorded.
    """

    def __init__(
        self,
        assignment: str,
        root: Path,
        options: Options,
        skeleton: Skeleton,
        store: Store,
        book: Book | None,
        show: Callable[[Record | Lost | None], object],
    ) -> None:
        self.assignment, self.root, self.options = assignment, root, options
        self.skeleton, self.store, self._book, self.show = skeleton, store, book, show
        self.known = store.keys_recorded()
        self.done = {} if options.force or options.test else self.known
        self.lost: list[str] = []
        self.replaced: dict[str, Result] = {}

    @property
    def book(self) -> Book:
        """The gradebook, which a plan does without."""
        if self._book is None:
            raise BookError("there is no gradebook to write into")
        return self._book

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
        submission, cells, notes, files, language = pending
        student = submission.student
        if self.options.test:
            key, result = self.with_one_test(key, result, student, cells)
        notebook = executed_notebook(cells, self.skeleton, result["outputs"], language)
        self.book.record(student, result, notebook, notes, submission.time, submission.is_late)
        # So that nbgrader and formgrader can grade it again.
        write_one(cells, self.skeleton, self.folder("submitted", student), files, language)
        self.write_times(submission)
        if self.options.feedback:
            write_feedback(self.book, student)
        tests = result["tests"]
        failures = [test["failure"] for test in tests.values() if "failure" in test]
        told = {failure["diagnosis"] for failure in failures if failure["diagnosis"]}
        record: Record = {
            "student": student,
            "key": key,
            "score": sum(test["score"] for test in tests.values()),
            "max_score": self.skeleton.max_score,
            "outcome": result["outcome"],
            "flagged": "; ".join(result["flags"]),
            "seconds": round(result["seconds"], 2),
            "tests": {grade_id: test["score"] for grade_id, test in tests.items()},
            "diagnoses": sorted(self.skeleton.in_english(text, language) for text in told),
            "notes": notes,
            "answers": forms_of(cells),
        }
        self.store.record(record)
        self.show(record)

    def keep_replaced(self, key: str) -> None:
        """Keep the result in whose place one of the same key is put, for `with_one_test`."""
        if self.options.test and (old := self.store.get(key)) is not None:
            self.replaced[key] = old

    def with_one_test(
        self, key: str, result: Result, student: str, cells: list[Cell]
    ) -> tuple[str, Result]:
        """The result that is recorded of a student, with one test of a new one; and its key.

        The next grading of all tests finds another key, and records what it comes to.
        """
        known = self.known.get(student, "")
        old = self.replaced.get(known) or self.store.get(known)
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
        digest = hashlib.sha256(f"{known} {key} {test}".encode()).hexdigest()[:40]
        self.store.put(digest, made)
        return digest, made

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

    def lose(self, student: str, error: Exception) -> None:
        """Name a student of whom nothing could be recorded: the command can be called again."""
        self.lost.append(student)
        self.show(Lost(student, repr(error)))

    def folder(self, kind: str, student: str) -> Path:
        """One of nbgrader's folders of a student."""
        return self.root / "grading" / kind / student / self.assignment

    def write_times(self, submission: Submission) -> None:
        """Write when it was handed in where nbgrader looks for it."""
        for kind in ("submitted", "autograded", "feedback"):
            write_times(self.folder(kind, submission.student), submission.exchange_files())
