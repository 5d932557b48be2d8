"""Pictures side by side: photographs, digits, filters, feature maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.language import gettext
from helpers.plots.canvas import ORANGE, SIGNED, bare, panels, pyplot, to_array

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def image_grid(
    images: Iterable[npt.ArrayLike],
    titles: Sequence[str] | None = None,
    columns: int = 6,
    size: float = 1.5,
    cmap: str = "gray",
    limits: tuple[float, float] | None = None,
    marks: Sequence[tuple[int, int, int, int] | None] | None = None,
) -> tuple[Figure, np.ndarray]:
    """Pictures side by side.

    Parameters
    ----------
    images : sequence of arrays
        Each (H, W), (1, H, W) or (H, W, 3); numbers of any range, or uint8.
    titles : sequence of str, optional
        One for each picture.
    columns : int
        Pictures in a row.
    size : float
        Width of a picture, in inches.
    cmap : str
        Colour map of the pictures with one channel.
    limits : (float, float), optional
        The values drawn darkest and lightest; by default the smallest and largest value of each
        picture.
    marks : sequence, optional
        For each picture None, or the window to frame: ``(row, column, height, width)`` in pixels.
        It may reach beyond the picture.

    Returns
    -------
    fig, axes
        `axes` is a NumPy array of shape (rows, columns).

    Raises
    ------
    ValueError
        If there is no picture, one has another shape, or titles or marks are fewer or more.
    """
    pictures = [to_array(image, f"images[{i}]", 2, 3) for i, image in enumerate(images)]
    if not pictures:
        raise ValueError(gettext("images is empty: there is nothing to draw"))
    for name, value in (("titles", titles), ("marks", marks)):
        if value is not None and len(value) != len(pictures):
            raise ValueError(
                gettext("there are {images} images, but {given} {name}").format(
                    images=len(pictures), given=len(value), name=name
                )
            )
    for i, picture in enumerate(pictures):
        if picture.ndim == 3 and picture.shape[0] == 1:
            pictures[i] = picture[0]
        elif picture.ndim == 3 and picture.shape[-1] != 3:
            raise ValueError(
                gettext(
                    "images[{i}] has shape {shape}: give (H, W), (1, H, W) or (H, W, 3)"
                ).format(i=i, shape=picture.shape)
            )
    low, high = limits or (None, None)
    tallest = max(picture.shape[0] / picture.shape[1] for picture in pictures)
    fig, axes = panels(len(pictures), columns, size, tallest, any(titles or ()))
    for i, (axis, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        axis.imshow(picture, cmap=cmap, vmin=low, vmax=high)
        if titles is not None:
            axis.set_title(titles[i], fontsize=10)
        mark = marks[i] if marks is not None else None
        if mark is not None:
            _frame(axis, *mark)
    return fig, axes


def _frame(axis: Axes, row: int, column: int, height: int, width: int) -> None:
    corner = (column - 0.5, row - 0.5)
    look = {"facecolor": "none", "edgecolor": ORANGE, "linewidth": 2, "clip_on": False}
    axis.add_patch(pyplot().Rectangle(corner, width, height, **look))


def filter_grid(
    weight: npt.ArrayLike, titles: Sequence[str] | None = None, columns: int = 10, size: float = 0.9
) -> tuple[Figure, np.ndarray]:
    """The filters of a convolution layer, one picture for each.

    Parameters
    ----------
    weight : array or tensor, shape (K, 1, kh, kw), (K, 3, kh, kw) or (K, kh, kw)
        Filters with one channel are drawn from negative (purple) through 0 (white) to positive
        (orange), all on one scale; filters with three channels as colours.
    titles, columns, size
        As in `image_grid`.

    Returns
    -------
    fig, axes

    Raises
    ------
    ValueError
        If there are neither one nor three channels.
    """
    weight = to_array(weight, "weight", 3, 4)
    if weight.ndim == 3:
        weight = weight[:, None]
    if weight.shape[1] not in (1, 3):
        raise ValueError(
            gettext(
                "weight has shape {shape}, that is {channels} channels: only filters with 1 "
                "or 3 channels can be drawn as pictures. Choose one: weight[:, :1]"
            ).format(shape=weight.shape, channels=weight.shape[1])
        )
    highest = float(np.abs(weight).max()) or 1.0
    if weight.shape[1] == 3:
        pictures = 0.5 + weight.transpose(0, 2, 3, 1) / (2 * highest)
        return image_grid(pictures, titles, columns, size)
    return image_grid(weight[:, 0], titles, columns, size, cmap=SIGNED, limits=(-highest, highest))


def feature_maps(
    layers: Mapping[str, npt.ArrayLike],
    columns: int = 10,
    size: float = 0.85,
    one_scale: bool = False,
) -> tuple[Figure, np.ndarray]:
    """What each layer makes of one input: a band of small pictures for each layer.

    All maps of a band are drawn on one scale, so that they can be compared: black is the smallest
    number of the layer, white the largest. The title names both.

    Parameters
    ----------
    layers : dict of str to array or tensor
        Title of the layer to its maps, shape (C, H, W). At most `columns` maps are drawn of
        each; the title says how many there are.
    columns : int
        Maps in a row.
    size : float
        Width of a map, in inches.
    one_scale : bool
        One scale for all bands, from the smallest number of all layers to the largest.

    Returns
    -------
    fig, axes
        `axes` is a NumPy array of shape (number of layers, columns).

    Raises
    ------
    ValueError
        If there is no layer, or one has another number of axes.
    """
    if not layers:
        raise ValueError(gettext("layers is empty: there is nothing to draw"))
    arrays = {name: to_array(maps, name, 3) for name, maps in layers.items()}
    ends = {name: (maps.min(), maps.max()) for name, maps in arrays.items()}
    if one_scale:
        whole = (min(low for low, _ in ends.values()), max(high for _, high in ends.values()))
        ends = dict.fromkeys(ends, whole)
    plt = pyplot()
    columns = min(columns, max(len(maps) for maps in arrays.values()))
    fig = plt.figure(figsize=(columns * size, len(arrays) * (size + 0.3)), layout="constrained")
    axes = np.empty((len(arrays), columns), dtype=object)
    bands = fig.subfigures(len(arrays), 1, squeeze=False)[:, 0]
    for band, row, (name, maps) in zip(bands, axes, arrays.items(), strict=True):
        shown = min(columns, len(maps))
        more = f", {shown} of them shown" if shown < len(maps) else ""
        shape = " × ".join(map(str, maps.shape))
        low, high = ends[name]
        scale = f"black {low:.3g}, white {high:.3g}".replace("-", "−")
        band.suptitle(f"{name}: {shape}{more} ({scale})", fontsize=10, x=0.01, ha="left")
        row[:] = band.subplots(1, columns)
        for axis in row:
            bare(axis)
        for axis, picture in zip(row, maps, strict=False):
            axis.imshow(picture, cmap="gray", vmin=low, vmax=high)
    return fig, axes
