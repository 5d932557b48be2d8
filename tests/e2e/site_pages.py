"""The built site for the browser tests: built once, served on a free port."""

import json
import re
import threading
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

from helpers.command.files import ROOT

KOREAN = "ko/"
BLOCKS = {"dd", "dt", "div", "h1", "h2", "h3", "li", "p", "pre", "section", "td", "th", "tr"}


class Text(HTMLParser):
    """The words of a page, those that scripts and styles hold left out."""

    def __init__(self, html):
        super().__init__()
        self.words, self.silent = [], 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.silent += tag in ("script", "style")
        if tag in BLOCKS:
            self.words.append(" ")

    def handle_endtag(self, tag):
        self.silent -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.silent:
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


@dataclass
class Site:
    """A built site.

    Attributes: `folder`, where it lies; `base`, where it is served, with a / at the end. Pages are
    the English ones where nothing else is said.
    """

    folder: Path
    base: str

    @cached_property
    def everything(self):
        """The paths of all pages, such as "notebooks/07-alexnet.html"."""
        paths = self.folder.rglob("*.html")
        return sorted(path.relative_to(self.folder).as_posix() for path in paths)

    @property
    def pages(self):
        return [page for page in self.everything if not page.startswith(KOREAN)]

    @property
    def korean(self):
        return [page for page in self.everything if page.startswith(KOREAN)]

    @property
    def lessons(self):
        return [page for page in self.pages if re.match(r"notebooks/(\d\d|[A-Z])-", page)]

    def html(self, page):
        return (self.folder / page).read_text(encoding="utf-8")

    def text(self, page):
        """What a reader sees of a page, as one line."""
        return Text(self.html(page)).text

    def notebook(self, page):
        """The notebook that a lesson's page was made from."""
        path = (ROOT / page).with_suffix(".ipynb")
        return json.loads(path.read_text(encoding="utf-8"))


def serving(tool, folder):
    """Serve the folder until the generator is closed; yields its `Site`."""
    with tool.make_server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
