"""The translations say what the English texts say today: none is missing, stale or damaged."""

from functools import cache

import pytest

from helpers.command.files import ROOT
from helpers.language import languages
from tools.translate import catalogue
from tools.translate.compare import problems
from tools.translate.sources import catalogues

FOLDERS = [ROOT / "translations" / language for language in languages()[1:]]


@cache
def texts():
    return catalogues()


@pytest.mark.parametrize("name", texts())
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_catalogue_is_complete_and_right(folder, name):
    old = catalogue.read(folder / f"{name}.po")
    new = catalogue.update(old, texts()[name], folder.name, {})
    found = [
        f"{entry.msgctxt or ''}: {entry.msgid[:70]!r}: {sentence}"
        for entry in new
        for _, sentence in problems(entry)
    ]
    assert not found, "\n".join(["`course translate --problems` shows these:", *found[:30]])
    assert str(new) == str(old), "course translate writes it as it should be"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_there_is_no_catalogue_of_a_text_that_is_gone(folder):
    found = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.po")}
    assert found == set(texts())
    assert all(path.suffix == ".po" for path in folder.rglob("*.*"))
