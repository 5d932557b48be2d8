"""Maps of importance and answers, laid over or under the picture they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.language import gettext
from helpers.plots.canvas import AMOUNT, WIDTH, panels, pyplot, to_array

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.figure import Figure


def overlay(
    images: Iterable[npt.ArrayLike],
    heats: Iterable[npt.ArrayLike],
    titles: Sequence[str] | None = None,
    columns: int = 4,
    size: float = 2.2,
) -> tuple[Figure, np.ndarray]:
    """Pictures with a map of importance over each: dark is 0, yellow is the largest value.

    Parameters
    ----------
    images : sequence of arrays
        Each (H, W), (1, H, W) or (H, W, 3).
    heats : sequence of arrays
        One for each image, (h, w) of any size; stretched over the image. Values from 0 upwards.
    titles : sequence of str, optional
        One for each image.
    columns : int
        Pictures in a row.
    size : float
        Width of a picture, in inches.

    Returns
    -------
    fig, axes
        `axes` is a NumPy array of shape (rows, columns).

    Raises
    ------
    ValueError
        If the numbers of images, heats and titles differ, a shape is wrong, or a heat is negative.
    """
    pictures = [to_array(image, f"images[{i}]", 2, 3) for i, image in enumerate(images)]
    pictures = [p[0] if p.ndim == 3 and p.shape[0] == 1 else p for p in pictures]
    maps = [to_array(heat, f"heats[{i}]", 2) for i, heat in enumerate(heats)]
    if not pictures or len(maps) != len(pictures):
        raise ValueError(
            gettext("there are {images} images, but {heats} heats").format(
                images=len(pictures), heats=len(maps)
            )
        )
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(
            gettext("there are {images} images, but {titles} titles").format(
                images=len(pictures), titles=len(titles)
            )
        )
    for i, heat in enumerate(maps):
        if not heat.min() >= 0:
            raise ValueError(
                gettext("heats[{i}] has the value {value:g}: give values from 0 upwards").format(
                    i=i, value=heat.min()
                )
            )
    tallest = max(picture.shape[0] / picture.shape[1] for picture in pictures)
    fig, axes = panels(len(pictures), columns, size, tallest, any(titles or ()))
    for i, (axis, picture, heat) in enumerate(zip(axes.flat, pictures, maps, strict=False)):
        height, width = picture.shape[:2]
        axis.imshow(picture, cmap="gray")
        axis.imshow(
            heat / max(float(heat.max()), np.finfo(float).tiny),
            cmap="inferno",
            vmin=0,
            vmax=1,
            alpha=0.55,
            interpolation="bilinear",
            extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        )
        if titles is not None:
            axis.set_title(titles[i], fontsize=10)
    return fig, axes


def sliding_answers(
    image: npt.ArrayLike, probabilities: npt.ArrayLike, window: int, stride: int
) -> tuple[Figure, np.ndarray]:
    """A wide picture, and below it what a network answers at each place of a sliding window.

    Both have the pixels of the picture as their x axis. The answer of a place is drawn under the
    middle of its window, `stride` pixels wide.

    Parameters
    ----------
    image : array, shape (H, W)
    probabilities : array, shape (classes, places)
        From 0 (dark) to 1 (light).
    window : int
        Width of the window, in pixels. The first one begins at the left edge.
    stride : int
        From one window to the next, in pixels.

    Returns
    -------
    fig, axes
        The axes of the picture and of the answers.

    Raises
    ------
    ValueError
        If an array has another number of axes, or the last window ends outside the picture.
    """
    picture = to_array(image, "image", 2)
    answers = to_array(probabilities, "probabilities", 2)
    (height, width), (classes, places) = picture.shape, answers.shape
    if window + (places - 1) * stride > width:
        raise ValueError(
            gettext(
                "{places} windows of {window} pixels, {stride} apart, do not fit into "
                "{width} pixels"
            ).format(places=places, window=window, stride=stride, width=width)
        )
    fig, axes = pyplot().subplots(
        2,
        1,
        sharex=True,
        figsize=(WIDTH, WIDTH * height / width + 0.22 * classes + 0.6),
        height_ratios=(WIDTH * height / width, 0.22 * classes),
        layout="constrained",
    )
    axes[0].imshow(picture, cmap="gray", aspect="auto")
    axes[0].set(yticks=[])
    # A window over the pixels 0 to 27 has its middle at 13.5.
    left = (window - 1) / 2 - stride / 2
    extent = (left, left + places * stride, classes - 0.5, -0.5)
    axes[1].imshow(answers, cmap=AMOUNT, vmin=0, vmax=1, aspect="auto", extent=extent)
    axes[1].set(xlim=(-0.5, width - 0.5), yticks=range(classes), xlabel="pixel", ylabel="answer")
    return fig, axes
