"""Make the emoji sample that comes with the course, from the npm package emoji-datasource-google.

    npm pack emoji-datasource-google@16.0.0               fetch the package (74 MB)
    python tools/make_emoji_sample.py PACKAGE.tgz         write emoji.png and emoji.json
    python tools/make_emoji_sample.py PACKAGE.tgz --check compare them with what would be written

The rule: every emoji of the package without a skin tone of its own, in Unicode's order, in the
nine groups of Unicode (its class). A drawing of 64 × 64 pixels is laid on white, and each 2 × 2
pixels become their mean. The 1,906 drawings are then put side by side in one picture with a
palette of 256 colours.

Drawings that are nearly alike must not stand on both sides of a test. So drawings are put into
families first: the same thing for a woman, a man and a person, or turned to the other side, or two
drawings that differ little, as clocks with other hands. Of each class, families are taken in one
fixed mixed order until a fifth of its drawings is reached: these test, the others train. Each part
is then put into one fixed mixed order.
"""

import argparse
import io
import json
import re
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.command.files import ROOT

SIZE, COLUMNS, TEST_SHARE, MIX_SEED = 32, 48, 0.2, 1
# Two drawings are alike if they differ by less than 25 (root of the mean square, of 255), and by
# less than 0.65 of what they differ from white: two thin drawings on white are not alike for that.
ALIKE, ALIKE_OF_INK = 25, 0.65
FOLDER = ROOT / "helpers/data/samples"
# Unicode's code points for people, genders, hair and direction; a thing is the same without them.
VARIANTS = {"1F468", "1F469", "1F9D1", "2640", "2642", "200D", "FE0F", "27A1"}


def read_package(path: Path) -> tuple[list[dict], np.ndarray]:
    """Return the entries of the emoji, in Unicode's order, and their pictures (N, 32, 32, 3)."""
    with tarfile.open(path) as archive:
        entries = json.load(archive.extractfile("package/emoji.json"))
        # "Component" holds the five skin tones themselves.
        entries = [entry for entry in entries if entry["category"] != "Component"]
        entries.sort(key=lambda entry: entry["sort_order"])
        pictures = []
        for entry in entries:
            file = archive.extractfile(f"package/img/google/64/{entry['image']}")
            with Image.open(io.BytesIO(file.read())) as image:
                pictures.append(shrink(np.asarray(image.convert("RGBA"))))
    return entries, np.stack(pictures)


def shrink(drawing: np.ndarray) -> np.ndarray:
    """A drawing (64, 64, 4) with transparency, on white and half as large: uint8 (32, 32, 3)."""
    opacity = drawing[..., 3:] / 255
    on_white = drawing[..., :3] * opacity + 255 * (1 - opacity)
    return on_white.reshape(SIZE, 2, SIZE, 2, 3).mean(axis=(1, 3)).round().astype(np.uint8)


def make_sheet(pictures: np.ndarray) -> Image.Image:
    """All pictures side by side, row by row, with a palette of 256 colours; the rest is white."""
    rows = -(-len(pictures) // COLUMNS)
    sheet = np.full((rows * COLUMNS, SIZE, SIZE, 3), 255, np.uint8)
    sheet[: len(pictures)] = pictures
    sheet = sheet.reshape(rows, COLUMNS, SIZE, SIZE, 3).swapaxes(1, 2)
    whole = Image.fromarray(np.ascontiguousarray(sheet).reshape(rows * SIZE, COLUMNS * SIZE, 3))
    return whole.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def families(entries: list[dict], pictures: np.ndarray) -> np.ndarray:
    """For each emoji the number of the first one of its family."""
    first = np.arange(len(entries))

    def join(i, j):
        low, high = sorted((first[i], first[j]))
        first[first == high] = low

    seen: dict[tuple, int] = {}
    for i, entry in enumerate(entries):
        rest = [code for code in entry["unified"].split("-") if code not in VARIANTS]
        join(i, seen.setdefault((entry["category"], *(rest or [entry["unified"]])), i))
    numbers = 255 - pictures.reshape(len(pictures), -1).astype(np.float64)
    ink = (numbers**2).mean(axis=1)
    for i, row in enumerate(numbers):
        apart = np.sqrt(((numbers[i + 1 :] - row) ** 2).mean(axis=1))
        limit = np.minimum(ALIKE, ALIKE_OF_INK * np.sqrt((ink[i + 1 :] + ink[i]) / 2))
        for j in np.flatnonzero(apart < limit):
            join(i, i + 1 + j)
    return first


def choose_test(labels: np.ndarray, family: np.ndarray) -> np.ndarray:
    """Which emoji test: for each class whole families, until a fifth of its emoji is reached."""
    # NumPy promises that RandomState draws the same numbers in every version (NEP 19).
    rng = np.random.RandomState(MIX_SEED)
    test = np.zeros(len(labels), bool)
    for label in range(labels.max() + 1):
        members = labels == label
        # A family across two classes counts for the class of its first emoji.
        for one in rng.permutation(np.unique(family[members & (labels[family] == label)])):
            if (test & members).sum() >= TEST_SHARE * members.sum():
                break
            test |= family == one
    return test


def make_sample(path: Path) -> tuple[Image.Image, dict]:
    """Return the picture with all emoji, and what is known of each, in the same order."""
    entries, pictures = read_package(path)
    # In the order in which a class occurs first, which is Unicode's.
    classes = list(dict.fromkeys(entry["category"] for entry in entries))
    labels = np.array([classes.index(entry["category"]) for entry in entries])
    sheet = make_sheet(pictures)
    test = choose_test(labels, families(entries, pictures))
    mix = np.random.RandomState(MIX_SEED).permutation
    return sheet, {
        "classes": classes,
        "labels": labels.tolist(),
        "train": mix(np.flatnonzero(~test)).tolist(),
        "test": mix(np.flatnonzero(test)).tolist(),
        "names": [re.sub(r"\s+", " ", entry["name"]).lower() for entry in entries],
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path, help="emoji-datasource-google-16.0.0.tgz")
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder to write into")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the files hold other emoji"
    )
    options = parser.parse_args(arguments)
    sheet, facts = make_sample(options.package)
    picture, text = options.output / "emoji.png", options.output / "emoji.json"
    if options.check:
        with Image.open(picture) as found:
            same = np.array_equal(
                np.asarray(found.convert("RGB")), np.asarray(sheet.convert("RGB"))
            )
        same = same and json.loads(text.read_text("utf-8")) == facts
        print(f"{options.output}: {'as it should be' if same else 'holds other emoji'}")
        return 0 if same else 1
    sheet.save(picture, optimize=True)
    text.write_text(json.dumps(facts, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
    for path in (picture, text):
        print(f"{path}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
