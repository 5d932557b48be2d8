"""The page that a student gets back: nbgrader's feedback form, without the hidden tests' source.

`HideHiddenTests` does the hiding in nbgrader's own ``nbgrader generate_feedback``, too; it and the
filters of `safe_html` are named in nbgrader_config.py.
"""

import functools
import hashlib
import html
import json
import os
import re
from pathlib import Path

import nbformat
import nbgrader
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Config

from grader.cells import HIDDEN_TESTS, MARK_SCHEME, cut_regions, metadata_of
from grader.gradebook.graded import EVIDENCE_ID
from grader.gradebook.safe_html import as_text, clean_html, markdown2html

TEMPLATES = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"
IN_PLACE = "# Hidden tests stand here: they check the same with other numbers."
HIDDEN_FAILED = "A hidden test failed here"
HIDDEN_LINE = "[a line of a hidden test]"
# Shorter lines, such as a bracket, say nothing and stand in students' own code.
SHORTEST_LINE = 12
LONGEST_CODE = 50_000
# Of all that is a student's own; what comes after that is left out of the page.
MOST_ON_A_PAGE = 300_000
TOO_LONG = "(Left out: this notebook holds more than fits on a page.)"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
NO_ALT = '<img alt="No description has been provided for this image"'


class HideHiddenTests(NbGraderPreprocessor):
    """Takes out what students are not to read: see `hide`."""

    def preprocess(self, nb, resources):
        return nbformat.from_dict(hide(nb)), resources


def hide(notebook):
    """A graded notebook without hidden tests, mark schemes and what is for the grader alone.

    In the cells of the assignment each hidden test becomes one comment line, and a mark scheme
    is left out. Lines of hidden tests that an output shows (of a traceback, or because the
    notebook printed its own tests) are left out there.

    Parameters
    ----------
    notebook : dict or notebook
        It is not changed.

    Returns
    -------
    dict
    """
    cells, secrets, shown = [], set(), set()
    for cell in notebook["cells"]:
        if cell.get("id") == EVIDENCE_ID:
            continue
        meta = metadata_of(cell)
        if meta and not meta.get("solution"):
            source, hidden = cut_regions(cell["source"], HIDDEN_TESTS, IN_PLACE)
            source, _ = cut_regions(source, MARK_SCHEME)
            cell = {**cell, "source": source}
            secrets.update(line.strip() for line in hidden)
        shown.update(line.strip() for line in cell["source"].split("\n"))
        cells.append(cell)
    secrets = sorted(line for line in secrets - shown if len(line) >= SHORTEST_LINE)
    if secrets:
        # As it is, as HTML has it, and as a string's value is shown.
        secrets = list(
            dict.fromkeys(f for s in secrets for f in (s, html.escape(s), repr(s)[1:-1]))
        )
        cells = [
            {**cell, "outputs": [_cleared(output, secrets) for output in cell["outputs"]]}
            if cell["cell_type"] == "code"
            else cell
            for cell in cells
        ]
    return {**notebook, "cells": cells}


def _cleared(output, secrets):
    kind = output["output_type"]
    if kind == "stream":
        return {**output, "text": _clear_text(output["text"], secrets)}
    if kind != "error":
        data = {
            mime: _clear_text(text, secrets) if mime.startswith("text/") else text
            for mime, text in output["data"].items()
        }
        return {**output, "data": data}
    lines = "\n".join(output["traceback"]).split("\n")
    plain = [COLOURS.sub("", line) for line in lines]
    secret = [any(one in line for one in secrets) for line in plain]
    if not any(secret):
        return {**output, "evalue": _clear_text(output["evalue"], secrets)}
    if any(is_secret and "-->" in line for is_secret, line in zip(secret, plain, strict=True)):
        # What such an error says can hold the numbers that the test expects.
        text = f"{HIDDEN_FAILED} ({output['ename']})."
        return {**output, "evalue": HIDDEN_FAILED, "traceback": [text]}
    kept = [line for line, is_secret in zip(lines, secret, strict=True) if not is_secret]
    return {**output, "evalue": _clear_text(output["evalue"], secrets), "traceback": kept}


def _clear_text(text, secrets):
    text = "".join(text) if isinstance(text, list) else text
    for line in secrets:
        if line in text:
            text = text.replace(line, HIDDEN_LINE)
    return text


class Pages(HTMLExporter):
    """nbconvert's exporter with nbgrader's template, without what takes its time.

    Of the 0.5 s that a page of 40 cells takes there, half is reading the finished page again to
    give an alternative text to pictures; the rest is mostly colouring the same test cells and
    rendering the same tasks for each student.
    """

    def __init__(self):
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

        def colour(source, metadata=None):
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
        self.sheets = functools.cache(self._sheet)

    def _sheet(self, name):
        return HTMLExporter._init_resources(self, {})["include_css"](name)

    def _init_resources(self, resources):
        resources = super()._init_resources(resources)
        resources["include_css"] = self.sheets
        return resources

    def _preprocess(self, nb, resources):
        return nb, resources  # there is nothing to do, for which it would be copied once more

    def page(self, notebook, resources):
        """The page's text."""
        node = nbformat.from_dict(notebook)
        resources = {"inlining": self.css, **resources}
        text, _ = TemplateExporter.from_notebook_node(self, node, resources)
        return _with_alt(text)


def _with_alt(text):
    """The page with a text for each picture that has none, as nbconvert gives it."""
    parts = text.split("<img")
    for number, part in enumerate(parts[1:], start=1):
        tag = part[: part.find(">")]
        parts[number] = ("<img" if " alt=" in tag or "\nalt=" in tag else NO_ALT) + part
    return "".join(parts)


@functools.cache
def pages():
    """The exporter of this process."""
    return Pages()


def make_page(notebook, marks, name):
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


def _length(output):
    """The characters of an output that are looked at; those of a picture are only copied."""
    data = output.get("data", {})
    return sum(len(text) for mime, text in data.items() if mime.startswith("text/"))


def write_feedback(book, student):
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
    marks = book.marks(student)
    notebook = json.loads(book.path(student).read_bytes())
    text = make_page(notebook, marks, book.assignment)
    folder = book.root / "grading" / "feedback" / student / book.assignment
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(folder.as_posix().encode()).hexdigest()[:20]
    part = folder.parents[1] / f".{digest}.part"
    part.write_text(text, encoding="utf-8", errors="replace")
    os.replace(part, folder / f"{book.assignment}.html")
    return folder / f"{book.assignment}.html"
