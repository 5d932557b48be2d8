"""Start the server in its sandbox, and talk to the children that it forks."""

import contextlib
import json
import os
import platform
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

from grader.sandbox.bwrap import layers, python, unlocked_environment
from grader.sandbox.inside import wire

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
SECONDS_TO_START = 120
SECONDS_TO_END = 30
SECONDS_TO_LEAVE = 1
MOST_BYTES = 128 * 2**20


class ChildEnded(Exception):
    """The child is gone.

    Attributes
    ----------
    why : str
        "by itself", "memory", "cpu", "killed", "timeout", "output" or "nonsense".
    code : int or None
        Its exit code.
    """

    def __init__(self, why, code=None):
        super().__init__(f"{why} (exit code {code})")
        self.why, self.code = why, code


class ServerLost(Exception):
    """The server itself does not answer: nobody's fault among the students."""


def modules_for(text):
    """What a notebook's server imports beforehand, by the text of its code."""
    return MODULES_WITH_TORCH if "torch" in text else MODULES


def _pair():
    """Two ends of a connection that keeps messages apart, also those of several senders."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Server:
    """A warm server in its sandbox.

    Parameters
    ----------
    off : tuple of str
        Rules of the outer layer that are not kept, in tests of the sandbox.
    modules : sequence of str
        What is imported beforehand.
    locked : bool
        False: the same server without a sandbox, with the rights of whoever grades.
    wait : bool
        False: `wait` is to be called before the first child, if not by another process.
    """

    def __init__(self, off=(), modules=MODULES, locked=True, wait=True):
        self.modules, self.is_ready = tuple(modules), False
        ours, theirs = _pair()
        os.set_inheritable(theirs.fileno(), True)
        self.folder = None
        if locked:
            command = [*layers(off), python()]
            environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        else:
            self.folder = tempfile.TemporaryDirectory(prefix="grading-")
            command, environment = [sys.executable], unlocked_environment()
        self.process = subprocess.Popen(
            [*command, "-m", "grader.sandbox.inside.server", str(theirs.fileno())],
            cwd=self.folder and self.folder.name,
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
    def forked(cls, control, modules=MODULES, more=()):
        """Another server in the sandbox of one: it shares what that has imported.

        Parameters
        ----------
        control : socket
            That server's `control`, of this process or another; the server may still be starting.
        modules : sequence of str
            What that one has imported.
        more : sequence of str
            What this one imports besides.

        Raises
        ------
        ServerLost
        """
        server = cls.__new__(cls)
        server.modules, server.is_ready = (*modules, *more), False
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

    def wait(self):
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
            said = ""
            if self.process is not None:
                self._kill()
                said = self.process.stderr.read().decode(errors="replace")[-2000:]
            self.close()
            raise ServerLost(f"the server did not start: {said or answer!r}")
        self.is_ready = True

    def child(self, policy):
        """Fork a child for one submission."""
        ours, theirs = socket.socketpair()
        status, to_monitor = socket.socketpair()
        try:
            rules = json.dumps(policy.to_dict()).encode()
            socket.send_fds(self.control, [rules], [theirs.fileno(), to_monitor.fileno()])
        except OSError as error:
            ours.close()
            status.close()
            raise ServerLost(str(error)) from error
        finally:
            theirs.close()
            to_monitor.close()
        return Child(ours, status)

    def _kill(self):
        """End all layers: one that became another user does not end with its parent."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self):
        """End the server, and with it every child."""
        # One that is still importing would go on for seconds before it saw that nobody is there.
        is_idle = self.is_ready or select.select([self.control], [], [], 0)[0]
        self.control.close()
        if self.process is not None:
            if is_idle:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(SECONDS_TO_LEAVE)
            self._kill()
            self.process.wait()
            self.process.stderr.close()
        if self.folder is not None:
            self.folder.cleanup()


class Child:
    """One forked child, as the grader sees it."""

    def __init__(self, sock, status):
        self.sock, self.status = sock, status
        self.number = 0
        self.ended = None

    def ask(self, request, blobs=(), seconds=60.0, grace=3.0, most=MOST_BYTES):
        """Send a request and wait for the reply; interrupt, then end, a child that takes too long.

        Parameters
        ----------
        request : dict
        blobs : list of bytes
        seconds, grace : float
            Until it is interrupted, and from then until it is ended.
        most : int
            Bytes of arrays that it may send.

        Returns
        -------
        (dict, list of bytes)

        Raises
        ------
        ChildEnded
            If it ended, or had to be ended.
        ServerLost
        """
        self.number += 1
        self.sock.settimeout(seconds)
        try:
            wire.send(self.sock, {**request, "number": self.number}, blobs)
            return self._reply(most, seconds, grace)
        except TimeoutError:
            raise self._end("timeout") from None
        except wire.TooMuch:
            raise self._end("output") from None
        except wire.Nonsense:
            raise self._end("nonsense") from None
        except wire.Gone:
            raise self._left() from None

    def _end(self, why):
        """End the child for this reason; returns the error to raise."""
        ended = self.kill()
        # It can have passed another limit while the grader waited for it.
        return ended if ended is not None and ended.why in ("memory", "cpu") else ChildEnded(why)

    def _left(self):
        """The error for a child that closed its connection: it has ended, or is made to."""
        ready, _, _ = select.select([self.status], [], [], 2.0)
        if ready:
            return self._ended()
        return self.kill() or ChildEnded("killed")

    def _reply(self, most, seconds, grace):
        deadline = time.monotonic() + seconds
        interrupted = False
        while True:
            ready, _, _ = select.select([self.sock], [], [], max(0.0, deadline - time.monotonic()))
            if ready:
                # A child that sends half a frame, or a byte a second, must not hold up the batch.
                left = max(0.0, deadline - time.monotonic()) + max(grace, 1.0)
                reply, blobs = wire.receive(self.sock, most, seconds=left)
                if not isinstance(reply, dict) or reply.get("number") != self.number:
                    raise wire.Nonsense("a reply to another question")
                if interrupted:
                    reply["interrupted"] = True
                return reply, blobs
            if interrupted:
                raise TimeoutError
            interrupted = True
            deadline = time.monotonic() + grace
            with contextlib.suppress(OSError):
                self.status.sendall(b"i")

    def _ended(self):
        """What the monitor says about the end of its child."""
        self.status.settimeout(SECONDS_TO_END)
        data = b""
        with contextlib.suppress(OSError):
            while not data.endswith(b"\n"):
                part = self.status.recv(65536)
                if not part:
                    break
                data += part
        try:
            self.ended = json.loads(data)
        except ValueError:
            raise ServerLost("the monitor of a child is gone") from None
        if "failed" in self.ended:
            raise ServerLost(self.ended["failed"])
        return ChildEnded(self.ended["ended"], self.ended.get("code"))

    def kill(self):
        """End the child and all that it started; returns the `ChildEnded` that it ended with."""
        with contextlib.suppress(OSError):
            self.status.sendall(b"k")
        with contextlib.suppress(ServerLost):
            return self._ended()
        return None

    def close(self):
        """Let it end, if it has not; returns what the monitor reports (its CPU seconds, …)."""
        self.sock.settimeout(1.0)
        with contextlib.suppress(wire.Gone, OSError):
            wire.send(self.sock, {"do": "end", "number": 0})
        if self.ended is None:
            with contextlib.suppress(ServerLost):
                ready, _, _ = select.select([self.status], [], [], 1.0)
                if not ready:
                    self.kill()
                else:
                    self._ended()
        self.sock.close()
        self.status.close()
        return self.ended
