"""The life of a child: one submission's cells and calls, asked for one at a time."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import io
import marshal
import os
import random
import signal
import socket
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from helpers.assignment.time_limit import WALL_FACTOR, time_limit
from helpers.language import LANGUAGE

from . import shell as shells
from . import values, wire
from .branches import Branches
from .controls import Controls
from .messages import Begin, Branch, Call, Control, RaisedError, Reply, Run, Value
from .spaces import test_space

Answer = TypeVar("Answer")
SECONDS_TO_LOOK = 1.0
# What is imported from elsewhere than the working folder: Python, its packages and the course.
NOT_THEIRS = (
    *("/opt/", "/usr/", "<frozen", "<test>"),
    *(path for path in sys.path if path and path != os.getcwd()),
)


class Child:
    """Answers the grader's requests in a student's namespace.

    Parameters
    ----------
    sock : socket
        To the grader.
    shell : Shell
    controls : Controls
    """

    def __init__(self, sock: socket.socket, shell: shells.Shell, controls: Controls) -> None:
        self.sock = sock
        self.shell = shell
        self.controls = controls
        self.branches = Branches()
        self.is_busy = False
        # Names of arguments, by the function's name: (function, their number, names).
        self.names: dict[str, tuple[Any, int, list[str] | None]] = {}

    def serve(self) -> None:
        """Answer until the grader says that it is done, or is gone."""
        signal.signal(signal.SIGINT, self.interrupt)
        while self.serve_one():
            pass

    def serve_one(self) -> bool:
        """Answer one request; False if there is none any more."""
        try:
            request, blobs = wire.receive(self.sock, trusted=True)
        except wire.Gone:
            return False
        if request["do"] == "end":
            return False
        number = {"number": request["number"]}
        answer = getattr(self, request["do"])
        out: list[wire.Blob] = []
        try:
            self.is_busy = True
            reply = answer(request, blobs, out)
            self.is_busy = False
        except KeyboardInterrupt:
            self.is_busy = False
            reply, out = {"interrupted": True}, []
        except MemoryError:
            self.is_busy = False
            reply, out = {"out_of_memory": True}, []
        try:
            packed = wire.pack({**reply, **number}, out)
        except MemoryError:
            packed, out = wire.pack({"out_of_memory": True, **number}), []
        except Exception:  # what the student's objects say of themselves is no text
            packed, out = wire.pack(number), []
        wire.send_packed(self.sock, packed, out)
        self.branches.follow()
        return True

    def interrupt(self, signum: int, frame: types.FrameType | None) -> None:
        """Stop the student's code; what comes when it has ended already stops nothing."""
        if self.branches.interrupt():
            return
        if self.is_busy:
            raise KeyboardInterrupt

    def begin(self, request: Begin, blobs: Sequence[wire.Blob], out: list[wire.Blob]) -> Reply:
        """Start afresh: seeds, environment, and the files that lie beside the notebook."""
        os.environ[LANGUAGE] = request["language"]
        seed = int.from_bytes(hashlib.sha256(request["seed"].encode()).digest()[:4], "big")
        random.seed(seed)
        for name in ("numpy", "torch"):
            module = sys.modules.get(name)
            if module is not None:
                module.random.seed(seed) if name == "numpy" else module.manual_seed(seed)
        for name, blob in zip(request["files"], blobs, strict=True):
            # The working folder is its own private one.
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)  # one that is there could only be read
            with open(name, "wb") as file:
                file.write(blob)
            os.chmod(name, 0o444)  # the next cell, and the next test, find what was given
        return {}

    def run(self, request: Run, blobs: Sequence[wire.Blob], out: list[wire.Blob]) -> Reply:
        """Run a cell of the notebook."""
        outputs, failed, count = shells.run_cell(
            self.shell, request["code"], request["output_limit"]
        )
        is_full = shells.collector.is_full
        return {"outputs": outputs, "failed": failed, "count": count, "is_full": is_full}

    def test(self, request: Run, blobs: Sequence[wire.Blob], out: list[wire.Blob]) -> Reply:
        """Run a test beside the student's code; what it expects is known to them while it runs."""
        return self.controls.run(request["code"], request["output_limit"])

    def call(self, request: Call, blobs: list[wire.Blob], out: list[wire.Blob]) -> Reply:
        """Call a function of the notebook, or show it to a procedure of the test."""
        space = self.shell.user_ns
        name, seconds = request["name"], request["seconds"]
        if name not in space:
            return {"is_missing": True}
        thing = space[name]
        if not callable(thing):
            return {"wrong_type": type(thing).__name__}
        function, args, kwargs = unpack_call(request, blobs, thing)
        is_plain = function is thing
        # Copies: what came is one piece of memory, with all that the request holds.
        given = [
            (item, first, list(map(bytes, blobs[first:last])))
            for item, (first, last) in zip(request["args"], request["ends"], strict=True)
        ]
        # Whatever runs now may look into the frames of its callers: only the arguments are there.
        request.clear()  # type: ignore[attr-defined]
        blobs.clear()
        printed = io.StringIO()
        reply: Reply = {}
        try:
            # A value may be of the student's own making: to look at it is to run their code.
            with (
                time_limit(WALL_FACTOR * seconds, seconds),
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                value = function(*args, **kwargs)
                reply["value"] = values.encode(value, out)
                reply["shares"] = shares_memory(value, args)
                reply["after"] = [
                    None if is_as_sent(item, *sent) else values.encode(item, out)
                    for item, sent in zip(args, given, strict=True)
                ]
                del value
        except KeyboardInterrupt:
            raise
        except BaseException as raised:
            out.clear()
            reply = {"error": describe(raised)}
        reply["printed"] = printed.getvalue()[:10_000]
        reply["names"] = self.argument_names(name, thing, args) if is_plain else None
        return reply

    def argument_names(self, name: str, thing: Any, args: Sequence[Any]) -> list[str] | None:
        """The student's own names for the arguments, or None."""
        known = self.names.get(name)
        if known is None or known[0] is not thing or known[1] != len(args):
            found = asked(lambda: list(inspect.signature(thing).bind(*args).arguments), None)
            known = thing, len(args), found and [str(argument)[:60] for argument in found]
            self.names[name] = known
        return known[2]

    def control(self, request: Control, blobs: Sequence[wire.Blob], out: list[wire.Blob]) -> Reply:
        """What was exchanged in this process, and what control questions come to."""
        runs = [self.controls.run(code, output_limit=0) for code in request["codes"]]
        answers: list[Reply] = [
            {"failed": run["failed"], "is_assertion": run.get("is_assertion", False)}
            for run in runs
        ]
        return {"changed": self.controls.changed(), "answers": answers}

    def keep(self, request: Branch, blobs: Sequence[wire.Blob], out: list[wire.Blob]) -> Reply:
        """Keep a copy of this process as it is now, to be entered later."""
        return {"kept": self.branches.keep(self.serve_one)}

    def enter(self, request: Branch, blobs: Sequence[wire.Blob], out: list[wire.Blob]) -> Reply:
        """Let a copy answer what comes next."""
        self.branches.enter(request["copy"])
        return {}

    def leave(self, request: Branch, blobs: Sequence[wire.Blob], out: list[wire.Blob]) -> Reply:
        """Leave this copy; where it was kept the original goes on."""
        self.branches.leave(request["is_needed"])
        return {}


def unpack_call(
    request: Call, blobs: Sequence[wire.Blob], thing: Callable[..., Any]
) -> tuple[Callable[..., Any], list[Any], dict[str, Any]]:
    """What to call, with which arguments, as the grader sent it."""
    space = test_space(request["code"])
    decoder = values.Decoder(blobs)
    args = [
        unpack_function(item, decoder, space) if item["is"] == "function" else decoder.value(item)
        for item in request["args"]
    ]
    kwargs = {key: decoder.value(item) for key, item in request["kwargs"]}
    if request["procedure"] is None:
        return thing, args, kwargs
    return functools.partial(unpack_function(request["procedure"], decoder, space), thing), args, {}


def is_as_sent(item: Any, sent: Value, first: int, blobs: Sequence[wire.Blob]) -> bool:
    """Whether an argument is what the grader has sent, whose first blob has this number."""
    now: list[wire.Blob] = [b""] * first
    return values.encode(item, now) == sent and now[first:] == blobs


def unpack_function(item: Value, decoder: values.Decoder, space: dict[str, Any]) -> Any:
    """A function of a test, as the grader sent it, with this namespace as its globals."""
    defaults = tuple(decoder.value(part) for part in item["defaults"])
    cells = tuple(types.CellType(decoder.value(part)) for part in item["closure"])
    blob = decoder.blobs[item["blob"]]
    assert blob is not None
    return types.FunctionType(marshal.loads(blob), space, item["name"], defaults, cells)


def asked(question: Callable[[], Answer], default: Answer) -> Answer:
    """The answer of an object of the student's, which may be anything and take any time."""
    try:
        with time_limit(WALL_FACTOR * SECONDS_TO_LOOK, SECONDS_TO_LOOK):
            return question()
    except KeyboardInterrupt:
        raise
    except BaseException:
        return default


def describe(error: BaseException) -> RaisedError:
    """An exception as text: its types, what it says, and the student's line."""
    place = None
    for frame in traceback.extract_tb(error.__traceback__, limit=-200):
        path = frame.filename
        if not path.startswith(NOT_THEIRS):
            place = frame
    return {
        "types": [str(kind.__name__) for kind in type(error).__mro__][:20],
        "text": asked(lambda: str(error)[:2000], ""),
        "line": (place.line or "").strip()[:200] if place else "",
        "at": (place.name, place.lineno) if place else None,
    }


def shares_memory(value: Any, args: Sequence[Any]) -> list[bool]:
    """For each argument: does the result lie in the same memory?"""

    def array(thing: Any) -> np.ndarray | None:
        if hasattr(thing, "detach") and hasattr(thing, "numpy"):
            return thing.detach().cpu().numpy()
        return thing if isinstance(thing, np.ndarray) else None

    try:
        result = array(value)
        return [
            result is not None
            and (given := array(item)) is not None
            and bool(np.shares_memory(result, given))
            for item in args
        ]
    except Exception:
        return [False] * len(args)
