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
from grader.gradebook.book import Book
from grader.gradebook.master import BookError
from grader.gradebook.submitted import write_submitted
from grader.intake.collect import Unreadable, collect
from grader.intake.entries import write_entries
from grader.intake.place import WrongPlace, check_place
from grader.intake.rebuild import load_skeleton
from grader.intake.roster import RosterError, load_roster


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
    known = assignments(options.root / "solutions")
    options.path = os.path.expanduser(options.path)  # a shell may have left the ~
    try:
        check_place(options.path, options.root)
        skeleton = load_skeleton(options.assignment, options.root)
        others = [name for name in known if name != options.assignment]
        roster = load_roster(options.root)
        handed_in = collect(options.path, options.assignment, others, roster, options.attempt)
        # nbgrader grades nothing that its gradebook does not know.
        with Book(options.root, options.assignment):
            pass
    except (BookError, RosterError, Unreadable, WrongPlace, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    submitted = options.root / "grading" / "submitted"
    students = handed_in.submissions
    refused, entries = write_submitted(students, options.assignment, submitted, skeleton)
    table = options.root / "grading" / options.assignment / "handed-in.csv"
    write_entries(table, str(options.path), [*handed_in.entries, *entries])
    for line in handed_in.words():
        print(f"  {line}")
    print(f"{len(students) - len(refused)} submissions collected, {len(refused)} not readable")
    print(f"What became of each file: {table}")
    return 1 if refused or not students else 0


if __name__ == "__main__":
    sys.exit(main())
