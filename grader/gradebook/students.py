"""The names and addresses of the class list in nbgrader's gradebook, which formgrader shows."""

from __future__ import annotations

from nbgrader.api import Student
from sqlalchemy import select, update

from grader.gradebook.book import Book
from grader.gradebook.master import told_if_locked
from grader.intake.roster import load_roster


def name_students(book: Book) -> None:
    """Give the students of the gradebook the names and addresses of the roster.

    What the roster does not say stays as it is, and nobody is added.

    Raises
    ------
    BookError
        If the gradebook is locked.
    """
    roster = {student.id: student for student in load_roster(book.root)}
    db = book.gradebook.db
    columns = (Student.id, Student.first_name, Student.last_name, Student.email)
    with told_if_locked():
        rows = db.execute(select(*columns)).all()
        changed = []
        for row in rows:
            student = roster.get(row.id)
            if student is None:
                continue
            first, last = given_and_family(student.name) if student.name else row[1:3]
            new = (first, last, student.email or row.email)
            if new != tuple(row[1:]):
                names = dict(zip(("first_name", "last_name", "email"), new, strict=True))
                changed.append({"id": row.id, **names})
        if changed:
            db.execute(update(Student), changed)
        db.commit()


def given_and_family(name: str) -> tuple[str, str]:
    """A name as nbgrader keeps it: ("Änne", "Müller"), for "Änne Müller" and "Müller, Änne".

    Formgrader shows a name only if both parts are there: of a single word the second is empty.
    """
    family, comma, given = (part.strip() for part in name.partition(","))
    if not comma:
        given, _, family = name.strip().rpartition(" ")
    is_hangul = all("\uac00" <= letter <= "\ud7a3" for letter in name)
    return (name[1:], name[:1]) if is_hangul and len(name) > 1 else (given, family)
