"""An assignment in a real browser: the Validate button, and the instructor's formgrader."""

import shutil
import sqlite3
import subprocess
import sys

import nbformat
import pytest

from helpers.command.files import ROOT

pytestmark = pytest.mark.e2e

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


WRITTEN = "07-alexnet"


@pytest.mark.skipif(sys.platform != "linux", reason="grading runs on Linux only")
def test_formgrader_grades_in_the_sandbox_and_shows_the_rubric(page, instructors_lab):
    if shutil.which("bwrap") is None:
        pytest.skip("grading needs bubblewrap")
    root = instructors_lab.root
    handed_in = root / "kim.ipynb"
    shutil.copy(root / "assignments" / WRITTEN / f"{WRITTEN}.ipynb", handed_in)
    solve(handed_in, WRITTEN)
    collect = [sys.executable, "-m", "grader.command.collect", WRITTEN, handed_in, "--root", root]
    subprocess.run(collect, check=True, cwd=ROOT, capture_output=True)

    # JupyterLab first: formgrader relies on the cookies that it sets.
    page.goto(instructors_lab.url("lab"))
    page.locator(".jp-LabShell").wait_for(timeout=SECONDS * 1000)
    # The button "Autograde" of the list of submissions.
    page.goto(instructors_lab.url(f"formgrader/manage_submissions/{WRITTEN}"))
    row = page.get_by_role("row").filter(has_text="kim")
    row.locator(".autograde a").click(timeout=SECONDS * 1000)
    done = page.locator(".modal-dialog")
    done.get_by_text("Success").first.wait_for(timeout=2 * SECONDS * 1000)
    log = done.inner_text()
    assert "Autograding" in log
    assert "WITHOUT A SANDBOX" not in log

    # The list of what is to be marked by hand, and the page of one submission.
    page.goto(instructors_lab.url(f"formgrader/gradebook/{WRITTEN}/{WRITTEN}"))
    page.get_by_role("link", name="Submission #1").click(timeout=SECONDS * 1000)
    page.get_by_role("heading", name="How to mark").wait_for(timeout=SECONDS * 1000)
    rubric = [cell for cell in solution_cells() if cell.metadata.nbgrader.get("task")]
    (points,) = {cell.metadata.nbgrader.points for cell in rubric}
    task = page.locator(".nbgrader_cell").filter(has_text="How to mark")
    # The page writes into the fields when the marks have come; what was typed before is lost.
    task.locator("input.score.needs_manual_grade").wait_for(timeout=SECONDS * 1000)
    task.locator("textarea[placeholder]").wait_for(timeout=SECONDS * 1000)
    task.locator("input.score").fill(str(points - 2))
    task.locator("textarea").fill("Say what each block does.")
    task.locator("textarea").blur()
    for _ in range(50):
        marks, comments = by_hand(root)
        if marks and comments:
            break
        page.wait_for_timeout(200)
    assert marks == [points - 2]
    assert comments == ["Say what each block does."]


def by_hand(root):
    """What the gradebook holds of marks and comments that a person gave."""
    with sqlite3.connect(root / "grading/gradebook.db") as book:
        marks = book.execute("select manual_score from grade where manual_score is not null")
        comments = book.execute("select manual_comment from comment where manual_comment != ''")
        return [row[0] for row in marks], [row[0] for row in comments]


def solution_cells():
    notebook = nbformat.read(ROOT / "solutions" / WRITTEN / f"{WRITTEN}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
