"""Look between the layers of a network, without using its weights.

A test builds the network with weights that nobody has filled, which costs no time and, as long as
nobody reads them, no memory. It lets each convolution and each fully connected layer hand on
numbers of its choice, and looks at what arrives at the next one::

    after, scores = between(build(AlexNet), maps=[-1, 3])
    after["conv1"]  # (96, 27, 27): what became of the maps of conv1 on the way to conv2

The layers are `nn.Conv2d` and `nn.Linear`, wherever the network keeps them. They are called as in
AlexNet, in the order in which they run: conv1, conv2, …, and, however many convolutions there are,
fc6, fc7, … Each gets an input of the size that it is made for, so that a wrong size in one place
does not stop the network: `layer_sizes` says what really arrived.

Whether a network works at all is asked with ordinary numbers: `fill` gives it weights, `record`
notes what each layer receives and what it makes of that, and `are_computed` tests that the layers
computed just this.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn, cast
from unittest import mock

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as every_module

from helpers.language import gettext

IMAGE = (3, 227, 227)
CHECKED = 16  # filters or neurons of a layer that `are_computed` computes again
LARGE = 2_000_000  # weights of a layer, from which on `fill` fills only these: it saves time
Numbers = float | Sequence[float] | Callable[[torch.Tensor], object] | None
"""What a layer hands on, as `between` takes it."""


class Between(dict):
    """What arrives after each layer but the last: a dict from "conv1", …, "fc7" to a tensor."""

    @property
    def maps(self) -> list[torch.Tensor]:
        """What arrives after each convolution, in order."""
        return [x for name, x in self.items() if name.startswith("conv")]

    def __missing__(self, name: str) -> NoReturn:
        raise LookupError(
            gettext("Nothing comes after a layer {name}. The layers before others: {found}").format(
                name=name, found=", ".join(self) or gettext("none")
            )
        )


class _Step(NamedTuple):
    """One layer at work."""

    layer: nn.Module
    arrived: torch.Tensor
    takes: tuple  # the shape that it is made for, without the batch
    gives: tuple = ()  # the shape that comes out, without the batch


def build(network: Callable[..., object], **options: Any) -> nn.Module:
    """Make a network in evaluation mode, with weights that hold no particular numbers.

    They are made on the device ``meta``, which fills nothing, and then are ordinary ones, so that
    the network cannot tell by them that it is tested.

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
        raise TypeError(
            gettext("expected a network, an nn.Module, but got {type}").format(
                type=type(model).__name__
            )
        )
    model.eval()
    if any(isinstance(p, nn.UninitializedParameter) for p in model.parameters()):
        with contextlib.suppress(Exception):  # what is wrong in it is for those who look between
            _run(model, IMAGE)
    for layer in model.modules():
        is_known = not any(isinstance(p, nn.UninitializedParameter) for p in layer.parameters())
        if isinstance(layer, nn.Conv2d | nn.Linear) and is_known:
            layer.to_empty(device="cpu", recurse=False)
    return model


def between(
    model: nn.Module, maps: Numbers = None, rows: Numbers = None, images: int = 1
) -> tuple[Between, object]:
    """Run images of 227 × 227 pixels; what arrives after each layer, and what comes out.

    Parameters
    ----------
    model : nn.Module
        As `build` makes it, in training or evaluation mode.
    maps : number, sequence of numbers, or callable, optional
        What each convolution hands on. A number: all its maps hold it everywhere. A sequence:
        its maps hold these numbers in turn, the first map the first one, again and again. A
        callable ``maps(zeros)`` writes into maps of zeros, (images, filters, height, width).
        By default nobody looks at it, and it need not have numbers.
    rows : number, sequence of numbers, or callable, optional
        The same for what each fully connected layer hands on, of shape (images, neurons).
    images : int
        How many.

    Returns
    -------
    after : dict of str to torch.Tensor
        What arrives at the next layer: after "conv1" (filters, height, width), also if it was
        flattened on the way, after "fc6" (neurons,). For several images it is what arrives,
        (images, numbers of each).
    result : object
        What the network returns.

    Raises
    ------
    LookupError
        If there are `maps` or `rows`, and no layer runs that could hand them on.
    Exception
        What the network itself raises, as it is.
    """
    steps, result = _run(model, IMAGE, maps, rows, images)
    for given, layer_class in ((maps, nn.Conv2d), (rows, nn.Linear)):
        if given is not None and not any(isinstance(step.layer, layer_class) for step in steps):
            raise LookupError(
                gettext("no nn.{layer} runs in this network").format(layer=layer_class.__name__)
            )
    after, numbers = Between(), {"conv": 0, "fc": 5}
    for step, following in itertools.pairwise(steps):
        kind = "conv" if isinstance(step.layer, nn.Conv2d) else "fc"
        arrived = following.arrived.reshape(images, -1) if images > 1 else following.arrived
        if images == 1:
            arrived = _as_maps(arrived, step.gives[0]) if kind == "conv" else arrived.flatten()
        numbers[kind] += 1
        after[f"{kind}{numbers[kind]}"] = arrived
    return after, result


def layers(model: nn.Module, image: tuple[int, ...] = IMAGE) -> list[nn.Module]:
    """The layers of a network, each as often as it runs, in the order in which they run.

    Parameters
    ----------
    model : nn.Module
    image : tuple of int
        The shape of an image, (channels, height, width).

    Returns
    -------
    list of nn.Module
    """
    return [step.layer for step in _run(model, image)[0]]


def fill(model: nn.Module, numbers: torch.Tensor, image: tuple[int, ...] = IMAGE) -> nn.Module:
    """Give all layers weights and biases: the numbers, again and again.

    The weights are divided by the square root of how many meet in one sum, so that what comes out
    is about as large as what goes in. Those of a very large layer are 0 after its first neurons.

    Parameters
    ----------
    model : nn.Module
    numbers : torch.Tensor
        Of shape (n,), best with a prime n: then no two filters or neurons are alike.
    image : tuple of int
        The shape of an image, (channels, height, width).

    Returns
    -------
    nn.Module
        The same one.
    """
    for layer in layers(model, image):
        shape = tuple(cast(torch.Tensor, layer.weight).shape)
        filled = shape[0] if math.prod(shape) < LARGE else min(CHECKED, shape[0])
        # NumPy's zeros are made when they are read, those of PyTorch at once.
        layer.weight.data = torch.from_numpy(np.zeros(shape, np.float32))
        layer.weight.data[:filled] = _weights(numbers, (filled, *shape[1:]))
        bias = cast(torch.Tensor | None, layer.bias)
        if bias is not None:
            bias.data = _in_turn(numbers, len(bias))
    return model


def record(model: nn.Module, images: torch.Tensor) -> list[dict[str, Any]]:
    """Run images; what each layer receives and what it makes of it, in the order of the layers.

    Parameters
    ----------
    model : nn.Module
    images : torch.Tensor
        Of shape (images, channels, height, width).

    Returns
    -------
    list of dict
        For each layer "given" and "made", tensors of what goes in and comes out; the shape of its
        "weight"; whether it has a "bias"; and the "stride" and the "padding" of a convolution.
        A layer that is not made for what arrives gets numbers from -1 to 1 in their place.

    Raises
    ------
    Exception
        What the network itself raises, as it is.
    """
    steps: list[dict[str, Any]] = []

    def before(layer, inputs):
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            return None
        given, takes = inputs[0], _takes(layer, inputs[0])
        if tuple(given.shape[-len(takes) :]) != takes:
            size = (len(images), *takes)
            given = torch.linspace(-1, 1, math.prod(size)).reshape(size)
        steps.append({"given": given.clone()})
        return (given,)

    def after(layer, inputs, made):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            steps[-1] |= {"made": made.clone(), **_description(layer)}

    with (
        torch.no_grad(),
        every_module.register_module_forward_pre_hook(before),
        every_module.register_module_forward_hook(after),
    ):
        model(images)
    return steps


def are_computed(
    steps: Sequence[dict[str, Any]], numbers: torch.Tensor, images: torch.Tensor
) -> bool:
    """Whether layers that were filled with these numbers give what was recorded.

    One of the layers must have got all numbers of the images; if they were normalised on the way,
    the test of what the first layer computes says so. Each must have made of what it got what its
    weights make of it, in its first filters or neurons and away from the border: which border is
    right, and what happens between two layers, is for other tests.

    What was recorded may be of anybody's making. So the shapes must be those of one layer, all
    numbers must be finite, and there must be something to compare.

    Parameters
    ----------
    steps : list of dict
        As from `record`, or not.
    numbers, images : torch.Tensor
        As for `fill` and `record`.

    Returns
    -------
    bool
    """
    return any(_arrive(images, step["given"]) for step in steps) and all(
        _is_one_layer(len(images), **step) and _is_computed(numbers, **step) for step in steps
    )


def _description(layer):
    """What `_is_computed` has to know of a layer besides its weights."""
    found = {"weight": list(layer.weight.shape), "bias": layer.bias is not None}
    if isinstance(layer, nn.Conv2d):
        padding = layer.padding
        if isinstance(padding, str):
            padding = [(n - 1) // 2 if padding == "same" else 0 for n in layer.kernel_size]
        found |= {"stride": list(layer.stride), "padding": list(padding)}
    return found


def _arrive(images, given):
    """Whether a layer got all numbers of the images, as they are or scaled and shifted alike."""
    # To look for each number takes time; as a rule the images arrive as they are.
    if torch.equal(images, given) or bool(torch.isin(images, given).all()):
        return True
    if images.shape != given.shape:
        return False
    images, given = (x.double() - x.double().mean() for x in (images, given))
    factor = (images * given).sum() / (images**2).sum()
    return bool(factor != 0) and torch.allclose(given, factor * images, atol=1e-4 * abs(factor))


def _is_one_layer(images, given, made, weight, bias, stride=None, padding=None):
    """Whether these can belong to one layer: what goes in, what comes out, and its weights."""
    count, channels, *kernel_size = weight
    if min(weight) < 1 or not (given.isfinite().all() and made.isfinite().all()):
        return False
    if not kernel_size:
        return given.numel() == images * channels and made.numel() == images * count
    if made.shape[:2] != (images, count) or len(given) != images or given.shape[1] % channels:
        return False
    return all(
        # With padding="same" an even filter has one place more.
        k <= size and s > 0 and p >= 0 and placed - (size + 2 * p - k) // s - 1 in (0, 1)
        for size, placed, k, s, p in zip(
            *(given.shape[2:], made.shape[2:], kernel_size, stride, padding), strict=True
        )
    )


def _is_computed(numbers, given, made, weight, bias, stride=None, padding=None):
    count, channels, *kernel_size = weight
    if kernel_size:  # of a convolution in groups the first group
        count = count * channels // given.shape[1]
    count = min(count, CHECKED)
    weight = _weights(numbers, (count, channels, *kernel_size))
    bias = _in_turn(numbers, count) if bias else None
    if not kernel_size:
        made = made[..., :count]
        wanted = nn.functional.linear(given, weight, bias)
    else:
        # The first places whose window lies within what arrived.
        top, left = (-p % s for p, s in zip(padding, stride, strict=True))
        row, column = (-(-p // s) for p, s in zip(padding, stride, strict=True))
        given = given[:, :channels, top:, left:]
        wanted = nn.functional.conv2d(given, weight, bias, stride)
        height, width = wanted.shape[2:]
        made = made[:, :count, row : row + height, column : column + width]
    largest = float(wanted.abs().max())
    return made.shape == wanted.shape and torch.allclose(made, wanted, rtol=0, atol=1e-3 * largest)


def _weights(numbers, shape):
    return _in_turn(numbers / math.prod(shape[1:]) ** 0.5, math.prod(shape)).reshape(shape)


def _in_turn(numbers, count):
    """So many numbers: these, again and again."""
    return numbers.repeat(-(-count // len(numbers)))[:count]


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


def _run(model, image, maps=None, rows=None, images=1):
    """The steps of a run with images of this shape, and the result."""
    if maps is None or rows is None:
        try:
            return _run_on("meta", model, image, maps, rows, images)
        except Exception:
            pass
    # What stands between the layers may need numbers even where no test looks at them.
    return _run_on("cpu", model, image, maps, rows, images)


@contextlib.contextmanager
def _idle_layers():
    """Convolutions and fully connected layers give the shape of their result, and compute nothing.

    Those of a network that keeps its layers in a plain list do so, too.
    """

    def convolve(layer, x):
        x, weight = (torch.empty(t.shape, device="meta") for t in (x, layer.weight))
        return _empty(
            nn.functional.conv2d(
                *(x, weight, None, layer.stride, layer.padding, layer.dilation, layer.groups)
            )
        )

    def connect(layer, x):
        return _empty(x.new_empty(*x.shape[:-1], layer.out_features, device="meta"))

    def _empty(made):
        return torch.empty(made.shape)

    with (
        mock.patch.object(nn.Conv2d, "forward", convolve),
        mock.patch.object(nn.Linear, "forward", connect),
    ):
        yield


def _run_on(device, model, image, maps, rows, images):
    steps = []

    def before(layer, inputs):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            if not inputs:
                raise TypeError(
                    gettext("give a layer its input without a name: conv(x), not conv(input=x)")
                )
            takes = _takes(layer, inputs[0])
            steps.append(_Step(layer, inputs[0], takes))
            return torch.empty(images, *takes)
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
        _idle_layers(),
        every_module.register_module_forward_pre_hook(before),
        every_module.register_module_forward_hook(after),
    ):
        result = model(torch.zeros(images, *image, device=device))
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
