"""Which cell of the assignment each cell of a submission is, also without its metadata."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from grader.cells import kind_of, metadata_of
from grader.intake.parse import defined_names
from grader.words import Note

ANSWERS = ("solution", "manual")
NOT_IN_GRADING = "not-in-grading"


def same_text(one: str, other: str) -> bool:
    """Whether two texts differ in nothing but white space at the ends of lines and of the text."""
    return _lines(one) == _lines(other)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


class Frame:
    """What an assignment's cells are recognised by.

    Parameters
    ----------
    known : dict of str to cell
        The source's cells by grade id.
    *released : notebook
        As students got it, in one language or in several.

    Attributes
    ----------
    given : dict of str to list of str
        What stands in a cell, in each language, by grade id.
    texts : dict of str to str
        The grade ids of the cells, by their texts.
    free : list of str
        The texts of released cells without a grade id.
    not_in_grading : set of str
        The texts of those that only show something, tagged "not-in-grading": they are not run as
        long as they are as they were given out.
    """

    def __init__(self, known: dict[str, Any], *released: Any) -> None:
        self.known = known
        self.given: dict[str, list[str]] = {}
        self.pasted: dict[str, Any] = {}
        self.ids: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.free: list[str] = []
        self.not_in_grading: set[str] = set()
        for cell in (cell for notebook in released for cell in notebook.cells):
            if NOT_IN_GRADING in cell.metadata.get("tags", ()):
                self.not_in_grading.add(cell.source.strip())
            meta = metadata_of(cell)
            if meta is None:
                self.free.append(cell.source)
                continue
            grade_id = meta["grade_id"]
            self.given.setdefault(grade_id, []).append(cell.source)
            self.pasted[grade_id] = cell.get("attachments") or {}
            if cell.get("id"):
                self.ids[cell["id"]] = grade_id
            self.texts.setdefault(cell.source.strip(), grade_id)
        self.names: dict[str, str] = {}
        for grade_id, cell in known.items():
            if kind_of(cell) == "solution":
                for name in defined_names(cell.source):
                    self.names.setdefault(name, grade_id)

    def has(self, text: str) -> bool:
        """Whether a text is one of those that were given out."""
        return text.strip() in self.all_texts

    @cached_property
    def all_texts(self) -> set[str]:
        """What was given out, cell by cell."""
        return {*self.texts, *(text.strip() for text in self.free)}

    def is_worked_on(self, cell: Any, grade_id: str) -> bool:
        """Whether a cell holds anything else than what was released, a pasted picture for one."""
        pasted = cell.get("attachments") or {}
        given = self.given.get(grade_id, ("",))
        is_same = any(same_text(cell.source, text) for text in given)
        return not is_same or pasted != self.pasted.get(grade_id, {})

    def owners(self, cells: list[Any], notes: list[str]) -> list[str | None]:
        """For each submitted cell the grade id that it answers or repeats; None for others.

        Of several copies the first that was worked on comes to stand for the cell. The others are
        the student's own cells if there is work in them, and repetitions if not.

        Parameters
        ----------
        cells : list of cell
        notes : list of str
            Sentences on what was unusual are appended.
        """
        owners: list[str | None] = []
        for cell in cells:
            grade_id = (metadata_of(cell) or {}).get("grade_id")
            if not isinstance(grade_id, str) or grade_id not in self.known:
                if grade_id:
                    notes.append(
                        Note("{cell}: not a cell of this release", cell=str(grade_id)[:60])
                    )
                grade_id = None
            owners.append(grade_id)
        for grade_id in {owner: None for owner in owners if owner}:
            self._leave_one(cells, owners, grade_id, notes)
        taken = {owner for owner in owners if owner}
        for way in (self._by_looks, self._by_place):
            if len(taken) < len(self.known):
                way(cells, owners, taken, notes)
        return owners

    def _leave_one(
        self, cells: list[Any], owners: list[str | None], grade_id: str, notes: list[str]
    ) -> None:
        places = [place for place, owner in enumerate(owners) if owner == grade_id]
        if len(places) == 1:
            return
        wanted = self.known[grade_id].cell_type
        worked = [place for place in places if self.is_worked_on(cells[place], grade_id)]
        right = [place for place in worked if cells[place].cell_type == wanted]
        keep = (right or worked or places)[0]
        notes.append(Note("{cell}: {count} copies of the cell", cell=grade_id, count=len(places)))
        kind = kind_of(self.known[grade_id])
        for place in places:
            is_own = kind == "solution" or (place in worked and kind != "test")
            if place != keep and is_own:
                owners[place] = None

    def _by_looks(
        self, cells: list[Any], owners: list[str | None], taken: set[str], notes: list[str]
    ) -> None:
        """Find cells that lost their metadata: by cell id, by text, by what they define."""
        for place, cell in enumerate(cells):
            if owners[place] is not None or metadata_of(cell):
                continue
            ways = [self.ids.get(cell.get("id")), self.texts.get(cell.source.strip())]
            if cell.cell_type == "code":
                ways += [self.names.get(name) for name in sorted(defined_names(cell.source))]
            for grade_id in ways:
                if (
                    grade_id is not None
                    and grade_id not in taken
                    and self.known[grade_id].cell_type == cell.cell_type
                ):
                    owners[place] = grade_id
                    taken.add(grade_id)
                    notes.append(Note("{cell}: recognised without its metadata", cell=grade_id))
                    break

    def _by_place(
        self, cells: list[Any], owners: list[str | None], taken: set[str], notes: list[str]
    ) -> None:
        """Find answers that lost their metadata by the cells around them.

        Meant are answers that define nothing, written ones above all: between the last cell before
        and the first cell after that are known, the first one that is the student's own.
        """
        order = list(self.known)
        for number, grade_id in enumerate(order):
            known = self.known[grade_id]
            is_answer = kind_of(known) in ANSWERS and not defined_names(known.source)
            if grade_id in taken or not is_answer:
                continue
            earlier, later = set(order[:number]), set(order[number + 1 :])
            before = max((place for place, own in enumerate(owners) if own in earlier), default=-1)
            after = next(
                (place for place in range(before + 1, len(owners)) if owners[place] in later),
                len(owners),
            )
            for place in range(before + 1, after):
                cell = cells[place]
                if (
                    owners[place] is None
                    and not metadata_of(cell)
                    and cell.cell_type == known.cell_type
                    and cell.source.strip()
                    and not any(same_text(cell.source, text) for text in self.free)
                ):
                    owners[place] = grade_id
                    taken.add(grade_id)
                    notes.append(
                        Note("{cell}: recognised by its place, without its metadata", cell=grade_id)
                    )
                    break
