"""What an instructor reads of a batch: the table, and the summary at the end.

Names, notes and evidence come from students: each is made harmless for the place that it goes to.
"""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from grader.batch.recorder import Lost
from grader.batch.summary import Summary
from grader.files import write_whole
from grader.gradebook.marks import Marks
from grader.records import Record
from grader.text import for_table, for_terminal, shortened

COLUMNS = ("student", "score", "max_score", "outcome", "flagged", "seconds")
# score + by_hand + extra_credit - late_penalty is the total, the final mark. `open` counts the
# cells that a person still has to mark.
FROM_A_PERSON = ("by_hand", "extra_credit", "late_penalty", "total", "late_days", "open")
BAR = 40
NOTES_ON_A_LINE, NAMES_ON_A_LINE = 3, 20


def write_table(
    marks: Mapping[str, Marks], records: Iterable[Record], test_ids: Sequence[str], path: str | Path
) -> None:
    """Write grades.csv: a row for each student of the assignment, a column for each test.

    Parameters
    ----------
    marks : dict of str to Marks
        By student, as the gradebook has them now.
    records : iterable of Record
    test_ids : list of str
    path : path
    """
    known = {record["student"]: record for record in records}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *FROM_A_PERSON, *test_ids])
    for student, mark in sorted(marks.items()):
        record = known.get(student)  # none of whom only `nbgrader autograde` has graded
        row = [student, number(mark.automatic), number(mark.max_score)]
        row += [record["outcome"], record["flagged"], record["seconds"]] if record else [""] * 3
        row += [number(mark.by_hand), number(mark.extra_credit), number(mark.late_penalty)]
        row += [number(mark.total), number(round(mark.late, 2)), len(mark.open)]
        row += [number(mark.tests.get(test, 0.0)) for test in test_ids]
        writer.writerow(map(for_table, row))
    write_whole(path, text.getvalue())


def number(value: float) -> float:
    """The number as a table has it: whole ones without a point."""
    return int(value) if value == int(value) else value


def line(record: Record | Lost) -> str:
    """One finished submission, as a line."""
    if isinstance(record, Lost):
        return for_terminal(f"{record.student}: NOT GRADED: {record.problem}")
    text = (
        f"{record['student']}: {record['score']:g} of {record['max_score']:g}, "
        f"{record['seconds']:.1f} s, {record['outcome']}"
    )
    if record["flagged"]:
        text += f"; for a person to look at: {record['flagged']}"
    return for_terminal("; ".join([text, *shortened(record["notes"], NOTES_ON_A_LINE)]))


def names(students: Sequence[str]) -> str:
    """Some students, on a line."""
    return ", ".join(shortened(students, NAMES_ON_A_LINE))


def summary_text(summary: Summary) -> str:
    """The histogram of scores, and what went wrong most often."""
    lines = ["", "Scores (share of all points, without written parts)"]
    highest = max(summary.shares) or 1
    for number, count in enumerate(summary.shares):
        label = "100 %" if number == 10 else f"{10 * number}–{10 * number + 9} %"
        lines.append(f"  {label:>8}  {'█' * round(BAR * count / highest):<{BAR}} {count}")
    lines += ["", "Outcomes"]
    lines += [f"  {count:>5}  {outcome}" for outcome, count in summary.outcomes.most_common()]
    if summary.failed:
        lines += ["", "Tests failed most"]
        lines += [f"  {count:>5}  {test}" for test, count in summary.failed.most_common(8)]
    if summary.diagnoses:
        lines += ["", "Misconceptions diagnosed most"]
        for sentence, count in summary.diagnoses.most_common(6):
            lines.append(textwrap.fill(f"  {count:>5}  {sentence}", 96, subsequent_indent=" " * 9))
    if summary.flagged:
        lines += ["", "For a person to look at: " + names(summary.flagged)]
    return "\n".join(lines)
