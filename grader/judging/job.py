"""Execute one submission: a pure function, JSON in and JSON out.

`execute` may run anywhere that has the course installed. It starts the warm server on its first
call and keeps it; the gradebook, the other submissions and the network are out of its reach.
"""

import ast
import base64
import contextlib
import functools
import hashlib
import json
import multiprocessing.util
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from grader.judging.judge import (
    Judge,
    NotJudged,
    defined_names,
    error_output,
    names_in,
    used_names,
)
from grader.judging.policy import OUTER_RULES, Policy
from grader.judging.probes import must_fail, questions
from grader.judging.stand_ins import failure_at
from grader.outcomes import SENTENCES, Outcome
from grader.outputs import clean_outputs
from grader.sandbox.client import MODULES, ChildEnded, Server, ServerLost, modules_for
from grader.sandbox.inside.last_value import as_number
from grader.text import writable
from helpers.assignment import CheckFailed, Sheet

ENDINGS: dict[str, Outcome] = {
    "cpu": "total timeout",
    "memory": "out of memory",
    "output": "too much output",
    "nonsense": "tampering suspected",
}

# How often control questions come before a test that runs beside the student's code, and before
# one that is judged here, where nothing in that process can make it pass.
CONTROLS, CONTROLS_APART = 0.5, 0.2

_servers = {}
_setups = {}
_shared = None  # (control, modules, whether it is locked) of a server for all of this machine


class Retry(Exception):
    """The machine failed, not the student: to be done again, elsewhere if possible."""


def execute(job):
    """Run a rebuilt notebook and judge its tests.

    Parameters
    ----------
    job : str
        A `grader.records.Job` as JSON, with its seed.

    Returns
    -------
    str
        A `grader.records.Result` as JSON.

    Raises
    ------
    Retry
    """
    data = json.loads(job)
    try:
        return writable(json.dumps(Run(data).result(), ensure_ascii=False))
    except ServerLost as error:
        close_servers()
        raise Retry(str(error)) from None


def share(control, modules, locked):
    """Fork this process's servers from that of another: it has imported everything once for all."""
    global _shared
    _shared = (control, modules, locked)


def _start(off, locked, modules):
    global _shared
    if _shared is not None and not off and locked == _shared[2]:
        control, imported, _ = _shared
        try:
            more = [name for name in modules if name not in imported]
            return Server.forked(control, imported, more)
        except ServerLost:
            _shared = None  # from now on this process has one of its own
    return Server(off, modules, locked)


def server(off=(), locked=True, modules=MODULES):
    """The warm server of this process, started on first use."""
    off = tuple(sorted(set(off) & set(OUTER_RULES)))
    key = (os.getpid(), off, locked, modules)
    if key not in _servers:
        _servers[key] = _start(off, locked, modules)
        # Workers of a pool end without atexit's functions, but with these.
        multiprocessing.util.Finalize(None, close_servers, exitpriority=10)
    return _servers[key]


def close_servers():
    """End the servers of this process."""
    for key in [key for key in _servers if key[0] == os.getpid()]:
        _servers.pop(key).close()


@contextlib.contextmanager
def among(files):
    """A working folder in which these files (base64, by name) lie, and can be imported."""
    if not files:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            Path(folder, name).write_bytes(base64.b64decode(data))
        sys.path.insert(0, folder)
        try:
            with contextlib.chdir(folder):
                yield
        finally:
            sys.path.remove(folder)


def setup_space(cells, files, beside):
    """The namespace that the set-up cells make in the grader; made once, then copied."""
    code = needed_setup(
        "\n\n".join(cell["source"] for cell in cells if cell["kind"] == "setup"),
        tuple(cell["source"] for cell in cells if cell["kind"] == "test"),
    )
    key = hashlib.sha256(json.dumps([code, files, beside]).encode()).hexdigest()
    if key not in _setups:
        space = {"__name__": "__main__"}
        sheet = Sheet(**json.loads(files["checks.json"])) if "checks.json" in files else Sheet()
        with among(beside):
            exec(compile(code, "<setup>", "exec"), space)
        for value in space.values():
            if hasattr(value, "sheet"):
                value.sheet = sheet
        _setups.clear()
        _setups[key] = space
    return _setups[key]


@functools.lru_cache(100)
def needed_setup(code, tests):
    """Set-up code without imports that no test uses: to import torch takes seconds."""
    tree = ast.parse(code)
    rest = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    used = names_in(ast.Module(rest, [])).union(*map(used_names, tests))
    used.add("*")
    kept = [node for node in tree.body if node in rest or defined_names(node) & used]
    return ast.unparse(ast.Module(kept, []))


class Run:
    """One submission on its way."""

    def __init__(self, data):
        self.data = data
        self.cells = data["cells"]
        self.policy = Policy.from_dict(data["policy"])
        modules = modules_for("".join(c["source"] for c in self.cells if c["cell_type"] == "code"))
        self.server = server(self.policy.off, self.policy.locked, modules)
        functions = [name for cell in self.cells for name in cell.get("functions", ())]
        self.class_seed = data["class_seed"]
        space = setup_space(self.cells, data.get("files", {}), data.get("beside", {}))
        self.judge = Judge(space, self.ask, functions, self.class_seed)
        self.places = random.Random(data["seed"])
        self.child = None
        self.replay = []  # the codes that a new child has to run again
        self.restarts = 0
        self.worst = "graded"
        self.flags = []
        self.cpu = 0.0
        self.shown = 0

    def result(self):
        """Everything that is recorded about the submission."""
        start = time.monotonic()
        self.deadline = start + self.policy.total_seconds
        outputs, tests = [], {}
        try:
            for cell in self.cells:
                if cell["cell_type"] != "code":
                    outputs.append([[], None])
                elif cell["kind"] == "test":
                    is_apart = self.judge.can_judge(cell["source"])
                    if self.places.random() < (CONTROLS_APART if is_apart else CONTROLS):
                        self.control()
                    shown, failure, value = self.run_test(cell)
                    outputs.append([shown, None])
                    mark = tests[cell["grade_id"]] = self.mark(cell, failure, value)
                    if value is not None and failure is None:
                        text = f"{mark['score']:g} of {mark['max_score']:g} points\n"
                        shown.append({"output_type": "stream", "name": "stdout", "text": text})
                else:
                    outputs.append(self.run_cell(cell))
            self.control(every=True)
        finally:
            if self.child is not None:
                ended = self.child.close() or {}
                self.cpu += ended.get("cpu", 0.0)
        outcome = self.worst
        if outcome == "graded" and self.flags:
            outcome = "tampering suspected"
        return {
            "outcome": outcome,
            "outputs": outputs,
            "tests": tests,
            "flags": sorted(set(self.flags)),
            "class_seed": self.class_seed,
            "seconds": time.monotonic() - start,
            "cpu": self.cpu,
        }

    def mark(self, cell, failure, value=None):
        """The record of a test; a number at its end is its score, as in nbgrader."""
        points = cell["points"]
        score = points if value is None else min(max(value, 0.0), points)
        record = {"score": 0.0 if failure else score, "max_score": points}
        if failure is not None:
            is_check = isinstance(failure, CheckFailed)
            record["failure"] = {
                "kind": failure.kind if is_check else "error",
                "message": str(failure)[:5000],
                "hidden": is_check and failure.hidden,
                "diagnosis": failure.diagnosis if is_check else None,
            }
        return record

    def run_cell(self, cell):
        """Run a cell of the student's, or a set-up cell, in the child: outputs and count."""
        if not cell["source"].strip():
            return [[], None]
        try:
            reply = self.run_code(cell["source"])
        except (ChildEnded, NotJudged) as ended:
            return [[self.ending(ended)], None]
        self.replay.append(cell["source"])
        return [reply["outputs"], reply["count"]]

    def run_code(self, code):
        request = {"do": "run", "code": code, "most": self.policy.output_bytes}
        reply, _ = self.ask(request, [], self.policy.cell_seconds)
        outputs = self.keep(reply)
        failed = bool(reply.get("failed")) or bool(reply.get("interrupted"))
        if reply.get("interrupted"):
            outputs.append(self.error(self.note(self.timeout())))
        elif reply.get("memory"):
            self.note("out of memory")
            outputs.append(self.error("out of memory"))
            failed = True
        count = reply.get("count")
        return {
            "outputs": outputs,
            "failed": failed or any(o["output_type"] == "error" for o in outputs),
            "count": count if isinstance(count, int) and 0 <= count < 10**6 else None,
        }

    def run_test(self, cell):
        """Judge a test: its outputs, its failure, and the number in which it ends; or None."""
        code = cell["source"]
        if self.judge.can_judge(code):
            return self.judge.run(code)
        try:
            # It runs beside the student's code, and proves less.
            reply = self.ask_test(code)
            if not reply["failed"]:
                self.prove(code)
        except (ChildEnded, NotJudged) as ended:
            return [self.ending(ended)], ended, None
        outputs, failure = self.keep(reply), None
        if reply.get("interrupted") or reply.get("memory"):
            ending = self.timeout() if reply.get("interrupted") else "out of memory"
            failure = NotJudged(SENTENCES[self.note(ending)].in_cell)
        elif reply["failed"]:
            failure = failure_at(reply.get("line"), str(reply.get("text", ""))[:2000], code)
        if failure is not None:
            outputs.append(error_output(failure))
        return outputs, failure, as_number(reply.get("value"))

    def ask_test(self, code):
        """Run a test in the child; the reply says whether it ``failed``."""
        request = {"do": "test", "code": code, "most": self.policy.output_bytes}
        reply, _ = self.ask(request, [], self.policy.cell_seconds)
        stopped = reply.get("interrupted") or reply.get("memory")
        return {**reply, "failed": reply.get("failed") is not False or bool(stopped)}

    def keep(self, reply):
        """What a cell shows, unless that is more than a notebook may show."""
        outputs = clean_outputs(reply.get("outputs"))
        if "output" in self.policy.off:
            return outputs
        self.shown += len(json.dumps(reply.get("outputs")))
        if reply.get("full") or self.shown > self.policy.total_output_bytes:
            self.note("too much output")
        return outputs if self.shown <= self.policy.total_output_bytes else []

    def prove(self, code):
        """Raise `NotJudged` unless a test that has passed fails when it is made wrong."""
        for wrong in must_fail(code, self.places):
            # A test may depend on chance: it is asked again before anybody is suspected.
            if not self.ask_test(wrong)["failed"] and not self.ask_test(wrong)["failed"]:
                self.flags.append("a test that was made wrong passed in this notebook")
                raise NotJudged(SENTENCES["tampering suspected"].in_cell)

    def ask(self, request, blobs, seconds):
        """Ask the child, starting one if there is none; raises `NotJudged` if it was lost."""
        if time.monotonic() >= self.deadline:
            self.note("total timeout")
            raise NotJudged(SENTENCES["total timeout"].in_cell)
        if self.child is None:
            self.start()
        left = self.deadline - time.monotonic()
        if "cell time" in self.policy.off:
            seconds = left
        try:
            return self.child.ask(
                request, blobs, min(seconds, max(left, 0.1)), self.policy.grace_seconds
            )
        except ChildEnded as ended:
            ending = self.note(self.name_of(ended))
            if ended.why == "nonsense":
                self.flags.append("something else than an answer came from the notebook's process")
            self.lose_child()
            raise NotJudged(SENTENCES[ending].in_cell) from ended

    def start(self):
        """A child in which everything that worked so far has been run."""
        if self.restarts > self.policy.restarts:
            raise NotJudged("It had to be started again too often: the rest did not run.")
        self.restarts += 1
        self.child = self.server.child(self.policy)
        texts = {name: text.encode() for name, text in self.data.get("files", {}).items()}
        others = {**self.data.get("handed_in", {}), **self.data.get("beside", {})}
        files = {name: base64.b64decode(data) for name, data in others.items()} | texts
        begin = {"do": "begin", "seed": self.data["seed"], "files": list(files)}
        try:
            self.child.ask(begin, list(files.values()), 60.0)
            for code in self.replay:
                left = max(self.deadline - time.monotonic(), 0.1)
                seconds = min(self.policy.cell_seconds, left)
                self.child.ask({"do": "run", "code": code, "most": 2**20}, [], seconds)
        except ChildEnded as ended:
            if ended.why == "by itself" and not self.replay:
                raise ServerLost(str(ended)) from ended
            self.note(self.name_of(ended))
            self.lose_child()
            raise NotJudged(SENTENCES["died"].in_cell) from ended

    def lose_child(self):
        ended = self.child.close() or {}
        self.cpu += ended.get("cpu", 0.0)
        self.child = None

    def control(self, every=False):
        """Ask what has a known answer; what is answered wrongly is noted for a person."""
        if self.child is None:
            return
        try:
            for name, code, holds in questions(
                self.places, None if every else 3, self.server.modules
            ):
                reply = self.ask_test(code)
                said = f"{name} {'fails' if holds else 'holds'} where it must not"
                # Another error than a failed claim is a want of memory or files, say.
                is_wrong = reply["failed"] is holds and (not holds or reply.get("is claim"))
                if is_wrong and said not in str(self.flags):
                    self.flags.append(f"{said}: {code}")
            changed = self.ask({"do": "control"}, [], 20.0)[0].get("changed")
        except NotJudged:
            return
        if not isinstance(changed, list):
            self.flags.append("the control questions were not answered")
        else:
            self.flags += [str(item)[:200] for item in changed[:20]]

    def name_of(self, ended):
        """What the end of a child is called in the records."""
        return self.timeout() if ended.why == "timeout" else ENDINGS.get(ended.why, "died")

    def timeout(self):
        """Which time is over: the cell's, or the whole notebook's."""
        return "total timeout" if time.monotonic() >= self.deadline else "cell timeout"

    def note(self, ending):
        """Remember the first thing that went wrong; returns what went wrong now."""
        if self.worst == "graded":
            self.worst = ending
        return ending

    def ending(self, ended):
        """The output of a cell in which the child was lost, or which did not run."""
        return error_output(ended if isinstance(ended, NotJudged) else NotJudged(str(ended)))

    def error(self, ending):
        return error_output(NotJudged(SENTENCES[ending].in_cell))
