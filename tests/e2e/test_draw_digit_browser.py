"""The pad to draw a digit on, in a real browser: its numbers, drawing by mouse, finger and
keyboard, and what is left of it where no script runs.
"""

import json
import re
import urllib.request

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import load_mnist
from helpers.pieces.draw_digit import draw_digit
from helpers.pieces.draw_digit.net import LAYERS, PARAMETERS, normalise
from helpers.shapes import receptive_field
from tests.e2e.digit_strokes import DRAWN

axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs the e2e extra: make e2e"
)

pytestmark = pytest.mark.e2e

TO_LIST = """answer => Object.fromEntries(
    Object.entries(answer).map(([name, values]) => [name, [...values]]))"""


@pytest.fixture(scope="module")
def piece():
    return draw_digit()


@pytest.fixture
def page(show_piece, piece):
    return show_piece(piece)


def host(page):
    return page.locator(".cnn-draw-digit").first


def put_image(page, pixels):
    """Show 28×28 pixels from 0 to 255; returns what every layer gives, by name."""
    values = (np.asarray(pixels, float) / 255).ravel().tolist()
    return host(page).evaluate(f"(e, x) => ({TO_LIST})(e.digit.image(x))", values)


def put_strokes(page, strokes):
    return host(page).evaluate(f"(e, x) => ({TO_LIST})(e.digit.strokes(x))", strokes)


def answer(page):
    """What every layer gives now, or None where nothing is drawn."""
    return host(page).evaluate(f"e => e.digit.answer() && ({TO_LIST})(e.digit.answer())")


def torch_layers(weights, images):
    """The layers of lesson 05 for images (N, 1, 28, 28), in torch: {name: (N, …)}."""
    w1, b1, w2, b2, w3, b3, w4, b4 = map(torch.from_numpy, weights)
    conv1 = F.conv2d(images, w1, b1)
    pool1 = F.relu(F.max_pool2d(conv1, 2))
    conv2 = F.conv2d(pool1, w2, b2)
    pool2 = F.relu(F.max_pool2d(conv2, 2))
    linear1 = F.relu(F.linear(pool2.flatten(1), w3, b3))
    scores = F.linear(linear1, w4, b4)
    values = (images, conv1, pool1, conv2, pool2, linear1, scores, F.log_softmax(scores, dim=1))
    return dict(zip((name for name, _ in LAYERS), values, strict=True))


def compare_with_torch(page, weights, images):
    batch = torch.from_numpy(normalise(images))[:, None]
    expected = torch_layers(weights, batch)
    expected["probabilities"] = expected["log_probabilities"].exp()
    worst = 0
    for n, image in enumerate(images):
        seen = put_image(page, image)
        assert seen.keys() == expected.keys()
        for name, values in seen.items():
            wanted = expected[name][n].numpy().ravel()
            np.testing.assert_allclose(values, wanted, rtol=0, atol=1e-4, err_msg=name)
            worst = max(worst, np.abs(np.asarray(values) - wanted).max())
    return worst


# ---- numbers ----


def test_every_layer_equals_torch_on_200_digits(page, piece):
    images = load_mnist(train=False, source="sample").images[:200].numpy()
    assert len(images) == 200
    worst = compare_with_torch(page, piece.net.weights, images)
    print(f"largest difference from torch: {worst:.1e}")


def test_a_model_of_your_own_computes_with_its_own_weights(show_piece):
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(10, 20, 5)]
    layers += [nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(320, 50), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(50, 10), nn.LogSoftmax(dim=1))
    page = show_piece(draw_digit(model, title="My net"))
    images = load_mnist(train=False, source="sample").images[:5].numpy()
    weights = [value.half().float().numpy() for value in model.state_dict().values()]
    compare_with_torch(page, weights, images)
    assert "Your own network" in page.locator(".note").first.inner_text()


def test_the_examples_are_shown_as_they_are_in_mnist(page, piece):
    buttons = page.locator("button.example")
    assert buttons.count() == len(piece.examples)
    for n, example in enumerate(piece.examples):
        buttons.nth(n).click()
        seen = answer(page)
        wanted = normalise(example.pixels).ravel()
        np.testing.assert_allclose(seen["input"], wanted, atol=1e-5)
        np.testing.assert_allclose(seen["probabilities"], piece.probabilities(n), atol=1e-4)
        read = int(np.argmax(seen["probabilities"]))
        # The caption says that the hard ones are read wrongly.
        assert (read != example.label) == ("hard" in buttons.nth(n).get_attribute("aria-label"))
        said = page.locator(".said").inner_text()
        assert said.endswith(f"It is a {example.label}.") == (read != example.label)


def test_the_bars_show_the_probabilities(page):
    page.locator("button.example").last.click()
    seen = answer(page)["probabilities"]
    texts = page.locator(".bar [role=gridcell]").all_inner_texts()
    widths = page.locator(".bar .hold").evaluate_all(
        """list => list.map((e) => e.firstChild.getBoundingClientRect().width
            / e.getBoundingClientRect().width)"""
    )
    np.testing.assert_allclose(widths, seen, atol=0.01)
    for text, p in zip(texts, seen, strict=True):
        if 0.0005 <= p <= 0.9995:
            assert float(text.strip(" %")) == pytest.approx(100 * p, abs=0.051)
        else:
            assert text.strip() == ("< 0.1%" if p < 0.5 else "> 99.9%")
    best = int(np.argmax(seen))
    assert page.locator(".bar.best b").inner_text() == str(best)
    assert f"{best} ({texts[best].strip()})" in page.locator(".said").inner_text()


# ---- preprocessing, written a second time ----


def python_pixels(strokes, pen=1.2, fine=4):
    """Strokes as MNIST's makers would: ink on a fine grid, scaled to 20×20, centred by mass."""
    centres = (np.arange(28 * fine) + 0.5) / fine
    points = np.stack(np.meshgrid(centres, centres), axis=-1)
    nearest = np.full(points.shape[:2], np.inf)
    for stroke in strokes:
        ends = [np.asarray(p, float) for p in stroke]
        for a, b in zip(ends, ends[1:] or ends, strict=False):
            along = b - a
            t = ((points - a) @ along / max(along @ along, 1e-12)).clip(0, 1)
            nearest = np.minimum(
                nearest, np.linalg.norm(points - a - t[..., None] * along, axis=-1)
            )
    ink = ((pen - nearest) * fine + 0.5).clip(0, 1)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    sides = [max(1, int(np.floor(n * 20 / max(ink.shape) + 0.5))) for n in ink.shape]
    small = ink
    for axis, side in enumerate(sides):
        # The mean over a part of a line, from the line's running sum at the part's two ends.
        n = small.shape[axis]
        run = np.concatenate([[0], np.arange(1, n + 1)])
        ends = np.linspace(0, n, side + 1)
        sums = np.concatenate([np.zeros_like(small.take([0], axis)), small.cumsum(axis)], axis)
        at = np.apply_along_axis(lambda s, run=run, ends=ends: np.interp(ends, run, s), axis, sums)
        small = np.diff(at, axis=axis) * side / n
    mass = small.sum()
    middle = [
        (small.sum(1) * np.arange(sides[0])).sum() / mass,
        (small.sum(0) * np.arange(sides[1])).sum() / mass,
    ]
    row, column = (
        # A tie goes up and to the left, also when it is off by rounding.
        min(max(int(np.floor(14 - m + 0.5 - 1e-4)), 0), 28 - side)
        for m, side in zip(middle, sides, strict=True)
    )
    pixels = np.zeros((28, 28))
    pixels[row : row + sides[0], column : column + sides[1]] = small
    return pixels


def moved(strokes, scale=1.0, right=0.0, down=0.0):
    """Strokes made larger or smaller around (14, 14), then moved."""
    return [
        [[14 + (x - 14) * scale + right, 14 + (y - 14) * scale + down] for x, y in stroke]
        for stroke in strokes
    ]


WAYS = {
    "as drawn": {},
    "small, at the top left": {"scale": 0.4, "right": -8, "down": -8},
    "over the edge": {"scale": 1.3, "right": 5},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("digit", DRAWN)
def test_strokes_become_the_pixels_of_a_second_implementation(page, digit, way):
    for strokes in DRAWN[digit]:
        strokes = moved(strokes, **WAYS[way])
        seen = np.array(put_strokes(page, strokes)["input"]).reshape(28, 28)
        expected = python_pixels(strokes)
        np.testing.assert_allclose(seen * 0.3081 + 0.1307, expected, atol=1e-4)


@pytest.mark.parametrize(
    "strokes", [[[[3, 3]]], [[[14, 2], [14, 26]]], [[[2, 14], [26, 14]]], [[[0, 0], [28, 28]]]]
)
def test_dots_and_straight_lines(page, strokes):
    seen = np.array(put_strokes(page, strokes)["input"]).reshape(28, 28)
    np.testing.assert_allclose(seen * 0.3081 + 0.1307, python_pixels(strokes), atol=1e-4)


def test_drawings_stand_where_mnist_stands(page):
    """Longest side 20, centre of mass within half a pixel of (14, 14): so are MNIST's images."""
    images = load_mnist(train=False, source="sample").images.numpy() / 255
    drawn = [
        np.array(put_strokes(page, one)["input"]) * 0.3081 + 0.1307
        for digit in DRAWN.values()
        for one in digit
    ]
    for group in (images, np.array(drawn).reshape(-1, 28, 28)):
        mass = group.sum((1, 2))
        for axis in (1, 2):
            middle = (group.sum(3 - axis) * np.arange(28)).sum(1) / mass
            assert np.abs(middle - 14).max() < 0.51
        ink = group > 1e-3
        sides = np.maximum(ink.any(2).sum(1), ink.any(1).sum(1))
        assert np.mean(sides == 20) > 0.9
        assert sides.max() == 20


def test_what_people_draw_is_read(page):
    right = {
        (digit, n): int(np.argmax(put_strokes(page, one)["probabilities"])) == digit
        for digit, many in DRAWN.items()
        for n, one in enumerate(many)
    }
    assert len(right) == 30
    wrong = [one for one, ok in right.items() if not ok]
    assert len(wrong) <= 2, wrong


# ---- drawing ----


def drag(page, strokes):
    """Draw strokes, in units of the pad, with the mouse."""
    box = page.locator(".pad").bounding_box()
    for stroke in strokes:
        for n, (x, y) in enumerate(stroke):
            page.mouse.move(
                box["x"] + 1 + x / 28 * (box["width"] - 2),
                box["y"] + 1 + y / 28 * (box["height"] - 2),
            )
            if not n:
                page.mouse.down()
        page.mouse.up()


def best(page):
    return int(np.argmax(answer(page)["probabilities"]))


def test_mouse(page):
    drag(page, DRAWN[3][0])
    assert best(page) == 3
    seen = np.array(answer(page)["input"]).reshape(28, 28) * 0.3081 + 0.1307
    # The mouse moves in whole pixels, a tenth of a unit.
    assert np.abs(seen - python_pixels(DRAWN[3][0])).mean() < 0.01
    assert page.locator(".said").inner_text().startswith("Read as 3 (")
    white = page.locator(".pad canvas").evaluate(
        """e => e.getContext("2d").getImageData(0, 0, 560, 560).data
            .filter((v, n) => n % 4 === 0 && v > 200).length"""
    )
    assert white > 20_000


def test_the_right_button_and_a_second_pointer_do_not_draw(page):
    box = page.locator(".pad").bounding_box()
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 150, box["y"] + 190)
    page.mouse.up(button="right")
    assert answer(page) is None
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.down()
    host(page).evaluate(
        """e => { for (const type of ["pointerdown", "pointermove", "pointerup"])
            e.shadowRoot.querySelector(".pad").dispatchEvent(
                new PointerEvent(type, { pointerId: 77, clientX: 40, clientY: 400 })); }"""
    )
    page.mouse.move(box["x"] + 150, box["y"] + 90)
    page.mouse.up()
    rows = np.array(answer(page)["input"]).reshape(28, 28).max(1) > 0
    assert rows.sum() < 10  # one flat stroke


def test_an_empty_pad_has_no_probabilities(page):
    assert page.locator(".said").inner_text() == "Draw a digit, or choose an example."
    for _ in range(2):
        assert answer(page) is None
        assert page.locator(".hint").is_visible()
        assert page.locator(".hint").inner_text() == "Draw a digit"
        assert not page.locator(".bar").first.is_visible()
        assert not page.locator(".layers").is_visible()
        page.get_by_role("button", name="Example: a 2", exact=True).click()
        assert page.locator(".bar").first.is_visible()
        assert not page.locator(".hint").is_visible()
        page.locator(".conv1 .map").first.click()
        page.get_by_role("button", name="Clear").click()
        assert not page.locator(".panel").is_visible()


def test_undo_takes_back_strokes_examples_and_clear(page):
    drag(page, DRAWN[4][0])
    both = answer(page)
    undo = page.get_by_role("button", name="Undo")
    undo.click()
    one = answer(page)
    assert one["input"] != both["input"]
    np.testing.assert_allclose(one["input"], put_strokes(page, DRAWN[4][0][:1])["input"], atol=0.5)
    undo.click()
    page.get_by_role("button", name="Example: a 9", exact=True).click()
    page.get_by_role("button", name="Clear").click()
    assert answer(page) is None
    undo.click()
    assert best(page) == 9
    undo.click()
    assert answer(page)["input"] == one["input"]
    undo.click()
    assert answer(page) is None
    undo.click()
    assert answer(page) is None


def test_drawing_over_an_example_changes_it(page):
    page.get_by_role("button", name="Example: a 1", exact=True).click()
    before = answer(page)["input"]
    drag(page, [[[4, 22], [24, 22]]])
    both = np.array(answer(page)["input"]).reshape(28, 28)
    assert both.ravel().tolist() != before
    assert (both.max(1) > 0).sum() > 12  # the 1 still stands on the line
    drag(page, [[[4, 5], [24, 5]]])
    page.get_by_role("button", name="Undo").click()
    assert answer(page)["input"] == both.ravel().tolist()
    page.get_by_role("button", name="Undo").click()
    assert answer(page)["input"] == before


def test_finger(show_piece, piece):
    page = show_piece(piece, width=390, has_touch=True, is_mobile=True)
    session = page.context.new_cdp_session(page)
    box = page.locator(".pad").bounding_box()
    for stroke in DRAWN[7][2]:
        for n, (x, y) in enumerate(stroke):
            point = {
                "x": box["x"] + x / 28 * box["width"],
                "y": box["y"] + y / 28 * box["height"],
            }
            session.send(
                "Input.dispatchTouchEvent",
                {"type": "touchMove" if n else "touchStart", "touchPoints": [point]},
            )
            # As slowly as a finger: after a stroke in no time Chromium may swallow the next tap.
            page.wait_for_timeout(100)
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert best(page) == 7
    assert page.evaluate("scrollY") == 0  # the finger drew and did not scroll
    actions = host(page).evaluate(
        """e => [...e.shadowRoot.querySelectorAll("*")]
            .filter((x) => getComputedStyle(x).touchAction === "none").map((x) => x.className)"""
    )
    assert actions == ["pad"]  # everywhere else a finger scrolls
    page.locator(".conv2 .map").nth(3).tap()
    assert "Convolution 2, map 3, row 4, column 4: " in page.locator(".panel").inner_text()
    page.get_by_role("button", name="Clear").tap()
    assert answer(page) is None


def test_keyboard_alone_from_start_to_finish(page):
    page.clock.install()
    live = page.locator("[aria-live=polite]")

    def press(*keys):
        for key in keys:
            page.keyboard.press(key)
        page.clock.run_for(400)

    press("Tab")
    assert focused(page)["label"].startswith("Drawing pad, 28 by 28. Arrow keys move the pen")
    press("ArrowUp", "ArrowLeft", "ArrowLeft")
    assert live.inner_text() == "Row 6, column 8, pen up."
    press("Space")
    assert live.inner_text() == "Pen down at row 6, column 8."
    press(*["ArrowRight"] * 11)
    assert live.inner_text() == "Row 6, column 19, pen down."
    press(*["End", "ArrowDown"] * 7)
    press("Enter")
    path = [[8.5, 6.5]]
    for dx, dy in [(1, 0)] * 11 + [(-1, 1), (0, 1)] * 7:
        path.append([path[-1][0] + dx, path[-1][1] + dy])
    assert live.inner_text().startswith("Pen up. Read as 7 (")
    seen = answer(page)
    assert int(np.argmax(seen["probabilities"])) == 7
    assert seen["input"] == put_strokes(page, [path])["input"]
    press("Delete")
    assert live.inner_text() == "Cleared. Draw a digit."
    assert answer(page) is None
    press("Control+z")
    assert live.inner_text().startswith("Undone. Read as 7 (")
    assert answer(page)["input"] == seen["input"]

    names = []
    for _ in range(24):
        press("Tab")
        names.append(focused(page)["label"] or focused(page)["text"])
        assert focused(page)["outline"] == "solid", names[-1]
        if "unit" in names[-1]:
            break
    assert names[:2] == ["Undo", "Clear"]
    assert all(name.startswith("Example: a ") for name in names[2:14])
    assert re.fullmatch(r"row 14, column 14: −?\d\.\d{3}", names[14])
    assert [name.split(":")[0] for name in names[-5:]] == [
        "map 0, row 12, column 12",
        "map 0, row 6, column 6",
        "map 0, row 4, column 4",
        "map 0, row 2, column 2",
        "unit 25",
    ]
    press("Shift+Tab", "Shift+Tab", "PageDown", "PageDown", "ArrowUp", "ArrowRight")
    assert "Convolution 2, map 2, row 3, column 5: " in live.inner_text()
    assert "It sees rows 6 to 19 and columns 10 to 23 of the picture: 14×14." in live.inner_text()
    value = seen["conv2"][(2 * 8 + 3) * 8 + 5]
    assert numbers(focused(page)["label"])[-1] == pytest.approx(value, abs=6e-4)
    for key, place in [
        ("End", "map 2, row 3, column 7"),
        ("Home", "map 2, row 3, column 0"),
        ("ArrowLeft", "map 2, row 3, column 0"),
        ("Control+End", "map 19, row 7, column 7"),
        ("PageDown", "map 19, row 7, column 7"),
        ("ArrowDown", "map 19, row 7, column 7"),
        ("PageUp", "map 18, row 7, column 7"),
        ("Control+Home", "map 0, row 0, column 0"),
        ("ArrowUp", "map 0, row 0, column 0"),
    ]:
        press(key)
        assert focused(page)["label"].startswith(place + ":"), key
        assert page.locator("[aria-selected=true]").count() == 1
    press("Tab")
    assert page.locator("select").evaluate("e => e === e.getRootNode().activeElement")
    press("9")
    assert page.locator(".before").inner_text().startswith("Channel 9: ")
    assert live.inner_text().startswith("Channel 9: ")
    assert page.locator("select").evaluate("e => e === e.getRootNode().activeElement")

    page.locator(".bar [tabindex='0']").focus()
    press("ArrowDown", "ArrowDown", "ArrowUp")
    assert "Linear 2, digit 1: " in live.inner_text()
    press("End")
    assert "Linear 2, digit 9: " in live.inner_text()


def test_leaving_the_pad_lifts_the_pen(page):
    page.locator(".pad").focus()
    for key in ("Space", "ArrowDown", "Tab", "Shift+Tab", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    seen = answer(page)
    assert seen["input"] == put_strokes(page, [[[10.5, 7.5], [10.5, 8.5]]])["input"]


def focused(page):
    return host(page).evaluate(
        """e => { const x = e.shadowRoot.activeElement; return { text: x.innerText,
            label: x.getAttribute("aria-label"), outline: getComputedStyle(x).outlineStyle }; }"""
    )


# ---- a unit: what it sees, and its arithmetic ----

CHAIN = {
    "input": [],
    "conv1": [(5, 1)],
    "pool1": [(5, 1), (2, 2)],
    "conv2": [(5, 1), (2, 2), (5, 1)],
    "pool2": [(5, 1), (2, 2), (5, 1), (2, 2)],
}
SIZES = {name: shape[-1] for name, shape in LAYERS if len(shape) == 3}


def choose(page, layer, map_number, row, column):
    """Click on a unit of a layer."""
    square = page.locator(f".{layer} .map").nth(map_number)
    box = square.bounding_box()
    rows, columns = (5, 10) if layer == "linear1" else (SIZES[layer],) * 2
    square.click(
        position={
            "x": (column + 0.5) / columns * box["width"],
            "y": (row + 0.5) / rows * box["height"],
        }
    )


def frames(page, where):
    """[row, column, height, width] of the frames in a map, in the map's own units of 28."""
    return page.locator(where).evaluate_all(
        """list => list.map((f) => {
            const [a, m] = [f, f.parentNode].map((e) => e.getBoundingClientRect());
            return [(a.top - m.top) / m.height, (a.left - m.left) / m.width,
                a.height / m.height, a.width / m.width].map((v) => 28 * v); })"""
    )


@pytest.mark.parametrize("layer", CHAIN)
def test_the_frame_is_the_receptive_field(page, layer):
    page.get_by_role("button", name="Example: a 5", exact=True).click()
    side, last = receptive_field(CHAIN[layer]), SIZES[layer] - 1
    for row, column in [(0, 0), (last, last), (0, last), (1, last // 2)]:
        choose(page, layer, 0, row, column)
        top, left = (side.start + side.jump * n for n in (row, column))
        expected = [[top, left, side.size, side.size]]
        for where in (".sees .frame", ".field .frame"):
            np.testing.assert_allclose(frames(page, where), expected, atol=0.05)
        if layer != "input":
            assert (
                f"It sees rows {top} to {top + side.size - 1} and columns {left} to "
                f"{left + side.size - 1} of the picture" in page.locator(".panel").inner_text()
            )


def test_the_receptive_field_is_where_a_change_can_reach_the_unit(page, piece):
    """The same without the formula: pixels whose change moves the unit, found with torch."""
    image = torch.from_numpy(normalise(piece.examples[5].pixels))
    base = {
        name: value[0] for name, value in torch_layers(piece.net.weights, image[None, None]).items()
    }
    changed = image.repeat(784, 1, 1)
    changed.view(784, 784).diagonal().add_(50)
    after = torch_layers(piece.net.weights, changed[:, None])
    page.get_by_role("button", name="Example: a 5", exact=True).click()
    for layer in ("conv1", "conv2"):  # a pool hides the pixels that are not the maximum
        choose(page, layer, 1, 3, 2)
        moved_by = (after[layer][:, 1, 3, 2] - base[layer][1, 3, 2]).abs() > 1e-6
        rows, columns = np.nonzero(moved_by.view(28, 28).numpy())
        (frame,) = frames(page, ".sees .frame")
        top, left, height, width = np.round(frame).astype(int)
        assert top <= rows.min()
        assert left <= columns.min()
        assert rows.max() < top + height
        assert columns.max() < left + width
        # ReLU and pooling between may hide a border pixel for one picture; most of it counts.
        assert len(rows) > 0.5 * height * width


def test_a_linear_unit_sees_everything(page):
    page.get_by_role("button", name="Example: a 5", exact=True).click()
    choose(page, "linear1", 0, 2, 3)
    np.testing.assert_allclose(frames(page, ".sees .frame"), [[0, 0, 28, 28]], atol=0.05)
    page.locator(".bar").nth(4).click()
    np.testing.assert_allclose(frames(page, ".sees .frame"), [[0, 0, 28, 28]], atol=0.05)
    assert "It sees the whole picture." in page.locator(".panel").inner_text()


def test_the_window_is_framed_in_the_layer_before(page):
    page.get_by_role("button", name="Example: a 5", exact=True).click()
    choose(page, "conv2", 7, 3, 1)
    seen = np.array(frames(page, ".pool1 .frame")) * 12 / 28
    np.testing.assert_allclose(seen, [[3, 1, 5, 5]] * 10, atol=0.05)
    choose(page, "pool2", 7, 3, 1)
    seen = np.array(frames(page, ".conv2 .frame")) * 8 / 28
    np.testing.assert_allclose(seen, [[6, 2, 2, 2]], atol=0.05)


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+\.?\d*", text.replace("−", "-"))]


def table(page, number):
    """A table of the panel without its captions and headers, as numbers; names stay text."""
    rows = page.locator(".panel table").nth(number).locator("tbody tr")
    return [
        [numbers(t)[0] for t in row.locator("td").all_inner_texts()]
        for row in (rows.nth(n) for n in range(rows.count()))
    ]


def lines(page):
    return page.locator(".panel .sum").all_inner_texts()


UNITS = [(0, 0, 0), (3, 2, 1), (9, 3, 3)]
ROUNDING = 0.0006


@pytest.mark.parametrize("example", ["Example: a 2", "Example: a 8"])
@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_the_arithmetic_of_a_convolution_adds_up(page, piece, layer, example):
    page.get_by_role("button", name=example, exact=True).click()
    seen = answer(page)
    before, weight, bias = {
        "conv1": ("input", *piece.net.weights[:2]),
        "conv2": ("pool1", *piece.net.weights[2:4]),
    }[layer]
    shape = dict(LAYERS)
    x = np.array(seen[before]).reshape(shape[before])
    y = np.array(seen[layer]).reshape(shape[layer])
    for m, i, j in UNITS:
        choose(page, layer, m, i, j)
        value = y[m, i, j]
        (line,) = lines(page)
        *terms, total = numbers(line.split(": ")[-1].replace("25 products", ""))
        assert total == pytest.approx(value, abs=ROUNDING)
        assert sum(terms) == pytest.approx(total, abs=ROUNDING * len(terms))
        assert terms[-1] == pytest.approx(bias[m], abs=ROUNDING)
        window = x[:, i : i + 5, j : j + 5]
        sums = (window * weight[m]).sum((1, 2))
        np.testing.assert_allclose(terms[:-1], sums, atol=ROUNDING)
        channels = [0]
        if layer == "conv2":
            channels = [int(np.abs(sums).argmax()), 0, 9]
            assert page.locator("select").input_value() == str(channels[0])
        for n, channel in enumerate(channels):
            if n:
                page.locator("select").select_option(str(channel))
                said = page.locator(".before").inner_text()
                assert numbers(said)[-1] == pytest.approx(sums[channel], abs=ROUNDING)
            for number, wanted in enumerate(
                (window[channel], weight[m, channel], window[channel] * weight[m, channel])
            ):
                np.testing.assert_allclose(table(page, number), wanted, atol=ROUNDING)


@pytest.mark.parametrize("layer", ["pool1", "pool2"])
def test_the_arithmetic_of_a_pooling(page, layer):
    page.get_by_role("button", name="Example: a 2", exact=True).click()
    seen = answer(page)
    shape, before = dict(LAYERS), layer.replace("pool", "conv")
    x = np.array(seen[before]).reshape(shape[before])
    y = np.array(seen[layer]).reshape(shape[layer])
    signs = set()
    for m in range(10):
        choose(page, layer, m, 1, 2)
        window = x[m, 2:4, 4:6]
        np.testing.assert_allclose(table(page, 0), window, atol=ROUNDING)
        marked = page.locator("td.best").inner_text()
        assert marked.endswith("▲")
        assert numbers(marked)[0] == pytest.approx(window.max(), abs=ROUNDING)
        first, second = lines(page)
        assert max(numbers(first)[:4]) == numbers(first)[4]
        assert numbers(second)[1] == numbers(first)[4]
        assert numbers(second)[-1] == max(0, numbers(second)[1])
        assert numbers(second)[-1] == pytest.approx(y[m, 1, 2], abs=ROUNDING)
        signs.add(window.max() > 0)
    assert signs == {True, False}  # ReLU has been seen to do something


def test_the_arithmetic_of_a_linear_layer_adds_up(page, piece):
    page.get_by_role("button", name="Example: a 2", exact=True).click()
    seen = answer(page)
    x, weight, bias = np.array(seen["pool2"]), piece.net.weights[4], piece.net.weights[5]
    zeros = 0
    for unit in range(0, 50, 7):
        choose(page, "linear1", 0, unit // 10, unit % 10)
        check_linear(page, x * weight[unit], bias[unit], seen["linear1"][unit])
        names = page.locator(".panel tbody th").all_inner_texts()
        places = [(c * 4 + i) * 4 + j for c, i, j in (map(int, numbers(n)) for n in names)]
        assert places == np.argsort(-np.abs(x * weight[unit]), kind="stable")[:8].tolist()
        zeros += seen["linear1"][unit] == 0
    assert zeros
    x, weight, bias = np.array(seen["linear1"]), piece.net.weights[6], piece.net.weights[7]
    for digit in range(10):
        page.locator(".bar").nth(digit).click()
        check_linear(page, x * weight[digit], bias[digit], seen["scores"][digit], relu=False)
        largest, power, total, p = numbers(lines(page)[-1])[:4]
        scores = np.array(seen["scores"])
        assert largest == pytest.approx(scores.max(), abs=ROUNDING)
        assert power == pytest.approx(scores[digit] - scores.max(), abs=ROUNDING)
        assert total == pytest.approx(np.exp(scores - scores.max()).sum(), abs=ROUNDING)
        assert p == pytest.approx(seen["probabilities"][digit], abs=ROUNDING)
        assert p == pytest.approx(np.exp(power) / total, abs=2 * ROUNDING)


def check_linear(page, products, bias, value, relu=True):
    rows = table(page, 0)
    assert len(rows) == 8
    for a, w, product in rows:
        assert a * w == pytest.approx(product, abs=0.01)
    said = numbers(lines(page)[0].replace("These 8", "").replace("other", ""))
    shown, count, rest, said_bias, total = said
    assert sum(row[2] for row in rows) == pytest.approx(shown, abs=9 * ROUNDING)
    assert count == len(products) - 8
    assert shown + rest + said_bias == pytest.approx(total, abs=4 * ROUNDING)
    assert said_bias == pytest.approx(bias, abs=ROUNDING)
    assert total == pytest.approx(products.sum() + bias, abs=ROUNDING)
    if relu:
        zero, before, after = numbers(lines(page)[1])
        assert (zero, after) == (0, max(0, before))
        assert before == total
        total = after
    assert total == pytest.approx(value, abs=ROUNDING)


def test_the_arithmetic_of_a_pixel(page):
    page.get_by_role("button", name="Example: a 2", exact=True).click()
    choose(page, "input", 0, 14, 13)
    ink, mean, std, value = numbers(lines(page)[0])[-4:]
    assert (abs(mean), std) == (0.1307, 0.3081)
    assert value == pytest.approx(answer(page)["input"][14 * 28 + 13], abs=ROUNDING)
    assert (ink - 0.1307) / 0.3081 == pytest.approx(value, abs=0.003)


def test_a_chosen_unit_follows_the_drawing(page):
    page.get_by_role("button", name="Example: a 2", exact=True).click()
    choose(page, "conv1", 2, 10, 10)
    for _ in range(2):
        value = answer(page)["conv1"][(2 * 24 + 10) * 24 + 10]
        assert numbers(lines(page)[0])[-1] == pytest.approx(value, abs=ROUNDING)
        drag(page, [[[10, 10], [16, 18]]])


# ---- looks ----


def background(page):
    return page.locator(".box").evaluate("e => getComputedStyle(e).backgroundColor")


LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 24, 29)"
LOOKS = {
    "empty": lambda page: None,
    "convolution": lambda page: choose(page, "conv2", 4, 3, 3),
    "linear": lambda page: choose(page, "linear1", 0, 3, 3),
    "digit": lambda page: page.locator(".bar").nth(4).click(),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_overflows(show_piece, piece, look, width, scheme):
    page = show_piece(piece, width=width, color_scheme=scheme)
    if look != "empty":
        page.get_by_role("button", name="Example: a 4", exact=True).click()
        LOOKS[look](page)
    found = axe_playwright.Axe().run(page, options={})
    rules = {rule["id"] for rule in found.response["passes"]}
    assert {"color-contrast", "button-name"} <= rules
    assert look == "empty" or {"aria-required-children", "aria-required-parent"} <= rules
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    edges = page.locator(".box *").evaluate_all(
        """list => list.filter((e) => !e.closest(".scroll") && e.checkVisibility())
            .map((e) => e.getBoundingClientRect()).map((r) => [r.left, r.right])"""
    )
    assert min(left for left, _ in edges) >= 0
    assert max(right for _, right in edges) <= width
    small = page.locator("button, select, .pad, .map, .bar").evaluate_all(
        """list => list.filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect())
            .filter((r) => r.width < 24 || r.height < 24).length"""
    )
    assert small == 0


def test_the_theme_follows_the_page_before_the_system(show_piece, piece):
    page = show_piece(piece, color_scheme="dark")
    assert background(page) == DARK
    for attribute, value, expected in [
        ("data-jp-theme-light", "true", LIGHT),
        ("data-jp-theme-light", "false", DARK),
        ("data-theme", "light", LIGHT),
        ("data-theme", "dark", DARK),
        ("data-theme", "auto", DARK),
    ]:
        page.evaluate("([a, v]) => document.body.setAttribute(a, v)", [attribute, value])
        page.wait_for_timeout(20)
        assert background(page) == expected, (attribute, value)
        page.evaluate("a => document.body.removeAttribute(a)", attribute)


def test_the_maps_are_painted_by_sign(page):
    page.get_by_role("button", name="Example: a 4", exact=True).click()
    values = np.array(answer(page)["conv1"])[: 24 * 24]
    pixels = page.locator(".conv1 canvas").first.evaluate(
        "e => [...e.getContext('2d').getImageData(0, 0, 24, 24).data]"
    )
    red, _, blue, _ = np.array(pixels).reshape(-1, 4).T
    largest = np.abs(answer(page)["conv1"]).max()
    assert (red > blue)[values > 0.1 * largest].all()
    assert (red < blue)[values < -0.1 * largest].all()


def test_two_pieces_on_one_page(show_piece, piece):
    page = show_piece(piece, piece)
    page.get_by_role("button", name="Example: a 3", exact=True).last.click()
    said = page.locator(".said").all_inner_texts()
    assert said[0] == "Draw a digit, or choose an example."
    assert said[1].startswith("Read as 3 (")
    assert page.locator("[id]").count() == 0


def test_without_scripts_a_table_stays(show_piece, piece):
    page = show_piece(piece, java_script_enabled=False)
    text = page.locator("main").inner_text()
    assert page.get_by_role("table").count() == 1
    assert "% correctly" in text
    for word in ("const", "function", "=>"):
        assert word not in text


# ---- in a notebook ----


@pytest.fixture
def open_notebook(browser, lab, piece):
    """Put a notebook with the piece on the server, trusted or not, and open it."""
    contexts = []

    def open_one(trusted):
        output = nbformat.v4.new_output("display_data", data=piece._repr_mimebundle_())
        cell = nbformat.v4.new_code_cell("piece", outputs=[output], execution_count=1)
        cell.metadata.trusted = trusted
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        notebook = nbformat.v4.new_notebook(cells=[cell], metadata=kernel)
        request = urllib.request.Request(
            lab.url("api/contents/notebooks/piece.ipynb"),
            json.dumps({"type": "notebook", "content": notebook}).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=20).close()
        contexts.append(browser.new_context(viewport={"width": 1400, "height": 2400}))
        page = contexts[-1].new_page()
        page.goto(lab.url("lab/tree/notebooks/piece.ipynb") + "&reset")
        page.locator(".jp-OutputArea-output .cnn-draw-digit").wait_for(state="attached")
        return page

    yield open_one
    for context in contexts:
        context.close()


def test_in_jupyterlab(open_notebook):
    page = open_notebook(trusted=True)
    page.get_by_role("button", name="Example: a 3", exact=True).click()
    assert best(page) == 3
    # Keys of JupyterLab's command mode (delete, new cell, cut) must not reach it from here.
    page.locator(".pad").focus()
    for key in [*"ddabx", "Delete", "Space", "ArrowDown", "ArrowDown", "Space"]:
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == 1
    assert answer(page) is not None
    page = open_notebook(trusted=False)
    area = page.locator(".jp-OutputArea-output").first
    assert area.locator("table").count() == 1
    for word in ("const", "querySelector", '"w"', "float16"):
        assert word not in area.inner_text()


def test_the_parameters_have_the_sizes_that_the_script_expects():
    from importlib.resources import files

    text = files("helpers.pieces.draw_digit").joinpath("net.js").read_text(encoding="utf-8")
    shapes = json.loads(re.search(r"SHAPES = (\[.+\]);", text)[1])
    assert [tuple(shape) for shape in shapes] == [shape for _, shape in PARAMETERS]


def test_on_a_phone_the_examples_stand_right_below_the_pad(show_piece, piece):
    page = show_piece(piece, width=390)
    clear, first = page.get_by_role("button", name="Clear"), page.locator(".example").first
    below = clear.bounding_box()
    assert 0 < first.bounding_box()["y"] - below["y"] - below["height"] < 40
    shelf, end = (page.locator(s).bounding_box() for s in (".draw", ".box"))
    assert end["y"] + end["height"] - shelf["y"] - shelf["height"] < 40  # no empty place
    first.click()
    assert page.locator(".answer").is_visible()
