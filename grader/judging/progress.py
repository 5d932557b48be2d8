"""How far a submission is: what one judge leaves to the next if it is ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from grader.outcomes import Outcome
from grader.records import Output, TestResult


class Step(TypedDict, total=False):
    """What one step of the way came to.

    For the cell number ``cell``: its ``outputs`` and ``count``, its ``test``, whether it ``ran`` in
    the child, so that a new child has to run it again, and whether its hidden tests are still to be
    asked (``is_deferred``). ``totals`` are those of `Progress` that may have changed.
    """

    cell: int
    outputs: list[Output]
    count: int | None
    test: TestResult
    ran: bool
    is_deferred: bool
    totals: dict[str, Any]


@dataclass
class Progress:
    """All that is known about a submission so far.

    Attributes
    ----------
    outputs : list of (list of Output, int or None)
        By cell.
    tests : dict of str to TestResult
        By grade id.
    ran : list of int
        Cells that worked.
    deferred : list of int
        Test cells whose visible part has passed, and whose hidden part comes last.
    steps : int
        How many are done: one for each cell, one for the controls, one for each deferred cell.
    outcome, flags, contended
        See `grader.records.Result`.
    seconds : float
        Of the total limit, spent so far.
    cpu : float
        Processor time of the children that have ended.
    shown : int
        Bytes of outputs.
    restarts : int
        How many children there were.
    """

    outputs: list[tuple[list[Output], int | None]]
    tests: dict[str, TestResult] = field(default_factory=dict)
    ran: list[int] = field(default_factory=list)
    deferred: list[int] = field(default_factory=list)
    steps: int = 0
    outcome: Outcome = "graded"
    flags: list[str] = field(default_factory=list)
    contended: bool = False
    seconds: float = 0.0
    cpu: float = 0.0
    shown: int = 0
    restarts: int = 0

    def totals(self) -> dict[str, Any]:
        """What changes from step to step."""
        names = ("outcome", "flags", "contended", "seconds", "cpu", "shown", "restarts")
        return {name: getattr(self, name) for name in names}

    def note(self, outcome: Outcome) -> Outcome:
        """Remember the first thing that went wrong; returns what went wrong now."""
        if self.outcome == "graded":
            self.outcome = outcome
        return outcome

    def apply(self, step: Step, cells: Sequence[Mapping[str, Any]]) -> None:
        """Take in a step that is done."""
        self.steps += 1
        number = step.get("cell")
        if number is not None:
            if "outputs" in step:
                self.outputs[number] = step["outputs"], step.get("count")
            if "test" in step:
                self.tests[cells[number]["grade_id"]] = step["test"]
            if step.get("ran"):
                self.ran.append(number)
            if step.get("is_deferred"):
                self.deferred.append(number)
        self.set_totals(step.get("totals", {}))

    def set_totals(self, totals: Mapping[str, Any]) -> None:
        """Take in what another process has counted."""
        for name, value in totals.items():
            setattr(self, name, value)
