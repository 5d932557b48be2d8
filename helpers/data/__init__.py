"""The images that the lessons work on: MNIST digits, emoji in colour and a few real photographs.

>>> from helpers.data import load_emoji, load_mnist, photo
>>> load_mnist(train=True, source="sample").images.shape
torch.Size([4000, 28, 28])
>>> load_emoji(train=True).images.shape
torch.Size([1520, 3, 32, 32])
>>> photo("cat").shape
(256, 385, 3)
"""

from __future__ import annotations

import json
import operator
import os
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeGuard

import numpy as np
import torch
from torch.utils.data import Dataset

from helpers.data import _mnist
from helpers.data._mnist import DataUnavailableError, DownloadError, cache_folder
from helpers.language import gettext

__all__ = [
    "PHOTO_NAMES",
    "DataUnavailableError",
    "DownloadError",
    "EmojiImages",
    "MNISTImages",
    "cache_folder",
    "load_emoji",
    "load_mnist",
    "photo",
    "photos",
]

SAMPLES = Path(__file__).parent / "samples"
SOURCES = ("auto", "full", "sample")

PHOTO_NAMES = ("astronaut", "cat", "coffee", "rocket")
"""The photographs that come with the course; authors and licences in ``samples/README.md``."""

RETRY_SECONDS = 60
"""How long ``source="auto"`` remembers that a download failed before it tries again."""

_last_failure: tuple[float, str] | None = None  # when, and why


class _LabelledImages(Dataset):
    """Images (N, H, W) or (N, C, H, W) as uint8, with their labels, all in memory."""

    def __init__(
        self,
        images: torch.Tensor,
        targets: torch.Tensor,
        description: str,
        transform: Callable[[torch.Tensor], object] | None,
    ) -> None:
        self.images = images
        self.targets = targets
        self.description = description
        self.transform = transform

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[object, int]:
        index = operator.index(index)
        image = self._floats(self.images[index])
        item = image if self.transform is None else self.transform(image)
        return item, int(self.targets[index])

    def __getitems__(self, indices: Sequence[int]) -> list:
        """Take out a whole batch; ``DataLoader`` calls this where it exists.

        The conversion to float runs once for the batch instead of once for each image.
        """
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        images = self._floats(self.images[chosen])
        if self.transform is None:
            items: Iterable = images
        elif _takes_batches(self.transform):
            items = self.transform(images)
        else:
            items = map(self.transform, images)
        return list(zip(items, self.targets[chosen].tolist(), strict=True))

    def _floats(self, images: torch.Tensor) -> torch.Tensor:
        """Values from 0 to 1, with an axis for the channel."""
        grey = self.images.ndim == 3
        return (images.unsqueeze(-3) if grey else images).float().div_(255)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.description}"


def _takes_batches(
    transform: Callable[[torch.Tensor], object],
) -> TypeGuard[Callable[[torch.Tensor], torch.Tensor]]:
    """Whether the numbers of a batch come out as those of its images would, one by one.

    So it is with `torchvision.transforms.Normalize`. One by one it would take a fifth of the time
    in which the network of lesson 05 learns from them.
    """
    known = sys.modules.get("torchvision.transforms")  # who has such an object has imported it
    return known is not None and type(transform) is known.Normalize


class MNISTImages(_LabelledImages):
    """Handwritten digits with their labels, all in memory.

    An item is a pair: the image as a float32 tensor of shape ``(1, 28, 28)`` with values from 0
    (background) to 1 (ink), passed through ``transform`` if there is one, and its label as an
    int from 0 to 9.

    Attributes
    ----------
    images : uint8 tensor, shape (N, 28, 28), values 0 to 255
    targets : int64 tensor, shape (N,), values 0 to 9
    source : "full" or "sample"
    description : one sentence that says which images these are and how many
    transform : called with each image tensor when it is taken out, or None
    """

    def __init__(
        self,
        images: torch.Tensor,
        targets: torch.Tensor,
        source: str,
        description: str,
        transform: Callable[[torch.Tensor], object] | None = None,
    ) -> None:
        super().__init__(images, targets, description, transform)
        self.source = source


class EmojiImages(_LabelledImages):
    """Emoji in colour with their groups, all in memory.

    An item is a pair: the image as a float32 tensor of shape ``(3, 32, 32)``, red, green and blue
    with values from 0 to 1 on a white background, passed through ``transform`` if there is one,
    and its label as an int, the place of its class in ``classes``.

    Attributes
    ----------
    images : uint8 tensor, shape (N, 3, 32, 32), values 0 to 255
    targets : int64 tensor, shape (N,), values 0 to 8
    classes : names of the nine classes, Unicode's groups
    names : Unicode's name of each image
    description : one sentence that says which images these are and how many
    transform : called with each image tensor when it is taken out, or None
    """

    def __init__(
        self,
        images: torch.Tensor,
        targets: torch.Tensor,
        classes: Sequence[str],
        names: Sequence[str],
        description: str,
        transform: Callable[[torch.Tensor], object] | None = None,
    ) -> None:
        super().__init__(images, targets, description, transform)
        self.classes = tuple(classes)
        self.names = tuple(names)


def load_mnist(
    train: bool = True,
    source: str | None = None,
    transform: Callable[[torch.Tensor], object] | None = None,
) -> MNISTImages:
    """Load the MNIST digits (LeCun, Bottou, Bengio and Haffner 1998).

    Parameters
    ----------
    train
        True for the images to learn from (60,000; 4,000 in the sample), False for those to test
        on (10,000; 1,000 in the sample). Both parts of the sample are cut from MNIST's training
        images, so test a net that learned from the full set on the full set's test images only.
    source
        - ``"full"``: all of MNIST, from the folder that the variable ``MNIST_ROOT`` names, or
          else from the course's cache, or else by a download into that cache, which is given up
          after 5 minutes, or 10 seconds of silence.
        - ``"sample"``: the 5,000 images that come with the course; no network.
        - ``"auto"``: as ``"full"``, but where the download fails, the sample, and a sentence
          that says so.

        The default is the variable ``MNIST_SOURCE``, and ``"auto"`` where that is unset.
    transform
        Called with each image, a float32 tensor ``(1, 28, 28)``; what it returns takes the
        image's place.

    Raises
    ------
    ValueError
        ``source`` or ``MNIST_SOURCE`` is none of the three.
    DownloadError
        ``"full"``: not on this machine, and the download failed. A DataUnavailableError.
    DataUnavailableError
        ``"full"`` and ``"auto"``: ``MNIST_ROOT`` is wrong, or the files are damaged.
    """
    if not isinstance(train, bool):
        raise ValueError(
            gettext("train={train!r}: give True (training images) or False (test images)").format(
                train=train
            )
        )
    source = _chosen_source(source)
    if source == "sample":
        return _load_sample(train, transform)
    try:
        root = _find_or_remember(source)
    except DownloadError as error:
        if source == "full":
            raise
        sample = _load_sample(train, transform)
        print(
            gettext(
                "The full MNIST could not be downloaded, because {why}, so these are "
                "{count:,} real images from the sample that comes with the course."
            ).format(why=error.why, count=len(sample))
        )
        return sample
    full = _mnist.open_with_torchvision(root, train)
    if train:
        description = gettext("The training part of the full MNIST, {count:,} images.")
    else:
        description = gettext("The test part of the full MNIST, {count:,} images.")
    description = description.format(count=len(full.targets))
    return MNISTImages(full.data, full.targets, "full", description, transform)


def _chosen_source(source: str | None) -> str:
    given = f"source={source!r}"
    if source is None:
        source = os.environ.get("MNIST_SOURCE") or "auto"
        given = gettext("the variable MNIST_SOURCE is {source!r}").format(source=source)
    if source not in SOURCES:
        raise ValueError(
            gettext("{given}: use one of {sources}").format(
                given=given, sources=", ".join(map(repr, SOURCES))
            )
        )
    return source


def _find_or_remember(source: str) -> Path:
    """Find the full set; in "auto", do not wait for a dead network twice in a row."""
    global _last_failure
    if source == "auto" and _last_failure is not None and not os.environ.get("MNIST_ROOT"):
        when, why = _last_failure
        if time.monotonic() - when < RETRY_SECONDS:
            raise DownloadError(why, gettext("tried a moment ago"))
    try:
        root = _mnist.find_full_mnist()
    except DownloadError as error:
        _last_failure = (time.monotonic(), error.why)
        raise
    _last_failure = None
    return root


def _load_sample(train: bool, transform: Callable[[torch.Tensor], object] | None) -> MNISTImages:
    path = SAMPLES / "mnist-sample.npz"
    part = "train" if train else "test"
    try:
        with np.load(path) as arrays:
            images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataUnavailableError(
            gettext(
                "The sample that comes with the course cannot be read from {path} ({error}). "
                "Get the file anew: `git checkout helpers/data/samples`, or install the "
                "course again."
            ).format(path=path, error=error)
        ) from error
    if train:
        description = gettext(
            "The training part of the MNIST sample that comes with the course, {count:,} images."
        )
    else:
        description = gettext(
            "The test part of the MNIST sample that comes with the course, {count:,} images."
        )
    return MNISTImages(
        torch.from_numpy(images),
        torch.from_numpy(labels.astype(np.int64)),
        "sample",
        description.format(count=len(labels)),
        transform,
    )


def load_emoji(
    train: bool = True, transform: Callable[[torch.Tensor], object] | None = None
) -> EmojiImages:
    """Load the emoji of Google's font Noto, 32 × 32 pixels in colour; no network.

    The nine classes are Unicode's groups, from "Smileys & Emotion" to "Flags"; they differ in
    size. Drawings that are nearly alike (a woman and a man who run, the twenty-four clocks) are
    on the same side of the split. Author and licence stand in ``samples/README.md``.

    Parameters
    ----------
    train
        True for the 1,520 images to learn from, False for the 386 to test on; each part in one
        fixed mixed order.
    transform
        Called with each image, a float32 tensor ``(3, 32, 32)``; what it returns takes the
        image's place.

    Raises
    ------
    ValueError
        ``train`` is neither True nor False.
    DataUnavailableError
        The files are missing or damaged.
    """
    if not isinstance(train, bool):
        raise ValueError(
            gettext("train={train!r}: give True (training images) or False (test images)").format(
                train=train
            )
        )
    from PIL import Image

    try:
        facts = json.loads((SAMPLES / "emoji.json").read_text("utf-8"))
        with Image.open(SAMPLES / "emoji.png") as sheet:
            pixels = np.array(sheet.convert("RGB"))
        chosen = facts["train" if train else "test"]
        side = 32
        rows, columns = pixels.shape[0] // side, pixels.shape[1] // side
        pictures = pixels.reshape(rows, side, columns, side, 3).transpose(0, 2, 4, 1, 3)
        images = pictures.reshape(-1, 3, side, side)[chosen]
        targets, names = np.array(facts["labels"])[chosen], [facts["names"][i] for i in chosen]
        classes = facts["classes"]
    except (OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError) as error:
        raise DataUnavailableError(
            gettext(
                "The emoji that come with the course cannot be read from {path} and "
                "emoji.json ({error}). Get the files anew: `git checkout "
                "helpers/data/samples`, or install the course again."
            ).format(path=SAMPLES / "emoji.png", error=error)
        ) from error
    if train:
        description = gettext(
            "The training part of the emoji that come with the course, {count:,} images in "
            "{classes} classes."
        )
    else:
        description = gettext(
            "The test part of the emoji that come with the course, {count:,} images in {classes} "
            "classes."
        )
    return EmojiImages(
        torch.from_numpy(images),
        torch.from_numpy(targets),
        classes,
        names,
        description.format(count=len(names), classes=len(classes)),
        transform,
    )


def photo(name: str) -> np.ndarray:
    """Return one photograph as a uint8 array of shape ``(height, width, 3)``: red, green, blue.

    The shorter side has 256 pixels. Raises ValueError for a name not in ``PHOTO_NAMES``.
    """
    if name not in PHOTO_NAMES:
        raise ValueError(
            gettext("name={name!r}: there is no such photograph; use one of {names}").format(
                name=name, names=PHOTO_NAMES
            )
        )
    from PIL import Image

    path = SAMPLES / f"{name}.jpg"
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except OSError as error:
        raise DataUnavailableError(
            gettext(
                "The photograph {name!r} cannot be read from {path} ({error}). Get the file "
                "anew: `git checkout helpers/data/samples`, or install the course again."
            ).format(name=name, path=path, error=error)
        ) from error


def photos() -> dict[str, np.ndarray]:
    """Return all photographs, name -> uint8 array ``(height, width, 3)``; see ``photo``."""
    return {name: photo(name) for name in PHOTO_NAMES}
