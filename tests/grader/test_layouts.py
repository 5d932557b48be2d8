"""What learning platforms make of a class: whose each file is, when it came, and which counts."""

import io
import time
import zipfile
from dataclasses import replace
from datetime import datetime

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.intake.attempts import Attempts
from grader.intake.collect import OTHERS, collect
from grader.intake.entries import COUNTS, NOTHING, Account, Entry, read_entries, write_entries
from grader.intake.files import Found
from grader.intake.join import Finder
from grader.intake.layouts import owner_of, without_copies
from grader.intake.platforms import Gradescope
from grader.intake.roster import Student
from grader.intake.times import Times, time_of
from grader.judging.policy import Limits
from helpers.assignment.notebook_file import Unreadable

NAME = "01-convolution-by-hand"
IDS = ("f",)
KIM = Student("kim.minsu", "Minsu Kim", "kim.minsu@example.edu", "12345")
ANNE = Student("am", "Änne Müller", "anne@example.edu", "23456")
LEE = Student("lee", "이지우", "lee@example.edu", "34567", ("jwlee",))
CLASS = (KIM, ANNE, LEE)


def data(answer="1"):
    cell = new_code_cell(answer, id="f")
    cell.metadata["nbgrader"] = {"grade_id": "f", "solution": True}
    return nbformat.writes(new_notebook(cells=[cell])).encode()


def as_zip(files, dates=None):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (dates or {}).get(name, (2026, 11, 29, 10, 0, 0)))
            archive.writestr(entry, content)
    return made.getvalue()


def batch(root, files, packed=False, dates=None):
    if packed:
        path = root / "batch.zip"
        path.write_bytes(as_zip(files, dates))
        return path
    for name, content in files.items():
        path = root / "batch" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content)
    return root / "batch"


def read(submission):
    try:
        return submission.read(NAME, IDS).notebook.cells[0].source
    except Unreadable as error:
        return f"Unreadable: {error}"


def answers(path, roster=CLASS, **options):
    """What counts of each student."""
    handed_in = collect(path, NAME, ("02-other",), roster, **options)
    return {one.student: read(one) for one in handed_in.submissions}


def lines(path, roster=CLASS):
    """For each entry what became of it: (whose, whether it is taken, why)."""
    handed_in = collect(path, NAME, ("02-other",), roster)
    entries = list(handed_in.entries)
    for submission in handed_in.submissions:
        try:
            entries += submission.read(NAME, IDS, patterns=["*.csv"]).entries
        except Unreadable as error:
            entries += submission.refused(str(error))
    assert len({entry.path for entry in entries}) == len(entries)
    return {entry.path: (entry.student, entry.is_taken, entry.reason) for entry in entries}


FORM = """Name: Minsu Kim (kim.minsu)
Assignment: Assignment 01
Date Submitted: Sunday, 29 November 2026 10:00:00 o'clock AM GMT
Current Grade: Not Graded Yet

Submission Field:
There is no student submission text data for this assignment.

Comments:
{comment}

Files:
\tOriginal filename: 01.ipynb
"""
NO_COMMENT = "There are no student comments for this assignment."
METADATA = """---
submission_1001:
  :submitters:
  - :name: Minsu Kim
    :sid: '12345'
    :email: kim.minsu@example.edu
  :created_at: 2026-11-28 09:30:00.000000000 Z
submission_1002:
  :submitters:
  - :name: Änne Müller
    :sid:
    :email: anne@example.edu
  - :name: Jiwoo Lee
    :sid: '34567'
    :email: jl@example.edu
  :created_at: 2026-11-28 12:00:00.000000000 Z
submission_1003:
  :submitters:
  - :name: Minsu Kim
    :sid: '12345'
  :created_at: 2026-11-28 10:30:00.000000000 Z
"""
MOODLE = "_assignsubmission_file"
ATTEMPT = "Assignment 01_kim.minsu_attempt_2026-11-28"
LAYOUTS = {
    "Moodle's folders": {
        f"Minsu Kim_98{MOODLE}_/{NAME}.ipynb": data("kim"),
        f"Müller_ Änne_99{MOODLE}/my work (1).ipynb": data("anne"),
        f"Group 2-이지우_77{MOODLE}_/x.ipynb": data("lee"),
        "이지우_77_assignsubmission_onlinetext_/onlinetext.html": b"<p>hello",
    },
    "Moodle's files": {
        f"Minsu Kim_98{MOODLE}_{NAME}.ipynb": data("kim"),
        f"Änne Müller_99{MOODLE}_final.ipynb": data("anne"),
        f"이지우_77{MOODLE}_{NAME}.ipynb": data("lee"),
    },
    "Canvas'": {
        f"kimminsu_12345_6001_{NAME}.ipynb": data("old"),
        f"kimminsu_12345_6009_{NAME}-2.ipynb": data("kim"),
        f"mulleranne_LATE_23456_6002_{NAME}.ipynb": data("anne"),
        "이지우_34567_6003_final.ipynb": data("lee"),
    },
    "Blackboard's": {
        f"{ATTEMPT}-09-00-00_{NAME}.ipynb": data("old"),
        f"{ATTEMPT}-09-00-00.txt": FORM.format(comment=NO_COMMENT).encode(),
        f"{ATTEMPT}-10-00-00_{NAME}.ipynb": data("kim"),
        f"{ATTEMPT}-10-00-00.txt": FORM.format(comment="Task 2 is on paper.").encode(),
        "Assignment 01_am_attempt_2026-11-28-10-00-00_a.ipynb": data("anne"),
        "Assignment 01_jwlee_attempt_2026-11-28-10-00-00_b.ipynb": data("lee"),
    },
    "Gradescope's": {
        "export/submission_metadata.yml": METADATA.encode(),
        "export/submission_1001/x.ipynb": data("old"),
        "export/submission_1002/y.ipynb": data("anne"),
        "export/submission_1003/z.ipynb": data("kim"),
    },
    "Classroom's": {
        f"Minsu Kim - {NAME}.ipynb": data("kim"),
        f"Änne Müller - Copy of {NAME}.ipynb": data("anne"),
        f"Copy of 이지우 - {NAME} (1).ipynb": data("lee"),
    },
    "nbgrader's": {
        f"kim.minsu/{NAME}/{NAME}.ipynb": data("kim"),
        f"am/{NAME}/other.ipynb": data("anne"),
        "am/02-other/02-other.ipynb": data("no"),
        f"jwlee+{NAME}+2026-11-28 10:00:00 UTC+x/{NAME}.ipynb": data("lee"),
    },
    "zip_collect's": {
        f"{NAME}/archive/kim.minsu.zip": as_zip({f"{NAME}.ipynb": data("kim")}),
        f"{NAME}/archive/am.ipynb": data("anne"),
        f"{NAME}/archive/jwlee.ipynb": data("lee"),
        f"{NAME}/extracted/kim.minsu/{NAME}.ipynb": data("changed"),
        f"{NAME}/extracted/am.ipynb": data("anne"),
    },
    "loose": {
        "kim-minsu.ipynb": data("old"),
        "kim-minsu (1).ipynb": data("kim"),
        "과제1_이지우.ipynb": data("lee"),
        "hw1 Anne Muller final.ipynb": data("anne"),
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_each_submission_is_joined_to_a_student_and_the_last_attempt_counts(
    tmp_path, layout, packed
):
    path = batch(tmp_path, LAYOUTS[layout], packed)
    expected = {"kim.minsu": "kim", "am": "anne", "lee": "lee"}
    if layout == "Gradescope's":
        expected["lee"] = "anne"  # two handed it in together
    assert answers(path) == expected
    assert collect(path, NAME, (), CLASS).strangers == []
    earlier = {**expected, "kim.minsu": "old"} if "old" in str(LAYOUTS[layout]) else expected
    assert answers(path, which="first") == earlier


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"Gradescope's"}))
def test_each_file_has_one_line(tmp_path, layout):
    found = lines(batch(tmp_path, LAYOUTS[layout]))
    assert set(found) >= set(LAYOUTS[layout]) - {f"{NAME}/archive/kim.minsu.zip"}
    assert sum(is_taken for _, is_taken, _ in found.values()) == len(CLASS)


def test_without_a_roster_a_student_is_called_as_the_file_or_folder(tmp_path):
    files = {**LAYOUTS["Canvas'"], **LAYOUTS["Moodle's folders"], **LAYOUTS["loose"]}
    del files["이지우_77_assignsubmission_onlinetext_/onlinetext.html"]
    handed_in = collect(batch(tmp_path, files), NAME)
    expected = {name.split("/")[0].removesuffix(".ipynb") for name in files}
    assert {one.student for one in handed_in.submissions} == {
        name.replace("(1)", "_1_") for name in expected
    }
    assert handed_in.strangers == []
    (doubt,) = handed_in.doubts
    assert doubt == "kim-minsu and kim-minsu _1_: could be two attempts of one student"
    assert set(answers(batch(tmp_path / "z", LAYOUTS["zip_collect's"]), ())) == {
        "am",
        "jwlee",
        "kim.minsu",
    }


def test_what_is_no_notebook_has_a_line_with_the_reason(tmp_path):
    """Kinds of files, empty folders, damaged zips: a student's mark or a line, never nothing."""
    files = {
        "am.ipynb": data("anne"),
        "song-report.pdf": b"%PDF",
        "bae-script.py": b"x = 1",
        "hong-export.html": b"<html>",
        "oh.rar": b"Rar!",
        "yang-empty.zip": as_zip({}),
        "moon-broken.zip": b"PK\x03\x04 cut",
        "noh-unzipped/": b"",
        "__MACOSX/._am.ipynb": b"x",
        "kim.minsu/report.docx": b"PK",
        "이지우/": b"",
        "am/data.csv": b"1,2",
        "am/.ipynb_checkpoints/am-checkpoint.ipynb": data("x"),
    }
    path = batch(tmp_path, files)
    assert lines(path) == {
        "am.ipynb": ("am", True, "the notebook that counts"),
        "am/data.csv": ("am", True, "beside the notebook when it runs"),
        "am/.ipynb_checkpoints": ("", False, "left behind by a program"),
        "__MACOSX": ("", False, "left behind by a program"),
        "song-report.pdf": ("", False, "a PDF"),
        "bae-script.py": ("", False, "a Python script"),
        "hong-export.html": ("", False, "a web page (HTML)"),
        "oh.rar": ("", False, "an archive of a kind that is not opened: only zips are"),
        "yang-empty.zip": ("", False, "an empty zip"),
        "moon-broken.zip": ("", False, "a damaged zip: File is not a zip file"),
        "noh-unzipped": ("", False, "an empty folder"),
        # Of the roster: they have handed something in, and get told why it gives no points.
        "kim.minsu/report.docx": ("kim.minsu", False, "an Office document"),
        "이지우": ("lee", False, "an empty folder"),
    }
    found = answers(path)
    assert found["am"] == "anne"
    assert "no notebook was handed in, but report.docx (an Office document)" in found["kim.minsu"]
    assert "an empty folder" in found["lee"]
    assert "not taken, a PDF: song-report.pdf" in collect(path, NAME, (), CLASS).words()
    assert set(answers(path, ())) == {"am"}


def nested(depth, content):
    for _ in range(depth):
        content = as_zip({"inner.zip": content})
    return content


def test_whoever_hands_in_another_assignment_on_a_platform_is_told(tmp_path):
    files = {
        f"Minsu Kim_98{MOODLE}_/02-other.ipynb": data("no"),
        f"Änne Müller_99{MOODLE}_/02-other.ipynb": data("no"),
        f"Änne Müller_99{MOODLE}_/{NAME}.ipynb": data("anne"),
        "이지우_34567_6003_02-other-1.ipynb": data("no"),
    }
    path = batch(tmp_path, files, packed=True)
    wrong = f"Unreadable: no notebook was handed in, but 02-other.ipynb ({OTHERS})"
    assert answers(path) == {"kim.minsu": wrong, "am": "anne", "lee": wrong}
    left = {who: why for who, is_taken, why in lines(path).values() if not is_taken}
    assert left == dict.fromkeys(("kim.minsu", "am", "lee"), OTHERS)


@pytest.mark.parametrize("packed", [False, True])
def test_zips_in_zips_are_opened_within_limits(tmp_path, packed):
    inside = as_zip({"work/my.ipynb": data("kim"), "work/data.csv": b"1"})
    files = {
        "kim.minsu.zip": inside,
        f"Änne Müller_99{MOODLE}_/abgabe.zip": nested(1, as_zip({"x.ipynb": data("anne")})),
        "이지우.zip": nested(Limits.zip_depth, as_zip({"x.ipynb": data("lee")})),
    }
    path = batch(tmp_path, files, packed)
    found = answers(path)
    assert found["kim.minsu"] == "kim"
    assert found["am"] == "anne"
    assert f"more than {Limits.zip_depth} zips deep" in found["lee"]
    assert lines(path)["kim.minsu.zip/work/data.csv"][1]


def test_what_zips_hold_is_counted_before_it_is_unpacked(tmp_path):
    many = as_zip({f"{number}.txt": b"" for number in range(20)})
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", b"0" * 10**6)
    files = {"kim.minsu.zip": many, "am.zip": large.getvalue(), "lee.ipynb": data("lee")}
    path = batch(tmp_path, files)
    found = answers(path, limits=Limits(inner_files=10, inner_bytes=10**5))
    assert "a zip of more than 10 files" in found["kim.minsu"]
    assert "a zip that is larger than" in found["am"]
    assert found["lee"] == "lee"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "이지우"),
        ("cp949", "이지우"),
        ("cp949", "설믜"),  # Windows writes more syllables than EUC-KR has
        ("cp437", "Müller"),  # whose two letters Windows in Korea reads as one
        ("cp437", "Pérez Núñez"),
    ],
)
def test_names_in_zips_that_do_not_say_how_they_are_written(tmp_path, encoding, name):
    # As Windows and older programs write it: without the mark for UTF-8.
    raw = f"{name}.ipynb".encode(encoding)
    content = as_zip({"x" * len(raw): data()})
    path = tmp_path / "b.zip"
    path.write_bytes(content.replace(b"x" * len(raw), raw))
    assert set(answers(path, ())) == {name}


def test_a_notebook_that_a_browser_renamed_is_one(tmp_path):
    files = {"kim.minsu.ipynb.txt": data("kim"), "am.IPYNB.json": data("anne")}
    assert answers(batch(tmp_path, files)) == {"kim.minsu": "kim", "am": "anne"}


def test_the_same_notebook_twice_is_one(tmp_path):
    content = data("kim")
    files = {"kim.minsu/a.ipynb": content, "kim.minsu/b.zip": as_zip({"c.ipynb": content})}
    assert answers(batch(tmp_path, files)) == {"kim.minsu": "kim"}


TWINS = (Student("kim1", "김민수", "", "111"), Student("kim2", "김민수", "", "222", ("98",)))


def test_who_cannot_be_told_apart_is_nobodys_and_named(tmp_path):
    files = {
        "김민수.ipynb": data("?"),
        f"김민수_98{MOODLE}_/x.ipynb": data("two"),
        "김민수_111_9_x.ipynb": data("one"),
        "lee-jiwoo.ipynb": data("stranger"),
        "2.ipynb": data("number"),
    }
    roster = (*TWINS, Student("lee", "Lee Seo", "", "2"))
    handed_in = collect(batch(tmp_path, files), NAME, (), roster)
    assert {one.student: read(one) for one in handed_in.submissions} == {
        "kim1": "one",
        "kim2": "two",
        "김민수": "?",
        "lee-jiwoo": "stranger",
        "2": "number",
    }
    assert handed_in.strangers == ["2", "lee-jiwoo", "김민수"]
    assert handed_in.doubts == [
        "김민수.ipynb: could be kim1 or kim2, so it is nobody's of the roster"
    ]
    assert "not in the roster: 2, lee-jiwoo, 김민수" in handed_in.words()


def test_attempts_whose_order_is_not_known_are_named(tmp_path):
    files = {"kim.minsu.ipynb": data("a"), "Minsu Kim.ipynb": data("b")}
    handed_in = collect(batch(tmp_path, files), NAME, (), CLASS)
    (doubt,) = handed_in.doubts
    assert doubt.startswith("kim.minsu: several attempts, and no telling which is later: ")
    assert "several notebooks" in read(handed_in.submissions[0])


def which_counts(paths, which="last", dates=None):
    """(what counts of one student's files, when it came, what does not, the doubts).

    In ``dates`` are the hours at which a zip says that files came.
    """
    account = Account()
    times = Times(account, Gradescope())
    for path, hour in (dates or {}).items():
        times.zip_times[tuple(path.split("/"))] = datetime(2026, 11, 28, hour)
    group = []
    for path in paths:
        parts = tuple(path.removesuffix("@").split("/"))
        found = Found(parts, lambda limit: b"", is_link=path.endswith("@"))
        group.append((found, owner_of(parts, NAME)))
    chosen = Attempts(which, times, account).chosen("kim", group)
    assert {(entry.student, entry.is_taken) for entry in account.entries} <= {("kim", False)}
    assert {entry.reason for entry in account.entries} <= {
        f"another attempt: the {which} one counts"
    }
    left = [entry.path for entry in account.entries]
    hour = chosen.time.hour if chosen.time else None
    return [file.path for file, _ in chosen.files], hour, left, account.doubts


ONE, TWO, THREE = (f"submission_{number}/x.ipynb" for number in (1001, 1002, 1003))
UNSURE = "kim: several attempts, and no telling which is later: "
GROUP = f"Group A-Kim_7{MOODLE}_/x.ipynb"
ALONE = f"Kim_8{MOODLE}_/x.ipynb"


@pytest.mark.parametrize(
    ("paths", "dates", "last", "first"),
    [
        # The platform's numbers, where no time is known, or not that of each, or twice the same.
        ([THREE, ONE, TWO], {}, ([THREE], None), ([ONE], None)),
        ([THREE, ONE], {ONE: 9}, ([THREE], None), ([ONE], 9)),
        ([ONE, THREE], {ONE: 9, THREE: 9}, ([THREE], 9), ([ONE], 9)),
        # Times say more than numbers.
        ([ONE, THREE], {ONE: 9, THREE: 8}, ([ONE], 9), ([THREE], 8)),
        ([ALONE, GROUP, ONE], {ALONE: 8, GROUP: 9, ONE: 7}, ([GROUP], 9), ([ONE], 7)),
        # All files of an attempt count, or none.
        (
            ["submission_1001/a.py", ONE, THREE, "submission_1003/b.py"],
            {},
            ([THREE, "submission_1003/b.py"], None),
            (["submission_1001/a.py", ONE], None),
        ),
        # The numbers that browsers add; of several files of an attempt the last one.
        (["kim (2).ipynb", "kim.ipynb"], {}, (["kim (2).ipynb"], None), (["kim.ipynb"], None)),
        (
            ["kim-m/x.ipynb", "kim-m/x (2).ipynb", "kim (1).ipynb"],
            {},
            (["kim-m/x.ipynb", "kim-m/x (2).ipynb"], None),
            (["kim (1).ipynb"], None),
        ),
    ],
)
def test_the_last_or_the_first_attempt_counts_and_the_others_get_a_line(paths, dates, last, first):
    for which, (files, hour) in (("last", last), ("first", first)):
        left = sorted(set(paths) - set(files))
        counts, when, not_taken, doubts = which_counts(paths, which, dates)
        assert (counts, when, sorted(not_taken), doubts) == (files, hour, left, [])


@pytest.mark.parametrize("which", ["last", "first"])
@pytest.mark.parametrize(
    ("paths", "dates", "hour"),
    [
        ([ALONE, GROUP], {}, None),
        ([ALONE, ONE], {}, None),  # numbers of two platforms cannot be compared
        # Nothing says that it was in time, so it came when the last of them came.
        ([ALONE, GROUP, f"Kim_9{MOODLE}_/x.ipynb"], {ALONE: 9, GROUP: 10}, 10),
        ([ALONE, GROUP, f"Kim_9{MOODLE}_/x.ipynb"], {ALONE: 10, GROUP: 8}, 10),
        ([ALONE, GROUP], {ALONE: 9, GROUP: 9}, 9),
    ],
)
def test_of_attempts_in_no_known_order_all_count_as_handed_in_at_the_latest_time(
    which, paths, dates, hour
):
    assert which_counts(paths, which, dates) == (paths, hour, [], [UNSURE + ", ".join(paths)])


def test_a_doubt_names_the_notebooks_of_the_attempts():
    beside = [f"Kim_7{MOODLE}_/a.py", f"Kim_8{MOODLE}_/b.py"]
    paths = [beside[0], f"Kim_7{MOODLE}_/m.ipynb", beside[1], ALONE]
    *_, doubts = which_counts(paths)
    assert doubts == [UNSURE + f"Kim_7{MOODLE}_/m.ipynb, {ALONE}"]
    assert which_counts(["kim@", ONE])[3] == [UNSURE + f"kim, {ONE}"]


@pytest.mark.parametrize("which", ["last", "first"])
def test_what_is_no_notebook_is_no_attempt_and_goes_with_the_one_that_counts(which):
    early, late = "submission_1000/report.pdf", "submission_1004/report.pdf"
    dates = {early: 7, ONE: 8, late: 9}
    for paths in ([early, ONE, late], [late, ONE, early]):
        assert which_counts(paths, which, dates) == ([ONE, *paths[::2]], 8, [], [])
    # Who has handed in nothing else has handed in that.
    assert which_counts([late], which, dates) == ([late], 9, [], [])
    # A folder that is a link could be the notebook's; a link further down is nothing.
    assert which_counts(["kim@", late], which, dates) == (["kim", late], None, [], [])
    link = "submission_1003/more@"
    assert which_counts([link, ONE], which, dates) == ([ONE, link.rstrip("@")], 8, [], [])


@pytest.mark.parametrize(
    ("names", "last", "first"),
    [
        # The same name again, to which Canvas has added a number.
        (["6001_x.ipynb", "6009_x-2.ipynb", "6005_x-1.ipynb"], [1], [0]),
        (["6009_x-2.ipynb", "6001_x.ipynb"], [0], [1]),
        # Another name is another file: which one counts is told by what is in it.
        (["6001_x.ipynb", "6009_y.ipynb", "6005_x-1.ipynb"], [1, 2], [0, 1]),
        # What lies beside the notebook is of no attempt.
        (["6001_a.py", "6009_a.py", "6002_x.ipynb"], [0, 1, 2], [0, 1, 2]),
    ],
)
def test_of_notebooks_of_one_name_canvas_has_the_last_or_the_first_counts(names, last, first):
    paths = [f"kim_12345_{name}" for name in names]
    for which, places in (("last", last), ("first", first)):
        left = [path for number, path in enumerate(paths) if number not in places]
        assert which_counts(paths, which) == ([paths[n] for n in places], None, left, [])


def test_notebooks_of_one_folder_are_one_attempt():
    paths = [f"kim/{NAME}/x.ipynb", f"kim/{NAME}/x (1).ipynb"]
    assert which_counts(paths) == (paths, None, [], [])


def test_times_of_handing_in(tmp_path):
    def times(files):
        path = batch(tmp_path / f"{len(files)} files", files)
        found = collect(path, NAME, ("02-other",), CLASS).submissions
        return {one.student: (one.time, one.is_late) for one in found}

    stamps = {
        f"am/{NAME}/x.ipynb": data(),
        f"am/{NAME}/timestamp.txt": b"2026-11-28 10:00:00.5 Asia/Seoul\n",
        f"lee/{NAME}/x.ipynb": data(),
        f"lee/{NAME}/timestamp.txt": b"soon",
    }
    assert times(LAYOUTS["nbgrader's"])["lee"] == (datetime(2026, 11, 28, 10), False)
    assert times({**stamps, **LAYOUTS["Gradescope's"]}) == {
        "am": (datetime(2026, 11, 28, 12), False),  # the later one counts
        "lee": (datetime(2026, 11, 28, 12), False),
        "kim.minsu": (datetime(2026, 11, 28, 10, 30), False),
    }
    (tmp_path / "c").mkdir()
    late = {one.student: one for one in collect(as_folder(tmp_path / "c"), NAME, (), CLASS)[0]}
    assert late["am"].is_late
    assert late["am"].notes == ("marked as late by the learning platform",)
    assert not late["kim.minsu"].is_late


def as_folder(root):
    return batch(root, LAYOUTS["Canvas'"])


@pytest.fixture
def in_seoul(monkeypatch):
    """This machine's time is that of Seoul, nine hours before UTC."""
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


needs_zones = pytest.mark.skipif(not hasattr(time, "tzset"), reason="the system has no tzset")


@needs_zones
def test_times_without_a_zone_are_those_of_this_machine(tmp_path, in_seoul):
    assert time_of("2026-11-28 10:00:00") == datetime(2026, 11, 28, 1)
    assert time_of("2026-11-28 10:00:00 +0000") == datetime(2026, 11, 28, 10)
    assert time_of("2026-11-28T10:00:00.123Z") == datetime(2026, 11, 28, 10)
    assert time_of("yesterday") is None
    form = {one: LAYOUTS["Blackboard's"][one] for one in LAYOUTS["Blackboard's"]}
    (kim,) = [
        one for one in collect(batch(tmp_path, form), NAME, (), CLASS)[0] if one.student == KIM.id
    ]
    assert kim.time == datetime(2026, 11, 28, 1)
    path = f"{ATTEMPT}-10-00-00.txt"
    assert kim.notes == (f"written in Blackboard's form ({path}): Task 2 is on paper.",)


@needs_zones
def test_dates_of_a_zip_count_unless_they_say_when_it_was_made(tmp_path, in_seoul):
    files = {"kim.minsu.ipynb": data(), "am.ipynb": data()}
    at = {"kim.minsu.ipynb": (2026, 11, 27, 9, 0, 0), "am.ipynb": (2026, 11, 28, 10, 0, 0)}
    found = collect(batch(tmp_path, files, packed=True, dates=at), NAME, (), CLASS).submissions
    assert {one.student: one.time for one in found} == {
        "kim.minsu": datetime(2026, 11, 27),
        "am": datetime(2026, 11, 28, 1),
    }
    at["kim.minsu.ipynb"] = (2026, 11, 28, 9, 30, 0)
    found = collect(batch(tmp_path, files, packed=True, dates=at), NAME, (), CLASS).submissions
    assert {one.time for one in found} == {None}
    at = {"kim.minsu.ipynb": (1980, 1, 1, 0, 0, 0), "am.ipynb": (2026, 11, 28, 10, 0, 0)}
    found = collect(batch(tmp_path, files, packed=True, dates=at), NAME, (), CLASS).submissions
    assert {one.time for one in found} == {None}  # 1980 stands where a program gave no date


def test_lines_of_other_batches_stay_in_the_table(tmp_path):
    table = tmp_path / "handed-in.csv"
    for batch_, student in (("one", "am"), ("two", "=lee"), ("one", "kim"), ("two", "=lee")):
        files = collect(batch(tmp_path / batch_ / student, {f"{student}.ipynb": data()}), NAME)
        entries = files.submissions[0].read(NAME, IDS).entries
        write_entries(table, batch_, entries)
    text = table.read_text(encoding="utf-8-sig")
    assert text.splitlines() == [
        "batch,entry,student,taken,reason,handed_in",
        "one,am.ipynb,am,yes,the notebook that counts,",
        "one,kim.ipynb,kim,yes,the notebook that counts,",
        "two,'=lee.ipynb,_lee,yes,the notebook that counts,",
    ]


def test_names_without_their_accents_are_the_same_name():
    """Moodle has them, Canvas and file systems may not, in the roster or in the file's name."""
    muller = Student("m", "Anne Muller")
    for finder in (Finder([muller]), Finder([Student("m", "Änne Müller")])):
        for name in ("Müller, Änne", "Muller_ Anne", "A\u0308nne Mu\u0308ller", "annemuller"):
            assert finder.find([name]).student.id == "m"
    assert Finder([muller]).find(["Müler, Änne"]).students == ()


def test_an_address_is_known_by_its_first_part_unless_somebody_is_called_so():
    kim = Student("s1", "Kim Minsu", "mk77@example.org")
    assert Finder([kim]).find(["mk77"]).student is kim
    assert Finder([kim]).find(["MK77@example.org"]).student is kim
    assert Finder([kim]).find_sure("mk77") is None
    lee = Student("mk77", "Lee Jiwoo")
    assert Finder([kim, lee]).find(["mk77"]).student is lee


MINSU = Student("s1", "Kim Minsu", "mk77@example.org", "20261", ("min.su", "A-9"))
JOSE = Student("s2", "José María de la Cruz Núñez", "jose@example.org", "20262")
HINDI = Student("s3", "हिन्दी", "", "20263")
SEO = Student("s4", "서지우", "", "20264")
PEOPLE = (MINSU, JOSE, HINDI, SEO)


@pytest.mark.parametrize(
    ("names", "numbers", "found"),
    [
        # What is sure: id, address, number and other names, with other capitals and signs.
        (["S1"], [], MINSU),
        (["MK77@Example.org "], [], MINSU),
        (["mk77 example org"], [], MINSU),
        (["20261"], [], MINSU),
        (["MIN.SU"], [], MINSU),
        (["min su"], [], MINSU),
        (["a9"], [], MINSU),
        # Names in each order of their words, however they are written.
        (["Minsu Kim"], [], MINSU),
        (["KIM, Minsu"], [], MINSU),
        (["\uff2b\uff29\uff2d minsu"], [], MINSU),  # as wide as Korean letters
        (["Núñez, José María de la Cruz"], [], JOSE),
        (["cruz nunez jose maria de la"], [], JOSE),
        (["María José de la Cruz Núñez"], [], None),
        (["हिन्दी"], [], HINDI),
        (["हनद"], [], None),  # its letters without their marks are another word
        (["서지우"], [], SEO),
        (["지우 서"], [], SEO),
        (["\u1109\u1165\u110c\u1175\u110b\u116e"], [], SEO),  # as macOS writes it
        (["우지서"], [], None),
        # The numbers of the platform count before all names, the first one first.
        (["Kim Minsu"], ["20262"], JOSE),
        (["Kim Minsu"], ["99999", " 20262 "], JOSE),
        ([], ["20264", "20262"], SEO),
        (["Kim Minsu"], ["99999"], MINSU),
        ([], ["mk77"], None),
        # Of two names the likelier one; but what is sure before what is likely.
        (["Kim Minsu", "서지우"], [], MINSU),
        (["서지우", "Kim Minsu"], [], SEO),
        (["서지우", "s1"], [], MINSU),
        (["mk77", "서지우"], [], SEO),
        (["nobody", "mk77"], [], MINSU),
        (["", "- "], [], None),
    ],
)
def test_students_are_found_by_what_is_sure_before_what_is_likely(names, numbers, found):
    match = Finder(PEOPLE).find(names, numbers)
    assert (match.student, match.is_guess) == (found, False)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("hw1_kim_minsu_final", [MINSU]),
        ("hw1 minsu kim", [MINSU]),
        ("final-20261-x", [MINSU]),
        ("report of mk77 example org", [MINSU]),
        ("과제 서지우", [SEO]),
        ("과제 서", []),
        # A name of as many words as six stands in the name of a file.
        ("01 José María de la Cruz Núñez final", [JOSE]),
        ("01 nunez jose maria de la cruz", [JOSE]),
        ("x jose maria x de la cruz nunez", []),
        # Whose it is, if two are named, nothing tells.
        ("kim minsu and 서지우", [MINSU, SEO]),
        ("hw1", []),
    ],
)
def test_a_name_within_a_files_name_is_a_guess(name, found):
    match = Finder(PEOPLE).find([name])
    assert (list(match.students), match.is_guess) == (found, bool(found))
    assert match.student == (found[0] if len(found) == 1 else None)


@pytest.mark.parametrize(
    ("called", "name", "is_found"),
    [
        ("leeah", "hw leeah", True),  # five letters
        ("leea", "hw leea", False),
        ("le ea", "hw le ea", True),  # of two words any
        ("12345", "hw 12345", True),
        ("1234", "hw 1234", False),
        ("지우", "hw 지우", True),
        ("지", "hw 지", False),
        ("éé", "hw éé", True),
        ("a b c d e f", "hw a b c d e f x", True),
        ("a b c d e f g", "hw a b c d e f g x", False),
        ("leeah", "x " * 23 + "leeah", True),
        ("leeah", "x " * 24 + "leeah", False),
    ],
)
def test_how_short_a_name_within_a_files_name_may_be(called, name, is_found):
    assert bool(Finder([Student("s1", called)]).find([name]).students) is is_found


def test_the_first_name_that_holds_a_students_name_tells():
    finder = Finder(PEOPLE)
    assert finder.find(["hw1", "hw1 kim minsu", "hw1 서지우"]).students == (MINSU,)


def test_who_cannot_be_told_apart_is_all_of_them_unless_another_name_tells():
    one, two = Student("kim1", "김민수", "", "20261"), Student("kim2", "김민수", "", "20262")
    lees = Student("lee1", "Lee Jiwoo"), Student("lee2", "Lee Jiwoo")
    finder = Finder([one, two, *lees])
    assert finder.find(["김민수"]) == ((one, two), False)
    assert finder.find(["김민수", "Lee Jiwoo", "nobody"]) == ((one, two), False)
    assert finder.find(["김민수", "kim2"]).student is two
    assert finder.find(["김민수"], ["20261"]).student is one
    # A number of two students is neither's, whatever the names say.
    same = Finder([replace(one, lms_id="20262"), two])
    assert [student.id for student in same.find(["kim1"], ["20262"]).students] == ["kim1", "kim2"]
    assert same.find_sure("20262") is None
    assert same.find_sure(" KIM1 ").id == "kim1"


def test_a_number_of_few_digits_in_a_files_name_is_no_student():
    few, enough = Student("123", "Kim Minsu"), Student("1234", "Lee Jiwoo")
    finder = Finder([few, enough])
    assert finder.find(["123"]).students == ()
    assert finder.find(["1234"]).student is enough
    assert finder.find([], numbers=["123"]).student is few  # here the platform says whose it is


def test_the_folder_tells_whose_a_file_is_before_the_file_does(tmp_path):
    """A file called like somebody is not that student's."""
    files = {"Änne Müller/lee.ipynb": data("anne"), "Änne Müller/src/lee.py": b"x = 1"}
    files |= {"Anybody/y.ipynb": data("y"), "Anybody/lee.py": b"x = 1"}
    assert answers(batch(tmp_path, files)) == {"am": "anne", "Anybody": "y"}
    deep = {"submissions/kim.minsu/x.ipynb": data("kim"), "submissions/이지우.ipynb": data("lee")}
    assert answers(batch(tmp_path / "deep", deep)) == {"kim.minsu": "kim", "lee": "lee"}


def test_copies_are_known_by_what_programs_add():
    for name in (
        "Copy of x",
        "x (1)",
        "Kopie von x (2)",
        "x - Copy",
        "x의 사본",
        "x 의 사본",
        " x (1) (2)",
    ):
        assert without_copies(name) == "x"
    assert without_copies("(1)") == "(1)"
    assert owner_of(["hw_2024_11_x.ipynb"], NAME).names[0] == "hw"
    assert owner_of(["ann", "hw_2024_11_x.ipynb"], NAME).key == "ann"


def test_a_batch_of_the_same_name_takes_no_line_of_who_is_not_in_it(tmp_path):
    """The next download is called like the last one, and may be another section's."""
    table = tmp_path / "handed-in.csv"

    def write(entries):
        write_entries(table, "batch.zip", entries)
        return [(entry.path, entry.reason) for entry in read_entries(table)]

    pdf = Entry("lee.pdf", "lee", False, "a PDF")
    nobodys = Entry("scan.pdf", "", False, "a PDF")
    assert write(
        [Entry("am.ipynb", "am", True, COUNTS), pdf, nobodys, Entry("", "kim", False, NOTHING)]
    )
    assert write([Entry("kim.ipynb", "kim", True, COUNTS)]) == [
        ("am.ipynb", COUNTS),
        ("kim.ipynb", COUNTS),
        ("lee.pdf", "a PDF"),
    ]
    assert write([Entry("new.ipynb", "am", True, COUNTS)]) == [
        ("kim.ipynb", COUNTS),
        ("lee.pdf", "a PDF"),
        ("new.ipynb", COUNTS),
    ]


def test_of_some_students_alone_the_lines_are_written_anew(tmp_path):
    table = tmp_path / "handed-in.csv"
    when = datetime(2026, 11, 28, 9, 8, 7)
    first = [Entry("am.ipynb", "am", True, COUNTS, when), Entry("", "lee", False, NOTHING)]
    write_entries(table, "one", [*first, Entry("", "kim", False, NOTHING)])
    write_entries(table, "two", [Entry("kim.ipynb", "kim", True, COUNTS)], only=["kim"])
    later = [Entry("am2.ipynb", "am", True, COUNTS), Entry("x.pdf", "", False, "a PDF")]
    write_entries(table, "one", [*later, Entry("kim.pdf", "kim", False, "a PDF")], only=["kim"])
    assert table.read_text(encoding="utf-8-sig").splitlines() == [
        "batch,entry,student,taken,reason,handed_in",
        f"one,am.ipynb,am,yes,{COUNTS},2026-11-28 09:08:07 UTC",
        "one,kim.pdf,kim,no,a PDF,",
        f"two,kim.ipynb,kim,yes,{COUNTS},",  # of another batch it stays
        f",,lee,no,{NOTHING},",
    ]
    # Without them all lines of the assignment itself are new, and those of the batch's students.
    write_entries(table, "one", [Entry("am3.ipynb", "am", True, COUNTS)])
    assert read_entries(table) == [
        Entry("am3.ipynb", "am", True, COUNTS),
        Entry("kim.pdf", "kim", False, "a PDF"),
        Entry("kim.ipynb", "kim", True, COUNTS),
    ]


@pytest.mark.parametrize(
    "text",
    [None, b"", b"\xff\xfe", b"entry,student\nx,am\n", b"batch;entry\n"],
)
def test_what_is_no_table_of_what_was_handed_in_says_nothing(tmp_path, text):
    path = tmp_path / "handed-in.csv"
    if text is not None:
        path.write_bytes(text)
    assert read_entries(path) == []
    path.write_text(
        "batch,entry,student,taken,reason,handed_in\nx,y\na,b,c,yes,d,e\na,b,c,Yes,d,e\n"
    )
    assert read_entries(path) == [Entry("b", "c", True, "d"), Entry("b", "c", False, "d")]


@needs_zones
@pytest.mark.parametrize("place", ["", "week 3/", f"{NAME}/archive/"])
def test_a_platforms_zip_in_a_folder_is_the_platforms(tmp_path, place, in_seoul):
    """Its names, attempts and dates count; those in a student's own zip do not."""
    canvas = LAYOUTS["Canvas'"]
    moodle = {
        f"Minsu Kim_98{MOODLE}_/{NAME}.ipynb": data("kim"),
        f"Änne Müller_99{MOODLE}_/{NAME}.ipynb": data("anne"),
    }
    dates = {path: (2026, 11, 20 + number, 9, 0, 0) for number, path in enumerate(moodle)}
    for number, files in enumerate((canvas, moodle)):
        zipped = {f"{place}submissions.zip": as_zip(files, dates)}
        path = batch(tmp_path / str(number), zipped)
        assert answers(path) == {"kim.minsu": "kim", "am": "anne"} | (
            {"lee": "lee"} if files is canvas else {}
        )
        assert len(lines(path)) == len(files)
        if files is canvas:
            assert set(answers(path, ())) == {stem(name) for name in files}
        else:
            times = [one.time for one in collect(path, NAME, (), CLASS).submissions]
            assert times == [datetime(2026, 11, 21, 0), datetime(2026, 11, 20, 0)]
    own = {"data_1_2_x.ipynb": data("mine")}
    path = batch(tmp_path / "own", {"guest.zip": as_zip(own)})
    assert answers(path, ()) == {"guest": "mine"}


def stem(name):
    return name.removesuffix(".ipynb")


# --- what becomes of a whole batch ---------------------------------------------------------------


def told(path, roster=CLASS, **options):
    return collect(path, NAME, ("02-other",), roster, **options)


def test_strangers_and_doubts_are_told_after_what_was_left(tmp_path):
    names = [f"stranger {chr(ord('a') + n)}" for n in range(21)]
    files = {f"{name}.ipynb": data(name) for name in names} | {"x.pdf": b"%PDF"}
    files["hw1_minsu_kim_final.ipynb"] = data("kim")
    files["Stranger A (1).ipynb"] = data("again")
    handed_in = told(batch(tmp_path, files))
    listed = ", ".join(["Stranger A _1_", *names[:19]])
    assert handed_in.words() == [
        "not taken, a PDF: x.pdf",
        f"not in the roster: {listed}, and 2 more",
        "hw1_minsu_kim_final.ipynb: taken for kim.minsu's by a part of its name",
        "Stranger A _1_ and stranger a: could be two attempts of one student",
    ]
    assert [one.student for one in handed_in.submissions] == sorted(
        [*names, KIM.id, "Stranger A _1_"]
    )


@pytest.mark.parametrize(
    ("files", "left"),
    [
        # Of nbgrader's two copies the one that was handed in counts, if it is there.
        (["archive/am.ipynb", "extracted/am/x.ipynb"], ["extracted/am/x.ipynb"]),
        (["extracted/am/x.ipynb"], []),
        (
            [f"{NAME}/archive/am.ipynb", f"{NAME}/extracted/am.ipynb"],
            [f"{NAME}/extracted/am.ipynb"],
        ),
        ([f"{NAME}/extracted/am.ipynb"], []),
    ],
)
def test_what_nbgrader_has_collected_is_the_students_by_its_name_below(tmp_path, files, left):
    path = batch(tmp_path, {name: data("anne") for name in files})
    assert answers(path) == {"am": "anne"}
    assert {entry.path: entry.reason for entry in told(path).entries} == dict.fromkeys(
        left, "a copy that nbgrader has unpacked: archive/ counts"
    )


def test_what_nbgrader_has_collected_of_another_assignment_is_left_out(tmp_path):
    files = {
        "02-other/archive/02-other.ipynb": data("no"),
        "kim.minsu+02-other+2026-11-28 10:00:00 UTC/02-other.ipynb": data("no"),
        "am/02-other.zip": as_zip({"x.ipynb": data("no")}),
        "am/x.ipynb": data("anne"),
    }
    path = batch(tmp_path, files)
    assert answers(path) == {"am": "anne"}
    assert {entry.path: entry.reason for entry in told(path).entries} == dict.fromkeys(
        [*list(files)[:2], "am/02-other.zip/x.ipynb"], OTHERS
    )


@pytest.mark.parametrize("roster", [CLASS, ()])
@pytest.mark.parametrize("kind", ["archive", "extracted"])
def test_of_a_folder_of_all_that_nbgrader_has_collected_one_assignment_counts(
    tmp_path, kind, roster
):
    """Of the others neither files nor copies, and no student who is called like an assignment."""
    files = {f"{NAME}/{kind}/am.ipynb": data("anne"), "archive": b"a file"}
    files |= {f"02-other/{one}/am.ipynb": data("no") for one in ("archive", "extracted")}
    path = batch(tmp_path, files)
    assert answers(path, roster) == {"am": "anne"}
    assert {entry.path: entry.reason for entry in told(path, roster).entries} == {
        "02-other/archive/am.ipynb": OTHERS,
        "02-other/extracted/am.ipynb": OTHERS,
        "archive": "not a notebook",
    }


def test_who_hands_in_no_notebook_is_told_what_it_was_instead(tmp_path):
    few = {f"am/{n}.pdf": b"%PDF" for n in range(5)}
    many = {f"kim.minsu/{n}.docx": b"" for n in range(7)}
    (am, kim) = told(batch(tmp_path, few | many)).submissions
    listed = ", ".join(f"{n}.pdf (a PDF)" for n in range(5))
    assert am.problem == f"no notebook was handed in, but {listed}"
    listed = ", ".join(f"{n}.docx (an Office document)" for n in range(5))
    assert kim.problem == f"no notebook was handed in, but {listed} and 2 more"
    assert (am.origin, kim.origin) == (
        "am/0.pdf, am/1.pdf, am/2.pdf",
        "kim.minsu/0.docx, kim.minsu/1.docx, kim.minsu/2.docx",
    )
    files = {"lee/a.pdf": b"%PDF", **{f"lee/{n}.ipynb": data() for n in range(4)}}
    (lee,) = told(batch(tmp_path / "lee", files)).submissions
    assert (lee.problem, lee.origin) == ("", "lee/0.ipynb, lee/1.ipynb, lee/2.ipynb")


def test_late_is_noted_where_no_time_says_it(tmp_path):
    files = {f"mulleranne_LATE_23456_6002_{NAME}.ipynb": data(), "kim.minsu/x.ipynb": data()}
    files["mulleranne_23456_6001_a.py"] = b"x = 1"  # this one was in time
    dates = {"kim.minsu/x.ipynb": (2026, 11, 27, 10, 0, 0)}
    late = ("marked as late by the learning platform",)
    for given, notes in (({}, late), (dates, ())):
        am, kim = told(batch(tmp_path, files, packed=True, dates=given)).submissions
        assert (am.is_late, am.notes, bool(am.time)) == (True, notes, not notes)
        assert (kim.is_late, kim.notes) == (False, ())


def test_a_group_of_whom_one_is_unknown_is_the_others(tmp_path):
    text = METADATA.replace("Jiwoo Lee", "Somebody Else").replace("'34567'", "'9'")
    files = {"submission_metadata.yml": text.encode(), "submission_1002/y.ipynb": data("both")}
    handed_in = told(batch(tmp_path, files))
    assert [one.student for one in handed_in.submissions] == ["am"]
    assert [(entry.path, entry.reason) for entry in handed_in.entries] == [
        ("submission_metadata.yml", "says when it was handed in")
    ]
    # Twice the same student is one.
    text = METADATA.replace("Jiwoo Lee", "Änne Müller").replace("'34567'", "'23456'")
    files["submission_metadata.yml"] = text.encode()
    assert answers(batch(tmp_path, files)) == {"am": "both"}
    # Where nothing says whose it is, it is nobody's of the roster.
    files["submission_metadata.yml"] = b"--- {}"
    assert answers(batch(tmp_path, files)) == {"submission_1002": "both"}


def test_a_batch_may_be_one_notebook(tmp_path):
    path = batch(tmp_path, {"kim.minsu.ipynb": data("kim"), "kim.txt": b"x", "x.ipynb/": b""})
    assert answers(path / "kim.minsu.ipynb") == {"kim.minsu": "kim"}
    with pytest.raises(
        Unreadable, match=r"kim\.txt is neither a folder, nor a zip, nor a notebook$"
    ):
        told(path / "kim.txt")
    assert answers(path / "x.ipynb") == {}
    with pytest.raises(Unreadable, match=r"there is nothing at .*gone$"):
        told(path / "gone")


def test_the_folder_that_a_zip_was_made_of_is_nobodys(tmp_path):
    files = {"class/am.ipynb": data("anne"), "class/kim.minsu.ipynb": data("kim")}
    path = batch(tmp_path, {**files, "readme.pdf": b"%PDF"}, packed=True)
    assert answers(path, ()) == {"am": "anne", "kim.minsu": "kim"}
    # It is dropped from a zip alone: a folder is named by whoever grades.
    assert set(answers(batch(tmp_path / "b", files), ())) == {"class"}


def test_a_link_at_the_top_is_a_students_folder_that_cannot_be_read(tmp_path):
    path = batch(tmp_path, {"am/x.ipynb": data("anne"), "elsewhere/x.ipynb": data("no")})
    (path / "elsewhere").rename(tmp_path / "elsewhere")
    (path / "guest").symlink_to(tmp_path / "elsewhere")
    (path / "am" / "more").symlink_to(tmp_path / "elsewhere")
    assert answers(path) == {
        "am": "anne",
        "guest": "Unreadable: a link to a folder: links are not followed",
    }


def test_without_a_roster_a_folder_is_a_students_if_the_layout_says_so(tmp_path):
    moodle = f"Minsu Kim_98{MOODLE}_"
    files = {f"{moodle}/a.pdf": b"%PDF", f"guest/{NAME}/a.pdf": b"%PDF", "other/a.pdf": b"%PDF"}
    handed_in = told(batch(tmp_path, {**files, f"{moodle}_b.pdf": b"%PDF"}), ())
    assert [one.student for one in handed_in.submissions] == [moodle, "guest"]
    assert [entry.path for entry in handed_in.entries] == [f"{moodle}_b.pdf", "other/a.pdf"]
    assert handed_in.strangers == []
