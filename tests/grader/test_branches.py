"""Copies of a process, and the start of a child: forks of this process, without a sandbox."""

import json
import os
import platform
import signal
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.sandbox.inside import branches as module
from grader.sandbox.inside import controls, server, shell, watch
from grader.sandbox.inside.branches import CODE_OF_LOSS, Branches, Copy


@pytest.fixture(autouse=True)
def in_time():
    """Who waits for a process that says nothing would wait for ever: here for half a minute."""

    def over(number, frame):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


# --- copies --------------------------------------------------------------------------------------


@pytest.fixture
def line():
    """Where copies write what they do: a pipe, and what reads all that is in it."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def said():
        try:
            return os.read(reading, 1000).decode()
        except BlockingIOError:
            return ""

    yield writing, said
    os.close(reading)
    os.close(writing)


def exit_code(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def keeper(writing, *orders):
    """Branches, and what a copy does when it is asked: an order each time."""
    made, left = Branches(), list(orders)

    def serve_one():
        order = left.pop(0)
        os.write(writing, order[0].encode())
        if order == "end":
            return False
        if order == "die":
            os._exit(3)
        if order in ("wait", "done"):
            made.leave(is_needed=order == "wait")
        made.follow()
        return True

    return made, serve_one


def test_a_copy_answers_until_it_is_left_and_ends(line):
    writing, said = line
    made, serve_one = keeper(writing, "answer", "answer", "done")
    assert made.keep(serve_one) == 0
    made.follow()
    assert said() == ""  # a copy waits for its turn
    made.enter(0)
    assert made.active is None  # not before the answer to this has been sent
    made.follow()
    assert said() == "aad"
    assert (made.active, made.entered) == (None, None)
    with pytest.raises(ChildProcessError):  # nobody needs to wait for it any more
        os.waitpid(made.copies[0].pid, os.WNOHANG)


def test_a_copy_that_is_needed_again_goes_on_where_it_was(line):
    writing, said = line
    made, serve_one = keeper(writing, "wait", "answer", "wait", "done")
    made.keep(serve_one)
    for told in ("w", "aw", "d"):
        made.enter(0)
        made.follow()
        assert said() == told


def test_each_copy_has_a_number_and_none_of_the_others(line):
    writing, said = line
    one, serve_one = keeper(writing, "done")
    assert [one.keep(serve_one), one.keep(lambda: os.write(writing, b"2") and serve_one())] == [
        0,
        1,
    ]
    one.enter(1)
    one.follow()
    assert said() == "2d"
    one.enter(0)
    one.follow()
    assert said() == "d"


def test_a_copy_computes_in_one_thread_if_torch_is_there(line, monkeypatch):
    """The threads of a pool are not copied: it would wait for them."""
    writing, said = line
    torch = SimpleNamespace(set_num_threads=lambda number: os.write(writing, f"t{number}".encode()))
    monkeypatch.setitem(module.sys.modules, "torch", torch)
    made, serve_one = keeper(writing, "done")
    made.keep(serve_one)
    made.enter(0)
    made.follow()
    assert said() == "t1d"


@pytest.mark.parametrize("order", ["end", "die"])
def test_the_original_of_a_copy_that_is_lost_ends_too(line, order):
    """Whoever waits for its answer would wait for ever."""
    writing, said = line
    pid = os.fork()
    if pid == 0:
        made, serve_one = keeper(writing, order)
        made.keep(serve_one)
        made.enter(0)
        made.follow()
        os._exit(0)
    assert exit_code(pid) == CODE_OF_LOSS
    assert said() == order[0]


def test_a_copy_whose_original_has_ended_ends(line):
    writing, said = line
    made, serve_one = keeper(writing, "wait")
    made.keep(serve_one)
    (copy,) = made.copies
    copy.line.close()
    assert exit_code(copy.pid) == CODE_OF_LOSS
    assert said() == ""


@pytest.mark.parametrize("missing", ["socketpair", "fork"])
def test_where_there_can_be_no_copy_there_is_none(monkeypatch, missing):
    made, before = Branches(), len(os.listdir("/proc/self/fd"))

    def none(*given):
        raise OSError

    monkeypatch.setattr(module.socket if missing == "socketpair" else module.os, missing, none)
    assert made.keep(lambda: False) is None
    assert made.copies == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_interruption_is_for_the_copy_that_answers(monkeypatch):
    made, sent = Branches(), []
    monkeypatch.setattr(module.os, "kill", lambda *how: sent.append(how))
    assert made.interrupt() is False
    made.active = Copy(11, None)
    assert made.interrupt() is True
    assert sent == [(11, signal.SIGINT)]

    def gone(*how):
        raise ProcessLookupError

    monkeypatch.setattr(module.os, "kill", gone)
    assert made.interrupt() is True


# --- a child is started --------------------------------------------------------------------------


class Jail:
    """Notes into a file how a child was to be locked in."""

    def __init__(self, path, error=None):
        self.path, self.error = path, error

    def own_namespaces(self, rules):
        self.path.write_text("own ")

    def lock_in(self, rules, kept, *folder):
        if self.error:
            raise self.error
        kind = "folder" if folder and Path(folder[0]).is_dir() else "locked"
        with self.path.open("a") as file:
            file.write(f"{kind} {len(kept)} {folder[0] if folder else ''}")

    only_limit = lock_in


def started(tmp_path, jail, *, locked=True, group=(), serve=lambda: None):
    """What a monitor gives back, what the grader is told, and how the child has ended."""
    theirs, ours = socket.socketpair()
    to_grader, status = socket.socketpair()
    watched = []

    def watch_it(pid, status, rules):
        watched.append((exit_code(pid), rules["locked"]))

    child = SimpleNamespace(Child=lambda sock, *warm: SimpleNamespace(serve=serve))
    fake_watch = SimpleNamespace(watch=watch_it, tell=watch.tell)
    fds = [theirs.detach(), to_grader.detach(), *group]
    with ours, status:
        code = server.monitor({"locked": locked}, fds, (1, 2), jail, child, fake_watch)
        told = [json.loads(line) for line in status.makefile()]
    return code, told, watched


@pytest.mark.parametrize("locked", [True, False])
def test_a_child_is_locked_in_before_it_serves_and_then_watched(tmp_path, locked):
    path, served = tmp_path / "jail", tmp_path / "served"
    code, told, watched = started(
        tmp_path, Jail(path), locked=locked, serve=lambda: served.write_text(path.read_text())
    )
    assert (code, told, watched) == (0, [], [(0, locked)])
    said = served.read_text()
    if locked:
        assert said == "own locked 2 "
    else:
        assert said.startswith("folder 2 ")
        assert not Path(said.split()[2]).exists()  # it goes with the child


def test_a_child_that_fails_while_it_serves_ends_with_a_code(tmp_path):
    def fail():
        raise SystemExit

    code, _, watched = started(tmp_path, Jail(tmp_path / "jail"), serve=fail)
    assert (code, watched) == (0, [(server.CODE_OF_LOOP, True)])


def test_what_goes_wrong_before_a_student_s_code_has_run_is_told(tmp_path):
    error = PermissionError(1, "mount: Operation not permitted")
    code, told, watched = started(tmp_path, Jail(tmp_path / "jail", error))
    assert (code, told, watched) == (1, [{"failed": repr(error)}], [])
    code, told, watched = started(tmp_path, Jail(tmp_path / "jail", OSError("x" * 900)))
    assert told == [{"failed": repr(OSError("x" * 900))[:500]}]

    class NoNamespaces(Jail):
        def own_namespaces(self, rules):
            raise OSError(28, "unshare: No space left on device")

    code, told, watched = started(tmp_path, NoNamespaces(tmp_path / "jail"))
    assert (code, told[0]["failed"], watched) == (
        1,
        "[Errno 28] unshare: No space left on device",
        [],
    )


def test_a_child_that_ends_without_a_word_was_not_started(tmp_path):
    class Ending(Jail):
        def lock_in(self, *given):
            os._exit(5)

    assert started(tmp_path, Ending(tmp_path / "jail"))[:2] == (
        1,
        [{"failed": "no child started"}],
    )


def test_a_child_enters_its_control_group_first(tmp_path):
    path = tmp_path / "cgroup.procs"
    group = [os.open(path, os.O_WRONLY | os.O_CREAT)]
    seen = tmp_path / "seen"

    class Late(Jail):
        def lock_in(self, *given):
            seen.write_text(path.read_text())

    assert started(tmp_path, Late(tmp_path / "jail"), group=group)[0] == 0
    assert seen.read_text() == "0"  # itself
    server.enter([group[0]])  # it is closed by now, and that is no error


# --- the server ----------------------------------------------------------------------------------


class Ended(BaseException):
    """In place of the end of this process."""


@pytest.fixture
def serving(monkeypatch):
    """Lets this process be the server; gives the grader's end, and what is done in order."""
    done = []

    def note(name, gives=None):
        return lambda *given: done.append(" ".join([name, *map(str, given)])) or gives

    def end(code):
        raise Ended(code)

    for owner, name, gives in (
        *((server, "warm_up", None), (server, "let_processes_be_forks", None)),
        *((shell, "make_shell", "shell"), (shell, "warm_figures", None)),
        *((shell, "warm_errors", None), (controls, "Controls", "controls")),
        (server, "make_forks_cheap", None),
    ):
        monkeypatch.setattr(owner, name, note(name, gives))
    monkeypatch.setattr(server.os, "_exit", end)
    monkeypatch.setattr(server.os, "waitpid", lambda *how: (0, 0))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    monkeypatch.setattr(server.sys, "argv", ["server", str(theirs.detach())])
    ours.sendall(json.dumps({"modules": ["a", "b"]}).encode())
    ours.settimeout(10)
    with ours:
        yield ours, done


PREPARED = [
    *("warm_up ['a', 'b']", "let_processes_be_forks", "make_shell", "warm_figures shell"),
    *("warm_errors shell", "Controls shell", "make_forks_cheap"),
]
READY = {"ready": platform.python_version()}


def test_all_is_prepared_before_the_server_is_ready_and_it_ends_with_the_grader(serving):
    ours, done = serving
    ours.shutdown(socket.SHUT_WR)
    with pytest.raises(Ended, match="0"):
        server.main()
    assert done == PREPARED
    assert json.loads(ours.recv(1000)) == READY


def test_for_each_job_a_monitor_is_forked_that_ends_with_its_code(serving, monkeypatch):
    ours, _ = serving
    given = []
    monkeypatch.setattr(server.os, "fork", lambda: 0)
    monkeypatch.setattr(server, "monitor", lambda *how: given.append(how) or 5)
    with ours.dup() as other:
        socket.send_fds(ours, [json.dumps({"locked": True}).encode()], [other.fileno()])
        with pytest.raises(Ended, match="5"):
            server.main()
    ((rules, fds, warm, *modules),) = given
    assert (rules, len(fds), warm) == ({"locked": True}, 1, ("shell", "controls"))
    assert [module.__name__.rpartition(".")[2] for module in modules] == ["jail", "child", "watch"]
    os.close(fds[0])


def test_the_server_itself_goes_on_and_keeps_nothing_open(serving, monkeypatch):
    ours, _ = serving
    waited = iter([(7, 0), (8, 0), (0, 0)])
    monkeypatch.setattr(server.os, "waitpid", lambda *how: next(waited))
    monkeypatch.setattr(server.os, "fork", lambda: 99)
    end, other = socket.socketpair()
    with end:
        with other:
            socket.send_fds(ours, [b"{}"], [other.fileno()])
        ours.shutdown(socket.SHUT_WR)
        with pytest.raises(Ended, match="0"):
            server.main()
        assert end.recv(1) == b""  # nobody has the other end any more
    assert next(waited, None) is None  # all monitors that have ended were waited for


@pytest.mark.parametrize("more", [["c"], []])
def test_a_forked_server_imports_more_and_speaks_on_its_own_connection(serving, monkeypatch, more):
    ours, done = serving
    monkeypatch.setattr(server.os, "fork", lambda: 0)
    own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with own:
        with theirs:
            socket.send_fds(ours, [json.dumps({"fork": more}).encode()], [theirs.fileno()])
        own.shutdown(socket.SHUT_WR)
        with pytest.raises(Ended, match="0"):
            server.main()
        assert json.loads(own.recv(1000)) == READY
    assert done == [*PREPARED, *(["warm_up ['c']", "make_forks_cheap"] if more else [])]
    assert json.loads(ours.recv(1000)) == READY
    assert ours.recv(1000) == b""  # it has left the first server's connection


# --- what is imported beforehand -----------------------------------------------------------------


def test_what_cannot_be_imported_holds_up_nothing(monkeypatch):
    imported = []

    def take(name):
        imported.append(name)
        if name == "a":
            raise ImportError

    monkeypatch.setattr(server.importlib, "import_module", take)
    monkeypatch.setitem(server.sys.modules, "torch", None)
    server.warm_up(["a", "b"])
    assert imported == ["a", "b"]


def test_memory_is_gathered_in_whole_huge_pages_of_what_can_be_written(monkeypatch):
    huge = 2 * 2**20
    lines = [
        f"{huge - 1:x}-{3 * huge + 1:x} rw-p 0 00:00 0",  # two whole ones
        f"{5 * huge:x}-{6 * huge:x} rw-p 0 00:00 0 [heap]",
        f"{5 * huge + 1:x}-{7 * huge - 1:x} rw-p 0 00:00 0 [heap]",  # none is whole
        f"{8 * huge:x}-{9 * huge:x} r--p 0 00:00 0 [vvar]",
        f"{10 * huge:x}-{11 * huge:x} rw-p 0 00:00 0 /usr/lib/libc.so",
        f"{12 * huge:x}-{13 * huge:x} rw-p 0 00:00 0 [stack]",
    ]
    asked = []
    library = SimpleNamespace(madvise=lambda *how: asked.append(how))
    monkeypatch.setattr(server.ctypes, "CDLL", lambda name: library)
    monkeypatch.setattr(server.gc, "freeze", lambda: asked.append("frozen"))

    class Maps(list):
        def __enter__(self):
            return self

        def __exit__(self, *how): ...

    monkeypatch.setattr(server, "open", lambda path: Maps(lines), raising=False)
    server.make_forks_cheap()
    assert asked == [
        "frozen",
        (huge, 2 * huge, server.MADV_COLLAPSE),
        (5 * huge, huge, server.MADV_COLLAPSE),
    ]
