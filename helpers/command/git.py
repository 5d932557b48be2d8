"""Git, as far as the course asks it: answers as bytes, and refusals as one sentence."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from helpers.command.files import Problem
from helpers.language import gettext


class Git:
    """The git repository whose top is the course's folder.

    Parameters
    ----------
    root : path

    Raises
    ------
    Problem
        If git is missing or cannot read the repository.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        if shutil.which("git") is None:
            raise Problem(
                gettext(
                    "This folder is a git clone, but the program git is missing: install it "
                    "(Debian, Ubuntu: sudo apt install git; macOS: xcode-select --install; "
                    "Windows: https://git-scm.com), then run the same command again."
                )
            )
        # Where git keeps what belongs to this clone; in a worktree that is not root/.git.
        self.folder = Path(os.fsdecode(self("rev-parse", "--absolute-git-dir").strip()))

    @classmethod
    def of(cls, root: Path) -> "Git | None":
        """The repository of the course's folder; None if the folder is not the top of one.

        A course that was unzipped inside another repository is not a clone of the course.
        """
        if not (root / ".git").exists():
            return None
        git = cls(root)
        top = Path(os.fsdecode(git("rev-parse", "--show-toplevel").rstrip(b"\n")))
        return git if top.samefile(root) else None

    def __call__(
        self, *arguments: str, given: bytes = b"", env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git and return what it prints; raises Problem with its words if it fails."""
        done = self.run(*arguments, given=given, env=env)
        if done.returncode:
            lines = os.fsdecode(done.stderr).strip().splitlines() or [
                gettext("it does not say why")
            ]
            raise Problem(
                gettext("git {command} failed: {line}").format(command=arguments[0], line=lines[-1])
            )
        return done.stdout

    def run(
        self, *arguments: str, given: bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess:
        """Run git, whatever comes of it."""
        # Run from a hook, variables like GIT_DIR would lead to another repository.
        surroundings = {
            key: value for key, value in os.environ.items() if not key.startswith("GIT_")
        }
        if not sys.stdin or not sys.stdin.isatty():
            surroundings["GIT_TERMINAL_PROMPT"] = "0"  # nobody is there to type a password
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            input=given,
            capture_output=True,
            # A path is a path, whatever stars and brackets are in it.
            env={**surroundings, "GIT_LITERAL_PATHSPECS": "1", **(env or {})},
        )

    def id_of(self, revision: str) -> str | None:
        """The id of a commit; None if there is none of that name."""
        done = self.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return done.stdout.decode().strip() or None

    def files(self, revision: str, *folders: str) -> dict[str, tuple[str, str]]:
        """{path: (mode, id of its content)} of a commit's files."""
        found = {}
        for line in self("ls-tree", "-r", "-z", "--full-tree", revision, *folders).split(b"\0"):
            if line:
                about, _, name = line.partition(b"\t")
                mode, _, content = about.decode().split()
                found[os.fsdecode(name)] = (mode, content)
        return found

    def names(self, *arguments: str) -> list[str]:
        """The paths that a git command prints with -z."""
        return [os.fsdecode(name) for name in self(*arguments, "-z").split(b"\0") if name]
