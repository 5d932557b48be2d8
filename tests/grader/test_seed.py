"""The class's seed: made by a command, kept with the marks, and what hidden tests draw from."""

import pytest

from grader.command import new_seed
from grader.judging.judge import RemoteChecker
from grader.judging.seed import DEFAULT, class_seed, seed_path
from helpers.assignment import Checker, Sheet


def test_a_class_without_a_seed_has_the_one_that_everybody_knows(tmp_path):
    assert class_seed(tmp_path) == DEFAULT
    seed_path(tmp_path).parent.mkdir()
    seed_path(tmp_path).write_text(" \n")
    assert class_seed(tmp_path) == DEFAULT


def test_the_command_makes_another_one_each_time(tmp_path, capsys):
    assert new_seed.main(["--root", str(tmp_path)]) == 0
    first = class_seed(tmp_path)
    assert len(first) == 32
    said = capsys.readouterr().out
    assert str(seed_path(tmp_path)) in said
    assert "marks of" not in said  # there are none yet; of those that are see test_giving_back
    new_seed.main(["--root", str(tmp_path)])
    assert class_seed(tmp_path) not in (first, DEFAULT)


def drawn(seed="", assignment="one", number=1):
    checker = RemoteChecker(Checker(assignment, Sheet()), None, seed)
    return checker.hidden.rng(number).integers(10**9)


@pytest.mark.parametrize(
    "other", [{"seed": "b"}, {"assignment": "two"}, {"number": 2}], ids=lambda d: next(iter(d))
)
def test_what_hidden_tests_draw_depends_on_the_seed_the_assignment_and_the_test(other):
    given = {"seed": "a", "assignment": "one", "number": 1}
    assert drawn(**given) == drawn(**given)
    assert drawn(**given) != drawn(**{**given, **other})
