"""helpers/command/doctor.py: each line of the report, from a machine that is made up."""

import importlib.metadata
import os
import platform
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import helpers.device
from helpers.command import doctor, environment, main, venv_folder
from helpers.command.verbs import Verb
from helpers.data import _mnist
from tests.support.small_repository import repository

__all__ = ["repository"]  # a fixture


@pytest.fixture
def machine(monkeypatch):
    """A Linux machine outside conda, whose environment has Python 3.12, and git and bwrap."""
    monkeypatch.setattr(main, "is_conda", lambda: False)
    monkeypatch.setattr(main, "is_own", lambda: False)
    monkeypatch.setattr(venv_folder, "version_of", lambda python: "3.12")
    monkeypatch.setattr(doctor, "has_browser", lambda root: True)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sys, "platform", "linux")
    return monkeypatch


# --- the environment ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extras", "is_ready", "said"),
    [
        ([], True, "up to date, Python 3.12"),
        (["dev", "e2e"], True, "up to date, Python 3.12, with dev, e2e"),
        (
            ["dev"],
            False,
            "there, but not as the course's files ask for; course setup brings it up to date",
        ),
    ],
)
def test_an_environment_is_told_with_its_python_and_extras(
    tmp_path, machine, capsys, extras, is_ready, said
):
    venv = tmp_path / ".venv"
    venv_folder.write_state(venv, python="3.12", extras=extras)
    asked = []
    machine.setattr(environment, "is_ready", lambda *given: asked.append(given) or is_ready)
    assert doctor.show_environment(tmp_path) == (venv_folder.venv_python(venv), True)
    assert capsys.readouterr().out == f"environment:  {venv}: {said}\n"
    assert asked == [(tmp_path, [])]


def test_an_environment_that_is_not_there_or_does_not_run_is_told(tmp_path, machine, capsys):
    venv = tmp_path / ".venv"
    python = venv_folder.venv_python(venv)
    machine.setattr(environment, "is_ready", pytest.fail)
    assert doctor.show_environment(tmp_path) == (python, False)
    assert capsys.readouterr().out == (
        "environment:  not made yet: course lab makes it (course setup, and nothing else)\n"
    )
    venv.mkdir()
    machine.setattr(venv_folder, "version_of", lambda python: None)
    assert doctor.show_environment(tmp_path) == (python, False)
    assert capsys.readouterr().out == (
        f"environment:  {venv}: its Python does not run; course setup makes it again\n"
    )


@pytest.mark.parametrize("is_own", [False, True])
def test_condas_environment_counts_unless_the_course_has_its_own(tmp_path, machine, capsys, is_own):
    machine.setattr(main, "is_conda", lambda: True)
    machine.setattr(main, "is_own", lambda: is_own)
    python, works = doctor.show_environment(tmp_path)
    if is_own:
        assert not works
    else:
        assert (python, works) == (Path(sys.executable), True)
        assert capsys.readouterr().out == f"environment:  conda's, {sys.prefix}\n"


# --- what the verbs need -----------------------------------------------------------------------


def missing(root, name, works=True, **about):
    verb = Verb(name, "learn", name, lambda root, given: 0, **about)
    return doctor.what_is_missing(verb, root, works)


def test_update_needs_git_in_a_clone_alone(tmp_path, machine):
    assert missing(tmp_path, "update", alone=True) is None
    (tmp_path / ".git").mkdir()
    assert missing(tmp_path, "update", alone=True) is None
    machine.setattr(shutil, "which", lambda name: None)
    assert missing(tmp_path, "update", alone=True) == "needs git"
    assert missing(tmp_path, "reset", alone=True) is None
    (tmp_path / ".git").rmdir()
    assert missing(tmp_path, "update", alone=True) is None


@pytest.mark.parametrize("name", ["sandbox", "grade"])
def test_grading_needs_linux_and_bubblewrap(tmp_path, machine, name):
    assert missing(tmp_path, name) is None
    machine.setattr(shutil, "which", lambda name: None if name == "bwrap" else name)
    assert missing(tmp_path, name) == "needs bubblewrap: sudo apt install bubblewrap"
    assert missing(tmp_path, "check") is None
    machine.setattr(sys, "platform", "darwin")
    assert missing(tmp_path, name) == "needs Linux: see solutions/grading.md for a container"
    assert missing(tmp_path, "check") is None


def test_the_browser_tests_need_a_browser(tmp_path, machine):
    assert missing(tmp_path, "e2e") is None
    machine.setattr(doctor, "has_browser", lambda root: False)
    assert missing(tmp_path, "check") is None
    assert missing(tmp_path, "e2e") == (
        "needs Chromium or Google Chrome; it looks for one and installs it if it can"
    )


@pytest.mark.parametrize("status", [0, 1])
def test_the_tool_that_starts_browsers_is_asked_for_one(tmp_path, monkeypatch, status):
    asked = []

    def run(command, **rest):
        asked.append(command)
        return SimpleNamespace(returncode=status)

    monkeypatch.setattr(doctor.subprocess, "run", run)
    assert doctor.has_browser(tmp_path) is (status == 0)
    assert asked == [[sys.executable, tmp_path / "tools/browser.py", "--find"]]


def test_without_an_environment_only_some_verbs_are_ready(tmp_path, machine):
    assert missing(tmp_path, "check", works=False) == "needs the environment"
    assert missing(tmp_path, "doctor", works=False, alone=True) is None


def test_what_a_verb_installs_the_first_time_is_named(tmp_path, machine):
    (tmp_path / "solutions").mkdir()
    about = {"extras": ("instructor", "dev", "e2e")}
    assert missing(tmp_path, "lint", **about) is None  # conda's: nothing is installed into it
    python = venv_folder.venv_python(tmp_path / ".venv")
    python.parent.mkdir(parents=True)
    python.touch()
    venv_folder.write_state(tmp_path / ".venv", extras=["e2e"])
    said = "ready; installs dev, instructor the first time"
    assert missing(tmp_path, "lint", **about) == said
    assert missing(tmp_path, "lint", alone=True, **about) is None
    venv_folder.write_state(tmp_path / ".venv", extras=["dev", "e2e", "instructor"])
    assert missing(tmp_path, "lint", **about) is None


# --- the whole ---------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("status", [0, 1])
def test_the_report_ends_with_1_only_where_the_lessons_cannot_be_opened(
    repository, machine, capsys, there, status
):
    asked, system = [], platform.platform()  # which may run a program itself

    def run(command, cwd, env):
        asked.append((command[0], cwd, "JUPYTER_DATA_DIR" in env))
        return SimpleNamespace(returncode=status)

    python = repository / ".venv/bin/python"
    machine.setattr(doctor, "show_environment", lambda root: (python, there))
    machine.setattr(doctor.subprocess, "run", run)
    machine.setattr(os, "environ", {**os.environ, "COURSE_TORCH": "gpu", "COURSE_INSTALLER": "x"})
    verbs = {
        name: Verb(name, "learn", name, lambda root, given: 0, alone=name == "reset")
        for name in ("lab", "reset")
    }
    works = there and status == 0
    assert doctor.main([], repository, verbs) == (0 if works else 1)
    assert asked == ([(python, repository, True)] if there else [])
    lines = [
        f"course:       1.0, in {repository}",
        f"system:       {system}",
        f"Python:       {platform.python_version()}, {sys.executable}",
        "wrong:        COURSE_INSTALLER=x: give it one of the values uv, pip, auto.",
        "wrong:        COURSE_TORCH=gpu: give it one of the values cpu, cuda, auto.",
        "",
        "The verbs:",
        f"  lab          {'ready' if works else 'needs the environment'}",
        "  reset        ready",
    ]
    if not works:
        lines += ["", 'The lessons cannot be opened yet: see "environment" above.']
    assert capsys.readouterr().out.splitlines() == lines
    assert not {"COURSE_TORCH", "COURSE_INSTALLER"} & set(os.environ)


@pytest.fixture
def inside(monkeypatch):
    """Made-up packages, one of them missing, a machine of two lines and its data."""

    def version(name):
        if name == "nbgrader":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(helpers.device, "describe", lambda: "title\nfirst\nsecond")
    monkeypatch.setattr(doctor, "data", lambda: "some")
    monkeypatch.delenv("COURSE_INSTALLER", raising=False)
    return monkeypatch


PACKAGES = "packages:     " + ", ".join(
    f"{name} 1.2" for name in ("jupyterlab", "numpy", "torch", "torchvision", "matplotlib", "nbval")
)


@pytest.mark.parametrize("installer", ["", "auto", "pip"])
def test_the_environment_tells_its_packages_machine_and_data(inside, capsys, installer):
    inside.setenv("COURSE_INSTALLER", installer)
    doctor.inside()
    assert capsys.readouterr().out.splitlines() == [
        PACKAGES,
        *(["installer:    pip"] if installer == "pip" else []),
        "machine:      first",
        "              second",
        "data:         some",
    ]


def test_an_environment_that_was_broken_by_hand_is_said_with_the_reason(inside, capsys):
    inside.setitem(sys.modules, "helpers.device", None)
    with pytest.raises(SystemExit) as end:
        doctor.inside()
    assert end.value.code == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == PACKAGES
    assert said[1].startswith("environment:  does not work (import of helpers.device halted")
    assert said[1].endswith("); course setup repairs it")
    assert len(said) == 2


def test_a_whole_mnist_is_named_with_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    monkeypatch.setattr(_mnist, "find_full_mnist", lambda: tmp_path)
    assert doctor.data() == f"The full MNIST, intact, in {tmp_path}."
