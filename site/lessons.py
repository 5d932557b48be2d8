"""A Sphinx extension: the list of lessons on the start page, and the links below a lesson's title.

```{lessons}
```

```{lesson-links} 01-convolution-by-hand.ipynb
```

```{assignment-links} assignments/01-convolution/01-convolution.ipynb
```
"""

import re

from docutils import nodes
from hosted import hosted_services
from korean import is_korean
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective
from words import nodes_of

ROW = re.compile(
    r'^\| <img src="(?P<cover>[^"]+)"[^>]* alt="(?P<alt>[^"]+)"> '
    r"\| (?P<number>\d\d|[A-Z]) \[(?P<title>[^\]]+)\]\((?P<path>[^)]+)\.ipynb\) "
    r"\| (?P<ability>.+) \|$",
    re.MULTILINE,
)


def lesson_rows(readme):
    """The rows of the README's table of lessons: a dict each.

    Keys: cover, alt, number, title, path (without its ending), ability.
    """
    return [match.groupdict() for match in ROW.finditer(readme)]


def readme(env):
    """The README in the language of the build, which stage.py puts beside the pages."""
    path = env.srcdir / "parts/readme.md"
    env.note_dependency(str(path))
    return path.read_text(encoding="utf-8")


def as_sentence(words):
    """Words of a table as a sentence; in Korean they are none, and have no full stop."""
    return words if is_korean(words[-1]) else f"{words[:1].upper()}{words[1:]}."


def page_link(docname, *children):
    """A link to a page of the site."""
    link = addnodes.pending_xref(
        "", refdomain="std", reftype="doc", reftarget=f"/{docname}", refexplicit=True
    )
    inside = nodes.inline()
    inside.extend(children)
    link += inside
    return link


class LessonsDirective(SphinxDirective):
    def run(self):
        rows = lesson_rows(readme(self.env))
        if not rows:
            raise self.error("lessons: README.md has no table of lessons that can be read")
        items = nodes.bullet_list(classes=["lessons"])
        for row in rows:
            link = page_link(row["path"], nodes.Text(f"{row['number']} {row['title']}"))
            link["refdoc"] = self.env.docname
            item = nodes.list_item()
            item += nodes.image(uri=f"/{row['cover']}", alt=row["alt"])
            item += nodes.paragraph("", "", link)
            item += nodes.paragraph("", as_sentence(row["ability"]))
            items += item
        return [items]


def without_installing(repository, notebook):
    """Links to the hosted services that open a notebook, and what each costs: nodes of a line.

    The times are those that users of Binder report for repositories of this size, and of installing
    the course where PyTorch is there already; they were not measured.
    """
    services = hosted_services(repository, notebook)
    if not services:
        return []
    links = {
        service.lower(): nodes.reference("", service, refuri=address)
        for service, address in services
    }
    command = nodes.literal("", f"%pip install git+{repository}")
    return nodes_of(
        " Without installing anything: open it in {colab} or {binder}. Binder needs no account. "
        "It takes a minute or two to start, and ten minutes or more if nobody has opened the "
        "course there since it changed. Colab needs a Google account. It opens at once; then run "
        "this in a first cell, which takes a minute or two: {command}",
        command=command,
        **links,
    )


class LessonLinksDirective(SphinxDirective):
    """Download, and the hosted services if the repository is known."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        download = addnodes.download_reference(
            "", "", reftarget=f"/downloads/{name}", refdoc=self.env.docname
        )
        download += nodes.inline("", "", *nodes_of("Download this notebook"))
        course = page_link("index", *nodes_of("the course"))
        course["refdoc"] = self.env.docname
        line = nodes.paragraph(classes=["lesson-links"])
        line += nodes_of(
            "{download}. It needs {course}, whose helpers it imports.",
            download=download,
            course=course,
        )
        hosted = without_installing(self.config.course_repository, f"notebooks/{name}")
        line += hosted or nodes_of(" To read this page and to play with it you need neither.")
        return [line]


class AssignmentLinksDirective(SphinxDirective):
    """The hosted services that open an assignment; nothing where the repository is not known."""

    required_arguments = 1

    def run(self):
        line = nodes.paragraph("", "", classes=["lesson-links"])
        line += without_installing(self.config.course_repository, self.arguments[0])
        return [line] if line.children else []


def setup(app):
    app.add_config_value("course_repository", "", "env", str)
    app.add_directive("lessons", LessonsDirective)
    app.add_directive("lesson-links", LessonLinksDirective)
    app.add_directive("assignment-links", AssignmentLinksDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
