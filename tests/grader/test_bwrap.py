"""The outer layer of the sandbox, seen by a program in it; and what is said where there is none."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.sandbox import bwrap
from grader.sandbox.bwrap import NOBODY, NoSandbox, check_means, layers

pytestmark = pytest.mark.sandbox
LOOK = """
for name in cgroup ipc mnt net pid user uts; do echo "$name $(readlink /proc/self/ns/$name)"; done
for name in bin sbin lib lib32 lib64; do
    test -e /$name && echo "link $name $(readlink /$name)"
done
echo "host $(hostname)"
echo "folder $(pwd)"
echo "session $(cut -d' ' -f 6 /proc/self/stat)"
echo "who $(id -u) $(id -g)"
stat -c 'mode %n %a' /tmp /scratch /shared 2> /dev/null
while read -r number above device root place how more; do echo "mount $place $how"; done \
    < /proc/self/mountinfo
grep -E '^(Cap...|NoNewPrivs|Groups):' /proc/self/status
env
"""


@pytest.fixture(params=["root", "somebody"])
def whoever(request, monkeypatch):
    """Root prepares the sandbox and becomes nobody; others make it as they are."""
    # Not `check_means`: a sandbox that cannot be made is what these tests are to notice.
    plain = ["bwrap", "--unshare-user", "--unshare-net", "--ro-bind", "/", "/", "/bin/true"]
    if not shutil.which("bwrap") or subprocess.run(plain, capture_output=True).returncode:
        pytest.skip("bubblewrap makes no sandbox here")
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("root alone can become somebody else")
    monkeypatch.setattr(os, "geteuid", lambda: 0 if request.param == "root" else 1000)
    return request.param


def seen(*disabled):
    command = [*layers(disabled), "/bin/sh", "-c", LOOK]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def about(lines, kind):
    """By the second word of the lines that begin with a word, the rest of them."""
    words = (line.split() for line in lines if line.startswith(f"{kind} "))
    return {name: " ".join(rest) for _, name, *rest in words}


def options(lines, place):
    return about(lines, "mount")[place].split(",")


def test_it_has_namespaces_a_session_and_an_environment_of_its_own(whoever, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "secret")
    lines = seen()
    for kind in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
        assert f"{kind} {os.readlink(f'/proc/self/ns/{kind}')}" not in lines
    assert "host grading" in lines
    assert "folder /scratch" in lines
    assert "session 0" not in lines  # 0: that of who started it
    found = dict(line.split("=", 1) for line in lines if "=" in line.split(" ")[0])
    for name in ("PWD", "OLDPWD", "SHLVL", "_"):  # the shell's own
        found.pop(name, None)
    assert found == {
        "PATH": "/usr/bin:/bin",
        "HOME": "/scratch",
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": "/opt/course/python/lib",
        "PYTHONPATH": "/opt/course/lib:/opt/course/site",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": "/scratch/.matplotlib",
        "IPYTHONDIR": "/scratch/.ipython",
        **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
        "COURSE_DEVICE": "cpu",
        "MNIST_SOURCE": "sample",
        "CUDA_VISIBLE_DEVICES": "",
    }


def test_nothing_can_be_written_but_two_folders_and_nobody_else_reads_these(whoever):
    lines = seen()
    for place in ("/", "/usr", "/opt/course/site", "/dev", "/dev/pts"):
        assert options(lines, place)[0] == "ro", place
    for place in ("/tmp", "/scratch"):
        assert options(lines, place)[0] == "rw", place
        assert {"nosuid", "nodev"} <= set(options(lines, place))
    assert about(lines, "mode") == {"/tmp": "700", "/scratch": "700"}


def test_it_shows_the_system_the_environment_and_the_helpers_and_no_more(whoever):
    lines = seen()
    names = [
        name for name in ("bin", "sbin", "lib", "lib32", "lib64") if os.path.exists(f"/{name}")
    ]
    links = {name: os.readlink(f"/{name}") if os.path.islink(f"/{name}") else "" for name in names}
    assert about(lines, "link") == links
    files = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives")
    wanted = {f"/etc/{name}" for name in files if os.path.exists(f"/etc/{name}")}
    assert {place for place in about(lines, "mount") if place.startswith("/etc")} == wanted
    assert "/opt/course/lib/helpers/checks.py" in about(lines, "mount")


def test_root_becomes_nobody_without_any_right(whoever):
    lines = seen()
    status = {name: words for name, *words in (line.split() for line in lines if ":\t" in line)}
    assert status["NoNewPrivs:"] == ["1"]
    if whoever == "root":
        assert about(lines, "who") == {str(NOBODY): str(NOBODY)}
        assert status["Groups:"] == []
        sets = ("CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:")
        assert {int(status[name][0], 16) for name in sets} == {0}


def test_rules_of_the_outer_layer_can_be_turned_off_one_by_one(whoever):
    ours = f"net {os.readlink('/proc/self/ns/net')}"
    open_, written = seen("network"), seen("read-only system")
    assert ours in open_
    assert ours not in written
    assert options(open_, "/")[0] == "ro"
    for place in ("/", "/dev", "/dev/pts"):
        assert options(written, place)[0] == "rw", place
    assert about(written, "mode") == {"/tmp": "700", "/scratch": "700", "/shared": "777"}


# --- where there is none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "uid", "said"),
    [
        ("calls", 1000, f"of this processor \\({platform.machine()}\\) are not known here"),
        ("bwrap", 1000, "bwrap is missing.*sudo apt install bubblewrap.*sudo dnf install bubblew"),
        ("setpriv", 0, "setpriv is missing.*apt install util-linux, or grade as another user"),
        ("right", 1000, "bwrap cannot make a sandbox here: no rights\nUser namespaces may be"),
    ],
)
def test_what_is_missing_for_a_sandbox_is_said_with_what_to_do(monkeypatch, missing, uid, said):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(bwrap.calls, "is_known", lambda: missing != "calls")
    monkeypatch.setattr(bwrap.shutil, "which", lambda name: None if name == missing else name)
    done = SimpleNamespace(returncode=int(missing == "right"), stderr=" no rights\n")
    monkeypatch.setattr(bwrap.subprocess, "run", lambda *command, **more: done)
    with pytest.raises(NoSandbox, match=said):
        check_means()
    missing = "nothing"
    done.returncode = 0
    check_means()


def test_who_is_not_root_needs_no_setpriv(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(bwrap.calls, "is_known", lambda: True)
    monkeypatch.setattr(bwrap.shutil, "which", lambda name: None if name == "setpriv" else name)
    done = SimpleNamespace(returncode=0, stderr="")
    monkeypatch.setattr(bwrap.subprocess, "run", lambda *command, **more: done)
    check_means()


# --- which Python --------------------------------------------------------------------------------


def test_of_a_python_elsewhere_the_packages_are_hidden(tmp_path, monkeypatch):
    """The environment's packages are those that students have, whatever else is installed."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    there = [
        *(f"lib/{version}/site-packages", "lib64/python3/dist-packages"),
        *(f"local/lib/{version}/dist-packages", "local/lib64/python3/site-packages"),
    ]
    for name in (*there, "lib/python2.7/site-packages", f"lib/{version}/idlelib"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lib/python3").mkdir()
    (tmp_path / "lib/python3/site-packages").symlink_to(tmp_path / there[0])
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    hidden = bwrap._packages_of_base()
    assert hidden == sorted(hidden)
    here = [path for path in hidden if not path.startswith("/usr/local/")]
    assert here == sorted(f"/opt/course/python/{name}" for name in there)
    assert all(Path(path).is_dir() for path in hidden if path not in here)
    assert (tmp_path, "/opt/course/python") in bwrap._runtime()


def test_where_the_sandbox_sees_a_python(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/python3"))
    assert bwrap.python() == "/opt/course/python/bin/python3"
    # Everything below /usr is there as it is.
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setattr(sys, "executable", "/usr/bin/none-of-this-name")
    assert bwrap.python() == "/usr/bin/none-of-this-name"
    assert "/opt/course/python" not in [target for _, target in bwrap._runtime()]


def test_without_a_sandbox_the_server_keeps_who_it_is_and_computes_alike(monkeypatch):
    monkeypatch.setenv("HOME", "/home/kim")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    made = bwrap.unlocked_environment()
    kept = ("HOME", "PATH", "LANG", "LD_LIBRARY_PATH", "MPLCONFIGDIR", "IPYTHONDIR")
    assert {name: made.get(name) for name in kept} == {n: os.environ.get(n) for n in kept}
    assert (made["OMP_NUM_THREADS"], made["MNIST_SOURCE"]) == ("1", "sample")
    assert made["PYTHONPATH"] == str(Path(bwrap.__file__).parents[2])
