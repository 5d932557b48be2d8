"""A stack of layers as text, and what each of them costs and sees.

The text is a list with commas: "conv 10 k5, maxpool k2, relu, flatten, linear 10". The letters are
k for the kernel size, s for stride, p for padding, d for dilation and g for groups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from helpers.pieces._words import tr

if TYPE_CHECKING:
    from torch import nn

# Each kind of layer with its settings and their defaults; None where a number must be given, and
# for the stride of a pooling, which is its kernel size. A piece of JavaScript has the same table.
KINDS: Mapping[str, Mapping[str, int | None]] = MappingProxyType(
    {
        "conv": {"n": None, "k": 3, "s": 1, "p": 0, "d": 1, "g": 1, "nobias": 0},
        "maxpool": {"k": 2, "s": None, "p": 0},
        "avgpool": {"k": 2, "s": None, "p": 0},
        "globalpool": {},
        "residual": {"n": None, "s": 1},
        "relu": {},
        "batchnorm": {},
        "lrn": {},
        "dropout": {},
        "flatten": {},
        "linear": {"n": None},
    }
)
LARGEST = 10_000
BYTES = 4  # of a float32


class StackError(ValueError):
    """A stack that cannot be read, or whose layers do not fit each other; says what would."""


@dataclass(frozen=True)
class Layer:
    """A layer: its kind, one of `KINDS`, and its settings."""

    kind: str
    settings: Mapping[str, int]

    def __str__(self) -> str:
        parts = [self.kind]
        for name, default in KINDS[self.kind].items():
            value = self.settings[name]
            if name == "n":
                parts.append(str(value))
            elif name == "nobias":
                parts += ["nobias"] * value
            elif value != (self.settings["k"] if default is None else default):
                parts.append(f"{name}{value}")
        return " ".join(parts)


class Field(NamedTuple):
    """What the first unit of a map sees along one axis, in pixels of the picture.

    ``size`` pixels from ``start``; that of the next unit begins ``jump`` pixels further on.
    """

    size: int
    jump: int
    start: int


class Row(NamedTuple):
    """What a layer gives: `shape` (C, H, W) or (N,), and what it costs for one image.

    ``bytes``: those of its output, as float32. ``fields``: for rows and columns.
    """

    layer: Layer
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    bytes: int
    fields: tuple[Field, Field]


def read(text: str) -> list[Layer]:
    """The layers of a text.

    Parameters
    ----------
    text : str
        For instance "conv 10 k5, maxpool k2, relu, flatten, linear 10".

    Returns
    -------
    list of Layer

    Raises
    ------
    StackError
        If a part of it is no layer.

    >>> [str(layer) for layer in read("conv 8 k3 s1,maxpool k2 s2")]
    ['conv 8', 'maxpool']
    """
    layers = []
    for part in text.split(","):
        words, shown = part.split(), repr(part.strip())
        if not words:
            continue
        kind, given = words[0], dict[str, int]()
        if kind not in KINDS:
            raise StackError(tr("{0} is no layer; there are {1}.", repr(kind), ", ".join(KINDS)))
        for word in words[1:]:
            found = re.fullmatch(r"([kspdg]?)(\d{1,5})|(nobias)", word)
            name = str(found[3] or found[1] or "n") if found else ""
            if not found or name not in KINDS[kind] or name in given:
                raise StackError(tr("{0} says nothing in {1}.", repr(word), shown))
            given[name] = int(found[2]) if found[2] else 1
        settings = {}
        for name, default in KINDS[kind].items():
            value = given.get(name, default)
            if value is None and name == "n":
                raise StackError(tr("{0} does not say how many: for instance {1} 16.", shown, kind))
            settings[name] = given.get("k", 2) if value is None else value
            low = 0 if name in ("p", "nobias") else 1
            if not low <= settings[name] <= LARGEST:
                raise StackError(
                    tr("{0} of {1} must be from {2} to {3}.", name, shown, low, LARGEST)
                )
        layers.append(Layer(kind, MappingProxyType(settings)))
    return layers


def work_out(layers: Sequence[Layer], size: Sequence[int]) -> list[Row]:
    """What each layer gives and costs.

    Parameters
    ----------
    layers : sequence of Layer
    size : (C, H, W)
        Of the picture.

    Returns
    -------
    list of Row

    Raises
    ------
    StackError
        If a layer does not fit to what comes before it.
    """
    shape = tuple(size)
    fields = (Field(1, 1, 0), Field(1, 1, 0))
    rows = []
    for number, layer in enumerate(layers, 1):
        try:
            shape, parameters, work, fields = _step(layer, shape, fields)
        except StackError as error:
            raise StackError(tr("layer {0}, {1}: {2}", number, layer, error)) from None
        rows.append(Row(layer, shape, parameters, work, BYTES * prod(shape), fields))
    return rows


def _step(layer, shape, fields):
    """Shape, parameters, multiply-adds and fields after a layer."""
    kind, s = layer.kind, layer.settings
    if kind in ("relu", "dropout"):
        return shape, 0, 0, fields
    if kind == "linear":
        if len(shape) > 1:
            raise StackError(tr("it takes a flat list of numbers: put flatten before it."))
        return (s["n"],), s["n"] * (shape[0] + 1), s["n"] * shape[0], fields
    if kind == "batchnorm":
        return shape, 2 * shape[0], 0, fields
    if len(shape) == 1:
        raise StackError(tr("it takes maps, but there is a flat list of numbers before it."))
    channels, *sides = shape
    if kind == "lrn":
        return shape, 0, 0, fields
    if kind in ("flatten", "globalpool"):
        whole = tuple(
            Field(f.size + (n - 1) * f.jump, f.jump * (1 if kind == "flatten" else n), f.start)
            for f, n in zip(fields, sides, strict=True)
        )
        return ((prod(shape),) if kind == "flatten" else (channels, 1, 1)), 0, 0, whole
    if kind == "residual":
        out, fields = _slide(sides, fields, 3, s["s"], 1)
        out, fields = _slide(out, fields, 3, 1, 1)
        n, place = s["n"], prod(out)
        weights = 9 * n * (channels + n)
        norms = 4 * n
        if s["s"] != 1 or n != channels:  # the shortcut is a convolution of 1 × 1
            weights += n * channels
            norms += 2 * n
        return (n, *out), weights + norms, weights * place, fields
    out, fields = _slide(sides, fields, s["k"], s["s"], s["p"], s.get("d", 1))
    if kind != "conv":
        if 2 * s["p"] > s["k"]:
            raise StackError(tr("padding is at most half of the kernel: {0}.", s["k"] // 2))
        return (channels, *out), 0, 0, fields
    n, groups = s["n"], s["g"]
    if channels % groups or n % groups:
        fits = [g for g in range(1, min(channels, n) + 1) if channels % g == n % g == 0]
        listed = ", ".join(map(str, fits))
        raise StackError(
            tr(
                "{0} groups do not divide {1} channels and {2} filters; these do: {3}.",
                groups,
                channels,
                n,
                listed,
            )
        )
    weights = n * (channels // groups) * s["k"] ** 2
    return (n, *out), weights + n * (not s["nobias"]), weights * prod(out), fields


def _slide(sides, fields, k, s, p, d=1):
    """Sizes and fields after a window has slid over the maps."""
    span = d * (k - 1) + 1
    for side in sides:
        if side + 2 * p < span:
            raise StackError(
                tr(
                    "its window spans {0}, but the map with its padding has only {1}: a padding of "
                    "{2} would do, or a smaller kernel.",
                    span,
                    side + 2 * p,
                    -((side - span) // 2),
                )
            )
    return tuple((side + 2 * p - span) // s + 1 for side in sides), tuple(
        Field(f.size + (span - 1) * f.jump, f.jump * s, f.start - p * f.jump) for f in fields
    )


def as_module(layers: Sequence[Layer], size: Sequence[int]) -> nn.Sequential:
    """The stack as a network of PyTorch, with new weights.

    Parameters
    ----------
    layers : sequence of Layer
    size : (C, H, W)
        Of the picture.

    Returns
    -------
    torch.nn.Sequential
        Takes (N, C, H, W).

    Raises
    ------
    StackError
        As `work_out`.
    """
    from torch import nn
    from torchvision.models.resnet import BasicBlock

    modules: list[nn.Module] = []
    shape = tuple(size)
    plain: dict[str, Callable[[], nn.Module]] = {
        "globalpool": lambda: nn.AdaptiveAvgPool2d(1),
        "relu": nn.ReLU,
        "lrn": lambda: nn.LocalResponseNorm(5),
        "dropout": nn.Dropout,
        "flatten": nn.Flatten,
    }
    made: nn.Module
    for row in work_out(layers, size):
        s, channels = row.layer.settings, shape[0]
        if row.layer.kind == "conv":
            made = nn.Conv2d(
                channels, s["n"], s["k"], s["s"], s["p"], s["d"], s["g"], not s["nobias"]
            )
        elif row.layer.kind in ("maxpool", "avgpool"):
            pool = nn.MaxPool2d if row.layer.kind == "maxpool" else nn.AvgPool2d
            made = pool(s["k"], s["s"], s["p"])
        elif row.layer.kind == "residual":
            shortcut = None
            if s["s"] != 1 or s["n"] != channels:
                project = nn.Conv2d(channels, s["n"], 1, s["s"], bias=False)
                shortcut = nn.Sequential(project, nn.BatchNorm2d(s["n"]))
            made = BasicBlock(channels, s["n"], s["s"], shortcut)
        elif row.layer.kind == "batchnorm":
            made = (nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d)(channels)
        elif row.layer.kind == "linear":
            made = nn.Linear(channels, s["n"])
        else:
            made = plain[row.layer.kind]()
        modules.append(made)
        shape = row.shape
    return nn.Sequential(*modules)
