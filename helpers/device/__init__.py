"""Which device the course computes on, how fast it is, and what fits into its memory.

>>> from helpers.device import get_device
>>> get_device("cpu")
device(type='cpu')
"""

from __future__ import annotations

import copy
import os
import random
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from helpers.device._memory import MemoryEstimate, estimate_memory, largest_batch
from helpers.device._report import MachineReport, cuda_problem, read_machine
from helpers.language import gettext

__all__ = [
    "MachineReport",
    "MemoryEstimate",
    "describe",
    "estimate_memory",
    "get_device",
    "largest_batch",
    "seed_everything",
    "time_on",
]


def get_device(prefer: str | torch.device | None = None) -> torch.device:
    """Choose the device to compute on.

    The variable ``COURSE_DEVICE`` decides if it is set; then ``prefer``; then the best that is
    there: an NVIDIA card (``cuda``), an Apple GPU (``mps``), the processor (``cpu``). What you
    name is what you get: a device that is not there is an error, never a quiet run on the CPU.

    Raises
    ------
    ValueError
        The name is no device's name.
    RuntimeError
        The device is not there, or torch cannot compute on it.
    """
    named = os.environ.get("COURSE_DEVICE", "").strip()
    if named:
        return _named_device(
            named,
            gettext("the variable COURSE_DEVICE is {named!r}").format(named=named),
            gettext("set COURSE_DEVICE=cpu, or unset it"),
        )
    if prefer is not None:
        return _named_device(
            prefer, f"prefer={str(prefer)!r}", gettext("use prefer='cpu', or leave it out")
        )
    problem = cuda_problem()
    if problem is None:
        return torch.device("cuda")
    if _has_nvidia_card_in_trouble():
        warnings.warn(
            gettext("There is an NVIDIA GPU, but it is not used: {problem}.").format(
                problem=problem
            ),
            stacklevel=2,
        )
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _names() -> str:
    return gettext("'cpu', 'cuda', 'cuda:N' (card number N, from 0) or 'mps'")


def _has_nvidia_card_in_trouble() -> bool:
    """Whether CUDA finds a card although ``cuda_problem`` said that it cannot be used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.cuda.device_count() > 0


def _named_device(name: str | torch.device, given: str, way_out: str) -> torch.device:
    """Turn a name into a device that is there; ``given`` and ``way_out`` go into the messages."""
    if not isinstance(name, str | torch.device):
        raise ValueError(
            gettext("{given}: give a name as a str ({names}) or a torch.device").format(
                given=given, names=_names()
            )
        )
    try:
        device = torch.device(name.lower() if isinstance(name, str) else name)
    except RuntimeError:
        device = None
    # torch also takes numbers for the CPU and for mps, of which there is only one each.
    if device is None or not (
        device.type == "cuda" or (device.type in ("cpu", "mps") and device.index in (None, 0))
    ):
        raise ValueError(
            gettext("{given}: no such device name; use {names}").format(given=given, names=_names())
        )
    if device.type == "cuda":
        problem = cuda_problem(device.index or 0)
        if problem is not None:
            raise RuntimeError(
                gettext(
                    "{given}, but {problem}. To run on the CPU, {way_out}. "
                    "print(helpers.device.describe()) shows what this machine has."
                ).format(given=given, problem=problem, way_out=way_out)
            )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise RuntimeError(
            gettext(
                "{given}, but torch finds no Apple GPU (mps) on this machine. To run on the "
                "CPU, {way_out}."
            ).format(given=given, way_out=way_out)
        )
    return device


def describe() -> MachineReport:
    """Report what this machine has for the course: versions, processor, memory, GPUs.

    Print the result, or let a notebook show it. It never raises: what cannot be found out is
    said in one plain line.
    """
    return read_machine(get_device)


def time_on(
    device: str | torch.device,
    fn: Callable,
    *args: object,
    repeat: int = 5,
    warmup: int = 1,
    **kwargs: object,
) -> float:
    """Return how many seconds ``fn(*args, **kwargs)`` takes on ``device``: the median of runs.

    A GPU works on while Python goes on, so the clock is read only after the device has
    finished (``torch.cuda.synchronize``, ``torch.mps.synchronize``). Without this one measures
    how long it takes to *ask* for the work.

    Tensors and modules among ``fn``, ``args`` and ``kwargs`` are copied to the device before the
    clock starts; yours stay where they are. Tensors inside lists, or that ``fn`` gets from
    elsewhere, are not.

    Parameters
    ----------
    repeat : how many runs are timed, at least 1
    warmup : how many runs go before; the first one on a GPU loads code and is slower

    Raises
    ------
    ValueError
        ``repeat`` or ``warmup`` is no such number, or ``device`` is no device's name.
    RuntimeError
        The device is not there.
    """
    for name, value, least in (("repeat", repeat, 1), ("warmup", warmup, 0)):
        if not isinstance(value, int) or value < least:
            raise ValueError(
                gettext("{name}={value!r}: give a whole number, {least} or more").format(
                    name=name, value=value, least=least
                )
            )
    device = _named_device(device, f"device={str(device)!r}", gettext("use device='cpu'"))
    fn = _on(device, fn)
    args = tuple(_on(device, value) for value in args)
    kwargs = {name: _on(device, value) for name, value in kwargs.items()}
    for _ in range(warmup):
        fn(*args, **kwargs)
    seconds = []
    for _ in range(repeat):
        _synchronize(device)
        start = time.perf_counter()
        fn(*args, **kwargs)
        _synchronize(device)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _on(device: torch.device, value: Any) -> Any:
    """Return a tensor or module on ``device``; anything else unchanged."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, torch.nn.Module):
        # Module.to works in place, and would take the caller's model along.
        return copy.deepcopy(value).to(device)
    return value


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seed_everything(seed: int, deterministic: bool = False) -> None:
    """Set the seed of every random number generator a lesson uses: Python, NumPy, torch (GPUs too).

    The same seed gives the same numbers on the same machine with the same versions; other
    machines and versions may differ in the last digits, and GPUs from CPUs altogether (PyTorch
    documentation, "Reproducibility").

    Parameters
    ----------
    seed : a whole number from 0 to 2**32 - 1, the range that NumPy takes
    deterministic : also choose GPU algorithms that give the same result in every run. cuDNN stays
        on, for turning it off makes nothing more exact, only slower. An operation without such an
        algorithm warns. Some runs get slower. False leaves these settings as they are.

    Raises
    ------
    ValueError
        ``seed`` is no such number.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(
            gettext("seed={seed!r}: give a whole number from 0 to {largest}").format(
                seed=seed, largest=2**32 - 1
            )
        )
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - students' code may use the global generator
    torch.manual_seed(seed)
    if deterministic:
        # cuBLAS reads this when it starts; without it its results may differ between runs.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
