"""How to cite the course: CITATION.cff as a sentence, and for BibTeX.

Needs nothing beyond the standard library and PyYAML.
"""

import yaml

from helpers.command.files import ROOT

CITATION = ROOT / "CITATION.cff"


def read(path=CITATION):
    """The fields of a file in the Citation File Format 1.2.0."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def sentence(citation):
    """Authors (year). Title. Version."""
    names = ", ".join(map(full_name, citation["authors"]))
    return f"{names} ({year(citation)}). {citation['title']}. Version {citation['version']}."


def bibtex(citation, address):
    """An entry for BibTeX; `address` is where the course can be found, "" if that is not known."""
    # The braces keep the name of a group from being taken apart.
    names = [
        f"{{{one['name']}}}" if "name" in one else full_name(one) for one in citation["authors"]
    ]
    fields = {
        "author": " and ".join(names),
        "title": citation["title"],
        "year": year(citation),
        "version": citation["version"],
    }
    if address:
        fields["url"] = address
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{cnn-course,\n{lines}}}"


def full_name(author):
    """The name of a group or of a person."""
    return author.get("name") or f"{author['given-names']} {author['family-names']}"


def year(citation):
    """The year of the release."""
    return str(citation["date-released"])[:4]
