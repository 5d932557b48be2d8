"""The step-through in a real browser: its numbers, its keys, its looks, and what is left of it
where no script runs.
"""

import itertools
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers import ops
from helpers.pieces.stepper import step_conv2d, step_pool2d
from helpers.pieces.stepper.words import Setup, show, step

axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs the e2e extra: make e2e"
)

pytestmark = pytest.mark.e2e

X = [[2, 3, 0, 1, 3], [0, 2, 2, 2, 2], [1, 2, 1, 1, 1], [3, 2, 2, 0, 0], [2, 0, 0, 0, 1]]
W = [[1, 0, 1], [0, 1, 0], [1, 0, -1]]
rng = np.random.default_rng(0)

# What the page says at this position: read through the open shadow root.
READ = """host => {
  const text = (s) => [...host.shadowRoot.querySelectorAll(s)].map((e) => e.innerText);
  return {
    outputs: [...host.shadowRoot.querySelectorAll(".output")].map((t) =>
      [...t.tBodies[0].rows].map((r) => [...r.cells].slice(1).map((c) => c.innerText))),
    now: text(".output .now"), lines: text(".words p:not(.note)"), note: text(".note").join(),
    sizes: text(".sizes p").slice(1),
    window: [...host.shadowRoot.querySelectorAll("table:not(.output) .now")].map((c) => [
      +c.parentNode.cells[0].innerText.replace("−", "-"),
      +c.closest("table").rows[0].cells[c.cellIndex].innerText.replace("−", "-"),
      c.querySelector("i").innerText]),
  };
}"""
WALK = f"""host => {{
  const read = {READ};
  const [first, , , next] = host.shadowRoot.querySelectorAll("button");
  const count = host.shadowRoot.querySelectorAll(".output td[aria-selected]").length;
  first.click();
  const seen = [read(host)];
  for (let n = 1; n < count; n++) {{ next.click(); seen.push(read(host)); }}
  return seen;
}}"""
SET = """(host, [name, value]) => {
  const input = [...host.shadowRoot.querySelectorAll("label")]
    .find((l) => l.innerText.trim().startsWith(name)).querySelector("input");
  if (input.type === "checkbox") { if (input.checked !== value) input.click(); return value; }
  input.value = value;
  input.dispatchEvent(new Event("input"));
  return +input.value;
}"""


def change(host, **settings):
    for name, value in settings.items():
        assert host.evaluate(SET, [name, value]) == value


def check_every_position(host, setup):
    """Walk through all positions; compare grids, sentences and windows with Python and torch."""
    expected = compare_torch_and_ops(setup)
    seen = host.evaluate(WALK)
    positions = list(itertools.product(*map(range, expected.shape)))
    assert len(seen) == len(positions)
    grids = [[[show(v) for v in row] for row in plane] for plane in expected.tolist()]
    sizes = [axis.sentence(n) for axis, n in zip(setup.axes, ("row", "column"), strict=True)]
    for view, (c, i, j) in zip(seen, positions, strict=True):
        one = step(setup, c, i, j)
        assert view["outputs"] == grids
        assert view["now"] == [show(expected[c, i, j])]
        assert view["lines"] == one.lines
        assert view["note"] == one.note
        assert view["sizes"] == sizes
        assert view["window"] == marked_cells(setup, c, one)


def marked_cells(setup, channel, one):
    """[row, column, small mark] of every cell in the window, channel after channel."""
    if setup.kind == "conv":
        return [
            [r, q, "×" + show(w)]
            for weight in setup.weight
            for (r, q, *_), w in zip(one.cells, weight.ravel(), strict=True)
        ]
    marks = [""] * len(one.cells)
    if setup.kind == "max":
        values = [setup.x[channel, r, q] if real else -np.inf for r, q, real, _ in one.cells]
        if np.isfinite(max(values)):
            marks[int(np.argmax(values))] = "▲"
    return [[r, q, mark] for (r, q, *_), mark in zip(one.cells, marks, strict=True)]


def compare_torch_and_ops(setup):
    """The output, from torch, checked against helpers.ops."""
    x = torch.from_numpy(setup.x)[None]
    k, s, p, d = setup.kernel_size, setup.stride, setup.padding, setup.dilation
    if setup.kind == "conv":
        weight = torch.from_numpy(setup.weight)[None]
        bias = None if setup.bias is None else torch.tensor([setup.bias], dtype=torch.float64)
        expected = F.conv2d(x, weight, bias, s, p, d)
        plain = ops.conv2d(
            x.numpy(), weight.numpy(), None if bias is None else bias.numpy(), s, p, d
        )
    elif setup.kind == "max":
        expected = F.max_pool2d(x, k, s, p, d, setup.ceil_mode)
        plain = ops.max_pool2d(x.numpy(), k, s, p, d, setup.ceil_mode)
    else:
        expected = F.avg_pool2d(x, k, s, p, setup.ceil_mode, setup.count_include_pad)
        plain = ops.avg_pool2d(x.numpy(), k, s, p, setup.ceil_mode, setup.count_include_pad)
    np.testing.assert_allclose(plain, expected.numpy(), atol=1e-12)
    # Rounding to 3 digits must not fall differently for a number that is off in the last bit.
    return np.round(expected[0].numpy(), 9) + 0.0


def with_settings(setup, **changes):
    fields = {name: getattr(setup, name) for name in Setup.__dataclass_fields__}
    return Setup(**(fields | changes))


CONV_SETTINGS = [
    (s, p, d)
    for s, p, d in itertools.product((1, 2, 3), (0, 1, 2), (1, 2))
    if 5 + 2 * p >= 2 * d + 1
]


def test_convolution_numbers_at_every_position_and_setting(show_piece):
    piece = step_conv2d(X, W, bias=1)
    host = show_piece(piece).locator(".cnn-stepper")
    check_every_position(host, piece._setup)
    for s, p, d in CONV_SETTINGS:
        change(host, stride=s, padding=p, dilation=d)
        setup = with_settings(piece._setup, stride=(s, s), padding=(p, p), dilation=(d, d))
        check_every_position(host, setup)


def test_convolution_numbers_with_channels_and_fractions(show_piece):
    x = rng.normal(size=(3, 6, 5)).astype(np.float32)
    weight = rng.normal(size=(3, 2, 3)).astype(np.float32)
    piece = step_conv2d(x, weight, bias=-0.5, padding=(1, 0), stride=(2, 1))
    host = show_piece(piece).locator(".cnn-stepper")
    check_every_position(host, piece._setup)
    change(host, **{"stride, rows": 3, "padding, columns": 1, "dilation": 2})
    changed = with_settings(piece._setup, stride=(3, 1), padding=(1, 1), dilation=(2, 2))
    check_every_position(host, changed)


def test_packed_float32_numbers_arrive_whole(show_piece):
    x = rng.normal(size=(9, 9)).astype(np.float32)
    piece = step_conv2d(x, rng.normal(size=(7, 7)).astype(np.float32))
    assert isinstance(re.search('"x":\\["', piece._html), re.Match)
    check_every_position(show_piece(piece).locator(".cnn-stepper"), piece._setup)


@pytest.mark.parametrize("mode", ["max", "avg"])
def test_pooling_numbers_at_every_position_and_setting(show_piece, mode):
    x = rng.integers(-3, 5, size=(2, 5, 6))
    piece = step_pool2d(x, 2, mode=mode)
    host = show_piece(piece).locator(".cnn-stepper")
    check_every_position(host, piece._setup)
    options = {"ceil_mode": (False, True), "count_include_pad": (True, False)}
    if mode == "max":
        options = {"ceil_mode": (False, True), "dilation": (1, 2)}
    for k, s, p in [(2, 1, 0), (3, 2, 0), (3, 2, 1), (3, 3, 1), (4, 3, 2), (2, 4, 1), (1, 2, 0)]:
        for values in itertools.product(*options.values()):
            given = dict(zip(options, values, strict=True))
            if given.get("dilation", 1) * (k - 1) + 1 > 5 + 2 * p:
                continue
            change(host, padding=0, kernel_size=k, stride=s)
            change(host, padding=p, **given)
            if "dilation" in given:
                given["dilation"] = (given["dilation"],) * 2
            changes = {"kernel_size": (k, k), "stride": (s, s), "padding": (p, p), **given}
            check_every_position(host, with_settings(piece._setup, **changes))


def test_a_window_of_nothing_but_padding(show_piece):
    piece = step_pool2d([[5]], 2, 1, 1, dilation=2)
    check_every_position(show_piece(piece).locator(".cnn-stepper"), piece._setup)


def test_a_window_that_does_not_fit_says_so_and_recovers(show_piece):
    page = show_piece(step_conv2d(X, W))
    host = page.locator(".cnn-stepper")
    change(host, dilation=3)
    assert "no output. PyTorch raises an error here." in host.evaluate(READ)["sizes"][0]
    assert page.get_by_role("button", name="Play").is_disabled()
    change(host, padding=1)
    assert len(host.evaluate(READ)["outputs"][0]) == 1
    assert page.get_by_role("button", name="Play").is_enabled()


def test_cells_no_window_uses_are_hatched(show_piece):
    page = show_piece(step_conv2d(np.arange(49).reshape(7, 7), W, stride=3))
    unused = page.locator("td.unused").all_inner_texts()
    assert unused == [str(7 * r + q) for r in range(7) for q in range(7) if 6 in (r, q)]
    assert "Hatched: no window uses it" in page.locator(".legend").inner_text()
    change(page.locator(".cnn-stepper"), stride=2)
    assert page.locator("td.unused").count() == 0


def current(page):
    return page.locator(".words .sum").inner_text().split(":")[0]


def test_arrow_home_and_end_keys_in_the_output(show_piece):
    page = show_piece(step_conv2d(X, W))
    page.get_by_role("grid", name="Output 3×3").get_by_role("gridcell").first.focus()
    for key, place in [
        ("ArrowRight", (0, 1)),
        ("ArrowDown", (1, 1)),
        ("End", (1, 2)),
        ("ArrowRight", (2, 0)),
        ("ArrowLeft", (1, 2)),
        ("Home", (1, 0)),
        ("ArrowUp", (0, 0)),
        ("ArrowUp", (0, 0)),
        ("ArrowLeft", (0, 0)),
        ("Control+End", (2, 2)),
        ("ArrowDown", (2, 2)),
        ("ArrowRight", (2, 2)),
        ("Control+Home", (0, 0)),
    ]:
        page.keyboard.press(key)
        assert current(page) == "row {}, column {}".format(*place), key
        assert page.locator(".output td:focus").get_attribute("aria-selected") == "true"
        assert page.locator(".output td[tabindex='0']").count() == 1


def test_everything_can_be_reached_and_used_with_the_keyboard_alone(show_piece):
    page = show_piece(step_pool2d(X, 2))
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => { const e = document.activeElement.shadowRoot?.activeElement;
                return e && [e.localName, e.getAttribute("aria-label") || e.innerText
                    || e.parentNode.innerText, getComputedStyle(e).outlineStyle]; }"""
            )
        )
    stops = [stop for stop in reached if stop]
    assert [name.strip() for _, name, _ in stops] == [
        *("3", "First", "Back", "▶ Play", "Next"),
        *("position", "kernel_size", "stride", "padding", "dilation", "ceil_mode"),
        "guess first: type each output before you see it",
    ]
    assert all(outline == "solid" for *_, outline in stops)
    slider = page.get_by_role("slider", name="stride")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "1"
    assert page.get_by_role("grid", name="Output 4×4").is_visible()
    page.get_by_role("slider", name="position").focus()
    page.keyboard.press("End")
    assert current(page) == "row 3, column 3"
    page.get_by_role("checkbox", name="ceil_mode").focus()
    page.keyboard.press("Space")
    assert page.get_by_role("checkbox", name="ceil_mode").is_checked()


def test_click_and_touch_choose_an_output(show_piece):
    page = show_piece(step_conv2d(X, W), has_touch=True)
    cells = page.get_by_role("gridcell")
    cells.nth(4).click()
    assert current(page) == "row 1, column 1"
    cells.nth(7).tap()
    assert current(page) == "row 2, column 1"
    assert page.locator(".output td:focus").inner_text() == cells.nth(7).inner_text()


def test_buttons_and_play(show_piece):
    page = show_piece(step_conv2d(X, W))
    button = {name: page.get_by_role("button", name=name) for name in ("First", "Back", "Next")}
    button["Next"].click()
    button["Next"].click()
    button["Back"].click()
    assert current(page) == "row 0, column 1"
    button["First"].click()
    assert current(page) == "row 0, column 0"
    page.clock.install()
    page.reload()
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2500)
    assert current(page) == "row 0, column 2"
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    assert current(page) == "row 0, column 2"
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(30_000)
    assert current(page) == "row 2, column 2"
    page.get_by_role("button", name="Play").click()
    assert current(page) == "row 0, column 0"
    page.get_by_role("gridcell").nth(5).click()
    page.clock.run_for(5000)
    assert current(page) == "row 1, column 2"


def test_play_is_slower_where_less_motion_is_wanted(show_piece):
    page = show_piece(step_conv2d(X, W), reduced_motion="reduce")
    page.clock.install()
    page.reload()
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2500)
    assert current(page) == "row 0, column 1"


def test_a_screen_reader_hears_each_step_but_not_all_of_play(show_piece):
    page = show_piece(step_conv2d(X, W, bias=1))
    page.clock.install()
    page.reload()
    live = page.locator("[aria-live=polite]")
    page.clock.run_for(300)
    assert live.inner_text().startswith("row 0, column 0: 2×1 + 3×0 + ")
    page.get_by_role("button", name="Next").click()
    page.clock.run_for(300)
    assert live.inner_text().startswith("row 0, column 1: 3×1 + ")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(4000)
    assert live.inner_text().startswith("row 0, column 1")
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(300)
    assert live.inner_text().startswith("row 1, column 1")
    change(page.locator(".cnn-stepper"), stride=2)
    page.clock.run_for(300)
    assert live.inner_text().startswith("The output is now 2 by 2. ")


def guess(page, text):
    box = page.get_by_role("textbox", name="Your guess")
    box.fill(text)
    box.press("Enter")
    return page.locator(".words").inner_text()


def test_guess_first_hides_each_output_until_it_is_guessed_or_shown(show_piece):
    page = show_piece(step_pool2d(X, 2))
    cells = page.get_by_role("gridcell")
    page.get_by_role("checkbox", name="guess first").check()
    assert cells.all_inner_texts() == ["?", "?", "?", "?"]
    assert "▲" not in page.locator("table").first.inner_text()
    assert "✗ Not 2. Guess again" in guess(page, "2")
    assert "Type a number" in guess(page, "two")
    assert cells.all_inner_texts() == ["?", "?", "?", "?"]
    assert guess(page, "3").startswith("✓ 3 is right.")
    assert "max(" in page.locator(".words").inner_text()
    assert cells.all_inner_texts() == ["3", "?", "?", "?"]
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Show it").click()
    assert cells.all_inner_texts() == ["3", "2", "?", "?"]
    page.keyboard.press("ArrowLeft")  # the focus is in the output again
    assert cells.all_inner_texts() == ["3", "2", "?", "?"]
    page.get_by_role("checkbox", name="guess first").uncheck()
    assert cells.all_inner_texts() == ["3", "2", "3", "2"]


def test_a_wrong_guess_that_a_known_slip_gives_is_told(show_piece):
    x, w = [[1, 2], [3, 5]], [[1, 2], [3, 5]]
    page = show_piece(step_conv2d(x, w, bias=10))
    page.get_by_role("checkbox", name="guess first").check()
    assert "✗ Not 39. That comes out when the bias is left out." in guess(page, "39")
    assert "when the filter is turned by 180°" in guess(page, str(10 + 5 + 6 + 6 + 5))
    assert "rows and columns of the filter change places" in guess(page, "48")
    assert "✗ Not 40. Guess again" in guess(page, "40")
    assert guess(page, "49").startswith("✓ 49 is right.")


def test_the_same_piece_twice_and_others_on_one_page(show_piece):
    conv, pool = step_conv2d(X, W), step_pool2d(X, 2)
    page = show_piece(conv, pool, conv)
    hosts = [page.locator(".cnn-stepper").nth(n) for n in range(3)]
    hosts[2].get_by_role("button", name="Next").click()
    hosts[1].get_by_role("gridcell").last.click()
    assert [current(host) for host in hosts] == [
        "row 0, column 0",
        "row 1, column 1",
        "row 0, column 1",
    ]
    change(hosts[2], stride=2)
    assert hosts[0].get_by_role("grid", name="Output 3×3").is_visible()
    assert hosts[2].get_by_role("grid", name="Output 2×2").is_visible()
    assert page.locator("[id]").count() == 0


PIECES = {
    "one channel": lambda: step_conv2d(X, W, bias=1, padding=1, stride=2),
    "three channels": lambda: step_conv2d(
        np.arange(147).reshape(3, 7, 7) % 4, np.arange(27).reshape(3, 3, 3) % 2, 1, stride=3
    ),
    "max": lambda: step_pool2d(X, 3, 2, 1),
    "average, wide": lambda: step_pool2d(
        np.linspace(-1, 1, 200).reshape(2, 10, 10), 3, 2, mode="avg", ceil_mode=True
    ),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [900, 390])
@pytest.mark.parametrize("piece", PIECES)
def test_axe_finds_nothing(show_piece, piece, width, scheme):
    page = show_piece(PIECES[piece](), width=width, color_scheme=scheme)
    page.get_by_role("button", name="Next").click()
    found = axe_playwright.Axe().run(page, options={})
    rules = {rule["id"] for rule in found.response["passes"]}
    assert {"color-contrast", "label", "aria-required-children"} <= rules | {
        rule["id"] for rule in found.response["inapplicable"]
    }
    assert "color-contrast" in rules
    assert found.violations_count == 0, found.generate_report()
    # The page's own main element and title come from save(); the piece must add no other finding.


@pytest.mark.parametrize("piece", PIECES)
def test_nothing_overflows_a_phone(show_piece, piece):
    page = show_piece(PIECES[piece](), width=390)
    for _ in range(3):
        page.get_by_role("button", name="Next").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = page.evaluate(
        """() => [...document.querySelector(".cnn-stepper").shadowRoot.querySelectorAll(
            ".hold, .words, .sizes, button, label, .legend, .title")]
            .map((e) => e.getBoundingClientRect()).map((r) => [r.left, r.right])"""
    )
    assert all(left >= 0 and right <= 390 for left, right in boxes)
    small = page.evaluate(
        """() => [...document.querySelector(".cnn-stepper").shadowRoot.querySelectorAll(
            "button, .output tbody td")].map((e) => e.getBoundingClientRect())
            .filter((r) => r.width < 24 || r.height < 24).length"""
    )
    assert small == 0


def test_a_wide_grid_scrolls_to_the_window_by_itself_and_by_keyboard(show_piece):
    page = show_piece(PIECES["average, wide"](), width=390)
    hold = page.locator(".hold").first
    assert hold.get_attribute("tabindex") == "0"
    page.get_by_role("gridcell").nth(4).evaluate("e => e.click()")
    assert page.locator(".words .sum").inner_text().startswith("channel 0, row 0, column 4:")
    assert hold.evaluate("e => e.scrollLeft") > 50
    boxes = hold.evaluate(
        """e => { const h = e.getBoundingClientRect();
        return [...e.querySelectorAll(".now")].map((c) => c.getBoundingClientRect())
            .map((r) => [r.left - h.left, h.right - r.right]); }"""
    )
    assert all(left >= 0 and right >= 0 for left, right in boxes)


def background(page):
    return page.locator(".box").evaluate("e => getComputedStyle(e).backgroundColor")


LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 24, 29)"


def test_the_theme_follows_the_page_before_the_system(show_piece):
    page = show_piece(step_conv2d(X, W), color_scheme="dark")
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
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(20)
    assert background(page) == LIGHT


def test_without_scripts_the_tables_stay(show_piece):
    page = show_piece(step_conv2d(X, W, bias=1), java_script_enabled=False)
    assert page.locator("table").count() == 3
    assert page.get_by_role("table", name="Output 3×3").is_visible()
    assert "row 0, column 0: 2×1 + 3×0 + 0×1" in page.locator("main").inner_text()
    assert "const" not in page.locator("main").inner_text()


# ---- in a notebook ----


@pytest.fixture
def open_notebook(show_in_lab):
    """Put a notebook with three pieces on the server, trusted or not, and open it."""
    pieces = [step_conv2d(X, W), step_pool2d(X, 2), step_conv2d(X, W)]
    return lambda trusted: show_in_lab(*pieces, trusted=trusted)


def test_in_jupyterlab_a_trusted_notebook_steps_with_its_own_keys(open_notebook):
    page = open_notebook(trusted=True)
    page.set_viewport_size({"width": 1400, "height": 2400})
    hosts = [page.locator(".jp-OutputArea-output .cnn-stepper").nth(n) for n in range(3)]
    hosts[1].get_by_role("button", name="Next").click()
    assert current(hosts[1]) == "row 0, column 1"
    hosts[2].get_by_role("gridcell").nth(1).click()
    for key, place in [
        ("ArrowDown", "row 1, column 1"),
        ("ArrowRight", "row 1, column 2"),
        ("Home", "row 1, column 0"),
        ("ArrowUp", "row 0, column 0"),
        ("End", "row 0, column 2"),
    ]:
        page.keyboard.press(key)
        assert current(hosts[2]) == place, key
    # Keys of JupyterLab's command mode (delete, new cell, cut) must not reach it from here.
    for key in "ddabx":
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == 3
    assert page.locator(".cnn-stepper").count() == 3
    assert current(hosts[0]) == "row 0, column 0"
    assert hosts[2].evaluate("e => e.shadowRoot.activeElement.className") == "now"
    slider = hosts[0].get_by_role("slider", name="stride")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert hosts[0].get_by_role("grid", name="Output 2×2").is_visible()

    assert background(hosts[0]) == LIGHT
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    page.wait_for_timeout(50)
    assert background(hosts[0]) == DARK


def test_in_jupyterlab_an_untrusted_notebook_shows_the_tables(open_notebook):
    area = open_notebook(trusted=False).locator(".jp-OutputArea-output").first
    assert area.locator("table").count() == 3
    text = area.inner_text()
    assert "Output 3×3" in text
    assert "row 0, column 0: 2×1 + 3×0" in text
    assert "Run this cell in JupyterLab to step through it." in text
    for word in ("const", "querySelector", '"k"', "arbitrary"):
        assert word not in text


def test_a_notebook_exported_to_html_steps(browser, tmp_path):
    data = step_pool2d(X, 2)._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data=data)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("piece", outputs=[output, output])]
    )
    nbformat.write(notebook, tmp_path / "lesson.ipynb")
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", tmp_path / "lesson.ipynb"],
        check=True,
        capture_output=True,
    )
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.route(re.compile("^https?:"), lambda route: route.abort())
    page.goto((tmp_path / "lesson.html").as_uri(), wait_until="domcontentloaded")
    second = page.locator(".cnn-stepper").nth(1)
    second.get_by_role("button", name="Next").click()
    assert current(second) == "row 0, column 1"
    assert current(page.locator(".cnn-stepper").nth(0)) == "row 0, column 0"
    context.close()


def test_buttons_that_lead_nowhere_say_so_and_keep_the_focus(show_piece):
    page = show_piece(step_conv2d(np.ones((2, 3)), np.ones((2, 2))))

    def dead():
        buttons = page.get_by_role("button").all()
        return [b.inner_text() for b in buttons if b.get_attribute("aria-disabled") == "true"]

    assert dead() == ["First", "Back"]
    step = page.get_by_role("button", name="Next")
    step.focus()
    page.keyboard.press("Enter")
    assert dead() == ["Next"]
    assert step.evaluate("e => e.matches(':focus')")
    page.keyboard.press("Enter")
    assert page.get_by_label("position").input_value() == "1"


# ---- moving by itself, where a page asks for it ----

AT = "+document.querySelector('.cnn-stepper').shadowRoot.querySelector('[type=range]').value"
STEP_MS = 1200


@pytest.fixture
def show_moving(browser):
    """Open a piece with four positions on a page that asks it to move; its clock stands still."""
    contexts = []

    def open_page(before="", **options):
        contexts.append(browser.new_context(viewport={"width": 1000, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        html = step_conv2d(np.ones((3, 3)), np.ones((2, 2)))._repr_html_()
        page.set_content(f"{before}<div data-moves>{html}</div>")
        return page

    yield open_page
    for context in contexts:
        context.close()


def steps(page, ticks=1):
    """Where the window is after so many of its steps."""
    # What is in view is told after a frame, which needs no clock.
    page.screenshot()
    for _ in range(ticks):
        page.clock.run_for(STEP_MS)
    return page.evaluate(AT)


def test_it_moves_round_and_round_and_says_nothing_meanwhile(show_moving):
    page = show_moving()
    assert [steps(page) for _ in range(5)] == [1, 2, 3, 0, 1]
    assert page.get_by_role("button", name="Pause").is_visible()
    live = page.locator(".live")
    assert live.text_content().startswith("row 0, column 0: ")  # as it began
    page.get_by_role("button", name="Pause").click()
    assert steps(page, 3) == 1
    assert "row 0, column 1: " in live.text_content()
    page.get_by_role("button", name="Play").click()
    assert steps(page, 9) == 3  # once, as it does elsewhere


@pytest.mark.parametrize(
    ("take", "at"),
    [
        (lambda page: page.get_by_role("button", name="Back").click(), 0),
        (lambda page: page.locator(".output tbody td").nth(2).click(), 2),
        (lambda page: page.locator(".words").click(), 1),
        (lambda page: page.get_by_label("stride").focus(), 1),
        (lambda page: page.get_by_label("guess first").check(), 1),
    ],
)
def test_it_stops_for_good_when_the_reader_takes_over(show_moving, take, at):
    page = show_moving()
    assert steps(page) == 1
    take(page)
    assert steps(page, 3) == at
    assert page.get_by_role("button", name="Play").is_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert steps(page, 3) == at


def test_it_stands_still_for_those_who_want_less_motion(show_moving):
    page = show_moving(reduced_motion="reduce")
    assert steps(page, 3) == 0
    assert page.get_by_role("button", name="Play").is_visible()
    page.emulate_media(reduced_motion="no-preference")
    assert steps(page, 2) == 2
    page.emulate_media(reduced_motion="reduce")
    assert steps(page, 3) == 2


def test_it_costs_nothing_where_nobody_sees_it(show_moving):
    page = show_moving(before="<p style='height: 3000px'>Above</p>")
    assert steps(page, 3) == 0
    page.evaluate("scrollTo(0, 3000)")
    assert steps(page, 2) == 2
    for hidden, at in ((True, 2), (False, 3)):
        page.evaluate(
            "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, "
            "configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }",
            hidden,
        )
        assert steps(page) == at
    page.evaluate("scrollTo(0, 0)")
    assert steps(page, 3) == 3


def test_it_waits_to_be_asked_everywhere_else(show_piece):
    page = show_piece(step_conv2d(np.ones((3, 3)), np.ones((2, 2))))
    assert page.locator("[data-moves]").count() == 0
    assert page.get_by_role("button", name="Play").is_visible()
