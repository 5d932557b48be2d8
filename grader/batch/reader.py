"""Reading what was handed in, in a process whose memory and processor time are limited.

`grader.intake.parse` bounds what a file may cost before it builds anything. This is the bound
behind that one, kept by the kernel: whatever a file leads to, it ends that process, and not the
batch.
"""

from __future__ import annotations

import resource
from concurrent.futures import BrokenExecutor
from typing import Any

from grader.batch.workers import Workers, begin_reading
from grader.intake.parse import parse
from grader.judging.policy import MEBIBYTE, Limits
from helpers.assignment.notebook_file import Unreadable

CPU_SECONDS = 30
MEMORY_BYTES = 4096 * MEBIBYTE


class Reader:
    """Parses notebooks in a process of its own; used with ``with``.

    Parameters
    ----------
    cpu_seconds : int
        Processor time for one notebook.
    memory_bytes : int
        Address space of the process.
    """

    def __init__(self, cpu_seconds: int = CPU_SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self.cpu_seconds, self.memory_bytes = cpu_seconds, memory_bytes
        self._workers = Workers(1, begin_reading, (memory_bytes,))

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *error: object) -> None:
        self._workers.shutdown(wait=False)

    def parse(self, data: bytes, limits: Limits) -> tuple[Any, list[str]]:
        """As `grader.intake.parse.parse`.

        Raises
        ------
        Unreadable
            Also if reading it takes more than it may.
        """
        try:
            made, problem = self._workers.submit(_parse, data, limits, self.cpu_seconds).result()
        except BrokenExecutor:
            raise Unreadable(
                f"reading it takes more than {self.cpu_seconds} s of processor time or "
                f"{self.memory_bytes // MEBIBYTE} MiB of memory"
            ) from None
        if made is None:
            raise Unreadable(*problem)
        return made


def _parse(
    data: bytes, limits: Limits, cpu_seconds: int
) -> tuple[tuple[Any, list[str]] | None, tuple[str, ...]]:
    """(what was read, ()) or (None, the arguments of an `Unreadable`)."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    end = int(usage.ru_utime + usage.ru_stime) + cpu_seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    try:
        return parse(data, limits), ()
    except Unreadable as error:
        return None, (str(error), error.advice)
    except MemoryError:
        return None, ("it takes too much memory to read it",)
