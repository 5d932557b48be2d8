"""The programs that measure: what they count, and how they work out what they print."""

import os
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from grader.authoring.source import read_cells
from tests.support.lessons import ROOT
from tests.support.scripts import load

ops = load("tools/benchmark_ops.py")
grading = load("tools/benchmark_grading.py")
sys.modules["benchmark_grading"] = grading  # as the next one finds it
load_tool = load("tools/grade_under_load.py")
NAME = "01-convolution-by-hand"


# --- helpers.ops against torch -------------------------------------------------------------------


def test_the_fastest_run_counts_and_the_first_only_warms_up(monkeypatch):
    durations, clock, calls = [9, 4, 2, 3], [0.0], []

    def function():
        clock[0] += durations[len(calls)]
        calls.append(None)

    monkeypatch.setattr(ops.time, "process_time", lambda: clock[0])
    assert ops.cpu_seconds(function, runs=3) == 2
    assert len(calls) == 4


def test_a_ratio_is_the_time_of_ops_by_that_of_torch(monkeypatch):
    seconds = iter([6.0, 10.0, 2.0, 4.0])  # ops forward and backward, then torch's
    ran = []

    def cpu_seconds(function):
        ran.append(function())
        return next(seconds)

    monkeypatch.setattr(ops, "cpu_seconds", cpu_seconds)
    assert ops.ratios((1, 2, 5, 5), (3, 2, 3, 3), {"padding": 1}) == (3, 2.5)
    assert ran[0].shape == (1, 3, 5, 5)
    assert [array.shape for array in ran[1]][:2] == [(1, 2, 5, 5), (3, 2, 3, 3)]
    assert ran[2].shape == (1, 3, 5, 5)
    assert [tensor.shape for tensor in ran[3]] == [(1, 2, 5, 5), (3, 2, 3, 3)]


def test_the_threads_are_set_before_the_libraries_are_loaded(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmark", "--threads", "2"])
    monkeypatch.setattr(ops, "ratios", lambda *given: (3.14, 2.5))
    started = []

    def execv(program, arguments):
        started.append((program, arguments))
        raise InterruptedError  # nothing comes behind it

    monkeypatch.setattr(ops.os, "execv", execv)
    for variable in ops.THREAD_VARIABLES:
        monkeypatch.setenv(variable, "1")
    with pytest.raises(InterruptedError):
        ops.main()
    assert started == [(sys.executable, [sys.executable, "benchmark", "--threads", "2"])]
    assert {ops.os.environ[name] for name in ops.THREAD_VARIABLES} == {"2"}
    ops.main()  # now they are set
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("threads: 2")
    assert len(lines) == 2 + len(ops.SIZES)
    assert all(line.split()[-2:] == ["3.1", "2.5"] for line in lines[2:])


# --- grading -------------------------------------------------------------------------------------


def answers(path):
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


@pytest.mark.parametrize("name", [NAME, "05-mnist-net"])
def test_every_third_submission_has_a_mistake_in_one_task_and_all_differ(tmp_path, name):
    folder = grading.submissions(tmp_path, name, 9)
    made = [answers(path) for path in sorted(folder.iterdir())]
    assert [path.name for path in sorted(folder.iterdir())][-1] == "student-0008.ipynb"
    source = {c.grade_id: c.source for c in read_cells(grading.notebook_path(name))}
    tasks = []
    for number, cells in enumerate(made):
        wrong = [task for task, text in cells.items() if source[task] not in text]
        assert len(wrong) == (number % 3 == 2), number
        assert all(" return None and " in cells[task] for task in wrong)
        assert all(
            text.startswith(f"# the answer of student {number}\n") for text in cells.values()
        )
        tasks += wrong
    assert len(set(tasks)) == 3
    (tmp_path / "right").mkdir()
    folder = grading.submissions(tmp_path / "right", name, 3, mistakes=False)
    assert not any("return None and" in p.read_text("utf-8") for p in folder.iterdir())


def test_a_course_has_the_assignment_and_the_configuration(tmp_path):
    grading.course(tmp_path, NAME)
    assert (tmp_path / "nbgrader_config.py").is_file()
    assert [path.name for path in (tmp_path / "solutions").iterdir()] == [NAME]
    assert (tmp_path / f"assignments/{NAME}/{NAME}.ipynb").is_file()


@pytest.fixture
def graded(monkeypatch):
    """So many submissions take so many seconds: (wall, CPU, the coordinator's CPU)."""
    calls = []

    def grade(name, count, workers, stocks=0):
        calls.append((name, count, workers, stocks))
        ours = 3 + count * 0.5, 5 + count * 2.0, 1 + count * 0.1
        return ours, (stocks * 10.0, stocks * 8.0, None) if stocks else None

    monkeypatch.setattr(grading, "grade", grade)
    monkeypatch.setattr(grading, "alone", lambda name: 0.75)
    monkeypatch.setattr(grading, "adopt_orphans", lambda: None)
    return calls


def run(monkeypatch, capsys, main, *arguments):
    monkeypatch.setattr(sys, "argv", ["tool", *arguments])
    main()
    return capsys.readouterr().out.splitlines()


def test_what_each_further_submission_costs_and_how_many_times_less(graded, monkeypatch, capsys):
    given = (NAME, "--submissions", "100", "--stock", "4", "--workers", "2")
    said = run(monkeypatch, capsys, grading.main, *given)
    assert graded == [(NAME, 10, 2, 0), (NAME, 100, 2, 4)]
    assert said == [
        "the cells of the reference solution alone: 0.75 CPU s",
        "each further one: 2.00 CPU s, 1.25 on top of its cells, 0.100 in the coordinator",
        "stock, 4: 40.0 s wall, 32.0 CPU s",
        # 205 CPU s by 100, 53 s by 100.
        "a submission, everything counted: 2.05 against 8.00 CPU s (3.9 times less), 0.53 against "
        "10.00 s wall (18.9 times the throughput)",
    ]


def test_stock_gets_as_many_and_the_start_is_not_smaller_than_the_workers(
    graded, monkeypatch, capsys
):
    run(monkeypatch, capsys, grading.main, NAME, "--submissions", "20", "--workers", "6")
    assert graded == [(NAME, 6, 6, 0), (NAME, 20, 6, 20)]


def test_growth_is_told_for_ten_times_more(graded, monkeypatch, capsys):
    given = (NAME, "--submissions", "100", "--workers", "2", "--growth")
    said = run(monkeypatch, capsys, grading.main, *given)
    assert [count for _, count, _, _ in graded] == [10, 100, 1000]
    assert said[1:] == [
        "each from 10 to 100: 0.500 s wall, 2.000 CPU s",
        "each from 100 to 1000: 0.500 s wall, 2.000 CPU s",
    ]


def test_a_batch_that_is_not_recorded_in_full_is_no_figure(monkeypatch, tmp_path, capsys):
    recorded = {"lines": 2}

    def ours(root, name, folder, workers):
        results = root / "grading" / name / "results"
        results.mkdir(parents=True)
        for number in range(2):
            (results / str(number)).write_text('{"cpu": 1.5}')
        lines = "{}\n" * recorded["lines"]
        (root / "grading" / name / "records.jsonl").write_text(lines)
        assert len(list(folder.iterdir())) == 2
        return 4.0, 7.0, (300, 0.5)

    monkeypatch.setattr(grading, "ours", ours)
    assert grading.grade(NAME, 2, 1) == ((4.0, 7.0, 0.5), None)
    assert capsys.readouterr().out == (
        "ours, 2: 4.0 s wall, 7.0 CPU s, 3.0 of them in the children, 0.5 in the coordinator, "
        "which takes 300 MiB\n"
    )
    recorded["lines"] = 1
    with pytest.raises(SystemExit, match="1 of 2 are recorded"):
        grading.grade(NAME, 2, 1)


MEASURE = """
import sys, benchmark_grading

loop = "import time\\nwhile time.process_time() < 0.3: pass"
print(*benchmark_grading.measured([sys.executable, "-c", loop], sys.argv[1])[:2])
benchmark_grading.measured([sys.executable, "-c", "raise SystemExit('no such thing')"], sys.argv[1])
"""


def test_the_seconds_of_all_that_a_command_starts_are_counted(tmp_path):
    """In a process of its own: it waits for all that its own has started."""
    path = os.pathsep.join((str(ROOT / "tools"), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    wall, cpu = map(float, done.stdout.split())
    assert min(wall, cpu) >= 0.3
    assert done.returncode
    assert "failed:" in done.stderr
    assert "no such thing" in done.stderr


# --- under load ----------------------------------------------------------------------------------


def test_the_first_answer_of_a_burner_starts_loops(tmp_path):
    (path,) = grading.submissions(tmp_path, NAME, 1).iterdir()
    before = answers(path)
    load_tool.burner(path, 7)
    after = answers(path)
    first, *rest = before
    assert after[first].startswith("# burner 7\n")
    assert "os.setsid()" in after[first]
    assert [after[name] for name in rest] == [before[name] for name in rest]


RIGHT, LOOP = (5.0, "graded", "", {"a": 5}), (0.0, "incomplete", "time", {})


@pytest.mark.parametrize(
    ("alone", "beside", "end", "said"),
    [
        (RIGHT, [LOOP, RIGHT, RIGHT], None, "2 of 2 have"),
        (RIGHT, [LOOP, RIGHT, (4.0, "graded", "", {"a": 4})], 1, "1 of 2 have"),
        (RIGHT, [LOOP, RIGHT, (5.0, "graded", "slow", {"a": 5})], 1, "1 of 2 have"),
        (RIGHT, [RIGHT, RIGHT, RIGHT], "a loop came to its end", None),
        ((0, *RIGHT[1:]), [LOOP, RIGHT, RIGHT], "the right solution has no points alone", None),
    ],
)
def test_a_mark_or_an_outcome_that_differs_is_told(monkeypatch, capsys, alone, beside, end, said):
    calls = []

    def graded(root, honest, burners, options):
        calls.append((honest, burners))
        return [alone] if len(calls) == 1 else beside

    monkeypatch.setattr(load_tool, "graded", graded)
    monkeypatch.setattr(load_tool, "adopt_orphans", lambda: None)
    monkeypatch.setattr(load_tool.os, "sched_setaffinity", lambda *given: None, raising=False)
    monkeypatch.setattr(load_tool.os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    monkeypatch.setattr(sys, "argv", ["tool", NAME, "--honest", "2", "--burners", "1"])
    if end is None:
        load_tool.main()
    else:
        with pytest.raises(SystemExit) as ended:
            load_tool.main()
        assert ended.value.code == end
    assert calls == [(1, 0), (2, 1)]
    out = capsys.readouterr().out
    assert out.startswith(said) if said else out == ""


def test_marks_are_shown_once_as_they_come(monkeypatch, capsys):
    record = {"student": "a", "score": 4.5, "max_score": 5.0, "outcome": "graded", "seconds": 61.4}
    turns = [[record | {"flagged": ""}]]
    turns.append([*turns[0], record | {"student": "b", "flagged": "time"}])
    store = SimpleNamespace(records=lambda: turns[min(len(waits) - 1, 1)])
    waits = []

    def wait(seconds):
        waits.append(seconds)
        return len(waits) == 3

    load_tool.follow(store, SimpleNamespace(wait=wait))
    assert capsys.readouterr().out == (
        "  a: 4.5 of 5, graded, 61 s\n  b: 4.5 of 5, graded, 61 s; time\n"
    )


def test_the_verdict_on_the_course_is_of_two_cores():
    assert load_tool.CORES == 2
    assert (ROOT / "solutions" / load_tool.ASSIGNMENT).is_dir()
