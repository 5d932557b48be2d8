"""From the bytes of one submission to its cells: a pure function, which any process can call."""

from __future__ import annotations

import ast
import re
import sys
from typing import Any

from grader.judging.policy import Limits
from helpers.assignment.notebook_file import CONFLICT, read

DEFAULT = Limits()
THIS_PYTHON = sys.version_info[:2]
# Python's parser takes some 600 times a text's length of memory: what is longer is not parsed here.
MOST_PARSED = 100_000
_MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)
_DEFINITION = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
_CONFLICT_LINE = re.compile(rf"^{CONFLICT}", re.MULTILINE)
# Cell magics after which the cell's lines define nothing in the notebook.
_ELSEWHERE = re.compile(
    r"\s*%%(writefile|file|timeit|script|bash|sh|python3?|html|js|javascript|latex|markdown|svg)\b"
)


def parse(data: bytes, limits: Limits = DEFAULT) -> tuple[Any, list[str]]:
    """The cells of a notebook's file.

    Parameters
    ----------
    data : bytes
    limits : Limits

    Returns
    -------
    (notebook, list of str)
        In nbformat 4, without outputs, and of the metadata only what the grader uses; and notes
        for whoever marks it. Time and memory are bounded by the limits: see
        `helpers.assignment.notebook_file.read`.

    Raises
    ------
    Unreadable
    """
    notebook, notes = read(data, limits)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    if any(_CONFLICT_LINE.search(source) for source in code):
        notes.append("git's conflict markers stand in its code")
    newer = python_note(notebook)
    return notebook, [*notes, newer] if newer else notes


def ids_of(notebook: Any) -> list[str]:
    """The grade ids of a notebook's cells, in order."""
    metas = (cell.metadata.get("nbgrader") for cell in notebook.cells)
    return [
        meta["grade_id"]
        for meta in metas
        if isinstance(meta, dict) and isinstance(meta.get("grade_id"), str)
    ]


def python_note(notebook: Any, python: tuple[int, int] = THIS_PYTHON) -> str | None:
    """A sentence if code that cannot be read here comes from a newer Python, else None.

    Parameters
    ----------
    notebook : notebook
    python : (int, int)
        The one that grades.
    """
    version = notebook.metadata.get("language_info", {}).get("version", "")
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if len(numbers) < 2 or numbers <= python:
        return None
    for cell in notebook.cells:
        wrong = _syntax_error(cell.source) if cell.cell_type == "code" else None
        if wrong is not None:
            theirs, ours = (f"{major}.{minor}" for major, minor in (numbers, python))
            line = cell.source.split("\n")[max((wrong.lineno or 1) - 1, 0)].strip()[:60]
            return (
                f"`{line}` is not Python {ours}, which grades. The notebook ran with Python "
                f"{theirs}: newer syntax may be the reason"
            )
    return None


def defined_names(source: str, kinds: Any = ast.FunctionDef | ast.ClassDef) -> set[str]:
    """The functions and classes that a cell defines at its top.

    Lines with IPython's magics do not count. Code that is not this Python's, or too long to be
    parsed, is looked through line by line.
    """
    try:
        tree = _tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(_DEFINITION.findall(source))
    return {node.name for node in tree.body if isinstance(node, kinds)}


def assigned_names(source: str) -> set[str]:
    """The names that a cell gives a value at its top: also functions, classes and imports."""
    try:
        tree = _tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(_DEFINITION.findall(source))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                found.add(part.id)
            elif isinstance(part, ast.alias):
                found.add((part.asname or part.name).partition(".")[0])
    return found


def magic_elsewhere(source: str) -> str | None:
    """The cell magic that lets nothing of a cell be defined in the notebook, or None."""
    found = _ELSEWHERE.match(source)
    return found and f"%%{found[1]}"


def _tree(source: str) -> ast.Module:
    if len(source) > MOST_PARSED:
        raise ValueError("too long")
    return ast.parse(_MAGIC.sub(r"\1pass", source))


def _syntax_error(source: str) -> SyntaxError | None:
    """What is wrong with a cell's syntax; None for those with a cell magic or very long ones."""
    if source.lstrip().startswith("%%"):
        return None
    try:
        _tree(source)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):
        return None
    return None
