"""What the appendix says: Look up the conventions."""

import functools
import inspect
import math
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.notebooks.claims.lesson_01 import roles_of_filters
from tests.support.claims import Claim, counted, places_of_torch, printed, tensor
from tests.support.lessons import definitions

LINE, PAIR = [0, 1, 2], [2, 3]


def ends_of_the_zero():
    """Where NumPy and PyTorch put the odd zero: as if it stood there without any of their own."""
    ends = {
        tuple(np.correlate([0, *LINE], PAIR, mode="valid")): "in front",
        tuple(np.correlate([*LINE, 0], PAIR, mode="valid")): "at the end",
    }
    with warnings.catch_warnings(action="ignore"):  # PyTorch warns that it may copy the line
        torch_says = F.conv1d(tensor([[LINE]]), tensor([[PAIR]]), padding="same")
    return ends[tuple(np.correlate(LINE, PAIR, mode="same"))], ends[
        tuple(torch_says[0, 0].tolist())
    ]


def parts_of_same():
    """Where the lesson's function puts fewer zeros of an odd number."""
    before, after = definitions("A", "same_padding")[0](6, 3, stride=2)
    return ("before", "after") if before < after else ("after", "before")


def strides_of_same():
    """The strides that PyTorch's "same" takes."""
    taken = []
    for stride in (1, 2, 3):
        try:
            nn.Conv2d(1, 1, kernel_size=3, stride=stride, padding="same")
        except ValueError:
            continue
        taken.append(stride)
    return counted(len(taken)).replace("one", "1"), "refuses"


def order_in_torch():
    """The axis of PyTorch's maps that a filter must have, too, and those that it makes smaller."""
    layer = nn.Conv2d(3, 5, kernel_size=(1, 2))  # wide: fewer columns
    before, after = (1, 3, 4, 6), layer(torch.zeros(1, 3, 4, 6)).shape
    names = {(3, 5): "channels", (4, 4): "rows", (6, 5): "columns"}
    return [names[sizes] for sizes in zip(before[1:], after[1:], strict=True)]


def kernels_that_are_turned():
    """Of NumPy's two functions and of PyTorch's: which turns the kernel."""
    as_it_is = np.array([0 * 2 + 1 * 3, 1 * 2 + 2 * 3])
    ways = [
        np.convolve(LINE, PAIR, mode="valid"),
        np.correlate(LINE, PAIR, mode="valid"),
        F.conv1d(tensor([[LINE]]), tensor([[PAIR]]))[0, 0].numpy(),
    ]
    return ["no" if (way == as_it_is).all() else "yes" for way in ways]


def rounding_of(function, **options):
    """Which way the number of places is rounded for 7 numbers, a window of 3 and stride 3."""
    places = function(torch.zeros(1, 1, 7), **options).shape[-1]
    return {2: "down", 3: "up"}[places]


def pooling_and_convolution():
    convolution = inspect.getdoc(F.conv1d) + inspect.getdoc(nn.Conv1d)
    up = rounding_of(F.max_pool1d, kernel_size=3, stride=3, ceil_mode=True)
    return up, "can" if "ceil_mode" in convolution else "cannot"


def window_in_the_padding():
    """Which windows are dropped: with ceil, for a window that starts in the padding on a side."""
    line = torch.tensor([[[0.0, 1, 2]]])
    kept = F.max_pool1d(line, 2, stride=2, padding=1, ceil_mode=True)[0, 0].tolist()
    return {(0, 2): "right", (2,): "left"}[tuple(kept)]


def usual_dilation():
    """Without holes: the dilation of PyTorch, and how many holes there are."""
    usual = nn.Conv2d(1, 1, 3).dilation[0]
    assert places_of_torch(9, 3, dilation=usual) == places_of_torch(9, 3)
    reach = 9 - places_of_torch(9, 3, dilation=usual) + 1
    return usual, (reach - 3) // 2


def dilation_of_a_reach(reach):
    """The dilation with which a kernel of 3 reaches over so many pixels."""
    return next(d for d in range(1, 9) if 9 - places_of_torch(9, 3, dilation=d) + 1 == reach)


def switches():
    names = ("enabled", "deterministic", "benchmark", "allow_tf32")
    return [getattr(torch.backends.cudnn, name) for name in names]


def best_step():
    """Whether the smallest of the three steps has the smallest error: of the saved errors."""
    errors = printed("A eps-run", r"error (\S+)")
    return "Yes" if errors.index(min(errors)) == len(errors) - 1 else "No"


def digits_of_types():
    for dtype in (torch.float32, torch.float64):
        yield round(-math.log10(torch.finfo(dtype).eps))
    for dtype in (torch.float32, torch.float64):
        yield torch.finfo(dtype).bits // 8


def mixed_up():
    """What `reshape` does to the pixels."""
    chw = np.arange(12).reshape(3, 2, 2)
    moved, reshaped = chw.transpose(1, 2, 0), chw.reshape(2, 2, 3)
    assert moved.shape == reshaped.shape
    return "keeps" if (moved == reshaped).all() else "mixes up"


def kept_entries():
    """Which of two dictionaries counts where both have an entry."""
    return {1: "first", 2: "second"}[({"a": 1} | {"a": 2})["a"]]


def scores_of_faces():
    """The scores of the shared and of the local layer, upside down: of the saved lines."""
    shared = printed("A local-face-run", r"shared .*?score (\d)")
    return int(shared[1]) if shared[0] == shared[1] else "other"


def places_of_eight():
    """How many windows of 3 with stride 2 fit into 8 numbers: floor, and ceil."""
    line = torch.zeros(1, 1, 8)
    return [F.max_pool1d(line, 3, stride=2, ceil_mode=mode).shape[-1] for mode in (False, True)]


def widths_where_they_differ(one, other):
    """Which widths, of 5 to 10: those where a window of 3 with stride 2 gives other results."""
    differ = {
        width % 2
        for width in range(5, 11)
        if not torch.equal(*(f(torch.arange(1.0, width + 1)[None, None]) for f in (one, other)))
    }
    return {(0,): "even", (1,): "odd"}[tuple(differ)]


def floor_and_ceil():
    return [
        functools.partial(F.max_pool1d, kernel_size=3, stride=2, ceil_mode=mode)
        for mode in (False, True)
    ]


def same_and_padding():
    (same_padding,) = definitions("A", "same_padding")
    kernel = torch.tensor([[[1.0, 2.0, -1.0]]])
    return [
        lambda x: F.conv1d(F.pad(x, same_padding(x.shape[-1], 3, 2)), kernel, stride=2),
        lambda x: F.conv1d(x, kernel, stride=2, padding=1),
    ]


def zeros_of_exercise_1():
    before, after = definitions("A", "same_padding")[0](8, 3, stride=2)
    return {0: "none", 1: "one"}[before], {0: "none", 1: "one"}[after]


def largest_of_a_row():
    """Whether `argmax(dim=1)` has one place for each row, and of which number."""
    x = torch.tensor([[1, 9, 2], [8, 0, 3]])
    places = x.argmax(dim=1).tolist()
    return {(1, 0): "largest", (0, 1): "smallest"}[tuple(places)], {2: "row", 3: "column"}[
        len(places)
    ]


def item_that_is_dropped():
    _, *rest = ["first", "middle", "last"]
    (dropped,) = {"first", "middle", "last"} - {*rest}
    return dropped


CLAIMS = [
    Claim(
        "A even-notice",
        r"^NumPy puts it ([\w ]+), PyTorch and TensorFlow ([\w ]+)\.",
        ("at the end", "in front"),
        ends_of_the_zero,
    ),
    Claim(
        "A convention-table",
        r"\| zeros of \"same\" \| half on each side, the odd one ([\w ]+) \| the odd one ([\w ]+),",
        ("at the end", "in front"),
        ends_of_the_zero,
    ),
    Claim(
        "A same-intro",
        r"Half of it, rounded down, goes (\w+) the image, and the rest (\w+) it",
        ("after", "before"),
        parts_of_same,
    ),
    Claim(
        "A same-notice",
        r"`padding=\"same\"` too, but for stride (\d) only\. With another stride it (\w+)",
        ("2", "rounds"),
        strides_of_same,
    ),
    Claim(
        "A even-notice",
        r"PyTorch stores (\w+), (\w+), (\w+) \(with the batch in front",
        ("rows", "columns", "channels"),
        order_in_torch,
    ),
    Claim(
        "A convention-table",
        r"\(lesson 01\) \| `convolve` (\w+), `correlate` (\w+) \| (\w+) \|",
        ("no", "yes", "yes"),
        kernels_that_are_turned,
    ),
    Claim(
        "A ceil-intro",
        r"can round (\w+) with `ceil_mode=True`\. Its convolutions (\w+)\.",
        ("down", "can"),
        pooling_and_convolution,
    ),
    Claim(
        "A table-notice",
        r"PyTorch rounds (\w+) by default",
        "up",
        lambda: rounding_of(F.max_pool1d, kernel_size=3, stride=3),
    ),
    Claim(
        "A ceil-rule",
        r"a window may not start in the padding on the (\w+) \(",
        "left",
        window_in_the_padding,
    ),
    Claim(
        "A recap",
        r"Dilation is a distance in PyTorch \((\d) is the usual kernel\) .*? texts \((\d) is\)",
        ("0", "1"),
        usual_dilation,
    ),
    Claim(
        "A exercise-2",
        r"^.*`dilation=(\d)`\. The text counts holes: .*? In PyTorch `dilation=(\d)` has none",
        ("1", "0"),
        lambda: (dilation_of_a_reach(5), dilation_of_a_reach(3)),
    ),
    Claim(
        "A even-notice",
        r"`reshape` gives the same shape, but ([\w ]+) the pixels",
        "keeps",
        mixed_up,
    ),
    Claim(
        "A cudnn",
        r"\| `enabled` \| `(\w+)` \|.*?`deterministic` \| `(\w+)` \|.*?"
        r"`benchmark` \| `(\w+)` \|.*?`allow_tf32` \| `(\w+)` \|",
        ("False", "True", "True", "False"),
        switches,
    ),
    Claim("A eps-answer", r"^(\w+)\. A large step", "Yes", best_step),
    Claim(
        "A python",
        r"numbers with about (\d+) and about (\d+) digits, of (\d) and (\d) bytes",
        ("16", "7", "8", "4"),
        lambda: list(digits_of_types()),
    ),
    Claim(
        "A python",
        r"where both have an entry, the (\w+) counts",
        "first",
        kept_entries,
    ),
    Claim("A local-face-answer", r"and its score stays (\d)\.", "4", scores_of_faces),
    Claim(
        "A exercise-1",
        r"Floor: .*? so 2 \+ 1 = (\d)\. Ceil: 3 \+ 1 = (\d)\.",
        ("4", "3"),
        places_of_eight,
    ),
    Claim(
        "A dilation-two",
        r"So \$d\$ = holes \+ (\d)\.",
        "0",
        lambda: usual_dilation()[0] - usual_dilation()[1],
    ),
    Claim(
        "A python",
        r"`x\.clamp\(min=0\)` \| numbers below 0 become (\d)",
        "1",
        lambda: torch.tensor([-3, 2]).clamp(min=0)[0].item(),
    ),
    Claim(
        "A python",
        r"`divmod\(7, 2\)` \| 7 // 2 and the remainder: (\d) and (\d)",
        ("1", "3"),
        lambda: divmod(7, 2),
    ),
    Claim(
        "A table-notice",
        r"In the rows with an (\w+) width floor and ceil differ",
        "odd",
        lambda: widths_where_they_differ(*floor_and_ceil()),
    ),
    Claim(
        "A mistakes",
        r"give the same size and, where the width is (\w+), other numbers",
        "odd",
        lambda: widths_where_they_differ(*same_and_padding()),
    ),
    Claim(
        "A exercise-1",
        r"= 1 zero: (\w+) before, (\w+) after\.",
        ("one", "none"),
        zeros_of_exercise_1,
    ),
    Claim(
        "A python",
        r"`x\.argmax\(dim=1\)` \| the place of the (\w+) number in each (\w+)",
        ("smallest", "column"),
        largest_of_a_row,
    ),
    Claim("A python", r"drop the (\w+) item, put", "last", item_that_is_dropped),
    Claim(
        "A order-notice",
        r"PyTorch \(K, C, (\w+), (\w+)\)",
        ("columns", "rows"),
        lambda: list(roles_of_filters())[2:],
    ),
]
