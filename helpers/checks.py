"""Compare what you got with what was expected, and say plainly what differs.

`assert_same` compares two arrays; `grad_check` compares a backward pass with finite differences.
Both accept NumPy arrays, torch tensors, numbers and nested lists, and both raise an
`AssertionError` that shows the function, its input, what was expected and what came back.
"""

from __future__ import annotations

import contextlib
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers._columns import padded
from helpers._relations import relation, relation_of_numbers
from helpers.language import gettext

if TYPE_CHECKING:
    import numpy.typing as npt

# Relative tolerance by precision: some ten times the rounding error of a long sum.
_RTOL = {np.dtype(np.float16): 1e-2, np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-9}


def as_numpy(value: object, name: str = "value") -> np.ndarray:
    """The value as a NumPy array; torch tensors are detached and brought to the CPU.

    Parameters
    ----------
    value : array_like or torch.Tensor
    name : str
        What to call it in an error message.

    Raises
    ------
    AssertionError
        If the value is None, or its items are not numbers, or its rows differ in length.
    """
    if value is None:
        raise AssertionError(none_sentence().format(name=name))
    if hasattr(value, "is_meta") and value.is_meta:
        raise AssertionError(
            gettext("{name} is a meta tensor: it has a shape, but no numbers").format(name=name)
        )
    if hasattr(value, "detach"):
        value = value.detach().cpu().resolve_conj().resolve_neg().numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise AssertionError(
            gettext("{name} has rows of different lengths: {value!r}").format(
                name=name, value=value
            )
        ) from error
    if array.dtype.kind == "O" and not hasattr(value, "dtype"):
        # Numbers that NumPy has no type for: fractions, and whole ones beyond 64 bits.
        with contextlib.suppress(OverflowError):
            if all(isinstance(item, numbers.Real) for item in array.flat):
                array = array.astype(np.float64)
    if array.dtype.kind not in "biufc":
        raise AssertionError(
            gettext("{name} should hold numbers, but it is {type}: {value!r:.200}").format(
                name=name, type=type(value).__name__, value=value
            )
        )
    return array


def none_sentence() -> str:
    """What is said of a value that is None, its name left open."""
    return gettext("{name} is None. Does the function end with `return`?")


def assert_same(
    actual: npt.ArrayLike,
    expected: npt.ArrayLike,
    *,
    name: str = "result",
    inputs: Mapping[str, object] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    hint: str | None = None,
) -> None:
    """Raise an `AssertionError` unless `actual` and `expected` hold the same numbers.

    Parameters
    ----------
    actual, expected : array_like or torch.Tensor
        What came back, and what it should be. Shapes must be equal: nothing is broadcast.
    name : str
        The function or quantity that is checked.
    inputs : dict of str to value, optional
        What the function was called with, to be shown in the message.
    rtol, atol : float, optional
        A difference up to ``atol + rtol·|expected|`` is accepted. By default integers must be
        equal, float32 may differ by 1e-4, float64 by 1e-9; `atol` is `rtol` times the largest
        expected value, since a sum loses digits in proportion to its largest terms.
    hint : str, optional
        A sentence to add to the message.

    >>> assert_same([[1, 2], [3, 4]], [[1, 2], [3, 4]])
    """
    name = gettext("result") if name == "result" else name
    received = as_numpy(actual, name)
    wanted = as_numpy(expected, gettext("the expected value"))
    found = difference(received, wanted, rtol=rtol, atol=atol)
    if found:
        raise AssertionError(
            _message(name, found.reason, inputs, wanted, received, hint or found.hint)
        )


class Difference(NamedTuple):
    """How two arrays differ: a clause that says it, the first place, and what it looks like."""

    reason: str
    kind: str  # "shape" or "values"
    place: tuple | None
    hint: str | None


def difference(
    received: np.ndarray,
    wanted: np.ndarray,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    picked_from: np.ndarray | None = None,
) -> Difference | None:
    """The `Difference` between two arrays, or None if they hold the same numbers.

    Parameters
    ----------
    received, wanted : numpy.ndarray
    rtol, atol : float, optional
        As in `assert_same`.
    picked_from : numpy.ndarray, optional
        The array that the received numbers were picked out of: their order means nothing.
    """

    def same(a: np.ndarray, b: np.ndarray) -> bool:
        return bool(_close(a, b, rtol, atol).all())

    if received.shape != wanted.shape:
        return Difference(
            gettext("the shape is {received}, expected {expected}").format(
                received=received.shape, expected=wanted.shape
            ),
            "shape",
            None,
            relation(received, wanted, None, same),
        )
    wrong = ~_close(received, wanted, rtol, atol)
    if not wrong.any():
        return None
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    digits = 6 if _number(wanted[first]) != _number(received[first]) else 17
    if first:
        reason = gettext(
            "{wrong} of {count} values differ, first at {place}: expected {expected}, received "
            "{received}"
        )
    else:  # one number has no position to name
        reason = gettext("expected {expected}, received {received}")
    return Difference(
        reason.format(
            wrong=int(wrong.sum()),
            count=wrong.size,
            place=list(first),
            expected=_number(wanted[first], digits),
            received=_number(received[first], digits),
        ),
        "values",
        first,
        relation(received, wanted, ~wrong, same)
        if picked_from is None
        else relation_of_numbers(received, wanted, picked_from, same),
    )


def grad_check(
    forward: Callable[..., npt.ArrayLike],
    backward: Callable[..., object],
    inputs: Sequence[npt.ArrayLike],
    *,
    names: Sequence[str] | None = None,
    eps: float = 1e-5,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    max_checks: int = 60,
    seed: int = 0,
) -> dict[str, float]:
    """Compare a backward pass with central differences, input by input.

    The derivative of ``L = sum(grad_out · forward(*inputs))`` is measured as
    ``(L(x + eps) − L(x − eps)) / (2·eps)`` at up to `max_checks` positions of each input, in
    float64, for a random `grad_out`.

    Parameters
    ----------
    forward : callable
        ``forward(*inputs) -> array``.
    backward : callable
        ``backward(grad_out, *inputs) -> gradients``, one for each input, in order (a single
        array if there is one input). None means "no gradient for this input": not checked.
    inputs : sequence of array_like
        Converted to float64; never changed.
    names : sequence of str, optional
        Names of the inputs for the message.
    eps : float
        Step of the difference.
    rtol, atol : float
        Accepted difference, ``atol + rtol·|finite difference|``.
    max_checks : int
        How many positions of each input are measured; they are drawn at random.
    seed : int
        Seed of the draws.

    Returns
    -------
    dict of str to float
        The largest relative error ``|a − b| / max(|a|, |b|, 1e-8)`` of each input. About 1e-8 is
        right; 1e-4 or more is a mistake (or a kink, as in ReLU at 0, within `eps`).

    Raises
    ------
    AssertionError
        If a gradient is missing, has another shape than its input, or differs.

    Source: Stanford CS231n notes, "Gradient checks".
    """
    rng = np.random.default_rng(seed)
    arrays = [np.array(as_numpy(item), dtype=np.float64) for item in inputs]
    if names is None:
        names = [gettext("input {number}").format(number=i) for i in range(len(arrays))]
    output = as_numpy(forward(*arrays), gettext("forward's result"))
    grad_out = rng.standard_normal(output.shape)
    gradients = backward(grad_out, *arrays)
    if len(arrays) == 1 and not isinstance(gradients, tuple | list):
        gradients = (gradients,)
    if not isinstance(gradients, tuple | list) or len(gradients) != len(arrays):
        if isinstance(gradients, tuple | list):
            got = gettext("{count} gradients").format(count=len(gradients))
        else:
            got = type(gradients).__name__
        raise AssertionError(
            gettext(
                "backward should return {count} gradients, one for each of {names}; it returned "
                "{got}"
            ).format(
                count=len(arrays),
                names=", ".join(names),
                got=got,
            )
        )
    errors = {}
    for name, array, gradient in zip(names, arrays, gradients, strict=True):
        if gradient is None:
            continue
        gradient = as_numpy(gradient, gettext("the gradient of {name}").format(name=name))
        if gradient.shape != array.shape:
            raise AssertionError(
                gettext(
                    "the gradient of {name} has shape {received}, but {name} has shape "
                    "{expected}: a gradient always has the shape of what it belongs to"
                ).format(name=name, received=gradient.shape, expected=array.shape)
            )
        positions = rng.permutation(array.size)[:max_checks]
        worst = 0.0
        for position in positions:
            index = np.unravel_index(position, array.shape)
            numeric = _central_difference(forward, arrays, array, index, grad_out, eps)
            analytic = float(gradient[index])
            difference = abs(analytic - numeric)
            worst = max(worst, difference / max(abs(analytic), abs(numeric), 1e-8))
            if not difference <= atol + rtol * abs(numeric):
                place = [int(i) for i in index]
                measured = gettext("finite difference, eps = {eps:g}").format(eps=eps)
                lines = [
                    gettext("the gradient of {name} is wrong at {place}").format(
                        name=name, place=place
                    ),
                    lead(gettext("function")) + _function_name(forward),
                    lead(gettext("input")) + f"{name}{place} = {_number(array[index])}",
                    lead(gettext("expected")) + f"{numeric:.8g}   ({measured})",
                    lead(gettext("received")) + f"{analytic:.8g}",
                ]
                hint = _ratio_hint(analytic, numeric)
                if hint:
                    lines.append(lead(gettext("hint")) + hint)
                raise AssertionError("\n".join(lines))
        errors[name] = worst
    return errors


def _central_difference(forward, arrays, array, index, grad_out, eps):
    original = array[index]
    array[index] = original + eps
    above = np.sum(grad_out * as_numpy(forward(*arrays)))
    array[index] = original - eps
    below = np.sum(grad_out * as_numpy(forward(*arrays)))
    array[index] = original
    return float(above - below) / (2 * eps)


def _ratio_hint(analytic, numeric):
    if not numeric or not np.isfinite(analytic):
        return ""
    ratio = analytic / numeric
    if abs(ratio + 1) < 1e-4:
        return gettext("the sign is the wrong way round")
    if abs(ratio) > 1e-4 and abs(ratio - round(ratio)) < 1e-4 and 2 <= abs(round(ratio)) <= 1000:
        return gettext("it is {factor} times too large").format(factor=round(ratio))
    return ""


def _close(received, wanted, rtol=None, atol=None):
    """Element by element: are they the same number, within the tolerance? NaN equals NaN."""
    equal = received == wanted
    if equal.all():  # the usual case, for which `np.isclose` would take ten times as long
        return equal
    if rtol is None:
        # The tolerance is that of the coarser of the two; integers count as exact.
        rtol = max(_RTOL.get(received.dtype, 0.0), _RTOL.get(wanted.dtype, 0.0))
    if atol is None:
        finite = np.abs(wanted[np.isfinite(wanted)])
        atol = rtol * float(finite.max()) if finite.size else 0.0
    if received.dtype.kind == "b" or wanted.dtype.kind == "b":
        return equal
    return np.isclose(received, wanted, rtol=rtol, atol=atol, equal_nan=True)


def _message(name, reason, inputs, wanted, received, hint):
    lines = [f"{name}: {reason}"]
    for key, value in (inputs or {}).items():
        lines.append(entry(gettext("input"), value, f"{key} = "))
    lines.append(entry(gettext("expected"), wanted))
    lines.append(entry(gettext("received"), received))
    if hint:
        lines.append(lead(gettext("hint")) + hint)
    return "\n".join(lines)


def lead(label: str) -> str:
    """What a line of a message begins with: its label, in ten columns after an indent of two."""
    return "  " + padded(label, 10)


def entry(label: str, value: object, prefix: str = "") -> str:
    """A line of a message, or a block for an array: a label, and the value, shortened."""
    first = lead(label) + prefix
    if not (hasattr(value, "shape") or isinstance(value, list | tuple)):
        return first + repr(value)
    try:
        array = as_numpy(value)
    except AssertionError:
        return first + f"{value!r:.200}"
    shape = "×".join(map(str, array.shape))
    text = np.array2string(
        array, precision=4, threshold=60, edgeitems=3, suppress_small=True, max_line_width=80
    )
    if array.ndim < 2:
        return first + text
    head = gettext("array of shape {shape}, {dtype}").format(shape=shape, dtype=array.dtype)
    return "\n".join([first + head, *(" " * 14 + line for line in text.split("\n"))])


def _number(value, digits=6):
    value = np.asarray(value).item()
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _function_name(function):
    return getattr(function, "__qualname__", repr(function))
