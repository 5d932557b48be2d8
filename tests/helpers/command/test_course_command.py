"""helpers/command/main.py and verbs.py: the words of the command line."""

import contextlib
import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from helpers.assignment import __main__ as check
from helpers.command import doctor, environment, main, reset, update, venv_folder, verbs, wanted
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
    [
        *(("cnn-course", "cnn-course", True), ("there", "cnn-course", True)),
        *(("cnn-course", "base", True), ("there", "other", False), ("cnn-course.old", "", False)),
    ],
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


def test_clean_deletes_what_can_be_made_again_and_nothing_else(repository, tmp_path, capsys):
    (tmp_path / "large").mkdir()
    (tmp_path / "large/package").mkdir()
    (repository / ".venv").symlink_to(tmp_path / "large")
    for name in ("build", "helpers/__pycache__", "notebooks", "grading"):
        (repository / name).mkdir()
    (repository / "notebooks/mine.ipynb").write_text(json.dumps({}))
    assert verbs.clean(repository, []) == 0
    assert capsys.readouterr().out == (
        "Deleted: the environments and the caches. Your notebooks and the data are as they were.\n"
    )
    left = {path.name for path in repository.iterdir()}
    assert {"notebooks", "grading", ".venv", "helpers"} <= left
    assert "build" not in left
    assert not (repository / "helpers/__pycache__").exists()
    assert list((tmp_path / "large").iterdir()) == []
    assert (repository / "notebooks/mine.ipynb").exists()


@pytest.mark.parametrize(
    "name",
    [
        *(".venv", ".venv-before", ".venv-site", ".jupyter", "build", "small.egg-info"),
        *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
        *(f"{folder}/a/__pycache__" for folder in ("helpers", "grader", "tests", "tools")),
        *("site/a/__pycache__", "solutions/a/__pycache__"),
    ],
)
def test_clean_deletes_each_cache(tmp_path, name):
    (tmp_path / name).mkdir(parents=True)
    (tmp_path / name / "made").touch()
    mine = (tmp_path / name).parent / "mine"
    mine.touch()
    verbs.delete_what_can_be_made_again(tmp_path)
    assert not (tmp_path / name).exists()
    assert mine.exists()


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

    def called(verb, *given):
        assert verb(ROOT, list(given)) == 0
        return " ".join(map(str, calls.pop()))

    spread = "-m pytest -n auto --maxprocesses {} --dist loadfile -m {} "
    alone = spread.format(4, "not e2e and not sandbox and not slow")
    alone += "--nbval --nbval-current-env --nbval-cell-timeout=300 "
    assert called(verbs.test) == alone + "tests notebooks"
    tests = str(ROOT / "tests")
    assert called(verbs.test, "-k", "shapes", tests) == f"{alone}-k shapes {tests}"
    assert called(verbs.test, "-k", "shapes") == f"{alone}tests notebooks -k shapes"
    sandbox = spread.format(2, "sandbox")
    assert called(verbs.sandbox) == f"{sandbox}tests"
    assert called(verbs.sandbox, "-x", tests) == f"{sandbox}-x {tests}"
    monkeypatch.setenv("CHROMIUM", "")  # which the verb sets
    found = subprocess.CompletedProcess([], 0, stdout="/usr/bin/chromium\n")
    asked = []
    monkeypatch.setattr(verbs.subprocess, "run", lambda *given, **__: asked.append(given) or found)
    e2e = spread.format(2, "e2e and not report")
    assert called(verbs.e2e) == f"{e2e}tests/e2e"
    assert os.environ["CHROMIUM"] == "/usr/bin/chromium"
    assert asked == [([sys.executable, ROOT / "tools/browser.py"],)]
    lab = str(ROOT / "tests/e2e/test_lab.py")
    assert called(verbs.e2e, lab) == e2e + lab
    found.returncode = 3
    assert verbs.e2e(ROOT, []) == 3
    assert calls == []


def test_a_test_run_names_what_it_leaves_out(repository, monkeypatch, capsys):
    monkeypatch.setattr(verbs, "python", lambda root, *arguments: 0)
    verbs.test(ROOT, [])
    said = "Not part of this: the tests of course sandbox and of course e2e.\n"
    assert capsys.readouterr().out == said
    verbs.test(ROOT, [str(ROOT / "tests")])
    verbs.test(repository, [])  # for students: without solutions and tests
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("fails", "status"), [(None, 0), ("ruff", 1), ("mypy", 1), ("deptry", 1)])
def test_lint_shows_everything_in_one_call(tmp_path, monkeypatch, fails, status):
    for name in ("helpers", "grader"):
        (tmp_path / name).mkdir()
    calls = []

    def python(root, *arguments):
        calls.append(" ".join(arguments))
        return int(arguments[1] == fails)

    monkeypatch.setattr(verbs, "python", python)
    assert verbs.lint(tmp_path, []) == status
    others = "instructor,cluster,dev,e2e"
    assert calls == [
        "-m ruff check",
        "-m ruff format --check",
        "-m mypy helpers grader",
        "-m deptry .",
        "-m deptry helpers notebooks assignments --optional-dependencies-dev-groups "
        f"{others} --ignore DEP001,DEP002,DEP003",
    ]
    calls.clear()
    assert verbs.style(tmp_path, []) == int(fails == "ruff")
    assert calls == ["-m ruff check --fix", "-m ruff format"]


# --- all of them -------------------------------------------------------------------------------


def test_the_verbs_stand_in_three_groups_under_their_headings():
    groups = {}
    for block in listing(ROOT).split("\n\n"):
        heading, *lines = block.splitlines()
        groups[heading] = {line.split()[0] for line in lines}
    assert groups == {
        "Say course, or make, and one of these words:": set(),
        "To learn with the course:": {
            *("lab", "check", "doctor", "reset", "update", "test", "setup", "clean"),
        },
        "To change the course:": {
            *("lint", "format", "notebooks", "sandbox", "e2e", "mutate", "translate"),
            *("constraints", "digit-net", "site"),
        },
        "To teach with it:": {
            *("assignments", "new", "release", "collect", "grade", "roster", "feedback"),
            *("export", "statistics", "new-seed"),
        },
    }
    assert list(groups)[1].startswith("To learn")
    assert "\n  check 01              check an assignment before you hand it in\n" in listing(ROOT)


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("notebooks", "tools/notebooks.py"),
        ("mutate", "-m tools.mutate"),
        ("translate", "-m tools.translate"),
        ("constraints", "tools/constraints.py"),
        ("digit-net", "tools/export_digit_net.py"),
        ("site", "tools/website.py"),
        ("assignments", "-m grader.authoring.release assignments"),
        ("new", "-m grader.authoring.new"),
        ("release", "-m grader.authoring.release students"),
        ("collect", "-m grader.command.collect"),
        ("grade", "-m grader.command.grade"),
        ("roster", "-m grader.command.roster"),
        ("feedback", "-m grader.command.feedback"),
        ("export", "-m grader.command.export"),
        ("statistics", "-m grader.command.statistics"),
        ("new-seed", "-m grader.command.new_seed"),
    ],
)
def test_a_verb_starts_its_own_program(monkeypatch, name, program):
    calls = []
    monkeypatch.setattr(verbs, "python", lambda *arguments: calls.append(arguments) or 7)
    assert available(ROOT)[name].run(ROOT, ["--x", "y"]) == 7
    assert calls == [(ROOT, *program.split(), "--x", "y")]


def test_what_a_verb_works_on_has_to_be_there(tmp_path):
    everywhere = {"lab", "check", "doctor", "reset", "update", "test", "setup", "clean"}
    assert set(available(tmp_path)) == everywhere
    brought = {
        "tests": {"lint", "format", "e2e"},
        "tools": {"notebooks", "constraints", "digit-net"},
        "tools/translate": {"translate"},
        "site": {"site"},
        "solutions": {
            *("sandbox", "mutate", "assignments", "new", "release", "collect", "grade"),
            *("roster", "feedback", "export", "statistics", "new-seed"),
        },
    }
    for folder, names in brought.items():
        before = set(available(tmp_path))
        (tmp_path / folder).mkdir()
        assert set(available(tmp_path)) - before == names


def test_verbs_that_mend_the_course_need_no_environment():
    alone = {verb.name for verb in verbs.VERBS if verb.alone}
    assert alone == {"doctor", "reset", "update", "clean", "site"}


@pytest.mark.parametrize(
    ("extras", "names"),
    [
        (
            "",
            "lab check doctor reset update setup clean digit-net site",
        ),
        ("dev", "format notebooks translate constraints"),
        ("dev instructor", "lint"),
        ("dev instructor cluster", "test sandbox mutate"),
        ("dev e2e instructor", "e2e"),
        (
            "instructor",
            "assignments new release collect grade roster feedback export statistics new-seed",
        ),
    ],
)
def test_a_verb_asks_for_the_packages_that_it_needs(tmp_path, extras, names):
    of_students = [extra for extra in extras.split() if extra not in ("instructor", "cluster")]
    for name in names.split():
        assert verbs.extras_here(available(ROOT)[name], ROOT) == extras.split()
        assert verbs.extras_here(available(ROOT)[name], tmp_path) == of_students


def test_names_of_assignments_are_no_paths_also_beside_a_folder_of_that_name():
    names = {verb.name: verb.names for verb in verbs.VERBS if verb.names}
    first = ("new", "collect", "grade")
    every = ("setup", "mutate", "translate", "assignments", "release", "feedback", "export")
    assert names == {**dict.fromkeys(first, 1), **dict.fromkeys((*every, "statistics"), 100)}


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (
            reset,
            [
                "usage: course reset [-h] [what ...]",
                "Give lessons or assignments back as they came. What you wrote is kept beside each",
                "a number, a name or a path, for instance 05 or assignment 01",
                'Lessons are given by their numbers, assignments after the word "assignment"',
                "course reset 02 03 assignment 02 two lessons and an assignment",
                "Without a name it lists what differs from what you were given.",
            ],
        ),
        (
            update,
            [
                "usage: course update [-h] [--older] [release]",
                "Bring a newer release of the course. What you wrote is kept: what you alone",
                "the release's zip, or the folder that came out of it; nothing in a git clone",
                "--older take a release that is older than what is here",
            ],
        ),
        (
            check,
            [
                "usage: course check [-h] [--watch] [assignment]",
                "Run an assignment from top to bottom in a fresh kernel, and report each test.",
                "its number, its name, or the path of a notebook, for instance 01",
                "--watch check it again each time it is saved; Ctrl-C ends it",
            ],
        ),
    ],
    ids=["reset", "update", "check"],
)
def test_a_verb_says_what_it_takes(monkeypatch, capsys, module, words):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "90")
    with pytest.raises(SystemExit) as end:
        module.main(["--help"])
    assert end.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    for text in words:
        assert text in said


def test_doctor_and_clean_say_what_they_do(monkeypatch, capsys):
    for call in (lambda: doctor.main(["-h"], ROOT, {}), lambda: verbs.clean(ROOT, ["-h"])):
        with pytest.raises(SystemExit):
            call()
    said = " ".join(capsys.readouterr().out.split())
    assert "usage: course doctor [-h] Say what this machine has, and what is missing." in said
    assert "usage: course clean [-h] Delete the environments and the caches. Your notebooks" in said


# --- what main makes of the words --------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["help"], ["-h"], ["--help"], [""]])
def test_without_a_verb_all_are_listed(words, capsys):
    assert main.main(words, True) == 0
    assert capsys.readouterr().out == listing(ROOT) + "\n"


def test_the_version_is_that_of_pyproject(capsys):
    assert main.main(["--version"], True) == 0
    assert capsys.readouterr().out == wanted.read_wanted(ROOT).project["version"] + "\n"


@pytest.mark.parametrize("words", [["draw", "-h"], ["draw", "--help"], ["help", "draw", "more"]])
@pytest.mark.parametrize("is_set_up", [False, True])
def test_a_verb_explains_itself_where_that_installs_nothing(
    seen, monkeypatch, capsys, words, is_set_up
):
    verb = main.available(ROOT)["draw"]
    if is_set_up:
        assert main.main(words, True) == 3
        assert seen[0][1] == [word for word in words[1:] if word.startswith("-")] or ["--help"]
        return
    monkeypatch.delenv(main.SET_UP)
    monkeypatch.setattr(main, "is_conda", lambda: False)
    asked = []
    monkeypatch.setattr(environment, "is_ready", lambda root, extras: asked.append(extras))
    assert main.main(words, True) == 0
    assert capsys.readouterr().out == (
        "course draw: draw\nIt says more when the course is set up: course setup\n"
    )
    assert asked == [["dev"]]
    assert seen == []
    assert main.explains_itself(available(ROOT)["doctor"])
    monkeypatch.setattr(environment, "is_ready", lambda root, extras: True)
    assert main.explains_itself(verb)
    monkeypatch.setattr(environment, "is_ready", pytest.fail)
    monkeypatch.setattr(main, "is_conda", lambda: True)
    assert main.explains_itself(verb)
    assert main.explains_itself(available(ROOT)["doctor"])
    assert not main.explains_itself(available(ROOT)["setup"])


def test_setup_is_explained_without_being_done(capsys, monkeypatch):
    monkeypatch.setattr(environment, "install", pytest.fail)
    assert main.main(["setup", "--help"], False) == 0
    what = "only make the environment, or bring it up to date"
    assert capsys.readouterr().out == f"course setup: {what}\n"


@pytest.mark.parametrize(("value", "status"), [(None, 0), (0, 0), (5, 5)])
def test_the_exit_status_is_that_of_the_verb(seen, monkeypatch, value, status):
    for alone in (True, False):
        verb = Verb("draw", "learn", "draw", lambda root, given: value, alone=alone)
        monkeypatch.setattr(main, "available", lambda root, verb=verb: {"draw": verb})
        monkeypatch.setenv(main.SET_UP, "1")
        assert main.main(["draw"], True) == status


def test_ctrl_c_is_said_in_a_word(seen, monkeypatch, capsys):
    def stop(root, given):
        raise KeyboardInterrupt

    verb = Verb("draw", "learn", "draw", stop, alone=True)
    monkeypatch.setattr(main, "available", lambda root: {"draw": verb})
    assert main.main(["draw"], True) == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_in_condas_environment_nothing_is_set_up(seen, monkeypatch):
    monkeypatch.delenv(main.SET_UP)
    monkeypatch.setattr(main, "is_own", lambda: False)
    monkeypatch.setattr(environment, "install", pytest.fail)
    monkeypatch.setattr(main, "missing_packages", lambda extras: [])
    monkeypatch.setattr(main, "is_conda", lambda: True)
    assert main.main(["draw"], installed=False) == 3


def test_the_courses_own_environment_is_brought_up_to_date_also_from_inside(seen, monkeypatch):
    """`.venv/bin/course`: it is installed there, and the course's files may ask for more by now."""
    monkeypatch.delenv(main.SET_UP)
    monkeypatch.setattr(main, "missing_packages", pytest.fail)
    steps = []
    monkeypatch.setattr(environment, "install", lambda *given: steps.append(given))
    monkeypatch.setattr(main, "hand_over", lambda name, given: steps.append((name, given)) or 4)
    assert main.main(["draw"], installed=True) == 4
    versions = ["{}.{}".format(*version) for version in main.course.supported_versions()]
    assert steps == [(ROOT, ["dev"], versions, main.course.find_python), ("draw", [])]


def test_setup_installs_the_extras_that_are_named(seen, monkeypatch):
    monkeypatch.delenv(main.SET_UP)
    monkeypatch.setattr(main, "available", available)
    monkeypatch.setattr(main, "is_own", lambda: False)
    monkeypatch.setattr(main, "is_conda", lambda: False)
    steps = []
    monkeypatch.setattr(environment, "install", lambda root, extras, *rest: steps.append(extras))
    monkeypatch.setattr(main, "hand_over", lambda name, given: 0)
    assert main.main(["setup", "dev", "e2e"], installed=False) == 0
    assert steps == [["dev", "e2e"]]


def test_the_environments_python_goes_on_with_the_same_words(seen, monkeypatch):
    started = []
    monkeypatch.setattr(os, "execve", lambda *given: started.append(given))
    monkeypatch.delenv(main.SET_UP)
    main.hand_over("draw", ["-x", "y"])
    ((program, command, environ),) = started
    python = str(venv_folder.venv_python(ROOT / ".venv"))
    assert program == python
    assert command == [python, str(ROOT / "course.py"), "draw", "-x", "y"]
    assert environ[main.SET_UP] == "1"
    assert environ["PATH"].startswith(str(ROOT / ".venv"))


def test_under_windows_it_waits_for_the_environments_python(seen, monkeypatch):
    here = SimpleNamespace(name="nt", environ=os.environ, execve=pytest.fail)
    monkeypatch.setattr(main, "os", here)
    started = []
    monkeypatch.setattr(
        main.subprocess, "call", lambda command, env: started.append((command, env)) or 6
    )
    assert main.hand_over("draw", ["x"]) == 6
    ((command, environ),) = started
    assert command[1:] == [str(ROOT / "course.py"), "draw", "x"]
    assert environ[main.SET_UP] == "1"


def test_packages_that_are_not_there_are_listed_as_they_are_asked_for(repository, monkeypatch):
    monkeypatch.setattr(main, "ROOT", repository)
    text = (repository / "pyproject.toml").read_text()
    text = text.replace('["pip"]', '["pip", "no-such[x]>=1; os_name == \'posix\'"]')
    (repository / "pyproject.toml").write_text(text.replace("dev = []", 'dev = ["absent<2"]'))
    assert main.missing_packages([]) == ["no-such[x]>=1; os_name == 'posix'"]
    assert main.missing_packages(["dev"])[1:] == ["absent<2"]
    verb = Verb("draw", "learn", "draw", lambda root, given: 0)
    assert main.missing_text(verb, ["a>=1", "b"]) == (
        f"course draw needs packages that this environment ({sys.prefix}) does not have. "
        'Install them: python -m pip install -c constraints.txt "a>=1" "b"'
    )


def test_the_language_that_was_chosen_holds_for_what_a_verb_says(seen, monkeypatch):
    monkeypatch.setattr(main, "chosen_language", lambda environ, root: "ko")
    monkeypatch.delenv("COURSE_LANGUAGE", raising=False)
    main.main(["draw"], True)
    assert os.environ["COURSE_LANGUAGE"] == "ko"
