"""For the tests of the grader, and of whatever else writes a gradebook in this process."""

import sqlite3

from sqlalchemy import event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "connect")
def do_not_wait_for_the_disk(connection, record):
    """nbgrader commits each cell by itself, and would wait for the disk a thousand times.

    What a process leaves that is killed is the same; only a power cut would show the difference.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")
