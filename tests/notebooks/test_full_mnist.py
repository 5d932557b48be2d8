"""The main job on the real data: lesson 05 trains on all 60,000 images and reads 96 % right."""

import os
import re
from pathlib import Path

import pytest
from nbclient import NotebookClient

from tests.support.lessons import ROOT, need, read

EPOCH = re.compile(r"epoch (\d)/3  train loss \S+  test loss \S+  test accuracy ([\d.]+)%")


@pytest.mark.full
@pytest.mark.skipif("MNIST_ROOT" not in os.environ, reason="MNIST_ROOT is not set")
def test_lesson_05_on_all_images(monkeypatch):
    need("notebooks/05-")
    monkeypatch.setenv("MNIST_SOURCE", "full")
    monkeypatch.setenv("MNIST_ROOT", str(Path(os.environ["MNIST_ROOT"]).resolve()))
    notebook = read(ROOT / "notebooks" / "05-mnist-net.ipynb")
    # The lesson's own asserts run too: each claim, on the full data.
    NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
    (train,) = [cell for cell in notebook.cells if cell.id == "train-run"]
    printed = "".join(output.text for output in train.outputs if output.output_type == "stream")
    accuracies = [float(accuracy) for _, accuracy in EPOCH.findall(printed)]
    assert len(accuracies) == 3, printed
    assert accuracies[0] > 92
    assert accuracies[-1] >= 96
