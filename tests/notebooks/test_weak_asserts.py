"""tests/support/weak_asserts.py, assert by assert; test_notebook_rules.py runs it in notebooks."""

import ast

import numpy as np
import pytest
import torch

from helpers.checks import assert_same
from tests.support.scripts import load

weak_asserts = load("tests/support/weak_asserts.py")
A = np.array([1.0, -4.0, 2.0])


def run(code, **names):
    """(whether the assert holds, its parts that may be anything)."""
    watched = weak_asserts.Assert(ast.parse(f"assert {code}").body[0])
    assert watched.code == f"assert {code}"
    test = eval(f"lambda look: {watched.watched}", {"np": np, **names})
    return test and watched.run(test), watched.weak()


@pytest.mark.parametrize(
    ("code", "names", "weak"),
    [
        ("a == 3", {"a": 3}, []),
        ("a == b", {"a": 3, "b": 3}, []),
        ("a != b", {"a": 3, "b": 4}, []),
        ("a is None", {"a": None}, []),
        ("a > b", {"a": 3, "b": 1}, []),
        ("a >= 0", {"a": 3}, ["a"]),
        ("a > 0", {"a": 3}, []),
        ("a < 1000", {"a": 3}, ["a"]),
        ("a < 20", {"a": 3}, []),
        ("a - b < 0.01", {"a": 1.0, "b": 1.0}, []),
        ("abs(a - b) < 0.01", {"a": 1.0, "b": 1.001}, []),
        ("abs(a - b) < 100", {"a": 1.0, "b": 1.001}, ["a", "b"]),
        ("abs(a - b) > 0.5", {"a": 1.0, "b": 2.0}, []),
        ("a in (1, 2)", {"a": 2}, []),
        ("a in b", {"a": 2, "b": [2]}, []),
        ("a not in b", {"a": 2, "b": [3]}, ["b"]),
        ("a < b < c", {"a": 1, "b": 2, "c": 3}, []),
        ("a == 1 or b == 2", {"a": 1, "b": 2}, ["a"]),
        ("a == 1 or b == 2", {"a": 1, "b": 3}, []),
        ("a >= 0 and b == 2", {"a": 1, "b": 2}, ["a"]),
        ("not a >= 0", {"a": -1}, []),
        ("a == 1 if b else a >= 0", {"a": 1, "b": True}, []),
        ("a == 1 if b else a >= 0", {"a": 1, "b": False}, ["a"]),
        ("all((x > 0 for x in a))", {"a": [1, 2]}, []),
        ("all((x >= 0 for x in a if x > 1))", {"a": [1, 2]}, ["x"]),
        ("any((x == 2 for x in a))", {"a": [2, 5]}, []),
        ("(a == b).all()", {"a": A, "b": A.copy()}, []),
        ("(a >= -100).all()", {"a": A}, ["a"]),
        ("(a >= -10).all()", {"a": A}, []),
        ("np.allclose(a, b)", {"a": A, "b": A.copy()}, []),
        ("np.allclose(a, b, atol=1000000000.0)", {"a": A, "b": A.copy()}, ["a", "b"]),
        ("np.array_equal(a, b)", {"a": A, "b": A.copy()}, []),
        ("(a, b) == (1, 2)", {"a": 1, "b": 2}, []),
        ("a == 'x'", {"a": "x"}, []),
        ("a", {"a": True}, []),
    ],
)
def test_a_part_that_may_be_anything_is_told(code, names, weak):
    holds, found = run(code, **names)
    assert holds
    assert found == weak


def test_an_assert_that_does_not_hold_is_not_tried_further():
    assert run("a >= 5", a=3) == (False, [])


def test_in_a_loop_one_round_is_enough():
    watched = weak_asserts.Assert(ast.parse("assert a >= b").body[0])
    for a, b in ((1, 0), (5, 2)):
        assert watched.run(eval(f"lambda look: {watched.watched}", {"a": a, "b": b}))
    assert watched.weak() == []
    watched.run(eval(f"lambda look: {watched.watched}", {"a": 1, "b": -99}))
    assert watched.weak() == []


@pytest.mark.parametrize(
    ("value", "kind", "wrong"),
    [
        (True, "equality", [False]),
        (np.bool_(False), "order", [True]),
        (3, "equality", [4]),
        (2.0, "equality", [2.2]),
        (0.0, "equality", [0.1]),
        (float("inf"), "equality", [0.1]),
        (4, "order", [0, 1, 40, 0.4]),
        (4.0, "distance", [6.0, 2.0, 4.0]),
        (0.0, "distance", [0.0, 0.0, 1.0]),
        ("a", "equality", ["a?"]),
        ((1, 2), "equality", [(1, 3)]),
        ([True, "a"], "equality", [[True, "a?"]]),
        ((), "equality", []),
        ([1], "container", [[]]),
        ({1: 2}, "container", [{}]),
        (A, "container", []),
    ],
)
def test_what_is_wrong_in_place_of_a_value(value, kind, wrong):
    found = weak_asserts.wrong_values(value, kind)
    assert found == pytest.approx(wrong) if kind == "order" else found == wrong
    assert list(map(type, found)) == list(map(type, wrong))


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_of_an_array_the_largest_number_is_wrong(make):
    (wrong,) = weak_asserts.wrong_values(make(A), "equality")
    assert type(wrong) is type(make(A))
    np.testing.assert_allclose(np.asarray(wrong), [1, -4.4, 2])
    (wrong,) = weak_asserts.wrong_values(make(np.array([[1, 5]])), "equality")
    assert wrong.tolist() == [[1, 6]]
    found = weak_asserts.wrong_values(make(np.array([2.0])), "order")
    np.testing.assert_allclose([one.item() for one in found], [0, 1, 20, 0.2, -3])
    assert weak_asserts.wrong_values(np.zeros(0), "equality") == []


def test_a_check_is_called_again_with_a_number_that_is_wrong():
    check = weak_asserts.Check("assert_same(a, b)")
    check.run(assert_same, A, A.copy())
    assert check.weak() == []
    check.run(assert_same, A, A.copy(), atol=100)
    assert check.weak() == []  # one call of it has noticed it
    never = weak_asserts.Check("assert_same(a, b, atol=100)")
    never.run(assert_same, A, A.copy(), atol=100)
    assert never.weak() == ["a number that is a tenth larger"]


def test_a_cell_ends_with_a_report_of_the_asserts_that_cannot_fail(monkeypatch):
    watch = weak_asserts.Watch()
    monkeypatch.setattr("builtins.__weak_asserts__", watch, raising=False)

    def cell(source):
        tree = watch.visit(ast.parse(source))
        exec(compile(ast.fix_missing_locations(tree), "cell", "exec"), {"assert_same": assert_same})

    cell("a = 3\nassert a == 3\nassert_same(a, 3)\na")
    with pytest.raises(AssertionError) as told:
        cell("a = 3\nassert a == 3\nassert a >= 0\nb = 4")
    assert str(told.value) == "this cannot fail: assert a >= 0\n    whatever it is: a"
    cell("assert (n := 3) >= 0")  # what gives a name is left as it is
