"""From the bytes of one submission to its cells: a pure function, which any process can call."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from grader.judging.policy import Limits
from grader.words import Note
from helpers.assignment.notebook_file import CONFLICT, read
from helpers.language import ENGLISH, speaking

DEFAULT = Limits()
THIS_PYTHON = sys.version_info[:2]
# Python's parser takes up to 600 times a text's length of memory, and 3 seconds for a million
# characters: notebooks with more code are not looked through for a newer Python's.
MOST_PARSED = 200_000
_MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)
_DEFINITION = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
_CONFLICT_LINE = re.compile(rf"^{CONFLICT}", re.MULTILINE)
# Cell magics after which the cell's lines define nothing in the notebook.
_ELSEWHERE = re.compile(
    r"\s*%%(writefile|file|timeit|script|bash|sh|python3?|html|js|javascript|latex|markdown|svg)\b"
)


def parse(data: bytes, limits: Limits = DEFAULT) -> tuple[dict[str, Any], list[str]]:
    """The cells of a notebook's file.

    Parameters
    ----------
    data : bytes
    limits : Limits

    Returns
    -------
    (dict, list of str)
        The notebook's JSON in nbformat 4, without outputs, and of the metadata only what the grader
        uses; and notes for whoever marks it. Time and memory are bounded by the limits: see
        `helpers.assignment.notebook_file.read`.

    Raises
    ------
    Unreadable
    """
    with speaking(ENGLISH):  # to whoever grades
        notebook, notes = read(data, limits)
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if any(_CONFLICT_LINE.search(source) for source in code):
        notes.append(Note("git's conflict markers stand in its code"))
    newer = python_note(notebook)
    return notebook, [*notes, newer] if newer else notes


def ids_of(notebook: Mapping[str, Any]) -> list[str]:
    """The grade ids of a notebook's cells, in order."""
    metas = (cell["metadata"].get("nbgrader") for cell in notebook["cells"])
    return [
        meta["grade_id"]
        for meta in metas
        if isinstance(meta, dict) and isinstance(meta.get("grade_id"), str)
    ]


def python_note(notebook: Mapping[str, Any], python: tuple[int, int] = THIS_PYTHON) -> str | None:
    """A sentence if code that cannot be read here comes from a newer Python, else None.

    Parameters
    ----------
    notebook : mapping
        As JSON.
    python : (int, int)
        The one that grades.
    """
    version = notebook["metadata"].get("language_info", {}).get("version", "")
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if len(numbers) < 2 or numbers <= python or sum(map(len, code)) > MOST_PARSED:
        return None
    for source in code:
        wrong = _syntax_error(source)
        if wrong is not None:
            theirs, ours = (f"{major}.{minor}" for major, minor in (numbers, python))
            line = source.split("\n")[max((wrong.lineno or 1) - 1, 0)].strip()[:60]
            return Note(
                "`{line}` is not Python {ours}, which grades. The notebook ran with Python "
                "{theirs}: newer syntax may be the reason",
                line=line,
                ours=ours,
                theirs=theirs,
            )
    return None


def defined_names(source: str) -> set[str]:
    """The functions and classes that a cell defines at its top, by how its lines begin.

    It costs little whatever the code is, and reads that of any Python, with magics and mistakes.
    """
    return set(_DEFINITION.findall(source))


def given_names(source: str, wanted: Iterable[str]) -> set[str]:
    """Those of some names that a cell defines, imports or gives a value, by how its lines begin."""
    return {
        name
        for name in wanted
        if re.search(
            rf"^(?:(?:async[ \t]+)?def|class)[ \t]+{name}\b|^{name}[ \t]*(?:=(?!=)|[,:])"
            rf"|^(?:from|import)\b.*\b{name}\b",
            source,
            re.MULTILINE,
        )
    }


def magic_elsewhere(source: str) -> str | None:
    """The cell magic that lets nothing of a cell be defined in the notebook, or None."""
    found = _ELSEWHERE.match(source)
    return found and f"%%{found[1]}"


def _syntax_error(source: str) -> SyntaxError | None:
    """What is wrong with a cell's syntax; None for those with a cell magic."""
    if source.lstrip().startswith("%%"):
        return None
    try:
        ast.parse(_MAGIC.sub(r"\1pass", source))
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):
        return None
    return None
