"""What the command lines of the grader have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.authoring.source import assignments, full_name

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = ("moodle", "canvas", "blackboard", "gradescope")


def speak_plainly() -> None:
    """See that a name that a terminal cannot show ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def chosen(parser: argparse.ArgumentParser, given: Sequence[str], root: Path) -> list[str]:
    """The full names of assignments that are meant; without any, of those that were graded.

    An unknown name ends the program, as a wrong option does.
    """
    known = assignments(root / "solutions")
    if not given:
        if not graded(root):
            parser.error("nothing is graded yet: course grade NAME FOLDER")
        return graded(root)
    names = [full_name(name, known) for name in given]
    if "" in names:  # what make gives, where ASSIGNMENT was forgotten
        parser.error(f"say which assignment: {', '.join(known)}")
    for name in names:
        if name not in known:
            parser.error(f"there is no {name}; there are {', '.join(known)}")
    return names


def graded(root: Path) -> list[str]:
    """The assignments of which `course grade` has graded something."""
    known = assignments(root / "solutions")
    return [name for name in known if (root / "grading" / name / "records.jsonl").exists()]
