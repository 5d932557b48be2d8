"""Read the arguments of a step-through, with errors that say what would be right."""

from __future__ import annotations

from typing import Any

import numpy as np

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
            f"{name} must have rows of equal length, got a ragged list; write it as a list of "
            "rows, each with the same number of entries."
        ) from None
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must hold real numbers, got dtype {array.dtype}; pass a numpy array, a torch "
            "tensor or nested lists of numbers."
        )
    wanted = "(channels, rows, columns) or (rows, columns)"
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim not in (2, 3):
        raise ValueError(
            f"{name} must have shape {wanted}, got {array.shape}; "
            f"take one image or one filter, such as {name}[0]."
        )
    array = array if array.ndim == 3 else array[None]
    channels, height, width = array.shape
    if 0 in array.shape:
        raise ValueError(f"{name} is empty: shape {array.shape}; {wanted} must all be at least 1.")
    if channels > MAX_CHANNELS or max(height, width) > side:
        raise ValueError(
            f"{name} has shape {array.shape}, too large to read: at most {MAX_CHANNELS} channels "
            f"of {side}×{side}; pass a crop, such as {name}[:{MAX_CHANNELS}, :{side}, :{side}]."
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} holds nan or infinity; a step-through needs finite numbers: replace them, "
            f"for example with numpy.nan_to_num({name})."
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
        raise TypeError(f"bias must be a number or None, got {value!r}; for example bias=1.")
    if array.size != 1:
        raise ValueError(
            f"bias must be one number, since there is one filter, got shape {array.shape}; "
            "pass the bias of this filter, such as bias[0]."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"bias must be finite, got {array.item()!r}; for example bias=0.")
    return float(str(array.ravel()[0]))
