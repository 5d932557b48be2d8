"""Jobs are given out again when a worker is lost, and no job pays for another one."""

import concurrent.futures
import os
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from grader.batch.workers import Workers
from grader.judging.dispatch import Dispatch, Here, JobLost
from helpers.command.files import ROOT


def work(text):
    """What the processes of these tests do: "die" ends the process, "slow" takes a while."""
    if text.startswith("die"):
        time.sleep(0.2)  # so that others are under way
        os._exit(1)
    if text.startswith("slow"):
        time.sleep(0.5)
    return text.upper()


def fail_always(text):
    raise OSError("no memory")


class Log:
    """A function for `Dispatch` that notes what ran, and with what beside it."""

    def __init__(self, *deadly, errors=None):
        self.deadly, self.errors = set(deadly), errors or {}
        self.ran, self.running, self.beside = [], set(), {}

    def __call__(self, text):
        self.running.add(text)
        self.beside.setdefault(text, []).append(len(self.running) - 1)
        self.ran.append(text)
        try:
            time.sleep(0.05)
            if text in self.deadly:
                raise BrokenExecutor("ended")
            if self.errors.get(text, 0) > 0:
                self.errors[text] -= 1
                raise OSError("odd")
            return text.upper()
        finally:
            self.running.discard(text)


def dispatched(function, texts, **options):
    dispatch = Dispatch(function, lambda: ThreadPoolExecutor(4), 4, **options)
    return dict(dispatch.run((text, text) for text in texts))


def test_all_results_come_back_under_their_keys():
    assert dispatched(str.upper, "abcdefgh") == {c: c.upper() for c in "abcdefgh"}


def test_a_job_that_ends_workers_is_run_alone_at_the_end_and_then_given_up():
    log = Log("x")
    found = dispatched(log, "xabcdefg")
    assert isinstance(found.pop("x"), JobLost)
    assert found == {c: c.upper() for c in "abcdefg"}
    assert log.ran.count("x") == 3  # with others twice, and once alone
    assert log.ran[-1] == "x"
    assert log.beside["x"][-1] == 0
    assert all(log.ran.count(c) == 1 for c in "abcdefg")


def test_what_came_of_a_deadly_job_says_whose_doing_it_was():
    assert dispatched(Log("x"), "xab")["x"].is_culprit
    lost = dispatched(fail_always, "a")["a"]
    assert not lost.is_culprit
    assert "OSError: no memory" in str(lost)


def test_a_machine_that_fails_now_and_then_costs_nobody_anything():
    log = Log(errors={"a": 3, "b": 1})
    assert dispatched(log, "abc") == {"a": "A", "b": "B", "c": "C"}
    assert log.ran.count("a") == 4


def test_a_machine_that_fails_four_times_has_lost_the_job(monkeypatch):
    """It is given a little more time from try to try."""
    log, pauses = Log(errors={"a": 4}), []
    monkeypatch.setattr("grader.judging.dispatch.time", SimpleNamespace(sleep=pauses.append))
    lost = dispatched(log, "ab")["a"]
    assert pauses == pytest.approx([0.1, 0.2, 0.3])
    assert (str(lost), lost.is_culprit) == ("OSError: odd", False)
    assert log.ran.count("a") == 4


class Failing(Log):
    """Runs the first time as others do, and fails the second time."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def __call__(self, text):
        if text == "a" and text in self.ran:
            raise self.error
        return super().__call__(text)


@pytest.mark.parametrize("error", [BrokenExecutor("ended"), OSError("odd")])
def test_a_job_that_fails_alone_is_not_tried_again_and_once_is_no_proof(error):
    log = Failing(error)
    lost = dispatched(log, "ab", is_to_repeat=lambda text: text == "A")["a"]
    assert (str(lost), lost.is_culprit) == (f"{type(error).__name__}: {error}", False)
    assert log.ran.count("a") == 1


@pytest.mark.parametrize("error", [BrokenExecutor, RuntimeError])
def test_an_executor_that_takes_nothing_more_is_made_again(error):
    made = []

    class Once(Here):
        def submit(self, function, /, *arguments):
            if self is made[0] and len(taken) == 2:
                raise error
            taken.append(arguments)
            return super().submit(function, *arguments)

        def shutdown(self, wait=True, **more):
            ended.append((self, wait))

    def make():
        made.append(Once())
        return made[-1]

    taken, ended = [], []
    found = dict(Dispatch(str.upper, make, 1).run((c, c) for c in "abcd"))
    assert found == {c: c.upper() for c in "abcd"}
    assert len(made) == 2
    assert ended == [(made[1], False)]


def test_only_so_many_jobs_are_given_out_and_taken_at_a_time():
    taken = []

    def jobs():
        for name in "abcdef":
            taken.append(name)
            yield name, name

    results = Dispatch(str.upper, Here, 2).run(jobs())
    next(results)
    assert taken == ["a", "b"]
    assert len(list(results)) == 5


def test_here_a_job_runs_at_once_and_its_error_is_its_result():
    assert Here().submit(int, "3").result() == 3
    with pytest.raises(ValueError, match="invalid literal"):
        Here().submit(int, "x").result()


def test_a_result_to_be_repeated_is_made_again_alone_and_once():
    log = Log()
    found = dispatched(log, "abcd", is_to_repeat=lambda text: text == "A")
    assert found == {c: c.upper() for c in "abcd"}
    assert log.ran.count("a") == 2
    assert log.ran[-1] == "a"
    assert log.beside["a"][-1] == 0


def test_after_a_while_it_is_told_who_is_waited_for(monkeypatch):
    monkeypatch.setattr("grader.judging.dispatch.SECONDS_OF_SILENCE", 0.01)
    waiting = []
    dispatched(Log(), "ab", show_waiting=waiting.append)
    assert {"a", "b"} >= set(waiting[0]) > set()


def test_stopped_it_gives_out_nothing_more():
    log = Log()
    results = Dispatch(log, lambda: ThreadPoolExecutor(1), 2).run((c, c) for c in "abcdefgh")
    next(results)
    results.close()
    assert len(log.ran) <= 3


# --- processes ---------------------------------------------------------------------------------


@pytest.fixture
def workers():
    made = Workers(2)
    yield made
    made.shutdown(wait=False)


def test_a_process_that_dies_takes_no_other_job_along(workers):
    texts = ["slow 1", "die", *(f"slow {n}" for n in range(2, 6))]
    futures = {text: workers.submit(work, text) for text in texts}
    with pytest.raises(BrokenExecutor):
        futures.pop("die").result()
    assert {text: future.result() for text, future in futures.items()} == {
        text: text.upper() for text in futures
    }


def test_a_deadly_job_is_the_only_one_that_is_lost():
    dispatch = Dispatch(work, lambda: Workers(2), 5)
    found = dict(dispatch.run((t, t) for t in ["a", "die", "slow", "b", "c"]))
    assert found.pop("die").is_culprit
    assert found == {t: t.upper() for t in ("a", "slow", "b", "c")}


def test_shut_down_workers_take_nothing(workers):
    workers.submit(work, "a").result()
    workers.shutdown()
    with pytest.raises(RuntimeError):
        workers.submit(work, "b")


def test_what_has_not_begun_can_be_cancelled(workers):
    futures = [workers.submit(work, f"slow {n}") for n in range(6)]
    assert futures[-1].cancel()
    done, _ = concurrent.futures.wait(futures)
    assert len(done) == 6
    assert [future.result() for future in futures[:-1]] == [f"SLOW {n}" for n in range(5)]


COORDINATOR = """
import os
import socket
import time

from grader.batch import workers

LOOK = "__import__('os').getpid(), 'colorsys' in __import__('sys').modules"
if __name__ == "__main__":
    workers.import_for_all(["colorsys"])
    ours, theirs = socket.socketpair()
    made = workers.Workers(2, workers.begin, (theirs, (), True), "forkserver")
    asked = [made.submit(eval, LOOK) for _ in range(2)]
    print(*(word for one in asked for word in one.result()), flush=True)
    made.submit(time.sleep, 60)
    made.submit(time.sleep, 60)
    time.sleep(0.2)
    os.kill(os.getpid(), 9)
"""


def test_workers_are_forks_that_share_what_was_imported_and_end_with_the_coordinator(tmp_path):
    script = tmp_path / "coordinator.py"
    script.write_text(COORDINATOR)
    # Workers hold its stdout, too: that it comes to an end shows that they have.
    done = subprocess.run(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=50,
        text=True,
    )
    first, first_has, second, second_has = done.stdout.split()
    assert first != second
    assert (first_has, second_has) == ("True", "True")
