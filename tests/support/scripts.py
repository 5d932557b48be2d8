"""The Python files of tools/ and site/, which belong to no package."""

import importlib.util
import sys

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
