"""The class: ``grading/roster.csv``, a line for each student.

Whoever has a roster gets one row of the gradebook for each student, whatever the files of the
assignments are called. Without one a student is called like the file or folder.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.files import write_whole
from grader.intake.names import clean_name
from grader.text import for_table, from_table

COLUMNS = ("id", "name", "email", "lms_id", "also")
BETWEEN = ";"  # the entries of the column `also`
LARGEST = 16 * 2**20  # bytes of a list; 10,000 students take one


class RosterError(Exception):
    """A list of students that cannot be used; the message says why, and what to do."""


@dataclass(frozen=True)
class Student:
    """A student of the class.

    Attributes
    ----------
    id : str
        What the student is called in the gradebook, in the tables and in the folders of grading/.
    name : str
        As the learning platform shows it: "Kim Minsu".
    email : str
    lms_id : str
        What the learning platform calls the student in its files and tables: Canvas' ID,
        Blackboard's user name, Gradescope's SID; of Moodle the ID number or user name.
    also : tuple of str
        Other names and numbers by which the student's files are known.
    """

    id: str
    name: str
    email: str = ""
    lms_id: str = ""
    also: tuple[str, ...] = ()


def roster_path(root: str | Path) -> Path:
    """Where the roster of a course is."""
    return Path(root) / "grading" / "roster.csv"


def load_roster(root: str | Path) -> list[Student]:
    """The roster of a course, in its own order; none if it has no roster.

    Raises
    ------
    RosterError
    """
    path = roster_path(root)
    return read_roster(path) if path.exists() else []


def read_roster(path: str | Path) -> list[Student]:
    """The students of a file in the form of grading/roster.csv.

    Raises
    ------
    RosterError
        If a line has no id, one that cannot be a student's name, or the same as another line.
    """
    path = Path(path)
    students: list[Student] = []
    lines: dict[str, int] = {}
    columns, rows = read_rows(path)
    missing = [column for column in COLUMNS[:2] if column not in columns]
    if missing:
        raise RosterError(
            f"{path} has no column {' and no column '.join(missing)}. Its first line should be "
            f"{','.join(COLUMNS)}; a list from a learning platform is read by: course roster FILE"
        )
    for number, row in rows:
        student = Student(
            row["id"],
            row["name"],
            row.get("email", ""),
            row.get("lms_id", ""),
            tuple(part for part in map(str.strip, row.get("also", "").split(BETWEEN)) if part),
        )
        place = f"{path}, line {number}"
        if not student.id:
            raise RosterError(f"{place}: there is no id. Give the student one, or take it out.")
        if clean_name(student.id) != student.id:
            raise RosterError(
                f"{place}: {student.id!r} cannot be an id. {clean_name(student.id)!r} can."
            )
        # A folder of macOS and Windows is the same with capitals and without.
        earlier = lines.setdefault(student.id.casefold(), number)
        if earlier != number:
            raise RosterError(f"{place}: {student.id} stands in line {earlier}, too.")
        students.append(student)
    return students


def write_roster(path: str | Path, students: Iterable[Student]) -> None:
    """Write a roster in UTF-8, with the mark by which Excel knows it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for student in students:
        also = f"{BETWEEN} ".join(student.also)
        row = [student.id, student.name, student.email, student.lms_id, also]
        writer.writerow(map(for_table, row))
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def read_rows(path: Path) -> tuple[Sequence[str], list[tuple[int, dict[str, str]]]]:
    """A table with a line of headings: comma, semicolon or tab; UTF-8 or UTF-16.

    Returns
    -------
    (sequence of str, list of (int, dict of str to str))
        The headings, and by heading each line that is not empty, with its number in the file.

    Raises
    ------
    RosterError
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise RosterError(f"{path} is larger than {LARGEST // 2**20} MiB: it is no list of a class")
    is_utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise RosterError(
            f"{path} is not in UTF-8, so its names cannot be read. In Excel: save it as "
            '"CSV UTF-8".'
        ) from error
    text = unicodedata.normalize("NFC", text).replace("\0", "")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = [heading.strip() for heading in next(reader, [])]
        rows = []
        for values in reader:
            row = dict(zip(columns, (from_table(value.strip()) for value in values), strict=False))
            if any(row.values()):
                rows.append((reader.line_num, {**dict.fromkeys(columns, ""), **row}))
    except csv.Error as error:
        raise RosterError(f"{path} is no table, in line {reader.line_num}: {error}") from error
    return columns, rows
