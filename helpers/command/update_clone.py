"""A newer release by git, file by file: nothing is merged within a file, and nothing is half done.

What the upstream changed since the two parted is taken whole; everything else stays as it is. The
new commit is made beside the old one and then moved to in one step, so that no merge is ever left
half-finished.
"""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from helpers.command.changes import Changes, check_place, remove_file
from helpers.command.files import Problem, keep_own_copy, write_whole
from helpers.command.git import Git
from helpers.language import MESSAGES, gettext, gettext_noop, translated

# What git leaves in its folder while something is going on.
UNFINISHED = {
    "MERGE_HEAD": gettext_noop("a merge"),
    "rebase-merge": gettext_noop("a rebase"),
    "rebase-apply": gettext_noop("a rebase"),
    "CHERRY_PICK_HEAD": gettext_noop("a cherry-pick"),
    "REVERT_HEAD": gettext_noop("a revert"),
}
MESSAGE = "Update the course, with what was changed here"
# For a reader who never told git a name.
NOBODY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "course update"), ("EMAIL", "course@localhost"))
}


def update_clone(git: Git) -> Changes:
    """Bring what the upstream has into a git clone.

    Raises
    ------
    Problem
        If it cannot be done; then everything is as it was.
    """
    check_state(git)
    fetched = git.run("fetch", "--quiet")
    if fetched.returncode:
        why = " ".join(os.fsdecode(fetched.stderr).split()) or gettext("git does not say why")
        raise Problem(
            gettext(
                "What is new could not be fetched ({why}). Nothing was changed; without a "
                "connection everything else works, try again later."
            ).format(why=why)
        )
    head, theirs = git.id_of("HEAD"), git.id_of("@{upstream}")
    base = git.run("merge-base", "HEAD", "@{upstream}").stdout.decode().strip()
    if not base or not theirs or not head:
        raise Problem(
            gettext(
                "This clone and its upstream have no commit in common, so there is nothing "
                "to start from. Nothing was changed; clone the course anew, beside this "
                "folder."
            )
        )
    changes = Changes(gettext("commit {id} of the course").format(id=theirs[:10]))
    upstream = _Upstream(git, base, theirs)
    both, changes.stayed = own_changes(git, base, upstream)
    if base == theirs:
        return changes
    for name in upstream.after:
        check_place(git.root, name, set(upstream.changed) - set(upstream.after))
    target = theirs if base == head else merged(git, head, theirs, upstream)

    before = _AsItWas(git, head, upstream.changed)
    try:
        for name in both:
            copy = keep_own_copy(git.root / name)
            before.copies.append(copy)
            changes.kept.append((name, copy.name))
        set_back(git, head, upstream.changed)
        git("merge", "--quiet", "--ff-only", target)
    except BaseException as error:
        before.put_back()
        if isinstance(error, Problem):
            raise Problem(
                gettext("{error}. Everything is as it was.").format(error=error)
            ) from None
        raise
    changes.new = sorted(upstream.after)
    changes.removed = sorted(set(upstream.changed) - set(upstream.after))
    return changes


def check_state(git: Git) -> None:
    """Raise Problem unless this is a branch with an upstream, and nothing is going on."""
    for name, noun in UNFINISHED.items():
        if (git.folder / name).exists():
            what = translated(noun, MESSAGES)
            raise Problem(
                gettext(
                    "In this clone {what} is not finished (`git status` says how to end it): "
                    "finish it, then run `course update` again. Nothing was changed."
                ).format(what=what)
            )
    if git.run("symbolic-ref", "--quiet", "HEAD").returncode:
        raise Problem(
            gettext(
                "This clone is on no branch (a single commit was checked out): `git switch "
                "main` goes back to the course's branch, then run `course update` again. "
                "Nothing was changed."
            )
        )
    if git.id_of("@{upstream}") is None:
        raise Problem(
            gettext(
                "The branch of this clone has no upstream, so there is nowhere to fetch "
                "from: `git switch main` goes back to the course's branch, or `git branch "
                "--set-upstream-to=origin/main` names one. Nothing was changed."
            )
        )


class _Upstream:
    """What the upstream changed since the two parted.

    `changed` are the paths, `before` and `after` the modes and ids of those that were or are there.
    """

    def __init__(self, git: Git, base: str, theirs: str) -> None:
        before, after = git.files(base), git.files(theirs)
        self.changed = sorted(
            name for name in {*before, *after} if before.get(name) != after.get(name)
        )
        self.before = {name: before[name] for name in self.changed if name in before}
        self.after = {name: after[name] for name in self.changed if name in after}

    def content_before(self, name: str) -> str | None:
        return self.before.get(name, ("", None))[1]

    def content_after(self, name: str) -> str | None:
        return self.after.get(name, ("", None))[1]


def own_changes(git: Git, base: str, upstream: _Upstream) -> tuple[list[str], list[str]]:
    """What the reader changed since the two parted, committed or not: (where the upstream did, too,
    and where it did not). In the first are only files that are there, also untracked ones."""
    present = [name for name in upstream.changed if (git.root / name).is_file()]
    given = "".join(f"{name}\n" for name in present).encode("utf-8", "surrogateescape")
    ids = git("hash-object", "--stdin-paths", given=given).decode().split()
    both = [
        name
        for name, content in zip(present, ids, strict=True)
        if content not in (upstream.content_before(name), upstream.content_after(name))
    ]
    stayed = sorted(set(git.names("diff", "--name-only", "--no-renames", base)))
    return both, [name for name in stayed if name not in set(upstream.changed)]


def merged(git: Git, head: str, theirs: str, upstream: _Upstream) -> str:
    """A commit with both as parents: the reader's, with all that the upstream changed taken whole.

    Neither the files nor git's index are touched.
    """
    gone = [name for name in upstream.changed if name not in upstream.after]
    entries = [f"0 {'0' * len(head)}\t{name}\0" for name in gone]
    entries += [f"{mode} {content} 0\t{name}\0" for name, (mode, content) in upstream.after.items()]
    with tempfile.TemporaryDirectory() as aside:
        env = {"GIT_INDEX_FILE": str(Path(aside) / "index")}
        git("read-tree", head, env=env)
        given = "".join(entries).encode("utf-8", "surrogateescape")
        git("update-index", "-z", "--index-info", given=given, env=env)
        tree = git("write-tree", env=env).decode().strip()
    named = git.run("var", "GIT_COMMITTER_IDENT").returncode == 0
    parents = ("-p", head, "-p", theirs)
    commit = git("commit-tree", tree, *parents, "-m", MESSAGE, env=None if named else NOBODY)
    return commit.decode().strip()


def set_back(git: Git, head: str, changed: list[str]) -> None:
    """Bring these paths, in the folder and in git's index, to what the commit `head` has."""
    committed = git.files(head)
    differing = set(git.names("diff", "--name-only", "--no-renames", head))
    tracked = [name for name in changed if name in committed and name in differing]
    # Untracked ones, ignored ones among them: git would write over those without a word.
    others = [
        name for name in changed if name not in committed and os.path.lexists(git.root / name)
    ]
    for some in in_portions(tracked + others):
        git("reset", "--quiet", head, "--", *some)
    for some in in_portions(tracked):
        git("checkout", "--quiet", head, "--", *some)
    for name in others:
        remove_file(git.root, name)


def in_portions(names: list[str], size: int = 100) -> Iterable[list[str]]:
    """Names in portions that every system's command line can take."""
    return (names[start : start + size] for start in range(0, len(names), size))


class _AsItWas:
    """These files, git's index and its HEAD, to be put back if something fails.

    `copies` are the reader's own copies made meanwhile: after `put_back` they are not needed.
    """

    def __init__(self, git: Git, head: str, names: list[str]) -> None:
        self.git, self.head = git, head
        self.index = git.folder / "index"
        self.index_before = self.index.read_bytes()
        self.files = {
            name: (git.root / name).read_bytes() if (git.root / name).is_file() else None
            for name in names
        }
        self.copies: list[Path] = []

    def put_back(self) -> None:
        for name, data in self.files.items():
            path = self.git.root / name
            if data is None:
                remove_file(self.git.root, name)
            elif not path.is_file() or path.read_bytes() != data:
                write_whole(path, data)
        self.git("update-ref", "HEAD", self.head)
        write_whole(self.index, self.index_before)
        for copy in self.copies:
            copy.unlink()
