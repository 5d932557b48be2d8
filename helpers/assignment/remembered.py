"""What came of the last run of each assignment, so that only what has changed is run again.

It is kept in the folder for what programs write, `.jupyter` in the course's folder. Deleting it
costs a run, and nothing else.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat

from helpers.command.files import ROOT, is_own_copy, write_whole
from helpers.command.variables import own_folder

NAME = "progress.json"
Score = tuple[str, float, float]
"""A test: its grade id, the points that it gave, and those that it can give."""
PACKAGES = ("ipython", "numpy", "torch", "torchvision")
SETTINGS = ("COURSE_", "MNIST_")
"""What the names of variables begin with that the course's own code reads."""
NOT_READ = ("__pycache__", ".ipynb_checkpoints")


class Memory:
    """The results of the last runs of the assignments in a folder.

    A notebook elsewhere is not remembered, and where nothing can be written nothing is.

    Parameters
    ----------
    folder : path
        With the assignments' folders.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @cached_property
    def path(self) -> Path:
        return own_folder(self.folder.parent) / NAME

    def known(self, notebook: Path, content: str) -> list[Score] | None:
        """The results of the last run; None if anything is different since.

        Parameters
        ----------
        notebook : path
        content : str
            The `digest_of` what is in it.
        """
        with suppress(TypeError, ValueError, KeyError):
            kept = self._read()[self._name(notebook)]
            if kept["digest"] == self._digest(notebook, content):
                return [(str(test), float(got), float(of)) for test, got, of in kept["scores"]]
        return None

    def keep(self, notebook: Path, content: str, scores: Sequence[Score]) -> None:
        """Remember results; files that the run itself has written beside the notebook are no
        difference the next time."""
        name = self._name(notebook)
        if name is None:
            return
        kept = self._read() | {
            name: {"digest": self._digest(notebook, content), "scores": list(scores)}
        }
        with suppress(OSError):
            write_whole(self.path, (json.dumps(kept, indent=1) + "\n").encode())

    def _read(self) -> dict[str | None, Any]:
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def _name(self, notebook: Path) -> str | None:
        with suppress(ValueError):
            return notebook.resolve().relative_to(self.folder).as_posix()
        return None

    def _digest(self, notebook: Path, content: str) -> str:
        beside = [line for line in _files(notebook.parent) if line[0] != notebook.name]
        return _digest([content, beside, self._course])

    @cached_property
    def _course(self) -> list:
        """The course's code, this Python and its packages, and the settings."""
        versions = []
        for package in PACKAGES:
            with suppress(importlib.metadata.PackageNotFoundError):
                versions.append(importlib.metadata.version(package))
        settings = {k: v for k, v in sorted(os.environ.items()) if k.startswith(SETTINGS)}
        return [list(_files(ROOT / "helpers")), sys.version, versions, settings]


def digest_of(notebook: nbformat.NotebookNode) -> str:
    """A digest of what is run of a notebook, and of what it says about its cells."""
    return _digest([[c.cell_type, c.source, c.metadata] for c in notebook.cells])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """The files below a folder: name, size and time of the last change."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if set(name.parts) & set(NOT_READ) or is_own_copy(path) or not path.is_file():
            continue
        with suppress(OSError):  # it has just gone
            status = path.stat()
            yield name.as_posix(), status.st_size, status.st_mtime_ns
