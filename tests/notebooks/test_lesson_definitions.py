"""What students take away from the lessons, imported from the notebooks and checked."""

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import ops
from helpers.checks import assert_same, grad_check
from helpers.shapes import conv_output_size, count_parameters, receptive_field
from tests.support.lessons import definitions

SETTINGS = settings(max_examples=40, deadline=None, derandomize=True)

conv2d_plain, conv2d_channels, conv2d_bank, digits = definitions(
    1, "conv2d_plain", "conv2d_channels", "conv2d_bank", "digits"
)
conv2d_stride, count_uses, spread, field_by_formula = definitions(
    2, "conv2d_stride", "count_uses", "spread", "field_by_formula"
)
locally_connected_plain, same_padding = definitions("A", "locally_connected_plain", "same_padding")
combine_kernels, relu_plain, leaky_relu_plain, rrelu_plain, sigmoid_plain = definitions(
    3, "combine_kernels", "relu_plain", "leaky_relu_plain", "rrelu_plain", "sigmoid_plain"
)
(pool2d_plain,) = definitions(3, "pool2d_plain")
max_pool_backward_plain, avg_pool_backward_plain = definitions(
    4, "max_pool_backward_plain", "avg_pool_backward_plain"
)
im2col, col2im, conv_forward, conv_loops, conv_windows, conv_backward = definitions(
    4, "im2col", "col2im", "conv_forward", "conv_loops", "conv_windows", "conv_backward"
)
conv_backward_plain, linear_forward, linear_backward, softmax_loss = definitions(
    4, "conv_backward_plain", "linear_forward", "linear_backward", "softmax_loss"
)
make_net, make_connected_net, confusion = definitions(
    5, "make_net", "make_connected_net", "confusion"
)


@SETTINGS
@given(
    channels=st.integers(1, 3),
    filters=st.integers(1, 3),
    size=st.tuples(st.integers(4, 8), st.integers(4, 8)),
    kernel_size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 99),
    floats=st.booleans(),
)
def test_lesson_1_convolution(channels, filters, size, kernel_size, seed, floats):
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 10, (channels, *size))
    w = rng.integers(-9, 10, (filters, channels, *kernel_size))
    b = rng.integers(-9, 10, filters)
    if floats:
        x, w, b = x / 8, w / 8, b / 8
    wanted = F.conv2d(torch.tensor(x)[None], torch.tensor(w), torch.tensor(b))[0]
    assert_same(conv2d_bank(x, w, b), wanted, name="conv2d_bank")
    assert_same(conv2d_channels(x, w[0], b[0]), wanted[0], name="conv2d_channels")
    alone = F.conv2d(torch.tensor(x[:1])[None], torch.tensor(w[:1, :1]))[0, 0]
    assert_same(conv2d_plain(x[0], w[0, 0]), alone, name="conv2d_plain")


def test_lesson_1_keeps_fractions_of_a_whole_image():
    assert conv2d_plain(np.ones((2, 2), dtype=int), np.full((2, 2), 0.25)) == 1


def test_lesson_1_digits():
    assert digits("012 345").tolist() == [[0, 1, 2], [3, 4, 5]]


def test_lesson_5_nets():
    for net, parameters in ((make_net(), 21_840), (make_connected_net(), 21_475)):
        assert count_parameters(net) == parameters
        out = net.eval()(torch.rand(2, 1, 28, 28))
        assert out.shape == (2, 10)
        assert_same(out.exp().sum(dim=1), torch.ones(2), name="sum of the probabilities")


def test_lesson_5_confusion():
    rng = np.random.default_rng(0)
    truth, answers = rng.integers(0, 4, (2, 50))
    counts = confusion(truth, answers, classes=4)
    for t in range(4):
        for a in range(4):
            assert counts[t, a] == ((truth == t) & (answers == a)).sum()


sizes = st.tuples(st.integers(3, 9), st.integers(3, 9))
kernels = st.tuples(st.integers(1, 3), st.integers(1, 3))


@SETTINGS
@given(size=sizes, kernel=kernels, stride=st.integers(1, 3), seed=st.integers(0, 99))
def test_lesson_2_stride(size, kernel, stride, seed):
    rng = np.random.default_rng(seed)
    x, w = rng.integers(-9, 10, size), rng.integers(-9, 10, kernel)
    assert_same(
        conv2d_stride(x, w, stride), ops.conv2d(x[None, None], w[None, None], stride=stride)[0, 0]
    )
    wide = spread(w, stride)
    if all(a >= b for a, b in zip(x.shape, wide.shape, strict=True)):
        wanted = ops.conv2d(x[None, None], w[None, None], dilation=stride)[0, 0]
        assert_same(conv2d_stride(x, wide), wanted, name="dilation by spreading")


@SETTINGS
@given(
    size=st.integers(3, 9),
    kernel_size=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
)
def test_lesson_2_uses(size, kernel_size, stride, padding):
    pixels = torch.ones(1, 1, size, size, requires_grad=True)
    w = torch.ones(1, 1, kernel_size, kernel_size)
    F.conv2d(pixels, w, stride=stride, padding=padding).sum().backward()
    assert_same(count_uses(size, kernel_size, stride, padding), pixels.grad[0, 0].int())


@SETTINGS
@given(size=sizes, kernel=kernels, seed=st.integers(0, 99))
def test_appendix_locally_connected(size, kernel, seed):
    rng = np.random.default_rng(seed)
    out_size = conv_output_size(size, kernel)
    x, w = rng.integers(-9, 10, size), rng.integers(-9, 10, (*out_size, *kernel))
    wanted = ops.locally_connected2d(x[None, None], w[None, :, :, None])[0, 0]
    assert_same(locally_connected_plain(x, w), wanted)


@SETTINGS
@given(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(0, 3)), max_size=5))
def test_lesson_2_receptive_field(layers):
    assert field_by_formula(layers) == receptive_field(layers)[:2]


@SETTINGS
@given(width=st.integers(1, 30), kernel_size=st.integers(1, 7), stride=st.integers(1, 5))
def test_appendix_same_padding(width, kernel_size, stride):
    before, after = same_padding(width, kernel_size, stride)
    places = (width + before + after - kernel_size) // stride + 1
    assert places == -(-width // stride)
    assert 0 <= after - before <= 1


@SETTINGS
@given(size=sizes, first=kernels, second=kernels, seed=st.integers(0, 99))
def test_lesson_3_two_kernels_are_one(size, first, second, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 10, [n + 4 for n in size])
    a, b = rng.integers(-9, 10, first), rng.integers(-9, 10, second)
    one_step = ops.conv2d(x[None, None], combine_kernels(a, b)[None, None])
    two_steps = ops.conv2d(ops.conv2d(x[None, None], a[None, None]), b[None, None])
    assert_same(one_step, two_steps)


def test_lesson_3_activations():
    x = np.linspace(-3, 3, 25)
    t = torch.tensor(x)
    assert_same(relu_plain(x), F.relu(t))
    assert_same(leaky_relu_plain(x), F.leaky_relu(t))
    assert_same(leaky_relu_plain(x, 0.3), F.leaky_relu(t, 0.3))
    assert_same(rrelu_plain(x, training=False), F.rrelu(t))
    assert_same(sigmoid_plain(x), torch.sigmoid(t))
    slopes = rrelu_plain(-np.ones(500), training=True, rng=np.random.default_rng(0)) * -1
    assert 1 / 8 <= slopes.min() < 0.14
    assert 0.32 < slopes.max() <= 1 / 3


@SETTINGS
@given(size=sizes, window=st.integers(1, 3), stride=st.integers(1, 3), seed=st.integers(0, 99))
def test_lessons_3_and_4_pooling(size, window, stride, seed):
    rng = np.random.default_rng(seed)
    # Few different numbers, so that windows have ties.
    x = rng.integers(-2, 3, size).astype(float)
    pixels = torch.tensor(x, requires_grad=True)
    for rule, pool, backward in (
        (np.max, F.max_pool2d, max_pool_backward_plain),
        (np.mean, F.avg_pool2d, avg_pool_backward_plain),
    ):
        out = pool(pixels[None, None], window, stride)[0, 0]
        assert_same(pool2d_plain(x, window, stride, rule), out)
        grad_out = rng.integers(-9, 10, out.shape).astype(float)
        (wanted,) = torch.autograd.grad(out, pixels, torch.tensor(grad_out))
        assert_same(backward(grad_out, x, window, stride), wanted)


@SETTINGS
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(3, 6), st.integers(3, 6)),
    filters=st.integers(1, 3),
    kernel=kernels,
    seed=st.integers(0, 99),
)
def test_lesson_4_convolution(shape, filters, kernel, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 10, shape).astype(float)
    w = rng.integers(-9, 10, (filters, shape[1], *kernel)).astype(float)
    b = rng.integers(-9, 10, filters).astype(float)
    columns = im2col(x, *kernel)
    assert_same(columns, F.unfold(torch.tensor(x), kernel), name="im2col")
    wanted = F.fold(torch.tensor(columns), shape[2:], kernel)
    assert_same(col2im(columns, shape, *kernel), wanted, name="col2im")
    out = ops.conv2d(x, w, b)
    for way in (conv_forward, conv_loops, conv_windows):
        assert_same(way(x, w, b), out, name=way.__name__)
    grad_out = rng.integers(-9, 10, out.shape).astype(float)
    for ours, theirs in zip(
        conv_backward(grad_out, x, w), ops.conv2d_backward(grad_out, x, w), strict=True
    ):
        assert_same(ours, theirs, name="conv_backward")
    plain = conv_backward_plain(grad_out[0, 0], x[0, 0], w[0, 0])
    alone = ops.conv2d_backward(grad_out[:1, :1], x[:1, :1], w[:1, :1])
    assert_same(plain[0], alone[0][0, 0])
    assert_same(plain[1], alone[1][0, 0])
    assert_same(plain[2], alone[2][0])


def test_lesson_4_linear_layer_and_loss():
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(shape) for shape in ((3, 5), (4, 5), (4,)))
    scores = torch.tensor(x) @ torch.tensor(w).T + torch.tensor(b)
    assert_same(linear_forward(x, w, b), scores)
    grad_check(linear_forward, lambda g, x, w, b: linear_backward(g, x, w), [x, w, b])
    labels = np.array([0, 3, 1])
    scores.requires_grad_()
    wanted = F.cross_entropy(scores, torch.tensor(labels))
    wanted.backward()
    loss, grad = softmax_loss(scores.detach().numpy(), labels)
    assert_same(loss, wanted)
    assert_same(grad, scores.grad)


def test_lesson_6_early_stopping():
    (stop_early,) = definitions(6, "stop_early")
    assert stop_early([3, 2, 1], patience=1) == (3, 3)
    assert stop_early([1, 2, 3, 0], patience=2) == (3, 1)
    assert stop_early([2, 2, 2, 2], patience=4) == (4, 1), "an equal loss is not better"


def test_lesson_6_adam():
    (adam,) = definitions(6, "adam")
    w = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    optimizer, path = torch.optim.Adam([w], lr=0.3), []
    for _ in range(20):
        optimizer.zero_grad()
        (w**4 - w).backward()
        optimizer.step()
        path.append(w.item())
    assert_same(adam(lambda w: 4 * w**3 - 1, 2.0, 0.3, 20), path, rtol=1e-6)


@SETTINGS
@given(shape=st.tuples(*[st.integers(2, 4)] * 4), seed=st.integers(0, 99))
def test_lesson_6_batch_norm(shape, seed):
    (batch_norm,) = definitions(6, "batch_norm")
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 3 + 2
    assert_same(batch_norm(x), F.batch_norm(x, None, None, training=True), atol=1e-4)


def test_lesson_6_dropout():
    (dropout,) = definitions(6, "dropout")
    torch.manual_seed(0)
    out = dropout(torch.full((40_000,), 3.0), 0.25)
    assert set(out.tolist()) == {0, 4}
    assert abs(out.mean() - 3) < 0.05


@SETTINGS
@given(most=st.integers(1, 3), seed=st.integers(0, 99))
def test_lesson_6_shifts(most, seed):
    shift, random_shift, black = definitions(6, "shift", "random_shift", "BLACK")
    rng = torch.Generator().manual_seed(seed)
    images = F.pad(torch.rand(6, 1, 5, 4, generator=rng), [most] * 4, value=black)
    down, right = torch.randint(-most, most + 1, (2, 6), generator=rng)
    moved = shift(images, down, right, most)
    for before, after, d, r in zip(images, moved, down.tolist(), right.tolist(), strict=True):
        # The border is black, so that nothing is lost when the image is rolled.
        assert_same(after, before.roll((d, r), dims=(1, 2)))
    torch.manual_seed(seed)
    by_chance = random_shift(images, most)
    assert by_chance.shape == images.shape
    assert_same(by_chance.sum(dim=(1, 2, 3)), images.sum(dim=(1, 2, 3)), atol=1e-4)


def test_lesson_6_lead_of_one_network():
    (lead,) = definitions(6, "lead")
    rng = torch.Generator().manual_seed(0)
    a = torch.rand(1, 4000, generator=rng) < 0.97
    b = torch.rand(1, 4000, generator=rng) < 0.94
    points, uncertain = lead(a, b)
    assert_same(points, 100 * (a.float().mean() - b.float().mean()), rtol=1e-4)
    # The mistakes are independent here, so the squares of both uncertainties add up.
    assert abs(uncertain - 100 * ((0.97 * 0.03 + 0.94 * 0.06) / 4000) ** 0.5) < 0.05


def test_lesson_6_nearest_label():
    (nearest_label,) = definitions(6, "nearest_label")
    rng = torch.Generator().manual_seed(0)
    images, asked = (torch.rand(n, 3, 4, generator=rng) for n in (50, 300))
    labels = torch.randint(10, (50,), generator=rng)
    wanted = labels[torch.cdist(asked.flatten(1), images.flatten(1)).argmin(dim=1)]
    assert_same(nearest_label(images, labels, asked), wanted)


def test_lesson_6_nets():
    make_net, make_cnn = definitions(6, "make_net", "make_cnn")
    for net, parameters in ((make_net(), 21_840), (make_cnn(16), 29_290)):
        assert count_parameters(net) == parameters
        assert net.eval()(torch.rand(2, 1, 28, 28)).shape == (2, 10)


def test_the_network_of_lesson_5_is_the_same_in_6_and_8():
    (net_of_6,) = definitions(6, "make_net")
    (net_of_8,) = definitions(8, "make_lesson05_net")
    layers = [str(layer) for layer in make_net()][:-1]  # the log-softmax is in the loss there
    assert [str(layer) for layer in net_of_6(dropout=0.5)] == layers
    assert [str(layer) for layer in net_of_8()] == [one for one in layers if "Dropout" not in one]
    assert {layer.p for layer in net_of_6() if hasattr(layer, "p")} == {0}


def test_lesson_7_alexnet():
    response_norm, _, make_alexnet = definitions(7, "response_norm", "ResponseNorm", "make_alexnet")
    a = np.random.default_rng(0).normal(0, 100, (7, 2, 2))
    wanted = ops.local_response_norm(a[None], 5, alpha=5e-4, beta=0.75, k=2)[0]
    assert_same(response_norm(a), wanted)
    with torch.device("meta"):
        assert count_parameters(make_alexnet()) == 60_965_224
        assert count_parameters(make_alexnet(towers=1)) == 62_378_344


def test_lesson_9_grad_cam_of_a_linear_head():
    """With a head that is a weighted sum of the means of the maps, Grad-CAM is that sum."""
    (grad_cam,) = definitions(9, "grad_cam")
    maps = torch.rand(3, 4, 5) - 0.3
    weights = torch.tensor([[1.0, -2.0, 0.5], [-1.0, 1.0, 1.0]])

    def head(x):
        return x.mean(dim=(2, 3)) @ weights.T

    for target in (0, 1):
        wanted = (weights[target][:, None, None] * maps).sum(dim=0).clamp(min=0) / 20
        assert_same(grad_cam(torch.nn.Identity(), head, maps, target), wanted)
