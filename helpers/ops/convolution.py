"""Convolution, forward and backward, and its relative whose weights are not shared."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from helpers._arguments import IntOrPair, check_int, check_pair
from helpers.language import gettext
from helpers.ops.arguments import (
    FLOATS,
    NUMBERS,
    check_gradient,
    check_images,
    check_like,
    check_shape,
    silent,
    unbatched_like,
)
from helpers.ops.columns import add_windows, pad_images, window_view
from helpers.shapes import conv_output_size

# Columns are made for a few images at a time: this many bytes stay near the processor's caches.
COLUMN_BYTES = 2**23


@silent
def conv2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair | str = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> np.ndarray:
    """Convolution as in neural networks: slide the kernel, multiply and add. It is not flipped.

    Parameters
    ----------
    x : ndarray, (N, C, H, W) or (C, H, W)
        float32 or float64; int32 and int64 give exact integers.
    weight : ndarray, (K, C/groups, kh, kw)
        K filters, of x's dtype.
    bias : ndarray, (K,), or None
        Added to each of the K output maps.
    stride, dilation : int or (int, int)
        Step of the window; step between the positions inside it. At least 1.
    padding : int, (int, int), "same" or "valid"
        Rows and columns of zeros on each side. "same" pads so that the output has the size of the
        input (for an even kernel one more at the bottom and right) and needs stride 1. "valid"
        is 0.
    groups : int
        Cut channels and filters into this many groups that do not see each other.

    Returns
    -------
    ndarray, (N, K, out_h, out_w) or (K, out_h, out_w)
        Sizes as told by `helpers.shapes.conv_output_size`: floored when the stride does not fit.

    Raises
    ------
    ValueError
        If shapes do not belong together, a number is out of range, or the kernel does not fit.
    TypeError
        If an argument is of the wrong kind or dtype.

    Source: documentation of `torch.nn.functional.conv2d`; Dumoulin and Visin, "A guide to
    convolution arithmetic for deep learning", 2016.

    >>> x = np.arange(9.).reshape(1, 3, 3)
    >>> weight = np.arange(4.).reshape(1, 1, 2, 2)
    >>> conv2d(x, weight)
    array([[[19., 25.],
            [37., 43.]]])
    """
    images, weight = check_images("x", x, NUMBERS), check_weight(weight, x, NUMBERS)
    plan = ConvolutionPlan(images, weight, stride, padding, dilation, groups)
    if bias is not None:
        check_like("bias", bias, "x", x, NUMBERS)
        check_shape("bias", bias, weight.shape[:1], gettext("(number of filters,)"))
    out = np.empty(plan.out_shape, dtype=x.dtype)
    matrix = plan.weight_matrix
    for part in plan.parts:
        # (groups, K/groups, rows) @ (n, groups, rows, positions)
        np.matmul(matrix, plan.columns(part), out=plan.by_group(out[part]))
    if bias is not None:
        out += bias[:, np.newaxis, np.newaxis]
    return unbatched_like(x, out)


@silent
def conv2d_backward(
    grad_out: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    stride: IntOrPair = 1,
    padding: IntOrPair | str = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backward pass of `conv2d`: from the loss's gradient at its output to those at its inputs.

    Parameters
    ----------
    grad_out : ndarray, the shape of ``conv2d(x, weight, ...)``
        Gradient of the loss with respect to the output.
    x, weight, stride, padding, dilation, groups
        As given to `conv2d`; float32 or float64.

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarray
        Of the shapes of x and weight, and (K,). The last is for a bias if there was one.

    Raises
    ------
    ValueError, TypeError
        As `conv2d`, and if `grad_out` has another shape or dtype than the output.

    Source: Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 9.5.
    """
    images, weight = check_images("x", x), check_weight(weight, x, FLOATS)
    plan = ConvolutionPlan(images, weight, stride, padding, dilation, groups)
    grad_out = check_gradient(grad_out, x, plan.out_shape)

    grad_matrix = np.zeros(plan.weight_matrix.shape, dtype=x.dtype)
    grad_images = np.empty(images.shape, dtype=x.dtype)
    matrix_t = plan.weight_matrix.swapaxes(1, 2)
    for part in plan.parts:
        grad_part, columns = plan.by_group(grad_out[part]), plan.columns(part)
        # The weights meet every position of every image: (K/groups, all) @ (all, rows).
        grad_matrix += np.matmul(images_last(grad_part), images_last(columns).swapaxes(1, 2))
        grad_columns = np.matmul(matrix_t, grad_part)
        grad_images[part] = add_windows(
            grad_columns.reshape(len(grad_part), *plan.window_shape),
            images.shape[2:],
            plan.stride,
            plan.dilation,
            *plan.padding,
        )
    grad_bias = grad_out.sum(axis=(0, 2, 3))
    return unbatched_like(x, grad_images), grad_matrix.reshape(weight.shape), grad_bias


@silent
def locally_connected2d(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair | str = 0,
    dilation: IntOrPair = 1,
) -> np.ndarray:
    """Like `conv2d`, but every output position has filters of its own: nothing is shared.

    torch has no such function; arguments are those of `conv2d` where they mean the same.

    Parameters
    ----------
    x : ndarray, (N, C, H, W) or (C, H, W)
        float32 or float64; int32 and int64 give exact integers.
    weight : ndarray, (K, out_h, out_w, C, kh, kw)
        ``weight[k, i, j]`` is the filter that makes output (i, j) of map k. x's dtype.
    bias : ndarray, (K, out_h, out_w), or None
        One number for each output.
    stride, padding, dilation
        As in `conv2d`.

    Returns
    -------
    ndarray, (N, K, out_h, out_w) or (K, out_h, out_w)

    Raises
    ------
    ValueError
        If `weight` or `bias` has another shape than these sizes need (the message says which), a
        number is out of range, or the kernel does not fit.
    TypeError
        If an argument is of the wrong kind or dtype.

    Source: Taigman et al., "DeepFace: Closing the Gap to Human-Level Performance in Face
    Verification", CVPR 2014, section 3.

    >>> x = np.arange(3.).reshape(1, 1, 3)
    >>> weight = np.array([1., 10., 100.]).reshape(1, 1, 3, 1, 1, 1)
    >>> locally_connected2d(x, weight)
    array([[[  0.,  10., 200.]]])
    """
    images = check_images("x", x, NUMBERS)
    check_like("weight", weight, "x", x, NUMBERS)
    if weight.ndim != 6 or 0 in weight.shape:
        raise ValueError(
            gettext(
                "weight has shape {shape}: it must have 6 axes, none empty: (filters, out_h, "
                "out_w, channels, kernel_h, kernel_w)"
            ).format(shape=weight.shape)
        )
    n, channels = images.shape[:2]
    filters, kernel_size = weight.shape[0], weight.shape[4:]
    stride, dilation, padding, out_size = check_geometry(
        images.shape[2:], kernel_size, stride, padding, dilation
    )
    check_shape(
        "weight",
        weight,
        (filters, *out_size, channels, *kernel_size),
        "(filters, out_h, out_w, channels, kernel_h, kernel_w)",
    )
    if bias is not None:
        check_like("bias", bias, "x", x, NUMBERS)
        check_shape("bias", bias, (filters, *out_size), "(filters, out_h, out_w)")

    view = window_view(pad_images(images, *padding), kernel_size, stride, dilation, out_size)
    # One small product for each position: (filters, rows) @ (rows, N).
    rows = channels * kernel_size[0] * kernel_size[1]
    columns = view.transpose(4, 5, 1, 2, 3, 0).reshape(*out_size, rows, n)
    products = weight.reshape(filters, *out_size, rows).transpose(1, 2, 0, 3) @ columns
    out = np.ascontiguousarray(products.transpose(3, 2, 0, 1))
    if bias is not None:
        out += bias
    return unbatched_like(x, out)


def images_last(columns: np.ndarray) -> np.ndarray:
    """(n, groups, rows, positions) as (groups, rows, n·positions)."""
    n, groups, rows, positions = columns.shape
    return columns.transpose(1, 2, 0, 3).reshape(groups, rows, n * positions)


class ConvolutionPlan:
    """Checked arguments of one convolution, and the columns it multiplies by."""

    def __init__(
        self,
        images: np.ndarray,
        weight: np.ndarray,
        stride: IntOrPair,
        padding: IntOrPair | str,
        dilation: IntOrPair,
        groups: int,
    ) -> None:
        self.groups = check_int("groups", groups)
        n, channels = images.shape[:2]
        filters, per_group, *kernel_size = weight.shape
        if per_group * self.groups != channels:
            raise ValueError(
                gettext(
                    "x has {channels} channels, but weight has shape {shape} and "
                    "groups={groups}: weight.shape[1] · groups must be the number of channels"
                ).format(channels=channels, shape=weight.shape, groups=self.groups)
            )
        if filters % self.groups:
            raise ValueError(
                gettext(
                    "weight has {filters} filters and groups={groups}: the number of filters "
                    "must be a multiple of groups"
                ).format(filters=filters, groups=self.groups)
            )
        self.stride, self.dilation, self.padding, self.out_size = check_geometry(
            images.shape[2:], kernel_size, stride, padding, dilation
        )
        self.out_shape = (n, filters, *self.out_size)
        self.window_shape = (channels, *kernel_size, *self.out_size)
        self.weight_matrix = weight.reshape(self.groups, filters // self.groups, -1)
        self._padded = pad_images(images, *self.padding)
        bytes_each = math.prod(self.window_shape) * images.itemsize
        step = max(1, COLUMN_BYTES // bytes_each)
        self.parts = [slice(start, min(start + step, n)) for start in range(0, n, step)]

    def columns(self, part: slice) -> np.ndarray:
        """Columns of some images: (n, groups, rows, out_h·out_w)."""
        kernel_size = self.window_shape[1:3]
        padded = self._padded[part]
        view = window_view(padded, kernel_size, self.stride, self.dilation, self.out_size)
        return view.reshape(len(padded), self.groups, self.weight_matrix.shape[2], -1)

    def by_group(self, maps: np.ndarray) -> np.ndarray:
        """Maps (n, K, out_h, out_w) as (n, groups, K/groups, out_h·out_w)."""
        return maps.reshape(len(maps), self.groups, self.weight_matrix.shape[1], -1)


def check_weight(weight: np.ndarray, x: np.ndarray, dtypes: Sequence[np.dtype]) -> np.ndarray:
    """`weight`, if it is an array of 4 axes, none empty, with x's dtype."""
    check_like("weight", weight, "x", x, dtypes)
    if weight.ndim != 4 or 0 in weight.shape:
        raise ValueError(
            gettext(
                "weight has shape {shape}: it must have 4 axes, none empty: (filters, "
                "channels / groups, kernel_h, kernel_w)"
            ).format(shape=weight.shape)
        )
    return weight


def check_geometry(
    size: Sequence[int],
    kernel_size: Sequence[int],
    stride: IntOrPair,
    padding: IntOrPair | str,
    dilation: IntOrPair,
) -> tuple[tuple[int, int], tuple[int, int], list[tuple[int, int]], Sequence[int]]:
    """Pairs (stride, dilation, padding, out_size); padding is a (before, after) pair an axis."""
    stride, dilation = check_pair("stride", stride), check_pair("dilation", dilation)
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(
                gettext(
                    'padding={padding!r}: it must be a number, a pair, "same" or "valid"'
                ).format(padding=padding)
            )
        if padding == "same":
            if stride != (1, 1):
                raise ValueError(
                    gettext('padding="same" with stride={stride}: the stride must be 1').format(
                        stride=stride
                    )
                )
            totals = [d * (k - 1) for k, d in zip(kernel_size, dilation, strict=True)]
            return stride, dilation, [(t // 2, t - t // 2) for t in totals], size
        padding = 0
    padding = check_pair("padding", padding, smallest=0)
    out_size = conv_output_size(size, kernel_size, stride, padding, dilation)
    return stride, dilation, [(amount, amount) for amount in padding], out_size
