"""What students are not to read of a graded notebook, taken out of it.

`HideHiddenTests` does it in nbgrader's own ``nbgrader generate_feedback``, too: it is named in
nbgrader_config.py.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from grader.cells import HIDDEN_TESTS, MARK_SCHEME, cut_regions, metadata_of
from grader.gradebook.graded import EVIDENCE_ID
from grader.records import Output
from grader.words import language_of, said

# Shorter lines, such as a bracket, say nothing and stand in students' own code.
SHORTEST_LINE = 12
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class HideHiddenTests(NbGraderPreprocessor):
    """Takes out what students are not to read: see `hide`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        return nbformat.from_dict(hide(nb)), resources


def hide(notebook: Mapping[str, Any]) -> dict[str, Any]:
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
    language = language_of(notebook)
    in_place = said("# Hidden tests stand here: they check the same with other numbers.", language)
    cells: list[dict[str, Any]] = []
    found: set[str] = set()
    shown: set[str] = set()
    for cell in notebook["cells"]:
        if cell.get("id") == EVIDENCE_ID:
            continue
        meta = metadata_of(cell)
        if meta and not meta.get("solution"):
            source, hidden = cut_regions(cell["source"], HIDDEN_TESTS, in_place)
            source, _ = cut_regions(source, MARK_SCHEME)
            cell = {**cell, "source": source}
            found.update(line.strip() for line in hidden)
        shown.update(line.strip() for line in cell["source"].split("\n"))
        cells.append(cell)
    secrets = sorted(line for line in found - shown if len(line) >= SHORTEST_LINE)
    if secrets:
        # As it is, as HTML has it, and as a string's value is shown.
        secrets = list(
            dict.fromkeys(f for s in secrets for f in (s, html.escape(s), repr(s)[1:-1]))
        )
        cells = [
            {**cell, "outputs": [_cleared(output, secrets, language) for output in cell["outputs"]]}
            if cell["cell_type"] == "code"
            else cell
            for cell in cells
        ]
    return {**notebook, "cells": cells}


def _cleared(output: Output, secrets: Sequence[str], language: str) -> Output:
    kind = output["output_type"]
    hidden_line = said("[a line of a hidden test]", language)
    if kind == "stream":
        return {**output, "text": _clear_text(output["text"], secrets, hidden_line)}
    if kind != "error":
        data = {
            mime: _clear_text(text, secrets, hidden_line) if mime.startswith("text/") else text
            for mime, text in output["data"].items()
        }
        return {**output, "data": data}
    lines = "\n".join(output["traceback"]).split("\n")
    plain = [COLOURS.sub("", line) for line in lines]
    secret = [any(one in line for one in secrets) for line in plain]
    if not any(secret):
        return {**output, "evalue": _clear_text(output["evalue"], secrets, hidden_line)}
    if any(is_secret and "-->" in line for is_secret, line in zip(secret, plain, strict=True)):
        # What such an error says can hold the numbers that the test expects.
        text = said("A hidden test failed here ({error}).", language)
        return {**output, "evalue": text, "traceback": [text.format(error=output["ename"])]}
    kept = [line for line, is_secret in zip(lines, secret, strict=True) if not is_secret]
    evalue = _clear_text(output["evalue"], secrets, hidden_line)
    return {**output, "evalue": evalue, "traceback": kept}


def _clear_text(text: str | list[str], secrets: Sequence[str], in_place: str) -> str:
    text = "".join(text) if isinstance(text, list) else text
    for line in secrets:
        if line in text:
            text = text.replace(line, in_place)
    return text
