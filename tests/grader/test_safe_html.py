"""What students wrote as HTML or Markdown does nothing in the browser of whoever reads it."""

import base64
import re

import nbformat
import pytest
from bs4 import BeautifulSoup

from grader.gradebook import safe_html
from grader.gradebook.formulas import KEPT_ATTRIBUTES, KEPT_TAGS, LONGEST, NAMESPACE, to_mathml
from grader.gradebook.safe_html import clean_html, markdown2html, render, render_ours
from helpers.command.files import notebooks_below
from tests.support.lessons import ROOT


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src=http://x></SCRIPT",
        "<img src=x onerror=alert(1)>",
        "<img src='http://tracker/pixel.png'>",
        "<svg onload=alert(1)></svg>",
        "<iframe src='javascript:alert(1)'></iframe>",
        "[a](javascript:alert(1))",
        "<a href=' JaVaScRiPt:alert(1)'>a</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>a</a>",
        "```mermaid\n</pre><script>alert(1)</script>\n```",
        "$x<script>alert(1)</script>$",
        "$\\href{javascript:alert(1)}{x}$",
        r"$\class{onload}{x} \style{position:fixed}{y}$",
        r"$\text{<img src=x onerror=alert(1)>} \color{red}{x}$",
        r"![$\text{x onerror=alert(1) y}$](attachment:none)",
        r'<p title="$\text{ onerror=alert(1) }$">x</p>',
        "<style>body {display: none}</style>",
        "<form action=/api><input type=submit></form>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    ],
)
def test_students_html_does_nothing(text):
    for made in (render(f"kept\n\n{text}"), clean_html(f"kept {text}")):
        tree = BeautifulSoup(made, "html.parser")
        assert "kept" in made
        for tag in tree.find_all(True):
            assert tag.name not in ("script", "svg", "iframe", "style", "form", "input")
            # A formula's own are those that the converter makes.
            if tag.name == "math":
                inside = [tag, *tag.find_all(True)]
                assert {f"{NAMESPACE}{one.name}" for one in inside} <= KEPT_TAGS
                names = {name for one in inside for name in one.attrs}
                assert names <= {*KEPT_ATTRIBUTES, "xmlns"}
                assert text.startswith("$")
            assert not any(name.startswith("on") for name in tag.attrs)
            assert "script" not in str(tag.get("href")).lower()
            assert not str(tag.get("href")).startswith("data")
            assert not str(tag.get("src", "data")).startswith(("http", "x"))
    assert "\\href" not in render(text)


COMMANDS = [
    r"\href{javascript:alert(1)}{x}",
    r"\&#104;ref{javascript:alert(1)}{x}",
    r"\&#x68;r<!-- -->ef{javascript:alert(1)}{x}",
    r"\h<font>ref</font>{javascript:alert(1)}{x}",
    r"\mmlToken{mi}[href='javascript:alert(1)']{x}",
    r"\bbox[position:fixed]{x}",
    r"\style{position:fixed}{x}",
    r"\require{html}",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_formula_makes_no_links(command):
    """MathJax reads what the browser shows, after the page was cleaned."""
    for text in (f"$ {command} $", f"$$\n{command}\n$$", f"<p>$ {command} $</p>"):
        for made in (render(text), clean_html(text)):
            seen = BeautifulSoup(made, "html.parser").get_text()
            assert "x" in seen or "html" in seen
            assert not re.search(r"\\(href|mmlToken|bbox|style|require)", seen), made
    assert render(r"$\hrefs \classical \\ \frac{1}{2}$").count("\\text") == 0


@pytest.mark.parametrize(
    "text",
    [
        '<div class="navbar navbar-fixed-top modal in" id="score" style="top:0">mine</div>',
        '<table class="dataframe modal in"><tr><td class="in">mine</td></tr></table>',
        "```xml\nmine\n```",
        "# mine",
    ],
)
def test_students_take_no_styles_of_the_page(text):
    for made in (render(text), clean_html(text)):
        assert "mine" in made
        tree = BeautifulSoup(made, "html.parser")
        assert not {"id", "style"} & {name for tag in tree.find_all(True) for name in tag.attrs}
        assert {c for tag in tree.find_all(True) for c in tag.get("class", ())} <= {"dataframe"}


WORST = {
    "nested": "<div>" * 100_000,
    "opened again and again": "".join(f"<b a{n}><p>" for n in range(8000)),
    "opened as often as may be": "".join(f"<b a{n}><p>" for n in range(300)),
    "opened a bit more often": "".join(f"<b a{n}><p>" for n in range(1000)),
    "links that are opened again": '<p><a href="http://' + "x" * 9900 + '">' + "<p>y" * 2000,
    "titles that are opened again": "<p>" + f"<b title={'x' * 900}>" * 3 + "<p>y" * 2000,
    "a long title opened again": '<p><b title="' + "x" * 50_000 + '">' + "<p>y" * 4000,
    "a long link opened again": '<p><a href="http://' + "x" * 50_000 + '">' + "<p>y" * 4000,
    "attributes": "<a " + " ".join(f"a{n}=1" for n in range(20_000)) + ">",
    "formulas": "\\\\[" * 6000,
    "formulas of the other kind": "\\\\(" * 6000,
    "environments": "\\begin{a}" * 2000,
    "quotes": ">" * 19_000,
    "brackets": "[" * 19_000,
}


@pytest.mark.parametrize("name", WORST)
def test_no_text_becomes_a_page_of_another_size(name):
    """With some texts the parsers take the square of the length, in time and in what they make."""
    text = WORST[name]
    for made in (clean_html(text), render(text)):
        assert len(made) < max(2_000_000, 2 * len(text))


@pytest.mark.parametrize(
    ("name", "parser", "clean"),
    [
        ("formulas", "MarkdownWithMath", render),
        ("formulas of the other kind", "MarkdownWithMath", render),
        ("environments", "MarkdownWithMath", render),
        ("nested", "_cleaner", clean_html),
    ],
)
def test_what_takes_a_parser_long_is_shown_as_text(name, parser, clean, monkeypatch):
    def parse(**options):
        pytest.fail("it was given to the parser")  # which `except Exception` does not catch

    monkeypatch.setattr(safe_html, parser, parse)
    monkeypatch.setattr(safe_html, "as_text", lambda text: "as text")
    assert clean(WORST[name]) == "as text"


PIXEL = base64.b64encode(b"pixel").decode()


@pytest.mark.parametrize(
    "link",
    ["attachment:Screen%20shot%201.png", "<attachment:Screen shot 1.png>", "attachment:a.png"],
)
def test_pasted_pictures_are_shown_whatever_their_names(link):
    pictures = {"Screen shot 1.png": {"image/png": PIXEL}, "a.png": {"image/png": PIXEL}}
    made = render(f"before ![it]({link}) after", pictures)
    tree = BeautifulSoup(made, "html.parser")
    assert tree.img["src"] == f"data:image/png;base64,{PIXEL}"
    assert tree.get_text().split() == ["before", "after"]


def test_a_picture_that_is_missing_takes_no_text_with_it():
    made = render("*before* ![it](attachment:b.heic) after")
    assert "<em>before</em>" in made
    assert "b.heic: this picture is not in the notebook." in made


def test_what_a_locked_cell_shows_is_not_ours():
    """A student's function that a test calls may show what it likes."""
    locked = {"metadata": {"nbgrader": {"locked": True}}, "cell_type": "code"}
    ours = {**locked, "cell_type": "markdown"}
    text = "<details onclick='x'>kept</details>"
    assert "onclick" not in markdown2html({"cell": locked}, text)
    assert "onclick" in markdown2html({"cell": ours}, text)


TEXTS = "a abbr b br code del em i ins kbd mark q s small span strong sub sup u img"
BLOCKS = "blockquote dd details div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre summary ul"


@pytest.mark.parametrize("tag", f"{TEXTS} {BLOCKS}".split())
def test_tags_of_texts_and_lists_stay_without_styles(tag):
    made = clean_html(f"<{tag} class='x' style='y' id='z' data-x='w'>")
    assert re.match(rf"<{tag}[ >]", made)
    assert not re.search("class|style|id=|data", made)


def test_the_parts_of_a_table_stay():
    table = (
        '<table title="3"><caption align="3">c</caption><thead width="3"><tr height="3">'
        '<th rowspan="3">h</th></tr></thead><tbody><tr><td colspan="3">x</td></tr></tbody>'
        "<tfoot><tr><td>y</td></tr></tfoot></table>"
    )
    assert clean_html(table) == table


@pytest.mark.parametrize(
    ("text", "made"),
    [
        *(
            (f'<{tag} {name}="3">x</{tag}>', f'<{tag} {name}="3">x</{tag}>')
            for tag in ("li", "p")
            for name in ("title", "colspan", "rowspan", "align", "width", "height")
        ),
        ('<img alt="a" width="3" src="x">', '<img alt="a" width="3">'),
        *(
            (f'<img src="{src}">', f'<img src="{src}">')
            for src in (f"data:image/{kind};base64,AA+/ ==" for kind in
                        ("png", "jpeg", "gif", "webp"))
        ),
        *(
            (f'<img src="{src}">', "<img>")
            for src in (
                *("data:image/svg+xml;base64,AA", "data:text/html;base64,AA"),
                *("data:image/png,AA", "data:image/png;base64,A<A", "x.png"),
            )
        ),
        *(
            (f'<a href="{link}">x</a>', f'<a href="{link}" rel="noopener noreferrer">x</a>')
            for link in ("http://x.org", "HTTPS://x.org", "mailto:a@x.org", "#part-1")
        ),
        *(
            (f'<a href="{link}">x</a>', '<a rel="noopener noreferrer">x</a>')
            for link in ("/api", "file:x", "ftp://x", "http:x", f"http://{'x' * 1000}")
        ),
        (f'<p title="{"x" * 1000}">x</p>', f'<p title="{"x" * 1000}">x</p>'),
        (f'<p title="{"x" * 1001}">x</p>', "<p>x</p>"),
        ('<table class="dataframe other">', '<table class="dataframe"></table>'),
        ("<b>x</b><script>y</script><style>z</style><form>w</form>", "<b>x</b>w"),
        ("<table><tr><th></th></tr></table>", "<table><tbody><tr><td></td></tr></tbody></table>"),
        (b"<b>\xff</b>", "<b>\ufffd</b>"),
    ],
)  # fmt: skip
def test_what_stays_of_attributes_and_of_what_is_no_text(text, made):
    assert clean_html(text) == made


@pytest.mark.parametrize(
    ("meta", "cell_type", "is_ours"),
    [
        ({"locked": True}, "markdown", True),
        ({"task": True}, "markdown", True),
        ({"locked": True, "solution": True}, "markdown", False),
        ({"task": True, "solution": True}, "markdown", False),
        ({"locked": True}, "code", False),
        ({}, "markdown", False),
        (None, "markdown", False),
    ],
)
def test_only_the_texts_of_the_assignment_are_shown_as_they_are(meta, cell_type, is_ours):
    cell = {"metadata": {} if meta is None else {"nbgrader": meta}, "cell_type": cell_type}
    made = markdown2html({"cell": cell}, "<form>x</form>")
    assert ("<form>" in made) == is_ours
    assert "<form>" not in markdown2html({}, "<form>x</form>")


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("a | b\n:-:|-\n | c\n", "<td></td>\n  <td>c</td>"),
        ("```python\nif x: 1\n```", "<pre><code>if x: 1\n</code></pre>"),
        (
            "![a <b>](attachment:x%20y.png)",
            '<img src="data:image/png;base64,AABB" alt="a &lt;b&gt;">',
        ),
        ("![a](attachment:no%20z)", "(no z: this picture is not in the notebook.)"),
        ("[a](http://x.org)", '<a href="http://x.org" rel="noopener noreferrer">a</a>'),
        ("## Head", "<h2>Head</h2>"),
    ],
)
def test_a_student_s_markdown(source, made):
    assert made in render(source, {"x y.png": {"image/png": "AA\nBB"}})


def test_long_texts_are_shown_as_they_are():
    assert render("*" * 20_001) == f"<pre>{'*' * 20_000} ... cut off ...</pre>"
    assert render("x" * 20_000) == f"<p>{'x' * 20_000}</p>\n"
    formulas = "\\\\(x" * 201
    assert render(formulas) == f"<pre>{formulas}</pre>"
    assert safe_html.as_text("<\ud800" + "x" * 19_998) == f"<pre>&lt;?{'x' * 19_998}</pre>"


@pytest.mark.parametrize(
    ("latex", "tags"),
    [
        ("\\frac{a}{2}", "mfrac mi mn"),
        ("\\sqrt{x} + \\sqrt[3]{x}", "msqrt mroot mi mo mn"),
        ("x_1^2 + y_1 + z^2", "msubsup msub msup mi mn mo"),
        ("\\sum_{i=1}^n x", "munderover mi mo mn"),
        ("\\underline{x} \\overline{x}", "munder mover mi mo"),
        ("\\begin{pmatrix}1 & 2\\end{pmatrix}", "mtable mtr mtd mn mo"),
        ("\\text{if } x\\quad y", "mtext mspace mi"),
        ("\\boxed{x} \\phantom{y}", "menclose mphantom mi"),
        ("\\displaystyle x", "mstyle mi"),
    ],
)
def test_the_parts_of_a_formula(latex, tags):
    tree = BeautifulSoup(to_mathml(latex, True), "html.parser").math
    assert {tag.name for tag in tree.find_all(True)} - {"mrow"} == {*tags.split()}


def test_a_formula_in_a_line_and_one_on_its_own():
    inline, block = to_mathml(" x ", False), to_mathml("x", True)
    assert inline == (
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline">'
        "<mrow><mi>x</mi></mrow></math>"
    )
    assert block == (
        f'<span class="formula" tabindex="0">{inline.replace("inline", "block")}</span>'
    )
    assert "a_b" in to_mathml("\\text{a\\_b}", False)
    assert to_mathml("x" * LONGEST, False) is not None


def test_tables_and_pictures_stay():
    picture = '<img alt="p" src="data:image/png;base64,iVBORw0KGgo=">'
    table = '<table class="dataframe"><tr><th colspan="2">a</th></tr></table>'
    assert clean_html(picture) == picture
    assert 'class="dataframe"' in clean_html(table)
    assert "<th " in clean_html(table)
    assert "<mo>&lt;</mo>" in render("$a < b$")
    assert render_ours("<details>own</details>").strip() == "<details>own</details>"


def test_a_formula_is_there_without_a_script():
    for make in (render, render_ours):
        made = make("Of $x_1$ and\n\n$$\\frac{1}{2}$$\n\n\\begin{align}a&=b\\end{align}")
        tree = BeautifulSoup(made, "html.parser")
        assert [one["display"] for one in tree.find_all("math")] == ["inline", "block", "block"]
        assert tree.find("mfrac").get_text() == "12"
        assert "$" not in tree.get_text()
        assert tree.find("i") is None


@pytest.mark.parametrize(
    "latex",
    [
        "\\nosuchcommand x",
        "{" * 2000,
        "x^a^b",
        "\\frac" * 900,
        "x" * (LONGEST + 1),
        "\\begin{a}",
        " ",
    ],
)
def test_what_cannot_become_a_formula_stays_as_it_is_written(latex):
    assert to_mathml(latex, True) is None
    assert latex.strip()[:20] in BeautifulSoup(render(f"$${latex}$$"), "html.parser").get_text()


def test_all_formulas_of_the_assignments_can_be_made():
    count = 0
    for path in notebooks_below(ROOT / "assignments"):
        for one in nbformat.read(path, as_version=4).cells:
            if one.cell_type == "markdown":
                tree = BeautifulSoup(render_ours(one.source), "html.parser")
                count += len(tree.find_all("math"))
                for code in tree(["code", "pre"]):
                    code.decompose()
                assert "$" not in tree.get_text(), (path.name, one.source)
    assert count


@pytest.mark.parametrize(
    ("most", "more"),
    [
        ("<hr>" * 20_000, "<hr>"),  # tags
        ("<b >" * 447, "<b >"),  # tags, times those that stay open: 200,000
        ("<b >" + "<hr>" * 499 + "x" * 98_000, "x"),  # tags, times characters: 50 million
    ],
    ids=["tags", "open tags", "characters"],
)
def test_more_tags_than_a_page_can_hold_are_shown_as_text(most, more):
    assert "&lt;" not in clean_html(most)
    assert clean_html(most + more).startswith("<pre>&lt;")


def test_a_formula_has_2_000_characters_and_a_text_200_formulas():
    assert to_mathml("x" * 2_000, False)
    assert to_mathml("x" * 2_001, False) is None
    assert render("$x$ " * 201).count("<math") == 200
    assert "<math" in render(r"\\(x\\) " * 200)
    assert "<math" not in render(r"\\(x\\) " * 201)


def test_20_000_characters_of_a_student_s_markdown_are_shown():
    assert render("*x* " * 5_000).count("<em>") == 5_000
    made = render("*x* " * 5_000 + "y")
    assert made == f"<pre>{'*x* ' * 5_000} ... cut off ...</pre>"
