"""The hidden part of a test takes for wrong what its visible part takes for wrong.

A student who fits a function to the visible numbers still makes the mistake in the hidden ones. So
the bank's mistakes are graded once more by the hidden parts alone.
"""

import contextlib
import io

import pytest

from grader.authoring.bank import load_bank
from grader.authoring.examine import Workbench
from helpers.assignment import Checker
from tests.support.assignment_files import NAMES, graded_tests

# Mistakes that a test sees in its visible part only, {test: mistakes}.
VISIBLE_ONLY = {
    "AlexNet_batch": {"batch_flattened", "batch_in_one_row", "fc6_for_224", "flatten_missing"},
    "AlexNet_parameters": {"parameters_frozen"},
    "avg_pool2d_windows": {"default_stride_one"},
    "conv2d_backward_together": {"left_over_without_the_border"},
    "conv2d_filters": {"bias_along_the_columns", "places_off_by_one"},
    "edge_strength_together": {"cut_off_like_a_photo"},
    "filter_bank_inputs": {"filters_and_channels_mixed_up"},
    "filter_bank_together": {"one_array_for_all_calls"},
    "he_start_mean": {"one_filter_for_all"},
    "largest_gradient_error_largest": {
        "divided_by_the_largest_of_all",
        "error_where_the_difference_is_largest",
    },
    "largest_gradient_error_places": {"zeros_skipped"},
    "largest_gradient_error_right": {"x_left_moved"},
    "net_convolutions": {"layers_in_a_list"},
    "net_parameters": {
        "decision_made",
        "gradient_cut",
        "prints_the_answer",
        "with_batch_normalisation",
    },
    "net_shape": {"squeezed"},
    "output_size_padding": {"dilation_as_holes", "fit_with_padding_once"},
    "receptive_field_kernels": {"needs_a_first_layer"},
    "shift_down_right": {"nothing_left_at_zero"},
    "shift_up_left": {"nothing_left_at_zero"},
    "train_until_best_together": {"one_more_than_most", "without_most"},
    "zero_pad_channels": {"columns_only", "edge_overwritten", "rows_only"},
    "zero_pad_together": {"one_array_for_all_calls"},
}
# It trains for seconds, and its hidden part is the visible one with other digits.
SLOW = {"train_accuracy"}


class Accepted:
    """An observation that nothing is asked of: whatever is claimed of it holds."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: self


@pytest.mark.parametrize("name", NAMES)
def test_the_hidden_part_notices_what_the_visible_part_notices(name, monkeypatch):
    observe = Checker._observe

    def only_hidden(checker, *given):
        return observe(checker, *given) if checker.is_hidden else Accepted()

    bench = Workbench(name)
    monkeypatch.setattr(Checker, "_observe", only_hidden)
    tests = {cell.grade_id: cell for cell in bench.tests if cell.grade_id not in SLOW}
    kept = {grade_id: set() for grade_id in tests}
    for variant in load_bank(name):
        for grade_id in variant.fails & tests.keys() if variant.is_mistake else ():
            with contextlib.redirect_stderr(io.StringIO()):
                verdict = bench.run_test(tests[grade_id], {variant.exercise: variant.thing})
            assert verdict.passed or not verdict.is_visible, repr(verdict.failure)
            if verdict.passed:
                kept[grade_id].add(variant.name)
    for grade_id, mistakes in kept.items():
        # A mistake that is gone, or is noticed by now, also leaves the list.
        assert mistakes == VISIBLE_ONLY.get(grade_id, set()), (
            f"{grade_id}: let the hidden part ask for what the visible part asks for"
        )


def test_the_tests_that_are_named_exist():
    every = {cell.grade_id for name in NAMES for cell in graded_tests(name)}
    assert set(VISIBLE_ONLY) | SLOW <= every
