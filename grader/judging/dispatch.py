"""Jobs on their way: given out, given out again when a worker is lost, and run alone.

Nothing here knows what a job is: it has a key and a text, and what comes back is a text.
"""

from __future__ import annotations

import concurrent.futures
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field
from typing import Any

TRIES = 4
"""How often a job is given out when it is the machine that fails."""
DEATHS = 2
"""How many workers a job may end before it is run alone."""
SECONDS_OF_SILENCE = 5.0
"""After how long without news it is told who is waited for."""


class Here(Executor):
    """Runs what it is given in this process, at once."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:  # type: ignore[override]
        """Let this process call a function."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


class JobLost(Exception):
    """A job of which nothing came back.

    Attributes
    ----------
    is_culprit : bool
        Whether it ended its worker again and again, at last with nothing else running: then it is
        the job's own doing, as far as anybody can tell.
    """

    def __init__(self, error: BaseException, is_culprit: bool) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.is_culprit = is_culprit


@dataclass
class _Entry:
    key: str
    text: str
    tries: int = 0
    deaths: int = 0
    is_alone: bool = False


@dataclass
class Dispatch:
    """Gives jobs to an executor, and hands out their results as they come.

    Parameters
    ----------
    function : callable
        Text to text; run by the executor.
    make_executor : callable
        Gives an executor; called again when one is broken as a whole.
    width : int
        How many jobs are given out at a time.
    is_to_repeat : callable
        Whether a result (a text) is to be thrown away, and the job run again alone.
    show_waiting : callable
        Called with the keys of the jobs that run, when nothing has come for a while.
    """

    function: Callable[[str], str]
    make_executor: Callable[[], Executor]
    width: int
    is_to_repeat: Callable[[str], bool] = lambda text: False
    show_waiting: Callable[[list[str]], object] = lambda keys: None
    _running: dict[Future[str], _Entry] = field(default_factory=dict)
    _alone: deque[_Entry] = field(default_factory=deque)
    _executor: Executor | None = None

    def run(self, jobs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str | JobLost]]:
        """Run all jobs.

        Parameters
        ----------
        jobs : iterable of (key, text)
            Taken one by one, as there is room for them.

        Yields
        ------
        (str, str or JobLost)
            The key, and what came back.
        """
        try:
            for key, text in jobs:
                self._submit(_Entry(key, text))
                # A window, so that the memory does not grow with the batch.
                while len(self._running) >= self.width:
                    yield from self._some()
            while self._running:
                yield from self._some()
            while self._alone:
                self._submit(self._alone.popleft())
                while self._running:
                    yield from self._some()
        finally:
            # By hand: Dask's executor knows no `cancel_futures`.
            for future in self._running:
                future.cancel()
            if self._executor is not None:
                self._executor.shutdown(wait=False)

    def _submit(self, entry: _Entry) -> None:
        entry.tries += 1
        if self._executor is None:
            self._executor = self.make_executor()
        try:
            future = self._executor.submit(self.function, entry.text)
        except (BrokenExecutor, RuntimeError):
            self._executor = self.make_executor()
            future = self._executor.submit(self.function, entry.text)
        self._running[future] = entry

    def _some(self) -> Iterator[tuple[str, str | JobLost]]:
        finished, _ = concurrent.futures.wait(
            self._running, SECONDS_OF_SILENCE, return_when=concurrent.futures.FIRST_COMPLETED
        )
        if not finished:
            self.show_waiting([entry.key for entry in self._running.values()])
        for future in finished:
            entry = self._running.pop(future)
            try:
                text = future.result()
            except Exception as error:  # whatever a lost worker leads to
                yield from self._again(entry, error)
                continue
            if not entry.is_alone and self.is_to_repeat(text):
                self._later(entry)
            else:
                yield entry.key, text

    def _again(self, entry: _Entry, error: Exception) -> Iterator[tuple[str, JobLost]]:
        """Give a job out once more, put it off, or give it up."""
        is_death = isinstance(error, BrokenExecutor)
        entry.deaths += is_death
        if entry.is_alone or (not is_death and entry.tries >= TRIES):
            yield entry.key, JobLost(error, is_culprit=is_death and entry.deaths > DEATHS)
        elif entry.deaths >= DEATHS:
            self._later(entry)
        else:
            time.sleep(0.1 * entry.tries)
            self._submit(entry)

    def _later(self, entry: _Entry) -> None:
        entry.is_alone = True
        self._alone.append(entry)
