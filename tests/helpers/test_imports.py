"""What importing the helpers costs: nothing beyond torch until a figure or torchvision is used."""

import pkgutil
import subprocess
import sys

import pytest

import helpers
from helpers import language
from helpers.shapes import conv_output_size

HEAVY = {"matplotlib", "torchvision", "PIL", "torchinfo", "IPython"}


def loaded_after(code):
    """Top-level packages that a fresh Python has loaded after running `code`."""
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


def test_import_helpers_alone_loads_nothing_heavy():
    assert not (HEAVY | {"torch", "numpy"}) & loaded_after("import helpers")


def test_importing_every_module_leaves_out_what_is_heavy():
    modules = [module.name for module in pkgutil.walk_packages(helpers.__path__, "helpers.")]
    assert "helpers.plots.pictures" in modules
    loaded = loaded_after("import " + ", ".join(modules))
    assert "torch" in loaded
    assert not HEAVY & loaded


def test_modules_load_when_first_used():
    code = "import helpers\nassert 'helpers.shapes' in map('helpers.{}'.format, dir(helpers))\n"
    assert "helpers" in loaded_after(code + "helpers.shapes.conv_output_size(7, 3)")


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(helpers, "shape")


def test_a_message_in_english_reads_no_catalogue(monkeypatch):
    language.catalogue.cache_clear()
    monkeypatch.setattr(language, "_entries", lambda text: 1 / 0)
    with language.speaking("en"), pytest.raises(ValueError, match="the kernel does not fit"):
        conv_output_size(3, kernel_size=5)
    with language.speaking("ko"), pytest.raises(ZeroDivisionError):
        conv_output_size(3, kernel_size=5)
