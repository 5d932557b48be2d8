"""Small arrays drawn as tables of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.language import gettext
from helpers.plots.canvas import GREY, ORANGE, bare, pyplot, to_array

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.figure import Figure


def number_grid(
    grids: Iterable[npt.ArrayLike],
    titles: Sequence[str] | None = None,
    marks: Sequence[tuple[int, int, int, int] | None] | None = None,
    signs: Sequence[str] | None = None,
    size: float = 0.42,
    dashed: Sequence[npt.ArrayLike | None] | None = None,
) -> tuple[Figure, np.ndarray]:
    """Small arrays drawn as tables of numbers, side by side.

    Parameters
    ----------
    grids : sequence of arrays
        Each (H, W).
    titles : sequence of str, optional
        One for each array.
    marks : sequence, optional
        For each array None, or the window to frame: ``(row, column, height, width)``.
    signs : sequence of str, optional
        What stands between the arrays, such as ``["∗", "="]``; one fewer than arrays.
    size : float
        Width of a cell, in inches.
    dashed : sequence, optional
        For each array None, or a boolean array of its shape: cells that are no data, such as
        padding or the gaps of a dilated kernel. They get dashed lines and grey numbers.

    Returns
    -------
    fig, axes
        `axes` is a NumPy array of shape (number of arrays,).

    Raises
    ------
    ValueError
        If an array has another number of axes, titles, marks, signs or dashed don't match in
        number, or a mask has another shape than its array.
    """
    plt = pyplot()
    arrays = [to_array(grid, f"grids[{i}]", 2) for i, grid in enumerate(grids)]
    for name, value, count in (
        ("titles", titles, len(arrays)),
        ("marks", marks, len(arrays)),
        ("signs", signs, len(arrays) - 1),
        ("dashed", dashed, len(arrays)),
    ):
        if value is not None and len(value) != count:
            raise ValueError(
                gettext("{name} has {given} entries, expected {count}").format(
                    name=name, given=len(value), count=count
                )
            )
    masks = [np.zeros(array.shape, bool) for array in arrays]
    for i, mask in enumerate(dashed or []):
        if mask is not None:
            masks[i] = np.asarray(mask, bool)
        if masks[i].shape != arrays[i].shape:
            raise ValueError(
                gettext("dashed[{i}] has shape {mask_shape}, but its array {array_shape}").format(
                    i=i, mask_shape=masks[i].shape, array_shape=arrays[i].shape
                )
            )
    widths = [array.shape[1] for array in arrays]
    tallest = max(array.shape[0] for array in arrays)
    gap = 1.6
    fig, axes = plt.subplots(
        1,
        len(arrays),
        figsize=((sum(widths) + gap * (len(arrays) - 1)) * size, (tallest + 1.2) * size),
        squeeze=False,
        gridspec_kw={
            "width_ratios": widths,
            "wspace": gap * len(arrays) / sum(widths),
            "left": 0.01,
            "right": 0.99,
            "bottom": 0.02,
            "top": tallest / (tallest + 1.2),
        },
    )
    axes = axes[0]
    for i, (axis, array) in enumerate(zip(axes, arrays, strict=True)):
        _draw_numbers(axis, array, marks[i] if marks is not None else None, masks[i])
        if titles is not None:
            axis.set_title(titles[i], fontsize=10)
        if signs is not None and i:
            axis.text(
                -0.5 - gap / 2,
                (array.shape[0] - 1) / 2,
                signs[i - 1],
                fontsize=16,
                ha="center",
                va="center",
            )
    return fig, axes


def _draw_numbers(axis, array, mark, dashed):
    rows, columns = array.shape
    axis.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal")
    bare(axis)
    # Not clipped: half of the outer lines lies outside the axes.
    edges = {"colors": "#b0b0b0", "linewidth": 0.8, "clip_on": False}
    if not dashed.any():
        axis.vlines(np.arange(columns + 1) - 0.5, -0.5, rows - 0.5, **edges)
        axis.hlines(np.arange(rows + 1) - 0.5, -0.5, columns - 0.5, **edges)
    for is_data in (False, True) if dashed.any() else ():
        # The cells of the data come last: their lines lie over the dashed ones.
        style = {} if is_data else {"linestyles": [(0, (2, 3))]}
        for row, column in np.argwhere(dashed != is_data):
            axis.vlines([column - 0.5, column + 0.5], row - 0.5, row + 0.5, **edges, **style)
            axis.hlines([row - 0.5, row + 0.5], column - 0.5, column + 0.5, **edges, **style)
    for row in range(rows):
        for column in range(columns):
            value = array[row, column].item()
            text = f"{value:.3g}" if isinstance(value, float) else str(value)
            axis.text(
                column,
                row,
                text.replace("-", "−"),
                ha="center",
                va="center",
                fontsize=10,
                color=GREY if dashed[row, column] else "black",
            )
    if mark is not None:
        row, column, height, width = mark
        axis.add_patch(
            pyplot().Rectangle(
                (column - 0.5, row - 0.5),
                width,
                height,
                facecolor=ORANGE + "33",
                edgecolor=ORANGE,
                linewidth=2.5,
                clip_on=False,
                zorder=3,
            )
        )
