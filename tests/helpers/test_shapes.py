"""helpers.shapes against torch, over many shapes."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from helpers.shapes import conv_output_size, count_parameters, receptive_field

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True)
small = st.integers(1, 5)


def torch_size(size, function):
    """Output size by torch, or None where torch refuses."""
    try:
        return tuple(function(torch.zeros(1, 1, *size)).shape[2:])
    except RuntimeError:
        return None


@SETTINGS
@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    kernel_size=st.tuples(small, small),
    stride=st.tuples(small, small),
    padding=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_convolution_as_torch(size, kernel_size, stride, padding, dilation):
    wanted = torch_size(
        size,
        lambda x: F.conv2d(x, torch.zeros(1, 1, *kernel_size), None, stride, padding, dilation),
    )
    if wanted is None:
        with pytest.raises(ValueError, match="does not fit"):
            conv_output_size(size, kernel_size, stride, padding, dilation)
    else:
        assert conv_output_size(size, kernel_size, stride, padding, dilation) == wanted


@SETTINGS
@given(
    size=st.integers(1, 20),
    kernel_size=small,
    stride=st.integers(1, 7),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 3),
    ceil_mode=st.booleans(),
)
def test_pooling_as_torch(size, kernel_size, stride, padding, dilation, ceil_mode):
    assume(padding <= kernel_size // 2)
    wanted = torch_size(
        (size, size),
        lambda x: F.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode),
    )
    if wanted is None:
        with pytest.raises(ValueError, match="does not fit"):
            conv_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
        return
    ours = conv_output_size(size, kernel_size, stride, padding, dilation, ceil_mode)
    assert (ours, ours) == wanted


def test_ceil_mode_drops_a_window_that_starts_in_the_padding():
    # Five positions, padding 1: windows of stride 3 start at −1, 2 and 5; 5 lies in the padding.
    assert conv_output_size(5, 2, 3, 1, ceil_mode=True) == 2
    assert F.max_pool2d(torch.zeros(1, 1, 5, 5), 2, 3, 1, ceil_mode=True).shape[-1] == 2


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [((7, 3, 1), 5), ((7, 3, 2), 3), ((5, 3, 1, 1), 5), ((5, 3, 2, 1), 3), ((227, 11, 4), 55)],
)
def test_known_sizes(arguments, wanted):
    assert conv_output_size(*arguments) == wanted
    assert conv_output_size(*arguments, exact=True) == wanted


@pytest.mark.parametrize(
    ("arguments", "quotient", "sizes"),
    [
        ((7, 3, 3), "2.33333", (6, 9)),
        ((10, 3, 2), "4.5", (9, 11)),
        ((224, 11, 4), "54.25", (223, 227)),
    ],
)
def test_exact_names_the_sizes_that_fit(arguments, quotient, sizes):
    with pytest.raises(ValueError, match="does not fit") as caught:
        conv_output_size(*arguments, exact=True)
    assert quotient in str(caught.value)
    assert f"{sizes[0]} or {sizes[1]}" in str(caught.value)
    for size in sizes:
        conv_output_size(size, *arguments[1:], exact=True)


def test_int_in_int_out_and_pair_in_pair_out():
    assert conv_output_size(7, 3) == 5
    assert conv_output_size((7, 8), 3) == (5, 6)
    assert conv_output_size(7, (3, 1)) == (5, 7)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("size", 0, ValueError),
        ("kernel_size", 0, ValueError),
        ("stride", 0, ValueError),
        ("padding", -1, ValueError),
        ("dilation", 0, ValueError),
        ("stride", 1.5, TypeError),
        ("size", (1, 2, 3), ValueError),
        ("padding", "same", TypeError),
        ("stride", True, TypeError),
    ],
)
def test_bad_arguments_are_named(name, value, error):
    arguments = {"size": 7, "kernel_size": 3, name: value}
    with pytest.raises(error, match=name):
        conv_output_size(**arguments)


def test_the_padding_that_is_advised_fits():
    with pytest.raises(ValueError, match="padding of at least 2"):
        conv_output_size(2, 5)
    assert conv_output_size(2, 5, padding=2) == 2


def test_count_parameters():
    shared = nn.Linear(3, 3)
    model = nn.Sequential(nn.Conv2d(3, 10, 5), shared, shared)
    assert count_parameters(model) == 760 + 12
    model[0].weight.requires_grad = False
    assert count_parameters(model, trainable_only=True) == 10 + 12
    assert count_parameters(model) == 772


@SETTINGS
@given(
    layers=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)),
        min_size=1,
        max_size=3,
    )
)
def test_receptive_field_as_measured(layers):
    """Back-propagate one output position: the inputs with a gradient are what it sees."""
    size = 90
    net = nn.Sequential(
        *(nn.Conv1d(1, 1, k, s, p, d, bias=False, dtype=torch.float64) for k, s, p, d in layers)
    )
    for layer in net:
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    out = net(x)
    field = receptive_field(layers)
    index = out.shape[-1] // 2
    out[0, 0, index].backward()
    first = field.start + index * field.jump
    seen = x.grad[0, 0].nonzero().flatten()
    assert seen.min() == first
    assert seen.max() == first + field.size - 1


def test_receptive_field_of_alexnet_pool5():
    layers = [(11, 4), (3, 2), (5, 1, 2), (3, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2)]
    field = receptive_field(layers)
    assert (field.size, field.jump) == (195, 32)


@pytest.mark.parametrize("layer", [(3,), (3, 1, 0, 1, 1), (0, 1), (3, 0), (3, 1, -1)])
def test_receptive_field_refuses(layer):
    with pytest.raises(ValueError, match="layer 2") as caught:
        receptive_field([(3, 1), layer])
    assert "True" not in str(caught.value)
