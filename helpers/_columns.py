"""Text in the columns of a terminal, where a letter of Korean, Chinese or Japanese takes two.

The widths are those of Unicode Standard Annex #11, "East Asian Width".
"""

from __future__ import annotations

import textwrap
import unicodedata
from typing import Any

_FILLER = "\ue000"  # for private use: it is in no text, and no line is broken at it


def columns(text: str) -> int:
    """How many columns a text of one line takes."""
    return len(_widened(text))


def padded(text: str, width: int) -> str:
    """A text with spaces behind it, up to so many columns."""
    return text + " " * (width - columns(text))


def fill(text: str, width: int, first: str = "", rest: str = "", **options: Any) -> str:
    """A text in lines of at most so many columns.

    Parameters
    ----------
    text : str
    width : int
    first, rest : str
        What the first line and the others begin with.
    **options
        Of `textwrap.TextWrapper`.
    """
    wrapper = textwrap.TextWrapper(
        width, initial_indent=_widened(first), subsequent_indent=_widened(rest), **options
    )
    return wrapper.fill(_widened(text)).replace(_FILLER, "")


def _widened(text):
    """The text with as many characters as it takes columns."""
    if text.isascii():
        return text
    return "".join(
        letter + _FILLER * (unicodedata.east_asian_width(letter) in "WF") for letter in text
    )
