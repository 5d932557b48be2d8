"""The words that the site's own code puts on pages, in the language of the build.

`course translate` finds them as literals, ``gettext("…")``, and keeps them in the catalogue
"site/words". The language is that of `helpers.language.current`: build.py sets the variable.

Needs nothing beyond the standard library and polib.
"""

import re

from helpers.language import current, translated

CATALOGUE = "site/words"
# What a page of another language begins a link with that leads to an English one. The finished
# pages have a relative address there.
ENGLISH_SITE = "english://"


def gettext(text):
    """A text in the language of the build."""
    return translated(text, CATALOGUE)


def nodes_of(text, **parts):
    """A sentence in the language of the build as nodes; `parts` stand where it has {name}."""
    from docutils import nodes

    pieces = re.split(r"\{(\w+)\}", gettext(text))
    return [
        parts[piece] if number % 2 else nodes.Text(piece)
        for number, piece in enumerate(pieces)
        if piece
    ]


def write_theme_words(folder):
    """Write what Sphinx's catalogue of the language lacks: the theme's words, and newer ones.

    `folder` is to be one of the `locale_dirs` of Sphinx's configuration.
    """
    import polib

    words = {
        "Back to top": gettext("Back to top"),
        "Home": gettext("Home"),
        "Link to this definition": gettext("Link to this definition"),
        "Link to this heading": gettext("Link to this heading"),
        "Link to this term": gettext("Link to this term"),
        "Link to this image": gettext("Link to this image"),
        "Made with ": gettext("Made with "),
        "Next": gettext("Next"),
        "On this page": gettext("On this page"),
        "Please activate JavaScript to enable the search functionality.": gettext(
            "Please activate JavaScript to enable the search functionality."
        ),
        "Previous": gettext("Previous"),
        "Skip to content": gettext("Skip to content"),
    }
    catalogue = polib.POFile()
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    catalogue += [polib.POEntry(msgid=text, msgstr=there) for text, there in words.items()]
    path = folder / current() / "LC_MESSAGES/sphinx.mo"
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save_as_mofile(str(path))
