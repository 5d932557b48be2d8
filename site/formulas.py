"""A Sphinx extension: formulas as MathML, made when the site is built.

Browsers draw MathML themselves, so no script is needed to read a formula. A formula that cannot
be converted is a warning, and with it an error of the build.

What needs Sphinx is imported inside functions, so that the course's own tests can use the rest.
"""

import itertools
import re
from xml.etree import ElementTree

from latex2mathml.converter import convert

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
ElementTree.register_namespace("", NAMESPACE[1:-1])

SIGN = re.compile(r"[×·⋅≈←→≤≥−]")
BRACKETS = {"(": "prefix", "[": "prefix", ")": "postfix", "]": "postfix"}
LIMITS = {"max", "min", "lim"}  # what is below them in a formula on its own line
FUNCTIONS = {"exp", "log", "max", "min", "sin", "cos"}
WORDS = re.compile(r"\\text\{[^{}]*\}")


class FormulaError(ValueError):
    """A formula that is not converted, or not in full."""


def to_mathml(latex, display):
    """A formula as MathML, a string.

    Parameters
    ----------
    latex : str
        Without dollar signs.
    display : bool
        Whether it stands on a line of its own.

    Raises
    ------
    FormulaError
        If anything would not come out whole.
    """
    # In words the converter takes "_" as it is, and would show the backslash before it.
    latex = WORDS.sub(lambda match: match[0].replace(r"\_", "_"), latex.strip())
    try:
        text = convert(latex, display="block" if display else "inline")
        root = ElementTree.fromstring(text)
    except Exception as error:  # the converter has errors of many kinds, some of them plain
        raise FormulaError(f"{type(error).__name__} {error}") from error
    # An unknown command comes through as its own name.
    left = [word for word in root.itertext() if "\\" in word]
    if left:
        raise FormulaError(f"{left[0]} is not known to the converter")
    if not "".join(root.itertext()).strip():
        raise FormulaError("nothing came out")
    repair(root, display)
    return ElementTree.tostring(root, encoding="unicode")


def close_brackets(parent):
    """Make ( … )² one thing with an exponent: alone in the base, a bracket does not grow."""
    for power in parent.findall(f"{NAMESPACE}msup"):
        closing = power[0]
        if "minsize" not in closing.attrib or BRACKETS.get(closing.text) != "postfix":
            continue
        before = list(parent)[: list(parent).index(power)]
        starts = [i for i, e in enumerate(before) if BRACKETS.get(e.text) == "prefix"]
        starts = [i for i in starts if "minsize" in before[i].attrib]
        if starts:
            row = ElementTree.Element(f"{NAMESPACE}mrow")
            for element in before[starts[-1] :]:
                parent.remove(element)
                row.append(element)
            power.remove(closing)
            row.append(closing)
            power.insert(0, row)


def repair(root, display):
    """Set right what the converter writes otherwise than TeX sets it."""
    for parent in root.iter():
        close_brackets(parent)
        children = list(parent)
        for child, following in itertools.zip_longest(children, children[1:]):
            text = (child.text or "").strip()
            name = child.tag.removeprefix(NAMESPACE)
            if name == "mi" and SIGN.fullmatch(text):  # × written as the sign itself
                child.tag = f"{NAMESPACE}mo"
            elif name == "mo" and "minsize" in child.attrib and text in BRACKETS:
                child.set("stretchy", "true")
                child.set("form", BRACKETS[text])
            elif name == "msub" and display and (child[0].text or "").strip() in LIMITS:
                child.tag = f"{NAMESPACE}munder"
            functions = name == "mi" and text in FUNCTIONS
            if functions and following is not None and following.tag != f"{NAMESPACE}mo":
                space = ElementTree.Element(f"{NAMESPACE}mspace", width="0.167em")
                parent.insert(list(parent).index(child) + 1, space)


def visit(translator, node, display):
    from docutils import nodes
    from sphinx.util import logging

    try:
        text = to_mathml(node.astext(), display)
    except FormulaError as error:
        logging.getLogger(__name__).warning(
            "cannot convert this formula: %s: %s", node.astext(), error, location=node
        )
        text = ""
    if display:
        text = f'<div class="formula">{text}</div>'
    translator.body.append(text)
    raise nodes.SkipNode


def visit_inline(translator, node):
    visit(translator, node, display=False)


def visit_display(translator, node):
    visit(translator, node, display=True)


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
