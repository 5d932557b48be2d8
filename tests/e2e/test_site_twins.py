"""Each page of the built site and its twin in the other language."""

import re

import pytest

from tests.e2e.site_pages import KOREAN
from tests.support.scripts import load

stage = load("site/stage.py")
pytestmark = pytest.mark.e2e


def links(html, tag):
    """[{attribute: value}] of the links of a page that say a language."""
    found = re.findall(rf"<{tag} ([^>]*hreflang[^>]*)>", html)
    return [dict(re.findall(r'([\w-]+)="([^"]*)"', attributes)) for attributes in found]


def at(site, page, address):
    """The page that a relative address on a page leads to."""
    path = ((site.folder / page).parent / address).resolve()
    return path.relative_to(site.folder.resolve()).as_posix()


def test_every_page_but_the_english_only_ones_has_its_twin(site):
    english = {page for page in site.pages if not stage.is_english_only(page)}
    assert {page.removeprefix(KOREAN) for page in site.korean} == english
    assert len(english) > 40


def test_twins_link_to_each_other(site):
    for page in [*site.pages, *site.korean]:
        english = page.removeprefix(KOREAN)
        other = english if page in site.korean else KOREAN + english
        (link,) = [one for one in links(site.html(page), "a") if one["class"] == "language-link"]
        assert link["hreflang"] == link["lang"] == ("en" if page in site.korean else "ko")
        if english.endswith("404.html"):  # its addresses begin at the root of the host
            continue
        there = {
            one["hreflang"]: at(site, page, one["href"]) for one in links(site.html(page), "link")
        }
        if stage.is_english_only(english):
            assert at(site, page, link["href"]) == f"{KOREAN}index.html"
            assert there == {}
        else:
            assert at(site, page, link["href"]) == other
            assert there == {"en": english, "ko": KOREAN + english, "x-default": english}


def test_links_to_english_pages_say_so(site):
    """From a Korean page, every link that leaves the Korean site, and no other."""
    seen = 0
    for page in site.korean:
        if page.endswith("404.html"):
            continue
        for tag in re.findall(r"<a ([^>]*)>", site.html(page)):
            link = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            address = link.get("href", "").partition("#")[0]
            if address and not re.match("[a-z]+:", address):
                is_english = not at(site, page, address).startswith(KOREAN)
                assert is_english == (link.get("hreflang") == "en"), f"{page}: {tag}"
                seen += is_english
    assert seen > 100


def test_sections_have_the_same_addresses(site):
    """In lessons, where links lead into pages, the ids of the English sections are all there."""
    for page in site.lessons:
        ids = [
            re.findall(r'<section id="([^"]+)">', site.html(prefix + page))
            for prefix in ("", KOREAN)
        ]
        assert len(ids[0]) == len(ids[1]) > 5, page
        every = set(re.findall(r'id="([^"]+)"', site.html(page)))
        assert set(ids[1]) <= every, page


def test_pictures_are_there_once(site):
    names = [{path.name for path in (site.folder / p / "_images").glob("*")} for p in ("", "ko")]
    assert len(names[0]) > 50
    assert not names[0] & names[1]
    for page in ("index.html", "notebooks/01-convolution-by-hand.html"):
        found = [re.findall(r'<img [^>]*src="([^":]+)"', site.html(p + page)) for p in ("", KOREAN)]
        assert len(found[0]) > 5
        english = [at(site, page, address) for address in found[0]]
        assert [at(site, KOREAN + page, address) for address in found[1]] == english
