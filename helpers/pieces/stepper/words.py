"""The numbers and sentences of a step: what stepper.js computes in the page, in Python.

The still picture that stands where no script runs is made from these functions. The browser tests
hold the two equal, position by position.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from helpers.shapes import conv_output_size


@dataclass
class Setup:
    """Everything that one piece needs to know.

    Attributes
    ----------
    kind : str
        "conv", "max" or "avg".
    title : str
    x : ndarray, (C, H, W)
        The input, float64.
    weight : ndarray, (C, kh, kw), or None
        None for pooling.
    bias : float or None
    kernel_size, stride, padding, dilation : (int, int)
        For rows and for columns.
    ceil_mode, count_include_pad : bool
        As in `torch.nn.functional.avg_pool2d`.
    """

    kind: str
    title: str
    x: np.ndarray
    weight: np.ndarray | None
    bias: float | None
    kernel_size: Sequence[int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    ceil_mode: bool = False
    count_include_pad: bool = True

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """(rows, columns): one `Axis` each."""
        rows, columns = (
            Axis(n, k, s, p, d, self.ceil_mode)
            for n, k, s, p, d in zip(
                self.x.shape[1:],
                self.kernel_size,
                self.stride,
                self.padding,
                self.dilation,
                strict=True,
            )
        )
        return rows, columns

    @property
    def maps(self) -> int:
        """How many output maps there are: one filter makes one, pooling keeps the channels."""
        return 1 if self.kind == "conv" else len(self.x)


class Axis:
    """Sizes along one axis, with PyTorch's rules for floor and `ceil_mode`.

    Source: the shape section of `torch.nn.MaxPool2d` in PyTorch's documentation.

    Attributes
    ----------
    n, k, s, p, d : int
        Size of the input and of the kernel, stride, padding, dilation.
    span : int
        Cells from the first to the last one of a window.
    room : int
        Cells left to move in.
    out : int
        Output size, 0 where nothing fits.
    cut : bool
        Whether a window is dropped by the rule that none may start in the padding at the end.
    end : int
        One past the last cell to draw.
    """

    def __init__(self, n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> None:
        self.n, self.k, self.s, self.p, self.d, self.ceil_mode = n, k, s, p, d, ceil_mode
        self.span = d * (k - 1) + 1
        self.room = n + 2 * p - self.span
        try:
            self.out = conv_output_size(n, k, s, p, d, ceil_mode)
        except ValueError:  # nothing fits
            self.out = 0
        self.cut = ceil_mode and self.out < math.ceil(self.room / s) + 1
        self.end = max(n + p, (self.out - 1) * s - p + self.span)

    def sentence(self, name: str) -> str:
        """The size formula with its numbers; `name` is `"row"` or `"column"`."""
        if not self.out:
            return (
                f"{name}s: the window spans {self.span}, but the input with its padding has only "
                f"{self.n + 2 * self.p}: no output. PyTorch raises an error here."
            )
        exact = self.room / self.s + 1
        lost = self.room - (self.out - 1) * self.s
        text = f"{name}s: ({self.n} − {self.span} + 2×{self.p}) / {self.s} + 1"
        text += equals(exact) + show(exact)
        if lost and not self.ceil_mode:
            text += f", rounded down: {self.out}"
        elif lost and self.cut:
            text += (
                f", rounded up: {self.out + 1}, but that window would start in the padding "
                f"at the end: {self.out}"
            )
        elif lost:
            text += f", rounded up: {self.out}"
        text += "."
        if lost > 0:
            which = f"{name} is" if lost == 1 else f"{lost} {name}s are"
            part = "only" if lost <= self.p else f"{self.p} of them"
            text += f" Does not fit: the last {which} dropped"
            text += f" ({part} padding)." if self.p else "."
        if lost < 0:
            text += f" The last window sticks out by {-lost} {name if lost == -1 else name + 's'}."
        if self.d > 1:
            text += f" {self.span} = {self.d}×({self.k} − 1) + 1 is the span of the window."
        if self.s > self.span:
            text += f" The stride is larger than the span: {name}s in between are skipped."
        return text


@dataclass
class Step:
    """One output: its value, the sentences that say how it is made, what padding did, its cells.

    `cells` holds one tuple (row, column, real, outside) for each place of the window; rows and
    columns count from the corner of the input, so padding has negative ones.
    """

    value: float
    lines: list[str]
    note: str
    cells: list[tuple]


def show(value: float) -> str:
    """Print a number: whole ones whole, others to 3 significant digits, with a real minus sign."""
    size = abs(float(value))
    if size == math.inf:
        return "−∞"
    if size == 0:
        return "0"
    exact = Decimal(size)
    plain = 100 <= size < 1e9 or (size.is_integer() and size < 1e9)
    unit = 0 if plain else exact.adjusted() - 2
    # Halves go up, as in the page's toPrecision and toFixed.
    rounded = exact.quantize(Decimal((0, (1,), unit)), rounding=ROUND_HALF_UP).normalize()
    if size >= 1e9 or size < 1e-3:
        power = rounded.adjusted()
        text = f"{rounded.scaleb(-power):f}e{power}".replace("-", "−")
    else:
        text = f"{rounded:f}"
    return ("−" if value < 0 else "") + text


def term(value: float) -> str:
    """A number inside a sum or product: negative ones in brackets."""
    return f"({show(value)})" if value < 0 else show(value)


def equals(*values: float) -> str:
    """The sign between: `=` where every number is printed in full, `≈` where one was rounded."""
    printed = (float(show(v).replace("−", "-")) for v in values)
    exact = all(abs(p - v) < 1e-9 * max(1, abs(v)) for p, v in zip(printed, values, strict=True))
    return " = " if exact else " ≈ "


def _sum(parts, what):
    if len(parts) <= 25:
        return " + ".join(parts)
    return " + ".join(parts[:8]) + f" + … ({len(parts)} {what} in all)"


def step(setup: Setup, channel: int, row: int, column: int) -> Step:
    """Work out one output and say how.

    Parameters
    ----------
    setup : Setup
    channel : int
        The output map, 0 for a convolution.
    row, column : int
        The position in the output, from 0.

    Returns
    -------
    Step
    """
    rows, columns = setup.axes
    cells = []
    for a in range(rows.k):
        for b in range(columns.k):
            r = row * rows.s - rows.p + a * rows.d
            q = column * columns.s - columns.p + b * columns.d
            real = 0 <= r < rows.n and 0 <= q < columns.n
            cells.append((r, q, real, r >= rows.n + rows.p or q >= columns.n + columns.p))
    where = f"row {row}, column {column}: "
    if setup.kind == "conv":
        value, lines, note = _convolve(setup, cells, where)
    else:
        if len(setup.x) > 1:
            where = f"channel {channel}, {where}"
        pool = _maximum if setup.kind == "max" else _average
        value, lines, note = pool(setup, setup.x[channel], cells, where)
        if any(outside for *_, outside in cells):
            note += " Cells outside the padding do not count."
    return Step(value, lines, note.strip(), cells)


def _values(x, cells):
    return [float(x[r, q]) if real else 0.0 for r, q, real, _ in cells]


def _convolve(setup, cells, where):
    bias = setup.bias or 0.0
    tail = "" if setup.bias is None else f" + bias {term(setup.bias)}"
    sums, texts, signs = [], [], []
    for x, weight in zip(setup.x, setup.weight, strict=True):
        values, factors = _values(x, cells), weight.ravel().tolist()
        products = [(v, w) for v, w in zip(values, factors, strict=True)]
        sums.append(sum(v * w for v, w in products))
        texts.append(_sum([f"{term(v)}×{term(w)}" for v, w in products], "products"))
        signs.append([*factors, *values])
    total = sum(sums) + bias
    if len(sums) == 1:
        lines = [where + texts[0] + tail + equals(*signs[0], bias, total) + show(total)]
    else:
        lines = [
            f"channel {c}: {texts[c]}{equals(*signs[c], s)}{show(s)}" for c, s in enumerate(sums)
        ]
        parts = " + ".join(term(s) for s in sums)
        lines.append(where + parts + tail + equals(*sums, bias, total) + show(total))
    pads = sum(not real for _, _, real, _ in cells)
    verb = "are" if pads > 1 else "is"
    note = f"{pads} of the {len(cells)} inputs {verb} padding, which is 0." if pads else ""
    return total, lines, note


def _used(x, cells):
    """(real, value) of the cells that are not outside the padding."""
    pairs = zip(cells, _values(x, cells), strict=True)
    return [(real, v) for (_, _, real, outside), v in pairs if not outside]


def _maximum(setup, x, cells, where):
    used = _used(x, cells)
    value = max((v for real, v in used if real), default=-math.inf)
    names = ", ".join(show(v) if real else "−∞" for real, v in used)
    note = ""
    if value == -math.inf:
        note = "There is nothing but padding here, which counts as −∞."
    elif not all(real for real, _ in used):
        note = "Padding counts as −∞, so it never wins."
    ties = sum(real and v == value for real, v in used)
    if ties > 1:
        note += f" {show(value)} is there {ties} times: the first one is marked."
    return value, [f"{where}max({names}) = {show(value)}"], note


def _average(setup, x, cells, where):
    used = _used(x, cells)
    pads = sum(not real for real, _ in used)
    counted = len(used) - (0 if setup.count_include_pad else pads)
    value = sum(v for _, v in used) / counted
    names = _sum([term(v) for real, v in used if real or setup.count_include_pad], "numbers")
    sign = equals(*(v for _, v in used), value)
    note = ""
    if pads and setup.count_include_pad:
        note = f"Padding is 0 and counts: divided by {counted}."
    elif pads:
        note = f"Padding does not count: divided by {counted}."
    return value, [f"{where}({names}) / {counted}{sign}{show(value)}"], note
