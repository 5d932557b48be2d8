"""The zips that a learning platform gave out as a whole, where they lie in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from grader.intake.files import Found, in_zip
from grader.intake.layouts import is_zip, owner_of
from helpers.assignment.notebook_file import Unreadable

Parts = tuple[str, ...]


def open_downloads(
    root: Path, files: Iterable[Found], assignment: str
) -> tuple[list[Found], list[Parts]]:
    """The files of a folder, with those of downloads in the place of the downloads.

    The names and dates in a download are the platform's, and it may be as large as a batch. In a
    student's own zip neither says anything of whose it is or when it came.

    Parameters
    ----------
    root : path
        The folder.
    files : iterable of Found
        What lies in it.
    assignment : str

    Returns
    -------
    (list of Found, list of tuple of str)
        The files, and the paths of the zips that are downloads.
    """
    made: list[Found] = []
    downloads: list[Parts] = []
    for file in files:
        inside = _inside(root, file, assignment)
        if inside:
            downloads.append(file.parts)
            made += [replace(one, parts=(*file.parts, *one.parts)) for one in inside]
        else:
            made.append(file)
    return made, downloads


def _inside(root: Path, file: Found, assignment: str) -> list[Found]:
    """The files of a zip that is a download; none of another file."""
    path = root.joinpath(*file.parts)
    is_own = is_zip(file.name) and not file.problem and path.is_file() and not path.is_symlink()
    if not is_own or owner_of(file.parts, assignment).platform:
        return []
    try:
        inside = in_zip(path)
    except Unreadable:
        return []
    owners = [owner_of(one.parts, assignment) for one in inside if one.is_notebook]
    # A single name of Canvas' form could be anybody's.
    several = len({owner.key for owner in owners}) > 1
    is_download = owners and all(
        owner.platform and (several or owner.platform != "Canvas") for owner in owners
    )
    return inside if is_download else []
