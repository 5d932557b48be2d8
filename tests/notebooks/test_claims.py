"""What lessons and pages say in words is so: conventions, defaults, rules, directions, facts.

Numbers and equations have tests of their own (`test_numbers`, `test_equations`). Here each claim
has a program that works out the words which must stand in the sentence: the program asks NumPy,
PyTorch or the helpers, runs a definition of the lesson, or reads what a cell of it has saved. If a
claim fails, read the sentence that it names: it lies, it was reworded (then change the pattern), or
a library has changed.
"""

import importlib

import pytest

NAMES = [
    f"lesson_{number}"
    for number in ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "A")
]
CLAIMS = [
    claim
    for name in NAMES
    for claim in importlib.import_module(f"tests.notebooks.claims.{name}").CLAIMS
]


@pytest.fixture(params=CLAIMS, ids=lambda claim: f"{claim.where}-{claim.wrong}")
def claim(request):
    return request.param


def test_the_sentence_says_what_is_so(claim):
    told = claim.told(claim.text())
    assert not told, told


def test_the_opposite_is_noticed(claim):
    turned = claim.turned(claim.text())
    assert "it says" in claim.told(turned)
