"""tools/install.py as a program: which Python it takes, and one installation with a real pip."""

import ast
import os
import signal
import subprocess
import sys
import time

import pytest
from small_repository import ROOT, load, repository

__all__ = ["repository"]  # a fixture

environment = load("environment")
install_py = load("install")


# With another index, install.py asks for little room; with no index, pip asks nobody.
OFFLINE = {"PIP_EXTRA_INDEX_URL": "nowhere", "PIP_NO_INDEX": "1"}


def run_script(root, *arguments):
    return subprocess.run(
        [sys.executable, root / "tools/install.py", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **OFFLINE},
    )


# --- which Python ------------------------------------------------------------------------------


def test_supported_versions_are_those_of_pyproject():
    assert install_py.supported_versions() == [(3, 11), (3, 12), (3, 13)]


def test_install_py_can_be_read_by_an_old_python():
    """No syntax newer than Python 3.5: an old one must reach the line that says it is too old."""
    source = (ROOT / "tools/install.py").read_text(encoding="utf-8")
    assert source.isascii()  # Python 2 refuses anything else
    newer = (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.Match, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(node, newer), f"line {node.lineno}"
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            assert node.returns is None
            assert not [a for a in arguments.args if a.annotation]
            assert not arguments.kwonlyargs
            assert not arguments.posonlyargs


def as_python(version, root, path):
    """Run install.py, made to believe that it runs under another version of Python."""
    major, minor = version
    program = (
        f"import runpy, sys; sys.version_info = ({major}, {minor}, 0, 'final', 0);"
        f"sys.version = '{major}.{minor}.0 (x)'; sys.argv = ['install.py', 'dev'];"
        f"runpy.run_path({str(root / 'tools/install.py')!r}, run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(path)},
    )


def fake_python(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n" + text)
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("version", [(2, 7), (3, 8), (3, 10), (3, 14)])
def test_a_python_outside_the_range_is_one_sentence(repository, tmp_path, version):
    # As with pyenv: the name is there, and running it fails.
    fake_python(tmp_path / "bin", "python3.12", "echo 'command not found' >&2; exit 127\n")
    done = as_python(version, repository, tmp_path / "bin")
    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13, and this is Python {}.{}.0".format(*version) in (
        done.stderr
    )
    assert len(done.stderr.splitlines()) == 1
    assert not (repository / ".venv").exists()


def test_a_python_inside_the_range_is_found_and_used(repository, tmp_path):
    ask = 'if [ "$1" = -c ]; then echo 3.{0}; echo "{1}/python3.{0}"; else echo 3.{0} "$@"; fi\n'
    for minor in (11, 12):
        fake_python(tmp_path / "bin", f"python3.{minor}", ask.format(minor, tmp_path / "bin"))
    fake_python(tmp_path / "bin", "python3.13", "echo 3.13; echo /no/python; exit 127\n")
    done = as_python((3, 9), repository, tmp_path / "bin")
    assert done.stdout.strip() == f"3.12 {repository / 'tools/install.py'} dev"
    assert done.returncode == 0


# --- for real ----------------------------------------------------------------------------------


def test_the_real_thing(repository):
    """A real environment and a real pip, on a package that needs no network."""
    done = run_script(repository, "dev")
    assert done.returncode == 0, done.stderr
    python = environment.venv_python(repository / ".venv")
    assert subprocess.run([python, "-c", "import small"], cwd="/").returncode == 0

    again = run_script(repository, "dev")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")

    (repository / "constraints.txt").write_text("# changed, so that pip runs\n")
    (repository / "backend.py").write_text("raise SystemExit('broken')\n")
    failed = run_script(repository)
    assert failed.returncode == 1
    assert "The installation failed: pip's own messages are above" in failed.stderr
    assert python.exists()


def test_ctrl_c_waits_for_pip_and_takes_the_new_environment_away(repository):
    """The real signal, at the moment when the package is being built."""
    (repository / "backend.py").write_text(
        "import pathlib, time\n"
        "def build_editable(*arguments):\n"
        "    pathlib.Path('building').touch()\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, repository / "tools/install.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **OFFLINE},
    )
    until = time.monotonic() + 60
    while not (repository / "building").exists() and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert "Stopped. Nothing was left behind" in errors
    assert "Traceback" not in errors.split("Stopped.")[1]
    assert not (repository / ".venv").exists()
