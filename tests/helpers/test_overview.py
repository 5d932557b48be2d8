"""`course check` without a number: all assignments, and the next step."""

import importlib.metadata
import json
import os
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.assignment import Sheet, fingerprint, overview, selfcheck
from helpers.assignment.remembered import NAME, Memory, digest_of
from helpers.assignment.selfcheck import NotCheckable, Result, open_notebook
from helpers.command.manifest import write_manifest
from tests.helpers.test_selfcheck import SETUP, TEST_F, TEST_G, cell
from tests.support.assignment_files import NAMES, released, source

STUB = "# Write your code here, and delete the next line.\n    raise NotImplementedError"
F, G = "def f(x):\n    return 2 * x", "def g(x):\n    return x * x"
NO_F, NO_G = f"def f(x):\n    {STUB}", f"def g(x):\n    {STUB}"


@pytest.fixture
def folder(tmp_path):
    """The folder of the assignments."""
    (tmp_path / "assignments").mkdir()
    return tmp_path / "assignments"


def write(folder, name, f=NO_F, g=NO_G):
    """Write a small assignment of two tasks; returns its notebook's path."""
    title = f"# {name.replace('-', ' Try ', 1)}\n\nFive points."
    cells = [
        new_markdown_cell(title, id="title"),
        cell(SETUP, cell_id="setup"),
        new_markdown_cell("## Task 1: double (2 points)\n\nDouble it.", id="one"),
        cell(f, "f"),
        cell(TEST_F, "f_doubles", 2),
        new_markdown_cell("## Task 2: square (3 points)", id="two"),
        cell(g, "g"),
        cell(TEST_G, "g_squares", 3),
    ]
    digests = {"f_doubles": (2, TEST_F), "g_squares": (3, TEST_G)}
    tests = {
        test: {"points": points, "digest": fingerprint(text)}
        for test, (points, text) in digests.items()
    }
    path = folder / name / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells), path)
    path.with_name("checks.json").write_text(Sheet(tests=tests).to_json(), encoding="utf-8")
    return path


def look(folder):
    """(Could all be read?, the text)."""
    lines = []
    return overview.overview(lines.append, folder), "\n".join(lines)


@pytest.fixture
def runs(monkeypatch):
    """The notebooks that are run, by the names of their folders; f is right in all, g is not."""
    ran = []

    def run_tests(notebook, folder, report):
        ran.append(folder.name)
        return [Result("f_doubles", 2.0, None), Result("g_squares", 3.0, "g: expected 9")]

    monkeypatch.setattr(selfcheck, "run_tests", run_tests)
    return ran


def test_all_at_a_glance_and_the_next_step(folder):
    write(folder, "01-one", F, G)
    write(folder, "02-two", F, NO_G)
    write(folder, "03-three")
    broken = write(folder, "04-four", F, G)
    broken.write_bytes(broken.read_bytes()[:300])
    could_read, text = look(folder)
    assert not could_read
    assert text.split("\n")[2:6] == [
        "  01  Try one     5 of 5     all tests pass",
        "  02  Try two     2 of 5     1 of 2 tests fail",
        "  03  Try three   not begun",
        "  04  four        cannot be checked",
    ]
    words = " ".join(text.split())
    assert "04-four.ipynb cannot be read as a notebook: cut off" in words
    assert "Next: assignment 02, Task 2: square. Its answer is not written yet." in words


def test_what_is_not_begun_is_not_run_and_not_praised(folder, runs):
    """The real ones, as students get them."""
    for name in NAMES:
        shutil.copytree(released(name).parent, folder / name)
    could_read, text = look(folder)
    assert could_read
    assert runs == []
    assert text.count("   not begun") == len(NAMES)
    assert "pass" not in text.replace("passes", "")
    first = " ".join(source(NAMES[0]).cells[0].source.split("\n")[0].split()[2:])
    assert f"Next: begin assignment {NAMES[0][:2]}, {first}." in " ".join(text.split())


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_to_any_task_begins_an_assignment(name):
    given = open_notebook(released(name)).notebook
    solutions = {
        c.metadata.nbgrader.grade_id: c.source
        for c in source(name).cells
        if c.metadata.get("nbgrader", {}).get("solution") and c.cell_type == "code"
    }
    assert not overview.holds_an_answer(given)
    for number, one in enumerate(given.cells):
        task = one.metadata.get("nbgrader", {}).get("grade_id")
        if task in solutions:
            others = [*given.cells[:number], *given.cells[number + 1 :]]
            commented = one.source.replace("raise Not", "# raise Not")
            for written in (solutions[task], commented):
                changed = nbformat.from_dict({**one, "source": written})
                assert overview.holds_an_answer(new_notebook(cells=[*others, changed]))
            for elsewhere in (solutions[task], f"{task} = lambda *given: 0"):
                added = new_code_cell(elsewhere)
                assert overview.holds_an_answer(new_notebook(cells=[*given.cells, added]))
            tried = f"{task} == 0\nprint({task})\n{task}_again = own_{task} = {task}"
            added = new_code_cell(tried)
            assert not overview.holds_an_answer(new_notebook(cells=[*given.cells, added]))


def test_a_text_that_was_written_begins_an_assignment(folder, runs):
    """Where the release says what was given: a text is no code, and has no stub."""
    path = write(folder, "01-one")
    (folder.parent / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "1"\n')
    write_manifest(folder.parent)
    assert "not begun" in look(folder)[1]
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
    nbformat.write(notebook, path)
    assert "not begun" in look(folder)[1]
    notebook.cells.append(new_markdown_cell("My answer."))
    nbformat.write(notebook, path)
    assert "2 of 5" in look(folder)[1]


def test_what_has_not_changed_is_not_run_again(folder, runs):
    one, two = write(folder, "01-one", F), write(folder, "02-two", F)
    first = look(folder)
    assert runs == ["01-one", "02-two"]
    assert look(folder) == first
    notebook = nbformat.read(one, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
    nbformat.write(notebook, one)
    assert look(folder) == first
    assert len(runs) == 2
    write(folder, "02-two", F, G)
    look(folder)
    assert runs[2:] == ["02-two"]
    two.with_name("mine.py").write_text("X = 1\n")
    look(folder)
    assert runs[3:] == ["02-two"]


def test_a_check_of_one_assignment_is_remembered(folder, runs):
    write(folder, "01-one", F)
    selfcheck.check("01", lambda text: None, folder)
    assert "2 of 5     1 of 2 tests fail" in look(folder)[1]
    assert runs == ["01-one"]
    runs.clear()
    selfcheck.check("01", lambda text: None, folder)
    assert runs == ["01-one"]  # who asks for it by its number always sees it run


def test_a_run_that_is_stopped_is_not_remembered(folder, monkeypatch):
    path = write(folder, "01-one", F)

    def stopped(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(selfcheck, "run_tests", stopped)
    with pytest.raises(KeyboardInterrupt):
        look(folder)
    assert Memory(folder).known(path, open_notebook(path).content) is None


def changed_text(path, monkeypatch):
    write(path.parents[1], "01-one", F, G)


def changed_sheet(path, monkeypatch):
    sheet = path.with_name("checks.json")
    sheet.write_text(sheet.read_text() + " ")


def file_of_the_student(path, monkeypatch):
    path.with_name("mine.py").write_text("X = 1\n")


def changed_setting(path, monkeypatch):
    monkeypatch.setenv("MNIST_SOURCE", "somewhere")


def changed_device(path, monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "mps")


def changed_python(path, monkeypatch):
    monkeypatch.setattr("sys.version", "3.99")


def changed_metadata(path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[4].metadata.nbgrader["points"] = 7
    nbformat.write(notebook, path)


def changed_type(path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].cell_type = "raw"
    nbformat.write(notebook, path)


def changed_course(path, monkeypatch):
    (path.parents[2] / "course" / "helpers" / "ops.py").write_text("ONE = 2\n")


def other(package):
    def change(path, monkeypatch):
        real = importlib.metadata.version
        monkeypatch.setattr(
            "importlib.metadata.version", lambda name: "0.1" if name == package else real(name)
        )

    change.__name__ = f"other_{package}"
    return change


def nothing(path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].execution_count = 3
    nbformat.write(notebook, path)
    path.with_name("01-one (mine, 2026-11-28 14.05).ipynb").write_text("{}")
    for name in ("__pycache__", ".ipynb_checkpoints", "folder"):
        (path.parent / name).mkdir()
    (path.parent / "__pycache__" / "mine.pyc").write_text("")
    (path.parent / ".ipynb_checkpoints" / "01-one-checkpoint.ipynb").write_text("")
    monkeypatch.setenv("UNRELATED", "1")


CHANGES = [
    changed_text,
    changed_sheet,
    file_of_the_student,
    changed_setting,
    changed_device,
    changed_python,
    changed_metadata,
    changed_type,
    changed_course,
    *map(other, ("ipython", "numpy", "torch", "torchvision")),
    nothing,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_results_are_known_until_something_that_they_depend_on_changes(folder, monkeypatch, change):
    course = folder.parent / "course"
    (course / "helpers").mkdir(parents=True)
    (course / "helpers" / "ops.py").write_text("ONE = 1\n\n")
    monkeypatch.setattr("helpers.assignment.remembered.ROOT", course)
    path = write(folder, "01-one", F)
    scores = [("f_doubles", 2.0, 2.0)]
    Memory(folder).keep(path, content(path), scores)
    change(path, monkeypatch)
    known = Memory(folder).known(path, content(path))
    assert known == (scores if change is nothing else None)


def content(path):
    return digest_of(nbformat.read(path, as_version=4))


def test_what_the_run_itself_writes_is_no_change(folder):
    path = write(folder, "01-one", F)
    memory, text = Memory(folder), content(path)
    path.with_name("picture.png").write_bytes(b"1")
    memory.keep(path, text, [("f_doubles", 2.0, 2.0)])
    assert memory.known(path, text) == [("f_doubles", 2.0, 2.0)]


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"01-one/01-one.ipynb": 3}', "damaged scores"])
def test_a_damaged_memory_is_no_memory(folder, runs, kept):
    write(folder, "01-one", F)
    first = look(folder)
    memory = folder.parent / ".jupyter" / NAME
    if kept == "damaged scores":
        content = json.loads(memory.read_text())
        content["01-one/01-one.ipynb"]["scores"] = [["f_doubles", "two"]]
        kept = json.dumps(content)
    memory.write_text(kept)
    assert look(folder) == first
    assert len(runs) == 2


def test_where_nothing_can_be_written_nothing_is_remembered(folder, runs, monkeypatch):
    write(folder, "01-one", F)

    def refuse(*given):
        raise PermissionError

    monkeypatch.setattr("helpers.assignment.remembered.write_whole", refuse)
    assert look(folder) == look(folder)
    assert len(runs) == 2


def test_the_next_step_is_in_what_is_begun_then_in_what_is_not(folder, runs):
    path = write(folder, "01-one")
    write(folder, "02-two", F, G)
    assert "Next: assignment 02, Task 2: square. The test g_squares fails" in look(folder)[1]
    notebook = nbformat.read(folder / "02-two" / "02-two.ipynb", as_version=4)
    del notebook.cells[-1]
    nbformat.write(notebook, folder / "02-two" / "02-two.ipynb")
    assert "Next: assignment 02. `course check 02` says what is missing." in look(folder)[1]
    shutil.rmtree(folder / "02-two")
    text = look(folder)[1]
    assert f"Next: begin assignment 01, Try one. Open {path}." in " ".join(text.split())


def test_when_all_pass_it_says_what_is_still_to_come(folder, monkeypatch):
    write(folder, "01-one", F, G)
    right = [Result("f_doubles", 2.0, None), Result("g_squares", 3.0, None)]
    monkeypatch.setattr(selfcheck, "run_tests", lambda *given: right)
    text = look(folder)[1]
    assert "5 of 5     all tests pass" in text
    assert "each also runs with other numbers" in " ".join(text.split())


def test_which_notebook_of_a_folder_is_meant(folder, runs):
    path = write(folder, "01-one", F)
    shutil.copy(path, path.with_name("01-one-Copy1.ipynb"))
    assert look(folder)[0]
    path.rename(path.with_name("mine.ipynb"))
    could_read, text = look(folder)
    assert not could_read
    assert "Rename the one that you want to hand in to 01-one.ipynb." in " ".join(text.split())
    path.with_name("01-one-Copy1.ipynb").unlink()
    assert "2 of 5" in look(folder)[1]
    path.with_name("mine.ipynb").unlink()
    could_read, text = look(folder)
    assert not could_read
    assert "01-one.ipynb is gone. `course reset assignment 01`" in " ".join(text.split())


def test_no_assignments_at_all(folder):
    (folder / "notes").mkdir()
    with pytest.raises(NotCheckable) as told:
        look(folder)
    assert str(told.value) == f"There are no assignments in {folder}."


def test_an_assignment_whose_notebook_is_gone_is_still_one(folder):
    (folder / "03-three").mkdir()
    assert not overview.is_assignment(folder / "03-three")
    (folder / "03-three/checks.json").touch()
    assert overview.is_assignment(folder / "03-three")


@pytest.mark.parametrize(
    ("first", "title"),
    [
        ("# 01 A title of two  \n\nText.", "A title of two"),
        ("# 02 Another's", "one two"),
        ("No title", "one two"),
    ],
)
def test_an_assignment_is_called_by_its_title_or_its_folder(folder, first, title):
    path = write(folder, "01-one-two")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = first
    nbformat.write(notebook, path)
    standing = overview.read_one(path.parent)
    assert (standing.title, standing.number, standing.problem) == (title, "01", "")


SCORES = (("a", 2.0, 2.0), ("b", 0.0, 1.5), ("c", 0.5, 1.0))


@pytest.mark.parametrize(
    ("about", "result", "failed"),
    [
        ({}, "not begun", []),
        ({"problem": "cut off", "scores": SCORES}, "cannot be checked", ["b", "c"]),
        ({"scores": SCORES}, "2.5 of 4.5 2 of 3 tests fail", ["b", "c"]),
        ({"scores": SCORES[:1]}, "2 of 2     all tests pass", []),
    ],
)
def test_how_far_an_assignment_is_in_a_few_words(folder, about, result, failed):
    standing = overview.Standing(folder, "A title", **about)
    assert standing.result == result
    assert standing.failed == failed


def test_what_is_to_be_mended_comes_first(folder):
    def standing(name, **about):
        return overview.Standing(folder / name, name[3:].title(), **about)

    broken = standing("02-two", problem="cut off")
    right = standing("01-one", scores=SCORES[:1])
    said = "Next: mend assignment 02, as it says above."
    assert overview.next_step([right, standing("03-three"), broken]) == said
    assert overview.next_step([right, broken, standing("03-three")]) == said
    opened = open_notebook(write(folder, "01-one", F), folder)
    begun = standing("01-one", opened=opened, scores=SCORES)
    assert overview.next_step([begun, broken]).startswith("Next: assignment 01. `course")
    assert overview.next_step([right]) == (
        "All the tests that you see pass. When you are graded, each also runs with other numbers, "
        "and what you wrote in words is read by a person."
    )


@pytest.mark.parametrize(
    ("heading", "task"),
    [
        ("## Task 1: a (b) (2 points)", ", Task 1: a (b)"),
        ("## Task 1 (1 point)", ", Task 1"),
        ("## Task 1 (2.5 points)", ", Task 1"),
        ("Words.\n\n## 과제 1 (4점)\n\nMore.", ", 과제 1"),
        ("## Task 1", ", Task 1"),
        ("# No task", ""),
    ],
)
def test_the_step_is_in_the_task_of_the_first_test_that_fails(folder, heading, task):
    path = write(folder, "01-one", F)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].source, notebook.cells[5].source = heading, ""
    nbformat.write(notebook, path)
    opened = open_notebook(path, folder)

    def step(*failing):
        scores = [(t, 0.0 if t in failing else 2.0, 2.0) for t in ("f_doubles", "g_squares")]
        standing = overview.Standing(path.parent, "One", opened, scores=tuple(scores))
        return overview.step_in(standing)

    assert step("f_doubles", "g_squares") == (
        f"Next: assignment 01{task}. The test f_doubles fails: `course check 01` says why."
    )
    assert step("g_squares") == f"Next: assignment 01{task}. Its answer is not written yet."


def test_several_notebooks_are_listed_and_a_lost_one_named(folder):
    made = folder / "01-one"
    made.mkdir()
    with pytest.raises(NotCheckable) as gone:
        overview.notebook_of(made)
    assert str(gone.value) == (
        "01-one.ipynb is gone. `course reset assignment 01` brings it back as it came."
    )
    for name in ("b.ipynb", "a.ipynb"):
        (made / name).touch()
    with pytest.raises(NotCheckable) as several:
        overview.notebook_of(made)
    assert str(several.value) == (
        "There are several notebooks: a.ipynb, b.ipynb. Rename the one that you want to hand in "
        "to 01-one.ipynb."
    )
    (made / "01-one.ipynb").touch()
    assert overview.notebook_of(made) == made / "01-one.ipynb"


def test_the_bar_is_for_people_who_look(folder, capsys):
    write(folder, "01-one", F, G)
    look(folder)
    assert capsys.readouterr() == ("", "")


def test_command_line(folder, runs, monkeypatch, capsys):
    from helpers.assignment.__main__ import main

    write(folder, "01-one", F)
    monkeypatch.chdir(folder.parent)
    assert main([]) == main([""]) == 0
    assert capsys.readouterr().out.count("2 of 5") == 2
    os.remove(folder / "01-one" / "01-one.ipynb")
    assert main([]) == 1


def test_a_folder_behind_a_link_is_the_same_folder(folder, tmp_path):
    """What is remembered by the one name is known by the other."""
    link = tmp_path / "link"
    link.symlink_to(folder.parent, target_is_directory=True)
    path = folder / "01-one" / "01-one.ipynb"
    there = link / folder.name / "01-one" / "01-one.ipynb"
    Memory(folder).keep(path, "text", [("t", 1.0, 2.0)])
    assert Memory(link / folder.name).known(there, "text") == [("t", 1.0, 2.0)]
    assert Memory(folder).known(there, "text") == [("t", 1.0, 2.0)]
    assert Memory(folder).known(tmp_path / "other.ipynb", "text") is None
