"""The blocks of a text that are translated one by one.

A block is a paragraph, a heading, an item of a list, a row of a table or a piece of HTML: small
enough that a changed sentence stales one of them only. Of code it is a comment or a docstring.
Blocks are exact slices of their text, in its order, so that what stands between them stays.

markdown-it-py reads Markdown, as MyST does on the web site.
"""

import io
import re
import tokenize
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

# What holds no word: code, formulas, addresses, tags, numbers and signs.
NO_WORDS = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<[^>]*>", re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}")
# Comments that a program reads.
FOR_PROGRAMS = re.compile(r"#\s*(noqa|type:|fmt:|###|!)|###|#!")


@dataclass(frozen=True)
class Block:
    """A slice of a text, and what kind of block it is."""

    text: str
    kind: str


@cache
def parser():
    """The Markdown of lessons and pages: CommonMark, tables, formulas between dollar signs."""
    plain = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)
    return plain.use(dollarmath_plugin, allow_digits=False, double_inline=True)


def has_words(text):
    """Is there something to translate?"""
    return WORD.search(NO_WORDS.sub(" ", text)) is not None


def markdown_blocks(text):
    """The blocks of a Markdown text that hold words, in their order."""
    lines = text.split("\n")
    found, rows, heading = [], set(), False
    for token in parser().parse(text):
        if token.type == "tr_open":
            rows.add(tuple(token.map))
            found.append(Block(lines[token.map[0]].strip(), "table row"))
        elif token.type == "heading_open":
            heading = True
        elif token.type == "inline" and tuple(token.map) not in rows:
            first, last = token.map
            kind = "heading" if heading else "paragraph"
            heading = False
            found += [Block(part, kind) for part in slices(lines[first:last], token.content)]
        elif token.type == "html_block":
            found.append(Block(token.content.strip(), "HTML"))
    return [block for block in found if has_words(block.text)]


def slices(lines, content):
    """The content of a block as it stands in its lines: in one piece, or line by line."""
    if content in "\n".join(lines):
        return [content]
    return [line.strip() for line in content.split("\n")]


def code_blocks(source):
    """The comments and docstrings of a cell of Python, in their order."""
    if source.lstrip().startswith(("%%", "!")):
        return []
    source = re.sub(r"^[%!].*$", "pass", source, flags=re.MULTILINE)
    found, before = [], tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not FOR_PROGRAMS.match(token.string):
            found.append(Block(token.string, "comment"))
        starts = before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
        if token.type == tokenize.STRING and starts and token.string.endswith('"""'):
            found.append(Block(token.string.partition('"""')[2][:-3], "docstring"))
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            before = token.type
    return [block for block in found if has_words(block.text)]
