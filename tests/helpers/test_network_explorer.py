"""The network explorer without a browser: its numbers against torch and `helpers.shapes`."""

import re
import subprocess
import sys

import nbformat
import pytest
import torch
import torchvision
from nbconvert.preprocessors.sanitize import SanitizeHTML
from traitlets.config import Config

from helpers.pieces.network_explorer import NETWORKS, SIZE_LIMIT, StackError, explore_network
from helpers.pieces.network_explorer.stack import KINDS, read, work_out
from helpers.plots.network import _multiply_adds
from helpers.shapes import count_parameters, receptive_field

with torch.device("meta"):  # only sizes are asked of these networks
    PARAMETERS = {
        "lesson 05": 21_840,
        "AlexNet, two towers": 60_965_224,
        "AlexNet, one tower (torchvision)": count_parameters(torchvision.models.alexnet()),
        "VGG-16": count_parameters(torchvision.models.vgg16()),
        "ResNet-18": count_parameters(torchvision.models.resnet18()),
        "LeNet-5": 61_706,
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_the_sizes_parameters_and_work_of_torch(name):
    piece = explore_network(name)
    with torch.device("meta"):
        model = piece.model().eval()
        x, work = torch.zeros(1, *piece.size), []
    assert piece.parameters == count_parameters(model) == PARAMETERS[name]
    hooks = [
        part.register_forward_hook(lambda part, x, y: work.append(_multiply_adds(part, x[0], y)))
        for part in model.modules()
    ]
    with torch.no_grad():
        for layer, row in zip(model, piece.rows, strict=True):
            work.clear()
            x = layer(x)
            assert tuple(x.shape[1:]) == row.shape
            assert count_parameters(layer) == row.parameters
            assert sum(filter(None, work)) == row.multiply_adds
            assert row.bytes == x.numel() * x.element_size()
    for hook in hooks:
        hook.remove()


def test_fields_are_those_of_the_formula():
    layers = read("conv 4 k5 s2 p1, maxpool k3 s2, conv 8 k3 d2 p2, conv 8 k3 g2")
    # A kernel with dilation spans as much as a larger one.
    steps = [(5, 2, 1), (3, 2, 0), (5, 1, 2), (3, 1, 0)]
    for count, row in enumerate(work_out(layers, (3, 99, 80)), 1):
        assert row.fields[0] == row.fields[1] == tuple(receptive_field(steps[:count]))
    assert [row.fields[0].size for row in explore_network("VGG-16").rows if len(row.shape) == 3][
        -1
    ] == 212


@pytest.mark.parametrize(
    "text", ["conv 3 k4 s3 p2, conv 5, relu, maxpool", "residual 6 s2, conv 2"]
)
def test_a_field_is_what_changes_the_unit(text):
    torch.manual_seed(0)
    piece = explore_network(text, (2, 40, 34))
    model = piece.model().eval().double()
    if "maxpool" in text:  # the largest one alone would have a gradient
        model[-1] = torch.nn.AvgPool2d(2)
        model[2] = torch.nn.Identity()
    x = torch.rand(1, 2, 40, 34, dtype=torch.float64, requires_grad=True)
    if "residual" in text:
        model[0].relu = torch.nn.Identity()
    out = model(x)
    i, j = out.shape[2] // 2, out.shape[3] // 2
    out[0, 0, i, j].backward()
    rows, columns = x.grad.abs().sum(dim=(0, 1)).nonzero().T
    for field, found, place in zip(piece.rows[-1].fields, (rows, columns), (i, j), strict=True):
        start = field.start + place * field.jump
        assert (int(found.min()), int(found.max())) == (start, start + field.size - 1)


def test_the_text_is_read_and_written():
    for text, _ in NETWORKS.values():
        layers = read(text)
        assert read(", ".join(map(str, layers))) == layers
    (layer,) = read(" conv  7 g1 k5 nobias ")
    assert str(layer) == "conv 7 k5 nobias"
    assert str(read("maxpool k3")[0]) == "maxpool k3"
    assert read("maxpool k3")[0].settings["s"] == 3
    assert read("") == read(" , ") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("convolution 3", "'convolution' is no layer; there are conv, maxpool"),
        ("conv", "'conv' does not say how many: for instance conv 16"),
        ("conv 3 5", "'5' says nothing in 'conv 3 5'"),
        ("conv 3 k", "'k' says nothing"),
        ("relu 3", "'3' says nothing"),
        ("conv 3 k3 k5", "'k5' says nothing"),
        ("conv 3 s0", "s of 'conv 3 s0' must be from 1 to 10000"),
        (
            "conv 3 k5",
            "layer 1, conv 3 k5: its window spans 5, but the map .* only 4: a padding of 1",
        ),
        ("conv 3, maxpool k2 p2", "layer 2, .*: padding is at most half of the kernel: 1"),
        ("conv 4 p1, conv 6 g4", "4 groups do not divide 4 channels and 6 filters; these do: 1, 2"),
        ("linear 3", "layer 1, linear 3: it takes a flat list of numbers: put flatten before it"),
        ("flatten, conv 3", "it takes maps, but there is a flat list"),
        ("flatten, residual 3", "it takes maps, but there is a flat list"),
    ],
)
def test_what_does_not_fit_says_why_and_what_would(text, words):
    with pytest.raises(StackError, match=words):
        explore_network(text, (3, 4, 4))


def test_a_padding_that_is_named_would_do():
    for side in range(1, 9):
        for kernel in range(side + 1, 12):
            with pytest.raises(StackError) as error:
                explore_network(f"conv 1 k{kernel}", (1, side, side))
            padding = int(re.search(r"a padding of (\d+)", str(error.value))[1])
            rows = explore_network(f"conv 1 k{kernel} p{padding}", (1, side, side)).rows
            assert min(rows[0].shape) >= 1
            with pytest.raises(StackError):
                explore_network(f"conv 1 k{kernel} p{padding - 1}", (1, side, side))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: explore_network("relu"), ValueError, "size is missing"),
        (lambda: explore_network("relu", (1, 2)), ValueError, "three whole numbers"),
        (lambda: explore_network("relu", (1, 2, 1025)), ValueError, "from 1 to 1024"),
        (lambda: explore_network("relu", (1, 2.0, 3)), ValueError, "three whole numbers"),
        (lambda: explore_network(["relu"]), TypeError, "network must be a text"),
        (lambda: explore_network(title=" "), TypeError, "title must be a text"),
    ],
)
def test_an_error_says_what_would_be_right(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_pieces_stay_small_and_are_the_same_each_time():
    for name in NETWORKS:
        html = explore_network(name)._repr_html_()
        assert len(html.encode()) <= SIZE_LIMIT == 30 * 1024
        assert html == explore_network(name)._repr_html_()


def test_without_scripts_a_table_stays():
    still = explore_network()._repr_html_().split("<script>")[0]
    assert "21,840 parameters, 480,500 multiply-adds" in still
    heads = "<th>layer<th>gives<th>parameters<th>multiply-adds<th>sees (rows × columns)"
    assert heads in still  # in the order of the numbers
    assert "<td>conv 10 k5<td>10 × 24 × 24<td>260<td>144,000<td>5 × 5" in still
    assert "conv 10 k5  10 × 24 × 24  260  144,000  5 × 5" in repr(explore_network())


def test_a_sanitizer_prints_no_script_and_no_data():
    output = nbformat.v4.new_output("display_data", data=explore_network()._repr_mimebundle_())
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("piece", outputs=[output])]
    )
    clean = SanitizeHTML(config=Config(SanitizeHTML={})).preprocess(notebook, {})[0]
    text = clean.cells[0].outputs[0].data["text/html"]
    assert "21,840 parameters" in text
    for word in ("const", "querySelector", "font:", "function", "=>", "=&gt;"):
        assert word not in text


def test_nothing_is_fetched_and_nothing_is_random():
    html = re.sub(r'src="data:[^"]*"', "", explore_network()._repr_html_())
    html = html.replace("http://www.w3.org/2000/svg", "").replace("^https?:", "")
    for word in ("http", ' src="', "import(", "fetch(", " id=", "random", "Date", "localStorage"):
        assert word not in html


def test_importing_it_loads_no_plotting_and_no_torch():
    code = (
        "import sys, helpers.pieces.network_explorer as f; f.explore_network();"
        "print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_every_kind_is_told_in_the_docstring():
    listed = " ".join(explore_network.__doc__.split())
    assert all(kind in listed for kind in KINDS)
