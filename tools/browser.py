"""Find a Chromium that runs, or install one, and print its path.

    .venv/bin/python tools/browser.py           find or install
    .venv/bin/python tools/browser.py --find    find only

In this order: the variable CHROMIUM, a browser on PATH, the usual applications on macOS, the one
that playwright keeps for itself; then the system's package (Debian), then playwright's download.
Only the path goes to standard output; everything else goes to standard error.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def runs(path: str) -> bool:
    """Whether this is a Chromium that starts and that playwright can drive."""
    file = Path(path).resolve()
    # A snap sees neither /tmp nor the folders that playwright makes there. Ubuntu's
    # /usr/bin/chromium-browser is a short script that calls it.
    if "snap" in file.parts or file.name == "snap":
        return False
    try:
        if file.stat().st_size < 10_000 and b"/snap/" in file.read_bytes():
            return False
        if os.name == "nt":  # there, --version would open a window
            return True
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def playwrights_own() -> str:
    """Where playwright would keep its own Chromium, there or not."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def candidates() -> Iterator[str]:
    """Every place where a browser may be, the likeliest first."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            yield path
    for app in MAC_APPS:
        yield app
        yield str(Path.home()) + app
    if importlib.util.find_spec("playwright"):
        yield playwrights_own()


def find() -> str | None:
    """The path of a Chromium that runs, or None.

    Raises SystemExit if CHROMIUM is set to something that is not one.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if runs(named):
            return named
        raise SystemExit(
            f"CHROMIUM={named} is not a Chromium that runs (one from a snap does not do): set it "
            "to the path of one that does, or unset it to have one looked for."
        )
    return next((path for path in candidates() if runs(path)), None)


def distribution() -> str:
    """The ID of this Linux distribution ("debian", "ubuntu", ...); "" elsewhere."""
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    return fields.get("ID", "").strip('"')


def as_root() -> list[str] | None:
    """What to put before a command that needs root: nothing, sudo, or None if it can't be had."""
    if os.name == "nt" or not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    if (
        shutil.which("sudo")
        and subprocess.run([*sudo, "true"], capture_output=True).returncode == 0
    ):
        return sudo
    return None


def install_commands() -> list[list[str]]:
    """What to try, one after the other, until one brings a browser."""
    download = [sys.executable, "-m", "playwright", "install"]
    root = as_root()
    commands = []
    if root is not None and distribution() == "debian":
        commands.append([*root, "apt-get", "update"])
        commands.append([*root, "apt-get", "install", "-y", "--no-install-recommends", "chromium"])
    if root is not None:  # Ubuntu's package is only the snap, but its libraries are needed
        commands.append([*download, "--with-deps", "chromium"])
    commands.append([*download, "chromium"])
    return commands


def install() -> str | None:
    """Install a Chromium; its path, or None if nothing worked."""
    for command in install_commands():
        print("Looking for a browser:", " ".join(command), file=sys.stderr, flush=True)
        try:
            subprocess.run(command, stdout=sys.stderr, check=False)
        except OSError as error:
            print(error, file=sys.stderr)
        path = find()
        if path:
            return path
    return None


def main(arguments: list[str]) -> int:
    """Print the path of a browser; 1 with one sentence if there is none."""
    path = find() or (None if "--find" in arguments else install())
    if path is None:
        print(
            "No Chromium was found that runs: install Chromium or Google Chrome, or set the "
            "variable CHROMIUM to the path of one, then run `make e2e` again.",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
