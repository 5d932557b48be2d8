"""A Sphinx extension: details of every page that theme and parser leave open.

A description for search engines; pictures that load when they come into view; names and levels
that screen readers need; links to the same page in other languages; and a page for addresses that
do not exist, whose own links work wherever it is shown.
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from first_uses import anchor, read_terms
from hosted import make_links_absolute, site_address, site_prefix
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from stage import is_english_only
from twins import with_english_links, with_twins
from words import gettext

from helpers.command.files import lessons
from helpers.language import ENGLISH, catalogue, current, languages, translated

HERE = Path(__file__).parent
DESCRIPTION_LENGTH = 160
NOT_FOUND = "404"


class LazyImages(SphinxPostTransform):
    """Pictures are fetched when the reader comes near them."""

    default_priority = 900
    formats = ("html",)

    def run(self, **options):
        for image in self.document.findall(nodes.image):
            image["loading"] = "lazy"


def description(doctree):
    """The first paragraph of a page, cut at a word; "" if it has none."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            if len(text) <= DESCRIPTION_LENGTH:
                return text
            return text[: DESCRIPTION_LENGTH - 2].rsplit(" ", 1)[0] + " …"
    return ""


def add_description(app, pagename, templatename, context, doctree):
    text = (doctree and description(doctree)) or app.config.course_title
    context["metatags"] = (
        context.get("metatags", "") + f'\n<meta name="description" content="{escape(text)}">'
    )


def for_screen_readers():
    """{what theme and parser write: what a screen reader needs instead}"""
    pages, here = gettext("Pages"), gettext("On this page")
    return {
        '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
        '<aside class="sidebar-drawer">': f'<aside class="sidebar-drawer" aria-label="{pages}">',
        '<aside class="toc-drawer': f'<aside aria-label="{here}" class="toc-drawer',
        # The corner of a table is no heading.
        '<th class="head"><p></p></th>': "<td></td>",
        # The theme's page of search results has no heading until something was found. The script
        # looks into the glossary first.
        '<div id="search-results"></div>': f"<h1>{gettext('Search')}</h1>\n"
        '<div id="glossary-results"></div>\n<script src="_static/glossary-words.js"></script>\n'
        '<div id="search-results"></div>',
    }


def for_the_web():
    """{a sentence for a notebook: what stands for it on a page of the site}"""
    lesson = "(This needs a running page: run the cell in JupyterLab.)"
    pieces = {
        "Run this cell in JupyterLab to step through it.": gettext(
            "Switch on JavaScript to step through it."
        ),
        "Run this cell in JupyterLab to draw here.": gettext("Switch on JavaScript to draw here."),
        "Run this cell in JupyterLab to change the filter here.": gettext(
            "Switch on JavaScript to change the filter here."
        ),
        "Run this cell in JupyterLab to change the layers here.": gettext(
            "Switch on JavaScript to change the layers here."
        ),
        "Run this cell in JupyterLab to see the network learn here.": gettext(
            "Switch on JavaScript to see the network learn here."
        ),
    }
    return {
        **{translated(sentence, "pieces"): here for sentence, here in pieces.items()},
        in_lessons(lesson): gettext("(This needs JavaScript.)"),
        # The search takes its excerpts from the text, where nothing else would be between the two.
        "</dt><dd": "</dt>\n<dd",
    }


def in_lessons(sentence):
    """A sentence in brackets that ends a paragraph of a lesson, in the language of the build."""
    for path in lessons():
        for (_, text), there in catalogue(current(), f"notebooks/{path.stem}").items():
            if text.endswith(sentence):
                return re.search(r"\([^()]*\)$", there)[0]
    return sentence


def for_another_language():
    """{words that theme and parser have in English only: those of the build's language}"""
    if current() == ENGLISH:
        return {}
    return {
        "<title>Contents</title>": f"<title>{gettext('Contents')}</title>",
        "<title>Menu</title>": f"<title>{gettext('Menu')}</title>",
        "<title>Expand</title>": f"<title>{gettext('Expand')}</title>",
        "<title>Light mode</title>": f"<title>{gettext('Light mode')}</title>",
        "<title>Dark mode</title>": f"<title>{gettext('Dark mode')}</title>",
        "Auto light/dark, in light mode": gettext("Auto light/dark, in light mode"),
        "Auto light/dark, in dark mode": gettext("Auto light/dark, in dark mode"),
        "Toggle navigation of ": gettext("Toggle navigation of "),
        "Toggle site navigation sidebar": gettext("Toggle site navigation sidebar"),
        "Toggle table of contents sidebar": gettext("Toggle table of contents sidebar"),
        "Toggle Light / Dark / Auto color theme": gettext("Toggle Light / Dark / Auto color theme"),
        "Show code cell source": gettext("Show code cell source"),
        "Hide code cell source": gettext("Hide code cell source"),
        "Show code cell output": gettext("Show code cell output"),
        "Hide code cell output": gettext("Hide code cell output"),
    }


PICTURE = re.compile(r'<img (?![^>]*\bwidth=)([^>]*\bsrc="([^":]+\.png)"[^>]*)>')
HANGUL = re.compile(r"[가-힣]+(?:[ ·/,]+[가-힣]+)*")


def with_size(html, folder):
    """The page with the size of each picture, so that nothing moves when it has been fetched."""

    def add(match):
        head = (folder / match[2]).read_bytes()[:24]
        if head[:8] != b"\x89PNG\r\n\x1a\n":
            return match[0]
        width, height = (int.from_bytes(head[at : at + 4]) for at in (16, 20))
        return f'<img width="{width}" height="{height}" {match[1]}>'

    return PICTURE.sub(add, html)


def with_language(html):
    """The page with the language of its Korean words, which no one has marked yet."""
    head, article, rest = html.partition("<article")
    mark = r'<span lang="ko">\g<0></span>'
    return head + article + re.sub(r">[^<]*[가-힣][^<]*<", lambda m: HANGUL.sub(mark, m[0]), rest)


def write_glossary_words(folder):
    """The words of the glossary, and what the search page does with them, as one script."""
    words = [
        [word, anchor(term.english), term.english, *term.korean[:1]]
        for term in read_terms()
        for word in (term.english, *term.also, *term.korean)
    ]
    said = {
        "sure": gettext("In the glossary: {word}"),
        "unsure": gettext("Did you mean {word}?"),
        "nothing": gettext(
            "No page has all of these words. Try fewer words, or look into the glossary."
        ),
    }
    code = (HERE / "glossary_search.js").read_text(encoding="utf-8")
    data = "".join(
        f"const {name} = {json.dumps(value, ensure_ascii=False)};\n"
        for name, value in (("WORDS", words), ("SAID", said))
    )
    (folder / "_static/glossary-words.js").write_text(data + code, encoding="utf-8")


def adapt_scripts(folder):
    """Change what scripts of others have for some languages only, and Korean is none of them.

    Raises
    ------
    ExtensionError
        A script is not as it was any more.
    """
    words = {
        "copy": gettext("Copy"),
        "copy_to_clipboard": gettext("Copy to clipboard"),
        "copy_success": gettext("Copied!"),
        "copy_failure": gettext("Failed to copy"),
    }
    changes = {
        # Words of two syllables are whole words in Korean.
        "searchtools.js": {
            "word.length > 2": "word.length > 1",
            "term.length > 2": "term.length > 1",
        },
        "copybutton.js": {
            "const messages = {": f"const messages = {{ {json.dumps(current())}: "
            f"{json.dumps(words, ensure_ascii=False)},"
        },
    }
    for name, pairs in changes.items():
        path = folder / "_static" / name
        code = path.read_text(encoding="utf-8")
        for written, needed in pairs.items():
            if code.count(written) != 1:
                raise ExtensionError(
                    f"{name} has {written!r} {code.count(written)} times, not once"
                )
            code = code.replace(written, needed)
        path.write_text(code, encoding="utf-8")
    # The index has six signs of ASCII for each letter.
    index = folder / "searchindex.js"
    text = index.read_text(encoding="utf-8")
    text = re.sub(r"\\u([a-d][0-9a-f]{3})", lambda match: chr(int(match[1], 16)), text)
    index.write_text(text, encoding="utf-8")


def finish(app, error):
    """Repair the finished pages.

    Raises
    ------
    ExtensionError
        Something to repair is on no page: theme or parser write it in another way now.
    """
    if error is not None:
        return
    language, repository = current(), app.config.course_repository
    needs = for_screen_readers() | for_the_web() | for_another_language()
    missing = dict(needs)
    write_glossary_words(Path(app.outdir))
    if language != ENGLISH:
        adapt_scripts(Path(app.outdir))
    for path in Path(app.outdir).rglob("*.html"):
        page = path.relative_to(app.outdir).as_posix()
        html = path.read_text(encoding="utf-8")
        for written, needed in needs.items():
            if written in html:
                missing.pop(written, None)
            html = html.replace(written, needed)
        html = with_size(html, path.parent)
        if language == ENGLISH and path.parent.name == "notebooks":
            html = with_language(html)
        is_lost = path.name == f"{NOT_FOUND}.html"
        has_twin = not is_english_only(page) and not is_lost
        html = with_english_links(html, page, language)
        html = with_twins(html, page, language, languages(), has_twin, site_address(repository))
        if is_lost:  # a server shows it for addresses in any folder
            folder = "" if language == ENGLISH else f"{language}/"
            html = make_links_absolute(html, site_prefix(repository) + folder)
        path.write_text(html, encoding="utf-8")
    if missing:
        raise ExtensionError(f"on no page, so nothing was repaired: {', '.join(missing)}")


def setup(app):
    app.add_config_value("course_title", "", "env", str)
    app.add_post_transform(LazyImages)
    app.connect("html-page-context", add_description)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
