"""The workflow for the code host: it runs what the Makefile runs, with what pyproject.toml allows.

Its form is checked by `make site` (tools/site.py lint).
"""

import re
import tomllib

import pytest
import yaml
from lessons import ROOT
from small_repository import load

TEXT = (ROOT / ".github/workflows/course.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

try_versions = load("try_versions")


def test_it_takes_the_oldest_and_the_newest_python_on_each_system():
    first, last = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    matrix = JOBS["test"]["strategy"]["matrix"]
    assert matrix["python"] == [f"3.{first}", f"3.{int(last) - 1}"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    extremes = [(one["python"], one["versions"]) for one in matrix["include"]]
    assert extremes == list(zip(matrix["python"], ["oldest", "newest"], strict=True))


def test_it_calls_verbs_that_exist_and_on_windows_what_make_test_does():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    makefile += (ROOT / "site/site.mk").read_text(encoding="utf-8")
    runs = [step.get("run", "") for job in JOBS.values() for step in job["steps"]]
    verbs = {verb for run in runs for verb in re.findall(r"^make ([\w-]+)", run, re.MULTILINE)}
    assert verbs == {"test", "sandbox", "e2e", "site"}
    assert all(re.search(rf"^{verb}:", makefile, re.MULTILINE) for verb in verbs)

    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1].replace("\\\n", " ")
    (windows,) = [run for run in runs if "install.py" in run]
    extras = re.search(r"\$\(install\) (.+)", recipe)[1]
    assert re.search(r"install\.py (.+)", windows)[1] == extras
    options = re.search(r"-m pytest (.+?) \$\(TESTS\)", recipe)[1].split()
    assert re.search(r"-m pytest (.+) tests notebooks", windows)[1].split() == options


def test_it_publishes_from_main_alone_and_may_do_nothing_else():
    triggers = WORKFLOW[True]  # YAML 1.1 reads the key "on" as a truth value
    assert set(triggers) == {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    with_more = {name for name, job in JOBS.items() if "permissions" in job}
    assert with_more == {"publish"}
    assert JOBS["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert "github.ref == 'refs/heads/main'" in JOBS["publish"]["if"]
    assert set(JOBS["publish"]["needs"]) == set(JOBS) - {"publish"}


def test_the_oldest_versions_are_the_floors():
    floors = try_versions.oldest(PROJECT)
    assert len(floors) == len(PROJECT["dependencies"])
    assert [line.replace("==", ">=") for line in floors] == PROJECT["dependencies"]


@pytest.mark.parametrize("requirement", ["numpy", "numpy==2", "numpy>=2,<3"])
def test_a_dependency_without_a_plain_floor_is_an_error(requirement):
    with pytest.raises(ValueError, match=re.escape(repr(requirement))):
        try_versions.oldest({"dependencies": [requirement]})
