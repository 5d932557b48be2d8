"""The visible and the hidden part of a test cell."""

from __future__ import annotations

import ast

from grader.cells import is_hidden


def split(code: str) -> tuple[str, str] | None:
    """The visible and the hidden part of a test, each with its lines where they were.

    Returns
    -------
    (str, str) or None
        None if nothing is hidden. If the two cannot be run one after the other, the visible part is
        empty, and all of it is the hidden one.
    """
    lines = code.splitlines()
    hidden = [is_hidden(code, number) for number in range(1, len(lines) + 1)]
    if not any(hidden):
        return None
    first = hidden.index(True)
    visible, rest = "\n".join(lines[:first]), "\n" * first + "\n".join(lines[first:])
    is_last = all(
        is_in or not line.strip() or line.lstrip().startswith("#")
        for line, is_in in zip(lines[first:], hidden[first:], strict=True)
    )
    try:
        ast.parse(visible)
        ast.parse(rest)
    except SyntaxError:  # a region inside of a block, or a magic command
        is_last = False
    return (visible, rest) if is_last else ("", code)
