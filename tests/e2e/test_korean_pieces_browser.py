"""The pieces in Korean in a real browser: what they say, and that it fits on a phone."""

import re

import numpy as np
import pytest

from helpers.language import speaking
from helpers.pieces.draw_digit import draw_digit
from helpers.pieces.filter_dialog import filter_dialog
from helpers.pieces.network_explorer import explore_network
from helpers.pieces.prediction import PredictionRecord, ask
from helpers.pieces.stepper import step_conv2d, step_pool2d
from helpers.pieces.train_here import train_here
from tests.e2e.test_stepper_browser import check_every_position
from tests.helpers.test_pieces_in_korean import NAMES

axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs the e2e extra: make e2e"
)

pytestmark = pytest.mark.e2e

X = np.arange(-40, 58).reshape(2, 7, 7) / 8
STEPPERS = {
    "convolution": lambda: step_conv2d(X, np.ones((2, 3, 2)), 0.5, 2, (1, 0)),
    "one that does not fit": lambda: step_conv2d(X[0], np.ones((6, 6)), None, (3, 5), 1),
    "max": lambda: step_pool2d(X.round(), 3, 2, 1, ceil_mode=True, dilation=2),
    "average": lambda: step_pool2d(X, 6, 5, 1, "avg", True),
    "average without padding": lambda: step_pool2d(X[0], 3, 3, 1, "avg", False, False),
}
PIECES = {
    "convolution": lambda: step_conv2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]], 1),
    "max pooling": lambda: step_pool2d(X, 2, 2, 1),
    "draw a digit": draw_digit,
    "filter": filter_dialog,
    "explorer": lambda: explore_network("conv 4 k3, relu, flatten, linear 10", (3, 9, 9)),
    "train it here": train_here,
    "number": lambda: ask("몇?", 1, name="02-own", because="하나."),
    "shape": lambda: ask("형태?", (1, 2), name="02-own", because="둘."),
    "choice": lambda: ask("맞나?", "네", name="02-own", because="네.", choices=["네", "아뇨"]),
    "record": lambda: PredictionRecord([("레슨 02", "02.html", ["02-own", "02-more"])]),
}
# Keys, arguments of PyTorch, kinds of files.
KEYS = {"Space", "Delete", "Home", "End", "Page", "Up", "Down", "Shift", "PNG", "JPEG", "WebP"}
ARGUMENTS = {"kernel", "size", "stride", "padding", "dilation", "ceil", "mode", "count", "include"}
KNOWN = NAMES | KEYS | ARGUMENTS | {"pad"}

# Uses all that there is to press, choose and type in, and gives every text that was there
# meanwhile, also what only a screen reader says; programs are left out.
USE_ALL = """async host => {
  const root = host.shadowRoot, texts = new Set();
  window.setTimeout = (later) => { later(); return 0; };
  const collect = async () => {
    for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode())
      if (!walk.currentNode.parentNode.closest("style, pre")) texts.add(walk.currentNode.data);
    for (const e of root.querySelectorAll("*"))
      for (const name of ["aria-label", "aria-valuetext", "title", "placeholder", "alt"])
        if (e.hasAttribute(name)) texts.add(e.getAttribute(name));
  };
  const fresh = (selector, done = new Set()) =>
    [...root.querySelectorAll(selector)].filter((e) => !done.has(e) && !e.disabled).slice(0, 40);
  await collect();
  for (const details of fresh("details")) details.open = true;
  for (const type of ["checkbox", "button", "checkbox"])
    for (const e of fresh(type === "button" ? type : `input[type=${type}]`)) {
      // Of these one opens a window of the system.
      if (!e.isConnected || e.textContent === "내 그림 …") continue;
      e.click();
      await collect();
    }
  for (const select of fresh("select"))
    for (const option of [...select.options].slice(0, 12)) {
      select.value = option.value;
      select.dispatchEvent(new Event("change"));
      await collect();
    }
  for (const input of fresh("input[type=text]"))
    for (const value of ["아무", "0", "77", "1"]) {
      if (!input.isConnected) continue;
      input.value = value;
      input.dispatchEvent(new Event("input"));
      input.form?.requestSubmit();
      await collect();
    }
  for (const e of fresh("[role=gridcell], .output td[tabindex], .pad"))
    for (const key of ["ArrowRight", "Enter", "ArrowDown", " ", "Delete"]) {
      e.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      await collect();
    }
  return [...texts];
}"""


def in_korean(make):
    with speaking("ko"):
        return make()


@pytest.mark.parametrize("name", STEPPERS)
def test_a_step_through_says_what_python_says(show_piece, name):
    piece = in_korean(STEPPERS[name])
    host = show_piece(piece).locator(".cnn-stepper")
    with speaking("ko"):
        check_every_position(host, piece._setup)


@pytest.mark.parametrize("name", PIECES)
def test_nothing_is_said_in_english_and_nothing_overflows(show_piece, name):
    piece = in_korean(PIECES[name])
    page = show_piece(piece, width=320)
    host = page.locator("[class^=cnn-]")
    texts = host.evaluate(USE_ALL)
    words = {word for text in texts for word in re.findall("[A-Za-z]{2,}", text)}
    assert words - KNOWN == set()
    assert any(re.search("[가-힣]", text) for text in texts)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert host.evaluate("e => e.lang") == "ko"
    found = axe_playwright.Axe().run(page, options={})
    assert found.violations_count == 0, found.generate_report()


def test_guess_first_in_korean(show_piece):
    page = show_piece(in_korean(PIECES["convolution"]))
    page.get_by_role("checkbox", name="먼저 예측하기").check()
    box = page.get_by_label("행 0, 열 0의 예측:")
    box.fill("가")
    page.get_by_role("button", name="확인").click()
    assert page.get_by_role("status").inner_text() == "12, −3, 1/4처럼 수를 입력하세요."
    box.fill("19")
    page.get_by_role("button", name="확인").click()
    assert page.get_by_role("status").inner_text() == (
        "✗ 틀렸습니다: 19. 편향을 빠뜨리면 나오는 값입니다. 다시 예측하거나 값을 보세요."
    )
    box.fill("20")
    page.keyboard.press("Enter")
    assert page.locator(".words .sum").first.inner_text() == "✓ 20, 맞습니다."
    page.get_by_role("button", name="다음").click()
    page.get_by_role("button", name="값 보기").click()
    assert page.locator(".words .sum").first.inner_text() == "값은 26입니다."


def test_a_question_in_korean(show_piece):
    question = in_korean(PIECES["choice"])
    page = show_piece(question)
    page.get_by_role("button", name="아뇨").click()
    verdict = page.get_by_role("status")
    assert verdict.inner_text() == "✗ 틀렸습니다: “아뇨”. 다시 예측하거나 답을 보세요."
    page.get_by_role("button", name="네", exact=True).click()
    assert verdict.inner_text() == "✓ 맞습니다: 네. 네."
    page.reload()
    assert verdict.inner_text().startswith("처음 예측: “아뇨”. 맞지 않았습니다.")
