"""The value of a test's last line, by which nbgrader's tests give a part of their points."""

from __future__ import annotations

import ast
import math
import numbers
from types import CodeType


def compiled(code: str, name: str) -> tuple[CodeType, CodeType | None]:
    """A test to be run with `exec`, and its last expression, if it ends in one, for `eval`.

    Raises
    ------
    SyntaxError
        As of `compile`.
    """
    tree = ast.parse(code, name)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return compile(tree, name, "exec"), None
    tree.body.pop()
    return compile(tree, name, "exec"), compile(ast.Expression(last.value), name, "eval")


def as_number(value: object) -> float | None:
    """A value as a number of points; None if it is no number."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
