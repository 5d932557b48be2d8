"""A made-up class of sixty: what each hands in, on which platform, and what it is worth.

The assignment is a small one, so that all of it is graded for real in seconds. It is called like
one of the course, so that the commands of the guide can be typed as they stand there.
"""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

import nbformat
from nbformat.v4 import new_notebook

from tests.support.small_class import cell

NAME, OTHER = "01-convolution-by-hand", "02-stride-and-padding"
POINTS = {"correlate2d_values": 2, "double_inputs": 1, "total_parts": 2, "why": 3}
TESTS = tuple(POINTS)[:-1]
PARTS = {"double": ("correlate2d_values", "double_inputs"), "total": ("total_parts",)}
RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "total": "def total(numbers):\n    result = 0\n    for number in numbers:\n"
    "        result = result + number\n    return result",
}
VALUES = """\
# Every number is doubled.
check("double", np.array([1, 2, 3])).gives([2, 4, 6])
### BEGIN HIDDEN TESTS
x = check.hidden.rng(1).integers(3, 90, 5)
check.hidden("double", x).gives(2 * x)
### END HIDDEN TESTS"""
INPUTS = '# The numbers stay as they were.\ncheck("double", np.array([4, 5])).keeps_inputs()'
PARTLY = """\
# One point for a sum, and one for no numbers at all.
points = 0
if total([1, 2, 4]) == 7:
    points = points + 1
if total([]) == 0:
    points = points + 1
points"""


def source(name=NAME):
    """Two functions with tests, one of which gives points in part, and a question for a person."""
    answer = {"solution": True, "locked": False}
    setup = (
        "import numpy as np\n\nfrom helpers.assignment import Checker\n\n"
        f'check = Checker("{name}", seconds=1)'
    )
    solved = {task: f"### BEGIN SOLUTION\n{text}\n### END SOLUTION" for task, text in RIGHT.items()}
    cells = [
        cell("markdown", f"# {name}", "title"),
        cell("code", setup, "setup"),
        cell("markdown", "## Task 1: double", "task_1"),
        cell("code", solved["double"], "double", **answer),
        cell("code", VALUES, "correlate2d_values", 2, grade=True),
        cell("code", INPUTS, "double_inputs", 1, grade=True),
        cell("markdown", "## Task 2: total", "task_2"),
        cell("code", solved["total"], "total", **answer),
        cell("code", PARTLY, "total_parts", 2, grade=True),
        cell("markdown", "Why is the sum of no numbers 0?", "why", 3, grade=True, **answer),
    ]
    if name != NAME:
        for one in cells:
            one.id = one.metadata.nbgrader["grade_id"] = f"more_{one.id}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "course": {"files": ["mine.py"]}}
    return new_notebook(cells=cells, metadata=about)


# --- what students do ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """What is handed in, and what it is worth.

    Attributes
    ----------
    make : callable
        From the student version and a student's name, the notebook's bytes; None if there is none.
    scores : dict of str to float
        The points of the tests that do not give all.
    outcome : str
    is_open : bool
        Whether a person has to mark the written answer.
    says : str
        What stands in the student's notes.
    beside : dict of str to bytes
        Other files of the student's.
    file : str
        What the notebook is called.
    """

    make: object = None
    scores: dict = None
    outcome: str = "graded"
    is_open: bool = True
    says: str = ""
    beside: dict = None
    file: str = f"{NAME}.ipynb"

    @property
    def score(self):
        if self.outcome != "graded":
            return 0
        return sum((self.scores or {}).get(test, POINTS[test]) for test in TESTS)


def answered(released, student, **answers):
    """The student version with these answers; all others are right, and the student's own."""
    made = nbformat.from_dict(json.loads(json.dumps(released)))
    why = f"{student}: nothing is added, so nothing comes out."
    texts = {**RIGHT, "why": why, **answers}
    for one in made.cells:
        one.source = texts.get(one.id, one.source)
    return made


def to_bytes(notebook):
    return nbformat.writes(notebook).encode()


def with_answers(**answers):
    return lambda released, student: to_bytes(answered(released, student, **answers))


def changed(change, **answers):
    """The same, and then this is done to the notebook; it may give bytes."""

    def make(released, student):
        notebook = answered(released, student, **answers)
        result = change(notebook)
        return result if isinstance(result, bytes) else to_bytes(notebook)

    return make


def find(notebook, grade_id):
    return next(one for one in notebook.cells if one.id == grade_id)


def into_markdown(notebook):
    """One press of "m" on an answer."""
    place = notebook.cells.index(find(notebook, "double"))
    old = notebook.cells[place]
    notebook.cells[place] = nbformat.v4.new_markdown_cell(old.source, metadata=old.metadata)


def without_metadata(notebook):
    """As Colab and other editors save it."""
    notebook.metadata = {}
    for one in notebook.cells:
        one.metadata = {}


def copy_of_answer(notebook):
    place = notebook.cells.index(find(notebook, "total"))
    notebook.cells.insert(place, nbformat.from_dict(dict(notebook.cells[place])))


def without_tests(notebook):
    notebook.cells = [one for one in notebook.cells if one.id not in TESTS]


def changed_tests(notebook):
    for test in TESTS:
        find(notebook, test).source = "100"


def in_one_cell(notebook):
    """Two answers in the first cell, and the other deleted."""
    find(notebook, "double").source += f"\n\n\n{RIGHT['total']}"
    notebook.cells.remove(find(notebook, "total"))


def in_a_locked_cell(notebook):
    find(notebook, "task_1").source += "\n\nMy way: I add the number to itself."


def in_latin_1(notebook):
    find(notebook, "double").source += "  # doublé"
    return nbformat.writes(notebook).replace("\\u00e9", "é").encode("latin-1")


def in_conflict(notebook):
    text = nbformat.writes(notebook)
    return f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> theirs\n".encode()


def of_another(notebook):
    """The other assignment's, which asks for functions of the same names."""
    for one in notebook.cells:
        one.metadata.nbgrader["grade_id"] = one.id = f"more_{one.id}"


def as_zip(files, dates=None):
    """A zip of {path: bytes}, with dates by path."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (dates or {}).get(name, (2026, 11, 29, 10, 0, 0)))
            archive.writestr(entry, content)
    return made.getvalue()


SQUARED = {"double": "def double(x):\n    return x * x"}
LOST = {"correlate2d_values": 0}
HTML = "<script>document.title = 'x'</script> It is **empty**."
WORKS = {
    "right": Work(with_answers()),
    "wrong": Work(with_answers(**SQUARED), LOST),
    "partly": Work(
        with_answers(total="def total(numbers):\n    return numbers[0] + sum(numbers[1:])"),
        {"total_parts": 0},
    ),
    "half": Work(
        with_answers(total="def total(numbers):\n    return sum(numbers) if numbers else None"),
        {"total_parts": 1},
    ),
    "changes its input": Work(
        with_answers(double="def double(x):\n    x *= 2\n    return x"), {"double_inputs": 0}
    ),
    "endless": Work(
        with_answers(double="def double(x):\n    while True:\n        pass"),
        {"correlate2d_values": 0, "double_inputs": 0},
    ),
    "an error in a cell": Work(
        with_answers(total="def total(numbers)\n    return 0"), {"total_parts": 0}
    ),
    "untouched": Work(
        lambda released, student: to_bytes(released),
        dict.fromkeys(TESTS, 0),
        is_open=False,
        says="nothing is answered",
    ),
    "not written": Work(with_answers(why="*Write your answer here.*"), is_open=False, says=""),
    "a script in the answer": Work(with_answers(why=HTML)),
    "the same as another": Work(
        with_answers(double="def double(x):\n    return x + x", why="An empty sum is 0.")
    ),
    "an answer as text": Work(changed(into_markdown), says="double"),
    "no metadata": Work(changed(without_metadata), says="why"),
    "a copied cell": Work(changed(copy_of_answer), says="2 copies"),
    "tests deleted": Work(changed(without_tests, **SQUARED), LOST, says="put back"),
    "tests changed": Work(changed(changed_tests, **SQUARED), LOST, says="correlate2d_values"),
    "two answers in one cell": Work(changed(in_one_cell), says="total"),
    "in a locked cell": Work(changed(in_a_locked_cell), says="task_1"),
    "latin-1": Work(changed(in_latin_1), says="UTF-8"),
    "renamed": Work(with_answers(), file="my work, final (2).ipynb"),
    "a helper": Work(
        with_answers(double="from mine import double"),
        beside={"mine.py": b"def double(x):\n    return 2 * x\n"},
    ),
    "a helper that is not asked for": Work(
        with_answers(double="from other import double"),
        {"correlate2d_values": 0, "double_inputs": 0},
        says="other.py",
        beside={"other.py": b"def double(x):\n    return 2 * x\n", "notes.pdf": b"%PDF"},
    ),
    "cut off": Work(
        lambda released, student: to_bytes(answered(released, student))[:900],
        outcome="unreadable",
        is_open=False,
    ),
    "conflict": Work(changed(in_conflict), outcome="unreadable", is_open=False, says="conflict"),
    "another assignment": Work(
        changed(of_another), outcome="unreadable", is_open=False, says=f"a notebook of {OTHER}"
    ),
    "a PDF": Work(outcome="unreadable", is_open=False, beside={"report.pdf": b"%PDF"}, says="PDF"),
    "a script": Work(
        outcome="unreadable", is_open=False, beside={"work.py": b"x = 1"}, says="Python script"
    ),
    "an empty zip": Work(
        outcome="unreadable", is_open=False, beside={"work.zip": as_zip({})}, says="empty zip"
    ),
    "a broken zip": Work(
        outcome="unreadable",
        is_open=False,
        beside={"work.zip": b"PK\x03\x04 cut"},
        says="damaged zip",
    ),
    "a zip in a zip": Work(with_answers(), file="abgabe.zip"),
    "nothing": Work(),
}


# --- the class ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A student: as in the class list, on which platform, and with which work."""

    number: int
    name: str
    platform: str
    does: str

    @property
    def id(self):
        return "kim" if self.number == 0 else f"s{self.number:02}"

    @property
    def email(self):
        return f"{self.id}@example.edu"

    @property
    def lms_id(self):
        return str(70_000 + self.number)

    @property
    def work(self):
        return WORKS[self.does]


_CLASS = {
    "moodle": [
        ("김민수", "right"),
        ("김민수", "wrong"),  # two of one name, told apart by Moodle's numbers
        ("Müller, Änne", "no metadata"),
        ("Zoë O’Neill", "a zip in a zip"),
        ("Nguyễn Thị Ánh", "half"),
        ("Song Jiho", "a PDF"),
        ("Yang Mi", "an empty zip"),
        ("Øystein Ås", "an answer as text"),
        ("Bae Sora", "a script"),
        ("=SUM(1)", "in a locked cell"),
        ("Ada Absent", "nothing"),
    ],
    "canvas": [
        ("Kim Minsu", "right"),
        ("José García", "two answers in one cell"),
        ("Łukasz Żak", "wrong"),
        ("Grace Hopper", "a copied cell"),
        ("Alan Turing", "cut off"),
        ("Emmy Noether", "changes its input"),
        ("Sofia Kovalevskaya", "renamed"),
        ("Marie Curie", "not written"),
        ("Lise Meitner", "the same as another"),
        ("Noor Nobody", "nothing"),
    ],
    "blackboard": [
        ("박서준", "tests deleted"),
        ("Ana María Núñez", "right"),
        ("Otto Hahn", "untouched"),
        ("Max Planck", "latin-1"),
        ("Irène Joliot", "tests changed"),
        ("Erwin Schrödinger", "the same as another"),
        ("Paul Dirac", "an error in a cell"),
        ("Niels Bohr", "a helper that is not asked for"),
        ("Werner Heisenberg", "a broken zip"),
    ],
    "gradescope": [
        ("최하은", "right"),
        ("Carl Gauß", "partly"),
        ("Leonhard Euler", "conflict"),
        ("Sophie Germain", "a script in the answer"),
        ("Évariste Galois", "another assignment"),
        ("Bernhard Riemann", "right"),
        ("Georg Cantor", "endless"),
        ("David Hilbert", "wrong"),
        ("Felix Klein", "nothing"),
    ],
    "nbgrader": [
        ("이지우", "right"),
        ("Katherine Johnson", "a helper"),
        ("Dorothy Vaughan", "renamed"),
        ("Mary Jackson", "half"),
        ("Annie Easley", "wrong"),
        ("Christine Darden", "no metadata"),
        ("Valerie Thomas", "right"),
        ("Gladys West", "tests deleted"),
        ("Evelyn Boyd", "an answer as text"),
        ("Melba Mouton", "nothing"),
    ],
    "loose": [
        ("정하윤", "right"),
        ("Björn Borg", "wrong"),
        ("Chloé Dubois", "partly"),
        ("Dara Ó Briain", "a copied cell"),
        ("Ümit Çelik", "right"),
        ("Ivan Petrov", "half"),
        ("Anna Novák", "a zip in a zip"),
        ("Lee Jiwoo", "right"),
        ("Tom Sawyer", "in a locked cell"),
        ("Huck Finn", "untouched"),
        ("Becky Thatcher", "nothing"),
    ],
}
CLASS = [
    Person(number, name, platform, does)
    for number, (platform, name, does) in enumerate(
        (platform, name, does) for platform, people in _CLASS.items() for name, does in people
    )
]
BY_PLATFORM = {
    platform: [person for person in CLASS if person.platform == platform] for platform in _CLASS
}
SUBMITTERS = """\
submission_{number}:
  :submitters:
  - :name: {person.name}
    :sid: '{person.lms_id}'
    :email: {person.email}
  :created_at: {when}
"""
FORM = """\
Name: {person.name} ({person.id})
Assignment: Assignment 01
Date Submitted: Saturday, 28 November 2026 10:00:00 o'clock AM GMT

Comments:
There are no student comments for this assignment.
"""
TYPED_IN = "김민수_500_assignsubmission_onlinetext_/onlinetext.html"
# Who is late on which platform, and who handed in twice: first something wrong.
LATE = {"canvas": "Łukasz Żak", "blackboard": "Max Planck", "gradescope": "Bernhard Riemann"}
LATE |= {"nbgrader": "Gladys West"}
TWICE = {"canvas": "Kim Minsu", "blackboard": "Ana María Núñez", "gradescope": "최하은"}
STRANGERS = {"ghost_88888_1_work.ipynb": "canvas", "Guest.ipynb": "loose"}


def files_of(person, released, does=""):
    """What a student hands in: {name: bytes}."""
    work = WORKS[does] if does else person.work
    files = dict(work.beside or {})
    if work.make:
        data = work.make(released, person.id)
        if work.file.endswith(".zip"):
            data = as_zip({"work/inner.zip": as_zip({f"{NAME}.ipynb": data})})
        files[work.file] = data
    return files


def download(platform, released, is_second_day=False):
    """What a platform gives out: {path: bytes}."""
    found = {}
    for person in BY_PLATFORM[platform]:
        attempts = [files_of(person, released)]
        if person.name == TWICE.get(platform):
            attempts.insert(0, files_of(person, released, "wrong"))
        for number, files in enumerate(attempts):
            is_late = person.name == LATE.get(platform)
            for name, data in files.items():
                found[_PATHS[platform](person, name, number, is_late)] = data
            if files and platform == "blackboard":
                form = FORM.format(person=person).encode()
                found[_blackboard(person, "", number, is_late)] = form
    if platform == "moodle":
        found[TYPED_IN] = b"<p>My answer to the last one is on paper.</p>"
        found["Nobody Known_999_assignsubmission_file_/"] = b""
    elif platform == "gradescope":
        found["export/submission_metadata.yml"] = _metadata().encode()
    elif platform == "nbgrader":
        for person in BY_PLATFORM[platform]:
            if person.work.make:
                day = 3 if person.name == LATE[platform] else 1
                when = f"2026-12-0{day} 10:00:00 UTC".encode()
                found[f"{person.id}/{NAME}/timestamp.txt"] = when
    elif platform == "loose":
        found["scan.pdf"] = b"%PDF"
    for path, where in STRANGERS.items():
        if where == platform:
            found[path] = WORKS["right"].make(released, path)
    return found


def _moodle(person, name, attempt, is_late):
    called = person.name.replace(",", "_")
    return f"{called}_{500 + person.number}_assignsubmission_file_/{name}"


def _canvas(person, name, attempt, is_late):
    called = "".join(filter(str.isalpha, person.name)).lower()
    late = "_LATE" if is_late else ""
    path = PurePosixPath(name.replace(" ", "_"))
    again = f"-{attempt}" if attempt else ""
    order = 9000 + 100 * attempt + person.number
    return f"{called}{late}_{person.lms_id}_{order}_{path.stem}{again}{path.suffix}"


def _blackboard(person, name, attempt, is_late):
    when = f"2026-{'12-03' if is_late else '11-28'}-1{attempt}-00-00"
    return f"Assignment 01_{person.id}_attempt_{when}" + (f"_{name}" if name else ".txt")


def _gradescope(person, name, attempt, is_late):
    return f"export/submission_{8000 + 100 * attempt + person.number}/{name}"


def _metadata():
    parts = []
    for person in BY_PLATFORM["gradescope"]:
        for attempt in range(2 if person.name == TWICE["gradescope"] else 1):
            day = 3 if person.name == LATE["gradescope"] else 1
            when = f"2026-12-0{day} 1{attempt}:00:00.000000000 Z"
            number = 8000 + 100 * attempt + person.number
            if person.does != "nothing":
                parts.append(SUBMITTERS.format(number=number, person=person, when=when))
    return "".join(parts)


def _nbgrader(person, name, attempt, is_late):
    return f"{person.id}/{NAME}/{name}"


def _loose(person, name, attempt, is_late):
    if name.endswith(".zip"):
        return f"{person.name}.zip"
    return f"hw1_{person.name}_final.ipynb" if person.number % 2 else f"{person.name}.ipynb"


_PATHS = {
    "moodle": _moodle,
    "canvas": _canvas,
    "blackboard": _blackboard,
    "gradescope": _gradescope,
    "nbgrader": _nbgrader,
    "loose": _loose,
}


def class_lists():
    """The class as the platforms list it: {name of a file: text}."""
    lists = {
        "moodle": ["Identifier,Full name,Email address"],
        "canvas": ["Student,ID,SIS User ID,SIS Login ID,Section", "Points Possible,,,,"],
        "blackboard": ["Last Name,First Name,Username,Student ID,Email"],
        "gradescope": ["Name,SID,Email,Total Score,Max Points"],
        "nbgrader": ["Name,Email"],
        "loose": ["Name,Email"],
    }
    for person in CLASS:
        given, _, family = person.name.rpartition(" ")
        lists[person.platform].append(
            {
                "moodle": f'Participant {500 + person.number},"{person.name}",{person.email}',
                "canvas": f'"{family}, {given}",{person.lms_id},,{person.id},',
                "blackboard": f"{family},{given},{person.id},{person.lms_id},{person.email}",
                "gradescope": f"{person.name},{person.lms_id},{person.email},,8",
            }.get(person.platform, f"{person.name},{person.email}")
        )
    return {f"{platform}.csv": "\n".join(lines) + "\n" for platform, lines in lists.items()}
