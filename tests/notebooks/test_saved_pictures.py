"""The saved pictures with the tag `picture-varies`: each is the one that its cell draws.

No run compares such a picture with the saved one. So each cell draws here from stand-ins for what
varies: the size is that of the saved picture, and so are the words at their places, with the
numbers that the lesson has saved as text.
"""

import base64
import io
import json
import re
from functools import cache
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.text import Text
from PIL import Image

import conftest
from helpers import plots
from helpers.training import History
from tests.support.cells import Cells
from tests.support.lessons import LESSONS, need, number_of, read

mpl.use("Agg")

# As a notebook saves a figure: `%matplotlib inline` cuts off the empty border but for this.
DPI, BORDER = 100, 0.1
# Another version of matplotlib moves letters: there only the sizes are compared.
PINNED = f"matplotlib=={conftest.version('matplotlib')}" in conftest.pinned()
NUMBER = re.compile(r"[-−]?[\d.,]+|·|\$.*\$")
# How far, of 255, the same word at the same place may be off, and one with a few other digits. One
# other digit in a word makes 22 or more, another word 80 and more.
SAME, ALIKE = 20, 60
ANY, NOTHING = "any", "nothing"  # in place of the words that may be others


class Lesson(Cells):
    def saved(self, cell_id):
        return "".join(output.get("text", "") for output in self.cells[cell_id].outputs)

    def found(self, cell_id, pattern):
        """All that a pattern finds in the saved text of a cell."""
        found = re.findall(pattern, self.saved(cell_id), re.MULTILINE)
        assert found, f"{cell_id} has saved nothing like {pattern}"
        return found


@cache
def lesson_of(number):
    return Lesson(number)


def table(lesson, cell_id, pattern):
    """The rows that a cell has saved, as names and numbers."""
    rows = lesson.found(cell_id, pattern)
    return {name.strip(): float(number.replace(",", "")) for name, number in rows}


# --- what stands in for the results of earlier cells ---------------------------------------------

IMAGES = torch.rand(12, 1, 28, 28, generator=torch.Generator().manual_seed(1))
IMAGES[:, 0, 0, 0], IMAGES[:, 0, 0, 1] = 0, 1  # as in each digit, the darkest and the brightest


def times(pattern):
    return lambda lesson: {"ratios": table(lesson, "time-run", pattern)}


def history(steps, epochs):
    curve = [2.3 / (1 + step / 50) for step in range(steps)]
    one = History(
        steps=[*range(1, steps + 1)],
        losses=curve,
        epochs=[*range(1, epochs + 1)],
        train_losses=[0.5] * epochs,
        test_losses=[0.3] * epochs,
        test_accuracies=[0.9] * epochs,
    )
    return lambda _: {"history": one}


def digits(lesson):
    # The first six of the test images of MNIST.
    return {
        "test_images": SixDigits((IMAGES[n], label) for n, label in enumerate((7, 2, 1, 0, 4, 1)))
    }


class SixDigits(list):
    @property
    def targets(self):
        return torch.tensor([label for _, label in self])


def confused(lesson):
    ((truth, answer, count),) = lesson.found(
        "confusion-most", r"a (\d) is read as (\d), (\d+) times"
    )
    counts = torch.zeros(10, 10, dtype=torch.int64)
    counts[int(truth), int(answer)] = int(count)
    return {"counts": counts}


def wrong_ones(lesson):
    return {
        "test_data": SimpleNamespace(images=IMAGES[:12, 0]),
        "worst": range(12),
        "captions": ["7 read as 2"] * 12,
    }


def trained(lesson):
    """The network of lesson 05 with the weights that its drawing pad carries, of 16 bits."""
    (output,) = lesson.cells["draw-run"].outputs
    data = json.loads(output["data"]["text/html"].partition("<!--")[2].partition("-->")[0])
    numbers = torch.tensor(np.frombuffer(base64.b64decode(data["w"]), "<f2").astype(np.float32))
    net = lesson.run("net-code").make_net().eval()
    torch.nn.utils.vector_to_parameters(numbers, net.parameters())
    return net


def its_filters(lesson):
    return {"net": trained(lesson), "make_net": lesson.run("net-code").make_net}


def drawn_digits(lesson):
    ran = lesson.run("draw-make", net=trained(lesson))
    return {name: getattr(ran, name) for name in ("piece", "shown", "expected")}


def maps_of_lesson_05(lesson):
    net = lesson.run("net-code").make_net()
    normalised = (IMAGES - 0.1307) / 0.3081
    return {"layers": lesson.run("maps-run", net=net, first_images=normalised).layers}


def maps_of_lesson_09(lesson):
    body, _ = reader(lesson)
    return {"layers": lesson.run("maps-run", body=body, test_data=[(IMAGES[0], 7)]).layers}


def reader(lesson):
    torch.manual_seed(0)
    (code,) = [
        cell.id for cell in lesson.cells.values()
        if cell.cell_type == "code" and "def make_reader" in cell.source
    ]  # fmt: skip
    return lesson.run(code).make_reader()


def measured(lesson, epochs=40):
    return [SimpleNamespace(loss=0.9 - epoch / 100, accuracy=0.9) for epoch in range(epochs)]


def two_curves(lesson):
    both = {"training": measured(lesson), "validation": measured(lesson)}
    return {"watch": lambda seed: (both, None)}


def rates(lesson):
    return {"train_deep": lambda rate: [2.3 * 0.99 ** (rate * step) for step in range(300)]}


def held_back(lesson):
    names = [name for name, _ in lesson.found("help-run", r"^(\w+) +loss (\S+)")]
    return {
        "held_back": {name: {} for name in names},
        "watch": lambda seed: ({"validation": measured(lesson)}, None),
    }


def parts_of_the_recipe(lesson):
    rows = table(lesson, "all-run", r"^(\S.*?)  +([\d.]+)%(?: +[-+].*)?$")
    return {
        "correct": {name: shares(percent) for name, percent in rows.items()},
        "variants": {},
    }


def shares(percent):
    """Three runs with 1,000 answers each, of which so many are right in the mean."""
    right = torch.arange(1000) < 10 * percent
    return torch.stack([right.roll(n) for n in range(3)])


def compared(lesson):
    rows = table(lesson, "compare-table", r"^(w.*?)  +[\d.]+% +([\d.]+)%")
    tested = {name: three(percent / 100) for name, percent in rows.items()}
    return {"variants": tested, "tested": tested}


def three(share):
    return [SimpleNamespace(accuracy=share + change) for change in (-0.01, 0, 0.01)]


def photo_filters(lesson):
    generator = np.random.default_rng(1)
    filters = generator.normal(size=(96, 3, 11, 11))
    filters /= np.sqrt(np.square(filters).sum(axis=(1, 2, 3), keepdims=True))
    return {
        "learn_filters": lambda white: filters,
        "own_scale": lambda filters: filters,
        "white": None,
        "trained_net": None,
    }


def three_networks(lesson):
    rows = table(lesson, "tested-for-name-make", r"^(\w[\w ]*?) ([\d.]+) %")
    order = [name for name, _ in lesson.found("def-trained-make-rate", r"^(\S.*?) +(\{)")]
    return {"tested": {name: [rows[name] - 1, rows[name], rows[name] + 1] for name in order}}


def reused(lesson):
    rows = lesson.found("high-test-test-labels", r"^(\d+ images, .*?)  +\[(.*)\]$")
    ways = ("from nothing", "frozen body", "fine-tuned")
    return {
        "found": {name: [float(one.strip(" '")) for one in listed.split(",")]
                  for name, listed in rows},
        "at": {rate: dict.fromkeys(ways, 0.9) for rate in (0.001, 0.003)},
        "ways": dict.fromkeys(ways),
        "few_images": lambda *_, seed: (None, None),
        "accuracy": lambda *_: 1,
    }  # fmt: skip


def wrong_emoji(lesson):
    scores = torch.eye(9)[torch.arange(90) % 9] * 5
    pictures = torch.zeros(90, 3, 72, 72, dtype=torch.uint8)
    return {
        "test_emoji": SimpleNamespace(
            names=["one name"] * 90, targets=torch.zeros(90, dtype=torch.int64), images=pictures
        ),
        "emoji": SimpleNamespace(classes=["Group"] * 9),
        "emoji_net": lambda scores: scores,
        "test_colours": scores,
    }


def first_filters(lesson):
    return {"body": reader(lesson)[0]}


def patches(lesson):
    strong = {}
    for depth, channel in lesson.found("patch-check", r"^body\[(\d)\], map +(\d+):"):
        strong.setdefault(int(depth), []).append(int(channel))
    sizes = {1: 3, 4: 8, 7: 18}
    return {
        "strong": strong,
        "test_images": IMAGES[:, 0],
        "fields": {depth: SimpleNamespace(size=n, jump=1, start=0) for depth, n in sizes.items()},
        "best_patches": lambda images, depth, channel: (
            [torch.rand(sizes[depth], sizes[depth])] * 8, None, [(0, 0, 0)] * 8
        ),
    }  # fmt: skip


def glowing(lesson):
    return {
        "answers": [*range(8)],
        "chosen": [*range(8)],
        "cams": [torch.rand(7, 7)] * 8,
        "share_on_ink": lambda cam, n: 0.2,
        "test_images": IMAGES,
    }


def three_questions(lesson):
    return {
        "test_images": IMAGES,
        "chosen": [*range(8)],
        "body": None,
        "head": None,
        "make_reader": lambda: (None, None),
        "grad_cam": lambda *_: torch.rand(7, 7),
    }


def photos(lesson):
    both = torch.rand(3, 128, 2 * 192)
    return {"both": both, "cams": [torch.rand(8, 24)] * 2, "names": ["cat", "coffee"]}


def sliding(lesson):
    ((listed),) = lesson.found("slide-wide", r"\[(.*)\]")
    scores = 9 * torch.eye(10)[[int(one) for one in listed.split(",")]].T
    return {"strip": torch.rand(28, 112), "scores": scores}


# --- the cells -----------------------------------------------------------------------------------

# What each cell gets, and which words may be others than the saved ones. Lesson 05 has saved the
# weights of its network, so of its filters and answers the whole picture is compared.
CELLS = {
    ("00", "time-picture"): (times(r"^(CPU, threads: \d+) +([\d.]+)$"), ""),
    ("04", "time-picture"): (times(r"^(.*?) +([\d.,]+)   \w"), ""),
    ("05", "data-picture"): (digits, ""),
    ("05", "train-curve"): (history(2814, 3), ""),
    ("05", "confusion-picture"): (confused, ""),
    ("05", "wrong-picture"): (wrong_ones, r"\d read as \d"),
    ("05", "filters-picture"): (its_filters, NOTHING),
    ("05", "maps-picture"): (maps_of_lesson_05, r".* \(black .*"),
    ("05", "draw-picture"): (drawn_digits, NOTHING),
    ("06", "part-picture"): (two_curves, ""),
    ("06", "rate-picture"): (rates, ""),
    ("06", "help-picture"): (held_back, ""),
    ("06", "all-picture"): (parts_of_the_recipe, ""),
    ("07", "train-curve"): (history(160, 8), ""),
    ("07", "compare-picture"): (compared, ""),
    ("07", "filters-photos"): (photo_filters, ""),
    ("08", "assert-min-map-min"): (three_networks, ""),
    ("08", "chances-emoji-net-test"): (wrong_emoji, ANY),
    ("08", "means-name-np-mean"): (reused, r"mean .*"),
    ("09", "maps-picture"): (maps_of_lesson_09, r".* \(black .*"),
    ("09", "field-filters"): (first_filters, ""),
    ("09", "patch-picture"): (patches, ""),
    ("09", "patch-where"): (patches, ""),
    ("09", "cam-picture"): (glowing, r"answer \d: 20% on ink"),
    ("09", "cam-predict-run"): (three_questions, ""),
    ("09", "photo-picture"): (photos, ""),
    ("09", "slide-picture"): (sliding, ""),
}


def test_each_cell_whose_picture_varies_is_here():
    tagged = {
        (number_of(path), cell.id)
        for path in LESSONS
        for cell in read(path).cells
        if "picture-varies" in cell.metadata.get("tags", ())
    }
    here = {number_of(path) for path in LESSONS}
    assert tagged == {one for one in CELLS if one[0] in here}


def saved_picture(lesson, cell_id):
    (png,) = conftest.pictures_in(lesson.cells[cell_id].outputs)
    return conftest.opened(png)


def drawn_anew(lesson, cell_id, given, numbers=False):
    """What the cell draws, as a notebook saves it: the picture, and where each word stands."""
    before = plt.get_fignums()
    try:
        lesson.run(cell_id, plots=plots, **given)
        fig = plt.gcf()
        png = io.BytesIO()
        fig.savefig(png, format="png", dpi=DPI, bbox_inches="tight", pad_inches=BORDER)
        return Image.open(png).convert("RGB"), [*words_of(fig, numbers)]
    finally:
        for number in set(plt.get_fignums()) - set(before):
            plt.close(number)


def words_of(fig, numbers):
    """Each word of a figure and its box in the picture; numbers, as at ticks, only if asked for."""
    fig.set_dpi(DPI)
    renderer = fig.canvas.get_renderer()
    tight = fig.get_tightbbox(renderer).padded(BORDER)
    left, top = tight.x0 * DPI, tight.y1 * DPI
    for one in fig.findobj(Text):
        text = one.get_text()
        if text and one.get_visible() and (numbers or not NUMBER.fullmatch(text)):
            box = one.get_window_extent(renderer)
            yield text, (box.x0 - left, top - box.y1, box.x1 - left, top - box.y0)


def pixels(picture, box, moved=(0, 0)):
    right, down = moved
    left, top, end, bottom = (round(one) for one in box)
    part = picture.crop((left + right, top + down, end + right, bottom + down))
    return np.asarray(part.convert("L"), float)


def distance(saved, new, box):
    """How far a part of two pictures differs, which may lie a pixel further on in one of them."""
    return min(
        float(np.sqrt(np.mean((pixels(saved, box, (x, y)) - pixels(new, box)) ** 2)))
        for x in (-1, 0, 1) for y in (-1, 0, 1)
    )  # fmt: skip


@pytest.mark.parametrize(("number", "cell_id"), CELLS)
def test_a_saved_picture_is_one_of_its_cell(number, cell_id):
    need(f"notebooks/{number}-")
    lesson = lesson_of(number)
    make, varies = CELLS[number, cell_id]
    new, words = drawn_anew(lesson, cell_id, make(lesson))
    saved = saved_picture(lesson, cell_id)
    sizes = zip(saved.size, new.size, strict=True)
    assert max(abs(a - b) for a, b in sizes) <= conftest.SHRUNK, (saved.size, new.size)
    if not PINNED:
        return
    others = []
    for text, box in words:
        limit = ALIKE if varies and re.fullmatch(varies, text) else SAME
        if varies != ANY and distance(saved, new, box) > limit:
            others.append(text)
    assert not others, "the saved picture has other words there"
    if varies == NOTHING:
        assert saved.size == new.size
        parts = (np.asarray(picture, float) for picture in (saved, new))
        assert conftest.worst_tile(*parts, conftest.TILE) < conftest.SAME_VERSION


@pytest.mark.skipif(not PINNED, reason="another version of matplotlib than in constraints.txt")
def test_the_pair_that_is_told_is_the_darkest_of_the_saved_matrix():
    need("notebooks/05-")
    lesson = lesson_of("05")
    given = confused(lesson)
    new, words = drawn_anew(lesson, "confusion-picture", given, numbers=True)
    saved = saved_picture(lesson, "confusion-picture")
    count = str(int(given["counts"].max()))
    (box,) = [box for text, box in words if text == count]
    assert distance(saved, new, box) < SAME
    # A pixel of a cell's corner, away from its number: a step is the distance of two ticks.
    boxes = [box for text, box in words if text in ("·", "0", count)]
    middles = [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in boxes]
    darkness = [saved.convert("L").getpixel((round(x) - 16, round(y) - 16)) for x, y in middles]
    assert darkness.count(min(darkness)) == 1
    assert boxes[darkness.index(min(darkness))] == box


def test_the_saved_drawing_pad_says_what_its_weights_answer():
    need("notebooks/05-")
    lesson = lesson_of("05")
    (output,) = lesson.cells["draw-run"].outputs
    assert repr(drawn_digits(lesson)["piece"]) == output.data["text/plain"]
