"""The copy of the course in which faults are made, and the checks run on it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from helpers.command.git import Git
from helpers.command.variables import course_variables

PATIENCE = 1800
"""Seconds after which a check is taken to run for ever. It decides nothing: such a fault counts
neither as noticed nor as not noticed."""
PASSED = (0, 5)  # 5: pytest was left with no test
NOTICED, NOT_NOTICED, NOT_JUDGED = "noticed", "not noticed", "not judged"


class Workplace:
    """A copy of the course, with a home folder of its own: the course itself is only read.

    Parameters
    ----------
    original : path
        The course.
    paths : list of str
        Its files.
    folder : path
        An empty folder to work in.
    """

    def __init__(self, original, paths, folder):
        folder = Path(folder).resolve()
        self.root, home = folder / "course", folder / "home"
        home.mkdir()
        for path in paths:
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(original / path, target)
        Git(original)("init", "--quiet", str(self.root))
        self.git = Git(self.root)
        for setting in (
            "user.name=mutate",
            "user.email=mutate@localhost",
            "core.autocrlf=false",
            "core.hooksPath=",
            "commit.gpgsign=false",
        ):
            self.git("config", *setting.split("="))
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "-m", "The course without a fault")
        self.variables = course_variables(os.environ, folder, Path(sys.prefix)) | {
            "HOME": str(home),
            "USERPROFILE": str(home),
            # An installed course would come first in kernels.
            "PYTHONPATH": str(self.root),
            # Compiled code is known by its size and second: too coarse for what changes here.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.sound = {}  # by the check: whether it passes without a fault

    @contextmanager
    def with_fault(self, fault):
        """The copy has the fault within the ``with``, and is as it was after it."""
        try:
            fault.make(self.root)
            yield
        finally:
            self.restore()

    def restore(self):
        self.git("checkout", "--quiet", "--force", "--", ".")
        self.git("clean", "-dffx", "--quiet")

    def judge(self, fault, checks):
        """Whether one of the checks notices a fault.

        Returns
        -------
        (str, str)
            NOTICED, NOT_NOTICED or NOT_JUDGED, and by what or why.
        """
        with self.with_fault(fault):
            for check in checks:
                status, said = self.run(check)
                if status not in PASSED:
                    break
            else:
                names = ", ".join(map(str, checks))
                return NOT_NOTICED, f"by {names}" if names else "(there is no check of it)"
        if status is None:
            return NOT_JUDGED, f"{check} takes more than {PATIENCE} seconds with it"
        failed = re.search(r"^(?:FAILED|ERROR) ([^\s:]+)(.*?)(?: - |$)", said, re.MULTILINE)
        if failed:
            check = check._replace(files=(failed[1],))
        if not self.is_sound(check):
            return NOT_JUDGED, f"{check} fails without it, too"
        return NOTICED, f"by {failed[1] + failed[2] if failed else check}"

    def is_sound(self, check):
        if check not in self.sound:
            self.sound[check] = self.run(check)[0] in PASSED
            self.restore()
        return self.sound[check]

    def run(self, check):
        """Run a check in the copy; returns its exit status, None if it ran for ever, and its words.

        What is left over of it, such as a kernel, sees that it is alone and ends.
        """
        with tempfile.TemporaryFile() as said:
            try:
                status = subprocess.run(
                    [*check.command, *check.files],
                    cwd=self.root,
                    env=self.variables,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    timeout=PATIENCE,
                ).returncode
            except subprocess.TimeoutExpired:
                status = None
            said.seek(0)
            return status, said.read().decode(errors="replace")


def files(root):
    """The course's files as git knows them, with those that are new and not ignored, sorted."""
    git = Git(root)
    listed = git.names("ls-files", "--cached", "--others", "--exclude-standard")
    return sorted({path for path in listed if (root / path).is_file()})
