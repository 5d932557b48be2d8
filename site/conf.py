"""Sphinx's configuration. Called by build.py, which gathers the pages first (stage.py)."""

import os
import re
import tomllib

from korean_search import KoreanSearch
from sphinx.domains.std import StandardDomain
from words import ENGLISH_SITE, gettext

from helpers.command.files import ROOT
from helpers.language import ENGLISH, current

# The one setting: the repository's address, such as https://HOST/OWNER/NAME. While it is empty,
# the pages say nothing about hosted notebooks, and link to no file that the site does not have.
course_repository = os.environ.get("SITE_REPOSITORY", "").rstrip("/")

pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
holder = re.search(r"Copyright \(c\) (\d+) (.+)", (ROOT / "LICENSE").read_text(encoding="utf-8"))

project = gettext("Convolutional neural networks")
course_title = gettext(pyproject["description"])
author = holder[2]
project_copyright = f"{holder[1]} {holder[2]}"
version = release = pyproject["version"]
language = current()
locale_dirs = ["../locale"]  # beside the sources: see words.write_theme_words

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "about",
    "anchors",
    "first_uses",
    "formulas",
    "lessons",
    "mistakes",
    "page_details",
    "pieces",
]
exclude_patterns = ["parts", "downloads"]
nitpicky = True
# Types of other packages have no page here.
nitpick_ignore_regex = [("py:.*", r"(?!helpers\.).*")]

# --- Notebooks: shown with the outputs they have, never run -------------------------------------

nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "anchors.slug" if language != ENGLISH else None
myst_url_schemes = ["http", "https", "mailto", ENGLISH_SITE.partition(":")[0]]

# --- The reference: docstrings, read where none of the course's packages but NumPy is ------------

autodoc_mock_imports = ["matplotlib", "PIL", "torch", "torchinfo", "torchvision", "tqdm"]
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types, shapes and units
default_role = "code"
napoleon_use_param = False
napoleon_use_rtype = False
# Shown like parameters: what stands after the colon is often words, not a type to be linked.
napoleon_custom_sections = [("Attributes", "params_style")]


def setup(app):
    # Before napoleon reads them.
    app.connect("autodoc-process-docstring", end_sections, priority=400)
    StandardDomain.object_types["term"].attrs["searchprio"] = 0  # glossary first
    app.add_search_language(KoreanSearch)


def end_sections(app, what, name, obj, options, lines):
    """Give sources and examples headings: else napoleon takes them for another exception."""
    if not any(re.fullmatch(r"-{3,}", line) for line in lines):
        return
    made, has = [], set()
    for line in lines:
        for begin, heading in (("Source:", "References"), (">>>", "Examples")):
            if line.startswith(begin) and heading not in has:
                has.add(heading)
                made += ["", heading, "-" * len(heading)]
        has.update({line} & {"References", "Examples"})
        made.append(line)
    lines[:] = made


# --- Looks --------------------------------------------------------------------------------------

highlight_language = "none"  # a block that does not say its language is no Python
html_theme = "furo"
html_title = project
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
# A button only where there is code to type: not at outputs.
copybutton_selector = "div.cell_input pre, div.highlight-bash pre, div.highlight-python pre"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
html_domain_indices = False
