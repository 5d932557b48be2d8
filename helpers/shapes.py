"""Sizes: how large an output is, how many parameters a model has, how far a unit sees.

Sizes are counted in pixels (or positions), along one axis at a time. Wherever torch takes
"an int or a pair", so do these functions: an int is used for height and width alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

from helpers._arguments import IntOrPair, check_int, check_pair
from helpers.language import gettext

if TYPE_CHECKING:
    from torch import nn


@overload
def conv_output_size(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    exact: bool = False,
) -> int: ...
@overload
def conv_output_size(
    size: Sequence[int],
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    exact: bool = False,
) -> tuple[int, int]: ...
@overload
def conv_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    exact: bool = False,
) -> int | tuple[int, int]: ...
def conv_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    exact: bool = False,
) -> int | tuple[int, int]:
    """Output size of a convolution or a pooling layer, as torch counts it.

    ``floor((size + 2·padding − dilation·(kernel_size − 1) − 1) / stride) + 1``

    When the stride does not divide evenly, torch rounds down and never looks at the last rows
    and columns. With ``ceil_mode=True`` (pooling only) it rounds up, but drops a last window
    that would start in the padding on the right.

    Parameters
    ----------
    size : int or (int, int)
        Input size, or (height, width), without padding. At least 1.
    kernel_size, stride, padding, dilation : int or (int, int)
        As in `torch.nn.functional.conv2d` and `max_pool2d`. Note that `stride` is 1 by default;
        torch's pooling layers take ``stride=kernel_size`` when none is given.
    ceil_mode : bool
        Round up instead of down.
    exact : bool
        Refuse a stride that does not divide evenly.

    Returns
    -------
    int or (int, int)
        A pair if any of the arguments is a pair.

    Raises
    ------
    ValueError
        If an argument is out of range or has more than two numbers, if the kernel does not fit
        into the padded input, or, with ``exact=True``, if positions are left over; the message
        names the nearest sizes that fit.
    TypeError
        If an argument is neither an integer nor holds integers.

    Source: the "Shape" sections of the documentation of `torch.nn.Conv2d` and
    `torch.nn.MaxPool2d`.

    >>> conv_output_size(7, 3, stride=2)
    3
    >>> conv_output_size((32, 28), 5, padding=2)
    (32, 28)
    """
    arguments = {
        "size": size,
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
    }
    smallest = {"size": 1, "kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
    pairs = {name: check_pair(name, value, smallest[name]) for name, value in arguments.items()}
    height, width = (
        _output_size(*numbers, ceil_mode=ceil_mode, exact=exact)
        for numbers in zip(*pairs.values(), strict=True)
    )
    if any(type(value) is not int and isinstance(value, Iterable) for value in arguments.values()):
        return height, width
    return height


def _output_size(size, kernel_size, stride, padding, dilation, *, ceil_mode, exact):
    extent = dilation * (kernel_size - 1) + 1
    room = size + 2 * padding - extent
    # Rounding up, one window may hang over the end: torch lets it, though it is the only one.
    if room < 0 and not (ceil_mode and room > -stride):
        raise ValueError(
            gettext(
                "the kernel does not fit: kernel_size={kernel_size} with dilation={dilation} "
                "covers {extent} positions, but the input has {size} + 2·{padding} = "
                "{padded}. Use a smaller kernel, a larger input, or padding of at least "
                "{needed}"
            ).format(
                kernel_size=kernel_size,
                dilation=dilation,
                extent=extent,
                size=size,
                padding=padding,
                padded=size + 2 * padding,
                needed=-(-(extent - size) // 2),
            )
        )
    left_over = room % stride
    if exact and left_over:
        below, above = size - left_over, size - left_over + stride
        sizes = f"{above}"
        if below >= 1:
            sizes = gettext("{one} or {other}").format(one=below, other=above)
        if left_over == 1:
            said = gettext(
                "size={size} does not fit: ({size} − {extent} + 2·{padding}) / {stride} + 1 = "
                "{result:g} is not a whole number, 1 position is left over. Sizes that fit: {sizes}"
            )
        else:
            said = gettext(
                "size={size} does not fit: ({size} − {extent} + 2·{padding}) / {stride} + 1 = "
                "{result:g} is not a whole number, {left_over} positions are left over. Sizes that "
                "fit: {sizes}"
            )
        raise ValueError(
            said.format(
                size=size,
                extent=extent,
                padding=padding,
                stride=stride,
                result=room / stride + 1,
                left_over=left_over,
                sizes=sizes,
            )
        )
    if not ceil_mode:
        return room // stride + 1
    rounded_up = -(-room // stride) + 1
    starts_in_right_padding = (rounded_up - 1) * stride >= size + padding
    return rounded_up - 1 if starts_in_right_padding else rounded_up


def count_parameters(model: nn.Module, trainable_only: bool = False) -> int:
    """Number of parameters of a model: weights and biases, each shared one counted once.

    Parameters
    ----------
    model : torch.nn.Module
    trainable_only : bool
        Leave out parameters with ``requires_grad=False``.

    Returns
    -------
    int

    >>> from torch import nn
    >>> count_parameters(nn.Conv2d(3, 10, kernel_size=5))
    760
    """
    return sum(
        parameter.numel()
        for parameter in model.parameters()
        if parameter.requires_grad or not trainable_only
    )


class ReceptiveField(NamedTuple):
    """What one output position sees, in input positions along one axis."""

    size: int
    """How many input positions it depends on."""
    jump: int
    """How far apart in the input two neighbouring output positions are."""
    start: int
    """Input index of the first position that output 0 sees; inside the padding it is negative."""


def receptive_field(layers: Iterable[Sequence[int]]) -> ReceptiveField:
    """Receptive field of the last of several convolution or pooling layers, along one axis.

    Each layer with kernel size k, stride s, padding p and dilation d makes, from the jump j
    before it: ``size += d·(k − 1)·j``, ``start −= p·j``, ``jump *= s``.

    Parameters
    ----------
    layers : iterable
        From the input on, each ``(kernel_size, stride)``, ``(kernel_size, stride, padding)`` or
        ``(kernel_size, stride, padding, dilation)``, all integers.

    Returns
    -------
    ReceptiveField
        ``(size, jump, start)``; ``(1, 1, 0)`` for no layer at all.

    Raises
    ------
    ValueError, TypeError
        If a layer has other than two to four numbers, or one is out of range.

    Source: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural
    Networks", Distill 2019.

    >>> receptive_field([(3, 1), (3, 1), (3, 1)]).size
    7
    """
    size, jump, start = 1, 1, 0
    for number, layer in enumerate(layers, 1):
        layer = tuple(layer)
        if not 2 <= len(layer) <= 4:
            raise ValueError(
                gettext(
                    "layer {number} is {layer!r}: give (kernel_size, stride), and if needed "
                    "padding and dilation"
                ).format(number=number, layer=layer)
            )
        names = ("kernel_size", "stride", "padding", "dilation")
        kernel_size, stride, padding, dilation = (
            check_int(
                gettext("{name} of layer {number}").format(name=name, number=number),
                value,
                smallest=int(name != "padding"),
            )
            for name, value in zip(names, layer + (0, 1)[len(layer) - 2 :], strict=True)
        )
        size += dilation * (kernel_size - 1) * jump
        start -= padding * jump
        jump *= stride
    return ReceptiveField(size, jump, start)
