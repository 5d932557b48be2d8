"""An assignment in a real browser: the Validate button."""

from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
NAME = "01-convolution-by-hand"
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
    assert "correlate2d: it is not written yet" in said
    page.locator(".jp-Dialog button").last.click()
    solve(path, NAME)
    assert "Success! Your notebook passes all the tests." in validate(page, lab, NAME)
