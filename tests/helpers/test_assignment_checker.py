"""What a student reads when something is wrong: each bad input ends in a clear message."""

import contextlib
import sys
import time
import warnings

import numpy as np
import pytest
import torch

from helpers.assignment import Checker, CheckFailed, Sheet, checker, fingerprint
from helpers.assignment.messages import WIDTH
from helpers.assignment.time_limit import TookTooLong

IMAGE = np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8]])
KERNEL = np.array([[0, 1], [2, 3]])
RIGHT = [[19, 25], [37, 43]]


def correlate(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijab,ab->ij", windows, kernel)


def run(student, test, sheet=None, **names):
    """Run a test cell with a student's function, as a notebook does: the failure, or None."""
    space = {"check": Checker("trial", sheet or Sheet()), "f": student, "np": np, "torch": torch}
    space.update(IMAGE=IMAGE, KERNEL=KERNEL, RIGHT=RIGHT, **names)
    try:
        exec(test, space)
    except CheckFailed as failure:
        return failure
    return None


GIVES = 'check("f", IMAGE, KERNEL).gives(RIGHT, window={"kernel_size": 2})'


@pytest.mark.parametrize(
    "right",
    [
        correlate,
        lambda image, kernel: torch.tensor(correlate(image, kernel)),
        lambda image, kernel: correlate(image, kernel).astype(np.float32),
        lambda image, kernel: np.asfortranarray(correlate(image, kernel)),
        lambda image, kernel: torch.tensor(correlate(image, kernel) * 1.0, requires_grad=True),
    ],
)
def test_right_answers_of_any_kind_pass(right):
    assert run(right, GIVES) is None


@pytest.mark.parametrize("kind", ["np.array", "torch.tensor"])
def test_an_input_of_any_kind_that_was_changed_is_shown(kind):
    def halved(x):
        x /= 2
        return x

    failure = run(halved, f'check("f", {kind}([3.0, 1.0])).keeps_inputs()')
    assert failure.kind == "inputs"
    assert "expected  [3. 1.]" in str(failure)
    assert "received  [1.5 0.5]" in str(failure)


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (lambda image, kernel: None, "type", "Does the function end with `return`?"),
        (lambda image, kernel: RIGHT, "type", "is a list, not an array"),
        (lambda image, kernel: "19", "type", "is a str, not an array"),
        (lambda image, kernel: 19, "type", "is an int, not an array"),
        (lambda image, kernel: np.array([["a", "b"], ["c", "d"]]), "type", "should hold numbers"),
        (lambda image, kernel: np.full((2, 2), np.nan), "values", "4 of 4 values are NaN"),
        (lambda image, kernel: correlate(image, kernel)[:1], "shape", "expected (2, 2)"),
        (lambda image, kernel: correlate(image, kernel) + 1, "values", "first at [0, 0]"),
        (lambda image, kernel: image[7], "error", "IndexError"),
        (lambda image: image, "error", "TypeError"),
        (lambda image, kernel: sys.exit(), "error", "SystemExit"),
        (lambda image, kernel: 1 / 0, "error", "ZeroDivisionError"),
    ],
)
def test_wrong_answers_are_told_with_call_and_numbers(wrong, kind, says):
    failure = run(wrong, GIVES)
    assert failure.kind == kind
    assert says in " ".join(str(failure).split())
    assert "f(3×3 array, 2×2 array)" in str(failure)
    assert max(map(len, str(failure).split("\n"))) <= WIDTH + 14


def test_missing_function_and_overwritten_name():
    assert "There is no `g`" in str(run(correlate, 'check("g", IMAGE)'))
    assert "should be a function, but it is an ndarray" in str(run(IMAGE, GIVES))


def test_unwritten_function_says_only_that():
    def student(image, kernel):
        raise NotImplementedError

    message = " ".join(str(run(student, GIVES)).split())
    assert message == (
        "f: it is not written yet: `student` still reaches `raise NotImplementedError`. "
        "Write your answer, and delete that line."
    )


def test_an_error_of_pytorchs_own_is_no_unwritten_function():
    message = str(run(lambda image, kernel: torch.arange(3).softmax(0), GIVES))
    assert message.startswith('f: NotImplementedError: "softmax')
    assert "not written" not in message


def test_error_and_the_students_line_come_first_and_inputs_do_not_come(tmp_path):
    path = tmp_path / "student.py"
    path.write_text("def student(image, kernel):\n    return imge[99]  # too far\n")
    space = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    assert str(run(space["student"], GIVES)).split("\n") == [
        "f: NameError: name 'imge' is not defined",
        "  in        student, line 2:",
        "              return imge[99]  # too far",
        "  why       There is no `imge` here. Did you mean `image`?",
        "  call      f(3×3 array, 2×2 array)",
    ]


def test_inputs_are_short():
    def wrong(*arrays):
        return np.zeros((2, 2))

    test = 'check("f", np.ones((3, 40, 40)), np.arange(80.0).reshape(2, 2, 4, 5) - 7).gives(RIGHT)'
    message = str(run(wrong, test))
    assert "  input     argument 1 = 3×40×40 numbers, all 1\n" in message
    assert "  input     argument 2 = 2×2×4×5 numbers, from -7 to 72\n" in message
    assert "[[0 1 2]\n" in str(run(wrong, GIVES))


def test_expected_numbers_are_of_the_type_that_came():
    message = str(run(lambda image, kernel: correlate(image, kernel) + 0.5, GIVES))
    assert "expected  array of shape 2×2\n              [[19. 25.]\n" in message
    assert "received  array of shape 2×2, float64\n              [[19.5 25.5]\n" in message
    assert "int64" not in message.partition("  expected  ")[2]


def test_numbers_are_shown_without_the_names_of_their_types():
    one, half = np.int64(1), np.float32(0.5)
    message = str(run(lambda: [one, half, (one,)], 'check("f").gives((1, 2))'))
    assert "received  [1, 0.5, (1,)]" in message
    message = str(run(lambda: {"a": one, "b": torch.tensor(half)}, 'check("f").gives({"a": 1})'))
    assert "received  {'a': 1, 'b': 0.5}" in message
    message = str(run(lambda n: np.array([n, True]), 'check("f", np.int64(3)).gives_at({(1,): 5})'))
    assert "at [1] expected 5, received 1." in message
    assert "call      f(3)" in message
    assert "received True" in str(run(lambda: np.array([True]), 'check("f").gives_at({(0,): 0})'))


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="needs SIGALRM")
def test_endless_loop_is_stopped_even_if_it_catches_exceptions():
    def student(image, kernel):
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    failure = run(student, 'check.limit(0.2)("f", IMAGE, KERNEL).gives(RIGHT)')
    assert failure.kind == "too long"
    assert "still running after 0.2 seconds" in str(failure)
    assert "  stopped   student, line " in str(failure)
    assert run(correlate, GIVES) is None


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="needs SIGALRM")
def test_time_in_which_others_have_the_processor_is_not_counted():
    def waits(image, kernel):
        time.sleep(0.3)  # as if others were at work
        return correlate(image, kernel)

    assert run(waits, 'check.limit(0.1)("f", IMAGE, KERNEL).gives(RIGHT)') is None


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="needs SIGALRM")
def test_what_waits_for_ever_is_stopped_by_the_clock_on_the_wall():
    def waits(image, kernel):
        while True:
            time.sleep(0.01)

    failure = run(waits, 'check.limit(0.02)("f", IMAGE, KERNEL).gives(RIGHT)')
    assert failure.kind == "too long"


def test_a_call_has_20_seconds_and_2_once_that_was_too_short(monkeypatch):
    """And by the clock on the wall ten times as long: others may have the processors."""
    given, slow = [], []

    @contextlib.contextmanager
    def limit(wall_seconds, *, thread_seconds):
        given.append((thread_seconds, wall_seconds))
        if slow[-1]:
            raise TookTooLong
        yield

    monkeypatch.setattr(checker, "time_limit", limit)
    space = {"f": correlate, "g": lambda *given: 0, "check": Checker("trial", Sheet())}
    space |= {"IMAGE": IMAGE, "KERNEL": KERNEL}
    for name, is_slow in (("f", False), ("f", True), ("f", False), ("g", False)):
        slow.append(is_slow)
        with contextlib.suppress(CheckFailed):
            exec(f'check("{name}", IMAGE, KERNEL)', space)
    assert given == [(20, 200), (20, 200), (2, 20), (20, 200)]


def test_message_shows_the_window_of_the_first_wrong_value():
    def student(image, kernel):
        result = correlate(image, kernel)
        result[1, 0] += 5
        return result

    message = str(run(student, GIVES))
    assert "first at [1, 0]: expected 37, received 42" in message
    assert "rows 1 to 2 and columns 0 to 1" in message
    assert "[[3 4]\n               [6 7]]" in message


def test_window_follows_stride_padding_and_batch():
    image = np.arange(32).reshape(2, 1, 4, 4)
    test = (
        'check("f", BATCH).gives_at({(1, 0, 1, 1): -1}, '
        'window={"kernel_size": 2, "stride": 2, "padding": 0})'
    )
    message = str(run(lambda x: x[..., ::2, ::2], test, BATCH=image))
    assert "[26 27]\n               [30 31]" in message
    test = 'check("f", IMAGE).gives_at({(0, 0): -1}, window={"kernel_size": 3, "padding": 1})'
    assert "rows 0 to 1 and columns 0 to 1" in str(run(lambda x: x, test))


def test_gives_at_looks_at_these_places_only():
    test = 'check("f", IMAGE, KERNEL).gives_at({(0, 1): 25})'
    assert run(lambda image, kernel: correlate(image, kernel)[:1], test) is None
    assert run(lambda image, kernel: correlate(image, kernel)[:, :1], test).kind == "shape"
    assert run(lambda image, kernel: -correlate(image, kernel), test).kind == "values"


def test_gives_at_forgives_rounding_where_zero_is_expected():
    test = 'check("f").gives_at({(0, 0): 0, (0, 1): 25})'
    assert run(lambda: np.array([[1e-14, 25.0]]), test) is None
    assert run(lambda: np.array([[1e-4, 25.0]], dtype=np.float32), test) is None
    assert run(lambda: np.array([[0.1, 25.0]]), test).kind == "values"


def test_numbers_are_shown_with_six_digits_and_with_more_where_they_differ_there():
    test = 'check("f").gives_at({(0,): 17.88854381999832})'
    assert "expected 17.8885, received 0.333333" in str(run(lambda: np.array([1 / 3]), test))
    assert "received 17.8885439" in str(run(lambda: np.array([17.8885439]), test))
    nested = [np.array([0.1 + 0.2, 7.0])]
    claim = 'check("f").satisfies("something", lambda found: False)'
    assert "[[0.3, 7]]" in str(run(lambda: nested, claim))


def test_dtype_memory_and_inputs():
    assert run(correlate, 'check("f", IMAGE * 1.0, KERNEL * 1.0).has_dtype(np.float64)') is None
    failure = run(correlate, 'check("f", IMAGE, KERNEL).has_dtype(np.float32)')
    assert failure.kind == "dtype"
    assert "int64, expected float32" in str(failure)

    def in_place(image, kernel):
        image += 1
        return image

    assert run(in_place, 'check("f", IMAGE, KERNEL).keeps_inputs()').kind == "inputs"
    assert run(in_place, 'check("f", IMAGE, KERNEL).is_new()').kind == "memory"
    assert run(correlate, 'check("f", IMAGE, KERNEL).keeps_inputs().is_new()') is None
    assert IMAGE[0, 0] == 0  # the test's own array was never touched


def test_raises():
    def student(size):
        if size < 0:
            raise ValueError("7 or 9 would fit")
        return size

    assert run(student, 'check("f", -1).raises(ValueError, mentions=7)') is None
    assert "should mention 8" in str(run(student, 'check("f", -1).raises(ValueError, mentions=8)'))
    assert "returned a value" in str(run(student, 'check("f", 1).raises(ValueError)'))
    assert run(student, 'check("f", "a").raises(ValueError)').kind == "error"
    assert run(student, 'check("f", -1).gives(1)').kind == "error"


def test_tuples_dicts_texts_and_numbers():
    assert run(lambda: (1, [2]), 'check("f").gives((1, np.array([2])))').kind == "type"
    assert run(lambda: [1, 2], 'check("f").gives((1, 2))') is None
    assert "value 2 of 2" in str(run(lambda: (1, 3), 'check("f").gives((1, 2))'))
    assert run(lambda: 1, 'check("f").gives((1, 2))').kind == "type"
    assert "should be 2 values, it is" in str(run(lambda: 1, 'check("f").gives((1, 2))'))
    assert "should hold 0 values, not 2" in str(run(lambda: (1, 2), 'check("f").gives(())'))
    assert run(lambda: {"a": 1}, 'check("f").gives({"a": 1})') is None
    assert run(lambda: {"b": 1}, 'check("f").gives({"a": 1})').kind == "type"
    assert run(lambda: "same", 'check("f").gives("same")') is None
    assert run(lambda: "other", 'check("f").gives("same")').kind == "values"
    assert run(lambda: np.float32(3), 'check("f").gives(3)') is None
    assert run(lambda: torch.tensor([3.0]), 'check("f").gives(3)') is None
    assert run(lambda: None, 'check("f").gives(None)') is None
    assert run(lambda: 0, 'check("f").gives(None)').kind == "values"
    assert run(lambda: 1, 'check("f").gives(True)') is None


def test_claims():
    test = 'check("f").satisfies("an accuracy of at least 0.9", lambda a: a >= 0.9)'
    assert run(lambda: 0.95, test) is None
    assert "expected an accuracy of at least 0.9" in str(run(lambda: 0.5, test))
    assert "Does the function end with `return`?" in str(run(lambda: None, test))
    assert "another form" in str(run(lambda: "text", test))


def test_an_object_equal_to_everything_is_no_number():
    class Yes(np.ndarray):
        def __eq__(self, other):
            return np.ones(self.shape, dtype=bool)

    def student(image, kernel):
        return np.zeros((2, 2)).view(Yes)

    assert run(student, GIVES).kind == "values"


def test_a_warning_costs_nothing(capfd):
    def student(image, kernel):
        warnings.warn("careful", stacklevel=1)
        print("to stderr", file=sys.stderr)
        return correlate(image, kernel)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run(student, GIVES) is None
    assert capfd.readouterr().err == ""


def test_hidden_checks_keep_their_numbers_to_themselves():
    def student(image, kernel):
        raise ValueError(f"the image was {image.tolist()}")

    for wrong in (student, lambda image, kernel: RIGHT, lambda image, kernel: -image):
        failure = run(wrong, 'check.hidden("f", IMAGE * 77, KERNEL).gives([[1357, 2], [3, 4]])')
        assert failure.hidden
        assert "1357" not in str(failure)
        assert "77" not in str(failure)
        assert str(failure).startswith("f: a hidden test fails.")


def test_probe_observes_a_class_at_work():
    test = (
        "def total(thing, factor):\n    return np.array(thing(factor).values) * 1.0\n"
        'check.probe(total, "f", 3).gives([3.0, 6.0])'
    )

    class Student:
        def __init__(self, factor):
            self.values = [factor, 2 * factor]

    assert run(Student, test) is None
    assert "total of f(3)" in str(run(lambda factor: Student(factor + 1), test))


def test_known_mistake_is_told_by_name_and_only_that_one():
    flipped = [[5, 11], [23, 29]]
    evidence = ("f", (IMAGE, KERNEL), {}, "value", np.array(flipped))
    sheet = Sheet(["The kernel is flipped."], {fingerprint(*evidence): 0})
    failure = run(lambda image, kernel: correlate(image, kernel[::-1, ::-1]), GIVES, sheet)
    assert failure.diagnosis == "The kernel is flipped."
    # Other mistakes can give the same numbers: the message says no more than that these do.
    assert (
        "\n  why       One mistake that gives exactly this:\n            The kernel is flipped.\n"
    ) in str(failure)
    assert "hint" not in str(failure)
    other = run(lambda image, kernel: correlate(image, kernel) + 1, GIVES, sheet)
    assert other.diagnosis is None
    # The same numbers in float32 or as a tensor are the same mistake.
    as_tensor = run(lambda image, kernel: torch.tensor(flipped, dtype=torch.float32), GIVES, sheet)
    assert as_tensor.diagnosis == failure.diagnosis


def test_a_passed_cell_says_so_and_returns_no_value_to_nbgrader(capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    check = Checker("trial", Sheet())
    shell.user_ns.update(check=check, f=correlate, IMAGE=IMAGE, KERNEL=KERNEL, RIGHT=RIGHT)
    shell.run_cell(GIVES)
    assert capsys.readouterr().out.removeprefix("Out[0]: ") == "✓ passed\n"
    shell.user_ns["f"] = lambda image, kernel: None
    shell.run_cell(GIVES)
    shown = capsys.readouterr().out
    assert "f: the result is None." in shown
    assert "Traceback" not in shown
    InteractiveShell.clear_instance()
