"""The lessons' claims about all of MNIST: lesson 05 reads 96 % right, and lesson 06 99 %."""

import os
import re
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from tests.support.lessons import ROOT, need, read

EPOCH = re.compile(r"epoch (\d)/3  train loss \S+  test loss \S+  test accuracy ([\d.]+)%")
ACCURACY = re.compile(r"^(\w[\w ]*?) +([\d.]+)% ±", re.MULTILINE)
# With channels last torch pools on a CPU in a fraction of the time, and the numbers are the same
# but for rounding.
CHANNELS_LAST = """
def with_channels_last(fit):
    import torch

    return lambda model, *given, **options: fit(
        model.to(memory_format=torch.channels_last), *given, **options
    )


from helpers import training

training.fit = with_channels_last(training.fit)
"""


def run_on_all_images(name, monkeypatch):
    """The executed notebook; the lesson's own asserts run too: each claim, on the full data."""
    need(f"notebooks/{name[:3]}")
    monkeypatch.setenv("MNIST_SOURCE", "full")
    monkeypatch.setenv("MNIST_ROOT", str(Path(os.environ["MNIST_ROOT"]).resolve()))
    notebook = read(ROOT / "notebooks" / name)
    notebook.cells.insert(0, new_code_cell(CHANNELS_LAST))
    NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
    return notebook


def printed_by(notebook, cell_id):
    (cell,) = [cell for cell in notebook.cells if cell.id == cell_id]
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


@pytest.mark.full
@pytest.mark.skipif("MNIST_ROOT" not in os.environ, reason="MNIST_ROOT is not set")
def test_lesson_05_on_all_images(monkeypatch):
    printed = printed_by(run_on_all_images("05-mnist-net.ipynb", monkeypatch), "train-run")
    accuracies = [float(accuracy) for _, accuracy in EPOCH.findall(printed)]
    assert len(accuracies) == 3, printed
    assert accuracies[0] > 92
    assert accuracies[-1] >= 96


@pytest.mark.slow
@pytest.mark.full
@pytest.mark.skipif("MNIST_ROOT" not in os.environ, reason="MNIST_ROOT is not set")
def test_lesson_06_on_all_images(monkeypatch):
    printed = printed_by(run_on_all_images("06-train-it-well.ipynb", monkeypatch), "final-table")
    assert "10,000 test images" in printed
    accuracies = {name: float(percent) for name, percent in ACCURACY.findall(printed)}
    assert accuracies["CNN"] >= 99.0
    assert accuracies["CNN"] > accuracies["fully connected"]
    assert accuracies["nearest neighbour"] == 96.91
