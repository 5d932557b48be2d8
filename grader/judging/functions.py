"""Functions of a test cell as data, with the definitions that they need, and the names in code."""

from __future__ import annotations

import ast
import dis
import functools
import marshal
import types
from collections.abc import Iterable
from typing import Any

from grader.sandbox.inside import values, wire
from grader.sandbox.inside.spaces import test_space

# The instructions that look up a global name; in a class's body, or at the top, by way of others.
LOOKS_UP = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}


def is_function(thing: Any) -> bool:
    return isinstance(thing, types.FunctionType)


def pack_function(function: types.FunctionType, blobs: list[wire.Blob]) -> wire.Message:
    """A function of a test as data: its compiled code, its defaults and what it encloses.

    Only ever sent from the grader to a child.
    """
    blobs.append(marshal.dumps(function.__code__))
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return {
        "is": "function",
        "blob": len(blobs) - 1,
        "name": function.__name__,
        "defaults": [values.encode(item, blobs) for item in function.__defaults__ or ()],
        "closure": [values.encode(item, blobs) for item in cells],
    }


def definitions(code: str, functions: Iterable[types.FunctionType]) -> str:
    """The part of a test cell that functions need: nothing of what is expected goes with it."""
    defined = _all_defined(code)
    return _definitions(
        code, frozenset().union(*(names_looked_up(f.__code__, defined) for f in functions))
    )


def error_of_definitions(code: str) -> str | None:
    """The name of the error that definitions raise where nothing of a student's has run, or None.

    What a test keeps in its own namespace, such as its checker, is not there.
    """
    try:
        test_space(code)
    except Exception as error:
        return type(error).__name__
    return None


def read_definitions(code: str, body: types.CodeType) -> None:
    """Find what each function of a test needs, once for all students."""
    defined = _all_defined(code)
    for const in body.co_consts:
        if isinstance(const, types.CodeType):
            _definitions(code, names_looked_up(const, defined))


# The tests of an assignment are the same for every student.
@functools.lru_cache(1000)
def _all_defined(code: str) -> frozenset[str]:
    """The names that the statements of a test cell bind which can be taken along."""
    return frozenset().union(*(defined_names(n) for n in ast.parse(code).body if _is_kept(n)))


@functools.lru_cache(1000)
def _definitions(code: str, names: frozenset[str]) -> str:
    if not names:
        return ""
    defined = _all_defined(code)
    needed: set[str] = set(names)
    chosen: list[ast.stmt] = []
    for node in reversed(ast.parse(code).body):
        if _is_kept(node) and defined_names(node) & needed:
            chosen.append(node)
            needed |= names_looked_up(compile(ast.Module([node], []), "<test>", "exec"), defined)
    return ast.unparse(ast.Module(list(reversed(chosen)), []))


def _is_kept(node: ast.stmt) -> bool:
    return isinstance(
        node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign
    )


@functools.lru_cache(1000)
def names_looked_up(code: types.CodeType, among: frozenset[str]) -> frozenset[str]:
    """Which of these names compiled code looks up as global ones, in the functions inside it, too.

    Local names and those of attributes are none: of a test that works out ``maps``, a procedure
    that uses ``after.maps`` needs nothing.
    """
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    own = among.intersection(code.co_names)
    if own:  # taking code apart takes time
        own &= {step.argval for step in dis.get_instructions(code) if step.opname in LOOKS_UP}
    return own.union(*(names_looked_up(const, among) for const in inner))


def defined_names(node: Any) -> set[str]:
    """The names that an import, a definition or an assignment binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    targets = node.targets
    return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}


@functools.lru_cache(1000)
def used_names(code: str) -> frozenset[str]:
    """The names that a cell uses; none of one that is no Python."""
    try:
        return frozenset(names_in(ast.parse(code)))
    except SyntaxError:
        return frozenset()


def names_in(node: ast.AST) -> set[str]:
    """All names in a syntax tree."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
