"""The visible and the hidden part of a test cell, and whether later cells make a difference."""

from __future__ import annotations

import ast
import functools
import types

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


def is_changed(test: str, before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether cells that run later may change what a test finds.

    They may if they bind, or change in place, a name that the test asks for, or that a function of
    an earlier cell looks up.

    Parameters
    ----------
    test : str
        Its code.
    before, after : tuple of str
        Code of the cells.
    """
    if any(changed_names(code) is None for code in after):
        return True
    changed = frozenset().union(*(changed_names(code) or () for code in after))
    if changed & asked_for(test):
        return True
    return any((used := looked_up(code)) is None or changed & used for code in before)


@functools.lru_cache(1000)
def asked_for(test: str) -> frozenset[str]:
    """The names that a test uses and does not define, also as a text: ``check("name", …)``."""
    texts = {
        node.value
        for node in ast.walk(ast.parse(test))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return frozenset(texts | (needed_names(test) or frozenset()))


@functools.lru_cache(1000)
def looked_up(code: str) -> frozenset[str] | None:
    """The global names that the functions of a cell use; None if it is no plain Python."""
    try:
        compiled = compile(code, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    inner = [const for const in compiled.co_consts if isinstance(const, types.CodeType)]
    return frozenset().union(*map(global_names, inner))


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
