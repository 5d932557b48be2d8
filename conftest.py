"""How the notebooks are tested: nbval, with the cases that it lets pass.

nbval re-runs every code cell and compares its text with the saved one. On top of that a cell
fails here if it was never run or is skipped, if it writes to stderr, if the saved file holds an
error that no tag announces, or if an announced error does not come. The tag
``tolerance=0.01`` lets the numbers of one cell differ by that much (absolute, or relative for
numbers above 1), with the text around them the same.

Notebooks that a reader works in are left out, and named at the end. One that is named on the
command line is compared all the same.
"""

import math
import os
import re
from functools import cache
from pathlib import Path

from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

from helpers.command.files import is_own_copy
from helpers.command.left_out import left_out

ROOT = Path(__file__).resolve().parent

# Notebooks are compared on the CPU and without a network, also on machines that have more.
os.environ.setdefault("COURSE_DEVICE", "cpu")
os.environ.setdefault("MNIST_SOURCE", "sample")
if "MNIST_ROOT" in os.environ:
    # Kernels start in the folder of their notebook.
    os.environ["MNIST_ROOT"] = os.path.abspath(os.environ["MNIST_ROOT"])
if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker has one core to itself: more threads would only wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

NUMBER = re.compile(r"[-−+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
ERROR_TAGS = {"raises-exception", "nbval-raises-exception"}


def execute_cell_input(self, cell_input, allow_stdin=None):
    # As JupyterLab runs a cell: nbval keeps no history, and IPython then prints the value of a
    # last line even if it ends with a semicolon.
    return self.kc.execute(
        cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False
    )


RunningKernel.execute_cell_input = execute_cell_input


@cache
def readers_own():
    return left_out(ROOT)


def pytest_ignore_collect(collection_path):
    if is_own_copy(collection_path):
        return True
    if collection_path.suffix != ".ipynb" or not collection_path.is_relative_to(ROOT):
        return None
    return collection_path.relative_to(ROOT).as_posix() in readers_own() or None


def pytest_terminal_summary(terminalreporter, config):
    # Workers of xdist have no terminal: this is said once.
    named = {Path(argument.partition("::")[0]).resolve() for argument in config.args}
    names = [name for name in readers_own() if ROOT / name not in named]
    if not names:
        return
    terminalreporter.section("notebooks left out")
    terminalreporter.line("These differ from the released ones, and were left out:")
    for name in names:
        terminalreporter.line(f"  {name} ({readers_own()[name]})")
    terminalreporter.line(
        "`course reset` lists how to give each back as it came; yours is kept. If a change is "
        "meant, `make notebooks` saves a lesson in the course's form, and `make assignments` makes "
        "the assignments from solutions/: then it is tested."
    )


def pytest_itemcollected(item):
    # nbval names its cell class in the collector itself, so the class is exchanged afterwards.
    if type(item) is IPyNbCell:
        item.__class__ = LessonCell


class LessonCell(IPyNbCell):
    """A code cell of a notebook."""

    @property
    def tags(self):
        return self.cell.metadata.get("tags", [])

    def runtest(self):
        self.check_saved()
        super().runtest()
        self.check_outputs(self.test_outputs, "running it")

    def check_saved(self):
        if self.options["skip"]:
            self.raise_cell_error("the cell is skipped: every cell of a notebook is tested")
        if self.cell.execution_count is None and self.cell.source.strip():
            self.raise_cell_error("the cell was never run: run `make notebooks`")
        self.check_outputs(self.cell.outputs, "the saved file")

    def check_outputs(self, outputs, where):
        announced = bool(ERROR_TAGS & set(self.tags))
        errors = [output for output in outputs if output.output_type == "error"]
        if announced and not errors:
            self.raise_cell_error(f"the tag announces an error, but {where} gave none")
        if errors and not announced:
            self.raise_cell_error(f"an error that no tag announces, in {where}: {errors[0].ename}")
        for output in outputs:
            if output.output_type == "stream" and output.name == "stderr":
                self.raise_cell_error(f"output on stderr, in {where}: {output.text.strip()}")

    def compare_outputs(self, test, ref, skip_compare=None):
        tolerance = self.tolerance()
        if tolerance is not None:
            test = [adopt_numbers(new, old, tolerance) for new, old in zip_outputs(test, ref)]
        return super().compare_outputs(test, ref, skip_compare)

    def tolerance(self):
        values = [tag.partition("=")[2] for tag in self.tags if tag.startswith("tolerance=")]
        return float(values[0]) if values else None


def zip_outputs(test, ref):
    """Pairs of outputs; a surplus one is paired with itself, and the comparison reports it."""
    return [(new, ref[i] if i < len(ref) else new) for i, new in enumerate(test)]


def adopt_numbers(new, old, tolerance):
    """The new output, with each text that agrees within the tolerance replaced by the old one."""
    new = new.copy()
    if "text" in new and "text" in old and agrees(new.text, old.text, tolerance):
        new.text = old.text
    if "data" in new and "data" in old:
        new.data = {
            kind: old.data[kind]
            if isinstance(value, str)
            and isinstance(old.data.get(kind), str)
            and agrees(value, old.data[kind], tolerance)
            else value
            for kind, value in new.data.items()
        }
    return new


def agrees(new, old, tolerance):
    """Is the text the same, and is every number in it within the tolerance?"""
    if squeeze(NUMBER.sub("#", new)) != squeeze(NUMBER.sub("#", old)):
        return False
    pairs = zip(NUMBER.findall(new), NUMBER.findall(old), strict=True)
    return all(
        math.isclose(*pair, rel_tol=tolerance, abs_tol=tolerance) for pair in map(to_floats, pairs)
    )


def to_floats(texts):
    return [float(text.replace("−", "-")) for text in texts]


def squeeze(text):
    # A number that is a digit longer moves the columns of a printed array.
    return " ".join(text.split())
