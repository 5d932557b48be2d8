"""The pieces in Korean: no English left, the same numbers, and saved output that is translated."""

import itertools
import re
from collections import Counter
from html import unescape

import numpy as np
import polib
import pytest
import torch

from helpers.command.files import ROOT
from helpers.command.variables import LANGUAGE
from helpers.language import speaking
from helpers.pieces import _words
from helpers.pieces._piece import NOT_IN_A_SCRIPT, script_of
from helpers.pieces.draw_digit import DrawDigit, draw_digit
from helpers.pieces.draw_digit.net import Net, read_file
from helpers.pieces.filter_dialog import FILTERS, filter_dialog
from helpers.pieces.network_explorer import NETWORKS, explore_network
from helpers.pieces.network_explorer.stack import KINDS
from helpers.pieces.prediction import PredictionRecord, ask, predict, read_predictions
from helpers.pieces.stepper import step_conv2d, step_pool2d
from helpers.pieces.stepper.words import Axis
from helpers.pieces.train_here import train_here
from helpers.pieces.translation import translate_output
from tests.notebooks.test_piece_sizes import too_large
from tests.support.lessons import LESSONS, definitions, questions, read
from tests.support.scripts import load
from tools.translate import sources
from tools.translate.compare import problems

shrink = load("tools/shrink_pieces.py")
X = np.arange(-40, 58).reshape(2, 7, 7) / 8
NET, EXAMPLES = read_file()
RECORD = [("02", "02.html", ["02-stride-3", "02-same"])]

# Pieces of each kind, such that each of their texts in Python is in one of them.
PIECES = {
    "convolution": lambda: step_conv2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]]),
    "with channels": lambda: step_conv2d(
        X, X[:, :2, :2], 0.1, 5, title="A convolution to play with"
    ),
    "padded": lambda: step_conv2d(X[0], np.ones((6, 6)), None, (3, 5), 1),
    "a padded row": lambda: step_conv2d(X[0], np.ones((2, 1)), padding=(1, 0)),
    "dilated": lambda: step_conv2d(X[:1], np.ones((1, 2, 2)), 1, 4, (2, 0), 2),
    "in part": lambda: step_conv2d(np.pi * X, np.ones((2, 3, 3)), padding=16),
    "max pooling": lambda: step_pool2d(X, 2, ceil_mode=True),
    "max pooling, padded": lambda: step_pool2d(0 * X[0], 3, 2, 1),
    "max pooling of padding": lambda: step_pool2d([[1]], 2, 1, 1, dilation=2),
    "max pooling, sticking out": lambda: step_pool2d(X[0, :2, :2], 3, 2, ceil_mode=True),
    "average pooling": lambda: step_pool2d(X[0], 3, 2, 1, "avg", True, False),
    "average pooling, 36": lambda: step_pool2d(X[0], 6, 9, 1, "avg"),
    "draw a digit": draw_digit,
    "draw a digit, own net": lambda: DrawDigit(
        Net(tuple(-w for w in NET.weights), {}), EXAMPLES, "나의 것"
    ),
    **{f"filter {name}": lambda name=name: filter_dialog(filter=name) for name in FILTERS},
    "filter on an image": lambda: filter_dialog(np.zeros((4, 4))),
    **{f"explorer {name}": lambda name=name: explore_network(name) for name in NETWORKS},
    "train it here": train_here,
    "number": lambda: ask("몇?", 1, name="02-own", because="하나."),
    "shape": lambda: ask("형태?", (1, 2), name="02-own", because="둘.", wrong={(1,): "하나."}),
    "choice": lambda: ask("맞나?", "네", name="02-own", because="네.", choices=["네", "아뇨"]),
    "record": lambda: PredictionRecord(RECORD),
}
# Their questions have a catalogue of their own.
OF_THE_COURSE = {name: lambda name=name: predict(name) for name in ("00-device", "01-grey")}
# What a step-through says of sizes: input, kernel, stride, padding, dilation, ceil_mode.
AXES = [
    (2, 3, 1, 0, 1, False),
    (5, 2, 2, 0, 1, False),
    (5, 2, 2, 0, 1, True),
    (5, 2, 5, 0, 1, False),
    (4, 3, 2, 1, 1, False),
    (4, 1, 5, 2, 1, False),
    (4, 2, 5, 1, 1, True),
    (7, 3, 4, 1, 2, True),
    (4, 3, 3, 0, 1, True),
]
(make_net,) = definitions(5, "make_net")


def own_net(forward=None, fill=None):
    """A network with the parameters of lesson 05, and something wrong."""
    net = make_net()
    if fill is not None:
        torch.nn.init.constant_(next(net.parameters()), fill)
    if forward is not None:
        net.forward = forward
    return net


# What a reader gets wrong; each sentence of an error is in one of them.
ERRORS = [
    lambda: predict("06-no-such-question"),
    lambda: predict("99"),
    lambda: filter_dialog(title=""),
    lambda: draw_digit(1),
    lambda: draw_digit(torch.nn.Identity()),
    lambda: draw_digit(torch.nn.PReLU()),
    lambda: draw_digit(torch.nn.BatchNorm2d(1)),
    lambda: draw_digit(own_net(fill=float("nan"))),
    lambda: draw_digit(own_net(lambda x: x.reshape(3))),
    lambda: draw_digit(own_net(lambda x: torch.zeros(1, 10))),
    lambda: filter_dialog(filter="Blur"),
    lambda: filter_dialog(np.array(["a"])),
    lambda: filter_dialog(np.zeros(3)),
    lambda: filter_dialog(np.zeros((500, 1))),
    lambda: filter_dialog(np.array([[-1]])),
    lambda: filter_dialog(np.random.default_rng(0).integers(0, 256, (200, 200))),
    lambda: explore_network(1),
    lambda: explore_network("conv 1"),
    lambda: explore_network("conv 1", (1, 1)),
    *(
        lambda text=text: explore_network(text, (3, 4, 4))
        for text in (
            *("conf 1", "conv x", "conv", "conv 0", "linear 1", "flatten, conv 1", "conv 1 k9"),
            *("maxpool k2 p2", "conv 2 g2"),
        )
    ),
    lambda: step_conv2d(X, X[:1, :2, :2]),
    lambda: step_conv2d([[1]], [[1, 1]]),
    lambda: step_conv2d([[1], [1, 2]], [[1]]),
    lambda: step_conv2d([["a"]], [[1]]),
    lambda: step_conv2d([1], [[1]]),
    lambda: step_conv2d([[]], [[1]]),
    lambda: step_conv2d(np.ones((17, 1)), [[1]]),
    lambda: step_conv2d([[np.nan]], [[1]]),
    lambda: step_conv2d([[1]], [[1]], "a"),
    lambda: step_conv2d([[1]], [[1]], [1, 2]),
    lambda: step_conv2d([[1]], [[1]], np.inf),
    lambda: step_conv2d(np.pi * np.ones((4, 16, 16)), np.ones((4, 3, 3)), padding=16),
    lambda: step_pool2d([[1]], 1, mode="sum"),
    lambda: step_pool2d([[1]], 1, padding=1),
    lambda: step_pool2d([[1]], 1, mode="avg", dilation=2),
    lambda: step_pool2d([[1]], 1, ceil_mode=1),
]
# What stays as it is: names, keys, units, code.
NAMES = {
    *("AlexNet", "LeNet", "VGG", "ResNet", "torchvision", "JupyterLab", "Jupyter", "PyTorch"),
    *("MNIST", "Python", "ReLU", "max", "Sharpen", "Edge", "KiB", "MiB", *KINDS, "nobias"),
}


@pytest.fixture
def korean(monkeypatch, tmp_path):
    """A reader's language is Korean, as in a notebook of the Korean edition."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(LANGUAGE, "ko")


def still(html):
    """What a reader sees of a piece without its script: text, and what pictures are called."""
    html = re.sub(r"<!--.*?-->|<script.*", "", html, flags=re.DOTALL)
    names = re.findall(r'alt="([^"]*)"', html)
    return unescape(" ".join([re.sub("<[^>]*>", " ", html), *names]))


def english(text):
    """The words in Latin letters that should not be there."""
    return set(re.findall("[A-Za-z]{2,}", text)) - NAMES


def entries():
    path = ROOT / "translations/ko/pieces.po"
    return list(polib.pofile(str(path), encoding="utf-8"))


def test_every_text_is_translated():
    found = {(entry.msgctxt or "", entry.msgid) for entry in entries()}
    wanted = {(one.context, one.text) for one in sources.piece_messages(ROOT)}
    assert found == wanted, "course translate pieces"
    assert [(e.msgid, bad) for e in entries() for bad in problems(e)] == []


def test_a_lost_value_is_noticed():
    label = polib.POEntry(msgid="{0} of {1}", msgstr="{1}개 중", comment="label")
    assert [kind for kind, _ in problems(label)] == ["number", "placeholder"]


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize("name", PIECES)
def test_a_piece_has_no_english_in_it(name):
    piece = PIECES[name]()
    assert english(still(piece._repr_html_())) == set()
    assert english(repr(piece) + piece.title) == set()
    assert re.match(r'<div class="cnn-[\w-]+" lang="ko" ', piece._repr_html_())


def test_each_text_of_python_is_in_one_of_the_pieces(korean, monkeypatch):
    """Or in one of their errors; else the test above could not see it."""
    said = set()
    real = _words.translated
    monkeypatch.setattr(_words, "translated", lambda *a, **k: said.add(a[0]) or real(*a, **k))
    for make in PIECES.values():
        make()
    for axis, name in itertools.product(AXES, ("row", "column")):
        assert english(Axis(*axis).sentence(name)) == set()
    for fail in ERRORS:
        with pytest.raises((ValueError, TypeError)) as error:
            fail()
        assert re.search("[가-힣]", str(error.value)), error.value
    python = {
        text
        for path in (ROOT / "helpers/pieces").rglob("*.py")
        for text in sources.marked_texts(path.read_text(encoding="utf-8"))
    }
    assert python - said == set()


@pytest.mark.parametrize("piece", shrink.PIECES)
def test_a_script_has_no_english_sentence_in_it(piece):
    with speaking("ko"):
        script = script_of(f"helpers.pieces.{piece}")
    pairs = re.findall(r"'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`", script)
    literals = {"".join(pair) for pair in pairs}
    found = {text for text in literals if re.search("[A-Z][a-z]+ [a-z]|[a-z] [a-z]+[.:,]", text)}
    # Programs, style sheets, and the words of the web site's own button.
    known = ("torch", "@media", "Show code cell output")
    assert {text for text in found if not any(word in text for word in known)} == set()
    assert "tr`" not in script
    assert not [bad for bad in NOT_IN_A_SCRIPT if bad in script]


@pytest.mark.parametrize("piece", shrink.PIECES)
def test_a_shrunk_script_keeps_its_texts(piece):
    shrunk = set(_words.texts_of(shrink.shrunk(piece).read_text(encoding="utf-8")))
    own = {
        text
        for path in shrink.FOLDER.glob(f"{piece}/*.js")
        if path != shrink.shrunk(piece)
        for text in _words.texts_of(path.read_text(encoding="utf-8"))
    }
    assert own <= shrunk <= set(_words.texts_of(shrink.source(piece)))
    assert own


@pytest.mark.parametrize("name", PIECES)
def test_the_numbers_are_the_same(name):
    def numbers(code):
        with speaking(code):
            return Counter(re.findall(r"\d+(?:[.,]\d+)*", still(PIECES[name]()._repr_html_())))

    assert numbers("ko") == numbers("en")


@pytest.mark.parametrize("name", [*PIECES, *OF_THE_COURSE])
def test_a_saved_output_becomes_what_a_fresh_run_shows(name, korean, monkeypatch):
    make = {**PIECES, **OF_THE_COURSE}[name]
    fresh = make()._repr_mimebundle_()
    monkeypatch.setenv(LANGUAGE, "en")
    saved = make()._repr_mimebundle_()
    assert saved != fresh
    assert translate_output(saved, "ko") == fresh
    assert translate_output(saved, "en") == saved


def test_every_saved_piece_of_a_lesson_can_be_translated_and_stays_small():
    found = []
    for path in LESSONS:
        for cell in read(path).cells:
            for output in cell.get("outputs", ()):
                if 'class="cnn-' in output.get("data", {}).get("text/html", ""):
                    made = translate_output(output["data"], "ko")
                    assert 'lang="ko"' in made["text/html"]
                    found.append(re.match(r'<div class="([\w-]+)', made["text/html"])[1])
                    assert too_large([(found[-1], made["text/html"])]) == []
    assert len(found) > len(questions())
    assert len(set(found)) == len(shrink.PIECES)


def test_other_output_stays_and_an_old_piece_is_told():
    for other in ({}, {"text/plain": "1"}, {"text/html": "<b>1</b>", "image/png": "x"}):
        assert translate_output(other, "ko") == other
    saved = predict("02-stride-3")._repr_mimebundle_()
    with pytest.raises(ValueError, match="run its lesson"):
        translate_output({**saved, "text/plain": "old"}, "ko")
    older = saved["text/html"].replace("const", "let", 1)
    with pytest.raises(ValueError, match="run its lesson"):
        translate_output({**saved, "text/html": older}, "ko")


@pytest.mark.parametrize("name", questions())
def test_a_question_keeps_its_answer(name, monkeypatch):
    """With words for each of its texts, whatever of them is translated now."""
    monkeypatch.setattr(
        "helpers.pieces.prediction.translated", lambda text, *_: "".join(reversed(text))
    )
    (mine,) = read_predictions(predict(name)._repr_html_())
    theirs = questions()[name]
    assert mine["q"] == theirs["question"][::-1]
    assert mine["b"] == theirs["because"][::-1]
    guesses = [guess for guess, _ in mine["w"]]
    if "choices" in theirs:
        assert mine["c"] == [choice[::-1] for choice in theirs["choices"]]
        assert mine["a"] == theirs["answer"][::-1]
        assert guesses == [guess[::-1] for guess, _ in theirs.get("wrong", ())]
    else:
        assert (mine["a"], guesses) == (
            theirs["answer"],
            [guess for guess, _ in theirs.get("wrong", ())],
        )


def test_a_question_is_looked_up_by_its_name(korean, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "helpers.pieces.prediction.translated", lambda *a: asked.append(a[1:]) or a[0]
    )
    predict("00-device")
    assert set(asked) == {("predictions", "00-device", "ko")}


def test_a_page_says_its_language(korean, tmp_path):
    page = predict("02-stride-3").save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<html lang="ko">' in page
    assert f"<title>{predict('02-stride-3').title}</title>" in page


def test_marks_of_a_script():
    script = "f(tr`a ${b(`}${c}'`)}\n  d ${tr`e`}`,`tr${g}`,str`h`)"
    assert _words.texts_of(script) == ["a {0} d {1}", "e"]
    turned = _words.put_into(script, lambda text: {"e": "E`\\"}.get(text, "{1} ${x} {0}"))
    assert turned == "f(`${`E\\`\\\\`} \\${x} ${b(`}${c}'`)}`,`tr${g}`,str`h`)"
    assert _words.put_into("tr`a ${'}' + {b: 1}.b} c`", str) == "`a ${'}' + {b: 1}.b} c`"
