"""When something was handed in: in UTC, without a time zone, as nbgrader's gradebook has it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from grader.intake.entries import EXCHANGE, TIME, Account
from grader.intake.files import Found
from grader.intake.layouts import SECRET, TIMESTAMP, Owner
from grader.intake.platforms import MOST_TEXT, Gradescope
from helpers.assignment.notebook_file import Unreadable

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
        if zone in ("Z", "UTC"):
            return datetime.fromisoformat(f"{found[1]} {found[2]}")
        if zone is None or zone[0] in "+-":
            return to_utc(datetime.fromisoformat(f"{found[1]} {found[2]}{zone or ''}"))
        from nbgrader.utils import parse_utc  # here, as it takes long to import

        return parse_utc(f"{found[1]} {found[2]} {zone}")
    except (ValueError, OverflowError, OSError):
        return None


def to_utc(when: datetime) -> datetime:
    """A time in UTC; one without a zone is of this machine's."""
    return when.astimezone(UTC).replace(tzinfo=None)


def times_of_zip(files: Iterable[Found]) -> dict[tuple[str, ...], datetime]:
    """By path, when the files of a zip were handed in, as far as its dates can say it."""
    now = datetime.now() + timedelta(days=1)
    dated = {file.parts: file.when for file in files if file.when and file.when < now}
    if not dated or max(dated.values()) - min(dated.values()) < SHORTEST_SPAN:
        return {}
    return {parts: to_utc(when) for parts, when in dated.items()}


class Times:
    """When files were handed in, by all that says so.

    Parameters
    ----------
    account : Account
        What becomes of the files that say it.
    gradescope : Gradescope

    Attributes
    ----------
    zip_times : dict
        By path, what `times_of_zip` has found.
    """

    def __init__(self, account: Account, gradescope: Gradescope) -> None:
        self.account, self.gradescope = account, gradescope
        # What nbgrader's exchange has written, by folder and name.
        self.stamps: dict[tuple[str, ...], dict[str, str]] = {}
        self.zip_times: dict[tuple[str, ...], datetime] = {}

    def read_stamp(self, file: Found) -> None:
        """Take in a file that nbgrader's exchange has written beside a submission."""
        try:
            text = file.read(MOST_TEXT)[:MOST_TEXT].decode("utf-8", "replace")
        except Unreadable as error:
            self.account.leave(file.path, str(error))
            return
        if file.name == SECRET or time_of(text):
            self.stamps.setdefault(file.parts[:-1], {})[file.name] = text
            self.account.leave(file.path, TIME if file.name == TIMESTAMP else EXCHANGE)
        else:
            self.account.leave(file.path, "no time that can be read stands in it")

    def of(self, files: list[tuple[Found, Owner]]) -> datetime | None:
        """When files were handed in together, in UTC."""
        found = []
        for file, owner in files:
            stamp = self.stamps_of(file).get(TIMESTAMP, "")
            written = owner.when or self.gradescope.time(owner.number, owner.platform) or stamp
            found.append(time_of(written) or self.zip_times.get(file.parts))
        return max((when for when in found if when), default=None)

    def stamps_of(self, file: Found) -> dict[str, str]:
        """What nbgrader's exchange has written about a file."""
        above = (file.parts[:number] for number in range(len(file.parts) - 1, 0, -1))
        return next((self.stamps[parts] for parts in above if parts in self.stamps), {})
