"""One submission on its way: its cells in order, and at last the hidden tests.

Hidden tests come when all that the notebook shows has been recorded, so that no function can keep
what it was given and show it later. Each is asked of a copy of the student's process that was kept
where the test stands, or, if there is none, of a new process that has run the cells up to there.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grader.judging.failures import (
    NotJudged,
    error_output,
    message_of,
)
from grader.judging.judge import PASSED, Judge, Verdict
from grader.judging.notebook import Notebook
from grader.judging.parts import is_changed, split
from grader.judging.policy import Policy
from grader.judging.probes import Question, must_fail, questions
from grader.judging.progress import Progress, Step
from grader.judging.stand_ins import failure_at
from grader.outcomes import SENTENCES
from grader.outputs import clean_outputs
from grader.records import Job, Output, TestResult
from grader.sandbox.client import Server
from grader.sandbox.inside.last_value import as_number
from grader.sandbox.inside.messages import Reply
from helpers.assignment import CheckFailed

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
        self.server, self.progress, self.done = server, progress, done
        self.notebook = Notebook(data, self.policy, server, progress)
        functions = [name for cell in self.cells for name in cell.get("functions", ())]
        self.judge = Judge(setup, self.notebook.ask, functions, data["class_seed"])
        self.rng = random.Random(f"{data['seed']} {progress.steps}")
        self.has_tests_beside = any(
            cell["kind"] == "test" and not self.judge.can_judge(cell["source"])
            for cell in self.cells
        )
        self.visible: dict[int, Verdict] = {}

    def go_on(self) -> None:
        """Do all that is left to do."""
        progress, cells = self.progress, len(self.cells)
        try:
            while progress.steps < cells:
                number = progress.steps
                self.finish({"cell": number, **self.cell(number)})
            if progress.steps == cells:
                self.control(every=True)
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
        outputs = self.keep_outputs(reply)
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

    def keep_outputs(self, reply: Reply) -> list[Output]:
        """What a cell shows, unless that is more than a notebook may show."""
        outputs = clean_outputs(reply.get("outputs"))
        if "output" in self.policy.disabled_rules:
            return outputs
        self.progress.shown += len(json.dumps(reply.get("outputs")))
        if reply.get("is_full") or self.progress.shown > self.policy.total_output_bytes:
            self.progress.note("too much output")
        return outputs if self.progress.shown <= self.policy.total_output_bytes else []

    def test(self, number: int) -> Step:
        """Judge the visible part of a test, or all of it if nothing is hidden."""
        cell = self.cells[number]
        code = cell["source"]
        is_apart = self.judge.can_judge(code)
        parts = split(code)
        if self.rng.random() < (CONTROLS_APART if is_apart else CONTROLS):
            self.control()
        if parts is None:
            return self.marked(cell, self.judge.run(code) if is_apart else self.beside(code, code))
        if not is_apart or self.changes_after(number):
            self.notebook.keep_copy(number)
        else:
            self.notebook.unchanged.add(number)
        visible, _ = parts
        if not visible.strip():
            verdict = Verdict([], None)
        elif is_apart:
            verdict = self.visible[number] = self.judge.run(code, visible)
        else:
            verdict = self.beside(visible, code, is_proved=False)
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
                    self.control()
                verdict = self.beside(code, code)
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

    def beside(self, part: str, code: str, is_proved: bool = True) -> Verdict:
        """Run a part of a test beside the student's code, where it proves less."""
        try:
            reply = self.ask_test(part)
            if is_proved and not reply["failed"]:
                self.prove(part)
        except NotJudged as ended:
            return Verdict([error_output(ended)], ended)
        outputs = self.keep_outputs(reply)
        failure: Exception | None = None
        if reply.get("interrupted") or reply.get("out_of_memory"):
            outcome = self.notebook.timeout() if reply.get("interrupted") else "out of memory"
            failure = NotJudged(SENTENCES[self.progress.note(outcome)].in_cell)
        elif reply["failed"]:
            is_first_pass = self.progress.steps < len(self.cells)
            text = str(reply.get("text", ""))[:2000] if is_first_pass else ""
            failure = failure_at(reply.get("line"), text, code)
        if failure is not None:
            outputs.append(error_output(failure))
        return Verdict(outputs, failure, value=as_number(reply.get("points")))

    def ask_test(self, code: str) -> Reply:
        """Run a test in the child; the reply says whether it ``failed``."""
        request = {"do": "test", "code": code, "output_limit": self.policy.output_bytes}
        reply, _ = self.notebook.ask(request, [], self.policy.cell_seconds)
        stopped = reply.get("interrupted") or reply.get("out_of_memory")
        reply["failed"] = reply.get("failed") is not False or bool(stopped)
        return reply

    def prove(self, code: str) -> None:
        """Raise `NotJudged` unless a test that has passed fails when it is made wrong."""
        for wrong in must_fail(code, self.rng):
            # A test may depend on chance: it is asked again before anybody is suspected.
            if not self.ask_test(wrong)["failed"] and not self.ask_test(wrong)["failed"]:
                self.progress.flags.append("a test that was made wrong passed in this notebook")
                raise NotJudged(SENTENCES["tampering suspected"].in_cell)

    def control(self, every: bool = False) -> None:
        """Ask what has a known answer; what is answered wrongly is noted for a person."""
        if self.notebook.child is None:
            return
        asked = questions(self.rng, None if every else 3, self.server.modules)
        codes = [question.code for question in asked]
        try:
            if self.has_tests_beside:  # each comes as one of these tests does
                for question in asked:
                    self.note_answer(question, self.ask_test(question.code))
                codes = []
            request = {"do": "control", "codes": codes}
            reply, _ = self.notebook.ask(request, [], self.policy.cell_seconds)
        except NotJudged:
            return
        changed, answers = reply.get("changed"), reply.get("answers", [])
        if not isinstance(changed, list) or not _are_dicts(answers, len(codes)):
            self.progress.flags.append("the control questions were not answered")
            return
        for question, answer in zip(asked, answers, strict=False):
            answer["failed"] = answer.get("failed") is not False
            self.note_answer(question, answer)
        self.progress.flags += [str(item)[:200] for item in changed[:20]]

    def note_answer(self, question: Question, answer: Reply) -> None:
        """Note a wrong answer for a person."""
        holds, flags = question.holds, self.progress.flags
        claim = f"{question.name} {'fails' if holds else 'holds'} where it must not"
        # Another error than a failed assertion is a want of memory or files, say.
        is_wrong = answer["failed"] is holds and (not holds or answer.get("is_assertion"))
        if is_wrong and claim not in str(flags):
            flags.append(f"{claim}: {question.code}")

    def changes_after(self, number: int) -> bool:
        """Whether cells after a test may change what it finds."""
        sources = [
            cell["source"] if cell["cell_type"] == "code" and cell["kind"] != "test" else ""
            for cell in self.cells
        ]
        return is_changed(
            self.cells[number]["source"], tuple(sources[:number]), tuple(sources[number:])
        )


def _are_dicts(items: Any, count: int) -> bool:
    return (
        isinstance(items, list)
        and len(items) == count
        and all(isinstance(item, dict) for item in items)
    )


def without_passed(outputs: Sequence[Output]) -> list[Output]:
    """Outputs without the line that says that a test has passed."""
    kept: list[Output] = []
    for output in outputs:
        if output["output_type"] == "stream" and output["text"].endswith(PASSED):
            output = {**output, "text": output["text"].removesuffix(PASSED)}
        if output.get("text") != "":
            kept.append(output)
    return kept


def points_line(result: TestResult) -> Output:
    """What is shown of a test that ends in a number."""
    text = f"{result['score']:g} of {result['max_score']:g} points\n"
    return {"output_type": "stream", "name": "stdout", "text": text}


def result_of(
    cell: Mapping[str, Any], failure: Exception | None, value: float | None = None
) -> TestResult:
    """The record of a test; a number at its end is its score, as in nbgrader."""
    points = float(cell["points"])
    score = points if value is None else min(max(value, 0.0), points)
    result: TestResult = {"score": 0.0 if failure else score, "max_score": points}
    if failure is not None:
        result["failure"] = {
            "kind": failure.kind if isinstance(failure, CheckFailed) else "error",
            "message": message_of(failure)[:5000],
            "hidden": isinstance(failure, CheckFailed) and failure.hidden,
            "diagnosis": failure.diagnosis if isinstance(failure, CheckFailed) else None,
        }
    return result
