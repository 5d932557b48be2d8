"""Write constraints.txt: the exact versions that the course is run and tested with.

    .venv/bin/python tools/constraints.py                     install afresh, newest versions
    .venv/bin/python tools/constraints.py --from a/venv/bin/python   what is installed there

Without --from, a new environment is made in a temporary folder with the oldest Python that the
course supports (a version that is offered to it is offered to the newer ones too) and everything
of pyproject.toml is installed at the newest versions. Several GB come over the network.
"""

import argparse
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

HEADER = "# Made by `make constraints` with Python {}: what the lessons' outputs were made with."


def normalised(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def constraints(freeze: str, own_name: str, python: str) -> str:
    """The text of constraints.txt for what `pip list --format=freeze` printed.

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


def installed(python: Path) -> str:
    """What `pip list --format=freeze` says in this Python's environment."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "list", "--format=freeze"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def newest(folder: Path, extras: list[str]) -> Path:
    """Install the course with all extras into a new environment; the path of its Python."""
    import install  # beside this file; --from does without it

    oldest = install.supported_versions()[:1]
    python = install.find_python(oldest)
    if python is None:
        raise SystemExit("Python {}.{} is needed, the oldest supported.".format(*oldest[0]))
    subprocess.run([python, "-m", "venv", folder], check=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    target = f".[{','.join(extras)}]"
    subprocess.run([python, "-m", "pip", "install", "--upgrade", target], check=True, cwd=ROOT)
    return python


def main() -> None:
    """Write constraints.txt."""
    parser = argparse.ArgumentParser(description="Write constraints.txt.")
    parser.add_argument("--from", dest="python", type=Path, help="take what this Python has")
    python = parser.parse_args().python
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    with tempfile.TemporaryDirectory() as folder:
        python = python or newest(Path(folder), sorted(project["optional-dependencies"]))
        version = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.strip()
        text = constraints(installed(python), project["name"], version)
    (ROOT / "constraints.txt").write_text(text, encoding="utf-8", newline="\n")
    print(f"constraints.txt: {len(text.splitlines()) - 1} versions, Python {version}.")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"constraints.txt is as it was: this failed: {' '.join(map(str, error.cmd))}")
