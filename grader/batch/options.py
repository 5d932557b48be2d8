"""How a batch is graded."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from grader.intake.attempts import Which
from grader.judging.policy import Limits, Policy


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
    which : str
        Which attempt of a student counts, "last" or "first"; only with a roster.
    only : collection of str
        The students to grade; all if it is empty.
    test : str
        The one test to grade again: all else stays as it was recorded. Empty for all.
    """

    workers: int = 1
    policy: Policy = dataclasses.field(default_factory=Policy)
    limits: Limits = dataclasses.field(default_factory=Limits)
    force: bool = False
    feedback: bool = True
    which: Which = "last"
    only: Collection[str] = ()
    test: str = ""
