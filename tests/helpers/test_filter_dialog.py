"""The filter dialog without a browser: its numbers, its still picture, and its errors."""

import base64
import io
import json
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from nbconvert.preprocessors.sanitize import SanitizeHTML
from PIL import Image
from traitlets.config import Config

from helpers.command.files import ROOT
from helpers.data import photo
from helpers.pieces.filter_dialog import FILTERS, SIZE_LIMIT, filter_dialog
from tests.support.needs import node


def pictures(piece):
    """The pictures in a piece, decoded: uint8, (H, W, 3)."""
    found = re.findall(r'src="data:image/\w+;base64,([^"]*)"', piece._repr_html_())
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")) for text in found
    ]


def test_it_holds_photos_of_the_course():
    shown = pictures(filter_dialog())
    assert len(shown) == 2
    for found, name in zip(shown, ("cat", "rocket"), strict=True):
        wanted = photo(name).astype(float)
        wanted = wanted * 255 if wanted.max() <= 1 else wanted
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).mean() < 10  # they are compressed more


def test_an_image_of_ones_own_is_kept_as_it_is():
    image = np.arange(24).reshape(2, 4, 3) * 10
    (found,) = pictures(filter_dialog(image))
    assert (found == image).all()
    (found,) = pictures(filter_dialog(image[..., 0].tolist()))
    assert (found == image[..., :1]).all()


@node
def test_grey_is_mostly_green_then_red_then_blue():
    """The weights of ITU-R BT.601, run without a page."""
    code = (ROOT / "helpers/pieces/filter_dialog/compute.js").read_text(encoding="utf-8")
    planes = [[255, 0, 0, 255, 10], [0, 255, 0, 255, 20], [0, 0, 255, 255, 30]]
    told = f"toGrey({{ width: 5, height: 1, planes: {planes} }})"
    script = f"const tr = ([text]) => text;{code}\nconsole.log(JSON.stringify({told}));"
    done = subprocess.run(["node", "-"], input=script, capture_output=True, encoding="utf-8")
    assert not done.stderr
    # 0.299 · 10 + 0.587 · 20 + 0.114 · 30 = 18.15
    assert json.loads(done.stdout) == {
        "width": 5,
        "height": 1,
        "planes": [[76, 150, 29, 255, 18]],
    }


def test_filters_are_what_their_names_say():
    sums = {name: np.sum(one.numbers) / one.divisor for name, one in FILTERS.items()}
    keep = {"Identity", "Box blur", "Gaussian blur", "Motion blur", "Sharpen", "Emboss"}
    assert {name for name, total in sums.items() if total == 1} == keep
    assert {name for name, total in sums.items() if total == 0} == {
        "Edge",
        "Sobel, vertical edges",
        "Sobel, horizontal edges",
    }
    for one in FILTERS.values():
        assert np.shape(one.numbers) in ((3, 3), (5, 5))
    vertical = np.array(FILTERS["Sobel, vertical edges"].numbers)
    assert (FILTERS["Sobel, horizontal edges"].numbers == vertical.T).all()
    assert FILTERS["Negative"].offset + 40 * sums["Negative"] == 215


def test_a_piece_stays_small():
    assert len(filter_dialog()._repr_html_().encode()) <= SIZE_LIMIT == 30 * 1024


def test_without_scripts_the_photos_and_the_numbers_stay():
    still = filter_dialog(filter="Box blur")._repr_html_().split("<script>")[0]
    assert "Box blur: the sum of the products, divided by 9" in still
    assert still.count("<td>1") == 9
    assert 'alt="Cat"' in still
    assert repr(filter_dialog(filter="Box blur")).endswith("1  1  1\n1  1  1\n1  1  1")


def test_a_sanitizer_prints_no_script_and_no_data():
    output = nbformat.v4.new_output("display_data", data=filter_dialog()._repr_mimebundle_())
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("piece", outputs=[output])]
    )
    clean = SanitizeHTML(config=Config(SanitizeHTML={})).preprocess(notebook, {})[0]
    text = clean.cells[0].outputs[0].data["text/html"]
    assert "the sum of the products" in text
    for word in ("const", "querySelector", "font:", "function", "=>", "=&gt;"):
        assert word not in text


def test_nothing_is_fetched_and_nothing_is_random():
    html = re.sub(r'src="data:[^"]*"', "", filter_dialog()._repr_html_())
    for word in ("http", ' src="', "import(", "fetch(", " id=", "random", "Date", "localStorage"):
        assert word not in html
    assert filter_dialog()._repr_html_() == filter_dialog()._repr_html_()


def test_a_title_cannot_end_the_script():
    html = filter_dialog(title="--> </script> <!-- & 숫자")._repr_html_()
    assert html.count("<script") == html.count("</script") == 1
    assert html.count("<!--") == html.count("-->") == 2


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: filter_dialog(filter="Sobel"), ValueError, "must be one of Identity, Box blur"),
        (lambda: filter_dialog(np.zeros((2, 3, 4))), ValueError, r"shape \(H, W\) or \(H, W, 3\)"),
        (lambda: filter_dialog(np.zeros(3)), ValueError, r"got \(3,\)"),
        (lambda: filter_dialog(np.zeros((0, 3))), ValueError, "1 to 384 rows and columns"),
        (lambda: filter_dialog(np.zeros((385, 3))), ValueError, "1 to 384 rows and columns"),
        (lambda: filter_dialog([[256]]), ValueError, "from 0 to 255"),
        (lambda: filter_dialog([[-1.0]]), ValueError, "from 0 to 255"),
        (lambda: filter_dialog([[np.nan]]), ValueError, "from 0 to 255"),
        (lambda: filter_dialog([["a"]]), TypeError, "must hold numbers"),
        (lambda: filter_dialog(title=""), TypeError, "title must be a text"),
        (
            lambda: filter_dialog(np.random.default_rng(0).integers(0, 256, (384, 384, 3))),
            ValueError,
            "KiB, more than 30; pass a smaller one",
        ),
    ],
)
def test_an_error_says_what_would_be_right(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_importing_it_loads_no_plotting_and_no_torch():
    code = (
        "import sys, helpers.pieces.filter_dialog as f; f.filter_dialog();"
        "print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
