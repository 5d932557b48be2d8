"""Shorter ways to the shapes of what some operators give on PyTorch's device "meta".

Networks are asked for shapes again and again. PyTorch works many of them out in Python, which takes
half a millisecond for a product and several for a local response normalisation. Here the usual case
is answered at once: floats that lie in order in memory, of one type and shape, or with one number.
All else goes PyTorch's own way.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

Operator = Callable[..., Any]


def lighten(torch: Any) -> Any:
    """Register the shorter ways.

    Parameters
    ----------
    torch : module

    Returns
    -------
    torch.library.Library
        What was registered goes with it.
    """
    library = torch.library.Library("aten", "IMPL", "Meta")
    ways: dict[str, Callable[[Any, Operator], Operator]] = {
        "relu": _one,
        "mul.Tensor": _two,
        "add.Tensor": _two,
        "div.Tensor": _two,
        "pow.Tensor_Scalar": _power,
        "empty_like": _empty_like,
        "uniform_": _uniform,
    }
    for name, way in ways.items():
        # Another release of PyTorch may keep its own way elsewhere.
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            packet, _, overload = name.partition(".")
            operator = getattr(getattr(torch.ops.aten, packet), overload or "default")
            known = torch._decomp.get_decompositions([operator])[operator]
            library.impl(name, way(torch, known))
    return library


def _is_usual(x: Any) -> bool:
    return x.is_meta and x.is_floating_point() and x.is_contiguous()


def _like(torch: Any, x: Any) -> Any:
    return torch.empty(x.shape, dtype=x.dtype, device="meta")


def _one(torch: Any, known: Operator) -> Operator:
    def of(x: Any) -> Any:
        return _like(torch, x) if _is_usual(x) else known(x)

    return of


def _two(torch: Any, known: Operator) -> Operator:
    def of(x: Any, y: Any, **rest: Any) -> Any:
        if not rest and _is_usual(x):
            # A number changes neither type nor shape.
            if type(y) in (bool, int, float):
                return _like(torch, x)
            if not isinstance(y, torch.Tensor):
                return known(x, y)
            if y.dim() == 0 and x.dim() and not y.is_complex():
                return _like(torch, x)
            if _is_usual(y) and y.dtype == x.dtype and y.shape == x.shape:
                return _like(torch, x)
        return known(x, y, **rest)

    return of


def _power(torch: Any, known: Operator) -> Operator:
    def of(x: Any, exponent: Any) -> Any:
        is_usual = type(exponent) in (int, float) and _is_usual(x)
        return _like(torch, x) if is_usual else known(x, exponent)

    return of


def _empty_like(torch: Any, known: Operator) -> Operator:
    def of(x: Any, *, dtype: Any = None, device: Any = None, **rest: Any) -> Any:
        if not _is_usual(x) or any(rest.values()):
            return known(x, dtype=dtype, device=device, **rest)
        return torch.empty(x.shape, dtype=dtype or x.dtype, device=device or "meta")

    return of


def _uniform(torch: Any, known: Operator) -> Operator:
    def of(x: Any, low: float = 0.0, high: float = 1.0, **rest: Any) -> Any:
        return x if _is_usual(x) else known(x, low, high, **rest)

    return of
