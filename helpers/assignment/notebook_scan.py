"""Shorten a notebook's JSON to what is used of it, before anything is built of it.

Outputs, the states of widgets and the metadata of other programs can be a hundred times as large as
the notebook itself. They are stepped over as bytes: neither parsed nor counted against the limits
of what is kept. What is kept is counted as it is met, so that a file which would take minutes and
gigabytes to build is refused after its first few thousand parts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from helpers.language import gettext

MEBIBYTE: Final = 2**20


@dataclass(frozen=True)
class Limits:
    """What one notebook may hold.

    Attributes
    ----------
    file_bytes : int
        Bytes of the file, outputs included.
    notebook_bytes : int
        Bytes without the outputs: texts, code, pasted pictures.
    code_bytes : int
        Bytes of all code cells together.
    cells : int
    parts : int
        Brackets, texts, numbers and commas of what is used, and members of all its objects.
    brackets : int
        Brackets in what is stepped over.
    depth : int
        How deep lists and objects may be nested in each other, in what is used.
    """

    file_bytes: int = 128 * MEBIBYTE
    notebook_bytes: int = 48 * MEBIBYTE
    code_bytes: int = 2 * MEBIBYTE
    cells: int = 2000
    parts: int = 500_000
    brackets: int = 2_000_000
    depth: int = 20


class TooLarge(Exception):
    """More than a limit allows; the message says of what."""


class Damaged(Exception):
    """Not JSON from here on; ``is_cut`` if the text simply ends."""

    def __init__(self, line: int, is_cut: bool) -> None:
        super().__init__(f"line {line}")
        self.line, self.is_cut = line, is_cut


class _Whole:
    """A value that is kept as it is."""


WHOLE: Final = _Whole()
Wanted = _Whole | dict[str, "Wanted"] | list["Wanted"]
_CELL: Wanted = {
    **dict.fromkeys(("cell_type", "id", "source", "attachments"), WHOLE),
    **dict.fromkeys(("input", "language", "level"), WHOLE),  # formats 2 and 3
    "metadata": {"nbgrader": WHOLE},
}
# What is used of a notebook. In formats 2 and 3 the cells stand in worksheets.
NOTEBOOK: Wanted = {
    "nbformat": WHOLE,
    "nbformat_minor": WHOLE,
    "metadata": {"language_info": {"version": WHOLE}, "course": {"language": WHOLE}},
    "cells": [_CELL],
    "worksheets": [{"cells": [_CELL]}],
}

# Possessive, so that a text of 50 MiB leaves no trail of places to come back to.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SPACE = re.compile(rb"[ \t\r\n]*+")
_TOKEN = re.compile(_STRING + rb'|[\[\]{},:]|[^\s"\[\]{},:]++', re.DOTALL)
_UNUSED = re.compile(rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+", re.DOTALL)


def shorten(data: bytes, limits: Limits, wanted: Wanted = NOTEBOOK) -> bytes:
    """The JSON of what is wanted of a JSON text, within limits.

    Parameters
    ----------
    data : bytes
        In UTF-8, without a byte order mark.
    limits : Limits
    wanted : dict, list or WHOLE
        A dict names the members that are kept of an object, and what of each; a list of one thing
        says what is kept of each item of an array. Where the text has something else, there is
        ``null``.

    Returns
    -------
    bytes
        JSON, if what was kept is JSON: that is not checked here.

    Raises
    ------
    TooLarge, Damaged
    """
    scan = _Scan(data, limits)
    scan.value(wanted)
    if scan.peek():
        raise scan.damage()
    return b"".join(scan.kept)


class _Scan:
    """A place in the text, and what was kept before it."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data, self.limits = data, limits
        self.place, self.kept = 0, list[bytes]()
        self.size = self.cells = self.parts = self.brackets = 0

    def damage(self) -> Damaged:
        is_cut = self.place >= len(self.data) or self.data[self.place : self.place + 1] == b'"'
        return Damaged(self.data.count(b"\n", 0, self.place) + 1, is_cut)

    def peek(self) -> bytes:
        """The next byte that is no white space."""
        self.place = _SPACE.match(self.data, self.place).end()  # type: ignore[union-attr]
        return self.data[self.place : self.place + 1]

    def token(self) -> bytes:
        """The next bracket, comma, colon, text, number or word."""
        self.peek()
        found = _TOKEN.match(self.data, self.place)
        if found is None:
            raise self.damage()
        self.place = found.end()
        self.parts += 1
        if self.parts > self.limits.parts:
            said = gettext("more than {count:,} parts (texts, numbers and brackets)")
            raise TooLarge(said.format(count=self.limits.parts))
        return found[0]

    def keep(self, piece: bytes) -> None:
        self.kept.append(piece)
        self.size += len(piece)
        if self.size > self.limits.notebook_bytes:
            size = self.limits.notebook_bytes / MEBIBYTE
            said = gettext("larger than {size:g} MiB without its outputs")
            raise TooLarge(said.format(size=size))

    def value(self, wanted: Wanted) -> None:
        """Go over a value, and keep what is wanted of it."""
        if isinstance(wanted, dict) and self.peek() == b"{":
            self.members(wanted)
        elif isinstance(wanted, list) and self.peek() == b"[":
            self.items(wanted[0])
        elif wanted is WHOLE:
            self.whole()
        else:
            self.unused()
            self.keep(b"null")

    def members(self, wanted: dict[str, Wanted]) -> None:
        self.keep(self.token())
        is_first = True
        while self.peek() != b"}":
            key = self.token()
            if not key.startswith(b'"') or self.token() != b":":
                raise self.damage()
            name = _name(key)
            if name in wanted:
                self.keep((b"" if is_first else b",") + key + b":")
                is_first = False
                self.value(wanted[name])
            else:
                self.unused()
            if self.peek() == b",":
                self.token()
            elif self.peek() != b"}":
                raise self.damage()
        self.keep(self.token())

    def items(self, wanted: Wanted) -> None:
        self.keep(self.token())
        is_first = True
        while self.peek() != b"]":
            if wanted is _CELL:
                self.cells += 1
                if self.cells > self.limits.cells:
                    said = gettext("more than {count} cells")
                    raise TooLarge(said.format(count=self.limits.cells))
            if not is_first:
                self.keep(b",")
            is_first = False
            self.value(wanted)
            if self.peek() == b",":
                self.token()
            elif self.peek() != b"]":
                raise self.damage()
        self.keep(self.token())

    def whole(self) -> None:
        """Keep a value as it is."""
        self.peek()
        start, depth = self.place, 0
        while True:
            first = self.token()[:1]
            if first in b"[{":
                depth += 1
                if depth > self.limits.depth:
                    said = gettext("nested more than {count} deep")
                    raise TooLarge(said.format(count=self.limits.depth))
            elif first in b"]}":
                depth -= 1
            if depth <= 0:
                break
        self.keep(self.data[start : self.place])

    def unused(self) -> None:
        """Step over a value."""
        if self.peek() not in (b"[", b"{"):
            self.token()
            return
        depth = 0
        while True:
            bracket = self.data[self.place : self.place + 1]
            if bracket in (b"[", b"{"):
                depth += 1
            elif bracket in (b"]", b"}"):
                depth -= 1
            else:
                raise self.damage()
            self.place += 1
            if not depth:
                return
            self.brackets += 1
            if self.brackets > self.limits.brackets:
                said = gettext("more than {count:,} brackets in its outputs")
                raise TooLarge(said.format(count=self.limits.brackets))
            self.place = _UNUSED.match(self.data, self.place).end()  # type: ignore[union-attr]


def _name(key: bytes) -> str | None:
    """A member's name; None if that is none."""
    try:
        return json.loads(key)
    except ValueError:
        return None
