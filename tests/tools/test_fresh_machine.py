"""tools/fresh_machine.py: what can be tried without root and without making a Debian.

What it reads from other programs, what it takes along from this machine, and what it leaves alone.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import types

import pytest

from helpers.command.files import ROOT
from tests.support.scripts import load

# fresh_machine.py imports it by this name.
fresh_root = sys.modules["fresh_root"] = load("tools/fresh_root.py")
fresh_machine = load("tools/fresh_machine.py")


# --- what pytest and Jupyter say ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("===== 3 passed in 0.02s =====", {"passed": 3}),
        (
            "= 2 failed, 812 passed, 5 skipped, 1 warning in 412.33s (0:06:52) =",
            {"failed": 2, "passed": 812, "skipped": 5, "warning": 1},
        ),
        ("== 1 passed in 90061.00s (1 day, 1:01:01) ==", {"passed": 1}),
        ("==== no tests ran in 0.01s ====", {}),
        ("make: *** [Makefile:28: test] Error 1", {}),
    ],
)
def test_counts_of_the_closing_line(line, counts):
    assert fresh_machine.closing_line(f"collected 3 items\n{line}\nmake: Leaving\n") == counts


def test_of_several_closing_lines_the_last_counts():
    output = "=== 1 failed in 1.00s ===\nmore\n=== 2 passed in 1.00s ===\n"
    assert fresh_machine.closing_line(output) == {"passed": 2}


def test_what_a_real_pytest_says(tmp_path):
    (tmp_path / "test_small.py").write_text(
        "import pytest\n"
        "def test_good(): print('SKIPPED by print')\n"
        "def test_bad(): assert False, 'wrong'\n"
        "@pytest.fixture\n"
        "def broken(): raise ValueError('no')\n"
        "def test_error(broken): pass\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_left_out(n): pytest.skip('needs bubblewrap')\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-ra", "-s", "-p", "no:cacheprovider", "--color=no"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take seconds to load
    output = subprocess.run(
        [*command, "test_small.py"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout
    counts = {"passed": 1, "failed": 1, "error": 1, "skipped": 2}
    assert fresh_machine.closing_line(output) == counts
    (skipped,) = fresh_machine.summary_lines(output, "SKIPPED")
    assert skipped == "[2] test_small.py:8: needs bubblewrap"
    (failed,) = fresh_machine.summary_lines(output, "FAILED")
    assert failed.startswith("test_small.py::test_bad")
    (error,) = fresh_machine.summary_lines(output, "ERROR")
    assert error.startswith("test_small.py::test_error")


def test_without_a_summary_nothing_was_skipped():
    assert fresh_machine.summary_lines("SKIPPED is a word\n", "SKIPPED") == []


def test_the_address_of_a_server():
    line = "[I 2026] http://localhost:9000/lab/tree/notebooks/README.md?token=c0ffee"
    without = "http://localhost:9000/login\n"
    for half in ("", without, line[:40], line[:-8], line[:-1], line):
        assert fresh_machine.address(f"running at:\n{half}") is None, half
    url = line.partition("] ")[2]
    assert (
        fresh_machine.address(f"running at:\n{line}\n[I 2026]   http://127.0.0.1:9000/lab") == url
    )


def test_a_failure_stands_in_the_table():
    row = {"name": "make lab", "seconds": 0.3, "cpu": 0.1, "load": [1, 2], "notes": ["a note"]}
    result = {"suite": "trixie", "python": "Python 3.13.5", "processors": 2, "commit": "abc"}
    good = fresh_machine.table({**result, "rows": [{**row, "problem": None}]})
    bad = fresh_machine.table({**result, "rows": [{**row, "problem": "it ended"}]})
    assert "FAILED" not in good
    assert "make lab              FAILED        0.3" in bad
    assert bad.splitlines()[-2:] == ["    it ended", "    a note"]


# --- what the new machine gets -----------------------------------------------------------------


def test_what_is_taken_along(tmp_path):
    (tmp_path / "certificates.pem").touch()
    (tmp_path / "pip.conf").touch()
    bundle = str(tmp_path / "certificates.pem")
    taken = {
        "https_proxy": "http://proxy:3128",
        "NO_PROXY": "localhost",
        "PIP_EXTRA_INDEX_URL": "https://example.org/cpu",
        "PIP_DEFAULT_TIMEOUT": "60",
        "UV_INDEX_URL": "https://example.org/simple",
        "COURSE_INSTALLER": "uv",
        "SSL_CERT_FILE": bundle,
        "PIP_CERT": bundle,
    }
    left = {
        "PIP_FIND_LINKS": "https://example.org/wheels /opt/wheels",
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_INDEX_URL": "file:///opt/simple",
        "UV_CACHE_DIR": "~/cache",
        "REQUESTS_CA_BUNDLE": "/no/such/certificates.pem",
        "VIRTUAL_ENV": "somewhere",
        "PYTHONPATH": "helpers",
        "MNIST_ROOT": "mnist",
    }
    variables, bundles = fresh_root.carried({**left, **taken})
    assert variables == taken
    assert [str(path) for path in bundles] == [bundle, bundle]


def test_packages_are_those_of_the_readme():
    text = (
        "(on Debian and Ubuntu: `sudo apt install python3 g++ make`). Later: `sudo apt install x`"
    )
    assert fresh_root.packages(text) == ["python3", "g++", "make"]
    assert "python3" in fresh_root.packages((ROOT / "README.md").read_text(encoding="utf-8"))
    with pytest.raises(fresh_root.Problem, match="names no packages"):
        fresh_root.packages("Install Python.")


# --- what it leaves alone ----------------------------------------------------------------------


@pytest.mark.parametrize("user", [0, 1000])
def test_without_root_or_mmdebstrap_it_is_one_sentence(monkeypatch, capsys, user):
    def nothing(*arguments, **options):
        raise AssertionError("something was begun")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    missing = "mmdebstrap" if user == 0 else None
    monkeypatch.setattr(
        fresh_machine.shutil, "which", lambda name: None if name == missing else f"/bin/{name}"
    )
    monkeypatch.setattr(fresh_machine.tempfile, "mkdtemp", nothing)
    monkeypatch.setattr(fresh_machine, "Machine", nothing)
    assert fresh_machine.main(["trixie"]) == 1
    output = capsys.readouterr().err
    assert len(output.splitlines()) == 1
    assert "root (sudo) and these programs: mmdebstrap" in output


def test_a_folder_with_something_else_is_neither_used_nor_deleted(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root/mine").touch()
    machine = fresh_root.Machine(tmp_path, "trixie")
    with pytest.raises(fresh_root.Problem, match="holds something else"):
        machine.prepare("somewhere", [])
    machine.delete(logs=True)
    assert (tmp_path / "root/mine").exists()


def test_another_suite_is_neither_used_nor_deleted(tmp_path):
    (tmp_path / "root").mkdir()
    state = {"suite": "forky", "ready": True}
    (tmp_path / "machine.json").write_text(json.dumps(state), encoding="utf-8")
    machine = fresh_root.Machine(tmp_path, "trixie")
    with pytest.raises(fresh_root.Problem, match="holds forky"):
        machine.prepare("somewhere", [])
    machine.delete(logs=True)
    assert (tmp_path / "root").exists()


def test_after_a_failure_the_logs_stay_and_the_root_is_made_again(tmp_path, monkeypatch):
    made = []

    def half(machine, name, *command):
        made.append(command[-2:])
        (machine.root / "half").mkdir(parents=True)
        machine.log(name).touch()
        raise fresh_root.Problem("it failed")

    monkeypatch.setattr(fresh_root.Machine, "here", half)
    for _ in range(2):
        machine = fresh_root.Machine(tmp_path, "trixie")
        with pytest.raises(fresh_root.Problem, match="it failed"):
            machine.prepare("somewhere", [])
    assert made == [("trixie", str(tmp_path / "root"))] * 2
    machine.write_mark(ready=True)  # as if it had been made, and `make lab` failed
    machine.delete(logs=False)
    assert not (tmp_path / "root").exists()
    assert (tmp_path / "logs/mmdebstrap.log").exists()
    with pytest.raises(fresh_root.Problem, match="it failed"):
        machine.prepare("somewhere", [])
    machine.delete(logs=True)
    assert not tmp_path.exists()


# --- what is run in it, and what is said of it -------------------------------------------------


class FakeMachine:
    """Stands for the new machine: notes what is run, and gives each run's output and status."""

    def __init__(self, folder, outputs=(), status=0):
        self.root, self.home, self.course = folder, folder / "home", folder / "home/course"
        self.logs, self.variables = folder / "logs", {"NO_PROXY": "x"}
        self.outputs, self.status = dict(outputs), status
        self.ran, self.deleted = [], []

    def log(self, name):
        return self.logs / name

    def output(self, name):
        return self.outputs.get(name, "")

    def last_lines(self, name):
        return f"the last of {name}"

    @contextlib.contextmanager
    def running(self, name, command, **options):
        self.ran.append((name, list(command), options))
        yield types.SimpleNamespace(returncode=None, pid=77)

    def follow(self, name, process, until=lambda: None, seconds=float("inf")):
        found = until()
        if found is None:
            process.returncode = self.status
        return found

    def prepare(self, source, further):
        self.ran.append(("prepare", source, further))
        return "abc Words"

    def answer(self, *command):
        return "Python 3.13.5"

    def delete(self, logs):
        self.deleted.append(logs)


SUMMARY = """\
=== short test summary info ===
SKIPPED [1] a.py:1: no card
FAILED b.py::c - assert
ERROR d.py::e
"""


@pytest.mark.parametrize(
    ("status", "closing", "problem"),
    [
        (0, "== 3 passed, 1 skipped in 2.00s ==", None),
        (1, "== 1 failed, 3 passed in 2.00s ==", "it ended with status 1"),
        (0, "== 1 skipped in 2.00s ==", "no test passed"),
        (2, "", "it ended with status 2"),
    ],
)
def test_a_verb_that_is_pytest_is_told_by_its_counts(tmp_path, capsys, status, closing, problem):
    machine = FakeMachine(tmp_path, {"make e2e": f"{SUMMARY}{closing}\n"}, status)
    row = fresh_machine.tests(machine, "e2e")
    assert machine.ran == [("make e2e", ["make", "e2e"], {})]
    counts = fresh_machine.closing_line(closing + "\n")
    assert row["counts"] == counts
    assert row["notes"] == [
        ", ".join(f"{number} {kind}" for kind, number in counts.items()),
        *("failed: b.py::c - assert", "error: d.py::e", "skipped: [1] a.py:1: no card"),
    ]
    assert row["problem"] == problem
    said = capsys.readouterr()
    assert said.out == f"make e2e (log: {machine.logs / 'make e2e'})\n"
    assert said.err == ""


def test_a_row_holds_what_was_measured_and_of_a_problem_the_last_lines(
    tmp_path, monkeypatch, capsys
):
    seconds, cpu, load = iter([10.0, 12.34]), iter([1.0, 4.56]), iter([0.51, 1.26])
    monkeypatch.setattr(fresh_machine.time, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(fresh_machine, "cpu_seconds", lambda: next(cpu))
    monkeypatch.setattr(fresh_machine.os, "getloadavg", lambda: (next(load), 9, 9))
    with fresh_machine.measured(FakeMachine(tmp_path), "x") as row:
        row["problem"] = "it ended"
    assert row == {
        "name": "x",
        "seconds": 2.3,
        "cpu": 3.6,
        "load": [0.5, 1.3],
        "notes": [],
        "problem": "it ended",
        "last_lines": "the last of x",
    }
    said = "  it ended. The last lines of the log:\nthe last of x\n"
    assert capsys.readouterr().err == said


@pytest.fixture
def stopped(monkeypatch):
    """What is typed at the terminal of `make lab`, and how its page is fetched."""
    typed, fetched = [], []

    @contextlib.contextmanager
    def terminal():
        yield 5, 6

    def run(command, **options):
        fetched.append(command)
        return types.SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(fresh_machine, "terminal", terminal)
    monkeypatch.setattr(fresh_machine.os, "write", lambda end, text: typed.append((end, text)))
    monkeypatch.setattr(fresh_machine.subprocess, "run", run)
    return types.SimpleNamespace(typed=typed, fetched=fetched)


URL = "http://127.0.0.1:9000/lab/tree/README.md?token=c0ffee"


def test_the_start_page_is_fetched_and_the_server_ended_by_two_ctrl_c(tmp_path, stopped):
    machine = FakeMachine(tmp_path, {"make lab": f"running at:\n{URL}\nShut down this"})
    row = fresh_machine.lab(machine, "make lab", network=False)
    ((name, command, options),) = machine.ran
    assert (name, command[:2]) == ("make lab", ["make", "lab"])
    assert re.fullmatch(r"ARGS=--no-browser --port \d+", command[2])
    assert options == {"network": False, "keyboard": 6}
    (fetch,) = stopped.fetched
    assert fetch[:2] == ["nsenter", "--net=/proc/77/ns/net"]
    assert fetch[-1] == URL
    assert stopped.typed == [(5, b"\x03")] * 2
    assert row["problem"] is None


def test_each_way_in_which_a_start_fails_is_told(tmp_path, stopped, monkeypatch):
    machine = FakeMachine(tmp_path, status=2)
    assert fresh_machine.lab(machine, "x")["problem"] == "it ended with status 2"
    machine.status = None
    assert fresh_machine.lab(machine, "x", seconds=7)["problem"] == "no page in 7 seconds"
    assert stopped.typed == stopped.fetched == []
    machine.outputs["x"] = f"{URL}\n"
    row = fresh_machine.lab(machine, "x")
    assert row["problem"] == "it went on for 60 seconds after Ctrl-C, twice"
    machine.status = 0
    failed = types.SimpleNamespace(returncode=1, stderr="a" * 300 + "refused\n")
    monkeypatch.setattr(fresh_machine.subprocess, "run", lambda *given, **options: failed)
    problem = fresh_machine.lab(machine, "x")["problem"]
    assert problem == "the start page did not come: " + "a" * 293 + "refused"


@pytest.mark.parametrize("problem", [None, "it ended"])
def test_lab_is_tried_again_and_without_a_network_if_it_works(monkeypatch, problem):
    asked = []

    def lab(machine, name, network=True, seconds=float("inf")):
        asked.append((name, network, seconds))
        return {"notes": [], "problem": problem}

    monkeypatch.setattr(fresh_machine, "lab", lab)
    monkeypatch.setattr(fresh_machine, "sizes", lambda machine: ["1 GB"])
    rows = fresh_machine.lab_three_times(None)
    three = [
        ("make lab", True, float("inf")),
        ("make lab again", True, 600),
        ("make lab offline", False, 600),
    ]
    assert asked == (three if problem is None else three[:1])
    assert [row["notes"] for row in rows] == [["1 GB"], [], []][: len(asked)]


def test_the_installers_are_compared_from_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(fresh_machine, "sizes", lambda machine: ["1 GB"])
    times = iter([(30.0, 8.0), (10.0, 4.0)])
    machine = FakeMachine(tmp_path)

    @contextlib.contextmanager
    def measured(machine, name):
        row = {"name": name, "notes": [], "problem": None}
        yield row
        row["seconds"], row["cpu"] = next(times)

    monkeypatch.setattr(fresh_machine, "measured", measured)
    for name in ("course/.venv", ".cache", ".local", "kept"):
        (machine.home / name).mkdir(parents=True)
    pip, uv = fresh_machine.compare_installers(machine)
    assert {path.name for path in machine.home.iterdir()} == {"course", "kept"}
    assert list(machine.course.iterdir()) == []
    setup = ["python3", "course.py", "setup"]
    assert machine.ran == [
        (f"set-up with {name}", setup, {"variables": {"COURSE_INSTALLER": name}})
        for name in ("pip", "uv")
    ]
    ratio = "3.0 times the time of uv and 2.0 times the processor seconds of uv"
    assert (pip["notes"], uv["notes"]) == (["1 GB", ratio], ["1 GB"])
    times = iter([(30.0, 8.0), (10.0, 4.0)])
    machine.status = 1
    pip, uv = fresh_machine.compare_installers(machine)
    assert pip["problem"] == uv["problem"] == "it ended with status 1"
    assert pip["notes"] == ["1 GB"]


def test_sizes_are_those_of_what_is_there(tmp_path, monkeypatch):
    asked = []

    def du(command, encoding):
        asked.append(command)
        return "5\ta\n1234\ttotal\n"

    monkeypatch.setattr(fresh_machine.subprocess, "check_output", du)
    machine = FakeMachine(tmp_path)
    assert fresh_machine.sizes(machine) == []
    venv, cache = machine.course / ".venv", machine.home / ".cache"
    venv.mkdir(parents=True)
    assert fresh_machine.sizes(machine) == [".venv: 1.23 GB"]
    cache.mkdir()
    assert fresh_machine.sizes(machine) == [".venv: 1.23 GB", ".venv and ~/.cache: 1.23 GB"]
    assert asked[1:] == [["du", "-sc", "-B1000000", venv], ["du", "-sc", "-B1000000", venv, cache]]


def test_the_table_is_read_from_its_columns():
    rows = [
        {"name": "make lab", "seconds": 61.25, "cpu": 9.5, "load": [1, 2], "notes": ["a", ""]},
        {"name": "make test", "seconds": 1234.5, "cpu": 0.1, "load": [3, 4], "notes": []},
    ]
    rows[0]["problem"], rows[1]["problem"] = None, "it ended"
    about = {"suite": "trixie", "python": "Python 3.13.5", "processors": 2, "commit": "abc Words"}
    assert fresh_machine.table({**about, "rows": rows}).splitlines() == [
        "trixie, Python 3.13.5, 2 processors, abc Words",
        "                                seconds    CPU s   load before, after",
        "make lab              ok           61.2      9.5   1, 2",
        "    a",
        "make test             FAILED     1234.5      0.1   3, 4",
        "    it ended",
    ]


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A run as root with all programs there, whose verbs are played."""
    machine = FakeMachine(tmp_path)
    asked = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(fresh_machine.shutil, "which", lambda name: name)
    monkeypatch.setattr(fresh_machine.signal, "signal", lambda *given: None)
    monkeypatch.setattr(fresh_machine, "Machine", lambda *given: asked.append(given) or machine)
    monkeypatch.setattr(fresh_machine.subprocess, "check_output", lambda command: b"")
    row = {"name": "x", "seconds": 1.0, "cpu": 1.0, "load": [1, 1], "notes": [], "problem": None}
    played = {name: dict(row, name=name) for name in ("lab", "test", "e2e", "installers")}
    monkeypatch.setattr(fresh_machine, "lab_three_times", lambda machine: [played["lab"]])
    monkeypatch.setattr(fresh_machine, "tests", lambda machine, verb: played[verb])
    monkeypatch.setattr(fresh_machine, "compare_installers", lambda machine: [played["installers"]])
    return types.SimpleNamespace(machine=machine, asked=asked, played=played)


def test_what_is_asked_for_is_run_and_written(begun, tmp_path, capsys):
    file = tmp_path / "result.json"
    words = ["--root", str(tmp_path / "r"), "--with", "a,b", "--commands", "e2e", "lab"]
    words += ["--compare-installers", "--json", str(file), "--from", str(tmp_path)]
    assert fresh_machine.main(["sid", *words]) == 0
    assert begun.asked == [(tmp_path / "r", "sid")]
    assert begun.machine.ran == [("prepare", str(tmp_path), ["a", "b"])]
    assert begun.machine.deleted == [True]
    result = json.loads(file.read_text())
    assert [row["name"] for row in result["rows"]] == ["e2e", "lab", "installers"]
    assert (result["suite"], result["python"], result["commit"], result["processors"]) == (
        *("sid", "Python 3.13.5", "abc Words"),
        os.cpu_count(),
    )
    out = capsys.readouterr().out
    assert f"A fresh sid in {tmp_path}\nPython 3.13.5; the course at abc Words\n" in out
    assert "Taken along from this machine: NO_PROXY\n" in out
    assert out.endswith(fresh_machine.table(result) + "\n")


def test_a_failure_ends_with_1_and_keeps_the_logs(begun, tmp_path, capsys):
    begun.machine.logs.mkdir()
    begun.played["test"]["problem"] = "it ended"
    assert fresh_machine.main(["sid", "--root", str(tmp_path)]) == 1
    assert begun.machine.deleted == [False]
    assert f"The logs are in {begun.machine.logs}." in capsys.readouterr().err
    assert fresh_machine.main(["sid", "--root", str(tmp_path), "--keep"]) == 1
    assert begun.machine.deleted == [False]


@pytest.mark.parametrize(
    ("error", "said"),
    [(fresh_root.Problem("no Debian"), "no Debian"), (KeyboardInterrupt(), "Stopped.")],
)
def test_what_stops_it_is_said(begun, tmp_path, monkeypatch, capsys, error, said):
    def fail(*given):
        raise error

    monkeypatch.setattr(begun.machine, "prepare", fail)
    assert fresh_machine.main(["sid", "--root", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{said}\n"


# --- how something is run in it ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "home", "folder"),
    [({}, "/home/{user}", "/home/{user}/{course}"), ({"user": "root"}, "/root", "/")],
)
@pytest.mark.parametrize("network", [True, False])
@pytest.mark.parametrize("keyboard", [None, 6])
def test_a_program_runs_as_the_user_in_its_own_world(
    tmp_path, monkeypatch, options, home, folder, network, keyboard
):
    started = []
    ended = []
    process = types.SimpleNamespace(
        kill=lambda: ended.append("kill"), wait=lambda: ended.append("wait")
    )

    def start(self, name, command, *, env, stdin):
        started.append((name, command, env, stdin))
        return process

    monkeypatch.setattr(fresh_root.Machine, "start", start)
    machine = fresh_root.Machine(tmp_path, "sid")
    machine.variables = {"NO_PROXY": "x", "HOME": "/mine"}
    given = {"network": network, "keyboard": keyboard, "variables": {"A": "b"}, **options}
    with machine.running("x", ["make", "lab"], **given) as running:
        assert running is process
        assert ended == []
    assert ended == ["kill", "wait"]
    ((name, command, env, stdin),) = started
    user = options.get("user", fresh_root.USER)
    places = {"user": user, "course": fresh_root.COURSE}
    assert (name, stdin) == ("x", keyboard)
    assert ("--ctty" in command) is (keyboard is not None)
    assert ("--net" in command) is not network
    path = env["PATH"] if user == "root" else fresh_root.PATH
    inside = [str(machine.root), user, folder.format(**places), path]
    assert command[-7:] == [*inside, "yes" if network else "no", "make", "lab"]
    assert env["PATH"] == f"{fresh_root.PATH}:/usr/sbin:/sbin"
    assert {key: value for key, value in env.items() if key != "PATH"} == {
        "NO_PROXY": "x",
        "HOME": home.format(**places),
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "A": "b",
    }


def test_a_program_that_fails_is_told_with_its_last_lines(tmp_path):
    machine = fresh_root.Machine(tmp_path, "sid")
    machine.logs.mkdir()
    code = "import sys; print('one\\n'); print('two', file=sys.stderr); "
    code += "sys.exit(len(sys.stdin.read()))"
    machine.here("a name", sys.executable, "-u", "-c", code)
    assert machine.log("a name") == machine.logs / "a-name.log"
    assert machine.output("a name") == "one\n\ntwo\n"
    assert machine.last_lines("a name") == "one\ntwo"
    assert machine.last_lines("a name", 1) == "two"
    with pytest.raises(fresh_root.Problem, match=r"^x failed\. Its last lines:\nwrong$"):
        machine.here("x", sys.executable, "-c", "import sys; sys.exit('wrong')")


def test_something_is_waited_for_with_news_in_between(tmp_path, monkeypatch, capsys):
    machine = fresh_root.Machine(tmp_path, "sid")
    machine.logs.mkdir()
    machine.log("x").write_text("one\n" + "two" * 40)
    clock = [0.0]
    monkeypatch.setattr(fresh_root.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(
        fresh_root.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + 10)
    )
    goes_on = types.SimpleNamespace(poll=lambda: None)
    found = machine.follow("x", goes_on, lambda: clock[0] >= 30 and "found")
    assert (found, clock[0]) == ("found", 30.0)
    assert machine.follow("x", goes_on, seconds=100) is None
    assert clock[0] == 130.0
    ended = types.SimpleNamespace(poll=lambda: 0)
    assert machine.follow("x", ended, pytest.fail) is None
    every = fresh_root.SECONDS_BETWEEN_NEWS
    news = capsys.readouterr().out.splitlines()
    assert news
    assert all(line[9:] == "s: " + ("two" * 40)[:90] for line in news)
    assert all(float(line[:8]) > every for line in news)
