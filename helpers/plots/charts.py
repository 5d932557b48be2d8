"""Curves, bars and tables about a training or a model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.language import gettext
from helpers.plots.canvas import BLUE, ORANGE, WIDTH, pyplot, to_array

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from helpers.training import History


def loss_curve(history: History) -> tuple[Figure, Axes]:
    """Training loss by batch, and test loss after each epoch.

    Parameters
    ----------
    history : helpers.training.History

    Returns
    -------
    fig, ax

    Raises
    ------
    ValueError
        If the history is empty.
    """
    if not history.steps:
        raise ValueError(gettext("the history is empty: train at least one epoch first"))
    plt = pyplot()
    fig, ax = plt.subplots(figsize=(WIDTH * 0.75, 3.4), layout="constrained")
    ax.plot(history.steps, history.losses, color=BLUE, linewidth=0.9, label="training, one batch")
    if history.test_losses:
        batches = (history.steps[-1] + 1) / len(history.epochs)
        ends = [batches * epoch for epoch in history.epochs]
        ax.plot(ends, history.test_losses, "o", color=ORANGE, markersize=8, label="test, all data")
    ax.set(xlabel="batch", ylabel="loss", ylim=(0, None))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return fig, ax


def confusion_matrix(
    counts: npt.ArrayLike, labels: Sequence[str] | None = None
) -> tuple[Figure, Axes]:
    """Which class was taken for which: rows are the truth, columns the answers.

    Parameters
    ----------
    counts : array of int, shape (classes, classes)
        ``counts[i, j]``: how often class i was answered as j. The colours show the mistakes
        only, since the right answers on the diagonal would outshine them.
    labels : sequence of str, optional
        Names of the classes; by default their numbers.

    Returns
    -------
    fig, ax

    Raises
    ------
    ValueError
        If `counts` is not square.
    """
    counts = to_array(counts, "counts", 2)
    if counts.shape[0] != counts.shape[1]:
        raise ValueError(
            gettext("counts has shape {shape}: give a square array").format(shape=counts.shape)
        )
    classes = len(counts)
    labels = [str(i) for i in range(classes)] if labels is None else list(labels)
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)
    highest = max(1.0, np.nanmax(mistakes)) if classes > 1 else 1.0
    fig, ax = pyplot().subplots(figsize=(5.2, 5.2), layout="constrained")
    ax.imshow(mistakes, cmap="Blues", vmin=0, vmax=highest)
    for i in range(classes):
        for j in range(classes):
            count = int(counts[i, j])
            dark = i != j and count > 0.6 * highest
            ax.text(
                j,
                i,
                count if count or i == j else "·",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if dark else "black",
                fontweight="bold" if i == j else "normal",
            )
    ticks = range(classes)
    ax.set(xlabel="answer", ylabel="truth")
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    return fig, ax


def bars(
    values: Mapping[str, float], xlabel: str = "", value_format: str = "{:.3g}"
) -> tuple[Figure, Axes]:
    """Named amounts as horizontal bars, the number written at the end of each.

    Parameters
    ----------
    values : dict of str to float
        Drawn from top to bottom.
    xlabel : str
        What the numbers are, with the unit.
    value_format : str
        Format of the numbers.

    Returns
    -------
    fig, ax

    Raises
    ------
    ValueError
        If there are no values, or one is negative or not finite.
    """
    if not values:
        raise ValueError(gettext("values is empty: there is nothing to draw"))
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(
                gettext("{name!r} is {value}: only amounts from 0 upwards can be drawn").format(
                    name=name, value=value
                )
            )
    fig, ax = pyplot().subplots(
        figsize=(WIDTH * 0.75, 0.6 + 0.4 * len(values)), layout="constrained"
    )
    drawn = ax.barh(list(values), list(values.values()), color=BLUE, height=0.6)
    ax.bar_label(drawn, [value_format.format(value) for value in values.values()], padding=4)
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.set_xlabel(xlabel)
    ax.spines[["top", "right"]].set_visible(False)
    return fig, ax
