"""Formulas in prose: found in Markdown, and worked out.

A formula may be written with signs (``2 · 3``, ``√(2/n)``, ``27²``) or in LaTeX (``\\frac``,
``\\lfloor``). It becomes a Python expression, of which only arithmetic is carried
out, node by node.
"""

import ast
import itertools
import math
import operator
import re
from dataclasses import dataclass

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
NUMBER = r"\d{1,3}(?:,\d{3})+(?!\d|,\d)(?:\.\d+)?|\d+(?:\.\d+)?"
TOKEN = re.compile(
    rf"(?P<number>{NUMBER})|(?P<power>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)"
    r"|(?P<function>√|(?:sqrt|log|cos|floor|ceil)\b)"
    r"|(?P<name>[A-Za-zα-ω](?:_(?:[A-Za-z\d]\b|\{[^{}]*\}))?(?![^\W\d_]))"
    r"|(?P<word>\\?[^\W\d_]+)"
    r"|(?P<operator>\*\*|[-+*/^()%])|(?P<relation>[=≈])|(?P<space>[ \n]+)|(?P<end>.)"
)
ENDS = ("word", "end")
FUNCTIONS = {
    "sqrt": math.sqrt,
    "log": math.log,
    "cos": math.cos,
    "floor": math.floor,
    "ceil": math.ceil,
}
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
CONSTANTS = {"e": math.e, "π": math.pi}
GREEK = {"alpha": "α", "beta": "β", "lambda": "λ", "pi": "π", "varepsilon": "ε", "epsilon": "ε"}
# Signs of LaTeX, and the same as prose writes it.
SIGNS = [
    (r"\\text\{[^{}]*\}", "…"),
    (r"\\(?:left|right|Big|big|qquad|quad)(?![a-z])|\\[,;:! ]|\$", " "),
    (r"\\(?:cdot|times)(?![a-z])|[·×]", "*"),
    (r"\\approx(?![a-z])", "≈"),
    (r"−", "-"),
    (r"(?<=\d) (?:percentage )?points?(?![a-z])", " %"),
    (r"\\lfloor|⌊", " floor("),
    (r"\\lceil|⌈", " ceil("),
    (r"\\rfloor|\\rceil|⌋|⌉", ")"),
    (rf"\\({'|'.join(GREEK)})(?![a-z])", lambda match: GREEK[match[1]]),
    (r"\\(sqrt|log|cos)(?![a-z])", r" \1 "),
]


@dataclass(frozen=True)
class Side:
    """One side of an equation: its text, its tree, and its value if it has one."""

    text: str
    tree: ast.expr | None = None
    value: float | None = None

    def at(self, names):
        return Side(self.text, self.tree, self.tree and value(self.tree, names))


@dataclass(frozen=True)
class Equation:
    left: Side
    sign: str
    right: Side

    def __str__(self):
        return f"{self.left.text} {self.sign} {self.right.text}"

    def at(self, names):
        return Equation(self.left.at(names), self.sign, self.right.at(names))

    @property
    def is_known(self):
        return None not in (self.left.value, self.right.value)

    @property
    def is_true(self):
        """Equal, or rounded: after "≈", and where two decimals or more are given."""
        one, other = self.left.value, self.right.value
        if math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-15):
            return True
        places = decimals(self.right.text)
        if places is None:
            return math.isclose(one, other, rel_tol=rounding(self.right.text))
        if self.sign == "=" and places < 2:
            return False
        room = 0.5 * 10**-places * (1 + 1e-9)
        # "√2 · 0.54 ≈ 0.76 points": the points may be those of the left side, too.
        return abs(one - other) <= room or (
            "%" in self.right.text and abs(one / 100 - other) <= room
        )


def decimals(text):
    """How many decimals a text gives that is one number, else None."""
    match = re.fullmatch(r"[-+( ]*\d+(?:\.(\d+))?( %)?[ )]*", text.replace(",", ""))
    return match and len(match[1] or "") + (2 if match[2] else 0)


def rounding(text):
    """How exact a formula is whose numbers were rounded: by the decimals of four and more."""
    given = [len(one) for one in re.findall(r"\.(\d{4,})", text)]
    return 10.0 ** (1 - min(given)) if given else 0


def plain(text):
    """LaTeX and the signs of prose as the signs that Python knows."""
    for pattern, sign in SIGNS:
        text = re.sub(pattern, sign, text)
    while True:
        simpler = re.sub(r"\\frac *\{([^{}]*)\} *\{([^{}]*)\}", r"((\1)/(\2))", text)
        simpler = re.sub(r"(sqrt|\^) *\{([^{}]*)\}", r"\1(\2)", simpler)
        if simpler == text:
            return text
        text = simpler


def readable(markdown):
    """A Markdown text without code, links' targets and the signs for bold and lists."""
    text = re.sub(r"```.*?```", "¶", markdown, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "¶", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"^\s*(?:[-*]|\d+\.) ", "¶", text, flags=re.MULTILINE)
    text = re.sub(r"\n\n+", "¶", text)
    return re.sub(r"\*\*|(?<![\w*])\*(?=\w)|(?<=[\w.,?!])\*(?![\w*])", "", text)


def runs(text):
    """Longest pieces of a text that may be formulas, as lists of tokens."""
    run = []
    for match in TOKEN.finditer(plain(text)):
        if match.lastgroup in ENDS:
            yield run
            run = []
        elif match.lastgroup != "space":
            run.append((match.lastgroup, match[0]))
    yield run


def equations(markdown):
    """All equations of a Markdown text, also those whose sides are not numbers.

    A name has a value where the text gives it one only: "N = 7". An equation whose two sides have
    the same names is asked with two numbers for each of them.
    """
    found = list(written(markdown))
    given = CONSTANTS | values_given(found)
    for one in found:
        yield from with_values(one, given)
    yield from sums_in_tables(markdown)


def values_given(found):
    """The values that equations give to names, without names that get several."""
    given = {}
    for one in found:
        if isinstance(one.left.tree, ast.Name) and one.right.value is not None:
            given.setdefault(one.left.tree.id, set()).add(one.right.value)
    return {name: values.pop() for name, values in given.items() if len(values) == 1}


def with_values(equation, given):
    """The equation with the values of its names."""
    trees = equation.left.tree, equation.right.tree
    names = [names_in(tree) - CONSTANTS.keys() for tree in trees]
    if names[0] and names[0] == names[1]:
        for start in (2, 5):
            tried = {name: start + 0.7 * i for i, name in enumerate(sorted(names[0]))}
            yield equation.at(CONSTANTS | tried)
    elif isinstance(trees[0], ast.Name):
        yield equation  # it gives the name its value
    else:
        yield equation.at(given)


def names_in(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree else set()


def written(markdown):
    for run in runs(readable(markdown)):
        sides, signs = [[]], []
        for kind, word in run:
            if kind == "relation":
                signs.append(word)
                sides.append([])
            else:
                sides[-1].append((kind, word))
        for (left, right), sign in zip(itertools.pairwise(sides), signs, strict=True):
            yield Equation(side(left, from_end=True), sign, side(right))


def sums_in_tables(markdown):
    """A formula in a cell of a table, and the bold number of its row that it gives."""
    for row in re.findall(r"^\|(.*)\|$", readable_rows(markdown), re.MULTILINE):
        cells = row.split("|")
        bold = [side(tokens(cell.strip(" *"))) for cell in cells if cell.strip().startswith("**")]
        bold = [one for one in bold if one.value is not None and decimals(one.text) is not None]
        for cell, after in itertools.pairwise(cells):
            left = side(tokens(cell))
            is_sum = left.value is not None and decimals(left.text) is None
            if is_sum and after.strip().startswith("**") and bold:
                yield Equation(left, "=", min(bold, key=lambda one: abs(one.value - left.value)))


def readable_rows(markdown):
    return "\n".join(line for line in markdown.split("\n") if line.startswith("|"))


def tokens(text):
    """The tokens of a text that is a formula as a whole, else none."""
    found = [(match.lastgroup, match[0]) for match in TOKEN.finditer(plain(text))]
    if any(kind in (*ENDS, "relation") for kind, _ in found):
        return []
    return [(kind, word) for kind, word in found if kind != "space"]


def side(found, from_end=False):
    """The longest formula at one end of a list of tokens."""
    for length in range(len(found), 0, -1):
        part = found[-length:] if from_end else found[:length]
        if from_end and length < len(found) and not may_begin(found[-length - 1], part[0]):
            continue
        if not from_end and length < len(found) and not may_end(part[-1], found[length]):
            continue
        tree = parsed(part)
        if tree is not None:
            text = " ".join(word for _, word in part).replace(" %", "%").replace("%", " %")
            return Side(text, tree, value(tree))
    return Side("")


def may_begin(before, first):
    """May a formula begin between these two tokens? Only where prose could end."""
    if before == ("operator", "("):
        return True
    return before[0] in ("number", "name") and first[0] in ("number", "function")


def may_end(last, after):
    return after == ("operator", ")") or (
        last[0] in ("number", "power") and after[0] in ("number", "name")
    )


def parsed(found):
    """The tree of a formula, or None if it is none."""
    try:
        return ast.parse(python(found), mode="eval").body
    except SyntaxError:
        return None


def python(found):
    """Tokens as an expression of Python, with the multiplications that are not written."""
    words, ends, is_call = [], False, False
    for kind, word in found:
        starts = kind in ("number", "name", "function") or word == "("
        if ends and starts:
            # "2P" is a product, "2 3" are two numbers.
            words.append(" " if kind == "number" else "*")
        if is_call and word != "(":
            # "log 2" and "√40": the function is of the next number.
            words.append(f"({word.replace(',', '')})")
            is_call, ends = False, True
            continue
        is_call = kind == "function"
        if kind == "number":
            words.append(re.sub(r"^0+(?=\d)", "", word.replace(",", "")))
        elif kind == "power":
            words.append(f"**({word.translate(SUPERSCRIPTS)})")
        elif kind == "function":
            words.append("sqrt" if word == "√" else word)
        elif kind == "name":
            words.append(identifier(word))
        else:
            words.append({"^": "**", "%": "/100"}.get(word, word))
        ends = kind in ("number", "name", "power") or word in (")", "%")
    return " ".join(words)


def identifier(word):
    return re.sub(r"\W", "", word)


def value(tree, names=CONSTANTS):
    """The number that a tree stands for, or None if it has names that are not known."""
    try:
        return worked_out(tree, names)
    except (KeyError, ValueError, ZeroDivisionError, OverflowError, TypeError):
        return None


def worked_out(node, names):
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = worked_out(node.operand, names)
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.BinOp):
        left, right = worked_out(node.left, names), worked_out(node.right, names)
        if isinstance(node.op, ast.Pow) and abs(right) > 1000:
            raise OverflowError
        return OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        return FUNCTIONS[node.func.id](worked_out(node.args[0], names))
    raise ValueError(type(node).__name__)
