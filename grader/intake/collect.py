"""Find the submissions in a folder or a zip, and read them without trusting them.

Understood are plain files ``STUDENT.ipynb`` and nbgrader's ``STUDENT/ASSIGNMENT/NAME.ipynb``,
also without the middle folder and whatever the notebook itself is called. Links are never
followed, nothing but ordinary files is read, and what cannot be read is reported with the reason
and stops nothing.
"""

import hashlib
import json
import os
import re
import stat
import unicodedata
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import nbformat

from grader.judging.policy import MEBIBYTE, Limits
from grader.text import writable

DEFAULT = Limits()
LONGEST_NAME = 160  # bytes; a file system takes 255, and some names get endings


class Unreadable(Exception):
    """A submission that cannot be read; the message is the reason, for the instructor."""


@dataclass(frozen=True)
class Submission:
    """One student's notebook, not read yet.

    Attributes
    ----------
    student : str
        The student's name in the gradebook.
    origin : str
        Where it was found, for messages.
    candidates : tuple
        The files it could be, each with a function that reads so many bytes and one more, or
        raises `Unreadable`.
    """

    student: str
    origin: str
    candidates: tuple = field(repr=False)

    def read(self, assignment, grade_ids=(), limits=DEFAULT):
        """The notebook, in nbformat 4.

        Parameters
        ----------
        assignment : str
            The name that the notebook should have; any name does if it is the only notebook.
        grade_ids : iterable of str
            The ids of the assignment's cells, by which a renamed notebook is known among several.
        limits : Limits

        Raises
        ------
        Unreadable
        """
        named = [c for c in self.candidates if PurePosixPath(c[0]).stem == assignment]
        choice = named or list(self.candidates)
        if len(choice) > 1:
            choice = [self._most_alike(choice, set(grade_ids), limits)]
        return parse(choice[0][1](limits.notebook_bytes), limits)

    def _most_alike(self, choice, grade_ids, limits):
        scores = []
        for candidate in choice:
            try:
                found = set(ids_of(parse(candidate[1](limits.notebook_bytes), limits)))
            except Unreadable:
                found = set()
            scores.append(len(found & grade_ids))
        best = max(scores)
        if scores.count(best) > 1:
            names = ", ".join(name for name, _ in choice)
            raise Unreadable(f"several notebooks, and no telling which is meant: {names}")
        return choice[scores.index(best)]


def collect(path, assignment):
    """The submissions in a folder or zip, by student, in alphabetical order.

    Parameters
    ----------
    path : path
    assignment : str

    Returns
    -------
    list of Submission

    Raises
    ------
    Unreadable
        If the folder or the zip as a whole cannot be used.
    """
    path = Path(path)
    if path.is_dir():
        files = _in_folder(path)
    elif zipfile.is_zipfile(path):
        files = _without_common_folder(_in_zip(path), assignment)
    elif path.suffix == ".ipynb" and path.is_file():
        files = [((path.name,), _file_reader(path))]
    elif not path.exists():
        raise Unreadable(f"there is nothing at {path}")
    else:
        raise Unreadable(f"{path} is neither a folder, nor a zip, nor a notebook")
    grouped = {}
    for parts, reader in files:
        grouped.setdefault(_student(parts, assignment), []).append(("/".join(parts), reader))
    names = {raw: clean_name(raw) for raw in grouped}
    often = Counter(names.values())
    for raw, name in names.items():
        if often[name] > 1 and name != raw:
            # Two students must not become one because of a sign that no file name can hold.
            names[raw] = f"{name}-{hashlib.sha256(raw.encode()).hexdigest()[:8]}"
    return [
        Submission(names[raw], ", ".join(name for name, _ in found[:3]), tuple(found))
        for raw, found in sorted(grouped.items(), key=lambda item: names[item[0]])
    ]


def parse(data, limits=DEFAULT):
    """Bytes to a notebook in nbformat 4, or `Unreadable` with the reason."""
    if len(data) > limits.notebook_bytes:
        raise Unreadable(f"larger than {limits.notebook_bytes / MEBIBYTE:g} MiB")
    if not data.strip():
        raise Unreadable("the file is empty")
    try:
        # Some Windows programs write a mark before UTF-8, or UTF-16; JSON itself is UTF-8.
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not a text in UTF-8 ({error.reason} at byte {error.start})") from error
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not a notebook, or cut off: {str(error)[:120]}") from error
    if not isinstance(content, dict) or "nbformat" not in content:
        raise Unreadable("not a notebook: it has no nbformat")
    try:
        _mend_parts(content)
        # Halves of characters can be written in JSON, but not in a file: a "?" stands for them.
        clean = writable(json.dumps(content, ensure_ascii=False))
        notebook = nbformat.convert(nbformat.reader.reads(clean), 4)
        cells = notebook.cells
        for cell in cells:
            _check_cell(cell)
            if not isinstance(cell.metadata, dict):  # as `_mend_parts` does in format 4
                cell.metadata = nbformat.from_dict({})
    except Exception as error:  # nbformat raises whatever the damage leads to
        raise Unreadable(
            f"a damaged notebook: {type(error).__name__}: {str(error)[:120]}"
        ) from error
    if len(cells) > limits.cells:
        raise Unreadable(f"more than {limits.cells} cells ({len(cells)})")
    return notebook


def _mend_parts(content):
    """Give a notebook in format 4 what format 4.5 wants: also an id of its own for each cell."""
    if content["nbformat"] != 4:
        return
    seen = set()
    if not isinstance(content.get("metadata"), dict):
        content["metadata"] = {}
    for number, cell in enumerate(content["cells"]):
        if not isinstance(cell.get("metadata"), dict):
            cell["metadata"] = {}
        if cell.get("cell_type") == "code":
            # Nothing of what was shown is used.
            cell["outputs"], cell["execution_count"] = [], None
        name = cell.get("id")
        if not isinstance(name, str) or not re.fullmatch(r"[\w-]{1,64}", name) or name in seen:
            cell["id"] = f"cell-{number}"
        seen.add(cell["id"])
    content["nbformat_minor"] = max(5, int(content.get("nbformat_minor", 0)))


def _check_cell(cell):
    """Raise if that is no cell."""
    if cell.cell_type not in ("code", "markdown", "raw"):
        raise ValueError(f"a cell of type {cell.cell_type!r}")
    if not isinstance(cell.source, str):
        raise ValueError("a cell whose source is no text")


def ids_of(notebook):
    """The grade ids of a notebook's cells, in order."""
    metas = (cell.metadata.get("nbgrader") for cell in notebook.cells)
    return [
        meta["grade_id"]
        for meta in metas
        if isinstance(meta, dict) and isinstance(meta.get("grade_id"), str)
    ]


def _in_folder(root):
    files = []
    for folder, folders, names in os.walk(root, followlinks=False):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(n for n in folders if not _is_noise(n) and n not in links)
        for name in sorted(names + links):
            parts = (*Path(folder).relative_to(root).parts, name)
            if name in links:
                # A student's folder that is a link is a submission, too: an unreadable one.
                files.append((parts, _refuse("a link to a folder: links are not followed")))
            elif name.lower().endswith(".ipynb") and not _is_noise(name):
                files.append((parts, _file_reader(Path(folder) / name)))
    return files


def _file_reader(path):
    def read(most):
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
                return file.read(most + 1)
        except OSError as error:
            raise Unreadable(f"cannot be opened: {error.strerror}") from error

    return read


def _in_zip(path):
    archive = zipfile.ZipFile(path)
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > Limits.zip_files:
        raise Unreadable(f"{path.name} holds more than {Limits.zip_files} files")
    files = []
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        if not parts or not parts[-1].lower().endswith(".ipynb"):
            continue
        if parts[0] in ("/", "..") or ".." in parts or re.match(r"[A-Za-z]:", parts[0]):
            files.append((parts[-1:], _refuse(f"a path that leaves the zip: {entry.filename!r}")))
        elif not any(map(_is_noise, parts)):
            files.append((parts, _entry_reader(archive, entry)))
    return files


def _entry_reader(archive, entry):
    def read(most):
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Unreadable("a link: links are not followed")
        if entry.flag_bits & 1:
            raise Unreadable("locked with a password")
        # The size in the zip's directory is only a claim: no more than the limit is unpacked.
        try:
            with archive.open(entry) as file:
                return file.read(most + 1)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
            raise Unreadable(f"damaged in the zip: {error}") from error
        except Exception as error:  # zlib.error, lzma.LZMAError
            raise Unreadable(f"damaged in the zip: {type(error).__name__}") from error

    return read


def _refuse(reason):
    def read(most):
        raise Unreadable(reason)

    return read


def _is_noise(name):
    return name.startswith(".") or name in ("__MACOSX", ".ipynb_checkpoints")


def _without_common_folder(files, assignment):
    """Files of a zip that was made of a folder: without that folder's name.

    A folder that all have in common is dropped if it holds notebooks of several students, or
    folders of students; a single student's own folder is kept.
    """
    tops = {parts[0] for parts, _ in files}
    if len(tops) != 1 or any(len(parts) == 1 for parts, _ in files):
        return files
    inside = [(parts[1:], reader) for parts, reader in files]
    flat = [parts for parts, _ in inside if len(parts) == 1]
    several = len(flat) > 1 and all(Path(parts[0]).stem != assignment for parts in flat)
    nested = any(len(parts) >= 3 and parts[1] == assignment for parts, _ in inside)
    deep = len({parts[0] for parts, _ in inside if len(parts) == 2}) > 1 and not any(
        parts[0] == assignment for parts, _ in inside
    )
    return inside if several or nested or deep else files


def _student(parts, assignment):
    if assignment in parts[1:-1]:
        name = parts[parts.index(assignment, 1) - 1]
    elif len(parts) > 1 or not parts[0].lower().endswith(".ipynb"):
        name = parts[0]
    else:
        name = parts[0][: -len(".ipynb")]
    return unicodedata.normalize("NFC", writable(name))


def clean_name(name):
    """A student's name as gradebook and file system can hold it: at most 160 bytes."""
    clean = "".join(sign if sign.isalnum() or sign in "._-@+ " else "_" for sign in name).strip()
    clean = clean.lstrip(".") or "_"
    if len(clean.encode()) > LONGEST_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        kept = clean.encode()[: LONGEST_NAME - 9].decode(errors="ignore")
        clean = f"{kept}-{digest}"
    return clean
