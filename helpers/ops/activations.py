"""ReLU and two of its relatives."""

from __future__ import annotations

import numpy as np

from helpers.language import gettext
from helpers.ops.arguments import (
    NUMBERS,
    check_array,
    check_bool,
    check_like,
    check_number,
    check_shape,
    silent,
)


def relu(x: np.ndarray) -> np.ndarray:
    """max(x, 0), value by value.

    Parameters
    ----------
    x : ndarray, any shape
        float32, float64, int32 or int64.

    Returns
    -------
    ndarray, the shape and dtype of x
        NaN stays NaN.

    Raises
    ------
    TypeError
        If x is not an array of such a dtype.

    Source: Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines",
    ICML 2010.

    >>> relu(np.array([-1., 0., 2.]))
    array([0., 0., 2.])
    """
    check_array("x", x, NUMBERS)
    return np.maximum(x, 0, out=np.empty(x.shape, dtype=x.dtype))


def relu_backward(grad_out: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Backward pass of `relu`: the gradient passes where x > 0, and is 0 elsewhere, also at 0.

    Parameters
    ----------
    grad_out, x : ndarray, any shape, the same for both
        Gradient with respect to the output; the input. float32 or float64.

    Returns
    -------
    ndarray, the shape of x
        Where x is NaN the gradient passes, as in torch.

    Raises
    ------
    ValueError, TypeError
        If shapes or dtypes differ, or are not as said above.
    """
    check_pointwise_gradient(grad_out, x)
    return np.asarray(np.where(x <= 0, x.dtype.type(0), grad_out), order="C")


@silent
def leaky_relu(x: np.ndarray, negative_slope: float = 0.01) -> np.ndarray:
    """x where x > 0, and negative_slope · x elsewhere.

    Parameters
    ----------
    x : ndarray, any shape
        float32 or float64.
    negative_slope : float

    Returns
    -------
    ndarray, the shape and dtype of x

    Raises
    ------
    TypeError
        If x is not an array of such a dtype, or the slope is not a number.

    Source: Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic
    Models", ICML 2013.

    >>> leaky_relu(np.array([-100., 0., 2.]))
    array([-1.,  0.,  2.])
    """
    check_array("x", x)
    return scale_where_not_positive(x, x, check_number("negative_slope", negative_slope))


@silent
def leaky_relu_backward(
    grad_out: np.ndarray, x: np.ndarray, negative_slope: float = 0.01
) -> np.ndarray:
    """Backward pass of `leaky_relu`: grad_out where x > 0, and negative_slope · grad_out elsewhere.

    Parameters
    ----------
    grad_out, x : ndarray, any shape, the same for both
        Gradient with respect to the output; the input. float32 or float64.
    negative_slope : float
        As given to `leaky_relu`. For `rrelu` outside training: (lower + upper) / 2.

    Returns
    -------
    ndarray, the shape of x

    Raises
    ------
    ValueError, TypeError
        If shapes or dtypes differ, or are not as said above.
    """
    check_pointwise_gradient(grad_out, x)
    return scale_where_not_positive(grad_out, x, check_number("negative_slope", negative_slope))


@silent
def rrelu(
    x: np.ndarray,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Randomised leaky ReLU: a random negative slope in training, the mean slope otherwise.

    Parameters
    ----------
    x : ndarray, any shape
        float32 or float64.
    lower, upper : float
        The slopes' range, finite, lower ≤ upper. Outside training the slope is
        (lower + upper) / 2, by default 11/48.
    training : bool
        Draw a slope for every value that is not positive, uniformly from the range.
    rng : numpy.random.Generator or None
        Where random slopes come from; None takes a fresh one, different on every call. torch draws
        from its own generator, so its slopes are others.

    Returns
    -------
    ndarray, the shape and dtype of x

    Raises
    ------
    ValueError
        If the range is empty or not finite.
    TypeError
        If an argument is of the wrong kind or dtype.

    Source: Xu, Wang, Chen and Li, "Empirical Evaluation of Rectified Activations in Convolutional
    Network", 2015; documentation of `torch.nn.RReLU`.

    >>> rrelu(np.array([-48., 0., 2.]))
    array([-11.,   0.,   2.])
    """
    check_array("x", x)
    lower, upper = check_number("lower", lower), check_number("upper", upper)
    if not (np.isfinite(lower) and np.isfinite(upper) and lower <= upper):
        raise ValueError(
            gettext(
                "lower={lower}, upper={upper}: both must be finite, and lower at most upper"
            ).format(lower=lower, upper=upper)
        )
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(
            gettext("rng is a {type}: give a generator, np.random.default_rng(seed)").format(
                type=type(rng).__name__
            )
        )
    if not check_bool("training", training):
        return scale_where_not_positive(x, x, (lower + upper) / 2)
    rng = np.random.default_rng() if rng is None else rng
    return scale_where_not_positive(x, x, rng.uniform(lower, upper, x.shape).astype(x.dtype))


def check_pointwise_gradient(grad_out: np.ndarray, x: np.ndarray) -> None:
    """Raise unless `grad_out` and `x` are float arrays of one shape and dtype."""
    check_array("x", x)
    check_like("grad_out", grad_out, "x", x)
    check_shape("grad_out", grad_out, x.shape, gettext("the shape of x"))


def scale_where_not_positive(
    values: np.ndarray, x: np.ndarray, slope: float | np.ndarray
) -> np.ndarray:
    """A new array: `values`, times `slope` where `x` is not positive (NaN is not)."""
    return np.asarray(np.where(x > 0, values, values * slope), order="C")
