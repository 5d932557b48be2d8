"""Try filters on pictures: the dialog of an image editor, with the arithmetic of each pixel.

The picture stays in the page, also one of your own or from a camera. Where scripts do not run, the
photo and the numbers of the filter stay readable.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers.pieces._piece import Piece, element, read_title, script_of
from helpers.pieces._words import marked, tr

if TYPE_CHECKING:
    import numpy.typing as npt

PHOTOS = {marked("Cat"): "cat.webp", marked("Rocket"): "rocket.webp"}
LARGEST = 384

# A notebook holds every piece in full.
SIZE_LIMIT = 30 * 1024

__all__ = ["Filter", "FilterDialog", "filter_dialog"]


class Filter(NamedTuple):
    """A filter with its name.

    Attributes
    ----------
    numbers : tuple of tuple of float
        3 × 3 or 5 × 5.
    divisor, offset : float
        A result is the sum of the products / `divisor` + `offset`.
    view : str
        How its values are shown best: "cut" off at 0 and 255, by their "size" without the sign, or
        with 0 in the "middle".
    """

    numbers: tuple[tuple[float, ...], ...]
    divisor: float = 1
    offset: float = 0
    view: str = "cut"


_BINOMIAL = (1, 4, 6, 4, 1)

FILTERS: Mapping[str, Filter] = {
    marked("Identity"): Filter(((0, 0, 0), (0, 1, 0), (0, 0, 0))),
    marked("Box blur"): Filter(((1, 1, 1), (1, 1, 1), (1, 1, 1)), 9),
    marked("Gaussian blur"): Filter(tuple(tuple(a * b for b in _BINOMIAL) for a in _BINOMIAL), 256),
    marked("Motion blur"): Filter(tuple(tuple(int(i == j) for j in range(5)) for i in range(5)), 5),
    marked("Sharpen"): Filter(((0, -1, 0), (-1, 5, -1), (0, -1, 0))),
    marked("Edge"): Filter(((0, 1, 0), (1, -4, 1), (0, 1, 0)), view="size"),
    marked("Sobel, vertical edges"): Filter(((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)), view="middle"),
    marked("Sobel, horizontal edges"): Filter(((-1, -2, -1), (0, 0, 0), (1, 2, 1)), view="middle"),
    marked("Emboss"): Filter(((-2, -1, 0), (-1, 1, 1), (0, 1, 2))),
    marked("Negative"): Filter(((0, 0, 0), (0, -1, 0), (0, 0, 0)), 1, 255),
}


def filter_dialog(
    image: npt.ArrayLike | None = None,
    filter: str = "Sobel, vertical edges",
    title: str | None = None,
) -> FilterDialog:
    """A dialog in which a filter's numbers are changed, and a picture follows at once.

    The filter is not turned, as in `torch.nn.functional.conv2d`.

    Parameters
    ----------
    image : array_like, (H, W) or (H, W, 3), optional
        Numbers from 0 to 255, at most 384 × 384; by default two photos of the course.
    filter : str
        The name of the filter to begin with, one of `FILTERS`.
    title : str, optional
        A line above the piece; also its name for screen readers.

    Returns
    -------
    FilterDialog
        A notebook shows it as the piece.

    Raises
    ------
    ValueError
        If the image has another shape, is too large or has numbers outside 0 to 255, or there is
        no filter of this name.
    TypeError
        If an argument is of the wrong kind.

    >>> filter_dialog().filter
    'Sobel, vertical edges'
    """
    title = read_title(title, tr("Try a filter"))
    if filter not in FILTERS:
        raise ValueError(
            tr("filter must be one of {0}; got {1}.", ", ".join(FILTERS), repr(filter))
        )
    pictures = _photos() if image is None else {tr("Picture"): _encoded(image)}
    return FilterDialog(pictures, filter, title)


class FilterDialog(Piece):
    """A dialog to try filters in; a notebook shows it when it is the last value of a cell.

    ``save(path)`` writes it as a page of its own, which any browser opens without a connection.

    Attributes
    ----------
    filter : str
        The name of the filter that it begins with.
    title : str
        The line above it.
    """

    def __init__(self, pictures: Mapping[str, str], filter: str, title: str) -> None:
        self.filter, self.title = filter, title
        names = list(FILTERS)
        data = {
            "t": title,
            "f": [
                [tr(name), [v for row in numbers for v in row], divisor, offset, view]
                for name, (numbers, divisor, offset, view) in FILTERS.items()
            ],
            "s": names.index(filter),
        }
        html = element("cnn-filter-dialog", data, self._still(pictures), script_of(__package__))
        if len(html.encode()) > SIZE_LIMIT:
            raise ValueError(
                tr(
                    "this image makes a piece of {0} KiB, more than {1}; pass a smaller one.",
                    len(html.encode()) // 1024 + 1,
                    SIZE_LIMIT // 1024,
                )
            )
        rows = "\n".join("  ".join(f"{v:g}" for v in row) for row in FILTERS[filter].numbers)
        super().__init__(title, html, f"{title}\n{_caption(filter)}\n{rows}")

    def _still(self, pictures: Mapping[str, str]) -> str:
        """What stands there without scripts: the pictures, and the filter as a table."""
        one = FILTERS[self.filter]
        rows = "".join("<tr>" + "".join(f"<td>{v:g}" for v in row) + "\n" for row in one.numbers)
        shown = "\n".join(
            f'<img alt="{escape(name)}" src="{address}">' for name, address in pictures.items()
        )
        ending = tr("Run this cell in JupyterLab to change the filter here.")
        return (
            f"<p><b>{escape(self.title)}</b></p>\n<p>{shown}</p>\n"
            f"<table><caption>{escape(_caption(self.filter))}</caption>\n{rows}</table>\n"
            f"<p><i>{ending}</i></p>\n"
        )


def _caption(name: str) -> str:
    """The filter of a name, and what is done with the sum of its products, in words."""
    one = FILTERS[name]
    rule = [tr("the sum of the products")]
    if one.divisor != 1:
        rule.append(tr("divided by {0}", f"{one.divisor:g}"))
    if one.offset:
        rule.append(tr("plus {0}", f"{one.offset:g}"))
    return f"{tr(name)}: {', '.join(rule)}"


def _photos() -> dict[str, str]:
    """The photos that come with the piece: name and address."""
    folder = files(__package__)
    return {
        tr(name): _address("webp", folder.joinpath(file).read_bytes())
        for name, file in PHOTOS.items()
    }


def _encoded(image: npt.ArrayLike) -> str:
    """A reader's image as the address of a PNG."""
    from PIL import Image

    pixels = np.asarray(image)
    if pixels.dtype.kind not in "uif":
        raise TypeError(tr("image must hold numbers, got {0}.", pixels.dtype))
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ValueError(tr("image must have shape (H, W) or (H, W, 3), got {0}.", pixels.shape))
    if not pixels.size or max(pixels.shape[:2]) > LARGEST:
        raise ValueError(
            tr("image must have 1 to {0} rows and columns, got {1}.", LARGEST, pixels.shape)
        )
    if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 255):
        raise ValueError(tr("image must hold numbers from 0 to 255."))
    out = io.BytesIO()
    Image.fromarray(np.rint(pixels).astype(np.uint8)).save(out, "PNG", optimize=True)
    return _address("png", out.getvalue())


def _address(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
