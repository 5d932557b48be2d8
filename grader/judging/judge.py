"""Run the test cells where students' code cannot reach: inputs go out, values come back.

The tests call ``check("name", …)``; here that sends the arguments to the child, which calls the
student's function, and compares what comes back in this process. Expected values, hidden tests and
the comparison itself never are in the student's process.
"""

import ast
import builtins
import contextlib
import functools
import io
import marshal
import traceback
import types

from grader.judging.stand_ins import StandIn, can_be_judged_here, failure_of
from grader.sandbox.inside import wire
from grader.sandbox.inside.last_value import as_number, compiled
from helpers.assignment import Checker, CheckFailed, Observation, Sheet
from helpers.assignment.time_limit import TookTooLong

SECONDS_ON_TOP = 10.0


class NotJudged(Exception):
    """The child was lost in a test; the message says how, for the feedback."""


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

    def __init__(self, checker, ask, seed=""):
        super().__init__(checker.assignment, checker.sheet, checker.seconds)
        self.seed = seed
        self._ask = ask
        self.after = ()
        self.code = ""
        self.printed = []

    def __call__(self, name, *args, **kwargs):
        return self._remote(name, name, None, args, kwargs)

    def probe(self, procedure, name, *args):
        label = f"{procedure.__name__} of {name}"
        return self._remote(name, label, procedure, args, {})

    def _remote(self, name, label, procedure, args, kwargs):
        blobs = []
        functions = [item for item in args if _is_function(item)] + (
            [procedure] if procedure else []
        )
        request = {
            "do": "call",
            "name": name,
            "procedure": pack_function(procedure, blobs) if procedure else None,
            "code": definitions(self.code, functions) if functions else "",
            "args": [
                pack_function(item, blobs) if _is_function(item) else wire.encode(item, blobs)
                for item in args
            ],
            "kwargs": [[key, wire.encode(item, blobs)] for key, item in kwargs.items()],
            "seconds": self.seconds,
        }
        reply, arrays = self._ask(request, blobs, self.seconds + SECONDS_ON_TOP)
        if reply.get("missing"):
            self._find_in({}, name)
        if reply.get("not callable"):
            self._find_in({name: type(str(reply["not callable"])[:40], (), {})()}, name)
        if reply.get("interrupted"):
            error, value, after = TookTooLong(), None, args
        elif reply.get("memory"):
            error, value, after = MemoryError("no memory is left"), None, args
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

    def _result(self, reply, arrays, args):
        """(error, value, arguments afterwards) from a reply that may hold anything."""
        try:
            if "error" in reply:
                return remote_error(reply["error"]), None, args
            value = wire.decode(reply["value"], arrays)
            after = tuple(
                before if _is_function(before) else wire.decode(item, arrays)
                for before, item in zip(args, reply["after"], strict=True)
            )
        except (wire.Nonsense, KeyError, TypeError, ValueError, RecursionError) as error:
            raise NotJudged("the answer of the notebook was no value") from error
        return None, value, after


def _are(items, kind, args):
    return (
        isinstance(items, list)
        and len(items) == len(args)
        and all(isinstance(item, kind) for item in items)
    )


def remote_error(data):
    """An exception here that stands for one in the child."""
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
        shown = types[0] if types and types[0].isidentifier() else name
        error = type(shown, (kind,), {"__str__": lambda self: text})()
    except TypeError:
        error = RemoteError(text)
    at = data.get("at")
    if isinstance(at, list) and len(at) == 2 and data.get("line"):
        line = str(data["line"])[:200]
        place = traceback.FrameSummary(
            "cell", int(at[1]), str(at[0])[:80], lookup_line=False, line=line
        )
        error.place = place
    return error


def _is_function(thing):
    return isinstance(thing, types.FunctionType)


def pack_function(function, blobs):
    """A function of a test as data: its compiled code, its defaults and what it encloses.

    Only ever sent from the grader to a child.
    """
    blobs.append(marshal.dumps(function.__code__))
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return {
        "is": "function",
        "blob": len(blobs) - 1,
        "name": function.__name__,
        "defaults": [wire.encode(item, blobs) for item in function.__defaults__ or ()],
        "closure": [wire.encode(item, blobs) for item in cells],
    }


def definitions(code, functions):
    """The part of a test cell that functions need: nothing of what is expected goes with it."""
    return _definitions(code, frozenset().union(*(_names(f.__code__) for f in functions)))


# The tests of an assignment are the same for every student.
@functools.lru_cache(1000)
def _definitions(code, names):
    needed, chosen = set(names), []
    for node in reversed(ast.parse(code).body):
        kept = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign
        if isinstance(node, kept) and defined_names(node) & needed:
            chosen.append(node)
            needed |= names_in(node)
    return ast.unparse(ast.Module(list(reversed(chosen)), []))


def _names(code):
    """The global names that compiled code uses, in the functions inside it, too."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def defined_names(node):
    """The names that an import, a definition or an assignment binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    targets = node.targets
    return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}


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

    def __init__(self, setup, ask, functions=(), seed=""):
        self.space = dict(setup)
        plain = RemoteChecker(Checker("", Sheet()), ask)
        self.stand_ins = {name: StandIn(plain, name) for name in functions}
        self.checkers = {
            name: RemoteChecker(value, ask, seed)
            for name, value in setup.items()
            if isinstance(value, Checker)
        }

    def can_judge(self, code):
        """Whether a test cell asks through a checker, or functions alone, and can be run here."""
        return self._has_checker(code) or can_be_judged_here(code, self.stand_ins, self.space)

    def _has_checker(self, code):
        return not used_names(code).isdisjoint(self.checkers)

    def run(self, code):
        """Run a test cell; returns (outputs, failure, value).

        `failure` is None only if the cell ran to its end here, and every check in it held; `value`
        is the number in which the cell ends, or None.
        """
        for checker in self.checkers.values():
            checker.code, checker.printed = code, []
        space = {**self.space, **self.stand_ins, **self.checkers}
        shown, failure, value = io.StringIO(), None, None
        try:
            with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(io.StringIO()):
                body, last = _compiled(code)
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
        text = printed + shown.getvalue() + ("✓ passed\n" if has_passed else "")
        outputs = []
        if text:
            outputs.append({"output_type": "stream", "name": "stdout", "text": text})
        if failure is not None:
            outputs.append(error_output(failure))
        return outputs, failure, value


@functools.lru_cache(1000)
def used_names(code):
    """The names that a cell uses; none of one that is no Python."""
    try:
        return frozenset(names_in(ast.parse(code)))
    except SyntaxError:
        return frozenset()


def names_in(node):
    """All names in a syntax tree."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


@functools.lru_cache(1000)
def _compiled(code):
    return compiled(code, "<test>")


def error_output(failure):
    """A failure as a notebook's output."""
    message = str(failure)
    if not isinstance(failure, CheckFailed | NotJudged):
        message = f"The test could not use what came back ({type(failure).__name__})."
    return {
        "output_type": "error",
        "ename": type(failure).__name__,
        "evalue": message,
        "traceback": [message],
    }
