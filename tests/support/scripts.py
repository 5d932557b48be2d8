"""The Python files of tools/ and site/, which belong to no package."""

import importlib.util
import sys
from contextlib import contextmanager
from types import ModuleType
from unittest.mock import patch

from helpers.command.files import ROOT


def load(name):
    """A file such as "tools/constraints.py" as a module of its own."""
    path = ROOT / name
    module_name = "_".join(path.relative_to(ROOT).with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up there
    sys.path.insert(0, str(path.parent))  # as when it runs: it finds those beside it
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


SPHINX = [
    *("docutils", "docutils.nodes", "docutils.parsers", "docutils.parsers.rst"),
    *("sphinx", "sphinx.addnodes", "sphinx.domains", "sphinx.domains.std", "sphinx.errors"),
    *("sphinx.search", "sphinx.search.en", "sphinx.transforms"),
    *("sphinx.transforms.post_transforms", "sphinx.util", "sphinx.util.docutils"),
    "sphinx.util.logging",
]


class StandIn(ModuleType):
    """A module of Sphinx whose names are classes that keep what they are given, in `args`."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, type(name, (Exception,), {}))
        return getattr(self, name)


@contextmanager
def without_sphinx():
    """In the block the site's extensions can be loaded, and their plain functions called."""
    with patch.dict(sys.modules, {name: StandIn(name) for name in SPHINX}):
        for name in SPHINX:
            parent, _, last = name.rpartition(".")
            if parent:
                setattr(sys.modules[parent], last, sys.modules[name])
        yield
