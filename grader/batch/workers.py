"""Processes on this machine that execute jobs.

They are forks of one process that has imported what all of them need: torch is imported once, and
lies in memory once.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.util
import os
import resource
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from grader.judging import job
from grader.sandbox.client import Server
from grader.sandbox.inside import jail


class Workers(concurrent.futures.Executor):
    """Processes that work each on its own: the end of one breaks no other's job.

    A `ProcessPoolExecutor` gives up all its jobs when one of its processes dies, and does not tell
    which job was at fault. Here each process is a pool by itself, and has one job at a time.

    Parameters
    ----------
    number : int
    initializer : callable, optional
        Called in each process as it starts.
    initargs : sequence
    start_method : str
        "spawn": each imports what it needs; "forkserver": see `import_for_all`.
    """

    def __init__(
        self,
        number: int,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        start_method: str = "spawn",
    ) -> None:
        self._start = partial(
            ProcessPoolExecutor,
            1,
            mp_context=multiprocessing.get_context(start_method),
            initializer=initializer,
            initargs=initargs,
        )
        self._idle = [self._start() for _ in range(number)]
        self._busy: set[ProcessPoolExecutor] = set()
        self._queue: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._lock = threading.Lock()
        self._is_closed = False

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:  # type: ignore[override]
        """Let a process call a function that can be pickled by its name."""
        future: Future[Any] = Future()
        with self._lock:
            if self._is_closed:
                raise RuntimeError("these workers have been shut down")
            self._queue.append((future, function, arguments))
        self._give_out()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more jobs; with `cancel_futures` those that have not begun are cancelled."""
        with self._lock:
            self._is_closed = True
            if cancel_futures or not wait:
                for future, _, _ in self._queue:
                    future.cancel()
                self._queue.clear()
            pools = [*self._idle, *self._busy]
        for pool in pools:
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _give_out(self) -> None:
        while True:
            with self._lock:
                if not self._queue or not self._idle:
                    return
                future, function, arguments = self._queue.popleft()
                if not future.set_running_or_notify_cancel():
                    continue
                pool = self._idle.pop()
                self._busy.add(pool)
            pool.submit(function, *arguments).add_done_callback(partial(self._done, pool, future))

    def _done(self, pool: ProcessPoolExecutor, future: Future[Any], inner: Future[Any]) -> None:
        error = inner.exception()
        is_broken = isinstance(error, concurrent.futures.BrokenExecutor)
        with self._lock:
            self._busy.discard(pool)
            # A broken pool clears itself away. It must not be told to from here: it may be holding
            # the lock that its `shutdown` needs.
            if not self._is_closed:
                self._idle.append(self._start() if is_broken else pool)
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(inner.result())
        self._give_out()


def import_for_all(modules: Sequence[str]) -> None:
    """Start the process that the workers are forked from; it imports while others do else.

    Parameters
    ----------
    modules : sequence of str
        What they need besides the judge itself. What is not named here each imports when it is
        needed.
    """
    names = ["grader.judging.job", *modules, "grader.judging.forked"]
    multiprocessing.set_forkserver_preload(names)
    multiprocessing.forkserver.ensure_running()


def local_executor(number: int, server: Server) -> Workers:
    """Processes for `job.execute`.

    Parameters
    ----------
    number : int
    server : Server
        The one that all of them use; it may still be starting.
    """
    is_locked = server.folder is None
    arguments = (server.control, server.modules, is_locked, server.groups)
    return Workers(number, begin, arguments, "forkserver")


def begin(
    control: socket.socket,
    modules: Sequence[str],
    locked: bool,
    groups: Path | None = None,
) -> None:
    """Let this worker use a server, and end when the coordinator does, in whatever way it ends."""
    threading.Thread(target=end_with_coordinator, daemon=True).start()
    # Ctrl-C reaches the workers, too: they end, instead of going on with what is queued.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    job.share(control, modules, locked, groups)
    multiprocessing.util.Finalize(None, leave, exitpriority=-1000)  # after all others


def end_with_coordinator() -> None:
    """Wait for the coordinator's end; that of the process this is a fork of tells nothing."""
    coordinator = multiprocessing.parent_process()
    if coordinator is not None:
        coordinator.join()
    os._exit(1)


def begin_reading(memory_bytes: int) -> None:
    """Let this worker read what was handed in, with a bound on its memory."""
    jail.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator ends it
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    multiprocessing.util.Finalize(None, leave, exitpriority=-1000)


def leave() -> None:
    """End at once: to take apart what torch has imported takes half a second."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
