"""Whether honest trainings get the marks beside hostile loops that they get alone.

    .venv/bin/python tools/grade_under_load.py
    .venv/bin/python tools/grade_under_load.py --honest 3 --burners 2 --cell-seconds 5
    .venv/bin/python tools/grade_under_load.py 01-convolution-by-hand --honest 4 --burners 1 \\
        --cell-seconds 5

Grades one right solution of an assignment that trains alone, and then a batch of them beside
notebooks that start thirty endless loops each, with `course grade`, on two cores. Each line of the
table is printed as it is recorded, and the last says whether a mark or an outcome differs; then it
ends with 1. The loops are run again alone, as they met contention: that takes most of the time. An
assignment without a training, and a few notebooks, give a verdict within minutes.
"""

import argparse
import os
import sys
import tempfile
import threading
from pathlib import Path

import nbformat
from benchmark_grading import adopt_orphans, course, ours, submissions

from grader.batch.store import Store

ASSIGNMENT = "05-mnist-net"
CORES = 2
BURN = """
import os
for number in range(30):
    if os.fork() == 0:
        os.setsid()
        while True: pass
while True: pass
"""


def burner(path, number):
    """Let the first answer of a notebook start loops."""
    notebook = nbformat.read(path, as_version=4)
    answers = [
        c for c in notebook.cells if (c.metadata.get("nbgrader") or {}).get("solution", False)
    ]
    answers[0].source = f"# burner {number}\n{BURN}"
    nbformat.write(notebook, path)


def graded(root, honest, burners, options):
    """The records of a batch by student; the loops come first, so that all others meet them."""
    root.mkdir()
    course(root, options.assignment)
    folder = submissions(root, options.assignment, honest + burners, mistakes=False)
    for number, path in enumerate(sorted(folder.glob("*.ipynb"))[:burners]):
        burner(path, number)
    more = ["--cell-seconds", options.cell_seconds]
    store = Store(root / "grading" / options.assignment)
    print(f"{honest} honest beside {burners} with loops:", flush=True)
    is_over = threading.Event()
    follower = threading.Thread(target=follow, args=(store, is_over))
    follower.start()
    try:
        wall, cpu, _ = ours(root, options.assignment, folder, options.workers, more)
    finally:
        is_over.set()
        follower.join()
    print(f"  took {wall:.0f} s wall, {cpu:.0f} CPU s", flush=True)
    return [(r["score"], r["outcome"], r["flagged"], r["tests"]) for r in store.records()]


def follow(store, is_over):
    """Print each student's marks as soon as they are recorded."""
    shown = set()
    is_last = False
    while not is_last:
        is_last = is_over.wait(1.0)
        for record in store.records():
            if record["student"] not in shown:
                shown.add(record["student"])
                marks = f"{record['score']:g} of {record['max_score']:g}, {record['outcome']}"
                flagged = f"; {record['flagged']}" if record["flagged"] else ""
                print(
                    f"  {record['student']}: {marks}, {record['seconds']:.0f} s{flagged}",
                    flush=True,
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("assignment", nargs="?", default=ASSIGNMENT)
    parser.add_argument("--honest", type=int, default=16)
    parser.add_argument("--burners", type=int, default=4)
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--cell-seconds", type=float, default=20.0)
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    adopt_orphans()
    with tempfile.TemporaryDirectory() as folder:
        (alone,) = graded(Path(folder, "alone"), 1, 0, options)
        beside = graded(Path(folder, "beside"), options.honest, options.burners, options)
    if alone[0] == 0:
        sys.exit("the right solution has no points alone")
    loops, honest = beside[: options.burners], beside[options.burners :]
    if any(outcome == "graded" for _, outcome, _, _ in loops):
        sys.exit("a loop came to its end")
    same = sum(result == alone for result in honest)
    print(f"{same} of {options.honest} have the marks and the outcome that one has alone")
    if same != options.honest:
        sys.exit(1)


if __name__ == "__main__":
    main()
