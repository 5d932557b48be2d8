"""The course's virtual environment: when to make it, when to mend it, when to leave it alone.

Everything is decided by one small file inside it, `.venv/course.json`:

- "installing" is written before anything is installed. Whoever finds it, with nobody at work,
  knows that the computer went off in the middle, and begins afresh.
- "ready" is written at the very end, with a fingerprint of pyproject.toml and constraints.txt,
  the Python, the folder (an environment does not work any more when it is moved) and the extras.
  As long as all of them still hold there is nothing to do.
- "failed" means that pip gave up in an environment that worked before: pip has to run again.

Used through install.py, which sees to it that the running Python is new enough.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE_NAME = "course.json"

# Free space, in GB of 10^9 bytes, that an installation from nothing needs: what lies on the disk
# at the end, and the largest download beside it. torch for Linux brings NVIDIA's libraries along.
GB_WITH_CUDA = 9
GB_WITHOUT_CUDA = 3
GB_FOR_THE_REST = 1  # torch is there already

SECONDS_FOR_PIP_TO_STOP = 15


class Problem(Exception):
    """Something the reader has to put right; the message says what and how."""


# --- what there is -----------------------------------------------------------------------------


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
    new = venv / (STATE_NAME + ".new")
    new.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    new.replace(venv / STATE_NAME)


def fingerprint(root: Path) -> str:
    """A digest of the two files that decide what gets installed."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def python_version(venv: Path) -> str | None:
    """The version of the environment's Python ("3.12"); None if it does not run."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [venv_python(venv), "-I", "-S", "-c", question], capture_output=True, text=True
        )
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def has_pip(venv: Path) -> bool:
    """Whether the environment's Python can import pip."""
    answer = subprocess.run([venv_python(venv), "-I", "-c", "import pip"], capture_output=True)
    return answer.returncode == 0


def is_ready(root: Path, extras: Sequence[str]) -> bool:
    """Whether root/.venv holds the course and these extras, as the files ask for today."""
    venv = root / ".venv"
    state = read_state(venv)
    return (
        state.get("state") == "ready"
        and state.get("folder") == str(root)
        and set(extras) <= set(state.get("extras", []))
        and state.get("fingerprint") == fingerprint(root)
        and state.get("python") == python_version(venv)
    )


def why_afresh(root: Path, supported: Sequence[str]) -> str | None:
    """Why root/.venv can only be made again from nothing; None if it can be kept or is not there.

    Raises Problem for an environment that is not usable and was not made here: it may be
    somebody's own, so it is not deleted.
    """
    venv = root / ".venv"
    if not venv.exists() or not any(venv.iterdir()):
        return None
    state = read_state(venv)
    version = python_version(venv)
    if not state:
        if version is None or not has_pip(venv):
            raise Problem(
                f"{venv} was not made by this command, and its Python does not run or has no pip: "
                "delete or rename that folder (`make clean` deletes it), then run the same "
                "command again."
            )
        return None
    if state.get("state") == "installing":
        return "the last installation was cut off"
    if state.get("folder") != str(root):
        return f"this folder was moved or copied, from {state.get('folder')}"
    if version is None:
        return f"the Python {state.get('python')} that it was made with is gone"
    if version != state.get("python"):
        return f"its Python changed from {state.get('python')} to {version}"
    if version not in supported:
        return f"its Python {version} is not one of those the course works with by now"
    return None


# --- checks before anything is made ------------------------------------------------------------


def check_extras(root: Path, extras: Sequence[str]) -> None:
    """Raise Problem for an extra that pyproject.toml does not have (pip would only warn)."""
    with (root / "pyproject.toml").open("rb") as file:
        known = sorted(tomllib.load(file)["project"].get("optional-dependencies", {}))
    for extra in extras:
        if extra not in known:
            raise Problem(
                f"pyproject.toml has no extra called {extra!r}: take one of {', '.join(known)}."
            )


def check_venv_module() -> None:
    """Raise Problem if this Python cannot make environments (Debian ships it in two parts)."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = "python{}.{}-venv".format(*sys.version_info)
    raise Problem(
        f"This Python ({sys.executable}) cannot make environments, because its venv module is "
        f"missing: run `sudo apt install {package}` (Debian, Ubuntu; elsewhere install Python "
        "again in full), then run the same command again."
    )


def needed_gb(venv: Path) -> int:
    """How many GB the installation may take."""
    if any(venv.glob("[Ll]ib/**/site-packages/torch")):
        return GB_FOR_THE_REST
    other_index = os.environ.get("PIP_EXTRA_INDEX_URL") or os.environ.get("PIP_INDEX_URL")
    if sys.platform == "linux" and not other_index:
        return GB_WITH_CUDA
    return GB_WITHOUT_CUDA


def check_disk(root: Path) -> None:
    """Raise Problem if the disk that .venv lies on has too little room."""
    venv = root / ".venv"
    needed = needed_gb(venv)
    free = shutil.disk_usage(venv if venv.exists() else root).free / 1e9
    if free >= needed:
        return
    advice = "make room"
    if needed == GB_WITH_CUDA:
        advice += (
            f", or, without an NVIDIA card, install the CPU build of torch, which needs about "
            f"{GB_WITHOUT_CUDA} GB (README.md says how)"
        )
    raise Problem(
        f"The disk is too full: the installation needs about {needed} GB, and {free:.1f} GB are "
        f"free where {root} lies: {advice}, then run the same command again."
    )


# --- doing it ----------------------------------------------------------------------------------


@contextmanager
def only_one(root: Path) -> Iterator[tuple[int, ...]]:
    """Wait until no other installation works in this folder, and keep others out.

    Yields the file descriptors that child processes must inherit: the lock then lives as long as
    pip does, even if this process is killed. Without fcntl (Windows) there is no lock.
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
            print(
                "Another installation is at work in this folder: waiting for its end.", flush=True
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # some network file systems cannot lock
            pass
        yield (file.fileno(),)


def run(command: Sequence[str | Path], root: Path, keep_open: tuple[int, ...]) -> int:
    """Run a command, its output in view, and return its exit status.

    At Ctrl-C the command gets time to end by itself, so that pip leaves whole packages behind.
    """
    process = subprocess.Popen(command, cwd=root, pass_fds=keep_open)
    try:
        return process.wait()
    except BaseException:
        try:
            process.wait(SECONDS_FOR_PIP_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def remove(venv: Path) -> None:
    """Delete an environment, its course.json last: cut off half-way, it still says "installing"."""
    if read_state(venv).get("state") != "installing":  # on a full disk, writing would fail
        write_state(venv, state="installing")
    for entry in venv.iterdir():
        if entry.name == STATE_NAME:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    (venv / STATE_NAME).unlink()
    if not venv.is_symlink():  # a link to a larger disk is the reader's own and stays
        venv.rmdir()


def install(root: Path, extras: Sequence[str], supported: Sequence[str]) -> None:
    """Make root/.venv hold the course with these extras; do nothing if it does already.

    `supported` lists the Pythons that the course works with ("3.11"), this one among them. Extras
    that were installed before stay. Raises Problem if something is missing; then a .venv
    made by this call is gone again, and one that was there before is tried again the next time.
    """
    if is_ready(root, extras):
        return
    check_extras(root, extras)
    with only_one(root) as lock:
        if not is_ready(root, extras):  # nobody else has done it meanwhile
            bring_up_to_date(root, extras, supported, lock)


def bring_up_to_date(
    root: Path, extras: Sequence[str], supported: Sequence[str], lock: tuple[int, ...]
) -> None:
    """Make, mend or add to root/.venv; the caller holds the lock."""
    venv = root / ".venv"
    reason = why_afresh(root, supported)
    make = reason is not None or not venv_python(venv).exists()
    if make:
        check_venv_module()
    if reason is not None:
        print(f"Making .venv afresh: {reason}.", flush=True)
        remove(venv)
    check_disk(root)

    wanted = sorted({*extras, *read_state(venv).get("extras", [])})
    version = None if make else python_version(venv)
    venv.mkdir(exist_ok=True)
    write_state(venv, state="installing")
    try:
        if make:
            print(f"Making .venv with Python {sys.version.split()[0]}.", flush=True)
            if run([sys.executable, "-m", "venv", venv], root, lock):
                raise Problem("Python could not make .venv; its own message is above.")
            version = python_version(venv)
        target = "." + (f"[{','.join(wanted)}]" if wanted else "")
        print(f"Installing {target} into .venv; the first time this takes minutes.", flush=True)
        pip = [venv_python(venv), "-m", "pip", "--disable-pip-version-check", "install"]
        if run([*pip, "-c", "constraints.txt", "-e", target], root, lock):
            raise Problem(
                "The installation failed: pip's own messages are above, the last ones say why "
                "(often no network, or no room on the disk)."
            )
    except (Problem, KeyboardInterrupt) as error:
        said = str(error) or "Stopped."
        if make:
            remove(venv)
            said += " Nothing was left behind: run the same command again to begin afresh."
        else:
            write_state(venv, state="failed", folder=str(root), python=version, extras=wanted)
            said += " Run the same command again to go on."
        raise Problem(said) from None
    write_state(
        venv,
        state="ready",
        fingerprint=fingerprint(root),
        folder=str(root),
        python=version,
        extras=wanted,
    )


def main(extras: Sequence[str], supported: Sequence[str]) -> int:
    """Install, and turn whatever goes wrong into one sentence and a non-zero exit status."""
    try:
        install(ROOT, extras, supported)
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    except OSError as error:
        print(
            f"\nThe installation could not go on: {error}. Put that right (is the folder yours to "
            "write in? is there room on the disk?), then run the same command again.",
            file=sys.stderr,
        )
        return 1
    return 0
