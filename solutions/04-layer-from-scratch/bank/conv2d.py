"""Task 2: the forward pass of a convolution layer."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from grader.authoring.bank import correct, mistake


def zeros_around(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def windows_of(padded, weight, stride):
    """A view (N, C, out_h, out_w, kh, kw)."""
    return sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]


def layer(padded, weight, bias, stride):
    """The right result for images that have their border already."""
    sums = np.einsum("ncijab,kcab->nkij", windows_of(padded, weight, stride), weight)
    return sums + bias[:, None, None]


@mistake(
    "Your output equals that of filters turned by 180°. A layer uses them as they are.",
    fails={"conv2d_orientation", "conv2d_together"},
)
def kernel_turned(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight[:, :, ::-1, ::-1], bias, stride)


@mistake(
    "Your output equals that of transposed filters: their rows are laid on columns of the window.",
    fails={"conv2d_orientation", "conv2d_together"},
)
def kernel_transposed(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight.transpose(0, 1, 3, 2), bias, stride)


@mistake(
    "Your output equals that of mirrored filters, with left and right swapped.",
    fails={"conv2d_orientation", "conv2d_together"},
)
def kernel_mirrored(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight[:, :, :, ::-1], bias, stride)


@mistake(
    "Your windows are always square: the height of the filter is used for the width too.",
    fails={"conv2d_orientation", "conv2d_together"},
    undiagnosed="a 2 × 2 window and a 2 × 3 filter cannot be multiplied: NumPy stops with an error",
)
def always_square(x, weight, bias, stride=1, padding=0):
    size = weight.shape[2]
    padded = zeros_around(x, padding)
    out_height = (padded.shape[2] - size) // stride + 1
    out_width = (padded.shape[3] - size) // stride + 1
    out = np.zeros((len(x), len(weight), out_height, out_width), dtype=x.dtype)
    for n, k, i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        window = padded[n, :, top : top + size, left : left + size]
        out[n, k, i, j] = np.sum(window * weight[k]) + bias[k]
    return out


@mistake(
    "Your output has as many rows as it should have columns, and the other way round.",
    fails={"conv2d_shape", "conv2d_together"},
)
def height_and_width_swapped(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    kernel_height, kernel_width = weight.shape[2:]
    out_width = (padded.shape[2] - kernel_height) // stride + 1
    out_height = (padded.shape[3] - kernel_width) // stride + 1
    out = layer(padded, weight, bias, stride)
    return out.reshape(len(x), len(weight), out_height, out_width)


@mistake(
    "The last row and the last column of your output are missing: there is one place more than "
    "there are steps.",
    fails={"conv2d_shape", "conv2d_stride", "conv2d_padding", "conv2d_filters", "conv2d_together"},
)
def places_off_by_one(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height = (padded.shape[2] - weight.shape[2]) // stride
    out_width = (padded.shape[3] - weight.shape[3]) // stride
    out = np.zeros((len(x), len(weight), out_height, out_width), dtype=x.dtype)
    for i in range(out_height):
        for j in range(out_width):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + weight.shape[2], left : left + weight.shape[3]]
            out[:, :, i, j] = np.tensordot(window, weight, axes=([1, 2, 3], [1, 2, 3])) + bias
    return out


@mistake(
    "Your output holds means of the products, not sums: each number is too small by the number of "
    "weights in a filter.",
    fails={
        "conv2d_values",
        "conv2d_orientation",
        "conv2d_stride",
        "conv2d_padding",
        "conv2d_channels",
        "conv2d_filters",
        "conv2d_batch",
        "conv2d_together",
    },
)
def mean_of_products(x, weight, bias, stride=1, padding=0):
    windows = windows_of(zeros_around(x, padding), weight, stride)
    products = windows[:, None] * weight[:, :, None, None]
    return products.mean(axis=(2, 5, 6)) + bias[:, None, None]


@mistake(
    "Your numbers are sums of a matrix product of window and filter. Here each number of the "
    "window is multiplied by the number of the filter that lies on it.",
    fails={
        "conv2d_values",
        "conv2d_orientation",
        "conv2d_stride",
        "conv2d_padding",
        "conv2d_channels",
        "conv2d_filters",
        "conv2d_batch",
        "conv2d_together",
    },
)
def matrix_product_in_the_window(x, weight, bias, stride=1, padding=0):
    windows = windows_of(zeros_around(x, padding), weight, stride)
    return np.einsum("ncijab,kcbd->nkij", windows, weight) + bias[:, None, None]


@mistake(
    "In each sum only the last product is left. All products of a window are added up.",
    fails={
        "conv2d_values",
        "conv2d_orientation",
        "conv2d_stride",
        "conv2d_padding",
        "conv2d_channels",
        "conv2d_filters",
        "conv2d_together",
    },
)
def products_not_added(x, weight, bias, stride=1, padding=0):
    windows = windows_of(zeros_around(x, padding), weight, stride)
    n, channels, out_height, out_width, kernel_height, kernel_width = windows.shape
    out = np.zeros((n, len(weight), out_height, out_width), dtype=x.dtype)
    for c in range(channels):
        for a in range(kernel_height):
            for b in range(kernel_width):
                pixels = windows[:, None, c, :, :, a, b]
                out = pixels * weight[:, c, a, b][:, None, None]
    return out + bias[:, None, None]


@mistake(
    "The number of places fits the stride, but your windows still move one pixel at a time: the "
    "output is the top left part of the output with stride 1.",
    fails={"conv2d_stride", "conv2d_together"},
)
def stride_in_size_only(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    kernel_height, kernel_width = weight.shape[2:]
    out_height = (padded.shape[2] - kernel_height) // stride + 1
    out_width = (padded.shape[3] - kernel_width) // stride + 1
    out = np.zeros((len(x), len(weight), out_height, out_width), dtype=x.dtype)
    for n, k, i, j in np.ndindex(out.shape):
        window = padded[n, :, i : i + kernel_height, j : j + kernel_width]
        out[n, k, i, j] = np.sum(window * weight[k]) + bias[k]
    return out


@mistake(
    "Your output is the one for stride 1: the stride is not used.",
    fails={"conv2d_stride", "conv2d_together"},
)
def stride_ignored(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, bias, 1)


@mistake(
    "The stride is used downwards only: to the right your windows move one pixel at a time.",
    fails={"conv2d_stride", "conv2d_together"},
)
def stride_of_rows_only(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, bias, 1)[:, :, ::stride]


@mistake(
    "The place of each window is right, but the pixels inside it lie a stride apart. Inside the "
    "window neighbours stay neighbours.",
    fails={"conv2d_stride", "conv2d_together"},
)
def stride_inside_the_window(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height = (padded.shape[2] - weight.shape[2]) // stride + 1
    out_width = (padded.shape[3] - weight.shape[3]) // stride + 1
    larger = np.pad(padded, ((0, 0), (0, 0), (0, 99), (0, 99)))
    out = np.zeros((len(x), len(weight), out_height, out_width), dtype=x.dtype)
    for a in range(weight.shape[2]):
        for b in range(weight.shape[3]):
            cut = larger[:, :, a * stride :: stride, b * stride :: stride]
            cut = cut[:, :, :out_height, :out_width]
            out += np.einsum("ncij,kc->nkij", cut, weight[:, :, a, b])
    return out + bias[:, None, None]


@mistake(
    "The number of places is rounded up: your last windows reach beyond the image. What is left "
    "over beside the last window that fits is dropped.",
    fails={"conv2d_stride", "conv2d_together"},
)
def size_rounded_up(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height = int(np.ceil((padded.shape[2] - weight.shape[2]) / stride)) + 1
    out_width = int(np.ceil((padded.shape[3] - weight.shape[3]) / stride)) + 1
    padded = np.pad(padded, ((0, 0), (0, 0), (0, stride), (0, stride)))
    return layer(padded, weight, bias, stride)[:, :, :out_height, :out_width]


@mistake(
    "With stride and padding together your output has too many places. The border makes the image "
    "larger before the window takes its steps, so the stride counts for it too.",
    fails={"conv2d_stride", "conv2d_types", "conv2d_together"},
    undiagnosed="the last windows lie outside the image, so NumPy stops with an error",
)
def padding_outside_the_division(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    kernel_height, kernel_width = weight.shape[2:]
    out_height = (x.shape[2] - kernel_height) // stride + 1 + 2 * padding
    out_width = (x.shape[3] - kernel_width) // stride + 1 + 2 * padding
    out = np.zeros((len(x), len(weight), out_height, out_width), dtype=x.dtype)
    for i in range(out_height):
        for j in range(out_width):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + kernel_height, left : left + kernel_width]
            out[:, :, i, j] = np.tensordot(window, weight, axes=([1, 2, 3], [1, 2, 3])) + bias
    return out


@mistake(
    "Your output is the one without padding.",
    fails={"conv2d_padding", "conv2d_together"},
)
def padding_ignored(x, weight, bias, stride=1, padding=0):
    return layer(x, weight, bias, stride)


@mistake(
    "The zeros stand only above and to the left of the image. Padding goes on all four sides.",
    fails={"conv2d_padding", "conv2d_together"},
)
def padding_above_and_left(x, weight, bias, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))
    return layer(padded, weight, bias, stride)


@mistake(
    "The zeros stand only below and to the right of the image. Padding goes on all four sides.",
    fails={"conv2d_padding", "conv2d_together"},
)
def padding_below_and_right(x, weight, bias, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (0, padding), (0, padding)))
    return layer(padded, weight, bias, stride)


@mistake(
    "Your border repeats the pixels of the edge. Asked for are zeros.",
    fails={"conv2d_padding", "conv2d_together"},
)
def edge_padding(x, weight, bias, stride=1, padding=0):
    sides = (padding, padding)
    return layer(np.pad(x, ((0, 0), (0, 0), sides, sides), mode="edge"), weight, bias, stride)


@mistake(
    "The zeros stand around your output. They belong around the image, before the filter slides.",
    fails={"conv2d_stride", "conv2d_padding", "conv2d_bias", "conv2d_together"},
)
def output_padded(x, weight, bias, stride=1, padding=0):
    return zeros_around(layer(x, weight, bias, stride), padding)


@mistake(
    "All four axes got a border: there are new images made of zeros, and new channels.",
    fails={"conv2d_stride", "conv2d_padding", "conv2d_bias", "conv2d_types", "conv2d_together"},
    undiagnosed="the new channels have no weights, so NumPy stops with an error",
)
def padding_on_every_axis(x, weight, bias, stride=1, padding=0):
    padded = np.pad(x, padding)
    columns = windows_of(padded, weight, stride)
    out_height, out_width = columns.shape[2:4]
    columns = columns.transpose(0, 1, 4, 5, 2, 3).reshape(len(padded), -1, out_height * out_width)
    out = weight.reshape(len(weight), -1) @ columns + bias[:, None]
    return out.reshape(-1, len(weight), out_height, out_width)


@mistake(
    "Only channel 0 counts in your output. A filter reaches through all channels and adds them up.",
    fails={"conv2d_channels", "conv2d_together"},
)
def first_channel_only(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x[:, :1], padding), weight[:, :1], bias, stride)


@mistake(
    "Only the last channel is in your output. A filter reaches through all channels and adds "
    "them up.",
    fails={"conv2d_channels", "conv2d_together"},
)
def last_channel_only(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    for c in range(x.shape[1]):
        out = layer(padded[:, c : c + 1], weight[:, c : c + 1], bias, stride)
    return out


@mistake(
    "Every channel is multiplied by the first channel of the filter. A filter has other numbers "
    "for each channel.",
    fails={"conv2d_channels", "conv2d_together"},
)
def same_weights_for_all_channels(x, weight, bias, stride=1, padding=0):
    repeated = np.repeat(weight[:, :1], x.shape[1], axis=1)
    return layer(zeros_around(x, padding), repeated, bias, stride)


@mistake(
    "The channels meet the wrong channels of the filter: the last one comes first.",
    fails={"conv2d_channels", "conv2d_together"},
)
def channels_reversed(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x[:, ::-1], padding), weight, bias, stride)


@mistake(
    "Rows of the filters and of the columns are in different orders: one counts channel by "
    "channel, the other position by position. So weights meet pixels of other channels.",
    fails={"conv2d_channels", "conv2d_together"},
)
def weights_in_another_order(x, weight, bias, stride=1, padding=0):
    windows = windows_of(zeros_around(x, padding), weight, stride)
    n, _, out_height, out_width = windows.shape[:4]
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, -1, out_height * out_width)
    rows = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
    return (rows @ columns + bias[:, None]).reshape(n, len(weight), out_height, out_width)


@mistake(
    "Your numbers equal those of columns that a reshape made: it does not keep a window "
    "together, so each column is a mixture of windows. A reshape never moves an axis.",
    fails={
        "conv2d_values",
        "conv2d_orientation",
        "conv2d_stride",
        "conv2d_padding",
        "conv2d_channels",
        "conv2d_filters",
        "conv2d_together",
    },
)
def reshape_without_transpose(x, weight, bias, stride=1, padding=0):
    windows = windows_of(zeros_around(x, padding), weight, stride)
    n, _, out_height, out_width = windows.shape[:4]
    columns = windows.reshape(n, weight[0].size, out_height * out_width)
    out = weight.reshape(len(weight), -1) @ columns + bias[:, None]
    return out.reshape(n, len(weight), out_height, out_width)


@mistake(
    "Your maps come in the reverse order of the filters.",
    fails={"conv2d_filters", "conv2d_together"},
)
def filters_reversed(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight[::-1], bias, stride)


@mistake(
    "All your maps come from the first filter.",
    fails={"conv2d_filters", "conv2d_together"},
)
def first_filter_for_all(x, weight, bias, stride=1, padding=0):
    repeated = np.repeat(weight[:1], len(weight), axis=0)
    return layer(zeros_around(x, padding), repeated, bias, stride)


@mistake(
    "The filters are added up, so that one map is left where each filter should have its own.",
    fails={"conv2d_shape", "conv2d_filters", "conv2d_batch", "conv2d_bias", "conv2d_together"},
)
def filters_summed(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x, padding), weight, bias, stride)
    return out.sum(axis=1, keepdims=True)


@mistake(
    "The results are in the reverse order of the images.",
    fails={"conv2d_batch", "conv2d_together"},
)
def batch_reversed(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, bias, stride)[::-1]


@mistake(
    "All results are those of the first image.",
    fails={"conv2d_batch", "conv2d_together"},
)
def first_image_for_all(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x[:1], padding), weight, bias, stride)
    return np.repeat(out, len(x), axis=0)


@mistake(
    "Only the first image has a result: the others are still 0. The function may return too early "
    "in its loop.",
    fails={"conv2d_batch", "conv2d_bias", "conv2d_together"},
)
def returns_after_the_first_image(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    windows = windows_of(padded, weight, stride)
    out = np.zeros((len(x), len(weight), *windows.shape[2:4]), dtype=x.dtype)
    for n in range(len(x)):
        out[n] = layer(padded[n : n + 1], weight, bias, stride)[0]
        return out


@mistake(
    "Images and filters are mixed up: the numbers stand in the order filter, image, while the "
    "shape says image, filter.",
    fails={"conv2d_batch", "conv2d_bias", "conv2d_together"},
)
def images_and_filters_mixed_up(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x, padding), weight, bias, stride)
    return out.transpose(1, 0, 2, 3).reshape(out.shape)


@mistake(
    "The images are mixed up before the product, as where a reshape brings the columns of all "
    "images into one matrix: it tears the windows of one image apart.",
    fails={"conv2d_batch", "conv2d_together"},
)
def columns_of_the_images_mixed_up(x, weight, bias, stride=1, padding=0):
    windows = windows_of(zeros_around(x, padding), weight, stride).transpose(0, 1, 4, 5, 2, 3)
    n, _, _, _, out_height, out_width = windows.shape
    columns = windows.reshape(weight[0].size, n * out_height * out_width)
    out = weight.reshape(len(weight), -1) @ columns + bias[:, None]
    return out.reshape(len(weight), n, out_height, out_width).swapaxes(0, 1)


@mistake(
    "Your output is the one without a bias.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_forgotten(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, 0 * bias, stride)


@mistake(
    "Your output has the bias kh · kw times, as often as a channel's window has numbers. It "
    "belongs to the sum, once.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_for_every_pixel(x, weight, bias, stride=1, padding=0):
    times = weight.shape[2] * weight.shape[3]
    return layer(zeros_around(x, padding), weight, times * bias, stride)


@mistake(
    "Your output has the bias as often as there are channels. It belongs to the sum over all "
    "channels, once.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_for_every_channel(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    parts = [
        layer(padded[:, c : c + 1], weight[:, c : c + 1], bias, stride) for c in range(x.shape[1])
    ]
    return sum(parts)


@mistake(
    "Your output has the bias as often as a filter has weights. It belongs to the sum of all "
    "products, once.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_for_every_product(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, weight[0].size * bias, stride)


@mistake(
    "All maps get the bias of the first filter. Each filter has its own.",
    fails={"conv2d_bias", "conv2d_together"},
)
def first_bias_for_all(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, np.full_like(bias, bias[0]), stride)


@mistake(
    "The biases lie along the columns of the maps: each column has another one. A bias belongs to "
    "a filter, so it is the same all over its map.",
    fails={"conv2d_filters", "conv2d_bias", "conv2d_together"},
)
def bias_along_the_columns(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, 0 * bias, stride) + bias


@mistake(
    "The bias is taken away. It is added.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_subtracted(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, -bias, stride)


@mistake(
    "From float32 your function makes float64, which takes twice the memory. An array of zeros is "
    "float64 unless you say another type.",
    fails={"conv2d_types"},
)
def float64_result(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    windows = windows_of(padded, weight, stride)
    out = np.zeros((len(x), len(weight), *windows.shape[2:4]))
    for n, k, i, j in np.ndindex(out.shape):
        out[n, k, i, j] = np.sum(windows[n, :, i, j] * weight[k]) + bias[k]
    return out


@mistake(
    "From float32 your function makes whole numbers, which have no fractions.",
    fails={"conv2d_values", "conv2d_types", "conv2d_together"},
)
def whole_numbers_only(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, bias, stride).astype(int)


@mistake(
    "Your function changes the image: the products are written into the window, and a window is a "
    "view of the image. Later windows then meet pixels that are no longer right.",
    fails={
        "conv2d_values",
        "conv2d_orientation",
        "conv2d_stride",
        "conv2d_padding",
        "conv2d_channels",
        "conv2d_filters",
        "conv2d_batch",
        "conv2d_types",
        "conv2d_together",
    },
)
def products_written_into_the_image(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding) if padding else x
    kernel_height, kernel_width = weight.shape[2:]
    out_height = (padded.shape[2] - kernel_height) // stride + 1
    out_width = (padded.shape[3] - kernel_width) // stride + 1
    out = np.zeros((len(x), len(weight), out_height, out_width), dtype=x.dtype)
    for n, k, i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        window = padded[n, :, top : top + kernel_height, left : left + kernel_width]
        window *= weight[k]
        out[n, k, i, j] = window.sum() + bias[k]
    return out


@mistake(
    "The numbers are right, but your function turns `weight` by 180° in its own memory and leaves "
    "it so. Who calls it a second time gets another result.",
    fails={"conv2d_types"},
)
def weight_left_turned(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x, padding), weight, bias, stride)
    weight[:] = weight[:, :, ::-1, ::-1].copy()
    return out


@correct
def plain_loops(x, weight, bias, stride=1, padding=0):
    n, channels, height, width = x.shape
    filters, _, kernel_height, kernel_width = weight.shape
    out_height = (height + 2 * padding - kernel_height) // stride + 1
    out_width = (width + 2 * padding - kernel_width) // stride + 1
    out = np.zeros((n, filters, out_height, out_width), dtype=x.dtype)
    for image in range(n):
        for k in range(filters):
            for i in range(out_height):
                for j in range(out_width):
                    total = bias[k]
                    for c in range(channels):
                        for a in range(kernel_height):
                            for b in range(kernel_width):
                                row, column = i * stride + a - padding, j * stride + b - padding
                                if 0 <= row < height and 0 <= column < width:
                                    total += x[image, c, row, column] * weight[k, c, a, b]
                    out[image, k, i, j] = total
    return out


@correct
def position_by_position(images, filters, biases, stride=1, padding=0):
    padded = zeros_around(images, padding)
    kernel_height, kernel_width = filters.shape[2:]
    out_height = (padded.shape[2] - kernel_height) // stride + 1
    out_width = (padded.shape[3] - kernel_width) // stride + 1
    out = np.zeros((len(images), len(filters), out_height, out_width), dtype=images.dtype)
    out += biases.reshape(1, -1, 1, 1)
    for a in range(kernel_height):
        for b in range(kernel_width):
            pixels = padded[:, :, a:, b:][:, :, ::stride, ::stride][:, :, :out_height, :out_width]
            out += np.tensordot(filters[:, :, a, b], pixels, axes=(1, 1)).swapaxes(0, 1)
    return out


@correct
def with_einsum(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, bias, stride)


@correct
def with_matrix_product(x, weight, bias, stride=1, padding=0):
    windows = windows_of(zeros_around(x, padding), weight, stride).transpose(0, 2, 3, 1, 4, 5)
    n, out_height, out_width = windows.shape[:3]
    rows = windows.reshape(n * out_height * out_width, -1)
    out = rows @ weight.reshape(len(weight), -1).T + bias
    return out.reshape(n, out_height, out_width, -1).transpose(0, 3, 1, 2)


@correct
def with_torch(x, weight, bias, stride=1, padding=0):
    x, weight, bias = torch.tensor(x), torch.tensor(weight), torch.tensor(bias)
    return F.conv2d(x, weight, bias, stride=stride, padding=padding).numpy()


@correct
def with_unfold(x, weight, bias, stride=1, padding=0):
    columns = F.unfold(
        torch.tensor(x, dtype=torch.float64), weight.shape[2:], padding=padding, stride=stride
    ).numpy()
    out_height = (x.shape[2] + 2 * padding - weight.shape[2]) // stride + 1
    rows = weight.reshape(len(weight), -1)
    out = rows @ columns + bias[:, None]
    return out.reshape(len(x), len(weight), out_height, -1).astype(np.result_type(x, np.float32))


@correct
def all_places_then_every_second(x, weight, bias, stride=1, padding=0):
    n, channels, height, width = x.shape
    border = np.zeros((n, channels, height + 2 * padding, width + 2 * padding), dtype=x.dtype)
    border[:, :, padding : height + padding, padding : width + padding] = x
    maps = []
    for kernel, number in zip(weight, bias, strict=True):
        windows = sliding_window_view(border, kernel.shape, axis=(1, 2, 3))[:, 0]
        maps.append((windows * kernel).sum(axis=(3, 4, 5), dtype=x.dtype) + number)
    return np.stack(maps, axis=1)[:, :, ::stride, ::stride].astype(x.dtype)


@mistake(
    "With stride and padding together your windows begin at the wrong pixels, as where the "
    "border is counted in steps of the stride. It is `padding` pixels wide, whatever the "
    "stride.",
    fails={"conv2d_together"},
)
def border_times_stride(x, weight, bias, stride=1, padding=0):
    n, _, height, width = x.shape
    kernel_height, kernel_width = weight.shape[2:]
    out_height = (height + 2 * padding - kernel_height) // stride + 1
    out_width = (width + 2 * padding - kernel_width) // stride + 1
    out = np.zeros((n, len(weight), out_height, out_width), dtype=x.dtype)
    for image, k, i, j in np.ndindex(out.shape):
        total = bias[k]
        for a, b in np.ndindex(kernel_height, kernel_width):
            row, column = (i - padding) * stride + a, (j - padding) * stride + b
            if 0 <= row < height and 0 <= column < width:
                total = total + np.sum(x[image, :, row, column] * weight[k, :, a, b])
        out[image, k, i, j] = total
    return out


@mistake(
    "The zeros stand only below and to the right of the image. Padding goes on all four sides.",
    fails={"conv2d_together"},
)
def zeros_below_and_right_with_a_stride(x, weight, bias, stride=1, padding=0):
    before = padding if stride == 1 else 0
    sides = (before, 2 * padding - before)
    return layer(np.pad(x, ((0, 0), (0, 0), sides, sides)), weight, bias, stride)


@mistake(
    "With a stride your maps have rows and columns exchanged.",
    fails={"conv2d_stride", "conv2d_together"},
)
def transposed_with_a_stride(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x, padding), weight, bias, stride)
    return out if stride == 1 else out.transpose(0, 1, 3, 2)


@mistake(
    "The first image has the bias as often as there are images, and the last one once, as "
    "where it is added to the whole batch again after each image. A number gets it once.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_once_for_each_image(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    windows = windows_of(padded, weight, stride)
    out = np.zeros((len(x), len(weight), *windows.shape[2:4]), dtype=x.dtype)
    for n in range(len(x)):
        out[n] = np.einsum("cijab,kcab->kij", windows[n], weight)
        out += bias[:, None, None]
    return out


@mistake(
    "Only the last image has its bias.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_of_the_last_image_only(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x, padding), weight, 0 * bias, stride)
    for n in range(len(x)):
        last = out[n]
    last += bias[:, None, None]
    return out


@mistake(
    "Only the first image has its bias.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_of_the_first_image_only(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x, padding), weight, 0 * bias, stride)
    for k in range(len(weight)):
        out[0, k] += bias[k]
    return out


@mistake(
    "With padding the numbers at the edge of your maps have no bias. It is added to every number "
    "of a map.",
    fails={"conv2d_bias", "conv2d_together"},
)
def no_bias_at_the_edge(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x, padding), weight, 0 * bias, stride)
    inside = out[:, :, padding:-padding, padding:-padding] if padding else out
    inside += bias[:, None, None]
    return out


@mistake(
    "With padding your function makes float64 from float32. An array of zeros is float64 unless "
    "you say another type.",
    fails={"conv2d_types"},
)
def float64_with_padding(x, weight, bias, stride=1, padding=0):
    padded = x
    if padding > 0:
        n, channels, height, width = x.shape
        padded = np.zeros((n, channels, height + 2 * padding, width + 2 * padding))
        padded[:, :, padding:-padding, padding:-padding] = x
    return layer(padded, weight, bias, stride)


@mistake(
    "Your result is always float32. From float64 it should be float64, as precise as the inputs.",
    fails={"conv2d_types"},
)
def always_float32(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, bias, stride).astype(np.float32)


@mistake(
    "With padding your function leaves zeros in the image that it was given.",
    fails={"conv2d_types"},
)
def image_erased_with_padding(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out = layer(padded, weight, bias, stride)
    if padding:
        x *= 0
    return out


@mistake(
    "Where the output should be negative, yours is 0. The activation is not part of this layer.",
    fails={"conv2d_values", "conv2d_together"},
)
def with_relu(x, weight, bias, stride=1, padding=0):
    return np.maximum(layer(zeros_around(x, padding), weight, bias, stride), 0)


@mistake(
    "In your output the axis of the filters is not the second one. Asked for is (N, K, out_h, "
    "out_w).",
    fails={
        "conv2d_shape",
        "conv2d_values",
        "conv2d_orientation",
        "conv2d_stride",
        "conv2d_padding",
        "conv2d_channels",
        "conv2d_filters",
        "conv2d_batch",
        "conv2d_bias",
        "conv2d_together",
    },
)
def filters_on_the_last_axis(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, bias, stride).transpose(0, 2, 3, 1)


@mistake(
    "Your numbers stand in memory with the axis of the filters last, and `reshape` leaves them in "
    "that order. The axis has to be moved before.",
    fails={"conv2d_filters", "conv2d_batch", "conv2d_bias", "conv2d_together"},
)
def filters_last_then_reshaped(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x, padding), weight, bias, stride)
    return out.transpose(0, 2, 3, 1).reshape(out.shape)


@mistake(
    "Your border holds pixels of the image, mirrored or from the other side. Asked for are zeros.",
    fails={"conv2d_padding", "conv2d_together"},
)
def reflect_padding(x, weight, bias, stride=1, padding=0):
    sides = (padding, padding)
    return layer(np.pad(x, ((0, 0), (0, 0), sides, sides), mode="reflect"), weight, bias, stride)


@mistake(
    "Your border holds pixels of the image, mirrored or from the other side. Asked for are zeros.",
    fails={"conv2d_padding", "conv2d_together"},
)
def wrap_padding(x, weight, bias, stride=1, padding=0):
    sides = (padding, padding)
    return layer(np.pad(x, ((0, 0), (0, 0), sides, sides), mode="wrap"), weight, bias, stride)


@mistake(
    "Your output holds nothing but zeros.",
    fails={
        "conv2d_values",
        "conv2d_orientation",
        "conv2d_stride",
        "conv2d_padding",
        "conv2d_channels",
        "conv2d_filters",
        "conv2d_batch",
        "conv2d_bias",
        "conv2d_together",
    },
)
def all_zeros(x, weight, bias, stride=1, padding=0):
    return np.zeros_like(layer(zeros_around(x, padding), weight, bias, stride))


@mistake(
    "Only the first row of the first map is filled, the rest is 0. The function may return too "
    "early in its loops.",
    fails={
        "conv2d_values",
        "conv2d_orientation",
        "conv2d_stride",
        "conv2d_padding",
        "conv2d_channels",
        "conv2d_filters",
        "conv2d_batch",
        "conv2d_bias",
        "conv2d_together",
    },
)
def returns_after_the_first_row(x, weight, bias, stride=1, padding=0):
    whole = layer(zeros_around(x, padding), weight, bias, stride)
    out = np.zeros(whole.shape, dtype=x.dtype)
    for n, k, i in np.ndindex(whole.shape[:3]):
        out[n, k, i] = whole[n, k, i]
        return out


@mistake(
    "Your numbers equal means over the channels. A filter adds up all channels.",
    fails={"conv2d_channels", "conv2d_together"},
)
def mean_over_the_channels(x, weight, bias, stride=1, padding=0):
    sums = layer(zeros_around(x, padding), weight, 0 * bias, stride)
    return (sums / x.shape[1] + bias[:, None, None]).astype(np.result_type(x, np.float32))


@correct
def as_a_tensor(x, weight, bias, stride=1, padding=0):
    return F.conv2d(*map(torch.as_tensor, (x, weight, bias)), stride, padding)


@correct
def with_a_module(x, weight, bias, stride=1, padding=0):
    filters, channels, *size = weight.shape
    module = torch.nn.Conv2d(channels, filters, size, stride=stride, padding=padding).double()
    module.weight.data = torch.tensor(weight, dtype=torch.float64)
    module.bias.data = torch.tensor(bias, dtype=torch.float64)
    return module(torch.tensor(x, dtype=torch.float64)).to(torch.as_tensor(x).dtype)


@correct
def with_fourier(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    size = padded.shape[2:]
    spectrum = np.conj(np.fft.rfft2(weight, s=size))
    out = np.einsum("nchw,kchw->nkhw", np.fft.rfft2(padded), spectrum)
    out = np.fft.irfft2(out, s=size)
    height, width = size[0] - weight.shape[2] + 1, size[1] - weight.shape[3] + 1
    out = out[:, :, :height:stride, :width:stride] + bias[:, None, None]
    return out.astype(np.result_type(x, np.float32))


@correct
def with_pairs(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    down, right = stride if isinstance(stride, tuple) else (stride, stride)
    above, left = padding if isinstance(padding, tuple) else (padding, padding)
    padded = np.pad(x, ((0, 0), (0, 0), (above, above), (left, left)))
    windows = sliding_window_view(padded, weight.shape[2:], axis=(2, 3))[:, :, ::down, ::right]
    out = np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
    return out + bias.reshape(1, -1, 1, 1)


@correct
def with_vectorize(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    kernel_height, kernel_width = weight.shape[2:]
    out_height = (padded.shape[2] - kernel_height) // stride + 1
    out_width = (padded.shape[3] - kernel_width) // stride + 1

    def number(n, k, i, j):
        top, left = i * stride, j * stride
        window = padded[n, :, top : top + kernel_height, left : left + kernel_width]
        return (window * weight[k]).sum() + bias[k]

    shape = (len(x), len(weight), out_height, out_width)
    return np.fromfunction(np.vectorize(number), shape, dtype=int).astype(x.dtype)


@correct
def with_roll(x, weight, bias, stride=1, padding=0):
    padded = zeros_around(x, padding)
    height = padded.shape[2] - weight.shape[2] + 1
    width = padded.shape[3] - weight.shape[3] + 1
    out = sum(
        np.einsum("nchw,kc->nkhw", np.roll(padded, (-a, -b), (2, 3)), weight[:, :, a, b])
        for a, b in np.ndindex(weight.shape[2:])
    )
    return out[:, :, :height:stride, :width:stride] + bias[None, :, None, None]


@correct
def with_own_columns(x, weight, bias, stride=1, padding=0):
    def columns_of(images):
        windows = windows_of(images, weight, stride)
        places = windows.shape[2] * windows.shape[3]
        return windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(images), -1, places)

    out = weight.reshape(len(weight), -1) @ columns_of(zeros_around(x, padding)) + bias[:, None]
    height = (x.shape[2] + 2 * padding - weight.shape[2]) // stride + 1
    return out.reshape(len(x), len(weight), height, -1)


@mistake(
    "Your function hands out one array again and again, and each call writes over the result of "
    "the call before. Make a new array in each call.",
    fails={"conv2d_together"},
    undiagnosed="each visible test looks at the result of one call",
)
def one_array_for_all_calls(x, weight, bias, stride=1, padding=0, kept={}):  # noqa: B006
    made = layer(zeros_around(x, padding), weight, bias, stride)
    result = kept.setdefault((made.shape, made.dtype), made.copy())
    result[:] = made
    return result


@mistake(
    "The numbers of x are taken in the order in which memory has them. In a transposed array that "
    "is not the order of its rows.",
    fails={"conv2d_together"},
    undiagnosed="only a hidden test has an array that lies in memory in another order",
)
def numbers_as_in_memory(x, weight, bias, stride=1, padding=0):
    x = x.ravel(order="K").reshape(x.shape)
    return layer(zeros_around(x, padding), weight, bias, stride)


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={"conv2d_values", "conv2d_channels", "conv2d_together"},
)
def in_half_precision(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, bias, stride).astype(np.float16).astype(x.dtype)


@mistake(
    "The numbers of your filters are taken in another order than they have: `reshape` goes "
    "through them row by row, and does not turn filters into columns.",
    fails={"conv2d_filters", "conv2d_together"},
)
def filters_reshaped_to_columns(x, weight, bias, stride=1, padding=0):
    windows = windows_of(zeros_around(x, padding), weight, stride)
    n, _, height, width = windows.shape[:4]
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, height * width, -1)
    out = rows @ weight.reshape(-1, len(weight)) + bias
    return out.transpose(0, 2, 1).reshape(n, len(weight), height, width)


@mistake(
    "The first row of your maps has the bias most often, and the last one once, as where it is "
    "added to the whole map again with each row. A number gets it once.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_with_each_row(x, weight, bias, stride=1, padding=0):
    out = layer(zeros_around(x, padding), weight, bias, stride)
    times = np.arange(out.shape[2])[::-1].astype(x.dtype)
    return out + times[:, None] * bias[:, None, None]


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"conv2d_together"},
)
def small_numbers_cut_off(x, weight, bias, stride=1, padding=0):
    result = layer(zeros_around(x, padding), weight, bias, stride)
    return np.where(np.abs(result) < 1e-3, 0, result)


@mistake(
    "The bias is in your output twice. It is added once to every number.",
    fails={"conv2d_bias", "conv2d_together"},
)
def bias_twice(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, 2 * bias, stride)


@mistake(
    "Your biases stand in reversed order: the first map has the bias of the last filter.",
    fails={"conv2d_bias", "conv2d_together"},
)
def biases_reversed(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, bias[::-1], stride)


@mistake(
    "Each of your maps has the bias of the next filter, and the last one that of the first.",
    fails={"conv2d_bias", "conv2d_together"},
)
def biases_of_the_next_filter(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight, np.roll(bias, -1), stride)


@mistake(
    "Your output equals that of the filter upside down. The first row of a filter belongs "
    "to the first row of the window.",
    fails={"conv2d_orientation", "conv2d_together"},
)
def kernel_upside_down(x, weight, bias, stride=1, padding=0):
    return layer(zeros_around(x, padding), weight[:, :, ::-1], bias, stride)


@mistake(
    "Where there are as many filters as channels, each of your filters sees one channel alone. A "
    "filter adds up all channels.",
    fails={"conv2d_together"},
)
def one_channel_for_each_of_as_many_filters(x, weight, bias, stride=1, padding=0):
    filters, channels = weight.shape[:2]
    if filters == channels:
        weight = weight * np.eye(filters, dtype=weight.dtype)[:, :, None, None]
    return layer(zeros_around(x, padding), weight, bias, stride)
