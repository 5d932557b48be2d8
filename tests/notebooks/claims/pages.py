"""What pages say."""

import contextlib
import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from helpers.data import DataUnavailableError, _chosen_source, load_mnist
from helpers.data._mnist import find_full_mnist
from helpers.device import get_device
from tests.support.claims import Claim


def folder_of_the_digits():
    """Whether MNIST_ROOT has to be the folder that holds MNIST/raw, or MNIST/raw itself."""
    with (
        tempfile.TemporaryDirectory() as holder,
        patch("helpers.data._mnist._faults", return_value={}),
    ):
        raw = Path(holder, "MNIST", "raw")
        raw.mkdir(parents=True)
        for folder, answer in ((raw, ""), (holder, "that holds ")):
            with (
                patch.dict(os.environ, MNIST_ROOT=str(folder)),
                contextlib.suppress(DataUnavailableError),
            ):
                return find_full_mnist() and answer


def digits_without_a_variable():
    with patch.dict(os.environ, MNIST_SOURCE=""):
        return _chosen_source(None)


def without_the_full_set(source):
    """What happens if the full set is asked for and cannot be had."""
    with patch.dict(os.environ, MNIST_ROOT="nowhere"):
        try:
            load_mnist(source=source)
        except DataUnavailableError:
            return "a clear error"
    return "the sample"


def device_that_is_not_there():
    with (
        patch.dict(os.environ, COURSE_DEVICE="cuda"),
        patch("helpers.device.cuda_problem", lambda *args: "there is none"),
    ):
        try:
            get_device()
        except RuntimeError:
            return "an error"
    return "the processor"


CLAIMS = [
    Claim(
        "README.md",
        r"where the full set is, as torchvision keeps it: the folder (that holds )?`MNIST/raw`",
        "",
        folder_of_the_digits,
    ),
    Claim(
        "README.md",
        r"`MNIST_SOURCE` \| `(\w+)` \| [^|]*without the variable",
        "sample",
        digits_without_a_variable,
    ),
    Claim(
        "README.md",
        r"`full` \| the full set, or ([\w ]+) \|",
        "the sample",
        lambda: without_the_full_set("full"),
    ),
    Claim(
        "README.md",
        r"instead of the best device there is; ([\w ]+) if it is not there",
        "the processor",
        device_that_is_not_there,
    ),
]
