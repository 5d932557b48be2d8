"""The limits of what students hand in, and under which their code runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from helpers.assignment import notebook_scan
from helpers.assignment.notebook_scan import MEBIBYTE

# Rules that the server as a whole keeps, not only each child of it.
OUTER_RULES = ("network", "read-only system")
# Rules that a test can turn off one by one, to show that something then goes wrong.
# "No new privileges" is none of them: bubblewrap sets it whatever it is told.
RULES = (
    "network",
    "read-only system",
    "private files",
    "private processes",
    "private ipc",
    "namespaces",
    "capabilities",
    "system calls",
    "memory",
    "memory watch",
    "processes",
    "priority",
    "scratch size",
    "open files",
    "file size",
    "cpu",
    "cell time",
    "output",
)


@dataclass(frozen=True)
class Limits(notebook_scan.Limits):
    """What a batch may hold, on top of what one notebook may.

    Attributes
    ----------
    candidates : int
        Notebooks of one student that are read to find out which is meant.
    beside_bytes : int
        Bytes of the files that lie beside a notebook when it runs.
    zip_files : int
        Files of a zip.
    zip_depth : int
        How deep zips that were handed in may lie in each other.
    inner_files, inner_bytes : int
        Files in, and bytes of, the zips that one file of the batch leads to.
    """

    candidates: int = 20
    beside_bytes: int = 20 * MEBIBYTE
    zip_files: int = 20_000
    zip_depth: int = 3
    inner_files: int = 2_000
    inner_bytes: int = 256 * MEBIBYTE


@dataclass(frozen=True)
class Policy:
    """Limits of one submission.

    Attributes
    ----------
    cell_seconds, total_seconds : float
        Of a cell, and of the whole notebook: processor time, and time in which it waits for
        something else than a processor; see `grader.sandbox.clock`. A cell that is over is
        interrupted, and after `grace_seconds` its process is ended and a new one goes on with the
        next cell.
    wall_factor : float
        How many times as long any of this may take, whatever it waits for.
    cpu_seconds : int
        Processor time of a process, and of all that run at one time together.
    memory_bytes : int
        Of a process, and of all together, on top of what the imported packages have already.
    processes : int
        Processes and threads together.
    open_files : int
    file_bytes, scratch_bytes : int
        Of one file, and of each private folder (/tmp, /scratch, /dev/shm).
    judging_seconds : int
        Processor time of the grader's own work on a test, or on what a cell shows.
    judging_bytes : int
        Memory for that.
    output_bytes, total_output_bytes : int
        Of what a cell, and a notebook, shows.
    restarts : int
        How many times a new process goes on after one that had to be ended.
    locked : bool
        Whether there is a sandbox at all. Without one the limits of time, memory and output stay.
    disabled_rules : tuple of str
        Rules that are not kept; for tests of the sandbox only.
    """

    cell_seconds: float = 120.0  # as long as `course check` and `nbgrader autograde` give a cell
    total_seconds: float = 300.0
    grace_seconds: float = 3.0
    wall_factor: float = 10.0
    cpu_seconds: int = 600
    memory_bytes: int = 2048 * MEBIBYTE
    processes: int = 64
    open_files: int = 256
    file_bytes: int = 100 * MEBIBYTE
    scratch_bytes: int = 200 * MEBIBYTE
    judging_seconds: int = 20
    judging_bytes: int = 2048 * MEBIBYTE
    output_bytes: int = 2 * MEBIBYTE
    total_output_bytes: int = 20 * MEBIBYTE
    restarts: int = 12
    locked: bool = True
    disabled_rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = set(self.disabled_rules) - set(RULES)
        if unknown:
            raise ValueError(f"there is no rule {sorted(unknown)}; there are {RULES}")

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {**asdict(self), "disabled_rules": list(self.disabled_rules)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Policy:
        """The policy that `to_dict` made."""
        return cls(**{**data, "disabled_rules": tuple(data.get("disabled_rules", ()))})
