"""Whose a file is, by where it lies in a folder or zip of submissions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

ENDING = ".ipynb"
# Left by systems and by nbgrader, beside what begins with a dot.
LEFT_BY_PROGRAMS = ("__MACOSX", "Thumbs.db", "desktop.ini", "timestamp.txt")


def is_notebook(name: str) -> bool:
    """Whether a file is a notebook, by its name."""
    return name.lower().endswith(ENDING)


def is_noise(name: str) -> bool:
    """Whether a file or folder is one that systems and programs leave behind."""
    return name.startswith(".") or name in LEFT_BY_PROGRAMS


def student_of(parts: Sequence[str], assignment: str) -> str:
    """The name of the file or folder that tells whose a file is.

    Parameters
    ----------
    parts : sequence of str
        The file's path from the top of what was handed in.
    assignment : str
    """
    if assignment in parts[1:-1]:
        return parts[parts.index(assignment, 1) - 1]
    if len(parts) > 1 or not is_notebook(parts[0]):
        return parts[0]
    return parts[0][: -len(ENDING)]


def common_folder(paths: Sequence[Sequence[str]], assignment: str) -> bool:
    """Whether a zip was made of a folder, so that the first folder of all paths tells nothing.

    That folder is dropped if it holds notebooks of several students, or folders of students; a
    single student's own folder is kept.

    Parameters
    ----------
    paths : sequence of sequence of str
        Of the notebooks.
    assignment : str
    """
    if len({parts[0] for parts in paths}) != 1 or any(len(parts) == 1 for parts in paths):
        return False
    inside = [parts[1:] for parts in paths]
    flat = [parts for parts in inside if len(parts) == 1]
    several = len(flat) > 1 and all(PurePosixPath(parts[0]).stem != assignment for parts in flat)
    nested = any(len(parts) >= 3 and parts[1] == assignment for parts in inside)
    deep = len({parts[0] for parts in inside if len(parts) == 2}) > 1 and not any(
        parts[0] == assignment for parts in inside
    )
    return several or nested or deep
