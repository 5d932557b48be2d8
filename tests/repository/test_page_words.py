"""Words of the pages that stand for values of a program: names, defaults, columns, choices."""

import functools
import re
from datetime import timedelta
from typing import get_args

import pytest

from grader.batch import likeness, report
from grader.command import arguments, grade
from grader.gradebook import nbgrader_execute, rows
from grader.intake import names, roster, times
from grader.judging import notebook, seed
from grader.judging.policy import Policy
from grader.outcomes import Outcome
from grader.sandbox import clock
from helpers import data
from helpers.command import installer
from helpers.data import _mnist
from helpers.pieces import filter_dialog
from helpers.pieces.draw_digit.net import LAYERS
from helpers.pieces.network_explorer import NETWORKS
from helpers.pieces.network_explorer.stack import read, work_out
from helpers.pieces.train_here import learn
from helpers.shapes import receptive_field
from tests.notebooks import test_piece_sizes as sizes
from tests.support.lessons import ROOT, need
from tools.mutate import __main__ as mutate

COUNTED = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


@functools.cache
def page(name):
    return (ROOT / name).read_text("utf-8")


def quoted(words):
    return [f"`{word}`" for word in words]


(PATIENCE,) = re.findall(
    r"\bPATIENCE = (\d+)", (ROOT / "helpers/pieces/train_here/train_here.js").read_text("utf-8")
)
DIGITS = sum(len(data.load_mnist(train, source="sample")) for train in (True, False))
KEPT = " ".join(names.KEPT.replace(" ", ""))
HALF = {0.5: "half"}
QUARTER = {0.25: "a quarter"}
TWICE = {2: "twice"}
SPAN = {timedelta(hours=1): "one hour"}
LEAST_LATE = {timedelta(seconds=1): "one second"}
# {page: what it says, with the values of the very constants that it is about}
SAID = {
    "README.md": [
        f"`.cache/{_mnist.cache_folder().name}` in your home folder",
        f"use a sample of {DIGITS:,} real digits",
    ],
    "solutions/README.md": [f"sooner once that has happened {TWICE[notebook.PATIENCE]};"],
    "solutions/grading.md": [
        f"Of other characters `{KEPT}` and the space are kept, and the rest become `_`",
        f"Names longer than {names.LONGEST_NAME} bytes are cut",
        f"who share at least {HALF[likeness.MOST_ALIKE]} of what they wrote",
        f"unless all of them lie within {SPAN[times.SHORTEST_SPAN]}: then",
        f"that counts as {LEAST_LATE[rows.JUST_LATE]} after the due date",
        f"hidden tests may take {HALF[notebook.SHARE_FOR_HIDDEN]} of the total time besides",
        f"A function that has {TWICE[notebook.PATIENCE]} not come to an end",
        f"It lies in `grading/{seed.NAME}`",
        f"the variable `{nbgrader_execute.WAY_AROUND}=1`",
        f"student, {', '.join(report.COLUMNS[1:])}".replace("score,", "score (by the tests),", 1)
        + f"; {', '.join(report.FROM_A_PERSON)}; then a column for each test",
        f"writes `{roster.roster_path('').as_posix()}`: `id` (what",
        f"`{roster.COLUMNS[1]}`, `{roster.COLUMNS[2]}`, `{roster.COLUMNS[3]}`, and "
        f"`{roster.COLUMNS[4]}`, other names and numbers of the student with a "
        f"`{roster.BETWEEN}` between them",
        "score + by_hand + extra_credit − late_penalty = total",
    ],
    "grader/README.md": [f"took more than {QUARTER[clock.SHARE_OF_DELAY]} of the processor"],
    "CONTRIBUTING.md": [
        f"adds at most {sizes.LARGEST // sizes.KIB} KiB to it, "
        f'"Train it here" {sizes.OTHERS["cnn-train-here"] // sizes.KIB}',
    ],
    "site/train-it-here.md": [
        f"It learns from {learn.TRAINING} digits of MNIST",
        f"{learn.VALIDATION} others are the validation digits",
        f"has not fallen for {PATIENCE} epochs",
    ],
}


@pytest.mark.parametrize(("name", "said"), [(name, said) for name in SAID for said in SAID[name]])
def test_what_a_page_says_of_a_program_is_so(name, said):
    assert said in page(name)


def choices(readme, variable):
    """The values that the README's table has for a variable, and which is so without it."""
    row = rf"^\| `{variable}` \|.*\n(?:\| \|.*\n)*"
    (rows_of,) = re.findall(row, readme, re.MULTILINE)
    cells = [line.split(" | ")[1:] for line in rows_of.splitlines()]
    usual = [value for value, what in cells if "without the variable" in what]
    return re.findall(r"`([^`]+)`", " ".join(value for value, _ in cells)), usual


@pytest.mark.parametrize("variable", installer.CHOICES)
def test_the_readme_names_the_values_of_the_installers_variables(variable):
    named, usual = choices(page("README.md"), variable)
    assert sorted(named) == sorted(installer.CHOICES[variable])
    if variable == "COURSE_TORCH":  # the other's row does not say it
        assert usual == quoted([installer.CHOICES[variable][-1]])


def test_the_readme_names_the_sources_of_mnist_and_which_one_is_usual(monkeypatch):
    named, usual = choices(page("README.md"), "MNIST_SOURCE")
    monkeypatch.delenv("MNIST_SOURCE", raising=False)
    assert named == list(data.SOURCES)
    assert usual == quoted([data._chosen_source(None)])


def test_the_guide_names_each_outcome_but_the_one_that_nobody_graded():
    section = re.search(r"^\*\*Outcomes\.\*\*(.+)$", page("solutions/grading.md"), re.MULTILINE)
    named = re.findall(r"\*([a-z ]+)\*", section[1])
    assert sorted(named) == sorted(set(get_args(Outcome)) - {"not recorded"})


def test_the_guide_has_a_row_for_each_platform_that_marks_go_back_to():
    rows_of = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", page("solutions/grading.md"), re.M)
    assert rows_of == list(arguments.PLATFORMS)
    head = "`grading/01-convolution-by-hand/moodle.csv`, the second a zip of the pages, "
    assert f"{head}`moodle-feedback.zip`" in page("solutions/grading.md")


def test_a_limit_that_the_readme_of_the_grader_names_is_one_of_the_policy():
    (line,) = re.findall(r"^\| the judge's own memory.*$", page("grader/README.md"), re.M)
    assert all(hasattr(Policy, name) for name in re.findall(r"`(\w+)`", line)[:2])


def test_the_last_attempt_counts_unless_the_first_is_asked_for():
    assert "The last attempt counts; `--attempt first` takes the first." in page(
        "solutions/grading.md"
    )
    given = ["01", "batch"]
    assert grade.arguments().parse_args(given).attempt == "last"
    assert grade.arguments().parse_args([*given, "--attempt", "first"]).attempt == "first"


def test_contributing_says_how_many_faults_and_mutants_are_made(monkeypatch, capsys):
    text = page("CONTRIBUTING.md")
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        mutate.main(["--help"])
    faults, mutants = re.findall(r"\((\d+)\)", capsys.readouterr().out)[:2]
    assert f"course mutate                               {faults} faults" in text
    assert mutants == "100"
    assert "It makes a hundred mutants of the right solutions of each exercise" in text


# {how CONTRIBUTING.md calls a piece: the class of its HTML}
PIECES = {
    "the step-through": "cnn-stepper",
    "the filter dialog": "cnn-filter-dialog",
    "the network explorer": "cnn-network-explorer",
    '"Draw a digit"': "cnn-draw-digit",
    '"Train it here"': "cnn-train-here",
}


def lessons_named(text):
    """{a piece: the numbers of the lessons that show it}, of "01 to 03 the step-through, …"."""
    (said,) = re.findall(r"with `make notebooks`: (.+?), and all of them the predictions", text)
    found = {}
    for numbers, piece in re.findall(r'((?:\d\d(?:, | and | to | ))+)(the [a-z -]+|"[^"]+")', said):
        first, *more = re.findall(r"\d\d", numbers)
        between = range(int(first), int(more[-1])) if " to " in numbers else ()
        found[piece] = {first, *more, *(f"{number:02}" for number in between)}
    return found


def test_contributing_says_which_lessons_show_a_piece():
    need()
    shown = {piece: set() for piece in PIECES}
    for path in sizes.LESSONS:
        here = {name for name, _ in sizes.pieces(path)}
        for piece, name in PIECES.items():
            shown[piece] |= {path.name[:2].rstrip("-")} if name in here else set()
        assert "cnn-prediction" in here or path.name.startswith("A-")
    assert lessons_named(page("CONTRIBUTING.md")) == shown


# --- the pages that show a piece ----------------------------------------------------------------

# {page: the folders of the pieces that it shows}
SHOWS = {
    "site/train-it-here.md": ("train_here", "draw_digit"),
    "site/try-a-filter.md": ("filter_dialog",),
    "site/draw-a-digit.md": ("draw_digit",),
    "site/explore-a-network.md": ("network_explorer",),
    "site/step-through.md": ("stepper",),
}
# {page: words in italics that are no controls}
NO_CONTROLS = {}


def texts_of(folders):
    """All that the scripts and the Python of some pieces hold, without values and quotation marks.

    A value in a text, ``${n}`` or ``{n}``, is any number.
    """
    for folder in folders:
        for path in (ROOT / "helpers" / "pieces" / folder).iterdir():
            if path.suffix in (".js", ".py", ".toml") and not path.name.endswith(".min.js"):
                yield path.read_text("utf-8").replace("“", '"').replace("”", '"')


@pytest.mark.parametrize("name", SHOWS)
def test_what_a_page_says_to_press_or_choose_is_there_by_this_name(name):
    text = page(name)
    told = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)|\*\*(Next|Start)\*\*", text)
    code = re.sub(r"\$?\{[^{}\n]*\}", "3", "\n".join(texts_of(SHOWS[name])))
    told = {one or other for one, other in told}
    assert told
    missing = {one for one in told if not re.search(rf"(?<![\w ]){re.escape(one)}(?![\w ])", code)}
    assert missing == NO_CONTROLS.get(name, set())


def test_the_filter_page_tells_the_numbers_of_its_filters():
    text = page("site/try-a-filter.md")
    kernel = filter_dialog.FILTERS["Sharpen"].numbers
    assert f"Choose *Sharpen* and change the {kernel[1][1]} in the middle to 6" in text
    added = sum(map(sum, kernel)) + 6 - kernel[1][1]
    assert f"The numbers now add up to {added}, so a wall of one colour" in text
    assert COUNTED[added] + " times" in text.replace("twice", "two times")
    assert "Choose *Identity* and move the 1" in text
    assert filter_dialog.FILTERS["Identity"].numbers[1][1] == 1
    columns = filter_dialog.FILTERS["Sobel, vertical edges"].numbers
    assert {row[0] + row[2] for row in columns} == {0}  # with the signs swapped, the same edges


# The layers of lesson 05's network that slide a window: its size and stride.
SLIDING = {"conv1": (5, 1), "pool1": (2, 2), "conv2": (5, 1), "pool2": (2, 2)}


def test_the_page_of_the_pad_tells_the_sizes_of_the_networks_layers():
    rows_of = re.findall(
        r"^\| (\w+) \|(.*?)\| (.+?) \| (.+?) \| .+ \|$", page("site/draw-a-digit.md"), re.M
    )
    told = {name: (maps.strip(), *more) for name, maps, *more in rows_of if name != "layer"}
    wanted, before = {}, []
    for name, shape in LAYERS[:-1]:  # the last one are the scores' logarithms
        before += [SLIDING[name]] if name in SLIDING else []
        side = receptive_field(before).size
        if len(shape) == 1:
            wanted[name] = "", str(shape[0]), "everything"
        else:
            wanted[name] = str(shape[0]), f"{shape[1]} × {shape[2]}", f"{side} × {side}"
    assert told == wanted


def test_the_page_of_training_names_settings_that_there_are():
    script = (ROOT / "helpers/pieces/train_here/train_here.js").read_text("utf-8")
    choices_of = {
        name: [float(number) for number in numbers.split(",")]
        for name, numbers in re.findall(r"^  (\w+): \[tr`[^`]+`, \[([\d., ]+)\]\],$", script, re.M)
    }
    text = page("site/train-it-here.md")
    ((momentum, rate, old),) = re.findall(
        r"set the momentum to ([\d.]+) and the rate to ([\d.]+),.+ the old momentum of ([\d.]+)\?",
        text,
    )
    assert float(rate) in choices_of["rate"]
    assert {float(momentum), float(old)} <= {*choices_of["momentum"]}
    ((batch, digits, by, steps, before),) = re.findall(
        r"With a batch of (\d+), an epoch has (\d+) / (\d+) = (\d+) steps instead of (\d+)", text
    )
    assert float(batch) in choices_of["batch"]
    assert (int(digits), int(by)) == (learn.TRAINING, int(batch))
    assert int(steps) * int(batch) == learn.TRAINING
    assert learn.TRAINING / int(before) in choices_of["batch"]
    # What is set before anything is changed.
    assert float(old) == learn.Settings().momentum
    assert learn.TRAINING / int(before) == learn.Settings().batch


def test_the_page_of_networks_compares_layers_that_there_are():
    text = page("site/explore-a-network.md")
    stack = work_out(read(NETWORKS["AlexNet, two towers"][0]), NETWORKS["AlexNet, two towers"][1])
    ((work, many),) = re.findall(r"In AlexNet, compare layer (\d+) with layer (\d+)\.", text)
    one, other = stack[int(work) - 1], stack[int(many) - 1]
    assert one.parameters < other.parameters
    assert one.multiply_adds > other.multiply_adds
