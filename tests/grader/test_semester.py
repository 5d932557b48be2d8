"""A class of sixty goes through the guide, from the class list to the last table.

Every command of the guide is typed as it stands there. After each step all marks of the class are
what they should be, and each file that was handed in has a line that says what became of it.
"""

import contextlib
import csv
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import nbformat
import pytest

from grader.authoring import release
from grader.batch import to_do
from grader.command import collect, export, feedback, grade, new_seed, roster, statistics
from grader.intake import times
from grader.intake.entries import COUNTS, NOTHING
from grader.judging import job
from grader.text import from_table
from tests.support import needs
from tests.support.class_of_sixty import (
    BY_PLATFORM,
    CLASS,
    LATE,
    NAME,
    OTHER,
    POINTS,
    STRANGERS,
    TESTS,
    WORKS,
    as_zip,
    class_lists,
    download,
    files_of,
    source,
)
from tests.support.lessons import ROOT
from tests.support.prose import code
from tests.support.small_class import SmallClass

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's"),
    pytest.mark.filterwarnings("ignore:Non-unique cell id"),  # of a cell that a student copied
]

COMMANDS = {
    "assignments": lambda given: release.main(["assignments", *given]),
    "collect": collect.main,
    "export": export.main,
    "feedback": feedback.main,
    "grade": grade.main,
    "new-seed": new_seed.main,
    "release": lambda given: release.main(["students", *given]),
    "roster": roster.main,
    "statistics": statistics.main,
}
# Commands of the guide that other tests run.
ELSEWHERE = {
    "course new 10-topic": "tests/grader/test_new.py",
    "course setup instructor cluster": "tests/repository/test_packaging.py",
    "course grade 07-alexnet ~/batch.zip --dask": "tests/grader/test_class.py",
    f"nbgrader autograde {NAME}": "tests/grader/test_nbgrader_round_trip.py",
}
GUIDE = [ROOT / "solutions" / name for name in ("README.md", "grading.md")]
EXECUTE = job.execute


class Semester(SmallClass):
    """The class, graded for real: in a sandbox, by the judge, in this process.

    Attributes
    ----------
    wanted : dict of str to (dict of str to str)
        By student, what their rows of grades.csv have to hold.
    """

    def __init__(self, home, monkeypatch):
        super().__init__(home / "course", monkeypatch, ())
        self.home, self.typed, self.wanted = home, [], {}
        for name in (NAME, OTHER):
            self.write_source(source(name), name)
        for name in release.FOR_STUDENTS:
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, self.root)
            else:
                (self.root / name).mkdir(exist_ok=True)
        shutil.copy(ROOT / "assignments" / "README.md", self.root / "assignments")
        (home / "exchange").mkdir()
        (home / "exchange").chmod(0o777)
        with (self.root / "nbgrader_config.py").open("a", encoding="utf-8") as config:
            config.write('c.LateSubmissionPlugin.penalty_method = "zero"\n')
            config.write(f"c.Exchange.root = {str(home / 'exchange')!r}\n")
        self.released = nbformat.read(self.root / "assignments" / NAME / f"{NAME}.ipynb", 4)

    def _judge(self, text):
        self.jobs.append(text)
        return EXECUTE(text)

    def type(self, line, status=0):
        """Type a command as the guide has it."""
        self.typed.append(line)
        program, verb, *given = shlex.split(line)
        if program == "nbgrader":
            done = subprocess.run(
                [Path(sys.executable).with_name("nbgrader"), verb, *given],
                cwd=self.root,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr[-2000:]
        else:
            given = [os.path.expanduser(word) for word in given]
            assert COMMANDS[verb]([*given, "--root", str(self.root)]) == status

    def hand_in(self, files):
        """What a platform gives out, where the guide's commands expect it."""
        (self.home / "batch.zip").write_bytes(as_zip(files))

    def expect(self, students, **more):
        """These have handed in what the class list says."""
        for person in students:
            work = person.work
            if person.does == "nothing":
                continue
            is_graded = work.outcome == "graded"
            scores = {test: (work.scores or {}).get(test, POINTS[test]) for test in TESTS}
            is_late = person.name == LATE.get(person.platform)
            self.wanted[person.id] = {
                **{test: f"{scores[test] if is_graded else 0}" for test in TESTS},
                "score": f"{work.score}",
                "outcome": work.outcome,
                "open": f"{int(work.is_open)}",
                "by_hand": "0",
                "late_penalty": f"{work.score if is_late else 0}",
                **more,
            }
        for name, where in STRANGERS.items():
            if where in {person.platform for person in students}:
                stranger = name.removesuffix(".ipynb")
                self.wanted[stranger] = {"outcome": "graded", "score": "5", "open": "1"}

    def check_marks(self):
        """The table holds the marks that are due, and no others."""
        table = self.table(f"{NAME}/grades.csv")
        assert set(table) == set(self.wanted)
        wrong = {}
        for student, wanted in self.wanted.items():
            row = table[student]
            found = {name: row[name] for name in wanted}
            given, taken = (float(row[k]) for k in ("by_hand", "late_penalty"))
            total = max(0, float(row["score"]) + given + float(row["extra_credit"]) - taken)
            found["total"], due = float(row["total"]), {**wanted, "total": total}
            wrong |= {(student, k): (found[k], due[k]) for k in due if found[k] != due[k]}
        assert wrong == {}

    def lines(self):
        path = self.root / "grading" / NAME / "handed-in.csv"
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        return [{name: from_table(value) for name, value in row.items()} for row in rows]

    def check_entries(self, files):
        """Each of these files has one line, and so has who handed in nothing."""
        lines = [row for row in self.lines() if row["batch"] == str(self.home / "batch.zip")]
        entries = [row["entry"] for row in lines]
        assert len(set(entries)) == len(entries)
        # Of a zip that could be opened its files have lines, of a folder that it is empty.
        top = {path.rstrip("/").removeprefix("export/") for path in files}
        told = {one for one in entries if any(f"{one}/".startswith(f"{path}/") for path in top)}
        assert [p for p in top if not any(f"{one}/".startswith(f"{p}/") for one in told)] == []
        # All other lines are of an earlier batch of that name, and of its students.
        here = {row["student"] for row in lines if row["entry"] in told}
        assert not here & {row["student"] for row in lines if row["entry"] not in told}
        counting = [row["student"] for row in lines if row["reason"] == COUNTS]
        assert len(set(counting)) == len(counting)
        absent = {row["student"] for row in self.lines() if row["reason"] == NOTHING}
        assert absent == {person.id for person in CLASS} - set(self.wanted)

    def give_by_hand(self, points):
        """A person marks all that is open, in formgrader: {student: points}."""
        for student, score in points.items():
            self.give(student, "why", score, f"Read by a person: {score}.", name=NAME)
            self.wanted[student] |= {"by_hand": f"{score}", "open": "0"}

    def totals(self):
        return {name: float(row["total"]) for name, row in self.table(f"{NAME}/grades.csv").items()}


class NextYear(datetime):
    """The semester is over: no date of it lies in the future."""

    @classmethod
    def now(cls, tz=None):
        return cls(2027, 3, 1, tzinfo=tz)


@pytest.fixture
def klass(tmp_path, monkeypatch):
    needs.sandbox()
    from tests.grader.attacks.trial import light_server

    monkeypatch.setenv("HOME", str(tmp_path))
    made = Semester(tmp_path, monkeypatch)
    monkeypatch.setattr(times, "datetime", NextYear)
    monkeypatch.chdir(made.root)
    with contextlib.closing(light_server()) as server:
        monkeypatch.setattr(job, "server", lambda *how: server)
        yield made


def test_a_semester(klass):
    begin(klass)
    give_out(klass)
    for platform in ("moodle", "canvas", "blackboard", "gradescope", "loose"):
        grade_a_download(klass, platform)
    grade_from_the_exchange(klass)
    see_what_is_open(klass)
    mark_by_hand(klass)
    for platform in ("moodle", "canvas", "blackboard", "gradescope"):
        give_back(klass, platform)
    hear_an_appeal(klass)
    correct_a_test(klass)
    take_in_a_second_day(klass)
    end(klass)
    assert left_out(klass.typed) == []


def begin(klass):
    klass.type("course new-seed")
    for text in class_lists().values():
        (klass.home / "participants.csv").write_text(text, encoding="utf-8")
        klass.type("course roster ~/participants.csv")
    rows = klass.table("roster.csv")
    assert [(row["id"], row["name"]) for row in rows.values()] == [
        (person.id, person.name if person.name[0] != "=" else f"'{person.name}") for person in CLASS
    ]


def give_out(klass):
    klass.type(f"course assignments {NAME}")
    klass.type(f"course release {NAME} {OTHER}")
    klass.type(f'nbgrader db assignment add {NAME} --duedate "2026-12-01 23:59:00 UTC"')


def everything(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def grade_a_download(klass, platform):
    files = download(platform, klass.released)
    klass.hand_in(files)
    klass.expect(BY_PLATFORM[platform])
    if platform == "moodle":
        before = everything(klass.root)
        klass.type(f"course grade {NAME} ~/batch.zip --dry-run")
        assert everything(klass.root) == before
    klass.type(f"course grade {NAME} ~/batch.zip")
    klass.check_marks()
    klass.check_entries(files)
    number = len(klass.jobs)
    klass.type(f"course grade {NAME} ~/batch.zip")
    assert len(klass.jobs) == number  # nothing runs twice
    if platform == "loose":
        klass.type(f"course grade {NAME} ~/batch.zip --workers 4 --cell-seconds 30")
        assert len(klass.jobs) > number  # with another limit all of it does
        klass.check_marks()


def grade_from_the_exchange(klass):
    klass.type(f"nbgrader release_assignment {NAME}")
    inbound = klass.home / "exchange" / "cnn-course" / "inbound"
    for path, data in download("nbgrader", klass.released).items():
        student, name, file = path.split("/")
        day = 3 if "12-03" in path else 1
        folder = inbound / f"{student}+{name}+2026-12-0{day} 10:00:00 UTC+x"
        folder.mkdir(exist_ok=True)
        (folder / file).write_bytes(data)
        (folder / "submission_secret.txt").write_text(f"secret of {student}")
    klass.type(f"nbgrader collect {NAME}")
    klass.expect(BY_PLATFORM["nbgrader"])
    klass.type(f"course grade {NAME} grading/submitted")
    klass.check_marks()
    klass.type(f"nbgrader release_feedback {NAME}")
    released = (klass.home / "exchange" / "cnn-course" / "feedback").iterdir()
    pages = [klass.page(p.id, NAME) for p in BY_PLATFORM["nbgrader"] if p.id in klass.wanted]
    assert sorted(path.read_text(encoding="utf-8") for path in released) == sorted(pages)


def see_what_is_open(klass):
    path = klass.root / "grading" / NAME / "open.csv"
    found = {}
    for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))):
        found.setdefault(row["what"], set()).add(row["student"])
        assert (klass.root / row["graded"]).exists()

    def those(*kinds):
        return {person.id for person in CLASS if person.does in kinds}

    unreadable = [kind for kind, work in WORKS.items() if work.outcome == "unreadable"]
    assert found[to_do.NOT_GRADED] == those(*unreadable)
    assert found[to_do.BY_HAND] == {
        student for student, wanted in klass.wanted.items() if wanted["open"] == "1"
    }
    assert found[to_do.UNTOUCHED] == those("untouched")
    assert found[to_do.STRANGER] == {name.removesuffix(".ipynb") for name in STRANGERS}
    assert found[to_do.IDENTICAL] == those("the same as another")


def mark_by_hand(klass):
    waiting = [student for student, wanted in klass.wanted.items() if wanted["open"] == "1"]
    klass.give_by_hand({student: number % 4 for number, student in enumerate(waiting)})
    late = {p.id for p in CLASS if p.name == LATE.get(p.platform)}
    for student in late & set(klass.wanted):
        wanted = klass.wanted[student]
        wanted["late_penalty"] = f"{int(wanted['score']) + int(wanted['by_hand'])}"
    klass.type(f"course feedback {NAME}")
    klass.check_marks()
    for student in waiting:
        assert "Read by a person" in klass.page(student, NAME)


def give_back(klass, platform):
    klass.type(f"course export {NAME} --for {platform}")
    klass.type(f"course feedback {NAME} --for {platform}")
    totals = klass.totals()
    folder = klass.root / "grading" / NAME
    with (folder / f"{platform}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # The columns by which the platform itself knows a student and takes a mark.
    column, grade = {
        "moodle": ("Identifier", "Grade"),
        "canvas": ("ID", NAME),
        "blackboard": ("Username", NAME),
        "gradescope": ("SID", "Total Score"),
    }[platform]
    key = {
        "moodle": lambda p: f"Participant {500 + p.number}",
        "canvas": lambda p: p.lms_id,
        "blackboard": lambda p: p.id,
        "gradescope": lambda p: p.lms_id,
    }[platform]
    told = {row[column]: row[grade] for row in rows}
    with zipfile.ZipFile(folder / f"{platform}-feedback.zip") as archive:
        pages = {name: archive.read(name).decode() for name in archive.namelist()}
    count = 0
    for person in BY_PLATFORM[platform]:
        if person.id in totals:
            assert told[key(person)] == f"{totals[person.id]:g}", person
            count += klass.page(person.id, NAME) in pages.values()
        else:
            assert key(person) not in told
    assert count == len([p for p in BY_PLATFORM[platform] if p.id in totals])


def hear_an_appeal(klass):
    """Another notebook was meant: it takes the place of the wrong one, and has one part less."""
    kim = CLASS[0]
    klass.hand_in(of_moodle(klass))
    number = len(klass.jobs)
    klass.type(f"course grade {NAME} ~/batch.zip --only {kim.id}")
    assert len(klass.jobs) == number + 1
    klass.wanted[kim.id] |= {"score": "4", "total_parts": "1", "open": "1"}
    klass.check_marks()  # the mark by hand is there, and asks to be looked at again
    klass.give(kim.id, "why", 3, name=NAME)
    klass.wanted[kim.id] |= {"by_hand": "3", "open": "0"}
    klass.type(f"course feedback {NAME}")
    klass.check_marks()


def of_moodle(klass):
    """The download, as it is since the appeal."""
    kim, *_ = BY_PLATFORM["moodle"]
    folder = f"{kim.name}_{500 + kim.number}_assignsubmission_file_"
    right = files_of(kim, klass.released, "half").items()
    return download("moodle", klass.released) | {f"{folder}/{n}": data for n, data in right}


def correct_a_test(klass):
    """A test that squares pass, too."""
    made = source(NAME)
    for one in made.cells:
        if one.id == TESTS[0]:
            one.source = '# Zero stays zero.\ncheck("double", np.array([0, 2])).gives([0, 4])'
    nbformat.write(made, klass.root / "solutions" / NAME / f"{NAME}.ipynb")
    klass.type(f"course assignments {NAME}")
    klass.hand_in(of_moodle(klass))
    klass.type(f"course grade {NAME} ~/batch.zip --test {TESTS[0]}")
    for person in BY_PLATFORM["moodle"]:
        if person.does == "wrong":
            score = int(klass.wanted[person.id]["score"]) + POINTS[TESTS[0]]
            klass.wanted[person.id] |= {TESTS[0]: "2", "score": f"{score}"}
    klass.check_marks()


def take_in_a_second_day(klass):
    """The same download, with one who comes late and one who has done more since."""
    ada = next(person for person in CLASS if person.name == "Ada Absent")
    song = next(person for person in CLASS if person.does == "a PDF")
    files = of_moodle(klass)
    dates = {}
    for person in (ada, song):
        place = f"{person.name}_{500 + person.number}_assignsubmission_file_"
        for name, data in files_of(person, klass.released, "right").items():
            files[f"{place}/{name}"] = data
            dates[f"{place}/{name}"] = (2026, 12, 3, 10, 0, 0)
    (klass.home / "batch.zip").write_bytes(as_zip(files, dates))
    right = {test: f"{POINTS[test]}" for test in TESTS}
    right |= {"outcome": "graded", "score": "5", "open": "1", "by_hand": "0", "late_penalty": "5"}
    klass.wanted[ada.id] = dict(right)
    klass.wanted[song.id] = dict(right)
    klass.type(f"course grade {NAME} ~/batch.zip")
    klass.check_marks()
    klass.check_entries(files)
    text = GUIDE[1].read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(block.replace('"kim"', f'"{ada.id}"'), {})
    klass.wanted[ada.id]["late_penalty"] = "0"
    klass.type(f"course grade {NAME} ~/batch.zip")
    klass.check_marks()
    klass.type(f"course collect {NAME} ~/batch.zip", status=1)  # there are unreadable ones
    klass.check_marks()


def end(klass):
    klass.type(f"course statistics {NAME}")
    table = klass.table(f"{NAME}/grades.csv")
    graded = [row for row in table.values() if row["outcome"] == "graded"]
    for test, row in klass.table(f"{NAME}/tests.csv").items():
        passed = sum(float(one[test]) == POINTS[test] for one in graded)
        assert (row["students"], row["passed"]) == (f"{len(graded)}", f"{passed}")
    klass.type("course export")
    marks = klass.table("marks.csv")
    totals = klass.totals()
    assert set(marks) == {person.id for person in CLASS} | set(totals)
    assert {name: row[NAME] for name, row in marks.items()} == {
        name: f"{totals[name]:g}" if name in totals else "" for name in marks
    }


def left_out(typed):
    """The commands of the guide that were not typed, and that no other test runs."""
    lines = set()
    for page in GUIDE:
        for piece in code(page.read_text(encoding="utf-8")):
            lines |= set(piece.replace("\\\n", " ").split("\n"))
    commands = [line for line in lines if re.match(r"(course|nbgrader) \S+ [^-]", line)]
    assert set(ELSEWHERE) <= {one for one in ELSEWHERE for line in commands if one in line}
    known = (*typed, *ELSEWHERE)
    return [line for line in commands if not any(line.startswith(one) for one in known)]
