"""Look between the layers of a network, without its weights.

A test builds the network on the device ``meta``, where tensors have shapes but no numbers, lets
each convolution and each fully connected layer hand on numbers of its choice, and looks at what
arrives at the next one::

    after, scores = between(build(AlexNet), maps=[-1, 3])
    after["conv1"]  # (96, 27, 27): what became of the maps of conv1 on the way to conv2

The layers are `nn.Conv2d` and `nn.Linear`, wherever the network keeps them. They are called as in
AlexNet, in the order in which they run: conv1, conv2, …, and, however many convolutions there are,
fc6, fc7, … Each gets an input of the size that it is made for, so that a wrong size in one place
does not stop the network: `layer_sizes` says what really arrived.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

import torch
from torch import nn
from torch.nn.modules import module as every_module

IMAGE = (3, 227, 227)
Numbers = float | Sequence[float] | Callable[[torch.Tensor], object] | None
"""What a layer hands on, as `between` takes it."""


class Between(dict):
    """What arrives after each layer but the last: a dict from "conv1", …, "fc7" to a tensor."""

    @property
    def maps(self) -> list[torch.Tensor]:
        """What arrives after each convolution, in order."""
        return [x for name, x in self.items() if name.startswith("conv")]

    def __missing__(self, name: str) -> NoReturn:
        found = ", ".join(self) or "none"
        raise LookupError(f"Nothing comes after a layer {name}. The layers before others: {found}")


class _Step(NamedTuple):
    """One layer at work."""

    layer: nn.Module
    arrived: torch.Tensor
    takes: tuple  # the shape that it is made for, without the batch
    gives: tuple = ()  # the shape that comes out, without the batch


def build(network: Callable[..., object], **options: Any) -> nn.Module:
    """Make a network without weights, on the device ``meta``, in evaluation mode.

    Parameters
    ----------
    network : class or function
        ``network(**options)`` makes the network.

    Raises
    ------
    TypeError
        If that is no `nn.Module`.
    """
    with torch.device("meta"):
        model = network(**options)
    if not isinstance(model, nn.Module):
        raise TypeError(f"expected a network, an nn.Module, but got {type(model).__name__}")
    model.eval()
    return model


def between(model: nn.Module, maps: Numbers = None, rows: Numbers = None) -> tuple[Between, object]:
    """Run one image of 227 × 227 pixels; what arrives after each layer, and what comes out.

    Parameters
    ----------
    model : nn.Module
        As `build` makes it, in training or evaluation mode.
    maps : number, sequence of numbers, or callable, optional
        What each convolution hands on. A number: all its maps hold it everywhere. A sequence:
        its maps hold these numbers in turn, the first map the first one, again and again. A
        callable ``maps(zeros)`` writes into maps of zeros, of shape (1, filters, height, width).
        By default nobody looks at it, and it need not have numbers.
    rows : number, sequence of numbers, or callable, optional
        The same for what each fully connected layer hands on, of shape (1, neurons).

    Returns
    -------
    after : dict of str to torch.Tensor
        What arrives at the next layer: after "conv1" (filters, height, width), also if it was
        flattened on the way, after "fc6" (neurons,).
    result : object
        What the network returns.

    Raises
    ------
    LookupError
        If there are `maps` or `rows`, and no layer runs that could hand them on.
    Exception
        What the network itself raises, as it is.
    """
    steps, result = _run(model, IMAGE, maps, rows)
    for given, layer_class in ((maps, nn.Conv2d), (rows, nn.Linear)):
        if given is not None and not any(isinstance(step.layer, layer_class) for step in steps):
            raise LookupError(f"no nn.{layer_class.__name__} runs in this network")
    after, numbers = Between(), {"conv": 0, "fc": 5}
    for step, following in itertools.pairwise(steps):
        kind, arrived = "fc", following.arrived.flatten()
        if isinstance(step.layer, nn.Conv2d):
            kind, arrived = "conv", _as_maps(following.arrived, step.gives[0])
        numbers[kind] += 1
        after[f"{kind}{numbers[kind]}"] = arrived
    return after, result


def layers(model: nn.Module) -> list[nn.Module]:
    """The layers of a network, each as often as it runs, in the order in which they run.

    Returns
    -------
    list of nn.Module
    """
    return [step.layer for step in _run(model, IMAGE)[0]]


def layer_sizes(model: nn.Module, image: tuple[int, ...] = IMAGE) -> list[str]:
    """What goes into each layer and what comes out, in the order in which they run.

    Parameters
    ----------
    model : nn.Module
    image : tuple of int
        The shape of an image, (channels, height, width).

    Returns
    -------
    list of str
        For instance "3 × 227 × 227 → 96 × 55 × 55", or "6400 (it takes 9216) → 4096" if the layer
        is not made for what arrives.
    """
    found = []
    for step in _run(model, image)[0]:
        came = tuple(step.arrived.shape)
        came = came[1:] or came  # without the batch, unless that was flattened, too
        text = _words(came)
        if came != step.takes:
            text += f" (it takes {_words(step.takes)})"
        found.append(f"{text} → {_words(step.gives)}")
    return found


def _words(shape):
    return " × ".join(map(str, shape))


def _run(model, image, maps=None, rows=None):
    """The steps of a run with one image, and the result."""
    try:
        return _run_on("meta", model, image, maps, rows)
    except Exception:
        pass
    # What stands between the layers may need numbers even where no test looks at them.
    return _run_on("cpu", model, image, maps, rows)


def _run_on(device, model, image, maps, rows):
    steps = []

    def before(layer, inputs):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            if not inputs:
                raise TypeError("give a layer its input without a name: conv(x), not conv(input=x)")
            takes = _takes(layer, inputs[0])
            steps.append(_Step(layer, inputs[0], takes))
            return torch.empty(1, *takes, device=layer.weight.device)
        if hasattr(layer, "reset_parameters") and any(p.is_meta for p in layer.parameters()):
            # Another layer with weights, such as batch normalisation: it works on numbers.
            layer.to_empty(device="cpu").reset_parameters()
        return None

    def after(layer, inputs, output):
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            return None
        numbers = maps if isinstance(layer, nn.Conv2d) else rows
        steps[-1] = steps[-1]._replace(gives=tuple(output.shape[1:]))
        return _filled(output.shape, numbers, device)

    with (
        torch.no_grad(),
        every_module.register_module_forward_pre_hook(before),
        every_module.register_module_forward_hook(after),
    ):
        result = model(torch.zeros(1, *image, device=device))
    return steps, result


def _takes(layer, x):
    """The shape of an input that a layer is made for; a lazy layer takes what comes."""
    if isinstance(layer, nn.Conv2d):
        return (layer.in_channels or x.shape[1], *x.shape[2:])
    return (layer.in_features or x.shape[-1],)


def _filled(shape, numbers, device):
    """What a layer hands on: `maps` or `rows` of `between`, in this shape."""
    if numbers is None:
        return torch.zeros(shape, device=device)
    if callable(numbers):
        written = torch.zeros(shape)
        numbers(written)
        return written
    numbers = torch.as_tensor(numbers, dtype=torch.float32).flatten()
    in_turn = numbers[torch.arange(shape[1]) % len(numbers)]
    return in_turn.reshape(1, -1, *[1] * (len(shape) - 2)).expand(shape).clone()


def _as_maps(x, filters):
    """The maps of one image, (filters, height, width), also out of a flattened row of squares."""
    if x.ndim == 4 and x.shape[1] == filters:
        return x[0]
    places, rest = divmod(x.numel(), filters)
    side = math.isqrt(places)
    return x if rest or side**2 != places else x.reshape(filters, side, side)
