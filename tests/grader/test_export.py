"""The table of `nbgrader export`, and the pages that nbgrader's exchange gives back."""

import csv
import logging
from types import SimpleNamespace

import pytest
from nbgrader.api import MissingEntry
from nbgrader.exchange.default import ExchangeReleaseFeedback

from grader.gradebook.exchange import ReleaseFeedback
from grader.gradebook.export import COLUMNS, SafeCsv
from grader.intake.layouts import SECRET, TIMESTAMP


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


def test_by_the_exchange_pages_go_to_who_handed_in_by_it_and_20_others_are_named(
    tmp_path, monkeypatch, caplog
):
    """Of those it has a secret and a time; nbgrader would end at the first one without."""
    given = []
    monkeypatch.setattr(
        ExchangeReleaseFeedback, "copy_files", lambda release: given.append(release.src_path)
    )
    for number in range(24):
        folder = tmp_path / f"s{number:02}" / "01"
        folder.mkdir(parents=True)
        by_exchange = {
            0: (SECRET, TIMESTAMP),
            1: (SECRET, TIMESTAMP),
            2: (SECRET,),
            3: (TIMESTAMP,),
        }
        for name in by_exchange.get(number, ()):
            (folder / name).touch()
    release = ReleaseFeedback.__new__(ReleaseFeedback)
    release.log = logging.getLogger("exchange")
    release.src_path = str(tmp_path / "*" / "01")
    release.copy_files()
    assert given == [str(tmp_path / f"s0{number}" / "01") for number in (0, 1)]
    (said,) = caplog.messages
    assert said.endswith(f": {', '.join(f's{number:02}' for number in range(2, 22))}, and 2 more")
    caplog.clear()
    release.src_path = str(tmp_path / "s0[01]" / "01")
    release.copy_files()
    assert caplog.messages == []
