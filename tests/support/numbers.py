"""Numbers in prose, and the numbers of the code, the outputs and the equations around them.

What counts is a number of two digits or more, or with a fraction: smaller ones stand everywhere.
"""

import ast
import bisect
import functools
import itertools
import re
from dataclasses import dataclass

from tests.support.equations import equations, value
from tests.support.lessons import box_name, question_texts

NUMBER = re.compile(
    r"(?<![\w.])(?<!\d,)"
    r"(?:\d{1,3}(?:,\d{3})+(?!\d|,\d)|\d[\d_]*)(?:\.\d+)?(?:e[-+−]?\d+)?(?![\d_])"
)
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
# Numbers that count nothing here.
NO_QUANTITIES = re.compile(
    "|".join(
        (
            r"\]\([^)]*\)",  # targets of links
            r"<[^>\n]*>",  # tags of HTML
            r"\b180°",  # half a turn
            r"\b\d+ minutes|\(\d+ points\)",  # other tests hold them
            r"(?<![.,])\b0\d\b(?!\.)",  # numbers of lessons
            r"\b(?:[Vv]ersion|Python|Linux|torch|CC BY(?:-SA)?) \d+(?:\.\d+)+",
            # years
            r"(?<![\d.,·×])(?<![·×+−=≈] )\b(?:19[5-9]\d|20(?:0[1-9]|[1-3]\d))\b"
            r"(?! ?[\d·×+−=]|,\d|\.\d)",
        )
    )
)
# {the word behind a number: what a number is multiplied by that is written with it}
UNITS = {
    "thousand": 1e-3,
    "million": 1e-6,
    "millions": 1e-6,
    "billion": 1e-9,
    "K": 1e-3,
    "M": 1e-6,
    "G": 1e-9,
    "%": 100,
    "point": 100,
    "points": 100,
    "percentage": 100,
    "ms": 1e3,
    "µs": 1e6,
    "KB": 1e-3,
    "MB": 1e-6,
    "GB": 1e-9,
    "KiB": 2**-10,
    "MiB": 2**-20,
    "GiB": 2**-30,
}
# Units that say by themselves that a number is rounded.
LARGE = {unit for unit, factor in UNITS.items() if factor < 1}
# What of an expression can have a value of its own.
PARTS = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.Call)
ABOUT = re.compile(r"(?:about|some|nearly|almost|around|over|than|≈|least|most)\s*$")


@dataclass(frozen=True)
class Number:
    """A number in a text, the word behind it, and whether it is "about" so."""

    text: str
    unit: str = ""
    is_about: bool = False

    @property
    def value(self):
        return float(re.sub("[,_]", "", self.text).replace("−", "-"))

    @property
    def counts(self):
        digits = re.sub(r"[,_]", "", self.text)
        return "." in digits or "e" in digits or len(digits) > 1

    @property
    def is_short(self):
        return len(self.text) == 2

    @property
    def is_common(self):
        """Is it one of those that stand by chance somewhere in a lesson, such as 113 or 0.4?"""
        return len(self.text) <= 4

    @property
    def room(self):
        """How far a number may be away that is rounded to this one."""
        digits, _, power = re.sub("[,_]", "", self.text).partition("e")
        places = -len(digits.partition(".")[2])
        if self.is_about and "." not in digits and len(digits) > 2:
            places = len(digits) - len(digits.rstrip("0"))
        return 0.5 * 10.0 ** (places + int(power.replace("−", "-") or 0)) * (1 + 1e-9)


def numbers(markdown):
    """The numbers of a Markdown text that count, without those of its blocks of code."""
    text = FENCED.sub("", markdown).replace("{,}", ",")
    text = NO_QUANTITIES.sub(lambda match: " " * len(match[0]), text)
    for match in NUMBER.finditer(text):
        unit = re.match(r"[ \u00a0]?([A-Za-zµ]+|%)", text[match.end() :])
        about = ABOUT.search(text[max(0, match.start() - 10) : match.start()].lower())
        unit = unit[1] if unit else ""
        number = Number(match[0], unit, bool(about) or unit in LARGE)
        if number.counts:
            yield number


class Known:
    """Numbers that something gives or works out."""

    def __init__(self, values):
        self.values = sorted(set(values))

    def holds(self, number):
        """Is the very number among them?"""
        return self._has(number.value, 1e-12 * number.value)

    def rounds_to(self, number):
        """Is there one that is written like this when it is rounded, be it in this unit?"""
        return self.holds(number) or any(
            self._has(number.value / factor, number.room / factor)
            for factor in {1, UNITS.get(number.unit, 1)}
        )

    def _has(self, wanted, room):
        place = bisect.bisect_left(self.values, wanted - room)
        return place < len(self.values) and self.values[place] <= wanted + room


@functools.cache
def in_text(text):
    return frozenset(Number(match[0]).value for match in NUMBER.finditer(text))


@functools.cache
def in_code(source):
    """The numbers of a cell, also of its comments, and of its sums, such as 28 * 28."""
    try:
        return in_text(source) | worked_out(ast.parse(source))
    except SyntaxError:
        return in_text(source)


def worked_out(tree):
    """The sizes of all parts of an expression that have a value, and the lengths of slices."""
    values = [value(node) for node in ast.walk(tree) if isinstance(node, PARTS)]
    slices = [node for node in ast.walk(tree) if isinstance(node, ast.Slice)]
    for one in slices:
        if isinstance(one.lower, ast.Constant) and isinstance(one.upper, ast.Constant):
            values.append(one.upper.value - one.lower.value)
    return {float(abs(one)) for one in values if one is not None}


@functools.cache
def in_equations(markdown):
    """The numbers of the true equations of a text and their parts, and of its blocks of code."""
    found = set().union(*map(in_text, FENCED.findall(markdown)))
    for one in equations(markdown):
        if one.is_known and one.is_true:
            found |= worked_out(one.left.tree) | worked_out(one.right.tree)
    return found


def output_texts(cell):
    """What a code cell has put out, as text; without scripts."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            yield output.text
        elif output.output_type == "error":
            yield output.evalue
        else:
            page = output.data.get("text/html", "")
            yield output.data.get("text/plain", "")
            yield "" if "<script" in page else re.sub("<[^>]*>", " ", page)


def known(cells):
    """The numbers of the code, the outputs and the equations of these cells."""
    found = set()
    for cell in cells:
        if box_name(cell):
            continue  # its words are told, not worked out
        if cell.cell_type == "code":
            found |= in_code(cell.source).union(*map(in_text, output_texts(cell)))
        else:
            found |= in_equations(cell.source)
    return Known(found)


def told(cell):
    """What a cell tells its readers in words: a text, a question, or a picture's alternative."""
    if name := box_name(cell):
        return "\n\n".join(question_texts(name))
    return cell.source if cell.cell_type == "markdown" else cell.metadata.get("alt", "")


def sections(notebook):
    """The cells of a notebook, from each heading of the second level to the next."""
    found = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.MULTILINE):
            found.append([])
        found[-1].append(cell)
    return found


class Book:
    """A notebook: the numbers that it works out, those it tells, and those it tells without reason.

    A number may be rounded from one of its own section. One of another section has to be the same,
    or to be written as the prose writes it there; only what is "about" so may be rounded anew. A
    short number, such as 113 or 0.4, has to be near, or to be told elsewhere with reason.
    """

    def __init__(self, notebook):
        self.known = known(notebook.cells)
        self.written, self.phrases, left = set(), set(), []
        parts = sections(notebook)
        for place, cells in enumerate(parts):
            here, near = known(cells), self.known
            # The goals, the mistakes and the recap speak of the whole lesson.
            if 0 < place < len(parts) - 2:
                near = known(itertools.chain(*parts[place - 1 : place + 2]))
            for cell in cells:
                for number in numbers(told(cell)):
                    other = near if number.is_common else self.known
                    if (
                        here.rounds_to(number)
                        or other.holds(number)
                        or (number.is_about and self.known.rounds_to(number))
                    ):
                        self.written.add(number.text)
                        self.phrases.add((number.text, number.unit))
                    else:
                        left.append((cell, number))
        self.left = [(cell, number) for cell, number in left if number.text not in self.written]

    def tells(self, number):
        """Would this number stand in the notebook with good reason?"""
        return number.text in self.written or self.known.holds(number)

    def unknown(self, others):
        """The cells and numbers without a reason; `others` are the books by number of lesson.

        They count in a text that names the lesson.
        """
        for cell, number in self.left:
            named = re.findall(r"\b[Ll]essons? (\d\d)|\b(\d\d|A)-[\w-]+\.ipynb", told(cell))
            books = [others[one] for pair in named for one in pair if one in others]
            if not any(book.tells(number) for book in books):
                yield cell, number
