"""Files in a folder or zip: what there is, and how each is read without trusting it."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.intake.layouts import is_noise, is_notebook
from grader.judging.policy import Limits
from helpers.assignment.notebook_file import Unreadable

Reader = Callable[[int], bytes]


@dataclass(frozen=True)
class Found:
    """A file of a batch.

    Attributes
    ----------
    parts : tuple of str
        Its path from the top of the batch.
    read : callable
        Given a number of bytes, reads as many and one more; raises `Unreadable`.
    is_link : bool
        Whether it is a link to a folder.
    """

    parts: tuple[str, ...]
    read: Reader
    is_link: bool = False

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def is_notebook(self) -> bool:
        return is_notebook(self.name)


def in_folder(root: Path) -> list[Found]:
    """The files of a folder; a link to a folder is a file that cannot be read."""
    files = []
    for folder, folders, names in os.walk(root, followlinks=False):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(n for n in folders if not is_noise(n) and n not in links)
        for name in sorted(names + links):
            if is_noise(name):
                continue
            parts = (*Path(folder).relative_to(root).parts, name)
            if name in links:
                refuse = _refuse("a link to a folder: links are not followed")
                files.append(Found(parts, refuse, is_link=True))
            else:
                files.append(Found(parts, file_reader(Path(folder) / name)))
    return files


def file_reader(path: Path) -> Reader:
    """What reads an ordinary file."""

    def read(limit: int) -> bytes:
        # Not followed if it is a link, and not waited for if it is a pipe.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            if path.is_symlink():
                raise Unreadable("a link: links are not followed")
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise Unreadable("not an ordinary file")
            with os.fdopen(os.open(path, flags), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Unreadable("not an ordinary file")
                return file.read(limit + 1)
        except OSError as error:
            raise Unreadable(f"cannot be opened: {error.strerror}") from error

    return read


def in_zip(path: Path) -> list[Found]:
    """The files of a zip, none of which is unpacked to the disk.

    Raises
    ------
    Unreadable
        If the zip as a whole cannot be used.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise Unreadable(f"{path.name} is a damaged zip: {error}") from error
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > Limits.zip_files:
        raise Unreadable(f"{path.name} holds more than {Limits.zip_files} files")
    files = []
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        if not parts:
            continue
        if parts[0] in ("/", "..") or ".." in parts or re.match(r"[A-Za-z]:", parts[0]):
            reason = f"a path that leaves the zip: {entry.filename!r}"
            files.append(Found(parts[-1:], _refuse(reason)))
        elif not any(map(is_noise, parts)):
            files.append(Found(parts, _entry_reader(archive, entry)))
    return files


def _entry_reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Reader:
    def read(limit: int) -> bytes:
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Unreadable("a link: links are not followed")
        if entry.flag_bits & 1:
            raise Unreadable("locked with a password")
        # The size in the zip's directory is only a claim: no more than the limit is unpacked.
        try:
            with archive.open(entry) as file:
                return file.read(limit + 1)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
            raise Unreadable(f"damaged in the zip: {error}") from error
        except Exception as error:  # zlib.error, lzma.LZMAError
            raise Unreadable(f"damaged in the zip: {type(error).__name__}") from error

    return read


def _refuse(reason: str) -> Reader:
    def read(limit: int) -> bytes:
        raise Unreadable(reason)

    return read
