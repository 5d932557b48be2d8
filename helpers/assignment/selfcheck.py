"""A student's own check before handing in: run the notebook from top to bottom, and report.

    course check 01

Nothing is changed: neither the notebook nor its outputs. No network is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import textwrap
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat

from helpers.assignment.cells import interrupted, outer_label
from helpers.assignment.messages import (
    WIDTH,
    line_of_cell,
    not_there,
    not_written_sentence,
    says,
    wrap,
)
from helpers.assignment.notebook_file import Unreadable, read
from helpers.assignment.notebook_scan import Limits
from helpers.assignment.remembered import Memory, digest_of
from helpers.assignment.sheet import Sheet, fingerprint
from helpers.checks import lead
from helpers.command.files import notebooks_below, notebooks_in
from helpers.language import current, gettext, speaking

# As long as a notebook may take when it is graded, which a test compares.
SECONDS_A_CELL = 120
SECONDS_A_NOTEBOOK = 300
ASSIGNMENTS = Path("assignments")


class NotCheckable(Exception):
    """The notebook cannot be found or read; the message says what to do."""


class _TimeUsedUp(Exception):
    """The notebook as a whole took longer than it may."""


@dataclass(frozen=True)
class Result:
    """What came of one test: `points` of `out_of`, and the message of a failure.

    ``follows`` is the number of a cell that stopped before, if the failure is its consequence.
    """

    grade_id: str
    out_of: float
    message: str | None
    follows: int | None = None

    @property
    def points(self) -> float:
        return 0.0 if self.message else self.out_of


def find_notebook(name: str | Path, folder: Path = ASSIGNMENTS) -> Path:
    """The path of an assignment's notebook, from a path, a folder, a name or a number.

    Raises
    ------
    NotCheckable
        If there is none, or more than one; the message lists what there is.
    """
    if not str(name).strip():
        listed = "\n".join(f"  {found.stem}" for found in notebooks_below(folder))
        said = gettext("Say which assignment to watch, for instance: course check 01 --watch")
        raise NotCheckable(f"{said}\n{listed}")
    path = Path(name)
    if path.is_file():
        return path
    candidates = notebooks_in(path) if path.is_dir() else []
    if not candidates:
        known = notebooks_below(folder)
        beginning = f"{int(str(name)):02}-" if str(name).isdecimal() else str(name)
        candidates = [found for found in known if found.stem.startswith(beginning)]
    if len(candidates) == 1:
        return candidates[0]
    listed = "\n".join(f"  {found.stem}" for found in candidates or known)
    if candidates:
        said = gettext("More than one notebook fits '{name}'. The assignments here are:")
    else:
        said = gettext("There is no assignment '{name}'. The assignments here are:")
    raise NotCheckable(f"{said.format(name=name)}\n{listed or '  ' + gettext('none')}")


def read_notebook(path: str | Path) -> tuple[nbformat.NotebookNode, list[str]]:
    """The notebook as the grader reads it, and notes on the file; `NotCheckable` if it cannot."""
    try:
        with open(path, "rb") as file:
            content, notes = read(file.read(Limits.file_bytes + 1))
    except OSError as error:
        raise NotCheckable(
            gettext("{path} cannot be opened: {error}.").format(path=path, error=error.strerror)
        ) from error
    except Unreadable as error:
        raise NotCheckable(
            gettext("{path} cannot be read as a notebook: {error}. {advice}").format(
                path=path, error=error, advice=error.advice
            )
        ) from error
    return nbformat.from_dict(content), notes


def sheet_of(notebook: nbformat.NotebookNode, beside: Path, folder: Path) -> Sheet:
    """The assignment's tests: those beside the notebook, or of the assignment that it is of.

    A copy in another folder counts out of the same points as the notebook in its place.

    Parameters
    ----------
    notebook : notebook
    beside : path
        The notebook's folder.
    folder : path
        Where the assignments are.
    """
    sheet = Sheet.beside(beside)
    if sheet.tests:
        return sheet
    ids = {_grade_id(cell) for cell in notebook.cells}
    digests = {fingerprint(cell.source.strip()) for cell in notebook.cells}

    def likeness(one: Sheet) -> int:
        return sum(name in ids or test["digest"] in digests for name, test in one.tests.items())

    sheets = [Sheet.beside(found.parent) for found in notebooks_below(folder)]
    best = max(sheets, key=likeness, default=sheet)
    return best if likeness(best) else sheet


def put_back(notebook: nbformat.NotebookNode, sheet: Sheet) -> list[str]:
    """Give cells the types and metadata that the grader gives them; returns what was done.

    Parameters
    ----------
    notebook : notebook
        Changed in place.
    sheet : Sheet
    """
    notes = []
    present = {_grade_id(cell) for cell in notebook.cells}
    digests = {test["digest"]: grade_id for grade_id, test in sheet.tests.items()}
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader")
        if (
            meta
            and cell.cell_type != "code"
            and bool(meta.get("grade")) != bool(meta.get("solution"))
        ):
            # A locked text is neither of both, and a written answer is both.
            notes.append(
                gettext(
                    "The cell {cell} is a {type} cell now. It runs as code, as it does when you "
                    "are graded: select it and press y."
                ).format(cell=meta.get("grade_id"), type=cell.cell_type)
            )
            cell.cell_type = "code"
            cell.outputs, cell.execution_count = [], None
            cell.pop("attachments", None)
        elif not meta and cell.cell_type == "code":
            grade_id = digests.get(fingerprint(cell.source.strip()))
            if grade_id is not None and grade_id not in present:
                points = sheet.tests[grade_id]["points"]
                cell.metadata["nbgrader"] = nbformat.from_dict(
                    {"grade": True, "grade_id": grade_id, "points": points, "solution": False}
                )
                present.add(grade_id)
                said = gettext("The test cell {cell} lost its metadata: its text tells it.")
                notes.append(said.format(cell=grade_id))
    return notes


def complaints(notebook: nbformat.NotebookNode, sheet: Sheet) -> list[str]:
    """What was changed that should stay as it is: a list of sentences."""
    found: list[str] = []
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        grade_id = _grade_id(cell)
        if grade_id not in sheet.tests:
            continue
        seen[grade_id] += 1
        if fingerprint(cell.source.strip()) != sheet.tests[grade_id]["digest"]:
            said = gettext(
                "The test cell {cell} is not the one you were given: it was edited, or it is from "
                "another release. When you are graded, the original one counts."
            )
            found.append(said.format(cell=grade_id))
    for grade_id in sheet.tests:
        if not seen[grade_id]:
            said = gettext("The test cell {cell} is missing. When you are graded, it is put back.")
            found.append(said.format(cell=grade_id))
        elif seen[grade_id] > 1:
            said = gettext("There are {count} copies of the test cell {cell}: keep one.")
            found.append(said.format(count=seen[grade_id], cell=grade_id))
    return found


@dataclass
class Opened:
    """A student's notebook, ready to run as it does when it is graded.

    Attributes
    ----------
    path : path
    notebook : notebook
    sheet : Sheet
    notes : list of str
        What is unusual about it, in sentences.
    content : str
        A digest of what is in it.
    """

    path: Path
    notebook: nbformat.NotebookNode
    sheet: Sheet
    notes: list[str]
    content: str

    def run(self, report: Callable[[Result], object], memory: Memory) -> list[Result]:
        """Run it, and remember the results: for each test of the assignment one."""
        results = _counting(run_tests(self.notebook, self.path.parent, report), self.sheet)
        memory.keep(self.path, self.content, [(r.grade_id, r.points, r.out_of) for r in results])
        return results


def open_notebook(path: Path, folder: Path = ASSIGNMENTS) -> Opened:
    """Read an assignment's notebook; raises `NotCheckable` if it cannot be, or has no tests."""
    notebook, notes = read_notebook(path)
    sheet = sheet_of(notebook, path.parent, folder)
    content = digest_of(notebook)
    notes = [f"{note[0].upper()}{note[1:]}." for note in notes]
    notes += put_back(notebook, sheet)
    if not _tests(notebook):
        raise NotCheckable(
            gettext("There are no test cells in {path}. Is it the right file?").format(path=path)
        )
    return Opened(path, notebook, sheet, notes + complaints(notebook, sheet), content)


def run_tests(
    notebook: nbformat.NotebookNode,
    folder: str | Path,
    report: Callable[[Result], object] = lambda result: None,
) -> list[Result]:
    """Run a notebook in a fresh kernel, cell by cell.

    Parameters
    ----------
    notebook : notebook
    folder : path
        In which it runs.
    report : callable, optional
        Called with each `Result` as soon as it is there.

    Returns
    -------
    list of Result

    Raises
    ------
    KeyboardInterrupt
        At Ctrl-C, when the kernel has been ended.
    """
    from nbclient import NotebookClient  # slow to import, and only needed here

    stopped = []

    class Client(NotebookClient):
        async def async_start_new_kernel(self, **kwargs):
            # nbclient's own answer to Ctrl-C is to end the kernel: that looks like a crash.
            task, loop = asyncio.current_task(), asyncio.get_running_loop()
            assert task is not None

            def stop():
                stopped.append(True)
                self.shutdown_kernel = "immediate"
                task.cancel()

            # Windows has no such handlers, and threads may not set any: there it comes by itself.
            with contextlib.suppress(RuntimeError):
                loop.add_signal_handler(signal.SIGINT, stop)
            await super().async_start_new_kernel(**kwargs)

    results = []
    lost: dict[str, int] = {}  # names that a cell should have made, and that cell's number
    ends: float | None = None  # when the notebook's time is over
    left = 0.0

    def on_cell_execute(**rest):
        nonlocal ends, left
        now = time.monotonic()
        if ends is None:
            ends = now + SECONDS_A_NOTEBOOK
        left = ends - now
        if left <= 0:
            raise _TimeUsedUp

    def on_cell_executed(cell, **rest):
        meta = cell.metadata.get("nbgrader", {})
        message = _failure(cell, is_last=left < SECONDS_A_CELL)
        missing = message and (
            re.search(r"name '(\w+)' is not defined", message) or says(message, not_there())
        )
        follows = lost.get(missing[1]) if missing else None
        if meta.get("grade") and not meta.get("solution"):
            result = Result(meta["grade_id"], float(meta.get("points", 0)), message, follows)
            results.append(result)
            report(result)
        elif message:
            names = _defined_names(cell.source)
            lost.update(dict.fromkeys(names, follows or cell.execution_count))
            if follows is None and not says(message, not_written_sentence()):
                report(Result(_cell_name(cell), 0.0, message))

    client = Client(
        notebook,
        timeout_func=lambda cell: min(SECONDS_A_CELL, left),
        interrupt_on_timeout=True,
        allow_errors=True,
        kernel_name="python3",
        # Without the kernel's remarks on its own start.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(Path(folder).resolve())}},
        on_cell_execute=on_cell_execute,
        on_cell_executed=on_cell_executed,
    )
    try:
        client.execute()
    except (Exception, asyncio.CancelledError) as error:
        if stopped:
            raise KeyboardInterrupt from None
        if isinstance(error, _TimeUsedUp):
            said = gettext(
                "The notebook as a whole took longer than the {seconds} seconds that it may: this "
                "cell did not run."
            ).format(seconds=SECONDS_A_NOTEBOOK)
        elif type(error).__name__ == "DeadKernelError":
            said = gettext("Python itself ended here (out of memory, or a crash).")
        else:
            raise
        for grade_id, points in _tests(notebook)[len(results) :]:
            results.append(Result(grade_id, points, said))
            report(results[-1])
    return results


def check(
    name: str | Path, show: Callable[[str], object] = print, folder: Path = ASSIGNMENTS
) -> bool:
    """Check an assignment and show the report, line by line, in the language of the notebook.

    Returns
    -------
    bool
        Whether all visible tests are passed.
    """
    path = find_notebook(name, folder)
    with speaking(current(path.parent)):
        return check_opened(open_notebook(path, folder), show, folder)


def check_opened(opened: Opened, show: Callable[[str], object], folder: Path) -> bool:
    """Run a notebook and show the report; whether all visible tests are passed."""
    show(gettext("Running {path} from top to bottom ...").format(path=opened.path))
    for sentence in opened.notes:
        show(wrap(gettext("Note: {sentence}").format(sentence=sentence)))
    shown: set[str] = set()

    def report(result):
        text = _lines(result, shown)
        if text:
            show(text)

    results = opened.run(report, Memory(folder))
    if _tells_cells(shown):
        said = gettext(
            "Cells have the numbers that Kernel > Restart Kernel and Run All Cells gives them."
        )
        show(f"\n{said}")
    points, total = sum(r.points for r in results), sum(r.out_of for r in results)
    failed = sum(r.message is not None for r in results)
    show("")
    if failed:
        said = gettext(
            "{points:g} of {total:g} points on the visible tests; {failed} of {count} tests fail."
        )
    else:
        said = gettext("{points:g} of {total:g} points on the visible tests; all tests pass.")
    show(said.format(points=points, total=total, failed=failed, count=len(results)))
    show(
        wrap(
            gettext(
                "Each test also runs with other numbers when you are graded, and gives its points "
                "only if it passes there, too."
            )
        )
    )
    if failed:
        show(gettext("Fix the first test that fails: later ones often fail for the same reason."))
    return not failed


def _counting(ran: list[Result], sheet: Sheet) -> list[Result]:
    """The results that count: for each test of the assignment one, whether it ran or not."""
    if not sheet.tests:
        return ran
    first = {result.grade_id: result for result in reversed(ran)}
    missing = gettext("The cell is missing.")
    return [
        first.get(grade_id) or Result(grade_id, float(test["points"]), missing)
        for grade_id, test in sheet.tests.items()
    ]


def _lines(result, shown):
    """A result as text; what was shown before is not shown again.

    Of a function only the first failure is shown with all its numbers.
    """
    word = gettext("FAIL") if result.message else gettext("pass")
    head = f"  {word}  {result.points:g}/{result.out_of:g}  {result.grade_id}"
    if not result.message:
        return head
    if result.follows:
        said = gettext("cell [{cell}] stopped, see above").format(cell=result.follows)
        return f"{head}   {said}"
    function, _, error = result.message.partition(": ")
    is_cell = not result.out_of
    # The same error in the same line, whatever the call, and whoever called.
    labels = "|".join(re.escape(lead(label)) for label in (gettext("call"), outer_label()))
    said = re.split(rf"\n(?:{labels})", result.message if is_cell else error)[0]
    key = " ".join(said.split())
    if key in shown:
        return "" if is_cell else f"{head}   {gettext('the same as above')}"
    shown.add(key)
    if is_cell:
        first = f"  {gettext('Fix this first.')}\n" if "stopped" not in shown else ""
        shown.add("stopped")
        stopped = gettext("{cell} stopped:").format(cell=result.grade_id)
        return f"\n  {stopped}\n{textwrap.indent(result.message, '    ')}\n{first}"
    lines = result.message.split("\n")
    if function in shown:
        lines = _without_numbers(lines)
    shown.add(function)
    return f"{head}\n" + "\n".join("        " + line for line in lines)


def _tells_cells(shown):
    """Whether the number of a cell was shown."""
    return "stopped" in shown or any(says(text, line_of_cell()) for text in shown)


def _without_numbers(lines):
    """The head of a message, and why; not the inputs and results."""
    labels = (gettext("why"), gettext("in"), gettext("stopped"), gettext("hint"), outer_label())
    reasons = tuple(lead(label) for label in labels)
    kept, inside = [], True
    for line in lines:
        # An empty line stands between the maps of an array.
        if line.strip() and not line.startswith("   "):
            inside = not line.startswith("  ") or line.startswith(reasons)
        if inside:
            kept.append(line)
    return kept


def _cell_name(cell):
    """What a cell is called: its number after Run All, and how it begins or what it is for."""
    first = cell.source.strip().partition("\n")[0]
    return gettext("Cell [{number}], `{name}`,").format(
        number=cell.execution_count, name=_grade_id(cell) or first[:60]
    )


def _defined_names(source):
    """The names that a cell gives a value at its top level, as far as its lines tell."""
    lines = r"^(?:(?:def|class) (\w+)|(\w+) *=[^=]|(?:import|from .* import).*?(\w+)$)"
    return {name for found in re.findall(lines, source, re.MULTILINE) for name in found if name}


def _failure(cell, is_last=False):
    """The message of the error that a cell ended with, or None.

    `is_last` says that, if the cell was stopped, it was because the notebook as a whole was over
    its time.
    """
    for output in cell.outputs:
        if output.output_type == "error":
            text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
            if output.ename == "KeyboardInterrupt":
                # Nobody pressed a key: the cell was interrupted here.
                place = text.partition(f"{interrupted()}\n")[2]
                if is_last:
                    said = gettext(
                        "It was stopped here: the notebook as a whole may take {seconds} seconds."
                    ).format(seconds=SECONDS_A_NOTEBOOK)
                else:
                    said = gettext(
                        "It ran too long: it was stopped after {seconds} seconds."
                    ).format(seconds=SECONDS_A_CELL)
                text = f"{said}\n{place}"
            elif output.ename in ("SyntaxError", "IndentationError", "TabError"):
                text = _syntax_error(output)
            elif "Traceback (most recent call last)" in text:  # nobody protected this cell
                text = f"{output.ename}: {output.evalue}"
            return text.strip()[: 40 * WIDTH]
    return None


def _syntax_error(output):
    """A cell that Python cannot read: what is wrong, and the line."""
    said = f"{output.ename}: {output.evalue.partition(' (')[0]}"
    shown = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
    found = re.search(r"line (\d+)\n(.*)\n\w+: ", shown, re.DOTALL)
    if not found:
        return said
    line = textwrap.indent(textwrap.dedent(found[2].rstrip()), " " * 14)
    place = gettext("line {line}").format(line=found[1])
    return f"{said}\n{lead(gettext('in'))}{place}:\n{line}"


def _grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _tests(notebook):
    return [
        (meta["grade_id"], float(meta.get("points", 0)))
        for cell in notebook.cells
        if (meta := cell.metadata.get("nbgrader", {})).get("grade")
        and not meta.get("solution")
        and cell.cell_type == "code"
    ]
