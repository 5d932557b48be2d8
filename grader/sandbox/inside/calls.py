"""A filter on system calls: what a notebook never needs, and limits do not see, is not there.

Refused calls fail as on a kernel without them (ENOSYS), so that libraries take another way.
Sources: seccomp(2), and the kernel's Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

# By machine: the number by which the kernel calls it, the call socket(), and what is refused.
# Shared memory, message queues and semaphores of System V, and files in memory, are not counted as
# any process's memory; keys outlive a submission, since the keyring is the server's, too; the rest
# looks into other processes, or is a large part of the kernel that has had holes.
MACHINES = {
    "x86_64": (0xC000003E, 41),
    "aarch64": (0xC00000B7, 198),
}
REFUSED = {
    # name: (x86_64, aarch64)
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "syslog": (103, 116),
    # Who opens which file of the read-only system is a message from one submission to another.
    "inotify_init": (253, 26),
    "inotify_init1": (294, 26),
}
# These do nothing, and say that they have worked. Where Linux shares the processor among sessions,
# a session of its own is a share of its own. A lock on a file that all can read is a message.
WITHOUT_EFFECT = {"setsid": (112, 157), "flock": (73, 32)}
# So is what this call says of others' locks: who may only read a file has no other way to see them.
FCNTL = (72, 25)
ASKS_FOR_LOCKS = (5, 36)  # F_GETLK, F_OFD_GETLK
# Unix, IPv4 and IPv6; others, such as vsock, are not held back by a network namespace.
FAMILIES = (1, 2, 10)
NO_SUCH_CALL, NO_SUCH_FAMILY = 38, 97
FIRST_X32_CALL = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_CALL, _MACHINE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
_SET_SECCOMP, _MODE_FILTER = 22, 2


def is_known() -> bool:
    """Whether the numbers of the system calls of this machine are known here."""
    return platform.machine() in MACHINES


def instructions() -> list[tuple[int, int, int, int]]:
    """The filter: (code, jump if true, jump if false, constant) for each step."""
    name = platform.machine()
    machine, socket = MACHINES[name]
    column = list(MACHINES).index(name)
    refuse = (_RETURN, 0, 0, _ERROR | NO_SUCH_CALL)
    steps = [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, machine), refuse, (_LOAD, 0, 0, _CALL)]
    steps += [(_AT_LEAST, 0, 1, FIRST_X32_CALL), refuse]
    for numbers in REFUSED.values():
        steps += [(_EQUAL, 0, 1, numbers[column]), refuse]
    for numbers in WITHOUT_EFFECT.values():
        steps += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _ERROR)]
    ask = [(_LOAD, 0, 0, _SECOND_ARGUMENT)]
    for command in ASKS_FOR_LOCKS:
        ask += [(_EQUAL, 0, 1, command), refuse]
    ask += [(_RETURN, 0, 0, _ALLOW)]
    steps += [(_EQUAL, 0, len(ask), FCNTL[column]), *ask]
    steps += [(_EQUAL, 1, 0, socket), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _FIRST_ARGUMENT)]
    for family in FAMILIES:
        steps += [(_EQUAL, 0, 1, family), (_RETURN, 0, 0, _ALLOW)]
    return [*steps, (_RETURN, 0, 0, _ERROR | NO_SUCH_FAMILY)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def install(libc: ctypes.CDLL) -> None:
    """Filter the calls of this process and of all it starts; needs "no new privileges"."""
    steps = b"".join(struct.pack("HBBI", *step) for step in instructions())
    program = _Program(len(steps) // 8, steps)
    if libc.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")
