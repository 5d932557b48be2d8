"""From a folder of submissions to a gradebook: one process that alone writes, and workers.

The workers execute `job.execute`, JSON in and JSON out, in any `concurrent.futures.Executor`. A
worker that is lost costs nothing: its job is given out again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

from grader.authoring.source import assignments
from grader.batch.digest import key_of
from grader.batch.options import Options
from grader.batch.reader import Reader
from grader.batch.recorder import Lost, Pending, Recorder, unforeseen
from grader.batch.store import Store
from grader.batch.summary import Summary, summarise
from grader.cells import Cell
from grader.gradebook.book import Book
from grader.intake.beside import files_of
from grader.intake.collect import collect
from grader.intake.jobs import make_job
from grader.intake.rebuild import load_skeleton
from grader.intake.roster import Student, load_roster
from grader.intake.submission import Reading, Submission
from grader.judging import job
from grader.judging.dispatch import Dispatch, JobLost
from grader.judging.seed import class_seed
from grader.records import Job, Record
from grader.text import shortened
from helpers.assignment.notebook_file import Unreadable

MOST_NAMES = 50


class Batch:
    """All submissions of one assignment.

    Parameters
    ----------
    assignment : str
    path : path
        A folder or a zip.
    root : path
        The course's folder.
    options : Options
    book : Book or None
        The gradebook; see `grader.gradebook.book`. None for a `plan`.
    make_executor : callable
        Gives an executor; called again when one is broken.
    show : callable
        Called with each finished record, with a `Lost` where nothing could be recorded, and with
        None where nothing was left to do.
    show_waiting : callable, optional
        Called with the students whose notebooks run, when nothing has come for a while.

    Attributes
    ----------
    handed_in : HandedIn
    entries : list of Entry
        What became of each file that was handed in; complete after `run`.
    """

    def __init__(
        self,
        assignment: str,
        path: str | Path,
        root: str | Path,
        options: Options,
        book: Book | None,
        make_executor: Callable[[], Executor],
        show: Callable[[Record | Lost | None], object],
        show_waiting: Callable[[list[str]], object] = lambda students: None,
    ) -> None:
        self.assignment, self.root, self.options = assignment, Path(root), options
        self.make_executor, self.show, self.show_waiting = make_executor, show, show_waiting
        self.skeleton = load_skeleton(assignment, root)
        others = [name for name in assignments(self.root / "solutions") if name != assignment]
        self.roster = load_roster(root)
        self.handed_in = collect(
            path, assignment, others, self.roster, options.which, options.limits
        )
        self.submissions = self.handed_in.submissions
        if options.only:
            known = [one.student for one in self.submissions]
            if unknown := sorted(set(options.only) - set(known)):
                raise Unreadable(
                    f"nothing is handed in here by {', '.join(unknown)}. There are: "
                    f"{', '.join(shortened(known, MOST_NAMES))}"
                )
            self.submissions = [one for one in self.submissions if one.student in options.only]
        self.entries = list(self.handed_in.entries)
        if options.test and options.test not in self.skeleton.test_ids:
            raise Unreadable(
                f"there is no test {options.test}. There are: {', '.join(self.skeleton.test_ids)}"
            )
        self.store = Store(self.root / "grading" / assignment)
        self.class_seed = class_seed(root)
        self.files, self.beside = files_of(assignment, self.root)
        self.recorder = Recorder(
            assignment, self.root, options, self.skeleton, self.store, book, show
        )
        self.reader = Reader()
        self.pending: dict[str, list[Pending]] = {}  # by key, what waits for its result
        self.fresh: set[str] = set()  # results made in this call, which --force need not make again

    def run(self) -> list[str]:
        """Grade everything that is not graded yet.

        Returns
        -------
        list of str
            The students of whom nothing could be recorded, because workers were lost again and
            again, or the gradebook or the disk could not be written.

        Raises
        ------
        Locked
            If another program holds the gradebook. What came back is kept: the next call goes on.
        """
        dispatch = Dispatch(
            job.execute,
            self.make_executor,
            2 * self.options.workers + 1,
            is_to_repeat=job.was_hindered,
            show_waiting=self.tell_who_runs,
        )
        with self.reader:
            for key, text in dispatch.run(self.jobs()):
                pending = self.pending.pop(key)
                if isinstance(text, JobLost):
                    for item in pending:
                        self.give_up(item, text)
                    continue
                result = json.loads(text)
                self.recorder.keep_replaced(key)
                self.store.put(key, result)
                if self.options.force:
                    self.fresh.add(key)
                for item in pending:
                    self.recorder.record(key, result, item)
        return self.recorder.lost

    def jobs(self) -> Iterator[tuple[str, str]]:
        """The jobs that have to run, each once; what is known already is recorded on the way."""
        for submission in self.submissions:
            item = self.prepare(submission)
            if item is None:
                continue
            key, text, pending = item
            if key in self.pending:
                self.pending[key].append(pending)  # identical to one that is running
                continue
            if not self.options.force or key in self.fresh:
                result = self.store.get(key)
                if result is not None:
                    self.recorder.record(key, result, pending)
                    continue
            self.pending[key] = [pending]
            yield key, text

    def tell_who_runs(self, keys: list[str]) -> None:
        """Show whose notebooks are taking long."""
        self.show_waiting([item.student for key in keys for item in self.pending.get(key, ())])

    def give_up(self, item: Pending, lost: JobLost) -> None:
        """Record, or name, a submission of which no result came back."""
        if lost.is_culprit:
            reason = (
                "the process that judged it ended each time, the last time with nothing else "
                f"running ({lost}): a person has to look at it"
            )
            self.recorder.refuse(item.submission, "not judged", reason)
        else:
            self.recorder.lose(item.student, lost)

    def prepare(self, submission: Submission) -> tuple[str, str, Pending] | None:
        """(key, job, what to record with the result), or None if there is nothing to run.

        Whatever one submission leads to is its own outcome: the others are graded.
        """
        try:
            reading, cells, notes, data, key = self.examine(submission)
            self.entries += reading.entries
        except Unreadable as error:
            self.refuse_to_read(submission, str(error))
            return None
        except Exception as error:
            self.refuse_to_read(submission, unforeseen(error))
            return None
        if self.recorder.is_done(submission, key):
            return None
        language = data["language"]
        pending = Pending(submission, cells, reading.notes + notes, reading.files, language)
        return key, json.dumps(data), pending

    def examine(self, submission: Submission) -> tuple[Reading, list[Cell], list[str], Job, str]:
        """What was read, the rebuilt cells, notes on these, the job, and its key.

        Raises
        ------
        Unreadable
            And whatever else a submission leads to.
        """
        reading = submission.read(
            self.assignment,
            self.skeleton.known,
            self.options.limits,
            self.skeleton.files,
            {*self.files, *self.beside},
            self.reader.parse,
            self.skeleton.is_untouched,
        )
        cells, notes = self.skeleton.rebuild(reading.notebook)
        language = self.skeleton.language_of(reading.notebook)
        data = make_job(
            self.assignment,
            cells,
            self.options.policy,
            self.class_seed,
            self.skeleton.files_in(language, self.files),
            self.beside,
            reading.files,
            language,
        )
        return reading, cells, notes, data, key_of(data)

    def plan(self) -> Iterator[tuple[str, str]]:
        """What would be done with each student's notebook, in words; nothing is written."""
        with self.reader:
            for submission in self.submissions:
                try:
                    key = self.examine(submission)[-1]
                except Unreadable as error:
                    yield submission.student, f"cannot be read: {error}"
                    continue
                except Exception as error:
                    yield submission.student, f"cannot be read: {unforeseen(error)}"
                    continue
                if self.recorder.done.get(submission.student) == key:
                    yield submission.student, "is graded, and has not changed"
                elif not self.options.force and self.store.get(key) is not None:
                    yield submission.student, "would be recorded with a result that is known"
                else:
                    yield submission.student, "would be run"

    def refuse_to_read(self, submission: Submission, reason: str) -> None:
        """Record that a submission cannot be read, and say so of each of its files."""
        self.entries += submission.refused(reason)
        earlier = self.recorder.known.get(submission.student, "unreadable")
        if submission.problem and not earlier.startswith("unreadable"):
            self.show(None)  # something else than a notebook takes no mark away
        else:
            self.recorder.refuse(submission, "unreadable", reason)

    def missing(self) -> list[Student]:
        """The students of the roster of whom nothing is recorded, in this call or before."""
        known = {submission.student for submission in self.handed_in.submissions}
        known |= set(self.store.keys_recorded())
        return [student for student in self.roster if student.id not in known]

    def summary(self) -> Summary:
        """Counts over the whole batch, from the records on disk."""
        students = {submission.student for submission in self.submissions}
        records = (record for record in self.store.records() if record["student"] in students)
        return summarise(records, self.skeleton.auto_max)
