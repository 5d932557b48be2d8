"""Answers that no right solution gave: a table of what was right in another class gets no point.

What a test learns of a class or a procedure is the word of the student's own process. So each
hidden test asks something whose answer depends on numbers that are drawn from the class's seed.
"""

import pytest

from tests.support.replay import learn, replay

# The tests whose numbers do not come from the seed yet.
FIXED = {
    "01-convolution-by-hand": {
        *("correlate2d_places", "correlate_channels_one_map", "correlate_channels_bias"),
        *("filter_bank_stack", "filter_bank_bias", "edge_strength_places", "edge_strength_flat"),
        *("edge_strength_directions", "edge_strength_range"),
    },
}


@pytest.mark.parametrize("name", FIXED)
def test_answers_of_another_class_get_no_points(name):
    table = learn(name, "one class")
    assert all(verdict.passed for verdict in replay(name, "one class", table))
    kept = {verdict.grade_id for verdict in replay(name, "another class", table) if verdict.passed}
    assert kept == FIXED[name]
