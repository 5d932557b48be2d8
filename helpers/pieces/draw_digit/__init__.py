"""Draw a digit, and see what the network of lesson 05 makes of it, in the page itself.

The network's weights are in the piece. Where scripts do not run, a table of one digit's
probabilities stays readable.

The keyboard and labelling patterns follow the W3C's ARIA Authoring Practices Guide ("Grid"). A
drawing is centred as MNIST was made: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning
Applied to Document Recognition", Proceedings of the IEEE 1998.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from helpers.pieces._piece import Piece, element, read_title, script_of
from helpers.pieces._words import tr
from helpers.pieces.draw_digit.net import Example, Net, forward, normalise, read_file, read_model

if TYPE_CHECKING:
    import torch

# A notebook holds every piece in full. Here the weights, 57 KiB, come on top.
SIZE_LIMIT = 30 * 1024

# The first examples are one of each digit; those after them are hard to read.
DIGITS = 10

__all__ = ["DrawDigit", "draw_digit"]


def draw_digit(model: torch.nn.Module | None = None, title: str | None = None) -> DrawDigit:
    """A pad to draw a digit on, and all that a network makes of it.

    Parameters
    ----------
    model : torch.nn.Module, optional
        With the layers of lesson 05 (`make_net`); by default the network that comes with the
        course, which needs no torch. The page computes with the model's own weights, rounded to
        16 bits, in eval mode; later training does not change the piece.
    title : str, optional
        A line above the piece; also its name for screen readers.

    Returns
    -------
    DrawDigit
        A notebook shows it as the piece.

    Raises
    ------
    ValueError
        If the model has other layers, or weights that are NaN, infinite or larger than 65,504.
    TypeError
        If `model` is no torch model, or `title` no text.

    >>> draw_digit().probabilities(0).argmax()
    np.int64(0)
    """
    title = read_title(title, tr("Draw a digit"))
    net, examples = read_file()
    if model is not None:
        net = read_model(model, normalise(examples[0].pixels))
    return DrawDigit(net, examples, title)


class DrawDigit(Piece):
    """A pad to draw on; a notebook shows it when it is the last value of a cell.

    ``save(path)`` writes it as a page of its own, which any browser opens without a connection.

    Attributes
    ----------
    net : Net
        The network that the page computes with.
    examples : list of Example
        The digits that its buttons show.
    title : str
        The line above it.
    """

    def __init__(self, net: Net, examples: list[Example], title: str) -> None:
        self.net, self.examples, self.title = net, examples, title
        self._about = self._read_about()
        label, probabilities = self._shown()
        still = self._still(label, probabilities)
        html = element("cnn-draw-digit", self._data(), still, script_of(__package__))
        shares = "  ".join(f"{digit}: {p:.1%}" for digit, p in enumerate(probabilities))
        example = tr("A {0} from the test images: {1}", label, shares)
        super().__init__(title, html, f"{title}\n{self._about}\n{example}")

    def probabilities(self, number: int) -> np.ndarray:
        """What the network makes of an example.

        Parameters
        ----------
        number : int
            Which of `examples`, from 0.

        Returns
        -------
        ndarray, (10,)
            The probability of each digit, from 0 to 1, float32.
        """
        image = normalise(self.examples[number].pixels)
        return np.exp(forward(self.net.weights, image)["log_probabilities"])

    def about(self) -> str:
        """One or two sentences: which network this is, and how well it reads."""
        return self._about

    def _read_about(self) -> str:
        about = self.net.about
        if not about:
            return tr(
                "Your own network, with the weights that it had when this was made, rounded to "
                "16 bits. The examples are test images of MNIST; the course's own network reads "
                "the ones marked hard wrongly."
            )
        share = about["test images read correctly"] / about["test images"]
        return tr(
            "The network of lesson 05, trained on {0} images for {1} epochs. Of {2} test images, "
            "which it did not learn from, it reads {3} correctly. The examples are such test "
            "images; the ones marked hard are among those that it reads wrongly.",
            f"{about['training images']:,}",
            about["epochs"],
            f"{about['test images']:,}",
            f"{share:.1%}",
        )

    def _data(self):
        return {
            "t": self.title,
            "a": self.about(),
            "w": self.net.packed(),
            "m": DIGITS,
            "e": [[one.label, one.packed()] for one in self.examples],
        }

    def _still(self, label, probabilities):
        """What stands there without scripts: one example's probabilities, as a table."""
        rows = "".join(f"<tr><th>{digit}<td>{p:.1%}\n" for digit, p in enumerate(probabilities))
        caption = tr("What it makes of a {0} from the test images", label)
        ending = tr("Run this cell in JupyterLab to draw here.")
        return (
            f"<p><b>{escape(self.title)}</b></p>\n<p>{escape(self.about())}</p>\n"
            f"<table><caption>{caption}</caption>\n"
            f"<tr><th>{tr('digit')}<th>{tr('probability')}\n{rows}</table>\n"
            f"<p><i>{ending}</i></p>\n"
        )

    def _shown(self):
        """The example that the network finds hardest to decide: its label and probabilities."""
        all_of_them = [self.probabilities(number) for number in range(len(self.examples))]
        hardest = min(range(len(all_of_them)), key=lambda n: all_of_them[n].max())
        return self.examples[hardest].label, all_of_them[hardest]
