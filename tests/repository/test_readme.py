"""What the Markdown pages promise: links that resolve, and commands that exist."""

import re

import pytest

from helpers import pretrained
from helpers._downloads import SILENCE_SECONDS, Limit
from helpers.command import verbs
from helpers.data import _mnist, load_mnist
from tests.support.lessons import LEFT_OUT, LESSONS, ROOT, read

PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        ".github/PULL_REQUEST_TEMPLATE.md",
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


def test_links_resolve(page):
    text = page.read_text("utf-8")
    targets = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        if not target.startswith(("http:", "https:", "#")):
            path = page.parent / target.partition("#")[0]
            left_out = (page.parent.relative_to(ROOT) / target).as_posix() in LEFT_OUT
            assert path.exists() or left_out, target


def test_images_have_alt_text(page):
    text = page.read_text("utf-8")
    images = re.findall(r"!\[([^\]]*)\]", text) + re.findall(r"<img [^>]*>", text)
    for image in images:
        words = re.search(r'alt="([^"]*)"', image)[1] if image.startswith("<img") else image
        assert len(words) > 20


def test_commands_exist(page):
    text = "\n".join(code(page.read_text("utf-8")))
    names = {verb.name for verb in verbs.VERBS}
    for verb in re.findall(r"(?:^|\s)make ([a-z0-9-]+)(?=\s|$)", text):
        assert verb in names | {"site-serve"}, f"make {verb}"
    for verb in re.findall(r"(?:^|\s)course(?:\.py)? ([a-z0-9-]+)", text):
        assert verb in names, f"course {verb}"


def test_the_readme_lists_every_command_once():
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `(course [^`]+)` \| (.+) \|$", readme, re.MULTILINE)
    assert rows == [(f"course {verb.name} {verb.usage}".strip(), verb.what) for verb in verbs.VERBS]


def test_the_two_commands_are_in_the_readme():
    blocks = code((ROOT / "README.md").read_text("utf-8"))
    assert "make lab" in blocks
    assert "make test" in blocks


def test_files_that_are_named_exist(page):
    for name in re.findall(
        r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|yml|txt|md))`", page.read_text("utf-8")
    ):
        if name.startswith("build/"):
            # Made by a command: then some program names it.
            programs = [*(ROOT / "tools").glob("*.py"), ROOT / "grader/authoring/release.py"]
            last = name.rstrip("/").rpartition("/")[2]
            assert any(f'"{last}"' in path.read_text("utf-8") for path in programs), name
        elif not name.startswith((".cache", "MNIST", "grading/", "kim/")):  # others make these
            places = (page.parent, ROOT)
            assert any((place / name).exists() for place in places), name


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


def code(text):
    """Code blocks and inline code, one string for each."""
    blocks = re.findall(r"^```\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return blocks + re.findall(r"`([^`\n]+)`", rest)
