"""What all figures share: colours, sizes, checked input, empty panels."""

from __future__ import annotations

import math
from types import ModuleType
from typing import TYPE_CHECKING

from helpers.checks import as_numpy
from helpers.language import gettext

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#6e6e6e"
SIGNED, AMOUNT = "PuOr_r", "cividis"
#: Width of a full-width figure, in inches.
WIDTH = 9.0


def pyplot() -> ModuleType:
    # Loaded when the first figure is drawn: matplotlib takes a third of a second.
    import matplotlib.pyplot as plt

    return plt


def to_array(value: object, name: str, *ndims: int) -> np.ndarray:
    array = as_numpy(value, name)
    if array.ndim not in ndims:
        wanted = str(ndims[0])
        if len(ndims) > 1:
            wanted = gettext("{one} or {other}").format(one=ndims[0], other=ndims[1])
        raise ValueError(
            gettext("{name} has shape {shape}: give an array with {wanted} axes").format(
                name=name, shape=array.shape, wanted=wanted
            )
        )
    if not array.size:
        raise ValueError(
            gettext("{name} has shape {shape}: there is nothing to draw").format(
                name=name, shape=array.shape
            )
        )
    return array


def bare(axis: Axes) -> None:
    axis.set(xticks=[], yticks=[])
    for side in axis.spines.values():
        side.set_visible(False)


def panels(
    count: int, columns: int, size: float, aspect: float = 1.0, titled: bool = True
) -> tuple[Figure, np.ndarray]:
    """Empty panels for `count` pictures of width `size` inches and height `size · aspect`.

    With `titled` there is room for a title above each row.
    """
    plt = pyplot()
    columns = max(1, min(columns, count))
    rows = math.ceil(count / columns)
    fig, axes = plt.subplots(
        rows,
        columns,
        figsize=(columns * size, rows * (size * aspect + (0.3 if titled else 0))),
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat:
        bare(axis)
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    return fig, axes
