"""Lines over a common axis: `helpers.plots.curves`."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from helpers import plots

X = np.arange(4)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_every_line_is_drawn_with_its_values_and_name():
    _, axes = plots.curves(X, {"left": {"a": X, "b": X**2}, "right": {"b": -X}}, "step", "loss")
    assert axes.shape == (2,)
    assert [axis.get_title() for axis in axes] == ["left", "right"]
    assert [line.get_label() for line in axes[0].lines] == ["a", "b"]
    np.testing.assert_array_equal(axes[0].lines[1].get_ydata(), X**2)
    np.testing.assert_array_equal(axes[1].lines[0].get_xdata(), X)
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["a", "b"]
    assert (axes[1].get_xlabel(), axes[1].get_ylabel()) == ("step", "loss")


def test_a_name_looks_the_same_in_every_panel_and_unlike_the_others():
    _, axes = plots.curves(X, {"left": {"a": X, "b": X}, "right": {"b": X}})
    first, second, again = axes[0].lines[0], *axes[0].lines[1:], axes[1].lines[0]
    assert second.get_color() == again.get_color() != first.get_color()
    assert second.get_linestyle() == again.get_linestyle() != first.get_linestyle()


def test_five_lines_differ_in_colour():
    _, axes = plots.curves(X, {"": {str(i): X * i for i in range(5)}})
    assert len({line.get_color() for line in axes[0].lines}) == 5


@pytest.mark.parametrize(("count", "dots"), [(20, True), (21, False)])
def test_only_few_points_get_dots_and_ticks(count, dots):
    _, axes = plots.curves(np.arange(count), {"": {"a": np.ones(count)}})
    assert (axes[0].lines[0].get_marker() == "o") is dots
    assert (axes[0].get_xticks().tolist() == list(range(count))) is dots


@pytest.mark.parametrize(("step", "whole"), [(1, True), (0.1, False)])
def test_marks_stand_at_whole_numbers_where_all_values_do(step, whole):
    _, axes = plots.curves(np.arange(21) * step, {"": {"a": np.ones(21)}})
    assert all(tick == int(tick) for tick in axes[0].get_xticks()) is whole


def test_limits_of_the_values():
    _, axes = plots.curves(X, {"": {"a": X + 1}}, limits=(0, None))
    assert axes[0].get_ylim()[0] == 0
    assert axes[0].get_ylim()[1] > 4
    assert plots.curves(X, {"": {"a": X}}, limits=(-1, 9))[1][0].get_ylim() == (-1, 9)


def test_a_log_scale_shows_all_values():
    _, axes = plots.curves(X, {"": {"a": 10.0 ** -(3 * X)}}, yscale="log")
    assert axes[0].get_yscale() == "log"
    lowest, highest = axes[0].get_ylim()
    assert 1e-10 < lowest <= 1e-9
    assert 1 <= highest < 10
    assert plots.curves(X, {"": {"a": X}})[1][0].get_yscale() == "linear"


def test_an_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="yscale='ln': give 'linear' or 'log'"):
        plots.curves(X, {"": {"a": X}}, yscale="ln")


def test_tensors_with_gradients_can_be_drawn():
    x = torch.linspace(0, 1, 4, requires_grad=True)
    _, axes = plots.curves(x, {"": {"a": x * 2}})
    np.testing.assert_allclose(axes[0].lines[0].get_ydata(), [0, 2 / 3, 4 / 3, 2], rtol=1e-6)


@pytest.mark.parametrize(
    ("x", "panels", "message"),
    [
        (X, {}, "panels is empty"),
        (X, {"p": {}}, "the panel 'p' has no lines"),
        (X, {"p": {"a": X[:3]}}, "'a' has 3 values, but x has 4"),
        (X, {"p": {str(i): X for i in range(6)}}, "there are 6 lines: at most 5"),
        (np.eye(2), {"p": {"a": X}}, r"x has shape \(2, 2\)"),
        (X, {"p": {"a": np.eye(4)}}, r"a has shape \(4, 4\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused(x, panels, message):
    with pytest.raises(ValueError, match=message):
        plots.curves(x, panels)


def test_the_legend_stands_beside_a_single_panel_and_within_each_of_several():
    for count in (1, 2):
        fig, axes = plots.curves([0, 1], {f"panel {i}": {"a": [0, 1]} for i in range(count)})
        fig.canvas.draw()
        for axis in axes:
            legend, inside = axis.get_legend().get_window_extent(), axis.get_window_extent()
            assert (legend.x0 >= inside.x1) == (count == 1)
            assert legend.x1 <= fig.bbox.x1 + 1
    plt.close("all")
