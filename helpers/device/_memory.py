"""How much memory it takes to train a model, worked out without running it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from helpers._columns import columns, padded
from helpers.language import gettext

STATE_TENSORS = {"sgd": 0, "sgd-momentum": 1, "adam": 2}
"""How many tensors of a parameter's size each optimizer keeps for that parameter."""

MIB = 2**20


@dataclass(frozen=True, repr=False)
class MemoryEstimate:
    """Bytes needed to train with one batch; prints as a small table in MiB.

    Attributes
    ----------
    parameters : weights and biases, and buffers such as the running means of batch norm
    gradients : one number for each parameter that is trained
    optimizer_state : what the optimizer keeps from step to step
    activations : the input batch, and what the forward pass keeps for the backward pass
    batch_size : the number of inputs in the batch
    """

    parameters: int
    gradients: int
    optimizer_state: int
    activations: int
    batch_size: int

    @property
    def total(self) -> int:
        """The sum of the four, in bytes."""
        return self.parameters + self.gradients + self.optimizer_state + self.activations

    def __repr__(self) -> str:
        rows = {
            gettext("parameters"): self.parameters,
            gettext("gradients"): self.gradients,
            gettext("optimizer state"): self.optimizer_state,
            gettext("activations, batch of {count}").format(
                count=self.batch_size
            ): self.activations,
            gettext("total"): self.total,
        }
        width = max(map(columns, rows))
        return "\n".join(
            f"{padded(name, width)} {size / MIB:>10,.1f} MiB" for name, size in rows.items()
        )


def estimate_memory(
    model: nn.Module,
    input_shape: Sequence[int],
    batch_size: int,
    optimizer: str = "sgd",
    dtype: torch.dtype = torch.float32,
) -> MemoryEstimate:
    """Estimate the memory for one training step of ``model``.

    The forward pass runs on torch's "meta" device, which follows shapes and computes nothing, so
    neither the memory nor the time of a real step is spent, and ``model`` is not changed. What
    autograd saves on the way is counted through ``torch.autograd.graph.saved_tensors_hooks``;
    a tensor that several layers save is counted once.

    Not counted: the CUDA context (some hundred MiB), work space of cuDNN, gradients of
    activations while they are passed back, gaps in the allocator. Real use is higher.

    Parameters
    ----------
    input_shape : shape of one input without the batch, such as ``(1, 28, 28)``
    batch_size : at least 1
    optimizer : "sgd", "sgd-momentum" or "adam"
    dtype : floating-point type of parameters and input

    Raises
    ------
    ValueError
        An argument is none of the above, or ``model`` does not take such an input.
    """
    if optimizer not in STATE_TENSORS:
        names = ", ".join(map(repr, STATE_TENSORS))
        raise ValueError(
            gettext("optimizer={optimizer!r}: use one of {names}").format(
                optimizer=optimizer, names=names
            )
        )
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(
            gettext("batch_size={batch_size!r}: give a whole number, 1 or more").format(
                batch_size=batch_size
            )
        )
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ValueError(
            gettext("dtype={dtype!r}: give a floating-point type such as torch.float32").format(
                dtype=dtype
            )
        )

    weights = {name: _on_meta(tensor, dtype) for name, tensor in model.named_parameters()}
    buffers = {name: _on_meta(tensor, dtype) for name, tensor in model.named_buffers()}
    trained_bytes = sum(weight.nbytes for weight in weights.values() if weight.requires_grad)
    return MemoryEstimate(
        parameters=sum(t.nbytes for t in itertools.chain(weights.values(), buffers.values())),
        gradients=trained_bytes,
        optimizer_state=STATE_TENSORS[optimizer] * trained_bytes,
        activations=_activation_bytes(model, weights | buffers, (batch_size, *input_shape), dtype),
        batch_size=batch_size,
    )


def _on_meta(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return the tensor without its numbers; counters and masks keep their type."""
    kept_type = dtype if tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("meta", kept_type).requires_grad_(tensor.requires_grad)


def _activation_bytes(
    model: nn.Module,
    tensors: dict[str, torch.Tensor],
    shape: Sequence[int],
    dtype: torch.dtype,
) -> int:
    batch = torch.empty(shape, dtype=dtype, device="meta")
    # Keyed by identity, and kept alive: an id may be used again once its object is gone.
    not_activations = {id(s): s for s in (t.untyped_storage() for t in tensors.values())}
    kept = {id(batch.untyped_storage()): batch.untyped_storage()}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if id(storage) not in not_activations:
            kept[id(storage)] = storage
        return tensor

    modes = {module: module.training for module in model.modules()}
    model.train()
    try:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t), torch.device("meta"):
            torch.func.functional_call(model, tensors, (batch,))
    except Exception as error:
        first_line = str(error).partition("\n")[0]
        raise ValueError(
            gettext(
                "the model does not take an input of shape {shape} (the batch comes first): "
                "{first_line}"
            ).format(shape=tuple(shape), first_line=first_line)
        ) from error
    finally:
        for module, mode in modes.items():
            module.training = mode
    return sum(storage.nbytes() for storage in kept.values())


def largest_batch(
    model: nn.Module,
    input_shape: Sequence[int],
    memory_bytes: int,
    optimizer: str = "sgd",
    dtype: torch.dtype = torch.float32,
    limit: int = 2**20,
) -> int:
    """Return the largest batch size, up to ``limit``, whose estimate fits into ``memory_bytes``.

    0 if not even one input fits. Arguments and errors as for ``estimate_memory``, which see for
    what is not counted: leave some room.
    """

    def fits(batch_size: int) -> bool:
        estimate = estimate_memory(model, input_shape, batch_size, optimizer, dtype)
        return estimate.total <= memory_bytes

    if limit < 1:
        raise ValueError(
            gettext("limit={limit!r}: give a whole number, 1 or more").format(limit=limit)
        )
    # low fits; high is tried next, until it is known not to fit. Two before one: batch norm
    # refuses to learn from a single number.
    low, high = 0, 2
    while high <= limit and fits(high):
        low, high = high, 2 * high
    high = min(high, limit + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
