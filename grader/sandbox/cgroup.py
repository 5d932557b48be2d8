"""A control group for each submission: all its processes together get one share of the machine.

Linux divides the processor among threads, so whoever starts 58 of them gets 58 shares. Among
control groups it divides by group, whatever runs in each. Such groups can only be made below one
that was given away ("delegated"): this process's own, where nothing else runs in it (a container,
a service), or a scope that systemd makes for it. Where there is neither, a limit on the number of
processes and a low priority have to do (`inside.watch`).

Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst; systemd's CGROUP_DELEGATION.md and
the manual pages org.freedesktop.systemd1(5) and busctl(1).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MOUNT = Path("/sys/fs/cgroup")
# A group with groups below it that are limited may hold no process itself.
OWN, PREFIX = "grader", "submission-"
SHARES_OF_GRADER = 1000  # ten times a submission's 100: all of them wait for it
CONTROLLERS = ("cpu", "memory", "pids")
# What a process changes of the memory that it has inherited from the server is its own from then.
INHERITED_BYTES = 2**30
SECONDS_FOR_SYSTEMD, SECONDS_TO_EMPTY = 20.0, 2.0
GROUPS = "Each submission has a control group: its processes share one share of the processor."
NO_GROUPS = (
    "There are no control groups (cgroup v2) to be had: a submission's processes are limited in "
    "number, and the more run, the lower their priority."
)


class Group:
    """The control group of one submission's processes.

    Parameters
    ----------
    path : path
        It is made there.
    rules : mapping
        The submission's limits, as `grader.judging.policy.Policy.to_dict` makes them.

    Raises
    ------
    OSError
    """

    def __init__(self, path: Path, rules: Mapping[str, Any]) -> None:
        self.path, disabled = path, rules["disabled_rules"]
        path.mkdir()
        # The process inside enters by itself, before it runs anything of the student's. Whether it
        # may is asked of whoever has opened this file.
        self.entrance = os.open(path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        files = 3 * rules["scratch_bytes"]  # in /tmp, /scratch and /dev/shm, which lie in memory
        memory = rules["memory_bytes"] + files + INHERITED_BYTES
        if "processes" not in disabled:
            _write(path / "pids.max", rules["processes"])
        if "memory" not in disabled and "memory watch" not in disabled:
            _write(path / "memory.max", memory)
            _write(path / "memory.swap.max", 0)
            _write(path / "memory.oom.group", 1)

    def is_out_of_memory(self) -> bool:
        """Whether the kernel has ended a process because this group had used up its memory."""
        with contextlib.suppress(OSError):
            words = (self.path / "memory.events").read_text().split()
            return int(words[words.index("oom_kill") + 1]) > 0
        return False

    def close_entrance(self) -> None:
        """Nothing more is to enter from here on; the processes inside go on."""
        os.close(self.entrance)

    def end(self) -> None:
        """End all that runs in it, and remove it."""
        remove(self.path)


def remove(path: Path) -> None:
    """End all that runs in a group, and remove the group; one that is gone is no error."""
    _write(path / "cgroup.kill", 1)
    until = time.monotonic() + SECONDS_TO_EMPTY
    while True:
        try:
            path.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:  # what was killed has not ended yet
            if time.monotonic() > until:
                return
        time.sleep(0.005)


def sweep(folder: Path, of: str = "") -> None:
    """Remove the groups that are left of submissions: all of them, or those of one judge."""
    for path in folder.glob(f"{PREFIX}{of}*"):
        remove(path)


@contextlib.contextmanager
def divided(mount: Path = MOUNT) -> Iterator[Path | None]:
    """A group in which submissions get theirs, or None; at the end nothing of it is left.

    This process moves into a group of its own below it, and so does what it starts from then on.
    """
    folder = own_group(mount)
    if folder is None or not is_usable(folder):
        folder = scope_of_systemd(mount)
    if folder is None or not divide(folder):
        yield None
        return
    try:
        yield folder
    finally:
        unite(folder)


def own_group(mount: Path = MOUNT, list_: Path = Path("/proc/self/cgroup")) -> Path | None:
    """The folder of the control group that this process is in."""
    with contextlib.suppress(OSError):
        for line in list_.read_text().splitlines():
            if line.startswith("0::/") and "/.." not in line:
                return mount / line.removeprefix("0::/")
    return None


def is_usable(folder: Path) -> bool:
    """Whether a group is this process's alone, and may be divided."""
    names = ("cgroup.procs", "cgroup.subtree_control", "cgroup.kill")
    try:
        controllers = (folder / "cgroup.controllers").read_text().split()
        members = (folder / "cgroup.procs").read_text().split()
    except OSError:
        return False
    is_allowed = all(os.access(path, os.W_OK) for path in (folder, *(folder / n for n in names)))
    return is_allowed and "cpu" in controllers and members == [str(os.getpid())]


def scope_of_systemd(mount: Path = MOUNT) -> Path | None:
    """Let systemd move this process into a scope that it may divide, as ``systemd-run --scope``.

    To ask for it, and not to be started again by systemd-run, costs nothing where it fails.
    """
    busctl = shutil.which("busctl")
    if busctl is None:
        return None
    manager, name = "org.freedesktop.systemd1", f"course-grade-{os.getpid()}.scope"
    call = (manager, "/org/freedesktop/systemd1", f"{manager}.Manager", "StartTransientUnit")
    properties = ("2", "Delegate", "b", "true", "PIDs", "au", "1", str(os.getpid()))
    arguments = ("ssa(sv)a(sa(sv))", name, "fail", *properties, "0")
    whose = "--system" if os.geteuid() == 0 else "--user"
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            [busctl, whose, "call", *call, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS_FOR_SYSTEMD,
        )
        until = time.monotonic() + (SECONDS_FOR_SYSTEMD if done.returncode == 0 else 0)
        while time.monotonic() < until:
            folder = own_group(mount)
            if folder is not None and folder.name == name and is_usable(folder):
                return folder
            time.sleep(0.01)
    return None


def divide(folder: Path) -> bool:
    """Move this process into a group below its own, so that there can be others beside it."""
    sweep(folder)  # what a grader has left that was killed
    own = folder / OWN
    try:
        own.mkdir(exist_ok=True)
        (own / "cgroup.procs").write_text(str(os.getpid()))
        (folder / "cgroup.subtree_control").write_text("+cpu")
    except OSError:
        unite(folder)
        return False
    for name in CONTROLLERS[1:]:
        _write(folder / "cgroup.subtree_control", f"+{name}")
    _write(own / "cpu.weight", SHARES_OF_GRADER)
    return True


def unite(folder: Path) -> None:
    """Undo `divide`. What else is still in the grader's own group, leaves it when it ends."""
    sweep(folder)
    for name in CONTROLLERS:
        _write(folder / "cgroup.subtree_control", f"-{name}")
    _write(folder / "cgroup.procs", os.getpid())
    with contextlib.suppress(OSError):
        (folder / OWN).rmdir()


def _write(path: Path, value: int | str) -> None:
    """Set what this kernel knows; a group does its work without the rest."""
    with contextlib.suppress(OSError):
        path.write_text(str(value))
