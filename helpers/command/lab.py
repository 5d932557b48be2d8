"""Open JupyterLab on the lessons, in the course's own settings: `course lab`.

The list of lessons (notebooks/README.md) comes up as a page, the file browser stands in
notebooks/, and JupyterLab asks and fetches nothing. The settings are in settings/overrides.json
beside this file; they are defaults, so what readers chose in their own JupyterLab still comes
first. The open tabs are remembered apart from other projects'. labextensions/ holds what is added
to JupyterLab: screen readers get the alternative texts of the pictures.

The options are described in JupyterLab's documentation, "Advanced Usage" (the application and
settings directories, overrides.json) and "JupyterLab URLs" (/lab/tree/...).
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

START_PAGE = "notebooks/README.md"
SETTINGS = Path(__file__).resolve().parent / "settings"
EXTENSIONS = Path(__file__).resolve().parent / "labextensions"


def lab_options(root: Path, workspaces: Path, given: Sequence[str] = ()) -> list[str]:
    """The course's options for `jupyter lab`, without those that are among the given ones.

    The server's root is the repository's, not notebooks/: links from a lesson to its assignment
    would otherwise lead out of what the server shows. What reads and writes the files is named, as
    a configuration of the whole machine may name another program.
    """
    from jupyterlab.labapp import LabApp

    server = LabApp.serverapp_class
    manager = server.class_traits()["contents_manager_class"].default_value
    options = [
        f"--ServerApp.root_dir={root}",
        f"--ServerApp.contents_manager_class={manager.__module__}.{manager.__qualname__}",
        f"--FileContentsManager.root_dir={root}",
        f"--FileContentsManager.preferred_dir={root / 'notebooks'}",
        f"--LabApp.default_url=/lab/tree/{START_PAGE}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        f"--LabApp.workspaces_dir={workspaces}",
        f"--LabApp.extra_labextensions_path={EXTENSIONS}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # root is the usual user of a container
    # An option that comes twice is an error to JupyterLab.
    names = {option.partition("=")[0] for option in given}
    return [option for option in options if option.partition("=")[0] not in names]


def open_lab(root: Path, given: Sequence[str]) -> None:
    """Become a JupyterLab server until it is stopped (Ctrl-C, twice)."""
    from jupyterlab.labapp import LabApp

    workspaces = Path(os.environ["JUPYTER_DATA_DIR"]) / "course-workspaces"
    sys.exit(LabApp.launch_instance([*lab_options(root, workspaces, given), *given]))
