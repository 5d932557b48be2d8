"""A small repository whose package needs nothing, to try the course's set-up in."""

import re
import shutil

import pytest

import course
from helpers.command.files import ROOT

VERSIONS = ["{}.{}".format(*version) for version in course.supported_versions()]
REQUIRES = re.search(
    r"^requires-python = .*$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
)[0]
PYPROJECT = f"""\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "small"
version = "1.0"
{REQUIRES}
dependencies = ["pip"]

[project.scripts]
course = "course:main"

[project.optional-dependencies]
dev = []
e2e = []
"""
# A build backend that needs no package and no network (PEP 517 and PEP 660). Its package brings
# what set-up looks for at the end, and a link to the folder.
BACKEND = '''\
import pathlib, zipfile

WHEEL = """Wheel-Version: 1.0
Generator: small
Root-Is-Purelib: true
Tag: py3-none-any
"""
METADATA = """Metadata-Version: 2.1
Name: small
Version: 1.0
Provides-Extra: dev
Provides-Extra: e2e
"""


def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        for module in ("jupyterlab", "torch", "matplotlib/__init__", "matplotlib/font_manager"):
            wheel.writestr(module + ".py", "")
        folder = ascii(str(pathlib.Path(".").resolve()))  # as in setuptools' links
        wheel.writestr("small.pth", "import sys; sys.path.append(" + folder + ")")
        wheel.writestr("small-1.0.dist-info/METADATA", METADATA)
        wheel.writestr("small-1.0.dist-info/WHEEL", WHEEL)
        wheel.writestr(
            "small-1.0.dist-info/entry_points.txt", "[console_scripts]\\ncourse = course:main\\n"
        )
        wheel.writestr("small-1.0.dist-info/RECORD", "")
    return name
'''


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose package needs nothing, with the course's command line in it."""
    for name in ("COURSE_TORCH", "COURSE_INSTALLER", "PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return make_repository(tmp_path / "a repository")


def make_repository(root):
    """Write the repository into a new folder; returns the folder."""
    root.mkdir(parents=True)
    shutil.copy(ROOT / "course.py", root)
    (root / "helpers").mkdir()
    for name in ("__init__.py", "language.py"):
        shutil.copy(ROOT / "helpers" / name, root / "helpers")
    shutil.copytree(
        ROOT / "helpers/command",
        root / "helpers/command",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "backend.py").write_text(BACKEND)
    (root / "constraints.txt").write_text("")
    (root / "environment.yml").write_text("name: small-course\n")
    return root
