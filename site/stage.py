"""Gather the pages of the site in one folder, as Sphinx wants them.

The sources stay where they are in the repository: lessons, student versions of the assignments,
the instructor's guide. Only files named here are copied, so that nothing else can reach the site.
Links between them are rewritten to the places they have there; a link to a file that the site does
not have leads to the repository's address if that is known, and is plain text otherwise.

Needs nothing beyond the standard library.
"""

import ast
import itertools
import json
import posixpath
import re
import shutil

from helpers.command.files import ROOT, assignments, lessons

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

# The pages below a page, for the table of contents: glob patterns.
BELOW = {"assignments/index.md": "*/*", "instructors/index.md": "*"}

# What JupyterLab folds, and the tag by which myst-nb folds the same.
FOLDED = {"source_hidden": "hide-input", "outputs_hidden": "hide-output"}

FENCE = re.compile(r"^```.*?^```[^\n]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
INTRODUCTION, TIME, START = "introduction", "time", "start"
MINUTES = re.compile(r"\| (?:(\d) × )?(\d+) minutes \|$", re.MULTILINE)
WITHOUT_REPOSITORY = (
    "These pages do not know where the course's files are kept. You can read and play here without "
    "them. To run the code, you need them: ask whoever gave you this page's address."
)
HERE_OR_THERE = (
    "You can read the lessons here as they are. To run and change them, [start the course]"
    "(/index.md#start) on your own computer; the rest of this page is about that."
)


def places(root=ROOT):
    """{path in the repository: path on the site}, both with / and relative, of all pages."""
    notebooks = [path.relative_to(root).as_posix() for path in (*lessons(root), *assignments(root))]
    pages = {name: name for name in notebooks}
    pages |= {f"site/{path.name}": path.name for path in sorted((root / "site").glob("*.md"))}
    return pages | RENAMED


def stage(folder, repository="", root=ROOT):
    """Write the sources of all pages into `folder`, which must not exist.

    `repository` is the address of the course's repository, "" while it has none.
    """
    pages = places(root)
    for source, target in pages.items():
        if source in NOT_COPIED:
            continue
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (root / source).read_text(encoding="utf-8")
        if source.endswith(".ipynb"):
            notebook = prepare(json.loads(text), source, pages, repository)
            path.write_text(json.dumps(notebook), encoding="utf-8")
        else:
            if not source.startswith("site/"):  # those are written for the site
                text = rewrite(text, source, pages, repository)
            if target == "notebooks/index.md":
                title, _, rest = text.partition("\n")
                text = f"{title}\n\n{HERE_OR_THERE}\n{rest}"
            if target in BELOW:
                text += f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{BELOW[target]}\n```\n"
            path.write_text(text, encoding="utf-8")
    shutil.copytree(root / "notebooks/covers", folder / "notebooks/covers")
    (folder / "downloads").mkdir()
    for path in lessons(root):
        shutil.copy(path, folder / "downloads")
    write_parts(folder / "parts", pages, repository, root)
    write_generated(folder, root)


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
            found = posixpath.relpath(pages[path], here or ".")
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


def prepare(notebook, source, pages, repository):
    """A notebook for myst-nb: links of the site, alternative texts, and a lesson's download."""
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown":
            text = rewrite("".join(cell["source"]), source, pages, repository)
            if number == 0 and source.startswith("notebooks/"):
                text += f"\n\n```{{lesson-links}} {posixpath.basename(source)}\n```\n"
            if number == 0 and source.startswith("assignments/"):
                text = as_assignment(text, source)
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
    links = (
        "This page is for reading. To do the assignment, open it in [the course](/index.md#start)."
        f" Afterwards: [mistakes that people make here](/known-mistakes/{name}.md)."
    )
    hosted = f"```{{assignment-links}} {source}\n```"
    return f"# Assignment {number}: {words}\n{rest}\n\n{links}\n\n{hosted}\n"


# --- pages that are made from other files ------------------------------------------------------


def write_parts(folder, pages, repository, root):
    """What the start page takes from elsewhere: introduction, the lessons' times, how to start."""
    folder.mkdir()
    readme = (root / "README.md").read_text(encoding="utf-8")
    times = time_needed((root / "notebooks/README.md").read_text(encoding="utf-8"))
    start = section(readme, "Start")
    for name, text in ((INTRODUCTION, introduction(readme)), (TIME, times), (START, start)):
        text = rewrite(text, "README.md", pages, repository)
        if name == START:
            where = f"The course's repository: <{repository}>" if repository else WITHOUT_REPOSITORY
            text = f"{where}\n\n{text}"
        (folder / f"{name}.md").write_text(text + "\n", encoding="utf-8")


def introduction(readme):
    """The paragraph below the title."""
    return readme.split("\n\n")[1].strip()


def time_needed(overview):
    """How long all lessons take together, in words, from the table of lessons and times."""
    minutes = [int(times or 1) * int(each) for times, each in MINUTES.findall(overview)]
    if not minutes:
        raise ValueError("notebooks/README.md has no table of times that can be read")
    return f"{len(minutes)} lessons, about {round(sum(minutes) / 60)} hours in all."


def section(text, heading):
    """What stands below a heading of the second level, its subsections included."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f'there is no section "## {heading}"')
    return found[1].strip()


def write_generated(folder, root):
    """A page of the reference for each module, and one of known mistakes for each assignment."""
    (folder / "reference").mkdir()
    for name in public_modules(root):
        lines = [f".. automodule:: {name}", "   :members:"]
        for data, value in constants(name, root).items():
            lines += [
                f"\n.. py:data:: {data}",
                f"   :module: {name}",
                f"   :value: {value}",
            ]
        text = "\n".join([f"# `{name}`\n", "```{eval-rst}", *lines, "```\n"])
        (folder / f"reference/{page_of(name)}.md").write_text(text, encoding="utf-8")
    (folder / "known-mistakes").mkdir(exist_ok=True)
    (folder / "known-mistakes.md").rename(folder / "known-mistakes/index.md")
    (folder / "reference.md").rename(folder / "reference/index.md")
    for path in assignments(root):
        title = notebook_title(path)
        back = f"[The assignment](/assignments/{path.stem}/{path.name})"
        text = f"# Known mistakes: {title}\n\n{back}\n\n```{{known-mistakes}} {path.stem}\n```\n"
        (folder / f"known-mistakes/{path.stem}.md").write_text(text, encoding="utf-8")


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


def notebook_title(path):
    """The first heading of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "".join(cells[0]["source"]).split("\n")[0].removeprefix("# ")
