"""Gather the pages of the site in one folder, as Sphinx wants them.

The sources stay where they are in the repository: lessons, student versions of the assignments,
the instructor's guide. Only files named here are copied, so that nothing else can reach the site.
Links between them are rewritten to the places they have there; a link to a file that the site does
not have leads to the repository's address if that is known, and is plain text otherwise.

The site in another language has the pages of its edition (helpers.command.editions) and those of
this folder, by the same names. For the others it leads to the English site.

Needs nothing beyond the standard library and polib.
"""

import ast
import itertools
import json
import posixpath
import re
import shutil

from words import ENGLISH_SITE, gettext

from helpers.command.editions import files_of, page_text
from helpers.command.files import ROOT, assignments, lessons
from helpers.language import ENGLISH, current, translated

# The place on the site of pages that have another name in the repository.
RENAMED = {
    "README.md": "index.md",
    "LICENSE": "licences.md",
    "notebooks": "notebooks/index.md",
    "notebooks/README.md": "notebooks/index.md",
    "assignments": "assignments/index.md",
    "assignments/README.md": "assignments/index.md",
    "solutions/README.md": "instructors/index.md",
    "solutions/grading.md": "instructors/grading.md",
    "solutions/known-mistakes.md": "known-mistakes/index.md",
    "helpers/data/samples/README.md": "data.md",
}
# What is a page of its own in site/, and only linked to by these names.
NOT_COPIED = {"README.md", "LICENSE", "notebooks", "assignments", "solutions/known-mistakes.md"}

# What is in English only, besides the reference.
IN_ENGLISH = ("solutions/README.md", "solutions/grading.md", "helpers/data/samples/README.md")

# The pages below a page, for the table of contents: glob patterns.
BELOW = {"assignments/index.md": "*/*", "instructors/index.md": "*"}

# What JupyterLab folds, and the tag by which myst-nb folds the same.
FOLDED = {"source_hidden": "hide-input", "outputs_hidden": "hide-output"}

FENCE = re.compile(r"^```.*?^```[^\n]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
INTRODUCTION, TIME, START = "introduction", "time", "start"
MINUTES = re.compile(r"\| (?:(\d) × )?(\d+) minutes \|$", re.MULTILINE)
CAPTION = re.compile(r"^(:caption: )(.+)$", re.MULTILINE)
CONTENTS = re.compile(r"^```\{toctree\}\n.*?^```$", re.MULTILINE | re.DOTALL)


def places(root=ROOT, language=ENGLISH):
    """{path in the repository: path on the site}, both with / and relative, of all pages.

    In another language, pages have the names of its edition, too, `ko/…`. What is in English only
    has an address on the English site.
    """
    notebooks = [path.relative_to(root).as_posix() for path in (*lessons(root), *assignments(root))]
    pages = {name: name for name in notebooks}
    pages |= {f"site/{path.name}": path.name for path in sorted((root / "site").glob("*.md"))}
    pages |= RENAMED
    if language != ENGLISH:
        pages |= {f"{language}/{name}": place for name, place in pages.items()}
        pages |= {name: english_address(pages[name]) for name in IN_ENGLISH}
    return pages


def is_english_only(page):
    """Whether a page of the English site, such as "reference/ops.html", is in no other language."""
    if page.startswith("reference/"):
        return page != "reference/index.html"
    return page in {re.sub(r"\.md$", ".html", RENAMED[name]) for name in IN_ENGLISH}


def english_address(place):
    """Where a page stands on the English site: its address for `page_details`."""
    return ENGLISH_SITE + re.sub(r"\.(md|ipynb)$", ".html", place)


def texts(root=ROOT, language=ENGLISH):
    """{path in the repository: its text in a language} of the pages that are copied, and README."""
    names = ["README.md", *(name for name in places(root) if name not in NOT_COPIED)]
    if language == ENGLISH:
        return {name: (root / name).read_text(encoding="utf-8") for name in names}
    edition = dict(files_of(language, root))
    return {
        name: edition[name].decode() if name.endswith(".ipynb") else page_text(root, name, language)
        for name in names
        if name not in IN_ENGLISH
    }


def stage(folder, repository="", root=ROOT):
    """Write the sources of all pages into `folder`, which must not exist.

    They are in the language of `helpers.language.current`. `repository` is the address of the
    course's repository, "" while it has none.
    """
    language = current()
    pages, found = places(root, language), texts(root, language)
    readme = found.pop("README.md")
    (folder / "downloads").mkdir()
    for name, text in found.items():
        target = pages[name]
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".ipynb"):
            notebook = prepare(json.loads(text), name, pages, repository, language)
            path.write_text(json.dumps(notebook), encoding="utf-8")
            if name.startswith("notebooks/"):
                (folder / "downloads" / path.name).write_bytes(text.encode())
            continue
        if name.startswith("site/"):  # those are written for the site
            text = text if language == ENGLISH else for_another_language(text, target, root)
        else:
            text = rewrite(text, name, pages, repository)
        if target == "notebooks/index.md":
            title, _, rest = text.partition("\n")
            text = f"{title}\n\n{here_or_there()}\n{rest}"
        if target in BELOW:
            text += f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{BELOW[target]}\n```\n"
        path.write_text(text, encoding="utf-8")
    shutil.copytree(root / "notebooks/covers", folder / "notebooks/covers")
    write_parts(folder / "parts", readme, pages, repository, root)
    (folder / "known-mistakes").mkdir(exist_ok=True)
    (folder / "known-mistakes.md").rename(folder / "known-mistakes/index.md")
    (folder / "reference").mkdir()
    (folder / "reference.md").rename(folder / "reference/index.md")
    for path in assignments(root):
        title = notebook_title(found[path.relative_to(root).as_posix()])
        write_mistakes(folder, path, title)
    if language == ENGLISH:
        write_reference(folder / "reference", root)


def here_or_there():
    """What the list of lessons begins with, where nothing can be run."""
    return gettext(
        "You can read the lessons here as they are. To run and change them, [start the course]"
        "(/index.md#start) on your own computer; the rest of this page is about that."
    )


def for_another_language(text, place, root):
    """A page of site/ with the words in its tables of contents, and with links to English pages."""
    english = {RENAMED[name].removesuffix(".md") for name in IN_ENGLISH}
    titles = {"instructors/index": gettext("For instructors"), "data": gettext("Data")}

    def contents(match):
        lines = CAPTION.sub(lambda m: m[1] + gettext(m[2]), match[0]).split("\n")
        if place == "reference.md":
            modules = [(name, f"reference/{page_of(name)}") for name in public_modules(root)]
            entries = [f"{name} <{english_address(f'{page}.md')}>" for name, page in modules]
            return "\n".join(["```{toctree}", "", *entries, "```"])
        for number, line in enumerate(lines):
            page = re.sub(r"^.* <(.+)>$", r"\1", line)
            if page in english:
                lines[number] = f"{titles[page]} <{english_address(f'{page}.md')}>"
        return "\n".join(lines)

    def turn(match):
        words, target = match.groups()
        name, hash_sign, anchor = target.partition("#")
        page = posixpath.join(posixpath.dirname(place), name.removesuffix(".md"))
        if page not in english:
            return match[0]
        return f"[{words}]({english_address(f'{page}.md')}{hash_sign}{anchor})"

    if place == "glossary.md":  # its words stand in the other order there
        index = f"## {gettext('English index')}\n\n```{{glossary-english}}\n```"
        text = re.sub(r"^## .+\n\n```\{glossary-korean\}\n```", index, text, flags=re.MULTILINE)
        jump = f"[{gettext('Find an English word')}](#english-index)"
        text = re.sub(r"^<p>.*#korean-index.*</p>$", jump, text, flags=re.MULTILINE)
    return LINK.sub(turn, CONTENTS.sub(contents, text))


def rewrite(text, source, pages, repository):
    """Markdown with its links turned into links of the site.

    `source` is where the text stands in the repository.
    """
    here = posixpath.dirname(pages.get(source, source))

    def turn(match):
        words, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        name, hash_sign, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), name))
        if path in pages:
            found = pages[path]
            if not found.startswith(ENGLISH_SITE):
                found = posixpath.relpath(found, here or ".")
            return f"[{words}]({found}{hash_sign}{anchor})"
        if repository:
            return f"[{words}]({repository}/blob/main/{path}{hash_sign}{anchor})"
        return words

    def outside_fences(part):
        return LINK.sub(turn, part)

    ends = [0, *(end for match in FENCE.finditer(text) for end in match.span()), len(text)]
    parts = [text[a:b] for a, b in itertools.pairwise(ends)]
    return "".join(
        part if number % 2 else outside_fences(part) for number, part in enumerate(parts)
    )


def prepare(notebook, name, pages, repository, language=ENGLISH):
    """A notebook for myst-nb: links of the site, alternative texts, and a lesson's download.

    `name` is its path in the repository, or in the edition of another language.
    """
    source = name if language == ENGLISH else f"{language}/{name}"
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown":
            text = rewrite("".join(cell["source"]), source, pages, repository)
            if number == 0 and name.startswith("notebooks/"):
                text += f"\n\n```{{lesson-links}} {posixpath.basename(name)}\n```\n"
            if number == 0 and name.startswith("assignments/"):
                text = as_assignment(text, name)
            cell["source"] = text
            continue
        metadata = cell["metadata"]
        folded = {tag for key, tag in FOLDED.items() if metadata.get("jupyter", {}).get(key)}
        if cell.get("id") == "exercise-check":  # it holds the answers, which are folded above
            folded.add("hide-input")
        if folded:
            metadata["tags"] = [*metadata.get("tags", []), *sorted(folded)]
        if "alt" in metadata:
            metadata["mystnb"] = {"image": {"alt": metadata["alt"]}}
    return notebook


def as_assignment(text, source):
    """The first cell of an assignment, with a title that tells it from its lesson's."""
    name = posixpath.basename(source).removesuffix(".ipynb")
    title, _, rest = text.partition("\n")
    number, _, words = title.removeprefix("# ").partition(" ")
    links = gettext(
        "This page is for reading. To do the assignment, open it in [the course](/index.md#start)."
        " Afterwards: [mistakes that people make here]({address})."
    ).format(address=f"/known-mistakes/{name}.md")
    hosted = f"```{{assignment-links}} {source}\n```"
    title = gettext("Assignment {number}: {title}").format(number=number, title=words)
    return f"# {title}\n{rest}\n\n{links}\n\n{hosted}\n"


# --- pages that are made from other files ------------------------------------------------------


def write_parts(folder, readme, pages, repository, root):
    """What the start page takes from elsewhere: introduction, the lessons' times, how to start.

    The whole README is there, too: other directives read it.
    """
    folder.mkdir()
    (folder / "readme.md").write_text(readme, encoding="utf-8")
    times = time_needed((root / "notebooks/README.md").read_text(encoding="utf-8"))
    start = section(readme, translated("Start", "README"))
    for name, text in ((INTRODUCTION, introduction(readme)), (TIME, times), (START, start)):
        text = rewrite(text, "README.md", pages, repository)
        if name == START:
            text = f"{where_the_files_are(repository)}\n\n{text}"
        (folder / f"{name}.md").write_text(text + "\n", encoding="utf-8")


def where_the_files_are(repository):
    """The address of the repository, or what to do where it is not known."""
    if repository:
        return gettext("The course's repository: <{address}>").format(address=repository)
    return gettext(
        "These pages do not know where the course's files are kept. You can read and play here "
        "without them. To run the code, you need them: ask whoever gave you this page's address."
    )


def introduction(readme):
    """The paragraph below the title."""
    return readme.split("\n\n")[1].strip()


def time_needed(overview):
    """How long all lessons take together, in words, from the table of lessons and times."""
    minutes = [int(times or 1) * int(each) for times, each in MINUTES.findall(overview)]
    if not minutes:
        raise ValueError("notebooks/README.md has no table of times that can be read")
    return gettext("{number} lessons, about {hours} hours in all.").format(
        number=len(minutes), hours=round(sum(minutes) / 60)
    )


def section(text, heading):
    """What stands below a heading of the second level, its subsections included."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f'there is no section "## {heading}"')
    return found[1].strip()


def write_mistakes(folder, path, title):
    """The page of known mistakes of an assignment."""
    title = gettext("Known mistakes: {title}").format(title=title)
    back = f"[{gettext('The assignment')}](/assignments/{path.stem}/{path.name})"
    text = f"# {title}\n\n{back}\n\n```{{known-mistakes}} {path.stem}\n```\n"
    (folder / f"known-mistakes/{path.stem}.md").write_text(text, encoding="utf-8")


def write_reference(folder, root):
    """A page of the reference for each module."""
    for name in public_modules(root):
        lines = [f".. automodule:: {name}", "   :members:"]
        for data, value in constants(name, root).items():
            lines += [
                f"\n.. py:data:: {data}",
                f"   :module: {name}",
                f"   :value: {value}",
            ]
        text = "\n".join([f"# `{name}`\n", "```{eval-rst}", *lines, "```\n"])
        (folder / f"{page_of(name)}.md").write_text(text, encoding="utf-8")


def page_of(module):
    """The name of a module's page in the reference: that which a student imports is short."""
    return module.removeprefix("helpers.")


def public_modules(root=ROOT):
    """The modules that the reference describes.

    Those of `helpers` and of `helpers.pieces`, without `helpers.command`, which is used as a
    command; and of `grader` what an author of assignments imports.
    """
    names = {"grader.authoring.bank"}
    for package in ("helpers", "helpers.pieces"):
        for path in root.joinpath(*package.split(".")).iterdir():
            is_module = path.suffix == ".py" or (path / "__init__.py").exists()
            if is_module and not path.name.startswith("_"):
                names.add(f"{package}.{path.stem}")
    return sorted(names - {"helpers.command", "helpers.pieces"})


def constants(name, root=ROOT):
    """The constants that a package takes from its modules, which automodule passes over.

    {name: its value as it is written}
    """
    folder = root.joinpath(*name.split("."))
    if not (folder / "__init__.py").exists():
        return {}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))]
    nodes = [node for tree in trees for node in tree.body]
    values = {}
    for node in nodes:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            is_several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            pairs = zip(target.elts, value.elts, strict=True) if is_several else [(target, value)]
            values |= {name.id: ast.unparse(what) for name, what in pairs if hasattr(name, "id")}
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in imports for alias in node.names if alias.name.isupper()]
    return {name: values[name] for name in names if name in values}


def notebook_title(text):
    """The first heading of a notebook."""
    cells = json.loads(text)["cells"]
    return "".join(cells[0]["source"]).split("\n")[0].removeprefix("# ")
