"""Read the arguments of a step-through, with errors that say what would be right."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.pieces._words import tr

MAX_SIDE = 16
MAX_CHANNELS = 4
MAX_KERNEL = 11
MAX_STEP = 16


def read_planes(value: Any, name: str, side: int) -> np.ndarray:
    """Read numpy, torch or nested lists as float64 (C, H, W); (H, W) becomes one channel.

    Floats keep the number that their own type prints: 0.1 in float32 becomes 0.1, so that a
    student reads the number that they wrote.

    Raises
    ------
    ValueError
        If it has another shape, is too large, or holds a number that is not finite.
    TypeError
        If it is no array of real numbers.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            tr(
                "{0} must have rows of equal length, got a ragged list; write it as a list of "
                "rows, each with the same number of entries.",
                name,
            )
        ) from None
    if array.dtype.kind not in "biuf":
        raise TypeError(
            tr(
                "{0} must hold real numbers, got dtype {1}; pass a numpy array, a torch tensor or "
                "nested lists of numbers.",
                name,
                array.dtype,
            )
        )
    wanted = tr("(channels, rows, columns) or (rows, columns)")
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim not in (2, 3):
        raise ValueError(
            tr(
                "{0} must have shape {1}, got {2}; take one image or one filter, such as {0}[0].",
                name,
                wanted,
                array.shape,
            )
        )
    array = array if array.ndim == 3 else array[None]
    channels, height, width = array.shape
    if 0 in array.shape:
        raise ValueError(
            tr("{0} is empty: shape {1}; {2} must all be at least 1.", name, array.shape, wanted)
        )
    if channels > MAX_CHANNELS or max(height, width) > side:
        raise ValueError(
            tr(
                "{0} has shape {1}, too large to read: at most {2} channels of {3}×{3}; pass a "
                "crop, such as {0}[:{2}, :{3}, :{3}].",
                name,
                array.shape,
                MAX_CHANNELS,
                side,
            )
        )
    if not np.isfinite(array).all():
        raise ValueError(
            tr(
                "{0} holds nan or infinity; a step-through needs finite numbers: replace them, "
                "for example with numpy.nan_to_num({0}).",
                name,
            )
        )
    if array.dtype.kind == "f" and array.dtype != np.float64:
        return np.array([float(str(v)) for v in array.ravel()]).reshape(array.shape)
    return array.astype(np.float64)


def read_bias(value: Any) -> float | None:
    """Read one number, or an array that holds one number; None stays None.

    Raises
    ------
    ValueError
        If there is more than one number, or it is not finite.
    TypeError
        If it is no number.
    """
    if value is None:
        return None
    array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            tr("bias must be a number or None, got {0}; for example bias=1.", repr(value))
        )
    if array.size != 1:
        raise ValueError(
            tr(
                "bias must be one number, since there is one filter, got shape {0}; pass the bias "
                "of this filter, such as bias[0].",
                array.shape,
            )
        )
    if not np.isfinite(array).all():
        raise ValueError(
            tr("bias must be finite, got {0}; for example bias=0.", repr(array.item()))
        )
    return float(str(array.ravel()[0]))
