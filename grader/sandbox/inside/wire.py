"""Frames between grader and child: JSON and raw numbers, never pickles.

A frame is two lengths, a JSON text, and blobs whose sizes the JSON names.
"""

from __future__ import annotations

import itertools
import json
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

Blob = bytes | memoryview
Message = dict[str, Any]

HEAD = struct.Struct(">III")  # bytes of the JSON text, of the blobs together, and 0
MEBIBYTE = 2**20
FIRST_PART = 2**16
JSON_LIMIT = 32 * MEBIBYTE
# A text of 16 MiB can become a gigabyte of empty lists: what makes an object is counted first.
OBJECT_LIMIT = 3_000_000
BLOB_LIMIT = 4096


class TooMuch(Exception):
    """A frame or a value beyond the limits."""


class Gone(Exception):
    """The other side has closed the connection."""


class Nonsense(Exception):
    """What arrived is no frame, or no value."""


def pack(message: Any, blobs: Sequence[Blob] = ()) -> bytes:
    """The bytes that a frame begins with; the blobs follow them.

    Raises
    ------
    TypeError, ValueError, RecursionError, MemoryError
        If the message cannot be written as JSON.
    """
    text = json.dumps({"message": message, "blobs": [len(blob) for blob in blobs]}).encode()
    return HEAD.pack(len(text), sum(map(len, blobs)), 0) + text


def send(
    sock: socket.socket,
    message: Any,
    blobs: Sequence[Blob] = (),
    wait: Callable[[], None] | None = None,
) -> None:
    """Send one frame.

    Parameters
    ----------
    wait : callable, optional
        Called when there is no room for more; it returns when there is, or raises.

    Raises
    ------
    Gone
    """
    send_packed(sock, pack(message, blobs), blobs, wait)


def send_packed(
    sock: socket.socket,
    packed: bytes,
    blobs: Sequence[Blob] = (),
    wait: Callable[[], None] | None = None,
) -> None:
    """Send one frame, as `pack` made it; see `send`."""
    if sum(map(len, blobs)) < MEBIBYTE:
        packed, blobs = b"".join([packed, *blobs]), ()  # wakes the other side once
    for part in (packed, *blobs):
        try:
            if wait is None:
                sock.sendall(part)
                continue
            rest = memoryview(part)
            while rest:
                try:
                    rest = rest[sock.send(rest, socket.MSG_DONTWAIT) :]
                except BlockingIOError:
                    wait()
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone(str(error)) from error


def receive(
    sock: socket.socket,
    byte_limit: int = 256 * MEBIBYTE,
    wait: Callable[[], None] | None = None,
    trusted: bool = False,
) -> tuple[Any, list[Blob]]:
    """One frame: the message and its blobs.

    Parameters
    ----------
    sock : socket
    byte_limit : int
        Of the blobs together.
    wait : callable, optional
        Called before each part; it returns when something has come, or raises.
    trusted : bool
        The grader's own frames may be of any size.

    Raises
    ------
    Gone, TooMuch, Nonsense
    """
    # Most frames come whole at once.
    begin = _begin(sock, wait)
    size, more, zero = HEAD.unpack_from(begin)
    if zero:
        raise Nonsense("no frame")
    if size > JSON_LIMIT and not trusted:
        raise TooMuch(f"a frame of {size} bytes")
    if more > byte_limit and not trusted:
        raise TooMuch(f"{more} bytes of arrays")
    data = begin[HEAD.size :]
    missing = size + more - len(data)
    if missing < 0:
        raise Nonsense("more than a frame")
    if missing:
        whole = memoryview(bytearray(size + more))
        whole[: len(data)] = data
        rest = whole[len(data) :]
        while rest:
            rest = rest[_receive_into(rest, sock, wait) :]
        data = whole
    text = bytes(data[:size])
    if not trusted and sum(map(text.count, (b"[", b"{", b","))) > OBJECT_LIMIT:
        raise TooMuch("a frame of too many parts")
    try:
        frame = json.loads(text.decode())
        sizes = frame["blobs"]
        message = frame["message"]
        good = len(sizes) <= BLOB_LIMIT and all(type(n) is int and n >= 0 for n in sizes)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Nonsense("no frame") from error
    if not good or sum(sizes) != more:
        raise Nonsense("arrays of another size than announced")
    ends = list(itertools.accumulate(sizes, initial=size))
    return message, [data[start:end] for start, end in itertools.pairwise(ends)]


def _begin(sock: socket.socket, wait: Callable[[], None] | None) -> memoryview:
    """The head of a frame, with what comes along of the rest."""
    room = memoryview(bytearray(FIRST_PART))
    count = 0
    while count < HEAD.size:
        count += _receive_into(room[count:], sock, wait)
    return room[:count]


def _receive_into(room: memoryview, sock: socket.socket, wait: Callable[[], None] | None) -> int:
    """Receive what there is, into this memory; returns how many bytes came."""
    if wait is not None:
        wait()
    try:
        count = sock.recv_into(room)
    except TimeoutError:
        raise
    except OSError as error:
        raise Gone(str(error)) from error
    if not count:
        raise Gone("the connection is closed")
    return count
