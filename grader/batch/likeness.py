"""Answers that are alike although names, comments and layout differ: a hint for a person.

Nothing here takes a point away. Small tasks have few right answers, so what counts is rare among
the class, and long enough to be no accident.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import keyword
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from grader.cells import Cell
from grader.records import Record

LONGEST = 20_000  # characters of an answer that are looked at
FEWEST_TOKENS = 40  # of an answer; shorter ones are alike by accident
RARE, MOST_SHARING = 0.05, 10  # of the class may share a form: two at least, ten at most
MOST_ALIKE = 0.5  # of both students' answers, by length
KEPT = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins)}
ON_THEIR_OWN = {tokenize.STRING, tokenize.NEWLINE}
IGNORED = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}

Forms = dict[str, tuple[str, int]]
"""By grade id the form of an answer, a digest, and how many tokens it has."""


def form_of(source: str) -> tuple[str, int]:
    """What stays of code without comments, texts on their own, and the names that it defines.

    Returns
    -------
    (str, int)
        A digest, and the number of tokens; ("", 0) of what is no Python, or too long.
    """
    if len(source) > LONGEST:
        return "", 0
    found: list[str] = []
    names: dict[str, str] = {}
    begins, after_point = True, False  # a statement; a name that follows is an attribute
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            # A text on its own goes with the end of its line, which then ends nothing.
            if token.type in IGNORED or (begins and token.type in ON_THEIR_OWN):
                continue
            if token.type == tokenize.ERRORTOKEN:
                return "", 0
            text = token.string
            if token.type == tokenize.NAME and text not in KEPT and not after_point:
                text = names.setdefault(text, f"name {len(names)}")
            elif token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE):
                text = tokenize.tok_name[token.type]
            begins = token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE)
            after_point = text == "."
            found.append(text)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return "", 0
    return hashlib.sha256("\0".join(found).encode("utf-8", "replace")).hexdigest()[:16], len(found)


def forms_of(cells: Iterable[Cell]) -> Forms:
    """The forms of a student's answers in code."""
    return {
        cell.grade_id: form_of(cell.source)
        for cell in cells
        if cell.kind == "solution" and cell.cell_type == "code" and cell.grade_id and cell.answered
    }


class Alike(NamedTuple):
    """Two students whose answers have the same form, and the tasks in which they have."""

    one: str
    other: str
    tasks: list[str]


def identical(records: Sequence[Record]) -> list[list[str]]:
    """Groups of students whose answers, and all else that runs, are the same to the letter."""
    groups = defaultdict(list)
    for record in records:
        if record["answers"]:
            groups[record["key"]].append(record["student"])
    return [group for group in groups.values() if len(group) > 1]


def alike(records: Sequence[Record]) -> list[Alike]:
    """Pairs whose answers are alike in half of what both have written, without identical ones."""
    sharing: Mapping[tuple[str, str], list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        for task, (form, tokens) in record["answers"].items():
            if tokens >= FEWEST_TOKENS:
                sharing[task, form].append(place)
    most = max(2, min(MOST_SHARING, int(RARE * len(records))))
    tasks: Mapping[tuple[int, int], list[str]] = defaultdict(list)
    for (task, _), places in sharing.items():
        if len(places) <= most:
            for number, one in enumerate(places):
                for other in places[number + 1 :]:
                    tasks[one, other].append(task)
    pairs = []
    for (one, other), shared in sorted(tasks.items()):
        first, second = records[one], records[other]
        if first["key"] != second["key"] and all(
            _length(record["answers"], shared) >= MOST_ALIKE * _length(record["answers"])
            for record in (first, second)
        ):
            pairs.append(Alike(first["student"], second["student"], shared))
    return pairs


def _length(answers: Mapping[str, Sequence[object]], tasks: Iterable[str] | None = None) -> int:
    return sum(int(str(answers[task][1])) for task in (answers if tasks is None else tasks))
