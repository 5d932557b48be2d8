"""How fast a batch is graded, against nbgrader's own autograder, on the same submissions.

    .venv/bin/python tools/benchmark_grading.py 01-convolution-by-hand --submissions 100
    .venv/bin/python tools/benchmark_grading.py 07-alexnet --submissions 20 --stock 4

Both run in this one call, one after the other: compare the ratios, not the seconds. Nothing is
tested here. Every third submission has a mistake in one task; each differs from all others. Stock
nbgrader may be given fewer of them (--stock), its costs being the same for each.
"""

import argparse
import contextlib
import ctypes
import itertools
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from grader.authoring.source import notebook_path, read_cells
from grader.sandbox.client import MODULES_WITH_TORCH
from helpers.command.files import ROOT

BIN = Path(sys.executable).parent
CHILD_SUBREAPER = 36  # prctl(2)
RETURN = re.compile(r"^( +return)\b", re.MULTILINE)
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


def submissions(root, name, count, mistakes=True):
    """Write this many different notebooks, a third of them with mistakes; returns their folder."""
    answers = {
        c.grade_id: c.source for c in read_cells(notebook_path(name)) if c.kind == "solution"
    }
    tasks = [grade_id for grade_id, source in answers.items() if RETURN.search(source)]
    folder = root / "batch"
    folder.mkdir()
    for number in range(count):
        wrong = tasks[number // 3 % len(tasks)] if mistakes and number % 3 == 2 else None
        released = ROOT / "assignments" / name / f"{name}.ipynb"
        notebook = nbformat.read(released, as_version=4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id in answers:
                cell.source = f"# the answer of student {number}\n{answers[grade_id]}"
                if grade_id == wrong:
                    cell.source = RETURN.sub(r"\1 None and", cell.source, count=1)
        nbformat.write(notebook, folder / f"student-{number:04}.ipynb")
    return folder


def measured(command, cwd):
    """(wall seconds, CPU seconds of all that it started, (MiB at most, CPU seconds) of itself)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    itself = (0, 0.0)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=output,
        )
        while process.poll() is None:
            itself = usage_of(process.pid) or itself
            time.sleep(0.1)
        wall = time.perf_counter() - start
        if process.returncode:
            output.seek(0)
            sys.exit(f"{command} failed:\n{output.read().decode(errors='replace')[-3000:]}")
    wait_for_orphans()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, itself


def usage_of(pid):
    """The most memory (MiB) and the CPU seconds of a process; None when it has ended."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                seconds = sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
                return int(line.split()[1]) // 1024, seconds
    return None


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


def ours(root, name, folder, workers, more=()):
    """Grade with `python -m grader.command.grade`, and more of its options."""
    command = [BIN / "python", "-m", "grader.command.grade", name, folder, "--root", root]
    return measured([*command, "--workers", workers, *more], root)


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
    seconds = measured([BIN / "nbgrader", "autograde", name], root)
    with sqlite3.connect(root / "grading" / "gradebook.db") as book:
        (graded,) = book.execute(
            "select count(distinct notebook_id) from grade where auto_score is not null"
        ).fetchone()
    if graded != count:
        sys.exit(f"nbgrader graded {graded} of {count}")
    return seconds


def alone(name):
    """CPU seconds of the reference solution's cells in a process that has imported everything."""
    code = f"import benchmark_grading; print(benchmark_grading.run_cells({name!r}))"
    path = os.pathsep.join((str(ROOT / "tools"), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "assignments" / name,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"the reference solution does not run:\n{done.stderr[-3000:]}")
    return float(done.stdout.split()[-1])


def run_cells(name):
    """Run the reference solution twice; the CPU seconds of the second time."""
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    from grader.sandbox.inside import server, shell

    server.warm_up(MODULES_WITH_TORCH)
    made = shell.make_shell()
    source = nbformat.read(notebook_path(name), as_version=4)
    cells = [cell.source for cell in source.cells if cell.cell_type == "code"]
    for _ in range(2):
        start = time.process_time()
        failed = [source for source in cells if shell.run_cell(made, source, 2**24)[1]]
        seconds = time.process_time() - start
        if failed:
            sys.exit(f"this cell fails:\n{failed[0]}")
    return seconds


def grade(name, count, workers, stocks=0):
    """Ours and, for so many submissions, stock: ((wall, CPU, coordinator's CPU), stock's)."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        course(root, name)
        batch = submissions(root, name, count)
        wall, cpu, (peak, own) = ours(root, name, batch, workers)
        records = (root / "grading" / name / "records.jsonl").read_text().splitlines()
        if len(records) != count:
            sys.exit(f"{len(records)} of {count} are recorded")
        inside = [json.loads(p.read_text())["cpu"] for p in (root / "grading").rglob("results/*")]
        stock_seconds = None
        if stocks:
            # In a course of its own: what has been graded once is skipped.
            course(root / "stock", name)
            stock_seconds = stock(root / "stock", name, batch, stocks)
    print(
        f"ours, {count}: {wall:.1f} s wall, {cpu:.1f} CPU s, {sum(inside):.1f} of them in the "
        f"children, {own:.1f} in the coordinator, which takes {peak} MiB",
        flush=True,
    )
    return (wall, cpu, own), stock_seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("assignment")
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--stock", type=int, help="how many of them stock nbgrader gets")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--growth", action="store_true", help="ours alone, also for 10 times more")
    options = parser.parse_args()
    adopt_orphans()
    name, count, workers = options.assignment, options.submissions, options.workers
    own = alone(name)
    print(f"the cells of the reference solution alone: {own:.2f} CPU s")
    if options.growth:
        points = [(n, grade(name, n, workers)[0]) for n in (count // 10, count, 10 * count)]
        for (few, before), (many, after) in itertools.pairwise(points):
            wall, cpu = ((after[k] - before[k]) / (many - few) for k in (0, 1))
            print(f"each from {few} to {many}: {wall:.3f} s wall, {cpu:.3f} CPU s")
        return
    few = max(count // 10, workers)
    start, _ = grade(name, few, workers)
    stocks = options.stock or count
    (wall, cpu, coordinator), stock_seconds = grade(name, count, workers, stocks)
    each, its = (
        (after - before) / (count - few)
        for after, before in ((cpu, start[1]), (coordinator, start[2]))
    )
    print(
        f"each further one: {each:.2f} CPU s, {each - own:.2f} on top of its cells, "
        f"{its:.3f} in the coordinator"
    )
    stock_wall, stock_cpu, _ = stock_seconds
    print(f"stock, {stocks}: {stock_wall:.1f} s wall, {stock_cpu:.1f} CPU s")
    print(
        f"a submission, everything counted: {cpu / count:.2f} against {stock_cpu / stocks:.2f} CPU "
        f"s ({stock_cpu / stocks / (cpu / count):.1f} times less), {wall / count:.2f} against "
        f"{stock_wall / stocks:.2f} s wall ({stock_wall / stocks / (wall / count):.1f} times the "
        "throughput)"
    )


if __name__ == "__main__":
    main()
