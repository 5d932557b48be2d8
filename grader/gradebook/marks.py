"""The marks of a whole class in one assignment, as they stand in the gradebook now.

Tables are made from these, and not from what the last batch was: so what a person gave in
formgrader is in them, and who was graded in an earlier call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nbgrader.api import Assignment, Grade, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import select

from grader.gradebook.book import Book

DAY = timedelta(days=1)


@dataclass
class Marks:
    """One student's marks in one assignment.

    ``automatic + by_hand + extra_credit - late_penalty`` is the total, which is never below 0.

    Attributes
    ----------
    max_score : float
    automatic : float
        The points that tests and untouched answers have come to.
    by_hand : float
        What the marks that a person gave add to them; negative if they take away.
    extra_credit, late_penalty : float
    late : float
        Days after the due date, with the student's extension counted.
    tests : dict of str to float
        The automatic points, by grade id.
    open : list of str
        The cells that a person has to mark, or to look at again.
    is_flagged : bool
        Whether the gradebook marks it as one to look at.
    timestamp : datetime or None
        When it was handed in, as far as that is known.
    """

    max_score: float
    automatic: float = 0.0
    by_hand: float = 0.0
    extra_credit: float = 0.0
    late_penalty: float = 0.0
    late: float = 0.0
    tests: dict[str, float] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    is_flagged: bool = False
    timestamp: datetime | None = None

    @property
    def total(self) -> float:
        """The final mark."""
        return max(0.0, self.automatic + self.by_hand + self.extra_credit - self.late_penalty)


def renew_penalties(book: Book) -> None:
    """Work out the late penalties of all students again, if the assignment has a due date.

    They follow the marks that a person gives, and the dates, which change after grading.

    Raises
    ------
    BookError
        If the gradebook is locked.
    """
    with book.reading() as db:
        students = db.scalars(
            select(SubmittedAssignment.student_id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .where(SubmittedNotebook.notebook_id == book.rows.notebook_id)
            .where(Assignment.duedate.is_not(None))
        ).all()
    for student in students:
        book.keep_time(student, None)


def marks_of_class(book: Book) -> dict[str, Marks]:
    """The marks of all students who have handed in something, by student.

    Raises
    ------
    BookError
        If the gradebook is locked.
    """
    max_score = sum(points for _, _, points in book.rows.graded.values())
    found: dict[str, Marks] = {}
    with book.reading() as db:
        due = db.execute(
            select(Assignment.duedate).where(Assignment.id == book.rows.assignment_id)
        ).scalar()
        submissions = db.execute(
            select(
                SubmittedAssignment.student_id,
                SubmittedAssignment.timestamp,
                SubmittedAssignment.extension,
                SubmittedNotebook.id,
                SubmittedNotebook.flagged,
                SubmittedNotebook.late_submission_penalty,
            )
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .where(SubmittedNotebook.notebook_id == book.rows.notebook_id)
            .order_by(SubmittedAssignment.student_id)
        )
        by_notebook: dict[str, Marks] = {}
        for student, timestamp, extension, notebook_id, is_flagged, penalty in submissions:
            marks = Marks(max_score, late_penalty=penalty or 0.0, is_flagged=bool(is_flagged))
            marks.timestamp = timestamp
            if due is not None and timestamp is not None:
                marks.late = max(0.0, (timestamp - due - (extension or timedelta())) / DAY)
            found[student] = by_notebook[notebook_id] = marks
        grades = db.execute(
            select(
                Grade.cell_id,
                Grade.notebook_id,
                Grade.auto_score,
                Grade.manual_score,
                Grade.extra_credit,
                Grade.needs_manual_grade,
            ).where(Grade.cell_id.in_(book.rows.graded))
        )
        for cell_id, notebook_id, automatic, by_hand, extra, needs_mark in grades:
            marks = by_notebook[notebook_id]
            name = book.rows.graded[cell_id][0]
            marks.automatic += automatic or 0.0
            if automatic is not None:
                marks.tests[name] = automatic
            if by_hand is not None:
                marks.by_hand += by_hand - (automatic or 0.0)
            marks.extra_credit += extra or 0.0
            if needs_mark:
                marks.open.append(name)
    order = {name: place for place, (name, _, _) in enumerate(book.rows.graded.values())}
    for marks in found.values():
        marks.open.sort(key=order.__getitem__)
    return found
