"""What the notebooks were like as released, which differ, and which the tests leave out."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256

import nbformat
import pytest

from helpers.assignment.selfcheck import find_notebook
from helpers.command import files
from helpers.command.files import Problem, is_own_copy, keep_own_copy
from helpers.command.left_out import is_in_form, left_out
from helpers.command.manifest import MANIFEST, ORIGINALS, Manifest
from helpers.command.released import Released, State, cells
from tests.support import needs
from tests.support.lessons import ROOT
from tests.support.small_course import (
    ASSIGNMENT,
    LESSON,
    OTHER,
    author,  # noqa: F401
    clone,  # noqa: F401
    commit,
    everything,
    git,
    make_course,
    notebook,
    run_only,
    type_in,
    unzipped,  # noqa: F401
    write,
)


@pytest.fixture(params=["unzipped", pytest.param("clone", marks=needs.git)])
def root(request):
    """The course, each way a reader can have it."""
    return request.getfixturevalue(request.param)


def test_what_was_released_is_known(root):
    released = Released.find(root)
    assert released.names == [ASSIGNMENT, LESSON, OTHER]
    before = {name: (root / name).read_bytes() for name in released.names}
    for name in released.names:
        (root / name).write_bytes(b"")
    assert {name: released.original(name) for name in released.names} == before


def test_cells_count_and_outputs_do_not(root):
    released = Released.find(root)
    assert released.changed(root) == []
    run_only(root / OTHER)
    assert released.state(root, OTHER) is State.RUN
    assert released.changed(root) == []
    type_in(root / LESSON)
    assert released.changed(root) == [LESSON]


def test_of_a_cell_its_kind_text_and_pasted_pictures_count():
    picture = {"a.png": {"image/png": "A"}}

    def one(**about):
        return cells({"cells": [{"cell_type": "markdown", "source": ["a\n", "b"]} | about]})

    assert one() == [("markdown", "a\nb", {})]
    assert one(source="a\nb", attachments={}, id="x", metadata={"y": 1}) == one()
    assert one(attachments=None) == one()
    assert one(attachments=picture) == [("markdown", "a\nb", picture)]
    for none in (None, {}, {"cells": 3}, {"cells": [3]}, {"cells": [{}]}):
        assert cells(none) is None


@pytest.mark.parametrize("how", ["order", "kind", "deleted", "unreadable", "no notebook", "more"])
def test_every_other_change_of_cells_is_noticed(root, how):
    path = root / LESSON
    changed = nbformat.read(path, as_version=4)
    if how == "order":
        changed.cells.reverse()
    elif how == "kind":
        changed.cells[0].cell_type = "raw"
    elif how == "more":
        changed.cells.append(nbformat.v4.new_markdown_cell(""))
    nbformat.write(changed, path)
    if how == "deleted":
        path.unlink()
    elif how in ("unreadable", "no notebook"):
        path.write_text('{"cells": [' if how == "unreadable" else "[1]", encoding="utf-8")
    assert Released.find(root).changed(root) == [LESSON]


def test_line_ends_of_windows_are_no_change(root):
    path = root / LESSON
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert Released.find(root).state(root, LESSON) is State.SAME


def test_own_copies_are_no_notebooks_of_the_course(root):
    copy = keep_own_copy(root / LESSON)
    assert is_own_copy(copy)
    assert [path.name for path in files.lessons(root)] == ["05-mnist-net.ipynb", "07-alexnet.ipynb"]
    keep_own_copy(root / ASSIGNMENT)
    assert files.assignments(root) == [root / ASSIGNMENT]
    assert find_notebook("05", root / "assignments") == root / ASSIGNMENT
    assert find_notebook((root / ASSIGNMENT).parent) == root / ASSIGNMENT


def test_no_program_of_the_course_lists_notebooks_for_itself():
    """Or it would take a reader's own copy for a lesson: helpers.command.files is asked."""
    own = re.compile(r'"(notebooks|assignments)"\)\.r?glob\(.*ipynb')
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("helpers", "site", "tests", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if own.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["helpers/command/files.py"]


@needs.git
def test_git_ignores_own_copies(clone):  # noqa: F811
    shutil.copy(ROOT / ".gitignore", clone)
    commit(clone)
    keep_own_copy(clone / LESSON)
    keep_own_copy(clone / "helpers/one.py")
    assert git(clone, "status", "--porcelain") == ""


def test_neither_clone_nor_release_is_said(tmp_path):
    make_course(tmp_path)
    with pytest.raises(Problem, match="neither a git clone nor unzipped from a release"):
        Released.find(tmp_path)
    type_in(tmp_path / LESSON)
    assert left_out(tmp_path) == {}


@pytest.mark.parametrize("what", ["manifest", "originals", "no originals"])
def test_a_damaged_release_is_said(unzipped, what):  # noqa: F811
    type_in(unzipped / LESSON)
    if what == "manifest":
        (unzipped / MANIFEST).write_text("[]", encoding="utf-8")
    elif what == "originals":
        path = unzipped / ORIGINALS
        path.write_bytes(path.read_bytes()[:-30])
    else:
        (unzipped / ORIGINALS).unlink()
    with pytest.raises(Problem, match="damaged"):
        Released.find(unzipped).state(unzipped, LESSON)
    assert left_out(unzipped) == {}


@pytest.mark.parametrize(
    "name",
    [
        *("../a", "/a", "a/../../b", "C:/a", "a\\b", "a//b", "", "a.", "a ", "a/"),
        *(".git/config", ".VENV/x", ".released/x", "Grading/x", "grading"),
        *(f"a{sign}b" for sign in '*?"<>|\n\x1f\x00'),
    ],
)
def test_a_manifest_that_leads_elsewhere_is_refused(name):
    data = Manifest("small", "1", {"right": "0", name: "0"}, "0").to_bytes()
    with pytest.raises(Problem) as told:
        Manifest.parse(data)
    assert str(told.value) == (f"{MANIFEST} names {name!r}, which is not a release's to write.")


@pytest.mark.parametrize("name", [".gitignore", "a/.git", "a b.c-d_é", "grading.md", "a/grading"])
def test_a_manifest_may_name_what_only_resembles_these(name):
    manifest = Manifest("small", "1", {name: "0"}, "0")
    assert Manifest.parse(manifest.to_bytes()) == manifest


@pytest.mark.parametrize(
    "changes",
    [
        *({key: 1} for key in ("name", "version", "originals")),
        *({"files": files} for files in ({"a": 1}, ["a"], None)),
        {"more": "x"},
    ],
)
def test_what_has_not_the_form_of_a_manifest_is_damaged(changes):
    right = {"name": "small", "version": "1", "files": {"a": "0"}, "originals": "0"}
    Manifest.parse(json.dumps(right).encode())
    with pytest.raises(
        Problem, match=r"manifest\.json is damaged: it is not the list of a release"
    ):
        Manifest.parse(json.dumps(right | changes).encode())


def test_a_manifest_names_each_file_with_its_digest(unzipped):  # noqa: F811
    manifest = Manifest.of(unzipped)
    found = {path: data for path, data in everything(unzipped).items() if path[0] != "."}
    assert (manifest.name, manifest.version) == ("small", "1.0")
    assert manifest.files == {name: sha256(data).hexdigest() for name, data in found.items()}
    assert manifest.originals == sha256((unzipped / ORIGINALS).read_bytes()).hexdigest()
    with zipfile.ZipFile(unzipped / ORIGINALS) as file:
        assert {name: file.read(name) for name in file.namelist()} == {
            name: found[name] for name in (ASSIGNMENT, LESSON, OTHER)
        }


# --- git ---------------------------------------------------------------------------------------


@needs.git
def test_own_commits_are_a_readers_change(clone):  # noqa: F811
    type_in(clone / LESSON)
    commit(clone)
    assert Released.find(clone).changed(clone) == [LESSON]


@needs.git
def test_without_an_upstream_the_last_commit_is_what_was_released(clone):  # noqa: F811
    git(clone, "checkout", "--quiet", "--detach")
    type_in(clone / LESSON)
    assert Released.find(clone).changed(clone) == [LESSON]
    commit(clone)
    assert Released.find(clone).changed(clone) == []


@needs.git
def test_a_repository_without_a_commit_has_nothing_released(tmp_path):
    git(tmp_path, "init", "--quiet")
    with pytest.raises(Problem, match="holds no commit yet, so nothing was released"):
        Released.find(tmp_path)


@needs.git
def test_what_git_has_no_more_was_removed_on_purpose(clone):  # noqa: F811
    git(clone, "rm", "--quiet", OTHER)
    assert Released.find(clone).names == [ASSIGNMENT, LESSON]


@needs.git
def test_another_repository_around_the_course_is_not_its_clone(clone, unzipped):  # noqa: F811
    """A student unzipped the course inside a repository of their own."""
    inside = clone / "course"
    shutil.copytree(unzipped, inside)
    commit(clone)
    type_in(inside / LESSON)
    assert Released.find(inside).changed(inside) == [LESSON]
    shutil.rmtree(inside / ".released")
    with pytest.raises(Problem, match="neither"):
        Released.find(inside)
    (inside / ".git").mkdir()  # broken: git goes on to the repository around it
    with pytest.raises(Problem, match="neither"):
        Released.find(inside)


@needs.git
def test_a_release_in_a_readers_own_repository_is_still_the_release(unzipped):  # noqa: F811
    git(unzipped, "init", "--quiet")
    type_in(unzipped / LESSON)
    commit(unzipped)
    assert Released.find(unzipped).changed(unzipped) == [LESSON]


@needs.git
def test_a_broken_repository_and_a_missing_git_are_said(clone, monkeypatch):  # noqa: F811
    monkeypatch.setenv("GIT_DIR", "elsewhere")  # as in a hook
    assert Released.find(clone).changed(clone) == []
    (clone / ".git/HEAD").write_text("nothing", encoding="utf-8")
    with pytest.raises(Problem, match="git rev-parse failed"):
        Released.find(clone)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Problem, match="git is missing: install it"):
        Released.find(clone)


# --- what the tests leave out ------------------------------------------------------------------


def test_a_readers_change_is_left_out_and_a_saved_one_is_tested(root):
    type_in(root / LESSON, save=False)
    assert left_out(root) == {}
    type_in(root / LESSON)
    (root / OTHER).unlink()
    run_only(root / ASSIGNMENT)
    assert left_out(root) == {
        ASSIGNMENT: "run or saved, its cells as released",
        LESSON: "changed",
        OTHER: "deleted",
    }
    (root / LESSON).write_text("{", encoding="utf-8")
    assert left_out(root)[LESSON] == "changed"


@pytest.mark.parametrize("how", ["count", "order of counts", "metadata", "cell", "streams"])
def test_each_mark_of_another_program_tells(how):
    made = notebook("# A")
    code = made.cells[1]
    assert is_in_form(LESSON, nbformat.writes(made).encode())
    if how == "count":
        code.execution_count = None
    elif how == "order of counts":
        code.execution_count = 2
    elif how == "metadata":
        made.metadata.language_info["version"] = "3.11"
    elif how == "cell":
        code.metadata["collapsed"] = True
    else:
        code.outputs *= 2
    assert not is_in_form(LESSON, nbformat.writes(made).encode())


@pytest.mark.parametrize("key", ["alt", "jupyter", "nbgrader", "numbers", "tags"])
def test_what_the_course_notes_of_a_cell_is_no_mark_of_another_program(key):
    made = notebook("# A")
    made.cells[0].metadata[key] = made.cells[1].metadata[key] = {"x": 1}
    assert is_in_form(LESSON, json.dumps(made).encode())


def test_outputs_of_several_streams_and_pictures_are_of_the_course(root):
    made = notebook("# A")
    made.cells[1].outputs.append({**made.cells[1].outputs[0], "name": "stderr"})
    made.cells[1].outputs += [{"output_type": "display_data", "data": {}, "metadata": {}}] * 2
    assert is_in_form(LESSON, json.dumps(made).encode())


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"metadata": 1}', '{"metadata": {}}'])
@pytest.mark.parametrize("name", [LESSON, ASSIGNMENT])
def test_what_is_no_notebook_is_in_no_form(name, text):
    assert not is_in_form(name, text.encode())


@pytest.mark.parametrize("how", ["nothing", "run", "metadata", "outputs"])
def test_an_assignment_is_in_its_form_until_it_is_run_or_saved(how):
    made = notebook("# A")
    code = made.cells[1]
    code.execution_count = 3 if how == "run" else None
    if how != "outputs":
        code.outputs = []
    if how == "metadata":
        made.metadata.language_info["version"] = "3.11"
    assert is_in_form(ASSIGNMENT, nbformat.writes(made).encode()) == (how == "nothing")


def test_the_courses_own_notebooks_are_in_their_form():
    from tests.support.lessons import LEFT_OUT, LESSONS

    paths = [*LESSONS, *files.assignments(ROOT)]
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    wrong = [name for name in names if not is_in_form(name, (ROOT / name).read_bytes())]
    assert set(wrong) <= set(LEFT_OUT)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_pytest_leaves_them_out_and_says_so_once(unzipped, workers):  # noqa: F811
    for name in ("conftest.py", "tests/support/weak_asserts.py"):
        write(unzipped, name, (ROOT / name).read_text(encoding="utf-8"))
    write(unzipped, "pytest.ini", "[pytest]\n")
    keep_own_copy(unzipped / OTHER)
    write(unzipped, "test_x (mine, 2026-11-28 14.05).py", "assert False")
    type_in(unzipped / ASSIGNMENT)
    (unzipped / LESSON).unlink()
    said = run_pytest(unzipped, *workers, ".")
    assert "1 passed" in said
    assert "failed" not in said
    assert said.count("These differ from the released ones, and were left out:") == 1
    assert f"  {ASSIGNMENT} (changed)\n  {LESSON} (deleted)\n" in said
    assert "`course reset`" in said


def test_pytest_compares_what_is_asked_for_by_its_name(unzipped):  # noqa: F811
    for name in ("conftest.py", "tests/support/weak_asserts.py"):
        write(unzipped, name, (ROOT / name).read_text(encoding="utf-8"))
    write(unzipped, "pytest.ini", "[pytest]\n")
    type_in(unzipped / LESSON)
    said = run_pytest(unzipped, LESSON)
    assert "1 passed" in said
    assert "left out" not in said


def run_pytest(root, *arguments):
    """pytest as `make test` calls it, over the notebooks of a small course."""
    options = ("--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "--color=no")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return done.stdout
