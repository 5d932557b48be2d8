"""Train it here, without a browser: its digits, its start, the steps in Python, its still picture.

What its script computes is tested in tests/e2e/test_train_here_browser.py.
"""

import base64
import json
import re
import subprocess
import sys
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest
import torch
from nbconvert.preprocessors.sanitize import SanitizeHTML
from traitlets.config import Config

from helpers.data import load_mnist
from helpers.pieces.draw_digit.net import PARAMETERS
from helpers.pieces.train_here import SIZE_LIMIT, learn, train_here
from tests.support.lessons import definitions
from tests.support.scripts import load

(make_net,) = definitions(5, "make_net")
export = load("tools/export_page_digits.py")


def test_the_file_holds_digits_of_the_sample():
    levels, labels = learn.sample_digits()
    file = learn.read_file()
    assert file["digits"] == base64.b64encode(export.pack(levels)).decode()
    parts = labels[: learn.TRAINING], labels[learn.TRAINING :]
    assert [len(part) for part in parts] == [800, 200]
    for part, counts in zip(parts, file["counts"], strict=True):
        assert (np.repeat(np.arange(10), counts) == part).all()


def test_the_tool_writes_the_file_that_is_there(tmp_path, monkeypatch, capsys):
    """But for the run, which takes ten seconds and is compared in another test."""
    before = export.PATH.read_text(encoding="utf-8")
    points = json.loads(before)["points"]

    def run(settings):
        assert settings == learn.Settings()
        return None, points

    monkeypatch.setattr(learn, "run", run)
    path = tmp_path / "digits.json"
    monkeypatch.setattr(sys, "argv", ["export", "--output", str(path)])
    export.main()
    assert path.read_text(encoding="utf-8") == before
    assert re.fullmatch(r"\d\d\.\d KiB in digits\.json\n", capsys.readouterr().out)


def test_the_digits_are_the_first_of_the_sample_in_three_greys():
    levels, labels = learn.sample_digits()
    data = load_mnist(train=True, source="sample")
    pixels = data.images[:1000].numpy().astype(int)
    nearest = np.abs(pixels[..., None] - np.array(learn.LEVELS)).argmin(-1).astype(np.uint8)
    wanted = [
        (k, bytes(n)) for k, n in zip(data.targets[:800].tolist(), nearest[:800], strict=True)
    ]
    found = [(k, bytes(n)) for k, n in zip(labels[:800], levels[:800], strict=True)]
    assert sorted(found) == sorted(wanted)


def test_random_numbers_are_those_of_mulberry32():
    """The generator once more, with whole numbers of Python, as its author wrote it."""

    def mulberry32(state, count):
        for _ in range(count):
            state = (state + 0x6D2B79F5) % 2**32
            z = (state ^ state >> 15) * (state | 1) % 2**32
            z ^= (z + (z ^ z >> 7) * (z | 61)) % 2**32
            yield (z ^ z >> 14) / 2**32

    for seed in (0, 1, 2**32 - 1):
        random = learn.Random(seed)
        drawn = np.concatenate([random.draw(3), random.draw(500)])
        assert drawn.tolist() == list(mulberry32(seed, 503))


def test_new_weights_follow_pytorch_s_rule():
    weights = learn.new_weights(learn.Random(1))
    assert [w.shape for w in weights] == [shape for _, shape in PARAMETERS]
    torch.manual_seed(0)
    for ours, theirs in zip(weights, make_net().parameters(), strict=True):
        # Bias and weight of a layer have the same bound; few biases need not come near it.
        assert np.abs(ours).max() == pytest.approx(theirs.abs().max().item(), rel=0.4)
        if ours.size > 200:
            assert ours.std() == pytest.approx(theirs.std().item(), rel=0.1)
    again, other = (learn.new_weights(learn.Random(seed))[2] for seed in (1, 2))
    assert (again == weights[2]).all()
    assert (other != weights[2]).mean() > 0.99


def test_the_network_is_that_of_lesson_5_without_dropout():
    model, images = make_net().double().eval(), torch.randn(5, 1, 28, 28).double()
    with torch.no_grad():
        ours = torch.log_softmax(learn.scores(list(model.parameters()), images), dim=1)
        torch.testing.assert_close(ours, model(images))


def test_shifts_move_images_by_whole_pixels_and_fill_with_background():
    image = torch.arange(1.0, 17).reshape(1, 1, 4, 4)
    background = learn.as_input(np.zeros(1, int))[0]
    seen = set()
    random = learn.Random(3)
    for _ in range(60):
        (moved,) = learn.shifted(image, 1, random)[0].numpy()
        (place,) = np.argwhere(moved == 6)
        down, right = place - 1
        assert {int(down), int(right)} <= {-1, 0, 1}
        seen.add((int(down), int(right)))
        for i in range(4):
            for j in range(4):
                inside = 0 <= i - down < 4 and 0 <= j - right < 4
                wanted = image[0, 0, i - down, j - right].item() if inside else background
                assert moved[i, j] == pytest.approx(wanted)
    assert len(seen) == 9
    assert learn.shifted(image, 0, random) is image


def test_the_recorded_run_is_what_torch_computes():
    _, points = learn.run(epochs=1)
    recorded = train_here().points
    assert [point.seen for point in points] == [0, 400, 800]
    for ours, theirs in zip(points, recorded[:3], strict=True):
        wanted = [float("nan") if v is None else v for v in theirs[1:]]
        found = [float("nan") if v is None else v for v in ours[1:]]
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert points[0].validation == pytest.approx(np.log(10), abs=0.05)
    assert recorded[-1].seen == 10 * learn.TRAINING
    assert recorded[-1].accuracy >= 0.9


def test_the_piece_adds_at_most_60_kib_to_a_notebook():
    html = train_here()._repr_html_()
    assert len(json.dumps(html, ensure_ascii=False).encode()) <= SIZE_LIMIT == 60 * 1024


def test_without_scripts_the_curves_and_the_numbers_stay():
    piece = train_here()
    still = piece._repr_html_().split("<script>")[0]
    end = piece.points[-1]
    assert f"it then read {end.accuracy:.1%} correctly" in still
    assert f"<td>10<td>{end.loss:.3f}<td>{end.validation:.3f}<td>{end.accuracy:.1%}" in still
    assert still.count("<tr>") == 12
    svg = unquote(re.search(r"svg\+xml,([^\"]*)", still)[1])
    assert svg.count("<polyline") == 3
    lines = re.findall(r"points='([^']*)'", svg)
    assert [len(line.split()) for line in lines] == [20, 21, 21]
    assert f"climbs from {piece.points[0].accuracy:.0%} to {end.accuracy:.0%}" in still
    assert repr(piece).startswith("Train it here\nThe network of lesson 05")


def test_a_sanitizer_prints_no_script_and_no_data():
    output = nbformat.v4.new_output("display_data", data=train_here()._repr_mimebundle_())
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("piece", outputs=[output])]
    )
    clean = SanitizeHTML(config=Config(SanitizeHTML={})).preprocess(notebook, {})[0]
    text = clean.cells[0].outputs[0].data["text/html"]
    assert "validation loss" in text
    for word in ("const", "querySelector", "font:", "function", "=>", "=&gt;"):
        assert word not in text


def test_nothing_is_fetched_and_nothing_is_random():
    html = re.sub(r'src="data:[^"]*"', "", train_here()._repr_html_())
    html = html.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    for word in ("http", ' src="', "import(", "fetch(", " id=", "Math.random", "Date", "Storage"):
        assert word not in html
    assert train_here()._repr_html_() == train_here()._repr_html_()


def test_a_title_is_kept_and_must_be_a_text():
    html = train_here("--> </script> <!-- & 숫자")._repr_html_()
    assert html.count("<script") == html.count("</script") == 1
    assert html.count("<!--") == html.count("-->") == 2
    with pytest.raises(TypeError, match="title must be a text"):
        train_here("")


def test_making_it_loads_no_plotting_and_no_torch():
    code = (
        "import sys, helpers.pieces.train_here as t; t.train_here();"
        "print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
