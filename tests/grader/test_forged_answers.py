"""Answers that no right solution gave: a table of what was right in another class gets no point.

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
from tests.support import needs
from tests.support.assignment_files import source
from tests.support.lessons import ROOT
from tests.support.replay import learn, replay

# The assignments whose tests all draw their numbers from the seed; of the others those that do not.
FIXED = {
    "01-convolution-by-hand": {
        *("correlate2d_places", "correlate_channels_one_map", "correlate_channels_bias"),
        *("filter_bank_stack", "filter_bank_bias", "edge_strength_places", "edge_strength_flat"),
        *("edge_strength_directions", "edge_strength_range"),
    },
    "07-alexnet": set(),
}

FORGED = """
import base64, pickle, sys
import torch

class AlexNet:
    pass

table = pickle.loads(base64.b64decode("{table}"))
inside = next(m for name, m in sys.modules.items() if name.endswith("inside.child"))
unpack = inside.unpack_function

def forged(item, blobs, space):
    procedure = unpack(item, blobs, space)

    def answer(thing, *args):
        if thing is AlexNet:
            return table[item["name"]].pop(0)
        return procedure(thing, *args)

    return answer if item["name"] in table else procedure

inside.unpack_function = forged
"""


@pytest.mark.parametrize("name", FIXED)
def test_answers_of_another_class_get_no_points(name):
    table = learn(name, "one class")
    assert all(verdict.passed for verdict in replay(name, "one class", table))
    kept = {verdict.grade_id for verdict in replay(name, "another class", table) if verdict.passed}
    assert kept == FIXED[name]


@pytest.mark.sandbox
def test_class_without_a_network_gets_points_only_where_the_answers_are_known():
    """The function in the sandbox that unpacks procedures is exchanged for a table of answers."""
    needs.sandbox()
    name = "07-alexnet"
    skeleton = load_skeleton(name, ROOT)
    table = {}
    for seen in learn(name, "one class").values():
        for one in seen:
            if one["label"].endswith(" of AlexNet"):
                procedure = one["label"].removesuffix(" of AlexNet")
                table.setdefault(procedure, []).append(one["value"])
    code = FORGED.format(table=base64.b64encode(pickle.dumps(table)).decode())
    notebook = source(name)
    for cell in notebook.cells:
        if cell.id == "AlexNet":
            cell.source = code
        elif cell.cell_type == "code" and "grade_id" not in cell.metadata.get("nbgrader", {}):
            cell.source = ""  # it would use the network
    cells, _ = skeleton.rebuild(nbformat.from_dict(notebook))
    points, messages = {}, {}
    for seed in ("one class", "another class"):
        data = {
            "assignment": name,
            "cells": [cell.for_job() for cell in cells],
            "policy": Policy().to_dict(),
            "seed": "a batch",
            "class_seed": seed,
        }
        tests = json.loads(job.execute(json.dumps(data)))["tests"]
        messages[seed] = {key: test.get("failure") for key, test in tests.items()}
        points[seed] = {key for key, test in tests.items() if test["score"]}
    of_class = {key for key in tests if key.startswith("AlexNet")}
    fitting = {"AlexNet_shapes", "AlexNet_parameters", "AlexNet_pooling", "AlexNet_together"}
    assert fitting <= points["one class"], messages["one class"]
    assert points["another class"] == set(tests) - of_class
