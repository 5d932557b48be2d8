"""Watch a child from outside its namespaces: its end, its memory and its processor time.

Limits of the kernel hold for each process; these are for all that a submission runs together.
Sources: the manual pages proc(5), proc_pid_status(5), proc_pid_smaps(5), pidfd_open(2), sched(7),
and the kernel's Documentation/scheduler/sched-stats.rst.
"""

from __future__ import annotations

import contextlib
import glob
import json
import math
import os
import select
import signal
import socket
import time
from collections.abc import Iterable
from typing import Any

from .messages import Report, Rules, Usage

INTERRUPT, TELL_USAGE, KILL = b"i", b"u", b"k"
# The pause between two looks, at least; and how many times as long as the last look took it is, so
# that looking at many processes takes no more than a tenth of a processor.
SECONDS_BETWEEN_LOOKS, PAUSE_FOR_LOOK = 0.1, 9
# By how much one step of niceness lowers a thread's share of a processor.
NICE_STEP = 1.25
LOWEST_PRIORITY = 19
# A close look at a process with large libraries takes 30 ms, in which it cannot work.
SHARE_OF_TIME, SHARE_OF_TIME_IF_HIGH = 0.1, 0.5
_TICKS = os.sysconf("SC_CLK_TCK")


def watch(pid: int, status: socket.socket, rules: Rules) -> None:
    """Wait for a child's end; pass on the grader's signals, and end it when it uses too much.

    It also sees to it that all the submission's threads together take no larger share of the
    machine than one would.

    Parameters
    ----------
    pid : int
        Of the child, a child of this process.
    status : socket
        To the grader, which sends `INTERRUPT`, `TELL_USAGE`, or something else to end it.
    rules : dict
        As `Policy.to_dict` makes it.
    """
    tree = Tree(pid)
    kills = out_of_memory_kills()
    why: str | None = None
    failed = ""
    handle = os.pidfd_open(pid)
    watched: list[Any] = [status, handle]
    next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS
    while True:
        left = max(0.0, next_look - time.monotonic())
        ready, _, _ = select.select(watched, [], [], left)
        if handle in ready:
            break
        if status in ready:
            order = status.recv(1)
            if order == INTERRUPT:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)
                continue
            if order == TELL_USAGE:
                tell(status, {"usage": tree.usage()})
                continue
            why = "killed" if order else "orphan"  # the grader is gone
        else:
            start = time.process_time()
            why = tree.excess(rules)
            if "priority" not in rules["disabled_rules"]:
                tree.lower_priority()
            # A close look at the memory is rare, and has a bound of its own.
            taken = time.process_time() - start - tree.close_look
            pause = max(SECONDS_BETWEEN_LOOKS, PAUSE_FOR_LOOK * taken)
            next_look = time.monotonic() + pause
        if why is not None:
            os.kill(pid, signal.SIGKILL)
            break
    _, wait_status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(wait_status)
    seconds = usage.ru_utime + usage.ru_stime
    if why is None and code == -signal.SIGKILL:
        if out_of_memory_kills() > kills:
            # It was within its limit: the machine has less memory than it was said to have, or the
            # submission's control group, which the grader can see.
            why, failed = "memory", "the machine ran out of memory"
        # The kernel counts the time of threads by samples, which may run ahead of the sum.
        elif seconds > 0.5 * rules["cpu_seconds"]:
            why = "cpu"
    report: Report = {
        "ended": why or "by itself",
        "code": code,
        "cpu": max(seconds, tree.cpu),
        "peak": usage.ru_maxrss * 1024,
    }
    if failed:
        report["failed"] = failed
    tell(status, report)


def out_of_memory_kills() -> int:
    """How often the kernel has ended a process for want of memory."""
    with contextlib.suppress(OSError, ValueError), open("/proc/vmstat") as file:
        for line in file:
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def tell(status: socket.socket, message: Report) -> None:
    """Send the grader a line, if it is still there."""
    with contextlib.suppress(OSError):
        status.sendall(json.dumps(message).encode() + b"\n")


class Tree:
    """A process and all that it has started.

    Parameters
    ----------
    pid : int
        Freshly forked from the server, and all its memory with it.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.inherited = memory_of(pid)
        self.program = _program(pid)
        self.cpu = 0.0
        self.next_close_look = 0.0
        self.close_look = 0.0  # processor time that it took in the last look
        self.nice = os.getpriority(os.PRIO_PROCESS, 0)
        # By number and time of birth, so that what has ended is not forgotten.
        self.cpu_of: dict[tuple[int, bytes], float] = {}
        self.delay_of: dict[tuple[int, int], float] = {}
        self.ready: list[int] = []  # threads that run, or wait for a processor

    def excess(self, rules: Rules) -> str | None:
        """Which limit all together have passed: "memory", "cpu", or None."""
        self.close_look = 0.0
        members = self.members()
        if "cpu" not in rules["disabled_rules"] and self.cpu > rules["cpu_seconds"]:
            return "cpu"
        if "memory watch" in rules["disabled_rules"]:
            return None
        limit = rules["memory_bytes"]
        low, high = self.memory(members)
        if low > limit and len(members) == 1:
            return "memory"
        start = time.monotonic()
        if high - self.inherited > limit and start >= self.next_close_look:
            # A process that gave back what it inherited has nothing free for it; and processes
            # that were forked one from another have much in common.
            before = time.process_time()
            used = sum(map(_share_of, members))
            self.close_look = time.process_time() - before
            end = time.monotonic()
            share = SHARE_OF_TIME_IF_HIGH if low > limit else SHARE_OF_TIME
            self.next_close_look = end + (end - start) / share
            if used > limit:
                return "memory"
        return None

    def usage(self) -> Usage:
        """What all of them have used up to now."""
        self.members()
        delay = sum(self.delay_of.values()) if self.delay_of else None
        return {"cpu": self.cpu, "delay": delay, "at": time.monotonic()}

    def members(self) -> list[int]:
        """The numbers of its processes; adds up what time they have used and waited for."""
        found, waiting, with_ended = [], [self.pid], 0.0
        self.ready = []
        while waiting:
            number = waiting.pop()
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = _fields(f"/proc/{number}")
                own, ended = (sum(map(int, fields[n : n + 2])) / _TICKS for n in (11, 13))
                with_ended += own + ended
                self.cpu_of[number, fields[19]] = own
                found.append(number)
                for task in map(int, os.listdir(f"/proc/{number}/task")):
                    waiting += self.thread(number, task)
        # A process that has ended is counted by its parent, unless that does not wait for it.
        self.cpu = max(self.cpu, with_ended, sum(self.cpu_of.values()))
        return found

    def thread(self, number: int, task: int) -> list[int]:
        """Look at a thread of a process; returns the processes that it has started."""
        folder = f"/proc/{number}/task/{task}"
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"{folder}/schedstat") as file:
                running, delay, _ = map(int, file.read().split())
            if running or delay:
                self.delay_of[number, task] = delay / 1e9
            if _fields(folder)[0] == b"R":
                self.ready.append(task)
        with open(f"{folder}/children") as file:
            return list(map(int, file.read().split()))

    def lower_priority(self) -> None:
        """Let all ready threads together have the share of a processor that one would have.

        The priority stays as low as it was at most: to raise it takes a right.
        """
        steps = math.ceil(math.log(max(1, len(self.ready)), NICE_STEP))
        nice = min(LOWEST_PRIORITY, self.nice + steps)
        if nice == self.nice:
            return
        for task in self.ready:
            with contextlib.suppress(OSError):
                if os.getpriority(os.PRIO_PROCESS, task) < nice:
                    os.setpriority(os.PRIO_PROCESS, task, nice)

    def memory(self, members: Iterable[int]) -> tuple[int, int]:
        """The least and the most that they can use together, in bytes.

        What a forked process has inherited may still be the server's, or its own by now; a process
        that has started another program has inherited nothing.
        """
        low = high = 0
        for number in members:
            used = memory_of(number)
            is_forked = _program(number) == self.program
            low += max(0, used - self.inherited) if is_forked else used
            high += used
        return low, high


def memory_of(pid: int) -> int:
    """Bytes of a process's memory that lie in no file; memory shared with others counts."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        # When its first thread has ended, only the others know.
        for path in (f"/proc/{pid}", *glob.iglob(f"/proc/{pid}/task/*")):
            found = sizes(f"{path}/status", ("RssAnon", "RssShmem"))
            if found:
                return sum(found.values())
    return 0


def sizes(path: str, names: Iterable[str]) -> dict[str, int]:
    """Lines such as "VmData:  12 kB" of a file, in bytes by name."""
    found = {}
    # In bytes: a process may have a name that is no text.
    with open(path, "rb") as file:
        for line in file:
            name, _, rest = line.partition(b":")
            if name.decode(errors="replace") in names:
                found[name.decode()] = int(rest.split()[0]) * 1024
    return found


def _share_of(pid: int) -> int:
    """Its memory, where what several have in common is divided among them."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        parts = sizes(f"/proc/{pid}/smaps_rollup", ("Pss_Anon", "Pss_Shmem"))
        if parts:
            return sum(parts.values())
    # An older kernel, or a process that has made itself private.
    return memory_of(pid)


def _program(pid: int) -> tuple[bytes, bytes] | None:
    """Where the program's code and stack lie: another place in each program that is started."""
    with contextlib.suppress(OSError, IndexError):
        fields = _fields(f"/proc/{pid}")
        return None if fields[25] in (b"0", b"1") else (fields[23], fields[25])
    return None


def _fields(folder: str) -> list[bytes]:
    """The fields of /proc/PID/stat, or of a thread's, from the third on."""
    with open(f"{folder}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()
