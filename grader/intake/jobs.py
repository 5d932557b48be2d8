"""A job from a submission: the same one from `make grade` and from `nbgrader autograde`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from grader.cells import Cell
from grader.judging.policy import Policy
from grader.records import Job
from helpers.language import ENGLISH


def make_job(
    assignment: str,
    cells: Sequence[Cell],
    policy: Policy,
    class_seed: str,
    files: Mapping[str, str],
    beside: Mapping[str, str],
    handed_in: Mapping[str, str],
    language: str = ENGLISH,
) -> Job:
    """What `grader.judging.job.execute` is to do.

    Parameters
    ----------
    assignment : str
    cells : list of Cell
        As of `Skeleton.rebuild`.
    policy : Policy
    class_seed : str
        As of `grader.judging.seed.class_seed`.
    files, beside : dict of str to str
        The assignment's own, as of `grader.intake.beside.files_of`.
    handed_in : dict of str to str
        The student's, in base64, by name.
    language : str
        In which the student is answered.

    Returns
    -------
    Job
        Its seed is a digest of all the rest: the same submission draws the same numbers.
    """
    job: Job = {
        "assignment": assignment,
        "language": language,
        "cells": [cell.for_job() for cell in cells],
        "policy": policy.to_dict(),
        "class_seed": class_seed,
        "files": dict(files),
        "beside": dict(beside),
        "handed_in": dict(handed_in),
        "seed": "",
    }
    text = json.dumps(job, sort_keys=True)
    job["seed"] = hashlib.sha256(text.encode()).hexdigest()[:40]
    return job
