"""A fault: a change of one file, which can be made and shown."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Edit(NamedTuple):
    """Characters of a text, from `start` to `end`, that become `new`; `what` says the kind."""

    what: str
    start: int
    end: int
    new: str

    def moved(self, by):
        return self._replace(start=self.start + by, end=self.end + by)

    def of(self, text):
        return text[: self.start] + self.new + text[self.end :]


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    kind : str
        What of the course it is in, a word of ``--kind``.
    path : str
        The file, from the course's folder, with slashes.
    where : str
        The cell's id, or the line's number.
    edits : tuple of (tuple, Edit)
        Each with the place of its text in a notebook's JSON, for instance
        ``("cells", 3, "source")``; () in other files.
    """

    kind: str
    path: str
    where: str
    edits: tuple

    @property
    def what(self):
        return self.edits[0][1].what

    def __str__(self):
        return f"{self.kind}: {self.what}, {self.path}:{self.where}"

    def rank(self, seed):
        """Where the fault stands in the order of this seed; other files have no part in it."""
        return hashlib.sha256(f"{seed} {self!r}".encode()).digest()

    def changed(self, text):
        """The file's text with the fault in it; a notebook in the form of nbformat's writer."""
        if not self.path.endswith(".ipynb"):
            return self.edits[0][1].of(text)
        notebook = json.loads(text)
        for place, edit in self.edits:
            *outer, last = place
            holder = value_at(notebook, outer)
            new = edit.of(joined(holder[last]))
            holder[last] = new if isinstance(holder[last], str) else new.splitlines(keepends=True)
        return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"

    def make(self, root):
        """Write the fault into the course in this folder."""
        path = Path(root, self.path)
        path.write_bytes(self.changed(path.read_bytes().decode()).encode())

    def diff(self, text):
        """The lines that the fault changes, as ``- before`` and ``+ after``; `text` is the file."""
        lines = []
        for place, edit in self.edits:
            old = joined(value_at(json.loads(text), place)) if place else text
            # Of a long line, as many characters as a terminal shows.
            first = max(old.rfind("\n", 0, edit.start) + 1, edit.start - 60)
            last = min(
                *(at for at in (old.find("\n", edit.end), len(old)) if at >= 0), edit.end + 60
            )
            new = old[first : edit.start] + edit.new + old[edit.end : last]
            for sign, part in (("-", old[first:last]), ("+", new)):
                lines += [f"{sign} {line[:160]}" for line in part.splitlines()]
        return lines


def value_at(notebook, place):
    for key in place:
        notebook = notebook[key]
    return notebook


def joined(text):
    """A text of a notebook's JSON, which is a string or a list of lines."""
    return text if isinstance(text, str) else "".join(text)
