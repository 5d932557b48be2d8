"""What is recorded of a test, and what is shown of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader.judging.failures import message_of
from grader.judging.judge import passed
from grader.records import Output, TestResult
from grader.words import said
from helpers.assignment import CheckFailed


def without_passed(outputs: Sequence[Output]) -> list[Output]:
    """Outputs without the line that says that a test has passed."""
    kept: list[Output] = []
    for output in outputs:
        if output["output_type"] == "stream" and output["text"].endswith(passed()):
            output = {**output, "text": output["text"].removesuffix(passed())}
        if output.get("text") != "":
            kept.append(output)
    return kept


def points_line(result: TestResult) -> Output:
    """What is shown of a test that ends in a number."""
    text = said("{got:g} of {all:g} points").format(got=result["score"], all=result["max_score"])
    return {"output_type": "stream", "name": "stdout", "text": f"{text}\n"}


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
