"""A small repository whose package needs nothing, to try tools/install.py in."""

import importlib.util
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "small"
version = "1.0"
requires-python = ">=3.11,<3.14"

[project.optional-dependencies]
dev = []
e2e = []
"""
# A build backend that needs no package and no network (PEP 517 and PEP 660).
BACKEND = '''\
import zipfile

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
        wheel.writestr("small.py", "")
        wheel.writestr("small-1.0.dist-info/METADATA", METADATA)
        wheel.writestr("small-1.0.dist-info/WHEEL", WHEEL)
        wheel.writestr("small-1.0.dist-info/RECORD", "")
    return name
'''


def load(name):
    """A script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose package needs nothing."""
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "a repository"
    (root / "tools").mkdir(parents=True)
    for name in ("install.py", "environment.py"):
        shutil.copy(ROOT / "tools" / name, root / "tools")
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "backend.py").write_text(BACKEND)
    (root / "constraints.txt").write_text("")
    return root
