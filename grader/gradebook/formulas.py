"""Formulas of a page, made into MathML when it is written: browsers draw that without a script."""

from __future__ import annotations

import functools
import re
from xml.etree import ElementTree

from latex2mathml.converter import convert

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
ElementTree.register_namespace("", NAMESPACE[1:-1])
# What the converter makes of formulas; not what can load, link or run anything.
TAGS = """
math mrow mi mn mo ms mtext mspace msub msup msubsup munder mover munderover mmultiscripts
mprescripts none mfrac msqrt mroot mtable mtr mtd mlabeledtr mstyle mpadded mphantom menclose
"""
ATTRIBUTES = """
accent columnalign columnlines columnspacing display displaystyle fence form height largeop
linethickness lspace mathvariant maxsize minsize movablelimits notation rowlines rowspacing rspace
scriptlevel separator stretchy width
"""
KEPT_TAGS = {NAMESPACE + tag for tag in TAGS.split()}
KEPT_ATTRIBUTES = set(ATTRIBUTES.split())
LONGEST = 2_000  # characters; the longest of the course has 200
WORDS = re.compile(r"\\text\{[^{}]*\}")


@functools.lru_cache(2_000)
def to_mathml(latex: str, is_block: bool) -> str | None:
    """A formula as HTML, in MathML, or None if it cannot be made: then its text has to be shown.

    Parameters
    ----------
    latex : str
        Without the dollar signs. It may come from a student.
    is_block : bool
        Whether it stands on a line of its own.
    """
    if len(latex) > LONGEST or not latex.strip():
        return None
    # In words the converter takes "_" as it is, and would show the backslash before it.
    latex = WORDS.sub(lambda match: match[0].replace(r"\_", "_"), latex.strip())
    try:
        root = ElementTree.fromstring(convert(latex, display="block" if is_block else "inline"))
    except Exception:  # the converter has errors of many kinds, also plain ones of Python's
        return None
    for element in root.iter():
        if element.tag not in KEPT_TAGS:
            return None
        for name in set(element.attrib) - KEPT_ATTRIBUTES:
            del element.attrib[name]
    # An unknown command comes through as its own name.
    if any("\\" in word for word in root.itertext()):
        return None
    made = ElementTree.tostring(root, encoding="unicode")
    # Keyboards reach a long one, to scroll in it.
    return f'<span class="formula" tabindex="0">{made}</span>' if is_block else made
