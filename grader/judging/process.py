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
import itertools
import json
import math
import os
import resource
import select
import signal
import sys
import time
from typing import Any, BinaryIO

from grader.judging import pairs
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
    total = policy.wall_factor * policy.total_seconds * (1 + SHARE_FOR_HIDDEN)
    # What is done stands in memory that both have, so that this process need not wake for each
    # step. The pipe only tells when the other has ended.
    with os.fdopen(os.memfd_create("steps"), "w+b") as steps:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reading)
                work(data, policy, setup, server, progress, steps)
            finally:
                os._exit(1)
        os.close(writing)
        try:
            if not select.select([reading], [], [], total + SECONDS_ON_TOP)[0]:
                os.kill(pid, signal.SIGXCPU)
        finally:
            os.close(reading)
            _, status, usage = os.wait4(pid, 0)
            server.remove_groups_of(pid)
        steps.seek(0)
        last: dict[str, Any] = {}
        for line in steps.read().split(b"\n")[:-1]:  # the last may not be whole
            last = json.loads(line)
            if "step" in last:
                progress.apply(last["step"], data["cells"])
    if "server_lost" in last:
        raise ServerLost(last["server_lost"])
    if "totals" in last:
        progress.set_totals(last["totals"])
        # What it had to import or to work out, the next one finds: a fork of this process.
        pairs.known.update(last["pairs"])
        for name in last["imported"]:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
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
    steps: BinaryIO,
) -> None:
    """Judge, in the new process, and write each step that is done as a line of JSON."""
    gc.freeze()  # else each collection would copy what the worker has
    die_with_parent()
    set_limits(policy)
    knew = set(pairs.known)
    had = len(sys.modules)  # to look at each name is to copy the memory that it lies in
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)

    def send(message: dict[str, Any]) -> None:
        steps.write(json.dumps(message).encode() + b"\n")
        steps.flush()

    def done(step: Step) -> None:
        send({"step": step})
        allow_cpu(policy.judging_seconds)

    message: dict[str, Any]
    try:
        Run(data, setup, server, progress, done).go_on()
        # The latest first: a module takes its place when it is whole, after those that it imports.
        imported = list(itertools.islice(reversed(sys.modules), max(0, len(sys.modules) - had)))
        found = {key: rows for key, rows in pairs.known.items() if key not in knew}
        message = {"totals": progress.totals(), "imported": imported, "pairs": found}
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
