"""The rules of conftest.py for notebooks, each seen to fail on a notebook that breaks it."""

import base64
import io
import os
import shutil
import subprocess
import sys
from importlib.metadata import version

import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

import conftest
from helpers.command.files import ROOT

STDERR = "import sys; print('look', file=sys.stderr)"


def cell(source, *outputs, tags=(), count=1):
    return new_code_cell(
        source, outputs=list(outputs), execution_count=count, metadata={"tags": list(tags)}
    )


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def failure(kind="ValueError"):
    return new_output("error", ename=kind, evalue="no", traceback=["no"])


# A map that is no mirror image of itself, as a program and as a picture.
MAP = "np.arange(12000).reshape(100, 120) // 50"
SHOW = "import numpy as np; from PIL import Image; display(Image.fromarray(({}).astype(np.uint8)))"


def picture(code=MAP):
    png = io.BytesIO()
    Image.fromarray(eval(code, {"np": np}).astype(np.uint8)).save(png, "PNG")
    data = {"image/png": base64.b64encode(png.getvalue()).decode(), "text/plain": "<image>"}
    return new_output("display_data", data)


def drawn(code, *saved, tags=()):
    """A cell that draws one map, with other ones in the saved file; its text is not compared."""
    return cell(SHOW.format(code), *map(picture, saved), tags=["nbval-ignore-output", *tags])


def varied(new, saved, tags=()):
    """A cell that prints one text, with another one in the saved file, and ignores it."""
    output = printed(saved.replace(r"\n", "\n") + "\n")
    return cell(f'print("{new}")', output, tags=["nbval-ignore-output", *tags])


def weak(source, part):
    """A cell with an assert that holds whatever one of its parts is, and what is said of it."""
    return cell(
        f"import numpy as np\nfrom helpers.checks import assert_same\na = np.arange(3)\n{source}"
    ), f"whatever it is: {part}"


GOOD = {
    "same picture": drawn(MAP, MAP),
    "a picture with a hardly visible difference": drawn(MAP, f"{MAP} + (np.arange(120) == 7)"),
    "a lower picture, announced": drawn(MAP, f"({MAP})[:80]", tags=["picture-varies"]),
    "another picture, announced": drawn(
        MAP, f"({MAP}) // 2 + np.arange(120) % 90", tags=["picture-varies"]
    ),
    "same text": cell("print(1)", printed("1\n")),
    "no output": cell("a = 1"),
    "announced error": cell("raise ValueError('no')", failure(), tags=["raises-exception"]),
    "ignored text with near numbers": varied(
        "loss 0.00, −0.30 of 1,233.4", "loss 0.02, −0.11 of 800"
    ),
    "ignored text with a small number of the other sign": varied("+0.1", "-0.1"),
    "ignored text with near rests to 100": varied("96.7% right", "94.4% right"),
    "ignored text with a time": varied("loss 0.12, 4 s", "loss 0.12, 90 s"),
    "ignored text with a column that moves": varied("a   9.9", "a  10.1"),
    "ignored text with a progress bar": varied(r"9%|#\r     \rdone, 1.2", "done, 1.4"),
    "ignored text with a declared factor": varied(
        "error 5e-09", "error 2e-07", tags=["factor=100"]
    ),
    "ignored text with numbers that are about equal": varied("1.2 and 1.0", "1.0 and 1.2"),
    "ignored text with a list in another order": varied("loss [0.2, 0.1]", "loss [0.1, 0.2]"),
    "ignored text with times in another order": varied("1 s, 2 s", "2 s, 1 s"),
    "ignored text of other data": varied(
        r"epoch 1/3: 90%\nepoch 2/3: 95%\n[0.1, 2.0, 0.3] (1, 2)",
        r"epoch 1/20: 30%\n[7.0] (1,)",
        tags=["data-varies"],
    ),
    "ignored text of other data with numbers in another order": varied(
        "+0.1 ± 0.3", "+0.4 ± 0.2", tags=["data-varies"]
    ),
    "ignored text with other words, announced": varied("no GPU", "1 GPU", tags=["text-varies"]),
    "ignored value": cell(
        "0.52",
        new_output("execute_result", {"text/plain": "0.5"}, execution_count=1),
        tags=["nbval-ignore-output"],
    ),
    "number within the tolerance": cell(
        "print('loss 0.503 after 10')", printed("loss 0.50 after 10\n"), tags=["tolerance=0.01"]
    ),
    "result within the tolerance": cell(
        "[1.001, 2.0]",
        new_output("execute_result", {"text/plain": "[1.0, 2.0]"}, execution_count=1),
        tags=["tolerance=0.01"],
    ),
    "asserts that can fail": cell(
        """import numpy as np
from helpers.checks import assert_same
a, b = np.arange(3), np.float32(0.5)
assert 0.4 < b <= 0.6
assert abs(b - 0.5) < 0.1 and b != 0.4, b
assert (a >= 0).all() and len(a) == 3
assert (a[1:] > a[:-1]).all() if len(a) else False
assert all(abs(x - y) < 1 for x, y in zip(a, [0, 1, 2]))
assert not np.array_equal(a, a[::-1])
assert abs(b - 1) > 0.1 and "loss" in f"loss {b}"
assert a.sum() > 2 * b and b in (0.5, 1)
assert a.any()
assert_same(a, [0, 1, 2]); assert_same(b, 0.5)""",
    ),
    "value hidden by a semicolon": cell("1 + 1;"),
    "empty cell": cell("", count=None),
}
BAD = {
    "a transposed picture": (drawn(f"({MAP})[:, :100]", f"({MAP})[:, :100].T"), "differs by"),
    "an upside down picture": (drawn(MAP, f"({MAP})[::-1]"), "another picture than the saved one"),
    "a picture with reversed colours": (drawn(MAP, f"255 - {MAP}"), "differs by"),
    "a picture of another scale": (drawn(MAP, f"({MAP}) // 2"), "differs by"),
    "a picture with one spot more": (
        drawn(MAP, f"{MAP} * ~((abs(np.arange(120) - 60) < 3) & (np.arange(100)[:, None] > 95))"),
        "differs by",
    ),
    "a picture of another size": (drawn(MAP, f"({MAP})[:90]"), "100 pixels, saved 120 × 90"),
    "an announced picture of another width": (
        drawn(MAP, f"({MAP})[:, :90]", tags=["picture-varies"]),
        "it is 120 pixels wide, not 90",
    ),
    "an announced picture upside down": (
        drawn(MAP, f"({MAP})[::-1]", tags=["picture-varies"]),
        "it is upside down",
    ),
    "an announced picture with reversed colours": (
        drawn(f"({MAP}) // 4", f"255 - ({MAP}) // 4", tags=["picture-varies"]),
        "it is in colours turned round",
    ),
    "a picture too few": (drawn(MAP, MAP, MAP), "1 pictures, but 2"),
    "a picture too many": (drawn(MAP), "1 pictures, but 0"),
    "an announced picture that does not come": (
        cell("a = 1", tags=["picture-varies"]),
        "but no picture",
    ),
    "an assert that no distance makes fail": weak("assert abs(a[2] - 2) < 5", "a[2]"),
    "an assert with a bound far off": weak("assert -100 < a[2] < 30 and a[1] == 1", "a[2]"),
    "an assert of an order with much room": weak("assert a[2] > a[1] - 30", "a[2]"),
    "an assert that a number is not negative": weak("assert (a**2 >= 0).all() or a[1]", "a ** 2"),
    "an assert in a loop": weak("for x in a:\n    assert abs(x - 2) < 9", "x"),
    "an assert in a function": weak("def f(x):\n    assert x < 99\n\ny = f(a[1])", "x"),
    "a comparison with everything": weak("assert np.allclose(a, [0, 1, 2], atol=9)", "a"),
    "a wide assert_same": weak("assert_same(a, [0, 1, 2], atol=9)", "a number that is a tenth"),
    "other text": (cell("print(2)", printed("1\n")), "outputs differ"),
    "lost output": (cell("a = 1", printed("1\n")), "outputs differ"),
    "new output": (cell("print(1)"), "outputs differ"),
    "ignored text with other words": (
        varied("right 0.5", "wrong 0.5"),
        "'right 0.5', saved 'wrong",
    ),
    "ignored text with swapped labels": (varied("a 0.1, b 0.2", "b 0.1, a 0.2"), "saved 'b 0.1"),
    "ignored text with a number more": (varied("0.5 0.5", "0.5"), "saved '0.5'"),
    "ignored text with a line less": (varied("0.5", r"0.5\n0.5"), "'no more lines', saved '0.5'"),
    "ignored text with a number far off": (
        varied(r"1\nloss 0.62", r"1\nloss 0.20"),
        "in 'loss 0.62'",
    ),
    "ignored text with a tiny number far off": (varied("2e-07", "5e-09"), "2e-07, saved 5e-09"),
    "ignored text with the other sign": (varied("-0.4", "0.4"), "-0.4, saved 0.4"),
    "ignored text with many thousands less": (varied("1,000", "60,000"), "1,000, saved 60,000"),
    "ignored text with a far rest to 100": (varied("93.1% right", "98.7% right"), "93.1, saved"),
    "ignored text beyond a declared factor": (
        varied("error 5e-09", "error 2e-06", tags=["factor=100"]),
        "5e-09, saved 2e-06",
    ),
    "ignored text with numbers that have traded places": (
        varied("conv 1.1, plain 2.4", "conv 2.4, plain 1.1"),
        "two numbers have traded places, in 'conv 1.1, plain 2.4'",
    ),
    "ignored text of other data with other words": (
        varied(
            "epoch 1: test 0.3", r"epoch 1: train 0.3\nepoch 2: train 0.3", tags=["data-varies"]
        ),
        "'epoch #: test #', saved",
    ),
    "announced text that does not come": (
        cell("a = 1", printed("1\n"), tags=["nbval-ignore-output", "text-varies"]),
        "but no text",
    ),
    "ignored value that is another": (
        cell(
            "52",
            new_output("execute_result", {"text/plain": "0.5"}, execution_count=1),
            tags=["nbval-ignore-output"],
        ),
        "52, saved 0.5",
    ),
    "never run": (cell("a = 1", count=None), "never run"),
    "never run, output ignored": (
        cell("a = 1", count=None, tags=["nbval-ignore-output"]),
        "never run",
    ),
    "skipped": (cell("a = 1", tags=["nbval-skip"]), "skipped"),
    "stderr in the file": (cell("a = 1", printed("look\n", "stderr")), "stderr, in the saved file"),
    "stderr when run": (cell(STDERR, tags=["nbval-ignore-output"]), "stderr, in running it"),
    "stderr in both": (cell(STDERR, printed("look\n", "stderr")), "stderr"),
    "error in the file": (
        cell("a = 1", failure(), tags=["nbval-ignore-output"]),
        "an error that no tag announces",
    ),
    "error when run": (cell("1 / 0", tags=["nbval-ignore-output"]), "ZeroDivisionError"),
    "announced error that does not come": (
        cell("a = 1", failure(), tags=["raises-exception", "nbval-ignore-output"]),
        "running it gave none",
    ),
    "beyond the tolerance": (
        cell("print('loss 0.52')", printed("loss 0.50\n"), tags=["tolerance=0.01"]),
        "outputs differ",
    ),
    "other words with a tolerance": (
        cell("print('cost 0.50')", printed("loss 0.50\n"), tags=["tolerance=0.01"]),
        "outputs differ",
    ),
    "other sign": (
        cell("print('−0.50')", printed("0.50\n"), tags=["tolerance=0.01"]),
        "outputs differ",
    ),
    "more lines with a tolerance": (
        cell("print(0.5); print(0.5)", printed("0.5\n"), tags=["tolerance=0.01"]),
        "outputs differ",
    ),
}


@pytest.fixture(scope="module")
def notebook_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def results(notebook_folder):
    """Outcome of each cell, from one run of pytest over one notebook."""
    folder = notebook_folder
    names = list(GOOD) + list(BAD)
    cells = list(GOOD.values()) + [broken for broken, _ in BAD.values()]
    for number, made in enumerate(cells):
        made.id = f"cell-{number}"
    nbformat.write(new_notebook(cells=cells), folder / "rules.ipynb")
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text("utf-8"), "utf-8")
    (folder / "tests/support").mkdir(parents=True)
    shutil.copy(conftest.WATCH, folder / "tests/support")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "constraints.txt").write_text(f"matplotlib=={version('matplotlib')}\n")
    run = subprocess.run(
        [
            sys.executable,
            *["-m", "pytest", "-vv", "--nbval", "--nbval-current-env"],
            *["-p", "no:cacheprovider", "--color=no", "rules.ipynb"],
        ],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    lines = run.stdout.splitlines()
    outcomes, details = {}, {}
    for number, name in enumerate(names):
        (line,) = [one for one in lines if one.startswith(f"rules::ipynb::Cell {number} ")]
        outcomes[name] = line.split()[2]
    sections = run.stdout.split("Notebook cell execution failed")[1:]
    for section in sections:
        details[int(section.split("Cell ")[1].split(":")[0])] = section
    return outcomes, {name: details.get(number, "") for number, name in enumerate(names)}


def test_a_wrong_picture_lies_beside_the_saved_one(results, notebook_folder):
    number = [*GOOD, *BAD].index("an upside down picture")
    (path,) = (notebook_folder / "build/pictures").glob(f"*-cell-{number}-1.png")
    saved, new, difference = np.hsplit(np.asarray(Image.open(path))[..., 0], 3)
    expected = eval(MAP, {"np": np})
    assert (new == expected).all()
    assert (saved == expected[::-1]).all()
    assert (difference == 255 - abs(expected - expected[::-1])).all()


@pytest.mark.parametrize("version", ["pinned", "other"])
def test_how_far_a_picture_may_differ(version, monkeypatch):
    """By less than a digit of a label; but letters may move under another matplotlib."""
    figure = drawn_figure
    if version == "other":
        monkeypatch.setattr(conftest, "pinned", set)
    same, digit, moved = figure("7,640"), figure("7,840"), figure("7,640", 0.004)
    assert conftest.difference(same, figure("7,640")) == ""
    assert bool(conftest.difference(same, digit)) is (version == "pinned")
    assert bool(conftest.difference(same, moved)) is (version == "pinned")
    assert conftest.difference(same, drawn_figure("7,640", flipped=True))


def drawn_figure(label, shift=0.0, flipped=False):
    """A figure as lessons have them, as PNG."""
    figure = Figure(figsize=(6, 4))
    ax = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    ax.imshow(np.arange(12).reshape(3, 4), origin="lower" if flipped else "upper")
    ax.text(0.5 + shift, 0.5, label, fontsize=10)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


@pytest.mark.parametrize("name", GOOD)
def test_passes(results, name):
    outcomes, details = results
    assert outcomes[name] == "PASSED", details[name]


@pytest.mark.parametrize("name", BAD)
def test_fails_and_says_why(results, name):
    outcomes, details = results
    assert outcomes[name] == "FAILED"
    assert BAD[name][1] in details[name]
