"""What was handed in, written where nbgrader looks for it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from grader.cells import Cell
from grader.files import write_whole
from grader.gradebook.graded import executed_notebook, to_bytes
from grader.intake.collect import Submission, Unreadable
from grader.intake.rebuild import Skeleton
from grader.text import for_terminal


def write_submitted(
    submissions: Iterable[Submission],
    assignment: str,
    submitted: str | Path,
    skeleton: Skeleton,
    show: Callable[[str], object] = print,
) -> dict[str, str]:
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
    dict of str to str
        The reason for each student whose notebook cannot be read.
    """
    refused = {}
    for submission in submissions:
        try:
            notebook, unusual, files = submission.read(
                assignment, skeleton.known, patterns=skeleton.files
            )
            cells, notes = skeleton.rebuild(notebook)
        except Unreadable as error:
            refused[submission.student] = str(error)
            reason = f"{submission.student}: NOT READ: {error} ({submission.origin})"
            show(f"  {for_terminal(reason)}")
            continue
        write_one(cells, skeleton, submitted, submission.student, assignment, files)
        show(f"  {for_terminal('; '.join([submission.student, *unusual, *notes]))}")
    return refused


def write_one(
    cells: Sequence[Cell],
    skeleton: Skeleton,
    submitted: str | Path,
    student: str,
    assignment: str,
    files: Mapping[str, str],
) -> None:
    """Write one rebuilt notebook, and the files that belong to it, where nbgrader looks for it.

    ``files`` are in base64, by name.
    """
    folder = Path(submitted) / student / assignment
    for name, data in files.items():
        write_whole(folder / name, base64.b64decode(data))
    write_whole(folder / f"{assignment}.ipynb", to_bytes(executed_notebook(cells, skeleton)))
