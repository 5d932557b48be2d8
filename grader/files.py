"""Writing files so that they are there completely or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


class Part:
    """A file that is written beside its place, down to the disk, and waits to be put there.

    Used with ``with``: what was not put in its place is deleted at the end.

    Parameters
    ----------
    path : path
        Where it is to be; its folder is made.
    data : bytes
    beside : path, optional
        The folder to wait in, on the same disk; by default that of `path`.
    mode : int, optional
        The file's rights.
    """

    def __init__(
        self, path: str | Path, data: bytes, beside: str | Path | None = None, mode: int = 0o644
    ) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(self.path.as_posix().encode()).hexdigest()[:20]
        self._waiting = Path(beside or self.path.parent) / f".{digest}.part"
        # A name of its own for each place, so that one left by a killed process is written over.
        self._waiting.unlink(missing_ok=True)
        with open(self._waiting, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._waiting.chmod(mode)

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *error: object) -> None:
        self._waiting.unlink(missing_ok=True)

    def put(self) -> None:
        """Put it in its place, whatever is there."""
        os.replace(self._waiting, self.path)


def write_whole(path: str | Path, data: str | bytes, beside: str | Path | None = None) -> None:
    """Write a file so that it is there completely or not at all; text as UTF-8."""
    with Part(path, data.encode() if isinstance(data, str) else data, beside) as part:
        part.put()
