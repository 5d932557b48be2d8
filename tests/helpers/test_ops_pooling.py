"""Max and average pooling and their backward passes against torch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from helpers import ops
from tests.support.ops_cases import (
    assert_equal_to_torch,
    assert_same_outcome,
    float_dtypes,
    int_or_pair,
    layouts,
    normal,
    numeric_gradient,
    outcome,
    repeatable,
    seeds,
    spread,
    to_torch,
)

INF, NAN = np.inf, np.nan
DIFFICULT = [-INF, NAN, -1.0, 0.0, 1.0, 1.0, INF]


@st.composite
def poolings(draw, smallest=1, values=None):
    """(x, options for both kinds of pooling); with `values`, x holds only those."""
    batch = draw(st.sampled_from([(), (0,), (1,), (3,)]))
    shape = *batch, draw(st.integers(1, 3)), draw(st.integers(1, 9)), draw(st.integers(1, 9))
    seed, dtype, layout = draw(seeds), draw(float_dtypes), draw(layouts)
    x = normal(seed, shape, dtype)
    if values is not None:
        x = np.random.default_rng(seed).choice(values, size=shape).astype(dtype)
    options = {
        "kernel_size": draw(int_or_pair(smallest, 5)),
        "stride": draw(st.one_of(st.none(), int_or_pair(smallest, 4))),
        "padding": draw(st.one_of(st.just(0), int_or_pair(smallest - 1, 2))),
        "ceil_mode": draw(st.booleans()),
    }
    return spread(x, layout), options


max_options = st.fixed_dictionaries({"dilation": int_or_pair(1, 3)})
avg_options = st.fixed_dictionaries(
    {
        "count_include_pad": st.booleans(),
        "divisor_override": st.sampled_from([None, None, None, 1, 5, -2, 0]),
    }
)


@pytest.mark.parametrize(
    ("ours", "theirs", "more_options"),
    [
        (ops.max_pool2d, F.max_pool2d, max_options),
        (ops.avg_pool2d, F.avg_pool2d, avg_options),
    ],
    ids=["max_pool2d", "avg_pool2d"],
)
@pytest.mark.parametrize("smallest", [1, -1])
def test_pooling_equals_torch_and_refuses_what_torch_refuses(ours, theirs, more_options, smallest):
    results = []

    @repeatable
    @given(poolings(smallest), more_options)
    def check(case, more):
        x, options = case
        results.append(
            assert_same_outcome(
                lambda: ours(x, **options, **more), lambda: theirs(to_torch(x), **options, **more)
            )
        )

    check()
    assert results.count(False) > 10
    assert results.count(True) > (30 if smallest == 1 else 1)


@repeatable
@given(poolings(values=DIFFICULT), max_options)
def test_max_pool2d_treats_nan_and_infinity_as_torch_does(case, more):
    x, options = case
    assert_same_outcome(
        lambda: ops.max_pool2d(x, **options, **more),
        lambda: F.max_pool2d(to_torch(x), **options, **more),
    )


@repeatable
@given(poolings(values=DIFFICULT), avg_options)
def test_avg_pool2d_treats_nan_and_infinity_as_torch_does(case, more):
    x, options = case
    assert_same_outcome(
        lambda: ops.avg_pool2d(x, **options, **more),
        lambda: F.avg_pool2d(to_torch(x), **options, **more),
    )


def check_backward(forward, backward, torch_forward, x, options, seed):
    """Our backward pass against autograd, where torch has a result."""
    tensor = to_torch(x, requires_grad=True)
    out = outcome(lambda: torch_forward(tensor, **options))
    if isinstance(out, Exception):
        with pytest.raises(ValueError, match="="):
            backward(x, x, **options)
        return
    grad_out = normal(seed, tuple(out.shape), x.dtype, "transposed")
    out.backward(to_torch(grad_out))
    grad_x = backward(grad_out, x, **options)
    assert_equal_to_torch(grad_x, tensor.grad)
    assert grad_x.flags.c_contiguous


@repeatable
@given(poolings(), max_options, seeds)
def test_max_pool2d_backward_equals_autograd(case, more, seed):
    x, options = case
    # A window without a real value makes torch's own backward pass write at a wrong place.
    out = outcome(lambda: ops.max_pool2d(x, **options, **more))
    assume(isinstance(out, Exception) or np.isfinite(out).all())
    check_backward(
        ops.max_pool2d, ops.max_pool2d_backward, F.max_pool2d, x, {**options, **more}, seed
    )


@pytest.mark.parametrize(
    "values", [[0.0, 1.0], DIFFICULT, [-INF, -1.0], [-INF]], ids=["ties", "all", "few", "-inf"]
)
def test_max_pool2d_backward_gives_ties_and_nan_to_the_value_that_torch_chooses(values):
    @repeatable
    @given(poolings(values=values), seeds)
    def check(case, seed):
        x, options = case
        check_backward(ops.max_pool2d, ops.max_pool2d_backward, F.max_pool2d, x, options, seed)

    check()


@repeatable
@given(poolings(), avg_options, seeds)
def test_avg_pool2d_backward_equals_autograd(case, more, seed):
    x, options = case
    check_backward(
        ops.avg_pool2d, ops.avg_pool2d_backward, F.avg_pool2d, x, {**options, **more}, seed
    )


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_backward_passes_equal_finite_differences(ceil_mode):
    # Whole numbers in any order: no ties, and no two values close enough to swap places.
    x = np.random.default_rng(0).permutation(2 * 3 * 6 * 7).reshape(2, 3, 6, 7).astype(float)
    options = {"kernel_size": (3, 2), "stride": 2, "padding": 1, "ceil_mode": ceil_mode}
    for forward, backward, more in [
        (ops.max_pool2d, ops.max_pool2d_backward, {"dilation": (1, 2)}),
        (ops.avg_pool2d, ops.avg_pool2d_backward, {"count_include_pad": False}),
    ]:

        def pool(a, forward=forward, more=more):
            return forward(a, **options, **more)

        grad_out = normal(1, pool(x).shape)
        np.testing.assert_allclose(
            backward(grad_out, x, **options, **more),
            numeric_gradient(pool, x, grad_out, eps=1e-3),
            rtol=1e-7,
            atol=1e-7,
        )


def test_a_window_in_the_padding_alone_gives_minus_infinity_and_no_gradient():
    x, options = np.ones((1, 2, 2)), {"kernel_size": 2, "padding": 1, "dilation": 3}
    out = ops.max_pool2d(x, **options)
    assert out.tolist() == [[[-INF]]]
    assert out.tolist() == F.max_pool2d(to_torch(x), **options).tolist()
    assert not ops.max_pool2d_backward(np.ones_like(out), x, **options).any()


def test_max_pool2d_of_negative_numbers_is_not_lifted_to_zero_by_padding():
    x = np.full((1, 2, 2), -3.0)
    assert ops.max_pool2d(x, 2, padding=1).tolist() == [[[-3, -3], [-3, -3]]]
    assert ops.max_pool2d(x.astype(np.int64), 2, padding=1).tolist() == [[[-3, -3], [-3, -3]]]


@repeatable
@given(poolings(), max_options, st.sampled_from([np.int32, np.int64]))
def test_max_pool2d_of_integers_equals_torch(case, more, dtype):
    x, options = case
    x = np.round(3 * x).astype(dtype)
    assert_same_outcome(
        lambda: ops.max_pool2d(x, **options, **more),
        lambda: F.max_pool2d(to_torch(x), **options, **more),
    )


def test_ceil_mode_by_hand():
    x = np.arange(1.0, 6).reshape(1, 1, 5)
    options = {"kernel_size": (1, 2), "padding": (0, 1), "ceil_mode": True}
    # Windows (−, 1), (2, 3), (4, 5); a fourth would start in the padding on the right.
    assert ops.max_pool2d(x, **options).tolist() == [[[1, 3, 5]]]
    x = np.arange(1.0, 5).reshape(1, 1, 4)
    options = {"kernel_size": (1, 3), "stride": (1, 2), "padding": (0, 1), "ceil_mode": True}
    # Windows (0, 1, 2), (2, 3, 4), (4, 0): the last hangs over the padding and counts two places.
    assert ops.avg_pool2d(x, **options).tolist() == [[[1, 3, 2]]]
    assert ops.avg_pool2d(x, **options, count_include_pad=False).tolist() == [[[1.5, 3, 4]]]


def test_sum_pooling_is_a_divisor_of_one():
    x = np.arange(16.0).reshape(1, 4, 4)
    assert ops.avg_pool2d(x, 2, divisor_override=1).tolist() == [[[10, 18], [42, 50]]]


def test_the_example_of_the_lesson():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    assert ops.max_pool2d(x, 3, stride=2, padding=1).tolist() == [[[[5, 7], [13, 15]]]]
    assert_equal_to_torch(ops.max_pool2d(x, 3, 2, 1), F.max_pool2d(torch.tensor(x), 3, 2, 1))
