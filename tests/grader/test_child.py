"""The grader's side of a child: its time, its reports, and the reason for which it ended."""

import json
import socket
from types import SimpleNamespace

import pytest

from grader.sandbox import child
from grader.sandbox.child import Child, ChildEnded, ServerLost
from grader.sandbox.inside import wire
from grader.sandbox.inside.watch import INTERRUPT, KILL, TELL_USAGE


@pytest.fixture
def ends():
    """A child, and the other ends: the process's, and the monitor's."""
    ours, process = socket.socketpair()
    status, monitor = socket.socketpair()
    made = Child(ours, status, wall_factor=10.0)
    yield made, process, monitor
    for one in (ours, process, status, monitor):
        one.close()


def report(monitor, **fields):
    monitor.sendall(json.dumps(fields).encode() + b"\n")


USAGE = {"cpu": 1.0, "delay": 0.0, "at": 2.0}


# --- reports -------------------------------------------------------------------------------------


def test_usage_is_asked_for_once_until_it_is_told(ends):
    made, _, monitor = ends
    made.ask_usage()
    made.ask_usage()
    assert monitor.recv(100) == TELL_USAGE
    assert not made.has_report()
    report(monitor, usage=USAGE)
    assert made.has_report()
    assert made.hear() == {"usage": USAGE}
    made.ask_usage()
    assert monitor.recv(100) == TELL_USAGE
    assert made.ended is None


def test_of_reports_that_come_together_each_is_heard(ends):
    made, _, monitor = ends
    made.questions = 2
    report(monitor, usage=USAGE)
    report(monitor, ended="cpu", code=-9)
    assert made.hear() == {"usage": USAGE}
    assert (made.questions, made.ended) == (1, None)
    assert made.has_report()
    assert made.hear() == made.ended == {"ended": "cpu", "code": -9}
    assert made.questions == 1


def test_a_report_in_two_parts_is_one(ends):
    made, _, monitor = ends
    monitor.sendall(b'{"ended": "by')
    monitor.sendall(b' itself"}\n')
    assert made.hear() == {"ended": "by itself"}


@pytest.mark.parametrize(
    ("group", "fields", "lost"),
    [
        (None, {"failed": "no memory"}, "no memory"),
        (None, {"ended": "memory", "failed": "no memory"}, "no memory"),
        (False, {"ended": "memory", "failed": "no memory"}, "no memory"),
        (True, {"ended": "memory", "failed": "no memory"}, None),
        (True, {"failed": "no fork"}, "no fork"),
        (None, None, "the monitor of a child is gone"),
    ],
)
def test_what_is_not_the_student_s_doing(ends, group, fields, lost):
    made, _, monitor = ends
    if group is not None:
        made.group = SimpleNamespace(is_out_of_memory=lambda: group)
    if fields is None:
        monitor.close()
    else:
        report(monitor, **fields)
    if lost is None:
        assert made.hear() == {"ended": "memory"}
        return
    with pytest.raises(ServerLost) as caught:
        made.hear()
    assert str(caught.value) == lost


# --- answers -------------------------------------------------------------------------------------


def answer(process, reply, blobs=()):
    wire.send(process, reply, blobs)


def test_a_question_and_its_answer(ends):
    made, process, _ = ends
    answer(process, {"number": 1, "count": 3}, [b"ab"])
    assert made.ask({"do": "run"}, [b"x"]) == ({"number": 1, "count": 3}, [b"ab"])
    assert wire.receive(process) == ({"do": "run", "number": 1}, [b"x"])
    answer(process, {"number": 2})
    assert made.ask({"do": "keep"}) == ({"number": 2}, [])
    assert made.seconds == 0.0


@pytest.mark.parametrize(
    ("reply", "blobs", "ended", "why"),
    [
        ({"number": 2}, [], "killed", "nonsense"),
        ({}, [], "killed", "nonsense"),
        ([1], [], "killed", "nonsense"),
        ({"number": 1}, [b"x" * 11], "killed", "output"),
        # It can have passed another limit while the grader waited.
        ({"number": 2}, [], "memory", "memory"),
        ({"number": 1}, [b"x" * 11], "cpu", "cpu"),
        ({"number": 2}, [], "by itself", "nonsense"),
    ],
)
def test_an_answer_that_is_none_ends_the_child(ends, reply, blobs, ended, why):
    made, process, monitor = ends
    answer(process, reply, blobs)

    def hear(hear=made.hear):
        report(monitor, ended=ended, code=-9)
        return hear()

    made.hear = hear
    with pytest.raises(ChildEnded) as caught:
        made.ask({"do": "run"}, byte_limit=10)
    assert caught.value.why == why
    assert KILL in monitor.recv(100)


@pytest.mark.parametrize("why", ["by itself", "memory", "cpu"])
def test_a_child_that_ends_says_why(ends, why):
    made, process, monitor = ends
    report(monitor, ended=why, code=3)
    process.close()
    with pytest.raises(ChildEnded) as caught:
        made.ask({"do": "run"})
    assert (caught.value.why, caught.value.code) == (why, 3)
    assert str(caught.value) == f"{why} (exit code 3)"


def test_a_child_ends_when_it_is_told_to_and_its_group_with_it(ends):
    made, process, monitor = ends
    groups = []
    made.group = SimpleNamespace(is_out_of_memory=lambda: False, end=lambda: groups.append("end"))
    report(monitor, ended="by itself", code=0, cpu=2.0)
    assert made.close() == {"ended": "by itself", "code": 0, "cpu": 2.0}
    assert wire.receive(process)[0] == {"do": "end", "number": 0}
    assert monitor.recv(10) == b""  # nobody had to kill it
    assert groups == ["end"]


# --- time ----------------------------------------------------------------------------------------


class Life:
    """A child on a clock of its own that uses and waits for so much of each second.

    Its monitor answers at once; the child sends its own answer after ``seconds``, if at all.
    """

    def __init__(self, monkeypatch, ends, cpu, delay, seconds=1e9):
        self.now, self.cpu, self.delay, self.seconds = 1000.0, cpu, delay, seconds
        self.made, self.process, self.monitor = ends
        self.orders = {}
        monkeypatch.setattr(child, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(child, "select", SimpleNamespace(select=self.select))
        self.made.last = self.usage()
        self.made.hear = self.hear
        self.monitor.setblocking(False)
        self.end = self.now + seconds

    def usage(self):
        lived = self.now - 1000.0
        return {"cpu": self.cpu * lived, "delay": self.delay * lived, "at": self.now}

    def select(self, reading, writing, _, seconds):
        try:
            for order in self.monitor.recv(100):
                self.orders.setdefault(bytes([order]), self.now - 1000.0)
        except BlockingIOError:
            pass
        if writing:
            return [], writing, []
        if self.made.questions:
            return [self.made.status], [], []
        self.now = min(self.now + seconds, max(self.now, self.end))
        assert self.now < 2000, "it is waited for without end"
        return ([self.made.sock] if self.now >= self.end else []), [], []

    def hear(self):
        self.made.questions -= 1
        return {"usage": self.usage()}


@pytest.mark.parametrize(
    ("cpu", "delay", "until", "is_contended"),
    [
        (1.0, 0.0, 4.0, False),  # it works
        (0.0, 0.0, 4.0, False),  # it sleeps
        (4.0, 0.0, 1.0, False),  # in four threads
        (0.5, 0.5, 8.0, True),  # others take half of the processor
        (0.8, 0.2, 5.0, False),
        (0.01, 0.99, 40.0, True),  # ten times as long, and no longer
    ],
)
def test_a_request_has_its_time_and_then_its_grace(
    monkeypatch, ends, cpu, delay, until, is_contended
):
    life = Life(monkeypatch, ends, cpu, delay)
    watch = child._Watch(life.made, 4.0, 2.0)
    with pytest.raises(TimeoutError):
        watch.wait()
    assert watch.is_interrupted
    late = life.now - 1000.0 - 1.5 * until
    assert 0 <= late < 2 * child.LOOK + 0.1
    assert 0 <= life.orders[INTERRUPT] - until < child.LOOK + 0.1
    assert life.made.is_contended is is_contended
    watch.end()
    assert life.made.seconds == pytest.approx(6.0 if until < 40 else 0.6, rel=0.5)


def test_a_request_that_is_answered_after_its_interruption_was_interrupted(monkeypatch, ends):
    life = Life(monkeypatch, ends, 1.0, 0.0, seconds=5.0)
    answer(life.process, {"number": 1})
    reply, _ = life.made.ask({"do": "run"}, (), 4.0, 2.0)
    assert reply == {"number": 1, "interrupted": True}
    assert life.made.seconds == pytest.approx(5.0)
    assert life.made.questions == 0


@pytest.mark.parametrize(("lasting", "seconds"), [(3.0, 3.0), (0.1, 0.0)])
def test_only_a_request_that_was_long_enough_for_a_look_is_counted_at_once(
    monkeypatch, ends, lasting, seconds
):
    life = Life(monkeypatch, ends, 1.0, 0.0, seconds=lasting)
    answer(life.process, {"number": 1})
    assert life.made.ask({"do": "run"}, (), 4.0, 2.0)[0] == {"number": 1}
    assert life.made.seconds == pytest.approx(seconds)
    # What short ones have used is counted with the next that is looked at.
    life.end = life.now + 2.0
    answer(life.process, {"number": 2})
    life.made.ask({"do": "run"}, (), 4.0, 2.0)
    assert life.made.seconds == pytest.approx(lasting + 2.0)
