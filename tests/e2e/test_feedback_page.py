"""Pages for students and instructors in a browser without a network: legible, light and dark."""

import pytest

from grader.batch.statistics import Mistake, OneTest
from grader.batch.statistics import make_page as make_statistics
from grader.gradebook.feedback import make_page
from grader.gradebook.graded import executed_notebook, finish
from grader.gradebook.master import known_cells, master_notebook
from grader.intake.rebuild import Skeleton
from tests.support.small_class import source

axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs the e2e extra: make e2e"
)

pytestmark = pytest.mark.e2e

DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
OUTPUTS = [
    {"output_type": "stream", "name": "stdout", "text": "\x1b[31mred\x1b[0m " + "long " * 200},
    {
        "output_type": "display_data",
        "data": {
            "text/html": "<table><tr><th></th><th>a</th><td>" + "wide" * 99 + "</td></tr></table>"
        },
        "metadata": {},
    },
    {"output_type": "display_data", "data": {"image/png": DOT}, "metadata": {}},
]
OWN = "# Mine\n\n$a_i < b$ and $$\\sum_i " + "x_i + " * 80 + "1$$\n\n| | b |\n|---|---|\n| 1 | 2 |"
FAILED = {"kind": "values", "message": "expected 4, received 2", "hidden": False, "diagnosis": None}


def statistics():
    """The page with statistics, as text."""
    tests = [
        OneTest(f"double_{n}", "What it checks. " * n, 2.0, 60, 7 * n, 0.5, 0.1 * n or None)
        for n in range(8)
    ]
    mistakes = [Mistake("A sentence about what went wrong, and what would be right.", 7)]
    return make_statistics("01-small", tests, mistakes, [0.1 * n for n in range(11)])


def feedback():
    """A student's page with everything that there can be on one, as text."""
    whole = source()
    skeleton = Skeleton(whole, master_notebook(whole))
    cells, _ = skeleton.rebuild(whole)
    outputs = [(OUTPUTS if cell.grade_id == "double" else [], 1) for cell in cells]
    tests = {
        "double_two": {"score": 0.0, "max_score": 2.0, "failure": FAILED},
        "double_zero": {"score": 0.5, "max_score": 1.0},
        "triple_one": {"score": 4.0, "max_score": 4.0},
    }
    made = executed_notebook(cells, skeleton, outputs)
    own = {"cell_type": "markdown", "id": "own", "metadata": {}, "source": OWN}
    made["cells"].insert(4, own)
    result = {"outcome": "graded", "tests": tests, "flags": []}
    notebook = finish(made, known_cells(master_notebook(whole)), result, ["something unusual"])
    marks = {
        "score": 6.5,
        "max_score": 10,
        "late_penalty": 1,
        "cells": {name: (test["score"], test["max_score"]) for name, test in tests.items()},
        "comments": {"double": "Say `why`, and *when*."},
    }
    marks["cells"]["why"] = (3, 3)
    return make_page(notebook, marks, "Änne 김", "01-small")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("make", [feedback, statistics])
def test_axe_finds_nothing_and_nothing_is_asked_for(browser, tmp_path, make, scheme, width):
    path = tmp_path / "page.html"
    path.write_text(make(), encoding="utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found = axe_playwright.Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if make is feedback:  # a formula is drawn, and not shown as its text
        assert page.evaluate("document.querySelector('msub').getBoundingClientRect().height") > 10
    context.close()
