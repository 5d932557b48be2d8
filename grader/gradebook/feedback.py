"""The page that a student gets back: nbgrader's feedback form, without the hidden tests' source.

The filters of `safe_html` are named in nbgrader_config.py for ``nbgrader generate_feedback``, too.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from traitlets.config import Config

from grader.cells import metadata_of
from grader.files import write_whole
from grader.gradebook.book import Book
from grader.gradebook.hidden import hide
from grader.gradebook.safe_html import as_text, clean_html, markdown2html
from grader.records import Output
from grader.text import writable

TEMPLATES = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"
LONGEST_CODE = 50_000
# Of all that is a student's own; what comes after that is left out of the page.
MOST_ON_A_PAGE = 300_000
TOO_LONG = "(Left out: this notebook holds more than fits on a page.)"
NO_ALT = '<img alt="No description has been provided for this image"'


class Pages(HTMLExporter):
    """nbconvert's exporter with nbgrader's template, without what takes its time.

    Of the 0.5 s that a page of 40 cells takes there, half is reading the finished page again to
    give an alternative text to pictures; the rest is mostly colouring the same test cells and
    rendering the same tasks for each student.
    """

    def __init__(self) -> None:
        config = Config()
        config.HTMLExporter.template_name = "feedback"
        config.HTMLExporter.extra_template_basedirs = [str(TEMPLATES / "templates")]
        css = TEMPLATES / "static" / "node_modules" / "bootstrap" / "dist" / "css"
        config.HTMLExporter.extra_template_paths = [str(css)]
        config.HTMLExporter.sanitize_html = True
        config.Exporter.default_preprocessors = []
        super().__init__(config=config)
        highlight = Highlight2HTML(pygments_lexer="python", parent=self)
        remembered = functools.lru_cache(500)(highlight)

        def colour(source: str, metadata: Mapping[str, Any] | None = None) -> str:
            if ((metadata or {}).get("nbgrader") or {}).get("locked"):
                return remembered(source)
            return highlight(source) if len(source) <= LONGEST_CODE else as_text(source)

        self.register_filter("highlight_code", colour)
        self.register_filter("markdown2html", markdown2html)
        self.register_filter("clean_html", clean_html)
        self.register_filter(
            "filter_data_type",
            WidgetsDataTypeFilter(notebook_metadata={}, parent=self, resources={}),
        )
        header = CSSHTMLHeaderPreprocessor(parent=self)
        made = header.preprocess(None, {"config_dir": os.devnull})[1]
        self.css = made["inlining"]

    def page(self, notebook: Mapping[str, Any], resources: Mapping[str, Any]) -> str:
        """The page's text."""
        node = nbformat.from_dict(notebook)
        resources = {"inlining": self.css, **resources}
        text, _ = TemplateExporter.from_notebook_node(self, node, resources)
        return _with_alt(text)


def _with_alt(text: str) -> str:
    """The page with a text for each picture that has none, as nbconvert gives it."""
    parts = text.split("<img")
    for number, part in enumerate(parts[1:], start=1):
        tag = part[: part.find(">")]
        parts[number] = ("<img" if " alt=" in tag or "\nalt=" in tag else NO_ALT) + part
    return "".join(parts)


@functools.cache
def pages() -> Pages:
    """The exporter of this process."""
    return Pages()


def make_page(notebook: Mapping[str, Any], marks: Mapping[str, Any], name: str) -> str:
    """A student's page, as text.

    Parameters
    ----------
    notebook : dict
        A graded notebook, as a `gradebook.Book` writes it.
    marks : dict
        As of `Book.marks`.
    name : str
        The notebook's name, for the title.
    """
    cells, size = [], 0
    for cell in hide(notebook)["cells"]:
        meta = metadata_of(cell)
        if not (meta and meta.get("locked")):
            size += len(cell["source"]) + sum(map(_length, cell.get("outputs", ())))
            if size > MOST_ON_A_PAGE:
                cell = {**cell, "source": TOO_LONG}
                if "outputs" in cell:
                    cell["outputs"] = []
        if meta:
            grade_id, meta = meta["grade_id"], dict(meta)
            if grade_id in marks["cells"]:
                meta["score"], meta["points"] = marks["cells"][grade_id]
            if grade_id in marks["comments"]:
                meta["comment"] = marks["comments"][grade_id]
            cell = {**cell, "metadata": {**cell["metadata"], "nbgrader": meta}}
        cells.append(cell)
    resources = {
        "nbgrader": {
            "notebook": name,
            "score": marks["score"],
            "max_score": marks["max_score"],
            "late_penalty": marks["late_penalty"],
        }
    }
    return pages().page({**notebook, "cells": cells}, resources)


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
        is_current = digest in _path(book, student).read_text(encoding="utf-8")
    except OSError:
        is_current = False
    if not is_current:
        _write(book, student, notebook, marks, digest)
    return not is_current


def _path(book: Book, student: str) -> Path:
    folder = book.root / "grading" / "feedback" / student / book.assignment
    return folder / f"{book.assignment}.html"


def _ingredients(book: Book, student: str) -> tuple[bytes, dict[str, Any], str]:
    """A graded notebook's bytes, the marks, and a digest of both."""
    notebook, marks = book.path(student).read_bytes(), book.marks(student)
    text = json.dumps(marks, sort_keys=True).encode()
    return notebook, marks, hashlib.sha256(notebook + b"\0" + text).hexdigest()[:40]


def _write(book: Book, student: str, notebook: bytes, marks: dict[str, Any], digest: str) -> Path:
    text = make_page(json.loads(notebook), marks, book.assignment)
    path = _path(book, student)
    # Above the students' folders, so that a page that was cut off is in none of them.
    write_whole(path, writable(f"{text}\n<!-- {digest} -->\n"), path.parents[2])
    return path
