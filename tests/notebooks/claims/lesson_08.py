"""What lesson 08 says: Build what came after AlexNet."""

import functools
import math
import re

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from helpers import shapes
from tests.support.claims import (
    Claim,
    alexnet_of_torchvision,
    compared,
    counted,
    lesson,
    printed,
    share,
)


def as_far(layers):
    """The single filter that sees as far as so many layers of 3 × 3."""
    size = shapes.receptive_field([(3, 1)] * layers).size
    (one,) = (f for f in range(1, 12) if shapes.receptive_field([(f, 1)]).size == size)
    return f"{one} × {one}"


def fewer_weights(layers, size):
    """By how many percent, for layers of 3 × 3 in place of a single one."""
    small, large = (nn.Conv2d(8, 8, k, bias=False).weight.numel() for k in (3, size))
    return round(100 * (1 - layers * small / large))


def filters_that_stay_apart():
    """With how many groups each map is convolved alone."""
    maps = torch.zeros(1, 4, 5, 5)
    for groups in (1, 2, 4):
        layer = nn.Conv2d(4, 4, 3, groups=groups, bias=False)
        maps[0, 0] = 1
        if layer(maps).abs().sum(dim=(0, 2, 3)).count_nonzero() == 1:
            return {1: "1", 4: "channels"}[groups]
    return None


def saved_by_parts():
    """What is left of the multiply-adds: the two denominators, for K new maps and 3 × 3."""
    channels, k = 32, 64
    whole = nn.Conv2d(channels, k, 3, bias=False).weight.numel()
    depthwise = nn.Conv2d(channels, channels, 3, groups=channels, bias=False).weight.numel()
    pointwise = nn.Conv2d(channels, k, 1, bias=False).weight.numel()
    return {64: "K", 9: "9"}[whole / depthwise], f"{whole / pointwise:.0f}"


def frozen(mode):
    """What a frozen layer of normalisation does with new images in this mode."""
    layer = nn.BatchNorm2d(3).requires_grad_(False)
    before = layer.running_mean.clone()
    getattr(layer, mode)()(torch.rand(4, 3, 2, 2))
    return "stay" if torch.equal(layer.running_mean, before) else "follow"


def how_to_freeze():
    """The value that leaves a weight without a gradient, and the mode that leaves the means."""
    layer = nn.Linear(2, 2).requires_grad_(False)
    with_input = torch.ones(1, 2, requires_grad=True)
    layer(with_input).sum().backward()
    value = layer.weight.requires_grad if layer.weight.grad is None else True
    (mode,) = (mode for mode in ("train", "eval") if frozen(mode) == "stay")
    return value, mode


def columns_of_the_famous():
    """Parameters and multiply-adds by name: of the saved table."""
    pattern = r"(?m)^(\S+(?: V2)?) +\d{4}  +([\d,]+) +([\d,]+) "
    text = lesson("08")["lenet5-nn-sequential-nn"].outputs[0]["text"]
    return {
        name: [int(number.replace(",", "")) for number in numbers]
        for name, *numbers in re.findall(pattern, text)
    }


def beside_vgg(name):
    famous = columns_of_the_famous()
    return [one / other for one, other in zip(famous[name], famous["VGG-16"], strict=True)]


def beside_lesson_05():
    """Parameters and work of the residual network beside lesson 05's: of the saved lines."""
    old, residual, _ = printed("08 nets-lesson-05-make", r"([\d,]+) parameters +([\d,]+) multiply")
    return compared(residual[0], old[0]), counted(residual[1] / old[1])


def factor_of_a_layer():
    """By how much the gradient shrinks in each layer: of the saved first and last."""
    last, first = printed("08 def-gradients-net-size", r"layer (?:20|1): (\S+e-\d+)")
    return counted((last / first) ** (1 / 19))


def cheaper_in_depth():
    """Whether three small filters or the single large one are cheaper, in one piece and apart."""

    def weights(size, groups):
        depthwise = nn.Conv2d(128, 128, size, groups=groups, bias=False).weight.numel()
        return depthwise + (128 * 128 if groups > 1 else 0)

    ways = [3 * weights(3, groups) < weights(7, groups) for groups in (1, 128)]
    assert ways[0]
    return "small" if ways[1] else "large"


def stride_of_the_patches():
    with torch.device("meta"):
        conv = torchvision.models.vit_b_16(weights=None).conv_proj
    return "equals" if conv.stride == conv.kernel_size else "is half"


def added_shapes():
    """Whether PyTorch refuses one map beside several."""
    try:
        torch.zeros(2, 1, 4, 4) + torch.zeros(2, 3, 4, 4)
    except RuntimeError:
        return "an"
    return "no"


def bias_before_normalisation():
    """What is left of a bias after the normalisation."""
    maps = torch.rand(4, 2, 3, 3)
    norm = nn.BatchNorm2d(2)
    same = torch.allclose(norm(maps), norm(maps + 7), atol=1e-3)
    return "lost" if same else "kept"


def twins():
    """Whether the network without the plus reads more of the test digits: of the saved means."""
    with_plus, _, without = printed("08 tested-for-name-make", r"(\d\d\.\d) %")
    return compared(without, with_plus, ("worse", "equal", "better"))


def deeper():
    few, many = printed("08 for-depth-in-2", r"loss (\d\.\d+)")
    assert few < 0.05
    return "do" if many < 0.05 else "do not"


def residual_layers():
    """How many of the three seeds learn with the plus: of the saved losses."""
    (losses,) = printed("08 class-residual-plain-def", r"residual: \['(\S+)', '(\S+)', '(\S+)'\]")
    return {3: "three", 0: "none"}[sum(loss < 0.05 for loss in losses)]


def size_that_global_pooling_takes():
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
    sizes = {net(torch.zeros(1, 1, *size)).shape for size in ((28, 28), (28, 40))}
    return "both" if sizes == {(1, 10)} else "one of the"


@functools.cache
def resnet():
    with torch.device("meta"):
        return torchvision.models.resnet18(weights=None)


def largest_filter_after_the_first():
    convs = [layer for layer in resnet().modules() if isinstance(layer, nn.Conv2d)]
    return f"{max(conv.kernel_size[0] for conv in convs[1:])} × 3"


def connected_layers(network):
    return sum(isinstance(layer, nn.Linear) for layer in network.modules())


def ways_beside_each_other():
    """Which of three ways reads most with 10 and with 50 images: of the saved shares."""
    rows = printed("08 high-test-test-labels", r"\['(\d+)', '(\d+)', '(\d+)'\]")
    means = [sum(row) / 3 for row in rows]
    gains = [means[2] - means[0], means[5] - means[3]]
    return "smaller" if gains[1] < gains[0] / 2 else "larger"


def squeezed():
    direct, squeezed = 25 * 192 * 32, 192 * 16 + 25 * 16 * 32
    times = printed("08 def-multiply-adds-net", r"(\d+\.\d) times less")[0]
    assert math.isclose(times, direct / squeezed, abs_tol=0.05)
    return share(1 / times)


def slope_of_a_block():
    """What is added to the slope of f by adding x."""
    x = torch.tensor(10.0, requires_grad=True)
    (x + 0.1 * x).backward()
    return round(x.grad.item() - 0.1)


def from_alexnet_to_vgg():
    """What becomes of parameters, work and depth, and of the right first guesses: as saved."""
    pattern = r"(?m)^(?:AlexNet|VGG-16) +\d+ +([\d,]+) +([\d,]+) +(\d+) +(\d+\.\d)$"
    old, new = printed("08 lenet5-nn-sequential-nn", pattern)
    grown = [one > other for one, other in zip(new, old, strict=True)]
    return "grows" if all(grown[:3]) else "shrinks", compared(new[3], old[3])


def first_gradient():
    last, first = printed("08 def-gradients-net-size", r"layer (?:20|1): (\S+e-\d+)")
    return "shrinks" if first < last / 100 else "grows"


def bodies(what):
    """With how many of five seeds the trained body is ahead with few images: as saved."""
    row = r"\['(\d+)', '(\d+)', '(\d+)', '(\d+)', '(\d+)'\]"
    rows = printed("08 old-new-emoji-targets", rf"{what}, \d+ of each, \w+ +mean \d+ {row}")
    ahead = [
        sum(one > other for one, other in zip(trained, untrained, strict=True))
        for trained, untrained in (rows[:2], rows[2:])
    ]
    return {5: "every", 4: "most", 3: "most"}.get(ahead[0], "few")


def sums_that_bend():
    """The sign of a sum in the middle of rows that a ReLU between two filters changes."""
    rng, three = torch.Generator().manual_seed(1), torch.ones(1, 1, 3)
    signs = set()
    for _ in range(200):
        once = F.conv1d(torch.randint(-9, 10, (1, 1, 5), generator=rng).float(), three)
        if F.conv1d(once, three) != F.conv1d(once.relu(), three):
            signs.add("negative" if once.min() < 0 else "positive")
    return signs.pop() if len(signs) == 1 else "any"


CLAIMS = [
    Claim(
        "08 two-layers-of-3",
        r"^Two layers of 3 × 3 see as far as one of (\d × \d), "
        r"and three see as far as one of (\d × \d)",
        ("3 × 3", "9 × 9"),
        lambda: (as_far(2), as_far(3)),
    ),
    Claim(
        "08 recap-two-layers-of",
        r"see as far as one of (\d × \d), with (\d+) % fewer weights",
        ("6 × 6", "45"),
        lambda: (as_far(2), fewer_weights(2, 5)),
    ),
    Claim(
        "08 take-a-convolution-apart",
        r"Depthwise convolution: each map has .*? In PyTorch: `groups=(\w+)`",
        "1",
        filters_that_stay_apart,
    ),
    Claim(
        "08 recap-two-layers-of",
        r"Depthwise \(`groups=(\w+)`\)",
        "1",
        filters_that_stay_apart,
    ),
    Claim(
        "08 recap-two-layers-of",
        r"the multiply-adds, 1/(\w+) \+ 1/(\w+) are left",
        ("9", "3"),
        lambda: saved_by_parts(),
    ),
    Claim(
        "08 freezing-means-that-the",
        r"`requires_grad = (\w+)`\. And `(\w+)\(\)`, or",
        ("True", "train"),
        how_to_freeze,
    ),
    Claim(
        "08 avoid-common-mistakes-adding",
        r"Freezing without `eval\(\)`\. The weights stay, but the running means .*? (\w+) the new",
        "ignore",
        lambda: frozen("train"),
    ),
    Claim(
        "08 avoid-common-mistakes-adding",
        r"\(N, 1, H, W\) \+ \(N, C, H, W\) gives (\w+) error",
        "an",
        added_shapes,
    ),
    Claim(
        "08 the-biases-of-the",
        r"subtracts the mean, so a bias would be (\w+) at once",
        "kept",
        bias_before_normalisation,
    ),
    Claim(
        "08 how-to-read-it",
        r"GoogLeNet has a (\w+) of VGG's parameters and (a \w+) of its work",
        ("tenth", "a half"),
        lambda: (
            {20: "twentieth", 10: "tenth"}[round(1 / beside_vgg("GoogLeNet")[0], -1)],
            share(beside_vgg("GoogLeNet")[1]),
        ),
    ),
    Claim(
        "08 how-to-read-it",
        r"MobileNet does (\w+) than a fiftieth of VGG's work",
        "more",
        lambda: compared(beside_vgg("MobileNet V2")[1], 1 / 50, ("less", "", "more")),
    ),
    Claim(
        "08 the-residual-network-has",
        r"has somewhat (\w+) parameters than lesson 05's and does almost (\w+) times the work",
        ("more", "two"),
        beside_lesson_05,
    ),
    Claim(
        "08 one-line-is-level",
        r"by a factor of about (\w+) for each layer",
        "ten",
        factor_of_a_layer,
    ),
    Claim(
        "08 exercise-1-three-layers",
        r"Now the single (\w+) filter is the cheaper one",
        "small",
        cheaper_in_depth,
    ),
    Claim(
        "08 cut-into-patches-and",
        r"is a convolution whose stride (\w+(?: half)?) its kernel",
        "is half",
        stride_of_the_patches,
    ),
    Claim(
        "08 the-dots-overlap-so",
        r"its twin without it is (\w+) by",
        "worse",
        twins,
    ),
    Claim("08 two-layers-know-the", r"Twenty (do(?: not)?), and yet they could", "do", deeper),
    Claim("08 all-three-do-nothing", r"^All (\w+) do\.", "none", residual_layers),
    Claim(
        "08 nothing-special-ten-scores",
        r"ten scores in ([\w ]+) cases",
        "one of the",
        size_that_global_pooling_takes,
    ),
    Claim(
        "08 three-things-are-different",
        r"After the first layer no filter is larger than (\d × \d)\.",
        "5 × 5",
        largest_filter_after_the_first,
    ),
    Claim(
        "08 three-things-are-different",
        r"a (\w+) fully connected layer instead of (\w+)\.",
        ("double", "two"),
        lambda: (
            {1: "single"}[connected_layers(resnet())],
            counted(connected_layers(alexnet_of_torchvision())),
        ),
    ),
    Claim(
        "08 with-10-images-the",
        r"With 50 the advantage is much (\w+):",
        "larger",
        ways_beside_each_other,
    ),
    Claim("08 what-is-it-good", r"That is about ([\w ]+)\.", "half", squeezed),
    Claim(
        "08 recap-two-layers-of",
        r"has the slope \$(\d) \+ f'\(x\)\$",
        "0",
        slope_of_a_block,
    ),
    Claim(
        "08 how-to-read-it",
        r"From AlexNet to VGG everything (\w+), and the first guess is right far (\w+) often",
        ("shrinks", "fewer"),
        from_alexnet_to_vgg,
    ),
    Claim(
        "08 recap-two-layers-of",
        r"at PyTorch's own start, the gradient (\w+) from layer",
        "grows",
        first_gradient,
    ),
    Claim(
        "08 for-the-digits-yes",
        r"body is ahead with (\w+) seed, .*? what was learned is ahead with (\w+) seeds",
        ("few", "few"),
        lambda: (bodies("digits"), bodies("emoji")),
    ),
    Claim(
        "08 only-for-a-row",
        r"^Only for a row that makes a sum in the middle (\w+)\.",
        "positive",
        sums_that_bend,
    ),
]
