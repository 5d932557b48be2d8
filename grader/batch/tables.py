"""All that is written of an assignment's marks, made anew from the gradebook and the records."""

from __future__ import annotations

from pathlib import Path

from grader.batch.report import write_table
from grader.batch.store import Store
from grader.gradebook.book import Book
from grader.gradebook.marks import Marks, marks_of_class


def write_tables(book: Book) -> tuple[dict[str, Marks], Path]:
    """Write the table of an assignment, grading/ASSIGNMENT/grades.csv.

    Parameters
    ----------
    book : Book

    Returns
    -------
    (dict of str to Marks, Path)
        The marks by student, and the table.

    Raises
    ------
    BookError
        If the gradebook is locked.
    """
    folder = book.root / "grading" / book.assignment
    marks = marks_of_class(book)
    path = folder / "grades.csv"
    write_table(marks, Store(folder).records(), book.skeleton.test_ids, path)
    return marks, path
