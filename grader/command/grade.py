"""Grade a folder or zip of submissions: a gradebook, feedback and a table.

python -m grader.command.grade 01-convolution-by-hand ~/Downloads/batch.zip     (make grade)
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from grader.authoring.source import assignments, notebook_path
from grader.batch.workers import import_for_all, local_executor
from grader.command.arguments import ROOT, chosen, speak_plainly

# Every worker runs these lines, too: what only the coordinator needs is imported further down.
from grader.intake.place import WrongPlace, check_place
from grader.judging.policy import MEBIBYTE, Limits, Policy
from grader.judging.seed import DEFAULT, class_seed
from grader.sandbox import cgroup
from grader.sandbox.bwrap import UNSAFE, NoSandbox, check_means, check_system
from grader.sandbox.client import Server, judges_modules, modules_for

if TYPE_CHECKING:
    from grader.batch.recorder import Lost
    from grader.records import Record

SECONDS_FOR_WORKERS = 60


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="course grade",
        description="Grade a batch of submissions in sandboxes: gradebook, feedback, table. "
        "Stopped and called again, it goes on where it was.",
    )
    parser.add_argument("assignment", help=", ".join(assignments(ROOT / "solutions")))
    parser.add_argument(
        "submissions", help="a folder or zip of STUDENT.ipynb or STUDENT/ASSIGNMENT/*.ipynb"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--dask", metavar="ADDRESS", help="the scheduler of a Dask cluster")
    parser.add_argument("--dask-tls", metavar="FOLDER", help="with ca.pem, cert.pem and key.pem")
    parser.add_argument("--force", action="store_true", help="run everything again")
    parser.add_argument(
        "--only",
        metavar="STUDENT",
        action="append",
        default=[],
        help="grade this student's notebook alone; may be said several times",
    )
    parser.add_argument(
        "--test", default="", help="grade this test again, and leave all other marks as they are"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be graded, and write nothing"
    )
    parser.add_argument(
        "--attempt",
        choices=("last", "first"),
        default="last",
        help="which attempt of a student in the roster counts (default: last)",
    )
    parser.add_argument("--no-feedback", action="store_true", help="write no pages for students")
    default, sizes = Policy(), Limits()
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run students' code with your own rights: only for people you trust entirely",
    )
    limits = parser.add_argument_group("limits")
    limits.add_argument("--cell-seconds", type=float, default=default.cell_seconds)
    limits.add_argument("--total-seconds", type=float, default=default.total_seconds)
    limits.add_argument("--memory-mib", type=int, default=default.memory_bytes // MEBIBYTE)
    limits.add_argument("--notebook-mib", type=int, default=sizes.notebook_bytes // MEBIBYTE)
    parser.set_defaults(groups=None)  # `executors` sets it
    return parser


def main(given: Sequence[str] | None = None) -> int:
    speak_plainly()
    parser = arguments()
    options = parser.parse_args(given)
    (options.assignment,) = chosen(parser, [options.assignment], options.root)
    if options.workers < 1:
        parser.error("at least one worker is needed")
    options.submissions = os.path.expanduser(options.submissions)  # a shell may have left the ~
    try:
        check_place(options.submissions, options.root)
    except WrongPlace as error:
        print(error, file=sys.stderr)
        return 2
    if options.dry_run:
        return grade(options, no_executor, options.workers)
    try:
        if options.unsafe_no_sandbox:
            check_system()
            print(f"--unsafe-no-sandbox: {UNSAFE}", file=sys.stderr)
        else:
            check_means()
    except NoSandbox as error:
        print(error, file=sys.stderr)
        return 3
    try:
        with contextlib.ExitStack() as stack:
            make_executor, workers = executors(options, stack)
            return grade(options, make_executor, workers)
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on where it was.", file=sys.stderr)
        return 130


def no_executor() -> Executor:
    """What stands for the executor where nothing is to be run."""
    raise RuntimeError("nothing is run in a dry run")


def grade(options: argparse.Namespace, make_executor: Callable[[], Executor], workers: int) -> int:
    """Grade a batch; 0 when every submission has a recorded outcome."""
    # jsonschema would take a second to import it, for a kind of text that notebooks do not have.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

    from grader.gradebook.master import BookError
    from grader.intake.collect import Unreadable
    from grader.intake.roster import RosterError

    try:
        return grade_batch(options, make_executor, workers)
    except (BookError, RosterError, Unreadable, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2


def grade_batch(
    options: argparse.Namespace, make_executor: Callable[[], Executor], workers: int
) -> int:
    """What `grade` does when nothing is wrong with the course or the batch."""
    from grader.batch import report
    from grader.batch.coordinator import Batch
    from grader.batch.options import Options
    from grader.batch.tables import write_tables
    from grader.batch.to_do import words
    from grader.command.waiting import Waiting
    from grader.gradebook.book import Book
    from grader.intake.entries import NOTHING, Entry, write_entries
    from grader.text import for_terminal

    print(f"Grading {options.assignment} with Python {platform.python_version()}.")
    if class_seed(options.root) == DEFAULT:
        print(
            "Hidden tests use numbers that anybody with the course can know. `course new-seed` "
            "draws others for your class."
        )
    settings = Options(
        workers=workers,
        policy=Policy(
            cell_seconds=options.cell_seconds,
            total_seconds=options.total_seconds,
            memory_bytes=options.memory_mib * MEBIBYTE,
            locked=not options.unsafe_no_sandbox,
        ),
        limits=Limits(notebook_bytes=options.notebook_mib * MEBIBYTE),
        force=options.force,
        feedback=not options.no_feedback,
        only=options.only,
        test=options.test,
        which=options.attempt,
    )
    if options.dry_run:
        place = (options.assignment, options.submissions, options.root)
        planned = Batch(*place, settings, None, make_executor, lambda record: None)
        for student, what in planned.plan():
            print(f"  {for_terminal(student)}: {for_terminal(what)}")
        print("Nothing was written.")
        return 0
    if not options.dask:
        print(cgroup.GROUPS if options.groups else cgroup.NO_GROUPS)
    with Book(options.root, options.assignment) as book, Waiting() as waiting:

        def show(record: Record | Lost | None) -> None:
            waiting.step(None if record is None else report.line(record))

        def show_waiting(students: list[str]) -> None:
            waiting.wait_for(report.names(students))

        batch = Batch(
            options.assignment,
            options.submissions,
            options.root,
            settings,
            book,
            make_executor,
            show,
            show_waiting,
        )
        waiting.begin(len(batch.submissions))
        lost = batch.run()
        everything = options.root / "grading" / options.assignment / "handed-in.csv"
        nothing = [Entry("", student.id, False, NOTHING) for student in batch.missing()]
        write_entries(
            everything, str(options.submissions), [*batch.entries, *nothing], options.only
        )
        _, table, found = write_tables(book)
    students = {submission.student for submission in batch.submissions}
    print(report.summary_text(batch.summary()))
    print(f"\nWhat was handed in: {everything}")
    for line in batch.handed_in.words():
        print(f"  {line}")
    if nothing:
        print(f"  nothing was handed in by: {report.names([entry.student for entry in nothing])}")
    if found:
        print(f"\nWhat is open: {table.with_name('open.csv')}")
        for line in words(found):
            print(f"  {line}")
    print(f"\n{len(students) - len(lost)} of {len(students)} recorded. Table: {table}")
    if lost:
        print(f"Not graded (call again): {report.names(lost)}", file=sys.stderr)
    return 1 if lost or not students else 0


def executors(
    options: argparse.Namespace, stack: contextlib.ExitStack
) -> tuple[Callable[[], Executor], int]:
    """(what makes the executor, how many it runs at a time): processes here, or a cluster."""
    if not options.dask:
        # They import what the notebooks need while this process imports what it needs itself.
        source = notebook_path(options.assignment, options.root / "solutions")
        text = source.read_text(encoding="utf-8")
        import_for_all(judges_modules(text))
        modules = modules_for(text)
        options.groups = stack.enter_context(cgroup.divided())
        locked = not options.unsafe_no_sandbox
        server = Server(modules=modules, locked=locked, wait=False, groups=options.groups)
        stack.callback(server.close)
        return lambda: local_executor(options.workers, server), options.workers
    try:
        from distributed import Client
        from distributed.security import Security
    except ImportError:
        raise SystemExit("Dask is not installed: course setup instructor cluster") from None
    security = None
    if options.dask_tls:
        folder = Path(options.dask_tls)
        security = Security(
            tls_ca_file=str(folder / "ca.pem"),
            tls_client_cert=str(folder / "cert.pem"),
            tls_client_key=str(folder / "key.pem"),
            require_encryption=True,
        )
    try:
        client = Client(options.dask, security=security)
        client.wait_for_workers(1, timeout=SECONDS_FOR_WORKERS)
    except (OSError, TimeoutError, ValueError) as error:
        raise SystemExit(f"The cluster at {options.dask} cannot be used: {error}") from None
    return lambda: client.get_executor(pure=False, retries=2), sum(client.nthreads().values())


if __name__ == "__main__":
    sys.exit(main())
