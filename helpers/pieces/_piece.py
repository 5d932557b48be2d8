"""What the pieces share: how one is put together, named, shown and saved."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from helpers.language import ENGLISH, spoken, translated
from helpers.pieces._words import CATALOGUE, put_into, tr

# Any of these would end the comment or the script element that a script stands in.
NOT_IN_A_SCRIPT = ("-->", "--!>", "<!--", "</script", "<script")


class Piece:
    """HTML that a notebook shows when it is the last value of a cell.

    Parameters
    ----------
    title : str
        The line above the piece, and its name for screen readers.
    html : str
        The piece, as `element` makes it.
    text : str
        What stands where no HTML is shown.

    Attributes
    ----------
    title : str
    language : str
        The code of the language that it was made in.
    """

    def __init__(self, title: str, html: str, text: str) -> None:
        self.title = title
        self.language = spoken()
        self._html = html
        self._text = text

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self._html, "text/plain": repr(self)}

    def save(self, path: str | Path) -> Path:
        """Write the piece as a page of its own, which any browser opens without a connection.

        Parameters
        ----------
        path : str or pathlib.Path
            Where to; an existing file is replaced.

        Returns
        -------
        pathlib.Path
            The file that was written.
        """
        path, title = Path(path), escape(self.title)
        path.write_text(
            f'<!DOCTYPE html>\n<html lang="{self.language}">\n<head><meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{title}</title></head>\n<body><main>\n"
            f'<h1 style="position:absolute;clip-path:inset(50%)">{title}</h1>\n'
            f"{self._html}\n</main></body>\n</html>\n",
            encoding="utf-8",
        )
        return path


def read_title(title: str | None, default: str) -> str:
    """The title, or `default` for None; TypeError where it is no text, or an empty one.

    A title that a lesson of the course gives comes in the reader's language.
    """
    if title is None:
        return default
    if not isinstance(title, str) or not title.strip():
        raise TypeError(
            tr("title must be a text that is not empty, or None, got {0}.", repr(title))
        )
    return translated(title, CATALOGUE, language=spoken())


def element(name: str, data: Mapping[str, object], still: str, script: str) -> str:
    """The HTML of a piece.

    Parameters
    ----------
    name : str
        The class of the element, by which the script finds it.
    data : dict
        What the script works on; it stands in a comment, as JSON.
    still : str
        HTML that reads without the script, which takes its place.
    script : str
        Holds nothing of `NOT_IN_A_SCRIPT`.
    """
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    # Two dashes or an angle bracket could end the comment that this stands in.
    text = re.sub("[<>]|--", lambda m: "".join(f"\\u{ord(c):04x}" for c in m[0]), text)
    # A sanitizer that prints what is in a script finds only a comment, and drops it; for a browser
    # both comment marks are one-line comments of JavaScript.
    # The page around a piece may be in English, as JupyterLab's is. Korean lines break between
    # words, which a browser does only when it is told.
    lang = "" if spoken() == ENGLISH else f' lang="{spoken()}" style="word-break:keep-all"'
    inside = f"<!--{text}-->\n{still}"
    return f'<div class="{name}"{lang}>{inside}</div>\n<script><!--\n{script}\n--></script>'


def script_of(package: str) -> str:
    """The shrunk script of a piece's package, with its words in the reader's language.

    Its first line, which is for maintainers, is left out.
    """
    return _script(package, spoken())


@cache
def _script(package: str, code: str) -> str:
    name = package.rpartition(".")[2]
    text = files(package).joinpath(f"{name}.min.js").read_text(encoding="utf-8")
    script = text.split("\n", 1)[1].strip()
    return put_into(script, lambda text: translated(text, CATALOGUE, language=code))


def enclose(code: str, css: str, tight: str) -> str:
    """JavaScript in a function of its own, with a style sheet as its constant CSS, in one line.

    Parameters
    ----------
    code, css : str
        The texts of the script and of the style sheet, whose comments are left out.
    tight : str
        The characters that need no space around them in this style sheet. A colon may be one of
        them only where no selector has a space before it: ``a :hover`` is another than ``a:hover``.
    """
    css = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    css = re.sub(rf" ?([{re.escape(tight)}]) ?", r"\1", css).replace(";}", "}").strip()
    return f"(() => {{\nconst CSS = {json.dumps(css)};\n{code.rstrip()}\n}})();"
