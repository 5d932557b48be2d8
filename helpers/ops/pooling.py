"""Max and average pooling, forward and backward."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from helpers._arguments import IntOrPair, check_int, check_pair
from helpers.language import gettext
from helpers.ops.arguments import (
    FLOATS,
    NUMBERS,
    check_bool,
    check_gradient,
    check_images,
    silent,
    unbatched_like,
)
from helpers.ops.columns import every, pad_images
from helpers.shapes import conv_output_size


@silent
def max_pool2d(
    x: np.ndarray,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """The largest value of each window, map by map.

    Parameters
    ----------
    x : ndarray, (N, C, H, W) or (C, H, W)
        float32, float64, int32 or int64.
    kernel_size : int or (int, int)
    stride : int, (int, int) or None
        Step of the window; None means `kernel_size`.
    padding : int or (int, int)
        Rows and columns of −∞ (never 0) on each side, at most half the kernel.
    dilation : int or (int, int)
        Step between the positions inside the window.
    ceil_mode : bool
        Also take a last window that hangs over the end, unless it would start in the padding on
        the right.

    Returns
    -------
    ndarray, (N, C, out_h, out_w) or (C, out_h, out_w)
        A NaN in a window makes the result NaN. A window without any real value, which dilation can
        make, gives −∞.

    Raises
    ------
    ValueError
        If a number is out of range, the padding is over half the kernel, or the kernel does not
        fit.
    TypeError
        If an argument is of the wrong kind or dtype.

    Source: documentation of `torch.nn.MaxPool2d`.

    >>> x = np.arange(16.).reshape(1, 4, 4)
    >>> max_pool2d(x, kernel_size=3, stride=2, padding=1)
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    images = check_images("x", x, NUMBERS)
    plan = PoolingPlan(images, kernel_size, stride, padding, dilation, ceil_mode)
    padded = pad_images(images, *plan.padding, value=lowest(x.dtype))
    return unbatched_like(x, plan.reduce(np.maximum, padded))


@silent
def max_pool2d_backward(
    grad_out: np.ndarray,
    x: np.ndarray,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Backward pass of `max_pool2d`: each window's gradient goes to the value that won.

    Of equal values the first one wins, row by row; of several NaN, the last one.

    Parameters
    ----------
    grad_out : ndarray, the shape of ``max_pool2d(x, ...)``
        Gradient of the loss with respect to the output.
    x, kernel_size, stride, padding, dilation, ceil_mode
        As given to `max_pool2d`; float32 or float64.

    Returns
    -------
    ndarray, the shape of x
        The gradient of a window without any real value is dropped.

    Raises
    ------
    ValueError, TypeError
        As `max_pool2d`, and if `grad_out` has another shape or dtype than the output.
    """
    images = check_images("x", x)
    plan = PoolingPlan(images, kernel_size, stride, padding, dilation, ceil_mode)
    grad_out = check_gradient(grad_out, x, plan.out_shape)
    padded = pad_images(images, *plan.padding, value=lowest(x.dtype))
    is_real = pad_images(np.ones((1, 1, *images.shape[2:]), dtype=bool), *plan.padding)

    best = np.full(plan.out_shape, -np.inf, dtype=x.dtype)
    winner = np.full(plan.out_shape, -1)  # number of the kernel position; −1: none yet
    for number, place in enumerate(plan.kernel_positions()):
        value = padded[place]
        # A window full of −∞ still has a winner: its first real position.
        wins = is_real[place] & ((value > best) | np.isnan(value) | (winner < 0))
        best, winner = np.where(wins, value, best), np.where(wins, number, winner)

    grad_padded = np.zeros_like(padded)
    for number, place in enumerate(plan.kernel_positions()):
        grad_padded[place] += np.where(winner == number, grad_out, 0)
    return unbatched_like(x, plan.inside(grad_padded))


@silent
def avg_pool2d(
    x: np.ndarray,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """The mean of each window, map by map.

    Parameters
    ----------
    x : ndarray, (N, C, H, W) or (C, H, W)
        float32 or float64.
    kernel_size : int or (int, int)
    stride : int, (int, int) or None
        Step of the window; None means `kernel_size`.
    padding : int or (int, int)
        Rows and columns of zeros on each side, at most half the kernel.
    ceil_mode : bool
        Also take a last window that hangs over the end, unless it would start in the padding on
        the right.
    count_include_pad : bool
        Whether padding counts in what the sum is divided by. What a window of `ceil_mode` covers
        beyond the padding never counts.
    divisor_override : int or None
        Divide by this instead; 1 gives sum pooling.

    Returns
    -------
    ndarray, (N, C, out_h, out_w) or (C, out_h, out_w)

    Raises
    ------
    ValueError
        If a number is out of range, the padding is over half the kernel, or the kernel does not
        fit.
    TypeError
        If an argument is of the wrong kind or dtype.

    Source: documentation of `torch.nn.AvgPool2d`.

    >>> avg_pool2d(np.arange(16.).reshape(1, 4, 4), kernel_size=2)
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    images = check_images("x", x)
    plan = PoolingPlan(images, kernel_size, stride, padding, 1, ceil_mode)
    divisor = plan.divisor(count_include_pad, divisor_override, x.dtype)
    out = plan.reduce(np.add, pad_images(images, *plan.padding))
    out /= divisor
    return unbatched_like(x, out)


@silent
def avg_pool2d_backward(
    grad_out: np.ndarray,
    x: np.ndarray,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """Backward pass of `avg_pool2d`: each window shares its gradient equally among its positions.

    Parameters
    ----------
    grad_out : ndarray, the shape of ``avg_pool2d(x, ...)``
        Gradient of the loss with respect to the output.
    x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As given to `avg_pool2d`.

    Returns
    -------
    ndarray, the shape of x
        What falls into the padding is dropped.

    Raises
    ------
    ValueError, TypeError
        As `avg_pool2d`, and if `grad_out` has another shape or dtype than the output.
    """
    images = check_images("x", x)
    plan = PoolingPlan(images, kernel_size, stride, padding, 1, ceil_mode)
    divisor = plan.divisor(count_include_pad, divisor_override, x.dtype)
    share = check_gradient(grad_out, x, plan.out_shape) / divisor
    rows, columns = plan.padding
    height, width = images.shape[2:]
    grad_padded = np.zeros(
        (*images.shape[:2], height + sum(rows), width + sum(columns)), dtype=x.dtype
    )
    for place in plan.kernel_positions():
        grad_padded[place] += share
    return unbatched_like(x, plan.inside(grad_padded))


class PoolingPlan:
    """Checked arguments of one pooling call, and the walk over its windows."""

    def __init__(
        self,
        images: np.ndarray,
        kernel_size: IntOrPair,
        stride: IntOrPair | None,
        padding: IntOrPair,
        dilation: IntOrPair,
        ceil_mode: bool,
    ) -> None:
        self.size = images.shape[2:]
        self.kernel_size = check_pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else check_pair("stride", stride)
        self.given_padding = check_pair("padding", padding, smallest=0)
        self.dilation = check_pair("dilation", dilation)
        ceil_mode = check_bool("ceil_mode", ceil_mode)
        for kernel, amount in zip(self.kernel_size, self.given_padding, strict=True):
            if amount > kernel // 2:
                raise ValueError(
                    gettext(
                        "padding={padding} with kernel_size={kernel_size}: padding must be "
                        "at most half the kernel, here {largest}, or windows would lie in "
                        "the padding alone"
                    ).format(
                        padding=self.given_padding,
                        kernel_size=self.kernel_size,
                        largest=kernel // 2,
                    )
                )
        each_axis = zip(
            self.size, self.kernel_size, self.stride, self.given_padding, self.dilation, strict=True
        )
        self.out_size = tuple(conv_output_size(*axis, ceil_mode) for axis in each_axis)
        self.out_shape = (*images.shape[:2], *self.out_size)
        # After the end, so much more that the last window of ceil_mode finds something to read.
        ends = [
            (count - 1) * step + d * (kernel - 1) + 1
            for count, step, d, kernel in zip(
                self.out_size, self.stride, self.dilation, self.kernel_size, strict=True
            )
        ]
        self.padding = [
            (amount, max(amount, end - size - amount))
            for amount, end, size in zip(self.given_padding, ends, self.size, strict=True)
        ]

    def reduce(self, ufunc: np.ufunc, padded: np.ndarray) -> np.ndarray:
        """`ufunc` over each window: over its rows, then over its columns, as both may be parted."""
        for axis in (0, 1):
            count, step, d = self.out_size[axis], self.stride[axis], self.dilation[axis]
            places = [every(i, step, d, count) for i in range(self.kernel_size[axis])]
            lead = (slice(None),) * (axis + 2)
            out = padded[(*lead, places[0])].copy()
            for place in places[1:]:
                ufunc(out, padded[(*lead, place)], out=out)
            padded = out
        return padded

    def kernel_positions(self) -> Iterator[tuple]:
        """For each kernel position, row by row: where it lies in the padded input, all windows."""
        out_h, out_w = self.out_size
        for i in range(self.kernel_size[0]):
            rows = every(i, self.stride[0], self.dilation[0], out_h)
            for j in range(self.kernel_size[1]):
                yield ..., rows, every(j, self.stride[1], self.dilation[1], out_w)

    def divisor(
        self, count_include_pad: bool, divisor_override: int | None, dtype: np.dtype
    ) -> int | np.ndarray:
        """What each window's sum is divided by: (out_h, out_w), or one number."""
        count_include_pad = check_bool("count_include_pad", count_include_pad)
        if divisor_override is not None:
            return check_divisor(divisor_override)
        counts = []
        for axis in (0, 1):
            size, amount = self.size[axis], self.given_padding[axis]
            first = np.arange(self.out_size[axis]) * self.stride[axis] - amount
            last = first + self.kernel_size[axis]
            border = amount if count_include_pad else 0
            counts.append(np.minimum(last, size + border) - np.maximum(first, -border))
        return np.outer(*counts).astype(dtype)

    def inside(self, padded: np.ndarray) -> np.ndarray:
        """The part of a padded array that lies over the input, as a contiguous array."""
        (top, _), (left, _) = self.padding
        height, width = self.size
        return np.ascontiguousarray(padded[:, :, top : top + height, left : left + width])


def check_divisor(value: object) -> int:
    """`divisor_override` as an int other than 0."""
    smallest = -(2**63)
    divisor = check_int("divisor_override", value, smallest)
    if divisor == 0:
        raise ValueError(
            gettext("divisor_override=0: it must not be 0; None divides by the window's size")
        )
    return divisor


def lowest(dtype: np.dtype) -> float:
    """What max pooling pads with: −∞, or the smallest integer."""
    return -np.inf if dtype in FLOATS else np.iinfo(dtype).min
