"""The form of the assignments, and what students are given: nothing of the answers in it."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter

import nbformat
import polib
import pytest

from grader.authoring import release as releasing
from grader.authoring.examine import Workbench
from grader.authoring.source import graded_cells, read_cells
from grader.cells import BEGIN_HIDDEN, END_HIDDEN
from grader.intake.edition import Edition
from helpers.assignment import Checker, CheckFailed, Sheet, fingerprint
from helpers.command import reset, update
from helpers.command.editions import by_cell, make_edition
from helpers.command.files import is_own_copy, keep_own_copy, lessons
from helpers.command.manifest import FOLDER, Manifest, sha256, write_manifest
from helpers.command.released import Released
from helpers.language import catalogue
from tests.support import needs
from tests.support.assignment_files import (
    NAMES,
    RELEASES,
    cells,
    free_names,
    graded_tests,
    promised,
    release,
    released,
    source,
)
from tests.support.lessons import LESSONS, ROOT, need
from tests.support.prose import PAGES

TESTS = [(name, cell) for name in NAMES for cell in graded_tests(name)]
# What the set-up cell of an assignment may give to its tests.
FROM_SETUP = {"check", "np", "torch", "nn"}
POINTS = r"(\d+(?:\.\d+)?) points?"


def test_label(pair):
    return f"{pair[0][:2]}-{pair[1].grade_id}"


test_label.__test__ = False


def test_each_lesson_that_is_said_to_have_an_assignment_has_one():
    assert len(promised()) > 5
    assert set(promised()) <= set(NAMES)


def test_a_number_means_one_assignment():
    assert len({name[:2] for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_list_and_lesson_lead_to_it(name):
    need(f"notebooks/{name}")
    title = cells(name)[0].source.split("\n")[0].removeprefix("# ")
    listed = (RELEASES / "README.md").read_text(encoding="utf-8")
    assert f"{title[:2]} [{title[3:]}]({name}/{name}.ipynb)" in listed
    for lesson in LESSONS:
        if lesson.stem == name:
            text = lesson.read_text(encoding="utf-8")
            assert f"[{title}](../assignments/{name}/{name}.ipynb)" in text


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique_and_points_add_up(name):
    every = cells(name)
    repeated = [key for key, n in Counter(cell.grade_id for cell in every).items() if n > 1]
    assert repeated == []
    ids = [cell.id for cell in source(name).cells]
    assert len(set(ids)) == len(ids)
    total = sum(cell.points for cell in every)
    title = every[0].source
    assert re.match(r"# \d\d ", title)
    assert f"{total:g} points" in title
    assert all(cell.points > 0 for cell in graded_tests(name))


@pytest.mark.parametrize("name", NAMES)
def test_each_task_says_its_points(name):
    """The points in a task's text are those of its tests."""
    for text, points in tasks(name):
        said = [float(n) for n in re.findall(rf"\({POINTS}\)", text.split("\n")[0])]
        assert said == [points], text.split("\n")[0]


def tasks(name):
    """The text and the points of each task: a heading with points, and the cells up to the next."""
    found = []
    for cell in cells(name):
        is_read = cell.kind in ("text", "manual", "task")
        if is_read and re.match(rf"## .*\({POINTS}\)", cell.source):
            found.append([cell.source, 0])
        if found:
            found[-1][1] += cell.points
    return found


@pytest.mark.parametrize("pair", TESTS, ids=test_label)
def test_test_cell_stands_on_its_own(pair):
    name, cell = pair
    assert free_names(cell.source) <= FROM_SETUP
    assert cell.source.startswith("# ")
    assert 5 <= len(cell.claim) <= 110
    visible, _, hidden = cell.source.partition(BEGIN_HIDDEN)
    assert END_HIDDEN in hidden
    assert re.search(r"\bcheck[.(]", visible)
    assert "check.hidden" not in visible
    assert "check.hidden" in hidden
    # Inside the hidden part every check is a hidden one, whose message keeps its numbers.
    assert not re.search(r"\bcheck(?!\.hidden)[.(]", hidden)
    exercises = {one.grade_id for one in cells(name) if one.kind == "solution"}
    assert len({word for word in re.findall(r'"(\w+)"', cell.source) if word in exercises}) == 1


@pytest.mark.parametrize("pair", TESTS, ids=test_label)
def test_visible_part_holds_no_reference(pair):
    """A visible test that calls a library's operator would be the answer itself."""
    _, cell = pair
    visible = cell.source.partition(BEGIN_HIDDEN)[0]
    assert not re.search(r"functional|helpers\.ops|\bF\.|\bops\.|sliding_window_view", visible)


def test_the_rules_are_the_same_everywhere():
    """What one assignment allows besides stands below the list."""
    rules = {
        tuple(re.findall(r"^\d\. .*$", cell.source, re.MULTILINE))
        for name in NAMES
        for cell in cells(name)
        if cell.grade_id == "rules"
    }
    ((first, *others),) = rules
    assert first.startswith("1. Write your answer")
    assert len(others) == 3


@pytest.mark.parametrize("name", NAMES)
def test_solutions_do_not_use_each_other(name):
    """Or a mistake in one task would cost points in another."""
    solved = [cell for cell in cells(name) if cell.kind == "solution"]
    for cell in solved:
        others = {other.grade_id for other in solved} - {cell.grade_id}
        assert free_names(cell.source) & others == set()


@pytest.mark.parametrize("name", NAMES)
def test_release_holds_no_answer(name):
    texts = [cell.source for cell in release(name).cells]
    everything = "\n".join(texts)
    for word in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "check.hidden"):
        assert word not in everything
    assert all(not cell.get("outputs") for cell in release(name).cells)
    lines = {line.strip() for line in everything.split("\n")}
    secret = secret_lines(source(name))
    assert secret
    assert secret & lines == set()


def secret_lines(notebook):
    """The lines of solutions, hidden tests and mark schemes that are long enough to tell."""
    secret, shown, inside = set(), set(), False
    for cell in notebook.cells:
        for line in cell.source.split("\n"):
            if re.search(r"BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME)", line):
                inside = True
            elif re.search(r"END (SOLUTION|HIDDEN TESTS|MARK SCHEME)", line):
                inside = False
            elif len(line.strip()) > 12:
                (secret if inside else shown).add(line.strip())
    return secret - shown


# What a task may say too: it is no answer.
EVERYDAY = {"super().__init__()", "with torch.no_grad():", "backward(grad_out, x)"}


@pytest.mark.parametrize("name", NAMES)
def test_texts_and_tests_do_not_hold_lines_of_solutions(name):
    """Not in the source either: the release is made from it."""
    solved, shown = solved_and_shown(source(name))
    assert [line for line in solved if line in shown] == []


def test_pages_do_not_hold_lines_of_solutions():
    """Nor the site, which is made of them."""
    pages = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "solutions/known-mistakes.md"]
    shown = "\n".join(re.sub(r"[^\S\n]", "", path.read_text("utf-8")) for path in pages)
    solved = set().union(*(solved_and_shown(source(name))[0] for name in NAMES))
    assert [line for line in solved if line in shown] == []


def test_a_line_of_a_solution_in_a_text_is_noticed():
    notebook = source(NAMES[1])
    solved, _ = solved_and_shown(notebook)
    notebook.cells[3].source += f"\n\nWrite `{max(solved, key=len).replace(' ', '')}`."
    solved, shown = solved_and_shown(notebook)
    assert [line for line in solved if line in shown]


def solved_and_shown(notebook):
    """What the lines of solutions work out, and all text that students read, without spaces."""
    solved, shown, inside = set(), [], ""
    for cell in notebook.cells:
        for line in cell.source.split("\n"):
            if mark := re.search(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)", line):
                inside = mark[2] if mark[1] == "BEGIN" else ""
            elif inside == "SOLUTION":
                worked_out = re.sub(r"^\s*(?:return |[\w, \[\].]+ [+*]?= )?", "", line)
                solved.add(re.sub(r"\s", "", worked_out))
            elif not inside:
                shown.append(re.sub(r"\s", "", line))
    everyday = {re.sub(r"\s", "", line) for line in EVERYDAY}
    return {line for line in solved - everyday if len(line) > 16}, "\n".join(shown)


@pytest.mark.parametrize("name", NAMES)
def test_release_holds_fingerprints_and_no_implementation(name):
    folder = released(name).parent
    files = {path.name for path in folder.iterdir() if not is_own_copy(path)}
    assert files - {".ipynb_checkpoints"} == {f"{name}.ipynb", "checks.json"}
    sheet = (folder / "checks.json").read_text(encoding="utf-8")
    assert sheet == (ROOT / "solutions" / name / "checks.json").read_text(encoding="utf-8")
    assert all(re.fullmatch("[0-9a-f]{16}", key) for key in Sheet.beside(folder).fingerprints)
    bank = "\n".join(
        p.read_text("utf-8") for p in (ROOT / "solutions" / name / "bank").glob("*.py")
    )
    code = {
        ast.unparse(statement)
        for function in ast.walk(ast.parse(bank))
        if isinstance(function, ast.FunctionDef)
        for statement in function.body
        if not isinstance(statement, ast.Expr)
    }
    assert bool(code) == bool(bank)
    assert not [line for line in code if len(line) > 30 and line in sheet]


@pytest.mark.parametrize("name", NAMES)
def test_sheet_knows_the_released_tests(name):
    sheet = Sheet.beside(RELEASES / name)
    assert sheet.tests == {
        cell.grade_id: {"points": cell.points, "digest": fingerprint(cell.source.strip())}
        for cell in graded_cells(read_cells(released(name)))
    }


@pytest.mark.parametrize("name", NAMES)
def test_unsolved_release_gets_no_point(name, monkeypatch):
    monkeypatch.chdir(RELEASES / name)
    space = {"__name__": "__main__"}
    for cell in read_cells(released(name)):
        if cell.kind in ("setup", "solution"):
            exec(cell.source, space)
        elif cell.kind == "test":
            with pytest.raises(CheckFailed, match="not written yet"):
                exec(cell.source, space)
    assert isinstance(space["check"], Checker)


@pytest.mark.parametrize("name", NAMES)
def test_committed_release_is_what_nbgrader_makes(made_again, name):
    again = made_again / "assignments" / name
    for path in sorted(again.iterdir()):
        committed = released(name).with_name(path.name)
        assert committed.read_bytes() == path.read_bytes(), "run `make assignments`"


@pytest.fixture(scope="module")
def made_again(tmp_path_factory):
    """A folder with all student versions made anew from solutions/, by nbgrader."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "solutions", root / "solutions")
    releasing.generate(NAMES, root)
    return root


def test_stale_release_is_noticed(made_again, tmp_path):
    """The comparison above can fail: a changed word in a source changes the release."""
    root = tmp_path / "course"
    shutil.copytree(made_again / "solutions", root / "solutions")
    path = root / "solutions" / NAMES[0] / f"{NAMES[0]}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source += " More."
    nbformat.write(notebook, path)
    releasing.generate(NAMES[:1], root)
    made = root / "assignments" / NAMES[0] / path.name
    assert made.read_bytes() != released(NAMES[0]).read_bytes()


def test_nbgrader_refuses_a_hidden_test_in_a_wrong_place(made_again, tmp_path):
    root = tmp_path / "course"
    shutil.copytree(made_again / "solutions" / NAMES[0], root / "solutions" / NAMES[0])
    path = root / "solutions" / NAMES[0] / f"{NAMES[0]}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].source += f"\n{BEGIN_HIDDEN}\n{END_HIDDEN}"
    nbformat.write(notebook, path)
    with pytest.raises(RuntimeError, match="could not make"):
        releasing.generate(NAMES[:1], root)


@pytest.fixture(scope="module")
def students_copy(tmp_path_factory):
    """The course as students get it, unpacked from its zip."""
    root = tmp_path_factory.mktemp("release")
    for name in (*releasing.FOR_STUDENTS, "solutions", "tests"):
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, root / name, ignore=shutil.ignore_patterns(*releasing.LEFT_OUT)
            )
        else:
            shutil.copy(ROOT / name, root / name)
    keep_own_copy(lessons(root)[0])  # an instructor's own, which is not given out
    # One whose source was deleted is none any more.
    shutil.copytree(root / "assignments" / NAMES[0], root / "assignments" / "90-old")
    archive = releasing.make_zip(root, show=lambda text: None)
    zipfile.ZipFile(archive).extractall(root / "unpacked")
    return root / "unpacked" / "cnn-course"


def test_students_copy_holds_nothing_of_the_instructors(students_copy):
    assert not (students_copy / "solutions").exists()
    assert not (students_copy / "grader").exists()
    assert not (students_copy / "tests").exists()
    assert not [path for path in students_copy.rglob("*") if is_own_copy(path)]
    texts = {
        path: path.read_text(encoding="utf-8", errors="ignore")
        for path in students_copy.rglob("*")
        if path.suffix in (".py", ".ipynb", ".md", ".json", ".toml") or path.name == "Makefile"
    }
    assert len(texts) > 40
    for path, text in texts.items():
        for word in ("BEGIN SOLUTION", "BEGIN HIDDEN", "BEGIN MARK SCHEME", "@mistake"):
            assert word not in text, path
    readme = texts[students_copy / "README.md"]
    assert "For instructors" not in readme
    assert "`course check 01`" in readme
    assert "`course grade" not in readme


def test_students_copy_holds_what_works_in_it(students_copy):
    """The assignments that exist, and no program that imports what is not there."""
    found = [path.name for path in (students_copy / "assignments").iterdir() if path.is_dir()]
    assert sorted(found) == list(NAMES)
    scripts = list(students_copy.rglob("*.py"))
    assert students_copy / "tools" / "notebooks.py" in scripts
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(from|import) (grader|tests)\b", text, re.M), path


def test_only_the_chosen_assignments_are_given_out(tmp_path):
    for name in ("solutions", "assignments"):
        for one in NAMES[:3]:
            path = tmp_path / name / one / f"{one}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text("{}", encoding="utf-8")
    shutil.copy(ROOT / "assignments" / "README.md", tmp_path / "assignments")
    for name in set(releasing.FOR_STUDENTS) - {"assignments"}:
        if (ROOT / name).is_dir():
            (tmp_path / name).mkdir()
        else:
            shutil.copy(ROOT / name, tmp_path)
    translated = [
        f"{kind}/{name}" for kind in ("assignments", "known-mistakes") for name in NAMES[:3]
    ]
    for name in (
        *translated,
        "assignments/README",
        "messages",
        "feedback",
        "glossary",
        "site/index",
    ):
        path = tmp_path / "translations/ko" / f"{name}.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    said = []
    archive = releasing.make_zip(tmp_path, said.append, ["01", NAMES[2]])
    with zipfile.ZipFile(archive) as file:
        inside = [path.split("/")[1:] for path in file.namelist()]
        held = {path[1] for path in inside if path[0] == "assignments"}
        catalogues = [path[2:] for path in inside if path[0] == "translations"]
        readme = file.read("cnn-course/assignments/README.md").decode()
    assert held == {NAMES[0], NAMES[2], "README.md"}
    given = [f"{NAMES[0]}.po", f"{NAMES[2]}.po"]
    assert sorted(catalogues) == [
        *(["assignments", name] for name in (*given, "README.po")),
        *(["known-mistakes", name] for name in given),
        ["messages.po"],
    ]
    assert re.findall(r"^\| (\d\d) ", readme, re.M) == ["01", "03"]
    assert said[0] == f"Assignments: {NAMES[0]}, {NAMES[2]}"
    shutil.rmtree(tmp_path / "assignments" / NAMES[1])
    with pytest.raises(SystemExit, match=f"course assignments {NAMES[1]}"):
        releasing.make_zip(tmp_path, said.append, ["02"])
    with pytest.raises(SystemExit, match="There is no 44"):
        releasing.make_zip(tmp_path, said.append, ["44"])


def test_students_copy_knows_what_was_given(students_copy):
    """For `course reset` and `course update`: its files by their digests, its notebooks whole."""
    manifest = Manifest.of(students_copy)
    found = {
        path.relative_to(students_copy).as_posix(): sha256(path.read_bytes())
        for path in students_copy.rglob("*")
        if path.is_file() and path.parent.name != FOLDER
    }
    assert manifest.files == found
    released = Released.find(students_copy)
    assert len(released.names) == len(lessons(ROOT)) + len(NAMES)
    assert released.changed(students_copy) == []
    path = students_copy / released.names[-1]
    assert released.original(released.names[-1]) == path.read_bytes()


def korean(notebook):
    """The text of a notebook's first cell."""
    return nbformat.read(notebook, as_version=4).cells[0].source


def test_students_copy_can_be_read_in_korean(students_copy, tmp_path, capsys):
    """It is made there, as the grader knows it; a newer release and `course reset` keep what is
    the student's own."""
    root, newer = tmp_path / "course", tmp_path / "newer"
    for folder in (root, newer):
        shutil.copytree(students_copy, folder)
    assert make_edition("ko", root) == []
    name = f"assignments/{NAMES[0]}/{NAMES[0]}.ipynb"
    path = root / "ko" / name
    made = nbformat.read(path, as_version=4)
    assert made.metadata.course == {"language": "ko"}
    edition = Edition("ko", NAMES[0], ROOT)
    assert {cell.source.strip() for cell in made.cells} == edition.texts
    assert path.with_name("checks.json").read_text(encoding="utf-8") == edition.sheet

    made.cells[0].source += "\n\n내 답"
    nbformat.write(made, path)
    for one in (NAMES[0], NAMES[1]):
        catalogue_file = newer / "translations/ko/assignments" / f"{one}.po"
        po = polib.pofile(str(catalogue_file))
        po[0].msgstr = "새 제목"
        po.save()
    shutil.rmtree(newer / FOLDER)
    write_manifest(newer)
    before = path.read_bytes()
    assert update.main([str(newer)], root) == 0
    assert path.read_bytes() == before
    assert f"translations/ko/assignments/{NAMES[0]}.po" in Manifest.of(root).files
    catalogue.cache_clear()
    by_cell.cache_clear()
    assert make_edition("ko", root) == [f"ko/{name}"]
    other = root / "ko/assignments" / NAMES[1] / f"{NAMES[1]}.ipynb"
    assert korean(other).startswith("# 새 제목")
    assert korean(path) == made.cells[0].source
    assert reset.main([f"ko/{name}"], root) == 0
    assert korean(path).startswith("# 새 제목")
    (own,) = [each for each in path.parent.iterdir() if is_own_copy(each)]
    assert korean(own) == made.cells[0].source


@needs.make
def test_students_copy_is_complete(students_copy):
    """Its links lead somewhere, make knows its verbs, and an assignment can be checked in it."""
    readme = (students_copy / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (students_copy / target).exists(), target
    course = [sys.executable, students_copy / "course.py"]
    verbs = subprocess.run(course, capture_output=True, text=True, check=True)
    assert "check 01" in verbs.stdout
    assert "grade" not in verbs.stdout
    released(NAMES[0])
    checked = subprocess.run(
        [*course, "check", NAMES[0]],
        cwd="/",
        capture_output=True,
        text=True,
        env={**releasing_environment(), "COURSE_IS_SET_UP": "1"},
    )
    assert checked.returncode == 1
    assert "it is not written yet" in checked.stdout
    assert checked.stderr == ""


def test_course_test_works_in_the_students_copy(students_copy):
    """Students are not given the tests, and what these bring for notebooks."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("assert [1]")])
    notebook.cells[0].execution_count = 1
    nbformat.write(notebook, students_copy / "own.ipynb")
    options = ("-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "own.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=students_copy,
        capture_output=True,
        text=True,
        env=releasing_environment(),
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def releasing_environment():
    import os

    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


@pytest.mark.parametrize(("number", "least"), [("04", 80), ("08", 75)])
def test_a_students_own_layers_learn_to_read_digits(number, least, capsys):
    (name,) = [name for name in NAMES if name.startswith(number)]
    space = Workbench(name).space
    for cell in source(name).cells:
        if "not-in-grading" in cell.metadata.get("tags", ()):
            exec(compile(cell.source, f"<{cell.id}>", "exec"), space)
    rights = [int(number) for number in re.findall(r"(\d+)%", capsys.readouterr().out)]
    assert rights[-1] > least
