"""The table of known mistakes: which tests each fails, and whether a student is told its name.

It stands in ``solutions/known-mistakes.md`` and ``.csv``, a part for each assignment, so that one
of them can be made anew and the others stay.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.authoring.source import graded_cells

TABLE_NAME = "known-mistakes"
FIELDS = (
    "assignment",
    "exercise",
    "mistake",
    "tests failed",
    "told by name",
    "what the student reads",
    "why not told",
)


@dataclass(frozen=True)
class Part:
    """What the table says of one assignment.

    Attributes
    ----------
    assignment : str
    rows : tuple of dict
        Of the CSV, one for each mistake.
    summary, section : str
        Of the page: a line of its first table, and what stands below the heading.
    """

    assignment: str
    rows: tuple[dict[str, str], ...]
    summary: str
    section: str

    @property
    def told(self) -> int:
        """How many mistakes are told by name."""
        return sum(row["told by name"] == "yes" for row in self.rows)


def part_of(report):
    """The part of an assignment, from what its tests said of its bank."""
    rows = tuple(
        {
            "assignment": report.assignment,
            "exercise": variant.exercise,
            "mistake": variant.name,
            "tests failed": " ".join(sorted(report.failed(variant))),
            "told by name": "yes" if report.diagnoses(variant) else "no",
            "what the student reads": variant.sentence,
            "why not told": variant.undiagnosed or "",
        }
        for variant in report.verdicts
        if variant.is_mistake
    )
    return Part(report.assignment, rows, _summary(report, rows), _section(report))


def _summary(report, rows):
    right = [variant for variant in report.verdicts if not variant.is_mistake]
    found = sum(bool(row["tests failed"]) for row in rows)
    told = sum(row["told by name"] == "yes" for row in rows)
    keep = sum(not report.failed(variant) for variant in right)
    return (
        f"| {report.assignment} | {len(graded_cells(report.cells))} | {len(rows)} "
        f"| {found} ({_percent(found, len(rows))}) "
        f"| {told} ({_percent(told, len(rows))}) | {len(right)} | {keep} |"
    )


def _section(report):
    if not report.verdicts:
        return "It has no bank."
    lines = []
    for exercise in dict.fromkeys(variant.exercise for variant in report.verdicts):
        lines += ["", f"### {exercise}", "", *_matrix(report, exercise), ""]
        lines += [
            f"- **{variant.name}**: {variant.sentence}"
            + (f" *(Not told: {variant.undiagnosed})*" if variant.undiagnosed else "")
            for variant in report.verdicts
            if variant.exercise == exercise and variant.is_mistake
        ]
    return "\n".join(lines).strip()


def _matrix(report, exercise):
    tests = [cell.grade_id for cell in graded_cells(report.cells) if f'"{exercise}"' in cell.source]
    heads = [test.removeprefix(f"{exercise}_").replace("_", " ") for test in tests]
    lines = [f"| mistake | {' | '.join(heads)} | told |", "|---" * (len(tests) + 2) + "|"]
    for variant in report.verdicts:
        if variant.exercise == exercise and variant.is_mistake:
            failed = report.failed(variant)
            marks = " | ".join("✗" if test in failed else "" for test in tests)
            told = "yes" if report.diagnoses(variant) else ""
            lines.append(f"| {variant.name.replace('_', ' ')} | {marks} | {told} |")
    return lines


def _percent(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else "–"


def mistakes_table(parts: Iterable[Part]) -> tuple[str, str]:
    """The whole table, as CSV and as a page in Markdown."""
    parts = list(parts)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=FIELDS, lineterminator="\n")
    writer.writeheader()
    for part in parts:
        writer.writerows(part.rows)
    lines = [
        "# Known mistakes and the tests that find them",
        "",
        "Made by `make assignments` from the banks in this folder; not to be edited. Each row is "
        "a wrong solution, each column a test; ✗ means that the test takes its points off. "
        "*Told* means that a visible test names the mistake to the student. The right solutions "
        "in other styles are graded too, and keep all points.",
        "",
        "| assignment | tests | mistakes | found | told by name | right solutions | keep all |",
        "|---|---|---|---|---|---|---|",
        *(part.summary for part in parts),
    ]
    for part in parts:
        lines += ["", f"## {part.assignment}", "", part.section]
    return text.getvalue(), "\n".join(lines) + "\n"


def read_table(solutions: Path) -> dict[str, Part]:
    """The parts of the table as it was last written, by assignment; those that are whole."""
    try:
        with open(solutions / f"{TABLE_NAME}.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        page = (solutions / f"{TABLE_NAME}.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    head, *sections = re.split(r"^## ", page, flags=re.MULTILINE)
    parts = {}
    for section in sections:
        name, _, text = section.partition("\n")
        summary = re.search(rf"^\| {re.escape(name)} \|.*$", head, re.MULTILINE)
        if summary:
            own = tuple(row for row in rows if row["assignment"] == name)
            parts[name] = Part(name, own, summary[0], text.strip())
    return parts


def write_table(parts: Iterable[Part], solutions: Path) -> None:
    """Write both files."""
    table, page = mistakes_table(parts)
    (solutions / f"{TABLE_NAME}.csv").write_text(table, encoding="utf-8")
    (solutions / f"{TABLE_NAME}.md").write_text(page, encoding="utf-8")
