"""The messages of tests in Korean: whole, aligned, and with the numbers of the English ones."""

import ast
import re

import numpy as np
import pytest

from helpers import language
from helpers._columns import columns
from helpers._relations import relation
from helpers.assignment import Checker, CheckFailed, cells
from helpers.assignment.messages import WIDTH, not_there, retold, says
from helpers.assignment.notebook_file import Unreadable, read
from helpers.assignment.reasons import _MEANINGS
from helpers.checks import assert_same, grad_check, lead
from helpers.command.files import ROOT
from helpers.command.lab import QUESTIONS
from helpers.language import gettext, speaking
from tools.translate.sources import in_order

# What both languages write in the same way: names, types, units and code.
NAMES = set(
    re.findall(
        r"\w+",
        "None NaN NumPy PyTorch array dict float float32 float64 inf int int64 list np print "
        "return eps forward backward lambda locals",
    )
)
IMAGE = np.arange(1.0, 13).reshape(3, 4)


# --- a student's functions, and what tests say of them ------------------------------------------


def right(x):
    return x


def half(x):
    return x / 2


def cut(x):
    return x[:, 1:]


def forgot(x):
    x + 1


def as_list(x):
    return x.tolist()


def stops(x):
    return x + np.ones((4, 7))


def endless(x):
    while True:
        pass


def not_begun(x):
    raise NotImplementedError


def overwrites(x):
    x[0] = 0
    return x


def pair(x):
    return x, x + 1


def doubled(net, x):
    return f"{type(net).__name__}, and no tensor"


FAILURES = {
    "values": lambda check: check("half", IMAGE).gives(IMAGE),
    "window": lambda check: check("half", IMAGE).gives(
        IMAGE, window={"kernel_size": 2, "dilation": (1, 2)}
    ),
    "shape": lambda check: check("cut", IMAGE).gives(IMAGE),
    "has_shape": lambda check: check("cut", IMAGE).has_shape((3, 4)),
    "error": lambda check: check("stops", IMAGE).gives(IMAGE),
    "return": lambda check: check("forgot", IMAGE).gives(IMAGE),
    "time": lambda check: check("endless", IMAGE).gives(IMAGE),
    "type": lambda check: check("as_list", IMAGE).gives(IMAGE),
    "stub": lambda check: check("not_begun", IMAGE).gives(IMAGE),
    "inputs": lambda check: check("overwrites", IMAGE).keeps_inputs(),
    "memory": lambda check: check("right", IMAGE).is_new(),
    "dtype": lambda check: check("right", IMAGE).has_dtype(np.float32),
    "pair": lambda check: check("pair", IMAGE).gives((IMAGE, IMAGE)),
    "three": lambda check: check("pair", IMAGE).gives((IMAGE, IMAGE, IMAGE)),
    "places": lambda check: check("half", IMAGE).gives_at({(0, 1): 2, (1, 1): 6}),
    "no error": lambda check: check("right", IMAGE).raises(ValueError),
    "missing": lambda check: check("nowhere", IMAGE),
    "hidden": lambda check: check.hidden("half", IMAGE).gives(IMAGE),
    "claim": lambda check: check.probe(doubled, "right", 3).satisfies(
        "a number other than 0 at every place", lambda found: False
    ),
    "assert_same": lambda check: assert_same(IMAGE, IMAGE + 1, inputs={"x": IMAGE}),
    "gradient": lambda check: grad_check(lambda x: x * x, lambda g, x: 4 * g * x, [IMAGE]),
}


def message(name, code):
    with speaking(code), pytest.raises(AssertionError) as caught:
        FAILURES[name](Checker("trial", seconds=0.2))
    return str(caught.value)


def words(text):
    """The words of a message: not those in code, nor of a line of code or an array."""
    kept = [line for line in text.split("\n") if not line.startswith(" " * 13)]
    return set(re.findall(r"[A-Za-z]{2,}\w*", re.sub(r"`[^`]*`|'[^']*'", " ", "\n".join(kept))))


def numbers(text):
    return sorted(re.findall(r"\d+(?:\.\d+)?", text))


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_the_same_in_both_languages(name):
    english, korean = message(name, "en"), message(name, "ko")
    assert not re.search("[가-힣]", english)
    assert numbers(korean) == numbers(english)
    shared = words(korean) & words(english)
    own = {name.partition("`")[0] for name in globals()} | {"nowhere", "kernel_size"}
    errors = {word for word in shared if word.endswith("Error")}
    said = english.partition("Error: ")[2].partition("\n  ")[0]  # Python's own words
    assert shared <= NAMES | own | errors | set(re.findall(r"\w+", said))


LABELS = ("why", "hint", "call", "input", "expected", "received", "place", "map", "window", "in")
LABELS += ("stopped", "called in", "function")


def test_labels_take_ten_columns_and_their_lines_are_not_too_wide():
    with speaking("ko"):
        leads = tuple(lead(gettext(label)) for label in LABELS)
    assert {columns(text) for text in leads} == {12}
    assert all(text.endswith(" ") for text in leads)
    seen = set()
    for name in FAILURES:
        for line in message(name, "ko").split("\n"):
            if re.match("  [가-힣]", line):
                assert line.startswith(leads), line
                seen.add(next(text for text in leads if line.startswith(text)))
            assert columns(line) <= WIDTH or name in ("assert_same", "gradient")
    assert len(seen) > 8


def test_how_a_wrong_shape_reads():
    assert message("has_shape", "ko") == (
        "cut: 형태가 (3, 3)인데, 기대한 형태는 (3, 4)입니다.\n"
        "  호출      cut(3×4 배열)\n"
        "  입력      x = 형태가 3×4인 배열, float64\n"
        "              [[ 1.  2.  3.  4.]\n"
        "               [ 5.  6.  7.  8.]\n"
        "               [ 9. 10. 11. 12.]]\n"
        "  기대한 값 형태 (3, 4)\n"
        "  받은 값   형태 (3, 3)"
    )


def test_an_array_that_is_expected_has_no_type_in_korean_either():
    text = message("values", "ko")
    assert "기대한 값 형태가 3×4인 배열\n" in text
    assert "받은 값   형태가 3×4인 배열, float64\n" in text


def test_an_error_in_a_cell_and_a_result_that_is_none():
    with speaking("ko"):
        try:
            assert_same(forgot(3), 4)
        except AssertionError as error:
            said = cells.explained(error)
        assert said == (
            "이 셀의 함수 하나가 None을 반환합니다. `return`으로 끝나나요? (print는 값을 보여\n"
            "주기만 합니다.)"
        )
    with speaking("ko"), pytest.raises(Unreadable) as caught:
        read(b"")
    assert (str(caught.value), caught.value.advice) == (
        "빈 파일입니다",
        "JupyterLab에서 열어 다시 저장하거나, 파일을 새로 받으세요.",
    )


@pytest.mark.parametrize("sentences", _MEANINGS, ids=lambda line: line[0][:30])
def test_what_an_error_means_is_said_with_the_same_values(sentences):
    for sentence in sentences[1:]:
        with speaking("ko"):
            korean = language.translated(sentence, language.MESSAGES)
        told = korean.format(*range(70, 80))
        assert re.search("[가-힣]", told)
        values = re.findall(r"7\d", sentence.format(*range(70, 80)))
        assert sorted(re.findall(r"7\d", told)) == sorted(values)


@pytest.mark.parametrize("turn", [np.transpose, np.fliplr, np.negative, lambda a: a + 3, np.rint])
def test_a_relation_is_said_in_korean(turn):
    wanted = np.arange(16.0).reshape(4, 4) + 0.25
    received = turn(wanted)
    with speaking("ko"):
        said = relation(received, wanted, np.isclose(received, wanted), np.allclose)
    assert re.fullmatch(r"[가-힣0-9 .,-]+", said)


# --- what is not translated ----------------------------------------------------------------------


def test_a_sentence_that_is_not_translated_yet_is_said_in_english(monkeypatch):
    known = language.catalogue("ko", language.MESSAGES)
    without = {key: text for key, text in known.items() if key[1] != "shape {shape}"}
    monkeypatch.setattr(language, "catalogue", lambda *name: without)
    assert "  기대한 값 shape (3, 4)\n" in message("has_shape", "ko")


def test_a_language_that_the_course_has_not_got_is_english():
    assert message("has_shape", "xx") == message("has_shape", "en")


def test_the_language_is_that_of_the_folder_and_speaking_goes_before_it(monkeypatch, tmp_path):
    sentence = "It changes its input."
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(language.LANGUAGE, "ko")
    assert gettext(sentence) == "입력을 바꿉니다."
    with speaking("en"):
        assert gettext(sentence) == sentence
    assert gettext(sentence) == "입력을 바꿉니다."
    monkeypatch.chdir(ROOT / "assignments")
    assert gettext(sentence) == sentence
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(language.LANGUAGE)
    assert gettext(sentence) == sentence


# --- what stands in test cells -------------------------------------------------------------------


def test_what_a_test_cell_says_is_told_in_korean_with_its_values():
    with speaking("ko"):
        assert retold("a whole number of type int") == "int 타입의 정수"
        assert retold("4 places fewer for each 1 more of the dilation: the kernel has 4 gaps") == (
            "팽창이 1 늘 때마다 위치가 4개씩 더 적은 것. 커널에 틈이 4개 있습니다"
        )
        assert retold("No convolution of 1 × 1 and no second convolution of 3 × 3 is called") == (
            "호출되지 않는 것: 1 × 1 합성곱, 그리고 두 번째 3 × 3 합성곱"
        )
        assert retold("whatever a student returns") == "whatever a student returns"
    assert retold("a whole number of type int") == "a whole number of type int"


def test_a_value_that_is_a_sentence_is_shown_in_korean():
    assert "\n  받은 값   '텐서가 아니라 function'" in message("claim", "ko")
    assert "\n  received  'function, and no tensor'" in message("claim", "en")


def test_a_value_keeps_its_english_words_in_the_fingerprint():
    evidence = []
    for code in ("en", "ko"):
        with speaking(code), pytest.raises(CheckFailed) as caught:
            FAILURES["claim"](Checker("trial"))
        evidence.append(caught.value.evidence)
    assert evidence[0] == evidence[1]


def test_a_sentence_is_known_again_in_lines_of_any_length():
    with speaking("ko"):
        told = not_there().format(name="conv2d")
        assert says(f"Error:\n{told.replace(' ', chr(10))} ...", not_there())["name"] == "conv2d"
    assert says(told, not_there()) is None


# --- every sentence goes through gettext ----------------------------------------------------------

HELPERS = ROOT / "helpers"
# Of pieces the words are in a catalogue of their own, which their tests look after.
SPEAKING = [
    path for path in sorted(HELPERS.rglob("*.py")) if HELPERS / "pieces" not in path.parents
]
# Functions that show their first or second argument as it is.
SHOWN_BY = {"labelled", "entry", "lead", "wrap", "show", "print", "place_of", "say", "line"}
# What is no sentence, what is written in the same way in every language, what a test compares,
# what figures show, and what only contributors read.
ALLOWED = {
    "__init__.py": {"module  …  has no attribute ", " has no attribute "},  # Python's own words
    "assignment/__main__.py": {"course check"},
    "assignment/checker.py": {"no error", "not written", "too long", "missing"},  # evidence
    "assignment/layers.py": {" (it takes "},
    "assignment/selfcheck.py": {"Traceback (most recent call last)"},
    "command/doctor.py": {
        "course doctor",
        "from helpers.command.doctor import inside; inside()",
    },
    "command/editions.py": {"there are no cells "},  # caught
    "command/environment.py": {"import jupyterlab, torch, helpers; import matplotlib.font_manager"},
    "command/installer.py": {"import sys; print(sys.prefix != sys.base_prefix)"},
    "command/lab.py": {QUESTIONS["ko"], "    course reset "},
    "command/main.py": {"course  … : "},
    "command/released.py": {"as released", "run or saved, its cells as released"},  # in the tests
    "command/reset.py": {
        "course reset",
        "    course reset ",
        "  course reset ",
        "   …     course reset ",
    },
    "command/update.py": {"course update"},
    "command/update_clone.py": {"course update", "Update the course, with what was changed here"},
    "command/venv_folder.py": {"import sys; print('%d.%d' % sys.version_info[:2])", "import pip"},
    "command/verbs.py": {
        "course clean",
        "not e2e and not sandbox and not slow",
        "e2e and not report",
        "Not part of this: the tests of ",
        "Not part of this: the tests of  … .",
        " and of ",
        "NAME FOLDER",
    },
    "device/_report.py": {"model name"},
    "language.py": {" is not in the text that it should be translated in"},  # caught
    "ops/convolution.py": {
        "(filters, out_h, out_w, channels, kernel_h, kernel_w)",
        "(filters, out_h, out_w)",
    },
    "plots/charts.py": {"training, one batch", "test, all data"},
    "plots/comparison.py": {"outside upper center"},
    "plots/curves.py": {"upper left"},
    "plots/network.py": {" multiply-adds for one image", "max pool"},
    "plots/pictures.py": {" of them shown"},
    "plots/windows.py": {"starts in the padding", "does not fit"},
}


def literals(node):
    """The texts in an expression that stand outside of calls of gettext and of regular ones."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in ("gettext", "gettext_noop", "compile", "search", "sub", "match", "split"):
            return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from literals(child)


def own_words(argument):
    """A text, or what stands between the values of an f-string; empty for anything else."""
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    texts = [getattr(part, "value", "") for part in parts if isinstance(part, ast.Constant)]
    return " … ".join(text for text in texts if isinstance(text, str))


def unspoken(source):
    """Texts of two words or more, and labels, that do not go through gettext."""
    tree = ast.parse(source)
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    patterns = {
        id(line.elts[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.List)
        for line in node.elts
        if isinstance(line, ast.Tuple)
    }
    for node in literals(tree):
        is_said = re.search(r"[A-Za-z]{2,}[^\w\s]?\s+\(?[A-Za-z]{2,}", node.value)
        if is_said and id(node) not in documentation | patterns:
            yield node.value
    for node in in_order(tree):
        shown = getattr(node, "args", ()) if getattr(node, "func", None) else ()
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            shown = node.exc.args
        elif getattr(getattr(node, "func", None), "id", "") not in SHOWN_BY:
            continue
        for argument in shown:
            text = own_words(argument)
            if re.search("[A-Za-z]{2,}", text):
                yield text


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: path.stem)
def test_every_sentence_goes_through_gettext(path):
    found = set(unspoken(path.read_text(encoding="utf-8")))
    assert found == ALLOWED.get(path.relative_to(HELPERS).as_posix(), set())


def test_a_sentence_that_does_not_is_found():
    assert set(unspoken('raise ValueError("it is wrong")')) == {"it is wrong"}
    assert set(unspoken('raise Problem(f"{name} failed: {why}")')) == {" failed: "}
    assert set(unspoken('say(f"{n} of them fail")')) == {" of them fail"}
    assert set(unspoken('labelled("why", text)')) == {"why"}
    assert set(unspoken('gettext("it is {n} too large").format(n=n)')) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "helpers").rglob("*.py")), ids=lambda p: p.stem)
def test_gettext_gets_a_literal_whose_places_have_names(path):
    source = path.read_text(encoding="utf-8")
    if "gettext" not in source or path.name == "language.py":
        return
    for node in in_order(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "").startswith("gettext"):
            (text,) = node.args
            assert isinstance(text, ast.Constant), ast.unparse(node)
            assert "{}" not in text.value
