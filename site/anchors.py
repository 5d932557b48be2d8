"""A Sphinx extension: a section has the address that it has in English, in every language.

So a link into a page works in all of them, also from one language to another, and an address does
not change when a translation does.
"""

import re
from functools import cache

from docutils import nodes
from first_uses import QUOTES
from sphinx.transforms import SphinxTransform

from helpers.command.files import ROOT, lessons
from helpers.language import ENGLISH, catalogue, current

# The later count where two headings are the same: most links with an anchor lead into site/.
FOLDERS = ("notebooks", "assignments", "site")


def plain(heading):
    """A heading without its markup."""
    return re.sub(r"[`*]", "", heading).strip()


@cache
def english_headings(language):
    """{a heading in another language: the English one}, of all pages."""
    folder = ROOT / "translations" / language
    paths = [path for name in FOLDERS for path in sorted((folder / name).glob("*.po"))]
    texts = [catalogue(language, p.relative_to(folder).with_suffix("").as_posix()) for p in paths]
    return {plain(there): plain(text) for all_ in texts for (_, text), there in all_.items()}


def in_english(heading):
    """The English heading of a section, from that in the language of the build."""
    heading = heading.translate(QUOTES)
    return english_headings(current()).get(heading, heading)


def lesson_heading(lesson, heading):
    """A heading of a lesson, "01", in the language of the build, from the English one."""
    for path in lessons():
        if path.name.startswith(f"{lesson}-"):
            for (_, text), there in catalogue(current(), f"notebooks/{path.stem}").items():
                if plain(text) == heading:
                    return plain(there)
    return heading


def slug(heading):
    """The address of a section within its page."""
    from myst_parser.slugs import github_slugify

    return github_slugify(in_english(heading))


class EnglishFirst(SphinxTransform):
    """Of a section's ids the English one comes first: tables of contents take it."""

    default_priority = 701  # after MyST-Parser's AddSlugIds

    def apply(self):
        for section in self.document.findall(nodes.section):
            ids = section["ids"]
            if section.get("slug") in ids:
                ids.insert(0, ids.pop(ids.index(section["slug"])))


def setup(app):
    if current() != ENGLISH:
        app.add_transform(EnglishFirst)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
