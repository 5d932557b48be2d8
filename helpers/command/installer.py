"""What installs packages into an environment: uv where it can be had, otherwise pip.

uv installs in a fraction of pip's time. pip remains for where uv is not to be had, and for where
somebody has told pip of another index, a proxy or a certificate, which uv would not know.

These variables are for the reader:

- ``COURSE_INSTALLER``: ``uv``, ``pip``, or ``auto``, which is what happens without it.
- ``COURSE_TORCH``: ``cpu`` for the small build of PyTorch, ``cuda`` for the one for NVIDIA cards,
  or ``auto``: on Linux without an NVIDIA card the small one, if PyTorch's own index answers.
- ``COURSE_TORCH_INDEX``: another address for that index, such as a copy of it in a school.

Only the standard library is used here: this runs before anything is installed.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.command.files import Problem
from helpers.language import gettext

SECONDS_FOR_THE_INDEX = 4
"""How long PyTorch's own index may take to answer."""

TORCH_CPU = "https://download.pytorch.org/whl/cpu"
"""PyTorch's index of builds for the CPU alone (pytorch.org, "Get started")."""

# What of pip's settings says where packages come from. The rest says where they go or how they are
# built, which is the course's own affair: `user` and `target`, say, would put them elsewhere.
PIP_PLACES = (
    *("index-url", "extra-index-url", "find-links", "no-index", "proxy", "client-cert"),
    "trusted-host",
)
PIP_KEPT = (
    *(*PIP_PLACES, "cert", "cache-dir", "no-cache-dir", "timeout", "default-timeout"),
    *("retries", "keyring-provider", "use-feature", "use-deprecated"),
)

UV_KEPT = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_.*|EXTRA_INDEX_URL|FIND_LINKS|INSECURE_HOST|CACHE_DIR|NO_CACHE"
    r"|OFFLINE|HTTP_.*|NATIVE_TLS|SYSTEM_CERTS|KEYRING_PROVIDER|LINK_MODE|CONCURRENT_.*|NO_PROGRESS"
    r"|NO_CONFIG|CONFIG_FILE)"
)
CHOICES = {"COURSE_INSTALLER": ("uv", "pip", "auto"), "COURSE_TORCH": ("cpu", "cuda", "auto")}
"""The course's variables with a few values; the last one is what happens without the variable."""

OLDEST_UV = (0, 5)
# A server that is not there is not there at the sixth try either.
PIP_RETRIES = "2"

Run = Callable[[Sequence["str | Path"], Mapping[str, str]], int]
"""Runs a command with these variables and returns its exit status; its output is in view."""


def choice(variable: str) -> str:
    """What a variable of the course asks for; Problem for a value that is not in CHOICES."""
    allowed = CHOICES[variable]
    value = os.environ.get(variable, "").strip().lower() or allowed[-1]
    if value not in allowed:
        raise Problem(
            gettext("{variable}={value}: give it one of the values {values}.").format(
                variable=variable, value=value, values=", ".join(allowed)
            )
        )
    return value


# --- pip's settings ----------------------------------------------------------------------------


def pip_settings(listing: str) -> dict[str, str]:
    """{setting: value} from what ``pip config list`` prints, the value that counts of each.

    A section for one command counts more than ``[global]``, a variable more than both.
    """
    ranks = ("global", "install", ":env:")
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section not in ranks:
            continue
        try:
            text = str(ast.literal_eval(value))
        except (SyntaxError, ValueError):
            continue
        rank = ranks.index(section)
        if text and rank >= found.get(name, (0, ""))[0]:
            found[name] = (rank, text)
    return {name: text for name, (_, text) in found.items()}


@cache
def ask_pip(python: Path) -> dict[str, str]:
    """pip's settings on this machine, files and variables together."""
    answer = subprocess.run(
        [python, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=clean(os.environ),
    )
    return pip_settings(answer.stdout if answer.returncode == 0 else "")


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without those that would lead Python or an installer elsewhere."""
    left_out = re.compile(
        r"PYTHON(?!UTF8|WARNINGS|IOENCODING).*|VIRTUAL_ENV|CONDA_PREFIX|__PYVENV.*"
    )
    return {name: value for name, value in environ.items() if not left_out.fullmatch(name)}


# --- the two of them ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Installer:
    """One way to install: ``uv`` or ``pip``, for one environment."""

    name: str
    python: Path
    command: tuple[str | Path, ...]
    environ: dict[str, str]

    def install(self, arguments: Sequence[str | Path], run: Run) -> int:
        """Install what the arguments say; returns the exit status.

        Raises Problem if the environment is not one any more, because somebody deleted parts of it:
        its link to Python would then lead out of it, and packages into the system's own Python.
        """
        if not is_environment(self.python):
            raise Problem(
                gettext("{folder} is not an environment of Python's (any more).").format(
                    folder=self.python.parents[1]
                )
            )
        return run([*self.command, *arguments], self.environ)


def pip(python: Path, temporary: Path) -> Installer:
    """pip, as this environment has it, with the reader's settings as far as they do no harm."""
    settings = ask_pip(python)
    environ = {n: v for n, v in clean(os.environ).items() if not n.startswith("PIP_")}
    for name, value in settings.items():
        if name in PIP_KEPT:
            environ["PIP_" + name.upper().replace("-", "_")] = value
    environ.setdefault("PIP_RETRIES", PIP_RETRIES)
    environ |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",  # never into the Python that the environment was made with
        "TMPDIR": str(temporary),
    }
    return Installer("pip", python, (python, "-m", "pip", "install"), environ)


def uv(command: Sequence[str | Path], python: Path, temporary: Path) -> Installer:
    """uv, called by `command`, for the environment of `python`."""
    environ = {
        name: value
        for name, value in clean(os.environ).items()
        if not name.startswith("UV_") or UV_KEPT.fullmatch(name)
    }
    environ["TMPDIR"] = str(temporary)
    arguments = [*command, "pip", "install", "--python", python, "--compile-bytecode"]
    if not cache_is_useful(python.parents[1], environ):
        # Packages would lie on two disks; in the environment's own folder they are moved instead.
        arguments.append("--no-cache")
    return Installer("uv", python, tuple(arguments), environ)


def is_environment(python: Path) -> bool:
    """Whether this is the Python of an environment, and that environment whole."""
    question = "import sys; print(sys.prefix != sys.base_prefix)"
    try:
        answer = subprocess.run([python, "-I", "-c", question], capture_output=True, text=True)
    except OSError:
        return False
    return answer.stdout.strip() == "True"


def cache_is_useful(venv: Path, environ: Mapping[str, str]) -> bool:
    """Whether uv's cache can be written, and lies on the disk of the environment."""
    if "UV_CACHE_DIR" in environ:
        return True
    if os.name == "nt":
        folder = Path(environ.get("LOCALAPPDATA", Path.home()))
    else:
        folder = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK) and folder.stat().st_dev == venv.stat().st_dev


def find_uv(python: Path, constraints: Path, temporary: Path, run: Run) -> Installer | None:
    """uv from PATH, or from the environment, where pip puts it if need be; None without one."""
    on_path = shutil.which("uv")
    if on_path and uv_version([on_path]) >= OLDEST_UV:
        return uv([on_path], python, temporary)
    get: list[str | Path] = ["--quiet", "--no-deps", "-c", constraints, "uv"]
    if pip(python, temporary).install(get, run) == 0 and uv_version([python, "-m", "uv"]):
        return uv([python, "-m", "uv"], python, temporary)
    return None


def uv_version(command: Sequence[str | Path]) -> tuple[int, ...]:
    """(0, 9) for uv 0.9.5; () if it does not run."""
    try:
        answer = subprocess.run([*command, "--version"], capture_output=True, text=True)
    except OSError:
        return ()
    found = re.match(r"uv (\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found and answer.returncode == 0 else ()


def why_pip(python: Path) -> str | None:
    """Why pip installs, as part of a sentence; None if uv is to be tried."""
    asked = choice("COURSE_INSTALLER")
    if asked == "pip":
        return gettext("COURSE_INSTALLER asks for it")
    if asked == "auto":
        places = sorted(set(ask_pip(python)) & set(PIP_PLACES))
        if places:
            return gettext("its settings name {settings}").format(settings=", ".join(places))
    return None


# --- which build of torch ----------------------------------------------------------------------


def torch_index(say: Callable[[str], None]) -> str | None:
    """The index to take torch from, or None for the build that the default index has.

    Raises Problem if ``COURSE_TORCH=cpu`` asks for an index that does not answer.
    """
    wanted = choice("COURSE_TORCH")
    if wanted == "cuda" or sys.platform != "linux":
        return None  # elsewhere the default index has the small build
    index = index_of_small_torch()
    if wanted == "cpu":
        if not answers(index):
            raise Problem(
                gettext(
                    "COURSE_TORCH=cpu asks for the small build of PyTorch, and its index "
                    "({index}) cannot be reached: connect and run the same command again, or "
                    "leave COURSE_TORCH away to take the large one (about 6 GB)."
                ).format(index=index)
            )
        say(gettext("PyTorch: the small build, for the CPU alone (COURSE_TORCH=cpu)."))
        return index
    if has_nvidia_card():
        say(gettext("PyTorch: the build for NVIDIA cards, as this machine has one."))
        return None
    if answers(index):
        say(
            gettext(
                "PyTorch: the small build, for the CPU alone (COURSE_TORCH=cuda takes the other "
                "one)."
            )
        )
        return index
    say(
        gettext(
            "PyTorch: the large build, because the index that has the small one does not answer."
        )
    )
    return None


def index_of_small_torch() -> str:
    """The address of the index that has the build for the CPU alone."""
    return os.environ.get("COURSE_TORCH_INDEX") or TORCH_CPU


def has_nvidia_card() -> bool:
    """Whether there is an NVIDIA card with its driver, under Linux or in WSL."""
    places = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/usr/lib/wsl/lib/nvidia-smi")
    return any(map(os.path.exists, places)) or shutil.which("nvidia-smi") is not None


def answers(index: str) -> bool:
    """Whether this index names builds of torch, within a few seconds."""
    result: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(
                f"{index.rstrip('/')}/torch/", timeout=SECONDS_FOR_THE_INDEX
            ) as page:
                result.append(b"torch-" in page.read(1_000_000))
        except (OSError, ValueError):
            result.append(False)

    # In a thread: no time limit of Python's reaches into the look-up of a name.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(SECONDS_FOR_THE_INDEX)
    return result == [True]
