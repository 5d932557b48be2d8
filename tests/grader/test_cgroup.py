"""Control groups for submissions, in a folder that stands for the kernel's."""

import os
import shutil
import subprocess
from pathlib import Path
from socket import socketpair

import pytest

from grader.judging.policy import Policy
from grader.sandbox import cgroup
from grader.sandbox.child import Child, ServerLost
from grader.sandbox.client import Server
from grader.sandbox.inside import server, watch

FILES = {
    "cgroup.controllers": "cpuset cpu io memory pids",
    "cgroup.subtree_control": "",
    "cgroup.kill": "",
    "memory.events": "low 0\noom 3\noom_kill 0\n",
}


def made(folder, processes=(), **files):
    """A control group: the kernel puts its files into each new folder."""
    os.makedirs(folder, exist_ok=True)
    texts = {**FILES, "cgroup.procs": "\n".join(map(str, processes)), **files}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """The root of the control groups, in which this process is in the group "ours"."""
    mkdir_alone = Path.mkdir

    def mkdir(self, *more, **options):
        mkdir_alone(self, *more, **options)
        if self.is_relative_to(tmp_path):
            made(self)

    made(tmp_path / "ours", [os.getpid()])
    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "rmdir", lambda self: shutil.rmtree(self))
    monkeypatch.setattr(cgroup, "own_group", lambda mount: mount / "ours")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    return tmp_path


def test_the_grader_moves_below_its_group_and_leaves_nothing_behind(kernel):
    with cgroup.divided(kernel) as folder:
        own = folder / "grader"
        assert folder == kernel / "ours"
        assert (own / "cgroup.procs").read_text() == str(os.getpid())
        assert "+" in (folder / "cgroup.subtree_control").read_text()
    assert [path for path in folder.iterdir() if path.is_dir()] == []
    assert (folder / "cgroup.procs").read_text() == str(os.getpid())
    assert "-" in (folder / "cgroup.subtree_control").read_text()


@pytest.mark.parametrize(
    "what",
    [
        {"processes": [1, os.getpid()]},
        {"processes": [os.getpid()], "cgroup.controllers": "memory pids"},
    ],
    ids=["others run in it", "no processor"],
)
def test_a_group_that_cannot_be_divided_is_left_alone(kernel, what):
    made(kernel / "ours", **what)
    with cgroup.divided(kernel) as folder:
        assert folder is None
    assert not (kernel / "ours" / "grader").exists()


def test_a_system_without_control_groups_has_none(kernel):
    shutil.rmtree(kernel / "ours")
    with cgroup.divided(kernel) as folder:
        assert folder is None


def test_a_group_that_refuses_its_processor_is_as_it_was(kernel, monkeypatch):
    write = Path.write_text

    def refuse(self, text, *more, **options):
        if self.name == "cgroup.subtree_control" and text == "+cpu":
            raise OSError("Device or resource busy")
        return write(self, text, *more, **options)

    monkeypatch.setattr(Path, "write_text", refuse)
    with cgroup.divided(kernel) as folder:
        assert folder is None
    assert (kernel / "ours" / "cgroup.procs").read_text() == str(os.getpid())
    assert not (kernel / "ours" / "grader").exists()


def test_systemd_is_asked_for_a_scope(kernel, monkeypatch):
    asked = []

    def run(command, **options):
        asked.append(command)
        scope = f"course-grade-{os.getpid()}.scope"
        monkeypatch.setattr(cgroup, "own_group", lambda mount: made(mount / scope, [os.getpid()]))
        return subprocess.CompletedProcess(command, 0)

    made(kernel / "ours", [1, os.getpid()])
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", run)
    with cgroup.divided(kernel) as folder:
        assert folder.name == f"course-grade-{os.getpid()}.scope"
    assert asked[0][-8:-4] == ["Delegate", "b", "true", "PIDs"]
    assert asked[0][-3:] == ["1", str(os.getpid()), "0"]


def test_what_systemd_refuses_is_no_error(kernel, monkeypatch):
    made(kernel / "ours", [1, os.getpid()])
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    refused = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(subprocess, "run", lambda command, **options: refused)
    with cgroup.divided(kernel) as folder:
        assert folder is None


def test_what_a_killed_grader_has_left_is_ended_and_removed(kernel):
    killed = []
    left = made(kernel / "ours" / "submission-7-0", [123])
    write = Path.write_text
    with pytest.MonkeyPatch.context() as patch:

        def note(self, text, *more, **options):
            if self.name == "cgroup.kill" and text == "1":
                killed.append(self.parent.name)
            return write(self, text, *more, **options)

        patch.setattr(Path, "write_text", note)
        with cgroup.divided(kernel):
            assert not left.exists()
    assert killed == ["submission-7-0"]


def test_a_submission_has_a_group_with_its_limits_and_equal_weight(kernel):
    rules = Policy().to_dict()
    group = cgroup.Group(kernel / "submission-1-0", rules)
    group.close_entrance()
    assert (group.path / "pids.max").read_text() == str(rules["processes"])
    memory = int((group.path / "memory.max").read_text())
    assert rules["memory_bytes"] < memory < 2 * rules["memory_bytes"]
    assert (group.path / "memory.oom.group").read_text() == "1"
    assert not (group.path / "cpu.weight").exists()  # the kernel's own, the same for all
    group.end()
    assert not group.path.exists()


@pytest.mark.parametrize(
    ("disabled", "missing"),
    [
        ((), ()),
        (("processes",), ("pids.max",)),
        (("memory",), ("memory.max", "memory.swap.max", "memory.oom.group")),
        (("memory watch",), ("memory.max", "memory.swap.max", "memory.oom.group")),
    ],
)
def test_each_limit_of_a_group_is_one_rule_s(kernel, disabled, missing):
    """Files in the three folders lie in memory, and a gibibyte is what is imported already."""
    mib = 2**20
    policy = Policy(
        memory_bytes=100 * mib, scratch_bytes=5 * mib, processes=7, disabled_rules=disabled
    )
    group = cgroup.Group(kernel / "submission-1-0", policy.to_dict())
    group.close_entrance()
    wanted = {
        "pids.max": "7",
        "memory.max": str((100 + 3 * 5 + 1024) * mib),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
    }
    found = {name: group.path / name for name in wanted}
    assert {name: path.read_text() for name, path in found.items() if path.exists()} == {
        name: text for name, text in wanted.items() if name not in missing
    }


@pytest.mark.parametrize(("uid", "whose"), [(0, "--system"), (1000, "--user")])
def test_the_call_of_systemd_is_what_its_manual_says(kernel, monkeypatch, uid, whose):
    """org.freedesktop.systemd1(5): StartTransientUnit(name, mode, properties, no others)."""
    asked = []
    refused = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(
        subprocess, "run", lambda command, **options: asked.append(command) or refused
    )
    assert cgroup.scope_of_systemd(kernel) is None
    assert [" ".join(command) for command in asked] == [
        f"/usr/bin/busctl {whose} call org.freedesktop.systemd1 /org/freedesktop/systemd1 "
        "org.freedesktop.systemd1.Manager StartTransientUnit ssa(sv)a(sa(sv)) "
        f"course-grade-{os.getpid()}.scope fail "
        f"2 Delegate b true PIDs au 1 {os.getpid()} 0"
    ]


def test_a_judge_that_was_ended_leaves_no_groups(kernel):
    server = Server.__new__(Server)
    server.groups = kernel
    for name in ("submission-12-0", "submission-12-1", "submission-123-0"):
        made(kernel / name)
    server.remove_groups_of(12)
    assert sorted(path.name for path in kernel.glob("submission-*")) == ["submission-123-0"]


@pytest.mark.parametrize(("kills", "raises"), [(0, True), (2, False)])
def test_memory_of_the_group_is_the_submissions_and_not_the_machines(kernel, kills, raises):
    group = cgroup.Group(kernel / "submission-1-0", Policy().to_dict())
    group.close_entrance()
    made(group.path, **{"memory.events": f"oom 9\noom_kill {kills}\noom_group_kill 0\n"})
    ours, theirs = socketpair()
    child = Child(ours, ours, 10.0, group)
    watch.tell(theirs, {"ended": "memory", "cpu": 1.0, "failed": "the machine ran out of memory"})
    if raises:
        with pytest.raises(ServerLost):
            child.hear()
    else:
        assert child.hear()["ended"] == "memory"
    ours.close()
    theirs.close()


def test_a_process_enters_its_group_by_itself(tmp_path):
    place = tmp_path / "cgroup.procs"
    with open(place, "wb", buffering=0) as entrance:
        server.enter([entrance.fileno()])
    assert place.read_text() == "0"  # the one that writes
    reading = os.open(place, os.O_RDONLY)
    server.enter([reading])  # what refuses is no error
    os.close(reading)
    server.enter([])


def test_the_group_of_this_process_is_read_from_proc(tmp_path):
    found = tmp_path / "cgroup"
    found.write_text("4:memory:/a\n0::/user.slice/b.scope\n")
    assert cgroup.own_group(Path("/sys"), found) == Path("/sys/user.slice/b.scope")
    found.write_text("0::/../outside\n")
    assert cgroup.own_group(Path("/sys"), found) is None
