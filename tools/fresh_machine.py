"""Try the README on a machine that has nothing: a fresh Debian, its packages, and two commands.

    sudo python3 tools/fresh_machine.py trixie
    sudo python3 tools/fresh_machine.py forky --keep --root /var/tmp/forky --commands lab

mmdebstrap makes the Debian in a folder, with the packages that the README names. A user without
root's rights gets a clone of what is committed here, runs `make lab` (set-up, a start page, Ctrl-C;
then once more, and once more without a network) and `make test`. Beside each result stand the
seconds by the clock, those of the processors, and how busy the machine was.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fresh_root import Machine, Problem

ROOT = Path(__file__).resolve().parent.parent
VERBS = ["lab", "test", "sandbox", "e2e"]
SECONDS_FOR_A_START = 600  # without set-up
SECONDS_FOR_THE_END = 60
# Runs in the network of the new machine, which may be cut off from this one's.
FETCH = """\
import http.cookiejar, sys, urllib.request as request
cookies = request.HTTPCookieProcessor(http.cookiejar.CookieJar())
page = request.build_opener(cookies, request.ProxyHandler({})).open(sys.argv[1], timeout=60)
sys.exit(0 if b"jupyter-config-data" in page.read() else "what came is not JupyterLab")
"""


# --- what programs say --------------------------------------------------------------------------


def address(output: str) -> str | None:
    """The address, with its whole token, that a Jupyter server has printed; None before that."""
    found = re.search(r"http://(?:127\.0\.0\.1|localhost):\d+/\S*token=\w+(?=\s)", output)
    return found and found[0]


def closing_line(output: str) -> dict[str, int]:
    """pytest's counts: {"passed": 812, "skipped": 3}; empty if it did not come to its end."""
    lines = re.findall(r"^=+ (.*) in [0-9.]+s(?: \([0-9:, a-z]+\))? =+$", output, re.MULTILINE)
    counts = re.findall(r"(\d+) ([a-z]+)", lines[-1]) if lines else []
    return {kind: int(number) for number, kind in counts}


def summary_lines(output: str, kind: str) -> list[str]:
    """The lines of pytest's short summary that begin with SKIPPED, FAILED or ERROR, without it."""
    _, found, summary = output.rpartition(" short test summary info ")
    return re.findall(rf"^{kind} (.*)$", summary, re.MULTILINE) if found else []


# --- what is measured ---------------------------------------------------------------------------


@contextmanager
def measured(machine: Machine, name: str) -> Iterator[dict]:
    """A row of the result: how long something took, and how busy it and the machine were.

    `seconds` are those by the clock, to the end unless they are set before; `cpu` counts every
    process that was waited for, to the end; `load` is the average of the last minute, before and
    after.
    """
    print(f"{name} (log: {machine.log(name)})", flush=True)
    row = {"name": name, "seconds": None, "cpu": None, "load": [], "notes": [], "problem": None}
    before, load, start = cpu_seconds(), os.getloadavg()[0], time.monotonic()
    yield row
    row["seconds"] = round(row["seconds"] or time.monotonic() - start, 1)
    row["cpu"] = round(cpu_seconds() - before, 1)
    row["load"] = [round(load, 1), round(os.getloadavg()[0], 1)]
    if row["problem"]:
        row["last_lines"] = machine.last_lines(name)
        print(f"  {row['problem']}. The last lines of the log:", file=sys.stderr)
        print(row["last_lines"], file=sys.stderr, flush=True)


def cpu_seconds() -> float:
    """Processor seconds of all processes that this one has started and that have ended."""
    used = os.times()
    return used.children_user + used.children_system


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Two ends of a terminal: what is written to the first is typed at the second."""
    ends = os.openpty()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


def lab(machine: Machine, name: str, network: bool = True, seconds=float("inf")) -> dict:
    """`make lab` until its page is there (these are its seconds), then Ctrl-C, twice."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["make", "lab", f"ARGS=--no-browser --port {port}"]
    with (
        measured(machine, name) as row,
        terminal() as (keyboard, screen),
        machine.running(name, command, network=network, keyboard=screen) as process,
    ):
        start = time.monotonic()
        url = machine.follow(name, process, lambda: address(machine.output(name)), seconds)
        if url is None:
            row["problem"] = ended(process) or f"no page in {seconds:.0f} seconds"
            return row
        fetch = ["nsenter", f"--net=/proc/{process.pid}/ns/net", sys.executable, "-c", FETCH, url]
        fetched = subprocess.run(fetch, stderr=subprocess.PIPE, encoding="utf-8")
        row["seconds"] = time.monotonic() - start
        if fetched.returncode != 0:
            row["problem"] = "the start page did not come: " + fetched.stderr.strip()[-300:]

        os.write(keyboard, b"\x03")
        # It asks whether that was meant; the second Ctrl-C says yes.
        machine.follow(name, process, lambda: "Shut down this" in machine.output(name), 3)
        os.write(keyboard, b"\x03")
        machine.follow(name, process, seconds=SECONDS_FOR_THE_END)
        if process.returncode is None:
            row["problem"] = f"it went on for {SECONDS_FOR_THE_END} seconds after Ctrl-C, twice"
    return row


def lab_three_times(machine: Machine) -> list[dict]:
    """With the set-up, without it, and without a network."""
    rows = [lab(machine, "make lab")]
    rows[0]["notes"] += sizes(machine)
    if not rows[0]["problem"]:
        rows.append(lab(machine, "make lab again", seconds=SECONDS_FOR_A_START))
        rows.append(lab(machine, "make lab offline", False, SECONDS_FOR_A_START))
    return rows


def tests(machine: Machine, verb: str) -> dict:
    """`make test`, or another verb that is pytest: its counts, and what failed or was skipped."""
    name = f"make {verb}"
    with measured(machine, name) as row, machine.running(name, ["make", verb]) as process:
        machine.follow(name, process)
    output = machine.output(name)
    row["counts"] = closing_line(output)
    for kind in ("failed", "error", "skipped"):
        row[kind] = summary_lines(output, kind.upper())
        row["notes"] += [f"{kind}: {line}" for line in row[kind]]
    row["notes"].insert(0, ", ".join(f"{n} {kind}" for kind, n in row["counts"].items()))
    if process.returncode != 0:
        row["problem"] = ended(process)
    elif not row["counts"].get("passed"):
        row["problem"] = "no test passed"
    return row


def compare_installers(machine: Machine) -> list[dict]:
    """The set-up alone, from nothing, with each installer after the other."""
    rows = []
    for installer in ("pip", "uv"):
        for folder in (machine.course / ".venv", machine.home / ".cache", machine.home / ".local"):
            shutil.rmtree(folder, ignore_errors=True)
        name, variables = f"set-up with {installer}", {"COURSE_INSTALLER": installer}
        command = ["python3", "course.py", "setup"]
        with (
            measured(machine, name) as row,
            machine.running(name, command, variables=variables) as process,
        ):
            machine.follow(name, process)
            row["problem"] = ended(process) if process.returncode else None
        row["notes"] += sizes(machine)
        rows.append(row)
    if not any(row["problem"] for row in rows):
        ratios = [
            f"{rows[0][what] / rows[1][what]:.1f} times the {name} of uv"
            for what, name in (("seconds", "time"), ("cpu", "processor seconds"))
        ]
        rows[0]["notes"].append(" and ".join(ratios))
    return rows


def ended(process: subprocess.Popen) -> str | None:
    """With which exit status the process ended; None while it runs."""
    return None if process.returncode is None else f"it ended with status {process.returncode}"


def sizes(machine: Machine) -> list[str]:
    """The environment's size on the disk, alone and with the caches (a hard link counts once)."""
    venv, cache = machine.course / ".venv", machine.home / ".cache"
    notes = []
    for what, folders in ((".venv", [venv]), (".venv and ~/.cache", [venv, cache])):
        there = [folder for folder in folders if folder.exists()]
        if len(there) == len(folders):
            answer = subprocess.check_output(["du", "-sc", "-B1000000", *there], encoding="utf-8")
            notes.append(f"{what}: {int(answer.splitlines()[-1].split()[0]) / 1000:.2f} GB")
    return notes


# --- the command --------------------------------------------------------------------------------


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", help="which Debian, for instance trixie")
    parser.add_argument(
        "--root",
        type=Path,
        metavar="FOLDER",
        help="where to make it (otherwise a new folder in /var/tmp)",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="do not delete it at the end; --root FOLDER takes it again, with a new "
        "user and a new clone",
    )
    parser.add_argument(
        "--from",
        dest="source",
        default=str(ROOT),
        metavar="REPOSITORY",
        help="the course to try (otherwise what is committed in this one)",
    )
    parser.add_argument(
        "--with",
        dest="further",
        default=[],
        metavar="PACKAGE,PACKAGE",
        type=lambda text: text.split(","),
        help="Debian packages to install besides the README's, for instance bubblewrap,chromium; "
        "they stay in a root that is kept",
    )
    parser.add_argument(
        "--commands",
        nargs="*",
        choices=VERBS,
        default=["lab", "test"],
        help="the verbs of make to try, one after the other (otherwise lab test)",
    )
    parser.add_argument(
        "--compare-installers",
        action="store_true",
        help="also set up from nothing with pip and with uv, and compare them",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there as well")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    needed = ("mmdebstrap", "unshare", "nsenter", "setpriv", "setsid", "git")
    missing = [name for name in needed if not shutil.which(name)]
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or missing:
        print(
            f"This needs Linux, root (sudo) and these programs: {', '.join(missing or needed)} "
            "(Debian, Ubuntu: sudo apt install mmdebstrap util-linux git).",
            file=sys.stderr,
        )
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is taken away
    folder = options.root or Path(tempfile.mkdtemp(prefix="fresh-machine-", dir="/var/tmp"))
    machine = Machine(folder.absolute(), options.suite)
    good = False
    try:
        result = try_out(machine, options)
        good = not any(row["problem"] for row in result["rows"])
        if options.json:
            text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
            options.json.write_text(text, encoding="utf-8")
        print("\n" + table(result))
    except (Problem, OSError) as problem:
        print(problem, file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    finally:
        if not options.keep:
            machine.delete(logs=good)
        if not good and machine.logs.exists():
            print(f"The logs are in {machine.logs}.", file=sys.stderr)
    return 0 if good else 1


def try_out(machine: Machine, options: argparse.Namespace) -> dict:
    """Make the machine and run everything that was asked for in it."""
    print(f"A fresh {options.suite} in {machine.root}", flush=True)
    commit = machine.prepare(options.source, options.further)
    python = machine.answer("python3", "--version")
    print(f"{python}; the course at {commit}")
    if Path(options.source).is_dir():
        status = ["git", "-C", options.source, "status", "--porcelain"]
        if subprocess.check_output(status):
            print("What is not committed there is not part of it.")
    print(f"Taken along from this machine: {', '.join(machine.variables) or 'no variables'}")
    rows = []
    for verb in options.commands:
        rows += lab_three_times(machine) if verb == "lab" else [tests(machine, verb)]
    if options.compare_installers:
        rows += compare_installers(machine)
    return {
        "suite": options.suite,
        "python": python,
        "commit": commit,
        "processors": os.cpu_count(),
        "rows": rows,
    }


def table(result: dict) -> str:
    """The rows as text; under each its notes."""
    lines = [
        f"{result['suite']}, {result['python']}, {result['processors']} processors, "
        f"{result['commit']}",
        f"{'':22}{'':8}{'seconds':>9}{'CPU s':>9}   load before, after",
    ]
    for row in result["rows"]:
        before, after = row["load"]
        lines.append(
            f"{row['name']:22}{'FAILED' if row['problem'] else 'ok':8}"
            f"{row['seconds']:9.1f}{row['cpu']:9.1f}   {before}, {after}"
        )
        lines += [f"    {note}" for note in (row["problem"], *row["notes"]) if note]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
