"""nbgrader's gradebook, written as nbgrader writes it, for a whole batch in one session.

`nbgrader autograde` opens the database ten times a submission and asks it for each cell. Here the
cells are read once, and a submission is a handful of statements in one transaction. The rows are
the same, row by row (there is a test that compares them).
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.preprocessors import AssignLatePenalties, LimitOutput
from nbgrader.utils import parse_utc
from sqlalchemy import insert, select, update

from grader.files import Part
from grader.gradebook.graded import finish, to_bytes, work_of
from grader.gradebook.master import (
    BookError,
    enter,
    known_cells,
    load_config,
    master_notebook,
    open_gradebook,
    told_if_locked,
)
from grader.intake.rebuild import load_skeleton
from grader.intake.roster import load_roster

# Of what is late, nobody knows how much: the least is taken.
JUST_LATE = timedelta(seconds=1)
NO_RESPONSE = "No response."  # nbgrader's own words for an answer that was left as it was


class Book:
    """The gradebook of one assignment, and its graded notebooks.

    Parameters
    ----------
    root : path
        The course's folder, with grading/gradebook.db (made if it is missing).
    assignment : str

    Used with ``with``. Entering it enters the assignment into the gradebook, as ``nbgrader
    generate_assignment`` does, unless it stands there as it is.
    """

    def __init__(self, root: str | Path, assignment: str) -> None:
        self.root, self.assignment = Path(root), assignment
        self.config = load_config(root)
        self.limit = LimitOutput(config=self.config)
        penalties = AssignLatePenalties(config=self.config)
        penalties.init_plugin()
        self.late_policy = penalties.plugin_inst

    def __enter__(self) -> Book:
        self.names = {student.id: student.name for student in load_roster(self.root)}
        self.skeleton = load_skeleton(self.assignment, self.root)
        self.master = master_notebook(self.skeleton.source, self.config)
        self.known = known_cells(self.master)
        (self.root / "grading").mkdir(exist_ok=True)
        self.gradebook = open_gradebook(
            f"sqlite:///{self.root / 'grading' / 'gradebook.db'}", self.config
        )
        try:
            with told_if_locked():
                enter(self.gradebook, self.assignment, self.master, self.config)
                self._read_cells()
        except BaseException:
            self.gradebook.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.gradebook.close()

    def name_of(self, student: str) -> str:
        """What the roster calls a student; the name in the gradebook for one who is not in it."""
        return self.names.get(student) or student

    def path(self, student: str) -> Path:
        """Where a student's graded notebook is."""
        if student in ("", ".", "..") or "/" in student or "\0" in student:
            raise ValueError(f"{student!r} cannot be a student's name")
        folder = self.root / "grading" / "autograded" / student / self.assignment
        return folder / f"{self.assignment}.ipynb"

    def record(
        self,
        student: str,
        result: Mapping[str, Any],
        notebook: Mapping[str, Any] | None,
        notes: Sequence[str] = (),
        timestamp: Any = None,
        is_late: bool = False,
    ) -> None:
        """Write a result: marks and comments into the gradebook, and the graded notebook.

        What an instructor gave, marks and comments, stays; a mark by hand asks to be looked at
        again if the student's cells or the automatic mark are not what they were. To record the
        same again changes nothing. If the process is killed, the gradebook holds all of it or
        nothing. The file is exchanged right after: in between, the old one lies beside the new
        marks until the same is recorded again.

        Parameters
        ----------
        student : str
        result : dict
            As of `job.execute`.
        notebook : dict or notebook or None
            The executed one; None if nothing could be run: then every cell has 0 points.
        notes : sequence of str
            What was unusual, for the student.
        timestamp : datetime or str, optional
            When it was handed in; None leaves what is known.
        is_late : bool
            Whether it was late, if nothing says when it was handed in.
        """
        path = self.path(student)
        data = to_bytes(finish(notebook, self.known, result, notes, self.limit))
        sources: dict[str, str] = {}
        for cell in notebook["cells"] if notebook else ():
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            sources.setdefault(grade_id, cell["source"])
        old = _read(path)
        is_other = old != data

        @functools.cache  # asked only where there is something to be kept, and then once
        def is_new_work() -> bool:
            return is_other and not _is_same_work(old, data)

        with contextlib.ExitStack() as stack:
            if is_other:
                # Above the students' folders: nbgrader copies every other file of those into the
                # feedback. Read-only, as nbgrader does.
                part = stack.enter_context(Part(path, data, path.parents[2], 0o444))
            with self._transaction() as db:
                notebook_id, is_new = self._submission(db, student)
                self._grade(db, notebook_id, result, sources, notebook is not None, is_new_work)
                self._comment(db, notebook_id, sources, notebook is not None)
                self._keep_time(db, student, timestamp, is_late)
                if result.get("flags") and (is_new or is_new_work()):
                    db.execute(update(SubmittedNotebook), [{"id": notebook_id, "flagged": True}])
            if is_other:
                part.put()

    def record_unreadable(
        self, student: str, reason: str, timestamp: Any = None, is_late: bool = False
    ) -> None:
        """Write that a submission could not be read: no points, with the reason."""
        self.record(student, {"outcome": "unreadable"}, None, [reason], timestamp, is_late)

    def keep_time(self, student: str, timestamp: Any, is_late: bool = False) -> None:
        """Write when something was handed in, and the late penalty as it is now.

        A due date, an extension and a mark by hand change it between two calls.

        Parameters
        ----------
        student : str
        timestamp : datetime or str or None
            None leaves what is known.
        is_late : bool
            Whether it was late, if nothing says when it was handed in.

        Raises
        ------
        BookError
            If nothing is recorded of the student.
        """
        with self._transaction() as db:
            self._keep_time(db, student, timestamp, is_late)

    def marks(self, student: str) -> dict[str, Any]:
        """A student's marks and comments, as they stand in the gradebook.

        Returns
        -------
        dict
            ``score``, ``max_score``, ``late_penalty``, and by grade id ``cells`` (score and
            points) and ``comments``.

        Raises
        ------
        BookError
            If nothing is recorded of the student, or the gradebook is locked.
        """
        with self.reading() as db:
            found = self._find(db, student)
            if found is None:
                raise BookError(f"{student} has no submission of {self.assignment}")
            grades = db.execute(
                select(Grade.cell_id, Grade.score).where(*self._of(Grade, found.notebook))
            )
            scores = {row.cell_id: row.score for row in grades}
            comments = db.execute(
                select(Comment.cell_id, Comment.comment).where(*self._of(Comment, found.notebook))
            )
            texts = {row.cell_id: row.comment for row in comments}
        penalty = found.penalty or 0
        return {
            "score": max(0.0, sum(scores.get(cell, 0.0) for cell in self.graded) - penalty),
            "max_score": sum(points for _, _, points in self.graded.values()),
            "late_penalty": penalty,
            "cells": {
                name: (scores.get(cell_id, 0.0), points)
                for cell_id, (name, _, points) in self.graded.items()
            },
            "comments": {name: texts.get(cell_id) for cell_id, name in self.commented.items()},
        }

    def _read_cells(self) -> None:
        """The ids that the gradebook has for the assignment and its cells."""
        notebook = self.gradebook.find_notebook(self.assignment, self.assignment)
        self.notebook_id, self.assignment_id = notebook.id, notebook.assignment_id
        self.graded = {cell.id: (cell.name, False, cell.max_score) for cell in notebook.grade_cells}
        self.graded |= {cell.id: (cell.name, True, cell.max_score) for cell in notebook.task_cells}
        self.commented = {
            cell.id: cell.name for cell in (*notebook.solution_cells, *notebook.task_cells)
        }
        self.gradebook.db.rollback()
        self.gradebook.db.expunge_all()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Any]:
        """The database's session, for statements that change nothing."""
        db = self.gradebook.db
        try:
            with told_if_locked():
                yield db
        finally:
            db.rollback()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        db = self.gradebook.db
        try:
            with told_if_locked():
                yield db
                db.commit()
        except BaseException:
            db.rollback()
            raise

    def _of(self, kind: Any, notebook_id: str) -> tuple[Any, Any]:
        """Which rows are a notebook's. With the cells, as the database's index is by cells."""
        cells = self.graded if kind is Grade else self.commented
        return kind.cell_id.in_(cells), kind.notebook_id == notebook_id

    def _find(self, db: Any, student: str) -> Any:
        """The rows of a student's submission, or None."""
        return db.execute(
            select(
                SubmittedAssignment.id.label("submission"),
                SubmittedNotebook.id.label("notebook"),
                SubmittedNotebook.late_submission_penalty.label("penalty"),
                SubmittedAssignment.timestamp,
                SubmittedAssignment.extension,
                Assignment.duedate,
            )
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .outerjoin(
                SubmittedNotebook,
                (SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                & (SubmittedNotebook.notebook_id == self.notebook_id),
            )
            .where(
                SubmittedAssignment.assignment_id == self.assignment_id,
                SubmittedAssignment.student_id == student,
            )
        ).first()

    def _keep_time(self, db: Any, student: str, timestamp: Any, is_late: bool) -> None:
        """What `keep_time` does, within a transaction."""
        found = self._find(db, student)
        if found is None or found.notebook is None:
            raise BookError(f"{student} has no submission of {self.assignment}")
        when = found.timestamp if timestamp is None else parse_utc(timestamp)
        if when is None and is_late and found.duedate:
            when = found.duedate + JUST_LATE
        if when != found.timestamp:
            row = {"id": found.submission, "timestamp": when}
            db.execute(update(SubmittedAssignment), [row])
        penalty = self._penalty(db, student, when, found)
        if penalty != found.penalty:
            row = {"id": found.notebook, "late_submission_penalty": penalty}
            db.execute(update(SubmittedNotebook), [row])

    def _penalty(self, db: Any, student: str, when: Any, found: Any) -> float | None:
        """The points that are taken off, as nbgrader's own AssignLatePenalties works them out."""
        if when is None or found.duedate is None:
            return None
        seconds = (when - found.duedate - (found.extension or timedelta())).total_seconds()
        if seconds <= 0:
            return None
        grades = db.scalars(select(Grade.score).where(*self._of(Grade, found.notebook)))
        score = sum(grades)
        penalty = self.late_policy.late_submission_penalty(student, score, seconds)
        return None if penalty is None else min(max(penalty, 0), score)

    def _submission(self, db: Any, student: str) -> tuple[str, bool]:
        """The id of the student's notebook in the gradebook, and whether it was made just now."""
        found = self._find(db, student)
        if found is not None and found.notebook is not None:
            return found.notebook, False
        if found is None:
            if db.execute(select(Student.id).where(Student.id == student)).first() is None:
                db.execute(insert(Student), [{"id": student}])
            submission = new_uuid()
            db.execute(
                insert(SubmittedAssignment),
                [
                    {
                        "id": submission,
                        "assignment_id": self.assignment_id,
                        "student_id": student,
                    }
                ],
            )
        else:
            submission = found.submission
        notebook = new_uuid()
        db.execute(
            insert(SubmittedNotebook),
            [{"id": notebook, "assignment_id": submission, "notebook_id": self.notebook_id}],
        )
        return notebook, True

    def _grade(
        self,
        db: Any,
        notebook_id: str,
        result: Mapping[str, Any],
        sources: Mapping[str, str],
        has_run: bool,
        is_new_work: Callable[[], bool],
    ) -> None:
        """Write the automatic marks."""
        columns = (
            Grade.cell_id,
            Grade.id,
            Grade.auto_score,
            Grade.manual_score,
            Grade.needs_manual_grade,
        )
        rows = db.execute(select(*columns).where(*self._of(Grade, notebook_id)))
        rows = {row.cell_id: row for row in rows}
        new: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        for cell_id, (name, is_task, _) in self.graded.items():
            row = rows.get(cell_id)
            score = self._auto_score(name, is_task, result, sources) if has_run else 0.0
            by_hand = score is None
            if row is None:
                mark = {"auto_score": score, "needs_manual_grade": by_hand}
                new.append({"cell_id": cell_id, "notebook_id": notebook_id, **mark})
                continue
            if row.manual_score is not None:
                is_open = score != row.auto_score or is_new_work()
                by_hand = row.needs_manual_grade or is_open
            if (score, by_hand) != (row.auto_score, row.needs_manual_grade):
                changed.append({"id": row.id, "auto_score": score, "needs_manual_grade": by_hand})
        _write(db, Grade, new, changed)

    def _auto_score(
        self, name: str, is_task: bool, result: Mapping[str, Any], sources: Mapping[str, str]
    ) -> float | None:
        """The mark that needs no person; None if a person has to give it."""
        meta = self.known[name].metadata.nbgrader
        if is_task:
            return None
        if meta.get("solution"):
            return 0.0 if self._is_untouched(name, sources) else None
        if self.known[name].cell_type != "code":
            return None
        test = result["tests"].get(name)
        return float(test["score"]) if test else 0.0

    def _comment(
        self, db: Any, notebook_id: str, sources: Mapping[str, str], has_run: bool
    ) -> None:
        """Say of each answer that was left as it was, that it was."""
        rows = db.execute(
            select(Comment.cell_id, Comment.id, Comment.auto_comment).where(
                *self._of(Comment, notebook_id)
            )
        )
        rows = {row.cell_id: row for row in rows}
        new: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        for cell_id, name in self.commented.items():
            text = None
            if has_run and not self.known[name].metadata.nbgrader.get("task"):
                text = NO_RESPONSE if self._is_untouched(name, sources) else None
            if cell_id not in rows:
                new.append({"cell_id": cell_id, "notebook_id": notebook_id, "auto_comment": text})
            elif text != rows[cell_id].auto_comment:
                changed.append({"id": rows[cell_id].id, "auto_comment": text})
        _write(db, Comment, new, changed)

    def _is_untouched(self, name: str, sources: Mapping[str, str]) -> bool:
        # nbgrader compares checksums, which here are those of the sources.
        return sources.get(name, self.known[name].source) == self.known[name].source


def _write(db: Any, kind: Any, new: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
    if new:
        db.execute(insert(kind), new)
    if changed:
        db.execute(update(kind), changed)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _is_same_work(old: bytes | None, data: bytes) -> bool:
    try:
        return old is not None and work_of(json.loads(old)) == work_of(json.loads(data))
    except (TypeError, ValueError, KeyError):
        return False
