"""Fingerprints: the same for the same numbers, different for different ones."""

import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.assignment import Sheet, fingerprint


@pytest.mark.parametrize(
    "same",
    [
        (np.array([1, 2]), [1, 2]),
        (np.array([1.0, 2.0], dtype=np.float32), np.array([1, 2])),
        (torch.tensor([1.5, 2.5]), np.array([1.5, 2.5])),
        (np.array([0.0]), np.array([-0.0])),
        (np.array([1 / 3]), np.array([1 / 3], dtype=np.float32)),
        (np.array([100.0, 1 / 3]), np.array([100.00001, 1 / 3])),
        (np.array([99.99999, 0.5]), np.array([100.00001, 0.5])),
        (3, 3.0),
        (True, True),
        (np.array([1e8 + 1e-3]), np.array([1e8])),
        (np.array([2.0000001, 1e4]), np.array([2, 10_000])),
        (torch.tensor([1.5], requires_grad=True), [1.5]),
        ([np.array([1]), "a"], (np.array([1]), "a")),
        ({1: 2}, {"1": 2}),
        # Four digits of the largest number count, and less than 0.00001 of it is a rounding error.
        (np.array([12.341, 0.5]), np.array([12.339, 0.5])),
        (np.array([12.34, 0.511]), np.array([12.34, 0.509])),
        (np.array([3.00002, 1]), np.array([3, 1])),
        (np.array([1e6 + 0.05]), np.array([1e6])),
        (np.array([99.999, 100.0004]), np.array([100, 100])),
        (np.array([np.nan, 1.00000001]), np.array([np.nan, 1])),
    ],
)
def test_same_numbers_have_the_same_fingerprint(same):
    assert fingerprint(same[0]) == fingerprint(same[1])


@pytest.mark.parametrize(
    "pair",
    [
        (np.array([1, 2]), np.array([2, 1])),
        (np.array([1, 2]), np.array([[1, 2]])),
        (np.array([1, 2]), np.array([1, 2.001])),
        (np.array([0.5123]), np.array([0.05123])),
        (np.array([0.25]), np.array([25])),
        (np.array([np.nan]), np.array([0.0])),
        (np.array([np.inf]), np.array([-np.inf])),
        (np.array([62378344]), np.array([62378345])),
        (None, 0),
        ("a", "b"),
        ((1, 2), ((1, 2),)),
        ({"a": 1}, {"b": 1}),
        (("a", "bc"), ("ab", "c")),
        (True, 1),
        ("1", 1),
        (b"a", "a"),
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
        ({"a": 1}, ("a", 1)),
        (len, max),
        (object(), Sheet()),
        (["a", ["b"]], ["a", "b"]),
        (np.array([0.1234]), np.array([0.1236])),
        (np.array([100.0, 0.5]), np.array([100.0, 0.6])),
        (np.array([12.34, 0.5]), np.array([12.36, 0.5])),
        (np.array([1.00005]), np.array([1])),
        (np.array([1e6 + 0.2]), np.array([1e6])),
        (np.array([1e-6]), np.array([0])),
        ((("a", "b"),), ("a", ("b",))),
        ((("a",), "b"), (("a", "b"),)),
    ],
)
def test_different_things_have_different_fingerprints(pair):
    assert fingerprint(pair[0]) != fingerprint(pair[1])


def test_a_fingerprint_is_16_hexadecimal_digits():
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(1, "a"))
    assert fingerprint(1, "a") != fingerprint("a", 1)


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20))
def test_whole_numbers_are_taken_exactly(values):
    exact = np.array(values)
    assert fingerprint(exact) == fingerprint(exact.astype(np.float64))
    changed = exact.copy()
    changed[0] += 1
    assert fingerprint(exact) != fingerprint(changed)


def test_sheet_survives_its_file_and_a_missing_or_damaged_one(tmp_path):
    sheet = Sheet(["A sentence."], {"b": 0, "a": 0}, {"t": {"points": 1, "digest": "x"}})
    (tmp_path / "checks.json").write_text(sheet.to_json(), encoding="utf-8")
    again = Sheet.beside(tmp_path)
    assert again.diagnose("a") == "A sentence."
    assert again.diagnose("c") is None
    assert again.to_json() == sheet.to_json()
    assert list(json.loads(again.to_json())) == ["sentences", "fingerprints", "tests", "tries"]
    assert list(json.loads(again.to_json())["fingerprints"]) == ["a", "b"]
    assert again.tests == sheet.tests
    with_tries = Sheet(tries={"try": "x"}, sentences=["é"])
    assert Sheet(**json.loads(with_tries.to_json())).tries == {"try": "x"}
    assert "é" in with_tries.to_json()
    assert Sheet.beside(tmp_path / "nowhere").sentences == []
    for damaged in ("{", "[]", '{"more": 1}', '{"sentences": 1}'):
        (tmp_path / "checks.json").write_text(damaged, encoding="utf-8")
        assert Sheet.beside(tmp_path).sentences == []
