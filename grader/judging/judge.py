"""Run the test cells where students' code cannot reach: inputs go out, values come back.

The tests call ``check("name", …)``; here that sends the arguments to the child, which calls the
student's function, and compares what comes back in this process. Expected values, hidden tests and
the comparison itself never are in the student's process.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import importlib
import io
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from grader.judging.failures import NotJudged, error_output
from grader.judging.functions import (
    definitions,
    is_function,
    pack_function,
    read_definitions,
    used_names,
)
from grader.judging.parts import asked_for, looked_up, names_of, split
from grader.judging.stand_ins import StandIn, can_be_judged_here, failure_of
from grader.records import Output
from grader.sandbox.inside import values, wire
from grader.sandbox.inside.last_value import as_number, compiled
from grader.sandbox.inside.messages import Call, Reply
from helpers.assignment import Checker, CheckFailed, Observation, Sheet
from helpers.assignment.time_limit import TookTooLong
from helpers.language import gettext

Ask = Callable[[Mapping[str, Any], list[wire.Blob], float], tuple[Reply, list[wire.Blob]]]
SECONDS_ON_TOP = 2.0
OURS = ("helpers", "grader")


class RemoteError(Exception):
    """An error that a student's function raised, of a kind that Python does not bring."""


class RemoteChecker(Checker):
    """A `Checker` whose calls happen in a child.

    Parameters
    ----------
    checker : Checker
        The one that the set-up cell made.
    ask : callable
        ``ask(request, blobs, seconds) -> (reply, blobs)``.
    seed : str
        The class's, for `rng`. It stays in this process.
    """

    def __init__(self, checker: Checker, ask: Ask, seed: str = "") -> None:
        super().__init__(checker.assignment, checker.sheet, checker.seconds)
        self.seed = seed
        self._ask = ask
        self.after: tuple[Any, ...] = ()
        self.code = ""
        self.printed: list[str] = []

    def __call__(self, name: str, *args: Any, **kwargs: Any) -> Observation:
        return self._remote(name, name, None, args, kwargs)

    def probe(self, procedure: Callable[..., object], name: str, *args: Any) -> Observation:
        assert isinstance(procedure, types.FunctionType)  # its code is sent in
        label = f"{procedure.__name__} of {name}"
        return self._remote(name, label, procedure, args, {})

    def _remote(
        self,
        name: str,
        label: str,
        procedure: types.FunctionType | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Observation:
        blobs: list[wire.Blob] = []
        functions = [item for item in args if is_function(item)] + (
            [procedure] if procedure else []
        )
        packed = pack_function(procedure, blobs) if procedure else None
        sent, ends = [], []
        for item in args:
            first = len(blobs)
            is_code = is_function(item)
            sent.append(pack_function(item, blobs) if is_code else values.encode(item, blobs))
            ends.append((first, len(blobs)))
        request: Call = {
            "do": "call",
            "name": name,
            "procedure": packed,
            "code": definitions(self.code, functions) if functions else "",
            "args": sent,
            "ends": ends,
            "kwargs": [(key, values.encode(item, blobs)) for key, item in kwargs.items()],
            "seconds": self.seconds,
        }
        reply, arrays = self._ask(request, blobs, self.seconds + SECONDS_ON_TOP)
        if reply.get("is_missing"):
            self._find_in({}, name)
        if reply.get("wrong_type"):
            kind = "object" if self.is_hidden else str(reply["wrong_type"])[:40]
            self._find_in({name: type(kind, (), {})()}, name)
        error: BaseException | None
        value, after = None, args
        if reply.get("interrupted"):
            error = TookTooLong()
        elif reply.get("out_of_memory"):
            error = MemoryError("no memory is left")
        else:
            error, value, after = self._result(reply, arrays, args)
        if not self.is_hidden:
            self.printed.append(str(reply.get("printed", ""))[:10_000])
        names, shares = reply.get("names"), reply.get("shares")
        if not _are(names, str, args):
            names = None
        if not _are(shares, bool, args):
            shares = [False] * len(args)
        before, self.after = (args, kwargs), after
        return Observation(self, name, label, names, before, (after, kwargs), value, error, shares)

    def _result(
        self, reply: Reply, arrays: Sequence[wire.Blob], args: tuple[Any, ...]
    ) -> tuple[BaseException | None, Any, tuple[Any, ...]]:
        """(error, value, arguments afterwards) from a reply that may hold anything."""
        try:
            if "error" in reply:
                return remote_error(reply["error"], self.is_hidden), None, args
            decoder = values.Decoder(arrays)
            value = decoder.value(reply["value"])
            after = tuple(
                before if item is None or is_function(before) else decoder.value(item)
                for before, item in zip(args, reply["after"], strict=True)
            )
        except (wire.Nonsense, KeyError, TypeError, ValueError, AttributeError) as error:
            raise NotJudged("the answer of the notebook was no value") from error
        return None, value, after


def _are(items: Any, kind: type, args: Sequence[Any]) -> bool:
    return (
        isinstance(items, list)
        and len(items) == len(args)
        and all(isinstance(item, kind) for item in items)
    )


def remote_error(data: Any, is_hidden: bool = False) -> BaseException:
    """An exception here that stands for one in the child.

    In a hidden test it is of a type that Python brings along, and of no place: the student's own
    names may hold what the function was given.
    """
    types = [str(name)[:60] for name in data.get("types", [])][:20]
    text = str(data.get("text", ""))[:2000]
    if "TookTooLong" in types[:1]:
        return TookTooLong()
    for name in types:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            break
    else:
        name, kind = "Exception", Exception
    try:
        # With the student's own name for it, if it is not a builtin one.
        shown = types[0] if types and types[0].isidentifier() and not is_hidden else name
        error: Any = type(shown, (kind,), {"__str__": lambda self: text})()
    except TypeError:
        error = RemoteError(text)
    at = data.get("at")
    if not is_hidden and isinstance(at, list) and len(at) == 2 and data.get("line"):
        line = str(data["line"])[:200]
        place = traceback.FrameSummary(
            "cell", int(at[1]), str(at[0])[:80], lookup_line=False, line=line
        )
        error.place = place
    return error


class Verdict(NamedTuple):
    """What a test came to, and what it has defined.

    ``failure`` is None only if it ran to its end, and every check in it held. ``value`` is the
    number in which it ends, or None.
    """

    outputs: list[Output]
    failure: Exception | None
    space: dict[str, Any] | None = None
    value: float | None = None


class Judge:
    """The tests of one submission.

    Parameters
    ----------
    setup : dict
        The namespace that the set-up cells made here, in the grader.
    ask : callable
        As of `RemoteChecker`.
    functions : sequence of str
        What the instructor's solution defines with ``def``: tests may call it without a checker.
    seed : str
        The class's.
    """

    def __init__(
        self, setup: Mapping[str, Any], ask: Ask, functions: Sequence[str] = (), seed: str = ""
    ) -> None:
        self.space = dict(setup)
        plain = RemoteChecker(Checker("", Sheet()), ask)
        self.stand_ins = {name: StandIn(plain, name) for name in functions}
        self.checkers = {
            name: RemoteChecker(value, ask, seed) for name, value in checkers_in(setup).items()
        }

    def can_judge(self, code: str) -> bool:
        """Whether a test cell asks through a checker, or functions alone, and can be run here."""
        return self._has_checker(code) or can_be_judged_here(code, self.stand_ins, self.space)

    def _has_checker(self, code: str) -> bool:
        return not used_names(code).isdisjoint(self.checkers)

    def run(
        self, code: str, part: str | None = None, space: dict[str, Any] | None = None
    ) -> Verdict:
        """Run a test cell.

        Parameters
        ----------
        code : str
        part : str, optional
            What of it is to be run; by default all of it.
        space : dict, optional
            The namespace that another part has left.
        """
        for checker in self.checkers.values():
            checker.code, checker.printed = code, []
        if space is None:
            space = {**self.space, **self.stand_ins, **self.checkers}
        shown = io.StringIO()
        failure: Exception | None = None
        value: float | None = None
        try:
            with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(io.StringIO()):
                body, last = _compiled(code if part is None else part)
                exec(body, space)
                if last is not None:
                    value = as_number(eval(last, space))
        except CheckFailed as failed:
            failure = failed
        except NotJudged as lost:
            failure = lost
        except Exception as error:
            # The test itself met something that it did not expect in a value.
            failure = error if self._has_checker(code) else failure_of(error, code)
        printed = "".join(text for c in self.checkers.values() for text in c.printed)
        has_passed = failure is None and value is None
        text = printed + shown.getvalue() + (passed() if has_passed else "")
        outputs: list[Output] = []
        if text:
            outputs.append({"output_type": "stream", "name": "stdout", "text": text})
        if failure is not None:
            outputs.append(error_output(failure))
        return Verdict(outputs, failure, space, value)


def checkers_in(setup: Mapping[str, Any]) -> dict[str, Checker]:
    """The checkers that the set-up cells have made, by name."""
    return {name: value for name, value in setup.items() if isinstance(value, Checker)}


def passed() -> str:
    """What a test shows that has passed: the same as at the student's."""
    return f"{gettext('✓ passed')}\n"


def read_ahead(cells: Sequence[Mapping[str, Any]], setup: Mapping[str, Any]) -> None:
    """Read tests and set-up before the process is forked that judges: once for all submissions.

    What the tests import of the course is imported, too.

    Parameters
    ----------
    cells : sequence of mappings
        `grader.cells.Cell` as dicts. What a student has written is not read here.
    setup : dict
        The namespace that the set-up cells made here.
    """
    checkers = frozenset(checkers_in(setup))
    for cell in cells:
        code = cell["source"]
        if cell["kind"] == "test":
            with contextlib.suppress(SyntaxError, ValueError, ImportError):  # told when it is run
                asked_for(code, checkers)
                for part in split(code) or (code,):
                    body, _ = _compiled(part)
                    read_definitions(code, body)
                _import_ours(code)
        elif cell["kind"] == "setup":
            names_of(code)
            looked_up(code)


@functools.lru_cache(1000)
def _import_ours(code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(OURS):
            importlib.import_module(node.module)
            if node.module == "helpers":
                for alias in node.names:
                    importlib.import_module(f"helpers.{alias.name}")


@functools.lru_cache(1000)
def _compiled(code: str) -> tuple[types.CodeType, types.CodeType | None]:
    return compiled(code, "<test>")
