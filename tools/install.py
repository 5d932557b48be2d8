"""Make the course's own Python environment, `.venv`, and install what is needed into it.

    python3 tools/install.py            what every student needs
    python3 tools/install.py dev e2e    the same, and these extras of pyproject.toml

This file only finds a Python that the course works with; environment.py, beside it, does the
work. It is kept in the Python of ten years ago (no f-strings, no annotations), because an old
Python must be able to read it to the end before it can say that it is too old.
"""
# ruff: noqa: RUF005, UP010, UP020, UP031

from __future__ import print_function

import io
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def supported_versions():
    """The Pythons that pyproject.toml allows, lowest first: [(3, 11), (3, 12), ...].

    Reads `requires-python`, which must be written ">=3.A,<3.B".
    """
    with io.open(os.path.join(ROOT, "pyproject.toml"), encoding="utf-8") as file:
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


def main(arguments):
    """Install with this Python if the course works with it, else with one that it works with."""
    versions = supported_versions()
    numbers = ["%d.%d" % version for version in versions]
    if sys.version_info[:2] in versions:
        import environment  # not at the top: an old Python could not read it

        return environment.main(arguments, numbers)

    python = find_python(versions)
    if python is None:
        print(
            "The course needs Python {0} or {1}, and this is Python {2} ({3}): install one of them "
            "(Debian, Ubuntu: sudo apt install python3.N python3.N-venv, with 3.N one of the "
            "versions named; macOS: brew install python@{1}; Windows: from python.org), "
            "then run the same command again.".format(
                ", ".join(numbers[:-1]), numbers[-1], sys.version.split()[0], sys.executable
            ),
            file=sys.stderr,
        )
        return 1
    command = [python, os.path.abspath(__file__)] + arguments
    if os.name == "nt":  # there, exec would give the prompt back before the work is done
        return subprocess.call(command)
    os.execv(python, command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
