"""What pyproject.toml and constraints.txt ask for.

Only the standard library is used here: this runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wanted:
    """What the course's files ask for: packages, versions, and how the course itself is linked."""

    dependencies: list[str]
    extras: dict[str, list[str]]
    build: list[str]
    constraints: list[str]
    project: dict

    def requirements(self, extras: Sequence[str]) -> list[str]:
        """What to install for these extras, and to link the course itself."""
        wanted = [*self.dependencies, *self.build]
        for extra in extras:
            wanted += self.extras[extra]
        return list(dict.fromkeys(wanted))

    def torch(self) -> list[str]:
        """torch and torchvision, as the constraints pin them, else as the course asks for them."""
        names = ("torch", "torchvision")
        pins = [line for line in self.constraints if line.partition("==")[0] in names]
        return pins or [line for line in self.dependencies if line.partition(">=")[0] in names]

    @property
    def packages(self) -> str:
        """A digest of what decides which packages are installed. A comment changes nothing."""
        return digest([self.dependencies, self.extras, self.build, self.constraints])

    @property
    def link(self) -> str:
        """A digest of what decides how the course itself is linked into the environment."""
        return digest(self.project)


def digest(value: object) -> str:
    """A short fingerprint of a value that JSON can write."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def read_wanted(root: Path) -> Wanted:
    """What pyproject.toml and constraints.txt of this folder ask for."""
    with (root / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)
    project = settings["project"]
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return Wanted(
        dependencies=project.get("dependencies", []),
        extras=project.get("optional-dependencies", {}),
        build=settings.get("build-system", {}).get("requires", []),
        constraints=[line for line in map(str.strip, lines) if line and line[0] != "#"],
        project={
            "name": project["name"],
            "version": project.get("version"),
            "scripts": project.get("scripts", {}),
            "backend": settings.get("build-system", {}),
            "packages": settings.get("tool", {}).get("setuptools", {}),
        },
    )
