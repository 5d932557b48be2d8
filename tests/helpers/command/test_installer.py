"""helpers/command/installer.py: uv or pip, what of their settings counts, and which torch."""

import http.server
import os
import stat
import sys
import threading

import pytest

from helpers.command import installer
from helpers.command.files import Problem

PYTHON = installer.Path(sys.executable)


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    for name in ("COURSE_INSTALLER", "COURSE_TORCH", "COURSE_TORCH_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(installer, "is_environment", lambda python: True)


# --- pip's settings ----------------------------------------------------------------------------

LISTING = """\
:env:.default-timeout='60'
:env:.user='1'
global.index-url='a mirror'
global.target='/elsewhere'
global.timeout='15'
install.timeout='30'
download.timeout='45'
site.trusted-host=
"""


def test_the_value_that_counts_of_each_setting():
    """pip's documentation, "Configuration": a command's section over [global], variables first."""
    assert installer.pip_settings(LISTING) == {
        "default-timeout": "60",
        "user": "1",
        "index-url": "a mirror",
        "target": "/elsewhere",
        "timeout": "30",
    }


def test_pip_is_told_where_packages_come_from_and_nothing_else(monkeypatch, tmp_path):
    monkeypatch.setattr(installer, "ask_pip", lambda python: installer.pip_settings(LISTING))
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    environ = installer.pip(PYTHON, tmp_path).environ
    assert environ["PIP_INDEX_URL"] == "a mirror"
    assert environ["PIP_TIMEOUT"] == "30"
    assert environ["PIP_CONFIG_FILE"] == os.devnull
    assert environ["TMPDIR"] == str(tmp_path)
    assert not {"PIP_TARGET", "PIP_USER", "PYTHONPATH"} & set(environ)


def test_uv_keeps_its_indexes_and_loses_what_leads_elsewhere(monkeypatch, tmp_path):
    for name in ("UV_INDEX_URL", "UV_CACHE_DIR", "UV_TARGET", "UV_SYSTEM_PYTHON", "UV_CONSTRAINT"):
        monkeypatch.setenv(name, "x")
    environ = installer.uv(["uv"], tmp_path / "bin/python", tmp_path).environ
    assert {name for name in environ if name.startswith("UV_")} == {"UV_INDEX_URL", "UV_CACHE_DIR"}


@pytest.mark.parametrize(
    ("settings", "variable", "expected"),
    [
        ({}, None, None),
        ({"timeout": "60", "cert": "x", "user": "1"}, None, None),
        ({"extra-index-url": "x"}, None, "its settings name extra-index-url"),
        ({"proxy": "x", "index-url": "x"}, None, "its settings name index-url, proxy"),
        ({"index-url": "x"}, "uv", None),
        ({}, "pip", "COURSE_INSTALLER asks for it"),
    ],
)
def test_pip_installs_where_an_index_is_configured_for_it(
    monkeypatch, settings, variable, expected
):
    monkeypatch.setattr(installer, "ask_pip", lambda python: settings)
    if variable:
        monkeypatch.setenv("COURSE_INSTALLER", variable)
    assert installer.why_pip(PYTHON) == expected


def test_a_variable_with_another_value_is_an_error_that_names_them(monkeypatch):
    monkeypatch.setenv("COURSE_TORCH", "gpu")
    with pytest.raises(Problem, match=r"COURSE_TORCH=gpu: .* values cpu, cuda, auto"):
        installer.torch_index(print)


def test_nothing_is_run_for_what_is_no_environment(monkeypatch, tmp_path):
    monkeypatch.setattr(installer, "ask_pip", lambda python: {})
    tool = installer.pip(PYTHON, tmp_path)
    assert tool.environ["PIP_REQUIRE_VIRTUALENV"] == "1"
    monkeypatch.setattr(installer, "is_environment", lambda python: False)
    with pytest.raises(Problem, match="is not an environment"):
        tool.install(["numpy"], pytest.fail)


# --- uv ----------------------------------------------------------------------------------------


def fake_uv(folder, version):
    folder.mkdir(exist_ok=True)
    (folder / "uv").write_text(f"#!/bin/sh\necho 'uv {version} (somewhere)'\n")
    (folder / "uv").chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for uv is a shell script")
@pytest.mark.parametrize(
    ("version", "taken"), [("0.13.9", True), ("1.0.0", True), ("0.4.30", False)]
)
def test_uv_from_path_is_taken_unless_it_is_too_old(monkeypatch, tmp_path, version, taken):
    fake_uv(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setattr(installer, "uv_version", only_on_path(installer.uv_version))
    asked = []

    def run(command, environ):
        asked.append(command)
        return 1

    found = installer.find_uv(PYTHON, tmp_path / "constraints.txt", tmp_path, run)
    assert (found is not None) is taken
    # Else pip is asked for one; here it says no.
    assert [command[-1] for command in asked] == ([] if taken else ["uv"])


def only_on_path(real):
    return lambda command: real(command) if len(command) == 1 else ()


def test_pip_gets_uv_into_the_environment_in_the_pinned_version(monkeypatch, tmp_path):
    monkeypatch.setattr(installer.shutil, "which", lambda name: None)
    monkeypatch.setattr(installer, "uv_version", lambda command: (0, 13))
    asked = []
    found = installer.find_uv(
        PYTHON, tmp_path / "constraints.txt", tmp_path, lambda c, e: asked.append(c) or 0
    )
    assert asked[0][-3:] == ["-c", tmp_path / "constraints.txt", "uv"]
    assert list(found.command[:3]) == [PYTHON, "-m", "uv"]
    assert "--compile-bytecode" in found.command


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps its cache elsewhere")
def test_a_cache_that_cannot_be_used_is_not(tmp_path, monkeypatch):
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    home = {"XDG_CACHE_HOME": str(tmp_path)}
    assert installer.cache_is_useful(venv, home)
    monkeypatch.setattr(installer.os, "access", lambda path, mode: False)
    assert not installer.cache_is_useful(venv, home)
    monkeypatch.undo()
    real = os.stat

    def on_another_disk(path, **rest):
        found = real(path, **rest)
        if installer.Path(path) == venv:
            found = os.stat_result((*found[:2], found.st_dev + 1, *found[3:]))
        return found

    monkeypatch.setattr(installer.os, "stat", on_another_disk)
    assert not installer.cache_is_useful(venv, home)
    assert stat.S_ISDIR(real(venv).st_mode)


# --- which build of torch ----------------------------------------------------------------------


class Index(http.server.BaseHTTPRequestHandler):
    """Stands for PyTorch's own index; `pages` maps what is asked for to the answer."""

    pages = {}  # noqa: RUF012

    def do_GET(self):
        page = self.pages.get(self.path)
        self.send_response(200 if page else 404)
        self.end_headers()
        if callable(page):
            page(self)
        elif page:
            self.wfile.write(page)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def index(monkeypatch):
    """A stand-in for PyTorch's index on this machine; returns the dictionary of its pages."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("COURSE_TORCH_INDEX", f"http://127.0.0.1:{server.server_port}/whl/cpu/")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(installer, "has_nvidia_card", lambda: False)
    monkeypatch.setattr(
        Index, "pages", {"/whl/cpu/torch/": b'<a href="torch-2.15.0+cpu-cp311.whl">'}
    )
    yield Index.pages
    server.shutdown()
    server.server_close()


def chosen():
    """(whether the small build is chosen, what was said)."""
    said = []
    index = installer.torch_index(said.append)
    assert index in (None, os.environ["COURSE_TORCH_INDEX"])
    assert len(said) <= 1
    return index is not None, "".join(said)


def test_without_a_card_the_small_torch_is_taken_if_its_index_answers(index):
    small, said = chosen()
    assert small
    assert "the small build" in said


def test_the_large_torch_is_taken_if_the_index_does_not_answer(index, monkeypatch):
    monkeypatch.setenv("COURSE_TORCH_INDEX", "http://127.0.0.1:9/whl/cpu")
    assert chosen() == (
        False,
        "PyTorch: the large build, because the index that has the small one does not answer.",
    )


def test_an_index_that_answers_with_something_else_is_none(index):
    index["/whl/cpu/torch/"] = b"Please log in to the guest network."
    assert not chosen()[0]


def test_an_index_that_never_finishes_is_given_up(index, monkeypatch):
    gone = threading.Event()

    def trickle(handler):
        while not gone.wait(0.05):
            handler.wfile.write(b" ")

    index["/whl/cpu/torch/"] = trickle
    monkeypatch.setattr(installer, "SECONDS_FOR_THE_INDEX", 0.3)
    assert not chosen()[0]
    gone.set()


def test_with_a_card_the_index_is_not_even_asked(index, monkeypatch):
    monkeypatch.setattr(installer, "has_nvidia_card", lambda: True)
    monkeypatch.setattr(installer, "answers", pytest.fail)
    assert chosen() == (False, "PyTorch: the build for NVIDIA cards, as this machine has one.")


def test_course_torch_decides(index, monkeypatch):
    monkeypatch.setenv("COURSE_TORCH", "cuda")
    assert chosen() == (False, "")
    monkeypatch.setenv("COURSE_TORCH", "cpu")
    monkeypatch.setattr(installer, "has_nvidia_card", lambda: True)
    assert chosen()[0]
    monkeypatch.setenv("COURSE_TORCH", "auto")
    assert not chosen()[0]
    monkeypatch.setattr(installer, "has_nvidia_card", lambda: False)
    assert chosen()[0]


def test_asking_for_the_small_torch_where_it_cannot_be_had_is_an_error(index, monkeypatch):
    monkeypatch.setenv("COURSE_TORCH", "cpu")
    monkeypatch.setenv("COURSE_TORCH_INDEX", "http://127.0.0.1:9/whl/cpu")
    with pytest.raises(Problem, match=r"its index .* cannot be reached"):
        installer.torch_index(print)


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_elsewhere_nothing_is_asked_and_nothing_said(index, monkeypatch, system):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(installer, "answers", pytest.fail)
    assert chosen() == (False, "")
