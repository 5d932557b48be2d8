"""The student's process: started, asked, ended, and held to the time of the whole."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from grader.judging.failures import OUTCOME_OF, NotJudged
from grader.judging.functions import error_of_definitions
from grader.judging.policy import Policy
from grader.judging.progress import Progress
from grader.outcomes import SENTENCES, Outcome
from grader.outputs import clean_outputs
from grader.records import Job, Output
from grader.sandbox.child import Child, ChildEnded, ServerLost
from grader.sandbox.client import Server
from grader.sandbox.inside import wire
from grader.sandbox.inside.messages import Reply
from helpers.language import ENGLISH

# Copies of one process: each is one of the processes that it may have.
COPIES = 16
# The share of the total time that hidden tests may take besides.
SHARE_FOR_HIDDEN = 0.5
# A function that has not come to an end so often is then waited for a tenth of the time only, so
# that one task does not take the time of all others.
PATIENCE, IMPATIENCE = 2, 0.1


class Notebook:
    """A notebook in the sandbox: a process, or after the end of one another.

    Parameters
    ----------
    data : Job
    policy : Policy
    server : Server
    progress : Progress
        How far the submission is; what is counted here is added there.
    """

    def __init__(self, data: Job, policy: Policy, server: Server, progress: Progress) -> None:
        self.data, self.cells = data, data["cells"]
        self.policy, self.server, self.progress = policy, server, progress
        self.child: Child | None = None
        self.position = 0  # of the child: the cells before this one have run in it
        self.kept: dict[int, int] = {}  # the copy that was kept before a cell, by its number
        self.entered: int | None = None
        self.unchanged: set[int] = set()  # tests that find at the end what they find in their place
        self.timeouts: dict[str, int] = {}  # by function
        self.begun = time.monotonic()

    def keep_copy(self, number: int) -> None:
        """Keep the student's process as it is before a test."""
        before = [n for n in self.kept if not any(n <= ran < number for ran in self.progress.ran)]
        if before:
            self.kept[number] = self.kept[before[-1]]
        elif len(set(self.kept.values())) < COPIES and self.child is not None:
            try:
                copy = self.ask({"do": "keep"}, [], self.policy.cell_seconds)[0].get("kept")
            except NotJudged:
                return
            if isinstance(copy, int) and copy >= 0:
                self.kept[number] = copy

    def go_to(self, number: int) -> None:
        """Let a child answer in which the cells before this one have run, and no others."""
        copy = self.kept.get(number)
        if copy is not None and copy == self.entered:
            return
        seconds = self.policy.cell_seconds
        if self.entered is not None:
            left, self.entered = self.entered, None
            # Hidden tests come in the order of the cells; between two that share a copy there may
            # be one that needs none.
            later = [test for test in self.progress.deferred if test > number]
            is_needed = left in [self.kept.get(test) for test in later]
            self.ask({"do": "leave", "is_needed": is_needed}, [], seconds)
        if copy is not None and self.child is not None:
            self.ask({"do": "enter", "copy": copy}, [], seconds)
            self.entered = copy
            return
        is_past = any(number <= ran < self.position for ran in self.progress.ran)
        if self.child is None or (is_past and number not in self.unchanged):
            self.lose_child()
            self.start(number)
        else:
            self.replay(self.child, number)

    def ask(
        self, request: Mapping[str, Any], blobs: Sequence[wire.Blob], seconds: float
    ) -> tuple[Reply, list[wire.Blob]]:
        """Ask the child, starting one if there is none; raises `NotJudged` if it was lost."""
        if self.left() <= 0:
            self.progress.note("total timeout")
            raise NotJudged(SENTENCES["total timeout"].in_cell)
        if self.child is None:
            self.start(self.progress.steps)
        assert self.child is not None
        name = str(request["name"]) if request["do"] == "call" else ""
        if self.timeouts.get(name, 0) >= PATIENCE:
            request = {**request, "seconds": IMPATIENCE * request["seconds"]}
            seconds *= IMPATIENCE
        if "cell time" in self.policy.disabled_rules:
            seconds = self.left()
        limit = min(seconds, max(self.left(), 0.1))
        try:
            reply, arrays = self.child.ask(request, blobs, limit, self.policy.grace_seconds)
        except ChildEnded as ended:
            outcome = self.outcome_of(ended)
            if name and (error := error_of_definitions(request["code"])):
                # The test's author, not the student, has to know.
                self.progress.flags.append(
                    f"what a test of {name} sends along raises a {error} by itself"
                )
                outcome = "not judged"
            self.progress.note(outcome)
            if ended.why == "nonsense":
                self.progress.flags.append(
                    "something else than an answer came from the notebook's process"
                )
            if ended.why == "timeout" and name:
                self.timeouts[name] = self.timeouts.get(name, 0) + 1
            self.lose_child()
            raise NotJudged(SENTENCES[outcome].in_cell) from ended
        if name and (reply.get("interrupted") or "TookTooLong" in str(reply.get("error"))[:200]):
            self.timeouts[name] = self.timeouts.get(name, 0) + 1
        return reply, arrays

    def keep_outputs(self, reply: Reply) -> list[Output]:
        """What a cell shows, unless that is more than a notebook may show."""
        outputs = clean_outputs(reply.get("outputs"))
        if "output" in self.policy.disabled_rules:
            return outputs
        self.progress.shown += len(json.dumps(reply.get("outputs")))
        if reply.get("is_full") or self.progress.shown > self.policy.total_output_bytes:
            self.progress.note("too much output")
        return outputs if self.progress.shown <= self.policy.total_output_bytes else []

    def start(self, number: int) -> None:
        """A child in which the cells before this one have run, as far as they worked."""
        if self.progress.restarts > self.policy.restarts:
            raise NotJudged("It had to be started again too often: the rest did not run.")
        self.progress.restarts += 1
        self.child = self.server.child(self.policy.to_dict())
        self.position = 0
        texts = {name: text.encode() for name, text in self.data["files"].items()}
        others = {**self.data.get("handed_in", {}), **self.data.get("beside", {})}
        files = {name: base64.b64decode(data) for name, data in others.items()} | texts
        # Not the seed of the job: from it the judge draws the questions of its controls.
        seed = hashlib.sha256(f"child {self.data['seed']}".encode()).hexdigest()
        language = self.data.get("language", ENGLISH)
        begin = {"do": "begin", "seed": seed, "files": list(files), "language": language}
        try:
            self.child.ask(begin, list(files.values()), 60.0)
        except ChildEnded as ended:
            if ended.why == "by itself":
                raise ServerLost(str(ended)) from ended
            self.progress.note(self.outcome_of(ended))
            self.lose_child()
            raise NotJudged(SENTENCES["died"].in_cell) from ended
        self.replay(self.child, number)

    def replay(self, child: Child, number: int) -> None:
        """Run the cells between the child's position and this one that worked before."""
        try:
            for ran in self.progress.ran:
                if self.position <= ran < number:
                    code = self.cells[ran]["source"]
                    request = {"do": "run", "code": code, "output_limit": 2**20}
                    seconds = min(self.policy.cell_seconds, max(self.left(), 0.1))
                    child.ask(request, [], seconds)
        except ChildEnded as ended:
            self.progress.note(self.outcome_of(ended))
            self.lose_child()
            raise NotJudged(SENTENCES["died"].in_cell) from ended
        self.position = max(self.position, number)

    def lose_child(self) -> None:
        """Let the child end, if there is one, and count what it has used."""
        if self.child is None:
            return
        report = self.child.close()
        self.progress.cpu += (report or {}).get("cpu", 0.0)
        self.progress.seconds += self.child.seconds
        self.progress.contended |= self.child.is_contended
        self.child, self.entered, self.kept = None, None, {}

    def seconds(self) -> float:
        """What the submission has taken, without this judge's own work."""
        return self.progress.seconds + (self.child.seconds if self.child is not None else 0.0)

    def left(self) -> float:
        """What is left of the total time."""
        factor = 1.0
        if self.progress.steps > len(self.cells):  # a cell without end is to cost no hidden test
            factor += SHARE_FOR_HIDDEN
        total = factor * self.policy.total_seconds
        wall = time.monotonic() - self.begun
        return min(
            total - self.seconds() - time.process_time(), self.policy.wall_factor * total - wall
        )

    def outcome_of(self, ended: ChildEnded) -> Outcome:
        """What the end of a child is called in the records."""
        return self.timeout() if ended.why == "timeout" else OUTCOME_OF.get(ended.why, "died")

    def timeout(self) -> Outcome:
        """Which time is over: the cell's, or the whole notebook's."""
        return "total timeout" if self.left() <= 0 else "cell timeout"
