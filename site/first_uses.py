"""Link the first use of each glossary word on a lesson's or an assignment's page to the glossary.

A Sphinx extension; glossary_page.py beside it, which this one loads, makes the glossary itself.
The words, and what counts as a use of them, stand in glossary.toml. Only prose is searched:
paragraphs and list items, and in them no code, no formula and nothing that is a link already. On
Korean pages it is the Korean words that become links.

What needs Sphinx is imported inside functions, so that the course's own tests can use the rest.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from korean import PARTICLES

from helpers.language import ENGLISH, current, translated

GLOSSARY = Path(__file__).with_name("glossary.toml")
# The pages that get links: lessons and assignments.
PAGES = re.compile(r"(notebooks|assignments)/(?:.*/)?(?:\d\d|[A-Z])-[^/]+")
# Words in italics: a longer row of them is the title of a paper.
LONGEST_EMPHASIS = 3
QUOTES = str.maketrans("“”„‘’", '"""\'\'')
GAP = re.compile(r"[\s‑-]+")  # a space, a line break or a hyphen: "fully-connected"


@dataclass(frozen=True)
class Term:
    """A word of the glossary; the head of glossary.toml explains the fields."""

    english: str
    korean: tuple[str, ...]
    definition: str
    lesson: str
    section: str
    also: tuple[str, ...] = ()
    latin: bool = False
    match: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    korean_match: tuple[str, ...] | None = None

    @property
    def anchor(self):
        """The id of the word's place on the glossary page, such as `term-feature-map`."""
        return anchor(self.english)

    @property
    def name(self):
        """The word in the language of the build."""
        return self.english if current() == ENGLISH else self.korean[0]

    @property
    def forms(self):
        """What counts as a use of the word, without the plurals."""
        return (self.english, *self.also) if self.match is None else self.match

    @property
    def korean_forms(self):
        """What counts as a use of the word in a Korean text: its first Korean word, and a name."""
        if self.korean_match is not None or not self.forms:
            return self.korean_match or ()
        is_name = self.english != self.english.lower()
        return (self.korean[0], self.english) if is_name else (self.korean[0],)

    def told(self):
        """What a reader is told who asks for the word, in the language of the build."""
        definition = translated(self.definition, "glossary", self.english)
        other = "" if current() == ENGLISH else f" ({self.english})"
        return f"{self.name}{other}: {definition}"


def anchor(word):
    """The id of a word on the glossary page."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")


def read_terms(path=GLOSSARY):
    """The terms of a glossary file, in its order.

    Raises
    ------
    TypeError
        If a field has a name that is not known, or one is missing.
    """
    entries = tomllib.loads(Path(path).read_text("utf-8"))["term"]
    return [
        Term(**{k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()})
        for entry in entries
    ]


def plural(phrase):
    """The regular English plural of a phrase's last word."""
    if re.search(r"[^aeiou]y$", phrase):
        return phrase[:-1] + "ies"
    return phrase + ("es" if re.search(r"(s|x|z|ch|sh)$", phrase) else "s")


def normal(phrase):
    """A phrase as it is compared: small letters, straight quotes, one space for each gap."""
    return GAP.sub(" ", phrase.translate(QUOTES).casefold())


class Finder:
    """Finds uses of glossary words in running text."""

    def __init__(self, terms):
        self.terms = {}
        for term in terms:
            for form in term.forms:
                for written in (normal(form), plural(normal(form))):
                    other = self.terms.setdefault(written, term)
                    if other is not term:
                        raise ValueError(f"{written!r} is {term.english} and {other.english}")
        skipped = {normal(phrase): None for term in terms for phrase in term.skip}
        self.terms = skipped | self.terms
        # At each place the longest wins: "max pooling" before "pooling". A look at the first
        # character makes the search ten times faster.
        longest_first = sorted(self.terms, key=lambda form: (form[0], -len(form)))
        words = "|".join(
            rf"(?={self._pattern(first)})(?:{'|'.join(map(self._pattern, forms))})"
            for first, forms in groupby(longest_first, key=lambda form: form[0])
        )
        # Whole words: not in "non-linear", "kernel_size" or "Units.MEGABYTES".
        self.pattern = re.compile(
            rf"(?<![\w‑-])(?<!\w\.)(?:{words})(?![\w])(?![‑-]\w)(?!\.\w)", re.IGNORECASE
        )

    @staticmethod
    def _pattern(form):
        pattern = r"[\s‑-]+".join(re.escape(word) for word in form.split(" "))
        return pattern.replace('"', '["“”„]').replace("'", "['‘’]")

    def uses(self, text):
        """All uses in `text`, from left to right: a list of (start, end, term)."""
        found = ((use, self.terms[normal(use[0])]) for use in self.pattern.finditer(text))
        return [(use.start(), use.end(), term) for use, term in found if term]

    def first_uses(self, texts):
        """The first use of each term in a row of texts: for each text its (start, end, term)."""
        seen = set()
        for text in texts:
            first = []
            for start, end, term in self.uses(text):
                if term.english not in seen:
                    seen.add(term.english)
                    first.append((start, end, term))
            yield first


class KoreanFinder(Finder):
    """Finds uses of glossary words in Korean text, where particles stand behind them."""

    def __init__(self, terms):
        forms = [(form, term) for term in terms for form in term.korean_forms]
        self.terms = {normal(form): term for form, term in forms}
        longest_first = sorted((form for form, _ in forms), key=len, reverse=True)
        words = "|".join(map(self._pattern, longest_first))
        particles = "|".join(PARTICLES)
        # Names as they are written: "cuda" is none.
        self.pattern = re.compile(rf"(?<![\w‑-])(?<!\w\.)(?:{words})(?=(?:{particles})?(?!\w))")


@cache
def finder():
    """What finds the words of the glossary; made once for all pages."""
    return (Finder if current() == ENGLISH else KoreanFinder)(read_terms())


def prose(doctree):
    """The text nodes of a page in which words may become links, in the order of the page."""
    from docutils import nodes

    around = (nodes.document, nodes.section, nodes.block_quote, nodes.list_item)
    around += (nodes.bullet_list, nodes.enumerated_list)

    def only_in(node, top, kinds):
        while node is not top:
            # By exact type, since the nodes of other extensions inherit from these.
            if type(node) not in kinds:
                return False
            node = node.parent
        return True

    for paragraph in doctree.findall(nodes.paragraph):
        if only_in(paragraph.parent, None, around):
            for text in paragraph.findall(nodes.Text):
                emphasised = text.parent is not paragraph and len(text.split()) > LONGEST_EMPHASIS
                inside = (nodes.strong,) if emphasised else (nodes.strong, nodes.emphasis)
                if only_in(text.parent, paragraph, inside):
                    yield text


def link_first_uses(app, doctree, docname):
    """On a lesson's or an assignment's page, make links of the first uses."""
    from docutils import nodes
    from sphinx.util import logging

    if not PAGES.fullmatch(docname):
        return
    known = app.env.get_domain("std").objects
    texts = list(prose(doctree))
    for text, uses in zip(texts, finder().first_uses(texts), strict=True):
        pieces, end = [], 0
        for start, stop, term in uses:
            place = known.get(("term", term.name))
            if place is None:
                logging.getLogger(__name__).warning(
                    "the glossary page does not have %r", term.english, location=docname
                )
                continue
            link = nodes.reference("", text[start:stop], internal=True, classes=["term-link"])
            link["refuri"] = f"{app.builder.get_relative_uri(docname, place[0])}#{place[1]}"
            link["reftitle"] = term.told()
            pieces += [nodes.Text(text[end:start]), link]
            end = stop
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(text[end:])])


def depend_on_the_glossary(app, docname, source):
    """Make a page again when the glossary's words have changed."""
    if PAGES.fullmatch(docname):
        app.env.note_dependency(str(GLOSSARY))


def setup(app):
    """Called by Sphinx."""
    app.setup_extension("glossary_page")
    app.connect("source-read", depend_on_the_glossary)
    app.connect("doctree-resolved", link_first_uses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
