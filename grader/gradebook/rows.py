"""The rows of an assignment in nbgrader's database: how each is found, made and changed.

All of it goes on within a transaction of the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
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
from nbgrader.utils import parse_utc
from sqlalchemy import insert, select, update

from grader.gradebook.master import BookError

# Of what is late, nobody knows how much: the least is taken.
JUST_LATE = timedelta(seconds=1)
NO_RESPONSE = "No response."  # nbgrader's own words for an answer that was left as it was


class Rows:
    """What nbgrader's database has of an assignment and of its submissions.

    Parameters
    ----------
    assignment : str
    notebook : nbgrader's Notebook
        As it stands in the database.
    known : dict of str to cell
        The assignment's cells by grade id.
    late_policy : nbgrader's plugin for late penalties

    Attributes
    ----------
    graded : dict of str to (str, bool, float)
        By the id of a cell that has a mark: its grade id, whether it is a task, its points.
    commented : dict of str to str
        By the id of a cell that can have a comment: its grade id.
    """

    def __init__(
        self, assignment: str, notebook: Any, known: Mapping[str, Any], late_policy: Any
    ) -> None:
        self.assignment, self.known, self.late_policy = assignment, known, late_policy
        self.notebook_id, self.assignment_id = notebook.id, notebook.assignment_id
        self.graded = {cell.id: (cell.name, False, cell.max_score) for cell in notebook.grade_cells}
        self.graded |= {cell.id: (cell.name, True, cell.max_score) for cell in notebook.task_cells}
        self.commented = {
            cell.id: cell.name for cell in (*notebook.solution_cells, *notebook.task_cells)
        }

    def of(self, kind: Any, notebook_id: str) -> tuple[Any, Any]:
        """Which rows are a notebook's. With the cells, as the database's index is by cells."""
        cells = self.graded if kind is Grade else self.commented
        return kind.cell_id.in_(cells), kind.notebook_id == notebook_id

    def find(self, db: Any, student: str) -> Any:
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

    def keep_time(self, db: Any, student: str, timestamp: Any, is_late: bool) -> None:
        """Write when something was handed in, and the late penalty; see `Book.keep_time`."""
        found = self.find(db, student)
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
        grades = db.scalars(select(Grade.score).where(*self.of(Grade, found.notebook)))
        score = sum(grades)
        penalty = self.late_policy.late_submission_penalty(student, score, seconds)
        return None if penalty is None else min(max(penalty, 0), score)

    def submission(self, db: Any, student: str) -> tuple[str, bool]:
        """The id of the student's notebook in the gradebook, and whether it was made just now."""
        found = self.find(db, student)
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

    def grade(
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
        rows = db.execute(select(*columns).where(*self.of(Grade, notebook_id)))
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

    def comment(self, db: Any, notebook_id: str, sources: Mapping[str, str], has_run: bool) -> None:
        """Say of each answer that was left as it was, that it was."""
        rows = db.execute(
            select(Comment.cell_id, Comment.id, Comment.auto_comment).where(
                *self.of(Comment, notebook_id)
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
