"""Tests without a checker: which the grader runs itself, and how the others are proved."""

import random

import numpy as np
import pytest

from grader.cells import BEGIN_HIDDEN, END_HIDDEN
from grader.judging.failures import NotJudged
from grader.judging.judge import Judge
from grader.judging.probes import FORMS, must_fail, questions
from grader.judging.stand_ins import can_be_judged_here

pytestmark = pytest.mark.sandbox

SPACE = {"np": np, "random": random, "LIMIT": 3}
HERE = [
    "assert f(1) == 2",
    "import numpy as np\nassert np.allclose(f([1.0]), [2.0])",
    "for n in range(LIMIT):\n    assert f(n) == sum([n, n])",
    "try:\n    f(None)\nexcept ValueError as error:\n    pass\nelse:\n    raise AssertionError",
]
BESIDE = [
    "assert 1 == 1",  # asks nothing
    "assert f(1) == g",  # of unknown kind
    "assert Net().f(1) == 2",
    "np.random.seed(1)\nassert f(1) == 2",  # the function would not see the seed
    "random.shuffle([1])\nassert f(1) == 2",
    "f(1)\nassert open('out.txt').read()",
    "import inspect\nassert inspect.getsource(f)",
    "assert 'x' in globals() or f(1)",
    "%matplotlib inline\nassert f(1) == 2",
]


@pytest.mark.parametrize("code", HERE)
def test_of_functions_alone_are_judged_by_the_grader(code):
    assert can_be_judged_here(code, ["f"], SPACE)


@pytest.mark.parametrize("code", BESIDE)
def test_that_need_the_notebook_run_beside_it(code):
    assert not can_be_judged_here(code, ["f"], SPACE)


def judged(code, reply):
    """The failure of a test, when the notebook's process gives this reply."""

    def ask(request, blobs, seconds):
        assert request["name"] == "f"
        return {"after": request["args"], **reply}, blobs

    return Judge(SPACE, ask, ["f"]).run(code)[1]


TWO = {"value": {"is": "int", "value": "2"}}


def test_a_stand_in_gives_what_the_notebook_gives():
    assert judged("assert f(1) == 2", TWO) is None
    assert "assert f(1) == 3" in str(judged("assert f(1) == 3", TWO))
    other = {"value": {"is": "other", "type": "Everything", "repr": "2"}}
    assert judged("assert f(1) == 2", other) is not None


def test_what_a_function_does_to_its_arguments_is_seen():
    after = [{"is": "list", "items": [{"is": "int", "value": "9"}]}]
    assert judged("x = [1]\nf(x)\nassert x == [9]", {**TWO, "after": after}) is None


def test_an_argument_of_which_nothing_comes_back_is_as_it_was():
    kept = "x = [1]\ny = x\nf(x)\nassert x == [1] and x is y"
    assert judged(kept, {**TWO, "after": [None]}) is None


@pytest.mark.parametrize("after", [None, [], [None, None], {}, {"0": None}, "0", [7], [[]], [{}]])
def test_an_answer_with_arguments_of_another_form_is_none(after):
    assert isinstance(judged("f(1)", {**TWO, "after": after}), NotJudged)


def test_errors_come_through_and_none_ends_the_grader():
    wrong = {"error": {"types": ["ValueError", "Exception"], "text": "no"}}
    assert judged(HERE[3], wrong) is None
    for name in ("SystemExit", "KeyboardInterrupt", "TookTooLong", "GeneratorExit"):
        assert name in str(judged("f(1)", {"error": {"types": [name], "text": ""}}))


def test_a_hidden_line_is_not_told():
    code = f"assert f(1) == 2\n{BEGIN_HIDDEN}\nassert f(1) == 77\n{END_HIDDEN}"
    failure = judged(code, TWO)
    assert failure.hidden
    assert "77" not in str(failure)
    assert not judged(code.replace("== 2", "== 5"), TWO).hidden


class Everything:
    def __eq__(self, other):
        return True

    __hash__ = None


def fails(code, f):
    try:
        exec(code, {"f": f})
    except Exception:
        return True
    return False


@pytest.mark.parametrize("seed", range(5))
def test_a_test_that_was_made_wrong_fails_unless_all_is_equal(seed):
    code = "assert f(1) == 2\nassert f(2) == 4"
    wrong = must_fail(code, random.Random(seed))
    assert len(wrong) == 3
    assert all(fails(version, lambda x: 2 * x) for version in wrong)
    assert not all(fails(version, lambda x: Everything()) for version in wrong)
    assert len(must_fail("%time f(1)", random.Random(seed))) == 1


@pytest.mark.parametrize("seed", range(3))
def test_probes_hold_as_they_say(seed):
    asked = questions(random.Random(seed), None, ("torch",))
    assert {name for name, _, _ in asked} == set(FORMS)
    for _, code, holds in asked:
        assert fails(code, None) != holds, code
    assert not any("torch" in code for _, code, _ in questions(random.Random(seed), None, ()))
