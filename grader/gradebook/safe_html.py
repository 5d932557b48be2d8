r"""What students wrote as HTML, made harmless for the browser of the person who grades.

Formgrader shows students' cells and outputs in the same origin as JupyterLab: a script in them
would act with the grader's rights, on files and marks. nbgrader_config.py puts these filters in
the place of nbconvert's, for formgrader and feedback alike.

Formulas become MathML here. On formgrader's pages MathJax, which nbgrader fetches, reads the rest
after it was cleaned: what its commands could do (`\href`) is taken out of texts by
`grader.text.for_mathjax`.
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import nh3
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from grader.gradebook.formulas import to_mathml
from grader.text import for_html, for_mathjax

Pictures = Mapping[str, Mapping[str, str]]
"""Pasted pictures, as of `grader.cells.Cell.attachments`."""

TEXT_TAGS = "a abbr b br code del em i ins kbd mark q s small span strong sub sup u img"
BLOCK_TAGS = "blockquote dd details div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre summary ul"
TABLE_TAGS = "caption table tbody td tfoot th thead tr"
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[\w+/=\s]*\Z")
LINK = re.compile(r"(?i)(https?://|mailto:|#)")
LONGEST_ATTRIBUTE = 1000
ATTRIBUTES = {"title", "colspan", "rowspan", "align", "alt", "width", "height"}
CLEANER_OPTIONS = {
    "tags": set(f"{TEXT_TAGS} {BLOCK_TAGS} {TABLE_TAGS}".split()),
    "clean_content_tags": {"script", "style"},
    "attributes": {
        "*": set(),
        **dict.fromkeys(f"{BLOCK_TAGS} {TABLE_TAGS}".split(), ATTRIBUTES),
        "a": {"href"},
        "i": {"title"},  # in the place of a formula, while the rest is cleaned
        "img": {"src", *ATTRIBUTES},
    },
    # The page has styles of its own for many classes.
    "allowed_classes": {"table": {"dataframe"}},
    "url_schemes": {"http", "https", "mailto", "data"},
}

# Deeply nested tags take the square of their number: 20,000 a second.
MOST_TAGS = 20_000
# A tag like <b> that is left open is opened again in each following paragraph, with its attributes:
# 40 KB can become 28 MB. How many tags that can be, and how many of their characters.
STAYS_OPEN = re.compile(r"(?i)<(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/]")
MOST_REPEATED, MOST_COPIED = 200_000, 50_000_000
# From each of these the rest of a text is searched for its end.
OPENS_FORMULA = re.compile(r"\\\\[\[(]|\\begin\{")
MOST_FORMULAS = 200
LONGEST_MARKDOWN = 20_000
SECRET = secrets.token_hex(16)


def clean_html(element: str | bytes) -> str:
    """HTML of which nothing is left but text, tables and pictures that are part of it."""
    text = element.decode(errors="replace") if isinstance(element, bytes) else str(element)
    tags, open_tags = text.count("<"), len(STAYS_OPEN.findall(text))
    if (
        tags > MOST_TAGS
        or tags * open_tags > MOST_REPEATED
        or (open_tags and tags * len(text) > MOST_COPIED)
    ):
        return as_text(text)
    made = for_mathjax(_cleaner().clean(text))
    return made.replace("<th></th>", "<td></td>")  # tables of pandas begin with one


@functools.cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(attribute_filter=_allowed, **CLEANER_OPTIONS)  # type: ignore[arg-type]


def _allowed(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if PICTURE.match(value) else None
    if len(value) > LONGEST_ATTRIBUTE or (name == "href" and not LINK.match(value)):
        return None
    return value


@pass_context
def markdown2html(context: Any, source: str) -> str:
    """Markdown to HTML: as it is in the assignment's own cells, made harmless in all others."""
    cell = context.get("cell") or {}
    meta = cell.get("metadata", {}).get("nbgrader") or {}
    # What a locked code cell shows may come from the student's code.
    is_text = cell.get("cell_type") == "markdown"
    is_ours = is_text and bool(meta.get("locked") or meta.get("task")) and not meta.get("solution")
    return render_ours(source) if is_ours else render(source, cell.get("attachments"))


@functools.lru_cache(500)
def render_ours(source: str) -> str:
    """Markdown of the assignment to HTML, once for all students."""
    return MarkdownWithMath(renderer=WithFormulas(escape=False)).render(source)


class WithFormulas(IPythonRenderer):
    """Markdown with formulas as MathML; what cannot be made into it stays as it is written."""

    def block_math(self, body: str) -> str:
        return self.formula(body, True) or super().block_math(body)

    def inline_math(self, body: str) -> str:
        return self.formula(body, False) or super().inline_math(body)

    def latex_environment(self, name: str, body: str) -> str:
        made = self.formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", True)
        return made or super().latex_environment(name, body)

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        """A cell; an empty one is no heading, which screen readers would read out."""
        tag = "th" if head and text.strip() else "td"
        place = f' style="text-align:{align}"' if align else ""
        return f"  <{tag}{place}>{text}</{tag}>\n"

    def formula(self, latex: str, is_block: bool) -> str | None:
        """A formula as it stands in the HTML, or None."""
        return to_mathml(latex, is_block)


class StudentsMarkdown(WithFormulas):
    """Markdown with pasted pictures, and without colours for code: some languages take minutes.

    Parameters
    ----------
    pictures : dict
    """

    def __init__(self, pictures: Pictures) -> None:
        super().__init__(escape=False, allow_harmful_protocols=False, exclude_anchor_links=True)
        self.pictures = pictures
        self.formulas: dict[str, str] = {}

    def formula(self, latex: str, is_block: bool) -> str | None:
        """What stands for it until all else is cleaned: nobody can write that."""
        made = to_mathml(latex, is_block) if len(self.formulas) < MOST_FORMULAS else None
        if made is None:
            return None
        place = f'<i title="{SECRET}{len(self.formulas)}"></i>'
        self.formulas[place] = made
        return place

    def block_code(self, code: str, info: str | None = None) -> str:
        return super().block_code(code, None)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        if not url.startswith("attachment:"):
            return super().image(text, url, title)
        name = url.removeprefix("attachment:")
        kinds = self.pictures.get(name) or self.pictures.get(unquote(name))
        if not kinds:
            return f"({for_html(unquote(name))}: this picture is not in the notebook.)"
        kind, data = next(iter(kinds.items()))
        data = "".join(data.split())
        return f'<img src="data:{kind};base64,{data}" alt="{for_html(text)}">'


def render(source: str, pictures: Pictures | None = None) -> str:
    """Markdown of a student to HTML that does nothing."""
    if len(source) > LONGEST_MARKDOWN or len(OPENS_FORMULA.findall(source)) > MOST_FORMULAS:
        return as_text(source)
    renderer = StudentsMarkdown(pictures or {})
    try:
        made = MarkdownWithMath(renderer=renderer).render(source)
    except Exception:  # whatever a text that was made for it does to the parser
        return as_text(source)
    made = clean_html(made)
    for place, formula in renderer.formulas.items():
        made = made.replace(place, formula)
    return made


def as_text(text: str) -> str:
    """The beginning of a text, as it is."""
    cut = text if len(text) <= LONGEST_MARKDOWN else f"{text[:LONGEST_MARKDOWN]} ... cut off ..."
    return f"<pre>{for_html(cut)}</pre>"
