"""What an instructor reads of a batch: the table, and the summary at the end."""

import csv
import io
import textwrap

from grader.batch.coordinator import Lost
from grader.files import write_whole

COLUMNS = ("student", "score", "max_score", "outcome", "flagged", "seconds")
BAR = 40
NOTES_SHOWN = 3


def write_table(store, students, test_ids, path):
    """Write grades.csv: a row for each student, a column for each test.

    Parameters
    ----------
    store : Store
    students : set of str
    test_ids : list of str
    path : path
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *test_ids])
    for record in store.records():
        if record["student"] in students:
            tests = [_number(record["tests"].get(test, 0.0)) for test in test_ids]
            row = [record["student"], _number(record["score"]), _number(record["max_score"])]
            row += [record["outcome"], record["flagged"], record["seconds"]]
            writer.writerow([_harmless(value) for value in row] + tests)
    write_whole(path, text.getvalue())


def _number(value):
    return int(value) if value == int(value) else value


def _harmless(value):
    """A text that a spreadsheet does not take for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def line(record):
    """One finished submission, as a line."""
    if isinstance(record, Lost):
        return f"{record.student}: NOT GRADED: {record.problem}"
    text = (
        f"{record['student']}: {record['score']:g} of {record['max_score']:g}, "
        f"{record['seconds']:.1f} s, {record['outcome']}"
    )
    if record["flagged"]:
        text += f"; for a person to look at: {record['flagged']}"
    notes = record["notes"]
    shown = notes[:NOTES_SHOWN]
    if len(notes) > NOTES_SHOWN:
        shown = [*shown, f"and {len(notes) - NOTES_SHOWN} more"]
    return text + "".join(f"; {note}" for note in shown)


def summary_text(summary):
    """The histogram of scores, and what went wrong most often."""
    lines = ["", "Scores (share of all points, without written parts)"]
    most = max(summary.shares) or 1
    for number, count in enumerate(summary.shares):
        label = "100 %" if number == 10 else f"{10 * number}–{10 * number + 9} %"
        lines.append(f"  {label:>8}  {'█' * round(BAR * count / most):<{BAR}} {count}")
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
        lines += ["", "For a person to look at: " + ", ".join(summary.flagged[:20])]
    return "\n".join(lines)
