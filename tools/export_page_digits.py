"""Pack digits of the sample for "Train it here", and record a run: train_here/digits.json.

    python tools/export_page_digits.py           write the file (ten seconds)

Needed after a change of the sample, of what is packed, or of how the page learns; then save the
lessons that show the piece again.

The packing: a pixel has one of three grey levels. Two questions ask for it, "more than
background?" and, if so, "full ink?". An arithmetic coder (Witten, Neal and Cleary 1987) spends few
bits on an answer that was to be expected; how much it is expected, it counts for each pattern of
the ten pixels around that are known already. run.js unpacks.
"""

import argparse
import base64
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from helpers.command.files import ROOT
from helpers.pieces.train_here import learn

PATH = ROOT / "helpers/pieces/train_here" / learn.FILE

# Pixels around the one that is asked for: rows and columns from there. The first four count with
# their level, the others only with whether it is full ink.
AROUND = (
    (0, -1),
    (-1, 0),
    (-1, 1),
    (-1, -1),
    (0, -2),
    (-1, 2),
    (-2, 0),
    (-1, -2),
    (-2, 1),
    (-2, -1),
)
ALL_ONES = 2**32 - 1


class Coder:
    """An arithmetic coder for answers: 1 or 0."""

    def __init__(self):
        self.low, self.high, self.out = 0, ALL_ONES, bytearray()

    def write(self, answer, odds):
        """Write an answer; `odds` are the counts of 0 and of 1 so far."""
        share = odds[1] / (odds[0] + odds[1])
        middle = self.low + int((self.high - self.low) * share)
        self.low, self.high = (self.low, middle) if answer else (middle + 1, self.high)
        while self.low >> 24 == self.high >> 24:
            self.out.append(self.high >> 24)
            self.low = self.low << 8 & ALL_ONES
            self.high = self.high << 8 & ALL_ONES | 255

    def end(self):
        """All that was written, as bytes."""
        return bytes(self.out) + self.low.to_bytes(4, "big")


def pack(digits):
    """Digits as bytes: levels 0, 1 or 2, (N, H, W)."""
    coder, odds = Coder(), ({}, {})
    padded = np.pad(digits, ((0, 0), (2, 0), (2, 2))).tolist()
    for digit in padded:
        for i in range(2, len(digit)):
            for j in range(2, len(digit[0]) - 2):
                context = 0
                for n, (r, q) in enumerate(AROUND):
                    level = digit[i + r][j + q]
                    context = 3 * context + level if n < 4 else 2 * context + (level >> 1)
                for question in range(2):
                    answer = int(digit[i][j] > question)
                    seen = odds[question].setdefault(context, [0.4, 0.4])
                    coder.write(answer, seen)
                    seen[answer] += 1
                    if not answer:
                        break
    return coder.end()


def make_file():
    """The text of the file."""
    levels, labels = learn.sample_digits()
    settings = learn.Settings()
    _, points = learn.run(settings=settings)
    data = {
        "about": {
            "made by": "tools/export_page_digits.py",
            "data": "MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0; reduced to three grey levels",
            "run": {"seed": 1, **asdict(settings)},
        },
        "digits": base64.b64encode(pack(levels)).decode("ascii"),
        "counts": [
            np.bincount(part, minlength=10).tolist()
            for part in (labels[: learn.TRAINING], labels[learn.TRAINING :])
        ],
        "points": points,
    }
    return json.dumps(data, indent=1) + "\n"


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=PATH, help="the file to write")
    arguments = parser.parse_args()
    arguments.output.write_text(make_file(), encoding="utf-8")
    print(f"{arguments.output.stat().st_size / 1024:.1f} KiB in {arguments.output.name}")


if __name__ == "__main__":
    main()
