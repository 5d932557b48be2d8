"""Check an assignment again each time its notebook is saved.

    course check 03 --watch

The file is looked at twice a second, which works on every system and every kind of disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from helpers.assignment.selfcheck import (
    ASSIGNMENTS,
    NotCheckable,
    Opened,
    check_opened,
    find_notebook,
    open_notebook,
)
from helpers.language import current, gettext, speaking

SECONDS = 0.5
LOOKS = 6
"""How often a file is read again that has just changed: on some disks the time of a change is
known to two seconds only, and whoever saves may be half-way."""


def watch(
    name: str | Path,
    show: Callable[[str], object] = print,
    folder: Path = ASSIGNMENTS,
    wait: Callable[[float], object] = time.sleep,
) -> None:
    """Check an assignment now and each time it is saved; Ctrl-C ends it.

    Parameters
    ----------
    name : str or path
        As for `find_notebook`.
    show : callable
        Gets each line of the reports.
    folder : path
        With the assignments' folders.
    wait : callable
        Waits for some seconds between two looks.

    Raises
    ------
    NotCheckable
        If there is no such assignment.
    """
    path = find_notebook(name, folder)
    with speaking(current(path.parent)):
        try:
            for found in saves(path, wait):
                show(f"\n--- {datetime.now():%H:%M:%S} ---")
                if isinstance(found, NotCheckable):
                    show(str(found))
                else:
                    check_opened(found, show, folder)
                said = gettext("Save the notebook, and it is checked again. Ctrl-C ends this.")
                show(f"\n{said}")
        except KeyboardInterrupt:
            show(f"\n{gettext('Not watching any more.')}")


def saves(path: Path, wait: Callable[[float], object]) -> Iterator[Opened | NotCheckable]:
    """The notebook as it is now, and each time that something else is saved in it.

    New outputs alone are nothing new. A file that stays gone or unreadable is told once.
    """
    stamp: tuple[int, ...] | None = None
    seen, looks = "", 0
    while True:
        now = stamp_of(path)
        if now != stamp:
            stamp, looks = now, LOOKS
        if looks:
            looks -= 1
            found: Opened | NotCheckable
            try:
                found = open_notebook(path)
                content = found.content
            except NotCheckable as error:
                found, content = error, str(error)
            if content != seen and (isinstance(found, Opened) or not looks):
                seen = content
                yield found
        wait(SECONDS)


def stamp_of(path: Path) -> tuple[int, ...]:
    """What changes when a file is saved; empty if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino
