"""Texts that come from students, made so that they can be written and shown.

Whoever prints such a text or writes it into a file calls the function for that place, here.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

# Joins letters of Persian and Hindi, and the parts of an emoji: names need them.
JOINERS = "\u200c\u200d"
# With these a spreadsheet takes a text for a formula (the wide ones in Japanese settings), at the
# beginning of a cell; other settings than ours begin a cell after a semicolon or a tab, too.
FORMULA = re.compile(r"(^|[;,|\t\"])(\s*)(?=[=+\-@＝＋－＠])")
FORMULA_AS_TEXT = re.compile(r"(^|[;,|\t\"])(\s*)'(?=[=+\-@＝＋－＠])")

COMMANDS = re.compile(r"\\(href|require|cssId|class|style|bbox|mmlToken)(?![a-zA-Z])")


def writable(text: str) -> str:
    """Text without lone surrogates, which no file, database or terminal takes: each becomes "?".

    JSON and names of files can hold them.
    """
    return text.encode("utf-8", "replace").decode()


def for_terminal(text: object) -> str:
    """Text on one line, in which no character moves, colours or hides another one.

    Line ends become spaces; control characters, and those that change the direction of writing,
    are shown by their number: ``\\x1b``.
    """
    line = " ".join(writable(str(text)).split())
    return "".join(character if _is_plain(character) else _number(character) for character in line)


def _is_plain(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind not in ("Cc", "Cf", "Zl", "Zp") or character in JOINERS


def _number(character: str) -> str:
    return character.encode("unicode_escape").decode()


def shortened(
    lines: Sequence[str], limit: int, shown: Callable[[str], str] = for_terminal
) -> list[str]:
    """The first lines, made for a place, and how many more there are."""
    rest = [f"and {len(lines) - limit} more"] if len(lines) > limit else []
    return [*map(shown, lines[:limit]), *rest]


def for_table(value: Any) -> Any:
    """A cell of a table that no spreadsheet takes for a formula; numbers as they are.

    An apostrophe before a sign that begins a formula makes it text, in every spreadsheet.
    """
    return FORMULA.sub(r"\1\2'", for_terminal(value)) if isinstance(value, str) else value


def from_table(text: str) -> str:
    """A cell of a table as it was before `for_table`."""
    return FORMULA_AS_TEXT.sub(r"\1\2", text)


def for_markdown(text: object) -> str:
    """Text that Markdown shows as it is, on one line."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", for_terminal(text))


def for_mathjax(text: str) -> str:
    """Text without the commands by which MathJax makes links and styles, or loads more of them.

    MathJax reads all that a page shows, after the browser has put it together.
    """
    return COMMANDS.sub(r"\\text", text)


def for_html(text: str) -> str:
    """Text that a page shows as it is."""
    return html.escape(writable(text))
