"""tools/constraints.py: what uv is asked for, and which file is written; uv is played."""

import subprocess
from types import SimpleNamespace

import pytest

from tests.support.scripts import load

tool = load("tools/constraints.py")
PROJECT = """\
[build-system]
requires = ["setuptools>=77"]

[project]
requires-python = ">=3.11,<3.14"
dependencies = ["numpy>=2.0"]

[project.optional-dependencies]
dev = ["nbval>=0.11"]
e2e = ["playwright>=1.48"]

[dependency-groups]
site = ["sphinx>=9.0"]
"""
EVERYTHING = ["numpy>=2.0", "nbval>=0.11", "playwright>=1.48", "setuptools>=77", *tool.HELD_BACK]


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "environment.yml").write_text(
        "name: x\ndependencies:\n  - python>=3.9,<3.10\n  - pip\n"
    )
    (tmp_path / "constraints.txt").write_text("# old\nnumpy==1.0\n")
    (tmp_path / "site").mkdir()
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "FILE", tmp_path / "constraints.txt")
    monkeypatch.setattr(tool.course, "supported_versions", lambda: [(3, 11), (3, 12), (3, 13)])
    return tmp_path


@pytest.fixture
def asked(monkeypatch):
    """What uv is asked for; it finds numpy, and keeps what stands in its file already."""
    asked = []

    def run(command, input, env, **rest):
        options = [str(word) for word in command[command.index("--no-header") + 1 :]]
        asked.append((options, input.split("\n"), env["MACOSX_DEPLOYMENT_TARGET"]))
        if "-o" in options:
            file = tool.Path(options[options.index("-o") + 1])
            asked.append(file.read_text() if file.exists() else None)
            file.write_text("numpy==2.1\nnvidia-x==1.0\n")
        return SimpleNamespace(stdout="")

    monkeypatch.setattr(tool.subprocess, "run", run)
    return asked


@pytest.mark.parametrize(
    ("words", "upgrades"),
    [([], None), (["--only"], []), (["--only", "numpy", "torch"], ["numpy", "torch"])],
)
def test_the_versions_are_worked_out_for_every_python(root, asked, capsys, words, upgrades):
    assert tool.main(words) == 0
    (options, requirements, macos), there = asked
    assert options[:3] == ["--universal", "--python-version", "3.11"]
    assert options[5:] == [*(f"--upgrade-package={name}" for name in upgrades or []), "-"]
    assert requirements == EVERYTHING
    assert macos == f"{tool.OLDEST_MACOS}.0"
    assert there == (None if upgrades is None else "# old\nnumpy==1.0\n")
    written = (root / "constraints.txt").read_bytes()
    assert written == b"# Made by `course constraints` for Python 3.11 to 3.13.\nnumpy==2.1\n"
    assert "  - python>=3.11,<3.14\n  - pip\n" in (root / "environment.yml").read_text()
    assert capsys.readouterr().out == (
        "Working out the versions for Python 3.11 to 3.13 ...\nconstraints.txt: 1 versions.\n"
    )


def test_the_site_has_a_file_of_its_own(root, asked, capsys):
    others = root / "constraints.txt", root / "environment.yml"
    others = root / "constraints.txt", root / "environment.yml"
    before = [path.read_text() for path in others]
    assert tool.main(["--site"]) == 0
    assert asked[0][1] == ["sphinx>=9.0"]
    written = (root / "site/constraints.txt").read_text()
    assert written == "# Made by `course site pin` for Python 3.11 to 3.13.\nnumpy==2.1\n"
    assert "site/constraints.txt: 1 versions." in capsys.readouterr().out
    assert [path.read_text() for path in others] == before


def test_wheels_are_looked_for_on_every_python_and_system(root, asked, capsys):
    assert tool.main(["--check"]) == 0
    file = str(root / "constraints.txt")
    start = ["--constraint", file, "--only-binary", ":all:", "--python-version"]
    systems = (
        *("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"),
        *("aarch64-apple-darwin", "x86_64-pc-windows-msvc"),
    )
    pairs = [(python, one) for python in ("3.11", "3.12", "3.13") for one in systems]
    assert [options for options, *_ in asked] == [
        [*start, python, "--python-platform", one, "-"] for python, one in pairs
    ]
    assert all(requirements == EVERYTHING for _, requirements, _ in asked)
    assert capsys.readouterr().out.splitlines() == [
        f"Python {python}, {one}: wheels of all versions." for python, one in pairs
    ]
    assert (root / "constraints.txt").read_text() == "# old\nnumpy==1.0\n"


@pytest.mark.parametrize("words", [[], ["--site"], ["--check"]])
def test_where_uv_fails_the_files_stay(root, monkeypatch, capsys, words):
    def run(command, **rest):
        assert rest["check"]
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(tool.subprocess, "run", run)
    before = {path: path.read_text() for path in root.rglob("*") if path.is_file()}
    assert tool.main(words) == 1
    said = "uv's own words are above; constraints.txt is as it was.\n"
    assert capsys.readouterr().err == said
    assert {path: path.read_text() for path in root.rglob("*") if path.is_file()} == before


def test_only_and_check_are_not_asked_for_together(root, asked, capsys):
    with pytest.raises(SystemExit):
        tool.main(["--only", "--check"])
    assert asked == []
