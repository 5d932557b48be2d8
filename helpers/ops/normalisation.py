"""Local response normalisation, as used in AlexNet."""

from __future__ import annotations

import numpy as np

from helpers._arguments import check_int
from helpers.language import gettext
from helpers.ops.arguments import check_array, check_number, silent


@silent
def local_response_norm(
    x: np.ndarray, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> np.ndarray:
    """Divide each value by a measure of how strong its neighbour channels are at that position.

    ``x[c] / (k + alpha / size · Σ x[c']²) ** beta``, with c' from c − size // 2 to
    c + (size − 1) // 2, as far as there are such channels.

    This is torch's formula. In the AlexNet paper (Krizhevsky, Sutskever and Hinton, 2012, section
    3.3) alpha stands before the sum as it is: there is no division by `size`. So the paper's
    k = 2, n = 5, alpha = 1e-4, beta = 0.75 is ``local_response_norm(x, 5, alpha=5e-4, k=2)`` here
    and in torch. The two also number the window of an even size differently: n/2 channels on both
    sides in the paper, one less above in torch.

    Parameters
    ----------
    x : ndarray, (N, C, ...)
        float32 or float64, with at least three axes. The channels are always axis 1, so a single
        image needs its batch axis: ``x[np.newaxis]``.
    size : int
        Number of channels in the sum.
    alpha, beta, k : float

    Returns
    -------
    ndarray, the shape and dtype of x

    Raises
    ------
    ValueError
        If x has under three axes, or size is under 1.
    TypeError
        If an argument is of the wrong kind or dtype.

    Source: the paper named above; documentation of `torch.nn.LocalResponseNorm`.

    >>> x = np.array([1., 2., 3.]).reshape(1, 3, 1, 1)
    >>> local_response_norm(x, size=3, alpha=3, beta=1, k=0).ravel() * [5, 14, 13]
    array([1., 2., 3.])
    """
    check_array("x", x)
    if x.ndim < 3:
        raise ValueError(
            gettext("x has shape {shape}: it must have at least 3 axes, (N, C, ...)").format(
                shape=x.shape
            )
        )
    size = check_int("size", size)
    alpha, beta, k = check_number("alpha", alpha), check_number("beta", beta), check_number("k", k)

    channels = x.shape[1]
    squares = np.square(x, order="C")
    total = np.zeros_like(squares)
    below, above = size // 2, (size - 1) // 2
    for offset in range(max(-below, 1 - channels), min(above, channels - 1) + 1):
        # Channel c receives the square of channel c + offset, where that exists.
        receives = slice(max(0, -offset), channels - max(0, offset))
        gives = slice(max(0, offset), channels + min(0, offset))
        total[:, receives] += squares[:, gives]
    scale = total / size * alpha + k
    return np.divide(x, scale**beta, out=scale)
