"""The command `make grade`, from first to last: refusals, and grading without a sandbox.

What needs a sandbox is tested in test_class.py, by `make sandbox`.
"""

import csv
import io
import platform
import shutil
import sys
from pathlib import Path

import nbformat
import pytest

from grader.batch.options import Options
from grader.command import collect
from grader.command import grade as command
from grader.command.waiting import Waiting
from grader.gradebook.master import load_config
from grader.intake.place import WrongPlace, check_place
from grader.intake.roster import Student, roster_path, write_roster
from grader.judging import job
from grader.sandbox import bwrap
from helpers.assignment.selfcheck import SECONDS_A_CELL, SECONDS_A_NOTEBOOK
from tests.support.assignment_files import released
from tests.support.lessons import ROOT

NAME = "01-convolution-by-hand"
OTHER = "02-other"
LEFT_OUT = f"  not taken, belongs to another assignment: right/{OTHER}/{OTHER}.ipynb\n"
ENDLESS = "while True:\n    pass"
WHERE = "import os\nprint(os.getcwd(), 'HOME' in os.environ)"

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="grading runs on Linux only")


@pytest.fixture
def root(tmp_path):
    """A course with one assignment, and a batch of three; and something of another assignment."""
    for folder in ("solutions", "assignments"):
        shutil.copytree(ROOT / folder / NAME, tmp_path / folder / NAME)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    batch = tmp_path / "batch"
    batch.mkdir()
    source = nbformat.read(ROOT / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    nbformat.write(source, batch / "right.ipynb")
    shutil.copy(released(NAME), batch / "unsolved.ipynb")
    place = next(n for n, cell in enumerate(source.cells) if cell.id == "setup") + 1
    source.cells[place:place] = [nbformat.v4.new_code_cell(code) for code in (WHERE, ENDLESS)]
    nbformat.write(source, batch / "endless.ipynb")
    (batch / "report.pdf").write_bytes(b"%PDF")
    for place in (tmp_path / "solutions" / OTHER, batch / "right" / OTHER):
        place.mkdir(parents=True)
        (place / f"{OTHER}.ipynb").write_text("{}", encoding="utf-8")
    return tmp_path


def grade(root, *more):
    return command.main([NAME, str(root / "batch"), "--root", str(root), "--workers", "1", *more])


def no_bwrap(monkeypatch):
    real = shutil.which
    monkeypatch.setattr(
        bwrap.shutil, "which", lambda name, *rest: None if name == "bwrap" else real(name, *rest)
    )


@pytest.mark.parametrize(
    "place",
    [
        "",
        " ",
        ".",
        "..",
        "assignments",
        f"solutions/{NAME}/{NAME}.ipynb",
        ".hidden",
        "grading",
        "grading/autograded",
        f"grading/{NAME}/results",
        "link",
    ],
)
def test_the_courses_own_notebooks_are_never_graded(root, place, monkeypatch, capsys):
    """A forgotten SUBMISSIONS= must not replace real marks by those of the course's folder."""
    monkeypatch.chdir(root)
    (root / "link").symlink_to(root / "assignments")
    for folder in (".hidden", "grading/autograded", f"grading/{NAME}/results"):
        (root / folder).mkdir(parents=True)
    for main in (command.main, collect.main):
        assert main([NAME, place, "--root", str(root)]) == 2
        said = capsys.readouterr().err
        assert "handed in" in said
        assert len(said.splitlines()) == 1
    assert not list((root / "grading").rglob("*.*"))


def test_a_terminal_that_knows_few_letters_ends_no_batch(root, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, encoding="ascii"))
    assert command.main([NAME, str(root), "--root", str(root)]) == 2
    print("\N{HANGUL SYLLABLE GA} e\u0301 \udcff", file=sys.stderr, flush=True)
    assert written.getvalue().endswith(b"\\uac00 e\\u0301 \\udcff\n")


@pytest.mark.parametrize("place", ["batch", "batch.zip", "grading/submitted", "grading/batch.zip"])
def test_what_was_handed_in_may_lie_beside_the_course(root, place, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (root / place).mkdir(parents=True, exist_ok=True)
    check_place(root / place, root)
    check_place(elsewhere, root)
    with pytest.raises(WrongPlace, match="there is nothing at"):
        check_place(elsewhere / "nowhere", root)


@only_linux
def test_without_the_means_it_refuses_and_says_what_to_install(root, monkeypatch, capsys):
    no_bwrap(monkeypatch)
    assert grade(root) == 3
    assert "sudo apt install bubblewrap" in capsys.readouterr().err
    assert not (root / "grading").exists()


@pytest.mark.parametrize("system", ["darwin", "win32"])
@pytest.mark.parametrize("more", [(), ("--unsafe-no-sandbox",)])
def test_elsewhere_it_refuses_and_points_to_the_container(root, monkeypatch, capsys, system, more):
    monkeypatch.setattr(bwrap.sys, "platform", system)
    assert grade(root, *more) == 3
    said = capsys.readouterr().err
    assert "solutions/grading.md" in said
    recipe = (ROOT / "solutions/grading.md").read_text(encoding="utf-8")
    assert "## A container, for macOS and Windows" in recipe


@only_linux
def test_whoever_asks_for_it_grades_without_a_sandbox_and_is_warned(root, monkeypatch, capfd):
    no_bwrap(monkeypatch)
    monkeypatch.setattr(command, "executors", lambda options, stack: (InThisProcess, 1))
    # A class list, and a path in which the shell has left the ~.
    write_roster(roster_path(root), [Student("r1", "Right"), Student("a1", "Absent")])
    monkeypatch.setenv("HOME", str(root))
    arguments = [NAME, "~/batch", "--root", str(root), "--workers", "1"]
    try:
        more = ["--unsafe-no-sandbox", "--no-feedback", "--cell-seconds", "1"]
        assert command.main([*arguments, *more]) == 0
    finally:
        job.close_servers()
    shown = capfd.readouterr()
    assert "WITHOUT A SANDBOX" in shown.err
    assert f"with Python {platform.python_version()}." in shown.out
    assert LEFT_OUT in shown.out
    assert "  not taken, a PDF: report.pdf\n" in shown.out
    assert "  not in the roster: endless, unsolved\n" in shown.out
    assert "  nothing was handed in by: a1\n" in shown.out
    lines = (root / "grading" / NAME / "handed-in.csv").read_text(encoding="utf-8-sig")
    assert [line.split(",", 1)[1] for line in lines.splitlines()[1:]] == [
        "endless.ipynb,endless,yes,the notebook that counts,",
        "report.pdf,,no,a PDF,",
        "right.ipynb,r1,yes,the notebook that counts,",
        f"right/{OTHER}/{OTHER}.ipynb,,no,belongs to another assignment,",
        "unsolved.ipynb,unsolved,yes,the notebook that counts,",
        ",a1,no,nothing was handed in,",
    ]
    assert "course new-seed" in shown.out  # nobody has made one for this class
    table = root / "grading" / NAME / "grades.csv"
    with table.open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    full = rows["r1"]["max_score"]
    assert (rows["r1"]["score"], rows["r1"]["outcome"]) == (full, "graded")
    assert (rows["unsolved"]["score"], rows["unsolved"]["outcome"]) == ("0", "graded")
    assert (rows["endless"]["score"], rows["endless"]["outcome"]) == (full, "cell timeout")
    shown = nbformat.read(root / "grading/autograded/endless" / NAME / f"{NAME}.ipynb", 4)
    (printed,) = [c.outputs[0].text for c in shown.cells if c.source == WHERE]
    folder, has_home = printed.split()
    assert has_home == "True"
    # It had a folder of its own, which is gone.
    assert folder != str(root)
    assert not Path(folder).exists()


def test_collecting_leaves_out_what_belongs_to_other_assignments(root, capfd):
    assert collect.main([NAME, str(root / "batch"), "--root", str(root)]) == 0
    shown = capfd.readouterr().out
    assert LEFT_OUT in shown
    assert "3 submissions collected, 0 not readable" in shown
    folders = sorted(path.parts[-2:] for path in (root / "grading/submitted").glob("*/*"))
    assert folders == [("endless", NAME), ("right", NAME), ("unsolved", NAME)]


def test_a_cell_has_the_time_that_the_students_own_check_gives_it():
    """What `course check` accepts is accepted when it is graded, in either way."""
    given = command.arguments().parse_args([NAME, "batch"])
    assert given.cell_seconds == load_config(ROOT).Execute.timeout == SECONDS_A_CELL
    assert given.total_seconds == SECONDS_A_NOTEBOOK


def test_in_a_file_what_is_done_takes_few_lines_and_none_is_lost(capsys):
    with Waiting() as waiting:
        waiting.begin(200)
        for number in range(200):
            waiting.wait_for("ann" if number < 150 else "bob")
            waiting.step(f"s{number}: 7 of 7" if number else None)
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [f"s{number}: 7 of 7" for number in range(1, 200)]
    done = [f"{number} of 200 notebooks done" for number in range(20, 201, 20)]
    expected = ["waiting for ann", *done[:7], "waiting for bob", *done[7:]]
    assert shown.err.splitlines() == expected


def test_on_a_terminal_a_bar_says_who_is_waited_for(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Waiting() as waiting:
        waiting.begin(2)
        waiting.wait_for("ann")
        waiting.step("s0: 7 of 7")
    shown = capsys.readouterr()
    assert shown.out == "s0: 7 of 7\n"
    assert "0/2" in shown.err
    assert "waiting for ann" in shown.err
    assert "done" not in shown.err


# Of each option that is a setting of a batch, a value other than the default.
SETTINGS = {
    "--workers": ("7", lambda made: made.workers == 7),
    "--force": (None, lambda made: made.force),
    "--only": ("kim", lambda made: list(made.only) == ["kim"]),
    "--test": ("one", lambda made: made.test == "one"),
    "--attempt": ("first", lambda made: made.which == "first"),
    "--no-feedback": (None, lambda made: not made.feedback),
    "--unsafe-no-sandbox": (None, lambda made: not made.policy.locked),
    "--cell-seconds": ("7", lambda made: made.policy.cell_seconds == 7),
    "--total-seconds": ("7", lambda made: made.policy.total_seconds == 7),
    "--memory-mib": ("7", lambda made: made.policy.memory_bytes == 7 * 2**20),
    "--notebook-mib": ("7", lambda made: made.limits.notebook_bytes == 7 * 2**20),
}
OTHER_OPTIONS = {"--help", "--root", "--dask", "--dask-tls", "--dry-run"}


def test_each_option_reaches_the_batch(root, monkeypatch):
    made = []

    class Noting:
        def __init__(self, *given):
            made.append(next(one for one in given if isinstance(one, Options)))

        def plan(self):
            return []

    monkeypatch.setattr("grader.batch.coordinator.Batch", Noting)
    known = {a.option_strings[-1] for a in command.arguments()._actions if a.option_strings}
    assert known == SETTINGS.keys() | OTHER_OPTIONS
    for option, (value, has_it) in SETTINGS.items():
        given = [option] if value is None else [option, value]
        assert grade(root, "--dry-run", *given) == 0
        assert has_it(made[-1]), option
    assert grade(root, "--dry-run") == 0
    assert not [option for option, (_, has_it) in SETTINGS.items() if has_it(made[-1])]


@pytest.mark.parametrize("program", [command, collect])
def test_a_forgotten_assignment_is_asked_for(root, capsys, program):
    """make gives an empty word where ASSIGNMENT was forgotten."""
    with pytest.raises(SystemExit):
        program.main(["", str(root / "batch"), "--root", str(root)])
    assert f"say which assignment: {NAME}, {OTHER}" in capsys.readouterr().err


class InThisProcess:
    """An executor without processes, in which what is patched stays patched."""

    def submit(self, function, text):
        from concurrent.futures import Future

        future = Future()
        future.set_result(function(text))
        return future

    def shutdown(self, **options):
        pass
