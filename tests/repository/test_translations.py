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


def names_in(folder):
    """The names of a language's catalogues, as they are there."""
    return {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.po")}


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        pytest.param(folder, name, id=f"{folder.name}-{name}")
        for folder in FOLDERS
        for name in sorted(names_in(folder))
    ],
)
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
def test_each_text_has_its_catalogue_and_no_other_is_there(folder):
    assert names_in(folder) == set(texts())
    assert all(path.suffix == ".po" for path in folder.rglob("*.*"))
