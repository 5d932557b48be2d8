"""Tests whose outcome is known beforehand: asked among the others, they find a false interpreter.

A test that runs beside the student's code can be made to pass there: by another `assert`, another
`np.allclose`, an object that is equal to everything, another interpreter. What is asked here looks
like a test; some must hold, and some must not, and only the grader knows which.
"""

import ast
import copy

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


def questions(places, number, modules):
    """Some probes: (name, code, whether it holds).

    Parameters
    ----------
    places : random.Random
    number : int or None
        How many; None for each of them twice, so that it must hold and must not.
    modules : collection of str
        What is imported in the student's process.
    """
    forms = [name for name in FORMS if not name.startswith("torch") or "torch" in modules]
    if number is None:
        chosen = [(name, holds) for name in forms for holds in (True, False)]
        places.shuffle(chosen)
    else:
        chosen = [(places.choice(forms), places.random() < 0.5) for _ in range(number)]
    made = []
    for name, holds in chosen:
        a, b = places.sample(range(10, 100), 2)
        made.append((name, FORMS[name].format(a=a, same=a if holds else b), holds))
    return made


def must_fail(code, places):
    """Versions of a test that passes, each of which must fail.

    Parameters
    ----------
    code : str
    places : random.Random

    Returns
    -------
    list of str
    """
    a, b = places.sample(range(10, 100), 2)
    try:
        tree = ast.parse(code)
    except SyntaxError:  # with a magic command
        return [f"{code}\nassert {a} == {b}"]
    claims = [i for i, node in enumerate(tree.body) if isinstance(node, ast.Assert)]
    made = []
    if claims:
        changed = copy.deepcopy(tree)
        node = changed.body[places.choice(claims)]
        node.test = ast.UnaryOp(ast.Not(), node.test)
        made.append(changed)
    equal = [i for i in claims if _is_equal_to_literal(tree.body[i].test)]
    if equal:
        changed = copy.deepcopy(tree)
        changed.body[places.choice(equal)].test.comparators = [ast.parse("object()").body[0].value]
        made.append(changed)
    changed = copy.deepcopy(tree)
    changed.body.append(ast.parse(f"assert {a} == {b}").body[0])
    made.append(changed)
    places.shuffle(made)
    return [ast.unparse(ast.fix_missing_locations(item)) for item in made]


def _is_equal_to_literal(test):
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    try:
        value = ast.literal_eval(test.comparators[0])
    except ValueError:
        return False
    return len(test.ops) == 1 and value not in ((), [], {}, "")
