"""Running a few cells of a lesson, with stand-ins for what takes long or needs the rest of it.

What a cell trains, times or draws may differ between machines, so its saved output is compared in
form only. Here it gets inputs that can be told apart: which went where, and under which name, is
the same everywhere.
"""

import ast
import contextlib
import inspect
import io
from types import SimpleNamespace

from helpers import plots
from tests.support.lessons import LESSONS, need, number_of, read


class Cells:
    """The code cells of a lesson by id."""

    def __init__(self, number):
        need(f"notebooks/{number}-")
        (path,) = [path for path in LESSONS if number_of(path) == number]
        self.cells = {cell.id: cell for cell in read(path).cells}

    def imports(self):
        """The names that the lesson imports, in any of its cells."""
        body = [
            node
            for cell in self.cells.values()
            if cell.cell_type == "code"
            for node in ast.parse(cell.source).body
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        space = {}
        exec(compile(ast.Module(body, []), "imports", "exec"), space)
        return space

    def run(self, *ids, **names):
        """Run these cells one after the other, given these names of earlier cells.

        All names are there afterwards, and `printed` and `drawn`: what the cells printed, and the
        arguments of each call of `plots`, by their names.
        """
        drawn = []
        space = {**self.imports(), "plots": Drawing(drawn), **names}
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            for one in ids:
                exec(compile(self.cells[one].source, one, "exec"), space)
        return SimpleNamespace(**space, printed=printed.getvalue(), drawn=drawn)


class Drawing:
    """In place of `helpers.plots`: it keeps what it is given, and draws nothing."""

    def __init__(self, drawn):
        self.drawn = drawn

    def __getattr__(self, name):
        signature = inspect.signature(getattr(plots, name))

        def draw(*args, **kwargs):
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            self.drawn.append(SimpleNamespace(what=name, **given.arguments))

        return draw
