"""What goes from one folder of the grader to another: plain data that JSON can hold."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from grader.outcomes import Outcome

Output = dict[str, Any]
"""An output of a cell, as nbformat has it."""


class Job(TypedDict):
    """One submission to be run and judged, and answered in its ``language``.

    ``cells`` are `grader.cells.Cell` as dicts, ``policy`` a `grader.judging.policy.Policy` as a
    dict; the ``seed`` decides what is drawn. By name, there lie beside the notebook: the course's
    texts for it (``files``), the assignment's other files (``beside``) and what the student handed
    in and the assignment asks for (``handed_in``), the last two in base64. What was handed in is
    never in a place where the grader itself runs code.
    """

    assignment: str
    language: NotRequired[str]
    cells: list[dict[str, Any]]
    policy: dict[str, Any]
    class_seed: str
    files: dict[str, str]
    beside: NotRequired[dict[str, str]]
    handed_in: NotRequired[dict[str, str]]
    seed: str


class Failure(TypedDict):
    """Why a test gave no points.

    ``kind`` is that of `helpers.assignment.CheckFailed`, or "error"; ``diagnosis`` the sentence of
    the known mistake, if it is one.
    """

    kind: str
    message: str
    hidden: bool
    diagnosis: str | None


class TestResult(TypedDict):
    """What a test came to; passed if there is no ``failure``."""

    score: float
    max_score: float
    failure: NotRequired[Failure]


class Result(TypedDict):
    """What became of a job.

    For each cell ``outputs`` has its outputs and its execution count, ``tests`` what each test came
    to, by grade id; ``flags`` are evidence for a person; ``seconds`` are wall time, ``cpu`` the
    processor time of the student's processes. It was ``contended`` if a limit in wall time was
    met while other processes of the machine took the processor.
    """

    outcome: Outcome
    outputs: list[tuple[list[Output], int | None]]
    tests: dict[str, TestResult]
    flags: list[str]
    class_seed: str
    seconds: float
    cpu: float
    contended: NotRequired[bool]


class Record(TypedDict):
    """A line about a student: what is in the table, and what the summary counts.

    ``key`` is the digest of what the result depends on, ``diagnoses`` are sentences of known
    mistakes, ``notes`` what was unusual; ``answers`` are the forms of the answers in code, with
    their lengths: see `grader.batch.likeness`.
    """

    student: str
    key: str
    score: float
    max_score: float
    outcome: Outcome
    flagged: str
    seconds: float
    tests: dict[str, float]
    diagnoses: list[str]
    notes: list[str]
    answers: dict[str, tuple[str, int]]
