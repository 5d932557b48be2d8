"""Build the web site, and show it.

    course site           check .github and CITATION.cff, and build build/site
    course site build     build/site, from the lessons as they are saved
    course site serve     show build/site on this machine, on a free port
    course site lint      check .github, and CITATION.cff
    course site pin       write site/constraints.txt again, with the newest versions

The packages for it stand in pyproject.toml (the dependency group `site`, PEP 735) and are installed
into an environment of their own, .venv-site: together with the course's they would pull its
Jupyter server back to an old version. Everything here needs only the standard library.
"""

import argparse
import contextlib
import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

# It runs with any Python, also before the course is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers.command import environment, installer, prerequisites, venv_folder
from helpers.command.files import ROOT, Problem

ENVIRONMENT = ".venv-site"
TARGET = "build/site"
WORKFLOWS = ".github/workflows/*.yml"
# {schema, as check-jsonschema names it: the files that have it, as a glob pattern}
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": ".github/ISSUE_TEMPLATE/[0-9]*.yml",
    "github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "citation-file-format": "CITATION.cff",
}


def requirements(root=ROOT):
    """What pyproject.toml asks for in the group `site`: lines such as "sphinx>=8"."""
    import tomllib

    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["dependency-groups"]["site"]


def fingerprint(root=ROOT):
    """A digest of all that decides what gets installed."""
    digest = hashlib.sha256("\n".join(requirements(root)).encode())
    digest.update((root / "site/constraints.txt").read_bytes())
    return digest.hexdigest()


# --- the environment ---------------------------------------------------------------------------


def is_ready(root):
    """Whether the site's environment holds what the files ask for today."""
    return venv_folder.is_still_ready(root / ENVIRONMENT, root, fingerprint=fingerprint(root))


def prepare(root=ROOT):
    """Make root/.venv-site if it is not there, or is not as it should be; returns its Python.

    It is small, so it is made afresh rather than repaired. Raises Problem if that fails; then
    nothing is left behind.
    """
    venv = root / ENVIRONMENT
    if not (root / "site").is_dir():
        raise Problem("This copy of the course has no folder site/, which holds the web site.")
    if is_ready(root):
        return venv_folder.venv_python(venv)
    prerequisites.check_venv_module()
    with venv_folder.only_one(root) as lock:
        if not is_ready(root):  # nobody else has done it meanwhile
            make(root, lock)
    return venv_folder.venv_python(venv)


def make(root, lock):
    """Make the environment from nothing; the caller holds the lock."""
    venv = root / ENVIRONMENT
    if venv.exists():
        venv_folder.remove(venv)
    venv.mkdir(exist_ok=True)
    venv_folder.write_state(venv, state="installing")
    python, run = venv_folder.venv_python(venv), environment.runner(root, lock)
    constraints, temporary = root / "site/constraints.txt", venv / "tmp"
    print(f"Installing the site's packages into {ENVIRONMENT}.", flush=True)
    try:
        if run([sys.executable, "-m", "venv", venv], installer.clean(os.environ)):
            raise Problem(f"Python could not make {ENVIRONMENT}; its own message is above.")
        temporary.mkdir()
        packages = ["--quiet", "-c", constraints, *requirements(root)]
        tools = environment.installers(python, root / "constraints.txt", temporary, run)
        if not any(tool.install(packages, run) == 0 for tool in tools):
            raise Problem("The installation failed: the installer's own messages are above.")
        shutil.rmtree(temporary)
    except (Problem, KeyboardInterrupt) as error:
        venv_folder.remove(venv)
        raise Problem(f"{str(error) or 'Stopped.'} Nothing was left behind.") from None
    venv_folder.write_ready(venv, root, fingerprint=fingerprint(root))


# --- the verbs ---------------------------------------------------------------------------------


def build(root=ROOT, target=None):
    """Build the site into `target` (build/site); returns the exit status, not 0 for any fault."""
    python = prepare(root)
    target = target or root / TARGET
    begun = time.monotonic()
    # A warning of Python's is none of the site's; assertions and docstrings are needed.
    variables = {name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")}
    status = subprocess.run(
        [python, root / "site/build.py", target], cwd=root, env=variables
    ).returncode
    if status == 0:
        pages = sum(1 for _ in target.rglob("*.html"))
        print(f"{target}: {pages} pages in {time.monotonic() - begun:.0f} s.")
    return status


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder as the code hosts do: with the site's own page for what is not there."""

    def send_error(self, code, message=None, explain=None):
        page = Path(self.directory) / "404.html"
        if code != 404 or not page.is_file():
            super().send_error(code, message, explain)
            return
        content = page.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def handle(self):
        # A browser that goes on to the next page hangs up.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *args):
        """Say nothing of each request."""


def make_server(folder, port=0):
    """A server of this folder, for this machine only, on a free port unless one is given."""
    handler = functools.partial(Handler, directory=str(folder))
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


def serve(root=ROOT, port=0):
    """Show build/site until Ctrl-C."""
    folder = root / TARGET
    if not (folder / "index.html").is_file():
        raise Problem(f"There is no {TARGET} yet: `make site` builds it.")
    with make_server(folder, port) as server:
        print(
            f"The site is at http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it).", flush=True
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


def lint(root=ROOT):
    """Check the form of the files of SCHEMAS, and what is risky in the workflows. No network."""
    binaries = prepare(root).parent
    checker = [binaries / "check-jsonschema", "--default-filetype", "yaml"]
    commands = [
        [*checker, "--builtin-schema", f"vendor.{schema}", *sorted(root.glob(pattern))]
        for schema, pattern in SCHEMAS.items()
    ]
    zizmor = [binaries / "zizmor", "--offline", "--no-progress", "--quiet"]
    commands.append([*zizmor, *sorted(root.glob(WORKFLOWS))])
    return max(subprocess.run(command, cwd=root).returncode for command in commands)


def pin(root=ROOT):
    """Write site/constraints.txt: the newest versions that fit together."""
    python = venv_folder.venv_python(root / venv_folder.NAME)
    if not python.exists():
        raise Problem("uv, of the course's own environment, works them out: `course setup` first.")
    program = [python, root / "tools/constraints.py", "--site"]
    return subprocess.run(program, cwd=root).returncode


def check_and_build(root=ROOT):
    """What `course site` does without a word after it."""
    return lint(root) or build(root)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="course site", description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers()
    for function, what in (
        (build, f"only build {TARGET}"),
        (serve, f"show {TARGET}"),
        (lint, "only check .github, and CITATION.cff"),
        (pin, "write site/constraints.txt again"),
    ):
        verbs.add_parser(function.__name__, help=what).set_defaults(run=function)
    verbs.choices["serve"].add_argument("--port", type=int, default=0)
    parser.set_defaults(run=check_and_build)
    given = vars(parser.parse_args(arguments))
    try:
        return given.pop("run")(**given)
    except (Problem, OSError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
