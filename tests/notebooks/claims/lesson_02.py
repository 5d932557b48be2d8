"""What lesson 02 says: Work out stride and padding."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers import shapes
from tests.support.claims import (
    Claim,
    alexnet_of_torchvision,
    compared,
    counted,
    places_of_torch,
    slid,
)


def rounding_of_torch():
    exact = (7 - 3) / 3 + 1
    return {math.floor(exact): "down", math.ceil(exact): "up"}[places_of_torch(7, 3, stride=3)]


def zeros_on_each_side():
    """How many zeros PyTorch's padding=1 puts on a row: as many as it becomes longer."""
    more = places_of_torch(5, 1, padding=1) - 5
    return {1: "one", 2: "each"}[more], {1: "P", 2: "2P"}[more]


def widths_of_same_padding():
    """The filters whose padding of (F − 1)/2 is a whole number, and keeps the size."""
    kept = {f % 2 for f in range(1, 12) if places_of_torch(10, f, padding=(f - 1) // 2) == 10}
    return {(1,): "odd", (0,): "even"}[tuple(kept)]


def uses(padding):
    """How many windows of 3 × 3 look at each pixel of an image of 5 × 5."""
    pixels = torch.ones(1, 1, 5, 5, requires_grad=True)
    F.conv2d(pixels, torch.ones(1, 1, 3, 3), padding=padding).sum().backward()
    return pixels.grad[0, 0]


def order_of_jump_and_stride():
    """Whether a layer of stride 2 widens its own field, or only those of the layers after it."""
    fields = [shapes.receptive_field(layers).size for layers in ([(3, 2)], [(3, 2), (3, 1)])]
    return {(3, 7): "then", (5, 7): "after"}[tuple(fields)], {7: "multiplies"}[fields[1]]


def sides_of_kernel():
    """Which neighbour the kernel 1, 0, −1 takes, and which it takes away."""
    signs = {1: "left", -1: "right"} if slid([[1, 0, 0]], [[1, 0, -1]]) == 1 else {}
    return [signs[int(slid([row], [[1, 0, -1]]))] for row in ([1, 0, 0], [0, 0, 1])]


def weights_of(*kernels, channels=64):
    return sum(nn.Conv2d(channels, channels, k, bias=False).weight.numel() for k in kernels)


def border_of_zeros():
    blurred = slid(np.full((5, 5), 7), np.full((3, 3), 1 / 9), padding=1)
    return "dark" if blurred[0, 0] < blurred[2, 2] else "bright"


def parameters_by_image():
    """Whether a layer has other parameters for a larger image, stride or padding."""
    counts = {
        shapes.count_parameters(nn.Conv2d(3, 10, 5, stride=stride, padding=padding))
        for stride in (1, 2)
        for padding in (0, 2)
    }
    layer = nn.Conv2d(3, 10, 5)
    assert layer(torch.zeros(1, 3, 64, 64)).shape != layer(torch.zeros(1, 3, 32, 32)).shape
    return ("is not", "Neither") if counts == {760} else ("is", "Both")


def ways_to_a_number(places):
    """Through how many windows of three layers each of these pixels reaches a number."""
    image = torch.ones(1, 1, 7, 7, requires_grad=True)
    out = image
    for _ in range(3):
        out = F.conv2d(out, torch.ones(1, 1, 3, 3))
    out.sum().backward()
    return [int(image.grad[0, 0][place]) for place in places]


def best_seen():
    """Whether a number sees the middle or the rim of its field through more ways."""
    middle, rim = ways_to_a_number([(3, 3), (0, 0)])
    return "middle" if middle > rim else "rim"


def dilated(dilation):
    layer = nn.Conv2d(1, 1, 3, dilation=dilation)
    return layer.weight.numel(), 9 - layer(torch.zeros(1, 1, 9, 9)).shape[-1]


CLAIMS = [
    Claim("02 fit-notice", r"PyTorch rounds (\w+) \(", "up", rounding_of_torch),
    Claim(
        "02 mistakes",
        r"P\$ zeros stand on (\w+) sides?: the formula has \$(\w+)\$",
        ("one", "P"),
        zeros_on_each_side,
    ),
    Claim("02 pad-same", r"It works for (\w+) \$F\$", "even", widths_of_same_padding),
    Claim(
        "02 uses-question",
        r"the corner lies in (\w+) windows? only\. .*?: (\w+) windows\. With padding 1",
        ("four", "one"),
        lambda: (counted(uses(0)[0, 0].item()), counted(uses(0)[2, 2].item())),
    ),
    Claim(
        "02 uses-notice",
        r"but it (.+?) all pixels equal, as is often said\..*? need \$P = F - 1 = (\d)\$",
        ("makes", "1"),
        lambda: (
            "makes" if uses(1).unique().numel() == 1 else "does not make",
            min(p for p in range(4) if uses(p).unique().numel() == 1),
        ),
    ),
    Claim(
        "02 uses-notice",
        r"it makes the map (\w+) than the image",
        "smaller",
        lambda: compared(places_of_torch(5, 3, padding=2), 5, ("smaller", "", "larger")),
    ),
    Claim("02 zeros-photo-notice", r"there is a (\w+) frame", "bright", border_of_zeros),
    Claim(
        "02 mistakes",
        r"In PyTorch, (\d) means no holes",
        "0",
        lambda: next(
            d for d in range(1, 4) if places_of_torch(5, 3, dilation=d) == places_of_torch(5, 3)
        ),
    ),
    Claim(
        "02 dilation-question",
        r"1 is the usual kernel, with (\d) every second pixel is left out",
        "1",
        lambda: next(d for d in range(1, 4) if places_of_torch(5, 3, dilation=d) == 5 - 5 + 1),
    ),
    Claim(
        "02 line-intro",
        r"The kernel takes the (\w+) neighbour minus the (\w+) one",
        ("right", "left"),
        sides_of_kernel,
    ),
    Claim(
        "02 field-question",
        r"jumps to the field; (\w+) its stride (\w+) the jump",
        ("after", "divides"),
        order_of_jump_and_stride,
    ),
    Claim(
        "02 exercise-3",
        r"The three small ones are (\w+)",
        "dearer",
        lambda: compared(weights_of(3, 3, 3), weights_of(7), ("cheaper", "equal", "dearer")),
    ),
    Claim(
        "02 mistakes",
        r"It rounds towards 0\. For a negative number that is (\w+)",
        "down",
        lambda: "up" if int((2 - 3) / 2) > (2 - 3) / 2 else "down",
    ),
    Claim(
        "02 alex-intro",
        r"`torchvision` does take (\d+), but with padding (\d)",
        ("227", "0"),
        lambda: (224, alexnet_of_torchvision().features[0].padding[0]),
    ),
    Claim(
        "02 count-predict-answer",
        r"The size of the image (is(?: not)?) in the count\. (\w+) are stride and padding",
        ("is", "Both"),
        parameters_by_image,
    ),
    Claim(
        "02 field-measure-notice",
        r"a number sees the (\w+) of its field best",
        "rim",
        best_seen,
    ),
    Claim(
        "02 dilation-predict-answer",
        r"^Padding (\d)\. The filter reaches over (\d) pixels",
        ("1", "3"),
        lambda: next(
            (p, 7 - places_of_torch(7, 3, dilation=2) + 1)
            for p in range(5)
            if places_of_torch(7, 3, dilation=2, padding=p) == 7
        ),
    ),
    Claim(
        "02 recap",
        r"The receptive field grows by .*? in each layer, and the jump is (\w+) by each stride",
        "divided",
        lambda: {4: "multiplied", 1: "divided"}[shapes.receptive_field([(3, 2), (3, 2)]).jump],
    ),
    Claim(
        "02 dilation-notice",
        r"A dilated filter sees (\w+) with the (\w+) number of parameters",
        ("less", "double"),
        lambda: (
            compared(dilated(2)[1], dilated(1)[1], ("less", "as far", "further")),
            compared(dilated(2)[0], dilated(1)[0], ("smaller", "same", "larger")),
        ),
    ),
]
