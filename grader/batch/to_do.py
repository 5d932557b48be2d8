"""What a person still has to look at, as a list: grading/ASSIGNMENT/open.csv, and on the screen."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from grader.batch.likeness import alike, identical
from grader.files import write_whole
from grader.gradebook.marks import Marks
from grader.intake.entries import COUNTS, Entry
from grader.intake.rebuild import NOTHING_ANSWERED
from grader.intake.roster import Student
from grader.intake.submission import OF_SEVERAL
from grader.records import Record
from grader.text import for_table, for_terminal, shortened

BY_HAND = "mark by hand"
FLAGGED = "look at it: it is flagged"
NOT_GRADED = "could not be graded"
UNTOUCHED = "nothing is answered"
STRANGER = "not in the roster"
SEVERAL = "several notebooks"
IDENTICAL = "the same answers, to the letter"
ALIKE = "answers alike but for names and comments (a hint, no proof)"
COLUMNS = ("student", "what", "more", "graded", "handed_in")
NAMES_ON_A_LINE = 8
OUTCOMES = ("unreadable", "not judged", "not recorded")


class ToDo(NamedTuple):
    """Something that a person has to look at.

    Attributes
    ----------
    student : str
    what : str
        One of the kinds above.
    more : str
    graded : str
        Where the graded notebook is, from the course's folder; formgrader shows it.
    handed_in : str
        The entry that counts, from the top of what was handed in.
    """

    student: str
    what: str
    more: str = ""
    graded: str = ""
    handed_in: str = ""


def to_do(
    assignment: str,
    marks: Mapping[str, Marks],
    records: Sequence[Record],
    roster: Sequence[Student],
    entries: Iterable[Entry],
) -> list[ToDo]:
    """All that is open in an assignment, by kind and student."""
    places = {e.student: e.path for e in entries if e.is_taken and e.reason == COUNTS}
    known = {student.id for student in roster}
    found: list[ToDo] = []

    def add(student: str, what: str, more: str = "") -> None:
        graded = f"grading/autograded/{student}/{assignment}/{assignment}.ipynb"
        found.append(ToDo(student, what, more, graded, places.get(student, "")))

    for student, mark in marks.items():
        if mark.open:
            add(student, BY_HAND, ", ".join(mark.open))
        if known and student not in known:
            add(student, STRANGER)
    recorded = [record for record in records if record["student"] in marks]
    evidence = {record["student"]: record["flagged"] for record in recorded}
    for student, mark in marks.items():
        if mark.is_flagged or evidence.get(student):
            add(student, FLAGGED, evidence.get(student, ""))
    for record in recorded:
        student, notes = record["student"], record["notes"]
        if record["outcome"] in OUTCOMES:
            add(student, NOT_GRADED, "; ".join([record["outcome"], *notes]))
        if NOTHING_ANSWERED in notes:
            add(student, UNTOUCHED)
        for note in notes:
            if OF_SEVERAL in note:
                add(student, SEVERAL, note)
    for group in identical(recorded):
        for student in group:
            others = [other for other in group if other != student]
            add(student, IDENTICAL, "with " + ", ".join(others))
    for pair in alike(recorded):
        for student, other in ((pair.one, pair.other), (pair.other, pair.one)):
            add(student, ALIKE, f"with {other}: {', '.join(pair.tasks)}")
    order = (BY_HAND, FLAGGED, NOT_GRADED, UNTOUCHED, STRANGER, SEVERAL, IDENTICAL, ALIKE)
    return sorted(found, key=lambda one: (order.index(one.what), one.student))


def write_to_do(path: str | Path, found: Iterable[ToDo]) -> None:
    """Write open.csv, in UTF-8 with the mark by which Excel knows it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(for_table, one) for one in found)
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def words(found: Iterable[ToDo]) -> list[str]:
    """What is open, a line for each kind."""
    students: dict[str, list[str]] = {}
    for one in found:
        students.setdefault(one.what, []).append(one.student)
    return [
        for_terminal(f"{what}: {', '.join(shortened([*dict.fromkeys(names)], NAMES_ON_A_LINE))}")
        for what, names in students.items()
    ]
