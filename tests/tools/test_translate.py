"""tools/translate: blocks are exact slices, catalogues keep what they have, and what is wrong is
named."""

import json
import shutil
import subprocess
from functools import cache

import polib
import pytest

from helpers import language
from helpers.command.files import ROOT, assignments, lessons
from helpers.language import put_in
from tools.translate import __main__ as command
from tools.translate import catalogue
from tools.translate.blocks import code_blocks, markdown_blocks
from tools.translate.compare import glossary, problems
from tools.translate.site import known_mistakes, site_words
from tools.translate.sources import (
    Message,
    catalogues,
    marked,
    messages_of_programs,
    messages_of_tests,
    notebook_messages,
    said_in,
)


@cache
def texts():
    return catalogues()


TEXT = """\
# A heading with `code`

A paragraph with
two lines and $x$.

- one *item*
- another

| size | words |
|---|---|
| 3 | three |
| 4 | `x` |

$$ a = b $$

```
code that says nothing
```

<details>
<summary>Answer</summary>

Four.

</details>
"""
CODE = '''\
%matplotlib inline
import numpy as np  # for arrays
# Two words
x = "# no comment"
### BEGIN SOLUTION


def f(x):
    """Say what.

    More of it.
    """
    return """no docstring"""
'''


def kinds(blocks):
    return [(block.kind, block.text) for block in blocks]


def test_markdown_falls_into_blocks():
    assert kinds(markdown_blocks(TEXT)) == [
        ("heading", "A heading with `code`"),
        ("paragraph", "A paragraph with\ntwo lines and $x$."),
        ("paragraph", "one *item*"),
        ("paragraph", "another"),
        ("table row", "| size | words |"),
        ("table row", "| 3 | three |"),
        ("HTML", "<details>\n<summary>Answer</summary>"),
        ("paragraph", "Four."),
    ]


def test_of_code_comments_and_docstrings_are_blocks():
    assert kinds(code_blocks(CODE)) == [
        ("comment", "# for arrays"),
        ("comment", "# Two words"),
        ("docstring", "Say what.\n\n    More of it.\n    "),
    ]


@pytest.mark.parametrize("path", [*lessons(), *assignments()], ids=lambda path: path.stem)
def test_every_block_of_a_notebook_is_found_again_where_it_was(path):
    """What is read afterwards is what was put in, block for block."""
    found = 0
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        read = markdown_blocks if cell["cell_type"] == "markdown" else code_blocks
        blocks = read(source)
        found += len(blocks)
        assert put_in(source, [(block.text, block.text) for block in blocks]) == source
        pairs = [
            (text, text if kind in ("table row", "HTML", "docstring") else f"{text} Zz{number}")
            for number, (kind, text) in enumerate(kinds(blocks))
        ]
        after = [block.text for block in read(put_in(source, pairs))]
        assert after == [text for _, text in pairs], cell["id"]
    cells = json.loads(path.read_bytes())["cells"]
    alts = sum("alt" in cell["metadata"] for cell in cells)
    told = sum("translate-output" in cell["metadata"].get("tags", ()) for cell in cells)
    assert len(notebook_messages(path)) == found + alts + told


def test_put_in_says_what_is_not_there():
    with pytest.raises(ValueError, match="'two'"):
        put_in("one three", [("one", "하나"), ("two", "둘")])
    assert put_in("a b a", [("a", "x"), ("b", "y"), ("a", "z")]) == "x y z"


@pytest.mark.parametrize("name", ["notebooks/02-stride-and-padding", "glossary", "predictions"])
def test_context_and_text_together_are_unique(name):
    messages = texts()[name]
    assert len({(message.context, message.text) for message in messages}) == len(messages)
    assert len(messages) > 100


# --- catalogues --------------------------------------------------------------------------------


def entry(text, translation="", context="cell", kind="paragraph", **more):
    return polib.POEntry(msgctxt=context, msgid=text, msgstr=translation, comment=kind, **more)


def updated(old, messages, memory=()):
    po = polib.POFile(wrapwidth=0)
    po.extend(old)
    known = {e.msgid: e for e in memory}
    new = catalogue.update(po, [Message(*m) for m in messages], "ko", known)
    return [(e.msgctxt, e.msgid, e.msgstr, e.fuzzy, e.previous_msgid) for e in new]


LONG = "The window moves over the image in steps of two."


def test_a_text_that_is_as_it_was_keeps_its_translation():
    assert updated([entry(LONG, "그대로")], [("cell", LONG, "paragraph")]) == [
        ("cell", LONG, "그대로", False, None)
    ]


def test_a_changed_text_keeps_it_too_marked_as_fuzzy_with_what_it_was_of():
    new = LONG.replace("two", "three")
    assert updated([entry(LONG, "두 칸")], [("cell", new, "paragraph")]) == [
        ("cell", new, "두 칸", True, LONG)
    ]


@pytest.mark.parametrize(
    "message",
    [
        ("other", LONG.replace("two", "three"), "paragraph"),
        ("cell", LONG.replace("two", "three"), "heading"),
        ("cell", "Nothing of it is left here, not one word.", "paragraph"),
    ],
)
def test_a_text_of_another_cell_or_kind_or_wording_begins_empty(message):
    assert [e[2] for e in updated([entry(LONG, "두 칸")], [message])] == [""]


def test_of_two_texts_that_one_may_have_become_only_the_first_keeps_its_translation():
    texts = [LONG.replace("two", number) for number in ("three", "four")]
    new = updated([entry(LONG, "두 칸")], [("cell", text, "paragraph") for text in texts])
    assert [e[1:4] for e in new] == [(texts[0], "두 칸", True), (texts[1], "", False)]


OUTPUT = "epoch 1/2  train loss 0.92\nepoch 2/2  train loss 0.33"


@pytest.mark.parametrize(
    ("translation", "new", "expected", "fuzzy"),
    [
        ("1/2 손실 0.92\n2/2 손실 0.33", ("0.92", "0.90"), "1/2 손실 0.90\n2/2 손실 0.33", False),
        ("2에포크 중 1 0.92\n2/2 0.33", ("0.92", "0.90"), "2에포크 중 1 0.92\n2/2 0.33", True),
        ("1/2 손실 0.92\n2/2 손실 0.33", ("train", "test"), "1/2 손실 0.92\n2/2 손실 0.33", True),
    ],
)
def test_an_output_with_other_numbers_has_its_translation_with_these(
    translation, new, expected, fuzzy
):
    message = ("cell", OUTPUT.replace(*new), "output")
    assert [e[2:4] for e in updated([entry(OUTPUT, translation, kind="output")], [message])] == [
        (expected, fuzzy)
    ]


def test_a_fuzzy_one_stays_fuzzy_until_somebody_has_read_it():
    old = entry(LONG, "두 칸", flags=["fuzzy"], previous_msgid="Before.")
    assert updated([old], [("cell", LONG, "paragraph")]) == [
        ("cell", LONG, "두 칸", True, "Before.")
    ]


def test_what_another_catalogue_says_is_taken_over_and_what_is_gone_is_left_out():
    messages, memory = [("a", "Recap", "heading")], [entry("Recap", "정리")]
    assert updated([entry("Gone.", "없음")], messages, memory) == [
        ("a", "Recap", "정리", False, None)
    ]


def test_a_catalogue_that_is_written_twice_is_the_same_and_as_gettext_writes_it(tmp_path):
    path = tmp_path / "a.po"
    messages = [Message("a", 'Say "x" \\ y.', "paragraph"), Message("", "Two\n  lines", "HTML")]
    new = catalogue.update(catalogue.read(path), messages, "ko", {'Say "x" \\ y.': entry("", "말")})
    catalogue.write(path, new)
    before = path.read_bytes()
    again = catalogue.update(catalogue.read(path), messages, "ko", {})
    catalogue.write(path, again)
    assert path.read_bytes() == before
    if shutil.which("msgcat"):
        done = subprocess.run(
            ["msgcat", "--no-wrap", path], capture_output=True, check=True, encoding="utf-8"
        )
        assert done.stdout.encode() == before


def read_by_polib(path):
    return {
        (e.msgctxt or "", e.msgid): e.msgid if e.fuzzy else e.msgstr or e.msgid
        for e in polib.pofile(str(path), encoding="utf-8")
        if not e.obsolete
    }


BY_HAND = """# a translator
msgid ""
msgstr "Language: ko\\n"

#, fuzzy
msgid "stale"
msgstr "옛말"

#. message
#, python-brace-format
msgctxt "cell"
msgid ""
"wrapped \\"here\\",\\n"
"and \\t there"
msgstr ""
"여기 "
"저기"

msgid "open"
msgstr ""

#~ msgid "gone"
#~ msgstr "없음"
"""


def test_programs_read_a_catalogue_as_polib_does(tmp_path):
    path = tmp_path / "translations/ko/by_hand.po"
    path.parent.mkdir(parents=True)
    path.write_text(BY_HAND, encoding="utf-8")
    found = language.catalogue("ko", "by_hand", tmp_path)
    assert found == read_by_polib(path)
    assert found == {
        ("", "stale"): "stale",
        ("cell", 'wrapped "here",\nand \t there'): "여기 저기",
        ("", "open"): "open",
    }
    for name in ("messages", "pieces", "notebooks/05-mnist-net"):
        path = ROOT / f"translations/ko/{name}.po"
        assert language.catalogue("ko", name) == read_by_polib(path)


# --- what is wrong -----------------------------------------------------------------------------


def found(text, translation, kind="paragraph", **more):
    return {what for what, _ in problems(entry(text, translation, kind=kind, **more))}


@pytest.mark.parametrize(
    ("text", "translation", "kind", "wrong"),
    [
        ("Call `f(x)`.", "`f(x)`를 부르세요.", "paragraph", set()),
        ("Call `f(x)`.", "`f(y)`를 부르세요.", "paragraph", {"code"}),
        ("Call `f(x)`.", "f(x)를 부르세요.", "paragraph", {"code", "elements"}),
        ("So $x + y$.", "따라서 $x + y$입니다.", "paragraph", set()),
        ("So $x + y$.", "따라서 $x - y$입니다.", "paragraph", {"formula"}),
        ("See [here](a.ipynb).", "[여기](a.ipynb)를 보세요.", "paragraph", set()),
        ("See [here](a.ipynb).", "[여기](b.ipynb)를 보세요.", "paragraph", {"link"}),
        ("See [here](a.ipynb).", "여기를 보세요.", "paragraph", {"link", "elements"}),
        ("![Nine](a.png)", "![아홉](a.png)", "paragraph", set()),
        ("![Nine](a.png)", "![아홉](b.png)", "paragraph", {"link"}),
        ("Press <kbd>A</kbd>.", "<kbd>A</kbd>를 누르세요.", "paragraph", set()),
        ("Press <kbd>A</kbd>.", "A를 누르세요.", "paragraph", {"tag", "elements"}),
        ("It has 60,954,656.", "60,954,656개입니다.", "paragraph", set()),
        ("It has 60,954,656.", "60,954,665개입니다.", "paragraph", {"number"}),
        ("It is 3 wide.", "너비가 셋입니다.", "paragraph", {"number"}),
        ("Only **this**.", "**이것**만입니다.", "paragraph", set()),
        ("Only **this**.", "*이것*만입니다.", "paragraph", {"elements"}),
        ("The **end**.", "**끝(end)**은 여기입니다.", "paragraph", {"elements", "literal"}),
        ("The *end*.", "*끝(end)*은 여기입니다.", "paragraph", {"elements", "literal"}),
        ("| a word | 3 |", "| 낱말 | 3 |", "table row", set()),
        ("| a word | 3 |", "| 낱말 | 또 | 3 |", "table row", {"elements"}),
        ("Nothing here.", "Nothing here.", "paragraph", {"words"}),
        ("One\ntwo.", "하나 둘.", "paragraph", {"lines"}),
        ("# A word", "낱말", "comment", {"lines"}),
        ("Say it.", 'x"""말', "docstring", {"code"}),
        ("The stride is large.", "스트라이드가 큽니다.", "paragraph", set()),
        ("The stride is large.", "걸음이 큽니다.", "paragraph", {"term"}),
        ("Strides are large.", "걸음이 큽니다.", "paragraph", {"term"}),
        ("The gradient is large.", "기울기가 큽니다.", "paragraph", {"term"}),
        ("The slope is large.", "기울기가 큽니다.", "paragraph", set()),
        ("The `stride` is large.", "`stride`가 큽니다.", "paragraph", set()),
        ("ReLU is quick.", "ReLU는 빠릅니다.", "paragraph", set()),
        ("A CNN is quick.", "CNN은 빠릅니다.", "paragraph", set()),
        ("A CNN is quick.", "신경망은 빠릅니다.", "paragraph", {"term"}),
        ("Add zeros.", "0을 붙입니다.", "paragraph", set()),
        ("Add zeros.", "1을 붙입니다.", "paragraph", {"number"}),
        ("In one to two minutes.", "1~2분 안에.", "paragraph", set()),
        ("In one to two minutes.", "1~3분 안에.", "paragraph", {"number"}),
        ("In about a minute.", "1분쯤.", "paragraph", set()),
        ("In a while.", "1분쯤.", "paragraph", {"number"}),
        ("The twofold sum.", "합의 2배.", "paragraph", {"number"}),
        ("Fifty 2s.", "50개.", "paragraph", {"number"}),
        ("By gradient descent.", "경사 하강법으로.", "paragraph", set()),
        ("{n} of {m:g} fail", "{m:g}개 중 {n}개 실패", "message", set()),
        ("{n} of {m:g} fail", "{m}개 중 {n}개 실패", "message", {"placeholder"}),
        ("{n} of {m:g} fail", "{n}개 실패", "message", {"placeholder"}),
        ("{n} of {m:g} fail", "{N} {m:g}개 실패", "message", {"placeholder"}),
        ("A {stride} of it", "그중 {stride}", "message", set()),
        ("A stride of it", "그중 하나", "message", {"term"}),
    ],
)
def test_what_is_wrong_with_a_translation_is_named(text, translation, kind, wrong):
    assert found(text, translation, kind) == wrong


def test_a_missing_and_a_stale_one_are_named():
    assert found("One word.", "") == {"missing"}
    assert found("One word.", "한 낱말.", flags=["fuzzy"]) == {"stale"}


def test_a_translator_may_say_why_it_is_right_all_the_same():
    assert found("A pair.", "2개입니다.") == {"number"}
    assert found("A pair.", "2개입니다.", tcomment="allow: number - reads better") == set()
    assert found("A pair.", "2개입니다.", tcomment="allow: code - reads better") == {
        "number",
        "allowed",
    }


def test_what_is_allowed_and_not_needed_is_named():
    assert found("A pair.", "한 쌍입니다.", tcomment="allow: number - no reason") == {"allowed"}


PROGRAM = """\
from helpers.language import gettext, gettext_noop

WORDS = {"a": gettext_noop("a word")}


def say(n):
    raise ValueError(gettext("{n} of them "
                             "fail").format(n=n) if n else gettext("a word"))
"""
TEST_CELL = """\
def one(net, n):
    if n > 3:
        raise RuntimeError(f"{n:.1f} were more than three")
    return f"{type(net).__name__}, and no tensor" if n else None


def kind(net):
    return "as many"


claim = "the same number in both of them"
check.probe(one, "Net").satisfies(claim, bool).gives("as many")
check.probe(one, "Net").satisfies(f"all {3 * 4} of them", bool)
check.probe(one, "Net").satisfies("numbers", bool)
"""


def test_what_a_program_says_is_found():
    assert list(marked(PROGRAM)) == ["a word", "{n} of them fail", "a word"]
    assert list(marked("x = 3")) == []


def test_what_a_test_cell_says_is_found():
    assert list(said_in(TEST_CELL)) == [
        "{n} were more than three",
        "{type(net).__name__}, and no tensor",
        "the same number in both of them",
        "all {3 * 4} of them",
        "numbers",
    ]


@pytest.mark.parametrize("name", ["messages", "tests"])
def test_what_programs_say_is_all_translated(name):
    messages = {"messages": messages_of_programs, "tests": messages_of_tests}[name](ROOT)
    assert len(messages) > 70
    here = catalogue.read(ROOT / f"translations/ko/{name}.po")
    assert [e.msgid for e in here] == [message.text for message in messages]
    assert {e.msgid: list(problems(e)) for e in here if list(problems(e))} == {}


def test_no_korean_word_is_the_first_for_two_terms():
    first = [korean[0] for _, _, korean, _ in glossary()]
    assert len(first) == len(set(first))


def test_the_words_of_the_site_s_code_are_found(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\ndescription = "A course"\n')
    (tmp_path / "site/a.py").write_text(
        'gettext("One"); nodes_of("See {x}.", x=1)\nf(gettext("One" " and two"), gettext(name))\n'
    )
    (tmp_path / "site/a.md").write_text("```{toctree}\n:caption: Look up\n\nb\n```\n")
    assert site_words(tmp_path) == ["A course", "One", "See {x}.", "One and two", "Look up"]


def test_every_sentence_on_the_pages_of_known_mistakes_is_in_a_catalogue():
    found = texts()
    others = {message.text for message in found["site/mistakes"]}
    assert others
    for assignment, text in known_mistakes(ROOT):
        told = {message.text for message in found[f"known-mistakes/{assignment}"]}
        assert text in told | others


def test_the_command_writes_the_catalogues_and_counts(tmp_path, capsys):
    (tmp_path / "translations/ko").mkdir(parents=True)
    files = ("README.md", "pyproject.toml")
    for name in ("notebooks", "assignments", "grader", "site", "solutions", *files):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "helpers").symlink_to(ROOT / "helpers")
    (tmp_path / "translations/ko/old.po").write_text("", encoding="utf-8")
    assert command.main([], tmp_path) == 0
    said = capsys.readouterr().out
    assert "old.po: there is no such text any more" in said
    number = sum(len(messages) for messages in texts().values())
    assert f"ko: 0 of {number} texts are translated" in said
    assert command.main(["--problems"], tmp_path) == 1
