"""Open JupyterLab on the lessons, in the course's own settings.

    .venv/bin/python tools/lab.py [any option of `jupyter lab`]

The list of lessons (notebooks/README.md) comes up as a page, the file browser stands in
notebooks/, and JupyterLab asks and fetches nothing. The settings are in lab/overrides.json beside
this file; they are defaults, so what readers chose in their own JupyterLab still comes first, and
nothing is written to their settings. The open tabs are remembered apart from other projects'.

The options are described in JupyterLab's documentation, "Advanced Usage" (the application and
settings directories, overrides.json) and "JupyterLab URLs" (/lab/tree/...).
"""

import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_PAGE = "notebooks/README.md"


def lab_options(root: Path, given: Sequence[str] = ()) -> list[str]:
    """The course's options for `jupyter lab`, without those that are among the given ones.

    The server's root is the repository's, not notebooks/: links from a lesson to its assignment
    would otherwise lead out of what the server shows.
    """
    options = [
        f"--ServerApp.root_dir={root}",
        f"--FileContentsManager.preferred_dir={root / 'notebooks'}",
        f"--LabApp.default_url=/lab/tree/{START_PAGE}",
        f"--LabApp.app_settings_dir={Path(__file__).resolve().parent / 'lab'}",
        f"--LabApp.workspaces_dir={Path(sys.prefix) / 'share/jupyter/course-workspaces'}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # root is the usual user of a container
    # An option that comes twice is an error to JupyterLab.
    names = {option.partition("=")[0] for option in given}
    return [option for option in options if option.partition("=")[0] not in names]


def main() -> None:
    """Become a JupyterLab server until it is stopped (Ctrl-C, twice)."""
    # Programs that come with packages (nbgrader's among them) are looked for on PATH.
    scripts = sysconfig.get_path("scripts")
    os.environ["PATH"] = scripts + os.pathsep + os.environ.get("PATH", "")
    # A kernel called "python3" in the reader's home would otherwise hide this environment's.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

    from jupyterlab.labapp import LabApp

    sys.exit(LabApp.launch_instance([*lab_options(ROOT, sys.argv[1:]), *sys.argv[1:]]))


if __name__ == "__main__":
    main()
