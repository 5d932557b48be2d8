"""Edits of Markdown: numbers, words of comparison, links and formulas."""

import re

from tools.mutate.fault import Edit

PAIRS = (
    "larger smaller, largest smallest, more fewer, most least, higher lower, highest lowest, "
    "above below, top bottom, first last, before after, faster slower, longer shorter, "
    "wider narrower, rows columns, row column, grows shrinks, rises falls, always never, "
    "positive negative, maximum minimum, inside outside, with without, better worse, best worst, "
    "high low, height width"
)
OPPOSITE = {
    word: other for pair in map(str.split, PAIRS.split(", ")) for word, other in (pair, pair[::-1])
}
WORD = re.compile(rf"\b(?:{'|'.join(OPPOSITE)})\b", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.,#/-])\d(?:[\d,]*\d)?(?:\.\d+)?(?![\w/]|\.\d)")
LINK = re.compile(r"\]\(([^()\s:]+)\)")
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
SIGN = re.compile(r"(?<=[\w}) ])[-+](?=[\w\\ ])")
NO_PROSE = re.compile(
    rf"^```.*?^```$|`[^`\n]*`|{FORMULA.pattern}|\]\([^)]*\)|<[^>]+>|^\d+\. |^#+ (?:\d+|A) ",
    re.DOTALL | re.MULTILINE,
)


def turned_words(text):
    """Each word of comparison becomes its opposite."""
    for word in WORD.finditer(text):
        new = OPPOSITE[word[0].lower()]
        new = new.capitalize() if word[0][0].isupper() else new
        yield Edit("word turned", *word.span(), new)


def other_numbers(text):
    """In each number the last digit is another one."""
    for number in NUMBER.finditer(text):
        digit = "8" if number[0][-1] == "9" else str(int(number[0][-1]) + 1)
        yield Edit("number", number.end() - 1, number.end(), digit)


def edits(text, lessons=()):
    """All edits of a Markdown text; `lessons` are the files' names to which a link may lead."""
    hidden = [found.span() for found in NO_PROSE.finditer(text)]
    for edit in (*other_numbers(text), *turned_words(text)):
        if not any(start <= edit.start < end for start, end in hidden):
            yield edit
    for link in LINK.finditer(text):
        name = link[1].partition("#")[0].rpartition("/")[2]
        if name in lessons:
            start = link.start(1) + link[1].index(name)
            new = lessons[lessons.index(name) - 1]
            yield Edit("link to another lesson", start, start + len(name), new)
        yield Edit("broken link", link.end(1) - 1, link.end(1), "")
    for formula in FORMULA.finditer(text):
        for sign in SIGN.finditer(formula[0]):
            new = "-" if sign[0] == "+" else "+"
            yield Edit("formula", *sign.span(), new).moved(formula.start())
