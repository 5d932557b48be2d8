"""What judging is made of, without a sandbox: values and frames, times, names in code, files."""

import math
import random
import socket
from datetime import datetime
from fractions import Fraction
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

from grader.authoring.bank import Variant, correct, load_bank, mistake
from grader.authoring.source import (
    assignments,
    full_name,
    graded_cells,
    notebook_path,
    read_cells,
    read_extra,
)
from grader.authoring.table import Part, mistakes_table, part_of, read_table, write_table
from grader.cells import BEGIN_HIDDEN, END_HIDDEN, Cell
from grader.command.arguments import chosen
from grader.command.grade import arguments
from grader.intake.beside import files_of, handed_in_beside, patterns_of
from grader.intake.entries import BESIDE, COUNTS, Entry
from grader.intake.files import Found
from grader.intake.parse import defined_names, given_names, ids_of, magic_elsewhere, python_note
from grader.intake.place import WrongPlace, check_place
from grader.intake.submission import Submission
from grader.judging.failures import OUTCOME_OF
from grader.judging.policy import RULES, Limits, Policy
from grader.judging.stand_ins import (
    StandIn,
    can_be_judged_here,
    failure_at,
    failure_of,
    needed_names,
)
from grader.sandbox.clock import Clock
from grader.sandbox.inside import values, wire
from helpers.assignment.notebook_file import Unreadable
from tests.support.small_class import source as small_source

# --- values --------------------------------------------------------------------------------------


class Number(int):
    pass


class Odd:
    def __repr__(self):
        return "r" * 600


class NoWords:
    def __repr__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, {"is": "plain", "value": None}),
        (True, {"is": "plain", "value": True}),
        ("한", {"is": "plain", "value": "한"}),
        (Number(7), {"is": "int", "value": "7"}),
        (10**4000 - 1, {"is": "int", "value": "9" * 4000}),
        (0.1, {"is": "float", "value": "0x1.999999999999ap-4"}),
        (Fraction(1, 4), {"is": "float", "value": "0x1.0000000000000p-2"}),
        ((1, [None]), {"is": "tuple", "items": [
            {"is": "int", "value": "1"},
            {"is": "list", "items": [{"is": "plain", "value": None}]},
        ]}),
        ({1: "a"}, {"is": "dict", "items": [["1", {"is": "plain", "value": "a"}]]}),
        (Odd(), {"is": "other", "type": "Odd", "repr": "r" * 500}),
        (NoWords(), {"is": "other", "type": "NoWords", "repr": ""}),
        (type("T" * 90, (), {"__repr__": lambda self: "x"})(),
         {"is": "other", "type": "T" * 80, "repr": "x"}),
    ],
)  # fmt: skip
def test_a_value_that_is_sent(value, message):
    blobs = []
    assert values.encode(value, blobs) == message
    assert blobs == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.arange(6, dtype="<i2").reshape(2, 3),
         {"is": "array", "dtype": "<i2", "shape": [2, 3], "axes": [0, 1], "blob": 0}),
        (np.arange(6, dtype="<i2").reshape(2, 3).T,
         {"is": "array", "dtype": "<i2", "shape": [2, 3], "axes": [1, 0], "blob": 0}),
        (np.float32(2.5), {"is": "scalar", "dtype": "<f4", "shape": [], "axes": [], "blob": 0}),
        (np.str_("ab"), {"is": "scalar", "dtype": "<U2", "shape": [], "axes": [], "blob": 0}),
        (np.array([True, False]),
         {"is": "array", "dtype": "|b1", "shape": [2], "axes": [0], "blob": 0}),
    ],
)  # fmt: skip
def test_an_array_that_is_sent_and_comes_back(value, message):
    blobs = []
    assert values.encode(value, blobs) == message
    made = values.Decoder(blobs).value(message)
    assert type(made) is type(value)
    assert np.array_equal(made, value)
    assert made.dtype == value.dtype
    if made.ndim:
        made[...] = made[::-1]  # it can be written to


def test_only_so_much_of_a_value_is_sent():
    deep = nested = 1
    for _ in range(values.DEPTH_LIMIT):
        deep = [deep]
    nested = [deep]
    assert values.Decoder([]).value(values.encode(deep, [])) == deep
    inner = values.encode(nested, [])
    for _ in range(values.DEPTH_LIMIT):
        (inner,) = inner["items"]
    assert (inner["is"], inner["type"]) == ("other", "list")
    assert values.encode([0] * values.ITEM_LIMIT, [])["is"] == "list"
    for many in ([0] * (values.ITEM_LIMIT + 1), dict.fromkeys(range(values.ITEM_LIMIT + 1))):
        assert values.encode(many, [])["is"] == "other"
    assert values.encode(10**4000, [])["is"] == "other"
    assert values.encode(np.array([None]), [])["is"] == "other"
    assert values.encode(np.arange(2), [b""] * wire.BLOB_LIMIT)["is"] == "other"
    assert values.encode(Fraction(10**400), [])["is"] == "other"
    budget = [3]
    parts = values.encode([[1], [2], [3]], [], 0, budget)["items"]
    assert [part["is"] for part in parts] == ["list", "other", "other"]


@pytest.mark.parametrize(
    ("message", "value"),
    [
        *(({"is": "plain", "value": value}, value) for value in (None, True, False, "a")),
        ({"is": "int", "value": "-12"}, -12),
        ({"is": "float", "value": "0x1.8p+1"}, 3.0),
        ({"is": "float", "value": "-inf"}, -math.inf),
        ({"is": "tuple", "items": [{"is": "int", "value": "1"}]}, (1,)),
        ({"is": "list", "items": [{"is": "int", "value": "1"}]}, [1]),
        ({"is": "dict", "items": [["a", {"is": "list", "items": []}], [3, {"is": "tuple",
          "items": []}]]}, {"a": [], "3": ()}),
    ],
)  # fmt: skip
def test_a_value_that_comes_back(message, value):
    found = values.Decoder([]).value(message)
    assert (found, type(found)) == (value, type(value))


def test_a_value_that_comes_back_has_so_many_parts_at_most(monkeypatch):
    monkeypatch.setattr(values, "PART_LIMIT", 5)
    one = {"is": "int", "value": "1"}
    assert values.Decoder([]).value({"is": "list", "items": [one] * 19}) == [1] * 19
    with pytest.raises(wire.Nonsense, match="too deep, or of too many parts"):
        values.Decoder([]).value({"is": "list", "items": [one] * 20})
    decoder = values.Decoder([])  # for all values of a frame together
    for _ in range(20):
        decoder.value(one)
    with pytest.raises(wire.Nonsense, match="too deep, or of too many parts"):
        decoder.value(one)


@pytest.mark.parametrize("make", [np.random.PCG64, np.random.MT19937])
def test_a_generator_goes_on_where_it_was(make):
    generator = np.random.Generator(make(3))
    generator.random(2)
    made = values.Decoder([]).value(values.encode(generator, []))
    assert made.random() == generator.random()


def test_of_anything_else_its_name_is_known():
    made = values.Decoder([]).value({"is": "other", "type": "My-Net 2", "repr": "r" * 600})
    assert isinstance(made, values.Opaque)
    assert (type(made).__name__, repr(made)) == ("MyNet2", "r" * 500)
    made = values.Decoder([]).value({"is": "other", "type": "-", "repr": ""})
    assert type(made).__name__ == "object"


ARRAY = {"is": "array", "dtype": "<i2", "shape": [2], "axes": [0], "blob": 0}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"is": "plain", "value": 3}, "not plain"),
        ({"is": "plain", "value": []}, "not plain"),
        ({"is": "odd"}, "no value"),
        ({}, "no value: KeyError"),
        (3, "no value: TypeError"),
        ({"is": "int", "value": "x"}, "no value: ValueError"),
        ({"is": "generator", "state": '{"bit_generator": "SFC64"}'}, "no value: KeyError"),
        ({**ARRAY, "blob": 1}, "no such blob"),
        ({**ARRAY, "blob": -1}, "no such blob"),
        ({**ARRAY, "blob": False}, "no such blob"),
        ({"is": "list", "items": [ARRAY, ARRAY]}, "two arrays of the same bytes"),
        *(({**ARRAY, "dtype": kind}, "not a type of numbers") for kind in ("O", "V2", "<M8", "i3")),
        *(({**ARRAY, "shape": shape}, "not a shape") for shape in ([-1], [2.0], [True], [2**40])),
        ({**ARRAY, "shape": [1] * 33}, "not a shape"),
        *(({**ARRAY, "axes": axes}, "not an order of the axes") for axes in ([1], [0, 0], [])),
        ({**ARRAY, "shape": [3]}, "a shape that does not fit"),
        ({**ARRAY, "dtype": "<i4"}, "a shape that does not fit"),
    ],
)
def test_what_is_no_value_is_refused_with_the_reason(message, reason):
    with pytest.raises(wire.Nonsense) as caught:
        values.Decoder([b"1234"]).value(message)
    assert str(caught.value) == reason


@pytest.mark.parametrize("kind", ["b1", "i8", "u4", "f2", "f16", "c8", "c16", "c32", "S3", "U2"])
def test_each_type_of_numbers_is_taken(kind):
    size = np.dtype(kind).itemsize
    made = values.Decoder([b"\0" * size]).value({**ARRAY, "dtype": kind, "shape": [1]})
    assert made.dtype == np.dtype(kind)


def test_a_truth_value_is_0_or_1_and_no_array_is_too_small():
    made = values.Decoder([b"\2\0"]).value({**ARRAY, "dtype": "|b1"})
    assert made.view(np.uint8).tolist() == [1, 0]
    empty = values.Decoder([b""]).value({**ARRAY, "shape": [2, 0], "axes": [1, 0]})
    assert empty.shape == (0, 2)
    del (whole := dict(ARRAY))["axes"]
    assert values.Decoder([b"\1\0\2\0"]).value(whole).tolist() == [1, 2]


# --- frames --------------------------------------------------------------------------------------


def received(data, **options):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.close()
        return wire.receive(ours, **options)


def frame(text, more=0, zero=0, blobs=b""):
    return wire.HEAD.pack(len(text), more, zero) + text + blobs


def test_a_frame_arrives_as_it_was_sent():
    blobs = [b"ab", b"", b"c" * 70_000]
    message, found = received(wire.pack({"한": [1]}, blobs) + b"".join(blobs))
    assert message == {"한": [1]}
    assert [bytes(blob) for blob in found] == blobs
    waits = []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire.send(theirs, "x", [b"y"], lambda: waits.append("out"))
        assert wire.receive(ours, wait=lambda: waits.append("in")) == ("x", [b"y"])
        ours.close()
        with pytest.raises(wire.Gone):
            wire.send(theirs, "x")
    assert waits == ["in"]


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (b"", wire.Gone, "the connection is closed"),
        (frame(b"{}")[:-1], wire.Gone, "the connection is closed"),
        (frame(b"{}", zero=1), wire.Nonsense, "no frame"),
        (wire.HEAD.pack(wire.JSON_LIMIT + 1, 0, 0), wire.TooMuch, "a frame of 33554433 bytes"),
        (frame(b"{}", more=11), wire.TooMuch, "11 bytes of arrays"),
        (frame(b"{}") + b"x", wire.Nonsense, "more than a frame"),
        (frame(b"{"), wire.Nonsense, "no frame"),
        (frame(b"\xff"), wire.Nonsense, "no frame"),
        (frame(b"[]"), wire.Nonsense, "no frame"),
        (frame(b'{"message": 1}'), wire.Nonsense, "no frame"),
        (frame(b'{"blobs": []}'), wire.Nonsense, "no frame"),
        (frame(b'{"message": 1, "blobs": 3}'), wire.Nonsense, "no frame"),
        *(
            (frame(b'{"message": 1, "blobs": %s}' % sizes, 2, 0, b"ab"), wire.Nonsense,
             "arrays of another size than announced")
            for sizes in (b"[1]", b"[-1, 3]", b"[2.0]", b"[true, 1]", b"[3]", b"[]")
        ),
    ],
)  # fmt: skip
def test_what_is_no_frame_is_refused_with_the_reason(data, kind, reason):
    with pytest.raises(kind) as caught:
        received(data, byte_limit=10)
    assert str(caught.value) == reason


def test_a_frame_of_too_many_parts_is_not_made(monkeypatch):
    monkeypatch.setattr(wire, "OBJECT_LIMIT", 6)
    for message, is_fine in (([1, 2, 3], True), ([1, 2, 3, 4], False), ([{}, {}], False)):
        data = wire.pack(message)
        assert received(data, trusted=True)[0] == message
        if is_fine:
            assert received(data)[0] == message
        else:
            with pytest.raises(wire.TooMuch, match="a frame of too many parts"):
                received(data)
    blobs = [b""] * (wire.BLOB_LIMIT + 1)
    with pytest.raises(wire.Nonsense, match="another size"):
        received(wire.pack(1, blobs), trusted=True)


def test_as_many_bytes_of_arrays_as_there_may_be_are_taken():
    data = wire.pack(1, [b"x" * 10]) + b"x" * 10
    for options in ({"byte_limit": 10}, {"byte_limit": 9, "trusted": True}):
        assert received(data, **options)[1] == [b"x" * 10]


def usage(at, cpu, delay):
    return {"at": at, "cpu": cpu, "delay": delay}


@pytest.mark.parametrize(
    ("steps", "seconds", "is_contended"),
    [
        ([(5, 1, 0)], 5, False),  # asleep
        ([(5, 7, 0)], 7, False),  # in two threads
        ([(8, 4, 4)], 4, True),
        ([(8, 1, 2)], 6, False),  # a quarter is not more than a quarter
        ([(2, 1, 5), (10, 1, 5)], 8, False),  # what waits at once makes up for no sleep
        ([(8, 1, 2.5)], 5.5, True),
        ([(8, 3, None)], 3, True),
        ([(8, 8, None)], 8, False),
        ([(8, 3, None), (10, 4, 1)], 4, True),
    ],
)
def test_what_counts_of_a_child_s_time(steps, seconds, is_contended):
    clock = Clock(usage(100, 10, 1))
    for at, cpu, delay in steps:
        clock.add(usage(100 + at, 10 + cpu, None if delay is None else 1 + delay))
    assert (clock.seconds, clock.is_contended) == (seconds, is_contended)
    assert (clock.wall, clock.cpu) == (steps[-1][0], steps[-1][1])


@pytest.mark.parametrize(
    "rule",
    [
        *("network", "read-only system", "private files", "private processes", "private ipc"),
        *("namespaces", "capabilities", "system calls", "memory", "memory watch", "processes"),
        *("priority", "scratch size", "open files", "file size", "cpu", "cell time", "output"),
    ],
)
def test_each_rule_can_be_turned_off_to_show_what_goes_wrong(rule):
    assert rule in RULES
    assert Policy(disabled_rules=(rule,)).disabled_rules == (rule,)


def test_a_policy_in_a_job_is_the_policy():
    policy = Policy(cell_seconds=7, locked=False, disabled_rules=("cpu", "output"))
    assert Policy.from_dict(policy.to_dict()) == policy
    assert policy.to_dict()["disabled_rules"] == ["cpu", "output"]
    with pytest.raises(ValueError, match=r"there is no rule \['a', 'b'\]; there are"):
        Policy(disabled_rules=("b", "cpu", "a"))


def test_what_a_submission_may_use_unless_somebody_says_otherwise():
    """Marks depend on it: whoever changes one of these means it."""
    mib = 1024 * 1024
    assert Policy().to_dict() == {
        **{"cell_seconds": 120, "total_seconds": 300, "grace_seconds": 3, "wall_factor": 10},
        **{"cpu_seconds": 600, "memory_bytes": 2048 * mib, "processes": 64, "open_files": 256},
        **{"file_bytes": 100 * mib, "scratch_bytes": 200 * mib},
        **{"judging_seconds": 20, "judging_bytes": 2048 * mib},
        **{"output_bytes": 2 * mib, "total_output_bytes": 20 * mib},
        **{"restarts": 12, "locked": True, "disabled_rules": []},
    }
    limits = Limits()
    assert (limits.candidates, limits.beside_bytes) == (20, 20 * mib)
    assert (limits.zip_files, limits.zip_depth) == (20_000, 3)
    assert (limits.inner_files, limits.inner_bytes) == (2_000, 256 * mib)


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        *(("cpu", "total timeout"), ("memory", "out of memory"), ("output", "too much output")),
        *(("nonsense", "tampering suspected"), ("anything else", "died")),
    ],
)
def test_why_a_child_was_ended_is_its_outcome(reason, outcome):
    assert OUTCOME_OF.get(reason, "died") == outcome


# --- tests without a checker ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        *(f"{name}\nassert f(1)" for name in ("open", "globals", "locals", "vars", "dir")),
        *(f"{name}\nassert f(1)" for name in ("eval", "exec", "input", "__import__")),
        *(f"x.{name}(f(1))" for name in ("seed", "manual_seed", "set_default_dtype")),
        *(f"from math import sqrt as {name}\n{name}(f(1))" for name in ("save", "load")),
        *("seed_everything = f\nseed_everything(f(1))", "import os\nf(1)", "import math, os\nf(1)"),
        *("from . import x\nf(1)", "from os import path\nf(1)", "from mathx import y\nf(1)"),
        "from .math import sqrt\nf(1)",
        *("f(", "f(1\0)", "1 == 1", "f(unknown)", "f(odd)", "f(rand)"),
    ],
)
def test_tests_that_need_the_notebook_s_own_process(code):
    assert not can_be_judged_here(code, ["f"], {"odd": Odd(), "x": np, "rand": random})


@pytest.mark.parametrize(
    "code",
    [
        *(f"import {name}\nf(1)" for name in ("builtins", "helpers.checks", "itertools", "torch")),
        *("import math, numpy.linalg as y\nf(1)", "from helpers.ops import conv2d\nf(1)"),
        *(f"f({name})" for name in ("math", "number", "text", "data", "none", "part", "sqrt")),
        "def g(a, b):\n  c = a\n  return c\ntry:\n  f(g)\nexcept ValueError as e:\n  str(e)",
        "class A: pass\nimport math as m\nf(A, m, print)",
    ],
)
def test_tests_that_ask_functions_for_values_alone(code):
    space = {"math": math, "number": 1j, "text": "x", "data": b"x", "none": None}
    assert can_be_judged_here(code, ["f"], {**space, "part": np.array, "sqrt": math.sqrt})


def test_the_names_that_a_test_needs():
    code = "import a.b, c as d\ndef f(x): return x + y\nz = [w for w in v]\nclass K: pass\nk.m(q=1)"
    assert needed_names(code) == {"y", "v", "k"}
    assert needed_names("async def f(): pass\ntry: g()\nexcept E as e: e") == {"g", "E"}
    assert needed_names("f(") is needed_names("\0") is None


TEST = f"a = 1\nassert f(1) == 2  \n{BEGIN_HIDDEN}\nassert f(3)\n{END_HIDDEN}\nb = 1"


@pytest.mark.parametrize(
    ("number", "text", "code", "told"),
    [
        (2, "It is 3.", TEST, ("This does not hold: assert f(1) == 2\nIt is 3.", False)),
        (1, "", TEST, ("This does not hold: a = 1", False)),
        (4, "It is 3.", TEST, ("A hidden test fails.", True)),
        (6, "x", TEST, ("This does not hold: b = 1\nx", False)),
        *((line, "x", TEST, ("The test fails.", True)) for line in (None, 0, 7, "2")),
        (None, "x", "assert f(1)", ("The test fails.", False)),
    ],
)
def test_what_is_told_of_the_line_that_fails(number, text, code, told):
    made = failure_at(number, text, code)
    assert (str(made), made.hidden, made.kind) == (*told, "claim")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("assert 1 == 2, 'no'", "This does not hold: assert 1 == 2, 'no'\nno"),
        ("x = 1\nint('a')", "This does not hold: int('a')\nValueError: invalid literal"),
        ("def g():\n    assert 0\n\ng()", "This does not hold: assert 0"),
    ],
)
def test_the_innermost_line_of_the_test_is_told(code, said):
    try:
        exec(compile(code, "<test>", "exec"), {})
    except Exception as error:
        made = failure_of(error, code)
    assert str(made).startswith(said)


class Answers:
    """Stands for the checker that asks the student's process."""

    def __init__(self, value=None, error=None, after=()):
        self.seen, self.after = SimpleNamespace(value=value, error=error), after

    def __call__(self, name, *args, **kwargs):
        self.asked = (name, args, kwargs)
        return self.seen


def test_a_stand_in_writes_back_what_the_function_did():
    before = ([1], {"a": 1}, np.zeros(2), np.zeros(2), (1,), [1], np.zeros(0))
    after = ([2, 3], {"b": 2}, np.ones(2), np.ones(3), (2,), (2,), np.zeros(0))
    checker = Answers("made", after=after)
    assert StandIn(checker, "f")(*before, key=1) == "made"
    assert checker.asked == ("f", before, {"key": 1})
    assert before[:2] == ([2, 3], {"b": 2})
    assert [array.tolist() for array in before[2:4]] == [[1, 1], [0, 0]]
    assert before[4:6] == ((1,), [1])
    with pytest.raises(ValueError, match="shorter"):  # of which argument it is cannot be told
        StandIn(Answers(after=[[2]]), "f")([1], [1])


def test_a_stand_in_raises_what_the_function_raised():
    with pytest.raises(KeyError, match="k"):
        StandIn(Answers(error=KeyError("k")), "f")(1)
    with pytest.raises(AssertionError) as caught:
        StandIn(Answers(error=SystemExit("secret")), "f")(1)
    assert str(caught.value) == "f stopped with SystemExit"


# --- notebooks and files that are handed in ------------------------------------------------------


def test_what_a_cell_defines_by_how_its_lines_begin():
    code = "def a(:\n  def b(): 1\nasync def c(): 1\nclass  D: 1\n%time def e(): 1\ndefine f"
    assert defined_names(code) == {"a", "c", "D"}
    code = (
        "def a(): 1\nclass b: 1\nasync  def c(): 1\nd = 1\ne, f = 1\ng: int = 1\nfrom x import h\n"
        "import i\nj == 1\n  k = 1\nl.m = 1\nprint(n)\nab = 1\nimport op\n"
    )
    assert given_names(code, "abcdefghijklmno") == set("abcdeghi")


@pytest.mark.parametrize(
    "name",
    [
        *("writefile", "file", "timeit", "script", "bash", "sh", "python", "python3"),
        *("html", "js", "javascript", "latex", "markdown", "svg"),
    ],
)
def test_a_cell_magic_after_which_nothing_is_defined(name):
    assert magic_elsewhere(f"\n %%{name} x\ndef f(): 1") == f"%%{name}"
    assert magic_elsewhere(f"x\n%%{name}") is magic_elsewhere("%%time") is None
    assert magic_elsewhere(f"%%{name}x") is None


def with_code(*sources, version="3.99.1"):
    cells = [{"cell_type": "code", "source": source} for source in sources]
    return {"cells": cells, "metadata": {"language_info": {"version": version}}}


@pytest.mark.parametrize(
    ("notebook", "is_told"),
    [
        (with_code("x = 1", "a\n  new x ?? " + "y" * 99), True),
        (with_code("new x", version="3.11"), False),
        (with_code("new x", version="3.10.9"), False),
        (with_code("new x", version="4"), False),
        (with_code("%%bash\nnew x", "\n  %%html\nnew x"), False),
        (with_code("%magic x\n?help\nif x:\n  !ls x"), False),
        (with_code("new x " + "#" * 199_995), False),
        (with_code("new x " + "#" * 199_994), True),
        ({"cells": with_code("new x")["cells"], "metadata": {}}, False),
        ({"cells": [{"cell_type": "markdown", "source": "new x"}],
          "metadata": {"language_info": {"version": "3.99"}}}, False),
    ],
)  # fmt: skip
def test_the_syntax_of_a_newer_python_is_told(notebook, is_told):
    note = python_note(notebook, (3, 11))
    assert (note is not None) == is_told
    if "??" in str(notebook):
        assert note == (
            f"`{('new x ?? ' + 'y' * 99)[:60]}` is not Python 3.11, which grades. The notebook ran "
            "with Python 3.99: newer syntax may be the reason"
        )


def test_the_ids_of_a_notebook():
    metas = [{"nbgrader": {"grade_id": "a"}}, {}, {"nbgrader": 3}, {"nbgrader": {"grade_id": 3}}]
    metas.append({"nbgrader": {"grade_id": "b"}})
    assert ids_of({"cells": [{"metadata": meta} for meta in metas]}) == ["a", "b"]


# --- which notebook of a student's counts --------------------------------------------------------


def submission(*paths, **more):
    """Notebooks that hold what their paths end in: an id and a source; "bad" cannot be read."""
    return Submission("kim", "here", tuple(beside(path, path.encode()) for path in paths), **more)


def parsed(data, limits):
    path = data.decode()
    name = path.rpartition("/")[2].removesuffix(".ipynb")
    if "bad" in name:
        raise Unreadable("it is damaged")
    cell = {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": name[:1]}}, "source": name}
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, ["a note"]


def is_stub(notebook):
    return notebook["cells"][0]["source"].endswith("stub")


@pytest.mark.parametrize(
    ("paths", "counts"),
    [
        (["x.ipynb"], 0),
        (["f.ipynb", "01-a.ipynb"], 1),
        (["f.ipynb", "Copy of 01-a.ipynb"], 1),
        (["01-a (1).ipynb", "01-a.ipynb"], 1),
        (["x.ipynb", "f.ipynb"], 1),
        (["bad.ipynb", "f.ipynb"], 1),
        (["f stub.ipynb", "f mine.ipynb"], 1),
        (["a/f.ipynb", "b/f.ipynb"], 0),
        (["a/01-a.ipynb", "b/01-a.ipynb", "f.ipynb"], 0),
        (["f one.ipynb", "f two.ipynb"], "several notebooks, and no telling which is meant: "
         "f one.ipynb, f two.ipynb"),
        (["f stub.ipynb", "f a stub.ipynb"], "several notebooks, and no telling which is meant: "
         "f stub.ipynb, f a stub.ipynb"),
        ([f"f{n}.ipynb" for n in range(3)], "more than 2 notebooks, and none has the name"),
        (["bad.ipynb"], "it is damaged"),
    ],
)  # fmt: skip
def test_among_several_notebooks_of_a_student_one_counts(paths, counts):
    more = {"limits": Limits(candidates=2), "parse": parsed, "is_untouched": is_stub}
    if isinstance(counts, str):
        with pytest.raises(Unreadable) as caught:
            submission(*paths).read("01-a", ["f"], **more)
        assert str(caught.value) == counts
        return
    found = submission(*paths).read("01-a", ["f"], **more)
    assert found.entries[0] == Entry(paths[counts], "kim", True, COUNTS)


def test_all_that_is_read_of_a_submission():
    when = datetime(2026, 11, 28, 9, 8, 7)
    names = ["01-a.ipynb", *(f"f{n}.ipynb" for n in range(5))]
    files = (beside("data.csv"), beside("note.txt"))
    made = submission(*names, beside=files, notes=("of the name",), time=when)
    found = made.read("01-a", ["f"], patterns=["*.csv"], parse=parsed)
    assert found.notebook.cells[0].source == "01-a"
    assert found.notes == [
        "of the name",
        "01-a.ipynb counts, of several: f0.ipynb, f1.ipynb, f2.ipynb and 2 more",
        "a note",
        "handed in beside the notebook, and not there when it runs: note.txt",
    ]
    assert found.files == {"data.csv": "MTI="}
    another = "another notebook of the student's: 01-a.ipynb counts"
    assert found.entries == [
        Entry("01-a.ipynb", "kim", True, COUNTS, when),
        *(Entry(name, "kim", False, another, when) for name in names[1:]),
        Entry("data.csv", "kim", True, BESIDE, when),
        Entry("note.txt", "kim", False, "a text, not asked for", when),
    ]
    assert made.refused("it is damaged")[5:] == [
        Entry("f4.ipynb", "kim", False, "it is damaged", when),
        Entry("data.csv", "kim", False, "data", when),
        Entry("note.txt", "kim", False, "a text", when),
    ]
    assert made.exchange_files() == {"timestamp.txt": "2026-11-28 09:08:07 UTC"}
    stamped = submission(exchange={"timestamp.txt": "then"}, time=when)
    assert stamped.exchange_files() == {"timestamp.txt": "then"}
    assert submission(exchange={"secret": "x"}).exchange_files() == {"secret": "x"}
    with pytest.raises(Unreadable, match="no notebook"):
        submission("01-a.ipynb", problem="no notebook").read("01-a", parse=parsed)


def beside(path, data=b"12", problem=""):
    def read(limit):
        if data is None:
            raise Unreadable("it is damaged")
        return data

    return Found(tuple(path.split("/")), read, problem=problem)


def test_files_beside_the_notebook_are_there_if_they_are_asked_for():
    found = [
        *(
            beside("a/mine.csv"),
            beside("b/mine.csv", b"34"),
            beside("data.json"),
            beside("two.csv"),
        ),
        *(beside("note.txt"), beside("z.csv", problem="too deep"), beside("bad.csv", None)),
        *(beside("large.csv", b"x" * 5), beside(f"{'x' * 70}.py"), beside("q.py"), beside("r.py")),
    ]
    files, notes, why_not = handed_in_beside(
        found, ["*.csv", "data.json"], {"data.json"}, Limits(beside_bytes=8)
    )
    assert files == {"mine.csv": "MTI=", "two.csv": "MTI="}
    too_large = (
        "what is handed in beside the notebook may have 7.62939e-06 MiB; this is not there "
        "when it runs"
    )
    assert why_not == {
        "b/mine.csv": "another file of this name is there",
        "data.json": "the assignment's own file of this name is there",
        "note.txt": "a text, not asked for",
        "z.csv": "too deep",
        "bad.csv": "it is damaged",
        "large.csv": too_large,
        **dict.fromkeys((f"{'x' * 70}.py", "q.py", "r.py"), "a Python script, not asked for"),
    }
    assert notes == [
        "bad.csv, handed in beside the notebook: it is damaged",
        f"large.csv, handed in beside the notebook: {too_large}",
        "handed in beside the notebook, and not there when it runs: b/mine.csv, note.txt, q.py, "
        f"r.py, {'x' * 60} and 1 more",
    ]
    assert handed_in_beside([], [], [], Limits()) == ({}, [], {})
    files, notes, _ = handed_in_beside(found[:1], ["*"], [], Limits(beside_bytes=2))
    assert (list(files), notes) == (["mine.csv"], [])


def test_the_files_of_an_assignment(tmp_path, monkeypatch):
    folder = tmp_path / "assignments" / "01-a"
    (folder / "inner").mkdir(parents=True)
    for name in ("checks.json", "data.csv", "01-a.ipynb", "desktop.ini", ".hidden"):
        (folder / name).write_text(f"<{name}>")
    assert files_of("01-a", tmp_path) == (
        {"checks.json": "<checks.json>"},
        {"data.csv": "PGRhdGEuY3N2Pg=="},
    )
    monkeypatch.setattr(Limits, "beside_bytes", 23)
    assert files_of("01-a", tmp_path)
    monkeypatch.setattr(Limits, "beside_bytes", 22)
    with pytest.raises(Unreadable, match=f"^the files in {folder} are larger than 2.09"):
        files_of("01-a", tmp_path)
    source = SimpleNamespace(metadata={"course": {"files": ["*.csv", 3]}})
    assert patterns_of(source) == ["*.csv", "3"]
    assert patterns_of(SimpleNamespace(metadata={})) == []


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        *(
            (name, "is a part of the course, and no student's")
            for name in (
                *("assignments", "build", "grader", "helpers", "notebooks", "site", "solutions"),
                *("tests", "tools", ".git", "tools/deep"),
            )
        ),
        *(
            (f"grading{name}", "is what grading has made, and no student's")
            for name in ("", "/autograded", "/feedback/x", "/solution", "/01-a")
        ),
        ("", "holds the course, whose notebooks are no student's"),
        ("..", "holds the course, whose notebooks are no student's"),
        ("batch", None),
        ("grading/submitted", None),
        ("my-tools", None),
    ],
)
def test_where_notebooks_that_were_handed_in_cannot_lie(tmp_path, place, reason):
    root = tmp_path / "course"
    (root / "solutions" / "01-a").mkdir(parents=True)
    (root / "solutions" / "01-a" / "01-a.ipynb").touch()
    path = root / place
    path.mkdir(parents=True, exist_ok=True)
    if reason is None:
        check_place(path, root)
        return
    with pytest.raises(WrongPlace) as caught:
        check_place(path, root)
    rather = "name the folder or the zip of what was handed in"
    assert str(caught.value) == f"{path.resolve()} {reason}: {rather}"


# --- assignments, banks and the table of mistakes ------------------------------------------------

NAMES = ["01-convolution", "01-convex", "02-stride", "10-late"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        *(("2", "02-stride"), ("02", "02-stride"), ("10", "10-late"), ("02-s", "02-stride")),
        *(("1", "1"), ("01-conv", "01-conv"), ("01-convo", "01-convolution"), ("7", "7")),
        *(("", ""), ("stride", "stride")),
    ],
)
def test_an_assignment_by_its_number_or_beginning(given, name):
    assert full_name(given, NAMES) == name


@pytest.fixture
def course(tmp_path):
    for name in ("02-b", "01-a", "03-c"):
        path = notebook_path(name, tmp_path / "solutions")
        path.parent.mkdir(parents=True)
        path.touch()
    for name in ("01-a", "03-c", "04-gone"):
        (tmp_path / "grading" / name).mkdir(parents=True)
        (tmp_path / "grading" / name / "records.jsonl").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "names", "message"),
    [
        ([], ["01-a", "03-c"], None),
        (["2", "01-a"], ["02-b", "01-a"], None),
        (["2", ""], None, "say which assignment: 01-a, 02-b, 03-c"),
        (["2", "9"], None, "there is no 9; there are 01-a, 02-b, 03-c"),
    ],
)
def test_which_assignments_are_meant(course, capsys, given, names, message):
    assert assignments(course / "solutions") == ["01-a", "02-b", "03-c"]
    if names is not None:
        assert chosen(arguments(), given, course) == names
        return
    with pytest.raises(SystemExit) as ended:
        chosen(arguments(), given, course)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {message}\n")


def test_the_cells_of_a_source(tmp_path):
    path = tmp_path / "a.ipynb"
    notebook = small_source()
    extra = nbformat.v4.new_code_cell("double(1)"), nbformat.v4.new_markdown_cell("x")
    notebook.cells[4:4] = extra
    nbformat.write(notebook, path)
    found = read_cells(path)
    assert [(one.kind, one.cell_type, one.grade_id, one.points) for one in found[3:6]] == [
        ("solution", "code", "double", 0),
        ("test", "code", "double_two", 2),
        ("test", "code", "double_zero", 1),
    ]
    assert [one.source for one in found] == [
        one.source for one in notebook.cells if one not in extra
    ]
    assert [one.source for one in read_extra(path)] == ["double(1)"]
    assert [one.grade_id for one in graded_cells(found)] == [
        *("double_two", "double_zero", "triple_one")
    ]


BANK = """
from json import dumps  # what is imported is no variant
from grader.authoring.bank import correct, mistake

@mistake("It is flipped.", fails={"f_one", "f_two"}, undiagnosed="Zeros.")
def flipped(x): ...

@correct
class Other: ...

def helper(): ...
"""


def test_the_variants_of_a_bank(tmp_path):
    folder = tmp_path / "01-a" / "bank"
    folder.mkdir(parents=True)
    (folder / "g.py").write_text(BANK.replace("def flipped", "def turned"))
    (folder / "f.py").write_text(BANK)
    found = load_bank("01-a", tmp_path)
    fails = frozenset({"f_one", "f_two"})
    wanted = [
        Variant("f", "flipped", found[0].thing, "It is flipped.", fails, "Zeros."),
        Variant("f", "Other", found[1].thing),
        Variant("g", "turned", found[2].thing, "It is flipped.", fails, "Zeros."),
        Variant("g", "Other", found[3].thing),
    ]
    assert found == wanted
    assert [one.is_mistake for one in found] == [True, False, True, False]
    assert [one.thing.__name__ for one in found] == [one.name for one in found]
    with pytest.raises(ValueError, match="a mistake that fails no test would get full marks"):
        mistake("x", fails=set())
    assert correct(Odd)._bank == {}
    del Odd._bank


def test_the_table_of_known_mistakes(tmp_path):
    def variant(exercise, name, *rest):
        return Variant(exercise, name, None, *rest)

    one = variant("f", "is_flipped", "It is flipped.", frozenset({"f_edge_case", "f_same"}))
    two = variant("f", "zeros", "All zéro.", frozenset(), "The same as none.")
    three, four, five = (variant(*one) for one in (("f", "right"), ("g", "too"), ("g", "two")))
    cells = [
        Cell("test", "code", 'check("f")', "f_same"),
        Cell("test", "code", 'check("g")', "g_same"),
        Cell("test", "code", 'check("f", 1)', "f_edge_case"),
        Cell("setup", "code", '"f"', "setup"),
    ]
    report = SimpleNamespace(
        assignment="01-a",
        cells=cells,
        verdicts=[one, two, three, four, five],
        failed=lambda variant: variant.fails if variant is not four else {"g_same"},
        diagnoses=lambda variant: variant is one,
    )
    part = part_of(report)
    without = part_of(
        SimpleNamespace(assignment="02-b", cells=[], verdicts=[], failed=None, diagnoses=None)
    )
    table, page = mistakes_table([part, without])
    assert table == (
        "assignment,exercise,mistake,tests failed,told by name,what the student reads,"
        "why not told\n"
        "01-a,f,is_flipped,f_edge_case f_same,yes,It is flipped.,\n"
        "01-a,f,zeros,,no,All zéro.,The same as none.\n"
    )
    head, _, rest = page.partition("\n\n| assignment")
    assert head.startswith("# Known mistakes and the tests that find them\n\nMade by ")
    assert f"| assignment{rest}".split("\n") == [
        "| assignment | tests | mistakes | found | told by name | right solutions | keep all |",
        "|---|---|---|---|---|---|---|",
        "| 01-a | 3 | 2 | 1 (50 %) | 1 (50 %) | 3 | 2 |",
        "| 02-b | 0 | 0 | 0 (–) | 0 (–) | 0 | 0 |",
        *("", "## 01-a", "", "### f", ""),
        "| mistake | same | edge case | told |",
        "|---|---|---|---|",
        "| is flipped | ✗ | ✗ | yes |",
        "| zeros |  |  |  |",
        "",
        "- **is_flipped**: It is flipped.",
        "- **zeros**: All zéro. *(Not told: The same as none.)*",
        *(
            "",
            "### g",
            "",
            "| mistake | g same | told |".replace("g same", "same"),
            "|---|---|---|",
        ),
        *("", "## 02-b", "", "It has no bank.", ""),
    ]
    assert read_table(tmp_path) == {}
    write_table([part, without], tmp_path)
    assert read_table(tmp_path) == {"01-a": part, "02-b": without}
    assert (part.told, Part("x", (), "", "").told) == (1, 0)
