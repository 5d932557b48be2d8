"""The shell of the student's process: what a cell shows comes out as a notebook file holds it."""

import base64
import builtins
import contextlib
import io
import sys
from types import SimpleNamespace

import pytest

from grader.sandbox.inside import shell as module
from grader.sandbox.inside.shell import Collector, Hook, Publisher, Stream, collector, run_cell


@pytest.fixture(scope="module")
def shell():
    """Made once, as in the sandbox; afterwards this process is as it was."""
    before = sys.modules["__main__"], dict(vars(builtins)), sys.excepthook, sys.displayhook
    made = module.make_shell()
    yield made
    module.Shell.clear_instance()
    sys.modules["__main__"], names, sys.excepthook, sys.displayhook = before
    for name in set(vars(builtins)) - set(names):
        delattr(builtins, name)


def shown(shell, code, limit=10_000):
    """What a cell shows, each as a few words, and whether it failed."""
    outputs, failed, _ = run_cell(shell, code, limit)
    return [words(output) for output in outputs], failed


def words(output):
    kind = output["output_type"]
    if kind == "stream":
        return output["name"], output["text"]
    if kind == "error":
        return output["ename"], output["evalue"]
    return kind, output["data"]["text/plain"]


def out(text):
    return "stdout", text


def err(text):
    return "stderr", text


# --- collected -----------------------------------------------------------------------------------


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def test_texts_of_one_stream_that_follow_each_other_are_one():
    made = Collector()
    for text, name in (("a", "stdout"), ("b", "stdout"), ("c", "stderr"), ("d", "stdout")):
        made.add(stream(text, name))
    made.add({"output_type": "error", "name": "stdout", "text": "e"})
    made.add(stream("f"))
    assert [output["text"] for output in made.outputs] == ["ab", "c", "d", "e", "f"]


def test_what_is_collected_has_a_limit_and_says_so_once():
    """Each dict and list counts 8 bytes, and so does each number; a text counts its letters."""
    one = {"output_type": "stream", "name": "stdout", "text": "12345"}  # 8 + 6 + 6 + 5
    made = Collector()
    made.begin(50)
    made.add(dict(one))
    made.add(dict(one))
    assert (made.is_full, [output["text"] for output in made.outputs]) == (False, ["1234512345"])
    for _ in range(2):
        made.add(dict(one))
    assert made.is_full
    assert made.outputs[1:] == [stream("... too much output\n", "stderr")]
    made.begin(25 + 8 + 8 + 8 + 1)
    made.add({**one, "data": [1, b"x", (None,)]})  # 25 + 8 + 8 + 1 + (8 + 8)
    assert made.is_full
    made.begin(25 + 8 + 8 + 1 + 8 + 8)
    made.add({**one, "data": [1, b"x", (None,)]})
    assert (made.is_full, len(made.outputs)) == (False, 1)


def test_a_cell_may_clear_what_it_has_shown():
    collector.begin(30)
    collector.add(stream("12345"))
    Publisher().clear_output()
    collector.add(stream("12345"))
    assert collector.outputs == [stream("12345")]
    assert collector.limit == 30


def test_only_text_can_be_written_to_a_stream():
    collector.begin(1000)
    one = Stream("stderr")
    assert (one.write("가나"), one.writable(), one.isatty()) == (2, True, False)
    with pytest.raises(TypeError, match=r"write\(\) argument must be str, not bytes"):
        one.write(b"x")
    assert collector.outputs == [stream("가나", "stderr")]


def test_what_is_displayed_is_made_what_json_can_hold():
    class Odd:
        def __str__(self):
            return "odd"

    collector.begin(10_000)
    data = {
        "image/png": b"\x89PNG",
        "application/json": {"a": [1]},
        "text/plain": Odd(),
        "loop": [Odd()],
        7: None,
        **{"n": 1, "f": 0.5, "t": True},
    }
    Publisher().publish(data, {"width": 3}, source="x")
    Publisher().publish({"text/plain": "b"})
    assert collector.outputs == [
        {
            "output_type": "display_data",
            "data": {
                "image/png": base64.b64encode(b"\x89PNG").decode(),
                "application/json": {"a": [1]},
                "text/plain": "odd",
                "7": None,
                **{"n": 1, "f": 0.5, "t": True},
            },
            "metadata": {"width": 3},
        },
        {"output_type": "display_data", "data": {"text/plain": "b"}, "metadata": {}},
    ]


def test_the_value_of_a_last_line_has_the_number_of_the_cell():
    collector.begin(10_000)
    hook = SimpleNamespace(prompt_count=4)
    Hook.write_format_data(hook, {"text/plain": "3"}, {"a": 1})
    Hook.write_format_data(hook, {})
    assert collector.outputs == [
        {
            "output_type": "execute_result",
            "execution_count": 4,
            "data": {"text/plain": "3"},
            "metadata": {"a": 1},
        }
    ]


# --- cells ---------------------------------------------------------------------------------------


def test_a_magic_in_a_function_knows_the_function_s_own_names(shell):
    code = "def f():\n    inner = 5\n    %time print(inner)\n\n\nf()"
    (first, *_), failed = shown(shell, code)
    assert (first[0], first[1].split("\n")[0], failed) == ("stdout", "5", False)


@pytest.mark.parametrize(
    ("code", "outputs", "failed"),
    [
        ("print('a')\n1 + 1", [out("a\n"), ("execute_result", "2")], False),
        ("1 + 1;", [], False),
        ("import sys\nprint('a', file=sys.stderr)", [err("a\n")], False),
        ("display(3)", [("display_data", "3")], False),
        ("print('a')\n1 / 0", [out("a\n"), ("ZeroDivisionError", "division by zero")], True),
        ("raise KeyboardInterrupt", [("KeyboardInterrupt", "")], True),
        ("raise SystemExit", [("SystemExit", "")], True),
        ("raise ValueError('a')", [("ValueError", "a")], True),
    ],
)
@pytest.mark.filterwarnings("ignore:To exit")
def test_a_cell_shows_what_it_would_show_in_a_notebook(shell, code, outputs, failed):
    assert shown(shell, code) == (outputs, failed)


def test_cells_are_counted_and_know_what_the_earlier_ones_gave(shell):
    _, _, first = run_cell(shell, "40 + 2", 1000)
    outputs, _, second = run_cell(shell, "_ + 1", 1000)
    assert second == first + 1
    assert (outputs[0]["execution_count"], outputs[0]["data"]["text/plain"]) == (second, "43")


def test_of_a_cell_that_shows_too_much_the_failure_is_shown_all_the_same(shell):
    outputs, failed, _ = run_cell(shell, "print('x' * 50)\nprint('y' * 500)\n1 / 0", 100)
    assert failed
    assert collector.is_full
    assert [output.get("text", output.get("ename"))[:7] for output in outputs] == [
        *("xxxxxxx", "... too", "Stopped")
    ]


def test_of_a_deep_recursion_the_end_is_shown(shell):
    def traceback_of(depth):
        code = f"def f(n):\n    return f(n - 1) if n else 1 / 0\n\n\nf({depth})"
        (output,), failed, _ = run_cell(shell, code, 10**6)
        assert (output["ename"], output["evalue"], failed) == (
            *("ZeroDivisionError", "division by zero"),
            True,
        )
        return "\n".join(output["traceback"])

    short, whole = traceback_of(90), traceback_of(30)
    assert "[Previous line repeated 7 more times]" in short  # after three: of ten in all
    assert "Cell In" not in short
    assert "Cell In" in whole
    assert "return f(n - 1)" in whole


@pytest.mark.parametrize("end", [SystemExit, None])
def test_a_cell_that_was_stopped_without_a_word_says_that_it_was(end):
    def run(code, store_history, silent):
        assert (code, store_history, silent) == ("x", True, False)
        if end:
            raise end
        return SimpleNamespace(success=False)

    made, failed, count = run_cell(SimpleNamespace(run_cell=run, execution_count=8), "x", 0)
    assert (failed, count) == (True, 7)
    assert made == [
        {"output_type": "error", "ename": "Stopped", "evalue": "", "traceback": ["Stopped"]}
    ]


def test_an_error_without_words_is_shown_without(shell):
    code = "class E(Exception):\n    def __str__(self):\n        raise ValueError\n\n\nraise E"
    outputs, failed = shown(shell, code)
    assert (outputs[0], failed) == (("E", ""), True)


NOT_HERE = "Programs cannot be started here.\n"


@pytest.mark.parametrize(
    ("code", "outputs", "failed"),
    [
        ("!ls\nprint('on')", [err(NOT_HERE), out("on\n")], False),
        ("%pip install numpy\nprint('on')", [err(NOT_HERE), out("on\n")], False),
        *(
            (f"get_ipython().run_line_magic({name!r}, 'install x')", [err(NOT_HERE)], False)
            for name in ("pip", "uv", "conda", "mamba", "micromamba")
        ),
        ("%load_ext none_of_it\nprint('on')", ["%load_ext cannot be used here: "], False),
        ("%reload_ext none_of_it\nprint('on')", ["%reload_ext cannot be used here: "], False),
        ("%none_of_it 3\nprint('on')", ["%none_of_it cannot be used here: "], False),
        ("%gui qt\nprint('on')", [out("on\n")], False),
        ("%timeit -n 1 -r 1 import none_of_it", [("ModuleNotFoundError",)], True),
    ],
)
def test_what_cannot_work_here_costs_no_line_below_it(shell, code, outputs, failed):
    made, has_failed = shown(shell, code)
    for one, expected in zip(made, outputs, strict=False):
        if isinstance(expected, str):
            assert one[0] == "stderr"
            assert one[1].startswith(expected)
            assert made[-1] == out("on\n")
        else:
            assert one[: len(expected)] == expected
    assert (has_failed, len(made) >= len(outputs)) == (failed, True)


def test_a_first_error_leaves_nothing_behind(shell):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        module.warm_errors(shell)
    assert said.getvalue() == ""
    assert collector.outputs == []
    assert not {"last_type", "last_value", "last_traceback", "last_exc"} & set(vars(sys))


def test_pictures_are_shown_before_they_are_closed(monkeypatch):
    """Whatever else comes after a cell, and in its order."""
    names = ("first", "flush_figures", "last")
    hooks = [SimpleNamespace(__name__=name) for name in names]
    events = SimpleNamespace(callbacks={"post_execute": hooks})
    closed = []
    axes = SimpleNamespace(imshow=lambda *a, **m: 0, plot=lambda *a, **m: 0, set=lambda **m: 0)
    figure = SimpleNamespace(savefig=lambda *a, **m: 0)
    drawn = SimpleNamespace(subplots=lambda *a, **m: (figure, [axes, axes]), close=closed.append)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", drawn)
    module.warm_figures(SimpleNamespace(events=events))
    assert [hook.__name__ for hook in hooks] == ["flush_figures", "first", "last"]
    assert closed == [figure, figure]
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    module.warm_figures(None)  # there is nothing to draw with
