"""Tests whose outcome is known beforehand: asked among the others, they find a false interpreter.

A test that runs beside the student's code can be made to pass there: by another `assert`, another
`np.allclose`, an object that is equal to everything, another interpreter. What is asked here looks
like a test; some must hold, and some must not, and only the grader knows which.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Collection
from typing import NamedTuple

NUMPY, TORCH = "__import__('numpy')", "__import__('torch')"
# With {a} and {b} two numbers; {same} is {a} or {b}.
FORMS = {
    "assert": "assert {a} == {same}",
    "abs": "assert __import__('builtins').abs({a} - {same}) < 0.5",
    "isinstance": "assert __import__('builtins').isinstance({a} if {same} == {a} else '', int)",
    "np.allclose": f"assert {NUMPY}.allclose([1.0, {{a}}], [1.0, {{same}}])",
    "np.array_equal": f"assert {NUMPY}.array_equal([1, {{a}}], [1, {{same}}])",
    "np.testing": f"{NUMPY}.testing.assert_allclose([{{a}}.0], [{{same}}.0])",
    "ndarray ==": f"assert ({NUMPY}.array([1, {{a}}]) == {NUMPY}.array([1, {{same}}])).all()",
    "torch.equal": f"assert {TORCH}.equal({TORCH}.tensor([{{a}}]), {TORCH}.tensor([{{same}}]))",
    "torch.allclose": (
        f"assert {TORCH}.allclose({TORCH}.tensor([{{a}}.0]), {TORCH}.tensor([{{same}}.0]))"
    ),
}


class Question(NamedTuple):
    """A probe: what it is about, its code, and whether it holds."""

    name: str
    code: str
    holds: bool


def questions(rng: random.Random, number: int | None, modules: Collection[str]) -> list[Question]:
    """Some probes.

    Parameters
    ----------
    rng : random.Random
    number : int or None
        How many; None for each of them twice, so that it must hold and must not.
    modules : collection of str
        What is imported in the student's process.
    """
    forms = [name for name in FORMS if not name.startswith("torch") or "torch" in modules]
    if number is None:
        chosen = [(name, holds) for name in forms for holds in (True, False)]
        rng.shuffle(chosen)
    else:
        chosen = [(rng.choice(forms), rng.random() < 0.5) for _ in range(number)]
    made = []
    for name, holds in chosen:
        a, b = rng.sample(range(10, 100), 2)
        made.append(Question(name, FORMS[name].format(a=a, same=a if holds else b), holds))
    return made


def must_fail(code: str, rng: random.Random) -> list[str]:
    """Versions of a test that passes, each of which must fail.

    Parameters
    ----------
    code : str
    rng : random.Random

    Returns
    -------
    list of str
    """
    a, b = rng.sample(range(10, 100), 2)
    try:
        tree = ast.parse(code)
    except SyntaxError:  # with a magic command
        return [f"{code}\nassert {a} == {b}"]
    asserts = {i: node for i, node in enumerate(tree.body) if isinstance(node, ast.Assert)}
    made = []
    if asserts:
        place = rng.choice(list(asserts))
        negated = ast.Assert(ast.UnaryOp(ast.Not(), asserts[place].test), asserts[place].msg)
        made.append(_with(tree, place, negated))
    equal = {i: node for i, node in asserts.items() if _is_equal_to_literal(node.test)}
    if equal:
        place = rng.choice(list(equal))
        other = copy.deepcopy(equal[place])
        assert isinstance(other.test, ast.Compare)
        other.test.comparators = [ast.parse("object()", mode="eval").body]
        made.append(_with(tree, place, other))
    made.append(_with(tree, len(tree.body), ast.parse(f"assert {a} == {b}").body[0]))
    rng.shuffle(made)
    return [ast.unparse(ast.fix_missing_locations(item)) for item in made]


def _with(tree: ast.Module, place: int, node: ast.stmt) -> ast.Module:
    """A module with another statement at a place, or at its end."""
    return ast.Module([*tree.body[:place], node, *tree.body[place + 1 :]], [])


def _is_equal_to_literal(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    try:
        value = ast.literal_eval(test.comparators[0])
    except ValueError:
        return False
    return len(test.ops) == 1 and value not in ((), [], {}, "")
