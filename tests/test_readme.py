"""What the Markdown pages promise: links that resolve, and commands that exist."""

import re
import subprocess

import needs
import pytest
from lessons import LEFT_OUT, ROOT

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "notebooks/README.md")]
PAGES += [ROOT / "helpers/samples/README.md"]


def verbs():
    """The verbs that `make` alone lists."""
    listing = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(re.findall(r"^  ([a-z0-9-]+) ", listing.stdout, re.MULTILINE))


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


@needs.make
def test_make_commands_exist(page):
    text = page.read_text("utf-8")
    commands = re.findall(r"(?:`|^|\s)make ([a-z0-9-]+)(?=`|\s|$)", "\n".join(code(text)))
    for verb in commands:
        assert verb in verbs(), f"make {verb}"


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
            programs = [*(ROOT / "tools").glob("*.py"), ROOT / "helpers/grading/release.py"]
            last = name.rstrip("/").rpartition("/")[2]
            assert any(f'"{last}"' in path.read_text("utf-8") for path in programs), name
        elif not name.startswith((".cache", "MNIST")):
            here = (page.parent / name).exists()
            assert here or (ROOT / name).exists(), name


def test_commands_run_tools_that_exist():
    for block in code((ROOT / "README.md").read_text("utf-8")):
        for name in re.findall(r"tools[/\\](\w+\.py)", block):
            assert (ROOT / "tools" / name).exists(), name


def test_variables_in_the_readme_are_the_ones_that_are_read():
    readme = (ROOT / "README.md").read_text("utf-8")
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "helpers").rglob("*.py"))
    for name in ("MNIST_SOURCE", "MNIST_ROOT", "COURSE_DEVICE"):
        assert f"`{name}`" in readme
        assert f'"{name}"' in source


def code(text):
    """Code blocks and inline code, one string for each."""
    blocks = re.findall(r"^```\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return blocks + re.findall(r"`([^`\n]+)`", rest)
