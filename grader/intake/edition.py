"""An assignment in another language, as its students got it: see `helpers.command.editions`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat

from grader.cells import metadata_of
from grader.words import words_digest
from helpers.assignment.sheet import SHEET_NAME
from helpers.command.editions import (
    by_cell,
    catalogue_of,
    first_that_fits,
    names_of,
    notebook_bytes,
    translate_sheet,
)
from helpers.language import ENGLISH, languages, put_in


class Edition:
    """An assignment in a language; nothing of it is made before it is asked for.

    Parameters
    ----------
    language : str
    assignment : str
    root : path
        The course's folder.
    """

    def __init__(self, language: str, assignment: str, root: Path) -> None:
        self.language, self.root = language, root
        self.path = root / "assignments" / assignment / f"{assignment}.ipynb"

    @cached_property
    def _made(self) -> dict[str, Any]:
        name = self.path.relative_to(self.root).as_posix()
        versions: list[bytes | None] = [self.path.read_bytes()]
        return first_that_fits(versions, name, names_of(self.root), self.language, self.root)

    @cached_property
    def released(self) -> Any:
        """The student version, in nbformat 4."""
        return nbformat.reads(notebook_bytes(self._made).decode(), as_version=4)

    @cached_property
    def texts(self) -> set[str]:
        """What its cells hold."""
        return {cell.source.strip() for cell in self.released.cells}

    @cached_property
    def sheet(self) -> str:
        """The text of its ``checks.json``."""
        path = self.path.with_name(SHEET_NAME)
        return translate_sheet(path, self._made, self.language).decode()

    @cached_property
    def in_english(self) -> dict[str, str]:
        """The sentences of the known mistakes, as instructors read them, by what students read."""
        english = json.loads(self.path.with_name(SHEET_NAME).read_text(encoding="utf-8"))
        told = json.loads(self.sheet)["sentences"]
        return dict(zip(told, english["sentences"], strict=True))

    @cached_property
    def _blocks(self) -> dict[str, list[tuple[str, str]]]:
        """The words of its cells with their translations, by grade id."""
        name = self.path.relative_to(self.root).as_posix()
        blocks = by_cell(self.language, catalogue_of(name), self.root)
        cells = {meta["grade_id"]: c.id for c in self.released.cells if (meta := metadata_of(c))}
        return {grade_id: blocks.get(cell_id, []) for grade_id, cell_id in cells.items()}

    def translate(self, grade_id: str, source: str) -> str:
        """What an instructor's cell holds in English, in the language as far as it can be."""
        try:
            return put_in(source, self._blocks.get(grade_id, ()))
        except ValueError:  # another version of the cell
            return source

    def digest(self, *catalogues: str) -> str:
        """A digest of the assignment's catalogue and of these."""
        name = catalogue_of(self.path.relative_to(self.root).as_posix())
        return words_digest(self.language, (name, *catalogues), self.root)

    def files(self, files: Mapping[str, str]) -> dict[str, str]:
        """The course's texts that lie beside the notebook: see `grader.intake.beside`."""
        return {**files, SHEET_NAME: self.sheet} if SHEET_NAME in files else dict(files)


def editions_of(assignment: str, root: Path) -> dict[str, Edition]:
    """The languages in which an assignment is given out, without English."""
    return {
        language: Edition(language, assignment, root)
        for language in languages(root)
        if language != ENGLISH
    }
