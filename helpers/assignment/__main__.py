"""The command line of the student's own check."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.assignment.overview import overview
from helpers.assignment.selfcheck import ASSIGNMENTS, NotCheckable, check
from helpers.assignment.watch import watch
from helpers.command.variables import LANGUAGE
from helpers.language import current, gettext


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="course check",
        description=gettext(
            "Run an assignment from top to bottom in a fresh kernel, and report each test. Without "
            "an assignment: how far each of them is, and the next step."
        ),
    )
    parser.add_argument(
        "assignment",
        nargs="?",
        default="",
        help=gettext("its number, its name, or the path of a notebook, for instance 01"),
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help=gettext("check it again each time it is saved; Ctrl-C ends it"),
    )
    given = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # a sign that it cannot show must not end the check
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

    def show(text: str) -> None:
        print(text, flush=True)

    try:
        folder = assignments_folder(given.assignment)
        if given.watch:
            watch(given.assignment, show, folder)
            return 0
        if not given.assignment.strip():
            return 0 if overview(show, folder) else 1
        return 0 if check(given.assignment, show, folder) else 1
    except NotCheckable as error:
        print(error, file=sys.stderr)
        return 2


def assignments_folder(name: str) -> Path:
    """Where the assignments are in the reader's language, which becomes that of the answer.

    A notebook that is given by its path says itself which language that is.
    """
    path = Path(name)
    language = current(path.parent) if path.suffix == ".ipynb" and path.is_file() else current()
    os.environ[LANGUAGE] = language
    edition = Path(language) / ASSIGNMENTS
    return edition if edition.is_dir() else ASSIGNMENTS


if __name__ == "__main__":
    sys.exit(main())
