"""tools/environment.py: when it installs, what it checks first, and what a failure leaves behind.

The two slow steps, making an environment and pip, are replaced; test_install_for_real.py has them.
"""

import importlib.util
import shutil
import sys

import pytest
from small_repository import load, repository

__all__ = ["repository"]  # a fixture

SUPPORTED = ["3.11", "3.12", "3.13"]

environment = load("environment")


class Runs:
    """Stands for `environment.run`: makes an environment out of two links, and plays pip.

    `commands` holds what pip was asked to install, `pip` is what it then does.
    """

    def __init__(self):
        self.installed = []
        self.environments = 0
        self.pip = lambda: 0

    def __call__(self, command, root, keep_open):
        if "venv" in command:
            self.environments += 1
            python = environment.venv_python(root / ".venv")
            python.parent.mkdir()
            python.symlink_to(sys.executable)
            return 0
        assert environment.read_state(root / ".venv") == {"state": "installing"}
        self.installed.append(command[-1])
        return self.pip()


@pytest.fixture
def runs(monkeypatch):
    """Replaces the slow steps, and gives the disk room enough."""
    runs = Runs()
    monkeypatch.setattr(environment, "run", runs)
    monkeypatch.setattr(environment.shutil, "disk_usage", disk_with(100))
    return runs


def disk_with(gigabytes):
    return lambda path: shutil._ntuple_diskusage(500 * 10**9, 0, int(gigabytes * 10**9))


def install(root, *extras):
    environment.install(root, list(extras), SUPPORTED)


def answer(value):
    return lambda: value


def stopped_by_hand():
    raise KeyboardInterrupt


# --- when it installs --------------------------------------------------------------------------


def test_second_call_installs_nothing(repository, runs):
    install(repository, "dev")
    install(repository, "dev")
    install(repository)
    assert runs.installed == [".[dev]"]
    assert runs.environments == 1


def test_further_extras_are_added_to_the_earlier_ones(repository, runs):
    install(repository, "e2e")
    install(repository, "dev")
    install(repository, "e2e", "dev")
    assert runs.installed == [".[e2e]", ".[dev,e2e]"]
    assert runs.environments == 1


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_runs_pip_again_in_the_same_environment(repository, runs, name):
    install(repository)
    with (repository / name).open("a") as file:
        file.write("# changed\n")
    install(repository)
    install(repository)
    assert runs.installed == [".", "."]
    assert runs.environments == 1


def test_a_killed_installation_is_begun_afresh(repository, runs, capsys):
    install(repository, "dev")
    (repository / ".venv/half-a-package").mkdir()
    environment.write_state(repository / ".venv", state="installing")
    install(repository)
    assert "Making .venv afresh: the last installation was cut off." in capsys.readouterr().out
    assert not (repository / ".venv/half-a-package").exists()
    assert runs.environments == 2


def test_a_moved_folder_is_begun_afresh(repository, runs, capsys):
    install(repository)
    moved = repository.rename(repository.with_name("moved"))
    install(moved)
    assert f"moved or copied, from {repository}" in capsys.readouterr().out
    assert runs.environments == 2
    install(moved)
    assert runs.environments == 2


def test_another_python_is_begun_afresh(repository, runs, capsys):
    install(repository)
    state = environment.read_state(repository / ".venv")
    environment.write_state(repository / ".venv", **{**state, "python": "3.10"})
    install(repository)
    assert "its Python changed from 3.10 to" in capsys.readouterr().out
    environment.venv_python(repository / ".venv").unlink()
    install(repository)
    assert "made with is gone" in capsys.readouterr().out
    assert runs.environments == 3


def test_a_python_that_is_no_longer_supported_is_begun_afresh(repository, runs, capsys):
    install(repository)
    (repository / "constraints.txt").write_text("# an update of the course\n")
    environment.install(repository, [], ["3.99"])
    assert "not one of those the course works with" in capsys.readouterr().out
    assert runs.environments == 2


def test_a_working_environment_made_by_hand_is_used(repository, runs, monkeypatch):
    monkeypatch.setattr(environment, "has_pip", lambda venv: True)
    runs(["venv"], repository_with_folder(repository), ())
    (repository / ".venv/mine").touch()
    install(repository)
    assert (repository / ".venv/mine").exists()
    assert runs.installed == ["."]


def test_a_broken_environment_made_by_hand_is_not_deleted(repository, runs):
    (repository_with_folder(repository) / ".venv/mine").touch()
    with pytest.raises(environment.Problem, match="was not made by this command"):
        install(repository)
    assert (repository / ".venv/mine").exists()


def repository_with_folder(repository):
    (repository / ".venv").mkdir()
    return repository


# --- what a failure leaves behind --------------------------------------------------------------


@pytest.mark.parametrize("pip", [answer(1), stopped_by_hand])
def test_a_failure_takes_a_new_environment_away_again(repository, runs, pip):
    runs.pip = pip
    with pytest.raises(environment.Problem, match="Nothing was left behind"):
        install(repository)
    assert not (repository / ".venv").exists()


@pytest.mark.parametrize("pip", [answer(1), stopped_by_hand])
def test_a_failure_keeps_an_environment_that_was_there(repository, runs, pip):
    install(repository)
    runs.pip = pip
    with pytest.raises(environment.Problem, match="to go on"):
        install(repository, "dev")
    runs.pip = answer(0)
    install(repository)
    assert runs.installed == [".", ".[dev]", ".[dev]"]
    assert runs.environments == 1


def test_a_link_to_a_larger_disk_stays(repository, runs, tmp_path):
    (tmp_path / "large").mkdir()
    (repository / ".venv").symlink_to(tmp_path / "large")
    runs.pip = answer(1)
    with pytest.raises(environment.Problem):
        install(repository)
    assert (repository / ".venv").is_symlink()
    assert list((tmp_path / "large").iterdir()) == []


def test_removal_that_is_cut_off_is_noticed(repository, runs, monkeypatch, capsys):
    install(repository)
    (repository / ".venv/aa").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(environment.shutil, "rmtree", lambda path: stopped_by_hand())
        with pytest.raises(KeyboardInterrupt):
            environment.remove(repository / ".venv")
    install(repository)
    assert "the last installation was cut off" in capsys.readouterr().out


# --- what is checked before anything is made ---------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "variable", "enough"),
    [
        ("linux", None, environment.GB_WITH_CUDA),
        ("linux", "PIP_EXTRA_INDEX_URL", environment.GB_WITHOUT_CUDA),
        ("linux", "PIP_INDEX_URL", environment.GB_WITHOUT_CUDA),
        ("darwin", None, environment.GB_WITHOUT_CUDA),
    ],
)
def test_a_full_disk_is_one_sentence_and_no_environment(
    repository, runs, monkeypatch, platform, variable, enough
):
    monkeypatch.setattr(environment.sys, "platform", platform)
    if variable:
        monkeypatch.setenv(variable, "elsewhere")
    monkeypatch.setattr(environment.shutil, "disk_usage", disk_with(enough - 0.1))
    with pytest.raises(environment.Problem, match=f"needs about {enough} GB, and {enough - 0.1}"):
        install(repository)
    assert not (repository / ".venv").exists()
    monkeypatch.setattr(environment.shutil, "disk_usage", disk_with(enough))
    install(repository)


def test_little_room_is_enough_when_torch_is_there(repository, runs, monkeypatch):
    install(repository)
    (repository / ".venv/lib/python3.11/site-packages/torch").mkdir(parents=True)
    monkeypatch.setattr(environment.shutil, "disk_usage", disk_with(environment.GB_FOR_THE_REST))
    install(repository, "dev")
    assert runs.installed == [".", ".[dev]"]


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_missing_venv_module_names_the_package(repository, runs, monkeypatch, missing):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        environment.importlib.util,
        "find_spec",
        lambda name: None if name == missing else find_spec(name),
    )
    package = "python{}.{}-venv".format(*sys.version_info)
    with pytest.raises(environment.Problem, match=f"sudo apt install {package}"):
        install(repository)
    assert not (repository / ".venv").exists()


def test_an_unknown_extra_names_the_known_ones(repository, runs):
    with pytest.raises(environment.Problem, match="'dve': take one of dev, e2e"):
        install(repository, "dve")
    assert not (repository / ".venv").exists()
