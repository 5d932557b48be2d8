"""Find the layers of a residual block by what they do, and give them numbers.

A test that follows an image through a block needs to know the block's weights. It writes them,
wherever the block keeps its layers and however it calls them::

    block = Block(1, 1).eval()
    problem = write(block, {"conv1": kernel, "conv2": kernel}, image)
    out = problem or block(image)
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.modules import module as every_module

from helpers.language import gettext_noop

# What a part is called in a sentence. What this module says is a value that a test compares: it
# stays English, and is put into the reader's language where it is shown.
WORDS = {
    "conv1": gettext_noop("first convolution of 3 × 3"),
    "norm1": gettext_noop("batch normalisation after the first convolution of 3 × 3"),
    "conv2": gettext_noop("second convolution of 3 × 3"),
    "norm2": gettext_noop("batch normalisation after the second convolution of 3 × 3"),
    "shortcut": gettext_noop("convolution of 1 × 1"),
    "shortcut_norm": gettext_noop("batch normalisation after the convolution of 1 × 1"),
}


def parts(block: nn.Module, x: torch.Tensor) -> dict[str, nn.Module]:
    """The convolutions and batch normalisations of a residual block, by their part in it.

    Parameters
    ----------
    block : nn.Module
        In any mode; its running means and variances stay as they are.
    x : torch.Tensor
        An input that it takes, of shape (N, C, H, W).

    Returns
    -------
    dict of str to nn.Module
        "conv1" and "conv2" are the convolutions larger than 1 × 1, in the order in which they
        run ("conv3" and so on if there are more); "shortcut" is the one of 1 × 1. "norm1",
        "norm2" and "shortcut_norm" are what normalises the maps of these, and "norm0" comes before
        any convolution. What never runs is not in the dict.
    """
    calls: list[tuple[nn.Module, torch.Tensor, torch.Tensor]] = []

    def note(layer, given, made):
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d):
            calls.append((layer, given[0], made))

    mode = block.training
    block.eval()
    # Layers that the block keeps in a plain list are noted, too.
    with torch.no_grad(), every_module.register_module_forward_hook(note):
        block(x.clone())
    block.train(mode)
    found: dict[str, nn.Module] = {}
    waiting: dict[str, torch.Tensor] = {}  # maps that nothing has normalised yet
    larger = 0
    for layer, given, made in calls:
        if isinstance(layer, nn.Conv2d):
            larger += layer.kernel_size != (1, 1)
            role = "shortcut" if layer.kernel_size == (1, 1) else f"conv{larger}"
            found[role], waiting[role] = layer, made
        elif not larger and not waiting:
            found["norm0"] = layer
        elif waiting:
            # Its input is what a convolution made; or something came between, then the last one.
            role = next((r for r, maps in waiting.items() if maps is given), list(waiting)[-1])
            del waiting[role]
            found["shortcut_norm" if role == "shortcut" else role.replace("conv", "norm")] = layer
    return found


def write(block: nn.Module, numbers: Mapping[str, torch.Tensor], x: torch.Tensor) -> str | None:
    """Give the layers of a residual block these numbers.

    Parameters
    ----------
    block : nn.Module
        Changed in place.
    numbers : dict of str to torch.Tensor
        By the names of `parts`: the weights of a convolution, (filters, channels, height, width);
        of a batch normalisation four rows, its weight, bias, running mean and running variance,
        (4, maps). A convolution that is not named gets weights of 1; all biases of convolutions
        become 0.
    x : torch.Tensor
        An input that the block takes.

    Returns
    -------
    str or None
        A sentence if a layer is missing or has another shape; None if all is written.
    """
    found = parts(block, x)
    for layer in found.values():
        if isinstance(layer, nn.Conv2d):
            layer.weight.data.fill_(1)
            if layer.bias is not None:
                layer.bias.data.zero_()
    missing = [WORDS[role] for role in numbers if role not in found]
    if "norm0" in found:
        return gettext_noop("A batch normalisation is called before any convolution")
    if missing:
        said = gettext_noop("No {parts} is called")
        listed = missing.pop()
        while missing:
            listed = gettext_noop("{part} and no {parts}").format(part=missing.pop(), parts=listed)
        return said.format(parts=listed)
    for role, wanted in numbers.items():
        layer = found[role]
        if isinstance(layer, nn.Conv2d):
            pairs = [("weight", wanted)]
        else:
            pairs = list(
                zip(("weight", "bias", "running_mean", "running_var"), wanted, strict=True)
            )
        for name, row in pairs:
            target = getattr(layer, name)
            if target is None:
                return gettext_noop("The {part} has no {name}").format(part=WORDS[role], name=name)
            if target.shape != row.shape:
                return gettext_noop(
                    "The {name} of the {part} is {received}, not {expected}"
                ).format(name=name, part=WORDS[role], received=_size(target), expected=_size(row))
            target.data.copy_(row)
    return None


def _size(tensor):
    return " × ".join(map(str, tensor.shape))
