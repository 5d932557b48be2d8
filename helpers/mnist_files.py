"""Where the files of the full MNIST lie, whether they are intact, and how they get here.

Lessons call ``helpers.data.load_mnist``; this module does the work on files behind it. The full
set is four files in a folder ``MNIST/raw``, the layout of ``torchvision.datasets.MNIST``.

Source of the data: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten
digits".
"""

import contextlib
import hashlib
import http.client
import os
import shutil
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The SHA-256 digest of each unpacked file."""

CONNECT_SECONDS = 10
"""How long a server may keep silent before the course gives it up."""

DISK_BYTES_NEEDED = 100_000_000
"""Free disk space the download asks for: 12 MB packed beside 55 MB unpacked, and some room."""

PARTIAL_PREFIX = "mnist-partial-"


class DataUnavailableError(RuntimeError):
    """The full MNIST was asked for and cannot be had, or its files are damaged."""


class DownloadError(DataUnavailableError):
    """The full MNIST is not on this machine and could not be downloaded.

    ``why`` holds the reason as part of a sentence, without the details of ``str(error)``.
    """

    def __init__(self, why: str, details: str):
        self.why = why
        super().__init__(
            f"The full MNIST could not be downloaded: {why} ({details}). Connect and try again, "
            "or set MNIST_ROOT to a folder that holds MNIST/raw, or use source='sample'."
        )


def cache_folder() -> Path:
    """Return the folder where the course keeps its download, whether it exists or not.

    That is ``cnn-course`` below ``XDG_CACHE_HOME``, or below ``~/.cache`` where the variable is
    unset or not an absolute path (XDG Base Directory Specification).
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.expanduser("~/.cache")
    return Path(base) / "cnn-course"


def find_full_mnist() -> Path:
    """Return the folder that holds a complete, intact ``MNIST/raw``; download it if need be.

    Looks in the folder that ``MNIST_ROOT`` names, if it is set, and nowhere else then; otherwise
    in the course's own cache, which the download fills.

    Raises
    ------
    DownloadError
        Nothing on this machine, and the download failed.
    DataUnavailableError
        ``MNIST_ROOT`` is wrong, or the files there or in the cache are damaged.
    """
    named = os.environ.get("MNIST_ROOT")
    if named:
        _check_named_folder(named)
        return Path(named)
    cache = cache_folder()
    if os.path.lexists(cache / "MNIST"):
        _check_cache(cache)
    else:
        _download(cache)
    return cache


def _check_named_folder(named: str) -> None:
    """Check what ``MNIST_ROOT`` points to; raise DataUnavailableError that says what to change."""
    root = Path(named)
    raw = root / "MNIST" / "raw"
    shown = f"MNIST_ROOT={named!r}"
    if not root.is_absolute():
        shown += f" (that is {root.resolve()})"
    if not raw.is_dir():
        hint = "Set it to the folder that holds MNIST/raw, or unset it."
        for parent in root.resolve().parents[:2]:
            if (parent / "MNIST" / "raw").is_dir():
                hint = f"You probably mean MNIST_ROOT={str(parent)!r}, which does."
        raise DataUnavailableError(f"{shown}: no folder MNIST/raw in it. {hint}")
    faults = _faults(raw)
    packed = [f"{name}.gz" for name in faults if (raw / f"{name}.gz").is_file()]
    if packed and all(fault == "missing" for fault in faults.values()):
        raise DataUnavailableError(
            f"{shown}: its files in MNIST/raw are still packed. "
            f"Unpack them in that folder: python -m gzip -d {' '.join(packed)}"
        )
    if faults:
        raise DataUnavailableError(
            f"{shown}: the files in MNIST/raw are not MNIST's: {_listed(faults)}. "
            "Put intact copies there, or unset MNIST_ROOT to let the course download its own."
        )


def _check_cache(cache: Path) -> None:
    faults = _faults(cache / "MNIST" / "raw")
    if faults:
        raise DataUnavailableError(
            f"The course's copy of MNIST is damaged: {_listed(faults)}. "
            f"Delete the folder {cache / 'MNIST'} and load again: it will be downloaded anew."
        )


def _faults(raw: Path) -> dict[str, str]:
    """Map the name of each file in ``raw`` that is not as it should be to what is wrong."""
    faults = {}
    for name, digest in SHA256.items():
        try:
            with open(raw / name, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    faults[name] = "wrong checksum"
        except (FileNotFoundError, NotADirectoryError):
            faults[name] = "missing"
        except OSError as error:
            faults[name] = f"cannot be read, {error.strerror}"
    return faults


def _listed(faults: dict[str, str]) -> str:
    return ", ".join(f"{name} ({fault})" for name, fault in faults.items())


def open_with_torchvision(root: Path, train: bool):
    """Open the files below ``root`` as a ``torchvision.datasets.MNIST``; nothing is downloaded."""
    return _mnist_class()(root, train=train, download=False)


def _mnist_class(**attributes):
    import torchvision

    # The class name is part of the path that torchvision makes, so it has to stay MNIST. Old
    # versions of torchvision left a folder "processed" that it would prefer to the raw files,
    # which are the ones we checked: point that path to where nothing of that kind lies.
    attributes["processed_folder"] = property(lambda self: self.raw_folder)
    return type("MNIST", (torchvision.datasets.MNIST,), attributes)


def _download(cache: Path) -> None:
    """Download, check and unpack MNIST into ``cache``, all or nothing.

    Everything happens in a new folder beside the final place, which a rename fills in one step:
    an interruption at any moment leaves no half-filled ``MNIST`` behind.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _remove_old_leftovers(cache)
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL_PREFIX, dir=cache))
    except OSError as error:
        raise DownloadError(
            "its folder cannot be written", f"{cache}: {error.strerror}; XDG_CACHE_HOME moves it"
        ) from error
    try:
        free = shutil.disk_usage(cache).free
        if free < DISK_BYTES_NEEDED:
            raise DownloadError(
                "the disk is full",
                f"{DISK_BYTES_NEEDED // 10**6} MB needed, {free // 10**6} MB free in {cache}",
            )
        print("Downloading MNIST (12 MB), once for all lessons ...", flush=True)
        _fetch(partial)
        faults = _faults(partial / "MNIST" / "raw")
        if faults:
            raise DownloadError("what arrived is not MNIST", _listed(faults))
        for packed in (partial / "MNIST" / "raw").glob("*.gz"):
            packed.unlink()
        _move_into_place(partial / "MNIST", cache / "MNIST")
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _remove_old_leftovers(cache: Path) -> None:
    """Remove what a killed download left a day ago or earlier; a younger one may be running."""
    for folder in cache.glob(f"{PARTIAL_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # another process has just removed it
            if time.time() - folder.stat().st_mtime > 24 * 3600:
                shutil.rmtree(folder, ignore_errors=True)


def _move_into_place(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        # Two notebooks downloaded at the same time and the other was first: its copy will do.
        if not target.is_dir():
            raise DownloadError("its folder cannot be written", f"{target}: {error}") from error
        _check_cache(target.parent)


def _fetch(folder: Path) -> None:
    """Let torchvision download into ``folder``, from those of its servers that answer."""
    import torchvision

    mirrors = _answering(torchvision.datasets.MNIST.mirrors, torchvision.datasets.MNIST.resources)
    # torchvision sets no time limit of its own: without one a dead connection hangs for ever.
    old_timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(CONNECT_SECONDS)
    try:
        _mnist_class(mirrors=mirrors)(folder, download=True)
    except (RuntimeError, OSError, EOFError, zlib.error, http.client.HTTPException) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise DownloadError(
            "the download broke off", lines[-1] if lines else type(error).__name__
        ) from error
    finally:
        socket.setdefaulttimeout(old_timeout)


def _answering(mirrors: list[str], resources: list[tuple[str, str]]) -> list[str]:
    """Return the servers that answer within ``CONNECT_SECONDS``, in the order given.

    All are asked at once, in threads: looking up a name can take minutes where the network is
    half there, and no time limit of Python reaches into that.
    """
    results: dict[str, Exception | None] = {}

    def ask(mirror):
        request = urllib.request.Request(mirror + resources[0][0], method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=CONNECT_SECONDS).close()
            results[mirror] = None
        except (OSError, ValueError, http.client.HTTPException) as error:
            results[mirror] = error

    threads = [threading.Thread(target=ask, args=(mirror,), daemon=True) for mirror in mirrors]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + CONNECT_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))

    answers = dict(results)  # a slow thread may still write to the other one
    found = [mirror for mirror in mirrors if mirror in answers and answers[mirror] is None]
    if not found:
        errors = [str(error) for error in answers.values()]
        details = errors[0] if errors else f"no answer within {CONNECT_SECONDS} seconds"
        raise DownloadError("the download servers cannot be reached", details)
    return found
