"""The weights of the network of lesson 05, and what it computes, without torch.

The script in the page (`net.js`) computes the same; a browser test holds both equal to torch.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from helpers.pieces._words import tr

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

MEAN, STD = 0.1307, 0.3081
"""Mean and standard deviation of the pixels of MNIST's training images (lesson 05)."""

PARAMETERS = (
    ("conv 1, weight", (10, 1, 5, 5)),
    ("conv 1, bias", (10,)),
    ("conv 2, weight", (20, 10, 5, 5)),
    ("conv 2, bias", (20,)),
    ("linear 1, weight", (50, 320)),
    ("linear 1, bias", (50,)),
    ("linear 2, weight", (10, 50)),
    ("linear 2, bias", (10,)),
)
"""Names and shapes, in the order of the layers and of the state_dict."""

LAYERS = (
    ("input", (1, 28, 28)),
    ("conv1", (10, 24, 24)),
    ("pool1", (10, 12, 12)),
    ("conv2", (20, 8, 8)),
    ("pool2", (20, 4, 4)),
    ("linear1", (50,)),
    ("scores", (10,)),
    ("log_probabilities", (10,)),
)
"""What `forward` returns, in its order; pool1, pool2 and linear1 are after their ReLU."""

DTYPE = "<f2"
"""How weights are stored: IEEE 754 numbers of 16 bits, half the size of float32."""

MOST = float(np.finfo(DTYPE).max)
FILE = "digit_net.json"


@dataclass(frozen=True)
class Net:
    """A trained network.

    Attributes
    ----------
    weights : tuple of ndarray
        Float32, with the shapes of `PARAMETERS`; each is a number that 16 bits hold.
    about : dict
        What is known of it, for instance its accuracy; empty for a network of your own.
    """

    weights: tuple
    about: dict

    def packed(self) -> str:
        """All weights, one after the other, as base64 (little-endian)."""
        flat = np.concatenate([array.ravel() for array in self.weights])
        return base64.b64encode(flat.astype(DTYPE).tobytes()).decode("ascii")


@dataclass(frozen=True)
class Example:
    """A digit of MNIST's test part: its label, and its pixels, uint8 (28, 28)."""

    label: int
    pixels: np.ndarray

    def packed(self) -> str:
        """Its pixels row by row, as base64. For a run of zeros, up to 255: a 0 and their number."""
        text = self.pixels.tobytes()
        short = re.sub(b"\0{1,255}", lambda run: bytes([0, len(run[0])]), text)
        return base64.b64encode(short).decode("ascii")


def unpack(text: str) -> tuple[np.ndarray, ...]:
    """The weights in `Net.packed`.

    Returns
    -------
    tuple of ndarray
        Float32, with the shapes of `PARAMETERS`.

    Raises
    ------
    ValueError
        If there are more or fewer numbers than these shapes have.
    """
    flat = np.frombuffer(base64.b64decode(text), DTYPE).astype(np.float32)
    sizes = [int(np.prod(shape)) for _, shape in PARAMETERS]
    if flat.size != sum(sizes):
        raise ValueError(f"{flat.size:,} weights instead of {sum(sizes):,}")
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return tuple(part.reshape(shape) for part, (_, shape) in zip(parts, PARAMETERS, strict=True))


def read_file() -> tuple[Net, list[Example]]:
    """The network and the examples that come with the course."""
    data = json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    net = Net(unpack(data["weights"]), data["about"])
    return net, [
        Example(
            one["label"], np.frombuffer(base64.b64decode(one["pixels"]), np.uint8).reshape(28, 28)
        )
        for one in data["examples"]
    ]


def read_model(model: torch.nn.Module, image: np.ndarray) -> Net:
    """The weights of a torch model with the layers of lesson 05.

    Parameters
    ----------
    model : torch.nn.Module
        Its mode and its device stay as they are.
    image : ndarray, (28, 28)
        Normalised; what the model makes of it must be what `forward` makes of it.

    Returns
    -------
    Net
        With the model's own weights, rounded to 16 bits.

    Raises
    ------
    ValueError
        If it has other layers, or weights that are no numbers or too large for 16 bits.
    TypeError
        If it is no torch model.
    """
    if not hasattr(model, "state_dict") or not callable(model):
        raise TypeError(tr("model must be a torch model, or None, got {0}.", type(model).__name__))
    state = list(model.state_dict().values())
    found, wanted = [tuple(array.shape) for array in state], [shape for _, shape in PARAMETERS]
    if found != wanted:
        raise ValueError(
            tr(
                "model must have the layers of lesson 05 (make_net): its parameters should have "
                "the shapes {0}, but they have {1}.",
                _shapes(wanted),
                _shapes(found),
            )
        )
    weights = tuple(array.detach().float().cpu().numpy().copy() for array in state)
    if not all((np.abs(array) <= MOST).all() for array in weights):  # False for NaN, too
        raise ValueError(
            tr(
                "model has weights that are NaN, infinite or larger than {0}; train it with a "
                "smaller rate.",
                f"{MOST:,.0f}",
            )
        )
    _compare(model, state[0], weights, image)
    return Net(tuple(array.astype(DTYPE).astype(np.float32) for array in weights), {})


def _shapes(shapes):
    named = ["×".join(map(str, shape)) or tr("one number") for shape in shapes]
    return ", ".join(named) or tr("none")


def _compare(model, like, weights, image):
    """ReLU, pooling and dropout have no parameters: that they are there, only the answer shows."""
    import torch

    modes = [(module, module.training) for module in model.modules()]
    try:
        with torch.no_grad():
            answer = model.eval()(torch.as_tensor(image[None, None]).to(like))
            answer = torch.log_softmax(answer.float(), dim=-1).cpu().numpy()
    except (RuntimeError, TypeError, IndexError) as error:
        raise ValueError(
            tr(
                "model must take images of shape (1, 1, 28, 28), as in lesson 05; it fails with: "
                "{0}",
                str(error).splitlines()[0],
            )
        ) from error
    finally:
        for module, training in modes:
            module.training = training
    expected = forward(weights, image)["log_probabilities"]
    # A model of half precision rounds in every layer.
    tolerance = 1e-3 if like.dtype in (torch.float32, torch.float64) else 0.1
    if answer.shape != (1, 10) or not np.allclose(answer[0], expected, rtol=0, atol=tolerance):
        raise ValueError(
            tr(
                "model has parameters of the right shapes but computes something else: between "
                "them must be max pooling by 2 and ReLU, twice, then flatten, and ReLU, as in "
                "lesson 05."
            )
        )


def forward(weights: tuple[np.ndarray, ...], image: np.ndarray) -> dict[str, np.ndarray]:
    """What every layer gives for one image, in eval mode (no dropout).

    Parameters
    ----------
    weights : tuple of ndarray
        With the shapes of `PARAMETERS`.
    image : ndarray, (28, 28)
        Normalised.

    Returns
    -------
    dict of str to ndarray
        Float32, with the names and shapes of `LAYERS`.
    """
    from helpers import ops

    w1, b1, w2, b2, w3, b3, w4, b4 = weights
    image = np.asarray(image, np.float32)[None]
    conv1 = ops.conv2d(image, w1, b1)
    pool1 = ops.relu(ops.max_pool2d(conv1, 2))
    conv2 = ops.conv2d(pool1, w2, b2)
    pool2 = ops.relu(ops.max_pool2d(conv2, 2))
    linear1 = ops.relu(w3 @ pool2.ravel() + b3)
    scores = w4 @ linear1 + b4
    largest = scores.max()
    log_probabilities = scores - largest - np.log(np.exp(scores - largest).sum())
    values = (image, conv1, pool1, conv2, pool2, linear1, scores, log_probabilities)
    return {name: value for (name, _), value in zip(LAYERS, values, strict=True)}


def normalise(pixels: npt.ArrayLike) -> np.ndarray:
    """Pixels from 0 to 255, any shape, as the network sees them: float32."""
    return ((np.asarray(pixels, np.float32) / 255 - MEAN) / STD).astype(np.float32)
