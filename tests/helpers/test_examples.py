"""The examples in the docstrings give what stands below them."""

import doctest
import importlib
import re

import pytest

from helpers.command.files import ROOT

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "helpers").rglob("*.py"))
    if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed


def test_the_modules_that_show_their_use_by_examples_are_found():
    found = {name.split(".")[1] for name in MODULES}
    assert {"checks", "data", "device", "ops", "pieces", "shapes"} <= found
