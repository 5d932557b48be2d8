"""The command line of the student's own check."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from helpers.assignment.selfcheck import NotCheckable, check


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="course check",
        description="Run an assignment from top to bottom in a fresh kernel, and report each test.",
    )
    parser.add_argument(
        "assignment",
        nargs="?",
        default="",
        help="its number, its name, or the path of a notebook, for instance 01",
    )
    name = parser.parse_args(arguments).assignment
    try:
        return 0 if check(name, lambda t: print(t, flush=True)) else 1
    except NotCheckable as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
