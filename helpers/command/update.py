"""`course update`: a newer release, without losing what the reader wrote."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.command.changes import Changes
from helpers.command.files import ROOT, Problem
from helpers.command.git import Git
from helpers.command.manifest import Manifest
from helpers.command.update_clone import update_clone
from helpers.command.update_unzipped import update_unzipped
from helpers.language import gettext

LONGEST_LIST = 12


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Bring a newer release into the course's folder; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="course update",
        description=gettext(
            "Bring a newer release of the course. What you wrote is kept: what you alone "
            "changed stays, and what the release changed, too, is kept beside the new file, "
            "under a name with (mine, …) in it."
        ),
    )
    parser.add_argument(
        "release",
        nargs="?",
        type=Path,
        help=gettext(
            "the release's zip, or the folder that came out of it; nothing in a git clone"
        ),
    )
    parser.add_argument(
        "--older",
        action="store_true",
        help=gettext("take a release that is older than what is here"),
    )
    options = parser.parse_args(argv)
    try:
        changes = update(root, options.release, options.older)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    except OSError as error:
        print(
            gettext(
                "The update could not go on: {error}. Nothing of yours is lost: put that "
                "right (is the file open in another program? is there room on the disk?), "
                "then run the same command again."
            ).format(error=error),
            file=sys.stderr,
        )
        return 1
    print("\n".join(report(changes)))
    return 0


def update(root: Path, release: Path | None, older: bool) -> Changes:
    """Update by git or from a release, whichever this folder came by."""
    git = Git.of(root)
    if git is not None and (git.id_of("@{upstream}") or Manifest.of(root) is None):
        if release is not None:
            raise Problem(
                gettext(
                    "This folder is a git clone: git brings what is new. Run `course update` "
                    "without a zip."
                )
            )
        return update_clone(git)
    if release is None:
        raise Problem(
            gettext(
                "Say where the new release is: course update ~/Downloads/cnn-course.zip (the "
                "zip, or the folder that came out of it)."
            )
        )
    return update_unzipped(root, release.expanduser(), older)


def report(changes: Changes) -> list[str]:
    """What was done, in lines for the reader."""
    lines = []
    if not changes.new and not changes.removed and not changes.kept:
        lines.append(
            gettext("Nothing to do: this is {release} already.").format(release=changes.release)
        )
    else:
        lines.append(gettext("This is {release} now.").format(release=changes.release))
    lines += listed(gettext("New or changed"), changes.new)
    lines += listed(gettext("Removed, because the release has them no more"), changes.removed)
    if changes.kept:
        lines.append(
            gettext("You and the release both changed these. Yours are kept beside the new ones:")
        )
        yours = gettext("yours: {copy}")
        lines += [f"  {name}\n    {yours.format(copy=copy)}" for name, copy in changes.kept]
    lines += listed(gettext("Changed by you alone, and left as they are"), changes.stayed)
    if changes.new or changes.removed:
        lines.append(
            gettext(
                "Reload what is open in JupyterLab: File, Reload Notebook from Disk. The "
                "next `course lab` brings the environment up to date."
            )
        )
    return lines


def listed(title: str, names: Sequence[str]) -> list[str]:
    """A title and the names below it; of many the notebooks, and the number of the others."""
    if not names:
        return []
    shown = list(names)
    if len(names) > LONGEST_LIST:
        shown = [name for name in names if name.endswith(".ipynb")][:LONGEST_LIST]
    more = len(names) - len(shown)
    lines = [f"{title}:", *(f"  {name}" for name in shown)]
    if more:
        said = gettext("and {count} more") if shown else gettext("{count} files")
        lines.append(f"  {said.format(count=more)}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
