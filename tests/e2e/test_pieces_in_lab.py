"""Predictions and the network explorer in JupyterLab, whose shortcuts want the same keys."""

import pytest

from helpers.pieces.network_explorer import explore_network
from helpers.pieces.prediction import ask

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
