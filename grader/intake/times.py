"""When something was handed in: in UTC, without a time zone, as nbgrader's gradebook has it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from grader.intake.files import Found

# A zip whose files are all of one hour has the dates at which it was made.
SHORTEST_SPAN = timedelta(hours=1)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d|[A-Za-z][\w/+-]*)?"
)


def time_of(text: str) -> datetime | None:
    """A time as nbgrader, Blackboard and Gradescope write it; None if it is none.

    A time without a zone is taken for one of this machine's.
    """
    found = _TIME.fullmatch(text.strip())
    if not found:
        return None
    zone = found[3]
    try:
        when = datetime.fromisoformat(f"{found[1]} {found[2]}")
        if zone is None:
            return to_utc(when)
        if zone == "Z":
            return when
        from nbgrader.utils import parse_utc  # here, as it takes long to import

        return parse_utc(f"{when} {zone.replace(':', '')}")
    except (ValueError, OverflowError, OSError):
        return None


def to_utc(when: datetime) -> datetime:
    """A time of this machine's zone, in UTC."""
    return when.astimezone(UTC).replace(tzinfo=None)


def times_of_zip(files: Iterable[Found]) -> dict[tuple[str, ...], datetime]:
    """By path, when the files of a zip were handed in, as far as its dates can say it."""
    now = datetime.now() + timedelta(days=1)
    dated = {file.parts: file.when for file in files if file.when and file.when < now}
    if not dated or max(dated.values()) - min(dated.values()) < SHORTEST_SPAN:
        return {}
    return {parts: to_utc(when) for parts, when in dated.items()}
