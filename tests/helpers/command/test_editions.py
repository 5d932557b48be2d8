"""The course in another language: made from the English one, the reader's own words kept."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import polib
import pytest

from helpers.assignment.sheet import SHEET_NAME, fingerprint
from helpers.command import editions, lab, reset
from helpers.command.editions import files_of, make_edition
from helpers.command.files import ROOT, Problem, assignments, is_own_copy, lessons
from helpers.command.variables import LANGUAGE
from helpers.command.verbs import COMPARING
from helpers.language import catalogue, languages
from tests.support import needs
from tests.support.small_course import (
    ASSIGNMENT,
    LESSON,
    OTHER,
    author,  # noqa: F401
    clone,  # noqa: F401
    commit,
    everything,
    git,
    notebook,
    run_only,
    type_in,
    unzipped,  # noqa: F401
)

MADE = f"ko/{LESSON}"


def translate(root, name, pairs):
    """Write a catalogue of the small course."""
    path = root / "translations/ko" / f"{name}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    found = polib.POFile(wrapwidth=0)
    for text, translation in pairs:
        found.append(polib.POEntry(msgctxt="title", msgid=text, msgstr=translation))
    found.save(str(path))
    for function in (catalogue, editions.by_cell):
        function.cache_clear()


@pytest.fixture(params=["unzipped", pytest.param("clone", marks=needs.git)])
def root(request):
    folder = request.getfixturevalue(request.param)
    translate(folder, "notebooks/05-mnist-net", [(LESSON, "다섯째 레슨")])
    return folder


def title(path):
    return nbformat.read(path, as_version=4).cells[0].source


def new_version(root, text):
    """The course changes a lesson, and its catalogue with it."""
    path = root / LESSON
    changed = nbformat.read(path, as_version=4)
    changed.cells[0].source = f"# {text}"
    nbformat.write(changed, path)
    (root / ".released/manifest.json").unlink(missing_ok=True)  # a release brings a new one
    translate(root, "notebooks/05-mnist-net", [(text, "새 레슨")])


def test_it_is_made_beside_the_english_course_which_stays_as_it_is(root):
    before = everything(root)
    assert make_edition("ko", root) == []
    assert title(root / MADE) == "# 다섯째 레슨"
    assert title(root / "ko" / OTHER) == f"# {OTHER}"  # without a catalogue it stays English
    after = everything(root)
    assert {name: after[name] for name in before} == before
    assert {name.split("/")[0] for name in set(after) - set(before)} == {"ko"}


def test_a_language_that_is_not_there_is_named_with_those_that_are(root):
    for language in ("xx", "en"):
        with pytest.raises(Problem) as told:
            make_edition(language, root)
        said = f"The course is not translated into '{language}'. There is: en, ko."
        assert str(told.value) == said


def test_only_folders_of_catalogues_are_languages(root):
    (root / "translations/.DS_Store").write_bytes(b"of macOS")
    (root / "translations/notes.txt").write_text("mine", encoding="utf-8")
    assert languages(root) == ["en", "ko"]
    assert languages(root / "nowhere") == ["en"]


def test_made_twice_it_is_the_same(root):
    make_edition("ko", root)
    before = everything(root)
    make_edition("ko", root)
    assert everything(root) == before


def test_what_the_reader_wrote_stays_also_when_the_lesson_changes(root):
    make_edition("ko", root)
    type_in(root / MADE)
    mine = (root / MADE).read_bytes()
    assert make_edition("ko", root) == []
    new_version(root, "A new lesson")
    assert make_edition("ko", root) == [MADE]
    assert (root / MADE).read_bytes() == mine
    assert title(root / "ko" / OTHER) == f"# {OTHER}"


def test_what_was_only_run_is_brought_up_to_date(root):
    make_edition("ko", root)
    run_only(root / MADE)
    ran = (root / MADE).read_bytes()
    assert make_edition("ko", root) == []
    assert (root / MADE).read_bytes() == ran  # the outputs are the reader's, while nothing is new
    new_version(root, "A new lesson")
    assert make_edition("ko", root) == []
    assert title(root / MADE) == "# 새 레슨"


def test_a_file_that_was_there_before_anything_was_made_is_not_replaced(root):
    path = root / MADE
    path.parent.mkdir(parents=True)
    nbformat.write(notebook("mine"), path)
    assert make_edition("ko", root) == [MADE]
    assert title(path) == "mine"


def test_what_was_deleted_comes_again(root):
    make_edition("ko", root)
    (root / MADE).unlink()
    make_edition("ko", root)
    assert title(root / MADE) == "# 다섯째 레슨"


def test_it_is_made_of_the_assignment_as_it_was_given_not_as_it_was_answered(root):
    type_in(root / ASSIGNMENT, "my answer")
    translate(root, "assignments/05-mnist-net", [(ASSIGNMENT, "과제")])
    make_edition("ko", root)
    assert title(root / "ko" / ASSIGNMENT) == "# 과제"


@needs.git
def test_who_changes_an_assignment_in_a_clone_and_answers_nothing_gets_the_change(request):
    """A number of a test, say: the catalogue is as right of it as of the number before."""
    course = request.getfixturevalue("author")
    path = course / ASSIGNMENT
    with_tasks = nbformat.read(path, as_version=4)
    for source, meta in (("# your code", {"solution": True}), ("assert f() == 1", {"grade": True})):
        cell = nbformat.v4.new_code_cell(source, metadata={"nbgrader": meta})
        with_tasks.cells.append(cell)
    nbformat.write(with_tasks, path)
    commit(course)
    git(course, "push", "--quiet")
    root = request.getfixturevalue("clone")
    translate(root, "assignments/05-mnist-net", [(ASSIGNMENT, "과제")])

    def made():
        make_edition("ko", root)
        cells = nbformat.read(root / "ko" / ASSIGNMENT, as_version=4).cells
        return [cells[0].source, *(cell.source for cell in cells[2:])]

    def change(place, source):
        here = nbformat.read(root / ASSIGNMENT, as_version=4)
        here.cells[place].source = source
        nbformat.write(here, root / ASSIGNMENT)
        commit(root)

    change(3, "assert f() == 2")
    assert made() == ["# 과제", "# your code", "assert f() == 2"]
    change(2, "my answer")
    assert made() == ["# 과제", "# your code", "assert f() == 1"]


def test_a_catalogue_of_another_version_leaves_the_notebook_in_english(root):
    translate(root, "notebooks/05-mnist-net", [("something else", "다른 것")])
    make_edition("ko", root)
    assert title(root / MADE) == f"# {LESSON}"


@pytest.mark.parametrize("word", ["05", f"ko/{LESSON}"])
def test_reset_gives_back_the_lesson_in_the_language_that_is_meant(root, word, monkeypatch, capsys):
    if word == "05":
        monkeypatch.setenv(LANGUAGE, "ko")
    english = (root / LESSON).read_bytes()
    make_edition("ko", root)
    type_in(root / MADE)
    type_in(root / LESSON)
    mine = (root / LESSON).read_bytes()
    assert mine != english
    assert reset.main([word], root) == 0
    assert title(root / MADE) == "# 다섯째 레슨"
    (copy,) = [path for path in root.rglob("*.ipynb") if is_own_copy(path)]
    assert copy.parent == (root / MADE).parent
    assert (root / LESSON).read_bytes() == mine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](05-mnist-net.ipynb)", None),
        ("[a](../assignments/05-mnist-net/05-mnist-net.ipynb#x)", None),
        ("[a](../notebooks/../README.md)", None),
        ("![a](covers/05.png)", None),
        ("[a](../assignments) [b](../notebooks/)", None),
        ("[a](https://example.org) [b](#here) [c](mailto:a@b)", None),
        ("[a](../solutions/grading.md#x)", "[a](../../solutions/grading.md#x)"),
        ("[a](other.png) and [b](../LICENSE)", "[a](../other.png) and [b](../../LICENSE)"),
    ],
)
def test_links_out_of_the_edition_go_one_folder_further(text, expected):
    names = {LESSON, ASSIGNMENT, "README.md"}
    assert editions.relink(text, LESSON, names) == (expected or text)


@pytest.mark.parametrize(
    ("heading", "address"),
    [
        ("Try it: `course lab`, then 2 × 3", "try-it-course-lab-then-2--3"),
        (" 설치 하기 (2) ", "설치-하기-2"),
        ("A-b_c", "a-b_c"),
    ],
)
def test_the_address_of_a_heading(heading, address):
    assert editions.anchor(heading) == address


@pytest.mark.parametrize(
    ("name", "catalogue_name"),
    [
        ("README.md", "README"),
        ("notebooks/README.md", "notebooks/README"),
        (LESSON, "notebooks/05-mnist-net"),
        (ASSIGNMENT, "assignments/05-mnist-net"),
    ],
)
def test_each_file_has_its_catalogue(name, catalogue_name):
    assert editions.catalogue_of(name) == catalogue_name


def test_a_page_is_translated_with_its_links_to_its_own_headings(root):
    page = "# One\n\nSee [two](#two), [no](#three) and [it](notebooks/x.md).\n\n## Two\n\nEnd.\n"
    (root / "README.md").write_text(page, encoding="utf-8")
    pairs = [("One", "하나"), ("See", "보기"), ("gone", "없음"), ("Two", "둘")]
    path = root / "translations/ko/README.po"
    found = polib.POFile(wrapwidth=0)
    found.extend(polib.POEntry(msgid=text, msgstr=said) for text, said in pairs)
    found.save(str(path))
    editions.by_cell.cache_clear()
    catalogue.cache_clear()
    assert editions.translate_page(root, "README.md", {"README.md"}, "ko") == (
        "# 하나\n\n보기 [two](#둘), [no](#three) and [it](../notebooks/x.md).\n\n## 둘\n\nEnd.\n"
    )


def test_an_english_notebook_that_cannot_be_read_is_told_with_the_way_to_mend_it(tmp_path):
    with pytest.raises(Problem) as told:
        editions.first_that_fits([None, b"{"], LESSON, set(), "ko", tmp_path)
    said = f"{LESSON} cannot be read as a notebook: course reset {LESSON}"
    assert str(told.value) == said


def test_the_first_version_that_the_catalogue_is_of_is_taken_else_the_last(root):
    def version(text):
        return nbformat.writes(notebook(text)).encode()

    def made(*versions):
        found = editions.first_that_fits(list(versions), LESSON, set(), "ko", root)
        return "".join(found["cells"][0]["source"])

    right = version(f"# {LESSON}")
    assert made(None, version("# other"), right) == "# 다섯째 레슨"
    assert made(right, version("# other")) == "# 다섯째 레슨"
    assert made(version("# other"), b"{", version("# last")) == "# last"


@pytest.mark.parametrize("has_record", [True, False])
def test_only_what_a_reader_typed_counts_as_changed(root, has_record):
    make_edition("ko", root)
    folder, path = root / "ko", root / MADE
    released = path.read_bytes()
    other = nbformat.writes(notebook("# new")).encode()

    def changed(name=LESSON, new=other):
        return editions.is_changed(folder, name, new, has_record)

    assert not changed(new=released)
    assert changed() is not has_record  # without a record only the cells can tell
    assert not changed("README.md")
    type_in(path)
    assert changed()
    assert changed("notebooks/08-new.ipynb") is False
    if has_record:
        (root / "ko/notebooks/09-mine.ipynb").write_bytes(released)
        assert changed("notebooks/09-mine.ipynb")
    path.unlink()
    assert not changed()


# --- which language ----------------------------------------------------------------------------


@pytest.fixture
def asked(root, monkeypatch):
    """Whether somebody was asked, with the answer that is given."""
    questions = []

    def ask(answer, terminal=True):
        def reply(question):
            questions.append(question)
            return answer

        monkeypatch.setattr("builtins.input", reply)
        monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
        return questions

    monkeypatch.delenv(LANGUAGE, raising=False)
    monkeypatch.setattr(lab, "system_language", lambda: "ko")
    return ask


@pytest.mark.parametrize(
    ("answer", "language"),
    [
        *(("", "ko"), ("y", "ko"), ("예", "ko")),
        *(
            ("n", "en"),
            (" N ", "en"),
            ("No", "en"),
            ("아니요", "en"),
            ("아니오", "en"),
            ("ㅜ", "en"),
        ),
    ],
)
def test_whoever_has_a_korean_system_is_asked_once(root, asked, answer, language):
    questions = asked(answer)
    assert lab.choose_language(root, "") == language
    assert lab.choose_language(root, "") == language
    assert len(questions) == 1


def test_nobody_is_asked_where_nobody_can_answer(root, asked):
    questions = asked("y", terminal=False)
    assert lab.choose_language(root, "") == "en"
    assert questions == []


def test_another_system_is_not_asked(root, asked, monkeypatch):
    monkeypatch.setattr(lab, "system_language", lambda: "de")
    questions = asked("y")
    assert lab.choose_language(root, "") == "en"
    assert questions == []


def test_a_language_that_is_asked_for_is_remembered_and_the_variable_is_not(
    root, asked, monkeypatch
):
    asked("n")
    assert lab.choose_language(root, "ko") == "ko"
    assert lab.choose_language(root, "") == "ko"
    monkeypatch.setenv(LANGUAGE, "en")
    assert lab.choose_language(root, "") == "en"
    monkeypatch.delenv(LANGUAGE)
    assert lab.choose_language(root, "") == "ko"
    monkeypatch.setenv(LANGUAGE, "ko")  # as the command line sets it for what is remembered
    assert lab.choose_language(root, "en") == "en"
    monkeypatch.delenv(LANGUAGE)
    assert lab.choose_language(root, "") == "en"
    with pytest.raises(Problem) as told:
        lab.choose_language(root, "kr")
    said = "The course is not translated into 'kr'. There is: en, ko."
    assert str(told.value) == said
    monkeypatch.setenv(LANGUAGE, "kr")  # of another course, say
    assert lab.choose_language(root, "") == "en"


@pytest.mark.parametrize(
    ("given", "language", "rest"),
    [
        (["--language", "ko", "--port", "9"], "ko", ["--port", "9"]),
        (["--port", "9", "--language=ko"], "ko", ["--port", "9"]),
        (["--port", "9"], "", ["--port", "9"]),
    ],
)
def test_the_language_is_taken_out_of_what_jupyterlab_is_given(given, language, rest):
    assert lab.take_language(given) == (language, rest)


def test_an_option_without_a_language_says_how_to_give_one():
    with pytest.raises(Problem, match="course lab --language ko"):
        lab.take_language(["--language"])


@pytest.mark.parametrize("value", ["ko_KR.UTF-8", "ko_KR", "KO"])
@pytest.mark.skipif(os.name == "nt", reason="Windows says it in another way")
def test_the_systems_language_is_that_of_its_variables(monkeypatch, value):
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert lab.system_language() == ""
    for name in reversed(names):  # each counts more than those before
        monkeypatch.setenv(name, value)
        assert lab.system_language() == "ko"
        monkeypatch.setenv(name, "de_DE")
        assert lab.system_language() == "de"


def test_jupyterlab_opens_on_the_lessons_of_the_edition():
    options = lab.lab_options(ROOT, Path("w"), language="ko")
    assert "--LabApp.default_url=/lab/tree/ko/notebooks/README.md" in options
    assert f"--FileContentsManager.preferred_dir={ROOT / 'ko/notebooks'}" in options
    assert f"--FileContentsManager.root_dir={ROOT}" in options


# --- the course itself ------------------------------------------------------------------------


def code_of(source):
    """The tree of a cell's code without its docstrings; magics stand as comments."""
    tree = ast.parse(re.sub(r"^([%!])", r"# \1", source, flags=re.MULTILINE))
    for node in ast.walk(tree):
        has_one = isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        if has_one and ast.get_docstring(node, clean=False) is not None:
            node.body[0].value.value = ""
    return ast.dump(tree)


@pytest.fixture(scope="module", params=languages()[1:])
def made(request):
    return request.param, dict(files_of(request.param))


def test_a_lesson_runs_in_the_edition_with_the_outputs_that_it_has(made, tmp_path):
    """One with pieces and a message; of the others the code is known to be the same."""
    language, files = made
    path = tmp_path / "01.ipynb"
    path.write_bytes(files["notebooks/01-convolution-by-hand.ipynb"])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *COMPARING, "-q", "-p", "conftest", path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), LANGUAGE: language},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d\d passed", done.stdout, re.MULTILINE)


def english(name):
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


def html(output):
    return "".join(output.get("data", {}).get("text/html", ""))


NOTEBOOKS = [path.relative_to(ROOT).as_posix() for path in (*lessons(), *assignments())]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_only_words_differ(made, name):
    language, files = made
    ours, theirs = english(name), json.loads(files[name])
    assert theirs["metadata"].pop("course") == {"language": language}
    assert theirs["metadata"] == ours["metadata"]
    for before, after in zip(ours["cells"], theirs["cells"], strict=True):
        for was, came in zip(before.get("outputs", ()), after.get("outputs", ()), strict=True):
            if 'class="cnn-' in html(was):  # a piece: tests/helpers/test_pieces_in_korean.py
                assert f' lang="{language}"' in html(came)
                for kind in ("text/html", "text/plain"):
                    del was["data"][kind], came["data"][kind]
        told = {"outputs"} if "translate-output" in before["metadata"].get("tags", ()) else set()
        for key in before.keys() - {"source", "metadata"} - told:
            assert after[key] == before[key], before["id"]
        assert after["metadata"].keys() == before["metadata"].keys()
        for key in before["metadata"].keys() - {"alt"}:
            assert after["metadata"][key] == before["metadata"][key]
        if before["cell_type"] == "code":
            was, came = ("".join(cell["source"]) for cell in (before, after))
            assert code_of(came) == code_of(was), before["id"]


def test_a_piece_of_another_version_stays_as_it_is():
    (data,) = [
        output["data"]
        for cell in english("notebooks/02-stride-and-padding.ipynb")["cells"]
        for output in cell.get("outputs", ())
        if 'class="cnn-network-explorer' in html(output)
    ]
    assert set(editions.translated_piece(data, "ko")) == {"text/html", "text/plain"}
    older = {**data, "text/html": ["".join(data["text/html"]).replace("const", "let", 1)]}
    assert editions.translated_piece(older, "ko") == {}
    assert editions.translated_piece({"image/png": "x", "text/plain": ["1"]}, "ko") == {}


@pytest.mark.parametrize("path", assignments(), ids=lambda path: path.stem)
def test_the_tests_of_an_assignment_are_known_by_their_translated_text(made, path):
    _, files = made
    name = path.relative_to(ROOT).as_posix()
    sheet = json.loads(files[f"{name.rpartition('/')[0]}/{SHEET_NAME}"])
    texts = {
        cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
        for cell in json.loads(files[name])["cells"]
        if "nbgrader" in cell["metadata"]
    }
    assert sheet["tests"]
    for grade_id, test in sheet["tests"].items():
        assert test["digest"] == fingerprint(texts[grade_id].strip())
    ours = english(f"{name.rpartition('/')[0]}/{SHEET_NAME}")
    assert sheet["fingerprints"] == ours["fingerprints"]
    assert len(sheet["sentences"]) == len(ours["sentences"])


@pytest.mark.parametrize("name", editions.PAGES)
def test_no_line_of_a_page_is_left_in_english(made, name):
    language, files = made
    lines = [
        re.sub(r"^(#+|-|\d+\.) ", "", line.strip()) for line in files[name].decode().split("\n")
    ]
    texts = catalogue(language, editions.catalogue_of(name))
    assert texts
    assert [text for _, text in texts if text in lines and texts["", text] != text] == []


def test_every_link_leads_to_a_file(made):
    language, files = made
    for name, data in files.items():
        if not name.endswith((".ipynb", ".md")):
            continue
        text = data.decode()
        if name.endswith(".ipynb"):
            cells = [c for c in json.loads(text)["cells"] if c["cell_type"] == "markdown"]
            text = "\n".join("".join(cell["source"]) for cell in cells)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:|#", target):
                place = (ROOT / language / name).parent / target.partition("#")[0]
                inside = place.resolve()
                in_edition = ROOT / language in inside.parents
                known = files if in_edition else None
                where = inside.relative_to(ROOT / language).as_posix() if in_edition else ""
                found = any(n == where or n.startswith(f"{where}/") for n in known or ())
                assert found or (not in_edition and inside.exists()), f"{name}: {target}"
            elif target.startswith("#"):
                headings = map(editions.anchor, editions.HEADING.findall(text))
                assert target[1:] in list(headings), f"{name}: {target}"
