"""What the result of a job depends on, as a digest: the same digest, the same result."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path

from grader.imports import ROOT, code_digest, modules_in
from grader.records import Job
from grader.words import SAID_IN_TESTS, words_digest
from helpers.language import ENGLISH

PACKAGES = ("ipython", "matplotlib", "numpy", "torch", "torchvision")
# What every job runs through: in the grader, and in the sandbox.
ALWAYS = frozenset({"grader.judging.job", "grader.sandbox.inside.server"})


def key_of(job: Job, root: Path = ROOT) -> str:
    """The name of a job's result: a digest of all that it depends on.

    That is the job itself, this Python and its packages, of the course's own code what grades it
    and what its cells import, and the catalogues of what is said in another language. So a change
    of a figure that no cell draws, or of the gradebook, leaves the results as they are.
    """
    code = "\n".join(c["source"] for c in job["cells"] if c["cell_type"] == "code")
    made_of = [job, versions(), code_digest(ALWAYS | modules_in(code), root)]
    language = job.get("language", ENGLISH)
    if language != ENGLISH:
        made_of.append(words_digest(language, SAID_IN_TESTS, root))
    text = json.dumps(made_of, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@functools.cache
def versions() -> dict[str, str]:
    """Python's version, and those of the packages that decide what comes out."""
    found = {name: metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found}
