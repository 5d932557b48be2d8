"""tools/mutate: each fault changes one thing and leaves a file that can be read, the same seed
gives the same faults, and the course itself stays as it is."""

import ast
import json
import re
import subprocess
import sys
from collections import Counter

import nbformat
import pytest

from grader.authoring.bank import load_bank
from grader.authoring.examine import Workbench
from grader.authoring.source import assignments, full_name
from grader.cells import BEGIN_HIDDEN
from tests.support import needs
from tests.support.lessons import ROOT
from tools.mutate import __main__ as command
from tools.mutate import kinds, prose, python
from tools.mutate.cases import cases_of
from tools.mutate.checks import TRANSLATIONS, Check, Checks
from tools.mutate.fault import Edit, Fault, joined
from tools.mutate.workplace import PASSED, Workplace, files

pytestmark = needs.git
PROGRAM = '''
def f(x: "larger", size=3, *, axis=1):
    """Larger by 1."""
    if x < 2 and size == 3:  # é × before a place: bytes are not characters
        print("× the larger", x * 7, sep="")
    x += 2
    assert x
    return sum(x[1:], axis=axis) - g("é", size) / 0.5
'''
LESSON = """plots.curves(values, ["one", "two"], limits=(0, 5))
assert_same(left, right)
assert left > 0
"""
MARKDOWN = """# 02 See 12 windows

The map is larger: it has 48 numbers. See [lesson 03](03-b.ipynb#part) and
[04](04-c.ipynb). `x[17]` is code, $N + 2P_1$ a formula.
"""
TEST = """check("f", 3).gives(4)
### BEGIN HIDDEN TESTS
for size in [5, 6]:
    check.hidden("f", size).gives(size + 1).has_shape((7,))
### END HIDDEN TESTS
"""


def made(text, edits):
    """{what: the changed parts of the text that such edits make, with what stood there}"""
    found = {}
    for edit in edits:
        found.setdefault(edit.what, set()).add((text[edit.start : edit.end], edit.new))
    return found


def test_edits_of_python():
    source = python.Source(PROGRAM)
    found = made(PROGRAM, python.edits(source))
    assert found["comparison"] == {("x < 2", "x <= 2"), ("size == 3", "size != 3")}
    assert found["condition"] == {("x < 2 and size == 3", "not (x < 2 and size == 3)")}
    assert {before for before, _ in found["operator"]} == {
        "x < 2 and size == 3",
        "x * 7",
        "x += 2",
        'sum(x[1:], axis=axis) - g("é", size) / 0.5',
        'g("é", size) / 0.5',
    }
    assert found["arguments swapped"] == {
        ('"× the larger", x * 7', 'x * 7, "× the larger"'),
        ('"é", size', 'size, "é"'),
    }
    assert found["argument left out"] == {(', sep=""', ""), (", axis=axis", "")}
    assert found["message"] == {("larger", "smaller")}
    assert {before for before, _ in found["statement left out"]} == {
        'print("× the larger", x * 7, sep="")',
        "x += 2",
    }
    assert ("3", "4") in found["number"]
    for edit in python.edits(source):
        assert ast.dump(ast.parse(edit.of(PROGRAM))) != ast.dump(source.tree)


def test_edits_of_what_is_drawn_and_of_asserts():
    source = python.Source(LESSON)
    assert made(LESSON, python.drawing_edits(source)) == {
        "two of a list swapped": {('"one", "two"', '"two", "one"')},
        "data transposed": {("values", "values.T")},
    }
    assert made(LESSON, python.assert_edits(source)) == {
        "assert left out": {("assert_same(left, right)", "pass"), ("assert left > 0", "pass")},
        "assert weakened": {("right", "left"), ("left > 0", "(left > 0) or True")},
    }


def test_edits_of_prose():
    assert made(MARKDOWN, prose.edits(MARKDOWN, ["03-b.ipynb", "04-c.ipynb"])) == {
        "number": {("2", "3"), ("8", "9"), ("3", "4"), ("4", "5")},
        "word turned": {("larger", "smaller")},
        "broken link": {("t", ""), ("b", "")},
        "link to another lesson": {("03-b.ipynb", "04-c.ipynb"), ("04-c.ipynb", "03-b.ipynb")},
        "formula": {("+", "-")},
    }


def test_edits_of_graded_tests():
    assert made(TEST, kinds.test_edits(TEST)) == {
        "visible comparison left out": {(".gives(4)", "")},
        "visible number": {("4", "5")},
        "hidden comparison left out": {
            (".gives(size + 1)", ""),
            (".has_shape((7,))", ""),
        },
        "hidden number": {("1", "2"), ("7", "8")},
        "hidden case left out": {("[5, 6]", "[6]"), ("[5, 6]", "[5]")},
        "hidden check left out": {
            ('check.hidden("f", size).gives(size + 1).has_shape((7,))', "pass")
        },
    }


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("for n in (5, 6):\n    f(n)", ["(6,)", "(5,)"]),
        ("cases = [(1, 2), (3, 4)]", ["[(3, 4)]", "[(1, 2)]"]),
        ('rows = every_pair({"size": [5, 6]})', ["[6]", "[5]"]),
        ("for n in [5]:\n    f(n)", []),  # then nothing would be asked
        ("def f():\n    for n in (5, 6):\n        print(n)", []),  # what is measured, no case
    ],
)
def test_cases_of_hidden_tests(code, left):
    source = python.Source(f"for n in (1, 2):\n    f(n)\n{BEGIN_HIDDEN}\n{code}\n")
    assert [edit.new for _, edit in kinds.hidden_cases(source)] == left


def test_cases_that_a_mistake_needs():
    name = full_name("02", assignments())
    bench = Workbench(name)
    (cell,) = [cell for cell in bench.tests if cell.grade_id == "output_size_padding"]
    found = dict(cases_of(cell, bench, load_bank(name)))
    assert "just_fitting_refused" in found["(4, 14, 1)"]
    assert found["(12, 4, 1)"] == []


# --- on the course itself ----------------------------------------------------------------------

# Files that together have faults of every kind.
SOME = re.compile(
    r"notebooks/0[123]|solutions/0[12]|helpers/(training|plots/charts)|grader/sandbox|tools/bench"
    r"|README|site/glossary|constraints"
)


@pytest.fixture(scope="module")
def every():
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: git knows the course's files")
    return list(kinds.every_fault(ROOT, [path for path in files(ROOT) if SOME.match(path)]))


def test_each_fault_changes_one_thing_and_leaves_a_file_that_can_be_read(every):
    """One of each that there is."""
    faults = {(fault.kind, fault.what, fault.path[-3:]): fault for fault in every}
    assert {fault.kind for fault in faults.values()} == {*kinds.KINDS}
    for fault in faults.values():
        before = (ROOT / fault.path).read_bytes().decode()
        after = fault.changed(before)
        assert after != before, fault
        assert any(line.startswith("- ") for line in fault.diff(before)), fault
        if fault.path.endswith(".py"):
            assert ast.dump(ast.parse(after)) != ast.dump(ast.parse(before)), fault
        elif fault.path.endswith(".ipynb"):
            nbformat.validate(json.loads(after))
            pairs = zip(*(json.loads(text)["cells"] for text in (before, after)), strict=True)
            differ = [(a, b) for a, b in pairs if a != b]
            assert differ[0][0]["id"] == fault.where, fault
            assert len(differ) == len(fault.edits), fault
            for a, b in differ:
                assert sum(a[key] != b[key] for key in a) == 1, fault
                if b["cell_type"] == "code":
                    ast.parse(joined(b["source"]))


def test_the_seed_decides_and_kinds_have_equal_shares(every):
    chosen = kinds.choose(every, 1, 200)
    assert chosen == kinds.choose(every[::-1], 1, 200)
    assert chosen != kinds.choose(every, 2, 200)
    shares = Counter(fault.kind for fault in chosen[: 2 * len(kinds.KINDS)])
    assert shares == dict.fromkeys(kinds.KINDS, 2)
    without = [fault for fault in every if fault.kind != "code"]
    assert [fault for fault in chosen if fault.kind != "code"][:50] == kinds.choose(without, 1, 50)


def test_the_checks_of_a_fault(every, tmp_path):
    checks = Checks(ROOT, files(ROOT), sys.executable, tmp_path)

    def of(kind, path, what=""):
        for fault in every:
            if fault.kind == kind and fault.path.startswith(path) and what in fault.what:
                return [check.files for check in checks.of(fault)]

    prose_tests, *_ = of("prose", "notebooks/01", "number")
    for name in ("lessons", "numbers", "equations", "formulas", "what_lesson_09_compares"):
        assert f"tests/notebooks/test_{name}.py" in prose_tests
    assert "tests/repository/test_units.py" in prose_tests
    assert "tests/notebooks/test_assignments.py" not in prose_tests
    last = (TRANSLATIONS,)
    assert of("prose", "notebooks/01", "number") == of("assert", "notebooks/01")
    assert of("prose", "notebooks/01", "number") == [prose_tests, last]
    assert of("prose", "notebooks/01", "link")[1:] == [(), last]  # the site
    assert of("code", "notebooks/01")[1][0].startswith("notebooks/01-")
    helper, lesson, _ = of("helper", "helpers/training.py")
    assert helper[0] == "tests/helpers/test_training.py"
    assert lesson[0].startswith("notebooks/")
    grader = of("grader", "grader/sandbox/inside/")[0]
    assert {test.rpartition("/")[0] for test in grader} == {"tests/grader"}
    release, tests, translations = of("bank", "solutions/02")
    assert release == ()
    assert translations == last
    assert "tests/grader/test_bank.py" in tests
    assert "tests/grader/test_bank_hidden_parts.py" in tests
    tools = of("tool", "tools/benchmark_")
    assert tools == [("tests/repository/test_commands.py", "tests/tools/test_benchmarks.py")]


# --- the run -----------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A course of two files, in git."""
    root = tmp_path / "small"
    root.mkdir()
    (root / "one.py").write_text("ONE = 1\n", encoding="utf-8")
    (root / "new.txt").write_text("not yet in git\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "one.py"], cwd=root, check=True)
    return root


@pytest.fixture
def workplace(small, tmp_path):
    (tmp_path / "work").mkdir()
    return Workplace(small, files(small), tmp_path / "work")


def fault_of(new):
    return Fault("helper", "one.py", "1", (((), Edit("number", 6, 7, new)),))


def says(code):
    return Check((sys.executable, "-c", code))


def contents(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def test_what_the_checks_say(small, workplace, monkeypatch):
    before = contents(small)
    passing, broken = says("pass"), says("raise SystemExit(1)")
    small_enough = says("import one; assert one.ONE < 5; open('left over', 'w')")
    judge = workplace.judge
    assert judge(fault_of("9"), [passing, small_enough])[0] == "noticed"
    assert judge(fault_of("2"), [passing, small_enough])[0] == "not noticed"
    assert judge(fault_of("2"), [])[0] == "not noticed"
    assert judge(fault_of("9"), [broken])[0] == "not judged"
    monkeypatch.setattr("tools.mutate.workplace.PATIENCE", 0)
    assert judge(fault_of("9"), [passing])[0] == "not judged"
    assert not (workplace.root / "left over").exists()
    assert (workplace.root / "one.py").read_text(encoding="utf-8") == "ONE = 1\n"
    assert contents(small) == before


def test_what_failed_is_named_and_asked_alone_without_the_fault(workplace):
    said = "FAILED b.ipynb::Cell 3[with words] - what differs"
    code = f"import one, sys; print({said!r}); sys.exit(one.ONE != 1)"
    check = says(code)._replace(files=("a.py", "b.ipynb"))
    assert workplace.judge(fault_of("2"), [check]) == ("noticed", "by b.ipynb::Cell 3[with words]")
    assert [check.files for check in workplace.sound] == [("b.ipynb",)]


def test_a_check_sees_the_copy_and_a_home_of_its_own(workplace):
    # Kernels start in another folder.
    look = "import os; os.chdir('..'); import one; print(one.__file__, os.path.expanduser('~'))"
    status, said = workplace.run(says(look))
    assert status in PASSED
    assert said.split() == [str(workplace.root / "one.py"), str(workplace.root.with_name("home"))]
    assert (workplace.root / "new.txt").exists()


def test_after_a_stop_the_figures_are_there_and_the_course_is_as_it_was(small, monkeypatch, capsys):
    before = contents(small)
    given = iter([says("import one; assert one.ONE == 1"), says("pass")])

    def of(self, fault):
        check = next(given, None)
        if check is None:
            raise KeyboardInterrupt
        yield check

    monkeypatch.setattr(Checks, "of", of)
    monkeypatch.setattr(command, "every_fault", lambda *_: map(fault_of, "2345"))
    assert command.main(["--number", "3"], small) == 130
    said = capsys.readouterr().out
    assert "- ONE = 1\n+ ONE = " in said
    assert said.splitlines()[-1].split() == ["all", "1", "2", "50%"]
    assert contents(small) == before


@pytest.mark.parametrize("given", [["--number", "0"], ["--kind", "tests"], ["--seed", "x"], ["7"]])
def test_wrong_arguments_are_refused(given, capsys):
    with pytest.raises(SystemExit):
        command.main(given)
    assert given[-1] in capsys.readouterr().err


def test_without_git_it_says_what_is_missing(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main([], tmp_path)
    assert "git" in capsys.readouterr().err
