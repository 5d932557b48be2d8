"""Sphinx directives that make the glossary page from glossary.toml.

`{glossary-terms}` lists the words with those of the other language, definitions and lessons, under
their initial letters; `{term}` then works on every page. The English page lists the English words
first, and has an index of the Korean ones, `{glossary-korean}`; the Korean page the other way
round, with `{glossary-english}`. Text in the other language says so, for screen readers.
"""

from itertools import groupby
from pathlib import Path

from anchors import in_english, lesson_heading
from docutils import nodes
from first_uses import GLOSSARY, anchor, read_terms
from korean import INITIALS, initial, korean_order
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective
from words import gettext, nodes_of

from helpers.language import ENGLISH, current, translated

CSS = Path(__file__).with_name("glossary.css")


def in_language(code, text):
    """Text in a language: docutils makes its attribute of the class."""
    return nodes.inline("", text, classes=[f"language-{code}"])


def korean(text):
    """Text in Korean."""
    return in_language("ko", text)


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
    """The words in the order of their alphabet, and where to look for other words."""

    def run(self):
        self.env.note_dependency(str(GLOSSARY))
        is_english = current() == ENGLISH
        entries = [(term.name, term) for term in read_terms()]
        others = [
            (word, term)
            for _, term in entries
            for word in (term.also if is_english else term.korean[1:])
        ]
        order = str.casefold if is_english else korean_order
        entries = sorted([*entries, *others], key=lambda entry: order(entry[0]))
        groups = []
        for letter, words in groupby(entries, key=lambda entry: self.letter(entry[0])):
            items = [self.item(word, term) for word, term in words]
            words = nodes.definition_list("", *items, classes=["glossary"])
            groups.append((letter, [addnodes.glossary("", words, sorted=False)]))
        return headed_sections(groups, "letter")

    @staticmethod
    def letter(word):
        """Below which letter a word stands."""
        return word[0].upper() if current() == ENGLISH else initial(word)

    def item(self, word, term):
        """A word with what is said about it: a definition, or where it stands."""
        if current() == ENGLISH:
            ids, other = [anchor(word)], korean(", ".join(term.korean))
        elif word == term.name:
            ids = [term.anchor]
            other = in_language(ENGLISH, ", ".join((term.english, *term.also)))
        else:
            ids = [f"{term.anchor}-{term.korean.index(word) + 1}"]
        name = nodes.term("", word, ids=ids)
        self.set_source_info(name)
        if word != term.name:
            see = nodes_of("see {word}", word=link(term.english, nodes.Text(term.name)))
            content = [nodes.paragraph("", "", *see)]
        else:
            name += [nodes.Text(" "), other]
            definition = translated(term.definition, "glossary", term.english)
            content = [nodes.paragraph("", definition), self.where(term)]
        if current() == ENGLISH or word == term.name:
            self.env.get_domain("std").note_object("term", word, ids[0], location=name)
        return nodes.definition_list_item("", name, nodes.definition("", *content))

    def where(self, term):
        """The other words for it, and the lesson that introduces it."""
        line = nodes.paragraph(classes=["glossary-where"])
        if term.also and current() == ENGLISH:
            line += nodes.Text(f"Also: {', '.join(term.also)}. ")
        lesson = gettext("Lesson {number}: {section}")
        section = lesson_heading(term.lesson, term.section)
        text = nodes.inline("", lesson.format(number=term.lesson, section=section))
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
                content = nodes.bullet_list("", *items, classes=["glossary-index"])
                groups.append((heading, [content]))
        return headed_sections(groups, "korean")


class GlossaryEnglish(SphinxDirective):
    """The English words in the order of the alphabet, each with a link to its entry."""

    def run(self):
        self.env.note_dependency(str(GLOSSARY))
        terms = read_terms()
        words = [(word, term) for term in terms for word in (term.english, *term.also)]
        words.sort(key=lambda pair: pair[0].casefold())
        groups = []
        for letter, pairs in groupby(words, key=lambda pair: pair[0][0].upper()):
            items = nodes.bullet_list("", classes=["glossary-index"])
            for word, term in pairs:
                line = nodes.paragraph("", "", link(term.english, in_language(ENGLISH, word)))
                line += nodes.Text(f" {term.name}" if term.name != word else "")
                items += nodes.list_item("", line)
            groups.append((letter, [items]))
        return headed_sections(groups, "english")


def lesson_section(app, env, node, content):
    """The link to a section of a lesson, "01#Learn the words"; None if there is no such section."""
    if node.get("reftype") != "lesson-section":
        return None
    lesson, heading = node["reftarget"].split("#", 1)
    for docname in sorted(env.tocs):
        if docname.startswith(f"notebooks/{lesson}-"):
            for entry in env.tocs[docname].findall(nodes.reference):
                if in_english(entry.astext()) == heading:
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
    app.add_directive("glossary-english", GlossaryEnglish)
    app.connect("config-inited", add_style)
    app.connect("missing-reference", lesson_section)
    app.add_css_file(CSS.name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
