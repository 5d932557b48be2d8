"""The rules of conftest.py for notebooks, each seen to fail on a notebook that breaks it."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

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


GOOD = {
    "same text": cell("print(1)", printed("1\n")),
    "no output": cell("a = 1"),
    "announced error": cell("raise ValueError('no')", failure(), tags=["raises-exception"]),
    "ignored text": cell("print(2)", printed("1\n"), tags=["nbval-ignore-output"]),
    "number within the tolerance": cell(
        "print('loss 0.503 after 10')", printed("loss 0.50 after 10\n"), tags=["tolerance=0.01"]
    ),
    "result within the tolerance": cell(
        "[1.001, 2.0]",
        new_output("execute_result", {"text/plain": "[1.0, 2.0]"}, execution_count=1),
        tags=["tolerance=0.01"],
    ),
    "value hidden by a semicolon": cell("1 + 1;"),
    "empty cell": cell("", count=None),
}
BAD = {
    "other text": (cell("print(2)", printed("1\n")), "outputs differ"),
    "lost output": (cell("a = 1", printed("1\n")), "outputs differ"),
    "new output": (cell("print(1)"), "outputs differ"),
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
def results(tmp_path_factory):
    """Outcome of each cell, from one run of pytest over one notebook."""
    folder = tmp_path_factory.mktemp("notebook")
    names = list(GOOD) + list(BAD)
    cells = list(GOOD.values()) + [broken for broken, _ in BAD.values()]
    nbformat.write(new_notebook(cells=cells), folder / "rules.ipynb")
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text("utf-8"), "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n")
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
        timeout=240,
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


@pytest.mark.parametrize("name", GOOD)
def test_passes(results, name):
    outcomes, details = results
    assert outcomes[name] == "PASSED", details[name]


@pytest.mark.parametrize("name", BAD)
def test_fails_and_says_why(results, name):
    outcomes, details = results
    assert outcomes[name] == "FAILED"
    assert BAD[name][1] in details[name]
