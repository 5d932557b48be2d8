"""How the grader's commands end, and what they say: what they call is played by stand-ins."""

import argparse
import contextlib
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from grader.batch.recorder import Lost
from grader.batch.to_do import ToDo
from grader.command import collect, export, feedback, grade, new_seed, roster, statistics
from grader.gradebook.marks import Marks
from grader.gradebook.master import BookError
from grader.intake.collect import HandedIn
from grader.intake.entries import COUNTS, Entry, read_entries
from grader.intake.roster import RosterError, Student, write_roster
from grader.intake.submission import Submission
from grader.judging.policy import Limits, Policy
from grader.judging.seed import make_seed, seed_path
from grader.sandbox import cgroup
from grader.sandbox.bwrap import UNSAFE, NoSandbox
from helpers.assignment.notebook_file import Unreadable
from tests.support.lessons import ROOT

NAME, OTHER, THIRD = "01-one", "02-two", "03-three"
PYTHON = ".".join(map(str, sys.version_info[:3]))
TOLD = [BookError, RosterError, Unreadable, FileNotFoundError]  # what an instructor can mend
SAID = pytest.mark.parametrize("error", TOLD)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A course with three assignments, two of which are graded, and a batch."""
    for name in (NAME, OTHER, THIRD):
        folder = tmp_path / "solutions" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.ipynb").write_text("import numpy", encoding="utf-8")
        (tmp_path / "grading" / name).mkdir(parents=True)
    for name in (NAME, THIRD):
        (tmp_path / "grading" / name / "records.jsonl").touch()
    (tmp_path / "batch").mkdir()
    monkeypatch.setattr("grader.gradebook.book.Book", Book)
    return tmp_path


class Book:
    def __init__(self, root, assignment):
        self.root, self.assignment = root, assignment

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def raising(error):
    def fail(*given, **options):
        raise error("what is wrong")

    return fail


class Batch:
    """A batch of which ann and bob are handed in, and zoe and yan are not."""

    students, lost, absent, shown = ("ann", "bob"), [], ("zoe", "yan"), []
    handed_in = SimpleNamespace(words=lambda: ["not taken, a PDF: x.pdf"])

    def __init__(self, assignment, path, root, options, book, make, show, show_waiting=None):
        self.show, self.book = show, book
        self.submissions = [SimpleNamespace(student=name) for name in self.students]
        self.entries = [
            Entry("ann.ipynb", "ann", True, COUNTS),
            Entry("bob.ipynb", "bob", True, COUNTS),
        ]

    def run(self):
        for one in self.shown:
            self.show(one)
        return self.lost

    def missing(self):
        return [Student(name, name) for name in self.absent]

    def summary(self):
        return "the summary"

    def plan(self):
        assert self.book is None
        return [("ann", "would be run"), ("b\nob", "is graded, and has not changed")]


@pytest.fixture
def run(root, monkeypatch, capsys):
    """Grade, with what changes of `Batch`: (status, stdout, stderr)."""
    table = root / "grading" / NAME / "grades.csv"
    found = []
    monkeypatch.setattr("grader.batch.tables.write_tables", lambda book: ({}, table, found))
    monkeypatch.setattr("grader.batch.report.summary_text", lambda summary: summary)
    monkeypatch.setattr(grade, "executors", with_groups)
    monkeypatch.setattr(grade, "check_means", lambda: None)
    monkeypatch.setattr(grade, "check_system", lambda: None)

    def call(*more, is_open=(), **changed):
        found[:] = is_open
        monkeypatch.setattr("grader.batch.coordinator.Batch", type("Made", (Batch,), changed))
        status = grade.main([NAME, str(root / "batch"), "--root", str(root), *more])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def with_groups(options, stack):
    options.groups = "groups"
    return grade.no_executor, 1


def test_a_graded_batch_is_told_from_first_to_last(run, root):
    folder = root / "grading" / NAME
    open_ = [ToDo("ann", "mark by hand"), ToDo("bob", "mark by hand"), ToDo("ann", "alike")]
    status, out, err = run(is_open=open_)
    assert (status, err) == (0, "")
    seed = (
        "Hidden tests use numbers that anybody with the course can know. `course new-seed` draws "
        "others for your class.\n"
    )
    assert out == (
        f"Grading {NAME} with Python {PYTHON}.\n"
        f"{seed}"
        f"{cgroup.GROUPS}\n"
        "the summary\n"
        f"\nWhat was handed in: {folder / 'handed-in.csv'}\n"
        "  not taken, a PDF: x.pdf\n"
        "  nothing was handed in by: zoe, yan\n"
        f"\nWhat is open: {folder / 'open.csv'}\n"
        "  mark by hand: ann, bob\n"
        "  alike: ann\n"
        f"\n2 of 2 recorded. Table: {folder / 'grades.csv'}\n"
    )
    assert read_entries(folder / "handed-in.csv") == [
        Entry("ann.ipynb", "ann", True, COUNTS),
        Entry("bob.ipynb", "bob", True, COUNTS),
        Entry("", "zoe", False, "nothing was handed in"),
        Entry("", "yan", False, "nothing was handed in"),
    ]
    first = (folder / "handed-in.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert first.startswith(f"{root / 'batch'},ann.ipynb,")
    # A class with a seed of its own, nobody absent and nothing open.
    seed_path(root).write_text(make_seed())
    _, out, _ = run(absent=())
    assert seed not in out
    assert "nothing was handed in by" not in out
    assert "What is open" not in out


@pytest.mark.parametrize(
    ("students", "lost", "status", "said"),
    [
        (("ann", "bob"), [], 0, "2 of 2 recorded"),
        (("ann", "bob"), ["bob"], 1, "1 of 2 recorded"),
        (("ann", "bob"), ["ann", "bob"], 1, "0 of 2 recorded"),
        ((), [], 1, "0 of 0 recorded"),  # the wrong folder, for one
    ],
)
def test_only_a_batch_of_which_all_is_recorded_ends_well(run, students, lost, status, said):
    ended, out, err = run(students=students, lost=lost)
    assert ended == status
    assert f"\n{said}. Table: " in out
    assert err == (f"Not graded (call again): {', '.join(lost)}\n" if lost else "")


def test_what_is_lost_is_told_when_it_happens(run):
    shown = [Lost("ann", "OSError('full')"), None]
    _, out, err = run(shown=shown, lost=["ann"])
    assert "ann: NOT GRADED: OSError('full')\n" in out
    assert err.splitlines()[:2] == ["1 of 2 notebooks done", "2 of 2 notebooks done"]


def test_of_one_student_alone_only_that_line_is_written(run, root):
    path = root / "grading" / NAME / "handed-in.csv"
    run("--only", "bob")
    assert [entry.student for entry in read_entries(path)] == ["bob"]


def test_where_there_are_no_control_groups_it_is_said_unless_a_cluster_grades(run, monkeypatch):
    monkeypatch.setattr(grade, "executors", lambda options, stack: (grade.no_executor, 1))
    assert f"\n{cgroup.NO_GROUPS}\n" in run()[1]
    _, out, _ = run("--dask", "tcp://x:1")
    assert cgroup.NO_GROUPS not in out
    assert cgroup.GROUPS not in out


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(run, root, monkeypatch):
    monkeypatch.setattr(grade, "check_means", raising(NoSandbox))
    status, out, err = run("--dry-run")
    assert (status, err) == (0, "")
    assert out.splitlines()[-3:] == [
        "  ann: would be run",
        "  b ob: is graded, and has not changed",
        "Nothing was written.",
    ]
    assert not (root / "grading" / NAME / "handed-in.csv").exists()
    with pytest.raises(RuntimeError, match="nothing is run in a dry run"):
        grade.no_executor()


@SAID
def test_what_is_wrong_with_course_or_batch_ends_grading_with_a_sentence(run, error):
    for more in ((), ("--dry-run",)):
        status, _, err = run(*more, __init__=raising(error))
        assert (status, err) == (2, "what is wrong\n")


def test_a_fault_of_the_grader_is_not_taken_for_one_of_the_batch(run):
    with pytest.raises(KeyError):
        run(run=raising(KeyError))


def test_whoever_stops_grading_is_told_how_to_go_on(run):
    status, _, err = run(run=raising(KeyboardInterrupt))
    assert status == 130
    assert err == "\nStopped. The same command goes on where it was.\n"


@pytest.mark.parametrize("more", [(), ("--unsafe-no-sandbox",)])
def test_what_the_system_has_to_have_is_checked_first(run, monkeypatch, more):
    monkeypatch.setattr(grade, "check_system" if more else "check_means", raising(NoSandbox))
    monkeypatch.setattr(grade, "executors", raising(AssertionError))
    assert run(*more) == (3, "", "what is wrong\n")


def test_without_a_sandbox_the_system_alone_is_checked_and_a_warning_given(run, monkeypatch):
    monkeypatch.setattr(grade, "check_means", raising(NoSandbox))
    status, _, err = run("--unsafe-no-sandbox")
    assert (status, err) == (0, f"--unsafe-no-sandbox: {UNSAFE}\n")


@pytest.mark.parametrize("count", ["0", "-1"])
def test_at_least_one_worker_is_needed(run, capsys, count):
    with pytest.raises(SystemExit) as ended:
        run("--workers", count)
    assert ended.value.code == 2
    assert "error: at least one worker is needed" in capsys.readouterr().err


def test_one_worker_is_enough(run):
    assert run("--workers", "1")[0] == 0


@pytest.mark.parametrize("is_locked", [True, False])
def test_here_a_server_with_the_modules_of_the_notebook_runs_as_many_as_are_asked_for(
    root, monkeypatch, is_locked
):
    made = []

    class Server:
        def __init__(self, **given):
            self.given, self.is_closed = given, False
            made.append(self)

        def close(self):
            self.is_closed = True

    monkeypatch.setattr(grade, "Server", Server)
    monkeypatch.setattr(grade, "modules_for", lambda text: text.split()[1:])
    monkeypatch.setattr(grade.cgroup, "divided", lambda: contextlib.nullcontext("groups"))
    monkeypatch.setattr(grade, "local_executor", lambda *given: given)
    options = argparse.Namespace(
        assignment=NAME, root=root, dask=None, workers=3, unsafe_no_sandbox=not is_locked
    )
    with contextlib.ExitStack() as stack:
        make, workers = grade.executors(options, stack)
        (server,) = made
        assert workers == 3
        assert make() == (3, server)
        assert options.groups == "groups"
        assert server.given == {
            "modules": ["numpy"],
            "locked": is_locked,
            "wait": False,
            "groups": "groups",
        }
        assert not server.is_closed
    assert server.is_closed


class Client:
    """A cluster of two machines, as `distributed` has it."""

    made: list
    problem = None

    def __init__(self, address, security):
        self.asked = [(address, security)]
        self.made.append(self)

    def wait_for_workers(self, *given, **options):
        self.asked.append((given, options))
        if self.problem:
            raise self.problem

    def get_executor(self, **options):
        return options

    def nthreads(self):
        return {"a": 4, "b": 2}


@pytest.fixture
def cluster(monkeypatch):
    distributed, security = ModuleType("distributed"), ModuleType("distributed.security")
    distributed.Client = type("Made", (Client,), {"made": []})
    security.Security = lambda **given: given
    monkeypatch.setitem(sys.modules, "distributed", distributed)
    monkeypatch.setitem(sys.modules, "distributed.security", security)

    def use(folder=None):
        options = argparse.Namespace(dask="tcp://x:1", dask_tls=folder)
        return grade.executors(options, contextlib.ExitStack()), distributed.Client.made[-1]

    use.client = distributed.Client
    return use


def test_a_cluster_runs_as_many_at_a_time_as_it_has_threads(cluster, tmp_path):
    (make, workers), client = cluster()
    assert workers == 6
    assert make() == {"pure": False, "retries": 2}
    assert client.asked == [("tcp://x:1", None), ((1,), {"timeout": 60})]
    _, client = cluster(str(tmp_path))
    assert client.asked[0][1] == {
        "tls_ca_file": str(tmp_path / "ca.pem"),
        "tls_client_cert": str(tmp_path / "cert.pem"),
        "tls_client_key": str(tmp_path / "key.pem"),
        "require_encryption": True,
    }


@pytest.mark.parametrize("error", [OSError, TimeoutError, ValueError])
def test_a_cluster_that_cannot_be_used_is_told(cluster, error):
    cluster.client.problem = error("no answer")
    with pytest.raises(SystemExit) as ended:
        cluster()
    assert ended.value.code == "The cluster at tcp://x:1 cannot be used: no answer"


def test_a_cluster_needs_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SystemExit) as ended:
        grade.executors(argparse.Namespace(dask="tcp://x:1"), contextlib.ExitStack())
    assert ended.value.code == "Dask is not installed: course setup instructor cluster"


# --- the other commands --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("students", "refused", "status", "said"),
    [
        (("ann", "bob"), {}, 0, "2 submissions collected, 0 not readable"),
        (("ann", "bob"), {"bob": "damaged"}, 1, "1 submissions collected, 1 not readable"),
        ((), {}, 1, "0 submissions collected, 0 not readable"),
    ],
)
def test_collecting_says_what_was_taken_and_ends_well_if_all_was(
    root, monkeypatch, capsys, students, refused, status, said
):
    asked = []

    def take_in(*given):
        asked.append(given)
        entries = [Entry("x.pdf", "", False, "a PDF")]
        made = [Submission(student, "", ()) for student in students]
        return HandedIn(made, entries, ["bob"], ["a doubt"]), refused

    monkeypatch.setattr(collect, "take_in", take_in)
    monkeypatch.setenv("HOME", str(root))
    for more, which in (([], "last"), (["--attempt", "first"], "first")):
        assert collect.main(["1", "~/batch", "--root", str(root), *more]) == status
        submitted = root / "grading" / "submitted"
        assert asked.pop() == (root, NAME, str(root / "batch"), submitted, which)
        assert capsys.readouterr().out == (
            "  not taken, a PDF: x.pdf\n"
            "  not in the roster: bob\n"
            "  a doubt\n"
            f"{said}\n"
            f"What became of each file: {root / 'grading' / NAME / 'handed-in.csv'}\n"
        )


@SAID
def test_what_is_wrong_with_course_or_batch_ends_collecting_with_a_sentence(
    root, monkeypatch, capsys, error
):
    monkeypatch.setattr(collect, "take_in", raising(error))
    assert collect.main([NAME, str(root / "batch"), "--root", str(root)]) == 2
    assert capsys.readouterr() == ("", "what is wrong\n")


@pytest.fixture
def tables(root, monkeypatch):
    """The marks of each assignment: ann's are open in the third."""
    marks = {
        NAME: {"ann": Marks(4, 3.0), "bob": Marks(4, 1.0)},
        OTHER: {},
        THIRD: {"ann": Marks(4, 1.0, open=["why"]), "bob": Marks(4, 0.0, open=["why"])},
    }
    found = [ToDo("ann", "mark by hand"), ToDo("bob", "mark by hand")]

    def write_tables(book):
        table = Path("grades.csv")
        is_open = found if book.assignment == THIRD else []
        return SimpleNamespace(marks=marks[book.assignment], path=table, open=is_open)

    def write_tables_as_tuple(book):
        made = write_tables(book)
        return Tables(made.marks, made.path, made.open)

    from grader.batch.tables import Tables

    monkeypatch.setattr("grader.batch.tables.write_tables", write_tables_as_tuple)
    return marks


def test_exporting_writes_all_marks_and_a_platforms_table_of_what_is_named(
    root, tables, monkeypatch, capsys
):
    asked = []

    def for_platform(book, marks, to, column):
        asked.append((book.assignment, marks, to, column))
        return f"{book.assignment}/{to}.csv"

    def all_marks(given, marks):
        asked.append((given, list(marks.items())))
        return "marks.csv"

    monkeypatch.setattr("grader.batch.to_platforms.write_marks", for_platform)
    monkeypatch.setattr("grader.batch.tables.write_marks", all_marks)
    place = ["--root", str(root)]
    assert export.main(["2", "1", "--for", "canvas", *place]) == 0
    assert asked == [
        (NAME, tables[NAME], "canvas", ""),
        (OTHER, tables[OTHER], "canvas", ""),
        (root, list(tables.items())),
    ]
    assert capsys.readouterr() == (f"{NAME}/canvas.csv\n{OTHER}/canvas.csv\nmarks.csv\n", "")
    # Without a platform there is its table alone; of what is named, it says what is still open.
    asked.clear()
    assert export.main(["3", *place]) == 0
    assert asked == [(root, [(NAME, tables[NAME]), (THIRD, tables[THIRD])])]
    assert capsys.readouterr() == (
        "marks.csv\n",
        f"{THIRD}: still to be marked by hand: ann, bob\n",
    )
    asked.clear()
    assert export.main(["3", "--for", "moodle", "--column", "Exercise 3", *place]) == 0
    assert asked[0] == (THIRD, tables[THIRD], "moodle", "Exercise 3")


def test_a_column_is_the_name_of_one_assignment(root, capsys):
    with pytest.raises(SystemExit) as ended:
        export.main(["--for", "canvas", "--column", "Exercise 3", "--root", str(root)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.endswith("error: --column is the name of one assignment: say which\n")


def test_each_platform_can_be_written_for():
    for parser in (export.arguments(), feedback.arguments()):
        for name in ("moodle", "canvas", "blackboard", "gradescope"):
            assert parser.parse_args(["--for", name]).platform == name
        assert parser.parse_args([]).platform is None


@pytest.mark.parametrize(
    ("program", "errors", "where"),
    [
        (export, [BookError, FileNotFoundError, RosterError], "grader.batch.tables.write_tables"),
        (feedback, [BookError, FileNotFoundError], "grader.batch.tables.write_tables"),
        (statistics, [BookError, FileNotFoundError], "grader.batch.statistics.write_statistics"),
    ],
)
def test_what_is_wrong_ends_the_command_with_a_sentence(
    root, monkeypatch, capsys, program, errors, where
):
    for error in errors:
        monkeypatch.setattr(where, raising(error))
        assert program.main([NAME, "--root", str(root)]) == 2
        assert capsys.readouterr() == ("", "what is wrong\n")


@pytest.fixture
def pages(tables, monkeypatch):
    """Pages are written of ann, and never of bob, who has no graded notebook in the third."""

    def update(book, student):
        if book.assignment == THIRD and student == "bob":
            raise OSError("nothing there")
        return student == "ann"

    monkeypatch.setattr("grader.gradebook.feedback.update_feedback", update)


def test_feedback_says_how_many_pages_are_new_and_what_is_open(root, pages, capsys):
    assert feedback.main(["--root", str(root)]) == 0
    assert capsys.readouterr() == (
        f"{NAME}: 1 of 2 pages written anew. Table: grades.csv\n"
        f"{THIRD}: 1 of 2 pages written anew. Table: grades.csv\n"
        "  mark by hand: ann, bob\n",
        "  no graded notebook, so no page: bob\n",
    )


@pytest.mark.parametrize("unknown", [[], ["bob", "zoe"]])
def test_feedback_for_a_platform_says_whose_pages_cannot_go_back(
    root, pages, monkeypatch, capsys, unknown
):
    asked = []

    def write_pages(book, marks, to):
        asked.append((book.assignment, list(marks), to))
        return "x.zip", unknown

    monkeypatch.setattr("grader.batch.to_platforms.write_pages", write_pages)
    assert feedback.main(["1", "--for", "moodle", "--root", str(root)]) == 0
    assert asked == [(NAME, ["ann", "bob"], "moodle")]
    said = capsys.readouterr()
    assert said.out == (
        f"{NAME}: 1 of 2 pages written anew. Table: grades.csv\n  for moodle: x.zip\n"
    )
    left = (
        "  did not come from a download of moodle, so no page can go back there: bob, zoe. Their "
        f"pages are in {root / 'grading' / 'feedback'}.\n"
    )
    assert said.err == (left if unknown else "")


def test_statistics_names_the_files_of_each_assignment(root, monkeypatch, capsys):
    monkeypatch.setattr(
        "grader.batch.statistics.write_statistics", lambda book: [f"{book.assignment}/x", "y"]
    )
    assert statistics.main(["--root", str(root)]) == 0
    assert capsys.readouterr() == (f"{NAME}/x\ny\n{THIRD}/x\ny\n", "")


def test_a_new_seed_says_which_marks_are_by_the_old_one(root, capsys):
    assert new_seed.main(["--root", str(root)]) == 0
    assert capsys.readouterr().out == (
        f"A new seed is in {seed_path(root)}. Keep it with the marks, and away from students.\n"
        f"There are marks of {NAME}, {THIRD}, by tests with other numbers. They stay until you "
        "call `course grade` for the assignment: it grades anew what you give it. Marks by hand "
        "stay.\n"
    )


def test_a_class_list_of_several_files_is_told_file_by_file(root, capsys):
    first, second = root / "a.csv", root / "b.csv"
    first.write_text("Name,Email\nKim Minsu,kim@x\nLee Jiwoo,lee@x\n", encoding="utf-8")
    second.write_text("Name,Email,SID\nKim Minsu,kim@x,7\nSeo Yan,seo@x,8\n", encoding="utf-8")
    (root / "grading" / "autograded" / "kim").mkdir(parents=True)
    path = root / "grading" / "roster.csv"
    assert roster.main([str(first), str(second), "--root", str(root)]) == 0
    assert capsys.readouterr() == (
        f"{first}: 2 added, 0 changed\n"
        f"{second}: 1 added, 1 changed\n"
        "  in the roster, and not in this list: lee\n"
        f"3 students: {path}\n",
        "",
    )
    for name in ("zoe", "yan"):
        (root / "grading" / "autograded" / name).mkdir()
    many = [Student(f"s{number:02}", f"S{number}") for number in range(22)]
    write_roster(path, many)
    assert roster.main([str(first), "--root", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = ", ".join(student.id for student in many[:20])
    assert lines[1] == f"  in the roster, and not in this list: {listed}, and 2 more"
    assert lines[3] == (
        "Graded, and not in the roster: yan, zoe. Where that is a student of the roster, write it "
        "into the column id, or grade again: the column also may hold other names of a student."
    )


def test_a_list_that_cannot_be_used_leaves_the_roster_as_it_was(root, capsys):
    first, second = root / "a.csv", root / "b.csv"
    first.write_text("Name,Email\nKim Minsu,kim@x\n", encoding="utf-8")
    second.write_text("x\n", encoding="utf-8")
    assert roster.main([str(first), str(second), "--root", str(root)]) == 2
    assert f"{second} has no column with names" in capsys.readouterr().err
    assert not (root / "grading" / "roster.csv").exists()


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (collect, "collect"),
        (export, "export"),
        (feedback, "feedback"),
        (grade, "grade"),
        (new_seed, "new-seed"),
        (roster, "roster"),
        (statistics, "statistics"),
    ],
)
def test_each_command_says_how_it_is_called(capsys, program, name):
    with pytest.raises(SystemExit) as ended:
        program.main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: course {name} [-h]")
    assert "--root" not in said  # which is for tests


def test_what_grading_does_where_nothing_is_asked_for():
    given = vars(grade.arguments().parse_args([NAME, "batch"]))
    policy, sizes = Policy(), Limits()
    assert given.pop("total_seconds") == policy.total_seconds
    assert given.pop("cell_seconds") == policy.cell_seconds
    assert given.pop("memory_mib") * 2**20 == policy.memory_bytes
    assert given.pop("notebook_mib") * 2**20 == sizes.notebook_bytes
    assert given == {
        "assignment": NAME,
        "submissions": "batch",
        "root": ROOT,
        "workers": os.cpu_count(),
        "dask": None,
        "dask_tls": None,
        "force": False,
        "only": [],
        "test": "",
        "dry_run": False,
        "attempt": "last",
        "no_feedback": False,
        "unsafe_no_sandbox": False,
        "groups": None,
    }
    with pytest.raises(SystemExit):
        grade.arguments().parse_args([NAME, "batch", "--attempt", "best"])
