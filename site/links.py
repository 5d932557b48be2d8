"""Check the finished site: does every link inside it lead to a file and an anchor that exist?

Needs nothing beyond the standard library.
"""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ADDRESSES = {"href", "src", "action", "poster"}


class Page(HTMLParser):
    """The addresses that a page names, and the anchors that it has."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.anchors = [], {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name in ADDRESSES and value is not None:
                self.addresses.append(value)
            elif name == "srcset" and value:
                self.addresses += [part.split()[0] for part in value.split(",")]


@cache
def read(path):
    return Page(path.read_text(encoding="utf-8"))


def broken_links(folder, prefix="/"):
    """One line for each link that leads nowhere: "page: address (why)".

    `prefix` is where the folder is served; addresses that begin with it are looked up in it.
    """
    folder = Path(folder).resolve()
    read.cache_clear()
    found = []
    for path in sorted(folder.rglob("*.html")):
        for address in dict.fromkeys(read(path).addresses):
            why = fault(address, path, folder, prefix)
            if why:
                found.append(f"{path.relative_to(folder)}: {address} ({why})")
    return found


def fault(address, page, folder, prefix):
    """Why this address on this page leads nowhere; None if it does not."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    name = unquote(parts.path)
    if name.startswith("/"):
        if not name.startswith(prefix):
            return f"outside {prefix}"
        target = folder / name[len(prefix) :]
    else:
        target = page.parent / name if name else page
    target = target.resolve()
    if not target.is_relative_to(folder):
        return "outside the site"
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return "no such file"
    anchor = unquote(parts.fragment)
    if target.suffix == ".html" and anchor not in read(target).anchors:
        return "no such anchor"
    return None
