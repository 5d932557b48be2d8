"""The notebook of a graded submission, in the form that nbgrader's formgrader and feedback read.

Plain dictionaries are used on purpose: nbformat checks each cell as it is made, which costs more
than all the rest of writing a graded notebook, and stops at outputs that a hostile notebook made.
"""

import copy
import json
import re

import nbformat
from nbgrader.preprocessors import LimitOutput

from grader.text import writable

NOTES_ID, EVIDENCE_ID = "grading-notes", "grading-evidence"
MOST_NOTES = 40
LONGEST_TEXT = 100_000  # of one output; longer ones only hold up whoever reads them
# What a notebook of the course shows; for others (widgets) a page would need more than the text.
SHOWN = (
    "text/plain",
    "text/html",
    "text/markdown",
    "text/latex",
    "image/png",
    "image/jpeg",
    "image/svg+xml",
)
SAYS = {
    "cell timeout": "A cell took longer than it may, and was stopped. The rest was graded.",
    "total timeout": "The notebook as a whole took longer than it may: the last cells did not run.",
    "out of memory": "A cell took more memory than it may, and was stopped. The rest was graded.",
    "died": "Python itself ended in a cell. The rest was graded with what could be kept.",
    "too much output": "The notebook showed more than it may, and was stopped there.",
    "unreadable": "The notebook could not be read, so there are no points.",
}
EVIDENCE = (
    "**For the grader; students are not shown this.** Questions with known answers were asked "
    "while this notebook ran, and some answers were wrong. There may be an innocent reason: read "
    "the student's cells before you decide."
)


def executed_notebook(cells, skeleton, outputs=None):
    """The rebuilt cells with their outputs, as a notebook in plain dictionaries.

    Parameters
    ----------
    cells : list of Cell
    skeleton : rebuild.Skeleton
    outputs : list of (list of dict, int or None), optional
        For each cell its outputs and execution count. Without them it is what was handed in,
        with the tests as students have them.
    """
    made = []
    as_submitted = outputs is None
    outputs = outputs or [([], None)] * len(cells)
    for cell, (shown, count) in zip(cells, outputs, strict=True):
        node = {
            "cell_type": cell.cell_type,
            "id": cell.cell_id[:64],
            "metadata": dict(skeleton.released_metadata.get(cell.grade_id, {})),
            "source": cell.source,
        }
        if as_submitted and cell.grade_id and cell.kind not in ("solution", "manual"):
            node["source"] = skeleton.stubs.get(cell.grade_id, "")
        if cell.cell_type == "code":
            node |= {"execution_count": count, "outputs": shown}
        if cell.attachments:
            node["attachments"] = cell.attachments
        made.append(node)
    return {
        "cells": made,
        "metadata": dict(skeleton.source.metadata),
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def finish(notebook, known, result, notes=(), limit=None):
    """An executed notebook as it is kept: nbgrader's metadata, outputs that say what the marks say.

    Parameters
    ----------
    notebook : dict or notebook or None
        As of `executed_notebook`; None if nothing could be run. It is
        not changed.
    known : dict of str to cell
        As of `known_cells`.
    result : dict
        As of `job.execute`.
    notes : sequence of str
        What was unusual about the submission; shown to the student.
    limit : LimitOutput, optional

    Returns
    -------
    dict
    """
    limit = limit or LimitOutput()
    tests = result.get("tests", {})
    cells = []
    for cell in notebook["cells"] if notebook else ():
        cell = dict(cell)
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in known:
            meta = dict(known[grade_id].metadata.nbgrader)
            cell["metadata"] = {**cell["metadata"], "nbgrader": meta}
        if cell["cell_type"] == "code":
            cell["execution_count"] = _count(cell.get("execution_count"))
            cell["outputs"] = [_output(output) for output in cell["outputs"]]
            if grade_id in tests:
                cell["outputs"] = _agreeing(cell["outputs"], tests[grade_id])
            cell["outputs"] = _limited(cell["outputs"], limit)
        cells.append(cell)
    metadata = notebook["metadata"] if notebook else {}
    evidence = {"outcome": result["outcome"], "flags": list(result.get("flags", ()))}
    return {
        "cells": [*_note_cells(result, notes), *cells],
        "metadata": {**metadata, "grading": evidence},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def to_bytes(notebook):
    """The notebook's file."""
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    return writable(text).encode() + b"\n"


def work_of(notebook):
    """What of a graded notebook a person graded: the student's cells, and the suspicions."""
    cells = [
        (cell["cell_type"], cell["source"], cell.get("attachments"))
        for cell in notebook["cells"]
        if not cell["metadata"].get("nbgrader", {}).get("locked")
        and cell["id"] not in (NOTES_ID, EVIDENCE_ID)
    ]
    return cells, notebook["metadata"].get("grading", {}).get("flags")


def escape_markdown(text):
    """Text that Markdown shows as it is, on one line."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(str(text).split()))


def _note_cells(result, notes):
    said = [SAYS[result["outcome"]]] if result["outcome"] in SAYS else []
    said += [escape_markdown(note) for note in list(notes)[:MOST_NOTES]]
    if len(notes) > MOST_NOTES:
        said.append(f"and {len(notes) - MOST_NOTES} more")
    cells = []
    if said:
        cells.append(_note_cell(NOTES_ID, "**About this submission**", said))
    if result.get("flags"):
        flags = [escape_markdown(flag) for flag in result["flags"][:MOST_NOTES]]
        cells.append(_note_cell(EVIDENCE_ID, EVIDENCE, flags))
    return cells


def _note_cell(cell_id, head, lines):
    text = "\n".join([head, "", *(f"- {line}" for line in lines)])
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": text}


def _count(count):
    return count if type(count) is int and count >= 0 else None


def _output(output):
    """An output in which nothing is but what the format allows."""
    kind = output["output_type"]
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": _cut(_text(output.get("text")))}
    if kind == "error":
        return {
            "output_type": kind,
            "ename": str(output.get("ename", "Error")),
            "evalue": _cut(str(output.get("evalue", ""))),
            "traceback": [_cut(str(line)) for line in output.get("traceback", ())],
        }
    data = {mime: _text(text) for mime, text in output.get("data", {}).items() if mime in SHOWN}
    for mime in data:
        if mime.startswith("text/") and len(data[mime]) > LONGEST_TEXT:
            # A part of it would not be HTML any more.
            data[mime] = _cut(data[mime]) if mime == "text/plain" else "(too long to be shown)"
    made = {
        "output_type": kind,
        "data": data or {"text/plain": "(nothing that can be shown here)"},
        "metadata": {},
    }
    if kind == "execute_result":
        made["execution_count"] = _count(output.get("execution_count"))
    return made


def _cut(text):
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "\n... cut off ..."


def _text(text):
    return "".join(text) if isinstance(text, list) else str(text or "")


def _agreeing(outputs, test):
    """A test cell's outputs, from which nbgrader reads the same score.

    To nbgrader an error or a text on stderr is no points, and a displayed result is its score:
    here the result of the job alone decides.
    """
    made = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "execute_result":
            output = {key: output[key] for key in ("data", "metadata")}
            output["output_type"] = "display_data"
        elif kind == "stream":
            output = {**output, "name": "stdout"}
        if kind != "error" or "failure" in test:
            made.append(output)
    if "failure" in test and not any(output["output_type"] == "error" for output in made):
        message = test["failure"]["message"]
        made.append(
            {
                "output_type": "error",
                "ename": test["failure"]["kind"],
                "evalue": message,
                "traceback": [message],
            }
        )
    return made


def _limited(outputs, limit):
    """The outputs with long ones cut, as nbgrader does."""
    lines = sum(o["text"].count("\n") + 1 for o in outputs if o["output_type"] == "stream")
    deepest = max((len(o["traceback"]) for o in outputs if o["output_type"] == "error"), default=0)
    if lines <= limit.max_lines and deepest <= limit.max_traceback:
        return outputs
    cell = nbformat.from_dict({"cell_type": "code", "outputs": copy.deepcopy(outputs)})
    cell, _ = limit.preprocess_cell(cell, {}, 0)
    return cell["outputs"]
