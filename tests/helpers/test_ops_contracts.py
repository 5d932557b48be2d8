"""What holds for every operator: types, memory, empty batches, silence, and messages."""

import inspect
import warnings

import numpy as np
import pytest
import torch

from helpers import ops
from tests.support.ops_cases import normal, spread

# Each operator with arrays that fit together; the first array of each has a batch axis.
CALLS = {
    "conv2d": (ops.conv2d, [(2, 4, 5, 6), (6, 2, 3, 2), (6,)], {"padding": 1, "groups": 2}),
    "conv2d 1×1": (ops.conv2d, [(2, 4, 5, 6), (6, 4, 1, 1)], {}),
    "conv2d_backward": (
        ops.conv2d_backward,
        [(2, 6, 3, 5), (2, 4, 5, 6), (6, 2, 3, 2)],
        {"groups": 2},
    ),
    "conv2d_backward 1×1": (
        ops.conv2d_backward,
        [(2, 6, 5, 6), (2, 4, 5, 6), (6, 4, 1, 1)],
        {},
    ),
    "locally_connected2d": (
        ops.locally_connected2d,
        [(2, 3, 4, 4), (5, 3, 2, 3, 2, 3), (5, 3, 2)],
        {},
    ),
    "max_pool2d": (ops.max_pool2d, [(2, 3, 5, 6)], {"kernel_size": 3, "padding": 1}),
    "max_pool2d 1×1": (ops.max_pool2d, [(2, 3, 5, 6)], {"kernel_size": 1}),
    "max_pool2d_backward": (
        ops.max_pool2d_backward,
        [(2, 3, 2, 3), (2, 3, 5, 6)],
        {"kernel_size": 2},
    ),
    "max_pool2d_backward 1×1": (
        ops.max_pool2d_backward,
        [(2, 3, 5, 6), (2, 3, 5, 6)],
        {"kernel_size": 1},
    ),
    "avg_pool2d": (ops.avg_pool2d, [(2, 3, 5, 6)], {"kernel_size": 3, "padding": 1}),
    "avg_pool2d 1×1": (ops.avg_pool2d, [(2, 3, 5, 6)], {"kernel_size": 1}),
    "avg_pool2d_backward": (
        ops.avg_pool2d_backward,
        [(2, 3, 2, 3), (2, 3, 5, 6)],
        {"kernel_size": 2},
    ),
    "im2col": (ops.im2col, [(2, 3, 5, 6)], {"kernel_size": (3, 2)}),
    "im2col 1×1": (ops.im2col, [(2, 3, 5, 6)], {"kernel_size": 1}),
    "col2im": (
        ops.col2im,
        [(2, 12, 12)],
        {"output_size": (2, 5), "kernel_size": 2, "padding": (1, 0)},
    ),
    "col2im 1×1": (ops.col2im, [(2, 3, 12)], {"output_size": (3, 4), "kernel_size": 1}),
    "relu": (ops.relu, [(2, 3, 5)], {}),
    "relu_backward": (ops.relu_backward, [(2, 3, 5), (2, 3, 5)], {}),
    "leaky_relu": (ops.leaky_relu, [(2, 3, 5)], {}),
    "leaky_relu_backward": (ops.leaky_relu_backward, [(2, 3, 5), (2, 3, 5)], {}),
    "rrelu": (ops.rrelu, [(2, 3, 5)], {"training": False}),
    "local_response_norm": (ops.local_response_norm, [(2, 3, 5, 6)], {"size": 2}),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


def results(call, arrays):
    function, _, options = call
    out = function(*arrays, **options)
    return out if isinstance(out, tuple) else (out,)


def make_arrays(call, dtype=np.float64, layout="contiguous"):
    return [normal(seed, shape, dtype, layout) for seed, shape in enumerate(call[1])]


def test_every_public_operator_is_in_the_table():
    assert {name.split()[0] for name in CALLS} == set(ops.__all__)


@every_call
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_in_is_dtype_out_and_results_are_contiguous(call, dtype):
    for layout in ("contiguous", "transposed"):
        for out in results(call, make_arrays(call, dtype, layout)):
            assert type(out) is np.ndarray
            assert out.dtype == dtype
            assert out.flags.c_contiguous
            assert out.flags.writeable


@every_call
def test_inputs_are_never_changed_nor_shared(call):
    arrays = make_arrays(call)
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    for out in results(call, arrays):
        assert not any(np.shares_memory(out, array) for array in arrays)
        out[...] = 7
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@every_call
@pytest.mark.parametrize("layout", ["transposed", "strided", "reversed"])
def test_memory_layout_changes_nothing(call, layout):
    arrays = make_arrays(call)
    expected = results(call, arrays)
    received = results(call, [spread(array, layout) for array in arrays])
    for a, b in zip(expected, received, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@every_call
def test_an_empty_batch_gives_an_empty_result_and_zero_weight_gradients(call):
    arrays = make_arrays(call)
    batched = [array[:0] if len(array) == 2 else array for array in arrays]
    for full, out in zip(results(call, arrays), results(call, batched), strict=True):
        assert out.dtype == full.dtype
        if len(full) == 2:
            assert out.shape == (0, *full.shape[1:])
        else:
            assert out.shape == full.shape
            assert not out.any()


# `local_response_norm` takes axis 1 as the channels always, as torch does.
@pytest.mark.parametrize("name", [n for n in CALLS if n != "local_response_norm"])
def test_a_single_image_is_a_batch_of_one_without_its_axis(name):
    call = CALLS[name]
    arrays = make_arrays(call)
    one = results(call, [array[:1] if len(array) == 2 else array for array in arrays])
    alone = results(call, [array[0] if len(array) == 2 else array for array in arrays])
    for with_axis, without in zip(one, alone, strict=True):
        expected = with_axis[0] if len(with_axis) == 1 else with_axis
        np.testing.assert_allclose(without, expected, rtol=1e-12)


@every_call
def test_infinite_values_make_no_warning(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for value in (np.inf, -np.inf, np.nan, 1e300):
            arrays = make_arrays(call)
            for array in arrays:
                array.flat[:: max(1, array.size // 3)] = value
                array.flat[1] = -value
            results(call, arrays)


@every_call
def test_arrays_of_the_wrong_kind_are_refused_by_name(call):
    function, shapes, options = call
    names = list(inspect.signature(function).parameters)
    for i in range(len(shapes)):
        arrays = make_arrays(call)
        good = arrays[i]
        for bad, message in [
            (good.tolist(), rf"{names[i]} is a list: give a NumPy array"),
            (torch.tensor(good), rf"{names[i]} is a Tensor: .*{names[i]}\.detach\(\)"),
            (good.astype(np.float16), rf"{names[i]} has dtype float16: it must be one of float32"),
            (good.astype(np.uint8), rf"{names[i]} has dtype uint8"),
            (good.astype(complex), rf"{names[i]} has dtype complex128"),
            (good.astype(">f8"), rf"{names[i]} has dtype >f8"),
        ]:
            arrays[i] = bad
            with pytest.raises(TypeError, match=message):
                function(*arrays, **options)
        if i > 0:
            arrays[i] = good.astype(np.float32)
            with pytest.raises(TypeError, match=r"has dtype float(32|64), but .* must be the same"):
                function(*arrays, **options)


@every_call
def test_integers_are_refused_where_a_fraction_can_arise(call):
    function, _, options = call
    exact = {
        ops.conv2d,
        ops.locally_connected2d,
        ops.max_pool2d,
        ops.im2col,
        ops.col2im,
        ops.relu,
    }
    arrays = make_arrays(call, np.int64)
    if function in exact:
        assert function(*arrays, **options).dtype == np.int64
    else:
        with pytest.raises(TypeError, match=r"has dtype int64: it must be one of float32, float64"):
            function(*arrays, **options)


@pytest.mark.parametrize("name", [n for n in CALLS if "backward" in n])
def test_a_gradient_of_another_shape_is_refused(name):
    call = CALLS[name]
    arrays = make_arrays(call)
    arrays[0] = arrays[0][..., :-1]
    with pytest.raises(ValueError, match=r"grad_out has shape \(2, .*it must be the shape of"):
        results(call, arrays)


X, WEIGHT = np.ones((1, 2, 4, 4)), np.ones((3, 2, 3, 3))
BAD_ARGUMENTS = [
    (ValueError, r"stride=0: it must be at least 1", ops.conv2d, (X, WEIGHT), {"stride": 0}),
    (ValueError, r"stride\[1\]=0: .* 1", ops.conv2d, (X, WEIGHT), {"stride": (1, 0)}),
    (ValueError, r"stride=\(1, 2, 3\): .* pair", ops.conv2d, (X, WEIGHT), {"stride": (1, 2, 3)}),
    (TypeError, r"stride=1.0: .* integer, not float", ops.conv2d, (X, WEIGHT), {"stride": 1.0}),
    (TypeError, r"stride=True: .* integer, not bool", ops.conv2d, (X, WEIGHT), {"stride": True}),
    (TypeError, r"stride=None: .* integer", ops.conv2d, (X, WEIGHT), {"stride": None}),
    (TypeError, r"stride\[0\]='2': .* integer", ops.conv2d, (X, WEIGHT), {"stride": ("2", 2)}),
    (ValueError, r"padding=-1: it must be at least 0", ops.conv2d, (X, WEIGHT), {"padding": -1}),
    (ValueError, r"padding='full': .*\"same\"", ops.conv2d, (X, WEIGHT), {"padding": "full"}),
    (
        ValueError,
        r'padding="same" with stride=\(1, 2\): the stride must be 1',
        ops.conv2d,
        (X, WEIGHT),
        {"padding": "same", "stride": (1, 2)},
    ),
    (ValueError, r"dilation=0: .* 1", ops.conv2d, (X, WEIGHT), {"dilation": 0}),
    (ValueError, r"groups=0: .* 1", ops.conv2d, (X, WEIGHT), {"groups": 0}),
    (TypeError, r"groups=\(1, 1\): .* integer", ops.conv2d, (X, WEIGHT), {"groups": (1, 1)}),
    (ValueError, r"x has 2 channels.*groups=2", ops.conv2d, (X, WEIGHT), {"groups": 2}),
    (
        ValueError,
        r"weight has 3 filters and groups=2",
        ops.conv2d,
        (X, WEIGHT[:, :1]),
        {"groups": 2},
    ),
    (ValueError, r"kernel_size=3 with dilation=2", ops.conv2d, (X, WEIGHT), {"dilation": 2}),
    (ValueError, r"x has shape \(4, 4\): .* \(N, C, H, W\)", ops.conv2d, (X[0, 0], WEIGHT), {}),
    (ValueError, r"x has shape \(1, 0, 4, 4\): channels", ops.conv2d, (X[:, :0], WEIGHT), {}),
    (ValueError, r"x has shape \(0, 2, 0, 4\): .*batch", ops.conv2d, (X[:0, :, :0], WEIGHT), {}),
    (ValueError, r"weight has shape \(2, 3, 3\): .* 4 axes", ops.conv2d, (X, WEIGHT[0]), {}),
    (ValueError, r"weight has shape \(0, 2, 3, 3\): .* empty", ops.conv2d, (X, WEIGHT[:0]), {}),
    (
        ValueError,
        r"bias has shape \(2,\): .*\(number of filters,\) = \(3,\)",
        ops.conv2d,
        (X, WEIGHT, np.ones(2)),
        {},
    ),
    (ValueError, r"padding=\(2, 2\) .*half the kernel, here 1", ops.max_pool2d, (X, 3, 1, 2), {}),
    (ValueError, r"padding=\(0, 2\) .*half the kernel", ops.avg_pool2d, (X, 3, 1, (0, 2)), {}),
    (ValueError, r"kernel_size=5 .* 4", ops.max_pool2d, (X, 5), {}),
    (ValueError, r"kernel_size=0: .* 1", ops.avg_pool2d, (X, 0), {}),
    (ValueError, r"x has shape \(1, 2, 0, 4\)", ops.max_pool2d, (X[:, :, :0], 1), {}),
    (TypeError, r"ceil_mode=1: .* True or False", ops.max_pool2d, (X, 2), {"ceil_mode": 1}),
    (
        TypeError,
        r"count_include_pad=None: .* True or False",
        ops.avg_pool2d,
        (X, 2),
        {"count_include_pad": None},
    ),
    (
        ValueError,
        r"divisor_override=0: .* not be 0",
        ops.avg_pool2d,
        (X, 2),
        {"divisor_override": 0},
    ),
    (
        TypeError,
        r"divisor_override=2.0: .* integer",
        ops.avg_pool2d,
        (X, 2),
        {"divisor_override": 2.0},
    ),
    (ValueError, r"kernel does not fit", ops.im2col, (X, 5), {}),
    (
        ValueError,
        r"columns has shape \(1, 4, 8\): .* \(N, C·4, 9\) .* 3·3 windows",
        ops.col2im,
        (np.ones((1, 4, 8)), 4, 2),
        {},
    ),
    (
        ValueError,
        r"columns has shape \(1, 5, 9\): .* \(N, C·4, 9\)",
        ops.col2im,
        (np.ones((1, 5, 9)), 4, 2),
        {},
    ),
    (TypeError, r"negative_slope='a': .* number", ops.leaky_relu, (X, "a"), {}),
    (ValueError, r"lower=0.5, upper=0.2: ", ops.rrelu, (X, 0.5, 0.2), {}),
    (ValueError, r"lower=0.0, upper=inf: .* finite", ops.rrelu, (X, 0, np.inf), {}),
    (TypeError, r"training=3: .* True or False", ops.rrelu, (X,), {"training": 3}),
    (TypeError, r"rng is a int: .*default_rng", ops.rrelu, (X,), {"rng": 3}),
    (ValueError, r"size=0: .* 1", ops.local_response_norm, (X, 0), {}),
    (TypeError, r"size=2.5: .* integer", ops.local_response_norm, (X, 2.5), {}),
    (TypeError, r"beta='a': .* number", ops.local_response_norm, (X, 2), {"beta": "a"}),
    (ValueError, r"x has shape \(4, 4\): .* 3 axes", ops.local_response_norm, (X[0, 0], 2), {}),
]


@pytest.mark.parametrize(
    ("error", "message", "function", "arguments", "options"),
    BAD_ARGUMENTS,
    ids=[f"{case[2].__name__}-{i}" for i, case in enumerate(BAD_ARGUMENTS)],
)
def test_a_bad_argument_is_named_with_its_value_and_what_would_be_right(
    error, message, function, arguments, options
):
    with pytest.raises(error, match=message):
        function(*arguments, **options)


def test_numpy_integers_and_single_numbers_in_a_sequence_are_taken_as_torch_takes_them():
    expected = ops.conv2d(X, WEIGHT, stride=2, padding=1)
    for two, one in [(np.int64(2), np.int32(1)), ((2,), [1]), (torch.Size([2, 2]), (1, 1))]:
        np.testing.assert_array_equal(ops.conv2d(X, WEIGHT, stride=two, padding=one), expected)
