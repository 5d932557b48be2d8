"""A Sphinx extension: how to cite the course, and whose files the site carries.

```{citation}
```

```{third-party}
```

```{licence-text}
```
"""

import re
from importlib import metadata

from citation import bibtex, read, sentence
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from helpers.command.files import ROOT

# Packages that put files of their own (styles, search, theme) beside the pages.
SHIPPING = ("Sphinx", "furo", "sphinx-basic-ng", "myst-nb", "Pygments", "accessible-pygments")


class CitationDirective(SphinxDirective):
    """One sentence, and the same for BibTeX; made from CITATION.cff."""

    def run(self):
        where = self.config.course_repository
        citation = read()
        cited = nodes.paragraph("", sentence(citation))
        if where:
            cited += [nodes.Text(" "), nodes.reference("", where, refuri=where)]
        entry = bibtex(citation, where)
        return [cited, nodes.literal_block(entry, entry, language="none")]


class ThirdPartyDirective(SphinxDirective):
    """The packages of SHIPPING with version, licence and the licence's text."""

    def run(self):
        entries = nodes.definition_list()
        for name in SHIPPING:
            package = metadata.distribution(name)
            texts = [
                path.read_text(encoding="utf-8")
                for path in package.files or []
                if "dist-info" in path.parts[0] and re.match(r"(?i)licen[cs]e", path.name)
            ]
            if not texts:
                raise self.error(f"third-party: {name} comes without the text of its licence")
            entries += nodes.definition_list_item(
                "",
                nodes.term("", f"{package.metadata['Name']} {package.version}"),
                nodes.definition("", *(self.folded(text) for text in texts)),
            )
        return [entries]

    @staticmethod
    def folded(text):
        block = nodes.literal_block(text, text, language="none")
        return nodes.container(
            "",
            nodes.raw("", "<details><summary>Its licence</summary>", format="html"),
            block,
            nodes.raw("", "</details>", format="html"),
        )


class LicenceTextDirective(SphinxDirective):
    """A licence of the repository, as it is: its LICENSE, or the file that is named."""

    optional_arguments = 1

    def run(self):
        name = self.arguments[0] if self.arguments else "LICENSE"
        text = (ROOT / name).read_text(encoding="utf-8")
        return [nodes.literal_block(text, text, language="none")]


def setup(app):
    app.add_directive("citation", CitationDirective)
    app.add_directive("third-party", ThirdPartyDirective)
    app.add_directive("licence-text", LicenceTextDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
