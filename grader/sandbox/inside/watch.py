"""Watch a child from outside its namespaces: its end, its memory and its processor time.

Limits of the kernel hold for each process; these are for all that a submission runs together.
Sources: the manual pages proc(5), proc_pid_status(5), proc_pid_smaps(5), pidfd_open(2).
"""

import contextlib
import glob
import json
import os
import select
import signal
import time

SECONDS_BETWEEN_LOOKS = 0.1
# A close look at a process with large libraries takes 30 ms, in which it cannot work.
SHARE_OF_TIME = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


def watch(pid, status, rules):
    """Wait for a child's end; pass on the grader's signals, and end it when it uses too much.

    Parameters
    ----------
    pid : int
        Of the child, a child of this process.
    status : socket
        To the grader, which sends "i" to interrupt it, anything else to end it.
    rules : dict
        As `Policy.to_dict` makes it.
    """
    tree = Tree(pid)
    kills = out_of_memory_kills()
    why = None
    handle = os.pidfd_open(pid)
    while True:
        ready, _, _ = select.select([status, handle], [], [], SECONDS_BETWEEN_LOOKS)
        if handle in ready:
            break
        if status in ready:
            order = status.recv(1)
            if order == b"i":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)
                continue
            why = "killed" if order else "orphan"  # the grader is gone
        else:
            why = tree.excess(rules)
        if why is not None:
            os.kill(pid, signal.SIGKILL)
            break
    _, wait_status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(wait_status)
    seconds = usage.ru_utime + usage.ru_stime
    if why is None and code == -signal.SIGKILL:
        if out_of_memory_kills() > kills:
            # It was within its limit: the machine has less memory than it was said to have.
            tell(status, {"failed": "the machine ran out of memory"})
            return
        # The kernel counts the time of threads by samples, which may run ahead of the sum.
        if seconds > 0.5 * rules["cpu_seconds"]:
            why = "cpu"
    tell(
        status,
        {
            "ended": why or "by itself",
            "code": code,
            "cpu": max(seconds, tree.seconds),
            "peak": usage.ru_maxrss * 1024,
        },
    )


def out_of_memory_kills():
    """How often the kernel has ended a process for want of memory."""
    with contextlib.suppress(OSError, ValueError), open("/proc/vmstat") as file:
        for line in file:
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def tell(status, message):
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

    def __init__(self, pid):
        self.pid = pid
        self.inherited = memory_of(pid)
        self.beginning = _beginning(pid)
        self.seconds = 0.0
        self.next_close_look = 0.0

    def excess(self, rules):
        """Which limit all together have passed: "memory", "cpu", or None."""
        members = self.members()
        if "cpu" not in rules["off"] and self.seconds > rules["cpu_seconds"]:
            return "cpu"
        if "memory watch" in rules["off"]:
            return None
        most = rules["memory_bytes"]
        low, high = self.memory(members)
        if low > most:
            return "memory"
        start = time.monotonic()
        if high - self.inherited > most and start >= self.next_close_look:
            # A process that gave back what it inherited has nothing free for it.
            used = sum(map(_share_of, members))
            end = time.monotonic()
            self.next_close_look = end + (end - start) / SHARE_OF_TIME
            if used > most:
                return "memory"
        return None

    def members(self):
        """The numbers of its processes; adds up what processor time they have used."""
        found, waiting, seconds = [], [self.pid], 0.0
        while waiting:
            number = waiting.pop()
            with contextlib.suppress(OSError, ValueError, IndexError):
                seconds += sum(map(int, _fields(number)[11:15])) / _TICKS
                found.append(number)
                for task in os.listdir(f"/proc/{number}/task"):
                    with open(f"/proc/{number}/task/{task}/children") as file:
                        waiting += map(int, file.read().split())
        self.seconds = max(self.seconds, seconds)
        return found

    def memory(self, members):
        """The least and the most that they can use together, in bytes.

        What a forked process has inherited may still be the server's, or its own by now; a process
        that has started another program has inherited nothing.
        """
        low = high = 0
        for number in members:
            used = memory_of(number)
            is_forked = _beginning(number) == self.beginning
            low += max(0, used - self.inherited) if is_forked else used
            high += used
        return low, high


def memory_of(pid):
    """Bytes of a process's memory that lie in no file; memory shared with others counts."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        # When its first thread has ended, only the others know.
        for path in (f"/proc/{pid}", *glob.iglob(f"/proc/{pid}/task/*")):
            found = sizes(f"{path}/status", ("RssAnon", "RssShmem"))
            if found:
                return sum(found.values())
    return 0


def sizes(path, names):
    """Lines such as "VmData:  12 kB" of a file, in bytes by name."""
    found = {}
    # In bytes: a process may have a name that is no text.
    with open(path, "rb") as file:
        for line in file:
            name, _, rest = line.partition(b":")
            if name.decode(errors="replace") in names:
                found[name.decode()] = int(rest.split()[0]) * 1024
    return found


def _share_of(pid):
    """Its memory, where what several have in common is divided among them."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        parts = sizes(f"/proc/{pid}/smaps_rollup", ("Pss_Anon", "Pss_Shmem"))
        if parts:
            return sum(parts.values())
    # An older kernel, or a process that has made itself private.
    return memory_of(pid)


def _beginning(pid):
    """Where the program's code and stack lie: another place in each program that is started."""
    with contextlib.suppress(OSError, IndexError):
        fields = _fields(pid)
        return None if fields[25] in (b"0", b"1") else (fields[23], fields[25])
    return None


def _fields(pid):
    """The fields of /proc/PID/stat from the third on."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()
