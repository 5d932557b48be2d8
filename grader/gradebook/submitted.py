"""What was handed in, written where nbgrader looks for it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from grader.authoring.source import assignments
from grader.cells import Cell
from grader.files import write_whole
from grader.gradebook.book import Book
from grader.gradebook.graded import executed_notebook, to_bytes
from grader.intake.collect import HandedIn, Which, collect
from grader.intake.entries import Entry, write_entries
from grader.intake.rebuild import Skeleton, load_skeleton
from grader.intake.roster import load_roster
from grader.intake.submission import Submission
from grader.text import for_terminal
from helpers.assignment.notebook_file import Unreadable
from helpers.language import ENGLISH


def take_in(
    root: Path,
    assignment: str,
    path: str | Path,
    submitted: Path,
    which: Which = "last",
    show: Callable[[str], object] = print,
) -> tuple[HandedIn, dict[str, str]]:
    """Find the submissions in a folder or zip, and write them where nbgrader looks for them.

    Parameters
    ----------
    root : path
        The course's folder.
    assignment : str
    path : path
        The folder or zip.
    submitted : path
        nbgrader's folder of submissions.
    which : str
        "last" or "first": the attempt that counts.
    show : callable
        Called with a line for each.

    Returns
    -------
    (HandedIn, dict of str to str)
        What was handed in, and the reason for each student whose notebook cannot be read.

    Raises
    ------
    BookError, RosterError, Unreadable, FileNotFoundError
        If something is wrong with the course, the class list or the batch.
    """
    skeleton = load_skeleton(assignment, root)
    others = [name for name in assignments(root / "solutions") if name != assignment]
    handed_in = collect(path, assignment, others, load_roster(root), which)
    # nbgrader grades nothing that its gradebook does not know.
    with Book(root, assignment):
        pass
    refused, entries = write_submitted(handed_in.submissions, assignment, submitted, skeleton, show)
    table = root / "grading" / assignment / "handed-in.csv"
    write_entries(table, str(path), [*handed_in.entries, *entries])
    return handed_in, refused


def write_submitted(
    submissions: Iterable[Submission],
    assignment: str,
    submitted: str | Path,
    skeleton: Skeleton,
    show: Callable[[str], object] = print,
) -> tuple[dict[str, str], list[Entry]]:
    """Write each notebook where nbgrader looks for it, with all cells in their places.

    What is written is the student version with the student's answers and own cells put in: so a
    copied, moved, deleted or edited cell, or lost metadata, does not stop nbgrader.

    Parameters
    ----------
    submissions : list of Submission
    assignment : str
    submitted : path
        nbgrader's folder of submissions.
    skeleton : Skeleton
    show : callable
        Called with a line for each.

    Returns
    -------
    (dict of str to str, list of Entry)
        The reason for each student whose notebook cannot be read, and what became of each file.
    """
    refused = {}
    entries: list[Entry] = []
    for submission in submissions:
        try:
            reading = submission.read(
                assignment,
                skeleton.known,
                patterns=skeleton.files,
                is_untouched=skeleton.is_untouched,
            )
            cells, notes = skeleton.rebuild(reading.notebook)
            language = skeleton.language_of(reading.notebook)
        except Unreadable as error:
            refused[submission.student] = str(error)
            entries += submission.refused(str(error))
            reason = f"{submission.student}: NOT READ: {error} ({submission.origin})"
            show(f"  {for_terminal(reason)}")
            continue
        entries += reading.entries
        folder = Path(submitted) / submission.student / assignment
        write_one(cells, skeleton, folder, reading.files, language)
        write_times(folder, submission.exchange_files())
        show(f"  {for_terminal('; '.join([submission.student, *reading.notes, *notes]))}")
    return refused, entries


def write_one(
    cells: Sequence[Cell],
    skeleton: Skeleton,
    folder: Path,
    files: Mapping[str, str],
    language: str = ENGLISH,
) -> None:
    """Write one rebuilt notebook, and the files that belong to it, where nbgrader looks for it.

    Parameters
    ----------
    cells : sequence of Cell
    skeleton : Skeleton
    folder : path
        STUDENT/ASSIGNMENT, in nbgrader's folder of submissions.
    files : dict of str to str
        In base64, by name.
    language : str
        Of the notebook, which says so: then it is graded again in it.
    """
    for name, data in files.items():
        write_whole(folder / name, base64.b64decode(data))
    notebook = executed_notebook(cells, skeleton, language=language)
    write_whole(folder / f"{folder.name}.ipynb", to_bytes(notebook))


def write_times(folder: Path, texts: Mapping[str, str]) -> None:
    """Write what nbgrader looks for beside a notebook, when it was handed in above all.

    Parameters
    ----------
    folder : path
        STUDENT/ASSIGNMENT, in one of nbgrader's folders.
    texts : dict of str to str
        As of `Submission.exchange_files`.
    """
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != text:
            write_whole(path, text)
