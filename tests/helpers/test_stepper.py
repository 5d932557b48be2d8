"""The step-through without a browser: its arguments, its words, and the picture that stands still.

What its script computes is tested in tests/e2e/test_stepper_browser.py.
"""

import subprocess
import sys
from html.parser import HTMLParser

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.preprocessors.sanitize import SanitizeHTML
from traitlets.config import Config

from helpers.pieces.stepper import SIZE_LIMIT, step_conv2d, step_pool2d
from helpers.pieces.stepper.words import Axis, equals, show, step

X = [[2, 3, 0, 1], [0, 2, 2, 2], [1, 2, 1, 1], [3, 2, 2, 0]]
W = [[1, 0], [2, -1]]
rng = np.random.default_rng(0)


class Text(HTMLParser):
    """What a reader sees where no script runs: the tables, and all text outside scripts."""

    def __init__(self, html):
        super().__init__()
        self.tables, self.text, self.tags = [], "", set()
        self.skip = self.cell = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.skip = tag in ("script", "style")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.cell = True

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.skip = False
        self.cell = self.cell and tag != "table"

    def handle_data(self, data):
        if self.skip:
            return
        self.text += data
        if self.cell:
            self.tables[-1][-1][-1] += data.strip()


def numbers(table):
    """The cells of a table without its headers, as numbers."""
    cells = [row[1:] for row in table[1:]]
    return [[float(t.strip("[]").replace("−", "-")) for t in row] for row in cells]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (8, "8"),
        (-3, "−3"),
        (123456, "123456"),
        (2.125, "2.13"),
        (-2.125, "−2.13"),
        (0.5, "0.5"),
        (0.30000000000000004, "0.3"),
        (99.96, "100"),
        (123.4, "123"),
        (100.5, "101"),
        (0.00999, "0.00999"),
        (0.000123, "1.23e−4"),
        (0.0009999, "1e−3"),
        (2e9, "2e9"),
        (-1234567891.5, "−1.23e9"),
        (-np.inf, "−∞"),
    ],
)
def test_numbers_are_printed_for_people(value, text):
    assert show(value) == text


def test_a_rounded_number_is_said_to_be_rounded():
    assert equals(1, 2.5, 0.1 + 0.2) == " = "
    assert equals(1, 2 / 3) == " ≈ "


def test_the_first_step_in_words_and_numbers():
    assert (
        step_conv2d(X, W, bias=1)._html.count("row 0, column 0: 2×1 + 3×0 + 0×2 + 2×(−1) + ") == 1
    )
    assert "2×(−1) + bias 1 = 1" in step_conv2d(X, W, bias=1)._html
    assert "max(2, 3, 0, 2) = 3" in step_pool2d(X, 2)._html
    assert "(2 + 3 + 0 + 2) / 4 = 1.75" in step_pool2d(X, 2, mode="avg")._html


def test_several_channels_are_summed_line_by_line():
    lines = step_conv2d(np.array([X, X]), np.array([W, W]), bias=-1)._repr_html_()
    assert "channel 0: 2×1 + 3×0 + 0×2 + 2×(−1) = 0" in lines
    assert "channel 1: 2×1 + 3×0 + 0×2 + 2×(−1) = 0" in lines
    assert "row 0, column 0: 0 + 0 + bias (−1) = −1" in lines


@pytest.mark.parametrize(
    ("axis", "sentence"),
    [
        (Axis(5, 3, 2, 1, 1, False), "rows: (5 − 3 + 2×1) / 2 + 1 = 3."),
        (
            Axis(7, 3, 3, 0, 1, False),
            "rows: (7 − 3 + 2×0) / 3 + 1 ≈ 2.33, rounded down: 2. "
            "Does not fit: the last row is dropped.",
        ),
        (
            Axis(7, 2, 4, 1, 1, False),
            "rows: (7 − 2 + 2×1) / 4 + 1 = 2.75, rounded down: 2. Does not fit: the last 3 rows "
            "are dropped (1 of them padding). The stride is larger than the span: rows in between "
            "are skipped.",
        ),
        (
            Axis(6, 3, 2, 1, 1, False),
            "rows: (6 − 3 + 2×1) / 2 + 1 = 3.5, rounded down: 3. "
            "Does not fit: the last row is dropped (only padding).",
        ),
        (
            Axis(6, 3, 2, 0, 1, True),
            "rows: (6 − 3 + 2×0) / 2 + 1 = 2.5, rounded up: 3. "
            "The last window sticks out by 1 row.",
        ),
        (
            Axis(3, 2, 3, 1, 1, True),
            "rows: (3 − 2 + 2×1) / 3 + 1 = 2. "
            "The stride is larger than the span: rows in between are skipped.",
        ),
        (
            Axis(5, 2, 3, 1, 1, True),
            "rows: (5 − 2 + 2×1) / 3 + 1 ≈ 2.67, rounded up: 3, but that window would start in "
            "the padding at the end: 2. Does not fit: the last 2 rows are dropped "
            "(1 of them padding). The stride is larger than the span: rows in between are skipped.",
        ),
        (
            Axis(7, 3, 1, 0, 2, False),
            "rows: (7 − 5 + 2×0) / 1 + 1 = 3. 5 = 2×(3 − 1) + 1 is the span of the window.",
        ),
        (
            Axis(2, 3, 1, 0, 1, False),
            "rows: the window spans 3, but the input with its padding has only 2: no output. "
            "PyTorch raises an error here.",
        ),
    ],
)
def test_the_size_formula_with_its_numbers(axis, sentence):
    assert axis.sentence("row") == sentence


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(3, 7), st.integers(3, 7)),
    kernel=pairs,
    stride=pairs,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=pairs,
    bias=st.sampled_from([None, 0, 2, -1.5]),
)
def test_every_step_of_a_convolution_equals_torch(shape, kernel, stride, padding, dilation, bias):
    x = torch.from_numpy(rng.normal(size=shape))
    weight = torch.from_numpy(rng.normal(size=(shape[0], *kernel)))
    tensor = None if bias is None else torch.tensor([bias], dtype=torch.float64)
    try:
        expected = F.conv2d(x[None], weight[None], tensor, stride, padding, dilation)[0]
    except RuntimeError:
        with pytest.raises(ValueError, match="spans"):
            step_conv2d(x, weight, bias, stride, padding, dilation)
        return
    piece = step_conv2d(x, weight, bias, stride, padding, dilation)
    compare(piece, expected.numpy())


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(2, 7), st.integers(2, 7)),
    kernel=pairs,
    stride=st.none() | pairs,
    half=st.booleans(),
    dilation=pairs,
    mode=st.sampled_from(["max", "avg"]),
    ceil_mode=st.booleans(),
    count_include_pad=st.booleans(),
)
def test_every_step_of_a_pooling_equals_torch(
    shape, kernel, stride, half, dilation, mode, ceil_mode, count_include_pad
):
    x = torch.from_numpy(rng.integers(-3, 4, size=shape).astype(float))
    padding = tuple(k // 2 if half else 0 for k in kernel)
    dilation = dilation if mode == "max" else (1, 1)
    arguments = (kernel, stride, padding, mode, ceil_mode, count_include_pad, dilation)
    try:
        if mode == "max":
            expected = F.max_pool2d(x[None], kernel, stride, padding, dilation, ceil_mode)[0]
        else:
            expected = F.avg_pool2d(x[None], kernel, stride, padding, ceil_mode, count_include_pad)[
                0
            ]
    except RuntimeError:
        with pytest.raises(ValueError, match="spans"):
            step_pool2d(x, *arguments)
        return
    compare(step_pool2d(x, *arguments), expected.numpy())


def test_a_window_of_nothing_but_padding():
    piece = step_pool2d([[5]], 2, 1, 1, dilation=2)
    expected = F.max_pool2d(torch.tensor([[[[5.0]]]]), 2, 1, 1, 2)[0].numpy()
    assert expected.tolist() == [[[-np.inf]]]
    compare(piece, expected)
    assert "max(−∞, −∞, −∞, −∞) = −∞" in piece._html
    assert "There is nothing but padding here" in piece._html


@pytest.mark.parametrize("size", [(1, 2), (2, 2), (3, 3)])
def test_a_window_says_how_many_of_its_inputs_are_padding(size):
    piece, counts = step_conv2d(X, np.ones(size), padding=1), set()
    for _, i, j in np.ndindex(piece.output.shape):
        one = step(piece._setup, 0, i, j)
        count = sum(not real for _, _, real, _ in one.cells)
        verb = "is" if count == 1 else "are"
        said = f"{count} of the {np.prod(size)} inputs {verb} padding, which is 0."
        assert one.note == (said if count else "")
        counts.add(count)
    assert counts == {(1, 2): {0, 1, 2}, (2, 2): {0, 2, 3}, (3, 3): {0, 3, 5}}[size]


def compare(piece, expected):
    np.testing.assert_allclose(piece.output, expected, atol=1e-12)
    maps, height, width = expected.shape
    for c in range(maps):
        for i in range(height):
            for j in range(width):
                one = step(piece._setup, c, i, j)
                assert one.value == pytest.approx(expected[c, i, j], abs=1e-12)
                assert one.lines[-1].endswith(show(one.value))
                assert f"row {i}, column {j}: " in one.lines[-1]


def test_the_still_picture_holds_every_number():
    x = np.array([X, np.ones((4, 4))])
    weight = np.array([W, [[0, 3], [0, 0]]])
    tables = [numbers(t) for t in Text(step_conv2d(x, weight)._html).tables]
    assert tables == [
        x[0].tolist(),
        weight[0].tolist(),
        x[1].tolist(),
        weight[1].tolist(),
        F.conv2d(torch.tensor(x)[None], torch.tensor(weight)[None].double())[0, 0].tolist(),
    ]


def test_the_still_picture_marks_the_first_window_and_its_result():
    input_table, output_table = Text(step_pool2d(X, 2, padding=1)._html).tables
    assert input_table[0] == ["", "−1", "0", "1", "2", "3", "4"]
    assert [row[1:3] for row in input_table[1:3]] == [["[−∞]", "[−∞]"], ["[−∞]", "[2]"]]
    assert sum("[" in cell for row in input_table for cell in row) == 4
    assert [cell for row in output_table for cell in row if "[" in cell] == ["[2]"]


def test_the_still_picture_needs_no_script_style_or_attribute():
    html = step_conv2d(X, W)._html
    still = html[: html.index("<script>")]
    seen = Text(still)
    assert seen.tags == {"div", "p", "b", "i", "table", "caption", "tr", "th", "td"}
    assert "Output 3×3" in seen.text
    assert "stride" not in seen.text.replace("step", "")
    assert "=" not in still.replace('<div class="cnn-stepper">', "").replace(" = ", "")


@pytest.mark.parametrize(
    "options", [{}, {"strip": True}, {"tags": ["table", "tr", "td", "th", "p"]}]
)
def test_a_sanitizer_prints_no_script_and_no_data(options):
    html = step_conv2d(X, W, title="A title")._html
    output = nbformat.v4.new_output("display_data", data={"text/html": html})
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("piece", outputs=[output])]
    )
    clean = SanitizeHTML(config=Config(SanitizeHTML=options)).preprocess(notebook, {})[0]
    text = clean.cells[0].outputs[0].data["text/html"]
    assert "Output 3×3" in text
    for word in ("const", "querySelector", "font:", '"conv"', "function", "=>", "=&gt;"):
        assert word not in text


def test_a_large_input_keeps_its_window_and_a_corner_of_the_output():
    x, weight = rng.normal(size=(1, 16, 16)), rng.normal(size=(1, 3, 3))
    tables = Text(step_conv2d(x, weight)._html).tables
    shown = numbers(tables[0])
    np.testing.assert_allclose(shown, x[0, :3, :3], rtol=0.01)
    output = F.conv2d(torch.tensor(x)[None], torch.tensor(weight)[None])[0, 0]
    np.testing.assert_allclose(
        numbers(tables[-1]), output[: len(tables[-1]) - 1, : len(tables[-1][0]) - 1], rtol=0.01
    )


INPUTS = {
    "whole": lambda shape: rng.integers(0, 4, size=shape),
    "float": lambda shape: rng.normal(size=shape).astype(np.float32),
}


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_piece_stays_under_23_kib(kind, channels):
    side = 16 if kind == "whole" or channels == 1 else 12
    x = INPUTS[kind]((channels, side, side))
    weight = INPUTS[kind]((channels, 3, 3))
    for piece in (step_conv2d(x, weight, bias=1), step_pool2d(x, 2), step_pool2d(x, 3, mode="avg")):
        assert len(piece._repr_html_().encode()) <= SIZE_LIMIT == 23 * 1024


def test_two_makings_are_the_same_to_the_byte():
    code = (
        "import hashlib; from helpers.pieces.stepper import *;"
        "p = step_conv2d([[0.1, 2], [3, 4]], [[1.5]], 0.3)._repr_mimebundle_();"
        "print(hashlib.sha256(repr(sorted(p.items())).encode()).hexdigest())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


def test_nothing_is_fetched_and_nothing_is_random():
    html = step_conv2d(X, W)._html
    for word in ("http", "src=", "import(", "fetch(", " id=", "random", "Date"):
        assert word not in html


def test_plain_text_for_terminals():
    bundle = step_conv2d(X, W, bias=1)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"].splitlines() == [
        "Convolution, step by step",
        "",
        "Input 4×4         Kernel 2×2   Output 3×3",
        "[2] [3]  0   1     1  0        1 6 3",
        "[0] [2]  2   2     2 −1        1 6 4",
        " 1   2   1   1                 6 5 6",
        " 3   2   2   0",
        "",
        "row 0, column 0: 2×1 + 3×0 + 0×2 + 2×(−1) + bias 1 = 1",
        "rows: (4 − 2 + 2×0) / 1 + 1 = 3.",
        "columns: (4 − 2 + 2×0) / 1 + 1 = 3.",
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x,
        np.array,
        torch.tensor,
        lambda x: torch.tensor(x, dtype=torch.float32, requires_grad=True),
        lambda x: torch.tensor(x).bfloat16(),
        lambda x: np.array(x, np.float16),
        lambda x: np.array(x, np.uint8),
        lambda x: np.array(x).T.copy().T,
        lambda x: torch.tensor(x)[None],
        lambda x: [x],
    ],
)
def test_any_array_gives_the_same_piece(make):
    assert step_pool2d(make(X), 2)._html == step_pool2d(X, 2)._html
    assert step_conv2d(make(X), make(X))._html == step_conv2d(X, X)._html


def test_a_filter_may_have_its_batch_axis():
    weight = rng.integers(0, 3, size=(1, 2, 2, 2))
    x = rng.integers(0, 3, size=(2, 4, 4))
    assert step_conv2d(x, weight)._html == step_conv2d(x, weight[0])._html
    assert step_conv2d(x, weight, torch.tensor([2.0]))._html == step_conv2d(x, weight, 2)._html


def test_float32_numbers_read_as_they_were_written():
    assert "0.1×3 = 0.3" in step_conv2d(np.array([[0.1]], np.float32), [[3]])._html


@pytest.mark.parametrize(
    "title", ["--> <b>x</b>", "</script><script>alert(1)", "<!-- & 합성곱 '\""]
)
def test_a_title_is_only_text(title):
    html = step_conv2d(X, W, title=title)._html
    assert html.count("<script") == html.count("</script") == 1
    assert html.count("<!--") == html.count("-->") == 2
    assert title in Text(html).text


def test_a_page_of_its_own(tmp_path):
    piece = step_conv2d(X, W, title="A < B")
    path = piece.save(tmp_path / "piece.html")
    page = path.read_text(encoding="utf-8")
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>A &lt; B</title>" in page
    assert piece._html in page


def call(function, *arguments, **keywords):
    return lambda: function(*arguments, **keywords)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (call(step_conv2d, np.zeros((17, 3)), W), ValueError, r"x has shape \(1, 17, 3\).*crop"),
        (call(step_conv2d, np.zeros((5, 3, 3)), W), ValueError, r"at most 4 channels of 16×16"),
        (call(step_conv2d, np.zeros((2, 1, 3, 3)), W), ValueError, r"take one image.*x\[0\]"),
        (call(step_conv2d, np.zeros((3, 0)), W), ValueError, "x is empty"),
        (call(step_conv2d, [[1, 2], [3]], W), ValueError, "equal length"),
        (call(step_conv2d, [["a"]], W), TypeError, "x must hold real numbers"),
        (call(step_conv2d, [[1j]], W), TypeError, "x must hold real numbers"),
        (call(step_conv2d, [[np.nan, 1], [1, 1]], W), ValueError, "x holds nan or infinity"),
        (call(step_conv2d, X, np.zeros((12, 2))), ValueError, "weight has shape.*11×11"),
        (
            call(step_conv2d, X, np.zeros((2, 2, 2))),
            ValueError,
            "weight has 2 channels but x has 1",
        ),
        (call(step_conv2d, X, np.zeros((2, 1, 2, 2))), ValueError, r"weight must.*weight\[0\]"),
        (call(step_conv2d, X, np.zeros((5, 1))), ValueError, "spans 5 rows.*has only 4"),
        (call(step_conv2d, X, W, bias=[1, 2]), ValueError, r"bias must be one number.*bias\[0\]"),
        (call(step_conv2d, X, W, bias="1"), TypeError, "bias must be a number"),
        (call(step_conv2d, X, W, bias=np.inf), ValueError, "bias must be finite"),
        (call(step_conv2d, X, W, stride=0), ValueError, "stride=0: it must be from 1 to 16"),
        (call(step_conv2d, X, W, stride=1.0), TypeError, "stride=1.0: it must be an integer"),
        (call(step_conv2d, X, W, stride=(1, 2, 3)), ValueError, r"it must be .* a pair"),
        (call(step_conv2d, X, W, stride=(1, 17)), ValueError, r"stride\[1\]=17: .* 1 to 16"),
        (call(step_conv2d, X, W, padding=-1), ValueError, "padding=-1: it must be from 0"),
        (call(step_conv2d, X, W, padding="same"), TypeError, "padding='same': it must be an int"),
        (call(step_conv2d, X, W, dilation=0), ValueError, "dilation=0: it must be from 1"),
        (call(step_conv2d, X, W, title=""), TypeError, "title must be a text"),
        (call(step_pool2d, X, 0), ValueError, "kernel_size=0: it must be from 1"),
        (call(step_pool2d, X, 2, mode="sum"), ValueError, 'mode must be "max" or "avg"'),
        (call(step_pool2d, X, 3, padding=2), ValueError, r"at most half.*at most \(1, 1\) fits"),
        (call(step_pool2d, X, 2, mode="avg", dilation=2), ValueError, "dilation must be 1"),
        (call(step_pool2d, X, 2, ceil_mode=1), TypeError, "ceil_mode must be True or False"),
        (call(step_pool2d, X, 2, count_include_pad=0), TypeError, "count_include_pad must be"),
        (
            call(step_conv2d, rng.normal(size=(4, 16, 16)), rng.normal(size=(4, 11, 11))),
            ValueError,
            "makes a piece of .* KiB, more than 23; pass a smaller crop",
        ),
    ],
)
def test_an_error_says_what_would_be_right(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_importing_it_loads_no_plotting_and_no_torch():
    code = (
        "import sys, helpers.pieces.stepper; "
        "print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
