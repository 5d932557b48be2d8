"""Draw a new seed for the hidden tests of your class.

python -m grader.command.new_seed     (course new-seed)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.command.arguments import ROOT, graded
from grader.files import write_whole
from grader.judging.seed import make_seed, seed_path


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="course new-seed",
        description="Let the hidden tests draw other numbers, which only your class is graded "
        "with. What was graded before is then graded again.",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    root = parser.parse_args(given).root
    path = seed_path(root)
    write_whole(path, make_seed() + "\n")
    print(f"A new seed is in {path}. Keep it with the marks, and away from students.")
    if names := graded(root):
        print(
            f"There are marks of {', '.join(names)}, by tests with other numbers. They stay until "
            "you call `course grade` for the assignment: it grades anew what you give it. Marks by "
            "hand stay."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
