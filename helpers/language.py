"""The language of what a reader sees, and the catalogues that hold it.

The course is written in English. `translations/ko/` holds gettext catalogues with the Korean of its
texts; `course translate` keeps them up to date. What has no translation stays English.

Only the standard library is used here: this runs before anything is installed.

gettext's files are described in its manual, "The Format of PO Files".
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from helpers.command.files import ROOT
from helpers.command.variables import LANGUAGE

ENGLISH = "en"
# The catalogues of what programs say, and of what stands in test cells.
MESSAGES, TESTS = "messages", "tests"

_chosen: ContextVar[str | None] = ContextVar("_chosen", default=None)

__all__ = [
    "current",
    "gettext",
    "gettext_noop",
    "languages",
    "put_in",
    "speaking",
    "spoken",
    "translated",
]


def languages(root: Path = ROOT) -> list[str]:
    """The codes of the languages that there are, English first."""
    folders = (root / "translations").glob("[a-z]*/")
    return [ENGLISH, *sorted(path.name for path in folders if path.is_dir())]


def current(folder: Path | None = None) -> str:
    """The code of the language in which to answer: that of the notebook that is running.

    A notebook of the Korean edition runs in a folder below `ko/`; one of the English edition, in
    `notebooks/` or `assignments/`. Elsewhere the variable COURSE_LANGUAGE decides, and without it
    the answer is English.

    Parameters
    ----------
    folder : pathlib.Path, optional
        By default the working folder.
    """
    try:
        inside = (folder or Path.cwd()).resolve().relative_to(ROOT)
    except (OSError, ValueError):  # deleted, or elsewhere
        inside = Path()
    first = inside.parts[0] if inside.parts else ""
    if first in ("notebooks", "assignments"):
        return ENGLISH
    known = languages()
    for code in (first, os.environ.get(LANGUAGE, "")):
        if code in known:
            return code
    return ENGLISH


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """In the block, answer in this language, whatever folder is the working one."""
    token = _chosen.set(language)
    try:
        yield
    finally:
        _chosen.reset(token)


def spoken() -> str:
    """The code of the language of messages: as `speaking` says, or the `current` one."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    try:
        folder = os.getcwd()
    except OSError:  # deleted
        return current()
    return _current_in(folder, os.environ.get(LANGUAGE, ""))


@cache
def _current_in(folder: str, wish: str) -> str:
    """`current`, asked once for a folder and a value of the variable: a test asks thousands."""
    return current(Path(folder))


@cache
def catalogue(language: str, name: str, root: Path = ROOT) -> dict[tuple[str, str], str]:
    """The translations in one catalogue, in its order: {(context, English): the translation}.

    What is not translated yet, or only fuzzily, stands there in English.
    """
    path = root / "translations" / language / f"{name}.po"
    if language == ENGLISH or not path.exists():
        return {}
    return dict(_entries(path.read_text(encoding="utf-8")))


def _entries(text: str) -> Iterator[tuple[tuple[str, str], str]]:
    """The entries of a .po file, as in `catalogue`; without plural forms, which the course has not.

    Read here, as the set-up speaks before a package is there that could read them.
    """
    for paragraph in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        field, fuzzy = "", False
        for line in paragraph.splitlines():
            if line.startswith("#"):
                fuzzy |= line.startswith("#,") and "fuzzy" in line
                continue
            keyword, literal = line.split('"', 1)
            field = keyword.strip() or field
            fields[field] = fields.get(field, "") + json.loads(f'"{literal.rstrip()}')
        english = fields.get("msgid")
        if english:  # the first entry, of "", is about the file
            translation = "" if fuzzy else fields["msgstr"]
            yield (fields.get("msgctxt", ""), english), translation or english


def translated(text: str, name: str, context: str = "", language: str | None = None) -> str:
    """A text in the reader's language; in English where there is no translation.

    Parameters
    ----------
    text : str
        In English, as the catalogue has it.
    name : str
        The catalogue's, such as "glossary".
    context : str
        Of the text in its catalogue.
    language : str, optional
        By default the `spoken` one.
    """
    return catalogue(language or spoken(), name).get((context, text), text)


def gettext(text: str) -> str:
    """A sentence of the course's programs in the reader's language.

    It stands in the code as a literal, ``gettext("…")``, which `course translate` finds; values
    come in afterwards: ``gettext("{n} tests fail").format(n=n)``.
    """
    return translated(text, MESSAGES)


def gettext_noop(text: str) -> str:
    """A sentence of a table, as it is: `course translate` finds it by this.

    Whoever shows it takes ``translated(sentence, MESSAGES)``.
    """
    return text


def put_in(source: str, translations: Iterable[tuple[str, str]]) -> str:
    """A source with its blocks translated.

    Parameters
    ----------
    source : str
    translations : iterable of (str, str)
        Each block, and what takes its place, in the order in which they stand in the source.

    Raises
    ------
    ValueError
        If a block is not there.
    """
    done, rest = [], source
    for text, translation in translations:
        before, found, rest = rest.partition(text)
        if not found:
            raise ValueError(f"{text!r} is not in the text that it should be translated in")
        done += [before, translation]
    return "".join([*done, rest])
