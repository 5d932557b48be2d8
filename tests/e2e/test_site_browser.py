"""The web site in a real browser: nothing from outside, nothing that fails, nothing unreadable;
the steppers on its pages; and what is left where no script runs.
"""

import base64
import json
import re
from urllib.parse import urlsplit

import numpy as np
import pytest

from helpers import ops
from helpers.command.files import ROOT
from helpers.pieces.stepper.words import show

axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs the e2e extra: make e2e"
)

pypdf = pytest.importorskip("pypdf", reason="needs the e2e extra: make e2e")

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}
# The usual ones; above 1552 pixels there is more room.
LAPTOPS = (1280, 1366, 1536)
LESSON_BYTES = 1_500_000
# Marks the elements with text of kinds that no page had so far, and gives their kinds back. What
# colours text has depends on tags and classes around it; axe takes minutes to look at all of it.
MARK_NEW = """(seen) => {
  const known = new Set(seen), found = [];
  const kind = (e) => {
    const parts = [];
    for (; e && e !== document.body; e = e.parentElement)
      parts.push(e.localName + "." + (e.getAttribute("class") ?? ""));
    return parts.join(" < ");
  };
  for (const e of document.body.querySelectorAll("*")) {
    const own = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
    if (!(own || e.shadowRoot) || !e.checkVisibility() || known.has(kind(e))) continue;
    known.add(kind(e));
    found.push(kind(e));
    e.setAttribute("data-new", "");
  }
  return found;
}"""
# Takes away all but the marked elements, what they lie in and what lies in them: of the rest axe
# would look at every place. Rows of tables, whose colours alternate, stay to be counted.
LEAVE_NEW = """() => {
  const kept = new Set();
  for (const e of document.querySelectorAll("[data-new]")) {
    for (let outer = e; outer; outer = outer.parentElement) kept.add(outer);
    for (const inner of e.querySelectorAll("*")) kept.add(inner);
  }
  for (const e of document.body.querySelectorAll("*"))
    if (!kept.has(e)) e.localName === "tr" ? (e.hidden = true) : e.remove();
}"""
# The words of headings that stand in two lines.
BROKEN = """[...document.querySelectorAll("h1, h2, h3")].flatMap((h) => {
  const text = document.createTreeWalker(h, NodeFilter.SHOW_TEXT), found = [];
  while (text.nextNode())
    for (const word of text.currentNode.data.matchAll(/[\\p{L}\\d]+/gu)) {
      const range = document.createRange();
      range.setStart(text.currentNode, word.index);
      range.setEnd(text.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((r) => r.top)).size > 1) found.push(word[0]);
    }
  return found;
})"""
# The beginnings of cells whose code does not fit.
LONG_CODE = """[...document.querySelectorAll("div.cell_input pre")]
  .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth)
  .map((e) => e.innerText.slice(0, 40))"""
# axe does not take a formula in MathML for text.
FORMULA = re.compile(r"^<th[^>]*>.*<math", re.DOTALL)
# Of what passes, axe need not write down every place.
REPORT = {"resultTypes": ["violations"]}
COLOURS = REPORT | {"runOnly": ["color-contrast", "link-in-text-block"]}
ALL_BUT_COLOURS = REPORT | {"rules": {rule: {"enabled": False} for rule in COLOURS["runOnly"]}}


@pytest.fixture
def visit(browser, site):
    """Open pages of the site with the rest of the network shut; what goes wrong fails the test."""
    problems, contexts = [], []

    def open_context(**options):
        context = browser.new_context(**options)
        contexts.append(context)

        def let_through(route):
            if route.request.url.startswith(site.base):
                route.continue_()
            else:
                problems.append(f"asks for {route.request.url}")
                route.abort()

        context.route(re.compile("^(?!data:|blob:)"), let_through)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda said: (
                said.type in ("error", "warning") and problems.append(f"{page.url}: {said.text}")
            ),
        )
        page.on(
            "response",
            lambda answer: (
                answer.status >= 400 and problems.append(f"{answer.url}: {answer.status}")
            ),
        )
        return page

    yield open_context
    for context in contexts:
        context.close()
    assert problems == []


# --- every page --------------------------------------------------------------------------------


def violations(page, **options):
    """What axe finds, one line each: rule, how often, and the first place."""
    lines = []
    for found in axe_playwright.Axe().run(page, **options).response["violations"]:
        places = [node["html"] for node in found["nodes"]]
        if found["id"] == "empty-table-header":
            places = [html for html in places if not FORMULA.match(html)]
        if places:
            lines.append(f"{found['id']} ×{len(places)}: {places[0][:200]}")
    return lines


def layout(page):
    """What is too wide on one of these screens, broken on a phone, or a picture without a text."""
    for width in (320, *LAPTOPS, PHONE["width"]):
        page.set_viewport_size({"width": width, "height": PHONE["height"]})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{wide} pixels wide of {width}"
        if width in LAPTOPS and (lines := page.evaluate(LONG_CODE)):
            yield f"code that scrolls sideways at {width} pixels: {lines}"
    without = "[...document.images].filter((i) => !i.alt.trim()).map((i) => i.src)"
    yield from (f"no alternative text for {src}" for src in page.evaluate(without))
    yield from (f"heading broken in {word}" for word in page.evaluate(BROKEN))


def test_every_page_on_phones_and_laptops_in_light_and_dark(visit, site):
    """Width, pictures' alternative texts and axe, in one pass; `visit` watches the requests."""
    page = visit(viewport=PHONE, color_scheme="light", reduced_motion="reduce")
    faults, kinds = [], []
    for name in site.pages:
        page.emulate_media(color_scheme="light")
        page.goto(site.base + name)
        faults += [f"{name}: {fault}" for fault in layout(page)]
        faults += [f"{name}: {line}" for line in violations(page, options=ALL_BUT_COLOURS)]
        new = page.evaluate(MARK_NEW, kinds)
        kinds += new
        page.evaluate(LEAVE_NEW)
        for mode in ("light", "dark") if new else ():
            page.emulate_media(color_scheme=mode)
            found = violations(page, context={"include": ["[data-new]"]}, options=COLOURS)
            faults += [f"{name}, {mode}: {line}" for line in found]
    assert faults == []


# A page of each kind.
KOREAN = [
    "index.html",
    "search.html?q=합성곱",
    "glossary.html",
    "reference/index.html",
    "draw-a-digit.html",
    "notebooks/index.html",
    "notebooks/01-convolution-by-hand.html",
    "assignments/01-convolution-by-hand/01-convolution-by-hand.html",
    "known-mistakes/01-convolution-by-hand.html",
]


def test_every_korean_page_on_phones_and_laptops(visit, site):
    page = visit(viewport=PHONE, reduced_motion="reduce")
    faults = []
    for name in site.korean:
        page.goto(site.base + name)
        faults += [f"{name}: {fault}" for fault in layout(page)]
    assert faults == []


@pytest.mark.parametrize("name", KOREAN)
def test_korean_pages_in_light_and_dark(visit, site, name):
    page = visit(viewport=PHONE, color_scheme="light", reduced_motion="reduce")
    page.goto(f"{site.base}ko/{name}")
    faults = violations(page, options=ALL_BUT_COLOURS)
    # Of each kind of element one is enough: they are the English pages' kinds.
    page.evaluate(MARK_NEW, [])
    page.evaluate(LEAVE_NEW)
    for mode in ("light", "dark"):
        page.emulate_media(color_scheme=mode)
        faults += violations(page, context={"include": ["[data-new]"]}, options=COLOURS)
    assert faults == []
    # Lines break between words.
    assert page.locator("article").evaluate("e => getComputedStyle(e).wordBreak") == "keep-all"


# --- the steppers on the pages -----------------------------------------------------------------


def numbers(plane, count):
    """A plane of a piece's data: a list, or float32 numbers in base64."""
    if isinstance(plane, str):
        return np.frombuffer(base64.b64decode(plane), "<f4").astype(float)
    return np.array(plane, dtype=float).reshape(count)


def expected(data):
    """What the page's piece computes, from helpers.ops: (maps, rows, columns)."""
    height, width = data["n"]
    x = np.stack([numbers(p, height * width).reshape(height, width) for p in data["x"]])[None]
    window = data["f"], data["s"], data["p"]
    if data["k"] == "conv":
        kernel = [numbers(p, np.prod(data["f"])).reshape(data["f"]) for p in data["w"]]
        bias = None if data["b"] is None else np.array([data["b"]], dtype=float)
        return ops.conv2d(x, np.stack(kernel)[None], bias, *window[1:], data["d"])[0]
    if data["k"] == "max":
        return ops.max_pool2d(x, *window, data["d"], data["m"])[0]
    return ops.avg_pool2d(x, *window, data["m"], data["i"])[0]


def pieces(site):
    """{(page, number on the page): data} of all steppers of the site."""
    found = {}
    for name in site.pages:
        texts = re.findall(r'<div class="cnn-stepper"><!--(.*?)-->', site.html(name), re.DOTALL)
        found |= {(name, number): json.loads(text) for number, text in enumerate(texts)}
    return found


def one_of_each_kind(site):
    """The smallest piece of each kind and number of channels that the pages show."""
    kinds = {}
    for place, data in pieces(site).items():
        kinds.setdefault((data["k"], data["c"]), (place, data))
    return kinds


def with_mouse(host, cells):
    cells[0].click()
    yield
    for _ in cells[1:]:
        host.get_by_role("button", name="Next").click()
        yield


def with_finger(host, cells):
    for cell in cells:
        cell.tap()
        yield


def with_keys(host, cells):
    """Along the rows of the grid, as a screen reader's user walks."""
    cells[0].focus()
    host.press("Control+Home")
    yield
    row = cells[0].locator("xpath=../td").count()
    for number in range(1, len(cells)):
        if number % row:
            host.press("ArrowRight")
        else:
            host.press("Home")
            host.press("ArrowDown")
        yield


@pytest.mark.parametrize("how", [with_mouse, with_finger, with_keys])
def test_one_stepper_of_each_kind_gives_the_numbers_of_ops(visit, site, how):
    kinds = one_of_each_kind(site)
    assert {kind for kind, _ in kinds} == {"conv", "max", "avg"}
    page = visit(viewport={"width": 1200, "height": 900}, has_touch=how is with_finger)
    for (name, number), data in kinds.values():
        page.goto(site.base + name)
        host = page.locator(".cnn-stepper").nth(number)
        wanted = [show(value) for value in np.round(expected(data), 9).ravel() + 0.0]
        cells = host.locator(".output tbody td[aria-selected]").all()
        assert len(cells) == len(wanted)
        seen = []
        for _ in how(host, cells):
            now = host.locator(".output .now")
            seen.append(now.inner_text())
            # The sentence in words ends with the same number.
            assert host.locator(".words .sum").inner_text().endswith(f"= {seen[-1]}"), name
        assert seen == wanted, f"{name}, {data['t']}"


@pytest.mark.parametrize("language", ["", "ko/"])
def test_the_start_page_moves_by_itself_and_can_be_paused(visit, site, language):
    for motion, moves in (("no-preference", True), ("reduce", False)):
        page = visit(viewport=PHONE, reduced_motion=motion)
        page.clock.install(time=0)
        page.goto(f"{site.base}{language}index.html")
        host = page.locator("[data-moves] .cnn-stepper")
        host.scroll_into_view_if_needed()
        page.clock.pause_at(60_000)
        play = host.get_by_role("button").nth(2)
        assert ("❚❚" in play.inner_text()) == moves
        window, heights = host.get_by_role("slider").first, set()
        before = window.input_value()
        for _ in range(9):
            page.clock.run_for(1200)
            heights.add(page.evaluate("document.body.scrollHeight"))
            if moves:
                assert window.input_value() != before
            before = window.input_value()
        # Of a height in fractions the browser tells the nearest whole number.
        assert max(heights) - min(heights) <= 1, "the text below would jump"
        if moves:
            play.click()
        assert "▶" in play.inner_text()
        page.clock.run_for(5000)
        assert window.input_value() == before


def test_pieces_follow_the_theme_that_was_chosen(visit, site):
    page = visit(viewport=PHONE, color_scheme="light")
    page.goto(site.base + "index.html")
    box = page.locator(".cnn-stepper .box")
    background = "e => getComputedStyle(e).backgroundColor"
    light = box.evaluate(background)
    for _ in range(3):  # the button goes through: as the system, light, dark
        page.locator(".theme-toggle:visible").click()
        if page.locator("body").get_attribute("data-theme") == "dark":
            break
    assert box.evaluate(background) != light


# --- without scripts ---------------------------------------------------------------------------


def test_without_scripts_the_text_and_the_still_pictures_are_there(visit, site):
    page = visit(viewport=PHONE, java_script_enabled=False)
    for name in ["index.html", *{place[0] for place, _ in one_of_each_kind(site).values()}]:
        page.goto(site.base + name)
        paragraphs = page.locator("article p:visible").all_inner_texts()
        assert len(paragraphs) > 10
        for host in page.locator(".cnn-stepper").all():
            assert host.locator("table:visible").count() >= 2  # input and output of the first step
            assert host.locator("table").first.inner_text().strip()
        if name in site.lessons:
            before = page.locator(".cnn-stepper").first.evaluate(
                "(host) => [...document.images].some((i) => i.alt && "
                "i.compareDocumentPosition(host) & Node.DOCUMENT_POSITION_FOLLOWING)"
            )
            assert before, f"{name}: no picture before the stepper"
        formulas = page.locator("article math")
        is_shown = "(all) => all.every((one) => one.closest('details') || one.checkVisibility())"
        assert formulas.evaluate_all(is_shown), name


# --- finding and fetching ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "page_found"),
    [("dilation", "notebooks/02-stride-and-padding.html"), ("합성곱", "glossary.html")],
)
def test_search_finds_a_word_without_the_internet(visit, site, word, page_found):
    page = visit(viewport={"width": 1200, "height": 900})
    page.goto(site.base)
    page.get_by_role("textbox", name="Search").fill(word)
    page.keyboard.press("Enter")
    page.locator(f'#search-results a[href^="{page_found}"]').first.wait_for()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("합성곱은", "In the glossary: convolution (합성곱)"),
        ("특징맵", "In the glossary: feature map (특징 맵)"),
        ("strides", "In the glossary: stride (스트라이드)"),
        ("convoluton", "Did you mean convolution?"),
        ("feature mpa", "Did you mean feature map?"),
        ("strdie", "Did you mean stride?"),  # two that are exchanged are one mistake
        ("qqqq", ""),
    ],
)
def test_search_knows_the_words_of_the_glossary(visit, site, typed, told):
    page = visit(viewport={"width": 1200, "height": 900})
    page.goto(f"{site.base}search.html?q={typed}")
    page.locator("#search-results h2, #search-results p").first.wait_for()
    assert page.locator("#glossary-results").inner_text() == told
    if not told:
        page.get_by_text("No page has all of these words.").wait_for()
    elif told.startswith("In"):
        page.locator("#glossary-results a").click()
        page.locator(":target").wait_for()
    else:
        page.locator("#glossary-results a").click()
        page.get_by_text("In the glossary: ").wait_for()


@pytest.mark.parametrize(
    "typed", ["합성곱", "합성곱을", "ReLU는", "패딩", "층", "윈도우 스트라이드에서"]
)
def test_korean_search_finds_words_by_part(visit, site, typed):
    """Every page that has the words, with whatever stands behind them."""
    words = [re.sub("(을|는|에서)$", "", word) for word in typed.split()]
    having = {
        page
        for page in site.korean
        if page.startswith("ko/notebooks/")
        and all(re.search(rf"(?<!\w){word}", site.text(page).partition("¶")[2]) for word in words)
    }
    page = visit(viewport={"width": 1200, "height": 900})
    page.goto(f"{site.base}ko/index.html")
    page.get_by_role("textbox", name="검색").fill(typed)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="검색 결과").wait_for()
    links = page.locator("#search-results a").evaluate_all("all => all.map((a) => a.pathname)")
    found = {link.lstrip("/") for link in links}
    assert having - found == set()
    assert len(having) > 3


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("합성곱은", "용어집: 합성곱 (convolution)"),
        ("stride", "용어집: 스트라이드 (stride)"),
        ("MNIST", "용어집: MNIST"),
        ("스트라이디", "혹시 스트라이드 말인가요?"),
    ],
)
def test_korean_search_knows_the_words_of_the_glossary(visit, site, typed, told):
    page = visit(viewport={"width": 1200, "height": 900})
    page.goto(f"{site.base}ko/search.html?q={typed}")
    page.locator("#search-results h2, #search-results p").first.wait_for()
    assert page.locator("#glossary-results").inner_text() == told
    page.locator("#glossary-results a").click()
    page.locator(":target, #glossary-results a").first.wait_for()


def test_a_reader_goes_to_the_other_language_and_back_at_the_same_section(visit, site):
    page = visit(viewport=PHONE)
    place = "notebooks/03-activations-and-pooling.html#avoid-common-mistakes"
    page.goto(site.base + place)
    page.get_by_role("link", name="한국어", exact=True).click()
    page.wait_for_url(f"{site.base}ko/{place}")
    assert "흔한 실수" in page.locator("#avoid-common-mistakes h2").inner_text()
    page.get_by_role("link", name="English", exact=True).click()
    page.wait_for_url(site.base + place)


def test_buttons_of_korean_pages_speak_korean(visit, site):
    page = visit(viewport=PHONE)
    page.goto(f"{site.base}ko/notebooks/01-convolution-by-hand.html")
    page.get_by_role("button", name="페이지 목록").wait_for()
    page.get_by_role("button", name="이 페이지의 내용").wait_for()
    copy = page.locator("button.copybtn").first
    assert copy.get_attribute("data-tooltip") == "복사"


def test_a_lesson_prints_with_all_that_is_folded_and_nothing_on_top(visit, site, tmp_path):
    page = visit(viewport={"width": 1200, "height": 900})
    page.goto(site.base + "notebooks/02-stride-and-padding.html")
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_load_state("networkidle")
    page.pdf(path=tmp_path / "lesson.pdf", format="A4")
    pages = [one.extract_text() for one in pypdf.PdfReader(tmp_path / "lesson.pdf").pages]
    printed = re.sub(r"\s", "", "".join(pages))
    for words in ("Skip to content", "Hide code cell", "Show code cell source", "Download"):
        assert re.sub(r"\s", "", words) not in printed
    cells = site.notebook("notebooks/02-stride-and-padding.html")["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    for cell in code:
        (*_, last) = "".join(cell["source"]).splitlines()
        assert re.sub(r"\s", "", last) in printed, cell["id"]
    folded = [cell for cell in code if cell["metadata"].get("jupyter", {}).get("outputs_hidden")]
    texts = [text for cell in folded for o in cell["outputs"] for text in o.get("text", [])]
    assert texts
    assert not [text for text in texts if re.sub(r"\s", "", text) not in printed]


def test_after_printing_everything_is_folded_as_it_was(page):
    boxes = "<details><p>a</details><details open><p>b</details>"
    page.set_content(f"<article>{boxes}</article>{boxes}")
    page.add_script_tag(path=ROOT / "site/static/site.js")
    is_open = "[...document.querySelectorAll('details')].map((one) => one.open)"
    before = page.evaluate(is_open)
    for _ in range(2):
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate(is_open)[:2] == [True, True]
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate(is_open) == before


def test_code_can_be_copied_and_the_search_field_shows_its_focus(visit, site):
    page = visit(viewport={"width": 1200, "height": 900})
    page.goto(site.base + "notebooks/02-stride-and-padding.html")
    cells = page.locator("div.cell_input:visible")
    assert page.locator("div.cell_input:visible button.copybtn").count() == cells.count() > 0
    assert page.locator("div.cell_output button.copybtn").count() == 0
    field = page.get_by_role("textbox", name="Search")
    field.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert field.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"


def test_a_lesson_transfers_little(visit, site):
    """All that a reader who goes to the end receives, from a host that compresses nothing."""
    page = visit(viewport={"width": 1200, "height": 900})
    sizes = {}
    answers = []
    page.on("response", lambda answer: answers.append(answer.url))
    for name in [*site.lessons, *(f"ko/{lesson}" for lesson in site.lessons)]:
        answers.clear()
        page.goto(site.base + name)
        page.evaluate("for (const image of document.images) image.loading = 'eager'")
        page.wait_for_load_state("networkidle")
        page.wait_for_function("[...document.images].every((i) => i.complete)")
        assert all(page.evaluate("[...document.images].map((i) => i.naturalWidth > 0)"))
        # From the files: what the browser took from its memory counts again.
        fetched = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
        paths = {urlsplit(url).path.lstrip("/") for url in [*answers, *fetched]}
        files = {site.folder / path for path in paths if not path.startswith("image/")}
        sizes[name] = sum(file.stat().st_size for file in files)
    print(sizes)
    assert {name: size for name, size in sizes.items() if size >= LESSON_BYTES} == {}


def test_an_address_that_does_not_exist_has_a_page_that_works(browser, site):
    context = browser.new_context()
    page = context.new_page()
    failed = []
    page.on("response", lambda a: a.status >= 400 and failed.append(a.url))
    answer = page.goto(site.base + "notebooks/deep/down/nothing.html")
    assert answer.status == 404
    assert failed == [answer.url], "its own styles and scripts must be found from any folder"
    page.get_by_role("link", name="start page").click()
    assert page.url == site.base + "index.html"
    context.close()


def test_a_link_to_a_section_lands_on_it(browser, site):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto(f"{site.base}notebooks/03-activations-and-pooling.html#avoid-common-mistakes")
    page.wait_for_load_state("networkidle")
    top = page.locator("#avoid-common-mistakes h2").evaluate("e => e.getBoundingClientRect().top")
    assert 0 <= top < 200
    pictures = page.locator("article img")
    sized = pictures.evaluate_all("all => all.map((e) => e.hasAttribute('width'))")
    assert sized
    assert all(sized)
    context.close()


def test_menus_open_by_keyboard_and_closed_ones_hold_no_stop(browser, site):
    context = browser.new_context(viewport={"width": 600, "height": 900})
    page = context.new_page()
    page.goto(f"{site.base}notebooks/02-stride-and-padding.html")
    drawer = page.locator(".sidebar-drawer")
    assert not drawer.is_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement.getAttribute('aria-label')")
        if at == "Pages":
            break
    assert at == "Pages"
    page.keyboard.press("Enter")
    assert drawer.is_visible()
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    context.close()
