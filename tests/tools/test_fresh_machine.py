"""tools/fresh_machine.py: what can be tried without root and without making a Debian.

What it reads from other programs, what it takes along from this machine, and what it leaves alone.
"""

import json
import os
import subprocess
import sys

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
