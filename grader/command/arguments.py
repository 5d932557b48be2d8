"""What the command lines of the grader have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.authoring.source import assignments, full_name

ROOT = Path(__file__).resolve().parents[2]


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
        # What is graded has records; what only `nbgrader autograde` has graded is named.
        found = [name for name in known if (root / "grading" / name / "records.jsonl").exists()]
        if not found:
            parser.error("nothing is graded yet: course grade NAME FOLDER")
        return found
    names = [full_name(name, known) for name in given]
    for name in names:
        if name not in known:
            parser.error(f"there is no {name}; there are {', '.join(known)}")
    return names
