"""What is on disk of a batch: results by content, and a line for each submission recorded.

A result is written whole or not at all, under a name that is the digest of everything it depends
on; so a batch that was stopped goes on where it was, and an identical submission is not run twice.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from grader.files import write_whole
from grader.records import Record, Result


class Store:
    """Results and records of an assignment's batch, in ``grading/ASSIGNMENT``.

    Parameters
    ----------
    folder : path
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.results = self.folder / "results"
        self.records_path = self.folder / "records.jsonl"

    def get(self, key: str) -> Result | None:
        """The result, or None if there is none that can be read."""
        try:
            return json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, key: str, result: Result) -> None:
        """Keep a result."""
        write_whole(self._path(key), json.dumps(result))

    def keys_recorded(self) -> dict[str, str]:
        """The key of what was last recorded of each student, by student."""
        return {record["student"]: record["key"] for record in self.records()}

    def records(self) -> Iterator[Record]:
        """The last record of each student, in alphabetical order, one at a time."""
        places = {}
        try:
            file = self.records_path.open("rb")
        except FileNotFoundError:
            return
        with file:
            position = 0
            for line in file:
                # A line may have been cut off when the machine stopped.
                with contextlib.suppress(ValueError, TypeError):
                    record = json.loads(line)
                    # One of an older release, which lacks something, is as good as none.
                    if set(Record.__annotations__) <= set(record):
                        places[record["student"]] = position
                position += len(line)
            for student in sorted(places):
                file.seek(places[student])
                yield json.loads(file.readline())

    def record(self, record: Record) -> None:
        """Append what became of a submission."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.records_path.open("a+b") as file:
            # A line that was cut off must not take the next one with it.
            if file.tell() and _last_byte(file) != b"\n":
                file.write(b"\n")
            file.write(json.dumps(record).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _path(self, key: str) -> Path:
        return self.results / f"{key}.json"


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)
