"""Whose a file is, by where it lies in a folder or zip of submissions.

The layouts of learning platforms are known by the names that they give to files and folders; what
these say stands in an `Owner`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

# Browsers and mail programs add the other two.
NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)
ZIP = ".zip"
# Left by systems and by nbgrader, beside what begins with a dot.
TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"
LEFT_BY_PROGRAMS = ("__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__", TIMESTAMP, SECRET)

# How programs name a second copy: "Copy of x", "x (1)", "x - Copy".
_COPY = re.compile(
    r"^(?:copy of|kopie von|copie de|copia de|사본)\s+"
    r"|\s*\(\d+\)$|\s*[-–] ?(?:copy|kopie)$|의 사본$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\((\d+)\)$")

# The file or folder that a platform names after a student, with what it says.
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<what>file|onlinetext)(?:_(?P<file>.*))?"
)
_BLACKBOARD = re.compile(
    r"(?P<assignment>.+)_(?P<name>[^_]+)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)"
)
_CANVAS = re.compile(
    r"(?P<name>\w+?)(?P<late>_LATE)?_(?P<number>\d+)_(?P<order>\d+)_(?P<file>.+)", re.IGNORECASE
)
# What Canvas adds to the name of a notebook that is handed in again.
_REUPLOADED = re.compile(r"-\d+(?=\.ipynb$)", re.IGNORECASE)
_GRADESCOPE = re.compile(r"submission_(?P<number>\d+)")
_EXCHANGE = re.compile(
    r"(?P<name>[^+]+)\+(?P<assignment>[^+]+)"
    r"\+(?P<when>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^+]*)(?:\+.*)?"
)


@dataclass(frozen=True)
class Owner:
    """What the path of a file says of who handed it in.

    Attributes
    ----------
    key : str
        The file or folder that tells whose it is: without a roster, the student's name.
    names : tuple of str
        What the student may be called, the likeliest first.
    number : str
        By which the platform knows the student, or the submission (Gradescope).
    platform : str
        "Moodle", "Canvas", "Blackboard", "Gradescope" or "nbgrader"; "" if none is known by it.
    file : str
        What the file was called when it was handed in.
    order : int
        Of two attempts at the same, the later one has the larger number.
    when : str
        When it was handed in, as it is written there.
    is_late : bool
        Whether the platform says that it was late.
    attempt : (str, str)
        The same for files that were handed in together.
    is_folder : bool
        Whether it lies in a folder that can only be a student's.
    further : tuple of str
        What the student may be called if nobody is called by one of `names`.
    """

    key: str
    names: tuple[str, ...]
    number: str = ""
    platform: str = ""
    file: str = ""
    order: int = 0
    when: str = ""
    is_late: bool = False
    attempt: tuple[str, str] = ("", "")
    is_folder: bool = False
    further: tuple[str, ...] = ()


def is_notebook(name: str) -> bool:
    """Whether a file is a notebook, by its name."""
    return NOTEBOOK.search(name) is not None


def is_zip(name: str) -> bool:
    """Whether a file is a zip, by its name."""
    return name.lower().endswith(ZIP)


def is_noise(name: str) -> bool:
    """Whether a file or folder is one that systems and programs leave behind."""
    return name.startswith(".") or name in LEFT_BY_PROGRAMS


def stem_of(name: str) -> str:
    """A notebook's or zip's name without the ending."""
    return name[: -len(ZIP)] if is_zip(name) else NOTEBOOK.sub("", name)


def without_copies(stem: str) -> str:
    """A name without what programs add to that of a second copy."""
    while (shorter := _COPY.sub("", stem).strip()) != stem and shorter:
        stem = shorter
    return stem


def copy_number(stem: str) -> int:
    """The number that a browser gives to a second file of one name; 0 for the first."""
    found = _NUMBERED.search(stem)
    return int(found[1]) if found else 0


def owner_of(parts: Sequence[str], assignment: str) -> Owner:
    """What a path says of who handed a file in.

    Parameters
    ----------
    parts : sequence of str
        From the top of what was handed in; a zip is a folder.
    assignment : str
    """
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        for read in _PLATFORMS:
            # Canvas' names could be anybody's: they are looked for where Canvas puts them.
            owner = read(part, parts[-1], is_last) if not number or read is not _canvas else None
            if owner:
                return owner
    key = student_of(parts, assignment)
    is_folder = assignment in parts[1:-1]
    names = _names(key, assignment)
    further: list[str] = []
    if len(parts) == 1:
        # A PDF's name tells as much as a notebook's.
        names += _names(PurePosixPath(key).stem, assignment)
    elif not is_folder:
        # Above the student's folder there may be others; a helper's name tells nothing.
        inner = parts[1:] if is_notebook(parts[-1]) else parts[1:-1]
        further = [name for part in inner for name in _names(stem_of(part), assignment)]
    return Owner(
        key,
        names,
        file=parts[-1],
        order=copy_number(key if len(parts) == 1 else stem_of(parts[-1])),
        attempt=("", key),
        is_folder=is_folder,
        further=tuple(further),
    )


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
    return stem_of(parts[0])


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
    several = len(flat) > 1 and all(stem_of(parts[0]) != assignment for parts in flat)
    nested = any(len(parts) >= 3 and parts[1] == assignment for parts in inside)
    deep = len({parts[0] for parts in inside if len(parts) == 2}) > 1 and not any(
        parts[0] == assignment for parts in inside
    )
    return several or nested or deep


def _names(stem: str, assignment: str) -> tuple[str, ...]:
    """What a student may be called whose file or folder has this name."""
    plain = without_copies(stem)
    found = [stem, plain]
    own = assignment.casefold()
    for mark in (" - ", "_", "+"):
        parts = [part.strip() for part in plain.split(mark)]
        others = [part for part in parts if without_copies(part).casefold() != own]
        if len(others) < len(parts):
            found.insert(0, mark.join(others))
        found += others
    return tuple(dict.fromkeys(name for name in found if name))


def _moodle(part: str, file: str, is_last: bool) -> Owner | None:
    found = _MOODLE.fullmatch(part)
    if not found:
        return None
    # With groups, the group's name stands before: "Group 1-Kim Minsu".
    names = (found["name"], found["name"].rpartition("-")[2])
    return Owner(
        stem_of(part),
        names,
        found["number"],
        "Moodle",
        (found["file"] or found["what"]) if is_last else file,
        attempt=("Moodle", found["number"]),
        is_folder=not is_last and found["what"] == "file",
    )


def _canvas(part: str, file: str, is_last: bool) -> Owner | None:
    found = _CANVAS.fullmatch(part)
    if not found or not (is_last or is_zip(part)):
        return None
    return Owner(
        stem_of(part),
        (found["name"], *_names(stem_of(part), "")),
        found["number"],
        "Canvas",
        _REUPLOADED.sub("", found["file"]) if is_last else file,
        int(found["order"]),
        is_late=bool(found["late"]),
        attempt=("Canvas", ""),
    )


def _blackboard(part: str, file: str, is_last: bool) -> Owner | None:
    found = _BLACKBOARD.fullmatch(part)
    if not found:
        return None
    # A user name may have a "_" in it, as the assignment's name may.
    words = [*found["assignment"].split("_"), found["name"]]
    names = ["_".join(words[number:]) for number in range(len(words) - 1, 0, -1)]
    when = found["when"]
    return Owner(
        stem_of(part),
        tuple(names),
        "",
        "Blackboard",
        (found["file"] or part) if is_last else file,
        int(when.replace("-", "")),
        f"{when[:10]} {when[11:].replace('-', ':')}",
        attempt=("Blackboard", when),
    )


def _gradescope(part: str, file: str, is_last: bool) -> Owner | None:
    found = _GRADESCOPE.fullmatch(part)
    if not found or is_last:
        return None
    number = found["number"]
    return Owner(
        part,
        (),
        number,
        "Gradescope",
        file,
        int(number),
        attempt=("Gradescope", number),
        is_folder=True,
    )


def _exchange(part: str, file: str, is_last: bool) -> Owner | None:
    found = _EXCHANGE.fullmatch(part)
    if not found or is_last:
        return None
    when = found["when"]
    return Owner(
        part,
        (found["name"],),
        "",
        "nbgrader",
        file,
        int(re.sub(r"\D", "", when[:19])),
        when,
        attempt=("nbgrader", when),
        is_folder=True,
    )


_PLATFORMS: tuple[Callable[[str, str, bool], Owner | None], ...] = (
    _moodle,
    _blackboard,
    _exchange,
    _canvas,
    _gradescope,
)
