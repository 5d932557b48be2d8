"""Write what the class made of each test, as tables and a page with plots.

python -m grader.command.statistics 01-convolution-by-hand     (course statistics)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.command.arguments import ROOT, chosen, speak_plainly


def main(given: Sequence[str] | None = None) -> int:
    speak_plainly()
    parser = argparse.ArgumentParser(
        prog="course statistics",
        description="For each test the share of the class that passes and how well it tells who "
        "has understood, and the known mistakes by number: two tables and a page with plots.",
    )
    parser.add_argument("assignments", nargs="*", metavar="assignment", help="default: all")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    names = chosen(parser, options.assignments, options.root)

    from grader.batch.statistics import write_statistics
    from grader.gradebook.book import Book
    from grader.gradebook.master import BookError

    try:
        for name in names:
            with Book(options.root, name) as book:
                for path in write_statistics(book):
                    print(path)
    except (BookError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
