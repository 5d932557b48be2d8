"""Replace constraints.txt for a trial: other versions than those the outputs were made with.

    python tools/try_versions.py oldest     the lowest that pyproject.toml allows
    python tools/try_versions.py newest     whatever the installer finds
    python tools/try_versions.py pythons    prints the Pythons to try, and replaces nothing

For continuous integration; the file that this writes is not to be committed.
"""

import argparse
import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# For a trial, by tools/try_versions.py: {}.\n"
FLOOR = re.compile(r"([A-Za-z0-9._-]+)>=([0-9.]+)")


def oldest(project):
    """["numpy==2.0", ...] from the table `project` of pyproject.toml, for what students install.

    Raises ValueError for a dependency that is not written "name>=version".
    """
    lines = []
    for requirement in project["dependencies"]:
        found = FLOOR.fullmatch(requirement.replace(" ", ""))
        if found is None:
            raise ValueError(f"{requirement!r} has no floor: expected name>=version")
        lines.append(f"{found[1]}=={found[2]}")
    return lines


def pythons(project):
    """The Pythons to try, as lines for the workflow: oldest, newest, and (as JSON) all of them.

    All are the oldest, the newest but one, and the newest: on the day when a new one comes, not
    everything has builds for it.
    """
    first, end = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()
    chosen = sorted({int(first), max(int(first), int(end) - 2), int(end) - 1})
    numbers = [f"3.{minor}" for minor in chosen]
    return f"oldest={numbers[0]}\nnewest={numbers[-1]}\nall={json.dumps(numbers)}"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("which", choices=["oldest", "newest", "pythons"])
    which = parser.parse_args(arguments).which
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    if which == "pythons":
        print(pythons(project))
        return
    lines = oldest(project) if which == "oldest" else []
    text = HEADER.format(which) + "".join(f"{line}\n" for line in lines)
    (ROOT / "constraints.txt").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
