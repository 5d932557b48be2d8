"""Say what this machine has and what is missing: `course doctor`.

Nothing is installed, fetched or changed. What lies in the course's environment is asked of its own
Python, so that a report comes also where that is broken.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from helpers._columns import padded
from helpers.command import environment, installer, venv_folder, wanted
from helpers.command.files import Problem
from helpers.command.variables import course_variables
from helpers.command.verbs import Verb, extras_here
from helpers.language import gettext

PACKAGES = ("jupyterlab", "numpy", "torch", "torchvision", "matplotlib", "nbgrader", "nbval")
LABEL = 13
"""How many columns the names of the lines take."""


def main(given: list[str], root: Path, verbs: Mapping[str, Verb]) -> int:
    """Print the report; 1 only where the lessons cannot be opened."""
    parser = argparse.ArgumentParser(
        prog="course doctor", description=gettext("Say what this machine has, and what is missing.")
    )
    parser.parse_args(given)
    project = wanted.read_wanted(root).project
    version = gettext("{version}, in {folder}").format(version=project["version"], folder=root)
    line(gettext("course"), version)
    line(gettext("system"), f"{platform.platform()}")
    line(gettext("Python"), f"{platform.python_version()}, {sys.executable}")
    for variable in installer.CHOICES:
        try:
            installer.choice(variable)
        except Problem as problem:
            line(gettext("wrong"), str(problem))
            del os.environ[variable]
    python, works = show_environment(root)
    if works:
        environ = course_variables(os.environ, root, python.parents[1])
        sys.stdout.flush()
        command: list[str | Path] = [
            python,
            "-c",
            "from helpers.command.doctor import inside; inside()",
        ]
        works = subprocess.run(command, cwd=root, env=environ).returncode == 0
    print(f"\n{gettext('The verbs:')}")
    for verb in verbs.values():
        print(f"  {verb.name:<13}{what_is_missing(verb, root, works) or gettext('ready')}")
    if not works:
        print()
        print(gettext('The lessons cannot be opened yet: see "environment" above.'))
    return 0 if works else 1


def line(name: str, text: str) -> None:
    """One line of the report."""
    print(f"{padded(name and f'{name}:', LABEL)} {text}", flush=True)


def show_environment(root: Path) -> tuple[Path, bool]:
    """The Python that runs the lessons, and whether it is there; prints what can be said of it."""
    from helpers.command.main import is_conda, is_own

    if is_conda() and not is_own():
        line(gettext("environment"), gettext("conda's, {folder}").format(folder=sys.prefix))
        return Path(sys.executable), True
    venv = root / venv_folder.NAME
    python = venv_folder.venv_python(venv)
    state = venv_folder.read_state(venv)
    if not venv.exists():
        line(
            gettext("environment"),
            gettext("not made yet: course lab makes it (course setup, and nothing else)"),
        )
        return python, False
    if venv_folder.version_of(python) is None:
        line(
            gettext("environment"),
            gettext("{folder}: its Python does not run; course setup makes it again").format(
                folder=venv
            ),
        )
        return python, False
    if environment.is_ready(root, []):
        if state["extras"]:
            text = gettext("up to date, Python {version}, with {extras}")
        else:
            text = gettext("up to date, Python {version}")
        text = text.format(version=state["python"], extras=", ".join(state["extras"]))
    else:
        text = gettext(
            "there, but not as the course's files ask for; course setup brings it up to date"
        )
    line(gettext("environment"), f"{venv}: {text}")
    return python, True


def what_is_missing(verb: Verb, root: Path, works: bool) -> str | None:
    """What a verb needs that is not there, and how to get it; None if it needs nothing."""
    if verb.name == "update" and (root / ".git").exists() and not shutil.which("git"):
        return gettext("needs git")
    if verb.name in ("sandbox", "grade"):
        if sys.platform != "linux":
            return gettext("needs Linux: see solutions/grading.md for a container")
        if not shutil.which("bwrap"):
            return gettext("needs bubblewrap: sudo apt install bubblewrap")
    if verb.name == "e2e" and not has_browser(root):
        return gettext(
            "needs Chromium or Google Chrome; it looks for one and installs it if it can"
        )
    if not works and not verb.alone:
        return gettext("needs the environment")
    if verb.alone:
        return None
    extras = set(extras_here(verb, root)) - set(
        venv_folder.read_state(root / venv_folder.NAME).get("extras", [])
    )
    if extras and venv_folder.venv_python(root / venv_folder.NAME).exists():
        return gettext("ready; installs {extras} the first time").format(
            extras=", ".join(sorted(extras))
        )
    return None


def has_browser(root: Path) -> bool:
    """Whether tools/browser.py finds a browser without installing one."""
    done = subprocess.run(
        [sys.executable, root / "tools/browser.py", "--find"], capture_output=True
    )
    return done.returncode == 0


def inside() -> None:
    """The part of the report that the environment itself gives: packages, device, data."""
    import importlib.metadata

    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    line(gettext("packages"), ", ".join(found))
    if installer.choice("COURSE_INSTALLER") != "auto":
        line(gettext("installer"), os.environ["COURSE_INSTALLER"])

    try:
        from helpers.device import describe
    except ImportError as error:  # half-made, or broken by hand
        line(
            gettext("environment"),
            gettext("does not work ({error}); course setup repairs it").format(error=error),
        )
        sys.exit(1)
    _, *machine = str(describe()).splitlines()
    for index, text in enumerate(machine):
        line(gettext("machine") if index == 0 else "", text)
    line(gettext("data"), data())


def data() -> str:
    """What there is of MNIST. Nothing is downloaded."""
    from helpers.data import _mnist, load_mnist

    sample = load_mnist(source="sample").description
    there = os.environ.get("MNIST_ROOT") or (_mnist.cache_folder() / "MNIST").exists()
    if not there:
        return gettext(
            "{sample} The full set is downloaded (12 MB) when a lesson first needs it."
        ).format(sample=sample)
    try:
        return gettext("The full MNIST, intact, in {folder}.").format(
            folder=_mnist.find_full_mnist()
        )
    except _mnist.DataUnavailableError as error:
        return f"{error}"
