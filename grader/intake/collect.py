"""Find the submissions in a folder or a zip, and read them without trusting them.

Understood are plain files ``STUDENT.ipynb`` and nbgrader's ``STUDENT/ASSIGNMENT/NAME.ipynb``,
also without the middle folder and whatever the notebook itself is called. Links are never
followed, nothing but ordinary files is read, and what cannot be read is reported with the reason
and stops nothing.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import nbformat

from grader.intake.beside import handed_in_beside
from grader.intake.files import Found, file_reader, in_folder, in_zip
from grader.intake.layouts import common_folder, student_of
from grader.intake.names import distinct_names
from grader.intake.parse import DEFAULT, ids_of, parse
from grader.judging.policy import Limits
from grader.text import for_terminal
from helpers.assignment.notebook_file import Unreadable

Parse = Callable[[bytes, Limits], tuple[dict[str, Any], list[str]]]


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
    """

    notebook: Any
    notes: list[str]
    files: dict[str, str]


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
        What is unusual about the name.
    """

    student: str
    origin: str
    candidates: tuple[Found, ...] = field(repr=False)
    beside: tuple[Found, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()

    def read(
        self,
        assignment: str,
        grade_ids: Collection[str] = (),
        limits: Limits = DEFAULT,
        patterns: Collection[str] = (),
        own: Collection[str] = (),
        parse: Parse = parse,
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

        Raises
        ------
        Unreadable
        """
        notes = list(self.notes)
        choice = self.candidates
        named = tuple(c for c in choice if PurePosixPath(c.name).stem == assignment)
        if len(named) == 1:
            choice = named
        if len(choice) > 1:
            choice = (self._most_alike(named or choice, set(grade_ids), limits, parse),)
        if len(self.candidates) > 1:
            others = [c.path for c in self.candidates if c is not choice[0]]
            more = f" and {len(others) - 3} more" if len(others) > 3 else ""
            notes.append(f"{choice[0].path} counts, of several: {', '.join(others[:3])}{more}")
        notebook, unusual = parse(choice[0].read(limits.file_bytes), limits)
        files, left = handed_in_beside(self.beside, patterns, own, limits)
        return Reading(nbformat.from_dict(notebook), [*notes, *unusual, *left], files)

    def _most_alike(
        self, choice: tuple[Found, ...], grade_ids: set[str], limits: Limits, parse: Parse
    ) -> Found:
        if len(choice) > limits.candidates:
            raise Unreadable(f"more than {limits.candidates} notebooks, and none has the name")
        scores = []
        for candidate in choice:
            try:
                notebook, _ = parse(candidate.read(limits.file_bytes), limits)
                found = set(ids_of(notebook))
            except Unreadable:
                found = set()
            scores.append(len(found & grade_ids))
        best = max(scores)
        if scores.count(best) > 1:
            names = ", ".join(candidate.path for candidate in choice[:5])
            raise Unreadable(f"several notebooks, and no telling which is meant: {names}")
        return choice[scores.index(best)]


def collect(
    path: str | Path,
    assignment: str,
    others: Collection[str] = (),
    show: Callable[[str], object] = lambda line: None,
) -> list[Submission]:
    """The submissions in a folder or zip, by student, in alphabetical order.

    Parameters
    ----------
    path : path
    assignment : str
    others : collection of str
        The course's other assignments: what lies in a folder of such a name, below a student's, is
        left out, and so is a notebook of such a name.
    show : callable
        Called with a line that names what was left out.

    Returns
    -------
    list of Submission

    Raises
    ------
    Unreadable
        If the folder or the zip as a whole cannot be used.
    """
    path = Path(path)
    if path.is_dir():
        files = in_folder(path)
    elif zipfile.is_zipfile(path):
        files = in_zip(path)
        if common_folder([file.parts for file in files if file.is_notebook], assignment):
            top = next(file.parts[0] for file in files if file.is_notebook)
            files = [
                Found(file.parts[1:], file.read)
                for file in files
                if file.parts[0] == top and len(file.parts) > 1
            ]
    elif path.suffix == ".ipynb" and path.is_file():
        files = [Found((path.name,), file_reader(path))]
    elif not path.exists():
        raise Unreadable(f"there is nothing at {path}")
    else:
        raise Unreadable(f"{path} is neither a folder, nor a zip, nor a notebook")
    grouped: dict[str, list[Found]] = {}
    left_out = []
    for file in files:
        if _belongs_to(file, set(others)):
            left_out.append(file.path)
            continue
        # What lies at the top and is no notebook belongs to nobody; but a student's folder that is
        # a link is a submission, too: an unreadable one.
        if file.is_notebook or file.is_link or len(file.parts) > 1:
            grouped.setdefault(student_of(file.parts, assignment), []).append(file)
    grouped = {raw: found for raw, found in grouped.items() if any(map(_is_submission, found))}
    if left_out:
        more = f" and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        paths = ", ".join(sorted(left_out)[:3])
        show(f"left out, as they belong to other assignments: {for_terminal(paths)}{more}")
    names = distinct_names(grouped)
    made = []
    for raw, found in grouped.items():
        notebooks = tuple(file for file in found if _is_submission(file))
        beside = tuple(file for file in found if not _is_submission(file))
        name, notes = names[raw]
        origin = ", ".join(file.path for file in notebooks[:3])
        made.append(Submission(name, origin, notebooks, beside, tuple(notes)))
    return sorted(made, key=lambda submission: submission.student)


def _belongs_to(file: Found, others: set[str]) -> bool:
    """Whether a file is one of these assignments', by its folder's name or its own."""
    is_named = file.is_notebook and PurePosixPath(file.name).stem in others
    return is_named or not others.isdisjoint(file.parts[1:-1])


def _is_submission(file: Found) -> bool:
    return file.is_notebook or (file.is_link and len(file.parts) == 1)
