"""helpers.plots: each figure holds what it was given, and bad input is refused."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest
import torch

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

from helpers import plots
from helpers.training import History


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


def texts(axis):
    return [text.get_text() for text in axis.texts]


def shown(axis):
    return np.asarray(axis.images[0].get_array())


def test_image_grid():
    images = [np.arange(6).reshape(2, 3), torch.rand(1, 4, 4), np.zeros((2, 2, 3), np.uint8)]
    fig, axes = plots.image_grid(images, ["a", "b", "c"], columns=2)
    assert axes.shape == (2, 2)
    assert [axis.get_title() for axis in axes.flat] == ["a", "b", "c", ""]
    assert (shown(axes[0, 0]) == images[0]).all()
    assert shown(axes[0, 1]).shape == (4, 4)
    assert not axes[1, 1].get_visible()
    assert pixels(fig).std() > 0


def test_image_grid_draws_dark_to_bright_within_the_limits():
    _, axes = plots.image_grid([np.array([[-5, 300]])], limits=(0, 255))
    assert axes[0, 0].images[0].get_clim() == (0, 255)


@pytest.mark.parametrize(
    ("images", "titles", "words"),
    [
        ([], None, "empty"),
        (
            [np.eye(2), np.zeros(3)],
            None,
            r"^images\[1\] has shape \(3,\): give an array with 2 or 3 axes$",
        ),
        (
            [np.eye(2), np.zeros((2, 2, 4))],
            None,
            r"^images\[1\] has shape \(2, 2, 4\): give \(H, W\), \(1, H, W\) or \(H, W, 3\)$",
        ),
        ([np.zeros((2, 0))], None, "nothing to draw"),
        ([np.zeros((2, 2))], ["a", "b"], "1 images, but 2 titles"),
    ],
)
def test_image_grid_refuses(images, titles, words):
    with pytest.raises(ValueError, match=words):
        plots.image_grid(images, titles)


def test_image_grid_frames_a_window():
    _, axes = plots.image_grid([np.eye(4)] * 2, marks=[None, (1, 2, 3, 4)])
    assert not axes[0, 0].patches
    (frame,) = axes[0, 1].patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((1.5, 0.5), 4, 3)
    with pytest.raises(ValueError, match="2 images, but 1 marks"):
        plots.image_grid([np.eye(4)] * 2, marks=[None])


def test_pictures_without_titles_leave_no_room_for_them():
    heights = [
        plots.image_grid([np.eye(4)], titles)[0].get_figheight() for titles in (None, ["one"])
    ]
    assert heights[0] < heights[1]


def test_number_grid():
    fig, axes = plots.number_grid(
        [np.array([[1, -2], [3, 4]]), np.array([[0.5]])],
        ["x", "w"],
        [(0, 1, 2, 1), None],
        ["∗"],
    )
    assert texts(axes[0]) == ["1", "−2", "3", "4"]
    assert texts(axes[1]) == ["0.5", "∗"]
    (frame,) = [patch for patch in axes[0].patches if isinstance(patch, Rectangle)]
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((0.5, -0.5), 1, 2)
    assert not axes[1].patches
    assert pixels(fig).std() > 0


@pytest.mark.parametrize(
    ("name", "count"), [("titles", 2), ("marks", 2), ("signs", 1), ("dashed", 2)]
)
def test_number_grid_counts(name, count):
    with pytest.raises(ValueError, match=f"^{name} has 3 entries, expected {count}$"):
        plots.number_grid([np.eye(2), np.eye(2)], **{name: ["one"] * 3})


def test_number_grid_stands_in_its_order():
    grids = [np.zeros((2, 2), int), np.ones((3, 1), int), np.array([[0.123456]])]
    _, axes = plots.number_grid(grids, ["a", "b", "c"], signs=["+", "="])
    assert [axis.get_title() for axis in axes] == ["a", "b", "c"]
    assert [texts(axis)[-1] for axis in axes] == ["0", "+", "="]
    assert texts(axes[2])[0] == "0.123"
    sign = axes[1].texts[-1]
    assert (sign.get_position()[1], sign.get_position()[0] < -0.5) == (1, True)  # before its middle
    with pytest.raises(ValueError, match=r"dashed\[1\] has shape \(1, 2\), but its array \(2, 2\)"):
        plots.number_grid([np.eye(2)] * 2, dashed=[None, [[True, False]]])


def test_number_grid_tells_data_from_padding():
    padded = np.pad(np.array([[7]]), 1)
    _, (axis, other) = plots.number_grid([padded, np.eye(3)], dashed=[padded != 7, None])
    colours = [text.get_color() for text in axis.texts]
    assert [colours.index("black"), colours.count("black")] == [4, 1]
    assert {text.get_color() for text in other.texts} == {"black"}
    # Of nine cells, each with lines above and below and at both sides, eight are dashed.
    lines = {
        is_dashed: [c for c in axis.collections if (c.get_linestyle()[0][1] is None) != is_dashed]
        for is_dashed in (False, True)
    }
    assert [len(lines[True]), len(lines[False])] == [16, 2]
    assert [segment.tolist() for c in lines[False] for segment in c.get_segments()] == [
        [[0.5, 0.5], [0.5, 1.5]],
        [[1.5, 0.5], [1.5, 1.5]],
        [[0.5, 0.5], [1.5, 0.5]],
        [[0.5, 1.5], [1.5, 1.5]],
    ]
    assert all(c.get_linestyle()[0][1] is None for c in other.collections)
    with pytest.raises(ValueError, match=r"dashed\[0\] has shape \(2,\)"):
        plots.number_grid([padded], dashed=[[True, False]])


def cell_sizes(fig, axis):
    """Width and height of one unit of an axis, in inches."""
    fig.canvas.draw()
    (x0, y0), (x1, y1) = axis.transData.transform([(0, 0), (1, 1)]) / fig.dpi
    return x1 - x0, y0 - y1


@pytest.mark.parametrize("size", [None, 0.6])
def test_the_cells_of_number_grids_are_squares_of_one_size(size):
    given = {} if size is None else {"size": size}
    fig, axes = plots.number_grid([np.eye(2), np.ones((5, 3)), np.ones((1, 7))], **given)
    for axis in axes:
        width, height = cell_sizes(fig, axis)
        assert width == pytest.approx(height)
        assert width == pytest.approx(size or 0.42, rel=0.06)
    edges = [axis.get_window_extent().extents / fig.dpi for axis in axes]
    for left, right in itertools.pairwise(edges):
        assert right[0] - left[2] > 1.2 * (size or 0.42)  # room for a sign
    assert edges[0][0] >= 0
    assert edges[-1][2] <= fig.get_figwidth()


def test_the_lines_of_a_number_grid_go_around_every_cell():
    _, (axis,) = plots.number_grid([np.ones((2, 3))])
    upright, level = ([line.tolist() for line in c.get_segments()] for c in axis.collections)
    assert upright == [[[x - 0.5, -0.5], [x - 0.5, 1.5]] for x in range(4)]
    assert level == [[[-0.5, y - 0.5], [2.5, y - 0.5]] for y in range(3)]
    assert (axis.get_xlim(), axis.get_ylim()) == ((-0.5, 2.5), (1.5, -0.5))
    at = {text.get_position() for text in axis.texts}
    assert at == {(x, y) for x in range(3) for y in range(2)}


def test_a_framed_window_is_orange_over_the_lines():
    _, (axis,) = plots.number_grid([np.eye(3)], marks=[(0, 1, 2, 2)])
    (frame,) = axis.patches
    assert mpl.colors.same_color(frame.get_edgecolor(), plots.ORANGE)
    assert 0 < frame.get_facecolor()[3] < 0.5  # the numbers below it can be read
    assert frame.get_zorder() > max(line.get_zorder() for line in axis.collections)
    _, axes = plots.image_grid([np.eye(3)], marks=[(0, 1, 2, 2)])
    (frame,) = axes[0, 0].patches
    assert mpl.colors.same_color(frame.get_edgecolor(), plots.ORANGE)
    assert frame.get_facecolor()[3] == 0


@pytest.mark.parametrize(
    ("draw", "columns", "size"),
    [
        (lambda **given: plots.image_grid([np.eye(4)] * 12, **given), 6, 1.5),
        (lambda **given: plots.filter_grid(np.ones((12, 1, 3, 3)), **given), 10, 0.9),
        (lambda **given: plots.feature_maps({"a": np.ones((12, 3, 3))}, **given), 10, 0.85),
    ],
)
def test_so_many_pictures_stand_in_a_row_as_is_said(draw, columns, size):
    fig, axes = draw()
    assert axes.shape[1] == columns
    assert fig.get_figwidth() == pytest.approx(columns * size)
    fig, axes = draw(columns=3, size=2)
    assert axes.shape[1] == 3
    assert fig.get_figwidth() == pytest.approx(6)
    assert fig.get_figheight() >= 2 * axes.shape[0]


def test_a_row_of_tall_pictures_is_as_high_as_they_are():
    low, _ = plots.image_grid([np.zeros((2, 4))], size=2)
    high, _ = plots.image_grid([np.zeros((2, 4)), np.zeros((8, 4))], size=2)
    assert (low.get_figheight(), high.get_figheight()) == (1, 4)


def test_charts_grow_with_what_they_show():
    heights = [plots.bars(dict.fromkeys("abcd"[:n], 1.0))[0].get_figheight() for n in (1, 4)]
    assert heights[1] - heights[0] == pytest.approx(3 * 0.4)
    fig, ax = plots.bars({"a": 2.0, "b": 1.0})
    fig.canvas.draw()
    ends = [text.get_window_extent().x0 for text in ax.texts]
    bars = [bar.get_window_extent().x1 for bar in ax.patches]
    assert all(end > bar for end, bar in zip(ends, bars, strict=True))
    assert all(text.get_window_extent().x1 <= fig.bbox.x1 for text in ax.texts)
    wide, high = plots.confusion_matrix(np.eye(10, dtype=int))[0].get_size_inches()
    assert wide == high


def test_loss_curve():
    history = History([0, 10], [2.0, 1.0], [1], [1.5], [0.9], [0.7])
    _, ax = plots.loss_curve(history)
    curve, dots = ax.lines
    assert curve.get_xydata().tolist() == [[0, 2], [10, 1]]
    # 11 batches were an epoch: its dot stands where the 12th would begin.
    assert dots.get_xydata().tolist() == [[11, 0.9]]
    _, ax = plots.loss_curve(
        History([0, 9], [2.0, 1.0], [1, 2], [1.5, 1.2], [0.9, 0.8], [0.7, 0.8])
    )
    assert ax.lines[1].get_xdata().tolist() == [5, 10]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()[0]) == ("batch", "loss", 0)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["training, one batch", "test, all data"]
    assert [line.get_color() for line in ax.lines] == [plots.BLUE, plots.ORANGE]
    with pytest.raises(ValueError, match="train at least one epoch"):
        plots.loss_curve(History())


def test_without_test_data_there_is_one_curve():
    _, ax = plots.loss_curve(History([0, 10], [2.0, 1.0], [1], [1.5], [], []))
    assert [line.get_label() for line in ax.lines] == ["training, one batch"]


def test_confusion_matrix():
    _, ax = plots.confusion_matrix(torch.tensor([[5, 1], [0, 7]]), ["cat", "dog"])
    at = {text.get_position()[::-1]: text.get_text() for text in ax.texts}
    assert at == {(0, 0): "5", (0, 1): "1", (1, 0): "·", (1, 1): "7"}
    assert ax.images[0].origin == "upper"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("answer", "truth")
    # The right answers have no colour: the mistakes set the scale.
    assert ax.images[0].get_array().mask.tolist() == [[True, False], [False, True]]
    with pytest.raises(ValueError, match="square"):
        plots.confusion_matrix(np.zeros((2, 3)))


def test_a_confusion_matrix_without_mistakes_can_be_drawn():
    fig, ax = plots.confusion_matrix(np.diag([3, 4]))
    assert pixels(fig).std() > 0
    assert ax.images[0].get_clim() == (0, 1)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1"]
    assert plots.confusion_matrix([[7]])[1].images[0].get_clim() == (0, 1)


def test_the_numbers_of_a_confusion_matrix_can_be_read_on_their_colours():
    _, ax = plots.confusion_matrix([[90, 10], [6, 0]])
    assert ax.images[0].get_clim() == (0, 10)
    looks = {text.get_text(): (text.get_color(), text.get_fontweight()) for text in ax.texts}
    assert looks == {
        "90": ("black", "bold"),
        "10": ("white", "normal"),  # on the darkest blue
        "6": ("black", "normal"),
        "0": ("black", "bold"),
    }
    with pytest.raises(ValueError, match=r"^counts has shape \(2, 3\): give a square array$"):
        plots.confusion_matrix(np.zeros((2, 3)))


def test_filter_grid_has_one_scale_with_white_at_zero():
    weight = torch.zeros(2, 1, 3, 3)
    weight[0, 0, 0, 0], weight[1, 0, 0, 0] = 4, -1
    _, axes = plots.filter_grid(weight)
    assert [axis.images[0].get_clim() for axis in axes.flat] == [(-4, 4)] * 2
    white = axes[0, 0].images[0].cmap(0.5)
    assert min(white[:3]) > 0.95
    purple, orange = (axes[0, 0].images[0].cmap(end) for end in (0.0, 1.0))
    assert purple[2] > purple[1]  # negative: more blue than green
    assert orange[1] > orange[2]


def test_filter_grid_in_colour():
    weight = np.zeros((1, 3, 2, 2))
    weight[0, 0], weight[0, 2] = 1, -1
    _, axes = plots.filter_grid(weight)
    assert shown(axes[0, 0])[0, 0].tolist() == [1, 0.5, 0]
    with pytest.raises(ValueError, match="2 channels"):
        plots.filter_grid(np.zeros((4, 2, 3, 3)))


def test_feature_maps():
    conv = torch.arange(48.0).reshape(12, 2, 2) - 8
    layers = {"image": np.zeros((1, 4, 4)), "conv": conv}
    fig, axes = plots.feature_maps(layers, columns=5)
    assert axes.shape == (2, 5)
    titles = [band.get_suptitle() for band in fig.subfigs]
    assert titles == [
        "image: 1 × 4 × 4 (black 0, white 0)",
        "conv: 12 × 2 × 2, 5 of them shown (black −8, white 39)",
    ]
    assert [len(axis.images) for axis in axes[0]] == [1, 0, 0, 0, 0]
    for axis, one in zip(axes[1], conv, strict=False):
        assert (shown(axis) == one.numpy()).all()
    # One scale for a band, whether a map is shown or not.
    assert {axis.images[0].get_clim() for axis in axes[1]} == {(-8, 39)}
    fig, axes = plots.feature_maps({"conv": conv, "more": conv + 10}, one_scale=True)
    assert {axis.images[0].get_clim() for axis in axes.flat} == {(-8, 49)}
    assert fig.subfigs[0].get_suptitle().endswith("(black −8, white 49)")
    with pytest.raises(ValueError, match="empty"):
        plots.feature_maps({})
    with pytest.raises(ValueError, match="conv has shape"):
        plots.feature_maps({"conv": np.zeros((2, 2))})


def test_bars():
    _, ax = plots.bars({"loop": 40.0, "torch": 1.0}, "time", "{:.0f} times")
    assert [bar.get_width() for bar in ax.patches] == [40, 1]
    assert texts(ax) == ["40 times", "1 times"]
    assert ax.get_xlabel() == "time"
    assert texts(plots.bars({"a": 0.123456})[1]) == ["0.123"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["loop", "torch"]
    bottom, top = ax.get_ylim()
    assert bottom > top  # the first bar is the upper one
    for values in ({}, {"a": -1.0}, {"a": float("nan")}, {"a": float("inf")}):
        with pytest.raises(ValueError, match=r"nothing to draw|^'a' is .*: only amounts from 0"):
            plots.bars(values)
    plots.bars({"a": 0.0})


def test_the_colours_differ_in_grey_too():
    """Luminance by the sRGB weights: the two line colours and the two ends of a scale."""

    def luminance(colour):
        return np.dot(mpl.colors.to_rgb(colour), (0.2126, 0.7152, 0.0722))

    cmap = mpl.colormaps[plots.AMOUNT]
    assert abs(luminance(cmap(0.0)) - luminance(cmap(1.0))) > 0.5
    assert abs(luminance(plots.BLUE) - luminance(plots.ORANGE)) > 0.02
