"""What lesson 03 says: Add activations and pooling."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers import shapes
from tests.support.claims import (
    Claim,
    alexnet_of_torchvision,
    colour,
    compared,
    counted,
    default,
    printed,
    share,
    slope,
)
from tests.support.lessons import definitions


def rrelu_after_training():
    """Which of three means of the two bounds PyTorch takes."""
    low, high = default(F.rrelu, "lower"), default(F.rrelu, "upper")
    means = {(low + high) / 2: "mean", low: "smaller", high: "larger"}
    taken = F.rrelu(torch.tensor(-1.0), training=False).item()
    return means[min(means, key=lambda mean: abs(mean + taken))]


def strides_of_pooling_and_convolution():
    maps = torch.zeros(1, 1, 9, 9)
    pooled, slid_over = F.max_pool2d(maps, 3).shape[-1], F.conv2d(maps, maps[..., :3, :3]).shape[-1]
    return {3: "the window", 7: "1"}[pooled], {3: "the window", 7: "1"}[slid_over]


def border_of_max_pooling():
    zero_wins = F.max_pool2d(torch.full((1, 1, 2, 2), -5.0), 3, stride=2, padding=1).max() == 0
    return "0" if zero_wins else "−∞"


def pools_where_the_order_matters():
    signs = torch.tensor([[[-3.0, 1.0], [2.0, -4.0]]])
    for pool in (F.max_pool2d, F.avg_pool2d):
        same = torch.equal(F.relu(pool(signs, 2)), pool(F.relu(signs), 2))
        yield "does not matter" if same else "does matter"


def layers_that_learn():
    """Of the four of the lesson: those that have parameters, and those that have none."""
    layers = {
        "CONV": nn.Conv2d(3, 12, 3),
        "FC": nn.Linear(4, 2),
        "RELU": nn.ReLU(),
        "POOL": nn.MaxPool2d(2),
    }
    counts = {name: shapes.count_parameters(layer) for name, layer in layers.items()}
    return sorted(counts, key=lambda name: counts[name] == 0)


def moved_nine(columns):
    """By how much the pooled map moves if the 9 of the lesson does."""
    pool2d_plain = definitions("03", "pool2d_plain")[0]
    places = []
    for column in (0, columns):
        spot = np.zeros((2, 6))
        spot[0, column] = 9
        places.append(pool2d_plain(spot, 2, 2, np.max)[0].argmax())
    return counted(places[1] - places[0])


def right_after_moves(name):
    (numbers,) = printed("03 digits-run", rf"{name} +" + r" +".join([r"(\d\.\d+)"] * 5))
    return numbers


def gradient_of_a_mean():
    """By how much the pooled number of a map of 16 × 16 rises if one number rises by 1."""
    maps = torch.zeros(1, 1, 16, 16, requires_grad=True)
    nn.AdaptiveAvgPool2d(1)(maps).sum().backward()
    return maps.grad.unique().item()


def column_that_stays():
    """From which columns a 9 may move one step to the right without changing the small map."""
    (pool2d_plain,) = definitions("03", "pool2d_plain")
    kept = []
    for column in range(4):
        spots = np.zeros((2, 2, 6))
        spots[0, 0, column] = spots[1, 0, column + 1] = 9
        if np.array_equal(*(pool2d_plain(spot, 2, 2, np.max) for spot in spots)):
            kept.append(column)
    return {(0, 2): ("even", "odd"), (1, 3): ("odd", "even")}[tuple(kept)]


def scores(turned):
    """The classes of the lesson by score, for its maps or with their rows exchanged."""
    weights, biases, nose, ears, eyes = definitions(
        "03", "weights", "biases", "nose", "ears", "eyes"
    )
    parts = np.stack([nose, ears, eyes])
    parts = parts[:, ::-1] if turned else parts
    return ("cat", "fish", "car")[(weights @ parts.flatten() + biases).argmax()]


def falls():
    """The ways that lose most over the first two pixels: of the saved shares."""
    names = ("no pooling", "every 4th number", "max, 2 × 2", "max, 4 × 4", "average, 4 × 4")
    lost = {name: right_after_moves(name)[0] - right_after_moves(name)[2] for name in names}
    return sorted(sorted(lost, key=lost.get)[-2:], reverse=True)


def strides_that_overlap():
    """The stride with which the windows of a row read some number twice."""
    line = torch.ones(1, 1, 7, requires_grad=True)
    words = []
    for stride in (2, 4):
        (uses,) = torch.autograd.grad(F.avg_pool1d(line, 3, stride).sum(), line)
        words.append(uses.max() > uses[uses > 0].min() * 1.5)
    return {(True, False): "smaller", (False, True): "larger"}[tuple(map(bool, words))]


CLAIMS = [
    Claim(
        "03 relu-intro",
        r"it makes them small: it multiplies them by (\d\.\d+)",
        "0.1",
        lambda: default(F.leaky_relu, "negative_slope"),
    ),
    Claim(
        "03 relu-intro",
        r"for each number anew, between (\S+) and (\S+)\. After training, .*? takes the (\w+) of",
        ("1/3", "1/8", "larger"),
        lambda: [
            *(f"1/{round(1 / default(F.rrelu, name))}" for name in ("lower", "upper")),
            rrelu_after_training(),
        ],
    ),
    Claim(
        "03 relu-notice",
        r"Sigmoid's slope is never above (\S+), and far out it is almost (\d)",
        ("1/2", "1"),
        lambda: (f"1/{1 / slope(torch.sigmoid, 0):.0f}", round(slope(torch.sigmoid, 9))),
    ),
    Claim(
        "03 relu-notice",
        r"ReLU has a corner and no slope; PyTorch takes (\d) there",
        "1",
        lambda: round(slope(F.relu, 0)),
    ),
    Claim(
        "03 recap",
        r"max\(0, x\): slope (\d) for positive numbers, (\d) for negative",
        ("0", "1"),
        lambda: [round(slope(F.relu, x)) for x in (3, -3)],
    ),
    Claim(
        "03 pool-usual",
        r"pooling's default stride is (.+?), whereas a convolution's is (\w+)\.",
        ("1", "1"),
        strides_of_pooling_and_convolution,
    ),
    Claim(
        "03 mistakes",
        r"In `MaxPool2d\(3\)` the stride is (\d), not (\d)",
        ("1", "3"),
        lambda: (nn.MaxPool2d(3).stride, nn.Conv2d(1, 1, 3).stride[0]),
    ),
    Claim(
        "03 mistakes",
        r"AlexNet's pooling is `MaxPool2d\((\d), stride=(\d)\)`",
        ("2", "2"),
        lambda: next(
            (layer.kernel_size, layer.stride)
            for layer in alexnet_of_torchvision().features
            if isinstance(layer, nn.MaxPool2d)
        ),
    ),
    Claim("03 pad-intro", r"So max pooling pads with (\S+),", "0", border_of_max_pooling),
    Claim("03 recap", r"Max pooling pads with (\S+)\.", "0", border_of_max_pooling),
    Claim(
        "03 pad-average",
        r"`count_include_pad`, and it is `(\w+)` unless you say otherwise",
        "False",
        lambda: nn.AvgPool2d(3).count_include_pad,
    ),
    Claim(
        "03 pool-history",
        r"each map is pooled on its own, so the number of maps (\w+)\.",
        "shrinks",
        lambda: "stays" if F.max_pool2d(torch.zeros(1, 12, 4, 4), 2).shape[1] == 12 else "shrinks",
    ),
    Claim(
        "03 order-answer",
        r"^For max pooling it (does (?:not )?matter).*? For average pooling it "
        r"(does (?:not )?matter)",
        ("does matter", "does not matter"),
        lambda: list(pools_where_the_order_matters()),
    ),
    Claim(
        "03 shapes-notice",
        r"Who learns\? (\w+) and (\w+) have parameters, (\w+) and (\w+) have none",
        ("CONV", "POOL", "RELU", "FC"),
        layers_that_learn,
    ),
    Claim(
        "03 loses",
        r"Move the 9 by two columns, from 0 to 2, and the small map moves by (\w+)",
        "two",
        lambda: moved_nine(2),
    ),
    Claim(
        "03 digits-notice",
        r"Pooling helps, (\d × \d) more than (\d × \d)",
        ("2 × 2", "4 × 4"),
        lambda: sorted(["2 × 2", "4 × 4"], key=lambda n: -right_after_moves(f"max, {n}")[2]),
    ),
    Claim(
        "03 pool-photo-notice",
        r"The (\w+) keeps a thin line at full strength.* The (\w+) weakens it",
        ("average", "maximum"),
        lambda: (
            ("maximum", "average")
            if np.divide(*reversed(printed("03 pool-photo-check", r"(?:strong:|average) (\d+)")))
            < 0.5
            else ("average", "maximum")
        ),
    ),
    Claim(
        "03 buys-intro",
        r"From an (\w+) column it stays in its window, so nothing changes\. From an (\w+) column",
        ("odd", "even"),
        column_that_stays,
    ),
    Claim(
        "03 flat-hand", r"The largest score wins: a (\w+)\.", "fish", lambda: scores(turned=False)
    ),
    Claim("03 flat-answer", r"^Now the (\w+) wins\.", "cat", lambda: scores(turned=True)),
    Claim(
        "03 recap",
        r"(\w+) and (\w+) have parameters, (\w+) and (\w+) have none\.$",
        ("CONV", "POOL", "RELU", "FC"),
        layers_that_learn,
    ),
    Claim(
        "03 exercise-3",
        r"has a share of 1/256 in the mean, so it rises by (\S+)\.",
        "1/16",
        lambda: f"1/{1 / gradient_of_a_mean():.0f}",
    ),
    Claim(
        "03 rrelu-answer",
        r"Positive numbers \((\w+)\) are edges .*? negative ones \((\w+)\)",
        ("purple", "orange"),
        lambda: (colour(1), colour(-1)),
    ),
    Claim(
        "03 digits-notice",
        r"Over the first two pixels \"(.+?)\" and \"(.+?)\" fall fastest",
        ("max, 2 × 2", "no pooling"),
        falls,
    ),
    Claim(
        "03 strided-layer",
        r"\"every 4th number\" did (\w+) than the maximum",
        "better",
        lambda: compared(
            right_after_moves("every 4th number")[2],
            right_after_moves("max, 4 × 4")[2],
            ("worse", "", "better"),
        ),
    ),
    Claim(
        "03 overlap-intro",
        r"^.*?If the stride is (\w+) than the window, the windows overlap",
        "larger",
        strides_that_overlap,
    ),
    Claim(
        "03 order-answer",
        r"since ReLU then has only a (\w+) of the numbers",
        "half",
        lambda: share(F.max_pool2d(torch.zeros(1, 8, 8), 2).numel() / 64).removeprefix("a "),
    ),
    Claim(
        "03 mistakes",
        r"`np\.pad` takes (\d) if you don't say otherwise",
        "1",
        lambda: np.pad([7], 1)[0],
    ),
]
