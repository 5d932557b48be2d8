"""What is wrong with a translation, as far as a program can tell.

A translator's comment in the catalogue, `allow: KIND` with a reason after it, is for the case where
the translation is right all the same.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polib

from helpers.command.files import ROOT
from tools.translate.blocks import parser

CODE = re.compile(r"`[^`]+`")
FORMULA = re.compile(r"\$\$.+?\$\$|(?<!\$)\$[^$\n]+\$", re.DOTALL)
TARGET = re.compile(r"\]\(([^)\s]+)\)")
TAG = re.compile(r"</?[a-z][^>]*>")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
NOT_WORDS = re.compile(r"```.*?```|`[^`]*`|\$[^$]*\$|\]\([^)]*\)|<[^>]*>", re.DOTALL)
# Numbers that English writes as words: digits in Korean, above all where something is measured.
WORDS = {
    "0": "zero(?:e?s)?",
    "1": "ones?|an?(?= (?:minute|second|point))",
    **{"2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven"},
    **{"8": "eight", "9": "nine", "10": "ten", "20": "twenty", "50": "fifty"},
}
HANGUL = re.compile(r"[가-힣]")
LITERAL = re.compile(r"[*`$]|(?<!\w)_|_(?!\w)")
ALLOWED = re.compile(r"^allow: ([a-z ]+?)(?:,|$| -)", re.MULTILINE)

# Kinds that are shown as Markdown.
MARKDOWN = {"paragraph", "heading", "table row", "HTML"}


def problems(entry: polib.POEntry) -> Iterator[tuple[str, str]]:
    """(kind of problem, sentence) for each thing that is wrong with an entry."""
    if entry.fuzzy:
        yield "stale", "the English has changed since it was translated"
    if not entry.msgstr:
        yield "missing", "there is no translation"
        return
    allowed = set(ALLOWED.findall(entry.tcomment or ""))
    found = list(_found(entry))
    yield from ((kind, sentence) for kind, sentence in found if kind not in allowed)
    for kind in sorted(allowed - {kind for kind, _ in found}):
        yield "allowed", f"allow: {kind} stands there, and nothing of that kind is wrong"


def _found(entry):
    before, after = entry.msgid, entry.msgstr
    is_message = entry.comment in ("label", "message")
    for kind, pattern in (
        ("code", CODE),
        ("formula", FORMULA),
        ("link", TARGET),
        ("tag", TAG),
        ("number", NUMBER),
        *([("placeholder", PLACEHOLDER)] if is_message else []),
    ):
        if kind == "number":
            was, came = (TARGET.sub("]()", text) for text in (before, after))
        else:
            was, came = before, after
        lost = Counter(pattern.findall(was)) - Counter(pattern.findall(came))
        new = Counter(pattern.findall(came)) - Counter(pattern.findall(was))
        if kind == "number":
            new = Counter({n: times for n, times in new.items() if not is_a_word(n, was)})
        if lost or new:
            words = [f"{', '.join(lost.elements())} is missing"] if lost else []
            words += [f"{', '.join(new.elements())} is new"] if new else []
            yield kind, f"{kind}: {'; '.join(words)}"
    if not HANGUL.search(after):
        yield "words", "there is no word of Korean in it"
    if before.count("\n") != after.count("\n"):
        yield "lines", f"{after.count(chr(10)) + 1} lines instead of {before.count(chr(10)) + 1}"
    if entry.comment == "comment" and not after.startswith("#"):
        yield "lines", "a comment begins with #"
    if entry.comment == "docstring" and ('"""' in after or "\\" in after):
        yield "code", "it ends the docstring"
    if entry.comment in MARKDOWN:
        was, came = elements(before), elements(after)
        if was != came:
            lost, new = was - came, came - was
            yield (
                "elements",
                (
                    f"rendered, {', '.join(lost.elements()) or 'nothing'} is "
                    f"missing, {', '.join(new.elements()) or 'nothing'} is new"
                ),
            )
        literal = LITERAL.findall(rendered_text(after))
        if Counter(literal) - Counter(LITERAL.findall(rendered_text(before))):
            yield (
                "literal",
                f"the reader sees {' '.join(sorted(set(literal)))}: markup that is none",
            )
    # What a program puts in has a name there that is no word of the text.
    yield from terms(PLACEHOLDER.sub(" ", before) if is_message else before, after)


def is_a_word(number, text):
    """Is this number written as a word in English? Korean has 1 for "ones", 2 for "two minutes"."""
    return number in WORDS and re.search(rf"\b(?:{WORDS[number]})\b", text, re.IGNORECASE)


def elements(text):
    """How many elements of each kind a text has when it is rendered."""
    return Counter(
        f"{part.type} {part.tag}".strip()
        for token in parser().parse(_whole(text))
        for part in (token, *(token.children or ()))
        if part.type not in ("text", "softbreak") and part.nesting >= 0
    )


def rendered_text(text):
    """What a reader sees of a text as letters."""
    return " ".join(
        part.content
        for token in parser().parse(_whole(text))
        for part in token.children or ()
        if part.type == "text"
    )


def _whole(text):
    """A row of a table is one only below a head."""
    if not text.startswith("|"):
        return text
    columns = len(re.findall(r"(?<!\\)[|]", text)) - 1
    return f"{text}\n{'|---' * columns}|"


@cache
def glossary(root: Path = ROOT) -> list[tuple[str, re.Pattern[str], list[str], list[str]]]:
    """(term, what counts as a use of it, its Korean words, phrases that are something else)"""
    terms = tomllib.loads((root / "site/glossary.toml").read_text(encoding="utf-8"))["term"]
    first = {term["korean"][0]: term["english"] for term in terms}
    found = []
    for term in terms:
        # A word that is the first for another term would mean that one.
        korean = [w for w in term["korean"] if first.get(w, term["english"]) == term["english"]]
        if re.search(r"[A-Z]{2}|^[A-Z]\w+$", term["english"]):
            korean.append(term["english"])  # a name, as in Korean texts
        names = [term["english"], *term.get("also", ()), *term.get("match", ())]
        words = term.get("match", names)
        korean += [name for name in names if name.isupper()]  # an abbreviation, such as CNN
        if words:
            words = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words)
            pattern = re.compile(rf"(?<![\w-])(?:{words})(?:e?s)?(?![\w-])", re.IGNORECASE)
            found.append((term["english"], pattern, korean, term.get("skip", [])))
    return sorted(found, key=lambda term: -len(term[0]))


def terms(before, after):
    """The words of the glossary that the translation has under another name.

    A long term hides the short ones in it: "gradient descent" is no use of "gradient".
    """
    text = NOT_WORDS.sub(" ", before)
    for english, pattern, korean, skip in glossary():
        if not pattern.search(text):  # the rule
            continue
        own = text
        for phrase in skip:
            own = re.sub(re.escape(phrase), " ", own, flags=re.IGNORECASE)
        uses = {match[0] for match in pattern.finditer(own)}
        text = pattern.sub(" ", text)
        if uses and not any(word in after for word in korean):
            yield "term", f"{english} is {' or '.join(korean)} in the glossary"
