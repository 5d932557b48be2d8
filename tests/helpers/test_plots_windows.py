"""plots.window_places: the right cells are filled, hatched and dashed; bad input is refused."""

import matplotlib as mpl
import pytest
import torch
import torch.nn.functional as F

mpl.use("Agg")

from matplotlib import colors
from matplotlib import pyplot as plt

from helpers import plots


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def drawn(axis):
    """What is drawn: rows of filled, and sets of dashed and hatched cells as (row, position)."""
    filled, dashed, hatched = {}, set(), set()
    for cell in axis.patches:
        position, row = round(cell.get_x() + 0.5), round(cell.get_y() + 0.5, 1)
        if colors.same_color(cell.get_facecolor(), plots.ORANGE):
            filled.setdefault(round(row - 1.3), []).append(position)
        elif cell.get_hatch():
            hatched.add(position)
        elif cell.get_linestyle() not in ("-", "solid"):
            dashed.add((row, position))
    return [filled[row] for row in sorted(filled)], dashed, hatched


def one(**case):
    _, axes = plots.window_places({"case": case})
    return axes[0]


def labels(axis):
    return [text.get_text() for text in axis.texts]


def test_a_stride_that_fits():
    filled, dashed, hatched = drawn(one(size=7, kernel_size=3, stride=2))
    assert filled == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert not dashed
    assert not hatched


def test_a_stride_that_does_not_fit():
    axis = one(size=7, kernel_size=3, stride=3)
    filled, dashed, hatched = drawn(axis)
    assert filled == [[0, 1, 2], [3, 4, 5]]
    assert dashed == {(3.3, 6), (3.3, 7), (3.3, 8)}
    assert hatched == {6}
    assert labels(axis) == [*"0123456", "does not fit"]
    assert axis.get_title() == "case\n2 places"
    assert axis.get_xlim() == (-0.5, 8.5)


def test_dilation():
    filled, _, hatched = drawn(one(size=7, kernel_size=3, dilation=3))
    assert filled == [[0, 3, 6]]
    assert hatched == {1, 2, 4, 5}


def test_values_and_padding():
    axis = one(values=[2, -3, 0.5], kernel_size=3, padding=1)
    filled, dashed, _ = drawn(axis)
    assert filled == [[-1, 0, 1], [0, 1, 2], [1, 2, 3]]
    assert dashed == {(0, -1), (0, 3)}
    assert labels(axis) == ["0", "2", "−3", "0.5", "0"]


def test_padding_of_two_sizes():
    filled, dashed, _ = drawn(one(size=6, kernel_size=3, stride=2, padding=(0, 1)))
    assert filled == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert dashed == {(0, 6)}


def test_ceil_mode_lets_the_last_window_stick_out():
    filled, dashed, hatched = drawn(one(size=7, kernel_size=3, stride=3, ceil_mode=True))
    assert filled[-1] == [6, 7, 8]
    assert not dashed
    assert not hatched


def test_ceil_mode_drops_a_window_that_starts_in_the_padding():
    axis = one(size=3, kernel_size=2, stride=2, padding=1, ceil_mode=True)
    filled, dashed, _ = drawn(axis)
    assert filled == [[-1, 0], [1, 2]]
    assert dashed == {(0, -1), (0, 3), (3.3, 3), (3.3, 4)}
    assert labels(axis)[-1] == "starts in the padding"


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
def test_as_many_places_as_torch_has(padding, ceil_mode):
    fixed = {"kernel_size": 3, "padding": padding, "ceil_mode": ceil_mode}
    cases = [(size, stride) for size in (4, 5, 6, 7) for stride in (1, 2, 3, 4)]
    _, axes = plots.window_places(
        {str(case): {"size": case[0], "stride": case[1], **fixed} for case in cases}
    )
    for axis, (size, stride) in zip(axes, cases, strict=True):
        pooled = F.max_pool1d(torch.zeros(1, 1, size), 3, stride, padding, ceil_mode=ceil_mode)
        assert len(drawn(axis)[0]) == pooled.shape[-1], (size, stride)


def test_several_cases_side_by_side():
    fig, axes = plots.window_places({"a": {"size": 5, "kernel_size": 5}, "b": _case(size=9)})
    assert [axis.get_title() for axis in axes] == ["a\n1 place", "b\n7 places"]
    assert fig.get_size_inches()[0] == pytest.approx((5 + 9 + 2 * 2) * 0.3)


def _case(**changes):
    return {"kernel_size": 3, **changes}


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        ({}, "empty"),
        ({"a": {"size": 5}}, "give kernel_size, and size or values"),
        ({"a": _case()}, "'a' has .*size or values"),
        ({"a": _case(size=3, values=[1, 2, 3])}, "size or values"),
        ({"a": _case(size=5, strides=2)}, "'strides': use size"),
        ({"a": _case(size=2)}, "the kernel does not fit"),
        ({"a": _case(size=0)}, "size=0"),
        ({"a": _case(size=5, padding=(0, 1), ceil_mode=True)}, "single number"),
        ({"a": _case(size=5, padding=-1)}, "padding=-1: it must be at least 0"),
        ({"a": _case(size=5, padding=(0, 1, 2))}, r"padding=\(0, 1, 2\): .* a pair"),
        ({"a": _case(values=[[1, 2], [3, 4]])}, "1 axes"),
    ],
)
def test_refuses(cases, words):
    with pytest.raises(ValueError, match=words):
        plots.window_places(cases)


def test_refuses_what_is_no_integer():
    with pytest.raises(TypeError, match=r"stride=1\.5"):
        plots.window_places({"a": _case(size=5, stride=1.5)})
    with pytest.raises(TypeError, match=r"padding=0\.5"):
        plots.window_places({"a": _case(size=5, padding=0.5)})
    with pytest.raises(TypeError, match=r"padding\[1\]=0\.5"):
        plots.window_places({"a": _case(size=5, padding=(0, 0.5))})
