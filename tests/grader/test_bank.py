"""The autograder is graded: every known mistake loses the right points and is told by name, and
every right solution keeps them all."""

import csv
import functools
import sys
from types import FunctionType

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from grader.authoring.bank import Variant, load_bank
from grader.authoring.examine import Workbench, examine, make_sheet
from grader.authoring.table import TABLE_NAME, mistakes_table, part_of
from grader.cells import BEGIN_HIDDEN
from grader.judging.functions import definitions
from grader.sandbox.inside import child
from helpers.assignment import Checker
from helpers.assignment.checker import Observation
from helpers.checks import as_numpy
from tests.support.assignment_files import (
    NAMES,
    cells,
    graded,
    graded_tests,
    promised,
    source,
)
from tests.support.lessons import ROOT

BANKS = {name: load_bank(name) for name in NAMES}
MISTAKES = [(name, v) for name in NAMES for v in BANKS[name] if v.is_mistake]
RIGHT = [(name, v) for name in NAMES for v in BANKS[name] if not v.is_mistake]
SOLVED = {
    name: [cell.grade_id for cell in cells(name) if cell.kind == "solution"] for name in NAMES
}
EXERCISES = sorted((name, exercise) for name in NAMES for exercise in SOLVED[name])
WITH_BANK = [name for name in NAMES if BANKS[name]]
# How many mistakes a bank of the lessons' own assignments holds at least, by exercise; six where
# none is given. Another assignment may have a small bank, or none.
AT_LEAST = {
    "correlate2d": 12,
    "filter_bank": 12,
    "strided_correlate": 12,
    "conv2d": 12,
    "output_size": 8,
    "zero_pad": 8,
    "max_pool2d": 8,
    "avg_pool2d": 8,
}
# And how many right solutions, in different styles. An exception has its reason beside it.
RIGHT_AT_LEAST = 12
FEWER_RIGHT = {
    "train": 7,  # each of them trains networks for seconds, in every run of these tests
}


def label(pair):
    return f"{pair[0][:2]}-{pair[1].exercise}-{pair[1].name}"


@pytest.mark.parametrize("name", NAMES)
def test_reference_solution_passes_every_test(name, monkeypatch):
    """In the notebook as it stands: all its cells, one after another in one namespace."""
    monkeypatch.chdir(ROOT / "solutions" / name)
    space = {"__name__": "__main__"}
    for cell in source(name).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, f"<{cell.id}>", "exec"), space)
    plt.close("all")


@pytest.mark.parametrize("name", NAMES)
def test_what_the_tests_send_to_the_students_process_can_be_made_there(name, monkeypatch):
    bench, observe, sent = workbench(name), Checker._observe, []

    def observed(checker, function, *rest):
        procedure = function.func if isinstance(function, functools.partial) else function
        sent.extend(thing for thing in (procedure, *rest[2]) if isinstance(thing, FunctionType))
        return observe(checker, function, *rest)

    monkeypatch.setattr(Checker, "_observe", observed)
    assert [str(v.failure) for v in bench.grade() if not v.passed] == []
    for cell in bench.tests:
        own = [f for f in sent if f.__code__.co_filename == f"<{cell.grade_id}>"]
        child.test_space(definitions(cell.source, own))  # has no `check`, and knows no seed


@pytest.mark.parametrize("pair", MISTAKES, ids=label)
def test_mistake_loses_points_in_exactly_the_tests_that_name_it(pair):
    name, variant = pair
    assert graded(name)[1].failed(variant) == variant.fails


@pytest.mark.parametrize("name", NAMES)
def test_hidden_part_alone_notices_each_mistake(name):
    """Whoever answers the visible checks by heart loses the points all the same.

    So each hidden part needs its cases: without them mistakes get through.
    """
    report, bench = graded(name)[1], workbench(name)
    tests = {cell.grade_id: cell for cell in bench.tests}
    unnoticed = [
        (verdict.grade_id, variant.name)
        for variant in BANKS[name]
        for verdict in report.verdicts[variant]
        if variant.is_mistake and not verdict.passed and verdict.is_visible
        if bench.run_hidden(tests[verdict.grade_id], {variant.exercise: variant.thing}).passed
    ]
    assert unnoticed == []


@pytest.mark.parametrize("pair", MISTAKES, ids=label)
def test_mistake_is_told_by_its_own_name_and_no_other(pair):
    name, variant = pair
    told = set(graded(name)[1].diagnoses(variant))
    expected = set() if variant.undiagnosed else {variant.sentence}
    assert told == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_message_itself_has_the_sentence(name):
    """What the tests above work out from the fingerprints is what a student reads."""
    sheet, _ = graded(name)
    bench = Workbench(name, sheet)
    exercises = set()
    for variant in BANKS[name]:
        if variant.is_mistake and not variant.undiagnosed and variant.exercise not in exercises:
            exercises.add(variant.exercise)
            said = [str(v.failure) for v in bench.grade(variant.exercise, variant.thing)]
            sentence = " ".join(variant.sentence.split())
            assert any(sentence in " ".join(text.split()) for text in said)
    assert bool(exercises) == bool(BANKS[name])


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
@pytest.mark.parametrize("trivial", ["None", "NaN", "text"])
def test_nothing_worth_a_point_gets_none(name, exercise, trivial):
    """Also in the tests of what a function must not do, such as changing its input."""

    def answer(*args, **kwargs):
        first = args[0] if args and hasattr(args[0], "shape") else np.zeros((2, 2))
        return {"None": None, "NaN": np.full(first.shape, np.nan), "text": "text"}[trivial]

    passed = [v.grade_id for v in workbench(name).grade(exercise, answer) if v.passed]
    assert passed == []


@functools.cache
def workbench(name):
    return Workbench(name)


@pytest.mark.parametrize("pair", RIGHT, ids=label)
def test_right_solution_keeps_every_point(pair):
    name, variant = pair
    verdicts = graded(name)[1].verdicts[variant]
    assert [(v.grade_id, str(v.failure)) for v in verdicts if not v.passed] == []


def with_gradients(result):
    """The same numbers as tensors that gradients are prepared for, as a layer gives them."""
    if isinstance(result, tuple | list):
        return type(result)(with_gradients(part) for part in result)
    if isinstance(result, np.ndarray | torch.Tensor):
        tensor = torch.as_tensor(np.array(as_numpy(result)))
        return tensor.requires_grad_() if tensor.is_floating_point() else tensor
    return result


@pytest.mark.parametrize("name", NAMES)
def test_results_that_gradients_are_prepared_for_keep_every_point(name):
    bench = workbench(name)
    for exercise in SOLVED[name]:
        solution = bench.space[exercise]
        # What trains takes seconds, and gives numbers of Python.
        if isinstance(solution, type) or exercise.startswith("train"):
            continue

        def answer(*args, solution=solution, **kwargs):
            return with_gradients(solution(*args, **kwargs))

        verdicts = bench.grade(exercise, answer)
        assert [(v.grade_id, str(v.failure)) for v in verdicts if not v.passed] == []


@pytest.mark.parametrize("name", WITH_BANK)
def test_every_single_test_is_failed_by_a_mistake(name):
    report = graded(name)[1]
    failed = {test for variant in BANKS[name] for test in report.failed(variant)}
    assert {cell.grade_id for cell in graded_tests(name)} - failed == set()


@pytest.mark.parametrize("name", NAMES)
def test_answers_learnt_by_heart_get_no_points(name, monkeypatch):
    """A solution that is right in the visible checks and returns nothing in the hidden ones."""
    observe = Checker._observe

    def forgetful(self, function, *rest):
        return observe(self, (lambda *args, **kwargs: None) if self.is_hidden else function, *rest)

    monkeypatch.setattr(Checker, "_observe", forgetful)
    for verdict in Workbench(name).grade():
        assert not verdict.passed, verdict.grade_id
        assert verdict.failure.hidden, (verdict.grade_id, str(verdict.failure))


class Spoiler:
    """Makes the results that one line of a test cell asks for wrong, and notes what is compared.

    Attributes
    ----------
    compared : dict
        For each line of a cell that asks for a result, as (is it hidden, number of the line), the
        names of the methods that compared its numbers.
    """

    METHODS = ("gives", "gives_at")
    observe = Checker._observe

    def __init__(self, bench, monkeypatch):
        self.bench = bench
        self.compared, self.line, self.change = {}, None, None
        self.is_other = False  # whether the change has made any number another one
        monkeypatch.setattr(Checker, "_observe", lambda *given: self.observed(*given))
        for method in self.METHODS:
            monkeypatch.setattr(Observation, method, self.noted(method))

    def run(self, cell, line=None, change=None):
        """The verdict on a cell where the results at this line are changed."""
        self.compared, self.line, self.change, self.is_other = {}, line, change, False
        return self.bench.run_test(cell, {})

    def observed(self, checker, function, *rest):
        frame = sys._getframe()
        while frame.f_code.co_filename not in self.names:
            frame = frame.f_back
        place = checker.is_hidden, frame.f_lineno

        @functools.wraps(function)
        def answer(*args, **kwargs):
            result = function(*args, **kwargs)
            return self.changed(result) if place == self.line else result

        observation = Spoiler.observe(checker, answer, *rest)
        observation.asked_at = place
        self.compared.setdefault(place, set())
        return observation

    @functools.cached_property
    def names(self):
        return {f"<{cell.grade_id}>" for cell in self.bench.tests}

    def noted(self, method):
        original = getattr(Observation, method)

        def compare(observation, *args, **kwargs):
            self.compared[observation.asked_at].add(method)
            return original(observation, *args, **kwargs)

        return compare

    def changed(self, result):
        if isinstance(result, tuple | list):
            return type(result)([self.changed(one) for one in result] or [1])
        if isinstance(result, dict):
            return {key: self.changed(one) for key, one in result.items()}
        if isinstance(result, bool | np.bool_ | str):
            self.is_other = True
            return result + "?" if isinstance(result, str) else not result
        if not isinstance(result, int | float | np.ndarray | np.generic | torch.Tensor):
            return result
        numbers = np.asarray(result.detach() if isinstance(result, torch.Tensor) else result)
        wrong = ~numbers if numbers.dtype == bool else self.change(numbers)
        wrong = np.asarray(wrong).astype(numbers.dtype)
        self.is_other |= not np.array_equal(wrong, numbers, equal_nan=numbers.dtype.kind == "f")
        if isinstance(result, torch.Tensor):
            return torch.tensor(wrong).to(result.dtype)
        return wrong if isinstance(result, np.ndarray) else type(result)(wrong.item())


WRONG = {
    # And a hundredth: 1 more makes no difference to a number of twelve digits.
    "right answer plus 1": lambda numbers: numbers + 1 + np.abs(numbers) / 100,
    "other numbers": lambda numbers: np.random.default_rng(1).integers(50, 99, numbers.shape),
    # What no computer rounds away, and a tolerance that became too large would let pass.
    "0.2 % more": lambda numbers: numbers + np.abs(numbers) / 500,
    "0.02 more near 0": lambda numbers: numbers + 0.02 * (np.abs(numbers) < 1),
}


RELATIVE, ABSOLUTE = SLIGHTLY = ("0.2 % more", "0.02 more near 0")


# What a test asks of the shape of a distribution, wherever its middle is.
THE_SAME = {("he_start_normal", "right answer plus 1")}
# The right answer is 0, or as good as 0.
THE_SAME |= {(test, RELATIVE) for test in ("edge_strength_flat", "largest_gradient_error_right")}
# How large an error is, a few hundredths of which are left to the way to work it out.
THE_SAME |= {("largest_gradient_error_relative", RELATIVE)}
# Numbers that are drawn, or learned, or that 0.00001 is added to.
THE_SAME |= {(f"he_start_{test}", RELATIVE) for test in ("connected", "convolution", "together")}
THE_SAME |= {(f"train_head_{test}", RELATIVE) for test in ("learns", "together")}
THE_SAME |= {("batch_norm_epsilon", RELATIVE), ("he_start_together", ABSOLUTE)}
# None of the numbers that are compared is near 0.
FAR_FROM_0 = ("correlate2d_fractions", "correlate_channels_fractions", "filter_bank_fractions")
FAR_FROM_0 += ("conv2d_values", "net_parameters")
FAR_FROM_0 += ("shift_down_right", "shift_up_left", "shift_each_its_own")
THE_SAME |= {(test, ABSOLUTE) for test in FAR_FROM_0}


@pytest.mark.parametrize("name", NAMES)
def test_wrong_numbers_are_noticed_by_each_hidden_check(name, monkeypatch):
    """One line at a time is answered wrongly, and the rest as the reference does.

    A claim such as "a number at every place" may hold for a wrong number. It is one behaviour
    that is tested, and other cells test the numbers.
    """
    spoiler = Spoiler(Workbench(name), monkeypatch)
    # The others claim what a training reaches: they take seconds.
    for cell in [cell for cell in spoiler.bench.tests if ".gives" in cell.source]:
        verdict = spoiler.run(cell)
        assert verdict.passed, (cell.grade_id, str(verdict.failure))
        compared = [place for place, methods in spoiler.compared.items() if methods]
        # What the visible part compares, the hidden part must compare, too.
        hidden = cell.source.partition(BEGIN_HIDDEN)[2]
        is_compared = {is_hidden for is_hidden, _ in compared} != {False}
        assert is_compared or ".satisfies(" in hidden, cell.grade_id
        for place in compared:
            if place[0]:
                for wrong, change in WRONG.items():
                    if (cell.grade_id, wrong) in THE_SAME:
                        continue
                    verdict = spoiler.run(cell, place, change)
                    if wrong in SLIGHTLY and not spoiler.is_other:  # whole numbers
                        continue
                    assert not verdict.passed, f"{cell.grade_id}, line {place[1]}: {wrong}"
                    assert verdict.failure.hidden


@pytest.mark.parametrize(("name", "exercise"), [one for one in EXERCISES if one[0] in promised()])
def test_bank_is_large_enough(name, exercise):
    variants = [v for v in BANKS[name] if v.exercise == exercise]
    mistakes = [v for v in variants if v.is_mistake]
    assert len(mistakes) >= AT_LEAST.get(exercise, 6)
    # Two that look alike in all visible tests may share a sentence that is true of both.
    assert len({v.sentence for v in mistakes}) >= max(AT_LEAST.get(exercise, 6), len(mistakes) - 3)


@pytest.mark.parametrize(("name", "exercise"), [one for one in EXERCISES if one[0] in promised()])
def test_bank_has_right_solutions_in_different_styles(name, exercise):
    right = [v.name for v in BANKS[name] if v.exercise == exercise and not v.is_mistake]
    assert len(right) >= FEWER_RIGHT.get(exercise, RIGHT_AT_LEAST), right


def test_minimum_sizes_are_of_exercises_that_exist():
    assert {*AT_LEAST, *FEWER_RIGHT} <= {exercise for _, exercise in EXERCISES}


@pytest.mark.parametrize("name", sorted({*promised(), *WITH_BANK}))
def test_every_task_has_a_bank(name):
    assert set(SOLVED[name]) == {v.exercise for v in BANKS[name]}


@pytest.mark.parametrize("name", NAMES)
def test_committed_sheet_is_what_the_bank_gives(name):
    path = ROOT / "solutions" / name / "checks.json"
    assert path.read_text(encoding="utf-8") == graded(name)[0].to_json(), "run `make assignments`"


@pytest.mark.parametrize("name", NAMES)
def test_committed_table_is_what_the_tests_say(name):
    table, page = mistakes_table([part_of(graded(name)[1])])
    rows = list(csv.DictReader(table.splitlines()))
    with open(ROOT / "solutions" / f"{TABLE_NAME}.csv", encoding="utf-8", newline="") as file:
        saved = [row for row in csv.DictReader(file) if row["assignment"] == name]
    assert saved == rows, "run `make assignments`"
    whole = (ROOT / "solutions" / f"{TABLE_NAME}.md").read_text(encoding="utf-8")
    assert page[page.index(f"## {name}") :].strip() in whole
    assert next(line for line in page.split("\n") if line.startswith(f"| {name}")) in whole


def test_a_mistake_that_two_share_is_not_told():
    """The rule itself, on a bank of two wrong solutions with the same numbers."""
    name = NAMES[0]
    mistakes = [v for v in BANKS[name] if v.is_mistake]
    one = mistakes[0]
    twin = Variant(one.exercise, "twin", one.thing, "Another sentence.", one.fails)
    alone = make_sheet(examine(name, variants=[one]))
    both = make_sheet(examine(name, variants=[one, twin]))
    assert alone.sentences == [one.sentence]
    assert both.sentences == []


@pytest.mark.parametrize("name", WITH_BANK)
def test_with_the_numbers_of_another_class_mistakes_and_right_solutions_get_the_same(name):
    """Asked is what depends on them: mistakes that only a hidden part tells, and right solutions.

    With this seed two mistakes once got through, which no number of the default seed had shown.
    """
    report, bench = graded(name)[1], Workbench(name, seed="def")
    tests = {cell.grade_id: cell for cell in bench.tests}
    other = []
    for variant in BANKS[name]:
        for verdict in report.verdicts[variant]:
            if variant.is_mistake and (verdict.passed or verdict.is_visible):
                continue
            again = bench.run_hidden(tests[verdict.grade_id], {variant.exercise: variant.thing})
            if again.passed == variant.is_mistake:
                other.append((verdict.grade_id, variant.name, str(again.failure)))
    assert other == []
