"""A notebook of the Korean edition is graded as its English twin, and answered in Korean."""

import ast
import csv
import inspect
import json
import pickle
import re
import shutil
import subprocess
import sys
import textwrap
from functools import partial
from html import unescape

import nbformat
import pytest

from grader.authoring.bank import load_bank
from grader.authoring.examine import Workbench
from grader.batch.digest import key_of
from grader.batch.likeness import forms_of
from grader.cells import kind_of
from grader.gradebook.book import Book
from grader.gradebook.feedback import TOO_LONG, update_feedback
from grader.gradebook.graded import finish
from grader.intake.collect import collect
from grader.intake.parse import parse
from grader.intake.rebuild import NOTHING_ANSWERED, load_skeleton
from grader.judging import job
from grader.judging.failures import NotJudged, message_of
from grader.judging.policy import Policy
from grader.outcomes import SENTENCES
from grader.words import CATALOGUE, SAID_IN_TESTS, Note, said
from helpers.assignment import Sheet
from helpers.assignment.notebook_file import Unreadable
from helpers.command.editions import files_of
from helpers.language import gettext, speaking
from tests.grader.attacks import trial
from tests.support import needs
from tests.support.assignment_files import NAMES
from tests.support.lessons import ROOT
from tools.translate.sources import feedback_messages

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
        assert forms_of(korean) == forms_of(english)  # by which copied answers are noticed
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


# --- a class ------------------------------------------------------------------------------------

NAME = "01-convolution-by-hand"
# What a Korean student reads in the place of what an English one reads.
WORDS = {"Your answer": "제출한 답", "Not passed": "실패", "What was asked": "문제 보기"}
FLIPPED = """\
def correlate2d(image, kernel):
    rows, columns = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            out[i, j] = (window * kernel[::-1, ::-1]).sum()
    return out"""
SPEAKS = 'from helpers.language import spoken\nprint("here they speak", spoken())'


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, edition, skeletons):
    """A course in which a class was graded whose notebooks are in two languages."""
    needs.sandbox()
    root = tmp_path_factory.mktemp("mixed")
    for part in ("solutions", "assignments"):
        shutil.copytree(ROOT / part / NAME, root / part / NAME)
    for part in ("notebooks", "translations"):
        (root / part).symlink_to(ROOT / part)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    solved = {
        key: cell for key, cell in skeletons[NAME].known.items() if kind_of(cell) == "solution"
    }
    for language, place in (("en", 0), ("ko", 1)):
        for student in ("right", "wrong", "untouched", "lost"):
            notebook = Pair(edition, skeletons, NAME).both[place]
            for cell in notebook.cells:
                if cell.id in solved and student != "untouched":
                    cell.source = solved[cell.id].source
                if cell.id == "correlate2d" and student == "wrong":
                    cell.source = FLIPPED
            if student == "wrong":
                notebook.cells.append(nbformat.v4.new_code_cell(SPEAKS))
            if student == "lost":
                of_cells(notebook)
            path = root / "batch" / f"{student}_{language}.ipynb"
            path.parent.mkdir(exist_ok=True)
            nbformat.write(notebook, path)
    command = [sys.executable, "-m", "grader.command.grade", NAME, str(root / "batch")]
    done = subprocess.run(
        [*command, "--root", str(root), "--workers", "1"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return root, done.stdout


def page(root, student):
    return (root / "grading/feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")


@pytest.mark.sandbox
def test_a_mixed_class_has_equal_marks(mixed):
    root, said_to_instructor = mixed
    with (root / "grading" / NAME / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = {row.pop("student"): row for row in csv.DictReader(file)}
    for row in rows.values():
        del row["seconds"]
    for student in ("right", "wrong", "untouched", "lost"):
        assert rows[f"{student}_ko"] == rows[f"{student}_en"], student
    assert rows["right_ko"]["total"] == rows["right_ko"]["max_score"] == rows["lost_ko"]["total"]
    assert 0 < float(rows["wrong_ko"]["total"]) < float(rows["right_ko"]["total"])
    assert float(rows["untouched_ko"]["total"]) == 0
    assert not HANGUL.search(said_to_instructor)
    records = [
        json.loads(line)
        for line in (root / "grading" / NAME / "records.jsonl").read_text().splitlines()
    ]
    by_student = {record["student"]: record for record in records}
    for student in ("right", "wrong", "untouched", "lost"):
        one, other = by_student[f"{student}_en"], by_student[f"{student}_ko"]
        assert one["notes"] == other["notes"]
        assert one["diagnoses"] == other["diagnoses"]


@pytest.mark.sandbox
def test_each_page_is_in_the_language_of_its_notebook(mixed, skeletons, edition):
    root, _ = mixed
    mistake = next(variant for variant in load_bank(NAME) if variant.name == "kernel_flipped")
    english, korean = page(root, "wrong_en"), page(root, "wrong_ko")
    assert '<html lang="en">' in english
    assert '<html lang="ko">' in korean
    assert not HANGUL.search(english)
    for one, other in WORDS.items():
        assert one in english
        assert one not in korean
        assert other in korean
    assert "here they speak en" in english
    assert "here they speak ko" in korean
    skeleton = skeletons[NAME]
    told = skeleton.editions["ko"].in_english
    (sentence,) = [text for text, in_english in told.items() if in_english == mistake.sentence]
    assert flat(mistake.sentence) in flat(english)
    assert flat(sentence) in flat(korean)
    claims = [
        skeleton.known[test].source.partition("\n")[0].strip("# ") for test in skeleton.test_ids
    ]
    assert [claim for claim in claims if claim in flat(english)] == claims
    assert [claim for claim in claims if claim in flat(korean)] == []
    assert NOTHING_ANSWERED.in_language("ko") in flat(page(root, "untouched_ko"))
    stub = Pair(edition, skeletons, NAME).stub(Pair(edition, skeletons, NAME).korean, "correlate2d")
    assert ast.get_docstring(ast.parse(stub.source).body[0])[:20] in page(root, "untouched_ko")


def flat(html):
    """A page's text on one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


@pytest.mark.sandbox
def test_a_page_follows_the_catalogues_of_its_own_language(mixed):
    root, _ = mixed
    with Book(root, NAME) as book:
        students = ("wrong_en", "wrong_ko")
        assert [update_feedback(book, student) for student in students] == [False, False]
        (root / "translations").unlink()
        shutil.copytree(ROOT / "translations", root / "translations")
        try:
            for name in (CATALOGUE, f"assignments/{NAME}"):
                with (root / "translations/ko" / f"{name}.po").open("a", encoding="utf-8") as file:
                    file.write("\n# read again\n")
                assert [update_feedback(book, student) for student in students] == [False, True]
        finally:
            shutil.rmtree(root / "translations")
            (root / "translations").symlink_to(ROOT / "translations")


@pytest.mark.sandbox
def test_the_graded_notebook_and_what_nbgrader_grades_again_keep_the_language(mixed, skeletons):
    root, _ = mixed
    for kind in ("submitted", "autograded"):
        for language in ("en", "ko"):
            path = root / "grading" / kind / f"lost_{language}" / NAME / f"{NAME}.ipynb"
            notebook = nbformat.from_dict(parse(path.read_bytes())[0])
            assert skeletons[NAME].language_of(notebook) == language
    # Its cells are the instructor's, who reads English.
    cells = {cell.id: cell.source for cell in notebook.cells}
    assert {key: cells[key] for key in skeletons[NAME].test_ids} == {
        key: skeletons[NAME].known[key].source for key in skeletons[NAME].test_ids
    }


# --- what a result and a page depend on ---------------------------------------------------------


@pytest.mark.parametrize("name", SAID_IN_TESTS)
def test_a_result_in_a_language_depends_on_what_is_said_in_it(tmp_path, name):
    for folder in ("grader", "helpers", "translations"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    cell = {"cell_type": "code", "source": "x = 1"}
    jobs = [
        {"assignment": "a", "language": language, "cells": [cell], "policy": {}, "files": {}}
        for language in ("en", "ko")
    ]
    before = [key_of(job, tmp_path) for job in jobs]
    assert len(set(before)) == 2
    with (tmp_path / "translations/ko" / f"{name}.po").open("a", encoding="utf-8") as file:
        file.write("\n# read again\n")
    after = [key_of(job, tmp_path) for job in jobs]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]


def test_a_note_is_english_for_whoever_grades_and_korean_for_a_korean():
    note = Note("{cell}: {count} copies of the cell", cell="{braces}", count=2)
    assert note == "{braces}: 2 copies of the cell"
    again = pickle.loads(pickle.dumps(note))
    assert (again, again.in_language("ko")) == (note, note.in_language("ko"))
    assert note.in_language("en") == note
    assert "{braces}" in note.in_language("ko")
    assert HANGUL.search(note.in_language("ko"))


def test_what_the_grader_says_is_found_for_its_catalogue():
    """In each way in which it can stand in the code; and all of it is Korean there."""
    texts = {message.text for message in feedback_messages(ROOT / "grader")}
    assert {text for pair in SENTENCES.values() for text in pair if text} <= texts
    notes = {str(NOTHING_ANSWERED), str(TOO_LONG), "{cell}: {count} copies of the cell"}
    in_calls = {
        "This does not hold: {line}",
        "[a line of a hidden test]",
        "**About this submission**",
    }
    assert notes | in_calls | set(WORDS) | {"No response."} <= texts
    assert [text for text in texts if not HANGUL.search(said(text, "ko"))] == []


@pytest.mark.parametrize("outcome", [outcome for outcome, says in SENTENCES.items() if any(says)])
def test_what_becomes_of_a_notebook_is_said_in_its_language(outcome):
    metadata = {"course": {"language": "ko"}}
    tests = {"a": {"score": 1.0, "max_score": 2.0}}
    note = Note("{cell}: the cell was missing; it was put back", cell="a")
    made = finish(
        {"cells": [], "metadata": metadata}, {}, {"outcome": outcome, "tests": tests}, [note]
    )
    lines = made["cells"][0]["source"].splitlines()
    assert all(map(HANGUL.search, filter(None, lines))), lines
    assert len(lines) == 2 + bool(SENTENCES[outcome].in_notes) + 1 + 1
    failure = NotJudged(SENTENCES[outcome].in_cell or "The test fails.")
    with speaking("ko"):
        assert HANGUL.search(message_of(failure))
    assert str(failure) == message_of(failure)


def test_whoever_grades_reads_english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    with pytest.raises(Unreadable, match="the file is empty"):
        parse(b"")


@pytest.mark.sandbox
def test_whoever_judges_speaks_the_language_of_the_job(monkeypatch):
    needs.sandbox()
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")  # the instructor's own is no student's
    cells = [
        {"kind": "extra", "source": f"def f():\n    return 1\n\n\n{SPEAKS}", "grade_id": None},
        {"kind": "test", "source": "assert f() == 2", "grade_id": "first"},
        {"kind": "test", "source": "assert f() == 1", "grade_id": "second"},
        {"kind": "extra", "source": "while True:\n    pass", "grade_id": None},
    ]
    more = {"cell_type": "code", "points": 1.0, "functions": ("f",)}
    data = {"assignment": "t", "cells": [{**more, **cell} for cell in cells], "files": {}}
    data |= {"policy": Policy(cell_seconds=1.0).to_dict(), "class_seed": "c", "seed": "s"}
    server = trial.light_server()
    monkeypatch.setattr(job, "server", lambda *rules: server)
    try:
        for language in ("en", "ko"):
            result = json.loads(job.execute(json.dumps({**data, "language": language})))
            shown = [json.dumps(outputs, ensure_ascii=False) for outputs, _ in result["outputs"]]
            assert f"here they speak {language}" in shown[0]
            with speaking(language):
                assert said("This does not hold: {line}").format(line="assert f() == 2") in shown[1]
                assert gettext("✓ passed") in shown[2]
                assert said(SENTENCES["cell timeout"].in_cell) in shown[3]
            assert bool(HANGUL.search("".join(shown))) is (language == "ko")
    finally:
        server.close()


@pytest.mark.parametrize("first", ["en", "ko"])
def test_of_a_whole_course_that_is_handed_in_the_notebook_with_answers_counts(
    pair, tmp_path, first
):
    """In the folder of a student who works in Korean, the English notebook lies beside."""
    twins = pair()
    answered, untouched = twins.both if first == "en" else reversed(twins.both)
    cell = twins.stub(answered, "correlate2d")
    cell.source = cell.source.replace("raise NotImplementedError", "return image")
    for folder, notebook in (("one", answered), ("other", untouched)):
        path = tmp_path / "kim" / folder / "assignments" / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    (submission,) = collect(tmp_path, NAME).submissions
    read = partial(submission.read, NAME, twins.skeleton.known)
    reading = read(is_untouched=twins.skeleton.is_untouched)
    assert twins.skeleton.language_of(reading.notebook) == first
    assert any("one/" in note and "other/" in note for note in reading.notes)
    with pytest.raises(Unreadable, match="no telling which"):
        read(is_untouched=lambda notebook: False)
