"""What the set-up cells of an assignment define, in the grader: trusted code, run once."""

from __future__ import annotations

import ast
import base64
import contextlib
import functools
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.judging.functions import defined_names, names_in, used_names
from helpers.assignment import Sheet

_spaces: dict[str, dict[str, Any]] = {}


@contextlib.contextmanager
def among(files: Mapping[str, str]) -> Iterator[None]:
    """A working folder in which these files (base64, by name) lie, and can be imported."""
    if not files:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            Path(folder, name).write_bytes(base64.b64decode(data))
        sys.path.insert(0, folder)
        try:
            with contextlib.chdir(folder):
                yield
        finally:
            sys.path.remove(folder)


def setup_space(
    cells: Sequence[Mapping[str, Any]], files: Mapping[str, str], beside: Mapping[str, str]
) -> dict[str, Any]:
    """The namespace that the set-up cells make in the grader; made once, then copied.

    Parameters
    ----------
    cells : sequence of mappings
        `grader.cells.Cell` as dicts.
    files : mapping of str to str
        Texts that lie beside the notebook, by name; ``checks.json`` holds the known mistakes.
    beside : mapping of str to str
        The assignment's other files, in base64, by name.
    """
    code = needed_setup(
        "\n\n".join(cell["source"] for cell in cells if cell["kind"] == "setup"),
        tuple(cell["source"] for cell in cells if cell["kind"] == "test"),
    )
    key = hashlib.sha256(json.dumps([code, dict(files), dict(beside)]).encode()).hexdigest()
    if key not in _spaces:
        space: dict[str, Any] = {"__name__": "__main__"}
        sheet = Sheet(**json.loads(files["checks.json"])) if "checks.json" in files else Sheet()
        with among(beside):
            exec(compile(code, "<setup>", "exec"), space)
        for value in space.values():
            if hasattr(value, "sheet"):
                value.sheet = sheet
        _spaces.clear()
        _spaces[key] = space
    return _spaces[key]


@functools.lru_cache(100)
def needed_setup(code: str, tests: tuple[str, ...]) -> str:
    """Set-up code without imports that no test uses: to import torch takes seconds."""
    tree = ast.parse(code)
    rest = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    used = names_in(ast.Module(rest, [])).union(*map(used_names, tests))
    used.add("*")
    kept = [node for node in tree.body if node in rest or defined_names(node) & used]
    return ast.unparse(ast.Module(kept, []))
