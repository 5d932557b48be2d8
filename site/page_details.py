"""A Sphinx extension: details of every page that theme and parser leave open.

A description for search engines; pictures that load when they come into view; names and levels
that screen readers need; and a page for addresses that do not exist, whose own links work wherever
it is shown.
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from first_uses import anchor, read_terms
from hosted import make_links_absolute, site_prefix
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

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


# What theme and parser write, and what a screen reader needs instead.
FOR_SCREEN_READERS = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Pages">',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
    # The corner of a table is no heading.
    '<th class="head"><p></p></th>': "<td></td>",
    # The theme's page of search results has no heading until something was found. The script looks
    # into the glossary first.
    '<div id="search-results"></div>': '<h1>Search</h1>\n<div id="glossary-results"></div>\n'
    '<script src="_static/glossary-words.js"></script>\n<div id="search-results"></div>',
}


# Sentences for a notebook that stand on a page of the site.
FOR_THE_WEB = {
    "Open and trust this notebook in JupyterLab to step through it.": "Switch on JavaScript to "
    "step through it.",
    "(This needs a running page: open and trust the notebook in JupyterLab.)": "(This needs "
    "JavaScript.)",
    # The search takes its excerpts from the text, where nothing else would be between the two.
    "</dt><dd": "</dt>\n<dd",
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
    code = (HERE / "glossary_search.js").read_text(encoding="utf-8")
    data = f"const WORDS = {json.dumps(words, ensure_ascii=False)};\n"
    (folder / "_static/glossary-words.js").write_text(data + code, encoding="utf-8")


def finish(app, error):
    """Repair the finished pages.

    Raises
    ------
    ExtensionError
        Something to repair is on no page: theme or parser write it in another way now.
    """
    if error is not None:
        return
    missing = {**FOR_SCREEN_READERS, **FOR_THE_WEB}
    write_glossary_words(Path(app.outdir))
    for path in Path(app.outdir).rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        for written, needed in (FOR_SCREEN_READERS | FOR_THE_WEB).items():
            if written in html:
                missing.pop(written, None)
            html = html.replace(written, needed)
        html = with_size(html, path.parent)
        if path.parent.name == "notebooks":
            html = with_language(html)
        if path.name == f"{NOT_FOUND}.html":  # a server shows it for addresses in any folder
            html = make_links_absolute(html, site_prefix(app.config.course_repository))
        path.write_text(html, encoding="utf-8")
    if missing:
        raise ExtensionError(f"on no page, so nothing was repaired: {', '.join(missing)}")


def setup(app):
    app.add_config_value("course_title", "", "env", str)
    app.add_post_transform(LazyImages)
    app.connect("html-page-context", add_description)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
