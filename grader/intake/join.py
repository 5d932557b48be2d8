"""Which student of the roster handed something in, by the names and numbers of its files."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grader.intake.roster import Student

SHORTEST_NUMBER = 4  # digits; "2" in a file's name is no student
SHORTEST_WORD = 5  # letters of a word within a file's name that is taken for a student
MOST_WORDS = 24  # of a file's name that are looked at


class Match(NamedTuple):
    """Who it may be: one student, several who cannot be told apart, or nobody.

    ``is_guess`` if the name is only a part of what the file is called.
    """

    students: tuple[Student, ...]
    is_guess: bool = False

    @property
    def student(self) -> Student | None:
        """The student, if there is only one."""
        return self.students[0] if len(self.students) == 1 else None


NOBODY = Match(())


class Finder:
    """Finds the students of a roster by what their files are called.

    Parameters
    ----------
    students : iterable of Student
    """

    def __init__(self, students: Iterable[Student]) -> None:
        self.students = tuple(students)
        # From what is sure to what is likely: a later level counts where the earlier say nothing.
        levels = (_sure, _by_name, _likely)
        self._levels = [
            _index((student, key) for student in self.students for key in keys(student))
            for keys in levels
        ]

    def find(self, names: Sequence[str], numbers: Sequence[str] = ()) -> Match:
        """Who is called so, or who has one of these names in the name of a file.

        Parameters
        ----------
        names : sequence of str
            The likeliest first.
        numbers : sequence of str
            By which the platform knows the student; they count before the names.
        """
        for number in numbers:
            found = self._levels[0].get(_exact(number))
            if found:
                return Match(found)
        several = NOBODY
        for level in self._levels:
            for name in names:
                if name.isdigit() and len(name) < SHORTEST_NUMBER:
                    continue
                plain = _squashed(name)
                keys = (_exact(name), plain, _without_accents(plain))
                found = next((level[key] for key in keys if key in level), ())
                if len(found) == 1:
                    return Match(found)
                several = several if several.students else Match(found)
        return several if several.students else self._within(names)

    def find_sure(self, text: str) -> Student | None:
        """The student who has this id, address, number or other name."""
        return Match(self._levels[0].get(_exact(text), ())).student

    def _within(self, names: Sequence[str]) -> Match:
        """Whose name stands within one of these: "hw1_kim_minsu_final"."""
        for name in names:
            found: dict[str, Student] = {}
            words = _words(name)[:MOST_WORDS]
            for first in range(len(words)):
                for last in range(first + 1, min(first + 6, len(words)) + 1):
                    word = "".join(words[first:last])
                    # "lee" in "lee-jiwoo" is not the student who is called lee.
                    is_short = word.isascii() and len(word) < SHORTEST_WORD
                    if last - first < 2 and (is_short or len(word) < 2):
                        continue
                    for level in self._levels:
                        found |= {student.id: student for student in level.get(word, ())}
            if found:
                return Match(tuple(found.values()), is_guess=True)
        return NOBODY


def _sure(student: Student) -> list[str]:
    texts = (student.id, student.email, student.lms_id, *student.also)
    return [key for text in texts if text for key in (_exact(text), _squashed(text))]


def _by_name(student: Student) -> list[str]:
    return list(orders(student.name))


def _likely(student: Student) -> list[str]:
    plain = [_without_accents(key) for key in orders(student.name)]
    return [*plain, _squashed(student.email.partition("@")[0])]


def orders(name: str) -> tuple[str, ...]:
    """A name without spaces and punctuation, with the family's name first and last."""
    parts = _words(name)
    turned = ["".join(parts[number:] + parts[:number]) for number in range(len(parts))]
    if len(parts) == 1 and "\uac00" <= parts[0][0] <= "\ud7a3":  # 김민수: the family's is the first
        turned.append(parts[0][1:] + parts[0][0])
    return tuple(dict.fromkeys(turned))


def _index(pairs: Iterable[tuple[Student, str]]) -> dict[str, tuple[Student, ...]]:
    found: dict[str, dict[str, Student]] = {}
    for student, key in pairs:
        if key:
            found.setdefault(key, {})[student.id] = student
    return {key: tuple(students.values()) for key, students in found.items()}


def _exact(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().strip()


def _words(text: str) -> list[str]:
    """The words and numbers of a text, without regard to capitals."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = (c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in plain)
    return "".join(kept).split()


def _squashed(text: str) -> str:
    return "".join(_words(text))


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    plain = "".join(letter for letter in parts if not "\u0300" <= letter <= "\u036f")
    return unicodedata.normalize("NFC", plain)
