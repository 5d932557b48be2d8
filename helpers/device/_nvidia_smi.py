"""The NVIDIA cards of this machine, read from the program ``nvidia-smi`` as a person would.

Source: the manual page of nvidia-smi, "Selective query options".
"""

import csv
import subprocess
from dataclasses import dataclass

from helpers.language import gettext

SMI_SECONDS = 10
"""How long ``nvidia-smi`` may take; with a hung driver it never answers."""

GPU_QUERY = "--query-gpu=uuid,index,name,driver_version,memory.used,memory.total"
PROCESS_QUERY = "--query-compute-apps=gpu_uuid,pid,process_name,used_memory"


class NvidiaSmiError(RuntimeError):
    """``nvidia-smi`` gave no usable answer; the message is one plain line that says why."""


@dataclass(frozen=True)
class Process:
    """A program that computes on a card. ``used`` is in MiB, None where the driver hides it."""

    pid: int
    name: str
    used: int | None

    def __str__(self) -> str:
        return f"{self.pid} {self.name}, {_mib(self.used)}"


@dataclass(frozen=True)
class Gpu:
    """A card as ``nvidia-smi`` shows it. Memory is in MiB, None where the driver hides it."""

    index: int
    name: str
    driver: str
    used: int | None
    total: int | None
    processes: tuple[Process, ...] = ()

    def __str__(self) -> str:
        processes = "; ".join(map(str, self.processes)) or gettext("none")
        return gettext(
            "GPU {index} {name}, driver {driver}, memory {used} used of {total}, "
            "processes: {processes}"
        ).format(
            index=self.index,
            name=self.name,
            driver=self.driver,
            used=_mib(self.used),
            total=_mib(self.total),
            processes=processes,
        )


def _mib(value: int | None) -> str:
    return gettext("unknown") if value is None else f"{value:,} MiB"


def read_nvidia_smi(gpu_text: str | None = None, process_text: str | None = None) -> list[Gpu]:
    """Return the NVIDIA cards that ``nvidia-smi`` shows, with the programs that use them.

    Without arguments the program runs. The arguments give its answer instead, as
    ``--format=csv,noheader,nounits`` prints it, for the queries ``GPU_QUERY`` and
    ``PROCESS_QUERY``.

    Raises
    ------
    NvidiaSmiError
        It is not installed, fails, does not answer in time, or prints something else.
    """
    if gpu_text is None:
        gpu_text = _run_nvidia_smi(GPU_QUERY)
        process_text = _run_nvidia_smi(PROCESS_QUERY) if gpu_text.strip() else ""
    processes: dict[str, list[Process]] = {}
    cards = []
    for row in _rows(process_text or "", least=4):
        uuid, pid, *name, used = row  # a name may hold commas, and is not quoted
        processes.setdefault(uuid, []).append(
            Process(_number(pid, row), ", ".join(name), _number_unless_hidden(used, row))
        )
    for row in _rows(gpu_text, least=6):
        uuid, index, *name, driver, used, total = row
        cards.append(
            Gpu(
                _number(index, row),
                ", ".join(name),
                driver,
                _number_unless_hidden(used, row),
                _number_unless_hidden(total, row),
                tuple(processes.get(uuid, ())),
            )
        )
    return cards


def _rows(text: str, least: int) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.strip()]
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, quoting=csv.QUOTE_NONE)]
    for row in rows:
        if len(row) < least:
            raise _unreadable(row)
    return rows


def _number_unless_hidden(cell: str, row: list[str]) -> int | None:
    if cell.startswith("[") and cell.endswith("]"):  # [N/A], [Not Supported], ...
        return None
    return _number(cell, row)


def _number(cell: str, row: list[str]) -> int:
    try:
        return int(cell)
    except ValueError:
        raise _unreadable(row) from None


def _unreadable(row: list[str]) -> NvidiaSmiError:
    return NvidiaSmiError(
        gettext("it gave an answer that the course cannot read: {answer!r}").format(
            answer=", ".join(row)[:80]
        )
    )


def _run_nvidia_smi(query: str) -> str:
    try:
        process = subprocess.Popen(
            ["nvidia-smi", query, "--format=csv,noheader,nounits"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        raise NvidiaSmiError(
            gettext("not found, so there is no NVIDIA driver on this machine")
        ) from None
    except OSError as error:
        raise NvidiaSmiError(
            gettext("it could not be started: {error}").format(error=error.strerror)
        ) from error
    try:
        output, _ = process.communicate(timeout=SMI_SECONDS)
    except subprocess.TimeoutExpired:
        # Not waited for after this: inside a hung driver a process cannot even be killed.
        process.kill()
        raise NvidiaSmiError(
            gettext(
                "it did not answer within {seconds} seconds; the driver may hang, try a restart"
            ).format(seconds=SMI_SECONDS)
        ) from None
    if process.returncode != 0:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        why = lines[0][:160] if lines else gettext("it said nothing")
        raise NvidiaSmiError(
            gettext("it failed with status {status}: {why}").format(
                status=process.returncode, why=why
            )
        )
    return output
