"""What a release for students says of itself, in its folder ``.released/``.

``manifest.json`` names every file of the release with its SHA-256, and ``originals.zip`` holds
the notebooks as they were. `make release` writes both; `course reset` and `course update` read
them.
"""

import hashlib
import io
import json
import re
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.command.files import Problem, assignments, lessons, write_whole
from helpers.language import gettext

FOLDER = ".released"
MANIFEST = f"{FOLDER}/manifest.json"
ORIGINALS = f"{FOLDER}/originals.zip"
# What no release may write to: the reader's own.
NOT_THE_COURSES = (".git", ".venv", ".released", "grading")
# Of a path's parts: what leads elsewhere, or what some system cannot write.
BAD_PART = re.compile(r'[\\:*?"<>|\x00-\x1f]|[ .]$')


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def is_inside(name: str) -> bool:
    """Is this a path, with / between its parts, that stays inside the folder it is put into?"""
    return all(part and not BAD_PART.search(part) for part in name.split("/"))


@dataclass(frozen=True)
class Manifest:
    """A release: the course's name and version, and the SHA-256 of each file.

    Attributes
    ----------
    name, version : str
        Of pyproject.toml.
    files : {path: SHA-256}
        Paths from the course's folder, with /; the two files of ``.released`` are not among them.
    originals : str
        The SHA-256 of originals.zip.
    """

    name: str
    version: str
    files: Mapping[str, str]
    originals: str

    @classmethod
    def parse(cls, data: bytes) -> "Manifest":
        """Read and check a manifest.

        Raises
        ------
        Problem
            If it is no manifest, or names a path that is not a release's to write.
        """
        try:
            manifest = cls(**json.loads(data))
            texts = [manifest.name, manifest.version, manifest.originals]
            texts += [*manifest.files, *manifest.files.values()]
            if not all(isinstance(text, str) for text in texts):
                raise TypeError
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise Problem(
                gettext("{manifest} is damaged: it is not the list of a release.").format(
                    manifest=MANIFEST
                )
            ) from None
        for name in manifest.files:
            if not is_inside(name) or name.split("/")[0].casefold() in NOT_THE_COURSES:
                raise Problem(
                    gettext("{manifest} names {name!r}, which is not a release's to write.").format(
                        manifest=MANIFEST, name=name
                    )
                )
        return manifest

    @classmethod
    def of(cls, root: Path) -> "Manifest | None":
        """The manifest of a folder; None if it has none."""
        path = root / MANIFEST
        return cls.parse(path.read_bytes()) if path.is_file() else None

    def to_bytes(self) -> bytes:
        return (json.dumps(vars(self), indent=1, ensure_ascii=False) + "\n").encode()


def write_manifest(root: Path) -> None:
    """Write ``.released/`` into a folder that holds a release and nothing else."""
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    notebooks = [path.relative_to(root).as_posix() for path in (*lessons(root), *assignments(root))]
    keep_manifest(root, root / "pyproject.toml", files, notebooks)


def keep_manifest(
    folder: Path, project: Path, files: Mapping[str, bytes], notebooks: Sequence[str]
) -> None:
    """Write ``.released/`` into a folder.

    Parameters
    ----------
    folder, project : pathlib.Path
        The latter is the course's pyproject.toml, for name and version.
    files : {path: content}
        What was released.
    notebooks : sequence of str
        Those of the files that are notebooks.
    """
    about = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as originals:
        for name in notebooks:
            originals.writestr(name, files[name])
    data = packed.getvalue()
    digests = {name: sha256(content) for name, content in files.items()}
    write_whole(folder / ORIGINALS, data)
    manifest = Manifest(about["name"], about["version"], digests, sha256(data))
    write_whole(folder / MANIFEST, manifest.to_bytes())
