"""The folders of the grader import what its README says, and nothing in helpers imports them."""

import ast
import re
from pathlib import PurePosixPath

import pytest

from tests.support.lessons import ROOT

GRADER = ROOT / "grader"
FOR_ALL = ("assignment", "checks", "language")
HELPERS = dict.fromkeys(("authoring", "intake"), (*FOR_ALL, "command"))


def rules():
    """{folder: the folders that it may import}, from the table of the README."""
    text = (GRADER / "README.md").read_text(encoding="utf-8")
    table = text.partition("## What may use what")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w/]+)` \| (.*)\|$", table, re.MULTILINE)
    return {folder: set(re.findall(r"`([\w/]+)`", allowed)) for folder, allowed in rows}


RULES = rules()


def folder_of(path):
    """The folder of a module of the grader, "" for what stands at its top."""
    return "/".join(path.relative_to(GRADER).parts[:-1])


def imported(path):
    """The full names of all that a file imports, wherever in it."""
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = ".".join(parts) + "." if node.level else ""
            base = (start + (node.module or "")).rstrip(".")
            names += [f"{base}.{alias.name}" for alias in node.names]
    return names


def target(name):
    """The folder of the grader that a name comes from, "" for its top, None for elsewhere."""
    parts = name.split(".")
    if parts[0] != "grader":
        return None
    path = PurePosixPath()
    for part in parts[1:]:
        if not (GRADER / path / part).is_dir():
            break
        path /= part
    return "" if path == PurePosixPath() else str(path)


def wrong(path):
    """What a module imports although the rules do not let it."""
    own = folder_of(path)
    found = []
    for name in imported(path):
        folder = target(name)
        if folder is not None and folder not in {own, ""} | RULES.get(own, set()):
            found.append(name)
        if name.startswith("helpers.") and name.split(".")[1] not in HELPERS.get(own, FOR_ALL):
            found.append(name)
    return found


MODULES = sorted(GRADER.rglob("*.py"))


def test_every_folder_has_its_rule():
    folders = {folder_of(path) for path in MODULES} - {""}
    assert set(RULES) == folders
    assert set().union(*RULES.values()) <= folders


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(GRADER).as_posix())
def test_a_folder_imports_what_stands_below_it(path):
    assert wrong(path) == []


def test_the_rules_have_no_circle():
    rest = {folder: set(allowed) for folder, allowed in RULES.items()}
    while rest:
        lowest = {folder for folder, allowed in rest.items() if not allowed & set(rest)}
        assert lowest, f"each of these needs another one: {sorted(rest)}"
        rest = {folder: allowed for folder, allowed in rest.items() if folder not in lowest}


@pytest.mark.parametrize("name", ["helpers", "notebooks", "tools/notebooks.py"])
def test_what_students_are_given_imports_nothing_of_the_grader(name):
    paths = [ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py"))
    for path in paths:
        assert [found for found in imported(path) if found.split(".")[0] == "grader"] == [], path


def test_an_import_upwards_is_noticed(monkeypatch):
    job = GRADER / "judging" / "job.py"
    for name, is_wrong in {
        "grader.batch.store.Store": True,
        "grader.gradebook.book": True,
        "helpers.command.files": True,
        "grader.sandbox.inside.wire": False,
        "grader.sandbox.client.Server": False,
        "grader.judging.policy": False,
        "grader.cells": False,
        "helpers.assignment.Sheet": False,
    }.items():
        monkeypatch.setitem(globals(), "imported", lambda path, name=name: [name])
        assert bool(wrong(job)) is is_wrong, name
