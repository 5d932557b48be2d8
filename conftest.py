"""How the notebooks are tested: nbval, with the cases that it lets pass.

nbval re-runs every code cell and compares its text with the saved one. On top of that a cell
fails here if it was never run or is skipped, if it writes to stderr, if the saved file holds an
error that no tag announces, or if an announced error does not come. The tag
``tolerance=0.01`` lets the numbers of one cell differ by that much (absolute, or relative for
numbers above 1), with the text around them the same.

Text that differs between machines has the tag ``nbval-ignore-output``, and is compared in form: the
words are the same, and each number has the sign of the saved one and is at most 3 times as large or
as small, or two units of its last digit away. Of a percentage this holds for the rest to 100, too.
Seconds and minutes may be any. ``factor=100`` lets numbers be 100 times as large or as small. The
tag ``data-varies`` is for what depends on whether all of MNIST is there: with the sample only the
words are compared, and what is repeated counts once. With the same data, of two fractions or
percentages that follow each other in a line, the one that was clearly larger may not be clearly
smaller now: they would have traded places. The tag ``text-varies`` is for words that depend on the
machine: some text has to be there. An assert beside each such cell tests what it says.

Pictures, which nbval passes over, are compared with the saved ones. The tag ``picture-varies`` is
for a picture that shows times, or depends on the data, the device or the processor (a training of
many steps comes to other weights on each kind): it has to be as wide as the saved one, the same
way up and in colours as light, and an assert beside it has to test what it shows. Where a picture
differs, the saved one, the new one and their difference lie side by side in ``build/pictures``.

Each assert is also tried with wrong values: one that none of them makes fail is an error (see
``tests/support/weak_asserts.py``).

Notebooks that a reader works in are left out, and named at the end. One that is named on the
command line is compared all the same.
"""

import base64
import io
import itertools
import math
import os
import re
import signal
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path

import numpy as np
from matplotlib.testing.compare import calculate_rms
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, coalesce_streams
from PIL import Image, ImageOps

from helpers.command.files import is_own_copy
from helpers.command.left_out import left_out

ROOT = Path(__file__).resolve().parent

# Students are not given the tests.
pytest_plugins = (
    ["tests.support.cpu_seconds", "tests.support.long_first"] if (ROOT / "tests").exists() else []
)

# Notebooks are compared on the CPU and without a network, also on machines that have more.
os.environ.setdefault("COURSE_DEVICE", "cpu")
os.environ.setdefault("MNIST_SOURCE", "sample")
if "MNIST_ROOT" in os.environ:
    # Kernels start in the folder of their notebook.
    os.environ["MNIST_ROOT"] = os.path.abspath(os.environ["MNIST_ROOT"])
if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker has one core to itself: more threads would only wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a shell Ctrl-C is ignored, by all that tests start as well, unless:
    signal.signal(signal.SIGINT, signal.default_int_handler)

NUMBER = re.compile(r"[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+|(?=\.\d))(?:\.\d*)?(?:[eE][-+]?\d+)?")
PERCENT = re.compile(r"(?=\s?%)")
TIME = re.compile(r"(?= (?:s|minutes)\b)")
# An item of a list, and others like it; a tuple with one item ends with a comma.
ITEMS = re.compile(r"(?<=[(\[])([^,\n()\[\]]+)(?:, \1)*,?(?=[)\]])")
LISTS = re.compile(r"\[[^\[\]]*\]")
# How many times as large a number may be on another machine, and how many units of its last digit
# away: losses and accuracies that a training ends with differ, but not in size.
FACTOR, UNITS = 3.0, 2
# How many times as large a number is that is clearly larger than the next one.
CLEARLY = 1.5
ERROR_TAGS = {"raises-exception", "nbval-raises-exception"}

WATCH = ROOT / "tests" / "support" / "weak_asserts.py"
PICTURES = ROOT / "build" / "pictures"
# How far two pictures may differ: the root mean square of the difference, of 255. With the pinned
# matplotlib they are equal to the byte on one machine, and nearly so on others. There the worst
# tile counts: one digit of a label makes 5 in its tile, and is lost in the whole.
SAME_VERSION, TILE = 2.0, 40
# Another version moves letters and lines by a pixel or two. Of pictures that are shrunk this much
# it changes little, and what a picture shows can still be told from something else.
OTHER_VERSION, SHRUNK = 10.0, 8


def execute_cell_input(self, cell_input, allow_stdin=None):
    # As JupyterLab runs a cell: nbval keeps no history, and IPython then prints the value of a
    # last line even if it ends with a semicolon.
    return self.kc.execute(
        cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False
    )


RunningKernel.execute_cell_input = execute_cell_input


@cache
def readers_own():
    return left_out(ROOT)


def pytest_ignore_collect(collection_path):
    if is_own_copy(collection_path):
        return True
    if collection_path.suffix != ".ipynb" or not collection_path.is_relative_to(ROOT):
        return None
    return collection_path.relative_to(ROOT).as_posix() in readers_own() or None


def pytest_terminal_summary(terminalreporter, config):
    # Workers of xdist have no terminal: this is said once.
    named = {Path(argument.partition("::")[0]).resolve() for argument in config.args}
    names = [name for name in readers_own() if ROOT / name not in named]
    if not names:
        return
    terminalreporter.section("notebooks left out")
    terminalreporter.line("These differ from the released ones, and were left out:")
    for name in names:
        terminalreporter.line(f"  {name} ({readers_own()[name]})")
    terminalreporter.line(
        "`course reset` lists how to give each back as it came; yours is kept. If a change is "
        "meant, `make notebooks` saves a lesson in the course's form, and `make assignments` makes "
        "the assignments from solutions/: then it is tested."
    )


def pytest_itemcollected(item):
    # nbval names its cell class in the collector itself, so the class is exchanged afterwards.
    if type(item) is IPyNbCell:
        item.__class__ = LessonCell


class LessonCell(IPyNbCell):
    """A code cell of a notebook."""

    @property
    def tags(self):
        return self.cell.metadata.get("tags", [])

    def runtest(self):
        self.check_saved()
        self.watch_asserts()
        super().runtest()
        self.check_outputs(self.test_outputs, "running it")
        self.check_form()
        self.check_pictures()

    def check_saved(self):
        if self.options["skip"]:
            self.raise_cell_error("the cell is skipped: every cell of a notebook is tested")
        if self.cell.execution_count is None and self.cell.source.strip():
            self.raise_cell_error("the cell was never run: run `make notebooks`")
        self.check_outputs(self.cell.outputs, "the saved file")

    def watch_asserts(self):
        """Before the first cell: let the kernel say which asserts cannot fail."""
        kernel = self.parent.kernel
        if WATCH.exists() and not getattr(kernel, "is_watched", False):
            watch = f"exec({WATCH.read_text('utf-8')!r}, {{'__name__': 'weak_asserts'}})"
            kernel.await_reply(kernel.kc.execute(watch, silent=True))
            kernel.is_watched = True

    def check_outputs(self, outputs, where):
        announced = bool(ERROR_TAGS & set(self.tags))
        errors = [output for output in outputs if output.output_type == "error"]
        if announced and not errors:
            self.raise_cell_error(f"the tag announces an error, but {where} gave none")
        if errors and not announced:
            self.raise_cell_error(f"an error that no tag announces, in {where}: {errors[0].ename}")
        for output in outputs:
            if output.output_type == "stream" and output.name == "stderr":
                self.raise_cell_error(f"output on stderr, in {where}: {output.text.strip()}")

    def check_form(self):
        if "nbval-ignore-output" not in self.tags or os.environ["COURSE_DEVICE"] != "cpu":
            return  # the saved text is that of a CPU
        saved, new = text_in(self.cell.outputs), text_in(self.test_outputs)
        if "text-varies" in self.tags:
            if not (saved and new):
                self.raise_cell_error("the tag text-varies, but no text")
            return
        other_data = "data-varies" in self.tags and os.environ["MNIST_SOURCE"] != "full"
        problem = (
            other_words(unrepeated(new), unrepeated(saved))
            if other_data
            else other_form(new, saved, self.number_in("factor") or FACTOR)
        )
        # With other data small differences between two numbers may be the other way round.
        if not problem and not other_data and self.number_in("factor") is None:
            problem = other_order(new, saved)
        if problem:
            self.raise_cell_error(
                f"another text than the saved one: {problem}. "
                "If it is meant, `make notebooks ARGS=--force` saves it"
            )

    def check_pictures(self):
        saved, new = pictures_in(self.cell.outputs), pictures_in(self.test_outputs)
        if len(saved) != len(new):
            self.raise_cell_error(f"{len(new)} pictures, but {len(saved)} in the saved file")
        if "picture-varies" in self.tags:
            if not new:
                self.raise_cell_error("the tag picture-varies, but no picture")
            if os.environ["COURSE_DEVICE"] == "cpu":  # the saved ones are those of a CPU
                for problem in filter(None, map(other_form_of_picture, saved, new)):
                    self.raise_cell_error(f"another picture than the saved one: it is {problem}")
            return
        stem = f"{Path(self.parent.name).stem}-{self.cell.get('id', self.cell_num)}"
        for number, pair in enumerate(zip(saved, new, strict=True), 1):
            problem = difference(*pair)
            if problem:
                path = side_by_side(*pair, PICTURES / f"{stem}-{number}.png")
                self.raise_cell_error(f"another picture than the saved one: {problem}. See {path}")

    def compare_outputs(self, test, ref, skip_compare=None):
        tolerance = self.number_in("tolerance")
        if tolerance is not None:
            test = [adopt_numbers(new, old, tolerance) for new, old in zip_outputs(test, ref)]
        return super().compare_outputs(test, ref, skip_compare)

    def number_in(self, name):
        """The number of a tag such as tolerance=0.01, or None."""
        values = [tag.partition("=")[2] for tag in self.tags if tag.startswith(f"{name}=")]
        return float(values[0]) if values else None


def pictures_in(outputs):
    """The PNGs among outputs, as bytes."""
    return [
        base64.b64decode(output.data["image/png"])
        for output in outputs
        if "image/png" in output.get("data", {})
    ]


def opened(png):
    return Image.open(io.BytesIO(png)).convert("RGB")


def difference(saved, new):
    """How two pictures differ, as a few words; "" if they are the same as far as can be asked."""
    if saved == new:
        return ""
    saved, new = opened(saved), opened(new)
    is_pinned = f"matplotlib=={version('matplotlib')}" in pinned()
    room = 0 if is_pinned else SHRUNK
    if max(abs(a - b) for a, b in zip(saved.size, new.size, strict=True)) > room:
        return f"{new.width} × {new.height} pixels, saved {saved.width} × {saved.height}"
    tile, limit = TILE, SAME_VERSION
    if not is_pinned:
        saved, new = saved.reduce(SHRUNK), new.resize(saved.size).reduce(SHRUNK)
        tile, limit = max(saved.size), OTHER_VERSION
    rms = worst_tile(np.asarray(saved, float), np.asarray(new, float), tile)
    return f"it differs by {rms:.2f} of 255, more than {limit}" if rms > limit else ""


def other_form_of_picture(saved, new):
    """How a picture differs whose content may vary; "" if its width, top and colours agree."""
    saved, new = opened(saved), opened(new)
    if abs(new.width - saved.width) > SHRUNK:
        return f"{new.width} pixels wide, not {saved.width}"
    if abs(new.height - saved.height) > SHRUNK:
        return ""  # a row for each way of computing that a machine has
    new = np.asarray(new.resize(saved.size).reduce(SHRUNK), float)
    wrong = {
        "upside down": distance(ImageOps.flip(saved), new),
        "in colours turned round": distance(ImageOps.invert(saved), new),
    }
    nearest = min(wrong, key=wrong.get)
    return nearest if wrong[nearest] < distance(saved, new) else ""


def distance(picture, shrunk):
    return calculate_rms(np.asarray(picture.reduce(SHRUNK), float), shrunk)


def worst_tile(saved, new, side):
    return max(
        calculate_rms(saved[y : y + side, x : x + side], new[y : y + side, x : x + side])
        for y in range(0, saved.shape[0], side)
        for x in range(0, saved.shape[1], side)
    )


@cache
def pinned():
    """The lines of constraints.txt, without the conditions after a semicolon."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return {line.partition(";")[0].strip() for line in text.splitlines()}


def side_by_side(saved, new, path):
    """Write the saved picture, the new one and their difference into one file."""
    saved, new = opened(saved), opened(new)
    size = (max(saved.width, new.width), max(saved.height, new.height))
    panels = []
    for image in (saved, new):
        panel = Image.new("RGB", size, "white")
        panel.paste(image)
        panels.append(np.asarray(panel, dtype=int))
    panels.append(255 - np.abs(panels[0] - panels[1]))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.hstack(panels).astype(np.uint8)).save(path)
    return path


def zip_outputs(test, ref):
    """Pairs of outputs; a surplus one is paired with itself, and the comparison reports it."""
    return [(new, ref[i] if i < len(ref) else new) for i, new in enumerate(test)]


def adopt_numbers(new, old, tolerance):
    """The new output, with each text that agrees within the tolerance replaced by the old one."""
    new = new.copy()
    if "text" in new and "text" in old and agrees(new.text, old.text, tolerance):
        new.text = old.text
    if "data" in new and "data" in old:
        new.data = {
            kind: old.data[kind]
            if isinstance(value, str)
            and isinstance(old.data.get(kind), str)
            and agrees(value, old.data[kind], tolerance)
            else value
            for kind, value in new.data.items()
        }
    return new


def agrees(new, old, tolerance):
    """Is the text the same, and is every number in it within the tolerance?"""
    if words(new) != words(old):
        return False
    pairs = zip(NUMBER.findall(new), NUMBER.findall(old), strict=True)
    return all(
        math.isclose(*pair, rel_tol=tolerance, abs_tol=tolerance) for pair in map(to_floats, pairs)
    )


def to_floats(texts):
    return [float(to_decimal(text)) for text in texts]


def to_decimal(text):
    return Decimal(text.replace("−", "-").replace(",", ""))


def words(text):
    """The text with a # for each number."""
    # A number that is a digit longer moves the columns of a printed array.
    return " ".join(NUMBER.sub("#", text).split())


def text_in(outputs):
    """What outputs say in plain text, progress bars as they are at the end."""
    texts = [
        output.text if output.output_type == "stream" else output.get("data", {}).get("text/plain")
        for output in coalesce_streams(outputs)
        if "image/png" not in output.get("data", {})
    ]
    return "\n".join(filter(None, texts)).strip()


def unrepeated(text):
    """Without its numbers, and with lines and items that then are alike once each."""
    lines = []
    for line in map(words, text.splitlines()):
        line = ITEMS.sub(r"\1", line)
        if line not in lines:
            lines.append(line)
    return "\n".join(lines)


def other_words(new, old):
    """How the words of two texts differ; "" if they do not."""
    if words(new) == words(old):
        return ""
    pairs = zip_longest(new.splitlines(), old.splitlines(), fillvalue="no more lines")
    return "{!r}, saved {!r}".format(
        *next(pair for pair in pairs if len(set(map(words, pair))) > 1)
    )


def other_form(new, old, factor):
    """How a text that differs between machines differs by too much; "" if it does not."""
    if words(new) != words(old):
        return other_words(new, old)
    for one, other in zip(NUMBER.finditer(new), NUMBER.finditer(old), strict=True):
        percent = PERCENT.match(new, one.end())
        if TIME.match(new, one.end()):
            continue
        if not is_near(to_decimal(one[0]), to_decimal(other[0]), factor, percent):
            return f"{one[0]}, saved {other[0]}, in {line_around(new, one.start())!r}"
    return ""


def other_order(new, old):
    """Which line has two numbers that have traded places; "" if none has.

    Those of a list do not count: they are measurements of one thing.
    """
    if words(new) != words(old):
        return ""  # of other data there may be more or fewer lines
    lines = (LISTS.sub("", text).splitlines() for text in (new, old))
    for line, saved in zip(*lines, strict=False):
        if words(line) == words(saved) and have_traded_places(line, saved):
            return f"two numbers have traded places, in {line!r}, saved {saved!r}"
    return ""


def have_traded_places(new, old):
    """Whether of two numbers that follow each other the clearly larger one is the smaller now."""
    found = []
    for one, other in zip(NUMBER.finditer(new), NUMBER.finditer(old), strict=True):
        percent = bool(PERCENT.match(new, one.end()))
        # Whole numbers may be digits, labels or sizes, and of these none is more than another.
        if (percent or "." in one[0] + other[0]) and not TIME.match(new, one.end()):
            found.append((*to_floats([one[0], other[0]]), percent))
    return any(
        order(a, b, is_a and is_b) * order(old_a, old_b, is_a and is_b) < 0
        for (a, old_a, is_a), (b, old_b, is_b) in itertools.pairwise(found)
    )


def order(a, b, are_percent):
    """1 if the first is clearly larger, −1 if the second is, else 0."""
    return compared(a, b) or (compared(100 - b, 100 - a) if are_percent else 0)


def compared(a, b):
    if min(a, b) <= 0:
        return 0
    return (a > CLEARLY * b) - (b > CLEARLY * a)


def is_near(new, old, factor, percent):
    unit = 10.0 ** min(new.as_tuple().exponent, old.as_tuple().exponent)
    if abs(float(new - old)) < (UNITS + 0.5) * unit:
        return True
    pairs = (
        [(new, old), (100 - new, 100 - old)] if percent and max(new, old) < 100 else [(new, old)]
    )
    return all(a * b > 0 and 1 / factor <= a / b <= factor for a, b in pairs)


def line_around(text, place):
    return text[text.rfind("\n", 0, place) + 1 :].splitlines()[0]
