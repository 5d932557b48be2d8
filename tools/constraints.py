"""Write constraints.txt: the exact versions that the course is run and tested with.

    .venv/bin/python tools/constraints.py

pip works out the newest versions of everything in pyproject.toml, for the very oldest Python that
the course supports (3.11.0, say): a version that it can have, the newer ones can have too. Nothing
is installed. Afterwards, make the environment again (`make test`) and the outputs (`make
notebooks`).
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# They come with the environment, and the course does not depend on their versions.
TOOLS = {"pip", "setuptools", "wheel"}
# torch itself names the exact versions of these that each of its builds needs. Pinned here, they
# would forbid the builds of the same torch for an older driver.
NVIDIA = re.compile(r"(nvidia|cuda)-.*|triton")

# Name, version, and a build's suffix.
PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!]+)(\+[A-Za-z0-9.]+)?")

HEADER = "# Made by `make constraints` for Python {} and newer: what the outputs were made with."


def normalised(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints(freeze: str, own_name: str, python: str) -> str:
    """The text of constraints.txt for what `newest` found.

    Parameters: `freeze`, lines "name==version"; `own_name`, the course's package, left out;
    `python`, the version named in the first line. A build's suffix ("+cpu") is dropped: any build
    of that version will do. Raises ValueError for a line of another form, such as an address.
    """
    left_out = {*TOOLS, normalised(own_name)}
    lines = []
    for line in freeze.split("\n"):
        line = line.strip()
        if not line:
            continue
        found = PIN.fullmatch(line)
        if found is None:
            raise ValueError(f"cannot pin {line!r}: expected name==version")
        name = normalised(found[1])
        if name not in left_out and not NVIDIA.fullmatch(name):
            lines.append(f"{name}=={found[2]}")
    return "\n".join([HEADER.format(python), *sorted(lines)]) + "\n"


def newest(requirements: list[str], python: str) -> str:
    """The newest versions that fit together on this Python ("3.11.0"), lines "name==version"."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--dry-run"]
        # pip resolves for another Python only where it would install elsewhere, from wheels.
        elsewhere = ["--target", folder, "--only-binary", ":all:", "--python-version", python]
        subprocess.run([*pip, "--quiet", *elsewhere, "--report", report, *requirements], check=True)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    versions = [package["metadata"] for package in found]
    return "\n".join(f"{package['name']}=={package['version']}" for package in versions)


def main() -> None:
    """Write constraints.txt."""
    from install import supported_versions  # beside this file; the tests do without it

    argparse.ArgumentParser(description="Write constraints.txt.").parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    python = "{}.{}.0".format(*supported_versions()[0])
    print(f"Working out the newest versions for Python {python} ...", flush=True)
    requirements = [line for group in groups for line in group]
    text = constraints(newest(requirements, python), project["name"], python)
    (ROOT / "constraints.txt").write_text(text, encoding="utf-8", newline="\n")
    print(f"constraints.txt: {len(text.splitlines()) - 1} versions.")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"constraints.txt is as it was: this failed: {' '.join(map(str, error.cmd))}")
