"""Local response normalisation against torch and against the paper's formula."""

import numpy as np
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from helpers import ops
from tests.support.ops_cases import (
    assert_same_outcome,
    float_dtypes,
    layouts,
    normal,
    repeatable,
    seeds,
    to_torch,
)

numbers = st.sampled_from([1e-4, 0.75, 1, 2.0, 0, 5, -0.5, np.float64(0.3)])


@repeatable
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=5),
    st.integers(-1, 12),
    st.tuples(numbers, numbers, numbers),
    st.tuples(seeds, float_dtypes, layouts),
)
def test_it_equals_torch(shape, size, coefficients, how):
    # torch returns an empty input as it is, before it looks at the other arguments.
    size = max(1, size) if 0 in shape and len(shape) >= 3 else size
    x = normal(how[0], shape, how[1], how[2])
    plain = [float(value) for value in coefficients]
    assert_same_outcome(
        lambda: ops.local_response_norm(x, size, *coefficients),
        lambda: F.local_response_norm(to_torch(x), size, *plain),
    )


def test_defaults_are_those_of_torch():
    x = 10 * normal(0, (2, 7, 3, 3))
    assert assert_same_outcome(
        lambda: ops.local_response_norm(x, 5), lambda: F.local_response_norm(to_torch(x), 5)
    )


def test_nan_and_infinity_spread_as_in_torch():
    x = normal(0, (1, 6, 2, 2))
    x[0, 1, 0, 0], x[0, 4, 1, 1], x[0, 0, 0, 1] = np.nan, np.inf, 1e200
    assert assert_same_outcome(
        lambda: ops.local_response_norm(x, 3), lambda: F.local_response_norm(to_torch(x), 3)
    )


def test_the_formula_of_the_paper_needs_alpha_times_size():
    x, n, alpha, beta, k = 30 * normal(0, (2, 8, 3, 3)), 5, 1e-4, 0.75, 2
    expected = np.empty_like(x)
    for i in range(8):
        neighbours = x[:, max(0, i - n // 2) : min(8 - 1, i + n // 2) + 1]
        expected[:, i] = x[:, i] / (k + alpha * (neighbours**2).sum(axis=1)) ** beta
    np.testing.assert_allclose(
        ops.local_response_norm(x, n, alpha=n * alpha, beta=beta, k=k), expected, rtol=1e-12
    )
    assert abs(ops.local_response_norm(x, n, alpha, beta, k) - expected).max() > 0.1
