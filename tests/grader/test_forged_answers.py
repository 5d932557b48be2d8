"""Answers that no right solution gave get no points: a table of what was right in another class, a
class that does not work.

What a test learns of a class or a procedure is the word of the student's own process. So each
hidden test asks something whose answer depends on numbers that are drawn from the class's seed.
"""

import base64
import json
import pickle

import nbformat
import pytest

from grader.intake.rebuild import load_skeleton
from grader.judging import job
from grader.judging.policy import Policy
from tests.grader.attacks.forged_classes import FORGERIES, TABLE
from tests.support import needs
from tests.support.assignment_files import source
from tests.support.lessons import ROOT
from tests.support.replay import answers_of, learn, replay

# The tests of each assignment that a table of answers passes in another class: those whose numbers
# are not drawn, and those that ask for what is the same for all numbers, such as a type.
FIXED = {
    "01-convolution-by-hand": {
        *("correlate_channels_one_map", "edge_strength_flat", "edge_strength_directions"),
        "edge_strength_range",
    },
    "02-stride-and-padding": {
        *("output_size_too_large", "output_size_whole_number", "zero_pad_dtype"),
        *("receptive_field_own_stride", "receptive_field_keeps_list"),
    },
    "03-activations-and-pooling": {
        *("leaky_relu_keeps_input", "rrelu_own_slope", "rrelu_range", "rrelu_generator"),
    },
    "04-layer-from-scratch": {
        *("largest_gradient_error_right", "largest_gradient_error_places"),
        *("largest_gradient_error_largest", "largest_gradient_error_grad_out"),
        "largest_gradient_error_inputs",
    },
    "05-mnist-net": set(),
    "06-train-it-well": {
        *("split_each_once", "split_by_chance", "split_generator", "train_until_best_ties"),
        *("learning_rate_together", "he_start_mean", "he_start_normal", "he_start_generator"),
        "he_start_together",
    },
    "07-alexnet": set(),
    "08-after-alexnet": set(),
}
MINE, OTHER = "one class", "another class"


@pytest.mark.parametrize("name", FIXED)
def test_answers_of_another_class_get_no_points(name):
    table = learn(name, MINE)
    assert all(verdict.passed for verdict in replay(name, MINE, table))
    kept = {verdict.grade_id for verdict in replay(name, OTHER, table) if verdict.passed}
    assert kept == FIXED[name]


@pytest.mark.sandbox
@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_class_that_does_not_work_loses_points(forgery):
    needs.sandbox()
    if forgery.has_table:
        table = pickle.dumps(answers_of(learn(forgery.assignment, MINE, forgery.exercise)))
        assert lost(forgery, MINE, table) == set()
        assert lost(forgery, OTHER, table) == every_test(forgery)
    else:
        every = forgery.loses is None
        assert lost(forgery, OTHER) == (every_test(forgery) if every else forgery.loses)


def every_test(forgery):
    """The tests of the exercise."""
    return {cell.grade_id for cell in job_cells(forgery) if cell.kind == "test"}


def job_cells(forgery):
    """The cells that are run: the set-up, the forgery in its place, and the tests of that."""
    notebook = source(forgery.assignment)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == forgery.exercise:
            cell.source = forgery.code
    cells, _ = load_skeleton(forgery.assignment, ROOT).rebuild(nbformat.from_dict(notebook))
    return [
        cell
        for cell in cells
        if cell.kind == "setup"
        or cell.grade_id == forgery.exercise
        or (cell.kind == "test" and f'"{forgery.exercise}"' in cell.source)
    ]


def lost(forgery, seed, table=b""):
    """The tests that a submission of the forgery does not pass in a class of this seed."""
    data = {
        "assignment": forgery.assignment,
        "cells": [cell.for_job() for cell in job_cells(forgery)],
        "policy": Policy().to_dict(),
        "seed": "a batch",
        "class_seed": seed,
        "files": {},
        "handed_in": {TABLE: base64.b64encode(table).decode()} if table else {},
    }
    tests = json.loads(job.execute(json.dumps(data)))["tests"]
    return {key for key, test in tests.items() if not test["score"]}
