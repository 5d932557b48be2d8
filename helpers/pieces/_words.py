"""The words of pieces, in the reader's language.

A piece is made in one language, which its Python and its script share. Both mark their texts:
Python as ``tr("row {0}, column {1}", row, column)``, a script as a template with the tag `tr`,
whose text reads the same. A shrunk script keeps the marks. They are taken off when it goes into a
piece, and the texts of the reader's language take the place of the English ones: so an English
piece carries nothing for the others.

`course translate` collects the texts in the catalogue "pieces".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from helpers.language import translated

CATALOGUE = "pieces"

_MARK = re.compile(r"(?<![\w$.])tr`")
_PLACE = re.compile(r"\{(\d+)\}")


def tr(text: str, *values: object) -> str:
    """A text in the reader's language, with values in the places {0}, {1} and so on."""
    return translated(text, CATALOGUE).format(*values)


def marked(text: str) -> str:
    """The text as it is: it is a name in Python, and `tr` shows it in the reader's language."""
    return text


def texts_of(script: str) -> list[str]:
    """The texts that are marked in a script, in their order."""
    found: list[str] = []

    def keep(text: str) -> str:
        found.append(text)
        return text

    put_into(script, keep)
    return found


def put_into(script: str, translate: Callable[[str], str]) -> str:
    """A script without its marks, its texts as `translate` gives them.

    Parameters
    ----------
    script : str
        JavaScript, as it is written or shrunk.
    translate : callable
        From a text to another with the same places. White space in the script's text counts as
        one space, so that a text may go over several lines.
    """
    done, rest = [], 0
    while mark := _MARK.search(script, rest):
        parts, values, end = _template(script, mark.end())
        text = "".join(
            part + (f"{{{n}}}" if n < len(values) else "") for n, part in enumerate(parts)
        )
        said = _PLACE.split(translate(re.sub(r"\s+", " ", text)))
        inside = "".join(
            "${" + put_into(values[int(part)], translate) + "}"
            if n % 2
            else re.sub(r"[\\`]|\$(?=\{)", r"\\\g<0>", part)
            for n, part in enumerate(said)
        )
        done += [script[rest : mark.start()], f"`{inside}`"]
        rest = end
    return "".join([*done, script[rest:]])


def _template(script: str, at: int) -> tuple[list[str], list[str], int]:
    """The texts and the values of a template, and the place behind it; `at` is its first sign."""
    parts, values = [""], []
    while script[at] != "`":
        if script.startswith("${", at):
            end = _value(script, at + 2)
            values.append(script[at + 2 : end])
            parts.append("")
            at = end + 1
        else:
            parts[-1] += script[at]
            at += 1
    return parts, values, at + 1


def _value(script: str, at: int) -> int:
    """The place of the brace that ends a value, which begins at `at`."""
    open_ones = 0
    while script[at] != "}" or open_ones:
        sign = script[at]
        if sign == "`":
            at = _template(script, at + 1)[2]
            continue
        if sign in "\"'":
            at = script.index(sign, at + 1)
        open_ones += (sign == "{") - (sign == "}")
        at += 1
    return at
