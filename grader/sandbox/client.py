"""Start the warm server in its sandbox."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import platform
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.sandbox.bwrap import layers, python, unlocked_environment
from grader.sandbox.cgroup import PREFIX, Group, sweep
from grader.sandbox.child import Child, ServerLost

MODULES = (
    "numpy",
    "numpy.random",
    "numpy.testing",
    "torch",
    "torch.nn.functional",
    "torch.utils.data",
    "matplotlib",
    "matplotlib.pyplot",
    "IPython",
    # What IPython imports for its first cell, and for its first error.
    "IPython.core.logger",
    "bdb",
    "pygments.formatters.terminal256",
    "stack_data",
    "tqdm.auto",
    "helpers.assignment.layers",
    "helpers.data",
    "helpers.training",
    "helpers.ops",
    "helpers.plots",
    "torchinfo",
)
# For notebooks that speak of torch. It takes as long as torch itself, since it brings the compiler
# along, of which optimizers need parts, too.
MODULES_WITH_TORCH = (*MODULES, "torchvision")
SECONDS_TO_START = 600  # on a machine that does much else
SECONDS_TO_LEAVE = 1


def modules_for(text: str) -> tuple[str, ...]:
    """What a notebook's server imports beforehand, by the text of its code."""
    return MODULES_WITH_TORCH if "torch" in text else MODULES


def judges_modules(text: str) -> tuple[str, ...]:
    """What judging a notebook needs beforehand, by the text of its code."""
    return ("torch",) if "torch" in text else ()


def _pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a connection that keeps messages apart, also those of several senders."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Server:
    """A warm server in its sandbox.

    Parameters
    ----------
    disabled_rules : collection of str
        Rules of the outer layer that are not kept, in tests of the sandbox.
    modules : sequence of str
        What is imported beforehand.
    locked : bool
        False: the same server without a sandbox, with the rights of whoever grades.
    wait : bool
        False: `wait` is to be called before the first child, if not by another process.
    groups : path, optional
        The control group in which each child gets one of its own; see `grader.sandbox.cgroup`.
    """

    numbers = itertools.count()  # of the control groups that this process has made

    def __init__(
        self,
        disabled_rules: Collection[str] = (),
        modules: Sequence[str] = MODULES,
        locked: bool = True,
        wait: bool = True,
        groups: Path | None = None,
    ) -> None:
        self.modules, self.is_ready, self.groups = tuple(modules), False, groups
        self.process: subprocess.Popen[bytes] | None = None
        self.folder: tempfile.TemporaryDirectory[str] | None = None
        ours, theirs = _pair()
        os.set_inheritable(theirs.fileno(), True)
        if locked:
            command = [*layers(disabled_rules), python()]
            environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        else:
            self.folder = tempfile.TemporaryDirectory(prefix="grading-")
            command, environment = [sys.executable], unlocked_environment()
        self.process = subprocess.Popen(
            [*command, "-m", "grader.sandbox.inside.server", str(theirs.fileno())],
            cwd=self.folder.name if self.folder else None,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        theirs.close()
        self.control = ours
        with contextlib.suppress(OSError):  # `wait` will see it
            self.control.sendall(json.dumps({"modules": list(modules)}).encode())
        if wait:
            self.wait()

    @classmethod
    def forked(
        cls,
        control: socket.socket,
        modules: Sequence[str] = MODULES,
        more: Sequence[str] = (),
        groups: Path | None = None,
    ) -> Server:
        """Another server in the sandbox of one: it shares what that has imported.

        Parameters
        ----------
        control : socket
            That server's `control`, of this process or another; the server may still be starting.
        modules : sequence of str
            What that one has imported.
        more : sequence of str
            What this one imports besides.
        groups : path, optional

        Raises
        ------
        ServerLost
        """
        server = cls.__new__(cls)
        server.modules, server.is_ready, server.groups = (*modules, *more), False, groups
        server.process, server.folder = None, None
        server.control, theirs = _pair()
        try:
            control.settimeout(SECONDS_TO_START)
            asked = json.dumps({"fork": list(more)}).encode()
            socket.send_fds(control, [asked], [theirs.fileno()])
        except OSError as error:
            server.control.close()
            raise ServerLost(str(error)) from error
        finally:
            theirs.close()
        server.wait()
        return server

    def wait(self) -> None:
        """Return when everything is imported.

        Raises
        ------
        ServerLost
        """
        self.control.settimeout(SECONDS_TO_START)
        try:
            answer = self.control.recv(4096)
        except OSError as error:
            answer = repr(error).encode()
        if f'"ready": "{platform.python_version()}"'.encode() not in answer:
            message = ""
            if self.process is not None and self.process.stderr is not None:
                self._kill(self.process)
                message = self.process.stderr.read().decode(errors="replace")[-2000:]
            self.close()
            raise ServerLost(f"the server did not start: {message or answer!r}")
        self.is_ready = True

    def child(self, rules: Mapping[str, Any]) -> Child:
        """Fork a child for one submission.

        Parameters
        ----------
        rules : mapping
            Its limits, as `grader.judging.policy.Policy.to_dict` makes them.

        Raises
        ------
        ServerLost
        """
        ours, theirs = socket.socketpair()
        status, to_monitor = socket.socketpair()
        group = self.group(rules)
        given = [theirs.fileno(), to_monitor.fileno()]
        try:
            text = json.dumps(rules).encode()
            socket.send_fds(self.control, [text], [*given, group.entrance] if group else given)
        except OSError as error:
            ours.close()
            status.close()
            raise ServerLost(str(error)) from error
        finally:
            theirs.close()
            to_monitor.close()
            if group:
                group.close_entrance()
        return Child(ours, status, rules["wall_factor"], group)

    def group(self, rules: Mapping[str, Any]) -> Group | None:
        """A control group for a child, where there can be one."""
        if self.groups is None:
            return None
        # With the number of the process, so that what one has left can be told from the others'.
        path = self.groups / f"{PREFIX}{os.getpid()}-{next(self.numbers)}"
        with contextlib.suppress(OSError):
            return Group(path, rules)
        return None

    def remove_groups_of(self, pid: int) -> None:
        """Remove the control groups that a process has left which was ended."""
        if self.groups is not None:
            sweep(self.groups, f"{pid}-")

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """End all layers: one that became another user does not end with its parent."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the server, and with it every child."""
        # One that is still importing would go on for seconds before it saw that nobody is there.
        is_idle = self.is_ready or select.select([self.control], [], [], 0)[0]
        self.control.close()
        if self.process is not None:
            if is_idle:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(SECONDS_TO_LEAVE)
            self._kill(self.process)
            self.process.wait()
            if self.process.stderr is not None:
                self.process.stderr.close()
        if self.folder is not None:
            self.folder.cleanup()
