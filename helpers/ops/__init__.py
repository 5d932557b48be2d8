"""Reference operators in plain NumPy: what your own code is compared to.

``from helpers import ops``, then ``ops.conv2d(x, weight)``. Names, arguments and results are those
of `torch.nn.functional`, for images as NCHW (batch, channels, height, width) or CHW arrays.

Rules that hold for every operator

- float32 in, float32 out; float64 in, float64 out. All arrays of one call have the same dtype.
  int32 and int64 are taken, as in torch, where nothing needs a fraction: `conv2d`,
  `locally_connected2d`, `max_pool2d`, `im2col`, `col2im` and `relu`, but not for backward passes.
- Inputs are never changed, may be non-contiguous, and share no memory with results. Results are
  contiguous.
- The batch may be empty (N = 0); no other axis may, in an operator with a window.
- NaN and infinity travel as in torch, without warnings.
- A bad argument is a `ValueError` (its value is impossible) or a `TypeError` (its kind is wrong),
  where torch raises `RuntimeError` or `TypeError`. The message names the argument, its value and
  what would be right.

Stricter than torch on purpose: float16, small integers and averages of integers, which overflow
or lose their fraction without a word, and convolution over zero channels or over an empty image
are errors here.
"""

from helpers.ops.activations import leaky_relu, leaky_relu_backward, relu, relu_backward, rrelu
from helpers.ops.columns import col2im, im2col
from helpers.ops.convolution import conv2d, conv2d_backward, locally_connected2d
from helpers.ops.normalisation import local_response_norm
from helpers.ops.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "im2col",
    "leaky_relu",
    "leaky_relu_backward",
    "local_response_norm",
    "locally_connected2d",
    "max_pool2d",
    "max_pool2d_backward",
    "relu",
    "relu_backward",
    "rrelu",
]
