"""Why a test gave no points, as a notebook shows it and as a student is told."""

from __future__ import annotations

from grader.outcomes import Outcome
from grader.records import Output
from grader.words import said
from helpers.assignment import CheckFailed
from helpers.assignment.time_limit import TookTooLong

# By the reason for which a child was ended; any other is "died".
OUTCOME_OF: dict[str, Outcome] = {
    "cpu": "total timeout",
    "memory": "out of memory",
    "output": "too much output",
    "nonsense": "tampering suspected",
}


class NotJudged(Exception):
    """The child was lost in a test; the message says how, in English."""


def error_output(failure: BaseException) -> Output:
    """A failure as a notebook's output."""
    return {
        "output_type": "error",
        "ename": type(failure).__name__,
        "evalue": message_of(failure),
        "traceback": [message_of(failure)],
    }


def message_of(failure: BaseException) -> str:
    """What a student is told of a failure.

    The text of any other error than the grader's own may hold a hidden test's numbers, and its name
    is the student's word.
    """
    if isinstance(failure, CheckFailed):
        return str(failure)
    if isinstance(failure, NotJudged):
        return said(str(failure))
    name = builtin_name(type(failure))
    return said("The test could not use what came back ({name}).").format(name=name)


def builtin_name(kind: type) -> str:
    """The name of the nearest type that Python or the course brings along."""
    ours = ("builtins", TookTooLong.__module__)
    return next(base.__name__ for base in kind.__mro__ if base.__module__ in ours)
