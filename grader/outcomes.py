"""What can become of a submission, and what is said of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Outcome = Literal[
    "graded",
    "cell timeout",
    "total timeout",
    "out of memory",
    "died",
    "too much output",
    "too much to judge",
    "tampering suspected",
    "unreadable",
    "not recorded",
    "not judged",
]
"""The name of an outcome, in records, tables and messages."""


class Sentences(NamedTuple):
    """What students read.

    Attributes
    ----------
    in_cell : str
        In the cell in which it happened, as an error.
    in_notes : str
        At the top of the page.
    """

    in_cell: str = ""
    in_notes: str = ""


SENTENCES: dict[Outcome, Sentences] = {
    "graded": Sentences(),
    "cell timeout": Sentences(
        "This cell took longer than it may, and was stopped.",
        "A cell took longer than it may, and was stopped. The rest was graded.",
    ),
    "total timeout": Sentences(
        "The notebook as a whole took longer than it may: this cell did not run.",
        "The notebook as a whole took longer than it may: the last cells did not run.",
    ),
    "out of memory": Sentences(
        "The notebook took more memory than it may, and was stopped here.",
        "A cell took more memory than it may, and was stopped. The rest was graded.",
    ),
    "died": Sentences(
        "Python itself ended here.",
        "Python itself ended in a cell. The rest was graded with what could be kept.",
    ),
    "too much output": Sentences(
        "The notebook showed more than it may, and was stopped here.",
        "The notebook showed more than it may, and was stopped there.",
    ),
    "too much to judge": Sentences(
        "What came back takes more work to judge than it may. Is it far larger than what the task "
        "asks for?",
        "What came back in a test was more than could be judged. The rest was graded.",
    ),
    # Its evidence is for a person: students are told nothing at the top.
    "tampering suspected": Sentences("What came back was no answer: a person will look at it."),
    "unreadable": Sentences(
        in_notes="There was no notebook that could be graded, so there are no points.",
    ),
    # The reason stands among the notes.
    "not recorded": Sentences(),
    "not judged": Sentences("What came back could not be judged: a person will look at it."),
}
