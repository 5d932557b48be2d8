"""A network that learns in the page, in a real browser: its numbers against torch's, everything
that can be pressed, and what is left of it where no script runs.
"""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers.data import load_mnist
from helpers.pieces.draw_digit import draw_digit
from helpers.pieces.draw_digit.net import PARAMETERS, forward, normalise
from helpers.pieces.train_here import learn, train_here

axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs the e2e extra: make e2e"
)

pytestmark = pytest.mark.e2e


@pytest.fixture
def page(show_piece):
    return show_piece(train_here())


def ask(page, what, argument=None):
    """What the piece's interface for scripts answers, for instance to "weights()"."""
    return page.locator(".cnn-train-here").first.evaluate(f"(e, x) => e.trainHere.{what}", argument)


def weights(page):
    return [
        np.array(w).reshape(shape)
        for w, (_, shape) in zip(ask(page, "weights()"), PARAMETERS, strict=True)
    ]


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def wait_for_state(page, words):
    page.locator(".state", has_text=words).wait_for()


def points(page):
    """What the page measured, in the form of `learn.Point`."""
    names = ("seen", "loss", "validation", "accuracy")
    return [learn.Point(*(point[name] for name in names)) for point in ask(page, "points()")]


def assert_same_points(found, wanted, tolerance):
    assert [point.seen for point in found] == [point.seen for point in wanted]
    for name in ("loss", "validation", "accuracy"):
        both = [[getattr(p, name) for p in some] for some in (found, wanted)]
        np.testing.assert_allclose(
            *np.array(both, float), rtol=tolerance, atol=tolerance, err_msg=name
        )


# ---- the same numbers as in Python ----


def test_the_digits_are_those_of_the_sample(page):
    levels, _ = learn.sample_digits()
    pixels = np.array(learn.LEVELS)[levels].reshape(len(levels), -1)
    found = ask(page, "digits().map((digit) => digit.map((v) => Math.round(255 * v)).join())")
    assert found == [",".join(map(str, digit)) for digit in pixels]


@pytest.mark.parametrize("steps", [0, 30])
def test_gradients_equal_torch_s(page, steps):
    if steps:
        ask(page, f"step({steps})")
    levels, labels = learn.sample_digits()
    some = list(range(3, learn.TRAINING, 29))
    assert len(set(labels[some])) == 10
    parameters = [torch.from_numpy(w).requires_grad_() for w in weights(page)]
    images = torch.from_numpy(learn.as_input(levels[some]))[:, None]
    answers = learn.scores(parameters, images)
    F.cross_entropy(answers, torch.from_numpy(labels[some].astype(np.int64))).backward()
    found = ask(page, "gradients(x)", some)
    for ours, parameter, (name, _) in zip(found, parameters, PARAMETERS, strict=True):
        wanted = parameter.grad.numpy().ravel()
        largest = np.abs(wanted).max()
        assert largest > 1e-4, name
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-10 * largest, err_msg=name)


def test_the_same_seed_is_the_same_start_as_in_python(page):
    for seed in (1, 20, 2**32 - 1):
        page.get_by_label("Seed").fill(str(seed))
        press(page, "Rewind")
        wanted = learn.new_weights(learn.Random(seed))
        for ours, theirs in zip(weights(page), wanted, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_whole_run_is_the_recorded_one_and_reads_digits_that_it_never_saw(page):
    ask(page, "step(385)")
    press(page, "Go on")
    wait_for_state(page, "Finished at step 400, epoch 10.0: 10 epochs are done.")
    assert_same_points(points(page), train_here().points, 1e-6)
    test = load_mnist(train=False, source="sample")
    assert len(test) == 1000
    images = [",".join(map(str, image)) for image in test.images.flatten(1).tolist()]
    read = ask(page, "read(x.map((image) => image.split(',').map((v) => v / 255)))", images)
    accuracy = np.mean(np.array(read) == test.targets.numpy())
    print(f"{accuracy:.1%} of the sample's test part")
    assert accuracy >= 0.9


def test_other_settings_give_the_run_of_python_too(page):
    settings = learn.Settings(rate=0.03, momentum=0.5, batch=50, shift=2)
    for name, keys in (
        ("Learning rate", ["ArrowRight"]),
        ("Momentum", ["ArrowLeft"]),
        ("Batch size", ["ArrowRight"]),
        ("Random shifts", ["ArrowRight", "ArrowRight"]),
    ):
        for key in keys:
            page.get_by_role("slider", name=name).press(key)
    page.get_by_label("Seed").fill("7")
    press(page, "Rewind")
    ask(page, "step(16)")
    trained, wanted = learn.run(seed=7, epochs=1, settings=settings)
    assert_same_points(points(page), wanted, 1e-9)
    for ours, theirs in zip(weights(page), trained, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)
    page.get_by_text("The same in PyTorch").click()
    code = page.locator("pre").inner_text()
    assert "lr=0.03, momentum=0.5)" in code
    assert "batches of 50, each image moved by up to 2 pixels" in code
    compile(code, "page", "exec")


# ---- starting, stopping, and what is said ----


def test_start_pause_one_step_and_rewind(page):
    first = weights(page)
    assert page.locator(".state").inner_text() == "■ Ready. The network knows nothing yet."
    press(page, "Start")
    wait_for_state(page, "▶ Running: step 3")
    press(page, "Pause")
    wait_for_state(page, "❚❚ Paused at step")
    step = ask(page, "state().step")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    press(page, "One step")
    # The step that was half done when it was paused is ended, or a new one is done.
    assert ask(page, "state().step") == step + 1
    press(page, "Rewind")
    wait_for_state(page, "■ Ready")
    assert len(points(page)) == 1
    for ours, theirs in zip(weights(page), first, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert page.get_by_role("button", name="Start", exact=True).is_visible()


def test_a_setting_can_be_changed_while_it_runs(page):
    """The learning rate becomes the smallest one: from then on weights hardly move."""
    press(page, "Start")
    wait_for_state(page, "▶ Running: step")
    page.get_by_role("slider", name="Learning rate").press("Home")
    page.get_by_role("slider", name="Momentum").press("Home")
    assert page.locator(".state").inner_text().startswith("▶ Running")
    press(page, "Pause")
    press(page, "One step")
    before = weights(page)
    press(page, "One step")
    moved = max(np.abs(a - b).max() for a, b in zip(weights(page), before, strict=True))
    assert 0 < moved < 0.01
    assert ask(page, "state().settings") == {"rate": 0.001, "momentum": 0, "batch": 20, "shift": 0}


def test_it_stops_by_itself_at_an_accuracy(page):
    wanted = next(p for p in train_here().points if p.accuracy >= 0.95)
    ask(page, f"step({wanted.seen // 20 - 10})")
    page.get_by_label("Stop").select_option(label="at 95 % of the validation digits")
    press(page, "Go on")
    share = f"{100 * wanted.accuracy:.1f} % of the validation digits are read."
    wait_for_state(
        page, f"Finished at step {wanted.seen // 20}, epoch {wanted.seen / 800:.1f}: {share}"
    )


def test_early_stopping_takes_the_best_weights_back(page):
    first = weights(page)
    ask(page, "set({ rate: -0.002, momentum: 0 })")  # it goes uphill: the start stays the best
    page.get_by_label("Stop").select_option("early")
    press(page, "Start")
    wait_for_state(page, "Finished at step 120, epoch 3.0: no lower validation loss for 3 epochs")
    assert "The weights of step 0" in page.locator(".state").inner_text()
    for ours, theirs in zip(weights(page), first, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_network_that_died_is_explained_and_taken_back(page):
    page.get_by_role("slider", name="Learning rate").press("End")
    press(page, "Start")
    wait_for_state(page, "✕ Stopped at step")
    words = page.locator(".why").inner_text()
    assert words.startswith("The network has died: whatever it sees, its ten scores are the same.")
    assert "a rate of 3, which a momentum of 0.9 can make 10 times as large" in words
    assert all(np.isfinite(w).all() for w in weights(page))
    page.get_by_role("slider", name="Learning rate").press("Home")
    press(page, "Go on")
    wait_for_state(page, "▶ Running")
    assert page.locator(".why").inner_text() == ""


def test_a_loss_that_is_not_a_number_is_explained(page):
    ask(page, "step(20)")
    kept = weights(page)
    ask(page, "set({ rate: 1e250, momentum: 0.5 })")
    press(page, "Go on")
    wait_for_state(page, "✕ Stopped at step")
    words = page.locator(".why").inner_text()
    assert words.startswith("The loss is not a number any more")
    assert "The weights of step 20 are back. Choose a smaller rate, then go on or rewind." in words
    for ours, theirs in zip(weights(page), kept, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert math.isfinite(points(page)[-1].validation)
    ask(page, "set({ rate: 0.01, momentum: 0.5 })")
    ask(page, "step(1)")  # the speed of the steps that led astray is forgotten, too
    for ours, theirs in zip(weights(page), kept, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.2)


def test_what_is_measured_is_there_as_text(page):
    ask(page, "step(40)")
    *_, last = points(page)
    said = (
        f"Loss: training {last.loss:.3f}, validation {last.validation:.3f}. "
        f"Accuracy: {round(200 * last.accuracy)} of 200 validation digits, "
        f"{100 * last.accuracy:.1f} %."
    )
    assert page.locator(".numbers").inner_text() == said
    for name in ("Loss", "Accuracy"):
        chart = page.get_by_role("img", name=f"{name} over 10 epochs. {said}", exact=True)
        assert chart.is_visible()
    lines = page.locator("polyline").evaluate_all(
        "all => all.map((line) => line.getAttribute('points').split(' ').length)"
    )
    assert lines == [2, 3, 3]  # nothing is learned before the first measurement
    page.get_by_text("All that was measured, as a table").click()
    page.locator(".values tr").nth(3).wait_for()
    rows = page.locator(".values tr").all_inner_texts()
    assert len(rows) == 4
    wanted = ["40", "1.0", f"{last.loss:.3f}", f"{last.validation:.3f}"]
    assert rows[-1].split("\t") == [*wanted, f"{100 * last.accuracy:.1f} %"]


def test_two_on_a_page_do_not_run_at_the_same_time(show_piece):
    page = show_piece(train_here("One"), train_here("Two"))
    one, two = (page.get_by_role("region", name=name) for name in ("One", "Two"))
    one.get_by_role("button", name="Start").click()
    one.locator(".state", has_text="▶ Running: step").wait_for()
    two.get_by_role("button", name="Start").click()
    one.locator(".state", has_text="❚❚ Paused at step").wait_for()
    two.locator(".state", has_text="▶ Running: step").wait_for()


def test_a_piece_that_is_taken_off_the_page_stops(page):
    press(page, "Start")
    wait_for_state(page, "▶ Running: step")
    host = page.locator(".cnn-train-here").element_handle()
    host.evaluate("e => e.remove()")
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    assert host.evaluate("e => e.trainHere.state().state") == "paused"


# ---- looking into it ----


def test_filters_and_maps_change_while_it_learns(page):
    pictures = """all => all.map((e) => e.getContext("2d")
        .getImageData(0, 0, e.width, e.height).data.join())"""
    lines = [page.locator(".ten").nth(n).locator("canvas") for n in range(3)]
    before = [line.evaluate_all(pictures) for line in lines]
    assert before[0] == before[1]
    ask(page, "step(60)")
    start, now, maps = [line.evaluate_all(pictures) for line in lines]
    assert start == before[0]
    assert all(a != b for a, b in zip(now, start, strict=True))
    assert all(a != b for a, b in zip(maps, before[2], strict=True))


def test_the_digit_is_answered_as_python_answers(page):
    ask(page, "step(100)")
    net = [w.astype(np.float32) for w in weights(page)]
    levels, labels = learn.sample_digits()
    for k in (1, 2):
        number = learn.TRAINING + 67 * (k + 1) % learn.VALIDATION
        press(page, "Another digit")
        image = normalise(np.array(learn.LEVELS)[levels[number]])
        wanted = np.exp(forward(net, image)["log_probabilities"])
        shares = page.locator(".bars tr td:last-child").all_inner_texts()
        for text, p in zip(shares, wanted, strict=True):
            if 0.0005 <= p <= 0.9995:
                assert float(text.strip("%")) == pytest.approx(100 * p, abs=0.06)
        said = page.locator(".said").inner_text()
        assert said.startswith((f"Read as {wanted.argmax()}", f"Unsure: {wanted.argmax()}"))
        assert said.endswith(f"It is a {labels[number]}.")


def test_one_draws_by_finger_and_by_keyboard_while_it_learns(show_piece):
    page = show_piece(train_here(), width=390, has_touch=True)
    press(page, "Start")
    wait_for_state(page, "▶ Running: step")
    press(page, "Clear")
    assert page.locator(".said").inner_text() == "Draw a digit."
    area = page.locator(".pad").bounding_box()
    page.touchscreen.tap(area["x"] + 90, area["y"] + 60)
    page.locator(".said", has_text="(").wait_for()
    press(page, "Clear")
    page.locator(".pad").focus()
    for key in ("Space", *["ArrowDown"] * 12, "Space"):
        page.keyboard.press(key)
    page.locator(".said", has_text="(").wait_for()
    assert "It is a" not in page.locator(".said").inner_text()


def test_draw_a_digit_answers_with_the_network_that_was_trained_here(show_piece):
    page = show_piece(train_here(), draw_digit())
    ask(page, "step(150)")
    press(page, "Use it in “Draw a digit”")
    other = page.locator(".cnn-draw-digit")
    images = load_mnist(train=False, source="sample").images[:20].numpy()
    net = [w.astype(np.float32) for w in weights(page)]
    for image in images:
        found = other.evaluate(
            "(e, x) => [...e.digit.image(x).probabilities]", (image / 255.0).ravel().tolist()
        )
        wanted = np.exp(forward(net, normalise(image))["log_probabilities"])
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    note = other.locator(".note").first.inner_text()
    assert note.startswith("Trained in this page: seed 1, 150 steps, ")


def test_without_draw_a_digit_there_is_nothing_to_hand_it_to(page):
    assert not page.get_by_role("button", name="Use it in").is_visible()


# ---- looks ----


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390, 320])
def test_axe_finds_nothing_and_nothing_overflows(show_piece, width, scheme):
    page = show_piece(train_here(), width=width, color_scheme=scheme)
    ask(page, "step(20)")
    ask(page, "set({ rate: 1e250 })")
    press(page, "Go on")
    wait_for_state(page, "Stopped")
    for summary in page.locator("summary").all():
        summary.click()
    found = axe_playwright.Axe().run(page, options={})
    assert {"color-contrast", "label"} <= {rule["id"] for rule in found.response["passes"]}
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.locator("button, select, input[type=number]").evaluate_all(
        """list => list.filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect())
            .filter((r) => r.width < 24 || r.height < 24).length"""
    )
    assert small == 0


def test_without_scripts_the_curves_and_numbers_stay(show_piece):
    page = show_piece(train_here(), java_script_enabled=False)
    picture = page.get_by_role("img", name="Two charts over 10 epochs.")
    assert picture.evaluate("e => e.naturalWidth") == 660
    assert page.locator("tr").count() == 12
