"""All assignments at a glance: their points, what is not begun, and the next step.

    course check

It judges by the student's own files. What has not changed since the last run is not run again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from tqdm import tqdm

from helpers._columns import columns, padded
from helpers.assignment.messages import wrap
from helpers.assignment.remembered import Memory, Score
from helpers.assignment.selfcheck import ASSIGNMENTS, NotCheckable, Opened, Result, open_notebook
from helpers.assignment.sheet import SHEET_NAME
from helpers.command.files import Problem, notebooks_in
from helpers.command.released import Released, State
from helpers.language import current, gettext, speaking

STUB = re.compile(r"^\s*raise NotImplementedError", re.MULTILINE)
TITLE = re.compile(r"# (\S+) (.+)")
# In Korean "(4점)".
TASK = re.compile(r"^## (.+?)(?: \([\d.]+(?: points?|점)\))?$", re.MULTILINE)


@dataclass(frozen=True)
class Standing:
    """How far an assignment is.

    Attributes
    ----------
    folder : path
    title : str
    opened : Opened or None
        None if it cannot be read.
    problem : str
        Why it cannot be read, and what to do; empty if it can.
    scores : tuple of (grade id, points, of how many)
        Empty if nothing is begun.
    """

    folder: Path
    title: str
    opened: Opened | None = None
    problem: str = ""
    scores: tuple[Score, ...] = ()

    @property
    def number(self) -> str:
        return self.folder.name.partition("-")[0]

    @property
    def failed(self) -> list[str]:
        """The grade ids of the tests that do not pass."""
        return [test for test, got, out_of in self.scores if got < out_of]

    @property
    def result(self) -> str:
        """In a few words."""
        if self.problem:
            return gettext("cannot be checked")
        if not self.scores:
            return gettext("not begun")
        points = gettext("{points:g} of {total:g}").format(
            points=sum(got for _, got, _ in self.scores),
            total=sum(out_of for *_, out_of in self.scores),
        )
        if self.failed:
            tests = gettext("{failed} of {count} tests fail").format(
                failed=len(self.failed), count=len(self.scores)
            )
        else:
            tests = gettext("all tests pass")
        return f"{padded(points, 10)} {tests}"


def overview(show: Callable[[str], object] = print, folder: Path = ASSIGNMENTS) -> bool:
    """Show how far each assignment is, line by line, and the next step.

    Returns
    -------
    bool
        Whether all of them could be read.

    Raises
    ------
    NotCheckable
        If there are no assignments.
    """
    with speaking(current(folder)):
        return _overview(show, folder)


def _overview(show, folder):
    standings = [read_one(one) for one in sorted(folder.glob("*/")) if is_assignment(one)]
    if not standings:
        raise NotCheckable(
            gettext("There are no assignments in {folder}.").format(folder=folder.resolve())
        )
    width = max(columns(standing.title) for standing in standings)
    memory, is_as_given = Memory(folder), what_is_as_given(folder)
    show(gettext("Your assignments, with the points on the tests that you see:") + "\n")
    for index, standing in enumerate(standings):
        if standing.opened is not None and not is_as_given(standing.opened):
            scores = scores_of(standing.opened, standing.number, memory)
            standing = standings[index] = replace(standing, scores=tuple(scores))
        show(f"  {standing.number:<3} {padded(standing.title, width)}   {standing.result}")
        if standing.problem:
            show(wrap(standing.problem, 6))
    show("\n" + wrap(next_step(standings)))
    return not any(standing.problem for standing in standings)


def is_assignment(folder: Path) -> bool:
    """Whether there is a notebook in it, or the list of its tests."""
    return bool(notebooks_in(folder)) or (folder / SHEET_NAME).is_file()


def read_one(folder: Path) -> Standing:
    """An assignment as it is before anything runs."""
    number, _, topic = folder.name.partition("-")
    title = topic.replace("-", " ")
    try:
        opened = open_notebook(notebook_of(folder))
    except NotCheckable as error:
        return Standing(folder, title, problem=str(error))
    found = TITLE.match(opened.notebook.cells[0].source)
    return Standing(folder, found[2].strip() if found and found[1] == number else title, opened)


def notebook_of(folder: Path) -> Path:
    """The notebook that is meant in an assignment's folder; `NotCheckable` if that is open."""
    path, found = folder / f"{folder.name}.ipynb", notebooks_in(folder)
    if path in found:
        return path
    if not found:
        raise NotCheckable(
            gettext(
                "{name} is gone. `course reset assignment {number}` brings it back as it came."
            ).format(name=path.name, number=folder.name.partition("-")[0])
        )
    if len(found) > 1:
        listed = ", ".join(one.name for one in found)
        raise NotCheckable(
            gettext(
                "There are several notebooks: {listed}. Rename the one that you want to hand in "
                "to {name}."
            ).format(listed=listed, name=path.name)
        )
    return found[0]


def scores_of(opened: Opened, number: str, memory: Memory) -> list[Score]:
    """The points of each test: those of the last run, if nothing has changed since."""
    known = memory.known(opened.path, opened.content)
    if known is not None:
        return known
    total = len(opened.sheet.tests) or None
    # Only where somebody looks: in a file or a pipe there is no bar.
    words = gettext("running {desc}: test {n_fmt} of {total_fmt}")
    with tqdm(total=total, desc=number, bar_format=f"  {words}", leave=False, disable=None) as bar:

        def count(result: Result) -> None:
            bar.update(bool(result.out_of))

        return [(one.grade_id, one.points, one.out_of) for one in opened.run(count, memory)]


def what_is_as_given(folder: Path) -> Callable[[Opened], bool]:
    """What tells of a notebook whether its reader has written nothing yet."""
    root = folder.resolve().parent
    try:
        released = Released.find(root)
    except Problem:
        released = None

    def is_as_given(opened: Opened) -> bool:
        if holds_an_answer(opened.notebook):
            return False
        name = opened.path.resolve().relative_to(root).as_posix()
        if released is None or name not in released.digests:
            return True
        return released.state(root, name) in (State.SAME, State.RUN)

    return is_as_given


def holds_an_answer(notebook: nbformat.NotebookNode) -> bool:
    """Whether the code of a task is written, in its own cell or in another one.

    Cells that have lost their metadata could be anything: that counts as written.
    """
    answers = [cell for cell in notebook.cells if is_answer(cell)]
    if not answers or not all(STUB.search(cell.source) for cell in answers):
        return True
    written = "\n".join(cell.source for cell in answers)
    names = "|".join(re.findall(r"^(?:def|class) (\w+)", written, re.MULTILINE))
    defined = re.compile(rf"^\s*(?:(?:def|class) +(?:{names})\b|(?:{names})\s*=(?!=))", re.M)
    return bool(names) and any(
        defined.search(cell.source)
        for cell in notebook.cells
        if cell.cell_type == "code" and not is_answer(cell) and not about(cell).get("grade")
    )


def about(cell: nbformat.NotebookNode) -> dict:
    """What nbgrader wrote about a cell."""
    return cell.metadata.get("nbgrader", {})


def is_answer(cell: nbformat.NotebookNode) -> bool:
    """Whether the code of a task goes into this cell."""
    return bool(about(cell).get("solution")) and cell.cell_type == "code"


def next_step(standings: list[Standing]) -> str:
    """What to do next, in a sentence or two: first what is begun, then what is not."""
    for standing in standings:
        if standing.problem:
            said = gettext("Next: mend assignment {number}, as it says above.")
            return said.format(number=standing.number)
        if standing.failed:
            return step_in(standing)
    for standing in standings:
        if not standing.scores:
            path = notebook_of(standing.folder).as_posix()
            said = gettext("Next: begin assignment {number}, {title}. Open {path}.")
            return said.format(number=standing.number, title=standing.title, path=path)
    return gettext(
        "All the tests that you see pass. When you are graded, each also runs with other numbers, "
        "and what you wrote in words is read by a person."
    )


def step_in(standing: Standing) -> str:
    """The step within an assignment that is begun: the task of its first test that fails."""
    assert standing.opened is not None
    number, test, task, answer = standing.number, standing.failed[0], "", ""
    for cell in standing.opened.notebook.cells:
        if cell.cell_type == "markdown" and (heading := TASK.search(cell.source)):
            task = heading[1]
        if is_answer(cell):
            answer = cell.source
        if about(cell).get("grade_id") == test:
            break
    else:
        said = gettext("Next: assignment {number}. `course check {number}` says what is missing.")
        return said.format(number=number)
    place = number if not task else f"{number}, {task}"
    if STUB.search(answer):
        said = gettext("Next: assignment {place}. Its answer is not written yet.")
    else:
        said = gettext(
            "Next: assignment {place}. The test {test} fails: `course check {number}` says why."
        )
    return said.format(place=place, test=test, number=number)
