"""Task 4: average pooling."""

from itertools import chain
from statistics import fmean

import numpy as np
import torch

from grader.authoring.bank import correct, mistake

EVERY = {
    "avg_pool2d_mean",
    "avg_pool2d_windows",
    "avg_pool2d_fractions",
    "avg_pool2d_maps",
    "avg_pool2d_padding",
}


def with_border(x, padding, **how):
    return np.pad(x, [(0, 0), (padding, padding), (padding, padding)], **how)


def mean(window):
    return window.mean(axis=(1, 2))


def slide(padded, kernel_size, stride, rule=mean, dtype=float):
    """`rule` makes a (C, K, K) window to C numbers; stride None stands for kernel_size."""
    step = kernel_size if stride is None else stride
    rows = (padded.shape[1] - kernel_size) // step + 1
    columns = (padded.shape[2] - kernel_size) // step + 1
    out = np.zeros((padded.shape[0], rows, columns), dtype=dtype)
    for i in range(rows):
        for j in range(columns):
            top, left = i * step, j * step
            out[:, i, j] = rule(padded[:, top : top + kernel_size, left : left + kernel_size])
    return out


@correct
def number_by_number(x, kernel_size, stride=None, padding=0):
    if stride is None:
        stride = kernel_size
    channels, height, width = x.shape
    out_h = (height + 2 * padding - kernel_size) // stride + 1
    out_w = (width + 2 * padding - kernel_size) // stride + 1
    out = np.zeros((channels, out_h, out_w))
    for c in range(channels):
        for i in range(out_h):
            for j in range(out_w):
                total = 0.0
                for a in range(kernel_size):
                    for b in range(kernel_size):
                        row, column = i * stride + a - padding, j * stride + b - padding
                        if 0 <= row < height and 0 <= column < width:
                            total += x[c, row, column]
                out[c, i, j] = total / kernel_size**2
    return out


@correct
def with_windows_view(maps, kernel_size, stride=None, padding=0):
    s = stride or kernel_size
    padded = np.pad(maps, ((0, 0), (padding, padding), (padding, padding)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (kernel_size, kernel_size), (1, 2))
    kernel = np.full((kernel_size, kernel_size), 1 / kernel_size**2)
    return np.einsum("cijab,ab->cij", view[:, ::s, ::s], kernel)


@correct
def with_torch(x, kernel_size, stride=None, padding=0):
    t = torch.tensor(x, dtype=torch.float64)
    return torch.nn.functional.avg_pool2d(t, kernel_size, stride=stride, padding=padding)


@correct
def as_a_convolution_in_float32(x, kernel_size, stride=None, padding=0):
    t = torch.from_numpy(np.asarray(x, dtype=np.float32))[:, None]
    weight = torch.ones(1, 1, kernel_size, kernel_size) / kernel_size**2
    step = kernel_size if stride is None else stride
    return torch.nn.functional.conv2d(t, weight, stride=step, padding=padding)[:, 0].numpy()


@correct
def with_running_sums(x, kernel_size, stride=None, padding=0):
    k, s = kernel_size, stride or kernel_size
    padded = with_border(x.astype(float), padding)
    sums = np.pad(padded, [(0, 0), (1, 0), (1, 0)]).cumsum(axis=1).cumsum(axis=2)
    totals = sums[:, k:, k:] - sums[:, :-k, k:] - sums[:, k:, :-k] + sums[:, :-k, :-k]
    return totals[:, ::s, ::s] / (k * k)


@correct
def shifted_maps(x, kernel_size, stride=None, padding=0):
    step = kernel_size if stride is None else stride
    padded = with_border(x, padding)
    h, w = ((side - kernel_size) // step + 1 for side in padded.shape[1:])
    parts = [
        padded[:, a : a + (h - 1) * step + 1 : step, b : b + (w - 1) * step + 1 : step]
        for a in range(kernel_size)
        for b in range(kernel_size)
    ]
    return sum(parts, np.zeros(1)) / len(parts)


@correct
def with_fourier_transform(x, kernel_size, stride=None, padding=0):
    # A product of transforms is a convolution; with a square of equal numbers, also a correlation.
    step = kernel_size if stride is None else stride
    padded = with_border(np.asarray(x, dtype=np.float64), padding)
    kernel = np.zeros(padded.shape[1:])
    kernel[:kernel_size, :kernel_size] = 1 / kernel_size**2
    product = np.fft.rfft2(padded) * np.fft.rfft2(kernel)
    means = np.fft.irfft2(product, padded.shape[1:])
    return means[:, kernel_size - 1 :: step, kernel_size - 1 :: step]


@correct
def product_of_three_matrices(x, kernel_size, stride=None, padding=0):
    # A row of a matrix holds 1 / K where its window lies.
    step = kernel_size if stride is None else stride

    def matrix(side):
        starts = range(-padding, side + padding - kernel_size + 1, step)
        places = np.arange(side)
        return np.array([(places >= s) & (places < s + kernel_size) for s in starts]) / kernel_size

    return matrix(x.shape[1]) @ x @ matrix(x.shape[2]).T


@correct
def lists_of_means(x, kernel_size, stride=None, padding=0):
    step = stride or kernel_size

    def pooled(rows):
        wide = [[0] * padding + row + [0] * padding for row in rows]
        empty = [[0] * (len(rows[0]) + 2 * padding)] * padding
        wide = empty + wide + empty
        return [
            [
                fmean(chain(*(row[left : left + kernel_size] for row in wide[top:][:kernel_size])))
                for left in range(0, len(wide[0]) - kernel_size + 1, step)
            ]
            for top in range(0, len(wide) - kernel_size + 1, step)
        ]

    return np.array([pooled(rows) for rows in x.tolist()])


@correct
def layer_with_equal_weights(x, kernel_size, stride=None, padding=0):
    # Its weights are parameters, so gradients are prepared for the result.
    maps = len(x)
    conv = torch.nn.Conv2d(maps, maps, kernel_size, stride or kernel_size, padding, groups=maps)
    torch.nn.init.constant_(conv.weight, 1 / kernel_size**2)
    torch.nn.init.zeros_(conv.bias)
    return conv(torch.tensor(x, dtype=torch.float32))


@correct
def gradient_of_the_way_back(x, kernel_size, stride=None, padding=0):
    # Each mean is handed out to the places of its window; how far the sum of all that, times x,
    # follows a mean is the mean itself.
    step = kernel_size if stride is None else stride
    size = [(side + 2 * padding - kernel_size) // step + 1 for side in x.shape[1:]]
    means = torch.zeros(len(x), *size, dtype=torch.float64, requires_grad=True)
    weight = torch.full((1, 1, kernel_size, kernel_size), kernel_size**-2.0, dtype=torch.float64)
    handed_out = torch.nn.functional.conv_transpose2d(means[:, None], weight, stride=step)[:, 0]
    padded = torch.from_numpy(with_border(x.astype(float), padding))
    (handed_out * padded[:, : handed_out.shape[1], : handed_out.shape[2]]).sum().backward()
    return means.grad


@correct
def pixel_by_pixel(x, kernel_size, stride=None, padding=0):
    # Each number goes to all the windows in which it lies.
    step = kernel_size if stride is None else stride
    out_h, out_w = ((side + 2 * padding - kernel_size) // step + 1 for side in x.shape[1:])
    totals = np.zeros((len(x), out_h, out_w))
    for row in range(x.shape[1]):
        for column in range(x.shape[2]):
            for i in range(out_h):
                for j in range(out_w):
                    a, b = row + padding - i * step, column + padding - j * step
                    if 0 <= a < kernel_size and 0 <= b < kernel_size:
                        totals[:, i, j] += x[:, row, column]
    return totals / kernel_size**2


@mistake(
    "Your output has the sum of each window. It was not divided.",
    fails={
        "avg_pool2d_mean",
        "avg_pool2d_windows",
        "avg_pool2d_fractions",
        "avg_pool2d_maps",
        "avg_pool2d_padding",
        "avg_pool2d_together",
    },
)
def total(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, lambda w: w.sum(axis=(1, 2)))


@mistake(
    "Your sums are divided by the side of the window. How many numbers has a window in all?",
    fails={
        "avg_pool2d_mean",
        "avg_pool2d_windows",
        "avg_pool2d_fractions",
        "avg_pool2d_maps",
        "avg_pool2d_padding",
        "avg_pool2d_together",
    },
)
def divided_by_the_side(x, kernel_size, stride=None, padding=0):
    return slide(
        with_border(x, padding),
        kernel_size,
        stride,
        lambda w: w.sum(axis=(1, 2)) / kernel_size,
    )


@mistake(
    "Your sums are divided by 4 for every window. That is right for windows of 2 × 2 only.",
    fails={"avg_pool2d_mean", "avg_pool2d_padding", "avg_pool2d_together"},
)
def divided_by_four(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, lambda w: w.sum(axis=(1, 2)) / 4)


@mistake(
    "Your sums are divided by how many numbers the whole map has. The mean is that of a window.",
    fails={
        "avg_pool2d_mean",
        "avg_pool2d_windows",
        "avg_pool2d_fractions",
        "avg_pool2d_maps",
        "avg_pool2d_padding",
        "avg_pool2d_together",
    },
)
def divided_by_the_map(x, kernel_size, stride=None, padding=0):
    places = x.shape[1] * x.shape[2]
    return slide(
        with_border(x, padding), kernel_size, stride, lambda w: w.sum(axis=(1, 2)) / places
    )


@mistake(
    "Your sums are divided by one less than the numbers of the window. Nothing is estimated here: "
    "the mean divides by all.",
    fails={
        "avg_pool2d_mean",
        "avg_pool2d_windows",
        "avg_pool2d_fractions",
        "avg_pool2d_maps",
        "avg_pool2d_padding",
        "avg_pool2d_together",
    },
)
def divided_by_one_less(x, kernel_size, stride=None, padding=0):
    places = max(kernel_size**2 - 1, 1)
    return slide(
        with_border(x, padding), kernel_size, stride, lambda w: w.sum(axis=(1, 2)) / places
    )


@mistake(
    "Zeros inside the map do not count in your means. A 0 is a number like any other.",
    fails={"avg_pool2d_mean", "avg_pool2d_padding", "avg_pool2d_together"},
)
def zeros_not_counted(x, kernel_size, stride=None, padding=0):
    def rule(window):
        count = np.maximum((window != 0).sum(axis=(1, 2)), 1)
        return window.sum(axis=(1, 2)) / count

    return slide(with_border(x, padding), kernel_size, stride, rule)


@mistake(
    "Your output has the largest number of each window: that is max pooling.",
    fails={
        "avg_pool2d_mean",
        "avg_pool2d_windows",
        "avg_pool2d_fractions",
        "avg_pool2d_maps",
        "avg_pool2d_padding",
        "avg_pool2d_together",
    },
)
def largest(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, lambda w: w.max(axis=(1, 2)))


@mistake(
    "Your output has the median of each window: the middle number by size, not the mean.",
    fails={
        "avg_pool2d_mean",
        "avg_pool2d_windows",
        "avg_pool2d_fractions",
        "avg_pool2d_maps",
        "avg_pool2d_padding",
        "avg_pool2d_together",
    },
)
def median(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, lambda w: np.median(w, axis=(1, 2)))


@mistake(
    "Your output has the middle between the smallest and the largest number of each window. The "
    "mean takes all numbers.",
    fails={
        "avg_pool2d_mean",
        "avg_pool2d_windows",
        "avg_pool2d_fractions",
        "avg_pool2d_maps",
        "avg_pool2d_padding",
        "avg_pool2d_together",
    },
)
def middle_of_the_range(x, kernel_size, stride=None, padding=0):
    return slide(
        with_border(x, padding),
        kernel_size,
        stride,
        lambda w: (w.min(axis=(1, 2)) + w.max(axis=(1, 2))) / 2,
    )


@mistake(
    "Your windows move by 1 where no stride was given. In pooling they lie side by side then.",
    fails={"avg_pool2d_windows"},
)
def default_stride_one(x, kernel_size, stride=1, padding=0):
    return slide(with_border(x, padding), kernel_size, stride)


@mistake(
    "Your windows lie side by side, although a stride was given.",
    fails={"avg_pool2d_windows", "avg_pool2d_together"},
)
def stride_ignored(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, None)


@mistake(
    "Your output has the right size, but its windows move by 1 only: the stride is missing where "
    "they are cut out.",
    fails={"avg_pool2d_windows", "avg_pool2d_padding", "avg_pool2d_together"},
)
def stride_in_the_size_only(x, kernel_size, stride=None, padding=0):
    out = np.zeros_like(slide(with_border(x, padding), kernel_size, stride))
    every_place = slide(with_border(x, padding), kernel_size, 1)
    out[:] = every_place[:, : out.shape[1], : out.shape[2]]
    return out


@mistake(
    "Your output has a window too many where the stride does not fit: the size is rounded up.",
    fails={"avg_pool2d_windows", "avg_pool2d_together"},
)
def size_rounded_up(x, kernel_size, stride=None, padding=0):
    step = stride or kernel_size
    padded = with_border(x, padding)
    out_h = int(np.ceil((padded.shape[1] - kernel_size) / step)) + 1
    out_w = int(np.ceil((padded.shape[2] - kernel_size) / step)) + 1
    out = np.zeros((len(x), out_h, out_w))
    for i in range(out_h):
        for j in range(out_w):
            top, left = i * step, j * step
            out[:, i, j] = mean(padded[:, top : top + kernel_size, left : left + kernel_size])
    return out


@mistake(
    "Your output lacks the last row and the last column. A window that moves n times stands in "
    "n + 1 places.",
    fails={"avg_pool2d_windows", "avg_pool2d_padding", "avg_pool2d_together"},
)
def last_window_missing(x, kernel_size, stride=None, padding=0):
    step = stride or kernel_size
    padded = with_border(x, padding)
    out_h = (padded.shape[1] - kernel_size) // step
    out_w = (padded.shape[2] - kernel_size) // step
    return slide(padded, kernel_size, stride)[:, :out_h, :out_w]


@mistake(
    "Your output has rows and columns exchanged.",
    fails={"avg_pool2d_windows", "avg_pool2d_padding", "avg_pool2d_together"},
)
def rows_and_columns_exchanged(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride).swapaxes(1, 2)


@mistake(
    "Your means are rounded down to whole numbers: // divides without a rest.",
    fails={"avg_pool2d_fractions", "avg_pool2d_together"},
)
def rounded_down(x, kernel_size, stride=None, padding=0):
    return slide(
        with_border(x, padding),
        kernel_size,
        stride,
        lambda w: w.sum(axis=(1, 2)) // kernel_size**2,
    )


@mistake(
    "Your means are rounded to the nearest whole number. They should stay fractions.",
    fails={"avg_pool2d_fractions", "avg_pool2d_together"},
)
def rounded(x, kernel_size, stride=None, padding=0):
    return np.round(slide(with_border(x, padding), kernel_size, stride))


@mistake(
    "Your result is an array of integers: what stands after the point is cut off.",
    fails={"avg_pool2d_fractions", "avg_pool2d_together"},
)
def integer_result(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, dtype=int)


@mistake(
    "Integers came in, and your result took over their type. It can't hold the fractions.",
    fails={"avg_pool2d_fractions", "avg_pool2d_together"},
)
def type_of_the_input(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, dtype=x.dtype)


@mistake(
    "All maps have the same numbers: the mean was taken over all maps together. Each map is pooled "
    "on its own.",
    fails={"avg_pool2d_maps", "avg_pool2d_together"},
)
def maps_together(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, lambda window: window.mean())


@mistake(
    "Your maps were added up, as a convolution does. In pooling each map stays on its own.",
    fails={"avg_pool2d_maps", "avg_pool2d_together"},
)
def maps_added(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride).sum(axis=0, keepdims=True)


@mistake(
    "Only the first map was pooled. The result has as many maps as x.",
    fails={"avg_pool2d_maps", "avg_pool2d_together"},
)
def first_map_only(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x[:1], padding), kernel_size, stride)


@mistake(
    "Each of your sums is divided by the places of the window and by the number of maps too.",
    fails={"avg_pool2d_maps", "avg_pool2d_together"},
)
def divided_by_the_maps(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride) / len(x)


@mistake(
    "Your means leave the border out of the count: each sum is divided by how many numbers of the "
    "map the window holds. Here the zeros of the border count.",
    fails={"avg_pool2d_padding", "avg_pool2d_together"},
)
def border_not_counted(x, kernel_size, stride=None, padding=0):
    sums = slide(with_border(x, padding), kernel_size, stride, lambda w: w.sum(axis=(1, 2)))
    ones = with_border(np.ones(x.shape), padding)
    return sums / slide(ones, kernel_size, stride, lambda w: w.sum(axis=(1, 2)))


@mistake(
    "Your border is made of −∞, and no mean survives that. This border belongs to max pooling.",
    fails={"avg_pool2d_padding", "avg_pool2d_together"},
)
def border_of_minus_infinity(x, kernel_size, stride=None, padding=0):
    padded = with_border(x.astype(float), padding, constant_values=-np.inf)
    return slide(padded, kernel_size, stride)


@mistake(
    "Your border repeats the numbers at the edge of the map. It should be made of zeros.",
    fails={"avg_pool2d_padding", "avg_pool2d_together"},
)
def border_repeats_the_edge(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding, mode="edge"), kernel_size, stride)


@mistake(
    "Your output is the one without padding.",
    fails={"avg_pool2d_padding", "avg_pool2d_together"},
)
def padding_ignored(x, kernel_size, stride=None, padding=0):
    return slide(x, kernel_size, stride)


@mistake(
    "Your output has padding above and on the left only, or its size counts the padding once.",
    fails={"avg_pool2d_padding", "avg_pool2d_together"},
)
def padding_on_two_sides(x, kernel_size, stride=None, padding=0):
    return slide(np.pad(x, [(0, 0), (padding, 0), (padding, 0)]), kernel_size, stride)


@mistake(
    "Your result has more maps than x: the padding also added maps before the first and after the "
    "last one.",
    fails={"avg_pool2d_padding", "avg_pool2d_together"},
)
def maps_padded_too(x, kernel_size, stride=None, padding=0):
    return slide(np.pad(x, padding), kernel_size, stride)


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={"avg_pool2d_together"},
)
def one_array_for_all_calls(x, kernel_size, stride=None, padding=0, kept={}):  # noqa: B006
    made = number_by_number(x, kernel_size, stride, padding)
    result = kept.setdefault(made.shape, made)
    result[:] = made
    return result


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={"avg_pool2d_together"},
)
def in_half_precision(x, kernel_size, stride=None, padding=0):
    return number_by_number(x, kernel_size, stride, padding).astype(np.float16)


@mistake(
    "The numbers of x are taken in the order in which memory has them. In a transposed array that "
    "is not the order of its rows.",
    fails={"avg_pool2d_together"},
    undiagnosed="only a hidden test has an array that lies in memory in another order",
)
def numbers_as_in_memory(x, kernel_size, stride=None, padding=0):
    return number_by_number(x.ravel(order="K").reshape(x.shape), kernel_size, stride, padding)


@mistake(
    "Your sums are kept in the type of the photo: in uint8 no sum is above 255.",
    fails={"avg_pool2d_together"},
)
def sum_in_the_type_of_x(x, kernel_size, stride=None, padding=0):
    step = kernel_size if stride is None else stride
    padded = with_border(x, padding)
    h, w = ((side - kernel_size) // step + 1 for side in padded.shape[1:])
    total = np.zeros((len(x), h, w), dtype=x.dtype)
    for a in range(kernel_size):
        for b in range(kernel_size):
            rows = slice(a, a + (h - 1) * step + 1, step)
            total += padded[:, rows, b : b + (w - 1) * step + 1 : step]
    return total / kernel_size**2


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"avg_pool2d_together"},
)
def small_numbers_cut_off(x, kernel_size, stride=None, padding=0):
    result = slide(with_border(x, padding), kernel_size, stride, mean)
    return np.where(np.abs(result) < 1e-3, 0, result)
