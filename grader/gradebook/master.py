"""An assignment as nbgrader's gradebook holds it, made straight from its source.

`nbgrader generate_assignment` does the same on the way to the student version; but a batch may be
graded on a machine where that was never run, and a source may change between two batches.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    SaveCells,
)
from sqlalchemy import delete, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from traitlets.config import Config, PyFileConfigLoader

from grader.database import version_is_read_here
from grader.text import shortened

ROOT = Path(__file__).resolve().parents[2]
CONFIG_NAME = "nbgrader_config.py"
MOST_NAMES = 10
SECONDS_TO_WAIT = 60  # for another program that is writing into the gradebook

Cells = dict[type, dict[str, tuple[Any, ...]]]
"""What nbgrader keeps of each cell, by kind and name."""


class BookError(Exception):
    """The gradebook cannot hold what is asked for; the message says what to do."""


def master_notebook(source: NotebookNode, config: Config | None = None) -> NotebookNode:
    """The instructor's notebook as nbgrader enters it: without solutions, with hidden tests.

    Parameters
    ----------
    source : notebook
        In nbformat 4.
    config : Config, optional
        nbgrader's, for the text that stands in the place of a solution.

    Returns
    -------
    notebook
        Its graded, solution and locked cells carry their checksums.

    Raises
    ------
    nbgrader.nbgraderformat.ValidationError
        If the source's metadata is damaged.
    """
    notebook = copy.deepcopy(source)
    language = source.metadata.get("kernelspec", {}).get("language", "python")
    resources = {"language": language}
    for kind in (LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums):
        notebook, resources = kind(config=config).preprocess(notebook, resources)
    return notebook


def known_cells(master: NotebookNode) -> dict[str, NotebookNode]:
    """The cells of a master notebook that nbgrader knows, by grade id."""
    return {
        cell.metadata.nbgrader["grade_id"]: cell
        for cell in master.cells
        if "nbgrader" in cell.metadata
    }


def load_config(root: str | Path) -> Config:
    """nbgrader's configuration of a course, or the one of this course if it has none."""
    # It takes several folders, whatever its types say.
    folders: Any = [str(root), str(ROOT)]
    loader = PyFileConfigLoader(CONFIG_NAME, path=folders)
    return loader.load_config()


def open_gradebook(url: str, config: Config) -> Gradebook:
    """nbgrader's `Gradebook`, which waits for others that are writing."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        place = place.update_query_dict({"timeout": str(SECONDS_TO_WAIT)})
    with version_is_read_here(), told_if_locked():
        return Gradebook(
            place.render_as_string(hide_password=False), config.CourseDirectory.course_id
        )


class Locked(BookError):
    """Another program did not let go of the gradebook."""


@contextlib.contextmanager
def told_if_locked() -> Iterator[None]:
    """Raise `Locked`, in a sentence, when another program did not let go of the gradebook."""
    try:
        yield
    except OperationalError as error:
        if "locked" not in str(error):
            raise
        raise Locked(
            f"The gradebook is locked: another program has been writing into it for more than "
            f"{SECONDS_TO_WAIT} seconds. Is a second `course grade` or a formgrader at work? "
            "End it or wait for it, and call again: what is recorded stays."
        ) from error


def enter(
    gradebook: Gradebook, assignment: str, master: NotebookNode, config: Config | None = None
) -> None:
    """Make sure that the gradebook holds an assignment as its source has it now.

    Cells that are new get a row in each submission, ungraded. Cells that are gone are taken out,
    unless a person has graded them.

    Parameters
    ----------
    gradebook : Gradebook
    assignment : str
    master : notebook
        As of `master_notebook`.
    config : Config, optional

    Raises
    ------
    BookError
    """
    try:
        if _is_entered(gradebook, assignment, master):
            return
        gradebook.update_or_create_assignment(assignment)
        _follow(gradebook, assignment, master)
    finally:
        gradebook.db.rollback()
        gradebook.db.expunge_all()
    resources = {
        "nbgrader": {
            "notebook": assignment,
            "assignment": assignment,
            "db_url": gradebook.engine.url.render_as_string(hide_password=False),
        }
    }
    try:
        SaveCells(config=config).preprocess(master, resources)
    except RuntimeError as error:
        raise BookError(f"the gradebook cannot take in {assignment}: {error}") from error


def _wanted(master: NotebookNode) -> Cells:
    """The cells that nbgrader keeps, by kind and name, with what it keeps of each."""
    wanted: Cells = {GradeCell: {}, SolutionCell: {}, TaskCell: {}, SourceCell: {}}
    for name, cell in known_cells(master).items():
        meta = cell.metadata.nbgrader
        points = float(meta.get("points", 0) or 0)
        if meta.get("grade"):
            wanted[GradeCell][name] = (points, cell.cell_type)
        if meta.get("solution"):
            wanted[SolutionCell][name] = ()
        if meta.get("task"):
            wanted[TaskCell][name] = (points, cell.cell_type)
        kinds = ("grade", "solution", "task", "locked")
        if any(meta.get(kind) for kind in kinds):
            locked = not meta.get("solution") and bool(meta.get("grade") or meta.get("locked"))
            wanted[SourceCell][name] = (cell.cell_type, locked, cell.source, meta.get("checksum"))
    return wanted


def _held(notebook: Notebook) -> Cells:
    """The same as `_wanted`, of what the gradebook holds."""
    return {
        GradeCell: {c.name: (c.max_score, c.cell_type) for c in notebook.grade_cells},
        SolutionCell: {c.name: () for c in notebook.solution_cells},
        TaskCell: {c.name: (c.max_score, c.cell_type) for c in notebook.task_cells},
        SourceCell: {
            c.name: (c.cell_type, c.locked, c.source, c.checksum) for c in notebook.source_cells
        },
    }


def _notebook(gradebook: Gradebook, assignment: str) -> Notebook | None:
    return gradebook.db.scalars(
        select(Notebook).where(
            Notebook.name == assignment, Notebook.assignment.has(name=assignment)
        )
    ).one_or_none()


def _is_entered(gradebook: Gradebook, assignment: str, master: NotebookNode) -> bool:
    notebook = _notebook(gradebook, assignment)
    if notebook is None or _held(notebook) != _wanted(master):
        return False
    return json.loads(notebook.kernelspec or "{}") == master.metadata.get("kernelspec", {})


def _follow(gradebook: Gradebook, assignment: str, master: NotebookNode) -> None:
    """Add and take out cells of which there are submissions, which nbgrader refuses to do."""
    notebook = _notebook(gradebook, assignment)
    db = gradebook.db
    if notebook is None or not notebook.submissions:
        return
    wanted, held = _wanted(master), _held(notebook)
    cells = {
        GradeCell: notebook.grade_cells,
        SolutionCell: notebook.solution_cells,
        TaskCell: notebook.task_cells,
    }
    for kind in (GradeCell, SolutionCell, TaskCell):
        for cell in cells[kind]:
            if cell.name not in wanted[kind]:
                _remove(db, cell)
        for name in wanted[kind]:
            if name not in held[kind]:
                _add(db, kind, name, wanted[kind][name], notebook)
    for cell in list(notebook.source_cells):
        if cell.name not in wanted[SourceCell]:
            db.delete(cell)
    for name in wanted[SourceCell]:
        if name not in held[SourceCell]:
            cell_type, locked, source, checksum = wanted[SourceCell][name]
            values = {"cell_type": cell_type, "locked": locked, "source": source}
            db.add(SourceCell(name=name, notebook_id=notebook.id, checksum=checksum, **values))
    db.commit()


def _remove(db: Any, cell: BaseCell) -> None:
    students: set[str] = set()
    for kind, given in ((Grade, Grade.manual_score), (Comment, Comment.manual_comment)):
        students |= set(
            db.scalars(
                select(SubmittedAssignment.student_id)
                .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                .join(kind, kind.notebook_id == SubmittedNotebook.id)
                .where(kind.cell_id == cell.id, given.is_not(None))
            )
        )
    if students:
        raise BookError(
            f"{cell.name} is no longer in the assignment, but a person has graded it (of "
            f"{', '.join(shortened(sorted(students), MOST_NAMES))}). Put it back; or, if these "
            "marks and comments may go, empty their boxes in formgrader first. Nothing was changed."
        )
    db.execute(delete(Grade).where(Grade.cell_id == cell.id))
    db.execute(delete(Comment).where(Comment.cell_id == cell.id))
    db.execute(delete(type(cell).__table__).where(type(cell).__table__.c.id == cell.id))
    db.execute(delete(BaseCell.__table__).where(BaseCell.__table__.c.id == cell.id))
    db.expire_all()


def _add(db: Any, kind: type, name: str, values: tuple[Any, ...], notebook: Notebook) -> None:
    columns = dict(zip(("max_score", "cell_type"), values, strict=False))
    cell = kind(name=name, notebook_id=notebook.id, **columns)
    db.add(cell)
    db.flush()
    for submitted in notebook.submissions:
        row = {"cell_id": cell.id, "notebook_id": submitted.id}
        if kind is not SolutionCell:
            db.execute(insert(Grade), [row])
        if kind is not GradeCell:
            db.execute(insert(Comment), [row])
