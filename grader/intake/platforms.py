"""What learning platforms write beside the files that were handed in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from grader.intake.files import Reader
from helpers.assignment.notebook_file import Unreadable

MOST_TEXT = 64 * 2**10  # bytes that are read of what a platform writes about one submission
METADATA = "submission_metadata.yml"  # Gradescope's
MOST_SHOWN = 500  # characters of what a student wrote into a form

_FORM = re.compile(r"Name: .*^Assignment: .*^Date Submitted: ", re.MULTILINE | re.DOTALL)
_WRITING = re.compile(
    r"^(?:Submission Field|Comments):[ \t]*\n(.*?)(?=^(?:Submission Field|Comments|Files):|\Z)",
    re.MULTILINE | re.DOTALL,
)
_NOTHING = re.compile(r"There (?:is|are) no student \w+")


class Gradescope:
    """Who handed in what, and when: the export's ``submission_metadata.yml``."""

    def __init__(self) -> None:
        self._submissions: dict[str, dict[str, Any]] = {}

    def read(self, reader: Reader, limit: int) -> None:
        """Take in a file of at most so many bytes; what is damaged says nothing."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            found = yaml.load(reader(limit)[:limit], loader)
        except (Unreadable, yaml.YAMLError, ValueError, RecursionError):
            return
        for name, about in found.items() if isinstance(found, dict) else ():
            if isinstance(about, dict):
                self._submissions[str(name).rpartition("_")[2]] = about

    def people(self, number: str) -> list[tuple[Sequence[str], list[str]]]:
        """The names and the numbers of each who handed a submission in."""
        submitters = self._submissions.get(number, {}).get(":submitters")
        found: list[tuple[Sequence[str], list[str]]] = []
        for one in submitters if isinstance(submitters, list) else ():
            if isinstance(one, dict):
                email, name, sid = (
                    str(one.get(f":{key}") or "") for key in ("email", "name", "sid")
                )
                found.append(((email, name), [sid] if sid else []))
        return found

    def time(self, number: str, platform: str) -> str:
        """When a submission was handed in, as a text."""
        if platform != "Gradescope":
            return ""
        when = self._submissions.get(number, {}).get(":created_at", "")
        text = str(when)
        # YAML has made it UTC, and may have taken the zone away.
        return text if not text or text[-1:] == "Z" or "+" in text else f"{text} UTC"


def is_form(reader: Reader, limit: int) -> bool:
    """Whether a file is what Blackboard writes about an attempt."""
    return _FORM.match(_text(reader, limit)) is not None


def writing_in_form(reader: Reader, limit: int) -> str:
    """What the student wrote into Blackboard's form, shortened; empty if nothing."""
    parts = _WRITING.findall(_text(reader, limit))
    text = " ".join(" ".join(part.split()) for part in parts if not _NOTHING.match(part.strip()))
    return text[:MOST_SHOWN].strip()


def _text(reader: Reader, limit: int) -> str:
    try:
        return reader(limit)[:limit].decode("utf-8-sig", "replace").replace("\r\n", "\n")
    except Unreadable:
        return ""
