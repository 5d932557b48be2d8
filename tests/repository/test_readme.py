"""What the Markdown pages promise: links that resolve, and commands that exist."""

import re

import pytest

from helpers import pretrained
from helpers._downloads import SILENCE_SECONDS, Limit
from helpers.command import verbs
from helpers.data import _mnist, load_mnist
from tests.support.lessons import LEFT_OUT, LESSONS, ROOT, read
from tests.support.prose import code

PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        ".github/PULL_REQUEST_TEMPLATE.md",
        "grader/README.md",
        "helpers/data/samples/README.md",
        "notebooks/README.md",
        "assignments/README.md",
        "solutions/README.md",
        "solutions/grading.md",
    )
]


@pytest.fixture(params=PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def page(request):
    return request.param


def links(text):
    """The targets of the links and pictures of a page."""
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)


def images(text):
    """The alternative text of each picture of a page."""
    tags = re.findall(r"<img [^>]*>", text)
    found = [re.search(r'alt="([^"]*)"', tag) for tag in tags]
    return re.findall(r"!\[([^\]]*)\]", text) + [alt[1] if alt else "" for alt in found]


def commands(text):
    """The verbs of make and of course that a page names in code."""
    text = "\n".join(code(text))
    return re.findall(r"(?:^|\s)make ([a-z0-9-]+)(?=\s|$)", text), re.findall(
        r"(?:^|\s)course(?:\.py)? ([a-z0-9-]+)", text
    )


def file_names(text):
    """The files that a page names in code, also within a command."""
    commands = " ".join(re.findall(r"^```\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL))
    within = re.findall(r"(?:^|\s)([\w-]+\.(?:py|toml|yml|txt|md))(?!\S)", commands)
    return within + re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|yml|txt|md))`", text)


def test_the_readme_has_some_of_all_that_is_looked_for():
    text = (ROOT / "README.md").read_text("utf-8")
    make, course = commands(text)
    assert all([links(text), images(text), make, course, file_names(text)])


def test_links_resolve(page):
    for target in links(page.read_text("utf-8")):
        if not target.startswith(("http:", "https:", "#")):
            path = page.parent / target.partition("#")[0]
            left_out = (page.parent.relative_to(ROOT) / target).as_posix() in LEFT_OUT
            assert path.exists() or left_out, target


def test_images_have_alt_text(page):
    for alt in images(page.read_text("utf-8")):
        assert len(alt) > 20


def test_commands_exist(page):
    make, course = commands(page.read_text("utf-8"))
    names = {verb.name for verb in verbs.VERBS}
    assert set(make) <= names | {"site-serve"}
    assert set(course) <= names


def test_the_readme_lists_every_command_once():
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `(course [^`]+)` \| (.+) \|$", readme, re.MULTILINE)
    assert rows == [(f"course {verb.name} {verb.usage}".strip(), verb.what) for verb in verbs.VERBS]


def test_the_two_commands_are_in_the_readme():
    blocks = code((ROOT / "README.md").read_text("utf-8"))
    assert "make lab" in blocks
    assert "make test" in blocks


# {what is made: by which verb and options}
MADE = {
    "ko": r'lab (ARGS=")?--language ko',
    "build/site": "site",
    "build/cnn-course.zip": "release",
}


def test_files_that_are_named_exist(page):
    text = page.read_text("utf-8")
    for name in file_names(text):
        if name.startswith(("build/", "ko/")):
            assert re.search(rf"(course|make) {MADE[name.rstrip('/')]}\b", text), name
        elif not name.startswith((".cache", "MNIST", "grading/", "kim/", "assignments/NAME/")):
            places = (page.parent, ROOT)
            assert any((place / name).exists() for place in places), name


def test_a_file_in_a_command_is_looked_for():
    assert file_names("```\nconda env create -f enviroment.yml\n```") == ["enviroment.yml"]


def test_the_conda_environment_is_called_by_its_name():
    (name,) = re.findall(r"^name: (.+)$", (ROOT / "environment.yml").read_text("utf-8"), re.M)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.findall(r"^conda activate (.+)$", readme, re.MULTILINE) == [name]


def test_variables_in_the_readme_are_the_ones_that_are_read():
    readme = (ROOT / "README.md").read_text("utf-8")
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "helpers").rglob("*.py"))
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE))
    assert {"MNIST_SOURCE", "MNIST_ROOT", "COURSE_DEVICE", "COURSE_TORCH"} <= named
    for name in named - {"TORCH_HOME"}:  # torch's own
        assert f'"{name}"' in source, name


def test_the_limits_of_downloads_are_told_as_they_are():
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("## The data")[2].partition("\n## ")[0]
    (lesson,) = [path for path in LESSONS if path.name.startswith("07-")]
    (intro,) = [cell.source for cell in read(lesson).cells if cell.id == "trained-intro"]
    weights = str(Limit(pretrained.DOWNLOAD_SECONDS))
    for text, whole in (
        (section, str(Limit(_mnist.DOWNLOAD_SECONDS))),
        (section, weights),
        (intro, weights),
        (load_mnist.__doc__, str(Limit(_mnist.DOWNLOAD_SECONDS))),
        (pretrained.trained_alexnet.__doc__, weights),
    ):
        assert whole in text
        assert str(Limit(SILENCE_SECONDS)) in text
