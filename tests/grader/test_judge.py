"""The tests of a notebook, run here: what goes out, what is made of what comes back, what is shown.

No process stands behind it: `Asking` answers as it is told.
"""

import json
import marshal
import os
import resource
import signal
import sys
import time
from types import SimpleNamespace

import pytest

from grader.cells import BEGIN_HIDDEN, END_HIDDEN
from grader.judging import pairs, process
from grader.judging.failures import NotJudged
from grader.judging.functions import definitions, error_of_definitions, pack_function
from grader.judging.judge import Judge, RemoteError, _import_ours, read_ahead, remote_error
from grader.judging.policy import Policy
from grader.judging.progress import Progress
from grader.outcomes import SENTENCES
from grader.sandbox.child import ServerLost
from helpers.assignment import Checker, CheckFailed, Sheet
from helpers.assignment.time_limit import TookTooLong

# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "is_hidden", "name", "base"),
    [
        (["ValueError", "Exception"], False, "ValueError", ValueError),
        (["Mine", "KeyError", "LookupError"], False, "Mine", KeyError),
        (["Mine", "KeyError", "LookupError"], True, "KeyError", KeyError),
        (["no name", "KeyError"], False, "KeyError", KeyError),
        (["Mine", "Other"], False, "Mine", Exception),
        (["Mine", "Other"], True, "Exception", Exception),
        (["print", "int", "OSError"], True, "OSError", OSError),
        ([], False, "Exception", Exception),
        (["SystemExit"], False, "SystemExit", SystemExit),
        (["TookTooLong", "Exception"], False, "TookTooLong", TookTooLong),
        (["ValueError", "TookTooLong"], False, "ValueError", ValueError),
        (["x" * 90], False, "x" * 60, Exception),
        (["Mine", *["Other"] * 19, "KeyError"], True, "Exception", Exception),
    ],
)
def test_an_error_of_a_student_s_is_of_the_nearest_kind_that_python_has(
    types, is_hidden, name, base
):
    error = remote_error({"types": types, "text": "why"}, is_hidden)
    assert (type(error).__name__, isinstance(error, base)) == (name, True)
    if base is Exception:
        assert type(error).__mro__[1] is Exception
    if name != "TookTooLong":
        assert str(error) == "why"


def test_an_error_that_cannot_be_made_here_says_the_same():
    error = remote_error({"types": ["ExceptionGroup"], "text": "x" * 3000})
    assert (type(error), str(error)) == (RemoteError, "x" * 2000)
    assert str(remote_error({"types": ["ValueError"], "text": "x" * 3000})) == "x" * 2000
    assert str(remote_error({})) == ""


PLACE = {"types": ["KeyError"], "at": ["f" * 99, 3], "line": "x" * 300}


def test_an_error_says_where_it_was_unless_the_test_is_hidden():
    place = remote_error(PLACE).place
    assert (place.filename, place.lineno, place.name, place.line) == (
        *("cell", 3, "f" * 80, "x" * 200),
    )
    for data, is_hidden in (
        (PLACE, True),
        *(({**PLACE, **more}, False) for more in ({"at": None}, {"at": ["f"]}, {"line": ""})),
    ):
        assert not hasattr(remote_error(data, is_hidden), "place")


# --- what goes out and comes back ----------------------------------------------------------------

ONE, TWO = ({"is": "int", "value": text} for text in "12")
CHECK = Checker("t", Sheet(), 7.0)


class Asking:
    """Notes what is asked, and gives these fields besides those that each answer has."""

    def __init__(self, **fields):
        self.fields, self.asked = fields, []

    def __call__(self, request, blobs, seconds):
        self.asked.append((request, seconds))
        return {"value": TWO, "after": [None] * len(request["args"]), **self.fields}, []


def judge(**fields):
    made = Judge({"check": CHECK, "LIMIT": 3}, Asking(**fields), ["f"], "of the class")
    made.asking = made.checkers["check"]._ask
    return made


def test_what_is_asked_of_the_student_s_process():
    made = judge()
    verdict = made.run("check('f', 1, axis=2).gives(2)")
    assert verdict.failure is None
    ((request, seconds),) = made.asking.asked
    assert request == {
        **{"do": "call", "name": "f", "procedure": None, "code": "", "args": [ONE]},
        **{"ends": [(0, 0)], "kwargs": [("axis", TWO)], "seconds": 7.0},
    }
    assert seconds == 9.0  # a little more than the process itself takes


def test_of_functions_the_code_goes_out_with_what_they_need_and_no_more():
    code = "by = 3\nexpected = 6\ndef double(f):\n    return by * f(2)\n"
    made = judge()
    made.run(f"{code}check.probe(double, 'f').gives(2)")
    made.run(f"{code}check('f', lambda x: x, 1)")
    (probe, _), (call, _) = made.asking.asked
    assert (probe["procedure"]["name"], probe["args"], probe["ends"]) == ("double", [], [])
    assert (probe["name"], probe["code"]) == ("f", "by = 3")
    assert [item["is"] for item in call["args"]] == ["function", "int"]
    assert (call["procedure"], call["ends"]) == (None, [(0, 1), (1, 1)])


def functions_in(code):
    space = {}
    exec(compile(code, "<test>", "exec"), space)
    return space


def test_with_a_function_go_only_the_definitions_whose_names_it_looks_up():
    code = (
        "import math as m, os\nmaps = 1\nsize = m.pi\nexpected = 7\nother: int = 3\n"
        "def near(x):\n    return x < size\n\n"
        "def of_attributes(after):\n    size = 3\n    return after.maps + size\n\n"
        "def of_globals(x):\n    return [maps for _ in x]\n\n"
        "def of_functions(x):\n    def inner():\n        return near(x)\n    return inner()\n\n"
        "def of_both(x):\n    class A:\n        y = maps\n    return os\n"
    )
    space = functions_in(code)
    for names, wanted in (
        (["of_attributes"], ""),
        (["of_globals"], "maps = 1"),
        (
            ["of_functions"],
            "import math as m, os\nsize = m.pi\n\ndef near(x):\n    return x < size",
        ),
        (["of_both"], "import math as m, os\nmaps = 1"),
        (["of_attributes", "of_globals"], "maps = 1"),
        ([], ""),
    ):
        assert definitions(code, [space[name] for name in names]) == wanted


def test_a_function_goes_out_with_its_defaults_and_what_it_encloses():
    space = functions_in(
        "def make(n):\n  def f(x, y=2, z='a'):\n    return x + y + n\n  return f\nf = make(5)"
    )
    blobs = [b"before"]
    message = pack_function(space["f"], blobs)
    assert message == {
        "is": "function",
        "blob": 1,
        "name": "f",
        "defaults": [{"is": "int", "value": "2"}, {"is": "plain", "value": "a"}],
        "closure": [{"is": "int", "value": "5"}],
    }
    assert marshal.loads(blobs[1]) == space["f"].__code__
    plain = pack_function(space["make"], [])
    assert (plain["blob"], plain["defaults"], plain["closure"]) == (0, [], [])


@pytest.mark.parametrize(
    ("code", "name"),
    [("x = 1\nassert x", None), ("x = 1 / 0", "ZeroDivisionError"), ("f(", "SyntaxError")],
)
def test_the_error_that_definitions_raise_by_themselves_has_a_name(code, name):
    assert error_of_definitions(code) == name


def seen(code="seen = check('f', [1])", **fields):
    """What a test finds."""
    return judge(**fields).run(code).space["seen"]


@pytest.mark.parametrize(
    ("names", "shares", "kept"),
    [
        (["x"], [True], (["x"], [True])),
        (["x", "y"], [True, False], (["argument 1"], [False])),
        ([3], ["True"], (["argument 1"], [False])),
        ("x", {0: True}, (["argument 1"], [False])),
        (None, None, (["argument 1"], [False])),
    ],
)
def test_names_and_shares_of_another_form_are_not_taken(names, shares, kept):
    found = seen(names=names, shares=shares)
    assert (found._names, found._shares) == kept


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"interrupted": True, "out_of_memory": True}, TookTooLong, ""),
        ({"out_of_memory": True}, MemoryError, "no memory is left"),
        ({"error": {"types": ["OSError"], "text": "no"}}, OSError, "no"),
    ],
)
def test_why_there_is_no_value(fields, kind, text):
    found = seen(**fields)
    assert isinstance(found.error, kind)
    assert str(found.error) == text or kind is TookTooLong


@pytest.mark.parametrize("fields", [{"value": 3}, {"after": []}, {"error": 3}, {"value": None}])
def test_an_answer_that_is_no_value_is_not_judged(fields):
    verdict = judge(**fields).run("check('f', 1)")
    assert isinstance(verdict.failure, NotJudged)
    assert "was no value" in str(verdict.failure)


@pytest.mark.parametrize(
    ("call", "fields", "told"),
    [
        ("check('f', 1)", {"is_missing": True}, "`f`"),
        ("check('f', 1)", {"wrong_type": "Mine"}, "Mine"),
        ("check.hidden('f', 1)", {"wrong_type": "Mine"}, "object"),
        ("check('f', 1)", {"wrong_type": "M" * 50}, "M" * 40),
    ],
)
def test_what_stands_in_place_of_a_function_is_told(call, fields, told):
    failure = judge(**fields).run(call).failure
    assert isinstance(failure, CheckFailed)
    assert failure.kind == "missing"
    assert told in str(failure)
    assert "M" * 41 not in str(failure)
    assert ("Mine" in str(failure)) is (told == "Mine")


# --- running -------------------------------------------------------------------------------------


def shown(verdict):
    return [one.get("evalue") or one["text"] for one in verdict.outputs]


@pytest.mark.parametrize(
    ("code", "outputs", "value"),
    [
        ("x = 1", ["✓ passed\n"], None),
        ("print('a')\nx = 1", ["a\n✓ passed\n"], None),
        ("import sys\nprint('a', file=sys.stderr)", ["✓ passed\n"], None),
        ("print('a')\n1.5", ["a\n"], 1.5),
        ("0", [], 0.0),
        ("True", ["✓ passed\n"], None),
        ("check('f', 1)", ["said✓ passed\n"], None),
        ("check('f', 1)\ncheck('f', 1)\nprint('a')", ["saidsaida\n✓ passed\n"], None),
        ("check.hidden('f', 1)\nx = 1", ["✓ passed\n"], None),
        ("", ["✓ passed\n"], None),
    ],
)
def test_what_a_test_shows_that_has_passed(code, outputs, value):
    verdict = judge(printed="said").run(code)
    assert (verdict.failure, verdict.value, shown(verdict)) == (None, value, outputs)
    for one in verdict.outputs:
        assert (one["output_type"], one["name"]) == ("stream", "stdout")


def test_what_one_test_has_printed_is_not_shown_with_the_next_and_is_not_endless():
    made = judge(printed="x" * 20_000)
    assert shown(made.run("check('f', 1)\n1")) == ["x" * 10_000]
    assert shown(made.run("2")) == []


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ("check('f', 1).gives(3)", CheckFailed, None),
        ("check('f', 1)\n1 / 0", ZeroDivisionError, "ZeroDivisionError"),
        ("f(1) / 0", CheckFailed, "f(1) / 0\nZeroDivisionError: division by zero"),
        ("assert f(1) == LIMIT, 'why'", CheckFailed, "assert f(1) == LIMIT, 'why'\nwhy"),
        ("x = (", CheckFailed, "The test fails."),
    ],
)
def test_why_a_test_has_failed(code, kind, text):
    verdict = judge().run(code)
    assert type(verdict.failure) is kind
    assert verdict.value is None
    assert len(verdict.outputs) == 1
    if text:
        assert shown(verdict)[0].removeprefix("This does not hold: ").endswith(text) or (
            text in shown(verdict)[0]
        )


def test_a_part_of_a_test_goes_on_in_the_namespace_of_another():
    code = f"a = LIMIT\n{BEGIN_HIDDEN}\nassert a == 4\n{END_HIDDEN}"
    made = judge()
    first = made.run(code, "a = LIMIT")
    assert first.space["a"] == 3
    assert made.run(code, "assert a == 3", first.space).failure is None
    assert made.run(code, "assert a == 3").failure is not None
    hidden = made.run(code, "\n\nassert a == 4", first.space).failure
    assert hidden.hidden  # the line is looked up in the whole test
    assert "a" not in made.space


def test_a_test_finds_the_checkers_the_functions_and_the_set_up():
    space = judge().run("x = 1").space
    assert {"check", "f", "LIMIT"} <= space.keys()
    assert space["check"].seed == "of the class"
    assert (space["check"].assignment, space["check"].seconds) == ("t", 7.0)
    assert space["f"](1) == 2


@pytest.mark.parametrize(
    ("code", "can"),
    [("check('f')", True), ("assert f(1)", True), ("assert 1", False), ("%time check", False)],
)
def test_what_can_be_judged_here(code, can):
    assert judge().can_judge(code) is can


def test_what_tests_import_of_the_course_is_imported_beforehand(monkeypatch):
    imported = []

    def take(name):
        imported.append(name)
        if "no_such" in name:
            raise ImportError

    def cell(source, kind="test"):
        return {"source": source, "kind": kind}

    monkeypatch.setattr("grader.judging.judge.importlib", SimpleNamespace(import_module=take))
    _import_ours.cache_clear()
    cells = [
        cell("from helpers import shapes, ops"),
        cell("from helpers.no_such import x"),
        cell("def f():\n    from grader.judging.pairs import every_pair"),
        *(cell(code) for code in ("%time 1", "from . import a", "from math import pi")),
        cell("from grader.judging import probes", "solution"),
        cell("%matplotlib inline", "setup"),
        cell("from helpers.checks import *"),
    ]
    read_ahead(cells, {"check": CHECK})
    assert imported == [
        *("helpers", "helpers.shapes", "helpers.ops", "helpers.no_such"),
        *("grader.judging.pairs", "helpers.checks"),
    ]


# --- a judge that was ended ----------------------------------------------------------------------

CELLS = [
    {"kind": kind, "grade_id": name, "points": 2.0}
    for kind, name in (("solution", "a"), ("test", "b"), ("test", "c"), ("extra", None))
]


@pytest.mark.parametrize(
    ("steps", "cell", "test"),
    [(0, 0, None), (1, 1, "b"), (3, 3, None), (4, None, None), (5, 1, "b"), (6, 2, "c")],
)
def test_the_step_at_which_a_judge_was_ended_comes_to_nothing(steps, cell, test):
    progress = Progress([([], None)] * 4, deferred=[1, 2], steps=steps)
    process.fail(progress, CELLS, "too much to judge")
    assert progress.steps == steps + 1
    told = [[one["evalue"] for one in outputs] for outputs, _ in progress.outputs]
    sentence = SENTENCES["too much to judge"].in_cell
    assert told == [[sentence] if number == cell else [] for number in range(4)]
    assert {name: one["score"] for name, one in progress.tests.items()} == (
        {test: 0.0} if test else {}
    )
    if test:
        assert progress.tests[test]["failure"]["message"] == sentence


@pytest.fixture
def judged(monkeypatch):
    """Lets a process judge: what it does in its way is given. Returns what came of it."""

    def judge(way, progress, **policy):
        class Way:
            def __init__(self, data, setup, server, progress, done):
                assert (data["cells"], setup) == (CELLS, {"space": 1})
                self.progress, self.done = progress, done

            def go_on(self):
                way(self)

        groups = []
        server = SimpleNamespace(remove_groups_of=groups.append)
        monkeypatch.setattr(process, "Run", Way)
        done = process.judge({"cells": CELLS}, Policy(**policy), {"space": 1}, server, progress)
        assert len(groups) == 1
        assert groups[0] != os.getpid()
        return done

    return judge


def fresh(**more):
    return Progress([([], None)] * 4, **more)


def test_what_a_judge_has_recorded_is_taken_in_and_what_it_knew_is_known(judged, monkeypatch):
    monkeypatch.setattr(pairs, "known", {"old": [[0]]})
    imported = []

    def way(run):
        run.done({"cell": 0, "outputs": ["a"], "ran": True})
        pairs.known["new"] = [[1]]
        sys.modules["first_of_it"] = sys.modules["none_of_it"] = os
        run.done({"cell": 1, "outputs": ["b"]})
        run.progress.shown = 7

    def take(name):
        imported.append(name)
        raise ImportError

    progress = fresh()
    monkeypatch.setattr(process, "importlib", SimpleNamespace(import_module=take))
    assert judged(way, progress) is True
    assert [outputs for outputs, _ in progress.outputs] == [["a"], ["b"], [], []]
    assert (progress.ran, progress.steps, progress.shown) == ([0], 2, 7)
    assert (progress.outcome, progress.seconds) == ("graded", 0.0)
    assert pairs.known == {"old": [[0]], "new": [[1]]}
    assert imported == ["none_of_it", "first_of_it"]


def test_of_what_was_known_nothing_is_sent_back(judged, monkeypatch):
    monkeypatch.setattr(pairs, "known", {"old": [[0]]})

    def way(run):
        pairs.known["old"] = [[5]]

    assert judged(way, fresh())
    assert pairs.known == {"old": [[0]]}


def lost_server(run):
    raise ServerLost("the server is gone")


def failing(run):
    raise ValueError("x" * 400)


def too_large(run):
    raise MemoryError


def ending(run):
    os._exit(0)


def endless(run):
    os.kill(os.getpid(), signal.SIGXCPU)
    time.sleep(60)


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        *((failing, "not judged"), (too_large, "too much to judge")),
        *((ending, "too much to judge"), (endless, "too much to judge")),
    ],
)
def test_a_judge_that_is_ended_leaves_what_it_has_recorded(judged, end, outcome):
    def way(run):
        run.done({"cell": 0, "outputs": ["a"]})
        end(run)

    progress = fresh()
    assert judged(way, progress) is False
    sentence = SENTENCES[outcome].in_cell
    assert progress.outputs[0] == (["a"], None)
    assert progress.outputs[1][0][0]["evalue"] == sentence
    assert progress.tests["b"]["failure"]["message"] == sentence
    assert (progress.steps, progress.outcome) == (2, outcome)
    wrong = f"what came back could not be judged: {('ValueError: ' + 'x' * 400)[:300]}"
    assert progress.flags == ([wrong] if end is failing else [])


def test_what_is_nobody_s_fault_among_the_students_is_no_outcome(judged):
    def killed(run):
        os.kill(os.getpid(), signal.SIGKILL)

    for way, error, message in (
        (lost_server, ServerLost, "the server is gone"),
        (killed, process.JudgeKilled, "the process that judged was killed"),
    ):
        progress = fresh()
        with pytest.raises(error, match=message):
            judged(way, progress)
        assert (progress.steps, progress.outcome) == (0, "graded")


def test_what_an_ended_judge_has_worked_counts(judged):
    def way(run):
        end = time.process_time() + 0.1
        while time.process_time() < end:
            pass
        os._exit(0)

    progress = fresh(seconds=5.0)
    judged(way, progress)
    assert 5.1 <= progress.seconds < 6.0


def test_a_judge_that_waits_too_long_is_ended(judged, monkeypatch):
    monkeypatch.setattr(process, "SECONDS_ON_TOP", 0.05)
    progress, start = fresh(), time.monotonic()
    # For 2 times 0.1 seconds, half of it besides for hidden tests, and what is on top.
    assert not judged(lambda run: time.sleep(60), progress, wall_factor=2.0, total_seconds=0.1)
    assert 0.3 < time.monotonic() - start < 30
    assert progress.outcome == "too much to judge"


def test_a_judge_has_limits_of_memory_and_for_each_step_of_time(judged, monkeypatch):
    now = [0.5]
    monkeypatch.setattr(process, "time", SimpleNamespace(process_time=lambda: now[0]))

    def limit(name):
        return resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0]

    def way(run):
        sizes = process.sizes("/proc/self/status", ("VmData", "VmSize"))
        run.done({"cell": 0, "outputs": [sizes, *map(limit, ("CORE", "DATA", "AS", "CPU"))]})
        now[0] = 7.2
        run.done({"cell": 1, "outputs": []})
        run.done({"cell": 2, "outputs": [limit("CPU")]})

    progress = fresh()
    assert judged(way, progress, judging_seconds=30, judging_bytes=2**30)
    sizes, core, data, space, seconds = progress.outputs[0][0]
    assert (core, seconds, progress.outputs[2][0]) == (0, 1 + 30, [8 + 30])
    assert data == pytest.approx(sizes["VmData"] + 2**30, abs=2**24)
    assert space == pytest.approx(sizes["VmSize"] + 2 * 2**30, abs=2**24)


def test_half_a_line_of_a_step_is_none(monkeypatch):
    def work(data, policy, setup, server, progress, steps):
        steps.write(json.dumps({"step": {"cell": 0, "outputs": ["a"]}}).encode())
        steps.flush()

    monkeypatch.setattr(process, "work", work)
    progress, server = fresh(), SimpleNamespace(remove_groups_of=lambda pid: None)
    assert not process.judge({"cells": CELLS}, Policy(), {}, server, progress)
    assert progress.outputs[0][0][0]["evalue"] == SENTENCES["too much to judge"].in_cell


def test_the_first_thing_that_goes_wrong_is_what_became_of_a_submission():
    progress = Progress([])
    assert progress.note("cell timeout") == "cell timeout"
    assert progress.note("died") == "died"
    assert progress.outcome == "cell timeout"
    other = Progress([])
    other.set_totals(progress.totals())
    assert other == progress


def test_a_step_adds_what_it_has_and_leaves_the_rest():
    progress = Progress([(["old"], 1), ([], None)], shown=3)
    progress.apply({"cell": 0, "test": {"score": 1.0, "max_score": 2.0}, "ran": False}, CELLS)
    assert progress.outputs[0] == (["old"], 1)
    assert progress.tests == {"a": {"score": 1.0, "max_score": 2.0}}
    assert (progress.ran, progress.deferred) == ([], [])
    progress.apply({"cell": 1, "outputs": ["new"], "ran": True, "is_deferred": True}, CELLS)
    assert progress.outputs[1] == (["new"], None)
    assert (progress.ran, progress.deferred, progress.steps) == ([1], [1], 2)
    progress.apply({"totals": {"shown": 9, "flags": ["x"]}}, CELLS)
    assert (progress.shown, progress.flags, progress.steps, progress.ran) == (9, ["x"], 3, [1])
