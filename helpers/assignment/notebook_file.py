"""Read the file of a notebook as editors, mail programs and students leave it.

The grader and the student's own check read by this one function, so what one of them takes, the
other takes, too.
"""

from __future__ import annotations

import codecs
import json
import re
from itertools import islice
from typing import Any

from helpers.assignment.notebook_scan import MEBIBYTE, Damaged, Limits, TooLarge, shorten
from helpers.language import MESSAGES, gettext, gettext_noop, translated

CONFLICT = "<<<<<<< "  # how git begins a place that it could not merge
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z_-]{2,12}", re.ASCII)
_VERSION = re.compile(r"\d{1,3}(\.\d{1,3}){1,2}")
_CELL_TYPES = ("code", "markdown", "raw")
# What files begin with that are often handed in by mistake.
_OTHER_FILES = {
    b"PK\x03\x04": gettext_noop("a zip file or an Office document"),
    b"%PDF": gettext_noop("a PDF"),
    b"\x89PNG": gettext_noop("a picture"),
    b"\xff\xd8\xff": gettext_noop("a picture"),
    b"\x1f\x8b": gettext_noop("a compressed file"),
    b"<": gettext_noop(
        "a web page (HTML); File > Download in JupyterLab saves the notebook itself"
    ),
}
# Encodings of Windows programs: the name, its two-byte letters that are in daily use, and the
# letters by which a text in it is known.
_EAST_ASIAN = (
    ("cp949", "euc_kr", r"[\uac00-\ud7a3]", r"[\uac00-\ud7a3]"),
    ("cp932", "shift_jis", r"[\u3000-\u30ff\u4e00-\u9fff\uff00-\uff60]", r"[\u3040-\u30ff]"),
    ("gbk", "gb2312", r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uff60]", r"[\u4e00-\u9fff]"),
)
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_SAMPLE = 10_000
# What "surrogateescape" makes of a byte that is not UTF-8, by Windows' table for the West.
_WESTERN = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}


class Unreadable(Exception):
    """A notebook that cannot be read: why is the message, what its owner can do the ``advice``."""

    def __init__(self, reason: str, advice: str | None = None) -> None:
        super().__init__(reason)
        self.advice = advice or gettext(
            "Open it in JupyterLab and save it again, or get the file anew."
        )


def read(data: bytes, limits: Limits | None = None) -> tuple[dict[str, Any], list[str]]:
    """What is used of a notebook's file, in nbformat 4.

    Of each cell these are its type, text, id, pasted pictures and what nbgrader wrote about it; of
    the notebook, the version of Python that it ran with, and the language of its words.

    Parameters
    ----------
    data : bytes
    limits : Limits, optional

    Returns
    -------
    (dict, list of str)
        The notebook's JSON, and notes on what was unusual about the file.

    Raises
    ------
    Unreadable
    """
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        size = limits.file_bytes / MEBIBYTE
        raise Unreadable(
            gettext("larger than {size:g} MiB").format(size=size),
            gettext("Clear its outputs, and save it again."),
        )
    if not data.strip():
        raise Unreadable(gettext("the file is empty"))
    if not data.strip(b"\0"):
        raise Unreadable(gettext("nothing but zero bytes: it was never saved to the end"))
    beginning = data[:100].lstrip()
    data, notes = _as_utf8(data, limits)
    _refuse_conflicts(data)
    for mark, what in _OTHER_FILES.items():
        if beginning.startswith(mark) or data[:100].lstrip().startswith(mark):
            said = gettext("not a notebook, but {what}")
            raise Unreadable(said.format(what=translated(what, MESSAGES)))
    try:
        content = json.loads(shorten(data, limits))
    except TooLarge as error:
        raise Unreadable(str(error), _smaller()) from error
    except Damaged as error:
        raise Unreadable(_damage(data, error)) from error
    except ValueError as error:
        raise _damaged(str(error)[:120]) from error
    if not isinstance(content, dict) or "nbformat" not in content:
        raise Unreadable(gettext("not a notebook: it has no nbformat"))
    try:
        cells = [_cell(cell, number) for number, cell in enumerate(_cells_of(content))]
    except Unreadable:
        raise
    except Exception as error:  # nbformat raises whatever an old notebook's damage leads to
        raise _damaged(f"{type(error).__name__}: {str(error)[:120]}") from error
    code = sum(len(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    if code > limits.code_bytes:
        said = gettext("more than {size:g} MiB of code")
        raise Unreadable(said.format(size=limits.code_bytes / MEBIBYTE), _smaller())
    _give_ids(cells)
    metadata = _metadata(content)
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, notes


def _smaller() -> str:
    return gettext("Take out what is large: pictures in its texts, or data in its code.")


def _damaged(reason: str) -> Unreadable:
    return Unreadable(gettext("a damaged notebook: {reason}").format(reason=reason))


def _as_utf8(data: bytes, limits: Limits) -> tuple[bytes, list[str]]:
    """The text in UTF-8, and a note if it was in something else that no mark announces."""
    encoding: str = json.detect_encoding(data)  # by a byte order mark, or by where the zeros are
    if encoding == "utf-8-sig":
        data, encoding = data[len(codecs.BOM_UTF8) :], "utf-8"
    if encoding == "utf-8" and _is_utf8(data):
        return data, []
    if len(data) > limits.notebook_bytes:
        size = limits.notebook_bytes / MEBIBYTE
        said = gettext("larger than {size:g} MiB, and not in UTF-8, as notebooks are")
        raise Unreadable(said.format(size=size))
    if encoding != "utf-8":
        text = data.decode(encoding, "replace")
        said = gettext("parts of the file are not in {encoding}").format(encoding=encoding.upper())
        notes = [said] if "\ufffd" in text else []
        return text.encode("utf-8", "replace"), notes
    for encoding, common, letters, sure in _EAST_ASIAN:
        text = _decoded(data, encoding)
        # The first of its letters tell.
        foreign = "".join(found[0] for found in islice(_FOREIGN.finditer(text), _SAMPLE))
        # Python's euc_kr writes a syllable that EUC-KR lacks as four letters: that is none of it.
        known = "".join(one for one in foreign if 0 < len(one.encode(common, "ignore")) <= 2)
        is_meant = len(re.findall(letters, known)) > 0.9 * len(foreign) and re.search(sure, known)
        if len(foreign) >= 4 and is_meant:
            note = gettext("the file is not in UTF-8, as notebooks are; it was read as {encoding}")
            return text.encode(), [note.format(encoding=encoding)]
    text = data.decode("utf-8", "surrogateescape").translate(_WESTERN)
    return text.encode(), [
        gettext(
            "some letters in the file are not in UTF-8, as notebooks are; they were read as "
            "Windows-1252: letters with accents may be wrong"
        )
    ]


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), MEBIBYTE):
            decoder.decode(data[start : start + MEBIBYTE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(data: bytes, encoding: str) -> str:
    """The text; empty if it is not in that encoding."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _refuse_conflicts(data: bytes) -> None:
    """Refuse what git could not merge: in JSON no text can have a line break in it."""
    mark = CONFLICT.encode()
    if data.startswith(mark) or b"\n" + mark in data:
        line = data.count(b"\n", 0, data.find(mark)) + 1
        raise Unreadable(
            gettext(
                "git's conflict markers are in the file (line {line}): two versions of the "
                "notebook were merged, and somebody has to choose between them"
            ).format(line=line),
            gettext(
                "In a text editor, keep one of the two versions between each <<<<<<< and >>>>>>>, "
                "and delete the lines with these marks; or take another copy of the file."
            ),
        )


def _damage(data: bytes, error: Damaged) -> str:
    if not data[:1000].lstrip().startswith(b"{"):
        return gettext("not a notebook, but some other text")
    if error.is_cut:
        said = gettext("cut off: it ends in line {line}, in the middle of the notebook")
    else:
        said = gettext("a damaged notebook: not JSON from line {line} on")
    return said.format(line=error.line)


def _cells_of(content: dict[str, Any]) -> list[Any]:
    """The cells, with the members that they have in format 4."""
    if content["nbformat"] in (2, 3):
        for sheet in content.get("worksheets") or ():
            for cell in sheet["cells"]:
                cell |= {key: _joined(cell[key]) for key in ("input", "source") if key in cell}
                cell |= {"outputs": []} if cell["cell_type"] == "code" else {}
        content["metadata"] = {}
        # Imported only here: with its validators it takes two seconds, and few notebooks need it.
        import nbformat

        return list(nbformat.convert(nbformat.from_dict(content), 4).cells)
    if content["nbformat"] != 4:
        said = gettext("a damaged notebook: its format {format} is not known")
        raise Unreadable(said.format(format=str(content["nbformat"])[:20]))
    if not isinstance(content.get("cells"), list):
        raise Unreadable(gettext("a damaged notebook: it has no list of cells"))
    return content["cells"]


def _cell(cell: Any, number: int) -> dict[str, Any]:
    """A cell in format 4.5, of which nothing was shown yet."""
    kind = cell.get("cell_type") if isinstance(cell, dict) else None
    if kind not in _CELL_TYPES:
        said = gettext("a damaged notebook: cell {number} is a cell of type {type!r}")
        raise Unreadable(said.format(number=number + 1, type=str(kind)[:40]))
    source = _joined(cell.get("source", ""))
    if not isinstance(source, str):
        said = gettext("a damaged notebook: cell {number} has a source that is no text")
        raise Unreadable(said.format(number=number + 1))
    metadata = cell.get("metadata")
    about = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    made = {
        "cell_type": kind,
        "id": cell.get("id"),
        "metadata": {"nbgrader": about} if isinstance(about, dict) else {},
        # JSON can hold lone surrogates, and files cannot: a "?" stands for each.
        "source": source.encode("utf-8", "replace").decode(),
    }
    if kind == "code":
        made |= {"execution_count": None, "outputs": []}
    elif isinstance(cell.get("attachments"), dict):
        made["attachments"] = cell["attachments"]
    return made


def _joined(text: Any) -> Any:
    """A text that is given as a list of lines, as one text."""
    is_lines = isinstance(text, list) and all(isinstance(line, str) for line in text)
    return "".join(text) if is_lines else text


def _give_ids(cells: list[dict[str, Any]]) -> None:
    """Leave each cell an id of its own; those without one get one."""
    seen: set[str] = set()
    without = []
    for cell in cells:
        name = cell["id"]
        if isinstance(name, str) and _ID.fullmatch(name) and name not in seen:
            seen.add(name)
        else:
            without.append(cell)
    number = 0
    for cell in without:
        while (name := f"cell-{number}") in seen:
            number += 1
        seen.add(name)
        cell["id"] = name


def _metadata(content: dict[str, Any]) -> dict[str, Any]:
    """The version of Python that the notebook says it ran with, and the language of its words."""
    found: dict[str, Any] = {}
    version = _named(content, "language_info", "version")
    if _VERSION.match(version):
        found["language_info"] = {"name": "python", "version": version[:20]}
    language = _named(content, "course", "language")
    if _LANGUAGE.fullmatch(language):
        found["course"] = {"language": language}
    return found


def _named(content: dict[str, Any], member: str, name: str) -> str:
    """A text in the notebook's metadata; empty where there is none."""
    try:
        text = content["metadata"][member][name]
    except (KeyError, TypeError):
        return ""
    return text if isinstance(text, str) else ""
