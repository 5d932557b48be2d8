"""Task 3: the backward pass of a convolution layer."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from grader.authoring.bank import correct, mistake


def zeros_around(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def cut(x, size, padding):
    """The images without their border."""
    return x[:, :, padding : padding + size[0], padding : padding + size[1]]


def slices(grad_out, stride, a, b):
    """The rows and columns that position (a, b) of the filter meets."""
    height, width = grad_out.shape[2:]
    return slice(a, a + stride * height, stride), slice(b, b + stride * width, stride)


def bias_part(grad_out):
    return grad_out.sum(axis=(0, 2, 3))


def weight_part(grad_out, padded, weight, stride):
    grad_weight = np.zeros(weight.shape)
    for a, b in np.ndindex(weight.shape[2:]):
        pixels = padded[(..., *slices(grad_out, stride, a, b))]
        grad_weight[:, :, a, b] = np.tensordot(grad_out, pixels, axes=([0, 2, 3], [0, 2, 3]))
    return grad_weight


def padded_part(grad_out, padded, weight, stride):
    grad_padded = np.zeros(padded.shape)
    for a, b in np.ndindex(weight.shape[2:]):
        shares = np.einsum("nkij,kc->ncij", grad_out, weight[:, :, a, b])
        grad_padded[(..., *slices(grad_out, stride, a, b))] += shares
    return grad_padded


def x_part(grad_out, x, weight, stride, padding):
    grad_padded = padded_part(grad_out, zeros_around(x, padding), weight, stride)
    return cut(grad_padded, x.shape[2:], padding)


def right(grad_out, x, weight, stride, padding):
    return (
        x_part(grad_out, x, weight, stride, padding),
        weight_part(grad_out, zeros_around(x, padding), weight, stride),
        bias_part(grad_out),
    )


@mistake(
    "The gradients of `x` and `weight` have changed places. The order is that of the arguments: "
    "x, weight, bias.",
    fails={"conv2d_backward_shapes"},
)
def order_weight_first(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_weight, grad_x, grad_bias


@mistake(
    "The gradients come in the reverse order: bias, weight, x. The order is that of the arguments: "
    "x, weight, bias.",
    fails={"conv2d_backward_shapes"},
)
def order_reversed(grad_out, x, weight, stride=1, padding=0):
    return right(grad_out, x, weight, stride, padding)[::-1]


@mistake(
    "Your `grad_bias` has the shape of a column. The bias has one axis, so its gradient has "
    "one axis too.",
    fails={"conv2d_backward_shapes", "conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_as_a_column(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_bias[:, None]


@mistake(
    "Your `grad_bias` is a mean over places and images. A bias is added at every place of every "
    "image, so its gradient is their sum.",
    fails={"conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_mean(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, _ = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_out.mean(axis=(0, 2, 3))


@mistake(
    "Your gradient is divided by the number of images. The shares of the images are added; the "
    "loss has already divided by their number where that is wanted.",
    fails={"conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_mean_of_images(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, _ = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_out.sum(axis=(2, 3)).mean(axis=0)


@mistake(
    "Your `grad_bias` has a row for each image. All images went through the same bias, so their "
    "shares are added.",
    fails={"conv2d_backward_shapes", "conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_for_each_image(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, _ = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_out.sum(axis=(2, 3))


@mistake(
    "Your `grad_bias` is that of the last image alone. All images add their share.",
    fails={"conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_of_the_last_image(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    for n in range(len(x)):
        grad_bias = grad_out[n].sum(axis=(1, 2))
    return grad_x, grad_weight, grad_bias


@mistake(
    "Your `grad_bias` is that of the first image alone. All images add their share.",
    fails={"conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_of_the_first_image(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, _ = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_out[0].sum(axis=(1, 2))


@mistake(
    "Your `grad_bias` is one number for all filters. Each filter has its own bias and its own "
    "gradient.",
    fails={"conv2d_backward_shapes", "conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_of_all_filters(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, _ = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_out.sum()


@mistake(
    "Your `grad_bias` is multiplied by the sum of the filter. The bias is added after the "
    "products, so no weight touches it.",
    fails={"conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_times_weights(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_bias * weight.sum(axis=(1, 2, 3))


@mistake(
    "Your `grad_bias` adds up the images only for one place: the bias is added at all places.",
    fails={"conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_of_the_first_place(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, _ = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_out.sum(axis=0)[:, 0, 0]


@mistake(
    "Your `grad_weight` is a mean over the places. A weight is used at every place, so its "
    "gradient is the sum.",
    fails={
        "conv2d_backward_weight",
        "conv2d_backward_stride",
        "conv2d_backward_padding",
        "conv2d_backward_together",
    },
)
def weight_mean_of_places(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight / grad_out[0, 0].size, grad_bias


@mistake(
    "Your `grad_weight` is turned by 180°. Here nothing is turned: each weight meets the pixels "
    "that it met forward.",
    fails={"conv2d_backward_weight", "conv2d_backward_together"},
)
def weight_turned(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight[:, :, ::-1, ::-1], grad_bias


@mistake(
    "Your `grad_weight` equals that of a turned `grad_out`. Each number of `grad_out` belongs "
    "to its own place, so it is used as it is.",
    fails={"conv2d_backward_weight", "conv2d_backward_together"},
)
def weight_from_turned_grad_out(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    turned = grad_out[:, :, ::-1, ::-1]
    return grad_x, weight_part(turned, zeros_around(x, padding), weight, stride), grad_bias


@mistake(
    "Your `grad_weight` has rows and columns swapped.",
    fails={"conv2d_backward_weight", "conv2d_backward_together"},
)
def weight_transposed(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight.swapaxes(2, 3).reshape(weight.shape), grad_bias


@mistake(
    "In `grad_weight` all channels have the gradient of channel 0. The weights of each channel "
    "meet the pixels of their own channel.",
    fails={"conv2d_backward_weight", "conv2d_backward_together"},
)
def weight_of_the_first_channel(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, np.repeat(grad_weight[:, :1], x.shape[1], axis=1), grad_bias


@mistake(
    "In `grad_weight` the channels are added up: all channels of a filter have the same numbers.",
    fails={"conv2d_backward_weight", "conv2d_backward_together"},
)
def weight_channels_summed(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    summed = grad_weight.sum(axis=1, keepdims=True)
    return grad_x, np.repeat(summed, x.shape[1], axis=1), grad_bias


@mistake(
    "In `grad_weight` filters and channels are mixed up: the numbers stand in the order channel, "
    "filter, while the shape says filter, channel.",
    fails={"conv2d_backward_weight", "conv2d_backward_together"},
)
def weight_filters_and_channels_mixed_up(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight.swapaxes(0, 1).reshape(weight.shape), grad_bias


@mistake(
    "In `grad_weight` all filters have the same numbers: `grad_out` is added up over the filters. "
    "Each filter meets only its own map.",
    fails={"conv2d_backward_weight", "conv2d_backward_batch", "conv2d_backward_together"},
)
def weight_filters_summed(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    summed = grad_weight.sum(axis=0, keepdims=True)
    return grad_x, np.repeat(summed, len(weight), axis=0), grad_bias


@mistake(
    "Your `grad_weight` is multiplied by the weights. How much the loss rises with a weight "
    "depends on the pixels, not on the weight itself.",
    fails={
        "conv2d_backward_weight",
        "conv2d_backward_batch",
        "conv2d_backward_stride",
        "conv2d_backward_padding",
        "conv2d_backward_together",
    },
)
def weight_times_weight(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight * weight, grad_bias


@mistake(
    "In your `grad_weight` only the last place counts. The shares of all places are added up.",
    fails={
        "conv2d_backward_weight",
        "conv2d_backward_stride",
        "conv2d_backward_padding",
        "conv2d_backward_together",
    },
)
def weight_of_the_last_place(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    last = np.zeros_like(grad_out)
    last[:, :, -1, -1] = grad_out[:, :, -1, -1]
    return grad_x, weight_part(last, zeros_around(x, padding), weight, stride), grad_bias


@mistake(
    "Your `grad_x` equals that of turned filters. A window gets the share of the filter as it "
    "lay there. (In the version that slides over `grad_out`, this means that the turn is "
    "missing.)",
    fails={"conv2d_backward_x", "conv2d_backward_together"},
)
def x_filter_turned(grad_out, x, weight, stride=1, padding=0):
    _, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    grad_x = x_part(grad_out, x, weight[:, :, ::-1, ::-1], stride, padding)
    return grad_x, grad_weight, grad_bias


@mistake(
    "Your `grad_x` uses the filters with rows and columns swapped.",
    fails={"conv2d_backward_x", "conv2d_backward_together"},
)
def x_filter_transposed(grad_out, x, weight, stride=1, padding=0):
    _, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    swapped = weight.swapaxes(2, 3).reshape(weight.shape)
    return x_part(grad_out, x, swapped, stride, padding), grad_weight, grad_bias


@mistake(
    "Where windows overlap, your `grad_x` keeps only the share that came last. Shares of the same "
    "pixel are added.",
    fails={"conv2d_backward_x", "conv2d_backward_padding", "conv2d_backward_together"},
)
def x_overlaps_overwritten(grad_out, x, weight, stride=1, padding=0):
    _, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    grad_padded = np.zeros(zeros_around(x, padding).shape)
    for i, j in np.ndindex(grad_out.shape[2:]):
        share = np.tensordot(grad_out[:, :, i, j], weight, axes=1)
        top, left = i * stride, j * stride
        grad_padded[:, :, top : top + weight.shape[2], left : left + weight.shape[3]] = share
    return cut(grad_padded, x.shape[2:], padding), grad_weight, grad_bias


@mistake(
    "Where windows overlap, your `grad_x` keeps only the share of one position of the filter. "
    "Shares of the same pixel are added, not replaced.",
    fails={"conv2d_backward_x", "conv2d_backward_padding", "conv2d_backward_together"},
)
def x_columns_overwritten(grad_out, x, weight, stride=1, padding=0):
    _, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    grad_padded = np.zeros(zeros_around(x, padding).shape)
    for a, b in np.ndindex(weight.shape[2:]):
        shares = np.einsum("nkij,kc->ncij", grad_out, weight[:, :, a, b])
        grad_padded[(..., *slices(grad_out, stride, a, b))] = shares
    return cut(grad_padded, x.shape[2:], padding), grad_weight, grad_bias


@mistake(
    "Your `grad_x` is divided by the number of windows in which a pixel lies. The shares are added "
    "and nothing is divided.",
    fails={"conv2d_backward_x", "conv2d_backward_padding", "conv2d_backward_together"},
)
def x_overlaps_averaged(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    count = x_part(np.ones_like(grad_out), x, np.ones_like(weight[:, :1]), stride, padding)
    count = count[:, :1] / len(weight)
    return grad_x / np.maximum(count, 1), grad_weight, grad_bias


@mistake(
    "Only the last filter is in your `grad_x`. A pixel sends its number to all filters, so all of "
    "them add a share.",
    fails={"conv2d_backward_x", "conv2d_backward_batch", "conv2d_backward_together"},
)
def x_of_the_last_filter(grad_out, x, weight, stride=1, padding=0):
    _, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    for k in range(len(weight)):
        grad_x = x_part(grad_out[:, k : k + 1], x, weight[k : k + 1], stride, padding)
    return grad_x, grad_weight, grad_bias


@mistake(
    "Your `grad_x` is a mean over the filters. All filters add their share.",
    fails={"conv2d_backward_x", "conv2d_backward_batch", "conv2d_backward_together"},
)
def x_mean_of_filters(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x / len(weight), grad_weight, grad_bias


@mistake(
    "In your `grad_x` all channels have the same numbers. Each channel gets its shares through its "
    "own channel of the filter.",
    fails={"conv2d_backward_x", "conv2d_backward_together"},
)
def x_same_for_all_channels(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return np.repeat(grad_x[:, :1], x.shape[1], axis=1), grad_weight, grad_bias


@mistake(
    "Your `grad_x` is multiplied by the pixels. How much the loss rises with a pixel depends on "
    "the weights above it, not on the pixel itself.",
    fails={
        "conv2d_backward_x",
        "conv2d_backward_batch",
        "conv2d_backward_stride",
        "conv2d_backward_padding",
        "conv2d_backward_together",
    },
)
def x_times_x(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x * x, grad_weight, grad_bias


@mistake(
    "Your `grad_weight` is that of the last image alone. All images went through the same filter, "
    "so all of them add their share.",
    fails={"conv2d_backward_batch", "conv2d_backward_together"},
)
def weight_of_the_last_image(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    padded = zeros_around(x, padding)
    return grad_x, weight_part(grad_out[-1:], padded[-1:], weight, stride), grad_bias


@mistake(
    "Your `grad_weight` is that of the first image alone. All images went through the same filter, "
    "so all of them add their share.",
    fails={"conv2d_backward_batch", "conv2d_backward_together"},
)
def weight_of_the_first_image(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    padded = zeros_around(x, padding)
    return grad_x, weight_part(grad_out[:1], padded[:1], weight, stride), grad_bias


@mistake(
    "Your gradient is divided by the number of images. The shares of the images are added; the "
    "loss has already divided by their number where that is wanted.",
    fails={"conv2d_backward_batch", "conv2d_backward_together"},
)
def weight_mean_of_images(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight / len(x), grad_bias


@mistake(
    "Your `grad_weight` has one more axis, with the gradient of each image. All images went "
    "through the same filter, so their shares are added.",
    fails={
        "conv2d_backward_shapes",
        "conv2d_backward_weight",
        "conv2d_backward_batch",
        "conv2d_backward_stride",
        "conv2d_backward_padding",
        "conv2d_backward_together",
    },
)
def weight_for_each_image(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    padded = zeros_around(x, padding)
    parts = [
        weight_part(grad_out[n : n + 1], padded[n : n + 1], weight, stride) for n in range(len(x))
    ]
    return grad_x, np.stack(parts), grad_bias


@mistake(
    "In `grad_weight` `grad_out` and pixels of different images meet: first everything is added up "
    "over the images, then multiplied.",
    fails={"conv2d_backward_batch", "conv2d_backward_together"},
)
def weight_product_of_sums(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    padded = zeros_around(x, padding).sum(axis=0, keepdims=True)
    return (
        grad_x,
        weight_part(grad_out.sum(axis=0, keepdims=True), padded, weight, stride),
        grad_bias,
    )


@mistake(
    "All images have the same `grad_x`, the sum over the batch. Images share the filters, not the "
    "pixels: each has its own gradient.",
    fails={"conv2d_backward_batch", "conv2d_backward_together"},
)
def x_summed_over_images(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return np.repeat(grad_x.sum(axis=0, keepdims=True), len(x), axis=0), grad_weight, grad_bias


@mistake(
    "Only the first image has a `grad_x`, the others have 0.",
    fails={"conv2d_backward_batch", "conv2d_backward_together"},
)
def x_of_the_first_image(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    grad_x[1:] = 0
    return grad_x, grad_weight, grad_bias


@mistake(
    "For `grad_weight` the images are mixed up, as where a reshape brings the columns of all "
    "images into one matrix: it tears the windows of one image apart.",
    fails={"conv2d_backward_batch", "conv2d_backward_together"},
)
def columns_of_the_images_mixed_up(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    windows = sliding_window_view(zeros_around(x, padding), weight.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride].transpose(0, 1, 4, 5, 2, 3)
    columns = windows.reshape(weight[0].size, -1)
    rows = grad_out.swapaxes(0, 1).reshape(len(weight), -1)
    return grad_x, (rows @ columns.T).reshape(weight.shape), grad_bias


@mistake(
    "Images and filters of `grad_out` are mixed up: a reshape to one row for each filter does not "
    "bring the axis of the filters to the front.",
    fails={"conv2d_backward_batch", "conv2d_backward_together"},
)
def images_and_filters_mixed_up(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    n, filters, out_height, out_width = grad_out.shape
    rows = grad_out.reshape(filters, n, out_height, out_width).swapaxes(0, 1)
    return grad_x, weight_part(rows, zeros_around(x, padding), weight, stride), grad_bias


@mistake(
    "The stride is not used on the way back: all windows of your gradients lie one pixel apart.",
    fails={"conv2d_backward_stride", "conv2d_backward_together"},
)
def stride_ignored(grad_out, x, weight, stride=1, padding=0):
    return right(grad_out, x, weight, 1, padding)


@mistake(
    "In your `grad_x` the windows lie one pixel apart: the stride is missing there.",
    fails={"conv2d_backward_stride", "conv2d_backward_together"},
)
def stride_ignored_for_x(grad_out, x, weight, stride=1, padding=0):
    _, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return x_part(grad_out, x, weight, 1, padding), grad_weight, grad_bias


@mistake(
    "For your `grad_weight` the windows lie one pixel apart: the stride is missing there.",
    fails={"conv2d_backward_stride", "conv2d_backward_together"},
)
def stride_ignored_for_weight(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, weight_part(grad_out, zeros_around(x, padding), weight, 1), grad_bias


@mistake(
    "Your `grad_x` ends with the last window. Rows and columns that no window reached belong to "
    "the image too: their gradient is 0.",
    fails={"conv2d_backward_stride", "conv2d_backward_together"},
)
def left_over_missing(grad_out, x, weight, stride=1, padding=0):
    _, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    height = (grad_out.shape[2] - 1) * stride + weight.shape[2]
    width = (grad_out.shape[3] - 1) * stride + weight.shape[3]
    grad_padded = np.zeros((len(x), x.shape[1], height, width))
    grad_padded = padded_part(grad_out, grad_padded, weight, stride)
    grad_x = grad_padded[:, :, padding : height - padding, padding : width - padding]
    return grad_x, grad_weight, grad_bias


@mistake(
    "Your `grad_x` still has the border of zeros around it. The border is not part of `x`.",
    fails={"conv2d_backward_padding", "conv2d_backward_together"},
)
def border_not_cut_off(grad_out, x, weight, stride=1, padding=0):
    padded = zeros_around(x, padding)
    grad_x = padded_part(grad_out, padded, weight, stride)
    return grad_x, weight_part(grad_out, padded, weight, stride), bias_part(grad_out)


@mistake(
    "Your `grad_x` begins with the gradient of the border above and to the left. That border is "
    "not part of `x`.",
    fails={"conv2d_backward_padding", "conv2d_backward_together"},
)
def border_cut_off_at_the_end(grad_out, x, weight, stride=1, padding=0):
    padded = zeros_around(x, padding)
    grad_x = padded_part(grad_out, padded, weight, stride)[:, :, : x.shape[2], : x.shape[3]]
    return grad_x, weight_part(grad_out, padded, weight, stride), bias_part(grad_out)


@mistake(
    "Without padding your `grad_x` is empty. A cut from 0 to −0 leaves nothing.",
    fails={
        "conv2d_backward_shapes",
        "conv2d_backward_x",
        "conv2d_backward_batch",
        "conv2d_backward_stride",
        "conv2d_backward_together",
    },
)
def empty_without_padding(grad_out, x, weight, stride=1, padding=0):
    padded = zeros_around(x, padding)
    grad_x = padded_part(grad_out, padded, weight, stride)
    grad_x = grad_x[:, :, padding:-padding, padding:-padding]
    return grad_x, weight_part(grad_out, padded, weight, stride), bias_part(grad_out)


@mistake(
    "For `grad_weight` the border repeats the edge of the image. Forward it was zero, so it is "
    "zero here too.",
    fails={"conv2d_backward_padding", "conv2d_backward_together"},
)
def edge_padding(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    sides = (padding, padding)
    padded = np.pad(x, ((0, 0), (0, 0), sides, sides), mode="edge")
    return grad_x, weight_part(grad_out, padded, weight, stride), grad_bias


@mistake(
    "The padding is not used: `grad_out` has more places than the image without its border.",
    fails={"conv2d_backward_padding", "conv2d_backward_together"},
    undiagnosed="the windows do not fit into the image, so NumPy stops with an error",
)
def padding_ignored(grad_out, x, weight, stride=1, padding=0):
    return right(grad_out, x, weight, stride, 0)


@correct
def place_by_place(grad_out, x, weight, stride=1, padding=0):
    padded = zeros_around(x, padding)
    grad_padded, grad_weight = np.zeros(padded.shape), np.zeros(weight.shape)
    grad_bias = np.zeros(len(weight))
    for n, k, i, j in np.ndindex(grad_out.shape):
        rows = slice(i * stride, i * stride + weight.shape[2])
        columns = slice(j * stride, j * stride + weight.shape[3])
        grad_padded[n, :, rows, columns] += grad_out[n, k, i, j] * weight[k]
        grad_weight[k] += grad_out[n, k, i, j] * padded[n, :, rows, columns]
        grad_bias[k] += grad_out[n, k, i, j]
    last_row, last_column = padded.shape[2] - padding, padded.shape[3] - padding
    grad_x = grad_padded[:, :, padding:last_row, padding:last_column]
    return grad_x, grad_weight, grad_bias


@correct
def with_products(grad, images, filters, stride=1, padding=0):
    n, k, out_height, out_width = grad.shape
    padded = zeros_around(images, padding)
    windows = sliding_window_view(padded, filters.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride].transpose(0, 1, 4, 5, 2, 3)
    columns = windows.reshape(n, -1, out_height * out_width)
    rows = grad.reshape(n, k, -1)
    grad_filters = (rows @ columns.swapaxes(1, 2)).sum(axis=0).reshape(filters.shape)
    grad_columns = (filters.reshape(k, -1).T @ rows).reshape(windows.shape)
    grad_padded = np.zeros(padded.shape)
    for a, b in np.ndindex(filters.shape[2:]):
        bottom, right_end = a + stride * out_height, b + stride * out_width
        grad_padded[:, :, a:bottom:stride, b:right_end:stride] += grad_columns[:, :, a, b]
    return cut(grad_padded, images.shape[2:], padding), grad_filters, rows.sum(axis=(0, 2))


@correct
def with_autograd(grad_out, x, weight, stride=1, padding=0):
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    weight = torch.tensor(weight, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(weight), dtype=torch.float64, requires_grad=True)
    out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    out.backward(torch.tensor(grad_out, dtype=torch.float64))
    return x.grad.numpy(), weight.grad.numpy(), bias.grad.numpy()


@correct
def with_float32(grad_out, x, weight, stride=1, padding=0):
    tensors = [torch.tensor(array).float() for array in (grad_out, x, weight)]
    grad_out, x, weight = tensors
    options = {"stride": stride, "padding": padding}
    grad_x = torch.nn.grad.conv2d_input(x.shape, weight, grad_out, **options)
    grad_weight = torch.nn.grad.conv2d_weight(x, weight.shape, grad_out, **options)
    return [grad_x.numpy(), grad_weight.numpy(), grad_out.sum(dim=(0, 2, 3)).numpy()]


@correct
def with_two_convolutions(grad_out, x, weight, stride=1, padding=0):
    n, k = grad_out.shape[:2]
    kernel_height, kernel_width = weight.shape[2:]
    padded = zeros_around(x, padding)
    # Zeros between the numbers, then the places that the stride left out have the gradient 0.
    height, width = padded.shape[2] - kernel_height + 1, padded.shape[3] - kernel_width + 1
    spread = np.zeros((n, k, height, width))
    spread[:, :, ::stride, ::stride] = grad_out
    grad_weight = np.einsum(
        "ncabij,nkij->kcab", sliding_window_view(padded, (height, width), axis=(2, 3)), spread
    )
    around = ((0, 0), (0, 0), (kernel_height - 1,) * 2, (kernel_width - 1,) * 2)
    windows = sliding_window_view(np.pad(spread, around), weight.shape[2:], axis=(2, 3))
    grad_padded = np.einsum("nkijab,kcab->ncij", windows, weight[:, :, ::-1, ::-1])
    return cut(grad_padded, x.shape[2:], padding), grad_weight, grad_out.sum((0, 2, 3))


@correct
def image_by_image(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = [], 0, 0
    for grads, image in zip(grad_out, x, strict=True):
        padded = zeros_around(image[None], padding)
        one = padded_part(grads[None], padded, weight, stride)
        grad_x.append(cut(one, image.shape[1:], padding)[0])
        grad_weight = grad_weight + weight_part(grads[None], padded, weight, stride)
        grad_bias = grad_bias + grads.sum(axis=(1, 2))
    return np.array(grad_x), grad_weight, grad_bias


@mistake(
    "With stride and padding together your gradients go to the wrong pixels, as where the "
    "border is counted in steps of the stride. It is `padding` pixels wide, whatever the "
    "stride.",
    fails={"conv2d_backward_together"},
)
def border_times_stride(grad_out, x, weight, stride=1, padding=0):
    height, width = x.shape[2:]
    grad_x, grad_weight = np.zeros(x.shape), np.zeros(weight.shape)
    for n, k, i, j in np.ndindex(grad_out.shape):
        share = grad_out[n, k, i, j]
        for a, b in np.ndindex(weight.shape[2:]):
            row, column = (i - padding) * stride + a, (j - padding) * stride + b
            if 0 <= row < height and 0 <= column < width:
                grad_x[n, :, row, column] += share * weight[k, :, a, b]
                grad_weight[k, :, a, b] += share * x[n, :, row, column]
    return grad_x, grad_weight, bias_part(grad_out)


@mistake(
    "With stride and padding together your `grad_x` and `grad_weight` are 0.",
    fails={"conv2d_backward_together"},
)
def nothing_with_stride_and_padding(grad_out, x, weight, stride=1, padding=0):
    if stride > 1 and padding > 0:
        return np.zeros(x.shape), np.zeros(weight.shape), bias_part(grad_out)
    return right(grad_out, x, weight, stride, padding)


@mistake(
    "With stride and padding together your `grad_x` is too small. How many rows and columns the "
    "stride leaves over depends on the size with the border.",
    fails={"conv2d_backward_together"},
)
def left_over_without_the_border(grad_out, x, weight, stride=1, padding=0):
    _, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    height, width = x.shape[2:]
    kernel_height, kernel_width = weight.shape[2:]
    n, k, out_height, out_width = grad_out.shape
    spread = np.zeros((n, k, (out_height - 1) * stride + 1, (out_width - 1) * stride + 1))
    spread[:, :, ::stride, ::stride] = grad_out
    rows = (kernel_height - 1, kernel_height - 1 + (height - kernel_height) % stride)
    columns = (kernel_width - 1, kernel_width - 1 + (width - kernel_width) % stride)
    around = np.pad(spread, ((0, 0), (0, 0), rows, columns))
    windows = sliding_window_view(around, weight.shape[2:], axis=(2, 3))
    grad_padded = np.einsum("nkijab,kcab->ncij", windows, weight[:, :, ::-1, ::-1])
    return cut(grad_padded, (height, width), padding), grad_weight, grad_bias


@mistake(
    "With padding your `grad_bias` leaves out the edge of `grad_out`. The bias is added at every "
    "place, at the edge too.",
    fails={"conv2d_backward_together"},
)
def bias_without_the_edge(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    if padding:
        grad_bias = bias_part(grad_out[:, :, padding:-padding, padding:-padding])
    return grad_x, grad_weight, grad_bias


@mistake(
    "For `grad_weight` images and channels of `x` are mixed up: a reshape does not bring the axis "
    "of the channels to the front.",
    fails={"conv2d_backward_together"},
)
def images_and_channels_mixed_up(grad_out, x, weight, stride=1, padding=0):
    grad_x, _, grad_bias = right(grad_out, x, weight, stride, padding)
    n, channels, height, width = x.shape
    mixed = zeros_around(x.reshape(channels, n, height, width).swapaxes(0, 1), padding)
    return grad_x, weight_part(grad_out, mixed, weight, stride), grad_bias


@mistake(
    "With padding your `grad_x` has height and width exchanged.",
    fails={"conv2d_backward_together"},
)
def height_and_width_exchanged_with_padding(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x.swapaxes(2, 3) if padding else grad_x, grad_weight, grad_bias


@mistake(
    "With a stride your `grad_weight` has rows and columns exchanged.",
    fails={"conv2d_backward_together"},
)
def weight_transposed_with_a_stride(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight.swapaxes(2, 3) if stride > 1 else grad_weight, grad_bias


@mistake(
    "With padding your function turns the images by 180°, for `grad_weight` and for `grad_x`.",
    fails={"conv2d_backward_together"},
)
def turned_with_padding(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    if padding:
        padded = zeros_around(x[:, :, ::-1, ::-1], padding)
        grad_weight = weight_part(grad_out, padded, weight, stride)
        grad_x = grad_x[:, :, ::-1, ::-1]
    return grad_x, grad_weight, grad_bias


@mistake(
    "Your function changes the arrays that it was given: afterwards they hold other numbers.",
    fails={"conv2d_backward_shapes", "conv2d_backward_together"},
)
def inputs_erased(grad_out, x, weight, stride=1, padding=0):
    gradients = right(grad_out, x, weight, stride, padding)
    for array in (grad_out, x, weight):
        array *= 0
    return gradients


@mistake(
    "Your function multiplies `grad_out` in its own memory: afterwards it holds other numbers.",
    fails={"conv2d_backward_shapes", "conv2d_backward_together"},
)
def grad_out_scaled_in_place(grad_out, x, weight, stride=1, padding=0):
    gradients = right(grad_out, x, weight, stride, padding)
    grad_out *= 2
    return gradients


@mistake(
    "The gradient of the bias comes first. The order is that of the arguments: x, weight, bias.",
    fails={"conv2d_backward_shapes"},
)
def order_bias_first(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_bias, grad_x, grad_weight


ALL_CELLS = {
    "conv2d_backward_shapes",
    "conv2d_backward_bias",
    "conv2d_backward_weight",
    "conv2d_backward_x",
    "conv2d_backward_batch",
    "conv2d_backward_stride",
    "conv2d_backward_padding",
    "conv2d_backward_together",
}


@mistake(
    "Your function returns a dict. Asked for are three arrays, one after the other.",
    fails=ALL_CELLS,
)
def as_a_dict(grad_out, x, weight, stride=1, padding=0):
    names = ("grad_x", "grad_weight", "grad_bias")
    return dict(zip(names, right(grad_out, x, weight, stride, padding), strict=True))


@mistake(
    "Only the gradients of `x` and `weight` come back. The one of the bias is missing.",
    fails=ALL_CELLS,
)
def without_the_bias(grad_out, x, weight, stride=1, padding=0):
    return right(grad_out, x, weight, stride, padding)[:2]


@mistake(
    "Your function returns nothing. It should hand back the three gradients at its end.",
    fails=ALL_CELLS,
)
def nothing_returned(grad_out, x, weight, stride=1, padding=0):
    gradients = right(grad_out, x, weight, stride, padding)
    gradients[0].sum()


@mistake(
    "Your gradient is divided by the number of images. The shares of the images are added; the "
    "loss has already divided by their number where that is wanted.",
    fails={"conv2d_backward_bias", "conv2d_backward_batch", "conv2d_backward_together"},
)
def divided_by_the_images(grad_out, x, weight, stride=1, padding=0):
    return tuple(part / len(x) for part in right(grad_out, x, weight, stride, padding))


@correct
def spread_with_zeros_at_the_end(grad_out, x, weight, stride=1, padding=0):
    height, width = x.shape[2:]
    kernel_height, kernel_width = weight.shape[2:]
    n, k, out_height, out_width = grad_out.shape
    spread = np.zeros((n, k, (out_height - 1) * stride + 1, (out_width - 1) * stride + 1))
    spread[:, :, ::stride, ::stride] = grad_out
    edges = (kernel_height - 1,) * 2, (kernel_width - 1,) * 2
    windows = sliding_window_view(
        np.pad(spread, ((0, 0), (0, 0), *edges)), weight.shape[2:], axis=(2, 3)
    )
    grad_padded = np.einsum("nkijab,kcab->ncij", windows, weight[:, :, ::-1, ::-1])
    found = cut(grad_padded, (height, width), padding)
    # What no window reached is 0.
    grad_x = np.zeros(x.shape)
    grad_x[:, :, : found.shape[2], : found.shape[3]] = found
    return (
        grad_x,
        weight_part(grad_out, zeros_around(x, padding), weight, stride),
        bias_part(grad_out),
    )


@correct
def with_tensors(grad_out, x, weight, stride=1, padding=0):
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    weight = torch.tensor(weight, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(weight), dtype=torch.float64, requires_grad=True)
    out = F.conv2d(x, weight, bias, stride, padding)
    return torch.autograd.grad(out, (x, weight, bias), torch.tensor(grad_out, dtype=torch.float64))


class Gradients(NamedTuple):
    grad_x: object
    grad_weight: object
    grad_bias: object


@correct
def with_names(grad_out, x, weight, stride=1, padding=0):
    return Gradients(*right(grad_out, x, weight, stride, padding))


@correct
def with_fold(grad_out, x, weight, stride=1, padding=0):
    n, k = grad_out.shape[:2]
    size, options = weight.shape[2:], {"stride": stride, "padding": padding}
    rows = torch.tensor(grad_out, dtype=torch.float32).reshape(n, k, -1)
    columns = F.unfold(torch.tensor(x, dtype=torch.float32), size, **options)
    matrix = torch.tensor(weight, dtype=torch.float32).reshape(k, -1)
    grad_x = F.fold(matrix.T @ rows, x.shape[2:], size, **options)
    grad_weight = torch.einsum("nkp,ncp->kc", rows, columns).reshape(weight.shape)
    return grad_x, grad_weight, rows.sum(dim=(0, 2))


@correct
def with_enumerate(grad_out, x, weight, stride=1, padding=0):
    padded = zeros_around(x, padding).astype(float)
    grad_padded, grad_weight = np.zeros_like(padded), np.zeros_like(weight, dtype=float)
    kernel_height, kernel_width = weight.shape[2:]
    for (n, k, i, j), share in np.ndenumerate(grad_out):
        top, left = i * stride, j * stride
        window = np.s_[n, :, top : top + kernel_height, left : left + kernel_width]
        grad_weight[k] += share * padded[window]
        grad_padded[window] += share * weight[k]
    return [cut(grad_padded, x.shape[2:], padding), grad_weight, np.einsum("nkij->k", grad_out)]


@correct
def with_fourier_transform(grad_out, x, weight, stride=1, padding=0):
    padded = zeros_around(x, padding)
    size = padded.shape[2:]
    spread = np.zeros((*grad_out.shape[:2], *size))
    spread[(..., *slices(grad_out, stride, 0, 0))] = grad_out
    shares, pixels, filters = (np.fft.rfft2(part, size) for part in (spread, padded, weight))
    grad_padded = np.fft.irfft2(np.einsum("nkij,kcij->ncij", shares, filters), size)
    grad_weight = np.fft.irfft2(np.einsum("nkij,ncij->kcij", shares.conj(), pixels), size)
    kernel_height, kernel_width = weight.shape[2:]
    return (
        cut(grad_padded, x.shape[2:], padding),
        grad_weight[:, :, :kernel_height, :kernel_width],
        bias_part(grad_out),
    )


@mistake(
    "The numbers of x are taken in the order in which memory has them. In a transposed array that "
    "is not the order of its rows.",
    fails={"conv2d_backward_together"},
    undiagnosed="only a hidden test has an array that lies in memory in another order",
)
def numbers_as_in_memory(grad_out, x, weight, stride=1, padding=0):
    x = x.ravel(order="K").reshape(x.shape)
    return with_products(grad_out, x, weight, stride, padding)


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={"conv2d_backward_together"},
)
def in_half_precision(grad_out, x, weight, stride=1, padding=0):
    return tuple(
        part.astype(np.float16) for part in with_products(grad_out, x, weight, stride, padding)
    )


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"conv2d_backward_together"},
)
def small_numbers_cut_off(grad_out, x, weight, stride=1, padding=0):
    gradients = right(grad_out, x, weight, stride, padding)
    return tuple(np.where(np.abs(gradient) < 1e-3, 0, gradient) for gradient in gradients)


LOST = (
    "Fractions are lost in your gradient, as where it is stored in an array of whole numbers. "
    "`grad_out` can hold fractions where `x` and `weight` hold none."
)


@mistake(
    LOST,
    fails={"conv2d_backward_weight", "conv2d_backward_x"},
)
def gradients_like_the_arrays(grad_out, x, weight, stride=1, padding=0):
    padded = zeros_around(x, padding)
    grad_padded, grad_weight = np.zeros_like(padded), np.zeros_like(weight)
    for n, k, i, j in np.ndindex(grad_out.shape):
        rows = slice(i * stride, i * stride + weight.shape[2])
        columns = slice(j * stride, j * stride + weight.shape[3])
        place = (n, slice(None), rows, columns)
        grad_padded[place] = grad_padded[place] + grad_out[n, k, i, j] * weight[k]
        grad_weight[k] = grad_weight[k] + grad_out[n, k, i, j] * padded[place]
    return cut(grad_padded, x.shape[2:], padding), grad_weight, bias_part(grad_out)


@mistake(
    LOST,
    fails={"conv2d_backward_weight", "conv2d_backward_x"},
)
def gradients_in_the_types_of_the_arrays(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x.astype(x.dtype), grad_weight.astype(weight.dtype), grad_bias


@mistake(
    "The rows and columns that the stride leaves over stand above and left in your `grad_x`. No "
    "window reached those below and right: their gradient is 0.",
    fails={"conv2d_backward_stride", "conv2d_backward_together"},
)
def left_over_above_and_left(grad_out, x, weight, stride=1, padding=0):
    _, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    padded = zeros_around(x, padding)
    grad_padded = padded_part(grad_out, padded, weight, stride)
    rows, columns = ((padded.shape[axis] - weight.shape[axis]) % stride for axis in (2, 3))
    grad_padded = np.roll(grad_padded, (rows, columns), axis=(2, 3))
    return cut(grad_padded, x.shape[2:], padding), grad_weight, grad_bias


@mistake(
    "Your `grad_bias` is divided by the number of places of a map. The places add up.",
    fails={"conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_mean_of_places(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, _ = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_out.mean(axis=(2, 3)).sum(axis=0)


@mistake(
    "Your `grad_bias` is kh · kw times as large as it should be, as where it grows with each "
    "position of the window. A bias is added once at each place, however large the window is.",
    fails={"conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_for_each_position(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_bias * weight[0, 0].size


@mistake(
    "Your `grad_bias` counts each place as often as a filter has weights. A bias is added "
    "once at each place, however large the filter is.",
    fails={"conv2d_backward_bias", "conv2d_backward_together"},
)
def bias_for_each_weight(grad_out, x, weight, stride=1, padding=0):
    grad_x, grad_weight, grad_bias = right(grad_out, x, weight, stride, padding)
    return grad_x, grad_weight, grad_bias * weight[0].size
