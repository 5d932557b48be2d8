"""Files in a folder or zip: what there is, and how each is read without trusting it."""

from __future__ import annotations

import functools
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from grader.intake.entries import LEFT_BEHIND
from grader.intake.layouts import is_noise, is_notebook, is_zip
from grader.judging.policy import MEBIBYTE, Limits
from helpers.assignment.notebook_file import Unreadable

Reader = Callable[[int], bytes]

EMPTY_FOLDER = "an empty folder"
# Each file in a zip is announced by this mark.
_ENTRY = b"PK\x01\x02"


@dataclass(frozen=True)
class Found:
    """A file of a batch.

    Attributes
    ----------
    parts : tuple of str
        Its path from the top of the batch. A zip in it counts as a folder.
    read : callable
        Given a number of bytes, reads as many and one more; raises `Unreadable`.
    is_link : bool
        Whether it is a link to a folder.
    when : datetime or None
        The date that a zip gives, without a time zone.
    problem : str
        Why nothing of it can be taken, if that is known without reading it.
    own_name : str
        What it was called before a learning platform renamed it.
    """

    parts: tuple[str, ...]
    read: Reader
    is_link: bool = False
    when: datetime | None = None
    problem: str = ""
    own_name: str = ""

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def called(self) -> str:
        """What its owner calls it."""
        return self.own_name or self.name

    @property
    def is_notebook(self) -> bool:
        return not self.problem and is_notebook(self.name)


def in_folder(root: Path) -> list[Found]:
    """The files of a folder; a link to a folder is a file that cannot be read.

    An empty folder, and a folder that programs leave behind, is one entry.
    """
    files = []
    for folder, folders, names in os.walk(root, followlinks=False):
        above = Path(folder).relative_to(root).parts
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        left = [name for name in folders if is_noise(name) and name not in links]
        folders[:] = sorted(n for n in folders if not is_noise(n) and n not in links)
        if above and not (folders or names or links or left):
            files.append(Found(above, _refuse(EMPTY_FOLDER), problem=EMPTY_FOLDER))
        for name in sorted(names + links + left):
            parts = (*above, name)
            if name in left:
                files.append(Found(parts, _refuse(LEFT_BEHIND), problem=LEFT_BEHIND))
            elif name in links:
                refuse = _refuse("a link to a folder: links are not followed")
                files.append(Found(parts, refuse, is_link=True))
            else:
                problem = LEFT_BEHIND if is_noise(name) else ""
                files.append(Found(parts, file_reader(Path(folder) / name), problem=problem))
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
    if sum(not entry.is_dir() for entry in archive.infolist()) > Limits.zip_files:
        raise Unreadable(f"{path.name} holds more than {Limits.zip_files} files")
    return _entries(archive.infolist(), lambda: archive)


def open_zips(files: Iterable[Found], limits: Limits) -> list[Found]:
    """The same files, with those of the zips among them in the place of the zips.

    A zip that cannot be opened stays, with the reason. Nothing is unpacked to the disk.

    Parameters
    ----------
    files : iterable of Found
    limits : Limits
        How deep zips may lie in zips, and how many files and bytes those may hold that one file
        of the batch leads to.
    """
    made = []
    for file in files:
        if file.problem or not is_zip(file.name):
            made.append(file)
        else:
            made += _opened(file, limits, _Budget(limits), 1)
    return made


class _Budget:
    """What is left of the limits of one file of the batch."""

    def __init__(self, limits: Limits) -> None:
        self.files, self.bytes = limits.inner_files, limits.inner_bytes


def _opened(file: Found, limits: Limits, budget: _Budget, depth: int) -> list[Found]:
    if depth > limits.zip_depth:
        return [replace(file, problem=f"a zip that lies more than {limits.zip_depth} zips deep")]
    try:
        data = file.read(budget.bytes)
        if len(data) > budget.bytes:
            size = f"{limits.inner_bytes / MEBIBYTE:g} MiB"
            raise Unreadable(f"a zip that is larger than {size}, or leads to zips that are")
        budget.bytes -= len(data)
        # Counted before it is read: the list of a zip's files may be all that there is in it.
        count = data.count(_ENTRY)
        if count > budget.files:
            raise Unreadable(f"a zip of more than {limits.inner_files} files")
        budget.files -= count
        opener = _Inner(file.read, len(data))
        entries = _entries(opener().infolist(), opener)
    except Unreadable as error:
        return [replace(file, problem=str(error), read=_refuse(str(error)))]
    if not entries:
        return [replace(file, problem="an empty zip")]
    found = []
    for entry in entries:
        # Its dates say when the student saved something, not when it was handed in.
        inner = replace(entry, parts=(*file.parts, *entry.parts), when=file.when)
        is_inner_zip = not inner.problem and is_zip(inner.name)
        found += _opened(inner, limits, budget, depth + 1) if is_inner_zip else [inner]
    return found


class _Inner:
    """A zip that was handed in: it is read again when it is not the last one that was."""

    def __init__(self, read: Reader, size: int) -> None:
        self.read, self.size = read, size

    def __call__(self) -> zipfile.ZipFile:
        return _zip_of(self)


@functools.lru_cache(maxsize=1)
def _zip_of(inner: _Inner) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(inner.read(inner.size)))
    except Unreadable:
        raise
    except Exception as error:  # BadZipFile, struct.error and whatever else damage leads to
        raise Unreadable(f"a damaged zip: {str(error)[:100]}") from error


def _entries(
    infos: Iterable[zipfile.ZipInfo], opener: Callable[[], zipfile.ZipFile]
) -> list[Found]:
    """The files and empty folders of a zip."""
    files: list[Found] = []
    left: dict[tuple[str, ...], Found] = {}
    folders: dict[tuple[str, ...], Found] = {}
    for entry in infos:
        name = _name_of(entry)
        parts = PurePosixPath(name.replace("\\", "/")).parts
        when = _date_of(entry)
        if not parts:
            continue
        noisy = next((number for number, part in enumerate(parts) if is_noise(part)), None)
        if parts[0] in ("/", "..") or ".." in parts or re.match(r"[A-Za-z]:", parts[0]):
            reason = f"a path that leaves the zip: {name!r}"
            files.append(Found(parts[-1:], _refuse(reason), when=when))
        elif noisy is not None:
            parts = parts[: noisy + 1]
            read = _refuse(LEFT_BEHIND) if entry.is_dir() else _entry_reader(opener, entry)
            left.setdefault(parts, Found(parts, read, when=when, problem=LEFT_BEHIND))
        elif entry.is_dir():
            folders[parts] = Found(parts, _refuse(EMPTY_FOLDER), when=when, problem=EMPTY_FOLDER)
        else:
            files.append(Found(parts, _entry_reader(opener, entry), when=when))
    for found in (*files, *left.values(), *folders.values()):
        for number in range(1, len(found.parts)):
            folders.pop(found.parts[:number], None)
    return [*files, *left.values(), *folders.values()]


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The path of a file in a zip, also from a program that does not say how it wrote letters."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")  # as which zipfile has read it
    except UnicodeEncodeError:
        return entry.filename
    for encoding, is_meant in (("utf-8", lambda letters: True), ("cp949", _is_korean)):
        try:
            name = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if is_meant([letter for letter in name if not letter.isascii()]):
            return name
    return entry.filename


def _is_korean(letters: Sequence[str]) -> bool:
    """Whether these are syllables, a common one among them.

    The rare ones are letters with accents in other code pages: "Mü" would be one.
    """
    is_hangul = all("\uac00" <= letter <= "\ud7a3" for letter in letters)
    # Of the rare ones EUC-KR has only the parts, in eight bytes.
    return is_hangul and any(len(letter.encode("euc_kr")) == 2 for letter in letters)


def _date_of(entry: zipfile.ZipInfo) -> datetime | None:
    try:
        when = datetime(*entry.date_time)
    except ValueError:
        return None
    return when if when.year > 1980 else None  # what a zip without dates has


def _entry_reader(opener: Callable[[], zipfile.ZipFile], entry: zipfile.ZipInfo) -> Reader:
    def read(limit: int) -> bytes:
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Unreadable("a link: links are not followed")
        if entry.flag_bits & 1:
            raise Unreadable("locked with a password")
        # The size in the zip's directory is only a claim: no more than the limit is unpacked.
        try:
            with opener().open(entry) as file:
                return file.read(limit + 1)
        except Unreadable:
            raise
        except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
            raise Unreadable(f"damaged in the zip: {error}") from error
        except Exception as error:  # zlib.error, lzma.LZMAError
            raise Unreadable(f"damaged in the zip: {type(error).__name__}") from error

    return read


def _refuse(reason: str) -> Reader:
    def read(limit: int) -> bytes:
        raise Unreadable(reason)

    return read
