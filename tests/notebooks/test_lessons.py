"""The form of the lessons: what a reader may rely on in each of them."""

import ast
import base64
import re
import statistics
import symtable

import pytest

from helpers.pieces.prediction import predict
from tests.support.lessons import LEFT_OUT, LESSONS, ROOT, box_name, need, number_of, read

# The verbs that titles begin with; a new lesson adds its own.
VERBS = {"Add", "Avoid", "Build", "Check", "Look", "Rebuild", "Slide", "Train", "Work", "Write"}
LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem, scope="module")
def lesson(request):
    return request.param


@pytest.fixture(scope="module")
def notebook(lesson):
    return read(lesson)


def prose(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_lessons():
    assert LESSONS or LEFT_OUT, "no notebook found in notebooks/"


def test_title(lesson, notebook):
    title, sentence = notebook.cells[0].source.split("\n\n", 1)
    number = number_of(lesson)
    match = re.fullmatch(rf"# {number} (\w+) .+", title)
    assert match, f"the title should be '# {number} Verb …', it is {title!r}"
    assert match[1] in VERBS
    assert sentence.startswith("After this lesson you ")


def test_second_cell_says_what_is_learned_needed_and_how_long_it_takes(notebook):
    goals = notebook.cells[1].source
    for words in (
        r"^\*\*You will learn\*\*$",
        r"^\*\*You need\*\* ",
        r"^\*\*Time\*\* .*\d+ minutes",
    ):
        assert re.search(words, goals, re.MULTILINE), words


def test_sections(notebook):
    headings = re.findall(r"^## (.+)$", "\n".join(prose(notebook)), re.MULTILINE)
    assert headings[-2:] == ["Avoid common mistakes", "Recap"]
    assert len(headings) == len(set(headings))


def test_recap_answers_every_goal(notebook):
    (recap,) = [text for text in prose(notebook) if text.startswith("## Recap")]
    goals = re.findall(r"^- ", notebook.cells[1].source, re.MULTILINE)
    assert len(re.findall(r"^- ", recap, re.MULTILINE)) >= len(goals)


def test_exercises_have_folded_answers(notebook):
    exercises = [text for text in prose(notebook) if text.startswith("### Exercise ")]
    assert [text.split("\n")[0] for text in exercises] == [f"### Exercise {n}" for n in (1, 2, 3)]
    for text in exercises:
        assert re.search(
            r"\n<details>\n<summary>Answer</summary>\n\n.+\n</details>", text, re.DOTALL
        )


def asks(cell):
    """Whether the reader is to predict what the next cell gives."""
    return "**Predict, then run.**" in cell.source or box_name(cell) is not None


def test_something_is_predicted_and_something_worked_by_hand(notebook):
    text = "\n".join(prose(notebook))
    assert sum(map(asks, notebook.cells)) >= 2
    assert text.count("**By hand") >= 2


def leaves(statements):
    """The statements of a cell, those inside loops and blocks included."""
    for one in statements:
        yield from leaves(one.body) if isinstance(one, ast.For | ast.With) else [one]


def called(statement):
    value = getattr(statement, "value", None)
    return ast.unparse(value.func) if isinstance(value, ast.Call) else ""


def only_asserts(source):
    return all(
        isinstance(one, ast.Assert) or called(one) == "assert_same"
        for one in leaves(ast.parse(source).body)
    )


def only_draws(source):
    return all(called(one).startswith(("plots.", "ax.")) for one in ast.parse(source).body)


@pytest.mark.parametrize(
    ("source", "asserts", "draws"),
    [
        ("assert a == 1\nassert_same(a, b)", True, False),
        ("for a in b:\n    assert a", True, False),
        ("a = 1\nassert a", False, False),
        ("for a in b:\n    print(a)\n    assert a", False, False),
        ("plots.bars(a);", False, True),
        ("fig, ax = plots.bars(a)\nax.set(xlim=b)", False, True),
        ("a = 1\nplots.bars(a);", False, False),
        ("f(assert_same)", False, False),
    ],
)
def test_what_only_asserts_or_draws(source, asserts, draws):
    assert (only_asserts(source), only_draws(source)) == (asserts, draws)


def folds(cell):
    return cell.metadata.get("jupyter", {})


def test_saved_answers_are_folded_where_something_is_predicted(lesson, notebook):
    """From the question to the next text nothing that was saved is in view, and nothing else is."""
    is_asked = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" or box_name(cell):
            is_asked = asks(cell)
        else:
            is_hidden = folds(cell).get("outputs_hidden", False)
            assert is_hidden == (is_asked and bool(cell.outputs)), f"cell {cell.id}"
    first = next(cell for cell in notebook.cells if asks(cell))
    assert box_name(first) or "three dots" in first.source, "say how to open a folded answer"


def test_cells_that_only_assert_or_draw_are_folded(lesson, notebook):
    for cell in code(notebook):
        if only_asserts(cell.source) or only_draws(cell.source):
            assert folds(cell).get("source_hidden"), f"cell {cell.id}"


def given(source):
    """The names that a cell leaves behind for later cells."""
    names = symtable.symtable(source, "cell", "exec").get_symbols()
    return {one.get_name() for one in names if one.is_assigned() or one.is_imported()}


def taken(source):
    """The names that a cell and its functions use, but do not make."""
    tables, found = [symtable.symtable(source, "cell", "exec")], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        found |= {one.get_name() for one in table.get_symbols() if one.is_global()}
    return found - given(source)


def test_which_names_a_cell_gives_and_takes():
    source = "a = b\ndef f(x, y=c):\n    z = [d + e for e in x]\n    return a, z, y"
    assert given(source) == {"a", "f"}
    assert taken(source) == {"b", "c", "d"}


def test_a_name_from_a_folded_cell_is_introduced(notebook):
    """Who reads the code in view must not meet a name that nobody has told them of."""
    out_of_view, text = {}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text += cell.source
        elif cell.cell_type == "code" and folds(cell).get("source_hidden"):
            out_of_view |= dict.fromkeys(given(cell.source), cell.id)
        elif cell.cell_type == "code":
            for name in taken(cell.source) & set(out_of_view):
                assert f"`{name}`" in text, f"{name}, from the folded {out_of_view[name]}"
            for name in given(cell.source):
                out_of_view.pop(name, None)


def minutes_needed(cells):
    """How long a beginner takes who reads in a foreign language, and does what is asked.

    A minute for a hundred words, for ten lines of code in view, and for each case by hand; two for
    each prediction and each step-through; four for each exercise.
    """
    boxes = [repr(predict(name)) for name in map(box_name, cells) if name]
    text = "\n".join([*(cell.source for cell in cells if cell.cell_type == "markdown"), *boxes])
    in_view = [
        cell.source
        for cell in cells
        if cell.cell_type == "code" and not folds(cell).get("source_hidden")
    ]
    lines = sum(len(source.splitlines()) for source in in_view)
    asked = sum(map(asks, cells)) + text.count("**Step through it.**")
    exercises = text.count("### Exercise ")
    words = len(re.findall(r"[^\W\d_]+", text))
    return words / 100 + lines / 10 + text.count("**By hand") + 2 * asked + 4 * exercises


def promised(notebook):
    """As the second cell says it: "60" or "2 × 60", and before which section to take a break."""
    pattern = r'^\*\*Time\*\* about ((?:2 × )?\d+) minutes(?:: take a break before "(.+?)")?[.,]'
    (found,) = re.findall(pattern, notebook.cells[1].source, re.MULTILINE)
    return found


def test_a_sitting_takes_no_longer_than_promised(lesson, notebook):
    time, section = promised(notebook)
    assert time.startswith("2 × ") == bool(section), "two sittings need a break, one has none"
    sittings = [notebook.cells]
    if section:
        starts = [cell.source.startswith(f"## {section}\n") for cell in notebook.cells]
        assert starts.count(True) == 1, f"no section {section!r} to take a break before"
        place = starts.index(True)
        sittings = [notebook.cells[:place], notebook.cells[place:]]
    stated = time.removeprefix("2 × ")
    assert max(map(minutes_needed, sittings)) <= int(stated) <= 75
    assert len(notebook.cells) <= 110


def test_links_resolve(lesson, notebook):
    for text in prose(notebook):
        for words, target in LINK.findall(text):
            assert words.strip(), f"a link to {target} without words"
            if not target.startswith(("http:", "https:", "#")):
                path = (lesson.parent / target.partition("#")[0]).resolve()
                left_out = path.is_relative_to(ROOT) and path.relative_to(ROOT).as_posix()
                assert path.exists() or left_out in LEFT_OUT, f"{target} does not exist"


def test_pictures_have_alt_text(notebook):
    for cell in code(notebook):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            assert len(cell.metadata.get("alt", "")) > 20, f"cell {cell.id} has no alt text"
    for text in prose(notebook):
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text):
            assert len(words) > 20, f"{target} has no alt text"


def test_cells_are_short(notebook):
    lengths = [len(cell.source.splitlines()) for cell in code(notebook)]
    assert statistics.median(lengths) <= 6
    assert max(lengths) <= 40


def test_prose_and_code_keep_pace(notebook):
    text = "\n".join(text for text in prose(notebook) if not text.startswith("### Exercise"))
    text = re.sub(r"^\|[^\n]*|```.*?```", "", text, flags=re.MULTILINE | re.DOTALL)
    words = len(re.findall(r"[^\W\d_]+", text))
    lines = sum(bool(line.strip()) for cell in code(notebook) for line in cell.source.splitlines())
    assert 5 <= words / lines <= 15


def test_paragraphs_are_short(notebook):
    for text in prose(notebook):
        for paragraph in re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL).split("\n\n"):
            if not re.match(r"[|-]|\d+\.|\$\$|```|\*\*You will learn", paragraph):
                assert len(paragraph) <= 420, f"too long: {paragraph[:60]}…"


def test_saved_as_the_tool_saves(notebook):
    counts = [cell.execution_count for cell in code(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "run `make notebooks`"
    ids = [cell.id for cell in notebook.cells]
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one) for one in ids)
    assert notebook.nbformat == 4
    assert notebook.nbformat_minor == 5


def names(source, context):
    tree = ast.parse(source)
    return {
        one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and type(one.ctx) is context
    }


def asserts(source):
    """The asserts of a cell and its calls of `assert_same` and `grad_check`, as code."""
    return [
        ast.unparse(one)
        for one in ast.walk(ast.parse(source))
        if isinstance(one, ast.Assert)
        or (isinstance(one, ast.Call) and ast.unparse(one.func) in ("assert_same", "grad_check"))
    ]


def test_what_varies_has_an_assert_beside_it(notebook):
    """In its section: one of a value that the cell computes or shows, or of one made from it."""
    sections = [[]]
    for cell in notebook.cells[3:]:  # after the set-up, which prints the device
        if cell.cell_type == "markdown" and re.match("##+ ", cell.source):
            sections.append([])
        sections[-1].append(cell)
    for cells in sections:
        cells = [cell for cell in cells if cell.cell_type == "code"]
        tested = set().union(*(names(one, ast.Load) for c in cells for one in asserts(c.source)))
        steps = [
            ast.unparse(step) for c in reversed(cells) for step in ast.parse(c.source).body[::-1]
        ]
        for step in steps:
            if names(step, ast.Store) & tested:
                tested |= names(step, ast.Load)
        for cell in cells:
            if {"nbval-ignore-output", "picture-varies"} & set(cell.metadata.get("tags", [])):
                body = [one for one in ast.parse(cell.source).body if not isinstance(one, ast.If)]
                source = ast.unparse(ast.Module(body, []))
                own = names(source, ast.Store) or names(source, ast.Load)
                assert own & tested, f"cell {cell.id}"


def test_nothing_is_installed_or_patched_in_a_lesson(notebook):
    for cell in code(notebook):
        assert not re.search(
            r"^\s*[!%]|sys\.path|import \*|filterwarnings|# *NBVAL", cell.source, re.MULTILINE
        ), f"cell {cell.id}"


def test_no_path_of_a_machine_is_left(lesson):
    text = lesson.read_text("utf-8")
    assert not re.search(r"/(home|root|Users|work|tmp)/\w", text)


def test_the_committed_mnist_lesson_used_all_images():
    need("notebooks/05-")
    (path,) = [path for path in LESSONS if path.name.startswith("05-")]
    printed = "".join(
        output.get("text", "") for cell in code(read(path)) for output in cell.outputs
    )
    assert "60,000 images" in printed
    assert "epoch 3/3" in printed


def test_the_committed_lesson_06_used_all_images():
    need("notebooks/06-")
    (path,) = [path for path in LESSONS if path.name == "06-train-it-well.ipynb"]
    printed = "".join(
        output.get("text", "") for cell in code(read(path)) for output in cell.outputs
    )
    assert "55,000 images" in printed
    assert "10,000 test images" in printed


def test_the_cover_is_the_picture_of_the_tagged_cell(lesson, notebook):
    (cell,) = [cell for cell in code(notebook) if "cover" in cell.metadata.get("tags", [])]
    (picture,) = [output.data["image/png"] for output in cell.outputs if "data" in output]
    cover = lesson.parent / "covers" / f"{lesson.stem}.png"
    assert cover.read_bytes() == base64.b64decode(picture), "run `make notebooks`"


def test_every_lesson_is_in_the_index():
    index = (ROOT / "notebooks" / "README.md").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    for path in LESSONS:
        notebook = read(path)
        title = notebook.cells[0].source.splitlines()[0].removeprefix(f"# {number_of(path)} ")
        assert f"[{title}](notebooks/{path.name})" in readme
        time, _ = promised(notebook)
        time = f"{time} minutes" if number_of(path) != "A" else "an appendix"
        assert f"[{title}]({path.name}) | {time}" in index
