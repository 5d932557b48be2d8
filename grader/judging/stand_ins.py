"""Judge tests without a checker in the grader, too: each student's function has a stand-in there.

A test such as ``assert total([1, 2]) == 3`` shows what it expects to whoever runs it. So it is run
by the grader, where calling ``total`` calls the student's function in its own process. That is only
done for tests that ask nothing but functions for values; others run beside the student's code.
"""

from __future__ import annotations

import ast
import builtins
import functools
import math
import types
from collections.abc import Collection, Mapping
from typing import Any

from grader.cells import BEGIN_HIDDEN, is_hidden
from grader.judging.failures import builtin_name
from grader.words import said
from helpers.assignment import CheckFailed

# What tests use of the grader's process, and what would mean another thing in the student's.
MODULES = ("builtins", "helpers.checks", "helpers.ops", "itertools", "math", "numpy", "torch")
NOT_HERE = {"open", "globals", "locals", "vars", "dir", "eval", "exec", "input", "__import__"}
STATE = {"seed", "manual_seed", "seed_everything", "set_default_dtype", "save", "load"}


@functools.lru_cache(1000)
def needed_names(code: str) -> frozenset[str] | None:
    """The names that a test uses without defining them; None if it is no plain Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return None
    used: set[str] = set()
    defined: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.alias):
            defined.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            defined.add(node.name)
    return frozenset(used - defined)


def can_be_judged_here(code: str, functions: Collection[str], space: Mapping[str, Any]) -> bool:
    """Whether a test gives the same verdict when the grader runs it.

    Parameters
    ----------
    code : str
        Of the test; what is decided depends on nothing that a student can write.
    functions : collection of str
        What the instructor's solution defines with ``def``.
    space : dict
        What the set-up cells define.
    """
    names = needed_names(code)
    if names is None or not names & set(functions) or names & NOT_HERE:
        return False
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import) and not all(_is_ours(a.name) for a in node.names):
            return False
        if isinstance(node, ast.ImportFrom) and (node.level or not _is_ours(node.module)):
            return False
        if isinstance(node, ast.Attribute) and node.attr in STATE:
            return False
        if isinstance(node, ast.Name) and node.id in STATE:
            return False
    known = names - set(functions)
    return all(_is_plain(space[n]) if n in space else hasattr(builtins, n) for n in known)


def _is_ours(name: str | None) -> bool:
    return name is not None and any(name == ours or name.startswith(ours + ".") for ours in MODULES)


def _is_plain(value: Any) -> bool:
    if isinstance(value, types.ModuleType):
        return _is_ours(value.__name__)
    if isinstance(value, bool | int | float | complex | str | bytes | type(None)):
        return True
    return _is_ours(getattr(value, "__module__", None) or "") and callable(value)


class StandIn:
    """Looks like a function of the notebook; each call goes to the student's process.

    Parameters
    ----------
    checker : RemoteChecker
    name : str
    """

    def __init__(self, checker: Any, name: str) -> None:
        self._checker, self.__name__ = checker, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        seen = self._checker(self.__name__, *args, **kwargs)
        if seen.error is not None:
            if isinstance(seen.error, Exception):
                raise seen.error
            # What would end this process, and not only the test. As an assertion of the test, of
            # which nothing is told if its line is hidden.
            ended_by = builtin_name(type(seen.error))
            raise AssertionError(f"{self.__name__} stopped with {ended_by}")
        for before, after in zip(args, self._checker.after, strict=True):
            _write_back(before, after)
        return seen.value


def _write_back(before: Any, after: Any) -> None:
    """Let the caller see what the function did to a list or an array that it was given."""
    if before is after or type(before) is not type(after):
        return
    if isinstance(before, list):
        before[:] = after
    elif isinstance(before, dict):
        before.clear()
        before.update(after)
    elif hasattr(before, "shape") and before.shape == after.shape and math.prod(before.shape):
        before[...] = after


def failure_of(error: Exception, code: str) -> CheckFailed:
    """What is shown of an error that ended a test: its line, unless the line is hidden.

    Parameters
    ----------
    error : Exception
    code : str
        Of the test, compiled under the name "<test>".

    Returns
    -------
    CheckFailed
    """
    number, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<test>":
            number = trace.tb_lineno
        trace = trace.tb_next
    what = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
    return failure_at(number, f"{what}{error}", code)


def failure_at(number: Any, text: str, code: str) -> CheckFailed:
    """A failed test as a `CheckFailed`.

    Parameters
    ----------
    number : int or None
        The line at which the test ended.
    text : str
        What the error says.
    code : str
        Of the test.
    """
    lines = code.splitlines()
    if not isinstance(number, int) or not 0 < number <= len(lines):
        return CheckFailed(said("The test fails."), "claim", hidden=BEGIN_HIDDEN in code)
    if is_hidden(code, number):
        return CheckFailed(said("A hidden test fails."), "claim", hidden=True)
    place = said("This does not hold: {line}").format(line=lines[number - 1].strip())
    return CheckFailed(f"{place}\n{text}".strip(), "claim")
