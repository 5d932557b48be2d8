"""A fresh Debian in a folder, and programs run in it as on a machine of its own.

Used by fresh_machine.py, as root. A program sees the new Debian alone, with a /proc, /dev and /sys
of its own, and can be cut off from the network (mount_namespaces(7), pid_namespaces(7)). All that
ends with the program, or with this script, however they end: nothing stays mounted or running.
The root is changed with pivot_root(8), not chroot(8), in which bubblewrap could not work.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

USER = "student"
COURSE = "CNN 강의"  # the course's folder in their home, with what an honest folder may have
PATH = "/usr/local/bin:/usr/bin:/bin"  # as a user has it in Debian
# What says how to reach the network from here, and the one setting of the course's installer.
CARRIED = re.compile(r"(?i:(https?|ftp|all|no)_proxy)|(PIP|UV)_\w+|COURSE_INSTALLER")
BUNDLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
SECONDS_BETWEEN_NEWS = 30
# Arguments: the root, the user, the folder to be in, the PATH there, "yes" if there is a network,
# and the command.
ENTER = """\
set -e
root=$1 user=$2 folder=$3 path=$4 network=$5
shift 5
[ "$network" = yes ] || ip link set lo up
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 dev dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
for name in null zero full random urandom tty; do
    touch "dev/$name"
    mount --bind "/dev/$name" "dev/$name"
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
pivot_root . mnt
umount --lazy /mnt
cd "$folder"
PATH=$path
setpriv --reuid "$user" --regid "$user" --init-groups "$@"
exit $?  # so that the shell stays: process 1 would not notice a Ctrl-C
"""


class Problem(Exception):
    """Something the caller has to put right; the message says what and how."""


def carried(environment: Mapping[str, str]) -> tuple[dict[str, str], list[Path]]:
    """The variables that the new machine gets from this one's, and the certificates they name.

    A value that names another place on this machine (a cache, a folder of wheels, a settings
    file) is left out: a fresh machine has no such thing.
    """
    variables, bundles = {}, []
    for name, value in sorted(environment.items()):
        if name in BUNDLES and Path(value).is_file():
            bundles.append(Path(value))
        elif not CARRIED.fullmatch(name) or re.search(r"(^|\s)(/|~|\.|file:)", value):
            continue
        variables[name] = value
    return variables, bundles


def packages(readme: str) -> list[str]:
    """The Debian packages that the README tells its readers to install."""
    found = re.search(r"sudo apt install ([a-z0-9 .+-]*[a-z0-9+])", readme)
    if found is None:
        raise Problem('README.md names no packages for Debian ("sudo apt install …").')
    return found[1].split()


class Machine:
    """A Debian in `folder`/root, with the logs of what was run in it in `folder`/logs."""

    def __init__(self, folder: Path, suite: str):
        self.folder, self.suite = folder, suite
        self.root, self.logs, self.mark = folder / "root", folder / "logs", folder / "machine.json"
        self.home = self.root / "home" / USER
        self.course = self.home / COURSE
        self.mine = False  # whether this script made the folder, and may delete it
        self.variables, self.bundles = carried(os.environ)

    # --- making it ---

    def prepare(self, source: str, further: Sequence[str]) -> str:
        """Make the root or take the one that is there, with a new user who has the course.

        Returns the course's commit. What the user had from an earlier run is deleted.
        """
        made = json.loads(self.mark.read_text(encoding="utf-8")) if self.mark.exists() else {}
        if made.get("suite", self.suite) != self.suite:
            raise Problem(f"{self.folder} holds {made['suite']}: take another folder for --root.")
        if not made and self.folder.exists() and any(self.folder.iterdir()):
            raise Problem(f"{self.folder} holds something else: take an empty folder for --root.")
        self.mine = True
        self.logs.mkdir(parents=True, exist_ok=True)
        if not made.get("ready"):
            self.begin_afresh()
            # The index of a suite in development may be out of date on a mirror that lags.
            options = ["--variant=minbase", "--include=ca-certificates"]
            options += ['--aptopt=Acquire::Check-Valid-Until "false"']
            self.here("mmdebstrap", "mmdebstrap", *options, self.suite, str(self.root))
            self.write_mark(ready=True)
        shutil.copyfile("/etc/resolv.conf", self.root / "etc/resolv.conf")
        for bundle in self.bundles:
            inside = self.root / bundle.relative_to("/")
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle, inside)

        shutil.rmtree(self.home, ignore_errors=True)
        # Without links to the files of the source: they are about to get another owner.
        self.here("git-clone", "git", "clone", "--no-hardlinks", source, str(self.course))
        # Asked here: the new machine may have no git.
        asked = ["git", "-C", self.course, "log", "-1", "--format=%h %s"]
        commit = subprocess.check_output(asked, encoding="utf-8").strip()
        wanted = [*packages((self.course / "README.md").read_text(encoding="utf-8")), *further]
        self.as_root(
            "apt",
            'dpkg --status "$@" >/dev/null || { apt-get update && '
            'apt-get install --yes --no-install-recommends "$@"; }',
            *wanted,
        )
        self.as_root(
            "useradd",
            'id "$1" || useradd --shell /bin/bash "$1"; chown --recursive "$1:$1" "/home/$1"',
            USER,
        )
        return commit

    def here(self, name: str, *command: str) -> None:
        """Run a program of this machine to its end, or until this script is stopped."""
        process = self.start(name, command)
        try:
            self.finish(name, process)
        finally:
            process.terminate()
            process.wait()

    def as_root(self, name: str, script: str, *arguments: str) -> None:
        """Run a shell script in the new machine, as its root."""
        with self.running(name, ["sh", "-c", script, "sh", *arguments], user="root") as process:
            self.finish(name, process)

    def answer(self, *command: str) -> str:
        """What a command of the user's says, in the course's folder."""
        with self.running(command[0], command) as process:
            self.finish(command[0], process)
        return self.output(command[0]).strip()

    def finish(self, name: str, process: subprocess.Popen) -> None:
        self.follow(name, process)
        if process.returncode != 0:
            raise Problem(f"{name} failed. Its last lines:\n{self.last_lines(name)}")

    def delete(self, logs: bool) -> None:
        """Delete the root, and the logs with it if they are not needed any more."""
        if self.mine and logs:
            shutil.rmtree(self.folder, ignore_errors=True)
        elif self.mine:
            self.begin_afresh()

    def begin_afresh(self) -> None:
        """Leave no root, and a mark that says that the folder may be used for one."""
        self.write_mark(ready=False)
        if self.root.exists():
            shutil.rmtree(self.root)

    def write_mark(self, ready: bool) -> None:
        text = json.dumps({"suite": self.suite, "ready": ready})
        self.mark.write_text(text, encoding="utf-8")

    # --- running something ---

    @contextmanager
    def running(
        self,
        name: str,
        command: Sequence[str],
        *,
        user: str = USER,
        network: bool = True,
        keyboard: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Iterator[subprocess.Popen]:
        """A process in the new machine, in the course's folder; killed at the end.

        `keyboard` is the file descriptor of a terminal to start it on, so that Ctrl-C works.
        `nsenter` finds the process's network at its pid.
        """
        home = "/root" if user == "root" else f"/home/{user}"
        environment = {
            **self.variables,
            **{"HOME": home, "USER": user, "LOGNAME": user, "SHELL": "/bin/bash"},
            **{"LANG": "C.UTF-8", "TERM": "xterm"},
            **(variables or {}),
            "PATH": f"{PATH}:/usr/sbin:/sbin",
        }
        folder, path = (f"{home}/{COURSE}", PATH) if user == USER else ("/", environment["PATH"])
        enter = ["setpriv", "--pdeathsig=KILL", "setsid", *([] if keyboard is None else ["--ctty"])]
        enter += ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
        enter += [] if network else ["--net"]
        enter += ["sh", "-c", ENTER, "sh", str(self.root), user, folder, path]
        process = self.start(
            name, [*enter, "yes" if network else "no", *command], env=environment, stdin=keyboard
        )
        try:
            yield process
        finally:
            process.kill()  # and, through --kill-child, everything inside
            process.wait()

    def start(self, name: str, command: Sequence[str], *, env=None, stdin=None):
        """A process whose output goes to a log, and whose input is nothing unless it is given."""
        with self.log(name).open("wb") as log:
            return subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def follow(
        self,
        name: str,
        process: subprocess.Popen,
        until: Callable[[], object] = lambda: None,
        seconds: float = float("inf"),
    ) -> object:
        """Wait for the process's end, for something true or for so long; say how it goes.

        Returns what was true, or None.
        """
        start = reported = time.monotonic()
        while process.poll() is None and time.monotonic() < start + seconds:
            found = until()
            if found:
                return found
            if time.monotonic() > reported + SECONDS_BETWEEN_NEWS:
                reported = time.monotonic()
                print(f"    {reported - start:4.0f} s: {self.last_lines(name, 1)[:90]}", flush=True)
            time.sleep(0.1)
        return None

    def log(self, name: str) -> Path:
        return self.logs / f"{name.replace(' ', '-')}.log"

    def output(self, name: str) -> str:
        """What the program has written so far."""
        return self.log(name).read_text(encoding="utf-8", errors="replace")

    def last_lines(self, name: str, number: int = 15) -> str:
        lines = [line for line in self.output(name).splitlines() if line.strip()]
        return "\n".join(lines[-number:])
