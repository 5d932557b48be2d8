"""The buttons of an assignment in a real browser: Validate, for students, and the formgrader."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
NAME = "01-convolution-by-hand"
WRITTEN = "06-alexnet"
SECONDS = 90


def solve(path, name):
    """Fill the reference solution into a student's notebook."""
    source = nbformat.read(ROOT / "solutions" / name / f"{name}.ipynb", as_version=4)
    answers = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code"
    }
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(grade_id, cell.source)
    nbformat.write(notebook, path)


def validate(page, lab, name):
    """Press Validate in JupyterLab; the text of the dialog."""
    page.goto(lab.url(f"lab/tree/assignments/{name}/{name}.ipynb"))
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=SECONDS * 1000)
    page.locator(".jp-NotebookPanel .jp-CodeCell").first.wait_for(timeout=SECONDS * 1000)
    page.locator(".jp-NotebookPanel-toolbar").get_by_text("Validate", exact=True).click()
    dialog = page.locator(".jp-Dialog")
    dialog.get_by_text("Validation Results").wait_for(timeout=SECONDS * 1000)
    return dialog.inner_text()


def test_validate_button_says_what_fails_and_passes_what_is_right(page, lab):
    path = lab.root / "assignments" / NAME / f"{NAME}.ipynb"
    said = validate(page, lab, NAME)
    assert "failed" in said.lower()
    assert "correlate2d: it is not written yet." in said
    page.locator(".jp-Dialog button").last.click()
    solve(path, NAME)
    assert "Success! Your notebook passes all the tests." in validate(page, lab, NAME)


def test_formgrader_shows_the_rubric_beside_the_answer(page, lab):
    """The written part of the AlexNet assignment, as an instructor grades it by hand."""
    shutil.copytree(ROOT / "solutions", lab.root / "solutions")
    handed_in = lab.root / "grading/submitted/kim" / WRITTEN
    shutil.copytree(ROOT / "assignments" / WRITTEN, handed_in)
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    for command in ("generate_assignment", "autograde"):
        arguments = [BIN / "nbgrader", command, WRITTEN]
        if command == "generate_assignment":
            arguments.append("--force")
        done = subprocess.run(
            arguments, cwd=lab.root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
    source = nbformat.read(ROOT / "solutions" / WRITTEN / f"{WRITTEN}.ipynb", as_version=4)
    (written,) = [c for c in source.cells if "BEGIN MARK SCHEME" in c.source]
    rubric = written.source.partition("BEGIN MARK SCHEME ===")[2].split("===")[0]
    words = [word for word in rubric.split() if word.isalpha()][:8]

    page.goto(lab.url(f"formgrader/gradebook/{WRITTEN}"))
    page.get_by_text(WRITTEN).first.wait_for(timeout=SECONDS * 1000)
    page.goto(lab.url(f"formgrader/gradebook/{WRITTEN}/{WRITTEN}"))
    page.get_by_text("Submission #1").first.click()
    page.get_by_text("Mark Scheme", exact=False).first.wait_for(timeout=SECONDS * 1000)
    shown = page.locator("body").inner_text()
    assert [word for word in words if word not in shown] == []
    assert page.locator("input.score").count() >= 1
