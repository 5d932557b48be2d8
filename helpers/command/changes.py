"""What an update changes, whichever way it comes."""

from dataclasses import dataclass, field
from pathlib import Path

from helpers.command.files import Problem
from helpers.language import gettext


@dataclass
class Changes:
    """What an update did. Names are paths from the course's folder.

    Attributes
    ----------
    release : str
        What is there now, in words.
    new, removed : list of str
        Files that the release brought or changed, and those that it has no more.
    kept : list of (str, str)
        Files that the reader had changed, too, and the name of the reader's own copy.
    stayed : list of str
        Files that the reader alone changed.
    """

    release: str
    new: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    stayed: list[str] = field(default_factory=list)


def check_place(root: Path, name: str, going: set[str]) -> None:
    """Raise Problem if a new file cannot be put where the release wants it.

    `going` are the files that the update removes first.
    """
    path = root / name
    if path.is_dir():
        raise Problem(
            gettext(
                "The release brings a file {name}, and here this is a folder: rename the "
                "folder, then run the same command again. Nothing was changed."
            ).format(name=name)
        )
    parts = name.split("/")
    for depth in range(1, len(parts)):
        above = "/".join(parts[:depth])
        if (root / above).is_file() and above not in going:
            raise Problem(
                gettext(
                    "The release brings a folder {above}, and here this is a file: rename "
                    "the file, then run the same command again. Nothing was changed."
                ).format(above=above)
            )


def remove_file(root: Path, name: str) -> None:
    """Delete a file, and the folders that are empty without it."""
    path = root / name
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root or not folder.is_dir() or any(folder.iterdir()):
            break
        folder.rmdir()
