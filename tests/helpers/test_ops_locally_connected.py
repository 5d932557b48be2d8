"""`locally_connected2d` against a plain loop, and against `conv2d` when all filters are equal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import ops
from helpers.shapes import conv_output_size
from tests.support.ops_cases import (
    float_dtypes,
    int_or_pair,
    layouts,
    normal,
    outcome,
    repeatable,
    seeds,
    spread,
)


@st.composite
def cases(draw):
    """(x, weight of one shared filter bank, options, out_size); the kernel fits."""
    channels, filters, n = (draw(st.integers(1, 3)) for _ in range(3))
    size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    kernel_size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    options = {
        "stride": draw(int_or_pair(1, 3)),
        "padding": draw(int_or_pair(0, 2)),
        "dilation": draw(int_or_pair(1, 2)),
    }
    out_size = outcome(lambda: conv_output_size(size, kernel_size, **options))
    dtype, layout, seed = draw(float_dtypes), draw(layouts), draw(seeds)
    x = normal(seed, (n, channels, *size), dtype, layout)
    return x, normal(seed + 1, (filters, channels, *kernel_size), dtype), options, out_size


@repeatable
@given(cases())
def test_with_equal_filters_everywhere_it_is_conv2d(case):
    x, shared, options, out_size = case
    if isinstance(out_size, Exception):
        weight = shared[:, np.newaxis, np.newaxis]
        with pytest.raises(ValueError, match="kernel does not fit"):
            ops.locally_connected2d(x, weight, **options)
        return
    filters, *window = shared.shape
    weight = np.broadcast_to(shared[:, np.newaxis, np.newaxis], (filters, *out_size, *window))
    bias = normal(0, (filters,), x.dtype)
    bias_everywhere = np.broadcast_to(bias[:, np.newaxis, np.newaxis], (filters, *out_size))
    out = ops.locally_connected2d(x, weight, bias_everywhere, **options)
    expected = ops.conv2d(x, shared, bias, **options)
    assert out.dtype == x.dtype
    assert out.flags.c_contiguous
    np.testing.assert_allclose(out, expected, rtol=2e-5, atol=2e-5)


@repeatable
@given(cases(), layouts)
def test_it_equals_a_plain_loop(case, layout):
    x, shared, options, out_size = case
    if isinstance(out_size, Exception):
        return
    (filters, channels, *kernel_size), pair = shared.shape, lambda value: np.broadcast_to(value, 2)
    weight = spread(normal(3, (filters, *out_size, channels, *kernel_size), x.dtype), layout)
    bias = normal(4, (filters, *out_size), x.dtype)
    stride, padding, dilation = (pair(options[name]) for name in ("stride", "padding", "dilation"))
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    expected = np.empty((len(x), filters, *out_size))
    for n, k, i, j in np.ndindex(*expected.shape):
        top, left = i * stride[0], j * stride[1]
        bottom, right = (
            start + d * (size - 1) + 1
            for start, d, size in zip((top, left), dilation, kernel_size, strict=True)
        )
        window = padded[n, :, top : bottom : dilation[0], left : right : dilation[1]]
        expected[n, k, i, j] = (window * weight[k, i, j]).sum() + bias[k, i, j]
    out = ops.locally_connected2d(x, weight, bias, **options)
    np.testing.assert_allclose(out, expected, rtol=2e-5, atol=2e-5)


def test_strings_as_padding_mean_what_they_mean_in_conv2d():
    x, shared = normal(0, (2, 3, 5, 4)), normal(1, (2, 3, 2, 3))
    for padding, out_size in [("same", (5, 4)), ("valid", (4, 2))]:
        weight = np.broadcast_to(shared[:, np.newaxis, np.newaxis], (2, *out_size, 3, 2, 3))
        np.testing.assert_allclose(
            ops.locally_connected2d(x, weight, padding=padding),
            ops.conv2d(x, shared, padding=padding),
        )


def test_the_message_says_which_weight_shape_fits():
    x = normal(0, (1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"weight has shape .* = \(2, 6, 6, 3, 3, 3\)"):
        ops.locally_connected2d(x, normal(1, (2, 8, 8, 3, 3, 3)))
    with pytest.raises(ValueError, match=r"weight has shape \(2, 3, 3, 3\): it must have 6 axes"):
        ops.locally_connected2d(x, normal(1, (2, 3, 3, 3)))
    with pytest.raises(ValueError, match=r"bias has shape \(2,\): .* = \(2, 6, 6\)"):
        ops.locally_connected2d(x, normal(1, (2, 6, 6, 3, 3, 3)), normal(2, (2,)))
