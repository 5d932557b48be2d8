"""What Jupyter shows when a cell of an assignment stops."""

import signal
import traceback

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from helpers.assignment import Sheet, cells, fingerprint

SHOWS = "number = 3\nf(number)"
SETUP = """
from pathlib import Path
from helpers.assignment import Checker, cells
from helpers import plots
cells.SECONDS = 1
cells.protect.__defaults__ = (1,)
check = Checker("trial")
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A function that gives what the cells show below a set-up cell, all in one kernel."""
    folder = tmp_path_factory.mktemp("cells")
    sheet = Sheet(tries={"try": fingerprint(SHOWS)})
    (folder / "checks.json").write_text(sheet.to_json(), encoding="utf-8")
    client = NotebookClient(
        new_notebook(),
        timeout=60,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel():
        number = 0

        def run(*sources):
            nonlocal number
            texts = []
            for source in sources:
                cell = new_code_cell(source)
                client.nb.cells.append(cell)
                client.execute_cell(cell, number, store_history=True)
                number += 1
                texts.append("".join(map(text_of, cell.outputs)))
                run.number = cell.execution_count
            return texts[-1]

        assert run(SETUP) == ""
        yield run


def text_of(output):
    if output.output_type == "error":
        return "\n".join(output.traceback)
    return output.get("text") or str(output.data.get("text/plain"))


def test_the_students_line_comes_first_and_none_of_the_courses(shown):
    text = shown("def f(number):\n    twice = 2 * number\n    return twce", SHOWS)
    lines = text.split("\n")
    assert lines[0] == "NameError: name 'twce' is not defined"
    assert lines[1].startswith("  in        f, line 3 of cell [")
    assert lines[2] == "              return twce"
    assert "Did you mean `twice`?" in text
    assert "  called in line 2 of cell [" in text
    assert "Traceback" not in text


def test_errors_within_the_courses_own_code_show_the_students_line_alone(shown):
    text = shown("import numpy as np\nplots.number_grid([np.ones(3)], kind=1)")
    assert text.startswith("TypeError: ")
    assert "plots.number_grid([np.ones(3)], kind=1)" in text
    assert "grids.py" not in text


def test_a_forgotten_return_is_told_in_a_sentence(shown):
    sentence = "`f` gives None back. Does it end with `return`? (print only shows a value.)"
    shown("def f(number):\n    number + 1")
    text = shown("plots.number_grid([np.ones((2, 2)), f(3)], ['a', 'b'], None, ['=']);")
    assert text.replace("\n", " ") == sentence
    assert shown(SHOWS).replace("\n", " ").strip() == sentence
    # Nobody else's cell is asked: it may well call a function that gives nothing.
    assert shown("f(4)") == ""


def test_what_is_not_written_yet_is_told_as_the_tests_tell_it(shown):
    text = shown("def f(number):\n    raise NotImplementedError", SHOWS)
    assert text.replace("\n", " ") == (
        "f: it is not written yet: `f` still reaches `raise NotImplementedError`. Write your "
        "answer, and delete that line."
    )


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs SIGALRM")
def test_a_cell_of_the_courses_that_runs_for_ever_is_stopped_with_its_line(shown):
    text = shown("def f(number):\n    while True:\n        number += 1", SHOWS)
    assert text.startswith("This cell was still running after 1 seconds, and was stopped.")
    assert "  stopped   f, line " in text
    # A student's own cell may take as long as it likes.
    own = "import time\nstart = time.thread_time()\nwhile time.thread_time() < start + 1.5: pass\n7"
    assert shown(own) == "7"


def test_a_stopped_function_is_not_waited_for_again_and_again(shown):
    shown("def f(number):\n    while number: pass")
    shown("from helpers.assignment import checker\nchecker.SECONDS_AGAIN = 0.1")
    shown("check.seconds = 0.3")
    assert "still running after 0.3 seconds" in shown('check("f", 1).gives(2)')
    assert "still running after 0.1 seconds" in shown('check("f", 2).gives(4)')
    assert "still running after 0.1 seconds" in shown('check("f", 3).gives(6)')


def test_a_check_that_fails_and_an_error_of_python_look_as_ever(shown):
    shown("def f(number):\n    return 2 * number")
    assert shown('check("f", 3).gives(7)').startswith("f: expected 7, received 6.")
    assert "invalid syntax" in shown("f(3) f")
    assert shown(SHOWS) == "6"


def test_running_the_set_up_again_changes_nothing(shown):
    shown(SETUP, SETUP)
    shown("def f(number):\n    pass")
    assert shown(SHOWS).count("gives None back") == 1


def test_cells_of_notebooks_are_numbered_as_jupyter_shows_them(shown):
    text = shown("unknown_name")
    assert f"line 1 of cell [{shown.number}]:" in text


def test_three_lines_are_shown_of_those_that_called_the_one_with_the_error():
    frames = [traceback.FrameSummary("a.py", n, f"f{n}", line="x") for n in range(6)]
    text = "\n".join(cells._outer(frames))
    assert text.count("called in") == 3
    assert [f"f{n}" in text for n in range(6)] == [False, True, True, True, False, False]
