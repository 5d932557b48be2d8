"""Edits of Python code, each of one thing; what comes out can be parsed."""

import ast
import copy
from itertools import accumulate

from tools.mutate.fault import Edit
from tools.mutate.prose import turned_words

OTHER = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
DRAWN_ON = {"plots", "plt", "ax", "axes"}


class Source:
    """Python code with its tree, and where the nodes of the tree stand in it."""

    def __init__(self, text):
        self.text, self.data, self.tree = text, text.encode(), ast.parse(text)
        self.starts = [*accumulate(map(len, self.data.splitlines(keepends=True)), initial=0)]

    def span(self, node):
        """Where the node begins and ends, in characters; the parser counts bytes."""
        places = ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
        return [len(self.data[: self.starts[n - 1] + column].decode()) for n, column in places]

    def segment(self, node):
        start, end = self.span(node)
        return self.text[start:end]

    def replace(self, what, node, new):
        return Edit(what, *self.span(node), new)

    def swap(self, what, one, other):
        """The edit that puts two nodes into each other's places; none if they are the same."""
        (start, middle), (after, end) = self.span(one), self.span(other)
        first, between, second = self.segment(one), self.text[middle:after], self.segment(other)
        if first != second and not isinstance(one, ast.Starred):
            yield Edit(what, start, end, second + between + first)

    def leave_out(self, what, nodes):
        """The edit that leaves out the last of several nodes, with the comma before it."""
        start, end = self.span(nodes[-2])[1], self.span(nodes[-1])[1]
        if (
            "#" not in self.text[start:end]
            and ")" not in self.text[start : self.span(nodes[-1])[0]]
        ):
            yield Edit(what, start, end, "")


def called(call):
    """The last name of what is called: "sum" of ``x.sum()``."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def is_assert(node):
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return called(node.value).startswith("assert_")
    return isinstance(node, ast.Assert)


def is_drawing(node):
    """Whether a node is a call such as ``plots.curves(…)`` or ``axes[0].imshow(…)``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    subject = node.func.value
    while isinstance(subject, ast.Subscript):
        subject = subject.value
    return isinstance(subject, ast.Name) and subject.id in DRAWN_ON


def nodes(node):
    """The nodes whose change changes what is done: no types, docstrings or asserts.

    Nor what is in f-strings: before Python 3.12 the parser does not say where it stands.
    """
    yield node
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            is_text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            is_other = not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr)
            if not (is_other or is_text or is_assert(child) or name in ("annotation", "returns")):
                yield from nodes(child)


def edits(source):
    """All edits of a `Source`, but those of its asserts."""
    for node in nodes(source.tree):
        if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in OTHER:
            yield with_other(source, "operator", node, op=OTHER[type(node.op)]())
        if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
            ops = [OTHER[type(node.ops[0])](), *node.ops[1:]]
            yield with_other(source, "comparison", node, ops=ops)
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            test = f"not ({source.segment(node.test)})"
            yield source.replace("condition", node.test, test)
        if isinstance(node, ast.AugAssign | ast.Expr):
            yield source.replace("statement left out", node, "pass")
        if isinstance(node, ast.Call):
            yield from arguments(source, node)
        if isinstance(node, ast.Constant):
            yield from constants(source, node)


def with_other(source, what, node, **fields):
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return source.replace(what, node, ast.unparse(changed))


def arguments(source, call):
    given = [*call.args, *call.keywords]
    if len(call.args) > 1:
        yield from source.swap("arguments swapped", *call.args[:2])
    if len(given) > 1 and call.keywords:
        yield from source.leave_out("argument left out", given)


def constants(source, node):
    value = node.value
    if isinstance(value, bool):
        yield source.replace("number", node, str(not value))
    elif isinstance(value, int | float):
        yield source.replace("number", node, other_number(value))
    elif isinstance(value, str):
        for edit in turned_words(source.segment(node)):
            yield edit.moved(source.span(node)[0])._replace(what="message")


def other_number(value):
    """One more than a whole number, half as much again as a fraction, of a tolerance the 100."""
    if isinstance(value, int):
        return str(value + 1)
    return repr(value * (100 if abs(value) < 0.01 else 1.5) or 0.1)


def assert_edits(source):
    """Asserts left out, and such that always hold."""
    for node in filter(is_assert, ast.walk(source.tree)):
        yield source.replace("assert left out", node, "pass")
        if isinstance(node, ast.Assert):
            test = f"({source.segment(node.test)}) or True"
            yield source.replace("assert weakened", node.test, test)
        elif len(node.value.args) > 1:
            one, other = node.value.args[:2]
            yield source.replace("assert weakened", other, source.segment(one))


def drawing_edits(source):
    """What is drawn the other way round; pictures, curves or titles in each other's places."""
    for node in filter(is_drawing, nodes(source.tree)):
        for given in node.args:
            if isinstance(given, ast.List | ast.Tuple) and len(given.elts) > 1:
                yield from source.swap("two of a list swapped", *given.elts[:2])
        if node.args and isinstance(node.args[0], ast.Name | ast.Subscript):
            data = node.args[0]
            yield source.replace("data transposed", data, f"{source.segment(data)}.T")
