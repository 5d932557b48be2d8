"""Make the student versions of the assignments, and what students are given altogether.

python -m grader.authoring.release assignments     solutions/ -> assignments/ (make assignments)
python -m grader.authoring.release students        build/cnn-course.zip (make release)
"""

import argparse
import csv
import io
import os
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from grader.authoring.bank import SOLUTIONS
from grader.authoring.examine import examine, make_sheet
from grader.authoring.source import (
    assignments,
    full_name,
    graded_cells,
    notebook_path,
    read_extra,
)
from grader.cells import without_hidden
from helpers.assignment.sheet import SHEET_NAME, fingerprint
from helpers.command.files import OWN_COPY
from helpers.command.manifest import write_manifest
from helpers.command.verbs import available

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TABLE_NAME = "known-mistakes"

# What a student needs: everything else of the course is the instructor's.
FOR_STUDENTS = (
    "README.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "Makefile",
    "conftest.py",
    "course.py",
    "constraints.txt",
    "environment.yml",
    "pyproject.toml",
    "assignments",
    "helpers",
    "notebooks",
    "tools",
)
LEFT_OUT = ("__pycache__", ".ipynb_checkpoints", "*.pyc", ".DS_Store", "*.egg-info", OWN_COPY)


def sheet_of(report, solutions=SOLUTIONS):
    """The `Sheet` of an assignment: known mistakes by fingerprint, and its released cells."""
    sheet = make_sheet(report)
    sheet.tries = {
        cell.id: fingerprint(cell.source.strip())
        for cell in read_extra(notebook_path(report.assignment, solutions))
    }
    sheet.tests = {
        cell.grade_id: {
            "points": cell.points,
            "digest": fingerprint(without_hidden(cell.source).strip()),
        }
        for cell in graded_cells(report.cells)
    }
    return sheet


def write_sheet(assignment, root=ROOT):
    """Examine an assignment's bank, and write its sheet beside its source.

    Returns
    -------
    Report
        What the tests said, with the diagnoses of the new sheet.
    """
    solutions = Path(root) / "solutions"
    report = examine(assignment, solutions=solutions)
    sheet = sheet_of(report, solutions)
    path = notebook_path(assignment, solutions).with_name(SHEET_NAME)
    path.write_text(sheet.to_json(), encoding="utf-8")
    return report.told_by(sheet)


def generate(names, root=ROOT):
    """Let nbgrader make the student versions, and enter the assignments into the gradebook.

    The student versions are made aside and then put into assignments/, so that a failure leaves
    the ones that are there.

    Parameters
    ----------
    names : list of str
    root : path
        The course's folder: with solutions/, and assignments/ to be written.

    Returns
    -------
    list of str
        The assignments of which the gradebook holds submissions, so that nbgrader does not add or
        take out cells there: the next grading does.

    Raises
    ------
    RuntimeError
        If nbgrader refuses; with what it says.
    """
    root = Path(root)
    with tempfile.TemporaryDirectory() as aside:
        _run_nbgrader(names, root, f"sqlite:///{aside}/gradebook.db", aside)
        for name in names:
            made, target = Path(aside) / name, root / "assignments" / name
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(made, target)
            for path in target.rglob("*"):
                path.chmod(0o644)
    (root / "grading").mkdir(exist_ok=True)
    waiting = []
    for name in names:
        with tempfile.TemporaryDirectory() as aside:
            try:
                _run_nbgrader([name], root, f"sqlite:///{root / 'grading' / 'gradebook.db'}", aside)
            except RuntimeError as error:
                if "submissions associated" not in str(error):
                    raise
                waiting.append(name)
    return waiting


def _run_nbgrader(names, root, db_url, release_directory):
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = db_url
    config.CourseDirectory.release_directory = str(release_directory)
    # nbgrader calls a program of one of its packages, which need not be on the path.
    path = os.environ.get("PATH", "")
    if str(BIN) not in path.split(os.pathsep):
        os.environ["PATH"] = f"{BIN}{os.pathsep}{path}"
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    for name in names:
        answer = api.generate_assignment(name, force=True, create=True)
        if not answer["success"]:
            raise RuntimeError(f"nbgrader could not make {name}:\n{answer.get('log', '')}")


def mistakes_table(reports):
    """The table of all mistakes: which tests each fails, and whether a student is told its name.

    Returns
    -------
    (str, str)
        As CSV, and as a page in Markdown.
    """
    rows = [
        {
            "assignment": report.assignment,
            "exercise": variant.exercise,
            "mistake": variant.name,
            "tests failed": " ".join(sorted(report.failed(variant))),
            "told by name": "yes" if report.diagnoses(variant) else "no",
            "what the student reads": variant.sentence,
            "why not told": variant.undiagnosed or "",
        }
        for report in reports
        for variant in report.verdicts
        if variant.is_mistake
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue(), _page(reports)


def _page(reports):
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
    ]
    for report in reports:
        mistakes = [v for v in report.verdicts if v.is_mistake]
        right = [v for v in report.verdicts if not v.is_mistake]
        found = sum(bool(report.failed(v)) for v in mistakes)
        told = sum(bool(report.diagnoses(v)) for v in mistakes)
        keep = sum(not report.failed(v) for v in right)
        lines.append(
            f"| {report.assignment} | {len(graded_cells(report.cells))} | {len(mistakes)} "
            f"| {found} ({_percent(found, len(mistakes))}) "
            f"| {told} ({_percent(told, len(mistakes))}) | {len(right)} | {keep} |"
        )
    for report in reports:
        lines += ["", f"## {report.assignment}"]
        for exercise in dict.fromkeys(variant.exercise for variant in report.verdicts):
            lines += ["", f"### {exercise}", "", *_matrix(report, exercise), ""]
            lines += [
                f"- **{variant.name}**: {variant.sentence}"
                + (f" *(Not told: {variant.undiagnosed})*" if variant.undiagnosed else "")
                for variant in report.verdicts
                if variant.exercise == exercise and variant.is_mistake
            ]
    return "\n".join(lines) + "\n"


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


def make_assignments(names=None, root=ROOT, show=print):
    """Write sheets, student versions and, if all assignments are made, the table of mistakes."""
    solutions = Path(root) / "solutions"
    every = assignments(solutions)
    chosen = [full_name(name, every) for name in names or every]
    unknown = sorted(set(chosen) - set(every))
    if unknown:
        raise SystemExit(f"There is no {', '.join(unknown)} in solutions/: {', '.join(every)}")
    reports = []
    for name in chosen:
        show(f"{name}: grading its bank ...")
        report = write_sheet(name, root)
        reports.append(report)
        mistakes = [variant for variant in report.verdicts if variant.is_mistake]
        told = sum(bool(report.diagnoses(variant)) for variant in mistakes)
        show(f"{name}: {len(mistakes)} known mistakes, {told} told by name")
    try:
        waiting = generate(chosen, root)
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
    show(f"student versions: {', '.join(f'assignments/{name}' for name in chosen)}")
    for name in waiting:
        show(
            f"{name}: the gradebook holds submissions, and test cells have come or gone. The next "
            f"`course grade {name} …` takes the new cells in; all other marks stay, also those "
            "given by hand."
        )
    if chosen == every:
        table, page = mistakes_table(reports)
        (solutions / f"{TABLE_NAME}.csv").write_text(table, encoding="utf-8")
        (solutions / f"{TABLE_NAME}.md").write_text(page, encoding="utf-8")
        show(f"table: solutions/{TABLE_NAME}.md and .csv")
    return reports


def make_students_copy(destination, root=ROOT):
    """Copy what students are given into a folder, which must not exist yet.

    Its `.released` says what was given, for `course reset` and `course update`.
    """
    root, destination = Path(root), Path(destination)
    destination.mkdir(parents=True)
    ignore = shutil.ignore_patterns(*LEFT_OUT)
    for name in FOR_STUDENTS:
        if (root / name).is_dir():
            shutil.copytree(root / name, destination / name, ignore=ignore)
        else:
            shutil.copy2(root / name, destination / name)
    readme = destination / "README.md"
    text = students_readme(readme.read_text(encoding="utf-8"), available(destination))
    readme.write_text(text, encoding="utf-8")
    write_manifest(destination)
    return destination


def students_readme(text, commands):
    """The README without the sections that speak to others, and with these commands alone."""
    for title in ("Which copy is for you", "For instructors"):
        text = re.sub(rf"(?ms)^## {title}\n.*?(?=^## )", "", text)
    rows = re.compile(r"^\| `course (\S+?)[` ].*\n", re.MULTILINE)
    return rows.sub(lambda row: row[0] if row[1] in commands else "", text)


def make_zip(root=ROOT, show=print):
    """Write build/cnn-course.zip: the course as a student gets it."""
    build = Path(root) / "build"
    folder, archive = build / "cnn-course", build / "cnn-course.zip"
    shutil.rmtree(folder, ignore_errors=True)
    make_students_copy(folder, root)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, Path(folder.name) / path.relative_to(folder))
    size = archive.stat().st_size / 2**20
    show(
        f"For students: {archive.relative_to(root)} ({size:.1f} MiB), or the folder "
        f"{folder.relative_to(root)}. Nothing of solutions/ is in it."
    )
    return archive


def main():
    parser = argparse.ArgumentParser(prog="course")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("assignments", help="make the student versions")
    make.add_argument("names", nargs="*", help="some only, for instance 01-convolution-by-hand")
    commands.add_parser("students", help="make the zip for students")
    options = parser.parse_args()
    if options.command == "assignments":
        make_assignments(options.names)
    else:
        make_zip()
    return 0


if __name__ == "__main__":
    sys.exit(main())
