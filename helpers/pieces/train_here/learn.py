"""The numbers of a run in the page, computed in Python: its digits, its start and its steps.

`learn.js` and `run.js` compute the same; browser tests hold them equal.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers.pieces.draw_digit.net import MEAN, PARAMETERS, STD

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

FILE = "digits.json"
TRAINING, VALIDATION = 800, 200
"""How many digits of the sample's training part a page learns from, and measures with."""

LEVELS = (0, 133, 246)
"""The three grey levels of a page's pixels, of 255; a pixel takes the nearest."""

EVERY = 400
"""After how many images loss and accuracy are measured."""


@dataclass(frozen=True)
class Settings:
    """What can be changed while a network learns; the values with which a page begins.

    Attributes
    ----------
    rate : float
        The learning rate.
    momentum : float
        As in `torch.optim.SGD`.
    batch : int
        Images in a step.
    shift : int
        Each image is moved at random, by up to so many pixels down or up, and right or left.
    """

    rate: float = 0.01
    momentum: float = 0.9
    batch: int = 20
    shift: int = 0


class Point(NamedTuple):
    """What was measured at one moment.

    Attributes
    ----------
    seen : int
        Images learned from until then.
    loss : float or None
        The mean loss of those since the last measurement, each before its step.
    validation : float
        The mean loss of the validation digits.
    accuracy : float
        The share of them that is read correctly, from 0 to 1.
    """

    seen: int
    loss: float | None
    validation: float
    accuracy: float


class Random:
    """Uniform numbers in [0, 1) from a seed: Tommy Ettinger's mulberry32, which is public domain.

    Parameters
    ----------
    seed : int
        From 0 to 2³² − 1.
    """

    def __init__(self, seed: int) -> None:
        self._state = seed

    def draw(self, count: int) -> npt.NDArray[np.float64]:
        """The next numbers."""
        step = 0x6D2B79F5
        states = (self._state + step * np.arange(1, count + 1, dtype=np.uint64)).astype(np.uint32)
        self._state = (self._state + step * count) % 2**32
        t = (states ^ states >> 15) * (states | 1)
        t = t + (t ^ t >> 7) * (t | 61) ^ t
        return (t ^ t >> 14) / 2**32

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` − 1."""
        return int(self.draw(1)[0] * count)


def quantise(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Pixels from 0 to 255 as levels: 0, 1 or 2, places in `LEVELS`."""
    between = [(a + b) / 2 for a, b in itertools.pairwise(LEVELS)]
    return np.digitize(images, between).astype(np.uint8)


def sample_digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The digits of a page: levels (1000, 28, 28) and labels; the last 200 are for validation.

    Each part is sorted by label, so that ten counts tell the labels of a part.
    """
    from helpers.data import load_mnist

    data = load_mnist(train=True, source="sample")
    images, labels = data.images.numpy(), data.targets.numpy()
    first = np.argsort(labels[:TRAINING], kind="stable")
    second = np.argsort(labels[TRAINING : TRAINING + VALIDATION], kind="stable") + TRAINING
    order = np.concatenate([first, second])
    return quantise(images[order]), labels[order].astype(np.uint8)


def as_input(levels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """What a network gets: the levels' pixels, normalised, float64."""
    return (np.array(LEVELS)[levels] / 255 - MEAN) / STD


def new_weights(random: Random) -> list[npt.NDArray[np.float64]]:
    """Weights to begin with, by PyTorch's rule: within ±1/√n, where n numbers go into a unit.

    Returns
    -------
    list of ndarray
        Float64, with the shapes of `PARAMETERS`.
    """
    weights, bound = [], 0.0
    for _, shape in PARAMETERS:
        size = int(np.prod(shape))
        if len(shape) > 1:
            bound = (size // shape[0]) ** -0.5
        weights.append(((2 * random.draw(size) - 1) * bound).reshape(shape))
    return weights


def shifted(images: torch.Tensor, most: int, random: Random) -> torch.Tensor:
    """Each image moved by up to `most` pixels down or up, and right or left; (N, 1, H, W)."""
    import torch

    if not most:
        return images
    padded = torch.nn.functional.pad(images, [most] * 4, value=-MEAN / STD)
    moved, (rows, columns) = [], images.shape[2:]
    for image in padded:
        down, right = (random.below(2 * most + 1) for _ in range(2))
        top, left = 2 * most - down, 2 * most - right
        moved.append(image[:, top : top + rows, left : left + columns])
    return torch.stack(moved)


def scores(weights: list[torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """The scores of the network of lesson 05, without its dropout, for each digit.

    Parameters
    ----------
    weights : list of Tensor
        With the shapes of `PARAMETERS`.
    images : Tensor, (N, 1, 28, 28)
        Normalised.

    Returns
    -------
    Tensor, (N, 10)
    """
    import torch.nn.functional as F

    w1, b1, w2, b2, w3, b3, w4, b4 = weights
    x = F.max_pool2d(F.conv2d(images, w1, b1), 2).relu()
    x = F.max_pool2d(F.conv2d(x, w2, b2), 2).relu()
    return F.linear(F.linear(x.flatten(1), w3, b3).relu(), w4, b4)


def run(
    seed: int = 1, epochs: int = 10, settings: Settings | None = None
) -> tuple[list[npt.NDArray[np.float64]], list[Point]]:
    """The run of a page, by torch.

    Parameters
    ----------
    seed : int
        From 0 to 2³² − 1.
    epochs : int
        How often the training digits are gone through.
    settings : Settings, optional
        They stay as they are for the whole run.

    Returns
    -------
    weights : list of ndarray
        At the end; float64, with the shapes of `PARAMETERS`.
    points : list of Point
        What was measured, at the start and then every `EVERY` images.
    """
    import torch
    import torch.nn.functional as F

    settings = settings or Settings()
    levels, digits = sample_digits()
    images = torch.from_numpy(as_input(levels))[:, None]
    labels = torch.from_numpy(digits.astype(np.int64))
    random = Random(seed)
    weights = [torch.from_numpy(w).requires_grad_() for w in new_weights(random)]
    optimizer = torch.optim.SGD(weights, lr=settings.rate, momentum=settings.momentum)
    points: list[Point] = []
    losses: list[float] = []
    seen = 0

    def measure():
        with torch.no_grad():
            answers = scores(weights, images[TRAINING:])
        expected = labels[TRAINING:]
        loss = sum(losses) / (seen - points[-1].seen) if points else None
        right = (answers.argmax(dim=1) == expected).double().mean().item()
        points.append(Point(seen, loss, F.cross_entropy(answers, expected).item(), right))
        losses.clear()

    measure()
    for _ in range(epochs):
        order = np.arange(TRAINING)
        for k in range(TRAINING - 1, 0, -1):
            other = random.below(k + 1)
            order[k], order[other] = order[other], order[k]
        for chosen in torch.from_numpy(order).split(settings.batch):
            optimizer.zero_grad()
            batch = shifted(images[chosen], settings.shift, random)
            loss = F.cross_entropy(scores(weights, batch), labels[chosen])
            loss.backward()
            optimizer.step()
            losses.append(loss.item() * len(chosen))
            seen += len(chosen)
            if seen // EVERY > (seen - len(chosen)) // EVERY:
                measure()
    return [w.detach().numpy() for w in weights], points


def read_file() -> dict:
    """What comes with the course: packed digits, how many of each, and the points of a run."""
    return json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
