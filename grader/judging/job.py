"""Execute one submission: a pure function, JSON in and JSON out.

`execute` may run anywhere that has the course installed. It starts the warm server on its first
call and keeps it; the gradebook, the other submissions and the network are out of its reach.

What comes back from a student's process is judged in a process of its own, a fork of this one, that
the kernel holds to a limit of memory and processor time. If it is ended, what it has recorded
stands, the test at which it was counts as failed, and another goes on with the next.
"""

from __future__ import annotations

import json
import multiprocessing.util
import os
import socket
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from grader.judging.judge import read_ahead
from grader.judging.policy import OUTER_RULES, Policy
from grader.judging.process import JudgeKilled, judge
from grader.judging.progress import Progress
from grader.judging.setup import setup_space
from grader.records import Job, Result
from grader.sandbox.child import ServerLost
from grader.sandbox.client import MODULES, Server, modules_for
from grader.sandbox.inside.server import make_forks_cheap
from grader.text import writable
from helpers.language import ENGLISH, speaking

MANY_MODULES = 100

_modules = 0  # that this process had when it was last made cheap to fork
_servers: dict[tuple[Any, ...], Server] = {}


class Shared(NamedTuple):
    """A server for all of this machine; see `grader.sandbox.client.Server`."""

    control: socket.socket
    modules: Sequence[str]
    locked: bool
    groups: Path | None


_shared: Shared | None = None


class Retry(Exception):
    """The machine failed, not the student: to be done again, elsewhere if possible."""


def execute(job: str) -> str:
    """Run a rebuilt notebook and judge its tests.

    Parameters
    ----------
    job : str
        A `grader.records.Job` as JSON, with its seed.

    Returns
    -------
    str
        A `grader.records.Result` as JSON.

    Raises
    ------
    Retry
    """
    data: Job = json.loads(job)
    policy = Policy.from_dict(data["policy"])
    modules = modules_for("".join(c["source"] for c in data["cells"] if c["cell_type"] == "code"))
    start = time.monotonic()
    try:
        warm = server(policy.disabled_rules, policy.locked, modules)
        setup = setup_space(data["cells"], data["files"], data.get("beside", {}))
        read_ahead(data["cells"], setup)
        prepare_to_fork()
        progress = Progress([([], None) for _ in data["cells"]])
        with speaking(data.get("language", ENGLISH)):
            while not judge(data, policy, setup, warm, progress):
                pass
    except ServerLost as error:
        close_servers()
        raise Retry(str(error)) from None
    except JudgeKilled as error:
        raise Retry(str(error)) from None
    outcome = progress.outcome
    if outcome == "graded" and progress.flags:
        outcome = "tampering suspected"
    result: Result = {
        "outcome": outcome,
        "outputs": progress.outputs,
        "tests": progress.tests,
        "flags": sorted(set(progress.flags)),
        "class_seed": data["class_seed"],
        "seconds": time.monotonic() - start,
        "cpu": progress.cpu,
        "contended": progress.contended,
    }
    return writable(json.dumps(result, ensure_ascii=False))


def was_hindered(text: str) -> bool:
    """Whether a result may have lost points because others took the processor."""
    result: Result = json.loads(text)
    lost_points = any("failure" in test for test in result["tests"].values())
    return result.get("contended", False) and lost_points


def prepare_to_fork() -> None:
    """Make forks of this process cheap, again when it has imported what is large."""
    global _modules
    if len(sys.modules) - _modules > MANY_MODULES:
        make_forks_cheap()
        _modules = len(sys.modules)


def share(
    control: socket.socket, modules: Sequence[str], locked: bool, groups: Path | None = None
) -> None:
    """Fork this process's servers from that of another: it has imported everything once for all."""
    global _shared
    _shared = Shared(control, modules, locked, groups)


def _start(disabled_rules: Collection[str], locked: bool, modules: Sequence[str]) -> Server:
    global _shared
    if _shared is not None and not disabled_rules and locked == _shared.locked:
        try:
            more = [name for name in modules if name not in _shared.modules]
            return Server.forked(_shared.control, _shared.modules, more, _shared.groups)
        except ServerLost:
            _shared = None  # from now on this process has one of its own
    return Server(disabled_rules, modules, locked)


def server(
    disabled_rules: Collection[str] = (), locked: bool = True, modules: Sequence[str] = MODULES
) -> Server:
    """The warm server of this process, started on first use."""
    outer = tuple(sorted(set(disabled_rules) & set(OUTER_RULES)))
    key = (os.getpid(), outer, locked, tuple(modules))
    if key not in _servers:
        _servers[key] = _start(outer, locked, modules)
        # Workers of a pool end without atexit's functions, but with these.
        multiprocessing.util.Finalize(None, close_servers, exitpriority=10)
    return _servers[key]


def close_servers() -> None:
    """End the servers of this process."""
    for key in [key for key in _servers if key[0] == os.getpid()]:
        _servers.pop(key).close()
