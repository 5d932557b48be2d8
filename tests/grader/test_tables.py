"""What is written of a class, to the letter: tables, lists and lines of a batch."""

import base64
import zipfile
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from grader.batch import digest, report, statistics, to_platforms
from grader.batch.likeness import Alike, alike, forms_of, identical
from grader.batch.recorder import Lost
from grader.batch.statistics import Mistake, OneTest, statistics_of
from grader.batch.store import Store
from grader.batch.summary import Summary, summarise
from grader.batch.tables import write_marks
from grader.batch.to_do import ToDo, to_do, words, write_to_do
from grader.cells import Cell
from grader.gradebook.feedback import page_path
from grader.gradebook.marks import Marks
from grader.intake.entries import COUNTS, Entry, write_entries
from grader.intake.rebuild import NOTHING_ANSWERED
from grader.intake.roster import Student, roster_path, write_roster
from helpers.language import ENGLISH

NAME = "01-small"
MARK = "\ufeff"  # by which Excel knows the encoding


def record(student, **changed):
    made = {
        "student": student,
        "key": f"key of {student}",
        "score": 3.0,
        "max_score": 10.0,
        "outcome": "graded",
        "flagged": "",
        "seconds": 1.25,
        "tests": {"one": 1.0, "two": 2.0},
        "diagnoses": [],
        "notes": [],
        "answers": {},
    }
    assert changed.keys() <= made.keys()
    return {**made, **changed}


def read(path):
    return path.read_bytes().decode("utf-8")


def test_the_table_of_an_assignment(tmp_path):
    marks = {
        "zoe": Marks(10.0, 3.0, 2.5, 1.0, 0.5, 1.256, {"two": 2.0, "one": 1.0}, ["why", "how"]),
        "ann": Marks(10.0, 0.5, tests={"one": 0.5}),
    }
    report.write_table(marks, [record("zoe", flagged="=odd")], ["one", "two"], tmp_path / "t.csv")
    assert read(tmp_path / "t.csv") == (
        "student,score,max_score,outcome,flagged,seconds,"
        "by_hand,extra_credit,late_penalty,total,late_days,open,one,two\n"
        "ann,0.5,10,,,,0,0,0,0.5,0,0,0.5,0\n"
        "zoe,3,10,graded,'=odd,1.25,2.5,1,0.5,6,1.26,2,1,2\n"
    )


def test_the_line_of_a_submission():
    made = record("ann", score=1.5, seconds=0.44, notes=["one", "two", "three", "four"])
    assert report.line(made) == "ann: 1.5 of 10, 0.4 s, graded; one; two; three; and 1 more"
    made = record("ann", outcome="cell timeout", flagged="it lied")
    assert report.line(made) == (
        "ann: 3 of 10, 1.2 s, cell timeout; for a person to look at: it lied"
    )
    assert report.line(Lost("ann", "OSError()")) == "ann: NOT GRADED: OSError()"


def test_what_a_summary_counts():
    records = [
        record("ann", score=0.99, tests={"one": 0.0, "two": 0.5}, diagnoses=["a", "b"]),
        record("bob", score=1.0, tests={"one": 0.0, "two": 0.0}, diagnoses=["a"]),
        record("cat", score=10.0, flagged="look"),
        record("dan", score=10.5, outcome="unreadable"),
    ]
    assert summarise(records, 10.0) == Summary(
        shares=[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2],
        outcomes={"graded": 3, "unreadable": 1},
        failed={"one": 2, "two": 1},
        diagnoses={"a": 2, "b": 1},
        flagged=["cat"],
    )
    assert summarise(records, 0.0).shares == [4, *[0] * 10]  # an assignment without tests


def test_a_summary_on_the_screen():
    summary = summarise(
        [
            record("ann", score=0.0, tests={f"t{n}": 0.0 for n in range(9)}, outcome="unreadable"),
            *(record(f"s{n}", score=7.0, tests={"t1": n - 1.0}, flagged="x") for n in (1, 2)),
        ],
        7.0,
    )
    long = "The filter is turned by half a turn, which is what a convolution does in mathematics,"
    summary.diagnoses.update(
        {f"{long} and not here.": 3, "b": 2, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1}
    )
    empty = " " * 40
    assert report.summary_text(summary).split("\n") == [
        *("", "Scores (share of all points, without written parts)"),
        f"     0–9 %  {'█' * 20}{' ' * 20} 1",
        *(f"   {10 * n}–{10 * n + 9} %  {empty} 0" for n in range(1, 10)),
        f"     100 %  {'█' * 40} 2",
        *("", "Outcomes", "      2  graded", "      1  unreadable"),
        *("", "Tests failed most", "      2  t1", "      1  t0"),
        *(f"      1  t{n}" for n in range(2, 8)),
        *("", "Misconceptions diagnosed most"),
        *(f"      3  {long}", "         and not here."),
        *("      2  b", "      1  c", "      1  d", "      1  e", "      1  f"),
        *("", "For a person to look at: s1, s2"),
    ]
    assert report.summary_text(Summary()).split("\n") == [
        *("", "Scores (share of all points, without written parts)"),
        f"     0–9 %  {empty} 0",
        *(f"   {10 * n}–{10 * n + 9} %  {empty} 0" for n in range(1, 10)),
        f"     100 %  {empty} 0",
        *("", "Outcomes"),
    ]


def place_of(student):
    return f"grading/autograded/{student}/{NAME}/{NAME}.ipynb"


def test_all_that_is_open_by_kind_and_student():
    marks = {name: Marks(10.0) for name in ("zoe", "ann", "bob", "cat", "dan", "eve", "fay")}
    marks["ann"].open = ["why", "how"]
    marks["zoe"].open = ["why"]
    marks["bob"].is_flagged = True  # in formgrader, by a person
    several = "a.ipynb counts, of several: b.ipynb"
    records = [
        record("zoe", flagged="it lied"),
        record("cat", outcome="unreadable", notes=["it is cut off", "it is long"]),
        record("dan", outcome="not judged", key="same", answers={"one": ("x", 60)}),
        record("eve", outcome="not recorded", key="same", answers={"one": ("x", 60)}),
        record("ann", notes=[NOTHING_ANSWERED], answers={"one": ("y", 60), "two": ("z", 1)}),
        record("bob", notes=["a note", several], answers={"one": ("y", 60), "two": ("w", 1)}),
        record("gone", outcome="unreadable", key="same", answers={"one": ("y", 60)}),
    ]
    roster = [Student(name, name) for name in ("ann", "bob", "cat", "dan", "eve", "zoe", "yan")]
    entries = [
        Entry("ann/right.ipynb", "ann", True, COUNTS),
        Entry("ann/wrong.ipynb", "ann", False, COUNTS),
        Entry("ann/data.csv", "ann", True, "beside"),
    ]
    assert to_do(NAME, marks, records, roster, entries) == [
        ToDo(student, what, more, place_of(student), "ann/right.ipynb" if student == "ann" else "")
        for student, what, more in (
            ("ann", "mark by hand", "why, how"),
            ("zoe", "mark by hand", "why"),
            ("bob", "look at it: it is flagged", ""),
            ("zoe", "look at it: it is flagged", "it lied"),
            ("cat", "could not be graded", "unreadable; it is cut off; it is long"),
            ("dan", "could not be graded", "not judged"),
            ("eve", "could not be graded", "not recorded"),
            ("ann", "nothing is answered", ""),
            ("fay", "not in the roster", ""),
            ("bob", "several notebooks", several),
            ("dan", "the same answers, to the letter", "with eve"),
            ("eve", "the same answers, to the letter", "with dan"),
            ("ann", "answers alike but for names and comments (a hint, no proof)", "with bob: one"),
            ("bob", "answers alike but for names and comments (a hint, no proof)", "with ann: one"),
        )
    ]
    assert (
        to_do(NAME, {"fay": Marks(10.0)}, [], [], []) == []
    )  # without a roster none is a stranger


def test_what_is_open_in_a_table_and_on_the_screen(tmp_path):
    found = [ToDo(f"s{n}", "mark by hand", "why", "place", "a.ipynb") for n in range(9)]
    found += [ToDo("=김", "several notebooks", "=x"), ToDo("=김", "several notebooks", "y")]
    write_to_do(tmp_path / "open.csv", found[8:])
    assert read(tmp_path / "open.csv") == (
        f"{MARK}student,what,more,graded,handed_in\ns8,mark by hand,why,place,a.ipynb\n"
        "'=김,several notebooks,'=x,,\n'=김,several notebooks,y,,\n"
    )
    assert words(found) == [
        "mark by hand: s0, s1, s2, s3, s4, s5, s6, s7, and 1 more",
        "several notebooks: =김",
    ]


def test_one_table_of_all_assignments(tmp_path):
    roster = [Student("zoe", "Zoë", "zoe@example.org"), Student("ann", "=Ann")]
    write_roster(roster_path(tmp_path), roster)
    marks = {
        "01-a": {
            "ann": Marks(10.0, 3.0, 1.5, 0.25, 0.125, 1.256, open=["why", "how"]),
            "yan": Marks(10.0, 1 / 3),
            "bob": Marks(10.0, 2.0),
        },
        "02-b": {"ann": Marks(5.0, 5.0)},
    }
    path = write_marks(tmp_path, marks)
    assert path == tmp_path / "grading" / "marks.csv"
    assert read(path).split("\r\n") == [
        f"{MARK}student,name,email,01-a,02-b,"
        "01-a by hand,01-a late,01-a open,02-b by hand,02-b late,02-b open",
        "zoe,Zoë,zoe@example.org,,,,,,,,",
        "ann,'=Ann,,4.625,5,1.75,1.26,2,0,0,0",
        "bob,,,2,,0,0,0,,,",
        "yan,,,0.3333,,0,0,0,,,",
        "",
    ]


def a_book(root=None):
    """What statistics and platforms ask of a gradebook: two tests of an assignment."""

    def test_cell(claim, points):
        return SimpleNamespace(source=claim, metadata=SimpleNamespace(nbgrader={"points": points}))

    known = {"one": test_cell("#  It adds.\nassert 1", 2), "two": test_cell("assert 2", 0.5)}
    skeleton = SimpleNamespace(test_ids=["one", "two"])
    return SimpleNamespace(root=root, assignment=NAME, known=known, skeleton=skeleton)


def test_what_a_class_made_of_each_test():
    scores = {"ann": (2.0, 0.5), "bob": (1.0, 0.5), "cat": (0.0, 0.0), "dan": (2.0, 0.0)}
    marks = {
        name: Marks(2.5, tests=dict(zip(("one", "two"), both, strict=True)))
        for name, both in scores.items()
    }
    marks["eve"] = Marks(2.5)
    records = [record(name, diagnoses=["b", "a"] if name < "c" else ["a"]) for name in scores]
    records += [record("eve", tests={}, diagnoses=["c"]), record("gone", diagnoses=["c"])]
    tests, mistakes = statistics_of(a_book(), marks, records)
    # (2, 1, 0, 2) with (½, ½, 0, 0): covariance 1/16, variances 11/16 and 1/16, over 4.
    related = pytest.approx(1 / 11**0.5)
    assert tests == [
        OneTest("one", "It adds.", 2.0, 4, 2, 0.625, related),
        OneTest("two", "assert 2", 0.5, 4, 2, 0.5, related),
    ]
    assert [test.share for test in tests] == [0.5, 0.5]
    assert mistakes == [Mistake("a", 4), Mistake("b", 2)]


@pytest.mark.parametrize("number", [0, 1])
def test_of_one_or_nobody_no_test_tells_anything(number):
    marks = {"ann": Marks(2.5, tests={"one": 2.0})}
    tests, mistakes = statistics_of(a_book(), marks, [record("ann")][:number])
    assert tests == [
        OneTest("one", "It adds.", 2.0, number, number, float(number), None),
        OneTest("two", "assert 2", 0.5, number, 0, 0.0, None),
    ]
    assert [test.share for test in tests] == [number, 0.0]
    assert mistakes == []


def test_the_tables_and_the_page_of_statistics(tmp_path, monkeypatch):
    book = a_book(tmp_path)
    drawn = []
    monkeypatch.setattr(statistics, "_svg", lambda figure: drawn.append(figure) or "data:,x")
    monkeypatch.setattr(statistics, "marks_of_class", lambda book: marks)
    marks = {
        "ann": Marks(2.5, 2.5, 1.25, tests={"one": 2.0, "two": 0.5}),
        "bob": Marks(2.5, 1.0, tests={"one": 1.0}),
        "cat": Marks(2.5, 0.5, tests={"two": 0.0}),
        "dan": Marks(0.0),
    }
    store = Store(tmp_path / "grading" / NAME)
    for name in ("ann", "bob", "cat"):
        store.record(record(name, diagnoses=["=a <b>"] if name > "b" else []))
    paths = statistics.write_statistics(book)
    assert paths == [store.folder / n for n in ("tests.csv", "mistakes.csv", "statistics.html")]
    assert read(paths[0]) == (
        f"{MARK}test,claim,points,students,passed,share,mean_share,discrimination\n"
        "one,It adds.,2,3,1,0.3333,0.5,0.866\ntwo,assert 2,0.5,3,1,0.3333,0.3333,0.866\n"
    )
    assert read(paths[1]) == f"{MARK}mistake,students,share\n'=a <b>,2,0.6667\n"
    page = BeautifulSoup(read(paths[2]), "html.parser")
    assert NAME in page.title.text
    assert [image["src"] for image in page("img")] == ["data:,x"] * 2
    assert [[cell.text.strip() for cell in row(["th", "td"])] for row in page("tr")] == [
        ["Test", "What it checks", "Points", "Passed", "Discrimination"],
        ["one", "It adds.", "2", "1 (33 %)", "0.87"],
        ["two", "assert 2", "0.5", "1 (33 %)", "0.87"],
        ["What students were told", "Students"],
        ["=a <b>", "2"],
    ]
    assert page.header.get_text(" ") == f"{NAME}: statistics 3 students"
    shares, totals = (figure.axes[0] for figure in drawn)
    assert shares.get_xlabel() == "% of the class that passes"
    # The first test is on top, and all of the class is as wide as the drawing.
    assert [bar.get_width() for bar in shares.patches] == pytest.approx([100 / 3, 100 / 3])
    assert [label.get_text() for label in shares.get_yticklabels()] == ["one", "two"]
    assert shares.get_xlim() == (0, 100)
    assert shares.yaxis_inverted()
    assert totals.get_xlabel() == "% of all points, marks by hand included"
    assert totals.get_ylabel() == "students"
    assert [bar.get_height() for bar in totals.patches] == [0, 0, 1, 0, 1, 0, 0, 0, 0, 1]
    assert all(tick == int(tick) for tick in totals.get_yticks())
    store.records_path.unlink()  # nobody is graded yet
    statistics.write_statistics(book)
    said = "3 students. The tests are about 0 of them, whose notebooks could be graded."
    assert said in read(paths[2])
    assert read(paths[1]) == f"{MARK}mistake,students,share\n"


def test_a_bar_of_each_test_has_its_room_and_a_drawing_is_a_picture(monkeypatch):
    def height(number):
        tests = [OneTest(str(n), "", 1.0, 1, 1, 1.0, None) for n in range(number)]
        with monkeypatch.context() as patch:
            patch.setattr(statistics, "_svg", lambda figure: figure.get_size_inches())
            width, made = statistics._shares(tests)
        assert width == 8
        return made

    assert height(1) < 1
    # In 40 bars each has a quarter of an inch and more, for its name.
    assert 0.25 < height(41) - height(40) < 0.3
    made = statistics._totals([0.5])
    begin = "data:image/svg+xml;base64,"
    assert made.startswith(begin)
    drawn = base64.b64decode(made.removeprefix(begin)).decode()
    assert "<svg " in drawn
    assert "<dc:date>" not in drawn  # so that the same marks make the same file


LONG = 40  # tokens: what is shorter is alike by accident


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([{"t": ("x", LONG)}] * 2, ["t"]),
        ([{"t": ("x", LONG - 1)}] * 2, []),
        ([{"t": ("x", LONG)}, {"t": ("y", LONG)}], []),
        ([{"t": ("x", LONG)}, {"u": ("x", LONG)}], []),
        # Half of what either has written is enough, less is not; nor of one alone.
        ([{"t": ("x", LONG), "u": ("y", LONG)}, {"t": ("x", LONG)}], ["t"]),
        ([{"t": ("x", LONG), "u": ("y", LONG + 1)}, {"t": ("x", LONG)}], []),
        ([{"t": ("x", LONG)}, {"t": ("x", LONG), "u": ("y", LONG + 1)}], []),
        ([{"t": ("x", LONG), "u": ("y", LONG)}] * 2, ["t", "u"]),
    ],
)
def test_answers_are_alike_if_half_of_both_is_and_it_is_long(answers, found):
    records = [record(name, answers=one) for name, one in zip("ab", answers, strict=True)]
    assert alike(records) == ([Alike("a", "b", found)] if found else [])


@pytest.mark.parametrize(
    ("size", "sharing", "is_named"),
    [(3, 2, True), (3, 3, False), (60, 3, True), (60, 4, False), (240, 10, True), (240, 11, False)],
)
def test_what_many_have_is_no_sign(size, sharing, is_named):
    mine = [record(f"s{n}", answers={"t": ("x", LONG)}) for n in range(sharing)]
    others = [record(f"o{n}", answers={"t": (f"o{n}", LONG)}) for n in range(size - sharing)]
    assert len(alike(mine + others)) == (sharing * (sharing - 1) // 2 if is_named else 0)


def test_who_has_answered_nothing_has_copied_nothing():
    answers = {"t": ("x", LONG)}
    records = [record(name, key="k", answers=answers) for name in ("ann", "bob", "cat")]
    records += [record("dan", key="k"), record("eve", key="other", answers={"t": ("y", 1)})]
    assert identical(records) == [["ann", "bob", "cat"]]
    assert alike(records[:2]) == []


def test_only_answers_in_code_have_a_form():
    cells = [
        Cell("solution", "code", "a = 1", "answered"),
        Cell("solution", "code", "a = 1", "as it was", answered=False),
        Cell("test", "code", "a = 1", "a_test"),
        Cell("solution", "markdown", "a = 1", "words"),
        Cell("solution", "code", "a = 1"),
    ]
    assert [(name, size) for name, (_, size) in forms_of(cells).items()] == [("answered", 4)]


def test_the_last_record_of_each_student_counts(tmp_path):
    store = Store(tmp_path / "a new" / "folder")
    assert (list(store.records()), store.keys_recorded(), store.get("k")) == ([], {}, None)
    for one in (record("bob"), record("ann", key="old"), record("ann", key="new")):
        store.record(one)
    with store.records_path.open("ab") as file:
        file.write(b'["a list"]\n{"student": "older release", "key": "k"}\n{"cut off')
    store.record(record("eve"))
    assert store.records_path.read_bytes().count(b"\n") == 7  # no empty lines
    assert [one["student"] for one in store.records()] == ["ann", "bob", "eve"]
    assert store.keys_recorded() == {"ann": "new", "bob": "key of bob", "eve": "key of eve"}
    store.put("k", {"outcome": "graded"})
    assert store.get("k") == {"outcome": "graded"}
    (store.results / "k.json").write_text("{")
    assert store.get("k") is None


# --- what a result depends on, besides the course's code ----------------------------------------


@pytest.mark.parametrize("name", ["ipython", "matplotlib", "numpy", "torch", "torchvision"])
def test_another_version_of_a_package_is_another_result(monkeypatch, name):
    job = {"cells": []}
    before = digest.key_of(job)
    found = digest.versions()
    assert len(before) == 40
    monkeypatch.setattr(
        digest.metadata, "version", lambda one: "0.0.1" if one == name else found[one]
    )
    monkeypatch.setattr(digest, "versions", digest.versions.__wrapped__)  # which it remembers
    assert digest.key_of(job) != before


def test_another_python_is_another_result(monkeypatch):
    before = digest.key_of({"cells": []})
    monkeypatch.setattr(digest.platform, "python_version", lambda: "4.0.0")
    monkeypatch.setattr(digest, "versions", digest.versions.__wrapped__)
    assert digest.key_of({"cells": []}) != before


@pytest.mark.parametrize(
    ("language", "name", "matters"),
    [
        ("ko", "messages", True),
        ("ko", "tests", True),
        ("ko", "feedback", True),
        ("ko", "pieces", False),
        ("de", "tests", False),
        (ENGLISH, "tests", False),
    ],
)
def test_catalogues_matter_to_a_job_in_their_language(
    tmp_path, monkeypatch, language, name, matters
):
    monkeypatch.setattr(digest, "code_digest", lambda names, root: "the code")
    job = {"cells": [], "language": language}
    before = digest.key_of(job, tmp_path)
    path = tmp_path / "translations" / "ko" / f"{name}.po"
    path.parent.mkdir(parents=True)
    path.write_text("changed")
    assert (digest.key_of(job, tmp_path) != before) is matters
    if language == ENGLISH:
        assert digest.key_of({"cells": []}, tmp_path) != before  # the language stands in the job


def test_what_code_imports_is_part_of_a_result_and_what_a_text_says_is_not(monkeypatch):
    named = []
    monkeypatch.setattr(digest, "code_digest", lambda names, root: named.append(names))
    code = {"cell_type": "code", "source": "from helpers import ops"}
    text = {"cell_type": "markdown", "source": "import helpers.plots"}
    digest.key_of({"cells": [code, text]})
    assert named == [
        {"grader.judging.job", "grader.sandbox.inside.server", "helpers", "helpers.ops"}
    ]


# --- what goes back to a learning platform ------------------------------------------------------

MOODLE, SCOPE = "{}_{}_assignsubmission_file_/work.ipynb", "submission_{}/work.ipynb"


@pytest.fixture
def book(tmp_path):
    """Three have marks: one from a platform in the second attempt, one from elsewhere."""
    book = a_book(tmp_path)
    write_roster(roster_path(tmp_path), [Student("ann", "Ann, =A", "a@x.org", "u1")])
    for student in ("ann", "bob"):
        page_path(book, student).parent.mkdir(parents=True)
        page_path(book, student).write_text(f"the page of {student}")
    return book


MARKS = {"cat": Marks(10.0, 1 / 3), "bob": Marks(10.0, 2.0), "ann": Marks(10.0, 7.5)}


def write_handed_in(book, *entries):
    write_entries(book.root / "grading" / NAME / "handed-in.csv", "batch", entries)


def test_whom_a_platform_knows_by_the_file_that_counts(book):
    write_handed_in(
        book,
        Entry("old/" + MOODLE.format("A", 11), "ann", False, COUNTS),
        Entry("new/" + MOODLE.format("A", 12), "ann", True, COUNTS),
        Entry("new/" + MOODLE.format("A", 13), "ann", True, "beside"),
        Entry("new/" + MOODLE.format("C", 14), "cat", False, "a PDF"),
        Entry("new/" + MOODLE.format("D", 15), "", False, "a PDF"),
        Entry("bob.ipynb", "bob", True, COUNTS),
    )
    rows = to_platforms.rows_of(book, MARKS, "Moodle")
    assert [(row.student, row.total, row.number, row.user_name, row.path) for row in rows] == [
        (Student("ann", "Ann, =A", "a@x.org", "u1"), 7.5, "12", "A", MOODLE.format("A", 12)),
        (Student("bob", "bob"), 2, "", "", ""),
        (Student("cat", "cat"), 0.3333, "14", "C", MOODLE.format("C", 14)),
    ]
    assert [row.path for row in to_platforms.rows_of(book, MARKS, "Canvas")] == ["", "", ""]


@pytest.mark.parametrize(
    ("to", "lines"),
    [
        (
            "moodle",
            [
                "Identifier,Full name,Email address,Grade,Maximum grade,Last modified (grade)",
                ',"Ann, \'=A",a@x.org,7.5,10,',
                *(",bob,,2,10,", ",cat,,0.3333,10,"),
            ],
        ),
        (
            "canvas",
            [
                f"Student,ID,SIS User ID,SIS Login ID,Section,{NAME}",
                "Points Possible,,,,,10",
                '"Ann, \'=A",u1,,,,7.5',
                *("bob,,,,,2", "cat,,,,,0.3333"),
            ],
        ),
        ("blackboard", [f"Username,{NAME}", "u1,7.5", "bob,2", "cat,0.3333"]),
        (
            "gradescope",
            [
                "Name,SID,Email,Total Score,Max Points",
                '"Ann, \'=A",u1,a@x.org,7.5,10',
                *("bob,,,2,10", "cat,,,0.3333,10"),
            ],
        ),
    ],
)
def test_marks_for_a_platform_that_gave_no_files(book, to, lines):
    path = to_platforms.write_marks(book, MARKS, to)
    assert path == book.root / "grading" / NAME / f"{to}.csv"
    assert read(path).split("\r\n") == [*lines, ""]


def test_a_table_for_a_platform_without_anybody_has_its_head(book):
    assert read(to_platforms.write_marks(book, {}, "canvas", "=mine")) == (
        "Student,ID,SIS User ID,SIS Login ID,Section,'=mine\r\nPoints Possible,,,,,\r\n"
    )


@pytest.mark.parametrize(
    ("to", "path", "pages", "unknown"),
    [
        ("moodle", MOODLE.format("A", 12), {MOODLE.format("A", 12): "ann"}, ["bob"]),
        ("gradescope", SCOPE.format(12), {SCOPE.format(12): "ann", "bob.ipynb": "bob"}, []),
    ],
)
def test_pages_go_where_the_notebooks_lay(book, to, path, pages, unknown):
    write_handed_in(book, Entry("top/" + path, "ann", True, COUNTS))
    made, without = to_platforms.write_pages(book, MARKS, to)
    assert made == book.root / "grading" / NAME / f"{to}-feedback.zip"
    with zipfile.ZipFile(made) as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    index = found.pop("index.csv", None)
    names = {name.replace(".ipynb", ".html"): student for name, student in pages.items()}
    assert found == {name: f"the page of {student}" for name, student in names.items()}
    assert without == unknown
    if to == "gradescope":
        assert index == (
            f"{MARK}file,student,name,email,lms_id\r\n"
            f'submission_12/work.html,ann,"Ann, \'=A",a@x.org,u1\r\nbob.html,bob,bob,,\r\n'
        )
    else:
        assert index is None


CANVAS_FILE = "kim_{}_600{}_work.ipynb"
BLACK_FILE = "One_{}_attempt_2026-11-28-10-00-0{}_work.ipynb"


@pytest.mark.parametrize(
    ("to", "paths", "lines"),
    [
        # By the number in the file before that of the roster, in which there may be another one.
        (
            "canvas",
            {"ann": CANVAS_FILE.format(77, 1), "bob": CANVAS_FILE.format(78, 2)},
            ['"Ann, \'=A",77,,,,7.5', "bob,78,,,,2", "cat,,,,,0.3333"],
        ),
        # By the roster before the file: a user name may have a "_" in it.
        (
            "blackboard",
            {"ann": BLACK_FILE.format("ann_a", 1), "bob": BLACK_FILE.format("bobby", 2)},
            ["u1,7.5", "bobby,2", "cat,0.3333"],
        ),
        (
            "moodle",
            {"bob": MOODLE.format("Bob", 5), "cat": "x.zip/" + MOODLE.format("Cat", 6)},
            [
                *(',"Ann, \'=A",a@x.org,7.5,10,', "Participant 5,bob,,2,10,"),
                "Participant 6,cat,,0.3333,10,",
            ],
        ),
        # The number of a submission is none of a student's.
        (
            "gradescope",
            {"bob": SCOPE.format(9)},
            ['"Ann, \'=A",u1,a@x.org,7.5,10', "bob,,,2,10", "cat,,,0.3333,10"],
        ),
    ],
)
def test_marks_go_by_what_the_platform_calls_a_student(book, to, paths, lines):
    entries = [Entry(path, student, True, COUNTS) for student, path in paths.items()]
    write_handed_in(book, *entries)
    made = read(to_platforms.write_marks(book, MARKS, to, "One (5)")).split("\r\n")
    head = 2 if to == "canvas" else 1
    assert made[head:] == [*lines, ""]
    assert ("One (5)" in made[0]) == (to in ("canvas", "blackboard"))


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("Ann_12_assignsubmission_file_/work.ipynb", "Ann_12_assignsubmission_file_/work.html"),
        ("Ann_12_assignsubmission_file_/a/w.ipynb", "Ann_12_assignsubmission_file_/a/w.html"),
        # Of a zip the student knows the zip, and no folder in it.
        ("Ann_12_assignsubmission_file_/a.zip/b/w.ipynb", "Ann_12_assignsubmission_file_/a.html"),
        (
            "Ann_12_assignsubmission_file_/a.zip/b.zip/w.ipynb",
            "Ann_12_assignsubmission_file_/a.html",
        ),
        (
            "Ann_12_assignsubmission_file_/w.x.ipynb.txt",
            "Ann_12_assignsubmission_file_/w.x.ipynb.html",
        ),
    ],
)
def test_a_page_lies_beside_what_was_handed_in(book, path, page):
    write_handed_in(book, Entry(f"all.zip/{path}", "ann", True, COUNTS))
    made, unknown = to_platforms.write_pages(book, MARKS, "moodle")
    with zipfile.ZipFile(made) as archive:
        assert archive.namelist() == [page]
    assert unknown == ["bob"]  # cat has no page


@pytest.mark.parametrize(
    ("to", "takes_pages"),
    [("moodle", True), ("canvas", True), ("blackboard", False), ("gradescope", False)],
)
def test_pages_that_a_platform_does_not_take_have_a_table_of_whose_they_are(book, to, takes_pages):
    made, unknown = to_platforms.write_pages(book, MARKS, to)
    with zipfile.ZipFile(made) as archive:
        names = archive.namelist()
    assert names == ([] if takes_pages else ["ann.html", "bob.html", "index.csv"])
    assert unknown == (["ann", "bob"] if takes_pages else [])
