"""What a notebook's cells show, as far as it is kept.

Outputs come from the student's process: each is made anew, of what the format allows and a page can
show, and no longer than somebody would read. It is done once, where they arrive.
"""

from __future__ import annotations

from typing import Any

from grader.records import Output
from grader.text import for_mathjax

LONGEST_TEXT = 100_000  # of one output; longer ones only hold up whoever reads them
LONGEST_NAME = 200
# What a notebook of the course shows; for others (widgets) a page would need more than the text.
SHOWN = (
    "text/plain",
    "text/html",
    "text/markdown",
    "text/latex",
    "image/png",
    "image/jpeg",
    "image/svg+xml",
)


def clean_outputs(outputs: Any) -> list[Output]:
    """What a child says that its cell showed, as a notebook may hold it.

    Parameters
    ----------
    outputs : anything
        What has not the form of an output is left out.

    Returns
    -------
    list of Output
    """
    found = outputs if isinstance(outputs, list) else []
    clean = [_clean(output) for output in found if isinstance(output, dict)]
    return [output for output in clean if output is not None]


def _clean(output: dict[str, Any]) -> Output | None:
    kind = output.get("output_type")
    if kind == "stream" and output.get("name") in ("stdout", "stderr"):
        return {"output_type": kind, "name": output["name"], "text": _cut(output.get("text"))}
    if kind == "error":
        lines = output.get("traceback")
        return {
            "output_type": kind,
            "ename": str(output.get("ename", "Error"))[:LONGEST_NAME],
            "evalue": _cut(output.get("evalue")),
            "traceback": [_cut(line) for line in lines] if isinstance(lines, list) else [],
        }
    if kind not in ("display_data", "execute_result"):
        return None
    data = output.get("data")
    shown = {
        mime: _shown(mime, data[mime])
        for mime in SHOWN
        if isinstance(data, dict) and isinstance(data.get(mime), str)
    }
    made = {
        "output_type": kind,
        "data": shown or {"text/plain": "(nothing that can be shown here)"},
        "metadata": {},
    }
    return {**made, "execution_count": None} if kind == "execute_result" else made


def _shown(mime: str, text: str) -> str:
    if mime == "text/latex":
        text = for_mathjax(text)
    if not mime.startswith("text/") or len(text) <= LONGEST_TEXT:
        return text
    # A part of it would not be HTML any more.
    return _cut(text) if mime == "text/plain" else "(too long to be shown)"


def _cut(text: object) -> str:
    text = "" if text is None else str(text)
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "\n... cut off ..."
