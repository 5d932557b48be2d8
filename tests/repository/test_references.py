"""What the texts say of each other: numbers and titles of lessons in links, anchors and times."""

import itertools
import re

import pytest

from tests.support.lessons import LEFT_OUT, LESSONS, ROOT, need, number_of, read
from tests.support.prose import Text, texts

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
COUNTED = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty"]
TITLES = {
    path.name: read(path).cells[0].source.splitlines()[0].removeprefix("# ") for path in LESSONS
}
TEXTS = list(texts())
LINKS = [(text, words, target) for text in TEXTS for words, target in LINK.findall(text.markdown)]
# {page: its whole text}
WHOLE = {text.page: "" for text in TEXTS}
for text in TEXTS:
    WHOLE[text.page] += text.markdown + "\n\n"


def lesson_of(target):
    """The number and the title of the lesson or assignment that a link leads to, else None."""
    name = target.partition("#")[0].rpartition("/")[2]
    if "assignments/" in target or re.match(r"\d\d-[\w-]+/", target):
        name = f"assignments/{name}"
        paths = list((ROOT / "assignments").glob(f"*/{name.partition('/')[2]}"))
        if not paths:
            return None
        return paths[0].name[:2], read(paths[0]).cells[0].source.splitlines()[0][5:]
    name = name.removesuffix(".ipynb") + ".ipynb"
    return (name[:2].rstrip("-"), TITLES[name][2:].strip()) if name in TITLES else None


def contradiction(words, target):
    """What a link's words say of a lesson that its target is not, or ""."""
    found = lesson_of(target)
    if found is None:
        return ""
    number, title = found
    said = re.match(r"(?:[Ll]esson |[Aa]ssignment )?(\d\d)\b,? ?(.*)", words.strip("*"))
    if said and said[1] != number:
        return f"[{words}] leads to {number}"
    if said and said[2] and said[2] != title:
        return f"[{words}] leads to {title!r}"
    if words == "appendix" and number != "A":
        return f"[{words}] leads to {number}"
    return "" if said or words[0].islower() or words == title else f"[{words}] is {title!r}"


def test_links_lead_to_the_lesson_that_they_name():
    assert LEFT_OUT or sum(lesson_of(target) is not None for _, _, target in LINKS) > 100
    wrong = [(str(text), contradiction(words, target)) for text, words, target in LINKS]
    assert [one for one in wrong if one[1]] == []


@pytest.mark.parametrize(
    "link",
    [
        "[lesson 03](02-stride-and-padding.ipynb)",
        "[Lesson 05](06-train-it-well.ipynb)",
        "[appendix](05-mnist-net.ipynb)",
        "[lesson 02, Slide a filter by hand](02-stride-and-padding.ipynb)",
        "[Slide a filter by hand](02-stride-and-padding.ipynb)",
        "[02 Build AlexNet and explain it](../assignments/07-alexnet/07-alexnet.ipynb)",
    ],
)
def test_a_link_to_another_lesson_is_noticed(link):
    need()
    assert contradiction(*LINK.findall(link)[0])


def test_the_way_through_the_lessons():
    """ "Next" and "Back" at a lesson's end lead to its neighbours."""
    need()
    numbered = [path.name for path in LESSONS if number_of(path).isdigit()]
    for before, after in itertools.pairwise(numbered):
        for word, name, neighbour in (("Next", before, after), ("Back", after, before)):
            last = read(ROOT / "notebooks" / name).cells[-1].source
            target = re.findall(rf"\*\*{word}:\*\* \[[^\]]*\]\(([^)]+)\)", last)
            assert target == [neighbour], f"{name}: {word}"


def test_numbers_in_front_of_links_are_those_of_their_lessons():
    for text in TEXTS:
        for number, _, target in re.findall(r"(\d\d) \[([^\]]*)\]\(([^)]+)\)", text.markdown):
            if lesson_of(target):
                assert lesson_of(target)[0] == number, f"{text}: {number} before {target}"


def test_lessons_that_are_named_exist():
    numbers = {number_of(path) for path in LESSONS}
    numbers |= {name.rpartition("/")[2][:2] for name in LEFT_OUT}
    for text in TEXTS:
        named = set(re.findall(r"\b[Ll]essons? (\d\d)\b", text.markdown))
        assert named <= numbers, f"{text}: {sorted(named - numbers)}"


def headings(markdown):
    """The anchors of a page or lesson in small letters, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.+)$", markdown, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def missing_anchor(text, target):
    """The anchor of a link if its page has no such heading, else ""."""
    name, _, anchor = target.partition("#")
    path = ROOT / text.page if not name else (ROOT / text.page).parent / name
    page = path.resolve().relative_to(ROOT).as_posix() if "//" not in target else ""
    if anchor and page in WHOLE and anchor.lower() not in headings(WHOLE[page]):
        return anchor
    return ""


def test_anchors_exist():
    wrong = [(str(text), missing_anchor(text, target)) for text, _, target in LINKS]
    assert [one for one in wrong if one[1]] == []


def test_a_missing_anchor_is_noticed():
    text = Text("notebooks/README.md", "page", "")
    assert missing_anchor(text, "../README.md#no-such-heading")
    assert missing_anchor(Text("README.md", "page", ""), "#no-such-heading")
    for path in LESSONS:
        title = read(path).cells[0].source.splitlines()[0].removeprefix("# ").replace(" ", "-")
        assert missing_anchor(text, f"{path.name}#{title}") == ""
        assert missing_anchor(text, f"{path.name}#{title}s")


def goals(beginning):
    (path,) = [path for path in LESSONS if path.name.startswith(beginning)]
    return read(path).cells[1].source


def test_the_readme_gives_the_times_of_the_runs():
    """ "lesson 06 takes about ten minutes on a laptop, lesson 05 three, lesson 07 two"."""
    runs = {
        "06-": r"With all of MNIST they take about (\w+)",
        "05-": r"All cells together run in about (\w+) minutes?",
        "07-": r"All cells together run in about (\w+) minutes?",
    }
    for beginning in runs:
        need(f"notebooks/{beginning}")
    readme = (ROOT / "README.md").read_text("utf-8")
    (said,) = re.findall(
        r"lesson 06 takes about (\w+) minutes on a laptop, lesson 05 (\w+), lesson 07 (\w+)", readme
    )
    for (beginning, words), word in zip(runs.items(), said, strict=True):
        (stated,) = re.findall(words, goals(beginning))
        number = stated if stated.isdigit() else str(COUNTED.index(stated) + 1)
        assert str(COUNTED.index(word) + 1) == number


def test_contributing_gives_the_limits_that_are_held():
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    ((cells, minutes),) = re.findall(
        r"held to (\d+) cells and (\d+) minutes a sitting", contributing
    )
    test = (ROOT / "tests/notebooks/test_lessons.py").read_text("utf-8")
    assert f"<= int(stated) <= {minutes}" in test
    assert f"len(notebook.cells) <= {cells}" in test
