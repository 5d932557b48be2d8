"""helpers/command/main.py and verbs.py: the words of the command line."""

import contextlib
import json
import os
import re
import subprocess
import sys

import pytest

from helpers.command import doctor, environment, main, venv_folder, verbs, wanted
from helpers.command.files import Problem
from helpers.command.verbs import Verb, available, listing
from tests.support.lessons import ROOT
from tests.support.small_repository import repository

__all__ = ["repository"]  # a fixture


@pytest.fixture
def seen(monkeypatch):
    """Replaces all verbs by one that notes its arguments; starts no other process."""
    calls = []

    def run(root, given):
        calls.append((os.getcwd(), given, os.environ.get("JUPYTER_DATA_DIR")))
        return 3

    verb = Verb("draw", "learn", "draw", run, ("dev",), names=1)
    monkeypatch.setattr(main, "available", lambda root: {"draw": verb})
    monkeypatch.setattr(main, "is_own", lambda: True)
    monkeypatch.setattr(os, "environ", {**os.environ})
    monkeypatch.setenv(main.SET_UP, "1")
    monkeypatch.chdir(ROOT)
    return calls


def test_each_verb_is_listed_with_what_it_does():
    text = listing(ROOT)
    for verb in verbs.VERBS:
        assert re.search(rf"^  {verb.name}\b.*{re.escape(verb.what)}$", text, re.MULTILINE)


def test_a_copy_for_students_lists_no_verb_of_others(repository):
    names = set(available(repository))
    assert {"lab", "check", "doctor", "reset", "update", "test"} <= names
    assert not {"grade", "collect", "release", "assignments", "site", "sandbox"} & names
    assert "To teach with it" not in listing(repository)


def test_paths_are_those_of_the_readers_folder_and_names_stay(seen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "01").mkdir()
    (tmp_path / "batch.zip").touch()
    status = main.main(["draw", "01", "batch.zip", "batch.zip::x", "", "-v", "no-file"], True)
    assert status == 3
    (call,) = seen
    assert call[0] == str(ROOT)
    zip_path = str(tmp_path / "batch.zip")
    assert call[1] == ["01", zip_path, zip_path + "::x", "", "-v", "no-file"]
    assert call[2] is not None  # the course's own variables


def test_an_empty_path_stays_empty():
    """An empty SUBMISSIONS= must never become the folder in which the reader stands."""
    assert not verbs.is_path("")


def test_an_unknown_word_names_the_nearest(seen, capsys):
    assert main.main(["drow"], True) == 2
    assert capsys.readouterr().err == "There is no course drow. Do you mean course draw?\n"
    assert main.main(["xyz"], True) == 2
    assert "course alone lists what there is" in capsys.readouterr().err


def test_an_environment_of_ones_own_is_used_in_place(seen, monkeypatch, capsys):
    """conda's, or any other that the course was installed into: nothing is made or installed."""
    monkeypatch.setattr(main, "is_own", lambda: False)
    monkeypatch.delenv(main.SET_UP)
    monkeypatch.setattr(environment, "install", pytest.fail)
    monkeypatch.setattr(main, "missing_packages", lambda extras: [])
    assert main.main(["draw"], installed=True) == 3
    monkeypatch.setattr(main, "missing_packages", lambda extras: ["nbval>=0.11"])
    assert main.main(["draw"], installed=True) == 1
    assert 'pip install -c constraints.txt "nbval>=0.11"' in capsys.readouterr().err
    assert len(seen) == 1


def fails(*rest):
    raise Problem("no network")


def test_otherwise_the_environment_is_set_up_first(seen, monkeypatch, capsys):
    monkeypatch.setattr(main, "is_own", lambda: False)
    monkeypatch.delenv(main.SET_UP)
    steps = []
    monkeypatch.setattr(environment, "install", lambda root, extras, *rest: steps.append(extras))
    monkeypatch.setattr(main, "hand_over", lambda name, given: steps.append((name, given)) or 0)
    assert main.main(["draw", "x"], installed=False) == 0
    assert steps == [["dev"], ("draw", ["x"])]
    monkeypatch.setattr(environment, "install", fails)
    assert main.main(["draw"], installed=False) == 1
    assert capsys.readouterr().err == "\nno network\n"
    assert len(steps) == 2


@pytest.mark.parametrize(
    ("folder", "active", "expected"),
    [("cnn-course", "cnn-course", True), ("there", "cnn-course", True), ("there", "other", False)],
)
def test_the_conda_environment_is_known_by_its_name(
    monkeypatch, tmp_path, folder, active, expected
):
    (tmp_path / folder / "conda-meta").mkdir(parents=True)
    monkeypatch.setattr(main.sys, "prefix", str(tmp_path / folder))
    monkeypatch.setenv("CONDA_DEFAULT_ENV", active)
    assert main.is_conda() is expected
    (tmp_path / folder / "conda-meta").rmdir()
    assert not main.is_conda()


def test_packages_that_are_missing_are_found_by_name():
    missing = main.missing_packages(["dev"])
    assert not [requirement for requirement in missing if requirement.startswith("pytest>")]


def course(*arguments, cwd=ROOT, **variables):
    return subprocess.run(
        [sys.executable, ROOT / "course.py", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, main.SET_UP: "1", **variables},
    )


def test_check_works_from_any_folder(tmp_path):
    done = course("check", "77", cwd=tmp_path)
    assert done.returncode == 2
    assert "There is no assignment '77'" in done.stderr
    assert "01-convolution-by-hand" in done.stderr
    assert "Your assignments" in course("check", "", cwd=tmp_path).stdout


# --- doctor ------------------------------------------------------------------------------------


def test_doctor_reports_and_does_not_fail_for_what_only_some_verbs_need(tmp_path):
    done = course("doctor", cwd=tmp_path, PATH=str(tmp_path), COURSE_DEVICE="cpu")
    report = done.stdout
    if (ROOT / ".venv").exists():
        assert done.returncode == 0, done.stderr
        assert re.search(r"^packages: +jupyterlab [0-9.]+, numpy [0-9.]+, torch", report, re.M)
        assert re.search(r"^data: .*MNIST", report, re.M)
    else:
        assert "course lab makes it" in report
    assert re.search(r"^course: +[0-9.]+, in ", report, re.M)
    for name in available(ROOT):
        assert re.search(rf"^  {name} +\S", report, re.M)
    if sys.platform == "linux":
        assert re.search(r"^  grade +needs bubblewrap: sudo apt install", report, re.M)


def test_doctor_looks_for_mnist_wherever_a_lesson_does(tmp_path, monkeypatch):
    monkeypatch.delenv("MNIST_ROOT", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "The full set is downloaded" in doctor.data()
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "own"))
    assert doctor.data().startswith("MNIST_ROOT=")
    monkeypatch.delenv("MNIST_ROOT")
    (tmp_path / "cnn-course/MNIST").mkdir(parents=True)
    assert "The course's copy of MNIST is damaged" in doctor.data()


def test_doctor_says_what_is_wrong_with_an_environment(repository):
    def doctor():
        done = subprocess.run(
            [sys.executable, repository / "course.py", "doctor"],
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        return done.returncode, done.stdout

    assert doctor()[0] == 1
    assert "not made yet: course lab makes it" in doctor()[1]
    python = venv_folder.venv_python(repository / ".venv")
    python.parent.mkdir(parents=True)
    python.write_text("not a Python")
    python.chmod(0o755)
    assert doctor()[0] == 1
    assert "its Python does not run; course setup makes it again" in doctor()[1]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_of_the_output_may_go_away(unbuffered):
    """As in `course doctor | head -n 1`."""
    with subprocess.Popen(
        [sys.executable, ROOT / "course.py", "help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_variable_with_a_wrong_value_is_one_sentence(tmp_path):
    done = course("setup", COURSE_TORCH="gpu", COURSE_IS_SET_UP="")
    assert "Traceback" not in done.stderr
    assert "COURSE_TORCH=gpu: give it one of the values" in done.stderr
    assert done.returncode == 1


# --- clean -------------------------------------------------------------------------------------


def test_clean_deletes_what_can_be_made_again_and_nothing_else(repository, tmp_path):
    (tmp_path / "large").mkdir()
    (tmp_path / "large/package").mkdir()
    (repository / ".venv").symlink_to(tmp_path / "large")
    for name in ("build", "helpers/__pycache__", "notebooks", "grading"):
        (repository / name).mkdir()
    (repository / "notebooks/mine.ipynb").write_text(json.dumps({}))
    assert verbs.clean(repository, []) == 0
    left = {path.name for path in repository.iterdir()}
    assert {"notebooks", "grading", ".venv", "helpers"} <= left
    assert "build" not in left
    assert not (repository / "helpers/__pycache__").exists()
    assert list((tmp_path / "large").iterdir()) == []
    assert (repository / "notebooks/mine.ipynb").exists()


def test_clean_waits_for_whoever_installs_and_takes_no_argument_for_a_yes(
    repository, monkeypatch, capsys
):
    (repository / "build").mkdir()
    for given in (["--help"], ["everything"]):
        with pytest.raises(SystemExit):
            verbs.clean(repository, given)
    assert (repository / "build").exists()
    held = []

    @contextlib.contextmanager
    def only_one(root):
        held.append(True)
        yield
        held.append((repository / "build").exists())

    monkeypatch.setattr(venv_folder, "only_one", only_one)
    verbs.clean(repository, [])
    assert held == [True, False]


def test_help_needs_no_environment(repository):
    for words in (["check", "--help"], ["help", "check"], ["setup", "--help"]):
        done = subprocess.run(
            [sys.executable, repository / "course.py", *words], capture_output=True, text=True
        )
        assert done.returncode == 0
        assert re.match(r"course (check 01|setup): ", done.stdout), done.stdout
    assert not (repository / ".venv").exists()


@pytest.mark.parametrize("is_ready", [False, True])
def test_doctor_names_a_variable_that_means_nothing(repository, is_ready):
    folder = repository / ".venv"
    venv_folder.venv_python(folder).parent.mkdir(parents=True)
    venv_folder.venv_python(folder).symlink_to(sys.executable)
    asked = wanted.read_wanted(repository)
    venv_folder.write_state(
        folder,
        state="ready" if is_ready else "installing",
        folder=str(repository),
        extras=[],
        packages=asked.packages,
        link=asked.link,
        python="{}.{}".format(*sys.version_info),
        torch="cuda",
    )
    if is_ready:
        assert environment.is_ready(repository, [])
    done = subprocess.run(
        [sys.executable, repository / "course.py", "doctor"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "COURSE_TORCH": "gpu"},
    )
    assert "wrong:" in done.stdout
    assert "The verbs:" in done.stdout


def test_a_test_run_takes_the_paths_that_are_given(monkeypatch):
    calls = []
    monkeypatch.setattr(verbs, "python", lambda root, *arguments: calls.append(arguments) or 0)
    verbs.test(ROOT, [])
    verbs.test(ROOT, ["-k", "shapes", str(ROOT / "tests")])
    assert calls[0][-2:] == ("tests", "notebooks")
    assert calls[1][-3:] == ("-k", "shapes", str(ROOT / "tests"))
    assert "notebooks" not in calls[1]
    verbs.sandbox(ROOT, [])
    verbs.sandbox(ROOT, [str(ROOT / "tests/grader")])
    assert calls[2][-1:] == ("tests",)
    assert calls[3][-2:] == ("sandbox", str(ROOT / "tests/grader"))
    monkeypatch.setenv("CHROMIUM", "")  # which the verb sets
    found = subprocess.CompletedProcess([], 0, stdout="/usr/bin/chromium\n")
    monkeypatch.setattr(verbs.subprocess, "run", lambda *_, **__: found)
    verbs.e2e(ROOT, [])
    verbs.e2e(ROOT, [str(ROOT / "tests/e2e/test_lab.py")])
    assert calls[4][-2:] == ("e2e", "tests/e2e")
    assert calls[5][-2:] == ("e2e", str(ROOT / "tests/e2e/test_lab.py"))
