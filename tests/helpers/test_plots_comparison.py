"""Bars in groups and repeated measurements as dots: what is drawn, and what is refused."""

import math
from itertools import pairwise

import matplotlib
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from helpers import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


SHARES = {"conv1": (1, 10), "fc6": (60, 5)}


def test_grouped_bars_draws_each_amount_in_its_series_and_row():
    _, ax = plots.grouped_bars(SHARES, ["parameters", "multiply-adds"], "%")
    first, second = ax.containers
    assert [bar.get_width() for bar in first] == [1, 60]
    assert [bar.get_width() for bar in second] == [10, 5]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["conv1", "fc6"]
    assert ax.get_xlabel() == "%"
    assert ax.yaxis_inverted()


def test_grouped_bars_writes_the_numbers_and_the_legend():
    fig, ax = plots.grouped_bars(SHARES, ["parameters", "multiply-adds"], value_format="{:.0f} %")
    assert [text.get_text() for text in ax.texts] == ["1 %", "60 %", "10 %", "5 %"]
    assert [t.get_text() for t in fig.legends[0].get_texts()] == ["parameters", "multiply-adds"]


@pytest.mark.parametrize("count", [2, 3])
def test_bars_of_a_row_lie_beside_each_other_around_its_name(count):
    _, ax = plots.grouped_bars({"a": [1] * count, "b": [2] * count}, "xyz"[:count])
    for row in (0, 1):
        bars = sorted((c[row].get_y(), c[row].get_height()) for c in ax.containers)
        assert all(y + h <= nxt + 1e-9 for (y, h), (nxt, _) in pairwise(bars))
        centre = (bars[0][0] + bars[-1][0] + bars[-1][1]) / 2
        assert math.isclose(centre, row, abs_tol=1e-9)


def test_series_have_different_colours():
    _, ax = plots.grouped_bars({"a": [1, 2, 3]}, ["x", "y", "z"])
    assert len({bars[0].get_facecolor() for bars in ax.containers}) == 3


@pytest.mark.parametrize(
    ("values", "series", "message"),
    [
        ({}, ["x", "y"], "empty"),
        ({"a": [1]}, ["x"], "^series has 1 names: give 2 or 3$"),
        ({"a": [1] * 4}, "wxyz", "^series has 4 names: give 2 or 3$"),
        ({"a": [1, 2, 3]}, ["x", "y"], "^'a' has 3 amounts, but there are 2 series$"),
        ({"b": [0, 0], "a": [1, -2]}, ["x", "y"], "^'a' has -2: only amounts from 0 upwards"),
        ({"a": [1, math.nan]}, ["x", "y"], "^'a' has nan: only amounts"),
        ({"a": [1, math.inf]}, ["x", "y"], "^'a' has inf: only amounts"),
    ],
)
def test_grouped_bars_refuses(values, series, message):
    with pytest.raises(ValueError, match=message):
        plots.grouped_bars(values, series)


def test_dot_rows_draws_every_measurement_and_the_mean():
    _, ax = plots.dot_rows({"plain": [1, 3], "dropout": [2, 2.5, 6]}, "accuracy")
    dots, mean, more_dots, other_mean = ax.lines
    assert list(dots.get_xdata()) == [1, 3]
    assert set(dots.get_ydata()) == {0}
    assert list(mean.get_xdata()) == [2, 2]
    assert list(more_dots.get_xdata()) == [2, 2.5, 6]
    assert set(more_dots.get_ydata()) == {1}
    assert list(other_mean.get_xdata()) == [3.5, 3.5]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["plain", "dropout"]
    assert ax.get_xlabel() == "accuracy"


def test_the_line_of_a_mean_crosses_its_row_in_another_colour():
    _, ax = plots.dot_rows({"a": [1, 3], "b": [2, 6]})
    for row, (dots, mean) in enumerate([ax.lines[:2], ax.lines[2:]]):
        low, high = mean.get_ydata()
        assert (low + high) / 2 == row
        assert 0.2 < high - row < 0.5
        assert (dots.get_color(), mean.get_color()) == (plots.BLUE, plots.ORANGE)
        assert (dots.get_marker(), dots.get_linestyle()) == ("o", "None")
    assert ax.get_ylim() == (1.5, -0.5)


def test_dot_rows_writes_the_means_and_puts_the_first_row_on_top():
    _, ax = plots.dot_rows({"a": [0.4, 0.6], "b": [0.25]}, value_format="{:.0%}")
    assert len(ax.lines) == 3  # a single measurement has no mean
    labels = ax.child_axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == ["mean 50%", "25%"]
    assert ax.yaxis_inverted()


@pytest.mark.parametrize(
    ("values", "message"),
    [({}, "empty"), ({"a": []}, "'a' has no measurements"), ({"a": [1, math.inf]}, "'a' has inf")],
)
def test_dot_rows_refuses(values, message):
    with pytest.raises(ValueError, match=message):
        plots.dot_rows(values)
