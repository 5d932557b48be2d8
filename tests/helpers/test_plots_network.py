"""helpers.plots.network: what is drawn, by its sizes and its words."""

import itertools

import matplotlib as mpl
import pytest
import torch
import torch.nn.functional as F
from torch import nn

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.patches import FancyArrowPatch, Rectangle

from helpers import plots
from helpers.shapes import count_parameters
from tests.support.lessons import LESSONS, definitions


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def boxes(ax):
    """{gid: the rectangles that have it}, in the order of the drawing."""
    found = {}
    for patch in ax.patches:
        if isinstance(patch, Rectangle):
            found.setdefault(patch.get_gid(), []).append(patch)
    return found


def table(ax):
    """{word of the row: its entries from left to right, "" where there is none}."""
    texts = [text for text in ax.texts if text.get_va() == "center"]
    rows = {}
    for text in texts:
        rows.setdefault(round(text.get_position()[1], 3), []).append(text)
    return {row[0].get_text(): [text.get_text() for text in row[1:]] for row in rows.values()}


def gids(ax, word):
    artists = [*ax.patches, *ax.lines]
    return [a.get_gid() for a in artists if (a.get_gid() or "").startswith(word)]


def title(ax):
    return ax.texts[-1].get_text()


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return F.relu(x + self.norm(self.conv(x)))


def test_the_net_of_lesson_05():
    (make_net,) = definitions(5, "make_net")
    net = make_net().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    _, ax = plots.network(net, (1, 28, 28))
    assert table(ax) == {
        "layer": ["input", "conv 5", "max pool 2 / 2", "conv 5", "max pool 2 / 2", *["linear"] * 2],
        "shape": [
            "1 × 28 × 28",
            "10 × 24 × 24",
            "10 × 12 × 12",
            "20 × 8 × 8",
            "20 × 4 × 4",
            "50",
            "10",
        ],
        "parameters": ["", "260", "", "5,020", "", "16,050", "510"],
        "multiply-adds": ["", "144,000", "", "320,000", "", "16,000", "500"],
    }
    assert title(ax) == "21,840 parameters, 480,500 multiply-adds for one image"
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_sizes_are_to_scale_and_in_order():
    (make_net,) = definitions(5, "make_net")
    _, ax = plots.network(make_net(), (1, 28, 28))
    drawn = [one for (one,) in boxes(ax).values()]
    sizes = [(1, 28), (10, 24), (10, 12), (20, 8), (20, 4)]
    assert list(boxes(ax)) == [f"box {i}" for i in range(7)]
    for box, (maps, side) in zip(drawn[:5], sizes, strict=True):
        assert box.get_height() == pytest.approx(drawn[0].get_height() * side / 28)
        assert box.get_width() == pytest.approx(drawn[3].get_width() * maps / 20)
    assert drawn[6].get_height() == pytest.approx(drawn[5].get_height() / 5)
    middles = [box.get_x() + box.get_width() / 2 for box in drawn]
    assert middles == sorted(middles)
    # The roof and the side show the depth: as many pixels as the height, all on one slant.
    roofs = [patch for patch in ax.patches if patch not in drawn][::2]
    for box, roof in zip(drawn, roofs, strict=False):
        (_, y0), (_, y1) = roof.get_xy()[1:3]
        assert (y1 - y0) / box.get_height() == pytest.approx(0.28)


def test_height_and_width_of_maps_that_are_not_square():
    _, ax = plots.network(nn.Conv2d(3, 6, 3, padding=1), (3, 10, 30))
    assert table(ax)["multiply-adds"] == ["", f"{3 * 6 * 9 * 300:,}"]
    (first,), (second,) = boxes(ax).values()
    assert first.get_height() == pytest.approx(second.get_height())
    assert second.get_width() == pytest.approx(2 * first.get_width())
    # Ten pixels high, thirty deep; the depth is drawn at 0.28 of its length.
    (_, y0), (_, y1) = ax.patches[0].get_xy()[1:3]
    assert (y1 - y0) / first.get_height() == pytest.approx(0.28 * 30 / 10)


def test_alexnet_has_two_towers_that_meet_in_conv3():
    (number,) = [int(path.name[:2]) for path in LESSONS if path.name[2:].startswith("-alexnet")]
    _, make_alexnet = definitions(number, "ResponseNorm", "make_alexnet")
    with torch.device("meta"):
        net = make_alexnet()
    _, ax = plots.network(net, (3, 227, 227))
    rows = table(ax)
    assert rows["layer"][1:] == [
        "conv1",
        "pool1",
        "conv2",
        "pool2",
        "conv3",
        "conv4",
        "conv5",
        "pool5",
        "fc6",
        "fc7",
        "fc8",
    ]
    assert [len(towers) for towers in boxes(ax).values()] == [1, *[2] * 8, 1, 1, 1]
    assert rows["groups"] == ["", "", "", "2", "", "", "2", "2", "", "", "", ""]
    assert "60,965,224 parameters, 724,406,816 multiply-adds" in title(ax)
    # Half of the maps in each tower, to scale with the towers of other layers.
    conv2, conv3 = boxes(ax)["box 3"], boxes(ax)["box 5"]
    assert conv2[0].get_width() == conv2[1].get_width()
    assert conv3[0].get_width() == pytest.approx(conv2[0].get_width() * 384 / 256)
    (image,) = boxes(ax)["box 0"]
    assert conv2[0].get_width() == pytest.approx(image.get_width() * 128 / 3)
    assert conv2[1].get_y() > conv2[0].get_y() + conv2[0].get_height()
    lines = gids(ax, "line")
    assert lines.count("line 2 to 3") == 2  # each tower for itself
    assert lines.count("line 4 to 5") == 4  # each to both


def extents(ax):
    """{number of the box: (bottom, top) of each of its towers, with roof and side, low to high}."""
    found, above = {}, []
    for patch in ax.patches:  # roof and side come before their front
        above += list(patch.get_path().vertices[:, 1]) if not isinstance(patch, Rectangle) else []
        if isinstance(patch, Rectangle):
            heights = [*above, patch.get_y(), patch.get_y() + patch.get_height()]
            found.setdefault(patch.get_gid(), []).append((min(heights), max(heights)))
            above = []
    return found


@pytest.mark.parametrize("towers", [2, 3, 4])
@pytest.mark.parametrize("shape", [(12, 10, 10), (12, 10, 30), (12, 30, 10)])
def test_towers_stand_clear_of_each_other_and_of_the_words(towers, shape):
    net = nn.Sequential(
        nn.Conv2d(12, 12, 3, padding=1, groups=towers),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1, groups=towers),
    )
    _, ax = plots.network(net, shape)
    drawn = extents(ax)
    assert [len(one) for one in drawn.values()] == [1, towers, towers, towers]
    words = max(text.get_position()[1] for text in ax.texts if text.get_va() == "center")
    heading = ax.texts[-1].get_position()[1]
    for box in drawn.values():
        for (_, below), (above, _) in itertools.pairwise(box):
            assert above - below > 0.1
        assert words + 0.1 < box[0][0]
        assert box[-1][1] < heading
        assert box[0][0] + box[-1][1] == pytest.approx(2 * 0.25)  # all on one height


def middles(ax):
    """{gid: the middles of its boxes, (x, y), with roof and side}, which come before the front."""
    found, corners = {}, []
    for patch in ax.patches:
        if isinstance(patch, Rectangle):
            (x, y), width, height = patch.get_xy(), patch.get_width(), patch.get_height()
            corners += [(x, y), (x + width, y + height)]
            middle = [(min(one) + max(one)) / 2 for one in zip(*corners, strict=True)]
            found.setdefault(patch.get_gid(), []).append(middle)
            corners = []
        elif not isinstance(patch, FancyArrowPatch):
            corners += [tuple(corner) for corner in patch.get_xy()]
    return found


def test_boxes_stand_above_their_words_and_lines_lead_from_middle_to_middle():
    net = nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24, 3)
    )
    fig, ax = plots.network(net, (4, 5, 9))
    drawn = middles(ax)
    rows = {}
    for text in ax.texts:
        if text.get_va() == "center" and text.get_ha() == "center":
            rows.setdefault(text.get_position()[1], []).append(text.get_position()[0])
    for columns in rows.values():
        assert columns == pytest.approx([boxes[0][0] for boxes in drawn.values()])
    assert len(rows) == 5
    for line in ax.lines:
        source, target = (f"box {n}" for n in line.get_gid().removeprefix("line ").split(" to "))
        start, end = zip(*line.get_data(), strict=True)
        assert any(start == pytest.approx(middle) for middle in drawn[source])
        assert any(end == pytest.approx(middle) for middle in drawn[target])
    ends = sorted(line.get_gid() for line in ax.lines)
    assert ends == sorted(["line 0 to 1"] * 2 + ["line 1 to 2"] * 2 + ["line 2 to 3"] * 2)
    # Everything is inside the picture, and the heading stands above all of it.
    left, right = ax.get_xlim()
    assert all(left < x < right for boxes in drawn.values() for x, _ in boxes)
    x, y = ax.texts[-1].get_position()
    assert left < x < drawn["box 0"][0][0]
    assert y > max(top for boxes in extents(ax).values() for _, top in boxes)
    assert fig.get_figwidth() == plots.WIDTH


def test_a_picture_grows_with_its_boxes_and_the_longest_bar_is_as_tall_as_the_tallest_map():
    few, _ = plots.network(nn.Linear(8, 4), (8,))
    many, ax = plots.network(nn.Sequential(*[nn.Linear(8, 8) for _ in range(20)]), (8,))
    assert few.get_figwidth() == plots.WIDTH < many.get_figwidth()
    bars = [bar.get_height() for (bar,) in boxes(ax).values()]
    assert bars == pytest.approx([1.7] * 21)
    _, ax = plots.network(nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten()), (1, 4, 4))
    assert [round(top - low, 3) for ((low, top),) in extents(ax).values()][:2] == [1.7, 1.7]


def test_an_arc_goes_from_above_one_box_to_above_the_other_with_a_plus_over_it():
    net = nn.Sequential(nn.Conv2d(1, 4, 1), Residual(4))
    _, ax = plots.network(net, (1, 6, 6))
    (arc,) = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    places = [middles(ax)[f"box {n}"][0][0] for n in (1, 2)]
    (plus,) = [text for text in ax.texts if text.get_text() == "+"]
    (start, _), (end, _) = arc._posA_posB
    assert [start, end] == pytest.approx(places)
    tops = [extents(ax)[f"box {n}"][0][1] for n in (1, 2)]
    assert all(y > top for (_, y), top in zip(arc._posA_posB, tops, strict=True))
    assert plus.get_position()[0] == pytest.approx(sum(places) / 2)
    assert plus.get_position()[1] > max(y for _, y in arc._posA_posB)


@pytest.mark.parametrize(
    ("layer", "name", "shape"),
    [
        (nn.Upsample(scale_factor=2), "upsample", "2 × 8 × 8"),
        (nn.AvgPool2d(2), "mean 2 / 2", "2 × 2 × 2"),
        (nn.AvgPool2d((2, 4)), "mean 2 / 2", "2 × 2 × 1"),
        (nn.AdaptiveMaxPool2d(1), "max pool", "2 × 1 × 1"),
        (nn.MaxPool2d(3, stride=1), "max pool 3", "2 × 2 × 2"),
        (nn.PixelShuffle(1), None, None),
        (nn.MaxPool2d(3, stride=1, padding=1), None, None),
    ],
)
def test_a_layer_without_a_name_of_its_own_is_told_in_few_words(layer, name, shape):
    """Such as keep the size have no box."""
    _, ax = plots.network(nn.Sequential(nn.Conv2d(1, 2, 1), layer), (1, 4, 4))
    rows = table(ax)
    assert rows["layer"][2:] == ([name] if name else [])
    assert rows["shape"][2:] == ([shape] if name else [])


def test_functions_that_keep_the_size_have_no_box_and_others_have():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.ReLU()

        def forward(self, x):
            x = F.max_pool2d(self.first(x), 3, stride=1, padding=1)
            x = F.interpolate(x, scale_factor=2)
            return F.avg_pool2d(x * 2, 2).mean((2, 3))

    _, ax = plots.network(Net(), (1, 4, 4))
    assert table(ax)["layer"] == ["input", "interpolate", "avg_pool2d", "mean"]


def test_an_addition_is_an_arc_and_a_norm_counts_for_the_layer_before():
    net = nn.Sequential(nn.Conv2d(1, 4, 1), Residual(4), Residual(4), nn.AdaptiveAvgPool2d(1))
    _, ax = plots.network(net, (1, 6, 6))
    assert gids(ax, "added") == ["added 1 to 2", "added 2 to 3"]
    assert table(ax)["layer"] == ["input", "conv 1", "conv", "conv", "mean"]
    assert table(ax)["parameters"] == ["", "8", "156", "156", ""]
    total = sum(int(n.replace(",", "")) for n in table(ax)["parameters"] if n)
    assert f"{total:,} parameters" in title(ax)
    assert total == count_parameters(net)


@pytest.mark.parametrize("in_place", [False, True])
def test_an_addition_is_seen_in_place_and_as_a_function(in_place):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.long = nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x):
            x = self.first(x)
            y = self.long(x)
            if in_place:
                y += x
            else:
                y = torch.add(x, y)
            return y.relu_()

    _, ax = plots.network(Net(), (1, 5, 5))
    assert gids(ax, "added") == ["added 1 to 2"]


def test_layers_written_as_functions_and_with_names_of_their_own():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(1, 4, 3)
            self.last = nn.Linear(4, 2)

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.first(x)), 2)
            return self.last(x.mean((2, 3)))

    _, ax = plots.network(Net(), (1, 10, 10))
    assert table(ax)["layer"] == ["input", "first", "max_pool2d", "mean", "last"]
    assert table(ax)["shape"] == ["1 × 10 × 10", "4 × 8 × 8", "4 × 4 × 4", "4", "2"]
    assert gids(ax, "added") == []


def test_a_layer_that_is_used_twice_counts_once():
    shared = nn.Linear(8, 8)
    _, ax = plots.network(nn.Sequential(shared, nn.ReLU(), shared), (8,))
    assert table(ax)["parameters"] == ["", "72", ""]
    assert table(ax)["multiply-adds"] == ["", "64", "64"]
    assert title(ax).startswith("72 parameters, 128 multiply-adds")


def test_depthwise_and_transposed_convolutions():
    net = nn.Sequential(
        nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.ConvTranspose2d(16, 2, 2, stride=2)
    )
    _, ax = plots.network(net, (16, 5, 5))
    assert table(ax)["layer"] == ["input", "conv 3", "transposed 2 / 2"]
    assert table(ax)["groups"] == ["", "16", ""]
    assert table(ax)["multiply-adds"] == ["", f"{16 * 9 * 25:,}", f"{16 * 2 * 4 * 25:,}"]
    # Sixteen groups are too many to be drawn as towers.
    assert [len(towers) for towers in boxes(ax).values()] == [1, 1, 1]


def test_the_net_is_left_as_it_was():
    # In training mode a normalisation refuses a batch of one number for each channel.
    net = nn.Sequential(nn.Conv2d(1, 2, 9), nn.BatchNorm2d(2)).train()
    plots.network(net, (1, 9, 9))
    assert net.training
    assert net[1].num_batches_tracked == 0
    assert next(net.parameters()).device.type == "cpu"


@pytest.mark.parametrize(
    ("net", "shape", "words"),
    [
        (nn.Identity(), (3, 4), r"input_shape=\(3, 4\): give \(C, H, W\), or \(N,\)"),
        (nn.Identity(), (0,), r"input_shape=\(0,\)"),
        (nn.Sequential(*[nn.Linear(2, 2) for _ in range(24)]), (2,), "25 boxes: at most 24"),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(2), nn.Linear(4, 3)),
            (1, 4, 4),
            r"linear makes the shape \(2, 3\)",
        ),
    ],
)
def test_network_refuses(net, shape, words):
    with pytest.raises(ValueError, match=words):
        plots.network(net, shape)
