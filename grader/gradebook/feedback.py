"""The page that a student gets back, and when it is written: see `page` for its form.

`nbgrader generate_feedback` writes the same one: nbgrader_config.py names `Pages`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from traitlets import Unicode

from grader.authoring.source import notebook_path
from grader.cells import metadata_of
from grader.files import write_whole
from grader.gradebook import page
from grader.gradebook.book import Book
from grader.gradebook.hidden import hide
from grader.intake.edition import Edition, editions_of
from grader.intake.roster import load_roster
from grader.records import Output
from grader.words import CATALOGUE, Note, language_of
from helpers.language import ENGLISH

# Of all that is a student's own; what comes after that is left out of the page.
MOST_ON_A_PAGE = 300_000
TOO_LONG = Note("(Left out: this notebook holds more than fits on a page.)")


class Pages(Exporter):
    """What `nbgrader generate_feedback` and formgrader's button make pages with: the same ones."""

    file_extension = Unicode(".html")
    output_mimetype = "text/html"

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **options: Any
    ) -> tuple[str, Any]:
        """The page's text; nbgrader's preprocessors have put marks and comments into the cells."""
        nb, resources = super().from_notebook_node(nb, resources, **options)
        place = resources["nbgrader"]
        root = self.config.CourseDirectory.get("root") or os.getcwd()
        names = {student.id: student.name for student in load_roster(root)}
        student, name = names.get(place["student"]) or place["student"], place["notebook"]
        edition = editions_of(name, Path(root)).get(language_of(nb))
        title = _title(nb, name, Path(root))
        return _page(nb, nb.cells, place, student, title, edition), resources


def make_page(
    notebook: Mapping[str, Any],
    marks: Mapping[str, Any],
    student: str,
    name: str,
    edition: Edition | None = None,
) -> str:
    """A student's page, as text.

    Parameters
    ----------
    notebook : dict
        A graded notebook, as a `gradebook.Book` writes it.
    marks : dict
        As of `Book.marks`.
    student : str
        The name at the top.
    name : str
        What the assignment is called where the notebook does not say it.
    edition : Edition, optional
        The assignment in the student's language; none for English.
    """
    cells = []
    for cell in hide(notebook)["cells"]:
        meta = metadata_of(cell)
        if meta:
            grade_id, meta = meta["grade_id"], dict(meta)
            if grade_id in marks["cells"]:
                meta["score"], meta["points"] = marks["cells"][grade_id]
            if grade_id in marks["comments"]:
                meta["comment"] = marks["comments"][grade_id]
            cell = {**cell, "metadata": {**cell["metadata"], "nbgrader": meta}}
        cells.append(cell)
    return _page(notebook, cells, marks, student, name, edition)


def _page(
    notebook: Mapping[str, Any],
    cells: Sequence[Mapping[str, Any]],
    marks: Mapping[str, Any],
    student: str,
    name: str,
    edition: Edition | None,
) -> str:
    """The page of these cells, in which nothing is hidden any more."""
    language = ENGLISH
    if edition:
        language = edition.language
        cells = _translated(cells, edition, notebook["metadata"]["course"].get("unanswered", ()))
    return page.make(_fitting(cells, language), marks, student, name, language)


def _title(notebook: Mapping[str, Any], name: str, root: Path) -> str:
    """What an assignment is called at the top of a page.

    A notebook of which nothing could be graded has none of the cells that say it.
    """
    if any(metadata_of(cell) for cell in notebook["cells"]):
        return name  # unless its first heading says more
    source = json.loads(notebook_path(name, root / "solutions").read_text(encoding="utf-8"))
    cells = ({**cell, "source": "".join(cell["source"])} for cell in source["cells"])
    return page.outline(list(cells))[0] or name


def _translated(
    cells: Sequence[Mapping[str, Any]], edition: Edition, unanswered: Sequence[str]
) -> list[Mapping[str, Any]]:
    """The cells with the words of the assignment's own as the student has them."""
    made = []
    for cell in cells:
        meta = metadata_of(cell)
        if meta and (not meta.get("solution") or meta["grade_id"] in unanswered):
            cell = {**cell, "source": edition.translate(meta["grade_id"], cell["source"])}
        made.append(cell)
    return made


def _fitting(cells: Iterable[Mapping[str, Any]], language: str) -> list[Mapping[str, Any]]:
    """The cells, without the contents of those that are too much for a page."""
    made, size = [], 0
    for cell in cells:
        meta = metadata_of(cell)
        if not (meta and meta.get("locked")):
            size += len(cell["source"]) + sum(map(_length, cell.get("outputs", ())))
            if size > MOST_ON_A_PAGE:
                cell = {**cell, "source": TOO_LONG.in_language(language)}
                if "outputs" in cell:
                    cell["outputs"] = []
        made.append(cell)
    return made


def _length(output: Output) -> int:
    """The characters of an output that are looked at; those of a picture are only copied."""
    data = output.get("data", {})
    return sum(len(text) for mime, text in data.items() if mime.startswith("text/"))


def write_feedback(book: Book, student: str) -> Path:
    """Write the page of a student: grading/feedback/STUDENT/ASSIGNMENT/ASSIGNMENT.html.

    Parameters
    ----------
    book : Book
        Which holds a record of the student.
    student : str

    Returns
    -------
    Path

    Raises
    ------
    BookError
        If nothing is recorded of the student.
    """
    return _write(book, student, *_ingredients(book, student))


def update_feedback(book: Book, student: str) -> bool:
    """Write the page of a student if it is not that of the marks as they are now.

    Marks by hand and comments change between two calls of `make grade`.

    Returns
    -------
    bool
        Whether it was written.

    Raises
    ------
    BookError, OSError
        If nothing is recorded of the student.
    """
    notebook, marks, digest = _ingredients(book, student)
    try:
        is_current = digest in page_path(book, student).read_text(encoding="utf-8")
    except OSError:
        is_current = False
    if not is_current:
        _write(book, student, notebook, marks, digest)
    return not is_current


def page_path(book: Book, student: str) -> Path:
    """Where a student's page is."""
    folder = book.root / "grading" / "feedback" / student / book.assignment
    return folder / f"{book.assignment}.html"


def _ingredients(book: Book, student: str) -> tuple[bytes, dict[str, Any], str]:
    """A graded notebook's bytes, the marks, and a digest of all that the page is made of."""
    notebook, marks = book.path(student).read_bytes(), book.marks(student)
    made_of = [marks, book.name_of(student), page.form_digest()]
    edition = _edition(book, notebook)
    if edition:
        made_of.append(edition.digest(CATALOGUE))
    if b'"nbgrader"' not in notebook:
        made_of.append(_title(json.loads(notebook), book.assignment, book.root))
    text = json.dumps(made_of, sort_keys=True).encode()
    return notebook, marks, hashlib.sha256(notebook + b"\0" + text).hexdigest()[:40]


def _edition(book: Book, notebook: bytes) -> Edition | None:
    """The assignment in the language of a graded notebook; none for English."""
    if b'"course"' not in notebook:  # most: they need not be parsed to know it
        return None
    return book.skeleton.editions.get(language_of(json.loads(notebook)))


def _write(book: Book, student: str, notebook: bytes, marks: dict[str, Any], digest: str) -> Path:
    edition = _edition(book, notebook)
    graded = json.loads(notebook)
    title = _title(graded, book.assignment, book.root)
    text = make_page(graded, marks, book.name_of(student), title, edition)
    path = page_path(book, student)
    # Above the students' folders, so that a page that was cut off is in none of them.
    write_whole(path, f"{text}\n<!-- {digest} -->\n", path.parents[2])
    return path
