"""Put a student's answers into the instructor's notebook: what runs is never the file handed in.

Of a submission only the sources of solution cells and of the student's own cells are taken. Test
cells, locked cells, points, tags and all other metadata come from the instructor's source.
"""

import ast
import re
from pathlib import Path

import nbformat

from grader.cells import Cell, kind_of, metadata_of, points_of

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


class Skeleton:
    """An assignment's source, and its student version, as the frame for answers.

    Parameters
    ----------
    source, released : notebook
        In nbformat 4: with solutions and hidden tests, and as students got it.
    """

    def __init__(self, source, released):
        self.source, self.released = source, released
        self.known = _by_grade_id(source)
        given = _by_grade_id(released)
        self.stubs = {grade_id: cell.source for grade_id, cell in given.items()}
        self.released_metadata = {grade_id: dict(cell.metadata) for grade_id, cell in given.items()}
        self.ids = {cell.get("id"): grade_id for grade_id, cell in given.items()}
        self.texts = {}
        for grade_id, text in self.stubs.items():
            self.texts.setdefault(text.strip(), grade_id)
        kinds = {grade_id: kind_of(cell) for grade_id, cell in self.known.items()}
        graded = [key for key, kind in kinds.items() if kind in ("test", "manual", "task")]
        self.max_score = sum(points_of(self.known[key]) for key in graded)
        self.test_ids = [key for key, kind in kinds.items() if kind == "test"]
        self.auto_max = sum(points_of(self.known[key]) for key in self.test_ids)
        self.names = {}
        for cell in source.cells:
            if kind_of(cell) == "solution":
                for name in _defined(cell.source):
                    self.names.setdefault(name, cell.metadata.nbgrader.grade_id)

    def rebuild(self, submitted):
        """The cells to run for a submission, and notes on what was unusual about it.

        Returns
        -------
        (list of Cell, list of str)
        """
        notes = []
        owners = self._owners(submitted, notes)
        answers, pasted, extras, anchor = {}, {}, {}, None
        for cell, owner in zip(submitted.cells, owners, strict=True):
            if owner is None:
                extra = Cell("extra", cell.cell_type, cell.source, attachments=_pictures(cell))
                extras.setdefault(anchor, []).append(extra)
                continue
            anchor = owner
            known = self.known[owner]
            if kind_of(known) in ("solution", "manual") and owner not in answers:
                if cell.cell_type == known.cell_type:
                    answers[owner] = cell.source
                    pasted[owner] = _pictures(cell)
                else:
                    notes.append(f"{owner}: a {cell.cell_type} cell in the place of the answer")
            elif kind_of(known) == "test" and cell.source.strip() != self.stubs[owner].strip():
                notes.append(f"{owner}: the test cell was edited; the original one ran")
        cells = list(extras.get(None, []))
        for grade_id, known in self.known.items():
            kind = kind_of(known)
            text = known.source
            if kind in ("solution", "manual"):
                text = answers.get(grade_id, self.stubs.get(grade_id, ""))
                if grade_id not in answers:
                    notes.append(f"{grade_id}: the cell for the answer is missing")
            elif grade_id not in owners:
                notes.append(f"{grade_id}: the cell was missing; it was put back")
            points = points_of(known)
            pictures = pasted.get(grade_id)
            answered = bool(pictures) or text.strip() != self.stubs.get(grade_id, "").strip()
            cells.append(Cell(kind, known.cell_type, text, grade_id, points, answered))
            cells[-1].attachments = pictures
            if kind == "solution":
                cells[-1].functions = tuple(sorted(_defined(known.source, ast.FunctionDef)))
            cells += extras.get(grade_id, [])
        for number, cell in enumerate(cells):
            cell.cell_id = cell.grade_id if cell.grade_id else f"extra-{number}"
        return cells, notes

    def _owners(self, submitted, notes):
        """For each submitted cell the grade id that it answers or repeats; None for extra cells."""
        owners, taken = [], set()
        for cell in submitted.cells:
            meta = metadata_of(cell)
            grade_id = meta.get("grade_id") if meta else None
            if not isinstance(grade_id, str) or grade_id not in self.known:
                if grade_id:
                    notes.append(f"{str(grade_id)[:60]}: not a cell of this release")
                grade_id = None
            owners.append(grade_id)
        # A copied cell: the first one that was worked on counts, the others are extra cells.
        for grade_id in {owner for owner in owners if owner}:
            places = [i for i, owner in enumerate(owners) if owner == grade_id]
            worked = [i for i in places if self._is_worked_on(submitted.cells[i], grade_id)]
            keep = worked[0] if worked else places[0]
            if len(places) > 1:
                notes.append(f"{grade_id}: {len(places)} copies of the cell")
            for place in places:
                if place != keep:
                    owners[place] = (
                        None if kind_of(self.known[grade_id]) == "solution" else grade_id
                    )
            taken.add(grade_id)
        if len(taken) < len(self.known):
            self._recognise(submitted, owners, taken, notes)
        return owners

    def _recognise(self, submitted, owners, taken, notes):
        """Find cells that lost their metadata: by cell id, by text, by what they define."""
        for place, cell in enumerate(submitted.cells):
            if owners[place] is not None or metadata_of(cell):
                continue
            ways = [self.ids.get(cell.get("id")), self.texts.get(cell.source.strip())]
            if cell.cell_type == "code":
                ways += [self.names.get(name) for name in sorted(_defined(cell.source))]
            for grade_id in ways:
                if (
                    grade_id is not None
                    and grade_id not in taken
                    and self.known[grade_id].cell_type == cell.cell_type
                ):
                    owners[place] = grade_id
                    taken.add(grade_id)
                    notes.append(f"{grade_id}: recognised without its metadata")
                    break

    def _is_worked_on(self, cell, grade_id):
        return cell.source.strip() != self.stubs.get(grade_id, "").strip()


def load_skeleton(assignment, root=ROOT):
    """The `Skeleton` of an assignment, from solutions/ and assignments/."""
    file = Path(assignment) / f"{assignment}.ipynb"
    source = nbformat.read(Path(root) / "solutions" / file, as_version=4)
    return Skeleton(source, nbformat.read(Path(root) / "assignments" / file, as_version=4))


def _by_grade_id(notebook):
    return {metadata_of(c)["grade_id"]: c for c in notebook.cells if metadata_of(c)}


def _pictures(cell):
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


def _defined(source, kinds=ast.FunctionDef | ast.ClassDef):
    """The functions and classes that a cell defines at its top."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {n.name for n in tree.body if isinstance(n, kinds)}
