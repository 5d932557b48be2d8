"""Rows of inputs in which every pair of kinds comes together, and the numbers in them."""

import itertools

import numpy as np
import pytest

from grader.judging import pairs
from grader.judging.pairs import ORDERS, VALUES, array_of, every_pair

KINDS = {"stride": [1, 2, 3], "padding": [0, 1], "shape": ["wide", "tall"], "bias": [False, True]}


def pairs_in(rows):
    return {
        frozenset([(a, row[a]), (b, row[b])])
        for row in rows
        for a, b in itertools.combinations(row, 2)
    }


def all_rows(kinds):
    return [dict(zip(kinds, row, strict=True)) for row in itertools.product(*kinds.values())]


def test_every_pair_stands_in_a_row():
    rows = every_pair(KINDS)
    assert pairs_in(rows) == pairs_in(all_rows(KINDS))
    assert len(rows) < len(all_rows(KINDS)) / 2


def test_pairs_that_are_impossible_are_left_out_and_no_others():
    def is_possible(row):
        return not (row["stride"] == 3 and row["bias"]) and row["shape"] != "tall"

    rows = every_pair(KINDS, [{"stride": 3, "bias": True}, {"shape": "tall"}])
    assert all(map(is_possible, rows))
    assert pairs_in(rows) == pairs_in(filter(is_possible, all_rows(KINDS)))


def test_the_same_kinds_give_the_same_rows():
    assert every_pair(KINDS) == every_pair(KINDS)


@pytest.mark.parametrize(
    ("kinds", "impossible"),
    [
        ({"one": [1, 2]}, []),
        ({"a": [1], "b": [2]}, [{"b": 2}]),
        ({str(n): range(10) for n in range(6)}, []),
    ],
)
def test_kinds_of_which_no_rows_can_be_made_are_an_error(kinds, impossible):
    with pytest.raises(ValueError, match="row"):
        every_pair(kinds, impossible)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "float32", "float64"])
def test_arrays_are_of_their_kind(values, dtype, order):
    rng = np.random.default_rng(0)
    if (values, dtype) == ("negative", "uint8"):
        with pytest.raises(ValueError, match="below 0"):
            array_of(rng, (5, 7), values, dtype, order)
        return
    made = array_of(rng, (5, 7), values, dtype, order)
    assert (made.shape, made.dtype) == ((5, 7), np.dtype(dtype))
    assert made.flags["C_CONTIGUOUS" if order == "rows" else "F_CONTIGUOUS"]
    size = np.abs(made.astype(float))
    zeros = size == 0
    assert zeros.any() == zeros[::2, ::2].any() == zeros[::3, ::3].any() == (values == "zeros")
    assert not zeros[::2, ::2].all()
    assert not zeros[::3, ::3].all()
    assert (made < 0).any() == (dtype != "uint8")
    assert (made > 0).any() == (values != "negative")
    if values == "large":
        ends = float(np.iinfo(dtype).max) if dtype.endswith("int8") else 2000 * 4 / 3
        assert size.min() >= ends * 3 / 4 - 1
    else:
        assert size.max() <= 9
    assert (size % 1 != 0).any() == dtype.startswith("float")


def test_there_are_no_other_kinds():
    for wrong in ({"values": "huge"}, {"order": "diagonal"}):
        with pytest.raises(ValueError, match="there are"):
            array_of(np.random.default_rng(0), (2, 2), **wrong)


def test_rows_are_chosen_once_and_given_to_whoever_asks_alike(monkeypatch):
    monkeypatch.setattr(pairs, "known", {})
    first = pairs.every_pair({"stride": [1, 2], "padding": [0, 1]}, [{"stride": 2, "padding": 1}])
    monkeypatch.setattr(pairs, "_rows", None)  # not to be called again
    again = pairs.every_pair({"size": "ab", "dtype": [3, 4]}, [{"dtype": 4, "size": "b"}])
    assert [[*row.values()] for row in first] == [[1, 0], [1, 1], [2, 0]]
    assert [[*row.values()] for row in again] == [["a", 3], ["a", 4], ["b", 3]]
