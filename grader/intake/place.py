"""Where notebooks that were handed in may lie, and where they cannot."""

from __future__ import annotations

from pathlib import Path

from grader.authoring.source import assignments

# What of the course's folder is the course, and of grading/ what grading itself has made.
OWN_FOLDERS = {"assignments", "build", "grader", "helpers", "notebooks"}
OWN_FOLDERS |= {"site", "solutions", "tests", "tools"}
MADE_FOLDERS = ("autograded", "feedback", "solution")


class WrongPlace(Exception):
    """A path that cannot be what was handed in; the message says why, and what to name."""


def check_place(given: str | Path, root: str | Path) -> None:
    """See that a path can be that of what was handed in; nothing is read.

    Parameters
    ----------
    given : str or path
        What the instructor named.
    root : path
        The course's folder.

    Raises
    ------
    WrongPlace
        For an empty path, and for a place where the course's own notebooks would be taken for a
        student's: then false marks would take the place of real ones.
    """
    if not str(given).strip():
        raise WrongPlace(
            "Say where the notebooks are that were handed in: a folder, a zip or a notebook, for "
            "instance ~/Downloads/batch.zip"
        )
    path, root = Path(given).resolve(), Path(root).resolve()
    rather = "name the folder or the zip of what was handed in"
    if root.is_relative_to(path):
        raise WrongPlace(f"{path} holds the course, whose notebooks are no student's: {rather}")
    if not path.exists():
        raise WrongPlace(f"there is nothing at {path}: {rather}")
    if not path.is_relative_to(root):
        return
    top, *below = path.relative_to(root).parts
    if top in OWN_FOLDERS or top.startswith("."):
        raise WrongPlace(f"{path} is a part of the course, and no student's: {rather}")
    if top == "grading":
        made = {*MADE_FOLDERS, *assignments(root / "solutions")}
        if not below or below[0] in made:
            raise WrongPlace(f"{path} is what grading has made, and no student's: {rather}")
