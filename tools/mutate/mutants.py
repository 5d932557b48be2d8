"""Edits of a right solution, as many as come to mind: each makes a mutant of it.

`tools.mutate.python` has those that are tried everywhere in the course. These are more, for code
of a few lines of which a hundred mutants are wanted: every other operator, index, axis, constant,
type, name and function that could stand in a place.
"""

import ast
from itertools import pairwise

from tools.mutate import python
from tools.mutate.fault import Edit

BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//"}
COMPARED = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
SYMMETRIC = {"max", "min", "maximum", "minimum", "result_type", "gcd", "equal", "isclose"}
OTHER_NAMES = [
    {"sum", "mean", "prod", "max", "min", "median"},
    {"amax", "amin"},
    {"argmax", "argmin"},
    {"maximum", "minimum"},
    {"zeros", "ones"},
    {"zeros_like", "ones_like"},
    {"floor", "ceil", "round"},
    {"cos", "sin"},
    {"var", "std"},
    {"normal", "uniform"},
    {"train", "eval"},
    {"deepcopy", "copy"},
    {"relu", "sigmoid", "leaky_relu"},
    {"ReLU", "Sigmoid", "LeakyReLU"},
    {"max_pool2d", "avg_pool2d"},
    {"MaxPool2d", "AvgPool2d"},
    {"log_softmax", "softmax"},
    {"nll_loss", "cross_entropy"},
    {"permutation", "arange"},
    {"float", "int"},
    {"float64", "float32", "float16", "int64"},
    {"edge", "constant", "reflect"},
    {"any", "all"},
    {"inf", "nan"},
]


def mutations(source):
    """The edits of a `Source`, without two that make the same of it, and without messages."""
    made, same = {ast.dump(source.tree)}, set(_same(source))
    for edit in (*python.edits(source), *_more(source)):
        if edit.what == "message" or edit in same:
            continue
        try:
            mutant = ast.dump(ast.parse(edit.of(source.text)))
        except SyntaxError:
            continue
        if mutant not in made:
            made.add(mutant)
            yield edit


def _more(source):
    for function in ast.walk(source.tree):
        if isinstance(function, ast.FunctionDef):
            yield from _names(source, function)
    for node in python.nodes(source.tree):
        yield from _operators(source, node)
        yield from _calls(source, node)
        yield from _places(source, node)
        yield from _statements(source, node)


def _operators(source, node):
    if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        for other in BINARY:
            yield python.with_other(source, "operator", node, op=other())
    if isinstance(node, ast.BinOp):
        for part in (node.left, node.right):
            yield source.replace("part left out", node, f"({source.segment(part)})")
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            yield source.replace("part left out", node, f"({source.segment(part)})")
    if isinstance(node, ast.UnaryOp):
        yield source.replace("sign left out", node, f"({source.segment(node.operand)})")
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        for other in COMPARED:
            yield python.with_other(source, "comparison", node, ops=[other(), *node.ops[1:]])
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for other in (node.value - 1, 0, 2 * node.value, node.value / 2):
            if other != node.value:
                yield source.replace("number", node, f"({other!r})")
    if isinstance(node, ast.If | ast.IfExp):
        for always in ("True", "False"):
            yield source.replace("condition", node.test, always)


def _calls(source, node):
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        name = getattr(node, "attr", getattr(node, "id", None))
        for group in OTHER_NAMES:
            for other in sorted(group - {name}) if name in group else ():
                end = source.span(node)[1]
                yield Edit("function or type", end - len(name), end, other)
    if isinstance(node, ast.Call):
        given = [*node.args, *node.keywords]
        for one, other in pairwise(node.args) if python.called(node) not in SYMMETRIC else ():
            yield from source.swap("arguments swapped", one, other)
        for part in given if len(given) > 1 else ():
            kept = ", ".join(source.segment(other) for other in given if other is not part)
            call = f"{source.segment(node.func)}({kept})"
            yield source.replace("argument left out", node, call)
        if isinstance(node.func, ast.Attribute):
            inner = source.segment(node.func.value)
            yield source.replace("call left out", node, f"({inner})")
        for part in node.args[:1]:
            if not isinstance(part, ast.Starred | ast.GeneratorExp):
                yield source.replace("call left out", node, f"({source.segment(part)})")


def _places(source, node):
    if isinstance(node, ast.Tuple | ast.List):
        for one, other in pairwise(node.elts):
            yield from source.swap("order", one, other)
        for part in node.elts if len(node.elts) > 1 and isinstance(node.ctx, ast.Load) else ():
            kept = ", ".join(source.segment(other) for other in node.elts if other is not part)
            new = f"[{kept}]" if isinstance(node, ast.List) else f"({kept},)"
            yield source.replace("part left out", node, new)
    if isinstance(node, ast.Slice):
        for name in ("lower", "upper", "step"):
            if getattr(node, name):
                parts = {part: getattr(node, part) for part in ("lower", "upper", "step")}
                parts[name] = None
                lower, upper, step = (source.segment(p) if p else "" for p in parts.values())
                new = f"{lower}:{upper}" + (f":{step}" if step else "")
                yield source.replace("slice", node, new)
    if isinstance(node, ast.Subscript):
        yield source.replace("index left out", node, f"({source.segment(node.value)})")
    if isinstance(node, ast.Call) and python.called(node) == "range" and len(node.args) == 1:
        end = source.segment(node.args[0])
        for new in (f"range(1, {end})", f"range({end} - 1)", f"range({end} + 1)"):
            yield source.replace("range", node, new)
    for one, other in pairwise(getattr(node, "generators", ())):
        if not one.ifs and not other.ifs:
            (start, middle), (after, end) = (
                (source.span(loop.target)[0], source.span(loop.iter)[1]) for loop in (one, other)
            )
            text = source.text
            new = text[after:end] + text[middle:after] + text[start:middle]
            yield Edit("order of loops", start, end, new)


def _statements(source, node):
    if isinstance(node, ast.Assign | ast.Return | ast.Raise | ast.Break | ast.Continue):
        yield source.replace("statement left out", node, "pass")
    if isinstance(node, ast.AugAssign):
        target, value = source.segment(node.target), source.segment(node.value)
        yield source.replace("only assigned", node, f"{target} = {value}")
    if isinstance(node, ast.For) and isinstance(node.body[0], ast.For):
        inner = node.body[0]
        if not isinstance(inner.body[0], ast.For):
            yield from source.swap("loops exchanged", node.target, inner.target)
    if isinstance(node, ast.For | ast.While | ast.With | ast.If):
        for before, after in pairwise(node.body):
            simple = ast.Assign | ast.AugAssign | ast.Expr
            if isinstance(before, simple) and isinstance(after, simple) and _meet(before, after):
                yield from source.swap("order of statements", before, after)


def _meet(before, after):
    """Whether the order of two statements can matter: one uses what the other sets or calls."""
    if not (isinstance(before, ast.Assign) and isinstance(after, ast.Assign)):
        return True
    used = [
        {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        for node in (before, after)
    ]
    stored = [
        {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        for statement in (before, after)
        for node in statement.targets
    ]
    return bool(stored[0] & used[1] or stored[1] & used[0])


def _same(source):
    """Edits that change nothing that can be seen."""
    for node in python.nodes(source.tree):
        if isinstance(node, ast.Call) and python.called(node) in SYMMETRIC and len(node.args) > 1:
            yield from source.swap("arguments swapped", *node.args[:2])
        if isinstance(node, ast.keyword) and node.arg in ("axis", "dim"):
            for one, other in pairwise(getattr(node.value, "elts", ())):
                yield from source.swap("order", one, other)


def _names(source, function):
    """Another name of the function in the place of one."""
    own = {argument.arg for argument in function.args.args} - {"self"}
    own |= {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in python.nodes(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in own:
            for other in sorted(own - {node.id}):
                yield source.replace("another name", node, other)
