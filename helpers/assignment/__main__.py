"""The command line of the student's own check."""

import argparse
import sys

from helpers.assignment.selfcheck import NotCheckable, check


def main():
    parser = argparse.ArgumentParser(
        prog="python -m helpers.assignment",
        description="Run an assignment from top to bottom in a fresh kernel, and report each test.",
    )
    parser.add_argument(
        "assignment", help="its number, its name, or the path of a notebook, for instance 01"
    )
    try:
        return 0 if check(parser.parse_args().assignment, lambda t: print(t, flush=True)) else 1
    except NotCheckable as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
