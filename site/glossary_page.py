"""Sphinx directives that make the glossary page from glossary.toml.

`{glossary-terms}` lists the English words with their Korean ones, definitions and lessons, under
their initial letters; `{term}` then works on every page. `{glossary-korean}` is the index of the
Korean words. Korean text carries its language, for screen readers.
"""

from itertools import groupby
from pathlib import Path

from docutils import nodes
from first_uses import GLOSSARY, QUOTES, anchor, read_terms
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

CSS = Path(__file__).with_name("glossary.css")
# The initial consonants in the order in which Unicode composes syllables; the doubled ones stand
# with the simple ones, as in a dictionary.
INITIALS = "ㄱㄱㄴㄷㄷㄹㅁㅂㅂㅅㅅㅇㅈㅈㅊㅋㅌㅍㅎ"
FIRST_SYLLABLE, SYLLABLES_OF_AN_INITIAL = ord("가"), 588


def initial(word):
    """The heading for a Korean word: its initial consonant, or A–Z for what begins in Latin."""
    number = (ord(word[0]) - FIRST_SYLLABLE) // SYLLABLES_OF_AN_INITIAL
    return INITIALS[number] if 0 <= number < len(INITIALS) else "A–Z"


def korean_order(word):
    """Sorts in 가나다 order, which is Unicode's; spaces do not count, and Latin words come last."""
    return initial(word) == "A–Z", word.replace(" ", "").casefold()


def korean(text):
    """Text in Korean: docutils makes lang="ko" of the class."""
    return nodes.inline("", text, classes=["language-ko"])


def link(word, *content):
    """A link on the same page to a word."""
    return nodes.reference("", "", *content, refid=anchor(word), internal=True)


def headed_sections(groups, prefix):
    """A line of links to the headings, and a section for each (heading, content) of `groups`.

    `prefix` begins the sections' ids; a consonant's number ends them, or the heading itself.
    """
    jumps, sections = nodes.paragraph(classes=["glossary-jumps"]), []
    for heading, content in groups:
        number = INITIALS.find(heading)
        name = nodes.Text(heading) if number < 0 else korean(heading)
        end = anchor(heading).removeprefix("term-") if number < 0 else number
        section = nodes.section("", nodes.title("", "", name), *content, ids=[f"{prefix}-{end}"])
        sections.append(section)
        jump = nodes.reference("", "", name.deepcopy(), refid=f"{prefix}-{end}", internal=True)
        jumps += [jump, nodes.Text(" ")]
    return [jumps, *sections]


class GlossaryTerms(SphinxDirective):
    """The English words in the order of the alphabet, and where to look for other words."""

    def run(self):
        self.env.note_dependency(str(GLOSSARY))
        entries = [(term.english, term) for term in read_terms()]
        entries += [(word, term) for _, term in entries for word in term.also]
        entries.sort(key=lambda entry: entry[0].casefold())
        groups = []
        for letter, words in groupby(entries, key=lambda entry: entry[0][0].upper()):
            items = [self.item(word, term) for word, term in words]
            words = nodes.definition_list("", *items, classes=["glossary"])
            groups.append((letter, [addnodes.glossary("", words, sorted=False)]))
        return headed_sections(groups, "letter")

    def item(self, word, term):
        """A word with what is said about it: a definition, or where it stands."""
        name = nodes.term("", word, ids=[anchor(word)])
        self.set_source_info(name)
        self.env.get_domain("std").note_object("term", word, anchor(word), location=name)
        if word != term.english:
            see = nodes.paragraph("", "see ", link(term.english, nodes.Text(term.english)))
            content = [see]
        else:
            name += [nodes.Text(" "), korean(", ".join(term.korean))]
            content = [nodes.paragraph("", term.definition), self.where(term)]
        return nodes.definition_list_item("", name, nodes.definition("", *content))

    def where(self, term):
        """The other words for it, and the lesson that introduces it."""
        line = nodes.paragraph(classes=["glossary-where"])
        if term.also:
            line += nodes.Text(f"Also: {', '.join(term.also)}. ")
        text = nodes.inline("", f"Lesson {term.lesson}: {term.section}")
        # Resolved when all pages are known.
        line += addnodes.pending_xref(
            "",
            text,
            refdomain="",
            reftype="lesson-section",
            reftarget=f"{term.lesson}#{term.section}",
            refwarn=True,
        )
        return line


class GlossaryKorean(SphinxDirective):
    """The Korean words in 가나다 order, each with a link to its entry."""

    def run(self):
        self.env.note_dependency(str(GLOSSARY))
        words = [(word, term.english) for term in read_terms() for word in term.korean]
        words.sort(key=lambda pair: korean_order(pair[0]))
        groups = []
        for heading, pairs in groupby(words, key=lambda pair: initial(pair[0])):
            lines = [
                nodes.paragraph("", "", link(english, korean(word)), nodes.Text(f" {english}"))
                for word, english in pairs
                if word != english
            ]
            items = [nodes.list_item("", line) for line in lines]
            if items:
                content = nodes.bullet_list("", *items, classes=["glossary-korean"])
                groups.append((heading, [content]))
        return headed_sections(groups, "korean")


def lesson_section(app, env, node, content):
    """The link to a section of a lesson, "01#Learn the words"; None if there is no such section."""
    if node.get("reftype") != "lesson-section":
        return None
    lesson, heading = node["reftarget"].split("#", 1)
    for docname in sorted(env.tocs):
        if docname.startswith(f"notebooks/{lesson}-"):
            for entry in env.tocs[docname].findall(nodes.reference):
                if entry.astext().translate(QUOTES) == heading:
                    page = app.builder.get_relative_uri(node["refdoc"], docname)
                    uri = page + entry["anchorname"]
                    return nodes.reference("", "", content, refuri=uri, internal=True)
    return None


def add_style(app, config):
    """Serve the style sheet from the site."""
    config.html_static_path.append(str(CSS))


def setup(app):
    """Called by Sphinx."""
    app.add_directive("glossary-terms", GlossaryTerms)
    app.add_directive("glossary-korean", GlossaryKorean)
    app.connect("config-inited", add_style)
    app.connect("missing-reference", lesson_section)
    app.add_css_file(CSS.name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
