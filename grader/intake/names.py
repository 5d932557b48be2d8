"""The names of students: as gradebook, file system and formgrader can hold them, and all different.

A name becomes a row of the gradebook, a folder, a pattern for ``glob`` (``nbgrader autograde
--student``) and a part of an address in formgrader, which nbgrader does not quote. So a name has no
``/``, none of ``*?[`` and none of ``#?%;``. Letters of every script are kept, with their marks.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from grader.text import writable
from grader.words import Note

LONGEST_NAME = 160  # bytes; a file system takes 255, and some names get endings
KEPT = "._-@+, "  # besides letters, marks and digits


def clean_name(raw: str) -> str:
    """A student's name as it can be used everywhere.

    Parameters
    ----------
    raw : str
        The name of a file or folder.

    Returns
    -------
    str
        In Unicode's form C, at most 160 bytes in UTF-8; the same for a name that is clean already.
    """
    name = unicodedata.normalize("NFC", writable(raw))
    clean = "".join(map(_clean_character, name)).strip().lstrip(".").strip() or "_"
    if len(clean.encode()) > LONGEST_NAME:
        kept = clean.encode()[: LONGEST_NAME - 9].decode(errors="ignore")
        clean = f"{kept}-{_digest(name)}"
    return clean


def distinct_names(raws: Iterable[str]) -> dict[str, tuple[str, list[str]]]:
    """A name for each student, and notes for those whose name had to be made another one.

    Parameters
    ----------
    raws : iterable of str
        The names of their files or folders, all different.

    Returns
    -------
    dict of str to (str, list of str)
        By what was given. Of several that would be called the same, the one that is called so
        exactly keeps the name; the others get an ending that depends on their own name alone.
    """
    alike = defaultdict(list)
    for raw in sorted(raws):
        alike[clean_name(raw)].append(raw)
    found, taken = {}, set()
    for name, group in alike.items():
        if len(group) == 1 or name in group:
            taken.add(name)
    for name, group in alike.items():
        for raw in group:
            if len(group) == 1:
                found[raw] = name, list[str]()
                continue
            own = name
            if raw != name:
                length = 8
                while (own := _with_ending(name, _digest(raw, length))) in taken:
                    length += 1
                taken.add(own)
            # Two spellings of one letter differ in nothing that can be seen.
            is_hidden = raw != unicodedata.normalize("NFC", raw)
            shown = ascii(raw) if is_hidden else repr(raw)
            note = Note(
                "handed in as {shown}, called {own}: another name in the batch looks the same",
                shown=shown,
                own=own,
            )
            found[raw] = own, [note]
    return found


def _clean_character(character: str) -> str:
    """The character, if it is a letter, a mark, a digit or one of `KEPT`; otherwise ``_``."""
    is_kept = character.isalnum() or unicodedata.category(character)[0] == "M"
    # Hindi, Persian and others write some words with an invisible joiner or its opposite.
    return character if is_kept or character in KEPT or character in "\u200c\u200d" else "_"


def _with_ending(name: str, ending: str) -> str:
    kept = name.encode()[: LONGEST_NAME - len(ending) - 1].decode(errors="ignore")
    return f"{kept}-{ending}"


def _digest(name: str, length: int = 8) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:length]
