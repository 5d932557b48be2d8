"""Reading what the course tells in words: the Markdown of its notebooks and pages."""

import re
from dataclasses import dataclass

from tests.support.assignment_files import NAMES, source
from tests.support.lessons import LESSONS, ROOT, read

PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "notebooks/README.md",
        "assignments/README.md",
        "solutions/README.md",
        "solutions/grading.md",
        "grader/README.md",
    )
]
PAGES += sorted((ROOT / "site").glob("*.md"))


@dataclass(frozen=True)
class Text:
    """A piece of Markdown, and where it stands."""

    page: str
    place: str
    markdown: str

    def __str__(self):
        return f"{self.page}, {self.place}"


def texts():
    """All Markdown of the lessons, of the assignments' sources and of the pages."""
    for path in LESSONS:
        yield from cells(f"notebooks/{path.name}", read(path))
    for name in NAMES:
        yield from cells(f"solutions/{name}/{name}.ipynb", source(name))
    for path in PAGES:
        if path.exists():
            yield Text(path.relative_to(ROOT).as_posix(), "page", path.read_text("utf-8"))


def cells(page, notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield Text(page, f"cell {cell.id}", cell.source)


def code(markdown):
    """Blocks of code and code within a line, one string for each."""
    blocks = re.findall(r"^ *```\w*\n(.*?)\n *```$", markdown, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^ *```.*?^ *```$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return blocks + re.findall(r"`([^`\n]+)`", rest)
