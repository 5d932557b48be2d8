"""The figures of the lessons. Every function returns ``(fig, axes)`` and shows nothing itself.

In a notebook the figure appears under its cell; end the line with ``;`` so that the returned
values are not printed as well. Colours can be told apart by colour-blind readers, and work in
grey: blue and orange for two things, "cividis" for amounts, "PuOr" for negative to positive.
"""

from helpers.plots.canvas import AMOUNT, BLUE, GREY, ORANGE, SIGNED, WIDTH
from helpers.plots.charts import bars, confusion_matrix, loss_curve
from helpers.plots.comparison import dot_rows, grouped_bars
from helpers.plots.curves import curves
from helpers.plots.grids import number_grid
from helpers.plots.network import network
from helpers.plots.overlays import overlay, sliding_answers
from helpers.plots.pictures import feature_maps, filter_grid, image_grid
from helpers.plots.windows import window_places

__all__ = [
    "AMOUNT",
    "BLUE",
    "GREY",
    "ORANGE",
    "SIGNED",
    "WIDTH",
    "bars",
    "confusion_matrix",
    "curves",
    "dot_rows",
    "feature_maps",
    "filter_grid",
    "grouped_bars",
    "image_grid",
    "loss_curve",
    "network",
    "number_grid",
    "overlay",
    "sliding_answers",
    "window_places",
]
