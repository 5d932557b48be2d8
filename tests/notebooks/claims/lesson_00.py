"""What lesson 00 says: Check your machine."""

import math
import os
from unittest.mock import patch

import torch
from torch import nn

from helpers.data import DataUnavailableError, load_mnist
from helpers.device import estimate_memory, get_device, seed_everything, time_on
from tests.support.claims import Claim, counted, printed


def seed_or_net_first():
    def weights(seed_first):
        if seed_first:
            seed_everything(1)
        net = nn.Linear(3, 2)
        if not seed_first:
            seed_everything(1)
        return net.weight

    repeats = [torch.equal(weights(first), weights(first)) for first in (True, False)]
    return {(True, False): "before", (False, True): "after"}[tuple(repeats)]


def best_devices():
    """What is taken if all are there, if the best is not, and if neither of the best two is."""
    for there in (["cuda", "mps"], ["mps"], []):
        with (
            patch.dict(os.environ, COURSE_DEVICE=""),
            patch(
                "helpers.device.cuda_problem", lambda there=there: None if "cuda" in there else "no"
            ),
            patch("helpers.device._has_nvidia_card_in_trouble", lambda: False),
            patch("torch.backends.mps.is_available", lambda there=there: "mps" in there),
        ):
            yield get_device().type


def wrong_device():
    with patch.dict(os.environ, COURSE_DEVICE="gpu"):
        try:
            get_device()
        except ValueError:
            return "stops", "never"
    return "goes on", "often"


def time_that_counts():
    with patch("helpers.device.time.perf_counter", side_effect=[0, 1, 10, 12, 20, 29]):
        seconds = time_on("cpu", lambda: None, repeat=3, warmup=0)
    return {1: "shortest", 2: "median", 4: "mean", 9: "longest"}[seconds]


def batch_that_saves_memory():
    net = nn.Linear(10, 10)
    small, large = (estimate_memory(net, (10,), batch, "sgd").total for batch in (2, 20))
    return ("fewer", "smaller") if small < large else ("more", "larger")


def folder_that_is_not_there():
    with patch.dict(os.environ, MNIST_ROOT="nowhere", MNIST_SOURCE="auto"):
        try:
            load_mnist()
        except DataUnavailableError:
            return "only", "says so"
    return "first", "goes on"


BIG, ONE = torch.tensor(2.0**24), torch.tensor(1.0)


def numbers_of_a_seed():
    """Whether the same seed gives the same numbers, and another seed the same."""
    drawn = []
    for seed in (1, 1, 2):
        seed_everything(seed)
        drawn.append(torch.rand(8).tolist())
    assert drawn[1] != drawn[2]
    return "same" if drawn[0] == drawn[1] else "other"


CLAIMS = [
    Claim(
        "00 device-intro",
        r"best device .*? \(`(\w+)`\), then an Apple GPU \(`(\w+)`\), then the (\w+)\.",
        ("mps", "cuda", "CPU"),
        lambda: [name.replace("cpu", "CPU") for name in best_devices()],
    ),
    Claim(
        "00 device-predict-answer",
        r"^It (.+?), and says .*? The course (\w+) falls back to the slow CPU",
        ("goes on", "often"),
        wrong_device,
    ),
    Claim(
        "00 count-why",
        r"^Almost a (\w+) \(10",
        "million",
        lambda: {6: "million", 9: "billion"}[round(math.log10(printed("00 count-large-run")[0]))],
    ),
    Claim("00 time-fair", r"gives the (\w+) of several", "mean", time_that_counts),
    Claim(
        "00 order-intro",
        r"`float32` number has (\d+) binary digits",
        "32",
        lambda: 1 - round(math.log2(torch.finfo(torch.float32).eps)),
    ),
    Claim(
        "00 order-intro",
        r"\+ 1\) − 16,777,216 gives (\d)\. In another order, .*?\) \+ 1 gives (\d)",
        ("1", "0"),
        lambda: (int((BIG + ONE) - BIG), int((BIG - BIG) + ONE)),
    ),
    Claim("00 mistakes", r"seed must come (\w+) the network is made", "after", seed_or_net_first),
    Claim(
        "00 exercise-1",
        r"give the network (\w+) images at a time \(a (\w+) batch\)",
        ("more", "larger"),
        batch_that_saves_memory,
    ),
    Claim(
        "00 data-where",
        r"`MNIST_ROOT` to a folder, it looks (\w+) there, and (.+?) if the folder",
        ("first", "goes on"),
        folder_that_is_not_there,
    ),
    Claim("00 recap", r"The same seed gives the (\w+) random numbers", "other", numbers_of_a_seed),
    Claim(
        "00 smi-hand",
        r"3072 / 12288 = 0\.25, (\w+) quarters?\.",
        "three",
        lambda: counted(3072 / 12288 * 4),
    ),
]
