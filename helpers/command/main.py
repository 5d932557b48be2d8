"""From the words on the command line to a verb, in the environment that it needs."""

from __future__ import annotations

import difflib
import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import course
from helpers.command import environment, venv_folder
from helpers.command.files import ROOT, Problem
from helpers.command.variables import LANGUAGE, chosen_language, course_variables
from helpers.command.verbs import Verb, available, extras_here, is_path, listing
from helpers.command.wanted import read_wanted
from helpers.language import MESSAGES, gettext, translated

SET_UP = "COURSE_IS_SET_UP"
"""Tells the call inside the environment that the one outside has just seen to it."""


def main(arguments: Sequence[str], installed: bool) -> int:
    """Run a verb; returns the exit status, also at Ctrl-C and for a reader that went away."""
    if language := chosen_language(os.environ, ROOT):
        os.environ[LANGUAGE] = language
    try:
        done = run(arguments, installed)
        sys.stdout.flush()
        return done
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{gettext('Stopped.')}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # such as `course doctor | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def run(arguments: Sequence[str], installed: bool) -> int:
    """Run a verb; returns the exit status.

    `installed`: this Python's environment has the course installed, so that nothing is set up,
    unless it is the course's own.
    """
    name, *given = arguments or ["help"]
    if name in ("help", "-h", "--help", ""):
        name, given = (given[0], ["--help"]) if given else ("", [])
    if name == "--version":
        print(read_wanted(ROOT).project["version"])
        return 0
    if not name:
        print(listing(ROOT))
        return 0
    verb = available(ROOT).get(name)
    if verb is None:
        print(unknown(name), file=sys.stderr)
        return 2
    if {"-h", "--help"} & set(given) and not explains_itself(verb):
        print(f"course {f'{verb.name} {verb.usage}'.strip()}: {translated(verb.what, MESSAGES)}")
        if verb.name != "setup":
            print(gettext("It says more when the course is set up: course setup"))
        return 0
    # Paths are those of the folder in which the reader stands; the verbs work in the course's.
    for index, part in enumerate(given):
        if index >= verb.names and is_path(part):
            given[index] = os.path.abspath(part)
    os.chdir(ROOT)
    if verb.alone:
        return status(verb.run(ROOT, given))
    if os.environ.pop(SET_UP, None) or (not is_own() and (installed or is_conda())):
        missing = [] if is_own() else missing_packages(extras_here(verb, ROOT))
        if missing:
            print(missing_text(verb, missing), file=sys.stderr)
            return 1
        environ = course_variables(os.environ, ROOT, Path(sys.prefix))
        os.environ.clear()
        os.environ.update(environ)
        return status(verb.run(ROOT, given))
    supported = ["{}.{}".format(*version) for version in course.supported_versions()]
    extras = given if verb.name == "setup" else extras_here(verb, ROOT)
    environment.install(ROOT, extras, supported, course.find_python)
    return hand_over(verb.name, given)


def explains_itself(verb: Verb) -> bool:
    """Whether the verb can be asked for its own help, without installing anything first."""
    if verb.name == "setup":
        return False
    if verb.alone or os.environ.get(SET_UP) or is_conda():
        return True
    return environment.is_ready(ROOT, extras_here(verb, ROOT))


def status(value: int | None) -> int:
    return 0 if value is None else value


def unknown(name: str) -> str:
    """What to say to a word that is no verb."""
    close = difflib.get_close_matches(name.lower(), available(ROOT), n=1)
    hint = (
        gettext("Do you mean course {verb}?").format(verb=close[0])
        if close
        else gettext("course alone lists what there is.")
    )
    return gettext("There is no course {name}. {hint}").format(name=name, hint=hint)


def is_own() -> bool:
    """Whether this Python is that of .venv."""
    return os.path.realpath(sys.prefix) == os.path.realpath(ROOT / venv_folder.NAME)


def is_conda() -> bool:
    """Whether this Python is that of a conda environment with the name in environment.yml."""
    prefix = Path(sys.prefix)
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    found = re.search(r"^name: (\S+)$", text, re.MULTILINE)
    names = (prefix.name, os.environ.get("CONDA_DEFAULT_ENV"))
    return (prefix / "conda-meta").is_dir() and found is not None and found[1] in names


def missing_packages(extras: Sequence[str]) -> list[str]:
    """What these extras ask for and this environment does not have."""
    wanted = read_wanted(ROOT)
    missing = []
    for requirement in wanted.requirements(extras):
        name = re.split(r"[^A-Za-z0-9._-]", requirement)[0]
        try:
            importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(requirement)
    return missing


def missing_text(verb: Verb, missing: Sequence[str]) -> str:
    listed = " ".join(f'"{requirement}"' for requirement in missing)
    return gettext(
        "course {verb} needs packages that this environment ({folder}) does not have. "
        "Install them: python -m pip install -c constraints.txt {listed}"
    ).format(verb=verb.name, folder=sys.prefix, listed=listed)


def hand_over(name: str, given: Sequence[str]) -> int:
    """Run the verb with the Python of .venv."""
    venv = ROOT / venv_folder.NAME
    environ = course_variables(os.environ, ROOT, venv)
    environ[SET_UP] = "1"
    command = [str(venv_folder.venv_python(venv)), str(ROOT / "course.py"), name, *given]
    sys.stdout.flush()
    if os.name == "nt":  # there, exec would give the prompt back before the work is done
        return subprocess.call(command, env=environ)
    os.execve(command[0], command, environ)
