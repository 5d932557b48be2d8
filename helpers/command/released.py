"""What the notebooks were like as released, and which of them a reader has changed."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from helpers.command.files import Problem, is_own_copy
from helpers.command.git import Git
from helpers.command.manifest import ORIGINALS, Manifest, sha256
from helpers.language import gettext

NOTEBOOKS = ("notebooks/*.ipynb", "assignments/*/*.ipynb")


class State(Enum):
    """How a notebook stands to the released one."""

    SAME = "as released"
    RUN = "run or saved, its cells as released"
    CHANGED = "changed"
    MISSING = "deleted"


@dataclass(frozen=True)
class Released:
    """The notebooks of lessons and assignments as they were released.

    Attributes
    ----------
    digests : {name: digest of its bytes}
        Names are paths from the course's folder, with /.
    digest : callable
        The digest of some bytes.
    original : callable
        The bytes of a notebook by its name, as released.
    """

    digests: Mapping[str, str]
    digest: Callable[[bytes], str]
    original: Callable[[str], bytes]

    @classmethod
    def find(cls, root: Path) -> "Released":
        """From the list of a release or, in a git clone, from where it parted from its upstream.

        Raises
        ------
        Problem
            If nothing tells what was released; with the reason.
        """
        manifest = Manifest.of(root)
        if manifest is not None:
            return cls._of_release(root, manifest)
        git = Git.of(root)
        if git is not None:
            return cls._of_clone(git)
        raise Problem(
            gettext(
                "Nothing in this folder tells what the course was like when you got it: it "
                "is neither a git clone nor unzipped from a release. Get the course anew, "
                "beside this folder."
            )
        )

    @classmethod
    def _of_clone(cls, git: Git) -> "Released":
        head = git.id_of("HEAD")
        if head is None:
            raise Problem(
                gettext("This git repository holds no commit yet, so nothing was released.")
            )
        base = head
        if git.id_of("@{upstream}"):
            # In a shallow clone the two may have nothing in common.
            base = git.run("merge-base", "HEAD", "@{upstream}").stdout.decode().strip() or head
        # What git itself no longer has was removed or renamed on purpose.
        known = set(git.names("ls-files", "--cached", "notebooks", "assignments"))
        files = git.files(base, "notebooks", "assignments")
        contents = {
            name: content
            for name, (_, content) in files.items()
            if name in known and _is_notebook(name)
        }
        return cls(
            contents,
            lambda data: _blob_id(data, len(head)),
            lambda name: git("cat-file", "blob", contents[name]),
        )

    @classmethod
    def _of_release(cls, root: Path, manifest: Manifest) -> "Released":
        def original(name: str) -> bytes:
            try:
                with zipfile.ZipFile(root / ORIGINALS) as file:
                    data = file.read(name)
            except (OSError, KeyError, zipfile.BadZipFile, zlib.error, EOFError):
                data = b""
            if sha256(data) != manifest.files[name]:
                raise Problem(
                    gettext(
                        "{originals} is missing or damaged, so {name} cannot be read as it "
                        "was: get the course's zip again, and give it to `course update`."
                    ).format(originals=ORIGINALS, name=name)
                )
            return data

        digests = {name: value for name, value in manifest.files.items() if _is_notebook(name)}
        return cls(digests, sha256, original)

    @property
    def names(self) -> list[str]:
        """The released notebooks, in their order."""
        return sorted(self.digests)

    def state(self, root: Path, name: str) -> State:
        """How the notebook in the folder `root` stands to the released one."""
        path = root / name
        if not path.is_file():
            return State.MISSING
        data = path.read_bytes()
        if self.digest(data) == self.digests[name]:
            return State.SAME
        original = self.original(name)
        now, before = parse(data), parse(original)
        if now is not None and now == before:
            return State.SAME  # other line ends, as git makes them on Windows
        own_cells = cells(now)
        return State.RUN if own_cells and own_cells == cells(before) else State.CHANGED

    def changed(self, root: Path) -> list[str]:
        """The notebooks whose cells differ from the released ones, unreadable and deleted ones
        among them. Outputs, execution counts and metadata are not compared."""
        return [
            name for name in self.names if self.state(root, name) in (State.CHANGED, State.MISSING)
        ]


def parse(data: bytes) -> dict[str, Any] | None:
    """A notebook as JSON gives it; None if it is none."""
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return notebook if isinstance(notebook, dict) else None


def cells(notebook: dict[str, Any] | None) -> list[tuple[Any, ...]] | None:
    """What a reader can change in a notebook by typing: (kind, text, attachments) of each cell.

    None if it is no notebook of format 4.
    """
    try:
        return [
            (cell["cell_type"], "".join(cell["source"]), cell.get("attachments") or {})
            for cell in (notebook or {})["cells"]
        ]
    except (KeyError, TypeError, AttributeError):
        return None


def _is_notebook(name: str) -> bool:
    # fnmatch's star crosses slashes, a glob's does not.
    return not is_own_copy(name) and any(
        name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)
        for pattern in NOTEBOOKS
    )


def _blob_id(data: bytes, digits: int) -> str:
    """The name that git gives to a file's content, in a repository of either kind."""
    make = hashlib.sha1 if digits == 40 else hashlib.sha256
    return make(b"blob %d\0" % len(data) + data).hexdigest()
