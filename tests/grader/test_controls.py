"""What of the interpreter was exchanged is seen, and how a test runs in a student's process."""

import importlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from grader.sandbox.inside.controls import Controls, line_of, message_of


class Shell:
    """As much of IPython's shell as is looked at."""

    def __init__(self):
        self.user_ns = {"np": np}
        self.ast_transformers, self.input_transformers_post = [], [1]
        self.input_transformer_manager = SimpleNamespace(
            cleanup_transforms=[1, 2], line_transforms=[1], token_transformers=[]
        )

    def run_cell(self, code, store_history):
        assert not store_history
        return SimpleNamespace(success="works" in code)

    def run_cell_async(self): ...

    def run_code(self): ...

    def run_ast_nodes(self): ...


NAMES = {
    "builtins": (
        "abs all any compile eval exec float getattr int isinstance len max min open print range "
        "round sum type zip __import__ AssertionError Exception"
    ),
    "numpy": "allclose array_equal isclose all abs array asarray",
    "numpy.testing": "assert_allclose assert_array_equal assert_almost_equal",
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in NAMES for name in NAMES[module].split()]
)
def test_each_name_by_which_tests_compare_is_watched(module, name):
    holder = importlib.import_module(module)
    controls = Controls(Shell())
    original = getattr(holder, name)
    try:
        setattr(holder, name, lambda *args, **kwargs: original(*args, **kwargs))
        changed = controls.changed()
    finally:
        setattr(holder, name, original)
    assert changed == [f"{module}.{name} was exchanged"]
    assert controls.changed() == []


@pytest.mark.parametrize("name", ["equal", "allclose", "isclose"])
def test_those_of_torch_are_watched_if_it_was_there(monkeypatch, name):
    torch = SimpleNamespace(equal=1, allclose=2, isclose=3)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    without = Controls(Shell())
    monkeypatch.setitem(sys.modules, "torch", torch)
    controls = Controls(Shell())
    setattr(torch, name, 4)
    assert controls.changed() == [f"torch.{name} was exchanged"]
    assert without.changed() == []


@pytest.mark.parametrize("name", ["run_cell", "run_cell_async", "run_code", "run_ast_nodes"])
@pytest.mark.parametrize("of_all", [True, False])
def test_the_shell_s_methods_are_watched_in_its_class_and_in_itself(monkeypatch, name, of_all):
    shell = Shell()
    controls = Controls(shell)
    monkeypatch.setattr(Shell if of_all else shell, name, lambda *more: None)
    assert controls.changed() == [f"the shell's {name} was exchanged"]


@pytest.mark.parametrize(
    "name", ["cleanup_transforms", "line_transforms", "token_transformers", "post", "ast"]
)
def test_transformers_that_are_added_are_seen(name):
    shell = Shell()
    controls = Controls(shell)
    lists = {"post": shell.input_transformers_post, "ast": shell.ast_transformers}
    lists |= vars(shell.input_transformer_manager)
    lists[name].append(3)
    kind = "an AST" if name == "ast" else "an input"
    assert controls.changed() == [f"{kind} transformer was added"]


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        ("x = 1", {"failed": False}),
        ("1 + 1.5", {"failed": False, "points": 2.5}),
        ("None", {"failed": False, "points": None}),
        ("x = 1\nassert x == 2, 'why'",
         {"failed": True, "text": "why", "line": 2, "is_assertion": True}),
        ("\n1 / 0",
         {"failed": True, "text": "ZeroDivisionError: division by zero", "line": 2,
          "is_assertion": False}),
        ("class Mine(AssertionError): pass\nraise Mine('no')",
         {"failed": True, "text": "Mine: no", "line": 2, "is_assertion": False}),
        ("import sys\nsys.exit(3)",
         {"failed": True, "text": "SystemExit: 3", "line": 2, "is_assertion": False}),
        ("def f(n):\n    return 1 / n\nf(0)",
         {"failed": True, "text": "ZeroDivisionError: division by zero", "line": 2,
          "is_assertion": False}),
        ("%works", {"failed": False}),
        ("%fails", {"failed": True}),
    ],
)  # fmt: skip
def test_a_test_runs_in_the_notebooks_names(code, reply):
    found = Controls(Shell()).run(code, 1000)
    assert found == {"text": "", "line": None, "outputs": [], "is_full": False, **reply}


def test_a_test_that_is_interrupted_is_not_failed_by_itself():
    with pytest.raises(KeyboardInterrupt):
        Controls(Shell()).run("raise KeyboardInterrupt", 1000)


def test_what_an_error_says_is_bounded_and_may_fail():
    class Odd(Exception):
        def __str__(self):
            raise ValueError

    assert message_of(Odd()) == "Odd: "
    assert message_of(AssertionError("x" * 3000)) == "x" * 2000
    assert line_of(Odd()) is None
