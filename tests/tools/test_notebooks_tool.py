"""tools/notebooks.py: what it writes, what it leaves alone, and what happens on an error."""

import base64
import io

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from tests.support.scripts import load

tool = load("tools/notebooks.py")


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_SOURCE", "sample")
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    path = tmp_path / "lesson.ipynb"

    def write(*sources, tags=()):
        cells = [new_markdown_cell("# 01 Try", id="title")]
        cells += [
            new_code_cell(source, id=f"cell-{i}", metadata={"tags": list(tags), "trusted": True})
            for i, source in enumerate(sources)
        ]
        nbformat.write(new_notebook(cells=cells, metadata={"widgets": {}}), path)
        return path

    return write


def test_outputs_are_written_and_a_second_run_changes_nothing(notebook, capsys):
    path = notebook("print('a'); print('b')", "1 + 1", "import sys; print('x\\ry')")
    assert tool.main([str(path)]) == 0
    first = path.read_bytes()
    saved = nbformat.read(path, as_version=4)
    assert [cell.get("execution_count") for cell in saved.cells] == [None, 1, 2, 3]
    assert saved.cells[1].outputs[0].text == "a\nb\n"
    assert saved.cells[2].outputs[0].data["text/plain"] == "2"
    assert saved.cells[3].outputs[0].text == "y\n"
    assert saved.metadata == tool.METADATA
    assert saved.cells[1].metadata == {"tags": []}
    assert [cell.id for cell in saved.cells] == ["title", "cell-0", "cell-1", "cell-2"]
    assert tool.main([str(path)]) == 0
    assert path.read_bytes() == first
    assert "saved" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("colour", "alpha", "mode"), [(0, 255, "L"), (1, 255, "RGB"), (0, 254, "RGBA")]
)
def test_pictures_keep_their_pixels_in_fewer_bytes(colour, alpha, mode):
    """With one pixel that has a colour, or shines through a little, or neither."""
    pixels = np.repeat(np.arange(60 * 80).reshape(60, 80, 1) // 40, 4, axis=2).astype(np.uint8)
    pixels[..., 3] = 255
    pixels[5, 5, 1] += colour
    pixels[5, 6, 3] = alpha
    before = io.BytesIO()
    Image.fromarray(pixels).save(before, "PNG", compress_level=1)
    text = base64.b64encode(before.getvalue()).decode()
    cell = new_code_cell(outputs=[new_output("display_data", {"image/png": text})])
    tool.tidy(new_notebook(cells=[cell]))
    png = base64.b64decode(cell.outputs[0].data["image/png"])
    after = Image.open(io.BytesIO(png))
    assert after.mode == mode
    np.testing.assert_array_equal(after.convert("RGBA"), pixels)
    assert len(png) < len(before.getvalue())


def test_what_is_folded_stays_folded(notebook):
    path = notebook("1 + 1")
    folded = nbformat.read(path, as_version=4)
    folded.cells[1].metadata["jupyter"] = {"outputs_hidden": True}
    nbformat.write(folded, path)
    tool.main([str(path)])
    saved = nbformat.read(path, as_version=4).cells[1]
    assert saved.metadata == {"jupyter": {"outputs_hidden": True}, "tags": []}
    assert saved.outputs


def test_what_varies_makes_no_change_of_its_own(notebook, capsys):
    path = notebook("import time; print(time.time())", tags=["nbval-ignore-output"])
    tool.main([str(path)])
    first = path.read_bytes()
    tool.main([str(path)])
    assert path.read_bytes() == first
    assert "unchanged" in capsys.readouterr().out
    tool.main([str(path), "--force"])
    assert path.read_bytes() != first


@pytest.mark.parametrize("tag", ["cover", "picture-varies"])
def test_a_picture_that_is_new_is_written_whatever_its_tag(notebook, tag):
    show = "from IPython.display import Image, display\ndisplay(Image(open('a.png', 'rb').read()))"
    path = notebook(show, tags=[tag])
    for colour in ("white", "black"):
        Image.new("L", (2, 2), colour).save(path.with_name("a.png"))
        tool.main([str(path)])
        (output,) = nbformat.read(path, as_version=4).cells[1].outputs
        saved = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
        assert saved.convert("L").getpixel((0, 0)) == {"white": 255, "black": 0}[colour]


def test_an_error_leaves_the_file_as_it_was(notebook, capsys):
    path = notebook("print('a')", "1 / 0")
    before = path.read_bytes()
    assert tool.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert [file.name for file in path.parent.iterdir()] == ["lesson.ipynb"]


def test_it_runs_in_the_notebooks_folder_on_the_cpu_with_all_of_mnist(notebook, monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cuda")
    monkeypatch.delenv("MNIST_SOURCE", raising=False)
    path = notebook(
        "import os\nprint(os.path.basename(os.getcwd()))\n"
        "print(os.environ['COURSE_DEVICE'], os.environ['MNIST_SOURCE'])"
    )
    tool.main([str(path)])
    printed = nbformat.read(path, 4).cells[1].outputs[0].text.split()
    assert printed == [path.parent.name, "cpu", "full"]


def test_weights_that_somebody_has_downloaded_are_not_seen(notebook, tmp_path):
    checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    path = notebook("import os, torch; print(os.path.exists(torch.hub.get_dir()))")
    assert tool.main([str(path)]) == 0
    assert nbformat.read(path, as_version=4).cells[1].outputs[0].text == "False\n"
