"""What a student does first, in a real browser: open the course, run a lesson, save it."""

import contextlib
import json
import os
import re

import nbformat
import pytest

from helpers.command.files import lessons

pytestmark = pytest.mark.e2e

# Lessons to run here, by name, for instance COURSE_E2E_LESSONS="01-convolution-by-hand".
LESSONS = os.environ.get("COURSE_E2E_LESSONS", "01-convolution-by-hand").split()
SECONDS_TO_LOAD = 60
SECONDS_TO_RUN = 180
SECONDS_FOR_A_POP_UP = 3


def wait_for_lab(page):
    """Wait until JupyterLab is built up and its opening picture is gone."""
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=SECONDS_TO_LOAD * 1000)
    page.locator(".jp-LabShell").wait_for(timeout=SECONDS_TO_LOAD * 1000)


def clear_outputs(path):
    """Remove every output and execution count, so that what is saved later was made here."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    nbformat.write(notebook, path)


def wait_for_kernel(page, lab):
    """Wait until one kernel is idle and JupyterLab is connected to it, as the server sees it.

    The toolbar calls a kernel idle before there is one, and a restart that comes while the first
    connection is being made leaves JupyterLab without a connection.
    """
    for _ in range(SECONDS_TO_LOAD * 5):
        kernels = lab.kernels()
        if [(k["execution_state"], k["connections"]) for k in kernels] == [("idle", 1)]:
            return
        page.wait_for_timeout(200)
    pytest.fail(f"no kernel is ready; the server says: {kernels}")


def run_and_save(page, lab, name, folder="notebooks"):
    """Open a notebook, choose Restart & Run All in the menu, wait for the end, and save."""
    page.goto(lab.url(f"lab/tree/{folder}/{name}"))
    wait_for_lab(page)
    panel = page.locator(".jp-NotebookPanel")
    panel.locator(".jp-CodeCell").first.wait_for(timeout=SECONDS_TO_LOAD * 1000)
    wait_for_kernel(page, lab)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("Restart Kernel and Run All Cells")).click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_for_function(
        """() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
                .map(prompt => prompt.textContent.trim());
            return prompts.some(text => /^\\[\\d+\\]:?$/.test(text))
                && !prompts.some(text => text.startsWith('[*]'));
        }""",
        timeout=SECONDS_TO_RUN * 1000,
    )
    # Cells whose code is folded show no prompt, and one of them may be the last: the kernel must
    # have nothing left to do. Between two cells it is idle for a moment only.
    idle = 0
    for _ in range(SECONDS_TO_RUN * 5):
        states = [kernel["execution_state"] for kernel in lab.kernels()]
        idle = idle + 1 if states == ["idle"] else 0
        if idle == 5:
            break
        page.wait_for_timeout(200)
    else:
        pytest.fail(f"the kernel did not come to rest: {states}")
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Save Notebook(?! As)")).click()


def saved_complaints(path):
    """What is wrong with a saved notebook that was run from top to bottom: a list of sentences."""
    complaints = []
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    count = 0
    for number, cell in enumerate(cells, start=1):
        announced = "raises-exception" in cell.metadata.get("tags", [])
        if cell.source.strip():
            count += 1
            if cell.execution_count != count:
                complaints.append(f"code cell {number}: count {cell.execution_count}, not {count}")
        for output in cell.outputs:
            if output.output_type == "error" and not announced:
                complaints.append(f"code cell {number}: {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                complaints.append(f"code cell {number}: on stderr: {output.text.strip()}")
    return complaints if cells else ["there are no code cells"]


def wait_until_saved(page, path, before):
    """Wait until JupyterLab has written the file again, to its end."""
    for _ in range(100):
        if path.stat().st_mtime_ns != before:
            with contextlib.suppress(ValueError):  # it is being written
                json.loads(path.read_text(encoding="utf-8"))
                return
        page.wait_for_timeout(100)
    pytest.fail(f"{path.name} was not saved")


def test_start_page_is_in_view_and_nothing_pops_up(page, lab):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(lab.url())
    wait_for_lab(page)
    title = (lab.root / "notebooks/README.md").read_text(encoding="utf-8").splitlines()[0]
    heading = page.locator(".jp-MarkdownViewer h1")
    heading.wait_for(timeout=SECONDS_TO_LOAD * 1000)
    page.wait_for_timeout(SECONDS_FOR_A_POP_UP * 1000)

    assert heading.is_visible()
    assert heading.inner_text().strip("¶ ") == title.strip("# ")
    listed = page.locator(".jp-DirListing-itemText").all_inner_texts()
    assert {path.name for path in lessons(lab.root)} <= set(listed)
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".Toastify__toast").all_inner_texts() == []
    assert [url for url in asked if url.startswith("http") and not url.startswith(lab.base)] == []


def alternative_texts_seen(page):
    """The alternative texts of the pictures of cells in view, None where there is none."""
    pictures = page.locator(".jp-OutputArea img")
    pictures.first.wait_for(timeout=SECONDS_TO_LOAD * 1000)
    return set(pictures.evaluate_all("all => all.map(picture => picture.getAttribute('alt'))"))


def alternative_texts_given(path):
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    pieces = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
    own = {cell.metadata["alt"] for cell in cells if "alt" in cell.metadata}
    return own | set(re.findall(r'<img alt="([^"]*)"', pieces))


def test_saved_pictures_have_their_alternative_texts(page, lab):
    path = lab.root / "notebooks" / f"{LESSONS[0]}.ipynb"
    page.goto(lab.url(f"lab/tree/notebooks/{path.name}"))
    wait_for_lab(page)
    assert alternative_texts_seen(page) <= alternative_texts_given(path)


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_runs_from_top_to_bottom_and_is_saved(page, lab, lesson):
    path = lab.root / "notebooks" / f"{lesson}.ipynb"
    clear_outputs(path)
    before = path.stat().st_mtime_ns
    run_and_save(page, lab, path.name)
    wait_until_saved(page, path, before)

    assert saved_complaints(path) == []
    assert alternative_texts_seen(page) <= alternative_texts_given(path)


def test_the_course_opens_in_korean_and_a_lesson_runs_and_is_saved(page, korean_lab):
    lab, name = korean_lab, f"{LESSONS[0]}.ipynb"
    page.goto(lab.url())
    wait_for_lab(page)
    start = (lab.root / "ko/notebooks/README.md").read_text(encoding="utf-8").splitlines()[0]
    heading = page.locator(".jp-MarkdownViewer h1")
    heading.wait_for(timeout=SECONDS_TO_LOAD * 1000)
    assert heading.inner_text().strip("¶ ") == start.strip("# ")
    assert re.search("[가-힣]", start)
    listed = page.locator(".jp-DirListing-itemText").all_inner_texts()
    assert {path.name for path in lessons(lab.root / "ko")} <= set(listed)

    path = lab.root / "ko/notebooks" / name
    clear_outputs(path)
    before = path.stat().st_mtime_ns
    run_and_save(page, lab, name, "ko/notebooks")
    wait_until_saved(page, path, before)
    assert saved_complaints(path) == []
    assert alternative_texts_seen(page) <= alternative_texts_given(path)
    assert re.search("[가-힣]{2}", page.locator(".jp-NotebookPanel").inner_text())
