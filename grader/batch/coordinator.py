"""From a folder of submissions to a gradebook: one process that alone writes, and workers.

The workers execute `job.execute`, JSON in and JSON out, in any `concurrent.futures.Executor`. A
worker that is lost costs nothing: its jobs are given out again.
"""

import concurrent.futures
import dataclasses
import hashlib
import json
import time
from collections import Counter
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from grader.batch.store import Store, environment, key_of
from grader.gradebook.feedback import write_feedback
from grader.gradebook.graded import executed_notebook
from grader.gradebook.master import BookError
from grader.gradebook.submitted import write_one
from grader.intake.collect import Unreadable, collect
from grader.intake.rebuild import load_skeleton
from grader.judging import job
from grader.judging.policy import Limits, Policy
from grader.text import writable

ROOT = Path(__file__).resolve().parents[2]
TRIES = 4


def unforeseen(error):
    """The reason to give for an error that nobody thought of."""
    return f"the grader could not work with it: {type(error).__name__}: {str(error)[:120]}"


@dataclasses.dataclass
class Options:
    """How a batch is graded.

    Attributes
    ----------
    workers : int
    policy : Policy
    limits : Limits
    force : bool
        Run every submission again, also those that are done.
    feedback : bool
        Write the pages for the students.
    """

    workers: int = 1
    policy: Policy = dataclasses.field(default_factory=Policy)
    limits: Limits = dataclasses.field(default_factory=Limits)
    force: bool = False
    feedback: bool = True


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
    book : Book
        The gradebook; see `grader.gradebook.book`.
    make_executor : callable
        Gives an executor; called again when one is broken.
    show : callable
        Called with each finished record (a dict).
    """

    def __init__(self, assignment, path, root, options, book, make_executor, show):
        self.assignment, self.root, self.options = assignment, Path(root), options
        self.book, self.make_executor, self.show = book, make_executor, show
        self.skeleton = load_skeleton(assignment, root)
        self.submissions = collect(path, assignment)
        self.store = Store(self.root / "grading" / assignment)
        self.environment = environment([ROOT / "helpers", ROOT / "grader"])
        self.files = {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted((self.root / "assignments" / assignment).glob("*.json"))
        }
        self.done = {} if options.force else self.store.keys_recorded()
        self.lost = []
        self.fresh = set()  # results made in this call, which --force need not make again

    def run(self):
        """Grade everything that is not graded yet.

        Returns
        -------
        list of str
            The students of whom nothing could be recorded, because workers were lost again and
            again, or the gradebook or the disk could not be written.
        """
        executor = self.make_executor()
        waiting = {}  # future -> key
        jobs = {}  # key -> (job, tries, [what is to be recorded with its result])
        try:
            for submission in self.submissions:
                item = self.prepare(submission)
                if item is None:
                    continue
                key, text, pending = item
                if key in jobs:
                    jobs[key][2].append(pending)  # identical to one that is running
                    continue
                if not self.options.force or key in self.fresh:
                    result = self.store.get(key)
                    if result is not None:
                        self.record(key, result, pending)
                        continue
                jobs[key] = [text, 1, [pending]]
                executor = self.submit(executor, waiting, key, text)
                # A window, so that the memory does not grow with the batch.
                while len(waiting) >= 2 * self.options.workers + 1:
                    executor = self.collect_some(executor, waiting, jobs)
            while waiting:
                executor = self.collect_some(executor, waiting, jobs)
        finally:
            # By hand: Dask's executor knows no `cancel_futures`.
            for future in waiting:
                future.cancel()
            executor.shutdown(wait=False)
        return self.lost

    def prepare(self, submission):
        """(key, job, what to record with the result), or None if there is nothing to run.

        Whatever one submission leads to is its own outcome: the others are graded.
        """
        try:
            notebook = submission.read(self.assignment, self.skeleton.known, self.options.limits)
            cells, notes = self.skeleton.rebuild(notebook)
            data = {
                "assignment": self.assignment,
                "cells": [cell.for_job() for cell in cells],
                "policy": self.options.policy.to_dict(),
                "files": self.files,
            }
            key = key_of(data, self.environment)
        except Unreadable as error:
            self.refuse(submission.student, "unreadable", str(error))
            return None
        except Exception as error:
            self.refuse(submission.student, "unreadable", unforeseen(error))
            return None
        if self.done.get(submission.student) == key:
            self.show(None)
            return None
        data["seed"] = key
        return key, json.dumps(data), (submission.student, cells, notes)

    def submit(self, executor, waiting, key, text):
        """Give a job out; a broken executor is exchanged, and its jobs given out again."""
        try:
            waiting[executor.submit(job.execute, text)] = key
        except (concurrent.futures.BrokenExecutor, RuntimeError):
            executor = self.make_executor()
            waiting[executor.submit(job.execute, text)] = key
        return executor

    def collect_some(self, executor, waiting, jobs):
        """Record what is finished; returns the executor to go on with."""
        finished, _ = concurrent.futures.wait(
            waiting, return_when=concurrent.futures.FIRST_COMPLETED
        )
        for future in finished:
            key = waiting.pop(future)
            try:
                result = json.loads(future.result())
            except Exception as error:  # whatever a lost worker leads to; never the student's
                executor = self.again(executor, waiting, jobs, key, error)
                continue
            _, _, pending = jobs.pop(key)
            self.store.put(key, result)
            if self.options.force:
                self.fresh.add(key)
            for item in pending:
                self.record(key, result, item)
        return executor

    def again(self, executor, waiting, jobs, key, error):
        """Give a job out once more, or give it up after several tries."""
        entry = jobs[key]
        if entry[1] >= TRIES:
            del jobs[key]
            for student, _, _ in entry[2]:
                self.lose(student, error)
            return executor
        entry[1] += 1
        time.sleep(0.1 * entry[1])
        return self.submit(executor, waiting, key, entry[0])

    def lose(self, student, error):
        """Name a student of whom nothing could be recorded: the command can be called again."""
        self.lost.append(student)
        self.show({"student": student, "outcome": "not graded", "problem": repr(error)})

    def record(self, key, result, pending):
        """Write a result into the gradebook, the feedback and the records.

        If that fails for this submission alone, that is its outcome, for a person to look at.
        """
        try:
            self.write(key, result, pending)
        except (BookError, OSError, SQLAlchemyError) as error:  # the machine's, not the student's
            self.lose(pending[0], error)
        except Exception as error:
            self.refuse(pending[0], "not recorded", unforeseen(error))

    def write(self, key, result, pending):
        """What `record` does when nothing goes wrong."""
        student, cells, notes = pending
        notebook = executed_notebook(cells, self.skeleton, result["outputs"])
        self.book.record(student, result, notebook, notes)
        # So that nbgrader and formgrader can grade it again.
        submitted = self.root / "grading" / "submitted"
        write_one(cells, self.skeleton, submitted, student, self.assignment)
        if self.options.feedback:
            write_feedback(self.book, student)
        tests = result["tests"]
        failures = [test["failure"] for test in tests.values() if "failure" in test]
        record = {
            "student": student,
            "key": key,
            "score": sum(test["score"] for test in tests.values()),
            "max_score": self.skeleton.max_score,
            "outcome": result["outcome"],
            "flagged": "; ".join(result["flags"]),
            "seconds": round(result["seconds"], 2),
            "tests": {grade_id: test["score"] for grade_id, test in tests.items()},
            "diagnoses": sorted({f["diagnosis"] for f in failures if f.get("diagnosis")}),
            "notes": notes,
        }
        self.store.record(record)
        self.show(record)

    def refuse(self, student, outcome, reason):
        """Record what could not be graded: no points, with the reason."""
        reason = writable(reason)
        key = f"{outcome}-{hashlib.sha256(reason.encode()).hexdigest()[:24]}".replace(" ", "-")
        if self.done.get(student) == key:
            self.show(None)
            return
        try:
            self.book.record_unreadable(student, reason)
            if self.options.feedback:
                write_feedback(self.book, student)
        except Exception as error:
            self.lose(student, error)
            return
        record = {
            "student": student,
            "key": key,
            "score": 0.0,
            "max_score": self.skeleton.max_score,
            "outcome": outcome,
            "flagged": "" if outcome == "unreadable" else reason,
            "seconds": 0.0,
            "tests": {},
            "diagnoses": [],
            "notes": [reason],
        }
        self.store.record(record)
        self.show(record)

    def summary(self):
        """Counts over the whole batch, from the records on disk."""
        students = {submission.student for submission in self.submissions}
        shares, outcomes, failed, diagnoses, flagged = [0] * 11, Counter(), Counter(), Counter(), []
        for record in self.store.records():
            if record["student"] not in students:
                continue
            share = record["score"] / self.skeleton.auto_max if self.skeleton.auto_max else 0.0
            shares[min(10, int(10 * share))] += 1
            outcomes[record["outcome"]] += 1
            diagnoses.update(record["diagnoses"])
            failed.update(test for test, score in record["tests"].items() if not score)
            if record["flagged"]:
                flagged.append(record["student"])
        return {
            "shares": shares,
            "outcomes": outcomes,
            "failed": failed,
            "diagnoses": diagnoses,
            "flagged": flagged,
        }
