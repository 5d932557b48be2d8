"""Get a file over the network, within limits: every download of the course goes through here.

Lessons call ``helpers.data.load_mnist`` and ``helpers.pretrained.trained_alexnet``; this module
does the work behind both. A time limit of Python's own ``urllib`` begins anew with each byte, so a
server that sends one now and then would hold a download for days. Here the whole has a limit too.
"""

from __future__ import annotations

import contextlib
import hashlib
import queue
import shutil
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from helpers.language import gettext

SILENCE_SECONDS = 10
"""How long a server may take for its first answer, and then keep silent."""

LEFTOVER_SECONDS = 3600
"""Longer than any download may take: what is older, a killed one has left."""

PARTIAL_PREFIX = "cnn-course-partial-"
HEADERS = {"User-Agent": "cnn-course"}
PIECE_BYTES = 1 << 16


class TransferError(RuntimeError):
    """A file could not be had.

    ``why`` holds the reason as part of a sentence, ``details`` what helps to find the cause.
    """

    def __init__(self, why: str, details: str) -> None:
        self.why = why
        self.details = details
        super().__init__(f"{why} ({details})")


class Limit:
    """A time limit in seconds that begins now; several files may share it.

    >>> str(Limit(300)), str(Limit(0.5))
    ('5 minutes', '0.5 seconds')
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, 0 where it is over."""
        return max(0.0, self._end - time.monotonic())

    def __str__(self) -> str:
        if self.seconds >= 120:
            return gettext("{count:g} minutes").format(count=self.seconds / 60)
        return gettext("{count:g} seconds").format(count=self.seconds)


def fetch(url: str, path: Path, limit: Limit, max_bytes: int) -> None:
    """Copy what ``url`` answers into the new file ``path``, with a progress bar on stdout.

    Parameters
    ----------
    url
        An address that begins with http or https; redirects and the system's proxies are followed.
    path
        The file to write. It is left half-filled where the transfer fails.
    limit
        The time for the whole; a silence of ``SILENCE_SECONDS`` ends it earlier.
    max_bytes
        How many bytes to take at the most.

    Raises
    ------
    TransferError
        No answer, a broken, too long or too slow transfer, or a file that cannot be written.
    """
    pieces: queue.Queue = queue.Queue(maxsize=16)
    given_up = threading.Event()
    # The thread may hang where no time limit reaches, as in looking up a name. It owns nothing
    # but its connection, so it can be left alone; whoever waits here goes on in time.
    threading.Thread(target=_receive, args=(url, pieces, given_up), daemon=True).start()
    try:
        total = _next(pieces, limit, gettext("the server cannot be reached"))
        with (
            open(path, "wb") as file,
            # Standard error would be red in a notebook.
            tqdm(
                total=total,
                desc=path.name,
                unit="B",
                unit_scale=True,
                file=sys.stdout,
                mininterval=0.5,
            ) as bar,
        ):
            arrived = 0
            while piece := _next(pieces, limit, gettext("the download broke off")):
                file.write(piece)
                bar.update(len(piece))
                arrived += len(piece)
                if arrived > max_bytes:
                    raise TransferError(
                        gettext("what arrived is too large"),
                        gettext("{name}, more than {size}").format(
                            name=path.name, size=_mb(max_bytes)
                        ),
                    )
        if total is not None and arrived != total:
            raise TransferError(
                gettext("the download broke off"),
                gettext("{name}, {arrived} of {total} arrived").format(
                    name=path.name, arrived=_mb(arrived), total=_mb(total)
                ),
            )
    except OSError as error:
        raise _not_writable(path, error) from error
    finally:
        given_up.set()
        with contextlib.suppress(queue.Empty):  # the thread may wait for room in the queue
            while True:
                pieces.get_nowait()


def _receive(url: str, pieces: queue.Queue, given_up: threading.Event) -> None:
    """Put into ``pieces`` the length of the answer or None, its bytes, and b"" or the error."""
    try:
        request = urllib.request.Request(url, headers=HEADERS)
        # This limit only ends the thread: `_next` gives up before.
        with urllib.request.urlopen(request, timeout=2 * SILENCE_SECONDS) as answer:
            pieces.put(answer.length)
            piece = None
            while piece != b"" and not given_up.is_set():
                piece = answer.read1(PIECE_BYTES)  # what is there, without waiting for more
                pieces.put(piece)
    except Exception as error:  # whatever it is, the other side must hear of it
        pieces.put(error)


def _next(pieces: queue.Queue, limit: Limit, why: str) -> Any:
    """Take what arrives next; TransferError where that is an error, or nothing comes in time."""
    try:
        item = pieces.get(timeout=min(SILENCE_SECONDS, limit.left()))
    except queue.Empty:
        item = TimeoutError(
            gettext("nothing came for {seconds} seconds").format(seconds=SILENCE_SECONDS)
        )
    if not limit.left():
        raise TransferError(
            gettext("the download took longer than {limit}").format(limit=limit),
            gettext("a slow connection, or a slow server"),
        )
    if isinstance(item, urllib.error.HTTPError):
        raise TransferError(gettext("the server does not give the file"), str(item)) from item
    if isinstance(item, Exception):
        raise TransferError(why, str(item) or type(item).__name__) from item
    return item


@contextlib.contextmanager
def partial_folder(parent: Path, bytes_needed: int, variable: str) -> Iterator[Path]:
    """Give a new folder in ``parent`` to download into, and remove it in the end.

    What is complete is to be renamed out of it: an interruption at any moment leaves no
    half-filled file under a name that counts.

    Parameters
    ----------
    parent
        Where the result will lie; made if need be.
    bytes_needed
        The free disk space to ask for.
    variable
        The environment variable that moves ``parent``, for the message.

    Raises
    ------
    TransferError
        The disk is full, or ``parent`` cannot be written.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(parent)
        free = shutil.disk_usage(parent).free
        if free < bytes_needed:
            raise TransferError(
                gettext("the disk is full"),
                gettext("{needed} needed, {free} free in {parent}; {variable} moves it").format(
                    needed=_mb(bytes_needed), free=_mb(free), parent=parent, variable=variable
                ),
            )
        folder = Path(tempfile.mkdtemp(prefix=PARTIAL_PREFIX, dir=parent))
    except OSError as error:
        raise _not_writable(parent, error, variable) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(parent: Path) -> None:
    """Remove what killed downloads left in ``parent``; a young one may be running and stays."""
    for folder in parent.glob(f"{PARTIAL_PREFIX}*"):
        with contextlib.suppress(OSError):  # another process has just removed it
            if time.time() - folder.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def fault(path: Path, sha256: str) -> str | None:
    """Say what is wrong with a file, in a few words; None if it is there and intact.

    ``sha256`` is the digest of its content in hexadecimal, or the beginning of it.
    """
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return gettext("missing")
    except OSError as error:
        return gettext("cannot be read, {error}").format(error=error.strerror)
    return None if digest.startswith(sha256) else gettext("wrong checksum")


def _not_writable(path: Path, error: OSError, variable: str = "") -> TransferError:
    details = f"{path}: {error.strerror or error}"
    if variable:
        details = gettext("{details}; {variable} moves it").format(
            details=details, variable=variable
        )
    return TransferError(gettext("its folder cannot be written"), details)


def _mb(count: int) -> str:
    return f"{round(count / 10**6, 1):g} MB"
