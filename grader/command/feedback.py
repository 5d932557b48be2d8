"""Write the pages for students, and the tables, as the marks are now.

python -m grader.command.feedback 01-convolution-by-hand     (course feedback)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.command.arguments import PLATFORMS, ROOT, chosen, speak_plainly


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="course feedback",
        description="Write the students' pages whose marks or comments have changed since, and "
        "the tables: to be called after marking by hand.",
    )
    parser.add_argument("assignments", nargs="*", metavar="assignment", help="default: all")
    parser.add_argument(
        "--for",
        dest="platform",
        choices=PLATFORMS,
        help="also write a zip of the pages, by the names in this platform's download",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    return parser


def main(given: Sequence[str] | None = None) -> int:
    speak_plainly()
    parser = arguments()
    options = parser.parse_args(given)
    names = chosen(parser, options.assignments, options.root)

    from grader.gradebook.master import BookError

    try:
        for name in names:
            write_pages(options.root, name, options.platform)
    except (BookError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def write_pages(root: Path, assignment: str, platform: str | None = None) -> None:
    """Write what has changed of one assignment, and say what was done."""
    from grader.batch import to_platforms
    from grader.batch.report import names
    from grader.batch.tables import write_tables
    from grader.batch.to_do import words
    from grader.gradebook.book import Book
    from grader.gradebook.feedback import update_feedback

    with Book(root, assignment) as book:
        marks, table, found = write_tables(book)
        written, without = [], []
        for student in marks:
            try:
                if update_feedback(book, student):
                    written.append(student)
            except OSError:  # there is no graded notebook
                without.append(student)
        if platform:
            path, unknown = to_platforms.write_pages(book, marks, platform)
    print(f"{assignment}: {len(written)} of {len(marks)} pages written anew. Table: {table}")
    if platform:
        print(f"  for {platform}: {path}")
        if unknown:
            print(
                f"  did not come from a download of {platform}, so no page can go back there: "
                f"{names(unknown)}. Their pages are in {root / 'grading' / 'feedback'}.",
                file=sys.stderr,
            )
    if without:
        print(f"  no graded notebook, so no page: {names(without)}", file=sys.stderr)
    for line in words(found):
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
