"""Mutants of right solutions: what they change, and that each that may survive is known."""

import ast

import pytest

from grader.authoring.examine import Workbench
from grader.authoring.source import assignments, full_name
from tools.mutate import __main__ as command
from tools.mutate import references
from tools.mutate.mutants import mutations
from tools.mutate.python import Source

PROGRAM = '''
def pooled(x, size, step=2):
    """The largest numbers."""
    rows, columns = x.shape
    out = np.zeros((rows, columns), dtype=np.float64)
    for i in range(rows):
        for j in range(columns):
            out[i, j] += max(x[i * step : i * step + size, j], -1)
    if size < 3 and step:
        return out.sum(axis=(0, 1))
    return [i + j for i in rows for j in columns]
'''


NOTICED = "output_size, reference: return room // stride + 1 ⇒ return room // stride - 1"


@pytest.fixture(scope="module")
def bench():
    return Workbench(full_name("02", assignments()))


def test_mutants_of_each_kind_are_other_programs():
    source = Source(PROGRAM)
    made = [edit.of(PROGRAM) for edit in mutations(source)]
    trees = [ast.dump(ast.parse(text)) for text in made]
    assert len({*trees, ast.dump(source.tree)}) == len(made) + 1
    for part in (
        "i // step",  # operators
        "out[j, i]",  # indices
        "columns, rows = x.shape",  # axes
        "np.zeros((rows, columns))",  # types
        "dtype=np.float32",
        "step=(1)",  # constants
        "size <= 3",
        "range(1, rows)",  # loops
        "[i + j for j in columns for i in rows]",
        "for j in range(rows):\n        for i in range(columns)",
        "out[i, j] = max",
        "x[i * step:, j]",  # slices
        "min(x[",  # functions
        "if True:",  # conditions
        "columns * step + size",  # another name
    ):
        assert any(part in text for text in made), part


def test_what_changes_nothing_is_no_mutant():
    made = [edit.of(PROGRAM) for edit in mutations(Source(PROGRAM))]
    assert not any("max(-1, x[" in text or "axis=(1, 0)" in text for text in made)


def test_mutants_of_the_reference_come_first_and_the_seed_decides(bench):
    mutants = references.every_mutant(bench)["receptive_field"]
    own = [mutant for mutant in mutants if mutant.of == references.REFERENCE]
    chosen = references.choose(mutants, len(own) + 10, seed=1)
    assert {*own} < {*chosen}
    assert len(chosen) == len(own) + 10
    assert chosen == references.choose(mutants, len(own) + 10, seed=1)
    assert chosen != references.choose(mutants, len(own) + 10, seed=2)


def test_what_the_tests_say_of_mutants(bench):
    every = references.every_mutant(bench)
    mutants = {str(mutant): mutant for mutants in every.values() for mutant in mutants}
    noticed = mutants[NOTICED]
    assert not references.judge(bench, noticed).passed
    known = [mutant for mutant in references.reasons() if mutant in mutants]
    assert known
    for mutant in known:
        assert references.judge(bench, mutants[mutant]) is None, mutant


def test_the_command_counts_and_says_which_survivor_has_no_reason(monkeypatch, capsys):
    given = []

    def show(names, number, seed, with_sentences, exercises):
        given.append((names, number, seed, with_sentences, exercises))
        return False

    monkeypatch.setattr(command, "show_references", show)
    assert command.main(["--references", "02", "--sentences", "--exercise", "leftover"]) == 1
    assert given == [([full_name("02", assignments())], 100, 1, True, ["leftover"])]
    assert references.table([("f", 200, 4, 3), ("g", 100, 0, 0)])[-1].split() == [
        "all",
        "300",
        "296",
        "3",
        "1",
        "99.7%",
    ]
