"""The life of a child: one submission's cells and calls, asked for one at a time."""

import builtins
import contextlib
import functools
import hashlib
import inspect
import io
import marshal
import os
import random
import signal
import sys
import time
import traceback
import types

import numpy as np

from . import shell as shells
from . import wire

SECONDS_TO_LOOK = 1.0
# What is imported from elsewhere than the working folder: Python, its packages and the course.
NOT_THEIRS = (
    *("/opt/", "/usr/", "<frozen", "<test>"),
    *(path for path in sys.path if path and path != os.getcwd()),
)


class TookTooLong(BaseException):
    """A call that ran out of time."""


class Child:
    """Answers the grader's requests in a student's namespace.

    Parameters
    ----------
    sock : socket
        To the grader.
    shell : Shell
    controls : Controls
    """

    def __init__(self, sock, shell, controls):
        self.sock = sock
        self.shell = shell
        self.controls = controls
        self.is_busy = False
        self.names = {}  # of arguments, by the function's name: (function, their number, names)

    def serve(self):
        """Answer until the grader says that it is done, or is gone."""
        signal.signal(signal.SIGINT, self.interrupt)
        while True:
            try:
                request, blobs = wire.receive(self.sock, trusted=True)
            except wire.Gone:
                return
            if request["do"] == "end":
                return
            answer = getattr(self, request["do"])
            out = []
            try:
                self.is_busy = True
                reply = answer(request, blobs, out)
                self.is_busy = False
            except KeyboardInterrupt:
                self.is_busy = False
                reply, out = {"interrupted": True}, []
            except MemoryError:
                self.is_busy = False
                reply, out = {"memory": True}, []
            number = {"number": request["number"]}
            try:
                packed = wire.pack({**reply, **number}, out)
            except MemoryError:
                packed, out = wire.pack({"memory": True, **number}), []
            except Exception:  # what the student's objects say of themselves is no text
                packed, out = wire.pack(number), []
            wire.send_packed(self.sock, packed, out)

    def interrupt(self, signum, frame):
        """Stop the student's code; what comes when it has ended already stops nothing."""
        if self.is_busy:
            raise KeyboardInterrupt

    def begin(self, request, blobs, out):
        """Start afresh: seeds, environment, and the files that lie beside the notebook."""
        seed = int.from_bytes(hashlib.sha256(request["seed"].encode()).digest()[:4], "big")
        random.seed(seed)
        for name in ("numpy", "torch"):
            module = sys.modules.get(name)
            if module is not None:
                module.random.seed(seed) if name == "numpy" else module.manual_seed(seed)
        for name, blob in zip(request["files"], blobs, strict=True):
            # The working folder is its own private one.
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "wb") as file:
                file.write(blob)
        return {"ready": True}

    def run(self, request, blobs, out):
        """Run a cell of the notebook."""
        start = time.process_time()
        outputs, failed, count = shells.run_cell(self.shell, request["code"], request["most"])
        return {
            "outputs": outputs,
            "failed": failed,
            "count": count,
            "full": shells.collector.is_full,
            "cpu": time.process_time() - start,
        }

    def test(self, request, blobs, out):
        """Run a test beside the student's code; what it expects is known to them while it runs."""
        return self.controls.run(request["code"], request["most"])

    def call(self, request, blobs, out):
        """Call a function of the notebook, or show it to a procedure of the test."""
        space = self.shell.user_ns
        name = request["name"]
        if name not in space:
            return {"missing": True}
        thing = space[name]
        if not callable(thing):
            return {"not callable": type(thing).__name__}
        tested = self.test_space(request["code"])
        args = [
            unpack_function(item, blobs, tested)
            if item["is"] == "function"
            else wire.decode(item, blobs)
            for item in request["args"]
        ]
        kwargs = {key: wire.decode(item, blobs) for key, item in request["kwargs"]}
        printed = io.StringIO()
        reply = {}
        start = time.process_time()
        try:
            function = thing
            if request["procedure"] is not None:
                function = functools.partial(
                    unpack_function(request["procedure"], blobs, tested), thing
                )
            # A value may be of the student's own making: to look at it is to run their code.
            with (
                time_limit(request["seconds"]),
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                value = function(*args, **kwargs)
                reply["value"] = wire.encode(value, out)
                reply["shares"] = shares_memory(value, args)
                reply["after"] = [wire.encode(item, out) for item in args]
        except KeyboardInterrupt:
            raise
        except BaseException as raised:
            out.clear()
            reply = {"error": describe(raised)}
        return {
            **reply,
            "cpu": time.process_time() - start,
            "printed": printed.getvalue()[:10_000],
            "names": None if request["procedure"] else self.argument_names(name, thing, args),
        }

    def argument_names(self, name, thing, args):
        """The student's own names for the arguments, or None."""
        known = self.names.get(name)
        if known is None or known[0] is not thing or known[1] != len(args):
            found = asked(lambda: list(inspect.signature(thing).bind(*args).arguments), None)
            known = thing, len(args), found and [str(argument)[:60] for argument in found]
            self.names[name] = known
        return known[2]

    def control(self, request, blobs, out):
        """What was exchanged in this process."""
        return {"changed": self.controls.changed()}

    def test_space(self, code):
        """What the test brings along: a namespace of its own, without the student's names."""
        space = {"np": np, "__name__": "__main__"}
        torch = sys.modules.get("torch")
        if torch is not None:
            space.update(torch=torch, nn=torch.nn)
        space["__builtins__"] = builtins
        if code:
            exec(compile(code, "<test>", "exec"), space)
        return space


def unpack_function(item, blobs, space):
    """A function of a test, as the grader sent it, with this namespace as its globals."""
    defaults = tuple(wire.decode(part, blobs) for part in item["defaults"])
    cells = tuple(types.CellType(wire.decode(part, blobs)) for part in item["closure"])
    code = marshal.loads(blobs[item["blob"]])
    return types.FunctionType(code, space, item["name"], defaults, cells)


@contextlib.contextmanager
def time_limit(seconds):
    """As `helpers.assignment.time_limit`, which need not be there."""

    def stop(signum, frame):
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)


def asked(question, default):
    """The answer of an object of the student's, which may be anything and take any time."""
    try:
        with time_limit(SECONDS_TO_LOOK):
            return question()
    except KeyboardInterrupt:
        raise
    except BaseException:
        return default


def describe(error):
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
        "at": [place.name, place.lineno] if place else None,
    }


def shares_memory(value, args):
    """For each argument: does the result lie in the same memory?"""

    def array(thing):
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
