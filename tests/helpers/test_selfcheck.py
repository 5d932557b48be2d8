"""`course check`: what a student reads before handing in."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers import language
from helpers.assignment import Sheet, fingerprint, selfcheck
from helpers.assignment import __main__ as command
from helpers.assignment import watch as watching
from helpers.assignment.messages import line_of_cell
from helpers.assignment.notebook_file import Unreadable, read
from helpers.assignment.overview import overview
from helpers.checks import lead
from helpers.command.variables import LANGUAGE
from helpers.language import gettext, speaking

SETUP = 'from helpers.assignment import Checker\n\ncheck = Checker("trial")'
TRY = "number = 3\nf(number)"
TEST_F = '# It doubles.\ncheck("f", 3).gives(6)'
TEST_G = '# It squares.\ncheck("g", 3).gives(9)'


def cell(source, grade_id=None, points=None, cell_id=None):
    made = new_code_cell(source, id=cell_id or grade_id or "free")
    if grade_id:
        made.metadata["nbgrader"] = {
            "grade": points is not None,
            "grade_id": grade_id,
            "locked": points is not None,
            "points": points or 0,
            "solution": points is None,
            "schema_version": 3,
        }
    return made


@pytest.fixture
def course(tmp_path):
    """A folder assignments/ with one small assignment, and a function that writes its answer."""
    folder = tmp_path / "assignments" / "01-trial"
    folder.mkdir(parents=True)
    sheet = Sheet(
        tests={
            "f_doubles": {"points": 2, "digest": fingerprint(TEST_F)},
            "g_squares": {"points": 3, "digest": fingerprint(TEST_G)},
        },
        tries={"try": fingerprint(TRY)},
    )
    (folder / "checks.json").write_text(sheet.to_json(), encoding="utf-8")

    def write(f="def f(x):\n    return 2 * x", g="def g(x):\n    return x * x", change=None):
        cells = [
            cell(SETUP, cell_id="setup"),
            cell(f, "f"),
            cell(TEST_F, "f_doubles", 2),
            cell(g, "g"),
            cell(TEST_G, "g_squares", 3),
        ]
        if change:
            change(cells)
        path = folder / "01-trial.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write


def run(path):
    lines = []
    passed = selfcheck.check(path.stem, lines.append, path.parents[1])
    return passed, "\n".join(lines)


def test_solved_assignment(course):
    path = course()
    before = path.read_bytes()
    passed, text = run(path)
    assert passed
    assert "pass  2/2  f_doubles" in text
    assert "5 of 5 points on the visible tests; all tests pass." in text
    assert "Note:" not in text
    assert path.read_bytes() == before


def test_a_mistake_is_shown_with_its_message_and_the_rest_still_runs(course):
    passed, text = run(course(f="def f(x):\n    return 2 * x + 1"))
    assert not passed
    assert "FAIL  0/2  f_doubles" in text
    assert "expected 6, received 7" in text
    assert "pass  3/3  g_squares" in text
    assert "3 of 5 points on the visible tests; 1 of 2 tests fail." in text


def test_a_syntax_error_is_told_with_its_cell_and_line_and_what_follows_is_not(course):
    def change(cells):
        cells.insert(2, cell(TRY, cell_id="try"))
        cells.insert(3, cell("h = f\nh(5)", cell_id="own"))

    _, text = run(course(f="def f(x):\n    y = 2 * x\n    return y)", change=change))
    assert (
        "\n  Cell [2], `f`, stopped:\n    SyntaxError: unmatched ')'\n      in        line 3:\n"
        f"{' ' * 18}return y)\n{' ' * 18}        ^\n\n  Fix this first.\n"
    ) in text.replace("^\n", "^\n\n")
    assert "  FAIL  0/2  f_doubles   cell [2] stopped, see above\n" in text
    assert "is not defined" not in text
    assert "There is no `f`" not in text
    assert "Cells have the numbers that" in text
    assert "pass  3/3  g_squares" in text


def test_an_error_is_shown_once_with_the_students_line_wherever_it_comes_up_again(course):
    def change(cells):
        cells.insert(2, cell(TRY, cell_id="try"))

    _, text = run(course(f="def f(number):\n    return 2 * numbr", change=change))
    assert text.count("NameError: name 'numbr' is not defined") == 1
    assert "in        f, line 2 of cell [2]:\n                  return 2 * numbr" in text
    assert "why       There is no `numbr` here. Did you mean `number`?" in text
    assert "called in line 2 of cell [3]:\n                  f(number)" in text
    assert text.index("Fix this first.") < text.index("FAIL  0/2  f_doubles   the same as above")


def test_the_answer_is_in_the_language_of_the_notebook(course, monkeypatch):
    """Also what the report leaves out is known again: by the kernel's messages in Korean."""
    monkeypatch.setenv(LANGUAGE, "ko")

    def change(cells):
        cells[2:2] = [
            cell(TRY, cell_id="try"),
            cell("def k(x):\n    raise NotImplementedError", "k"),
            cell("k(1)", cell_id="try_k"),
        ]
        cells.insert(0, cell("def less(x):\n    return x + np.arange(2)", "less"))
        cells.append(cell('# Less.\ncheck("less", 5).gives(3)', "less_5", 1))
        cells.append(cell('# More.\ncheck("less", (8, 9)).gives(3)', "less_8", 1))

    passed, text = run(course(f="def f(x):\n    return 2 * x)", change=change))
    assert not passed
    assert "처음부터 끝까지 실행합니다" in text
    assert "\n  셀 [3] `f` 실행이 멈췄습니다:\n    SyntaxError: unmatched ')'\n" in text
    assert "  실패  0/2  f_doubles   셀 [3]에서 멈췄습니다. 위를 보세요\n" in text
    assert "`f` 정의가 없습니다" not in text
    assert "아직 작성하지 않았습니다" not in text
    assert "  통과  3/3  g_squares" in text
    assert text.count("여기에 `np` 이름이 없습니다") == 1
    assert "  실패  0/1  less_8   위와 같음" in text
    assert "셀 번호는 Kernel > Restart" in text
    assert "5점 중 3점입니다. 테스트 2개 중 1개에 실패했습니다." in text
    assert not re.search("fails|stopped|Fix|Note|points", text)


def test_an_english_notebook_is_answered_in_english_whatever_language_was_chosen(
    course, monkeypatch, tmp_path
):
    path = course()
    lines = []

    def answer(opened, show, folder):
        show(gettext("FAIL"))

    def wait(seconds):
        raise KeyboardInterrupt

    monkeypatch.setenv(LANGUAGE, "ko")
    monkeypatch.setattr(language, "ROOT", tmp_path)
    for module in (selfcheck, watching):
        monkeypatch.setattr(module, "check_opened", answer)
    selfcheck.check("01", lines.append, path.parents[1])
    watching.watch("01", lines.append, path.parents[1], wait)
    (path.parent / "checks.json").unlink()
    path.unlink()
    with pytest.raises(selfcheck.NotCheckable, match=r"^There are no assignments in"):
        overview(lines.append, path.parents[1])
    assert lines[0] == lines[2] == "FAIL"
    assert "Not watching any more." in lines[-1]
    assert gettext("FAIL") == "실패"


def test_a_report_says_how_cells_are_counted_where_it_names_one():
    for code in ("en", "ko"):
        with speaking(code):
            line = line_of_cell().format(line=3, cell=7)
            assert selfcheck._tells_cells({"f", f"{line}: x[0]:"})
            assert not selfcheck._tells_cells({"f", gettext("line {line}").format(line=3)})


def test_what_the_later_failures_of_a_function_leave_out_is_known_in_korean():
    with speaking("ko"):
        lines = [lead(gettext(label)) + "x" for label in ("why", "call", "input", "hint", "in")]
        kept = selfcheck._without_numbers(["f: 다릅니다.", *lines, " " * 14 + "x"])
        assert kept == ["f: 다릅니다.", lines[0], lines[3], lines[4], " " * 14 + "x"]


def test_an_empty_line_between_the_maps_of_an_array_does_not_end_its_block():
    block = [lead("input") + "x = array", " " * 14 + "[[1 2]", "", " " * 14 + " [3 4]]"]
    reason = [lead("why") + "so", "", " " * 12 + "it is"]
    assert selfcheck._without_numbers(["f: 2 differ", *block, *reason]) == ["f: 2 differ", *reason]


def test_what_is_not_written_yet_is_told_by_the_tests_alone(course):
    def change(cells):
        cells.insert(2, cell(TRY, cell_id="try"))

    _, text = run(course(f="def f(x):\n    raise NotImplementedError", change=change))
    assert "stopped" not in text
    assert text.count("it is not written yet") == 1


def test_later_failures_of_a_function_are_shown_without_its_numbers(course):
    def change(cells):
        cells.append(cell('# Again.\ncheck("f", 5).gives(10)', "f_again", 1))

    _, text = run(course(f="def f(x):\n    return x", change=change))
    assert text.count("f: expected") == 2
    assert text.count("received  ") == 1


def test_changed_deleted_and_copied_tests_are_noticed(course):
    def change(cells):
        cells[2].source += "\npass"
        cells.append(cell(TEST_F, "f_doubles", 2, cell_id="again"))
        del cells[4]

    _, text = run(course(change=change))
    text = " ".join(text.split())
    assert "The test cell f_doubles is not the one you were given" in text
    assert "The test cell g_squares is missing" in text
    assert "There are 2 copies of the test cell f_doubles" in text


def test_a_cell_that_ends_python_costs_the_rest_but_not_the_report(course):
    _, text = run(course(g="import os\nos._exit(1)"))
    assert "pass  2/2  f_doubles" in text
    assert "FAIL  0/3  g_squares" in text
    assert "Python itself ended here" in text


def test_an_endless_cell_ran_too_long(course, monkeypatch):
    monkeypatch.setattr(selfcheck, "SECONDS_A_CELL", 2)
    passed, text = run(course(f="f = 1\nwhile True:\n    f += 1"))
    assert not passed
    assert "Cell [2], `f`, stopped:\n    It ran too long: it was stopped after 2 seconds." in text
    assert "of cell [2]:" in text
    assert "KeyboardInterrupt" not in text
    assert "FAIL  0/2  f_doubles" in text
    assert "pass  3/3  g_squares" in text


def test_a_notebook_that_takes_too_long_is_stopped_as_it_is_when_graded(course, monkeypatch):
    monkeypatch.setattr(selfcheck, "SECONDS_A_NOTEBOOK", 2)
    passed, text = run(course(g="while True:\n    pass"))
    assert not passed
    assert "pass  2/2  f_doubles" in text
    assert "stopped:\n    It was stopped here: the notebook as a whole may take 2 seconds." in text
    assert "FAIL  0/3  g_squares\n" in text
    assert "took longer than the 2 seconds that it may: this cell did not run." in text


def test_names_numbers_and_paths_find_the_notebook(course):
    path = course()
    folder = path.parents[1]
    for name in ("01", "1", "01-trial", str(path), str(path.parent)):
        assert selfcheck.find_notebook(name, folder).resolve() == path.resolve()
    with pytest.raises(selfcheck.NotCheckable, match="There is no assignment '07'"):
        selfcheck.find_notebook("07", folder)
    with pytest.raises(selfcheck.NotCheckable, match="course check 01 --watch\n  01-trial"):
        selfcheck.find_notebook("", folder)


def lost(*grade_ids):
    """A change in which these cells lose their metadata."""

    def change(cells):
        for found in cells:
            if found.metadata.get("nbgrader", {}).get("grade_id") in grade_ids:
                found.metadata = nbformat.from_dict({})

    return change


def test_the_total_is_the_assignments_whatever_is_missing(course):
    def change(cells):
        del cells[4]

    passed, text = run(course(change=change))
    assert not passed
    assert "2 of 5 points on the visible tests; 1 of 2 tests fail." in text
    assert "The test cell g_squares is missing." in text


@pytest.mark.parametrize("has_metadata", [True, False])
def test_a_copy_in_another_folder_counts_out_of_the_same_points(course, tmp_path, has_metadata):
    def change(cells):
        del cells[-1]
        for one in () if has_metadata else cells:
            one.metadata.pop("nbgrader", None)

    path = course(change=change)
    elsewhere = path.rename(tmp_path / "my copy.ipynb")
    other = Sheet(tests={"h": {"points": 50, "digest": "other"}})
    (tmp_path / "assignments" / "02-other").mkdir()
    for name in ("02-other.ipynb", "checks.json"):
        (tmp_path / "assignments" / "02-other" / name).write_text(other.to_json())
    path.write_text("{}")  # the assignment's notebook is there
    shown = []
    passed = selfcheck.check(elsewhere, shown.append, tmp_path / "assignments")
    text = "\n".join(shown)
    assert not passed
    assert "2 of 5 points on the visible tests; 1 of 2 tests fail." in text
    assert "The test cell g_squares is missing." in text


def test_copies_and_tests_of_their_own_count_for_nothing(course):
    def change(cells):
        cells.append(cell(TEST_F, "f_doubles", 2, cell_id="again"))
        cells.append(cell("pass", "bonus", 100))

    passed, text = run(course(change=change))
    assert passed
    assert "5 of 5 points on the visible tests; all tests pass." in text


def test_test_cells_without_metadata_are_known_by_their_text(course):
    passed, text = run(course(change=lost("f_doubles", "g_squares")))
    assert passed
    assert "pass  2/2  f_doubles" in text
    assert "5 of 5 points" in text
    assert "The test cell f_doubles lost its metadata: its text tells it." in text
    _, text = run(course(g="def g(x):\n    return x", change=lost("g_squares")))
    assert "2 of 5 points" in text


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_cells_of_another_type_run_as_they_do_when_graded(course, kind):
    def change(cells):
        for number in (1, 4):
            made = nbformat.from_dict({**cells[number], "cell_type": kind})
            del made["outputs"], made["execution_count"]
            cells[number] = made

    passed, text = run(course(change=change))
    assert passed
    text = " ".join(text.split())
    assert f"The cell f is a {kind} cell now. It runs as code" in text
    assert f"The cell g_squares is a {kind} cell now." in text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_encodings_that_the_grader_takes(course, encoding):
    path = course(f="# é\ndef f(x):\n    return 2 * x")
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_bytes(json.dumps(content, ensure_ascii=False).encode(encoding))
    passed, text = run(path)
    assert passed
    assert ("letters with accents may be wrong" in " ".join(text.split())) is (
        encoding == "latin-1"
    )


def test_large_outputs_are_no_matter_and_large_texts_are_told_as_by_the_grader(course):
    def change(cells):
        data = {"image/png": "A" * 60 * 2**20}
        cells[1].outputs = [nbformat.v4.new_output("display_data", data)]

    assert run(course(change=change))[0]
    path = course(change=lambda cells: cells.insert(1, cell("#" * 3 * 2**20)))
    with pytest.raises(Unreadable) as graders:
        read(path.read_bytes())
    with pytest.raises(selfcheck.NotCheckable) as students:
        run(path)
    assert str(graders.value) in str(students.value)
    assert "Take out what is large" in str(students.value)


def test_what_git_could_not_merge_is_told_with_what_to_do(course):
    path = course()
    text = path.read_text(encoding="utf-8")
    path.write_text("<<<<<<< HEAD\n" + text, encoding="utf-8")
    with pytest.raises(selfcheck.NotCheckable, match=r"conflict markers.* keep one of the two"):
        run(path)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff\xfe", b"[]"])
def test_damaged_file_is_reported(course, content):
    path = course()
    path.write_bytes(content)
    with pytest.raises(selfcheck.NotCheckable, match="cannot be read as a notebook"):
        run(path)


def test_command_line(course):
    path = course(f="def f(x):\n    return x")
    words = [sys.executable, "-m", "helpers.assignment", str(path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert "1 of 2 tests fail" in done.stdout
    missing = subprocess.run([*words[:-1], "nothing"], capture_output=True, text=True)
    assert missing.returncode == 2
    assert "There is no assignment 'nothing'" in missing.stderr


@pytest.mark.parametrize(
    ("words", "steps", "status"),
    [
        (["01"], ["check 01"], 0),
        (["wrong"], ["check wrong"], 1),
        ([], ["overview"], 0),
        ([" "], ["overview"], 0),
        (["01", "--watch"], ["watch 01"], 0),
        (["--watch"], ["watch "], 0),
        (["nothing"], ["check nothing"], 2),
    ],
)
def test_the_words_decide_what_is_done_and_the_result_is_the_status(
    monkeypatch, capsys, tmp_path, words, steps, status
):
    done = []

    def check(name, show, folder):
        done.append(f"check {name}")
        show("said")
        if name == "nothing":
            raise selfcheck.NotCheckable("no such assignment")
        return name == "01"

    monkeypatch.setenv(LANGUAGE, "en")
    monkeypatch.setattr(command, "check", check)
    monkeypatch.setattr(command, "watch", lambda name, *given: done.append(f"watch {name}"))
    monkeypatch.setattr(command, "overview", lambda *given: done.append("overview") or True)
    assert command.main(words) == status
    assert done == steps
    said = capsys.readouterr()
    assert said.err == ("no such assignment\n" if status == 2 else "")
    assert said.out == ("said\n" if steps[0].startswith("check") else "")
    monkeypatch.setattr(command, "overview", lambda *given: False)
    assert command.main([]) == 1


def test_the_assignments_are_those_of_the_readers_language(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    english, korean = Path("assignments"), Path("ko/assignments")
    monkeypatch.setenv(LANGUAGE, "ko")
    assert command.assignments_folder("01") == english  # none is made in Korean yet
    korean.mkdir(parents=True)
    assert command.assignments_folder("01") == korean
    monkeypatch.setattr(command, "current", lambda folder=None: "en" if folder else "ko")
    path = tmp_path / "x.ipynb"
    assert command.assignments_folder(str(path)) == korean  # there is none of that name
    path.write_text("{}")
    assert command.assignments_folder(str(path)) == english
    assert os.environ[LANGUAGE] == "en"
    (tmp_path / "x.txt").touch()
    assert command.assignments_folder(str(tmp_path / "x.txt")) == korean
    assert os.environ[LANGUAGE] == "ko"


# --- its parts, without a kernel ---------------------------------------------------------------


def test_a_name_that_fits_none_or_several_lists_what_there_is(tmp_path):
    def said(name):
        with pytest.raises(selfcheck.NotCheckable) as told:
            selfcheck.find_notebook(name, tmp_path)
        return str(told.value).splitlines()

    assert said("01") == ["There is no assignment '01'. The assignments here are:", "  none"]
    for name in ("01-a", "01-b", "02-c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.ipynb").touch()
    assert said("1") == [
        "More than one notebook fits '1'. The assignments here are:",
        *("  01-a", "  01-b"),
    ]
    assert said("3")[1:] == said(" ")[1:] == ["  01-a", "  01-b", "  02-c"]
    (tmp_path / "01-a/copy.ipynb").touch()
    assert said(tmp_path / "01-a")[1:] == ["  01-a", "  copy"]
    assert selfcheck.find_notebook("02", tmp_path) == tmp_path / "02-c/02-c.ipynb"


def test_a_file_that_cannot_be_opened_is_told_with_the_reason(tmp_path):
    with pytest.raises(selfcheck.NotCheckable) as told:
        selfcheck.read_notebook(tmp_path / "no.ipynb")
    said = f"{tmp_path / 'no.ipynb'} cannot be opened: No such file or directory."
    assert str(told.value) == said


def test_a_notebook_without_tests_is_none_to_check(tmp_path):
    path = tmp_path / "mine.ipynb"
    written = cell("x = 1", "answer")
    task = nbformat.v4.new_markdown_cell("y")
    task.metadata["nbgrader"] = {"grade": True, "solution": True, "grade_id": "words", "points": 2}
    nbformat.write(new_notebook(cells=[written, task]), path)
    with pytest.raises(selfcheck.NotCheckable) as told:
        selfcheck.open_notebook(path, tmp_path)
    assert str(told.value) == f"There are no test cells in {path}. Is it the right file?"


def test_written_answers_and_locked_texts_stay_texts():
    def text(grade, solution):
        made = nbformat.v4.new_markdown_cell("words")
        made.metadata["nbgrader"] = {"grade": grade, "solution": solution, "grade_id": "w"}
        return made

    cells = [text(True, True), text(False, False)]
    assert selfcheck.put_back(new_notebook(cells=cells), Sheet()) == []
    assert [one.cell_type for one in cells] == ["markdown", "markdown"]
    cells = [text(True, False), text(False, True)]
    cells[0]["attachments"] = {"a.png": {}}
    said = (
        "The cell w is a markdown cell now. It runs as code, as it does when you are graded: "
        "select it and press y."
    )
    assert selfcheck.put_back(new_notebook(cells=cells), Sheet()) == [said, said]
    for one in cells:
        assert (one.cell_type, one.outputs, one.execution_count) == ("code", [], None)
        assert "attachments" not in one


def test_a_test_cell_that_lost_its_metadata_is_known_once():
    sheet = Sheet(tests={"f_doubles": {"points": 2, "digest": fingerprint(TEST_F)}})
    cells = [cell(TEST_F, cell_id="a"), cell(f"\n{TEST_F} ", cell_id="b"), cell("x = 1")]
    said = "The test cell f_doubles lost its metadata: its text tells it."
    assert selfcheck.put_back(new_notebook(cells=cells), sheet) == [said]
    meta = {"grade": True, "grade_id": "f_doubles", "points": 2, "solution": False}
    assert [one.metadata.get("nbgrader") for one in cells] == [meta, None, None]
    cells = [cell(TEST_F), cell("x", "f_doubles", 2)]
    assert selfcheck.put_back(new_notebook(cells=cells), sheet) == []


def test_what_should_have_stayed_is_told_for_each_test():
    sheet = Sheet(
        tests={
            name: {"points": 1, "digest": fingerprint(text)}
            for name, text in (("a", TEST_F), ("b", TEST_G), ("c", "c"), ("d", "d"))
        }
    )
    cells = [cell(f" {TEST_F}\n", "a", 1), cell("x", "b", 1), cell("d", "d", 1), cell("y", "e", 1)]
    cells.append(cell("d", "d", 1, cell_id="again"))
    assert selfcheck.complaints(new_notebook(cells=cells), sheet) == [
        "The test cell b is not the one you were given: it was edited, or it is from another "
        "release. When you are graded, the original one counts.",
        "The test cell c is missing. When you are graded, it is put back.",
        "There are 2 copies of the test cell d: keep one.",
    ]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x):\n    y = 1\nclass C:\n    z = 1", {"f", "C"}),
        ("a = 1\nb=2\nc == 3\nd.e = 4", {"a", "b"}),
        ("import numpy as np\nfrom torch import nn\nimport math", {"np", "nn", "math"}),
        ("print(1)", set()),
    ],
)
def test_what_a_cell_defines_is_read_from_its_lines(source, names):
    assert selfcheck._defined_names(source) == names


def test_a_cell_is_called_by_its_number_and_its_task_or_first_line():
    made = cell("\n" + "x" * 70 + "\ny", "f")
    made.execution_count = 3
    assert selfcheck._cell_name(made) == "Cell [3], `f`,"
    made.metadata = nbformat.from_dict({})
    assert selfcheck._cell_name(made) == f"Cell [3], `{'x' * 60}`,"


@pytest.mark.parametrize(
    ("name", "value", "trace", "said"),
    [
        ("ValueError", "v", ["\x1b[0;31mf: v\x1b[0m", "in"], "f: v\nin"),
        ("ValueError", "v", ["Traceback (most recent call last)", "x"], "ValueError: v"),
        ("ValueError", "v", ["x" * 9999], "x" * 40 * 80),
        (
            "SyntaxError",
            "bad (a.py, line 2)",
            ["File x, line 2", "    y)", "     ^", "SyntaxError: bad"],
            "SyntaxError: bad\n  in        line 2:\n              y)\n               ^",
        ),
        ("TabError", "bad", ["nothing known"], "TabError: bad"),
        ("IndentationError", "bad", ["nothing known"], "IndentationError: bad"),
        (
            "KeyboardInterrupt",
            "",
            ["Stopped by hand (KeyboardInterrupt).", "  in"],
            "It ran too long: it was stopped after 120 seconds.\n  in",
        ),
    ],
)
def test_the_error_of_a_cell_is_told_without_what_python_adds(name, value, trace, said):
    made = cell("x")
    made.outputs = [nbformat.v4.new_output("error", ename=name, evalue=value, traceback=trace)]
    assert selfcheck._failure(made) == said
    if name == "KeyboardInterrupt":
        said = "It was stopped here: the notebook as a whole may take 300 seconds.\n  in"
        assert selfcheck._failure(made, is_last=True) == said
    made.outputs = [nbformat.v4.new_output("stream", text="x")]
    assert selfcheck._failure(made) is None


def test_results_are_told_in_lines_and_nothing_twice():
    def shown(*results):
        known = set()
        return [selfcheck._lines(result, known) for result in results]

    message = "f: expected 1\n  input     x\n  received  2\n  why       so\n  hint      h"
    assert shown(
        selfcheck.Result("a", 2.0, None),
        selfcheck.Result("b", 2.5, message),
        selfcheck.Result("c", 1.0, message.replace("1", "3")),
        selfcheck.Result("d", 1.0, message),
        selfcheck.Result("e", 1.0, message.replace("f:", "g:").replace("1", "4")),
        selfcheck.Result("f", 1.0, "f: x", follows=4),
        selfcheck.Result("Cell [2], `f`,", 0.0, "NameError: n\n  in        f"),
        selfcheck.Result("Cell [3], `g`,", 0.0, "NameError: n\n  in        f\n  called in g"),
        selfcheck.Result("Cell [4], `h`,", 0.0, "KeyError: k"),
    ) == [
        "  pass  2/2  a",
        "  FAIL  0/2.5  b\n" + "\n".join(f"        {line}" for line in message.split("\n")),
        "  FAIL  0/1  c\n        f: expected 3\n          why       so\n          hint      h",
        "  FAIL  0/1  d   the same as above",
        "  FAIL  0/1  e\n"
        + "\n".join(
            f"        {line}" for line in message.replace("f:", "g:").replace("1", "4").split("\n")
        ),
        "  FAIL  0/1  f   cell [4] stopped, see above",
        "\n  Cell [2], `f`, stopped:\n    NameError: n\n      in        f\n  Fix this first.\n",
        "",
        "\n  Cell [4], `h`, stopped:\n    KeyError: k\n",
    ]


def test_a_report_ends_with_the_points_and_what_comes_when_graded(tmp_path, monkeypatch):
    results = [selfcheck.Result("a", 2.0, None), selfcheck.Result("b", 0.5, "f: expected 1")]

    def said(ran):
        monkeypatch.setattr(selfcheck, "run_tests", lambda notebook, folder, report: ran)
        opened = selfcheck.Opened(tmp_path / "x.ipynb", new_notebook(), Sheet(), ["So."], "")
        lines = []
        passed = selfcheck.check_opened(opened, lines.append, tmp_path)
        assert passed is all(one.message is None for one in ran)
        return lines

    graded = (
        "Each test also runs with other numbers when you are graded, and gives its points only if\n"
        "it passes there, too."
    )
    running = f"Running {tmp_path / 'x.ipynb'} from top to bottom ..."
    lines = said(results)
    assert lines[:3] == [running, "Note: So.", ""]
    assert lines[3] == "2 of 2.5 points on the visible tests; 1 of 2 tests fail."
    assert " ".join(lines[4].split()) == " ".join(graded.split())
    assert lines[5:] == [
        "Fix the first test that fails: later ones often fail for the same reason."
    ]
    lines = said(results[:1])
    assert lines[3] == "2 of 2 points on the visible tests; all tests pass."
    assert len(lines) == 5


def test_each_test_counts_once_whether_it_ran_or_not():
    sheet = Sheet(tests={name: {"points": 3, "digest": ""} for name in ("a", "b")})
    first, again = selfcheck.Result("a", 3.0, None), selfcheck.Result("a", 3.0, "wrong")
    other = selfcheck.Result("own", 9.0, None)
    missing = selfcheck.Result("b", 3.0, "The cell is missing.")
    assert selfcheck._counting([first, other, again], sheet) == [first, missing]
    assert selfcheck._counting([first, other], Sheet()) == [first, other]


@pytest.mark.parametrize("encoding", ["cp1251", "cp437", "ascii"])
def test_a_sign_that_a_terminal_cannot_show_ends_no_check(monkeypatch, encoding):
    """Output that is piped or redirected on Windows is in a code page."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    monkeypatch.setenv(LANGUAGE, "en")
    monkeypatch.setattr(
        command, "check", lambda name, show, folder: show("2 × 3 is not −6: ε") or True
    )
    assert command.main(["01"]) == 0
    shown = written.getvalue().decode(encoding)
    assert " 3 is not " in shown
    assert "\\u2212" in shown
