"""helpers/command/environment.py: when it installs, what it checks first, what a failure leaves.

The slow steps, making an environment and installing, are replaced; test_course_for_real.py has
them.
"""

import importlib.util
import json
import platform
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.command import environment, installer, prerequisites, venv_folder
from helpers.command.files import Problem
from tests.support.small_repository import VERSIONS, repository

__all__ = ["repository"]  # a fixture

HERE = "{}.{}".format(*sys.version_info)


class Runs:
    """Stands for what runs commands: makes an environment out of a link, and plays the installer.

    `installed` holds what was asked for, `installs` is what installing then does, `works` whether
    the course can be imported afterwards, `shown` whether Python's own message was in view then,
    `linked` counts how often the course itself was linked.
    """

    def __init__(self):
        self.installed = []
        self.environments = self.linked = 0
        self.installs = lambda: 0
        self.works = self.whole = True
        self.shown = []

    def probe(self, change, show=False):
        self.shown.append(show)
        return self.works

    def __call__(self, command, environ=None):
        if "venv" in command:
            python = venv_folder.venv_python(command[-1])
            python.parent.mkdir(parents=True, exist_ok=True)
            if not python.exists():
                python.symlink_to(sys.executable)
            self.environments += "--without-pip" not in command
            return 0
        if "-e" in command:
            self.linked += 1
            return 0
        self.installed.append([str(part) for part in command])
        return self.installs()

    def asked(self, index=-1):
        """The requirements of one installation."""
        command = self.installed[index]
        return command[command.index("-c") + 2 :]


@pytest.fixture
def runs(monkeypatch):
    """Replaces the slow steps, and gives the disk room enough."""
    runs = Runs()

    def runner(root, lock):
        assert (root / "pyproject.toml").exists()
        assert len(lock) == 1
        return runs

    monkeypatch.setattr(environment, "runner", runner)
    monkeypatch.setattr(
        environment.Change, "probe", lambda self, show=False: runs.probe(self, show)
    )
    monkeypatch.setattr(installer, "is_environment", lambda python: runs.whole)
    monkeypatch.setattr(installer, "ask_pip", lambda python: {})
    monkeypatch.setattr(installer, "find_uv", lambda *arguments: None)
    monkeypatch.setattr(installer, "answers", lambda index: False)
    monkeypatch.setattr(shutil, "disk_usage", disk_with(100))
    return runs


def disk_with(gigabytes):
    return lambda path: SimpleNamespace(total=500 * 10**9, used=0, free=int(gigabytes * 10**9))


def install(root, *extras, supported=VERSIONS, other=None):
    environment.install(root, list(extras), supported, lambda versions: other)


def change(path, old, new):
    """Replace a piece of a file that must be in it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def edit_state(root, **changes):
    state = venv_folder.read_state(root / ".venv")
    venv_folder.write_state(root / ".venv", **{**state, **changes})


def need_more(root):
    """Let the course ask for a package that it did not ask for before."""
    change(root / "pyproject.toml", 'dependencies = ["pip"]', 'dependencies = ["pip", "more>=1"]')


def answer(value):
    return lambda: value


def stopped_by_hand():
    raise KeyboardInterrupt


# --- when it installs --------------------------------------------------------------------------


def test_second_call_does_nothing(repository, runs, monkeypatch):
    install(repository, "dev")
    monkeypatch.setattr(environment, "only_one", pytest.fail)  # and waits for nobody
    install(repository, "dev")
    install(repository)
    assert (len(runs.installed), runs.linked, runs.environments) == (1, 1, 1)


def test_further_extras_are_added_to_the_earlier_ones(repository, runs):
    change(repository / "pyproject.toml", "dev = []", 'dev = ["d>=1"]')
    change(repository / "pyproject.toml", "e2e = []", 'e2e = ["e>=1"]')
    install(repository, "e2e")
    install(repository, "dev")
    install(repository, "e2e", "dev")
    assert [runs.asked(i) for i in range(len(runs.installed))] == [
        ["pip", "e>=1"],
        ["pip", "d>=1", "e>=1"],
    ]
    assert runs.environments == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [("pyproject.toml", "\n[project.optional-dependencies]"), ("constraints.txt", "numpy==2.0\n")],
)
def test_a_changed_requirement_installs_again_in_the_same_environment(repository, runs, name, line):
    install(repository)
    if name == "pyproject.toml":
        need_more(repository)
    else:
        (repository / name).write_text(line)
    install(repository)
    install(repository)
    assert (len(runs.installed), runs.environments) == (2, 1)


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_comment_changes_nothing(repository, runs, name):
    install(repository)
    with (repository / name).open("a") as file:
        file.write("\n# a comment\n")
    runs.installs = answer(1)
    install(repository)
    assert (len(runs.installed), runs.linked) == (1, 1)


def test_a_changed_program_links_the_course_anew_and_installs_nothing(repository, runs):
    install(repository)
    change(repository / "pyproject.toml", 'course = "course:main"', 'course = "course:other"')
    install(repository)
    install(repository)
    assert (len(runs.installed), runs.linked) == (1, 2)


def test_a_killed_first_installation_is_begun_afresh(repository, runs, capsys):
    (repository / ".venv/half-a-package").mkdir(parents=True)
    venv_folder.write_state(repository / ".venv", state="installing")
    install(repository)
    assert "Making .venv afresh: the last installation was cut off." in capsys.readouterr().out
    assert not (repository / ".venv/half-a-package").exists()
    assert runs.environments == 1


def test_a_python_that_is_no_longer_supported_is_begun_afresh(repository, runs, capsys):
    install(repository)
    need_more(repository)
    install(repository, supported=["3.99"])
    assert "not one of those the course works with" in capsys.readouterr().out
    assert runs.environments == 2
    assert not (repository / ".venv-before").exists()


def test_another_build_of_torch_is_made_afresh_when_it_is_asked_for(repository, runs, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    install(repository)
    assert venv_folder.read_state(repository / ".venv")["torch"] == "cuda"
    monkeypatch.setenv("COURSE_TORCH", "cuda")
    install(repository)
    assert runs.environments == 1
    monkeypatch.setenv("COURSE_TORCH", "cpu")
    monkeypatch.setattr(installer, "answers", lambda index: True)
    monkeypatch.setattr(environment.Change, "torch_build", lambda self: "cpu")
    install(repository)
    install(repository)
    assert (len(runs.installed), runs.environments) == (3, 2)
    assert installer.TORCH_CPU in runs.installed[1]  # into the new one, which is empty


def test_a_working_environment_made_by_hand_is_used(repository, runs, monkeypatch):
    monkeypatch.setattr(environment, "has_pip", lambda venv: True)
    runs(["venv", repository / ".venv"])
    (repository / ".venv/mine").touch()
    install(repository)
    assert (repository / ".venv/mine").exists()
    assert len(runs.installed) == 1


def test_an_environment_made_by_hand_outlives_a_killed_installation(repository, runs, monkeypatch):
    monkeypatch.setattr(environment, "has_pip", lambda venv: True)
    runs(["venv", repository / ".venv"])
    (repository / ".venv/mine").touch()
    venv_folder.write_state(repository / ".venv", state="installing", before={}, by_hand=True)
    install(repository)
    assert (repository / ".venv/mine").exists()


def test_a_broken_environment_made_by_hand_is_not_deleted(repository, runs):
    (repository / ".venv").mkdir()
    (repository / ".venv/mine").touch()
    with pytest.raises(Problem, match="was not made by this command"):
        install(repository)
    assert (repository / ".venv/mine").exists()


# --- nothing that works is thrown away ---------------------------------------------------------


def test_a_moved_folder_is_mended_without_installing(repository, runs):
    install(repository)
    script = repository / ".venv/bin/jupyter"
    script.write_text(f"#!{repository}/.venv/bin/python\nprint()\n")
    long = repository / ".venv/bin/pytest"
    long.write_text(f"#!/bin/sh\n'''exec' \"{repository}/.venv/bin/python\" \"$0\" \"$@\"\n' '''\n")
    tail = "#" * 700 + f"{repository}/.venv/bin/python\n"
    (repository / ".venv/bin/course").write_text(script.read_text() + tail)
    runs.installs = answer(1)
    moved = repository.rename(repository.with_name("moved"))
    install(moved)
    assert (len(runs.installed), runs.environments, runs.linked) == (1, 1, 2)
    assert (moved / ".venv/bin/course").read_text() == (
        f"#!{moved}/.venv/bin/python\nprint()\n{tail}"
    )
    for name in ("jupyter", "pytest"):
        text = (moved / ".venv/bin" / name).read_text()
        assert f"{moved}/.venv/bin/python" in text
        assert str(repository) not in text
    install(moved)
    assert runs.linked == 2


def python_is_gone(root):
    """What is left when the system takes away the Python that an environment was made with."""
    edit_state(root, python="3.10")
    python = venv_folder.venv_python(root / ".venv")
    python.unlink()
    python.symlink_to("/no/such/python")


def test_a_python_that_is_elsewhere_by_now_is_found_again(repository, runs, tmp_path):
    install(repository)
    edit_state(repository, python="3.10")
    other = tmp_path / "python3.10"
    other.write_text("#!/bin/sh\necho 3.10\n")
    other.chmod(0o755)

    def make(command, environ=None):
        if "venv" in command:
            assert command[0] == str(other)
            venv_folder.venv_python(command[-1]).symlink_to(other)
            return 0
        return runs(command, environ)

    change_of = environment.Change(repository, [], ["3.10"], lambda v: str(other), make)
    change_of.make()
    assert venv_folder.read_state(repository / ".venv")["python"] == "3.10"
    assert (len(runs.installed), runs.environments) == (1, 1)


def test_a_python_that_is_gone_makes_a_new_environment_and_then_deletes_the_old_one(
    repository, runs, capsys
):
    install(repository)
    (repository / ".venv/old").touch()
    python_is_gone(repository)

    def while_installing():
        assert (repository / ".venv-before/old").exists()
        return 0

    runs.installs = while_installing
    install(repository)
    assert "the Python 3.10 that it was made with is gone" in capsys.readouterr().out
    assert (len(runs.installed), runs.environments) == (2, 2)
    assert not (repository / ".venv-before").exists()
    assert not (repository / ".venv/old").exists()


@pytest.mark.parametrize("failure", [answer(1), stopped_by_hand])
def test_the_old_environment_is_put_back_when_the_new_one_fails(repository, runs, failure):
    install(repository)
    (repository / ".venv/old").touch()
    python_is_gone(repository)
    runs.installs, runs.works = failure, False
    with pytest.raises(Problem, match="cannot be used, because"):
        install(repository)
    assert (repository / ".venv/old").exists()
    assert not (repository / ".venv-before").exists()


@pytest.mark.parametrize("build", ["auto", "cuda"])
def test_an_old_environment_that_works_is_used_when_the_new_one_fails(
    repository, runs, monkeypatch, capsys, build
):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("COURSE_TORCH", build)
    install(repository)
    need_more(repository)
    runs.installs = answer(1)
    install(repository, supported=["3.99"])
    assert "It goes on with those that were installed before" in capsys.readouterr().out
    assert not environment.is_ready(repository, [])  # the next call tries again


def test_packages_that_cannot_be_had_now_do_not_stop_the_course(repository, runs, capsys):
    install(repository, "dev")
    need_more(repository)
    runs.installs = answer(1)
    install(repository)
    assert "It goes on with those that were installed before" in capsys.readouterr().out
    # Some packages may be new by now, so that it does not hold what it held before, either.
    change(repository / "pyproject.toml", '["pip", "more>=1"]', '["pip"]')
    assert not environment.is_ready(repository, ["dev"])
    runs.installs = answer(0)
    install(repository)
    assert environment.is_ready(repository, ["dev"])


def test_packages_that_a_verb_needs_are_not_done_without(repository, runs):
    install(repository)
    runs.installs = answer(1)
    with pytest.raises(Problem, match="The installation failed"):
        install(repository, "dev")
    runs.installs = answer(0)
    install(repository)
    install(repository, "dev")
    assert runs.environments == 1


def test_an_environment_that_does_not_work_any_more_is_not_gone_on_with(repository, runs):
    install(repository)
    need_more(repository)
    runs.installs, runs.works = answer(1), False
    with pytest.raises(Problem, match=r"\)\. Run the same command again to go on\.$"):
        install(repository)
    assert runs.shown[1:] == [False]


def test_an_update_that_was_killed_keeps_the_old_environment_until_the_new_one_stands(
    repository, runs, capsys
):
    install(repository, "dev")
    (repository / ".venv/old").touch()
    (repository / ".venv/tmp").mkdir()
    before = venv_folder.read_state(repository / ".venv")
    venv_folder.write_state(repository / ".venv", state="installing", before=before)
    runs.installs = answer(1)
    install(repository, "dev")
    assert (repository / ".venv/old").exists()
    runs.installs = answer(0)
    install(repository)
    assert environment.is_ready(repository, ["dev"])


def test_a_replacement_that_was_killed_is_undone_first(repository, runs):
    install(repository)
    (repository / ".venv/old").touch()
    venv_folder.move_aside(repository / ".venv")
    (repository / ".venv").mkdir()
    venv_folder.write_state(repository / ".venv", state="installing")
    install(repository)
    assert (repository / ".venv/old").exists()
    assert not (repository / ".venv-before").exists()
    assert runs.environments == 1


def test_an_old_environment_whose_deletion_was_killed_is_deleted(repository, runs):
    install(repository)
    shutil.copytree(repository / ".venv", repository / ".venv-before", symlinks=True)
    (repository / ".venv/new").touch()
    edit_state(repository, link="another")
    install(repository)
    assert (repository / ".venv/new").exists()
    assert not (repository / ".venv-before").exists()


def test_ready_is_said_only_when_the_course_works(repository, runs, capsys):
    runs.works = False
    with pytest.raises(Problem, match="the course does not work with them"):
        install(repository)
    assert "Ready" not in capsys.readouterr().out
    assert not (repository / ".venv").exists()
    assert runs.shown == [True]
    runs.works = True
    install(repository)
    assert f"Ready: {repository / '.venv'}" in capsys.readouterr().out


@pytest.mark.parametrize("more", [False, True])
def test_an_environment_of_which_parts_were_deleted_is_made_afresh(repository, runs, capsys, more):
    install(repository)
    if more:
        need_more(repository)
    else:
        edit_state(repository, link="another")
    runs.whole = False

    def make(command, environ=None):
        runs.whole = runs.whole or "venv" in command
        return runs(command, environ)

    environment.Change(repository, [], VERSIONS, lambda versions: None, make).make()
    assert "Making .venv afresh: parts of it were deleted." in capsys.readouterr().out
    assert (len(runs.installed), runs.environments) == (2, 2)


def test_what_is_asked_for_by_name_is_not_done_without(repository, runs, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    install(repository)
    monkeypatch.setenv("COURSE_TORCH", "cpu")
    with pytest.raises(Problem, match="the small build of PyTorch, and its index"):
        install(repository)
    monkeypatch.setenv("COURSE_TORCH", "auto")
    install(repository)
    assert runs.environments == 1


def test_a_variable_that_means_nothing_is_told_before_anything_is_done(
    repository, runs, monkeypatch
):
    install(repository)
    need_more(repository)
    monkeypatch.setenv("COURSE_INSTALLER", "foo")
    with pytest.raises(Problem, match="COURSE_INSTALLER=foo"):
        install(repository)
    assert len(runs.installed) == 1


# --- what a failure leaves behind --------------------------------------------------------------


@pytest.mark.parametrize("failure", [answer(1), stopped_by_hand])
def test_a_failure_takes_a_new_environment_away_again(repository, runs, failure):
    runs.installs = failure
    with pytest.raises(Problem, match="Nothing was left behind"):
        install(repository)
    assert not (repository / ".venv").exists()


def test_ctrl_c_keeps_an_environment_that_was_there(repository, runs):
    install(repository)
    runs.installs = stopped_by_hand
    with pytest.raises(Problem, match=r"^Stopped\. Run the same command again to go on\.$"):
        install(repository, "dev")
    assert not environment.is_ready(repository, [])
    runs.installs = answer(0)
    install(repository, "dev")
    assert (len(runs.installed), runs.environments) == (3, 1)


def test_a_link_to_a_larger_disk_stays(repository, runs, tmp_path):
    (tmp_path / "large").mkdir()
    (repository / ".venv").symlink_to(tmp_path / "large")
    runs.installs = answer(1)
    with pytest.raises(Problem):
        install(repository)
    assert (repository / ".venv").is_symlink()
    assert list((tmp_path / "large").iterdir()) == []


def test_behind_a_link_the_old_environment_is_moved_aside_on_the_larger_disk(
    repository, runs, tmp_path
):
    (tmp_path / "large").mkdir()
    (repository / ".venv").symlink_to(tmp_path / "large")
    install(repository)
    (repository / ".venv/old").touch()
    runs.installs = answer(1)
    edit_state(repository, packages=None)
    install(repository, supported=["3.99"])  # moved aside, and put back
    assert (repository / ".venv").is_symlink()
    assert (tmp_path / "large/old").exists()
    runs.installs = answer(0)
    install(repository, supported=["3.99"])
    assert (repository / ".venv").is_symlink()
    assert not (tmp_path / "large/old").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a repository", "large"]


def test_removal_that_is_cut_off_is_noticed(repository, runs, monkeypatch):
    install(repository)
    (repository / ".venv/aa").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda path: stopped_by_hand())
        with pytest.raises(KeyboardInterrupt):
            venv_folder.remove(repository / ".venv")
    assert venv_folder.read_state(repository / ".venv") == {"state": "installing"}


# --- what is checked before anything is made ---------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "small", "enough"),
    [
        ("linux", False, 9),
        ("linux", True, 3),
        ("darwin", False, 3),
    ],
)
def test_a_full_disk_is_one_sentence_and_no_environment(
    repository, runs, monkeypatch, platform, small, enough
):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(installer, "answers", lambda index: small)
    monkeypatch.setattr(installer, "has_nvidia_card", lambda: False)
    monkeypatch.setattr(shutil, "disk_usage", disk_with(enough - 0.1))
    with pytest.raises(Problem, match=f"needs about {enough} GB, and {enough - 0.1}"):
        install(repository)
    assert not (repository / ".venv").exists()
    monkeypatch.setattr(shutil, "disk_usage", disk_with(enough))
    install(repository)


def test_little_room_is_enough_when_torch_is_there(repository, runs, monkeypatch):
    install(repository)
    (repository / ".venv/lib/python3.11/site-packages/torch").mkdir(parents=True)
    monkeypatch.setattr(shutil, "disk_usage", disk_with(1))
    install(repository, "dev")
    assert len(runs.installed) == 2


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_missing_venv_module_names_the_package(repository, runs, monkeypatch, missing):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == missing else find_spec(name),
    )
    package = "python{}.{}-venv".format(*sys.version_info)
    with pytest.raises(Problem, match=f"sudo apt install {package}"):
        install(repository)
    assert not (repository / ".venv").exists()


def test_an_unknown_extra_names_the_known_ones(repository, runs):
    with pytest.raises(Problem, match="'dve': take one of dev, e2e"):
        install(repository, "dve")
    assert not (repository / ".venv").exists()


@pytest.mark.parametrize(
    ("system", "machine", "release", "libc", "words"),
    [
        ("Darwin", "x86_64", "15.1", "", "no builds for Intel Macs"),
        ("Darwin", "arm64", "13.6.1", "", "needs macOS 14 or newer, and this is macOS 13.6.1"),
        ("Darwin", "arm64", "14.0", "", None),
        ("Darwin", "arm64", "26.1", "", None),
        ("Linux", "x86_64", "", "", "C library glibc"),
        ("Linux", "aarch64", "", "glibc", None),
        ("Windows", "AMD64", "", "", None),
    ],
)
def test_a_machine_without_builds_of_pytorch_is_told_in_one_sentence(
    repository, runs, monkeypatch, system, machine, release, libc, words
):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "mac_ver", lambda: (release, ("", "", ""), machine))
    monkeypatch.setattr(platform, "libc_ver", lambda: (libc, "2.36"))
    if words is None:
        prerequisites.check_machine()
        return
    with pytest.raises(Problem, match=words):
        install(repository)
    assert not (repository / ".venv").exists()


def test_the_oldest_macos_is_that_of_the_sentence_in_the_readme():
    text = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert f"macOS {prerequisites.OLDEST_MACOS}" in text


# --- what it installs with ---------------------------------------------------------------------


def test_the_small_torch_is_installed_first_from_its_own_index(repository, runs, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(installer, "has_nvidia_card", lambda: False)
    monkeypatch.setattr(installer, "answers", lambda index: True)
    monkeypatch.setenv("COURSE_TORCH_INDEX", "the-index")
    change(repository / "pyproject.toml", 'dependencies = ["pip"]', 'dependencies = ["torch>=2.5"]')
    (repository / "constraints.txt").write_text("torch==2.9.0\n")
    install(repository)
    first, second = runs.installed
    assert first[-4:] == ["--no-deps", "-i", "the-index", "torch==2.9.0"]
    assert second[-1] == "torch>=2.5"


def test_an_update_of_the_small_torch_stays_with_the_small_one(repository, runs, monkeypatch):
    """Also where its index does not answer at once: the large one would fill the disk."""
    monkeypatch.setattr(sys, "platform", "linux")
    install(repository)
    (repository / ".venv/lib/python3.11/site-packages/torch").mkdir(parents=True)
    edit_state(repository, torch="cpu")
    need_more(repository)
    install(repository)
    assert installer.TORCH_CPU in runs.installed[-2]


def test_pip_takes_over_where_uv_fails(repository, runs, monkeypatch, capsys):
    uv = installer.Installer("uv", Path("python"), ("uv", "pip", "install"), {})
    monkeypatch.setattr(installer, "find_uv", lambda *arguments: uv)
    runs.installs = lambda: int(runs.installed[-1][0] == "uv")
    install(repository)
    assert [command[0] == "uv" for command in runs.installed] == [True, False]
    assert "uv could not install them: trying pip." in capsys.readouterr().out


def test_the_state_is_written_whole(repository, runs):
    install(repository)
    assert json.loads((repository / ".venv/course.json").read_text())["python"] == HERE
    assert not list((repository / ".venv").glob("*.new"))
    assert not (repository / ".venv/tmp").exists()


# --- what is said, and what is called ----------------------------------------------------------


def test_each_reason_to_begin_afresh_names_what_changed(repository, runs, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    install(repository)

    def reason(version=HERE, supported=VERSIONS, **state):
        monkeypatch.setattr(environment, "python_version", lambda venv: version)
        venv_folder.write_state(
            repository / ".venv", **{"state": "ready", "python": HERE, "torch": "cuda", **state}
        )
        return environment.Change(repository, [], supported, None, runs).why_afresh()

    assert reason() is None
    before = {"python": HERE}
    assert reason(state="installing", before=before) == "the last installation was cut off"
    assert reason(version=None) == f"the Python {HERE} that it was made with is gone"
    assert reason(version="3.99") == f"its Python changed from {HERE} to 3.99"
    assert reason(supported=["3.99"]) == (
        f"its Python {HERE} is not one of those the course works with by now"
    )
    monkeypatch.setenv("COURSE_TORCH", "cpu")
    assert reason(torch="cpu") is None
    assert reason() == "COURSE_TORCH asks for another build of PyTorch (cpu)"
    runs.whole = False
    assert reason() == "parts of it were deleted"


@pytest.mark.parametrize("lacks", ["version", "whole", "pip"])
def test_an_environment_made_by_hand_has_to_run_and_to_have_pip(
    repository, runs, monkeypatch, lacks
):
    monkeypatch.setattr(environment, "has_pip", lambda venv: lacks != "pip")
    monkeypatch.setattr(
        environment, "python_version", lambda venv: None if lacks == "version" else HERE
    )
    runs.whole = lacks != "whole"
    (repository / ".venv/mine").mkdir(parents=True)
    with pytest.raises(Problem) as told:
        install(repository)
    assert str(told.value) == (
        f"{repository / '.venv'} was not made by this command, and its Python does not run or has "
        "no pip: delete or rename that folder, then run the same command again."
    )


def test_what_is_installed_is_said_before_with_its_extras(repository, runs, monkeypatch, capsys):
    monkeypatch.setattr(installer, "torch_index", lambda say: None)
    install(repository)
    small = f"Making .venv with Python {sys.version.split()[0]}.\n"
    pip = "pip installs, because uv is not to be had.\n"
    ready = f"Ready: {repository / '.venv'}\n"
    first = "The first time this takes a minute or more."
    assert capsys.readouterr().out == (
        f"{small}Installing the course's packages into .venv. {first}\n{pip}{ready}"
    )
    (repository / ".venv/lib/python3.11/site-packages/torch").mkdir(parents=True)
    install(repository, "e2e", "dev")
    said = "Installing the course's packages (with dev, e2e) into .venv.\n"
    assert capsys.readouterr().out == said + pip + ready


def test_why_pip_installs_is_said(repository, runs, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_INSTALLER", "pip")
    monkeypatch.setattr(installer, "find_uv", pytest.fail)
    install(repository)
    assert "pip installs, because COURSE_INSTALLER asks for it.\n" in capsys.readouterr().out


def test_uv_takes_the_small_torch_from_its_index_with_its_own_word(repository, runs, monkeypatch):
    uv = installer.Installer("uv", Path("python"), ("uv", "pip", "install"), {})
    monkeypatch.setattr(installer, "find_uv", lambda *arguments: uv)
    monkeypatch.setattr(installer, "torch_index", lambda say: "the-index")
    change(repository / "pyproject.toml", 'dependencies = ["pip"]', 'dependencies = ["torch>=2.5"]')
    install(repository)
    first, second = runs.installed
    assert first[3:] == ["--no-deps", "--default-index", "the-index", "torch>=2.5"]
    assert second[3:] == ["-c", str(repository / "constraints.txt"), "torch>=2.5"]


def test_the_course_is_linked_without_a_network_by_what_installed(repository, runs, monkeypatch):
    uv = installer.Installer("uv", Path("python"), ("uv", "pip", "install"), {})
    monkeypatch.setattr(installer, "find_uv", lambda *arguments: uv)
    links = []

    def make(command, environ=None):
        links.extend([command] if "-e" in command else [])
        return runs(command, environ)

    environment.Change(repository, [], VERSIONS, None, make).make()
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-e", repository]
    assert links == [["uv", "pip", "install", *options]]
    edit_state(repository, link="another")
    environment.Change(repository, [], VERSIONS, None, make).make()  # nothing else is installed
    python = venv_folder.venv_python(repository / ".venv")
    assert links[1:] == [[python, "-m", "pip", "install", *options]]
    assert len(runs.installed) == 1


def test_a_course_that_cannot_be_linked_is_a_failure(repository, runs, monkeypatch):
    def make(command, environ=None):
        return 1 if "-e" in command else runs(command, environ)

    monkeypatch.setattr(environment, "runner", lambda root, lock: make)
    with pytest.raises(Problem, match=r"itself could not be linked into \.venv: see above\. Noth"):
        install(repository)
    assert not (repository / ".venv").exists()


def test_a_python_that_makes_no_environment_is_a_failure(repository, runs, monkeypatch):
    monkeypatch.setattr(environment, "runner", lambda root, lock: lambda command, environ: 1)
    with pytest.raises(Problem) as told:
        install(repository)
    assert str(told.value) == (
        "Python could not make .venv; its own message is above. Nothing was left behind: run the "
        "same command again to begin afresh."
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(repository, runs):
    def full():
        raise OSError("no room")

    runs.installs = full
    with pytest.raises(Problem) as told:
        install(repository)
    assert str(told.value) == (
        "The installation could not go on: no room. Put that right (is the folder yours to write "
        "in? is there room on the disk?), then run the same command again."
    )
    assert not (repository / ".venv").exists()


def test_a_disk_that_fills_up_keeps_the_environment_that_was_there(repository, runs):
    def full():
        raise OSError("no room")

    install(repository)
    (repository / ".venv/old").touch()
    need_more(repository)
    runs.installs = full
    for supported in (VERSIONS, ["3.99"]):
        with pytest.raises(Problem, match="no room"):
            install(repository, supported=supported)
        assert (repository / ".venv/old").exists()
        assert not environment.is_ready(repository, [])
        assert venv_folder.read_state(repository / ".venv")["packages"] is None
    runs.installs = answer(0)
    install(repository)
    assert runs.environments == 2  # the second one was taken away again


def test_an_old_environment_that_cannot_be_used_is_told_with_both_reasons(repository, runs):
    install(repository)
    python_is_gone(repository)
    runs.installs, runs.works = answer(1), False
    with pytest.raises(Problem) as told:
        install(repository)
    assert str(told.value) == (
        "The installation failed: the installer's own messages are above, the last ones say why "
        "(often no network, or no room on the disk). The old .venv is where it was, but it cannot "
        "be used, because the Python 3.10 that it was made with is gone. Run the same command "
        "again when the above is put right."
    )


@pytest.mark.parametrize("works", [True, False])
def test_it_works_if_python_can_import_the_course_from_elsewhere(tmp_path, monkeypatch, works):
    change_of = SimpleNamespace(root=tmp_path, venv=tmp_path / "v")
    asked = []

    def run(command, **rest):
        asked.append((command, rest))
        return SimpleNamespace(returncode=int(not works))

    monkeypatch.setattr(environment.subprocess, "run", run)
    monkeypatch.setenv("VIRTUAL_ENV", "elsewhere")
    assert environment.Change.probe(change_of) is works
    assert environment.Change.probe(change_of, show=True) is works
    (command, silent), (_, shown) = asked
    assert command[:2] == [venv_folder.venv_python(tmp_path / "v"), "-c"]
    for name in ("jupyterlab", "torch", "helpers", "matplotlib.font_manager"):
        assert name in command[2]
    assert silent["cwd"] == tmp_path / "v"  # not the course's folder: `helpers` would be found
    assert silent["env"]["MPLCONFIGDIR"] == str(tmp_path / ".jupyter/matplotlib")
    assert "VIRTUAL_ENV" not in silent["env"]
    assert silent["stderr"] == environment.subprocess.DEVNULL
    assert shown["stderr"] is None
    assert silent["stdout"] == shown["stdout"] == environment.subprocess.DEVNULL


def test_without_a_python_it_does_not_work(tmp_path):
    assert not environment.Change.probe(SimpleNamespace(root=tmp_path, venv=tmp_path))


@pytest.mark.parametrize(("version", "build"), [("2.9.0+cpu", "cpu"), ("2.9.0", "cuda")])
def test_the_build_of_torch_is_that_of_its_version(tmp_path, version, build):
    packages = tmp_path / "lib/python3.11/site-packages"
    (packages / f"torch-{version}.dist-info").mkdir(parents=True)
    (packages / "torchvision-0.24.0+cpu.dist-info").mkdir()
    assert environment.Change.torch_build(SimpleNamespace(venv=tmp_path)) == build


@pytest.mark.parametrize(
    ("system", "value", "expected"),
    [
        ("linux", "", None),
        ("linux", "auto", None),
        ("linux", "cpu", "cpu"),
        ("linux", "cuda", "cuda"),
        ("darwin", "cpu", None),
    ],
)
def test_a_build_of_torch_can_be_asked_for_under_linux(monkeypatch, system, value, expected):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv("COURSE_TORCH", value)
    assert environment.asked_torch() == expected


def test_programs_that_are_none_of_pythons_are_not_rewritten(repository, runs):
    install(repository)
    programs = repository / ".venv/bin"
    old = f"{repository}/.venv/bin/python"
    (programs / "tool").write_bytes(b"\x7fELF" + old.encode())
    (programs / "far").write_text("#!/bin/sh\n" + "#" * 600 + old)
    (programs / "folder").mkdir()
    (programs / "link").symlink_to("far")
    before = {name: (programs / name).read_bytes() for name in ("tool", "far")}
    moved = repository.rename(repository.with_name("moved"))
    install(moved)
    assert {name: (moved / ".venv/bin" / name).read_bytes() for name in before} == before
    assert (moved / ".venv/bin/link").is_symlink()


def test_a_32_bit_python_is_told_so(monkeypatch):
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    with pytest.raises(Problem, match="This Python is a 32-bit program"):
        prerequisites.check_machine()


def test_a_full_disk_is_told_with_the_way_that_needs_less(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "disk_usage", disk_with(1.26))
    start = "The disk is too full: the installation needs about {} GB, and 1.3 GB are free where "
    start += f"{tmp_path} lies: make room, "
    with pytest.raises(Problem) as large:
        prerequisites.check_disk(tmp_path, small_torch=False)
    assert str(large.value) == start.format(9) + (
        "or, without an NVIDIA card, set COURSE_TORCH=cpu to take the small build of PyTorch, "
        "which needs about 3 GB, then run the same command again."
    )
    with pytest.raises(Problem) as small:
        prerequisites.check_disk(tmp_path, small_torch=True)
    assert str(small.value) == start.format(3) + "then run the same command again."


def test_the_disk_that_counts_is_the_one_that_the_environment_lies_on(tmp_path, monkeypatch):
    asked = []
    usage = disk_with(100)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or usage(path))
    prerequisites.check_disk(tmp_path, small_torch=True)
    (tmp_path / ".venv").mkdir()
    prerequisites.check_disk(tmp_path, small_torch=True)
    assert asked == [tmp_path, tmp_path / ".venv"]


# --- the folder itself -------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, "", "[1]", "{", b"\xff"])
def test_a_damaged_state_is_none(tmp_path, content):
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "course.json").write_bytes(data)
    assert venv_folder.read_state(tmp_path) == {}


@pytest.mark.parametrize("fact", ["state", "folder", "python", "packages", None])
def test_it_is_ready_as_long_as_all_that_is_noted_holds(tmp_path, monkeypatch, fact):
    monkeypatch.setattr(venv_folder, "python_version", lambda venv: "3.12")
    venv = tmp_path / ".venv"
    venv_folder.write_ready(venv, tmp_path, packages="p", more=1)
    state = venv_folder.read_state(venv)
    folder = str(tmp_path)
    ready = {"state": "ready", "folder": folder, "python": "3.12", "packages": "p", "more": 1}
    assert state == ready
    venv_folder.write_state(venv, **(state | ({fact: "other"} if fact else {})))
    assert venv_folder.is_still_ready(venv, tmp_path, packages="p") is (fact is None)


def test_the_python_that_runs_is_not_started_to_ask_its_version(tmp_path, monkeypatch):
    monkeypatch.setattr(venv_folder, "version_of", lambda python: "3.99")
    assert venv_folder.python_version(tmp_path) == "3.99"
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert venv_folder.python_version(tmp_path) == HERE


def test_what_cannot_be_run_has_no_version_and_no_pip(tmp_path):
    assert venv_folder.version_of(tmp_path / "python") is None
    assert not venv_folder.has_pip(tmp_path)


def test_whoever_waits_for_another_installation_is_told(tmp_path, monkeypatch, capsys):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "pyproject.toml").touch()
    asked = []

    def flock(file, how):
        asked.append(how)
        if len(asked) == 1:
            raise BlockingIOError

    monkeypatch.setattr(fcntl, "flock", flock)
    with venv_folder.only_one(tmp_path) as kept:
        assert len(kept) == 1
    said = "Another installation is at work in this folder: waiting for its end.\n"
    assert capsys.readouterr().out == said
    assert asked == [fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_EX]


def test_where_files_cannot_be_locked_it_goes_on(tmp_path, monkeypatch, capsys):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "pyproject.toml").touch()

    def flock(file, how):
        raise OSError

    monkeypatch.setattr(fcntl, "flock", flock)
    with venv_folder.only_one(tmp_path) as kept:
        assert len(kept) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("is_slow", [False, True])
def test_a_command_that_is_interrupted_gets_time_to_end(tmp_path, monkeypatch, is_slow):
    steps = []

    class Process:
        def __init__(self, command, cwd, env, pass_fds):
            steps.append((command, cwd, env, pass_fds))

        def wait(self, seconds=None):
            steps.append(seconds)
            if len(steps) == 2:
                raise KeyboardInterrupt
            if is_slow and seconds:
                raise environment.subprocess.TimeoutExpired("x", seconds)

        def kill(self):
            steps.append("kill")

    monkeypatch.setattr(venv_folder.subprocess, "Popen", Process)
    with pytest.raises(KeyboardInterrupt):
        venv_folder.runner(tmp_path, (7,))(["x"], {"A": "b"})
    waited = venv_folder.SECONDS_TO_STOP
    ended = ["kill", None] if is_slow else []
    assert steps == [(["x"], tmp_path, {"A": "b"}, (7,)), None, waited, *ended]


def test_a_command_returns_its_status(tmp_path, monkeypatch):
    process = SimpleNamespace(wait=lambda: 4)
    monkeypatch.setattr(venv_folder.subprocess, "Popen", lambda *given, **rest: process)
    assert venv_folder.runner(tmp_path, ())(["x"]) == 4
