"""Namespaces, limits and capabilities of a child, by the system calls themselves (Linux).

The server runs in bubblewrap's sandbox; each child gets namespaces of its own inside it, so that
nothing it leaves behind is seen by the next. Sources: the manual pages namespaces(7),
user_namespaces(7), capabilities(7), prctl(2), mount(2), setrlimit(2), core(5).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Collection
from typing import Any

from . import calls
from .messages import Rules
from .watch import sizes

NEW_USER, NEW_MOUNTS, NEW_PIDS = 0x10000000, 0x00020000, 0x20000000
NEW_IPC, NEW_NET, NEW_UTS = 0x08000000, 0x40000000, 0x04000000
NO_SUID, NO_DEVICES, NO_EXEC, PRIVATE, RECURSIVE = 2, 4, 8, 1 << 18, 1 << 14
SET_DEATH_SIGNAL, DROP_BOUND, NO_NEW_PRIVILEGES = 1, 24, 38
CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: Any, *arguments: Any) -> None:
    if function(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


def own_namespaces(rules: Rules) -> None:
    """Leave the server's user, ipc, net and uts namespaces; children get new pids."""
    uid, gid = os.getuid(), os.getgid()
    kinds = NEW_USER | NEW_UTS
    for rule, kind in (
        ("network", NEW_NET),
        ("private processes", NEW_PIDS),
        ("private ipc", NEW_IPC),
    ):
        if rule not in rules["disabled_rules"]:
            kinds |= kind
    _call(_libc.unshare, kinds)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def die_with_parent() -> None:
    """Be killed when the process that forked this one ends."""
    _call(_libc.prctl, SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def mount(kind: str, target: str, flags: int, options: str = "") -> None:
    """Mount a new file system of a kind, such as "tmpfs"."""
    _call(
        _libc.mount,
        kind.encode(),
        target.encode(),
        kind.encode(),
        ctypes.c_ulong(flags),
        options.encode(),
    )


def private_files(rules: Rules) -> None:
    """Empty folders of its own on /tmp, /scratch and /dev/shm, and a /proc of its own."""
    disabled = rules["disabled_rules"]
    # Only here: the process that watches this one needs the server's view of /proc.
    _call(_libc.unshare, NEW_MOUNTS)
    _call(_libc.mount, b"none", b"/", None, ctypes.c_ulong(PRIVATE | RECURSIVE), None)
    if "private files" not in disabled:
        options = "mode=0700"
        if "scratch size" not in disabled:
            options += f",size={rules['scratch_bytes']},nr_inodes=10000"
        for folder in ("/tmp", "/scratch", "/dev/shm"):
            mount("tmpfs", folder, NO_SUID | NO_DEVICES, options)
    if "private processes" not in disabled:
        mount("proc", "/proc", NO_SUID | NO_DEVICES | NO_EXEC)


def no_more_namespaces() -> None:
    """Forbid user namespaces from here on, by a setting of this one."""
    for name in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"):
        with (
            contextlib.suppress(FileNotFoundError),
            open(f"/proc/sys/user/max_{name}_namespaces", "w") as file,
        ):
            file.write("0")


def set_limits(rules: Rules) -> None:
    """Memory, processes, files and processor time of this process and those it starts."""
    disabled = rules["disabled_rules"]
    used = sizes("/proc/self/status", ("VmData", "VmSize"))
    limits = {
        # Not 0: a program that collects the memory of crashed processes is only held back by 1.
        resource.RLIMIT_CORE: 1,
        resource.RLIMIT_CPU: rules["cpu_seconds"],
        resource.RLIMIT_NPROC: rules["processes"],
        resource.RLIMIT_NOFILE: rules["open_files"],
        resource.RLIMIT_FSIZE: rules["file_bytes"],
        # What is mapped already (libraries, their pools) belongs to the server.
        resource.RLIMIT_DATA: used["VmData"] + rules["memory_bytes"],
        resource.RLIMIT_AS: used["VmSize"] + 2 * rules["memory_bytes"],
    }
    switches = {
        resource.RLIMIT_CPU: "cpu",
        resource.RLIMIT_NPROC: "processes",
        resource.RLIMIT_NOFILE: "open files",
        resource.RLIMIT_FSIZE: "file size",
        resource.RLIMIT_DATA: "memory",
        resource.RLIMIT_AS: "memory",
    }
    for which, value in limits.items():
        if switches.get(which) not in disabled:
            _, hard = resource.getrlimit(which)
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(which, (value, value))
    # When the whole machine runs out of memory, let the kernel begin here.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


class _CapabilityHead(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilityData(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def drop_capabilities() -> None:
    """Give up every capability, for good, also for programs started later."""
    for number in range(64):
        if _libc.prctl(DROP_BOUND, number, 0, 0, 0) == -1:
            break  # past the last one that this kernel knows
    head = _CapabilityHead(CAPABILITY_VERSION, 0)
    _call(_libc.capset, ctypes.byref(head), ctypes.byref((_CapabilityData * 2)()))


def close_all_but(kept: Collection[int]) -> None:
    """Close every file descriptor but these; input, output and error become nothing."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def lock_in(rules: Rules, kept: Collection[int]) -> None:
    """All of it, in the first process of the new pid namespace."""
    disabled = rules["disabled_rules"]
    die_with_parent()
    private_files(rules)
    if "namespaces" not in disabled:
        no_more_namespaces()
    set_limits(rules)
    if "capabilities" not in disabled:
        drop_capabilities()
    # bubblewrap has set it already, for the server and all it starts.
    _call(_libc.prctl, NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    close_all_but(kept)
    os.setsid()
    os.chdir("/scratch")
    if "system calls" not in disabled:
        calls.install(_libc)


def only_limit(rules: Rules, kept: Collection[int], folder: str) -> None:
    """For whoever grades without a sandbox: the limits and a folder of its own, and no more."""
    die_with_parent()
    # The limit on processes counts all that this user runs, whatever it is.
    disabled = [*rules["disabled_rules"], "processes"]
    set_limits({**rules, "disabled_rules": disabled})
    close_all_but(kept)
    os.setsid()
    os.chdir(folder)
