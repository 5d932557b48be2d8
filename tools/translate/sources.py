"""Every text that is translated: which catalogue it belongs to, and its messages in their order."""

import ast
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.command.editions import PAGES
from helpers.command.files import ROOT, assignments, lessons
from helpers.pieces._words import CATALOGUE, texts_of
from tools.translate.blocks import Block, code_blocks, has_words, markdown_blocks

# What makes a piece that takes a title.
PIECE = re.compile(
    r"\b(?:step_conv2d|step_pool2d|draw_digit|filter_dialog|explore_network|train_here)\("
)


@dataclass(frozen=True)
class Message:
    """A text to translate; in its catalogue, context and text together are unique."""

    context: str
    text: str
    kind: str


def catalogues(root: Path = ROOT) -> dict[str, list[Message]]:
    """{name of the catalogue, such as notebooks/01-convolution-by-hand: its messages}"""
    found = {}
    for path in lessons(root):
        found[f"notebooks/{path.stem}"] = notebook_messages(path)
    for path in assignments(root):
        found[f"assignments/{path.stem}"] = notebook_messages(path)
        found[f"known-mistakes/{path.stem}"] = sentences(path.with_name("checks.json"))
    for page in (*PAGES, *(f"site/{path.name}" for path in sorted((root / "site").glob("*.md")))):
        text = (root / page).read_text(encoding="utf-8")
        name = page.removesuffix(".md")
        found[name] = numbered([("", block) for block in markdown_blocks(text)])
    found[CATALOGUE] = piece_messages(root)
    found["glossary"] = glossary_messages(root / "site/glossary.toml")
    found["predictions"] = prediction_messages(root / "helpers/pieces/prediction/questions.toml")
    return found


def numbered(blocks: list[tuple[str, Block]]) -> list[Message]:
    """Messages of blocks and their contexts; what comes again gets a number in its context."""
    seen: Counter[tuple[str, str]] = Counter()
    messages = []
    for context, block in blocks:
        seen[context, block.text] += 1
        number = seen[context, block.text]
        if number > 1:
            context = f"{context} {number}".strip()
        messages.append(Message(context, block.text, block.kind))
    return messages


def notebook_messages(path: Path) -> list[Message]:
    """The blocks of each cell, and the alternative text of its picture."""
    found = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        blocks = markdown_blocks(source) if cell["cell_type"] == "markdown" else code_blocks(source)
        found += [(cell["id"], block) for block in blocks]
        if "alt" in cell["metadata"]:
            found.append((f"{cell['id']}/alt", Block(cell["metadata"]["alt"], "alternative text")))
    return numbered(found)


def sentences(path: Path) -> list[Message]:
    """What the known mistakes of an assignment are told."""
    texts = json.loads(path.read_text(encoding="utf-8"))["sentences"]
    return numbered([("", Block(text, "sentence")) for text in texts])


def piece_messages(root: Path) -> list[Message]:
    """The words of the pieces: what their Python and scripts mark, and titles that lessons
    and pages give."""
    texts: list[str] = []
    for path in sorted((root / "helpers/pieces").rglob("*")):
        if path.suffix == ".py":
            texts += marked_texts(path.read_text(encoding="utf-8"))
        elif path.suffix == ".js" and not path.name.endswith(".min.js"):
            texts += texts_of(path.read_text(encoding="utf-8"))
    for path in lessons(root):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and PIECE.search(source):
                texts += titles(source)
    for path in sorted((root / "site").glob("*.md")):
        texts += re.findall(r"^title: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [Message("", text, "label") for text in dict.fromkeys(texts) if has_words(text)]


def marked_texts(source: str) -> Iterator[str]:
    """The literals in `tr("…")` and `marked("…")`."""
    for node in ast.walk(ast.parse(source)):
        called = isinstance(node, ast.Call) and getattr(node.func, "id", "")
        if called in ("tr", "marked") and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value


def titles(source: str) -> Iterator[str]:
    """The literals in `title="…"` of pieces."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and PIECE.fullmatch(f"{getattr(node.func, 'id', '')}("):
            for keyword in node.keywords:
                if keyword.arg == "title" and isinstance(keyword.value, ast.Constant):
                    yield keyword.value.value


def glossary_messages(path: Path) -> list[Message]:
    """The definitions of the terms. What the terms are called is in the glossary itself."""
    terms = tomllib.loads(path.read_text(encoding="utf-8"))["term"]
    return [Message(term["english"], term["definition"], "definition") for term in terms]


def prediction_messages(path: Path) -> list[Message]:
    """Questions, choices, reasons and what wrong guesses are told."""
    found = []
    for name, question in tomllib.loads(path.read_text(encoding="utf-8")).items():
        texts = [("question", question["question"])]
        texts += [("choice", choice) for choice in question.get("choices", ())]
        texts.append(("reason", question["because"]))
        texts += [("reason", reason) for _, reason in question.get("wrong", ())]
        found += [(name, Block(text, kind)) for kind, text in texts]
    return numbered(found)
