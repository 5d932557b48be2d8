"""What a known mistake's sentence says of the numbers is what they show, and not the opposite.

Only some words can be measured: "too small", "rounded up", "its first row is still 0". A sentence
that begins with them ("Your sizes are one too small: …") is held to them.
"""

import contextlib
import functools
import re

import numpy as np
import pytest

from grader.authoring.bank import load_bank
from grader.authoring.examine import Workbench
from helpers.assignment import Checker
from helpers.checks import as_numpy
from tests.support.assignment_files import NAMES

# Sentences whose words are of something else than the numbers that come back.
OF_OTHER_THINGS = {
    "raises_an_error",  # nothing comes back
    "padding_outside_the_division",  # in im2col nothing comes back
    "relu_afterwards",  # of the slopes
    "window_too_large",  # of the windows
    "not_divided_by_the_step",  # of the gradients, and not of their error
    "one_too_far",  # of the way that an image is moved
    "one_too_many_aside",  # of how many images there are
    "one_too_few_aside",
    # Twice or half of something else:
    "kernel_doubled",  # the kernel's size
    "twice_on_each_side",  # how many zeros there are
    "padding_twice",  # the border
    "half_width_afterwards",  # the width of a range
    "differences_of_neighbours",  # the half of a difference
    "float64_result",  # memory
    "divided_by_one_step",  # the gradients, and not their error
    "second_loss_at_x",
    "side_by_side",  # how many channels there are
}
OPPOSITES = [("twice", "half"), ("small", "large"), ("few", "many")]
OPPOSITES += [("rounded down", "rounded up")]


def size(numbers):
    """How many axes and numbers there are, and then how large they are together."""
    return numbers.ndim, numbers.size, np.abs(numbers.astype(float)).sum()


def is_smaller(got, right):
    return size(got)[:2] <= size(right)[:2] and size(got) < size(right)


def is_larger(got, right):
    return is_smaller(right, got)


def differ_by(rows):
    """Are there so many more rows and columns than in the right result?"""
    return lambda got, right: (np.subtract(got.shape, right.shape)[-2:] == rows).all()


def are_times(factor):
    """Are some of the numbers so many times as large as they should be?"""
    return lambda got, right: (np.isclose(got, factor * right) & (right != 0)).any()


def are_whole(numbers):
    return (numbers == np.round(numbers)).all()


def is_empty(place):
    """Are the numbers there 0, which should be others?"""
    return lambda got, right: not got[place].any() and right[place].any()


# {words: what they say of the numbers that came back and of the right ones}
CLAIMS = {
    r"too (?:few|small)\b|\blacks\b|rounded down": is_smaller,
    r"too (?:many|large)\b|rounded up": is_larger,
    r"one row and one column too few": differ_by(-1),
    r"one row and one column too many": differ_by(1),
    r"one (?:pixel )?too small": lambda got, right: (got == right - 1).any(),
    r"one (?:pixel )?too large": lambda got, right: (got == right + 1).any(),
    r"first row and .* 0\b": is_empty((..., 0, slice(None))),
    r"last row and .* 0\b": is_empty((..., -1, slice(None))),
    r"no numbers below 0": lambda got, right: got.min() >= 0 > right.min(),
    r"negative numbers .* 0\b": lambda got, right: got.min() >= 0 > right.min(),
    r"below zero when": lambda got, right: got.min() < 0 <= right.min(),
    r"whole numbers (?:only|where fractions)|lost its fractions|been rounded": (
        lambda got, right: are_whole(got) and not are_whole(right)
    ),
    r"twice (?:the|as|what)\b": are_times(2),
    r"half (?:the|as|of what)\b": are_times(1 / 2),
    r"is transposed": lambda got, right: np.allclose(got, right.swapaxes(-1, -2)),
}


def claims(sentence):
    """What the beginning of a sentence says of the numbers."""
    return [holds for words, holds in CLAIMS.items() if re.search(words, statement(sentence))]


def statement(sentence):
    """What comes before the explanation."""
    return re.split(r"[.;:](?=\s|$)", " ".join(sentence.split()))[0]


MEASURED = [
    (name, variant)
    for name in NAMES
    for variant in load_bank(name)
    if variant.is_mistake and claims(variant.sentence) and variant.name not in OF_OTHER_THINGS
]


@functools.cache
def workbench(name):
    return Workbench(name)


def results(name, variant, monkeypatch):
    """Pairs of what the mistake and the solution give, in the tests that the mistake fails."""
    bench, pairs, observe = workbench(name), [], Checker._observe
    right = bench.space[variant.exercise]

    def beside(self, function, *rest):
        got = observe(self, function, *rest)
        if isinstance(function, functools.partial):  # a probe of the function
            wanted = observe(self, functools.partial(function.func, right), *rest)
        else:
            wanted = observe(self, right, *rest)
        for one, other in zip(parts(got.value), parts(wanted.value), strict=False):
            pairs.append((one, other))
        return got

    with monkeypatch.context() as patched:
        patched.setattr(Checker, "_observe", beside)
        for cell in bench.tests:
            if cell.grade_id in variant.fails:
                bench.run_test(cell, {variant.exercise: variant.thing})
    return pairs


def parts(value):
    """The arrays of a result."""
    for one in value if isinstance(value, tuple | list) else [value]:
        with contextlib.suppress(AssertionError):
            yield as_numpy(one)


def is_shown(sentence, pairs):
    return all(any(holds_for(claim, *pair) for pair in pairs) for claim in claims(sentence))


def holds_for(claim, got, right):
    with contextlib.suppress(ValueError, IndexError):  # of other shapes, or too small
        return bool(claim(got, right))
    return False


def turned_round(sentence):
    """The sentence with small for large, or with another word and its opposite."""
    for pair in OPPOSITES:
        for old, new in (pair, pair[::-1]):
            if re.search(rf"\b{old}\b", sentence):
                return re.sub(rf"\b{old}\b", new, sentence)
    return None


def label(pair):
    return f"{pair[0][:2]}-{pair[1].exercise}-{pair[1].name}"


@pytest.mark.parametrize("pair", MEASURED, ids=label)
def test_the_numbers_show_what_the_sentence_says(pair, monkeypatch):
    name, variant = pair
    pairs = results(name, variant, monkeypatch)
    assert is_shown(variant.sentence, pairs), variant.sentence
    # And not the opposite, or this test could not fail.
    opposite = turned_round(statement(variant.sentence))
    assert opposite is None or not claims(opposite) or not is_shown(opposite, pairs), opposite


def test_many_sentences_are_measured():
    assert len(MEASURED) > 40


# A mistake is called by what it does: `last_channel_only`. A sentence may say it in other words.
IN_NAMES = [
    ("first", "last"),
    ("largest", "smallest"),
    ("lowest", "highest"),
    ("left", "right"),
    ("top", "bottom"),
    ("row", "column"),
    ("height", "width"),
    ("early", "late"),
    ("few", "many"),
    ("fewer", "more"),
    ("positive", "negative"),
    ("input", "output"),
    ("ceil", "floor"),
    ("filter", "channel"),
    ("image", "map"),
    ("kernel", "image"),
    ("depthwise", "pointwise"),
    ("max", "min"),
]
# Words of a name that are meant otherwise, or that the sentence has from what is right.
OTHERWISE = {"weight_left_turned", "highest_loss"}


def has(words, word):
    return not {word, f"{word}s", f"{word}es"}.isdisjoint(words)


def other_than_its_name(name, sentence, pairs=tuple(IN_NAMES)):
    """Words of a mistake's name of which the sentence has only the opposite."""
    called, told = (set(re.findall("[a-z]+", text.lower())) for text in (name, sentence))
    for pair in pairs:
        for word, opposite in (pair, pair[::-1]):
            in_name = has(called, word), has(called, opposite)
            if in_name == (True, False) and (has(told, word), has(told, opposite)) == (False, True):
                yield f"{opposite} instead of {word}"


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_does_not_say_the_opposite_of_its_mistakes_name(name):
    told = [one for one in load_bank(name) if one.is_mistake and one.name not in OTHERWISE]
    found = {
        f"{one.exercise}, {one.name}": wrong
        for one in told
        if (wrong := list(other_than_its_name(one.name, one.sentence)))
    }
    assert found == {}, "say what the mistake does, or call it by that"


@pytest.mark.parametrize(
    ("name", "sentence", "is_wrong"),
    [
        ("last_channel_only", "Your output is the map of the last channel alone.", False),
        ("last_channel_only", "Your output is the map of the first channel alone.", True),
        ("last_channel_only", "The first channels do not count, only the last one.", False),
        ("last_channel_only", "Each channel takes the place of the one before.", False),
        ("rows_left_out", "Some columns are not in it.", True),
    ],
)
def test_a_sentence_that_says_the_opposite_is_noticed(name, sentence, is_wrong):
    assert bool(list(other_than_its_name(name, sentence))) == is_wrong
