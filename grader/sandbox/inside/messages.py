"""What the grader asks of a child, what the child answers, and what its monitor reports.

A request is trusted by the child. A reply is not trusted by the grader: each field of it may be
missing, or be anything.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

Value = dict[str, Any]
"""A value as `values.encode` writes it, or a function as the judge packs it."""


class Begin(TypedDict):
    """Start afresh, with this seed; the blobs are the ``files``.

    What the course says there, it says in this ``language``.
    """

    do: str
    seed: str
    language: str
    files: list[str]


class Run(TypedDict):
    """Run a cell of the notebook (``do`` is "run"), or a test beside it ("test").

    ``output_limit`` is in bytes.
    """

    do: str
    code: str
    output_limit: int


class Call(TypedDict):
    """Call the function ``name`` of the notebook, or hand it to the ``procedure`` of a test.

    ``code`` are definitions that the functions sent along need; ``seconds`` are processor time.
    ``ends`` are, for each of the ``args``, the numbers of its first blob and of the next one's.
    """

    do: str
    name: str
    procedure: Value | None
    code: str
    args: list[Value]
    ends: list[tuple[int, int]]
    kwargs: list[tuple[str, Value]]
    seconds: float


class Branch(TypedDict):
    """Keep a ``copy`` of the process ("keep"), go on in it ("enter"), or leave it ("leave").

    A copy that is left ends, unless it ``is_needed`` again.
    """

    do: str
    copy: NotRequired[int]
    is_needed: NotRequired[bool]


class Control(TypedDict):
    """Say what was exchanged, and whether each of these ``codes``, run like a test, has failed."""

    do: str
    codes: list[str]


class RaisedError(TypedDict):
    """An exception: the names of its types, the nearest first, what it says, and where."""

    types: list[str]
    text: str
    line: str
    at: tuple[str, int | None] | None


class Reply(TypedDict, total=False):
    """An answer; which fields it has depends on the request.

    ``interrupted`` and ``out_of_memory`` say why there is no other. Of a cell or test: ``outputs``,
    whether it ``failed``, its execution ``count``, whether its output ``is_full``; of a test its
    ``text`` and ``line``, whether it ``is_assertion`` that failed, and the number ``points`` in
    which it ends. Of a call: ``is_missing``, ``wrong_type`` of what is no function, its ``value``,
    its arguments ``after`` it (None for one that is as it was sent), whether the value ``shares``
    their memory, what was ``printed``, the student's ``names`` of the arguments, or the ``error``.
    ``changed`` is what was exchanged in the interpreter, ``answers`` what the controls came to,
    ``kept`` the number of a copy.
    """

    interrupted: bool
    out_of_memory: bool
    outputs: list[Any]
    failed: bool
    count: int
    is_full: bool
    text: str
    line: int | None
    points: float | None
    is_assertion: bool
    is_missing: bool
    wrong_type: str
    value: Value
    after: list[Value | None]
    shares: list[bool]
    printed: str
    names: list[str] | None
    error: RaisedError
    changed: list[str]
    answers: list[Reply]
    kept: int | None


class Usage(TypedDict):
    """What a child and all that it started have used so far, in seconds.

    ``cpu`` is processor time, ``delay`` the time for which its threads were ready to run and had
    to wait for a processor (None where the kernel does not say), ``at`` the monotonic clock.
    """

    cpu: float
    delay: float | None
    at: float


class Report(TypedDict):
    """What a monitor tells the grader.

    Either the ``usage`` that was asked for, or that the child has ``ended`` (by itself, or the
    limit that it passed) with its exit ``code``, its processor time and its ``peak`` of memory, or
    that it ``failed`` without the student's doing. Both, if the kernel ended it for want of memory.
    """

    usage: NotRequired[Usage]
    ended: NotRequired[str]
    code: NotRequired[int]
    cpu: NotRequired[float]
    peak: NotRequired[int]
    failed: NotRequired[str]


class Rules(TypedDict):
    """The limits of a child; see `grader.judging.policy.Policy`."""

    locked: bool
    wall_factor: float
    disabled_rules: list[str]
    cpu_seconds: int
    memory_bytes: int
    processes: int
    open_files: int
    file_bytes: int
    scratch_bytes: int
