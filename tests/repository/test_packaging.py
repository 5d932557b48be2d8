"""The files that say what the course needs agree, and the commands in the README exist."""

import contextlib
import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.markers import Marker, default_environment
from packaging.specifiers import SpecifierSet

from helpers.command import verbs
from helpers.command.files import ROOT
from tests.support.scripts import load
from tests.support.small_repository import VERSIONS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}

constraints_py = load("tools/constraints.py")


def requirement(text):
    """("numpy", ">=1.26") of "numpy>=1.26"."""
    name, floor = re.fullmatch(r"([A-Za-z0-9._-]+)(\[[a-z,]+\])?(?P<rest>.*)", text).group(
        1, "rest"
    )
    return name, floor.replace(" ", "")


def pins():
    """(name, version, marker or None) of each line of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        if not line.startswith("#"):
            pin, _, marker = line.partition(" ; ")
            found.append((*pin.split("=="), Marker(marker) if marker else None))
    return found


def machines():
    """What a marker may ask for, for each Python and system that the course is for."""
    return [
        {
            "python_version": version,
            "python_full_version": f"{version}.0",
            "sys_platform": platform,
            "os_name": "nt" if platform == "win32" else "posix",
        }
        for version in VERSIONS
        for platform in ("linux", "darwin", "win32")
    ]


def pinned(machine):
    """{name: version} of constraints.txt, on one machine."""
    chosen = [pin for pin in pins() if pin[2] is None or pin[2].evaluate(machine)]
    names = [name for name, _, _ in chosen]
    assert len(names) == len(set(names)), f"two versions at once: {machine}"
    return {name: version for name, version, _ in chosen}


# --- environment.yml ---------------------------------------------------------------------------


def conda():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def test_conda_has_the_base_dependencies_with_the_same_floors():
    entries = [entry for entry in conda()["dependencies"] if isinstance(entry, str)]
    found = dict(requirement(entry) for entry in entries)
    expected = dict(requirement(text) for text in PROJECT["dependencies"])
    expected = {CONDA_NAMES.get(name, name): floor for name, floor in expected.items()}
    expected["python"] = PROJECT["requires-python"].replace(" ", "")
    expected["pip"] = ""
    assert found == expected


def test_conda_installs_the_course_itself_and_nothing_else_with_pip():
    assert [e["pip"] for e in conda()["dependencies"] if isinstance(e, dict)] == [["-e ."]]
    assert conda()["channels"] == ["conda-forge"]


# --- constraints.txt ---------------------------------------------------------------------------


def test_constraints_hold_only_names_versions_and_markers_in_order():
    comment, *lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert comment == constraints_py.HEADER.format("constraints", VERSIONS[0], VERSIONS[-1])
    assert lines == sorted(lines)
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [^;@]+)?", line), line


@pytest.mark.parametrize("machine", machines(), ids=lambda m: "-".join([*m.values()][::2]))
def test_constraints_pin_every_direct_dependency_as_it_is_allowed_on_each_machine(machine):
    versions = pinned(machine)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        for name, allowed in map(requirement, group):
            assert name in versions, f"{name} is not in constraints.txt: run `make constraints`"
            assert SpecifierSet(allowed).contains(versions[name]), f"{name}: {allowed}"


@pytest.mark.parametrize("line", constraints_py.HELD_BACK)
def test_what_is_held_back_is_pinned_so(line):
    held_back, allowed = requirement(line)
    found = [version for name, version, _ in pins() if name == held_back]
    assert found
    assert all(SpecifierSet(allowed).contains(version) for version in found)


def test_constraints_suit_the_pythons_they_are_for():
    """Of each pinned version that is installed here: may these Pythons have it?"""
    compared = set()
    for machine in machines():
        for name, version in pinned(machine).items():
            with contextlib.suppress(metadata.PackageNotFoundError):
                package = metadata.distribution(name)
                allowed = package.metadata.get("Requires-Python")
                if package.version == version and allowed:
                    compared.add(name)
                    found = machine["python_full_version"]
                    assert SpecifierSet(allowed).contains(found), f"{name} {version}: {allowed}"
    assert {"numpy", "matplotlib", "torch"} <= compared


def test_the_outputs_are_made_with_the_pinned_versions():
    """Where this fails, the environment is not the one that constraints.txt describes."""
    here = {**default_environment()}
    chosen = {
        name: version for name, version, mark in pins() if mark is None or mark.evaluate(here)
    }
    for name in ("numpy", "matplotlib", "torch", "torchvision"):
        assert metadata.version(name).partition("+")[0] == chosen[name]


RESOLVED = """\
torch==2.5.0+cpu
jinja2==3.1.4
numpy==2.4.6 ; python_full_version < '3.12'
numpy==2.5.5 ; python_full_version >= '3.12'
nvidia-cudnn-cu13==9.1.0 ; sys_platform == 'linux'
cuda-toolkit==13.0
triton==3.1.0
attrs==24.2.0
"""


def test_constraints_from_what_uv_works_out():
    assert constraints_py.constraints(RESOLVED, "# made").splitlines() == [
        "# made",
        "attrs==24.2.0",
        "jinja2==3.1.4",
        "numpy==2.4.6 ; python_full_version < '3.12'",
        "numpy==2.5.5 ; python_full_version >= '3.12'",
        "torch==2.5.0",
    ]


@pytest.mark.parametrize("line", ["numpy @ file:///home/x.whl", "-e .", "numpy>=1.26", "-i http:"])
def test_constraints_refuse_what_is_not_a_version(line):
    with pytest.raises(ValueError, match=re.escape(repr(line))):
        constraints_py.constraints(RESOLVED + line, "# made")


# --- which Pythons -----------------------------------------------------------------------------


def test_which_pythons_stands_in_one_place():
    """Raising the bound is one line: nowhere else may a list of versions stand."""
    floor, newest = VERSIONS[0], VERSIONS[-1]
    for name in ("README.md", "Makefile"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert f"Python {floor} or newer" in text
        assert set(re.findall(r"\b[Pp]ython ?(3\.\d+)", text)) <= {floor, "3.12"}, name
        assert newest not in text
    assert not re.findall(r"3\.\d+", (ROOT / ".github/workflows/course.yml").read_text("utf-8"))


# --- the verbs ---------------------------------------------------------------------------------


def recipes():
    """The verbs that the Makefile has, from its .PHONY lines."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(" ".join(re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)).split())


def make(*arguments):
    """Run make as a reader does, also when this test was started by `make test ARGS=...`."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    own = {"MFLAGS", "GNUMAKEFLAGS", *re.findall(r"^(\w+) \?=", text, re.MULTILINE)}
    environment = {
        name: os.environ[name]
        for name in os.environ
        if not name.startswith("MAKE") and name not in own
    }
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True, env=environment
    )


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def test_every_verb_has_its_short_name_in_make():
    assert recipes() == {verb.name for verb in verbs.VERBS} | {"help", "site-serve"}


@needs_make
def test_make_alone_prints_what_course_alone_prints():
    assert make().stdout.rstrip("\n") == verbs.listing(ROOT)


@needs_make
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["lab", "ARGS=--no-browser"], "course.py lab --no-browser"),
        (["check", "ASSIGNMENT=01"], 'course.py check "01"'),
        (["reset", "LESSON=05"], "course.py reset 05"),
        (["test", "TESTS=tests", "ARGS=-x"], "course.py test tests -x"),
        (["grade", "ASSIGNMENT=a b", "SUBMISSIONS=x y"], 'course.py grade "a b" "x y"'),
        (["grade"], 'course.py grade "" ""'),
        (["site-serve"], "course.py site serve"),
        (["lint"], "course.py lint"),
    ],
)
def test_make_hands_its_variables_on(given, expected):
    assert make("--dry-run", *given).stdout.rstrip().endswith(expected)


@needs_make
def test_make_without_a_python_is_one_clear_sentence():
    done = make("lab", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "There is no Python here ('no-such-python' does not run)" in done.stderr
    assert "Traceback" not in done.stderr


def test_make_keeps_to_what_macos_brings():
    """GNU make 3.81 has no .ONESHELL, != or $(file); it passes over them without a word."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert not re.search(r"\.ONESHELL|!=|\$\(file |::=|^undefine", text, re.MULTILINE)


def test_ci_calls_every_suite():
    text = (ROOT / ".ci/run").read_text(encoding="utf-8")
    called = re.findall(r"^make ([a-z0-9]+)", text, re.MULTILINE)
    assert sorted(called) == ["e2e", "lint", "sandbox", "test"]
