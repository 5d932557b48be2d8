"""The visible and the hidden part of a test cell, and whether later cells make a difference."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Iterable, Sequence

from grader.cells import is_hidden
from grader.judging.functions import global_names
from grader.judging.stand_ins import needed_names


@functools.lru_cache(1000)
def split(code: str) -> tuple[str, str] | None:
    """The visible and the hidden part of a test, each with its lines where they were.

    Returns
    -------
    (str, str) or None
        None if nothing is hidden. If the two cannot be run one after the other, the visible part is
        empty, and all of it is the hidden one.
    """
    lines = code.splitlines()
    hidden = [is_hidden(code, number) for number in range(1, len(lines) + 1)]
    if not any(hidden):
        return None
    first = hidden.index(True)
    visible, rest = "\n".join(lines[:first]), "\n" * first + "\n".join(lines[first:])
    is_last = all(
        is_in or not line.strip() or line.lstrip().startswith("#")
        for line, is_in in zip(lines[first:], hidden[first:], strict=True)
    )
    try:
        ast.parse(visible)
        ast.parse(rest)
    except SyntaxError:  # a region inside of a block, or a magic command
        is_last = False
    return (visible, rest) if is_last else ("", code)


class Changes:
    """Whether cells that run later may change what a test finds.

    They may if they bind, or change in place, a name that the test asks for, or that a function of
    an earlier cell looks up.

    Parameters
    ----------
    sources : sequence of str
        Code of the cells, and for a test or a text "".
    checkers : frozenset of str
        The names of the checkers that the set-up cells make.
    """

    def __init__(self, sources: Sequence[str], checkers: frozenset[str]) -> None:
        self.checkers = checkers
        # By cell what functions before it look up, and what it and those after it change; or None.
        self.looked_up = _together(map(looked_up, sources))
        self.changed = _together(map(changed_names, reversed(sources)))[::-1]

    def after(self, number: int, test: str) -> bool:
        """Whether those after this cell may change what this test there finds."""
        used, changed = self.looked_up[number], self.changed[number]
        if changed is None or used is None:
            return True
        return not changed.isdisjoint(used | asked_for(test, self.checkers))


def _together(names: Iterable[frozenset[str] | None]) -> list[frozenset[str] | None]:
    """The names in the first n, for each n from 0 on; None if some cannot be told."""
    found: list[frozenset[str] | None] = [frozenset()]
    for some in names:
        last = found[-1]
        found.append(None if last is None or some is None else last | some)
    return found


@functools.lru_cache(1000)
def asked_for(test: str, checkers: frozenset[str]) -> frozenset[str]:
    """The names that a test uses and does not define, also as a text: ``check("name", …)``.

    Where it uses a checker otherwise, each of its texts may be such a name.
    """
    tree = ast.parse(test)
    texts = _called_by_name(tree, checkers)
    if texts is None:
        texts = {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return frozenset(texts | (needed_names(test) or frozenset()))


def _called_by_name(tree: ast.Module, checkers: frozenset[str]) -> set[str] | None:
    """What a test calls through checkers; None if it cannot be seen."""
    called: set[str] = set()
    uses = sum(isinstance(node, ast.Name) and node.id in checkers for node in ast.walk(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        checker, place = node.func, 0
        if isinstance(checker, ast.Attribute) and checker.attr in ("probe", "rng"):
            checker, place = checker.value, 1
        if not _is_checker(checker, checkers):
            continue
        uses -= 1
        if isinstance(node.func, ast.Attribute) and node.func.attr == "rng":
            continue
        name = node.args[place] if len(node.args) > place else None
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
            return None
        called.add(name.value)
    return None if uses else called


def _is_checker(node: ast.expr, checkers: frozenset[str]) -> bool:
    """Whether an expression is a checker, such as ``check.hidden`` or ``check.limit(60)``."""
    if isinstance(node, ast.Call):
        inner = node.func
        return (
            isinstance(inner, ast.Attribute)
            and inner.attr == "limit"
            and _is_checker(inner.value, checkers)
        )
    if isinstance(node, ast.Attribute):
        return node.attr == "hidden" and _is_checker(node.value, checkers)
    return isinstance(node, ast.Name) and node.id in checkers


@functools.lru_cache(1000)
def looked_up(code: str) -> frozenset[str] | None:
    """The global names that the functions of a cell use; None if it is no plain Python."""
    try:
        compiled = compile(code, "<cell>", "exec")
        inner = [const for const in compiled.co_consts if isinstance(const, types.CodeType)]
        return frozenset().union(*map(global_names, inner))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@functools.lru_cache(1000)
def changed_names(code: str) -> frozenset[str] | None:
    """The names that a cell binds, or whose value it may change; None if it is no plain Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            found.add(node.name or "")
        elif isinstance(node, ast.MatchMapping):
            found.add(node.rest or "")
        elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            if not isinstance(node.ctx, ast.Load):
                found.add(_base(node))
        elif (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
        ):
            found.add(_base(node.value.func))  # numbers.append(3)
    return frozenset(found)


def _base(node: ast.expr) -> str:
    """The name at which an expression such as ``name.part[0]`` begins."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
