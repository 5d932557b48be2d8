"""What students wrote as HTML, made harmless for the browser of the person who grades.

Formgrader shows students' cells and outputs in the same origin as JupyterLab: a script in them
would act with the grader's rights, on files and marks. nbgrader_config.py puts these filters in
the place of nbconvert's, for formgrader and feedback alike.
"""

import functools
import html
import re

import bleach
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

TEXT_TAGS = "a abbr b br code del em i ins kbd mark q s small span strong sub sup u img"
BLOCK_TAGS = "blockquote dd details div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre summary ul"
TABLE_TAGS = "caption table tbody td tfoot th thead tr"
TAGS = frozenset(f"{TEXT_TAGS} {BLOCK_TAGS} {TABLE_TAGS}".split())
PLAIN_ATTRIBUTES = {"class", "title", "colspan", "rowspan", "align", "alt", "width", "height"}
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[\w+/=\s]*\Z")
# Their text is no text for a reader.
DROPPED = re.compile(r"(?is)<(script|style)\b.*?(</\1\s*>|\Z)")
# Longer texts are shown as text: with some of them the parsers need minutes.
LONGEST_MARKDOWN, LONGEST_HTML, MOST_TAGS = 20_000, 200_000, 4000
# MathJax makes links of its own, also to scripts.
LINKS_IN_MATH = re.compile(r"\\(href|require|cssId|class|style)(?![a-zA-Z])")


def clean_html(element):
    """HTML of which nothing is left but text, tables and pictures that are part of it."""
    text = element.decode(errors="replace") if isinstance(element, bytes) else str(element)
    if len(text) > LONGEST_HTML or text.count("<") > MOST_TAGS:
        return as_text(text)
    try:
        return bleach.clean(
            DROPPED.sub("", text),
            tags=TAGS,
            attributes=_is_allowed,
            protocols=["http", "https", "mailto", "data"],
            strip=True,
        )
    except Exception:  # whatever a text that was made for it does to the parser
        return as_text(text)


@pass_context
def markdown2html(context, source):
    """Markdown to HTML: as it is in the assignment's own cells, made harmless in all others."""
    cell = context.get("cell") or {}
    meta = cell.get("metadata", {}).get("nbgrader") or {}
    is_ours = bool(meta.get("locked") or meta.get("task")) and not meta.get("solution")
    return render_ours(source) if is_ours else render(source, cell.get("attachments"))


@functools.lru_cache(500)
def render_ours(source):
    """Markdown of the assignment to HTML, once for all students."""
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(source)


def render(source, pictures=None):
    """Markdown of a student to HTML that does nothing.

    Parameters
    ----------
    source : str
    pictures : dict, optional
        Pasted ones, as of `grader.cells.Cell.attachments`.
    """
    # Short texts stand for the pictures until everything has been cleaned.
    stand_ins, real = {}, {}
    for name, kinds in (pictures or {}).items():
        kind, text = next(iter(kinds.items()))
        stand_ins[name] = {kind: f"picture{len(real):08}"}
        real[f"data:{kind};base64,picture{len(real):08}"] = f"data:{kind};base64,{text}"
    renderer = IPythonRenderer(escape=False, allow_harmful_protocols=False, attachments=stand_ins)
    if len(source) > LONGEST_MARKDOWN:
        return as_text(source)
    try:
        text = clean_html(MarkdownWithMath(renderer=renderer).render(source))
    except Exception:  # whatever a text that was made for it does to the parsers
        return as_text(source)
    text = LINKS_IN_MATH.sub(r"\\text", text)
    for short, picture in real.items():
        text = text.replace(f'"{short}"', f'"{"".join(picture.split())}"')
    return text


def as_text(text):
    """The beginning of a text, as it is."""
    cut = text if len(text) <= LONGEST_MARKDOWN else f"{text[:LONGEST_MARKDOWN]} ... cut off ..."
    return f"<pre>{html.escape(cut)}</pre>"


def _is_allowed(tag, name, value):
    if tag == "img" and name == "src":
        return bool(PICTURE.match(value))
    if tag == "a" and name == "href":
        return value.lower().startswith(("http://", "https://", "mailto:", "#"))
    return name in PLAIN_ATTRIBUTES
