"""The glossary's words against the lessons, and the finding of their first uses."""

import re
import unicodedata

import pytest

from tests.support.lessons import LESSONS, need, number_of, read
from tests.support.scripts import load

first_uses = load("site/first_uses.py")
Finder, Term = first_uses.Finder, first_uses.Term

TERMS = first_uses.read_terms()
HANGUL = re.compile("[가-힣]+(?: [가-힣]+)*")
NUMBER = re.compile(r"\d[\d,.]*(?:/\d+)?(?: million| × \d+)?")
each_term = pytest.mark.parametrize("term", TERMS, ids=lambda term: term.english)

# Words in bold that are no terms, all of them: the lessons' own signposts, what a section is about,
# and plain English put into relief. "hidden layer", "natural logarithm" and "windows overlap" are
# in the glossary, but only one of the two words is bold.
SIGNPOSTS = {"by hand", "how many places", "no gpu", "time", "why", "you need", "you will learn"}
SIGNPOSTS |= {"an apple computer", "on a gpu", "without a connection", "without an nvidia card"}
PLAIN = {"against", "before", "bottom", "column", "first", "maps", "memory", "middle", "one", "top"}
PLAIN |= {"plain loop", "start", "stripes", "smooth blobs of colour", "sum", "tolerance"}
PLAIN |= {"tolerance not invariance", "probability minus truth", "pytorch rounds down", "up"}
PLAIN |= {"same in tensorflow", "the bias", "hidden", "natural", "overlap"}
NOT_TERMS = SIGNPOSTS | PLAIN


def words(text):
    """A phrase in small letters without its punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def without_code(text):
    """Markdown without code and formulas."""
    return re.sub(r"```.*?```|\$\$.*?\$\$|`[^`\n]*`|\$[^$\n]*\$", " ", text, flags=re.DOTALL)


def prose(text):
    """Markdown without code, formulas and emphasis; its tables stay."""
    return without_code(text).replace("*", "")


def sections():
    """{(lesson's number, heading): the section's own markdown}, the title's section included."""
    found = {}
    for path in LESSONS:
        heading, inside = None, False
        for cell in read(path).cells:
            for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
                inside ^= line.startswith("```")
                if title := not inside and re.match("#{1,3} (.+)", line):
                    heading = title[1]
                key = number_of(path), heading
                found[key] = found.get(key, "") + line + "\n"
    return found


SECTIONS = sections()
TEXTS = {number: "" for number, _ in SECTIONS}
for (number, _), section in SECTIONS.items():
    TEXTS[number] += section
ALL_WORDS = {words(form) for term in TERMS for form in (term.english, *term.forms)}
ALL_WORDS |= {first_uses.plural(word) for word in ALL_WORDS}


# --- the data ----------------------------------------------------------------------------------


def test_the_lessons_were_read():
    need()
    assert len(TEXTS) == len(LESSONS)
    assert all(len(text) > 5000 for text in TEXTS.values())


@each_term
def test_every_field_is_filled(term):
    texts = [term.english, term.definition, term.lesson, term.section]
    for text in [*texts, *term.korean, *term.also, *(term.match or ()), *term.skip]:
        assert isinstance(text, str)
        assert text
        assert text == text.strip()
        # 가나다 order is the order of composed syllables.
        assert unicodedata.is_normalized("NFC", text)
    assert term.korean


def test_no_word_stands_twice_and_the_file_is_in_order():
    own = [term.english.casefold() for term in TERMS]
    every = own + [word.casefold() for term in TERMS for word in term.also]
    assert own == sorted(own)
    assert len(every) == len(set(every))
    anchors = [first_uses.anchor(word) for word in every]
    assert len(anchors) == len(set(anchors))
    assert all(re.fullmatch(r"term-[a-z0-9]+(-[a-z0-9]+)*", one) for one in anchors)


@each_term
def test_korean_words_are_korean_or_said_to_be_latin(term):
    assert len(set(term.korean)) == len(term.korean)
    for word in term.korean:
        assert bool(HANGUL.search(word)) != term.latin, word


@each_term
def test_definitions_are_short_sentences(term):
    assert 20 < len(term.definition) <= 200
    assert term.definition[0].isupper() or term.definition[0].isdigit() or term.english == "sigmoid"
    assert term.definition.endswith(".")
    assert len(re.findall(r"[.!?](?= [A-Z]|$)", term.definition)) <= 3
    assert "`" not in term.definition, "definitions are plain text: they are tooltips, too"


def test_definitions_are_unique():
    definitions = [words(term.definition) for term in TERMS]
    assert len(definitions) == len(set(definitions))


@each_term
def test_the_section_named_uses_the_word(term):
    need(f"notebooks/{term.lesson}-")
    text = SECTIONS.get((term.lesson, term.section))
    assert text is not None, f"lesson {term.lesson} has no section {term.section!r}"
    # Also a word that is never linked, and one in a place that a link would skip, is a use.
    anyhow = Term(term.english, (), "", "", "", match=(*term.forms, term.english))
    assert Finder([anyhow]).uses(prose(text)), f"{term.english} is not in {term.section!r}"


@each_term
def test_numbers_of_a_definition_are_the_lessons_numbers(term):
    # Numbers of earlier lessons are known, too.
    need()
    lesson = TEXTS[term.lesson] + "".join(TEXTS[number] for number in TEXTS if number < term.lesson)
    known = set(NUMBER.findall(lesson.replace("−", "-").replace("{", " ")))
    known = {number.rstrip(".,") for number in known}
    mine = {number.rstrip(".,") for number in NUMBER.findall(term.definition)}
    strange = {"natural logarithm": {"2.718"}, "He's rule": {"2"}, "MNIST": set()}
    assert mine - known <= strange.get(term.english, set())


def bold_words(text):
    """What stands in bold in a text: short phrases without digits, and not a whole sentence."""
    # Every second piece is between two pairs of stars.
    pieces = [piece for line in without_code(text).split("\n") for piece in line.split("**")[1::2]]
    phrases = {words(piece) for piece in pieces if not piece.rstrip().endswith((".", ",", ":"))}
    return {one for one in phrases if re.fullmatch(r"[^\W\d]{2,}( [^\W\d]+){0,3}", one)}


def test_every_bold_word_of_the_lessons_is_there():
    need()
    bold = set().union(*(bold_words(text) for text in TEXTS.values()))
    assert len(bold) > 60
    assert bold - ALL_WORDS == NOT_TERMS


def test_the_lessons_own_korean_words_are_the_glossarys():
    need()
    known = {word for term in TERMS for word in term.korean} | {"한국어"}
    found = {word for text in TEXTS.values() for word in HANGUL.findall(text)}
    assert len(found) > 15
    assert found <= known


def test_tables_of_words_in_the_lessons_agree():
    need()
    rows = []
    for text in TEXTS.values():
        for table in re.findall(r"^\| word \|.*한국어.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.M):
            rows += [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()]
    assert len(rows) == 8
    by_word = {word: term for term in TERMS for word in (term.english, *term.also)}
    for word, _, in_korean, _ in rows:
        known = by_word[word].korean
        for one in in_korean.split(", "):
            # The table gives "filter" as another word for the kernel.
            assert one in known or (word == "kernel" and one in by_word["filter"].korean)


def test_a_field_that_is_missing_or_unknown_is_refused(tmp_path):
    path = tmp_path / "glossary.toml"
    for text in ('english = "a"\n', 'colour = "red"\n'):
        path.write_text(f"[[term]]\n{text}", "utf-8")
        with pytest.raises(TypeError):
            first_uses.read_terms(path)


# --- finding uses ------------------------------------------------------------------------------


def term(english, **more):
    return Term(english, ("말",), "A word.", "01", "Learn the words", **more)


SOME = [
    term("kernel", skip=("Restart Kernel", 'has a "kernel"')),
    term("pooling"),
    term("max pooling"),
    term("activation function"),
    term("feature map", also=("activation map",)),
    term("class activation map", also=("CAM",)),
    term("same padding", match=('"same" padding',)),
    term("He's rule"),
    term("log-softmax"),
    term("softmax"),
    term("non-linear"),
    term("linear"),
    term("batch"),
    term("probability"),
    term("class", match=()),
    term("axis", match=("axis", "axes")),
    term("fully connected layer", match=("fully connected layer", "fully connected")),
]


def found(text):
    return [(text[a:b], one.english) for a, b, one in Finder(SOME).uses(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a kernel", [("kernel", "kernel")]),
        ("Kernels and KERNEL", [("Kernels", "kernel"), ("KERNEL", "kernel")]),
        ("the kernel's size, the kernel’s size, (kernel).", [("kernel", "kernel")] * 3),
        ("kernel_size, mykernel, sub-kernel, kernel-like, kernel.py, nn.kernel", []),
        ("It ends with a kernel. Next", [("kernel", "kernel")]),
        ("two batches, many probabilities, three axes, an axis and two axiss", None),
        ("max pooling", [("max pooling", "max pooling")]),
        ("max\npooling and Max-Pooling", None),
        ("max pooling, then pooling", [("max pooling", "max pooling"), ("pooling", "pooling")]),
        ("activation maps and class activation maps", None),
        ("an activation is no activation function", None),
        ("This is called “same” padding.", [("“same” padding", "same padding")]),
        ("the same padding as before", []),
        ("by He’s rule", [("He’s rule", "He's rule")]),
        ("log-softmax, log softmax", [(x, "log-softmax") for x in ("log-softmax", "log softmax")]),
        ("non-linear, linear", [("non-linear", "non-linear"), ("linear", "linear")]),
        ("a class of its own, many classes", []),
        ("fully connected, fully-connected layers", None),
        ("Restart Kernel, and restart the kernel", [("kernel", "kernel")]),
        ("Jupyter has a “kernel”; a kernel", [("kernel", "kernel")]),
        ("the camera", []),
    ],
)
def test_uses(text, expected):
    special = {
        "two batches": ["batches", "probabilities", "axes", "axis"],
        "max\npooling": ["max\npooling", "Max-Pooling"],
        "activation maps": ["activation maps", "class activation maps"],
        "an activation is": ["activation function"],
        "fully connected,": ["fully connected", "fully-connected layers"],
    }
    if expected is None:
        (expected,) = [value for start, value in special.items() if text.startswith(start)]
        assert [use for use, _ in found(text)] == expected
    else:
        assert found(text) == expected


def test_the_first_use_only_over_all_texts():
    texts = ["Max pooling pools.", "Pooling, max pooling.", "A feature map, an activation map."]
    uses = list(Finder(SOME).first_uses(texts))
    assert [[text[a:b] for a, b, _ in one] for text, one in zip(texts, uses, strict=True)] == [
        ["Max pooling"],
        ["Pooling"],
        ["feature map"],
    ]


def test_one_phrase_cannot_lead_to_two_words():
    with pytest.raises(ValueError, match="map"):
        Finder([term("map"), term("feature map", also=("map",))])


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("kernel", "kernels"),
        ("batch", "batches"),
        ("bias", "biases"),
        ("box", "boxes"),
        ("probability", "probabilities"),
        ("array", "arrays"),
        ("feature map", "feature maps"),
    ],
)
def test_plural(one, many):
    assert first_uses.plural(one) == many


def test_everyday_meanings_are_left_alone():
    finder = Finder(TERMS)
    for text in (
        "On Windows, type this.",
        "Choose Kernel → Restart Kernel and Run All Cells.",
        "All cells together run in a few seconds on a CPU.",
        "the rise for each unit of change",
        "a picture that shows all edges, where it hangs over the edge",
    ):
        uses = [text[a:b] for a, b, _ in finder.uses(text)]
        assert uses == (["edges"] if "edges" in text else [])


@pytest.mark.parametrize("number", sorted(TEXTS))
def test_lessons_get_links_but_not_a_flood(number):
    text = prose(TEXTS[number])
    (uses,) = Finder(TERMS).first_uses([text])
    assert len(uses) >= 15
    assert len(uses) / len(text.split()) < 0.03


@pytest.mark.parametrize(
    "page", ["notebooks/01-a", "notebooks/A-a", "assignments/01-a", "assignments/01-a/01-a"]
)
def test_pages_that_get_links(page):
    assert first_uses.PAGES.fullmatch(page)


@pytest.mark.parametrize("page", ["glossary", "index", "notebooks/index", "known-mistakes/01-a"])
def test_pages_that_get_none(page):
    assert not first_uses.PAGES.fullmatch(page)
