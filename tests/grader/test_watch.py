"""The monitor of a child: how often it looks at the child's processes."""

import itertools
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
