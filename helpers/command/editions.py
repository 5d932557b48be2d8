"""The course in another language: the folder `ko/`, made from the English course and a catalogue.

It holds what a reader opens: lessons, assignments and the pages that list them, with the same code
(only its comments and docstrings are translated), outputs (of which the interactive pieces speak
the language), cell ids and tests. It is made when it is asked for and lies in no repository, so
that it cannot fall behind the English course. What a reader has written into it is never written
over.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from helpers.assignment.sheet import SHEET_NAME, fingerprint
from helpers.command.files import ROOT, Problem, assignments, lessons, write_whole
from helpers.command.manifest import Manifest, keep_manifest, sha256
from helpers.command.released import Released, State, cells, parse
from helpers.language import catalogue, gettext, languages, put_in

PAGES = ("README.md", "notebooks/README.md", "assignments/README.md")
PICTURES = "notebooks/covers"
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def make_edition(language: str, root: Path = ROOT) -> list[str]:
    """Make the course in a language, or bring it up to date.

    A notebook whose cells a reader has changed stays as it is; what was made is kept beside it, in
    `.released/`, so that `course reset` can give it back.

    Returns
    -------
    list of str
        Notebooks that stay though there is a newer version now: paths from `root`, with /.

    Raises
    ------
    Problem
        If there is no such translation.
    """
    known = languages(root)
    if language not in known[1:]:
        raise Problem(
            gettext("The course is not translated into {language!r}. There is: {known}.").format(
                language=language, known=", ".join(known)
            )
        )
    folder = root / language
    files = dict(files_of(language, root))
    before = Manifest.of(folder)
    if before is not None and before.files == {name: sha256(data) for name, data in files.items()}:
        missing = [name for name in files if not (folder / name).exists()]
        for name in missing:
            write_whole(folder / name, files[name])
        return []
    kept = [name for name in files if is_changed(folder, name, files[name], before is not None)]
    for name, data in files.items():
        if name not in kept:
            write_whole(folder / name, data)
    notebooks = [name for name in files if name.endswith(".ipynb")]
    keep_manifest(folder, root / "pyproject.toml", files, notebooks)
    return [f"{language}/{name}" for name in kept]


def is_changed(folder: Path, name: str, new: bytes, has_record: bool) -> bool:
    """Has a reader changed a notebook, so that the new one must not replace it?"""
    path = folder / name
    if not name.endswith(".ipynb") or not path.exists() or path.read_bytes() == new:
        return False
    if not has_record:
        return cells(parse(path.read_bytes())) != cells(parse(new))
    released = Released.find(folder)
    return name not in released.digests or released.state(folder, name) is State.CHANGED


def files_of(language: str, root: Path = ROOT) -> Iterator[tuple[str, bytes]]:
    """(name from the edition's folder, content) of every file of an edition."""
    original, names = originals(root), names_of(root)
    for path in [*lessons(root), *assignments(root)]:
        name = path.relative_to(root).as_posix()
        given, now = original(name), path.read_bytes()
        versions = [now, given] if is_unanswered(now, given, root) else [given, now]
        notebook = first_that_fits(versions, name, names, language, root)
        yield name, notebook_bytes(notebook)
        sheet = path.with_name(SHEET_NAME)
        if name.startswith("assignments/") and sheet.exists():
            text = translate_sheet(sheet, notebook, language)
            yield f"{posixpath.dirname(name)}/{SHEET_NAME}", text
    for name in PAGES:
        if (root / name).exists():
            yield name, translate_page(root, name, names, language).encode()
    for path in sorted((root / PICTURES).glob("*.png")):
        yield f"{PICTURES}/{path.name}", path.read_bytes()


def is_unanswered(now: bytes, given: bytes | None, root: Path) -> bool:
    """Has somebody changed an assignment in a clone who has answered nothing in it?

    Then they work on the course, and the edition is made of what they have made.
    """
    if given is None or Manifest.of(root) is not None:
        return False
    answers = _answers(given)
    return bool(answers) and _answers(now) == answers


def _answers(data: bytes) -> list[str]:
    """What stands in the cells of an assignment that a student is to fill."""
    try:
        return [
            "".join(cell["source"])
            for cell in (parse(data) or {})["cells"]
            if cell["metadata"].get("nbgrader", {}).get("solution")
        ]
    except (KeyError, TypeError, AttributeError):  # no notebook
        return []


def names_of(root: Path) -> set[str]:
    """The files that every edition has."""
    paths = [*lessons(root), *assignments(root)]
    return {path.relative_to(root).as_posix() for path in paths} | set(PAGES)


def originals(root: Path) -> Callable[[str], bytes | None]:
    """The notebook of a name as the reader got it; None where it is to be taken as it stands.

    The reader may have written into the English notebook. In a clone, lessons are taken as they
    stand, too: there, who changes them works on the course.
    """
    try:
        released = Released.find(root)
    except Problem:
        return lambda name: None
    everything = Manifest.of(root) is not None

    def original(name: str) -> bytes | None:
        if name in released.digests and (everything or name.startswith("assignments/")):
            return released.original(name)
        return None

    return original


def first_that_fits(
    versions: list[bytes | None], name: str, names: set[str], language: str, root: Path
) -> dict[str, Any]:
    """The first version of a notebook that the catalogue is of, translated.

    If it is of none, the last one as it is: nothing tells how it was before it was changed.
    """
    notebook = None
    for data in filter(None, versions):
        notebook = parse(data)
        if notebook is not None:
            try:
                return translate_notebook(notebook, name, names, language, root)
            except (ValueError, KeyError):
                notebook = parse(data)
    if notebook is None:
        raise Problem(
            gettext("{name} cannot be read as a notebook: course reset {name}").format(name=name)
        )
    return notebook


def notebook_bytes(notebook: dict[str, Any]) -> bytes:
    """As nbformat writes it."""
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode()


def translate_notebook(
    notebook: dict[str, Any], name: str, names: set[str], language: str, root: Path = ROOT
) -> dict[str, Any]:
    """A notebook with its words in another language, and a note of which that is.

    Parameters
    ----------
    notebook : dict
        As JSON gives it; changed in place.
    name : str
        Its path from the course's folder, with /.
    names : set of str
        The files that the edition has, too: links to others lead out of it.
    language : str

    Raises
    ------
    ValueError
        If the catalogue is of another version of the notebook.
    """
    texts = by_cell(language, catalogue_of(name), root)
    if missing := {context.partition("/")[0] for context in texts} - {
        cell["id"] for cell in notebook["cells"]
    }:
        raise ValueError(f"there are no cells {', '.join(sorted(missing))}")
    for cell in notebook["cells"]:
        source = put_in("".join(cell["source"]), texts.get(cell["id"], ()))
        if cell["cell_type"] == "markdown":
            source = relink(source, name, names)
        cell["source"] = source.splitlines(keepends=True)
        for _, alternative in texts.get(f"{cell['id']}/alt", ()):
            cell["metadata"]["alt"] = alternative
        for output in cell.get("outputs", ()):
            if "data" in output:
                output["data"] |= translated_piece(output["data"], language)
            if said := texts.get(f"{cell['id']}/output"):
                holder, key = place_of_text(output)
                holder[key] = put_in("".join(holder[key]), said).splitlines(keepends=True)
    notebook["metadata"]["course"] = {"language": language}
    return notebook


def place_of_text(output: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Where the plain text of an output stands: a dict and the key in it."""
    return (output, "text") if output["output_type"] == "stream" else (output["data"], "text/plain")


def translated_piece(data: dict[str, Any], language: str) -> dict[str, Any]:
    """The HTML and the text of an interactive piece in another language; {} for other output."""
    from helpers.pieces.translation import translate_output  # numpy, which the rest does without

    kinds = [kind for kind in data if kind in ("text/html", "text/plain")]
    texts = {kind: "".join(data[kind]) for kind in kinds}
    try:
        translated = translate_output(texts, language)
    except ValueError:  # saved by another version: it stays in English until the cell is run
        return {}
    return {
        kind: text.splitlines(keepends=True)
        for kind, text in translated.items()
        if text != texts[kind]
    }


def catalogue_of(name: str) -> str:
    """The name of the catalogue of a notebook or page."""
    folder, _, file = name.rpartition("/")
    return posixpath.join(folder.partition("/")[0], posixpath.splitext(file)[0])


@cache
def by_cell(language: str, name: str, root: Path) -> dict[str, list[tuple[str, str]]]:
    """{cell: (English, translation) of its blocks, in their order}"""
    texts = defaultdict(list)
    for (context, text), translation in catalogue(language, name, root).items():
        texts[re.sub(r"(^| )\d+$", "", context)].append((text, translation))
    return dict(texts)


def translate_sheet(path: Path, notebook: dict[str, Any], language: str) -> bytes:
    """What ships with an assignment, for its translated notebook.

    The sentences are translated, and test cells are known by their text: its comments are.
    """
    sheet = json.loads(path.read_text(encoding="utf-8"))
    texts = catalogue(language, f"known-mistakes/{path.parent.name}", path.parents[2])
    sheet["sentences"] = [texts.get(("", text), text) for text in sheet["sentences"]]
    for cell in notebook["cells"]:
        digest = fingerprint("".join(cell["source"]).strip())
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in sheet["tests"]:
            sheet["tests"][grade_id]["digest"] = digest
        if cell["id"] in sheet["tries"]:
            sheet["tries"][cell["id"]] = digest
    return (json.dumps(sheet, ensure_ascii=False, indent=1) + "\n").encode()


def translate_page(root: Path, name: str, names: set[str], language: str) -> str:
    """A page of Markdown in another language, as it stands in the edition."""
    source = (root / name).read_text(encoding="utf-8")
    page = relink(page_text(root, name, language), name, names)
    anchors = dict(zip(map(anchor, HEADING.findall(source)), HEADING.findall(page), strict=True))

    def same_page(match: re.Match[str]) -> str:
        target = match[2].removeprefix("#")
        return f"](#{anchor(anchors[target])})" if target in anchors else match[0]

    return re.sub(r"(\]\()(#[^)\s]+)(\))", same_page, page)


def page_text(root: Path, name: str, language: str) -> str:
    """The text of a page in another language, with the links that the English one has."""
    page, rest = "", (root / name).read_text(encoding="utf-8")
    for text, translation in by_cell(language, catalogue_of(name), root).get("", []):
        # A copy for students has less of some pages.
        before, found, after = rest.partition(text)
        if found:
            page, rest = page + before + translation, after
    return page + rest


def anchor(heading: str) -> str:
    """The address of a heading within its page, as code hosts and MyST make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def relink(text: str, name: str, names: set[str]) -> str:
    """A text with the links that lead out of the edition one folder longer."""
    here = posixpath.dirname(name)

    def turn(match: re.Match[str]) -> str:
        target = match[2]
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path = posixpath.normpath(posixpath.join(here, target.partition("#")[0]))
        if path in names or path.startswith(PICTURES) or path in ("notebooks", "assignments"):
            return match[0]
        return f"]({posixpath.join('..', target)})"

    return LINK.sub(turn, text)
