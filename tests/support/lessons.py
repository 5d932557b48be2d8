"""Reading the lessons for the tests: their files, their cells, and their definitions.

What a reader works in is left out (`helpers.command.left_out`): a test that needs it is skipped.
"""

import ast
import functools
import re
import tomllib

import nbformat
import pytest

from helpers.command.files import ROOT, lessons
from helpers.command.left_out import left_out

LEFT_OUT = left_out(ROOT)
LESSONS = [path for path in lessons(ROOT) if f"notebooks/{path.name}" not in LEFT_OUT]


def need(beginning="notebooks/"):
    """Skip the test if a notebook with this beginning of its path is left out."""
    names = [name for name in LEFT_OUT if name.startswith(beginning)]
    if names:
        pytest.skip(f"not as released: {', '.join(names)}")


def read(path):
    """The notebook as nbformat gives it."""
    return nbformat.read(path, as_version=4)


def number_of(path):
    """The number of a lesson as its file's name begins with it, "07"; the appendix has "A"."""
    return path.name.partition("-")[0]


def definitions(number, *names):
    """Functions and constants of a lesson by name, without running the rest of it.

    Runs the lesson's imports, and the cells' top-level statements that define one of `names`.
    Of a lesson that is left out, each is a function that skips the test that calls it.
    """
    number = number if isinstance(number, str) else f"{number:02}"
    beginning = f"notebooks/{number}-"
    if any(name.startswith(beginning) for name in LEFT_OUT):
        return [lambda *args, **kwargs: need(beginning)] * len(names)
    (path,) = [path for path in LESSONS if number_of(path) == number]
    wanted, found = set(names), {}
    body = []
    for cell in read(path).cells:
        if cell.cell_type != "code":
            continue
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.Import | ast.ImportFrom) or defined(node) & wanted:
                body.append(node)
                found.update(dict.fromkeys(defined(node) & wanted))
    missing = wanted - found.keys()
    assert not missing, f"{path.name} does not define {', '.join(sorted(missing))}"
    space = {}
    exec(compile(ast.Module(body, []), path.name, "exec"), space)
    return [space[name] for name in names]


def defined(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return set()


def box_name(cell):
    """The name of the question that a cell asks with predict, None for any other cell."""
    match = re.fullmatch(r'predict\("([^"]+)"\)', cell.source) if cell.cell_type == "code" else None
    return match and match[1]


@functools.cache
def questions():
    """The questions of all boxes by name, as `helpers.pieces.prediction` reads them."""
    path = ROOT / "helpers/pieces/prediction/questions.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def question_texts(name):
    """All that a box says: its question, its choices, why, and what it says of wrong guesses."""
    one = questions()[name]
    wrong = [tip for _, tip in one.get("wrong", ())]
    return [one["question"], *one.get("choices", ()), one["because"], *wrong]
