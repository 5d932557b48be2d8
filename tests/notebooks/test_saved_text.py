"""What lessons have saved, with numbers that are not compared, or within wide limits only.

Lessons 05 and 06 have saved those of all of MNIST. Where only the sample is there, their cells
compute other numbers; `test_full_mnist` trains again. Times, tiny errors and trainings differ
between machines. So the lesson's asserts hold here for the saved numbers, and so does what its
text says of them.
"""

import itertools
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.support.cells import Cells
from tests.support.lessons import need

TEST = re.compile(
    r"epoch \d/(\d+)  train loss ([\d.]+)  test loss ([\d.]+)  test accuracy ([\d.]+)%"
)
MEAN = re.compile(r"mean (\d+) \[(.*?)\]")


NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]\d+)?")


def numbers_in(text):
    return [float(number) for number in NUMBER.findall(text)]


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


# --- 00 and the appendix -------------------------------------------------------------------------


def test_the_threads_of_the_machine_are_told_alike():
    lesson = Lesson("00")
    (report,) = lesson.cells["report-run"].outputs
    (told,) = re.findall(r"on CPU, (\d+) threads?$", report.data["text/plain"], re.MULTILINE)
    times = dict(re.findall(r"threads: (\d+) +([\d.]+)$", lesson.saved("time-run"), re.MULTILINE))
    assert lesson.saved("report-torch-run").endswith(f"CPU threads: {told}\n")
    assert list(times) == ["1", told]
    assert min(map(float, times.values())) == 1.0


def test_errors_of_cudnn_are_those_of_rounding():
    errors = re.findall(r"error (\S+)$", Lesson("A").saved("cudnn-test-run"), re.MULTILINE)
    assert len(errors) == 3
    assert all(1e-8 < float(error) < 1e-5 for error in errors)


# --- 04 ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lesson_04():
    return Lesson("04")


def test_the_ways_to_convolve_of_lesson_04(lesson_04):
    row = re.compile(r"^(.*?) +([\d.,]+)   \w", re.MULTILINE)
    rows = row.findall(lesson_04.saved("time-run"))
    ratios = {name: float(ratio.replace(",", "")) for name, ratio in rows}
    assert min(ratios.values()) == 1.0
    lesson_04.prints(
        "time-check",
        seconds=ratios,
        wanted=torch.empty(86_528),
        im2col=lambda *_: np.zeros((9, 26 * 26)),
        layer_x=np.zeros((28, 28)),
    )
    loop, view, product, ops, torch_s = ratios.values()
    # "In the saved run it is the second", and helpers.ops does "the same".
    assert view / product > loop / view
    assert 0.5 < ops / product < 2
    assert torch_s < product


def test_the_gradient_check_of_lesson_04(lesson_04):
    errors = re.findall(r"^(\w): .* (\S+)$", lesson_04.saved("check-run"), re.MULTILINE)
    assert [name for name, _ in errors] == ["x", "w", "b"]
    assert max(float(error) for _, error in errors) < 1e-7


def test_the_trainings_of_lesson_04(lesson_04):
    """All of the few are learned, with right labels, with wrong ones and with the bug."""
    shares = [
        re.findall(r"(\d+)%", lesson_04.saved(cell_id))[-1]
        for cell_id in ("overfit-run", "overfit-predict-run", "overfit-bug-run")
    ]
    assert shares == ["100"] * 3
    epochs = re.findall(
        r"epoch (\d): test loss (\S+), accuracy (\S+)%, (\d+) s", lesson_04.saved("train-run")
    )
    assert [epoch for epoch, *_ in epochs] == ["1", "2", "3", "4"]
    assert float(epochs[-1][2]) >= 90
    seconds = [int(spent) for *_, spent in epochs]
    assert seconds == sorted(seconds)


# --- 05 ------------------------------------------------------------------------------------------


def test_the_sizes_of_the_two_parts_of_mnist(lesson_05):
    sizes = re.findall(r"([\d,]+) images", lesson_05.saved("data-load"))
    parts = [range(int(size.replace(",", ""))) for size in sizes]
    data = type("Data", (), {"__len__": lambda _: len(parts[0]), "__getitem__": lambda *_: EXAMPLE})
    lesson_05.prints("data-check", train_images=data(), test_images=parts[1])


EXAMPLE = torch.zeros(1, 28, 28), 7


def test_with_dropout_fewer_are_right(lesson_05):
    with_dropout, without = (
        float(one) / 100 for one in re.findall(r"([\d.]+)%", lesson_05.saved("mode-run"))
    )
    lesson_05.prints("mode-check", with_dropout=with_dropout, without=without)
    (history,) = lesson_05.trainings("train-run")
    assert without == pytest.approx(history.test_accuracies[-1], abs=0.02)  # of 1,000 of them


def test_moved_digits_of_lesson_05(lesson_05):
    row = re.compile(r"^(\w+) +(\w.*?)  +([\d.]+)% → ([\d.]+)%$", re.MULTILINE)
    lost = {"convolution": [], "fully connected": []}
    for _, name, before, after in row.findall(lesson_05.saved("buys-shift-run")):
        lost[name].append((float(before) - float(after)) / 100)
    assert [len(some) for some in lost.values()] == [4, 4]
    lesson_05.prints("buys-shift-check", lost=lost)
    # "It also suffers less when the digits are moved", whichever way.
    assert all(a < b for a, b in zip(*lost.values(), strict=True))


# --- 06 ------------------------------------------------------------------------------------------


def test_epochs_that_are_told_of_lesson_06(lesson_06):
    best, last = (int(n) for n in re.findall(r"epoch (\d+):", lesson_06.saved("part-numbers")))
    stopped, kept = map(int, re.findall(r"epoch (\d+)", lesson_06.saved("stop-exam-run")))
    assert (best, last) == (kept, 40)
    assert stopped == kept + 8  # the patience
    assert lesson_06.saved("setup") == "(4000, 1, 28, 28) digits; seeds: (1, 2, 3)\n"


def test_starts_activations_and_normalisation(lesson_06):
    usual, larger = (
        numbers_in(line.partition("loss")[2])
        for line in lesson_06.saved("start-measure").splitlines()
    )
    assert len(usual) == len(larger) == 3
    assert max(larger) < 0.1 < 0.4 < min(usual)

    row = re.compile(r"^(ReLU|Sigmoid) +weights (× [\d.]+) +(\S+) +(\S+) +(\S+)$", re.MULTILINE)
    rates = (0.05, 0.3, 1.0)
    ends = {
        (kind, name, rate): [float(loss)]
        for kind, name, *losses in row.findall(lesson_06.saved("fair-run"))
        for rate, loss in zip(rates, losses, strict=True)
    }
    assert len(ends) == 18
    lesson_06.prints("fair-check", ends=ends, rates=rates)
    # The highest of the last 40 losses is not below the last one, of the same trainings.
    for name, last in (("× 1", usual), ("× 2.45", larger)):
        assert ends["ReLU", name, 0.05][0] > sum(last) / 3 - 0.001

    effects = lesson_06.saved("norm-effect-run").splitlines()
    for line, kind, rate in zip(effects, ("ReLU", "Sigmoid"), (1.0, 0.05), strict=True):
        assert line.startswith(f"{kind}, rate {rate} ")
        pairs = [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) → ([\d.]+)", line)]
        without, after = zip(*pairs, strict=True)
        assert max(after) < 0.8 < 1 < max(without)
        assert sum(without) / 3 == pytest.approx(ends[kind, "× 1", rate][0], abs=0.0011)


def test_what_holds_back(lesson_06):
    row = re.compile(r"loss ([\d.]+) \(([\d.]+)%\) +loss ([\d.]+) \(([\d.]+)%\)$", re.MULTILINE)
    plain, dropped, decayed = (
        [float(one) for one in found] for found in row.findall(lesson_06.saved("help-run"))
    )
    assert max(dropped[2], decayed[2]) < plain[2]
    assert dropped[0] > plain[0]  # "in short training dropout only does harm"
    assert dropped[1] < plain[1]
    # "The accuracies are too close to call: each is uncertain by about one point."
    late = [plain[3], dropped[3], decayed[3]]
    assert max(late) - min(late) < 1.4


def test_many_images_and_moved_ones(lesson_06):
    saved = lesson_06.saved("many-run")
    assert re.findall(r"[\d,]{5,}", saved) == ["55,000", "5,000", "55,000"]
    with_dropout, without = (float(one) / 100 for one in re.findall(r"([\d.]+)%", saved))
    assert without > with_dropout + 0.005
    uncertain = sum(p * (1 - p) / 5000 for p in (with_dropout, without)) ** 0.5
    # "about three times its uncertainty"
    assert 2.5 < (without - with_dropout) / uncertain < 3.5

    (usual, moved), (usual_shifted, moved_shifted) = (
        [float(one) / 100 for one in re.findall(r"([\d.]+)%", line)]
        for line in lesson_06.saved("shift-run").splitlines()[1:]
    )
    assert moved_shifted > moved + 0.1
    assert usual_shifted > usual - 0.02


def test_the_parts_of_the_recipe_add_up(lesson_06):
    row = re.compile(r"^(\S.*?)  +([\d.]+)%(?: +([-+][\d.]+) ± [\d.]+)?$", re.MULTILINE)
    (_, recipe, _), *others = row.findall(lesson_06.saved("all-run"))
    for name, percent, change in others:
        assert float(percent) - float(recipe) == pytest.approx(float(change), abs=0.11), name


def test_held_out_images_and_test_images_agree(lesson_06):
    """Both are thousands of the same kind: far more than four times the uncertainty is no luck."""
    (cnn,) = re.findall(r"([\d.]+)%", lesson_06.saved("final-train"))
    connected = re.findall(r"([\d.]+)%", lesson_06.saved("final-connected"))
    (tested,) = re.findall(r"^CNN +([\d.]+)%", lesson_06.saved("final-table"), re.MULTILINE)
    (other,) = re.findall(
        r"^fully connected +([\d.]+)%", lesson_06.saved("final-table"), re.MULTILINE
    )
    assert lesson_06.saved("final-train").startswith("29,290 parameters, ")
    assert float(cnn) == pytest.approx(float(tested), abs=0.5)
    assert len(connected) == 2
    assert max(map(float, connected)) == pytest.approx(float(other), abs=0.8)


# --- 07 ------------------------------------------------------------------------------------------


def test_the_tries_of_lesson_07():
    lesson = Lesson("07")
    row = re.compile(r"^(w[^,]*)(?:, \w+ ([\d.]+))?, rate ([\d.]+): ([\d.]+)% of", re.MULTILINE)
    tries = {}
    for name, option, rate, percent in row.findall(lesson.saved("compare-run")):
        tries[name, float(rate), *([float(option)] if option else [])] = float(percent) / 100
    assert len(tries) == 12
    table = {
        line[:13].strip(): numbers_in(line[13:].replace("%", ""))
        for line in lesson.saved("compare-table").splitlines()[2:]
    }
    trained, tested = {}, {}
    for name, (learned, right, loss, loss_on_new) in table.items():
        trained[name] = [SimpleNamespace(accuracy=learned / 100, loss=loss)]
        tested[name] = [SimpleNamespace(accuracy=right / 100, loss=loss_on_new)]
    assert list(table) == ["without both", "with dropout", "with LRN"]
    lesson.prints(
        "compare-check", tries=tries, trained=trained, tested=tested, alphas=[0.62, 0.062, 0.0062]
    )


# --- 08 ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lesson_08():
    return Lesson("08")


def test_separable_layers_are_faster_but_not_as_much_as_counted(lesson_08):
    (times,) = numbers_in(lesson_08.saved("batch-torch-randn-64"))
    assert 1 < times < 7.9


def test_deep_plain_nets_of_lesson_08(lesson_08):
    shallow, deep = (
        float(one) for one in re.findall(r"loss ([\d.]+)", lesson_08.saved("for-depth-in-2"))
    )
    assert shallow < 0.05 < 0.5 < deep
    plain, residual = (
        numbers_in(line.partition(":")[2].replace("'", " "))
        for line in lesson_08.saved("class-residual-plain-def").splitlines()
    )
    assert plain[0] == deep  # the same seed
    assert max(residual) < 0.05 < 0.5 < min(plain)
    he = numbers_in(lesson_08.saved("def-he-start-net").partition(":")[2].replace("'", " "))
    assert len(he) == 3
    assert max(he) < 0.1


def test_three_networks_of_lesson_08(lesson_08):
    """The verdicts, and the lead that the text tells, are those of the means."""
    saved = lesson_08.saved("tested-for-name-make")
    row = re.compile(r"^(\w[\w ]*?) ([\d.]+) %", re.MULTILINE)
    means = {name: float(mean) for name, mean in row.findall(saved)}
    assert min(means.values()) > 85
    verdicts = re.findall(r"^(\S.*?) [\d.]+ %, .*: (.*)$", saved, re.MULTILINE)
    for name, verdict in verdicts:
        ahead = means["residual"] - means[name]
        assert verdict == "not decided" or (verdict == "better") == (ahead > 0)
    text = lesson_08.cells["the-dots-overlap-so"].source
    lead = means["without plus"] - means["residual"]
    assert f"better by {lead:.1f} points" in text
    assert dict(verdicts) == {"lesson 05": "not decided", "without plus": "worse"}
    scores = re.findall(r"'([\d.]+)%'", lesson_08.saved("def-trained-make-rate"))
    assert len(scores) == 6
    assert min(map(float, scores)) > 85


def test_ways_to_reuse_a_body(lesson_08):
    row = re.compile(r"^(\d+) images, (\S.*?)  +\[(.*)\]$", re.MULTILINE)
    found = {
        (int(count), way): numbers_in(listed.replace("'", " "))
        for count, way, listed in row.findall(lesson_08.saved("high-test-test-labels"))
    }
    nothing, frozen, tuned = "from nothing", "frozen body", "fine-tuned"
    assert [*found] == [(n, way) for n in (10, 50) for way in (nothing, frozen, tuned)]
    mean = {case: sum(values) / 3 for case, values in found.items()}
    gains = [mean[n, tuned] - mean[n, nothing] for n in (10, 50)]
    assert gains[0] > max(5, gains[1])
    # "the frozen body was ahead in all six pairs"
    for count in (10, 50):
        pairs = zip(found[count, frozen], found[count, nothing], strict=True)
        assert all(a > b for a, b in pairs)
    # With 10 images tuning brought hardly more, with 50 about as much again.
    assert 0 <= mean[10, tuned] - mean[10, frozen] < gains[0] / 3
    assert 0.5 < (mean[50, tuned] - mean[50, frozen]) / (mean[50, frozen] - mean[50, nothing]) < 2
    slow, fast = (
        [int(one) for one in re.findall(r"'(\d+)%'", line)]
        for line in lesson_08.saved("valid-validation-start-high").splitlines()
    )
    assert all(abs(a - b) < 6 for a, b in zip(slow, fast, strict=True))
    held_out, always, test = map(
        int, re.findall(r"(\d+)%", lesson_08.saved("colours-emoji-images-float"))
    )
    assert held_out > 45 > 2 * always
    assert test == pytest.approx(held_out, abs=10)


# --- 09 ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lesson_09():
    return Lesson("09")


def test_what_maps_say_to_patches(lesson_09):
    row = re.compile(
        r"^body\[(\d)\], map +(\d+): best +(\S+), mean picture +(\S+), random +(\S+), "
        r"other map's +(\S+)$",
        re.MULTILINE,
    )
    rows = row.findall(lesson_09.saved("patch-check"))
    assert [int(depth) for depth, *_ in rows] == [1, 1, 4, 4, 7, 7]
    for depth, _, *said in rows:
        best, mean, at_random, other = map(float, said)
        assert best >= mean > 0.4 * best
        assert mean > 2 * at_random
        assert mean > (2 if depth == "7" else 1) * other


def test_the_digits_that_a_map_of_zeros_likes(lesson_09):
    counts = dict(re.findall(r"(\d): (\d+)", lesson_09.saved("patch-predict-run")))
    assert sum(map(int, counts.values())) == 100
    assert list(counts) == sorted(counts)
    # "only one of the 100 is a zero"
    assert counts["0"] == "1"


def test_maps_that_lie_on_ink(lesson_09):
    ink, own, others, count, peaks = (
        int(one) for one in re.findall(r"\d+", lesson_09.saved("cam-check"))
    )
    assert own > others > ink
    assert own < 50
    assert count == 300
    assert 20 < peaks < 80
    cat, coffee = (int(one) for one in re.findall(r"(\d+)%", lesson_09.saved("photo-cam-check")))
    assert min(cat, coffee) > 70
    assert cat < 85


def test_the_training_and_the_dead_maps_of_lesson_09(lesson_09):
    accuracies = re.findall(r"accuracy ([\d.]+)%", lesson_09.saved("train-run"))
    assert len(accuracies) == 5
    assert float(accuracies[-1]) > 90
    dead, maps = map(int, re.findall(r"(\d+) of (\d+)", lesson_09.saved("maps-dead"))[0])
    assert maps == 64
    assert dead < maps / 2


def test_the_digits_that_are_read_along_the_strip(lesson_09):
    listed = lesson_09.saved("slide-wide").rpartition("[")[2].partition("]")[0]
    read = [int(one) for one in listed.split(",")]
    assert len(read) == 22
    assert [digit for digit, _ in itertools.groupby(read)] == [3, 1, 4, 2]
