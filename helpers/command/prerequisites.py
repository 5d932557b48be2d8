"""What a machine must have before anything is installed; each lack is told in one sentence.

Only the standard library is used here.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.command.files import Problem
from helpers.command.installer import CHOICES, choice
from helpers.command.venv_folder import NAME, has_torch
from helpers.command.wanted import read_wanted
from helpers.language import gettext

# Free space, in GB of 10^9 bytes, that an installation from nothing needs: what lies on the disk
# at the end, and the largest download beside it. torch for Linux brings NVIDIA's libraries along.
GB_WITH_CUDA = 9
GB_WITHOUT_CUDA = 3
GB_FOR_THE_REST = 1  # torch is there already

OLDEST_MACOS = 14
"""Of macOS, the oldest that PyTorch has wheels for (torch 2.15: macosx_14_0_arm64)."""


def check_extras(root: Path, extras: Sequence[str]) -> None:
    """Raise Problem for an extra that pyproject.toml does not have."""
    known = sorted(read_wanted(root).extras)
    for extra in extras:
        if extra not in known:
            raise Problem(
                gettext(
                    "pyproject.toml has no extra called {extra!r}: take one of {known}."
                ).format(extra=extra, known=", ".join(known))
            )


def check_machine() -> None:
    """Raise Problem for a machine that PyTorch has no builds for."""
    system, machine = platform.system(), platform.machine()
    if sys.maxsize < 2**32:
        raise Problem(
            gettext(
                "This Python is a 32-bit program, and PyTorch has no builds for it: install "
                "the 64-bit one, then run the same command again."
            )
        )
    if system == "Darwin" and machine == "x86_64":
        raise Problem(
            gettext(
                "PyTorch has had no builds for Intel Macs since version 2.3, so the course "
                "cannot be installed on one. (On a Mac with Apple's own chip this message "
                "means that this Python, {python}, was made for Intel: install the one for "
                "Apple silicon.) The lessons can be read on the web site, and run in a "
                "hosted notebook."
            ).format(python=sys.executable)
        )
    if system == "Darwin" and int(platform.mac_ver()[0].partition(".")[0] or 0) < OLDEST_MACOS:
        raise Problem(
            gettext(
                "PyTorch needs macOS {oldest} or newer, and this is macOS {version}: update "
                "macOS, then run the same command again."
            ).format(oldest=OLDEST_MACOS, version=platform.mac_ver()[0])
        )
    if system == "Linux" and platform.libc_ver()[0] != "glibc":
        raise Problem(
            gettext(
                "PyTorch has builds only for Linux systems with the C library glibc, and "
                "this one has another (Alpine Linux, for instance): take a Debian, Ubuntu or "
                "Fedora, or a container of one."
            )
        )


def check_variables() -> None:
    """Raise Problem for a variable of the course with a value that means nothing."""
    for variable in CHOICES:
        choice(variable)


def check_venv_module() -> None:
    """Raise Problem if this Python cannot make environments (Debian ships it in two parts)."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = "python{}.{}-venv".format(*sys.version_info)
    raise Problem(
        gettext(
            "This Python ({python}) cannot make environments, because its venv module is "
            "missing: run `sudo apt install {package}` (Debian, Ubuntu; elsewhere install "
            "Python again in full), then run the same command again."
        ).format(python=sys.executable, package=package)
    )


def needed_gb(venv: Path, small_torch: bool) -> int:
    """How many GB the installation may take."""
    if has_torch(venv):
        return GB_FOR_THE_REST
    return GB_WITHOUT_CUDA if small_torch or sys.platform != "linux" else GB_WITH_CUDA


def check_disk(root: Path, small_torch: bool) -> None:
    """Raise Problem if the disk that .venv lies on has too little room."""
    venv = root / NAME
    needed = needed_gb(venv, small_torch)
    free = shutil.disk_usage(venv if venv.exists() else root).free / 1e9
    if free >= needed:
        return
    if needed == GB_WITH_CUDA:
        said = gettext(
            "The disk is too full: the installation needs about {needed} GB, and {free:.1f} GB are "
            "free where {folder} lies: make room, or, without an NVIDIA card, set COURSE_TORCH=cpu "
            "to take the small build of PyTorch, which needs about {small} GB, then run the same "
            "command again."
        )
    else:
        said = gettext(
            "The disk is too full: the installation needs about {needed} GB, and {free:.1f} GB are "
            "free where {folder} lies: make room, then run the same command again."
        )
    raise Problem(said.format(needed=needed, free=free, folder=root, small=GB_WITHOUT_CUDA))
