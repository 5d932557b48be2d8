"""The site in Korean, as far as it can be tested without the site's own environment: its pages,
their twins in English, and the Korean words in search and text. tests/e2e tests the built site.
"""

import json
import posixpath
import re

import pytest

from helpers.command.files import assignments
from helpers.command.variables import LANGUAGE
from tests.support.lessons import LESSONS, ROOT, need
from tests.support.scripts import load

stage = load("site/stage.py")
twins = load("site/twins.py")
hosted = load("site/hosted.py")
korean = load("site/korean.py")
first_uses = load("site/first_uses.py")
ENGLISH = "english://"


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    """{language: the folder of the pages' sources}"""
    need("")
    folders = {}
    with pytest.MonkeyPatch.context() as patch:
        for language in ("en", "ko"):
            patch.setenv(LANGUAGE, language)
            folders[language] = tmp_path_factory.mktemp(language)
            stage.stage(folders[language])
    return folders


def pages(folder):
    """The pages in a folder of sources, by their names on the site."""
    paths = (
        path.relative_to(folder) for path in folder.rglob("*") if path.suffix in (".md", ".ipynb")
    )
    kept = [path for path in paths if path.parts[0] not in ("parts", "downloads")]
    return {path.with_suffix(".html").as_posix() for path in kept}


# --- which pages there are -----------------------------------------------------------------------


def test_every_page_has_a_twin_but_those_in_english_only(gathered):
    english, there = pages(gathered["en"]), pages(gathered["ko"])
    assert there == {page for page in english if not stage.is_english_only(page)}
    alone = {page.partition("/")[0] for page in english - there}
    assert alone == {"reference", "instructors", "data.html"}
    assert {"index.html", "glossary.html", "reference/index.html"} <= there
    assert len(there) > len(LESSONS) + 2 * len(assignments(ROOT)) + 10


def test_pages_are_the_korean_texts(gathered):
    for name in ("notebooks/01-convolution-by-hand.ipynb", "notebooks/04-layer-from-scratch.ipynb"):
        sources = {}
        for language, folder in gathered.items():
            cells = json.loads((folder / name).read_text(encoding="utf-8"))["cells"]
            sources[language] = ["".join(cell["source"]) for cell in cells]
        assert len(sources["en"]) == len(sources["ko"])
        assert sum(map(bool, re.findall("[가-힣]", "".join(sources["ko"])))) > 2000
        downloaded = (gathered["ko"] / "downloads" / posixpath.basename(name)).read_text("utf-8")
        assert json.loads(downloaded)["metadata"]["course"] == {"language": "ko"}


def test_links_to_english_pages_lead_to_the_english_site(gathered):
    start = (gathered["ko"] / "index.md").read_text(encoding="utf-8")
    assert f"]({ENGLISH}instructors/index.html)" in start
    assert f"<{ENGLISH}instructors/index.html>" in start  # in the table of contents
    assert f"<{ENGLISH}data.html>" in start
    reference = (gathered["ko"] / "reference/index.md").read_text(encoding="utf-8")
    linked = re.findall(rf"<{ENGLISH}reference/(.+)\.html>", reference)
    assert linked == [stage.page_of(name) for name in stage.public_modules()]
    for path in gathered["en"].rglob("*.md"):
        assert ENGLISH not in path.read_text(encoding="utf-8"), path


def test_a_korean_notebook_links_to_korean_pages():
    there = stage.places(language="ko")
    turned = stage.rewrite(
        "[a](../assignments/README.md) [b](02-stride-and-padding.ipynb#x) "
        "[c](../../solutions/grading.md#y) [d](../../LICENSE)",
        "ko/notebooks/01-convolution-by-hand.ipynb",
        there,
        "",
    )
    assert turned == (
        "[a](../assignments/index.md) [b](02-stride-and-padding.ipynb#x) "
        f"[c]({ENGLISH}instructors/grading.html#y) [d](../licences.md)"
    )


def test_the_korean_glossary_has_an_english_index(gathered):
    page = (gathered["ko"] / "glossary.md").read_text(encoding="utf-8")
    assert "{glossary-terms}" in page
    assert "{glossary-english}" in page
    assert "korean" not in page


# --- twins ---------------------------------------------------------------------------------------

PAGE = '<html><head></head><body><div class="content-icon-container"></div>x</body></html>'


def links(html, tag):
    """[{attribute: value}] of the elements that say another language."""
    found = re.findall(rf"<{tag} ([^>]*hreflang[^>]*)>", html)
    return [dict(re.findall(r'([\w-]+)="([^"]*)"', attributes)) for attributes in found]


@pytest.mark.parametrize(
    ("page", "language", "there", "addresses"),
    [
        ("index.html", "en", "ko/index.html", ["index.html", "ko/index.html"]),
        ("index.html", "ko", "../index.html", ["../index.html", "../ko/index.html"]),
        ("a/b.html", "en", "../ko/a/b.html", ["../a/b.html", "../ko/a/b.html"]),
        ("a/b.html", "ko", "../../a/b.html", ["../../a/b.html", "../../ko/a/b.html"]),
    ],
)
def test_a_page_says_where_it_is_in_each_language(page, language, there, addresses):
    html = twins.with_twins(PAGE, page, language, ["en", "ko"], True)
    (link,) = links(html, "a")
    other = "ko" if language == "en" else "en"
    assert link["href"] == there
    assert link["hreflang"] == link["lang"] == other
    assert f">{twins.NAMES[other]}</a>" in html
    found = [(one["hreflang"], one["href"]) for one in links(html, "link")]
    english, korean_one = addresses
    assert found == [("en", english), ("ko", korean_one), ("x-default", english)]
    assert html.index('hreflang="x-default"') < html.index("</head>")


def test_search_engines_get_whole_addresses_where_the_site_s_is_known():
    base = hosted.site_address("https://github.com/Owner/name")
    assert base == "https://owner.github.io/name/"
    assert hosted.site_address("https://git.example.org/o/n") == hosted.site_address("") == ""
    html = twins.with_twins(PAGE, "a/b.html", "ko", ["en", "ko"], True, base)
    assert [one["href"] for one in links(html, "link")] == [
        f"{base}a/b.html",
        f"{base}ko/a/b.html",
        f"{base}a/b.html",
    ]
    assert [one["href"] for one in links(html, "a")] == ["../../a/b.html"]


def test_a_page_without_a_twin_leads_to_the_start_page_and_claims_none():
    html = twins.with_twins(PAGE, "reference/ops.html", "en", ["en", "ko"], False)
    (link,) = links(html, "a")
    assert link["href"] == "../ko/index.html"
    assert "rel" not in link
    assert links(html, "link") == []


def test_a_theme_without_a_place_for_the_link_is_a_fault():
    with pytest.raises(ValueError, match=r"no place for buttons on a\.html"):
        twins.with_twins("<html></html>", "a.html", "en", ["en", "ko"], True)


def test_links_to_english_pages_say_their_language():
    html = f'<a class="reference external" href="{ENGLISH}data.html#x">d</a>'
    assert twins.with_english_links(html, "a/b.html", "ko") == (
        '<a class="reference internal" hreflang="en" href="../../data.html#x">d</a>'
    )


# --- Korean words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("합성곱은", ["합성", "합성곱", "합성곱은"]),
        ("패딩", ["패딩"]),
        ("층은", ["층", "층은"]),
        ("결정", ["결정"]),
        ("층", ["층"]),
    ],
)
def test_a_word_is_found_by_its_beginnings(word, found):
    assert korean.beginnings(word) == found


def test_uses_of_korean_words_are_found_with_their_particles():
    term = first_uses.Term
    terms = [
        term("convolution", ("합성곱",), "A sum.", "01", "x"),
        term("convolutional neural network", ("합성곱 신경망",), "A net.", "01", "x"),
        term("layer", ("층", "레이어"), "A part.", "01", "x"),
        term("ReLU", ("렐루",), "A bend.", "01", "x"),
        term("class", ("클래스",), "A kind.", "01", "x", match=()),
        term("score", ("점수",), "A number.", "01", "x", korean_match=()),
    ]
    text = (
        "합성곱은 층에서, 합성곱 신경망의 층층이 단층 ReLU는 클래스가 합성곱층이 레이어, 점수, relu"
    )
    uses = first_uses.KoreanFinder(terms).uses(text)
    assert [(text[a:b], one.english) for a, b, one in uses] == [
        ("합성곱", "convolution"),
        ("층", "layer"),
        ("합성곱 신경망", "convolutional neural network"),
        ("ReLU", "ReLU"),
    ]


def test_a_term_is_told_in_the_language_of_the_build(monkeypatch):
    (stride,) = [one for one in first_uses.read_terms() if one.english == "stride"]
    assert stride.told().startswith("stride: ")
    monkeypatch.setenv(LANGUAGE, "ko")
    assert stride.name == "스트라이드"
    assert stride.told().startswith("스트라이드 (stride): ")
