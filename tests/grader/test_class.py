"""A whole class through `make grade`: stopped in any way, on a cluster, and with hostile ones."""

import collections
import contextlib
import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from tests.support.lessons import ROOT

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's"),
]

NAME = "01-convolution-by-hand"
SECONDS = 240
BIN = Path(sys.executable).parent


def course(folder):
    """A course with one assignment in it."""
    for part in ("solutions", "assignments"):
        shutil.copytree(ROOT / part / NAME, folder / part / NAME)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "batch").mkdir()
    return folder


@pytest.fixture
def root(tmp_path):
    return course(tmp_path)


def hand_in(root, student, *cells, without=()):
    """The reference solution, with these cells of the student's own, without some answers."""
    source = nbformat.read(ROOT / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    place = next(n for n, cell in enumerate(source.cells) if cell.id == "setup") + 1
    for cell in source.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") in without:
            cell.source = "# nothing"
    # Its own comment makes each submission another one.
    own = [nbformat.v4.new_code_cell(code) for code in (f"# {student}", *cells)]
    source.cells[place:place] = own
    nbformat.write(source, root / "batch" / f"{student}.ipynb")


def start(root, *more):
    """The command, in a process group of its own."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "grader.command.grade", NAME, str(root / "batch")),
            *("--root", str(root), "--workers", "2", *more),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def finish(process):
    """What the command printed; it has to end with 0."""
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said[-3000:]
    return said


def records(root):
    """How often each student was recorded."""
    path = root / "grading" / NAME / "records.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return collections.Counter(line.split('"student": "')[1].split('"')[0] for line in lines)


def wait_for_records(root, process, number):
    until = time.monotonic() + SECONDS
    while sum(records(root).values()) < number:
        assert process.poll() is None, process.stdout.read()[-3000:]
        assert time.monotonic() < until, "too slow"
        time.sleep(0.05)


def table(root):
    with (root / "grading" / NAME / "grades.csv").open(newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def marks(root):
    """Everything of the table but the times."""
    return {
        student: {name: value for name, value in row.items() if name != "seconds"}
        for student, row in table(root).items()
    }


def group_of(process):
    """The processes of the command's session that are still alive."""
    import psutil

    found = set()
    for other in psutil.process_iter():
        try:
            if os.getsid(other.pid) == process.pid and other.status() != psutil.STATUS_ZOMBIE:
                found.add(other.pid)
        except (OSError, psutil.NoSuchProcess):
            continue
    return found


STUDENTS = [f"s{number}" for number in range(6)]


def hand_in_all(root):
    """Six submissions, all different; every second one has a task that is not done."""
    for number, student in enumerate(STUDENTS):
        hand_in(root, student, without=("edge_strength",) if number % 2 else ())


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course in which the six were graded in one go."""
    root = course(tmp_path_factory.mktemp("undisturbed"))
    hand_in_all(root)
    finish(start(root))
    return root


@pytest.fixture(scope="module")
def undisturbed(graded):
    """The marks of the six."""
    found = marks(graded)
    scores = {student: row["score"] for student, row in found.items()}
    (full,) = {row["max_score"] for row in found.values()}
    assert {scores[student] for student in STUDENTS[::2]} == {full}
    (partly,) = {float(scores[student]) for student in STUDENTS[1::2]}
    assert 0 < partly < float(full)
    return found


def test_nbgrader_can_grade_it_again(graded, undisturbed):
    student = STUDENTS[1]
    page = graded / "grading/autograded" / student / NAME / f"{NAME}.ipynb"
    before = page.stat().st_mtime_ns
    done = subprocess.run(
        [BIN / "nbgrader", "autograde", NAME, "--student", student, "--force"],
        cwd=graded,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert page.stat().st_mtime_ns > before
    with Gradebook(f"sqlite:///{graded / 'grading/gradebook.db'}") as book:
        score = book.find_submission(NAME, student).score
    assert score == float(undisturbed[student]["score"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_and_called_again_it_goes_on_with_the_same_marks(root, undisturbed, how):
    hand_in_all(root)
    process = start(root)
    wait_for_records(root, process, 1)  # early: the others are soon done, too
    assert group_of(process) - {process.pid}
    os.kill(process.pid, how)  # the coordinator alone: its workers have to notice
    process.communicate(timeout=60)
    assert process.returncode != 0
    until = time.monotonic() + 20
    while left := group_of(process):
        assert time.monotonic() < until, f"left behind: {left}"
        time.sleep(0.1)
    before = records(root)
    assert 1 <= len(before) < len(STUDENTS)
    finish(start(root))
    after = records(root)
    assert set(after) == set(STUDENTS)
    assert all(after[student] == 1 for student in before), "run again although done"
    assert marks(root) == undisturbed


def test_on_a_cluster_a_worker_that_is_killed_costs_nobody_anything(root, undisturbed):
    distributed = pytest.importorskip("distributed", reason="needs the cluster extra")
    import psutil

    hand_in_all(root)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        host, port = cluster.scheduler_address.removeprefix("tcp://").split(":")
        # A connection that would be made, if there were a network, says so.
        connect = (
            "import socket\ntry:\n"
            f"    socket.create_connection(({host!r}, {port}), timeout=2)\n    print('reached')\n"
            "except OSError as error:\n    print('not reached')"
        )
        hand_in(root, "caller", connect)
        with socket.create_connection((host, int(port)), timeout=5):
            pass  # from here it can be reached
        process = start(root, "--dask", cluster.scheduler_address)
        wait_for_records(root, process, 1)
        victim = psutil.Process(cluster.workers[0].pid)
        # It is killed while it grades: its sandbox has a child at work then.
        wait_until_busy(victim)
        servers = victim.children(recursive=True)
        victim.kill()
        finish(process)
    assert psutil.wait_procs(servers, timeout=20)[1] == []
    found = marks(root)
    caller = found.pop("caller")
    assert found == undisturbed
    assert caller["score"] == caller["max_score"]
    shown = root / "grading/autograded/caller" / NAME / f"{NAME}.ipynb"
    texts = [
        output.get("text") for c in nbformat.read(shown, 4).cells for output in c.get("outputs", ())
    ]
    assert "not reached\n" in texts


def wait_until_busy(worker):
    """Wait until a child is at work in the worker's sandbox."""
    until = time.monotonic() + SECONDS
    while not any(seconds_of_children(worker)):
        assert time.monotonic() < until, "no submission ran in this worker"
        time.sleep(0.01)


def seconds_of_children(worker):
    """For each process in the sandbox that was forked from the server, its processor time."""
    import psutil

    below = [p for p in worker.children(recursive=True) if p.name().startswith("python")]
    numbers = {p.pid for p in below}
    for process in below:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = process.parent()
            # The server, its monitor, and the monitor's child, which runs the notebook.
            if parent and parent.pid in numbers and parent.parent().pid in numbers:
                times = process.cpu_times()
                yield times.user + times.system
