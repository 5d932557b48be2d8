"""Which faults the course can have, by kind, and which of them are tried."""

import ast
import json
import re
from collections import Counter
from fnmatch import fnmatchcase
from itertools import pairwise

from grader.cells import BEGIN, BEGIN_HIDDEN, END
from tools.mutate import prose, python
from tools.mutate.fault import Edit, Fault, joined, value_at

KINDS = {
    "prose": "numbers, words, links, formulas and alternative texts of lessons",
    "code": "code of lessons",
    "assert": "asserts of lessons, left out or weakened",
    "output": "saved text and pictures of lessons",
    "plot": "calls that draw, and helpers/plots",
    "helper": "the other helpers",
    "grader": "the grader",
    "tool": "tools, and programs of the site",
    "task": "texts of assignments",
    "test": "graded tests, visible and hidden",
    "solution": "reference solutions",
    "leak": "a line of the solution in a task's text",
    "bank": "sentences of known mistakes",
    "page": "other Markdown pages",
    "glossary": "the glossary",
    "package": "pinned packages",
}
PROGRAMS = {
    "helpers/plots/*.py": "plot",
    "helpers/*.py": "helper",
    "grader/*.py": "grader",
    "site/*.py": "tool",
    "tools/*.py": "tool",
}
SOLUTION = re.compile(rf"### {BEGIN} SOLUTION\n(.*?)\n *### {END} SOLUTION", re.DOTALL)
COMMAND = re.compile(r"\b(?:course|make) ([a-z][a-z0-9-]+)\b(?=[^\n]*`)")
COMPARED = {"gives", "gives_at", "has_shape", "has_dtype", "satisfies", "raises"}
"""What `check("name", …)` offers to compare with."""


def every_fault(root, paths):
    """All faults that can be made in these files of the course."""
    lessons = [path.removeprefix("notebooks/") for path in paths if is_lesson(path)]
    for path in paths:
        program = next((PROGRAMS[p] for p in PROGRAMS if fnmatchcase(path, p)), None)
        if path.endswith(".ipynb"):
            yield from notebook_faults(path, (root / path).read_bytes(), lessons)
        elif program:
            edits = python.edits(python.Source(read(root, path)))
            yield from in_file(program, root, path, edits)
        elif fnmatchcase(path, "solutions/*/bank/*.py"):
            yield from in_file("bank", root, path, sentence_edits(read(root, path)))
        elif path.endswith(".md") and path != "solutions/known-mistakes.md":
            yield from in_file("page", root, path, page_edits(read(root, path), lessons))
        elif path == "site/glossary.toml":
            yield from in_file("glossary", root, path, glossary_edits(read(root, path)))
        elif path == "constraints.txt":
            lines = re.finditer(r"^[\w-]+==.*\n", read(root, path), re.MULTILINE)
            edits = (Edit("left out", *line.span(), "") for line in lines)
            yield from in_file("package", root, path, edits)


def choose(faults, seed, number):
    """So many of the faults, evenly over the kinds, and in each over what is changed.

    The order is that of the faults' ranks, so that a change of a file moves only its own.
    """
    faults = sorted(faults, key=lambda fault: fault.rank(seed))
    for same in (lambda fault: (fault.kind, fault.what), lambda fault: fault.kind):
        before = Counter()
        turns = {}
        for fault in faults:
            turns[fault] = before[same(fault)]
            before[same(fault)] += 1
        faults.sort(key=turns.get)
    return faults[:number]


def is_lesson(path):
    return fnmatchcase(path, "notebooks/*.ipynb")


def read(root, path):
    return (root / path).read_bytes().decode()


def in_file(kind, root, path, edits):
    text = read(root, path)
    for edit in edits:
        line = text.count("\n", 0, edit.start) + 1
        yield Fault(kind, path, str(line), (((), edit),))


# --- notebooks ---------------------------------------------------------------------------------


def notebook_faults(path, data, lessons):
    notebook = json.loads(data)
    if is_lesson(path):
        found = lesson_edits(notebook["cells"], lessons)
        yield from swapped_faults(path, notebook)
    elif path.startswith("solutions/"):
        found = assignment_edits(notebook["cells"])
    else:
        return
    for kind, place, edit in found:
        cell = notebook["cells"][place[0]]
        yield Fault(kind, path, cell["id"], ((("cells", *place), edit),))


def lesson_edits(cells, lessons):
    """Edits of a lesson, each with its kind and the place among the cells."""
    for number, cell in enumerate(cells):
        text, place = joined(cell["source"]), (number, "source")
        if cell["cell_type"] == "markdown":
            yield from (("prose", place, edit) for edit in prose.edits(text, lessons))
            continue
        source = python.Source(text)
        drawn = [source.span(node) for node in filter(python.is_drawing, ast.walk(source.tree))]
        for edit in python.edits(source):
            is_drawn = any(start <= edit.start and edit.end <= end for start, end in drawn)
            yield "plot" if is_drawn else "code", place, edit
        yield from (("plot", place, edit) for edit in python.drawing_edits(source))
        yield from (("assert", place, edit) for edit in python.assert_edits(source))
        for at, output in enumerate(cell["outputs"]):
            if "image/png" not in output.get("data", {}):
                inside = ("text",) if "text" in output else ("data", "text/plain")
                what = "saved text"
                if "nbval-ignore-output" in cell["metadata"].get("tags", []):
                    what = "saved text, not compared"
                for edit in prose.other_numbers(joined(value_at(output, inside))):
                    yield "output", (number, "outputs", at, *inside), edit._replace(what=what)


def swapped_faults(path, notebook):
    """The pictures, and the alternative texts, of two cells that follow each other."""
    pictures, texts = [], []
    for number, cell in enumerate(notebook["cells"]):
        texts += [("cells", number, "metadata", "alt")] if "alt" in cell["metadata"] else []
        for at, output in enumerate(cell.get("outputs", [])):
            if "image/png" in output.get("data", {}):
                pictures.append(("cells", number, "outputs", at, "data", "image/png"))
    for kind, what, places in (
        ("output", "saved pictures swapped", pictures),
        ("prose", "alternative texts swapped", texts),
    ):
        for pair in pairwise(places):
            one, other = (joined(value_at(notebook, place)) for place in pair)
            edits = (Edit(what, 0, len(one), other), Edit(what, 0, len(other), one))
            where = notebook["cells"][pair[0][1]]["id"]
            yield Fault(kind, path, where, tuple(zip(pair, edits, strict=True)))


def assignment_edits(cells):
    """Edits of an assignment's source, each with its kind and the place among the cells."""
    task = None
    for number, cell in enumerate(cells):
        text, place = joined(cell["source"]), (number, "source")
        solution = SOLUTION.search(text)
        if cell["cell_type"] == "markdown":
            task = place, len(text)
            yield from (("task", place, edit) for edit in prose.edits(text))
        elif cell["metadata"].get("nbgrader", {}).get("points"):
            yield from (("test", place, edit) for edit in test_edits(text))
        elif solution:
            for edit in python.edits(python.Source(text)):
                if solution.start(1) <= edit.start < solution.end(1):
                    yield "solution", place, edit
            shown, end = task
            for line in map(str.strip, solution[1].splitlines()):
                if len(line) > 12:  # "else:" tells nothing
                    yield "leak", shown, Edit("solution shown", end, end, f"\n\n`{line}`")


def test_edits(text):
    """A comparison that is not made, another number expected, a hidden case left out."""
    source = python.Source(text)
    begin = text.index(BEGIN_HIDDEN)
    for node in python.nodes(source.tree):
        start = source.span(node)[0] if hasattr(node, "lineno") else 0
        part = "hidden" if start > begin else "visible"
        if isinstance(node, ast.Call) and python.called(node) in COMPARED:
            begun, end = source.span(node.func.value)[1], source.span(node)[1]
            yield Edit(f"{part} comparison left out", begun, end, "")
            for given in node.args:
                for inner in ast.walk(given):
                    if isinstance(inner, ast.Constant) and type(inner.value) in (int, float):
                        new = python.other_number(inner.value)
                        yield source.replace(f"{part} number", inner, new)
        elif part == "hidden" and isinstance(node, ast.Expr):
            yield source.replace("hidden check left out", node, "pass")
    yield from (edit for _, edit in hidden_cases(source))


def hidden_cases(source):
    """The cases of the hidden part of a test, each with the edit that leaves it out.

    Cases are what a loop goes through, if it is written down there, or in a list of its own; and
    the kinds of which `every_pair` makes rows.
    """
    begin = source.text.index(BEGIN_HIDDEN)
    for node in outside_functions(source.tree):
        lists = []
        if isinstance(node, ast.For | ast.comprehension):
            lists = [node.iter]
        elif isinstance(node, ast.Assign | ast.AugAssign) and isinstance(node.value, ast.List):
            lists = [node.value]
        elif isinstance(node, ast.Dict):
            lists = node.values
        for one in lists:
            is_list = isinstance(one, ast.List | ast.Tuple) and len(one.elts) > 1
            if is_list and source.span(one)[0] > begin:
                for case in one.elts:
                    kept = ", ".join(source.segment(other) for other in one.elts if other != case)
                    new = f"[{kept}]" if isinstance(one, ast.List) else f"({kept},)"
                    yield source.segment(case), source.replace("hidden case left out", one, new)


def outside_functions(node):
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from outside_functions(child)


# --- other files -------------------------------------------------------------------------------


def sentence_edits(text):
    """Words and numbers of the sentences by which a bank tells its mistakes."""
    source = python.Source(text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and python.called(node) == "mistake" and node.args:
            start, end = source.span(node.args[0])
            for find in (prose.turned_words, prose.other_numbers):
                yield from (edit.moved(start) for edit in find(text[start:end]))


def page_edits(text, lessons):
    yield from prose.edits(text, lessons)
    for command in COMMAND.finditer(text):
        yield Edit("command", command.end(1), command.end(1), "s")


def glossary_edits(text):
    """A definition turned round, and another term's lesson or Korean word."""
    for found in re.finditer(r'^definition = ".*"$', text, re.MULTILINE):
        yield from (edit.moved(found.start()) for edit in prose.turned_words(found[0]))
    for name in ("lesson", "korean"):
        values = list(re.finditer(rf"^{name} = (.*)$", text, re.MULTILINE))
        for one, other in pairwise(values):
            if one[1] != other[1]:
                yield Edit(f"another term's {name}", *one.span(1), other[1])
