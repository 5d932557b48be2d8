"""How a child is locked in: which limits, namespaces and folders it gets, and what each rule is.

Nothing here is locked in: the kernel's calls are noted. What they lead to is seen in the attacks.
"""

import io
import os
import resource
from types import SimpleNamespace

import pytest

from grader.judging.policy import Policy
from grader.sandbox.inside import jail

MIB = 2**20


def rules(*disabled):
    policy = Policy(
        cpu_seconds=7,
        processes=8,
        open_files=9,
        file_bytes=10,
        memory_bytes=100 * MIB,
        scratch_bytes=12,
        disabled_rules=disabled,
    )
    return policy.to_dict()


@pytest.fixture
def written(monkeypatch):
    """What is written into files of the kernel, in order; of those for time there is none."""
    found = []

    class Note(io.StringIO):
        def __init__(self, path, mode):
            if "time" in path:
                raise FileNotFoundError(path)
            assert mode == "w"
            self.path = path
            super().__init__()

        def close(self):
            if not self.closed:
                found.append((self.path, self.getvalue()))
            super().close()

    monkeypatch.setattr(jail, "open", Note, raising=False)
    return found


@pytest.fixture
def limits(monkeypatch, written):
    """The limits that are set, by their names; of open files there are 5 at most already."""
    found = {}
    names = {name: getattr(resource, name) for name in dir(resource) if name.startswith("RLIM")}
    # OFILE is another name of NOFILE's.
    by_number = {names[f"RLIMIT_{name}"]: name for name in ALL}

    def get(which):
        return 3, 5 if which == resource.RLIMIT_NOFILE else resource.RLIM_INFINITY

    def put(which, value):
        found[by_number[which]] = value

    fake = SimpleNamespace(getrlimit=get, setrlimit=put, **names)
    monkeypatch.setattr(jail, "resource", fake)
    used = {"VmData": 1 * MIB, "VmSize": 3 * MIB}
    monkeypatch.setattr(jail, "sizes", lambda path, names: {name: used[name] for name in names})
    return found


ALL = {
    "CORE": (1, 1),
    "CPU": (7, 7),
    "NPROC": (8, 8),
    "NOFILE": (5, 5),
    "FSIZE": (10, 10),
    "DATA": (101 * MIB, 101 * MIB),
    "AS": (203 * MIB, 203 * MIB),
}


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        (None, ""),
        ("cpu", "CPU"),
        ("processes", "NPROC"),
        ("open files", "NOFILE"),
        ("file size", "FSIZE"),
        ("memory", "DATA AS"),
        ("memory watch", ""),
    ],
)
def test_each_limit_is_one_rule_s_and_the_others_stay(limits, written, rule, missing):
    jail.set_limits(rules(*[rule] if rule else []))
    assert limits == {name: value for name, value in ALL.items() if name not in missing.split()}
    assert written == [("/proc/self/oom_score_adj", "1000")]


@pytest.fixture
def called(monkeypatch):
    """The calls of the kernel, in order: (name, *arguments)."""
    found = []

    class Library:
        def __getattr__(self, name):
            def call(*arguments):
                plain = [getattr(argument, "value", argument) for argument in arguments]
                found.append((name, *plain))
                return 0

            return call

    monkeypatch.setattr(jail, "_libc", Library())
    return found


NAMESPACES = {
    "network": jail.NEW_NET,
    "private processes": jail.NEW_PIDS,
    "private ipc": jail.NEW_IPC,
}


@pytest.mark.parametrize("rule", [None, *NAMESPACES])
def test_a_child_leaves_each_namespace_unless_the_rule_is_off(called, written, rule):
    jail.own_namespaces(rules(*[rule] if rule else []))
    kinds = {jail.NEW_USER, jail.NEW_UTS, *NAMESPACES.values()} - {NAMESPACES.get(rule)}
    assert called == [("unshare", sum(kinds))]
    # Groups first: without that the kernel takes no map of them.
    assert written == [
        ("/proc/self/setgroups", "deny"),
        ("/proc/self/uid_map", f"{os.getuid()} {os.getuid()} 1"),
        ("/proc/self/gid_map", f"{os.getgid()} {os.getgid()} 1"),
    ]


SIZE = "mode=0700,size=12,nr_inodes=10000"


@pytest.mark.parametrize(
    ("disabled", "folders", "options"),
    [
        ((), ("/tmp", "/scratch", "/dev/shm", "/proc"), SIZE),
        (("scratch size",), ("/tmp", "/scratch", "/dev/shm", "/proc"), "mode=0700"),
        (("private files",), ("/proc",), SIZE),
        (("private processes",), ("/tmp", "/scratch", "/dev/shm"), SIZE),
    ],
)
def test_a_child_has_folders_of_its_own(called, disabled, folders, options):
    jail.private_files(rules(*disabled))
    safe = jail.NO_SUID | jail.NO_DEVICES
    assert called[0] == ("unshare", jail.NEW_MOUNTS)
    # From here on no mount is seen outside.
    assert called[1] == ("mount", b"none", b"/", None, jail.PRIVATE | jail.RECURSIVE, None)
    assert called[2:] == [
        ("mount", b"proc", b"/proc", b"proc", safe | jail.NO_EXEC, b"")
        if folder == "/proc"
        else ("mount", b"tmpfs", folder.encode(), b"tmpfs", safe, options.encode())
        for folder in folders
    ]


def test_no_kind_of_namespace_can_be_made_any_more(written):
    jail.no_more_namespaces()
    kinds = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")  # some kernels have no "time"
    assert written == [(f"/proc/sys/user/max_{kind}_namespaces", "0") for kind in kinds]


def test_a_call_that_fails_says_which(monkeypatch):
    def unshare(kinds):
        return -1

    monkeypatch.setattr(jail.ctypes, "get_errno", lambda: 1)
    with pytest.raises(PermissionError, match="unshare: Operation not permitted"):
        jail._call(unshare, 3)


def test_every_right_is_given_up(monkeypatch):
    dropped, given = [], []

    def prctl(what, number, *rest):
        dropped.append((what, number))
        return -1 if number == 41 else 0

    def capset(head, data):
        given.append((head._obj.version, head._obj.pid, bytes(data._obj)))
        return 0

    monkeypatch.setattr(jail, "_libc", SimpleNamespace(prctl=prctl, capset=capset))
    jail.drop_capabilities()
    assert dropped == [(jail.DROP_BOUND, number) for number in range(42)]
    assert given == [(jail.CAPABILITY_VERSION, 0, bytes(24))]


STEPS = [
    *("die_with_parent", "private_files", "no_more_namespaces", "set_limits"),
    *("drop_capabilities", "prctl", "close_all_but", "setsid", "chdir /scratch", "calls"),
]


@pytest.fixture
def steps(monkeypatch):
    found = []

    def note(name):
        return lambda *given: found.append(name)

    for name in STEPS:
        if hasattr(jail, name) and name != "calls":
            monkeypatch.setattr(jail, name, note(name))
    monkeypatch.setattr(jail, "_libc", SimpleNamespace(prctl=note("prctl")))
    monkeypatch.setattr(jail.calls, "install", note("calls"))
    monkeypatch.setattr(jail.os, "setsid", note("setsid"))
    monkeypatch.setattr(jail.os, "chdir", lambda folder: found.append(f"chdir {folder}"))
    return found


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        *((None, None), ("namespaces", "no_more_namespaces"), ("system calls", "calls")),
        *(("capabilities", "drop_capabilities"), ("memory", None)),
    ],
)
def test_a_child_is_locked_in_step_by_step(steps, rule, missing):
    """Folders as long as it has the right to make them; the filter of system calls at the end."""
    jail.lock_in(rules(*[rule] if rule else []), {7})
    assert steps == [step for step in STEPS if step != missing]


def test_without_a_sandbox_there_are_limits_but_none_of_what_the_user_runs_besides(
    limits, monkeypatch
):
    done = []
    for name in ("die_with_parent", "close_all_but"):
        monkeypatch.setattr(jail, name, lambda *given, name=name: done.append((name, *given)))
    monkeypatch.setattr(jail.os, "setsid", lambda: done.append(("setsid",)))
    monkeypatch.setattr(jail.os, "chdir", lambda folder: done.append(("chdir", folder)))
    jail.only_limit(rules("cpu"), {7}, "folder")
    assert sorted(limits) == ["AS", "CORE", "DATA", "FSIZE", "NOFILE"]
    assert done == [("die_with_parent",), ("close_all_but", {7}), ("setsid",), ("chdir", "folder")]


def test_of_all_that_is_open_only_what_is_needed_stays():
    reading, writing = os.pipe()
    other = os.open(os.devnull, os.O_RDONLY)
    pid = os.fork()
    if pid == 0:
        try:
            jail.close_all_but({writing})
            found = sorted(map(int, os.listdir("/proc/self/fd")))
            nothing = [os.path.samefile(f"/proc/self/fd/{n}", os.devnull) for n in range(3)]
            os.write(writing, f"{found[:5]} {all(nothing)}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    said = os.read(reading, 1000).decode()
    os.close(reading)
    os.close(other)
    kept, _, is_nothing = said.rpartition(" ")
    assert is_nothing == "True"
    assert kept.startswith("[0, 1, 2, ")
    assert f", {writing}" in kept
    assert str(other) not in kept.strip("[]").split(", ")
