"""What lesson 09 says: Look at what a CNN sees."""

import functools

import torch
import torch.nn.functional as F
from torch import nn

from helpers import shapes
from tests.support.claims import Claim, colour, compared, counted, printed, share
from tests.support.lessons import definitions


@functools.cache
def reader():
    """The body and the head of the lesson's network."""
    return definitions("09", "make_reader")[0]()


def sizes_after_each_relu():
    x = torch.zeros(1, 1, 28, 28)
    found = []
    for layer in reader()[0]:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            found.append(x.shape)
    return [shape[-1] for shape in found], [shape[1] for shape in found]


def what_the_head_keeps():
    """What it makes of a map: the largest number, or the mean."""
    pooled = reader()[1][0](torch.arange(49.0).reshape(1, 1, 7, 7)).item()
    return {48: "largest", 24: "mean", 0: "smallest"}[pooled]


def way_of_the_start():
    """Which way the padding of a layer of stride 2 moves the start, and which jump counts."""
    steps = [(3, 2, 1), (3, 2, 1)]
    starts = [shapes.receptive_field(steps[:n]).start for n in (1, 2)]
    jumps = {1: "before", 2: "after"}
    return "left" if starts[0] < 0 else "right", jumps[-starts[0]]


def what_is_cut_off():
    """Whether the map of the lesson's function keeps what speaks against a class."""
    (grad_cam,) = definitions("09", "grad_cam")
    maps = torch.tensor([[[4.0, -3.0]]])
    cam = grad_cam(nn.Identity(), lambda maps: maps.sum(dim=(1, 2, 3))[None], maps, 0)
    return {(4, 0): "negative", (0, -3): "positive"}[tuple(cam[0].tolist())]


def how_gradients_count():
    """What the lesson's function makes of the gradients of a map's numbers."""
    (grad_cam,) = definitions("09", "grad_cam")
    weights = torch.tensor([[[[1.0, 1.0, 4.0]]]])
    ones = torch.ones(1, 1, 3)
    cam = grad_cam(nn.Identity(), lambda maps: (weights * maps).sum(dim=(1, 2, 3))[None], ones, 0)
    return {2: "mean", 6: "sum of the", 4: "largest"}[cam[0, 0].item()]


def glow():
    """Shares of the saved maps: off their own ink, of another's on it, brightest places off ink."""
    _ink, own, others, brightest = printed("09 cam-check", r"(\d+)%")
    return share(1 - own / 100), share(1 - brightest / 100), share(others / own)


def glow_of_seven():
    """Where the saved maps glow for 7, for 1, and untrained."""
    rows = printed("09 cam-predict-check", r"bar (\d\.\d)  other stroke (\d\.\d) +(\d+)%")
    for_7, for_1, untrained = rows
    only = "slanted stroke" if for_1[0] < 1 < for_1[1] else "bar at the top"
    return counted(for_7[0]), only, compared(untrained[2], for_7[2], ("smaller", "", "larger"))


def places_of_the_window():
    """How many answers there are for four digits, and how many pixels apart."""
    head = nn.MaxPool2d(7, stride=1)
    body = reader()[0]
    answers = [head(body(torch.zeros(1, 1, 28, width))).shape[-1] for width in (28, 112)]
    return answers[1], (112 - 28) // (answers[1] - answers[0])


def heads():
    """The kinds of the lesson's heads: the size of a filter, and which one is transposed."""
    (made,) = definitions("09", "heads")
    sizes = {made[name].kernel_size for name in ("detection", "pose")}
    ((height, width),) = sizes
    (transposed,) = (name for name in made if isinstance(made[name], nn.ConvTranspose2d))
    painted = made[transposed].stride
    names = {"segmentation": "segmenter's", "pose": "pose's", "detection": "detector's"}
    return f"{height} × {width}", names[transposed], f"{painted[0]} × {painted[1]}"


def flat_or_steep():
    """The gradient of a probability if the network is sure, and what to use instead."""
    scores = torch.tensor([20.0, 0.0, 0.0], requires_grad=True)
    scores.softmax(dim=0)[0].backward()
    flat = scores.grad.abs().max() < 1e-3
    return ("flat", "0", "before") if flat else ("steep", "1", "after")


def rivals_of_the_maps():
    """How the two maps of the last and of the first layer answer to each other's picture."""
    rows = printed("09 patch-check", r"mean picture +(\S+), random .*?map's +(\S+)")
    parts = [other / own for own, other in rows]
    assert max(parts[-2:]) < 1 / 2 < min(parts[:2])
    return "less" if max(parts[-2:]) < min(parts[:2]) else "more"


def zeros_of_the_map():
    """How many of the 100 best images are zeros, and whether most are: of the saved counts."""
    counts = printed("09 patch-predict-run", r"(\d): (\d+)")
    zeros = dict(counts)[0]
    return counted(zeros), "other digits" if zeros < 50 else "zeros"


def map_of_the_cat():
    cat, _ = printed("09 photo-cam-check", r"(\d+)%")
    return share(1 - cat / 100)


def parts_of_the_loss():
    """What `cross_entropy` does to plain scores before it takes one of them."""
    scores, right = torch.tensor([[1.0, 3.0]]), torch.tensor([0])
    firsts = {"log-softmax": F.log_softmax, "softmax": F.softmax}
    loss = F.cross_entropy(scores, right)
    return next(n for n, first in firsts.items() if -first(scores, dim=1)[0, 0] == loss)


def fields_of_the_body():
    """The receptive field after each ReLU of the lesson's network."""
    steps, fields = [], []
    for layer in reader()[0]:
        if isinstance(layer, nn.Conv2d):
            steps.append((layer.kernel_size[0], layer.stride[0], layer.padding[0]))
        elif isinstance(layer, nn.MaxPool2d):
            steps.append((layer.kernel_size, layer.stride))
        else:
            fields.append(shapes.receptive_field(steps).size)
    return fields


CLAIMS = [
    Claim(
        "09 train-intro",
        r"it keeps the (\w+) number of each map, wherever it stands",
        "smallest",
        what_the_head_keeps,
    ),
    Claim(
        "09 train-intro",
        r"`cross_entropy`, which contains the ([\w-]+)\.",
        "softmax",
        parts_of_the_loss,
    ),
    Claim(
        "09 maps-intro",
        r"So the maps are (\d+), (\d+) and (\d+) pixels wide, "
        r"and there are (\d+), (\d+) and (\d+) of",
        ("28", "28", "28", "16", "16", "16"),
        lambda: [number for numbers in sizes_after_each_relu() for number in numbers],
    ),
    Claim(
        "09 field-hand",
        r"each layer moves it (\w+) by its padding times the jump (\w+) it",
        ("right", "after"),
        way_of_the_start,
    ),
    Claim(
        "09 patch-check-answer",
        r"The two maps of the last layer answer far (\w+) to each other's picture",
        "more",
        rivals_of_the_maps,
    ),
    Claim(
        "09 patch-predict-answer",
        r"In our run only (\w+) of the 100 is a zero",
        "ten",
        lambda: zeros_of_the_map()[0],
    ),
    Claim(
        "09 patch-predict-answer",
        r"^Mostly ([\w ]+)\. This map",
        "zeros",
        lambda: zeros_of_the_map()[1],
    ),
    Claim("09 recap", r"adds them, and cuts off what is (\w+)\.", "positive", what_is_cut_off),
    Claim(
        "09 recap",
        r"Grad-CAM weighs the last maps by the (\w+) gradient",
        "largest",
        how_gradients_count,
    ),
    Claim(
        "09 cam-notice",
        r"how much of the glow is not on ink: about ([\w ]+) of it",
        "one fifth",
        lambda: glow()[0],
    ),
    Claim(
        "09 cam-notice",
        r"the brightest place lies on black for about ([\w ]+) of 300",
        "four fifths",
        lambda: glow()[1],
    ),
    Claim(
        "09 cam-notice",
        r"A map made for another digit still has about ([\w ]+) as much of its glow",
        "a quarter",
        lambda: glow()[2],
    ),
    Claim(
        "09 cam-limits",
        r"the top glows, nearly (\w+) times as brightly .*? For 1 only the ([\w ]+) glows"
        r".*? glows over a far (\w+) part",
        ("two", "bar at the top", "smaller"),
        glow_of_seven,
    ),
    Claim("09 photo-notice", r"\(And ([\w ]+) of the map for the cat lies", "half", map_of_the_cat),
    Claim(
        "09 slide-hand",
        r"= (\d+) places, so there are \d+ answers, one every (\d) pixels",
        ("28", "1"),
        places_of_the_window,
    ),
    Claim(
        "09 heads-answer",
        r"detection and pose are convolutions of (\d × \d), and the ([\w']+) is a transposed one: "
        r"each place of the map paints a square of (\d × \d)",
        ("4 × 4", "pose's", "1 × 1"),
        heads,
    ),
    Claim(
        "09 mistakes",
        r"softmax is (\w+) and its gradient almost (\d)\. Use the score (\w+) softmax",
        ("steep", "1", "after"),
        flat_or_steep,
    ),
    Claim(
        "09 recap",
        r"They (\w+) with depth, .*?: (\d+), (\d+) and (\d+) pixels here",
        ("shrink", "18", "8", "3"),
        lambda: (
            "grow" if fields_of_the_body() == sorted(fields_of_the_body()) else "shrink",
            *fields_of_the_body(),
        ),
    ),
    Claim(
        "09 exercise-3",
        r"They are one jump of (\d) pixels apart",
        "8",
        lambda: places_of_the_window()[1],
    ),
    Claim(
        "09 field-intro",
        r"\((\w+) is positive, (\w+) negative\)",
        ("purple", "orange"),
        lambda: (colour(1), colour(-1)),
    ),
]
