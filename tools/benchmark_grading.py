"""How fast a batch is graded, against nbgrader's own autograder, on the same submissions.

    .venv/bin/python tools/benchmark_grading.py 01-convolution-by-hand --submissions 100
    .venv/bin/python tools/benchmark_grading.py 06-alexnet --submissions 20 --stock 4

Both run in this one call, one after the other: compare the ratios, not the seconds. Nothing is
tested here. Every third submission has a mistake in one task; each differs from all others. Stock
nbgrader may be given fewer of them (--stock), its costs being the same for each.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from helpers.grading.source import notebook_path, read_cells

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
CHILD_SUBREAPER = 36  # prctl(2)
# nbgrader's own list of what `nbgrader autograde` does.
STOCK = """
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties, CheckCellMetadata, Execute, IgnorePattern, LimitOutput, SaveAutoGrades
)
c.Autograde.autograde_preprocessors = [
    Execute, IgnorePattern, ClearMetadataPreprocessor, LimitOutput, SaveAutoGrades,
    AssignLatePenalties, CheckCellMetadata,
]
"""


def course(root, name):
    """A course folder with one assignment."""
    for folder in ("solutions", "assignments"):
        shutil.copytree(ROOT / folder / name, root / folder / name)
    shutil.copy(ROOT / "nbgrader_config.py", root)


def submissions(root, name, count):
    """Write this many different notebooks; returns their folder."""
    answers = {
        c.grade_id: c.source for c in read_cells(notebook_path(name)) if c.kind == "solution"
    }
    folder = root / "batch"
    folder.mkdir()
    for number in range(count):
        released = ROOT / "assignments" / name / f"{name}.ipynb"
        notebook = nbformat.read(released, as_version=4)
        for place, cell in enumerate(notebook.cells):
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id in answers:
                cell.source = f"# the answer of student {number}\n{answers[grade_id]}"
                if number % 3 == 2 and place % 2:
                    cell.source = cell.source.replace("return", "return None and", 1)
        nbformat.write(notebook, folder / f"student-{number:04}.ipynb")
    return folder


def measured(command, cwd, **environment):
    """(wall seconds, CPU seconds) of a command and all that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
    )
    wall = time.perf_counter() - start
    wait_for_orphans()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stderr[-3000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def adopt_orphans():
    """Become the parent of what outlives its own: a sandbox's seconds would be lost else."""
    if ctypes.CDLL(None, use_errno=True).prctl(CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")


def wait_for_orphans():
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
        except ChildProcessError:
            return
    sys.exit("something goes on running")


def ours(root, name, folder, workers):
    """Grade with `python -m helpers.grading`."""
    command = [BIN / "python", "-m", "helpers.grading", name, folder, "--root", root]
    return measured([*command, "--workers", workers], root)


def stock(root, name, folder, count):
    """Grade with `nbgrader autograde` and its own execution; one process, as it comes."""
    for path in sorted(folder.glob("*.ipynb"))[:count]:
        target = root / "grading/submitted" / path.stem / name / f"{name}.ipynb"
        target.parent.mkdir(parents=True)
        shutil.copy(path, target)
    config = root / "nbgrader_config.py"
    config.write_text(
        config.read_text(encoding="utf-8") + STOCK,
        encoding="utf-8",
    )
    measured([BIN / "nbgrader", "generate_assignment", name, "--force"], root)
    return measured([BIN / "nbgrader", "autograde", name], root)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("assignment")
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--stock", type=int, help="how many of them stock nbgrader gets")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--growth", action="store_true", help="ours alone, also for 10 times more")
    options = parser.parse_args()
    adopt_orphans()
    name, count = options.assignment, options.submissions
    counts = [count, 10 * count] if options.growth else [count]
    for number in counts:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            course(root, name)
            batch = submissions(root, name, number)
            wall, cpu = ours(root, name, batch, options.workers)
            records = (root / "grading" / name / "records.jsonl").read_text().splitlines()
            assert len(records) == number
            cells = [
                json.loads(p.read_text())["cpu"] for p in (root / "grading").rglob("results/*")
            ]
            print(
                f"ours, {number} submissions, {options.workers} workers: {wall:.1f} s wall, "
                f"{cpu:.1f} CPU s; a submission {wall / number:.3f} and {cpu / number:.3f}, "
                f"of which in the child {sum(cells) / number:.3f}"
            )
            if not options.growth:
                few = options.stock or count
                stock_wall, stock_cpu = stock(root, name, batch, few)
                print(
                    f"stock, {few} submissions: {stock_wall:.1f} s wall, {stock_cpu:.1f} CPU s; "
                    f"a submission {stock_wall / few:.3f} and {stock_cpu / few:.3f}"
                )
                print(
                    f"ratio: {stock_cpu / few / (cpu / number):.1f} times less CPU, "
                    f"{stock_wall / few / (wall / number):.1f} times the throughput"
                )


if __name__ == "__main__":
    main()
