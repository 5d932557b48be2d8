"""The class as a learning platform lists it, made into a roster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from grader.intake.join import Finder
from grader.intake.names import clean_name
from grader.intake.roster import RosterError, Student, read_rows

# What platforms call their columns, in English, German, French, Spanish and Korean.
_HEADINGS = {
    "given": ("first name", "given name", "vorname", "prénom", "nombre", "이름"),
    "family": (
        *("last name", "surname", "family name", "nachname", "nom", "nom de famille"),
        *("apellido(s)", "apellidos", "성"),
    ),
    "name": (
        *("name", "full name", "student", "student name", "vollständiger name", "nom complet"),
        *("nombre completo", "전체 이름", "성명"),
    ),
    "email": (
        *("email", "e-mail", "email address", "e-mail-adresse", "adresse de courriel"),
        *("dirección de correo", "dirección email", "이메일", "이메일 주소"),
    ),
    "login": (
        *("username", "user name", "login id", "sis login id", "anmeldename"),
        *("nom d'utilisateur", "nombre de usuario", "사용자명", "사용자 아이디"),
    ),
    "number": (
        *("sid", "student id", "id number", "sis user id", "id-nummer", "matrikelnummer"),
        *("numéro d'identification", "número de id", "학번", "id 번호"),
    ),
    "canvas": ("id",),
    "participant": ("identifier", "id/teilnehmer/in", "identifiant", "identificador", "식별자"),
}
# Lines of Canvas' and Classroom's tables that are nobody.
_NO_NAMES = ("points possible", "student, test", "test student", "date", "points")


class Merged(NamedTuple):
    """A roster with a list taken in.

    Attributes
    ----------
    students : list of Student
    added, changed, absent : list of str
        The ids of those who are new, of whom something is new, and who are not in the list.
    """

    students: list[Student]
    added: list[str]
    changed: list[str]
    absent: list[str]


@dataclass(frozen=True)
class _Line:
    """What a list says of a student."""

    name: str
    email: str
    login: str
    lms_id: str
    also: tuple[str, ...]


def merge_list(path: str | Path, roster: Sequence[Student], taken: Iterable[str] = ()) -> Merged:
    """Take the class list of a learning platform into a roster.

    Read are the tables of marks or of people that Moodle, Canvas, Blackboard, Gradescope and Google
    Classroom give out, and any table whose columns have such headings. Who is in the roster keeps
    the id; nobody is taken out.

    Parameters
    ----------
    path : path
    roster : sequence of Student
    taken : iterable of str
        The students whom the gradebook has already: of one who is in the list, the id is this.

    Returns
    -------
    Merged

    Raises
    ------
    RosterError
        If it is no list of a class.
    """
    lines = _lines_of(Path(path))
    students = {student.id: student for student in roster}
    finder = Finder(roster)
    added, changed, seen = [], [], set()
    known = {clean_name(name).casefold(): name for name in taken}
    used = {student.id.casefold() for student in roster}
    for line in lines:
        student = _same(line, finder)
        if student is None:
            made = Student(_id_of(line, lines, known, used), line.name, line.email)
            added.append(made.id)
        else:
            made = students[student.id]
        seen.add(made.id)
        new = _with(made, line)
        if student is not None and new != made:
            changed.append(made.id)
        students[new.id] = new
        used.add(new.id.casefold())
    absent = [student.id for student in roster if student.id not in seen]
    return Merged(list(students.values()), added, changed, absent)


def _lines_of(path: Path) -> list[_Line]:
    columns, rows = read_rows(path)
    places: dict[str, str] = {}
    for column in columns:
        heading = " ".join(column.casefold().split())
        for field, headings in _HEADINGS.items():
            if heading in headings:
                places.setdefault(field, column)
    if "given" in places and "family" not in places and "name" not in places:
        places["name"] = places.pop("given")
    if not {"name", "family"} & set(places):
        raise RosterError(
            f"{path} has no column with names that is known. Its first line should have one of: "
            "Full name; Student; First name and Last name; Name. A table of your own needs the "
            "columns Name and Email."
        )
    lines = []
    for _, row in rows:
        line = _line({field: row[column] for field, column in places.items()})
        if line.name and line.name.casefold() not in _NO_NAMES:
            lines.append(line)
    if not lines:
        raise RosterError(f"{path} names no student.")
    return lines


def _line(row: Mapping[str, str]) -> _Line:
    email, login, number = (row.get(field, "") for field in ("email", "login", "number"))
    canvas = row.get("canvas", "")
    participant = row.get("participant", "")
    also = [number, login, "".join(filter(str.isdigit, participant))]
    # Blackboard's files have the user name, Canvas' the ID, Gradescope's the SID.
    lms_id = canvas or login or number
    also = [text for text in dict.fromkeys(also) if text and text != lms_id]
    name = row.get("name", "")
    if not name:
        name = _joined(row.get("given", ""), row.get("family", ""))
    elif canvas and name.count(",") == 1:
        family, given = name.split(",")
        name = _joined(given.strip(), family.strip())
    return _Line(name, email, login, lms_id, tuple(also))


def _joined(given: str, family: str) -> str:
    is_hangul = all("\uac00" <= letter <= "\ud7a3" for letter in given + family)
    return family + given if is_hangul else f"{given} {family}".strip()


def _same(line: _Line, finder: Finder) -> Student | None:
    """The student of the roster who stands in this line."""
    for known in (line.email, line.lms_id, *line.also):
        match = finder.find_sure(known) if known else None
        if match:
            return match
    match = finder.find([line.name]).student
    # Of two with one name, another address says that they are two.
    is_other = match and line.email and match.email and line.email != match.email
    return None if is_other or not match else match


def _with(student: Student, line: _Line) -> Student:
    """The student with what the line says."""
    lms_id = student.lms_id or line.lms_id
    numbers = (*student.also, line.lms_id, *line.also)
    also = tuple(
        text for text in dict.fromkeys(numbers) if text and text not in (lms_id, student.id)
    )
    return replace(student, email=student.email or line.email, lms_id=lms_id, also=also)


def _id_of(line: _Line, lines: Sequence[_Line], known: Mapping[str, str], used: set[str]) -> str:
    """An id for a student: that of the gradebook, the user name, or what stands before the @."""
    local = line.email.partition("@")[0]
    locals_ = [other.email.partition("@")[0].casefold() for other in lines]
    choice = [line.login, *([local] if locals_.count(local.casefold()) == 1 else []), line.email]
    choice = [clean_name(text) for text in (*choice, line.name) if text]
    for text in choice:
        if text.casefold() in known and text.casefold() not in used:
            return known[text.casefold()]
    for text in choice:
        if text.casefold() not in used:
            return text
    number = 2
    while f"{choice[-1]} {number}".casefold() in used:
        number += 1
    return f"{choice[-1]} {number}"
