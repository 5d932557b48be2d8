"""The same page in another language: where it stands, and how a page says so.

English pages stand at the root of the site, those of another language in a folder with its code, by
the same names. Needs nothing beyond the standard library.
"""

import re
from html import escape

from words import ENGLISH_SITE, gettext

from helpers.language import ENGLISH

# What each language calls itself.
NAMES = {"en": "English", "ko": "한국어"}
# Where the theme has the buttons at the head of a text.
BUTTONS = '<div class="content-icon-container">'


def address(page, language, other):
    """The relative address, on a page in a language, of a page in another.

    Parameters
    ----------
    page : str or (str, str)
        The page's path in the folder of its language, such as "notebooks/01-a.html"; or two, of
        this page and of the other.
    language, other : str
        Codes of this page's language and of the other's.
    """
    here, there = (page, page) if isinstance(page, str) else page
    up = "../" * (here.count("/") + (language != ENGLISH))
    return f"{up}{'' if other == ENGLISH else f'{other}/'}{there}"


def with_twins(html, page, language, languages, has_twin, base=""):
    """A page that tells where it stands in the other languages, to readers and to search engines.

    Parameters
    ----------
    html, page, language : str
        The finished page, its path in the folder of its language, and the language's code.
    languages : list of str
        All that there are, English first.
    has_twin : bool
        Without one, the link leads to the start page in the other language.
    base : str
        Where the site stands, with / at the end; search engines ask for whole addresses. While
        that is not known, the addresses are relative.
    """
    links, relation = [], ' rel="alternate"' if has_twin else ""
    for other in languages:
        if other != language:
            there = address((page, page if has_twin else "index.html"), language, other)
            links.append(
                f'<a class="language-link" href="{there}" hreflang="{other}" lang="{other}"'
                f"{relation}>{NAMES[other]}</a>"
            )
    if BUTTONS not in html:
        raise ValueError(f"the theme has no place for buttons on {page}")
    if links:
        nav = f'<nav aria-label="{gettext("Language")}">{"".join(links)}</nav>'
        html = html.replace(BUTTONS, BUTTONS + nav, 1)
    if has_twin and len(languages) > 1:
        head = ""
        for code, other in [*zip(languages, languages, strict=True), ("x-default", ENGLISH)]:
            where = base + address(page, ENGLISH, other).replace("../", "") if base else ""
            where = where or address(page, language, other)
            head += f'<link rel="alternate" hreflang="{code}" href="{escape(where)}">\n'
        html = html.replace("</head>", f"{head}</head>", 1)
    return html


def with_english_links(html, page, language):
    """A page whose links to what is in English only lead there, and say that it is English."""

    def turn(match):
        there = address((page, match[1]), language, ENGLISH)
        return f'class="reference internal" hreflang="{ENGLISH}" href="{there}"'

    return re.sub(rf'class="reference external" href="{ENGLISH_SITE}([^"]*)"', turn, html)
