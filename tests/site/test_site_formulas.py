"""The site's formulas: MathML that stands as TeX would set it, or a fault."""

from xml.etree import ElementTree

import pytest

from tests.support.scripts import load

formulas = load("site/formulas.py")


def short(latex, display=True):
    """A formula as nested tuples of tags and texts, without the namespace and single rows."""
    return told(ElementTree.fromstring(formulas.to_mathml(latex, display))[0])


def told(element):
    tag = element.tag.removeprefix(formulas.NAMESPACE)
    if len(element) == 1 and tag == "mrow":
        return told(element[0])
    return (tag, *map(told, element)) if len(element) else (tag, element.text)


@pytest.mark.parametrize("name", ["max", "min", "lim"])
def test_limits_stand_below_on_a_line_of_its_own_and_beside_within_a_text(name):
    """In a text they would push the lines apart."""
    below = ("munder", ("mo", name), ("mi", "i"))
    beside = ("msub", ("mo", name), ("mi", "i"))
    x = ("mi", "x")
    assert short(rf"\{name}_i x", display=True) == ("mrow", below, x)
    assert short(rf"\{name}_i x", display=False) == ("mrow", beside, x)


def test_the_index_of_a_letter_stays_beside_it():
    assert short("x_i") == ("msub", ("mi", "x"), ("mi", "i"))


def test_a_line_of_its_own_is_a_block():
    for display, value in ((True, "block"), (False, "inline")):
        root = ElementTree.fromstring(formulas.to_mathml("x", display))
        assert root.tag == f"{formulas.NAMESPACE}math"
        assert root.get("display") == value
        assert formulas.to_mathml("x", display).startswith("<math ")


@pytest.mark.parametrize("name", ["log", "exp", "sin", "cos"])
def test_a_function_stands_apart_from_its_argument_but_not_from_a_bracket(name):
    apart = ("mrow", ("mi", name), ("mspace", None), ("mi", "x"))
    assert short(rf"\{name} x") == apart
    assert "mspace" not in formulas.to_mathml(rf"\{name}(x)", True)
    assert "mspace" not in formulas.to_mathml(rf"\{name}", True)
    assert "mspace" not in formulas.to_mathml("a x", True)


@pytest.mark.parametrize("sign", "×·⋅≈←→≤≥−")
def test_a_sign_that_is_written_itself_is_an_operator(sign):
    assert short(f"a {sign} b") == ("mrow", ("mi", "a"), ("mo", sign), ("mi", "b"))


@pytest.mark.parametrize(("start", "end"), ["()", "[]"])
def test_large_brackets_grow_around_what_they_hold(start, end):
    latex = rf"x \big{start}a\big{end} \big{start}b\big{end}^2"
    text = formulas.to_mathml(latex, True)
    opening, closing = ("mo", start), ("mo", end)
    assert short(latex) == (
        "mrow",
        *(("mi", "x"), opening, ("mi", "a"), closing),
        # The exponent is that of the whole bracket, and of the last one only.
        ("msup", ("mrow", opening, ("mi", "b"), closing), ("mn", "2")),
    )
    operators = ElementTree.fromstring(text).iter(f"{formulas.NAMESPACE}mo")
    found = [(one.text, one.get("form"), one.get("stretchy")) for one in operators]
    assert found == [(start, "prefix", "true"), (end, "postfix", "true")] * 2


@pytest.mark.parametrize("latex", ["(a)^2", r"a \big)^2", r"(a \big)^2", r"\big/^2"])
def test_other_brackets_stay_as_they_are(latex):
    power = short(latex)[-1] if short(latex)[0] == "mrow" else short(latex)
    assert power == ("msup", ("mo", "/" if "/" in latex else ")"), ("mn", "2"))


def test_an_underscore_in_words_is_no_index_and_has_no_backslash():
    assert short(r" \text{out\_h} ") == ("mtext", "out_h")


@pytest.mark.parametrize(
    ("latex", "why"),
    [
        (r"\foo x", r"\\foo is not known to the converter"),
        ("{", "NoAvailableTokensError"),
        (r"\text{}", "nothing came out"),
    ],
)
def test_what_is_not_converted_in_full_is_a_fault(latex, why):
    with pytest.raises(formulas.FormulaError, match=why):
        formulas.to_mathml(latex, True)
