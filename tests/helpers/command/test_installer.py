"""helpers/command/installer.py: uv or pip, what of their settings counts, and which torch."""

import http.server
import os
import re
import stat
import sys
import threading
from types import SimpleNamespace

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
    "name",
    [
        *("index-url", "extra-index-url", "find-links", "no-index", "proxy", "client-cert"),
        *("trusted-host", "cert", "cache-dir", "no-cache-dir", "timeout", "default-timeout"),
        *("retries", "keyring-provider", "use-feature", "use-deprecated"),
    ],
)
def test_each_setting_of_where_packages_come_from_is_kept(monkeypatch, tmp_path, name):
    monkeypatch.setattr(installer, "ask_pip", lambda python: {name: "x"})
    environ = installer.pip(PYTHON, tmp_path).environ
    assert environ[f"PIP_{name.upper().replace('-', '_')}"] == "x"


@pytest.mark.parametrize(
    "name",
    [
        *("index-url", "extra-index-url", "find-links", "no-index", "proxy", "client-cert"),
        "trusted-host",
    ],
)
def test_each_place_that_pip_was_told_of_is_a_reason_for_pip(monkeypatch, name):
    monkeypatch.setattr(installer, "ask_pip", lambda python: {name: "x", "cert": "y"})
    assert installer.why_pip(PYTHON) == f"its settings name {name}"


@pytest.mark.parametrize(
    "name",
    [
        *("PREFIX", "ROOT", "TARGET", "USER", "DRY_RUN", "REQUIRE_HASHES", "CONSTRAINT", "NO_DEPS"),
        *("NO_BINARY", "ONLY_BINARY", "BUILD_CONSTRAINT", "IGNORE_INSTALLED", "NO_CLEAN"),
    ],
)
def test_a_setting_of_where_packages_go_is_left_out(monkeypatch, tmp_path, name):
    setting = name.lower().replace("_", "-")
    monkeypatch.setattr(installer, "ask_pip", lambda python: {setting: "x"})
    monkeypatch.setenv(f"PIP_{name}", "x")
    assert f"PIP_{name}" not in installer.pip(PYTHON, tmp_path).environ


def test_pip_is_called_in_the_environment_and_does_not_try_for_ever(monkeypatch, tmp_path):
    monkeypatch.setattr(installer, "ask_pip", lambda python: {})
    tool = installer.pip(PYTHON, tmp_path)
    assert (tool.name, tool.python, tool.command) == (
        "pip",
        PYTHON,
        (PYTHON, "-m", "pip", "install"),
    )
    own = {name: value for name, value in tool.environ.items() if name.startswith("PIP_")}
    assert own == {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_RETRIES": "2",
    }
    monkeypatch.setattr(installer, "ask_pip", lambda python: {"retries": "9"})
    assert installer.pip(PYTHON, tmp_path).environ["PIP_RETRIES"] == "9"


@pytest.mark.parametrize(
    ("status", "printed", "settings"),
    [(0, "global.proxy='x'\n", {"proxy": "x"}), (1, "global.proxy='x'\n", {})],
)
def test_pip_is_asked_for_its_settings(monkeypatch, tmp_path, status, printed, settings):
    asked = []

    def run(command, **rest):
        asked.append((command, rest["env"]))
        return SimpleNamespace(returncode=status, stdout=printed)

    monkeypatch.setattr(installer.subprocess, "run", run)
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    python = tmp_path / "python"
    assert installer.ask_pip(python) == settings
    ((command, environ),) = asked
    assert command == [python, "-m", "pip", "config", "list"]
    assert "PYTHONPATH" not in environ


def test_lines_that_are_no_settings_are_passed_over():
    listing = "global.a=not quoted\nglobal.b='kept'\nuser.c='x'\nd\n:env:.e=''\nglobal.e='f'\n"
    assert installer.pip_settings(listing) == {"b": "kept", "e": "f"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *((name, False) for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE")),
        *((name, False) for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__")),
        *((name, True) for name in ("PYTHONUTF8", "PYTHONWARNINGS", "PYTHONIOENCODING")),
        *((name, True) for name in ("PATH", "HTTPS_PROXY", "MY_PYTHON", "VIRTUAL_ENV_PROMPT")),
    ],
)
def test_variables_that_lead_python_elsewhere_are_left_out(name, kept):
    assert installer.clean({name: "x", "HOME": "h"}) == {
        "HOME": "h",
        **({name: "x"} if kept else {}),
    }


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


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "auto"), ("", "auto"), (" ", "auto"), ("auto", "auto"), (" UV ", "uv"), ("pip", "pip")],
)
def test_a_choice_is_read_whatever_the_case_and_spaces(monkeypatch, value, expected):
    if value is not None:
        monkeypatch.setenv("COURSE_INSTALLER", value)
    assert installer.choice("COURSE_INSTALLER") == expected


def test_an_installer_runs_its_command_in_its_own_surroundings(monkeypatch):
    tool = installer.Installer("x", PYTHON, ("x", "install"), {"A": "b"})
    calls = []
    assert tool.install(["numpy"], lambda *given: calls.append(given) or 6) == 6
    assert calls == [(["x", "install", "numpy"], {"A": "b"})]
    monkeypatch.setattr(installer, "is_environment", lambda python: False)
    folder = re.escape(str(PYTHON.parents[1]))
    with pytest.raises(Problem, match=rf"^{folder} is not an environment of Python's"):
        tool.install(["numpy"], pytest.fail)


def test_nothing_is_run_for_what_is_no_environment(monkeypatch, tmp_path):
    monkeypatch.setattr(installer, "ask_pip", lambda python: {})
    tool = installer.pip(PYTHON, tmp_path)
    assert tool.environ["PIP_REQUIRE_VIRTUALENV"] == "1"
    monkeypatch.setattr(installer, "is_environment", lambda python: False)
    with pytest.raises(Problem, match="is not an environment"):
        tool.install(["numpy"], pytest.fail)


# --- uv ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *(("UV_" + name, True) for name in ("DEFAULT_INDEX", "INDEX", "INDEX_A_USERNAME")),
        *(("UV_" + name, True) for name in ("EXTRA_INDEX_URL", "FIND_LINKS", "INSECURE_HOST")),
        *(("UV_" + name, True) for name in ("CACHE_DIR", "NO_CACHE", "OFFLINE", "HTTP_TIMEOUT")),
        *(("UV_" + name, True) for name in ("NATIVE_TLS", "SYSTEM_CERTS", "KEYRING_PROVIDER")),
        *(("UV_" + name, True) for name in ("LINK_MODE", "CONCURRENT_DOWNLOADS", "NO_PROGRESS")),
        *(("UV_" + name, True) for name in ("NO_CONFIG", "CONFIG_FILE")),
        *(("UV_" + name, False) for name in ("PROJECT_ENVIRONMENT", "PYTHON", "PREFIX")),
        *(("UV_" + name, False) for name in ("BREAK_SYSTEM_PACKAGES", "OVERRIDE", "NO_INDEX_X")),
    ],
)
def test_each_setting_of_uv_that_says_where_packages_come_from_is_kept(
    monkeypatch, tmp_path, name, kept
):
    monkeypatch.setenv(name, "x")
    environ = installer.uv(["uv"], tmp_path / "bin/python", tmp_path).environ
    assert (environ.get(name) == "x") is kept
    assert environ["TMPDIR"] == str(tmp_path)


@pytest.mark.parametrize("is_useful", [True, False])
def test_uv_installs_into_the_environment_without_a_cache_on_another_disk(
    monkeypatch, tmp_path, is_useful
):
    asked = []
    monkeypatch.setattr(
        installer, "cache_is_useful", lambda venv, environ: asked.append(venv) or is_useful
    )
    python = tmp_path / "venv/bin/python"
    tool = installer.uv(["uv"], python, tmp_path)
    options = ("uv", "pip", "install", "--python", python, "--compile-bytecode")
    assert tool.command == (*options, *([] if is_useful else ["--no-cache"]))
    assert (tool.name, tool.python) == ("uv", python)
    assert asked == [tmp_path / "venv"]


def test_a_cache_that_somebody_named_is_used(monkeypatch, tmp_path):
    monkeypatch.setattr(installer.os, "access", lambda path, mode: False)
    assert installer.cache_is_useful(tmp_path, {"UV_CACHE_DIR": "x"})


@pytest.mark.parametrize(
    ("printed", "status", "version"),
    [
        ("uv 0.9.5 (abc 2026)", 0, (0, 9)),
        ("uv 12.34.5", 0, (12, 34)),
        ("uv 0.9.5", 1, ()),
        ("uvx 0.9.5", 0, ()),
        ("", 0, ()),
        (None, 0, ()),
    ],
)
def test_the_version_of_uv_is_what_it_says(monkeypatch, printed, status, version):
    asked = []

    def run(command, **rest):
        asked.append(command)
        if printed is None:
            raise FileNotFoundError
        return SimpleNamespace(returncode=status, stdout=printed)

    monkeypatch.setattr(installer.subprocess, "run", run)
    assert installer.uv_version(["a", "b"]) == version
    assert asked == [["a", "b", "--version"]]


@pytest.mark.parametrize(
    ("version", "status", "found"), [((0, 5), 0, True), ((), 0, False), ((0, 9), 1, False)]
)
def test_uv_is_taken_from_the_environment_if_it_runs_there(
    monkeypatch, tmp_path, version, status, found
):
    monkeypatch.setattr(installer, "ask_pip", lambda python: {})
    monkeypatch.setattr(installer.shutil, "which", lambda name: None)
    monkeypatch.setattr(installer, "uv_version", lambda command: version)
    tool = installer.find_uv(PYTHON, tmp_path, tmp_path, lambda command, environ: status)
    assert (tool is not None) is found


@pytest.mark.parametrize(("version", "taken"), [((0, 5), True), ((0, 4), False), ((), False)])
def test_the_oldest_uv_that_is_taken_from_path(monkeypatch, tmp_path, version, taken):
    monkeypatch.setattr(installer, "ask_pip", lambda python: {})
    monkeypatch.setattr(installer.shutil, "which", lambda name: "/usr/bin/uv")
    monkeypatch.setattr(installer, "uv_version", lambda command: version)
    tool = installer.find_uv(PYTHON, tmp_path, tmp_path, lambda command, environ: 1)
    assert (tool is not None) is taken
    if taken:
        assert tool.command[0] == "/usr/bin/uv"


@pytest.mark.parametrize(
    ("printed", "expected"), [("True\n", True), ("False\n", False), ("", False), (None, False)]
)
def test_an_environment_is_a_python_with_another_prefix_than_its_base(
    monkeypatch, printed, expected
):
    monkeypatch.undo()  # the fixture's stand-in

    def run(command, **rest):
        if printed is None:
            raise FileNotFoundError
        return SimpleNamespace(stdout=printed)

    monkeypatch.setattr(installer.subprocess, "run", run)
    assert installer.is_environment(PYTHON) is expected


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


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps its cache elsewhere")
def test_the_cache_is_where_the_variable_says_else_in_the_home_folder(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(installer.os, "access", lambda path, mode: asked.append((path, mode)))
    for name in ("home/.cache/uv", "cache/uv", "other"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(installer.Path, "home", lambda: tmp_path / "home")
    for environ in ({}, {"XDG_CACHE_HOME": ""}):
        installer.cache_is_useful(tmp_path, environ)
    installer.cache_is_useful(tmp_path, {"XDG_CACHE_HOME": str(tmp_path / "cache")})
    installer.cache_is_useful(tmp_path, {"XDG_CACHE_HOME": str(tmp_path / "other/not/there")})
    folders = [*["home/.cache/uv"] * 2, "cache/uv", "other"]
    assert asked == [(tmp_path / folder, os.W_OK) for folder in folders]


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
    assert chosen() == (
        True,
        "PyTorch: the small build, for the CPU alone (COURSE_TORCH=cuda takes the other one).",
    )


@pytest.mark.parametrize(
    "place",
    ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/usr/lib/wsl/lib/nvidia-smi", "on PATH"],
)
def test_each_trace_of_a_card_counts(monkeypatch, place):
    monkeypatch.setattr(os.path, "exists", lambda path: path == place)
    on_path = "/usr/bin/nvidia-smi" if place == "on PATH" else None
    monkeypatch.setattr(installer.shutil, "which", lambda name: on_path)
    assert installer.has_nvidia_card()
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    monkeypatch.setattr(installer.shutil, "which", lambda name: None)
    assert not installer.has_nvidia_card()


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
    assert chosen() == (True, "PyTorch: the small build, for the CPU alone (COURSE_TORCH=cpu).")
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
