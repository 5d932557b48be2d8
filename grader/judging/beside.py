"""Tests that run beside the student's code, where they prove less, and questions that are known.

Nothing in that process can be trusted: a test that has passed there is asked again, made wrong; and
questions with known answers, between the tests, tell whether the process still answers rightly.
"""

from __future__ import annotations

import random
from typing import Any

from grader.judging.failures import NotJudged, error_output
from grader.judging.judge import Verdict
from grader.judging.notebook import Notebook
from grader.judging.probes import Question, must_fail, questions
from grader.judging.stand_ins import failure_at
from grader.outcomes import SENTENCES
from grader.sandbox.inside.last_value import as_number
from grader.sandbox.inside.messages import Reply


class Beside:
    """What is asked of a student's process that could be made to answer anything.

    Parameters
    ----------
    notebook : Notebook
    rng : random.Random
    is_used : bool
        Whether the notebook has tests that run there. Then each control question comes as one of
        them does.
    """

    def __init__(self, notebook: Notebook, rng: random.Random, is_used: bool) -> None:
        self.notebook, self.progress = notebook, notebook.progress
        self.rng, self.is_used = rng, is_used

    def run(self, part: str, code: str, is_proved: bool = True) -> Verdict:
        """Run a part of a test, whose whole code is given, too."""
        try:
            reply = self.ask(part)
            if is_proved and not reply["failed"]:
                self.prove(part)
        except NotJudged as ended:
            return Verdict([error_output(ended)], ended)
        outputs = self.notebook.keep_outputs(reply)
        failure: Exception | None = None
        if reply.get("interrupted") or reply.get("out_of_memory"):
            outcome = self.notebook.timeout() if reply.get("interrupted") else "out of memory"
            failure = NotJudged(SENTENCES[self.progress.note(outcome)].in_cell)
        elif reply["failed"]:
            is_first_pass = self.progress.steps < len(self.notebook.cells)
            text = str(reply.get("text", ""))[:2000] if is_first_pass else ""
            failure = failure_at(reply.get("line"), text, code)
        if failure is not None:
            outputs.append(error_output(failure))
        return Verdict(outputs, failure, value=as_number(reply.get("points")))

    def ask(self, code: str) -> Reply:
        """Run a test in the child; the reply says whether it ``failed``."""
        request = {"do": "test", "code": code, "output_limit": self.notebook.policy.output_bytes}
        reply, _ = self.notebook.ask(request, [], self.notebook.policy.cell_seconds)
        stopped = reply.get("interrupted") or reply.get("out_of_memory")
        reply["failed"] = reply.get("failed") is not False or bool(stopped)
        return reply

    def prove(self, code: str) -> None:
        """Raise `NotJudged` unless a test that has passed fails when it is made wrong."""
        for wrong in must_fail(code, self.rng):
            # A test may depend on chance: it is asked again before anybody is suspected.
            if not self.ask(wrong)["failed"] and not self.ask(wrong)["failed"]:
                self.progress.flags.append("a test that was made wrong passed in this notebook")
                raise NotJudged(SENTENCES["tampering suspected"].in_cell)

    def control(self, every: bool = False) -> None:
        """Ask what has a known answer; what is answered wrongly is noted for a person."""
        if self.notebook.child is None:
            return
        asked = questions(self.rng, None if every else 3, self.notebook.server.modules)
        codes = [question.code for question in asked]
        try:
            if self.is_used:  # each comes as one of these tests does
                for question in asked:
                    self.note_answer(question, self.ask(question.code))
                codes = []
            request = {"do": "control", "codes": codes}
            reply, _ = self.notebook.ask(request, [], self.notebook.policy.cell_seconds)
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


def _are_dicts(items: Any, count: int) -> bool:
    return (
        isinstance(items, list)
        and len(items) == count
        and all(isinstance(item, dict) for item in items)
    )
