"""The visible and the hidden part of a test cell, and whether later cells make a difference."""

from __future__ import annotations

import ast
import functools
import symtable
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from grader.cells import is_hidden
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
    an earlier cell looks up; or if they hand its value on, to a function or a method of its own,
    unless it is a module, a function or a class.

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
        found = [names_of(source) for source in sources]
        known = [names for names in found if names is not None]
        fixed = frozenset().union(*(names.fixed for names in known))
        fixed = fixed.difference(*(names.variable for names in known))
        changed = [None if n is None else n.bound | (n.handed_on - fixed) for n in found]
        self.changed = _together(reversed(changed))[::-1]

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
    tables = _tables(code)
    if tables is None:
        return None
    return frozenset(
        symbol.get_name()
        for table in tables[1:]
        for symbol in table.get_symbols()
        if symbol.is_global()
    )


def _tables(code: str) -> list[symtable.SymbolTable] | None:
    """The table of a cell's names and, after it, those of all functions and classes within."""
    try:
        tables: list[symtable.SymbolTable] = [symtable.symtable(code, "<cell>", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for table in tables:
        tables += table.get_children()
    return tables


class Names(NamedTuple):
    """What a cell does with names.

    Attributes
    ----------
    bound : frozenset of str
        Those that it binds, and those whose value it changes in place, whatever they are.
    fixed : frozenset of str
        Those that it binds to modules, functions and classes.
    variable : frozenset of str
        Those that it binds to anything else.
    handed_on : frozenset of str
        Those that it hands to functions, and whose methods it calls: if such a name is fixed,
        nothing is changed by that.
    """

    bound: frozenset[str]
    fixed: frozenset[str]
    variable: frozenset[str]
    handed_on: frozenset[str]


@functools.lru_cache(1000)
def names_of(code: str) -> Names | None:
    """What a cell does with names; None if it is no plain Python."""
    tables = _tables(code)
    if tables is None:
        return None
    # Not those that are local to a function.
    fixed: set[str] = set()
    variable: set[str] = set()
    for table in tables:
        for symbol in table.get_symbols():
            if table is not tables[0] and not symbol.is_declared_global():
                continue
            if symbol.is_imported() or symbol.is_namespace():
                fixed.add(symbol.get_name())
            elif symbol.is_assigned():
                variable.add(symbol.get_name())
    changed: set[str] = set()
    handed_on: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute | ast.Subscript):
            if not isinstance(node.ctx, ast.Load):
                changed.add(_base(node))
        elif isinstance(node, ast.Call):
            for part in (node.func, *node.args, *(word.value for word in node.keywords)):
                if part is not node.func or isinstance(part, ast.Attribute):
                    handed_on.update(_bases(part))
        elif (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
            and not _has_call(node.value.func)
        ):
            changed.add(
                _base(node.value.func)
            )  # np.random.seed(3), not F.mse_loss(x, y).backward()
    bound = frozenset(fixed | variable | changed)
    return Names(bound, frozenset(fixed), frozenset(variable), frozenset(handed_on))


def _bases(node: ast.expr) -> Iterator[str]:
    """The names at which what is handed on begins: ``steps``, ``steps[0]``, ``[steps, 3]``."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        for part in node.elts:
            yield from _bases(part)
    elif isinstance(node, ast.Dict):
        for part in node.values:
            yield from _bases(part)
    elif isinstance(node, ast.Starred):
        yield from _bases(node.value)
    elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        yield _base(node)


def _has_call(node: ast.expr) -> bool:
    """Whether there is a call in an expression such as ``name(3).part[0]``."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return isinstance(node, ast.Call)


def _base(node: ast.expr) -> str:
    """The name at which an expression such as ``name.part[0]`` begins."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
