"""helpers.plots.overlay."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt

from helpers import plots


def test_the_heat_covers_the_whole_picture_on_a_scale_of_its_own():
    picture, heat = np.zeros((8, 12)), np.array([[0.0, 4.0]])
    _, axes = plots.overlay([picture, picture[None]], [heat, 0 * heat], ["a", "b"], columns=2)
    below, above = axes[0, 0].images
    assert below.get_extent() == above.get_extent()
    assert above.get_array().max() == 1
    assert axes[0, 1].images[1].get_array().max() == 0
    assert [axis.get_title() for axis in axes.flat] == ["a", "b"]
    plt.close("all")


@pytest.mark.parametrize(
    ("images", "heats", "titles", "words"),
    [
        ([], [], None, "0 images"),
        ([np.eye(2)], [], None, "1 images, but 0 heats"),
        ([np.eye(2)], [np.eye(2)], ["a", "b"], "2 titles"),
        ([np.eye(2)], [-np.eye(2)], None, r"heats\[0\] has the value -1"),
        ([np.eye(2)], [np.eye(2) * np.nan], None, "nan"),
        ([np.eye(2)], [np.zeros(3)], None, r"heats\[0\] has shape"),
    ],
)
def test_overlay_refuses(images, heats, titles, words):
    with pytest.raises(ValueError, match=words):
        plots.overlay(images, heats, titles)
