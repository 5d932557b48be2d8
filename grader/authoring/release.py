"""Make the student versions of the assignments, and what students are given altogether.

python -m grader.authoring.release assignments     solutions/ -> assignments/ (make assignments)
python -m grader.authoring.release students [NAME]   build/cnn-course.zip (make release)
"""

import argparse
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import zipfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from grader import imports
from grader.authoring.bank import SOLUTIONS
from grader.authoring.examine import examine, make_sheet
from grader.authoring.record import Record, digest_of_source
from grader.authoring.source import (
    assignments,
    full_name,
    graded_cells,
    notebook_path,
    read_extra,
)
from grader.authoring.table import TABLE_NAME, part_of, read_table, write_table
from grader.cells import without_hidden
from helpers.assignment.sheet import SHEET_NAME, fingerprint
from helpers.command.files import OWN_COPY
from helpers.command.manifest import write_manifest
from helpers.command.verbs import available

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 2

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
    "translations",
)
LEFT_OUT = ("__pycache__", ".ipynb_checkpoints", "*.pyc", ".DS_Store", "*.egg-info", OWN_COPY)
# Tools that work on the grader, the tests and the site, which students do not have.
LEFT_OUT += ("benchmark_grading.py", "grade_under_load.py", "mutate", "translate")
# And the translations of the site, and of what the grader says.
LEFT_OUT += ("site", "glossary.po", "feedback.po")


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

    from grader.database import version_is_read_here

    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = db_url
    config.CourseDirectory.release_directory = str(release_directory)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    for name in names:
        with version_is_read_here():
            answer = api.generate_assignment(name, force=True, create=True)
        if not answer["success"]:
            raise RuntimeError(f"nbgrader could not make {name}:\n{answer.get('log', '')}")


def make_assignments(names=None, root=ROOT, show=print, force=False):
    """Write sheets, student versions and the table of mistakes, of what has changed.

    Parameters
    ----------
    names : list of str, optional
        Of some assignments only.
    root : path
        The course's folder.
    show : callable
        Gets each line of the report.
    force : bool
        Make also those of which nothing has changed.

    Returns
    -------
    list of str
        The assignments that were made.
    """
    solutions = Path(root) / "solutions"
    every, chosen = assignments(solutions), chosen_of(names, solutions)
    imports.forget()
    parts, record = read_table(solutions), Record(root)
    made_from = {name: digest_of_source(name, root) for name in chosen}
    same = [n for n in chosen if record.knows(n, made_from[n], parts.get(n)) and not force]
    if same:
        show(f"Nothing has changed in {', '.join(same)}: left as they are (--force: made anew).")
    changed = [name for name in chosen if name not in same]
    if not changed:
        return []
    for part in grade_banks(changed, root, show):
        parts[part.assignment] = part
    try:
        waiting = generate(changed, root)
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
    show(f"student versions: {', '.join(f'assignments/{name}' for name in changed)}")
    for name in waiting:
        show(
            f"{name}: the gradebook holds submissions, and test cells have come or gone. The next "
            f"`course grade {name} …` takes the new cells in; all other marks stay, also those "
            "given by hand."
        )
    write_table((parts[name] for name in every if name in parts), solutions)
    show(f"table: solutions/{TABLE_NAME}.md and .csv")
    for name in changed:
        record.keep(name, made_from[name], parts[name])
    return changed


def chosen_of(names, solutions):
    """The full names of these assignments; of all that have a source, if none are given.

    Raises
    ------
    SystemExit
        If there is no such assignment.
    """
    every = assignments(solutions)
    named = [name for name in names or () if name.strip()]  # make gives "" for all
    chosen = [full_name(name, every) for name in named or every]
    unknown = sorted(set(chosen) - set(every))
    if unknown:
        raise SystemExit(f"There is no {', '.join(unknown)} in solutions/: {', '.join(every)}")
    return chosen


def grade_banks(names, root, show=print):
    """Grade the banks of assignments, two at a time; yields the `Part` of each that is done."""
    processes = min(PROCESSES, len(names), os.cpu_count() or 1)
    show(f"grading the banks of {', '.join(names)} ...")
    if processes == 1:
        done = (grade_bank(name, root) for name in names)
    else:
        done = _grade_together(names, root, processes)
    for part in done:
        show(f"{part.assignment}: {len(part.rows)} known mistakes, {part.told} told by name")
        yield part


def _grade_together(names, root, processes):
    # A process that has used torch's threads cannot be forked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _one_thread) as pool:
        try:
            for future in as_completed([pool.submit(grade_bank, name, root) for name in names]):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _one_thread():
    import torch

    torch.set_num_threads(1)


def grade_bank(name, root):
    """Write the sheet of an assignment; returns its `Part` of the table."""
    return part_of(write_sheet(name, root))


def make_students_copy(destination, root=ROOT, names=None):
    """Copy what students are given into a folder, which must not exist yet.

    Its `.released` says what was given, for `course reset` and `course update`.

    Parameters
    ----------
    destination, root : path
    names : list of str, optional
        The assignments to give out; by default all that have a source.

    Raises
    ------
    SystemExit
        If there is no such assignment, or no student version of it yet.
    """
    root, destination = Path(root), Path(destination)
    chosen = chosen_of(names, root / "solutions")
    unmade = [name for name in chosen if not notebook_path(name, root / "assignments").exists()]
    if unmade:
        raise SystemExit(
            f"There is no student version of {', '.join(unmade)} yet: course assignments "
            f"{' '.join(unmade)}"
        )
    destination.mkdir(parents=True)
    ignore = shutil.ignore_patterns(*LEFT_OUT)
    for name in FOR_STUDENTS:
        if (root / name).is_dir():
            shutil.copytree(root / name, destination / name, ignore=ignore)
        else:
            shutil.copy2(root / name, destination / name)
    keep_only(chosen, destination / "assignments")
    for language in (destination / "translations").iterdir():
        keep_translations(chosen, language)
    readme = destination / "README.md"
    text = students_readme(readme.read_text(encoding="utf-8"), available(destination))
    readme.write_text(text, encoding="utf-8")
    write_manifest(destination)
    return destination


def keep_only(chosen, folder):
    """Take all other assignments out of a copy of assignments/, and out of its list."""
    for path in folder.iterdir():
        if path.is_dir() and path.name not in chosen:
            shutil.rmtree(path)
    readme = folder / "README.md"
    rows = re.compile(r"^\| \d\d \[.*\]\(([^/()]+)/.*\n", re.MULTILINE)
    text = readme.read_text(encoding="utf-8")
    text = rows.sub(lambda row: row[0] if row[1] in chosen else "", text)
    readme.write_text(text, encoding="utf-8")


def keep_translations(chosen, language):
    """Take the catalogues of all other assignments out of a copy of translations/LANGUAGE."""
    for kind in ("assignments", "known-mistakes"):
        for path in (language / kind).glob("[0-9]*.po"):
            if path.stem not in chosen:
                path.unlink()


def students_readme(text, commands):
    """The README without the sections that speak to others, and with these commands alone."""
    for title in ("Which copy is for you", "For instructors"):
        text = re.sub(rf"(?ms)^## {title}\n.*?(?=^## )", "", text)
    rows = re.compile(r"^\| `course (\S+?)[` ].*\n", re.MULTILINE)
    return rows.sub(lambda row: row[0] if row[1] in commands else "", text)


def make_zip(root=ROOT, show=print, names=None):
    """Write build/cnn-course.zip: the course as a student gets it, with these assignments."""
    build = Path(root) / "build"
    folder, archive = build / "cnn-course", build / "cnn-course.zip"
    shutil.rmtree(folder, ignore_errors=True)
    make_students_copy(folder, root, names)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, Path(folder.name) / path.relative_to(folder))
    size = archive.stat().st_size / 2**20
    given = sorted(path.name for path in (folder / "assignments").iterdir() if path.is_dir())
    show(f"Assignments: {', '.join(given)}")
    show(
        f"For students: {archive.relative_to(root)} ({size:.1f} MiB), or the folder "
        f"{folder.relative_to(root)}. Nothing of solutions/ is in it."
    )
    return archive


def main(given=None):
    parser = argparse.ArgumentParser(prog="course")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("assignments", help="make the student versions")
    make.add_argument("names", nargs="*", help="some only, for instance 01-convolution-by-hand")
    make.add_argument("--force", action="store_true", help="also those that have not changed")
    students = commands.add_parser("students", help="make the zip for students")
    students.add_argument("names", nargs="*", help="these assignments alone; default: all")
    for command in (make, students):
        command.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.command == "assignments":
        make_assignments(options.names, options.root, force=options.force)
    else:
        make_zip(options.root, names=options.names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
