"""The course's own environment, `.venv`: when to make it, repair it, or leave it alone.

Everything is decided by one small file inside it, `.venv/course.json`:

- "ready" is written at the very end, after the course was seen to work, with the requirements, the
  Python, the folder and the extras. As long as all of them still hold there is nothing to do.
- "installing" is written before anything is installed, with what held before. Whoever finds it,
  with nobody at work, knows that the computer went off in the middle.

Nothing that works is thrown away before the new one stands: an environment that must be made again
is moved aside first, and put back if that fails. Where only packages are missing that cannot be had
now, the course goes on with the ones that are there.

Only the standard library is used here: this runs before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from helpers.command import installer
from helpers.command.files import Problem
from helpers.command.installer import Installer
from helpers.command.prerequisites import (
    check_disk,
    check_extras,
    check_machine,
    check_variables,
    check_venv_module,
)
from helpers.command.variables import course_variables
from helpers.command.venv_folder import (
    NAME,
    aside,
    has_pip,
    has_torch,
    is_still_ready,
    move_aside,
    only_one,
    put_back,
    python_version,
    read_state,
    remove,
    runner,
    say,
    venv_python,
    write_ready,
    write_state,
)
from helpers.command.wanted import read_wanted
from helpers.language import gettext

# What a course that works can import. The last one builds matplotlib's list of fonts, which takes
# seconds the first time and says so on stderr.
PROBE = "import jupyterlab, torch, helpers; import matplotlib.font_manager"


def is_ready(root: Path, extras: Sequence[str]) -> bool:
    """Whether root/.venv holds the course and these extras, as the files ask for today."""
    venv = root / NAME
    state, wanted = read_state(venv), read_wanted(root)
    return (
        set(extras) <= set(state.get("extras", []))
        and asked_torch() in (None, state.get("torch"))
        and is_still_ready(venv, root, packages=wanted.packages, link=wanted.link)
    )


def asked_torch() -> str | None:
    """The build of torch that the reader asks for by name ("cpu", "cuda"); None for any."""
    if sys.platform != "linux":
        return None
    wanted = installer.choice("COURSE_TORCH")
    return None if wanted == "auto" else wanted


def installers(
    python: Path, constraints: Path, temporary: Path, run: installer.Run
) -> list[Installer]:
    """What installs into the environment of this Python: uv, and pip in case it fails; or pip."""
    pip = installer.pip(python, temporary)
    reason = installer.why_pip(python)
    if reason is None:
        uv = installer.find_uv(python, constraints, temporary, run)
        if uv is not None:
            return [uv, pip]
        reason = gettext("uv is not to be had")
    say(gettext("pip installs, because {reason}.").format(reason=reason))
    return [pip]


def install(
    root: Path,
    extras: Sequence[str],
    supported: Sequence[str],
    find_python: Callable[[Sequence[tuple[int, int]]], str | None],
) -> None:
    """Make root/.venv hold the course with these extras; do nothing if it does already.

    `supported` lists the Pythons that the course works with ("3.11"), this one among them;
    `find_python` finds another one by its version. Extras that were installed before stay.
    Raises Problem if something is missing; what worked before that still does.
    """
    if is_ready(root, extras):
        return
    check_extras(root, extras)
    try:
        with only_one(root) as lock:
            if not is_ready(root, extras):  # nobody else has done it meanwhile
                Change(root, extras, supported, find_python, runner(root, lock)).make()
    except OSError as error:
        raise Problem(
            gettext(
                "The installation could not go on: {error}. Put that right (is the folder "
                "yours to write in? is there room on the disk?), then run the same command "
                "again."
            ).format(error=error)
        ) from error


def nothing_left() -> str:
    return gettext("Nothing was left behind: run the same command again to begin afresh.")


class Change:
    """One call of the installer that has something to do; the caller holds the lock."""

    def __init__(
        self,
        root: Path,
        extras: Sequence[str],
        supported: Sequence[str],
        find_python: Callable[[Sequence[tuple[int, int]]], str | None],
        run: installer.Run,
    ) -> None:
        self.root, self.venv, self.run = root, root / NAME, run
        self.supported, self.find_python = supported, find_python
        self.wanted = read_wanted(root)
        if aside(self.venv).exists():  # cut off while a new one was made, or the old one deleted
            if read_state(self.venv).get("state") == "ready":
                shutil.rmtree(aside(self.venv))
            else:
                put_back(self.venv)
        self.state = read_state(self.venv)
        cut_off = self.state.get("state") == "installing"
        self.by_hand = not self.state or self.state.get("by_hand", False)
        self.before = self.state.get("before", {}) if cut_off else self.state
        known = [e for e in self.before.get("extras", []) if e in self.wanted.extras]
        self.extras = sorted({*extras, *known})
        self.asked = extras
        self.index: str | None = None
        self.tool: Installer | None = None

    def make(self) -> None:
        """Make, repair or add to the environment."""
        check_machine()
        check_variables()
        there = self.venv.exists() and any(self.venv.iterdir())
        if not there:
            self.make_new()
            return
        self.repair()
        reason = self.why_afresh()
        if reason is None:
            self.bring_up_to_date()
        elif not self.before:  # nothing in it ever worked
            say(gettext("Making .venv afresh: {reason}.").format(reason=reason))
            remove(self.venv)
            self.make_new()
        else:
            self.replace(reason)

    def why_afresh(self) -> str | None:
        """Why .venv can only be made again from nothing; None if it can be kept.

        Raises Problem for an environment that is not usable and was not made here: it may be
        somebody's own, so it is not deleted.
        """
        version = python_version(self.venv)
        if self.by_hand:
            whole = installer.is_environment(venv_python(self.venv))
            if version is None or not whole or not has_pip(self.venv):
                raise Problem(
                    gettext(
                        "{folder} was not made by this command, and its Python does not run "
                        "or has no pip: delete or rename that folder, then run the same "
                        "command again."
                    ).format(folder=self.venv)
                )
            return None
        made_with = self.before.get("python")
        if self.state.get("state") == "installing":
            return gettext("the last installation was cut off")
        if version is None:
            return gettext("the Python {made_with} that it was made with is gone").format(
                made_with=made_with
            )
        if version != made_with:
            return gettext("its Python changed from {made_with} to {version}").format(
                made_with=made_with, version=version
            )
        if not installer.is_environment(venv_python(self.venv)):
            return gettext("parts of it were deleted")
        if version not in self.supported:
            return gettext(
                "its Python {version} is not one of those the course works with by now"
            ).format(version=version)
        if asked_torch() and asked_torch() != self.before.get("torch"):
            return gettext("COURSE_TORCH asks for another build of PyTorch ({build})").format(
                build=asked_torch()
            )
        return None

    def repair(self) -> None:
        """Make an environment run again that was moved, or whose Python was."""
        moved = self.before.get("folder") not in (None, str(self.root))
        version = self.before.get("python")
        if version is None or not (moved or python_version(self.venv) != version):
            return
        python: str | None = sys.executable
        if "{}.{}".format(*sys.version_info) != version:
            major, minor = map(int, version.split("."))
            python = self.find_python([(major, minor)])
        if python is None:
            return
        # It writes the links, pyvenv.cfg and the activate scripts again, and leaves the packages.
        if python_version(self.venv) != version:
            for link in (self.venv / "bin").glob("python*"):  # an old link would be kept
                link.unlink()
        command: list[str | Path] = [python, "-m", "venv", "--without-pip", self.venv]
        if self.run(command, installer.clean(os.environ)) == 0 and moved:
            self.rewrite_scripts(self.before["folder"])

    def rewrite_scripts(self, folder: str) -> None:
        """Let the programs in bin/ begin with the environment's Python where it is now."""
        old = os.fsencode(f"{folder}{os.sep}{NAME}{os.sep}")
        new = os.fsencode(f"{self.venv}{os.sep}")
        for script in (self.venv / "bin").glob("*"):
            if script.is_symlink() or not script.is_file():
                continue
            content = script.read_bytes()
            if content.startswith(b"#!") and old in content[:600]:
                # Longer than the system allows, or with a space, the path stands in a later line.
                head, body = content[:600].replace(old, new), content[600:]
                script.write_bytes(head + body)

    # --- the three ways ---

    def make_new(self) -> None:
        """Make .venv from nothing; if that fails, nothing is left behind."""
        check_venv_module()
        self.choose_torch()
        self.venv.mkdir(exist_ok=True)
        write_state(self.venv, state="installing")
        self.state = read_state(self.venv)  # what was ready is aside: the new one has no packages
        try:
            say(
                gettext("Making .venv with Python {version}.").format(
                    version=sys.version.split()[0]
                )
            )
            if self.run([sys.executable, "-m", "venv", self.venv], installer.clean(os.environ)):
                raise Problem(gettext("Python could not make .venv; its own message is above."))
            self.fill()
        except (Problem, KeyboardInterrupt) as error:
            remove(self.venv)
            raise Problem(f"{str(error) or gettext('Stopped.')} {nothing_left()}") from None
        except BaseException:
            remove(self.venv)
            raise

    def replace(self, reason: str) -> None:
        """Make another environment, and delete the old one when the new one stands."""
        say(gettext("Making .venv afresh: {reason}.").format(reason=reason))
        check_venv_module()
        move_aside(self.venv)
        try:
            self.make_new()
        except BaseException as error:
            put_back(self.venv)
            # Another build that was asked for by name is not done without.
            has_build = asked_torch() in (None, self.before.get("torch"))
            if isinstance(error, Problem) and has_build and self.still_works():
                return
            if isinstance(error, Problem):
                why = str(error).removesuffix(f" {nothing_left()}")
                raise Problem(
                    gettext(
                        "{why} The old .venv is where it was, but it cannot be used, because "
                        "{reason}. Run the same command again when the above is put right."
                    ).format(why=why, reason=reason)
                ) from None
            raise
        shutil.rmtree(aside(self.venv))

    def bring_up_to_date(self) -> None:
        """Bring the packages of .venv up to date; if that fails, go on with those it has."""
        if not self.has_what_is_wanted():
            self.choose_torch()
        write_state(self.venv, state="installing", before=self.before, by_hand=self.by_hand)
        try:
            self.fill()
        except BaseException as error:
            if isinstance(error, Problem) and self.still_works():
                return
            if self.before:
                with suppress(OSError):
                    write_state(self.venv, **{**self.before, "packages": None})
            if isinstance(error, Problem | KeyboardInterrupt):
                again = gettext("Run the same command again to go on.")
                raise Problem(f"{str(error) or gettext('Stopped.')} {again}") from None
            raise

    def has_what_is_wanted(self) -> bool:
        """Whether all packages are there, so that at most the course itself must be linked."""
        return (
            self.before.get("packages") == self.wanted.packages
            and set(self.extras) <= set(self.before.get("extras", []))
            and self.state.get("state") == "ready"
        )

    def choose_torch(self) -> None:
        """Decide on the build of torch, if it is not there yet, and see that it finds room."""
        if not has_torch(self.venv):
            self.index = installer.torch_index(say)
        elif self.before.get("torch") == "cpu":
            self.index = installer.index_of_small_torch()
        check_disk(self.root, small_torch=self.index is not None)

    def still_works(self) -> bool:
        """Whether the environment of before can do what is asked for; says so if it can.

        It is marked as it was, so that the next call tries again.
        """
        if not self.before or not set(self.asked) <= set(self.before.get("extras", [])):
            return False
        if not self.probe():
            return False
        write_state(
            self.venv, **{**self.before, "folder": str(self.root), "packages": None, "link": None}
        )
        say("")
        say(
            gettext(
                "The course's packages could not be brought up to date (often because there "
                "is no network). It goes on with those that were installed before, and tries "
                "again the next time."
            )
        )
        return True

    # --- what they share ---

    def fill(self) -> None:
        """Install what is wanted, link the course, and see that it works; then say "ready"."""
        temporary = self.venv / "tmp"  # /tmp may be a small disk in memory
        temporary.mkdir(exist_ok=True)
        try:
            if not self.has_what_is_wanted():
                self.install_packages(temporary)
            self.link(temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        if not self.probe(show=True):
            raise Problem(
                gettext(
                    "The packages were installed, but the course does not work with them; "
                    "Python's own message is above."
                )
            )
        write_ready(
            self.venv,
            self.root,
            packages=self.wanted.packages,
            link=self.wanted.link,
            extras=self.extras,
            torch=self.torch_build(),
        )
        say(gettext("Ready: {folder}").format(folder=self.venv))

    def install_packages(self, temporary: Path) -> None:
        """Install the packages, with uv or pip."""
        python, constraints = venv_python(self.venv), self.root / "constraints.txt"
        names = ", ".join(self.extras)
        said = gettext("Installing the course's packages into .venv.")
        if names:
            said = gettext("Installing the course's packages (with {names}) into .venv.")
        said = said.format(names=names)
        if not has_torch(self.venv):
            said += " " + gettext("The first time this takes a minute or more.")
        say(said)
        tools = installers(python, constraints, temporary, self.run)
        packages = self.wanted.requirements(self.extras)
        steps: list[list[str | Path]] = [["-c", constraints, *packages]]
        if self.index:
            where = "--default-index" if tools[0].name == "uv" else "-i"
            steps.insert(0, ["--no-deps", where, self.index, *self.wanted.torch()])
        for tool in tools:
            if all(tool.install(step, self.run) == 0 for step in steps):
                self.tool = tool
                return
            if tool is not tools[-1]:
                say(
                    gettext("{name} could not install them: trying {other}.").format(
                        name=tool.name, other=tools[-1].name
                    )
                )
        raise Problem(
            gettext(
                "The installation failed: the installer's own messages are above, the last "
                "ones say why (often no network, or no room on the disk)."
            )
        )

    def link(self, temporary: Path) -> None:
        """Link the course itself into the environment, with its program `course`: no network."""
        tool = self.tool or installer.pip(venv_python(self.venv), temporary)
        link = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-e"]
        if tool.install([*link, self.root], self.run):
            raise Problem(gettext("The course itself could not be linked into .venv: see above."))

    def probe(self, show: bool = False) -> bool:
        """Whether the course can be imported in the environment, away from its folder."""
        environ = course_variables(installer.clean(os.environ), self.root, self.venv)
        try:
            done = subprocess.run(
                [venv_python(self.venv), "-c", PROBE],
                cwd=self.venv,
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=None if show else subprocess.DEVNULL,
            )
        except OSError:
            return False
        return done.returncode == 0

    def torch_build(self) -> str:
        """ "cpu" for the small build on Linux, else "cuda"."""
        versions = self.venv.glob("[Ll]ib/**/site-packages/torch-*.dist-info")
        return "cpu" if any("+cpu" in folder.name for folder in versions) else "cuda"
