"""Frames between grader and child, and values in them: JSON and raw numbers, never pickles.

A frame is two lengths, a JSON text, and blobs whose sizes the JSON names. A value is encoded as
JSON that refers to blobs for its arrays: type and shape stand in the JSON, the blob holds the
bytes.
"""

import itertools
import json
import math
import re
import struct
import time

import numpy as np

HEAD = struct.Struct(">III")  # bytes of the JSON text, of the blobs together, and 0
MEBIBYTE = 2**20
MOST_JSON = 32 * MEBIBYTE
# A text of 16 MiB can become a gigabyte of empty lists: what makes an object is counted first.
MOST_OBJECTS = 3_000_000
MOST_BLOBS = 4096
DEEPEST = 20
MOST_ITEMS = 10_000
MOST_ITEMS_IN_ALL = 100_000
NUMBERS = re.compile(r"[<>|=]?(?:[biuf][1248]|f16|c8|c16|c32|S\d{1,6}|U\d{1,6})")


class TooMuch(Exception):
    """A frame or a value beyond the limits."""


class Gone(Exception):
    """The other side has closed the connection."""


class Nonsense(Exception):
    """What arrived is no frame, or no value."""


class Opaque:
    """Stands for a value that is not sent: only the name of its type is known."""


def pack(message, blobs=()):
    """The bytes that a frame begins with; the blobs follow them.

    Raises
    ------
    TypeError, ValueError, RecursionError, MemoryError
        If the message cannot be written as JSON.
    """
    text = json.dumps({"message": message, "blobs": [len(blob) for blob in blobs]}).encode()
    return HEAD.pack(len(text), sum(map(len, blobs)), 0) + text


def send(sock, message, blobs=()):
    """Send one frame.

    Raises
    ------
    Gone, TimeoutError
    """
    send_packed(sock, pack(message, blobs), blobs)


def send_packed(sock, packed, blobs=()):
    """Send one frame, as `pack` made it."""
    try:
        if sum(map(len, blobs)) < MEBIBYTE:
            sock.sendall(b"".join([packed, *blobs]))  # wakes the other side once
            return
        sock.sendall(packed)
        for blob in blobs:
            sock.sendall(blob)
    except TimeoutError:
        raise
    except OSError as error:
        raise Gone(str(error)) from error


def receive(sock, most=256 * MEBIBYTE, seconds=None, trusted=False):
    """One frame: the message and its blobs.

    Parameters
    ----------
    sock : socket
    most : int
        Bytes of the blobs together.
    seconds : float, optional
        For the whole frame, however slowly it comes.
    trusted : bool
        The grader's own frames may be of any size.

    Raises
    ------
    Gone, TooMuch, Nonsense, TimeoutError
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    size, more, zero = HEAD.unpack(_exactly(sock, HEAD.size, deadline))
    if zero:
        raise Nonsense("no frame")
    if size > MOST_JSON and not trusted:
        raise TooMuch(f"a frame of {size} bytes")
    if more > most and not trusted:
        raise TooMuch(f"{more} bytes of arrays")
    data = memoryview(_exactly(sock, size + more, deadline))
    text = bytes(data[:size])
    if not trusted and sum(map(text.count, (b"[", b"{", b","))) > MOST_OBJECTS:
        raise TooMuch("a frame of too many parts")
    try:
        frame = json.loads(text)
        sizes = frame["blobs"]
        message = frame["message"]
        good = len(sizes) <= MOST_BLOBS and all(type(n) is int and n >= 0 for n in sizes)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Nonsense("no frame") from error
    if not good or sum(sizes) != more:
        raise Nonsense("arrays of another size than was said")
    ends = list(itertools.accumulate(sizes, initial=size))
    return message, [data[start:end] for start, end in itertools.pairwise(ends)]


def _exactly(sock, size, deadline):
    parts, missing = [], size
    while missing:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("half a frame")
            sock.settimeout(left)
        try:
            part = sock.recv(min(missing, MEBIBYTE))
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone(str(error)) from error
        if not part:
            raise Gone("the connection is closed")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def encode(value, blobs, depth=0, budget=None):
    """A value as JSON; arrays are appended to `blobs`.

    Numbers, texts, None, arrays and tensors of numbers, and tuples, lists and dicts of them keep
    what they are; of anything else only the name of its type is told, and so of the inner parts of
    what is nested too deep or has too many parts.
    """
    budget = [MOST_ITEMS_IN_ALL] if budget is None else budget
    budget[0] -= 1
    kind = type(value)
    if value is None or kind in (bool, str):
        return {"is": "plain", "value": value}
    if kind is int:
        return {"is": "int", "value": str(value)} if abs(value) < 10**4000 else _other(value)
    if kind is float:
        return {"is": "float", "value": value.hex()}
    roomy = depth < DEEPEST and budget[0] > 0
    if roomy and kind in (tuple, list) and len(value) <= MOST_ITEMS:
        items = [encode(item, blobs, depth + 1, budget) for item in value]
        return {"is": kind.__name__, "items": items}
    if roomy and isinstance(value, dict) and len(value) <= MOST_ITEMS:
        items = [[str(key), encode(item, blobs, depth + 1, budget)] for key, item in value.items()]
        return {"is": "dict", "items": items}
    if kind is np.random.Generator:
        state = value.bit_generator.state
        return {"is": "generator", "state": json.dumps(state, default=_listed)}
    tensor = hasattr(value, "detach") and hasattr(value, "cpu")
    if len(blobs) < MOST_BLOBS and (tensor or isinstance(value, np.ndarray | np.generic)):
        try:
            array = np.asarray(value.detach().cpu().numpy() if tensor else value)
            if array.dtype.kind in "biufcUS" and not array.dtype.hasobject:
                blobs.append(array.tobytes())
                kind = "tensor" if tensor else "array"
                return {
                    "is": kind if tensor or isinstance(value, np.ndarray) else "scalar",
                    "dtype": array.dtype.str,
                    "shape": list(array.shape),
                    "blob": len(blobs) - 1,
                }
        except Exception:  # an odd tensor (sparse, meta, bfloat16): only its type is told
            pass
    return _other(value)


def _listed(thing):
    return thing.tolist() if isinstance(thing, np.ndarray | np.generic) else str(thing)


def _other(value):
    try:
        text = repr(value)[:500]
    except Exception:
        text = ""
    return {"is": "other", "type": str(type(value).__name__)[:80], "repr": text}


def decode(data, blobs, depth=0):
    """The value again; `Nonsense` if it is not what `encode` makes."""
    try:
        what = data["is"]
        if depth > DEEPEST:
            raise Nonsense("too deep")
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
            items = [decode(item, blobs, depth + 1) for item in data["items"]]
            return tuple(items) if what == "tuple" else items
        if what == "dict":
            return {str(key): decode(item, blobs, depth + 1) for key, item in data["items"]}
        if what in ("array", "tensor", "scalar"):
            array = _array(data, blobs)
            if what == "scalar" and array.ndim == 0:
                return array[()]
            if what == "tensor":
                import torch

                return torch.from_numpy(array)
            return array
        if what == "generator":
            state = json.loads(data["state"])
            kinds = {"PCG64": np.random.PCG64, "MT19937": np.random.MT19937}
            made = np.random.Generator(kinds[state["bit_generator"]]())
            made.bit_generator.state = state
            return made
        if what == "other":
            name = "".join(c for c in str(data["type"])[:80] if c.isidentifier() or c.isdigit())
            text = str(data["repr"])[:500]
            return type(name or "object", (Opaque,), {"__repr__": lambda self: text})()
    except Nonsense:
        raise
    except Exception as error:
        raise Nonsense(f"no value: {type(error).__name__}") from error
    raise Nonsense("no value")


def _array(data, blobs):
    """An array of the type and shape that are claimed, if they fit its bytes."""
    kind, shape, blob = data["dtype"], data["shape"], blobs[data["blob"]]
    if not NUMBERS.fullmatch(kind):
        raise Nonsense("not a type of numbers")
    if len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise Nonsense("not a shape")
    dtype = np.dtype(kind)
    if math.prod(shape) * dtype.itemsize != len(blob):
        raise Nonsense("a shape that does not fit")
    if not blob:
        return np.empty(shape, dtype)
    array = np.frombuffer(blob, dtype).reshape(shape)
    # A copy, since what lies over the bytes received could not be written to; and a truth value
    # that is neither 0 nor 1 would be equal to itself only by chance.
    return array.view(np.uint8) != 0 if dtype.kind == "b" else array.copy()
