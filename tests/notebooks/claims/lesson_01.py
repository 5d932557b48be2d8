"""What lesson 01 says: Slide a filter by hand."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.support.claims import Claim, colour, slid, tensor
from tests.support.lessons import definitions


def roles_of_axes():
    """What each axis of PyTorch's images is: the one that a filter has, too, or what grows with it.

    A filter of 1 × 2 is wide: it makes the maps narrower, not lower.
    """
    x, w = torch.zeros(2, 3, 8, 8), torch.zeros(4, 3, 1, 2)
    out = F.conv2d(x, w).shape
    roles = {8: "rows", 7: "columns"}
    for axis in range(4):
        longer = torch.cat([x, x.narrow(axis, 0, 1)], dim=axis)
        try:
            (grown,) = (i for i in range(4) if F.conv2d(longer, w).shape[i] > out[i])
        except RuntimeError:
            yield "channels"
        else:
            yield roles.get(out[grown], "images")


def roles_of_filters():
    """The same of the filters: more of them make more maps."""
    x, w = torch.zeros(2, 3, 8, 8), torch.zeros(4, 3, 2, 2)
    for axis in range(4):
        longer = torch.cat([w, w.narrow(axis, 0, 1)], dim=axis)
        try:
            out = F.conv2d(x, longer).shape
        except RuntimeError:
            yield "channels"
        else:
            yield {(5, 7, 7): "filters", (4, 6, 7): "rows", (4, 7, 6): "columns"}[out[1:]]


def name_of_what_torch_does():
    """NumPy has both of them under their names."""
    line, kernel = [0, 1, 2], [2, 3]
    names = {
        tuple(np.convolve(line, kernel, mode="valid")): "convolution",
        tuple(np.correlate(line, kernel, mode="valid")): "cross-correlation",
    }
    return names[tuple(slid([line], [kernel])[0].tolist())]


def those_that_turn(*names):
    """The names of NumPy's functions: first those that do not turn the kernel, then the others."""
    line, kernel = [0, 1, 2], [2, 3]
    return sorted(
        names, key=lambda name: getattr(np, name)(line, kernel, mode="valid")[0] != 0 * 2 + 1 * 3
    )


def on_the_step(row):
    """On which side of a step the lesson's "edge" answers with +10, and on which with −10."""
    conv2d_plain, kernels = definitions("01", "conv2d_plain", "kernels")
    sides = {row.index(10) - 1: "dark", row.index(10): "bright"}
    answers = conv2d_plain(np.array([row] * 3), kernels["edge"])[0].tolist()
    return sides[answers.index(10) + 1], sides[answers.index(-10) + 1]


def wall(total):
    """What becomes of a wall of 7 if the filter's numbers add up to this."""
    seen = slid(np.full((3, 3), 7), np.full((3, 3), total / 9))[0, 0]
    return {7: "keeps its colour", 0: "turns black"}[round(seen.item())]


def way_it_moves(turned):
    """Where the filter of exercise 3 moves a dot, as it is or turned."""
    dot, kernel = np.zeros((3, 5)), np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])
    dot[1, 2] = 1
    (column,) = slid(dot, kernel[::-1, ::-1] if turned else kernel)[0].nonzero().flatten().tolist()
    return "right" if column + 1 > 2 else "left"


def index_of_a_place():
    """Which of the two indices leads to the next printed line, and which stays in the first."""
    x = np.array([[1, 2], [3, 4]])
    first = str(x).splitlines()[0]
    return ["column" if str(number) in first else "row" for number in (x[1, 0], x[0, 1])]


def one_more_of_each():
    """How many maps and biases a layer has for 3 channels and 2 filters."""
    layer = nn.Conv2d(3, 2, 3)
    maps = layer(torch.zeros(1, 3, 5, 5)).shape[1]
    return {2: "filter", 3: "channel"}[layer.bias.numel()], {2: "one", 6: "three"}[maps]


def places_that_differ():
    """Where moving first and filtering first are not the same, on a line that is wrapped around."""
    line, kernel = np.arange(12) ** 2, [1, -1]
    first = np.correlate(np.roll(line, 3), kernel, mode="valid")
    after = np.roll(np.correlate(line, kernel, mode="valid"), 3)
    (differs,) = (first != after).nonzero()
    return "but at the border" if differs.max() < 3 else "without exception"


def pixels_seen(layers):
    seen = torch.ones(1, 1, 8, 8, dtype=torch.float64, requires_grad=True)
    out = seen
    for _ in range(layers):
        out = F.conv2d(out, torch.ones(1, 1, 2, 2, dtype=torch.float64))
    out[0, 0, 3, 3].backward()
    side = math.isqrt(seen.grad.count_nonzero().item())
    return f"{side} × {side}"


def place_of_the_channels():
    """Where the maps of a layer with 6 filters have their 6."""
    shape = nn.Conv2d(3, 6, 5)(torch.zeros(1, 3, 32, 32)).shape[1:]
    return {0: "first", 2: "last"}[list(shape).index(6)]


def filter_that_copies():
    """Which filter of 3 × 3 with a single 1 copies the image without its border."""
    image, kernel = np.arange(25).reshape(5, 5), np.zeros((3, 3))
    kernel[1, 1] = 1
    same = torch.equal(slid(image, kernel), tensor(image[1:4, 1:4]))
    return "centre" if same else "corner"


CLAIMS = [
    Claim(
        "01 torch-intro",
        r"input: N (\w+), C (\w+), H (\w+), W (\w+)",
        ("images", "channels", "columns", "rows"),
        lambda: list(roles_of_axes()),
    ),
    Claim(
        "01 torch-intro",
        r"filters: K (\w+), C (\w+), (\w+), (\w+)",
        ("channels", "filters", "rows", "columns"),
        lambda: list(roles_of_filters()),
    ),
    Claim(
        "01 torch-intro",
        r"An input with three axes is taken as (\w+) image, without (\w)",
        ("three", "C"),
        lambda: {3: ("one", "N")}[F.conv2d(torch.zeros(3, 7, 7), torch.zeros(2, 3, 3, 3)).dim()],
    ),
    Claim(
        "01 flip-intro",
        r"Without the turn it is called ([\w-]+)\. That is what we did, and what PyTorch does",
        "convolution",
        name_of_what_torch_does,
    ),
    Claim(
        "01 flip-numpy",
        r"`np\.(\w+)` does not turn, `np\.(\w+)` does",
        ("convolve", "correlate"),
        lambda: those_that_turn("convolve", "correlate"),
    ),
    Claim(
        "01 photo-hand",
        r"With a sum of 1 the wall (.+?); with a sum of 0 it (.+?):",
        ("turns black", "keeps its colour"),
        lambda: (wall(1), wall(0)),
    ),
    Claim(
        "01 photo-notice",
        r"from bright to dark the result is (\w+)",
        "positive",
        lambda: (
            "negative"
            if slid([[9, 9, 0]] * 3, definitions("01", "kernels")[0]["Sobel, vertical edges"]) < 0
            else "positive"
        ),
    ),
    Claim(
        "01 photo-predict-answer",
        r"\+10 on the (\w+) side, −10 on the (\w+) side",
        ("bright", "dark"),
        lambda: on_the_step([0, 0, 0, 10, 10, 10]),
    ),
    Claim(
        "01 mistakes",
        r"There is one bias for each (\w+)\. .*? Three channels and one filter give (\w+) map",
        ("channel", "three"),
        one_more_of_each,
    ),
    Claim(
        "01 mistakes",
        r"The first index is the (\w+) \(down\), the second the (\w+) \(right\)",
        ("column", "row"),
        index_of_a_place,
    ),
    Claim(
        "01 mistakes",
        r"200 \+ 100 gives (\d+)",
        "300",
        lambda: (np.array([200], np.uint8) + np.array([100], np.uint8))[0],
    ),
    Claim(
        "01 exercise-3",
        r"\[1, 0, 0\].*?which turns the kernel, the first one would move the picture to the (\w+)",
        "right",
        lambda: way_it_moves(turned=True),
    ),
    Claim(
        "01 exercise-3",
        r"To move the picture to the (\w+), each place takes the number on its left: "
        r"`\[\[0, 0, 0\], \[1, 0, 0\]",
        "left",
        lambda: way_it_moves(turned=False),
    ),
    Claim(
        "01 equi-answer",
        r"^Everywhere ([\w ]+) where the picture was wrapped",
        "without exception",
        places_that_differ,
    ),
    Claim(
        "01 ideas-field-answer",
        r"first layer sees (\d × \d) pixels; one of the second sees (\d × \d)\.",
        ("3 × 3", "2 × 2"),
        lambda: (pixels_seen(1), pixels_seen(2)),
    ),
    Claim("01 bank-order", r"PyTorch writes the channels (\w+),", "last", place_of_the_channels),
    Claim(
        "01 five-predict-answer",
        r"it copies what lies under its (\w+)\.",
        "corner",
        filter_that_copies,
    ),
    Claim(
        "01 learn-notice",
        r"^\((\w+) is positive, (\w+) is negative",
        ("Purple", "orange"),
        lambda: (colour(1).capitalize(), colour(-1)),
    ),
]
