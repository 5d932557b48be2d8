"""What lesson 07 trains and measures, with stand-ins as in `test_what_lessons_compare`."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import RandomSampler, Subset

from helpers.data import load_emoji
from helpers.training import Evaluation
from tests.support.cells import Cells
from tests.support.lessons import definitions
from tests.support.stand_ins import Fit, Net, start_of

make_small_net, scaled_alpha, start_weights, *_ = definitions(
    7, "make_small_net", "scaled_alpha", "start_weights", "make_alexnet", "ResponseNorm"
)
random_pieces, whiten, own_scale = definitions(7, "random_pieces", "whiten", "own_scale")


@pytest.fixture
def cells():
    torch.manual_seed(0)
    return Cells("07")


def test_the_start_of_the_weights(cells):
    up, net = make_small_net(3, 9)
    for layer in (net.conv2, net.conv3, net.fc6, net.fc7):
        fan_in = layer.weight[0].numel()
        assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)
        assert not layer.bias.any()
    assert not net.fc8.weight.any()
    assert (up.size, up.mode) == (67, "bilinear")


def test_the_parts_of_the_small_network(cells):
    assert scaled_alpha(0.5) == pytest.approx(1e-4 * 127.5**2)
    _, plain = make_small_net(3, 9)
    _, net = make_small_net(1, 10, alpha=0.125, dropout=0.25)
    assert {type(plain.norm1), type(plain.norm2)} == {torch.nn.Identity}
    assert plain.drop6.p == plain.drop7.p == 0
    assert net.norm1.norm.alpha == net.norm2.norm.alpha == 5 * 0.125
    assert net.drop6.p == net.drop7.p == 0.25


def test_four_photos_are_memorised_without_dropout(cells):
    class Small(torch.nn.Module):
        def __init__(self, **options):
            super().__init__()
            self.options = options
            self.drop6 = self.drop7 = torch.nn.Dropout(0.5)
            self.fc8 = torch.nn.Linear(4, 4)

        def forward(self, x):
            return self.fc8(self.drop7(self.drop6(x)))

    ran = cells.run("overfit-run", make_alexnet=Small, four=torch.eye(4), classes=torch.arange(4))
    assert ran.small.options == {"shrink": 4, "classes": 4}
    assert ran.small.drop6.p == ran.small.drop7.p == 0
    assert ran.losses[0] == pytest.approx(np.log(4))
    assert ran.losses == sorted(ran.losses, reverse=True)
    assert len(ran.losses) == 20


def test_photos_in_a_mirror(cells):
    four, asked = torch.rand(4, 3, 5, 5), []

    def small(images):
        asked.append(images)
        return 10 * torch.eye(4)[[1, 1, 2, 3]]

    names = ["astronaut", "cat", "coffee", "rocket"]
    ran = cells.run("overfit-mirror", small=small, four=four, names=names, classes=torch.arange(4))
    assert torch.equal(asked[0][..., 0], four[..., 4])
    assert torch.equal(asked[0][..., 0, :], four[..., 0, :].flip(2))
    rows = [row.split() for row in ran.printed.splitlines()]
    assert rows[0] == ["astronaut", "answer:", "cat", "right", "class:", "0.0%"]
    assert rows[2] == ["coffee", "answer:", "coffee", "right", "class:", "100.0%"]


def test_emoji_are_normalised_with_those_that_are_learned(cells):
    ran = cells.run("train-emoji")
    learned = ran.colours[:1220]
    torch.testing.assert_close(learned.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(learned.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)
    emoji, (drawn,) = load_emoji(train=True), ran.drawn
    for label, (image, title) in enumerate(zip(drawn.images, drawn.titles, strict=True)):
        assert emoji.classes[label].startswith(title)
        same = (emoji.images.permute(0, 2, 3, 1) == image).all(dim=(1, 2, 3)).nonzero()[0]
        assert emoji.targets[same] == label


def test_training_on_emoji(cells):
    colours, made = torch.arange(1520.0), []
    targets = torch.arange(1520) % 9
    targets[:10], targets[1220:1240] = 4, 4

    class Fitted(Fit):
        def __call__(self, *given, **options):
            super().__call__(*given, **options)
            return SimpleNamespace(losses=[np.log(9)], test_accuracies=[0.2, 0.6])

    def make(*given, **options):
        made.append((given, options, torch.rand(()).item()))
        return Net()

    fit = Fitted()
    ran = cells.run(
        "train-run",
        colours=colours,
        emoji=SimpleNamespace(targets=targets),
        groups=[f"group-{n}" for n in range(9)],
        make_small_net=make,
        scaled_alpha=scaled_alpha,
        fit=fit,
        device=None,
    )
    (call,) = fit.calls
    for loader, part in ((call.train, slice(0, 1220)), (call.test_loader, slice(1220, 1520))):
        x, y = loader.dataset.tensors
        assert torch.equal(x, colours[part])
        assert torch.equal(y, targets[part])
    assert type(call.train.sampler) is RandomSampler
    assert (call.epochs, call.lr, len(call.train)) == (8, 1e-3, 20)
    assert made == [((3, 9, scaled_alpha(0.3)), {"dropout": 0.5}, start_of(1))]
    share = (targets[1220:] == 4).float().mean()
    assert ran.printed == f"guessing 11.1%, always group-4 {share:.1%}\n"


class Digits(list):
    def __init__(self, train, source, transform):
        super().__init__((train, n) for n in range(4000 if train else 1000))
        self.train, self.transform = train, transform
        assert source == "sample"


def where(data):
    """Of which digits a loader's data are: all the test digits, or these of the others."""
    if isinstance(data, Subset):
        assert data.dataset.train
        return data.indices
    return "train" if data.train else "test"


def test_dropout_and_lrn_are_chosen_on_other_digits_than_they_are_tested_on(cells):
    fit, tested = Fit(), []

    def evaluate(net, loader, loss_fn, device):
        (call,) = [one for one in fit.calls if one.model is net]
        good = 0.5 + 50 * call.lr + sum(net.options.values()) / 100
        place = where(loader.dataset)
        if place == range(1000, 1500):
            return Evaluation(0, good)
        tested.append((net, place))
        if place == range(300):
            return Evaluation(0.25, 1 - good / 2)
        assert place == "test"
        return Evaluation(0.75, 0.9 - good / 2)

    def make(channels, classes, **options):
        assert (channels, classes) == (1, 10)
        return Net(**options)

    names = {"scaled_alpha": scaled_alpha, "fit": fit, "evaluate": evaluate, "device": None}
    ran = cells.run(
        "compare-run",
        "compare-table",
        load_mnist=lambda **given: Digits(**given),
        make_small_net=make,
        **names,
    )
    assert (ran.train_data.transform.mean, ran.train_data.transform.std) == (0.1307, 0.3081)
    assert (ran.test_data.transform.mean, ran.test_data.transform.std) == (0.1307, 0.3081)
    assert ran.alphas == pytest.approx([scaled_alpha(0.3081) / n for n in (1, 10, 100)])
    ways = [
        ("without both", "", 0),
        ("with dropout", ", dropout 0.2", 0.2),
        ("with dropout", ", dropout 0.5", 0.5),
        *(("with LRN", f", alpha {alpha:.2g}", alpha) for alpha in ran.alphas),
    ]
    assert ran.printed.splitlines()[:12] == [
        f"{name}{said}, rate {rate}: {0.5 + 50 * rate + value / 100:.1%} of the held-out digits"
        for name, said, value in ways
        for rate in (0.001, 0.003)
    ]
    assert len(fit.calls) == 18
    for number, call in enumerate(fit.calls):
        assert where(call.train.dataset) == range(300)
        assert type(call.train.sampler) is RandomSampler
        assert (call.epochs, call.train.batch_size) == (20, 50)
        assert call.model.start == start_of(1 if number < 12 else 2 + number % 2)
    assert [call.lr for call in fit.calls] == [1e-3, 3e-3] * 6 + [3e-3] * 6
    best = {
        "without both": {},
        "with dropout": {"dropout": 0.5},
        "with LRN": {"alpha": ran.alphas[0]},
    }
    assert {name: (rate, way) for name, (_, rate, way, _) in ran.chosen.items()} == {
        name: (3e-3, way) for name, way in best.items()
    }
    assert all(net.options in best.values() for net, _ in tested)
    assert [place for _, place in tested] == [*[range(300)] * 3, *["test"] * 3] * 3
    assert all(len({net.start for net, _ in tested[n : n + 3]}) == 3 for n in range(0, 18, 3))
    rows = [row.split()[2:] for row in ran.printed.splitlines()[-3:]]
    for row, way in zip(rows, best.values(), strict=True):
        good = 0.65 + sum(way.values()) / 100
        assert row == [f"{1 - good / 2:.1%}", f"{0.9 - good / 2:.1%}", "0.250", "0.750"]


@pytest.mark.parametrize(
    ("dropout", "verdict"),
    [([8, 9, 7], "better"), ([1, 2, 3], "worse"), ([4, 5, 9], "not decided")],
)
def test_the_verdict(cells, dropout, verdict):
    accuracies = {"without both": [4, 5, 6], "with dropout": dropout, "with LRN": [4, 5, 6]}
    printed = cells.run("compare-verdict", accuracies=accuracies).printed
    assert printed == f"with dropout: {verdict}\nwith LRN: not decided\n"


def test_a_trained_network_is_asked_about_each_photo(cells):
    asked = []

    def trained(batch):
        asked.append(batch)
        scores = torch.full((1, 1000), -50.0)
        scores[0, [7, 3, 500]] = torch.tensor([0.6, 0.3, 0.1]).log()
        return scores

    alexnet = {"vision": None, "count_parameters": lambda net: 61_100_840}
    ran = cells.run("trained-run", trained_alexnet=lambda download: trained, **alexnet)
    cat, second, third = (ran.categories[n] for n in (7, 3, 500))
    answers = f"['{cat} 60%', '{second} 30%', '{third} 10%']"
    names = list(ran.photos())
    assert ran.printed.splitlines() == [f"{name} {answers}" for name in names]
    for name, batch in zip(names, asked, strict=True):
        assert batch.shape == (1, 3, 224, 224)
        photo = torch.tensor(ran.photos()[name]).permute(2, 0, 1)
        torch.testing.assert_close(batch[0], ran.weights.transforms()(photo))


def test_pieces_of_photos_without_their_contrast():
    rng = np.random.default_rng(0)
    pictures = [rng.random((20, 30, 3)) * 100 + 1000 * n for n in range(2)]
    pieces = random_pieces(pictures, count=40, side=4)
    assert pieces.shape == (80, 48)
    assert np.array_equal(pieces[:, 0] // 1000, [0] * 40 + [1] * 40)
    for piece, picture in ((pieces[3], pictures[0]), (pieces[70], pictures[1])):
        y, x = np.argwhere(np.isclose(picture[..., 0], piece[0]))[0]
        np.testing.assert_allclose(picture[y : y + 4, x : x + 4], window(piece), rtol=1e-5)
    mixed = rng.normal(size=(2000, 48)) * np.linspace(20, 60, 48)
    white = whiten(mixed)
    spread = np.linalg.eigvalsh(np.cov(white.T))
    # One direction is lost: that of the mean, which was taken from each piece.
    assert spread[0] < 0.01
    assert 0.6 < spread[1] < spread[-1] < 1.01
    brighter = whiten(mixed * rng.uniform(1, 3, (2000, 1)) + rng.uniform(0, 99, (2000, 1)))
    np.testing.assert_allclose(brighter, white, atol=0.05)


def window(piece):
    """The numbers of a piece as the picture has them: height, width, colours."""
    return piece.reshape(3, 4, 4).transpose(1, 2, 0)


def test_each_filter_is_drawn_on_its_own_scale():
    filters = np.random.default_rng(0).normal(size=(5, 3, 2, 2)) * np.arange(1, 6).reshape(
        5, 1, 1, 1
    )
    scaled = own_scale(filters)
    np.testing.assert_allclose(abs(scaled).max(axis=(1, 2, 3)), np.ones(5))
    np.testing.assert_allclose(scaled / scaled[:, :1, :1, :1], filters / filters[:, :1, :1, :1])


def test_the_smoothness_of_each_kind_of_filters(cells):
    shape = (2, 3, 4, 4)
    random, photo, small, end, noise = np.random.default_rng(0).normal(size=(5, *shape))

    def network(weight):
        return SimpleNamespace(conv1=SimpleNamespace(weight=torch.as_tensor(weight)))

    def make(*given, dropout):
        assert (given, dropout) == ((3, 9, scaled_alpha(0.3)), 0.5), "as in the training"
        return [None, network(torch.rand(shape).double())]

    def start():
        return torch.rand(shape, generator=torch.Generator().manual_seed(1)).double()

    ran = cells.run(
        "filters-measure-run",
        random_filters=random,
        photo_filters=photo,
        small=network(small),
        emoji_net=[None, network(end)],
        make_small_net=make,
        scaled_alpha=scaled_alpha,
        whiten=lambda pieces: pieces,
        learn_filters=lambda pieces, rounds: noise,
        trained_net=None,
    )
    change = end - start().numpy()
    kinds = [random, photo, noise, small, end, change]
    wanted = [np.corrcoef(f[..., 1:].ravel(), f[..., :-1].ravel())[0, 1] for f in kinds]
    assert list(ran.smooth.values()) == pytest.approx(wanted)
    names = ["random", "k-means, four photos", "k-means, pieces of noise", "network, four photos"]
    assert list(ran.smooth) == [*names, "network, emoji", "network, emoji: end minus start"]
    size = change.std(ddof=1) / start().std().item()
    assert ran.printed.splitlines()[-1] == f"the change is {size:.0%} as large as the start"
