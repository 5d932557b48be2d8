"""Train the network that "Draw a digit" answers with, and write its weights: `make digit-net`.

    python tools/export_digit_net.py             write helpers/pieces/draw_digit/digit_net.json
    python tools/export_digit_net.py --check     compare that file with what would be written

It is lesson 05's network, taken from its notebook, and lesson 05's training on all 60,000 images,
but with more epochs, since people draw less like MNIST than MNIST does. One thread, so that a
second run on the same machine gives the same file; another processor may differ in the last digits.

The full set is found as the lessons find it: MNIST_ROOT, the course's cache, or a download.
"""

import argparse
import base64
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision.transforms import Normalize

from helpers.command.files import ROOT
from helpers.data import DataUnavailableError, load_mnist
from helpers.device import seed_everything
from helpers.pieces.draw_digit.net import DTYPE, FILE, MEAN, STD, Net
from helpers.training import evaluate, fit

LESSON = ROOT / "notebooks" / "05-mnist-net.ipynb"
DEFAULT_PATH = ROOT / "helpers/pieces/draw_digit" / FILE
EPOCHS, SEED, BATCH_SIZE, RATE, MOMENTUM = 20, 1, 64, 0.01, 0.5
MISREAD = 2


def lesson_net():
    """`make_net` of lesson 05, from its notebook: the network is defined only there."""
    cells = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
    (code,) = ["".join(cell["source"]) for cell in cells if cell["id"] == "net-code"]
    space = {"nn": nn}
    exec(compile(code, LESSON.name, "exec"), space)
    return space["make_net"]()


def train(train_data, epochs):
    """The trained network; one line is printed for each epoch."""
    seed_everything(SEED)
    loader = DataLoader(train_data, batch_size=BATCH_SIZE, shuffle=True)
    net = lesson_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM)
    fit(net, loader, optimizer, epochs=epochs, device="cpu", progress=sys.stdout.isatty())
    return net


def rounded(net, dtype):
    """The same network with the weights that a file of this type holds, and these weights."""
    arrays = [value.numpy() for value in net.state_dict().values()]
    weights = tuple(array.astype(dtype).astype(np.float32) for array in arrays)
    copy = lesson_net()
    names = copy.state_dict().keys()
    copy.load_state_dict(dict(zip(names, map(torch.from_numpy, weights), strict=True)))
    return copy, weights


def choose_examples(net, test_data):
    """The first test image of each digit, then the most confident mistakes, of different digits.

    Returns
    -------
    list of int
        Their numbers in the test part.
    """
    loader = DataLoader(test_data, batch_size=1000)
    with torch.no_grad():
        log_probabilities = torch.cat([net.eval()(images) for images, _ in loader])
    best, answers = log_probabilities.max(dim=1)
    labels = test_data.targets
    first = [int((labels == digit).nonzero()[0]) for digit in range(10)]
    wrong = (answers != labels).nonzero().flatten()
    misread = {}  # the most confident mistake of each digit
    for number in wrong[best[wrong].argsort(descending=True, stable=True)].tolist():
        misread.setdefault(int(labels[number]), number)
    return first + list(misread.values())[:MISREAD]


def make(epochs=EPOCHS):
    """Train, measure, and return the text of the file."""
    torch.set_num_threads(1)
    normalise = Normalize(MEAN, STD)
    train_data, test_data = (
        load_mnist(train=part, source="full", transform=normalise) for part in (True, False)
    )
    net = train(train_data, epochs)
    test_loader = DataLoader(test_data, batch_size=1000)
    for dtype in ("<f4", DTYPE):
        copy, weights = rounded(net, dtype)
        result = evaluate(copy, test_loader, F.nll_loss, "cpu")
        print(
            f"{np.dtype(dtype)}: test loss {result.loss:.5f}, test accuracy {result.accuracy:.2%}"
        )
        if dtype == DTYPE:
            accuracy, kept, examples = result.accuracy, weights, choose_examples(copy, test_data)
    about = {
        "made by": "tools/export_digit_net.py",
        "network": "make_net of lesson 05",
        "training": f"SGD, rate {RATE}, momentum {MOMENTUM}, batches of {BATCH_SIZE}",
        "training images": len(train_data),
        "epochs": epochs,
        "seed": SEED,
        "test images": len(test_data),
        "test images read correctly": round(accuracy * len(test_data)),
        "measured with": f"the weights of this file, rounded to {np.dtype(DTYPE)}",
        "data": "MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0; the examples are test images of it",
    }
    data = {
        "about": about,
        "weights": Net(kept, about).packed(),
        "examples": [
            {
                "number in the test part": number,
                "label": int(test_data.targets[number]),
                "pixels": base64.b64encode(test_data.images[number].numpy().tobytes()).decode(),
            }
            for number in examples
        ],
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def main(arguments=None):
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=DEFAULT_PATH, help="the file to write")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the file would be another"
    )
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="how long to train")
    options = parser.parse_args(arguments)
    try:
        text = make(options.epochs)
    except DataUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        same = options.output.read_text(encoding="utf-8") == text
        print(f"{options.output}: {'as it should be' if same else 'would be another'}")
        return 0 if same else 1
    options.output.write_text(text, encoding="utf-8")
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
