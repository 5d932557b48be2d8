"""Values in the frames between grader and child.

A value is encoded as JSON that refers to the frame's blobs for its arrays: type and shape stand in
the JSON, the blob holds the bytes.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from .wire import BLOB_LIMIT, Blob, Message, Nonsense

DEPTH_LIMIT = 20
ITEM_LIMIT = 10_000
PART_LIMIT = 100_000
NUMBERS = re.compile(r"[<>|=]?(?:[biuf][1248]|f16|c8|c16|c32|S\d{1,6}|U\d{1,6})")


class Opaque:
    """Stands for a value that is not sent: only the name of its type is known."""


def encode(
    value: Any, blobs: list[Blob], depth: int = 0, budget: list[int] | None = None
) -> Message:
    """A value as JSON; arrays are appended to `blobs`.

    Numbers, texts, None, arrays and tensors of numbers, and tuples, lists and dicts of them keep
    what they are; what is derived from one of these, such as a named tuple, becomes it, and a
    `Fraction` becomes a float. Of anything else only the name of its type is sent, and so of the
    inner parts of what is nested too deep or has too many parts.
    """
    budget = [PART_LIMIT] if budget is None else budget
    budget[0] -= 1
    if value is None or isinstance(value, bool):
        return {"is": "plain", "value": value}
    is_numpy = isinstance(value, np.ndarray | np.generic)
    if isinstance(value, str) and not is_numpy:
        return {"is": "plain", "value": str.__str__(value)}
    if isinstance(value, int) and not is_numpy:
        number = int.__int__(value)
        return {"is": "int", "value": str(number)} if abs(number) < 10**4000 else _other(value)
    if isinstance(value, float) and not is_numpy:
        return {"is": "float", "value": float.hex(value)}
    if isinstance(value, Fraction):
        with contextlib.suppress(OverflowError):
            return {"is": "float", "value": float.hex(value.numerator / value.denominator)}
    roomy = depth < DEPTH_LIMIT and budget[0] > 0
    if roomy and isinstance(value, tuple | list) and len(value) <= ITEM_LIMIT:
        parts = [
            encode(item, blobs, depth + 1, budget) for item in itertools.islice(value, ITEM_LIMIT)
        ]
        return {"is": "tuple" if isinstance(value, tuple) else "list", "items": parts}
    if roomy and isinstance(value, dict) and len(value) <= ITEM_LIMIT:
        items = [[str(key), encode(item, blobs, depth + 1, budget)] for key, item in value.items()]
        return {"is": "dict", "items": items}
    if isinstance(value, np.random.Generator):
        state = value.bit_generator.state
        return {"is": "generator", "state": json.dumps(state, default=_listed)}
    tensor = hasattr(value, "detach") and hasattr(value, "cpu")
    if len(blobs) < BLOB_LIMIT and (tensor or isinstance(value, np.ndarray | np.generic)):
        try:
            array = np.asarray(value.detach().cpu().numpy() if tensor else value)
            if array.dtype.kind in "biufcUS" and not array.dtype.hasobject:
                # A transposed view stays one: the axes go in the order in which memory has them.
                axes = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
                sent = array.transpose(axes)
                blobs.append(sent.tobytes())
                kind = "tensor" if tensor else "array"
                return {
                    "is": kind if tensor or isinstance(value, np.ndarray) else "scalar",
                    "dtype": array.dtype.str,
                    "shape": list(sent.shape),
                    "axes": axes,
                    "blob": len(blobs) - 1,
                }
        except Exception:  # an odd tensor (sparse, meta, bfloat16): only its type is told
            pass
    return _other(value)


def _listed(thing: Any) -> Any:
    return thing.tolist() if isinstance(thing, np.ndarray | np.generic) else str(thing)


def _other(value: Any) -> Message:
    try:
        text = repr(value)[:500]
    except Exception:
        text = ""
    return {"is": "other", "type": str(type(value).__name__)[:80], "repr": text}


class Decoder:
    """Makes the values again that `encode` wrote.

    What comes may be of anybody's making, so it is bounded by what it costs, not by its length:
    a few times `PART_LIMIT` parts in all, and each blob is used once, so that no more bytes are
    made than came.

    Parameters
    ----------
    blobs : list of bytes
        Of the frame.
    """

    def __init__(self, blobs: Sequence[Blob]) -> None:
        self.blobs: list[Blob | None] = list(blobs)
        self.parts = 0

    def value(self, data: Any, depth: int = 0) -> Any:
        """The value again.

        Raises
        ------
        Nonsense
            If it is not what `encode` makes.
        MemoryError
        """
        self.parts += 1
        if depth > DEPTH_LIMIT or self.parts > 4 * PART_LIMIT:
            raise Nonsense("too deep, or of too many parts")
        try:
            return self._value(data, depth)
        except (Nonsense, MemoryError):
            raise
        except Exception as error:
            raise Nonsense(f"no value: {type(error).__name__}") from error

    def _value(self, data: Any, depth: int) -> Any:
        what = data["is"]
        if what == "plain":
            value = data["value"]
            if value is not None and not isinstance(value, bool | str):
                raise Nonsense("not plain")
            return value
        if what == "int":
            return int(data["value"])
        if what == "float":
            return float.fromhex(data["value"])
        if what in ("tuple", "list"):
            items = [self.value(item, depth + 1) for item in data["items"]]
            return tuple(items) if what == "tuple" else items
        if what == "dict":
            return {str(key): self.value(item, depth + 1) for key, item in data["items"]}
        if what in ("array", "tensor", "scalar"):
            array = self._array(data)
            if what == "scalar" and array.ndim == 0:
                return array[()]
            if what == "tensor":
                import torch

                return torch.from_numpy(array)
            return array
        if what == "generator":
            state = json.loads(data["state"])
            kinds: dict[str, Any] = {"PCG64": np.random.PCG64, "MT19937": np.random.MT19937}
            made = np.random.Generator(kinds[state["bit_generator"]]())
            made.bit_generator.state = state
            return made
        if what == "other":
            name = "".join(c for c in str(data["type"])[:80] if c.isidentifier() or c.isdigit())
            text = str(data["repr"])[:500]
            return type(name or "object", (Opaque,), {"__repr__": lambda self: text})()
        raise Nonsense("no value")

    def _array(self, data: Any) -> np.ndarray:
        """An array of the type and shape that are claimed, if they fit its bytes."""
        kind, shape, number = data["dtype"], data["shape"], data["blob"]
        if type(number) is not int or not 0 <= number < len(self.blobs):
            raise Nonsense("no such blob")
        blob, self.blobs[number] = self.blobs[number], None
        if blob is None:
            raise Nonsense("two arrays of the same bytes")
        if not NUMBERS.fullmatch(kind):
            raise Nonsense("not a type of numbers")
        if len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
            raise Nonsense("not a shape")
        in_rows = list(range(len(shape)))
        axes = data.get("axes", in_rows)
        if sorted(axes) != in_rows:
            raise Nonsense("not an order of the axes")
        dtype = np.dtype(kind)
        if math.prod(shape) * dtype.itemsize != len(blob):
            raise Nonsense("a shape that does not fit")
        back = [axes.index(axis) for axis in in_rows]
        if not len(blob):
            return np.empty(shape, dtype).transpose(back)
        array = np.frombuffer(blob, dtype).reshape(shape)
        # A copy, since what lies over the bytes received could not be written to; and a truth value
        # that is neither 0 nor 1 would be equal to itself only by chance.
        array = array.view(np.uint8) != 0 if dtype.kind == "b" else array.copy()
        return array.transpose(back)
