"""The course's command line: `course lab`, `course check 01`, ...; alone, it lists all verbs.

    python3 course.py lab        Windows: py course.py lab

The first call makes the course's own environment, `.venv`, and installs into it what is needed;
in an environment that has the course installed already, this file is the program `course`.

Here is only what must work before anything is installed: finding a Python that the course works
with, and the course's own folder in front of everybody else's. helpers/command does the rest. The
file is kept in the Python of ten years ago (no f-strings, no annotations), because an old Python
must be able to read it to the end before it can say that it is too old.
"""
# ruff: noqa: RUF005, UP010, UP020, UP031

from __future__ import print_function

import io
import os
import re
import site
import subprocess
import sys

ROOT = os.path.dirname(os.path.realpath(__file__))


def supported_versions(root=ROOT):
    """The Pythons that pyproject.toml allows, lowest first: [(3, 11), (3, 12), ...].

    Reads `requires-python`, which must be written ">=3.A,<3.B".
    """
    with io.open(os.path.join(root, "pyproject.toml"), encoding="utf-8") as file:
        found = re.search(r'^requires-python\s*=\s*">=3\.(\d+),\s*<3\.(\d+)"', file.read(), re.M)
    if found is None:
        raise SystemExit('pyproject.toml: requires-python must be written ">=3.A,<3.B".')
    return [(3, minor) for minor in range(int(found.group(1)), int(found.group(2)))]


def find_python(versions):
    """The path of an installed Python of one of these versions, newest first; None without one.

    Each candidate is run: a name on PATH may belong to a pyenv shim that only prints an error.
    """
    for version in sorted(versions, reverse=True):
        number = "%d.%d" % version
        commands = [["python" + number]]
        if os.name == "nt":
            commands = [["py", "-" + number]]
        for command in commands:
            path = real_path(command, number)
            if path is not None:
                return path
    return None


def real_path(command, number):
    """What `sys.executable` is under this command, if it runs and is Python `number`; or None."""
    question = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"
    try:
        process = subprocess.Popen(
            command + ["-c", question], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        answer = process.communicate()[0].decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    if process.returncode == 0 and len(answer) == 2 and answer[0] == number:
        return answer[1]
    return None


def own_modules_first():
    """Take other people's folders out of the search path, and put the course's in front.

    PYTHONPATH, and in conda the packages of the home folder, would come before the course's.
    """
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if hasattr(site, "getusersitepackages"):
        others.append(site.getusersitepackages())
    others = [os.path.realpath(folder) for folder in others if folder]
    kept = [folder for folder in sys.path if folder and os.path.realpath(folder) not in others]
    sys.path[:] = [ROOT] + kept


def show_any_text():
    """Let every terminal and pipe show what it can: a name in Korean must not stop a command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def main(arguments=None, installed=True):
    """Run a verb with this Python if the course works with it, else with one that it works with.

    `installed`: this Python's environment has the course installed; nothing is to be set up.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    versions = supported_versions()
    numbers = ["%d.%d" % version for version in versions]
    if sys.version_info[:2] in versions:
        if os.name == "posix" and sys.getfilesystemencoding().lower() != "utf-8":
            # A locale without letters like those in the names of folders: begin again without it.
            os.environ["PYTHONUTF8"] = "1"
            os.execv(sys.executable, [sys.executable, os.path.join(ROOT, "course.py")] + arguments)
        show_any_text()
        own_modules_first()
        from helpers.command import main  # not at the top: an old Python could not read it

        return main.main(arguments, installed)

    python = find_python(versions)
    if python is None:
        print(
            "The course needs Python {0} or {1}, and this is Python {2} ({3}): install one of them "
            "(Debian, Ubuntu: sudo apt install python3.N python3.N-venv, with 3.N one of the "
            "versions named that your system has; macOS: brew install python@{1}; Windows: from "
            "python.org), then run the same command again.".format(
                ", ".join(numbers[:-1]), numbers[-1], sys.version.split()[0], sys.executable
            ),
            file=sys.stderr,
        )
        return 1
    command = [python, os.path.join(ROOT, "course.py")] + arguments
    if os.name == "nt":  # there, exec would give the prompt back before the work is done
        return subprocess.call(command)
    os.execv(python, command)


if __name__ == "__main__":
    sys.exit(main(installed=False))
