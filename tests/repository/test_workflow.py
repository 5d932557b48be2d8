"""The workflow for the code host: it runs what the Makefile runs, with what pyproject.toml allows.

Its form is checked by `make site` (tools/website.py lint).
"""

import json
import re
import tomllib

import pytest
import yaml

from helpers.command import verbs
from tests.support.lessons import ROOT
from tests.support.scripts import load
from tests.support.small_repository import VERSIONS

TEXT = (ROOT / ".github/workflows/course.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

try_versions = load("tools/try_versions.py")


def test_it_takes_the_pythons_from_pyproject():
    lines = dict(line.split("=") for line in try_versions.pythons(PROJECT).splitlines())
    assert lines["oldest"] == VERSIONS[0]
    assert lines["newest"] == VERSIONS[-1]
    assert json.loads(lines["all"]) == [VERSIONS[0], *VERSIONS[-2:]]
    two = {"requires-python": ">=3.14,<3.16"}
    assert try_versions.pythons(two).endswith('all=["3.14", "3.15"]')

    (step,) = [step for step in JOBS["versions"]["steps"] if step.get("id") == "read"]
    assert set(JOBS["versions"]["outputs"]) == set(lines)
    assert (ROOT / step["run"].split()[1]).is_file()


def test_it_calls_verbs_that_exist():
    runs = [step.get("run", "") for job in JOBS.values() for step in job["steps"]]
    called = {
        verb
        for run in runs
        for words in re.findall(r"^(?:make|python course\.py)((?: [a-z0-9]+)+)", run, re.MULTILINE)
        for verb in words.split()
    }
    assert called
    assert called <= {verb.name for verb in verbs.VERBS}


def test_what_may_write_runs_on_main_alone_and_after_all_others():
    assert "write" not in WORKFLOW["permissions"].values()
    writing = {name for name, job in JOBS.items() if "write" in job.get("permissions", {}).values()}
    assert writing
    for name in writing:
        assert "github.ref == 'refs/heads/main'" in JOBS[name]["if"]
        needed = set(JOBS[name]["needs"])
        needed |= {other for job in needed for other in [JOBS[job].get("needs")] if other}
        assert needed == set(JOBS) - writing


def test_the_oldest_versions_are_the_floors():
    floors = try_versions.oldest(PROJECT)
    assert len(floors) == len(PROJECT["dependencies"])
    assert [line.replace("==", ">=") for line in floors] == PROJECT["dependencies"]


@pytest.mark.parametrize("requirement", ["numpy", "numpy==2", "numpy>=2,<3"])
def test_a_dependency_without_a_plain_floor_is_an_error(requirement):
    with pytest.raises(ValueError, match=re.escape(repr(requirement))):
        try_versions.oldest({"dependencies": [requirement]})


@pytest.mark.parametrize("which", ["oldest", "newest", "pythons"])
def test_a_trial_replaces_the_constraints_only_for_versions(which, tmp_path, monkeypatch, capsys):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nrequires-python = ">=3.11,<3.15"\ndependencies = ["a>=1.2", "b-c >= 3"]\n'
    )
    (tmp_path / "constraints.txt").write_text("a==5\n")
    monkeypatch.setattr(try_versions, "ROOT", tmp_path)
    try_versions.main([which])
    made = (tmp_path / "constraints.txt").read_bytes().decode()
    head = f"# For a trial, by tools/try_versions.py: {which}.\n"
    wanted = {"oldest": f"{head}a==1.2\nb-c==3\n", "newest": head, "pythons": "a==5\n"}
    assert made == wanted[which]
    said = 'oldest=3.11\nnewest=3.14\nall=["3.11", "3.13", "3.14"]\n'
    assert capsys.readouterr().out == (said if which == "pythons" else "")
