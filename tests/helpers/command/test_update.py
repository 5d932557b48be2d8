"""`course update`: a newer release, by git or from a zip, and nothing of a reader's is lost."""

import os
import re
import shutil
import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from helpers.command import files, update, update_clone, update_unzipped
from helpers.command.changes import Changes, check_place, remove_file
from helpers.command.files import Problem, is_own_copy
from helpers.command.git import Git
from helpers.command.manifest import FOLDER, MANIFEST, Manifest, sha256, write_manifest
from helpers.command.released import Released
from tests.support import needs
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
    type_in,
    unzipped,  # noqa: F401
    write,
)

NEW = "notebooks/08-new.ipynb"


def next_release(root):
    """What the second release changes: a lesson, an assignment; one file comes and one goes."""
    make_course(root, "1.1")
    write(root, LESSON, "# A better lesson")
    write(root, ASSIGNMENT, "# A better assignment")
    write(root, NEW, "# New")
    write(root, "helpers/more/two.py", "TWO = 2\n")
    (root / "helpers/old.py").unlink()


def zipped(folder, path, top="cnn-course"):
    with zipfile.ZipFile(path, "w") as file:
        for one in sorted(folder.rglob("*")):
            if one.is_file():
                file.write(one, (top and f"{top}/") + one.relative_to(folder).as_posix())
    return path


@pytest.fixture
def release(tmp_path):
    """The folder of the second release."""
    root = tmp_path / "made" / "cnn-course"
    next_release(root)
    write_manifest(root)
    return root


@pytest.fixture(params=["zip", "flat zip", "folder", pytest.param("git", marks=needs.git)])
def course(request, release, tmp_path):
    """(the reader's folder, the words after `course update`), each way to bring a release."""
    if request.param == "git":
        root, made = (request.getfixturevalue(name) for name in ("clone", "author"))
        next_release(made)
        commit(made)
        git(made, "push", "--quiet")
        return root, []
    root = request.getfixturevalue("unzipped")
    if request.param == "folder":
        return root, [str(release.parent)]
    top = "" if request.param == "flat zip" else "cnn-course"
    return root, [str(zipped(release, tmp_path / "new release.zip", top))]


def copies(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("* (mine, *)*"))


def is_new(root, release):
    """Are the release's files there, and those it has no more gone?"""
    expected = {k: v for k, v in everything(release).items() if not k.startswith(FOLDER)}
    found = everything(root)
    return "helpers/old.py" not in found and all(found[k] == expected[k] for k in expected)


def test_an_unchanged_course_becomes_the_new_release(course, release, capsys):
    root, words = course
    assert update.main(words, root) == 0
    assert is_new(root, release)
    assert copies(root) == []
    assert not list(root.rglob("*.part"))
    said = capsys.readouterr().out
    assert NEW in said
    assert "`course lab` brings the environment up to date" in said
    assert Released.find(root).changed(root) == []
    assert update.main(words, root) == 0
    assert "Nothing to do" in capsys.readouterr().out


def test_what_both_changed_is_kept_beside_and_what_the_reader_changed_stays(
    course, release, capsys
):
    root, words = course
    type_in(root / LESSON)
    type_in(root / OTHER)
    write(root, "helpers/old.py", "OLD = 'mine'\n")
    write(root, NEW, "# I had one of this name")
    write(root, "grading/mine.txt", "mine")
    write(root, "my notes.md", "mine")
    before = everything(root)
    assert update.main(words, root) == 0
    expected = {LESSON, "helpers/old.py", NEW}
    after = everything(root)
    found = {re.sub(r" \(mine, .*\)", "", name): after[name] for name in copies(root)}
    assert found == {name: before[name] for name in expected}
    assert after[OTHER] == before[OTHER]
    assert after["grading/mine.txt"] == after["my notes.md"] == b"mine"
    assert after[LESSON] == (release / LESSON).read_bytes()
    assert after[NEW] == (release / NEW).read_bytes()
    assert "helpers/old.py" not in after
    said = capsys.readouterr().out
    assert all(name.rpartition("/")[2] in said for name in copies(root))
    assert re.search(f"left as they are:\n(  .*\n)*  {re.escape(OTHER)}\n", said)


def test_a_deleted_lesson_comes_back_only_if_the_release_changed_it(course):
    root, words = course
    (root / LESSON).unlink()
    (root / OTHER).unlink()
    assert update.main(words, root) == 0
    assert (root / LESSON).exists()
    assert not (root / OTHER).exists()
    assert copies(root) == []


def test_what_the_reader_has_from_the_release_already_needs_no_copy(course, release):
    root, words = course
    shutil.copy(release / LESSON, root / LESSON)
    shutil.copy(release / NEW, root / NEW)
    assert update.main(words, root) == 0
    assert is_new(root, release)
    assert copies(root) == []


def test_a_folder_in_the_place_of_a_new_file_is_said_and_nothing_changes(course, capsys):
    root, words = course
    write(root, f"{NEW}/mine.txt", "mine")
    type_in(root / LESSON)
    before = everything(root)
    assert update.main(words, root) == 2
    assert everything(root) == before
    assert "rename the folder" in capsys.readouterr().err
    shutil.rmtree(root / NEW)
    write(root, "helpers/more", "a file of mine")
    assert update.main(words, root) == 2
    assert (root / "helpers/more").read_text(encoding="utf-8") == "a file of mine"
    assert "rename the file" in capsys.readouterr().err


def test_a_failure_in_the_middle_loses_nothing_and_can_be_repeated(course, release, monkeypatch):
    root, words = course
    type_in(root / LESSON)
    mine = (root / LESSON).read_bytes()
    real, calls = os.replace, []

    def replace(*arguments):
        calls.append(arguments)
        if len(calls) == fails:
            raise OSError("no room on the disk")
        real(*arguments)

    fails, status = 0, 1
    while status:
        fails += 1
        calls.clear()
        monkeypatch.setattr(files.os, "replace", replace)
        status = update.main(words, root)
        monkeypatch.setattr(files.os, "replace", real)
        assert mine in everything(root).values()
        assert not list(root.rglob("*.part"))
        assert status in (0, 1)
    assert fails > 1
    assert is_new(root, release)


# --- git ---------------------------------------------------------------------------------------


@pytest.fixture
def behind(author, clone, release):  # noqa: F811
    """A clone whose upstream has the second release."""
    next_release(author)
    commit(author)
    git(author, "push", "--quiet")
    return clone


def is_clean(root):
    """No merge, no conflict, no file in the index that differs from its commit."""
    assert not (root / ".git/MERGE_HEAD").exists()
    assert git(root, "diff", "--cached", "--name-only") == ""
    assert git(root, "ls-files", "--unmerged") == ""
    assert not any(b"<<<<<<<" in data for data in everything(root).values())
    return True


def test_own_commits_are_kept_and_notebooks_are_not_merged(behind, release):
    type_in(behind / LESSON)
    write(behind, "my notes.md", "mine")
    commit(behind, "my work")
    mine = git(behind, "rev-parse", "HEAD").strip()
    type_in(behind / OTHER)
    committed, typed = (behind / LESSON).read_bytes(), (behind / OTHER).read_bytes()
    assert update.main([], behind) == 0
    assert is_clean(behind)
    (copy,) = copies(behind)
    assert (behind / copy).read_bytes() == committed
    assert (behind / LESSON).read_bytes() == (release / LESSON).read_bytes()
    assert (behind / OTHER).read_bytes() == typed
    assert (behind / "my notes.md").exists()
    parents = git(behind, "log", "-1", "--format=%P").split()
    assert parents == [mine, git(behind, "rev-parse", "origin/main").strip()]
    assert git(behind, "status", "--porcelain").split() == ["M", OTHER]
    assert update.main([], behind) == 0


def test_what_git_would_merge_by_itself_is_taken_whole(behind, release):
    """A cell at the other end of the notebook: git would weave the two into one file."""
    changed = nbformat.read(behind / LESSON, as_version=4)
    changed.cells.append(nbformat.v4.new_markdown_cell("mine", id="mine"))
    nbformat.write(changed, behind / LESSON)
    commit(behind)
    assert update.main([], behind) == 0
    assert (behind / LESSON).read_bytes() == (release / LESSON).read_bytes()
    assert len(copies(behind)) == 1


@pytest.mark.parametrize("how", ["staged", "added", "ignored", "removed from the index"])
def test_every_way_in_which_git_may_hold_a_change(behind, release, how):
    if how == "ignored":
        (behind / ".git/info/exclude").write_text(NEW, encoding="utf-8")
    name = NEW if how in ("added", "ignored") else LESSON
    write(behind, name, "# Mine")
    mine = (behind / name).read_bytes()
    if how in ("staged", "added"):
        git(behind, "add", name)
    elif how == "removed from the index":
        git(behind, "rm", "--quiet", "--cached", name)
    assert update.main([], behind) == 0
    (copy,) = copies(behind)
    assert (behind / copy).read_bytes() == mine
    assert is_new(behind, release)
    assert is_clean(behind)


def test_a_reader_without_a_name_for_git(behind, monkeypatch):
    write(behind, "my notes.md", "mine")
    commit(behind)
    for name, value in (("NOSYSTEM", "1"), ("GLOBAL", os.devnull)):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    monkeypatch.setenv("HOME", str(behind.parent))
    git(behind, "config", "user.useConfigOnly", "true")
    assert update.main([], behind) == 0
    assert len(git(behind, "log", "-1", "--format=%P").split()) == 2


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("no network", "What is new could not be fetched (fatal: '"),
        ("no upstream", "The branch of this clone has no upstream, so there is nowhere to fetch"),
        ("detached", "This clone is on no branch (a single commit was checked out): `git switch"),
        ("merge", "In this clone a merge is not finished"),
        ("nothing in common", "This clone and its upstream have no commit in common"),
        ("zip", "This folder is a git clone: git brings what is new. Run `course update` without"),
    ],
)
def test_where_git_cannot_update_it_says_why_and_changes_nothing(behind, how, says, capsys):
    type_in(behind / LESSON)
    words = []
    if how == "no network":
        git(behind, "remote", "set-url", "origin", str(behind.parent / "gone.git"))
    elif how == "no upstream":
        git(behind, "branch", "--quiet", "--unset-upstream")
    elif how == "detached":
        git(behind, "checkout", "--quiet", "--detach")
    elif how == "merge":
        (behind / ".git/MERGE_HEAD").write_text(git(behind, "rev-parse", "HEAD"), encoding="utf-8")
    elif how == "nothing in common":
        git(behind, "checkout", "--quiet", "--orphan", "other")
        git(behind, "commit", "--quiet", "-m", "other", "--", OTHER)
        git(behind, "branch", "--quiet", "-u", "origin/main")
    else:
        words = ["new.zip"]
    before, head = everything(behind), git(behind, "rev-parse", "HEAD")
    status = git(behind, "status", "--porcelain")
    assert update.main(words, behind) == 2
    said = capsys.readouterr().err
    assert said.startswith(says)
    assert len(said.splitlines()) == 1
    assert everything(behind) == before
    assert git(behind, "rev-parse", "HEAD") == head
    assert git(behind, "status", "--porcelain") == status


@pytest.mark.parametrize("own_commits", [False, True])
@pytest.mark.parametrize("fails", ["reset", "checkout", "merge"])
def test_a_failing_git_leaves_all_as_it_was(behind, monkeypatch, own_commits, fails, capsys):
    type_in(behind / LESSON)
    if own_commits:
        commit(behind)
        type_in(behind / LESSON, "and more")
    type_in(behind / OTHER)
    git(behind, "add", OTHER)
    write(behind, NEW, "# Untracked")
    before, head = everything(behind), git(behind, "rev-parse", "HEAD")
    status = git(behind, "status", "--porcelain")
    real = Git.run

    def run(self, *arguments, **rest):
        done = real(self, *arguments, **rest)
        if arguments[0] == fails:  # it did its work and then failed
            done.returncode, done.stderr = 1, b"fatal: trouble"
        return done

    monkeypatch.setattr(Git, "run", run)
    assert update.main([], behind) == 2
    monkeypatch.setattr(Git, "run", real)
    assert (
        f"git {fails} failed: fatal: trouble. Everything is as it was." in capsys.readouterr().err
    )
    assert everything(behind) == before
    assert git(behind, "rev-parse", "HEAD") == head
    assert git(behind, "status", "--porcelain") == status
    assert update.main([], behind) == 0
    assert len(copies(behind)) == 2


# --- zips --------------------------------------------------------------------------------------


def refused(root, source, capsys, *more):
    """What `course update` says when it refuses; nothing was changed."""
    before = everything(root)
    assert update.main([str(source), *more], root) == 2
    assert everything(root) == before
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    return said


def test_without_an_old_list_what_differs_is_taken_for_the_readers(unzipped, release):  # noqa: F811
    shutil.rmtree(unzipped / FOLDER)
    type_in(unzipped / OTHER)
    assert update.main([str(release)], unzipped) == 0
    kept = {re.sub(r" \(mine, .*\)", "", name) for name in copies(unzipped)}
    assert kept == {LESSON, OTHER, ASSIGNMENT, "pyproject.toml"}
    assert Manifest.of(unzipped).version == "1.1"
    assert (unzipped / "helpers/old.py").exists()  # nothing tells that it was a release's


def test_without_a_path_it_asks_for_one(unzipped, capsys):  # noqa: F811
    assert update.main([], unzipped) == 2
    assert "course update ~/Downloads/cnn-course.zip" in capsys.readouterr().err


def test_an_older_release_is_refused_unless_it_is_asked_for(unzipped, tmp_path, capsys):  # noqa: F811
    older = tmp_path / "older"
    make_course(older, "0.9.12")
    write_manifest(older)
    assert refused(unzipped, older, capsys) == (
        "The release is 0.9.12, older than the 1.0 that is here. Nothing was changed; `course "
        "update --older` and the zip takes it all the same.\n"
    )
    assert update.main([str(older), "--older"], unzipped) == 0
    assert Manifest.of(unzipped).version == "0.9.12"


def test_version_numbers_are_compared_as_numbers():
    assert update_unzipped.numbers("0.10.0") > update_unzipped.numbers("0.9.12")


def test_what_is_no_release_is_refused(unzipped, release, tmp_path, capsys):  # noqa: F811
    path = tmp_path / "a.zip"
    assert refused(unzipped, path, capsys) == f"There is no file and no folder {path}.\n"
    path.write_text("no zip", encoding="utf-8")
    said = f"{path} is not a zip, or it was cut off: download it again.\n"
    assert refused(unzipped, path, capsys) == said
    none = (
        "In {} there is no release of the course (.released/manifest.json is missing): take the "
        "zip that your instructor gives out, as it is.\n"
    )
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("cnn-course/README.md", "no manifest")
    assert refused(unzipped, path, capsys) == none.format(path)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(unzipped, empty, capsys) == none.format(empty)
    for own in (unzipped, unzipped.parent):
        said = f"{own} leads to this course itself: say where the new one is.\n"
        assert refused(unzipped, own, capsys) == said
    data = Manifest("other", "9", {}, sha256(b"")).to_bytes()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(MANIFEST, data)
    said = "This is the course small, and the release is one of other.\n"
    assert refused(unzipped, path, capsys) == said
    shutil.rmtree(unzipped / FOLDER)  # then pyproject.toml says which course it is
    assert refused(unzipped, path, capsys) == said
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"a/{MANIFEST}", data)
        file.writestr(f"b/{MANIFEST}", data)
    assert refused(unzipped, path, capsys) == none.format(path)


@pytest.mark.parametrize(
    ("sizes", "fits"),
    [
        ([0] * 5_000, True),
        ([0] * 5_001, False),
        ([100 * 2**20, 100 * 2**20], True),
        ([200 * 2**20, 1], False),
    ],
    ids=["5,000 files", "one more", "200 MiB", "a byte more"],
)
def test_a_release_has_5_000_files_and_200_mib_at_most(sizes, fits):
    infos = [
        zipfile.ZipInfo(f"course/{number}" if number else f"course/{MANIFEST}")
        for number in range(len(sizes))
    ]
    for info, size in zip(infos, sizes, strict=True):
        info.file_size = size
    file = SimpleNamespace(infolist=lambda: infos, namelist=lambda: [i.filename for i in infos])
    if fits:
        update_unzipped.Zipped(Path("a.zip"), file)
    else:
        with pytest.raises(Problem, match="far too large"):
            update_unzipped.Zipped(Path("a.zip"), file)


def test_a_release_has_so_many_files_and_bytes_at_most(unzipped, release, monkeypatch):  # noqa: F811
    source = zipped(release, release.parent / "a.zip")
    with zipfile.ZipFile(source) as file:
        infos = file.infolist()
    bounds = {"MOST_FILES": len(infos), "MOST_BYTES": sum(info.file_size for info in infos)}
    for name, bound in bounds.items():
        with monkeypatch.context() as patch, zipfile.ZipFile(source) as file:
            patch.setattr(update_unzipped, name, bound)
            update_unzipped.Zipped(source, file)
            patch.setattr(update_unzipped, name, bound - 1)
            with pytest.raises(Problem, match=f"^{re.escape(str(source))} is far too large for"):
                update_unzipped.Zipped(source, file)
    named = len(Manifest.of(release).files)
    monkeypatch.setattr(update_unzipped, "MOST_FILES", named - 1)
    with pytest.raises(Problem, match="far too large"):
        update_unzipped.bring(unzipped, update_unzipped.Unzipped(release), older=False)
    monkeypatch.setattr(update_unzipped, "MOST_FILES", named)
    update_unzipped.bring(unzipped, update_unzipped.Unzipped(release), older=False)


def test_a_release_of_the_same_version_is_taken(unzipped, release):  # noqa: F811
    manifest = Manifest.of(release)
    same = Manifest(manifest.name, "1.0", manifest.files, manifest.originals)
    (release / MANIFEST).write_bytes(same.to_bytes())
    assert update.main([str(release)], unzipped) == 0


@pytest.mark.parametrize("kind", ["zip", "folder"])
@pytest.mark.parametrize("how", ["missing", "changed", "large", "path", "link"])
def test_a_release_that_is_not_whole_or_not_safe_is_refused(
    unzipped,  # noqa: F811
    release,
    tmp_path,
    capsys,
    monkeypatch,
    kind,
    how,
):
    type_in(unzipped / LESSON)
    last = release / "pyproject.toml"
    if how == "missing":
        last.unlink()
    elif how == "changed":
        last.write_text("# changed", encoding="utf-8")
    elif how == "large":
        monkeypatch.setattr(update_unzipped, "MOST_BYTES", 1000)
    elif how == "path":
        manifest = Manifest.of(release)
        bad = Manifest(manifest.name, "2", {"../evil": sha256(b"")}, manifest.originals)
        (release / MANIFEST).write_bytes(bad.to_bytes())
    elif how == "link" and kind == "folder":
        data = last.read_bytes()
        last.unlink()
        (tmp_path / "elsewhere").write_bytes(data)
        try:
            last.symlink_to(tmp_path / "elsewhere")
        except OSError:
            pytest.skip("this system lets nobody make links")
    source = release if kind == "folder" else zipped(release, tmp_path / "a.zip")
    if how == "link" and kind == "zip":
        with zipfile.ZipFile(source, "a") as file:
            info = zipfile.ZipInfo("cnn-course/link")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            file.writestr(info, "/etc/passwd")
    says = {
        "missing": "not whole: pyproject.toml is missing",
        "changed": "damaged: pyproject.toml is not what was released",
        "large": "far too large",
        "path": "'../evil', which is not a release's to write",
        "link": "holds a link",
    }
    assert says[how] in refused(unzipped, source, capsys)


@pytest.mark.parametrize("name", ["../evil", "/evil", "cnn-course/../../evil", "C:/evil"])
def test_a_zip_with_a_path_that_leads_out_is_refused(unzipped, release, tmp_path, name, capsys):  # noqa: F811
    source = zipped(release, tmp_path / "a.zip")
    with zipfile.ZipFile(source, "a") as file:
        file.writestr(name, "evil")
    assert "leads out of the folder" in refused(unzipped, source, capsys)


def test_a_zip_that_promises_little_and_holds_much_is_refused(
    unzipped,  # noqa: F811
    release,
    tmp_path,
    monkeypatch,
    capsys,
):
    """The sizes in a zip's directory are only what it says."""
    source = zipped(release, tmp_path / "a.zip")
    monkeypatch.setattr(update_unzipped, "MOST_BYTES", 3000)
    real = zipfile.ZipFile.infolist

    def small(self):
        return [zipfile.ZipInfo(info.filename) for info in real(self)]

    monkeypatch.setattr(zipfile.ZipFile, "infolist", small)
    assert "far too large" in refused(unzipped, source, capsys)


def test_a_damaged_zip_is_refused(unzipped, release, tmp_path, capsys):  # noqa: F811
    source = zipped(release, tmp_path / "a.zip")
    data = bytearray(source.read_bytes())
    place = data.index(b"A better lesson")
    data[place : place + 8] = b"X" * 8
    source.write_bytes(data)
    assert "is damaged" in refused(unzipped, source, capsys)


@needs.git
def test_a_release_inside_a_readers_own_repository_is_updated_from_a_zip(unzipped, release):  # noqa: F811
    git(unzipped, "init", "--quiet")
    commit(unzipped)
    assert update.main([str(release)], unzipped) == 0
    assert is_new(unzipped, release)


def test_long_lists_name_the_notebooks_and_count_the_others():
    names = [f"helpers/{n}.py" for n in range(20)]
    assert update.listed("New", names) == ["New:", "  20 files"]
    assert update.listed("New", [*names, NEW]) == ["New:", f"  {NEW}", "  and 20 more"]
    assert update.listed("New", []) == []


def test_the_report_says_what_was_done_in_its_order():
    changes = Changes(
        "release 2",
        new=["a.py", "b.ipynb"],
        removed=["c.py"],
        kept=[("b.ipynb", "b (mine).ipynb")],
        stayed=["d.ipynb"],
    )
    kept = [
        "You and the release both changed these. Yours are kept beside the new ones:",
        "  b.ipynb\n    yours: b (mine).ipynb",
    ]
    stayed = ["Changed by you alone, and left as they are:", "  d.ipynb"]
    reload = [
        "Reload what is open in JupyterLab: File, Reload Notebook from Disk. The next `course lab` "
        "brings the environment up to date."
    ]
    removed = ["Removed, because the release has them no more:", "  c.py"]
    now = ["This is release 2 now."]
    new = ["New or changed:", "  a.py", "  b.ipynb"]
    assert update.report(changes) == now + new + removed + kept + stayed + reload
    assert update.report(Changes("release 2", removed=["c.py"])) == now + removed + reload
    assert update.report(Changes("release 2", new=changes.new)) == now + new + reload
    assert update.report(Changes("release 2", kept=changes.kept)) == now + kept
    nothing = ["Nothing to do: this is release 2 already."]
    assert update.report(Changes("release 2", stayed=["d.ipynb"])) == nothing + stayed


def test_a_list_of_twelve_is_shown_whole_and_one_more_is_not():
    names = [f"helpers/{n}.py" for n in range(13)]
    assert update.listed("New", names[:12]) == ["New:", *(f"  {name}" for name in names[:12])]
    assert update.listed("New", names) == ["New:", "  13 files"]
    notebooks = [f"{n}.ipynb" for n in range(14)]
    shown = ["New:", *(f"  {name}" for name in notebooks[:12]), "  and 2 more"]
    assert update.listed("New", notebooks) == shown


def test_a_disk_that_is_full_is_said_with_what_to_do(unzipped, monkeypatch, capsys):  # noqa: F811
    def full(root, release, older):
        raise OSError("no room")

    monkeypatch.setattr(update, "update", full)
    assert update.main(["x"], unzipped) == 1
    assert capsys.readouterr().err == (
        "The update could not go on: no room. Nothing of yours is lost: put that right (is the "
        "file open in another program? is there room on the disk?), then run the same command "
        "again.\n"
    )


def test_what_is_in_the_place_of_something_new_is_named(tmp_path):
    write(tmp_path, "a/b/c.py", "")
    check_place(tmp_path, "a/b/c.py", set())
    check_place(tmp_path, "a/new/d.py", set())
    with pytest.raises(Problem) as folder:
        check_place(tmp_path, "a/b", set())
    assert str(folder.value) == (
        "The release brings a file a/b, and here this is a folder: rename the folder, then run "
        "the same command again. Nothing was changed."
    )
    with pytest.raises(Problem) as file:
        check_place(tmp_path, "a/b/c.py/d/e.py", {"a/b"})
    assert str(file.value) == (
        "The release brings a folder a/b/c.py, and here this is a file: rename the file, then "
        "run the same command again. Nothing was changed."
    )
    check_place(tmp_path, "a/b/c.py/d/e.py", {"a/b/c.py"})


def test_folders_that_are_empty_without_a_file_go_with_it(tmp_path):
    root = tmp_path / "root"
    for name in ("a/b/c/one.py", "a/b/c/two.py", "a/three.py"):
        write(root, name, "")
    remove_file(root, "a/b/c/one.py")
    assert set(everything(root)) == {"a/b/c/two.py", "a/three.py"}
    remove_file(root, "a/b/c/two.py")
    remove_file(root, "a/no.py")
    assert [path.name for path in (root / "a").iterdir()] == ["three.py"]
    remove_file(root, "a/three.py")
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "noun"),
    [
        ("MERGE_HEAD", "a merge"),
        ("rebase-merge", "a rebase"),
        ("rebase-apply", "a rebase"),
        ("CHERRY_PICK_HEAD", "a cherry-pick"),
        ("REVERT_HEAD", "a revert"),
    ],
)
def test_what_is_going_on_in_a_clone_is_named(tmp_path, name, noun):
    (tmp_path / name).mkdir()
    with pytest.raises(Problem) as told:
        update_clone.check_state(SimpleNamespace(folder=tmp_path))
    assert str(told.value) == (
        f"In this clone {noun} is not finished (`git status` says how to end it): finish it, then "
        "run `course update` again. Nothing was changed."
    )


def test_many_names_are_given_to_git_in_portions():
    names = [f"{n}" for n in range(250)]
    portions = list(update_clone.in_portions(names))
    assert [len(some) for some in portions] == [100, 100, 50]
    assert [name for some in portions for name in some] == names


def test_the_copys_name_is_one_that_the_course_passes_over(course):
    root, words = course
    type_in(root / LESSON)
    assert update.main(words, root) == 0
    assert all(is_own_copy(name) for name in copies(root))
    assert [path.name for path in files.lessons(root)] == [
        "05-mnist-net.ipynb",
        "07-alexnet.ipynb",
        "08-new.ipynb",
    ]
    assert notebook("# New") == nbformat.read(root / NEW, as_version=4)
