"""helpers.checks: what passes, what fails, and what the messages say."""

from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.checks import assert_same, grad_check

X = np.arange(12).reshape(3, 4)


def message(actual, expected, **options):
    with pytest.raises(AssertionError) as caught:
        assert_same(actual, expected, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (X, X.tolist()),
        (torch.tensor(X), X),
        (torch.tensor(X, requires_grad=False).float(), X),
        (torch.ones(2, requires_grad=True), [1, 1]),
        (X[:, ::2], X[:, ::2].copy()),
        (3, 3.0),
        ([np.nan, 1.0], [np.nan, 1.0]),
        ([np.inf, -np.inf], [np.inf, -np.inf]),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        ([True, False], [True, False]),
        ((0.1 * X).astype(np.float32), 0.1 * X),
        (0.1 + 0.2, 0.3),
        (Fraction(1, 8), 0.125),
        ([Fraction(1, 2), 2], [0.5, 2]),
        ([10**30, 1], [1e30, 1]),
    ],
)
def test_same(actual, expected):
    assert_same(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (X, X + 1),
        (X, X.T),
        (X[0], X[:1]),
        ([1.0], [1.001]),
        (np.float32([1, 1]), np.float32([1, 1.001])),
        (np.float16([1, 1]), np.float16([1, 1.05])),
        (np.float32([0, 1000]), np.float32([1, 1000])),
        ([np.nan], [1.0]),
        ([1.0], [np.nan]),
        ([np.inf], [-np.inf]),
        ([2**60], [2**60 + 2**10]),
        ([True], [False]),
        (1.0, [1.0]),
        (np.float64(1), 1 + 1e-8),
        (Fraction(1, 3), 0.3333),
        ([10**30], [1e31]),
        ([10**400], [1e300]),
    ],
)
def test_different(actual, expected):
    message(actual, expected)


@pytest.mark.parametrize(
    ("kind", "rtol"), [("float16", 1e-2), ("float32", 1e-4), ("float64", 1e-9)]
)
def test_the_tolerances_are_those_of_the_docstring(kind, rtol):
    """Relative to a number, and to the largest one. Half of it passes, three times it does not."""
    for number, largest in ((64.0, 64.0), (0.0, 64.0)):
        wanted = np.array([number, largest], kind)
        room = np.array([rtol * (number + largest), 0])
        assert_same((wanted + room / 2).astype(kind), wanted)
        message((wanted + room * 3).astype(kind), wanted)


def test_nothing_is_broadcast():
    assert "shape" in message(np.ones((3, 1)), np.ones((3, 3)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    kind=st.sampled_from(["float32", "float64", "int64"]),
)
def test_one_wrong_number_is_found_and_named(shape, seed, kind):
    rng = np.random.default_rng(seed)
    wanted = rng.integers(-9, 10, shape).astype(kind)
    index = tuple(int(rng.integers(n)) for n in shape)
    received = wanted.copy()
    received[index] += 1
    assert_same(wanted.copy(), wanted)
    assert f"first at {list(index)}" in message(received, wanted)


def test_a_message_shows_function_input_expected_received():
    text = message(X + 10 * (X == 5), X, name="conv2d", inputs={"x": X, "stride": 2})
    assert text.startswith(
        "conv2d: 1 of 12 values differ, first at [1, 1]: expected 5, received 15"
    )
    assert "x = array of shape 3×4, int64" in text
    assert "stride = 2" in text
    assert text.index("expected  array") < text.index("received  array")


@pytest.mark.parametrize(
    ("actual", "expected", "hint"),
    [
        (None, X, "return"),
        ([[1, 2], [3]], X, "different lengths"),
        (["a"], X, "numbers"),
        (X.T, X, "swapped"),
        (X[None], X, "axis of length 1"),
        (X.ravel(), X, "only the shape is another one"),
        (np.ones((5, 3, 4)), X, "3 axes instead of 2"),
        (X[:3, :3].T, X[:3, :3], "transposed"),
        (X[::-1, ::-1], X, "180°"),
        (-X, X, "sign"),
        (X + 2, X, "off by 2"),
        (X * 3, X, "3 times"),
        (X + np.nan, X, "NaN"),
    ],
)
def test_hints(actual, expected, hint):
    assert hint in message(actual, expected)


def test_hint_on_the_border():
    wanted = np.arange(49.0).reshape(7, 7) ** 2
    received = np.pad(wanted[1:-1, 1:-1], 1)
    assert "only the border differs" in message(received, wanted)


def test_a_small_difference_is_shown_with_all_digits():
    text = message([0.1, 0.2 + 1e-8], [0.1, 0.2])
    assert "expected 0.2000000000000000" in text
    assert "received 0.20000001" in text
    assert "hint" not in text


def test_own_hint_and_tolerance():
    assert "look here" in message([1], [2], hint="look here")
    assert_same([1.0], [1.05], atol=0.1)
    assert_same([100.0], [101.0], rtol=0.02)


def conv(x, w, b):
    return F.conv2d(*map(torch.tensor, (x, w, b)), padding=1).numpy()


def conv_backward(grad_out, x, w, b):
    tensors = [torch.tensor(item, requires_grad=True) for item in (x, w, b)]
    F.conv2d(*tensors, padding=1).backward(torch.tensor(grad_out))
    return [tensor.grad.numpy() for tensor in tensors]


@pytest.fixture
def conv_inputs():
    rng = np.random.default_rng(0)
    shapes = ((2, 2, 4, 3), (3, 2, 3, 3), (3,))
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def test_grad_check_accepts_the_right_gradient(conv_inputs):
    copies = [item.copy() for item in conv_inputs]
    errors = grad_check(conv, conv_backward, conv_inputs, names=["x", "w", "b"])
    assert errors.keys() == {"x", "w", "b"}
    assert max(errors.values()) < 1e-6
    for item, copy in zip(conv_inputs, copies, strict=True):
        assert_same(item, copy)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, w, b: (x, -w, b), "sign"),
        (lambda x, w, b: (x, w, 2 * b), "2 times too large"),
        (lambda x, w, b: (x, w.swapaxes(2, 3), b), "gradient of w is wrong at"),
        (lambda x, w, b: (x[:, :, 1:], w, b), "always has the shape"),
        (lambda x, w, b: (x, w), "3 gradients"),
        (lambda x, w, b: x, "3 gradients"),
        (lambda x, w, b: (x * np.nan, w, b), "gradient of x is wrong"),
    ],
)
def test_grad_check_finds(conv_inputs, change, words):
    with pytest.raises(AssertionError, match=words):
        grad_check(
            conv,
            lambda *arguments: change(*conv_backward(*arguments)),
            conv_inputs,
            names=["x", "w", "b"],
        )


@pytest.mark.parametrize(("share", "passes"), [(1e-2, False), (1e-4, False), (1e-6, True)])
def test_the_tolerance_of_grad_check(share, passes):
    def check():
        grad_check(np.square, lambda g, x: 2 * g * x * (1 + share), [[1.0, 2.0]])

    if passes:
        check()
    else:
        with pytest.raises(AssertionError, match="gradient of input 0 is wrong"):
            check()


def test_grad_check_looks_at_large_inputs_all_over():
    x = np.ones(1000)

    def backward_of_a_part(part):
        def backward(grad_out, x):
            gradient = 2 * grad_out * x
            gradient[part] = 0
            return gradient

        return backward

    for part in (slice(500), slice(500, None)):
        with pytest.raises(AssertionError, match="gradient of input 0 is wrong"):
            grad_check(np.square, backward_of_a_part(part), [x])


def test_grad_check_message_shows_what_is_needed():
    with pytest.raises(AssertionError) as caught:
        grad_check(np.square, lambda grad_out, x: grad_out * x, [np.array([3.0])], names=["x"])
    text = str(caught.value)
    for words in ("square", "x[0] = 3", "expected", "finite difference", "received"):
        assert words in text


def test_grad_check_with_one_input_and_with_none():
    assert grad_check(np.square, lambda g, x: 2 * g * x, [[1.0, 2.0]])["input 0"] < 1e-8
    forward = lambda x, y: x * y  # noqa: E731
    assert grad_check(forward, lambda g, x, y: (g * y, None), [[1.0], [2.0]]).keys() == {"input 0"}
