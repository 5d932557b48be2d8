"""Predictions in a real browser: what counts as right, what is said, and what is remembered."""

import pytest

from helpers.pieces.prediction import PredictionRecord, ask

axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs the e2e extra: make e2e"
)

pytestmark = pytest.mark.e2e

WHY = "That is why."
NUMBER = ask("How many?", 1250, name="02-n", because=WHY, wrong={9: "Stride `1`."}, within=0.01)
SHAPE = ask("Which shape?", (2, -3), name="02-s", because=WHY, wrong={(2, 3): "The sign."})
CHOICE = ask("Is it `None`?", "no", name="03-c", because=WHY, choices=["yes", "no"])
RECORD = PredictionRecord([("02 Two", "two.html", ["02-n", "02-s"]), ("03", "3.html", ["03-c"])])


def verdict(page, number=0):
    return page.locator(".verdict").nth(number).inner_text()


def come_back(page, number, words):
    """Load the page again until this box holds these words: what is kept is written in a while.

    What has not been kept never comes.
    """
    for _ in range(20):
        page.reload()
        box = page.locator(".box").nth(number)
        box.wait_for()
        if words in box.inner_text():
            return
    raise AssertionError(f"{words!r} is not there after the page was loaded again")


def guess(page, label, text):
    box = page.get_by_role("textbox", name=label)
    box.fill(text)
    box.press("Enter")


@pytest.mark.parametrize(
    "text", ["1250", "1,250", " 1250.0 ", "1.25e3", "2500/2", "1260", "1250 %"]
)
def test_a_number_is_right(show_piece, text):
    page = show_piece(NUMBER)
    guess(page, "How many?", text)
    assert verdict(page) == "✓ Right: 1,250. That is why."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("9", "✗ Not 9. Stride 1. Guess again, or show the answer."),
        ("−1250", "✗ Not −1,250. Guess again, or show the answer."),
        ("0,5", "✗ Not 0.5. Guess again, or show the answer."),
        ("1265", "✗ Not 1,265. Guess again, or show the answer."),
        ("many", "Type a number, such as 12, 0.5 or 3/4."),
        ("1/0", "Type a number, such as 12, 0.5 or 3/4."),
        ("", "Type a number, such as 12, 0.5 or 3/4."),
    ],
)
def test_a_number_is_wrong(show_piece, text, said):
    page = show_piece(NUMBER)
    guess(page, "How many?", text)
    assert verdict(page).strip() == said
    assert (page.get_by_role("textbox").get_attribute("aria-invalid") is not None) == (
        said.startswith("Type")
    )


@pytest.mark.parametrize("text", ["2, -3", "(2,−3)", "2 -3", "[2 × -3]", "2;-3"])
def test_a_shape_is_right(show_piece, text):
    page = show_piece(SHAPE)
    guess(page, "Which shape?", text)
    assert verdict(page) == "✓ Right: (2, −3). That is why."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2, 3", "✗ Not (2, 3). The sign. Guess again"),
        ("2", "✗ Not (2,). That is 1 number; the answer has 2. Guess again"),
        ("1 2 3", "✗ Not (1, 2, 3). That is 3 numbers; the answer has 2. Guess again"),
        ("two", "Type whole numbers with commas between them"),
    ],
)
def test_a_shape_is_wrong(show_piece, text, said):
    page = show_piece(SHAPE)
    guess(page, "Which shape?", text)
    assert verdict(page).strip().startswith(said)


def test_a_choice_is_made_by_a_click_and_can_be_changed(show_piece):
    page = show_piece(CHOICE)
    yes, no = (
        page.get_by_role("button", name="yes"),
        page.get_by_role("button", name="no", exact=True),
    )
    yes.click()
    assert verdict(page).startswith("✗ Not “yes”. Guess again")
    no.press("Enter")
    assert verdict(page) == "✓ Right: no. That is why."
    assert [b.get_attribute("aria-pressed") for b in (yes, no)] == ["false", "true"]
    assert page.locator(".question code").inner_text() == "None"


def test_whoever_gives_up_is_told(show_piece):
    page = show_piece(SHAPE)
    page.get_by_role("button", name="Show the answer").click()
    assert verdict(page) == "The answer: (2, −3). That is why."
    page.reload()
    assert verdict(page) == ""  # nothing was guessed


def test_the_first_guess_is_remembered_and_can_be_forgotten(show_piece):
    page = show_piece(NUMBER, CHOICE)
    guess(page, "How many?", "9")
    guess(page, "How many?", "1250")
    page.get_by_role("button", name="no", exact=True).click()
    come_back(page, 1, "It was right.")
    assert verdict(page).startswith("Your first guess was 9. It was not right.")
    assert verdict(page, 1).startswith("Your first guess was “no”. It was right.")
    page.get_by_role("button", name="Forget it").first.click()
    assert verdict(page) == ""
    for _ in range(20):
        page.reload()
        if verdict(page) == "":
            break
    assert verdict(page) == ""
    assert verdict(page, 1).startswith("Your first guess was “no”.")


def test_the_record_counts_and_forgets(show_piece):
    page = show_piece(NUMBER, SHAPE, CHOICE, RECORD)
    assert "have 3 places" in page.locator(".box").last.inner_text()
    guess(page, "How many?", "9")
    guess(page, "Which shape?", "2, -3")
    page.get_by_role("button", name="yes").click()
    come_back(page, 3, "predicted 3 of 3 results")
    said = page.locator(".box").last.inner_text()
    assert "predicted 3 of 3 results, 1 of them rightly at the first guess." in said
    assert page.get_by_role("link").all_inner_texts() == ["02 Two", "03"]
    assert "02 Two: 2 of 2" in said
    page.get_by_role("button", name="Forget my predictions").click()
    come_back(page, 3, "have 3 places")
    assert verdict(page) == ""


def test_it_works_where_the_browser_keeps_nothing(show_piece):
    page = show_piece(NUMBER)
    for name in ("getItem", "setItem"):
        page.evaluate(f"void (Storage.prototype.{name} = () => {{ throw Error(); }})")
    guess(page, "How many?", "1250")
    assert verdict(page) == "✓ Right: 1,250. That is why."


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 320])
def test_axe_finds_nothing_and_nothing_overflows(show_piece, width, scheme):
    page = show_piece(NUMBER, SHAPE, CHOICE, RECORD, width=width, color_scheme=scheme)
    guess(page, "How many?", "9")
    guess(page, "Which shape?", "x")
    page.get_by_role("button", name="no", exact=True).click()
    found = axe_playwright.Axe().run(page, options={})
    assert {"color-contrast", "label"} <= {rule["id"] for rule in found.response["passes"]}
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_the_answer_can_be_unfolded(show_piece):
    page = show_piece(CHOICE, java_script_enabled=False)
    answer = page.get_by_text("no. That is why.")
    assert not answer.is_visible()
    page.get_by_text("The answer").click()
    assert answer.is_visible()
