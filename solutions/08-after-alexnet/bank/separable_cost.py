"""Task 2: what a separable convolution costs."""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from grader.authoring.bank import correct, mistake

# In all of these F is the kernel size, C the maps that go in and K those that come out.


def places(height, width, kernel_size, stride, padding):
    rows = (height - kernel_size + 2 * padding) // stride + 1
    return rows * ((width - kernel_size + 2 * padding) // stride + 1)


@correct
def closed_form(height, width, channels, maps, kernel_size, stride=1, padding=0):
    parameters = channels * (kernel_size**2 + maps)
    h = (height + 2 * padding - kernel_size) // stride + 1
    w = (width + 2 * padding - kernel_size) // stride + 1
    return parameters, parameters * h * w, 1 / maps + 1 / kernel_size**2


@correct
def with_numbers_of_numpy(height, width, channels, maps, kernel_size, stride=1, padding=0):
    size = np.array([height, width]) + 2 * padding - kernel_size
    h, w = (int(n) for n in size // stride + 1)
    depthwise, pointwise = channels * kernel_size**2, channels * maps
    total = (depthwise + pointwise) * h * w
    return depthwise + pointwise, total, total / (h * w * channels * maps * kernel_size**2)


@correct
def two_convolutions(height, width, channels, maps, kernel_size, stride=1, padding=0):
    def cost(height, width, channels, maps, kernel_size, stride, padding, groups):
        weights = maps * (channels // groups) * kernel_size * kernel_size
        h = (height - kernel_size + 2 * padding) // stride + 1
        w = (width - kernel_size + 2 * padding) // stride + 1
        return weights, weights * h * w, h, w

    p1, m1, h, w = cost(height, width, channels, channels, kernel_size, stride, padding, channels)
    p2, m2, _, _ = cost(h, w, channels, maps, 1, 1, 0, 1)
    _, whole, _, _ = cost(height, width, channels, maps, kernel_size, stride, padding, 1)
    return p1 + p2, m1 + m2, (m1 + m2) / whole


@correct
def as_list(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return [p, p * count, p / (channels * maps * kernel_size**2)]


@correct
def counted_with_range(height, width, channels, maps, kernel_size, stride=1, padding=0):
    rows = len(range(0, height + 2 * padding - kernel_size + 1, stride))
    columns = len(range(0, width + 2 * padding - kernel_size + 1, stride))
    each = channels * kernel_size**2 + channels * maps
    return each, each * rows * columns, each / (maps * channels * kernel_size**2)


@correct
def with_floor(height, width, channels, maps, kernel_size, stride=1, padding=0):
    h = math.floor((height - kernel_size + 2 * padding) / stride) + 1
    w = math.floor((width - kernel_size + 2 * padding) / stride) + 1
    weights = math.prod((channels, kernel_size, kernel_size)) + math.prod((channels, maps))
    return weights, math.prod((weights, h, w)), (kernel_size**2 + maps) / (kernel_size**2 * maps)


@correct
def with_divmod(height, width, channels, maps, kernel_size, stride=1, padding=0):
    h, _ = divmod(height - kernel_size + 2 * padding, stride)
    w, _ = divmod(width - kernel_size + 2 * padding, stride)
    weights = channels * (kernel_size * kernel_size + maps)
    work = weights * (h + 1) * (w + 1)
    ordinary = channels * maps * kernel_size * kernel_size * (h + 1) * (w + 1)
    return weights, work, work / ordinary


@correct
def layers_without_numbers(height, width, channels, maps, kernel_size, stride=1, padding=0):
    with torch.device("meta"):
        first = nn.Conv2d(1, 1, kernel_size, stride, padding, bias=False)
        h, w = first(torch.empty(1, 1, height, width)).shape[2:]
    per_place = channels * first.weight.numel() + channels * maps
    return per_place, per_place * h * w, per_place / (channels * maps * first.weight.numel())


@correct
def layers_counted(height, width, channels, maps, kernel_size, stride=1, padding=0):
    with torch.device("meta"):
        depthwise = torch.empty(channels, 1, kernel_size, kernel_size)
        pointwise = torch.empty(maps, channels, 1, 1)
    count = depthwise.numel() + pointwise.numel()
    work = count * places(height, width, kernel_size, stride, padding)
    whole = maps * depthwise.numel() * places(height, width, kernel_size, stride, padding)
    return count, work, work / whole


@correct
def sums_of_rows(height, width, channels, maps, kernel_size, stride=1, padding=0):
    depthwise = sum(kernel_size for _ in range(kernel_size)) * channels
    h = 1 + (height + padding + padding - kernel_size) // stride
    w = 1 + (width + padding + padding - kernel_size) // stride
    at_a_place = depthwise + maps * channels
    return at_a_place, h * w * at_a_place, at_a_place / (depthwise * maps)


@correct
def fraction_as_number_of_numpy(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, p * count, np.float64(p) / np.float64(channels * maps * kernel_size**2)


@correct
def with_lambda(height, width, channels, maps, kernel_size, stride=1, padding=0):
    out = lambda n: (n - kernel_size + 2 * padding) // stride + 1  # noqa: E731
    p = (kernel_size**2 + maps) * channels
    return p, p * out(height) * out(width), 1 / maps + kernel_size**-2


@mistake(
    "Your parameters are those of the depthwise filters alone. The pointwise filters are missing.",
    fails={"separable_cost_exact", "separable_cost_parameters", "separable_cost_together"},
)
def pointwise_parameters_missing(height, width, channels, maps, kernel_size, stride=1, padding=0):
    depthwise, pointwise = channels * kernel_size**2, channels * maps
    work = (depthwise + pointwise) * places(height, width, kernel_size, stride, padding)
    return depthwise, work, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your parameters are those of the pointwise filters alone. The depthwise filters are missing.",
    fails={"separable_cost_exact", "separable_cost_parameters", "separable_cost_together"},
)
def depthwise_parameters_missing(height, width, channels, maps, kernel_size, stride=1, padding=0):
    depthwise, pointwise = channels * kernel_size**2, channels * maps
    work = (depthwise + pointwise) * places(height, width, kernel_size, stride, padding)
    return pointwise, work, 1 / maps + 1 / kernel_size**2


@mistake(
    "There are as many parameters too many as both convolutions would have biases, C + K. They "
    "have none here.",
    fails={"separable_cost_exact", "separable_cost_parameters", "separable_cost_together"},
)
def biases_counted(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p + channels + maps, p * count, 1 / maps + 1 / kernel_size**2


@mistake(
    "There are K parameters too many, as many as the pointwise convolution would have biases. It "
    "has none here.",
    fails={"separable_cost_exact", "separable_cost_parameters", "separable_cost_together"},
)
def biases_of_pointwise_counted(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p + maps, p * count, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your numbers equal those of one ordinary convolution, in which each filter sees all maps.",
    fails={
        "separable_cost_exact",
        "separable_cost_fraction",
        "separable_cost_multiply_adds",
        "separable_cost_parameters",
        "separable_cost_together",
    },
)
def ordinary_convolution(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * maps * kernel_size**2
    return p, p * places(height, width, kernel_size, stride, padding), 1.0


@mistake(
    "Your counts equal those with K depthwise filters. There is one for each of the C maps "
    "that go in.",
    fails={
        "separable_cost_exact",
        "separable_cost_multiply_adds",
        "separable_cost_parameters",
        "separable_cost_together",
    },
)
def a_depthwise_filter_for_each_output(
    height, width, channels, maps, kernel_size, stride=1, padding=0
):
    p = maps * kernel_size**2 + channels * maps
    work = p * places(height, width, kernel_size, stride, padding)
    return p, work, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your counts equal those with depthwise filters that all see C maps. A depthwise filter "
    "sees one.",
    fails={
        "separable_cost_exact",
        "separable_cost_fraction",
        "separable_cost_multiply_adds",
        "separable_cost_parameters",
        "separable_cost_together",
    },
)
def depthwise_filters_see_all(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * channels * kernel_size**2 + channels * maps
    work = p * places(height, width, kernel_size, stride, padding)
    return p, work, p / (channels * maps * kernel_size**2)


@mistake(
    "Your counts equal those with a single depthwise filter for all maps. Each map has its own.",
    fails={
        "separable_cost_exact",
        "separable_cost_fraction",
        "separable_cost_multiply_adds",
        "separable_cost_parameters",
        "separable_cost_together",
    },
)
def one_depthwise_filter(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = kernel_size**2 + channels * maps
    work = p * places(height, width, kernel_size, stride, padding)
    return p, work, p / (channels * maps * kernel_size**2)


@mistake(
    "Your counts equal those with depthwise filters of F weights. A filter of F × F has F².",
    fails={
        "separable_cost_fraction",
        "separable_cost_multiply_adds",
        "separable_cost_parameters",
        "separable_cost_together",
    },
)
def kernel_size_not_squared(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size + channels * maps
    work = p * places(height, width, kernel_size, stride, padding)
    return p, work, p / (channels * maps * kernel_size**2)


@mistake(
    "Your counts equal those with pointwise filters that see K maps. They see the C maps that "
    "come out of the depthwise convolution.",
    fails={
        "separable_cost_exact",
        "separable_cost_fraction",
        "separable_cost_multiply_adds",
        "separable_cost_parameters",
        "separable_cost_together",
    },
)
def pointwise_filters_see_k_maps(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + maps * maps
    work = p * places(height, width, kernel_size, stride, padding)
    return p, work, p / (channels * maps * kernel_size**2)


@mistake(
    "Your counts equal those with the product of the two convolutions' weights. Both are "
    "stored, so they add up.",
    fails={
        "separable_cost_exact",
        "separable_cost_fraction",
        "separable_cost_multiply_adds",
        "separable_cost_parameters",
        "separable_cost_together",
    },
)
def multiplied(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 * channels * maps
    work = p * places(height, width, kernel_size, stride, padding)
    return p, work, p / (channels * maps * kernel_size**2)


@mistake(
    "Your multiply-adds are twice as many as asked for, as where multiplications and "
    "additions are counted as two. A multiply-add is one of each, together.",
    fails={"separable_cost_exact", "separable_cost_multiply_adds", "separable_cost_together"},
)
def flops(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, 2 * p * count, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your multiply-adds equal those of a single place. The filters are used at many places.",
    fails={
        "separable_cost_exact",
        "separable_cost_multiply_adds",
        "separable_cost_places",
        "separable_cost_together",
    },
)
def one_place(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    return p, p, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your multiply-adds equal those with a place for each pixel of the image. Stride, padding and "
    "the size of the filter decide how many places there are.",
    fails={"separable_cost_multiply_adds", "separable_cost_places", "separable_cost_together"},
)
def a_place_for_each_pixel(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    return p, p * height * width, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your multiply-adds equal those in which the pointwise filters are used at each pixel of the "
    "image. They work on the maps that come out of the depthwise convolution.",
    fails={
        "separable_cost_fraction",
        "separable_cost_multiply_adds",
        "separable_cost_places",
        "separable_cost_together",
    },
)
def pointwise_at_each_pixel(height, width, channels, maps, kernel_size, stride=1, padding=0):
    depthwise, pointwise = channels * kernel_size**2, channels * maps
    count = places(height, width, kernel_size, stride, padding)
    work = depthwise * count + pointwise * height * width
    return depthwise + pointwise, work, work / (count * maps * depthwise)


@mistake(
    "Your multiply-adds equal those in which the stride and the padding apply to the pointwise "
    "convolution as well.",
    fails={"separable_cost_places", "separable_cost_together"},
)
def pointwise_with_stride_and_padding(
    height, width, channels, maps, kernel_size, stride=1, padding=0
):
    depthwise, pointwise = channels * kernel_size**2, channels * maps
    h = (height - kernel_size + 2 * padding) // stride + 1
    w = (width - kernel_size + 2 * padding) // stride + 1
    work = depthwise * h * w + pointwise * places(h, w, 1, stride, padding)
    return depthwise + pointwise, work, work / (h * w * maps * depthwise)


@mistake(
    "Your multiply-adds equal those in which the height is taken for the width, too.",
    fails={"separable_cost_exact", "separable_cost_places", "separable_cost_together"},
)
def height_twice(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, height, kernel_size, stride, padding)
    return p, p * count, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your multiply-adds equal those in which the width is taken for the height, too.",
    fails={"separable_cost_exact", "separable_cost_places", "separable_cost_together"},
)
def width_twice(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(width, width, kernel_size, stride, padding)
    return p, p * count, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your multiply-adds equal those with the padding on one side only. Each side gets it.",
    fails={"separable_cost_places", "separable_cost_together"},
)
def padding_once(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    h = (height - kernel_size + padding) // stride + 1
    w = (width - kernel_size + padding) // stride + 1
    return p, p * h * w, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your multiply-adds equal those without the padding.",
    fails={"separable_cost_places", "separable_cost_together"},
)
def padding_forgotten(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, 0)
    return p, p * count, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your multiply-adds equal those with stride 1.",
    fails={"separable_cost_places", "separable_cost_together"},
)
def stride_forgotten(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, 1, padding)
    return p, p * count, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your multiply-adds equal those of a map that lacks its last row and its last column.",
    fails={
        "separable_cost_exact",
        "separable_cost_multiply_adds",
        "separable_cost_places",
        "separable_cost_together",
    },
)
def a_place_too_few(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    h = (height - kernel_size + 2 * padding) // stride
    w = (width - kernel_size + 2 * padding) // stride
    return p, p * h * w, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your multiply-adds equal those with numbers of places that are rounded up where the last "
    "step does not fit. PyTorch rounds down.",
    fails={"separable_cost_places", "separable_cost_together"},
)
def rounded_up(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    h = -(-(height - kernel_size + 2 * padding) // stride) + 1
    w = -(-(width - kernel_size + 2 * padding) // stride) + 1
    return p, p * h * w, 1 / maps + 1 / kernel_size**2


@mistake(
    "Where the last step does not fit, your numbers of places have fractions. Round down.",
    fails={"separable_cost_exact", "separable_cost_places", "separable_cost_together"},
)
def not_rounded(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    h = (height - kernel_size + 2 * padding) / stride + 1
    w = (width - kernel_size + 2 * padding) / stride + 1
    return p, p * h * w, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your fraction is upside down: it equals the multiply-adds of the ordinary convolution, "
    "divided by those of the two.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def fraction_upside_down(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, p * count, channels * maps * kernel_size**2 / p


@mistake(
    "Your fraction equals the one in which the ordinary convolution is used at each pixel of the "
    "image. It has the same stride and padding, so the same places.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def ordinary_convolution_at_each_pixel(
    height, width, channels, maps, kernel_size, stride=1, padding=0
):
    p = channels * kernel_size**2 + channels * maps
    count = p * places(height, width, kernel_size, stride, padding)
    return p, count, count / (maps * channels * kernel_size**2 * height * width)


@mistake(
    "Your fraction equals the part that is saved. Asked for is the part that remains.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def fraction_saved(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, p * count, 1 - p / (channels * maps * kernel_size**2)


@mistake(
    "Your fraction equals 1/C + 1/F². The maps that come out decide, not those that go in.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def fraction_with_channels(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, p * count, 1 / channels + 1 / kernel_size**2


@mistake(
    "Your fraction equals 1/K + 1/F. A filter has F² weights.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def fraction_with_the_side(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, p * count, 1 / maps + 1 / kernel_size


@mistake(
    "Your fraction equals 1/K + 1/9, which is right for filters of 3 × 3 alone.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def fraction_for_three(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, p * count, 1 / maps + 1 / 9


@mistake(
    "Your fraction is in percent: a hundred times what is asked for.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def fraction_in_percent(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, p * count, 100 * p / (channels * maps * kernel_size**2)


@mistake(
    "Your fraction has lost its digits after the point: it equals what a division with // gives.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def fraction_rounded_down(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, p * count, p // (channels * maps * kernel_size**2)


@mistake(
    "Your fraction holds only two digits after the point.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def fraction_of_two_digits(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p, p * count, round(p / (channels * maps * kernel_size**2), 2)


@mistake(
    "Very large counts have lost their last digits: your numbers equal those of float64, which "
    "holds about 16 digits. Whole numbers of Python have as many as they need.",
    fails={"separable_cost_exact"},
)
def in_float64(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = float(channels) * kernel_size**2 + float(channels) * maps
    count = float(places(height, width, kernel_size, stride, padding))
    return p, p * count, 1 / maps + 1 / kernel_size**2


@mistake(
    "Very large counts have lost their last digits. Whole numbers of Python have as many as they "
    "need.",
    fails={"separable_cost_exact"},
    undiagnosed="places that are not rounded down give the same numbers",
)
def in_float64_step_by_step(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    h = (height - kernel_size + 2 * padding) // stride + 1
    w = (width - kernel_size + 2 * padding) // stride + 1
    return p, float(p) * h * w, 1 / maps + 1 / kernel_size**2


@mistake(
    "Very large counts are wrong: your numbers equal those of 64 bits, which overflow above about "
    "9 · 10¹⁸. Whole numbers of Python have as many digits as they need.",
    fails={"separable_cost_exact"},
)
def in_int64(height, width, channels, maps, kernel_size, stride=1, padding=0):
    with np.errstate(over="ignore"):
        p = np.int64(channels) * kernel_size**2 + np.int64(channels) * maps
        work = p * np.int64(places(height, width, kernel_size, stride, padding))
    return p, work, 1 / maps + 1 / kernel_size**2


@mistake(
    "Multiply-adds and parameters are exchanged. The task asks for parameters first.",
    fails={
        "separable_cost_exact",
        "separable_cost_multiply_adds",
        "separable_cost_parameters",
        "separable_cost_places",
        "separable_cost_together",
    },
)
def exchanged(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    count = places(height, width, kernel_size, stride, padding)
    return p * count, p, 1 / maps + 1 / kernel_size**2


@mistake(
    "Your result has two numbers. The fraction is missing.",
    fails={"separable_cost_fraction", "separable_cost_together"},
)
def fraction_forgotten(height, width, channels, maps, kernel_size, stride=1, padding=0):
    p = channels * kernel_size**2 + channels * maps
    return p, p * places(height, width, kernel_size, stride, padding)


class Cost(NamedTuple):
    parameters: int
    multiply_adds: int
    fraction: Fraction


@correct
def exact_fraction(height, width, channels, maps, kernel_size, stride=1, padding=0):
    last = 2 * padding - kernel_size + 1
    places = math.prod(len(range(0, side + last, stride)) for side in (height, width))
    weights = channels * (kernel_size**2 + maps)
    return Cost(weights, weights * places, Fraction(1, maps) + Fraction(1, kernel_size**2))
