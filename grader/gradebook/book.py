"""nbgrader's gradebook, written as nbgrader writes it, for a whole batch in one session.

`nbgrader autograde` opens the database ten times a submission and asks it for each cell. Here the
cells are read once, and a submission is a handful of statements in one transaction. The rows are
the same, row by row (there is a test that compares them).
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Comment, Grade, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties, LimitOutput
from sqlalchemy import select, update

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
from grader.gradebook.rows import Rows
from grader.intake.rebuild import load_skeleton
from grader.intake.roster import load_roster


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
                notebook_id, is_new = self.rows.submission(db, student)
                self.rows.grade(db, notebook_id, result, sources, notebook is not None, is_new_work)
                self.rows.comment(db, notebook_id, sources, notebook is not None)
                self.rows.keep_time(db, student, timestamp, is_late)
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
            self.rows.keep_time(db, student, timestamp, is_late)

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
            found = self.rows.find(db, student)
            if found is None:
                raise BookError(f"{student} has no submission of {self.assignment}")
            grades = db.execute(
                select(Grade.cell_id, Grade.score).where(*self.rows.of(Grade, found.notebook))
            )
            scores = {row.cell_id: row.score for row in grades}
            comments = db.execute(
                select(Comment.cell_id, Comment.comment).where(
                    *self.rows.of(Comment, found.notebook)
                )
            )
            texts = {row.cell_id: row.comment for row in comments}
        penalty = found.penalty or 0
        return {
            "score": max(0.0, sum(scores.get(cell, 0.0) for cell in self.rows.graded) - penalty),
            "max_score": sum(points for _, _, points in self.rows.graded.values()),
            "late_penalty": penalty,
            "cells": {
                name: (scores.get(cell_id, 0.0), points)
                for cell_id, (name, _, points) in self.rows.graded.items()
            },
            "comments": {name: texts.get(cell_id) for cell_id, name in self.rows.commented.items()},
        }

    def _read_cells(self) -> None:
        """The ids that the gradebook has for the assignment and its cells."""
        notebook = self.gradebook.find_notebook(self.assignment, self.assignment)
        self.rows = Rows(self.assignment, notebook, self.known, self.late_policy)
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
