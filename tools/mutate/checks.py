"""Which checks could notice a fault, the quickest first."""

import ast
import json
import re
from pathlib import Path, PurePath
from typing import NamedTuple

from helpers.command.verbs import COMPARING, MARKS
from tools.mutate.fault import joined
from tools.mutate.kinds import is_lesson

ASSIGNMENTS = "assignment_files"
"""The module of tests/support that reads the assignments."""
TRANSLATIONS = "tests/repository/test_translations.py"
"""The test that a changed sentence fails, whatever it says, until it is translated anew."""
READS = re.compile(
    r"^from tests\.support\.(?:lessons import .*(?:\bLESSONS\b.*\bread\b|\bdefinitions\b)"
    r"|cells import Cells|prose import .*\btexts\b)",
    re.MULTILINE,
)
"""How a test begins that reads the lessons' cells or all texts, assignments or not."""


class Check(NamedTuple):
    """A command, and the files that are given to it, which can also be run one by one."""

    command: tuple
    files: tuple = ()

    def __str__(self):
        return " ".join(self.files or self.command[1:])


class Checks:
    """The checks of a course.

    Parameters
    ----------
    root : path
    paths : list of str
        The course's files.
    python : path
        The Python that runs them.
    site_python : path
        That of the site's environment; where there is none the site is not built.
    """

    def __init__(self, root, paths, python, site_python):
        self.root, self.paths = Path(root), paths
        self.python, self.site_python = str(python), Path(site_python)
        self.named = {}  # by the program: what it names
        self.programs = [path for path in paths if path.endswith(".py")]
        tests = re.compile(r"tests/(?!e2e/)(.*/)?test_\w+\.py")
        self.tests = [path for path in paths if tests.fullmatch(path)]

    def of(self, fault):
        """The checks that could notice a fault, in the order in which to run them."""
        if is_lesson(fault.path):
            yield self.pytest(self.of_lessons())
            if fault.kind not in ("prose", "assert"):  # these change no output
                yield self.pytest([fault.path])
        elif fault.path.startswith("solutions/") and not fault.path.endswith(".md"):
            yield from self.of_assignment(fault.path.split("/")[1])
        elif fault.path.endswith(".py"):
            yield from self.of_program(fault)
        else:
            pages = [path for path in self.tests if path.startswith("tests/repository/")]
            pages.remove(TRANSLATIONS)
            yield self.pytest(dict.fromkeys([*pages, *self.of_lessons()]))
        is_on_site = re.search("link|formula", fault.what) or fault.path.startswith("site/")
        if is_on_site and self.site_python.exists():
            yield Check((str(self.site_python), "site/build.py", "build/site"))
        if not fault.path.startswith(("tools/", "tests/")):
            yield self.pytest([TRANSLATIONS])

    def pytest(self, files, *options, marks=MARKS):
        command = (self.python, "-m", "pytest", "-x", "-q", "-m", marks, *COMPARING, *options)
        return Check(command, tuple(files))

    def of_lessons(self):
        """The tests that read lessons; most of those of assignments only ask for their names."""
        found = {*self.tests_that_say("LESSONS")} - {*self.tests_that_say(ASSIGNMENTS)}
        return sorted(found | {test for test in self.tests if READS.search(self.text(test))})

    def tests_that_say(self, word):
        """The tests of notebooks in which a name of tests/support stands."""
        folders = ("tests/notebooks/", "tests/site/", "tests/grader/test_bank")
        found = [path for path in self.tests if path.startswith(folders)]
        return [path for path in found if re.search(rf"\b{word}\b", self.text(path))]

    def of_assignment(self, name):
        yield Check((self.python, "-m", "grader.authoring.release", "assignments", name))
        # These only say what was not made anew, and one of them takes minutes for it.
        others = "not test_committed_"
        tests = self.tests_that_say(ASSIGNMENTS)
        yield self.pytest(tests, "-k", f"{name[:2]}- and {others}")

    def of_program(self, fault):
        """The tests that use the program, the nearest first, and then a lesson."""
        marks = MARKS.replace(" and not sandbox", "") if "/sandbox/" in fault.path else MARKS
        tests = self.tests_that_use(fault.path)
        if tests:
            yield self.pytest(tests, marks=marks)
        lesson = self.lesson_that_uses(fault) if fault.path.startswith("helpers/") else None
        if lesson:
            yield self.pytest([lesson])

    def tests_that_use(self, path):
        """The tests that name a program, and those beside them that name what names it."""
        folder = PurePath("tests", path).parent.as_posix()
        while not any(test.startswith(f"{folder}/test_") for test in self.tests):
            folder = folder.rpartition("/")[0]
        users, tests = [path], []
        for user in users:  # which grows meanwhile
            for other in self.programs:
                if other not in users and other not in tests and self.uses(other, user):
                    if other not in self.tests:
                        users.append(other)
                    elif user == path or other.startswith(f"{folder}/test_"):
                        tests.append(other)
        called = f"test_{PurePath(path).stem.strip('_')}"
        return sorted(tests, key=lambda test: called not in test)

    def uses(self, other, path):
        """Whether a file names another one: in an import, or as a program to be run."""
        if other not in self.named:
            self.named[other] = names_in(self.text(other))
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        wanted = {path, name}
        if Path(other).parent == Path(path).parent:
            wanted.add(name.rpartition(".")[2])
        return bool(self.named[other] & wanted)

    def lesson_that_uses(self, fault):
        """The shortest lesson that calls the function or class in which the fault is, if any."""
        lines = self.text(fault.path).splitlines()[: int(fault.where)]
        names = re.findall(r"^(?:def|class) (\w+)", "\n".join(lines), re.MULTILINE)
        if not names:
            return None
        sizes = {}
        for path in filter(is_lesson, self.paths):
            cells = json.loads(self.text(path))["cells"]
            code = [joined(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
            if re.search(rf"\b{names[-1]}\(", "\n".join(code)):
                sizes[path] = len(code)
        return min(sizes, key=sizes.get, default=None)

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8")


def names_in(code):
    """The modules that code imports, and what could be one or a path in its strings."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found |= {module, *(f"{module}.{alias.name}".strip(".") for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"\w+[./][\w./]+", node.value))
    return found
