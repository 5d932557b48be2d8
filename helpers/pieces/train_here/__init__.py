"""Train the network of lesson 05 in the page itself, and see what it learns while it learns.

The digits are in the piece. Where scripts do not run, the curves and numbers of a run in Python
stay readable.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING

from helpers.pieces._piece import Piece, element, read_title, script_of
from helpers.pieces._words import tr
from helpers.pieces.train_here.learn import (
    EVERY,
    LEVELS,
    TRAINING,
    VALIDATION,
    Point,
    Settings,
    read_file,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# A notebook holds every piece in full.
SIZE_LIMIT = 60 * 1024

__all__ = ["TrainHere", "train_here"]


def train_here(title: str | None = None) -> TrainHere:
    """A network that learns digits in the page, with everything that can be turned meanwhile.

    It is the network of lesson 05 without its dropout. It learns from 800 digits of the course's
    sample of MNIST; 200 others measure it.

    Parameters
    ----------
    title : str, optional
        A line above the piece; also its name for screen readers.

    Returns
    -------
    TrainHere
        A notebook shows it as the piece.

    Raises
    ------
    TypeError
        If the title is no text.

    >>> train_here().points[0].seen
    0
    """
    return TrainHere(read_title(title, tr("Train it here")))


class TrainHere(Piece):
    """A network to train; a notebook shows it when it is the last value of a cell.

    ``save(path)`` writes it as a page of its own, which any browser opens without a connection.

    Attributes
    ----------
    points : list of Point
        What a run in Python measured, with the seed and the settings that the page begins with.
    title : str
        The line above it.
    """

    def __init__(self, title: str) -> None:
        file = read_file()
        self.points = [Point(*values) for values in file["points"]]
        self.title = title
        data = {
            "t": title,
            "d": file["digits"],
            "l": file["counts"],
            "v": LEVELS,
            "n": TRAINING,
            "m": EVERY,
            "s": asdict(Settings()),
        }
        end = self.points[-1]
        self._about = tr(
            "The network of lesson 05, without its dropout, learned from {0} digits of MNIST, for "
            "{1} epochs. Of {2} validation digits, which it did not learn from, it then read {3} "
            "correctly.",
            TRAINING,
            end.seen // TRAINING,
            VALIDATION,
            f"{end.accuracy:.1%}",
        )
        html = element("cnn-train-here", data, self._still(), script_of(__package__))
        super().__init__(title, html, f"{title}\n{self._about}")

    def about(self) -> str:
        """One or two sentences: what learned, from what, and how well it reads."""
        return self._about

    def _still(self) -> str:
        """What stands there without scripts: the curves of a run, and its numbers as a table."""
        # The signs that end an attribute or an address; base64 would be a third longer.
        svg = re.sub("[%#<>]", lambda m: f"%{ord(m[0]):02X}", _curves(self.points))
        names = (tr("epoch"), tr("training loss"), tr("validation loss"), tr("accuracy"))
        head = "".join(f"<th>{name}" for name in names)
        rows = "".join(
            f"<tr><td>{point.seen // TRAINING}" + "".join(f"<td>{v}" for v in _texts(point)) + "\n"
            for point in self.points
            if point.seen % TRAINING == 0
        )
        ending = tr("Run this cell in JupyterLab to see the network learn here.")
        return (
            f"<p><b>{escape(self.title)}</b></p>\n<p>{self.about()}</p>\n"
            f'<p><img alt="{self._alt()}" src="data:image/svg+xml,{svg}"></p>\n'
            f"<table><caption>{tr('A run in Python')}</caption>\n<tr>{head}\n{rows}</table>\n"
            f"<p><i>{ending}</i></p>\n"
        )

    def _alt(self) -> str:
        first, end = self.points[0], self.points[-1]
        return tr(
            "Two charts over {0} epochs. Loss: both lines fall from {1}, the training digits to "
            "{2}, the validation digits to {3} and then no further. Accuracy: it climbs from {4} "
            "to {5}.",
            end.seen // TRAINING,
            f"{first.validation:.1f}",
            f"{end.loss:.2f}",
            f"{min(point.validation for point in self.points):.2f}",
            f"{first.accuracy:.0%}",
            f"{end.accuracy:.0%}",
        )


def _texts(point: Point) -> tuple[str, str, str]:
    loss = "" if point.loss is None else f"{point.loss:.3f}"
    return loss, f"{point.validation:.3f}", f"{point.accuracy:.1%}"


def _curves(points: Sequence[Point]) -> str:
    """Loss and accuracy over the epochs, side by side, as SVG."""
    losses = [(p.seen, p.loss) for p in points if p.loss is not None]
    validation = [(p.seen, p.validation) for p in points]
    parts = [
        _chart(0, tr("Loss"), 2.5, {"#005a9c": losses, "#8a3b00": validation}),
        _chart(330, tr("Accuracy"), 1, {"#8a3b00": [(p.seen, p.accuracy) for p in points]}),
    ]
    return (
        "<svg xmlns='http://www.w3.org/2000/svg' width='660' height='190' font-family='sans-serif' "
        "font-size='12' style='background:#fff'>"
        + "".join(parts)
        + f"<text x='100' y='183' fill='#005a9c'>{tr('training digits')}</text>"
        f"<text x='200' y='183' fill='#8a3b00'>{tr('validation digits')}</text></svg>"
    )


def _chart(left: int, name: str, most: float, lines: dict[str, list[tuple[int, float]]]) -> str:
    """One chart, with its left edge at `left`: {colour: places and values}."""
    wide, high, top = 270, 120, 26
    end = max(seen for line in lines.values() for seen, _ in line)
    ticks, shares = (0, most / 2, most), (0, 0.5, 1)

    def at(seen: int, value: float) -> str:
        x, y = left + 40 + wide * seen / end, top + high * (1 - min(value / most, 1))
        return f"{x:.0f},{y:.0f}"

    rules = "".join(f"M{at(0, value)}H{left + 40 + wide}" for value in ticks)
    values = "".join(
        f"<text x='{left + 34}' y='{top + high * (1 - value / most) + 4:.0f}'>{value:g}</text>"
        for value in ticks
    )
    epochs = "".join(
        f"<text x='{left + 40 + wide * share:.0f}' y='{top + high + 18}'>"
        f"{share * end / TRAINING:g}</text>"
        for share in shares
    )
    drawn = "".join(
        f"<polyline stroke='{colour}' points='{' '.join(at(*place) for place in line)}'/>"
        for colour, line in lines.items()
    )
    return (
        f"<text x='{left + 40}' y='14' font-weight='bold'>{name}</text>"
        f"<path d='{rules}' stroke='#c9d1d9'/><g text-anchor='end'>{values}</g>"
        f"<g text-anchor='middle'>{epochs}</g><g fill='none' stroke-width='2'>{drawn}</g>"
    )
