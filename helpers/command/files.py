"""Where the lessons and assignments are, and a reader's own copies beside them.

A reader's own copy is called after the file, what it is, and when it was made:
``05-mnist-net (mine, 2026-11-28 14.05).ipynb``. The course keeps it and never reads it: whoever
lists notebooks asks here, and .gitignore names the same pattern.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# No colon and no star in it: Windows and zip files take such names.
OWN_COPY = "* (mine, *)*"


class Problem(Exception):
    """What went wrong and what to do, in a sentence for the reader."""


def is_own_copy(path: str | Path) -> bool:
    """Is this, by its name, a copy that was kept of a reader's own version?"""
    return fnmatchcase(Path(path).name, OWN_COPY)


def lessons(root: Path = ROOT) -> list[Path]:
    """The lessons' notebooks, in their order."""
    return _without_copies((root / "notebooks").glob("*.ipynb"))


def assignments(root: Path = ROOT) -> list[Path]:
    """The student versions of the assignments, in their order."""
    return notebooks_below(root / "assignments")


def notebooks_below(folder: Path) -> list[Path]:
    """The notebooks in the folders of a folder, in their order."""
    return _without_copies(Path(folder).glob("*/*.ipynb"))


def notebooks_in(folder: Path) -> list[Path]:
    """The notebooks of one folder, in their order."""
    return _without_copies(Path(folder).glob("*.ipynb"))


def _without_copies(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if not is_own_copy(path))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Replace a file, or make it with its folders, in one step: never half of it is seen.

    Yields the path to write to. If that fails, or the writer is stopped, the old file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if path.exists():
            shutil.copymode(path, part)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):  # the error before this one is what matters
            part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file, or make it with its folders, by this content in one step."""
    with replacing(path) as part:
        part.write_bytes(data)


def keep_own_copy(path: Path, now: datetime | None = None) -> Path:
    """Copy a file beside itself, under a name that says whose it is; returns the copy's path.

    An earlier copy is never written over, also one of the same minute.
    """
    made = f"{now or datetime.now():%Y-%m-%d %H.%M}"
    number = 1
    while True:
        words = made if number == 1 else f"{made}, {number}"
        copy = path.with_name(f"{path.stem} (mine, {words}){path.suffix}")
        if not os.path.lexists(copy):
            write_whole(copy, path.read_bytes())
            return copy
        number += 1
