"""What lesson 04 says: Write a layer from scratch."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checks import grad_check
from tests.support.claims import Claim, compared, counted, default, printed, share, slid, tensor
from tests.support.lessons import definitions

X = np.arange(9.0).reshape(1, 1, 3, 3)
W = np.arange(4.0).reshape(1, 1, 2, 2)
GRAD_OUT = np.arange(1.0, 5).reshape(1, 1, 2, 2)


def gradient(function, values, grad_out=None):
    """PyTorch's gradient of a function for these values."""
    x = tensor(values).requires_grad_()
    out = function(x)
    out.backward(torch.ones_like(out) if grad_out is None else tensor(grad_out))
    return x.grad


def shares_of_a_window(pool):
    """What part of the gradient the largest of four numbers gets, and one of the others."""
    grad = gradient(lambda x: pool(x[None], 2)[0], [[0, 1], [4, 5]])
    return grad[1, 1].item(), grad[0, 0].item()


def those_that_get_the_gradient():
    winner, loser = shares_of_a_window(F.max_pool2d)
    each, same = shares_of_a_window(F.avg_pool2d)
    assert each == same
    return {1: "whole"}[winner], {0: "0"}[loser], share(each).removeprefix("a ")


def tie():
    """Where `max_pool2d` sends the gradient if numbers are equal, and how `amax` shares it."""
    to_one = gradient(lambda x: F.max_pool2d(x[None], 2)[0], [[7, 7], [1, 7]])
    shared = gradient(lambda x: x.amax(), [[7, 7], [1, 7]])
    places = {(0, 0): "first", (1, 1): "last"}
    return places[tuple(to_one.nonzero()[0].tolist())], {1: "equally"}[
        shared[shared > 0].unique().numel()
    ]


def gradient_of_the_loss():
    """The two parts of it, in the order of the difference that it is."""
    scores, truth = torch.tensor([[1.0, 2.0, 0.5]]), torch.tensor([[0.0, 1.0, 0.0]])
    grad = gradient(lambda x: F.cross_entropy(x, torch.tensor([1])), scores.tolist())
    parts = {"probability": scores.softmax(dim=1).double(), "truth": truth.double()}
    for one, other in (("probability", "truth"), ("truth", "probability")):
        if torch.allclose(grad, parts[one] - parts[other]):
            return one, other
    return None


def steps_of_cross_entropy():
    """How many steps it is, and what the first one does to the scores."""
    scores = torch.tensor([1.0, 2.0])
    loss = F.cross_entropy(scores[None], torch.tensor([0]))
    firsts = {"softmax": scores.softmax(dim=0), "sigmoid": scores.sigmoid(), "": scores}
    (first,) = (name for name, p in firsts.items() if torch.isclose(-p[0].log(), loss))
    return "both steps" if first else "one step", first


def filter_of_the_way_back():
    """Whether the filter has to be turned to give the pixels their gradient."""
    grad = gradient(lambda x: F.conv2d(x, tensor(W)), X, GRAD_OUT)
    ringed = np.pad(GRAD_OUT[0, 0], 1)
    turned, as_it_is = slid(ringed, W[0, 0, ::-1, ::-1]), slid(ringed, W[0, 0])
    assert not torch.equal(turned, as_it_is)
    return "Turned" if torch.equal(grad[0, 0], turned) else "As it is"


def times_that_a_pixel_comes_back():
    im2col, col2im = definitions("04", "im2col", "col2im")
    back = col2im(im2col(np.ones_like(X), 2, 2), X.shape, 2, 2)[0, 0]
    times = {1: "once", 2: "twice", 4: "four times"}
    return [times[back[place]] for place in ((0, 0), (0, 1), (1, 1))]


def rows_and_columns():
    """The rows and the columns of the matrix, for three channels and 3 × 3 on 7 × 7."""
    (im2col,) = definitions("04", "im2col")
    rows, columns = im2col(np.zeros((2, 3, 7, 7)), 3, 3).shape[1:]
    return rows, columns, F.unfold.__name__


def what_images_do_with_their_shares():
    """How the gradient of the weights for two images comes from those of one alone."""
    grad = gradient(lambda w: F.conv2d(tensor(X.repeat(2, axis=0)), w).sum(), W)
    alone = gradient(lambda w: F.conv2d(tensor(X), w).sum(), W)
    return {2: "adds", 1: "averages"}[(grad / alone).unique().item()]


def what_shrinks_the_loss():
    """Which way a weight has to move."""
    w = torch.tensor(1.0, requires_grad=True)
    (w**2).backward()
    before = w.item()
    torch.optim.SGD([w], lr=0.01).step()
    return "against" if (w.item() - before) * w.grad.item() < 0 else "along"


def gradients_of_zeros():
    """The last words for the only parameter that learns if all begin at 0."""
    make_parameters, forward, backward, softmax_loss, *_ = definitions(
        "04", "make_parameters", "forward", "backward", "softmax_loss", *FUNCTIONS
    )
    p = {name: 0 * value for name, value in make_parameters(seed=1).items()}
    values = forward(p, np.random.default_rng(1).random((3, 1, 28, 28)))
    grads = backward(p, values, softmax_loss(values["scores"], np.array([1, 2, 3]))[1])
    alive = [name for name, value in grads.items() if value.any()]
    return {("b3",): "last bias", ("b1",): "first bias", ("w3",): "last weights"}[tuple(alive)]


FUNCTIONS = (
    "im2col",
    "col2im",
    "conv_forward",
    "conv_backward",
    "linear_forward",
    "linear_backward",
)


def type_that_checks_use():
    """The type of the numbers that `grad_check` computes with."""
    seen = []

    def double(x):
        seen.append(x.dtype)
        return 2 * x

    grad_check(double, lambda g, x: (2 * g,), [np.ones(3, np.float32)])
    return str(seen[0])


def large_steps():
    """The larger of the two steps of the saved times."""
    loop, view, product, *_ = printed("04 time-run", r"(?m)^\D.{22} *([\d,.]+)   ")
    return "first" if loop / view > view / product else "second"


def wins_of_the_peak():
    """In how many windows the 9 wins, and what gradient it gets."""
    peak = tensor([[0, 1, 2], [3, 9, 5], [6, 7, 8]])
    won = F.max_pool2d(peak[None], 2, stride=1)[0]
    grad = gradient(lambda x: F.max_pool2d(x[None], 2, stride=1)[0], peak.tolist(), GRAD_OUT[0, 0])
    return counted((won == 9).sum().item()), int(grad[1, 1])


def larger_scores():
    low, high = (torch.tensor([score, 0.0]).softmax(dim=0)[0] for score in (1.0, 2.0))
    return compared(high, low, ("smaller", "equal", "larger"))


CLAIMS = [
    Claim(
        "04 relu-intro",
        r"and `grad_out` 5, 6, 7 give (\d), (\d), (\d)\.",
        ("5", "0", "7"),
        lambda: gradient(torch.relu, [-1, 0, 2], [5, 6, 7]).int().tolist(),
    ),
    Claim(
        "04 pool-back-intro",
        r"So the winner gets the (\w+) gradient, the others get (\w+)\..*? So each gets a (\w+):",
        ("half", "rest", "half"),
        those_that_get_the_gradient,
    ),
    Claim(
        "04 ties-intro",
        r"`max_pool2d` gives everything to the (\w+) one.*? `torch.amax` shares it (\w+)",
        ("last", "never"),
        tie,
    ),
    Claim(
        "04 ties-intro",
        r"The 9 wins in all (\w+) windows, so it gets 1 \+ 2 \+ 3 \+ 4 = (\d+)",
        ("three", "4"),
        wins_of_the_peak,
    ),
    Claim(
        "04 softmax-intro",
        r"is surprisingly simple: (\w+) minus (\w+)",
        ("truth", "probability"),
        gradient_of_the_loss,
    ),
    Claim(
        "04 softmax-intro",
        r"The loss of a batch is the (\w+)\.",
        "sum",
        lambda: default(F.cross_entropy, "reduction"),
    ),
    Claim(
        "04 softmax-intro",
        r"`cross_entropy` is (.+?) in one: (\w+) and the negative logarithm",
        ("one step", "sigmoid"),
        steps_of_cross_entropy,
    ),
    Claim("04 back-conv-answer", r"^(\w[\w ]*)\. Forward", "As it is", filter_of_the_way_back),
    Claim(
        "04 back-conv-answer",
        r"Without padding it goes from a (\w+) array to a (\w+) one",
        ("large", "smaller"),
        lambda: (
            ("small", "larger")
            if F.conv_transpose2d(tensor(GRAD_OUT), tensor(W)).numel() > GRAD_OUT.size
            else ("large", "smaller")
        ),
    ),
    Claim(
        "04 col2im-answer",
        r"corners ([\w ]+), the middle of a side (\w+), the centre ([\w ]+)\. ",
        ("four times", "twice", "once"),
        times_that_a_pixel_comes_back,
    ),
    Claim(
        "04 im2col-predict-answer",
        r"so there are (\d+) rows; .*? so there are (\d+) columns\. PyTorch calls .*? `(\w+)`",
        ("25", "27", "fold"),
        rows_and_columns,
    ),
    Claim(
        "04 conv-backward-batch",
        r"so each of them (\w+) its share",
        "averages",
        what_images_do_with_their_shares,
    ),
    Claim(
        "04 sanity-loss-answer",
        r"move every parameter a little (\w+) its gradient",
        "along",
        what_shrinks_the_loss,
    ),
    Claim(
        "04 exercise-3", r"Only that of the ([\w ]+)\. With zero", "first bias", gradients_of_zeros
    ),
    Claim("04 time-notice", r"In the saved run it is the (\w+)\.", "first", large_steps),
    Claim(
        "04 mistakes",
        r"Checking in `(\w+)`\. It has about (\d+) digits,.*? Use `(\w+)`",
        ("float64", "16", "float32"),
        lambda: (
            "float32",
            round(1 - math.log10(np.finfo(np.float32).eps) - 0.5),
            type_that_checks_use(),
        ),
    ),
    Claim(
        "04 recap",
        r"Max pooling gives it to the (\w+), average pooling (\w+) it,",
        ("losers", "keeps"),
        lambda: (
            {(1, 0): "winner"}[shares_of_a_window(F.max_pool2d)],
            {(1 / 4, 1 / 4): "shares"}[shares_of_a_window(F.avg_pool2d)],
        ),
    ),
    Claim(
        "04 recap",
        r"Softmax and its loss give (\w+) minus (\w+)\.",
        ("truth", "probability"),
        gradient_of_the_loss,
    ),
    Claim(
        "04 relu-intro",
        r"so its gradient passes too; a negative one has no say, so its gradient is (\d)",
        "1",
        lambda: int(gradient(torch.relu, [-3])[0]),
    ),
    Claim(
        "04 softmax-intro",
        r"A larger score also gives a (\w+) probability",
        "smaller",
        larger_scores,
    ),
    Claim(
        "04 recap",
        r"ReLU passes the gradient where its input was (\w+)",
        "negative",
        lambda: {(0, 1): "positive", (1, 0): "negative"}[
            tuple(gradient(torch.relu, [-3, 3]).int().tolist())
        ],
    ),
    Claim(
        "04 sanity-loss-answer",
        r"^Much (\w+)\.",
        "smaller",
        lambda: compared(
            printed("04 sanity-loss-predict-run")[0],
            printed("04 sanity-loss", r"first loss = (\S+)")[0],
            ("smaller", "equal", "larger"),
        ),
    ),
]
