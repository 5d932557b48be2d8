"""Which picture has which title, and what is drawn, in the cells with the tag `picture-varies`.

Such a picture is not compared with the saved one. So the cells are run here with inputs that can
be told apart, and what they give to `plots` is looked at.
"""

from types import SimpleNamespace

import pytest
import torch

from tests.support.cells import Cells

# Image number n is filled with n / 100.
NUMBERED = (torch.arange(100.0) / 100)[:, None, None, None].expand(100, 1, 28, 28)


def numbers(images):
    """Which of `NUMBERED` these are, or are cut from."""
    return [round(100 * float(torch.as_tensor(image).flatten()[0])) for image in images]


def only(ran):
    (drawn,) = ran.drawn
    return drawn


def test_lesson_00_times():
    ratios = {"CPU, threads: 1": 2.0, "CPU, threads: 2": 1.0}
    drawn = only(Cells("00").run("time-picture", ratios=ratios))
    assert drawn.what == "bars"
    assert drawn.values == ratios
    assert drawn.xlabel == "time, in multiples of the fastest"


@pytest.mark.parametrize(("number", "cell_id"), [("05", "train-curve"), ("07", "train-curve")])
def test_losses_of_a_training(number, cell_id):
    drawn = only(Cells(number).run(cell_id, history="the history"))
    assert (drawn.what, drawn.history) == ("loss_curve", "the history")


class Numbered(list):
    """Data like MNIST: image n is number n of `NUMBERED`, its label the last digit of n + 3."""

    def __init__(self, count=100):
        super().__init__((NUMBERED[n], (n + 3) % 10) for n in range(count))
        self.images = (torch.arange(100)[:, None, None].expand(100, 28, 28) * 2.55).byte()
        self.targets = (torch.arange(100) + 3) % 10


def test_lesson_05_digits_have_their_labels():
    drawn = only(Cells("05").run("data-picture", test_images=Numbered()))
    assert drawn.titles == [f"label {(n + 3) % 10}" for n in numbers(drawn.images)]
    assert len(drawn.titles) == 6


def test_lesson_05_confusion():
    """A row for each true digit, as `counts` has them, with all numbers."""
    counts = torch.arange(100).reshape(10, 10)
    drawn = only(Cells("05").run("confusion-picture", counts=counts, mistakes=counts.triu(1)))
    assert (drawn.what, drawn.labels) == ("confusion_matrix", None)
    assert torch.equal(torch.as_tensor(drawn.counts), counts)


def test_lesson_05_the_most_confident_mistakes():
    data = Numbered()
    answers = (data.targets + torch.arange(100) % 2) % 10  # the odd ones are wrong
    chances = (torch.arange(100) * 37 % 101) / 101
    ran = Cells("05").run(
        "wrong-run",
        "wrong-picture",
        answers=answers,
        truth=data.targets,
        probabilities=chances,
        test_data=SimpleNamespace(images=torch.arange(100)[:, None, None]),
    )
    drawn = only(ran)
    shown = [image.item() for image in drawn.images]
    wanted = sorted(range(1, 100, 2), key=lambda n: -chances[n])[:12]
    assert shown == wanted
    assert drawn.titles == [f"{data.targets[n]} read as {answers[n]}" for n in wanted]


def test_lesson_05_filters():
    cells = Cells("05")
    net = cells.run("net-code").make_net()
    ran = cells.run("net-code", "filters-picture", net=net)
    ran.seed_everything(1)
    first = ran.make_net()[0].weight
    drawn = only(ran)
    start, change, end = torch.as_tensor(drawn.weight).split(10)
    assert torch.equal(start, first)
    assert torch.equal(end, net[0].weight)
    assert torch.equal(change, end - start)
    assert [drawn.titles[n] for n in (0, 10, 20)] == ["start", "change", "end"]
    assert (drawn.columns, len(drawn.titles)) == (10, 30)


@pytest.mark.parametrize("number", ["05", "09"])
def test_maps_are_drawn_under_the_names_of_their_layers(number):
    drawn = only(Cells(number).run("maps-picture", layers={"image": 1, "1 Conv2d": 2}))
    assert (drawn.what, drawn.layers) == ("feature_maps", {"image": 1, "1 Conv2d": 2})


def test_lesson_05_maps_of_one_digit():
    cells = Cells("05")
    net = cells.run("net-code").make_net().eval()
    images = torch.rand(4, 1, 28, 28)
    layers = cells.run("maps-run", first_images=images, net=net).layers
    x = images[:1]
    kinds = ["Conv2d", "MaxPool2d", "ReLU", "Conv2d", "Dropout2d", "MaxPool2d", "ReLU"]
    wanted = {"image": x}
    for n, kind in enumerate(kinds, 1):
        x = net[n - 1](x)
        wanted[f"{n} {kind}"] = x
    del wanted["5 Dropout2d"]
    assert list(layers) == list(wanted)
    assert all(torch.equal(layers[name], wanted[name][0]) for name in wanted)


def test_lesson_05_drawn_digits():
    examples = [SimpleNamespace(label=label) for label in (3, 1, 4)]
    chances = torch.eye(10)[[3, 7, 4]] + torch.arange(10) / 100
    drawn = only(
        Cells("05").run(
            "draw-picture",
            piece=SimpleNamespace(examples=examples),
            shown=NUMBERED[:3],
            expected=chances,
        )
    )
    assert numbers(drawn.images) == [0, 1, 2]
    assert drawn.titles == ["3 read as 3", "1 read as 7", "4 read as 4"]


def measured(first):
    """What lesson 06 measures after each of 40 epochs: a loss and an accuracy."""
    return [SimpleNamespace(loss=first + epoch, accuracy=-1) for epoch in range(40)]


def test_lesson_06_two_curves():
    both = {"training": measured(100), "validation": measured(200)}
    ran = Cells("06").run("part-picture", watch=lambda seed: (both, None))
    drawn = only(ran)
    (lines,) = drawn.panels.values()
    assert lines == {"training": [*range(100, 140)], "validation": [*range(200, 240)]}
    assert list(drawn.x) == [*range(1, 41)]
    assert (drawn.xlabel, drawn.ylabel) == ("epoch", "loss")


def test_lesson_06_rates():
    drawn = only(Cells("06").run("rate-picture", train_deep=lambda rate: rate))
    (lines,) = drawn.panels.values()
    assert lines == {f"rate {rate}": rate for rate in (0.01, 0.05, 0.3, 1.0)}
    assert (drawn.xlabel, drawn.ylabel, drawn.yscale) == ("step", "loss", "log")


def test_lesson_06_held_back():
    ways = {"neither": {}, "dropout": {"dropout": 0.5}, "decay": {"weight_decay": 0.01}}
    firsts = {(): 100, ("dropout",): 200, ("weight_decay",): 300}

    def watch(seed, **options):
        return {"training": measured(0), "validation": measured(firsts[tuple(options)])}, None

    drawn = only(Cells("06").run("help-picture", watch=watch, held_back=ways))
    assert {label: {name: line[0] for name, line in lines.items()}
            for label, lines in drawn.panels.items()} == {
        "validation": {"neither": 100, "dropout": 200, "decay": 300}
    }  # fmt: skip
    assert list(drawn.x) == [*range(1, 41)]


def test_lesson_06_variants():
    right = {"one": torch.tensor([[1, 1, 0, 1], [1, 0, 0, 1]]), "two": torch.tensor([[0, 0, 0, 1]])}
    drawn = only(Cells("06").run("all-picture", correct=right, variants={}, seeds=()))
    assert drawn.values == {"one": [75, 50], "two": [25]}


def test_lesson_07_accuracies():
    tested = {
        name: [SimpleNamespace(accuracy=(n + seed) / 100, loss=-1) for seed in range(3)]
        for n, name in ((10, "without both"), (20, "with dropout"), (30, "with LRN"))
    }
    ran = Cells("07").run("compare-picture", tested=tested, variants=tested)
    assert {name: values[0] for name, values in only(ran).values.items()} == pytest.approx(
        {"without both": 10, "with dropout": 20, "with LRN": 30}
    )
    assert all(len(values) == 3 for values in only(ran).values.values())


def test_lesson_08_accuracies():
    tested = {"lesson 05": [95.0, 96], "residual": [95.5, 96], "without plus": [97.0, 97]}
    assert only(Cells("08").run("assert-min-map-min", tested=tested)).values == tested


def test_lesson_08_ways_to_reuse():
    ways = ("from nothing", "frozen body", "fine-tuned")
    found = {f"{n} images, {way}": [60.0 + (way != "from nothing") * 500 / n] for n in (10, 50)
             for way in ways}  # fmt: skip
    ran = Cells("08").run(
        "means-name-np-mean",
        found=found,
        at={0.001: dict.fromkeys(ways, 0.9), 0.003: dict.fromkeys(ways, 0.9)},
        ways=dict.fromkeys(ways),
        few_images=lambda *_, seed: (None, None),
        accuracy=lambda *_: 1,
        frozen=torch.nn.Linear(1, 1),
        body=torch.nn.Linear(1, 1),
    )
    assert only(ran).values == found


def test_lesson_08_the_most_confident_mistakes():
    count, classes = 30, [f"class {n}" for n in range(9)]
    targets = torch.arange(count) % 9
    guesses = (targets + torch.arange(count) % 3) % 9  # those that 3 does not divide are wrong
    sure = 3 + (torch.arange(count) * 7 % 31) / 10
    scores = torch.zeros(count, 9)
    scores[range(count), guesses] = sure
    emoji = SimpleNamespace(
        names=[f"name {n}" for n in range(count)],
        classes=classes,
        targets=targets,
        images=torch.arange(count)[:, None, None, None].expand(count, 3, 4, 4),
    )
    drawn = only(
        Cells("08").run(
            "chances-emoji-net-test",
            test_emoji=emoji,
            emoji=emoji,
            emoji_net=lambda x: x,
            test_colours=scores,
        )
    )
    wanted = sorted((n for n in range(count) if n % 3), key=lambda n: -sure[n])[:8]
    assert [image.flatten()[0].item() for image in drawn.images] == wanted
    assert drawn.titles == [f"name {n}:\nclass {guesses[n]}?" for n in wanted]


def test_lesson_09_filters_of_the_first_layer():
    body = [SimpleNamespace(weight=name) for name in ("first", 1, 2, "second", 4, 5, "third")]
    drawn = only(Cells("09").run("field-filters", body=body))
    assert (drawn.what, drawn.weight) == ("filter_grid", "first")


FIELDS = {depth: SimpleNamespace(size=3 + depth, jump=2, start=-depth) for depth in (1, 4, 7)}


def patches_of(images, depth, channel, count=8):
    """As the lesson's `best_patches`; the patches are marked with the map's number."""
    return [torch.full((3, 3), float(channel))] * count, None, [(channel, 5, 9)] * count


def test_lesson_09_patches():
    strong = {1: [12, 14], 4: [3, 30], 7: [5, 50]}
    cells = Cells("09")
    common = {"fields": FIELDS, "strong": strong, "test_images": NUMBERED}
    drawn = only(cells.run("patch-picture", best_patches=patches_of, **common))
    rows = [(depth, channel) for depth, some in strong.items() for channel in some]
    assert drawn.columns == 8
    assert [patch[0, 0].item() for patch in drawn.images[::8]] == [channel for _, channel in rows]
    assert drawn.titles[::8] == [f"body[{depth}], map {channel}" for depth, channel in rows]
    assert len(drawn.images) == len(drawn.titles) == 8 * len(rows)
    assert set(drawn.marks) == {(0, 0, 3, 3)}, "a frame around each patch"
    assert drawn.limits == (0, 1)

    drawn = only(cells.run("patch-where", best_patches=patches_of, **common))
    assert numbers(drawn.images) == [channel for _, channel in rows]
    assert drawn.titles == [f"body[{depth}], map {channel}" for depth, channel in rows]
    size = {depth: field.size for depth, field in FIELDS.items()}
    frames = [(10 - depth, 18 - depth, size[depth], size[depth]) for depth, _ in rows]
    assert drawn.marks == frames  # top, left, height, width
    assert drawn.limits == (0, 1)


def test_lesson_09_maps_of_digits():
    drawn = only(
        Cells("09").run(
            "cam-picture",
            answers=torch.arange(100) % 7,
            chosen=[20, 10, 30],
            cams=["a", "b", "c"],
            test_images=NUMBERED,
            share_on_ink=lambda cam, n: {"a20": 0.2, "b10": 0.1, "c30": 0.3}[f"{cam}{n}"],
        )
    )
    assert numbers(drawn.images) == [20, 10, 30]
    assert drawn.heats == ["a", "b", "c"]
    assert drawn.titles == ["answer 6: 20% on ink", "answer 3: 10% on ink", "answer 2: 30% on ink"]


def test_lesson_09_other_questions():
    """A map for another class, and one of a network that has learned nothing."""
    drawn = only(
        Cells("09").run(
            "cam-predict-run",
            test_images=NUMBERED,
            chosen=range(50, 58),
            body="body",
            head="head",
            make_reader=lambda: ("new body", "new head"),
            grad_cam=lambda body, head, image, target: (body, head, *numbers([image]), target),
        )
    )
    assert numbers(drawn.images) == [57, 57, 57]
    assert list(zip(drawn.titles, drawn.heats, strict=True)) == [
        ("for 7", ("body", "head", 57, 7)),
        ("for 1", ("body", "head", 57, 1)),
        ("untrained", ("new body", "new head", 57, 7)),
    ]


def test_lesson_09_photos():
    both = torch.rand(3, 4, 5)
    ran = Cells("09").run(
        "photo-cam",
        "photo-picture",
        names=["cat", "coffee"],
        pictures=[both[None, :, :, :2], both[None, :, :, 2:]],
        photo_body=None,
        photo_head=None,
        grad_cam=lambda body, head, image, target: torch.full((2, 2), target),
    )
    drawn = only(ran)
    assert all(torch.equal(image, both.permute(1, 2, 0)) for image in drawn.images)
    titles = [("where is the cat?", 0), ("where is the coffee?", 1)]
    assert [(a, b[0, 0]) for a, b in zip(drawn.titles, drawn.heats, strict=True)] == titles


def test_lesson_09_sliding_answers():
    scores = torch.rand(10, 22)
    drawn = only(Cells("09").run("slide-picture", strip="strip", scores=scores))
    assert (drawn.image, drawn.window, drawn.stride) == ("strip", 28, 4)
    assert torch.allclose(drawn.probabilities, scores.exp() / scores.exp().sum(dim=0))
