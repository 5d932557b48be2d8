"""Write the final marks as tables: for a spreadsheet, and for a learning platform.

python -m grader.command.export 01-convolution-by-hand --for moodle     (course export)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.command.arguments import PLATFORMS, ROOT, chosen, graded, speak_plainly


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="course export",
        description="Write grading/marks.csv, one row a student and one column an assignment, and "
        "the table of each assignment; with --for also a table for a learning platform. Marks by "
        "hand, extra credit and late penalties are counted.",
    )
    parser.add_argument("assignments", nargs="*", metavar="assignment", help="default: all")
    parser.add_argument(
        "--for", dest="platform", choices=PLATFORMS, help="in the form that this platform takes in"
    )
    parser.add_argument(
        "--column",
        default="",
        help="what the platform calls the assignment in its own table, with the number there "
        '("Assignment 1 (1234)"); for one assignment',
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    return parser


def main(given: Sequence[str] | None = None) -> int:
    speak_plainly()
    parser = arguments()
    options = parser.parse_args(given)
    names = chosen(parser, options.assignments, options.root)
    if options.column and len(names) > 1:
        parser.error("--column is the name of one assignment: say which")

    from grader.gradebook.master import BookError
    from grader.intake.roster import RosterError

    try:
        export(options, names)
    except (BookError, FileNotFoundError, RosterError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def export(options: argparse.Namespace, names: Sequence[str]) -> None:
    """What `main` does when nothing is wrong."""
    from grader.batch import to_platforms
    from grader.batch.report import names as listed
    from grader.batch.tables import write_marks, write_tables
    from grader.gradebook.book import Book

    # The table of all assignments holds all of them, whichever are named.
    marks = {}
    for name in dict.fromkeys([*graded(options.root), *names]):
        with Book(options.root, name) as book:
            marks[name] = write_tables(book).marks
            if options.platform and name in names:
                to = options.platform
                print(to_platforms.write_marks(book, marks[name], to, options.column))
    print(write_marks(options.root, dict(sorted(marks.items()))))
    for name in names:
        waiting = [student for student, mark in marks[name].items() if mark.open]
        if waiting:
            print(f"{name}: still to be marked by hand: {listed(waiting)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
