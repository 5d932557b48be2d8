"""Every text that is translated: which catalogue it belongs to, and its messages in their order."""

import ast
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.command.editions import PAGES, place_of_text
from helpers.command.files import ROOT, assignments, lessons
from helpers.language import MESSAGES, TESTS
from helpers.pieces._words import CATALOGUE, texts_of
from tools.translate.blocks import Block, code_blocks, has_words, markdown_blocks
from tools.translate.site import known_mistakes, site_words

# What makes a piece that takes a title.
PIECE = re.compile(
    r"\b(?:step_conv2d|step_pool2d|draw_digit|filter_dialog|explore_network|train_here)\("
)

# The tag of a cell below which the course's programs speak to the reader. Other printed output
# stays as it is, as the code that prints it does.
SPOKEN = "translate-output"

# Its sentences are values that tests show, as those that stand in the test cells themselves.
VALUES = Path("helpers/assignment/blocks.py")


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
    found[MESSAGES] = messages_of_programs(root)
    found[TESTS] = messages_of_tests(root)
    found["feedback"] = feedback_messages(root / "grader")
    found["site/words"] = [Message("", text, "label") for text in site_words(root)]
    others = [
        text
        for assignment, text in known_mistakes(root)
        if text not in {message.text for message in found[f"known-mistakes/{assignment}"]}
    ]
    found["site/mistakes"] = [Message("", text, "sentence") for text in dict.fromkeys(others)]
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
    """The blocks of each cell, what the course's programs say below it, and the alternative text
    of its picture."""
    found = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        blocks = markdown_blocks(source) if cell["cell_type"] == "markdown" else code_blocks(source)
        found += [(cell["id"], block) for block in blocks]
        if SPOKEN in cell["metadata"].get("tags", ()):
            for output in cell["outputs"]:
                holder, key = place_of_text(output)
                found.append((f"{cell['id']}/output", Block("".join(holder[key]), "output")))
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


# In a call of one of these in grader/, a literal is what a student reads: see grader/words.py.
SAID = {"said", "Note", "Sentences", "NotJudged"}
SAID_IN_A_FORM = re.compile(r'said\("([^"]+)"\)')


def feedback_messages(folder: Path) -> list[Message]:
    """What the grader says to students, and the words of their pages."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if name in SAID:
                values = [*node.args, *(word.value for word in node.keywords)]
                texts = [value.value for value in values if isinstance(value, ast.Constant)]
                found |= dict.fromkeys(text for text in texts if isinstance(text, str) and text)
    for path in sorted(folder.rglob("page.html.j2")):
        found |= dict.fromkeys(SAID_IN_A_FORM.findall(path.read_text(encoding="utf-8")))
    return [Message("", text, "message") for text in found]


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


def messages_of_programs(root: Path) -> list[Message]:
    """What the programs that a reader runs say: what stands in a call of `gettext`."""
    paths = [path for path in sorted((root / "helpers").rglob("*.py")) if path != root / VALUES]
    texts = [text for path in paths for text in marked(path.read_text(encoding="utf-8"))]
    return [Message("", text, "message") for text in dict.fromkeys(texts)]


def messages_of_tests(root: Path) -> list[Message]:
    """What the visible tests of the assignments say: their claims, and the sentences they show."""
    texts: list[str] = []
    for path in assignments(root):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade") and cell["cell_type"] == "code":
                texts += said_in("".join(cell["source"]))
    texts += marked((root / VALUES).read_text(encoding="utf-8"))
    return [Message("", text, "message") for text in dict.fromkeys(texts)]


def marked(source: str) -> Iterator[str]:
    """The literals in calls of `gettext` and `gettext_noop`."""
    if "gettext" in source:
        for node in in_order(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                is_text = node.args and isinstance(node.args[0], ast.Constant)
                if node.func.id in ("gettext", "gettext_noop") and is_text:
                    yield node.args[0].value


def said_in(source: str) -> Iterator[str]:
    """The claims of a test cell, and the sentences that it returns or raises."""
    nodes = in_order(ast.parse(source))
    for node in nodes:
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "satisfies":
            claim = node.args[0]
            yield from named(claim.id, nodes) if isinstance(claim, ast.Name) else [template(claim)]
        elif isinstance(node, ast.Return | ast.Raise):
            value = node.value if isinstance(node, ast.Return) else node.exc.args[0]
            parts = (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
            yield from filter(is_sentence, map(template, parts))


def named(name: str, nodes: list[ast.AST]) -> Iterator[str]:
    """The sentences that get this name, in an assignment or one after the other in a loop."""
    for node in nodes:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.For):
            targets, value = [node.target], node.iter
        else:
            continue
        names = [part for target in targets for part in ast.walk(target)]
        if any(isinstance(part, ast.Name) and part.id == name for part in names):
            yield from filter(is_sentence, map(template, in_order(value)))


def in_order(tree: ast.AST) -> list[ast.AST]:
    """The statements and expressions of a program, from top to bottom."""
    nodes = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    return sorted(nodes, key=lambda node: (node.lineno, node.col_offset))


def is_sentence(text: str) -> bool:
    """Is it more than the one or two words that a test compares?"""
    return len(text.split()) > 3


def template(node: ast.expr | None) -> str:
    """A text with `{…}` where an f-string puts a value in; empty if it is neither."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [
            part.value if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
            for part in node.values
        ]
        return "".join(parts)
    return ""
