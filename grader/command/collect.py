"""Take in a folder or zip of submissions: put them where nbgrader looks for them.

python -m grader.command.collect 01-convolution-by-hand ~/Downloads/batch.zip     (make collect)
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.authoring.source import assignments
from grader.command.arguments import ROOT, chosen
from grader.gradebook.master import BookError
from grader.gradebook.submitted import take_in
from grader.intake.collect import Unreadable
from grader.intake.place import WrongPlace, check_place
from grader.intake.roster import RosterError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="course collect",
        description="Put submissions where nbgrader looks for them: grading/submitted.",
    )
    parser.add_argument("assignment", help=", ".join(assignments()))
    parser.add_argument(
        "path", help="a folder or zip of STUDENT.ipynb or STUDENT/ASSIGNMENT/*.ipynb"
    )
    parser.add_argument(
        "--attempt",
        choices=("last", "first"),
        default="last",
        help="which attempt of a student in the roster counts (default: last)",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    (options.assignment,) = chosen(parser, [options.assignment], options.root)
    options.path = os.path.expanduser(options.path)  # a shell may have left the ~
    submitted = options.root / "grading" / "submitted"
    try:
        check_place(options.path, options.root)
        handed_in, refused = take_in(
            options.root, options.assignment, options.path, submitted, options.attempt
        )
    except (BookError, RosterError, Unreadable, WrongPlace, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    students = handed_in.submissions
    table = options.root / "grading" / options.assignment / "handed-in.csv"
    for line in handed_in.words():
        print(f"  {line}")
    print(f"{len(students) - len(refused)} submissions collected, {len(refused)} not readable")
    print(f"What became of each file: {table}")
    return 1 if refused or not students else 0


if __name__ == "__main__":
    sys.exit(main())
