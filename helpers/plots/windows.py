"""Along one axis: which positions each place of a sliding window covers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from helpers._arguments import check_int, check_pair
from helpers.language import gettext
from helpers.plots.canvas import GREY, ORANGE, bare, pyplot, to_array
from helpers.shapes import conv_output_size

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

ARGUMENTS = ("size", "values", "kernel_size", "stride", "padding", "dilation", "ceil_mode")


def window_places(
    cases: Mapping[str, Mapping[str, Any]], size: float = 0.3
) -> tuple[Figure, np.ndarray]:
    """Every place of a window along one axis, as stairs under the input, for one or more cases.

    The top row is the input: padding is dashed, and what no window reads is hatched. Each row
    below is one place of the window. A place that was left out, since it does not fit or starts
    in the padding, is dashed.

    Parameters
    ----------
    cases : dict of str to dict
        Title to arguments: ``kernel_size`` and either ``size`` (the input shows its indices) or
        ``values`` (it shows these numbers, and the padding shows 0). Further ``stride``,
        ``dilation`` and ``ceil_mode`` as in `helpers.shapes.conv_output_size`, and ``padding``,
        an int or a pair (before, after).
    size : float
        Width of a cell, in inches.

    Returns
    -------
    fig, axes
        `axes` is a NumPy array of shape (number of cases,).

    Raises
    ------
    ValueError
        If there is no case, one has an unknown argument, or not exactly one of ``size`` and
        ``values``, the window does not fit at all, or ``ceil_mode`` meets two different paddings.
    TypeError
        If an argument is not an integer where it should be one.
    """
    if not cases:
        raise ValueError(gettext("cases is empty: there is nothing to draw"))
    places = [_Places(title, **_checked(title, case)) for title, case in cases.items()]
    gap = 2.0
    widths = [case.end - case.begin for case in places]
    rows = max(len(case.starts) + (case.left_out is not None) for case in places) + 1.6
    head = 0.55
    fig, axes = pyplot().subplots(
        1,
        len(places),
        figsize=((sum(widths) + gap * len(places)) * size, rows * size + head),
        squeeze=False,
        gridspec_kw={
            "width_ratios": widths,
            "wspace": gap * len(places) / sum(widths),
            "left": gap / 2 / (sum(widths) + gap * len(places)),
            "right": 1 - gap / 2 / (sum(widths) + gap * len(places)),
            "bottom": 0.0,
            "top": 1 - head / (rows * size + head),
        },
    )
    for axis, case in zip(axes[0], places, strict=True):
        axis.set(xlim=(case.begin - 0.5, case.end - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal")
        bare(axis)
        _draw(axis, case)
    return fig, axes[0]


class _Places:
    """The places of a window in numbers; position 0 is the first of the input."""

    def __init__(
        self,
        title: str,
        texts: list[str],
        kernel_size: int,
        stride: int,
        before: int,
        after: int,
        dilation: int,
        ceil_mode: bool,
        pad: str,
    ) -> None:
        self.texts, self.pad = texts, pad
        self.before, self.after = before, after
        length = len(texts)
        if ceil_mode:
            count = conv_output_size(length, kernel_size, stride, before, dilation, ceil_mode=True)
        else:
            count = conv_output_size(length + before + after, kernel_size, stride, 0, dilation)
        extent = dilation * (kernel_size - 1) + 1
        self.starts = [place * stride - before for place in range(count)]
        self.taps = [[start + dilation * k for k in range(kernel_size)] for start in self.starts]
        covered = {position for taps in self.taps for position in taps}
        self.unread = set(range(length)) - covered
        self.left_out, self.reason = None, ""
        last_end = self.starts[-1] + extent
        if last_end < length + after:
            start = count * stride - before
            self.left_out = [start + dilation * k for k in range(kernel_size)]
            self.reason = "starts in the padding" if ceil_mode else "does not fit"
        self.begin = -before
        last = self.left_out or self.taps[-1]
        self.end = max(length + after, last[-1] + 1)
        self.title = f"{title}\n{count} {'place' if count == 1 else 'places'}"


def _checked(title, case):
    unknown = sorted(set(case) - set(ARGUMENTS))
    if unknown:
        raise ValueError(
            gettext("{title!r} has the argument {argument!r}: use {known}").format(
                title=title, argument=unknown[0], known=", ".join(ARGUMENTS)
            )
        )
    if "kernel_size" not in case or ("size" in case) == ("values" in case):
        raise ValueError(
            gettext("{title!r} has {given}: give kernel_size, and size or values").format(
                title=title, given=sorted(case)
            )
        )
    padding = case.get("padding", 0)
    before, after = check_pair("padding", padding, smallest=0)
    ceil_mode = case.get("ceil_mode", False)
    if ceil_mode and before != after:
        raise ValueError(
            gettext("{title!r} has padding={padding}: with ceil_mode give a single number").format(
                title=title, padding=padding
            )
        )
    if "values" in case:
        values = to_array(case["values"], gettext("values of {title!r}").format(title=title), 1)
        texts = [f"{value:.3g}".replace("-", "−") for value in values.tolist()]
    else:
        texts = [str(index) for index in range(check_int("size", case["size"]))]
    return {
        "texts": texts,
        "kernel_size": case["kernel_size"],
        "stride": case.get("stride", 1),
        "before": before,
        "after": after,
        "dilation": case.get("dilation", 1),
        "ceil_mode": ceil_mode,
        "pad": "0" if "values" in case else "",
    }


def _draw(axis, case):
    axis.set_title(case.title, fontsize=10)
    dashed = {"facecolor": "none", "edgecolor": GREY, "linestyle": (0, (2, 2))}
    for position in range(-case.before, len(case.texts) + case.after):
        inside = 0 <= position < len(case.texts)
        if not inside:
            _cell(axis, position, 0, zorder=1, **dashed)
        elif position in case.unread:
            _cell(axis, position, 0, facecolor="none", edgecolor=GREY, hatch="////", zorder=2)
        else:
            _cell(axis, position, 0, facecolor="none", edgecolor=GREY, zorder=2)
        text = case.texts[position] if inside else case.pad
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        style = {"ha": "center", "va": "center", "fontsize": 9, "zorder": 3}
        axis.text(position, 0, text, bbox=box if position in case.unread else None, **style)
    for row, taps in enumerate(case.taps):
        axis.plot([taps[0], taps[-1]], [row + 1.3] * 2, color=ORANGE, linewidth=1.5, zorder=1)
        for position in taps:
            _cell(axis, position, row + 1.3, facecolor=ORANGE, edgecolor="white", zorder=2)
    if case.left_out is not None:
        row = len(case.taps) + 1.3
        for position in case.left_out:
            _cell(axis, position, row, **dashed)
        axis.text(
            case.left_out[0] - 0.7,
            row,
            case.reason,
            color=GREY,
            ha="right",
            va="center",
            fontsize=8,
        )


def _cell(axis, position, row, **style):
    rectangle = pyplot().Rectangle((position - 0.5, row - 0.5), 1, 1, clip_on=False, **style)
    axis.add_patch(rectangle)
