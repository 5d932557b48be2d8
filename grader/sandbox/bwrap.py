"""The way into bubblewrap's sandbox: what is shown there, and the command that leads into it.

Source: the manual page bwrap(1). This outer layer is the same for all submissions of a worker: no
network, a read-only system without the course, the home folder or the gradebook, namespaces of
its own. `inside.jail` adds what is private to each submission.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Collection
from pathlib import Path

from grader.sandbox.inside import calls
from helpers.language import MESSAGES, TESTS, languages

ROOT = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).resolve().parent / "inside"
RUNTIME = "/opt/course"
# The folders that lead to it there: of the grader nothing else is shown.
THERE = [f"{RUNTIME}/lib/grader{part}" for part in ("", "/sandbox", "/sandbox/inside")]
# What the course's programs say in other languages.
WORDS = f"{RUNTIME}/lib/translations"
NOBODY = 65534
UNSAFE = (
    "What students wrote runs on this machine WITHOUT A SANDBOX, with your rights: it can read and "
    "delete your files, and change marks. Only for people to whom you would lend your computer."
)
# Whatever could be changed there would be seen by the next submission, were it only a file's mode.
READ_ONLY = [word for path in ("/", "/dev", "/dev/pts") for word in ("--remount-ro", path)]


class NoSandbox(Exception):
    """The means for a sandbox are missing; the message says what to install."""


def check_system() -> None:
    """Raise `NoSandbox` on a system where nothing of this works, with or without a sandbox."""
    if not sys.platform.startswith("linux"):
        raise NoSandbox(
            "Students' code can only be locked in on Linux. On macOS and Windows grade inside a "
            "Linux container: the recipe is in solutions/grading.md."
        )


def check_means() -> None:
    """Raise `NoSandbox`, with what to do, unless students' code can be locked in here."""
    check_system()
    if not calls.is_known():
        raise NoSandbox(
            f"The system calls of this processor ({platform.machine()}) are not known here: grade "
            "on x86_64 or aarch64."
        )
    if shutil.which("bwrap") is None:
        raise NoSandbox(
            "The program bwrap is missing, which locks students' code in. Install it: "
            "sudo apt install bubblewrap (Debian, Ubuntu), sudo dnf install bubblewrap (Fedora)."
        )
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        raise NoSandbox(
            "The program setpriv is missing, with which root becomes an unprivileged user. "
            "Install it: apt install util-linux, or grade as another user."
        )
    command = [*layers(()), "/usr/bin/true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise NoSandbox(
            f"bwrap cannot make a sandbox here: {done.stderr.strip()[-300:]}\n"
            "User namespaces may be forbidden (sysctl kernel.unprivileged_userns_clone, "
            "user.max_user_namespaces; on Ubuntu kernel.apparmor_restrict_unprivileged_userns), "
            "or this is a container that was started without them: see solutions/grading.md."
        )


def layers(disabled_rules: Collection[str]) -> list[str]:
    """The command that leads into the sandbox, up to the program to run there."""
    mounts = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            mounts += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            mounts += ["--ro-bind", str(path), str(path)]
    words = [f"{WORDS}/{code}" for code in languages()[1:]]
    shown = (RUNTIME, f"{RUNTIME}/lib", f"{RUNTIME}/lib/helpers", *THERE, WORDS, *words)
    for name in ("/opt", *shown, "/etc"):
        mounts += ["--perms", "0755", "--dir", name]
    for name in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"):
        if os.path.exists(name):
            mounts += ["--ro-bind", name, name]
    runtime = []
    for source, target in _runtime():
        runtime += ["--ro-bind", str(source), target]
    for folder in _packages_of_base():
        runtime += ["--tmpfs", folder, "--remount-ro", folder]
    scratch = [p for n in ("/tmp", "/scratch") for p in ("--perms", "0700", "--tmpfs", n)]
    inner = [
        "bwrap",
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-uts",
        "--unshare-cgroup-try",
        *([] if "network" in disabled_rules else ["--unshare-net"]),
        "--die-with-parent",
        "--new-session",
        "--hostname",
        "grading",
        "--clearenv",
    ]
    for name, value in _environment().items():
        inner += ["--setenv", name, value]
    inner += mounts
    bind = "--bind" if "read-only system" in disabled_rules else "--ro-bind"
    if os.geteuid() != 0:
        inner += runtime
        if "read-only system" in disabled_rules:
            inner += ["--perms", "0777", "--dir", "/shared"]
        inner += ["--proc", "/proc", "--dev", "/dev", *scratch, "--chdir", "/scratch"]
        if "read-only system" not in disabled_rules:
            inner += READ_ONLY
        return [*inner, "--"]
    # Root prepares the same view, and then becomes nobody: so that what only root may read
    # (a Python in its home, for instance) can be shown without showing the rest, and limits on
    # the number of processes, which do not hold for root, hold.
    outer = [
        "bwrap",
        "--die-with-parent",
        *([] if "network" in disabled_rules else ["--unshare-net"]),
        *mounts,
        *runtime,
        *("--bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev"),
        *("--perms", "1777", "--tmpfs", "/tmp"),
        *("--cap-add", "ALL"),
        "--",
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
    ]
    inner += [bind, "/opt", "/opt", "--proc", "/proc", "--dev", "/dev"]
    inner += [*scratch, "--chdir", "/scratch"]
    if "read-only system" in disabled_rules:
        inner += ["--perms", "0777", "--dir", "/shared"]
    else:
        inner += READ_ONLY
    return [*outer, *inner, "--"]


def _runtime() -> list[tuple[Path, str]]:
    """What of this Python is shown inside, and where: (source, target)."""
    pairs = []
    if not _is_mapped(Path(sys.base_prefix)):
        pairs.append((Path(sys.base_prefix).resolve(), f"{RUNTIME}/python"))
    pairs.append((Path(sysconfig.get_path("purelib")).resolve(), f"{RUNTIME}/site"))
    for path in sorted((ROOT / "helpers").iterdir()):
        if path.name != "__pycache__":
            pairs.append((path, f"{RUNTIME}/lib/helpers/{path.name}"))
    for code in languages()[1:]:
        for path in (ROOT / "translations" / code / f"{name}.po" for name in (MESSAGES, TESTS)):
            if path.exists():
                pairs.append((path, f"{WORDS}/{code}/{path.name}"))
    pairs += [(path, f"{THERE[-1]}/{path.name}") for path in sorted(INSIDE.glob("*.py"))]
    return pairs


def _packages_of_base() -> list[str]:
    """Where the sandbox would see the packages of the Python that the environment was made from.

    Students have the environment's packages and no others, and so has the sandbox.
    """
    base = Path(sys.base_prefix).resolve()
    there = Path(os.path.realpath(base)) if _is_mapped(base) else Path(RUNTIME) / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    names = [
        f"{local}{lib}/{name}/{packages}"
        for local in ("", "local/")
        for lib in ("lib", "lib64")
        for name in (version, "python3")
        for packages in ("site-packages", "dist-packages")
    ]
    pairs = [(base / name, there / name) for name in names]
    if base != Path("/usr/local"):  # which is mapped in any case
        pairs += [(Path("/usr/local") / name, Path("/usr/local") / name) for name in names]
    found = [there for real, there in pairs if real.is_dir() and not real.is_symlink()]
    return sorted({str(path) for path in found})


def _is_mapped(prefix: Path) -> bool:
    """Whether a Python lies where the sandbox sees it anyway."""
    return prefix.resolve().is_relative_to("/usr")


def python() -> str:
    """Where the sandbox sees this Python."""
    real = Path(os.path.realpath(sys.executable))
    if _is_mapped(Path(sys.base_prefix)):
        return str(real)
    return f"{RUNTIME}/python/{real.relative_to(Path(sys.base_prefix).resolve())}"


def _environment() -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/scratch",
        "LANG": "C.UTF-8",
        # A Python that was built elsewhere looks for its library where it is not shown.
        "LD_LIBRARY_PATH": f"{RUNTIME}/python/lib",
        "PYTHONPATH": f"{RUNTIME}/lib:{RUNTIME}/site",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": "/scratch/.matplotlib",
        "IPYTHONDIR": "/scratch/.ipython",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "COURSE_DEVICE": "cpu",
        "MNIST_SOURCE": "sample",
        "CUDA_VISIBLE_DEVICES": "",
    }


def unlocked_environment() -> dict[str, str]:
    """The environment of a server without a sandbox."""
    own = {"HOME", "LANG", "PATH", "LD_LIBRARY_PATH", "MPLCONFIGDIR", "IPYTHONDIR"}
    ours = {name: value for name, value in _environment().items() if name not in own}
    return {**os.environ, **ours, "PYTHONPATH": str(ROOT)}
