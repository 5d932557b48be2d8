"""`course assignments` makes what has changed, and nothing else; skipping wrongly is the worst."""

import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader import imports
from grader.authoring import record, release
from grader.authoring.record import Record, digest_of_source
from grader.authoring.table import TABLE_NAME, mistakes_table, read_table
from tests.support.lessons import ROOT

ONE, TWO = "01-one", "02-two"
SETUP = "from helpers import ops\nfrom helpers.assignment import Checker\n\ncheck = Checker({!r})"
SOLUTION = """\
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION"""
TEST = """\
# It doubles.
check("double", 3).gives(6)
### BEGIN HIDDEN TESTS
from grader.judging import pairs
check.hidden("double", 4).gives(8)
### END HIDDEN TESTS"""
BANK = """\
from grader.authoring.bank import correct, mistake
from helpers import shapes


@mistake("It is three times as large.", fails={{"double_twice"}})
def {name}(x):
    return 3 * x
"""


def cell(made, grade_id, points=None, solution=False):
    is_test = points is not None
    made.metadata["nbgrader"] = {
        "grade": is_test,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
        **({"points": points} if is_test else {}),
    }
    made["id"] = grade_id
    return made


def write(root, name):
    """Write the source of a small assignment, and its bank."""
    cells = [
        cell(new_markdown_cell(f"# {name}"), "title"),
        cell(new_code_cell(SETUP.format(name)), "setup"),
        cell(new_code_cell(SOLUTION), "double", solution=True),
        cell(new_code_cell(TEST), "double_twice", 2),
    ]
    folder = root / "solutions" / name
    (folder / "bank").mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")
    (folder / "bank" / "double.py").write_text(BANK.format(name="tripled"), encoding="utf-8")
    (folder / "data.csv").write_text("1,2\n")


@pytest.fixture
def course(tmp_path):
    """A folder with two small assignments, nothing made."""
    for name in (ONE, TWO):
        write(tmp_path, name)
    return tmp_path


def make(course, *names, **options):
    said = []
    made = release.make_assignments(names, course, said.append, **options)
    return made, "\n".join(said)


def append(path, text="\n# changed\n"):
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.fixture
def code(course, monkeypatch):
    """The course's code as a copy, so that it can be changed."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("grader", "helpers"):
        shutil.copytree(ROOT / name, course / name, ignore=ignore)
    shutil.copy(ROOT / record.CONFIG, course / record.CONFIG)
    monkeypatch.setattr(imports, "ROOT", course)
    return course


def digest(course):
    imports.forget()
    return digest_of_source(ONE, course)


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("solutions/01-one/bank/double.py", True),
        ("solutions/01-one/data.csv", True),
        ("helpers/assignment/checker.py", True),
        ("helpers/checks.py", True),
        ("helpers/ops/pooling.py", True),  # the source imports all of ops
        ("helpers/shapes.py", True),  # the bank imports it
        ("helpers/_arguments.py", True),  # which these import
        ("grader/judging/pairs.py", True),  # a hidden test imports it
        ("grader/authoring/examine.py", True),
        ("grader/authoring/release.py", True),
        ("grader/authoring/table.py", True),
        ("grader/authoring/record.py", True),
        ("grader/cells.py", True),
        ("nbgrader_config.py", True),
        ("helpers/plots/charts.py", False),
        ("helpers/training.py", False),
        ("grader/batch/report.py", False),
        ("solutions/02-two/bank/double.py", False),
    ],
)
def test_what_an_assignment_is_made_from(code, name, matters):
    before = digest(code)
    assert digest(code) == before
    append(code / name)
    assert (digest(code) != before) is matters


def test_every_cell_of_the_source_matters(code):
    path = code / "solutions" / ONE / f"{ONE}.ipynb"
    source = nbformat.read(path, as_version=4)
    seen = {digest(code)}
    for number in range(len(source.cells)):
        changed = nbformat.from_dict(source)
        changed.cells[number].source += "\n# changed"
        nbformat.write(changed, path)
        seen.add(digest(code))
    assert len(seen) == len(source.cells) + 1


def test_a_file_more_or_less_in_the_bank_matters(code):
    before = digest(code)
    bank = code / "solutions" / ONE / "bank"
    shutil.copy(bank / "double.py", bank / "halve.py")
    assert digest(code) != before
    (bank / "halve.py").unlink()
    assert digest(code) == before
    (bank / "double.py").unlink()
    assert digest(code) != before


def test_an_import_more_matters(code):
    """Then what it leads to does, too."""
    digest(code)  # what the files import is known by now
    append(code / "helpers/shapes.py", "\n\ndef late():\n    from helpers import training\n")
    before = digest(code)
    append(code / "helpers/training.py")
    assert digest(code) != before


@pytest.mark.parametrize("setting", ["MNIST_SOURCE", "MNIST_ROOT", "COURSE_DEVICE"])
def test_the_courses_settings_matter(code, monkeypatch, setting):
    before = digest(code)
    monkeypatch.setenv(setting, "another")
    assert digest(code) != before


def test_the_versions_matter(code, monkeypatch):
    before = digest(code)
    monkeypatch.setattr(record, "versions", lambda: ["numpy 0.1"])
    other = digest(code)
    monkeypatch.setattr("sys.version", "3.99")
    assert len({before, other, digest(code)}) == 3


def test_what_is_made_or_kept_beside_the_source_does_not_matter(code):
    before = digest(code)
    folder = code / "solutions" / ONE
    (folder / "checks.json").write_text("{}")
    (folder / f"{ONE} (mine, 2026-11-28 14.05).ipynb").write_text("{}")
    for name in ("__pycache__", ".ipynb_checkpoints"):
        (folder / name).mkdir()
        (folder / name / "a.py").write_text("1")
    assert digest(code) == before


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """Both assignments made, by two processes; what was said, and the folder."""
    root = tmp_path_factory.mktemp("course")
    for name in (ONE, TWO):
        write(root, name)
    made, said = make(root)
    assert made == [ONE, TWO]
    return root, said


@pytest.fixture
def made(made_once, tmp_path):
    root = tmp_path / "made"
    shutil.copytree(made_once[0], root)
    return root


def test_both_are_made(made_once):
    root, said = made_once
    for name in (ONE, TWO):
        assert f"{name}: 1 known mistakes, 1 told by name" in said
        released = (root / "assignments" / name / f"{name}.ipynb").read_text(encoding="utf-8")
        assert "BEGIN" not in released
    parts = read_table(root / "solutions")
    assert list(parts) == [ONE, TWO]
    assert [row["mistake"] for part in parts.values() for row in part.rows] == ["tripled"] * 2


def test_nothing_is_made_twice(made, monkeypatch):
    monkeypatch.setattr(release, "grade_bank", None)
    monkeypatch.setattr(release, "generate", None)
    assert make(made) == (
        [],
        "Nothing has changed in 01-one, 02-two: left as they are (--force: made anew).",
    )


def test_only_what_has_changed_is_made_and_the_table_stays_whole(made, monkeypatch):
    monkeypatch.setenv("PATH", "")  # nbgrader is kept from starting a program for a new database
    bank = made / "solutions" / TWO / "bank" / "double.py"
    bank.write_text(BANK.format(name="thrice"), encoding="utf-8")
    before = (made / "assignments" / ONE / f"{ONE}.ipynb").stat().st_mtime_ns
    again, said = make(made)
    assert again == [TWO]
    assert "Nothing has changed in 01-one:" in said
    assert (made / "assignments" / ONE / f"{ONE}.ipynb").stat().st_mtime_ns == before
    page = (made / "solutions" / f"{TABLE_NAME}.md").read_text(encoding="utf-8")
    assert [name in page for name in ("**tripled**", "**thrice**", "## 01-one")] == [True] * 3
    assert [p.rows[0]["mistake"] for p in read_table(made / "solutions").values()] == [
        "tripled",
        "thrice",
    ]
    assert make(made)[0] == []


def test_one_that_is_gone_goes_from_the_table(made):
    shutil.rmtree(made / "solutions" / ONE)
    append(made / "solutions" / TWO / "data.csv", "3,4\n")
    make(made, TWO)
    assert list(read_table(made / "solutions")) == [TWO]


def changed_release(root):
    append(root / "assignments" / ONE / f"{ONE}.ipynb", " ")


def deleted_release(root):
    shutil.rmtree(root / "assignments" / ONE)


def file_more_in_the_release(root):
    (root / "assignments" / ONE / "more.txt").write_text("1")


def changed_sheet(root):
    append(root / "solutions" / ONE / "checks.json", " ")


def changed_page(root):
    page = root / "solutions" / f"{TABLE_NAME}.md"
    page.write_text(page.read_text("utf-8").replace("three times", "four times", 1), "utf-8")


def changed_table(root):
    table = root / "solutions" / f"{TABLE_NAME}.csv"
    table.write_text(table.read_text("utf-8").replace("three times", "four times", 1), "utf-8")


def no_table(root):
    (root / "solutions" / f"{TABLE_NAME}.md").unlink()


def no_gradebook(root):
    (root / "grading" / "gradebook.db").unlink()


def not_in_the_gradebook(root):
    with sqlite3.connect(root / "grading" / "gradebook.db") as book:
        book.execute("DELETE FROM assignment WHERE name = ?", [ONE])


def damaged_gradebook(root):
    (root / "grading" / "gradebook.db").write_bytes(b"no database")


def no_record(root):
    os.remove(root / "grading" / record.NAME)


def damaged_record(root):
    (root / "grading" / record.NAME).write_text("{")


SPOILT = [
    changed_release,
    deleted_release,
    file_more_in_the_release,
    changed_sheet,
    changed_page,
    changed_table,
    no_table,
    no_gradebook,
    not_in_the_gradebook,
    damaged_gradebook,
    no_record,
    damaged_record,
]


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_what_was_made_and_is_not_there_any_more_is_made_again(made, spoil):
    def knows():
        part = read_table(made / "solutions").get(ONE)
        return Record(made).knows(ONE, digest_of_source(ONE, made), part)

    assert knows()
    spoil(made)
    assert not knows()


def test_force_makes_all_the_same(made):
    before = {path: path.read_bytes() for path in made.glob("assignments/*/*")}
    assert len(before) == 6
    assert make(made, ONE, force=True)[0] == [ONE]
    assert {path: path.read_bytes() for path in made.glob("assignments/*/*")} == before


def test_what_could_not_be_made_is_made_the_next_time(made, monkeypatch):
    append(made / "solutions" / ONE / "data.csv", "3,4\n")

    def refuse(names, root):
        raise RuntimeError("nbgrader could not")

    with monkeypatch.context() as patched:
        patched.setattr(release, "generate", refuse)
        with pytest.raises(SystemExit, match="could not"):
            make(made, ONE)
    assert make(made, ONE)[0] == [ONE]


def test_the_committed_table_is_read_as_it_is_written():
    solutions = ROOT / "solutions"
    table, page = mistakes_table(read_table(solutions).values())
    assert table == (solutions / f"{TABLE_NAME}.csv").read_text(encoding="utf-8")
    assert page == (solutions / f"{TABLE_NAME}.md").read_text(encoding="utf-8")


def test_the_command_line(monkeypatch):
    asked = []
    monkeypatch.setattr(
        release, "make_assignments", lambda *names, **how: asked.append((names, how))
    )
    for words in (["assignments"], ["assignments", "01", "--force"]):
        monkeypatch.setattr("sys.argv", ["course", *words])
        release.main()
    assert asked == [(([], ROOT), {"force": False}), ((["01"], ROOT), {"force": True})]


# --- what students are given ---------------------------------------------------------------------


def test_only_the_catalogues_of_what_is_given_out_are_kept(tmp_path):
    """A catalogue of known mistakes says in Korean what they are, also of later assignments."""
    names = ["01-one", "02-two", "README"]
    for kind in ("assignments", "known-mistakes", "notebooks"):
        for name in names:
            path = tmp_path / kind / f"{name}.po"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    release.keep_translations(["02-two"], tmp_path)
    kept = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.po")}
    assert kept == {
        *(f"{kind}/{n}.po" for kind in ("assignments", "known-mistakes") for n in names[1:]),
        *(f"notebooks/{name}.po" for name in names),
    }


def test_only_what_is_given_out_is_in_the_folder_and_in_its_list(tmp_path):
    for name in ("01-one", "02-two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.ipynb").touch()
    row = "| {0:.2} [{0}]({0}/{0}.ipynb) | 4 points |\n"
    head, foot = "# List\n\n| a | b |\n|---|---|\n", "\nSee [01](01-one/01-one.ipynb).\n"
    readme = tmp_path / "README.md"
    readme.write_text(head + row.format("01-one") + row.format("02-two") + foot)
    release.keep_only(["02-two"], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["02-two", "README.md"]
    assert readme.read_text() == head + row.format("02-two") + foot


README = """\
# Course
## Which copy is for you
teachers
## Start
| command | does |
|---|---|
| `course check 01` | checks |
| `course grade BATCH` | marks |
| `course doctor` | looks |
## For instructors
marks
### Deeper
## Licence
free
"""


def test_the_students_readme_speaks_to_them_alone():
    assert release.students_readme(README, {"check", "doctor"}) == (
        "# Course\n## Start\n| command | does |\n|---|---|\n| `course check 01` | checks |\n"
        "| `course doctor` | looks |\n## Licence\nfree\n"
    )


@pytest.mark.parametrize(
    "name",
    ["solutions", "grader", "tests", "site", "nbgrader_config.py", "translations/ko/feedback.po"],
)
def test_what_is_the_instructors_is_not_given_out(name):
    first, last = name.split("/")[0], name.split("/")[-1]
    assert first not in release.FOR_STUDENTS or last in release.LEFT_OUT


@pytest.mark.parametrize(
    ("names", "chosen"),
    [(None, [ONE, TWO]), ([], [ONE, TWO]), ([" "], [ONE, TWO]), (["2", "01"], [TWO, ONE])],
)
def test_which_assignments_are_made_or_given_out(course, names, chosen):
    assert release.chosen_of(names, course / "solutions") == chosen


def test_all_that_do_not_exist_are_named_with_those_that_do(course):
    with pytest.raises(SystemExit) as ended:
        release.chosen_of(["9", "01", "7"], course / "solutions")
    assert str(ended.value) == "There is no 7, 9 in solutions/: 01-one, 02-two"


def test_where_there_are_submissions_the_next_grading_takes_new_cells_in(course, monkeypatch):
    """nbgrader refuses then; anything else that it says is an error."""
    asked = []

    def run(names, root, db_url, aside):
        asked.append((names, db_url.startswith(f"sqlite:///{course}/grading/gradebook.db")))
        for name in names:
            (Path(aside) / name).mkdir()
            (Path(aside) / name / "new.txt").touch(mode=0o600)
        if asked[-1] == ([TWO], True):
            raise RuntimeError(refused)

    monkeypatch.setattr(release, "_run_nbgrader", run)
    old = course / "assignments" / ONE / "old.txt"
    old.parent.mkdir(parents=True)
    old.touch()
    refused = "there are submissions associated with it"
    assert release.generate([ONE, TWO], course) == [TWO]
    assert asked == [([ONE, TWO], False), ([ONE], True), ([TWO], True)]
    made = sorted(course.glob("assignments/*/*"))
    assert made == [course / "assignments" / name / "new.txt" for name in (ONE, TWO)]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o644}
    refused = "odd"
    with pytest.raises(RuntimeError, match="odd"):
        release.generate([ONE, TWO], course)


def test_who_waits_for_the_next_grading_is_told(course, monkeypatch):
    part = SimpleNamespace(assignment=TWO, rows=[1, 2], told=1)
    monkeypatch.setattr(release, "grade_bank", lambda name, root: part)
    monkeypatch.setattr(release, "generate", lambda names, root: names)
    monkeypatch.setattr(release, "write_table", lambda parts, solutions: None)
    monkeypatch.setattr(Record, "keep", lambda *more: None)
    made, said = make(course, TWO)
    assert made == [TWO]
    assert "02-two: 2 known mistakes, 1 told by name" in said
    assert "student versions: assignments/02-two\n02-two: the gradebook holds submissions" in said
    assert "`course grade 02-two …`" in said
    assert said.endswith(f"table: solutions/{TABLE_NAME}.md and .csv")


def test_the_zip_of_students_from_the_command_line(monkeypatch):
    asked = []
    monkeypatch.setattr(release, "make_zip", lambda *given, **how: asked.append((given, how)))
    assert release.main(["students"]) == 0
    assert release.main(["students", "01", "2", "--root", "x"]) == 0
    assert asked == [((ROOT,), {"names": []}), ((Path("x"),), {"names": ["01", "2"]})]
    with pytest.raises(SystemExit) as ended:
        release.main([])
    assert ended.value.code == 2
