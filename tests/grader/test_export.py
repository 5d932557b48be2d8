"""The table of `nbgrader export`."""

import csv
from types import SimpleNamespace

import pytest
from nbgrader.api import MissingEntry

from grader.gradebook.export import COLUMNS, SafeCsv


class OneAssignment:
    """A gradebook of one assignment: `marks` are (score, penalty), or None if nothing came."""

    def __init__(self, marks):
        self.marks = marks
        self.assignments = [SimpleNamespace(name="01", duedate=None, max_score=10)]
        self.students = [
            SimpleNamespace(id=name, last_name=name, first_name="", email="") for name in marks
        ]

    def find_submission(self, _, student):
        if self.marks[student] is None:
            raise MissingEntry
        score, penalty = self.marks[student]
        return SimpleNamespace(timestamp=None, score=score, late_submission_penalty=penalty)


def exported(marks, path, **options):
    SafeCsv(to=str(path), **options).export(OneAssignment(marks))
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("mark", "score"), [((7.5, 0.0), 7.5), ((7.0, 2.0), 5.0), ((1.0, 2.0), 0.0), (None, 0.0)]
)
def test_a_late_penalty_is_taken_off_but_no_more_than_there_is(mark, score, tmp_path):
    (row,) = exported({"ann": mark}, tmp_path / "grades.csv")
    assert tuple(row) == COLUMNS
    assert float(row["score"]) == score
    assert float(row["raw_score"]) == (mark[0] if mark else 0)
    assert float(row["max_score"]) == 10


def test_a_row_for_each_student_or_for_those_that_are_named(tmp_path):
    marks = {"ann": (1.0, 0.0), "=bob": None}
    names = [row["student_id"] for row in exported(marks, tmp_path / "grades.csv")]
    assert names == ["ann", "'=bob"]
    assert exported(marks, tmp_path / "one.csv", student=["ann"])[0]["student_id"] == "ann"
