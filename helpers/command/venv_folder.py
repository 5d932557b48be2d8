"""The folder of an environment, `.venv`: what is in it, and moving, emptying and locking it.

What the course knows of it stands in one small file inside it, `.venv/course.json`.

Only the standard library is used here: this runs before anything is installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.command.files import write_whole
from helpers.command.installer import Run
from helpers.language import gettext

NAME = ".venv"
STATE_NAME = "course.json"
ASIDE = "-before"
"""What is added to the name of an environment while the one that takes its place is made."""

SECONDS_TO_STOP = 15
"""How long an installer may take to leave whole packages behind after Ctrl-C."""


def venv_python(venv: Path) -> Path:
    """Where the environment's own Python is, on this system."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def read_state(venv: Path) -> dict:
    """What course.json says; an empty dict if there is none or it is damaged."""
    try:
        state = json.loads((venv / STATE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def write_state(venv: Path, **state: object) -> None:
    """Replace course.json in one step, so that it is never half written."""
    write_whole(venv / STATE_NAME, (json.dumps(state, indent=1) + "\n").encode())


def write_ready(venv: Path, root: Path, **facts: object) -> None:
    """Write into course.json that the environment is ready, for this folder and with its Python.

    `facts` are what else must still hold when `is_still_ready` is asked.
    """
    write_state(venv, state="ready", folder=str(root), python=python_version(venv), **facts)


def is_still_ready(venv: Path, root: Path, **facts: object) -> bool:
    """Whether course.json says that the environment is ready, and all that it names still holds."""
    state = read_state(venv)
    wanted = {"state": "ready", "folder": str(root), **facts}
    return all(state.get(name) == value for name, value in wanted.items()) and (
        state.get("python") == python_version(venv)
    )


def python_version(venv: Path) -> str | None:
    """The version of the environment's Python ("3.12"); None if it does not run."""
    if Path(sys.prefix) == venv:
        return "{}.{}".format(*sys.version_info)
    return version_of(venv_python(venv))


def version_of(python: Path) -> str | None:
    """The version of a Python ("3.12"); None if it does not run."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [python, "-I", "-S", "-c", question], capture_output=True, text=True
        )
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def has_pip(venv: Path) -> bool:
    """Whether the environment's Python can import pip."""
    try:
        answer = subprocess.run([venv_python(venv), "-I", "-c", "import pip"], capture_output=True)
    except OSError:
        return False
    return answer.returncode == 0


def has_torch(venv: Path) -> bool:
    """Whether torch is in this environment already."""
    return any(venv.glob("[Ll]ib/**/site-packages/torch"))


def remove(venv: Path) -> None:
    """Delete an environment, its course.json last: cut off half-way, it says "installing"."""
    if not venv.exists():
        return
    if read_state(venv).get("state") != "installing":  # on a full disk, writing would fail
        write_state(venv, state="installing")
    empty(venv, but=STATE_NAME)
    (venv / STATE_NAME).unlink()
    if not venv.is_symlink():  # a link to a larger disk is the reader's own and stays
        venv.rmdir()


def empty(folder: Path, but: str | None = None) -> None:
    """Delete all that is in a folder, except the entry with this name."""
    for entry in folder.iterdir():
        if entry.name == but:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def aside(venv: Path) -> Path:
    """Where an environment lies while the one that takes its place is made."""
    folder = venv.resolve() if venv.is_symlink() else venv
    return folder.with_name(folder.name + ASIDE)


def move_aside(venv: Path) -> None:
    """Rename an environment; if it is a link to a larger disk, what it leads to."""
    folder = venv.resolve() if venv.is_symlink() else venv
    folder.rename(aside(venv))
    if venv.is_symlink():
        folder.mkdir()


def put_back(venv: Path) -> None:
    """Undo `move_aside`; whatever lies in the place by now is deleted."""
    remove(venv)
    folder = venv.resolve() if venv.is_symlink() else venv
    if venv.is_symlink():
        folder.rmdir()
    aside(venv).rename(folder)


@contextmanager
def only_one(root: Path) -> Iterator[tuple[int, ...]]:
    """Wait until no other installation works in this folder, and keep others out.

    Yields the file descriptors that child processes must inherit: the lock then lives as long as
    the installer does, even if this process is killed. Without fcntl (Windows) there is no lock.
    """
    try:
        import fcntl
    except ImportError:
        yield ()
        return
    with (root / "pyproject.toml").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(gettext("Another installation is at work in this folder: waiting for its end."))
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # some network file systems cannot lock
            pass
        yield (file.fileno(),)


def say(text: str) -> None:
    """Tell the reader at once, also when the output goes to a file."""
    print(text, flush=True)


def runner(root: Path, keep_open: tuple[int, ...]) -> Run:
    """What runs commands in this folder, their output in view, and returns their exit status.

    At Ctrl-C a command gets time to end by itself, so that whole packages are left behind.
    """

    def run(command, environ=None):
        process = subprocess.Popen(command, cwd=root, env=environ, pass_fds=keep_open)
        try:
            return process.wait()
        except BaseException:
            try:
                process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            raise

    return run
