"""What this machine has: versions, processor, memory, disk, GPUs. See ``helpers.device.describe``.

The facts about NVIDIA cards come from two sides, as a person would look them up: from the program
``nvidia-smi``, which shows what the driver sees, and from ``torch.cuda``, which shows what torch
can use. Where the two disagree, something is wrong with the installation.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from helpers.device._nvidia_smi import Gpu, NvidiaSmiError, read_nvidia_smi
from helpers.language import gettext

GIB = 2**30


def cuda_problem(index: int = 0) -> str | None:
    """Return why torch cannot compute on NVIDIA card ``index``, in one line; None if it can."""
    count, warning = _count_cuda()
    if count == 0:
        if torch.version.cuda is None and torch.version.hip is None:
            return gettext(
                "this torch ({version}) is built without CUDA; the selector on "
                "pytorch.org names the build that has it"
            ).format(version=torch.__version__)
        none = gettext("torch finds no NVIDIA GPU that it can use")
        return f"{none}: {warning}" if warning else none
    if not 0 <= index < count:
        if count == 1:
            return gettext("there is no card cuda:{index}: torch finds 1 card, cuda:0").format(
                index=index
            )
        return gettext(
            "there is no card cuda:{index}: torch finds {count} cards, cuda:0 to cuda:{last}"
        ).format(index=index, count=count, last=count - 1)
    try:
        # A card can be listed and yet be too old for this build of torch, full, or locked.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.ones(1, device=f"cuda:{index}").add(1).item()
    except RuntimeError as error:
        return gettext("torch cannot compute on cuda:{index}: {error}").format(
            index=index, error=_first_line(error)
        )
    return None


def _count_cuda() -> tuple[int, str | None]:
    """Return how many cards torch can use, and what it warns of: too old a driver, for instance."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return count, _first_line(caught[0].message) if caught else None


def _first_line(message: object) -> str:
    return str(message).strip().partition("\n")[0].strip()[:200]


@dataclass(frozen=True, repr=False)
class MachineReport:
    """What ``helpers.device.describe`` found out; prints as plain text, also in a notebook.

    Attributes
    ----------
    versions : name of Python, torch and torchvision -> version
    processor : the processor's name and its number of logical cores
    threads : how many threads torch computes with on the CPU
    memory, disk : bytes of main memory and of free disk space here, None where unknown
    nvidia_smi : the cards that the driver sees
    torch_cuda : one line for each card that torch sees
    mps : whether torch can use an Apple GPU
    notes : plain lines on what could not be found out, and why
    runs_on : the device that ``get_device()`` chooses, None where it raises an error
    """

    versions: dict[str, str]
    processor: str
    threads: int
    memory: int | None
    disk: int | None
    nvidia_smi: tuple[Gpu, ...] = ()
    torch_cuda: tuple[str, ...] = ()
    mps: bool = False
    notes: tuple[str, ...] = field(default=())
    runs_on: torch.device | None = None

    def __repr__(self) -> str:
        lines = [
            ", ".join(f"{name} {version}" for name, version in self.versions.items()),
            gettext("processor: {processor}").format(processor=self.processor),
            gettext("memory: {memory}, free disk space here: {disk}").format(
                memory=_gib(self.memory), disk=_gib(self.disk)
            ),
            *(f"nvidia-smi: {gpu}" for gpu in self.nvidia_smi),
            *(f"torch.cuda: {line}" for line in self.torch_cuda),
            *([gettext("Apple GPU: torch can use it (mps)")] if self.mps else []),
            *self.notes,
        ]
        if self.runs_on is not None:
            on_cpu = self.runs_on.type == "cpu"
            where = str(self.runs_on)
            if on_cpu:
                where = gettext("CPU, {threads} threads").format(threads=self.threads)
            no_gpu = not (self.nvidia_smi or self.torch_cuda or self.mps)
            lines.append(
                gettext("no GPU, running on {where}").format(where=where)
                if no_gpu
                else gettext("running on {where}").format(where=where)
            )
        return "\n".join(lines)


def _gib(size: int | None) -> str:
    return gettext("unknown") if size is None else f"{size / GIB:.1f} GiB"


def read_machine(choose_device: Callable[[], torch.device]) -> MachineReport:
    """Gather the facts; ``choose_device`` is asked last what the course would run on."""
    notes = []
    try:
        nvidia_smi = tuple(read_nvidia_smi())
    except NvidiaSmiError as error:
        nvidia_smi = ()
        notes.append(f"nvidia-smi: {error}")
    torch_cuda, cuda_notes = _read_torch_cuda(bool(nvidia_smi))
    notes += cuda_notes
    runs_on = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the notes say it already
            runs_on = choose_device()
    except (ValueError, RuntimeError) as error:
        notes.append(gettext("no device chosen: {error}").format(error=error))
    return MachineReport(
        versions={
            "Python": platform.python_version(),
            "torch": _version("torch"),
            "torchvision": _version("torchvision"),
        },
        processor=gettext("{name}, {count} logical cores").format(
            name=_processor(), count=os.cpu_count()
        ),
        threads=torch.get_num_threads(),
        memory=_memory(),
        disk=_free_disk(),
        nvidia_smi=nvidia_smi,
        torch_cuda=torch_cuda,
        mps=torch.backends.mps.is_available(),
        notes=tuple(notes),
        runs_on=runs_on,
    )


def _read_torch_cuda(driver_sees_cards: bool) -> tuple[tuple[str, ...], list[str]]:
    """Return a line for each card that torch can use, and notes on those that it cannot."""
    lines, notes = [], []
    count, warning = _count_cuda()
    if count == 0 and (driver_sees_cards or warning):
        notes.append(f"torch.cuda: {cuda_problem()}")
        if driver_sees_cards and "CUDA_VISIBLE_DEVICES" in os.environ:
            hidden = os.environ["CUDA_VISIBLE_DEVICES"]
            notes.append(
                gettext(
                    "the variable CUDA_VISIBLE_DEVICES is {hidden!r}: it may hide the cards"
                ).format(hidden=hidden)
            )
    for index in range(count):
        problem = cuda_problem(index)
        if problem is not None:
            notes.append(f"torch.cuda: {problem}")
            continue
        try:
            facts = torch.cuda.get_device_properties(index)
            free, total = torch.cuda.mem_get_info(index)
        except RuntimeError as error:
            notes.append(
                gettext("torch.cuda: cuda:{index} gives no facts: {error}").format(
                    index=index, error=_first_line(error)
                )
            )
            continue
        lines.append(
            gettext(
                "cuda:{index} {name}, compute capability {major}.{minor}, memory {used:,} "
                "MiB used of {total:,} MiB, CUDA {version}"
            ).format(
                index=index,
                name=facts.name,
                major=facts.major,
                minor=facts.minor,
                used=(total - free) // 2**20,
                total=total // 2**20,
                version=torch.version.cuda,
            )
        )
    return tuple(lines), notes


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return gettext("not installed")


def _processor() -> str:
    """Return the processor's name as the system tells it."""
    name = ""
    try:
        if sys.platform == "linux":
            for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
                if line.startswith("model name"):
                    name = line.partition(":")[2].strip()
                    break
        elif sys.platform == "darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            name = subprocess.run(command, capture_output=True, text=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        pass  # the next line has something for every system
    return name or platform.processor() or platform.machine() or gettext("unknown")


def _memory() -> int | None:
    """Return the bytes of main memory; None where the system does not tell (Windows)."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _free_disk() -> int | None:
    try:
        return shutil.disk_usage(".").free
    except OSError:
        return None
