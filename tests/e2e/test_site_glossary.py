"""The glossary's page on the built site, and the links to it from lessons and assignments."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from helpers.command.files import ROOT, assignments, lessons
from tests.support.scripts import load

first_uses = load("site/first_uses.py")

pytestmark = pytest.mark.e2e

TERMS = {term.english: term for term in first_uses.read_terms()}
BY_ANCHOR = {term.anchor: term for term in TERMS.values()}
HANGUL = re.compile("[ㄱ-ㅎ가-힣]")
VOID = {"br", "hr", "img", "input", "link", "meta", "col", "source", "wbr"}
# Where no link to the glossary may stand; `a` stands for any other link.
FORBIDDEN = {"h1", "h2", "h3", "h4", "pre", "code", "math", "table", "nav", "footer", "button", "a"}


@dataclass
class Piece:
    """A piece of text, and the elements around it: a list of (tag, attributes), outermost first."""

    around: list
    text: str = ""
    tags: set = field(init=False)

    def __post_init__(self):
        self.tags = {tag for tag, _ in self.around}

    @property
    def classes(self):
        return {name for _, some in self.around for name in (some.get("class") or "").split()}

    @property
    def link(self):
        """The attributes of the glossary link that this is, or None."""
        tag, some = self.around[-1] if self.around else ("", {})
        return some if tag == "a" and "term-link" in (some.get("class") or "") else None

    @property
    def is_prose(self):
        """Whether a first use in this piece must be a link."""
        own = self.tags - {"a"} if self.link else self.tags
        parents = [tag for tag, _ in self.around]
        inside = parents[parents.index("p") :] if "p" in parents else []
        return (
            "article" in own
            and not own & FORBIDDEN
            and not self.classes & {"cell_output", "lesson-links"}
            and set(inside) - {"a"} <= {"p", "strong", "em"}
            and inside != []
        )


class Page(HTMLParser):
    """The pieces of text of a page in their order, and all ids."""

    def __init__(self, html):
        super().__init__()
        self.open, self.pieces, self.ids = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        some = dict(attributes)
        self.ids += [some["id"]] if "id" in some else []
        if tag not in VOID:
            self.open.append((tag, some))

    def handle_startendtag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        while tag in {name for name, _ in self.open} and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & {tag for tag, _ in self.open}:
            self.pieces.append(Piece(list(self.open), data))

    @property
    def links(self):
        return [piece for piece in self.pieces if piece.link]


@pytest.fixture(scope="module")
def pages(site):
    return {name: Page(site.html(name)) for name in site.pages}


@pytest.fixture(scope="module")
def linking(pages):
    """The pages that are meant to have links."""
    return {
        name: page
        for name, page in pages.items()
        if first_uses.PAGES.fullmatch(name[: -len(".html")])
    }


def linked_term(piece):
    return BY_ANCHOR[piece.link["href"].partition("#")[2]]


def test_lessons_and_assignments_have_links_and_no_other_page(pages, linking):
    assert len(linking) == len(lessons(ROOT)) + len(assignments(ROOT))
    for name, page in pages.items():
        if name in linking:
            assert len(page.links) >= (10 if name.startswith("notebooks/") else 5), name
        else:
            assert not page.links, name


def test_each_word_is_linked_once_a_page(linking):
    for name, page in linking.items():
        targets = [piece.link["href"] for piece in page.links]
        assert len(targets) == len(set(targets)), name


def test_links_lead_to_words_of_the_glossary_and_say_what_they_mean(site, linking, pages):
    known = set(pages["glossary.html"].ids)
    for name, page in linking.items():
        for piece in page.links:
            path, _, anchor = piece.link["href"].partition("#")
            assert ((site.folder / name).parent / path).resolve() == site.folder / "glossary.html"
            assert anchor in known, f"{name}: {anchor}"
            term = linked_term(piece)
            assert piece.link["title"] == f"{term.english}: {term.definition}"
            finder = first_uses.Finder([term])
            assert finder.uses(piece.text) == [(0, len(piece.text), term)], piece.text


def test_links_stand_in_prose_only(linking):
    for name, page in linking.items():
        for piece in page.links:
            assert piece.is_prose, f"{name}: {piece.text}, in {sorted(piece.tags)}"


def test_it_is_the_first_use_in_prose_that_is_linked_and_none_is_left_out(linking):
    finder = first_uses.Finder(TERMS.values())
    for name, page in linking.items():
        linked = set()
        for piece in page.pieces:
            if piece.link:
                linked.add(linked_term(piece).english)
            elif piece.is_prose and "em" not in piece.tags:
                for start, end, term in finder.uses(piece.text):
                    assert term.english in linked, f"{name}: {piece.text[start - 20 : end + 20]!r}"


def test_paper_titles_are_left_alone(linking):
    for name, page in linking.items():
        for piece in page.pieces:
            if "em" in piece.tags and piece.link:
                (title,) = [some for tag, some in piece.around if tag == "em"]
                words = "".join(
                    p.text for p in page.pieces if any(some is title for _, some in p.around)
                )
                assert len(words.split()) <= first_uses.LONGEST_EMPHASIS, f"{name}: {words}"


# --- the glossary's own page -------------------------------------------------------------------


@pytest.fixture(scope="module")
def glossary(pages):
    return pages["glossary.html"]


def test_every_word_has_its_place_and_no_place_is_there_twice(glossary):
    anchors = [one for one in glossary.ids if one.startswith("term-")]
    words = [word for term in TERMS.values() for word in (term.english, *term.also)]
    assert sorted(anchors) == sorted(map(first_uses.anchor, words))


def test_words_are_in_the_order_of_the_alphabet(glossary):
    words = []
    for piece in glossary.pieces:
        if piece.around and piece.around[-1][0] == "dt":
            words.append(piece.text.strip().translate(first_uses.QUOTES))
    words = [word for word in words if word]
    assert words == sorted(words, key=str.casefold)
    assert len(words) > len(TERMS)


def test_english_and_korean_stand_side_by_side(glossary):
    korean = {}
    for piece in glossary.pieces:
        places = [some["id"] for tag, some in piece.around if tag == "dt"]
        if places and piece.around[-1][1].get("lang") == "ko":
            korean[places[0]] = piece.text
    assert korean == {term.anchor: ", ".join(term.korean) for term in TERMS.values()}


def test_korean_text_says_that_it_is_korean(glossary):
    found = [piece for piece in glossary.pieces if HANGUL.search(piece.text)]
    assert len(found) > len(TERMS)
    for piece in found:
        assert any(some.get("lang") == "ko" for _, some in piece.around), piece.text


def test_the_korean_index_is_complete_and_in_its_order(glossary):
    index = []
    for piece in glossary.pieces:
        if "glossary-index" in piece.classes and piece.around[-1][1].get("lang") == "ko":
            (link,) = [some for tag, some in piece.around if tag == "a"]
            index.append((piece.text, link["href"].removeprefix("#")))
    expected = [(word, term.anchor) for term in TERMS.values() for word in term.korean]
    assert sorted(index) == sorted(pair for pair in expected if HANGUL.search(pair[0]))
    # Unicode has the syllables in 가나다 order; what begins with a Latin letter comes last.
    words = [word.replace(" ", "") for word, _ in index]
    hangul = [word for word in words if HANGUL.match(word)]
    assert hangul == sorted(hangul)
    assert words[: len(hangul)] == hangul


def test_every_word_leads_to_its_section_of_a_lesson(site, glossary, pages):
    found = {}
    for piece in glossary.pieces:
        for tag, some in piece.around:
            if tag == "a" and "glossary-where" in piece.classes:
                found.setdefault(some["href"], set()).add(piece.text.translate(first_uses.QUOTES))
    expected = {f"Lesson {term.lesson}: {term.section}" for term in TERMS.values()}
    assert set().union(*found.values()) == expected
    for address in found:
        page, _, anchor = address.partition("#")
        assert anchor in pages[page].ids


# --- the Korean one ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def korean(site):
    return Page(site.html("ko/glossary.html"))


def test_the_korean_glossary_lists_korean_words_first(korean):
    words, english = [], {}
    for piece in korean.pieces:
        places = [some["id"] for tag, some in piece.around if tag == "dt"]
        if places and piece.around[-1][0] == "dt" and piece.text.strip():
            words.append((piece.text.strip(), places[0]))
        elif places and piece.around[-1][1].get("lang") == "en":
            english[places[0]] = piece.text.translate(first_uses.QUOTES)
    assert {(term.korean[0], term.anchor) for term in TERMS.values()} <= set(words)
    assert english == {t.anchor: ", ".join((t.english, *t.also)) for t in TERMS.values()}
    hangul = [word.replace(" ", "") for word, _ in words if HANGUL.match(word)]
    assert hangul == sorted(hangul)
    every = [word for term in TERMS.values() for word in term.korean]
    assert sorted(word for word, _ in words) == sorted(every)


def test_the_korean_glossary_has_an_index_of_the_english_words(korean):
    index = []
    for piece in korean.pieces:
        if "glossary-index" in piece.classes and piece.around[-1][1].get("lang") == "en":
            (link,) = [some for tag, some in piece.around if tag == "a"]
            index.append((piece.text.translate(first_uses.QUOTES), link["href"].removeprefix("#")))
    expected = [(word, t.anchor) for t in TERMS.values() for word in (t.english, *t.also)]
    assert index == sorted(expected, key=lambda pair: pair[0].casefold())
    assert {anchor for _, anchor in index} <= set(korean.ids)


def test_korean_lessons_link_the_first_use_of_korean_words(site, korean):
    for name in site.korean:
        page = Page(site.html(name))
        targets = [piece.link["href"].partition("#")[2] for piece in page.links]
        assert len(targets) == len(set(targets)), name
        assert set(targets) <= set(korean.ids), name
        for piece in page.links:
            term = linked_term(piece)
            assert piece.text in term.korean_forms, f"{name}: {piece.text}"
            assert piece.link["title"].startswith(f"{term.korean[0]} ({term.english}): ")
        is_text = first_uses.PAGES.fullmatch(name.removeprefix("ko/")[: -len(".html")])
        assert len(targets) >= (5 if is_text else 0), name
        assert is_text or not targets, name


def test_a_reader_goes_from_a_lesson_to_the_word_and_to_its_korean_index(site, page):
    """On a phone: the link has a line of dots and the colour of the text; its place is seen."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.base}notebooks/03-activations-and-pooling.html")
    link = page.locator("a.term-link", has_text="activation function").first
    style = "e => [getComputedStyle(e).textDecorationStyle, getComputedStyle(e).color]"
    around = link.locator("xpath=..").evaluate("e => getComputedStyle(e).color")
    assert link.evaluate(style) == ["dotted", around]
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#term-activation-function")
    place = page.locator("#term-activation-function")
    place.wait_for()
    page.wait_for_function(
        "() => {const y = document.getElementById('term-activation-function')"
        ".getBoundingClientRect().top; return y > 40 && y < 400;}"
    )
    assert "활성화 함수" in place.inner_text()

    page.locator("a[lang=ko]", has_text="한국어로 찾기").click()
    page.get_by_role("link", name="합성곱 신경망", exact=True).click()
    page.wait_for_url("**/glossary.html#term-convolutional-neural-network")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
