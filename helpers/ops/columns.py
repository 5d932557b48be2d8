"""Images to columns and back: the step that turns a convolution into a matrix product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers._arguments import IntOrPair, check_pair
from helpers.language import gettext
from helpers.ops.arguments import NUMBERS, check_array, check_images
from helpers.shapes import conv_output_size


def im2col(
    x: np.ndarray,
    kernel_size: IntOrPair,
    *,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> np.ndarray:
    """Copy every window of the input into a column.

    The same as `torch.nn.functional.unfold`; the options are keyword-only because torch has them in
    another order there (dilation, padding, stride) than in `conv2d`.

    Parameters
    ----------
    x : ndarray, (N, C, H, W) or (C, H, W)
        float32, float64, int32 or int64.
    kernel_size, stride, padding, dilation : int or (int, int)
        As in `conv2d`.

    Returns
    -------
    ndarray, (N, C·kh·kw, out_h·out_w), or without N
        Column l holds window l, counted row by row: all of channel 0's kernel positions row by
        row, then channel 1's. Values from outside the image are 0. A new array of x's dtype.

    Raises
    ------
    ValueError
        If a number is out of range, or the kernel does not fit into the padded input.
    TypeError
        If an argument is of the wrong kind or dtype.

    Source: Chellapilla, Puri and Simard, "High Performance Convolutional Neural Networks for
    Document Processing", 2006; documentation of `torch.nn.Unfold`.

    >>> im2col(np.arange(9.).reshape(1, 3, 3), kernel_size=2)[:, 0]
    array([0., 1., 3., 4.])
    """
    images = check_images("x", x, NUMBERS)
    kernel_size = check_pair("kernel_size", kernel_size)
    stride, dilation = check_pair("stride", stride), check_pair("dilation", dilation)
    padding = check_pair("padding", padding, smallest=0)
    out_size = conv_output_size(images.shape[-2:], kernel_size, stride, padding, dilation)
    padded = pad_images(images, *((amount, amount) for amount in padding))
    view = window_view(padded, kernel_size, stride, dilation, out_size)
    rows = images.shape[1] * kernel_size[0] * kernel_size[1]
    # For a 1×1 kernel the view is the image itself: copy, so that the result is a new array.
    columns = view.copy().reshape(len(images), rows, out_size[0] * out_size[1])
    return columns if x.ndim == 4 else columns[0]


def col2im(
    columns: np.ndarray,
    output_size: IntOrPair,
    kernel_size: IntOrPair,
    *,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> np.ndarray:
    """Add columns back into an image, each value at the place where `im2col` read it.

    The same as `torch.nn.functional.fold`. Where windows overlap, values add up: this is the
    backward pass of `im2col`, not its inverse.

    Parameters
    ----------
    columns : ndarray, (N, C·kh·kw, L) or (C·kh·kw, L)
        float32, float64, int32 or int64, with L = out_h·out_w windows.
    output_size : int or (int, int)
        Height and width of the image to make.
    kernel_size, stride, padding, dilation : int or (int, int)
        As given to `im2col`. What falls into the padding is dropped.

    Returns
    -------
    ndarray, (N, C, H, W) or (C, H, W)

    Raises
    ------
    ValueError
        If the shape of `columns` does not belong to these sizes, or a number is out of range.
    TypeError
        If an argument is of the wrong kind or dtype.

    Source: documentation of `torch.nn.Fold`.
    """
    check_array("columns", columns, NUMBERS)
    output_size = check_pair("output_size", output_size)
    kernel_size = check_pair("kernel_size", kernel_size)
    stride, dilation = check_pair("stride", stride), check_pair("dilation", dilation)
    padding = check_pair("padding", padding, smallest=0)
    out_h, out_w = conv_output_size(output_size, kernel_size, stride, padding, dilation)
    positions = kernel_size[0] * kernel_size[1]
    rows = columns.shape[-2] if columns.ndim in (2, 3) else 0
    if rows == 0 or rows % positions or columns.shape[-1] != out_h * out_w:
        raise ValueError(
            gettext(
                "columns has shape {shape}: for output_size={output_size} and "
                "kernel_size={kernel_size} it must be (N, C·{positions}, {windows}) or "
                "(C·{positions}, {windows}), with {out_h}·{out_w} windows"
            ).format(
                shape=columns.shape,
                output_size=output_size,
                kernel_size=kernel_size,
                positions=positions,
                windows=out_h * out_w,
                out_h=out_h,
                out_w=out_w,
            )
        )
    n = len(columns) if columns.ndim == 3 else 1
    windows = columns.reshape(n, rows // positions, *kernel_size, out_h, out_w)
    images = add_windows(
        windows, output_size, stride, dilation, *((amount, amount) for amount in padding)
    )
    return images if columns.ndim == 3 else images[0]


def pad_images(
    images: np.ndarray, rows: tuple[int, int], columns: tuple[int, int], *, value: float = 0
) -> np.ndarray:
    """`images` (N, C, H, W) with (before, after) `rows` and `columns` of `value` around.

    With nothing to add, `images` itself: read it, do not write into it.
    """
    if not any(rows + columns):
        return images
    n, channels, height, width = images.shape
    padded = np.full(
        (n, channels, height + sum(rows), width + sum(columns)), value, dtype=images.dtype
    )
    padded[:, :, rows[0] : rows[0] + height, columns[0] : columns[0] + width] = images
    return padded


def every(position: int, stride: int, dilation: int, count: int) -> slice:
    """Slice of the input positions that kernel position `position` meets in `count` windows."""
    start = position * dilation
    return slice(start, start + (count - 1) * stride + 1, stride)


def window_view(
    padded: np.ndarray,
    kernel_size: Sequence[int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    out_size: Sequence[int],
) -> np.ndarray:
    """All windows of `padded` as a view (N, C, kh, kw, out_h, out_w), without copying."""
    n, channels, *size = padded.shape
    for room, kernel, step, gap, count in zip(
        size, kernel_size, stride, dilation, out_size, strict=True
    ):
        # Beyond the array would lie other memory.
        assert (kernel - 1) * gap + (count - 1) * step < room
    images, maps, down, right = padded.strides
    # sliding_window_view(padded, …) takes several times as long to get to the same view.
    return np.lib.stride_tricks.as_strided(
        padded,
        (n, channels, *kernel_size, *out_size),
        (
            *(images, maps, dilation[0] * down, dilation[1] * right),
            *(stride[0] * down, stride[1] * right),
        ),
        writeable=False,
    )


def add_windows(
    windows: np.ndarray,
    size: Sequence[int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    rows: tuple[int, int],
    columns: tuple[int, int],
) -> np.ndarray:
    """Add `windows` (N, C, kh, kw, out_h, out_w) up into new images (N, C, *size).

    `rows` and `columns` are the (before, after) padding that the windows were taken with.
    """
    n, channels, kernel_h, kernel_w, out_h, out_w = windows.shape
    height, width = size
    padded = np.zeros((n, channels, height + sum(rows), width + sum(columns)), dtype=windows.dtype)
    for i in range(kernel_h):
        for j in range(kernel_w):
            place = every(i, stride[0], dilation[0], out_h), every(j, stride[1], dilation[1], out_w)
            padded[:, :, place[0], place[1]] += windows[:, :, i, j]
    inside = padded[:, :, rows[0] : rows[0] + height, columns[0] : columns[0] + width]
    return np.ascontiguousarray(inside)
