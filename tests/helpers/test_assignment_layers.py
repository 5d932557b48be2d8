"""Looking between the layers of a student's network, however it is written."""

from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn import UninitializedParameter

from helpers.assignment import layers as course
from helpers.assignment.layers import (
    are_computed,
    between,
    build,
    fill,
    layer_sizes,
    layers,
    record,
)


class Attributes(nn.Module):
    """Two convolutions and two fully connected layers; ReLU, then pooling, then dropout."""

    def __init__(self, classes=4):
        super().__init__()
        self.last = nn.Linear(7, classes)  # not in the order in which they run
        self.hidden = nn.Linear(5 * 9 * 9, 7)
        self.second = nn.Conv2d(6, 5, 3, stride=2, padding=1)
        self.first = nn.Conv2d(3, 6, 11, stride=4)

    def forward(self, x):
        x = F.max_pool2d(F.relu_(self.first(x)), 3, 2)
        x = F.relu(self.second(x))[:, :, :9, :9]
        x = F.relu(self.hidden(x.flatten(1)))
        return self.last(F.dropout(x, 0.5, self.training))


class Crop(nn.Module):
    def forward(self, x):
        return x[:, :, :9, :9]


class InARow(nn.Sequential):
    def __init__(self, classes=4):
        super().__init__(
            OrderedDict(
                convolutions=nn.Sequential(
                    *(nn.Conv2d(3, 6, 11, stride=4), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)),
                    *(nn.Conv2d(6, 5, 3, 2, 1), nn.ReLU(), Crop(), nn.Flatten()),
                ),
                rest=nn.Sequential(
                    *(nn.Linear(405, 7), nn.ReLU(), nn.Dropout(), nn.Linear(7, classes))
                ),
            )
        )


class Lazy(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.LazyConv2d(6, 11, 4), nn.LazyConv2d(5, 3, 2, 1), nn.LazyLinear(7)]
        )
        self.last = nn.LazyLinear(classes)

    def forward(self, x):
        x = F.max_pool2d(self.layers[0](x).relu(), 3, 2)
        x = self.layers[1](x).relu()[:, :, :9, :9].reshape(len(x), -1)
        return self.last(F.dropout(self.layers[2](x).relu(), 0.5, self.training))


class InAPlainList(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.convs = [nn.Conv2d(3, 6, 11, 4), nn.Conv2d(6, 5, 3, 2, 1)]
        self.rows = [nn.Linear(405, 7), nn.Linear(7, classes)]

    def forward(self, x):
        for conv, size in zip(self.convs, (3, 1), strict=True):
            x = F.max_pool2d(conv(x).relu(), size, 2 if size == 3 else 1)
        x = x[:, :, :9, :9].reshape(len(x), -1)
        return self.rows[1](F.dropout(self.rows[0](x).relu(), 0.5, self.training))


class WithNumbersBetween(Attributes):
    """Does things between the layers that a tensor without numbers cannot do."""

    def forward(self, x):
        x = self.first(x)
        assert x.sum().item() >= 0 or x.min() < 0
        x = F.max_pool2d(torch.maximum(x, torch.zeros(x.shape)), 3, 2)
        x = torch.from_numpy(self.second(x).numpy()).relu()[:, :, :9, :9]
        x = F.relu(self.hidden(x.flatten(1)))
        return self.last(F.dropout(x, 0.5, self.training))


STYLES = (Attributes, InARow, Lazy, InAPlainList, WithNumbersBetween)
SIZES = ["3 × 227 × 227 → 6 × 55 × 55", "6 × 27 × 27 → 5 × 14 × 14", "405 → 7", "7 → 4"]


@pytest.fixture(params=STYLES, ids=lambda style: style.__name__)
def style(request):
    return request.param


@pytest.fixture(autouse=True)
def no_hook_is_left():
    yield
    module = torch.nn.modules.module
    assert not module._global_forward_hooks
    assert not module._global_forward_pre_hooks


def test_build_makes_a_network_that_cannot_tell_that_it_is_tested(style):
    model = build(style, classes=9)
    assert not model.training
    assert layers(model)[-1].out_features == 9
    assert not any(p.is_meta or isinstance(p, UninitializedParameter) for p in model.parameters())


def test_build_refuses_what_is_no_network():
    with pytest.raises(TypeError, match=r"an nn\.Module, but got list"):
        build(lambda: [nn.Linear(2, 2)])


def test_layers_are_those_that_run_in_their_order(style):
    found = layers(build(style))
    assert [type(layer) for layer in found] == [nn.Conv2d, nn.Conv2d, nn.Linear, nn.Linear]
    counts = [sum(p.numel() for p in layer.parameters()) for layer in found]
    assert counts == [3 * 6 * 121 + 6, 6 * 5 * 9 + 5, 405 * 7 + 7, 7 * 4 + 4]


def test_layer_sizes(style):
    assert layer_sizes(build(style)) == SIZES


def test_layer_sizes_of_another_image():
    sizes = layer_sizes(build(Attributes), image=(3, 227, 131))
    assert sizes[:2] == ["3 × 227 × 131 → 6 × 55 × 31", "6 × 27 × 15 → 5 × 14 × 8"]


def test_a_wrong_size_is_said_and_stops_nothing():
    class Wrong(Attributes):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(100, 7)
            self.second = nn.Conv2d(8, 5, 3, stride=2, padding=1)

    sizes = layer_sizes(build(Wrong))
    assert sizes[1] == "6 × 27 × 27 (it takes 8 × 27 × 27) → 5 × 14 × 14"
    assert sizes[2] == "405 (it takes 100) → 7"
    assert sizes[3] == "7 → 4"


def test_a_batch_that_was_flattened_too_is_shown_as_it_is():
    model = build(lambda: nn.Sequential(nn.Conv2d(3, 2, 227), nn.Flatten(0), nn.Linear(2, 3)))
    assert layer_sizes(model) == ["3 × 227 × 227 → 2 × 1 × 1", "2 → 3"]


def test_what_arrives_after_each_layer(style):
    after, scores = between(build(style), maps=[-1, 3], rows=[5, -7, 2])
    assert list(after) == ["conv1", "conv2", "fc6"]
    assert after["conv1"].shape == (6, 27, 27)
    assert after["conv1"][:, 26, 26].tolist() == [0, 3, 0, 3, 0, 3]
    # Flattened before it arrives, and put back into maps.
    assert after["conv2"].shape == (5, 9, 9)
    assert after["conv2"][:, 0, 8].tolist() == [0, 3, 0, 3, 0]
    assert after["fc6"].tolist() == [5, 0, 2, 5, 0, 2, 5]
    assert scores.tolist() == [[5, -7, 2, 5]]
    assert [x.shape for x in after.maps] == [(6, 27, 27), (5, 9, 9)]


def test_one_number_for_all(style):
    after, scores = between(build(style), maps=2, rows=0.5)
    assert all((x == 2).all() for x in after.maps)
    assert after["fc6"].tolist() == [0.5] * 7
    assert scores.tolist() == [[0.5] * 4]


def test_maps_that_a_function_writes(style):
    shapes = []

    def write(zeros):
        assert not zeros.any()
        shapes.append(tuple(zeros.shape))
        zeros[0, 1, 0, 2] = 4
        zeros[0, 2, 0, 0] = -4

    after, _ = between(build(style), maps=write)
    assert shapes[-2:] == [(1, 6, 55, 55), (1, 5, 14, 14)]
    assert after["conv1"][1, :2, :3].tolist() == [[4, 4, 0], [0, 0, 0]]
    assert after["conv2"][1, :2, :3].tolist() == [[0, 0, 4], [0, 0, 0]]
    assert not after["conv1"][[0, 2, 3, 4, 5]].any()


def test_rows_that_a_function_writes(style):
    def write(zeros):
        zeros[0, -1] = 8

    after, scores = between(build(style), rows=write)
    assert after["fc6"].tolist() == [0] * 6 + [8]
    assert scores.tolist() == [[0, 0, 0, 8]]


def test_training_mode_is_that_of_the_model(style):
    torch.manual_seed(3)
    rows = {float(x) for _ in range(4) for x in between(build(style).train(), rows=1)[0]["fc6"]}
    assert rows == {0.0, 2.0}
    after, _ = between(build(style).train().eval(), rows=1)
    assert after["fc6"].tolist() == [1.0] * 7


def test_nobody_needs_numbers(style):
    after, scores = between(build(style, classes=9))
    assert after["conv1"].shape == (6, 27, 27)
    assert scores.shape == (1, 9)


def test_numbers_are_those_of_this_test_and_not_of_the_weights():
    model = Attributes()  # with real weights, not on the device meta
    after, scores = between(model.eval(), maps=1, rows=[1, 2])
    assert (after["conv2"] == 1).all()
    assert scores.tolist() == [[1, 2, 1, 2]]


def test_another_layer_with_weights_works_on_numbers():
    def network():
        return nn.Sequential(
            *(nn.Conv2d(3, 2, 227), nn.BatchNorm2d(2), nn.PReLU(), nn.Flatten(), nn.Linear(2, 3))
        )

    after, _ = between(build(network), maps=[4, -4])
    assert after["conv1"].flatten().tolist() == pytest.approx([4, -1], rel=1e-4)


NUMBERS = torch.linspace(-1, 1, 31)
IMAGES = torch.linspace(0, 1, 2 * 3 * 227 * 227).reshape(2, 3, 227, 227)


def at_work(model):
    """What each layer gets and makes of it, with weights and biases of these numbers."""
    return record(fill(model, NUMBERS), IMAGES)


@pytest.mark.parametrize("style", [style for style in STYLES if style is not InAPlainList])
def test_a_network_of_ordinary_weights_is_seen_at_work(style):
    steps = at_work(build(style))
    assert [step["weight"] for step in steps] == [[6, 3, 11, 11], [5, 6, 3, 3], [7, 405], [4, 7]]
    assert torch.equal(steps[0]["given"], IMAGES)
    assert are_computed(steps, NUMBERS, IMAGES)


class OwnConv(nn.Conv2d):
    def forward(self, x):
        return 0.99 * super().forward(x)


class OwnWeights(Attributes):
    """A layer that makes something else of its weights."""

    def __init__(self, classes=4):
        super().__init__(classes)
        self.second = OwnConv(6, 5, 3, stride=2, padding=1)


class OtherImages(Attributes):
    def forward(self, x):
        return super().forward(torch.zeros_like(x))


@pytest.mark.parametrize("network", [OwnWeights, OtherImages])
def test_a_network_that_does_not_compute_with_its_weights_and_images_is_found(network):
    assert not are_computed(at_work(build(network)), NUMBERS, IMAGES)


class Normalised(Attributes):
    def forward(self, x):
        return super().forward((x - 0.13) / 0.31)


class Curved(Attributes):
    def forward(self, x):
        return super().forward(x**2)


@pytest.mark.parametrize(("network", "arrive"), [(Normalised, True), (Curved, False)])
def test_images_may_be_scaled_and_shifted_on_their_way(network, arrive):
    """That costs the test of the first layer's numbers, and not all others."""
    assert are_computed(at_work(build(network)), NUMBERS, IMAGES) is arrive


def test_numbers_that_were_made_up_are_found():
    steps = at_work(build(Attributes))
    for step in steps:
        forged = [{**s, "made": torch.zeros_like(s["made"])} if s is step else s for s in steps]
        assert not are_computed(forged, NUMBERS, IMAGES)


def without_numbers(step):
    return {**step, "weight": [0, *step["weight"][1:]], "made": step["made"][:, :0]}


def with_one_filter(step):
    made = step["made"].clone()
    made[:, 1:] = 9
    return {**step, "weight": [1, *step["weight"][1:]], "made": made}


def with_a_border_alone(step):
    if len(step["weight"]) == 2:
        return without_numbers(step)
    height, width = step["given"].shape[2:]
    return {**step, "padding": [height, width], "made": torch.zeros(2, step["weight"][0], 9, 9)}


def of_no_image(step):
    return {**step, "given": step["given"][:0], "made": step["made"][:0]}


@pytest.mark.parametrize(
    "forge",
    [without_numbers, with_one_filter, with_a_border_alone, of_no_image],
)
def test_shapes_that_were_made_up_are_found(forge):
    steps = at_work(build(Attributes))
    for number in range(len(steps)):
        forged = [*steps[:number], forge(steps[number]), *steps[number + 1 :]]
        assert not are_computed(forged, NUMBERS, IMAGES)


def test_a_number_without_end_does_not_make_all_others_right():
    first, second, *rest = at_work(build(Attributes))
    given, made = second["given"].clone(), torch.zeros_like(second["made"])
    given[0, 0, 1, 1] = torch.inf  # which one window sees that does not reach over the border
    made[0, :, 1, 1] = torch.inf * NUMBERS[torch.arange(5) * 6 * 3 * 3 % len(NUMBERS)]
    assert not are_computed(
        [first, {**second, "given": given, "made": made}, *rest], NUMBERS, IMAGES
    )


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("size", [2, 3])
def test_a_layer_whose_padding_keeps_the_size_is_seen_at_work(size):
    model = nn.Sequential(nn.Conv2d(3, 2, size, padding="same"))
    images = IMAGES[:, :, :9, :9].clone()
    steps = record(fill(model, NUMBERS, (3, 9, 9)), images)
    assert steps[0]["made"].shape == (2, 2, 9, 9)
    assert are_computed(steps, NUMBERS, images)


def test_only_the_first_neurons_of_a_very_large_layer_are_filled(monkeypatch):
    monkeypatch.setattr(course, "LARGE", 20 * 405)
    model = nn.Sequential(nn.Flatten(), nn.Linear(405, 20), nn.Linear(20, 19))
    fill(model, NUMBERS, (5, 9, 9))
    assert [bool(row.any()) for row in model[1].weight] == [True] * 16 + [False] * 4
    assert all(row.any() for row in model[2].weight)
    images = torch.linspace(-1, 1, 405).reshape(1, 5, 9, 9)
    assert are_computed(record(model, images), NUMBERS, images)


def test_several_images_arrive_in_rows_of_their_own():
    def write(rows):
        rows[:] = torch.arange(1.0, 1 + rows.numel()).reshape(rows.shape)

    after, scores = between(build(Attributes), maps=2, rows=write, images=3)
    assert [tuple(x.shape) for x in after.values()] == [(3, 6 * 27 * 27), (3, 405), (3, 7)]
    assert after["fc6"].tolist() == torch.arange(1.0, 22).reshape(3, 7).tolist()
    assert scores.tolist() == torch.arange(1.0, 13).reshape(3, 4).tolist()


def test_error_of_the_network_comes_as_it_is():
    class Stops(Attributes):
        def forward(self, x):
            super().forward(x)
            raise ArithmeticError("the seventh layer is tired")

    model = build(Stops)
    for look in (between, layers, layer_sizes):
        with pytest.raises(ArithmeticError, match=r"^the seventh layer is tired$") as caught:
            look(model)
        # Not as a consequence of the first attempt, without numbers.
        assert caught.value.__context__ is None


def test_a_layer_that_is_not_there_is_named():
    after, _ = between(build(Attributes))
    with pytest.raises(LookupError, match=r"after a layer fc7.*conv1, conv2, fc6"):
        after["fc7"]


def test_numbers_that_no_layer_hands_on():
    class OwnLayers(nn.Module):
        def forward(self, x):
            return x.flatten(1)

    model = build(OwnLayers)
    with pytest.raises(LookupError, match=r"no nn\.Conv2d runs"):
        between(model, maps=1)
    with pytest.raises(LookupError, match=r"no nn\.Linear runs"):
        between(model, rows=1)
    after, result = between(model)
    assert not after
    assert result.shape == (1, 3 * 227 * 227)
    with pytest.raises(LookupError, match="none"):
        after["conv1"]


def test_input_given_by_name():
    class ByName(Attributes):
        def forward(self, x):
            return self.first(input=x)

    with pytest.raises(TypeError, match="without a name"):
        layers(build(ByName))


def test_numbers_of_layers_do_not_depend_on_how_many_convolutions_run():
    one = build(lambda: nn.Sequential(nn.Conv2d(3, 2, 227), nn.Flatten(), *[nn.Linear(2, 2)] * 3))
    assert list(between(one)[0]) == ["conv1", "fc6", "fc7"]
    assert len(layers(one)) == 4


def test_what_is_not_in_whole_square_maps_is_left_as_it_arrives():
    rows = nn.Sequential(nn.Conv2d(3, 2, 1, 113), nn.Flatten(), Halve(), nn.Linear(5, 2))
    after, _ = between(build(lambda: rows), maps=1)
    assert after["conv1"].shape == (1, 5)


class Halve(nn.Module):
    def forward(self, x):
        return x[:, :5]
