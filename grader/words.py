"""What the grader says to students, in the language of their notebooks.

The English stands in the code, in `said`, `Note`, `Sentences` and `NotJudged`, and in the form of
the page; `course translate` finds it there, and keeps it in the catalogue "feedback".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from helpers.language import ENGLISH, MESSAGES, TESTS, translated

CATALOGUE = "feedback"
# What may be said while a submission is judged: by the course's helpers, in tests, by the grader.
SAID_IN_TESTS = (MESSAGES, TESTS, CATALOGUE)

__all__ = ["CATALOGUE", "SAID_IN_TESTS", "Note", "language_of", "said", "words_digest"]


def said(text: str, language: str | None = None) -> str:
    """A sentence in a language; by default in that in which this process speaks.

    Values come in afterwards: ``said("{points} points").format(points=3)``.
    """
    return translated(text, CATALOGUE, language=language)


class Note(str):
    """What was unusual about a submission: a sentence in English, for whoever grades.

    ``Note("{cell}: the cell was missing", cell=grade_id)`` knows how it was made, so that a student
    can be told the same in another language.
    """

    text: str
    values: dict[str, Any]

    def __new__(cls, text: str, /, **values: Any) -> Note:
        made = super().__new__(cls, text.format(**values))
        made.text, made.values = text, values
        return made

    def __reduce__(self) -> tuple[Any, ...]:  # it comes from the process that reads notebooks
        return _made, (self.text, self.values)

    def in_language(self, language: str) -> str:
        """The sentence for a student."""
        return said(self.text, language).format(**self.values)


def _made(text: str, values: dict[str, Any]) -> Note:
    return Note(text, **values)


def words_digest(language: str, names: Iterable[str], root: Path) -> str:
    """A digest of some catalogues of a language."""
    digest = hashlib.sha256()
    for name in names:
        path = root / "translations" / language / f"{name}.po"
        digest.update(name.encode() + b"\0" + (path.read_bytes() if path.exists() else b""))
    return digest.hexdigest()


def language_of(notebook: Mapping[str, Any]) -> str:
    """The language that a graded notebook names, which the grader has written there."""
    return notebook["metadata"].get("course", {}).get("language", ENGLISH)
