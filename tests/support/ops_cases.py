"""Shared by the tests of `helpers.ops`: random cases, and the comparison with torch."""

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st

repeatable = settings(derandomize=True, deadline=None, max_examples=120, database=None)

seeds = st.integers(0, 2**16)
layouts = st.sampled_from(["contiguous", "transposed", "strided", "reversed"])
float_dtypes = st.sampled_from([np.float32, np.float64])


def int_or_pair(low, high):
    """An int, or a pair whose two numbers may differ."""
    number = st.integers(low, high)
    return st.one_of(number, st.tuples(number, number), st.lists(number, min_size=2, max_size=2))


def spread(array, layout):
    """The same values in another memory layout."""
    if layout == "transposed":
        return array.T.copy().T
    if layout == "strided":
        wide = np.zeros((*array.shape[:-1], array.shape[-1] * 2), dtype=array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if layout == "reversed":
        return array[..., ::-1].copy()[..., ::-1]
    return array


def normal(seed, shape, dtype=np.float64, layout="contiguous"):
    """Random normal numbers; for an integer dtype, small whole ones."""
    values = np.random.default_rng(seed).normal(size=shape)
    values = np.round(3 * values) if np.issubdtype(dtype, np.integer) else values
    return spread(values.astype(dtype), layout)


def to_torch(array, requires_grad=False):
    return torch.tensor(np.array(array, order="C")).requires_grad_(requires_grad)


def outcome(function):
    """What a call gives: its result, or the exception."""
    try:
        return function()
    except (ValueError, TypeError, RuntimeError, NotImplementedError) as error:
        return error


def assert_equal_to_torch(ours, theirs):
    """Same shape, dtype and values, NaN and infinities included."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    tolerance = 2e-5 if ours.dtype == np.float32 else 1e-11
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def assert_same_outcome(ours, theirs):
    """Both results equal, or both calls refused: ours by `ValueError` or `TypeError`.

    Returns whether there was a result, so that a test can count how often it compared one.
    """
    ours, theirs = outcome(ours), outcome(theirs)
    if isinstance(theirs, Exception):
        kind = TypeError if isinstance(theirs, TypeError) else ValueError
        assert isinstance(ours, kind), f"torch says {theirs!r}; ours gave {ours!r}"
        return False
    assert not isinstance(ours, Exception), f"torch gives {tuple(theirs.shape)}; ours {ours!r}"
    assert_equal_to_torch(ours, theirs)
    return True


def numeric_gradient(function, array, grad_out, eps=1e-5):
    """Central differences of Σ function(array) · grad_out, one entry of `array` at a time."""
    gradient = np.empty_like(array)
    for index in np.ndindex(*array.shape):
        up, down = array.copy(), array.copy()
        up[index] += eps
        down[index] -= eps
        gradient[index] = ((function(up) - function(down)) * grad_out).sum() / (2 * eps)
    return gradient
