"""helpers.assignment.time_limit: what it leaves behind, and which of its limits ends a block."""

import signal
import time

import pytest

from helpers.assignment.time_limit import TookTooLong, time_limit

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no interval timers"
)
TIMERS = {signal.ITIMER_REAL: signal.SIGALRM, signal.ITIMER_PROF: signal.SIGPROF}


def left_behind():
    """The timers that still run, and what their signals would do."""
    running = [timer for timer in TIMERS if signal.getitimer(timer) != (0, 0)]
    return running, [signal.getsignal(number) for number in TIMERS.values()]


def busy():
    while True:
        pass


@pytest.mark.parametrize(
    ("limits", "block"),
    [
        ({"wall_seconds": 20, "cpu_seconds": 20, "thread_seconds": 20}, lambda: None),
        ({"wall_seconds": 20, "cpu_seconds": 20}, lambda: 1 / 0),
        ({"wall_seconds": 20, "cpu_seconds": 0.02}, busy),
        ({"wall_seconds": 20, "thread_seconds": 0.02}, busy),
        ({"wall_seconds": 0.02, "cpu_seconds": 20, "thread_seconds": 20}, lambda: time.sleep(20)),
    ],
    ids=["in time", "an error", "processor time", "the thread's time", "wall time"],
)
def test_nothing_of_a_limit_outlives_its_block(limits, block):
    before = left_behind()
    begun = time.monotonic()
    try:
        with time_limit(**limits):
            block()
    except ZeroDivisionError:
        pass
    except TookTooLong:
        assert min(limits.values()) == 0.02
    else:
        assert min(limits.values()) == 20
    assert time.monotonic() - begun < 10
    assert left_behind() == before
