"""What lesson 06 says: Train it well."""

import copy
import functools
import math
import re

import torch
import torch.nn.functional as F
from torch import nn

from helpers import shapes
from helpers.device import seed_everything
from tests.support.claims import Claim, compared, counted, default, printed
from tests.support.lessons import definitions


@functools.cache
def spreads_of_starts():
    """n · var of the weights that PyTorch draws by each rule, for n inputs and m outputs."""
    seed_everything(1)
    layer = nn.Linear(800, 200)
    own = layer.weight.var().item()
    he = nn.init.kaiming_normal_(layer.weight, nonlinearity="relu").var().item()
    glorot = nn.init.xavier_normal_(layer.weight).var().item()
    return {"own": own, "He": he, "Glorot": glorot}


def rule(name):
    """The formula that gives this variance for 800 inputs and 200 outputs."""
    formulas = {
        "1 / n_in": 1 / 800,
        "2 / n_in": 2 / 800,
        "2 / n_out": 2 / 200,
        "2 / (n_in + n_out)": 2 / 1000,
        "1 / (n_in + n_out)": 1 / 1000,
        "1 / (3 n_in)": 1 / 2400,
        "3 / n_in": 3 / 800,
    }
    variance = spreads_of_starts()[name]
    return min(formulas, key=lambda one: abs(math.log(formulas[one] / variance)))


def who_is_who():
    """Which authors' rule PyTorch calls by which first name."""
    names = {"He's": nn.init.kaiming_normal_, "Glorot's": nn.init.xavier_normal_}
    formulas = {"He's": 2 / 800, "Glorot's": 2 / 1000}
    for author, draw in names.items():
        variance = draw(torch.empty(200, 800)).var().item()
        whose = min(formulas, key=lambda one: abs(formulas[one] - variance))
        yield whose, re.match("[a-z]+", draw.__name__)[0]
        assert author == whose


def running_means():
    """How much of the old and of the batch's mean is kept, and which mode uses the result."""
    layer = nn.BatchNorm1d(1)
    layer(torch.tensor([[0.0], [6], [6], [8]]))
    new = layer.running_mean.item() / 5
    wanted = -layer.running_mean / (layer.running_var + layer.eps).sqrt()
    modes = [copy.deepcopy(layer).train(), layer.eval()]
    out = [mode(torch.tensor([[0.0], [1.0]]))[0] for mode in modes]
    used = [m for m, one in zip(("train", "eval"), out, strict=True) if torch.isclose(one, wanted)]
    return f"{1 - new:.1f}", f"{new:.1f}", used[0]


def divisor_of_the_running_variance():
    layer = nn.BatchNorm1d(1)
    layer(torch.tensor([[0.0], [6], [6], [8]]))
    variance = (layer.running_var.item() - 0.9) / 0.1
    return {12: "one less", 9: "as many"}[round(variance)]


def first_scale_and_shift():
    layer = nn.BatchNorm2d(3)
    return int(layer.weight.unique()), int(layer.bias.unique())


def axes_of_a_mean():
    """What has a mean of its own in a layer of maps."""
    return {3: "channel", 5: "row", 8: "image"}[len(nn.BatchNorm2d(3).running_mean)]


def those_that_refuse():
    """Which layer refuses a batch of one, and which does not."""
    for layer, one in ((nn.BatchNorm1d(1), (1, 1)), (nn.BatchNorm2d(1), (1, 1, 4, 4))):
        try:
            layer(torch.ones(one))
        except ValueError:
            yield f"{type(layer).__name__} refuses"
        else:
            yield f"{type(layer).__name__} does not refuse"


def what_dropout_does_to_the_others():
    seed_everything(1)
    times = F.dropout(torch.ones(100), 1 / 4).max().item()
    return {3 / 4: "multiplied", 4 / 3: "divided"}[round(times * 12) / 12]


def what_eval_mode_does():
    x = torch.arange(4.0)
    return "nothing" if torch.equal(nn.Dropout(1 / 4).eval()(x), x) else "something"


def decayed(optim):
    w = torch.tensor(2.0, requires_grad=True)
    w.grad = torch.tensor(0.0)
    optim([w], lr=0.1, weight_decay=0.1).step()
    return f"{w.item():.2f}".rstrip("0")


def betas_of_adam():
    (gradient, square) = default(torch.optim.Adam, "betas")
    return f"{gradient}", f"{1 - gradient:.1f}", f"{square}", f"{1 - square:.3f}"


def paths_of_rates():
    """What becomes of w, with gradient 2w, for each rate of the table."""
    ends = {}
    for rate in (0.25, 0.5, 1, 1.5):
        w = torch.tensor(1.0, requires_grad=True)
        sgd, path = torch.optim.SGD([w], lr=rate), []
        for _ in range(3):
            sgd.zero_grad()
            (w**2).backward()
            sgd.step()
            path.append(abs(w.item()))
        ends[rate] = (
            "there in one step"
            if path[0] == 0
            else "on its way"
            if path[-1] < path[0]
            else "jumps over the goal for ever"
            if path[-1] == path[0]
            else "diverges, away from the goal"
        )
    return list(ends.values())


def which_holds_back():
    """Which of three does worst after 5 epochs, and in the last ten: of the saved table."""
    losses = printed("06 help-run", r"loss (\d\.\d+) \(.*?loss (\d\.\d+) \(")
    names = ("neither", "dropout", "decay")
    return [max(names, key=lambda name: losses[names.index(name)][at]) for at in (0, 1)]


def silent_at_the_end():
    """How many units come back with each function: of the saved counts."""
    counts = printed("06 die-many-run", r"first step: (\d+), at the end: (\d+)")
    return ["none" if end >= begin else "all" if end == 0 else "some" for begin, end in counts]


def many_images():
    dropped, without = printed("06 many-run", r"(\d+\.\d)%")
    return compared(dropped, without, ("worse", "equal", "better"))


def first_rates():
    """Of the saved table: at how many of the three rates sigmoid learns with each size."""
    rows = printed("06 fair-run", r"Sigmoid  weights × \S+ +(\S+) +(\S+) +(\S+)")
    words = {0: "none of these", 3: "all three"}
    return [words[sum(loss < 1 for loss in row)] for row in (rows[0], rows[2])]


def smallest_of_best_rates():
    rates = (0.001, 0.01, 0.1, 1.0)
    rows = printed("06 adam-table", r"(?:SGD|momentum|Adam) +(\S+) +(\S+) +(\S+) +(\S+)")
    best = [rates[row.index(min(row))] for row in rows]
    return {0: "SGD", 1: "momentum", 2: "Adam"}[best.index(min(best))]


def stopped():
    stop_early, by_hand = definitions("06", "stop_early", "by_hand")
    return stop_early(by_hand, patience=2)


def one_in():
    """How often equals are further apart than twice the uncertainty of one: of the saved share."""
    far, _ = printed("06 sure-dice", r"(\d+)%")
    return counted(100 / far)


def leads():
    """The order of the three on the test images, and who stays behind: of the saved table."""
    cnn, connected, _nearest = printed("06 final-table", r"(\d+\.\d+)% ±")
    return "behind" if connected < cnn else "ahead of"


def gains_of_shifts():
    """What shifts bring on moved digits, and on the others: of the saved table."""
    plain, moved = printed("06 shift-run", r"(\d+\.\d)% +(\d+\.\d)%")
    return ("gain" if moved[1] > plain[1] else "lose"), "do not" if moved[0] >= plain[0] else "do"


def kept_by_dropout():
    """The numbers 3, 6, 9, 12 without the third, for p = 1/4, as PyTorch scales them."""
    scale = F.dropout(torch.ones(100), 1 / 4).max().item()
    return [round(x * scale) for x in (3, 6, 0, 12)]


def slope_of_a_dead_unit(activation):
    x = torch.tensor(-7.0, requires_grad=True)
    activation(x).backward()
    return f"{x.grad.item():.2g}"


def without_the_schedule():
    """The saved leads without the schedule, at the recipe's rate and at the smaller one."""
    (same,) = printed("06 all-run", r"no schedule +\S+% +(\S+) ±")
    (small,) = printed("06 all-run", r"no schedule, rate 0.002 +\S+% +(\S+) ±")
    return "lower" if max(same, small) < 0 else "higher", compared(-small, -same, LESS)


LESS = ("less", "as much", "more")


def parameters_of_the_rivals():
    """Of the fully connected network, beside the saved number of the CNN's."""
    hidden = (nn.Linear(784, 128), nn.BatchNorm1d(128), nn.ReLU())
    rival = shapes.count_parameters(nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, 10)))
    return compared(rival, printed("06 final-train", r"([\d,]+) parameters")[0])


CLAIMS = [
    Claim(
        "06 start-intro",
        r"\| He and others \(2015\) \| (.+?) \|",
        "1 / n_in",
        lambda: rule("He"),
    ),
    Claim(
        "06 start-intro",
        r"\| Glorot and Bengio \(2010\) \| (.+?), a compromise \|",
        "2 / n_in",
        lambda: rule("Glorot"),
    ),
    Claim(
        "06 start-intro",
        r"\| `nn\.Linear`, `nn\.Conv2d` \| (.+?) \|",
        "1 / n_in",
        lambda: rule("own"),
    ),
    Claim(
        "06 start-intro",
        r"So He's rule is (\d)/n\.",
        "1",
        lambda: round(spreads_of_starts()["He"] * 800),
    ),
    Claim(
        "06 recap",
        r"He's (\d)/n for ReLU, Glorot's (\d)/\(n_in \+ n_out\), PyTorch's 1/\((\d)n\)",
        ("1", "1", "2"),
        lambda: (
            round(spreads_of_starts()["He"] * 800),
            round(spreads_of_starts()["Glorot"] * 1000),
            round(1 / (spreads_of_starts()["own"] * 800)),
        ),
    ),
    Claim(
        "06 start-intro",
        r"PyTorch calls (\w+'s) rule `(\w+)` and (\w+'s) `(\w+)`",
        ("Glorot's", "kaiming", "He's", "xavier"),
        lambda: [word for pair in who_is_who() for word in pair],
    ),
    Claim(
        "06 norm-eval",
        r"a running variance: ([\d.]+) of the old and ([\d.]+) of the batch's\. In (\w+) mode",
        ("0.1", "0.9", "train"),
        running_means,
    ),
    Claim(
        "06 norm-eval",
        r"For the running variance PyTorch divides by (one \w+|as many),",
        "one more",
        divisor_of_the_running_variance,
    ),
    Claim(
        "06 norm-intro",
        r"two parameters that are learned; they begin with (\d) and (\d)",
        ("0", "1"),
        first_scale_and_shift,
    ),
    Claim("06 norm-library", r"one mean for each (\w+), over", "image", axes_of_a_mean),
    Claim(
        "06 norm-one",
        r"so `(BatchNorm1d` [\w ]+)\. `(BatchNorm2d` [\w ]+),",
        ("BatchNorm1d` does not refuse", "BatchNorm2d` refuses"),
        lambda: [answer.replace(" ", "` ", 1) for answer in those_that_refuse()],
    ),
    Claim(
        "06 drop-intro",
        r"with probability \$p\$, and the others are (\w+) by \$1 - p\$",
        "multiplied",
        what_dropout_does_to_the_others,
    ),
    Claim("06 drop-intro", r"So in eval mode (\w+) has to be done", "all", what_eval_mode_does),
    Claim(
        "06 decay-intro",
        r"the new weight is .*? = ([\d.]+)\. With .*?whatever λ is: ([\d.]+)\. .*?again ([\d.]+)\.",
        ("1.9", "1.98", "1.9"),
        lambda: [decayed(o) for o in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)],
    ),
    Claim(
        "06 mistakes",
        r"`weight_decay` in `(\w+)`\. .*?: use `(\w+)`",
        ("AdamW", "Adam"),
        lambda: sorted(
            ("AdamW", "Adam"), key=lambda name: decayed(getattr(torch.optim, name)) == "1.98"
        ),
    ),
    Claim(
        "06 adam-intro",
        r"m \\leftarrow (\S+)\\,m \+ (\S+)\\,g .*? s \\leftarrow (\S+)\\,s \+ (\S+)\\,g",
        ("0.1", "0.9", "0.999", "0.001"),
        betas_of_adam,
    ),
    Claim(
        "06 rate-intro",
        r"0\.125: (.+?) \|.*?1, 0, 0, 0: (.+?) \|.*?1, −1, 1, −1: (.+?) \|.*?4, −8: (.+?) \|",
        ("on its way", "diverges", "there in one step", "on its way"),
        paths_of_rates,
    ),
    Claim(
        "06 stop-intro",
        r"Training ends after epoch (\d), and the weights of epoch (\d) are kept",
        ("5", "7"),
        stopped,
    ),
    Claim(
        "06 adam-notice",
        r"each has a best rate of its own; (\w+)'s is the smallest",
        "SGD",
        smallest_of_best_rates,
    ),
    Claim(
        "06 fair-notice",
        r"sigmoid learns at ([\w ]+) rates; .*? it learns at (all three|none)",
        ("all three", "none"),
        first_rates,
    ),
    Claim(
        "06 help-notice",
        r"In short training (\w+) only does harm",
        "decay",
        lambda: which_holds_back()[0],
    ),
    Claim(
        "06 die-notice",
        r"With ReLU (\w+) comes? back, .*?With Leaky ReLU (\w+) comes? back",
        ("all", "none"),
        silent_at_the_end,
    ),
    Claim("06 many-notice", r"dropout makes the result clearly (\w+)", "better", many_images),
    Claim("06 sure-pairs", r"between equals in one case of (\w+)\.", "two", one_in),
    Claim("06 final-notice", r"with more parameters, stays ([\w ]+) the CNN", "ahead of", leads),
    Claim(
        "06 shift-notice",
        r"^The moved digits (\w+) enormously, and the others ([\w ]+) suffer",
        ("lose", "do"),
        gains_of_shifts,
    ),
    Claim(
        "06 drop-intro",
        r"The others are divided by 3/4: (\d+), (\d+), (\d+), (\d+)\.",
        ("2", "4", "0", "9"),
        kept_by_dropout,
    ),
    Claim(
        "06 die-intro",
        r"Leaky ReLU has the slope ([\d.]+\d) there",
        "0.1",
        lambda: slope_of_a_dead_unit(F.leaky_relu),
    ),
    Claim(
        "06 all-notice",
        r"Without the schedule the mean is (\w+) at both rates, .*? At the smaller rate, 0\.002, "
        r"(\w+) is lost",
        ("higher", "more"),
        without_the_schedule,
    ),
    Claim(
        "06 final-intro",
        r"a fully connected network with (\w+) parameters",
        "fewer",
        parameters_of_the_rivals,
    ),
    Claim(
        "06 part-notice",
        r"but it makes them with (\w+) and \w+ confidence",
        "fewer",
        lambda: compared(*reversed(printed("06 part-numbers", r"sure (\d+)%"))),
    ),
]
