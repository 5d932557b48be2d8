"""The table of all that was handed in: what was taken, what was not, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from grader.files import write_whole
from grader.text import for_table, for_terminal, from_table, shortened

COLUMNS = ("batch", "entry", "student", "taken", "reason", "handed_in")
ON_A_LINE = 3  # paths of one reason

COUNTS = "the notebook that counts"
BESIDE = "beside the notebook when it runs"
LEFT_BEHIND = "left behind by a program"
TIME = "says when it was handed in"
NOTHING = "nothing was handed in"
FORM = "what the learning platform says of the attempt"
EXCHANGE = "kept for nbgrader's exchange"
QUIET = (LEFT_BEHIND, TIME, FORM, EXCHANGE)  # what stands in the table, and is no news

_KINDS = {
    "a PDF": (".pdf",),
    "a Python script": (".py", ".pyw"),
    "a web page (HTML)": (".html", ".htm", ".mhtml"),
    "an Office document": (".docx", ".doc", ".odt", ".rtf", ".pptx", ".ppt", ".xlsx", ".xls"),
    "a text": (".txt", ".md", ".rst", ".tex"),
    "a picture": (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".heic", ".bmp", ".tif"),
    "an archive of a kind that is not opened: only zips are": (
        *(".rar", ".7z", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst"),
    ),
    "a link to a file elsewhere": (".url", ".webloc", ".gdoc", ".lnk"),
    "data": (".csv", ".tsv", ".json", ".npy", ".npz", ".pt", ".pth", ".pkl", ".h5"),
}


@dataclass(frozen=True)
class Entry:
    """What became of one thing that was handed in, or of a student who handed in nothing.

    Attributes
    ----------
    path : str
        From the top of what was handed in; empty where nothing was.
    student : str
        In the gradebook; empty if nobody is known by it.
    is_taken : bool
    reason : str
        What it is taken as, or why it is not taken.
    time : datetime or None
        When it was handed in, in UTC.
    """

    path: str
    student: str
    is_taken: bool
    reason: str
    time: datetime | None = None


class Account:
    """What becomes of what was handed in, as far as it is known.

    Attributes
    ----------
    entries : list of Entry
        Of what belongs to no submission.
    doubts : list of str
        What a person has to look at, each sentence once.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.doubts: list[str] = []

    def leave(self, path: str, reason: str, student: str = "") -> None:
        """Write down that a file is not taken."""
        self.entries.append(Entry(path, student, False, reason))

    def doubt(self, sentence: str) -> None:
        """Write down what a person has to look at."""
        if sentence not in self.doubts:
            self.doubts.append(sentence)


def kind_of_file(name: str) -> str:
    """What a file is, by the ending of its name."""
    ending = PurePosixPath(name).suffix.lower()
    for kind, endings in _KINDS.items():
        if ending in endings:
            return kind
    return "not a notebook"


def write_entries(
    path: str | Path, batch: str, entries: Iterable[Entry], only: Collection[str] = ()
) -> None:
    """Write handed-in.csv: the lines of this batch, and those of other batches that stand there.

    A batch of the same name takes the place of the earlier one. The lines of students who are not
    in the new one stay: their marks come from there.

    Parameters
    ----------
    path : path
    batch : str
        The folder or zip that was handed in.
    entries : iterable of Entry
        Those without a path are about the assignment: they take the place of all such lines.
    only : collection of str
        If given, the lines of these students alone are written anew, and all others stay.
    """
    batch, entries = for_terminal(batch), list(entries)
    students = {entry.student for entry in entries if entry.path}
    rows = _read(Path(path))
    if only:
        entries = [entry for entry in entries if entry.student in only]
        rows = [row for row in rows if row[0] not in ("", batch) or row[2] not in only]
    else:
        rows = [
            row
            for row in rows
            if row[0] not in ("", batch) or (row[0] == batch and row[2] and row[2] not in students)
        ]
    for entry in entries:
        when = f"{entry.time:%Y-%m-%d %H:%M:%S} UTC" if entry.time else ""
        taken = "yes" if entry.is_taken else "no"
        where = batch if entry.path else ""
        rows.append([where, entry.path, entry.student, taken, entry.reason, when])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: (row[0] == "", *row[:2])):
        writer.writerow(map(for_table, row))
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def read_entries(path: str | Path) -> list[Entry]:
    """What stands in handed-in.csv, of all batches; nothing if there is none. Without times."""
    return [Entry(row[1], row[2], row[3] == "yes", row[4]) for row in _read(Path(path))]


def _read(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return []
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not rows or tuple(rows[0]) != COLUMNS:
        return []
    return [[*map(from_table, row)] for row in rows[1:] if len(row) == len(COLUMNS)]


def what_was_left(entries: Iterable[Entry]) -> list[str]:
    """What of the batch was not taken, a line for each reason."""
    paths: dict[str, list[str]] = {}
    for entry in entries:
        if entry.path and not entry.is_taken and entry.reason not in QUIET:
            paths.setdefault(entry.reason, []).append(entry.path)
    return [
        f"not taken, {for_terminal(reason)}: {', '.join(shortened(sorted(found), ON_A_LINE))}"
        for reason, found in sorted(paths.items())
    ]
