"""The server: imports what notebooks need, once, and forks a child for each submission.

    python -m grader.sandbox.inside.server FD

FD is a socket on which the grader sends, for each job, one JSON message with two sockets, to the
child and to its monitor, and where there is a control group for it, its file ``cgroup.procs``. A
monitor stays outside the child's namespaces, watches its memory, and
passes on the grader's signals; when the grader is gone, it ends the child. On `{"fork": MODULES}`
with one socket the server forks another server, which imports these, too, and goes on with that
socket.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import multiprocessing.context
import os
import platform
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from . import meta
from .messages import Rules

LOCKED = b"locked"
HUGE = 2 * 2**20  # bytes
MADV_COLLAPSE = 25
CODE_OF_LOOP = 72

_library: Any = None


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    hello = json.loads(control.recv(65536))
    warm_up(hello["modules"])
    let_processes_be_forks()

    from . import child, controls, jail, shell, watch

    made = shell.make_shell()
    shell.warm_figures(made)
    shell.warm_errors(made)
    known = controls.Controls(made)
    make_forks_cheap()
    say_ready(control)
    while True:
        try:
            data, fds, _, _ = socket.recv_fds(control, 65536, 3)
        except ConnectionResetError:  # closed by somebody who did not read that it is ready
            data = b""
        if not data:
            os._exit(0)  # at once: to take apart all that was imported takes a second
        rules: Any = json.loads(data)
        # Monitors that ended are waited for here; there is nothing else this process waits for.
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        pid = os.fork()
        if "fork" in rules:
            if pid == 0:
                control.close()
                control = socket.socket(fileno=fds.pop())
                if rules["fork"]:
                    warm_up(rules["fork"])
                    make_forks_cheap()
                say_ready(control)
        elif pid == 0:
            code = 70
            try:
                control.close()
                code = monitor(rules, fds, (made, known), jail, child, watch)
            finally:
                os._exit(code)
        for fd in fds:
            os.close(fd)


def say_ready(control: socket.socket) -> None:
    """With the version: a library of another Python can be found, and would nearly work."""
    control.sendall(json.dumps({"ready": platform.python_version()}).encode())


def warm_up(modules: Iterable[str]) -> None:
    """Import, and let each package make its caches, before any fork."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    torch = sys.modules.get("torch")
    if torch is not None:
        # A pool of threads does not survive a fork: the child would wait for it for ever.
        torch.set_num_threads(1)
        torch.nn.functional.conv2d(torch.zeros(1, 1, 3, 3), torch.zeros(1, 1, 2, 2))
        global _library  # what was registered goes with it
        with contextlib.suppress(Exception):
            _library = meta.lighten(torch)


def let_processes_be_forks() -> None:
    """Let the processes that students start be forks, whatever they and Python would choose.

    One that starts anew ("spawn", at home the default on macOS and Windows) imports torch again,
    which takes all of its time here, and finds no function of a notebook.
    """
    contexts: Any = multiprocessing.context
    fork = contexts._concrete_contexts["fork"]
    contexts._concrete_contexts.update(spawn=fork, forkserver=fork)
    contexts._default_context._default_context = fork


def make_forks_cheap() -> None:
    """Gather this process's memory in huge pages: a fork then copies few page tables.

    Forking some 400 MB and ending the fork takes 5 ms instead of 23. Linux 6.1 and later; on
    others nothing happens. Source: the manual page madvise(2).
    """
    gc.freeze()  # a child's collections would copy all that they look at
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    with open("/proc/self/maps") as maps:
        regions = [line.split() for line in maps]
    for place, mode, *_, name in regions:
        if "w" not in mode or name.startswith("/") or name == "[stack]":
            continue
        first, last = (int(number, 16) for number in place.split("-"))
        first, last = -(-first // HUGE) * HUGE, last // HUGE * HUGE
        if first < last:
            libc.madvise(first, last - first, MADV_COLLAPSE)


def monitor(
    rules: Rules,
    fds: list[int],
    warm: tuple[Any, Any],
    jail: ModuleType,
    child: ModuleType,
    watch: ModuleType,
) -> int:
    """Start a child in namespaces of its own, and watch it until it ends."""
    to_child, to_grader, *group = fds
    status = socket.socket(fileno=to_grader)
    folder = None
    try:
        if rules["locked"]:
            jail.own_namespaces(rules)
        else:
            folder = tempfile.mkdtemp(prefix="grading-")
        is_locked, report = os.pipe()
        pid = os.fork()
    except OSError as error:
        watch.tell(status, {"failed": str(error)})
        return 1
    if pid == 0:
        code = CODE_OF_LOOP
        try:
            status.close()
            os.close(is_locked)
            enter(group)
            lock(rules, to_child, report, jail, folder)
            child.Child(socket.socket(fileno=to_child), *warm).serve()
            code = 0
        finally:
            os._exit(code)
    for fd in (to_child, report, *group):
        os.close(fd)
    # What goes wrong before any of the student's code has run is no fault of theirs.
    with os.fdopen(is_locked, "rb") as pipe:
        said = pipe.read()
    if said != LOCKED:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        watch.tell(status, {"failed": said.decode(errors="replace") or "no child started"})
        return 1
    watch.watch(pid, status, rules)
    if folder is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def enter(group: list[int]) -> None:
    """Move this process into its control group, if it has one.

    Parameters
    ----------
    group : list of int
        The group's ``cgroup.procs``, opened by the grader: here nobody could.
    """
    for fd in group:
        with contextlib.suppress(OSError):  # without it the monitor holds it down
            os.write(fd, b"0")


def lock(rules: Rules, to_child: int, report: int, jail: ModuleType, folder: str | None) -> None:
    """Lock this process in, and say so through the pipe `report`, which is closed then."""
    try:
        if rules["locked"]:
            jail.lock_in(rules, {to_child, report})
        else:
            jail.only_limit(rules, {to_child, report}, folder)
        os.write(report, LOCKED)
    except BaseException as error:
        os.write(report, repr(error).encode()[:500])
        raise
    finally:
        os.close(report)


if __name__ == "__main__":
    main()
