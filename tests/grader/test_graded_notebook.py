"""From a result to the graded notebook and the page, part by part, without running anything."""

import base64

import nbformat
import pytest
from bs4 import BeautifulSoup

from grader.cells import (
    HIDDEN_TESTS,
    Cell,
    cut_regions,
    is_hidden,
    kind_of,
    points_of,
    without_hidden,
)
from grader.gradebook import page
from grader.gradebook.feedback import TOO_LONG, _fitting
from grader.gradebook.graded import (
    EVIDENCE,
    executed_notebook,
    finish,
    parts_of_points,
    to_bytes,
    work_of,
)
from grader.gradebook.hidden import hide
from grader.gradebook.page import Item, Part, coloured, outline
from grader.intake.rebuild import Skeleton
from grader.judging.failures import NotJudged, error_output, message_of
from grader.judging.judge import passed
from grader.judging.progress import Progress
from grader.judging.results import points_line, result_of, without_passed
from grader.outcomes import SENTENCES
from grader.words import Note
from helpers.assignment import CheckFailed
from helpers.assignment.time_limit import TookTooLong
from tests.support.small_class import cell as source_cell
from tests.support.small_class import source

BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


@pytest.mark.parametrize(
    ("cell_type", "flags", "kind"),
    [
        ("code", None, "extra"),
        ("markdown", None, "extra"),
        ("markdown", {"task": True}, "task"),
        ("markdown", {"grade": True, "solution": True}, "manual"),
        ("markdown", {"locked": True}, "text"),
        ("raw", {"grade": True}, "manual"),
        ("code", {"grade": True}, "test"),
        ("code", {"grade": True, "solution": True}, "manual"),
        ("code", {"solution": True}, "solution"),
        ("code", {"locked": True}, "setup"),
    ],
)
def test_what_a_cell_is_for(cell_type, flags, kind):
    metadata = {} if flags is None else {"nbgrader": flags}
    assert kind_of({"cell_type": cell_type, "metadata": metadata}) == kind


def test_the_points_of_a_cell():
    def points(meta):
        return points_of({"metadata": {"nbgrader": meta}})

    found = [points(meta) for meta in ({"points": 2.5}, {"points": None}, {}, "odd")]
    assert found == [2.5, 0.0, 0.0, 0.0]


def test_what_is_hidden_is_cut_out_of_a_cell():
    code = f"a\n  {BEGIN}\n  b\n{BEGIN}\nc\n{END}\nd\n{BEGIN}\ne\n\n"
    assert cut_regions(code, HIDDEN_TESTS) == ("a\nd", ["  b", "c", "e", "", ""])
    assert cut_regions(code, HIDDEN_TESTS, "# here")[0] == "a\n  # here\nd\n# here"
    assert cut_regions("a \n", HIDDEN_TESTS) == ("a \n", [])
    assert without_hidden(code) == "a\nd"
    short = f"a\n{BEGIN}\nb\n{END}\nc"
    assert [is_hidden(short, line) for line in (1, 2, 3, 4, 5)] == [False, True, True, False, False]


def test_a_cell_in_a_job_has_a_digest_for_its_pictures():
    cell = Cell("manual", "markdown", "x", "why", attachments={"a": {"image/png": "AA"}})
    made = cell.for_job()
    other = Cell("manual", "markdown", "x", "why", attachments={"a": {"image/png": "BB"}})
    assert cell.attachments == {"a": {"image/png": "AA"}}
    assert len(made["attachments"]) == 64
    assert made["attachments"] != other.for_job()["attachments"]
    assert {**made, "attachments": None} == Cell("manual", "markdown", "x", "why").for_job()
    assert Cell("test", "code", "\n#  It adds. \nassert 1").claim == "It adds."


# --- the notebook --------------------------------------------------------------------------------


def small_skeleton():
    whole = source()
    released = nbformat.from_dict(whole)
    for one in released.cells:
        one.source = one.source.replace("# RIGHT", "# yours")
    return Skeleton(whole, released)


def test_the_notebook_that_was_executed_and_the_one_that_was_handed_in():
    skeleton = small_skeleton()
    cells = [
        Cell("solution", "code", "mine", "double", cell_id="i" * 70, answered=False),
        Cell("test", "code", "# Two is doubled.\nassert hidden", "double_two", cell_id="t"),
        Cell("manual", "markdown", "why not", "why", cell_id="w", attachments={"a": {}}),
        Cell("extra", "markdown", "own", cell_id="own"),
    ]
    stream = {"output_type": "stream", "name": "stdout", "text": "x"}
    made = executed_notebook(cells, skeleton, [([stream], 3), ([], None), ([], None), ([], None)])
    assert [set(one) for one in made["cells"]] == [
        {"cell_type", "id", "metadata", "source", "execution_count", "outputs"},
        {"cell_type", "id", "metadata", "source", "execution_count", "outputs"},
        {"cell_type", "id", "metadata", "source", "attachments"},
        {"cell_type", "id", "metadata", "source"},
    ]
    first, test, _, own = made["cells"]
    assert (first["id"], first["execution_count"], first["outputs"]) == ("i" * 64, 3, [stream])
    assert first["metadata"] == skeleton.released_metadata["double"]
    assert own["metadata"] == {}
    assert test["source"].endswith("assert hidden")
    assert made["metadata"] == skeleton.source.metadata
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    handed_in = executed_notebook(cells, skeleton, language="ko")
    assert [one["source"] for one in handed_in["cells"]] == [
        *("mine", skeleton.stubs["double_two"], "why not", "own")
    ]
    assert handed_in["metadata"]["course"] == {"language": "ko", "unanswered": ["double"]}
    assert handed_in["cells"][0]["outputs"] == []


def notebook_of(*cells, language=None):
    metadata = {"course": {"language": language}} if language else {}
    return {"cells": list(cells), "metadata": metadata}


def code(source, meta=None, outputs=(), cell_id="c"):
    metadata = {"nbgrader": meta} if meta is not None else {}
    made = {"cell_type": "code", "id": cell_id, "metadata": metadata, "source": source}
    return {**made, "outputs": list(outputs), "execution_count": None}


STREAM = {"output_type": "stream", "name": "stderr", "text": "careful"}
RESULT = {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {}}
RESULT = {**RESULT, "execution_count": 4}
ERROR = {"output_type": "error", "ename": "E", "evalue": "no", "traceback": ["no"]}
DISPLAYED = {"output_type": "display_data", "data": {"text/plain": "1"}, "metadata": {}}
OUT = {**STREAM, "name": "stdout"}


def failed(kind="values", hidden=False, message="It is 3."):
    failure = {"kind": kind, "message": message, "hidden": hidden, "diagnosis": None}
    return {"score": 0.0, "max_score": 2.0, "failure": failure}


def told(message):
    return {"output_type": "error", "ename": "CheckFailed", "evalue": message,
            "traceback": [message]}  # fmt: skip


SCORE = {"output_type": "execute_result", "data": {"text/plain": "0.5"}, "metadata": {}}
STOPS = "A hidden test fails here: on other inputs it stops with an error."


@pytest.mark.parametrize(
    ("test", "outputs", "shown"),
    [
        ({"score": 2.0, "max_score": 2.0}, [STREAM, RESULT, ERROR], [OUT, DISPLAYED]),
        (
            {"score": 0.5, "max_score": 2.0},
            [RESULT],
            [DISPLAYED, {**SCORE, "execution_count": None}],
        ),
        (failed(), [STREAM], [OUT, told("It is 3.")]),
        (failed(), [ERROR, STREAM], [OUT, ERROR]),
        (failed(hidden=True), [ERROR], [told("It is 3.")]),
        *(
            (failed(kind, hidden=True), [], [told("It is 3.")])
            for kind in (
                *("shape", "values", "dtype", "type", "inputs", "memory", "no error", "claim"),
                "too long",
            )
        ),
        *((failed(kind, hidden=True), [], [told(STOPS)]) for kind in ("error", "raised", "odd")),
    ],
)
def test_what_a_test_shows_agrees_with_its_points(test, outputs, shown):
    meta = {"grade_id": "one", "grade": True, "points": 2}
    known = {"one": source_cell("code", "", "one", 2, grade=True)}
    given = notebook_of(code("x", meta, outputs), code("y", None, outputs))
    result = {"outcome": "graded", "tests": {"one": test}}
    made = finish(given, known, result)
    mine, own = made["cells"][-2:]
    assert mine["outputs"] == shown
    assert own["outputs"] == outputs
    assert mine["metadata"]["nbgrader"] == known["one"].metadata.nbgrader
    assert given["cells"][0]["outputs"] == outputs


def test_a_note_for_each_thing_that_was_unusual():
    tests = {
        "half": {"score": 0.5, "max_score": 2.0},
        "all": {"score": 2.0, "max_score": 2.0},
        "none": failed(),
    }
    result = {"outcome": "cell timeout", "tests": tests, "flags": ["it *lied*"]}
    assert parts_of_points(result) == ["half: 0.5 of 2 points"]
    made = finish(notebook_of(code("x")), {}, result, ["a_b"])
    notes, evidence, cell = made["cells"]
    assert notes == {
        "cell_type": "markdown",
        "id": "grading-notes",
        "metadata": {},
        "source": "**About this submission**\n\n- A cell took longer than it may, and was "
        "stopped. The rest was graded.\n- a\\_b\n- half\\: 0\\.5 of 2 points",
    }
    assert (evidence["id"], evidence["source"]) == (
        "grading-evidence",
        f"{EVIDENCE}\n\n- it \\*lied\\*",
    )
    assert cell["source"] == "x"
    assert made["metadata"] == {"grading": {"outcome": "cell timeout", "flags": ["it *lied*"]}}
    assert finish(notebook_of(), {}, {"outcome": "graded"})["cells"] == []
    assert b'"cells": []' in to_bytes({"cells": [], "b": "\ud800"})
    assert to_bytes({"b": 1, "a": "한"}).decode() == '{\n "a": "한",\n "b": 1\n}\n'


def test_a_note_is_in_the_language_of_the_notebook():
    note = Note("{cell}: recognised without its metadata", cell="f")
    (made,) = finish(notebook_of(language="ko"), {}, {"outcome": "graded"}, [note])["cells"]
    head, line = made["source"].split("\n\n")
    assert head == "**이 제출물에 대해**"
    assert line.startswith("- f\\: ")
    assert "recognised" not in line


@pytest.mark.parametrize("outcome", sorted(SENTENCES))
def test_each_outcome_is_told_at_the_top_or_stands_in_the_notes(outcome):
    cells = finish(None, {}, {"outcome": outcome})["cells"]
    silent = ("graded", "tampering suspected", "not recorded", "not judged")
    assert len(cells) == (0 if outcome in silent else 1)


def test_a_person_s_mark_is_of_the_student_s_cells_and_the_suspicions():
    cells = [
        code("mine", {"solution": True}),
        code("test", {"locked": True}),
        code("own"),
        {**code("notes", cell_id="grading-notes")},
        {**code("evidence", cell_id="grading-evidence")},
        {
            "cell_type": "markdown",
            "id": "w",
            "metadata": {},
            "source": "w",
            "attachments": {"a": 1},
        },
    ]
    notebook = {"cells": cells, "metadata": {"grading": {"flags": ["x"]}}}
    assert work_of(notebook) == (
        [("code", "mine", None), ("code", "own", None), ("markdown", "w", {"a": 1})],
        ["x"],
    )
    assert work_of({"cells": [], "metadata": {}}) == ([], None)


# --- what students are not to read ---------------------------------------------------------------

SECRET = "assert double(135914) < 271828"
HIDDEN = f"# Visible.\nassert double(1) == 2\n{BEGIN}\n{SECRET}\nx = 1\n{END}"
IN_PLACE = "# Hidden tests stand here: they check the same with other numbers."
GONE = "[a line of a hidden test]"


def hidden(*outputs, own="mine"):
    test = code(HIDDEN, {"grade": True, "locked": True}, cell_id="t")
    made = hide(notebook_of(test, code(own, {"solution": True}, outputs)))
    return made["cells"]


def test_hidden_tests_and_evidence_are_taken_out_of_a_notebook():
    scheme = "Why?\n### BEGIN MARK SCHEME\n- a point\n### END MARK SCHEME"
    notebook = notebook_of(
        code("evidence", cell_id="grading-evidence"),
        code(HIDDEN, {"locked": True}),
        {"cell_type": "markdown", "metadata": {"nbgrader": {"task": True}}, "source": scheme},
        code(HIDDEN, {"solution": True}),
        code(HIDDEN),
    )
    assert [cell["source"] for cell in hide(notebook)["cells"]] == [
        *(f"# Visible.\nassert double(1) == 2\n{IN_PLACE}", "Why?", HIDDEN, HIDDEN)
    ]
    assert notebook["cells"][1]["source"] == HIDDEN


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ({**STREAM, "text": f"a\n{SECRET}\nx = 1"}, {**STREAM, "text": f"a\n{GONE}\nx = 1"}),
        ({**STREAM, "text": ["a\n", SECRET]}, {**STREAM, "text": f"a\n{GONE}"}),
        (
            {**DISPLAYED, "data": {"text/html": SECRET.replace("<", "&lt;"), "image/png": SECRET}},
            {**DISPLAYED, "data": {"text/html": GONE, "image/png": SECRET}},
        ),
        ({**ERROR, "evalue": SECRET}, {**ERROR, "evalue": GONE}),
        (
            {**ERROR, "evalue": SECRET, "traceback": ["a\nb", f"\x1b[31m2 {SECRET}\x1b[0m\nc"]},
            {**ERROR, "evalue": GONE, "traceback": ["a", "b", "c"]},
        ),
        (
            {**ERROR, "evalue": "3 < 2", "traceback": [f"--> 2 ass\x1b[0mert {SECRET[7:]}"]},
            {
                **ERROR,
                "evalue": "A hidden test failed here ({error}).",
                "traceback": ["A hidden test failed here (E)."],
            },
        ),
        ({**ERROR, "traceback": ["--> 2 x = 1"]}, {**ERROR, "traceback": ["--> 2 x = 1"]}),
    ],
)
def test_lines_of_hidden_tests_are_cleared_from_what_is_shown(output, shown):
    assert hidden(output)[1]["outputs"] == [shown]


def test_a_line_that_the_student_has_too_is_no_secret():
    output = {**STREAM, "text": SECRET}
    assert hidden(output, own=f"  {SECRET}")[1]["outputs"] == [output]


# --- the page ------------------------------------------------------------------------------------


def markdown(source, meta=None, **more):
    metadata = {"nbgrader": meta} if meta is not None else {}
    return {"cell_type": "markdown", "id": "m", "metadata": metadata, "source": source, **more}


LOCKED = {"locked": True}


def test_what_stands_on_a_page_by_the_headings_of_the_assignment():
    title, second = markdown("# The *title*", LOCKED), markdown("# Another", LOCKED)
    notes = {**markdown("notes"), "id": "grading-notes"}
    task = markdown("## Task 1: f\nWrite it.", LOCKED)
    more = markdown("### Deeper", LOCKED)
    marked = {"task": True, "score": 1.5, "points": 2, "comment": "Good."}
    by_hand = markdown("## Drawn", marked)
    answer = code("f", {"solution": True, "score": None, "points": None})
    test = code("#  It adds.\n1", {"grade": True, "score": 1, "points": 2, "grade_id": "g"})
    unnamed = code("", {"grade": True, "grade_id": "g", "points": 3})
    setup = code("import x", LOCKED)
    broken = code("import y", LOCKED, [STREAM, ERROR])
    own, empty, shows = code("own"), code(" "), code("", None, [STREAM])
    written = markdown("# Mine", {"solution": True, "grade": True, "locked": True})
    found = outline(
        [
            *(title, second, notes, task, more, answer, test, setup, broken, by_hand, unnamed),
            *(own, empty, shows, written, markdown("## Empty", LOCKED)),
        ]
    )
    assert found[:2] == ("The <em>title</em>", notes)
    assert found[2] == [
        Part(
            "Task 1: f",
            [{**task, "source": "Write it."}, more],
            [Item("answer", answer), Item("test", test, 1, 2, "", "It adds."), Item("own", broken)],
        ),
        Part(
            "Drawn",
            [],
            [
                Item("task", {**by_hand, "source": ""}, 1.5, 2, "Good."),
                *(Item("test", unnamed, 0, 3, "", "g"), Item("own", own), Item("own", shows)),
                Item("answer", written),
            ],
        ),
    ]
    first, other = found[2]
    assert (first.score, first.points, first.has_comment) == (1, 2, False)
    assert (other.score, other.points, other.has_comment) == (1.5, 5, True)


def test_code_on_a_page_has_a_class_for_each_kind_of_word():
    assert coloured(code("if x: # <y>\n    return 'a' + 1\n")) == (
        '<span class="k">if</span> x: <span class="c1"># &lt;y&gt;</span>\n'
        '    <span class="k">return</span> <span class="s1">&#x27;</span>'
        '<span class="s1">a</span><span class="s1">&#x27;</span> + <span class="mi">1</span>'
    )
    for text in ("True", "import a", "a and b", "class A: pass"):
        assert "<span" in coloured(code(text, LOCKED))
    assert "<span" not in coloured(code("if x: 1\n" * 7000))


DATA = base64.b64encode(b"<svg/>").decode()


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ({**STREAM, "text": ["<a>", "\x1b[31mb"]},
         '<pre>&lt;a&gt;<span class="ansi-red-fg">b</span></pre>'),
        ({**ERROR, "traceback": ["<a>", "b"]}, "<pre>&lt;a&gt;\nb</pre>"),
        ({**DISPLAYED, "data": {"text/plain": "x", "text/html": "<b>y</b><script>z</script>"}},
         '<div class="wide" tabindex="0"><b>y</b></div>'),
        ({**DISPLAYED, "data": {"text/plain": "x", "text/markdown": "*y*"}},
         '<div class="text"><p><em>y</em></p>\n</div>'),
        ({**DISPLAYED, "data": {"text/plain": "x", "image/jpeg": "A A\n", "image/svg+xml": "y"}},
         '<img src="data:image/jpeg;base64,AA" alt="none">'),
        ({**DISPLAYED, "data": {"image/png": "AA", "image/jpeg": "BB"},
          "metadata": {"image/png": {"alt": 'a "cat"'}}},
         '<img src="data:image/png;base64,AA" alt="a &#34;cat&#34;">'),
        ({**DISPLAYED, "data": {"image/svg+xml": "<svg/>"}, "metadata": {"image/svg+xml": "odd"}},
         f'<img src="data:image/svg+xml;base64,{DATA}" alt="none">'),
        ({**DISPLAYED, "data": {"text/plain": ["<", "x"]}}, "<pre>&lt;x</pre>"),
        ({**DISPLAYED, "data": {}}, ""),
    ],
)  # fmt: skip
def test_an_output_on_a_page_is_its_richest_form_made_harmless(output, shown):
    assert page._shown(output, "none") == shown


def words_of(cells, **changed):
    marks = {"score": 1.5, "max_score": 4, "late_penalty": 0, **changed}
    made = BeautifulSoup(page.make(cells, marks, "Ann <b>", "x"), "html.parser")
    made.style.decompose()
    return made, made.get_text("|", strip=True)


def test_the_page_of_a_student_from_top_to_end():
    half = {"grade": True, "grade_id": "a", "score": 0.5, "points": 1}
    made, words = words_of(
        [
            markdown("# Title", LOCKED),
            markdown("## Task 1", LOCKED),
            markdown("What to do.", LOCKED),
            code("f = 1", {"solution": True, "comment": "No response."}),
            code("# All.", {**half, "score": 1}),
            code("# Half.", half, [STREAM]),
            code("# None.", {**half, "score": 0}),
            markdown("why", {"solution": True, "grade": True, "score": 1.25, "points": 2}),
            markdown("Draw.", {"task": True, "points": 2, "comment": "*Well*"}),
            {**markdown("raw <b>"), "cell_type": "raw"},
            markdown("## Task 2", LOCKED),
            code("mine"),
        ]
    )
    assert words.split("|") == [
        *("Title: Ann <b>", "Title", "Ann <b>", "1.5 of 4 points"),
        *("Task", "Points", "Task 1", "(with a comment)", "2.75 of 7"),
        *("Task 1", "2.75 of 7 points", "What was asked", "What to do."),
        *("Your answer", "f =", "1", "Comment", "No response."),
        *("Passed", "All.", "1 of 1", "# All."),
        *("In part", "Half.", "0.5 of 1", "careful", "# Half."),
        *("Not passed", "None.", "0 of 1", "# None."),
        *("Your answer", "(1.25 of 2 points)", "why"),
        *("Marked by a person", "(0 of 2 points)", "Draw.", "Comment", "Well"),
        *("raw <b>", "Task 2", "mine"),
    ]
    opened = [details.has_attr("open") for details in made("details", class_="test")]
    assert opened == [False, True, True]


def test_the_sum_on_a_page():
    assert (
        "|x|Ann <b>|0 of 4 points|2.25 points are taken off"
        in (words_of([], score=-1, late_penalty=2.25)[1])
    )
    assert words_of([], score=1, max_score=1)[1].endswith("|1 of 1 point")
    made, words = words_of([code("mine")])
    assert words.endswith("|1.5 of 4 points|Also in your notebook|mine")
    assert made.table is None


# --- what is recorded of a test ------------------------------------------------------------------


def check_failed():
    failure = CheckFailed("It is 3.", kind="values")
    failure.hidden, failure.diagnosis = True, "A known one."
    return failure


class Odd(ValueError):
    pass


COULD_NOT = "The test could not use what came back ({}).".format


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (check_failed(), "It is 3."),
        (NotJudged("Python itself ended here."), "Python itself ended here."),
        (Odd("the number 135914"), COULD_NOT("ValueError")),
        (TookTooLong("x"), COULD_NOT("TookTooLong")),
    ],
)
def test_what_is_told_of_a_failure(failure, message):
    assert message_of(failure) == message
    assert error_output(failure) == {
        "output_type": "error",
        "ename": type(failure).__name__,
        "evalue": message,
        "traceback": [message],
    }


@pytest.mark.parametrize(
    ("failure", "value", "result"),
    [
        (None, None, {"score": 2.0, "max_score": 2.0}),
        (None, 0.5, {"score": 0.5, "max_score": 2.0}),
        (None, -1.0, {"score": 0.0, "max_score": 2.0}),
        (None, 7.0, {"score": 2.0, "max_score": 2.0}),
        (None, 0.0, {"score": 0.0, "max_score": 2.0}),
        (Odd(), 1.0, failed("error", message=COULD_NOT("ValueError"))),
        (NotJudged("x" * 6000), None, failed("error", message="x" * 5000)),
    ],
)
def test_what_is_recorded_of_a_test(failure, value, result):
    assert result_of({"points": 2}, failure, value) == result


def test_what_is_recorded_of_a_known_mistake():
    made = result_of({"points": 2}, check_failed())
    wanted = failed("values", hidden=True)
    wanted["failure"]["diagnosis"] = "A known one."
    assert made == wanted


def test_what_is_shown_of_a_test():
    assert points_line({"score": 0.5, "max_score": 2.0}) == {**OUT, "text": "0.5 of 2 points\n"}
    outputs = [{**OUT, "text": f"one\n{passed()}"}, {**OUT, "text": passed()}, DISPLAYED]
    assert without_passed(outputs) == [{**OUT, "text": "one\n"}, DISPLAYED]


def test_what_one_judge_leaves_to_the_next():
    cells = [{"grade_id": "a"}, {"grade_id": "b"}]
    progress = Progress([([], None)] * 2)
    step = {"outputs": [OUT], "count": 3, "ran": True, "totals": {"cpu": 1.5, "restarts": 2}}
    progress.apply({"cell": 1, **step}, cells)
    progress.apply({"cell": 0, "test": {"score": 1, "max_score": 1}, "is_deferred": True}, cells)
    progress.apply({"totals": {"seconds": 4.0}}, cells)
    assert progress.note("died") == "died"
    assert progress.note("cell timeout") == "cell timeout"
    assert progress == Progress(
        [([], None), ([OUT], 3)],
        {"a": {"score": 1, "max_score": 1}},
        ran=[1],
        deferred=[0],
        steps=3,
        outcome="died",
        cpu=1.5,
        seconds=4.0,
        restarts=2,
    )
    again = Progress([])
    again.set_totals(progress.totals())
    wanted = ("died", [], False, 4.0, 1.5, 0, 2)
    names = ("outcome", "flags", "contended", "seconds", "cpu", "shown", "restarts")
    assert progress.totals() == dict(zip(names, wanted, strict=True))
    assert again.totals() == progress.totals()


# --- how much ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "is_secret"), [("f(1, 2) == 34", True), ("f(1) == 1234", True), ("f(1) == 123", False)]
)
def test_a_line_of_12_characters_is_a_secret(line, is_secret):
    """Shorter ones, such as a bracket, stand in students' own code, too."""
    test = code(f"# Visible.\n{BEGIN}\n{line}\n{END}", {"grade": True, "locked": True})
    own = code("mine", {"solution": True}, [{**STREAM, "text": line}])
    shown = hide(notebook_of(test, own))["cells"][1]["outputs"]
    assert shown == [{**STREAM, "text": GONE if is_secret else line}]


def test_40_notes_are_told_and_40_flags():
    result = {"outcome": "graded", "flags": ["flag"] * 42}
    notes, evidence = finish(notebook_of(), {}, result, ["note"] * 41)["cells"]
    assert notes["source"].endswith("- note\n" * 40 + "- and 1 more")
    assert evidence["source"].endswith("- flag\n" * 40 + "- and 2 more")


def test_50_000_characters_of_a_cell_have_colours():
    assert "<span" in coloured(code("# " + "x" * 49_998))
    assert coloured(code("# " + "x" * 49_999)) == "# " + "x" * 49_999


def test_300_000_characters_of_a_student_fit_on_a_page():
    ours = code("y" * 400_000, {"locked": True, "grade_id": "t"})
    shown = {"output_type": "display_data", "data": {"text/plain": "o" * 9, "image/png": "p" * 99}}
    cells = [ours, code("x" * 299_990, {}, [shown]), code("z"), code("z", {}, [shown]), ours]
    made = _fitting(cells, "en")
    assert made[:3] == cells[:3]
    assert (made[3]["source"], made[3]["outputs"]) == (TOO_LONG, [])
    assert made[4] == ours
