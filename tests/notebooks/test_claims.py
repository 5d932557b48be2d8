"""What lessons and pages say in words is so: conventions, defaults, rules, directions, facts.

Numbers and equations have tests of their own (`test_numbers`, `test_equations`). Here each claim,
of the folder `claims`, has a program that works out the words which must stand in the sentence: it
asks NumPy, PyTorch or the helpers, runs a definition of the lesson, or reads what a cell has saved.
If a claim fails, read the sentence that it names: it lies, or was reworded (then change the
pattern), or a library has changed.
"""

import importlib

import pytest

from tests.support.lessons import LESSONS, number_of

BY_PART = {
    name: importlib.import_module(f"tests.notebooks.claims.{name}").CLAIMS
    for name in ["pages", *(f"lesson_{number_of(path)}" for path in LESSONS)]
}


@pytest.fixture(params=[claim for claims in BY_PART.values() for claim in claims], ids=str)
def claim(request):
    return request.param


def test_the_sentence_says_what_is_so(claim):
    told = claim.told(claim.text())
    assert not told, told


def test_the_opposite_is_noticed(claim):
    """Each claim has words that lie; in the place of those that decide they are refused."""
    assert "it says" in claim.told(claim.turned(claim.text()))


def test_a_claim_belongs_to_the_part_that_it_stands_in():
    """Each lesson has some, and none stands in another lesson's file."""
    for name, claims in BY_PART.items():
        places = {claim.where.partition(" ")[0] for claim in claims}
        numbers = {f"lesson_{place}" for place in places}
        assert numbers == {name} or name == "pages", name
