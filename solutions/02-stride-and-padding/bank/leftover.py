"""Task 2: how many pixels no window reads, at the end of the line."""

import collections
import math
from fractions import Fraction

import numpy as np
import torch

from grader.authoring.bank import correct, mistake


@mistake(
    "Your numbers equal the rest of the whole image divided by the stride. The last window "
    "can only start where it fits: the kernel counts too.",
    fails={"leftover_pixels", "leftover_padding"},
)
def kernel_forgotten(size, kernel_size, stride=1, padding=0):
    return max((size + 2 * padding) % stride - padding, 0)


@mistake(
    "Your numbers equal the rest of a division by the kernel size. The window moves in steps "
    "of the stride.",
    fails={"leftover_pixels", "leftover_padding"},
)
def rest_by_kernel(size, kernel_size, stride=1, padding=0):
    return max((size + 2 * padding) % kernel_size - padding, 0)


@mistake(
    "Your numbers say how many pixels are missing for one more window. Asked for is how many "
    "are left over.",
    fails={"leftover_pixels", "leftover_padding"},
)
def missing_for_the_next(size, kernel_size, stride=1, padding=0):
    return stride - (size + 2 * padding - kernel_size) % stride


@mistake(
    "Your number is 1 when the stride does not fit, and 0 when it does: it counts the window that "
    "has no place. Asked for are the pixels.",
    fails={"leftover_pixels", "leftover_padding"},
)
def places_for_pixels(size, kernel_size, stride=1, padding=0):
    steps = (size + 2 * padding - kernel_size) / stride
    return math.ceil(steps) - math.floor(steps)


@mistake(
    "Your numbers equal those where the room for the steps is one pixel too long. A kernel of "
    "F covers F pixels, and the last one of them is the end of the window.",
    fails={"leftover_pixels", "leftover_padding"},
)
def one_pixel_too_many(size, kernel_size, stride=1, padding=0):
    return max((size + 2 * padding - (kernel_size - 1)) % stride - padding, 0)


@mistake(
    "Your numbers equal what is left over if the windows read the number of places times the "
    "stride. That is right only if the window is as wide as its step.",
    fails={"leftover_pixels", "leftover_padding"},
)
def places_times_stride(size, kernel_size, stride=1, padding=0):
    places = (size + 2 * padding - kernel_size) // stride + 1
    return max(size + padding - places * stride, 0)


@mistake(
    "You take the number of places times the kernel size as what the windows read. Windows can "
    "overlap, and there can be gaps between them.",
    fails={"leftover_pixels", "leftover_padding"},
)
def places_times_kernel(size, kernel_size, stride=1, padding=0):
    places = (size + 2 * padding - kernel_size) // stride + 1
    return size + padding - places * kernel_size


@mistake(
    "You count all pixels that no window reads, those in gaps between two windows too. Only those "
    "after the last window are asked for.",
    fails={"leftover_pixels", "leftover_padding"},
)
def gaps_counted(size, kernel_size, stride=1, padding=0):
    read = set()
    for start in range(-padding, size + padding - kernel_size + 1, stride):
        read.update(range(start, start + kernel_size))
    return sum(pixel not in read for pixel in range(size))


@mistake(
    "Your number counts zeros of the padding as well. Only pixels of the image are asked for.",
    fails={"leftover_padding"},
)
def zeros_counted(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) % stride


@mistake(
    "Where pixels are left over, your number counts the zeros behind them as well. Only pixels of "
    "the image are asked for.",
    fails={"leftover_padding"},
)
def zeros_counted_behind_pixels(size, kernel_size, stride=1, padding=0):
    behind = (size + 2 * padding - kernel_size) % stride
    return behind if behind > padding else 0


@mistake(
    "Your number is the one without padding. With padding the windows start elsewhere.",
    fails={"leftover_padding"},
)
def padding_ignored(size, kernel_size, stride=1, padding=0):
    return (size - kernel_size) % stride


@mistake(
    "Your numbers equal those of a line without the zeros on the right. They do not count as "
    "pixels, but the last window may stand on them.",
    fails={"leftover_padding"},
)
def right_padding_dropped(size, kernel_size, stride=1, padding=0):
    return (size + padding - kernel_size) % stride


@mistake(
    "Your number equals what is left over, less the padding of both sides. Behind the last window "
    "there is only the padding on the right.",
    fails={"leftover_padding"},
)
def both_sides_taken_off(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) % stride - 2 * padding


@mistake(
    "Your number equals what is left over, less the padding of both sides, but never below 0. "
    "Behind the last window there is only the padding on the right.",
    fails={"leftover_padding"},
)
def left_padding_taken_for_pixels(size, kernel_size, stride=1, padding=0):
    """The last window ends at a position of the line, and not of the image."""
    places = (size + 2 * padding - kernel_size) // stride + 1
    return max(size - ((places - 1) * stride + kernel_size), 0)


@mistake(
    "Your number is below zero when all that is left over is padding. Then no pixel is lost.",
    fails={"leftover_padding"},
)
def below_zero(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) % stride - padding


@mistake(
    "Your number is the distance between what is left over and the padding. When less is left over "
    "than the padding, it is all zeros, and no pixel is lost.",
    fails={"leftover_padding"},
)
def minus_sign_dropped(size, kernel_size, stride=1, padding=0):
    return abs((size + 2 * padding - kernel_size) % stride - padding)


@mistake(
    "Your number has the right value, but it is a float such as 3.0. A count has to be an int.",
    fails={"leftover_pixels"},
)
def float_result(size, kernel_size, stride=1, padding=0):
    room = size + 2 * padding - kernel_size
    return max(room - np.floor(room / stride) * stride - padding, 0)


@correct
def from_the_last_window(n, k, stride=1, padding=0):
    starts = list(range(-padding, n + padding - k + 1, stride))
    return max(0, n - (starts[-1] + k))


@correct
def by_counting_places(size, kernel_size, stride=1, padding=0):
    places = (size + 2 * padding - kernel_size) // stride + 1
    end = (places - 1) * stride + kernel_size - padding
    if end >= size:
        return 0
    return size - end


@correct
def by_marking(size, kernel_size, stride=1, padding=0):
    line = ["zero"] * padding + ["pixel"] * size + ["zero"] * padding
    start = 0
    while start + kernel_size + stride <= len(line):
        start += stride
    return line[start + kernel_size :].count("pixel")


@correct
def with_divmod(width, window, stride=1, padding=0):
    _, rest = divmod(width + 2 * padding - window, stride)
    return sum(1 for position in range(rest) if position >= padding)


@correct
def by_recursion(size, kernel_size, stride=1, padding=0):
    def behind(length):
        return length - kernel_size if length < kernel_size + stride else behind(length - stride)

    return max(behind(size + 2 * padding) - padding, 0)


@correct
def with_sets(size, kernel_size, stride=1, padding=0):
    last = max(range(0, size + 2 * padding - kernel_size + 1, stride))
    behind = set(range(last + kernel_size, size + 2 * padding))
    return len(behind & set(range(padding, padding + size)))


@correct
def with_windows_of_numpy(size, kernel_size, stride=1, padding=0):
    """Each position of the line holds its own number; the last window is the one to look at."""
    line = np.arange(-padding, size + padding)
    windows = np.lib.stride_tricks.sliding_window_view(line, kernel_size)[::stride]
    return np.count_nonzero((line > windows[-1, -1]) & (line < size))


@correct
def with_unfold(size, kernel_size, stride=1, padding=0):
    is_pixel = torch.nn.functional.pad(torch.ones(size, dtype=torch.int64), (padding, padding))
    places = is_pixel.unfold(0, kernel_size, stride).shape[0]
    return is_pixel[(places - 1) * stride + kernel_size :].sum().item()


@correct
def with_autograd(size, kernel_size, stride=1, padding=0):
    """What the last window reads has a gradient: no pixel, if it lies among the zeros."""
    line = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    kernel = torch.ones(1, 1, kernel_size, dtype=torch.float64)
    sums = torch.conv1d(line, kernel, stride=stride, padding=padding)
    sums[0, 0, -1].backward()
    read = line.grad[0, 0].nonzero()
    return size - 1 - int(read.max()) if len(read) else 0


@correct
def with_a_while_loop(size, kernel_size, stride=1, padding=0):
    end = kernel_size - padding
    while end + stride <= size + padding:
        end += stride
    rest = 0
    while end < size:
        end, rest = end + 1, rest + 1
    return rest


@correct
def clipped_by_numpy(size, kernel_size, stride=1, padding=0):
    """A number of NumPy comes back, which is whole, too."""
    return np.clip((size + 2 * padding - kernel_size) % stride - padding, 0, size)


Line = collections.namedtuple("Line", ["first", "last", "end"])


@correct
def with_named_tuples(size, kernel_size, stride=1, padding=0):
    """The line by the positions of its first pixel, its last pixel and its end."""
    line = Line(first=padding, last=padding + size - 1, end=size + 2 * padding)
    steps = math.floor(Fraction(line.end - kernel_size, stride))
    return max(line.last - (steps * stride + kernel_size - 1), 0)
