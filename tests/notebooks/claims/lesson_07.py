"""What lesson 07 says: Rebuild AlexNet."""

import copy
import functools
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers import shapes
from helpers.device import estimate_memory, largest_batch
from tests.support.claims import Claim, alexnet_of_torchvision, compared, counted, printed, share
from tests.support.lessons import definitions

CELL = r"(\d+) \|"
CONVS = ["conv1", "conv2", "conv3", "conv4", "conv5"]


@functools.cache
def net(**options):
    """The lesson's network, without numbers."""
    make_alexnet, _ = definitions("07", "make_alexnet", "ResponseNorm")
    with torch.device("meta"):
        return make_alexnet(**options)


def rows_of_the_table():
    """Filters, size, stride and padding of each convolution."""
    for name in CONVS:
        conv = net().get_submodule(name)
        yield from (conv.out_channels, conv.kernel_size[0], conv.stride[0], conv.padding[0])


def layers_with_pooling_after():
    """What comes before the next convolution or the end of the maps: pooling, or nothing."""
    names = [name for name, _ in net().named_children()]
    for conv in CONVS:
        yield "pooling" if f"pool{conv[-1]}" in names else ""


def layers_before_the_norm():
    """The convolutions that a local response normalisation comes after."""
    last = None
    for name, layer in net().named_children():
        last = name if isinstance(layer, nn.Conv2d) else last
        if any(isinstance(part, nn.LocalResponseNorm) for part in layer.modules()):
            yield last


def convs_in_groups(groups):
    return [name for name in CONVS if net().get_submodule(name).groups == groups]


def alpha_of_torch():
    """With which α PyTorch's layer gives the paper's formula for 10⁻⁴ and five maps."""
    (response_norm,) = definitions("07", "response_norm")
    maps = np.random.default_rng(1).normal(0, 100, (9, 1, 1))
    for alpha in ("1e-4", "2e-5", "5e-4"):
        layer = nn.LocalResponseNorm(5, alpha=float(alpha), beta=0.75, k=2)
        if np.allclose(layer(torch.tensor(maps)[None])[0].numpy(), response_norm(maps)):
            return alpha
    return None


def copied_alpha():
    """What becomes of the numbers, and of the divisor, if α is copied from the paper."""
    (response_norm,) = definitions("07", "response_norm")
    maps = np.random.default_rng(1).uniform(50, 100, (9, 1, 1))
    copied = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2)(torch.tensor(maps)[None])[0]
    larger = (copied.numpy() > response_norm(maps)).all()
    return ("Larger", "small") if larger else ("Smaller", "large")


def neighbours_of_the_norm():
    """Along which axis PyTorch's layer looks for neighbours."""
    before, after = torch.ones(1, 5, 5, 5), torch.ones(1, 5, 5, 5)
    after[0, 2, 2, 2] = 100
    layer = nn.LocalResponseNorm(3, alpha=1)
    changed = (layer(before) != layer(after)).nonzero() - torch.tensor([0, 2, 2, 2])
    (axis,) = changed.any(dim=0).nonzero().flatten().tolist()
    return {1: "maps", 2: "rows", 3: "columns"}[axis]


def places_of_dropout(layers):
    """Whether dropout stands before or after the poolings that it belongs to."""
    kinds = [type(layer) for layer in layers if isinstance(layer, nn.Dropout | nn.Linear)]
    return {True: "goes into", False: "comes out of"}[kinds[0] is nn.Dropout]


def shares():
    """Shares of the parameters and of the multiply-adds, by layer: of the saved table."""
    rows = printed("07 macs-code", r"(?m)^(?:conv|fc)\d +([\d,]+) +([\d,]+)$")
    names = [*CONVS, "fc6", "fc7", "fc8"]
    totals = [sum(column) for column in zip(*rows, strict=True)]
    return {
        name: [one / total for one, total in zip(row, totals, strict=True)]
        for name, row in zip(names, rows, strict=True)
    }


def most(at):
    """The kind of layers with the larger share, and the layer with the largest."""
    convs = sum(row[at] for name, row in shares().items() if name in CONVS)
    kind = "the convolutions" if convs > 1 / 2 else "the fully connected layers"
    return kind, max(shares(), key=lambda name: shares()[name][at])


def fc6_beside_conv1():
    """How many times as many weights, and what part of the work."""
    conv1, fc6 = shares()["conv1"], shares()["fc6"]
    times = {2: "hundred", 3: "thousand", 4: "ten thousand"}
    return times[round(math.log10(fc6[0] / conv1[0]))], share(fc6[1] / conv1[1])


def operations_of_a_multiply_add():
    with FlopCounterMode(display=False) as counter:
        F.linear(torch.ones(1, 3), torch.ones(1, 3))
    return {2: ("two", "twice"), 1: ("one", "equal to")}[counter.get_total_flops() / 3]


def parts_that_win():
    """Which batches make the fixed part, and which the activations larger."""
    words = []
    for size in (1, 512):
        part = estimate_memory(net(), (3, 227, 227), size, "sgd-momentum")
        words.append("fixed" if part.activations < part.total / 2 else "activations")
    sizes = dict(zip(words, ("small", "large"), strict=True))
    return sizes["fixed"], sizes["activations"]


def share_of_the_norm():
    """Whether more than half of the activations are due to it."""
    make_alexnet, _ = definitions("07", "make_alexnet", "ResponseNorm")
    with torch.device("meta"):
        bare = make_alexnet()
    bare.norm1 = bare.norm2 = nn.Identity()
    with_it, without = (
        estimate_memory(one, (3, 227, 227), 128, "sgd").activations for one in (net(), bare)
    )
    return "More" if without < with_it / 2 else "Less"


def size_that_fits():
    fitting = [size for size in (224, 227) if (size - 11) % 4 == 0]
    return fitting[0], shapes.conv_output_size(fitting[0], 11, stride=4, exact=True)


def fixed_part():
    """How many numbers the optimizer of the paper keeps for each parameter."""
    w = torch.zeros(1, requires_grad=True)
    w.grad = torch.ones(1)
    sgd = torch.optim.SGD([w], lr=1, momentum=0.9)
    sgd.step()
    return counted(sum(torch.is_tensor(kept) for kept in sgd.state[w].values()))


def scores_at_the_start():
    start_weights, make_alexnet, _ = definitions(
        "07", "start_weights", "make_alexnet", "ResponseNorm"
    )
    small = make_alexnet(shrink=16, side=1, classes=4)
    start_weights(small)
    return "zeros" if not small.fc8.weight.any() else "random numbers"


def images_that_are_cropped():
    """How many crops the lesson's function makes, and how many of them are mirrored."""
    (ten_crops,) = definitions("07", "ten_crops")
    picture = torch.arange(3 * 8 * 8.0).reshape(3, 8, 8)
    crops = ten_crops(picture, 6)
    mirrored = [any(torch.equal(one.flip(2), two) for two in crops[:5]) for one in crops[5:]]
    return counted(len(crops)), "mirrored" if all(mirrored) else "turned"


def left_after_nine_epochs():
    (left,) = printed("07 filters-decay-run", r"steps: (\d\.\d+)")
    return compared(100 * left, 2, ("Less", "", "More"))


def maps_beside_the_border():
    """How many maps on each side know the other tower, of a norm over five maps across it."""
    maps = torch.ones(1, 96, 1, 1)
    (kind,) = definitions("07", "ResponseNorm")
    changed = kind(towers=2)(maps) != kind(towers=1)(maps)
    return counted(changed.sum().item() / 2)


def numbers_at_fc6(width):
    with torch.device("meta"):
        x = torch.empty(1, 3, width, width)
        for name, layer in net().named_children():
            if name == "fc6":
                return x.shape[1]
            x = layer(x)
    return None


def alpha_for_smaller_numbers():
    """What α must become for numbers that are ten times smaller."""
    (response_norm,) = definitions("07", "response_norm")
    maps = np.random.default_rng(1).normal(0, 100, (9, 1, 1))
    wanted = response_norm(maps) / 10
    same = {
        word: np.allclose(response_norm(maps / 10, alpha=1e-4 * factor), wanted)
        for word, factor in (("larger", 100), ("smaller", 1 / 100))
    }
    return next(word for word, is_same in same.items() if is_same)


def batches_of_three_gigabytes():
    """The largest batch beside the paper's, and without LRN beside that."""
    bare = copy.deepcopy(net(towers=1))
    bare.norm1 = bare.norm2 = nn.Identity()
    with_it, without = (
        largest_batch(one, (3, 227, 227), 2 * 2**30, "sgd-momentum") for one in (net(), bare)
    )
    return compared(with_it, 128, ("smaller", "", "larger")), compared(without, with_it)


def losses_without_both():
    ((training, test),) = printed("07 compare-table", r"without both .*?% +(\d\.\d+) +(\d\.\d+)")
    return compared(test, training, ("lower", "", "higher"))


def spread_of_conv1():
    conv1 = nn.init.kaiming_normal_(torch.empty(96, 3, 11, 11), nonlinearity="relu")
    return compared(conv1.std(), 0.01, ("smaller", "", "larger"))


CLAIMS = [
    Claim(
        "07 shapes-question",
        " ".join(rf"\| {name} \| {' '.join([CELL] * 4)} (?:pooling )?\|" for name in CONVS),
        (96, 9, 4, 0, 256, 5, 1, 2, 384, 3, 1, 1, 384, 3, 1, 1, 256, 3, 1, 1),
        lambda: list(rows_of_the_table()),
    ),
    Claim(
        "07 shapes-question",
        " ".join(rf"\| {name} \|[^a-z]*\| (pooling|) ?\|" for name in CONVS),
        ("pooling", "", "pooling", "", "pooling"),
        lambda: list(layers_with_pooling_after()),
    ),
    Claim(
        "07 shapes-224-answer",
        r"The windows overlap: (\d) wide, moved by (\d)",
        ("2", "2"),
        lambda: (net().pool1.kernel_size, net().pool1.stride),
    ),
    Claim("07 mistakes", r"Take (\d+), or padding 2 as", "225", lambda: size_that_fits()[0]),
    Claim(
        "07 lrn-question",
        r"The first new part stands after (\w+) and (\w+)\.",
        ("conv1", "conv5"),
        lambda: list(layers_before_the_norm()),
    ),
    Claim("07 lrn-torch", r"you must write `alpha=(\S+)`", "1e-4", alpha_of_torch),
    Claim(
        "07 lrn-wrong-answer",
        r"^(\w+): the divisor is too (\w+)\.",
        ("Smaller", "large"),
        copied_alpha,
    ),
    Claim(
        "07 mistakes",
        r"LRN along the rows\. Its neighbours are (\w+)",
        "rows",
        neighbours_of_the_norm,
    ),
    Claim(
        "07 groups-question",
        r"In (\w+), (\w+) and (\w+) a filter sees only the maps of its own tower",
        ("conv2", "conv3", "conv5"),
        lambda: convs_in_groups(2),
    ),
    Claim(
        "07 build-intro",
        r"The towers meet in (\w+) and in the fully connected",
        "conv4",
        lambda: next(name for name in convs_in_groups(1) if name != "conv1"),
    ),
    Claim(
        "07 vision-table",
        r"\| dropout \| on what ([\w ]+) fc6 and fc7 \| on what ([\w ]+) fc6 and fc7 \|",
        ("goes into", "comes out of"),
        lambda: [places_of_dropout(one) for one in (net(), alexnet_of_torchvision().classifier)],
    ),
    Claim(
        "07 vision-table",
        r"\| filters \| 96, 256, 384, 384, 256 \| (\d+), (\d+), (\d+), (\d+), (\d+) \|",
        ("64", "192", "384", "384", "256"),
        lambda: [
            layer.out_channels
            for layer in alexnet_of_torchvision().features
            if isinstance(layer, nn.Conv2d)
        ],
    ),
    Claim(
        "07 macs-notice",
        r"of the parameters are in (the [\w ]+); more than 90 % of the work is in (the \w+)\.",
        ("the convolutions", "the poolings"),
        lambda: (most(0)[0], most(1)[0]),
    ),
    Claim(
        "07 macs-notice",
        r"To make the file smaller, work on (\w+)\. To save arithmetic, work on (\w+)\.",
        ("conv2", "fc6"),
        lambda: (most(0)[1], most(1)[1]),
    ),
    Claim(
        "07 macs-intro",
        r"So fc6 has about a ([\w ]+) times as many weights and does about ([\w ]+) of the work",
        ("hundred", "half"),
        fc6_beside_conv1,
    ),
    Claim(
        "07 macs-notice",
        r"as (\w+) operations \(FLOPs\), so its number is ([\w ]+) ours",
        ("one", "half"),
        operations_of_a_multiply_add,
    ),
    Claim(
        "07 memory-notice",
        r"the fixed part wins for (\w+) batches and the activations win for (\w+) ones",
        ("large", "small"),
        parts_that_win,
    ),
    Claim(
        "07 memory-predict-answer",
        r"(\w+) than half of the activations are due to LRN",
        "Less",
        share_of_the_norm,
    ),
    Claim(
        "07 memory-intro",
        r"what the optimizer remembers \(momentum: (\w+) numbers? for each\)",
        "two",
        fixed_part,
    ),
    Claim("07 overfit-start", r"fc8 starts with (\w+),", "ones", scores_at_the_start),
    Claim(
        "07 recipe-intro",
        r"Ten crops\. For a test photo the answers to (\w+) pieces are averaged: "
        r"four corners and the middle, each also (\w+)\.",
        ("five", "turned"),
        images_that_are_cropped,
    ),
    Claim("07 filters-decay-answer", r"^(\w+) than 2 %", "More", left_after_nine_epochs),
    Claim(
        "07 towers-border-answer",
        r"next to the border, (\w+) on each side",
        "four",
        maps_beside_the_border,
    ),
    Claim(
        "07 build-predict-answer",
        r"= (\d+) numbers arrive at `fc6`, where (\d+) are expected",
        ("9216", "6400"),
        lambda: (numbers_at_fc6(224), net().fc6.in_features),
    ),
    Claim(
        "07 recap",
        r"Two towers are `groups=2` in (\w+), (\w+) and (\w+), with",
        ("conv1", "conv3", "conv5"),
        lambda: convs_in_groups(2),
    ),
    Claim(
        "07 lrn-scale-answer",
        r"times smaller, \$α\$ must become \$s\^2\$ times (\w+) for",
        "smaller",
        alpha_for_smaller_numbers,
    ),
    Claim("07 train-intro", r"He's start is (\w+) than 0\.01", "smaller", spread_of_conv1),
    Claim(
        "07 compare-answer",
        r"while the loss on new images is far (\w+):",
        "lower",
        losses_without_both,
    ),
    Claim(
        "07 exercise-3",
        r"with batches a little (\w+) than the paper's 128\. Without LRN, far (\w+) fit",
        ("larger", "fewer"),
        batches_of_three_gigabytes,
    ),
]
