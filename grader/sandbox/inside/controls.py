"""Tests that run beside a student's code, and what of the interpreter was exchanged.

A test is compiled and run as it is: no transformer and no method of the shell has a part in it.
What was exchanged changes no mark by itself; it is shown to a person, who decides.
"""

from __future__ import annotations

import builtins
import sys
from typing import Any

from . import shell as shells
from .last_value import as_number, compiled
from .messages import Reply

TEST = "<test>"
WATCHED = {
    "builtins": [
        *("abs", "all", "any", "compile", "eval", "exec", "float", "getattr", "int", "isinstance"),
        *("len", "max", "min", "open", "print", "range", "round", "sum", "type", "zip"),
        *("__import__", "AssertionError", "Exception"),
    ],
    "numpy": ["allclose", "array_equal", "isclose", "all", "abs", "array", "asarray"],
    "numpy.testing": ["assert_allclose", "assert_array_equal", "assert_almost_equal"],
    "torch": ["equal", "allclose", "isclose"],
}


class Controls:
    """What the interpreter was like before any student's code ran.

    Parameters
    ----------
    shell : Shell
    """

    def __init__(self, shell: shells.Shell) -> None:
        self.shell = shell
        self.exec, self.eval, self.compiled = builtins.exec, builtins.eval, compiled
        self.assertion = AssertionError
        self.originals: dict[tuple[str, str], Any] = {
            (module, name): getattr(sys.modules[module], name, None)
            for module, names in WATCHED.items()
            if module in sys.modules
            for name in names
        }
        kind = type(shell)
        self.methods = {
            name: getattr(kind, name)
            for name in ("run_cell", "run_cell_async", "run_code", "run_ast_nodes")
        }
        self.transformers = len(shell.input_transformers_post)
        self.cleanup = len(shell.input_transformer_manager.cleanup_transforms)
        self.lines = len(shell.input_transformer_manager.line_transforms)
        self.tokens = len(shell.input_transformer_manager.token_transformers)

    def run(self, code: str, output_limit: int) -> Reply:
        """Run a test in the notebook's names: its outputs, whether it failed, and where."""
        reply: Reply = {"failed": True, "text": "", "line": None}
        try:
            body, last = self.compiled(code, TEST)
        except SyntaxError:  # a magic command, or an await
            body, last = None, None
        with shells.collecting(output_limit):
            try:
                if body is not None:
                    self.exec(body, self.shell.user_ns)
                    if last is not None:
                        reply["points"] = as_number(self.eval(last, self.shell.user_ns))
                    reply["failed"] = False
                else:
                    reply["failed"] = not self.shell.run_cell(code, store_history=False).success
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                reply["text"], reply["line"] = message_of(error), line_of(error)
                reply["is_assertion"] = type(error) is self.assertion
        reply["outputs"], reply["is_full"] = shells.collector.outputs, shells.collector.is_full
        return reply

    def changed(self) -> list[str]:
        """What was exchanged since: a list of names."""
        found = [
            f"{module}.{name} was exchanged"
            for (module, name), original in self.originals.items()
            if getattr(sys.modules.get(module), name, None) is not original
        ]
        shell, kind = self.shell, type(self.shell)
        found += [
            f"the shell's {name} was exchanged"
            for name, original in self.methods.items()
            if getattr(kind, name, None) is not original or name in vars(shell)
        ]
        manager = shell.input_transformer_manager
        if shell.ast_transformers:
            found.append("an AST transformer was added")
        if (
            len(shell.input_transformers_post) != self.transformers
            or len(manager.cleanup_transforms) != self.cleanup
            or len(manager.line_transforms) != self.lines
            or len(manager.token_transformers) != self.tokens
        ):
            found.append("an input transformer was added")
        return found


def message_of(error: BaseException) -> str:
    """What an error says, with its type if that is no failed `assert`."""
    try:
        text = str(error)[:2000]
    except Exception:
        text = ""
    return text if type(error) is AssertionError else f"{type(error).__name__}: {text}"


def line_of(error: BaseException) -> int | None:
    """The line of the test at which it ended."""
    number, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == TEST:
            number = trace.tb_lineno
        trace = trace.tb_next
    return number
