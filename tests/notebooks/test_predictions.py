"""The questions that take the reader's guess: all are asked, and their answers are true."""

import itertools
import re

import pytest

from tests.support.lessons import LESSONS, box_name, number_of, questions, read

QUESTIONS = questions()
NOTEBOOKS = {path.stem: read(path) for path in LESSONS}
PLACES = {
    name: (notebook.cells, place)
    for notebook in NOTEBOOKS.values()
    for place, cell in enumerate(notebook.cells)
    if (name := box_name(cell))
}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# Answers that follow from what the next cell prints, but do not stand in it: how one gets them.
WORKED_OUT = {
    "01-edge": lambda printed: [n for n, v in enumerate(rows(printed)[-1]) if v],
    "02-stride-3": lambda printed: len(rows(printed)[0]),
    "02-left-over": lambda printed: sum(a != b for a, b in zip(printed, (6, 6, 5, 6), strict=True)),
    "02-same": lambda printed: [len(rows(printed)), len(rows(printed)[0])],
    "03-rrelu": lambda printed: [row[-1] for row in rows(printed)],
    "05-first-loss": lambda printed: round(printed[0], 1),
    "07-border": len,
    "A-face": lambda printed: [row[-1] for row in rows(printed)[::2]],
}


def rows(printed):
    return printed.lines


class Printed(list):
    """All numbers of a text, and its lines as rows of numbers."""

    def __init__(self, text):
        numbers = [[float(n) for n in NUMBER.findall(line)] for line in text.splitlines()]
        self.lines = [line for line in numbers if line]
        super().__init__(itertools.chain.from_iterable(self.lines))


def result_of(name):
    """What the cell prints that a question is about: the next one with a saved output."""
    cells, place = PLACES[name]
    cell = next(cell for cell in cells[place + 1 :] if cell.get("outputs"))
    return "".join(output.get("text", "") for output in cell.outputs)


def test_every_question_is_asked_once_in_its_lesson():
    asked = [(number_of(path), name) for path in LESSONS for name in names(NOTEBOOKS[path.stem])]
    assert sorted(name for _, name in asked) == sorted(QUESTIONS)
    assert [name for _, name in asked] == list(QUESTIONS), "they stand in the lessons' order"
    for number, name in asked:
        assert name.startswith(f"{number}-")


def names(notebook):
    return [name for name in map(box_name, notebook.cells) if name]


def test_at_least_half_of_the_predictions_take_a_guess():
    written = [
        cell
        for notebook in NOTEBOOKS.values()
        for cell in notebook.cells
        if cell.cell_type == "markdown" and "**Predict, then run.**" in cell.source
    ]
    assert len(QUESTIONS) >= len(written)


@pytest.mark.parametrize("name", [name for name in QUESTIONS if "choices" not in QUESTIONS[name]])
def test_the_answer_is_what_the_next_cell_prints(name):
    printed, answer = Printed(result_of(name)), QUESTIONS[name]["answer"]
    if name in WORKED_OUT:
        assert WORKED_OUT[name](printed) == answer
        return
    wanted = answer if isinstance(answer, list) else [answer]
    starts = range(len(printed) - len(wanted) + 1)
    assert any(printed[k : k + len(wanted)] == wanted for k in starts), (name, printed)


@pytest.mark.parametrize("name", QUESTIONS)
def test_its_own_cell_shows_only_the_box(name):
    cells, place = PLACES[name]
    assert cells[place].metadata["jupyter"]["source_hidden"]
    assert "outputs_hidden" not in cells[place].metadata["jupyter"]
    assert next(cell for cell in cells[place + 1 :] if cell.get("outputs")).metadata["jupyter"][
        "outputs_hidden"
    ]
