"""Sentences of the lessons and pages that a program can decide: which words must stand there.

A claim has a pattern, whose groups catch the words that decide ("on" or "off", a default, a
direction), and a program that works out what is true and gives these words. So the sentence may be
reworded around them, and is refused when it says the opposite, or when a library changes.
"""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
import torchvision

from helpers.plots import SIGNED
from tests.support.lessons import LESSONS, ROOT, need, number_of, read

COUNTED = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
SHARES = {
    1 / 10: "a tenth",
    1 / 5: "one fifth",
    1 / 4: "a quarter",
    1 / 3: "a third",
    1 / 2: "half",
    2 / 3: "two thirds",
    3 / 4: "three quarters",
    4 / 5: "four fifths",
}


@dataclass(frozen=True)
class Claim:
    """`where` is a lesson and a cell, "03 pool-usual", or a page; `wrong` are words that lie."""

    where: str
    pattern: str
    wrong: str | tuple[str, ...]
    truth: Callable[[], object]

    def __str__(self):
        return f"{self.where}, not {' '.join(words(self.wrong))[:40]}"

    def text(self):
        place, _, cell_id = self.where.partition(" ")
        return plain(
            lesson(place)[cell_id].source if cell_id else (ROOT / place).read_text("utf-8")
        )

    @functools.cached_property
    def must(self):
        """The words that must stand there."""
        return words(self.truth())

    def told(self, text):
        """What is wrong with the sentence in this text, or nothing."""
        found = re.findall(self.pattern, text)
        if len(found) != 1:
            return f"{self.where}: {len(found)} sentences like /{self.pattern}/, not one"
        says = found[0] if isinstance(found[0], tuple) else found
        must = self.must
        if tuple(says) != must:
            return f"{self.where}: it says {list(says)}, true is {list(must)}: /{self.pattern}/"
        return ""

    def turned(self, text):
        """The text with the wrong words in place of those that decide."""
        (found,) = re.finditer(self.pattern, text)
        wrong = words(self.wrong)
        assert len(wrong) == found.re.groups
        for group in range(len(wrong), 0, -1):
            start, end = found.span(group)
            text = text[:start] + wrong[group - 1] + text[end:]
        return text


def words(answer):
    return tuple(map(str, answer if isinstance(answer, tuple | list) else (answer,)))


def plain(markdown):
    """Without the signs for bold and italic, and on one line."""
    return " ".join(markdown.replace("*", "").split())


@functools.cache
def lesson(number):
    """The cells of a lesson by id."""
    need(f"notebooks/{number}-")
    (path,) = [path for path in LESSONS if number_of(path) == number]
    return {cell.id: cell for cell in read(path).cells}


def printed(where, pattern=r"([-+]?\d[\d,.]*(?:e-?\d+)?)"):
    """The numbers that a cell has printed, as saved: those that the pattern's groups catch."""
    number, _, cell_id = where.partition(" ")
    text = "".join(output.get("text", "") for output in lesson(number)[cell_id].outputs)
    found = re.findall(pattern, text)
    assert found, f"{where} has not printed /{pattern}/"
    numbers = [
        tuple(float(one.replace(",", "")) for one in (row if isinstance(row, tuple) else (row,)))
        for row in found
    ]
    return [row[0] for row in numbers] if len(numbers[0]) == 1 else numbers


def share(number):
    """The words of the fraction that is nearest to this number."""
    return SHARES[min(SHARES, key=lambda one: abs(one - number))]


def counted(number):
    """The word of the whole number that is nearest."""
    return COUNTED[round(number)]


def default(function, name):
    return inspect.signature(function).parameters[name].default


def tensor(array):
    return torch.tensor(np.array(array, dtype=np.float64))


def slid(x, w, **options):
    """PyTorch's convolution of an image and a filter with two axes."""
    return F.conv2d(tensor(x)[None, None], tensor(w)[None, None], **options)[0, 0]


def places_of_torch(size, kernel, **options):
    return F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), **options).shape[-1]


def compared(one, other, words=("fewer", "as many", "more")):
    return words[1 + int(one > other) - int(one < other)]


@functools.cache
def alexnet_of_torchvision():
    with torch.device("meta"):
        return torchvision.models.alexnet(weights=None)


def slope(function, x):
    x = torch.tensor(float(x), requires_grad=True)
    function(x).backward()
    return x.grad.item()


def colour(number):
    """The colour of a number from −1 to 1 in the pictures of filters: its redder end is orange."""
    red, _, blue, _ = matplotlib.colormaps[SIGNED]((number + 1) / 2)
    return "orange" if red > blue else "purple"
