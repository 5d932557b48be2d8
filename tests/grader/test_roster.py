"""The class list: reading and writing grading/roster.csv."""

import pytest

from grader.intake.roster import (
    RosterError,
    Student,
    load_roster,
    read_roster,
    roster_path,
    write_roster,
)

CLASS = [
    Student("kim.minsu", "김민수", "kim.minsu@example.org", "12345", ("민수", "kimminsu")),
    Student("mueller", "Müller, Änne", "am@example.org"),
    Student("x", '=HYPERLINK("http://x")', "@x", "-5", ("+1", "a, -b")),
]


def test_a_class_comes_back_as_it_was_written(tmp_path):
    path = roster_path(tmp_path)
    assert load_roster(tmp_path) == []
    write_roster(path, CLASS)
    assert load_roster(tmp_path) == CLASS
    written = path.read_bytes()
    assert written.startswith("\ufeffid,name,email,lms_id,also\n".encode())  # for Excel
    cells = written.decode("utf-8-sig").split(",")
    assert not any(cell.startswith(("=", "@", "-", "+", '"=', '"+')) for cell in cells)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_as_spreadsheets_of_other_countries_save_it(tmp_path, encoding, between):
    path = tmp_path / "roster.csv"
    lines = [["id", "name"], ["kim", "김민수", "more"], ["", ""], ["no\u0308", "No\u0308"], ["x"]]
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes((mark + "\r\n".join(map(between.join, lines))).encode(encoding))
    assert read_roster(path) == [
        *(Student("kim", "김민수"), Student("n\u00f6", "N\u00f6"), Student("x", ""))
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Name;Mail\nKim;k@x", "no column id and no column name.*course roster FILE"),
        ("id,name\n,Kim", "line 2: there is no id"),
        ("id,name\na/b,Kim", "line 2: 'a/b' cannot be an id. 'a_b' can"),
        ("id,name\nkim,Kim\nlee,Lee\nKIM,Kim", "line 4: KIM stands in line 2, too"),
        (f"id,name\n{'x' * 131073},Kim", "is no table, in line 2: field larger than"),
        ("id,name\nkim,김민수".encode("cp949"), "not in UTF-8.*CSV UTF-8"),
    ],
)
def test_what_cannot_be_a_class_is_told_with_the_line(tmp_path, text, message):
    path = tmp_path / "roster.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RosterError, match=message):
        read_roster(path)
