"""Reading an assignment's notebook: its tests with their points, and the code that they need."""

from dataclasses import dataclass
from pathlib import Path

from grader.authoring.bank import SOLUTIONS

BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


@dataclass(frozen=True)
class Cell:
    """A cell that nbgrader knows.

    Attributes
    ----------
    grade_id : str
    kind : str
        "setup" (locked code), "solution", "test", "manual" or "text".
    source : str
    points : float
    """

    grade_id: str
    kind: str
    source: str
    points: float = 0.0

    @property
    def says(self):
        """The first comment of a test cell: what it checks."""
        first = self.source.strip().partition("\n")[0]
        return first.lstrip("# ").strip()


def assignments(solutions=SOLUTIONS):
    """The names of all assignments, in order."""
    return sorted(path.parent.name for path in Path(solutions).glob("*/*.ipynb"))


def full_name(name, names):
    """The assignment that is meant by its number or the beginning of its name: "1", "01", "01-con".

    Returns the name as it is if none or several fit.
    """
    beginning = f"{int(name):02}-" if name.isdecimal() else name
    found = [known for known in names if known.startswith(beginning)]
    return found[0] if beginning and len(found) == 1 else name


def notebook_path(assignment, solutions=SOLUTIONS):
    """Where an assignment's source is."""
    return Path(solutions) / assignment / f"{assignment}.ipynb"


def read_cells(path):
    """The cells of a notebook that carry nbgrader's metadata, as a list of `Cell`."""
    import nbformat  # takes a second, and most of this module does without

    return [
        Cell(meta["grade_id"], _kind(cell, meta), cell.source, float(meta.get("points", 0) or 0))
        for cell in nbformat.read(path, as_version=4).cells
        if (meta := cell.metadata.get("nbgrader"))
    ]


def graded_cells(cells):
    """The automatically graded cells."""
    return [cell for cell in cells if cell.kind == "test"]


def _kind(cell, meta):
    if cell.cell_type != "code":
        return "manual" if meta.get("grade") or meta.get("task") else "text"
    if meta.get("grade"):
        return "manual" if meta.get("solution") else "test"
    return "solution" if meta.get("solution") else "setup"


def without_hidden(source):
    """A test cell's text as a student gets it."""
    kept, inside = [], False
    for line in source.split("\n"):
        if BEGIN_HIDDEN in line:
            inside = True
        if not inside:
            kept.append(line)
        if END_HIDDEN in line:
            inside = False
    return "\n".join(kept)
