"""What was handed in, written where nbgrader looks for it."""

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
            notebook = submission.read(assignment, skeleton.known)
        except Unreadable as error:
            refused[submission.student] = str(error)
            show(f"  {submission.student}: NOT READ: {error} ({submission.origin})")
            continue
        cells, notes = skeleton.rebuild(notebook)
        if not any(cell.answered for cell in cells if cell.kind == "solution"):
            notes.append("nothing is answered in it: is it the right file?")
        write_one(cells, skeleton, submitted, submission.student, assignment)
        show(f"  {submission.student}" + "".join(f"; {note}" for note in notes))
    return refused


def write_one(cells, skeleton, submitted, student, assignment):
    """Write one rebuilt notebook where nbgrader looks for it."""
    path = Path(submitted) / student / assignment / f"{assignment}.ipynb"
    write_whole(path, to_bytes(executed_notebook(cells, skeleton)))
