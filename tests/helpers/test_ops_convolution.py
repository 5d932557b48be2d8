"""`conv2d` and its backward pass against torch, autograd, finite differences and hand numbers."""

import numpy as np
import pytest
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from helpers import ops
from helpers.ops import convolution
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
    to_torch,
)


@st.composite
def convolutions(draw, dtypes=float_dtypes, smallest=1):
    """(x, weight, bias, options). Some kernels do not fit; below 1 some numbers are impossible."""
    dtype, layout, seed = draw(dtypes), draw(layouts), draw(seeds)
    groups = draw(st.integers(1, 3))
    channels, filters = (groups * draw(st.integers(1, 3)) for _ in range(2))
    size, kernel_size = (
        draw(st.tuples(st.integers(1, high), st.integers(1, high))) for high in (9, 4)
    )
    # With an empty batch torch does not look at every number.
    batch = draw(st.sampled_from([(), (1,), (3,)] + [(0,)] * (smallest == 1)))
    x = normal(seed, (*batch, channels, *size), dtype, layout)
    weight = normal(seed + 1, (filters, channels // groups, *kernel_size), dtype, layout)
    bias = normal(seed + 2, (filters,), dtype, layout) if draw(st.booleans()) else None
    words = st.sampled_from(["same", "valid"])
    options = {
        "stride": draw(int_or_pair(smallest, 3)),
        "padding": draw(st.one_of(int_or_pair(smallest - 1, 3), int_or_pair(0, 1), words)),
        "dilation": draw(int_or_pair(smallest, 3)),
        "groups": groups,
    }
    return x, weight, bias, options


def torch_conv2d(x, weight, bias, options):
    return F.conv2d(
        to_torch(x), to_torch(weight), None if bias is None else to_torch(bias), **options
    )


def test_conv2d_equals_torch_and_refuses_what_torch_refuses():
    results = []

    @repeatable
    @given(convolutions())
    def check(case):
        x, weight, bias, options = case
        results.append(
            assert_same_outcome(
                lambda: ops.conv2d(x, weight, bias, **options), lambda: torch_conv2d(*case)
            )
        )

    check()
    assert min(results.count(True), results.count(False)) > 10


@repeatable
@given(convolutions(smallest=-1))
def test_conv2d_refuses_impossible_numbers_as_torch_does(case):
    x, weight, bias, options = case
    assert_same_outcome(lambda: ops.conv2d(x, weight, bias, **options), lambda: torch_conv2d(*case))


@repeatable
@given(convolutions(dtypes=st.sampled_from([np.int32, np.int64])))
def test_conv2d_of_integers_is_exact(case):
    x, weight, bias, options = case
    # torch has no dilated convolution of integers; in float64 these small ones are exact too.
    as_floats = [None if a is None else a.astype(float) for a in (x, weight, bias)]
    assert_same_outcome(
        lambda: ops.conv2d(x, weight, bias, **options),
        lambda: torch_conv2d(*as_floats, options).to(to_torch(x).dtype),
    )


@repeatable
@given(st.data())
def test_conv2d_refuses_shapes_that_do_not_belong_together(data):
    draw = data.draw
    shapes = [draw(st.tuples(*[st.integers(1, 4)] * 4)) for _ in range(2)]
    x, weight = normal(0, shapes[0]), normal(1, shapes[1])
    bias = normal(2, (draw(st.integers(1, 4)),)) if draw(st.booleans()) else None
    options = {"groups": draw(st.integers(-1, 4)), "padding": 2}
    assert_same_outcome(
        lambda: ops.conv2d(x, weight, bias, **options),
        lambda: torch_conv2d(x, weight, bias, options),
    )


@repeatable
@given(convolutions(), seeds)
def test_conv2d_backward_equals_autograd(case, seed):
    x, weight, _, options = case
    inputs = [to_torch(a, requires_grad=True) for a in (x, weight, np.zeros(len(weight), x.dtype))]
    out = outcome(lambda: F.conv2d(*inputs, **options))
    if isinstance(out, Exception):
        with pytest.raises(ValueError, match="="):
            ops.conv2d_backward(x, x, weight, **options)
        return
    grad_out = normal(seed, tuple(out.shape), x.dtype, "transposed")
    out.backward(to_torch(grad_out))
    for ours, tensor in zip(
        ops.conv2d_backward(grad_out, x, weight, **options), inputs, strict=True
    ):
        assert_equal_to_torch(ours, tensor.grad)
        assert ours.flags.c_contiguous


def test_conv2d_backward_equals_finite_differences():
    x, weight = normal(0, (2, 4, 6, 5)), normal(1, (6, 2, 3, 2))
    options = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}
    grad_out = normal(2, ops.conv2d(x, weight, **options).shape)
    grad_x, grad_weight, grad_bias = ops.conv2d_backward(grad_out, x, weight, **options)
    for gradient, array, function in [
        (grad_x, x, lambda a: ops.conv2d(a, weight, **options)),
        (grad_weight, weight, lambda a: ops.conv2d(x, a, **options)),
        (grad_bias, np.zeros(6), lambda a: ops.conv2d(x, weight, a, **options)),
    ]:
        np.testing.assert_allclose(
            gradient, numeric_gradient(function, array, grad_out), rtol=1e-7, atol=1e-7
        )


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # torch may need a copy for it
@pytest.mark.parametrize("kernel_size", [(2, 2), (4, 3), (3, 2), (1, 4)])
@pytest.mark.parametrize("dilation", [1, (1, 3), 2])
def test_same_padding_of_an_even_kernel_puts_more_at_the_end_as_torch_does(kernel_size, dilation):
    x, weight = normal(0, (2, 3, 6, 5)), normal(1, (4, 3, *kernel_size))
    inputs = to_torch(x, requires_grad=True), to_torch(weight, requires_grad=True)
    expected = F.conv2d(*inputs, padding="same", dilation=dilation)
    assert expected.shape[2:] == x.shape[2:]
    assert_equal_to_torch(ops.conv2d(x, weight, padding="same", dilation=dilation), expected)
    grad_out = normal(2, (2, 4, 6, 5))
    expected.backward(to_torch(grad_out))
    gradients = ops.conv2d_backward(grad_out, x, weight, padding="same", dilation=dilation)
    for ours, tensor in zip(gradients, inputs, strict=False):
        assert_equal_to_torch(ours, tensor.grad)


def rows(text):
    return np.array([[int(digit) for digit in row] for row in text.split()])


def test_conv2d_gives_the_three_channel_sum_worked_by_hand():
    x = np.stack(
        [
            rows("2301321 0222210 1211100 3220023 2000020 0002222 1323210"),
            rows("0200001 1222210 0211100 3220022 2030020 1002222 0101000"),
            rows("1020103 0222210 2211103 0220020 0000022 2002220 0020200"),
        ]
    )
    weight = np.stack([rows("101 010 101"), rows("100 000 000"), rows("000 010 000")])
    by_hand = [
        [8, 13, 9, 8, 7],
        [12, 10, 10, 9, 7],
        [8, 9, 3, 4, 6],
        [8, 6, 6, 6, 11],
        [7, 6, 11, 10, 6],
    ]
    for dtype in (np.int64, np.float32):
        out = ops.conv2d(x.astype(dtype), weight[np.newaxis].astype(dtype))
        assert out.tolist() == [by_hand]


def test_a_batch_cut_into_parts_gives_the_same_numbers(monkeypatch):
    x, weight, grad_out = normal(0, (7, 4, 6, 6)), normal(1, (6, 2, 3, 3)), normal(2, (7, 6, 6, 6))
    options = {"padding": 1, "groups": 2}
    whole = ops.conv2d(x, weight, **options), *ops.conv2d_backward(grad_out, x, weight, **options)
    three_images = 3 * 4 * 9 * 36 * 8
    for size in (1, three_images):
        monkeypatch.setattr(convolution, "COLUMN_BYTES", size)
        parts = (
            ops.conv2d(x, weight, **options),
            *ops.conv2d_backward(grad_out, x, weight, **options),
        )
        for expected, received in zip(whole, parts, strict=True):
            np.testing.assert_allclose(received, expected, rtol=1e-12, atol=1e-12)
