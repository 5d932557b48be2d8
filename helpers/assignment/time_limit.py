"""Stop a student's function that does not come to an end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class TookTooLong(BaseException):
    """Raised inside a call that ran out of time.

    Not an `Exception`, so that an ``except Exception:`` in a loop does not swallow it.
    """


@contextlib.contextmanager
def time_limit(wall_seconds: float, cpu_seconds: float | None = None) -> Iterator[None]:
    """Raise `TookTooLong` in the block when it is over its time, and once a second after that.

    Works in the main thread of systems that have interval timers (Linux, macOS); elsewhere the
    block runs without a limit, and stopping the kernel is what remains.

    Parameters
    ----------
    wall_seconds : float
    cpu_seconds : float, optional
        Of processor time of this process, all threads together: a limit that does not depend on
        what else the machine does.
    """
    if not hasattr(signal, "setitimer") or not _in_main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TookTooLong

    timers = [(signal.ITIMER_REAL, signal.SIGALRM, wall_seconds)]
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
