"""The web site, as far as it can be tested without its own environment: what is gathered, how links
are rewritten and checked, its setting, its packages and its server. tests/e2e tests the built site.
"""

import json
import re
import sys
import threading
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.command.files import assignments
from tests.support.lessons import LESSONS, ROOT, need
from tests.support.scripts import load

stage = load("site/stage.py")
hosted = load("site/hosted.py")
links = load("site/links.py")
website = load("tools/website.py")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# --- what is gathered --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    need("")
    folder = tmp_path_factory.mktemp("site") / "sources"
    folder.mkdir()
    stage.stage(folder)
    return folder


def test_every_lesson_and_assignment_is_gathered(gathered):
    for path in [*LESSONS, *assignments(ROOT)]:
        assert (gathered / path.relative_to(ROOT)).is_file()


def test_nothing_of_the_instructor_s_side_is_gathered_but_the_guide(gathered):
    """Of solutions/ only what is meant to be read, and no line with an instructor's mark."""
    sources = [source for source in stage.places() if source.startswith("solutions")]
    assert sorted(sources) == [
        "solutions/README.md",
        "solutions/grading.md",
        "solutions/known-mistakes.md",
    ]
    for path in gathered.rglob("*"):
        text = path.read_bytes() if path.is_file() else b""
        for secret in (b"BEGIN SOLUTION", b"BEGIN HIDDEN", b"check.hidden(", b"@mistake("):
            assert secret not in text, f"{path.relative_to(gathered)} has {secret}"


def test_what_jupyterlab_folds_is_folded_on_the_site_too():
    def tags(cell_id="one", **metadata):
        cell = {"cell_type": "code", "id": cell_id, "metadata": metadata, "source": ""}
        stage.prepare({"cells": [cell]}, "notebooks/05-a.ipynb", {}, "")
        return cell["metadata"].get("tags", [])

    assert tags() == tags(jupyter={"outputs_hidden": False}) == []
    assert tags(jupyter={"outputs_hidden": True}, tags=["cover"]) == ["cover", "hide-output"]
    assert tags(jupyter={"source_hidden": True}, alt="A picture.") == ["hide-input"]
    assert tags("exercise-check", jupyter={"source_hidden": True}) == ["hide-input"]
    assert tags("exercise-check") == ["hide-input"]


def test_notebooks_keep_their_cells_and_outputs(gathered):
    for path in LESSONS:
        before = json.loads(path.read_text(encoding="utf-8"))["cells"]
        after = json.loads((gathered / path.relative_to(ROOT)).read_text(encoding="utf-8"))["cells"]
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            assert old.get("outputs") == new.get("outputs")
            if old["cell_type"] == "code":
                assert old["source"] == new["source"]
                alt = new["metadata"].get("mystnb", {}).get("image", {}).get("alt")
                assert alt == old["metadata"].get("alt")
        assert f"{{lesson-links}} {path.name}" in after[0]["source"]
        assert (gathered / "downloads" / path.name).read_bytes() == path.read_bytes()


def test_the_start_page_takes_its_words_from_the_readme(gathered):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, expected in (
        ("introduction", "runs on a laptop"),
        ("time", "lessons, about "),
        ("start", "make lab"),
    ):
        text = (gathered / f"parts/{name}.md").read_text(encoding="utf-8")
        assert expected in text
        assert f"/parts/{name}.md" in (gathered / "index.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="no section"):
        stage.section(readme, "No such section")


def test_the_time_of_all_lessons_is_added_up():
    table = "| lesson | time |\n|---|---|\n| 00 [a](a.ipynb) | 50 minutes |\n"
    table += "| 01 [b](b.ipynb) | 2 × 65 minutes |\n| A [c](c.ipynb) | an appendix |\n"
    assert stage.time_needed(table) == "2 lessons, about 3 hours in all."
    # To the nearest hour.
    assert stage.time_needed(table.replace("65", "60")) == "2 lessons, about 3 hours in all."
    assert stage.time_needed(table.replace("65", "79")) == "2 lessons, about 3 hours in all."
    assert stage.time_needed(table.replace("65", "81")) == "2 lessons, about 4 hours in all."
    with pytest.raises(ValueError, match="no table of times"):
        stage.time_needed("| 00 | an hour |")


def test_the_start_page_says_how_long_all_lessons_take(gathered):
    said = (gathered / "parts/time.md").read_text(encoding="utf-8")
    lessons, hours = re.fullmatch(r"(\d+) lessons, about (\d+) hours in all\.\n", said).groups()
    table = (ROOT / "notebooks/README.md").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if line.endswith(" minutes |")]
    minutes = 0
    for row in rows:
        *_, time, _ = row.split("|")
        parts = [int(part) for part in time.replace("minutes", "").split("×")]
        minutes += parts[0] * (parts[1] if parts[1:] else 1)
    assert int(lessons) == len(rows)
    assert abs(60 * int(hours) - minutes) <= 30


def test_where_the_files_are_is_said_or_that_it_is_not_known(gathered, tmp_path):
    (tmp_path / "known").mkdir()
    stage.stage(tmp_path / "known", "https://github.com/o/r")
    known = (tmp_path / "known/parts/start.md").read_text(encoding="utf-8")
    assert known.startswith("The course's repository: <https://github.com/o/r>\n\n")
    unknown = (gathered / "parts/start.md").read_text(encoding="utf-8")
    assert unknown.startswith("These pages do not know where the course's files are kept.")


def test_each_module_and_assignment_gets_its_page(gathered):
    modules = {path.name.removesuffix(".md") for path in (gathered / "reference").glob("*.md")}
    assert {"index", "ops", "data", "pieces.stepper", "grader.authoring.bank"} <= modules
    assert not {"command", "grader", "pieces"} & modules
    assert not [name for name in modules if re.search(r"(^|\.)_", name)]  # a private part
    plots = (gathered / "reference/plots.md").read_text("utf-8")
    assert ".. py:data:: WIDTH\n   :module: helpers.plots\n   :value: 9.0" in plots
    assert ".. py:data:: BLUE\n" in plots  # given together with others
    for path in assignments(ROOT):
        assert (gathered / f"known-mistakes/{path.stem}.md").is_file()


# --- links -------------------------------------------------------------------------------------

PAGES = {"notebooks/a.ipynb": "notebooks/a.ipynb", "solutions/README.md": "instructors/index.md"}


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("[a](a.ipynb)", "notebooks/b.ipynb", "[a](a.ipynb)"),
        ("[a](../notebooks/a.ipynb#x)", "solutions/README.md", "[a](../notebooks/a.ipynb#x)"),
        ("[guide](solutions/README.md)", "README.md", "[guide](instructors/index.md)"),
        ("[`code` [1]](../solutions/README.md)", "notebooks/a.ipynb", "[`code` [1]]({})"),
        ("see [this file](../tools/website.py).", "notebooks/a.ipynb", "see this file."),
        ("[w](https://example.org) [x](#y)", "README.md", "[w](https://example.org) [x](#y)"),
        ("```\n[a](tools/website.py)\n```\n", "README.md", "```\n[a](tools/website.py)\n```\n"),
        ("![picture](a.png)", "README.md", "![picture](a.png)"),
    ],
)
def test_links_lead_to_pages_of_the_site(text, source, expected):
    expected = expected.format("../instructors/index.md")
    assert stage.rewrite(text, source, PAGES, "") == expected


def test_files_that_the_site_has_not_are_linked_where_the_repository_is_known():
    text = stage.rewrite(
        "[this](../tools/website.py#L3)", "notebooks/a.ipynb", PAGES, "https://h/o/n"
    )
    assert text == "[this](https://h/o/n/blob/main/tools/website.py#L3)"


@pytest.fixture
def small_site(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text('<a href="sub/b.html#here">b</a><p id="top-of-it">')
    (tmp_path / "sub/b.html").write_text('<p id="here"><a href="../">up</a> <img src="../p.png">')
    (tmp_path / "p.png").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("html", "why"),
    [
        ("", None),
        ('<a href="https://example.org/nothing">', None),
        ('<a href="#top-of-it">', None),
        ('<a href="/here/p.png">', None),
        ('<a href="nothing.html">', "no such file"),
        ('<img src="sub/q.png">', "no such file"),
        ('<img srcset="p.png 1x, p.png 2x">', None),
        ('<img srcset="p.png 1x, sub/q.png 2x">', "no such file"),
        ('<video poster="q.png">', "no such file"),
        ('<form action="nothing.html">', "no such file"),
        ('<a name="old"></a><a href="#old">', None),
        ('<a href="sub/b.html#nowhere">', "no such anchor"),
        ('<a href="#nowhere">', "no such anchor"),
        ('<a href="../../etc/hostname">', "outside the site"),
        ('<a href="/p.png">', "outside /here/"),
    ],
)
def test_broken_links_are_found(small_site, html, why):
    with (small_site / "index.html").open("a") as file:
        file.write(html)
    found = links.broken_links(small_site, "/here/")
    assert [line.rpartition("(")[2].rstrip(")") for line in found] == ([why] if why else [])


# --- the one setting ---------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["", "https://git.example.org/o/n", "https://github.com/o"])
def test_no_hosted_service_without_a_repository_that_it_knows(address):
    assert hosted.hosted_services(address, "notebooks/a.ipynb") == []


@pytest.mark.parametrize("ending", ["", "/", ".git"])
def test_hosted_services_open_the_notebook(ending):
    address = f"https://github.com/owner/name{ending}"
    services = dict(hosted.hosted_services(address, "notebooks/a b.ipynb"))
    assert services["Colab"].endswith("/github/owner/name/blob/main/notebooks/a%20b.ipynb")
    assert services["Binder"].endswith("/gh/owner/name/main?urlpath=lab/tree/notebooks/a%20b.ipynb")


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("", "/"),
        ("https://github.com/owner/name", "/name/"),
        ("https://github.com/owner/owner.github.io", "/"),
    ],
)
def test_the_page_for_lost_visitors_has_absolute_links(address, prefix):
    assert hosted.site_prefix(address) == prefix
    html = (
        '<a href="a/b.html"><a href="#c"><img src="./d.png"><a href="https://e.org"><a href="/f">'
    )
    assert hosted.make_links_absolute(html, prefix) == (
        f'<a href="{prefix}a/b.html"><a href="#c"><img src="{prefix}d.png">'
        '<a href="https://e.org"><a href="/f">'
    )


# --- its packages ------------------------------------------------------------------------------


def test_the_packages_are_a_group_and_no_extra():
    """pip installs extras together with the course, whose Jupyter server these would pull back."""
    assert "site" not in PROJECT["project"]["optional-dependencies"]
    names = {re.match(r"[\w-]+", line)[0] for line in website.requirements()}
    assert {"sphinx", "myst-nb"} <= names


def test_each_package_is_pinned_above_its_floor():
    comment, *lines = (ROOT / "site/constraints.txt").read_text(encoding="utf-8").splitlines()
    assert comment.startswith("# ")
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in lines)
    pins = dict(line.split("==") for line in lines)
    for requirement in website.requirements():
        name, floor = requirement.partition(",")[0].split(">=")
        numbers = [list(map(int, re.findall(r"\d+", text))) for text in (pins[name], floor)]
        assert numbers[0] >= numbers[1], requirement


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A course with a site, and pip and venv played by a function; `installs` counts them."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/constraints.txt").write_text("sphinx==9.0\n")
    (tmp_path / "pyproject.toml").write_text('[dependency-groups]\nsite = ["sphinx>=9"]\n')
    installs, status = [], [0]

    def run(command, environ):
        if "venv" in command:
            python = website.venv_folder.venv_python(tmp_path / ".venv-site")
            python.parent.mkdir()
            python.symlink_to(sys.executable)
            return 0
        installs.append(command[-1])
        return status[0]

    tool = website.installer.Installer("pip", Path("python"), ("pip", "install"), {})
    monkeypatch.setattr(website.environment, "runner", lambda root, keep_open: run)
    monkeypatch.setattr(website.installer, "is_environment", lambda python: True)
    monkeypatch.setattr(website.environment, "installers", lambda *arguments: [tool])
    return tmp_path, installs, status


def test_the_environment_is_made_once_and_again_after_a_change(repository):
    root, installs, _ = repository
    python = website.prepare(root)
    assert website.prepare(root) == python
    assert installs == ["sphinx>=9"]
    (root / "site/constraints.txt").write_text("sphinx==9.1\n")
    website.prepare(root)
    website.prepare(root)
    assert installs == ["sphinx>=9"] * 2
    assert not (root / ".venv").exists()


def test_a_failed_installation_leaves_nothing_behind(repository):
    root, installs, status = repository
    status[0] = 1
    with pytest.raises(website.Problem, match="Nothing was left behind"):
        website.prepare(root)
    assert not (root / ".venv-site").exists()
    status[0] = 0
    website.prepare(root)
    assert len(installs) == 2


def test_a_copy_without_the_site_says_so(tmp_path):
    with pytest.raises(website.Problem, match="no folder site/"):
        website.prepare(tmp_path)
    with pytest.raises(website.Problem, match="make site"):
        website.serve(tmp_path)


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("venv", "Python could not make .venv-site; its own message is above. Nothing was"),
        ("install", "The installation failed: the installer's own messages are above. Nothing was"),
        ("stopped", "Stopped. Nothing was left behind."),
    ],
)
def test_each_failure_of_the_environment_is_said(repository, monkeypatch, fails, said):
    root, *_ = repository
    real = website.environment.runner(root, ())

    def run(command, environ):
        if fails == "stopped":
            raise KeyboardInterrupt
        return 1 if ("venv" in command) is (fails == "venv") else real(command, environ)

    monkeypatch.setattr(website.environment, "runner", lambda root, keep_open: run)
    with pytest.raises(website.Problem, match=f"^{re.escape(said)}"):
        website.prepare(root)
    assert not (root / ".venv-site").exists()


def test_another_installer_takes_over_and_the_pins_are_given(repository, monkeypatch):
    root, _, _ = repository
    given = []
    first, second = (
        website.installer.Installer(name, Path("python"), (name,), {}) for name in ("uv", "pip")
    )
    asked = []
    monkeypatch.setattr(
        website.environment, "installers", lambda *them: asked.append(them) or [first, second]
    )
    real = website.environment.runner(root, ())

    def run(command, environ):
        if "venv" in command:
            return real(command, environ)
        given.append(command)
        return int(command[0] == "uv")

    monkeypatch.setattr(website.environment, "runner", lambda root, keep_open: run)
    website.prepare(root)
    pins = ["--quiet", "-c", root / "site/constraints.txt", "sphinx>=9"]
    assert given == [["uv", *pins], ["pip", *pins]]
    assert asked[0][:2] == (
        website.venv_folder.venv_python(root / ".venv-site"),
        root / "constraints.txt",
    )
    assert not (root / ".venv-site/tmp").exists()


# --- its verbs ---------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch):
    """What the verbs start, instead of starting it; each ends with `status`, by its first word."""
    calls, status = [], {}

    def run(command, cwd, env=None):
        calls.append((list(command), cwd, env))
        return SimpleNamespace(returncode=status.get(Path(command[0]).name, 0))

    monkeypatch.setattr(website.subprocess, "run", run)
    monkeypatch.setattr(website, "prepare", lambda root: root / "bin/python")
    return SimpleNamespace(calls=calls, status=status)


def test_building_says_how_many_pages_there_are(tmp_path, started, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("KEPT", "yes")
    for name in ("index.html", "sub/b.html", "c.png"):
        path = tmp_path / website.TARGET / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert website.build(tmp_path) == 0
    ((command, cwd, environ),) = started.calls
    target = tmp_path / "build/site"
    assert command == [tmp_path / "bin/python", tmp_path / "site/build.py", target]
    assert cwd == tmp_path
    assert environ["KEPT"] == "yes"
    assert not [name for name in environ if name.startswith("PYTHON")]
    assert re.fullmatch(rf"{re.escape(str(target))}: 2 pages in \d+ s\.\n", capsys.readouterr().out)
    started.status["python"] = 3
    assert website.build(tmp_path, tmp_path / "other") == 3
    assert started.calls[1][0][-1] == tmp_path / "other"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("fails", [None, "check-jsonschema", "zizmor"])
def test_each_file_is_checked_against_its_schema(tmp_path, started, fails):
    for name in ("workflows/b.yml", "workflows/a.yml", "ISSUE_TEMPLATE/1.yml"):
        path = tmp_path / ".github" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / ".github/ISSUE_TEMPLATE/config.yml").touch()
    (tmp_path / "CITATION.cff").touch()
    started.status[fails] = 2
    assert website.lint(tmp_path) == (2 if fails else 0)
    folder, github = tmp_path / "bin", tmp_path / ".github"
    checker = [folder / "check-jsonschema", "--default-filetype", "yaml", "--builtin-schema"]
    workflows = [github / "workflows/a.yml", github / "workflows/b.yml"]
    assert [command for command, *_ in started.calls] == [
        [*checker, "vendor.github-workflows", *workflows],
        [*checker, "vendor.github-issue-forms", github / "ISSUE_TEMPLATE/1.yml"],
        [*checker, "vendor.github-issue-config", github / "ISSUE_TEMPLATE/config.yml"],
        [*checker, "vendor.citation-file-format", tmp_path / "CITATION.cff"],
        [folder / "zizmor", "--offline", "--no-progress", "--quiet", *workflows],
    ]
    assert {cwd for _, cwd, _ in started.calls} == {tmp_path}


def test_pinning_needs_the_courses_own_environment(tmp_path, started):
    with pytest.raises(website.Problem, match="`course setup` first"):
        website.pin(tmp_path)
    python = website.venv_folder.venv_python(tmp_path / ".venv")
    python.parent.mkdir(parents=True)
    python.touch()
    started.status["python"] = 4
    assert website.pin(tmp_path) == 4
    program = [python, tmp_path / "tools/constraints.py", "--site"]
    assert started.calls == [(program, tmp_path, None)]


@pytest.mark.parametrize(("lint", "steps"), [(0, ["lint", "build"]), (1, ["lint"])])
def test_without_a_word_it_is_checked_and_then_built(monkeypatch, lint, steps):
    done = []
    monkeypatch.setattr(website, "lint", lambda root: done.append("lint") or lint)
    monkeypatch.setattr(website, "build", lambda root: done.append("build") or 0)
    assert website.check_and_build() == lint
    assert done == steps
    monkeypatch.undo()
    monkeypatch.setattr(website, "check_and_build", lambda: 6)
    assert website.main([]) == 6


def test_a_word_says_what_is_done(monkeypatch, tmp_path, capsys):
    def build():
        return 5

    monkeypatch.setattr(website, "build", build)

    def serve(port):
        raise website.Problem(f"port {port}")

    monkeypatch.setattr(website, "serve", serve)
    assert website.main(["build"]) == 5
    assert website.main(["serve", "--port", "80"]) == 1
    assert capsys.readouterr().err == "\nport 80\n"
    assert website.main(["serve"]) == 1
    assert capsys.readouterr().err == "\nport 0\n"
    with pytest.raises(SystemExit):
        website.main(["sreve"])


# --- its server --------------------------------------------------------------------------------


def test_showing_the_site_says_where_it_is_until_it_is_stopped(tmp_path, monkeypatch, capsys):
    (tmp_path / website.TARGET).mkdir(parents=True)
    (tmp_path / website.TARGET / "index.html").touch()
    asked = []

    class Server:
        server_port = 8123

        def __enter__(self):
            return self

        def __exit__(self, *error):
            asked.append("closed")

        def serve_forever(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(website, "make_server", lambda *given: asked.append(given) or Server())
    assert website.serve(tmp_path, 8123) == 0
    assert asked == [(tmp_path / website.TARGET, 8123), "closed"]
    said = "The site is at http://127.0.0.1:8123/ (Ctrl-C ends it).\n\n"
    assert capsys.readouterr().out == said


def test_the_server_shows_the_site_s_own_page_for_what_is_not_there(small_site):
    (small_site / "404.html").write_text("lost?")
    with website.make_server(small_site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}/"
        assert server.server_address[0] == "127.0.0.1"
        with urllib.request.urlopen(base) as answer:
            assert b"sub/b.html" in answer.read()
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(base + "deep/down")
        assert error.value.code == 404
        assert error.value.read() == b"lost?"
        error.value.close()
        server.shutdown()
