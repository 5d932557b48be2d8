"""What lesson 08 trains and measures, with stand-ins as in `test_what_lessons_compare`."""

import copy
import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.support.cells import Cells
from tests.support.lessons import definitions
from tests.support.stand_ins import DIGITS, LABELS, Net, numbers, start_of

Plain, Residual, deep_net, he_start = definitions(8, "Plain", "Residual", "deep_net", "he_start")
Block, make_residual_net, _ = definitions(8, "Block", "make_residual_net", "convolve")
train, accuracy, untrained, steps = definitions(8, "train", "accuracy", "untrained", "steps")


@pytest.fixture
def cells():
    torch.manual_seed(0)
    return Cells("08")


def same(net, other):
    pairs = zip(net.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_with_the_plus_nothing_else_changes(cells):
    nets = []

    def memorise(net):
        nets.append(copy.deepcopy(net))
        return len(nets) / 100

    ran = cells.run("class-residual-plain-def", Plain=Plain, deep_net=deep_net, memorise=memorise)
    assert ran.losses == {"plain": [0.01, 0.03, 0.05], "residual": [0.02, 0.04, 0.06]}
    assert [net[1].__class__.__name__ for net in nets] == ["Plain", "Residual"] * 3
    assert all(len(net) == 23 for net in nets)
    assert all(same(a, b) for a, b in zip(nets[::2], nets[1::2], strict=True))
    assert not any(same(nets[0], net) for net in nets[2:])
    x = torch.randn(3, 50)
    plain, residual = Plain(), Residual()
    residual.load_state_dict(plain.state_dict())
    torch.testing.assert_close(residual(x), x + plain(x))
    nets.clear()
    cells.run("def-he-start-net", Plain=Plain, deep_net=deep_net, memorise=memorise)
    for seed, net in enumerate(nets, 1):
        torch.manual_seed(seed)
        assert same(net, he_start(deep_net(Plain, 20)))
        assert net[5].layer.weight.std().item() == pytest.approx((2 / 50) ** 0.5, rel=0.1)
        assert not net[5].layer.bias.any()


def by_hand(net, x, y, rate, count):
    """Loss before the last step, and the network after it, as Adam goes from this start."""
    net = copy.deepcopy(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    for _ in range(count):
        loss = F.cross_entropy(net(x), y)
        grads = torch.autograd.grad(loss, list(net.parameters()))
        for parameter, grad in zip(net.parameters(), grads, strict=True):
            parameter.grad = grad
        optimizer.step()
    return loss.item(), net


def test_what_is_memorised(cells):
    rng = torch.Generator().manual_seed(0)
    digits = SimpleNamespace(
        images=torch.randint(0, 256, (600, 28, 28), generator=rng, dtype=torch.uint8),
        targets=torch.arange(600) % 10,
    )

    def load_mnist(train, source):
        assert (train, source) == (True, "sample")
        return digits

    ran = cells.run("def-deep-net-kind", load_mnist=load_mnist)
    torch.testing.assert_close(ran.pixels, (digits.images / 255 - 0.1307) / 0.3081)
    assert torch.equal(ran.x500, ran.pixels[:500].flatten(1))
    assert torch.equal(ran.y500, digits.targets[:500])
    net = nn.Linear(784, 10)
    loss, wanted = by_hand(net, ran.x500, ran.y500, 1e-3, 3)
    assert ran.memorise(net, steps=3) == pytest.approx(loss)
    torch.testing.assert_close(net.weight, wanted.weight)
    x, y, net = torch.randn(6, 4), torch.arange(6) % 3, nn.Linear(4, 3)
    _, wanted = by_hand(net, x, y, 0.1, 4)
    assert steps(net, x, y, 0.1, 4) is net
    torch.testing.assert_close(net.weight, wanted.weight)
    # With one batch in each epoch, the training of images does the same, but for its schedule.
    images, net = torch.randn(6, 4), nn.Linear(4, 3)
    _, wanted = by_hand(net, images, y, 0.1, 1)
    train(net, images, y, 0.1, epochs=1, batch=6)
    torch.testing.assert_close(net.weight, wanted.weight)
    start = copy.deepcopy(net)
    train(net, images, y, 0.1, epochs=3, batch=6)
    adam = torch.optim.Adam(start.parameters(), 0.1)
    for t in range(3):
        adam.param_groups[0]["lr"] = 0.05 * (1 + math.cos(math.pi * t / 3))
        adam.zero_grad()
        F.cross_entropy(start(images), y).backward()
        adam.step()
    torch.testing.assert_close(net.weight, start.weight)


def test_gradients_are_told_of_three_layers(cells):
    x, y = torch.randn(20, 784), torch.arange(20) % 10
    ran = cells.run("def-gradients-net-size", x500=x, y500=y, deep_net=deep_net, Plain=Plain)
    torch.manual_seed(1)
    net = deep_net(Plain, 20)
    F.cross_entropy(net(x), y).backward()
    sizes = {n: net[n].layer.weight.grad.norm().item() for n in range(1, 21)}
    wanted = ", ".join(f"layer {n}: {sizes[n]:.0e}" for n in (20, 10, 1))
    assert ran.printed == f"{wanted}\n"
    assert list(sizes.values()) == pytest.approx(ran.plain_gradients)


@pytest.mark.parametrize("plus", [True, False])
def test_a_block(plus):
    block, x = Block(3, plus).train(), torch.randn(4, 3, 5, 5)

    def normalised(maps):
        return F.batch_norm(maps, None, None, training=True)

    f = F.conv2d(x, block.conv1.weight, padding=1)
    f = normalised(F.conv2d(normalised(f).relu(), block.conv2.weight, padding=1))
    torch.testing.assert_close(block(x), (x + f).relu() if plus else f.relu())


def test_the_three_networks(cells):
    make_lesson05_net = cells.run("def-make-lesson05-net").make_lesson05_net
    nets = cells.run(
        "def-multiply-adds-net",
        "nets-lesson-05-make",
        make_lesson05_net=make_lesson05_net,
        make_residual_net=make_residual_net,
    ).nets
    kinds = {
        name: [part.plus for part in make() if hasattr(part, "plus")] for name, make in nets.items()
    }
    assert kinds == {"lesson 05": [], "residual": [True, True], "without plus": [False, False]}


def test_a_training(cells):
    seen, modes = [], []

    class Watched(nn.Linear):
        def forward(self, x):
            seen.append(x.flatten().tolist())
            modes.append(self.training)
            return super().forward(x)

    net = Watched(1, 2).eval()
    images, labels = torch.arange(10.0)[:, None], torch.arange(10) % 2
    rates, adam = [], torch.optim.Adam

    class Adam(adam):
        def step(self, *given, **options):
            rates.append(self.param_groups[0]["lr"])
            return super().step(*given, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", Adam)
        assert train(net, images, labels, 0.5, epochs=2, batch=4) is net
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    assert all(modes)
    assert not net.training
    for epoch in (seen[:3], seen[3:]):
        order = [one for batch in epoch for one in batch]
        assert sorted(order) == list(range(10)) != order
    assert rates == pytest.approx([0.25 * (1 + math.cos(math.pi * t / 6)) for t in range(6)])
    labels[:3] = net(images)[:3].argmax(dim=1)
    labels[3] = 1 - labels[3]
    net.train()
    right = (net(images).argmax(dim=1) == labels).float().mean().item()
    assert accuracy(net, images, labels) == pytest.approx(right)
    assert not net.training


@pytest.fixture
def parts(cells):
    """The digits of lesson 08 in their parts, and how they are made."""
    test = SimpleNamespace(images=torch.zeros(1000, 28, 28), targets=LABELS[:1000])

    def load_mnist(train, source):
        assert (train, source) == (False, "sample")
        return test

    ran = cells.run(
        "def-train-net-images",
        load_mnist=load_mnist,
        pixels=DIGITS[:, 0],
        digits=SimpleNamespace(targets=LABELS),
    )
    assert ran.test_labels is test.targets
    torch.testing.assert_close(ran.test_images, torch.full((1000, 1, 28, 28), -0.1307 / 0.3081))
    assert numbers(ran.images, ran.labels) == set(range(4000))
    names = ("images", "labels", "training", "validation", "test_images", "test_labels")
    return {name: getattr(ran, name) for name in names}


def test_a_rate_is_chosen_on_validation_images_and_tested_on_others(cells, parts):
    nets = {
        name: lambda name=name: Net(name=name) for name in ("lesson 05", "residual", "without plus")
    }
    runs, tested = [], []

    def train(net, images, labels, rate):
        assert numbers(images, labels) == set(range(3000))
        net.rate = rate
        runs.append(net)
        return net

    def accuracy(net, images, labels):
        if images is parts["test_images"]:
            assert labels is parts["test_labels"]
            tested.append(net)
            lead = {"lesson 05": 0.01, "residual": 0, "without plus": -0.01}[net.options["name"]]
            return 0.5 + lead + runs.index(net) / 10000
        assert numbers(images, labels) == set(range(3000, 4000))
        # The small rate is better for one of them only.
        return 0.9 + (net.rate == 0.003) * (0.05 if net.options["name"] == "residual" else -0.03)

    ran = cells.run(
        "def-trained-make-rate",
        "tested-for-name-make",
        nets=nets,
        train=train,
        accuracy=accuracy,
        **parts,
    )
    assert ran.best == {"lesson 05": 0.01, "residual": 0.003, "without plus": 0.01}
    rows = ran.printed.splitlines()
    assert rows[1] == "residual     {0.003: '95.0%', 0.01: '90.0%'}"
    assert [net.start for net in runs[:6]] == [start_of(1)] * 6
    assert [net.start for net in runs[6:]] == [start_of(2), start_of(3)] * 3
    assert [(net.options["name"], net.rate) for net in tested] == [
        (name, rate) for name, rate in ran.best.items() for _ in range(3)
    ]
    assert [net.start for net in tested] == [start_of(1), start_of(2), start_of(3)] * 3
    assert rows[-3] == "residual 50.1 %"
    assert rows[-2].endswith("the residual network is: worse")
    assert rows[-1].endswith("the residual network is: better")


def test_what_is_timed(cells):
    asked = []

    def time_on(place, net, batch, *, repeat):
        asked.append((place, net, tuple(batch.shape)))
        return {whole: 3.0, apart: 2.0}[net]

    whole, apart = nn.Conv2d(32, 64, 1), nn.Conv2d(32, 64, 1)
    ran = cells.run("batch-torch-randn-64", whole=whole, apart=apart, time_on=time_on)
    shape = (64, 32, 14, 14)
    assert asked == [("cpu", whole, shape), ("cpu", apart, shape)]
    assert ran.printed == "1.5 times as fast\n"


def test_training_on_emoji(cells):
    rng = torch.Generator().manual_seed(0)
    emoji, test = (
        SimpleNamespace(
            images=torch.randint(0, 256, (n, 3, 2, 2), generator=rng),
            targets=torch.arange(n) % 9,
        )
        for n in (1520, 386)
    )
    emoji.targets[:10], emoji.targets[1220:1230], emoji.targets[1230:1260] = 4, 4, 5
    learned, asked = [], []

    def train(net, images, labels, rate, epochs):
        learned.append((net, images, labels, rate, epochs))

    def accuracy(net, images, labels):
        asked.append((net, images, labels))
        return 0.75 - len(asked) / 8

    ran = cells.run(
        "colours-emoji-images-float",
        emoji=emoji,
        test_emoji=test,
        make_residual_net=lambda channels, classes: Net(channels=channels, classes=classes),
        train=train,
        accuracy=accuracy,
    )
    ((net, images, labels, rate, epochs),) = learned
    assert (net.start, net.options) == (start_of(1), {"channels": 3, "classes": 9})
    assert (rate, epochs) == (0.003, 7)
    assert torch.equal(images, ran.colours[:1220])
    assert torch.equal(labels, emoji.targets[:1220])
    (_, images, labels), (_, test_images, test_labels) = asked
    assert torch.equal(images, ran.colours[1220:])
    assert torch.equal(labels, emoji.targets[1220:])
    assert (test_images, test_labels) == (ran.test_colours, test.targets)
    mean, std = ran.colours.mean(dim=(0, 2, 3)), ran.colours.std(dim=(0, 2, 3))
    torch.testing.assert_close(mean, torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(std, torch.ones(3), atol=1e-4, rtol=0)
    for colours, data in ((ran.colours, emoji), (ran.test_colours, test)):
        pixels = data.images / 255
        ratio = (pixels[1] - pixels[0]) / (colours[1] - colours[0])
        torch.testing.assert_close(ratio.nanmean(dim=(1, 2)), ran.std.flatten(), rtol=1e-3, atol=0)
        same = colours * ran.std + ran.mean - pixels
        assert same.abs().max() < 1e-5
    share = (emoji.targets[1220:] == 4).float().mean()
    assert ran.printed.splitlines() == [
        f"validation 62%, always the largest group {share:.0%}",
        "test 50%",
    ]


def images_of(x, y):
    """Which digits these are, whose labels begin again at 0."""
    return numbers(x, y + 5)


def test_three_ways_to_learn_from_few_images(cells, parts):
    low, high = parts["labels"] < 5, parts["labels"] >= 5
    body = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 1470, bias=False), nn.BatchNorm1d(1470)
    ).eval()
    frozen = copy.deepcopy(body).requires_grad_(False)
    runs = []

    def steps(net, x, y, rate, count):
        runs.append((copy.deepcopy(net), x, y, rate, count, net.training))
        for parameter in net.parameters():
            if parameter.requires_grad:
                parameter.data += 0.01
        return net

    ran = cells.run("def-three-ways-each", **parts, frozen=frozen, make_body=Net)
    for each in (2, 10):
        x, y = ran.few_images(each, seed=3)
        found = images_of(x, y)
        assert max(found) < 3000, "of the training part"
        assert [sum(n % 10 == digit for n in found) for digit in range(5, 10)] == [each] * 5
        assert y.tolist() == sorted(y.tolist())
    assert images_of(*ran.few_images(2, 1)) != images_of(*ran.few_images(2, 2))
    few, _ = x, y = ran.few_images(4, 2)

    names = {
        "frozen": frozen,
        "make_body": lambda: copy.deepcopy(body).requires_grad_(True),
        **parts,
    }
    space = cells.run("def-three-ways-each", **names)
    space.three_ways.__globals__["steps"] = steps
    ways = space.three_ways(4, 2, rate=0.25)
    assert list(ways) == ["from nothing", "frozen body", "fine-tuned"]
    (head, features, *_), (tuned, tuned_x, *_), (_, new_x, *_) = sorted(
        runs, key=lambda run: [60, 20, 40].index(run[4])
    )
    assert [run[3] for run in sorted(runs, key=lambda run: run[4])] == [0.25 / 3, 0.25, 0.25]
    torch.testing.assert_close(features, body(few))
    assert torch.equal(tuned_x, few)
    assert torch.equal(new_x, few)
    assert all(torch.equal(run[2], y) for run in runs)
    assert all(run[5] for run in runs), "in train mode"
    # Fine-tuning goes on from the trained head and moves the body; the frozen one stays.
    assert same(frozen, body)
    assert same(ways["frozen body"][0], body)
    assert all(parameter.requires_grad for parameter in tuned.parameters())
    assert same(tuned[0], body)
    assert not same(tuned[1], head)
    assert same(tuned[1], ways["frozen body"][1])
    assert not same(ways["fine-tuned"][0], body)
    assert low.sum() == high.sum() == 2000
    torch.manual_seed(2)
    assert same(head, nn.Linear(1470, 5)), "the same start for each seed"
    runs.clear()
    space.three_ways(4, 2)
    assert sorted(run[3] for run in runs) == [0.001, 0.003, 0.003], "0.003 if not told otherwise"


def test_few_images_are_measured_on_many_others(cells, parts):
    asked = []

    def three_ways(each, seed, rate=0.003):
        names = ("from nothing", "frozen body", "fine-tuned")
        return {name: (each, seed, rate, n) for n, name in enumerate(names)}

    def accuracy(net, images, labels):
        asked.append((images, labels))
        each, seed, rate, n = net
        return each / 100 + seed / 1000 + n / 4 + (rate == 0.001) / 10

    high = parts["labels"] >= 5
    common = {"three_ways": three_ways, "accuracy": accuracy, "high": high, **parts}
    ran = cells.run("valid-validation-start-high", **common)
    for images, labels in asked:
        assert images_of(images, labels) == {n for n in range(3000, 4000) if n % 10 >= 5}
    assert ran.printed.splitlines() == [
        "0.001 {'from nothing': '20%', 'frozen body': '45%', 'fine-tuned': '70%'}",
        "0.003 {'from nothing': '10%', 'frozen body': '35%', 'fine-tuned': '60%'}",
    ]
    asked.clear()
    common["test_images"] = DIGITS[:1000]
    ran = cells.run("high-test-test-labels", **common)
    for images, labels in asked:
        assert images_of(images, labels) == {n for n in range(1000) if n % 10 >= 5}
    assert list(ran.found) == [
        f"{n} images, {name}"
        for n in (10, 50)
        for name in ("from nothing", "frozen body", "fine-tuned")
    ]
    assert ran.found["10 images, frozen body"] == pytest.approx([27.1, 27.2, 27.3])
    assert ran.found["50 images, fine-tuned"] == pytest.approx([60.1, 60.2, 60.3])


def test_an_untrained_body_is_normalised_for_the_old_images():
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)).eval()
    body[1].weight.data += 3
    before, old = copy.deepcopy(body), torch.randn(50, 1, 6, 6) * 3 + 5
    fresh = untrained(body, old)
    assert same(body, before)
    assert not fresh.training
    assert not torch.equal(fresh[0].weight, body[0].weight)
    assert torch.equal(fresh[1].weight, torch.ones(4))
    maps = fresh(old)
    torch.testing.assert_close(maps.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(maps.std(dim=(0, 2, 3)), torch.ones(4), atol=1e-2, rtol=0)


def test_trained_and_untrained_bodies_get_the_same_heads(cells, parts):
    emoji = SimpleNamespace(targets=torch.arange(1520) % 9)
    test_emoji = SimpleNamespace(targets=torch.arange(386) % 9)
    colours, test_colours = torch.arange(1520.0), torch.arange(386.0)
    heads, fresh, learned = [], [], []

    def train(net, x, y, rate, epochs):
        learned.append((net[0], x, y))

    def new_head(body, x, y, test_x, test_y, each, seed):
        heads.append((body, x, y, test_x, test_y, each, seed))
        return 10 * each + seed + 50 * (body == "untrained")

    def forget(body, old):
        fresh.append((body, old, torch.initial_seed()))
        return "untrained"

    parts["test_images"] = DIGITS[:1000]
    ran = cells.run(
        "old-new-emoji-targets",
        emoji=emoji,
        test_emoji=test_emoji,
        colours=colours,
        test_colours=test_colours,
        make_residual_net=make_residual_net,
        train=train,
        new_head=new_head,
        untrained=forget,
        body="digit body",
        low=parts["labels"] < 5,
        high=parts["labels"] >= 5,
        high_test=parts["test_labels"] >= 5,
        **parts,
    )
    assert len(heads) == 40
    assert [seed for *_, seed in heads] == [seed for seed in (1, 2, 3, 4, 5) for _ in (0, 1)] * 4
    assert [each for *_, each, _ in heads] == [2] * 20 + [10] * 20
    ((emoji_body, x, y),) = learned
    assert y.max() == 5
    assert torch.equal(x % 9, y.float())
    for number, (body, x, y, test_x, test_y, _, seed) in enumerate(heads):
        is_digits = number % 20 < 10
        if number % 2:
            assert body == "untrained"
            assert fresh[number // 2][2] == seed
            assert fresh[number // 2][0] is ("digit body" if is_digits else emoji_body)
            old = fresh[number // 2][1]
            assert (
                numbers(old) == {n for n in range(4000) if n % 10 < 5}
                if is_digits
                else (old % 9 < 6).all()
            )
        else:
            assert body is ("digit body" if is_digits else emoji_body)
        if is_digits:
            assert images_of(x, y) == {n for n in range(3000) if n % 10 >= 5}
            assert images_of(test_x, test_y) == {n for n in range(1000) if n % 10 >= 5}
        else:
            assert y.unique().tolist() == test_y.unique().tolist() == [0, 1, 2]
            assert torch.equal(x % 9, y + 6.0)
            assert torch.equal(test_x % 9, test_y + 6.0)
    rows = ran.printed.splitlines()
    assert rows[0] == "digits, 2 of each, trained      mean 23 ['21', '22', '23', '24', '25']"
    assert rows[1] == "digits, 2 of each, untrained    mean 73 ['71', '72', '73', '74', '75']"
    assert rows[7].startswith("emoji, 10 of each, untrained ")


def test_a_new_head_learns_from_few_images_and_is_measured_on_others(cells):
    asked = []

    def steps(net, features, y, rate, count):
        torch.manual_seed(seed)
        assert same(net, nn.Linear(1, 3)), "the same start for each seed"
        assert (rate, count) == (0.003, 60)
        asked.append((features, y))
        return net

    def accuracy(net, x, y):
        asked.append((x, y))
        return 0.5

    ran = cells.run("def-untrained-body-old", steps=steps, accuracy=accuracy)
    x, y = torch.arange(60.0)[:, None], torch.arange(60) % 3
    body = nn.Dropout(0.5).train()
    for seed in (2, 3, 2):
        found = ran.new_head(body, x, y, "test images", "test labels", each=4, seed=seed)
        assert found == 50
    assert asked[1::2] == [("test images", "test labels")] * 3
    for features, labels in asked[::2]:
        assert labels.bincount().tolist() == [4, 4, 4]
        torch.testing.assert_close(features[:, 0] % 3, labels.float())
    (first, _), (other, _), (again, _) = asked[::2]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
