"""The process in which one submission is judged: a fork of the worker, within limits.

What a student's function returns is parsed, decoded, compared and looped over here. All of that
costs what the student wants it to cost, and none of it can be trusted to look at a clock. So the
kernel holds this process to a limit of memory and processor time, and the worker, which has only
read what this process has recorded, goes on with another one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import math
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any, TextIO

from grader.judging.failures import NotJudged, error_output
from grader.judging.notebook import SHARE_FOR_HIDDEN
from grader.judging.policy import Policy
from grader.judging.progress import Progress, Step
from grader.judging.results import result_of
from grader.judging.run import Run
from grader.outcomes import SENTENCES, Outcome
from grader.records import Job
from grader.sandbox.child import ServerLost
from grader.sandbox.client import Server
from grader.sandbox.inside.jail import die_with_parent
from grader.sandbox.inside.watch import sizes

# Wall time on top of all that the submission may take itself, in seconds.
SECONDS_ON_TOP = 120.0
# What a judge may import only when a value needs it, at the cost of seconds: the worker then does.
SLOW_TO_IMPORT = "torch"


class JudgeKilled(Exception):
    """Somebody has ended the judge, the kernel for want of memory, say."""


def judge(
    data: Job, policy: Policy, setup: dict[str, Any], server: Server, progress: Progress
) -> bool:
    """Let a process judge what is left of a submission.

    Parameters
    ----------
    data : Job
    policy : Policy
    setup : dict
        The namespace of the set-up cells.
    server : Server
    progress : Progress
        Takes in what the process has done.

    Returns
    -------
    bool
        Whether all is done. If not, the step at which the process was ended counts as failed.

    Raises
    ------
    ServerLost, JudgeKilled
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                work(data, policy, setup, server, progress, pipe)
        finally:
            os._exit(1)
    os.close(writing)
    total = policy.wall_factor * policy.total_seconds * (1 + SHARE_FOR_HIDDEN)
    last: dict[str, Any] = {}
    try:
        for line in lines(reading, time.monotonic() + total + SECONDS_ON_TOP):
            last = json.loads(line)
            if "step" in last:
                progress.apply(last["step"], data["cells"])
    except TimeoutError:
        os.kill(pid, signal.SIGXCPU)
    finally:
        os.close(reading)
        _, status, usage = os.wait4(pid, 0)
    if "server_lost" in last:
        raise ServerLost(last["server_lost"])
    if "totals" in last:
        progress.set_totals(last["totals"])
        if last["is_slow_imported"]:
            importlib.import_module(SLOW_TO_IMPORT)
        return True
    progress.seconds += usage.ru_utime + usage.ru_stime
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        raise JudgeKilled("the process that judged was killed")
    outcome: Outcome = "too much to judge"
    if "error" in last:
        outcome = "not judged"
        progress.flags.append(f"what came back could not be judged: {last['error']}")
    progress.note(outcome)
    fail(progress, data["cells"], outcome)
    return False


def lines(reading: int, deadline: float) -> Iterator[bytes]:
    """The lines that come through a pipe; raises `TimeoutError` at the deadline."""
    rest = b""
    while True:
        if not select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        part = os.read(reading, 2**20)
        if not part:
            return
        *whole, rest = (rest + part).split(b"\n")
        yield from whole


def fail(progress: Progress, cells: list[dict[str, Any]], outcome: Outcome) -> None:
    """Record that the step at which a judge was ended came to nothing."""
    step: Step = {}
    number = progress.steps
    if number != len(cells):
        if number > len(cells):
            number = progress.deferred[number - len(cells) - 1]
        failure = NotJudged(SENTENCES[outcome].in_cell)
        step = {"cell": number, "outputs": [error_output(failure)]}
        if cells[number]["kind"] == "test":
            step["test"] = result_of(cells[number], failure)
    progress.apply(step, cells)


def work(
    data: Job,
    policy: Policy,
    setup: dict[str, Any],
    server: Server,
    progress: Progress,
    pipe: TextIO,
) -> None:
    """Judge, in the new process, and write each step that is done as a line of JSON."""
    gc.freeze()  # else each collection would copy what the worker has
    die_with_parent()
    set_limits(policy)
    had_slow = SLOW_TO_IMPORT in sys.modules
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)

    def send(message: dict[str, Any]) -> None:
        pipe.write(json.dumps(message) + "\n")
        pipe.flush()

    def done(step: Step) -> None:
        send({"step": step})
        allow_cpu(policy.judging_seconds)

    message: dict[str, Any]
    try:
        Run(data, setup, server, progress, done).go_on()
        is_imported = SLOW_TO_IMPORT in sys.modules and not had_slow
        message = {"totals": progress.totals(), "is_slow_imported": is_imported}
    except ServerLost as error:
        message = {"server_lost": str(error)}
    except MemoryError:
        return
    except Exception as error:
        message = {"error": f"{type(error).__name__}: {error}"[:300]}
    send(message)


def set_limits(policy: Policy) -> None:
    """Hold this process to the memory and the processor time of one step."""
    used = sizes("/proc/self/status", ("VmData", "VmSize"))
    for which, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, used["VmData"] + policy.judging_bytes),
        (resource.RLIMIT_AS, used["VmSize"] + 2 * policy.judging_bytes),
    ):
        _, hard = resource.getrlimit(which)
        with contextlib.suppress(ValueError):  # there is a lower one already
            resource.setrlimit(which, (value, hard))
    allow_cpu(policy.judging_seconds)


def allow_cpu(seconds: int) -> None:
    """Let the kernel end this process when it has worked for so long from now on."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = math.ceil(time.process_time()) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
