"""What is said of two arrays that should be equal: true, and nothing where there is nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.checks import as_numpy, difference

RNG = np.random.default_rng(5)
X = RNG.integers(-90, 90, (4, 5))
IMAGE = RNG.integers(1, 90, (5, 5))
MAPS = RNG.integers(1, 90, (3, 4, 6))
BATCH = RNG.integers(1, 90, (2, 3, 4, 5))
FRACTIONS = X / 7
LARGE = RNG.integers(0, 900, (4, 5))
BIASES = np.array([1, 20, 300]).reshape(3, 1, 1)
CUBE = RNG.integers(1, 90, (3, 3, 3))
LONG = RNG.integers(1, 90, (9, 9))


def said(received, wanted):
    found = difference(as_numpy(received), as_numpy(wanted))
    return None if found is None else found.hint


def changed(array, *places, by=7):
    array = array.copy()
    for place in places:
        array[place] += by
    return array


@pytest.mark.parametrize(
    ("received", "wanted", "words"),
    [
        # in another order
        (IMAGE.T, IMAGE, "transposed: rows and columns are swapped"),
        (X.T, X, "transposed: rows and columns are swapped"),
        (MAPS.transpose(0, 2, 1), MAPS, "with its axes in the order (0, 2, 1)"),
        (BATCH.transpose(1, 0, 2, 3), BATCH, "with its axes in the order (1, 0, 2, 3)"),
        (X[::-1, ::-1], X, "turned by 180°"),
        (MAPS[..., ::-1], MAPS, "with left and right exchanged"),
        (X[::-1], X, "with top and bottom exchanged"),
        (np.rot90(IMAGE), IMAGE, "turned by 90°"),
        (np.rot90(IMAGE, 3), IMAGE, "turned by 90°"),
        (MAPS[::-1], MAPS, "in the opposite order along axis 0"),
        ([3, 2, 1], [1, 2, 3], "in the opposite order"),
        (IMAGE[::-1, ::-1].T, IMAGE, "transposed, along the other diagonal"),
        (CUBE.transpose(1, 0, 2), CUBE, "with axis 0 and axis 1 swapped"),
        (CUBE.transpose(2, 1, 0), CUBE, "with axis 0 and axis 2 swapped"),
        (MAPS[:, ::-1], MAPS, "with top and bottom exchanged"),
        (RNG.permutation(X.ravel()).reshape(4, 5), X, "stand at other places"),
        # moved
        (np.pad(X, ((1, 0), (0, 0)))[:4], X, "moved down by 1 row"),
        (np.pad(X, ((0, 0), (0, 2)))[:, 2:], X, "moved left by 2 columns"),
        (np.pad(X, ((0, 1), (1, 0)))[1:, :5], X, "moved up by 1 row and right by 1 column"),
        (
            np.pad(LONG, ((2, 0), (0, 1)))[:9, 1:],
            LONG,
            "moved down by 2 rows and left by 1 column",
        ),
        (
            np.pad(LONG, ((0, 2), (2, 0)))[2:, :9],
            LONG,
            "moved up by 2 rows and right by 2 columns",
        ),
        # as far as a type holds them
        (np.rint(FRACTIONS), FRACTIONS, "rounded to whole numbers"),
        (FRACTIONS.astype(int), FRACTIONS, "without what stands after the point"),
        (np.floor(FRACTIONS), FRACTIONS, "rounded down to whole numbers"),
        (FRACTIONS.round(2), FRACTIONS, "rounded to 2 decimals"),
        (LARGE.astype("uint8"), LARGE, "in the type uint8, which holds 0 to 255"),
        (32, 800, "in the type uint8, which holds 0 to 255"),
        (LARGE.astype("uint8") * 1.0, LARGE, "in the type uint8, which holds 0 to 255"),
        ((300 * LARGE).astype("int16"), 300 * LARGE, "in the type int16, which holds -32768"),
        (np.maximum(X, 0), X, "with 0 in place of all below 0"),
        (abs(X), X, "without their signs"),
        (np.clip(LARGE, 0, 255), LARGE, "cut off at 255"),
        (np.clip(LARGE - 300, 0, 255), LARGE - 300, "cut off at 0 and 255"),
        (FRACTIONS.astype("float16").astype(float), FRACTIONS, "to about 3 digits, as in float16"),
        (changed(LARGE, (0, 0)).astype("uint8"), LARGE, "type uint8, which holds 0 to 255 only"),
        (
            changed(FRACTIONS, (0, 0)).astype(int),
            FRACTIONS,
            "int64, which holds whole numbers only",
        ),
        # by how much
        (-X, X, "the sign is the wrong way round"),
        (X + 3, X, "every value is off by 3"),
        (X / 4, X, "every value is 0.25 times the expected one"),
        (MAPS + BIASES, MAPS, "along axis 0 the values are off by one number each: 1, 20, 300"),
        (IMAGE.T + 3, IMAGE, "rows and columns are swapped; then every value is off by 3"),
        (X[::-1, ::-1] * 2, X, "turned by 180°; then every value is 2 times the expected one"),
        (np.cumsum(X).reshape(4, 5), X, "the sum of all expected ones up to its place"),
        # where
        (np.zeros((4, 5)), X, "every value is the same, 0"),
        (np.full((4, 5), np.inf), X, "every value is the same, inf"),
        (
            np.pad(BATCH[..., 1:-1, 1:-1], ((0, 0), (0, 0), (1, 1), (1, 1))),
            BATCH,
            "only the border",
        ),
        (np.where(np.eye(5) > 0, 0, IMAGE), IMAGE, "5 of 25 values are 0, and the others"),
        (np.where(X < 0, -100, X), X, "values are -100, and the others are right"),
        (np.stack([MAPS[1]] * 3), MAPS, "along axis 0 it is the same at all 3 places"),
        (
            MAPS * [[[1]], [[2]], [[3]]] + MAPS % 5 * [[[0]], [[1]], [[1]]],
            MAPS,
            "only number 0 is r",
        ),
        (
            changed(MAPS, 1) + MAPS % 5 * [[[0]], [[1]], [[0]]],
            MAPS,
            "axis 0 only number 1 is wrong",
        ),
        # another shape
        (np.pad(X, 2), X, "the expected result stands in it, from [2, 2] on"),
        (X[1:, :4], X, "it is a part of the expected result, from [1, 0] on"),
        (X[:3, :4], X, "it is a part of the expected result, from [0, 0] on"),
        (BATCH, BATCH[..., ::2, ::2], "every second row and column of it is the expected result"),
        (X[:1, :1], X[:1, :2], "it is a part of the expected result, from [0, 0] on"),
        (MAPS[..., ::3, ::3], MAPS, "it is every third row and column of the expected result"),
        (np.pad(X, ((0, 1), (0, 0)))[:, :3], X, "as far as both go, from the upper left on"),
        (MAPS, MAPS.sum(axis=0), "added up along axis 0, it is the expected result"),
        (MAPS.sum(axis=1), MAPS, "it is the expected result, added up along axis 1"),
        (X.sum(axis=0)[None], X, "it is the expected result, added up along axis 0"),
        (X[None], X, "an axis of length 1 is too many; the numbers are right"),
        (X + 1, X[None], "an axis of length 1 is missing; the numbers are not all right"),
        (X, X[None], "an axis of length 1 is missing; the numbers are right"),
        (X[None] + 1, X, "an axis of length 1 is too many; the numbers are not all right"),
        (X.ravel(), X, "the numbers are right, and in the right order"),
        (X.ravel() + 1, X, "the number of values is right: the axes are in another order, or fl"),
        (np.arange(7.0), X, "1 axis instead of 2"),
        (MAPS, X, "3 axes instead of 2"),
        (5, X, "0 axes instead of 2"),
        (MAPS[:2], MAPS, "axis 0 has the length 2 instead of 3"),
        (RNG.random((5, 4)), X, "rows and columns of the shape are swapped"),
    ],
)
def test_a_relation_is_found_and_said(received, wanted, words):
    assert words in (said(received, wanted) or "")


@pytest.mark.parametrize(
    ("received", "wanted"),
    [
        (changed(X, (1, 2)), X),
        (changed(X, (0, 0), (2, 1), (3, 4)), X),
        (RNG.integers(-90, 90, (4, 5)), X),
        (RNG.random((3, 4, 6)), MAPS),
        (np.ones((2, 3)), X),
        (np.vstack([X[3:], RNG.integers(200, 300, (3, 5))]), X),  # one row of four tells nothing
        (np.ones((3, 5)), X),
        (5, 6),
        ([3, 3], [40, 40]),  # one fact, twice
        (0, 0.75),  # the whole part, and so much else
        ([True, False], [False, True]),
        ([[1]], [[3]]),  # cut off at 1, or anything else
        (np.vstack([X[2:], X[:2] + 900]), X),  # half of it stands two rows higher
        (np.clip(3 * X, 0, 1), 3 * X),  # ends alone, which can come from anywhere
        (np.array([[1], [2], [4], [5]]) * np.full((4, 2), 1e-16), np.zeros((4, 2))),
    ],
)
def test_where_there_is_no_relation_nothing_is_said(received, wanted):
    assert said(received, wanted) is None


def test_a_narrow_type_of_fractions_is_named():
    found = difference(FRACTIONS.astype("float16"), FRACTIONS, rtol=1e-5)
    assert "to about 3 digits: the type float16 holds no more" in found.hint
    assert difference(1.1 * FRACTIONS.astype("float16"), FRACTIONS, rtol=1e-5).hint != found.hint


@pytest.mark.parametrize(
    ("received", "wanted", "others", "words"),
    [
        (4.0, 3.5, 2.0, "rounded to whole numbers"),
        (4.0, 3.5, 1.5, None),
        (0.0, -3.0, 2.0, "with 0 in place of all below 0"),
        (0.0, -3.0, -2.0, None),
        (1.0, 3.0, 0.0, None),
        (255.0, 800.0, 3.0, "cut off at 255"),
        (255.0, 800.0, 300.0, None),
        (32.0, 800.0, 7.0, "what is left of what is expected in the type uint8"),
        (32.0, 800.0, 300.0, None),
    ],
)
def test_what_is_said_of_one_number_holds_for_the_result(received, wanted, others, words):
    result = np.array([received, others])
    found = difference(result[0], np.array(wanted), picked_from=result)
    assert found.hint is None if words is None else words in found.hint


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([(3, 3), (2, 3, 3), (4, 4), (2, 2, 3, 4)]))
def test_unrelated_results_are_not_related(seed, shape):
    rng = np.random.default_rng(seed)
    received, wanted = rng.standard_normal((2, *shape))
    assert said(received, wanted) is None


def test_a_large_result_is_compared_by_what_is_cheap():
    wanted = RNG.random((40, 100, 60))
    assert said(wanted * 2, wanted) == "every value is 2 times the expected one"
    assert said(wanted[..., ::-1], wanted) is None
    assert said(wanted[..., :30], wanted) is None


def test_nothing_is_called_off_by_one():
    for shape in ((3, 5), (5, 5), (3, 4), (5, 6)):
        assert "off by one:" not in str(said(np.ones(shape), X))
