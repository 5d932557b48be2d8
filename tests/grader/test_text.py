"""Hostile texts, through every place in which an instructor reads or opens them."""

import csv
import io
import json
import re

import pytest
from bs4 import BeautifulSoup

from grader.batch import report
from grader.batch.recorder import Lost
from grader.batch.summary import Summary
from grader.gradebook.export import COLUMNS, SafeCsv
from grader.gradebook.graded import finish
from grader.gradebook.marks import Marks
from grader.gradebook.master import load_config, open_gradebook
from grader.gradebook.safe_html import as_text, render
from grader.gradebook.submitted import write_submitted
from grader.intake.collect import Unreadable
from grader.text import for_markdown, for_table, for_terminal, shortened
from tests.support.lessons import ROOT

FORGED = "alice: 50 of 50"
HOSTILE = {
    "colours": f"\x1b[2K\x1b[1A{FORGED}",
    "another line": f"x\n{FORGED}",
    "over the line": f"x\r{FORGED}",
    "a line end of Unicode": f"x\u2028{FORGED}\x85y",
    "from right to left": "x\u202e05 fo 05 :ecila\u2066",
    "a control sequence in one character": f"\x9b2K{FORGED}",
    "half a character": "x\ud800",
    "a formula": "=HYPERLINK(1)",
    "after a line end": "\n=HYPERLINK(1)",
    "after a tab": "\t@SUM(1)",
    "after spaces": "  +1+cmd|'/C calc'!A0",
    "wide signs": "＝HYPERLINK(1)",
    "a cell of its own": 'x;=HYPERLINK(1),"=1"\t-1',
    "a field": 'x",=1,"',
    "Markdown": "[a](javascript:alert(1)) <script>alert(1)</script> `x` **b** $\\href{x}{y}$",
}
HARMLESS = [
    "Kim Min-su",
    "김민수",
    "हिन्दी",
    "Zoë O'Brien",
    "a@b.org",
    "👩\u200d🔬",
    "1-2",
    "می\u200cخواهم",
]


def is_harmless_line(text):
    return text.isprintable() or all(c.isprintable() or c in "\u200c\u200d" for c in text)


def is_harmless_cell(text):
    """Whether no spreadsheet sees a formula, whatever it takes for the end of a cell."""
    return not re.search(r"(^|[;,|\t\n\r\"])\s*[=+\-@＝＋－＠]", text)


def record(text):
    return {
        "student": text,
        "key": "k",
        "score": 1.5,
        "max_score": 2.0,
        "outcome": "tampering suspected",
        "flagged": text,
        "seconds": -1.0,
        "tests": {"one": 1.5},
        "diagnoses": [],
        "notes": [text] * 5,
    }


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_attack_stays_as_it_is(text):
    assert for_terminal(text) == for_table(text) == text
    assert for_table(-1.5) == -1.5


@pytest.mark.parametrize("name", HOSTILE)
def test_lines_on_a_terminal(name):
    text = HOSTILE[name]
    lines = [
        report.line(record(text)),
        report.line(Lost(text, text)),
        report.names([text] * 30),
        *report.summary_text(Summary(flagged=[text])).split("\n"),
    ]
    for line in lines:
        assert is_harmless_line(line)
        assert not line.startswith(FORGED)
        line.encode()


def test_what_is_left_out_of_a_line_is_counted():
    assert report.line(record("note")).endswith("; note; note; note; and 2 more")
    assert report.names(["a"] * 22).endswith("a, and 2 more")
    assert shortened(["a", "b"], 2) == ["a", "b"]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_table(name, tmp_path):
    text = json.loads(json.dumps(HOSTILE[name]))
    marks = {text: Marks(max_score=2.0, automatic=1.5, by_hand=-1.0, tests={"one": -1.5})}
    report.write_table(marks, [record(text)], ["one"], tmp_path / "grades.csv")
    written = (tmp_path / "grades.csv").read_text(encoding="utf-8")
    head, row = csv.reader(io.StringIO(written, newline=""))
    assert head == [*report.COLUMNS, *report.FROM_A_PERSON, "one"]
    assert len(row) == len(head)
    for cell in row[:5]:
        assert is_harmless_cell(cell)
        assert is_harmless_line(cell)
    assert row[1:3] == ["1.5", "2"]
    # A number is no text.
    assert (row[5], row[6], row[-1]) == ("-1.0", "-1", "-1.5")


@pytest.mark.parametrize("name", HOSTILE)
def test_nbgrader_s_export(name, tmp_path):
    text = HOSTILE[name].encode("utf-8", "replace").decode()
    config = load_config(ROOT)
    with open_gradebook(f"sqlite:///{tmp_path}/gradebook.db", config) as gradebook:
        gradebook.add_assignment("one")
        gradebook.add_student("ann", last_name=text, first_name=text, email=text)
        gradebook.add_student(text)
        SafeCsv(to=str(tmp_path / "grades.csv")).export(gradebook)
        SafeCsv(to=str(tmp_path / "ann.csv"), student=["ann"]).export(gradebook)
        SafeCsv(to=str(tmp_path / "none.csv"), assignment=["two"]).export(gradebook)
    content = (tmp_path / "grades.csv").read_text(encoding="utf-8")
    head, *rows = csv.reader(io.StringIO(content, newline=""))
    assert tuple(head) == COLUMNS
    assert len(rows) == 2
    for row in rows:
        assert len(row) == len(head)
        for cell in row:
            assert is_harmless_cell(cell)
            assert is_harmless_line(cell)
    assert len((tmp_path / "ann.csv").read_text(encoding="utf-8").splitlines()) == 2
    assert len((tmp_path / "none.csv").read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_notes_and_evidence_on_a_page(name):
    text = HOSTILE[name]
    made = finish(None, {}, {"outcome": "graded", "flags": [text]}, [text] * 50)
    notes, evidence = made["cells"]
    assert notes["source"].count("\n- ") == 41
    assert notes["source"].endswith("- and 10 more")
    for cell in (notes, evidence):
        assert all(is_harmless_line(line) for line in cell["source"].split("\n"))
        tree = BeautifulSoup(render(cell["source"]), "html.parser")
        assert {tag.name for tag in tree.find_all(True)} <= {"p", "strong", "ul", "li"}
    shown = BeautifulSoup(render(for_markdown(text)), "html.parser").get_text()
    assert shown.replace("\\text", "\\href").strip() == for_terminal(text)
    assert BeautifulSoup(as_text(text), "html.parser").pre.find() is None


class Broken:
    """A submission that cannot be read, with a hostile name and reason."""

    def __init__(self, text):
        self.student = self.origin = self.text = text

    def read(self, *arguments, **options):
        raise Unreadable(self.text)

    def refused(self, reason):
        return []


@pytest.mark.parametrize("name", HOSTILE)
def test_lines_of_collecting(name, tmp_path):
    class Nothing:
        known = files = ()

        def is_untouched(self, cell, grade_id):
            return True

    lines = []
    write_submitted([Broken(HOSTILE[name])], "one", tmp_path, Nothing(), lines.append)
    (line,) = lines
    assert is_harmless_line(line)
    assert "NOT READ" in line
