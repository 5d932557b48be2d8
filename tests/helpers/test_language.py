"""Which language is spoken, and how catalogues are read: nothing but the standard library."""

import pytest

from helpers import language

PO = """\
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

#: a.py
msgid "plain"
msgstr "평범"

# it looks fuzzy, but it is not
msgctxt "place"
msgid "plain"
msgstr "다른 곳"

#: a.py
#, fuzzy
msgid "old"
msgstr "옛"

#, python-format, fuzzy
msgid "older"
msgstr "더 옛"

#, python-format
msgid ""
"two \\"lines\\"\\n"
"of text"
msgstr ""
"두 "
"줄"

msgid "not yet"
msgstr ""

#~ msgid "gone"
#~ msgstr "없음"
"""


@pytest.fixture
def root(tmp_path):
    for name in ("ko", "de"):
        (tmp_path / "translations" / name).mkdir(parents=True)
    (tmp_path / "translations/README.md").touch()
    (tmp_path / "translations/ko/messages.po").write_text(PO, encoding="utf-8")
    return tmp_path


def test_a_catalogue_has_contexts_and_lines_but_nothing_fuzzy_or_obsolete(root):
    found = language.catalogue("ko", "messages", root)
    assert found == {
        ("", "plain"): "평범",
        ("place", "plain"): "다른 곳",
        ("", "old"): "old",
        ("", "older"): "older",
        ("", 'two "lines"\nof text'): "두 줄",
        ("", "not yet"): "not yet",
    }
    assert list(found)[-1] == ("", "not yet")


def test_without_a_catalogue_nothing_is_translated(root):
    assert language.catalogue("ko", "nothing", root) == {}
    assert language.catalogue("de", "messages", root) == {}
    (root / "translations/en").mkdir()
    (root / "translations/en/messages.po").write_text(PO, encoding="utf-8")
    assert language.catalogue("en", "messages", root) == {}


def test_english_comes_first_of_all_languages(root):
    assert language.languages(root) == ["en", "de", "ko"]


@pytest.mark.parametrize(
    ("folder", "variable", "code"),
    [
        (".", "", "en"),
        (".", "ko", "ko"),
        (".", "xx", "en"),
        ("notebooks", "ko", "en"),
        ("assignments/01-convolution-by-hand", "ko", "en"),
        ("ko/notebooks", "", "ko"),
        ("ko", "en", "ko"),
        ("helpers", "ko", "ko"),
        ("xx", "ko", "ko"),
        ("..", "ko", "ko"),
    ],
)
def test_the_folder_decides_and_then_the_variable(monkeypatch, folder, variable, code):
    monkeypatch.setenv(language.LANGUAGE, variable)
    assert language.current(language.ROOT / folder) == code


def test_speaking_ends_with_its_block_also_by_an_error(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(language.LANGUAGE, raising=False)
    with language.speaking("ko"):
        assert language.spoken() == "ko"
        with pytest.raises(ZeroDivisionError), language.speaking("en"):
            assert language.spoken() == 1 / 0
        assert language.spoken() == "ko"
        with language.speaking("en"):
            assert language.spoken() == "en"
    assert language.spoken() == "en"


def test_blocks_are_put_in_one_after_the_other():
    assert language.put_in("a b a c", [("a", "1"), ("a", "2")]) == "1 b 2 c"
    assert language.put_in("a b", []) == "a b"
    with pytest.raises(ValueError, match="'a' is not in the text"):
        language.put_in("a b", [("b", "1"), ("a", "2")])


def test_a_context_tells_two_translations_apart(monkeypatch):
    known = {("", "a"): "1", ("c", "a"): "2"}
    monkeypatch.setattr(language, "catalogue", lambda code, name: known if code == "ko" else {})
    with language.speaking("ko"):
        assert language.translated("a", "x") == "1"
        assert language.translated("a", "x", "c") == "2"
        assert language.translated("b", "x") == "b"
        assert language.translated("a", "x", language="en") == "a"
        assert language.gettext_noop("a") == "a"
    assert language.translated("a", "x", language="ko") == "1"
