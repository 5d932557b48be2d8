"""Counts over a batch."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

from grader.records import Record


@dataclasses.dataclass
class Summary:
    """Counts over a batch.

    Attributes
    ----------
    shares : list of int
        How many have 0 to 9 % of the points that tests give, 10 to 19 % and so on, at last 100 %.
    outcomes, failed, diagnoses : Counter
        How often each outcome, each failed test and each known mistake occurred.
    flagged : list of str
        Students whose notebooks a person has to look at.
    """

    shares: list[int] = dataclasses.field(default_factory=lambda: [0] * 11)
    outcomes: Counter[str] = dataclasses.field(default_factory=Counter)
    failed: Counter[str] = dataclasses.field(default_factory=Counter)
    diagnoses: Counter[str] = dataclasses.field(default_factory=Counter)
    flagged: list[str] = dataclasses.field(default_factory=list)


def summarise(records: Iterable[Record], auto_max: float) -> Summary:
    """Counts over records.

    Parameters
    ----------
    records : iterable of Record
    auto_max : float
        The points that tests give.
    """
    found = Summary()
    for record in records:
        share = record["score"] / auto_max if auto_max else 0.0
        found.shares[min(10, int(10 * share))] += 1
        found.outcomes[record["outcome"]] += 1
        found.diagnoses.update(record["diagnoses"])
        found.failed.update(test for test, score in record["tests"].items() if not score)
        if record["flagged"]:
            found.flagged.append(record["student"])
    return found
