"""Take in a folder or zip of submissions: put them where nbgrader looks for them.

python -m grader.command.collect 01-convolution-by-hand ~/Downloads/batch.zip     (make collect)
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.authoring.source import assignments, full_name
from grader.gradebook.book import Book
from grader.gradebook.master import BookError
from grader.gradebook.submitted import write_submitted
from grader.intake.collect import Unreadable, collect
from grader.intake.place import WrongPlace, check_place
from grader.intake.rebuild import load_skeleton

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="course collect",
        description="Put submissions where nbgrader looks for them: grading/submitted.",
    )
    parser.add_argument("assignment", help=", ".join(assignments()))
    parser.add_argument(
        "path", help="a folder or zip of STUDENT.ipynb or STUDENT/ASSIGNMENT/*.ipynb"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    known = assignments(options.root / "solutions")
    options.assignment = full_name(options.assignment, known)
    if options.assignment not in known:
        parser.error(f"there is no {options.assignment}; there are {', '.join(known)}")
    try:
        check_place(options.path, options.root)
        skeleton = load_skeleton(options.assignment, options.root)
        others = [name for name in known if name != options.assignment]
        submissions = collect(options.path, options.assignment, others, show=print)
        # nbgrader grades nothing that its gradebook does not know.
        with Book(options.root, options.assignment):
            pass
    except (BookError, Unreadable, WrongPlace, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    submitted = options.root / "grading" / "submitted"
    refused = write_submitted(submissions, options.assignment, submitted, skeleton)
    print(f"{len(submissions) - len(refused)} submissions collected, {len(refused)} not readable")
    return 1 if refused or not submissions else 0


if __name__ == "__main__":
    sys.exit(main())
