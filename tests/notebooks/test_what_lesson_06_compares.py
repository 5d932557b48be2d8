"""What lesson 06 trains and measures: the same as `test_what_lessons_compare` for one lesson."""

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from helpers.training import Evaluation
from tests.support.cells import Cells
from tests.support.stand_ins import DIGITS, LABELS, Net, numbers, start_of


@pytest.fixture
def cells():
    torch.manual_seed(0)
    return Cells("06")


def test_an_epoch_takes_each_image_once_in_a_new_order(cells):
    ran = cells.run("part-net")
    net, steps, batches = torch.nn.Linear(1, 10), [], []
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    optimizer.register_step_post_hook(lambda *_: steps.append(net.weight.grad.clone()))

    def change(images):
        assert net.training
        batches.append(images)
        return images

    images = torch.arange(7.0)[:, None]
    labels = torch.arange(7)
    for _ in range(2):
        net.eval()
        ran.train_epoch(net, images, labels, optimizer, 3, change)
    assert [len(batch) for batch in batches] == [3, 3, 1] * 2
    first, second = torch.cat(batches[:3]).flatten(), torch.cat(batches[3:]).flatten()
    assert not torch.equal(first, second)
    for order in (first, second):
        assert torch.equal(order.sort().values, images.flatten())
        assert not torch.equal(order, images.flatten())
    # The gradient is that of the last batch alone, with the labels of its images.
    last = batches[-1].long().flatten()
    again = torch.nn.Linear(1, 10)
    again.load_state_dict(net.state_dict())
    with torch.no_grad():
        again.weight += 0.1 * net.weight.grad
        again.bias += 0.1 * net.bias.grad
    F.cross_entropy(again(batches[-1]), labels[last]).backward()
    torch.testing.assert_close(steps[-1], again.weight.grad)


def test_measure_and_sureness(cells):
    net = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Identity())
    scores, labels = torch.randn(1500, 10), torch.arange(1500) % 10
    ran = cells.run("part-net")
    found = ran.measure(net, scores, labels)
    assert found.accuracy == pytest.approx((scores.argmax(dim=1) == labels).float().mean().item())
    assert found.loss == pytest.approx(F.cross_entropy(scores, labels).item(), rel=1e-4)
    run = cells.run(
        "part-numbers",
        measured={"validation": [Evaluation(3.0 - n / 100, n / 100) for n in range(40)]},
        losses={"validation": [abs(n - 11) for n in range(40)]},
        weights=range(40),
        validation=(scores, labels),
        make_net=lambda: Trained(*net).train(),
    )
    assert run.printed.splitlines() == [
        f"epoch {n + 1}: loss {3 - n / 100:.2f}, accuracy {n}.0%, sure {sure:.0%}"
        for n, sure in zip((11, 39), run.sure, strict=True)
    ]
    wrong = scores.argmax(dim=1) != labels
    sure = scores.softmax(dim=1).amax(dim=1)[wrong].mean().item()
    assert run.sure == pytest.approx([sure, sure])
    assert LOADED[-2:] == [11, 39]


LOADED = []


class Trained(torch.nn.Sequential):
    def load_state_dict(self, number):
        LOADED.append(number)


def test_three_parts_of_the_sample(cells):
    """One to learn from, one to choose the epoch with, and one for the number that is told."""
    train_epochs, measured = [], []

    def train_epoch(net, images, labels, optimizer):
        train_epochs.append(numbers(images, labels))
        assert optimizer.defaults["lr"] == 0.1
        assert optimizer.defaults["weight_decay"] == 0.25
        assert net.options == {"dropout": 0.125}
        assert net.start == start_of(7)
        net.weight.data += 1

    def measure(net, images, labels):
        measured.append(numbers(images, labels))
        return Evaluation(len(measured), 0)

    common = {"digits": DIGITS, "labels": LABELS, "measure": measure}
    ran = cells.run(
        "part-watch",
        make_net=lambda dropout: Net(dropout=dropout),
        train_epoch=train_epoch,
        **common,
    )
    found, weights = ran.watch(7, dropout=0.125, weight_decay=0.25, epochs=2)
    learned, chosen = measured[:2]
    assert train_epochs == [learned, learned]
    assert measured == [learned, chosen] * 2
    assert [one.loss for one in found["training"]] == [1, 3]
    assert [one.loss for one in found["validation"]] == [2, 4]
    assert weights[0]["weight"] + 1 == pytest.approx(weights[1]["weight"])
    assert (len(learned), len(chosen)) == (300, 700)
    assert not learned & chosen

    measured.clear()
    LOADED.clear()
    net = SimpleNamespace(load_state_dict=lambda number: LOADED.append(number))
    losses = {"training": [1] * 40, "validation": [abs(n - 11) for n in range(40)]}
    ran = cells.run(
        "stop-code",
        "stop-exam-run",
        net=net,
        weights=range(40),
        losses=losses,
        train=ran.train,
        validation=ran.validation,
        measure=lambda *given: measure(*given)._replace(accuracy=0.9),
        **{name: common[name] for name in ("digits", "labels")},
    )
    assert LOADED == [11]
    assert ran.printed == "stopped after epoch 20, kept epoch 12: accuracy 90.0%\n"
    (asked,) = measured
    assert asked == set(range(4000)) - learned - chosen


def test_a_layer_of_the_deep_network_is_normalised_before_its_activation(cells):
    ran = cells.run(
        "rate-code",
        sample=SimpleNamespace(images=torch.rand(500, 28, 28), targets=LABELS[:500]),
        labels=LABELS,
    )
    order = []
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda module, *_: order.append(type(module).__name__)
    )
    try:
        for norm, name in ((False, "Identity"), (True, "BatchNorm1d")):
            ran.train_deep(activation=torch.nn.Tanh, norm=norm, steps=1)
            layers = [*["Linear", name, "Tanh"] * 3, "Linear"]
            assert order == ["Flatten", *layers, "Sequential"]
            order.clear()
    finally:
        hook.remove()


def test_rows_of_the_comparison_of_relu_and_sigmoid(cells):
    def train_deep(activation, scale, rate, seed):
        first = {torch.nn.ReLU: 100, torch.nn.Sigmoid: 200}[activation]
        top = first + 10 * {1: 1, 2.45: 2, 8: 3}[round(scale, 2)] + rate + seed / 1000
        return [999.0] * 260 + [0.0] * 10 + [top] + [0.0] * 29

    starts = {"× 1": 1, "× 2.45": 6**0.5}
    printed = cells.run("fair-run", train_deep=train_deep, starts=starts, seeds=(1, 3)).printed
    rows = [line.split()[-3:] for line in printed.splitlines()]
    assert rows[0] == ["0.05", "0.3", "1.0"]
    assert rows[1:] == [
        [f"{first + 10 * scale + float(rate) + 0.002:.3f}" for rate in rows[0]]
        for first in (100, 200)
        for scale in (1, 2, 3)
    ]


def test_starts_and_normalisation_are_told_with_their_losses(cells):
    def train_deep(activation=torch.nn.ReLU, scale=1, rate=0.05, seed=1, norm=False):
        last = 0.01 * seed + (0.5 if scale == 1 and not norm else 0)
        high = {("ReLU", 1.0): 0.25, ("Sigmoid", 0.05): 0.5}.get((activation.__name__, rate), 9)
        return [9.0] * 260 + [0.0] * 10 + [high * norm] + [0.0] * 28 + [last]

    common = {"train_deep": train_deep, "seeds": (1, 2)}
    ran = cells.run("start-measure", **common)
    assert ran.starts["× 2.45"] == pytest.approx(6**0.5)
    assert ran.printed.splitlines() == [
        "weights × 1: loss [0.51, 0.52]",
        "weights × 2.45: loss [0.01, 0.02]",
    ]
    ends = {("ReLU", "× 1", 1.0): [1.5, 2.5], ("Sigmoid", "× 1", 0.05): [2.0, 3.0]}
    assert cells.run("norm-effect-run", ends=ends, **common).printed.splitlines() == [
        "ReLU, rate 1.0 ['1.500 → 0.250', '2.500 → 0.250']",
        "Sigmoid, rate 0.05 ['2.000 → 0.500', '3.000 → 0.500']",
    ]


def test_each_optimizer_has_its_row(cells):
    def train_deep(rate, optim, steps):
        assert steps == 100
        first = {torch.optim.SGD: 1, "with momentum": 2, torch.optim.Adam: 3}[optim]
        return [9] * 99 + [first + rate]

    printed = cells.run("adam-table", train_deep=train_deep, momentum="with momentum").printed
    rates = (0.001, 0.01, 0.1, 1.0)
    assert [row.split() for row in printed.splitlines()] == [
        ["rate", *map(str, rates)],
        *(
            [name, *(f"{n + rate:.3f}" for rate in rates)]
            for n, name in enumerate(("SGD", "momentum", "Adam"), 1)
        ),
    ]


def test_the_spread_of_one_and_of_a_difference(cells):
    ran = cells.run("sure-dice")
    one = (100 * 100 * 0.033 * 0.967 / 10_000) ** 0.5
    assert ran.one == pytest.approx(one, rel=0.02)
    assert ran.two == pytest.approx(one * 2**0.5, rel=0.02)
    # A normal distribution is further out than 2 / √2 in 15.7 %, than 2 in 4.6 %: whole hundredths.
    assert ran.far == pytest.approx([0.157, 0.046], abs=0.015)
    assert ran.printed.splitlines() == [
        f"one: ± {ran.one:.2f} points, difference: ± {ran.two:.2f}, ratio {ran.two / ran.one:.2f}",
        "further apart than twice the first: {:.0%}, than twice the second: {:.0%}".format(
            *ran.far
        ),
    ]


def test_what_holds_back_is_measured_on_validation_digits(cells):
    def watch(seed, dropout=0, weight_decay=0):
        first = {(0, 0): 100, (0.5, 0): 200, (0, 0.01): 300}[dropout, weight_decay]
        line = [(first + epoch, (10 + epoch) / 100) for epoch in range(1, 41)]
        return {"training": [(0, 0)] * 40, "validation": line}, None

    printed = cells.run("help-run", watch=watch, seeds=(1, 2)).printed
    for row, (name, first) in zip(
        printed.splitlines()[1:],
        {"neither": 100, "dropout": 200, "decay": 300}.items(),
        strict=True,
    ):
        five, late = first + 5, first + 35.5
        wanted = f"{name} loss {five:.2f} (15.0%) loss {late:.2f} (45.5%)"
        assert " ".join(row.split()) == wanted


class Trainings:
    """In place of `train_epoch`: which digits each network learns from, and how."""

    def __init__(self):
        self.nets = []

    def __call__(self, net, images, labels, optimizer, size=25, change=None):
        net.learned = numbers(images, labels)
        net.rates = [*getattr(net, "rates", []), optimizer.param_groups[0]["lr"]]
        net.size, net.change, net.optimizer = size, change, optimizer
        if net not in self.nets:
            self.nets.append(net)
        optimizer.step()


def test_many_images_and_few_epochs(cells):
    train, measured = Trainings(), []

    def measure(net, images, labels):
        measured.append(numbers(images, labels))
        return Evaluation(0, 0.75 - net.options["dropout"] / 2)

    ran = cells.run(
        "many-run",
        full=False,
        digits=DIGITS,
        labels=LABELS,
        make_net=lambda dropout: Net(dropout=dropout),
        train_epoch=train,
        measure=measure,
    )
    assert [net.options["dropout"] for net in train.nets] == [0.5, 0]
    assert {net.start for net in train.nets} == {start_of(1)}
    assert [net.rates for net in train.nets] == [[0.01] * 3] * 2
    assert {net.size for net in train.nets} == {64}
    assert {net.optimizer.defaults["momentum"] for net in train.nets} == {0.5}
    assert ran.printed.endswith("with dropout 50.0%, without 75.0%\n")
    learned, held_out = train.nets[0].learned, measured[0]
    assert train.nets[1].learned == learned
    assert measured == [held_out] * 2
    assert learned | held_out == set(range(4000))
    assert not learned & held_out
    assert numbers(*ran.learn) == learned
    assert numbers(*ran.held_out) == held_out


def test_all_of_mnist_in_two_parts(cells):
    labels = torch.arange(6000)

    def load_mnist(train, source):
        assert (train, source) == (True, "full")
        return SimpleNamespace(images=torch.full((6000, 2, 2), 255), targets=labels)

    ran = cells.run(
        "many-run",
        full=True,
        load_mnist=load_mnist,
        make_net=lambda dropout: Net(dropout=dropout),
        train_epoch=lambda *given, size: None,
        measure=lambda net, *held_out: Evaluation(0, 0.9 - net.options["dropout"]),
    )
    assert ran.printed.startswith("1,000 to learn from, 5,000 held out\n1,000 images: ")
    for (pixels, targets), part in ((ran.learn, slice(0, 1000)), (ran.held_out, slice(1000, None))):
        assert torch.equal(targets, labels[part])
        torch.testing.assert_close(
            pixels, torch.full((len(targets), 1, 2, 2), (1 - 0.1307) / 0.3081)
        )


def test_moved_digits(cells):
    train, measured = Trainings(), []

    def measure(net, images, labels):
        marked = [tuple(one.nonzero()[0].tolist()) for one in images[:, 0]]
        measured.append((net, marked[-1], labels))
        return Evaluation(0, 0.5 + 0.25 * (net.change is not ran.as_it_is) + marked[-1][1] / 1000)

    def shift(images, down, right, most):
        return torch.stack([
            one.roll((d, r), dims=(1, 2))
            for one, d, r in zip(images, down.tolist(), right.tolist(), strict=True)
        ])  # fmt: skip

    digits = DIGITS.clone()
    digits[3000:] = 0
    digits[3000:, 0, 10, 20] = 1
    ran = cells.run("part-net")
    run = cells.run(
        "shift-run",
        full=False,
        seeds=(1, 2),
        digits=digits,
        labels=LABELS,
        shift=shift,
        random_shift="moved",
        partial=lambda way, **options: (way, options),
        as_it_is=ran.as_it_is,
        schedules=torch.optim.lr_scheduler,
        make_net=Net,
        train_epoch=train,
        measure=measure,
    )
    assert [net.start for net in train.nets] == [start_of(seed) for seed in (1, 1, 2, 2)]
    assert [net.change for net in train.nets] == [ran.as_it_is, ("moved", {"most": 3})] * 2
    for net in train.nets:
        assert net.learned == set(range(2000))
        cosine = [0.05 * (1 + math.cos(math.pi * t / 8)) for t in range(8)]
        assert net.rates == pytest.approx(cosine)
    assert [(net, place) for net, place, _ in measured] == [
        (net, place) for net in train.nets for place in ((10, 20), (10, 23))
    ]
    assert all(torch.equal(labels, LABELS[3000:]) for *_, labels in measured)
    rows = [row.split()[-2:] for row in run.printed.splitlines()[1:]]
    assert rows == [["52.0%", "52.3%"], ["77.0%", "77.3%"]]


def test_the_recipe(cells):
    train = Trainings()
    random_shift = cells.run("shift-code").random_shift
    ran = cells.run("all-net", train_epoch=train, random_shift=random_shift)
    images, labels = DIGITS[:5], LABELS[:5]
    for schedule in (True, False):
        net = Net().train()
        options = {"rate": 0.01, "most": 4, "decay": 0.5, "size": 7, "schedule": schedule}
        assert ran.follow_recipe(net, images, labels, 4, **options) is net
        assert not net.training
        cosine = [0.005 * (1 + math.cos(math.pi * t / 4)) for t in range(4)]
        assert net.rates == pytest.approx(cosine if schedule else [0.01] * 4)
        assert net.optimizer.defaults["weight_decay"] == 0.5
        assert type(net.optimizer) is torch.optim.AdamW
        assert net.size == 7
        assert (net.change.func, net.change.keywords) == (random_shift, {"most": 4})
        assert net.learned == set(range(5))


def test_the_recipe_as_it_is(cells):
    train = Trainings()
    random_shift = cells.run("shift-code").random_shift
    ran = cells.run("all-net", train_epoch=train, random_shift=random_shift)
    net = ran.follow_recipe(Net(), DIGITS[:5], LABELS[:5], 2)
    assert net.rates == pytest.approx([0.005, 0.0025])
    assert net.optimizer.defaults["weight_decay"] == 0
    assert (net.size, net.change.keywords) == (50, {"most": 2})
    net = ran.make_cnn()
    convs = [layer for layer in net if isinstance(layer, torch.nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [8, 16, 32]
    assert {(conv.kernel_size, conv.padding) for conv in convs} == {((3, 3), (1, 1))}
    assert net[-2].p == 0


def test_the_convolutional_network(cells):
    make_cnn = cells.run("all-net").make_cnn
    net = make_cnn(4, norm=True, dropout=0.25)
    kinds = [type(layer).__name__ for layer in net]
    assert kinds == [
        *["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"] * 3,
        "Flatten",
        "Dropout",
        "Linear",
    ]
    assert net[-2].p == 0.25
    kinds = [type(layer).__name__ for layer in make_cnn(norm=False)]
    assert kinds[1] == "Identity"
    assert "BatchNorm2d" not in kinds


def test_each_variant_is_what_its_name_says(cells):
    """All from the same starts; what they learn from is not what they are measured on."""
    runs = []

    def follow_recipe(net, images, labels, epochs, **way):
        assert not hasattr(net, "learned")
        net.learned, net.epochs = numbers(images, labels), epochs
        runs.append((net, way))

    class Answers(Net):
        def forward(self, images):
            self.asked = getattr(self, "asked", set()) | set(images[:, 0, 0, 0].int().tolist())
            right = images[:, 0, 0, 0].long() % 10
            wrong = torch.rand(len(right)) < (0.05 if self.options else 0.1)
            return F.one_hot((right + wrong) % 10, 10)

    ran = cells.run(
        "sure-code",
        "all-run",
        full=False,
        seeds=(1, 2),
        digits=DIGITS,
        labels=LABELS,
        make_cnn=Answers,
        follow_recipe=follow_recipe,
    )
    wanted = {
        "the recipe": ({}, {}),
        "no batch norm": ({"norm": False}, {}),
        "no batch norm, rate 0.002": ({"norm": False}, {"rate": 0.002}),
        "no schedule": ({}, {"schedule": False}),
        "no schedule, rate 0.002": ({}, {"schedule": False, "rate": 0.002}),
        "no shifts": ({}, {"most": 0}),
        "and dropout 0.25": ({"dropout": 0.25}, {}),
        "and weight decay 1": ({}, {"decay": 1}),
        "and twice the width": ({"width": 16}, {}),
    }
    assert ran.variants == wanted
    assert len(runs) == 2 * len(wanted)
    for n, (net, way) in enumerate(runs):
        assert (net.options, way) == list(wanted.values())[n // 2]
        assert net.start == start_of(1 + n % 2)
        assert net.learned == set(range(500))
        assert net.asked == set(range(1000, 4000))
    for name, row in zip(wanted, ran.printed.splitlines()[-9:], strict=True):
        right, base = ran.correct[name], ran.correct["the recipe"]
        change = 100 * (right.float().mean() - base.float().mean())
        assert row.startswith(f"{name:27} {right.float().mean():8.1%}")
        assert (f" {change:+.1f} ± " in row) == (not torch.equal(right, base))
        assert "norm" not in name or change > 2


def test_the_last_networks(cells):
    """They learn from the same images; held-out ones choose, and the test comes after that."""
    trained, asked = [], []
    options = {
        "full": False,
        "learn": ("learn", "labels"),
        "held_out": ("held out", "labels"),
        # There, too, but not to be used: all of them, and the sample of the sections before.
        "pixels": "learn and held out",
        "targets": "labels",
        "digits": "sample",
        "labels": "labels",
        "train": ("first of the sample", "labels"),
        "validation": ("next of the sample", "labels"),
    }

    def follow_recipe(net, images, labels, epochs, most=2, size=None):
        trained.append((images, labels, epochs, most, size))
        net.most = most
        return net

    def measure(net, images, labels):
        asked.append(images)
        return Evaluation(0, 0.9 + 0.01 * net.most)

    common = {"follow_recipe": follow_recipe, "measure": measure, **options}
    nets = cells.run("all-net")

    def make_cnn(width):
        assert width == 16
        return nets.make_cnn(width)

    time = SimpleNamespace(process_time=iter([30, 120]).__next__)
    ran = cells.run("final-train", "final-connected", make_cnn=make_cnn, time=time, **common)
    assert trained == [("learn", "labels", 4, most, 50) for most in (2, 0, 2)]
    assert asked == ["held out"] * 3
    assert ran.chosen is ran.connected[2][0]
    assert [type(layer).__name__ for layer in ran.chosen] == [
        "Flatten", "Linear", "BatchNorm1d", "ReLU", "Linear"
    ]  # fmt: skip
    lines = ran.printed.splitlines()
    assert lines == [
        "29,290 parameters, 1.5 minutes of CPU time",
        "held-out images: 92.00%",
        "shifts of up to 0: 90.00% of the held-out images",
        "shifts of up to 2: 92.00% of the held-out images",
    ]


def test_the_last_table(cells):
    """Each network answers to the test images under its own name."""
    images = (torch.arange(6)[:, None, None].expand(6, 28, 28) * 20).byte()
    test = SimpleNamespace(images=images, targets=torch.tensor([3, 1, 4, 1, 5, 9]))
    pixels = torch.full((6, 1, 28, 28), 5.0)
    known = torch.tensor([8, 1, 8, 1, 8, 9])

    def load_mnist(train, source):
        assert (train, source) == (False, "sample")
        return test

    def is_right(net, x, y):
        torch.testing.assert_close(x[:, 0], (images / 255 - 0.1307) / 0.3081)
        assert torch.equal(y, test.targets)
        return torch.tensor({"cnn": [1, 1, 1, 1, 1, 1], "chosen": [1, 1, 1, 1, 1, 0]}[net]) == 1

    ran = cells.run(
        "sure-code",
        "final-test",
        full=False,
        load_mnist=load_mnist,
        is_right=is_right,
        cnn="cnn",
        chosen="chosen",
        pixels=pixels,
        targets=known,
    )
    # All known images are the same, and the first of them is the nearest.
    assert ran.answered["nearest neighbour"].tolist() == [(test.targets == 8).tolist()]
    assert ran.answered["CNN"].float().mean() == 1
    assert ran.answered["fully connected"].float().mean() == pytest.approx(5 / 6)
    table = cells.run(
        "sure-code",
        "final-table",
        answered=ran.answered,
        test_y=test.targets,
    )
    rows = table.printed.splitlines()[-3:]
    assert " ".join(rows[0].split()) == "CNN 100.00% ± 0.00%"
    assert " ".join(rows[1].split()).startswith("fully connected 83.33% ± 15.21% 16.67 ± ")
    assert " ".join(rows[2].split()).startswith("nearest neighbour 0.00% ± 0.00%")
