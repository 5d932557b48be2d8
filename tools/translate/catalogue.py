"""Read and write the catalogues, gettext's .po files, by polib.

Written without wrapping, so that a file that is written twice is the same to the byte, and as
`msgcat --no-wrap` would write it.
"""

import difflib
from pathlib import Path

import polib

from tools.translate.compare import NUMBER
from tools.translate.sources import Message

ALIKE = 0.6  # from here on a changed text keeps its translation, marked as fuzzy


def read(path: Path) -> polib.POFile:
    """The catalogue in a file; an empty one where there is none."""
    if path.exists():
        return polib.pofile(str(path), wrapwidth=0, encoding="utf-8")
    return polib.POFile(wrapwidth=0, encoding="utf-8")


def header(language: str) -> dict[str, str]:
    """What a translator's program wants to know."""
    return {
        "Project-Id-Version": "cnn-course",
        "PO-Revision-Date": "",
        "Last-Translator": "The authors of the CNN course",
        "Language-Team": "none",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }


def update(
    old: polib.POFile, messages: list[Message], language: str, memory: dict[str, polib.POEntry]
) -> polib.POFile:
    """The catalogue of these messages, with the translations that there are.

    What has changed a little keeps its translation, marked as fuzzy, with the text that it was a
    translation of. A text that another catalogue has, too, is taken from there (`memory`). What
    is nowhere any more is left out. An output that a cell gave again with other numbers has its
    translation with these, and is not fuzzy.
    """
    new = polib.POFile(wrapwidth=0, encoding="utf-8")
    new.metadata = header(language)
    known = {(entry.msgctxt or "", entry.msgid): entry for entry in old}
    now = {(message.context, message.text) for message in messages}
    left = [entry for key, entry in known.items() if key not in now and entry.msgstr]
    for message in messages:
        entry = polib.POEntry(
            msgctxt=message.context or None, msgid=message.text, comment=message.kind
        )
        before = known.get((message.context, message.text))
        if before is not None and before.msgstr:
            entry.msgstr, entry.tcomment, entry.flags = before.msgstr, before.tcomment, before.flags
            entry.previous_msgid = before.previous_msgid
        elif message.text in memory:
            entry.msgstr, entry.tcomment = (
                memory[message.text].msgstr,
                memory[message.text].tcomment,
            )
        elif (near := nearest(message, left)) is not None:
            entry.msgstr, entry.tcomment = near.msgstr, near.tcomment
            if message.kind == "output" and not near.fuzzy and differ_in_numbers(near, message):
                entry.msgstr = with_numbers(near.msgstr, NUMBER.findall(message.text))
            else:
                entry.flags, entry.previous_msgid = ["fuzzy"], near.msgid
            left.remove(near)
        new.append(entry)
    return new


def differ_in_numbers(entry: polib.POEntry, message: Message) -> bool:
    """Whether the output of a cell that was run again has other numbers and the same words.

    Then the translation is right with the new numbers, if it has the old ones in their order.
    """
    return NUMBER.sub("#", entry.msgid) == NUMBER.sub("#", message.text) and (
        NUMBER.findall(entry.msgid) == NUMBER.findall(entry.msgstr)
    )


def with_numbers(text: str, numbers: list[str]) -> str:
    """A text with these numbers in place of its own."""
    left = iter(numbers)
    return NUMBER.sub(lambda _: next(left), text)


def nearest(message: Message, entries: list[polib.POEntry]) -> polib.POEntry | None:
    """The entry that this message may have been before it was changed."""
    cell = message.context.split(" ")[0]
    best, found = ALIKE, None
    for entry in entries:
        if (entry.msgctxt or "").split(" ")[0] == cell and entry.comment == message.kind:
            share = difflib.SequenceMatcher(None, entry.msgid, message.text, False).ratio()
            if share >= best:
                best, found = share, entry
    return found


def write(path: Path, catalogue: polib.POFile) -> None:
    """Write a catalogue where it differs from the file."""
    text = str(catalogue)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
