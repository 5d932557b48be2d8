"""The notebook of a graded submission, in the form that nbgrader's formgrader and feedback read.

Plain dictionaries are used on purpose: nbformat checks each cell as it is made, which costs more
than all the rest of writing a graded notebook, and stops at outputs that a hostile notebook made.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import LimitOutput

from grader.cells import Cell
from grader.intake.rebuild import Skeleton
from grader.intake.recognise import ANSWERS
from grader.outcomes import SENTENCES
from grader.records import Failure, Output, TestResult
from grader.text import for_markdown, shortened, writable
from grader.words import Note, language_of, said
from helpers.assignment import CheckFailed
from helpers.language import ENGLISH

NOTES_ID, EVIDENCE_ID = "grading-notes", "grading-evidence"
MOST_NOTES = 40
# Of a failed hidden test these are told in words of ours; what else is told can hold what the
# student's code has said, such as the name of an error: numbers of the test, too.
TOLD_IN_OUR_WORDS = (
    "shape",
    "values",
    "dtype",
    "type",
    "inputs",
    "memory",
    "no error",
    "claim",
    "too long",
)
EVIDENCE = (
    "**For the grader; students are not shown this.** Questions with known answers were asked "
    "while this notebook ran, and some answers were wrong. There may be an innocent reason: read "
    "the student's cells before you decide."
)


def executed_notebook(
    cells: Sequence[Cell],
    skeleton: Skeleton,
    outputs: Sequence[tuple[list[Output], int | None]] | None = None,
    language: str = ENGLISH,
) -> dict[str, Any]:
    """The rebuilt cells with their outputs, as a notebook in plain dictionaries.

    Parameters
    ----------
    cells : list of Cell
    skeleton : rebuild.Skeleton
    outputs : list of (list of dict, int or None), optional
        For each cell its outputs and execution count. Without them it is what was handed in,
        with the tests as students have them.
    language : str
        In which the student is answered. The assignment's own cells are in English all the same:
        they are the instructor's.
    """
    made = []
    as_submitted = outputs is None
    outputs = outputs or [([], None)] * len(cells)
    for cell, (shown, count) in zip(cells, outputs, strict=True):
        node: dict[str, Any] = {
            "cell_type": cell.cell_type,
            "id": cell.cell_id[:64],
            "metadata": dict(skeleton.released_metadata.get(cell.grade_id or "", {})),
            "source": cell.source,
        }
        if as_submitted and cell.grade_id and cell.kind not in ("solution", "manual"):
            node["source"] = skeleton.stubs.get(cell.grade_id, "")
        if cell.cell_type == "code":
            node |= {"execution_count": count, "outputs": shown}
        if cell.attachments:
            node["attachments"] = cell.attachments
        made.append(node)
    metadata = dict(skeleton.source.metadata)
    if language != ENGLISH:
        stubs = [cell.grade_id for cell in cells if cell.kind in ANSWERS and not cell.answered]
        course = {"language": language, "unanswered": stubs}
        metadata["course"] = {**metadata.get("course", {}), **course}
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def finish(
    notebook: Mapping[str, Any] | None,
    known: Mapping[str, NotebookNode],
    result: Mapping[str, Any],
    notes: Sequence[str] = (),
    limit: LimitOutput | None = None,
) -> dict[str, Any]:
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
    language = language_of(notebook) if notebook else ENGLISH
    cells = []
    for cell in notebook["cells"] if notebook else ():
        cell = dict(cell)
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in known:
            meta = dict(known[grade_id].metadata.nbgrader)
            cell["metadata"] = {**cell["metadata"], "nbgrader": meta}
        if cell["cell_type"] == "code":
            if grade_id in tests:
                cell["outputs"] = _agreeing(cell["outputs"], tests[grade_id], language)
            cell["outputs"] = _limited(cell["outputs"], limit)
        cells.append(cell)
    metadata = notebook["metadata"] if notebook else {}
    evidence = {"outcome": result["outcome"], "flags": list(result.get("flags", ()))}
    return {
        "cells": [*_note_cells(result, notes, language), *cells],
        "metadata": {**metadata, "grading": evidence},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def to_bytes(notebook: Mapping[str, Any]) -> bytes:
    """The notebook's file."""
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    return writable(text).encode() + b"\n"


def work_of(notebook: Mapping[str, Any]) -> tuple[list[tuple[Any, ...]], Any]:
    """What of a graded notebook a person graded: the student's cells, and the suspicions."""
    cells = [
        (cell["cell_type"], cell["source"], cell.get("attachments"))
        for cell in notebook["cells"]
        if not cell["metadata"].get("nbgrader", {}).get("locked")
        and cell["id"] not in (NOTES_ID, EVIDENCE_ID)
    ]
    return cells, notebook["metadata"].get("grading", {}).get("flags")


def _note_cells(
    result: Mapping[str, Any], notes: Sequence[str], language: str
) -> list[dict[str, Any]]:
    sentence = SENTENCES[result["outcome"]].in_notes
    lines = [said(sentence, language)] if sentence else []
    told = [
        note.in_language(language) if isinstance(note, Note) else note
        for note in (*notes, *parts_of_points(result))
    ]
    lines += shortened(told, MOST_NOTES, for_markdown)
    cells = []
    if lines:
        cells.append(_note_cell(NOTES_ID, said("**About this submission**", language), lines))
    if result.get("flags"):
        flags = shortened(result["flags"], MOST_NOTES, for_markdown)
        cells.append(_note_cell(EVIDENCE_ID, EVIDENCE, flags))
    return cells


def parts_of_points(result: Mapping[str, Any]) -> list[str]:
    """A note for each test that gave a part of its points."""
    return [
        Note(
            "{cell}: {got:g} of {all:g} points",
            cell=grade_id,
            got=test["score"],
            all=test["max_score"],
        )
        for grade_id, test in result.get("tests", {}).items()
        if "failure" not in test and test["score"] < test["max_score"]
    ]


def _note_cell(cell_id: str, head: str, lines: Sequence[str]) -> dict[str, Any]:
    text = "\n".join([head, "", *(f"- {line}" for line in lines)])
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": text}


def _agreeing(outputs: Sequence[Output], test: TestResult, language: str) -> list[Output]:
    """A test cell's outputs, from which nbgrader reads the same score.

    To nbgrader an error or a text on stderr is no points, and a displayed result is its score:
    here the result of the job alone decides.
    """
    made = []
    failure = test.get("failure")
    for output in outputs:
        kind = output["output_type"]
        if kind == "execute_result":
            output = {**output, "output_type": "display_data"}
            del output["execution_count"]
        elif kind == "stream":
            output = {**output, "name": "stdout"}
        if kind != "error":
            made.append(output)
    errors = [output for output in outputs if output["output_type"] == "error"]
    if failure is not None:
        is_ours = failure["hidden"] or not errors
        made += [_error_of(failure, language)] if is_ours else errors
    elif test["score"] < test["max_score"]:
        # A score on its own is the way in which nbgrader takes a part of the points.
        data = {"text/plain": str(float(test["score"]))}
        score = {"output_type": "execute_result", "data": data, "metadata": {}}
        made.append({**score, "execution_count": None})
    return made


def _error_of(failure: Failure, language: str) -> Output:
    """A failure as an output; nothing in it comes from a hidden test's inputs."""
    message = failure["message"]
    if failure["hidden"] and failure["kind"] not in TOLD_IN_OUR_WORDS:
        message = said(
            "A hidden test fails here: on other inputs it stops with an error.", language
        )
    return {
        "output_type": "error",
        "ename": CheckFailed.__name__,
        "evalue": message,
        "traceback": [message],
    }


def _limited(outputs: list[Output], limit: LimitOutput) -> list[Output]:
    """The outputs with long ones cut, as nbgrader does."""
    lines = sum(o["text"].count("\n") + 1 for o in outputs if o["output_type"] == "stream")
    deepest = max((len(o["traceback"]) for o in outputs if o["output_type"] == "error"), default=0)
    if lines <= limit.max_lines and deepest <= limit.max_traceback:
        return outputs
    cell = nbformat.from_dict({"cell_type": "code", "outputs": copy.deepcopy(outputs)})
    cell, _ = limit.preprocess_cell(cell, {}, 0)
    return cell["outputs"]
