"""A mark does not depend on what else the machine does."""

import json
import socket
from types import SimpleNamespace

import pytest

from grader.batch import workers
from grader.judging.policy import Policy
from grader.sandbox import child
from grader.sandbox.bwrap import NoSandbox, check_means
from grader.sandbox.client import MODULES, Server
from grader.sandbox.clock import Clock
from tests.grader.test_judging import SETUP, hidden

HONEST, BURNERS, WORKERS = 16, 4, 6
# A training, shortened to half of the time that its test allows.
TRAIN = """
import time
def train(rate):
    start, weight = time.process_time(), np.zeros(100)
    while time.process_time() - start < 0.5:
        weight -= rate * (weight - 1)
    return weight
"""
TEST = "check.limit(1.0)('train', 0.1).gives(np.ones(100), atol=0.1)\n" + hidden(
    "check.hidden.limit(1.0)('train', 0.2).gives(np.ones(100), atol=0.1)"
)
BURN = """
import os
for number in range(30):
    if os.fork() == 0:
        os.setsid()
        while True: pass
while True: pass
"""


def job_of(student, answer):
    """A job as JSON: the training's set-up, this answer, and its test."""
    cells = [
        {"kind": "setup", "source": SETUP, "grade_id": "setup"},
        {"kind": "solution", "source": f"# {student}\n{answer}", "grade_id": "train"},
        {"kind": "test", "source": TEST, "grade_id": "learns"},
    ]
    return json.dumps(
        {
            "assignment": "t",
            "cells": [{"cell_type": "code", "points": 10.0, **cell} for cell in cells],
            "policy": Policy(cell_seconds=2.0, total_seconds=10.0, grace_seconds=0.5).to_dict(),
            "class_seed": "one",
            "files": {},
            "seed": student,
        }
    )


def marks(text):
    result = json.loads(text)
    return result["outcome"], result["flags"], result["tests"]


@pytest.mark.sandbox
def test_honest_trainings_beside_hostile_loops_get_the_marks_that_they_get_alone():
    try:
        check_means()
    except NoSandbox as error:
        pytest.skip(str(error))
    server = Server(modules=MODULES, wait=False)
    executor = workers.local_executor(WORKERS, server)
    try:
        run = workers.job.execute
        alone = marks(executor.submit(run, job_of("alone", TRAIN)).result())
        assert alone[2]["learns"]["score"] == 10.0
        burners = [executor.submit(run, job_of(f"burner {n}", BURN)) for n in range(BURNERS)]
        honest = [executor.submit(run, job_of(f"student {n}", TRAIN)) for n in range(HONEST)]
        assert [marks(future.result()) for future in honest] == [alone] * HONEST
        for future in burners:
            outcome, _, tests = marks(future.result())
            assert (outcome, tests["learns"]["score"]) == ("cell timeout", 0.0)
    finally:
        executor.shutdown()
        server.close()


def clock(*samples):
    """The clock after these samples of (wall time, processor time, delay)."""
    usages = [{"at": at, "cpu": cpu, "delay": delay} for at, cpu, delay in samples]
    made = Clock(usages[0])
    for usage in usages[1:]:
        made.add(usage)
    return made


@pytest.mark.parametrize(
    ("samples", "seconds", "is_contended"),
    [
        ([(0, 0, 0), (10, 10, 0)], 10, False),  # it works
        ([(0, 0, 0), (10, 0, 0)], 10, False),  # it sleeps
        ([(0, 0, 0), (10, 1, 9)], 1, True),  # it works, and others take nine tenths
        ([(5, 2, 7), (15, 3, 16)], 1, True),  # what was before does not count
        ([(0, 0, 0), (10, 5, 2)], 8, False),  # it works, waits and sleeps
        ([(0, 0, 0), (10, 20, 0)], 20, False),  # two processes
        ([(0, 0, 0), (10, 9, 91), (60, 9, 91)], 50, False),  # a delay of ten, and then a sleep
        ([(0, 0, 0), (5, 0, 0), (10, 1, 9)], 1, True),  # the delay is seen late
        ([(0, 0, None), (10, 1, None)], 1, True),  # the kernel does not say
    ],
)
def test_what_counts_is_the_time_in_which_a_child_was_not_kept_from_running(
    samples, seconds, is_contended
):
    made = clock(*samples)
    assert made.seconds == pytest.approx(seconds)
    assert made.is_contended is is_contended


def test_a_child_of_which_nothing_is_heard_is_interrupted_and_ended_by_wall_time(monkeypatch):
    """The far limit, on a clock of its own: the monitor says nothing of what the child has used."""
    now = 0.0

    def select(reading, writing, odd, seconds):
        nonlocal now
        now += seconds
        assert now < 1000, "it is waited for without end"
        return [], [], []

    monkeypatch.setattr(child, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(child, "select", SimpleNamespace(select=select))
    sockets = [*socket.socketpair(), *socket.socketpair()]
    to_child, _, to_monitor, monitor = sockets
    made = child.Child(to_child, to_monitor, wall_factor=10.0)
    try:
        with pytest.raises(TimeoutError):
            child._Watch(made, seconds=2.0, grace=0.5).wait()
        assert child.INTERRUPT in monitor.recv(1000)
    finally:
        for one in sockets:
            one.close()
    assert 10 * (2.0 + 0.5) <= now < 10 * (2.0 + 0.5) + 3 * child.LOOK
    assert made.is_contended  # so that it is run again alone before it costs a point
