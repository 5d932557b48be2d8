"""What runs is the instructor's notebook with the student's answers: nothing else of the file."""

import copy
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from grader.gradebook.feedback import make_page
from grader.gradebook.graded import executed_notebook, finish
from grader.intake.rebuild import Skeleton, load_skeleton
from grader.intake.recognise import Frame, same_text
from helpers.assignment.notebook_file import Unreadable
from tests.support.assignment_files import NAMES, source
from tests.support.lessons import ROOT

TEST_F = '# f doubles\ncheck("f", 1).gives(2)'
HIDDEN = '\n### BEGIN HIDDEN TESTS\ncheck.hidden("f", 3).gives(6)\n### END HIDDEN TESTS'


def cell(kind, grade_id, source, points=0):
    made = (new_markdown_cell if kind in ("text", "manual") else new_code_cell)(source)
    made.id = grade_id
    made.metadata["nbgrader"] = {
        "grade": kind in ("test", "manual"),
        "grade_id": grade_id,
        "locked": kind not in ("solution", "manual"),
        "solution": kind in ("solution", "manual"),
        "task": False,
        "schema_version": 3,
        "points": points,
    }
    return made


def free(source, cell_id):
    return new_code_cell(source, id=cell_id)


def source_notebook():
    return new_notebook(
        cells=[
            cell("text", "title", "# Title"),
            cell("setup", "setup", "import numpy as np"),
            cell("solution", "f", "def f(x):\n    return 2 * x"),
            free("f(1)", "f_try"),
            cell("test", "f_doubles", TEST_F + HIDDEN, 2),
            cell("solution", "g", "def g(x):\n    return x"),
            cell("test", "g_same", '# g\ncheck("g", 1).gives(1)' + HIDDEN, 3),
            cell("manual", "why", "Because.", 4),
        ]
    )


def released_notebook():
    made = source_notebook()
    stub = "def {}(x):\n    raise NotImplementedError"
    for c in made.cells:
        c.source = c.source.split("\n### BEGIN")[0]
        if c.id in ("f", "g"):
            c.source = stub.format(c.id)
    made.cells[-1].source = "*Write your answer here.*"
    return made


@pytest.fixture
def skeleton():
    return Skeleton(source_notebook(), released_notebook())


def answered():
    """A released notebook with answers to f and g."""
    made = released_notebook()
    by_id = {c.id: c for c in made.cells}
    by_id["f"].source = "def f(x):\n    return x + x"
    by_id["g"].source = "def g(x):\n    return +x"
    by_id["why"].source = "So."
    return made


ORDER = ["title", "setup", "f", "f_doubles", "g", "g_same", "why"]


def notebook_of(cells, skeleton, outputs=None):
    """What is written of the rebuilt cells."""
    return nbformat.from_dict(executed_notebook(cells, skeleton, outputs))


def run_order(cells):
    return [c.grade_id for c in cells if c.grade_id]


def sources(cells):
    return {c.grade_id: c.source for c in cells if c.grade_id}


def check_complete(skeleton, cells):
    """The frame is the source's, whatever was handed in."""
    assert run_order(cells) == ORDER
    found = {c.grade_id: c for c in cells if c.grade_id}
    for grade_id in ("title", "setup", "f_doubles", "g_same"):
        assert found[grade_id].source == skeleton.known[grade_id].source
    assert [found[key].points for key in ("f_doubles", "g_same", "why")] == [2, 3, 4]


def test_answers_and_own_cells_are_taken_over_in_their_places(skeleton):
    made = answered()
    made.cells.insert(2, free("import math", "own"))
    cells, notes = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    assert notes == []
    assert sources(cells)["f"] == "def f(x):\n    return x + x"
    assert sources(cells)["why"] == "So."
    order = [c.grade_id or c.source for c in cells]
    assert order[1:5] == ["setup", "import math", "f", "f(1)"]
    assert {c.grade_id: c.answered for c in cells if c.grade_id}["f"]


@pytest.mark.parametrize(
    ("tag", "added", "is_run"), [(True, "", False), (True, "x", True), (False, "", True)]
)
def test_what_only_shows_something_is_not_run_when_it_is_as_given_out(tag, added, is_run):
    source, released = source_notebook(), released_notebook()
    for notebook in (source, released):
        shown = next(cell for cell in notebook.cells if cell.id == "f_try")
        shown.metadata["tags"] = ["not-in-grading"] if tag else []
    submitted = copy.deepcopy(released)
    next(cell for cell in submitted.cells if cell.id == "f_try").source += added
    cells, _ = Skeleton(source, released).rebuild(submitted)
    assert [cell.source for cell in cells if cell.kind == "extra"] == ["f(1)" + added] * is_run


def test_the_untouched_release_is_not_answered(skeleton):
    cells, _ = skeleton.rebuild(released_notebook())
    check_complete(skeleton, cells)
    assert not any(c.answered for c in cells if c.kind in ("solution", "manual"))


def edited(notebook):
    next(c for c in notebook.cells if c.id == "f_doubles").source = "pass"


def deleted(notebook):
    notebook.cells = [c for c in notebook.cells if c.id not in ("f_doubles", "setup")]


def moved(notebook):
    notebook.cells.reverse()


def tagged(notebook):
    for c in notebook.cells:
        c.metadata["tags"] = ["skip-execution", "raises-exception"]


def worth_more(notebook):
    for c in notebook.cells:
        if "nbgrader" in c.metadata:
            c.metadata["nbgrader"].update(points=100, grade=True)


def copied(notebook):
    notebook.cells += copy.deepcopy(notebook.cells[4:5] * 3)


def another_kernel(notebook):
    notebook.metadata["kernelspec"] = {"name": "evil", "display_name": "x", "language": "bash"}


def with_outputs(notebook):
    for c in notebook.cells:
        if c.cell_type == "code":
            c.outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": "100"})]


def posing_as_a_test(notebook):
    notebook.cells.append(free("print('mine')", "x"))
    notebook.cells[-1].metadata["nbgrader"] = {"grade": True, "grade_id": "g_same", "points": 3}


@pytest.mark.parametrize(
    "change",
    [
        edited,
        deleted,
        moved,
        tagged,
        worth_more,
        copied,
        another_kernel,
        with_outputs,
        posing_as_a_test,
    ],
)
def test_tests_points_and_metadata_cannot_be_changed(skeleton, change):
    made = answered()
    change(made)
    cells, _ = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    assert sources(cells)["f"] == "def f(x):\n    return x + x"
    notebook = notebook_of(cells, skeleton, [([], None)] * len(cells))
    nbformat.validate(notebook)
    assert notebook.metadata == source_notebook().metadata
    assert all(not c.metadata.get("tags") for c in notebook.cells)
    assert all(not c.get("outputs") for c in notebook.cells)


def test_edited_and_missing_tests_are_noted(skeleton):
    made = answered()
    edited(made)
    made.cells = [c for c in made.cells if c.id != "g_same"]
    _, notes = skeleton.rebuild(made)
    assert "f_doubles: the test cell was edited; the original one ran" in notes
    assert "g_same: the cell was missing; it was put back" in notes


def test_of_copied_answers_the_first_that_was_worked_on_counts_and_the_others_run_too(skeleton):
    made = released_notebook()
    copies = [copy.deepcopy(made.cells[2]) for _ in range(2)]
    copies[0].source = "def f(x):\n    return 'first'"
    copies[1].source = "def f(x):\n    return 'second'"
    made.cells[3:3] = copies
    cells, notes = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    assert "first" in sources(cells)["f"]
    assert "f: 3 copies of the cell" in notes
    order = [c.source for c in cells]
    assert any("second" in text for text in order[order.index(sources(cells)["f"]) + 1 :])


@pytest.mark.parametrize("keep_ids", [True, False])
def test_cleared_metadata_is_recognised(skeleton, keep_ids):
    made = answered()
    for number, c in enumerate(made.cells):
        c.metadata = nbformat.from_dict({})
        if not keep_ids:
            c.id = f"new-{number}"
    cells, notes = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    assert sources(cells)["f"] == "def f(x):\n    return x + x"
    assert sources(cells)["g"] == "def g(x):\n    return +x"
    assert "f: recognised without its metadata" in notes
    if keep_ids:
        assert sources(cells)["why"] == "So."


def test_a_missing_answer_becomes_the_stub(skeleton):
    made = answered()
    made.cells = [c for c in made.cells if c.id != "f"]
    cells, notes = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    assert "raise NotImplementedError" in sources(cells)["f"]
    assert "f: the cell for the answer is missing" in notes


def retyped(c, kind):
    """The same cell after a press of "m", "r" or "y"."""
    made = nbformat.from_dict({**c, "cell_type": kind})
    for part in ("outputs", "execution_count"):
        made.pop(part, None)
    return made


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_in_a_cell_of_another_type_is_put_back(skeleton, kind):
    made = answered()
    made.cells[2] = retyped(made.cells[2], kind)
    cells, notes = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    found = {c.grade_id: c for c in cells if c.grade_id}["f"]
    assert (found.cell_type, found.source) == ("code", "def f(x):\n    return x + x")
    assert notes == [f"f: the answer was in a {kind} cell; it was put back into a code cell"]
    nbformat.validate(notebook_of(cells, skeleton))


def test_of_two_copies_the_one_of_the_right_type_counts(skeleton):
    made = answered()
    made.cells.insert(2, retyped(made.cells[2], "markdown"))
    made.cells[2].source = "def f(x): pass"
    cells, _ = skeleton.rebuild(made)
    assert sources(cells)["f"] == "def f(x):\n    return x + x"


def test_two_answers_in_one_cell_are_not_covered_by_a_stub(skeleton):
    """Students merge cells: the stub in the place of the other one would be the last word."""
    made = answered()
    by_id = {c.id: c for c in made.cells}
    by_id["f"].source += "\n\n" + by_id["g"].source
    made.cells = [c for c in made.cells if c.id != "g"]
    cells, notes = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    space = {}
    for c in cells:
        if c.kind in ("solution", "extra"):
            exec(c.source, space)
    assert (space["f"](3), space["g"](3)) == (6, 3)
    assert notes == ["g: the cell for the answer is missing; g stands in another cell, and counts"]


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("answer = 42", True),
        ("answer: int = 42", True),
        ("other, answer = 1, 42\nanswer, other = 42, 1", True),
        ("from elsewhere import answer", True),
        ("print(answer)", False),
        ("answer == 42", False),
        ("answers = 42", False),
        ("    answer = 42", False),
    ],
)
def test_what_gives_an_answer_its_value_in_another_cell(line, counts):
    source, released = source_notebook(), released_notebook()
    source.cells.insert(2, cell("solution", "value", "answer = 6 * 7"))
    released.cells.insert(2, cell("solution", "value", "answer = None"))
    made = copy.deepcopy(released)
    made.cells[2] = free(line, "own")
    made.cells[2].metadata["nbgrader"] = {"grade_id": "of-another-release"}
    cells, _ = Skeleton(source, released).rebuild(made)
    found = {c.grade_id: c for c in cells if c.grade_id}["value"]
    assert found.source == ("" if counts else "answer = None")


def test_an_answer_moved_into_a_cell_of_their_own_counts(skeleton):
    made = answered()
    own = made.cells[2]
    own.metadata = nbformat.from_dict({"nbgrader": {"grade_id": "other"}})
    cells, _ = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    assert sources(cells)["f"] == ""
    assert own.source in [c.source for c in cells]


@pytest.mark.parametrize("own", [0, 1, 2])
def test_a_written_answer_without_metadata_is_known_by_its_place(own):
    """So that a person marks it; with other cells of the student's before it, too."""
    source, released = source_notebook(), released_notebook()
    for made in (source, released):
        made.cells.append(cell("text", "end", "The end."))
        made.cells.insert(-2, new_markdown_cell("A hint, without an id.", id="hint"))
    skeleton = Skeleton(source, released)
    made = copy.deepcopy(released)
    place = [c.id for c in made.cells].index("why")
    made.cells[place] = new_markdown_cell("So.", id="a")
    made.cells[place + 1 : place + 1] = [new_markdown_cell("More", id=f"m{n}") for n in range(own)]
    cells, notes = skeleton.rebuild(made)
    found = {c.grade_id: c for c in cells if c.grade_id}["why"]
    assert (found.source, found.answered, found.kind) == ("So.", True, "manual")
    assert "why: recognised by its place, without its metadata" in notes
    assert [c.source for c in cells].count("More") == own
    # What stands elsewhere, and what was given out, is not taken for it.
    for there in (0, place - 1):
        made = copy.deepcopy(released)
        made.cells = [c for c in made.cells if c.id != "why"]
        made.cells.insert(there, new_markdown_cell("Not here.", id="a"))
        cells, _ = skeleton.rebuild(made)
        found = {c.grade_id: c for c in cells if c.grade_id}["why"]
        assert found.answered is (there != 0)


def with_task():
    """Source and student version with a task that is answered anywhere."""
    source, released = source_notebook(), released_notebook()
    for made in (source, released):
        task = cell("text", "explain", "Explain.", 2)
        task.metadata.nbgrader.task = True
        made.cells.append(task)
    return source, released


@pytest.mark.parametrize("grade_id", ["title", "explain"])
def test_what_is_written_into_a_locked_cell_is_shown_below_it(grade_id):
    source, released = with_task()
    skeleton = Skeleton(source, released)
    made = copy.deepcopy(released)
    changed = next(c for c in made.cells if c.id == grade_id)
    changed.source += "\n\nBecause."
    changed.attachments = {"a.png": {"image/png": PIXEL}}
    cells, notes = skeleton.rebuild(made)
    place = [c.grade_id for c in cells].index(grade_id)
    assert cells[place].source == skeleton.known[grade_id].source
    below = cells[place + 1]
    assert (below.kind, below.source) == ("extra", changed.source)
    assert below.attachments == changed.attachments
    assert f"{grade_id}: the cell was edited; the original one is there" in "".join(notes)
    # A picture alone is something, and a space at the end of a line is nothing.
    changed.source = source.cells[0].source if grade_id == "title" else "Explain."
    assert skeleton.rebuild(made)[0][place + 1].attachments
    changed.source, changed.attachments = changed.source + "  \n", {}
    assert not any("was edited" in note for note in skeleton.rebuild(made)[1])


def test_lines_added_to_the_set_up_run_after_the_original(skeleton):
    made = answered()
    made.cells[1].source += "\nimport math"
    cells, notes = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    assert [c.source for c in cells][1:3] == [
        "import numpy as np",
        "import numpy as np\nimport math",
    ]
    assert any(note.startswith("setup: the cell was edited") for note in notes)


def test_what_is_written_into_copies_of_a_task_is_kept():
    source, released = with_task()
    skeleton = Skeleton(source, released)
    made = copy.deepcopy(released)
    for text in ("Explain.", "First.", "Second."):
        made.cells.append(copy.deepcopy(made.cells[-1]))
        made.cells[-1].source = text
    cells, notes = skeleton.rebuild(made)
    assert [c.source for c in cells][-3:] == ["Explain.", "First.", "Second."]
    assert "explain: 4 copies of the cell" in notes


def test_of_copies_of_a_written_answer_the_first_counts_and_the_others_are_shown(skeleton):
    made = answered()
    for text in ("*Write your answer here.*", "Second."):
        made.cells.append(copy.deepcopy(made.cells[-1]))
        made.cells[-1].source = text
    cells, _ = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    assert [(c.kind, c.source) for c in cells][-2:] == [("manual", "So."), ("extra", "Second.")]


@pytest.mark.parametrize("magic", ["%%writefile f.py", "%%bash", "%%timeit -n 3"])
def test_an_answer_that_defines_nothing_in_the_notebook_is_told(skeleton, magic):
    made = answered()
    made.cells[2].source = f"{magic}\n" + made.cells[2].source
    _, (note,) = skeleton.rebuild(made)
    assert note.startswith(f"f: the answer begins with {magic.split()[0]}, so nothing")
    made.cells[2].source = made.cells[2].source.replace(magic, "%%time")
    assert skeleton.rebuild(made)[1] == []


@pytest.mark.parametrize("line", ["%matplotlib inline", "!ls", "x = = 1", "#" * 1_000_000])
def test_an_answer_is_known_by_its_name_whatever_else_is_in_the_cell(skeleton, line):
    made = answered()
    made.cells[2] = free(f"{line}\ndef f(x):\n    return 2 * x", "new")
    cells, notes = skeleton.rebuild(made)
    assert sources(cells)["f"].startswith(line)
    assert notes == ["f: recognised without its metadata"]


def test_nothing_answered_is_told(skeleton):
    assert skeleton.rebuild(released_notebook())[1] == [
        "nothing is answered in it: is it the right file?"
    ]


@pytest.mark.parametrize("bad", [5, None, [], "", "x" * 10_000, {"a": 1}])
def test_nonsense_for_an_id_is_an_ordinary_cell(skeleton, bad):
    made = answered()
    made.cells.append(free("1", "own"))
    made.cells[-1].metadata["nbgrader"] = {"grade_id": bad}
    cells, _ = skeleton.rebuild(made)
    check_complete(skeleton, cells)
    assert cells[-1].source == "1"


def test_an_empty_notebook_is_the_release(skeleton):
    cells, notes = skeleton.rebuild(new_notebook())
    check_complete(skeleton, cells)
    assert len(notes) == len(ORDER) + 1


def test_syntax_errors_and_deep_code_do_not_stop_it(skeleton):
    made = answered()
    for text in ("def f(:", "(" * 5000, "\x00", "f(" * 2000 + ")" * 2000):
        made.cells.append(free(text, f"own-{len(made.cells)}"))
    cells, _ = skeleton.rebuild(made)
    check_complete(skeleton, cells)


def test_written_for_nbgrader_without_hidden_tests(skeleton):
    cells, _ = skeleton.rebuild(answered())
    notebook = notebook_of(cells, skeleton)
    assert not any("HIDDEN" in c.source for c in notebook.cells)
    assert [c.metadata.nbgrader.grade_id for c in notebook.cells if "nbgrader" in c.metadata] == (
        ORDER
    )


# A picture of one pixel.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def with_picture(attachments):
    made = answered()
    made.cells[-1].source = "See ![my drawing](attachment:drawing.png)"
    made.cells[-1].attachments = attachments
    return made


def test_pictures_pasted_into_an_answer_are_kept_and_shown(skeleton):
    cells, notes = skeleton.rebuild(with_picture({"drawing.png": {"image/png": PIXEL}}))
    assert notes == []
    assert notebook_of(cells, skeleton).cells[-1].attachments == {
        "drawing.png": {"image/png": PIXEL}
    }
    made = executed_notebook(cells, skeleton, [[[], None] for _ in cells])
    kept = finish(made, {}, {"outcome": "graded"})
    tests = [c.grade_id for c in cells if c.points]
    marks = {
        "cells": dict.fromkeys(tests, (0, 1)),
        "comments": {},
        "score": 0,
        "max_score": 9,
        "late_penalty": 0,
    }
    page = make_page(kept, marks, "ann", "name")
    assert f'src="data:image/png;base64,{PIXEL}"' in page
    assert 'alt="my drawing"' in page


def test_another_picture_is_another_submission_and_the_job_holds_none(skeleton):
    jobs = []
    for text in (PIXEL, PIXEL[:-8] + "AAAAAA==", PIXEL):
        cells, _ = skeleton.rebuild(with_picture({"drawing.png": {"image/png": text}}))
        jobs.append(repr([cell.for_job() for cell in cells]))
        assert cells[-1].attachments["drawing.png"] == {"image/png": text}
    assert jobs[0] == jobs[2] != jobs[1]
    assert PIXEL not in jobs[0]


@pytest.mark.parametrize(
    "bad",
    [
        "text",
        {"drawing.png": "text"},
        {"drawing.png": {"text/html": "PHNjcmlwdD4="}},
        {"drawing.png": {"image/svg+xml": PIXEL}},
        {"drawing.png": {"image/png": '"><script>alert(1)</script>'}},
        {"drawing.png": {"image/png": 7}},
    ],
)
def test_what_is_no_picture_is_left_out_with_a_note(skeleton, bad):
    cells, notes = skeleton.rebuild(with_picture(bad))
    assert cells[-1].attachments is None
    told = "no page can show drawing.png: look into the file that was handed in"
    assert [told in note for note in notes] == [True] * (bad != "text")
    good = with_picture({"a.heic": {"image/heic": "AAAA"}, "b.png": {"image/png": PIXEL}})
    cells, (note,) = skeleton.rebuild(good)
    assert list(cells[-1].attachments) == ["b.png"]
    assert "no page can show a.heic:" in note
    assert cells[-1].source.startswith("See")


def test_every_cell_keeps_its_kind_and_type():
    source, released = source_notebook(), released_notebook()
    for made in (source, released):
        task = cell("text", "explain", "Explain.", 2)
        task.metadata.nbgrader.task = True
        made.cells.append(task)
        made.cells.append(nbformat.v4.new_raw_cell("raw", id="raw"))
        made.cells.append(new_markdown_cell("A note.", id="note"))
    skeleton = Skeleton(source, released)
    submitted = copy.deepcopy(released)
    # Another tool wrote something else there.
    submitted.cells[-1].metadata["nbgrader"] = ["a list"]
    cells, _ = skeleton.rebuild(submitted)
    kinds = {c.grade_id: c.kind for c in cells if c.grade_id}
    assert kinds == {
        "title": "text",
        "setup": "setup",
        "f": "solution",
        "f_doubles": "test",
        "g": "solution",
        "g_same": "test",
        "why": "manual",
        "explain": "task",
    }
    functions = {c.grade_id: list(c.functions) for c in cells if c.functions}
    assert functions == {"f": ["f"], "g": ["g"]}
    assert skeleton.max_score == 2 + 3 + 4 + 2
    assert skeleton.auto_max == 2 + 3
    assert skeleton.test_ids == ["f_doubles", "g_same"]
    # Only the names of solutions tell whose answer a cell is.
    assert skeleton.frame.names == {"f": "f", "g": "g"}
    outputs = [[[nbformat.v4.new_output("stream", text=str(n))], n] for n in range(len(cells))]
    made = notebook_of(cells, skeleton, outputs)
    nbformat.validate(made)
    assert [c.cell_type for c in made.cells] == [c.cell_type for c in submitted.cells]
    for number, node in enumerate(made.cells):
        if node.cell_type == "code":
            assert (node.outputs[0].text, node.execution_count) == (str(number), number)
        assert ("nbgrader" in node.metadata) == bool(cells[number].grade_id)


def test_what_is_written_for_nbgrader_holds_the_answers(skeleton):
    cells, _ = skeleton.rebuild(answered())
    written = {c.id: c.source for c in notebook_of(cells, skeleton).cells}
    executed = notebook_of(cells, skeleton, [[[], None] for _ in cells])
    shown = {c.id: c.source for c in executed.cells}
    for made in (written, shown):
        assert made["f"] == "def f(x):\n    return x + x"
        assert made["why"] == "So."
        assert made["title"] == "# Title"
    assert written["f_doubles"] == TEST_F
    assert shown["f_doubles"] == TEST_F + HIDDEN


def of_another():
    """A notebook that shares its title and its set-up with this assignment, and nothing else."""
    made = answered()
    for c in made.cells:
        if c.id not in ("title", "setup") and "nbgrader" in c.metadata:
            c.metadata["nbgrader"]["grade_id"] = c.id = f"other_{c.id}"
            c.source = c.source.replace("def f", "def p").replace("def g", "def q")
    return made


def test_a_notebook_of_another_assignment_is_not_graded(skeleton):
    with pytest.raises(Unreadable, match="of another assignment"):
        skeleton.rebuild(of_another())


@pytest.mark.parametrize("what", ["an answer in another's cell", "a test", "no foreign cell"])
def test_what_may_be_of_this_assignment_is_graded(skeleton, what):
    made = of_another()
    if what == "an answer in another's cell":
        made.cells[2].source = "def f(x):\n    return 2 * x"
    elif what == "a test":
        made.cells[4] = released_notebook().cells[4]
    else:
        made.cells = made.cells[:2]
    cells, _ = skeleton.rebuild(made)
    assert [c.grade_id for c in cells if c.kind == "test"] == ["f_doubles", "g_same"]


# --- whose cell is which -------------------------------------------------------------------------


@pytest.fixture
def frame():
    source, released = source_notebook(), released_notebook()
    known = {c.metadata.nbgrader.grade_id: c for c in source.cells if "nbgrader" in c.metadata}
    korean = copy.deepcopy(released)
    korean.cells[0].source, korean.cells[-1].source = "# 제목", "*여기에 답하세요.*"
    return Frame(known, released, korean)


STUB = "def {}(x):\n    raise NotImplementedError"


def given(source, grade_id=None, kind="code", cell_id="any", **metadata):
    """A cell of a submission; with a grade id it has its metadata."""
    make = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}[kind]
    made = make(source, id=cell_id, metadata=metadata)
    if grade_id is not None:
        made.metadata["nbgrader"] = {"grade_id": grade_id}
    return made


def found_in(frame, *cells):
    notes = []
    return frame.owners(list(cells), notes), notes


COPIES = "{}: {} copies of the cell"
LOST = "{}: recognised without its metadata"


@pytest.mark.parametrize(
    ("cells", "owners", "notes"),
    [
        ([("x = 1", "f")], ["f"], []),
        # The first that was worked on; of the student's own are the others of an answer.
        ([(STUB.format("f"), "f"), ("a", "f"), ("b", "f")], [None, "f", None], ["f 3"]),
        ([(STUB.format("f"), "f"), (STUB.format("f"), "f")], ["f", None], ["f 2"]),
        # One of another type counts if there is no other.
        ([("a", "f", "markdown"), (STUB.format("f"), "f")], ["f", None], ["f 2"]),
        ([("a", "f", "markdown"), ("b", "f")], [None, "f"], ["f 2"]),
        # Repetitions of a test are nothing; of other cells what was written into them is kept.
        ([("a", "g_same"), ("b", "g_same")], ["g_same", "g_same"], ["g_same 2"]),
        ([("import numpy as np", "setup"), ("x", "setup")], ["setup", "setup"], ["setup 2"]),
        ([("x", "setup"), ("y", "setup")], ["setup", None], ["setup 2"]),
        (
            [("So.", "why", "markdown"), ("*Write your answer here.*", "why", "markdown")],
            ["why", "why"],
            ["why 2"],
        ),
        # In the order of the submission.
        ([("a", "g"), ("b", "f"), ("c", "g"), ("d", "f")], ["g", "f", None, None], ["g 2", "f 2"]),
    ],
)
def test_of_copies_of_a_cell_one_stands_for_it(frame, cells, owners, notes):
    said = [COPIES.format(*note.split()) for note in notes]
    assert found_in(frame, *(given(*cell) for cell in cells)) == (owners, said)


@pytest.mark.parametrize(
    ("grade_id", "notes"),
    [
        ("h", ["h: not a cell of this release"]),
        ("x" * 70, ["x" * 60 + ": not a cell of this release"]),
        (5, ["5: not a cell of this release"]),
        (["f"], ["['f']: not a cell of this release"]),
        ("", []),
    ],
)
def test_a_cell_of_another_release_is_the_students_own_and_is_told(frame, grade_id, notes):
    # It has metadata: what it defines, and what is written in it, makes it no other cell.
    assert found_in(frame, given("def f(x): pass", grade_id)) == ([None], notes)
    assert found_in(frame, given("# Title", grade_id, "markdown", "title")) == ([None], notes)


@pytest.mark.parametrize(
    ("cell", "owner"),
    [
        # By the cell's id, by what was given out in any language, by what it defines.
        (given("x", cell_id="f"), "f"),
        (given("x", cell_id="f_doubles"), "f_doubles"),
        (given(TEST_F + "\n"), "f_doubles"),
        (given("# Title", kind="markdown"), "title"),
        (given(" # 제목 ", kind="markdown"), "title"),
        (given("def h(): pass\ndef g(x): pass"), "g"),
        (given("f = lambda x: 2 * x"), None),
        # The id says more than the text, and the text more than the names.
        (given("def f(x): pass", cell_id="g"), "g"),
        (given(STUB.format("g"), cell_id="f"), "f"),
        (given(STUB.format("g")), "g"),
        # Of the type of the cell alone.
        (given("def f(x): pass", kind="markdown"), None),
        (given("def f(x): pass", kind="markdown", cell_id="f"), None),
        (given("# Title"), None),
        (given("# Title", kind="raw"), None),
        (given("x"), None),
    ],
)
def test_a_cell_without_metadata_is_known_by_its_looks(frame, cell, owner):
    # Some metadata of another program tells nothing.
    cell.metadata["tags"] = ["x"]
    notes = [LOST.format(owner)] if owner else []
    answer = given("So.", "why", "markdown")  # so that none is looked for
    assert found_in(frame, cell, answer) == ([owner, "why"], notes)


def test_a_cell_that_is_there_is_not_recognised_in_another_one(frame):
    own, lost = given("x = 1", "f"), given("def f(x): pass", cell_id="f")
    assert found_in(frame, lost, own) == ([None, "f"], [])
    # Where one way leads to a cell that is there, the next way may lead to another one.
    both = given("def g(x): pass", cell_id="f")
    assert found_in(frame, both, own) == (["g", "f"], [LOST.format("g")])
    twice = found_in(frame, given("def f(x): 1"), given("def f(x): 2"))
    assert twice == (["f", None], [LOST.format("f")])


PLACE = "why: recognised by its place, without its metadata"


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        # After the last cell before it: the first of its type that says something.
        ([("So.", "markdown")], 0),
        ([("x = 1", "code"), ("", "markdown"), (" \n", "markdown"), ("So.", "markdown")], 3),
        ([("So.", "markdown"), ("More.", "markdown")], 0),
        ([("So.", "raw")], None),
        # What was given out is no answer, whatever spaces end its lines.
        ([("A hint. \n", "markdown"), ("So.", "markdown")], 1),
    ],
)
def test_a_written_answer_is_looked_for_behind_what_comes_before_it(frame, cells, place):
    frame.free.append("A hint.")
    made = [given(text, kind=kind) for text, kind in cells]
    before = given("x", "g_same")
    for more in ([], [given("No.", "of-another", "markdown")]):
        owners, notes = found_in(frame, *more, given("Not.", kind="markdown"), before, *made)
        there = [number for number, owner in enumerate(owners) if owner == "why"]
        assert there == ([] if place is None else [len(more) + 2 + place])
        assert (PLACE in notes) == (place is not None)


def test_a_written_answer_is_looked_for_before_what_comes_after_it(frame):
    frame.known["end"] = cell("text", "end", "The end.")
    late = given("So.", kind="markdown")
    end = given("The end.", "end", "markdown")
    assert found_in(frame, end, late)[0] == ["end", None]
    assert found_in(frame, late, end)[0] == ["why", "end"]  # from the beginning
    # Between them, not after the first that is known: cells that were moved are in no order.
    assert found_in(frame, late, given("x", "f"), late, end)[0] == [None, "f", "why", "end"]
    moved = found_in(frame, end, given("x", "f"), late)[0]
    assert moved == ["end", "f", "why"]
    assert found_in(frame, given("a", "why", "markdown"), late)[0] == ["why", None]


def test_code_that_a_person_marks_is_looked_for_by_its_place_if_it_defines_nothing(frame):
    made = cell("manual", "plot", "")
    frame.known["plot"] = nbformat.from_dict({**made, "cell_type": "code", "source": "plot(1)"})
    assert found_in(frame, given("x", "g_same"), given("plot(2)"))[0] == ["g_same", "plot"]
    frame.known["plot"].source = "def plot(): pass"
    assert found_in(frame, given("x", "g_same"), given("plot(2)"))[0] == ["g_same", None]


@pytest.mark.parametrize(
    ("source", "attachments", "is_worked_on"),
    [
        ("*Write your answer here.*", {}, False),
        ("\n*Write your answer here.*  \n\n", {}, False),
        ("*여기에 답하세요.*", {}, False),
        ("*Write  your answer here.*", {}, True),
        ("", {}, True),
        ("*Write your answer here.*", {"a.png": {"image/png": "AAAA"}}, True),
    ],
)
def test_what_counts_as_work_in_a_cell(frame, source, attachments, is_worked_on):
    made = given(source, "why", "markdown")
    if attachments:
        made["attachments"] = attachments
    assert frame.is_worked_on(made, "why") is is_worked_on
    # A picture that was given out is none of the student's.
    frame.pasted["why"] = attachments
    assert frame.is_worked_on(made, "why") is (is_worked_on and not attachments)


def test_lines_of_one_text_are_the_same_but_for_spaces_at_their_ends():
    assert same_text("a\n  b \n\n", "\na\t\n  b")
    assert not same_text("a\n b", "a\n  b")
    assert not same_text("a\nb", "a\n\nb")


def test_what_was_given_out_is_known_in_each_language(frame):
    for text in ("# Title", " # 제목\n", "f(1)", STUB.format("g")):
        assert frame.has(text)
    for text in ("", "# title", "f(2)", "Because."):
        assert not frame.has(text)
    assert frame.given["title"] == ["# Title", "# 제목"]


# --- languages, pictures and reasons -------------------------------------------------------------


class NeverAsked:
    """A translation that costs something to make, and is not needed."""

    @property
    def texts(self):
        raise AssertionError("nothing in the notebook is in another language")

    released = texts


def in_two_languages(edition=None):
    """The assignment, whose title has a letter beyond ASCII, in English and Korean."""
    source, released = source_notebook(), released_notebook()
    for made in (source, released):
        made.cells[0].source = "# Naïve"
    korean = copy.deepcopy(released)
    korean.cells[0].source, korean.cells[-1].source = "# 제목", "*답*"
    edition = edition or SimpleNamespace(
        released=korean,
        texts={c.source for c in korean.cells},
        in_english={"틀렸다": "It is wrong."},
        files=lambda files: {**files, "checks.json": "한국어"},
    )
    return Skeleton(source, released, editions={"ko": edition})


def holding(*texts, **metadata):
    return new_notebook(cells=[new_markdown_cell(text) for text in texts], metadata=metadata)


@pytest.mark.parametrize(
    ("notebook", "language"),
    [
        # What its metadata say, if it is a language that there is.
        (holding("# Naïve", course={"language": "ko"}), "ko"),
        (holding("# 제목", course={"language": "en"}), "en"),
        (holding("# 제목", course={"language": "fr"}), "ko"),
        (holding("# 제목", course={"language": ["en"]}), "ko"),
        (holding("# 제목", course="en"), "ko"),
        # Otherwise what more of its cells are in; English of as many.
        (holding("# 제목 \n", "mine: ü"), "ko"),
        (holding("# 제목", "# Naïve"), "en"),
        (holding("# 제목", "*답*", "# Naïve"), "ko"),
        (holding("# 제목", "# 제목", "# Naïve"), "en"),
        (holding("mine: ü"), "en"),
        (holding(), "en"),
    ],
)
def test_the_language_of_a_notebook(notebook, language):
    assert in_two_languages().language_of(notebook) == language
    # Where there is one language alone, it is that.
    assert Skeleton(source_notebook(), released_notebook()).language_of(notebook) == "en"


@pytest.mark.parametrize("texts", [(), ("# Naïve \n", "plain"), ("plain", "x = 1")])
def test_no_translation_is_made_for_a_notebook_in_english(texts):
    skeleton = in_two_languages(NeverAsked())
    assert skeleton.language_of(holding(*texts)) == "en"
    skeleton.rebuild(holding(*texts))
    with pytest.raises(AssertionError, match="another language"):
        skeleton.language_of(holding(*texts, "한국어"))


def test_what_was_given_out_in_another_language_is_not_answered():
    skeleton = in_two_languages()
    for text, is_answered in (("*답*", False), ("*Write your answer here.*", False), ("답", True)):
        made = new_notebook(cells=[given(text, "why", "markdown")])
        cells, _ = skeleton.rebuild(made)
        (why,) = [c for c in cells if c.grade_id == "why"]
        assert why.answered is is_answered
        assert why.source == (text if is_answered else "*Write your answer here.*")
        assert skeleton.is_untouched(made) is not is_answered


def test_texts_and_sentences_in_a_language():
    skeleton, files = in_two_languages(), {"checks.json": "English", "more.json": "{}"}
    assert skeleton.files_in("ko", files) == {"checks.json": "한국어", "more.json": "{}"}
    assert skeleton.files_in("en", files) == skeleton.files_in("fr", files) == files
    assert skeleton.in_english("틀렸다", "ko") == "It is wrong."
    assert skeleton.in_english("맞았다", "ko") == "맞았다"
    assert skeleton.in_english("틀렸다", "en") == "틀렸다"


@pytest.mark.parametrize(
    ("kind", "text", "is_shown"),
    [
        *((f"image/{kind}", PIXEL, True) for kind in ("png", "jpeg", "gif", "webp")),
        *((f"image/{kind}", PIXEL, False) for kind in ("svg+xml", "heic", "PNG")),
        *(("image/png", text, True) for text in ("", "A+/b09=", "AA\n AA", "==")),
        *(("image/png", text, False) for text in ("A-", "A_", "é", "<", "data:A", 7, None)),
    ],
)
def test_what_is_a_picture(skeleton, kind, text, is_shown):
    png, attached = {"image/png": PIXEL}, {kind: text}
    cells, notes = skeleton.rebuild(with_picture({"a": attached, "b": png}))
    assert cells[-1].attachments == ({"a": attached, "b": png} if is_shown else {"b": png})
    told = "why: no page can show a: look into the file that was handed in"
    assert notes == ([] if is_shown else [told])


def test_where_no_page_can_show_pictures_three_of_them_are_named(skeleton):
    made = answered()
    made.cells[2].attachments = {name: {"image/png": PIXEL} for name in "abcd"}  # in code
    made.cells += [new_markdown_cell("Mine."), new_raw_cell("Raw.")]
    made.cells[-2].attachments = {"e": {"x": "y"}, "f": []}
    made.cells[-1].attachments = {"g": {"image/png": PIXEL}}
    _, notes = skeleton.rebuild(made)
    told = "no page can show {}: look into the file that was handed in"
    listed = ["a, b, c, and 1 more", "e, f", "g"]
    assert notes == [("f: " if n == 0 else "") + told.format(text) for n, text in enumerate(listed)]


def test_a_picture_that_was_given_out_is_none_that_a_page_lacks():
    source, released = source_notebook(), released_notebook()
    released.cells[2].attachments = {"a.heic": {"image/heic": "AAAA"}}
    made = copy.deepcopy(released)
    assert Skeleton(source, released).rebuild(made)[1] == [
        "nothing is answered in it: is it the right file?"
    ]


def test_a_notebook_of_another_release_is_told_in_full(skeleton):
    with pytest.raises(Unreadable) as told:
        skeleton.rebuild(of_another())
    assert str(told.value) == (
        "a notebook of another assignment, or of an older release: no task and no test of this one "
        "is in it"
    )
    assert not skeleton.is_untouched(of_another())  # so it does not give way to another one


@pytest.mark.parametrize(
    ("more", "name"),
    [(["a1", "a2"], None), (["a1", "a2", "a3"], "02-a"), (["a1", "a2", "a3", "b1"], "02-a")],
)
def test_a_notebook_is_of_the_assignment_that_most_of_its_cells_are_of(more, name):
    others = {"03-b": {"b1"}, "02-a": {"a1", "a2", "a3"}}
    skeleton = Skeleton(source_notebook(), released_notebook(), others)
    ids = ("f", "g", *more)
    made = new_notebook(cells=[given("x", grade_id, cell_id=grade_id) for grade_id in ids])
    if name is None:
        skeleton.rebuild(made)
        return
    with pytest.raises(Unreadable) as told:
        skeleton.rebuild(made)
    assert str(told.value) == f"a notebook of {name}: most of its cells are of that assignment"


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"cells": [3]}', "\udcff", None])
def test_a_damaged_assignment_is_no_reason_to_grade_no_other(tmp_path, text):
    for folder, made in (("solutions", source_notebook()), ("assignments", released_notebook())):
        for name in ("01-a", "02-b"):
            (tmp_path / folder / name).mkdir(parents=True)
            nbformat.write(made, tmp_path / folder / name / f"{name}.ipynb")
    assert load_skeleton("01-a", tmp_path).others == {"02-b": set(ORDER)}
    path = tmp_path / "solutions" / "02-b" / "02-b.ipynb"
    if text is None:
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert load_skeleton("01-a", tmp_path).others == {"02-b": set()}


@pytest.mark.parametrize("name", NAMES)
def test_no_assignment_is_graded_from_a_notebook_of_another(name):
    """Some ask for functions of the same name, in cells of the same id: conv2d, train."""
    skeleton = load_skeleton(name, ROOT)
    for other in NAMES:
        if other != name:
            with pytest.raises(Unreadable, match=f"a notebook of {other}"):
                skeleton.rebuild(source(other))
    skeleton.rebuild(source(name))
