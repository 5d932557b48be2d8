"""Checks of arguments, shared by all operators: each returns the clean value or raises."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

import numpy as np

FLOATS = (np.dtype("float32"), np.dtype("float64"))
NUMBERS = (*FLOATS, np.dtype("int32"), np.dtype("int64"))

# torch computes inf − inf or 0 · inf without a warning; as a decorator, this makes NumPy do so too.
silent = np.errstate(over="ignore", invalid="ignore", divide="ignore")


def check_array(name: str, value: object, dtypes: Sequence[np.dtype] = FLOATS) -> np.ndarray:
    """`value`, if it is a NumPy array of one of `dtypes`; else `TypeError`."""
    if not isinstance(value, np.ndarray):
        kind = type(value).__name__
        fix = f"{name}.detach().cpu().numpy()" if kind == "Tensor" else f"np.asarray({name})"
        raise TypeError(f"{name} is a {kind}: give a NumPy array, for instance {fix}")
    if value.dtype not in dtypes:
        names = ", ".join(str(dtype) for dtype in dtypes)
        raise TypeError(
            f"{name} has dtype {value.dtype}: it must be one of {names}; "
            f"{name}.astype(np.float32) converts it"
        )
    return value


def check_like(
    name: str,
    value: np.ndarray,
    other_name: str,
    other: np.ndarray,
    dtypes: Sequence[np.dtype] = FLOATS,
) -> np.ndarray:
    """`value`, if it is an array with the dtype of `other`; else `TypeError`."""
    check_array(name, value, dtypes)
    if value.dtype != other.dtype:
        raise TypeError(
            f"{name} has dtype {value.dtype}, but {other_name} has {other.dtype}: they must be "
            f"the same; {name}.astype({other_name}.dtype) converts it"
        )
    return value


def check_shape(name: str, value: np.ndarray, shape: Sequence[int], meaning: str) -> np.ndarray:
    """`value`, if it has `shape`, which is called `meaning` in the `ValueError`."""
    if value.shape != tuple(shape):
        raise ValueError(f"{name} has shape {value.shape}: it must be {meaning} = {tuple(shape)}")
    return value


def check_images(name: str, value: np.ndarray, dtypes: Sequence[np.dtype] = FLOATS) -> np.ndarray:
    """`value` as (N, C, H, W): a CHW array becomes a batch of one. Only N may be 0."""
    check_array(name, value, dtypes)
    if value.ndim not in (3, 4):
        raise ValueError(
            f"{name} has shape {value.shape}: it must have 4 axes (N, C, H, W), or 3 for a single "
            f"image (C, H, W)"
        )
    if 0 in value.shape[-3:]:
        raise ValueError(
            f"{name} has shape {value.shape}: channels, height and width must be at least 1; "
            f"only the batch may be empty"
        )
    return value if value.ndim == 4 else value[np.newaxis]


def check_gradient(
    grad_out: np.ndarray, x: np.ndarray, images_shape: tuple[int, ...]
) -> np.ndarray:
    """`grad_out` as (N, C, H, W), if it has the shape and dtype of the operator's output.

    `images_shape` is that of the output with a batch axis, which is there for a batched `x` only.
    """
    check_like("grad_out", grad_out, "x", x)
    shape = images_shape if x.ndim == 4 else images_shape[1:]
    check_shape("grad_out", grad_out, shape, "the shape of the operator's output")
    return grad_out.reshape(images_shape)


def unbatched_like(x: np.ndarray, images: np.ndarray) -> np.ndarray:
    """`images` (N, C, H, W) without its batch axis if `x` came without one."""
    return images if x.ndim == 4 else images[0]


def check_bool(name: str, value: object) -> bool:
    """`value` as a bool: nothing else will do, as a number here is mostly one in a wrong place."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r}: it must be True or False")
    return bool(value)


def check_number(name: str, value: object) -> float:
    """`value` as a float, so that a NumPy scalar cannot widen a float32 result."""
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name}={value!r}: it must be a number, not {type(value).__name__}")
    return float(value)
