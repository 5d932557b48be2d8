"""Which of a student's attempts counts, where a platform keeps several."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from grader.intake.entries import Account
from grader.intake.files import Found
from grader.intake.layouts import Owner
from grader.intake.times import Times

Which = Literal["last", "first"]
"""Which of a student's attempts counts."""


@dataclass
class Attempt:
    """Files that were handed in together."""

    files: list[tuple[Found, Owner]]
    time: datetime | None = None

    @property
    def order(self) -> tuple[str, int]:
        """The platform, and a number that is larger for a later attempt there."""
        return self.files[0][1].platform, max(owner.order for _, owner in self.files)

    @property
    def path(self) -> str:
        """The notebook's, for messages."""
        found = next((file for file, _ in self.files if file.is_notebook), self.files[0][0])
        return found.path


class Attempts:
    """The choice among attempts.

    Parameters
    ----------
    which : str
        "last" or "first".
    times : Times
    account : Account
        Takes in what does not count.
    """

    def __init__(self, which: Which, times: Times, account: Account) -> None:
        self.which, self.times, self.account = which, times, account
        self.reason = f"another attempt: the {which} one counts"

    def chosen(self, student: str, group: list[tuple[Found, Owner]]) -> Attempt:
        """The attempt that counts; of the others a line says that they do not."""
        by_tag: dict[tuple[str, str], list[tuple[Found, Owner]]] = {}
        for file, owner in group:
            by_tag.setdefault(owner.attempt, []).append((file, owner))
        attempts = [Attempt(files, self.times.of(files)) for files in by_tag.values()]
        real = [a for a in attempts if any(is_candidate(file) for file, _ in a.files)]
        if len(real) > 1:
            real = [self._of_several(student, real)]
        # What is no attempt at the notebook, such as a text that was typed in, goes with it.
        others = [a for a in attempts if not any(is_candidate(file) for file, _ in a.files)]
        files = [pair for attempt in (*real, *others) for pair in attempt.files]
        return Attempt(self._newest(student, files), (real or others)[0].time)

    def _of_several(self, student: str, attempts: list[Attempt]) -> Attempt:
        """The attempt that counts, if their order is known; otherwise all of them together."""
        times = [attempt.time for attempt in attempts if attempt.time]
        orders = [attempt.order for attempt in attempts]
        if len(set(times)) == len(attempts):
            attempts = sorted(attempts, key=lambda attempt: attempt.time or datetime.min)
        elif len(set(orders)) == len(attempts) and len({platform for platform, _ in orders}) == 1:
            attempts = sorted(attempts, key=lambda attempt: attempt.order)
        else:
            paths = ", ".join(attempt.path for attempt in attempts)
            self.account.doubt(
                f"{student}: several attempts, and no telling which is later: {paths}"
            )
            return Attempt([pair for a in attempts for pair in a.files], max(times, default=None))
        chosen = attempts[-1 if self.which == "last" else 0]
        for attempt in attempts:
            if attempt is not chosen:
                for file, _ in attempt.files:
                    self.account.leave(file.path, self.reason, student)
        return chosen

    def _newest(self, student: str, files: list[tuple[Found, Owner]]) -> list[tuple[Found, Owner]]:
        """Without the notebooks that Canvas has, under the same name, of another upload."""
        sign = 1 if self.which == "last" else -1
        best: dict[str, int] = {}
        for file, owner in files:
            if owner.platform == "Canvas" and file.is_notebook:
                best[owner.file] = max(sign * owner.order, best.get(owner.file, -sys.maxsize))
        kept = []
        for file, owner in files:
            is_canvas = owner.platform == "Canvas" and file.is_notebook
            if is_canvas and sign * owner.order != best[owner.file]:
                self.account.leave(file.path, self.reason, student)
            else:
                kept.append((file, owner))
        return kept


def is_candidate(file: Found) -> bool:
    """Whether a file may be the notebook that was handed in."""
    return file.is_notebook or (file.is_link and len(file.parts) == 1)
