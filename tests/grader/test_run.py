"""A submission's way, step by step, with a process that says what it is told to."""

import json
import random
from types import SimpleNamespace

import pytest

from grader.cells import BEGIN_HIDDEN, END_HIDDEN
from grader.judging.beside import Beside
from grader.judging.failures import NotJudged
from grader.judging.judge import Verdict, passed
from grader.judging.policy import Policy
from grader.judging.probes import Question
from grader.judging.progress import Progress
from grader.judging.run import Run
from grader.outcomes import SENTENCES
from grader.sandbox.child import ChildEnded
from helpers.assignment import Checker, CheckFailed, Sheet

CHECK = Checker("t", Sheet())
HIDDEN = f"{BEGIN_HIDDEN}\nassert f(7) == 8\n{END_HIDDEN}"
PLAIN, WITH_HIDDEN = "assert f(1) == 2", f"assert f(1) == 2\n{HIDDEN}"
BESIDE = "assert Net().f(1) == 2"
BESIDE_HIDDEN = f"{BESIDE}\n{HIDDEN}"


class Process:
    """Stands for the child: answers with what the test has laid ready, else with nothing."""

    seconds, is_contended = 1.5, False

    def __init__(self, *replies):
        self.replies, self.asked = list(replies), []

    def ask(self, request, blobs, seconds, grace=None):
        self.asked.append((request, seconds))
        reply = self.replies.pop(0) if self.replies else {}
        if isinstance(reply, Exception):
            raise reply
        return reply, []

    def close(self):
        return {"cpu": 2.0}


def cell(source="", kind="extra", cell_type="code", **more):
    found = {"kind": kind, "cell_type": cell_type, "source": source, "grade_id": kind}
    return {"points": 2.0, **found, **more}


def graded(source, grade_id="t"):
    return cell(source, "test", grade_id=grade_id, functions=("f",))


def made(*cells, replies=(), steps=0, chance=1.0):
    """A `Run` whose child answers with these replies; what it has done is in `log`."""
    log = []
    # Of its time the processor time of this process is a part, whatever else it has tested.
    policy = Policy(total_seconds=1e6).to_dict()
    data = {"cells": list(cells), "policy": policy, "files": {}}
    data |= {"class_seed": "c", "seed": "s"}
    progress = Progress([([], None)] * len(cells), steps=steps)
    run = Run(data, {"check": CHECK}, None, progress, log.append)
    run.log = log
    run.notebook.child = Process(*replies)
    run.rng = SimpleNamespace(random=lambda: chance)
    run.beside.control = lambda every=False: log.append(f"control {every}")
    for name in ("keep_copy", "go_to"):
        setattr(run.notebook, name, lambda number, name=name: log.append((name, number)))
    return run


def verdicts(run, **by):
    """Lets the judge, and what runs beside, give these verdicts one after the other."""

    def giving(name, found):
        def give(*given, **more):
            run.log.append((name, *given, *more.items()))
            return found.pop(0)

        return give

    for name in ("judge", "beside"):
        getattr(run, name).run = giving(name, list(by.get(name, ())))


GOOD = Verdict([], None, {"a": 1})
BAD = Verdict([], CheckFailed("It is wrong.", "value"))
HALF = Verdict([], None, None, 1.5)


def test_what_a_task_defines_may_be_asked_without_a_checker():
    run = made(cell("def f(x): pass", "solution", functions=("f",)), graded(PLAIN))
    assert run.judge.can_judge(PLAIN)
    assert not run.judge.can_judge("assert g(1) == 2")


@pytest.mark.parametrize(
    ("cells", "is_used"),
    [
        ([graded(PLAIN)], False),
        ([cell(BESIDE)], False),
        ([graded(PLAIN), graded(BESIDE)], True),
    ],
)
def test_controls_come_as_tests_that_run_beside_do_if_there_are_any(cells, is_used):
    assert made(*cells).beside.is_used is is_used


@pytest.mark.parametrize(
    ("later", "changed"),
    [
        (cell("f = 3"), True),
        (cell("f = 3", "setup"), True),
        (cell("f = 3", "test"), False),
        (cell("f = 3", cell_type="markdown"), False),
    ],
)
def test_only_cells_of_code_that_run_in_the_notebook_can_change_something(later, changed):
    assert made(cell(), later).changes.after(1, "check('f', 1)") is changed


def steps_of(run):
    """The way: the number of each cell, "c" for the controls, "h" and a number for hidden tests."""
    run.cell = lambda number: {"outputs": [f"{number}"], "is_deferred": number in (0, 2)}
    run.hidden_test = lambda number: {"outputs": [f"h{number}"]}
    run.go_on()
    steps = [step for step in run.log if step != "control True"]
    assert [step for step in run.log if "control" in step][:1] in ([], ["control True"])
    return [step["outputs"][0] if "cell" in step else "c" for step in steps]


def test_cells_come_first_then_all_controls_and_at_last_the_hidden_tests():
    run = made(*[cell()] * 3)
    assert steps_of(run) == ["0", "1", "2", "c", "h0", "h2"]
    assert run.log.index("control True") == 3
    assert run.notebook.child is None
    assert run.progress.cpu == 2.0


@pytest.mark.parametrize(
    ("steps", "deferred", "left"),
    [
        (1, [0], ["1", "2", "c", "h0", "h2"]),
        (3, [0, 2], ["c", "h0", "h2"]),
        (4, [0, 2], ["h0", "h2"]),
        (5, [0, 2], ["h2"]),
        (6, [0, 2], []),
    ],
)
def test_another_judge_goes_on_with_what_is_left(steps, deferred, left):
    run = made(*[cell()] * 3, steps=steps)
    run.progress.deferred += deferred
    assert steps_of(run) == left


def test_the_process_ends_also_when_the_judge_fails():
    run = made(cell())
    run.cell = lambda number: 1 / 0
    with pytest.raises(ZeroDivisionError):
        run.go_on()
    assert run.notebook.child is None


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("now", [False, True, None])
def test_a_step_tells_the_time_so_far_and_whether_the_machine_was_busy(before, now):
    run = made(cell())
    run.progress.contended, run.progress.seconds = before, 4.0
    if now is None:
        run.notebook.child = None
    else:
        run.notebook.child.is_contended = now
    run.finish({"cell": 0, "outputs": ["x"]})
    (told,) = run.log
    assert (told["cell"], told["outputs"]) == (0, ["x"])
    totals = told["totals"]
    assert totals["seconds"] == (4.0 if now is None else 5.5)
    assert totals["contended"] is (before or bool(now))
    assert totals["outcome"] == "graded"
    assert (run.progress.steps, run.progress.outputs) == (1, [(["x"], None)])


# --- cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [cell("text", "text", "markdown"), cell(" \n"), cell("")])
def test_a_cell_with_nothing_to_run_is_not_run(one):
    run = made(one)
    assert run.cell(0) == {"outputs": []}
    assert run.notebook.child.asked == []


OUTPUT = {"output_type": "stream", "name": "stdout", "text": "x"}


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, 0), (7, 7), (999_999, 999_999), (10**6, None), (-1, None), ("3", None), (None, None)],
)
def test_a_cell_is_run_and_what_it_shows_is_kept(count, told):
    run = made(cell(), cell("print(1)"), replies=[{"outputs": [OUTPUT], "count": count}])
    assert run.cell(1) == {"outputs": [OUTPUT], "count": told, "ran": True}
    assert run.notebook.position == 2
    ((request, seconds),) = run.notebook.child.asked
    assert request == {"do": "run", "code": "print(1)", "output_limit": 2 * 2**20}
    assert seconds == 120.0


def texts(outputs):
    return [one.get("evalue") or one["text"] for one in outputs]


@pytest.mark.parametrize(
    ("reply", "left", "outcome"),
    [
        ({"interrupted": True}, 300.0, "cell timeout"),
        ({"interrupted": True, "out_of_memory": True}, 0.0, "total timeout"),
        ({"out_of_memory": True}, 300.0, "out of memory"),
    ],
)
def test_a_cell_that_was_stopped_says_why(reply, left, outcome):
    run = made(cell("x"), replies=[{"outputs": [OUTPUT], **reply}])
    run.notebook.left = lambda: left if run.notebook.child.asked else 60.0
    step = run.cell(0)
    assert texts(step["outputs"]) == ["x", SENTENCES[outcome].in_cell]
    assert step["ran"] is True
    assert run.progress.outcome == outcome


def test_a_cell_whose_process_ends_says_so_and_is_not_run_again():
    run = made(cell("x"), replies=[ChildEnded("memory")])
    step = run.cell(0)
    assert texts(step["outputs"]) == [SENTENCES["out of memory"].in_cell]
    assert step.keys() == {"outputs"}
    assert run.notebook.position == 0


# --- tests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "chance", "controls"),
    [(PLAIN, 0.19, 1), (PLAIN, 0.2, 0), (BESIDE, 0.49, 1), (BESIDE, 0.5, 0)],
)
def test_controls_come_before_every_second_test_beside_and_every_fifth_one_here(
    code, chance, controls
):
    run = made(graded(code), chance=chance)
    verdicts(run, judge=[GOOD], beside=[GOOD])
    run.cell(0)
    assert run.log.count("control False") == controls


@pytest.mark.parametrize(
    ("code", "run_by"),
    [(PLAIN, ("judge", PLAIN)), (BESIDE, ("beside", BESIDE, BESIDE))],
)
def test_a_test_of_which_nothing_is_hidden_is_judged_at_once(code, run_by):
    run = made(graded(code))
    verdicts(run, judge=[BAD], beside=[BAD])
    step = run.cell(0)
    assert run.log == [run_by]
    assert step["test"]["score"] == 0.0
    assert "is_deferred" not in step


@pytest.mark.parametrize("after", ["f = 3", "g = 3"])
def test_a_copy_is_kept_if_later_cells_change_what_the_test_asks_for(after):
    run = made(graded(WITH_HIDDEN), cell(after))
    verdicts(run, judge=[GOOD])
    run.cell(0)
    is_changed = after == "f = 3"
    assert (("keep_copy", 0) in run.log) is is_changed
    assert run.notebook.unchanged == (set() if is_changed else {0})


def test_of_a_test_beside_a_copy_is_always_kept_and_its_visible_part_is_not_proved():
    run = made(graded(BESIDE_HIDDEN))
    verdicts(run, beside=[GOOD])
    step = run.cell(0)
    assert run.log == [("keep_copy", 0), ("beside", BESIDE, BESIDE_HIDDEN, ("is_proved", False))]
    assert step["is_deferred"] is True


@pytest.mark.parametrize(("verdict", "is_deferred"), [(GOOD, True), (BAD, False)])
def test_a_hidden_part_comes_later_if_the_visible_one_has_passed(verdict, is_deferred):
    run = made(graded(WITH_HIDDEN))
    verdicts(run, judge=[verdict])
    step = run.cell(0)
    assert run.log == [("judge", WITH_HIDDEN, PLAIN)]
    assert step["is_deferred"] is is_deferred
    assert step["test"]["score"] == (2.0 if is_deferred else 0.0)


def test_of_a_test_that_is_hidden_as_a_whole_nothing_is_run_at_first():
    run = made(graded(HIDDEN))
    verdicts(run)
    assert run.cell(0) == {
        "outputs": [],
        "test": {"score": 2.0, "max_score": 2.0},
        "is_deferred": True,
    }


PASSED = {"output_type": "stream", "name": "stdout", "text": f"said\n{passed()}"}
SAID = {**PASSED, "text": "said\n"}


def hidden_step(code, chance=1.0, failing=None, **by):
    """The step of a hidden test, whose visible part has shown something, and what was done."""
    run = made(graded(code), chance=chance)
    run.progress.outputs[0] = [PASSED], 4
    if failing is not None:

        def fail(number):
            raise failing

        run.notebook.go_to = fail
    verdicts(run, **by)
    return run.hidden_test(0), run.log


def test_a_hidden_part_that_passes_shows_nothing():
    step, log = hidden_step(WITH_HIDDEN, judge=[GOOD, GOOD])
    assert step == {}
    assert log == [
        ("go_to", 0),
        ("judge", WITH_HIDDEN, PLAIN),
        ("judge", WITH_HIDDEN, f"\n{HIDDEN}", GOOD.space),
    ]


def test_the_visible_part_is_not_judged_again_by_the_same_judge():
    run = made(graded(WITH_HIDDEN))
    verdicts(run, judge=[GOOD, GOOD])
    run.cell(0)
    run.hidden_test(0)
    assert [one[0] for one in run.log] == ["judge", "go_to", "judge"]


def test_a_visible_part_that_fails_the_second_time_is_enough():
    step, log = hidden_step(WITH_HIDDEN, judge=[BAD])
    assert step["test"]["score"] == 0.0
    assert len(log) == 2


@pytest.mark.parametrize(("chance", "controls"), [(0.49, 1), (0.5, 0)])
def test_a_hidden_test_beside_runs_as_a_whole(chance, controls):
    step, log = hidden_step(BESIDE_HIDDEN, chance, beside=[GOOD])
    assert step == {}
    assert log == [
        ("go_to", 0),
        *["control False"] * controls,
        ("beside", BESIDE_HIDDEN, BESIDE_HIDDEN),
    ]


def test_a_hidden_test_here_needs_no_controls():
    assert "control False" not in hidden_step(HIDDEN, 0.0, judge=[GOOD])[1]


def test_a_test_that_is_hidden_as_a_whole_says_that_it_has_passed():
    step, log = hidden_step(HIDDEN, judge=[Verdict([SAID], None)])
    assert step == {"outputs": [SAID], "test": {"score": 2.0, "max_score": 2.0}}
    assert log == [("go_to", 0), ("judge", HIDDEN)]


def test_a_part_of_the_points_is_told_in_place_of_the_line_that_says_passed():
    step, _ = hidden_step(WITH_HIDDEN, judge=[GOOD, HALF])
    assert texts(step["outputs"]) == ["said\n", "1.5 of 2 points\n"]
    assert step["test"]["score"] == 1.5
    step, _ = hidden_step(HIDDEN, judge=[HALF])
    assert texts(step["outputs"]) == ["1.5 of 2 points\n"]


def test_of_a_hidden_part_that_fails_only_the_reason_is_shown_below_what_stood_there():
    told = Verdict([{**SAID, "text": "770077"}], CheckFailed("A hidden test fails.", "claim"))
    step, _ = hidden_step(WITH_HIDDEN, judge=[GOOD, told])
    assert texts(step["outputs"]) == ["said\n", "A hidden test fails."]
    assert (step["count"], step["test"]["score"]) == (4, 0.0)
    assert "770077" not in json.dumps(step)


def test_a_hidden_test_whose_copy_is_lost_gives_no_points():
    step, _ = hidden_step(WITH_HIDDEN, failing=NotJudged(SENTENCES["died"].in_cell))
    assert step["test"]["score"] == 0.0
    assert texts(step["outputs"]) == ["said\n", SENTENCES["died"].in_cell]


@pytest.mark.parametrize(
    ("verdict", "shown"),
    [(GOOD, []), (HALF, ["1.5 of 2 points\n"]), (BAD._replace(value=1.0), [])],
)
def test_points_are_told_of_a_test_that_ends_in_a_number(verdict, shown):
    assert texts(made().marked(cell(), verdict)["outputs"]) == shown


# --- beside the student's code -------------------------------------------------------------------


def beside(*replies, steps=0, is_used=True):
    """A `Beside` of a notebook of one cell, whose process answers with these replies."""
    run = made(cell(), replies=replies, steps=steps)
    run.notebook.server = SimpleNamespace(modules=())
    return Beside(run.notebook, random.Random(1), is_used)


def asked(one):
    return [request for request, _ in one.notebook.child.asked]


GOES, FAILS = {"failed": False}, {"failed": True, "line": 1, "text": "odd"}


@pytest.mark.parametrize(
    ("reply", "has_failed"),
    [
        *(({"failed": False}, False), ({"failed": True}, True), ({}, True), ({"failed": 0}, True)),
        *(({**GOES, "interrupted": True}, True), ({**GOES, "out_of_memory": True}, True)),
    ],
)
def test_a_test_has_passed_only_if_the_process_says_so_and_was_not_stopped(reply, has_failed):
    one = beside(reply)
    assert one.ask(BESIDE)["failed"] is has_failed
    assert asked(one) == [{"do": "test", "code": BESIDE, "output_limit": 2 * 2**20}]


def test_a_test_that_has_passed_is_asked_again_made_wrong():
    one = beside(GOES, FAILS, FAILS, FAILS)
    assert one.run(BESIDE, BESIDE).failure is None
    codes = [request["code"] for request in asked(one)]
    assert codes[0] == BESIDE
    assert len(codes) > 1
    assert BESIDE not in codes[1:]


@pytest.mark.parametrize("more", [{"is_proved": False}, {}])
def test_a_test_that_fails_or_needs_no_proof_is_asked_once(more):
    one = beside(GOES if more else FAILS)
    assert (one.run(BESIDE, BESIDE, **more).failure is None) is bool(more)
    assert len(asked(one)) == 1


def test_one_that_holds_by_chance_when_it_was_made_wrong_makes_nobody_suspect():
    one = beside(GOES, GOES, FAILS, FAILS, FAILS)
    assert one.run(BESIDE, BESIDE).failure is None
    assert one.progress.flags == []


def test_one_that_holds_twice_when_it_was_made_wrong_is_no_proof():
    one = beside(GOES, GOES, GOES)
    verdict = one.run(BESIDE, BESIDE)
    assert str(verdict.failure) == SENTENCES["tampering suspected"].in_cell
    assert texts(verdict.outputs) == [str(verdict.failure)]
    assert one.progress.flags == ["a test that was made wrong passed in this notebook"]


@pytest.mark.parametrize(
    ("reply", "steps", "told"),
    [
        (FAILS, 0, f"This does not hold: {BESIDE}\nodd"),
        # In the second pass what an error says may hold what a hidden test has handed over.
        (FAILS, 1, f"This does not hold: {BESIDE}"),
        ({**FAILS, "line": 9}, 0, "The test fails."),
        ({"interrupted": True}, 0, SENTENCES["cell timeout"].in_cell),
        ({"out_of_memory": True}, 0, SENTENCES["out of memory"].in_cell),
    ],
)
def test_why_a_test_beside_has_failed(reply, steps, told):
    one = beside({**reply, "outputs": [OUTPUT]}, steps=steps)
    verdict = one.run(BESIDE, BESIDE)
    assert str(verdict.failure) == told
    assert texts(verdict.outputs) == ["x", told]
    assert one.progress.outcome == (
        "graded"
        if "failed" in reply
        else "cell timeout"
        if "interrupted" in reply
        else "out of memory"
    )


@pytest.mark.parametrize(("points", "value"), [(1.5, 1.5), (None, None), ("2", None), (True, None)])
def test_the_number_in_which_a_test_beside_ends(points, value):
    assert beside({**GOES, "points": points}).run(BESIDE, BESIDE, is_proved=False).value == value


def test_where_no_test_runs_beside_controls_come_in_one_request():
    one = beside({"changed": [], "answers": [{"failed": True}] * 3}, is_used=False)
    one.control()
    (request,) = asked(one)
    assert (request["do"], len(request["codes"])) == ("control", 3)


def test_where_tests_run_beside_controls_come_as_they_do():
    one = beside(*[FAILS] * 3, {"changed": ["print", "x" * 300, *["a"] * 30]})
    one.control()
    *tests, last = asked(one)
    assert [request["do"] for request in tests] == ["test"] * 3
    assert last == {"do": "control", "codes": []}
    assert one.progress.flags[-20:] == ["print", "x" * 200, *["a"] * 18]


def test_at_the_end_each_control_comes_twice():
    one = beside(is_used=False)
    one.control(every=True)
    assert len(asked(one)[0]["codes"]) == 2 * 7  # seven without torch
    assert one.progress.flags == ["the control questions were not answered"]


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (GOES, "holds"),
        ({"failed": True, "is_assertion": True}, "fails"),
        ({"is_assertion": True}, "fails"),
    ],
)
def test_a_process_that_answers_all_alike_is_found_out(answer, how):
    one = beside({"changed": [], "answers": [dict(answer) for _ in range(14)]}, is_used=False)
    one.control(every=True)
    assert len(one.progress.flags) == 7
    assert all(f" {how} where it must not: " in flag for flag in one.progress.flags)


@pytest.mark.parametrize(
    "reply",
    [
        {"answers": [GOES] * 3},
        {"changed": "none", "answers": [GOES] * 3},
        {"changed": [], "answers": [GOES] * 2},
        {"changed": [], "answers": [GOES, GOES, 1]},
        {"changed": [], "answers": {"0": GOES}},
    ],
)
def test_controls_that_are_not_answered_are_noted(reply):
    one = beside(reply, is_used=False)
    one.control()
    assert one.progress.flags == ["the control questions were not answered"]


def test_without_a_process_there_is_nothing_to_ask_and_a_lost_one_is_no_wrong_answer():
    one = beside(ChildEnded("cpu"), is_used=False)
    one.control()
    assert one.notebook.child is None
    one.control()
    assert one.progress.flags == []


@pytest.mark.parametrize(
    ("holds", "answer", "flag"),
    [
        (True, {"failed": False}, None),
        (True, {"failed": True, "is_assertion": True}, "abs fails where it must not: code"),
        (True, {"failed": True, "is_assertion": False}, None),  # a want of memory, say
        (False, {"failed": True, "is_assertion": False}, None),
        (False, {"failed": False}, "abs holds where it must not: code"),
    ],
)
def test_a_wrong_answer_is_noted_once(holds, answer, flag):
    one = beside()
    for _ in range(2):
        one.note_answer(Question("abs", "code", holds), answer)
    assert one.progress.flags == ([flag] if flag else [])
