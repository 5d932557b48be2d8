"""Killed at any moment and called again, a command leaves what it leaves when nothing happens.

The moments are those between which the disk or the gradebook changes: before each file goes down to
the disk, before it is put in its place, and before each commit.
"""

import os
import shutil
import sys

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from grader.batch import coordinator
from grader.command import collect, feedback
from grader.intake.parse import parse
from grader.intake.roster import Student, roster_path, write_roster
from tests.support.small_class import NAME, SmallClass

pytestmark = [
    pytest.mark.sandbox,  # it takes its time
    pytest.mark.skipif(sys.platform != "linux", reason="grading runs on Linux only"),
]

KILLED, DONE = 9, 0


class Reader:
    """Reads in this process: another one, for each of many calls, would take a second."""

    parse = staticmethod(parse)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


class Class(SmallClass):
    """A right notebook, a wrong one, one that cannot be read, and somebody who is absent."""

    def begin(self):
        write_roster(roster_path(self.root), [Student(name, name) for name in ("ann", "zoe")])
        self.hand_in("ann", double="RIGHT = 1", why="So.")
        self.hand_in("bob", double="n * n  # SQUARED")
        (self.batch / "cut.ipynb").write_text("{")
        (self.batch / "notes.pdf").write_bytes(b"%PDF")

    def collect(self):
        return collect.main([NAME, str(self.batch), "--root", str(self.root)])

    def feedback(self):
        return feedback.main([NAME, "--root", str(self.root)])

    def prepare(self, what):
        """All that comes before the command."""
        self.begin()
        if what == "grade":
            (self.batch / "bob.ipynb").unlink()
            assert self.grade() == 0
            self.hand_in("bob", double="n * n  # SQUARED")
            self.give("ann", "why", 2, "Good.")
        elif what == "feedback":
            assert self.grade() == 0
            self.give("ann", "why", 2, "Good.")
            self.give("bob", "double_two", 1)

    def left(self):
        """What stands on the disk and in the gradebook, apart from times and random ids."""
        files = {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in (self.root / "grading").rglob("*")
            if path.is_file() and path.suffix not in (".db", ".jsonl")
        }
        with self.gradebook() as book:
            marks = [
                (one.student.id, cell.name, cell.auto_score, cell.manual_score, cell.score)
                for one in book.assignment_submissions(NAME)
                for notebook in one.notebooks
                for cell in notebook.grades
            ]
        return files, sorted(marks)


def killed_before(moment, function):
    """How a command ends, in a process of its own, that is killed before its n-th moment.

    Without a moment, how many there are.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status, passed = 1, 0

        def pass_by(*_):
            nonlocal passed
            passed += 1
            if passed == moment:
                os._exit(KILLED)

        def after(call):
            def function(*given, **named):
                pass_by()
                return call(*given, **named)

            return function

        try:
            event.listen(Engine, "commit", pass_by)
            os.replace, os.fsync = after(os.replace), after(os.fsync)
            function()
            os.write(writer, str(passed).encode())
            status = DONE
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(said or 0)


@pytest.mark.parametrize("what", ["collect", "grade", "feedback"])
def test_a_command_that_is_killed_and_called_again_leaves_the_same(tmp_path, monkeypatch, what):
    klass = Class(tmp_path / "course", monkeypatch)
    monkeypatch.setattr(coordinator, "Reader", Reader)
    klass.prepare(what)
    shutil.copytree(klass.root, tmp_path / "before", copy_function=shutil.copy2)

    def command():
        getattr(klass, what)()

    status, moments = killed_before(0, command)
    assert (status, moments > 3) == (DONE, True)
    wanted = klass.left()
    for moment in range(1, moments + 1):
        shutil.rmtree(klass.root)
        shutil.copytree(tmp_path / "before", klass.root)
        assert killed_before(moment, command)[0] == KILLED
        assert killed_before(0, command)[0] == DONE
        assert klass.left() == wanted, f"killed before moment {moment} of {moments}"
