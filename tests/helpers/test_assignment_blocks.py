"""Finding the layers of a residual block, however it is written, and giving them numbers."""

import pytest
import torch
from torch import nn

from helpers.assignment.blocks import parts, write

X = torch.arange(2.0 * 3 * 6 * 4).reshape(2, 3, 6, 4)


class Block(nn.Module):
    """From 3 maps to 5, with stride 2; the shortcut is made last and runs first."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm2d(5), nn.BatchNorm2d(5)])
        self.convs = nn.ModuleList([nn.Conv2d(5, 5, 3, padding=1), nn.Conv2d(3, 5, 3, 2, 1)])
        self.short = nn.Sequential(nn.Conv2d(3, 5, 1, 2), nn.BatchNorm2d(5))

    def forward(self, x):
        conv2, conv1 = self.convs
        norm2, norm1 = self.norms
        convolved = self.short[0](x)
        y = norm1(conv1(x)).relu()
        return (self.short[1](convolved) + norm2(conv2(y))).relu()


class InAList(nn.Module):
    """Layers of which PyTorch does not know, and a ReLU before the normalisation."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)]

    def forward(self, x):
        return self.layers[1](self.layers[0](x).relu())


def test_layers_are_found_by_what_they_do():
    block = Block()
    conv2, conv1 = block.convs
    norm2, norm1 = block.norms
    assert parts(block, X) == {
        "conv1": conv1,
        "norm1": norm1,
        "conv2": conv2,
        "norm2": norm2,
        "shortcut": block.short[0],
        "shortcut_norm": block.short[1],
    }


def test_layers_in_a_plain_list_are_found_also_with_a_step_between_them():
    block = InAList()
    assert parts(block, X) == {"conv1": block.layers[0], "norm1": block.layers[1]}


def test_a_normalisation_before_any_convolution_has_a_name_of_its_own():
    block = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    assert parts(block, X) == {"norm0": block[0], "conv1": block[1], "norm1": block[2]}
    assert write(block, {}, X) == "A batch normalisation is called before any convolution"


@pytest.mark.parametrize("training", [True, False])
def test_looking_changes_neither_the_block_nor_what_it_is_shown(training):
    block = nn.Sequential(nn.ReLU(inplace=True), Block()).train(training)
    before = {name: value.clone() for name, value in block.state_dict().items()}
    x = X - 20
    given = x.clone()
    parts(block, x)
    assert torch.equal(x, given)
    assert all(layer.training == training for layer in block.modules())
    assert all(torch.equal(value, before[name]) for name, value in block.state_dict().items())


def numbers(maps, channels):
    """Numbers for conv1 and what normalises it, all of them different."""
    kernel = torch.arange(1.0, 9 * maps * channels + 1).reshape(maps, channels, 3, 3)
    return {"conv1": kernel, "norm1": torch.arange(1.0, 4 * maps + 1).reshape(4, maps)}


def test_numbers_are_written_and_the_rest_is_neutral():
    block = Block().eval()
    given = numbers(5, 3)
    assert write(block, given, X) is None
    found = parts(block, X)
    assert torch.equal(found["conv1"].weight, given["conv1"])
    rows = ("weight", "bias", "running_mean", "running_var")
    for row, name in zip(given["norm1"], rows, strict=True):
        assert torch.equal(getattr(found["norm1"], name), row)
    for role in ("conv2", "shortcut"):
        assert (found[role].weight == 1).all()
    assert not any(found[role].bias.any() for role in ("conv1", "conv2", "shortcut"))
    # The layers do not share their memory with the numbers.
    given["conv1"].zero_()
    assert found["conv1"].weight.all()


@pytest.mark.parametrize(
    ("block", "given", "sentence"),
    [
        (
            nn.Conv2d(3, 3, 3),
            {**numbers(3, 3), "shortcut": torch.ones(3, 3, 1, 1)},
            "No batch normalisation after the first convolution of 3 × 3 and no convolution of "
            "1 × 1 is called",
        ),
        (
            InAList(),
            numbers(4, 3),
            "The weight of the first convolution of 3 × 3 is 3 × 3 × 3 × 3, not 4 × 3 × 3 × 3",
        ),
        (
            nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3, affine=False)),
            numbers(3, 3),
            "The batch normalisation after the first convolution of 3 × 3 has no weight",
        ),
        (
            nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3, track_running_stats=False)),
            numbers(3, 3),
            "The batch normalisation after the first convolution of 3 × 3 has no running_mean",
        ),
    ],
    ids=["missing", "shape", "no weight", "no running mean"],
)
def test_a_block_of_another_form_is_told(block, given, sentence):
    assert write(block, given, X) == sentence
