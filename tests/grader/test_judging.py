"""What comes back from a student's process: judged within limits, and told to nobody it is not for.

The grader's own work on it is bounded by the kernel, and hidden tests leave nothing behind that a
notebook could show.
"""

import json
import sys
import tracemalloc
from unittest import mock

import numpy as np
import pytest
import torch

from grader.cells import BEGIN_HIDDEN, END_HIDDEN
from grader.judging import job, pairs
from grader.judging.functions import definitions
from grader.judging.notebook import Notebook
from grader.judging.parts import Changes, looked_up, split
from grader.judging.policy import MEBIBYTE, Policy
from grader.judging.progress import Progress
from grader.sandbox.bwrap import NoSandbox, check_means
from grader.sandbox.inside import values, wire
from grader.sandbox.inside.child import is_as_sent
from tests.grader.attacks import trial

try:
    check_means()
except NoSandbox as error:
    NO_SANDBOX = str(error)
else:
    NO_SANDBOX = ""
sandbox = [pytest.mark.sandbox, pytest.mark.skipif(bool(NO_SANDBOX), reason=NO_SANDBOX)]

SETUP = (
    "import numpy as np\nfrom helpers.assignment import Checker\ncheck = Checker('t', seconds=0.7)"
)
SECRET = 770_077


@pytest.fixture(scope="module")
def server():
    made = trial.light_server()
    yield made
    made.close()


def grade(server, *cells, **policy):
    """The result of a notebook, whose cells are a student's (a text) or tests (name and text)."""
    made = [{"kind": "setup", "cell_type": "code", "source": SETUP, "grade_id": "setup"}]
    for cell in cells:
        kind, (grade_id, source) = (
            ("extra", (None, cell)) if isinstance(cell, str) else ("test", cell)
        )
        made.append({"kind": kind, "cell_type": "code", "source": source, "grade_id": grade_id})
    cells = [{"points": 1.0, "functions": ("f", "g"), **cell} for cell in made]
    rules = Policy(**{"cell_seconds": 2.0, "total_seconds": 20.0, "judging_seconds": 1, **policy})
    data = {"assignment": "t", "cells": cells, "policy": rules.to_dict(), "files": {}}
    data |= {"class_seed": "c", "seed": "s"}
    with mock.patch.object(job, "server", return_value=server):
        return json.loads(job.execute(json.dumps(data)))


def scores(result):
    return {name: test["score"] for name, test in result["tests"].items()}


def hidden(text):
    return f"{BEGIN_HIDDEN}\n{text}\n{END_HIDDEN}"


G = "def g(x):\n    return x + 1"
TEST_G = ("g", "check('g', 1).gives(2)\n" + hidden("check.hidden('g', 5).gives(6)"))


class TestWork:
    """Bounds on what the grader itself does with a value."""

    pytestmark = sandbox

    def test_a_test_that_loops_over_a_huge_result_ends_and_costs_that_test_alone(self, server):
        result = grade(
            server,
            "import numpy as np\ndef f(x):\n    return np.zeros((2**26, 1, 1), bool)",
            ("f", "assert len([channel.max() for channel in check('f', 1).value]) == 3"),
            G,
            TEST_G,
        )
        assert result["outcome"] == "too much to judge"
        assert scores(result) == {"f": 0.0, "g": 1.0}
        assert "more work to judge" in result["tests"]["f"]["failure"]["message"]

    def test_what_was_recorded_before_stands(self, server):
        loop = "n = check('f', 1).value\nwhile n:\n    n += 1"
        result = grade(server, G, TEST_G, "def f(x): return 1", ("f", loop), "print('later')")
        assert scores(result) == {"f": 0.0, "g": 1.0}
        assert "later" in trial.text_of(result)

    def test_a_hidden_test_that_loops_costs_that_test_alone(self, server):
        loop = "check('f', 1)\n" + hidden("n = check.hidden('f', 1).value\nwhile n:\n    n += 1")
        result = grade(server, "def f(x): return 1", ("f", loop), G, TEST_G)
        assert scores(result) == {"f": 0.0, "g": 1.0}

    def test_a_test_that_makes_a_list_of_a_huge_result_runs_out_of_memory_alone(self, server):
        result = grade(
            server,
            "import numpy as np\ndef f(x):\n    return np.arange(2**23)",
            ("f", "check('f', 1).value.tolist()"),
            G,
            TEST_G,
            judging_bytes=200 * MEBIBYTE,
            judging_seconds=20,
        )
        assert scores(result) == {"f": 0.0, "g": 1.0}

    def test_many_such_tests_end_with_the_total_time(self, server):
        loop = "n = check('f', 1).value\nwhile n:\n    n += 1"
        tests = [(f"f{n}", loop) for n in range(12)]
        result = grade(server, "def f(x): return 1", *tests, total_seconds=3.0)
        assert set(scores(result).values()) == {0.0}
        shown = trial.text_of(result)
        assert shown.count("more work to judge") < 6
        assert "as a whole took longer" in shown

    def test_a_judge_that_the_machine_ends_is_no_fault_of_the_student_s(self, server):
        end = "import os\ncheck('g', 1)\nos.kill(os.getpid(), 9)"
        with pytest.raises(job.Retry):
            grade(server, G, ("g", end))

    def test_what_later_cells_change_is_looked_for_by_the_tests_that_need_it(
        self, server, monkeypatch
    ):
        """It reads what the student has written: what that costs does not cost the other tests."""
        broken = mock.Mock(side_effect=LookupError("odd"))
        monkeypatch.setattr("grader.judging.run.Changes", broken)
        result = grade(server, G, ("open", "check('g', 1).gives(2)"), TEST_G)
        assert scores(result) == {"open": 1.0, "g": 0.0}
        assert result["outcome"] == "not judged"

    def test_functions_in_functions_are_no_harder_to_judge_than_others(self, server):
        assert looked_up("lambda: " * 20_000 + "1") is None  # more than Python itself can read
        deep = "lambda: " * (sys.getrecursionlimit() + 100) + "1"
        result = grade(server, G, TEST_G, f"deep = {deep}")
        assert (scores(result), result["outcome"]) == ({"g": 1.0}, "graded")

    def test_what_a_judge_had_to_import_is_imported_in_an_order_that_works(
        self, server, monkeypatch, tmp_path
    ):
        """Two modules that need each other can often be imported in one order only."""
        modules = {
            "outer_half": "import inner_half\ninner_half.made",
            "inner_half": "import outer_half\nmade = 1",
        }
        for name, code in modules.items():
            (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        result = grade(server, G, ("g", "import outer_half\ncheck('g', 1).gives(2)"))
        assert scores(result) == {"g": 1.0}
        assert modules.keys() <= sys.modules.keys()
        for name in modules:
            del sys.modules[name]

    def test_rows_of_pairs_that_a_judge_has_chosen_are_known_to_the_next(self, server, monkeypatch):
        monkeypatch.setattr(pairs, "known", {})
        rows = "from grader.judging.pairs import every_pair\nevery_pair({'a': [1, 2], 'b': [3, 4]})"
        result = grade(server, G, ("g", f"{rows}\ncheck('g', 1).gives(2)"))
        assert scores(result) == {"g": 1.0}
        assert [len(rows) for rows in pairs.known.values()] == [4]

    def test_a_judge_that_fails_leaves_a_line_for_a_person(self, server, monkeypatch):
        broken = mock.Mock(side_effect=LookupError("odd"))
        monkeypatch.setattr("grader.judging.notebook.clean_outputs", broken)
        result = grade(server, G, TEST_G)
        assert result["outcome"] == "not judged"
        assert "LookupError" in result["flags"][0]


class TestTime:
    """One task does not take the time of the others."""

    pytestmark = sandbox

    def test_a_call_that_sleeps_where_exceptions_are_swallowed_costs_its_own_tests(self, server):
        sleep = (
            "import time\nclass Sleeper:\n    def __del__(self):\n        while True:\n"
            "            try: time.sleep(60)\n            except BaseException: pass\n"
            "def f(x):\n    Sleeper()\n    return x"
        )
        tests = [(f"f{n}", "check('f', 1).gives(1)") for n in range(6)]
        result = grade(server, sleep, *tests, G, TEST_G, grace_seconds=0.3)
        assert [name for name, score in scores(result).items() if score] == ["g"]

    def test_a_function_that_does_not_end_is_given_less_time_the_third_time(self, server):
        loop = "import time\ndef f(x):\n    while True: pass"
        tests = [(f"f{n}", "check('f', 1).gives(1)") for n in range(8)]
        result = grade(server, loop, *tests, G, TEST_G, total_seconds=4.0)
        assert [name for name, score in scores(result).items() if score] == ["g"]
        assert result["cpu"] < 4.0


class TestDecoding:
    """`values.Decoder` makes no more than came."""

    def test_arrays_of_the_same_bytes_are_refused(self):
        blob = bytes(2**20)
        array = {"is": "array", "dtype": "|u1", "shape": [2**20], "blob": 0}
        tracemalloc.start()
        with pytest.raises(wire.Nonsense, match="same bytes"):
            values.Decoder([blob]).value({"is": "list", "items": [array] * 40})
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 5 * len(blob)
        assert values.Decoder([blob]).value(array).nbytes == len(blob)

    @pytest.mark.parametrize("blob", [-1, 1, True, None, "0"])
    def test_a_blob_that_is_not_there_is_refused(self, blob):
        with pytest.raises(wire.Nonsense):
            values.Decoder([b"x"]).value(
                {"is": "array", "dtype": "|u1", "shape": [1], "blob": blob}
            )

    def test_there_are_only_so_many_parts(self):
        part = {"is": "plain", "value": None}
        few = {"is": "list", "items": [part] * 1000}
        assert len(values.Decoder([]).value({"is": "list", "items": [few] * 10})) == 10
        with pytest.raises(wire.Nonsense, match="parts"):
            values.Decoder([]).value({"is": "list", "items": [few] * 500})

    @pytest.mark.parametrize(
        "value",
        [
            {"is": "int", "value": "9" * 5000},
            {"is": "float", "value": "0x1p" + "9" * 10**6},
            {"is": "generator", "state": "[" * 10**6},
            {"is": "array", "dtype": "<f8", "shape": [2**39] * 3, "blob": 0},
        ],
    )
    def test_what_costs_too_much_is_no_value(self, value):
        with pytest.raises(wire.Nonsense):
            values.Decoder([b""]).value(value)

    @pytest.mark.parametrize("axes", [[0], [0, 0], [1, 2], [0, 1, 2], "01", None, 3])
    def test_axes_that_are_no_order_are_no_value(self, axes):
        value = {"is": "array", "dtype": "|u1", "shape": [1, 1], "axes": axes, "blob": 0}
        with pytest.raises(wire.Nonsense):
            values.Decoder([b"x"]).value(value)

    @pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1)])
    @pytest.mark.parametrize("shape", [(2, 3, 4), (3, 0, 2)])
    def test_numbers_keep_their_places_in_memory(self, axes, shape):
        """Or a function that is wrong for a transposed view would be right when graded."""
        value = np.arange(np.prod(shape)).reshape(shape).transpose(axes)
        for made in (value, torch.from_numpy(value)):
            blobs = []
            sent = values.encode(made, blobs)
            again = values.Decoder(blobs).value(sent)
            assert type(again) is type(made)
            again = np.asarray(again)
            assert np.array_equal(again, value)
            assert value.size == 0 or again.strides == value.strides
            assert again.flags.writeable

    @pytest.mark.parametrize("part", [np.s_[::-1, ::2], np.s_[:, None, :], np.s_[1]])
    def test_a_part_of_an_array_is_its_numbers(self, part):
        blobs = []
        value = np.arange(12.0).reshape(3, 4).T[part]
        sent = values.encode(value, blobs)
        assert np.array_equal(values.Decoder(blobs).value(sent), value)

    def test_deep_nesting_is_no_value(self):
        value = {"is": "plain", "value": None}
        for _ in range(2 * values.DEPTH_LIMIT):
            value = {"is": "list", "items": [value]}
        with pytest.raises(wire.Nonsense, match="deep"):
            values.Decoder([]).value(value)

    def test_what_the_child_encodes_within_its_limits_is_taken(self):
        # A few of the lists use up all parts that may be sent; of the others only the type is.
        full = values.PART_LIMIT // values.ITEM_LIMIT
        value = [[0] * values.ITEM_LIMIT] * full + [[0]] * (values.ITEM_LIMIT - full)
        blobs = []
        made = values.Decoder([]).value(values.encode(value, blobs))
        assert len(made) == values.ITEM_LIMIT
        assert made[0] == value[0]

    def test_what_is_derived_from_a_plain_value_is_that_value(self):
        from collections import OrderedDict, namedtuple
        from enum import IntEnum
        from fractions import Fraction

        class Size(IntEnum):
            SMALL = 3

        class Text(str):
            pass

        class Items(list):
            pass

        pair = namedtuple("Pair", "height width")(2, 3.5)
        for value, plain in (
            (pair, (2, 3.5)),
            (Size.SMALL, 3),
            (Text("a"), "a"),
            (Items([1]), [1]),
            (OrderedDict(a=1), {"a": 1}),
            (np.float64(0.5), np.float64(0.5)),
            (True, True),
            (Fraction(3, 8), 0.375),
        ):
            blobs = []
            sent = values.encode(value, blobs)
            made = values.Decoder(blobs).value(sent)
            assert (made, type(made)) == (plain, type(plain))


# What a function does to `x`, and whether a test that looks at the numbers of `x` sees it.
TO_AN_ARRAY = {
    "nothing": ("pass", False),
    "a number": ("x[0, 0] = 9", True),
    "a number, and back": ("x[0, 1] += 1; x[0, 1] -= 1", False),
    "a number of a view": ("x.T[1:][0] = 9", True),
    "its type": ("x.dtype = np.int64", True),
    "its shape": ("x.shape = 4", True),
    "minus zero": ("x[0, 0] = -0.0", False),
    "the bits of NaN": ("x.view(np.uint64)[1, 1] ^= 1", False),
}
# A test without a checker, and what its function does.
PLAIN = {
    "a list": ("x = [1, 2]\nf(x)\nassert x == [9, 2]", "x[0] = 9"),
    "an equal number of another type": ("x = [1]\nf(x)\nassert x[0] is True", "x[0] = True"),
    "a number with a point": ("x = [1]\nf(x)\nassert isinstance(x[0], float)", "x[0] = 1.0"),
    "a list in a list": ("x = [[1]]\nf(x)\nassert x == [[1, 2]]", "x[0].append(2)"),
    "a dict": ("x = {'a': 1}\nf(x)\nassert x == {'b': 1}", "x['b'] = x.pop('a')"),
    "the order of a dict": (
        "x = {'a': 1, 'b': 2}\nf(x)\nassert list(x) == ['b', 'a']",
        "x['a'] = x.pop('a')",
    ),
    "minus zero": ("x = np.zeros(2)\nf(x)\nassert np.signbit(x[1])", "x[1] = -0.0"),
    "one of two that are the same": (
        "x = np.zeros(2)\nf(x, x)\nassert x.tolist() == [9, 0]",
        "x[0] = 9",
    ),
    "nothing": ("x = {1: [2]}\ny = x[1]\nf(x)\nassert x == {1: [2]} and x[1] is y", "pass"),
}


@pytest.fixture(scope="module")
def changing(server):
    """The scores of a notebook in which each test has a function of its own."""
    given = "np.array([[0.0, 1.0], [2.0, np.nan]])"
    tests = {
        ("check", what): (f"check('f', {given}).keeps_inputs()", does)
        for what, (does, _) in TO_AN_ARRAY.items()
    }
    # Here numbers of a function that is sent in come first.
    probe = f"def use(f, x):\n    return f(x)\ncheck.probe(use, 'f', {given}).keeps_inputs()"
    tests |= {("probe", what): (probe, does) for what, (does, _) in TO_AN_ARRAY.items()}
    tests |= {("plain", what): about for what, about in PLAIN.items()}
    cells = ["import numpy as np"]
    for (kind, what), (test, does) in tests.items():
        cells += [f"def f(x, *more):\n    {does}\n    return 1", (f"{kind}: {what}", test)]
    result = grade(server, *cells)
    assert result["outcome"] == "graded"
    return scores(result)


class TestArguments:
    """What a function does to its arguments is seen."""

    pytestmark = sandbox

    @pytest.mark.parametrize("kind", ["check", "probe"])
    @pytest.mark.parametrize("what", TO_AN_ARRAY)
    def test_a_check_that_inputs_are_kept_sees_what_a_function_changes(self, changing, kind, what):
        _, is_seen = TO_AN_ARRAY[what]
        assert changing[f"{kind}: {what}"] == (0.0 if is_seen else 1.0)

    @pytest.mark.parametrize("what", PLAIN)
    def test_a_test_without_a_checker_finds_what_a_function_has_made_of_it(self, changing, what):
        assert changing[f"plain: {what}"] == 1.0

    @pytest.mark.parametrize("after", ["[None]", "out.extend(blobs) or request['args']"])
    def test_a_process_that_lies_gains_no_more_than_by_sending_back_what_came(self, server, after):
        """What became of arguments is the student's process's own word, whatever form it has."""
        lie = (
            LOOP + "loop.call = lambda request, blobs, out: {'value': {'is': 'int', 'value': '3'}, "
            f"'shares': [False], 'after': {after}}}"
        )
        tests = {
            "kept": "check('g', np.zeros(3)).keeps_inputs()",
            "changed": "x = [1]\ng(x)\nassert x == [2]",
            "value": "check('g', 3).gives(4)",
        }
        result = grade(server, lie, "def g(x): return x", *tests.items())
        assert scores(result) == {"kept": 1.0, "changed": 0.0, "value": 0.0}


def nothing(x):
    pass


class TestAsSent:
    """`is_as_sent`: whether it would be sent in the very same form again."""

    @staticmethod
    def sent(value, change):
        """Whether a value is as it was sent once a function has done this to it."""
        blobs = [b"code of a procedure"]
        form = json.loads(json.dumps(values.encode(value, blobs)))
        received = values.Decoder(blobs).value(form)
        change(received)
        return is_as_sent(received, form, 1, blobs[1:])

    @pytest.mark.parametrize(
        "value",
        [
            *(None, True, 3, 0.5, float("nan"), "text", (1, 2.0), {1: [2]}),
            *(np.float32(2), np.array(3.0), np.zeros((2, 0)), np.array(["a", "bc"])),
            *(np.eye(3) > 0, np.arange(6).reshape(2, 3).T, np.arange(6.0)[::-2]),
            np.broadcast_to(np.arange(3), (2, 3)),
            [np.zeros(2), {"a": torch.ones(3)}],
            torch.arange(6).reshape(2, 3).T,
            np.random.default_rng(1),
        ],
    )
    def test_what_nobody_changed(self, value):
        assert self.sent(value, nothing)

    @pytest.mark.parametrize(
        ("value", "change"),
        [
            (np.zeros(2), lambda x: x.fill(-0.0)),
            (np.array([np.nan]), lambda x: np.copyto(x, -x)),
            (np.zeros((2, 3)), lambda x: x.resize((3, 2), refcheck=False)),
            (np.zeros(2), lambda x: setattr(x, "dtype", np.int64)),
            ([1], lambda x: x.__setitem__(0, True)),
            ([1], lambda x: x.__setitem__(0, 1.0)),
            ([1.0], lambda x: x.__setitem__(0, np.float64(1))),
            ([np.zeros(2)], lambda x: x.__setitem__(0, torch.zeros(2, dtype=torch.float64))),
            ([(1,)], lambda x: x.__setitem__(0, [1])),
            ({"a": 1}, lambda x: x.__setitem__("b", 2)),
            ([np.zeros(2), np.ones(2)], list.reverse),
            (torch.zeros(2), lambda x: x.requires_grad_().data.add_(1)),
            (torch.zeros(2), lambda x: x.neg_()),
            (torch.zeros(2, 3), lambda x: x.resize_(3, 2)),
            (torch.zeros(2, 2), lambda x: x.t_()),
            (np.random.default_rng(1), lambda x: x.random()),
        ],
    )
    def test_what_a_function_changed(self, value, change):
        assert not self.sent(value, change)


class TestSecrets:
    """Hidden tests leave nothing behind that a notebook shows."""

    pytestmark = sandbox

    TEST = (
        "f",
        "check('f', 1).keeps_inputs()\n" + hidden(f"check.hidden('f', {SECRET}).keeps_inputs()"),
    )

    def test_a_later_cell_cannot_print_what_a_function_was_given(self, server):
        keep = (
            "kept = []\n"
            "def f(x):\n    kept.append(x)\n    open('/tmp/kept', 'a').write(f'{x} ')\n    return x"
        )
        show = "print('kept', kept, open('/tmp/kept').read())"
        result = grade(server, keep, self.TEST, show, G, TEST_G, show)
        shown = trial.text_of(result)
        assert scores(result) == {"f": 1.0, "g": 1.0}
        assert shown.count("kept [1]") == 2
        assert str(SECRET) not in json.dumps(result)

    def test_nor_can_a_later_test(self, server):
        talk = "kept = []\ndef f(x):\n    kept.append(x)\n    print(kept)\n    return kept"
        again = ("again", "check('f', 2).gives(3)")
        result = grade(server, talk, self.TEST, again, self.TEST)
        assert "[1, 2]" in trial.text_of(result)
        assert str(SECRET) not in json.dumps(result)

    @pytest.mark.parametrize("name", ["Told{x}", "KeyError"])
    def test_an_error_says_only_what_kind_it_is(self, server, name):
        fail = (
            f"def f(x):\n    if x > 1:\n        raise type(f'{name}', (KeyError,), {{}})(x)\n"
            "    return x"
        )
        result = grade(server, fail, self.TEST)
        assert scores(result) == {"f": 0.0}
        assert str(SECRET) not in json.dumps(result)
        assert "KeyError" in result["tests"]["f"]["failure"]["message"]

    def test_nor_does_the_place_where_an_answer_is_missing(self, server):
        fail = (
            "def f(x):\n    if x == 1: return x\n"
            "    space = {}\n"
            "    exec(f'def told{x}(): raise NotImplementedError', space)\n"
            "    space[f'told{x}']()"
        )
        assert str(SECRET) not in json.dumps(grade(server, fail, self.TEST))

    def test_nor_does_an_error_in_an_assert_without_a_checker(self, server):
        fail = (
            "def f(x):\n    if x > 1: raise type(f'Told{x}', (BaseException,), {})()\n    return x"
        )
        test = ("f", f"assert f(1) == 1\n{hidden(f'assert f({SECRET}) == {SECRET}')}")
        result = grade(server, fail, test)
        assert scores(result) == {"f": 0.0}
        assert f"Told{SECRET}" not in json.dumps(result)

    def test_the_request_is_not_in_the_frames_of_the_callers(self, server):
        look = (
            "import gc, sys\ndef f(x):\n    found, frame = gc.get_objects(), sys._getframe()\n"
            "    while frame:\n"
            "        found += frame.f_locals.values()\n        frame = frame.f_back\n"
            "    return sum(isinstance(o, dict) and 'procedure' in o for o in found)"
        )
        assert scores(grade(server, look, ("f", "check('f', 1).gives(0)"))) == {"f": 1.0}

    def test_a_hidden_test_sees_the_notebook_as_it_is_there(self, server):
        """And not as later cells make it; also where no copy could be kept."""
        cells = [
            "step = 1\ndef helper(x): return x + step\ndef g(x): return helper(x)",
            TEST_G,
            "step = 100\ndef helper(x, y): return None",
            "def f(x): return x",
            self.TEST,
            "def f(x): raise ValueError",
        ]
        assert scores(grade(server, *cells)) == {"g": 1.0, "f": 1.0}
        with mock.patch("grader.judging.notebook.COPIES", 0):
            assert scores(grade(server, *cells)) == {"g": 1.0, "f": 1.0}

    def test_a_copy_that_dies_costs_its_own_test(self, server):
        die = "import os\ndef f(x):\n    if x > 1: os._exit(3)\n    return x"
        result = grade(server, G, TEST_G, die, self.TEST, "1", G, (("late", TEST_G[1])))
        assert scores(result) == {"g": 1.0, "f": 0.0, "late": 1.0}

    def test_tests_share_a_copy_also_when_one_that_needs_none_stands_between_them(self, server):
        """A function that is defined again, or `np` imported again, is enough for that."""
        count = "import os\ndef g(x):\n    return sum(p.isdigit() for p in os.listdir('/proc'))"
        cells = [f"def f(x):\n    return x\n{count}"]
        for name, processes in (("1", 2), ("2", 2), ("3", 1)):
            ask = f"check.hidden('g', 1).gives({processes})"
            cells += [(f"f{name}", self.TEST[1]), (f"g{name}", f"check('g', 1)\n{hidden(ask)}")]
        result = grade(server, *cells, "def f(x):\n    raise ValueError")
        assert scores(result) == dict.fromkeys(("f1", "g1", "f2", "g2", "f3", "g3"), 1.0)
        assert result["outcome"] == "graded"

    def test_a_test_that_cannot_be_sent_is_its_authors_business(self, server):
        """And not told to the student as the end of Python."""
        code = (
            "limit = check.seconds\ndef at(g):\n    return g(2) + 0 * limit\n"
            "check.probe(at, 'g').gives(4)"
        )
        result = grade(server, "def f(x): return 1", G, ("probe", code), TEST_G)
        assert scores(result) == {"probe": 0.0, "g": 1.0}
        assert result["outcome"] == "not judged"
        assert "a test of g sends along raises a NameError" in " ".join(result["flags"])
        assert "a person will look" in result["tests"]["probe"]["failure"]["message"]

    def test_a_test_beside_the_student_s_code_runs_once_and_in_order(self, server):
        cells = [
            "class Count:\n    n = 0\nitems = Count()",
            ("beside", f"items.n += 1\nassert items.n == 1\n{hidden('assert items.n == 1')}"),
            "items.n = 50",
        ]
        assert scores(grade(server, *cells)) == {"beside": 1.0}


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("assert a", None),
        (f"a = 1\n{hidden('assert a')}", ("a = 1", f"\n{hidden('assert a')}")),
        (f"a = 1\n{BEGIN_HIDDEN}\nassert a", ("a = 1", f"\n{BEGIN_HIDDEN}\nassert a")),
        (f"a = 1\n{hidden('b = 1')}\n\n  # end", ("a = 1", f"\n{hidden('b = 1')}\n\n  # end")),
        (f"a = 1\nc = 2\n{hidden('b = 1')}", ("a = 1\nc = 2", f"\n\n{hidden('b = 1')}")),
        (f"{hidden('assert a')}\nb = 1", "whole"),
        (f"if a:\n    b = 1\n    {hidden('    assert b').strip()}", "whole"),
        (f"%time a\n{hidden('assert a')}", "whole"),
    ],
)
def test_a_test_is_split_where_its_hidden_part_begins(code, parts):
    assert split(code) == (("", code) if parts == "whole" else parts)


CHECKERS = frozenset({"check"})


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        ("def other(x): return x", False),
        ("image = f(3)\nprint(image)", False),
        ("def helper(x): return 0", True),
        ("step = 2", True),
        ("steps[0] = 2", True),
        ("steps.append(2)", True),
        ("for step in range(3): pass", True),
        ("import math as helper", True),
        ("from math import cos as helper", True),
        ("from math import helper", True),
        ("import helper.part", True),
        ("import helper.part as other, other as last", False),
        ("%time f(3)", True),
        ("a\0b", True),
        ("def f(x): return 3", True),
        ("async def helper(x): pass", True),
        ("class helper: pass", True),
        ("class Other:\n    def of(self): return self", False),
        ("del helper", True),
        ("del steps[0]", True),
        ("del steps.first", True),
        ("steps.first = 1", True),
        ("steps[0].rows[1] = 2", True),
        ("steps.rows(1).clear()", True),
        ("step += 1", True),
        ("step: int = 1", True),
        ("print(step := 2)", True),
        ("first, *steps = 1, 2", True),
        ("with open('a') as step: pass", True),
        ("def again():\n    global step\n    step = 2\nagain()", True),
        ("try:\n    f(3)\nexcept ValueError as step:\n    pass", True),
        ("match f(3):\n    case [step]: pass", True),
        ("match f(3):\n    case [_, *steps]: pass", True),
        ("match f(3):\n    case {'a': _, **steps}: pass", True),
        ("other = step + steps[0]", False),
        ("other[step] = steps", False),
        ("last = steps.pop()", True),
        ("from random import shuffle\nshuffle(steps)", True),
        ("print(sorted(x=[1, (steps[0], 2)]))", True),
        ("other(*steps)", True),
        ("other({'a': steps.first})", True),
        ("other(**{'a': 1}, b=steps)", True),
        ("print(len(steps) + 1)", True),  # nobody knows here what len does
        ("print(helper(1), helper)", False),  # a function: to hand it on changes nothing
        ("print(helper.part(1))", False),
        ("helper.part(1)", True),  # as np.random.seed(3)
        ("helper.part(1).backward()", False),  # as F.nll_loss(scores, labels).backward()
        ("def other(step): step = 2", False),
        ("def other(): steps = [step]", False),
        ("print(f(3) + sum([1, 2]))", False),
    ],
)
def test_later_cells_make_a_difference_if_they_change_what_a_function_looks_up(after, changed):
    before = "import helper\nstep, steps = 1, []\n"
    before += "def f(x):\n    image = helper(x) + step + len(steps)\n"
    assert Changes([before, after], CHECKERS).after(1, "check('f', 3)") is changed


@pytest.mark.parametrize(("number", "changed"), [(1, True), (2, False), (3, True), (4, False)])
def test_only_functions_before_a_test_and_cells_after_it_count(number, changed):
    sources = ["def f(x): return step", "step = 1", "def g(x): return rows", "rows = 2"]
    assert Changes(sources, CHECKERS).after(number, "check('f', 3)") is changed


def test_a_cell_that_is_no_plain_python_may_change_or_look_up_anything():
    assert Changes(["%time 1", "rows = 2"], CHECKERS).after(1, "check('f', 3)")
    assert Changes(["rows = 2", "%time 1", ""], CHECKERS).after(1, "check('f', 3)")


@pytest.mark.parametrize(
    ("test", "changed"),
    [
        ("check('f', {'rows': 3})", False),
        ("check.hidden('f', 'rows').gives('columns')", False),
        ("check.limit(9).hidden.probe(lambda f: 3, 'f', 'rows')", False),
        ("check('f', check.rng(1).choice(['rows']))", False),
        ("check('rows', 3)", True),
        ("check.hidden('rows', 3)", True),
        ("check.limit(9)('rows', 3)", True),
        ("check.probe(lambda f: 3, 'rows')", True),
        ("check('f', rows)", True),
        # Without a checker, or with what only looks like one.
        ("assert rows == 3", True),
        ("assert f(3) == 'rows'", False),
        ("rows = 3\nassert f(rows)", False),
        ("results.hidden('rows')", False),
        ("f.limit(9)('rows')", False),
        ("(lambda: 3)('rows')", False),
        ("f(3)('rows')", False),
        # It cannot be seen what is called.
        ("for name in ('f', 'rows'): check(name, 3)", True),
        ("check(*['rows'])", True),
        ("check(name='rows')", True),
        ("slow = check.limit(9)\nslow('rows', 3)", True),
        ("def ask(checker): checker('rows', 3)\nask(check)", True),
        ("call = check.hidden.probe\ncall(lambda f: 3, 'rows')", True),
    ],
)
def test_later_cells_make_a_difference_if_they_change_what_a_test_calls(test, changed):
    assert Changes(["rows = 1", "rows = 2"], CHECKERS).after(1, test) is changed


LOOP = """
import gc
loop = next(o for o in gc.get_objects() if type(o).__name__ == "Child" and hasattr(o, "serve"))
"""


class TestControls:
    """Where all tests are judged here, the control questions come together, in one request."""

    pytestmark = sandbox

    @pytest.mark.parametrize(
        ("forged", "flag"),
        [
            ("run = lambda *rest, **more: {'failed': False}", "holds where it must not"),
            ("run = lambda *more, **most: dict(failed=1, is_assertion=1)", "fails where it must"),
            ("run = None\nloop.control = lambda *rest: {'changed': []}", "were not answered"),
        ],
    )
    def test_what_is_answered_wrongly_is_noted(self, server, forged, flag):
        result = grade(server, LOOP + f"loop.controls.{forged}", G, TEST_G)
        assert result["outcome"] == "tampering suspected"
        assert flag in str(result["flags"])
        assert scores(result) == {"g": 1.0}  # judged outside: a person decides


class TestSeed:
    def test_the_student_is_not_told_from_what_the_questions_of_the_controls_are_drawn(self):
        told = []

        class Child:
            def ask(self, request, *others):
                told.append(request)
                return {}, []

        data = {"cells": [], "files": {}, "seed": "of the job"}
        server = mock.Mock(child=lambda policy: Child())
        Notebook(data, Policy(), server, Progress([])).start(0)
        (begin,) = told
        assert begin["do"] == "begin"
        assert begin["seed"]
        assert "of the job" not in json.dumps(begin)


TEST_OF_CLASS = """
by = 3

class Tripled:
    factor = by

    def of(self, x):
        maps = x.maps
        return self.factor * maps

def procedure(thing, x):
    return Tripled().of(thing(x)).maps

def judged(x):
    return expected

rng = check.hidden.rng(1)
maps = expected = rng.uniform()
"""


def test_a_procedure_takes_along_what_it_looks_up_and_nothing_else():
    """Not what has the name of an attribute, or of a name of its own: it may be what is expected,
    or cannot be worked out in a student's process."""
    space = {}
    exec(TEST_OF_CLASS.partition("rng =")[0], space)
    kept = definitions(TEST_OF_CLASS, [space["procedure"]])
    assert kept == TEST_OF_CLASS.partition("def procedure")[0].strip()
