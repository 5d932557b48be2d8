"""What goes back to a learning platform: marks in the form that it takes in, pages in its names.

Whom a platform means is known from the names that it gave to the files when they were downloaded
(`grader.intake.layouts`), and from the roster.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.batch.report import number
from grader.files import write_whole
from grader.gradebook.book import Book
from grader.gradebook.feedback import page_path
from grader.gradebook.marks import Marks
from grader.intake.entries import COUNTS, read_entries
from grader.intake.layouts import is_zip, owner_of
from grader.intake.roster import Student, load_roster
from grader.text import for_table

# A date of the zip's first year, so that the same pages make the same file.
NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Row:
    """A student with a mark.

    Attributes
    ----------
    student : Student
        Of the roster; one who is not in it has a name and an id alone.
    marks : Marks
    number : str
        By which the platform knows the student in its files.
    user_name : str
        The user name that the platform puts into them.
    path : str
        Where the notebook lay in the platform's download; empty if it did not come from there.
    """

    student: Student
    marks: Marks
    number: str = ""
    user_name: str = ""
    path: str = ""

    @property
    def total(self) -> float:
        return number(round(self.marks.total, 4))

    @property
    def max_score(self) -> float:
        return number(self.marks.max_score)


def rows_of(book: Book, marks: Mapping[str, Marks], platform: str) -> list[Row]:
    """The students with a mark, with what a platform knows of them.

    Who handed in nothing has no row: a platform keeps what it has of them.
    """
    roster = {student.id: student for student in load_roster(book.root)}
    entries = read_entries(book.root / "grading" / book.assignment / "handed-in.csv")
    paths: dict[str, str] = {}
    # Of who handed in something else than a notebook, that.
    for entry in sorted(entries, key=lambda entry: entry.is_taken and entry.reason == COUNTS):
        path = _from_platform(entry.path, book.assignment, platform) if entry.student else ""
        if path:
            paths[entry.student] = path
    rows = []
    for name, mark in sorted(marks.items()):
        student = roster.get(name, Student(name, name))
        path = paths.get(name, "")
        if path:
            owner = owner_of(path.split("/"), book.assignment)
            rows.append(
                Row(student, mark, owner.number, owner.names[0] if owner.names else "", path)
            )
        else:
            rows.append(Row(student, mark))
    return rows


def _from_platform(path: str, assignment: str, platform: str) -> str:
    """The end of a path that begins with a name of the platform's; empty if there is none."""
    parts = path.split("/")
    for start in reversed(range(len(parts))):
        if owner_of(parts[start:], assignment).platform == platform:
            return "/".join(parts[start:])
    return ""


def _page_name(path: str) -> str:
    """Where the page of a notebook goes: beside what was handed in, be it a zip."""
    parts = path.split("/")
    top = next((number for number, part in enumerate(parts) if is_zip(part)), len(parts) - 1)
    return str(PurePosixPath(*parts[: top + 1]).with_suffix(".html"))


def _moodle(rows: list[Row], column: str) -> Iterable[Sequence[object]]:
    # The worksheet of an assignment ("Upload grading worksheet") needs the first, the fourth and
    # the last of these; Moodle's gradebook ("Import, CSV file") takes the e-mail address.
    person = ("Identifier", "Full name", "Email address")
    yield [*person, "Grade", "Maximum grade", "Last modified (grade)"]
    for row in rows:
        identifier = f"Participant {row.number}" if row.number else ""
        yield [identifier, row.student.name, row.student.email, row.total, row.max_score, ""]


def _canvas(rows: list[Row], column: str) -> Iterable[Sequence[object]]:
    yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]
    yield ["Points Possible", "", "", "", "", rows[0].max_score if rows else ""]
    for row in rows:
        identity = row.number or row.student.lms_id
        yield [row.student.name, identity, "", "", "", row.total]


def _blackboard(rows: list[Row], column: str) -> Iterable[Sequence[object]]:
    yield ["Username", column]
    for row in rows:
        yield [row.student.lms_id or row.user_name or row.student.id, row.total]


def _gradescope(rows: list[Row], column: str) -> Iterable[Sequence[object]]:
    yield ["Name", "SID", "Email", "Total Score", "Max Points"]
    for row in rows:
        yield [row.student.name, row.student.lms_id, row.student.email, row.total, row.max_score]


@dataclass(frozen=True)
class Platform:
    """A learning platform.

    Attributes
    ----------
    name : str
        As `grader.intake.layouts.Owner` has it.
    table : callable
        From rows and the name of the platform's column, the lines of the table that it takes in.
    takes_pages : bool
        Whether it takes back pages by the names of what was handed in.
    """

    name: str
    table: Callable[[list[Row], str], Iterable[Sequence[object]]]
    takes_pages: bool


PLATFORMS = {
    "moodle": Platform("Moodle", _moodle, True),
    "canvas": Platform("Canvas", _canvas, True),
    "blackboard": Platform("Blackboard", _blackboard, False),
    "gradescope": Platform("Gradescope", _gradescope, False),
}


def write_marks(book: Book, marks: Mapping[str, Marks], to: str, column: str = "") -> Path:
    """Write the final marks of an assignment in a platform's form: grading/ASSIGNMENT/TO.csv.

    Parameters
    ----------
    book : Book
    marks : dict of str to Marks
    to : str
        One of `PLATFORMS`.
    column : str
        What the platform calls the assignment in its own table; by default the assignment's name.
    """
    platform = PLATFORMS[to]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for line in platform.table(rows_of(book, marks, platform.name), column or book.assignment):
        writer.writerow(map(for_table, line))
    path = book.root / "grading" / book.assignment / f"{to}.csv"
    write_whole(path, text.getvalue())
    return path


def write_pages(book: Book, marks: Mapping[str, Marks], to: str) -> tuple[Path, list[str]]:
    """Write a zip of the pages for a platform: grading/ASSIGNMENT/TO-feedback.zip.

    Each page lies where the notebook lay in the platform's download, and index.csv says whose
    it is. Of who is not known by a name of the platform's, it has the student's name.

    Returns
    -------
    (Path, list of str)
        The zip, and the students whose pages the platform cannot know.
    """
    platform = PLATFORMS[to]
    held, unknown = io.BytesIO(), []
    index = io.StringIO()
    writer = csv.writer(index, lineterminator="\r\n")
    writer.writerow(["file", "student", "name", "email", "lms_id"])
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in rows_of(book, marks, platform.name):
            page = page_path(book, row.student.id)
            if not page.exists():
                continue
            name = f"{row.student.id}.html"
            if row.path:
                name = _page_name(row.path)
            elif platform.takes_pages:
                unknown.append(row.student.id)
                continue
            archive.writestr(zipfile.ZipInfo(name, NO_TIME), page.read_bytes())
            student = row.student
            line = [name, student.id, student.name, student.email, student.lms_id]
            writer.writerow(map(for_table, line))
        if not platform.takes_pages:
            text = index.getvalue().encode("utf-8-sig")
            archive.writestr(zipfile.ZipInfo("index.csv", NO_TIME), text)
    path = book.root / "grading" / book.assignment / f"{to}-feedback.zip"
    write_whole(path, held.getvalue())
    return path, unknown
