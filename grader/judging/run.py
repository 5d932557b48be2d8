"""One submission on its way: its cells in order, and at last the hidden tests.

Hidden tests come when all that the notebook shows has been recorded, so that no function can keep
what it was given and show it later. Each is asked of a copy of the student's process that was kept
where the test stands, or, if there is none, of a new process that has run the cells up to there.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping
from typing import Any

from grader.judging.beside import Beside
from grader.judging.failures import NotJudged, error_output
from grader.judging.judge import Judge, Verdict
from grader.judging.notebook import Notebook
from grader.judging.parts import Changes, split
from grader.judging.policy import Policy
from grader.judging.progress import Progress, Step
from grader.judging.results import points_line, result_of, without_passed
from grader.outcomes import SENTENCES
from grader.records import Job
from grader.sandbox.client import Server
from grader.sandbox.inside.messages import Reply

# How often control questions come before a test that runs beside the student's code, and before
# one that is judged here, where nothing in that process can make it pass.
CONTROLS, CONTROLS_APART = 0.5, 0.2


class Run:
    """A submission, or what a judge that was ended has left of it.

    Parameters
    ----------
    data : Job
    setup : dict
        The namespace of the set-up cells.
    server : Server
    progress : Progress
        How far it is.
    done : callable
        Called with each `Step` that is done.
    """

    def __init__(
        self,
        data: Job,
        setup: dict[str, Any],
        server: Server,
        progress: Progress,
        done: Callable[[Step], object],
    ) -> None:
        self.data, self.cells = data, data["cells"]
        self.policy = Policy.from_dict(data["policy"])
        self.progress, self.done = progress, done
        self.notebook = Notebook(data, self.policy, server, progress)
        functions = [name for cell in self.cells for name in cell.get("functions", ())]
        self.judge = Judge(setup, self.notebook.ask, functions, data["class_seed"])
        self.rng = random.Random(f"{data['seed']} {progress.steps}")
        self.beside = Beside(
            self.notebook,
            self.rng,
            is_used=any(
                cell["kind"] == "test" and not self.judge.can_judge(cell["source"])
                for cell in self.cells
            ),
        )
        self.visible: dict[int, Verdict] = {}

    @functools.cached_property
    def changes(self) -> Changes:
        """What cells change, found at the first step that needs it: it reads the student's code."""
        is_run = [cell["cell_type"] == "code" and cell["kind"] != "test" for cell in self.cells]
        return Changes(
            [cell["source"] if run else "" for cell, run in zip(self.cells, is_run, strict=True)],
            frozenset(self.judge.checkers),
        )

    def go_on(self) -> None:
        """Do all that is left to do."""
        progress, cells = self.progress, len(self.cells)
        try:
            while progress.steps < cells:
                number = progress.steps
                self.finish({"cell": number, **self.cell(number)})
            if progress.steps == cells:
                self.beside.control(every=True)
                self.finish({})
            while progress.steps - cells <= len(progress.deferred):
                number = progress.deferred[progress.steps - cells - 1]
                self.finish({"cell": number, **self.hidden_test(number)})
        finally:
            self.notebook.lose_child()

    def finish(self, step: Step) -> None:
        """A step is done."""
        self.progress.apply(step, self.cells)
        seconds, contended = self.notebook.seconds(), self.progress.contended
        if self.notebook.child is not None:
            contended |= self.notebook.child.is_contended
        totals = {**self.progress.totals(), "seconds": seconds, "contended": contended}
        self.done({**step, "totals": totals})

    def cell(self, number: int) -> Step:
        """Run a cell of the student's or a set-up cell, or judge the visible part of a test."""
        cell = self.cells[number]
        if cell["cell_type"] != "code":
            return {"outputs": []}
        if cell["kind"] == "test":
            return self.test(number)
        if not cell["source"].strip():
            return {"outputs": []}
        try:
            reply = self.ask_run(cell["source"])
        except NotJudged as ended:
            return {"outputs": [error_output(ended)]}
        self.notebook.position = number + 1
        outputs = self.notebook.keep_outputs(reply)
        if reply.get("interrupted"):
            outputs.append(
                error_output(
                    NotJudged(SENTENCES[self.progress.note(self.notebook.timeout())].in_cell)
                )
            )
        elif reply.get("out_of_memory"):
            outputs.append(
                error_output(NotJudged(SENTENCES[self.progress.note("out of memory")].in_cell))
            )
        count = reply.get("count")
        is_count = isinstance(count, int) and 0 <= count < 10**6
        return {"outputs": outputs, "count": count if is_count else None, "ran": True}

    def ask_run(self, code: str) -> Reply:
        """Run a cell in the child."""
        request = {"do": "run", "code": code, "output_limit": self.policy.output_bytes}
        return self.notebook.ask(request, [], self.policy.cell_seconds)[0]

    def test(self, number: int) -> Step:
        """Judge the visible part of a test, or all of it if nothing is hidden."""
        cell = self.cells[number]
        code = cell["source"]
        is_apart = self.judge.can_judge(code)
        parts = split(code)
        if self.rng.random() < (CONTROLS_APART if is_apart else CONTROLS):
            self.beside.control()
        if parts is None:
            return self.marked(
                cell, self.judge.run(code) if is_apart else self.beside.run(code, code)
            )
        if not is_apart or self.changes.after(number, code):
            self.notebook.keep_copy(number)
        else:
            self.notebook.unchanged.add(number)
        visible, _ = parts
        if not visible.strip():
            verdict = Verdict([], None)
        elif is_apart:
            verdict = self.visible[number] = self.judge.run(code, visible)
        else:
            verdict = self.beside.run(visible, code, is_proved=False)
        return {**self.marked(cell, verdict), "is_deferred": verdict.failure is None}

    def hidden_test(self, number: int) -> Step:
        """Judge the hidden part of a test whose visible part has passed."""
        cell = self.cells[number]
        code = cell["source"]
        parts = split(code)
        assert parts is not None
        visible, hidden = parts
        try:
            self.notebook.go_to(number)
            if not self.judge.can_judge(code):
                if self.rng.random() < CONTROLS:
                    self.beside.control()
                verdict = self.beside.run(code, code)
            elif visible.strip():
                verdict = self.visible.get(number) or self.judge.run(code, visible)
                if verdict.failure is None:
                    verdict = self.judge.run(code, hidden, verdict.space)
            else:
                verdict = self.judge.run(code)
        except NotJudged as lost:
            verdict = Verdict([], lost)
        shown, count = self.progress.outputs[number]
        step = self.marked(cell, verdict)
        if verdict.failure is None:
            # What a hidden test shows is not for students; but a part of its points is told.
            if visible.strip() and verdict.value is None:
                return {}
            if visible.strip():
                step["outputs"] = [*without_passed(shown), points_line(step["test"])]
            return step
        # What is printed from here on may be what a hidden test has handed over.
        step["outputs"] = [*without_passed(shown), error_output(verdict.failure)]
        return {**step, "count": count}

    def marked(self, cell: Mapping[str, Any], verdict: Verdict) -> Step:
        """A verdict as a step."""
        result = result_of(cell, verdict.failure, verdict.value)
        outputs = list(verdict.outputs)
        if verdict.failure is None and verdict.value is not None:
            outputs.append(points_line(result))
        return {"outputs": outputs, "test": result}
