"""Put layers together, and see at once what each gives, costs and sees of the picture.

Where scripts do not run, a table of the layers stays readable.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from helpers.pieces._piece import Piece, element, read_title, script_of
from helpers.pieces._words import marked, tr
from helpers.pieces.network_explorer.stack import Row, StackError, as_module, read, work_out

if TYPE_CHECKING:
    from torch import nn

PHOTO = "astronaut.webp"
SIZE_LIMIT = 30 * 1024

__all__ = ["NetworkExplorer", "StackError", "explore_network"]


def _vgg() -> str:
    stages = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    parts = [", ".join([f"conv {n} p1, relu"] * count + ["maxpool"]) for n, count in stages]
    return ", ".join([*parts, "flatten, linear 4096, relu, linear 4096, relu, linear 1000"])


def _resnet() -> str:
    stages = (
        ", ".join((f"residual {n}" + " s2" * (n > 64), f"residual {n}"))
        for n in (64, 128, 256, 512)
    )
    first = "conv 64 k7 s2 p3 nobias, batchnorm, relu, maxpool k3 s2 p1"
    return ", ".join([first, *stages, "globalpool, flatten, linear 1000"])


# Networks to begin with: their layers, and the size of their picture (C, H, W).
NETWORKS: Mapping[str, tuple[str, tuple[int, int, int]]] = MappingProxyType(
    {
        marked("lesson 05"): (
            "conv 10 k5, maxpool, relu, conv 20 k5, maxpool, relu, flatten, linear 50, relu, "
            "linear 10",
            (1, 28, 28),
        ),
        "LeNet-5": (
            "conv 6 k5, avgpool, conv 16 k5, avgpool, conv 120 k5, flatten, linear 84, linear 10",
            (1, 32, 32),
        ),
        marked("AlexNet, two towers"): (
            "conv 96 k11 s4, relu, lrn, maxpool k3 s2, conv 256 k5 p2 g2, relu, lrn, "
            "maxpool k3 s2, conv 384 p1, relu, conv 384 p1 g2, relu, conv 256 p1 g2, relu, "
            "maxpool k3 s2, flatten, linear 4096, relu, dropout, linear 4096, relu, dropout, "
            "linear 1000",
            (3, 227, 227),
        ),
        marked("AlexNet, one tower (torchvision)"): (
            "conv 64 k11 s4 p2, relu, maxpool k3 s2, conv 192 k5 p2, relu, maxpool k3 s2, "
            "conv 384 p1, relu, conv 256 p1, relu, conv 256 p1, relu, maxpool k3 s2, flatten, "
            "dropout, linear 4096, relu, dropout, linear 4096, relu, linear 1000",
            (3, 224, 224),
        ),
        "VGG-16": (_vgg(), (3, 224, 224)),
        "ResNet-18": (_resnet(), (3, 224, 224)),
    }
)


def explore_network(
    network: str = "lesson 05",
    size: Sequence[int] | None = None,
    title: str | None = None,
) -> NetworkExplorer:
    """A stack of layers to edit, with sizes, parameters, multiply-adds, memory and fields.

    Parameters
    ----------
    network : str
        A name of `NETWORKS`, or a list of layers such as
        ``"conv 10 k5, maxpool k2, relu, flatten, linear 10"``. The kinds are conv, maxpool,
        avgpool, globalpool, residual, relu, batchnorm, lrn, dropout, flatten and linear; the
        letters k kernel size, s stride, p padding, d dilation, g groups.
    size : (C, H, W), optional
        Of the picture; for a name it is known.
    title : str, optional
        A line above the piece; also its name for screen readers.

    Returns
    -------
    NetworkExplorer
        A notebook shows it as the piece.

    Raises
    ------
    StackError
        A ValueError: if a layer cannot be read, or does not fit to the one before it.
    ValueError
        If the size is missing or wrong.
    TypeError
        If an argument is of the wrong kind.

    >>> explore_network("conv 8 k3, flatten, linear 10", (1, 28, 28)).parameters
    54170
    """
    title = read_title(title, tr("Explore a network"))
    if not isinstance(network, str):
        raise TypeError(tr("network must be a text, got {0}.", repr(network)))
    text, known = NETWORKS.get(network, (network, None))
    size = known if size is None else tuple(size)
    if size is None:
        raise ValueError(tr("size is missing: give (channels, rows, columns) of the picture."))
    if len(size) != 3 or not all(isinstance(v, int) and 1 <= v <= 1024 for v in size):
        raise ValueError(tr("size must be three whole numbers from 1 to 1024, got {0}.", size))
    return NetworkExplorer(text, (size[0], size[1], size[2]), title)


class NetworkExplorer(Piece):
    """A stack of layers to edit; a notebook shows it when it is the last value of a cell.

    ``save(path)`` writes it as a page of its own, which any browser opens without a connection.

    Attributes
    ----------
    rows : list of Row
        What each layer gives, as the piece begins.
    size : (C, H, W)
        Of the picture.
    title : str
        The line above it.
    """

    def __init__(self, text: str, size: tuple[int, int, int], title: str) -> None:
        self._layers = read(text)
        self.size, self.title = size, title
        self.rows: list[Row] = work_out(self._layers, size)
        data = {
            "t": title,
            "n": ", ".join(map(str, self._layers)),
            "s": size,
            "p": [
                [tr(name), ", ".join(map(str, read(layers))), given]
                for name, (layers, given) in NETWORKS.items()
            ],
        }
        script = script_of(__package__)
        html = element("cnn-network-explorer", data, self._still(), script)
        lines = ["  ".join(filter(None, texts)) for texts in self._lines()]
        super().__init__(title, html, "\n".join([title, self._sum(), *lines]))

    @property
    def parameters(self) -> int:
        """How many parameters all layers have together."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """How many multiply-adds one picture takes."""
        return sum(row.multiply_adds for row in self.rows)

    def model(self) -> nn.Sequential:
        """The stack as a network of PyTorch, with new weights.

        Returns
        -------
        torch.nn.Sequential
            Takes (N, C, H, W).
        """
        return as_module(self._layers, self.size)

    def _still(self) -> str:
        """What stands there without scripts: the layers as a table, and the photo."""
        head = "".join(
            f"<th>{name}"
            for name in (
                tr("layer"),
                tr("gives"),
                tr("parameters"),
                tr("multiply-adds"),
                tr("sees (rows × columns)"),
            )
        )
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(text)}" for text in texts) + "\n"
            for texts in self._lines()
        )
        photo = base64.b64encode(files(__package__).joinpath(PHOTO).read_bytes()).decode()
        ending = tr("Run this cell in JupyterLab to change the layers here.")
        return (
            f"<p><b>{escape(self.title)}</b></p>\n<table><caption>{self._sum()}</caption>\n"
            f"<tr>{head}\n{rows}</table>\n"
            f'<p><img alt="{tr("An astronaut")}" src="data:image/webp;base64,{photo}"></p>\n'
            f"<p><i>{ending}</i></p>\n"
        )

    def _sum(self) -> str:
        return tr(
            "A picture of {0}; {1} parameters, {2} multiply-adds",
            _by(self.size),
            f"{self.parameters:,}",
            f"{self.multiply_adds:,}",
        )

    def _lines(self) -> list[tuple[str, ...]]:
        """Each layer in words and numbers."""
        return [
            (
                str(row.layer),
                _by(row.shape),
                f"{row.parameters:,}" if row.parameters else "",
                f"{row.multiply_adds:,}" if row.multiply_adds else "",
                _by([field.size for field in row.fields]),
            )
            for row in self.rows
        ]


def _by(numbers: Sequence[int]) -> str:
    return " × ".join(f"{number:,}" for number in numbers)
