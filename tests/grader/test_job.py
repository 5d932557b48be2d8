"""A job as a whole, with the judge's part played by the test; and what its set-up cells make."""

import base64
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.judging import job, setup
from grader.judging.failures import NotJudged, builtin_name, error_output, message_of
from grader.judging.policy import Policy
from grader.judging.process import JudgeKilled
from grader.judging.setup import setup_space
from grader.sandbox.child import ServerLost
from grader.sandbox.client import MODULES, MODULES_WITH_TORCH
from grader.words import said
from helpers.assignment import CheckFailed
from helpers.assignment.time_limit import TookTooLong

# --- a job ---------------------------------------------------------------------------------------


def cell(source="", kind="extra", cell_type="code", **more):
    return {"kind": kind, "cell_type": cell_type, "source": source, "grade_id": kind, **more}


@pytest.fixture
def executed(monkeypatch):
    """Executes a job; each call of ``judged`` plays the judge, until it gives True."""
    monkeypatch.setattr(job, "prepare_to_fork", lambda: None)
    closed = []
    monkeypatch.setattr(job, "close_servers", lambda: closed.append(True))

    def execute(judged, *cells, **more):
        asked = []
        monkeypatch.setattr(job, "server", lambda *how: asked.append(how) or "server")

        def judge(data, policy, setup, server, progress):
            assert (server, setup["x"]) == ("server", 5)
            assert len(progress.outputs) == len(data["cells"])
            return judged(progress)

        monkeypatch.setattr(job, "judge", judge)
        cells = [cell("x = 5", "setup"), cell("y = x", "test"), *cells]
        data = {"cells": cells, "files": {}, "policy": Policy(**more.pop("rules", {})).to_dict()}
        data |= {"class_seed": "c", "seed": "s", **more}
        execute.asked, execute.closed = asked, closed
        return json.loads(job.execute(json.dumps(data)))

    return execute


def test_a_result_is_what_the_judges_have_recorded_one_after_the_other(executed):
    calls = []

    def judged(progress):
        calls.append(True)
        progress.cpu += 1.5
        progress.tests["test"] = {"score": 1.0, "max_score": 2.0}
        progress.outputs[0] = ([{"text": "a\udcff"}], 1)
        progress.contended = True
        return len(calls) == 3

    found = executed(judged)
    assert 0 <= found.pop("seconds") < 60
    assert found == {
        "outcome": "graded",
        "outputs": [[[{"text": "a?"}], 1], [[], None]],  # as any file can hold it
        "tests": {"test": {"score": 1.0, "max_score": 2.0}},
        "flags": [],
        "class_seed": "c",
        "cpu": 4.5,
        "contended": True,
    }
    assert executed.closed == []


@pytest.mark.parametrize(
    ("flags", "outcome", "told"),
    [
        ([], "graded", "graded"),
        (["b", "a", "b"], "graded", "tampering suspected"),
        (["a"], "cell timeout", "cell timeout"),
    ],
)
def test_evidence_makes_an_outcome_where_nothing_else_went_wrong(executed, flags, outcome, told):
    def judged(progress):
        progress.flags += flags
        progress.outcome = outcome
        return True

    found = executed(judged)
    assert (found["outcome"], found["flags"]) == (told, sorted(set(flags)))


@pytest.mark.parametrize(
    ("error", "is_closed"), [(ServerLost("it is gone"), True), (JudgeKilled("by whom"), False)]
)
def test_what_the_machine_is_at_fault_for_is_to_be_done_again(executed, error, is_closed):
    def judged(progress):
        raise error

    with pytest.raises(job.Retry, match=str(error)):
        executed(judged)
    assert bool(executed.closed) is is_closed


@pytest.mark.parametrize(("language", "word"), [("ko", "종료"), (None, "ended here")])
def test_what_is_said_is_in_the_language_of_the_notebook(executed, language, word):
    def judged(progress):
        progress.flags.append(said("Python itself ended here."))
        return True

    more = {"language": language} if language else {}
    assert word in executed(judged, **more)["flags"][0]


def test_the_server_is_of_the_rules_and_for_what_the_code_speaks_of(executed):
    rules = {"disabled_rules": ("network", "cpu"), "locked": False}
    executed(lambda progress: True, cell("torch", cell_type="markdown"), rules=rules)
    assert executed.asked == [(("network", "cpu"), False, MODULES)]
    executed(lambda progress: True, cell("import torch"))
    assert executed.asked == [((), True, MODULES_WITH_TORCH)]


@pytest.mark.parametrize(
    ("contended", "tests", "is_hindered"),
    [
        (True, [{"failure": {}}], True),
        (True, [{}, {"failure": {}}], True),
        (True, [{}], False),
        (True, [], False),
        (False, [{"failure": {}}], False),
        (None, [{"failure": {}}], False),
    ],
)
def test_who_was_hindered_and_has_lost_points(contended, tests, is_hindered):
    result = {"tests": dict(enumerate(tests))}
    if contended is not None:
        result["contended"] = contended
    assert job.was_hindered(json.dumps(result)) is is_hindered


def test_a_server_is_started_once_for_each_kind_and_closed_at_the_end(monkeypatch):
    started, closed, at_exit = [], [], []

    def start(*how):
        started.append(how)
        return SimpleNamespace(close=lambda: closed.append(how))

    other = (os.getpid() + 1, (), True, ("numpy",))
    monkeypatch.setattr(job, "_start", start)
    monkeypatch.setattr(job, "_servers", {other: "another process's"})
    monkeypatch.setattr(
        job.multiprocessing.util, "Finalize", lambda *how, **more: at_exit.append((how, more))
    )
    one = job.server(("cpu", "network"), True, ["numpy"])
    assert job.server(("network",), True, ("numpy",)) is one  # the rest is each child's own
    assert job.server((), True, ("numpy",)) is not one
    assert job.server((), False, ("numpy",)) is not one
    assert started == [
        (("network",), True, ["numpy"]),
        *(((), True, ("numpy",)), ((), False, ("numpy",))),
    ]
    assert at_exit == [((None, job.close_servers), {"exitpriority": 10})] * 3
    job.close_servers()
    assert closed == started
    assert job._servers == {other: "another process's"}


@pytest.mark.parametrize(
    ("how", "is_forked"),
    [
        (((), True, ("a", "b", "c")), True),
        ((("network",), True, ("a",)), False),  # the shared one keeps all rules
        (((), False, ("a",)), False),
    ],
)
def test_a_server_is_forked_of_the_shared_one_if_that_keeps_the_same_rules(
    monkeypatch, how, is_forked
):
    class Made:
        def __init__(self, *how):
            self.how = ("own", *how)

        @staticmethod
        def forked(*how):
            return SimpleNamespace(how=("forked", *how))

    monkeypatch.setattr(job, "Server", Made)
    monkeypatch.setattr(job, "_shared", None)
    rules, locked, modules = how
    own = ("own", rules, modules, locked)
    assert job._start(*how).how == own
    job.share("control", ("b", "x"), True, Path("groups"))
    more = ["a", "c"]  # what that one has not imported
    forked = ("forked", "control", ("b", "x"), more, Path("groups"))
    assert job._start(*how).how == (forked if is_forked else own)

    def lost(*how):
        raise ServerLost("it is gone")

    monkeypatch.setattr(Made, "forked", staticmethod(lost))
    assert job._start(*how).how == own
    assert (job._shared is None) is is_forked  # nobody asks a lost one again


def test_forks_are_made_cheap_again_after_many_imports(monkeypatch):
    made = []
    monkeypatch.setattr(job, "make_forks_cheap", lambda: made.append(True))
    monkeypatch.setattr(job, "_modules", 0)
    monkeypatch.setattr(job, "sys", SimpleNamespace(modules=range(101)))
    for modules, times in ((100, 0), (101, 1), (201, 1), (202, 2), (210, 2)):
        job.sys.modules = range(modules)
        job.prepare_to_fork()
        assert len(made) == times


# --- what the set-up cells make ------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nothing_made(monkeypatch):
    monkeypatch.setattr(setup, "_spaces", {})


def test_set_up_cells_run_once_in_order_and_no_others_do():
    cells = [
        cell("made = []", "setup"),
        cell("made.append('own')"),
        cell("made.append('solution')", "solution"),
        cell("made.append(__name__)", "setup"),
        cell("made", "test"),
    ]
    space = setup_space(cells, {}, {})
    assert space["made"] == ["__main__"]
    assert setup_space(cells, {}, {}) is space
    changed = [cell("made = [7]", "setup"), *cells[3:]]
    assert setup_space(changed, {}, {})["made"] == [7, "__main__"]
    assert setup_space(cells, {"a": "x"}, {}) is not space
    assert len(setup._spaces) == 1  # one assignment is graded at a time


def test_what_only_a_student_uses_is_not_imported():
    cells = [
        cell("import colorsys\nimport fractions", "setup"),
        cell("fractions.Fraction(1, 2)"),
        cell("fractions", "solution"),
        cell("assert colorsys", "test"),
    ]
    space = setup_space(cells, {}, {})
    assert ("colorsys" in space, "fractions" in space) == (True, False)


def test_checkers_of_the_set_up_have_the_known_mistakes():
    code = "from helpers.assignment import Checker, Sheet\ncheck = Checker('t', Sheet())"
    cells = [cell(code, "setup"), cell("check", "test")]
    space = setup_space(cells, {"checks.json": json.dumps({"sentences": ["Known."]})}, {})
    assert space["check"].sheet.sentences == ["Known."]
    assert setup_space(cells, {"other.json": "{}"}, {})["check"].sheet.sentences == []


def test_files_beside_the_notebook_lie_there_while_the_set_up_runs():
    before, folder = list(sys.path), Path.cwd()
    code = "import beside_it\nwith open('a.txt') as file:\n    text = file.read() + beside_it.X"
    files = {
        "a.txt": base64.b64encode(b"given ").decode(),
        "beside_it.py": base64.b64encode(b"X = 'helper'").decode(),
    }
    space = setup_space([cell(code, "setup"), cell("beside_it", "test")], {}, files)
    assert space["text"] == "given helper"
    assert (sys.path, Path.cwd()) == (before, folder)
    del sys.modules["beside_it"]
    with pytest.raises(ZeroDivisionError):
        setup_space([cell("1 / 0", "setup")], {}, files)
    assert (sys.path, Path.cwd()) == (before, folder)


# --- why there are no points ---------------------------------------------------------------------


class Secret(KeyError):
    """Of a student's, whose name and text may say anything."""


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (CheckFailed("It is 7.", "value"), "It is 7."),
        (NotJudged("Python itself ended here."), "Python itself ended here."),
        (Secret("7"), "The test could not use what came back (KeyError)."),
        (TookTooLong("7"), "The test could not use what came back (TookTooLong)."),
        (type("Mine", (TookTooLong,), {})("7"), "The test could not use what came back"
         " (TookTooLong)."),
    ],
)  # fmt: skip
def test_of_errors_that_are_not_the_grader_s_only_the_kind_is_told(failure, told):
    assert message_of(failure) == told
    output = error_output(failure)
    assert (output["output_type"], output["evalue"], output["traceback"]) == ("error", told, [told])
    assert output["ename"] == type(failure).__name__


def test_the_nearest_kind_that_python_has():
    assert [
        builtin_name(kind) for kind in (Secret, ValueError, BaseException, type("A", (), {}))
    ] == [*("KeyError", "ValueError", "BaseException", "object")]
