"""A small course to type in: three notebooks, as a release's folder or as a git clone."""

import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.command.left_out import METADATA
from helpers.command.manifest import write_manifest

LESSON = "notebooks/05-mnist-net.ipynb"
OTHER = "notebooks/07-alexnet.ipynb"
ASSIGNMENT = "assignments/05-mnist-net/05-mnist-net.ipynb"


def notebook(text):
    """A notebook as `make notebooks` saves it, its text in the first cell."""
    printed = new_output("stream", name="stdout", text="1\n")
    code = new_code_cell("print(1)", outputs=[printed], execution_count=1, id="one")
    return new_notebook(cells=[new_markdown_cell(text, id="title"), code], metadata=METADATA)


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".ipynb"):
        nbformat.write(notebook(text), path)
    else:
        path.write_text(text, encoding="utf-8")


def make_course(root, version="1.0"):
    """Write the course's files into a folder."""
    for name in (LESSON, OTHER, ASSIGNMENT):
        write(root, name, f"# {name}")
    write(root, "pyproject.toml", f'[project]\nname = "small"\nversion = "{version}"\n')
    write(root, "helpers/one.py", "ONE = 1\n")
    write(root, "helpers/old.py", "OLD = 1\n")


def type_in(path, text="my own words", save=True):
    """Change a notebook as a reader does in JupyterLab; without `save` as the course saves."""
    changed = nbformat.read(path, as_version=4)
    changed.cells[0].source += f"\n\n{text}"
    if save:
        changed.metadata.language_info["version"] = "3.11.2"
        changed.cells[1].execution_count = 7
    nbformat.write(changed, path)


def run_only(path):
    """Save a notebook as JupyterLab does after running it: its cells are the same."""
    ran = nbformat.read(path, as_version=4)
    ran.metadata.language_info["version"] = "3.11.2"
    ran.cells[1].outputs[0].text = "2\n"
    nbformat.write(ran, path)


def git(root, *arguments):
    """Run git as somebody with a name; returns what it prints."""
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout


def commit(root, message="change"):
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", message)


@pytest.fixture
def unzipped(tmp_path):
    """The folder of a release."""
    root = tmp_path / "course"
    make_course(root)
    write_manifest(root)
    return root


@pytest.fixture
def author(tmp_path):
    """The repository of whoever makes the course, with a bare one to push to."""
    bare, root = tmp_path / "server.git", tmp_path / "author"
    git(tmp_path, "init", "--quiet", "--bare", "-b", "main", str(bare))
    git(tmp_path, "init", "--quiet", "-b", "main", str(root))
    make_course(root)
    write(root, ".gitignore", "* (mine, *)*\n/grading/\n")
    commit(root)
    git(root, "remote", "add", "origin", str(bare))
    git(root, "push", "--quiet", "-u", "origin", "main")
    return root


@pytest.fixture
def clone(author):
    """A reader's clone of it."""
    root = author.parent / "clone"
    git(author.parent, "clone", "--quiet", str(author.parent / "server.git"), str(root))
    git(root, "config", "commit.gpgsign", "false")
    return root


def everything(root):
    """{path: content} of a folder, without git's own."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in Path(root).rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }
