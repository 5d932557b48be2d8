"""`nbgrader export`: its table of marks, in which no name is a formula or a second column.

nbgrader writes names as they are, between commas. nbgrader_config.py puts this in its place.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import CsvExportPlugin

from grader.files import write_whole
from grader.text import for_table

COLUMNS = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)


class SafeCsv(CsvExportPlugin):
    """The columns and rows of nbgrader's own exporter, and its options."""

    def export(self, gradebook: Gradebook) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        chosen = {str(name) for name in self.assignment}
        students = {str(name) for name in self.student}
        for assignment in gradebook.assignments:
            for student in gradebook.students:
                is_chosen = not chosen or assignment.name in chosen
                if is_chosen and (not students or student.id in students):
                    row = self._row(gradebook, assignment, student)
                    writer.writerow({name: for_table(value) for name, value in row.items()})
        write_whole(self.to or "grades.csv", text.getvalue())

    def _row(self, gradebook: Gradebook, assignment: Any, student: Any) -> dict[str, Any]:
        row = {
            "assignment": assignment.name,
            "duedate": assignment.duedate,
            "student_id": student.id,
            "last_name": student.last_name,
            "first_name": student.first_name,
            "email": student.email,
            "max_score": assignment.max_score,
        }
        try:
            submission = gradebook.find_submission(assignment.name, student.id)
        except MissingEntry:  # nothing was handed in
            return {**row, "raw_score": 0.0, "late_submission_penalty": 0.0, "score": 0.0}
        penalty = submission.late_submission_penalty
        return {
            **row,
            "timestamp": submission.timestamp,
            "raw_score": submission.score,
            "late_submission_penalty": penalty,
            "score": max(0.0, submission.score - penalty),
        }
