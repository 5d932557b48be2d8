"""Several things compared: bars in pairs, and repeated measurements as dots."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.language import gettext
from helpers.plots.canvas import BLUE, GREY, ORANGE, WIDTH, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart by their brightness too, in print or without colour vision.
COLOURS = (BLUE, "#e69f00", GREY)


def grouped_bars(
    values: Mapping[str, Sequence[float]],
    series: Sequence[str],
    xlabel: str = "",
    value_format: str = "{:.3g}",
) -> tuple[Figure, Axes]:
    """Two or three amounts for each name, as horizontal bars below each other.

    Parameters
    ----------
    values : dict of str to sequence of float
        For each name the amounts, one for each series; drawn from top to bottom.
    series : sequence of str
        What the amounts are, for the legend: two or three names.
    xlabel : str
        What is measured, with the unit; the same for all series.
    value_format : str
        Format of the numbers at the ends of the bars.

    Returns
    -------
    fig, ax

    Raises
    ------
    ValueError
        If there are no values, other than two or three series, another number of amounts than
        series, or an amount that is negative or not finite.
    """
    series = list(series)
    if not values:
        raise ValueError(gettext("values is empty: there is nothing to draw"))
    if not 2 <= len(series) <= len(COLOURS):
        raise ValueError(
            gettext("series has {names} names: give 2 or {most}").format(
                names=len(series), most=len(COLOURS)
            )
        )
    for name, amounts in values.items():
        if len(amounts) != len(series):
            raise ValueError(
                gettext("{name!r} has {count} amounts, but there are {names} series").format(
                    name=name, count=len(amounts), names=len(series)
                )
            )
        for amount in amounts:
            if not (math.isfinite(amount) and amount >= 0):
                raise ValueError(
                    gettext(
                        "{name!r} has {amount}: only amounts from 0 upwards can be drawn"
                    ).format(name=name, amount=amount)
                )
    thickness = 0.8 / len(series)
    fig, ax = pyplot().subplots(
        figsize=(WIDTH * 0.75, 0.9 + 0.24 * len(series) * len(values)), layout="constrained"
    )
    rows = np.arange(len(values))
    for i, (label, colour) in enumerate(zip(series, COLOURS, strict=False)):
        amounts = [row[i] for row in values.values()]
        offset = (i - (len(series) - 1) / 2) * thickness
        drawn = ax.barh(rows + offset, amounts, thickness * 0.9, color=colour, label=label)
        ax.bar_label(drawn, [value_format.format(a) for a in amounts], padding=4, fontsize=9)
    ax.set_yticks(rows, list(values))
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.set_xlabel(xlabel)
    ax.spines[["top", "right"]].set_visible(False)
    fig.legend(loc="outside upper center", ncols=len(series), frameon=False)
    return fig, ax


def dot_rows(
    values: Mapping[str, Sequence[float]], xlabel: str = "", value_format: str = "{:.3g}"
) -> tuple[Figure, Axes]:
    """Repeated measurements: one row for each name, a dot for each measurement, a line at the mean.

    Parameters
    ----------
    values : dict of str to sequence of float
        For each name what was measured, at least once; drawn from top to bottom.
    xlabel : str
        What is measured, with the unit.
    value_format : str
        Format of the mean that stands beside each row, or of the one measurement.

    Returns
    -------
    fig, ax

    Raises
    ------
    ValueError
        If there are no values, a name has none, or one is not finite.
    """
    if not values:
        raise ValueError(gettext("values is empty: there is nothing to draw"))
    for name, measured in values.items():
        if not len(measured):
            raise ValueError(
                gettext("{name!r} has no measurements: give at least one").format(name=name)
            )
        for value in measured:
            if not math.isfinite(value):
                raise ValueError(
                    gettext("{name!r} has {value}: only finite numbers can be drawn").format(
                        name=name, value=value
                    )
                )
    fig, ax = pyplot().subplots(
        figsize=(WIDTH * 0.75, 0.7 + 0.5 * len(values)), layout="constrained"
    )
    means = [float(np.mean(measured)) for measured in values.values()]
    for row, (measured, mean) in enumerate(zip(values.values(), means, strict=True)):
        ax.plot(measured, [row] * len(measured), "o", color=BLUE, markersize=8, alpha=0.7)
        if len(measured) > 1:
            ax.plot([mean, mean], [row - 0.28, row + 0.28], color=ORANGE, linewidth=3)
    ax.set_yticks(range(len(values)), list(values))
    ax.set(ylim=(len(values) - 0.5, -0.5), xlabel=xlabel)
    ax.margins(x=0.08)
    means_axis = ax.secondary_yaxis("right")
    words = ["mean " if len(measured) > 1 else "" for measured in values.values()]
    labels = [word + value_format.format(mean) for word, mean in zip(words, means, strict=True)]
    means_axis.set_yticks(range(len(values)), labels)
    means_axis.tick_params(length=0)
    means_axis.spines["right"].set_visible(False)
    ax.grid(axis="x", alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return fig, ax
