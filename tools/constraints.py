"""Write constraints.txt: the exact versions that the course is run and tested with.

    course constraints                  with the newest versions of everything
    course constraints --only numpy     with the newest of these, and all others as they are
    course constraints --only           with those that are there, as far as they still fit
    course constraints --check          see that there are wheels for every Python and system

One file holds for every Python that pyproject.toml allows, and for Linux, macOS and Windows: where
they need different versions, a line says for which it is (a marker, PEP 508). uv works them out;
nothing is installed. Afterwards, make the environment again (`course test`) and the outputs
(`course notebooks`).
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import course
from helpers.command.files import ROOT
from helpers.command.prerequisites import OLDEST_MACOS

FILE = ROOT / "constraints.txt"
HEADER = "# Made by `course {}` for Python {} to {}."
SYSTEMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
SYSTEMS += ("aarch64-apple-darwin", "x86_64-pc-windows-msvc")

# torch itself names the exact versions of these that each of its builds needs. Pinned here, they
# would forbid the builds of the same torch for an older driver.
NVIDIA = re.compile(r"(nvidia|cuda)-.*|triton")
# From 4.25 on, jsonschema compiles grammars when it is imported (of rfc3987-syntax, which Jupyter
# has it install): more than a CPU second each time that something reads a notebook.
HELD_BACK = ("jsonschema<4.25",)
PIN = re.compile(r"([a-z0-9-]+)==([A-Za-z0-9.!]+)(?P<build>\+[a-z0-9.]+)?( ; .+)?")


def constraints(resolved: str, header: str) -> str:
    """The text of constraints.txt for what uv worked out.

    A build's suffix ("+cpu") is dropped: any build of that version will do.

    Parameters
    ----------
    resolved : str
        Lines "name==version" or "name==version ; marker".
    header : str
        The first line.

    Raises
    ------
    ValueError
        If a line has another form, such as an address.
    """
    lines = []
    for line in filter(None, map(str.strip, resolved.splitlines())):
        found = PIN.fullmatch(line)
        if found is None:
            raise ValueError(f"cannot pin {line!r}: expected name==version")
        if not NVIDIA.fullmatch(found[1]):
            lines.append(f"{found[1]}=={found[2]}{found[4] or ''}")
    return "\n".join([header, *sorted(lines)]) + "\n"


def resolve(requirements: Sequence[str], *options: str | Path) -> str:
    """The versions that fit together, as uv prints them."""
    uv = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-annotate", "--no-header"]
    return subprocess.run(
        [*uv, *options, "-"],
        input="\n".join(requirements),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": f"{OLDEST_MACOS}.0"},
    ).stdout


def write(
    requirements: Sequence[str], file: Path, maker: str, only: Sequence[str] | None = None
) -> None:
    """Write the versions for every Python and system into a file.

    Parameters
    ----------
    requirements : sequence of str
        What is asked for, such as "numpy>=2.0".
    file : pathlib.Path
    maker : str
        The verb that this is done by, for the first line.
    only : sequence of str, optional
        The packages that may change, besides what no longer fits; by default all.
    """
    oldest, *_, newest = ("{}.{}".format(*version) for version in course.supported_versions())
    print(f"Working out the versions for Python {oldest} to {newest} ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        resolved = Path(folder) / file.name
        options = ["--universal", "--python-version", oldest, "-o", resolved]
        if only is not None:  # uv takes what stands in its output file where it fits
            resolved.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
            options += [f"--upgrade-package={name}" for name in only]
        resolve(requirements, *options)
        found = resolved.read_text(encoding="utf-8")
    text = constraints(found, HEADER.format(maker, oldest, newest))
    file.write_text(text, encoding="utf-8", newline="\n")
    print(f"{file.relative_to(ROOT)}: {len(text.splitlines()) - 1} versions.")


def write_conda_python() -> None:
    """Carry the Pythons that pyproject.toml allows into environment.yml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        allowed = tomllib.load(file)["project"]["requires-python"]
    file = ROOT / "environment.yml"
    text = re.sub(r"(?m)^(  - python)[<>=].*$", rf"\g<1>{allowed}", file.read_text("utf-8"))
    file.write_text(text, encoding="utf-8", newline="\n")


def check(requirements: Sequence[str], file: Path) -> None:
    """See that the pinned versions can be had as wheels, on every Python and system.

    Raises subprocess.CalledProcessError after uv's own words if they cannot.
    """
    for major, minor in course.supported_versions():
        for system in SYSTEMS:
            where = ["--python-version", f"{major}.{minor}", "--python-platform", system]
            resolve(requirements, "--constraint", file, "--only-binary", ":all:", *where)
            print(f"Python {major}.{minor}, {system}: wheels of all versions.", flush=True)


def everything() -> list[str]:
    """What pyproject.toml asks for: the course, its extras, its build, and what is held back."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)
    project = settings["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    groups += [settings["build-system"]["requires"], HELD_BACK]
    return [line for group in groups for line in group]


def for_the_site() -> list[str]:
    """What pyproject.toml asks for in the group `site`."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["dependency-groups"]["site"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check constraints.txt."""
    parser = argparse.ArgumentParser(
        prog="course constraints", description="Write constraints.txt."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--only", nargs="*", metavar="NAME", help="keep all other versions that still fit"
    )
    which.add_argument("--check", action="store_true", help="try them on every Python and system")
    which.add_argument("--site", action="store_true", help=argparse.SUPPRESS)  # course site pin
    options = parser.parse_args(arguments)
    try:
        if options.check:
            check(everything(), FILE)
        elif options.site:
            write(for_the_site(), ROOT / "site/constraints.txt", "site pin")
        else:
            write(everything(), FILE, "constraints", options.only)
            write_conda_python()
    except subprocess.CalledProcessError:
        print("uv's own words are above; constraints.txt is as it was.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
