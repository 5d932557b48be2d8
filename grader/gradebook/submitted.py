"""What was handed in, written where nbgrader looks for it."""

import base64
from pathlib import Path

from grader.files import write_whole
from grader.gradebook.graded import executed_notebook, to_bytes
from grader.intake.collect import Unreadable


def write_submitted(submissions, assignment, submitted, skeleton, show=print):
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
        except Unreadable as error:
            refused[submission.student] = str(error)
            show(f"  {submission.student}: NOT READ: {error} ({submission.origin})")
            continue
        cells, notes = skeleton.rebuild(notebook)
        write_one(cells, skeleton, submitted, submission.student, assignment, files)
        show(f"  {submission.student}" + "".join(f"; {note}" for note in unusual + notes))
    return refused


def write_one(cells, skeleton, submitted, student, assignment, files):
    """Write one rebuilt notebook, and the files that belong to it, where nbgrader looks for it.

    ``files`` are in base64, by name.
    """
    folder = Path(submitted) / student / assignment
    for name, data in files.items():
        write_whole(folder / name, base64.b64decode(data))
    write_whole(folder / f"{assignment}.ipynb", to_bytes(executed_notebook(cells, skeleton)))
