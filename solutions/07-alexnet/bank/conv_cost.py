"""Task 3: what a convolution costs."""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchinfo import summary

from grader.authoring.bank import correct, mistake

PARAMETERS = "conv_cost_parameters"
MULTIPLY_ADDS = "conv_cost_multiply_adds"
PLACES = "conv_cost_places"
GROUPS = "conv_cost_groups"


@mistake(
    "Your number of parameters equals that of the weights alone. The biases are parameters, too.",
    fails={PARAMETERS},
)
def biases_forgotten(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights, weights * side**2


@mistake(
    "Your numbers equal those with a single bias for the whole layer. Each filter has one.",
    fails={PARAMETERS, GROUPS},
)
def one_bias(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + 1, weights * side**2


@mistake(
    "Your numbers equal those with a bias for each map that goes in. It belongs to a filter, "
    "so to a map that comes out.",
    fails={PARAMETERS},
)
def bias_for_each_input_map(
    size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1
):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + in_channels, weights * side**2


@mistake(
    "Your numbers equal those with a bias for each filter and each map that it sees. A filter "
    "adds its bias once, after all maps are summed.",
    fails={PARAMETERS},
)
def bias_for_each_pair(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    pairs = out_channels * (in_channels // groups)
    side = (size - kernel_size + 2 * padding) // stride + 1
    return pairs * (kernel_size**2 + 1), pairs * kernel_size**2 * side**2


@mistake(
    "Your multiply-adds equal parameters times places, so the biases are among them. Adding a "
    "bias is no multiply-add.",
    fails={MULTIPLY_ADDS},
)
def biases_multiplied(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    parameters = out_channels * (in_channels // groups) * kernel_size**2 + out_channels
    side = (size - kernel_size + 2 * padding) // stride + 1
    return parameters, parameters * side**2


@mistake(
    "Your multiply-adds are twice as many as asked for, as where multiplications and "
    "additions are counted as two. A multiply-add is one of each, together.",
    fails={MULTIPLY_ADDS},
)
def flops(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + out_channels, 2 * weights * side**2


@mistake(
    "Your multiply-adds equal those of one position of the filters. They are used at many places.",
    fails={MULTIPLY_ADDS, PLACES},
)
def one_place(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights + out_channels, weights


@mistake(
    "Your numbers equal those with the places along one side only. The filters move in rows "
    "and in columns.",
    fails={MULTIPLY_ADDS, PLACES},
)
def places_along_one_side(
    size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1
):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + out_channels, weights * side


@mistake(
    "Your numbers equal those with a place at each pixel of the image. A filter fits at fewer "
    "places than that, unless padding keeps the size.",
    fails={MULTIPLY_ADDS, PLACES},
)
def pixels_for_places(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights + out_channels, weights * (size // stride) ** 2


@mistake(
    "Your multiply-adds equal those with one place less along each side: between the first "
    "and the last position there is one step less than there are positions.",
    fails={MULTIPLY_ADDS, PLACES},
)
def off_by_one(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride
    return weights + out_channels, weights * side**2


@mistake(
    "Your multiply-adds equal those of all filters on one map of the input only.",
    fails={MULTIPLY_ADDS},
)
def one_input_map(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + out_channels, out_channels * kernel_size**2 * side**2


@mistake(
    "Your multiply-adds equal those of a single filter. Each of the filters makes as many.",
    fails={MULTIPLY_ADDS, GROUPS},
)
def one_filter(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    a_filter = (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return out_channels * a_filter + out_channels, a_filter * side**2


@mistake(
    "Your numbers equal those of filters that count with their width only. A filter of 3 × 3 "
    "has 9 weights for each map.",
    fails={PARAMETERS, MULTIPLY_ADDS},
)
def kernel_not_squared(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + out_channels, weights * side**2


@mistake(
    "Your numbers of places equal those with stride 1, where the filters stop at every pixel.",
    fails={PLACES},
)
def stride_ignored(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = size - kernel_size + 2 * padding + 1
    return weights + out_channels, weights * side**2


@mistake(
    "Your numbers of places equal those without padding.",
    fails={PLACES},
)
def padding_ignored(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size) // stride + 1
    return weights + out_channels, weights * side**2


@mistake(
    "Your numbers of places equal those with the padding counted once. It is added on both sides.",
    fails={PLACES},
)
def padding_on_one_side(
    size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1
):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + padding) // stride + 1
    return weights + out_channels, weights * side**2


@mistake(
    "Your numbers of places equal those that are rounded up where the last step does not fit. "
    "Such a step is left out.",
    fails={PLACES},
)
def rounded_up(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = math.ceil((size - kernel_size + 2 * padding) / stride) + 1
    return weights + out_channels, weights * side**2


@mistake(
    "Your numbers of places equal those that are rounded to the nearest whole number where the "
    "last step does not fit. Such a step is left out.",
    fails={PLACES},
)
def rounded_to_the_nearest(
    size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1
):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = round((size - kernel_size + 2 * padding) / stride) + 1
    return weights + out_channels, weights * side**2


@mistake(
    "The number of places is not whole where the last step does not fit. Half a place does not "
    "exist.",
    fails={PLACES},
)
def not_rounded(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) / stride + 1
    return weights + out_channels, weights * side**2


@mistake(
    "Your numbers of places equal those with the fractions of both sides, where only their "
    "product is cut. Along each side the last step that does not fit is left out.",
    fails={PLACES},
)
def rounded_after_squaring(
    size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1
):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    places = int(((size - kernel_size + 2 * padding) / stride + 1) ** 2)
    return weights + out_channels, weights * places


@mistake(
    "Your numbers of places equal those where the stride also divides the 1 of the size formula.",
    fails={PLACES},
)
def one_divided_too(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding + 1) // stride
    return weights + out_channels, weights * side**2


@mistake(
    "Your numbers equal those without groups, where each filter sees all maps.",
    fails={GROUPS},
)
def groups_ignored(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * in_channels * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + out_channels, weights * side**2


@mistake(
    "Your numbers of weights equal those of one group: maps and filters are both divided by the "
    "groups. There are several.",
    fails={GROUPS},
)
def one_group_only(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = (out_channels // groups) * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + out_channels, weights * side**2


@mistake(
    "Your numbers equal the cost of one group, with its biases: maps and filters are both divided "
    "by the groups. There are several.",
    fails={GROUPS},
)
def one_group_and_its_biases(
    size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1
):
    filters = out_channels // groups
    weights = filters * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + filters, weights * side**2


@mistake(
    "With groups, the parameters become fewer in your count, but the multiply-adds do not.",
    fails={GROUPS},
)
def groups_save_only_parameters(
    size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1
):
    parameters = out_channels * (in_channels // groups) * kernel_size**2 + out_channels
    side = (size - kernel_size + 2 * padding) // stride + 1
    return parameters, out_channels * in_channels * kernel_size**2 * side**2


@mistake(
    "Your numbers equal those where each group is given filters for all maps, so that the "
    "cost becomes larger with groups.",
    fails={GROUPS},
)
def groups_multiplied(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = groups * out_channels * in_channels * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights + out_channels, weights * side**2


@mistake(
    "One of the two numbers stands in the place of the other. Asked for are the parameters "
    "first, and then the multiply-adds.",
    fails={PARAMETERS, MULTIPLY_ADDS, PLACES},
)
def swapped(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    side = (size - kernel_size + 2 * padding) // stride + 1
    return weights * side**2, weights + out_channels


@correct
def with_a_real_layer(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    with torch.device("meta"):
        conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups)
        maps = conv(torch.empty(1, in_channels, size, size))
    places = maps.shape[-1] * maps.shape[-2]
    return sum(p.numel() for p in conv.parameters()), conv.weight.numel() * places


@correct
def with_pytorchs_counter(n, c, k, f, stride=1, padding=0, groups=1):
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        conv = nn.Conv2d(c, k, f, stride=stride, padding=padding, groups=groups)
        conv(torch.empty(1, c, n, n))
    return conv.weight.numel() + k, counter.get_total_flops() // 2


@correct
def by_counting_places(size, in_maps, out_maps, kernel, stride=1, padding=0, groups=1):
    starts = range(-padding, size + padding - kernel + 1, stride)
    one_filter = kernel * kernel * in_maps // groups
    return out_maps * (one_filter + 1), out_maps * one_filter * len(starts) ** 2


@correct
def in_floats(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    side = math.floor((size - kernel_size + 2 * padding) / stride + 1)
    weights = math.prod((out_channels, in_channels, kernel_size, kernel_size)) / groups
    return int(weights + out_channels), int(weights * side * side)


@correct
def group_by_group(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    if groups > 1:
        parts = [
            group_by_group(
                size, in_channels // groups, out_channels // groups, kernel_size, stride, padding
            )
            for _ in range(groups)
        ]
        return tuple(map(sum, zip(*parts, strict=True)))
    side = (size + 2 * padding - kernel_size) // stride + 1
    weights = in_channels * out_channels * kernel_size * kernel_size
    return weights + out_channels, weights * side * side


class Cost(NamedTuple):
    parameters: int
    multiply_adds: int


@correct
def named_tuple(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    # A window that starts at place 0 fits, and each whole step gives one more.
    steps, _ = divmod(size + 2 * padding - kernel_size, stride)
    weights = out_channels * (in_channels // groups) * kernel_size * kernel_size
    return Cost(parameters=weights + out_channels, multiply_adds=weights * (1 + steps) ** 2)


@correct
def gradient_of_a_weight(
    size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1
):
    # In an image of ones, the gradient of a weight counts the places where it is used.
    weight = torch.zeros(1, 1, kernel_size, kernel_size, dtype=torch.float64, requires_grad=True)
    image = torch.ones(1, 1, size + 2 * padding, size + 2 * padding, dtype=torch.float64)
    nn.functional.conv2d(image, weight, stride=stride).sum().backward()
    times = in_channels // groups * out_channels
    return times * weight.numel() + out_channels, times * int(weight.grad.sum())


@correct
def shape_of_all_windows(n, c, k, f, stride=1, padding=0, groups=1):
    image = np.broadcast_to(False, (n + 2 * padding, n + 2 * padding))
    windows = np.lib.stride_tricks.sliding_window_view(image, (f, f))[::stride, ::stride]
    return k * (f * f * c // groups + 1), windows.size * (c // groups) * k


@correct
def columns_of_unfold(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    image = torch.empty(1, in_channels // groups, size, size, device="meta")
    columns = nn.functional.unfold(image, kernel_size, padding=padding, stride=stride)
    return out_channels * columns.size(1) + out_channels, out_channels * columns.numel()


@correct
def with_torchinfo(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    # Without a bias, whose additions torchinfo counts, too.
    with torch.device("meta"):
        conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False
        )
    shape = (1, in_channels, size, size)
    table = summary(conv, input_data=torch.empty(shape, device="meta"), device="meta", verbose=0)
    return table.total_params + out_channels, table.total_mult_adds


@correct
def step_by_step(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    side, end = 0, kernel_size
    while end <= size + 2 * padding:
        side += 1
        end += stride
    parameters = multiply_adds = 0
    for _ in range(out_channels):
        for _ in range(in_channels // groups):
            parameters += kernel_size**2
            multiply_adds += kernel_size**2 * side**2
        parameters += 1
    return parameters, multiply_adds


@correct
def functions_in_a_function(
    size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1
):
    def weights():
        shape = out_channels, in_channels // groups, kernel_size, kernel_size
        return np.prod(shape, dtype=np.int64)

    def places():
        # All places of stride 1, of which every S-th is used, and the first one always.
        return math.ceil((size + 2 * padding - kernel_size + 1) / stride) ** 2

    return weights() + out_channels, weights() * places()


@correct
def with_fractions(size, in_channels, out_channels, kernel_size, stride=1, padding=0, groups=1):
    weights = Fraction(out_channels * in_channels, groups) * kernel_size**2
    side = math.floor(Fraction(size + 2 * padding - kernel_size, stride)) + 1
    return weights + out_channels, weights * side**2
