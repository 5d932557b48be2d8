"""Reading the lessons for the tests: their files, their cells, and their definitions."""

import ast
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def read(path):
    """The notebook as nbformat gives it."""
    return nbformat.read(path, as_version=4)


def definitions(number, *names):
    """Functions and constants of a lesson by name, without running the rest of it.

    Runs the lesson's imports, and the cells' top-level statements that define one of `names`.
    """
    (path,) = [path for path in LESSONS if path.name.startswith(f"{number:02}-")]
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
