"""course.py as a program: which Python it takes, and set-ups with a real environment and pip."""

import ast
import os
import signal
import subprocess
import sys
import time
from venv import EnvBuilder

import pytest

import course
from helpers.command import installer, venv_folder
from tests.support.small_repository import ROOT, VERSIONS, make_repository, repository

__all__ = ["repository"]  # a fixture

OFFLINE = {
    "COURSE_INSTALLER": "pip",
    "COURSE_TORCH": "cuda",  # asks no index
    "PIP_NO_INDEX": "1",
    "PIP_RETRIES": "0",
}
# Seconds after which something is taken to run for ever, on the slowest machine.
PATIENCE = 3600


def run_course(root, *arguments, python=sys.executable, **variables):
    return subprocess.run(
        [python, root / "course.py", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **OFFLINE, **variables},
    )


# --- which Python ------------------------------------------------------------------------------


def test_course_py_can_be_read_by_an_old_python():
    """No syntax newer than Python 3.5: an old one must reach the line that says it is too old."""
    source = (ROOT / "course.py").read_text(encoding="utf-8")
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


def test_the_supported_versions_are_read_from_pyproject(repository):
    text = (repository / "pyproject.toml").read_text()
    start = text.index("requires-python")
    line = text[start : text.index("\n", start)]
    (repository / "pyproject.toml").write_text(
        text.replace(line, 'requires-python = ">=3.8,<3.10"')
    )
    assert course.supported_versions(str(repository)) == [(3, 8), (3, 9)]
    (repository / "pyproject.toml").write_text(text.replace(line, 'requires-python = ">=3.8"'))
    with pytest.raises(SystemExit, match="must be written"):
        course.supported_versions(str(repository))


def as_python(version, root, path):
    """Run course.py, made to believe that it runs under another version of Python."""
    major, minor = version
    program = (
        f"import runpy, sys; sys.version_info = ({major}, {minor}, 0, 'final', 0);"
        f"sys.version = '{major}.{minor}.0 (x)'; sys.argv = ['course.py', 'lab'];"
        f"runpy.run_path({str(root / 'course.py')!r}, run_name='__main__')"
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


FIRST, LAST = (int(version.partition(".")[2]) for version in (VERSIONS[0], VERSIONS[-1]))


@pytest.mark.parametrize("version", [(2, 7), (3, 8), (3, FIRST - 1), (3, LAST + 1)])
def test_a_python_outside_the_range_is_one_sentence(repository, tmp_path, version):
    # As with pyenv: the name is there, and running it fails.
    fake_python(tmp_path / "bin", "python3.12", "echo 'command not found' >&2; exit 127\n")
    done = as_python(version, repository, tmp_path / "bin")
    assert done.returncode == 1
    named = f"{', '.join(VERSIONS[:-1])} or {VERSIONS[-1]}"
    assert f"needs Python {named}, and this is Python {version[0]}.{version[1]}.0" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (repository / ".venv").exists()


def test_a_python_inside_the_range_is_found_and_used(repository, tmp_path):
    ask = 'if [ "$1" = -c ]; then echo 3.{0}; echo "{1}/python3.{0}"; else echo 3.{0} "$@"; fi\n'
    for minor in (FIRST, FIRST + 1):
        fake_python(tmp_path / "bin", f"python3.{minor}", ask.format(minor, tmp_path / "bin"))
    fake_python(tmp_path / "bin", f"python3.{LAST}", f"echo 3.{LAST}; echo /no/python; exit 127\n")
    done = as_python((3, 9), repository, tmp_path / "bin")
    assert done.stdout.strip() == f"3.{FIRST + 1} {repository / 'course.py'} lab"
    assert done.returncode == 0


# --- for real ----------------------------------------------------------------------------------


def has_course(root, *arguments, program="course"):
    """Run the installed program from elsewhere."""
    script = venv_folder.venv_python(root / ".venv").with_name(program)
    return subprocess.run(
        [script, *arguments], cwd="/", capture_output=True, text=True, env={**os.environ, **OFFLINE}
    )


def test_set_up_for_real(repository):
    """A real environment and a real pip, on a package that needs no network."""
    done = run_course(repository, "setup")
    assert done.returncode == 0, done.stderr
    assert f"Ready: {repository / '.venv'}" in done.stdout

    again = run_course(repository, "setup")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert "give a lesson back" in has_course(repository, "help").stdout
    assert "Do you mean course doctor?" in has_course(repository, "doctr").stderr

    text = (repository / "pyproject.toml").read_text()
    (repository / "pyproject.toml").write_text(
        text.replace('dependencies = ["pip"]', 'dependencies = ["no-such-package>=1"]')
    )
    stale = run_course(repository, "setup")
    assert stale.returncode == 0
    assert "It goes on with those that were installed before" in stale.stdout
    (repository / "pyproject.toml").write_text(text)

    moved = repository.rename(repository.with_name("moved, 강의"))
    done = run_course(moved, "setup")
    assert done.returncode == 0, done.stderr
    assert "Making" not in done.stdout
    assert has_course(moved, "help").returncode == 0
    again = run_course(moved, "setup")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_failed_set_up_leaves_nothing_and_says_why(repository):
    text = (repository / "pyproject.toml").read_text()
    (repository / "pyproject.toml").write_text(
        text.replace('dependencies = ["pip"]', 'dependencies = ["no-such-package>=1"]')
    )
    failed = run_course(repository, "setup")
    assert failed.returncode == 1
    assert "The installation failed: the installer's own messages are above" in failed.stderr
    assert "Nothing was left behind" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (repository / ".venv").exists()


def test_other_peoples_settings_do_no_harm(tmp_path):
    """pip's, Python's and the system's: all at once, in variables and in a file."""
    root = make_repository(tmp_path / "강의 ×")
    elsewhere, foreign, home = (tmp_path / name for name in ("elsewhere", "foreign", "home"))
    foreign.mkdir()
    for module in ("helpers", "jupyterlab", "traitlets"):
        (foreign / f"{module}.py").write_text(f"raise SystemExit('foreign {module}')")
    home.write_text("a file: nothing can be made in it, not even by root")
    # A file counts less than a variable, but an empty variable does not undo it.
    (tmp_path / "config/pip").mkdir(parents=True)
    (tmp_path / "config/pip/pip.conf").write_text(
        f"[global]\ntarget = {elsewhere}\n[install]\nuser = true\n"
    )
    settings = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PIP_USER": "1",
        "PIP_PREFIX": str(elsewhere),
        "PIP_DRY_RUN": "1",
        "PIP_REQUIRE_HASHES": "1",
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": str(foreign),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "TMPDIR": str(elsewhere),  # is not there: as good as full
        "PYTHONIOENCODING": "ascii",
    }
    # A system that knows no letter but a to z.
    locale = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run_course(root, "setup", **settings, **locale)
    assert done.returncode == 0, done.stderr
    assert "Ready" in done.stdout
    assert not elsewhere.exists()
    again = run_course(root, "setup", **settings, **locale)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    # and the program that was installed
    script = venv_folder.venv_python(root / ".venv").with_name("course")
    done = subprocess.run(
        [script, "help"], capture_output=True, env={**os.environ, **OFFLINE, **settings}
    )
    assert done.returncode == 0, done.stderr


def test_nothing_is_ever_installed_outside_the_environment(repository):
    """Without pyvenv.cfg, .venv/bin/python is the Python that the environment was made with."""
    EnvBuilder(symlinks=True).create(repository / ".venv")
    venv_folder.write_ready(repository / ".venv", repository, extras=[], torch="cuda")
    (repository / ".venv/pyvenv.cfg").unlink()
    done = run_course(repository, "setup")
    assert "Making .venv afresh: parts of it were deleted." in done.stdout
    assert done.returncode == 0, done.stderr
    ask = "from importlib.metadata import distribution; distribution('small')"
    assert subprocess.run([sys._base_executable, "-c", ask], capture_output=True).returncode == 1
    assert not installer.is_environment(venv_folder.Path(sys._base_executable))


def test_ctrl_c_waits_for_pip_and_takes_the_new_environment_away(repository):
    """The real signal, at the moment when the package is being built."""
    (repository / "backend.py").write_text(
        "import pathlib, time\n"
        "def build_editable(*arguments):\n"
        "    pathlib.Path('building').touch()\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, repository / "course.py", "setup"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **OFFLINE},
    )
    until = time.monotonic() + PATIENCE
    while not (repository / "building").exists() and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode != 0
    assert "Stopped. Nothing was left behind" in errors
    assert "Traceback" not in errors.split("Stopped.")[1]
    assert not (repository / ".venv").exists()
