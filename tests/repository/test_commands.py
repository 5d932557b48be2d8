"""Commands in the pages, guides and lessons, word by word: programs, verbs, options and names."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from helpers.command import verbs
from tests.support.assignment_files import NAMES
from tests.support.lessons import LEFT_OUT, LESSONS, ROOT, number_of
from tests.support.prose import code, texts

PYTHONS = ("python", "python3", "py", ".venv/bin/python")
# Words of a verb that are no files: {verb: words}.
WORDS = {"site": {"serve", "pin"}, "reset": {"assignment"}}
NAMED = {"check", "grade", "collect", "assignments"}
# What a page writes where the reader puts something of his own.
STANDS_FOR = re.compile(r"NAME|FOLDER|VERB|~/.*|/batch|…|https?:.*")


def commands(text):
    """The commands among the code of a Markdown text, as lists of words."""
    for piece in code(text):
        for line in piece.replace("\\\n", " ").split("\n"):
            line = re.sub(r"^\s*RUN ", "", line)
            try:
                words = shlex.split(line)
            except ValueError:
                continue  # a sign of Python or of a terminal's drawing
            while words and re.fullmatch(r"sudo|[A-Z_]+=\S*", words[0]):
                words = words[1:]
            if words and (words[0] in (*PYTHONS, "course", "make", "nbgrader", "course.py")):
                yield words


def problem(words):
    """What is wrong with a command, or "" if nothing is."""
    program, *rest = words
    if program in PYTHONS:
        return python_problem(rest)
    if not rest:
        return ""
    verb, *given = rest
    if program == "nbgrader":
        return nbgrader_problem(verb, given)
    known = {one.name for one in verbs.VERBS}
    if program == "make":
        known |= set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    if verb not in known and not STANDS_FOR.fullmatch(verb):
        return f"there is no verb {verb!r}"
    return make_problem(given) if program == "make" else course_problem(verb, given)


def python_problem(given):
    if given[:1] == ["course.py"]:
        return problem(["course", *given[1:]])
    if given[:1] == ["-m"]:
        name = given[1] if importlib.util.find_spec(given[1].partition(".")[0]) else ""
        path = ROOT.joinpath(*name.split("."))
        is_there = path.is_dir() or path.with_suffix(".py").exists()
        return "" if name and is_there else f"there is no module {given[1]}"
    if given and not (ROOT / given[0]).exists():
        return f"there is no file {given[0]}"
    return options_problem(given[1:], [ROOT / given[0]]) if given else ""


def nbgrader_problem(verb, given):
    """nbgrader is looked up, not imported: that would take two seconds."""
    folder = Path(importlib.util.find_spec("nbgrader").origin).parent / "apps"
    path = folder / f"{verb.replace('_', '')}app.py"
    if not path.exists():
        return f"nbgrader has no {verb}"
    # `nbgrader db` is followed by what is done to what: assignment add NAME.
    names = given[2:] if verb == "db" else given
    return options_problem(given, [path, folder / "baseapp.py"]) or names_problem(names)


def make_problem(given):
    variables = set(re.findall(r"^([A-Z]+) \?=", (ROOT / "Makefile").read_text("utf-8"), re.M))
    for word in given:
        name, is_given, value = word.partition("=")
        if not is_given or name not in variables:
            return f"the Makefile has no variable {name}"
        if name == "ARGS" and options_problem(value.split(), sources()):
            return options_problem(value.split(), sources())
        if name == "ASSIGNMENT" and names_problem([value]):
            return names_problem([value])
        if name == "LESSON" and lesson_problem(value):
            return lesson_problem(value)
    return ""


def course_problem(verb, given):
    plain = [word for word in given if not word.startswith("-")]
    if verb in NAMED and names_problem(plain):
        return names_problem(plain)
    if verb == "reset" and [word for word in plain if lesson_problem(word)]:
        return f"course reset does not know {' '.join(plain)}"
    if verb == "site" and not set(plain) <= WORDS["site"]:
        return f"course site does not know {' '.join(plain)}"
    if verb == "setup":
        extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
        if not set(plain) <= set(extras):
            return f"there is no extra {' '.join(plain)}"
    return options_problem(given, sources()) if verb != "test" else ""


def sources():
    """Where the options of our own commands are written."""
    for folder in ("helpers/command", "helpers/assignment", "grader", "tools"):
        yield from (ROOT / folder).rglob("*.py")


def options_problem(given, files):
    options = [word.partition("=")[0] for word in given if word.startswith("--")]
    options = [option for option in options if option != "--help"]
    if options:
        text = "\n".join(path.read_text("utf-8") for path in files)
        for option in options:
            name = option.removeprefix("--")
            if not re.search(rf"[\"'](?:--)?{name}[\"']", text):
                return f"there is no option {option}"
    return ""


def names_problem(words):
    """Words that stand for assignments: the first one has to be one."""
    plain = [word for word in words if not word.startswith("-")]
    if not plain or STANDS_FOR.fullmatch(plain[0]) or plain[0].endswith(".csv"):
        return ""
    known = {*NAMES, *(name[:2] for name in NAMES)}
    return "" if plain[0] in known else f"there is no assignment {plain[0]}"


def lesson_problem(word):
    known = {number_of(path) for path in LESSONS} | WORDS["reset"]
    known |= {Path(name).name.partition("-")[0] for name in LEFT_OUT}
    return "" if word in known or STANDS_FOR.fullmatch(word) else f"there is no lesson {word}"


def found():
    return [(str(text), words) for text in texts() for words in commands(text.markdown)]


def test_commands_are_found_everywhere():
    pages = {place.partition(",")[0] for place, _ in found()}
    assert {"README.md", "CONTRIBUTING.md", "notebooks/README.md", "assignments/README.md"} <= pages
    assert {"solutions/README.md", "solutions/grading.md", "grader/README.md"} <= pages
    assert {f"solutions/{name}/{name}.ipynb" for name in NAMES} <= pages
    assert LEFT_OUT or len(found()) > 100


def test_every_command_can_be_typed():
    problems = [(place, " ".join(words), problem(words)) for place, words in found()]
    assert [one for one in problems if one[-1]] == []


@pytest.mark.parametrize(
    "command",
    [
        "course chekc 01",
        "course check 99",
        "course reset 11",
        "course site server",
        "course setup instructors",
        "course grade 01-convolution ~/batch.zip",
        "course grade 01-convolution-by-hand ~/batch.zip --worker 4",
        "make labs",
        "make check ASSIGMENT=01",
        "make check ASSIGNMENT=99",
        "make reset LESSON=5",
        'make constraints ARGS="--onyl numpy"',
        "python3 course.py chekc 01",
        "py curse.py lab",
        "python tools/shrink_piece.py",
        "COURSE_TORCH=cpu make lap",
        "python tools/benchmark_gradings.py 07-alexnet",
        "python tools/benchmark_grading.py 07-alexnet --submission 100",
        "nbgrader autogrades 01-convolution-by-hand",
        "nbgrader db assignment add 06-convolution-by-hand",
        "nbgrader autograde 06-convolution-by-hand",
        "nbgrader generate_feedback 01-convolution-by-hand --forced",
    ],
)
def test_a_wrong_command_is_noticed(command):
    (words,) = commands(f"Type `{command}`.")
    assert problem(words)


def test_options_that_are_named_alone_exist():
    """`--workers` in a sentence, without its command."""
    given = [
        (str(text), word)
        for text in texts()
        if text.page not in ("site/licences.md",)
        for piece in code(text.markdown)
        for word in re.findall(r"^--[a-z-]+(?=[ =]|$)", piece)
    ]
    assert len(given) > 4
    assert [(place, word) for place, word in given if options_problem([word], sources())] == []
