"""The network explorer in a real browser: its numbers against Python's, its hands and its looks."""

import random
import re

import pytest

from helpers.pieces.network_explorer import NETWORKS, StackError, explore_network
from helpers.pieces.network_explorer.stack import read, work_out

axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs the e2e extra: make e2e"
)

pytestmark = pytest.mark.e2e


@pytest.fixture
def page(show_piece):
    return opened(show_piece, explore_network())


def opened(show_piece, piece, **options):
    page = show_piece(piece, **options)
    page.locator(".total", has_text="multiply-adds").wait_for()
    return page


def host(page):
    return page.locator(".cnn-network-explorer").first


def put(page, text, size):
    """Put a stack in; returns what the page works out: {rows, at, error}."""
    call = "({ networkExplorer: e }, [text, size]) => { e.use(text, size); return e.found(); }"
    return host(page).evaluate(call, [text, list(size)])


def as_page(rows):
    """Python's rows in the page's form."""
    return [
        {
            "shape": list(row.shape),
            "parameters": row.parameters,
            "work": row.multiply_adds,
            "fields": [list(field) for field in row.fields],
        }
        for row in rows
    ]


def text_of(page):
    return host(page).evaluate("e => e.networkExplorer.text()")


# ---- numbers ----


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_the_numbers_of_python(page, name):
    page.get_by_role("combobox", name="Network").select_option(name)
    piece = explore_network(name)
    found = host(page).evaluate("e => e.networkExplorer.found()")
    assert found["rows"] == as_page(piece.rows)
    total = page.locator(".total").inner_text()
    assert f"{piece.parameters:,} parameters" in total
    assert f"{piece.multiply_adds:,} multiply-adds" in total
    assert page.locator(".layers > li").count() == len(piece.rows)


def any_stack(rng):
    parts = []
    for _ in range(rng.randint(1, 6)):
        kind = rng.choice(["conv", "conv", "maxpool", "avgpool", "residual", "batchnorm", "lrn"])
        words = [kind]
        if kind in ("conv", "residual"):
            words.append(str(rng.choice([2, 4, 6])))
        options = {"conv": "kspdg", "maxpool": "ksp", "avgpool": "ksp", "residual": "s"}
        for name in options.get(kind, ""):
            low = name != "p" or 0
            if rng.random() < 0.5:
                words.append(f"{name}{rng.randint(low, 4)}")
        parts.append(" ".join(words))
    end = rng.choice(["", "globalpool, flatten, linear 7, batchnorm", "flatten, linear 3, dropout"])
    return ", ".join(filter(None, [*parts, end]))


def test_stacks_of_any_kind_have_the_numbers_and_the_words_of_python(page):
    rng, wrong = random.Random(0), 0
    for _ in range(150):
        text, size = any_stack(rng), (2, rng.randint(5, 40), rng.randint(5, 40))
        layers = read(text)
        found = put(page, text, size)
        assert text_of(page) == ", ".join(map(str, layers))
        if "error" not in found:
            assert found["rows"] == as_page(work_out(layers, size))
            continue
        wrong += 1
        with pytest.raises(StackError) as told:
            work_out(layers, size)
        place = f"layer {found['at'] + 1}, {layers[found['at']]}: "
        assert str(told.value) == place + found["error"]
        assert found["error"] in page.locator(".total").inner_text()
        assert page.locator("li.wrong").count() == 1
    assert 30 < wrong < 120


@pytest.mark.parametrize("name", NETWORKS)
def test_the_text_for_pytorch_makes_the_network(page, name):
    page.get_by_role("combobox", name="Network").select_option(name)
    space = {}
    exec(page.locator("details pre").nth(1).text_content(), space)
    assert repr(space["model"]) == repr(explore_network(name).model())


def test_the_line_for_the_notebook_makes_the_same_piece(page):
    page.get_by_role("combobox", name="Network").select_option("ResNet-18")
    line = page.locator("details pre").first.text_content()
    made = eval(line, {"explore_network": explore_network})
    assert made.rows == explore_network("ResNet-18").rows


# ---- hands ----


def test_a_setting_is_typed_and_everything_follows(page):
    kernel = page.get_by_label("kernel of layer 1", exact=True)
    kernel.fill("3")
    assert text_of(page).startswith("conv 10, maxpool")
    assert "→ 10 × 26 × 26 · 100 parameters" in page.locator("li").first.inner_text()
    assert page.get_by_role("combobox", name="Network").input_value() == ""
    kernel.press("ArrowUp")
    kernel.press("ArrowUp")
    assert (
        page.get_by_role("combobox", name="Network").locator("option:checked").inner_text()
        == "lesson 05"
    )
    for wrong in ("", "0", "2.5", "x", "99999"):
        kernel.fill(wrong)
        assert kernel.get_attribute("aria-invalid") is not None
        assert "is no whole number from 1 to 10000" in page.locator(".total").inner_text()
        assert text_of(page).startswith("conv 10 k5,")
    kernel.fill("29")
    assert "a padding of 1 would do" in page.locator(".total").inner_text()
    assert page.locator("li").nth(1).locator(".gives").inner_text() == "—"


def test_layers_are_added_moved_changed_and_taken_away(page):
    put(page, "conv 4, relu, flatten, linear 2", (1, 8, 8))
    page.get_by_role("button", name="Add a layer").click()
    assert text_of(page).endswith("linear 2, conv 16 p1")
    page.get_by_label("kind of layer 5").select_option("linear")
    assert text_of(page).endswith("linear 2, linear 16")
    page.get_by_label("units of layer 5").fill("3")
    page.get_by_role("button", name="layer 5 up").click()
    assert text_of(page).endswith("flatten, linear 3, linear 2")
    page.get_by_role("button", name="a layer after layer 4").click()
    assert text_of(page).endswith("linear 3, conv 16 p1, linear 2")
    page.get_by_role("button", name="take layer 5 away").click()
    assert text_of(page) == "conv 4, relu, flatten, linear 3, linear 2"
    for _ in range(5):
        page.get_by_label("kind of layer 1", exact=True).focus()
        page.get_by_role("button", name="take layer 1 away").click()
    assert text_of(page) == ""
    page.get_by_role("button", name="Add a layer").click()
    assert text_of(page) == "conv 16 p1"


def test_the_picture_s_size_is_changed(page):
    page.get_by_label("rows of the picture").fill("32")
    assert "→ 10 × 28 × 24" in page.locator("li").first.inner_text()


def test_the_field_is_drawn_where_it_is(page):
    put(page, "conv 4 k5 s2 p2, conv 4 k3 s1 p1", (1, 20, 30))
    view = page.locator(".view").bounding_box()
    # Row 4 and column 7 of 10 × 15 units: 9 pixels from 2 · 4 − 4 and 2 · 7 − 4.
    assert "It sees 9 × 9 pixels; its neighbour sees the same, 2 further on." in (
        page.locator(".sees").inner_text()
    )
    frame = page.locator(".frame").bounding_box()
    assert frame["x"] - view["x"] == pytest.approx(view["width"] * 10 / 30, abs=1)
    assert frame["y"] - view["y"] == pytest.approx(view["height"] * 4 / 20, abs=1)
    assert frame["width"] == pytest.approx(view["width"] * 9 / 30, abs=1)
    put(page, "conv 4 k11 p5", (1, 6, 6))
    words = page.locator(".sees").inner_text()
    assert "Of these, 5 rows and 5 columns lie outside the picture, in the padding." in words


def test_boxes_are_to_scale_and_choose_a_layer(page):
    put(page, "conv 8 k3 p1, maxpool, relu, conv 16 p1, flatten, linear 2", (4, 16, 16))
    boxes = page.locator("svg rect")
    assert boxes.count() == 5
    sizes = boxes.evaluate_all(
        "list => list.map((e) => [+e.getAttribute('width'), +e.getAttribute('height')])"
    )
    (w0, h0), (w1, h1), (w2, h2), (w3, h3), _ = sizes
    assert (w1 / w0, w2 / w0, w3 / w0) == (2, 2, 4)
    assert (h1 / h0, h2 / h0, h3 / h0) == (1, 0.5, 0.5)
    boxes.nth(3).click()
    assert page.locator("li.chosen .gives").inner_text().startswith("→ 16 × 8 × 8")


def test_a_link_carries_a_stack(browser, tmp_path):
    path = explore_network().save(tmp_path / "piece.html")
    context = browser.new_context()
    page = context.new_page()
    page.goto(path.as_uri() + "#network=3x9x9%3Bconv%204%2C%20relu")
    page.locator(".total").wait_for()
    assert text_of(page) == "conv 4, relu"
    assert "→ 4 × 7 × 7" in page.locator("li").first.inner_text()
    # In the same page, too; a link that cannot be read is told, and leaves what stands there.
    page.evaluate("location.hash = '#network=1x8x8;conv 2'")
    page.locator("li", has_text="→ 2 × 6 × 6").wait_for()
    bad = (
        "#network=3x9%3Brelu",
        "#network=1x2x2%3Bnothing",
        "#network=9",
        "#network=1x8x8%3Bconv%E0%A4",
    )
    for link in bad:
        page.goto("about:blank")
        page.goto(path.as_uri() + link)
        page.locator(".total", has_text="The link holds no network that can be read").wait_for()
        assert text_of(page).startswith("conv 10 k5")
    page.goto("about:blank")
    page.goto(path.as_uri() + "#a-section")
    page.locator(".total", has_text="multiply-adds").wait_for()
    context.close()


def test_two_on_a_page_have_a_link_each(show_piece):
    page = show_piece(explore_network(), explore_network("LeNet-5"))
    both = page.locator(".cnn-network-explorer")
    texts = "all => all.map((e) => e.networkExplorer.text())"
    first, second = both.evaluate_all(texts)
    page.evaluate("location.hash = '#network2=1x8x8;conv 2'")
    both.nth(1).locator("li", has_text="→ 2 × 6 × 6").wait_for()
    assert both.evaluate_all(texts) == [first, "conv 2"]
    page.evaluate("location.hash = '#network=1x8x8;conv 3'")
    both.nth(0).locator("li", has_text="→ 3 × 6 × 6").wait_for()
    assert both.evaluate_all(texts) == ["conv 3", "conv 2"]
    both.nth(1).get_by_label("kernel of layer 1", exact=True).fill("5")
    assert both.evaluate_all(texts) == ["conv 3", "conv 2 k5"]
    assert first != second


def test_it_is_worked_by_the_keyboard_alone(page):
    page.get_by_role("combobox", name="Network").focus()
    for _ in range(4):  # to the three sizes, then the first layer
        page.keyboard.press("Tab")
    assert (
        page.evaluate("document.activeElement.shadowRoot.activeElement.ariaLabel")
        == "kind of layer 1"
    )
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    assert text_of(page).startswith("conv 11 k5")


# ---- on a phone ----


@pytest.fixture
def phone(show_piece):
    return opened(show_piece, explore_network("VGG-16"), width=390, has_touch=True)


def test_on_a_phone_a_tap_on_the_drawing_leaves_the_page_where_it_is(phone):
    top = phone.locator("svg").bounding_box()["y"]
    boxes = phone.locator("svg rect")
    for number, layer in [(boxes.count() - 1, 37), (8, 13)]:
        box = boxes.nth(number).bounding_box()
        # Above it: a finger need not hit a few pixels.
        phone.touchscreen.tap(box["x"] + box["width"] / 2, top + 3)
        assert f"A unit of layer {layer}," in phone.locator(".sees").inner_text()
        assert phone.evaluate("scrollY") == 0
        card, all_of_them = (
            phone.locator(place).bounding_box() for place in ("li.chosen", ".layers")
        )
        assert all_of_them["y"] <= card["y"] < all_of_them["y"] + all_of_them["height"]


def test_on_a_phone_a_layer_opens_under_the_finger(phone):
    kernel = phone.get_by_label("kernel of layer 20", exact=True)
    line = phone.locator("li").nth(19).locator(".gives")
    assert not kernel.is_visible()
    assert line.inner_text().startswith("convolution, filters 512, kernel 3, padding 1 →")
    # The open layer stands above, and closes at the same moment.
    phone.locator("li").nth(16).locator(".gives").tap()
    phone.locator("li").nth(19).scroll_into_view_if_needed()
    before = phone.locator("li").nth(19).bounding_box()["y"]
    line.tap()
    assert phone.locator("li").nth(19).bounding_box()["y"] == pytest.approx(before, abs=1)
    kernel.fill("60")
    assert "a padding of" in phone.locator(".total").inner_text()
    # What does not fit, and what follows on it, can still be opened.
    phone.locator("li").nth(21).locator(".gives").tap()
    assert not kernel.is_visible()
    line.tap()
    kernel.fill("3")
    assert "138,357,544 parameters" in phone.locator(".total").inner_text()


# ---- looks ----


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390, 320])
def test_axe_finds_nothing_and_nothing_overflows(show_piece, width, scheme):
    page = opened(show_piece, explore_network(), width=width, color_scheme=scheme)
    page.locator("summary").click()
    page.locator(".gives").first.click()
    page.get_by_label("kernel of layer 1", exact=True).fill("40")
    found = axe_playwright.Axe().run(page, options={})
    assert {"color-contrast", "label", "select-name"} <= {
        rule["id"] for rule in found.response["passes"]
    }
    assert found.violations_count == 0, found.response["violations"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.locator("button, select, input[type=text]").evaluate_all(
        """list => list.filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect())
            .filter((r) => r.width < 24 || r.height < 24).length"""
    )
    assert small == 0


def test_without_scripts_the_table_stays(show_piece):
    page = show_piece(explore_network("VGG-16"), java_script_enabled=False)
    assert page.locator("tr").count() == 1 + len(explore_network("VGG-16").rows)
    assert re.search("138,357,544 parameters", page.locator("caption").inner_text())
