"""What Jupyter shows when a cell of an assignment stops: the error and the student's own line.

The first `Checker` of a notebook calls `protect`. From then on an error in any cell is told as the
tests tell it, without the lines of the course's own code, and a cell that only shows a student's
result is stopped when it takes too long.
"""

from __future__ import annotations

import ast
import contextlib
import linecache
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from helpers.assignment.messages import (
    error_lines,
    error_text,
    is_stub,
    not_written,
    place_of,
    says,
    student_frame,
    student_frames,
    wrap,
)
from helpers.assignment.sheet import fingerprint
from helpers.assignment.time_limit import WALL_FACTOR, TookTooLong, time_limit
from helpers.checks import none_sentence
from helpers.language import gettext

SECONDS = 60  # that a cell of the course's may compute
OUTER = 3  # lines that are shown of those that called the one in which an error came up


def protect(tries: Mapping[str, str], seconds: float = SECONDS) -> None:
    """Tell errors of this notebook's cells in short; does nothing outside of Jupyter.

    Parameters
    ----------
    tries : dict of str to str
        Those cells of the notebook that have a time limit: the fingerprint of the text by the
        cell's id. A cell is known by either of them.
    seconds : float
        How long one of these cells may compute.
    """
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    if getattr(shell, "kernel", None) is None:
        return
    for event, callbacks in shell.events.callbacks.items():
        for callback in list(callbacks):
            if isinstance(getattr(callback, "__self__", None), _Guard):
                shell.events.unregister(event, callback)
    guard = _Guard(shell, tries, seconds)
    shell.events.register("pre_run_cell", guard.begin)
    shell.events.register("post_run_cell", guard.end)
    shell.set_custom_exc((Exception, KeyboardInterrupt, TookTooLong), guard.show)


class _Guard:
    """The time limit of cells that only show a result, and the words for their errors."""

    def __init__(self, shell: Any, tries: Mapping[str, str], seconds: float) -> None:
        self.shell, self.tries, self.seconds = shell, tries, seconds
        self.clock = contextlib.ExitStack()
        self.is_try = False

    def begin(self, info: Any) -> None:
        """Start the clock before a cell, if it has a limit."""
        digest = fingerprint(info.raw_cell.strip())
        cell_id = getattr(info, "cell_id", None)
        self.is_try = cell_id in self.tries or digest in self.tries.values()
        if self.is_try:
            limit = time_limit(WALL_FACTOR * self.seconds, thread_seconds=self.seconds)
            self.clock.enter_context(limit)

    def end(self, result: Any) -> None:
        """Stop the clock, and say it if what the cell ends with is a function's None."""
        self.clock.close()
        names = _called(self.shell, result.info.raw_cell, is_last=True)
        if self.is_try and result.success and result.result is None and names:
            print(wrap(_no_result(names)))

    def show(
        self,
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType,
        tb_offset: int | None = None,
    ) -> None:
        """Show an error of a cell."""
        self.clock.close()
        if not hasattr(error, "_render_traceback_"):
            # IPython asks an exception for this before it formats a traceback of its own.
            text = explained(error, shell, self.seconds)
            with contextlib.suppress(AttributeError):  # an error that takes no attributes
                error._render_traceback_ = lambda: [text]  # type: ignore[attr-defined]
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def explained(error: BaseException, shell: Any = None, seconds: float = SECONDS) -> str:
    """An error of a cell as a student reads it, the student's own line first.

    Parameters
    ----------
    error : BaseException
    shell : InteractiveShell, optional
        Of the notebook, for the names of its functions.
    seconds : float
        The time limit of a cell.
    """
    frames = student_frames(error)
    if is_stub(error) and frames and frames[0].name.isidentifier():
        return wrap(f"{frames[0].name}: {not_written(error, frames[0].name)}.")
    if isinstance(error, TookTooLong):
        head = gettext(
            "This cell was still running after {seconds:g} seconds, and was stopped. Does a loop "
            "never end, or does it do far too much work?"
        ).format(seconds=seconds)
        place = place_of(student_frame(error), gettext("stopped"))
        return "\n".join([wrap(head), *place, *_outer(frames)])
    if isinstance(error, KeyboardInterrupt):
        return "\n".join([interrupted(), *place_of(student_frame(error))])
    said = str(error)
    if isinstance(error, AssertionError) and says(said, none_sentence()):
        cell = frames[-1].filename if frames else ""
        names = _called(shell, _source(cell)) if shell is not None else []
        return wrap(_no_result(names))
    text = f"{type(error).__name__}: {said}" if "\n  " in said else wrap(error_text(error))
    return "\n".join([text, *error_lines(error), *_outer(frames)])


def interrupted() -> str:
    """What is said of a cell that somebody or something has interrupted."""
    return gettext("Stopped by hand (KeyboardInterrupt).")


def outer_label() -> str:
    """The label of a line that called the one in which an error came up."""
    return gettext("called in")


def _outer(frames):
    """The student's lines that led to the innermost one."""
    lines = []
    for frame in frames[1 : OUTER + 1]:
        lines += place_of(frame, outer_label())
    return lines


def _no_result(names):
    """A sentence for a result that is None."""
    if len(names) == 1:
        said = gettext(
            "`{name}` gives None back. Does it end with `return`? (print only shows a value.)"
        )
        return said.format(name=names[0])
    return gettext(
        "A function of this cell gives None back. Does it end with `return`? (print only shows a "
        "value.)"
    )


def _source(filename):
    return "".join(linecache.getlines(filename))


def _called(shell, code, is_last=False):
    """The names of the notebook's own functions that a cell calls, or its last line does."""
    try:
        tree: Any = ast.parse(code)
    except SyntaxError:
        return []
    if is_last:
        last: Any = tree.body[-1] if tree.body else None
        is_call = isinstance(last, ast.Expr) and isinstance(last.value, ast.Call)
        tree = last.value.func if is_call else ast.Tuple([])
    else:
        tree = ast.Tuple([node.func for node in ast.walk(tree) if isinstance(node, ast.Call)])
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    own = [name for name in sorted(names) if _is_own(shell.user_ns.get(name))]
    return own


def _is_own(thing):
    return callable(thing) and getattr(thing, "__module__", "") == "__main__"
