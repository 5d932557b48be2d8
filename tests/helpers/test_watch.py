"""`course check 03 --watch`: what counts as saved, and how it ends."""

import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from jupyter_server.services.contents.fileio import atomic_writing

from helpers.assignment import watch
from helpers.assignment.selfcheck import NotCheckable
from tests.helpers.test_overview import F, G, folder, write  # noqa: F401
from tests.support.lessons import ROOT


class Desk:
    """Somebody who works while the notebook is watched: one thing after another.

    Between two of them the file is looked at often enough to be told that nothing comes any more.
    """

    def __init__(self, folder, monkeypatch):  # noqa: F811
        self.folder, self.path = folder, write(folder, "01-one", F, G)
        self.checked, self.said, self.during = [], [], None
        monkeypatch.setattr(watch, "check_opened", self.check)

    def check(self, opened, show, folder):  # noqa: F811
        self.checked.append(opened.notebook.cells[6].source)
        if self.during:
            self.during, during = None, self.during
            during()

    def work(self, *things, looks=3 * watch.LOOKS):
        """Do things, and return what was checked: the text of g each time."""
        waiting = iter([None] * looks + [x for thing in things for x in [thing, *[None] * looks]])

        def wait(seconds):
            assert seconds == 0.5  # twice a second
            try:
                do = next(waiting)
            except StopIteration:
                raise KeyboardInterrupt from None
            if do:
                do()

        watch.watch("01", self.said.append, self.folder, wait)
        assert self.said[-1] == "\nNot watching any more."
        return self.checked

    def save(self, g):
        """Save in one step, as JupyterLab does."""
        notebook = nbformat.read(self.path, as_version=4)
        notebook.cells[6].source = g
        with atomic_writing(str(self.path)) as file:
            file.write(nbformat.writes(notebook))


@pytest.fixture
def desk(folder, monkeypatch):  # noqa: F811
    return Desk(folder, monkeypatch)


def test_checked_at_once_and_each_time_it_is_saved(desk):
    assert desk.work(lambda: desk.save("one"), lambda: desk.save("two")) == [G, "one", "two"]
    assert desk.said.count("\nSave the notebook, and it is checked again. Ctrl-C ends this.") == 3


def test_saved_without_a_change_or_with_new_outputs_is_not_checked(desk):
    def run():
        notebook = nbformat.read(desk.path, as_version=4)
        notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
        nbformat.write(notebook, desk.path)

    assert desk.work(lambda: desk.save(G), run, lambda: os.utime(desk.path)) == [G]


def test_half_of_a_file_is_waited_for(desk):
    whole = desk.path.read_bytes()
    new = whole.replace(b"x * x", b"x ** 2")

    def half():
        desk.path.write_bytes(new[:300])

    def rest():
        desk.path.write_bytes(new)

    assert desk.work(half, rest, looks=2)[1:] == ["def g(x):\n    return x ** 2"]
    assert not [text for text in desk.said if "cannot be read" in text]


def test_a_file_that_is_gone_for_a_moment_is_waited_for(desk):
    text = desk.path.read_bytes()
    new = text.replace(b"x * x", b"x ** 2")
    gone = [desk.path.unlink, lambda: desk.path.write_bytes(new)]
    assert desk.work(*gone, looks=2)[1:] == ["def g(x):\n    return x ** 2"]
    assert not [text for text in desk.said if "cannot be opened" in text]


def test_what_stays_broken_is_told_once_and_mended_it_is_checked(desk):
    text = desk.path.read_bytes()
    steps = [lambda: desk.path.write_bytes(text[:300]), lambda: desk.path.write_bytes(text)]
    assert desk.work(*steps) == [G, G]
    assert len([said for said in desk.said if "cannot be read as a notebook" in said]) == 1


def test_what_is_saved_during_a_check_is_checked_after_it(desk):
    desk.during = lambda: desk.save("one")
    assert desk.work() == [G, "one"]


def test_a_second_change_within_the_same_time_stamp_is_noticed(desk):
    """Some disks know times to two seconds only."""

    def save_twice():
        before = desk.path.stat()
        desk.path.write_bytes(desk.path.read_bytes().replace(b"x * x", b"x + x"))
        os.utime(desk.path, ns=(before.st_mtime_ns, before.st_mtime_ns))

    desk.during = save_twice
    assert desk.work() == [G, "def g(x):\n    return x + x"]


def test_without_a_number_it_asks_for_one(desk):
    with pytest.raises(NotCheckable, match="course check 01 --watch"):
        watch.watch("", print, desk.folder)


@pytest.mark.skipif(os.name == "nt", reason="no signal can be sent to one program there")
@pytest.mark.parametrize("more", [["--watch"], []], ids=["watched", "once"])
def test_ctrl_c_ends_it_and_the_kernel(folder, more):  # noqa: F811
    pid = folder / "pid"
    busy = f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    path = write(folder, "01-one", busy)
    command = [sys.executable, ROOT / "course.py", "check", path, *more]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COURSE_IS_SET_UP": "1"},
    )
    while not pid.exists() or not pid.read_text():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said = ""
    for line in process.stdout:
        said += line
        if "it is checked again" in line:  # it has not ended
            process.kill()
    process.wait()
    assert (process.returncode, said.split("\n")[-2]) == (
        (0, "Not watching any more.") if more else (130, "Stopped.")
    )
    assert "Traceback" not in said
    assert "Python itself ended here" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
