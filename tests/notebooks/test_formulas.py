"""Formulas with letters: what they give is what PyTorch, a helper or a solution gives.

Formulas of numbers are worked out in `test_equations`. These are worked out for several values of
their letters, and those in the table are compared. A formula that is not there is not looked at.
"""

import functools
import inspect
import itertools
import math
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.examine import Workbench
from helpers.shapes import conv_output_size
from tests.support.assignment_files import NAMES
from tests.support.equations import CONSTANTS, FUNCTIONS, identifier, names_in, written
from tests.support.lessons import LEFT_OUT
from tests.support.prose import texts

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
PARTS = re.compile(r"\\q?quad\b|\\begin\{cases\}|\\end\{cases\}|\\\\")
# Equations are read with letters, so words and other signs become some.
LETTERS = [
    (r"\\text\{out\\_h\}", "h"),
    (r"\\text\{kh\}", "k"),
    (r"\\text\{running mean\}", "M"),
    (r"\\text\{running var\}", "V"),
    (r"\\text\{weights\}", "N"),
    (r"\\text\{parameters\}", "n"),
    (r"\\text\{rate\}", "ρ"),
    (r"\\text\{gradient\}", "g"),
    (r"\\text\{(?:out|strength)\}", "y"),
    (r"\\gamma\b", "γ"),
    (r"v\^\*", "u"),
    (r"\[i, j\]", ""),
    (r"\\sum_(?:\w|\{[^{}]*\})(?:\^\{[^{}]*\})? a_j\^2", "Q"),
    (r"\\Big/", "/"),
    (r"\\dfrac", r"\\frac"),
    (r"\\leftarrow|←", "="),
    (r"&.*|\[\d+ex\]", ""),  # for which values it holds, and room between lines
    (r"λw", "λ w"),
]
# Letters of which some values are asked only: whole numbers most of all.
ASKED = {
    "W_1": (23, 30, 41),
    "H": (23, 30, 41),
    "F": (3, 5, 7),
    "k": (3, 4, 6),
    "P": (0, 1, 2),
    "S": (2, 3, 4),
    "d": (1, 2, 3),
    "E": (3, 5, 8),
    "C": (4, 6, 8),
    "K": (6, 8, 10),
    "G": (2, 2, 1),
    "T": (11, 12, 16),
    "t": (7, 8, 9),
    "W": (10, 11, 12),  # later than t, as long as there is no T
    "Q": (2.5, 3.5, 4.5),
    "a_i": (0.4, 1.4, -1.4),
    "g_x": (3, -1, 0),
    "g_y": (-4, 2, 5),
}


def formulas(markdown):
    """The equations in the formulas of a text, with letters for the words in them."""
    for match in FORMULA.finditer(markdown):
        beginning = ""
        for part in PARTS.split(match[1] or match[2]):
            for pattern, letter in LETTERS:
                part = re.sub(pattern, letter, part)
            if part.rstrip().endswith("="):  # in front of several cases
                beginning = part
            yield from written(part if "=" in part else beginning + part)


def values(names, number):
    """A value for each letter."""
    found = {}
    for place, name in enumerate(sorted(names)):
        found[name] = ASKED[name][number] if name in ASKED else 0.2 + 0.13 * place + 0.1 * number
    if {"t", "T", "W"} <= names:
        found["W"] = 3
    return found


def step(kind, w, gradient, state=(), **options):
    """A weight after one step of an optimizer, and what the optimizer remembers after it."""
    weight = torch.tensor(float(w), dtype=torch.float64, requires_grad=True)
    weight.grad = torch.tensor(float(gradient), dtype=torch.float64)
    optimizer = kind([weight], **options)
    for name, value in dict(state).items():
        optimizer.state[weight][name] = torch.tensor(float(value), dtype=torch.float64)
    optimizer.step()
    return weight.item(), optimizer.state[weight]


SGD, Adam, AdamW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW


def velocity(v, g, momentum):
    return step(SGD, 0, g, {"momentum_buffer": v}, momentum=momentum)[1]["momentum_buffer"].item()


def running(name, before, g):
    state = {"exp_avg": 0, "exp_avg_sq": 0, "step": 1, name: before}
    return step(Adam, 0, g, state)[1][name].item()


def step_of_adam(w, ρ, m, s):
    """The corrections are 1 after so many steps; with the gradient 0, Adam's means get smaller."""
    state = {"exp_avg": m / 0.9, "exp_avg_sq": s / 0.999, "step": 1e6}
    return step(Adam, w, 0, state, lr=ρ)[0]


def papers_velocity(v, ε, w, g):
    """In AlexNet's paper the velocity has the rate in it, and is added."""
    options = {"lr": ε, "momentum": 0.9, "weight_decay": 0.0005}
    return step(SGD, w, g, {"momentum_buffer": -v / ε}, **options)[0] - w


def cosine(ρ, t, T):
    optimizer = SGD([torch.zeros(1)], lr=ρ)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T)
    for _ in range(t):
        optimizer.step()
        schedule.step()
    return optimizer.param_groups[0]["lr"]


@functools.cache
def scheduled():
    (name,) = [name for name in NAMES if name.startswith("06")]
    return Workbench(name).space["learning_rate"]


def places(W_1, F, P, S, d=1):
    return conv_output_size(W_1, F, stride=S, padding=P, dilation=d)


def padding(F, grows=0, d=1):
    """By how much an image has to be padded for a map that is larger by so many pixels."""
    return next(P for P in range(99) if places(50, F, P, 1, d) == 50 + grows)


def covered(F, d):
    """How many pixels a filter covers: on 99 it has a place less for each but the first."""
    return 100 - places(99, F, 0, 1, d)


def damped(a_i, Q, k, α, β):
    maps = torch.tensor([math.sqrt(Q - a_i**2), a_i, 0.0], dtype=torch.float64).reshape(1, 3, 1)
    return F.local_response_norm(maps, 3, alpha=3 * α, beta=β, k=k)[0, 1, 0].item()


def normalised(x, m, v, γ, β):
    one = [torch.tensor([value], dtype=torch.float64) for value in (x, m, v, γ, β)]
    return F.batch_norm(one[0][None], *one[1:], eps=1e-5).item()


def moved_on(which, M, V, m, u):
    """The running numbers of batch norm after two numbers with this mean and this variance."""
    means = [torch.tensor([value], dtype=torch.float64) for value in (M, V)]
    x = torch.tensor([[m - math.sqrt(u / 2)], [m + math.sqrt(u / 2)]], dtype=torch.float64)
    F.batch_norm(x, *means, training=True)
    return means[which].item()


def convolution(C, K, G, F):
    return nn.Conv2d(C, K, F, groups=G, device="meta").weight.numel()


# {(cell, what stands on the left): what it should be, for the letters on the right}
MEANT = {
    # lessons
    ("formula-intro", "W_2"): places,
    ("dilation-size", "W_2"): places,
    ("card", "W_2"): places,  # "rounded down" stands behind it
    ("pad-same", "P"): padding,
    ("uses-notice", "P"): lambda F: padding(F, grows=F - 1),
    ("dilation-predict-answer", "P"): padding,
    ("recap", "W_2"): places,
    ("recap", "P"): padding,
    ("step-intro", "v"): functools.partial(velocity, momentum=0.5),
    ("step-intro", "w"): lambda w, v: step(SGD, w, v, lr=0.01)[0],
    ("buys-work", "u"): lambda p, n: math.sqrt(p * p * (1 - p) / n + (1 - p) * (1 - p) * p / n),
    ("rate-intro", "w"): lambda w, ρ: step(SGD, w, 2 * w, lr=ρ)[0],
    ("rate-notice", "ρ_t"): cosine,
    ("adam-intro", "v"): functools.partial(velocity, momentum=0.9),
    ("adam-intro", "w"): lambda w, ρ, v=None, m=None, s=None: (
        step(SGD, w, v, lr=ρ)[0] if s is None else step_of_adam(w, ρ, m, s)
    ),
    ("adam-intro", "m"): lambda m, g: running("exp_avg", m, g),
    ("adam-intro", "s"): lambda s, g: running("exp_avg_sq", s, g),
    ("decay-intro", "w"): lambda w, ρ, λ: step(AdamW, w, 0, lr=ρ, weight_decay=λ)[0],
    ("shapes-question", "P"): padding,
    ("lrn-question", "b_i"): damped,
    ("filters-why", "v"): papers_velocity,
    ("filters-why", "w"): lambda w, v: step(SGD, w, -v, lr=1)[0],
    # assignments
    ("edge_strength_task", "y"): lambda g_x, g_y: abs(complex(g_x, g_y)),
    ("output_size_task", "E"): covered,
    ("output_size_task", "W_2"): lambda W_1, P, E, S: places(W_1, E, P, S),
    ("im2col_task", "h"): lambda H, P, k, S: places(H, k, P, S),
    ("learning_rate_task", "ρ_t"): lambda ρ, t, W, T=20: scheduled()(t, T, ρ, W),
    ("batch_norm_task", "y"): normalised,
    ("batch_norm_task", "M"): lambda M, m: moved_on(0, M, 1, m, 1),
    ("batch_norm_task", "V"): lambda V, u: moved_on(1, 0, V, 0, u),
    ("AlexNet_task", "b_i"): damped,
    ("conv_cost_task", "N"): convolution,
}
ROUNDED_DOWN = {"W_2", "h"}


def unknowns(side):
    return names_in(side.tree) - CONSTANTS.keys() - FUNCTIONS.keys()


@functools.cache
def in_cells():
    """The formulas with letters on the right, by cell and by what stands on the left."""
    found = {}
    for text in texts():
        for one in formulas(text.markdown):
            if one.left.tree is not None and unknowns(one.right):
                key = text.place.removeprefix("cell "), identifier(one.left.text)
                found.setdefault(key, []).append(one)
    return found


def takes(function, names):
    """Are these the letters that a function needs?"""
    letters = inspect.signature(function).parameters.values()
    needed = {one.name for one in letters if one.default is one.empty}
    return needed <= names <= {one.name for one in letters}


def is_right(equation, meant):
    names = unknowns(equation.right)
    is_place = identifier(equation.left.text) in ROUNDED_DOWN
    for given in (values(names, number) for number in range(3)):
        told = equation.right.at(CONSTANTS | given).value
        told = math.floor(told) if is_place else told
        if not takes(meant, names) or not math.isclose(told, meant(**given), rel_tol=1e-6):
            return False
    return True


@pytest.mark.parametrize("key", MEANT, ids="-".join)
def test_a_formula_gives_what_is_meant(key):
    found = in_cells().get(key, [])
    assert found or LEFT_OUT, "it is gone: take it out of the table"
    for one in found:
        assert is_right(one, MEANT[key]), str(one)


def test_two_sides_with_the_same_letters_are_equal():
    for one in itertools.chain(*in_cells().values()):
        names = unknowns(one.right)
        # Where the letter on the left stands on the right, too, it gets a new value.
        if unknowns(one.left) == names != {identifier(one.left.text)}:
            for given in (CONSTANTS | values(names, number) for number in range(3)):
                assert math.isclose(one.left.at(given).value, one.right.at(given).value), str(one)


@pytest.mark.parametrize(
    ("markdown", "key", "is_true"),
    [
        (r"$w ← w - \text{rate} · λw$", ("decay-intro", "w"), True),
        (r"$w ← w + \text{rate} · λw$", ("decay-intro", "w"), False),
        (r"$w ← w - \text{rate} · w / λ$", ("decay-intro", "w"), False),
        (r"$$W_2 = \left\lfloor \frac{W_1 - F + 2P}{S} \right\rfloor + 1$$", ("card", "W_2"), True),
        (r"$$W_2 = \left\lfloor \frac{W_1 - F + P}{S} \right\rfloor + 1$$", ("card", "W_2"), False),
        (
            r"$$b_i = a_i \Big/ \Big(k + \alpha \sum_{j} a_j^2\Big)^{\beta}$$",
            ("lrn-question", "b_i"),
            True,
        ),
        (
            r"$$b_i = a_i \Big/ \Big(k + \alpha \sum_{j} a_j^2\Big)$$",
            ("lrn-question", "b_i"),
            False,
        ),
    ],
)
def test_a_wrong_formula_is_noticed(markdown, key, is_true):
    (one,) = formulas(markdown)
    assert is_right(one, MEANT[key]) == is_true
