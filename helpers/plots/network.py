"""A network drawn to scale, with what each layer holds and computes."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from helpers.language import gettext
from helpers.plots.canvas import BLUE, GREY, ORANGE, WIDTH, pyplot
from helpers.shapes import count_parameters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_WEIGHTED = (*_CONVOLUTIONS, *_TRANSPOSED, nn.Linear)
#: In inches: the tallest map or longest vector, the widest stack of maps, a column of the drawing.
_TALLEST, _WIDEST, _COLUMN, _VECTOR = 1.7, 0.6, 0.86, 0.09
#: In inches: what is free between two towers.
_GAP = 0.12
_MOST_BOXES, _MOST_TOWERS = 24, 4
#: A depth of one pixel goes so far to the right and up, in heights of a pixel.
_SLANT = 0.28


@dataclass
class _Box:
    """What one layer makes of one image: its output, and what that takes."""

    name: str
    shape: tuple[int, ...]
    parameters: int = 0
    multiply_adds: int = 0
    groups: int = 1
    sources: tuple[int, ...] = ()
    towers: int = 1
    added: list[int] = field(default_factory=list)


def network(model: nn.Module, input_shape: Sequence[int]) -> tuple[Figure, Axes]:
    """A network as a row of boxes, to scale, with its numbers written below.

    A box is what a layer makes of one image. Its height and its depth are those of the maps, and
    its width is their number; what has no height and width is a flat bar as long as there are
    numbers. Layers that keep the size (ReLU, dropout, normalisation, flatten) have no box of
    their own: their parameters count for the box before. Maps that are made or used in two to
    four groups are drawn as so many towers. An arc is an addition: the end of the arc is what it
    is added to. "conv 3 / 2" is a convolution with kernels of 3 × 3 and stride 2.

    Parameters
    ----------
    model : torch.nn.Module
        From (1, \\*input_shape) to maps (1, C, H, W) or numbers (1, N). It is only asked for its
        shapes, on a copy without numbers, so it may be of any size; it is not changed.
    input_shape : tuple of int
        Shape of one image: (C, H, W), or (N,).

    Returns
    -------
    fig, ax
        A box has the gid "box 0" (the input), "box 1" and so on; a second tower has the same.
        An arc has the gid "added 1 to 3".

    Raises
    ------
    ValueError
        If the input has another form, a layer makes something else than maps or numbers, or there
        are more than 24 boxes.
    """
    boxes = _trace(model, input_shape)
    plt = pyplot()
    fig, ax = plt.subplots(figsize=(max(WIDTH, _COLUMN * (len(boxes) + 0.75)), 3.9))
    fig.subplots_adjust(0.005, 0.01, 0.995, 0.99)
    scale = _Scale(boxes)
    for number, box in enumerate(boxes):
        _draw_connections(ax, scale, boxes, number)
        for low in scale.bottoms(box):
            _draw_box(ax, scale, number, box, low)
    for number, box in enumerate(boxes):
        for source in box.added:
            _draw_addition(ax, scale, boxes, source, number)
    _write_table(ax, boxes)
    work = sum(box.multiply_adds for box in boxes)
    ax.text(
        -1.1 * _COLUMN,
        1.62,
        f"{count_parameters(model):,} parameters, {work:,} multiply-adds for one image",
        fontsize=11,
    )
    ax.set(
        xlim=(-1.15 * _COLUMN, (len(boxes) - 0.4) * _COLUMN),
        ylim=(-2.0, 1.85),
        aspect="equal",
    )
    ax.axis("off")
    return fig, ax


class _Tracer(TorchFunctionMode):
    """Follows one image through a model: the boxes, and from which boxes each tensor comes."""

    def __init__(self, model: nn.Module, image: torch.Tensor) -> None:
        self.boxes = [_Box("input", tuple(image.shape[1:]))]
        self.inside = 0  # how many layers without parts of their own are running
        self.counted: set[nn.Module] = set()
        self.kept = [image]  # as long as they are kept, no two tensors have the same id
        self.origins = {id(image): (0,)}
        for name, layer in model.named_modules():
            if not next(layer.children(), None):
                layer.register_forward_pre_hook(self._enter)
                layer.register_forward_hook(
                    lambda layer, inputs, output, name=name: self._leave(
                        name, layer, inputs[0], output
                    )
                )

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = [value for value in _tensors(args) if id(value) in self.origins]
        origin = self._merge(func.__name__, given) if given else ()
        out = func(*args, **(kwargs or {}))
        # What x.add_(y) gives back is x: known already, but with other origins from now on.
        for value in _tensors((out,)) if given else ():
            self._keep(value, origin)
        if given and not self.inside and isinstance(out, torch.Tensor):
            self._function(func.__name__.strip("_"), given[0], out)
        return out

    def _merge(self, name, given):
        origins = [self.origins[id(value)] for value in given]
        if "add" in name and len(origins) == 2 and origins[0] != origins[1]:
            first, last = sorted(max(origin) for origin in origins)
            self.boxes[last].added.append(first)
            return (last,)
        return tuple(sorted(set().union(*origins)))

    def _function(self, name, given, out):
        """A layer that is written as a function, such as F.max_pool2d(x, 2) or x.mean((2, 3))."""
        if out.numel() != given.numel() and ("pool" in name or name in ("mean", "interpolate")):
            self._add_box(_Box(name, tuple(out.shape[1:])), given, out)

    def _enter(self, layer, inputs):
        self.inside += 1

    def _leave(self, name, layer, given, out):
        self.inside -= 1
        own = 0 if layer in self.counted else count_parameters(layer)
        self.counted.add(layer)
        if isinstance(layer, _WEIGHTED) or out.numel() != given.numel():
            word = name.rpartition(".")[2]
            self._add_box(
                _Box(
                    _kind(layer) if word.isdecimal() or not word else word,
                    tuple(out.shape[1:]),
                    own,
                    _multiply_adds(layer, given, out),
                    getattr(layer, "groups", 1),
                ),
                given,
                out,
            )
        else:
            origin = self.origins.get(id(given), (len(self.boxes) - 1,))
            self.boxes[origin[-1]].parameters += own
            self._keep(out, origin)

    def _add_box(self, box, given, out):
        box.sources = self.origins.get(id(given), (len(self.boxes) - 1,))
        self.boxes.append(box)
        self._keep(out, (len(self.boxes) - 1,))

    def _keep(self, value, origin):
        self.kept.append(value)
        self.origins[id(value)] = origin


def _tensors(values):
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _trace(model, input_shape):
    shape = tuple(input_shape)
    if len(shape) not in (1, 3) or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ValueError(
            gettext("input_shape={shape!r}: give (C, H, W), or (N,)").format(shape=input_shape)
        )
    twin = copy.deepcopy(model).to("meta").eval()
    image = torch.empty((1, *shape), device="meta")
    tracer = _Tracer(twin, image)
    with torch.no_grad(), tracer:
        twin(image)
    boxes = tracer.boxes
    for box in boxes:
        if len(box.shape) not in (1, 3):
            raise ValueError(
                gettext(
                    "{name} makes the shape {shape}: only maps (C, H, W) and numbers (N,) "
                    "can be drawn"
                ).format(name=box.name, shape=box.shape)
            )
    if len(boxes) > _MOST_BOXES:
        raise ValueError(
            gettext(
                "there are {count} boxes: at most {most} can be drawn side by side, give a "
                "part of the network"
            ).format(count=len(boxes), most=_MOST_BOXES)
        )
    _split_into_towers(boxes)
    return boxes


def _split_into_towers(boxes):
    """Maps stand in towers if they are made in groups, or if the next convolution uses groups."""
    for box in boxes[1:]:
        wanted = box.groups if 2 <= box.groups <= _MOST_TOWERS else 1
        box.towers = max(box.towers, wanted)
        for source in box.sources:
            _split_back(boxes, source, wanted)
        if not box.multiply_adds and len(box.shape) == 3:  # pooling keeps the towers
            box.towers = max(box.towers, *(boxes[source].towers for source in box.sources))


def _split_back(boxes, number, towers):
    box = boxes[number]
    if number and towers > box.towers:
        box.towers = towers
        if not box.multiply_adds:
            for source in box.sources:
                _split_back(boxes, source, towers)


def _multiply_adds(layer, given, out):
    """Each weight, times the places where it is used."""
    if isinstance(layer, _CONVOLUTIONS):
        return layer.weight.numel() * math.prod(out.shape[2:])
    if isinstance(layer, _TRANSPOSED):
        return layer.weight.numel() * math.prod(given.shape[2:])
    if isinstance(layer, nn.Linear):
        return layer.weight.numel() * math.prod(out.shape[1:-1])
    return 0


def _kind(layer):
    """A layer without a name of its own, in few words: conv 3 × 3 / 2."""
    name = type(layer).__name__
    words = {"Linear": "linear", "Upsample": "upsample"}.get(name, name)
    for part, word in (
        ("ConvTranspose", "transposed"),
        ("Conv", "conv"),
        ("MaxPool", "max pool"),
        ("AvgPool", "mean"),
    ):
        if part in name:
            words = word
            break
    if "Adaptive" in name or not hasattr(layer, "kernel_size"):
        return words
    kernel, stride = (
        value if isinstance(value, int) else value[0] for value in (layer.kernel_size, layer.stride)
    )
    return f"{words} {kernel}" + (f" / {stride}" if stride != 1 else "")


def _tall(box):
    """The height of a map with its slanted depth, in pixels."""
    _, height, width = box.shape
    return height + _SLANT * width


class _Scale:
    """From pixels, maps and numbers to inches."""

    def __init__(self, boxes: list[_Box]) -> None:
        maps = [box.shape for box in boxes if len(box.shape) == 3]
        numbers = [box.shape[0] for box in boxes if len(box.shape) == 1]
        # The slanted depth needs room, too.
        tall: dict[tuple[int, ...], float] = {
            box.shape: _tall(box) for box in boxes if len(box.shape) == 3
        }
        self.pixel = _TALLEST / max(tall.values(), default=1)
        self.map = _WIDEST / max((count for count, _, _ in maps), default=1)
        self.number = _TALLEST / max(numbers, default=1)
        # Towers stand so far apart that the tallest of them do not touch, and all fit in.
        most = max(box.towers for box in boxes)
        split = max((tall[box.shape] for box in boxes if box.towers > 1), default=0)
        if split:
            self.pixel = min(self.pixel, (_TALLEST - (most - 1) * _GAP) / (most * split))
        self.step = split * self.pixel + _GAP

    def size(self, box):
        """(width, height, how far the depth goes right and up)."""
        if len(box.shape) == 1:
            return _VECTOR, box.shape[0] * self.number, 0.0
        count, height, width = box.shape
        return count / box.towers * self.map, height * self.pixel, width * self.pixel * _SLANT

    def bottoms(self, box):
        """Where each tower of the box stands; all are centred on the height 0.25."""
        _, height, slant = self.size(box)
        return [
            0.25 - (height + slant) / 2 + (i - (box.towers - 1) / 2) * self.step
            for i in range(box.towers)
        ]

    def left(self, number, box):
        width, _, slant = self.size(box)
        return number * _COLUMN - (width + slant) / 2


def _draw_box(ax, scale, number, box, low):
    from matplotlib.patches import Polygon, Rectangle

    width, height, slant = scale.size(box)
    left, right, top = scale.left(number, box), scale.left(number, box) + width, low + height
    colour = GREY if not number else BLUE if box.multiply_adds else "#7fb8d8"
    edge: dict[str, Any] = {"edgecolor": "black", "linewidth": 0.6, "zorder": 3}
    roof = [(left, top), (right, top), (right + slant, top + slant), (left + slant, top + slant)]
    side = [(right, low), (right + slant, low + slant), (right + slant, top + slant), (right, top)]
    if slant:
        ax.add_patch(Polygon(roof, facecolor="white", **edge))
        ax.add_patch(Polygon(side, facecolor="#dddddd", **edge))
    ax.add_patch(
        Rectangle((left, low), width, height, facecolor=colour, gid=f"box {number}", **edge)
    )


def _draw_connections(ax, scale, boxes, number):
    """A line from each tower to each one that it leads to."""
    box = boxes[number]
    for source in box.sources:
        before = boxes[source]
        apart = before.towers == box.towers and (box.groups > 1 or not box.multiply_adds)
        for i, start in enumerate(scale.bottoms(before)):
            for j, end in enumerate(scale.bottoms(box)):
                if not apart or i == j:
                    ax.plot(
                        [_middle(scale, source, before)[0], _middle(scale, number, box)[0]],
                        [
                            start + _middle(scale, source, before)[1],
                            end + _middle(scale, number, box)[1],
                        ],
                        color=GREY,
                        linewidth=0.7,
                        zorder=1,
                        gid=f"line {source} to {number}",
                    )


def _middle(scale, number, box):
    """x of a box's middle, and how far above its bottom the middle is."""
    width, height, slant = scale.size(box)
    return scale.left(number, box) + (width + slant) / 2, (height + slant) / 2


def _draw_addition(ax, scale, boxes, source, number):
    from matplotlib.patches import FancyArrowPatch

    ends = []
    for place in (source, number):
        box = boxes[place]
        _, height, slant = scale.size(box)
        ends.append((_middle(scale, place, box)[0], scale.bottoms(box)[-1] + height + slant + 0.03))
    ax.add_patch(
        FancyArrowPatch(
            *ends,
            connectionstyle="arc3,rad=-0.45",
            arrowstyle="-|>",
            mutation_scale=9,
            color=ORANGE,
            linewidth=1.5,
            zorder=4,
            gid=f"added {source} to {number}",
        )
    )
    middle = (ends[0][0] + ends[1][0]) / 2
    top = max(ends[0][1], ends[1][1]) + 0.23 * abs(ends[1][0] - ends[0][0])
    ax.text(middle, top + 0.03, "+", color=ORANGE, fontsize=13, ha="center", va="bottom")


def _write_table(ax, boxes):
    rows = ("layer", "shape", "parameters", "multiply-adds", "groups")
    several = any(box.groups > 1 for box in boxes)
    for row, word in enumerate(rows if several else rows[:-1]):
        height = -0.95 - 0.2 * row
        ax.text(-1.1 * _COLUMN, height, word, fontsize=7.5, color=GREY, va="center")
        for number, box in enumerate(boxes):
            text = (
                box.name,
                " × ".join(map(str, box.shape)),
                f"{box.parameters:,}" if box.parameters else "",
                f"{box.multiply_adds:,}" if box.multiply_adds else "",
                str(box.groups) if box.groups > 1 else "",
            )[row]
            ax.text(
                number * _COLUMN,
                height,
                text,
                fontsize=7.5,
                ha="center",
                va="center",
                fontweight="bold" if not row else "normal",
            )
