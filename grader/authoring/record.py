"""Which assignments have to be made anew: those of which anything is different since.

``grading/made.json`` keeps for each assignment a digest of all that its student version is made
from, and one of what was made. Both must still be so, or it is made again.
"""

import functools
import hashlib
import json
import os
import sqlite3
import sys
from contextlib import closing, suppress
from importlib import metadata
from pathlib import Path

from grader import imports
from grader.authoring.source import notebook_path
from helpers.assignment.sheet import SHEET_NAME
from helpers.command.files import is_own_copy, write_whole

NAME = "made.json"
ALWAYS = frozenset({"grader.authoring.release"})
CONFIG = "nbgrader_config.py"
NOT_READ = ("__pycache__", ".ipynb_checkpoints")
SETTINGS = ("COURSE_", "MNIST_")
"""What the names of variables begin with that the course's own code reads."""


class Record:
    """What was made, and what it was made from, in the folder of a course."""

    def __init__(self, root):
        self.root = Path(root)
        self.path = self.root / "grading" / NAME
        try:
            self.kept = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.kept = {}

    def knows(self, name, made_from, part):
        """Whether an assignment was made from just this, and is as it was made.

        Parameters
        ----------
        name : str
        made_from : str
            The `digest_of_source`.
        part : Part or None
            Of the table of mistakes, as it is there.
        """
        wanted = [made_from, self._made(name, part)]
        return self.kept.get(name) == wanted and is_in_gradebook(name, self.root)

    def keep(self, name, made_from, part):
        """Note that an assignment has been made."""
        self.kept[name] = [made_from, self._made(name, part)]
        write_whole(self.path, (json.dumps(self.kept, indent=1) + "\n").encode())

    def _made(self, name, part):
        sheet = notebook_path(name, self.root / "solutions").with_name(SHEET_NAME)
        told = vars(part) if part else None
        return digest([contents(self.root / "assignments" / name), content(sheet), told])


def digest_of_source(name, root):
    """A digest of all that a student version is made from.

    That is what lies beside the source, with the bank; the course's code that these name, and that
    makes student versions; the versions of Python and all packages; and the course's settings.
    """
    folder = notebook_path(name, Path(root) / "solutions").parent
    files = contents(folder)
    files.pop(SHEET_NAME, None)  # it is made
    named = ALWAYS.union(*(imports.imported_by(code) for code in code_in(folder)))
    return digest(
        [
            files,
            imports.code_digest(named, imports.ROOT),
            content(imports.ROOT / CONFIG),
            sys.version,
            versions(),
            {key: value for key, value in sorted(os.environ.items()) if key.startswith(SETTINGS)},
        ]
    )


@functools.cache
def versions():
    """The packages of this environment: what a bank imports may be any of them."""
    return sorted(f"{one.name} {one.version}" for one in metadata.distributions())


def code_in(folder):
    """The code below a folder: of each module, and of each cell."""
    for path in files_below(folder):
        if path.suffix == ".py":
            yield path.read_text(encoding="utf-8")
        elif path.suffix == ".ipynb":
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                if cell["cell_type"] == "code":
                    yield "".join(cell["source"])


def contents(folder):
    """{name: digest} of the files below a folder."""
    return {path.relative_to(folder).as_posix(): content(path) for path in files_below(folder)}


def files_below(folder):
    """The files below a folder, in order, without caches and a reader's own copies."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not is_own_copy(path)
        and not set(path.relative_to(folder).parts) & set(NOT_READ)
    ]


def content(path):
    """The digest of a file; "" if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def digest(thing):
    return hashlib.sha256(json.dumps(thing, sort_keys=True).encode()).hexdigest()


def is_in_gradebook(name, root):
    """Whether nbgrader's gradebook holds the assignment."""
    path = root / "grading" / "gradebook.db"
    if not path.is_file():
        return False
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as book:
        return bool(book.execute("SELECT 1 FROM assignment WHERE name = ?", [name]).fetchall())
    return False
