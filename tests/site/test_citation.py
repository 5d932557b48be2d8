"""How to cite the course: CITATION.cff, what the site makes of it, and who else says the same.

That it follows the Citation File Format is checked by `make site` (tools/website.py lint).
"""

import re
import tomllib

from tests.support.lessons import ROOT
from tests.support.scripts import load

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


citation = load("site/citation.py")
CITED = citation.read()


def releases():
    """[(version, date)] of the changelog, newest first, without what is not released."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^## \[([\d.]+)\] - (\S+)$", text, re.MULTILINE)


def test_version_title_and_keywords_are_those_of_the_project():
    assert CITED["version"] == PROJECT["version"]
    assert CITED["title"] == PROJECT["description"]
    assert CITED["keywords"] == PROJECT["keywords"]


def test_the_authors_are_those_of_the_licence_and_of_the_project():
    names = [citation.full_name(author) for author in CITED["authors"]]
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert re.search(r"Copyright \(c\) \d+ (.+)", licence)[1] == ", ".join(names)
    assert [author["name"] for author in PROJECT["authors"]] == names


def test_the_release_is_the_newest_of_the_changelog():
    assert releases()[0] == (CITED["version"], CITED["date-released"])
    assert releases() == sorted(releases(), key=lambda release: release[1], reverse=True)


GROUP = {
    "authors": [{"name": "The authors of it"}],
    "title": "Nets, caught",
    "version": "1.2.0",
    "date-released": "2031-02-03",
}
PEOPLE = GROUP | {
    "authors": [
        {"given-names": "Ada", "family-names": "King"},
        {"given-names": "Min-ji", "family-names": "Kim"},
    ]
}


def test_the_sentence():
    said = "The authors of it (2031). Nets, caught. Version 1.2.0."
    assert citation.sentence(GROUP) == said
    said = "Ada King, Min-ji Kim (2031). Nets, caught. Version 1.2.0."
    assert citation.sentence(PEOPLE) == said


def test_bibtex_keeps_the_name_of_a_group_together_and_those_of_people_apart():
    assert citation.bibtex(GROUP, "") == (
        "@misc{cnn-course,\n"
        "  author = {{The authors of it}},\n"
        "  title = {Nets, caught},\n"
        "  year = {2031},\n"
        "  version = {1.2.0},\n"
        "}"
    )
    assert "  author = {Ada King and Min-ji Kim},\n" in citation.bibtex(PEOPLE, "")
    assert "  url = {https://h/o/n},\n" in citation.bibtex(PEOPLE, "https://h/o/n")
