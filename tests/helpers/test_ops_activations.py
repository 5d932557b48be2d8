"""ReLU and its relatives against torch."""

import numpy as np
import pytest
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from helpers import ops
from tests.support.ops_cases import (
    assert_equal_to_torch,
    float_dtypes,
    layouts,
    normal,
    numeric_gradient,
    repeatable,
    seeds,
    spread,
    to_torch,
)

shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)
values = [np.nan, -np.inf, np.inf, -2.0, -0.0, 0.0, 1.0, 1e30]
slopes = st.sampled_from([0.01, 0.0, 1.0, -2.0, 0.5, 3, np.float64(0.1), np.nan])


@st.composite
def inputs(draw):
    shape, dtype, seed = draw(shapes), draw(float_dtypes), draw(seeds)
    x = np.asarray(np.random.default_rng(seed).choice(values, size=shape), dtype=dtype)
    return spread(x, draw(layouts) if shape else "contiguous")


@repeatable
@given(inputs(), slopes, seeds)
def test_forward_and_backward_equal_torch(x, slope, seed):
    cases = [
        (ops.relu(x), F.relu, lambda g: ops.relu_backward(g, x)),
        (
            ops.leaky_relu(x, slope),
            lambda t: F.leaky_relu(t, float(slope)),
            lambda g: ops.leaky_relu_backward(g, x, slope),
        ),
        (ops.rrelu(x), F.rrelu, lambda g: ops.leaky_relu_backward(g, x, 11 / 48)),
    ]
    for out, torch_function, backward in cases:
        tensor = to_torch(x, requires_grad=True)
        expected = torch_function(tensor)
        assert_equal_to_torch(out, expected)
        grad_out = np.asarray(normal(seed, x.shape, x.dtype), order="F")
        expected.backward(to_torch(grad_out))
        grad_x = backward(grad_out)
        assert_equal_to_torch(grad_x, tensor.grad)
        assert out.flags.c_contiguous
        assert grad_x.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_relu_of_integers(dtype):
    out = ops.relu(np.array([-2, 0, 3], dtype=dtype))
    assert out.dtype == dtype
    assert out.tolist() == [0, 0, 3]


def test_backward_passes_equal_finite_differences():
    x, grad_out = normal(0, (3, 4)), normal(1, (3, 4))
    for forward, backward in [
        (ops.relu, ops.relu_backward),
        (lambda a: ops.leaky_relu(a, 0.2), lambda g, a: ops.leaky_relu_backward(g, a, 0.2)),
    ]:
        np.testing.assert_allclose(
            backward(grad_out, x), numeric_gradient(forward, x, grad_out), rtol=1e-6, atol=1e-8
        )


def test_rrelu_outside_training_uses_the_mean_slope():
    assert ops.rrelu(np.array([-48.0])).tolist() == [-11]
    assert ops.rrelu(np.array([-1.0]), lower=-1, upper=0.5).tolist() == [0.25]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rrelu_in_training_draws_a_slope_for_each_negative_value(dtype):
    x = np.concatenate([np.full(20_000, -1.0), np.full(10, 2.0), [0.0]]).astype(dtype)
    out = ops.rrelu(x, 0.2, 0.8, training=True, rng=np.random.default_rng(0))
    assert out.dtype == dtype
    np.testing.assert_array_equal(out[20_000:], x[20_000:])
    drawn = np.sort(-out[:20_000])
    assert drawn[0] >= 0.2
    assert drawn[-1] <= 0.8
    # Uniform: the sorted slopes lie near a straight line from 0.2 to 0.8.
    np.testing.assert_allclose(drawn, np.linspace(0.2, 0.8, 20_000), atol=0.01)


def test_rrelu_repeats_with_the_same_seed_only():
    x = -np.ones(50)

    def drawn(seed):
        rng = None if seed is None else np.random.default_rng(seed)
        return ops.rrelu(x, training=True, rng=rng).tolist()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert drawn(None) != drawn(None)
    assert ops.rrelu(x, 0.25, 0.25, training=True).tolist() == [-0.25] * 50
