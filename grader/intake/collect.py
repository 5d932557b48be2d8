"""Find the submissions in a folder or a zip, and whose they are.

Understood are plain files ``STUDENT.ipynb`` and nbgrader's ``STUDENT/ASSIGNMENT/NAME.ipynb``,
also without the middle folder and whatever the notebook itself is called, and what learning
platforms make: see `grader.intake.layouts`. Links are never followed, nothing but ordinary files is
read, and each entry ends in a line that says what became of it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from grader.intake.attempts import Attempt, Attempts, Which, is_candidate
from grader.intake.downloads import Parts, open_downloads
from grader.intake.entries import FORM, LEFT_BEHIND, TIME, Account, Entry, what_was_left
from grader.intake.files import Found, file_reader, in_folder, in_zip, open_zips
from grader.intake.join import Finder
from grader.intake.layouts import (
    SECRET,
    TIMESTAMP,
    Owner,
    common_folder,
    owner_of,
    stem_of,
    without_copies,
)
from grader.intake.names import distinct_names
from grader.intake.parse import DEFAULT
from grader.intake.platforms import METADATA, MOST_TEXT, Gradescope, is_form, writing_in_form
from grader.intake.roster import Student
from grader.intake.submission import Submission, why_not
from grader.intake.times import Times, times_of_zip
from grader.judging.policy import Limits
from grader.text import for_terminal, shortened
from grader.words import Note
from helpers.assignment.notebook_file import Unreadable

COLLECTED = ("archive", "extracted")
OTHERS = "belongs to another assignment"
UNPACKED = "a copy that nbgrader has unpacked: archive/ counts"
MOST_NAMES = 20  # on a line


class HandedIn(NamedTuple):
    """All that was handed in.

    Attributes
    ----------
    submissions : list of Submission
        By student, in alphabetical order.
    entries : list of Entry
        What became of the files that belong to no submission.
    strangers : list of str
        Students of the submissions who are not in the roster, if there is one.
    doubts : list of str
        What a person has to look at: what could be two attempts of one, and the like.
    """

    submissions: list[Submission]
    entries: list[Entry]
    strangers: list[str]
    doubts: list[str]

    def words(self) -> list[str]:
        """What a person should know of it, a line each, for the terminal."""
        lines = what_was_left(self.entries)
        if self.strangers:
            listed = ", ".join(shortened(self.strangers, MOST_NAMES))
            lines.append(f"not in the roster: {listed}")
        return [*lines, *map(for_terminal, self.doubts)]


def collect(
    path: str | Path,
    assignment: str,
    others: Collection[str] = (),
    roster: Sequence[Student] = (),
    which: Which = "last",
    limits: Limits = DEFAULT,
) -> HandedIn:
    """The submissions in a folder or zip, and what became of everything else in it.

    Parameters
    ----------
    path : path
    assignment : str
    others : collection of str
        The course's other assignments: what lies in a folder of such a name, below a student's, is
        left out, and so is a notebook of such a name.
    roster : sequence of Student
        With it, what is handed in is joined to its students, and one attempt of each counts.
        Without it a student is called like the file or folder.
    which : str
        "last" or "first": the attempt that counts.
    limits : Limits

    Raises
    ------
    Unreadable
        If the folder or the zip as a whole cannot be used.
    """
    return _Collection(assignment, others, roster, which).take_in(Path(path), limits)


class _Collection:
    """One call of `collect`."""

    def __init__(
        self, assignment: str, others: Collection[str], roster: Sequence[Student], which: Which
    ) -> None:
        self.assignment, self.others = assignment, set(others)
        self.finder = Finder(roster) if roster else None
        self.account = Account()
        self.downloads: list[Parts] = []  # zips in a folder
        self.gradescope = Gradescope()
        self.times = Times(self.account, self.gradescope)
        self.attempts = Attempts(which, self.times, self.account)

    def take_in(self, path: Path, limits: Limits) -> HandedIn:
        files, is_zip = _files_at(path, self.assignment)
        if not is_zip:
            files, self.downloads = open_downloads(path, files, self.assignment)
        files = open_zips(files, limits)
        for download in [()] if is_zip else self.downloads:
            inside = [file for file in files if _is_below(file.parts, download)]
            self.times.zip_times |= times_of_zip(inside)
        owned = self._owned(files)
        grouped: dict[str, list[tuple[Found, Owner]]] = {}
        known: set[str] = set()
        for file, owner in owned:
            students = self._students(owner, file)
            known.update(student.id for student in students)
            for key in [student.id for student in students] or [owner.key]:
                grouped.setdefault(key, []).append((file, owner))
        for key in [key for key in grouped if not self._is_somebodys(grouped[key], key in known)]:
            for file, _ in grouped.pop(key):
                self.account.leave(file.path, why_not(file))
        names = distinct_names(key for key in grouped if key not in known)
        made = []
        for key, group in grouped.items():
            name, notes = names.get(key, (key, []))
            made.append(self._submission(name, self.attempts.chosen(name, group), notes))
        made.sort(key=lambda submission: submission.student)
        strangers = sorted(name for name, _ in names.values())
        self._doubt_copies({raw: name for raw, (name, _) in names.items()})
        account = self.account
        return HandedIn(made, account.entries, strangers if self.finder else [], account.doubts)

    def _owned(self, files: list[Found]) -> list[tuple[Found, Owner]]:
        """The files that are somebody's, with what their paths say of whose."""
        kept = []
        has_archive = any(
            "archive" in file.parts[:-1][:2] and file.parts[0] not in self.others for file in files
        )
        for file in files:
            if file.name in (TIMESTAMP, SECRET):
                self.times.read_stamp(file)
                continue
            if file.name == METADATA:
                self.gradescope.read(file.read, MOST_TEXT * 256)
                self.account.leave(file.path, TIME)
                continue
            # What `nbgrader zip_collect` makes: ASSIGNMENT/archive, and the same again, unpacked.
            parts = file.parts
            place = next((n for n, part in enumerate(parts[:2]) if part in COLLECTED), None)
            if place is not None and len(parts) > place + 1:
                if parts[0] in self.others:
                    self.account.leave(file.path, OTHERS)
                    continue
                if parts[place] == "extracted" and has_archive:
                    self.account.leave(file.path, UNPACKED)
                    continue
                parts = parts[place + 1 :]
            download = next((top for top in self.downloads if _is_below(file.parts, top)), None)
            if download:
                parts = file.parts[len(download) :]
            owner = owner_of(parts, self.assignment)
            is_named = self._is_named_like_others(file, owner)
            # A platform gives out one assignment: there it is the student who took the wrong file.
            is_mistake = is_named and owner.platform not in ("", "nbgrader")
            if (is_named and not is_mistake) or self._is_in_others_folder(file):
                self.account.leave(file.path, OTHERS)
            elif file.problem == LEFT_BEHIND:
                self.account.leave(file.path, LEFT_BEHIND)
            else:
                problem = OTHERS if is_mistake else file.problem
                kept.append((replace(file, own_name=owner.file, problem=problem), owner))
        return kept

    def _is_named_like_others(self, file: Found, owner: Owner) -> bool:
        stem = stem_of(owner.file)
        return file.is_notebook and not self.others.isdisjoint({stem, without_copies(stem)})

    def _is_in_others_folder(self, file: Found) -> bool:
        return not self.others.isdisjoint(stem_of(part) for part in file.parts[1:-1])

    def _students(self, owner: Owner, file: Found) -> list[Student]:
        """The students of the roster whose a file is: several, if a group handed it in."""
        if self.finder is None:
            return []
        people = [(owner.names, [owner.number] if owner.number else [])]
        if owner.platform == "Gradescope":
            people = self.gradescope.people(owner.number) or people
        found = []
        for names, numbers in people:
            match = self.finder.find(names, numbers)
            if not match.students:
                match = self.finder.find(owner.further)
            if match.student:
                found.append(match.student)
                if match.is_guess:
                    self.account.doubt(
                        f"{file.path}: taken for {match.student.id}'s by a part of its name"
                    )
            elif match.students:
                several = " or ".join(student.id for student in match.students)
                self.account.doubt(
                    f"{file.path}: could be {several}, so it is nobody's of the roster"
                )
        return list(dict.fromkeys(found))

    def _is_somebodys(self, group: list[tuple[Found, Owner]], is_known: bool) -> bool:
        """Whether files are a submission: those of a student, or with a notebook among them.

        A folder without one is a student's if the layout says so. What lies at the top is nobody's
        then; but a student's folder that is a link is a submission, too: an unreadable one.
        """
        return is_known or any(
            is_candidate(file) or (owner.is_folder and len(file.parts) > 1) for file, owner in group
        )

    def _submission(self, student: str, attempt: Attempt, notes: list[str]) -> Submission:
        """One student's submission."""
        notes = list(notes)
        candidates, beside = [], []
        for file, owner in attempt.files:
            if is_candidate(file):
                candidates.append(file)
            elif owner.platform == "Blackboard" and is_form(file.read, MOST_TEXT):
                text = writing_in_form(file.read, MOST_TEXT)
                if text:
                    notes.append(
                        Note(
                            "written in Blackboard's form ({path}): {text}",
                            path=file.path,
                            text=text,
                        )
                    )
                self.account.leave(file.path, FORM, student)
            else:
                beside.append(file)
        is_late = any(owner.is_late for _, owner in attempt.files)
        if is_late and not attempt.time:
            notes.append(Note("marked as late by the learning platform"))
        problem = ""
        if not candidates:
            listed = ", ".join(f"{file.called} ({why_not(file)})" for file in beside[:5])
            more = f" and {len(beside) - 5} more" if len(beside) > 5 else ""
            problem = f"no notebook was handed in, but {listed or 'nothing else'}{more}"
        origin = ", ".join(file.path for file in (candidates or beside)[:3])
        return Submission(
            student,
            origin,
            tuple(candidates),
            tuple(beside),
            tuple(notes),
            attempt.time,
            is_late,
            self.times.stamps_of(attempt.files[0][0]),
            problem,
        )

    def _doubt_copies(self, strangers: Mapping[str, str]) -> None:
        """Name those who are called like another one but for what browsers add to a copy."""
        alike: dict[str, list[str]] = {}
        for raw, name in sorted(strangers.items()):
            alike.setdefault(without_copies(raw).casefold(), []).append(name)
        for names in alike.values():
            if len(names) > 1:
                self.account.doubt(f"{' and '.join(names)}: could be two attempts of one student")


def _is_below(parts: Parts, top: Parts) -> bool:
    return parts[: len(top)] == top


def _files_at(path: Path, assignment: str) -> tuple[list[Found], bool]:
    """The files of a batch, and whether it is a zip."""
    if path.is_dir():
        return in_folder(path), False
    if zipfile.is_zipfile(path):
        files = in_zip(path)
        if common_folder([file.parts for file in files if file.is_notebook], assignment):
            top = next(file.parts[0] for file in files if file.is_notebook)
            files = [
                replace(file, parts=file.parts[1:])
                for file in files
                if file.parts[0] == top and len(file.parts) > 1
            ]
        return files, True
    if path.suffix == ".ipynb" and path.is_file():
        return [Found((path.name,), file_reader(path))], False
    if not path.exists():
        raise Unreadable(f"there is nothing at {path}")
    raise Unreadable(f"{path} is neither a folder, nor a zip, nor a notebook")
