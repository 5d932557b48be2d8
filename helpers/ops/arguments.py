"""Checks of arguments, shared by all operators: each returns the clean value or raises."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

import numpy as np

from helpers.language import gettext

FLOATS = (np.dtype("float32"), np.dtype("float64"))
NUMBERS = (*FLOATS, np.dtype("int32"), np.dtype("int64"))

# torch computes inf − inf or 0 · inf without a warning; as a decorator, this makes NumPy do so too.
silent = np.errstate(over="ignore", invalid="ignore", divide="ignore")


def check_array(name: str, value: object, dtypes: Sequence[np.dtype] = FLOATS) -> np.ndarray:
    """`value`, if it is a NumPy array of one of `dtypes`; else `TypeError`."""
    if not isinstance(value, np.ndarray):
        kind = type(value).__name__
        fix = f"{name}.detach().cpu().numpy()" if kind == "Tensor" else f"np.asarray({name})"
        raise TypeError(
            gettext("{name} is a {kind}: give a NumPy array, for instance {fix}").format(
                name=name, kind=kind, fix=fix
            )
        )
    if value.dtype not in dtypes:
        names = ", ".join(str(dtype) for dtype in dtypes)
        raise TypeError(
            gettext(
                "{name} has dtype {dtype}: it must be one of {names}; "
                "{name}.astype(np.float32) converts it"
            ).format(name=name, dtype=value.dtype, names=names)
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
            gettext(
                "{name} has dtype {dtype}, but {other_name} has {wanted}: they must be the "
                "same; {name}.astype({other_name}.dtype) converts it"
            ).format(name=name, dtype=value.dtype, other_name=other_name, wanted=other.dtype)
        )
    return value


def check_shape(name: str, value: np.ndarray, shape: Sequence[int], meaning: str) -> np.ndarray:
    """`value`, if it has `shape`, which is called `meaning` in the `ValueError`."""
    if value.shape != tuple(shape):
        raise ValueError(
            gettext("{name} has shape {shape}: it must be {meaning} = {wanted}").format(
                name=name, shape=value.shape, meaning=meaning, wanted=tuple(shape)
            )
        )
    return value


def check_images(name: str, value: np.ndarray, dtypes: Sequence[np.dtype] = FLOATS) -> np.ndarray:
    """`value` as (N, C, H, W): a CHW array becomes a batch of one. Only N may be 0."""
    check_array(name, value, dtypes)
    if value.ndim not in (3, 4):
        raise ValueError(
            gettext(
                "{name} has shape {shape}: it must have 4 axes (N, C, H, W), or 3 for a "
                "single image (C, H, W)"
            ).format(name=name, shape=value.shape)
        )
    if 0 in value.shape[-3:]:
        raise ValueError(
            gettext(
                "{name} has shape {shape}: channels, height and width must be at least 1; "
                "only the batch may be empty"
            ).format(name=name, shape=value.shape)
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
    check_shape("grad_out", grad_out, shape, gettext("the shape of the operator's output"))
    return grad_out.reshape(images_shape)


def unbatched_like(x: np.ndarray, images: np.ndarray) -> np.ndarray:
    """`images` (N, C, H, W) without its batch axis if `x` came without one."""
    return images if x.ndim == 4 else images[0]


def check_bool(name: str, value: object) -> bool:
    """`value` as a bool: nothing else will do, as a number here is mostly one in a wrong place."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(
            gettext("{name}={value!r}: it must be True or False").format(name=name, value=value)
        )
    return bool(value)


def check_number(name: str, value: object) -> float:
    """`value` as a float, so that a NumPy scalar cannot widen a float32 result."""
    if not isinstance(value, numbers.Real):
        raise TypeError(
            gettext("{name}={value!r}: it must be a number, not {type}").format(
                name=name, value=value, type=type(value).__name__
            )
        )
    return float(value)
