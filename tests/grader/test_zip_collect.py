"""`nbgrader zip_collect` with the course's configuration: any download, and the class list."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import nbformat

from grader.intake.entries import COUNTS, read_entries
from grader.intake.roster import Student, roster_path, write_roster
from tests.grader.test_layouts import as_zip
from tests.support.small_class import NAME, SmallClass

KIM = Student("kim", "김민수", "kim@example.edu", "12345")
ANNE = Student("am", "Änne Müller", "anne@example.edu", "23456")


def test_a_download_is_taken_in_as_by_course_collect(tmp_path, monkeypatch):
    klass = SmallClass(tmp_path / "course", monkeypatch)
    write_roster(roster_path(klass.root), [KIM, ANNE])
    old, right = (klass.hand_in(name, double=name).read_bytes() for name in ("old", "right"))
    files = {
        f"kim_12345_6001_{NAME}.ipynb": old,
        f"kim_12345_6009_{NAME}-1.ipynb": right,
        "mulleranne_LATE_23456_6002_final.ipynb": right,
        "guest_99_6003_scan.pdf": b"%PDF",
    }
    archive = klass.root / "downloaded" / NAME / "archive"
    archive.mkdir(parents=True)
    dates = {path: (2026, 11, 20 + number, 10, 0, 0) for number, path in enumerate(files)}
    (archive / "submissions.zip").write_bytes(as_zip(files, dates))
    done = subprocess.run(
        [Path(sys.executable).with_name("nbgrader"), "zip_collect", NAME],
        cwd=klass.root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "guest_99_6003_scan.pdf" in done.stderr
    submitted = klass.root / "grading" / "submitted"
    assert sorted(path.name for path in submitted.iterdir()) == ["am", "kim"]
    for student, day in (("kim", 21), ("am", 22)):
        notebook = nbformat.read(submitted / student / NAME / f"{NAME}.ipynb", 4)
        assert "right" in [cell.source for cell in notebook.cells]
        when = datetime(2026, 11, day, 10).astimezone()
        stamp = (submitted / student / NAME / "timestamp.txt").read_text()
        assert datetime.fromisoformat(f"{stamp[:19]}+00:00") == when
    lines = read_entries(klass.root / "grading" / NAME / "handed-in.csv")
    assert sorted(line.student for line in lines if line.reason == COUNTS) == ["am", "kim"]
    assert len(lines) == len(files)
