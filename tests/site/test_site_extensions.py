"""The plain functions of the site's extensions. What Sphinx makes of them, tests/e2e tests."""

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from helpers.command.files import assignments
from helpers.command.variables import LANGUAGE
from tests.support.lessons import LESSONS, ROOT
from tests.support.scripts import load, without_sphinx

with without_sphinx():
    lessons = load("site/lessons.py")
    page_details = load("site/page_details.py")
    mistakes = load("site/mistakes.py")
    anchors = load("site/anchors.py")
    conf = load("site/conf.py")
    search = load("site/korean_search.py").KoreanSearch()
    formulas = load("site/formulas.py")
build = load("site/build.py")
korean = load("site/korean.py")


# --- the lessons of the start page ---------------------------------------------------------------


def test_each_row_of_the_table_of_lessons_is_read():
    rows = lessons.lesson_rows((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [f"{row['path']}.ipynb" for row in rows] == [
        path.relative_to(ROOT).as_posix() for path in LESSONS
    ]
    for row in rows:
        assert row["path"].removeprefix("notebooks/").startswith(f"{row['number']}-")
        assert (ROOT / row["cover"]).is_file()
        assert len(row["alt"]) > 20
        assert row["title"]
        assert row["ability"]


def test_a_row_has_its_six_parts():
    row = '| <img src="c/01.png" width="9" alt="A cat."> | 01 [A b](n/01-a.ipynb) | do `it` |'
    found = {"cover": "c/01.png", "alt": "A cat.", "number": "01", "title": "A b"}
    assert lessons.lesson_rows(row) == [found | {"path": "n/01-a", "ability": "do `it`"}]
    assert lessons.lesson_rows(row.replace(" 01 ", " A "))[0]["number"] == "A"
    assert lessons.lesson_rows(row.replace(" 01 ", " 1 ")) == []


def test_words_of_a_table_become_a_sentence_but_in_korean_they_stay():
    assert lessons.as_sentence("slide a CNN by hand") == "Slide a CNN by hand."
    assert lessons.as_sentence("손으로 합성곱") == "손으로 합성곱"


# --- known mistakes ------------------------------------------------------------------------------

TABLE = """\
assignment,exercise,mistake,what the student reads
01-a,second,one_by_one,"Wrong, `x` twice."
01-a,second,two,Too large.
02-b,other,three,Too small.
01-a,first,four,Flipped.
"""


def test_mistakes_stand_by_exercise_in_the_order_of_the_banks(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(TABLE, encoding="utf-8")
    assert mistakes.read_mistakes("01-a", table) == [
        ("second", [("one by one", "Wrong, `x` twice."), ("two", "Too large.")]),
        ("first", [("four", "Flipped.")]),
    ]
    assert mistakes.read_mistakes("03-c", table) == []


def test_each_assignment_has_known_mistakes():
    for path in assignments(ROOT):
        assert mistakes.read_mistakes(path.stem)


def test_what_stands_between_backticks_is_code():
    found = [(type(one).__name__, one.args[-1]) for one in mistakes.with_code("`a` is no `b c`.")]
    assert found == [("literal", "a"), ("Text", " is no "), ("literal", "b c"), ("Text", ".")]
    assert [one.args[-1] for one in mistakes.with_code("no code")] == ["no code"]


# --- details of pages ----------------------------------------------------------------------------


def document(*texts):
    paragraphs = [SimpleNamespace(astext=lambda text=text: text) for text in texts]
    return SimpleNamespace(findall=lambda kind: paragraphs)


def test_a_page_is_described_by_its_first_paragraph_of_more_than_40_signs():
    assert page_details.description(document("short", "x" * 40, "y " * 30)) == ("y " * 30).strip()
    assert page_details.description(document("a\n" * 21, "b" * 50)) == "a " * 20 + "a"
    assert page_details.description(document("short")) == ""


def test_a_long_description_is_cut_between_words():
    assert page_details.description(document("x" * 160)) == "x" * 160
    cut = page_details.description(document("word " * 40))
    assert cut == "word " * 31 + "…"
    assert len(cut) <= 160


def test_a_description_is_the_courses_title_where_a_page_has_none():
    config = SimpleNamespace(course_title='A "course"')
    context = {"metatags": "<meta>"}
    page_details.add_description(SimpleNamespace(config=config), "", "", context, None)
    assert context["metatags"] == (
        '<meta>\n<meta name="description" content="A &quot;course&quot;">'
    )
    page_details.add_description(
        SimpleNamespace(config=config), "", "", context, document("Words of a page. " * 3)
    )
    assert context["metatags"].endswith(f'content="{("Words of a page. " * 3).strip()}">')


def test_pictures_say_their_size_and_others_stay(tmp_path):
    head = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (300).to_bytes(4) + (20).to_bytes(4)
    (tmp_path / "a.png").write_bytes(head + b"rest")
    (tmp_path / "b.png").write_bytes(b"no picture at all, but long enough")
    before = '<img alt="x" src="a.png"><img src="b.png"><img src="https://h/c.png">'
    before += '<img width="9" src="a.png"><img src="d.svg">'
    after = before.replace("<img alt", '<img width="300" height="20" alt')
    assert page_details.with_size(before, tmp_path) == after


def test_korean_words_of_an_article_say_their_language():
    page = "<nav>한국어</nav><article title='말'><p>padding (패딩, 덧대기) and 층</p> 곱</article>"
    marked = page_details.with_language(page)
    assert marked == (
        "<nav>한국어</nav><article title='말'><p>padding ("
        '<span lang="ko">패딩, 덧대기</span>) and <span lang="ko">층</span></p>'
        ' <span lang="ko">곱</span></article>'
    )


def needs():
    every = (page_details.for_screen_readers(), page_details.for_the_web())
    return {written: needed for one in every for written, needed in one.items()}


def finished(tmp_path, pages, repository=""):
    """The pages after they were finished; each has a place for buttons and an article."""
    (tmp_path / "_static").mkdir(exist_ok=True)
    for name, text in pages.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        place = page_details.with_twins.__globals__["BUTTONS"]
        path.write_text(f"<head></head>{place}</div><article>{text}", encoding="utf-8")
    config = SimpleNamespace(course_repository=repository)
    page_details.finish(SimpleNamespace(config=config, outdir=tmp_path), None)
    return {name: (tmp_path / name).read_text(encoding="utf-8") for name in pages}


def test_what_theme_and_parser_leave_open_is_repaired(tmp_path, monkeypatch):
    monkeypatch.setenv(LANGUAGE, "en")
    words = "".join(f"{written}\n" for written in needs())
    pages = {"index.html": words, "notebooks/01-a.html": "<p>곱</p>", "other/a.html": "<p>곱</p>"}
    found = finished(tmp_path, pages | {"404.html": '<a href="x.html">', "data.html": ""})
    for written, needed in needs().items():
        assert needed in found["index.html"]
        assert written not in found["index.html"].replace(needed, "")
    # Only lessons have Korean words that nobody has marked yet.
    assert '<span lang="ko">곱</span>' in found["notebooks/01-a.html"]
    assert "<span" not in found["other/a.html"]
    assert 'href="/x.html"' in found["404.html"]  # from wherever the page is shown
    assert 'rel="alternate"' in found["index.html"]
    for alone in ("404.html", "data.html"):
        assert 'rel="alternate"' not in found[alone]
        assert 'class="language-link"' in found[alone]
    script = (tmp_path / "_static/glossary-words.js").read_text(encoding="utf-8")
    assert '["합성곱", "term-convolution", "convolution", "합성곱"]' in script
    assert '"sure": "In the glossary: {word}"' in script


def test_the_page_for_lost_addresses_knows_where_its_site_stands(tmp_path, monkeypatch):
    monkeypatch.setenv(LANGUAGE, "en")
    pages = {"index.html": "\n".join(needs()), "404.html": '<a href="x.html">'}
    found = finished(tmp_path, pages, "https://github.com/o/n")
    assert 'href="/n/x.html"' in found["404.html"]


def test_what_is_on_no_page_any_more_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setenv(LANGUAGE, "en")
    first, *rest = needs()
    with pytest.raises(
        page_details.ExtensionError, match=re.escape(f"nothing was repaired: {first}")
    ):
        finished(tmp_path, {"index.html": "\n".join(rest)})
    page_details.finish(None, RuntimeError("of the build"))  # that one is said elsewhere


def test_scripts_of_others_learn_korean_and_a_changed_script_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setenv(LANGUAGE, "ko")
    static = tmp_path / "_static"
    static.mkdir()
    (static / "searchtools.js").write_text("if (word.length > 2 && term.length > 2) {}")
    (static / "copybutton.js").write_text("const messages = {'en': {}}")
    (tmp_path / "searchindex.js").write_text(r'"\ud569\uc131": "\u0041 \ue000 \\n"')
    page_details.adapt_scripts(tmp_path)
    assert (static / "searchtools.js").read_text() == "if (word.length > 1 && term.length > 1) {}"
    copied = (static / "copybutton.js").read_text(encoding="utf-8")
    words = json.loads(re.search(r'"ko": (\{.*?\}),', copied)[1])
    assert words["copy"] == "복사"
    assert set(words) == {"copy", "copy_to_clipboard", "copy_success", "copy_failure"}
    # Syllables become one sign each, and nothing else.
    index = (tmp_path / "searchindex.js").read_text(encoding="utf-8")
    assert index == r'"합성": "\u0041 \ue000 \\n"'
    with pytest.raises(page_details.ExtensionError, match=r"'word.length > 2' 0 times, not once"):
        page_details.adapt_scripts(tmp_path)


# --- addresses within pages ----------------------------------------------------------------------


def test_a_korean_heading_has_the_english_address(monkeypatch):
    english = "Learn the words"
    monkeypatch.setenv(LANGUAGE, "ko")
    there = anchors.lesson_heading("01", english)
    assert re.search("[가-힣]", there)
    assert anchors.in_english(there) == english
    assert anchors.in_english("No heading at all") == "No heading at all"
    assert anchors.lesson_heading("01", "No heading at all") == "No heading at all"
    monkeypatch.setenv(LANGUAGE, "en")
    assert anchors.lesson_heading("01", english) == english


def test_a_heading_is_compared_without_its_markup():
    assert anchors.plain(" The `im2col` **way** ") == "The im2col way"


# --- Korean words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "heading"),
    [
        ("가", "ㄱ"),
        ("까", "ㄱ"),
        ("나", "ㄴ"),
        ("따", "ㄷ"),
        ("힣", "ㅎ"),
        ("씨", "ㅅ"),
        ("ReLU", "A–Z"),
    ],
)
def test_korean_words_stand_below_their_initial_consonant(word, heading):
    assert korean.initial(word) == heading
    assert korean.is_korean(word) == (heading != "A–Z")


def test_korean_words_are_sorted_without_spaces_and_before_latin_ones():
    words = ["패딩", "특징 맵", "ReLU", "특징값", "가중치", "he", "특성"]
    in_order = ["가중치", "특성", "특징값", "특징 맵", "패딩", "he", "ReLU"]
    in_order = sorted(in_order, key=in_order.index)
    assert sorted(words, key=korean.korean_order) == in_order


def test_a_korean_word_is_searched_by_its_beginnings_without_particles_and_a_latin_one_whole():
    assert search.split("합성곱은 CNN의 3x3, ReLU는") == [
        *("합성", "합성곱", "합성곱은", "CNN", "3x3", "ReLU")
    ]
    assert search.split("층이 높이") == ["층", "층이", "높", "높이"]
    assert search.stem("합성곱은") == "합성곱은"
    assert '"으로는"' in search.js_splitter_code
    assert "= PARTICLES" not in search.js_splitter_code


# --- formulas ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visit", "begin"),
    [
        (
            formulas.visit_display,
            r'<div class="formula"><math [^>]*display="block">.*</math></div>',
        ),
        (formulas.visit_inline, r'<math [^>]*display="inline">.*</math>'),
    ],
)
def test_only_a_formula_on_a_line_of_its_own_stands_in_a_block(visit, begin):
    translator, node = SimpleNamespace(body=[]), SimpleNamespace(astext=lambda: r"\frac{1}{2}")
    with without_sphinx(), pytest.raises(Exception, match=r"^$") as skipped:
        visit(translator, node)
    assert type(skipped.value).__name__ == "SkipNode"
    (text,) = translator.body
    assert re.fullmatch(begin, text)


# --- the configuration ---------------------------------------------------------------------------


def ended(*lines):
    lines = list(lines)
    conf.end_sections(None, "", "", None, None, lines)
    return lines


def test_sources_and_examples_behind_sections_get_headings_of_their_own():
    head = ["Words.", "", "Raises", "------", "ValueError", "    If it is."]
    assert ended(*head, "Source: a book", "and its page", ">>> f(1)", "1", ">>> f(2)") == [
        *head,
        *("", "References", "----------", "Source: a book", "and its page"),
        *("", "Examples", "--------", ">>> f(1)", "1", ">>> f(2)"),
    ]


def test_a_docstring_without_sections_or_with_its_own_headings_stays():
    plain = ["Words.", "Source: a book", ">>> f(1)"]
    assert ended(*plain) == plain
    own = ["Examples", "--------", ">>> f(1)"]
    assert ended(*own) == own


def test_notebooks_are_not_run_and_links_are_checked():
    assert conf.nb_execution_mode == "off"
    assert conf.nitpicky
    assert conf.course_repository == ""
    assert conf.html_math_renderer == "mathml"


# --- the build -----------------------------------------------------------------------------------


@pytest.fixture
def built(monkeypatch, tmp_path):
    """Building, with what a page holds and how each process ends; Sphinx does not run."""
    pages, status, started = {"en": "", "ko": ""}, {}, []

    class Process:
        def __init__(self, command, env):
            python, program, option, folder = command
            assert (python, program, option) == (sys.executable, build.HERE / "build.py", "--pages")
            self.language = env[LANGUAGE]
            started.append(self.language)
            html = folder / "html"
            (html / "_images").mkdir(parents=True)
            (html / "index.html").write_text(pages[self.language], encoding="utf-8")
            (html / "_images/same.png").write_bytes(b"same")
            (html / "_images/other.png").write_bytes(self.language.encode())

        def wait(self):
            return status.get(self.language, 0)

    with without_sphinx():
        sys.modules["conf"] = conf
        monkeypatch.setattr(subprocess, "Popen", Process)
        monkeypatch.syspath_prepend(build.HERE)
        target = tmp_path / "build/site"
        target.mkdir(parents=True)
        (target / "old.html").touch()
        yield SimpleNamespace(pages=pages, status=status, started=started, target=target)


def test_the_site_has_its_languages_side_by_side_and_shares_pictures(built):
    built.pages["ko"] = '<img src="_images/same.png"><img src="_images/other.png">'
    assert build.build(built.target) == 0
    assert built.started == ["en", "ko"]
    target = built.target
    assert (target / "ko/index.html").read_text() == (
        '<img src="../_images/same.png"><img src="_images/other.png">'
    )
    assert not (target / "ko/_images/same.png").exists()
    assert (target / "ko/_images/other.png").read_bytes() == b"ko"
    assert (target / "_images/other.png").read_bytes() == b"en"
    assert (target / ".nojekyll").is_file()
    assert not (target / "old.html").exists()
    assert [path.name for path in target.parent.iterdir()] == ["site"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_language_with_faults_leaves_the_old_site(built, language, capsys):
    built.status[language] = 2
    assert build.build(built.target) == 1
    assert (built.target / "old.html").exists()
    assert capsys.readouterr().err == "The site has faults; they are named above.\n"


def test_a_link_that_leads_nowhere_leaves_the_old_site(built, capsys):
    built.pages["ko"] = '<a href="nothing.html">'
    assert build.build(built.target) == 1
    assert (built.target / "old.html").exists()
    assert "ko/index.html: nothing.html (no such file)" in capsys.readouterr().err
