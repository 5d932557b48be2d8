"""`nbgrader autograde` and formgrader's button, with students' code in the sandbox.

nbgrader_config.py puts `SandboxExecute` in the place of nbgrader's own Execute.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import Execute, LimitOutput
from traitlets import Dict

from grader.gradebook.graded import executed_notebook, finish
from grader.gradebook.master import enter, known_cells, master_notebook, open_gradebook
from grader.intake.beside import files_of
from grader.intake.collect import collect
from grader.intake.files import in_folder
from grader.intake.jobs import make_job
from grader.intake.rebuild import Skeleton, load_skeleton
from grader.intake.submission import Reading
from grader.judging import job
from grader.judging.dispatch import Dispatch, Here, JobLost
from grader.judging.policy import Limits, Policy
from grader.judging.seed import class_seed
from grader.outcomes import SENTENCES
from grader.records import Result
from grader.sandbox.bwrap import UNSAFE, NoSandbox, check_means, check_system
from grader.text import for_terminal
from grader.words import said
from helpers.assignment.notebook_file import Unreadable

WAY_AROUND = "COURSE_UNSAFE_NO_SANDBOX"
TIMEOUT = "CellTimeoutError"

Frame = tuple[Skeleton, dict[str, NotebookNode]]
"""An assignment's skeleton, and the cells that the gradebook knows."""


class SandboxExecute(Execute):
    """Rebuilds the submitted notebook, and executes it in the sandbox.

    What is executed is made from the file that was handed in and from the course's solutions/
    and assignments/; the notebook that nbgrader has sanitised is not used. Its traits are those
    of `Execute`; `timeout` is the time for a cell.
    """

    limits = Dict(
        help="Limits of `grader.judging.policy.Policy`, for instance {'total_seconds': 600}."
    ).tag(config=True)

    def __call__(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        if not self.enabled:
            raise ValueError(
                "--no-execute would read the marks from the outputs that the student saved: it is "
                "not possible here."
            )
        return super().__call__(nb, resources)

    def preprocess(
        self, nb: NotebookNode, resources: Any, *arguments: Any, **options: Any
    ) -> tuple[NotebookNode, Any]:
        """The notebook as executed; nbgrader reads the marks from its outputs.

        Raises
        ------
        NoSandbox
            If code cannot be locked in here, and the way around is not taken.
        Unreadable
            If the submitted file cannot be read.
        """
        place = resources["nbgrader"]
        assignment = place["assignment"]
        root = Path(self.config.CourseDirectory.get("root") or os.getcwd())
        skeleton, known = self._frame(root, assignment, place["db_url"])
        files, beside = files_of(assignment, root)
        reading = self._submitted(root, place, skeleton, {*files, *beside})
        cells, notes = skeleton.rebuild(reading.notebook)
        notes = reading.notes + notes
        policy, seed = self._policy(self._is_locked()), class_seed(root)
        language = skeleton.language_of(reading.notebook)
        texts = skeleton.files_in(language, files)
        data = make_job(assignment, cells, policy, seed, texts, beside, reading.files, language)
        result = self._execute(json.dumps(data), language)
        made = executed_notebook(cells, skeleton, result["outputs"], language)
        made = _node(made, known, result, notes, LimitOutput(parent=self))
        if result["flags"]:
            flags = for_terminal("; ".join(result["flags"]))
            self.log.warning("%s: look at this one: %s", for_terminal(place["student"]), flags)
            self._flag(place)
        return made, resources

    def _frame(self, root: Path, assignment: str, db_url: str) -> Frame:
        """The assignment's skeleton and its cells; the gradebook is brought up to date."""
        paths = [root / name / assignment for name in ("solutions", "assignments")]
        changed = tuple((path / f"{assignment}.ipynb").stat().st_mtime_ns for path in paths)
        key = (str(root), assignment, db_url, changed)
        if key not in _frames:
            skeleton = load_skeleton(assignment, root)
            master = master_notebook(skeleton.source, self.config)
            with open_gradebook(db_url, self.config) as gradebook:
                enter(gradebook, assignment, master, self.config)
            _frames.clear()
            _frames[key] = skeleton, known_cells(master)
        return _frames[key]

    def _submitted(
        self, root: Path, place: Mapping[str, str], skeleton: Skeleton, own: Collection[str]
    ) -> Reading:
        course = self.config.CourseDirectory
        folder = root / course.get("submitted_directory", "submitted")
        path = folder / place["student"] / place["assignment"] / f"{place['notebook']}.ipynb"
        if path.is_symlink():
            raise Unreadable(f"{path} is a link: links are not followed")
        (submission,) = collect(path, place["assignment"]).submissions
        beside = [file for file in in_folder(path.parent) if not file.is_notebook]
        submission = dataclasses.replace(submission, beside=tuple(beside))
        return submission.read(place["assignment"], skeleton.known, Limits(), skeleton.files, own)

    def _is_locked(self) -> bool:
        """Whether code runs in the sandbox; if it cannot, only whoever asked for it goes on."""
        if os.environ.get(WAY_AROUND) == "1":
            check_system()
            self.log.warning("%s=1. %s", WAY_AROUND, UNSAFE)
            return False
        try:
            _check_means()
        except NoSandbox as missing:
            raise NoSandbox(f"{missing}\n({WAY_AROUND}=1 grades without one. {UNSAFE})") from None
        return True

    def _policy(self, locked: bool) -> Policy:
        limits = {**self.limits, "locked": locked}
        if self.timeout is not None and self.timeout > 0:
            limits.setdefault("cell_seconds", float(self.timeout))
        return Policy(**limits)

    def _execute(self, text: str, language: str) -> Result:
        """The job's result; one that is lost with its server is run again."""
        dispatch = Dispatch(job.execute, Here, width=1, is_to_repeat=job.was_hindered)
        ((_, came),) = dispatch.run([("the only one", text)])
        if isinstance(came, JobLost):
            raise came
        result: Result = json.loads(came)
        for shown, _ in result["outputs"]:
            for output in shown:
                if output.get("evalue") == said(SENTENCES["cell timeout"].in_cell, language):
                    # The name that nbgrader's own Execute gives it.
                    output["ename"] = TIMEOUT
                    output["traceback"] = [f"{TIMEOUT}: {output['evalue']}"]
        return result

    def _flag(self, place: Mapping[str, str]) -> None:
        with Gradebook(place["db_url"]) as gradebook:
            names = (place["notebook"], place["assignment"], place["student"])
            gradebook.find_submission_notebook(*names).flagged = True
            gradebook.db.commit()


_frames: dict[tuple[Any, ...], Frame] = {}


@functools.cache
def _check_means() -> None:
    check_means()


def _node(made: dict[str, Any], known: dict[str, NotebookNode], *result: Any) -> NotebookNode:
    return nbformat.from_dict(finish(made, known, *result))
