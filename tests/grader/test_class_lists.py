"""The lists that learning platforms give out, made into grading/roster.csv."""

import pytest

from grader.command import roster as command
from grader.intake.class_lists import merge_list
from grader.intake.roster import RosterError, Student, load_roster, roster_path, write_roster

LISTS = {
    "Moodle's worksheet": (
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade\n"
        "Participant 98,Minsu Kim,kim.minsu@example.edu,Submitted,,40\n"
        "Participant 99,Änne Müller,anne@example.edu,,,40\n",
        [
            Student("kim.minsu", "Minsu Kim", "kim.minsu@example.edu", "", ("98",)),
            Student("anne", "Änne Müller", "anne@example.edu", "", ("99",)),
        ],
    ),
    "Moodle's participants": (
        "Vorname;Nachname;ID-Nummer;E-Mail-Adresse\nMinsu;Kim;12345;kim.minsu@example.edu\n"
        "Änne;Müller;23456;anne@example.edu\n",
        [
            Student("kim.minsu", "Minsu Kim", "kim.minsu@example.edu", "12345"),
            Student("anne", "Änne Müller", "anne@example.edu", "23456"),
        ],
    ),
    "Moodle's in Korean": (
        "이름,성,이메일 주소\n민수,김,ms@example.kr\n지우,이,jw@example.kr\n",
        [
            Student("ms", "김민수", "ms@example.kr"),
            Student("jw", "이지우", "jw@example.kr"),
        ],
    ),
    "Canvas'": (
        "Student,ID,SIS User ID,SIS Login ID,Section,Homework (5)\n"
        "    Points Possible,,,,,40\n"
        '"Kim, Minsu",12345,A1,kim.minsu,01,\n"Müller, Änne",23456,A2,am,01,\n'
        '"Student, Test",7,,x,01,\n',
        [
            Student("kim.minsu", "Minsu Kim", "", "12345", ("A1",)),
            Student("am", "Änne Müller", "", "23456", ("A2",)),
        ],
    ),
    "Blackboard's": (
        "Last Name\tFirst Name\tUsername\tStudent ID\tAvailability\n"
        "Kim\tMinsu\tkim.minsu\tA1\tYes\nMüller\tÄnne\tam\tA2\tYes\n",
        [
            Student("kim.minsu", "Minsu Kim", "", "kim.minsu", ("A1",)),
            Student("am", "Änne Müller", "", "am", ("A2",)),
        ],
    ),
    "Gradescope's": (
        "First Name,Last Name,SID,Email,Section,Total Score\n"
        "Minsu,Kim,12345,kim@example.edu,,\nÄnne,Müller,23456,kim@example.com,,\n",
        # What stands before the @ is not one's own here.
        [
            Student("kim@example.edu", "Minsu Kim", "kim@example.edu", "12345"),
            Student("kim@example.com", "Änne Müller", "kim@example.com", "23456"),
        ],
    ),
    "Classroom's": (
        "Last Name,First Name,Email Address,01\nDate,,,2026-11-29\nPoints,,,40\n"
        "Kim,Minsu,kim.minsu@example.edu,\nMüller,Änne,anne@example.edu,\n",
        [
            Student("kim.minsu", "Minsu Kim", "kim.minsu@example.edu"),
            Student("anne", "Änne Müller", "anne@example.edu"),
        ],
    ),
}


@pytest.mark.parametrize("platform", LISTS)
def test_the_class_is_read_from_each_platforms_list(tmp_path, platform):
    text, expected = LISTS[platform]
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode("utf-16" if platform == "Blackboard's" else "utf-8-sig"))
    made = merge_list(path, [])
    assert made.students == expected
    assert made.added == [student.id for student in expected]
    again = merge_list(path, made.students)
    assert (again.students, again.added, again.changed, again.absent) == (expected, [], [], [])


def test_a_second_list_adds_what_it_knows_and_takes_nobody_out(tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(LISTS["Moodle's worksheet"][0], encoding="utf-8")
    second.write_text(
        "Name,SID,Email\nKim Minsu,555,kim.minsu@example.edu\n"
        "Änne Müller,666,another.anne@example.edu\nSeo Lee,777,\nSeo Lee,888,\n",
        encoding="utf-8",
    )
    made = merge_list(second, merge_list(first, []).students)
    assert made.students == [
        Student("kim.minsu", "Minsu Kim", "kim.minsu@example.edu", "555", ("98",)),
        Student("anne", "Änne Müller", "anne@example.edu", "", ("99",)),
        # Another address: another student with the same name.
        Student("another.anne", "Änne Müller", "another.anne@example.edu", "666"),
        Student("Seo Lee", "Seo Lee", "", "777"),
        Student("Seo Lee 2", "Seo Lee", "", "888"),
    ]
    assert made.added == ["another.anne", "Seo Lee", "Seo Lee 2"]
    assert (made.changed, made.absent) == (["kim.minsu"], ["anne"])


def test_who_is_in_the_gradebook_keeps_the_name(tmp_path, capsys):
    for name in ("Minsu Kim", "stranger"):
        (tmp_path / "grading" / "autograded" / name).mkdir(parents=True)
    path = tmp_path / "list.csv"
    path.write_text(LISTS["Moodle's worksheet"][0], encoding="utf-8")
    assert command.main([str(path), "--root", str(tmp_path)]) == 0
    assert [student.id for student in load_roster(tmp_path)] == ["Minsu Kim", "anne"]
    said = capsys.readouterr().out
    assert f"{path}: 2 added, 0 changed" in said
    assert "Graded, and not in the roster: stranger." in said
    write_roster(roster_path(tmp_path), [Student("x", "Xu"), *load_roster(tmp_path)])
    assert command.main([str(path), "--root", str(tmp_path)]) == 0
    assert "in the roster, and not in this list: x" in capsys.readouterr().out
    assert [student.id for student in load_roster(tmp_path)] == ["x", "Minsu Kim", "anne"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1,2\n", "no column with names"), ("Name,Email\n,\n", "names no student")],
)
def test_what_is_no_list_is_refused_and_changes_nothing(tmp_path, capsys, text, message):
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(RosterError, match=message):
        merge_list(path, [])
    assert command.main([str(path), "--root", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
    assert not roster_path(tmp_path).exists()
