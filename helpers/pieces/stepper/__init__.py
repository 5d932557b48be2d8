"""Step through a convolution or a pooling, one output at a time, in the page itself.

Where scripts do not run, plain tables of the first step stay readable.

The keyboard and labelling patterns follow the W3C's ARIA Authoring Practices Guide ("Grid").
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import numpy as np

from helpers._arguments import check_pair
from helpers.pieces._piece import Piece, element, read_title, script_of
from helpers.pieces._words import tr
from helpers.pieces.stepper import picture
from helpers.pieces.stepper.arguments import MAX_KERNEL, MAX_SIDE, MAX_STEP, read_bias, read_planes
from helpers.pieces.stepper.words import Setup

if TYPE_CHECKING:
    import numpy.typing as npt

    from helpers._arguments import IntOrPair

# A notebook holds every piece in full, so a piece stays under 23 KiB.
SIZE_LIMIT = 23 * 1024

__all__ = ["Stepper", "step_conv2d", "step_pool2d"]


def step_conv2d(
    x: npt.ArrayLike,
    weight: npt.ArrayLike,
    bias: npt.ArrayLike | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    title: str | None = None,
) -> Stepper:
    """Step through the convolution of an input with one filter.

    As in `torch.nn.functional.conv2d`, the kernel is not flipped (cross-correlation).

    Parameters
    ----------
    x : array_like, (C, H, W) or (H, W)
        The input: NumPy, torch or nested lists; at most 4 channels of 16×16.
    weight : array_like, (C, kh, kw), (kh, kw) or (1, C, kh, kw)
        One filter, at most 11×11.
    bias : float, optional
    stride, padding, dilation : int or (int, int)
        At most 16. A pair gets two sliders.
    title : str, optional
        A line above the piece; also its name for screen readers.

    Returns
    -------
    Stepper
        A notebook shows it as the piece. Its output has shape (1, out_h, out_w).

    Raises
    ------
    ValueError
        If an argument has a wrong shape, size or range, or the piece would be too large.
    TypeError
        If an argument is of the wrong kind.

    >>> piece = step_conv2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
    >>> piece.output[0].tolist()
    [[19.0, 25.0], [37.0, 43.0]]
    """
    x = read_planes(x, "x", MAX_SIDE)
    weight = read_planes(weight, "weight", MAX_KERNEL)
    if len(weight) != len(x):
        raise ValueError(
            tr(
                "weight has {0} channels but x has {1}; a filter has one kernel for each channel "
                "of the input, so the two must be equal.",
                len(weight),
                len(x),
            )
        )
    setup = Setup(
        kind="conv",
        title=read_title(title, tr("Convolution, step by step")),
        x=x,
        weight=weight,
        bias=read_bias(bias),
        kernel_size=weight.shape[1:],
        stride=check_pair("stride", stride, 1, MAX_STEP),
        padding=check_pair("padding", padding, 0, MAX_STEP),
        dilation=check_pair("dilation", dilation, 1, MAX_STEP),
    )
    return Stepper(setup)


def step_pool2d(
    x: npt.ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    mode: str = "max",
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    dilation: IntOrPair = 1,
    title: str | None = None,
) -> Stepper:
    """Step through max or average pooling.

    Parameters
    ----------
    x : array_like, (C, H, W) or (H, W)
        The input: NumPy, torch or nested lists; at most 4 channels of 16×16.
    kernel_size, stride, padding, dilation : int or (int, int)
        As in `torch.nn.functional.max_pool2d`, at most 16. Without `stride` it is `kernel_size`;
        `dilation` is for "max" alone.
    mode : str
        "max" or "avg".
    ceil_mode : bool
        Round the output size up, as torch does.
    count_include_pad : bool
        For "avg": whether padding counts in the divisor.
    title : str, optional
        A line above the piece; also its name for screen readers.

    Returns
    -------
    Stepper
        A notebook shows it as the piece. Its output has shape (C, out_h, out_w).

    Raises
    ------
    ValueError
        If an argument has a wrong shape, size or range, or the piece would be too large.
    TypeError
        If an argument is of the wrong kind.

    >>> step_pool2d([[1, 2], [3, 4]], 2, mode="avg").output.tolist()
    [[[2.5]]]
    """
    if mode not in ("max", "avg"):
        raise ValueError(tr('mode must be "max" or "avg", got {0}.', repr(mode)))
    x = read_planes(x, "x", MAX_SIDE)
    kernel_size = check_pair("kernel_size", kernel_size, 1, MAX_STEP)
    padding = check_pair("padding", padding, 0, MAX_STEP)
    if any(2 * p > k for p, k in zip(padding, kernel_size, strict=True)):
        raise ValueError(
            tr(
                "padding must be at most half of kernel_size, got padding={0} with "
                "kernel_size={1}; at most {2} fits.",
                padding,
                kernel_size,
                tuple(k // 2 for k in kernel_size),
            )
        )
    dilation = check_pair("dilation", dilation, 1, MAX_STEP)
    if mode == "avg" and dilation != (1, 1):
        raise ValueError(
            tr('dilation must be 1 with mode="avg", got {0}; torch has none.', dilation)
        )
    for name, value in (("ceil_mode", ceil_mode), ("count_include_pad", count_include_pad)):
        if not isinstance(value, bool):
            raise TypeError(tr("{0} must be True or False, got {1}.", name, repr(value)))
    names = {
        "max": tr("Max pooling, step by step"),
        "avg": tr("Average pooling, step by step"),
    }
    setup = Setup(
        kind=mode,
        title=read_title(title, names[mode]),
        x=x,
        weight=None,
        bias=None,
        kernel_size=kernel_size,
        stride=kernel_size if stride is None else check_pair("stride", stride, 1, MAX_STEP),
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )
    return Stepper(setup)


class Stepper(Piece):
    """A piece to step through; a notebook shows it when it is the last value of a cell.

    ``save(path)`` writes it as a page of its own, which any browser opens without a connection.

    Attributes
    ----------
    output : ndarray, (maps, out_h, out_w)
        What the operator of `helpers.ops` gives, float64.
    title : str
        The line above it.
    """

    def __init__(self, setup: Setup) -> None:
        for name, axis in zip((tr("rows"), tr("columns")), setup.axes, strict=True):
            if not axis.out:
                raise ValueError(
                    tr(
                        "kernel_size {0} with dilation {1} spans {2} {3}, but x with its padding "
                        "has only {4}; take a smaller kernel, less dilation or more padding.",
                        axis.k,
                        axis.d,
                        axis.span,
                        name,
                        axis.n + 2 * axis.p,
                    )
                )
        self._setup = setup
        self.output = _compute(setup)
        super().__init__(setup.title, self._make(), picture.text(setup, self.output))

    def _make(self):
        data, script = _data(self._setup), script_of(__package__)
        for detail in (picture.WHOLE, picture.WINDOW, picture.CORNER, picture.RESULT):
            still = picture.still(self._setup, self.output, detail)
            html = element("cnn-stepper", data, still, script)
            if len(html.encode()) <= SIZE_LIMIT:
                return html
        raise ValueError(
            tr(
                "x {0} makes a piece of {1} KiB, more than {2}; pass a smaller crop or fewer "
                "channels.",
                self._setup.x.shape,
                len(html.encode()) // 1024 + 1,
                SIZE_LIMIT // 1024,
            )
        )


def _compute(setup):
    from helpers import ops

    x = setup.x[None]
    if setup.kind == "conv":
        bias = None if setup.bias is None else np.array([setup.bias])
        weight = setup.weight[None]
        out = ops.conv2d(x, weight, bias, setup.stride, setup.padding, setup.dilation)
    elif setup.kind == "max":
        out = ops.max_pool2d(
            x, setup.kernel_size, setup.stride, setup.padding, setup.dilation, setup.ceil_mode
        )
    else:
        out = ops.avg_pool2d(
            x,
            setup.kernel_size,
            setup.stride,
            setup.padding,
            setup.ceil_mode,
            setup.count_include_pad,
        )
    return out[0]


def _numbers(plane):
    """A plane as a list, or as base64 of float32 where that is shorter."""
    values = [int(v) if v.is_integer() and abs(v) < 1e15 else v for v in plane.ravel().tolist()]
    packed = base64.b64encode(plane.astype("<f4").tobytes()).decode()
    return min(values, packed, key=lambda v: len(json.dumps(v, separators=(",", ":"))))


def _data(setup):
    return {
        "k": setup.kind,
        "t": setup.title,
        "n": setup.x.shape[1:],
        "c": len(setup.x),
        "x": [_numbers(plane) for plane in setup.x],
        "w": setup.weight is not None and [_numbers(plane) for plane in setup.weight],
        "b": setup.bias,
        "f": setup.kernel_size,
        "s": setup.stride,
        "p": setup.padding,
        "d": setup.dilation,
        "m": setup.ceil_mode,
        "i": setup.count_include_pad,
    }
