"""A Sphinx extension: the pieces that a visitor works with, as directives.

```{stepper} conv2d          helpers.pieces.stepper; the arguments of step_conv2d follow as YAML
:moves:                     it moves by itself, while it is in view, until somebody touches it
x: [[0, 1], [2, 3]]
weight: [[1]]
```

```{draw-digit}              helpers.pieces.draw_digit, with the weights that come with the course
```

```{filter-dialog}           helpers.pieces.filter_dialog, on photos of the course
```

```{network-explorer} VGG-16  helpers.pieces.network_explorer; a name of its NETWORKS
```

```{train-here}              helpers.pieces.train_here: a network that learns in the page
```

```{prediction-record}       what the visitor has predicted, and a button that forgets it
```
"""

import json
from typing import ClassVar

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from lessons import lesson_rows, readme
from sphinx.util.docutils import SphinxDirective

from helpers.command.files import ROOT


def as_node(piece, moves=False):
    """What a notebook would show, as a node of the page; one that moves by itself, or not."""
    html = piece._repr_html_()
    if moves:
        html = f"<div data-moves>{html}</div>"
    return nodes.raw("", html, format="html", classes=["piece"])


class StepperDirective(SphinxDirective):
    required_arguments = 1
    option_spec: ClassVar = {"moves": directives.flag}
    has_content = True

    def run(self):
        from helpers.pieces import stepper

        try:
            make = getattr(stepper, f"step_{self.arguments[0]}")
            piece = make(**yaml.safe_load("\n".join(self.content)))
        except (AttributeError, TypeError, ValueError, yaml.YAMLError) as error:
            raise self.error(f"stepper: {error}") from error
        return [as_node(piece, moves="moves" in self.options)]


class DrawDigitDirective(SphinxDirective):
    def run(self):
        from helpers.pieces.draw_digit import draw_digit

        return [as_node(draw_digit())]


class FilterDialogDirective(SphinxDirective):
    def run(self):
        from helpers.pieces.filter_dialog import filter_dialog

        return [as_node(filter_dialog())]


class TrainHereDirective(SphinxDirective):
    def run(self):
        from helpers.pieces.train_here import train_here

        return [as_node(train_here())]


class NetworkExplorerDirective(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        from helpers.pieces.network_explorer import explore_network

        try:
            return [as_node(explore_network(self.arguments[0]))]
        except ValueError as error:
            raise self.error(f"network-explorer: {error}") from error


class PredictionRecordDirective(SphinxDirective):
    def run(self):
        from helpers.pieces.prediction import PredictionRecord, read_predictions

        lessons = []
        for row in lesson_rows(readme(self.env)):
            path = ROOT / f"{row['path']}.ipynb"
            if not path.is_file():
                raise self.error(f"prediction-record: {path.name} is missing")
            self.env.note_dependency(str(path))
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            outputs = [output for cell in cells for output in cell.get("outputs", [])]
            html = "".join("".join(o.get("data", {}).get("text/html", "")) for o in outputs)
            names = [one["n"] for one in read_predictions(html)]
            lessons.append((f"{row['number']} {row['title']}", f"{row['path']}.html", names))
        return [as_node(PredictionRecord(lessons))]


def setup(app):
    app.add_directive("stepper", StepperDirective)
    app.add_directive("draw-digit", DrawDigitDirective)
    app.add_directive("filter-dialog", FilterDialogDirective)
    app.add_directive("network-explorer", NetworkExplorerDirective)
    app.add_directive("train-here", TrainHereDirective)
    app.add_directive("prediction-record", PredictionRecordDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
