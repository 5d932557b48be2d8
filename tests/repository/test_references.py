"""What the texts say of each other: numbers and titles of lessons in links, anchors and times."""

import re

import pytest

from tests.support.lessons import LEFT_OUT, LESSONS, ROOT, number_of, read
from tests.support.prose import PAGES, texts

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
COUNTED = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty"]
TITLES = {
    path.name: read(path).cells[0].source.splitlines()[0].removeprefix("# ") for path in LESSONS
}
LINKS = [
    (str(text), words, target) for text in texts() for words, target in LINK.findall(text.markdown)
]


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
    assert sum(lesson_of(target) is not None for _, _, target in LINKS) > 100
    wrong = [(place, contradiction(words, target)) for place, words, target in LINKS]
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
    assert contradiction(*LINK.findall(link)[0])


def test_the_way_through_the_lessons():
    """ "Next" and "Back" lead to the neighbours, and each lesson of the way has one or both."""
    numbered = [path for path in LESSONS if number_of(path).isdigit()]
    for path in numbered:
        here = int(number_of(path))
        last = read(path).cells[-1].source
        for word, step in (("Next", 1), ("Back", -1)):
            for target in re.findall(rf"\*\*{word}:\*\* \[[^\]]*\]\(([^)]+)\)", last):
                if target != "README.md":
                    assert int(target[:2]) == here + step, f"{path.name}: {word} is {target}"


def test_numbers_in_front_of_links_are_those_of_their_lessons():
    for text in texts():
        for number, _, target in re.findall(r"(\d\d) \[([^\]]*)\]\(([^)]+)\)", text.markdown):
            if lesson_of(target):
                assert lesson_of(target)[0] == number, f"{text}: {number} before {target}"


def test_lessons_that_are_named_exist():
    numbers = {number_of(path) for path in LESSONS}
    numbers |= {name.rpartition("/")[2][:2] for name in LEFT_OUT}
    for text in texts():
        named = set(re.findall(r"\b[Ll]essons? (\d\d)\b", text.markdown))
        assert named <= numbers, f"{text}: {sorted(named - numbers)}"


def headings(markdown):
    """The anchors of a page, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.+)$", markdown, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_anchors_exist():
    for page in PAGES:
        text = page.read_text("utf-8")
        for _, target in LINK.findall(text):
            name, _, anchor = target.partition("#")
            path = page.parent / name if name else page
            if anchor and "//" not in target and path.suffix == ".md" and path.exists():
                assert anchor in headings(path.read_text("utf-8")), f"{page.name}: {target}"
    for path in LESSONS:
        for cell in read(path).cells:
            for words, target in LINK.findall(cell.source if cell.cell_type == "markdown" else ""):
                assert "#" not in target or "//" in target, (
                    f"{path.name}: [{words}] leads to an anchor, which no test follows"
                )


def goals(beginning):
    (path,) = [path for path in LESSONS if path.name.startswith(beginning)]
    return read(path).cells[1].source


def test_the_index_gives_the_time_of_each_lesson():
    index = (ROOT / "notebooks/README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| .*\]\(([^)]+)\) \| (\d+) minutes \|$", index, re.MULTILINE))
    for path in LESSONS:
        (stated,) = re.findall(r"^\*\*Time\*\* about (\d+) minutes", goals(path.name), re.MULTILINE)
        if number_of(path) != "A":
            assert rows[path.name] == stated, path.name


def test_the_readme_gives_the_times_of_the_runs():
    """ "lesson 05 takes about three minutes on a laptop, lesson 07 two, the others less"."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (said,) = re.findall(
        r"lesson 05 takes about (\w+) minutes on a laptop, lesson 07 (\w+)", readme
    )
    for beginning, word in zip(("05-", "07-"), said, strict=True):
        (stated,) = re.findall(r"All cells together run in about (\w+) minutes?", goals(beginning))
        number = stated if stated.isdigit() else str(COUNTED.index(stated) + 1)
        assert str(COUNTED.index(word) + 1) == number


def test_contributing_gives_the_limits_that_are_held():
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (cells, minutes) = re.findall(r"to (\d+) cells and (\d+) minutes", contributing)[0]
    test = (ROOT / "tests/notebooks/test_lessons.py").read_text("utf-8")
    assert f"<= int(stated) <= {minutes}" in test
    assert f"len(notebook.cells) <= {cells}" in test
