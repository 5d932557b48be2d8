"""Parts that other packages do not promise to keep: each is named here, with who uses it.

Where one of these goes red after an update, the code that is named has to change, and then the
upper bound in pyproject.toml may rise.
"""

import importlib
import inspect
import re
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.support.lessons import ROOT

# (module, what is used of it, who uses it)
PARTS = [
    ("nbgrader.api", "get_alembic_version", "grader/database.py"),
    ("nbgrader.api", "Notebook.grade_cells", "grader/gradebook/master.py"),
    ("nbgrader.api", "Notebook.solution_cells", "grader/gradebook/master.py"),
    ("nbgrader.api", "Notebook.task_cells", "grader/gradebook/master.py"),
    ("multiprocessing.context", "_concrete_contexts", "grader/sandbox/inside/server.py"),
    ("multiprocessing.context", "_default_context", "grader/sandbox/inside/server.py"),
    (
        "nbgrader.exchange.default",
        "ExchangeReleaseFeedback.copy_files",
        "grader/gradebook/exchange.py",
    ),
    ("nbgrader.plugins", "CsvExportPlugin.export", "grader/gradebook/export.py"),
    ("nbgrader.preprocessors", "Execute.preprocess", "grader/gradebook/nbgrader_execute.py"),
    (
        "nbconvert.exporters.templateexporter",
        "TemplateExporter.from_notebook_node",
        "grader/gradebook/feedback.py",
    ),
    (
        "nbconvert.filters.markdown_mistune",
        "IPythonRenderer.block_code",
        "grader/gradebook/safe_html.py",
    ),
    (
        "nbconvert.filters.markdown_mistune",
        "IPythonRenderer.image",
        "grader/gradebook/safe_html.py",
    ),
    ("nbval.kernel", "RunningKernel.execute_cell_input", "conftest.py"),
    ("nbval.plugin", "IPyNbCell.runtest", "conftest.py"),
    ("nbval.plugin", "IPyNbCell.compare_outputs", "conftest.py"),
    ("nbval.plugin", "IPyNbCell.raise_cell_error", "conftest.py"),
    ("xdist.scheduler", "LoadFileScheduling._split_scope", "tests/support/long_first.py"),
]
PACKAGES = {module.partition(".")[0] for module, _, _ in PARTS} | {"sphinx", "alembic"}
INSTALLED_AS = {"xdist": "pytest-xdist"}
PACKAGES = sorted(INSTALLED_AS.get(name, name) for name in PACKAGES - set(sys.stdlib_module_names))


@pytest.mark.parametrize(("module", "name", "user"), PARTS)
def test_the_part_is_there(module, name, user):
    thing = importlib.import_module(module)
    for part in name.split("."):
        assert hasattr(thing, part), f"{module} has no {name} any more: see {user}"
        thing = getattr(thing, part)
    last = name.rpartition(".")[2]
    assert re.search(rf"\b{last}\b", (ROOT / user).read_text(encoding="utf-8")), (
        f"{user} does not use {name} any more: take it out of this list"
    )


def test_the_program_that_is_not_called_is_asked_for_the_version():
    """Whether what is put in the place of a function of nbgrader's is what nbgrader calls."""
    from nbgrader.api import Gradebook

    assert "get_alembic_version()" in inspect.getsource(Gradebook.__init__), (
        "nbgrader asks another function for the database's version: see grader/database.py"
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_the_next_version_has_to_be_tried_first(package):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [*settings["project"]["optional-dependencies"].values()]
    groups += settings["dependency-groups"].values()
    lines = [Requirement(line) for group in groups for line in group]
    found = [line for line in lines if line.name == package]
    assert found, f"pyproject.toml does not name {package}"
    for line in found:
        assert any(one.operator in ("<", "<=") for one in line.specifier), (
            f"{line} has no upper bound, and the course uses what {package} does not promise"
        )
