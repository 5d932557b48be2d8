"""All that is written of an assignment's marks, made anew from the gradebook and the records."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from grader.batch.report import number, write_table
from grader.batch.store import Store
from grader.batch.to_do import ToDo, to_do, write_to_do
from grader.files import write_whole
from grader.gradebook.book import Book
from grader.gradebook.marks import Marks, marks_of_class, renew_penalties
from grader.gradebook.students import name_students
from grader.intake.entries import read_entries
from grader.intake.roster import load_roster
from grader.text import for_table


class Tables(NamedTuple):
    """What `write_tables` has written: the marks by student, the table, and what is open."""

    marks: dict[str, Marks]
    path: Path
    open: list[ToDo]


def write_tables(book: Book) -> Tables:
    """Write the tables of an assignment, grades.csv and open.csv in grading/ASSIGNMENT.

    Before that, the gradebook takes in what may have changed elsewhere: late penalties become those
    of the marks as they are now, and names those of the roster.

    Parameters
    ----------
    book : Book

    Raises
    ------
    BookError
        If the gradebook is locked.
    """
    folder = book.root / "grading" / book.assignment
    renew_penalties(book)
    name_students(book)
    marks = marks_of_class(book)
    path = folder / "grades.csv"
    records = list(Store(folder).records())
    write_table(marks, records, book.skeleton.test_ids, path)
    entries = read_entries(folder / "handed-in.csv")
    found = to_do(book.assignment, marks, records, load_roster(book.root), entries)
    write_to_do(folder / "open.csv", found)
    return Tables(marks, path, found)


def write_marks(root: Path, marks: Mapping[str, Mapping[str, Marks]]) -> Path:
    """Write grading/marks.csv: one row a student, one column an assignment; for a spreadsheet.

    Behind the final marks stand, for each assignment, what was given by hand, the days after the
    due date, and how many cells still have to be marked. Who handed in nothing has empty cells.

    Parameters
    ----------
    root : path
        The course's folder.
    marks : dict of str to (dict of str to Marks)
        By assignment, then by student.
    """
    roster = {student.id: student for student in load_roster(root)}
    others = {student for found in marks.values() for student in found} - set(roster)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    details = [f"{name} {what}" for name in marks for what in ("by hand", "late", "open")]
    writer.writerow(["student", "name", "email", *marks, *details])
    for student in [*roster, *sorted(others)]:
        known = roster.get(student)
        row: list[object] = [student, known.name, known.email] if known else [student, "", ""]
        found = [by_student.get(student) for by_student in marks.values()]
        row += [number(round(mark.total, 4)) if mark else "" for mark in found]
        for mark in found:
            row += _details(mark) if mark else ("", "", "")
        writer.writerow(map(for_table, row))
    path = root / "grading" / "marks.csv"
    # With the mark at its beginning by which Excel knows the encoding.
    write_whole(path, text.getvalue().encode("utf-8-sig"))
    return path


def _details(mark: Marks) -> tuple[float, float, int]:
    by_hand = number(round(mark.by_hand + mark.extra_credit, 4))
    return by_hand, number(round(mark.late, 2)), len(mark.open)
