"""Reading the assignments for the tests, and grading a bank once for all tests that ask."""

import ast
import builtins
import functools
import re

import nbformat

from grader.authoring.examine import examine
from grader.authoring.release import sheet_of
from grader.authoring.source import assignments, graded_cells, notebook_path, read_cells
from helpers.command.files import lessons
from tests.support.lessons import ROOT, need

NAMES = assignments()
RELEASES = ROOT / "assignments"


def promised():
    """The lessons of which the README says that they have an assignment."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, last = re.search(r"Lessons (\d\d) to (\d\d) have an \[assignment\]", text).groups()
    return [path.stem for path in lessons(ROOT) if first <= path.stem[:2] <= last]


def source(name):
    """The source notebook of an assignment, as nbformat gives it."""
    return nbformat.read(notebook_path(name), as_version=4)


def release(name):
    """The student version, as nbformat gives it."""
    return nbformat.read(released(name), as_version=4)


def released(name):
    """The path of a student version; the test is skipped if a reader works in it."""
    need(f"assignments/{name}/")
    return RELEASES / name / f"{name}.ipynb"


def cells(name):
    """The graded and locked cells of the source."""
    return read_cells(notebook_path(name))


def graded_tests(name):
    """The automatically graded cells of the source."""
    return graded_cells(cells(name))


@functools.cache
def graded(name):
    """The sheet made from an assignment's bank, and the report with its diagnoses."""
    report = examine(name)
    sheet = sheet_of(report)
    return sheet, report.told_by(sheet)


def free_names(code):
    """The names that a cell uses and does not define."""
    tree = ast.parse(code)
    used, defined = set(), set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.alias):
            defined.add((node.asname or node.name).split(".")[0])
    return used - defined
