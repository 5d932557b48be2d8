"""The monitor of a child: how often it looks at the child's processes, and what it sees."""

import glob
import itertools
import json
import os
import signal
import socket
from types import SimpleNamespace

import pytest

from grader.sandbox.inside import watch

RULES = {"disabled_rules": [], "cpu_seconds": 60, "memory_bytes": 2**30}


class Machine:
    """A machine of its own, with a clock: nothing sleeps, and the child ends after a while.

    Parameters
    ----------
    cost : float
        Processor time of a look, in seconds.
    close : float
        Of a close look at the memory, on top.
    question : float
        Every so many seconds the grader asks what has been used.
    """

    def __init__(self, cost, close=0.0, question=1e9):
        self.now = self.cpu = 0.0
        self.cost, self.close_look = cost, close
        self.question, self.next_question = question, question
        self.looks = []  # when each began and ended

    def select(self, watched, _, __, seconds):
        status, handle = watched
        self.now = min(self.now + seconds, max(self.now, self.next_question))
        if self.now > 8:
            return [handle], [], []
        if self.now >= self.next_question:
            self.next_question += self.question
            return [status], [], []
        return [], [], []

    def excess(self, rules):
        begun = self.now
        self.now += self.cost + self.close_look
        self.cpu += self.cost + self.close_look
        self.looks.append((begun, self.now))

    def watched(self, monkeypatch):
        """The pauses between the looks, in seconds."""
        tree = SimpleNamespace(
            excess=self.excess,
            close_look=self.close_look,
            lower_priority=lambda: None,
            usage=lambda: {"cpu": 0.0, "delay": None, "at": self.now},
            cpu=0.0,
        )
        clock = SimpleNamespace(monotonic=lambda: self.now, process_time=lambda: self.cpu)
        ended = (1, 0, SimpleNamespace(ru_utime=0.0, ru_stime=0.0, ru_maxrss=0))
        monkeypatch.setattr(watch, "Tree", lambda pid: tree)
        monkeypatch.setattr(watch, "time", clock)
        monkeypatch.setattr(watch.select, "select", self.select)
        monkeypatch.setattr(watch.os, "pidfd_open", lambda pid: -1)
        monkeypatch.setattr(watch.os, "wait4", lambda pid, flags: ended)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.sendall(watch.TELL_USAGE * 1000)
            watch.watch(1, theirs, RULES)
        return [then - end for (_, end), (then, _) in itertools.pairwise(self.looks)]


@pytest.mark.parametrize("question", [1e9, 0.05])
def test_looking_takes_a_tenth_of_a_processor_at_most(monkeypatch, question):
    pauses = Machine(cost=0.05, question=question).watched(monkeypatch)
    assert len(pauses) > 12  # questions put no look off
    assert min(pauses) >= 9 * 0.05 - 1e-9


def test_a_cheap_look_comes_ten_times_a_second(monkeypatch):
    pauses = Machine(cost=0.001).watched(monkeypatch)
    assert len(pauses) > 20
    assert pauses == pytest.approx([0.1] * len(pauses))


def test_a_close_look_at_the_memory_puts_no_other_look_off(monkeypatch):
    pauses = Machine(cost=0.001, close=0.2).watched(monkeypatch)
    assert len(pauses) > 20
    assert pauses == pytest.approx([0.1] * len(pauses))


# --- how a child ended ---------------------------------------------------------------------------

BUSY = {"usage": {"cpu": 5.0, "delay": 0.5, "at": 2.0}}


def ended(monkeypatch, orders=b"", *, excess=None, code=0, cpu=1.0, kills=(0, 0)):
    """What the grader is told of a child, the signals it got, and how often its priority fell.

    Parameters
    ----------
    orders : bytes
        What the grader sends; then it goes, if nothing else ends the child.
    excess : str, optional
        Which limit the first look finds passed.
    code : int
        As the kernel gives it.
    cpu : float
        Processor time of which the kernel knows, half of it in the kernel.
    kills : (int, int)
        How often the kernel had ended a process for want of memory, before and after.
    """
    signals, lowered, counted = [], [], iter(kills)
    tree = SimpleNamespace(
        excess=lambda rules: excess,
        close_look=0.0,
        lower_priority=lambda: lowered.append(True),
        usage=lambda: BUSY["usage"],
        cpu=3.0,
    )
    usage = SimpleNamespace(ru_utime=cpu / 2, ru_stime=cpu / 2, ru_maxrss=7)
    monkeypatch.setattr(watch, "Tree", lambda pid: tree)
    monkeypatch.setattr(watch, "out_of_memory_kills", lambda: next(counted))
    monkeypatch.setattr(watch.os, "pidfd_open", lambda pid: -1)
    monkeypatch.setattr(watch.os, "wait4", lambda pid, flags: (pid, code, usage))
    monkeypatch.setattr(watch.os, "kill", lambda *how: signals.append(how))
    ours, theirs = socket.socketpair()
    looks = 0

    def select(watched, _, __, seconds):
        nonlocal looks
        looks += 1
        if excess and looks == 1:
            return [], [], []
        return [theirs if orders else -1], [], []

    monkeypatch.setattr(watch.select, "select", select)
    with ours, theirs:
        ours.sendall(orders)
        ours.shutdown(socket.SHUT_WR)
        watch.watch(11, theirs, RULES)
        theirs.close()
        told = [json.loads(line) for line in ours.makefile()]
    return told, signals, len(lowered)


KILLED = (11, signal.SIGKILL)


def report(how, code=0, cpu=3.0, **more):
    return {"ended": how, "code": code, "cpu": cpu, "peak": 7 * 1024, **more}


@pytest.mark.parametrize(
    ("orders", "told", "signals"),
    [
        (b"", [report("by itself")], []),
        (b"k", [report("killed")], [KILLED]),
        (b"uk", [BUSY, report("killed")], [KILLED]),
        (b"ik", [report("killed")], [(11, signal.SIGINT), KILLED]),
        (b"ii", [report("orphan")], [(11, signal.SIGINT)] * 2 + [KILLED]),
    ],
)
def test_the_monitor_does_what_the_grader_says_and_tells_how_it_ended(
    monkeypatch, orders, told, signals
):
    assert ended(monkeypatch, orders) == (told, signals, 0)


@pytest.mark.parametrize("excess", ["memory", "cpu"])
def test_who_has_passed_a_limit_is_ended(monkeypatch, excess):
    assert ended(monkeypatch, excess=excess) == ([report(excess)], [KILLED], 1)


def test_a_priority_that_is_no_rule_stays(monkeypatch):
    monkeypatch.setitem(RULES, "disabled_rules", ["priority"])
    assert ended(monkeypatch, excess="cpu")[2] == 0


OUT_OF_MEMORY = {"failed": "the machine ran out of memory"}


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        ({"code": 3 << 8}, report("by itself", 3)),
        ({"code": 9, "cpu": 30.0}, report("by itself", -9, 30.0)),
        ({"code": 9, "cpu": 30.5}, report("cpu", -9, 30.5)),
        ({"code": 11, "cpu": 59.0, "kills": (0, 1)}, report("by itself", -11, 59.0)),
        ({"code": 9, "kills": (2, 2)}, report("by itself", -9)),
        ({"code": 9, "kills": (2, 3)}, report("memory", -9, **OUT_OF_MEMORY)),
        ({"code": 9, "cpu": 59.0, "kills": (2, 3)}, report("memory", -9, 59.0, **OUT_OF_MEMORY)),
        ({"code": 9, "excess": "cpu", "kills": (2, 3)}, report("cpu", -9)),
    ],
)
def test_why_the_kernel_has_ended_a_child(monkeypatch, happened, told):
    assert ended(monkeypatch, **happened)[0] == [told]


# --- what /proc says -----------------------------------------------------------------------------

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024  # in the kernel's kB


class Proc:
    """A /proc of its own, with a clock that stands unless it is told."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.now, self.nice = folder, 100.0, {}
        self.opened = []
        monkeypatch.setattr(watch, "open", self.open, raising=False)
        monkeypatch.setattr(watch, "glob", self)
        monkeypatch.setattr(watch, "time", self)
        names = {
            "listdir": lambda path: os.listdir(self.path(path)),
            "getpriority": lambda which, task: self.nice.get(task, 0),
            "setpriority": self.setpriority,
            "PRIO_PROCESS": os.PRIO_PROCESS,
        }
        monkeypatch.setattr(watch, "os", SimpleNamespace(**names))

    def path(self, name):
        return str(self.folder / name.removeprefix("/proc/"))

    def open(self, name, *more):
        self.opened.append(name)
        if name.endswith("smaps_rollup"):
            self.now += 0.03
        return open(self.path(name), *more)

    def iglob(self, pattern):
        found = glob.glob(self.path(pattern))
        return iter([f"/proc/{os.path.relpath(path, self.folder)}" for path in sorted(found)])

    def monotonic(self):
        return self.now

    process_time = monotonic

    def setpriority(self, which, task, nice):
        if task == 404:
            raise ProcessLookupError
        self.nice[task] = nice

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def process(
        self,
        pid,
        children=(),
        anon=0,
        shared=0,
        share=None,
        times=(0, 0, 0, 0),
        born=5,
        program=(70, 90),
        threads=None,
    ):
        """A process: its memory in MiB, its times in seconds, and its threads.

        ``threads`` are (number, state, seconds of running and of waiting, children).
        """
        fields = ["S", *["1"] * 10, *(str(int(one * TICKS)) for one in times), *["1"] * 4]
        fields += [str(born), *["1"] * 3, str(program[0]), "80", str(program[1]), "1"]
        self.write(f"{pid}/stat", f"{pid} (a) R 1) {' '.join(fields)}\n")
        status = f"Name:\t\udcff\nRssAnon:\t{anon * MIB} kB\nRssFile:\t{9 * MIB} kB\n"
        status += f"RssShmem:\t{shared * MIB} kB\n"
        self.write(f"{pid}/status", status.encode(errors="surrogateescape"))
        if share is not None:
            rollup = f"Rss: 1 kB\nPss: 900 kB\nPss_Anon: {share * MIB} kB\nPss_Shmem: {MIB} kB\n"
            self.write(f"{pid}/smaps_rollup", rollup)
        for task, state, running, delay, others in threads or [(pid, "S", 0, 0, children)]:
            folder = f"{pid}/task/{task}"
            self.write(f"{folder}/stat", f"{task} (b ) {state} {' '.join(['1'] * 30)}")
            times = f"{int(running * 1e9)} {int(delay * 1e9)} 12\n"
            self.write(f"{folder}/schedstat", times)
            self.write(f"{folder}/children", "".join(f"{child} " for child in others))


@pytest.fixture
def proc(tmp_path, monkeypatch):
    return Proc(tmp_path, monkeypatch)


LIMIT = {"disabled_rules": [], "cpu_seconds": 60, "memory_bytes": 100 * 2**20}


@pytest.mark.parametrize(
    ("memory", "excess"),
    [
        ({"anon": 150}, None),
        ({"anon": 151}, "memory"),
        ({"anon": 100, "shared": 50}, None),
        ({"anon": 100, "shared": 51}, "memory"),
        # Another program has inherited nothing: what it has in common with others is looked up.
        ({"anon": 100, "program": (71, 90)}, None),
        ({"anon": 101, "program": (71, 90)}, "memory"),
        ({"anon": 101, "program": (70, 91)}, "memory"),
    ],
)
def test_the_memory_of_one_process_is_what_it_has_on_top(proc, memory, excess):
    proc.process(4, anon=40, shared=10)
    tree = watch.Tree(4)
    proc.process(4, **memory)
    assert tree.excess(LIMIT) == excess
    assert tree.excess({**LIMIT, "disabled_rules": ["memory watch"]}) is None
    assert not any(name.endswith("smaps_rollup") for name in proc.opened)


@pytest.mark.parametrize(
    ("used", "shares", "excess"),
    [
        # Together no more than the limit and what was inherited once: nothing is looked up.
        ((75, 75), (99, 99), None),
        # Each has a part of its own for certain, and yet they may share it.
        ((151, 151), (50, 48), None),
        ((151, 151), (50, 49), "memory"),
        # What they inherited may be all of it.
        ((76, 75), (50, 48), None),
        ((76, 75), (50, 49), "memory"),
    ],
)
def test_what_processes_share_counts_once(proc, used, shares, excess):
    """A share in what is shared by way of a file of memory counts: 1 MiB of each."""
    proc.process(4, anon=50)
    tree = watch.Tree(4)
    proc.process(4, children=[6], anon=used[0], share=shares[0])
    proc.process(6, anon=used[1], share=shares[1])
    assert tree.excess(LIMIT) == excess
    assert tree.close_look == pytest.approx(0.06 if sum(used) > 150 else 0.0)


def test_of_a_process_that_tells_no_shares_all_counts(proc):
    proc.process(4, anon=50)
    tree = watch.Tree(4)
    proc.process(4, children=[6], anon=90)
    proc.process(6, anon=60, share=9)
    assert tree.excess(LIMIT) is None
    proc.process(4, children=[6], anon=91)
    proc.now += 9.0
    assert tree.excess(LIMIT) == "memory"


@pytest.mark.parametrize(("used", "pause"), [(151, 0.12), (76, 0.6)])
def test_close_looks_take_a_tenth_of_the_time_or_half_if_much_is_certain(proc, used, pause):
    proc.process(4, anon=50)
    tree = watch.Tree(4)
    for pid, children in ((4, [6]), (6, [])):
        proc.process(pid, children=children, anon=used, share=10)
    assert tree.excess(LIMIT) is None
    end = proc.now
    proc.process(6, anon=used, share=500)
    proc.now = end + pause - 0.001
    assert tree.excess(LIMIT) is None
    assert tree.close_look == 0.0
    proc.now = end + pause + 0.001
    assert tree.excess(LIMIT) == "memory"


def test_the_times_of_all_processes_add_up_and_none_is_forgotten(proc):
    proc.process(4, [6], times=(1, 2, 0, 0))
    proc.process(6, [8], times=(3, 0.5, 0, 0))
    proc.process(8, times=(0.5, 0, 4, 1))
    tree = watch.Tree(4)
    assert sorted(tree.members()) == [4, 6, 8]
    assert tree.cpu == 12.0  # also of what the third has waited for
    proc.process(4, times=(1, 2, 0, 0))  # nobody waited for the second and the third
    assert tree.members() == [4]
    assert tree.cpu == 12.0
    proc.process(4, [6], times=(1, 2, 0, 0))
    proc.process(6, times=(8, 0, 0, 0), born=99)  # another of the same number
    tree.members()
    assert tree.cpu == 1 + 2 + 3.5 + 0.5 + 8


@pytest.mark.parametrize(
    ("seconds", "disabled", "excess"),
    [(60, [], None), (60.5, [], "cpu"), (60.5, ["cpu"], None)],
)
def test_the_processor_time_of_all_together_has_a_limit(proc, seconds, disabled, excess):
    proc.process(4, [6], times=(30, 0, 0, 0))
    proc.process(6, times=(0, seconds - 30, 0, 0))
    assert watch.Tree(4).excess({**LIMIT, "disabled_rules": disabled}) == excess


def test_processes_that_any_thread_has_started_are_found_and_all_that_waits_is_ready(proc):
    proc.process(4, threads=[(4, "S", 1, 0.5, []), (5, "R", 0, 0.25, [6]), (7, "D", 0, 0, [])])
    proc.process(6, threads=[(6, "R", 1, 0, [])])
    tree = watch.Tree(4)
    assert tree.members() == [4, 6]
    assert tree.ready == [5, 6]
    assert tree.usage() == {"cpu": 0.0, "delay": 0.75, "at": 100.0}
    assert tree.ready == [5, 6]


def test_where_the_kernel_tells_no_waiting_none_is_told(proc):
    proc.process(4, times=(1, 0, 0, 0))
    assert watch.Tree(4).usage() == {"cpu": 1.0, "delay": None, "at": 100.0}
    proc.process(4, threads=[(4, "R", 1, 0, [])])
    assert watch.Tree(4).usage()["delay"] == 0.0


@pytest.mark.parametrize(
    ("own", "ready", "nice"),
    [(0, 0, 0), (0, 1, 0), (0, 2, 4), (0, 5, 8), (0, 64, 19), (0, 300, 19), (3, 2, 7), (19, 9, 19)],
)
def test_threads_that_are_ready_share_what_one_would_have(proc, own, ready, nice):
    """Each step of niceness takes a fifth of the share: 1.25 ** 4 is more than 2."""
    proc.nice = dict.fromkeys([0, *range(1, ready + 1)], own)
    proc.process(4)
    tree = watch.Tree(4)
    tree.ready = list(range(1, ready + 1))
    tree.lower_priority()
    assert [proc.nice[task] for task in tree.ready] == [nice] * ready


def test_a_priority_is_never_raised_and_a_thread_that_has_ended_needs_none(proc):
    proc.process(4)
    tree = watch.Tree(4)
    proc.nice = {1: 9, 2: 4, 3: 3}
    tree.ready = [404, 1, 2, 3]
    tree.lower_priority()
    assert proc.nice == {1: 9, 2: 7, 3: 7}


def test_the_memory_of_a_process_whose_first_thread_has_ended_is_told_by_another(proc):
    proc.process(4, anon=3, shared=2)
    assert watch.memory_of(4) == 5 * 2**20
    proc.write("4/task/4/status", "Name: a\n")
    proc.write("4/task/7/status", "RssAnon: 8 kB\nVmData: 1 kB\n")
    proc.write("4/status", "Name: a\n")
    assert watch.memory_of(4) == 8 * 1024
    assert watch.memory_of(5) == 0


@pytest.mark.parametrize("program", [(70, 0), (70, 1)])
def test_of_a_program_whose_place_is_not_told_nothing_is_known(proc, program):
    """The kernel says 0 or 1 to whom it does not trust."""
    proc.process(4, program=program)
    assert watch._program(4) is None
    proc.process(4)
    assert watch._program(4) == (b"70", b"90")


def test_how_often_the_kernel_has_ended_a_process_for_want_of_memory(proc):
    assert watch.out_of_memory_kills() == 0
    proc.write("vmstat", "nr_free_pages 9\noom_kill 3\noom_kill_disable 5\n")
    assert watch.out_of_memory_kills() == 3
