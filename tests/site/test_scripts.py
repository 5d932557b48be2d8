"""What the site's scripts do, without a browser: the page is a stand-in, Node.js runs them.

tests/e2e tries them in a browser on the built site.
"""

import json
import subprocess

import pytest

from tests.support.lessons import ROOT
from tests.support.needs import node

pytestmark = node


def run(script):
    """The JSON that a script prints."""
    done = subprocess.run(["node", "-"], input=script, capture_output=True, encoding="utf-8")
    assert not done.stderr
    return json.loads(done.stdout)


# --- the search's word from the glossary -------------------------------------------------------

# Each with its anchor, the English word and the first Korean one, as the page has them.
WORDS = [
    *([word, word, word, "x"] for word in ("padding", "pad", "receptive field", "stride", "cat")),
    *(["padding " + letter, "padding", "padding " + letter, "y"] for letter in "abcdef"),
    ["합성곱", "convolution", "convolution", "합성곱"],
    ["특징 맵", "feature-map", "feature map", "특징 맵"],
    ["feature map", "feature-map", "feature map", "특징 맵"],
    ["class", "class", "class", "분류"],
    *([word, "filter", "filter", "필터"] for word in ("filter", "kernel", "kernel size")),
    *([word, word, word, "x"] for word in ("code", "core", "cope", "cove")),
    ["층", "layer", "layer", "층"],
]
SAID = {"sure": "In the glossary: {word}.", "unsure": "Did you mean {word}?", "nothing": "Nothing."}

SEARCHED = """
const said = [];
for (const typed of TYPED) {
  const lines = [];
  const element = (tag) => ({
    tag, kids: [],
    append(...kids) { this.kids.push(...kids); },
    get textContent() { return this.kids.map((k) => k.textContent ?? k).join(""); },
    set textContent(text) { this.kids = [text]; },
  });
  const place = { append: (line) => lines.push(line.textContent) };
  const document = {
    documentElement: { lang: "en" }, createElement: element,
    getElementById: () => place, addEventListener() {},
  };
  const location = { search: `?q=${encodeURIComponent(typed)}` };
  new Function("document", "location", "WORDS", "SAID", CODE)(document, location, WORDS, SAID);
  said.push(lines);
}
console.log(JSON.stringify(said));
"""


@pytest.fixture(scope="module")
def searched():
    """For each word that is typed, the words that are told, and whether they are guessed."""
    given = {
        "CODE": (ROOT / "site/glossary_search.js").read_text(encoding="utf-8"),
        "TYPED": list(TOLD),
        "WORDS": WORDS,
        "SAID": SAID,
    }
    constants = "".join(f"const {name} = {json.dumps(value)};" for name, value in given.items())
    return dict(zip(TOLD, run(constants + SEARCHED), strict=True))


SURE = "In the glossary: {}."
TOLD = {
    "stride": [SURE.format("stride (x)")],
    "STRIDE ": [SURE.format("stride (x)")],
    # An English plural, and a Korean particle.
    "strides": [SURE.format("stride (x)")],
    "classes": [SURE.format("class (분류)")],
    "합성곱은": [SURE.format("convolution (합성곱)")],
    "특징맵": [SURE.format("feature map (특징 맵)")],
    # What begins so, of three letters or more: five at most.
    "recep": [SURE.format("receptive field (x)")],
    "padd": [SURE.format(f"padding{end}") for end in (" (x)", *(f" {x} (y)" for x in "abcd"))],
    "st": [],
    "kern": [SURE.format("filter (필터)")],  # two of its words, and once is enough
    "층이": [],  # one syllable may be a part of any word
    # One mistake in a word of four to six letters, two in a longer one, none in a shorter one.
    "strdie": ["Did you mean stride?"],
    "strix": [],
    "padingg": ["Did you mean padding?"],
    "padsings": ["Did you mean padding?"],
    "feature mpa": ["Did you mean feature map?"],
    "cta": [],
    "coze": [f"Did you mean {word}?" for word in ("code", "core", "cope")],
    # Two words, each of which is known.
    "class stride": [SURE.format("class (분류)"), SURE.format("stride (x)")],
    "qqqq": [],
    "": [],
}


@pytest.mark.parametrize("typed", TOLD)
def test_the_search_knows_the_words_of_the_glossary(searched, typed):
    assert searched[typed] == TOLD[typed]


# --- what is folded on the screen --------------------------------------------------------------

PRINTED = """
const listening = {}, parts = [true, false, false, true].map((open) => (
  { open, addEventListener() {} }
));
const asked = {
  "article details:not([open])": () => parts.filter((part) => !part.open),
  "article details[open]": () => parts.filter((part) => part.open),
  "article details": () => parts,
};
const document = { querySelectorAll: (which) => asked[which]?.() ?? [] };
const addEventListener = (name, does) => (listening[name] = does);
new Function("document", "addEventListener", CODE)(document, addEventListener);
const states = [];
for (const event of ["beforeprint", "afterprint", "beforeprint", "afterprint"]) {
  listening[event]();
  states.push(parts.map((part) => part.open));
}
console.log(JSON.stringify(states));
"""


def test_on_paper_all_is_open_and_afterwards_as_it_was():
    code = (ROOT / "site/static/site.js").read_text(encoding="utf-8")
    before = [True, False, False, True]
    assert run(f"const CODE = {json.dumps(code)};{PRINTED}") == [[True] * 4, before] * 2
