"""The verbs of the command line: what each does, what it needs, and what it calls.

A copy of the course for students has no `solutions/` and no `site/`: the verbs that need them are
not listed there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.command import venv_folder
from helpers.language import MESSAGES, gettext, gettext_noop, translated

GROUPS = {
    "learn": gettext_noop("To learn with the course"),
    "change": gettext_noop("To change the course"),
    "teach": gettext_noop("To teach with it"),
}
PROCESSES = {"test": "4", "sandbox": "2", "e2e": "2"}
"""Of pytest, at most: each notebook takes a kernel with torch, each browser a server."""
COMPARING = ("--nbval", "--nbval-current-env", "--nbval-cell-timeout=300")
MARKS = "not e2e and not sandbox and not slow"
"""What `course test` runs: notebooks are compared with their saved outputs."""


@dataclass(frozen=True)
class Verb:
    """One word after `course`.

    `run` gets the course's folder and the arguments, and returns the exit status. `extras` are
    those of pyproject.toml that must be installed; `needs` is the file or folder without which the
    verb is not there; `alone` says that nothing is set up before; the first `names` arguments are
    names, also where a folder is called the same; `usage` is an example of them.
    """

    name: str
    group: str
    what: str
    run: Callable[[Path, list[str]], int | None]
    extras: tuple[str, ...] = ()
    needs: str = "."
    alone: bool = False
    names: int = 0
    usage: str = ""

    def is_there(self, root: Path) -> bool:
        """Whether this copy of the course has what the verb works on."""
        return (root / self.needs).exists()


# --- what they do ------------------------------------------------------------------------------


def lab(root: Path, given: list[str]) -> None:
    from helpers.command.lab import open_lab

    open_lab(root, given)


def check(root: Path, given: list[str]) -> int:
    from helpers.assignment.__main__ import main

    return main(given)


def doctor(root: Path, given: list[str]) -> int:
    from helpers.command.doctor import main

    return main(given, root, available(root))


def reset(root: Path, given: list[str]) -> int:
    from helpers.command.reset import main

    return main(given, root)


def update(root: Path, given: list[str]) -> int:
    from helpers.command.update import main

    return main(given, root)


def setup(root: Path, given: list[str]) -> int:
    return 0  # everything was done before


def clean(root: Path, given: list[str]) -> int:
    """Delete what can be made again; not while somebody installs into it."""
    parser = argparse.ArgumentParser(
        prog="course clean",
        description=gettext(
            "Delete the environments and the caches. Your notebooks and the data stay."
        ),
    )
    parser.parse_args(given)
    with venv_folder.only_one(root):
        delete_what_can_be_made_again(root)
    print(
        gettext(
            "Deleted: the environments and the caches. Your notebooks and the data are as they "
            "were."
        )
    )
    return 0


def delete_what_can_be_made_again(root: Path) -> None:
    names = [".venv", ".venv-before", ".venv-site", ".jupyter", "build"]
    names += [".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"]
    for path in [*(root / name for name in names), *root.glob("*.egg-info")]:
        if path.is_symlink():  # to a larger disk: the link is the reader's own and stays
            venv_folder.empty(path)
        elif path.exists():
            shutil.rmtree(path)
    for folder in ("helpers", "grader", "tests", "tools", "site", "solutions"):
        for path in list((root / folder).rglob("__pycache__")):
            shutil.rmtree(path)


def test(root: Path, given: list[str]) -> int:
    paths = _unless_named(given, *present(root, "tests", "notebooks"))
    status = pytest(root, "test", MARKS, [*COMPARING, *paths, *given])
    others = [f"course {name}" for name in ("sandbox", "e2e") if name in available(root)]
    if paths and others:
        print(f"Not part of this: the tests of {' and of '.join(others)}.")
    return status


def sandbox(root: Path, given: list[str]) -> int:
    return pytest(root, "sandbox", "sandbox", [*_unless_named(given, "tests"), *given])


def e2e(root: Path, given: list[str]) -> int:
    found = subprocess.run(
        [sys.executable, root / "tools/browser.py"], stdout=subprocess.PIPE, encoding="utf-8"
    )
    if found.returncode:
        return found.returncode
    os.environ["CHROMIUM"] = found.stdout.strip()
    return pytest(root, "e2e", "e2e and not report", [*_unless_named(given, "tests/e2e"), *given])


def _unless_named(given: Sequence[str], *paths: str) -> list[str]:
    """Where the tests are, if the arguments do not name some."""
    return [] if any(map(is_path, given)) else list(paths)


def pytest(root: Path, verb: str, marks: str, given: Sequence[str]) -> int:
    spread = ["-n", "auto", "--maxprocesses", PROCESSES[verb], "--dist", "loadfile"]
    return python(root, "-m", "pytest", *spread, "-m", marks, *given)


def lint(root: Path, given: list[str]) -> int:
    """All of them run, so that one call shows everything."""
    packages = present(root, "helpers", "grader")
    students = ("helpers", "notebooks", "assignments")
    others = ("--optional-dependencies-dev-groups", "instructor,cluster,dev,e2e")
    steps = (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy", *packages),
        ("deptry", "."),
        # What students are given imports only what they install.
        ("deptry", *students, *others, "--ignore", "DEP001,DEP002,DEP003"),
    )
    return max(python(root, "-m", *step) for step in steps)


def style(root: Path, given: list[str]) -> int:
    steps = (["ruff", "check", "--fix"], ["ruff", "format"])
    return max(python(root, "-m", *step) for step in steps)


def tool(*program: str) -> Callable[[Path, list[str]], int]:
    """A program of tools/, or a module, with its own command line."""
    return lambda root, given: python(root, *program, *given)


def python(root: Path, *arguments: str | Path) -> int:
    """Run this Python in the course's folder; returns the exit status."""
    with subprocess.Popen([sys.executable, *arguments], cwd=root) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:  # it got the signal, too, and ends by itself
            process.wait()
            raise


def is_path(argument: str) -> bool:
    """Whether this is a file or folder, or a test in a file, and not an option's value."""
    name = argument.partition("::")[0]
    return bool(name) and not name.startswith("-") and Path(name).exists()


def present(root: Path, *names: str) -> list[str]:
    """Those of these files and folders that this copy of the course has."""
    return [name for name in names if (root / name).exists()]


# --- all of them -------------------------------------------------------------------------------

DEV = ("dev", "instructor", "cluster")
SOLUTIONS, SITE, TESTS = "solutions", "site", "tests"

VERBS = (
    Verb("lab", "learn", gettext_noop("open JupyterLab on the lessons"), lab),
    Verb(
        "check",
        "learn",
        gettext_noop("check an assignment before you hand it in"),
        check,
        usage="01",
    ),
    Verb(
        "doctor",
        "learn",
        gettext_noop("say what this machine has, and what is missing"),
        doctor,
        alone=True,
    ),
    Verb(
        "reset",
        "learn",
        gettext_noop("give a lesson back as it came; yours is kept"),
        reset,
        alone=True,
        usage="05",
    ),
    Verb(
        "update",
        "learn",
        gettext_noop("bring a newer release; what you wrote is kept"),
        update,
        alone=True,
    ),
    Verb(
        "test",
        "learn",
        gettext_noop("run every notebook and test, and compare the outputs"),
        test,
        DEV,
    ),
    Verb(
        "setup",
        "learn",
        gettext_noop("only make the environment, or bring it up to date"),
        setup,
        names=100,
    ),
    Verb(
        "clean", "learn", gettext_noop("delete the environments and the caches"), clean, alone=True
    ),
    Verb(
        "lint",
        "change",
        gettext_noop("check the code's style, types and imports"),
        lint,
        ("dev", "instructor"),
        TESTS,
    ),
    Verb(
        "format",
        "change",
        gettext_noop("put the code into the course's style"),
        style,
        ("dev",),
        TESTS,
    ),
    Verb(
        "notebooks",
        "change",
        gettext_noop("run the lessons and save their outputs"),
        tool("tools/notebooks.py"),
        ("dev",),
        "tools",
    ),
    Verb(
        "sandbox",
        "change",
        gettext_noop("attack the grading sandbox (Linux)"),
        sandbox,
        DEV,
        SOLUTIONS,
    ),
    Verb(
        "e2e",
        "change",
        gettext_noop("work in a real browser"),
        e2e,
        ("dev", "e2e", "instructor"),
        TESTS,
    ),
    Verb(
        "mutate",
        "change",
        gettext_noop("seed faults into a copy, and count those that the tests notice"),
        tool("-m", "tools.mutate"),
        DEV,
        SOLUTIONS,
        names=100,
    ),
    Verb(
        "translate",
        "change",
        gettext_noop("bring the translations' catalogues up to date, and say what is open"),
        tool("-m", "tools.translate"),
        ("dev",),
        "tools/translate",
        names=100,
    ),
    Verb(
        "constraints",
        "change",
        gettext_noop("write constraints.txt again, with the newest versions"),
        tool("tools/constraints.py"),
        ("dev",),
        "tools",
    ),
    Verb(
        "digit-net",
        "change",
        gettext_noop('train the network of "Draw a digit" again'),
        tool("tools/export_digit_net.py"),
        (),
        "tools",
    ),
    Verb(
        "site",
        "change",
        gettext_noop("build the web site; course site serve shows it"),
        tool("tools/website.py"),
        needs=SITE,
        alone=True,
    ),
    Verb(
        "assignments",
        "teach",
        gettext_noop("make the student versions of the assignments"),
        tool("-m", "grader.authoring.release", "assignments"),
        ("instructor",),
        SOLUTIONS,
        names=100,
    ),
    Verb(
        "new",
        "teach",
        gettext_noop("begin a new assignment: a small one that is right"),
        tool("-m", "grader.authoring.new"),
        ("instructor",),
        SOLUTIONS,
        names=1,
        usage="09-topic",
    ),
    Verb(
        "release",
        "teach",
        gettext_noop("make build/cnn-course.zip, the course for students"),
        tool("-m", "grader.authoring.release", "students"),
        ("instructor",),
        SOLUTIONS,
        names=100,
    ),
    Verb(
        "collect",
        "teach",
        gettext_noop("take in notebooks that were handed in"),
        tool("-m", "grader.command.collect"),
        ("instructor",),
        SOLUTIONS,
        names=1,
        usage="NAME FOLDER",
    ),
    Verb(
        "grade",
        "teach",
        gettext_noop("grade them in sandboxes (Linux)"),
        tool("-m", "grader.command.grade"),
        ("instructor",),
        SOLUTIONS,
        names=1,
        usage="NAME FOLDER",
    ),
    Verb(
        "roster",
        "teach",
        gettext_noop("make the class list from that of Moodle, Canvas or another platform"),
        tool("-m", "grader.command.roster"),
        ("instructor",),
        SOLUTIONS,
        usage="FILE",
    ),
    Verb(
        "feedback",
        "teach",
        gettext_noop("write pages and tables again, after marks by hand"),
        tool("-m", "grader.command.feedback"),
        ("instructor",),
        SOLUTIONS,
        names=100,
        usage="NAME",
    ),
    Verb(
        "export",
        "teach",
        gettext_noop("write the final marks, for a spreadsheet or a platform"),
        tool("-m", "grader.command.export"),
        ("instructor",),
        SOLUTIONS,
        names=100,
        usage="NAME",
    ),
    Verb(
        "statistics",
        "teach",
        gettext_noop("what the class made of each test, with plots"),
        tool("-m", "grader.command.statistics"),
        ("instructor",),
        SOLUTIONS,
        names=100,
        usage="NAME",
    ),
    Verb(
        "new-seed",
        "teach",
        gettext_noop("draw the numbers of hidden tests anew, for your class"),
        tool("-m", "grader.command.new_seed"),
        ("instructor",),
        SOLUTIONS,
    ),
)


def extras_here(verb: Verb, root: Path) -> list[str]:
    """The verb's extras; a copy for students, which has no solutions, needs no instructor's."""
    if (root / SOLUTIONS).is_dir():
        return list(verb.extras)
    return [extra for extra in verb.extras if extra not in ("instructor", "cluster")]


def available(root: Path) -> dict[str, Verb]:
    """{name: verb} of those that this copy of the course has."""
    return {verb.name: verb for verb in VERBS if verb.is_there(root)}


def listing(root: Path) -> str:
    """What `course` alone prints."""
    verbs = available(root).values()
    lines = [gettext("Say course, or make, and one of these words:")]
    for group, heading in GROUPS.items():
        members = [verb for verb in verbs if verb.group == group]
        if members:
            lines += ["", f"{translated(heading, MESSAGES)}:"]
        for verb in members:
            lines.append(f"  {f'{verb.name} {verb.usage}':<22}{translated(verb.what, MESSAGES)}")
    return "\n".join(lines)
