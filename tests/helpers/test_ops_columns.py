"""`im2col` and `col2im` against torch's unfold and fold."""

import numpy as np
import pytest
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from helpers import ops
from helpers.ops.columns import window_view
from tests.support.ops_cases import (
    assert_same_outcome,
    float_dtypes,
    int_or_pair,
    layouts,
    normal,
    outcome,
    repeatable,
    seeds,
    to_torch,
)


@st.composite
def unfoldings(draw, smallest=1):
    """(x, options); some kernels do not fit, below 1 some numbers are impossible."""
    batch = draw(st.sampled_from([(), (0,), (1,), (3,)]))
    size = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    x = normal(draw(seeds), (*batch, draw(st.integers(1, 3)), *size), draw(float_dtypes))
    options = {
        "kernel_size": draw(int_or_pair(smallest, 4)),
        "stride": draw(int_or_pair(smallest, 3)),
        "padding": draw(int_or_pair(smallest - 1, 3)),
        "dilation": draw(int_or_pair(smallest, 3)),
    }
    return x, options


@repeatable
@given(unfoldings(), layouts)
def test_im2col_equals_unfold(case, layout):
    x, options = case
    assert_same_outcome(lambda: ops.im2col(x, **options), lambda: F.unfold(to_torch(x), **options))


@repeatable
@given(unfoldings(smallest=-1))
def test_im2col_refuses_impossible_numbers_as_torch_does(case):
    x, options = case
    assert_same_outcome(lambda: ops.im2col(x, **options), lambda: F.unfold(to_torch(x), **options))


@repeatable
@given(unfoldings(), layouts)
def test_col2im_equals_fold(case, layout):
    x, options = case
    columns = outcome(lambda: ops.im2col(x, **options))
    if isinstance(columns, Exception):
        return
    columns = normal(0, columns.shape, x.dtype, layout)
    size = x.shape[-2:]
    assert_same_outcome(
        lambda: ops.col2im(columns, size, **options),
        lambda: F.fold(to_torch(columns), size, **options),
    )


@repeatable
@given(unfoldings(smallest=0), st.data())
def test_col2im_refuses_what_fold_refuses(case, data):
    _, options = case
    shape = data.draw(st.lists(st.integers(0, 12), min_size=1, max_size=4))
    size = data.draw(int_or_pair(0, 6))
    columns = normal(0, shape)
    assert_same_outcome(
        lambda: ops.col2im(columns, size, **options),
        lambda: F.fold(to_torch(columns), size, **options),
    )


def test_col2im_is_the_backward_pass_of_im2col():
    options = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0), "dilation": (1, 3)}
    x = normal(0, (2, 3, 7, 8))
    columns = ops.im2col(x, **options)
    other = normal(1, columns.shape)
    np.testing.assert_allclose(
        (columns * other).sum(), (x * ops.col2im(other, (7, 8), **options)).sum(), rtol=1e-12
    )


def test_integers_stay_integers():
    x = np.arange(9).reshape(1, 3, 3)
    columns = ops.im2col(x, 2)
    assert columns.dtype == x.dtype
    assert columns.T.tolist() == [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]
    assert ops.col2im(columns, 3, 2).tolist() == [[[0, 2, 2], [6, 16, 10], [6, 14, 8]]]


def test_one_by_one_columns_are_a_copy():
    x = normal(0, (1, 2, 3, 3))
    columns = ops.im2col(x, 1)
    assert not np.shares_memory(columns, x)
    assert columns.flags.writeable
    image = ops.col2im(columns, 3, 1)
    assert not np.shares_memory(image, columns)


def test_windows_never_show_what_lies_beside_the_array():
    memory = np.arange(1000.0)
    image = memory[:36].reshape(1, 1, 6, 6)
    for out_size in ((4, 4), (2, 4)):
        view = window_view(image, (3, 3), (1, 1), (1, 1), out_size)
        assert view.max() == image[0, 0, out_size[0] + 1, out_size[1] + 1]
    for out_size in ((5, 4), (4, 5)):
        with pytest.raises(AssertionError):
            window_view(image, (3, 3), (1, 1), (1, 1), out_size)
