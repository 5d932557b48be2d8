"""Stop a student's function that does not come to an end."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

# How many times as long a call may take by the clock on the wall, while others use the processors.
WALL_FACTOR = 10


class TookTooLong(BaseException):
    """Raised inside a call that ran out of time.

    Not an `Exception`, so that an ``except Exception:`` in a loop does not swallow it.
    """


@contextlib.contextmanager
def time_limit(
    wall_seconds: float, cpu_seconds: float | None = None, *, thread_seconds: float | None = None
) -> Iterator[None]:
    """Raise `TookTooLong` in the block when it is over its time, and once a second after that.

    Works in the main thread of systems that have interval timers (Linux, macOS); elsewhere the
    block runs without a limit, and stopping the kernel is what remains.

    Parameters
    ----------
    wall_seconds : float
    cpu_seconds : float, optional
        Of processor time of this process, all threads together: a limit that does not depend on
        what else the machine does.
    thread_seconds : float, optional
        The same of the main thread alone: on many cores about as long as the block takes when
        nothing else runs.
    """
    if not hasattr(signal, "setitimer") or not _in_main_thread():
        yield
        return

    end, first = time.monotonic() + wall_seconds, wall_seconds
    if thread_seconds is not None:
        first, used_up = min(wall_seconds, thread_seconds), time.thread_time() + thread_seconds

    def stop(signum: int, frame: FrameType | None) -> None:
        if signum == signal.SIGALRM and thread_seconds is not None:
            left = min(used_up - time.thread_time(), end - time.monotonic())
            if left > 0:
                signal.setitimer(signal.ITIMER_REAL, left + 0.001, 1.0)
                return
        raise TookTooLong

    timers = [(signal.ITIMER_REAL, signal.SIGALRM, first)]
    if cpu_seconds is not None:
        timers.append((signal.ITIMER_PROF, signal.SIGPROF, cpu_seconds))
    before = [(number, signal.signal(number, stop)) for _, number, _ in timers]
    try:
        try:
            for timer, _, limit in timers:
                signal.setitimer(timer, limit, 1.0)
            yield
        finally:
            for timer, _, _ in timers:
                signal.setitimer(timer, 0)
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
