"""Which notebooks the tests leave out: those that a reader works in.

A notebook is a reader's if it differs from the released one, be it by a half-finished run, and is
not in the form in which the course saves. Whoever changes the course itself ends with `make
notebooks` or `make assignments`, and what these saved is tested.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from helpers.command.files import Problem
from helpers.command.released import Released, State, parse

# The form in which tools/notebooks.py saves a lesson.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("alt", "jupyter", "nbgrader", "numbers", "tags")


def left_out(root: Path) -> dict[str, str]:
    """{notebook's name: in which way it differs}, for those that the tests leave out.

    Empty where nothing tells what was released: then everything is tested.
    """
    try:
        released = Released.find(root)
        found = {name: released.state(root, name) for name in released.names}
    except Problem:
        return {}
    return {
        name: state.value
        for name, state in found.items()
        if state is State.MISSING
        or (state is not State.SAME and not is_in_form(name, (root / name).read_bytes()))
    }


def is_in_form(name: str, data: bytes) -> bool:
    """Is the notebook as the course itself saves it: run from top to bottom, and nothing more?

    Lessons are saved by `make notebooks`, assignments by `make assignments`.
    """
    notebook = parse(data)
    try:
        if name.startswith("notebooks/"):
            return _is_lessons_form(notebook or {})
        return _is_assignments_form(notebook or {})
    except (KeyError, TypeError, AttributeError):
        return False


def _is_lessons_form(notebook: dict[str, Any]) -> bool:
    if notebook["metadata"] != METADATA:  # JupyterLab adds the version of Python
        return False
    counts = []
    for cell in notebook["cells"]:
        if set(cell["metadata"]) - set(CELL_METADATA):
            return False
        if cell["cell_type"] == "code":
            counts.append(cell["execution_count"])
            streams = Counter(output.get("name") for output in cell["outputs"])
            if any(number > 1 for name, number in streams.items() if name):
                return False
    return counts == list(range(1, len(counts) + 1))


def _is_assignments_form(notebook: dict[str, Any]) -> bool:
    return notebook["metadata"]["language_info"] == METADATA["language_info"] and all(
        cell["execution_count"] is None and not cell["outputs"]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    )
