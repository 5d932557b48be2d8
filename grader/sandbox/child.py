"""Talk to a child in the sandbox, and hold it to its time."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from grader.sandbox.cgroup import Group
from grader.sandbox.clock import Clock
from grader.sandbox.inside import wire
from grader.sandbox.inside.messages import Reply, Report, Usage
from grader.sandbox.inside.watch import INTERRUPT, KILL, TELL_USAGE

SECONDS_TO_END = 60
SECONDS_TO_LEAVE = 1.0
# Wall time until the first look at what a request has used, and between later ones: most need none.
FIRST_LOOK, LOOK = 0.2, 0.4
REPLY_BYTES = 128 * 2**20


class ChildEnded(Exception):
    """The child is gone.

    Attributes
    ----------
    why : str
        "by itself", "memory", "cpu", "killed", "timeout", "output" or "nonsense".
    code : int or None
        Its exit code.
    """

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(f"{why} (exit code {code})")
        self.why, self.code = why, code


class ServerLost(Exception):
    """The server itself does not answer: nobody's fault among the students."""


class Child:
    """One forked child, as the grader sees it.

    Parameters
    ----------
    sock, status : socket
        To the child, and to its monitor.
    wall_factor : float
        How many times its seconds a request may take in wall time.
    group : Group, optional
        The control group that the child enters, which ends with it.

    Attributes
    ----------
    seconds : float
        What it has taken so far; see `grader.sandbox.clock`.
    is_contended : bool
        Whether a request came to the end of its time while others took the processor.
    """

    def __init__(
        self,
        sock: socket.socket,
        status: socket.socket,
        wall_factor: float,
        group: Group | None = None,
    ) -> None:
        self.sock, self.status, self.wall_factor, self.group = sock, status, wall_factor, group
        self.number = 0
        self.seconds = 0.0
        self.is_contended = False
        self.ended: Report | None = None
        self.last: Usage = {"cpu": 0.0, "delay": 0.0, "at": time.monotonic()}
        self.unread = b""  # of what the monitor sends
        self.questions = 0  # to the monitor, without an answer so far

    def ask(
        self,
        request: Mapping[str, Any],
        blobs: Sequence[wire.Blob] = (),
        seconds: float = 60.0,
        grace: float = 3.0,
        byte_limit: int = REPLY_BYTES,
    ) -> tuple[Reply, list[wire.Blob]]:
        """Send a request and wait for the reply; interrupt, then end, a child that takes too long.

        Parameters
        ----------
        request : mapping
            See `grader.sandbox.inside.messages`.
        blobs : list of bytes
        seconds, grace : float
            Until it is interrupted, and from then until it is ended.
        byte_limit : int
            Bytes of arrays that it may send.

        Raises
        ------
        ChildEnded
            If it ended, or had to be ended.
        ServerLost
        """
        self.number += 1
        watch = _Watch(self, seconds, grace)
        try:
            message = {**request, "number": self.number}
            wire.send(self.sock, message, blobs, watch.wait_to_send)
            reply, arrays = wire.receive(self.sock, byte_limit, watch.wait)
            if not isinstance(reply, dict) or reply.get("number") != self.number:
                raise wire.Nonsense("a reply to another question")
            watch.look_back()
        except TimeoutError:
            raise self._end("timeout") from None
        except wire.TooMuch:
            raise self._end("output") from None
        except wire.Nonsense:
            raise self._end("nonsense") from None
        except wire.Gone:
            raise self._left() from None
        finally:
            watch.end()
        made: Reply = reply  # type: ignore[assignment]
        if watch.is_interrupted:
            made["interrupted"] = True
        return made, arrays

    def ask_usage(self) -> None:
        """Let the monitor say what has been used; `hear` takes the answer."""
        if not self.questions:
            self.questions += 1
            with contextlib.suppress(OSError):
                self.status.sendall(TELL_USAGE)

    def hear(self) -> Report:
        """The next report of the monitor, which has sent something.

        Raises
        ------
        ServerLost
        """
        self.status.settimeout(SECONDS_TO_END)
        while b"\n" not in self.unread:
            try:
                part = self.status.recv(65536)
            except OSError:
                part = b""
            if not part:
                raise ServerLost("the monitor of a child is gone")
            self.unread += part
        line, _, self.unread = self.unread.partition(b"\n")
        report: Report = json.loads(line)
        if "ended" in report and self.group and self.group.is_out_of_memory():
            report.pop("failed", None)  # it was the submission's memory, and not the machine's
        if "failed" in report:
            raise ServerLost(report["failed"])
        if "ended" in report:
            self.ended = report
        else:
            self.questions -= 1
        return report

    def has_report(self, seconds: float = 0.0) -> bool:
        """Whether the monitor has sent something, or does so within this time."""
        return b"\n" in self.unread or bool(select.select([self.status], [], [], seconds)[0])

    def _end(self, why: str) -> ChildEnded:
        """End the child for this reason; returns the error to raise."""
        ended = self.kill()
        # It can have passed another limit while the grader waited for it.
        return ended if ended is not None and ended.why in ("memory", "cpu") else ChildEnded(why)

    def _left(self) -> ChildEnded:
        """The error for a child that closed its connection: it has ended, or is made to."""
        until = time.monotonic() + 2.0
        while self.ended is None and self.has_report(max(0.0, until - time.monotonic())):
            self.hear()
        return self._ended() or self.kill() or ChildEnded("killed")

    def _ended(self) -> ChildEnded | None:
        if self.ended is None:
            return None
        return ChildEnded(self.ended["ended"], self.ended.get("code"))

    def kill(self) -> ChildEnded | None:
        """End the child and all that it started; returns the `ChildEnded` that it ended with."""
        with contextlib.suppress(OSError):
            self.status.sendall(KILL)
        with contextlib.suppress(ServerLost):
            while self.ended is None:
                self.hear()
        return self._ended()

    def close(self) -> Report | None:
        """Let it end, if it has not; returns the monitor's last report."""
        self.sock.settimeout(1.0)
        with contextlib.suppress(wire.Gone, OSError):
            wire.send(self.sock, {"do": "end", "number": 0})
        until = time.monotonic() + SECONDS_TO_LEAVE
        with contextlib.suppress(ServerLost):
            while self.ended is None and self.has_report(max(0.0, until - time.monotonic())):
                self.hear()
            if self.ended is None:
                self.kill()
        self.sock.close()
        self.status.close()
        if self.group:
            self.group.end()
        return self.ended


class _Watch:
    """Waits for a child within the time of one request."""

    def __init__(self, child: Child, seconds: float, grace: float) -> None:
        self.child, self.limit, self.grace = child, seconds, grace
        self.clock: Clock | None = None
        self.start = time.monotonic()
        self.wall_limit = self.start + child.wall_factor * seconds
        self.next_look = self.start + FIRST_LOOK
        self.is_interrupted = False

    def wait(self, to_send: bool = False) -> None:
        """Return when the child has sent something, or takes something.

        Raises
        ------
        TimeoutError
            If its time is over, and the grace after that, too.
        """
        child = self.child
        sockets = [child.status] if to_send else [child.sock, child.status]
        while True:
            left = max(0.0, self.next_look - time.monotonic())
            ready, free, _ = select.select(sockets, [child.sock] if to_send else [], [], left)
            if child.status in ready:
                self.look()
            if time.monotonic() >= self.next_look:
                self.next_look = time.monotonic() + LOOK
                child.ask_usage()
                self.check()
            if child.sock in ready or free:
                return

    def wait_to_send(self) -> None:
        """Return when the child takes something; see `wait`."""
        self.wait(to_send=True)

    def look(self) -> None:
        """Take in what the monitor says."""
        report = self.child.hear()
        if "usage" not in report:
            raise wire.Gone("the child has ended")
        usage = report["usage"]
        last, self.child.last = self.child.last, usage
        if self.clock is None:
            if usage["at"] < self.start:  # the answer to a question of the request before
                self.child.seconds += usage["cpu"] - last["cpu"]
                return
            # Of requests that were too short for a look, the processor time counts with this one.
            self.clock = Clock({**last, "at": self.start})
        self.clock.add(usage)
        self.check()
        until_limit = self.limit - self.clock.seconds
        if until_limit < LOOK:
            self.next_look = time.monotonic() + max(0.05, until_limit)

    def look_back(self) -> None:
        """Take in what a request that is answered has used, if it was long enough for a look."""
        if self.clock is None:
            return
        self.limit = self.wall_limit = float("inf")
        self.child.ask_usage()
        with contextlib.suppress(wire.Gone):  # it may have ended since
            while self.child.questions:
                self.look()

    def check(self) -> None:
        """Interrupt the child when its time is over, and raise when the grace is, too."""
        used = self.clock.seconds if self.clock is not None else 0.0
        is_late = time.monotonic() > self.wall_limit
        if used < self.limit and not is_late:
            return
        if self.clock is None or self.clock.is_contended:
            self.child.is_contended = True
        if self.is_interrupted:
            raise TimeoutError
        self.is_interrupted = True
        self.limit = used + self.grace
        self.wall_limit = time.monotonic() + self.child.wall_factor * self.grace
        with contextlib.suppress(OSError):
            self.child.status.sendall(INTERRUPT)

    def end(self) -> None:
        """Add what this request has taken."""
        if self.clock is not None:
            self.child.seconds += self.clock.seconds
