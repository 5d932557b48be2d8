"""The pad to draw a digit on, without a browser: its weights, its arguments, and what is left of it
where no script runs.

What its script computes is tested in tests/e2e/test_draw_digit_browser.py.
"""

import base64
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files

import nbformat
import numpy as np
import pytest
import torch
from nbconvert.preprocessors.sanitize import SanitizeHTML
from torch import nn
from traitlets.config import Config

from helpers.data import load_mnist
from helpers.pieces._piece import NOT_IN_A_SCRIPT
from helpers.pieces.draw_digit import SIZE_LIMIT, draw_digit
from helpers.pieces.draw_digit.net import (
    FILE,
    LAYERS,
    MEAN,
    PARAMETERS,
    STD,
    Net,
    forward,
    normalise,
    read_file,
    unpack,
)
from helpers.shapes import count_parameters, receptive_field
from tests.support.lessons import ROOT, definitions, need
from tests.support.scripts import load

(make_net,) = definitions(5, "make_net")
export = load("tools/export_digit_net.py")
PATH = files("helpers.pieces.draw_digit").joinpath(FILE)


def course_net():
    """The network of lesson 05 in torch, with the weights that come with the course."""
    net, _ = read_file()
    model = make_net().eval()
    names = model.state_dict().keys()
    model.load_state_dict(dict(zip(names, map(torch.from_numpy, net.weights), strict=True)))
    return model


# ---- the weights ----


def test_the_file_holds_the_network_of_lesson_5_and_says_where_it_comes_from():
    about = json.loads(PATH.read_text(encoding="utf-8"))["about"]
    net, examples = read_file()
    assert sum(array.size for array in net.weights) == count_parameters(make_net())
    shapes = [tuple(value.shape) for value in make_net().state_dict().values()]
    assert [array.shape for array in net.weights] == [shape for _, shape in PARAMETERS] == shapes
    assert about["epochs"] == export.EPOCHS
    assert about["seed"] == export.SEED
    assert about["training images"] == 60_000
    assert [one.label for one in examples[:10]] == list(range(10))
    assert len(examples) == 10 + export.MISREAD


def test_a_piece_is_under_30_kib_beside_its_weights_which_are_under_57():
    for piece in (draw_digit(), draw_digit(make_net())):
        data = json.loads(re.search(r"<!--(\{.+?\})-->", piece._repr_html_())[1])
        assert len(data["w"]) == 4 * 21_840 * 2 / 3 <= 57 * 1024
        assert len(piece._repr_html_().replace(data["w"], "").encode()) <= SIZE_LIMIT == 30 * 1024


def test_it_reads_the_sample_as_well_as_it_says():
    """The sample is from MNIST's training images: no test of the accuracy, but of the weights."""
    data = load_mnist(train=False, source="sample")
    with torch.no_grad():
        answers = course_net()(torch.from_numpy(normalise(data.images))[:, None]).argmax(dim=1)
    assert (answers == data.targets).float().mean() > 0.97


@pytest.mark.full
@pytest.mark.skipif("MNIST_ROOT" not in os.environ, reason="MNIST_ROOT is not set")
def test_the_accuracy_in_the_file_is_what_its_weights_reach():
    data = load_mnist(train=False, source="full")
    net, examples = read_file()
    with torch.no_grad():
        answers = course_net()(torch.from_numpy(normalise(data.images))[:, None]).argmax(dim=1)
    right = int((answers == data.targets).sum())
    assert net.about["test images"] == len(data)
    assert net.about["test images read correctly"] == pytest.approx(right, abs=2)
    stored = json.loads(PATH.read_text(encoding="utf-8"))["examples"]
    for one, example in zip(stored, examples, strict=True):
        number = one["number in the test part"]
        assert (data.images[number].numpy() == example.pixels).all()
        assert data.targets[number] == example.label


def test_the_caption_takes_the_accuracy_from_the_file():
    net, _ = read_file()
    share = net.about["test images read correctly"] / net.about["test images"]
    assert share > 0.98
    assert f"it reads {share:.1%} correctly" in draw_digit().about()
    assert draw_digit().about() in draw_digit()._repr_html_()


def test_forward_equals_torch_layer_by_layer():
    model, (net, examples) = course_net(), read_file()
    for image in [normalise(examples[n].pixels) for n in (0, 7, 11)]:
        x = torch.from_numpy(image)[None, None]
        seen = forward(net.weights, image)
        assert [(name, value.shape) for name, value in seen.items()] == list(LAYERS)
        steps = iter(seen.values())
        np.testing.assert_array_equal(next(steps)[None], x)
        with torch.no_grad():
            for number, layer in enumerate(model):
                x = layer(x)
                # After both convolutions, both pools with their ReLU, and what is linear.
                if number in (0, 2, 3, 6, 9, 11, 12):
                    np.testing.assert_allclose(next(steps), x[0], atol=1e-4)


def test_packed_weights_come_back_as_they_were():
    weights = tuple(
        np.random.default_rng(0).normal(size=shape).astype(np.float16).astype(np.float32)
        for _, shape in PARAMETERS
    )
    packed = Net(weights, {}).packed()
    for ours, theirs in zip(unpack(packed), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="10,920 weights instead of 21,840"):
        unpack(packed[: len(packed) // 2])


# ---- the tool ----


def test_the_tool_trains_the_lessons_own_network():
    need("notebooks/05-")
    ours, theirs = export.lesson_net(), make_net()
    assert str(ours) == str(theirs)
    source = (ROOT / "notebooks" / "05-mnist-net.ipynb").read_text(encoding="utf-8")
    assert f"lr={export.RATE}, momentum={export.MOMENTUM}" in source
    assert f"batch_size={export.BATCH_SIZE}, shuffle=True" in source


def test_two_trainings_are_the_same_and_rounding_is_what_is_kept():
    data = load_mnist(train=True, source="sample")
    few = torch.utils.data.Subset(data, range(256))
    one, two = (export.rounded(export.train(few, epochs=1), "float16")[1] for _ in range(2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, a.astype(np.float16))


def test_examples_are_one_of_each_digit_and_the_surest_mistakes():
    data = load_mnist(train=False, source="sample", transform=lambda image: (image - MEAN) / STD)
    model = course_net()
    numbers = export.choose_examples(model, data)
    assert [int(data.targets[n]) for n in numbers[:10]] == list(range(10))
    for n in numbers[:10]:
        assert data.targets[n] not in data.targets[:n]
    with torch.no_grad():
        for n in numbers[10:]:
            assert model(data[n][0][None]).argmax() != data.targets[n]
    assert len({int(data.targets[n]) for n in numbers[10:]}) == export.MISREAD


class Told(torch.nn.Module):
    """A network that answers each image, which is its own number, as a table says."""

    def __init__(self, probabilities):
        super().__init__()
        self.table = torch.tensor(probabilities).log()

    def forward(self, numbers):
        assert not self.training
        return self.table[numbers.long()]


class Numbered(torch.utils.data.Dataset):
    """Images that are their own numbers, with labels."""

    def __init__(self, labels):
        self.targets = torch.tensor(labels)

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, number):
        if number >= len(self):
            raise IndexError(number)
        return torch.tensor(float(number)), self.targets[number]


def test_the_examples_marked_hard_are_the_most_confident_mistakes_of_different_digits():
    labels = [1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 0, 5, 5, 7, 8, 8]
    # Whether it is right, and how sure the network is.
    answers = [(True, 0.99)] * 10
    answers += [(False, 0.6), (False, 0.9), (False, 0.8), (False, 0.7), (True, 0.95), (False, 0.5)]
    table = np.zeros((16, 10))
    for row, label, (right, sure) in zip(table, labels, answers, strict=True):
        row += (1 - sure) / 9
        row[label if right else (label + 1) % 10] = sure
    numbers = export.choose_examples(Told(table), Numbered(labels))
    first = [1, 0, 2, 3, 4, 5, 6, 7, 8, 9]
    # Of the two mistakes with a 5 only the surer one; then the 7, before the 0.
    assert numbers == [*first, 11, 13]


def test_the_tool_writes_the_file_and_checks_it(tmp_path, monkeypatch, capsys):
    def load(train, source, transform):
        assert source == "full"
        return load_mnist(train=train, source="sample", transform=transform)

    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)  # of the other tests
    monkeypatch.setattr(export, "load_mnist", load)
    trained = {"epochs": []}

    def train(data, epochs):
        trained["epochs"].append((len(data), epochs))
        return course_net()

    monkeypatch.setattr(export, "train", train)
    path = tmp_path / "net.json"
    assert export.main(["--output", str(path), "--epochs", "3"]) == 0
    assert trained["epochs"] == [(4000, 3)]
    said = capsys.readouterr().out
    assert said.endswith(f"{path}: {path.stat().st_size:,} bytes\n")
    made, committed = (json.loads(one.read_text(encoding="utf-8")) for one in (path, PATH))
    assert made["weights"] == committed["weights"]
    assert list(made) == list(committed)
    assert list(made["about"]) == list(committed["about"])
    right = made["about"]["test images read correctly"]
    assert "float16: test loss 0.0" in said
    assert f"test accuracy {right / 1000:.2%}" in said
    assert (made["about"]["training images"], made["about"]["test images"]) == (4000, 1000)
    assert made["about"]["epochs"] == 3
    data = load_mnist(train=False, source="sample")
    for one in made["examples"]:
        number = one["number in the test part"]
        assert one["label"] == data.targets[number]
        assert base64.b64decode(one["pixels"]) == bytes(data.images[number].flatten().tolist())
    assert export.main(["--output", str(path), "--epochs", "3", "--check"]) == 0
    assert capsys.readouterr().out.endswith(f"{path}: as it should be\n")
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace('"epochs": 3', '"epochs": 4'), encoding="utf-8")
    changed = path.read_text(encoding="utf-8")
    assert export.main(["--output", str(path), "--epochs", "3", "--check"]) == 1
    assert capsys.readouterr().out.endswith(f"{path}: would be another\n")
    assert path.read_text(encoding="utf-8") == changed


def test_without_the_full_set_the_tool_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)  # of the other tests
    assert export.main(["--output", str(tmp_path / "net.json")]) == 1
    assert "MNIST_ROOT" in capsys.readouterr().err
    assert not (tmp_path / "net.json").exists()


# ---- a model of your own ----


class OtherStyle(nn.Module):
    """Lesson 05's network as others write it: raw scores, ReLU before pooling, other names."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5)
        self.c, self.d = nn.Linear(320, 50), nn.Linear(50, 10)

    def forward(self, x):
        x = torch.max_pool2d(self.a(x).relu(), 2)
        x = torch.max_pool2d(self.b(x).relu(), 2)
        return self.d(self.c(x.flatten(1)).relu())


@pytest.mark.parametrize("make", [make_net, OtherStyle, lambda: make_net().double()])
def test_a_model_gives_its_own_weights_and_stays_as_it_was(make):
    torch.manual_seed(0)
    model = make()
    piece = draw_digit(model, title="Mine")
    for ours, theirs in zip(piece.net.weights, model.state_dict().values(), strict=True):
        np.testing.assert_array_equal(ours, theirs.half().float())
    assert model.training
    assert all(module.training for module in model.modules())
    image = torch.from_numpy(normalise(piece.examples[3].pixels))[None, None]
    image = image.to(next(model.parameters()).dtype)
    with torch.no_grad():
        expected = torch.softmax(model.eval()(image), dim=1)[0]
    if make is not OtherStyle:
        expected = model(image)[0].exp().detach()
    np.testing.assert_allclose(piece.probabilities(3), expected, atol=1e-3)
    with torch.no_grad():
        next(model.parameters()).zero_()
    assert np.abs(piece.net.weights[0]).min() > 0  # a copy, which later training does not change
    assert "Your own network" in piece.about()


def with_weight(value):
    model = make_net()
    with torch.no_grad():
        model[0].weight[0] = value
    return model


def changed(number, layer):
    model = make_net()
    model[number] = layer
    return model


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: "net", TypeError, "model must be a torch model, or None, got str"),
        (lambda: nn.Linear(2, 3), ValueError, r"layers of lesson 05.*they have 3×2, 3\."),
        (lambda: nn.Sequential(), ValueError, "they have none"),
        (
            lambda: changed(0, nn.Conv2d(1, 10, 5, bias=False)),
            ValueError,
            "layers of lesson 05.*10×1×5×5, 10, 20×10×5×5",
        ),
        (lambda: changed(2, nn.Tanh()), ValueError, "computes something else.*max pooling by 2"),
        (lambda: changed(1, nn.AvgPool2d(2)), ValueError, "computes something else"),
        (lambda: changed(1, nn.MaxPool2d(3)), ValueError, "must take images of shape"),
        (lambda: with_weight(torch.nan), ValueError, "NaN, infinite or larger than 65,504"),
        (lambda: with_weight(-65_520), ValueError, "NaN, infinite or larger than 65,504"),
    ],
)
def test_another_model_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        draw_digit(make())


@pytest.mark.parametrize("title", ["", "  ", 3])
def test_a_title_must_be_a_text(title):
    with pytest.raises(TypeError, match="title must be a text"):
        draw_digit(title=title)


# ---- the piece ----


class Text(HTMLParser):
    """What a reader sees where no script runs, and the tags it is made of."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.skip = "", set(), False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.skip = tag == "script"

    def handle_endtag(self, tag):
        self.skip = self.skip and tag != "script"

    def handle_data(self, data):
        self.text += "" if self.skip else data


def test_the_still_table_holds_the_probabilities_of_an_example():
    torch.manual_seed(0)
    piece = draw_digit(make_net())
    still = piece._repr_html_().split("<script>")[0]
    assert Text(still).tags == {"div", "p", "b", "i", "table", "caption", "tr", "th", "td"}
    shown = re.findall(r"<th>(\d)<td>([\d.]+)%", still)
    expected = 100 * min((piece.probabilities(n) for n in range(12)), key=max)
    assert [digit for digit, _ in shown] == list("0123456789")
    np.testing.assert_allclose([float(p) for _, p in shown], expected, atol=0.051)
    assert repr(piece).count("%") == 10


@pytest.mark.parametrize("options", [{}, {"strip": True}])
def test_a_sanitizer_prints_no_script_and_no_data(options):
    output = nbformat.v4.new_output("display_data", data=draw_digit()._repr_mimebundle_())
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("piece", outputs=[output])]
    )
    clean = SanitizeHTML(config=Config(SanitizeHTML=options)).preprocess(notebook, {})[0]
    text = clean.cells[0].outputs[0].data["text/html"]
    assert "What it makes of a" in text
    for word in ("const", "querySelector", "font:", "float16", "function", "=>", "=&gt;"):
        assert word not in text


def test_two_makings_are_the_same_to_the_byte():
    code = (
        "import hashlib; from helpers.pieces.draw_digit import *;"
        "p = draw_digit()._repr_mimebundle_();"
        "print(hashlib.sha256(repr(sorted(p.items())).encode()).hexdigest())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


def test_nothing_is_fetched_and_nothing_is_random():
    html = draw_digit()._repr_html_()
    html = html.replace(draw_digit().net.packed(), "")
    for word in ("http", "src=", "import(", "fetch(", " id=", "random", "Date"):
        assert word not in html


def test_nothing_in_the_script_ends_it_early():
    html = draw_digit(title="--> </script> <!-- & 숫자")._repr_html_()
    script = html.split("<script><!--\n")[1].removesuffix("\n--></script>")
    assert not [bad for bad in NOT_IN_A_SCRIPT if bad in script]
    assert html.count("<script") == html.count("</script") == 1
    assert html.count("<!--") == html.count("-->") == 2
    assert "--> </script> <!-- & 숫자" in Text(html).text


def test_a_page_of_its_own(tmp_path):
    piece = draw_digit(title="A < B")
    page = piece.save(tmp_path / "piece.html").read_text(encoding="utf-8")
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>A &lt; B</title>" in page
    assert piece._repr_html_() in page


def test_the_course_net_needs_no_torch_and_no_plotting():
    code = (
        "import sys; sys.modules['torch'] = None; from helpers.pieces.draw_digit import draw_digit;"
        "draw_digit()._repr_html_(); print('matplotlib' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "False"


# ---- the page of the web site ----


def test_the_table_on_the_page_says_what_the_layers_are():
    page = (ROOT / "site" / "draw-a-digit.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")][:4]
        for line in page.splitlines()
        if line.startswith("| ")
    ][1:]
    kernels = {"conv1": (5, 1), "pool1": (2, 2), "conv2": (5, 1), "pool2": (2, 2)}
    chain, expected = [], []
    for name, shape in LAYERS[:-1]:
        chain += [kernels[name]] if name in kernels else []
        if len(shape) == 1:
            expected.append([name, "", str(shape[0]), "everything"])
        else:
            maps, height, width = shape
            size = receptive_field(chain).size
            expected.append([name, str(maps), f"{height} × {width}", f"{size} × {size}"])
    assert rows == expected
    assert f"minus {MEAN}, divided by {STD}" in page
    assert "```{draw-digit}\n```" in page
    share = draw_digit().about().split("reads ")[-1].split("%")[0]
    assert f"{share}" not in page  # it stands in the piece, from the file of weights
