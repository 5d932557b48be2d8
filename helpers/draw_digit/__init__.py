"""Draw a digit, and see what the network of lesson 05 makes of it, in the page itself.

The piece that a cell shows is HTML with its script and the network's weights inside: it needs no
running kernel and no connection. Where scripts do not run (an untrusted notebook, a code host) a
table of one digit's probabilities stays readable.

The keyboard and labelling patterns follow the W3C's ARIA Authoring Practices Guide ("Grid"). A
drawing is centred as MNIST was made: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning
Applied to Document Recognition", Proceedings of the IEEE 1998.
"""

import base64
import json
import re
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np

from .net import forward, normalise, read_file, read_model

SOURCES = ("net.js", "ink.js", "explain.js", "panel.js", "pad.js", "draw_digit.js")

# The first examples are one of each digit; those after them are hard to read.
DIGITS = 10

__all__ = ["DrawDigit", "draw_digit"]


def draw_digit(model=None, title=None):
    """A pad to draw a digit on, and all that a network makes of it.

    Args:
        model: a torch model with the layers of lesson 05 (`make_net`), or None for the network
            that comes with the course, which needs no torch. The page computes with the model's
            own weights, as float32, in eval mode; later training does not change the piece.
        title: a line above the piece; also its name for screen readers.

    Returns:
        A `DrawDigit`, which a notebook shows as the piece.

    Raises:
        TypeError: model is no torch model, or title no text.
        ValueError: the model has other layers, or weights that are NaN or infinite.

    >>> draw_digit().probabilities(0).argmax()
    np.int64(0)
    """
    if title is None:
        title = "Draw a digit"
    elif not isinstance(title, str) or not title.strip():
        raise TypeError(f"title must be a text that is not empty, or None, got {title!r}.")
    net, examples = read_file()
    if model is not None:
        net = read_model(model, normalise(examples[0].pixels))
    return DrawDigit(net, examples, title)


class DrawDigit:
    """A pad to draw on; a notebook shows it when it is the last value of a cell.

    Attributes:
        net: the `helpers.draw_digit.net.Net` that the page computes with.
        examples: the digits that its buttons show, `helpers.draw_digit.net.Example`.
        title: the line above it.
    """

    def __init__(self, net, examples, title):
        self.net, self.examples, self.title = net, examples, title
        # A sanitizer that prints what is in a script finds only a comment, and drops it; for a
        # browser both comment marks are one-line comments of JavaScript.
        self._html = (
            f'<div class="cnn-draw-digit"><!--{self._data()}-->\n{self._still()}</div>\n'
            f"<script><!--\n{_script()}\n--></script>"
        )

    def probabilities(self, number):
        """What the network makes of an example.

        Args:
            number: which of `examples`.

        Returns:
            float32 array (10,): the probability of each digit, 0 to 1.
        """
        image = normalise(self.examples[number].pixels)
        return np.exp(forward(self.net.weights, image)["log_probabilities"])

    def about(self):
        """One or two sentences: which network this is, and how well it reads."""
        about = self.net.about
        if not about:
            return (
                "Your own network, with the weights that it had when this was made. The examples "
                "are test images of MNIST; the course's own network reads the ones marked hard "
                "wrongly."
            )
        share = about["test images read correctly"] / about["test images"]
        return (
            f"The network of lesson 05, trained on {about['training images']:,} images for "
            f"{about['epochs']} epochs. Of {about['test images']:,} test images, which it did not "
            f"learn from, it reads {share:.1%} correctly. The examples are such test images; the "
            "ones marked hard are among those that it reads wrongly."
        )

    def _data(self):
        data = {
            "t": self.title,
            "a": self.about(),
            "d": self.net.dtype,
            "w": self.net.packed(),
            "m": DIGITS,
            "e": [
                [one.label, base64.b64encode(one.pixels.tobytes()).decode()]
                for one in self.examples
            ],
        }
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        # Two dashes or an angle bracket could end the comment that this stands in.
        return re.sub("[<>]|--", lambda m: "".join(f"\\u{ord(c):04x}" for c in m[0]), text)

    def _still(self):
        """What stands there without scripts: one example's probabilities, as a table."""
        label, probabilities = self._shown()
        rows = "".join(f"<tr><th>{digit}<td>{p:.1%}\n" for digit, p in enumerate(probabilities))
        return (
            f"<p><b>{escape(self.title)}</b></p>\n<p>{escape(self.about())}</p>\n"
            f"<table><caption>What it makes of a {label} from the test images</caption>\n"
            f"<tr><th>digit<th>probability\n{rows}</table>\n"
            "<p><i>Where scripts run, as in a trusted notebook in JupyterLab, here is a pad to "
            "draw on.</i></p>\n"
        )

    def _shown(self):
        """The example that the network finds hardest to decide: its label and probabilities."""
        all_of_them = [self.probabilities(number) for number in range(len(self.examples))]
        hardest = min(range(len(all_of_them)), key=lambda n: all_of_them[n].max())
        return self.examples[hardest].label, all_of_them[hardest]

    def _repr_html_(self):
        return self._html

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self._html, "text/plain": repr(self)}

    def __repr__(self):
        label, probabilities = self._shown()
        shares = "  ".join(f"{digit}: {p:.1%}" for digit, p in enumerate(probabilities))
        return f"{self.title}\n{self.about()}\nA {label} from the test images: {shares}"

    def save(self, path):
        """Write the piece as a page of its own, which any browser opens without a connection.

        Args:
            path: where to; an existing file is replaced.

        Returns:
            The `pathlib.Path` written.
        """
        path, title = Path(path), escape(self.title)
        path.write_text(
            '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{title}</title></head>\n<body><main>\n"
            f'<h1 style="position:absolute;clip-path:inset(50%)">{title}</h1>\n'
            f"{self._html}\n</main></body>\n</html>\n",
            encoding="utf-8",
        )
        return path


def _script():
    """All of the script, with the style as its constant CSS; without comments and indentation."""
    folder = files(__package__)
    css = re.sub(r"\s+", " ", folder.joinpath("draw_digit.css").read_text(encoding="utf-8"))
    css = re.sub(r" ?([{};,]) ?", r"\1", css).replace(";}", "}").strip()
    code = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in SOURCES)
    lines = [line.strip() for line in code.splitlines()]
    kept = "\n".join(line for line in lines if line and not line.startswith("//"))
    return f"(() => {{\nconst CSS = {json.dumps(css)};\n{kept}\n}})();"
