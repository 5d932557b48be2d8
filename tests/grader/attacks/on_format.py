"""Tampering with the notebook file: what runs is the instructor's notebook."""

import copy
import json

from nbformat.v4 import new_code_cell, new_output

from tests.grader.attacks.trial import ALL, NOTHING, POINTS, RIGHT, WRONG, Case

TESTS = tuple(POINTS)


def change(name, function, answers=WRONG, earns=NOTHING, **rest):
    """A case in which `function` changes the notebook in place, or returns another one."""

    def changed(notebook):
        return function(notebook) or notebook

    return Case(name, change=changed, answers=answers, earns=earns, **rest)


def cells(notebook, wanted=TESTS):
    return [cell for cell in notebook.cells if cell.id in wanted]


def skip_tests(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution", "raises-exception", "remove-cell"]


def clear_metadata(notebook):
    for cell in notebook.cells:
        cell.metadata = {}


def clear_ids_and_metadata(notebook):
    clear_metadata(notebook)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"c{number}"


def more_points(notebook):
    for cell in cells(notebook):
        cell.metadata["nbgrader"].update(points=100, locked=False, schema_version=1)


def easy_tests(notebook):
    for cell in cells(notebook):
        cell.source = "100"


def no_tests(notebook):
    notebook.cells = [cell for cell in notebook.cells if cell.id not in TESTS]


def tests_first(notebook):
    notebook.cells = cells(notebook) + [c for c in notebook.cells if c.id not in TESTS]


def tests_twice(notebook):
    for cell in cells(notebook):
        copied = copy.deepcopy(cell)
        copied.source, copied.id = "pass", cell.id + "-2"
        notebook.cells.insert(notebook.cells.index(cell), copied)
        notebook.cells.append(copy.deepcopy(copied))


def answers_twice(notebook):
    for number, cell in enumerate(cells(notebook, RIGHT)):
        copied = copy.deepcopy(cell)
        copied.source, copied.id = "raise SystemExit", f"copy-{number}"
        notebook.cells.append(copied)


def forged_outputs(notebook):
    for cell in cells(notebook):
        cell.execution_count = 1
        cell.outputs = [
            new_output("execute_result", {"text/plain": "100"}, execution_count=1),
            new_output("stream", text="✓ passed\n"),
        ]


def other_kernel(notebook):
    notebook.metadata["kernelspec"] = {"name": "bash", "display_name": "B", "language": "bash"}
    notebook.metadata["language_info"] = {"name": "R", "file_extension": "../../x"}


def other_options(notebook):
    notebook.metadata["nbgrader"] = {"points": 1000}
    notebook.metadata["papermill"] = {"parameters": {"check": None}}
    notebook.metadata["execution"] = {"timeout": -1, "allow_errors": True}


def same_ids(notebook):
    for cell in notebook.cells:
        cell.id = "same"


def bad_ids(notebook):
    for number, cell in enumerate(notebook.cells):
        cell.id = ["../../etc/passwd", "x" * 5000, "", "<script>", "a b"][number % 5]


def attachments(notebook):
    notebook.cells[0]["attachments"] = {"a.png": {"image/png": "A" * 1_000_000}}
    notebook.metadata["widgets"] = {"state": {"x": ["y"] * 10_000}}


def huge_cell(notebook):
    cells(notebook, ["double"])[0].source += "\n" + ("# " + 98 * "-" + "\n") * 10_000


def too_huge_cell(notebook):
    cells(notebook, ["double"])[0].source += "\n" + "#" * 4_000_000


def many_cells(notebook):
    notebook.cells += [new_code_cell("0", id=f"e{n}") for n in range(300)]


def answers_as_tests(notebook):
    for cell in cells(notebook, RIGHT):
        cell.metadata["nbgrader"].update(grade=True, solution=False, locked=True, points=50)


def tests_as_answers(notebook):
    for cell in cells(notebook):
        cell.metadata["nbgrader"].update(grade=False, solution=True, locked=False)
        cell.source = "pass"


def tests_as_text(notebook):
    for cell in cells(notebook):
        cell["cell_type"] = "markdown"
        del cell["outputs"], cell["execution_count"]


def other_setup(notebook):
    cells(notebook, ["setup"])[0].source = (
        "class Checker:\n    def __getattr__(self, name): return self\n"
        "    def __call__(self, *rest, **more): return self\ncheck = Checker()"
    )


def new_test(notebook):
    cell = copy.deepcopy(cells(notebook)[0])
    cell.id, cell.source = "bonus", "pass"
    cell.metadata["nbgrader"].update(grade_id="bonus", points=100)
    notebook.cells.append(cell)


def tests_change_places(notebook):
    first, second = cells(notebook)[:2]
    names = [cell.metadata["nbgrader"]["grade_id"] for cell in (first, second)]
    for cell, name in zip((second, first), names, strict=True):
        cell.metadata["nbgrader"]["grade_id"] = name


def odd_grade_ids(notebook):
    odd = [None, 7, ["double"], {"a": 1}, "x" * 100_000, "../../x"]
    for cell, name in zip(cells(notebook), odd, strict=False):
        cell.metadata["nbgrader"]["grade_id"] = name


def metadata_that_is_none(notebook):
    data = json.loads(json.dumps(notebook))
    for number, cell in enumerate(data["cells"]):
        if cell["id"] in TESTS:
            cell["metadata"]["nbgrader"] = ["", 0, None, [], "x"][number % 5]
    return json.dumps(data).encode()


def sources_that_are_numbers(notebook):
    data = json.loads(json.dumps(notebook))
    for cell in data["cells"]:
        cell["source"] = 5
    return json.dumps(data).encode()


def half_a_character(notebook):
    cells(notebook, ["double"])[0].source += '\nprint("\\ud800 half")\n# \ud800'


def zero_bytes(notebook):
    cells(notebook, ["double"])[0].source += "\nx = '\x00'"


def mended_by_hand(notebook):
    """What honest students do: other tools, copied cells, extra cells, a renamed kernel."""
    clear_metadata(notebook)
    notebook.cells.insert(2, new_code_cell("print('my own cell')", id="own"))
    notebook.cells.append(new_code_cell("1 / 0", id="own-2"))
    notebook.metadata = {"colab": {"name": "x"}}


def conflict(notebook):
    lines = json.dumps(notebook, indent=1).splitlines()
    lines[5:5] = ["<<<<<<< HEAD", lines[5], "=======", lines[5], ">>>>>>> other"]
    return "\n".join(lines).encode()


def merged(notebook):
    """All answers in the first one's cell; the cells of the others deleted."""
    first, *others = cells(notebook, RIGHT)
    first.source = "\n\n".join(cell.source for cell in (first, *others))
    notebook.cells = [cell for cell in notebook.cells if cell not in others]


def as_type(kind):
    def changed(notebook):
        for cell in cells(notebook, RIGHT):
            cell["cell_type"] = kind
            del cell["outputs"], cell["execution_count"]

    return changed


def encoded(encoding, letters):
    def changed(notebook):
        cells(notebook, ["double"])[0].source += f"\n# {letters}"
        return json.dumps(notebook, ensure_ascii=False).encode(encoding)

    return changed


def large_outputs(notebook):
    for cell in cells(notebook, RIGHT):
        data = {"image/png": "A" * 15 * 2**20}
        cell.outputs = [new_output("display_data", data), new_output("stream", text="1\n" * 10**6)]


def used_set_up(notebook):
    """A line added to the locked set-up cell, and needed further down."""
    cells(notebook, ["setup"])[0].source += "\ntwo = 2"
    cells(notebook, ["double"])[0].source = "def double(x):\n    return two * np.array(x)"


def numbered(number, text):
    """The notebook in an old format, with a cell's metadata that is a text."""

    def changed(notebook):
        made = [{"cell_type": "code", "input": "x", "language": "python", "metadata": text}]
        sheets = [{"cells": made, "metadata": {}}]
        return json.dumps(
            {"nbformat": number, "nbformat_minor": 0, "metadata": {}, "worksheets": sheets}
        ).encode()

    return changed


def many(part, number):
    """A notebook in which one thing stands many times, in the place of a cell's metadata."""

    def changed(notebook):
        cell = f'{{"cell_type": "raw", "source": "", "metadata": {{"nbgrader": [{part}0]}}}}'
        cell = cell.replace(part, part * number)
        return f'{{"nbformat": 4, "metadata": {{}}, "cells": [{cell}]}}'.encode()

    return changed


def many_raw_cells(notebook):
    cell = '{"cell_type":"raw","source":""}'
    return f'{{"nbformat": 4, "cells": [{f"{cell}," * 600_000}{cell}]}}'.encode()


MAGICS = """
%matplotlib widget
%matplotlib qt
%load_ext tensorboard
%tensorboard --logdir logs
%conda install numpy
%pip install numpy
!ls
"""


def magics(notebook):
    first = cells(notebook, ["double"])[0]
    first.source = MAGICS + first.source


CASES = [
    change("tests tagged to be skipped", skip_tests),
    change("nbgrader's metadata cleared", clear_metadata),
    change("metadata cleared, right answers", clear_metadata, RIGHT, ALL),
    change("metadata and cell ids cleared, right answers", clear_ids_and_metadata, RIGHT, ALL),
    change("saved by another tool, with extra cells", mended_by_hand, RIGHT, ALL),
    change("points changed", more_points, RIGHT, ALL),
    change("points changed, wrong answers", more_points),
    change("tests edited", easy_tests),
    change("tests deleted", no_tests),
    change("tests deleted, right answers", no_tests, RIGHT, ALL),
    change("tests moved to the top", tests_first),
    change("tests moved to the top, right answers", tests_first, RIGHT, ALL),
    change("tests doubled", tests_twice),
    change("answers doubled", answers_twice, RIGHT, ALL),
    change("outputs forged", forged_outputs),
    change("another kernel named", other_kernel, RIGHT, ALL),
    change("options for other programs", other_options),
    change("one id for all cells", same_ids, RIGHT, ALL),
    change("ids that are none", bad_ids, RIGHT, ALL),
    change("attachments and widgets", attachments, RIGHT, ALL),
    change("a cell of 1 MB", huge_cell, RIGHT, ALL),
    change("a cell of 4 MB", too_huge_cell, RIGHT, outcome="unreadable", flags="larger than"),
    change("300 cells", many_cells, RIGHT, outcome="unreadable", flags="more than"),
    change("answers declared to be tests", answers_as_tests, RIGHT, ALL),
    change("answers declared to be tests, wrong answers", answers_as_tests),
    change("tests declared to be answers", tests_as_answers),
    change("tests turned into text", tests_as_text),
    change("the set-up cell edited", other_setup),
    change("a test of their own with 100 points", new_test),
    change("tests that change places", tests_change_places),
    change("grade ids that are none", odd_grade_ids),
    change("metadata that is none", metadata_that_is_none),
    change("sources that are numbers", sources_that_are_numbers, outcome="unreadable", flags="."),
    change("half a character", half_a_character, RIGHT, ALL, says="half|surrogate"),
    change("merged by git", conflict, RIGHT, outcome="unreadable", flags="conflict markers"),
    change("all answers in one cell", merged, RIGHT, ALL),
    change("all answers in one cell, wrong", merged),
    change("answers turned into text", as_type("markdown"), RIGHT, ALL),
    change("answers turned into raw cells", as_type("raw"), RIGHT, ALL),
    change("a letter in latin-1", encoded("latin-1", "é"), RIGHT, ALL),
    change("Japanese Windows", encoded("cp932", "畳み込みを計算する表"), RIGHT, ALL),
    change("UTF-16 without a mark", encoded("utf-16-le", "é"), RIGHT, ALL),
    change("60 MiB of outputs", large_outputs, RIGHT, ALL),
    change("a line in the locked set-up", used_set_up, RIGHT, ALL),
    change("magics that cannot work here", magics, RIGHT, ALL, torch=True),
    change("the second format", numbered(2, "x")),
    change("the third format", numbered(3, [1])),
    change("a million objects", many("{},", 10**6), outcome="unreadable", flags="parts"),
    change("a million lists", many("[],", 10**6), outcome="unreadable", flags="parts"),
    change("600,000 cells", many_raw_cells, outcome="unreadable", flags="more than 200 cells"),
    change("a zero byte", zero_bytes, RIGHT, ("row_sums", "total", "counter")),
]
