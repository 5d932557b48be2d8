"""Task 1: count the places of a window along one axis."""

import bisect
import itertools
import math
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

import numpy as np
import torch

from grader.authoring.bank import correct, mistake
from helpers.shapes import conv_output_size

# Mistakes: rounding.


@mistake(
    "Your sizes are rounded up when the stride does not fit. A window that would stick out of the "
    "line has no place.",
    fails={"output_size_floor", "output_size_together"},
)
def ceil_for_floor(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        return 0
    return math.ceil(room / stride) + 1


@mistake(
    "Your sizes are rounded to the nearest whole number. Half a step, or two thirds of one, is "
    "not a step: the window is not moved.",
    fails={"output_size_floor", "output_size_together"},
)
def rounded_to_nearest(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        return 0
    return round(room / stride + 1)


@mistake(
    "You find one place for a window that is larger than the line. (`int()` and `math.ceil()` make "
    "0 of −0.67, and then 1 is added.) Too little room gives no place, however it is rounded.",
    fails={"output_size_too_large", "output_size_together"},
)
def int_truncates(size, kernel_size, stride=1, padding=0, dilation=1):
    places = int((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1
    return max(places, 0)


@mistake(
    "Your sizes are rounded to the nearest whole number. Half a step, or two thirds of one, is "
    "not a step: the window is not moved.",
    fails={"output_size_floor", "output_size_too_large", "output_size_together"},
)
def rounded_without_a_rule(size, kernel_size, stride=1, padding=0, dilation=1):
    places = round((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1
    return max(places, 0)


@mistake(
    "Only a part of your formula is divided by the stride. All the room for the steps is.",
    fails={
        "output_size_stride",
        "output_size_floor",
        "output_size_too_large",
        "output_size_together",
    },
)
def bracket_missing(size, kernel_size, stride=1, padding=0, dilation=1):
    places = size + 2 * padding - dilation * (kernel_size - 1) - 1 // stride + 1
    return max(places, 0)


@mistake(
    "You return the fraction before rounding. There are no half places.",
    fails={"output_size_floor", "output_size_whole_number", "output_size_together"},
)
def never_rounded(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        return 0
    return room / stride + 1


@mistake(
    "Your sizes have the right value, but they are floats such as 4.0. A size has to be an int.",
    fails={"output_size_whole_number"},
)
def float_result(size, kernel_size, stride=1, padding=0, dilation=1):
    places = (size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride // 1 + 1
    return max(places, 0.0)


# Mistakes: a window that does not fit at all.


@mistake(
    "Your number of places is below zero when the window is larger than the line. The formula "
    "knows nothing of that case: it needs a rule of its own.",
    fails={"output_size_too_large", "output_size_together"},
)
def negative_count(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


@mistake(
    "You return at least 1. If the window covers more than the padded line there is no place.",
    fails={"output_size_too_large", "output_size_together"},
)
def at_least_one(size, kernel_size, stride=1, padding=0, dilation=1):
    return max((size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1, 1)


@mistake(
    "You stop with an error when the window is too large, as PyTorch does. Here the task asks "
    "for the answer 0.",
    fails={"output_size_too_large", "output_size_together"},
    undiagnosed="it stops with an error, and there are no numbers to tell it by",
)
def raises_an_error(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("the kernel does not fit")
    return room // stride + 1


@mistake(
    "You return 0 whenever the kernel is larger than the image. With enough padding around the "
    "image it does fit.",
    fails={"output_size_padding", "output_size_together"},
)
def fit_without_padding(size, kernel_size, stride=1, padding=0, dilation=1):
    covered = dilation * (kernel_size - 1) + 1
    if covered > size:
        return 0
    return (size + 2 * padding - covered) // stride + 1


@mistake(
    "Your test of whether the kernel fits counts the padding once. It can stand on the zeros of "
    "both sides.",
    fails={"output_size_padding", "output_size_together"},
    undiagnosed="where the visible tests find it, a window that just fits is refused as well",
)
def fit_with_padding_once(size, kernel_size, stride=1, padding=0, dilation=1):
    covered = dilation * (kernel_size - 1) + 1
    if covered > size + padding:
        return 0
    return (size + 2 * padding - covered) // stride + 1


@mistake(
    "You find no place for a window that is exactly as long as the line. It fits once.",
    fails={
        "output_size_count",
        "output_size_floor",
        "output_size_padding",
        "output_size_together",
    },
)
def just_fitting_refused(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    return room // stride + 1 if room > 0 else 0


@mistake(
    "Your number of places is below zero when only the dilation makes the window too large. "
    "Compare what the window covers with the line, and not the count of its numbers.",
    fails={"output_size_too_large", "output_size_together"},
)
def fit_without_dilation(size, kernel_size, stride=1, padding=0, dilation=1):
    if kernel_size > size + 2 * padding:
        return 0
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


# Mistakes: counting.


@mistake(
    "Your sizes are one too small. Each step gives one more place, and the first place comes "
    "without a step.",
    fails={"output_size_count", "output_size_stride", "output_size_together"},
)
def plus_one_forgotten(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    return max(room // stride, 0)


@mistake(
    "The 1 is added before you divide by the stride. It stands for the first place, which takes "
    "no step.",
    fails={"output_size_stride", "output_size_floor", "output_size_together"},
)
def plus_one_before_dividing(size, kernel_size, stride=1, padding=0, dilation=1):
    covered = dilation * (kernel_size - 1) + 1
    return max((size + 2 * padding - covered + 1) // stride, 0)


@mistake(
    "Your sizes are one too large with stride 1. A kernel of F numbers covers one pixel more than "
    "the distance from its first number to its last one.",
    fails={"output_size_count", "output_size_floor", "output_size_together"},
)
def one_pixel_too_many(size, kernel_size, stride=1, padding=0, dilation=1):
    line = size + 2 * padding
    if dilation * (kernel_size - 1) + 1 > line:
        return 0
    return (line - dilation * (kernel_size - 1)) // stride + 1


@mistake(
    "Your sizes equal those of a kernel of 1, which fits at every pixel. Near the end a "
    "larger one would stick out.",
    fails={
        "output_size_count",
        "output_size_stride",
        "output_size_floor",
        "output_size_too_large",
        "output_size_dilation",
        "output_size_together",
    },
)
def kernel_forgotten(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - 1) // stride + 1


# Mistakes: stride.


@mistake(
    "Your sizes are those of stride 1, whatever the stride.",
    fails={"output_size_stride", "output_size_floor", "output_size_together"},
)
def stride_ignored(size, kernel_size, stride=1, padding=0, dilation=1):
    return max(size + 2 * padding - dilation * (kernel_size - 1), 0)


@mistake(
    "Your sizes for strides above 2 equal those of stride 2.",
    fails={"output_size_stride", "output_size_floor", "output_size_together"},
)
def stride_of_two_only(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        return 0
    if stride == 1:
        return room + 1
    return room // 2 + 1


@mistake(
    "You divide the line by the stride first and take the kernel off afterwards. The kernel is "
    "measured in pixels of the image, not in steps.",
    fails={"output_size_stride", "output_size_floor", "output_size_together"},
)
def stride_before_kernel(size, kernel_size, stride=1, padding=0, dilation=1):
    covered = dilation * (kernel_size - 1) + 1
    if size + 2 * padding < covered:
        return 0
    return (size + 2 * padding) // stride - covered + 1


@mistake(
    "You divide the line and the kernel by the stride one by one, and round both. Only the room "
    "that is left for the steps is divided.",
    fails={"output_size_floor", "output_size_together"},
)
def divided_one_by_one(size, kernel_size, stride=1, padding=0, dilation=1):
    line, covered = size + 2 * padding, dilation * (kernel_size - 1) + 1
    if line < covered:
        return 0
    return line // stride - covered // stride + 1


# Mistakes: padding.


@mistake(
    "Your padding is counted once. It stands on both sides of the line.",
    fails={"output_size_padding", "output_size_together"},
)
def padding_once(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + padding - dilation * (kernel_size - 1) - 1
    return max(room // stride + 1, 0)


@mistake(
    "Your sizes do not change with the padding.",
    fails={"output_size_padding", "output_size_together"},
)
def padding_ignored(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size - dilation * (kernel_size - 1) - 1
    return max(room // stride + 1, 0)


@mistake(
    "Your padding is counted four times. Along one axis there are only two sides.",
    fails={"output_size_padding", "output_size_together"},
)
def padding_four_times(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + 4 * padding - dilation * (kernel_size - 1) - 1
    return max(room // stride + 1, 0)


@mistake(
    "Your padding makes the map smaller. It makes the line longer, so there are more places.",
    fails={"output_size_padding", "output_size_together"},
)
def padding_taken_off(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size - 2 * padding - dilation * (kernel_size - 1) - 1
    return max(room // stride + 1, 0)


@mistake(
    "You add the padding after you divide by the stride. The window moves over the padding in "
    "steps of the stride too.",
    fails={"output_size_stride", "output_size_together"},
)
def padding_after_stride(size, kernel_size, stride=1, padding=0, dilation=1):
    covered = dilation * (kernel_size - 1) + 1
    if covered > size + 2 * padding:
        return 0
    return (size - covered) // stride + 1 + 2 * padding


# Mistakes: dilation.


@mistake(
    "Your sizes equal those where the dilation is the number of holes between two numbers. In "
    "PyTorch it is their distance: 1 is the usual kernel.",
    fails={
        "output_size_count",
        "output_size_stride",
        "output_size_floor",
        "output_size_padding",
        "output_size_together",
    },
)
def dilation_as_holes(size, kernel_size, stride=1, padding=0, dilation=1):
    covered = kernel_size + (kernel_size - 1) * dilation
    return max((size + 2 * padding - covered) // stride + 1, 0)


@mistake(
    "Your window covers dilation times kernel size pixels. Behind its last number there is no "
    "gap any more.",
    fails={"output_size_dilation", "output_size_together"},
)
def dilation_times_kernel(size, kernel_size, stride=1, padding=0, dilation=1):
    return max((size + 2 * padding - dilation * kernel_size) // stride + 1, 0)


@mistake(
    "Your dilation makes the window longer only once. It widens each gap between two numbers.",
    fails={"output_size_dilation", "output_size_together"},
)
def dilation_added_once(size, kernel_size, stride=1, padding=0, dilation=1):
    covered = kernel_size + dilation - 1
    return max((size + 2 * padding - covered) // stride + 1, 0)


@mistake(
    "Your dilation takes places away after you divide by the stride. It makes the window wider, "
    "and that comes first.",
    fails={"output_size_stride", "output_size_together"},
)
def dilation_after_stride(size, kernel_size, stride=1, padding=0, dilation=1):
    places = (size + 2 * padding - kernel_size) // stride + 1
    return max(places - (dilation - 1) * (kernel_size - 1), 0)


@mistake(
    "Your padding is multiplied by the dilation. Only the kernel is spread; the zeros around the "
    "image stay as many as they are.",
    fails={"output_size_padding", "output_size_together"},
)
def padding_dilated(size, kernel_size, stride=1, padding=0, dilation=1):
    room = size + dilation * (2 * padding - (kernel_size - 1)) - 1
    return max(room // stride + 1, 0)


@mistake(
    "Your sizes do not change with the dilation.",
    fails={"output_size_too_large", "output_size_dilation", "output_size_together"},
)
def dilation_ignored(size, kernel_size, stride=1, padding=0, dilation=1):
    return max((size + 2 * padding - kernel_size) // stride + 1, 0)


@mistake(
    "Your dilation acts like a stride: the number of places is divided by it. It makes the window "
    "wider, and leaves its steps as they are.",
    fails={
        "output_size_too_large",
        "output_size_padding",
        "output_size_dilation",
        "output_size_together",
    },
)
def dilation_as_stride(size, kernel_size, stride=1, padding=0, dilation=1):
    return max((size + 2 * padding - kernel_size) // (stride * dilation) + 1, 0)


# Right in other ways.


@correct
def counts_the_starts(n, k, stride=1, padding=0, dilation=1):
    last = n + padding - (k - 1) * dilation - 1
    return len(range(-padding, last + 1, stride))


@correct
def with_floor(width, field, stride=1, padding=0, dilation=1):
    steps = (width + 2 * padding - dilation * (field - 1) - 1) / stride
    return max(0, math.floor(steps) + 1) if steps >= 0 else 0


@correct
def with_a_loop(size, kernel_size, stride=1, padding=0, dilation=1):
    places = 0
    start = -padding
    while start + dilation * (kernel_size - 1) < size + padding:
        places += 1
        start += stride
    return places


@correct
def by_recursion(size, kernel_size, stride=1, padding=0, dilation=1):
    if padding:
        return by_recursion(size + 2 * padding, kernel_size, stride, 0, dilation)
    if size < dilation * (kernel_size - 1) + 1:
        return 0
    return 1 + by_recursion(size - stride, kernel_size, stride, 0, dilation)


@correct
def asks_torch(size, kernel_size, stride=1, padding=0, dilation=1):
    line, kernel = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel_size)
    try:
        return torch.conv1d(line, kernel, None, stride, padding, dilation).shape[-1]
    except RuntimeError:
        return 0


@correct
def asks_the_helpers(size, kernel_size, stride=1, padding=0, dilation=1):
    try:
        return conv_output_size(size, kernel_size, stride, padding, dilation)
    except ValueError:
        return 0


@correct
def as_tensorflow_writes_it(size, kernel_size, stride=1, padding=0, dilation=1):
    starts = size + 2 * padding - dilation * (kernel_size - 1)
    return math.ceil(Fraction(max(starts, 0), stride))


@correct
def with_windows_of_torch(size, kernel_size, stride=1, padding=0, dilation=1):
    line = torch.zeros(size + padding + padding)
    covered = (kernel_size - 1) * dilation + 1
    return line.unfold(0, covered, stride).size(0) if covered <= len(line) else 0


@correct
def by_bisection(size, kernel_size, stride=1, padding=0, dilation=1):
    """How many of the windows' ends lie on the line."""
    covered = dilation * (kernel_size - 1) + 1
    line = size + 2 * padding
    return bisect.bisect_right(range(covered, line + covered + stride, stride), line)


@correct
def with_takewhile(size, kernel_size, stride=1, padding=0, dilation=1):
    def fits(start):
        return start + dilation * (kernel_size - 1) < size + padding

    return sum(1 for _ in itertools.takewhile(fits, itertools.count(-padding, stride)))


@correct
def rounded_with_decimal(size, kernel_size, stride=1, padding=0, dilation=1):
    room = Decimal(size + 2 * padding - dilation * (kernel_size - 1) - 1)
    steps = (room / stride).to_integral_value(ROUND_FLOOR)
    return max(int(steps) + 1, 0)


@correct
def with_numpy_numbers(size, kernel_size, stride=1, padding=0, dilation=1):
    """A number of NumPy comes back, which is whole, too."""
    starts = np.arange(size + 2 * padding)[::stride]
    return np.count_nonzero(starts + dilation * (kernel_size - 1) < size + 2 * padding)


@mistake(
    "Your places are right with padding or with dilation, and wrong with both: with padding your "
    "window covers no more than its numbers.",
    fails={"output_size_together"},
    undiagnosed="without dilation the numbers of the visible tests are the same",
)
def dilation_forgotten_with_padding(size, kernel_size, stride=1, padding=0, dilation=1):
    covered = kernel_size if padding else dilation * (kernel_size - 1) + 1
    return max((size + 2 * padding - covered) // stride + 1, 0)
