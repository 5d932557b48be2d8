"""Pieces inside the pages of the site, as a reader on a phone meets them; and how long it takes."""

import functools
import gzip
import http.server
import io
import re
import threading

import psutil
import pytest

from helpers.pieces.network_explorer import explore_network
from tests.support.scripts import load

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}
EXPLORER = ".cnn-network-explorer"
# Of a phone of the middle class, in the mobile network.
CPU_SLOWER = 4
BYTES_A_SECOND = 1.6e6 / 8
LATENCY_MS = 150
# Looks at each frame whether there is text, and presses the first piece's buttons, one a frame,
# until it says something else than in the beginning.
WATCH = """
const took = window.took = {};
let said, presses = 0;
const look = () => {
  if (document.querySelector("article p")?.checkVisibility())
    requestAnimationFrame(() => (took.text ??= performance.now()));
  const root = document.querySelector("[class^=cnn-]")?.shadowRoot;
  const buttons = root?.querySelectorAll("button") ?? [];
  if (buttons.length) {
    said ??= root.textContent;
    buttons[presses++ % buttons.length].click();
    if (root.textContent !== said) return (took.piece = performance.now());
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


@pytest.fixture
def phone(browser):
    """A page on a phone; its errors fail the test."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def explored(site, lesson):
    """The network that a lesson's explorer begins with, None where there is no explorer."""
    sources = ["".join(cell["source"]) for cell in site.notebook(lesson)["cells"]]
    found = [name for text in sources for name in re.findall(r'^explore_network\("(.+)"\)$', text)]
    assert len(found) <= 1
    return found[0] if found else None


def test_the_explorer_works_in_lessons(phone, site):
    names = {lesson: explored(site, lesson) for lesson in site.lessons}
    found = {lesson: name for lesson, name in names.items() if name}
    assert len(found) >= 4
    for lesson, name in found.items():
        phone.goto(site.base + lesson)
        host = phone.locator(EXPLORER)
        piece = explore_network(name)
        assert f"{piece.parameters:,} parameters" in host.locator(".total").inner_text()
        host.locator(".gives").first.tap()
        host.get_by_label("filters of layer 1", exact=True).fill("7")
        assert host.evaluate("e => e.networkExplorer.text()").startswith("conv 7 ")
        assert "→ 7 × " in host.locator("li").first.inner_text()
        assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_link_into_a_lesson_shows_its_network(phone, site):
    lesson = next(lesson for lesson in site.lessons if explored(site, lesson))
    phone.goto(f"{site.base}{lesson}#network=1x8x8;conv%202")
    host = phone.locator(EXPLORER)
    host.locator("li", has_text="→ 2 × 6 × 6").wait_for()
    phone.wait_for_function("scrollY > 1000")
    assert host.locator(".title").bounding_box()["y"] < PHONE["height"]


def test_a_guess_is_told_where_the_result_is_and_counted_on_the_start_page(phone, site):
    phone.goto(site.base + "notebooks/02-stride-and-padding.html")
    host = phone.locator(".cnn-prediction").first
    host.get_by_role("textbox").tap()
    phone.keyboard.type("7")
    phone.keyboard.press("Enter")
    assert host.locator(".verdict").inner_text().startswith("✗ Not 7.")
    summary = re.search("“(.+)”", host.locator(".note").inner_text())[1]
    assert phone.locator("summary:visible", has_text=summary).count()
    phone.goto(site.base)
    record = phone.locator(".cnn-prediction-record")
    assert record.locator(".question").inner_text().startswith("You have predicted 1 of ")
    record.get_by_role("link", name="02 ").wait_for()
    record.get_by_role("button", name="Forget my predictions").tap()
    assert record.locator(".question").inner_text().startswith("The lessons have ")


# --- how long it takes: a report, which no clock decides ----------------------------------------


class Compressed(load("tools/website.py").Handler):
    """Sends text compressed, as the code hosts do."""

    def send_head(self):
        path = self.translate_path(self.path)
        if not path.endswith((".html", ".css", ".js", ".svg")):
            return super().send_head()
        with open(path, "rb") as file:
            body = gzip.compress(file.read())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)


@pytest.fixture
def compressed(site):
    """The address of the site as a code host would send it."""
    handler = functools.partial(Compressed, directory=str(site.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.report
def test_report_how_long_lessons_take_on_a_slow_phone(browser, site, compressed, capsys):
    rows = []
    for lesson in [*site.lessons, f"ko/{site.lessons[2]}", f"ko/{site.lessons[7]}"]:
        context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
        page = context.new_page()
        page.add_init_script(WATCH)
        tools = context.new_cdp_session(page)
        received = []
        tools.on(
            "Network.loadingFinished", lambda e, to=received: to.append(e["encodedDataLength"])
        )
        tools.send("Network.enable")
        tools.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
        limits = {"downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND}
        limits |= {"offline": False, "latency": LATENCY_MS}
        tools.send("Network.emulateNetworkConditions", limits)
        page.goto(compressed + lesson, timeout=120_000)
        page.wait_for_function("took.text && took.piece", timeout=120_000)
        page.wait_for_load_state("networkidle")
        took = page.evaluate("took")
        context.close()
        assert received
        rows.append(
            f"{lesson.replace('notebooks/', ''):34} {took['text'] / 1000:6.1f} s"
            f" {took['piece'] / 1000:6.1f} s {sum(received) / 1e3:6.0f} kB"
        )
    with capsys.disabled():
        print(f"\nCPU {CPU_SLOWER} times slower, 1.6 Mbit/s, {LATENCY_MS} ms; text readable, first")
        print("piece answers, received before scrolling; load of this machine", end=" ")
        print(*(f"{load:.1f}" for load in psutil.getloadavg()))
        print("\n".join(rows))
