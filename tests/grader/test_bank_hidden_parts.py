"""What the hidden parts of tests ask for and say, beside what their visible parts show."""

import ast
import functools
import inspect
import re
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from grader.authoring.source import full_name
from grader.cells import BEGIN_HIDDEN, without_hidden
from helpers.assignment import Checker
from tests.grader.test_bank_sentences import IN_NAMES, other_than_its_name, workbench
from tests.support.assignment_files import NAMES, graded_tests

# --- cases -------------------------------------------------------------------------------------

# (test, argument) of which the hidden part asks nothing new, and why that is enough.
NOTHING_NEW = {
    ("conv2d_padding", "padding"),  # with other images and kernels
    ("edge_strength_range", 0),  # the size is not what it is about
}
# Tests that ask for fewer sizes than the visible part, and why.
FEWER = {
    "edge_strength_range": "ten images of one size",
    "im2col_order": "three windows on one image",
    "conv2d_backward_shapes": "all four sizes at once",
    "conv2d_backward_together": "one case that has everything",
    "largest_gradient_error_right": "three layers, two of which share an input",
    "net_relu": "sixteen numbers at once",
    "Block_shape": "five blocks with the same number of weights",
}


@functools.cache
def asked(name):
    """{(test, argument, place in it): (what the visible part gives there, what the hidden gives)}.

    That is a set of sizes or of numbers. Without what trains: it takes seconds.
    """
    found = defaultdict(lambda: (set(), set()))
    observe, bench = Checker._observe, workbench(name)

    def observed(checker, function, thing, label, args, kwargs):
        for argument, value in [*enumerate(args), *kwargs.items()]:
            for place, given in sizes_of(value):
                found[cell.grade_id, argument, *place][checker.is_hidden].add(given)
        return observe(checker, function, thing, label, args, kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checker, "_observe", observed)
        for cell in bench.tests:
            if not cell.grade_id.startswith("train"):
                assert bench.run_test(cell, {}).passed
    return {key: sets for key, sets in found.items() if sets[True]}


def sizes_of(value):
    """Numbers, and the shapes of arrays, each with its place in tuples; those of a list together.

    Not of what has only two values.
    """
    if hasattr(value, "shape"):
        yield (), tuple(value.shape)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield (), value
    elif isinstance(value, tuple | list):
        for number, one in enumerate(value):
            for place, given in sizes_of(one):
                yield ((number, *place) if isinstance(value, tuple) else place), given


@pytest.mark.parametrize("name", NAMES)
def test_a_hidden_part_asks_for_sizes_that_the_visible_part_does_not_show(name):
    """Else whoever answers the shown sizes by heart, one for one, gets the points.

    What is the same all the time is not what the test is about.
    """
    nothing_new = {
        key
        for key, (shown, hidden) in asked(name).items()
        if hidden <= shown and len(shown) > 1 and key not in NOTHING_NEW
    }
    assert nothing_new == set(), "ask for another size, or give the reason"


@pytest.mark.parametrize("name", NAMES)
def test_a_hidden_part_asks_for_as_many_sizes_as_the_visible_part(name):
    """One size more is not enough where the visible part has three."""
    fewer = {
        key
        for key, (shown, hidden) in asked(name).items()
        if len(hidden) < len(shown) and key[0] not in FEWER
    }
    assert fewer == set(), "ask for more sizes, or give the reason"


def test_what_is_excused_exists():
    every = {key for name in NAMES for key in asked(name)}
    assert every >= NOTHING_NEW
    assert {test for test, *_ in every} >= {*FEWER}
    assert {cell.grade_id for name in NAMES for cell in graded_tests(name)} >= OTHERWISE
    asked_kinds = {key: pair for name in NAMES for key, pair in kinds(name).items()}
    for (exercise, argument), excused in NOT_ASKED.items():
        shown, asked_for = asked_kinds[exercise, argument]
        assert excused <= wanted(argument, shown, asked_for) - asked_for


def single_cases(source):
    """The single case of each loop in the hidden part, and of each kind that rows are made of."""
    begin = source[: source.index(BEGIN_HIDDEN)].count("\n")
    for node in ast.walk(ast.parse(source)):
        lists = []
        if isinstance(node, ast.For | ast.comprehension):
            lists = [node.iter]
        elif isinstance(node, ast.Dict):
            lists = node.values
        for one in lists:
            is_list = isinstance(one, ast.Tuple | ast.List | ast.Set)
            if one.lineno > begin and ((is_list and len(one.elts) == 1) or is_range_of_one(one)):
                yield ast.unparse(one)


def is_range_of_one(node):
    return ast.unparse(node) == "range(1)"


@pytest.mark.parametrize("name", NAMES)
def test_a_loop_of_a_hidden_part_has_more_than_one_case(name):
    single = {
        f"{cell.grade_id}: {case}"
        for cell in graded_tests(name)
        for case in single_cases(cell.source)
    }
    assert single == set(), "a loop over one case: were there more?"


# --- kinds of arguments ------------------------------------------------------------------------

TOGETHER = "_together"
# What the hidden part of a test `…_together` does not ask of an argument, and why.
NOT_ASKED = {
    ("correlate2d", "kernel"): {"uint8"},  # but of the image, and int8 of the kernel
    ("edge_strength", "image"): {"int64", "below 0"},  # photos, and such in fractions
    ("im2col", "x"): {"int64"},  # from here on all is fractions
    **{("conv2d_backward", one): {"int64"} for one in ("grad_out", "x")},
    ("conv2d_backward", "weight"): {"int64", "columns"},  # the other two lie so
    ("filter_bank", "weights"): {"columns"},  # x lies so
    **{("separable_conv2d", one): {"columns"} for one in ("depthwise", "pointwise")},
    ("patch_embedding", "weight"): {"columns"},  # the images lie so
}
VECTORS = {"bias", "biases"}


def kinds_of(value):
    """The type of an array, its order in memory, its signs; a number; else what it is."""
    if isinstance(value, np.ndarray | torch.Tensor):
        array = value.detach().numpy() if isinstance(value, torch.Tensor) else value
        yield array.dtype.name
        if array.ndim > 1 and not array.flags.c_contiguous:
            yield "columns"
        if array.dtype != bool and (array < 0).any():
            yield "below 0"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
    else:
        yield type(value).__name__ if isinstance(value, tuple | list) else repr(value)


def noting(function, found):
    """The function, which notes the kinds of what it is called with."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*args, **kwargs):
        for argument, value in signature.bind(*args, **kwargs).arguments.items():
            found[argument].update(kinds_of(value))
        return function(*args, **kwargs)

    return called


@functools.cache
def kinds(name):
    """{(exercise, argument): (kinds that visible parts show, kinds that `…_together` asks)}.

    Of the functions whose cases are drawn for a table of kinds.
    """
    bench, found = workbench(name), {}
    for together in bench.tests:
        exercise = together.grade_id.removesuffix(TOGETHER)
        function = bench.space.get(exercise)
        if not inspect.isfunction(function) or "every_pair" not in together.source:
            continue
        if exercise.startswith("train"):  # it takes seconds
            continue
        shown, asked_for = defaultdict(set), defaultdict(set)
        for cell in bench.tests:
            if f'"{exercise}"' in cell.source:
                visible = replace(cell, source=without_hidden(cell.source))
                assert bench.run_test(visible, {exercise: noting(function, shown)}).passed
        assert bench.run_hidden(together, {exercise: noting(function, asked_for)}).passed
        for one, parameter in inspect.signature(function).parameters.items():
            shown[one].update(usual(parameter.default))
            found[exercise, one] = shown[one], asked_for[one]
    return found


def usual(default):
    """The kinds of a default that is no number; of a yes the no, too."""
    if default is None or isinstance(default, bool):
        yield from kinds_of(default)
    if isinstance(default, bool):
        yield from kinds_of(not default)


def wanted(argument, shown, asked_for):
    """What `…_together` has to ask of an argument: what is shown, and what is easily forgotten."""
    names = {kind for kind in shown if isinstance(kind, str)}
    if not asked_for & {"float32", "float64"} and not names & {"float32", "float64"}:
        return names
    types = {"float32", "float64"} if "float64" in asked_for | names else {"float32"}
    return names | types | {"below 0"} | (set() if argument in VECTORS else {"columns"})


@pytest.mark.parametrize("name", NAMES)
def test_all_kinds_of_arguments_meet_in_the_test_of_all_together(name):
    """What is shown is asked, too; each type of fractions, each sign, each order in memory."""
    missing = {}
    for (exercise, argument), (shown, asked_for) in kinds(name).items():
        excused = NOT_ASKED.get((exercise, argument), set())
        missing[exercise, argument] = wanted(argument, shown, asked_for) - asked_for - excused
    assert {key: found for key, found in missing.items() if found} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_number_has_three_values_in_the_test_of_all_together_or_is_also_a_pair(name):
    few = {
        key
        for key, (_, asked_for) in kinds(name).items()
        if (count := sum(not isinstance(kind, str) for kind in asked_for))
        if count < (2 if "tuple" in asked_for else 3)
    }
    assert few == set()


# --- words -------------------------------------------------------------------------------------

PAIRS = [*IN_NAMES, ("train", "eval"), ("training", "evaluation"), ("before", "after")]
PAIRS += [("longer", "shorter"), ("larger", "smaller"), ("above", "below"), ("with", "without")]
PAIRS += [("rounded up", "rounded down"), ("same", "other"), ("same", "another")]
# Their claims are of something else than their first lines.
OTHERWISE = {"output_size_floor", "strided_correlate_values", "rrelu_slopes"}
OTHERWISE |= {"parameters_by_layer_listed"}


def claims(source):
    """What the checks of a test claim in words: (the words, are they hidden)."""
    begin = source[: source.index(BEGIN_HIDDEN)].count("\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "satisfies":
            words = node.args[0]
            if isinstance(words, ast.Constant):
                yield words.value, node.lineno > begin


def title(source):
    """The first line of a test: what it asks."""
    return source.partition("\n")[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_claim_does_not_say_the_opposite_of_what_the_test_is_about(name):
    wrong = {
        f"{cell.grade_id}: {claim}": found
        for cell in graded_tests(name)
        for claim, _ in claims(cell.source)
        if (found := list(other_than_its_name(title(cell.source), claim, PAIRS)))
        and cell.grade_id not in OTHERWISE
    }
    assert wrong == {}


def constants(source):
    """The numbers in the hidden part's code."""
    hidden = ast.parse(source.partition(BEGIN_HIDDEN)[2])
    return {
        node.value
        for node in ast.walk(hidden)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    }


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_a_hidden_claim_are_those_of_its_code(name):
    wrong = {
        f"{cell.grade_id}: {claim}": number
        for cell in graded_tests(name)
        for claim, is_hidden in claims(cell.source)
        for number, percent in re.findall(r"\b(\d+(?:\.\d+)?)( %)?", claim)
        if is_hidden and float(number) / (100 if percent else 1) not in constants(cell.source)
    }
    assert wrong == {}


# --- answers that are nearly right -------------------------------------------------------------


def scaled(factor):
    """Numbers that are larger by a factor."""
    return lambda right: lambda *given: right(*given) * factor


def range_moved(by):
    """Slopes from a range whose ends are moved by so many parts of it, to both sides."""

    def change(right):
        def rrelu(x, lower, upper, training, rng):
            step = by * (upper - lower)
            return right(x, lower - step, upper + step, training, rng)

        return rrelu

    return change


def dropping(share, factor):
    """A network whose dropouts switch off another share, and make the rest as large as is right."""

    class Mask(nn.Module):
        def forward(self, x):
            return x * (torch.rand_like(x) >= share) * factor if self.training else x

    def change(right):
        def network(*given):
            net = right(*given)
            for module in list(net.modules()):
                for name, child in list(module.named_children()):
                    if isinstance(child, nn.Dropout):
                        setattr(module, name, Mask().train(child.training))
            return net

        return network

    return change


NEARLY_RIGHT = [
    *(("03", "rrelu_range", "rrelu", range_moved(by)) for by in (-0.05, 0.05)),
    *(("05", "net_dropout", "Net", dropping(share, 4 / 3)) for share in (0.2, 0.3, 0.5)),
    *(
        ("06", f"he_start_{test}", "he_start", scaled(factor))
        for test in ("connected", "convolution")
        for factor in (0.95, 1.05)
    ),
    *(("06", "he_start_together", "he_start", scaled(factor)) for factor in (0.9, 1.1)),
    *(("07", "AlexNet_dropout", "AlexNet", dropping(share, 2)) for share in (0.35, 0.65)),
]


RIGHT = [
    ("03", "rrelu_range", "rrelu", range_moved(0)),
    ("05", "net_dropout", "Net", dropping(1 / 4, 4 / 3)),
    ("06", "he_start_connected", "he_start", scaled(1)),
    ("07", "AlexNet_dropout", "AlexNet", dropping(1 / 2, 2)),
]


@pytest.mark.parametrize(("number", "test", "exercise", "change"), [*RIGHT, *NEARLY_RIGHT])
def test_what_is_nearly_right_is_noticed_by_the_hidden_part(number, test, exercise, change):
    """Where numbers are drawn there is room for chance, and for no more than that."""
    bench = workbench(full_name(number, NAMES))
    (cell,) = [cell for cell in bench.tests if cell.grade_id == test]
    thing = change(bench.space[exercise])
    is_right = (number, test, exercise, change) in RIGHT
    assert bench.run_hidden(cell, {exercise: thing}).passed == is_right
