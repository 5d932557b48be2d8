"""helpers.plots.overlay and helpers.plots.sliding_answers."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt

from helpers import plots


def test_the_heat_covers_the_whole_picture_on_a_scale_of_its_own():
    picture, heat = np.zeros((8, 12)), np.array([[0.0, 4.0], [1.0, 2.0]])
    _, axes = plots.overlay([picture, picture[None]], [heat, 0 * heat], ["a", "b"], columns=2)
    below, above = axes[0, 0].images
    assert below.get_extent() == above.get_extent()
    assert above.get_array().tolist() == [[0, 1], [0.25, 0.5]]
    assert below.origin == above.origin == "upper"
    assert axes[0, 1].images[1].get_array().max() == 0
    assert above.get_clim() == (0, 1)
    assert [axis.get_title() for axis in axes.flat] == ["a", "b"]
    _, axes = plots.overlay([picture], [heat])
    assert axes[0, 0].get_title() == ""
    plt.close("all")


def test_a_picture_of_one_row_stays_one():
    _, axes = plots.overlay([np.zeros((1, 5))], [np.eye(2)])
    below, above = axes[0, 0].images
    assert below.get_array().shape == (1, 5)
    assert below.get_extent() == above.get_extent() == [-0.5, 4.5, 0.5, -0.5]
    plt.close("all")


def test_a_picture_has_the_height_of_its_pixels_and_each_answer_a_row():
    fig, (above, below) = plots.sliding_answers(np.zeros((10, 90)), np.zeros((8, 5)), 10, 10)
    fig.canvas.draw()
    wide, high = above.get_window_extent().size
    assert wide / high == pytest.approx(9, rel=0.15)
    assert below.get_window_extent().height == pytest.approx(8 * 0.22 * fig.dpi, rel=0.15)
    plt.close("all")


@pytest.mark.parametrize(
    ("images", "heats", "titles", "words"),
    [
        ([], [], None, "0 images"),
        ([np.eye(2)], [], None, "1 images, but 0 heats"),
        ([np.eye(2)], [np.eye(2)], ["a", "b"], "^there are 1 images, but 2 titles$"),
        (
            [np.eye(2)] * 2,
            [np.eye(2), -np.eye(2)],
            None,
            r"^heats\[1\] has the value -1: give values from 0 upwards$",
        ),
        ([np.eye(2)], [np.eye(2) * np.nan], None, "nan"),
        ([np.eye(2)], [np.zeros(3)], None, r"heats\[0\] has shape"),
    ],
)
def test_overlay_refuses(images, heats, titles, words):
    with pytest.raises(ValueError, match=words):
        plots.overlay(images, heats, titles)


def test_the_answer_of_a_place_stands_under_the_middle_of_its_window():
    probabilities = np.array([[0.2, 0.9, 0.1], [0.8, 0.1, 0.9]])
    fig, (above, below) = plots.sliding_answers(np.eye(12), probabilities, window=4, stride=4)
    (answers,) = below.images
    # The windows cover the pixels 0 to 3, 4 to 7 and 8 to 11.
    assert answers.get_extent() == [-0.5, 11.5, 1.5, -0.5]
    assert above.get_xlim() == below.get_xlim() == (-0.5, 11.5)
    fig.canvas.draw()
    assert [label.get_text() for label in below.get_yticklabels()] == ["0", "1"]
    assert answers.get_clim() == (0, 1)
    assert (below.get_xlabel(), below.get_ylabel()) == ("pixel", "answer")
    assert answers.get_array().tolist() == probabilities.tolist()
    _, (_, below) = plots.sliding_answers(np.eye(12), probabilities, window=6, stride=2)
    assert below.images[0].get_extent() == [1.5, 7.5, 1.5, -0.5]
    with pytest.raises(ValueError, match="3 windows of 6 pixels, 4 apart, do not fit into 12"):
        plots.sliding_answers(np.eye(12), probabilities, window=6, stride=4)
    plt.close("all")
