"""The cells of an assignment: what each is for, and which of its lines are hidden."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["setup", "solution", "test", "manual", "task", "text", "extra"]

BEGIN, END = "BEGIN", "END"
HIDDEN_TESTS, MARK_SCHEME = "HIDDEN TESTS", "MARK SCHEME"
BEGIN_HIDDEN, END_HIDDEN = f"### {BEGIN} {HIDDEN_TESTS}", f"### {END} {HIDDEN_TESTS}"


@dataclass
class Cell:
    """A cell of an assignment, or of a student's in its frame.

    Attributes
    ----------
    kind : str
        "setup" (locked code), "solution", "test", "manual" (a written answer, or code, that a
        person marks), "task" (marked by a person wherever the answer stands) or "text" in the
        source; "extra" for a student's own cell.
    cell_type : str
        "code", "markdown" or "raw".
    source : str
    grade_id : str or None
    points : float
    answered : bool
        Whether there is anything else in it than what the student version has.
    cell_id : str
        Its id in the notebook that is made.
    functions : sequence of str
        What the instructor's solution defines here with ``def``.
    attachments : dict or None
        Pictures pasted into a Markdown cell: by name, base64 by type.
    """

    kind: Kind
    cell_type: str
    source: str
    grade_id: str | None = None
    points: float = 0.0
    answered: bool = True
    cell_id: str = ""
    functions: tuple[str, ...] = ()
    attachments: dict[str, dict[str, str]] | None = None

    @property
    def claim(self) -> str:
        """The first comment of a test cell: what it checks."""
        first = self.source.strip().partition("\n")[0]
        return first.lstrip("# ").strip()

    def for_job(self) -> dict[str, Any]:
        """As a job holds it: a dict, with a digest in the place of pictures."""
        pictures, self.attachments = self.attachments, None
        made = asdict(self)
        self.attachments = pictures
        if pictures:
            text = json.dumps(pictures, sort_keys=True)
            made["attachments"] = hashlib.sha256(text.encode()).hexdigest()
        return made


def metadata_of(cell: Any) -> dict[str, Any] | None:
    """What nbgrader has written about a notebook's cell, or None."""
    found = cell.get("metadata", {}).get("nbgrader")
    return found if isinstance(found, dict) else None


def kind_of(cell: Any) -> Kind:
    """What a notebook's cell is for, by nbgrader's metadata: "extra" without any."""
    meta = metadata_of(cell)
    if meta is None:
        return "extra"
    if meta.get("task"):
        return "task"
    if cell["cell_type"] != "code":
        return "manual" if meta.get("grade") else "text"
    if meta.get("grade"):
        return "manual" if meta.get("solution") else "test"
    return "solution" if meta.get("solution") else "setup"


def points_of(cell: Any) -> float:
    """The points that a notebook's cell gives."""
    return float((metadata_of(cell) or {}).get("points", 0) or 0)


def cut_regions(source: str, what: str, in_place: str | None = None) -> tuple[str, list[str]]:
    """Cut out what stands between ``BEGIN`` and ``END`` of a kind of region.

    Parameters
    ----------
    source : str
    what : str
        `HIDDEN_TESTS` or `MARK_SCHEME`.
    in_place : str, optional
        A line to put in the place of each region, as deep as the region's first line.

    Returns
    -------
    (str, list of str)
        The text without the regions, and their lines. An open region goes to the end.
    """
    if what not in source:
        return source, []
    kept: list[str] = []
    hidden: list[str] = []
    is_inside = False
    for line in source.split("\n"):
        if f"{BEGIN} {what}" in line:
            if in_place and not is_inside:
                kept.append(line[: len(line) - len(line.lstrip())] + in_place)
            is_inside = True
        elif f"{END} {what}" in line:
            is_inside = False
        else:
            (hidden if is_inside else kept).append(line)
    return "\n".join(kept).rstrip(), hidden


def without_hidden(source: str) -> str:
    """A test cell's text as a student gets it."""
    return cut_regions(source, HIDDEN_TESTS)[0]


def is_hidden(source: str, line: int) -> bool:
    """Whether a line of a test cell, counted from 1, stands in a hidden region."""
    before = [text.strip() for text in source.splitlines()[:line]]
    return before.count(BEGIN_HIDDEN) > before.count(END_HIDDEN)
