"""Reading an assignment's notebook: its tests with their points, and the code that they need."""

from pathlib import Path

from grader.authoring.bank import SOLUTIONS
from grader.cells import Cell, kind_of, metadata_of, points_of


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
        Cell(kind_of(cell), cell.cell_type, cell.source, meta["grade_id"], points_of(cell))
        for cell in nbformat.read(path, as_version=4).cells
        if (meta := metadata_of(cell))
    ]


def read_extra(path):
    """The code cells of a notebook that nbgrader leaves as they are: they show a result."""
    import nbformat

    return [
        cell
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and metadata_of(cell) is None
    ]


def graded_cells(cells):
    """The automatically graded cells."""
    return [cell for cell in cells if cell.kind == "test"]
