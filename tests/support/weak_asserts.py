"""Finds the asserts of a notebook that cannot fail, while the notebook runs.

conftest.py runs this file in the kernel before the first cell. Each assert is then evaluated as it
stands, and again with wrong values in place of those that it compares, or with these swapped: for
each of them this has to make the assert fail once. Nothing is computed twice: the compared values
are kept, and only the comparison is repeated. An assert in a loop has to fail in one of its rounds.
Literal numbers are taken as given, the rest as measured; `wrong_values` says what is wrong.

What this cannot see is an assert whose values cannot differ by construction.

`assert_same` is called again with one expected number that is a tenth larger, `grad_check` with
gradients that are: both have to raise.
"""

import ast
import builtins
import numbers
import operator

import numpy as np

NAME = "__weak_asserts__"
OPERATORS = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Is": operator.is_,
    "IsNot": operator.is_not,
    "In": lambda a, b: a in b,
    "NotIn": lambda a, b: a not in b,
}
ORDER = {"Lt", "LtE", "Gt", "GtE"}
EQUALS = {"equal", "array_equal", "allclose"}
CHECKS = {"assert_same", "grad_check"}


def wrong_values(value, kind):
    """Values that an assert should not accept in place of this one.

    `kind` is "order" for a part of what is compared by ``<`` and its kin, "distance" for `a` and
    `b` in ``abs(a - b) < c``, "container" for `b` in ``a in b``, else "equality".
    """
    if kind == "container":
        return [] if hasattr(value, "shape") else [type(value)()]
    if isinstance(value, bool | np.bool_):
        return [not value]
    if isinstance(value, numbers.Real):
        return wrong_numbers(value, kind)
    if isinstance(value, str):
        return [value + "?"]
    if isinstance(value, tuple | list):
        ends = wrong_values(value[-1], kind) if value else []
        return [type(value)([*value[:-1], end]) for end in ends]
    if hasattr(value, "shape") and hasattr(value, "reshape"):
        return wrong_arrays(value, kind)
    return [object()]


def wrong_numbers(value, kind):
    if kind == "distance":
        return [value * 1.5, value * 0.5, value + (value == 0)]
    if kind == "order":
        return [0, 1, value * 10, value / 10]
    if isinstance(value, numbers.Integral):
        return [value + 1]
    return [value * 1.1 if value and abs(value) < np.inf else 0.1]


def wrong_arrays(value, kind):
    """Of an array, with one number changed: the largest."""
    array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
    flat = array.ravel()
    if not flat.size:
        return []
    place = np.abs(flat * 1.0).argmax()
    number = flat[place].item()
    wrong = wrong_values(number, kind)
    if kind == "order":
        wrong += [-number - 1]
    arrays = []
    for one in wrong:
        keeps = flat.dtype.kind == "f" or flat.dtype.kind == np.array(one).dtype.kind
        changed = flat.astype(flat.dtype if keeps else np.result_type(flat, np.array(one)))
        changed[place] = one
        changed = changed.reshape(array.shape)
        arrays.append(value.new_tensor(changed) if hasattr(value, "new_tensor") else changed)
    return arrays


class Assert(ast.NodeVisitor):
    """An assert: its code, the measured parts of its comparisons, and what wrong values did.

    Attributes
    ----------
    code : str
        As the notebook has it.
    watched : str
        The test, written so that each value goes through `Look`.
    failed : dict
        For each measured part of each comparison whether some wrong value made the assert fail.
        The keys are (comparison, link, operand, part): ``a < b < c`` has two links.
    """

    def __init__(self, node):
        self.code = ast.unparse(node)
        self.comparisons, self.kept, self.failed = [], 0, {}
        self.watched = self.visit(node.test)

    def generic_visit(self, node):
        self.kept += 1
        return f"look.value({self.kept}, lambda: {ast.unparse(node)})"

    def visit_BoolOp(self, node):
        word = " and " if isinstance(node.op, ast.And) else " or "
        return f"({word.join(map(self.visit, node.values))})"

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.Not):
            return f"(not {self.visit(node.operand)})"
        return self.generic_visit(node)

    def visit_IfExp(self, node):
        condition = self.generic_visit(node.test)
        return f"({self.visit(node.body)} if {condition} else {self.visit(node.orelse)})"

    def visit_Call(self, node):
        name = ast.unparse(node.func)
        further = ", ".join(map(ast.unparse, [*node.args[2:], *node.keywords]))
        if name in ("all", "any") and isinstance(node.args[0], ast.GeneratorExp):
            return f"{name}({self.generator(node.args[0])})"
        if name.rpartition(".")[2] in EQUALS and len(node.args) > 1:
            return self.compare(node.args[:2], ["Eq"], f"lambda a, b: {name}(a, b, {further})")
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("all", "any"):
            arguments = ", ".join(map(ast.unparse, [*node.args, *node.keywords]))
            return f"{self.visit(node.func.value)}.{node.func.attr}({arguments})"
        return self.generic_visit(node)

    def visit_Compare(self, node):
        return self.compare([node.left, *node.comparators], [type(op).__name__ for op in node.ops])

    def generator(self, node):
        loops = ""
        for one in node.generators:
            source = self.generic_visit(ast.Call(ast.Name("list"), [one.iter], []))
            conditions = "".join(f" if {ast.unparse(test)}" for test in one.ifs)
            loops += f" for {ast.unparse(one.target)} in {source}{conditions}"
        return self.visit(node.elt) + loops

    def compare(self, operands, links, function="None"):
        all_parts, is_whole, code = [], [], ""
        for place, operand in enumerate(operands):
            around = set(links[max(place - 1, 0) : place + 1])
            kind = "order" if ORDER & around else "equality"
            if place and links[place - 1] in ("In", "NotIn"):
                kind = "container"
            parts = []
            text = split(operand, kind, parts)
            thunks = "".join(f"lambda: {part}, " for part, _ in parts)
            names = ", ".join(f"part{number}" for number in range(len(parts)))
            code += f"(({thunks}), lambda {names}: {text}), "
            all_parts.append(parts)
            is_whole.append(text == "part0")
        self.comparisons.append((all_parts, is_whole, links))
        return f"look.compare({len(self.comparisons) - 1}, ({code}), {function})"

    def run(self, test):
        """The value of the test; on the way it is seen what wrong values do to it."""
        look = Look(self)
        result = test(look)
        evaluated = set(look.kept)  # not all: and wrong values lead behind an `or`, too
        for site in self.sites() if result else ():
            comparison, _, place, part = site
            if (comparison, place, part) in evaluated:
                self.failed[site] = self.failed.get(site, False) or look.fails(test, site)
        return result

    def sites(self):
        for comparison, (parts, _, links) in enumerate(self.comparisons):
            for link in range(len(links)):
                for operand in (link, link + 1):
                    for part in range(len(parts[operand])):
                        yield comparison, link, operand, part

    def weak(self):
        """The code of the parts that may be anything."""
        weak = [site for site, failed in self.failed.items() if not failed]
        return sorted({self.comparisons[one[0]][0][one[2]][one[3]][0] for one in weak})


def split(node, kind, parts):
    """The code of an operand, with a name for each measured part; the parts are appended."""
    if is_given(node):
        return ast.unparse(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        sign = "+" if isinstance(node.op, ast.Add) else "-"
        return f"({split(node.left, kind, parts)} {sign} ({split(node.right, kind, parts)}))"
    if isinstance(node, ast.Tuple):
        return f"({''.join(split(one, kind, parts) + ', ' for one in node.elts)})"
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "abs" and kind == "order":
        (inner,) = node.args
        is_difference = isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub)
        return f"abs({split(inner, 'distance' if is_difference else kind, parts)})"
    parts.append((ast.unparse(node), kind))
    return f"part{len(parts) - 1}"


def is_given(node):
    if isinstance(node, ast.Tuple | ast.List):
        return all(map(is_given, node.elts))
    if isinstance(node, ast.UnaryOp):
        return is_given(node.operand)
    return isinstance(node, ast.Constant)


def as_they_are(a, b):
    return a, b


def swapped(a, b):
    return b, a


def alike(a, b):
    return a, a


def changes(operator, kinds, is_left, both_whole):
    """What else may be done to the two sides of a comparison to make it fail.

    They are swapped only if both are measured as they stand: from ``a > b - 1`` an exchange makes
    ``b - 1 > a``, which fails whatever `a` and `b` are.
    """
    if operator in ("Eq", "NotEq", "Is", "IsNot"):
        return [alike]
    found = [swapped] if operator in ORDER and both_whole else []
    if "distance" in kinds:  # it may have to be large
        found.append((lambda a, b: (0 * a, b)) if is_left else (lambda a, b: (a, 0 * b)))
    return found


class NoMore(Exception):
    """There are no more wrong values to try."""


class Unknown(BaseException):
    """`wrong_values` does not know such a value. No assert may take this for its failing."""


class Look:
    """One evaluation of an assert, which keeps its values, and repeats it with one of them wrong.

    `value` and `compare` are called by the code of `Assert.watched`, in comprehensions repeatedly.
    """

    def __init__(self, watched):
        self.watched = watched
        self.kept, self.turns = {}, {}
        self.site, self.number = None, 0

    def value(self, key, thunk):
        """The value of the thunk at its first evaluation; then what it was at this turn."""
        turn = self.turns[key] = self.turns.get(key, -1) + 1
        kept = self.kept.setdefault(key, [])
        if turn == len(kept):
            kept.append(thunk())
        return kept[turn]

    def compare(self, comparison, operands, function):
        parts, is_whole, links = self.watched.comparisons[comparison]
        measured = {}
        for link, name in enumerate(links):
            pair = []
            for place in (link, link + 1):
                thunks, combine = operands[place]
                if place not in measured:
                    keys = [(comparison, place, part) for part in range(len(thunks))]
                    measured[place] = list(map(self.value, keys, thunks))
                values = list(measured[place])
                if self.site and self.site[:3] == (comparison, link, place):
                    kinds = [kind for _, kind in parts[place]]
                    whole = changes(name, kinds, place == link, all(is_whole[link : link + 2]))
                    change = self.spoil(values, kinds, whole)
                pair.append(combine(*values))
            if self.site and self.site[:2] == (comparison, link):
                pair = change(*pair)
            result = (function or OPERATORS[name])(*pair)
            if link < len(links) - 1 and not result:
                break
        return result

    def spoil(self, values, kinds, whole):
        """Put the wrong value whose turn it is in its place; returns a change of both sides."""
        part = self.site[3]
        try:
            wrong = wrong_values(values[part], kinds[part])
        except Exception as error:
            raise Unknown(f"no wrong value for {values[part]!r}") from error
        if self.number < len(wrong):
            values[part] = wrong[self.number]
            return as_they_are
        if self.number - len(wrong) < len(whole):
            return whole[self.number - len(wrong)]
        raise NoMore

    def fails(self, test, site):
        """Does the assert fail with some wrong value at this site, or with its sides swapped?"""
        self.site, self.number = site, 0
        while True:
            self.turns = {}
            try:
                if not test(self):
                    return True
            except NoMore:
                return False
            except Exception:
                return True  # such a value cannot even be compared
            self.number += 1


class Check:
    """A call of `assert_same` or `grad_check`, and whether it notices something wrong."""

    def __init__(self, code):
        self.code, self.failed = code, {}

    def run(self, function, *args, **options):
        result = function(*args, **options)
        wrong = getattr(self, function.__name__)(*args)
        try:
            function(*wrong, *args[len(wrong) :], **options)
        except AssertionError:
            self.failed["all"] = True
        else:
            self.failed.setdefault("all", False)
        return result

    def assert_same(self, actual, expected, *_):
        return actual, wrong_arrays(expected, "equality")[0]

    def grad_check(self, forward, backward, *_):
        def larger(gradient):
            if isinstance(gradient, tuple | list):
                return [larger(one) for one in gradient]
            return gradient if gradient is None else gradient * 1.1

        return forward, lambda *args: larger(backward(*args))

    def weak(self):
        return [] if all(self.failed.values()) else ["a number that is a tenth larger"]


class Watch(ast.NodeTransformer):
    """Rewrites the asserts of each cell, and says at its last one which of them cannot fail."""

    def __init__(self):
        self.watched, self.first = [], 0

    def visit_Module(self, module):
        self.first = len(self.watched)
        last = None
        for place, statement in enumerate(module.body):
            before = len(self.watched)
            self.visit(statement)
            last = place if len(self.watched) > before else last
        if last is not None:
            if not isinstance(module.body[-1], ast.Expr):  # the value of an expression is shown
                last = len(module.body) - 1
            report = ast.parse(f"{NAME}.report()").body[0]
            ast.copy_location(report, module.body[last])
            module.body.insert(last + 1, ast.fix_missing_locations(report))
        return module

    def visit_Assert(self, node):
        if not any(isinstance(one, ast.NamedExpr) for one in ast.walk(node.test)):
            watched = Assert(node)
            code = f"{self.add(watched)}.run(lambda look: {watched.watched})"
            node.test = located(ast.parse(code, mode="eval").body, node.test)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if ast.unparse(node.func) in CHECKS:
            code = f"{self.add(Check(ast.unparse(node)))}.run"
            node.args.insert(0, node.func)
            node.func = located(ast.parse(code, mode="eval").body, node)
        return node

    def add(self, watched):
        self.watched.append(watched)
        return f"{NAME}.watched[{len(self.watched) - 1}]"

    def report(self):
        found = []
        for watched in self.watched[self.first :]:
            found += [f"{watched.code}\n    whatever it is: {part}" for part in watched.weak()]
        if found:
            raise AssertionError("this cannot fail: " + "\n".join(found))


def located(new, old):
    for node in ast.walk(new):
        ast.copy_location(node, old)
    return new


if __name__ == "weak_asserts":  # in a kernel
    watch = Watch()
    setattr(builtins, NAME, watch)
    get_ipython().ast_transformers.append(watch)  # noqa: F821
