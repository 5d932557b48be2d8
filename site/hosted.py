"""What follows from the repository's address: where its site stands, and who opens its notebooks.

Needs nothing beyond the standard library.
"""

import re
from urllib.parse import quote, urlsplit


def repository_name(repository):
    """OWNER/NAME of an address such as https://HOST/OWNER/NAME; "" without one."""
    return urlsplit(repository).path.strip("/").removesuffix(".git")


def hosted_services(repository, notebook):
    """[(service, address)] of services that open a notebook of a public repository.

    Both know repositories of GitHub by owner and name; elsewhere, and without a repository, the
    list is empty. Sources: Colab's notebook "Using Google Colab with GitHub"; Binder's
    documentation, "Zero to Binder".
    """
    name = repository_name(repository)
    if urlsplit(repository).hostname != "github.com" or name.count("/") != 1:
        return []
    path = quote(notebook)
    return [
        ("Colab", f"https://colab.research.google.com/github/{name}/blob/main/{path}"),
        ("Binder", f"https://mybinder.org/v2/gh/{name}/main?urlpath=lab/tree/{path}"),
    ]


def site_prefix(repository):
    """The path below which GitHub publishes the site of this repository: "/" or "/NAME/"."""
    name = repository_name(repository).rpartition("/")[2]
    return "/" if not name or name.endswith(".github.io") else f"/{name}/"


def site_address(repository):
    """Where GitHub publishes the site of this repository, with / at the end; "" elsewhere."""
    name = repository_name(repository)
    if urlsplit(repository).hostname != "github.com" or name.count("/") != 1:
        return ""
    return f"https://{name.partition('/')[0].lower()}.github.io{site_prefix(repository)}"


def make_links_absolute(html, prefix):
    """The same page with every relative address starting at the prefix."""
    relative = r'((?:href|src|action|data-content_root)=")(?!#|/|[a-z]+:)(?:\./)?([^"]*")'
    return re.sub(relative, lambda match: match[1] + prefix + match[2], html)
