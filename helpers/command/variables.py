"""The variables under which the course's programs run, so that other settings do no harm.

A reader may have Jupyter, IPython, matplotlib and Python set up for other work: extensions, startup
files, fonts, search paths. The lessons must look and behave as in the course all the same, and
nothing of the reader's may be changed by them. So all of these get a folder of the course's own,
`.jupyter`, which also serves where the home folder cannot be written.

Variables: Jupyter's documentation, "Common Directories and File Locations"; IPython's, "The IPython
directory"; matplotlib's, "Environment variables"; Python's, "Environment variables".
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

NAME = ".jupyter"
LANGUAGE = "COURSE_LANGUAGE"
LANGUAGE_FILE = "language"

# What leads Python or Jupyter to other modules, kernels and extensions than the course's.
LEFT_OUT = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSAFEPATH",
    "PYTHONSTARTUP",
    "JUPYTER_PATH",
    "JUPYTER_CONFIG_PATH",
    "JUPYTER_NO_CONFIG",
    "JUPYTERLAB_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "MATPLOTLIBRC",
    "MPLBACKEND",
)


def course_variables(environ: Mapping[str, str], root: Path, prefix: Path) -> dict[str, str]:
    """The variables for the programs of the course in `root`, in the environment in `prefix`."""
    variables = {name: value for name, value in environ.items() if name not in LEFT_OUT}
    scripts = prefix / ("Scripts" if os.name == "nt" else "bin")
    # Programs that come with packages (nbgrader's among them) are looked for on PATH.
    path = environ.get("PATH", "").split(os.pathsep)
    variables["PATH"] = os.pathsep.join([str(scripts), *(p for p in path if p != str(scripts))])
    own = own_folder(root)
    variables |= {
        "PYTHONNOUSERSITE": "1",  # conda's environments would take packages of the home folder
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        # A kernel called "python3" elsewhere on the machine would hide this environment's.
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(own / "ipython"),
        "MPLCONFIGDIR": str(own / "matplotlib"),
    }
    if language := chosen_language(environ, root):
        variables[LANGUAGE] = language
    # What a name or a "×" cannot be written with, in a terminal or pipe of an older code page.
    encoding = environ.get("PYTHONIOENCODING", "").partition(":")[0]
    variables["PYTHONIOENCODING"] = f"{encoding}:backslashreplace"
    settings = user_settings(environ)
    if settings is not None:
        variables.setdefault("JUPYTERLAB_SETTINGS_DIR", str(settings))
    return variables


def chosen_language(environ: Mapping[str, str], root: Path) -> str:
    """The code of the language that the reader has chosen for the course, "" if none yet.

    COURSE_LANGUAGE says it, else what `course lab --language` was told the last time.
    """
    kept = root / NAME / LANGUAGE_FILE
    if environ.get(LANGUAGE) or not kept.is_file():
        return environ.get(LANGUAGE, "")
    return kept.read_text(encoding="utf-8").strip()


@cache
def own_folder(root: Path) -> Path:
    """A folder for what Jupyter and the others write: in the course's, else a temporary one."""
    folder = root / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="cnn-course-"))


def user_settings(environ: Mapping[str, str]) -> Path | None:
    """Where the reader's own choices in JupyterLab are (a theme, say), if they can be written.

    These stay the reader's: they were made in JupyterLab itself, and hold in all of it.
    """
    home = environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")
    config = environ.get("JUPYTER_CONFIG_DIR") or os.path.join(home, ".jupyter")
    folder = Path(config) / "lab" / "user-settings"
    return folder if folder.is_dir() and os.access(folder, os.W_OK) else None
