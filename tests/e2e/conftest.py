"""A JupyterLab of the course, on a copy of the notebooks, and a headless browser to look at it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest

from helpers.command.files import ROOT

try:
    import fcntl
except ImportError:  # Windows: each worker builds the site for itself
    fcntl = None

TOKEN = "course"
SECONDS_TO_START = 60
# Addresses of the page itself, and of what lies in it.
INSIDE = ("file:", "data:", "blob:")


@pytest.fixture(scope="session")
def chromium_path():
    """The path of the browser: what CHROMIUM names, or what tools/browser.py finds."""
    found = subprocess.run(
        [sys.executable, ROOT / "tools/browser.py", "--find"], capture_output=True, text=True
    )
    if found.returncode:
        pytest.fail(found.stderr.strip(), pytrace=False)
    return found.stdout.strip()


@pytest.fixture(scope="session")
def browser(chromium_path):
    """A headless Chromium under playwright's control."""
    from playwright.sync_api import sync_playwright  # an extra of its own: `make test` has it not

    arguments = [
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to start as root without it
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page in a browser profile of its own, large enough for JupyterLab's panels."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def show_piece(browser, tmp_path):
    """Open pieces in one page of their own; errors and requests in it fail the test."""
    problems, contexts = [], []

    def open_page(*pieces, width=1000, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda m: m.type == "error" and problems.append(m.text))
        page.on("request", lambda r: r.url.startswith(INSIDE) or problems.append(r.url))
        path = pieces[0].save(tmp_path / "piece.html")
        whole = path.read_text(encoding="utf-8")
        first = pieces[0]._repr_html_()
        whole = whole.replace(first, "\n".join(p._repr_html_() for p in pieces))
        path.write_text(whole, encoding="utf-8")
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


class Lab:
    """A running JupyterLab: the folder it serves, and addresses in it."""

    def __init__(self, root, port):
        self.root = root
        self.base = f"http://127.0.0.1:{port}"

    def url(self, path=""):
        """The address of a path, with the token that lets the browser in."""
        return f"{self.base}/{path}?token={TOKEN}"

    def kernels(self):
        """What the server says about its kernels: a list of dicts, empty while one is starting."""
        try:
            with urllib.request.urlopen(self.url("api/kernels"), timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 500:  # jupyter_server's answer about a kernel that is half made
                raise
            return []

    def is_up(self):
        """Whether the server answers."""
        try:
            with urllib.request.urlopen(self.url("api/status"), timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


@pytest.fixture
def lab(tmp_path):
    """A student's JupyterLab: see `running_lab`."""
    with running_lab(tmp_path, "notebooks", "assignments") as started:
        yield started


@pytest.fixture
def korean_lab(tmp_path):
    """The course as a student opens it in Korean."""
    folders = ("notebooks", "assignments", "translations")
    with running_lab(tmp_path, *folders, options=("--language", "ko")) as started:
        yield started


@pytest.fixture
def show_in_lab(page, lab):
    """Open pieces as the saved outputs of one notebook, trusted or not, in JupyterLab."""

    def open_notebook(*pieces, trusted=True):
        cells = []
        for n, piece in enumerate(pieces):
            data = piece._repr_mimebundle_()
            output = nbformat.v4.new_output("display_data", data=data)
            cell = nbformat.v4.new_code_cell("piece", outputs=[output], execution_count=n + 1)
            cell.metadata.trusted = trusted
            cells.append(cell)
        # The server signs what is saved when every cell says that it is trusted.
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
        request = urllib.request.Request(
            lab.url("api/contents/notebooks/pieces.ipynb"),
            json.dumps({"type": "notebook", "content": notebook}).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=20).close()
        page.goto(lab.url("lab/tree/notebooks/pieces.ipynb") + "&reset")
        outputs = page.locator(".jp-OutputArea-output > [class^=cnn-]")
        outputs.nth(len(pieces) - 1).wait_for(state="attached")
        return page

    return open_notebook


@pytest.fixture
def instructors_lab(tmp_path):
    """JupyterLab with the instructor's sources, too."""
    with running_lab(tmp_path, "notebooks", "assignments", "solutions") as started:
        yield started


@contextlib.contextmanager
def running_lab(tmp_path, *folders, options=()):
    """JupyterLab, as `course lab` starts it with these options, in a copy of these folders.

    Its log is shown on failure.

    The reader's own settings, notebooks and running kernels are out of its reach, and whatever it
    started is ended with it.
    """
    root = tmp_path / "course"
    for folder in ("helpers", *folders):
        ignore = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
        shutil.copytree(ROOT / folder, root / folder, ignore=ignore)
    files = ("course.py", "pyproject.toml", "constraints.txt", "environment.yml")
    for name in (*files, "nbgrader_config.py"):
        shutil.copy(ROOT / name, root)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    log = tmp_path / "lab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                sys.executable,
                root / "course.py",
                "lab",
                *options,
                "--no-browser",
                f"--ServerApp.port={port}",
                "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={TOKEN}",
                f"--LabApp.workspaces_dir={tmp_path / 'workspaces'}",
            ],
            cwd=root,
            env=own_environment(tmp_path / "home"),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    lab = Lab(root, port)
    try:
        until = time.monotonic() + SECONDS_TO_START
        while not lab.is_up():
            if server.poll() is not None or time.monotonic() > until:
                pytest.fail("JupyterLab did not start; its log is below", pytrace=False)
            time.sleep(0.2)
        yield lab
    finally:
        stop(server)
        print(f"--- {log.name}\n{log.read_text(errors='replace')}")


def own_environment(home):
    """The environment variables of a reader who has never used Jupyter, in sample mode."""
    home.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "IPYTHON", "XDG_"))
    }
    environment.update(
        HOME=str(home),
        COURSE_IS_SET_UP="1",  # this environment is to be used
        COURSE_DEVICE="cpu",
        MNIST_SOURCE="sample",
    )
    return environment


def stop(server):
    """End the server, which ends its kernels; whatever is left of them after that is killed."""
    import psutil

    children = []
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(server.pid).children(recursive=True)
    server.terminate()
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    for child in psutil.wait_procs(children, timeout=3)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The web site, built by tools/website.py as `make site` does, and served on a free port.

    It is built once for all workers of xdist; each serves it for itself.
    """
    from tests.e2e.site_pages import serving
    from tests.support.scripts import load

    tool = load("tools/website.py")
    folder = tmp_path_factory.getbasetemp()
    if fcntl and "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers
    target = folder / "site"
    with (folder / "site.lock").open("w") as lock:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists() and tool.build(target=target):
            pytest.fail("the site was not built; the reasons are above", pytrace=False)
    yield from serving(tool, target)
