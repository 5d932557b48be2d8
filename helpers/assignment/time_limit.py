"""Stop a student's function that does not come to an end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


class TookTooLong(BaseException):
    """Raised inside a call that ran out of time.

    Not an `Exception`, so that an ``except Exception:`` in a loop does not swallow it.
    """


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` in the block after this many seconds, and once a second after that.

    Works in the main thread of systems that have SIGALRM (Linux, macOS); elsewhere the block runs
    without a limit, and stopping the kernel is what remains.
    """
    if not hasattr(signal, "setitimer") or not _in_main_thread():
        yield
        return

    def stop(signum, frame):
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)


def _in_main_thread():
    return threading.current_thread() is threading.main_thread()
