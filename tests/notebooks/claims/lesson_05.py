"""What lesson 05 says: Train a network on handwritten digits."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms import Normalize

from helpers import shapes
from helpers.device import seed_everything
from tests.support.claims import Claim, colour, compared, printed, share
from tests.support.lessons import definitions


def switches_of_dropout(layer):
    """What train() and eval() do with a layer that drops numbers."""
    ones = torch.ones(1, 50, 2, 2)
    for mode in (layer.train, layer.eval):
        yield "off" if torch.equal(mode()(ones), ones) else "on"


def what_dropout_does():
    """The share that becomes 0, and what becomes of the others, as PyTorch does it if not told."""
    seed_everything(1)
    out = nn.Dropout()(torch.ones(10_000))
    (kept,) = out[out != 0].unique().tolist()
    becomes = {2: "doubles", 1: "keeps", 0.5: "halves"}[kept]
    return share((out == 0).float().mean().item()).replace("half", "one half"), becomes


def what_dropout2d_drops():
    seed_everything(1)
    out = nn.Dropout2d()(torch.ones(1, 50, 4, 4))
    whole = {maps.unique().numel() for maps in out[0]} == {1}
    return "whole maps" if whole else "single numbers"


def weight_after_two_steps():
    w = torch.tensor(1.0, requires_grad=True)
    sgd = torch.optim.SGD([w], lr=0.01, momentum=0.5)
    for _ in range(2):
        sgd.zero_grad()
        (w**2).backward()
        sgd.step()
    return round(w.item(), 4)


def gradients_of_two_steps():
    """What happens to a gradient if nobody clears the one before."""
    w = torch.tensor(1.0, requires_grad=True)
    for _ in range(2):
        (3 * w).backward()
    return {6: "added up", 3: "replaced"}[w.grad.item()]


def losses_of_scores():
    """What `cross_entropy` makes of the scores of the lesson, as they are and changed before."""
    scores, right = torch.zeros(1, 10), torch.tensor([3])
    scores[0, 3] = 8
    ways = {
        "plain scores": scores,
        "probabilities": scores.softmax(dim=1),
        "log-softmax": scores.log_softmax(dim=1),
    }
    wanted = -scores.softmax(dim=1)[0, 3].log()
    return [
        name for name, way in ways.items() if torch.isclose(F.cross_entropy(way, right), wanted)
    ]


def two_steps_of_cross_entropy():
    scores, right = torch.tensor([[1.0, 5.0, 2.0]]), torch.tensor([0])
    wanted = F.cross_entropy(scores, right)
    found = [
        (name, loss.__name__)
        for name, first in (("softmax", F.softmax), ("log-softmax", F.log_softmax))
        for loss in (F.nll_loss,)
        if torch.isclose(loss(first(scores, dim=1), right), wanted)
    ]
    return found[0]


def what_nll_loss_does():
    """What `nll_loss` makes of the one output that belongs to the right digit."""
    taken = F.nll_loss(torch.tensor([[-2.0, -7.0]]), torch.tensor([1])).item()
    return {7: "changes its sign", -7: "keeps its sign"}[taken]


def parts_of_normalising():
    """What is taken away from four pixels, and by what they are divided."""
    pixels = torch.tensor([[[0.0, 0.0, 1.0, 3.0]]])
    known = {"mean": pixels.mean(), "standard deviation": pixels.std(correction=0)}
    out = Normalize(*known.values())(pixels)
    width = 1 / (out[0, 0, 2] - out[0, 0, 0])
    found = {"mean": -out[0, 0, 0] * width, "standard deviation": width}
    return [next(name for name in known if torch.isclose(known[name], found[one])) for one in found]


def cell_of_the_matrix():
    """Where the lesson's matrix counts a truth of 1 and an answer of 0."""
    counts = definitions("05", "confusion")[0]([1], [0], classes=2)
    ((row, column),) = counts.nonzero().tolist()
    return f"({row}, {column})"


def when_super_comes():
    """When `super().__init__()` must be called."""

    class Late(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)
            super().__init__()

    try:
        Late()
    except AttributeError:
        return "first"
    return "last"


def test_and_training_loss():
    """The last line of the saved training."""
    training, test = printed("05 train-run", r"train loss ([\d.]+)  test loss ([\d.]+)")[-1]
    return "below" if test < training else "above"


def accuracies_of_modes():
    dropped, without = printed("05 mode-run", r"(\d+\.\d)%")
    return compared(dropped, without)


def mistakes_of_the_rivals():
    """More or fewer with convolutions, how many as part of the other's, and with how much work."""
    wrong, other = printed("05 buys-check", r"(\d+\.\d)%")
    parts = {True: "less than half", False: "more than half"}
    weights = [24 * 24 * 10 * 25 + 8 * 8 * 20 * 250 + 320 * 50 + 50 * 10, 784 * 27 + 27 * 10]
    return compared(wrong, other), parts[wrong < other / 2], compared(*weights)


def losses_by_a_shift():
    """Whether the network with convolutions loses less in each direction."""
    rows = printed("05 buys-shift-run", r"(?m)(\d+\.\d)% → (\d+\.\d)%$")
    lost = [before - after for before, after in rows]
    pairs = list(zip(lost[::2], lost[1::2], strict=True))
    return "less" if all(one < other for one, other in pairs) else "more"


def order_of_the_images():
    """Whether a loader that shuffles gives the images in another order each time."""
    loader = torch.utils.data.DataLoader(range(100), batch_size=100, shuffle=True)
    return "new" if next(iter(loader)).tolist() != next(iter(loader)).tolist() else "the same"


def largest_layer():
    """The share of the parameters in the largest layer of the lesson's network."""
    counts = [shapes.count_parameters(layer) for layer in definitions("05", "make_net")[0]()]
    return share(max(counts) / sum(counts))


def costs():
    """What an answer costs that is sure, if it is right and if it is wrong."""
    scores = torch.tensor([[50.0, 0.0]])
    right, wrong = (F.cross_entropy(scores, torch.tensor([label])).item() for label in (0, 1))
    return round(right), "much" if wrong > 10 else "little"


def share_of_the_confident_mistake():
    losses = -torch.log(torch.tensor([0.9] * 9 + [0.001]))
    return f"{10 * round(10 * (losses[-1] / losses.sum()).item())} %"


CLAIMS = [
    Claim(
        "05 mode-intro",
        r"`net\.train\(\)` switches dropout (\w+), `net\.eval\(\)` switches it (\w+)",
        ("off", "on"),
        lambda: list(switches_of_dropout(nn.Dropout())),
    ),
    Claim(
        "05 recap",
        r"Train mode switches dropout (\w+), eval mode (\w+)\.",
        ("off", "on"),
        lambda: list(switches_of_dropout(nn.Dropout2d())),
    ),
    Claim(
        "05 net-intro",
        r"sets each number to 0 with a chance of ([\w ]+) while training, and (\w+) those",
        ("a tenth", "keeps"),
        what_dropout_does,
    ),
    Claim(
        "05 net-intro",
        r"`Dropout2d` does that to ([\w ]+)\.",
        "single numbers",
        what_dropout2d_drops,
    ),
    Claim(
        "05 step-intro",
        r"\| 2 \| 2 · 0\.98 = 1\.96 \| [^|]* \| [^|]* = ([\d.]+) \|",
        "0.9604",
        weight_after_two_steps,
    ),
    Claim(
        "05 mistakes",
        r"Gradients are (\w+(?: up)?) from step to step",
        "replaced",
        gradients_of_two_steps,
    ),
    Claim(
        "05 mistakes",
        r"`nn\.CrossEntropyLoss` want ([\w ]+)\. With (\w+) the loss cannot",
        ("probabilities", "scores"),
        lambda: (
            losses_of_scores()[0],
            *{"plain scores", "probabilities", "log-softmax"}.difference(losses_of_scores()),
        ),
    ),
    Claim(
        "05 loss-parts",
        r"two steps in one: the ([\w-]+), and then the negative log-likelihood `F\.(\w+)`",
        ("softmax", "mse_loss"),
        two_steps_of_cross_entropy,
    ),
    Claim(
        "05 loss-parts",
        r"belongs to the right digit and (\w+ its sign)",
        "keeps its sign",
        what_nll_loss_does,
    ),
    Claim(
        "05 loss-parts-answer",
        r"A log-softmax too many does (\w+) harm",
        "much",
        lambda: "no" if "log-softmax" in losses_of_scores() else "much",
    ),
    Claim(
        "05 normal-intro",
        r"we subtract the ([\w ]+) of all pixels and divide by their ([\w ]+),",
        ("standard deviation", "mean"),
        parts_of_normalising,
    ),
    Claim(
        "05 confusion-intro",
        r"and (\(\d, \d\)), truth 1 and answer 0",
        "(0, 1)",
        cell_of_the_matrix,
    ),
    Claim("05 net-class", r"`super\(\)\.__init__\(\)` comes (\w+)\.", "last", when_super_comes),
    Claim(
        "05 loader-intro",
        r"Their order is ([\w ]+?) in each epoch",
        "the same",
        order_of_the_images,
    ),
    Claim(
        "05 train-notice", r"the test loss lies (\w+) the training", "above", test_and_training_loss
    ),
    Claim(
        "05 mode-answer",
        r"With dropout the same network reads (\w+) digits correctly",
        "more",
        accuracies_of_modes,
    ),
    Claim(
        "05 buys-answer",
        r"the network with convolutions makes (\w+) mistakes, "
        r".*? (\w+ than half) as many, for (\w+) work",
        ("more", "more than half", "less"),
        mistakes_of_the_rivals,
    ),
    Claim(
        "05 buys-answer",
        r"It also suffers (\w+) when the digits are moved",
        "more",
        losses_by_a_shift,
    ),
    Claim(
        "05 params-library",
        r"almost ([\w ]+) of the parameters are in one fully connected layer",
        "a quarter",
        largest_layer,
    ),
    Claim(
        "05 loss-intro",
        r"Sure and right costs (\d); sure and wrong costs (\w+)\.",
        ("1", "little"),
        costs,
    ),
    Claim(
        "05 exercise-2",
        r"The one confident mistake makes almost (\d+ %) of it",
        "50 %",
        share_of_the_confident_mistake,
    ),
    Claim(
        "05 filters-intro",
        r"(\w+) is positive, (\w+) is negative",
        ("Purple", "orange"),
        lambda: (colour(1).capitalize(), colour(-1)),
    ),
    Claim(
        "05 exercise-3",
        r"the printed training loss is (\w+) than the test loss",
        "smaller",
        lambda: compared(
            *printed("05 buys-run", r"1/3  train loss (\S+)  test loss (\S+)")[1],
            ("smaller", "equal", "larger"),
        ),
    ),
]
