"""The form of the page that a student gets back: what is on it, and how it is shown.

It needs no network and no script: formulas are MathML, pictures are part of it, and the styles
stand in it. A browser is told to load nothing, whatever a student wrote.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from nbconvert.filters import ansi2html
from pygments import lex
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES

from grader.cells import metadata_of
from grader.gradebook.graded import NOTES_ID
from grader.gradebook.safe_html import clean_html, render, render_ours
from grader.records import Output
from grader.text import writable
from grader.words import said
from helpers.language import ENGLISH

FORM = Path(__file__).parent / "page_form"
LONGEST_CODE = 50_000
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
# The kinds of words that the style sheet knows.
STYLES = "k kn kc kd ow s s1 s2 sa sd si se c c1 ch cm mi mf mh mb mo"
STYLED = set(STYLES.split())


Cell = Mapping[str, Any]
"""A cell of a notebook, as JSON has it."""


@dataclass
class Item:
    """A cell on the page.

    Attributes
    ----------
    kind : str
        "answer", "test", "task" (marked by a person wherever the answer stands) or "own".
    cell : dict
    score, points : float
    comment : str
    claim : str
        What a test checks.
    """

    kind: str
    cell: Cell
    score: float = 0.0
    points: float = 0.0
    comment: str = ""
    claim: str = ""


@dataclass
class Part:
    """What stands below a heading of the assignment.

    Attributes
    ----------
    name : Markup
    task : list of dict
        The assignment's own texts.
    items : list of Item
    """

    name: Markup = field(default_factory=Markup)
    task: list[Cell] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)

    @property
    def score(self) -> float:
        return sum(item.score for item in self.items)

    @property
    def points(self) -> float:
        return sum(item.points for item in self.items)

    @property
    def has_comment(self) -> bool:
        return any(item.comment for item in self.items)


def outline(cells: Sequence[Cell]) -> tuple[Markup, Cell | None, list[Part]]:
    """What concerns the student, in parts by the assignment's headings.

    Parameters
    ----------
    cells : sequence of dict
        Of a graded notebook, with ``score``, ``points`` and ``comment`` in nbgrader's metadata.

    Returns
    -------
    (Markup, dict or None, list of Part)
        The assignment's title, the cell with notes on the submission, and the parts in which
        there is anything of the student's.
    """
    title, parts = Markup(), [Part()]
    notes: Cell | None = None
    for cell in cells:
        if cell.get("id") == NOTES_ID:
            notes = cell
            continue
        meta = metadata_of(cell)
        if meta and cell["cell_type"] == "markdown" and _is_ours(meta):
            level, name, rest = _heading(cell["source"])
            if level == 1 and not title:
                title = name
                continue
            if level == 2:
                parts.append(Part(name))
                cell = {**cell, "source": rest}
            if not meta.get("task"):
                parts[-1].task.append(cell)
                continue
        item = _item(cell, meta)
        if item:
            parts[-1].items.append(item)
    return title, notes, [part for part in parts if part.items]


def _is_ours(meta: Mapping[str, Any]) -> bool:
    return bool(meta.get("locked") or meta.get("task")) and not meta.get("solution")


def _heading(source: str) -> tuple[int, Markup, str]:
    """The level and text of the heading that a cell begins with (0 without one), and the rest."""
    first, _, rest = source.strip().partition("\n")
    found = re.match(r"(#{1,6}) +(.+)", first)
    if not found:
        return 0, Markup(), source
    shown = re.sub(r"</?p>", "", render_ours(found[2]).strip())
    return len(found[1]), Markup(shown), rest


def _item(cell: Cell, meta: Mapping[str, Any] | None) -> Item | None:
    if not meta:
        return Item("own", cell) if cell["source"].strip() or cell.get("outputs") else None
    marks = float(meta.get("score") or 0.0), float(meta.get("points") or 0.0)
    comment = meta.get("comment") or ""
    if meta.get("task"):
        return Item("task", cell, *marks, comment)
    if meta.get("solution"):
        return Item("answer", cell, *marks, comment)
    if meta.get("grade"):
        claim = cell["source"].strip().partition("\n")[0].lstrip("# ").strip()
        return Item("test", cell, *marks, comment, claim or meta["grade_id"])
    # The assignment's own code is of interest where it did not run.
    has_failed = any(output["output_type"] == "error" for output in cell.get("outputs", ()))
    return Item("own", cell) if has_failed else None


def make(
    cells: Sequence[Cell],
    marks: Mapping[str, Any],
    student: str,
    name: str,
    language: str = ENGLISH,
) -> str:
    """The page's text.

    Parameters
    ----------
    cells : sequence of dict
        As of `outline`, without what students are not to read.
    marks : dict
        ``score``, ``max_score`` and ``late_penalty``.
    student : str
        The name at the top.
    name : str
        What the assignment is called, for a notebook without a title.
    language : str
        Of the page's own words.
    """
    title, notes, parts = outline(cells)
    text = _template().render(
        language=language,
        said=functools.partial(said, language=language),
        title=title or name,
        student=writable(student),
        notes=notes,
        parts=parts,
        score=max(0.0, marks["score"]),
        max_score=marks["max_score"],
        late_penalty=marks["late_penalty"],
    )
    return writable(text)


@functools.cache
def form_digest() -> str:
    """A digest of the page's form: one that was written in an older form is written again."""
    digest = hashlib.sha256()
    for path in (FORM / "page.css", FORM / "page.html.j2", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FORM), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {
        "points": lambda number: f"{number:.2f}".rstrip("0").rstrip("."),
        "coloured": coloured,
        "worded": _words_of,
        "remarked": lambda text: Markup(render(str(text))),
        "shown": _shown,
    }
    environment.globals["css"] = Markup((FORM / "page.css").read_text(encoding="utf-8"))
    return environment.get_template("page.html.j2")


def coloured(cell: Cell) -> Markup:
    """A cell's code with a class for each kind of word."""
    meta = metadata_of(cell) or {}
    source = cell["source"]
    if meta.get("locked"):
        return _coloured_once(source)
    return Markup.escape(source) if len(source) > LONGEST_CODE else _coloured(source)


def _coloured(source: str) -> Markup:
    made = []
    for kind, text in lex(source, _lexer()):
        name, shown = STANDARD_TYPES.get(kind, ""), html.escape(text)
        made.append(f'<span class="{name}">{shown}</span>' if name in STYLED else shown)
    return Markup("".join(made).rstrip("\n"))


_coloured_once = functools.lru_cache(500)(_coloured)


@functools.cache
def _lexer() -> PythonLexer:
    return PythonLexer(stripnl=False)


def _words_of(cell: Cell) -> Markup:
    """A Markdown cell: as it is if it is the assignment's, made harmless otherwise."""
    meta = metadata_of(cell) or {}
    if _is_ours(meta):
        return Markup(render_ours(cell["source"]))
    return Markup(render(cell["source"], cell.get("attachments")))


def _shown(output: Output, no_alt: str) -> Markup:
    """An output; of several forms the one that says most."""
    kind = output["output_type"]
    if kind == "stream":
        return Markup(f"<pre>{ansi2html(_text(output['text']))}</pre>")
    if kind == "error":
        return Markup(f"<pre>{ansi2html(chr(10).join(output['traceback']))}</pre>")
    data = output["data"]
    if "text/html" in data:
        made = clean_html(_text(data["text/html"]))
        return Markup(f'<div class="wide" tabindex="0">{made}</div>')
    if "text/markdown" in data:
        return Markup(f'<div class="text">{render(_text(data["text/markdown"]))}</div>')
    for mime in PICTURES:
        if mime in data:
            return _picture(mime, _text(data[mime]), output, no_alt)
    plain = _text(data.get("text/plain", ""))
    return Markup(f"<pre>{ansi2html(plain)}</pre>" if plain else "")


def _picture(mime: str, data: str, output: Output, no_alt: str) -> Markup:
    if mime == "image/svg+xml":  # in a picture, its scripts do not run
        data = base64.b64encode(data.encode()).decode()
    alt = output.get("metadata", {}).get(mime, {})
    alt = alt.get("alt") if isinstance(alt, dict) else None
    place = Markup("data:{};base64,{}").format(mime, "".join(data.split()))
    return Markup('<img src="{}" alt="{}">').format(place, alt or no_alt)


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)
