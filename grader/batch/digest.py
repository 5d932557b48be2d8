"""What the result of a job depends on, as a digest: the same digest, the same result."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import platform
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from grader.records import Job

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ipython", "matplotlib", "numpy", "torch", "torchvision")
# What every job runs through: in the grader, and in the sandbox.
ALWAYS = ("grader.judging.job", "grader.sandbox.inside.server")
OWN = ("grader", "helpers")
NAMED = re.compile(r"\bhelpers(?:\.\w+)*")
IMPORTED = re.compile(r"^\s*from\s+(helpers[\w.]*)\s+import\s+\(?([\w, \t\n]+)", re.MULTILINE)


def key_of(job: Job, root: Path = ROOT) -> str:
    """The name of a job's result: a digest of all that it depends on.

    That is the job itself, this Python and its packages, and of the course's own code what grades
    it and what its cells import. So a change of a figure that no cell draws, or of the gradebook,
    leaves the results as they are.
    """
    code = "\n".join(c["source"] for c in job["cells"] if c["cell_type"] == "code")
    text = json.dumps([job, versions(), code_digest(modules_in(code), root)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@functools.cache
def versions() -> dict[str, str]:
    """Python's version, and those of the packages that decide what comes out."""
    found = {name: metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found}


def modules_in(code: str) -> frozenset[str]:
    """The modules of `helpers` that a text names; it need not be Python that can be parsed."""
    names = set(NAMED.findall(code))
    for package, imported in IMPORTED.findall(code):
        names.update(f"{package}.{name.strip()}" for name in imported.split(","))
    return frozenset(names)


@functools.lru_cache(1000)
def code_digest(named: frozenset[str], root: Path = ROOT) -> str:
    """A digest of these modules, of what they import, and of what always takes part."""
    digest = hashlib.sha256()
    for path in sorted(_files([*ALWAYS, *sorted(named)], root)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + _content(path))
    return digest.hexdigest()


def _files(names: Iterable[str], root: Path) -> set[Path]:
    """The files behind names, and behind all that these import; data beside a package, too."""
    found: set[Path] = set()
    waiting = list(names)
    while waiting:
        path = _file(waiting.pop(), root)
        if path is None or path in found:
            continue
        found.add(path)
        if path.name == "__init__.py" and path.parent.parent != root:
            found.update(_data(path.parent))
        waiting += _imports(path, root)
    return found


def _file(name: str, root: Path) -> Path | None:
    """The file of a module, or of the module that a name stands in."""
    parts = name.split(".")
    if parts[0] not in OWN:
        return None
    for length in range(len(parts), 0, -1):
        path = root.joinpath(*parts[:length])
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


@functools.lru_cache(1000)
def _imports(path: Path, root: Path) -> tuple[str, ...]:
    """The full names of all that a file imports, and of the packages that it lies in."""
    parts = path.relative_to(root).with_suffix("").parts
    package = parts[:-1]
    names = [".".join(package[:length]) for length in range(1, len(package) + 1)]
    for node in ast.walk(ast.parse(_content(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            names += [f"{base}.{alias.name}" for alias in node.names]
    return tuple(names)


@functools.lru_cache(1000)
def _content(path: Path) -> bytes:
    return path.read_bytes()


def _data(folder: Path) -> Iterable[Path]:
    """The files of a package that are no code, without those of the packages in it."""
    for path in folder.iterdir():
        if path.is_dir():
            if path.name != "__pycache__" and not (path / "__init__.py").exists():
                yield from _data(path)
        elif path.suffix != ".py":
            yield path
