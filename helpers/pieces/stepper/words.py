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

from helpers.pieces._words import tr
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
        one, more = {"row": (tr("row"), tr("rows")), "column": (tr("column"), tr("columns"))}[name]
        if not self.out:
            return tr(
                "{0}: the window spans {1}, but the input with its padding has only {2}: no "
                "output. PyTorch raises an error here.",
                more,
                self.span,
                self.n + 2 * self.p,
            )
        exact = self.room / self.s + 1
        lost = self.room - (self.out - 1) * self.s
        formula = f"({self.n} − {self.span} + 2×{self.p}) / {self.s} + 1"
        formula += equals(exact) + show(exact)
        if lost and not self.ceil_mode:
            text = tr("{0}: {1}, rounded down: {2}.", more, formula, self.out)
        elif lost and self.cut:
            text = tr(
                "{0}: {1}, rounded up: {2}, but that window would start in the padding at the "
                "end: {3}.",
                more,
                formula,
                self.out + 1,
                self.out,
            )
        elif lost:
            text = tr("{0}: {1}, rounded up: {2}.", more, formula, self.out)
        else:
            text = f"{more}: {formula}."
        if lost > 0:
            text += " " + self._dropped(lost, one, more)
        if lost == -1:
            text += " " + tr("The last window sticks out by 1 {0}.", one)
        elif lost < 0:
            text += " " + tr("The last window sticks out by {0} {1}.", -lost, more)
        if self.d > 1:
            text += " " + tr(
                "{0} = {1}×({2} − 1) + 1 is the span of the window.", self.span, self.d, self.k
            )
        if self.s > self.span:
            text += " " + tr(
                "The stride is larger than the span: {0} in between are skipped.", more
            )
        return text

    def _dropped(self, lost: int, one: str, more: str) -> str:
        if lost == 1 and self.p:
            return tr("Does not fit: the last {0} is dropped (only padding).", one)
        if lost == 1:
            return tr("Does not fit: the last {0} is dropped.", one)
        if not self.p:
            return tr("Does not fit: the last {0} {1} are dropped.", lost, more)
        if lost <= self.p:
            return tr("Does not fit: the last {0} {1} are dropped (only padding).", lost, more)
        return tr(
            "Does not fit: the last {0} {1} are dropped ({2} of them padding).",
            lost,
            more,
            self.p,
        )


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


def _sum(parts, rest):
    """A sum; of a long one the beginning, and what `rest` says of so many parts."""
    if len(parts) <= 25:
        return " + ".join(parts)
    return " + ".join(parts[:8]) + f" + … ({rest(len(parts))})"


def _products(count):
    return tr("{0} products in all", count)


def _numbers(count):
    return tr("{0} numbers in all", count)


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
    where = tr("row {0}, column {1}", row, column)
    if setup.kind == "conv":
        value, lines, note = _convolve(setup, cells, f"{where}: ")
    else:
        if len(setup.x) > 1:
            where = tr("channel {0}, row {1}, column {2}", channel, row, column)
        pool = _maximum if setup.kind == "max" else _average
        value, lines, note = pool(setup, setup.x[channel], cells, f"{where}: ")
        if any(outside for *_, outside in cells):
            note += " " + tr("Cells outside the padding do not count.")
    return Step(value, lines, note.strip(), cells)


def _values(x, cells):
    return [float(x[r, q]) if real else 0.0 for r, q, real, _ in cells]


def _convolve(setup, cells, where):
    bias = setup.bias or 0.0
    tail = "" if setup.bias is None else " + " + tr("bias {0}", term(setup.bias))
    sums, texts, signs = [], [], []
    for x, weight in zip(setup.x, setup.weight, strict=True):
        values, factors = _values(x, cells), weight.ravel().tolist()
        products = [(v, w) for v, w in zip(values, factors, strict=True)]
        sums.append(sum(v * w for v, w in products))
        texts.append(_sum([f"{term(v)}×{term(w)}" for v, w in products], _products))
        signs.append([*factors, *values])
    total = sum(sums) + bias
    if len(sums) == 1:
        lines = [where + texts[0] + tail + equals(*signs[0], bias, total) + show(total)]
    else:
        lines = [
            f"{tr('channel {0}', c)}: {texts[c]}{equals(*signs[c], s)}{show(s)}"
            for c, s in enumerate(sums)
        ]
        parts = " + ".join(term(s) for s in sums)
        lines.append(where + parts + tail + equals(*sums, bias, total) + show(total))
    pads = sum(not real for _, _, real, _ in cells)
    note = ""
    if pads == 1:
        note = tr("1 of the {0} inputs is padding, which is 0.", len(cells))
    elif pads:
        note = tr("{0} of the {1} inputs are padding, which is 0.", pads, len(cells))
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
        note = tr("There is nothing but padding here, which counts as −∞.")
    elif not all(real for real, _ in used):
        note = tr("Padding counts as −∞, so it never wins.")
    ties = sum(real and v == value for real, v in used)
    if ties > 1:
        note += " " + tr("{0} is there {1} times: the first one is marked.", show(value), ties)
    return value, [f"{where}max({names}) = {show(value)}"], note


def _average(setup, x, cells, where):
    used = _used(x, cells)
    pads = sum(not real for real, _ in used)
    counted = len(used) - (0 if setup.count_include_pad else pads)
    value = sum(v for _, v in used) / counted
    names = _sum([term(v) for real, v in used if real or setup.count_include_pad], _numbers)
    sign = equals(*(v for _, v in used), value)
    note = ""
    if pads and setup.count_include_pad:
        note = tr("Padding is 0 and counts: divided by {0}.", counted)
    elif pads:
        note = tr("Padding does not count: divided by {0}.", counted)
    return value, [f"{where}({names}) / {counted}{sign}{show(value)}"], note
