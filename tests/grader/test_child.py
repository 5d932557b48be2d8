"""The grader's side of a child: its time, its reports, why it ended; and of the server."""

import io
import json
import os
import platform
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.sandbox import child
from grader.sandbox.child import Child, ChildEnded, ServerLost
from grader.sandbox.client import Server
from grader.sandbox.inside import wire
from grader.sandbox.inside.child import describe
from grader.sandbox.inside.watch import INTERRUPT, KILL, TELL_USAGE


@pytest.fixture
def ends():
    """A child, and the other ends: the process's, and the monitor's."""
    ours, process = socket.socketpair()
    status, monitor = socket.socketpair()
    made = Child(ours, status, wall_factor=10.0)
    yield made, process, monitor
    for one in (ours, process, status, monitor):
        one.close()


def report(monitor, **fields):
    monitor.sendall(json.dumps(fields).encode() + b"\n")


USAGE = {"cpu": 1.0, "delay": 0.0, "at": 2.0}


# --- reports -------------------------------------------------------------------------------------


def test_usage_is_asked_for_once_until_it_is_told(ends):
    made, _, monitor = ends
    made.ask_usage()
    made.ask_usage()
    assert monitor.recv(100) == TELL_USAGE
    assert not made.has_report()
    report(monitor, usage=USAGE)
    assert made.has_report()
    assert made.hear() == {"usage": USAGE}
    made.ask_usage()
    assert monitor.recv(100) == TELL_USAGE
    assert made.ended is None


def test_of_reports_that_come_together_each_is_heard(ends):
    made, _, monitor = ends
    made.questions = 2
    report(monitor, usage=USAGE)
    report(monitor, ended="cpu", code=-9)
    assert made.hear() == {"usage": USAGE}
    assert (made.questions, made.ended) == (1, None)
    assert made.has_report()
    assert made.hear() == made.ended == {"ended": "cpu", "code": -9}
    assert made.questions == 1


def test_a_report_in_two_parts_is_one(ends):
    made, _, monitor = ends
    monitor.sendall(b'{"ended": "by')
    monitor.sendall(b' itself"}\n')
    assert made.hear() == {"ended": "by itself"}


@pytest.mark.parametrize(
    ("group", "fields", "lost"),
    [
        (None, {"failed": "no memory"}, "no memory"),
        (None, {"ended": "memory", "failed": "no memory"}, "no memory"),
        (False, {"ended": "memory", "failed": "no memory"}, "no memory"),
        (True, {"ended": "memory", "failed": "no memory"}, None),
        (True, {"failed": "no fork"}, "no fork"),
        (None, None, "the monitor of a child is gone"),
    ],
)
def test_what_is_not_the_student_s_doing(ends, group, fields, lost):
    made, _, monitor = ends
    if group is not None:
        made.group = SimpleNamespace(is_out_of_memory=lambda: group)
    if fields is None:
        monitor.close()
    else:
        report(monitor, **fields)
    if lost is None:
        assert made.hear() == {"ended": "memory"}
        return
    with pytest.raises(ServerLost) as caught:
        made.hear()
    assert str(caught.value) == lost


# --- answers -------------------------------------------------------------------------------------


def answer(process, reply, blobs=()):
    wire.send(process, reply, blobs)


def test_a_question_and_its_answer(ends):
    made, process, _ = ends
    answer(process, {"number": 1, "count": 3}, [b"ab"])
    assert made.ask({"do": "run"}, [b"x"]) == ({"number": 1, "count": 3}, [b"ab"])
    assert wire.receive(process) == ({"do": "run", "number": 1}, [b"x"])
    answer(process, {"number": 2})
    assert made.ask({"do": "keep"}) == ({"number": 2}, [])
    assert made.seconds == 0.0


@pytest.mark.parametrize(
    ("reply", "blobs", "ended", "why"),
    [
        ({"number": 2}, [], "killed", "nonsense"),
        ({}, [], "killed", "nonsense"),
        ([1], [], "killed", "nonsense"),
        ({"number": 1}, [b"x" * 11], "killed", "output"),
        # It can have passed another limit while the grader waited.
        ({"number": 2}, [], "memory", "memory"),
        ({"number": 1}, [b"x" * 11], "cpu", "cpu"),
        ({"number": 2}, [], "by itself", "nonsense"),
    ],
)
def test_an_answer_that_is_none_ends_the_child(ends, reply, blobs, ended, why):
    made, process, monitor = ends
    answer(process, reply, blobs)

    def hear(hear=made.hear):
        report(monitor, ended=ended, code=-9)
        return hear()

    made.hear = hear
    with pytest.raises(ChildEnded) as caught:
        made.ask({"do": "run"}, byte_limit=10)
    assert caught.value.why == why
    assert KILL in monitor.recv(100)


@pytest.mark.parametrize("why", ["by itself", "memory", "cpu"])
def test_a_child_that_ends_says_why(ends, why):
    made, process, monitor = ends
    report(monitor, ended=why, code=3)
    process.close()
    with pytest.raises(ChildEnded) as caught:
        made.ask({"do": "run"})
    assert (caught.value.why, caught.value.code) == (why, 3)
    assert str(caught.value) == f"{why} (exit code 3)"


def test_a_child_ends_when_it_is_told_to_and_its_group_with_it(ends):
    made, process, monitor = ends
    groups = []
    made.group = SimpleNamespace(is_out_of_memory=lambda: False, end=lambda: groups.append("end"))
    report(monitor, ended="by itself", code=0, cpu=2.0)
    assert made.close() == {"ended": "by itself", "code": 0, "cpu": 2.0}
    assert wire.receive(process)[0] == {"do": "end", "number": 0}
    assert monitor.recv(10) == b""  # nobody had to kill it
    assert groups == ["end"]


def test_a_child_that_ends_a_little_later_is_waited_for(ends, monkeypatch):
    made, _, monitor = ends
    monkeypatch.setattr(child, "SECONDS_TO_LEAVE", 20.0)  # whatever else this machine does
    later = threading.Timer(0.1, report, (monitor,), {"ended": "by itself", "code": 0})
    later.start()
    assert made.close()["ended"] == "by itself"
    later.join()
    assert monitor.recv(10) == b""  # nobody had to kill it


@pytest.mark.parametrize("is_close", [True, False])
def test_a_child_that_does_not_end_is_made_to(ends, monkeypatch, is_close):
    made, _, monitor = ends
    orders = []

    def watch():
        orders.append(monitor.recv(1))
        report(monitor, ended="killed", code=-9)

    monkeypatch.setattr(child, "SECONDS_TO_LEAVE", 0.05)
    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    if is_close:
        assert made.close() == {"ended": "killed", "code": -9}
    else:
        ended = made.kill()
        assert (ended.why, ended.code) == ("killed", -9)
    watching.join(10)
    assert orders == [KILL]


# --- time ----------------------------------------------------------------------------------------


class Life:
    """A child on a clock of its own that uses and waits for so much of each second.

    Its monitor answers at once; the child sends its own answer after ``seconds``, if at all.
    """

    def __init__(self, monkeypatch, ends, cpu, delay, seconds=1e9):
        self.now, self.cpu, self.delay, self.seconds = 1000.0, cpu, delay, seconds
        self.made, self.process, self.monitor = ends
        self.orders = {}
        monkeypatch.setattr(child, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(child, "select", SimpleNamespace(select=self.select))
        self.made.last = self.usage()
        self.made.hear = self.hear
        self.monitor.setblocking(False)
        self.end = self.now + seconds

    def usage(self):
        lived = self.now - 1000.0
        return {"cpu": self.cpu * lived, "delay": self.delay * lived, "at": self.now}

    def select(self, reading, writing, _, seconds):
        try:
            for order in self.monitor.recv(100):
                self.orders.setdefault(bytes([order]), self.now - 1000.0)
        except BlockingIOError:
            pass
        if writing:
            return [], writing, []
        if self.made.questions:
            return [self.made.status], [], []
        self.now = min(self.now + seconds, max(self.now, self.end))
        assert self.now < 2000, "it is waited for without end"
        return ([self.made.sock] if self.now >= self.end else []), [], []

    def hear(self):
        self.made.questions -= 1
        return {"usage": self.usage()}


@pytest.mark.parametrize(
    ("cpu", "delay", "until", "is_contended"),
    [
        (1.0, 0.0, 4.0, False),  # it works
        (0.0, 0.0, 4.0, False),  # it sleeps
        (4.0, 0.0, 1.0, False),  # in four threads
        (0.5, 0.5, 8.0, True),  # others take half of the processor
        (0.8, 0.2, 5.0, False),
        (0.01, 0.99, 40.0, True),  # ten times as long, and no longer
    ],
)
def test_a_request_has_its_time_and_then_its_grace(
    monkeypatch, ends, cpu, delay, until, is_contended
):
    life = Life(monkeypatch, ends, cpu, delay)
    watch = child._Watch(life.made, 4.0, 2.0)
    with pytest.raises(TimeoutError):
        watch.wait()
    assert watch.is_interrupted
    late = life.now - 1000.0 - 1.5 * until
    assert 0 <= late < 2 * child.LOOK + 0.1
    assert 0 <= life.orders[INTERRUPT] - until < child.LOOK + 0.1
    assert life.made.is_contended is is_contended
    watch.end()
    assert life.made.seconds == pytest.approx(6.0 if until < 40 else 0.6, rel=0.5)


def test_a_request_that_is_answered_after_its_interruption_was_interrupted(monkeypatch, ends):
    life = Life(monkeypatch, ends, 1.0, 0.0, seconds=5.0)
    answer(life.process, {"number": 1})
    reply, _ = life.made.ask({"do": "run"}, (), 4.0, 2.0)
    assert reply == {"number": 1, "interrupted": True}
    assert life.made.seconds == pytest.approx(5.0)
    assert life.made.questions == 0


@pytest.mark.parametrize(("lasting", "seconds"), [(3.0, 3.0), (0.1, 0.0)])
def test_only_a_request_that_was_long_enough_for_a_look_is_counted_at_once(
    monkeypatch, ends, lasting, seconds
):
    life = Life(monkeypatch, ends, 1.0, 0.0, seconds=lasting)
    answer(life.process, {"number": 1})
    assert life.made.ask({"do": "run"}, (), 4.0, 2.0)[0] == {"number": 1}
    assert life.made.seconds == pytest.approx(seconds)
    # What short ones have used is counted with the next that is looked at.
    life.end = life.now + 2.0
    answer(life.process, {"number": 2})
    life.made.ask({"do": "run"}, (), 4.0, 2.0)
    assert life.made.seconds == pytest.approx(lasting + 2.0)


# --- the server, as the grader sees it -----------------------------------------------------------


@pytest.fixture
def connected():
    """A server without a process, and the other end of what it is told."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made = Server.__new__(Server)
    made.control, made.is_ready, made.groups = ours, False, None
    made.process = made.folder = None
    theirs.settimeout(10)
    with ours, theirs:
        yield made, theirs


def told(end, number):
    """A message, and as many connections as come along."""
    data, fds, _, _ = socket.recv_fds(end, 65536, number + 1)
    assert len(fds) == number
    return json.loads(data), [socket.socket(fileno=fd) for fd in fds]


def open_files():
    return len(os.listdir("/proc/self/fd"))


def test_a_server_is_ready_if_it_is_of_the_same_python(connected):
    server, theirs = connected
    theirs.sendall(json.dumps({"ready": platform.python_version()}).encode())
    server.wait()
    assert server.is_ready


@pytest.mark.parametrize("answer", [b'{"ready": "3.0.1"}', b"{}", b""])
def test_a_server_of_another_kind_is_lost_and_closed(connected, answer):
    server, theirs = connected
    if answer:
        theirs.sendall(answer)
    else:
        theirs.close()
    with pytest.raises(ServerLost, match="the server did not start: ") as caught:
        server.wait()
    assert answer.decode() in str(caught.value)
    assert not server.is_ready
    assert server.control.fileno() == -1


def test_a_server_that_did_not_start_is_ended_and_says_why(connected):
    server, theirs = connected
    theirs.close()
    ended = []
    server.process = SimpleNamespace(
        stderr=io.BytesIO(b"x" * 3000 + b"no bwrap"), wait=lambda *seconds: None
    )
    server._kill = ended.append
    with pytest.raises(ServerLost) as caught:
        server.wait()
    assert "xno bwrap" in str(caught.value)
    assert len(str(caught.value)) < 2100
    assert ended[0] is server.process


def test_another_server_is_asked_of_the_first_with_a_connection_of_its_own(connected, monkeypatch):
    first, theirs = connected
    monkeypatch.setattr(Server, "wait", lambda server: None)
    made = Server.forked(first.control, ("a", "b"), ("c",), Path("groups"))
    asked, (end,) = told(theirs, 1)
    with end, made.control:
        assert asked == {"fork": ["c"]}
        assert (made.modules, made.is_ready, made.groups) == (
            ("a", "b", "c"),
            False,
            Path("groups"),
        )
        made.control.sendall(b"hello")
        assert end.recv(10) == b"hello"
    theirs.close()
    before = open_files()
    with pytest.raises(ServerLost):
        Server.forked(first.control, ("a",))
    assert open_files() == before


@pytest.mark.parametrize("in_group", [False, True])
def test_a_child_is_asked_for_with_its_rules_and_connections(connected, in_group, tmp_path):
    server, theirs = connected
    closed = []
    group = SimpleNamespace(
        entrance=os.open(tmp_path, os.O_RDONLY), close_entrance=lambda: closed.append(True)
    )
    server.group = lambda rules: group if in_group else None
    child = server.child({"wall_factor": 7.0, "rest": 1})
    data, fds, _, _ = socket.recv_fds(theirs, 65536, 4)
    assert json.loads(data) == {"wall_factor": 7.0, "rest": 1}
    assert (len(fds), closed) == ((3, [True]) if in_group else (2, []))
    assert (child.wall_factor, child.group) == (7.0, group if in_group else None)
    process, monitor = (socket.socket(fileno=fd) for fd in fds[:2])
    with process, monitor, child.sock, child.status:
        process.sendall(b"p")
        monitor.sendall(b"m")
        assert (child.sock.recv(1), child.status.recv(1)) == (b"p", b"m")
    for fd in (group.entrance, *fds[2:]):
        os.close(fd)
    theirs.close()
    before = open_files()
    with pytest.raises(ServerLost):
        server.child({"wall_factor": 7.0})
    assert open_files() == before


# --- what the process tells of an error ----------------------------------------------------------


def test_the_line_of_an_error_is_the_innermost_of_the_student_s(tmp_path):
    """Of the frames in the notebook's cells the last one; the course's and Python's are not it."""
    code = """
def helper(text):
    return json.loads(text)

def f(text):
    return helper(text) + 1
"""
    space = {"json": json}
    exec(compile(code, str(tmp_path / "<ipython-input-1>"), "exec"), space)
    with pytest.raises(json.JSONDecodeError) as caught:
        space["f"]("three")  # json's own frames lie further in
    found = describe(caught.value)
    assert found["at"] == ("helper", 3)
    assert found["types"][:2] == ["JSONDecodeError", "ValueError"]
    with pytest.raises(TypeError) as caught:
        space["f"]("[]")
    assert describe(caught.value)["at"] == ("f", 6)
