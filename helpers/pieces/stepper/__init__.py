"""Step through a convolution or a pooling, one output at a time, in the page itself.

Where scripts do not run, plain tables of the first step stay readable.

The keyboard and labelling patterns follow the W3C's ARIA Authoring Practices Guide ("Grid").
"""

import base64
import json
from importlib.resources import files

import numpy as np

from helpers._arguments import check_pair
from helpers.pieces._piece import Piece, element, read_title
from helpers.pieces.stepper import picture
from helpers.pieces.stepper.arguments import MAX_KERNEL, MAX_SIDE, MAX_STEP, read_bias, read_planes
from helpers.pieces.stepper.words import Setup

# A notebook holds every piece in full, so a piece stays under 20 KiB.
SIZE_LIMIT = 20 * 1024

__all__ = ["Stepper", "step_conv2d", "step_pool2d"]


def step_conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, title=None):
    """Step through the convolution of an input with one filter.

    As in `torch.nn.functional.conv2d`, the kernel is not flipped (cross-correlation).

    Args:
        x: input (C, H, W) or (H, W): numpy, torch or nested lists; at most 4 channels of 16×16.
        weight: one filter, (C, kh, kw), (kh, kw) or (1, C, kh, kw); at most 11×11.
        bias: one number, or None.
        stride, padding, dilation: int or pair (rows, columns); a pair gets two sliders.
        title: a line above the piece; also its name for screen readers.

    Returns:
        A `Stepper`, which a notebook shows as the piece. Its output has shape (1, oh, ow).

    Raises:
        TypeError, ValueError: an argument of the wrong kind, shape, size or range.

    >>> piece = step_conv2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
    >>> piece.output[0].tolist()
    [[19.0, 25.0], [37.0, 43.0]]
    """
    x = read_planes(x, "x", MAX_SIDE)
    weight = read_planes(weight, "weight", MAX_KERNEL)
    if len(weight) != len(x):
        raise ValueError(
            f"weight has {len(weight)} channels but x has {len(x)}; a filter has one kernel for "
            "each channel of the input, so the two must be equal."
        )
    setup = Setup(
        kind="conv",
        title=read_title(title, "Convolution, step by step"),
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
    x,
    kernel_size,
    stride=None,
    padding=0,
    mode="max",
    ceil_mode=False,
    count_include_pad=True,
    dilation=1,
    title=None,
):
    """Step through max or average pooling.

    Args:
        x: input (C, H, W) or (H, W): numpy, torch or nested lists; at most 4 channels of 16×16.
        kernel_size, stride, padding, dilation: int or pair (rows, columns), as in
            `torch.nn.functional.max_pool2d`; stride None means kernel_size, dilation is for max.
        mode: `"max"` or `"avg"`.
        ceil_mode: round the output size up, as torch does.
        count_include_pad: for `"avg"`, whether padding counts in the divisor.
        title: a line above the piece; also its name for screen readers.

    Returns:
        A `Stepper`, which a notebook shows as the piece. Its output has shape (C, oh, ow).

    Raises:
        TypeError, ValueError: an argument of the wrong kind, shape, size or range.

    >>> step_pool2d([[1, 2], [3, 4]], 2, mode="avg").output.tolist()
    [[[2.5]]]
    """
    if mode not in ("max", "avg"):
        raise ValueError(f'mode must be "max" or "avg", got {mode!r}.')
    x = read_planes(x, "x", MAX_SIDE)
    kernel_size = check_pair("kernel_size", kernel_size, 1, MAX_STEP)
    padding = check_pair("padding", padding, 0, MAX_STEP)
    if any(2 * p > k for p, k in zip(padding, kernel_size, strict=True)):
        raise ValueError(
            f"padding must be at most half of kernel_size, got padding={padding} with "
            f"kernel_size={kernel_size}; at most {tuple(k // 2 for k in kernel_size)} fits."
        )
    dilation = check_pair("dilation", dilation, 1, MAX_STEP)
    if mode == "avg" and dilation != (1, 1):
        raise ValueError(f'dilation must be 1 with mode="avg", got {dilation}; torch has none.')
    for name, value in (("ceil_mode", ceil_mode), ("count_include_pad", count_include_pad)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, got {value!r}.")
    word = "Max" if mode == "max" else "Average"
    setup = Setup(
        kind=mode,
        title=read_title(title, f"{word} pooling, step by step"),
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

    Attributes:
        output: what the operator gives, float64 (maps, oh, ow), from `helpers.ops`.
    """

    def __init__(self, setup):
        for name, axis in zip(("rows", "columns"), setup.axes, strict=True):
            if not axis.out:
                raise ValueError(
                    f"kernel_size {axis.k} with dilation {axis.d} spans {axis.span} {name}, but x "
                    f"with its padding has only {axis.n + 2 * axis.p}; take a smaller kernel, less "
                    "dilation or more padding."
                )
        self._setup = setup
        self.output = _compute(setup)
        super().__init__(setup.title, self._make())

    def _make(self):
        data, script = _data(self._setup), _script()
        for detail in (picture.WHOLE, picture.WINDOW, picture.CORNER, picture.RESULT):
            still = picture.still(self._setup, self.output, detail)
            html = element("cnn-stepper", data, still, script)
            if len(html.encode()) <= SIZE_LIMIT:
                return html
        raise ValueError(
            f"x {self._setup.x.shape} makes a piece of {len(html.encode()) // 1024 + 1} KiB, more "
            f"than {SIZE_LIMIT // 1024}; pass a smaller crop or fewer channels."
        )

    def __repr__(self):
        return picture.text(self._setup, self.output)


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


def _script():
    """The code of stepper.min.js, without its first line, which is for maintainers."""
    text = files(__package__).joinpath("stepper.min.js").read_text(encoding="utf-8")
    return text.split("\n", 1)[1].strip()
