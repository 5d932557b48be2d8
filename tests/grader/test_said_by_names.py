"""What names, paths, dates and headings say, case by case: each form that is known has one here."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from grader.intake import names, platforms, roster, times
from grader.intake.attempts import Attempts, is_candidate
from grader.intake.class_lists import merge_list
from grader.intake.entries import Account, Entry, kind_of_file, what_was_left
from grader.intake.files import Found
from grader.intake.join import Finder, Match, orders
from grader.intake.layouts import (
    Owner,
    common_folder,
    copy_number,
    is_noise,
    is_notebook,
    is_zip,
    owner_of,
    stem_of,
    student_of,
    without_copies,
)
from grader.intake.names import clean_name, distinct_names
from grader.intake.roster import RosterError, Student, read_roster
from helpers.assignment.notebook_file import Unreadable

NAME = "01-a"


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        (
            "Group 1-Kim Minsu_98_assignsubmission_file_/work.ipynb",
            Owner(
                "Group 1-Kim Minsu_98_assignsubmission_file_",
                ("Group 1-Kim Minsu", "Kim Minsu"),
                *("98", "Moodle", "work.ipynb"),
                attempt=("Moodle", "98"),
                is_folder=True,
            ),
        ),
        (
            "Kim_98_assignsubmission_file_work.ipynb",
            Owner(
                "Kim_98_assignsubmission_file_work",
                ("Kim",),
                *("98", "Moodle", "work.ipynb"),
                attempt=("Moodle", "98"),
            ),
        ),
        (
            "Kim_98_assignsubmission_onlinetext_/onlinetext.html",
            Owner(
                "Kim_98_assignsubmission_onlinetext_",
                ("Kim",),
                *("98", "Moodle", "onlinetext.html"),
                attempt=("Moodle", "98"),
            ),
        ),
        (
            "Kim_98_assignsubmission_onlinetext",
            Owner(
                "Kim_98_assignsubmission_onlinetext",
                ("Kim",),
                *("98", "Moodle", "onlinetext"),
                attempt=("Moodle", "98"),
            ),
        ),
        (
            "kimminsu_late_12_6001_work-2.ipynb",
            Owner(
                "kimminsu_late_12_6001_work-2",
                (
                    *("kimminsu", "kimminsu_late_12_6001_work-2"),
                    *("late", "12", "6001", "work-2"),
                ),
                *("12", "Canvas", "work.ipynb", 6001),
                is_late=True,
                attempt=("Canvas", ""),
            ),
        ),
        (
            "kim_12_6001_work.zip/in/x.ipynb",
            Owner(
                "kim_12_6001_work",
                ("kim", "kim_12_6001_work", "12", "6001", "work"),
                *("12", "Canvas", "x.ipynb", 6001),
                attempt=("Canvas", ""),
            ),
        ),
        (
            "HW_1_kim_m_attempt_2026-11-28-09-10-11_work.ipynb",
            Owner(
                "HW_1_kim_m_attempt_2026-11-28-09-10-11_work",
                ("m", "kim_m", "1_kim_m"),
                *("", "Blackboard", "work.ipynb", 20261128091011, "2026-11-28 09:10:11"),
                attempt=("Blackboard", "2026-11-28-09-10-11"),
            ),
        ),
        (
            "HW_kim_attempt_2026-11-28-09-10-11.txt",
            Owner(
                "HW_kim_attempt_2026-11-28-09-10-11.txt",
                ("kim",),
                *("", "Blackboard", "HW_kim_attempt_2026-11-28-09-10-11.txt"),
                *(20261128091011, "2026-11-28 09:10:11"),
                attempt=("Blackboard", "2026-11-28-09-10-11"),
            ),
        ),
        (
            "export/submission_1001/x.ipynb",
            Owner(
                "submission_1001",
                (),
                *("1001", "Gradescope", "x.ipynb", 1001),
                attempt=("Gradescope", "1001"),
                is_folder=True,
            ),
        ),
        (
            f"kim+{NAME}+2026-11-28 09:10:11 UTC+abc/x.ipynb",
            Owner(
                f"kim+{NAME}+2026-11-28 09:10:11 UTC+abc",
                ("kim",),
                *("", "nbgrader", "x.ipynb", 20261128091011, "2026-11-28 09:10:11 UTC"),
                attempt=("nbgrader", "2026-11-28 09:10:11 UTC"),
                is_folder=True,
            ),
        ),
        (
            f"top/kim/{NAME}/x (3).ipynb",
            Owner(
                "kim", ("kim",), file="x (3).ipynb", order=3, attempt=("", "kim"), is_folder=True
            ),
        ),
        (
            f"Copy of Kim - {NAME} (2).ipynb",
            Owner(
                f"Copy of Kim - {NAME} (2)",
                ("Kim", f"Copy of Kim - {NAME} (2)", f"Kim - {NAME}"),
                file=f"Copy of Kim - {NAME} (2).ipynb",
                order=2,
                attempt=("", f"Copy of Kim - {NAME} (2)"),
            ),
        ),
        (
            "kim_report.pdf",
            Owner(
                "kim_report.pdf",
                ("kim_report.pdf", "kim", "report.pdf", "kim_report", "report"),
                file="kim_report.pdf",
                attempt=("", "kim_report.pdf"),
            ),
        ),
        (
            "hw/kim/x (1).ipynb",
            Owner(
                *("hw", ("hw",)),
                file="x (1).ipynb",
                order=1,
                attempt=("", "hw"),
                further=("kim", "x (1)", "x"),
            ),
        ),
        (
            "hw/kim/lee.py",
            Owner("hw", ("hw",), file="lee.py", attempt=("", "hw"), further=("kim",)),
        ),
        # What is no form of a platform, although it is like one.
        ("submission_1001", Owner("submission_1001", ("submission_1001", "submission", "1001"),
                                  file="submission_1001", attempt=("", "submission_1001"))),
    ],
)  # fmt: skip
def test_what_a_path_says_of_who_handed_it_in(path, owner):
    found = owner_of(path.split("/"), NAME)
    assert replace(found, names=tuple(dict.fromkeys(found.names))) == owner


@pytest.mark.parametrize("mark", [" - ", "_", "+"])
def test_the_assignment_s_name_beside_a_student_s_is_left_out(mark):
    """The likeliest name comes first: the student's, of however many words, before or after."""
    for parts, likeliest in (
        (["kim", NAME], "kim"),
        ([NAME.upper(), "kim"], "kim"),
        (["kim", "minsu", f"{NAME} (1)"], f"kim{mark}minsu"),
    ):
        names = owner_of([f"{mark.join(parts)}.ipynb"], NAME).names
        assert names[0] == likeliest
        assert set(likeliest.split(mark)) <= set(names)
        assert NAME not in names


@pytest.mark.parametrize(
    ("name", "of_what"),
    [
        ("x.ipynb", "a notebook"),
        ("x.IPYNB.txt", "a notebook"),
        ("x.ipynb.json", "a notebook"),
        ("x.ipynb.html", ""),
        ("x.ipynb.zip", "a zip"),
        ("x.ZIP", "a zip"),
        *((name, "noise") for name in ("__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__")),
        *((name, "noise") for name in (".x", "timestamp.txt", "submission_secret.txt")),
    ],
)
def test_what_a_file_is_by_its_name(name, of_what):
    found = (is_notebook(name), is_zip(name), is_noise(name))
    assert found == tuple(of_what == kind for kind in ("a notebook", "a zip", "noise"))


@pytest.mark.parametrize(
    ("kind", "endings"),
    [
        ("a PDF", ".pdf .PDF"),
        ("a Python script", ".py .pyw"),
        ("a web page (HTML)", ".html .htm .mhtml"),
        ("an Office document", ".docx .doc .odt .rtf .pptx .ppt .xlsx .xls"),
        ("a text", ".txt .md .rst .tex"),
        ("a picture", ".png .jpg .jpeg .gif .webp .svg .heic .bmp .tif"),
        (
            "an archive of a kind that is not opened: only zips are",
            ".rar .7z .tar .tgz .gz .bz2 .xz .zst .tar.gz",
        ),
        ("a link to a file elsewhere", ".url .webloc .gdoc .lnk"),
        ("data", ".csv .tsv .json .npy .npz .pt .pth .pkl .h5"),
        ("not a notebook", ".exe .c .ipynb~"),
    ],
)
def test_what_is_no_notebook_is_called_what_it_is(kind, endings):
    for ending in endings.split():
        assert kind_of_file(f"x{ending}") == kind


def test_what_was_left_of_a_batch_is_told_by_reason():
    quiet = (
        *("left behind by a program", "says when it was handed in"),
        *("what the learning platform says of the attempt", "kept for nbgrader's exchange"),
    )
    entries = [
        *(Entry(f"{n}.pdf", "", False, "a PDF") for n in (4, 1, 3, 2)),
        Entry("x.md", "ann", False, "a\ntext"),
        Entry("y.md", "ann", True, "taken"),
        Entry("", "bob", False, "nothing was handed in"),
        *(Entry("q", "", False, reason) for reason in quiet),
    ]
    assert what_was_left(entries) == [
        "not taken, a text: x.md",
        "not taken, a PDF: 1.pdf, 2.pdf, 3.pdf, and 1 more",
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("Copy of x", "copy of x", "Kopie von x", "Copie de x", "Copia de x", "사본 x"),
        *("x - Copy", "x - Kopie", "x – copy", "x -copy", "x (12)", "x의 사본"),
    ],
)
def test_a_second_copy_is_known_by_its_name(name):
    assert without_copies(name) == "x"


def test_the_ends_of_names():
    assert [stem_of(name) for name in ("x.zip", "x.ipynb.txt", "x.pdf")] == ["x", "x", "x.pdf"]
    assert [copy_number(name) for name in ("x (12)", "x", "(3) x")] == [12, 0, 0]
    assert student_of(["top", "kim", NAME, "x.ipynb"], NAME) == "kim"
    assert student_of(["kim", "x", NAME], NAME) == "kim"
    assert student_of([NAME, "kim.ipynb"], NAME) == NAME


@pytest.mark.parametrize(
    ("paths", "is_dropped"),
    [
        ("top/a.ipynb top/b.ipynb", True),
        ("top/a.ipynb", False),
        ("a/x.ipynb b/x.ipynb", False),
        ("top/a.ipynb b.ipynb", False),
        (f"kim/{NAME}.ipynb kim/x.ipynb", False),
        (f"top/kim/{NAME}/x.ipynb", True),
        (f"top/kim/x/{NAME}.ipynb", False),
        ("top/kim/x.ipynb top/lee/x.ipynb", True),
        ("top/kim/x.ipynb top/kim/y.ipynb", False),
        (f"kim/{NAME}/x.ipynb kim/other/x.ipynb", False),
    ],
)
def test_a_folder_that_holds_a_class_tells_nothing(paths, is_dropped):
    assert common_folder([path.split("/") for path in paths.split()], NAME) is is_dropped


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        *((name, name) for name in ("Kim Min-su", "a.b@c.org", "x_y", "a+b", "Müller, Ä", "हिन्दी")),
        ("می\u200cخواهم\u200d", "می\u200cخواهم\u200d"),
        ("A\u0308", "Ä"),
        *((f"a{sign}b", "a_b") for sign in "/\\*?[]#%;:'\"<>|&=\n\0"),
        *(("..x", "x"), (" .. x ", "x"), ("x.", "x."), ("", "_"), ("...", "_"), ("\ud800", "_")),
        ("x" * 160, "x" * 160),
    ],
)
def test_a_name_for_gradebook_and_folders(raw, clean):
    assert clean_name(raw) == clean
    assert clean_name(clean) == clean


@pytest.mark.parametrize("letter", ["x", "é", "한"])
def test_a_name_that_is_too_long_keeps_its_beginning_and_stays_its_own(letter):
    made, other = (clean_name(letter * 200 + end) for end in "ab")
    assert made != other
    head, _, digest = made.rpartition("-")
    assert head == letter * (151 // len(letter.encode()))
    assert len(digest) == 8


def test_names_that_look_the_same_are_told_apart():
    raws = ["a_b", "a/b", "a*b", "Ä", "A\u0308", "only"]
    found = distinct_names(raws)
    assert found.keys() == set(raws)
    assert [found[raw][0] for raw in ("a_b", "Ä", "only")] == ["a_b", "Ä", "only"]
    assert found["only"][1] == []
    called = {raw: found[raw][0] for raw in ("a/b", "a*b", "A\u0308")}
    assert len(set(called.values())) == 3
    for raw, shown in (("a/b", "'a/b'"), ("a*b", "'a*b'"), ("A\u0308", "'A\\u0308'")):
        assert called[raw][:-8] == f"{clean_name(raw)}-"
        note = (
            f"handed in as {shown}, called {called[raw]}: another name in the batch looks the same"
        )
        assert found[raw][1] == [note]
    # The ending depends on the own name alone; where it is taken, it is longer.
    assert distinct_names(["a_b", "a/b"])["a/b"][0] == called["a/b"]
    longer = distinct_names(["a_b", "a/b", called["a/b"]])["a/b"][0]
    assert longer[:-1] == called["a/b"]
    longer = distinct_names(["a_b", "a/b", f"{called['a/b']} "])["a/b"][0]
    assert longer[:-1] == called["a/b"]
    for long in ("x" * 200, "한" * 200):
        both = distinct_names([clean_name(long), long])
        assert names.LONGEST_NAME - 2 <= len(both[long][0].encode()) <= names.LONGEST_NAME
        assert both[clean_name(long)][0] == clean_name(long)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Kim Min-su", ("kimminsu", "minsukim", "sukimmin")),
        ("Müller, Änne", ("mülleränne", "ännemüller")),
        ("김민수", ("김민수", "민수김")),
        *(
            ("가힣", ("가힣", "힣가")),
            ("힣가", ("힣가", "가힣")),
        ),  # the first and the last syllable
        *(("\uabf0가", ("\uabf0가",)), ("\ud7b0가", ("\ud7b0가",))),  # before and after them
        ("Ｋｉｍ", ("kim",)),
        ("", ()),
    ],
)
def test_a_name_in_each_order(name, found):
    assert orders(name) == found


KIM = Student("s1", "Kim Minsu", "mk77@x.org", "4711", ("kms", "abcd", "abcde"))
LEE = Student("s2", "Lee Jiwoo", "lee@x.org")
TWIN = Student("s3", "Jiwoo Lee")


@pytest.mark.parametrize(
    ("names", "numbers", "match"),
    [
        (["Lee Jiwoo"], ["4711"], Match((KIM,))),
        (["kim, minsu"], ["99"], Match((KIM,))),
        (["nobody", "KMS"], [], Match((KIM,))),
        (["mk77"], [], Match((KIM,))),
        (["S1"], [], Match((KIM,))),
        (["jiwoo lee"], [], Match((LEE, TWIN))),
        (["jiwoo lee", "Kim Minsu"], [], Match((KIM,))),
        (["jiwoo lee", "s3"], [], Match((TWIN,))),
        (["hw1_kim_minsu_final"], [], Match((KIM,), is_guess=True)),
        (["hw1_kms_final"], [], Match(())),  # too short, among other words
        (["hw1_abcd_final"], [], Match(())),
        (["hw1_abcde_final"], [], Match((KIM,), is_guess=True)),
        (["hw1_jiwoo-lee"], [], Match((LEE, TWIN), is_guess=True)),
        (["hw1", "the_lee_jiwoo"], [], Match((LEE, TWIN), is_guess=True)),
        ([" ".join(["x"] * 22) + " kim minsu"], [], Match((KIM,), is_guess=True)),
        ([" ".join(["x"] * 23) + " kim minsu"], [], Match(())),
        ([], [], Match(())),
    ],
)
def test_who_is_found_by_names_and_numbers(names, numbers, match):
    finder = Finder([KIM, LEE, TWIN])
    assert finder.find(names, numbers) == match
    assert match.student == (match.students[0] if len(match.students) == 1 else None)


@pytest.mark.parametrize("text", ["s1", "MK77@x.org", "4711", " kms "])
def test_who_is_sure(text):
    assert Finder([KIM, LEE, TWIN]).find_sure(text) == KIM


# --- class lists ---------------------------------------------------------------------------------

HEADINGS = {
    "name": "Name; Full name; Student; STUDENT  NAME; Vollständiger Name; Nom complet; "
    "Nombre completo; 전체 이름; 성명; 이름; First name; Vorname",
    "email": "Email; E-mail; Email address; E-Mail-Adresse; Adresse de courriel; "
    "Dirección de correo; Dirección Email; 이메일; 이메일 주소",
    "login": "Username; User name; Login ID; SIS Login ID; Anmeldename; Nom d'utilisateur; "
    "Nombre de usuario; 사용자명; 사용자 아이디",
    "number": "SID; Student ID; ID number; SIS User ID; ID-Nummer; Matrikelnummer; "
    "Numéro d'identification; Número de ID; 학번; ID 번호",
    "canvas": "ID",
    "participant": "Identifier; ID/Teilnehmer/in; Identifiant; Identificador; 식별자",
}
MEANT = {
    "email": Student("k7@x.org", "Kim", "k7@x.org"),
    "login": Student("k7@x.org", "Kim", "", "k7@x.org"),
    "number": Student("Kim", "Kim", "", "k7@x.org"),
    "canvas": Student("Kim", "Kim", "", "k7@x.org"),
    "participant": Student("Kim", "Kim", "", "", ("7",)),
}


def merged(tmp_path, text, known=(), taken=()):
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return merge_list(path, known, taken)


@pytest.mark.parametrize("field", HEADINGS)
def test_each_heading_of_a_class_list_is_known(tmp_path, field):
    for heading in HEADINGS[field].split("; "):
        if field == "name":
            made = merged(tmp_path, f"{heading},x\nKim,1\n").students
            assert made == [Student("Kim", "Kim")], heading
        else:
            text = f"Name,{heading}\nKim,k7@x.org\nLee,k7@y.org\n"
            wanted = MEANT[field]
            made = merged(tmp_path, text).students[0]
            assert made == wanted, heading


@pytest.mark.parametrize(
    "given", ["First name", "Given name", "Vorname", "Prénom", "Nombre", "이름"]
)
@pytest.mark.parametrize(
    "family",
    [
        *("Last name", "Surname", "Family name", "Nachname", "Nom", "Nom de famille"),
        *("Apellido(s)", "Apellidos", "성"),
    ],
)
def test_each_heading_of_a_name_in_two_parts_is_known(tmp_path, given, family):
    made = merged(tmp_path, f"{family},{given}\nvan Dam,Bo\n김,민수\n").students
    assert [student.name for student in made] == ["Bo van Dam", "김민수"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        *(("Dam, Bo", "Bo Dam"), ("van Dam , Bo", "Bo van Dam"), ("김, 민수", "김민수")),
        *(("김 ,민수", "김민수"), ("Dam, Bo, Jr.", "Dam, Bo, Jr."), ("Bo Dam", "Bo Dam")),
    ],
)
def test_canvas_writes_the_family_s_name_before_a_comma(tmp_path, written, name):
    made = merged(tmp_path, f'Student,ID\n"{written}",7\n').students
    assert made == [Student(name, name, "", "7")]
    own = merged(tmp_path, f'Name,Email\n"{written}",k@x\n').students
    assert own == [Student("k", written, "k@x")]  # as it stands in any other list


@pytest.mark.parametrize(
    "nobody", ["Points Possible", "Student, Test", "Test Student", "Date", "Points"]
)
def test_lines_that_are_nobody_are_no_students(tmp_path, nobody):
    assert len(merged(tmp_path, f'Name,x\n"{nobody}",1\nKim,2\n').students) == 1
    with pytest.raises(RosterError, match="names no student"):
        merged(tmp_path, f'Name,x\n"{nobody}",1\n')


def test_a_list_without_names_says_what_it_needs(tmp_path):
    with pytest.raises(RosterError) as caught:
        merged(tmp_path, "Email\nk@x.org\n")
    assert str(caught.value) == (
        f"{tmp_path / 'list.csv'} has no column with names that is known. Its first line should "
        "have one of: Full name; Student; First name and Last name; Name. A table of your own "
        "needs the columns Name and Email."
    )


@pytest.mark.parametrize(
    ("text", "known", "taken", "wanted"),
    [
        ("Name,Email\nKim,k@x\nLee,k@y\n", (), (), ["k@x", "k@y"]),
        ("Name,Email,Username\nKim,k@x,u1\n", (), (), ["u1"]),
        ("Name,Email\nKim,kim@x\n", (), ["Kim"], ["Kim"]),
        ("Name,Email\nKim Minsu,k@x\n", (), ["KIM MINSU"], ["KIM MINSU"]),
        ("Name,Email\nKim,k@x\n", (Student("K", "Other", "o@x"),), (), ["K", "k@x"]),
        ("Name\nKim\nKim\nKim\n", (), (), ["Kim", "Kim 2", "Kim 3"]),
        ("Name,Email\nA/b,\n", (), (), ["A_b"]),
        # The gradebook's name is another student's already.
        ("Name,Email\nKim,kim@x\n", (Student("kim", "Lee", "l@x"),), ["kim"], ["kim", "kim@x"]),
    ],
)
def test_the_id_of_who_is_new(tmp_path, text, known, taken, wanted):
    assert [one.id for one in merged(tmp_path, text, known, taken).students] == wanted


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Name,Email\nOther,k@x\n", Student("s", "Kim", "k@x", "1", ("2",))),
        ("Name,SID\nOther,1\n", Student("s", "Kim", "k@x", "1", ("2",))),
        ("Name,SID\nOther,2\n", Student("s", "Kim", "k@x", "1", ("2",))),
        ("Name,ID,SIS User ID\nOther,9,2\n", Student("s", "Kim", "k@x", "1", ("2", "9"))),
        ("Name,Email,SID\nKim,k@x,3\n", Student("s", "Kim", "k@x", "1", ("2", "3"))),
        ("Name,Username,SID\nKim,s,1\n", Student("s", "Kim", "k@x", "1", ("2",))),
        ("Name,Email\nKim,k@y\n", None),
        ("Name,Email\nKim,\n", Student("s", "Kim", "k@x", "1", ("2",))),
    ],
)
def test_who_is_in_the_roster_is_recognised_and_keeps_what_is_there(tmp_path, text, made):
    known = Student("s", "Kim", "k@x", "1", ("2",))
    found = merged(tmp_path, text, [known])
    assert found.students[0] == (made or known)
    assert found.added == ([] if made else ["k"])
    assert found.changed == (["s"] if made not in (None, known) else [])
    assert found.absent == ([] if made else ["s"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,x\na,b", "has no column name. Its first line should be id,name,email,lms_id,also; "
         "a list from a learning platform is read by: course roster FILE"),
        ("id,name\n.a,b", ", line 2: '.a' cannot be an id. 'a' can."),
        ('id,name\n"a,b\n', None),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_roster(tmp_path, monkeypatch, text, message):
    path = tmp_path / "roster.csv"
    path.write_text(text)
    if message is None:  # a quotation mark that nothing closes takes the rest of the file
        monkeypatch.setattr(roster, "LARGEST", 5)
        message = "is larger than 0 MiB: it is no list of a class"
    with pytest.raises(RosterError) as caught:
        read_roster(path)
    assert str(caught.value).removeprefix(str(path)).strip() == message
    with pytest.raises(RosterError, match="cannot be read: No such file"):
        read_roster(tmp_path / "none.csv")


# --- times and attempts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-11-28 10:00:00 UTC", datetime(2026, 11, 28, 10)),
        (" 2026-11-28T10:00:00Z\n", datetime(2026, 11, 28, 10)),
        ("2026-11-28 10:00:00.25 +0900", datetime(2026, 11, 28, 1)),
        ("2026-11-28 10:00:00-05:30", datetime(2026, 11, 28, 15, 30)),
        ("2026-07-01 10:00:00 America/Los_Angeles", datetime(2026, 7, 1, 17)),
        ("2026-07-01 10:00:00 Etc/GMT+9", datetime(2026, 7, 1, 19)),  # west of Greenwich
        # Before and after all times that Python knows.
        *((f"{text}:00", None) for text in ("0001-01-01 00:00:00+09", "9999-12-31 23:59:59-12")),
        *((text, None) for text in ("2026-13-28 10:00:00Z", "2026-11-28", "x", "")),
        ("2026-11-28 10:00:00 Z and more", None),
    ],
)
def test_a_time_as_platforms_write_it(text, when):
    assert times.time_of(text) == when


def found(path, when=None):
    def read(limit):
        if "damaged" in path:
            raise Unreadable("it is damaged")
        return TEXTS.get(path.rpartition("/")[2], b"x")[:limit]

    parts = tuple(path.split("/"))
    return Found(parts, read, when=when)


TEXTS = {"timestamp.txt": b"2026-11-28 10:00:00 UTC", "submission_secret.txt": b"abc"}
NOON = datetime(2026, 11, 28, 12)


def test_the_dates_of_a_zip():
    def of(*dates):
        return times.times_of_zip([found(f"{n}.ipynb", when) for n, when in enumerate(dates)])

    late = NOON + timedelta(hours=1)
    assert of(NOON, late) == {
        ("0.ipynb",): times.to_utc(NOON),
        ("1.ipynb",): times.to_utc(late),
    }
    assert of(NOON, late - timedelta(seconds=1)) == of(NOON) == of() == of(None) == {}
    # A date to come is none; a day more may be another time zone's.
    to_come = datetime.now() + timedelta(days=2)
    assert of(NOON, to_come) == {}
    assert len(of(NOON, None, late, to_come)) == 2
    assert len(of(NOON, datetime.now() + timedelta(hours=20))) == 2


def test_what_nbgrader_s_exchange_says_of_the_files_below_it():
    account = Account()
    read = times.Times(account, platforms.Gradescope())
    for path in ("a/timestamp.txt", "a/submission_secret.txt", "b/damaged/timestamp.txt"):
        read.read_stamp(found(path))
    TEXTS["other.txt"] = b"yesterday"
    read.read_stamp(found("c/other.txt"))
    assert [(entry.path, entry.reason, entry.is_taken) for entry in account.entries] == [
        ("a/timestamp.txt", "says when it was handed in", False),
        ("a/submission_secret.txt", "kept for nbgrader's exchange", False),
        ("b/damaged/timestamp.txt", "it is damaged", False),
        ("c/other.txt", "no time that can be read stands in it", False),
    ]
    stamps = {name: TEXTS[name].decode() for name in ("timestamp.txt", "submission_secret.txt")}
    assert read.stamps_of(found("a/deep/x.ipynb")) == stamps
    assert read.stamps_of(found("c/x.ipynb")) == read.stamps_of(found("a")) == {}
    owner = Owner("a", ())
    read.zip_times[("c", "x.ipynb")] = NOON
    below, beside = (found("a/x.ipynb"), owner), (found("c/x.ipynb"), owner)
    assert read.of([below]) == datetime(2026, 11, 28, 10)
    assert read.of([below, beside]) == read.of([beside]) == NOON
    assert read.of([(found("c/x.ipynb"), Owner("c", (), when="2026-11-28 09:00:00Z"))]) == (
        datetime(2026, 11, 28, 9)
    )
    assert read.of([(found("d/x.ipynb"), owner)]) is None


def attempts(which, *files):
    account = Account()
    made = Attempts(which, times.Times(account, platforms.Gradescope()), account)
    chosen = made.chosen("kim", list(files))
    left = [(entry.path, entry.student, entry.reason) for entry in account.entries]
    return [file.path for file, _ in chosen.files], chosen.time, left, account.doubts


def file(path, tag, when="", order=0, platform="Moodle", name="x.ipynb"):
    return found(path), Owner("kim", (), "", platform, name, order, when, attempt=(platform, tag))


@pytest.mark.parametrize(("which", "counts"), [("last", "b"), ("first", "a")])
@pytest.mark.parametrize("by", ["time", "order"])
def test_of_several_attempts_one_counts_and_the_others_are_named(which, counts, by):
    whens = ("2026-11-28 09:00:00Z", "2026-11-28 10:00:00Z") if by == "time" else ("", "")
    orders_ = (2, 1) if by == "time" else (1, 2)
    a, b = (
        [file(f"{tag}/x.ipynb", tag, when, order), file(f"{tag}/d.csv", tag, when, order)]
        for tag, when, order in zip("ab", whens, orders_, strict=True)
    )
    typed = file("c/text.html", "c")
    paths, time, left, doubts = attempts(which, *b, typed, *a)
    other = "a" if counts == "b" else "b"
    assert paths == [f"{counts}/x.ipynb", f"{counts}/d.csv", "c/text.html"]
    when = whens["ab".index(counts)]
    assert time == (times.time_of(when) if when else None)
    reason = f"another attempt: the {which} one counts"
    assert left == [(f"{other}/{end}", "kim", reason) for end in ("x.ipynb", "d.csv")]
    assert doubts == []


@pytest.mark.parametrize(
    "second",
    [
        file("b/x.ipynb", "b", order=1),  # the same order
        file("b/x.ipynb", "b", order=2, platform="Canvas"),  # numbers of two platforms
    ],
)
def test_attempts_of_which_none_is_known_to_be_later(second):
    first = file("a/x.ipynb", "a", "2026-11-28 09:00:00Z", 1)
    paths, time, left, doubts = attempts("last", first, second)
    assert (paths, left) == (["a/x.ipynb", "b/x.ipynb"], [])
    assert time == datetime(2026, 11, 28, 9)
    assert doubts == ["kim: several attempts, and no telling which is later: a/x.ipynb, b/x.ipynb"]


def test_attempts_without_any_time_or_order_count_together():
    paths, time, _, doubts = attempts("last", file("a/d.csv", "a"), file("a/x.ipynb", "a"),
                                      file("b/x.ipynb", "b"))  # fmt: skip
    assert (paths, time) == (["a/d.csv", "a/x.ipynb", "b/x.ipynb"], None)
    assert doubts == ["kim: several attempts, and no telling which is later: a/x.ipynb, b/x.ipynb"]


def test_a_folder_that_is_a_link_may_be_what_was_handed_in():
    def link(*parts):
        return Found(parts, None, is_link=True)

    made = [is_candidate(one) for one in (link("kim"), link("a", "kim"), found("kim"))]
    assert made == [True, False, False]
    assert is_candidate(found("a/x.ipynb"))


@pytest.mark.parametrize(("which", "kept"), [("last", "3"), ("first", "1")])
def test_canvas_keeps_what_was_uploaded_again_under_one_name(which, kept):
    files = [
        file(f"{order}.ipynb", "", order=order, platform="Canvas", name="w.ipynb")
        for order in (1, 3, 2)
    ]
    other = file("0.ipynb", "", order=9, platform="Canvas", name="other.ipynb")
    data = file("d.csv", "", order=0, platform="Canvas", name="d.csv")
    again = file("d2.csv", "", order=1, platform="Canvas", name="d.csv")
    paths, _, left, _ = attempts(which, *files, other, data, again)
    assert sorted(paths) == sorted([f"{kept}.ipynb", "0.ipynb", "d.csv", "d2.csv"])
    assert [path for path, *_ in left] == [
        f"{order}.ipynb" for order in (1, 3, 2) if str(order) != kept
    ]


# --- what platforms write ------------------------------------------------------------------------

YAML = """
submission_7:
  :submitters:
  - {":name": Kim, ":sid": "1", ":email": k@x}
  - {":name": Lee}
  - 3
  :created_at: 2026-11-28 09:30:00 +0900
a_8: {":submitters": no, ":created_at": "2026-11-28 09:30:00Z"}
b_9: 3
c_10: {":created_at": "2026-11-28T09:30:00+01:00"}
"""


def test_what_gradescope_says():
    made = platforms.Gradescope()
    made.read(lambda limit: YAML.encode(), 10**6)
    assert made.people("7") == [(("k@x", "Kim"), ["1"]), (("", "Lee"), [])]
    assert made.people("8") == made.people("9") == made.people("x") == []
    assert times.time_of(made.time("7", "Gradescope")) == datetime(2026, 11, 28, 0, 30)
    assert made.time("8", "Gradescope") == "2026-11-28 09:30:00Z"
    assert made.time("10", "Gradescope") == "2026-11-28T09:30:00+01:00"
    assert made.time("8", "Canvas") == made.time("9", "Gradescope") == ""


@pytest.mark.parametrize(
    "data", [b"a: [", b"- 1", b"\xff\xfe\x00", b"[" * 5000, b"a_7: 2026-13-45", None]
)
def test_what_is_damaged_says_nothing(data):
    def read(limit):
        if data is None:
            raise Unreadable("no")
        return data

    made = platforms.Gradescope()
    made.read(read, 10**6)
    assert made.people("7") == []


FORM = """\ufeffName: Kim (kim)\r
Assignment: One\r
Date Submitted: Sunday\r
\r
Submission Field:\r
{field}\r
\r
Comments:\t\r
{comment}\r
\r
Files:\r
\tFilename: x\r
"""


@pytest.mark.parametrize(
    ("field", "comment", "said"),
    [
        ("There is no student submission text", "There are no student comments", ""),
        ("My  text", "on\r\ntwo lines", "My text on two lines"),
        ("There is no student submission", "Comments are here", "Comments are here"),
        ("x" * 600, "y", "x" * 500),
    ],
)
def test_what_stands_in_blackboard_s_form(field, comment, said):
    form = FORM.format(field=field, comment=comment).encode()
    assert platforms.is_form(lambda limit: form, 10**5)
    assert platforms.writing_in_form(lambda limit: form, 10**5) == said


def test_what_is_no_form_of_blackboard_s():
    def damaged(limit):
        raise Unreadable("no")

    assert not platforms.is_form(lambda limit: b"Name: Kim\nDate Submitted: x", 10**5)
    assert not platforms.is_form(damaged, 10**5)
    assert platforms.writing_in_form(damaged, 10**5) == ""
