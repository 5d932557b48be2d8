"""Files beside the notebook when it runs: the assignment's, and those it lets students add.

All files beside the student version are there, because students have them, too. Of what a student
hands in besides the notebook, those are there that the source names: in the notebook's metadata,
``"course": {"files": ["myhelper.py", "*.csv"]}``.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from grader.intake.entries import kind_of_file
from grader.intake.files import Found, file_reader
from grader.intake.layouts import is_noise
from grader.judging.policy import MEBIBYTE, Limits
from grader.words import Note
from helpers.assignment.notebook_file import Unreadable


def files_of(assignment: str, root: str | Path) -> tuple[dict[str, str], dict[str, str]]:
    """The files of an assignment, as students have them.

    Parameters
    ----------
    assignment : str
    root : path
        The course's folder.

    Returns
    -------
    (dict of str to str, dict of str to str)
        By name: the texts of the course (``*.json``), and all others in base64; what
        `grader.records.Job` calls ``files`` and ``beside``.

    Raises
    ------
    Unreadable
        If they are larger than a job may be.
    """
    folder = Path(root) / "assignments" / assignment
    texts, found = {}, {}
    size = 0
    for path in sorted(folder.iterdir()):
        # A notebook there is the assignment, or somebody's copy of it.
        if path.is_file() and path.suffix != ".ipynb" and not is_noise(path.name):
            data = file_reader(path)(Limits.beside_bytes)
            size += len(data)
            if size > Limits.beside_bytes:
                raise Unreadable(
                    f"the files in {folder} are larger than {Limits.beside_bytes / MEBIBYTE:g} MiB"
                )
            if path.suffix == ".json":
                texts[path.name] = data.decode()
            else:
                found[path.name] = base64.b64encode(data).decode()
    return texts, found


def patterns_of(source: Any) -> list[str]:
    """The names of files that students may hand in besides, from the source's metadata."""
    course = source.metadata.get("course", {})
    return [str(pattern) for pattern in course.get("files", ())]


def handed_in_beside(
    found: Iterable[Found], patterns: Iterable[str], own: Collection[str], limits: Limits
) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """What a student handed in beside the notebook, as far as the assignment asks for it.

    Parameters
    ----------
    found : iterable of Found
    patterns : iterable of str
        As of `patterns_of`.
    own : collection of str
        Names of the assignment's own files: they are never replaced.
    limits : Limits

    Returns
    -------
    (dict of str to str, list of str, dict of str to str)
        The files in base64 by name, notes on those that are not used, and why not by path.
    """
    files: dict[str, str] = {}
    why_not: dict[str, str] = {}
    notes: list[str] = []
    left, size = [], 0
    for file in found:
        name = file.called
        if name in own:
            why_not[file.path] = "the assignment's own file of this name is there"
            continue
        if name in files:
            why_not[file.path] = "another file of this name is there"
            left.append(file.path)
            continue
        if file.problem or not any(fnmatchcase(name, pattern) for pattern in patterns):
            why_not[file.path] = file.problem or f"{kind_of_file(name)}, not asked for"
            left.append(name)
            continue
        try:
            data = file.read(limits.beside_bytes)
            if size + len(data) > limits.beside_bytes:
                limit = f"{limits.beside_bytes / MEBIBYTE:g} MiB"
                raise Unreadable(
                    f"what is handed in beside the notebook may have {limit}; this is not there "
                    "when it runs"
                )
        except Unreadable as error:
            why_not[file.path] = str(error)
            notes.append(
                Note(
                    "{name}, handed in beside the notebook: {reason}",
                    name=name[:60],
                    reason=str(error),
                )
            )
            continue
        size += len(data)
        files[name] = base64.b64encode(data).decode()
    if left:
        left.sort()
        names = ", ".join(name[:60] for name in left[:5])
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        notes.append(
            Note(
                "handed in beside the notebook, and not there when it runs: {names}",
                names=names + more,
            )
        )
    return files, notes, why_not
