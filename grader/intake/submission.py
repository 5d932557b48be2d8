"""One student's submission: which of its notebooks counts, and what was read of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import nbformat

from grader.intake.beside import handed_in_beside
from grader.intake.entries import BESIDE, COUNTS, Entry, kind_of_file
from grader.intake.files import Found
from grader.intake.layouts import TIMESTAMP, stem_of, without_copies
from grader.intake.parse import DEFAULT, ids_of, parse
from grader.judging.policy import Limits
from grader.words import Note
from helpers.assignment.notebook_file import Unreadable

Parse = Callable[[bytes, Limits], tuple[dict[str, Any], list[str]]]

OF_SEVERAL = "counts, of several:"


class Reading(NamedTuple):
    """What was read of a submission.

    Attributes
    ----------
    notebook : notebook
        As of `grader.intake.parse.parse`.
    notes : list of str
        What was unusual about it.
    files : dict of str to str
        What was handed in beside it and is to be there when it runs: base64 by name.
    entries : list of Entry
        What became of each of its files.
    """

    notebook: Any
    notes: list[str]
    files: dict[str, str]
    entries: list[Entry]


@dataclass(frozen=True)
class Submission:
    """One student's notebook, not read yet.

    Attributes
    ----------
    student : str
        The student's name in the gradebook.
    origin : str
        Where it was found, for messages.
    candidates : tuple of Found
        The notebooks that it could be.
    beside : tuple of Found
        The other files of the student's folder.
    notes : tuple of str
        What is unusual about the name, and the like.
    time : datetime or None
        When it was handed in, in UTC, without a time zone.
    is_late : bool
        Whether a learning platform says that it was late, which does not say how late.
    exchange : dict of str to str
        What nbgrader's exchange has written about it, by the names of its files.
    problem : str
        Why there is nothing to be read.
    """

    student: str
    origin: str
    candidates: tuple[Found, ...] = field(repr=False)
    beside: tuple[Found, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    time: datetime | None = None
    is_late: bool = False
    exchange: Mapping[str, str] = field(default_factory=dict, repr=False)
    problem: str = ""

    def read(
        self,
        assignment: str,
        grade_ids: Collection[str] = (),
        limits: Limits = DEFAULT,
        patterns: Collection[str] = (),
        own: Collection[str] = (),
        parse: Parse = parse,
        is_untouched: Callable[[Any], bool] = lambda notebook: False,
    ) -> Reading:
        """The notebook, and what belongs to it.

        Parameters
        ----------
        assignment : str
            The name that the notebook should have; any name does if it is the only notebook.
        grade_ids : collection of str
            The ids of the assignment's cells, by which a renamed notebook is known among several.
        limits : Limits
        patterns : collection of str
            Names of files that may be handed in besides; see `grader.intake.beside`.
        own : collection of str
            Names of the assignment's own files.
        parse : callable
            What reads the bytes of a notebook, as `grader.intake.parse.parse` does: here, or in a
            process whose memory and time are limited.
        is_untouched : callable
            Whether nothing is answered in a notebook, as that of the course's other language:
            among several it does not count.

        Raises
        ------
        Unreadable
        """
        if self.problem:
            raise Unreadable(self.problem)
        notes = list(self.notes)
        alike = partial(
            self._most_alike,
            grade_ids=set(grade_ids),
            limits=limits,
            parse=parse,
            is_untouched=is_untouched,
        )
        chosen = self._chosen(assignment, alike)
        others = [candidate for candidate in self.candidates if candidate is not chosen]
        if others:
            more = f" and {len(others) - 3} more" if len(others) > 3 else ""
            paths = ", ".join(other.path for other in others[:3])
            notes.append(
                Note("{path} counts, of several: {paths}", path=chosen.path, paths=paths + more)
            )
        notebook, unusual = parse(chosen.read(limits.file_bytes), limits)
        files, left, why_not = handed_in_beside(self.beside, patterns, own, limits)
        entries = [self.entry(chosen, COUNTS, is_taken=True)]
        reason = f"another notebook of the student's: {chosen.path} counts"
        entries += [self.entry(other, reason) for other in others]
        for file in self.beside:
            is_there = file.path not in why_not
            entries.append(self.entry(file, why_not.get(file.path, BESIDE), is_there))
        made = nbformat.from_dict(notebook)
        return Reading(made, [*notes, *unusual, *left], files, entries)

    def entry(self, file: Found, reason: str, is_taken: bool = False) -> Entry:
        """A line about one of its files."""
        return Entry(file.path, self.student, is_taken, reason, self.time)

    def exchange_files(self) -> dict[str, str]:
        """What nbgrader looks for beside a notebook: its files' texts by name."""
        if TIMESTAMP in self.exchange or not self.time:
            return dict(self.exchange)
        return {**self.exchange, TIMESTAMP: f"{self.time:%Y-%m-%d %H:%M:%S} UTC"}

    def refused(self, reason: str) -> list[Entry]:
        """The lines about its files, if it cannot be graded."""
        lines = [self.entry(file, reason) for file in self.candidates]
        return [*lines, *(self.entry(file, why_not(file)) for file in self.beside)]

    def _chosen(self, assignment: str, alike: Callable[[tuple[Found, ...]], Found]) -> Found:
        """The notebook that counts: the one with the assignment's name, or the most alike."""
        stems = [(stem_of(candidate.called), candidate) for candidate in self.candidates]
        named = [candidate for stem, candidate in stems if stem == assignment]
        named = named or [c for stem, c in stems if without_copies(stem) == assignment]
        choice = tuple(named) or self.candidates
        return choice[0] if len(choice) == 1 else alike(choice)

    def _most_alike(
        self,
        choice: tuple[Found, ...],
        grade_ids: set[str],
        limits: Limits,
        parse: Parse,
        is_untouched: Callable[[Any], bool],
    ) -> Found:
        if len(choice) > limits.candidates:
            raise Unreadable(f"more than {limits.candidates} notebooks, and none has the name")
        found: list[tuple[int, Any]] = []
        notebooks: list[Any] = []
        for candidate in choice:
            try:
                notebook, _ = parse(candidate.read(limits.file_bytes), limits)
            except Unreadable:
                found.append((0, candidate))
                notebooks.append(None)
                continue
            score = len(set(ids_of(notebook)) & grade_ids)
            found.append((score, [(c["cell_type"], c["source"]) for c in notebook["cells"]]))
            notebooks.append(notebook)
        best = max(score for score, _ in found)
        alike = [number for number, (score, _) in enumerate(found) if score == best]
        if any(found[number][1] != found[alike[0]][1] for number in alike):
            worked = [n for n in alike if notebooks[n] and not is_untouched(notebooks[n])]
            alike = worked or alike
        # The same notebook twice, in a zip and beside it for instance, is one.
        if any(found[number][1] != found[alike[0]][1] for number in alike):
            names = ", ".join(candidate.path for candidate in choice[:5])
            raise Unreadable(f"several notebooks, and no telling which is meant: {names}")
        return choice[alike[0]]


def why_not(file: Found) -> str:
    """Why a file is no submission."""
    return file.problem or kind_of_file(file.called)
