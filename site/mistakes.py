"""A Sphinx extension: the known mistakes of an assignment, by name, with their explanation.

```{known-mistakes} 01-convolution-by-hand
```

They come from solutions/known-mistakes.csv, which `make assignments` makes from the banks. Of each
mistake the page has the name and what the student reads: no code, and no test. The names are those
of functions, in English; the sentences are in the language of the build.
"""

import csv
import itertools
import re
from operator import itemgetter

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from helpers.command.files import ROOT
from helpers.language import translated

TABLE = ROOT / "solutions/known-mistakes.csv"


def read_mistakes(assignment, table=TABLE):
    """[(exercise, [(name, sentence)])] of an assignment, in the banks' order."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["assignment"] == assignment]
    return [
        (
            exercise,
            [(row["mistake"].replace("_", " "), row["what the student reads"]) for row in group],
        )
        for exercise, group in itertools.groupby(rows, itemgetter("exercise"))
    ]


def with_code(text):
    """The text as nodes; what stands between backticks is code."""
    parts = re.split(r"`([^`]+)`", text)
    return [
        nodes.literal("", part) if number % 2 else nodes.Text(part)
        for number, part in enumerate(parts)
        if part
    ]


class KnownMistakesDirective(SphinxDirective):
    required_arguments = 1

    def run(self):
        self.env.note_dependency(str(TABLE))
        exercises = read_mistakes(self.arguments[0])
        if not exercises:
            raise self.error(f"known-mistakes: there are none for {self.arguments[0]}")
        return [self.section(exercise, mistakes) for exercise, mistakes in exercises]

    def section(self, exercise, mistakes):
        catalogue = f"known-mistakes/{self.arguments[0]}"
        title = nodes.title("", "", nodes.literal("", exercise))
        section = nodes.section("", title, ids=[nodes.make_id(f"of {exercise}")])
        section["names"] = [f"of {exercise}"]
        entries = nodes.definition_list(classes=["mistakes"])
        for name, sentence in mistakes:
            ids = [nodes.make_id(f"{exercise} {name}")]
            term = nodes.term("", name, ids=ids, classes=["language-en"])
            told = translated(translated(sentence, catalogue), "site/mistakes")
            text = nodes.definition("", nodes.paragraph("", "", *with_code(told)))
            entries += nodes.definition_list_item("", term, text)
        section += entries
        return section


def setup(app):
    app.add_directive("known-mistakes", KnownMistakesDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
