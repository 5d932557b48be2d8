"""`nbgrader zip_collect`, which takes a download from downloaded/ASSIGNMENT/archive/.

nbgrader asks for a pattern of the files' names. nbgrader_config.py puts these in the place of its
own plugins: they know what `course collect` knows, and take in the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin

from grader.gradebook.submitted import take_in


class Extract(ExtractorPlugin):
    """Writes what counts of each student into extracted/STUDENT/ASSIGNMENT/."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        course = self.parent.coursedir
        handed_in, _ = take_in(
            Path(course.root),
            course.assignment_id,
            archive_path,
            Path(extracted_path),
            show=self.log.info,
        )
        for line in handed_in.words():
            self.log.warning(line)


class Collect(FileNameCollectorPlugin):
    """Says whose an extracted file is."""

    def collect(self, submitted_file: str) -> dict[str, Any] | None:
        path = Path(submitted_file)
        return {"student_id": path.parent.parent.name, "file_id": path.name}
