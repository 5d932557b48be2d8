"""Make the class list, grading/roster.csv, from what a learning platform gives out.

python -m grader.command.roster ~/Downloads/participants.csv     (course roster)
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader.intake.class_lists import merge_list
from grader.intake.roster import RosterError, load_roster, roster_path, write_roster
from grader.text import for_terminal, shortened

ROOT = Path(__file__).resolve().parents[2]
NAMES = 20  # on a line


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="course roster",
        description="Make grading/roster.csv, the list of the class, from a table of marks or of "
        "people that Moodle, Canvas, Blackboard, Gradescope or Google Classroom gives out. Called "
        "again with another list, it adds what is new and takes nobody out.",
    )
    parser.add_argument("list", type=Path, nargs="+", help="a CSV file")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    path = roster_path(options.root)
    graded = options.root / "grading" / "autograded"
    taken = [folder.name for folder in graded.iterdir()] if graded.is_dir() else []
    try:
        students = load_roster(options.root)
        for file in options.list:
            students, added, changed, absent = merge_list(file, students, taken)
            print(f"{file}: {len(added)} added, {len(changed)} changed")
            if absent:
                print(f"  in the roster, and not in this list: {names(absent)}")
    except RosterError as error:
        print(error, file=sys.stderr)
        return 2
    write_roster(path, students)
    print(f"{len(students)} students: {path}")
    strangers = sorted(set(taken) - {student.id for student in students})
    if strangers:
        print(
            f"Graded, and not in the roster: {names(strangers)}. Where that is a student of the "
            "roster, write it into the column id, or grade again: the column also may hold other "
            "names of a student."
        )
    return 0


def names(ids: Sequence[str]) -> str:
    return ", ".join(shortened(ids, NAMES, for_terminal))


if __name__ == "__main__":
    sys.exit(main())
