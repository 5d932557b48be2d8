"""The class's seed, from which hidden tests draw their numbers (`helpers.assignment.Checker.rng`).

It lies in grading/, which students are not given and which no sandbox sees. A job holds it, so
that results of another seed are not taken for results of this one.
"""

from __future__ import annotations

import secrets
from pathlib import Path

NAME = "class-seed"
# Says nothing else than that nobody has made one: whoever has the course can know these numbers.
DEFAULT = "the same for every class"


def seed_path(root: str | Path) -> Path:
    """Where the seed of a course's folder is, if there is one."""
    return Path(root) / "grading" / NAME


def class_seed(root: str | Path) -> str:
    """The seed of a course's folder, or `DEFAULT`."""
    path = seed_path(root)
    return (path.exists() and path.read_text(encoding="utf-8").strip()) or DEFAULT


def make_seed() -> str:
    """A new seed: 128 bits, so that nobody finds it by trying."""
    return secrets.token_hex(16)
