"""Put a student's answers into the instructor's notebook: what runs is never the file handed in.

Of a submission only the sources of solution cells and of the student's own cells are taken. Test
cells, locked cells, points, tags and all other metadata come from the instructor's source. What was
written into a locked cell is put below it, as a cell of the student's own.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

import nbformat

from grader.authoring.source import assignments, notebook_path
from grader.cells import Cell, kind_of, metadata_of, points_of
from grader.intake.beside import patterns_of
from grader.intake.edition import Edition, editions_of
from grader.intake.parse import defined_names, given_names, ids_of, magic_elsewhere
from grader.intake.recognise import ANSWERS, Frame
from grader.text import shortened
from grader.words import Note
from helpers.assignment.notebook_file import Unreadable
from helpers.language import ENGLISH

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
OF_ANOTHER = (
    "a notebook of another assignment, or of an older release: no task and no test of this one is "
    "in it"
)
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*+")

NOTHING_ANSWERED = Note("nothing is answered in it: is it the right file?")


class Skeleton:
    """An assignment's source, and its student version, as the frame for answers.

    Parameters
    ----------
    source, released : notebook
        In nbformat 4: with solutions and hidden tests, and as students got it.
    others : dict of str to (set of str)
        The grade ids of the course's other assignments, by their names.
    editions : dict of str to Edition
        The student version in other languages, by their codes. Source, tests and points are those
        of the one source.

    Attributes
    ----------
    known : dict of str to cell
        The source's cells by grade id.
    stubs : dict of str to str
        What stands in these cells in the student version.
    max_score, auto_max : float
        The points of all graded cells, and of the tests.
    test_ids : list of str
    files : list of str
        Names of files that students may hand in besides; see `grader.intake.beside`.
    """

    def __init__(
        self,
        source: Any,
        released: Any,
        others: Mapping[str, set[str]] | None = None,
        editions: Mapping[str, Edition] | None = None,
    ) -> None:
        self.source, self.released = source, released
        self.others, self.editions = dict(others or {}), dict(editions or {})
        self.known = _by_grade_id(source)
        self.frame = Frame(self.known, released)
        self.stubs = {grade_id: texts[0] for grade_id, texts in self.frame.given.items()}
        self.released_metadata = {
            grade_id: dict(cell.metadata) for grade_id, cell in _by_grade_id(released).items()
        }
        kinds = {grade_id: kind_of(cell) for grade_id, cell in self.known.items()}
        graded = [key for key, kind in kinds.items() if kind in ("test", "manual", "task")]
        self.max_score = sum(points_of(self.known[key]) for key in graded)
        self.test_ids = [key for key, kind in kinds.items() if kind == "test"]
        self.auto_max = sum(points_of(self.known[key]) for key in self.test_ids)
        self.files = patterns_of(source)

    def language_of(self, submitted: Any) -> str:
        """The language of a submission's words: a known one, or English.

        Its metadata says it. Where that is lost, it is the one that more of its cells are in.

        Parameters
        ----------
        submitted : notebook
            In nbformat 4.
        """
        course = submitted.metadata.get("course")
        named = course.get("language") if isinstance(course, Mapping) else None
        if isinstance(named, str) and (named == ENGLISH or named in self.editions):
            return named
        if not self._may_be_translated(submitted):
            return ENGLISH
        found = {cell.source.strip() for cell in submitted.cells}
        counts = {ENGLISH: len(found & self.frame.all_texts)}
        for language, edition in self.editions.items():
            counts[language] = len(found & edition.texts)
        return max(counts, key=counts.__getitem__)  # the first of several

    def _may_be_translated(self, submitted: Any) -> bool:
        """Whether a translation must be looked at: what is only in ASCII is in none.

        To make one costs something, and a class that has only English notebooks needs none.
        """
        return bool(self.editions) and any(
            not cell.source.isascii() and not self.frame.has(cell.source)
            for cell in submitted.cells
        )

    def is_untouched(self, notebook: Any) -> bool:
        """Whether nothing is answered in a notebook, as `parse` reads it."""
        try:
            cells, _ = self.rebuild(nbformat.from_dict(notebook))
        except Unreadable:
            return False
        return not any(cell.answered for cell in cells if cell.kind in ANSWERS)

    def files_in(self, language: str, files: Mapping[str, str]) -> Mapping[str, str]:
        """The course's texts that lie beside the notebook, in a language."""
        edition = self.editions.get(language)
        return edition.files(files) if edition else files

    def in_english(self, sentence: str, language: str) -> str:
        """The sentence of a known mistake, for instructors."""
        edition = self.editions.get(language)
        return edition.in_english.get(sentence, sentence) if edition else sentence

    @cached_property
    def _every_language(self) -> Frame:
        editions = (edition.released for edition in self.editions.values())
        return Frame(self.known, self.released, *editions)

    def rebuild(self, submitted: Any) -> tuple[list[Cell], list[str]]:
        """The cells to run for a submission, and notes on what was unusual about it.

        Parameters
        ----------
        submitted : notebook
            In nbformat 4.

        Returns
        -------
        (list of Cell, list of str)

        Raises
        ------
        Unreadable
            If it is a notebook of another assignment.
        """
        other = self._more_like(set(ids_of(submitted)))
        if other:
            # Functions of one name are asked for in several assignments, with other rules.
            raise Unreadable(f"a notebook of {other}: most of its cells are of that assignment")
        notes: list[str] = []
        frame = self._every_language if self._may_be_translated(submitted) else self.frame
        owners = frame.owners(submitted.cells, notes)
        answers: dict[str, Any] = {}
        extras: dict[str | None, list[Cell]] = {}
        anchor = None
        for cell, owner in zip(submitted.cells, owners, strict=True):
            if owner is None and cell.source.strip() in frame.not_in_grading:
                continue
            notes += self._unseen(cell, owner)
            if owner is None:
                extras.setdefault(anchor, []).append(_extra(cell))
                continue
            anchor = owner
            known = self.known[owner]
            kind = kind_of(known)
            if kind in ANSWERS:
                # A copy in which nothing was done comes after the one that counts, or before.
                if owner not in answers or frame.is_worked_on(cell, owner):
                    answers[owner] = cell
            elif frame.is_worked_on(cell, owner):
                notes.append(_edited(owner, kind))
                if kind != "test":
                    extras.setdefault(owner, []).append(_extra(cell))
        cells = list(extras.get(None, []))
        own = [cell for found in extras.values() for cell in found if cell.cell_type == "code"]
        code = "\n".join(cell.source for cell in (*own, *answers.values()))
        for grade_id, known in self.known.items():
            if kind_of(known) in ANSWERS:
                cells.append(self._answer(grade_id, answers.get(grade_id), code, frame, notes))
            else:
                cells.append(self._own(grade_id))
                if grade_id not in owners:
                    notes.append(
                        Note("{cell}: the cell was missing; it was put back", cell=grade_id)
                    )
            cells += extras.get(grade_id, [])
        for number, made in enumerate(cells):
            made.cell_id = made.grade_id if made.grade_id else f"extra-{number}"
        given = [made.answered for made in cells if made.kind in ANSWERS]
        if given and not any(given):
            if self._is_of_another(submitted, owners):
                raise Unreadable(OF_ANOTHER)
            notes.append(NOTHING_ANSWERED)
        return cells, notes

    def _unseen(self, cell: Any, owner: str | None) -> list[str]:
        """A note on the pictures that were pasted into a cell and that no page can show."""
        attached = cell.get("attachments")
        if not isinstance(attached, dict):
            return []
        is_text = owner is None or self.known[owner].cell_type == "markdown"
        shown = _pictures(cell) if is_text else None
        seen = {*(shown or ()), *self.frame.pasted.get(owner or "", ())}
        left = [str(name) for name in attached if name not in seen]
        if not left:
            return []
        listed = ", ".join(shortened(left, 3))
        place = f"{owner}: " if owner else ""
        return [
            Note(
                "{place}no page can show {listed}: look into the file that was handed in",
                place=place,
                listed=listed,
            )
        ]

    def _more_like(self, ids: set[str]) -> str | None:
        """The assignment of which a notebook has more cells than of this one, if there is one."""
        counts = {name: len(ids & known) for name, known in self.others.items()}
        best = max(counts, key=counts.__getitem__, default=None)
        return best if best and counts[best] > len(ids & set(self.known)) else None

    def _is_of_another(self, submitted: Any, owners: list[str | None]) -> bool:
        """Whether a notebook has an assignment's cells, and no task or test of this one."""
        ids = {meta.get("grade_id") for cell in submitted.cells if (meta := metadata_of(cell))}
        kinds = {kind_of(self.known[owner]) for owner in owners if owner}
        return bool(ids - {None, *self.known}) and kinds <= {"setup", "text"}

    def _own(self, grade_id: str) -> Cell:
        """A cell that is the instructor's."""
        known = self.known[grade_id]
        return Cell(
            kind_of(known),
            known.cell_type,
            known.source,
            grade_id,
            points_of(known),
            answered=False,
        )

    def _answer(
        self, grade_id: str, answer: Any, code: str, frame: Frame, notes: list[str]
    ) -> Cell:
        """A cell with the student's answer, or the stub; ``code`` is all code of the student's."""
        known = self.known[grade_id]
        made = self._own(grade_id)
        made.source = self.stubs.get(grade_id, "")
        if made.kind == "solution":
            made.functions = tuple(sorted(_functions(known.source)))
        if answer is None:
            names = given_names(code, _assigned(known.source))
            if names:
                # The stub would take the place of what the student wrote in another cell.
                made.source, made.answered = "", True
                listed = ", ".join(sorted(names))
                notes.append(
                    Note(
                        "{cell}: the cell for the answer is missing; {listed} stands in another "
                        "cell, and counts",
                        cell=grade_id,
                        listed=listed,
                    )
                )
            else:
                notes.append(Note("{cell}: the cell for the answer is missing", cell=grade_id))
            return made
        made.answered = frame.is_worked_on(answer, grade_id)
        if made.answered:  # else it is as it was given out, in whatever language
            made.source = answer.source
        if known.cell_type == "markdown":
            made.attachments = _pictures(answer)
        if answer.cell_type != known.cell_type:
            notes.append(
                Note(
                    "{cell}: the answer was in a {other} cell; it was put back into a {type} cell",
                    cell=grade_id,
                    other=answer.cell_type,
                    type=known.cell_type,
                )
            )
        magic = magic_elsewhere(made.source) if made.kind == "solution" else None
        if magic:
            notes.append(
                Note(
                    "{cell}: the answer begins with {magic}, so nothing of it is defined in the "
                    "notebook",
                    cell=grade_id,
                    magic=magic,
                )
            )
        return made


def load_skeleton(assignment: str, root: str | Path = ROOT) -> Skeleton:
    """The `Skeleton` of an assignment, from solutions/ and assignments/."""
    file = Path(assignment) / f"{assignment}.ipynb"
    source = nbformat.read(Path(root) / "solutions" / file, as_version=4)
    released = nbformat.read(Path(root) / "assignments" / file, as_version=4)
    solutions = Path(root) / "solutions"
    names = [name for name in assignments(solutions) if name != assignment]
    others = {name: _ids_in(notebook_path(name, solutions)) for name in names}
    return Skeleton(source, released, others, editions_of(assignment, Path(root)))


def _ids_in(path: Path) -> set[str]:
    """The grade ids of a source; none if it is damaged, which is not this assignment's matter."""
    try:
        return set(ids_of(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _by_grade_id(notebook: Any) -> dict[str, Any]:
    return {meta["grade_id"]: c for c in notebook.cells if (meta := metadata_of(c))}


def _extra(cell: Any) -> Cell:
    """A cell of the student's own."""
    return Cell("extra", cell.cell_type, cell.source, attachments=_pictures(cell))


def _edited(grade_id: str, kind: str) -> Note:
    """What to say of a locked cell that is not what was given out."""
    if kind == "test":
        return Note("{cell}: the test cell was edited; the original one ran", cell=grade_id)
    return Note(
        "{cell}: the cell was edited; the original one is there, and the edited one below",
        cell=grade_id,
    )


def _functions(source: str) -> set[str]:
    """The functions that the instructor's code defines at its top."""
    return {node.name for node in _top(source) if isinstance(node, ast.FunctionDef)}


def _assigned(source: str) -> set[str]:
    """The names that the instructor's code gives a value at its top."""
    found = defined_names(source)
    for node in _top(source):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            parts = ast.walk(node)
            found |= {part.id for part in parts if _is_target(part)}
    return found


def _is_target(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _top(source: str) -> list[ast.stmt]:
    """The statements of the instructor's code; none of code with magics."""
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def _pictures(cell: Any) -> dict[str, dict[str, str]] | None:
    """The pictures pasted into a Markdown cell, as far as they have the form of pictures."""
    attached = cell.get("attachments") if cell.cell_type == "markdown" else None
    found = {}
    for name, kinds in attached.items() if isinstance(attached, dict) else ():
        kinds = {
            kind: text
            for kind, text in (kinds.items() if isinstance(kinds, dict) else ())
            if kind in PICTURES and isinstance(text, str) and BASE64.fullmatch(text)
        }
        if kinds:
            found[str(name)] = kinds
    return found or None
