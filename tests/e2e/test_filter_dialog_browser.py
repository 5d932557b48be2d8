"""The filter dialog in a real browser: its numbers, its keys, pictures of one's own, its looks, and
what is left of it where no script runs.
"""

import io
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from helpers.pieces.filter_dialog import FILTERS, filter_dialog

axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs the e2e extra: make e2e"
)

pytestmark = pytest.mark.e2e

rng = np.random.default_rng(0)
# No kernel of these is its own mirror image, and no picture is square.
KERNELS = {
    "3 × 3": [[1, 2, -3], [0, 5, 7], [-2, 4, 0.5]],
    "5 × 5": rng.integers(-9, 10, (5, 5)).tolist(),
}
PADDING = {"zero": "constant", "nearest": "replicate", "mirror": "reflect", "wrap": "circular"}


@pytest.fixture
def page(show_piece):
    return opened(show_piece, filter_dialog())


def opened(show_piece, piece, **options):
    page = show_piece(piece, **options)
    page.get_by_text(re.compile("^Result: ")).wait_for()
    return page


def host(page):
    return page.locator(".cnn-filter-dialog")


def put(page, image, **settings):
    """Show a grey picture with these settings; returns the result that the page computes."""
    image = np.asarray(image, float)
    call = "(e, [x, w, h, s]) => { e.filterDialog.image(x, w, h); e.filterDialog.set(s); }"
    host(page).evaluate(call, [image.ravel().tolist(), *image.shape[::-1], settings])
    return result(page)


def a_frame(page):
    """Wait until the page has computed and painted: it does so at most once a frame."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")


def result(page):
    a_frame(page)
    made = host(page).evaluate("e => e.filterDialog.result()")
    return np.array(made["values"]).reshape(made["height"], made["width"])


def by_torch(image, kernel, divisor=1, offset=0, border="zero"):
    x, weight = torch.tensor(np.asarray(image, float))[None, None], torch.tensor(kernel).double()
    reach = len(kernel) // 2
    if border != "none":
        x = F.pad(x, (reach,) * 4, mode=PADDING[border])
    return (F.conv2d(x, weight[None, None]) / divisor + offset)[0, 0].numpy()


def settings_of(kernel):
    return {"numbers": np.ravel(kernel).tolist(), "size": len(kernel)}


# ---- numbers ----


@pytest.mark.parametrize("border", [*PADDING, "none"])
@pytest.mark.parametrize("size", KERNELS)
def test_results_are_those_of_torch(page, size, border):
    kernel = KERNELS[size]
    for shape in [(9, 14), (7, 5)]:
        image = rng.integers(0, 256, shape)
        options = {"divisor": 4, "offset": -30, "border": border}
        seen = put(page, image, **settings_of(kernel), **options)
        np.testing.assert_allclose(seen, by_torch(image, kernel, **options), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("border", [*PADDING, "none"])
def test_the_text_for_pytorch_gives_what_the_page_gives(page, border):
    image, kernel = rng.integers(0, 256, (8, 11)), KERNELS["3 × 3"]
    seen = put(page, image, **settings_of(kernel), divisor=2, offset=7, border=border)
    code = page.locator("details pre").text_content()
    space = {"x": torch.tensor(image)[None, None].double()}
    exec(code, space)
    np.testing.assert_allclose(seen, space["out"][0, 0].numpy(), rtol=1e-12)


def test_the_filters_are_those_of_python(page):
    image = rng.integers(0, 256, (9, 12))
    put(page, image)
    for name, one in FILTERS.items():
        button = page.get_by_role("button", name=name, exact=True)
        button.click()
        wanted = by_torch(image, one.numbers, one.divisor, one.offset)
        np.testing.assert_allclose(result(page), wanted, rtol=1e-12, atol=1e-9)
        assert button.get_attribute("aria-pressed") == "true"
        assert page.locator("[aria-pressed=true]").count() == 1


def test_what_is_drawn_is_rounded_and_cut_off(page):
    image = np.array([[0, 100, 200], [50, 150, 250], [9, 99, 255]])
    seen = put(page, image, **settings_of([[0, 0, 0], [0, 1.5, 0], [0, 0, 0]]), offset=-20)
    drawn = "e => [...e.getContext('2d').getImageData(0, 0, e.width, e.height).data]"
    for option, turn in (("cut", lambda v: v), ("size", np.abs), ("middle", lambda v: 128 + v / 2)):
        page.get_by_label("Show values").select_option(option)
        a_frame(page)
        data = page.locator("canvas").nth(1).evaluate(drawn)
        pixels = np.array(data).reshape(3, 3, 4)
        np.testing.assert_allclose(pixels[..., 0], np.clip(turn(seen), 0, 255), atol=0.5001)
        assert (pixels[..., 3] == 255).all()
    said = page.locator(".note", has_text="of the values").inner_text()
    below, above = (round(100 * part.mean()) for part in (seen < 0, seen > 255))
    assert said.startswith(f"{below} % of the values are below 0, {above} % above 255.")


def test_colours_are_filtered_one_by_one(show_piece):
    image = rng.integers(0, 256, (6, 8, 3))
    page = opened(show_piece, filter_dialog(image, filter="Sharpen"))
    page.get_by_label("in colour").check()
    a_frame(page)
    drawn = "e => [...e.getContext('2d').getImageData(0, 0, e.width, e.height).data]"
    pixels = np.array(page.locator("canvas").nth(1).evaluate(drawn)).reshape(6, 8, 4)
    for channel in range(3):
        wanted = by_torch(image[..., channel], FILTERS["Sharpen"].numbers)
        assert (pixels[..., channel] == np.clip(wanted, 0, 255)).all()
    page.get_by_label("Work out").select_option("2")
    value = by_torch(image[..., 2], FILTERS["Sharpen"].numbers)[3, 4]
    said = page.locator(".panel .name").inner_text()
    assert said == f"Result at row 3, column 4, blue: {value:g}".replace("-", "−")


def test_the_arithmetic_of_a_pixel(page):
    image = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    put(page, image, **settings_of([[0, 1, 0], [2, -1, 0], [0, 0, 3]]), divisor=2, offset=1)
    panel = page.locator(".panel")
    assert "2×1 + 4×2 + 5×(−1) + 9×3 = 32; divided by 2: 16; plus 1: 17" in panel.inner_text()
    place = page.get_by_role("application")
    place.focus()
    for key in ("ArrowUp", "ArrowLeft"):
        place.press(key)
    assert "Result at row 0, column 0: 8\n" in panel.inner_text()
    assert panel.locator("td.out").count() == 5
    assert "shown as 132" in panel.inner_text()
    place.press("Shift+ArrowDown")
    assert "Result at row 2, column 0" in panel.inner_text()
    page.locator(".live", has_text="row 2, column 0").wait_for(state="attached")


# ---- hands ----


def test_a_number_is_typed_and_the_picture_follows(page):
    image = rng.integers(0, 256, (5, 6))
    put(page, image, **settings_of(np.zeros((3, 3))), divisor=1, offset=0)
    box = page.get_by_label("row 0, column 2")
    for text, value in (("1/4", 0.25), ("0,5", 0.5), ("−2", -2), (".5", 0.5), ("1e1", 10)):
        box.fill(text)
        kernel = np.zeros((3, 3))
        kernel[0, 2] = value
        np.testing.assert_allclose(result(page), by_torch(image, kernel), rtol=1e-12)
    box.press("ArrowUp")
    assert box.input_value() == "11"
    for wrong in ("", "a", "1/0", "1/2/3", "--1", "0x10", "Infinity"):
        box.fill(wrong)
        assert "is not a number" in page.locator(".warn").inner_text()
        assert box.get_attribute("aria-invalid") is not None
        kernel[0, 2] = 11
        np.testing.assert_allclose(result(page), by_torch(image, kernel), rtol=1e-12)
    box.fill("3")
    assert page.locator(".warn").inner_text() == ""
    divisor = page.get_by_label("Divisor", exact=True)
    divisor.fill("0")
    assert "Nothing can be divided by 0" in page.locator(".warn").inner_text()


def test_the_divisor_becomes_the_sum_and_a_sum_of_0_becomes_1(page):
    page.get_by_role("button", name="Gaussian blur").click()
    divisor = page.get_by_label("Divisor", exact=True)
    divisor.fill("7")
    page.get_by_role("button", name="Divisor = sum").click()
    assert divisor.input_value() == "256"
    page.get_by_role("button", name="Edge", exact=True).click()
    page.get_by_role("button", name="Divisor = sum").click()
    assert divisor.input_value() == "1"


def test_another_size_keeps_the_middle(page):
    image = rng.integers(0, 256, (6, 7))
    put(page, image, **settings_of(KERNELS["3 × 3"]), divisor=1, offset=0)
    page.get_by_label("Size").select_option("5")
    np.testing.assert_allclose(result(page), by_torch(image, np.pad(KERNELS["3 × 3"], 1)))
    assert page.locator(".kernel input").count() == 25
    page.get_by_label("Size").select_option("3")
    np.testing.assert_allclose(result(page), by_torch(image, KERNELS["3 × 3"]))


def test_the_mouse_moves_the_pixel_and_a_click_holds_it(page):
    put(page, rng.integers(0, 256, (20, 30)))
    hold = page.get_by_role("application")
    area = hold.bounding_box()
    said = page.locator(".panel .name")

    def to(row, column, click=False):
        x = area["x"] + area["width"] * (column + 0.5) / 30
        page.mouse.move(x, area["y"] + area["height"] * (row + 0.5) / 20)
        if click:
            page.mouse.down()
            page.mouse.up()
        return said.inner_text()

    assert "row 4, column 7:" in to(4, 7)
    assert "row 19, column 29:" in to(19, 29, click=True)
    assert "row 19, column 29:" in to(3, 3)
    assert "row 5, column 6:" in to(5, 6, click=True)
    assert "row 8, column 9:" in to(8, 9)


def test_a_finger_chooses_a_pixel(show_piece):
    page = opened(show_piece, filter_dialog(), width=390, has_touch=True)
    put(page, rng.integers(0, 256, (20, 30)))
    area = page.get_by_role("application").bounding_box()
    page.touchscreen.tap(area["x"] + area["width"] / 60, area["y"] + area["height"] / 40)
    assert "row 0, column 0:" in page.locator(".panel .name").inner_text()


def test_a_file_of_ones_own_is_made_smaller_and_another_is_refused(page):
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (500, 1000, 3), dtype=np.uint8)).save(out, "PNG")
    own = {"name": "own.png", "mimeType": "image/png", "buffer": out.getvalue()}
    page.locator("input[type=file]").set_input_files(own)
    page.get_by_text("Your picture: 192 × 384").wait_for()
    broken = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    page.locator("input[type=file]").set_input_files(broken)
    page.get_by_text("notes.txt cannot be shown here").wait_for()
    assert result(page).shape == (192, 384)


def test_the_other_photo_is_a_button_away(page):
    cat = result(page)
    page.get_by_role("button", name="Rocket").click()
    page.get_by_text(re.compile("^Rocket: ")).wait_for()
    assert not np.array_equal(result(page), cat)


def test_without_a_camera_a_sentence_says_so(page):
    camera = page.get_by_role("button", name="Camera")
    if camera.is_visible():  # a page from a file may ask for it in some browsers
        camera.click()
        page.get_by_text("There is no camera here").wait_for()


def test_the_border_s_rule_is_told(page):
    for border, words in (("wrap", "opposite side"), ("none", "the result is smaller")):
        page.get_by_label("Outside the picture").select_option(border)
        page.get_by_text(words).wait_for()
    assert "Result: 254 × 383" in page.locator(".name").nth(1).inner_text()


# ---- looks ----


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390, 320])
def test_axe_finds_nothing_and_nothing_overflows(show_piece, width, scheme):
    page = opened(show_piece, filter_dialog(), width=width, color_scheme=scheme)
    page.get_by_label("in colour").check()
    page.get_by_label("Size").select_option("5")
    page.get_by_role("row").first.wait_for()
    page.locator("summary").click()
    page.locator(".kernel input").first.fill("x")
    found = axe_playwright.Axe().run(page, options={})
    assert {"color-contrast", "label"} <= {rule["id"] for rule in found.response["passes"]}
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.locator("button, select, input[type=text]").evaluate_all(
        """list => list.filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect())
            .filter((r) => r.width < 24 || r.height < 24).length"""
    )
    assert small == 0


@pytest.mark.parametrize(("width", "order"), [(390, "rnp"), (1200, "prn")])
def test_on_a_phone_the_result_stands_right_below_the_filters(show_piece, width, order):
    page = opened(show_piece, filter_dialog(), width=width)
    tops = page.locator(".stage > *").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect()).map((r) => 2e4 * r.top + r.left)"
    )
    names = ("p", "r", "n")  # picture, result, numbers: their order in the page
    assert "".join(name for _, name in sorted(zip(tops, names, strict=True))) == order
    assert page.locator(".kernel input").count() == 9


def test_without_scripts_the_photos_stay(show_piece):
    page = show_piece(filter_dialog(), java_script_enabled=False)
    assert page.locator("img").count() == 2
    assert page.locator("img").first.evaluate("e => e.naturalWidth") == 385
    assert "the sum of the products" in page.locator("caption").inner_text()


def test_two_on_a_page_do_not_disturb_each_other(show_piece):
    page = show_piece(filter_dialog(), filter_dialog([[10, 20], [30, 40]], "Identity"))
    page.get_by_text("Result: 2 × 2").wait_for()
    second = page.locator(".cnn-filter-dialog").nth(1)
    made = second.evaluate("e => e.filterDialog.result()")
    assert made["values"] == [10, 20, 30, 40]
