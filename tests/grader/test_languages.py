"""A notebook of the Korean edition is graded as its English twin, and answered in Korean."""

import ast
import csv
import inspect
import json
import re
import shutil
import subprocess
import sys
import textwrap

import nbformat
import pytest

from grader.authoring.bank import load_bank
from grader.authoring.examine import Workbench
from grader.batch.digest import key_of
from grader.cells import kind_of, metadata_of
from grader.gradebook.feedback import make_page, update_feedback
from grader.gradebook.graded import executed_notebook, finish, parts_of_points
from grader.gradebook.master import known_cells, master_notebook
from grader.intake.parse import parse
from grader.intake.rebuild import NOTHING_ANSWERED, load_skeleton
from grader.outcomes import SENTENCES
from grader.words import Note, said
from helpers.assignment import Sheet
from helpers.command.editions import files_of
from helpers.language import speaking
from tests.support import needs
from tests.support.assignment_files import NAMES
from tests.support.lessons import ROOT

HANGUL = re.compile("[가-힣]")
RIGHT, WRONG = 1, 2  # solutions of each exercise that are graded in both languages


@pytest.fixture(scope="module")
def edition():
    """{assignment: the Korean notebook as students get it}"""
    made = {}
    for path, data in files_of("ko"):
        if path.startswith("assignments/") and path.endswith(".ipynb"):
            made[path.split("/")[1]] = data
    return made


@pytest.fixture(scope="module")
def skeletons():
    return {name: load_skeleton(name, ROOT) for name in NAMES}


class Pair:
    """An assignment's notebook in both languages, in which the same is done."""

    def __init__(self, edition, skeletons, name):
        self.skeleton = skeletons[name]
        english = (ROOT / "assignments" / name / f"{name}.ipynb").read_bytes()
        # Through the bytes, as everything that is handed in.
        self.english, self.korean = (
            nbformat.from_dict(json.loads(data)) for data in (english, edition[name])
        )
        for notebook in self.both:
            for cell in notebook.cells:
                cell.source = "".join(cell.source)

    @property
    def both(self):
        return self.english, self.korean

    def read(self):
        """What comes of both files: (cells, notes, language) of each."""
        found = []
        for notebook in self.both:
            submitted = nbformat.from_dict(parse(nbformat.writes(notebook).encode())[0])
            language = self.skeleton.language_of(submitted)
            found.append((*self.skeleton.rebuild(submitted), language))
        return found

    def stub(self, notebook, exercise):
        return next(cell for cell in notebook.cells if cell.id == exercise)


@pytest.fixture
def pair(edition, skeletons):
    return lambda name="01-convolution-by-hand": Pair(edition, skeletons, name)


def graded(cells):
    """What of the cells decides marks: all but comments, docstrings and the student's own."""
    return [
        (cell.grade_id, cell.kind, code_of(cell), cell.answered, cell.points, cell.functions)
        for cell in cells
        if cell.kind != "extra"
    ]


def code_of(cell):
    if cell.kind != "solution" or not cell.answered:
        return cell.source
    tree = ast.parse(cell.source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            del node.body[0]
    return ast.dump(tree)


def answer(variant, stub):
    """The code of a bank's solution, with the docstring that stands in this notebook."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(variant.thing)))
    node = tree.body[0]
    node.name, node.decorator_list = variant.exercise, []
    if ast.get_docstring(node):
        del node.body[0]
    given = next(n for n in ast.parse(stub).body if getattr(n, "name", "") == node.name)
    if text := ast.get_docstring(given, clean=False):
        node.body.insert(0, ast.Expr(ast.Constant(text)))
    return ast.unparse(ast.fix_missing_locations(tree))


def chosen(name):
    """Some right and some wrong solutions of each exercise of a bank."""
    by_kind = {}
    for variant in load_bank(name):
        if inspect.isfunction(variant.thing) or inspect.isclass(variant.thing):
            by_kind.setdefault((variant.exercise, variant.is_mistake), []).append(variant)
    return [
        variant
        for (_, is_mistake), variants in by_kind.items()
        for variant in variants[: WRONG if is_mistake else RIGHT]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_bank_has_the_same_marks_in_both_languages(pair, name):
    bench = Workbench(name, Sheet(**json.loads(pair(name).skeleton.editions["ko"].sheet)))
    for variant in chosen(name):
        twins = pair(name)
        for notebook in twins.both:
            cell = twins.stub(notebook, variant.exercise)
            cell.source = answer(variant, cell.source)
        (english, notes, _), (korean, same_notes, language) = twins.read()
        assert language == "ko"
        assert (notes, same_notes) == ([], [])
        assert graded(korean) == graded(english)
        code = next(cell for cell in korean if cell.grade_id == variant.exercise).source
        assert HANGUL.search(code)
        if variant.exercise.startswith("train"):
            continue  # it is the same code, and takes seconds
        space = dict(vars(sys.modules[variant.thing.__module__]))
        exec(code, space)
        with speaking("ko"):
            verdicts = bench.grade(variant.exercise, space[variant.exercise])
        assert {v.grade_id for v in verdicts if not v.passed} == variant.fails, variant.name
        if variant.is_mistake and not variant.undiagnosed:
            told = {v.diagnosis for v in verdicts if v.diagnosis}
            in_english = pair(name).skeleton.in_english
            assert {in_english(sentence, "ko") for sentence in told} == {variant.sentence}
            assert all(HANGUL.search(sentence) for sentence in told)


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_one_is_untouched(pair, name):
    (english, notes, _), (korean, same_notes, language) = pair(name).read()
    assert notes == same_notes == [NOTHING_ANSWERED]
    assert graded(korean) == graded(english)
    assert not any(cell.answered for cell in korean if cell.kind == "solution")
    assert language == "ko"
    own = [cell.source for cell in korean if cell.kind == "extra"]
    assert any(map(HANGUL.search, own))


def of_notebook(notebook):
    """What another front end forgets of the notebook as a whole."""
    notebook.metadata = {"colab": {"provenance": []}}


def of_cells(notebook):
    """And of its cells."""
    of_notebook(notebook)
    for number, cell in enumerate(notebook.cells):
        cell.metadata, cell.id = {}, f"other-{number}"


@pytest.mark.parametrize("forget", [of_notebook, of_cells])
def test_metadata_that_is_lost_on_the_way_costs_nothing(pair, forget):
    twins = pair()
    for notebook in twins.both:
        cell = twins.stub(notebook, "correlate2d")
        cell.source = cell.source.replace("raise NotImplementedError", "return image")
        forget(notebook)
    (english, notes, first), (korean, same_notes, second) = twins.read()
    assert (first, second) == ("en", "ko")
    assert notes == same_notes
    assert not any("edited" in note for note in notes)
    assert graded(korean) == graded(english)


@pytest.mark.parametrize("first", ["en", "ko"])
def test_cells_of_the_other_language_are_no_work_of_the_students(pair, first):
    twins = pair()
    notebook, other = twins.both if first == "en" else reversed(twins.both)
    before = twins.read()[0][0]
    for place, cell in enumerate(other.cells):
        if place % 3 == 0 or cell.id == "correlate2d":
            notebook.cells[place] = cell
    cells, notes, language = twins.read()[0 if first == "en" else 1]
    assert language == first
    assert notes == [NOTHING_ANSWERED]
    assert graded(cells) == graded(before)


def test_a_notebook_with_few_cells_of_its_own_language_is_in_the_other(pair):
    twins = pair()
    del twins.english.cells[3:]
    twins.english.cells += twins.korean.cells[3:]
    assert twins.read()[0][2] == "ko"


def test_a_class_with_english_notebooks_makes_no_translation(pair, monkeypatch):
    twins = pair()
    skeleton = load_skeleton("01-convolution-by-hand", ROOT)

    class Untouched:
        def __getattr__(self, name):
            raise AssertionError(f"{name} was asked for")

    skeleton.editions = {"ko": Untouched()}
    twins.skeleton, twins.korean = skeleton, twins.english
    cell = twins.stub(twins.english, "correlate2d")
    cell.source = cell.source.replace("raise NotImplementedError", "return image")
    twins.english.cells.append(nbformat.v4.new_code_cell("print(1)"))
    _, notes, language = twins.read()[0]
    assert (notes, language) == ([], "en")
    cell.source += "  # 내 답"
    with pytest.raises(AssertionError, match="was asked for"):
        twins.read()


@pytest.mark.parametrize(
    "named", ["KO", "ko ", "../ko", "fr", "", ["ko"], {"ko": 1}, 5, None, "k" * 10**5, "en"]
)
def test_a_notebook_names_a_known_language_or_none(pair, named):
    twins = pair()
    twins.english.metadata["course"] = {"language": named}
    assert twins.read()[0][2] == "en"
    twins.english.metadata["course"] = named
    assert twins.read()[0][2] == "en"
    twins.english.metadata["course"] = {"language": "ko"}
    assert twins.read()[0][2] == "ko"


def test_a_language_that_is_named_counts_exactly(pair):
    """Not only what `parse` lets through is looked at with care."""
    skeleton = pair().skeleton
    for named in ("KO", ["ko"], {"ko": 1}, 5, None):
        assert skeleton.language_of(nbformat.v4.new_notebook(metadata={"course": named})) == "en"
        about = {"course": {"language": named}}
        assert skeleton.language_of(nbformat.v4.new_notebook(metadata=about)) == "en"
