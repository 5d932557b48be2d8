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
from pathlib import Path
from typing import Any, TypeGuard

import nbformat

from grader.authoring.source import assignments, notebook_path
from grader.cells import Cell, kind_of, metadata_of, points_of
from grader.intake.beside import patterns_of
from grader.intake.parse import defined_names, given_names, ids_of, magic_elsewhere
from grader.intake.recognise import ANSWERS, Frame
from grader.text import shortened
from helpers.assignment.notebook_file import Unreadable

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
NOT_IN_GRADING = "not-in-grading"
OF_ANOTHER = (
    "a notebook of another assignment, or of an older release: no task and no test of this one is "
    "in it"
)
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*+")

NOTHING_ANSWERED = "nothing is answered in it: is it the right file?"


class Skeleton:
    """An assignment's source, and its student version, as the frame for answers.

    Parameters
    ----------
    source, released : notebook
        In nbformat 4: with solutions and hidden tests, and as students got it.
    others : dict of str to (set of str)
        The grade ids of the course's other assignments, by their names.

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
    not_in_grading : set of str
        Released cells that only show something, tagged "not-in-grading": they are not run as long
        as they are as they were given out.
    """

    def __init__(
        self, source: Any, released: Any, others: Mapping[str, set[str]] | None = None
    ) -> None:
        self.source, self.released = source, released
        self.others = dict(others or {})
        self.known = _by_grade_id(source)
        self.frame = Frame(self.known, released)
        self.stubs = self.frame.stubs
        self.released_metadata = {
            grade_id: dict(cell.metadata) for grade_id, cell in _by_grade_id(released).items()
        }
        kinds = {grade_id: kind_of(cell) for grade_id, cell in self.known.items()}
        graded = [key for key, kind in kinds.items() if kind in ("test", "manual", "task")]
        self.max_score = sum(points_of(self.known[key]) for key in graded)
        self.test_ids = [key for key, kind in kinds.items() if kind == "test"]
        self.auto_max = sum(points_of(self.known[key]) for key in self.test_ids)
        self.files = patterns_of(source)
        self.not_in_grading = {
            cell.source.strip()
            for cell in released.cells
            if NOT_IN_GRADING in cell.metadata.get("tags", ())
        }

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
        owners = self.frame.owners(submitted.cells, notes)
        answers: dict[str, Any] = {}
        extras: dict[str | None, list[Cell]] = {}
        anchor = None
        for cell, owner in zip(submitted.cells, owners, strict=True):
            if owner is None and cell.source.strip() in self.not_in_grading:
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
                if owner not in answers or self.frame.is_worked_on(cell, owner):
                    answers[owner] = cell
            elif self.frame.is_worked_on(cell, owner):
                notes.append(_edited(owner, kind))
                if kind != "test":
                    extras.setdefault(owner, []).append(_extra(cell))
        cells = list(extras.get(None, []))
        own = [cell for found in extras.values() for cell in found if cell.cell_type == "code"]
        code = "\n".join(cell.source for cell in (*own, *answers.values()))
        for grade_id, known in self.known.items():
            if kind_of(known) in ANSWERS:
                cells.append(self._answer(grade_id, answers.get(grade_id), code, notes))
            else:
                cells.append(self._own(grade_id))
                if grade_id not in owners:
                    notes.append(f"{grade_id}: the cell was missing; it was put back")
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
        return [f"{place}no page can show {listed}: look into the file that was handed in"]

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

    def _answer(self, grade_id: str, answer: Any, code: str, notes: list[str]) -> Cell:
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
                    f"{grade_id}: the cell for the answer is missing; {listed} stands in another "
                    "cell, and counts"
                )
            else:
                notes.append(f"{grade_id}: the cell for the answer is missing")
            return made
        made.source = answer.source
        if known.cell_type == "markdown":
            made.attachments = _pictures(answer)
        made.answered = self.frame.is_worked_on(answer, grade_id)
        if answer.cell_type != known.cell_type:
            notes.append(
                f"{grade_id}: the answer was in a {answer.cell_type} cell; it was put back into a "
                f"{known.cell_type} cell"
            )
        magic = magic_elsewhere(made.source) if made.kind == "solution" else None
        if magic:
            notes.append(
                f"{grade_id}: the answer begins with {magic}, so nothing of it is defined in the "
                "notebook"
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
    return Skeleton(source, released, others)


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


def _edited(grade_id: str, kind: str) -> str:
    """What to say of a locked cell that is not what was given out."""
    if kind == "test":
        return f"{grade_id}: the test cell was edited; the original one ran"
    return f"{grade_id}: the cell was edited; the original one is there, and the edited one below"


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
