"""helpers/command/variables.py and lab.py: what else is set up on a machine does no harm."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from helpers.command import lab
from helpers.command.variables import course_variables, own_folder, user_settings
from tests.support.lessons import ROOT


@pytest.fixture
def hostile(tmp_path):
    """The variables of a reader who has everything set up for other work."""
    home, foreign = tmp_path / "home", tmp_path / "foreign"
    for folder in (
        home / ".config/matplotlib",
        home / ".ipython/profile_default/startup",
        home / ".jupyter/lab/user-settings",
        home / ".jupyter/labconfig",
        home / ".local/share/jupyter/labextensions/foreign",
        home / ".local/share/jupyter/kernels/python3",
        foreign,
    ):
        folder.mkdir(parents=True)
    (home / ".config/matplotlib/matplotlibrc").write_text("figure.dpi: 13\ntext.usetex: True\n")
    (home / ".ipython/profile_default/startup/a.py").write_text("raise SystemExit('startup')")
    (home / ".jupyter/jupyter_server_config.py").write_text(
        "c.ServerApp.contents_manager_class = 'no.such.Manager'\n"
        "c.FileContentsManager.root_dir = '/'\n"
    )
    (home / ".local/share/jupyter/kernels/python3/kernel.json").write_text(
        json.dumps({"argv": ["/no/such/python"], "display_name": "Mine", "language": "python"})
    )
    for module in ("helpers", "traitlets"):
        (foreign / f"{module}.py").write_text(f"raise SystemExit('foreign {module}')")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")},
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "PYTHONPATH": str(foreign),
        "JUPYTER_PATH": str(home / ".local/share/jupyter"),
        "JUPYTER_CONFIG_PATH": str(home / ".jupyter"),
        "MATPLOTLIBRC": str(home / ".config/matplotlib/matplotlibrc"),
        "PYTHONIOENCODING": "ascii:strict",
    }


def variables(environ, root):
    """The course's variables for this environment, with a folder of its own for this test."""
    return course_variables(environ, root, Path(sys.prefix))


def answer(program, environ):
    """What a Python prints under these variables."""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


SEEN = """
import sys
sys.path.insert(0, {root!r})
import matplotlib, traitlets, helpers
from jupyter_core.paths import jupyter_config_path, jupyter_path, jupyter_runtime_dir
from jupyterlab.commands import get_user_settings_dir
from jupyter_client.kernelspec import KernelSpecManager
print(matplotlib.rcParams["figure.dpi"], matplotlib.rcParams["text.usetex"])
print(ascii(helpers.__file__))
paths = [*jupyter_config_path(), *jupyter_path(), jupyter_runtime_dir()]
print([path for path in paths if path.startswith({home!r})])
print(KernelSpecManager().get_kernel_spec("python3").display_name)
print(get_user_settings_dir())
"""


@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONSTARTUP"),
        *("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_NO_CONFIG"),
        *("JUPYTERLAB_DIR", "JUPYTERLAB_WORKSPACES_DIR", "MATPLOTLIBRC", "MPLBACKEND"),
    ],
)
def test_what_leads_elsewhere_is_left_out(name, tmp_path):
    environ = variables({name: "elsewhere", "KEPT": "yes"}, tmp_path)
    assert name not in environ
    assert environ["KEPT"] == "yes"


def test_nothing_of_the_readers_other_work_is_seen(hostile, tmp_path):
    environ = variables(hostile, tmp_path)
    program = SEEN.format(root=str(ROOT), home=hostile["HOME"])
    numbers, file, paths, kernel, settings = answer(program, environ)
    assert numbers == "100.0 False"
    assert file == ascii(str(ROOT / "helpers/__init__.py"))
    assert paths == "[]"
    assert kernel == "Python 3 (ipykernel)"
    # What readers chose in JupyterLab itself holds here, too.
    assert settings == str(Path(hostile["HOME"]) / ".jupyter/lab/user-settings")


def test_a_kernel_starts_without_the_readers_startup_files(hostile, tmp_path):
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    notebook = new_notebook(cells=[new_code_cell("import helpers; print(helpers.__file__)")])
    environ = variables(hostile, tmp_path)
    client = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": ROOT}})
    client.execute(env=environ)
    assert notebook.cells[0].outputs[0].text == f"{ROOT / 'helpers/__init__.py'}\n"


def test_each_program_gets_a_folder_of_the_courses_own(tmp_path):
    environ = variables({"PATH": "a", "HOME": str(tmp_path / "home")}, tmp_path)
    own, here = tmp_path / ".jupyter", Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin")
    assert environ == {
        "HOME": str(tmp_path / "home"),
        "PATH": os.pathsep.join([str(here), "a"]),
        "PYTHONNOUSERSITE": "1",
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(own / "ipython"),
        "MPLCONFIGDIR": str(own / "matplotlib"),
        "PYTHONIOENCODING": ":backslashreplace",
    }


def test_the_environments_programs_come_first_and_once(tmp_path):
    here = str(Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin"))
    environ = variables({"PATH": os.pathsep.join(["a", here, "b"])}, tmp_path)
    assert environ["PATH"].split(os.pathsep) == [here, "a", "b"]
    assert variables({"PYTHONIOENCODING": "latin-1:strict"}, tmp_path)["PYTHONIOENCODING"] == (
        "latin-1:backslashreplace"
    )


def test_the_language_that_was_chosen_is_handed_on(tmp_path):
    (tmp_path / ".jupyter").mkdir()
    (tmp_path / ".jupyter/language").write_text("ko\n", encoding="utf-8")
    assert variables({}, tmp_path)["COURSE_LANGUAGE"] == "ko"
    assert variables({"COURSE_LANGUAGE": "en"}, tmp_path)["COURSE_LANGUAGE"] == "en"


@pytest.mark.parametrize("variable", ["HOME", "USERPROFILE", "JUPYTER_CONFIG_DIR"])
def test_what_readers_chose_in_jupyterlab_holds_here_too(tmp_path, monkeypatch, variable):
    folder = tmp_path / ("lab" if variable == "JUPYTER_CONFIG_DIR" else ".jupyter/lab")
    folder = folder / "user-settings"
    found = {variable: str(tmp_path)}
    if variable == "JUPYTER_CONFIG_DIR":
        found["HOME"] = str(tmp_path / "elsewhere")
    assert user_settings(found) is None
    folder.mkdir(parents=True)
    assert user_settings(found) == folder
    given = variables(found, tmp_path / "root")
    assert given["JUPYTERLAB_SETTINGS_DIR"] == str(folder)
    kept = variables({**found, "JUPYTERLAB_SETTINGS_DIR": "mine"}, tmp_path / "root")
    assert kept["JUPYTERLAB_SETTINGS_DIR"] == "mine"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert user_settings(found) is None


def test_a_home_that_cannot_be_written_is_not_needed(tmp_path):
    home = tmp_path / "home"
    home.write_text("a file: nothing can be made in it, not even by root")
    environ = variables({**os.environ, "HOME": str(home)}, tmp_path)
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        assert not Path(environ[name]).is_relative_to(home)
    assert "JUPYTERLAB_SETTINGS_DIR" not in environ


def test_a_course_that_cannot_be_written_gets_a_temporary_folder(tmp_path):
    root = tmp_path / "course"
    root.write_text("a file: nothing can be made in it, not even by root")
    folder = own_folder(root)
    assert folder.is_dir()
    assert own_folder(root) == folder
    folder.rmdir()


def test_what_a_terminal_cannot_show_is_written_in_another_way(hostile, tmp_path):
    environ = variables(hostile, tmp_path)
    assert answer("print('3 \\u00d7 3')", environ) == ["3 \\xd7 3"]


# --- JupyterLab ------------------------------------------------------------------------------


@pytest.fixture
def started(tmp_path):
    """Starts JupyterLab as `course lab` does, under the given variables; asks it for pages."""
    root = tmp_path / "course"
    for name in ("course.py", "pyproject.toml", "constraints.txt", "environment.yml"):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in ("helpers", "notebooks"):
        (root / name).symlink_to(ROOT / name)
    log = tmp_path / "log"
    servers = []

    def start(environ):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["--no-browser", f"--ServerApp.port={port}", "--IdentityProvider.token=t"]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [sys.executable, root / "course.py", "lab", *options],
                env={**environ, "COURSE_IS_SET_UP": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        servers.append(server)

        def page(path):
            address = f"http://127.0.0.1:{port}/{path}?token=t"
            while server.poll() is None:
                try:
                    with urllib.request.urlopen(address, timeout=60) as answer:
                        return json.load(answer)
                except urllib.error.HTTPError:
                    raise
                except OSError:
                    time.sleep(0.2)
            pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')}")

        return page

    yield start
    for server in servers:
        server.terminate()
        server.wait()


def test_jupyterlab_opens_the_course_whatever_else_is_set_up(hostile, started):
    page = started(hostile)
    lessons = page("api/contents/notebooks")["content"]
    assert "05-mnist-net.ipynb" in {entry["name"] for entry in lessons}
    assert page("api/kernelspecs")["kernelspecs"]["python3"]["spec"]["display_name"] != "Mine"
    assert "foreign" not in json.dumps(page("lab/api/extensions"))


def test_jupyterlab_opens_where_the_home_folder_cannot_be_written(tmp_path, started):
    home = tmp_path / "home"
    home.write_text("a file: nothing can be made in it, not even by root")
    page = started({**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)})
    assert page("api/contents/notebooks")["type"] == "directory"


@pytest.mark.parametrize(
    ("language", "edition"), [("en", ""), ("ko", "ko/")], ids=["English", "Korean"]
)
def test_jupyterlab_is_given_the_courses_folders(monkeypatch, language, edition):
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    options = dict(
        option.removeprefix("--").split("=", 1)
        for option in lab.lab_options(ROOT, Path("w"), language=language)
    )
    reader = options.pop("ServerApp.contents_manager_class")
    assert reader.endswith("LargeFileManager")
    here = ROOT / "helpers/command"
    assert options == {
        "ServerApp.root_dir": str(ROOT),
        "FileContentsManager.root_dir": str(ROOT),
        "FileContentsManager.preferred_dir": str(ROOT / edition / "notebooks"),
        "LabApp.default_url": f"/lab/tree/{edition}notebooks/README.md",
        "LabApp.app_settings_dir": str(here / "settings"),
        "LabApp.workspaces_dir": "w",
        "LabApp.extra_labextensions_path": str(here / "labextensions"),
    }
    assert (here / "settings").is_dir()
    assert (here / "labextensions").is_dir()
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    assert lab.lab_options(ROOT, Path("w"))[-1] == "--allow-root"
    assert "--allow-root" not in lab.lab_options(ROOT, Path("w"), ["--allow-root"])


@pytest.fixture
def launched(monkeypatch, tmp_path):
    """What JupyterLab is started with, instead of starting it."""
    from jupyterlab.labapp import LabApp

    given = []
    monkeypatch.setattr(LabApp, "launch_instance", lambda options: given.append(options) or 5)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COURSE_LANGUAGE", "")
    monkeypatch.setattr(lab, "ask_language", lambda codes: "")
    return given


def test_jupyterlab_gets_what_the_reader_asks_for_last(launched, monkeypatch):
    monkeypatch.setattr(lab, "make_edition", pytest.fail)
    monkeypatch.setattr(lab, "chosen_language", lambda environ, root: "en")
    with pytest.raises(SystemExit) as end:
        lab.open_lab(ROOT, ["--port", "9"])
    assert end.value.code == 5
    ((*options, last, port),) = launched
    assert (last, port) == ("--port", "9")
    workspaces = Path(os.environ["JUPYTER_DATA_DIR"]) / "course-workspaces"
    assert options == lab.lab_options(ROOT, workspaces)
    assert os.environ["COURSE_LANGUAGE"] == "en"


@pytest.mark.parametrize("kept", [[], ["ko/notebooks/a.ipynb", "ko/notebooks/b.ipynb"]])
def test_an_edition_is_made_before_jupyterlab_opens_on_it(launched, monkeypatch, capsys, kept):
    made = []
    monkeypatch.setattr(lab, "make_edition", lambda *given: made.append(given) or kept)
    monkeypatch.setattr(lab, "choose_language", lambda root, asked: asked)
    with pytest.raises(SystemExit):
        lab.open_lab(ROOT, ["--language", "ko", "--port", "9"])
    assert made == [("ko", ROOT)]
    assert os.environ["COURSE_LANGUAGE"] == "ko"
    assert launched[0][-2:] == ["--port", "9"]
    assert "--LabApp.default_url=/lab/tree/ko/notebooks/README.md" in launched[0]
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == [f"  {name}    course reset {name}" for name in kept]


def test_options_that_are_given_replace_the_courses():
    given = ["--LabApp.default_url=/lab", "--port", "9000"]
    options = lab.lab_options(ROOT, Path("w"), given)
    assert not [option for option in options if option.startswith("--LabApp.default_url")]
    assert f"--FileContentsManager.root_dir={ROOT}" in options


def test_what_reads_files_is_named_so_that_no_configuration_replaces_it():
    (option,) = [o for o in lab.lab_options(ROOT, Path("w")) if "contents_manager_class" in o]
    module, _, name = option.partition("=")[2].rpartition(".")
    imported = __import__(module, fromlist=[name])
    assert hasattr(imported, name)


def test_the_settings_ask_and_fetch_nothing():
    settings = json.loads((lab.SETTINGS / "overrides.json").read_text(encoding="utf-8"))
    news = settings["@jupyterlab/apputils-extension:notification"]
    assert news == {"fetchNews": "false", "checkForUpdates": False}
