"""A newer release from its zip, or from the folder that came out of it.

The release is checked whole before anything is written. Then file by file is replaced, and the
list of the release is written last: an update that was cut off is repeated by the same command.
"""

import re
import stat
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path

from helpers.command.changes import Changes, check_place, remove_file
from helpers.command.files import Problem, keep_own_copy, write_whole
from helpers.command.manifest import MANIFEST, ORIGINALS, Manifest, is_inside, sha256
from helpers.language import gettext

# Many times what a release has.
MOST_FILES = 5_000
MOST_BYTES = 200 * 2**20
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


class Unzipped:
    """A release in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.called = str(folder)
        inner = [path for path in folder.iterdir() if (path / MANIFEST).is_file()]
        if not (folder / MANIFEST).is_file() and len(inner) == 1:
            self.folder = inner[0]
        if not (self.folder / MANIFEST).is_file():
            raise Problem(no_release(self.called))

    def read(self, name: str, max_bytes: int) -> bytes:
        """A file of the release, or its first `max_bytes` + 1 bytes; KeyError if it has none."""
        path = self.folder / name
        for part in (path, *path.parents):
            if part == self.folder:
                break
            if part.is_symlink():
                raise Problem(
                    gettext("{path} holds a link ({name}): no release of the course does.").format(
                        path=self.called, name=name
                    )
                )
        if not path.is_file():
            raise KeyError(name)
        with path.open("rb") as file:
            return file.read(max_bytes + 1)


class Zipped:
    """A release in its zip."""

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self.called, self.file = str(path), file
        infos = file.infolist()
        if len(infos) > MOST_FILES or sum(info.file_size for info in infos) > MOST_BYTES:
            raise Problem(
                gettext("{path} is far too large for a release of the course.").format(path=path)
            )
        for info in infos:
            if not is_inside(info.filename.rstrip("/")):
                raise Problem(
                    gettext(
                        "{path} holds a path that leads out of the folder ({name!r}): no "
                        "release of the course does."
                    ).format(path=path, name=info.filename)
                )
            if stat.S_ISLNK(info.external_attr >> 16):
                raise Problem(
                    gettext("{path} holds a link ({name}): no release of the course does.").format(
                        path=path, name=info.filename
                    )
                )
        tops = [
            info.filename.removesuffix(MANIFEST)
            for info in infos
            if re.fullmatch(f"([^/]+/)?{re.escape(MANIFEST)}", info.filename)
        ]
        if len(tops) != 1:
            raise Problem(no_release(self.called))
        self.top = tops[0]

    def read(self, name: str, max_bytes: int) -> bytes:
        """A file of the release, or its first `max_bytes` + 1 bytes; KeyError if it has none."""
        try:
            with self.file.open(self.top + name) as file:
                return file.read(max_bytes + 1)
        except UNREADABLE as error:
            raise Problem(
                gettext("{path} is damaged ({error}): download it again.").format(
                    path=self.called, error=error
                )
            ) from None


def no_release(called: str) -> str:
    return gettext(
        "In {path} there is no release of the course ({manifest} is missing): take the "
        "zip that your instructor gives out, as it is."
    ).format(path=called, manifest=MANIFEST)


def update_unzipped(root: Path, source: Path, older: bool) -> Changes:
    """Bring the release in `source`, a zip or a folder, into the folder `root`.

    Parameters
    ----------
    root, source : path
    older : bool
        Whether a release may be taken that is older than what is here.

    Raises
    ------
    Problem
        If this is no release that can be taken; then nothing was changed.
    """
    with ExitStack() as stack:
        release: Unzipped | Zipped
        if source.is_dir():
            release = Unzipped(source)
            if release.folder.resolve() == root.resolve():
                raise Problem(
                    gettext(
                        "{source} leads to this course itself: say where the new one is."
                    ).format(source=source)
                )
        elif not source.is_file():
            raise Problem(gettext("There is no file and no folder {source}.").format(source=source))
        else:
            try:
                file = stack.enter_context(zipfile.ZipFile(source))
            except (*UNREADABLE, ValueError):
                raise Problem(
                    gettext("{source} is not a zip, or it was cut off: download it again.").format(
                        source=source
                    )
                ) from None
            release = Zipped(source, file)
        return bring(root, release, older)


def bring(root: Path, release: Unzipped | Zipped, older: bool) -> Changes:
    """Check the release, decide for each file, and then do it."""
    data = release.read(MANIFEST, MOST_BYTES)
    if len(data) > MOST_BYTES or len((new := Manifest.parse(data)).files) > MOST_FILES:
        raise Problem(
            gettext("{path} is far too large for a release of the course.").format(
                path=release.called
            )
        )
    old = Manifest.of(root)
    check_version(root, new, old, older)
    left = MOST_BYTES
    for name, expected in (*new.files.items(), (ORIGINALS, new.originals)):
        left -= len(checked(release, name, expected, left))

    changes = Changes(gettext("release {version}").format(version=new.version))
    before = old.files if old else {}
    replace: list[str] = []
    remove: list[str] = []
    keep: list[str] = []
    for name in sorted({*before, *new.files}):
        path = root / name
        here = sha256(path.read_bytes()) if path.is_file() else None
        if here == new.files.get(name):
            continue
        if here != before.get(name) and new.files.get(name) == before.get(name):
            changes.stayed.append(name)
            continue
        if here is not None and here != before.get(name):
            keep.append(name)
        (replace if name in new.files else remove).append(name)
    for name in replace:
        check_place(root, name, set(remove))

    for name in (*remove, *replace):
        if name in keep:
            changes.kept.append((name, keep_own_copy(root / name).name))
        if name in new.files:
            write_whole(root / name, checked(release, name, new.files[name], MOST_BYTES))
            changes.new.append(name)
        else:
            remove_file(root, name)
            changes.removed.append(name)
    write_whole(root / ORIGINALS, checked(release, ORIGINALS, new.originals, MOST_BYTES))
    write_whole(root / MANIFEST, data)
    return changes


def checked(release: Unzipped | Zipped, name: str, expected: str, max_bytes: int) -> bytes:
    """A file of the release, which is what its list says."""
    try:
        data = release.read(name, max_bytes)
    except KeyError:
        raise Problem(
            gettext("{path} is not whole: {name} is missing. Download it again.").format(
                path=release.called, name=name
            )
        ) from None
    if len(data) > max_bytes:
        raise Problem(
            gettext("{path} is far too large for a release of the course.").format(
                path=release.called
            )
        )
    if sha256(data) != expected:
        raise Problem(
            gettext(
                "{path} is damaged: {name} is not what was released. Download it again."
            ).format(path=release.called, name=name)
        )
    return data


def check_version(root: Path, new: Manifest, old: Manifest | None, older: bool) -> None:
    """Raise Problem for another course, or for an older release that nobody asked for."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    here = dict(re.findall(r'^(name|version) = "([^"]*)"', text, re.MULTILINE))
    name = old.name if old else here.get("name")
    version = old.version if old else here.get("version", "0")
    if new.name != name:
        raise Problem(
            gettext("This is the course {name}, and the release is one of {new}.").format(
                name=name, new=new.name
            )
        )
    if numbers(new.version) < numbers(version) and not older:
        raise Problem(
            gettext(
                "The release is {new}, older than the {version} that is here. Nothing was "
                "changed; `course update --older` and the zip takes it all the same."
            ).format(new=new.version, version=version)
        )


def numbers(version: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d{1,9}", version)]
