"""The texts of the web site that stand neither on a page of Markdown nor in a notebook."""

import ast
import csv
import re
import tomllib
from pathlib import Path


def site_words(root: Path) -> list[str]:
    """What the site's own code puts on pages, and the headings of its tables of contents."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [project["description"]]
    for path in sorted((root / "site").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "")
            if called in ("gettext", "nodes_of") and isinstance(node.args[0], ast.Constant):
                texts.append(node.args[0].value)
    for path in sorted((root / "site").glob("*.md")):
        texts += re.findall(r"^:caption: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return list(dict.fromkeys(texts))


def known_mistakes(root: Path) -> list[tuple[str, str]]:
    """(assignment, sentence) of the pages of known mistakes, also of what no student is told."""
    with (root / "solutions/known-mistakes.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return [(row["assignment"], row["what the student reads"]) for row in rows]
