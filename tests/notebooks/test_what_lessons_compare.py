"""What lessons train, time and measure, in the cells whose numbers differ between machines.

Such numbers are compared with the saved ones in form only. So the cells are run here with
stand-ins for what takes long, that keep what they are given: on which images a network learns, on
which it is measured, from which start, and what is printed under which name.
"""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils.data import RandomSampler, SequentialSampler

from helpers.data import load_mnist
from helpers.training import Evaluation
from tests.support.cells import Cells
from tests.support.stand_ins import Fit, Net


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_lesson_00_times_the_layer_that_it_counts():
    calls = []

    def time_on(place, fn, images, filters, *, repeat, **options):
        calls.append((str(place), torch.get_num_threads()))
        assert fn is F.conv2d
        height, width = fn(images[:1], filters, **options).shape[2:]
        products = len(images) * filters.numel() * height * width
        assert products == work
        # Seconds: the second of all tries is the shortest.
        number = calls.count(calls[-1])
        return {"cpu": 2 / torch.get_num_threads()}.get(str(place), 0.5) + abs(number - 2)

    cells = Cells("00")
    work = cells.run("count-code", "count-large-run").work
    timed = cells.run("time-run", device=torch.device("meta"), time_on=time_on)
    assert calls == [("cpu", 1), ("cpu", 2), ("meta", 2)] * 15
    assert timed.ratios == {"CPU, threads: 1": 4, "CPU, threads: 2": 2, "meta": 1}
    printed = " ".join(timed.printed.split())
    assert printed == "CPU, threads: 1 4.0 CPU, threads: 2 2.0 meta 1.0"
    assert torch.get_num_threads() == 2


def test_lesson_00_report_on_a_card(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda: (3 * 2**20, 8 * 2**20))
    monkeypatch.setattr("torch.cuda.get_device_name", lambda number: f"card {number}")
    assert Cells("00").run("report-torch-run").printed.splitlines() == [
        "CUDA available: True",
        "card 0 5 of 8 MiB used",
        "Apple GPU (mps) available: False",
        f"CPU threads: {torch.get_num_threads()}",
    ]


@pytest.fixture(scope="module")
def sample():
    return {train: load_mnist(train=train, source="sample") for train in (True, False)}


def test_lesson_05_data(sample):
    ran = Cells("05").run("data-load", load_mnist=lambda train: sample[train])
    assert (ran.train_images, ran.test_images) == (sample[True], sample[False])
    assert ran.printed.split("\n")[:2] == [
        f"train: {sample[True].description}",
        f"test:  {sample[False].description}",
    ]


def test_lesson_05_normalises_with_the_training_images(sample):
    ran = Cells("05").run(
        "normal-run",
        "normal-use",
        "loader-run",
        train_images=sample[True],
        test_images=sample[False],
    )
    pixels = sample[True].images / 255
    for loader, images, size, sampler in (
        (ran.train_loader, sample[True], 64, RandomSampler),
        (ran.test_loader, sample[False], 1000, SequentialSampler),
    ):
        assert loader.batch_size == size
        assert type(loader.sampler) is sampler
        assert torch.equal(loader.dataset.images, images.images)
        found, label = loader.dataset[7]
        wanted = (images.images[7] / 255 - pixels.mean()) / pixels.std(correction=0)
        assert label == images.targets[7]
        torch.testing.assert_close(found[0], wanted)


def test_lesson_05_plain_training_is_in_train_mode():
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2), torch.nn.LogSoftmax(1))
    ran = Cells("05").run(
        "net-code", "step-plain-code", train_data=[(torch.zeros(1, 28, 28), 1)] * 640
    )
    batches = [(torch.rand(3, 1, 2, 2), torch.tensor([0, 1, 1]))]
    ran.train_plain(net.eval(), batches, torch.optim.SGD(net.parameters(), lr=0.01))
    assert net.training


def test_lesson_05_going_on_after_a_stop():
    fit = Fit()
    cells = Cells("05")
    make_net = cells.run("net-code").make_net
    cells.run("resume-run", fit=fit, make_net=make_net, train_data=range(1000))
    assert [call.epochs for call in fit.calls] == [1, 2, 2]
    assert fit.calls[0].checkpoint == fit.calls[1].checkpoint is not None
    assert fit.calls[2].checkpoint is None
    assert all(type(call.train.sampler) is RandomSampler for call in fit.calls)
    starts = [call.model[0].weight.flatten()[0].item() for call in fit.calls]
    assert len(set(starts)) == 1


def test_lesson_05_trains_on_one_part_and_tests_on_the_other():
    fit = Fit()
    ran = Cells("05").run(
        "train-run",
        full=True,
        make_net=Net,
        fit=fit,
        train_loader="train",
        test_loader="test",
        device="here",
    )
    (call,) = fit.calls
    assert (call.train, call.test_loader, call.epochs, call.device) == ("train", "test", 3, "here")
    assert (call.lr, call.momentum, call.loss_fn) == (0.01, 0.5, F.nll_loss)
    assert ran.net is call.model


def test_lesson_05_rivals_learn_under_the_same_conditions():
    fit, cells = Fit(), Cells("05")
    kinds = {"convolution": torch.nn.Conv2d, "fully connected": torch.nn.Linear}
    ran = cells.run(
        "net-code",
        "buys-net",
        "buys-run",
        fit=fit,
        epochs=3,
        train_loader="train",
        test_loader="test",
        device=None,
    )
    for call in fit.calls:
        given = (call.train, call.test_loader, call.epochs, call.lr, call.momentum)
        assert given == ("train", "test", 3, 0.03, 0.5)
    assert list(ran.rivals) == list(kinds)
    ran.seed_everything(1)
    fresh = ran.make_net()
    assert torch.equal(ran.rivals["convolution"][0].weight, fresh[0].weight)
    for (name, kind), call in zip(kinds.items(), fit.calls, strict=True):
        net = ran.rivals[name]
        assert net is call.model
        assert any(isinstance(layer, kind) for layer in net[:2])
        x = torch.rand(2, 1, 28, 28)
        assert torch.equal(net.train()(x), net(x)), f"{name}: dropout is left out"
        bent = net[:-1](x) + net[:-1](-x) - 2 * net[:-1](0 * x)
        assert bent.abs().max() > 1e-3, f"{name}: without ReLU a network is linear"


def test_lesson_05_moves_the_digits_as_it_says():
    dots = torch.zeros(2, 28, 28, dtype=torch.uint8)
    dots[0, 10, 20], dots[1, 5, 6] = 255, 255
    seen = []

    def evaluate(net, loader, device):
        images = torch.cat([images for images, _ in loader])
        labels = torch.cat([labels for _, labels in loader])
        assert labels.tolist() == [3, 4]
        seen.append((net, [tuple(image[0].nonzero()[0].tolist()) for image in images]))
        return Evaluation(0, {"one net": 0.5, "other net": 0.25}[net])

    ran = Cells("05").run(
        "buys-shift-run",
        rivals={"convolution": "one net", "fully connected": "other net"},
        histories={
            "convolution": SimpleNamespace(test_accuracies=[0, 0.9]),
            "fully connected": SimpleNamespace(test_accuracies=[0, 0.8]),
        },
        test_data=SimpleNamespace(images=dots),
        truth=torch.tensor([3, 4]),
        normalise=lambda images: images,
        evaluate=evaluate,
        device=None,
    )
    lines = ran.printed.splitlines()
    for n, (word, down, right) in enumerate(
        [("right", 0, 3), ("left", 0, -3), ("down", 3, 0), ("up", -3, 0)]
    ):
        places = [(10 + down, 20 + right), (5 + down, 6 + right)]
        assert seen[2 * n : 2 * n + 2] == [("one net", places), ("other net", places)]
        assert lines[2 * n].split() == [word, "convolution", "90.0%", "→", "50.0%"]
        assert lines[2 * n + 1].split() == [word, "fully", "connected", "80.0%", "→", "25.0%"]
    assert ran.lost["convolution"] == pytest.approx([0.4] * 4)
    assert ran.lost["fully connected"] == pytest.approx([0.55] * 4)


def test_lesson_05_the_class_drops_what_the_row_of_layers_drops():
    ran = Cells("05").run("net-code", "net-class-code")
    outputs = []
    x = torch.rand(2, 1, 28, 28)
    for make in (ran.Net, ran.make_net):
        ran.seed_everything(1)
        net = make().train()
        outputs.append(net(x))
    torch.testing.assert_close(*outputs)
    rates = [layer.p for layer in net if "Dropout" in type(layer).__name__]
    assert rates == [0.5, 0.5]


def test_lesson_04_times_each_way_under_its_own_name():
    timed = []

    def time_on(place, way, *values, repeat, warmup=1):
        timed.append((str(place), way, type(values[0]).__name__))
        # The third try of each way is the fastest, as many milliseconds as its place in the list.
        return len(set(timed)) + abs(timed.count(timed[-1]) - 3)

    ways = ["loops", "windows", "forward"]
    ran = Cells("04").run(
        "time-run",
        time_on=time_on,
        device=torch.device("meta"),
        layer_x=torch.zeros(1).numpy(),
        layer_w=torch.zeros(1).numpy(),
        layer_b=torch.zeros(1).numpy(),
        **{f"conv_{way}": way for way in ways},
    )
    arrays = [("cpu", way, "ndarray") for way in [*ways, ran.ops.conv2d]]
    assert list(dict.fromkeys(timed)) == [
        *arrays,
        ("cpu", F.conv2d, "Tensor"),
        ("meta", F.conv2d, "Tensor"),
    ]
    names = ["plain loop", "windows view", "im2col, matrix product", "helpers.ops", "PyTorch, CPU"]
    seconds = {name: n for n, name in enumerate([*names, "PyTorch, meta"], 1)}
    seconds["plain loop"] += 2  # once only
    assert ran.seconds == seconds
    assert ran.ratios == {name: value / 2 for name, value in seconds.items()}
    drawn = Cells("04").run("time-picture", ratios=ran.ratios, plots=Axes()).plots
    assert drawn.values == {name: [ratio] for name, ratio in ran.ratios.items()}
    assert drawn.label == "time, in multiples of the fastest"


class Axes:
    """A stand-in for plots whose axes take anything."""

    def dot_rows(self, values, label, value_format):
        self.values, self.label = values, label
        axis = SimpleNamespace(set_major_formatter=lambda form: None)
        return None, SimpleNamespace(set=lambda xscale: None, xaxis=axis)


def test_lesson_04_learns_from_each_digit_once_in_a_new_order():
    steps = []

    def train_step(p, images, labels):
        found = images[:, 0].astype(int)
        assert (found % 10 == labels).all()
        steps.append(found.tolist())
        return 2.3

    digits = np.arange(4000)
    ran = Cells("04").run(
        "train-epoch",
        train_images=digits[:, None] * 1.0,
        train_labels=digits % 10,
        train_step=train_step,
    )
    history, rng = ran.History(), np.random.default_rng(1)
    for _ in range(2):
        ran.train_epoch({}, rng, history)
    assert history.steps == list(range(250))
    assert {len(found) for found in steps} == {32}
    first, second = ([n for found in part for n in found] for part in (steps[:125], steps[125:]))
    assert sorted(first) == sorted(second) == list(range(4000))
    assert first != second
    assert list(range(4000)) not in (first, second)


TESTED = {"test_images": "test images", "test_labels": "test labels"}


def accuracy_of(p, images, labels):
    """In place of lesson 04's: it grows with the first weight."""
    assert (images, labels) == tuple(TESTED.values())
    return 0.9 + p["w1"].flatten()[0] / 100


def test_lesson_04_measures_each_epoch_on_the_test_digits():
    def softmax_loss(scores, labels):
        assert (scores, labels) == tuple(TESTED.values())
        return 0.25, None

    def train_epoch(p, rng, history):
        p["w1"] += 1

    ran = Cells("04").run(
        "train-run",
        make_parameters=lambda seed: {"w1": np.full(4, float(seed))},
        train_epoch=train_epoch,
        forward=lambda p, images: {"scores": images},
        softmax_loss=softmax_loss,
        accuracy_of=accuracy_of,
        **TESTED,
    )
    assert ran.first_filters.tolist() == [1] * 4
    assert ran.history.test_losses == [0.25] * 4
    for number, line in enumerate(ran.printed.splitlines(), 1):
        assert line.startswith(f"epoch {number}: test loss 0.25, accuracy {91 + number}.0%, ")


def test_lesson_04_learns_from_labels_that_were_shuffled():
    given, train_labels = [], np.arange(4000) % 10
    added, first = np.tile([3.0, -3.0], (2, 2)), np.ones((2, 4))

    def train_epoch(p, rng, history, labels):
        given.append(labels)
        p["w1"] += added

    ran = Cells("04").run(
        "train-filters-run",
        make_parameters=lambda seed: {"w1": first * seed},
        train_epoch=train_epoch,
        accuracy_of=accuracy_of,
        train_labels=train_labels,
        first_filters=first,
        change=np.eye(2, 4),
        **TESTED,
    )
    assert ran.printed.splitlines() == [
        "smoothness: start 1.0, change 0.0",
        "labels shuffled: change -1.0, 94% of the test digits right",
    ]
    assert np.array_equal(np.sort(given[0]), np.sort(train_labels))
    assert (given[0] == train_labels).mean() < 0.2


def test_appendix_switches_of_cudnn(monkeypatch):
    switches = []

    @contextlib.contextmanager
    def flags(enabled, allow_tf32):
        switches.append((enabled, allow_tf32))
        yield

    monkeypatch.setattr("torch.backends.cudnn.flags", flags)
    ran = Cells("A").run("cudnn-test-run")
    assert switches == list(ran.errors)
    assert [line.partition(":")[0] for line in ran.printed.splitlines()] == [
        f"enabled {enabled}, allow_tf32 {tf32}" for enabled, tf32 in switches
    ]
