"""Which of the course's own files a text of Python depends on, and a digest of them.

Imports are read from the text: nothing is run.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWN = ("grader", "helpers")
NAMED = re.compile(r"\b(?:grader|helpers)(?:\.\w+)*")
IMPORTED = re.compile(
    r"^\s*from\s+((?:grader|helpers)[\w.]*)\s+import\s+\(?([\w, \t\n]+)", re.MULTILINE
)


def modules_in(code: str) -> frozenset[str]:
    """The course's modules that a text names; it need not be Python that can be parsed."""
    names = set(NAMED.findall(code))
    for package, imported in IMPORTED.findall(code):
        names.update(
            f"{package}.{name.partition(' as ')[0].strip()}" for name in imported.split(",")
        )
    return frozenset(names)


def imported_by(code: str) -> frozenset[str]:
    """The course's modules that a trusted text imports or names."""
    names = set(modules_in(code))
    with suppress(SyntaxError):  # a cell with IPython's own syntax
        names.update(_names(ast.parse(code), ()))
    return frozenset(names)


def forget() -> None:
    """Read the files anew: they may have changed."""
    for cached in (code_digest, _imports, _content):
        cached.cache_clear()


@functools.lru_cache(1000)
def code_digest(named: frozenset[str], root: Path = ROOT) -> str:
    """A digest of the files of these modules, and of all that they import."""
    digest = hashlib.sha256()
    for path in sorted(files_of(named, root)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + _content(path))
    return digest.hexdigest()


def files_of(names: Iterable[str], root: Path = ROOT) -> set[Path]:
    """The files behind names, and behind all that these import; data beside a package, too."""
    found: set[Path] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name.endswith(".*"):  # all of a package: any of it may be used
            folder = root.joinpath(*name.split(".")[:-1])
            modules = (path.relative_to(root).with_suffix("") for path in folder.rglob("*.py"))
            waiting += [".".join(module.parts) for module in modules]
        path = _file(name, root)
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
    return (*names, *_names_in(_content(path), package))


@functools.lru_cache(1000)
def _names_in(code: bytes, package: tuple[str, ...]) -> tuple[str, ...]:
    """What `_names` finds in a text, which is the same after `forget` as long as the text is."""
    return tuple(_names(ast.parse(code), package))


def _names(tree: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    """The full names of all that a module of a package imports, "helpers.*" for all of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"{one.name}.*" if one.name in OWN else one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


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
