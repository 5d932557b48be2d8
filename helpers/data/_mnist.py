"""Where the files of the full MNIST lie, whether they are intact, and how they get here.

Lessons call ``helpers.data.load_mnist``; this module does the work on files behind it. The full
set is four files in a folder ``MNIST/raw``, the layout of ``torchvision.datasets.MNIST``.

Source of the data: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten
digits".
"""

from __future__ import annotations

import gzip
import http.client
import os
import threading
import urllib.request
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import _downloads
from helpers.language import gettext

if TYPE_CHECKING:
    import torchvision

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The SHA-256 digest of each unpacked file."""

DOWNLOAD_SECONDS = 5 * 60
"""How long the download may take altogether; silence ends it after ``_downloads.SILENCE_SECONDS``.

12 MB in 5 minutes are 40 kB a second.
"""

DISK_BYTES_NEEDED = 100_000_000
"""Free disk space the download asks for: 12 MB packed beside 55 MB unpacked, and some room."""


class DataUnavailableError(RuntimeError):
    """The full MNIST was asked for and cannot be had, or its files are damaged."""


class DownloadError(DataUnavailableError):
    """The full MNIST is not on this machine and could not be downloaded.

    ``why`` holds the reason as part of a sentence, without the details of ``str(error)``.
    """

    def __init__(self, why: str, details: str) -> None:
        self.why = why
        super().__init__(
            gettext(
                "The full MNIST could not be downloaded: {why} ({details}). Connect and try "
                "again, or set MNIST_ROOT to a folder that holds MNIST/raw, or use "
                "source='sample'."
            ).format(why=why, details=details)
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
        _downloads.remove_leftovers(cache)
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
        shown = gettext("{given} (that is {folder})").format(given=shown, folder=root.resolve())
    if not raw.is_dir():
        hint = gettext("Set it to the folder that holds MNIST/raw, or unset it.")
        for parent in root.resolve().parents[:2]:
            if (parent / "MNIST" / "raw").is_dir():
                hint = gettext("You probably mean MNIST_ROOT={folder!r}, which does.").format(
                    folder=str(parent)
                )
        raise DataUnavailableError(
            gettext("{shown}: no folder MNIST/raw in it. {hint}").format(shown=shown, hint=hint)
        )
    faults = _faults(raw)
    packed = [f"{name}.gz" for name in faults if (raw / f"{name}.gz").is_file()]
    if packed and not any((raw / name).exists() for name in faults):
        raise DataUnavailableError(
            gettext(
                "{shown}: its files in MNIST/raw are still packed. Unpack them in that "
                "folder: python -m gzip -d {files}"
            ).format(shown=shown, files=" ".join(packed))
        )
    if faults:
        raise DataUnavailableError(
            gettext(
                "{shown}: the files in MNIST/raw are not MNIST's: {faults}. Put intact "
                "copies there, or unset MNIST_ROOT to let the course download its own."
            ).format(shown=shown, faults=_listed(faults))
        )


def _check_cache(cache: Path) -> None:
    faults = _faults(cache / "MNIST" / "raw")
    if faults:
        raise DataUnavailableError(
            gettext(
                "The course's copy of MNIST is damaged: {faults}. Delete the folder {folder} "
                "and load again: it will be downloaded anew."
            ).format(faults=_listed(faults), folder=cache / "MNIST")
        )


def _faults(raw: Path) -> dict[str, str]:
    """Map the name of each file in ``raw`` that is not as it should be to what is wrong."""
    found = {name: _downloads.fault(raw / name, digest) for name, digest in SHA256.items()}
    return {name: fault for name, fault in found.items() if fault}


def _listed(faults: dict[str, str]) -> str:
    return ", ".join(f"{name} ({fault})" for name, fault in faults.items())


def open_with_torchvision(root: Path, train: bool) -> torchvision.datasets.MNIST:
    """Open the files below ``root`` as a ``torchvision.datasets.MNIST``; nothing is downloaded."""
    import torchvision

    # The class name is part of the path that torchvision makes, so it has to stay MNIST. Old
    # versions of torchvision left a folder "processed" that it would prefer to the raw files,
    # which are the ones we checked: point that path to where nothing of that kind lies.
    processed = property(lambda self: self.raw_folder)
    mnist = type("MNIST", (torchvision.datasets.MNIST,), {"processed_folder": processed})
    return mnist(root, train=train, download=False)


def _download(cache: Path) -> None:
    """Download, check and unpack MNIST into ``cache``, all or nothing."""
    try:
        with _downloads.partial_folder(cache, DISK_BYTES_NEEDED, "XDG_CACHE_HOME") as partial:
            limit = _downloads.Limit(DOWNLOAD_SECONDS)
            print(
                gettext(
                    "Downloading MNIST (12 MB), once for all lessons; {limit} at most ..."
                ).format(limit=limit)
            )
            _fetch(partial)
            _move_into_place(partial / "MNIST", cache / "MNIST")
    except _downloads.TransferError as error:
        raise DownloadError(error.why, error.details) from error


def _move_into_place(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        # Two notebooks downloaded at the same time and the other was first: its copy will do.
        if not target.is_dir():
            raise DownloadError(
                gettext("its folder cannot be written"), f"{target}: {error}"
            ) from error
        _check_cache(target.parent)


def _fetch(folder: Path) -> None:
    """Download into ``folder``/MNIST/raw, from those of torchvision's servers that answer.

    Not by torchvision's own download: it has no time limit for the whole.
    """
    import torchvision

    mirrors = _answering(torchvision.datasets.MNIST.mirrors)
    limit = _downloads.Limit(DOWNLOAD_SECONDS)
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in SHA256:
        for mirror in mirrors:
            try:
                _fetch_file(mirror, raw / name, limit)
                break
            except _downloads.TransferError:
                if mirror == mirrors[-1]:
                    raise


def _fetch_file(mirror: str, path: Path, limit: _downloads.Limit) -> None:
    packed = path.with_name(f"{path.name}.gz")
    _downloads.fetch(mirror + packed.name, packed, limit, max_bytes=DISK_BYTES_NEEDED)
    try:
        with gzip.open(packed) as file:
            path.write_bytes(file.read(DISK_BYTES_NEEDED))
        packed.unlink()
        fault = _downloads.fault(path, SHA256[path.name])
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        fault = str(error)
    except OSError as error:
        raise DownloadError(gettext("its folder cannot be written"), f"{path}: {error}") from error
    if fault:
        raise _downloads.TransferError(
            gettext("what arrived is not MNIST"), _listed({path.name: fault})
        )


def _answering(mirrors: list[str]) -> list[str]:
    """Return the servers that answer within ``_downloads.SILENCE_SECONDS``, in the order given.

    All are asked at once, in threads: looking up a name can take minutes where the network is
    half there, and no time limit of Python reaches into that.
    """
    results: dict[str, Exception | None] = {}

    def ask(mirror):
        address = f"{mirror}{next(iter(SHA256))}.gz"
        request = urllib.request.Request(address, headers=_downloads.HEADERS, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=_downloads.SILENCE_SECONDS).close()
            results[mirror] = None
        except (OSError, ValueError, http.client.HTTPException) as error:
            results[mirror] = error

    threads = [threading.Thread(target=ask, args=(mirror,), daemon=True) for mirror in mirrors]
    for thread in threads:
        thread.start()
    limit = _downloads.Limit(_downloads.SILENCE_SECONDS)
    for thread in threads:
        thread.join(limit.left())

    answers = dict(results)  # a slow thread may still write to the other one
    found = [mirror for mirror in mirrors if mirror in answers and answers[mirror] is None]
    if not found:
        errors = [str(error) for error in answers.values()]
        details = errors[0] if errors else gettext("no answer within {limit}").format(limit=limit)
        raise DownloadError(gettext("the download servers cannot be reached"), details)
    return found
