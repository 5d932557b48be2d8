"""helpers/command/wanted.py: what the course's files ask for, and which changes of them count."""

import pytest

from helpers.command.wanted import read_wanted

PROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "one"

[project]
name = "small"
version = "1.0"
dependencies = ["numpy>=2.0", "torch>=2.5", "torchvision>=0.20"]

[project.scripts]
course = "course:main"

[project.optional-dependencies]
dev = ["nbval>=0.11"]
e2e = ["playwright>=1.48", "numpy>=2.0"]

[tool.setuptools]
py-modules = ["course"]

[tool.other]
kept = "out"
"""
CONSTRAINTS = "# made\n\n  numpy==2.1\ntorch==2.9.0\ntorchaudio==2.9.0\ntorchvision==0.24.0\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "constraints.txt").write_text(CONSTRAINTS)
    return tmp_path


def changed(root, name, old, new):
    """(whether the packages change, whether the link does) with another text in a file."""
    before = read_wanted(root)
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))
    after = read_wanted(root)
    (root / name).write_text(text)
    return before.packages != after.packages, before.link != after.link


def test_what_is_installed_is_the_course_its_build_and_the_extras_each_once(root):
    wanted = read_wanted(root)
    course = ["numpy>=2.0", "torch>=2.5", "torchvision>=0.20", "setuptools>=77"]
    assert wanted.requirements([]) == course
    assert wanted.requirements(["e2e", "dev"]) == [*course, "playwright>=1.48", "nbval>=0.11"]
    assert wanted.constraints == [
        *("numpy==2.1", "torch==2.9.0", "torchaudio==2.9.0", "torchvision==0.24.0")
    ]


def test_torch_is_taken_as_it_is_pinned_else_as_it_is_asked_for(root):
    assert read_wanted(root).torch() == ["torch==2.9.0", "torchvision==0.24.0"]
    (root / "constraints.txt").write_text("numpy==2.1\n")
    assert read_wanted(root).torch() == ["torch>=2.5", "torchvision>=0.20"]


@pytest.mark.parametrize(
    ("name", "old", "new", "packages", "link"),
    [
        ("pyproject.toml", "numpy>=2.0", "numpy>=2.1", True, False),
        ("pyproject.toml", "nbval>=0.11", "nbval>=0.12", True, False),
        ("pyproject.toml", "setuptools>=77", "setuptools>=78", True, True),
        ("constraints.txt", "numpy==2.1", "numpy==2.2", True, False),
        ("pyproject.toml", '"small"', '"other"', False, True),
        ("pyproject.toml", '"1.0"', '"1.1"', False, True),
        ("pyproject.toml", "course:main", "course:other", False, True),
        ("pyproject.toml", '"one"', '"two"', False, True),
        ("pyproject.toml", '["course"]', '["other"]', False, True),
        ("pyproject.toml", '"out"', '"in"', False, False),
        ("constraints.txt", "# made", "# made again", False, False),
    ],
)
def test_which_changes_install_again_and_which_link_anew(root, name, old, new, packages, link):
    assert changed(root, name, old, new) == (packages, link)


def test_a_project_that_asks_for_nothing(root):
    (root / "pyproject.toml").write_text('[project]\nname = "bare"\n')
    wanted = read_wanted(root)
    assert (wanted.requirements([]), wanted.extras) == ([], {})
    assert wanted.project["version"] is None
    assert wanted.torch() == ["torch==2.9.0", "torchvision==0.24.0"]
