"""Task 5: count the parameters of a convolution layer."""

import collections
import functools
import itertools
import math
import operator

import numpy as np
from torch import nn

from grader.authoring.bank import correct, mistake
from helpers.shapes import count_parameters


def rows_and_columns(kernel_size):
    if isinstance(kernel_size, int):
        return kernel_size, kernel_size
    return kernel_size


@mistake(
    "Your filters have one channel only. Each filter is as deep as its input.",
    fails={"conv_parameters_weights", "conv_parameters_pair", "conv_parameters_together"},
)
def in_channels_forgotten(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return rows * columns * out_channels + (out_channels if bias else 0)


@mistake(
    "Your counts equal those of a single filter. There is one for each output channel.",
    fails={"conv_parameters_weights", "conv_parameters_pair", "conv_parameters_together"},
)
def out_channels_forgotten(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return rows * columns * in_channels + (out_channels if bias else 0)


@mistake(
    "You add the numbers of input and output channels. Each filter has its own weights for each "
    "input channel.",
    fails={"conv_parameters_weights", "conv_parameters_pair", "conv_parameters_together"},
)
def channels_added(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return rows * columns * (in_channels + out_channels) + (out_channels if bias else 0)


@mistake(
    "Your kernel is a line: its size counts once. A kernel of size F has F rows and F columns.",
    fails={"conv_parameters_weights", "conv_parameters_together"},
)
def kernel_counted_once(in_channels, out_channels, kernel_size, bias=True):
    weights = math.prod([kernel_size] if isinstance(kernel_size, int) else kernel_size)
    return weights * in_channels * out_channels + (out_channels if bias else 0)


@mistake(
    "Your counts equal those with twice the kernel size in the place of its square.",
    fails={"conv_parameters_weights", "conv_parameters_together"},
)
def kernel_doubled(in_channels, out_channels, kernel_size, bias=True):
    area = kernel_size * 2 if isinstance(kernel_size, int) else math.prod(kernel_size)
    return area * in_channels * out_channels + (out_channels if bias else 0)


@mistake(
    "Your count is multiplied by the number of places in an image of 32 × 32. The filter is used "
    "at every place, but its weights are paid for once.",
    fails={
        "conv_parameters_weights",
        "conv_parameters_bias",
        "conv_parameters_pair",
        "conv_parameters_together",
    },
)
def multiplied_by_places(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    places = (32 - rows + 1) * (32 - columns + 1)
    return (rows * columns * in_channels + (1 if bias else 0)) * out_channels * places


@mistake(
    "You count one bias for the whole layer. Each filter has its own.",
    fails={"conv_parameters_bias", "conv_parameters_together"},
)
def one_bias_for_all(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return rows * columns * in_channels * out_channels + int(bias)


@mistake(
    "Your count is without biases, even where the layer has them.",
    fails={"conv_parameters_bias", "conv_parameters_together"},
)
def bias_forgotten(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return rows * columns * in_channels * out_channels


@mistake(
    "Your count has the biases in it with bias=False too.",
    fails={"conv_parameters_bias", "conv_parameters_together"},
)
def bias_always(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return (rows * columns * in_channels + 1) * out_channels


@mistake(
    "Your meaning of `bias` is the wrong way round: the biases are in the count with bias=False, "
    "and missing with bias=True.",
    fails={"conv_parameters_bias", "conv_parameters_together"},
)
def bias_upside_down(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return (rows * columns * in_channels + (0 if bias else 1)) * out_channels


@mistake(
    "Your count is one too large. A layer learns only its weights and its biases.",
    fails={"conv_parameters_weights", "conv_parameters_together"},
)
def one_on_top(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return rows * columns * in_channels * out_channels + (out_channels if bias else 0) + 1


@mistake(
    "Your count is one too large with biases. There is one bias for each filter, and no further "
    "one.",
    fails={"conv_parameters_bias", "conv_parameters_together"},
)
def one_on_top_of_the_biases(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    weights = rows * columns * in_channels * out_channels
    return weights + out_channels + 1 if bias else weights


@mistake(
    "Your count has the right value, but it is a float such as 216.0. A count has to be an int.",
    fails={"conv_parameters_weights", "conv_parameters_together"},
)
def float_result(in_channels, out_channels, kernel_size, bias=True):
    count = np.ones((out_channels, in_channels, *rows_and_columns(kernel_size))).sum()
    return count + np.ones(out_channels).sum() if bias else count


@mistake(
    "You count one bias for each input channel. It is added to a map of the output, so there is "
    "one for each of those.",
    fails={"conv_parameters_bias", "conv_parameters_together"},
)
def bias_of_each_input(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return rows * columns * in_channels * out_channels + (in_channels if bias else 0)


@mistake(
    "You count one bias for each channel of each filter. The sums of a filter over all its "
    "channels are added first, and then comes one bias.",
    fails={"conv_parameters_bias", "conv_parameters_together"},
)
def bias_of_each_kernel(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return (rows * columns + (1 if bias else 0)) * in_channels * out_channels


@mistake(
    "Of the pair your count uses the first number twice.",
    fails={"conv_parameters_pair", "conv_parameters_together"},
)
def first_of_the_pair(in_channels, out_channels, kernel_size, bias=True):
    rows, _ = rows_and_columns(kernel_size)
    return (rows**2 * in_channels + (1 if bias else 0)) * out_channels


@mistake(
    "Of the pair your count uses the second number twice.",
    fails={"conv_parameters_pair", "conv_parameters_together"},
)
def second_of_the_pair(in_channels, out_channels, kernel_size, bias=True):
    _, columns = rows_and_columns(kernel_size)
    return (columns**2 * in_channels + (1 if bias else 0)) * out_channels


@mistake(
    "Of the pair your count uses the larger number twice.",
    fails={"conv_parameters_pair", "conv_parameters_together"},
)
def larger_of_the_pair(in_channels, out_channels, kernel_size, bias=True):
    return (max(rows_and_columns(kernel_size)) ** 2 * in_channels + bool(bias)) * out_channels


@mistake(
    "Of the pair your count uses the smaller number twice.",
    fails={"conv_parameters_pair", "conv_parameters_together"},
)
def smaller_of_the_pair(in_channels, out_channels, kernel_size, bias=True):
    return (min(rows_and_columns(kernel_size)) ** 2 * in_channels + bool(bias)) * out_channels


@mistake(
    "You add the two numbers of the pair. A kernel of 3 rows and 5 columns has 15 weights a "
    "channel.",
    fails={"conv_parameters_pair", "conv_parameters_together"},
)
def pair_added(in_channels, out_channels, kernel_size, bias=True):
    area = kernel_size**2 if isinstance(kernel_size, int) else sum(kernel_size)
    return (area * in_channels + (1 if bias else 0)) * out_channels


@mistake(
    "Your function takes one number only as the kernel size. It can be a pair too.",
    fails={"conv_parameters_pair", "conv_parameters_together"},
    undiagnosed="with a pair it stops with an error, and there are no numbers to tell it by",
)
def no_pairs(in_channels, out_channels, kernel_size, bias=True):
    return (kernel_size**2 * in_channels + (1 if bias else 0)) * out_channels


@correct
def weights_and_bias_of_a_filter(depth, filters, size, bias=True):
    height, width = size if isinstance(size, tuple) else (size, size)
    return filters * (depth * height * width + bool(bias))


@correct
def asks_torch(in_channels, out_channels, kernel_size, bias=True):
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, bias=bias)
    return sum(parameter.numel() for parameter in layer.parameters())


@correct
def asks_the_helpers(in_channels, out_channels, kernel_size, bias=True):
    return count_parameters(nn.Conv2d(in_channels, out_channels, kernel_size, bias=bias))


@correct
def counts_filter_by_filter(in_channels, out_channels, kernel_size, bias=True):
    try:
        rows, columns = kernel_size
    except TypeError:
        rows = columns = kernel_size
    count = 0
    for _ in range(out_channels):
        for _ in range(in_channels):
            count += rows * columns
        if bias:
            count += 1
    return count


@correct
def with_prod(in_channels, out_channels, kernel_size, bias=True):
    shape = [out_channels, in_channels]
    shape += [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    total = math.prod(shape)
    if not bias:
        return total
    return total + shape[0]


@correct
def with_broadcast(in_channels, out_channels, kernel_size, bias=True):
    """A number of NumPy comes back, which is whole, too."""
    return out_channels * (in_channels * np.prod(np.broadcast_to(kernel_size, 2)) + bias)


@correct
def size_of_arrays(in_channels, out_channels, kernel_size, bias=True):
    weights = np.empty((out_channels, in_channels, *rows_and_columns(kernel_size)))
    return weights.size + (np.zeros(out_channels).size if bias else 0)


@correct
def without_memory(in_channels, out_channels, kernel_size, bias=True):
    """A layer on the device "meta" has shapes and no numbers."""
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, bias=bias, device="meta")
    return sum(math.prod(tensor.shape) for tensor in layer.state_dict().values())


@correct
def with_match(in_channels, out_channels, kernel_size, bias=True):
    match kernel_size:
        case int():
            products = in_channels * kernel_size**2
        case rows, columns:
            products = in_channels * rows * columns
    return {True: products + 1, False: products}[bias] * out_channels


@correct
def with_reduce(in_channels, out_channels, kernel_size, bias=True):
    numbers = [in_channels, *rows_and_columns(kernel_size)]
    a_filter = functools.reduce(operator.mul, numbers, 1)
    return sum(itertools.repeat(a_filter + int(bias), out_channels))


Kernel = collections.namedtuple("Kernel", ["rows", "columns"])


@correct
def with_a_named_tuple(in_channels, out_channels, kernel_size, bias=True):
    kernel = Kernel(*rows_and_columns(kernel_size))
    weights = kernel.rows * kernel.columns * in_channels * out_channels
    biases = out_channels if bias else 0
    return weights + biases


@correct
def length_of_all_parameters(in_channels, out_channels, kernel_size, bias=True):
    """All parameters in one long vector."""
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, bias=bias)
    return len(nn.utils.parameters_to_vector(layer.parameters()))


@mistake(
    "Your count holds the biases once too often.",
    fails={"conv_parameters_together"},
)
def biases_once_too_often(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    return rows * columns * in_channels * out_channels + out_channels * (1 + bias)


@mistake(
    "The biases are missing where the kernel is given as a pair.",
    fails={"conv_parameters_together"},
    undiagnosed="without any biases the numbers of the visible test are the same",
)
def no_biases_with_a_pair(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    weights = rows * columns * in_channels * out_channels
    return weights + (out_channels if bias and isinstance(kernel_size, int) else 0)


@mistake(
    "Your count has the right value, but it is a float such as 216.0. A count has to be an int.",
    fails={"conv_parameters_together"},
)
def float_for_a_pair(in_channels, out_channels, kernel_size, bias=True):
    rows, columns = rows_and_columns(kernel_size)
    count = rows * columns * in_channels * out_channels + (out_channels if bias else 0)
    return count if isinstance(kernel_size, int) else float(count)
