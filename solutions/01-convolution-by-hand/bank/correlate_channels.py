"""Task 2: one filter on an image with channels."""

import itertools
import math
import operator

import numpy as np
import torch
import torch.nn.functional as F

from grader.authoring.bank import correct, mistake

ONE_MAP, SUM = "correlate_channels_one_map", "correlate_channels_sum"
OWN_KERNEL, BIAS = "correlate_channels_own_kernel", "correlate_channels_bias"
WINDOW, FRACTIONS = "correlate_channels_window", "correlate_channels_fractions"
INPUTS, TOGETHER = "correlate_channels_inputs", "correlate_channels_together"


def slide(image, kernel):
    """One channel."""
    rows, columns = kernel.shape
    result = np.zeros((image.shape[0] - rows + 1, image.shape[1] - columns + 1))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = np.sum(image[i : i + rows, j : j + columns] * kernel)
    return result


@mistake(
    "Your output is the map of the first channel alone. The maps of the other channels are to be "
    "added to it.",
    fails={SUM, OWN_KERNEL, TOGETHER},
)
def first_channel_only(x, weight, bias):
    for c in range(len(x)):
        total = slide(x[c], weight[c])
        return total + bias


@mistake(
    "Your output equals the map of the last channel alone. The maps of the others are added to it.",
    fails={SUM, OWN_KERNEL, TOGETHER},
)
def last_channel_only(x, weight, bias):
    for c in range(len(x)):
        total = slide(x[c], weight[c])
    return total + bias


@mistake(
    "Your output leaves the last channel out. The maps of all channels are added up.",
    fails={SUM, OWN_KERNEL, WINDOW, FRACTIONS, TOGETHER},
)
def one_channel_left_out(x, weight, bias):
    total = np.zeros_like(slide(x[0], weight[0]))
    for c in range(len(x) - 1):
        total += slide(x[c], weight[c])
    return total + bias


@mistake(
    "Your output is the mean of the channels' maps. They are added up, and not divided by their "
    "number.",
    fails={SUM, OWN_KERNEL, TOGETHER},
)
def mean_of_channels(x, weight, bias):
    return np.mean([slide(*pair) for pair in zip(x, weight, strict=True)], axis=0) + bias


@mistake(
    "Your output is the largest of the channels' numbers at each place. The maps are added up.",
    fails={SUM, OWN_KERNEL, TOGETHER},
)
def largest_channel(x, weight, bias):
    return np.max([slide(*pair) for pair in zip(x, weight, strict=True)], axis=0) + bias


@mistake(
    "Your output still has a map for each channel. One filter makes one map, to which all channels "
    "contribute.",
    fails={ONE_MAP, SUM, OWN_KERNEL, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def map_for_each_channel(x, weight, bias):
    return np.stack([slide(x[c], weight[c]) + bias for c in range(len(x))])


@mistake(
    "Your output has one axis too many: a channel axis of length 1. One map has rows and columns "
    "only.",
    fails={ONE_MAP, SUM, OWN_KERNEL, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def axis_too_many(x, weight, bias):
    maps = np.stack([slide(x[c], weight[c]) for c in range(len(x))])
    return maps.sum(axis=0, keepdims=True) + bias


@mistake(
    "Your map is added up to a single number. Only the channels are added up; the places stay "
    "apart.",
    fails={ONE_MAP, SUM, OWN_KERNEL, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def everything_added_up(x, weight, bias):
    return np.array([slide(x[c], weight[c]) for c in range(len(x))]).sum() + bias


@mistake(
    "Your sum runs over the rows of each channel's map, so the rows are gone and the channels are "
    "still there. The axes are channel, row, column; the channels are added up.",
    fails={SUM, OWN_KERNEL, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def rows_added_up(x, weight, bias):
    maps = np.array([slide(x[c], weight[c]) for c in range(len(x))])
    return maps.sum(axis=1) + bias


@mistake(
    "Your numbers grow from place to place: the sum goes on from one window to the next. Each "
    "window starts a new sum.",
    fails={SUM, OWN_KERNEL, WINDOW, FRACTIONS, TOGETHER},
)
def sum_not_started_anew(x, weight, bias):
    one_map = sum(slide(x[c], weight[c]) for c in range(len(x)))
    return np.cumsum(one_map).reshape(one_map.shape) + bias


@mistake(
    "Only the place [0, 0] of your output is filled. The loops do not reach the other places.",
    fails={SUM, OWN_KERNEL, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def returns_after_first_place(x, weight, bias):
    _, rows, columns = weight.shape
    result = np.zeros((x.shape[1] - rows + 1, x.shape[2] - columns + 1))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = np.sum(x[:, i : i + rows, j : j + columns] * weight) + bias
            return result


@mistake(
    "Only the first row of your output is filled. The loops have to reach the other rows, too.",
    fails={SUM, OWN_KERNEL, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def returns_after_first_row(x, weight, bias):
    _, rows, columns = weight.shape
    result = np.zeros((x.shape[1] - rows + 1, x.shape[2] - columns + 1))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = np.sum(x[:, i : i + rows, j : j + columns] * weight) + bias
        return result


@mistake(
    "Your output is one long row with the numbers of all places. They have to stand in rows and "
    "columns.",
    fails={ONE_MAP, SUM, OWN_KERNEL, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def flat_list(x, weight, bias):
    _, rows, columns = weight.shape
    numbers = []
    for i in range(x.shape[1] - rows + 1):
        for j in range(x.shape[2] - columns + 1):
            numbers.append(np.sum(x[:, i : i + rows, j : j + columns] * weight) + bias)
    return np.array(numbers)


@mistake(
    "Your output uses the first kernel for every channel. Each channel has a kernel of its own.",
    fails={OWN_KERNEL, TOGETHER},
)
def first_kernel_for_all(x, weight, bias):
    return sum(slide(channel, weight[0]) for channel in x) + bias


@mistake(
    "Your output uses the last kernel for every channel. Each channel has a kernel of its own.",
    fails={OWN_KERNEL, TOGETHER},
)
def last_kernel_for_all(x, weight, bias):
    return sum(slide(channel, weight[-1]) for channel in x) + bias


@mistake(
    "Your channels meet the kernels in reversed order: the first channel gets the last kernel.",
    fails={OWN_KERNEL, TOGETHER},
)
def kernels_reversed(x, weight, bias):
    return sum(slide(channel, k) for channel, k in zip(x, weight[::-1], strict=True)) + bias


@mistake(
    "Each channel meets the kernel of its neighbour. The first channel belongs to the first "
    "kernel: both have the index 0.",
    fails={OWN_KERNEL, TOGETHER},
)
def kernels_shifted(x, weight, bias):
    total = 0
    for c in range(len(x)):
        total = total + slide(x[c], weight[c - 1])
    return total + bias


@mistake(
    "Your output adds up the channels first, and the kernels too, and slides once. Each channel "
    "must be multiplied by its own kernel before anything is added up.",
    fails={SUM, OWN_KERNEL, TOGETHER},
)
def channels_added_first(x, weight, bias):
    return slide(x.sum(axis=0), weight.sum(axis=0)) + bias


@mistake(
    "Where the sum is negative your output has 0. Negative numbers are to be kept.",
    fails={OWN_KERNEL, BIAS, TOGETHER},
)
def negative_numbers_dropped(x, weight, bias):
    return np.maximum(sum(slide(x[c], weight[c]) for c in range(len(x))) + bias, 0)


@mistake(
    "Your output has lost its minus signs. Asked for is the sum, with its sign.",
    fails={OWN_KERNEL, BIAS, TOGETHER},
)
def minus_signs_dropped(x, weight, bias):
    return np.abs(sum(slide(x[c], weight[c]) for c in range(len(x))) + bias)


@mistake(
    "The bias is missing from your output.",
    fails={BIAS, FRACTIONS, TOGETHER},
)
def bias_forgotten(x, weight, bias):
    return np.sum([slide(x[c], weight[c]) for c in range(len(x))], axis=0)


@mistake(
    "The bias has been added once for each channel. It belongs to the filter, so it is added only "
    "once.",
    fails={BIAS, TOGETHER},
)
def bias_for_each_channel(x, weight, bias):
    total = 0
    for c in range(len(x)):
        total = total + slide(x[c], weight[c]) + bias
    return total


@mistake(
    "The bias has been added to every product, so it is counted as often as the filter has "
    "numbers. It is added once, after the sum.",
    fails={BIAS, TOGETHER},
)
def bias_for_each_product(x, weight, bias):
    _, rows, columns = weight.shape
    result = np.zeros((x.shape[1] - rows + 1, x.shape[2] - columns + 1))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = np.sum(x[:, i : i + rows, j : j + columns] * weight + bias)
    return result


@mistake(
    "The bias has been added to the pixels of the image, before they are multiplied. It is added "
    "to the finished sum.",
    fails={BIAS, TOGETHER},
)
def bias_added_to_image(x, weight, bias):
    return sum(slide(x[c] + bias, weight[c]) for c in range(len(x)))


@mistake(
    "The bias has been subtracted. It is added, and lowers the numbers only when it is negative.",
    fails={BIAS, FRACTIONS, TOGETHER},
)
def bias_subtracted(x, weight, bias):
    return sum(slide(x[c], weight[c]) for c in range(len(x))) - bias


@mistake(
    "Your numbers equal those of a map that is multiplied by the bias. A bias is added.",
    fails={SUM, OWN_KERNEL, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def bias_multiplied(x, weight, bias):
    return sum(slide(x[c], weight[c]) for c in range(len(x))) * bias


@mistake(
    "The bias has been added to the first number of the map only. It is added to every number.",
    fails={BIAS, FRACTIONS, TOGETHER},
)
def bias_in_first_place_only(x, weight, bias):
    total = sum(slide(x[c], weight[c]) for c in range(len(x)))
    total[0, 0] += bias
    return total


@mistake(
    "Your output equals that of the kernels turned by 180°. They are laid on the window as they "
    "are, as in task 1.",
    fails={WINDOW, TOGETHER},
)
def kernels_flipped(x, weight, bias):
    return sum(slide(x[c], weight[c, ::-1, ::-1]) for c in range(len(x))) + bias


@mistake(
    "Your map has one row and one column too few. Count the places of the window once more.",
    fails={WINDOW, TOGETHER},
)
def one_place_short(x, weight, bias):
    _, rows, columns = weight.shape
    result = np.zeros((x.shape[1] - rows, x.shape[2] - columns))
    for i in range(x.shape[1] - rows):
        for j in range(x.shape[2] - columns):
            result[i, j] = np.sum(x[:, i : i + rows, j : j + columns] * weight) + bias
    return result


@mistake(
    "Your numbers are the mean of the products, so they are too small by the number of products. "
    "Asked for is their sum.",
    fails={SUM, OWN_KERNEL, WINDOW, TOGETHER},
)
def mean_of_products(x, weight, bias):
    return sum(slide(x[c], weight[c]) for c in range(len(x))) / weight.size + bias


@mistake(
    "Your output has lost its fractions, as an array of whole numbers does.",
    fails={FRACTIONS, TOGETHER},
)
def whole_number_array(x, weight, bias):
    _, rows, columns = weight.shape
    result = np.zeros((x.shape[1] - rows + 1, x.shape[2] - columns + 1), dtype=int)
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = np.sum(x[:, i : i + rows, j : j + columns] * weight) + bias
    return result


@mistake(
    "Your numbers equal what is left of them in the image's type. A filter with fractions "
    "makes fractions of an image of whole numbers, too.",
    fails={FRACTIONS, TOGETHER},
)
def type_of_image(x, weight, bias):
    _, rows, columns = weight.shape
    result = np.zeros((x.shape[1] - rows + 1, x.shape[2] - columns + 1), dtype=x.dtype)
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = np.sum(x[:, i : i + rows, j : j + columns] * weight) + bias
    return result


@mistake(
    "The fraction of the bias is missing. A bias is any number, not only a whole one.",
    fails={FRACTIONS, TOGETHER},
)
def bias_as_whole_number(x, weight, bias):
    return sum(slide(x[c], weight[c]) for c in range(len(x))) + int(bias)


@mistake(
    "Each product is written back into the image, and later windows see the changed numbers. A "
    "slice of an array is no copy.",
    fails={SUM, OWN_KERNEL, WINDOW, FRACTIONS, INPUTS, TOGETHER},
)
def multiplies_in_the_image(x, weight, bias):
    _, rows, columns = weight.shape
    result = np.zeros((x.shape[1] - rows + 1, x.shape[2] - columns + 1))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            window = x[:, i : i + rows, j : j + columns]
            window *= weight
            result[i, j] = window.sum() + bias
    return result


@mistake(
    "Your function stores the partial maps in the image that it was given, and the old numbers are "
    "gone. Whoever called it may still need them.",
    fails={INPUTS},
)
def partial_maps_in_the_image(x, weight, bias):
    x = np.asarray(x, dtype=float)  # no copy of an image that is float already
    for c in range(len(x)):
        partial = slide(x[c], weight[c])
        height, width = partial.shape
        x[c, :height, :width] = partial
    return x[:, :height, :width].sum(axis=0) + bias


@mistake(
    "Your function gives nothing back: what comes back is None. `print` shows a result, and "
    "does not give it back.",
    fails={ONE_MAP, SUM, OWN_KERNEL, BIAS, WINDOW, FRACTIONS, INPUTS, TOGETHER},
)
def prints_the_result(x, weight, bias):
    print(sum(slide(x[c], weight[c]) for c in range(len(x))) + bias)


@correct
def with_map_for_each_channel(x, weight, bias):
    result = slide(x[0], weight[0])
    for channel, kernel in zip(x[1:], weight[1:], strict=True):
        result += slide(channel, kernel)
    return result + bias


@correct
def with_einsum(x, weight, bias):
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape)[0]
    return np.einsum("ijcab,cab->ij", windows, weight) + bias


@correct
def with_five_loops(image, filters, b):
    """Starts from the bias, channels innermost."""
    channels, height, width = image.shape
    rows, columns = filters.shape[1:]
    result = np.full((height - rows + 1, width - columns + 1), b, dtype=float)
    for a in range(rows):
        for k in range(columns):
            for i in range(height - rows + 1):
                for j in range(width - columns + 1):
                    for c in range(channels):
                        result[i, j] += image[c, i + a, j + k] * filters[c, a, k]
    return result


@correct
def with_torch(x, weight, bias):
    """In float32."""
    x, weight = (torch.tensor(array, dtype=torch.float32) for array in (x, weight))
    result = F.conv2d(x[None], weight[None], torch.tensor([float(bias)]))
    return result.squeeze(0).squeeze(0).numpy()


@correct
def with_grouped_maps(x, weight, bias):
    """A map for each channel, then their sum."""
    x, weight = (torch.from_numpy(array.astype(np.float64)) for array in (x, weight))
    maps = F.conv2d(x[None], weight[:, None], groups=len(x))
    return maps[0].sum(dim=0) + bias


@correct
def with_matrix_product(x, weight, bias):
    """Places as the rows of a matrix, the filter as a vector."""
    height = x.shape[1] - weight.shape[1] + 1
    width = x.shape[2] - weight.shape[2] + 1
    rows = [
        x[:, i : i + weight.shape[1], j : j + weight.shape[2]].ravel()
        for i in range(height)
        for j in range(width)
    ]
    return (np.array(rows) @ weight.ravel()).reshape(height, width) + bias


@correct
def with_recursion(x, weight, bias):
    """The last channel, and the rest."""
    if len(x) == 0:
        return bias
    return slide(x[-1], weight[-1]) + with_recursion(x[:-1], weight[:-1], bias)


@correct
def with_fourier(x, weight, bias):
    """The channels are added up before the transform back."""
    size = x.shape[1:]
    spectrum = np.fft.fft2(x) * np.fft.fft2(weight, size).conj()
    everywhere = np.fft.ifft2(spectrum.sum(axis=0)).real
    return everywhere[: size[0] - weight.shape[1] + 1, : size[1] - weight.shape[2] + 1] + bias


@correct
def as_a_volume(x, weight, bias):
    """The channels as the depth of a volume, through which the filter fits once."""
    volume, kernel = (torch.tensor(array).double()[None, None] for array in (x, weight))
    return F.conv3d(volume, kernel)[0, 0, 0].add(bias)


@correct
def with_fsum(x, weight, bias):
    """Plain numbers, without rounding on the way."""
    x, weight = x.tolist(), weight.tolist()
    rows, columns = len(weight[0]), len(weight[0][0])
    kernel = list(itertools.chain.from_iterable(itertools.chain.from_iterable(weight)))

    def number_at(i, j):
        window = (n for channel in x for row in channel[i : i + rows] for n in row[j : j + columns])
        return math.fsum([bias, *map(operator.mul, window, kernel)])

    height, width = len(x[0]) - rows + 1, len(x[0][0]) - columns + 1
    return np.array([[number_at(i, j) for j in range(width)] for i in range(height)])


@correct
def with_a_layer(x, weight, bias):
    layer = torch.nn.Conv2d(len(x), 1, weight.shape[1:], dtype=torch.float64)
    with torch.no_grad():
        layer.weight[0] = torch.from_numpy(weight.astype(float))
        layer.bias[0] = bias
        return layer(torch.from_numpy(x.astype(float)))[0].numpy()


@correct
def channels_side_by_side(x, weight, bias):
    """One wide picture and one wide kernel with gaps, so that a single channel is left."""
    channels, _, width = x.shape
    picture = np.concatenate(list(x.astype(float)), axis=1)
    kernel = np.zeros((weight.shape[1], channels * width))
    for c in range(channels):
        kernel[:, c * width : c * width + weight.shape[2]] = weight[c]
    kernel = kernel[:, : (channels - 1) * width + weight.shape[2]]
    return slide(picture, kernel) + bias


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={TOGETHER},
)
def in_half_precision(x, weight, bias):
    return with_map_for_each_channel(x, weight, bias).astype(np.float16)


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={TOGETHER},
)
def one_array_for_all_calls(x, weight, bias, kept={}):  # noqa: B006
    made = with_map_for_each_channel(x, weight, bias)
    result = kept.setdefault(made.shape, made)
    result[:] = made
    return result


@mistake(
    "Your windows are right for an image that lies in memory row by row, and wrong for one that "
    "was transposed: there the next number of a row is not the next one in memory.",
    fails={TOGETHER},
    undiagnosed="only a hidden test has an image that lies in memory in another order",
)
def windows_by_steps_in_memory(x, weight, bias):
    channels, rows, columns = weight.shape
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    step = x.itemsize
    line = step * x.shape[2]
    windows = np.lib.stride_tricks.as_strided(
        x,
        (height, width, channels, rows, columns),
        (line, step, line * x.shape[1], line, step),
    )
    return (windows * weight.astype(float)).sum(axis=(2, 3, 4)) + bias


@mistake(
    "The bias is missing where the kernels are not square.",
    fails={BIAS, TOGETHER},
    undiagnosed="without any bias the numbers of the visible test are the same",
)
def bias_forgotten_unless_square(x, weight, bias):
    return with_map_for_each_channel(x, weight, bias if weight.shape[1] == weight.shape[2] else 0)


@mistake(
    "Your output is that of a filter in the type of the image. From whole pixels the fractions of "
    "the filter are lost then, and from uint8 its negative numbers, too.",
    fails={FRACTIONS, TOGETHER},
)
def filter_in_the_type_of_the_image(x, weight, bias):
    with np.errstate(invalid="ignore"):
        taken = weight.astype(x.dtype)
    return sum(slide(x[c].astype(float), taken[c]) for c in range(len(x))) + bias


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={TOGETHER},
)
def small_numbers_cut_off(x, weight, bias):
    result = sum(slide(x[c], weight[c]) for c in range(len(x))) + bias
    return np.where(abs(result) < 1e-3, 0, result)


@mistake(
    "The bias has been added twice. It is added once, to the finished sum.",
    fails={BIAS, FRACTIONS, TOGETHER},
)
def bias_twice(x, weight, bias):
    return with_map_for_each_channel(x, weight, bias) + bias
