"""The warm server: one for all workers of a machine, forked for each, and gone afterwards."""

import ast
import os
import select
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import nbgrader.api
import pytest

from grader import database
from grader.batch import workers
from grader.judging import job
from grader.judging.policy import Policy
from grader.judging.setup import needed_setup
from grader.sandbox.child import ServerLost
from grader.sandbox.client import (
    MODULES,
    MODULES_WITH_TORCH,
    SECONDS_TO_LEAVE,
    Server,
    modules_for,
)
from tests.grader.attacks.trial import light_server

LIGHT = ("numpy", "numpy.testing", "IPython", "helpers.assignment")


def shown(server, code):
    """What a cell prints in a child of this server."""
    child = server.child(Policy().to_dict())
    try:
        reply, _ = child.ask({"do": "run", "code": code, "output_limit": 10_000}, [], 30.0)
        (output,) = reply["outputs"]
        return output["text"].strip()
    finally:
        child.close()


def below(pid):
    """All processes that this one has started, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for number in map(int, task.read_text().split()):
            found += [number, *below(number)]
    return found


def is_alive(number):
    """Whether a process runs; one that has ended may wait for somebody to read how."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def are_gone(numbers, seconds=10):
    until = time.monotonic() + seconds
    while any(map(is_alive, numbers)):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def first():
    server = light_server()
    yield server
    server.close()


@pytest.mark.sandbox
def test_a_forked_server_shares_what_the_first_has_imported(first):
    second = Server.forked(first.control, LIGHT, ("colorsys",))
    try:
        assert second.modules == (*LIGHT, "colorsys")
        where = "import numpy\nprint(id(numpy))"
        assert shown(second, where) == shown(first, where)
        has = "import sys\nprint('colorsys' in sys.modules)"
        assert (shown(first, has), shown(second, has)) == ("False", "True")
    finally:
        second.close()
    assert shown(first, "print(1)") == "1"  # it needs no other


@pytest.mark.sandbox
def test_several_fork_a_server_that_is_still_starting():
    first = Server(modules=LIGHT, wait=False)
    try:
        others = [Server.forked(first.control, LIGHT) for _ in range(3)]
        assert [shown(other, f"print({n})") for n, other in enumerate(others)] == ["0", "1", "2"]
        for other in others:
            other.close()
    finally:
        first.close()


@pytest.mark.sandbox
@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_a_server_that_is_closed_while_it_imports_is_gone_at_once(seconds):
    server = Server(modules=MODULES_WITH_TORCH, wait=False)
    time.sleep(seconds)
    started = below(server.process.pid)
    start = time.monotonic()
    server.close()
    assert time.monotonic() - start < 0.5 * SECONDS_TO_LEAVE
    assert are_gone(started, seconds=1)


@pytest.mark.sandbox
@pytest.mark.parametrize("is_known", [True, False])
def test_a_server_that_is_closed_when_it_is_ready_ends_in_order(is_known):
    server = Server(modules=LIGHT, wait=False)
    select.select([server.control], [], [], 30.0)
    if is_known:
        server.wait()
    started = below(server.process.pid)
    assert started
    server.close()
    assert server.process.returncode == 0
    assert are_gone(started)


@pytest.mark.sandbox
def test_a_worker_whose_shared_server_is_lost_gets_one_of_its_own(monkeypatch):
    monkeypatch.setattr(job, "_shared", None)
    first = light_server()
    job.share(first.control, LIGHT, True)
    assert job._start((), True, LIGHT).process is None
    more = job._start((), True, (*LIGHT, "colorsys"))
    assert (more.process, more.modules) == (None, (*LIGHT, "colorsys"))
    # Without the rules of the first it cannot be shared.
    apart = job._start(("network",), True, LIGHT)
    assert apart.process is not None
    apart.close()
    first.process.kill()
    first.close()
    with pytest.raises(ServerLost):
        Server.forked(first.control, LIGHT)
    own = job._start((), True, LIGHT)
    try:
        assert own.process is not None
        assert shown(own, "print(2)") == "2"
        assert job._shared is None
    finally:
        own.close()


@pytest.mark.sandbox
def test_workers_use_the_server_that_they_are_given():
    server = Server(modules=MODULES_WITH_TORCH[:3], wait=False)
    executor = workers.local_executor(2, server)
    try:
        assert executor.submit(_has_a_process).result() is False
    finally:
        executor.shutdown()
        server.close()


@pytest.mark.sandbox
def test_a_worker_ends_at_ctrl_c_whatever_it_does(first):
    executor = workers.local_executor(1, first)
    try:
        worker = executor.submit(os.getpid).result()
        busy = executor.submit(time.sleep, 60)
        os.kill(worker, signal.SIGINT)
        with pytest.raises(BrokenExecutor):
            busy.result(timeout=20)
    finally:
        executor.shutdown()


def _has_a_process():
    return job.server(modules=MODULES_WITH_TORCH[:3]).process is not None


def test_only_notebooks_that_speak_of_torch_wait_for_torchvision():
    assert modules_for("import numpy as np") == MODULES
    assert modules_for("import torch.nn.functional as F")[-1] == "torchvision"


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("import torch\nimport numpy as np", "import numpy as np"),
        ("from helpers import plots\nx = 3", "x = 3"),
        ("from math import pi, tau", "from math import pi, tau"),
        ("from os.path import *", "from os.path import *"),
        ("import torch\ntorch.manual_seed(3)", "import torch\ntorch.manual_seed(3)"),
        ("def f():\n    return math.pi\nimport math", "def f():\n    return math.pi\nimport math"),
    ],
)
def test_the_grader_imports_only_what_tests_and_set_up_use(code, kept):
    tests = ("assert np.all(f(2 * tau))", "assert x")
    assert needed_setup(code, tests) == ast.unparse(ast.parse(kept))


def test_a_worker_imports_little():
    code = "import sys, grader.command.grade, grader.batch.workers; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    found = set(done.stdout.split())
    assert "grader.judging.job" in found
    assert not found & {"nbgrader", "nbformat", "torch", "matplotlib", "IPython", "sqlalchemy"}


def test_the_database_has_the_version_that_nbgrader_gives_it(monkeypatch):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    assert database.newest_version() == nbgrader.api.get_alembic_version()


@pytest.mark.sandbox
def test_the_student_s_names_for_arguments_follow_what_is_defined(first):
    child = first.child(Policy().to_dict())

    def names(count):
        items = [{"is": "int", "value": "1"}] * count
        call = {"do": "call", "name": "f", "procedure": None, "code": "", "args": items}
        more = {"ends": [(0, 0)] * len(items), "kwargs": [], "seconds": 5.0}
        reply, _ = child.ask({**call, **more}, [], 30.0)
        return reply["names"]

    def run(code):
        child.ask({"do": "run", "code": code, "output_limit": 1000}, [], 30.0)

    try:
        run("def f(image, kernel=1): pass")
        assert (names(1), names(2), names(3)) == (["image"], ["image", "kernel"], None)
        run("def f(x): pass")
        assert names(1) == ["x"]
    finally:
        child.close()
