"""The files that say what the course needs agree, and the commands in the README exist."""

import contextlib
import os
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from small_repository import load

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}

constraints_py = load("constraints")


def requirement(text):
    """("numpy", ">=1.26") of "numpy>=1.26"."""
    name, floor = re.fullmatch(r"([A-Za-z0-9._-]+)(\[[a-z,]+\])?(?P<rest>.*)", text).group(
        1, "rest"
    )
    return name, floor.replace(" ", "")


def pinned():
    """{name: version} of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


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


def test_constraints_hold_only_names_and_versions_in_order():
    comment, *lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert comment.startswith("# ")
    assert lines == sorted(lines)
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line), line


def test_constraints_suit_the_oldest_python():
    """Of each pinned version that is installed here: may the oldest supported Python have it?"""
    oldest = re.search(r"3\.\d+", PROJECT["requires-python"])[0] + ".0"
    for name, version in pinned().items():
        with contextlib.suppress(metadata.PackageNotFoundError):
            package = metadata.distribution(name)
            allowed = package.metadata.get("Requires-Python")
            if package.version == version and allowed:
                assert SpecifierSet(allowed).contains(oldest), f"{name} {version}: {allowed}"


def test_constraints_pin_every_direct_dependency_as_it_is_allowed():
    pins = pinned()
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        for name, allowed in map(requirement, group):
            assert name in pins, f"{name} is not in constraints.txt: run `make constraints`"
            assert SpecifierSet(allowed).contains(pins[name]), f"{name}: {pins[name]}, {allowed}"


FREEZE = """\
torch==2.5.0+cpu
Jinja2==3.1.4
ruamel.yaml==0.18.6
cnn-course==0.1.0
pip==24.0
setuptools==75.0
nvidia-cudnn-cu13==9.1.0
cuda-toolkit==13.0
triton==3.1.0
attrs==24.2.0
"""


def test_constraints_from_what_pip_lists():
    assert constraints_py.constraints(FREEZE, "cnn_course", "3.11").splitlines() == [
        constraints_py.HEADER.format("3.11"),
        "attrs==24.2.0",
        "jinja2==3.1.4",
        "ruamel-yaml==0.18.6",
        "torch==2.5.0",
    ]


@pytest.mark.parametrize("line", ["numpy @ file:///home/x.whl", "-e .", "numpy>=1.26"])
def test_constraints_refuse_what_is_not_a_version(line):
    with pytest.raises(ValueError, match=re.escape(repr(line))):
        constraints_py.constraints(FREEZE + line, "cnn_course", "3.11")


# --- the verbs ---------------------------------------------------------------------------------


def makefiles():
    """The Makefile, and the instructor's and the site's verbs that it reads."""
    return "\n".join(
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("Makefile", "solutions/instructor.mk", "site/site.mk")
    )


def verbs():
    """{verb: its line} of the Makefile, for the verbs that a reader may call."""
    text = makefiles()
    return dict(re.findall(r"^([a-z0-9-]+):.*## (.+)$", text, re.M))


def make(*arguments):
    """Run make as a reader does, also when this test was started by `make test`."""
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True, env=environment
    )


def test_make_alone_prints_every_verb_with_its_line():
    lines = [line.split(maxsplit=1) for line in make().stdout.splitlines()[1:]]
    assert dict(lines) == verbs()
    phony = " ".join(re.findall(r"^\.PHONY: (.+)$", makefiles(), re.M)).split()
    assert {*verbs(), "help"} == set(phony)


def test_the_documents_and_ci_name_only_verbs_that_exist():
    for name in ("README.md", "CONTRIBUTING.md", "notebooks/README.md", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:`|^\s*(?:\S+=\S* )*)make ([a-z0-9-]+)", text, re.M))
        assert named <= set(verbs()), name
    assert {"test", "e2e"} <= named  # .ci/run


def test_make_without_a_python_is_one_clear_sentence():
    done = make("lab", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "There is no Python here ('no-such-python' does not run)" in done.stderr
    assert "Traceback" not in done.stderr


def test_make_keeps_to_what_macos_brings():
    """GNU make 3.81 has no .ONESHELL, != or $(file); it passes over them without a word."""
    text = makefiles()
    assert not re.search(r"\.ONESHELL|!=|\$\(file |::=|^undefine", text, re.M)
