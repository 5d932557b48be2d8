"""Pieces in JupyterLab, whose shortcuts want the same keys, and in its dark theme."""

import pytest

from helpers.pieces.draw_digit import draw_digit
from helpers.pieces.filter_dialog import filter_dialog
from helpers.pieces.network_explorer import explore_network
from helpers.pieces.prediction import ask
from helpers.pieces.stepper import step_conv2d
from helpers.pieces.train_here import train_here

pytestmark = pytest.mark.e2e

NUMBER = ask("How many?", 12, name="02-n", because="That is why.", wrong={9: "Stride 1."})
CHOICE = ask("Is it?", "no", name="03-c", because="That is why.", choices=["yes", "no"])


def test_their_keys_are_theirs(show_in_lab):
    page = show_in_lab(NUMBER, CHOICE, explore_network())
    number, choice, explorer = page.locator(".jp-OutputArea-output > [class^=cnn-]").all()

    box = number.get_by_role("textbox")
    box.click()
    for key in (*"ddabx", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    assert box.input_value() == "ddabx"
    # JupyterLab keeps a form from being sent by Enter.
    box.fill("9")
    page.keyboard.press("Enter")
    assert number.locator(".verdict").inner_text() == (
        "✗ Not 9. Stride 1. Guess again, or show the answer."
    )
    choice.get_by_role("button", name="no").focus()
    page.keyboard.press("Enter")
    for key in "ddabx":
        page.keyboard.press(key)
    assert choice.locator(".verdict").inner_text() == "✓ Right: no. That is why."

    kernel = explorer.get_by_label("kernel of layer 1", exact=True)
    kernel.click()
    page.keyboard.press("ArrowUp")
    assert kernel.input_value() == "6"
    explorer.locator(".gives").nth(1).click()
    for key in (*"ddabx", "ArrowDown"):
        page.keyboard.press(key)
    assert explorer.evaluate("e => e.networkExplorer.text()").startswith("conv 10 k6, maxpool")
    assert page.locator(".jp-Cell").count() == 3
    assert page.locator(".jp-Dialog").count() == 0
    assert "three dots" in number.locator(".note").inner_text()


def test_a_guess_and_a_training_in_the_dark_theme(show_in_lab):
    stepped = step_conv2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
    page = show_in_lab(stepped, train_here(), draw_digit(), filter_dialog(), explore_network())
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    for item in ("Theme", "JupyterLab Dark"):
        page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    hosts = page.locator(".jp-OutputArea-output > [class^=cnn-]")
    hosts.nth(4).locator(".box.dark").wait_for()
    assert hosts.locator(".box.dark").count() == 5
    steps, training = hosts.nth(0), hosts.nth(1)

    # JupyterLab takes Shift and Enter for "run the cell", and moves on to the next one.
    steps.get_by_label("guess first").check()
    box = steps.get_by_role("textbox")
    box.click()
    page.keyboard.type("18")
    page.keyboard.press("Enter")
    assert steps.locator("[role=status]").inner_text().startswith("✗ Not 18.")
    box.fill("19")
    page.keyboard.press("Shift+Enter")
    assert steps.locator(".words").inner_text().startswith("✓ 19 is right.")

    training.get_by_label("Seed").fill("3")
    for key in (*"ddabx", "Enter"):
        page.keyboard.press(key)
    training.get_by_role("button", name="One step").click()
    page.keyboard.press("Enter")
    training.get_by_text("step 2, epoch 0.1").wait_for()
    assert page.locator(".jp-Cell").count() == 5
    assert page.locator(".jp-Dialog").count() == 0
    prompts = page.locator(".jp-InputPrompt").all_text_contents()
    assert prompts == [f"[{n}]:" for n in range(1, 6)]  # none was run again
