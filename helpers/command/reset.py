"""`course reset`: a lesson or an assignment as it came, the reader's own copy kept beside it."""

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.command.files import ROOT, Problem, keep_own_copy, write_whole
from helpers.command.released import Released, State
from helpers.command.variables import chosen_language
from helpers.language import MESSAGES, gettext, gettext_noop, languages, translated

HOW = gettext_noop("""\
Lessons are given by their numbers, assignments after the word "assignment", and both by their
names or paths:

  course reset 05                          lesson 05
  course reset assignment 01               assignment 01
  course reset 02 03 assignment 02         two lessons and an assignment
  course reset notebooks/05-mnist-net.ipynb

Without a name it lists what differs from what you were given.""")
KINDS = "(lesson|notebook|assignment)s?"


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Give notebooks back as they were released; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="course reset",
        description=gettext(
            "Give lessons or assignments back as they came. What you wrote is kept beside "
            "each, under a name with (mine, …) in it."
        ),
        epilog=translated(HOW, MESSAGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what",
        nargs="*",
        help=gettext("a number, a name or a path, for instance 05 or assignment 01"),
    )
    what = parser.parse_args(argv).what
    try:
        root, what = edition_of(what, root)
        released = Released.find(root)
        if not what:
            show_changed(released, root)
            return 0
        # All names are understood before anything is changed.
        names = chosen(what, released.names, root)
    except (Problem, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    failed = 0
    for name in names:
        try:
            print(reset(name, released, root))
        except (Problem, OSError) as error:
            failed += 1
            print(
                gettext("{name} was not given back: {error}").format(name=name, error=error),
                file=sys.stderr,
            )
    return 1 if failed else 0


def edition_of(words: Sequence[str], root: Path) -> tuple[Path, list[str]]:
    """The folder of the edition that is meant, and the words without the part that names it.

    A path below `ko/` means the Korean edition; otherwise it is the one that the reader has chosen.
    """
    for word in words:
        code = word.replace("\\", "/").removeprefix("./").partition("/")[0]
        if code in languages(root) and (root / code).is_dir():
            return root / code, [re.sub(rf"^(\./)?{code}[/\\]", "", each) for each in words]
    language = chosen_language(os.environ, root)
    if language in languages(root) and (root / language).is_dir():
        return root / language, list(words)
    return root, list(words)


def show_changed(released: Released, root: Path) -> None:
    """Print which notebooks differ from the released ones, and how to give them back."""
    changed = released.changed(root)
    if not changed:
        print(gettext("No lesson and no assignment differs from what you were given."))
        return
    print(gettext("These differ from what you were given:"))
    width = max(map(len, changed))
    for name in changed:
        gone = gettext("  (deleted)") if released.state(root, name) is State.MISSING else ""
        print(f"  {name + gone:{width}}    course reset {shortest(name)}")
    print(gettext("`course reset` gives one back as it came, and keeps yours beside it."))


def shortest(name: str) -> str:
    """The shortest words by which `course reset` knows a notebook."""
    folder, *_, file = name.split("/")
    number = file.split("-")[0]
    return number if folder == "notebooks" else f"assignment {number}"


def chosen(words: Sequence[str], names: Sequence[str], root: Path) -> list[str]:
    """The notebooks that the words on the command line mean, each once.

    Raises
    ------
    Problem
        If a word means none or several; with what there is.
    """
    found: dict[str, None] = {}
    folder = "notebooks"
    for word in words:
        if re.fullmatch(KINDS, word):
            folder = "assignments" if word.startswith("a") else "notebooks"
        else:
            found[the_one(word, folder, names, root)] = None
    if re.fullmatch(KINDS, words[-1]):
        which = gettext("Say which {kind}.").format(kind=words[-1].removesuffix("s"))
        raise Problem(f"{which}\n{listing(names)}")
    return list(found)


def the_one(word: str, folder: str, names: Sequence[str], root: Path) -> str:
    """The notebook that one word means."""
    paths = {word.replace("\\", "/").rstrip("/").removeprefix("./")}
    with contextlib.suppress(ValueError):  # a path from wherever the reader is
        paths.add(Path(word).resolve().relative_to(root.resolve()).as_posix())
    fits = [name for name in names if any(leads_to(path, name) for path in paths)]
    if not fits:
        start = f"{int(word):02}-" if word.isdecimal() else word
        known = [name for name in names if name.split("/")[0] == folder]
        fits = [name for name in known if name.split("/")[-1].startswith(start)]
    if len(fits) == 1:
        return fits[0]
    if fits:
        wrong = gettext("More than one notebook fits {word!r}.")
    else:
        wrong = gettext("There is no notebook {word!r}.")
    raise Problem(f"{wrong.format(word=word)}\n{listing(fits or names)}")


def leads_to(path: str, name: str) -> bool:
    """Is the path the notebook itself, its folder, or the beginning of one of these?"""
    return name == path or (
        path.count("/") > 0 and name.startswith(path) and name[len(path)] in "-/."
    )


def listing(names: Sequence[str]) -> str:
    """What can be reset, a line for each notebook."""
    width = max((len(shortest(name)) for name in names), default=0)
    lines = [f"  course reset {shortest(name):{width}}   {name}" for name in names]
    return "\n".join([gettext("These can be given back:"), *lines])


def reset(name: str, released: Released, root: Path) -> str:
    """Give one notebook back; returns what was done, in sentences.

    The reader's version is kept whole before the released one takes its place, so that a failure
    at any point loses nothing.
    """
    path = root / name
    state = released.state(root, name)
    if state is State.SAME:
        return gettext("{name} is as it came: nothing to do.").format(name=name)
    original = released.original(name)
    if state is State.MISSING:
        write_whole(path, original)
        return gettext("{name} was gone, and is there again as it came.").format(name=name)
    copy = keep_own_copy(path)
    write_whole(path, original)
    done = gettext("{name} is as it came again. Yours is kept beside it: {copy}")
    open_tabs = gettext(
        "If it is open in JupyterLab: close its tab, or choose File, Reload Notebook from Disk. "
        "Otherwise JupyterLab may save the old text over it."
    )
    return f"{done.format(name=name, copy=copy.name)}\n{open_tabs}"


if __name__ == "__main__":
    sys.exit(main())
