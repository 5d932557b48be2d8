"""What lessons have saved, with numbers that are not compared: 05 and 06 of all of MNIST.

Where only the sample is there, these cells compute other numbers, and what is saved is not
compared. So the asserts are run here with the saved numbers; `test_full_mnist` trains again.
"""

import re
from types import SimpleNamespace

import pytest

from tests.support.cells import Cells
from tests.support.lessons import need

TEST = re.compile(
    r"epoch \d/(\d+)  train loss ([\d.]+)  test loss ([\d.]+)  test accuracy ([\d.]+)%"
)
MEAN = re.compile(r"mean (\d+) \[(.*?)\]")


class Lesson(Cells):
    """The cells of a lesson: what each has saved, and what running one of them prints."""

    def saved(self, cell_id):
        return "".join(output.get("text", "") for output in self.cells[cell_id].outputs)

    def prints(self, cell_id, **names):
        """What the cell prints on all of MNIST, given these values of earlier cells."""
        return self.run(cell_id, full=True, **names).printed

    def trainings(self, cell_id):
        """A history for each training that the cell has saved, of 3 epochs each."""
        epochs = [tuple(map(float, one)) for one in TEST.findall(self.saved(cell_id))]
        assert {count for count, *_ in epochs} == {3}
        assert len(epochs) % 3 == 0
        for first in range(0, len(epochs), 3):
            _, train, test, percent = zip(*epochs[first : first + 3], strict=True)
            yield SimpleNamespace(
                train_losses=train, test_losses=test, test_accuracies=[p / 100 for p in percent]
            )


@pytest.fixture(scope="module")
def lesson_05():
    return Lesson("05")


@pytest.fixture(scope="module")
def lesson_06():
    return Lesson("06")


def test_means_fit_to_the_numbers_beside_them():
    need("notebooks/08-")
    found = MEAN.findall(Lesson("08").saved("old-new-emoji-targets"))
    assert len(found) == 8
    for mean, listed in found:
        numbers = [float(number.strip(" '")) for number in listed.split(",")]
        # All of them are rounded.
        assert float(mean) == pytest.approx(sum(numbers) / len(numbers), abs=1)


def test_mean_and_spread_of_the_pixels(lesson_05):
    mean, std = re.findall(r"\d\.\d+", lesson_05.saved("normal-run"))
    lesson_05.prints("normal-check", mean=float(mean), std=float(std))


def test_the_training_of_lesson_05(lesson_05):
    (history,) = lesson_05.trainings("train-run")
    assert lesson_05.prints("train-check", history=history, epochs=3) == lesson_05.saved(
        "train-check"
    )
    again = lesson_05.saved("train-again")
    in_epoch, at_end, test = re.findall(r"\d\.\d+", again)
    assert (float(in_epoch), float(test)) == (history.train_losses[-1], history.test_losses[-1])
    measured = {"training images": SimpleNamespace(loss=float(at_end))}
    assert again == lesson_05.prints(
        "train-again",
        history=history,
        net="the network",
        evaluate=lambda net, loader, device: measured[loader],
        train_loader="training images",
        device=None,
    )


def test_the_pair_that_is_mixed_up_most_often(lesson_05):
    """A comment of the cell names its place; `test_saved_pictures` looks into the saved matrix."""
    pair = re.fullmatch(
        r"mixed up most often: a (\d) is read as (\d), \d+ times\n",
        lesson_05.saved("confusion-most"),
    )
    truth, answer = map(int, pair.groups())
    assert truth != answer
    code = lesson_05.cells["confusion-most"].source
    assert f"# number {10 * truth + answer}, row by row, is row {truth}, column {answer}" in code


def test_what_convolution_buys(lesson_05):
    (trained,) = lesson_05.trainings("train-run")
    histories = dict(
        zip(("convolution", "fully connected"), lesson_05.trainings("buys-run"), strict=True)
    )
    printed = lesson_05.prints(
        "buys-check",
        rivals=histories,
        histories=histories,
        accuracy=trained.test_accuracies[-1],
    )
    assert printed == lesson_05.saved("buys-check")
    for name, history in histories.items():
        shifts = re.findall(rf"{name} +([\d.]+)% → ([\d.]+)%", lesson_05.saved("buys-shift-run"))
        assert len(shifts) == 4
        assert {float(before) / 100 for before, _ in shifts} == {history.test_accuracies[-1]}


def test_the_parts_of_the_recipe(lesson_06):
    row = re.compile(r"^(\S.*?)  +[\d.]+%(?: +([-+][\d.]+) ± ([\d.]+))?$", re.MULTILINE)
    rows = row.findall(lesson_06.saved("all-run"))
    leads = {name: (float(change or 0), float(unsure or 0)) for name, change, unsure in rows}
    names = {name: name for name in leads}
    assert next(iter(leads)) == "the recipe"
    assert len(leads) == 9
    lesson_06.prints("all-check", variants=names, correct=names, lead=lambda one, _: leads[one])


def test_the_last_table(lesson_06):
    saved = lesson_06.saved("final-table")
    row = re.compile(r"^(\S.*?)  +([\d.]+)% ± ([\d.]+)%(?: +([\d.]+) ± ([\d.]+))?$", re.MULTILINE)
    rows = {
        name: tuple(float(one or 0) for one in numbers) for name, *numbers in row.findall(saved)
    }
    images = int(saved.split()[0].replace(",", ""))
    for percent, unsure, ahead, _ in rows.values():
        assert unsure == pytest.approx((percent * (100 - percent) / images) ** 0.5, abs=0.006)
        assert ahead in (0, pytest.approx(rows["CNN"][0] - percent, abs=0.006))
    lesson_06.prints(
        "final-check",
        answered={name: name for name in rows},
        lead=lambda _, name: rows[name][2:],
        scores={name: percent / 100 for name, (percent, *_) in rows.items()},
        test_y=range(images),
    )
