"""Several quantities over one axis, drawn as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers.language import gettext
from helpers.plots.canvas import BLUE, GREY, ORANGE, WIDTH, pyplot, to_array

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.figure import Figure

# Colour and dashes together: the lines can also be told apart in grey.
_STYLES = (
    (BLUE, "-"),
    (ORANGE, "--"),
    (GREY, "-."),
    ("black", ":"),
    ("#cc79a7", (0, (6, 1, 1, 1, 1, 1))),
)
#: Up to so many points are drawn as dots, too, each with its tick.
_FEW = 20


def curves(
    x: npt.ArrayLike,
    panels: Mapping[str, Mapping[str, npt.ArrayLike]],
    xlabel: str = "",
    ylabel: str = "",
    limits: tuple[float | None, float | None] | None = None,
    yscale: str = "linear",
) -> tuple[Figure, np.ndarray]:
    """Lines over a common x axis, in one panel or in several side by side.

    Parameters
    ----------
    x : array or tensor, shape (P,)
        Where the values were taken.
    panels : dict of str to (dict of str to array)
        Title of each panel to its lines; each line's name to its values, shape (P,). At most
        five lines in a panel. A line of the same name looks the same in every panel.
    xlabel, ylabel : str
        What the axes show, with the unit.
    limits : (float or None, float or None), optional
        Lowest and highest y; None leaves it to the values.
    yscale : "linear" or "log"
        On a "log" scale each mark is ten times the one below; values of 0 and below, and NaN,
        are left out.

    Returns
    -------
    fig, axes
        `axes` is a NumPy array of shape (number of panels,).

    Raises
    ------
    ValueError
        If there is no panel or no line, there are more than five names of lines, a line has
        another number of values than x, or `yscale` is neither "linear" nor "log".
    """
    x = to_array(x, "x", 1)
    if yscale not in ("linear", "log"):
        raise ValueError(gettext("yscale={yscale!r}: give 'linear' or 'log'").format(yscale=yscale))
    if not panels:
        raise ValueError(gettext("panels is empty: there is nothing to draw"))
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    if len(names) > len(_STYLES):
        raise ValueError(
            gettext(
                "there are {count} lines: at most {most} can be told apart, draw several figures"
            ).format(count=len(names), most=len(_STYLES))
        )
    styles = dict(zip(names, _STYLES, strict=False))
    fig, axes = pyplot().subplots(
        1,
        len(panels),
        figsize=(WIDTH, 3.4),
        squeeze=False,
        layout="constrained",
    )
    for axis, (title, lines) in zip(axes[0], panels.items(), strict=True):
        if not lines:
            raise ValueError(
                gettext("the panel {title!r} has no lines: there is nothing to draw").format(
                    title=title
                )
            )
        for name, values in lines.items():
            values = to_array(values, name, 1)
            if len(values) != len(x):
                raise ValueError(
                    gettext("{name!r} has {count} values, but x has {places}").format(
                        name=name, count=len(values), places=len(x)
                    )
                )
            color, dashes = styles[name]
            axis.plot(
                x,
                values,
                color=color,
                linestyle=dashes,
                linewidth=1.8,
                marker="o" if len(x) <= _FEW else "",
                markersize=4,
                label=name,
            )
        axis.set_title(title, fontsize=10)
        axis.set(xlabel=xlabel, ylabel=ylabel, yscale=yscale, ylim=limits)
        if len(x) <= _FEW:
            axis.set_xticks(x)
        elif not (x % 1).any():
            # Where nothing was taken between two epochs, no mark stands there either.
            axis.locator_params("x", integer=True)
        axis.grid(alpha=0.3)
        # Beside a single panel there is room; the legend then covers no line.
        beside = {"loc": "upper left", "bbox_to_anchor": (1, 1)} if len(panels) == 1 else {}
        axis.legend(frameon=False, fontsize=9, **beside)
    return fig, axes[0]
