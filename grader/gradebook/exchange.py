"""`nbgrader release_feedback`, for a class of whom not all hand in by nbgrader's exchange.

nbgrader ends in an error at the first page of somebody whose notebook came in another way, and
releases none of those behind it. nbgrader_config.py puts this in its place.
"""

from __future__ import annotations

import glob
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback

from grader.intake.layouts import SECRET, TIMESTAMP
from grader.text import for_terminal, shortened

MOST_NAMES = 20


class ReleaseFeedback(ExchangeReleaseFeedback):
    """Releases the pages that the exchange can give back, and names the others."""

    src_path: str

    def copy_files(self) -> None:
        others = []
        for path in map(Path, sorted(glob.glob(self.src_path))):
            if all((path / name).exists() for name in (SECRET, TIMESTAMP)):
                self.src_path = str(path)
                super().copy_files()
            else:
                others.append(path.parent.name)
        if others:
            self.log.warning(
                "Not handed in by the exchange, so no page can go back there: %s",
                for_terminal(", ".join(shortened(others, MOST_NAMES))),
            )
