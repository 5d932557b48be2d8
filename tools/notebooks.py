"""Run notebooks from top to bottom and save them with their outputs: `make notebooks`.

Outputs are made on the CPU, with the full MNIST (set MNIST_ROOT, or have it in the course's
cache), and without the trained weights that lesson 07 downloads for those who ask. A notebook is
written only if something that is compared has changed: a cell, or an output without the tag
nbval-ignore-output. So times and progress bars make no changes of their own.
"""

import argparse
import base64
import copy
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbval.plugin import coalesce_streams
from PIL import Image

from helpers.command.files import ROOT, lessons, replacing
from helpers.command.left_out import CELL_METADATA, METADATA


def main(argv=None):
    parser = argparse.ArgumentParser(prog="course notebooks", description=__doc__.splitlines()[0])
    parser.add_argument(
        "paths", nargs="*", type=Path, help="notebooks, or numbers of lessons; by default all"
    )
    parser.add_argument("--force", action="store_true", help="write also what has not changed")
    parser.add_argument(
        "--timeout", type=int, default=900, metavar="S", help="seconds for one cell"
    )
    args = parser.parse_args(argv)
    every = lessons(ROOT)
    for place, path in enumerate(args.paths):
        found = [path] if path.is_file() else [p for p in every if p.name.startswith(f"{path}-")]
        if len(found) != 1:
            parser.error(f"no lesson {path}; there are {', '.join(p.stem for p in every)}")
        args.paths[place] = found[0]
    os.environ.setdefault("MNIST_SOURCE", "full")
    os.environ["COURSE_DEVICE"] = "cpu"
    if "MNIST_ROOT" in os.environ:
        # Kernels start in the folder of their notebook.
        os.environ["MNIST_ROOT"] = os.path.abspath(os.environ["MNIST_ROOT"])
    with tempfile.TemporaryDirectory() as empty:
        os.environ["TORCH_HOME"] = empty
        return run_all(args)


def run_all(args):
    failed = 0
    for path in args.paths or lessons(ROOT):
        start = time.perf_counter()
        print(f"{path.name}: ", end="", flush=True)
        try:
            result = run_and_save(path, args.timeout, args.force)
        except (CellControlSignal, DeadKernelError) as error:
            failed += 1
            result = f"failed, the file is as it was\n{error}"
        print(f"{result} ({time.perf_counter() - start:.0f} s)")
    return 1 if failed else 0


def run_and_save(path, timeout, force=False):
    """Execute one notebook; returns "saved" or "unchanged". The file is replaced as a whole."""
    before = nbformat.read(path, as_version=4)
    notebook = copy.deepcopy(before)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
    )
    client.execute()
    tidy(notebook)
    if not force and compared(notebook) == compared(before):
        return "unchanged"
    write_cover(notebook, path)
    with replacing(path) as part:
        nbformat.write(notebook, part)
    return "saved"


def write_cover(notebook, path):
    """The picture of the cell tagged "cover" goes beside the notebook, for the index pages."""
    for cell in notebook.cells:
        if "cover" in cell.metadata.get("tags", []):
            pictures = [
                o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})
            ]
            cover = path.parent / "covers" / f"{path.stem}.png"
            cover.parent.mkdir(exist_ok=True)
            cover.write_bytes(base64.b64decode(pictures[0]))


def slim(png):
    """The same picture in fewer bytes: without alpha where nothing shines through, grey as grey."""
    picture = Image.open(io.BytesIO(png))
    if picture.mode == "RGBA" and picture.getextrema()[3] == (255, 255):
        picture = picture.convert("RGB")
        red, green, blue = picture.split()
        if red.tobytes() == green.tobytes() == blue.tobytes():
            picture = red
    smaller = io.BytesIO()
    picture.save(smaller, "PNG", optimize=True)
    return min(png, smaller.getvalue(), key=len)


def tidy(notebook):
    """Leave in the file only what a reader or the tests need, in one form."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in sorted(cell.metadata) if key in CELL_METADATA}
        )
        if cell.cell_type == "code":
            cell.outputs = coalesce_streams(cell.outputs)
            for output in cell.outputs:
                if text := output.get("data", {}).get("image/png"):
                    png = slim(base64.b64decode(text))
                    output.data["image/png"] = base64.b64encode(png).decode()


def compared(notebook):
    """Everything of a notebook that must not change unseen."""
    cells = []
    for cell in notebook.cells:
        entry = dict(cell)
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            entry.pop("outputs")
        cells.append(entry)
    return cells, notebook.metadata, notebook.nbformat_minor


if __name__ == "__main__":
    sys.exit(main())
